"""The second pass in training: its noise, its beginning, what it continues and refuses."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rounding import Arithmetic, assert_same
from torch import Tensor

from void.cache.noise import build_noise
from void.config import VoidConfig
from void.data.dataset import Batch, random_rotation
from void.data.order import SampleKey
from void.data.randomness import generator
from void.errors import InputError
from void.models.checkpoints import find_checkpoint, load_transformer
from void.noise.config import NoiseConfig
from void.recipe import Degradation
from void.tracking.metrics_file import read_metrics
from void.training import trainer as trainer_module
from void.training.noise import training_noise
from void.training.trainer import Trainer, train

Compose = Callable[..., VoidConfig]
SHAPE = (4, 2, 16, 24, 32)


@pytest.fixture
def compose(toy_config: Compose, toy_cache: Path, tmp_path: Path) -> Compose:
    """Runs of three steps that share the root `tmp_path/run`, and noise that moves with the input clip."""
    shutil.copytree(toy_cache, tmp_path / "cache")

    def compose_run(*overrides: str) -> VoidConfig:
        return toy_config(
            f"cache.root={tmp_path}/cache",
            f"root={tmp_path}/run",
            "training.steps=3",
            "training.checkpoint_every=1",
            "training.log_every=1",
            "training.validate_every=0",
            "noise.canvas=8",
            "noise.training_video=input",
            *overrides,
        )

    return compose_run


@pytest.fixture
def second(compose: Compose) -> Compose:
    """Runs of the second pass whose first one is trained and whose noise is made."""
    train(compose("training.steps=1"))
    build_noise(compose("stage=pass2"))
    return lambda *overrides: compose("stage=pass2", *overrides)


def batch(noise_BTCHW: Tensor | None) -> Batch:
    zeros = torch.zeros(SHAPE)
    return Batch(zeros, zeros, zeros, torch.zeros(4, 1, 1), noise_BTCHW)


def std_tolerance() -> float:
    """Four standard errors of a clip's standard deviation."""
    return 4 / math.sqrt(2 * math.prod(SHAPE[1:]))


def test_the_first_pass_draws_the_gaussian_noise_it_always_drew() -> None:
    found = training_noise(batch(None), generator(1), NoiseConfig(), Degradation.unit_variance)
    assert torch.equal(found, torch.randn(SHAPE, generator=generator(1)))


@pytest.mark.parametrize("limit", [0.0, 0.3, 1.0])
def test_noise_is_degraded_by_a_uniform_share_and_keeps_its_variance(limit: float) -> None:
    warped = torch.randn(SHAPE, generator=generator(2))
    shares = []
    for number in range(50):
        config = NoiseConfig(degradation=limit)
        found = training_noise(batch(warped), generator(3, number), config, Degradation.unit_variance)
        assert (found.flatten(1).std(1) - 1).abs().max() < std_tolerance()
        for one, source in zip(found, warped, strict=True):
            rho = float(torch.corrcoef(torch.stack([one.flatten(), source.flatten()]))[0, 1])
            shares.append(math.sqrt(max(0.0, 1 - rho**2)) / (rho + math.sqrt(max(0.0, 1 - rho**2))))
    shares_N = torch.tensor(shares)
    assert shares_N.max() <= limit + 0.02
    assert abs(shares_N.mean() - limit / 2) < 4 * limit / math.sqrt(12 * len(shares)) + 0.01


def test_the_released_degradation_inflates_the_noise() -> None:
    warped = torch.randn(SHAPE, generator=generator(2))
    stds = [
        training_noise(batch(warped), generator(4, number), NoiseConfig(), Degradation.released).flatten(1).std(1)
        for number in range(50)
    ]
    # The root mean square over g ~ U(0, 0.3) that was measured of the released formula.
    assert abs(torch.cat(stds).square().mean().sqrt() - 1.162) < 0.02


def test_plain_noise_comes_with_the_remaining_probability() -> None:
    warped = torch.randn(SHAPE, generator=generator(2))
    found = [
        training_noise(
            batch(warped), generator(5, number), NoiseConfig(probability=0.25, degradation=0), Degradation.unit_variance
        )
        for number in range(100)
    ]
    kept = torch.stack(
        [
            torch.stack([torch.equal(one, two) * torch.ones(()) for one, two in zip(f, warped, strict=True)])
            for f in found
        ]
    )
    assert abs(kept.mean() - 0.25) < 4 * math.sqrt(0.25 * 0.75 / kept.numel())
    never = training_noise(batch(warped), generator(6), NoiseConfig(probability=0), Degradation.unit_variance)
    assert torch.equal(never, torch.randn(SHAPE, generator=generator(6)))


def test_rotations_are_orthogonal_and_differ() -> None:
    draws = generator(7)
    first, other = random_rotation(16, draws), random_rotation(16, draws)
    # A QR factorisation reflects 16 times.
    assert_same(first @ first.T, torch.eye(16), Arithmetic(depth=16, terms=16))
    assert not torch.allclose(first, other)
    # Uniform: each entry has mean 0 and variance 1/16.
    entries = torch.stack([random_rotation(16, draws) for _ in range(400)])
    assert entries.mean(0).abs().max() < 5 / math.sqrt(16 * 400)
    assert abs(entries.var() - 1 / 16) < 1e-3


def trainer(cfg: VoidConfig, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """The trainer that `train` would run, which does not run."""
    built: list[Trainer] = []
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "run", lambda self, _: built.append(self))
        train(cfg)
    return built[0]


def test_samples_carry_the_noise_of_their_pair(second: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = second("noise.rotate_channels=false")
    noise = build_noise(cfg)
    dataset = trainer(cfg, monkeypatch).dataset
    for index, row in enumerate(dataset.rows):
        found = dataset[SampleKey(2, index)].noise_BTCHW
        assert found is not None and torch.equal(found[0], noise.entry(row.id))


def test_each_visit_turns_the_channels_and_keeps_the_motion(second: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = second()
    dataset = trainer(cfg, monkeypatch).dataset
    cached = build_noise(cfg).entry(dataset.rows[0].id)
    visits = [dataset[SampleKey(epoch, 0)].noise_BTCHW[0] for epoch in (0, 1)]
    assert not torch.allclose(visits[0], visits[1])
    assert torch.equal(visits[0], dataset[SampleKey(0, 0)].noise_BTCHW[0])
    # A rotation keeps every inner product over channels: between frames, between places.
    products = torch.einsum("tchw,uchw->tuhw", cached, cached)
    for turned in visits:
        assert_same(torch.einsum("tchw,uchw->tuhw", turned, turned), products, Arithmetic(depth=16, terms=16))


def test_the_loss_sees_the_warped_noise(second: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = second("noise.rotate_channels=false", "noise.degradation=0", "training.steps=1")
    noise = build_noise(cfg)
    entries = {row.id: noise.entry(row.id) for row in trainer(cfg, monkeypatch).dataset.rows}
    seen: list[Tensor] = []
    original = trainer_module.velocity_loss

    def watched(model, schedule, batch, noise_BTCHW, *rest):
        seen.append(noise_BTCHW)
        return original(model, schedule, batch, noise_BTCHW, *rest)

    monkeypatch.setattr(trainer_module, "velocity_loss", watched)
    train(cfg)
    assert seen
    for one in torch.cat(seen):
        assert any(torch.equal(one, entry) for entry in entries.values())


def test_it_begins_with_the_weights_of_the_first_pass(second: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = second()
    first = find_checkpoint(Path(cfg.root) / "train")
    begun, expected = trainer(cfg, monkeypatch).transformer.state_dict(), load_transformer(first).state_dict()
    assert all(torch.equal(begun[name], expected[name]) for name in expected)
    train(cfg)
    assert find_checkpoint(Path(cfg.root) / "train-pass2").name == "step-000003"
    assert find_checkpoint(Path(cfg.root) / "train") == first


def test_an_interrupted_second_pass_ends_like_an_uninterrupted_one(
    second: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight, broken = second("training.root=" + str(tmp_path / "a")), second("training.root=" + str(tmp_path / "b"))
    train(straight)
    original = Trainer._log

    def stop(self: Trainer, *arguments) -> None:
        original(self, *arguments)
        if self.step == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "_log", stop)
        train(broken)
    train(broken)
    losses = [[record["loss"] for record in read_metrics(Path(cfg.training.root))] for cfg in (straight, broken)]
    assert losses[0] == losses[1]
    one, other = (load_transformer(find_checkpoint(Path(cfg.training.root))).state_dict() for cfg in (straight, broken))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_validation_uses_the_noise_of_the_held_out_pairs(second: Compose) -> None:
    cfg = second(
        "training.steps=1", "training.validate_every=1", "training.validation_clips=1", "training.validation_steps=1"
    )
    train(cfg)
    samples = Path(cfg.training.root) / "samples" / "step-000001"
    assert (samples / "validation.json").is_file() and len(list(samples.glob("*.mp4"))) == 1


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("noise.degradation=0.1", "noise.degradation is 0.1, was 0.3"),
        ("noise.probability=0.5", "noise.probability is 0.5, was 1.0"),
        ("noise.rotate_channels=false", "noise.rotate_channels is False"),
        ("recipe.noise_degradation=released", "noise.formula is released"),
        ("stage.init_from=null", "stage.init_from is None"),
    ],
)
def test_a_run_does_not_continue_with_other_noise(second: Compose, override: str, named: str) -> None:
    train(second("training.steps=1"))
    with pytest.raises(InputError, match=named):
        train(second("training.steps=2", override))


def test_a_longer_first_pass_is_another_beginning(second: Compose, compose: Compose) -> None:
    train(second("training.steps=1"))
    train(compose("training.steps=2"))
    with pytest.raises(InputError, match=r"stage.init_from is step-000002 of weights .*, was step-000001 of weights"):
        train(second("training.steps=2"))


def test_what_the_second_pass_needs_is_named(compose: Compose) -> None:
    with pytest.raises(InputError, match=r"stage\.init_from=.*train does not exist") as caught:
        train(compose("stage=pass2"))
    assert "void train stage=pass1" in caught.value.remedy
    train(compose("training.steps=1"))
    with pytest.raises(InputError, match="holds no noise"):
        train(compose("stage=pass2", "noise.canvas=4"))
    for stage in ("both", "auto"):
        with pytest.raises(InputError, match=f"stage={stage} is of inference"):
            train(compose(f"stage={stage}"))
