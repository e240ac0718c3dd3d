"""The trainer end to end at toy size: it learns, continues bit for bit, refuses what it must."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from toy import TOY_HEIGHT, TOY_WIDTH, toy_overrides

from void.cache.store import open_cache
from void.config import VoidConfig
from void.errors import InputError
from void.files import read_json
from void.ledger import LEDGER
from void.models.checkpoints import find_checkpoint, load_transformer
from void.recipe import Posterior
from void.tracking.metrics_file import read_metrics
from void.training import trainer as trainer_module
from void.training.distributed import build_accelerator
from void.training.trainer import Trainer, train
from void.video import probe

Compose = Callable[..., VoidConfig]
TIMINGS = ("step_seconds", "data_wait", "samples_per_second", "memory_gib")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def compose(toy_config: Compose, toy_cache: Path, tmp_path: Path) -> Compose:
    """A run named by its first argument: 6 steps, a checkpoint every 2, no validation."""

    def compose_run(name: str, *overrides: str) -> VoidConfig:
        defaults = [
            "training.steps=6",
            "training.checkpoint_every=2",
            "training.log_every=1",
            "training.validate_every=0",
        ]
        return toy_config(f"cache.root={toy_cache}", f"training.root={tmp_path}/{name}", *defaults, *overrides)

    return compose_run


def records(cfg: VoidConfig) -> list[dict[str, Any]]:
    found = read_metrics(Path(cfg.training.root))
    return [{key: value for key, value in record.items() if key not in TIMINGS} for record in found]


def weights(cfg: VoidConfig) -> dict[str, torch.Tensor]:
    folder = find_checkpoint(Path(cfg.training.root))
    return load_file(folder / "transformer" / "diffusion_pytorch_model.safetensors")


def assert_same_run(one: VoidConfig, other: VoidConfig) -> None:
    assert records(one) == records(other)
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def stop_after(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Interrupt the next run when it has logged `step`."""
    original = Trainer._log

    def log_and_stop(self: Trainer, *args: Any) -> None:
        original(self, *args)
        if self.step == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "_log", log_and_stop)


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        (
            "training.gradient_accumulation=2",
            "training.ema_decay=0.9",
            "training.optimizer=came",
            "training.num_workers=1",
        ),
        ("training.log_every=4", "training.checkpoint_every=3", "training.gradient_checkpointing=true"),
        ("+model.transformer.dropout=0.2", "training.num_workers=1", "training.optimizer=came"),
        ("training.validate_every=1", "training.validation_clips=0"),
    ],
    ids=["plain", "accumulation-ema-came-worker", "window-over-checkpoint", "dropout", "validation-between"],
)
def test_an_interrupted_run_ends_like_an_uninterrupted_one(
    compose: Compose, monkeypatch: pytest.MonkeyPatch, overrides: tuple[str, ...]
) -> None:
    straight, broken = compose("straight", *overrides), compose("broken", *overrides)
    train(straight)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, 5 if straight.training.log_every == 1 else 4)
        train(broken)
    assert find_checkpoint(Path(broken.training.root)).name in ("step-000004", "step-000003")
    train(broken)
    assert_same_run(straight, broken)


def test_a_killed_process_leaves_nothing_that_a_rerun_would_trust(
    compose: Compose, toy_data: Path, toy_cache: Path, tmp_path: Path
) -> None:
    straight, broken = compose("straight", "training.steps=12"), compose("broken", "training.steps=12")
    train(straight)
    root = Path(broken.training.root)
    overrides = [
        *toy_overrides(toy_data, tmp_path / "run"),
        *(f"cache.root={toy_cache}", f"training.root={root}", "training.steps=12", "training.checkpoint_every=2"),
        *("training.log_every=1", "training.validate_every=0"),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    process = subprocess.Popen([sys.executable, REPOSITORY / "train.py", *overrides], cwd=tmp_path, env=environment)
    while not (root / "checkpoints" / "step-000004").is_dir():
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (root / "checkpoints" / "step-000012").exists()
    train(broken)
    assert_same_run(straight, broken)
    assert not [path for path in (root / "checkpoints").iterdir() if path.name.startswith(".")]


def test_a_finished_run_does_nothing(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = compose("run", "training.steps=2")
    train(cfg)
    before = {path: path.stat().st_mtime_ns for path in Path(cfg.training.root).rglob("*")}

    def no_trainer(*_: object) -> None:
        raise AssertionError("a trainer was built")

    monkeypatch.setattr(trainer_module, "Trainer", no_trainer)
    train(cfg)
    assert {path: path.stat().st_mtime_ns for path in Path(cfg.training.root).rglob("*")} == before


def test_more_steps_continue_and_fewer_are_refused(compose: Compose) -> None:
    train(compose("run", "training.steps=4"))
    longer = compose("run", "training.steps=6")
    train(longer)
    assert [record["step"] for record in records(longer)] == [1, 2, 3, 4, 5, 6]
    with pytest.raises(InputError, match=r"step-000006 is beyond training.steps = 5"):
        train(compose("run", "training.steps=5"))


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("training.learning_rate=0.5", r"training.learning_rate is 0.5, was 0.001"),
        ("seed=3", "seed is 3, was 0"),
        ("model.transformer.num_layers=2", r"model.transformer.num_layers is 2, was 1"),
        ("training.batch_size=1", r"training.batch_size is 1, was 2"),
        ("recipe.condition_posterior=sample", r"recipe.condition_posterior is sample, was mode"),
        ("recipe.schedule_dtype=bfloat16", r"recipe.schedule_dtype is bfloat16, was float32"),
        ("recipe.clip_gradients=false", r"recipe.clip_gradients is False, was True"),
        ("recipe.lr_horizon_per_process=true", r"recipe.lr_horizon_per_process is True, was False"),
        ("recipe.mask_expansion=zero", r"recipe.mask_expansion is zero, was mean"),
    ],
)
def test_a_changed_value_that_matters_is_refused_by_name(
    compose: Compose, toy_config: Compose, monkeypatch: pytest.MonkeyPatch, override: str, named: str
) -> None:
    train(compose("run", "training.steps=1", "training.learning_rate=0.001"))
    with pytest.raises(InputError, match=named):
        train(compose("run", "training.learning_rate=0.001", override))


def test_what_surrounds_the_steps_may_change(compose: Compose) -> None:
    train(compose("run", "training.steps=2"))
    changed = compose("run", "training.steps=4", "training.log_every=2", "training.num_workers=1", "tracker=none")
    train(changed)
    assert [record["step"] for record in records(changed)] == [1, 2, 4]


def test_checkpoints_hold_what_they_say_and_the_oldest_go(compose: Compose) -> None:
    cfg = compose("run")
    train(cfg)
    folder = Path(cfg.training.root) / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == ["step-000004", "step-000006"]
    newest = find_checkpoint(Path(cfg.training.root))
    assert sorted(path.name for path in newest.iterdir()) == [LEDGER, "state", "trainer.json", "transformer"]
    described = read_json(newest / "trainer.json")
    assert described["step"] == 6
    assert described["config"]["training"]["batch_size"] == 2
    assert set(described["hashes"]) == {"transformer/config.json", "transformer/diffusion_pytorch_model.safetensors"}
    assert all(
        torch.equal(tensor, weights(cfg)[name]) for name, tensor in load_transformer(newest).state_dict().items()
    )


def test_a_stage_starts_from_the_checkpoint_it_is_given(compose: Compose) -> None:
    first = compose("first", "training.steps=1")
    train(first)
    start = find_checkpoint(Path(first.training.root))
    second = compose("second", "training.steps=1", "training.learning_rate=1e-12", f"stage.init_from={start}")
    train(second)
    for name, tensor in weights(second).items():
        torch.testing.assert_close(tensor, weights(first)[name], rtol=0, atol=1e-9)


def test_the_moving_average_is_what_inference_loads(compose: Compose) -> None:
    cfg = compose("run", "training.ema_decay=0.9", "training.steps=4")
    train(cfg)
    raw = load_file(find_checkpoint(Path(cfg.training.root)) / "state" / "model.safetensors")
    assert any(not torch.equal(tensor, raw[name]) for name, tensor in weights(cfg).items())


def test_a_loss_that_is_not_finite_stops_and_saves_nothing_of_it(compose: Compose) -> None:
    cfg = compose("run", "training.learning_rate=1e30", "training.warmup_steps=0", "training.lr_schedule=constant")
    with pytest.raises(InputError, match=r"the (loss|gradient norm) is (nan|inf) at step \d") as stopped:
        train(cfg)
    assert "training.learning_rate" in stopped.value.remedy
    folder = Path(cfg.training.root) / "checkpoints"
    saved = [load_transformer(path) for path in folder.iterdir()] if folder.is_dir() else []
    assert all(parameter.isfinite().all() for model in saved for parameter in model.parameters())
    assert all(record["loss"] < float("inf") for record in records(cfg))


def test_gradients_are_clipped(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []
    original = torch.optim.AdamW.step

    def recording(self: torch.optim.AdamW, *args: Any, **kwargs: Any) -> Any:
        gradients = [parameter.grad for group in self.param_groups for parameter in group["params"]]
        norms.append(torch.nn.utils.get_total_norm([gradient for gradient in gradients if gradient is not None]).item())
        return original(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", recording)
    cfg = compose("run", "training.steps=2", "training.max_grad_norm=0.01")
    train(cfg)
    assert norms == pytest.approx([0.01, 0.01], rel=1e-3)
    assert all(record["grad_norm"] > 0.1 for record in records(cfg))


def test_gradient_checkpointing_recomputes_and_changes_no_loss(
    compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers.models.transformers.cogvideox_transformer_3d import CogVideoXBlock

    calls: list[int] = []
    original = CogVideoXBlock.forward

    def counting(self: CogVideoXBlock, *args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(CogVideoXBlock, "forward", counting)
    losses, counts = [], []
    for name, value in (("off", "false"), ("on", "true")):
        calls.clear()
        cfg = compose(name, "training.steps=2", f"training.gradient_checkpointing={value}")
        train(cfg)
        losses.append([record["loss"] for record in records(cfg)])
        counts.append(len(calls))
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert counts[1] == 2 * counts[0]


def test_validation_writes_loss_and_videos_and_disturbs_nothing(compose: Compose) -> None:
    plain, watched = compose("plain"), compose("watched", "training.validate_every=4", "training.validation_steps=2")
    train(plain)
    train(watched)
    assert all(torch.equal(tensor, weights(plain)[name]) for name, tensor in weights(watched).items())
    samples = Path(watched.training.root) / "samples"
    assert sorted(path.name for path in samples.iterdir()) == ["step-000004", "step-000006"]
    info = probe(samples / "step-000006" / "toy-3.mp4")
    assert (info.frames, info.height, info.width) == (5, TOY_HEIGHT, 4 * TOY_WIDTH)
    found = [record for record in records(watched) if record["kind"] == "validation"]
    assert [record["step"] for record in found] == [4, 6]
    assert read_json(samples / "step-000004" / "validation.json")["loss"] == found[0]["loss"]
    assert len(found[0]["loss_by_timestep"]) == 8


def test_a_validation_cut_short_is_made_up_for(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    overrides = ("training.validate_every=2", "training.validation_steps=1", "training.steps=4")
    straight, broken = compose("straight", *overrides), compose("broken", *overrides)
    train(straight)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("void.training.validation.Validator.write_videos", interrupted)
        train(broken)
    train(broken)
    assert_same_run(straight, broken)
    assert sorted(path.name for path in (Path(broken.training.root) / "samples").iterdir()) == [
        "step-000002",
        "step-000004",
    ]


def test_gradients_are_clipped_only_where_the_recipe_says_so(compose: Compose) -> None:
    moved: dict[str, float] = {}
    for name, clip, limit in (("free", "false", 1e-9), ("wide", "true", 1e9), ("tight", "true", 1e-9)):
        # The step of Adam is the gradient's sign until epsilon dwarfs the gradient.
        overrides = ("training.steps=1", "training.adam_epsilon=1.0", f"recipe.clip_gradients={clip}")
        cfg = compose(name, *overrides, f"training.max_grad_norm={limit}")
        start = Trainer(cfg, open_cache(cfg), {}, build_accelerator(cfg)).transformer.state_dict()
        before = {key: tensor.clone() for key, tensor in start.items()}
        train(cfg)
        assert records(cfg)[0]["grad_norm"] > 1e-3
        moved[name] = sum((tensor - before[key]).abs().sum().item() for key, tensor in weights(cfg).items())
    assert moved["free"] == pytest.approx(moved["wide"], rel=1e-5)
    assert moved["tight"] < 1e-3 * moved["free"]


def test_recipes_keys_reach_the_trainer(compose: Compose) -> None:
    cfg = compose("run", "recipe=released")
    trainer = Trainer(cfg, open_cache(compose("run")), {}, build_accelerator(cfg))
    assert trainer.schedule.alphas_cumprod.dtype == torch.bfloat16
    assert set(trainer.dataset.posteriors.values()) == {Posterior.sample}
    corrected = Trainer(compose("run"), open_cache(compose("run")), {}, build_accelerator(cfg))
    assert corrected.schedule.alphas_cumprod.dtype == torch.float32
    assert corrected.dataset.posteriors == {
        "target": Posterior.sample,
        "mask": Posterior.mode,
        "input": Posterior.mode,
    }


def test_keys_of_inference_may_change(compose: Compose) -> None:
    train(compose("run", "training.steps=1"))
    train(compose("run", "training.steps=2", "recipe.aspect=stretch", "recipe.latents_dtype=bfloat16"))
    assert len(records(compose("run"))) == 2


def test_it_learns(compose: Compose) -> None:
    cfg = compose(
        "run",
        *("training.steps=60", "training.learning_rate=3e-3", "training.warmup_steps=5", "training.log_every=10"),
        *("training.checkpoint_every=60", "recipe.condition_posterior=mode"),
    )
    train(cfg)
    losses = [record["loss"] for record in records(cfg)]
    assert losses[-1] < 0.75 * losses[0]


def test_several_processes_need_a_launcher_and_one_kind(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="distributed=ddp without a launcher") as alone:
        train(compose("run", "distributed=ddp"))
    assert "torchrun --standalone" in alone.value.remedy
    monkeypatch.setitem(os.environ, "WORLD_SIZE", "2")
    with pytest.raises(InputError, match="distributed=single, but 2 processes were launched"):
        train(compose("run"))


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("training.batch_size=0", "training.batch_size must be at least 1, got 0"),
        ("training.text_dropout=1.5", "training.text_dropout must be between 0 and 1, got 1.5"),
        ("training.max_grad_norm=0", "training.max_grad_norm must be greater than 0, got 0"),
        ("training.lr_schedule=cosinus", "training.lr_schedule=cosinus: .*expected one of .*cosine"),
        ("training.ema_decay=1", "training.ema_decay must be greater than 0 and less than 1, or null, got 1"),
    ],
)
def test_senseless_values_are_refused(compose: Compose, override: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        compose("run", override)


def test_training_without_a_cache_names_the_command(compose: Compose, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no latent cache") as absent:
        train(compose("run", f"cache.root={tmp_path}/nowhere"))
    assert "void cache" in absent.value.remedy
