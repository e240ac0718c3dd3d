"""Samples from the cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from void.cache.store import Cache, open_cache
from void.config import VoidConfig
from void.data.dataset import LatentDataset, collate
from void.data.order import SampleKey
from void.recipe import Posterior


@pytest.fixture
def cache(toy_config: Callable[..., VoidConfig], toy_cache: Path) -> Cache:
    return open_cache(toy_config(f"cache.root={toy_cache}"))


def dataset(cache: Cache, posterior: Posterior = Posterior.sample, text_dropout: float = 0.0) -> LatentDataset:
    return LatentDataset(
        cache, cache.rows[:3], scaling_factor=0.7, posterior=posterior, text_dropout=text_dropout, seed=1
    )


def test_the_mode_is_the_scaled_mean(cache: Cache) -> None:
    sample = dataset(cache, Posterior.mode)[SampleKey(0, 2)]
    entry = cache.entry("toy-2")
    for name in ("target", "mask", "input"):
        assert torch.equal(getattr(sample, f"{name}_BTCHW")[0], 0.7 * getattr(entry, f"{name}_mean"))
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
    noise = [
        (getattr(sample, f"{name}_BTCHW")[0] / 0.7 - getattr(entry, f"{name}_mean"))
        / (0.5 * getattr(entry, f"{name}_logvar")).exp()
        for name in ("target", "mask", "input")
    ]
    assert abs(torch.corrcoef(torch.stack([part.flatten() for part in noise]))[0, 1:]).max() < 0.2


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
