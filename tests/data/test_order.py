"""Data order and randomness are functions of what they are for."""

from __future__ import annotations

import torch

from void.data.order import SampleKey, SampleOrder, StepBatches
from void.data.randomness import child_seed, generator


def batches(first: int, last: int, rank: int = 0, processes: int = 1, accumulation: int = 1) -> list[list[SampleKey]]:
    sampler = StepBatches(
        SampleOrder(5, seed=3),
        first_step=first,
        last_step=last,
        batch_size=2,
        accumulation=accumulation,
        rank=rank,
        processes=processes,
    )
    assert len(sampler) == len(list(sampler))
    return [list(batch) for batch in sampler]


def test_every_epoch_visits_every_sample_once_in_its_own_order() -> None:
    order = SampleOrder(5, seed=3)
    epochs = [[order.at(5 * epoch + place) for place in range(5)] for epoch in range(4)]
    assert all(sorted(key.index for key in keys) == list(range(5)) for keys in epochs)
    assert [[key.epoch for key in keys] for keys in epochs] == [[epoch] * 5 for epoch in range(4)]
    assert len({tuple(key.index for key in keys) for keys in epochs}) > 1


def test_continuing_at_a_step_gives_the_batches_an_uninterrupted_run_has() -> None:
    assert batches(1, 9)[4:] == batches(5, 9)


def test_processes_share_out_the_stream_that_one_process_would_read() -> None:
    alone = [key for batch in batches(1, 6, accumulation=2) for key in batch]
    shares = [batches(1, 3, rank, processes=2, accumulation=2) for rank in range(2)]
    together = [key for micro in zip(*shares, strict=True) for batch in micro for key in batch]
    assert together == alone


def test_seeds_differ_in_every_part_of_the_key() -> None:
    keys = [(0, "a", 1), (1, "a", 1), (0, "b", 1), (0, "a", 2), (0, "a", 1, 0), (0, "a1")]
    assert len({child_seed(*key) for key in keys}) == len(keys)
    assert all(0 <= child_seed(*key) < 2**63 for key in keys)


def test_generators_ignore_the_global_state() -> None:
    torch.manual_seed(1)
    first = torch.randn(4, generator=generator(7, "noise", 3))
    torch.manual_seed(2)
    assert torch.equal(first, torch.randn(4, generator=generator(7, "noise", 3)))
