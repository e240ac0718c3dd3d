"""Samples from the cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from void.cache.shards import CachedPair
from void.cache.store import Cache, build_cache, open_cache
from void.config import VoidConfig
from void.data.dataset import Batch, LatentDataset, collate
from void.data.order import SampleKey
from void.recipe import Posterior


@pytest.fixture
def cache(toy_config: Callable[..., VoidConfig], toy_cache: Path) -> Cache:
    return open_cache(toy_config(f"cache.root={toy_cache}"))


def dataset(
    cache: Cache,
    target: Posterior = Posterior.sample,
    condition: Posterior = Posterior.sample,
    *,
    draw_variant: bool = True,
    text_dropout: float = 0.0,
) -> LatentDataset:
    return LatentDataset(
        cache,
        cache.rows[:3],
        scaling_factor=0.7,
        target_posterior=target,
        condition_posterior=condition,
        draw_variant=draw_variant,
        text_dropout=text_dropout,
        seed=1,
    )


def spread(sample: Batch, entry: CachedPair, name: str) -> torch.Tensor:
    """A draw of a sample in standard deviations from its posterior's mean."""
    mean, logvar = (getattr(entry, f"{name}_{moment}").squeeze(0) for moment in ("mean", "logvar"))
    return (getattr(sample, f"{name}_BTCHW")[0] / 0.7 - mean) / (0.5 * logvar).exp()


def test_the_mode_is_the_scaled_mean(cache: Cache) -> None:
    sample = dataset(cache, Posterior.mode, Posterior.mode)[SampleKey(0, 2)]
    entry = cache.entry("toy-2")
    for name in ("target", "mask", "input"):
        assert torch.equal(getattr(sample, f"{name}_BTCHW")[0], 0.7 * getattr(entry, f"{name}_mean").squeeze(0))
    assert torch.equal(sample.text_BLD[0], entry.text)


def test_a_sample_depends_on_epoch_and_index_alone(cache: Cache) -> None:
    torch.manual_seed(0)
    first = dataset(cache)[SampleKey(4, 1)]
    torch.manual_seed(9)
    data = dataset(cache)
    data[SampleKey(0, 0)]
    again, other_epoch = data[SampleKey(4, 1)], data[SampleKey(5, 1)]
    assert torch.equal(first.target_BTCHW, again.target_BTCHW)
    assert not torch.equal(first.target_BTCHW, other_epoch.target_BTCHW)


def test_posterior_draws_have_the_posteriors_mean_and_spread(cache: Cache) -> None:
    data, entry = dataset(cache), cache.entry("toy-0")
    draws = torch.cat([data[SampleKey(epoch, 0)].target_BTCHW for epoch in range(200)]) / 0.7
    deviations = (draws - entry.target_mean) / (0.5 * entry.target_logvar).exp()
    assert abs(deviations.mean().item()) < 0.01
    assert abs(deviations.std().item() - 1) < 0.01
    # The three latents of a sample are drawn independently.
    sample = data[SampleKey(0, 0)]
    noise = [spread(sample, entry, name) for name in ("target", "mask", "input")]
    assert abs(torch.corrcoef(torch.stack([part.flatten() for part in noise]))[0, 1:]).max() < 0.2


def test_only_the_target_is_sampled_where_the_condition_takes_the_mode(cache: Cache) -> None:
    sample, entry = dataset(cache, condition=Posterior.mode)[SampleKey(0, 1)], cache.entry("toy-1")
    assert spread(sample, entry, "target").std() > 0.9
    for name in ("mask", "input"):
        assert spread(sample, entry, name).abs().max() < 1e-3


def test_each_visit_draws_one_noise_variant(toy_config: Callable[..., VoidConfig]) -> None:
    cache = build_cache(toy_config("model.conditioning_noise=true", "cache.noise_variants=3"))
    variants = 0.7 * cache.entry("toy-0").input_mean

    def visited(data: LatentDataset) -> list[int]:
        seen = [data[SampleKey(epoch, 0)].input_BTCHW for epoch in range(30)]
        return [[torch.equal(one[0], variant) for variant in variants].index(True) for one in seen]

    drawn = dataset(cache, condition=Posterior.mode)
    assert set(visited(drawn)) == {0, 1, 2}
    assert visited(drawn) == visited(dataset(cache, condition=Posterior.mode))
    assert set(visited(dataset(cache, condition=Posterior.mode, draw_variant=False))) == {0}


def test_captions_are_dropped_at_the_given_rate(cache: Cache) -> None:
    data = dataset(cache, text_dropout=0.3)
    dropped = [torch.equal(data[SampleKey(epoch, 0)].text_BLD[0], cache.null_text) for epoch in range(300)]
    assert 0.2 < sum(dropped) / 300 < 0.4
    assert not any(torch.equal(dataset(cache)[SampleKey(epoch, 0)].text_BLD[0], cache.null_text) for epoch in range(20))


def test_batches_join_samples(cache: Cache) -> None:
    data = dataset(cache)
    keys = [SampleKey(0, 2), SampleKey(1, 0)]
    batch = collate([data[key] for key in keys])
    assert len(batch) == 2
    assert torch.equal(batch.input_BTCHW[1], data[keys[1]].input_BTCHW[0])
