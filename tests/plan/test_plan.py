"""The plan: against the spec's sums, from the command line, and what bad values are answered with."""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from void.cli import commands, main
from void.composition import compose_config
from void.config import VoidConfig
from void.errors import InputError
from void.files import read_json
from void.ledger import LEDGER
from void.pipelines.config import Memory
from void.plan import estimate as estimate_module
from void.plan.config import PlanSubject
from void.plan.estimate import InferencePlan, Plan, TrainingPlan, estimate
from void.plan.gpus import GPUS, find_gpu
from void.plan.inference import CONTEXT_GIB, inference_compute
from void.plan.report import show
from void.plan.subject import subject_of
from void.plan.training import step_tflop
from void.training.config import DistributedKind, Optimizer, Precision

FULL_SIZE = ("model=cogvideox_fun_5b", "data.frames=85", "data.height=384", "data.width=672")
TINY = ("model=tiny", "data.frames=21", "data.height=32", "data.width=48")
# Decimal gigabytes, in which the published estimates are given.
GB = 2**30 / 1e9


composed = functools.cache(lambda *overrides: compose_config(list(overrides)))


def configuration(*overrides: str, **values: Any) -> VoidConfig:
    """A composed configuration with single values changed: `GROUP__KEY=value`. Composing again would take longer."""
    cfg = copy.deepcopy(composed(*overrides))
    for name, value in values.items():
        group, key = name.split("__")
        assert hasattr(getattr(cfg, group), key)
        setattr(getattr(cfg, group), key, value)
    return cfg


def sampling(plan: Plan) -> InferencePlan:
    assert plan.inference is not None
    return plan.inference


def training(plan: Plan) -> TrainingPlan:
    assert plan.training is not None
    return plan.training


@pytest.fixture(scope="module")
def published() -> Plan:
    return estimate(configuration("experiment=paper_pass1"))


@pytest.fixture(scope="module")
def tiny() -> Plan:
    return estimate(configuration(*TINY))


def test_geometry(published: Plan) -> None:
    assert published.latents == (22, 16, 48, 84)
    assert published.video_tokens + published.text_tokens == 11_314
    assert sampling(published).compute.windows == [22]


@pytest.mark.parametrize(("steps", "guidance", "petaflop"), [(30, 1.0, 5.2), (50, 6.0, 17.4)])
def test_published_sums_of_a_denoising_run(steps: int, guidance: float, petaflop: float) -> None:
    cfg = configuration(*FULL_SIZE, infer__steps=steps, infer__guidance_scale=guidance)
    assert inference_compute(cfg).denoise / 1000 == pytest.approx(petaflop, rel=0.01)


def test_the_second_pass_has_steps_and_guidance_of_its_own() -> None:
    override = ("infer.pass2.steps=7", "infer.pass2.guidance_scale=6", "infer.steps=3")
    first, second = (estimate(configuration(*TINY, f"stage={stage}", *override)) for stage in ("pass1", "pass2"))
    assert (first.stage, second.stage) == ("pass1", "pass2")
    assert sampling(second).compute.denoise == pytest.approx(7 * 2 / 3 * sampling(first).compute.denoise)
    with pytest.raises(InputError, match="stage=both: a plan is of one pass"):
        estimate(configuration(*TINY, "stage=both"))


def test_a_long_clip_is_planned_in_windows() -> None:
    one = inference_compute(configuration(*FULL_SIZE))
    several = inference_compute(configuration(*FULL_SIZE, data__frames=197))
    assert several.windows == [22, 22, 14]
    assert several.forward == one.forward
    # Two whole windows and a shorter one.
    assert 2 * one.denoise < several.denoise < 2.7 * one.denoise
    whole = inference_compute(configuration(*FULL_SIZE, data__frames=197, infer__window=197))
    assert whole.windows == [50]
    assert whole.denoise > several.denoise


def test_windows_share_a_batch_unless_told_otherwise() -> None:
    long = {"data__frames": 53, "infer__window": 29, "infer__overlap": 16, "infer__guidance_scale": 2.0}
    together = sampling(estimate(configuration(*TINY, **long))).activations
    apart = sampling(estimate(configuration(*TINY, **long, infer__windows_per_batch=1))).activations
    assert (together.batch, apart.batch) == (4, 2)
    assert together.transformer == pytest.approx(2 * apart.transformer, rel=0.05)


def test_each_memory_mode_holds_no_more_than_the_one_before(published: Plan) -> None:
    peaks = {(mode.memory, mode.fp8): mode for mode in sampling(published).modes}
    assert len(peaks) == 2 * len(Memory)
    for fp8 in (False, True):
        rows = [peaks[memory, fp8] for memory in Memory]
        for before, after in itertools.pairwise(rows):
            assert after.denoise <= before.denoise
            assert after.decode <= before.decode
    for memory in Memory:
        assert peaks[memory, True].denoise <= peaks[memory, False].denoise


def test_the_terms_of_full_memory_are_those_of_the_networks(published: Plan) -> None:
    full, activations = sampling(published).modes[0], sampling(published).activations
    weights = published.transformer.gib + published.vae.gib
    assert full.memory is Memory.full and not full.fp8
    assert full.denoise == pytest.approx(weights + activations.transformer + CONTEXT_GIB)
    assert full.decode == pytest.approx(weights + activations.vae.decode + CONTEXT_GIB)
    assert full.text == pytest.approx(published.text_encoder.gib + activations.text + CONTEXT_GIB)
    assert full.peak == max(full.text, full.encode, full.denoise, full.decode)


def test_zero_2_over_eight_is_the_published_estimate(published: Plan) -> None:
    memory = {item.kind: item for item in training(published).memory}[DistributedKind.deepspeed]
    assert memory.weights * GB == pytest.approx(11.1, rel=0.01)
    assert memory.gradients * GB == pytest.approx(1.4, rel=0.01)
    assert memory.optimizer * GB == pytest.approx(8.4, rel=0.01)
    assert memory.buckets * GB == pytest.approx(3, rel=0.01)


def test_training_terms_follow_the_configuration() -> None:
    def memory(kind: DistributedKind, **values: Any) -> dict[str, float]:
        plan = estimate(configuration(*TINY, training__mixed_precision=Precision.bf16, **values))
        (found,) = (item for item in training(plan).memory if item.kind is kind)
        return vars(found)

    one = memory(DistributedKind.single)
    assert one["weights"] == one["gradients"] == 2 * one["casts"] == one["optimizer"] / 2
    assert memory(DistributedKind.single, training__optimizer=Optimizer.came)["optimizer"] == one["optimizer"] / 2
    assert memory(DistributedKind.single, training__ema_decay=0.99)["moving_average"] == one["weights"]
    assert memory(DistributedKind.ddp)["buckets"] == one["gradients"]
    checkpointed = memory(DistributedKind.single, training__gradient_checkpointing=True)
    assert checkpointed["activations"] < 0.8 * one["activations"]
    zero = memory(DistributedKind.deepspeed, plan__processes=4)
    assert zero["gradients"] == zero["weights"] / 4
    assert zero["optimizer"] == pytest.approx(6 * zero["weights"] / 4)
    assert memory(DistributedKind.deepspeed, distributed__zero_stage=1)["gradients"] == zero["weights"]
    assert memory(DistributedKind.deepspeed, distributed__offload_optimizer=True)["optimizer"] == 0
    assert memory(DistributedKind.single, training__validate_every=0)["validation"] == 0


def test_checkpointing_costs_a_fourth_pass() -> None:
    plain, checkpointed = (
        step_tflop(configuration(*FULL_SIZE, training__batch_size=2, training__gradient_checkpointing=value))
        for value in (False, True)
    )
    assert plain == pytest.approx(2 * 521, rel=0.001)
    assert checkpointed == pytest.approx(4 / 3 * plain)


def test_seconds_are_work_over_the_assumed_share_of_the_peak(tiny: Plan) -> None:
    assert tiny.seconds(312 * 0.35 * 10) == pytest.approx(10)
    assert tiny.as_json()["inference"]["seconds_per_clip"] == tiny.seconds(sampling(tiny).compute.total)
    assert tiny.as_json()["training"]["seconds_per_step"] == tiny.seconds(training(tiny).tflop)


def test_float32_is_warned_of(tiny: Plan, published: Plan) -> None:
    assert [warning.split()[0] for warning in tiny.warnings] == ["Sampling", "Training"]
    assert published.warnings == []
    (tiled,) = estimate(configuration("experiment=paper_pass1", data__frames=5, infer__vae_tiling=True)).warnings
    assert "untiled" in tiled


@pytest.mark.parametrize("name", GPUS)
def test_every_gpu_is_found_by_its_name(name: str) -> None:
    gpu = find_gpu(name.upper())
    assert gpu.name == name
    assert gpu.memory_gib >= 24 and gpu.bf16_tflops >= 71 and gpu.source


def counting(*_: Any, **__: Any) -> None:
    raise AssertionError("the networks are counted")


@pytest.mark.parametrize(
    ("key", "value", "problem", "remedy"),
    [
        ("plan__gpu", "a100", "plan.gpu=a100", "did you mean a100-80gb"),
        ("plan__gpu", "abacus", "plan.gpu=abacus", "h100-sxm, h200, l40s"),
        ("plan__mfu", 35.0, "plan.mfu must be greater than 0 and at most 1, got 35", "at most 1"),
        ("plan__mfu", 0.0, "plan.mfu must be greater than 0 and at most 1, got 0", "above 0"),
        ("plan__margin", 1.0, "plan.margin must be at least 0 and less than 1, got 1", "0.06 is usual"),
        ("plan__margin", -0.1, "plan.margin must be at least 0 and less than 1, got -0.1", "0.06 is usual"),
        ("plan__processes", 0, "plan.processes must be at least 1, got 0", "1 or more"),
        ("infer__steps", 0, "infer.steps must be at least 1, got 0", "1 or more"),
        ("infer__steps", 5000, "infer.steps must be at most 1000", "use 1 to 1000"),
        ("infer__guidance_scale", float("nan"), "infer.guidance_scale must be a finite number, got nan", "use 1"),
        ("infer__windows_per_batch", 0, "infer.windows_per_batch must be at least 1, got 0", "1 or more"),
        ("infer__guidance_scale", 0.5, "infer.guidance_scale must be at least 1, got 0.5", "use 1"),
        ("infer__window", 80, "infer.window = 80", "77 or 85"),
        ("infer__overlap", 20, "infer.overlap = 20", "16 or 24"),
        ("data__frames", 84, "data.frames = 84", "77 or 85"),
        ("data__frames", 0, "data.frames = 0", "use 5"),
        ("data__height", 100, "data.height must be a positive multiple of 16, got 100", "96 or 112"),
        ("model__dtype", "int8", "model.dtype must be one of float32, bfloat16, got int8", "float32, bfloat16"),
        ("distributed__zero_stage", 3, "distributed.zero_stage must be between 1 and 2, got 3", "1 or 2"),
        ("training__batch_size", 0, "training.batch_size must be at least 1, got 0", "1 or more"),
    ],
)
def test_a_bad_value_is_named_with_a_remedy_before_the_count(
    key: str, value: Any, problem: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate_module, "build_vae", counting)
    with pytest.raises(InputError) as caught:
        estimate(configuration(*TINY, **{key: value}))
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


def test_the_page_shows_what_the_command_prints(published: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    show(published)
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    page = Path(__file__).parents[2] / "docs" / "plan.md"
    (shown,) = re.findall(r"```text\n(.*?)```", page.read_text(), re.DOTALL)
    assert [line for line in shown.splitlines() if line.strip()] == printed


def test_the_command_prints_the_plan_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plans" / "tiny.json"
    cfg = configuration("model=tiny", plan__gpu="rtx4090", plan__json=str(file))
    commands()["plan"].run(cfg)
    printed = capsys.readouterr().out
    assert "240 tokens" in printed
    assert "assumed, not measured" in printed
    assert all(memory.value in printed for memory in Memory)
    written = read_json(file)
    assert written["gpu"]["name"] == "rtx4090"
    assert written["video_tokens"] == 144
    assert written == json.loads(json.dumps(estimate(cfg, PlanSubject.inference).as_json()))
    assert {path.name for path in file.parent.iterdir()} - {LEDGER} == {file.name}
    # Its own file is written anew.
    commands()["plan"].run(cfg)


def test_what_leaves_no_margin_does_not_fit(tiny: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    (mode, *_), gpu = sampling(tiny).modes, tiny.gpu
    for memory_gib, margin, fits, verdict in (
        (mode.peak / 0.93, 0.06, True, "fits"),
        (mode.peak / 0.95, 0.06, False, "tight"),
        (mode.peak / 0.95, 0.04, True, "fits"),
        (mode.peak / 1.01, 0.06, False, "over"),
        (mode.peak, 0.0, True, "fits"),
    ):
        one = dataclasses.replace(sampling(tiny), modes=[mode])
        card = dataclasses.replace(gpu, memory_gib=memory_gib)
        plan = dataclasses.replace(tiny, gpu=card, margin=margin, inference=one, training=None)
        assert plan.fits(mode.peak) is fits
        assert plan.as_json()["inference"]["modes"][0]["fits"] is fits
        show(plan)
        row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(" full "))
        assert row.rstrip().endswith(verdict)
    assert configuration(*TINY).plan.margin == 0.06


@pytest.mark.parametrize(
    ("overrides", "subject"),
    [
        (["model=cogvideox_fun_5b", "data.frames=85", "plan.gpu=rtx4090"], "inference"),
        ([], "inference"),
        (["infer.fp8=true"], "inference"),
        (["experiment=paper_pass1"], "both"),
        (["experiment=paper_pass1", "infer.steps=50"], "inference"),
        (["experiment=paper_pass1", "plan.processes=16"], "training"),
        (["training.batch_size=2"], "training"),
        (["distributed=deepspeed"], "training"),
        (["distributed.zero_stage=1", "infer.steps=5"], "both"),
        (["+training.steps=1"], "training"),
        (["inference.steps=1", "trainings=1"], "inference"),
    ],
)
def test_a_plan_is_about_what_the_command_line_names(overrides: list[str], subject: str) -> None:
    assert subject_of(PlanSubject.auto, overrides) == subject
    assert subject_of(PlanSubject.training, overrides) == PlanSubject.training


def test_a_question_about_one_thing_gets_no_answer_about_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for subject, absent in (("inference", "raining"), ("training", "infer.memory")):
        plan = estimate(configuration(*TINY), PlanSubject(subject))
        show(plan)
        assert absent not in capsys.readouterr().out
        other = "training" if subject == "inference" else "inference"
        assert plan.as_json()[other] is None and plan.as_json()[subject] is not None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["void", "plan", *TINY])
    main()
    assert "raining" not in capsys.readouterr().out


def test_a_plan_replaces_no_file_of_another_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate_module, "build_vae", counting)
    notes = tmp_path / "notes.json"
    notes.write_text('{"mine": 1}')
    (tmp_path / "file").write_text("text")
    for path, problem in (
        (notes, "is not a plan"),
        (tmp_path, "is a folder"),
        (tmp_path / "file" / "plan.json", "cannot be written"),
    ):
        with pytest.raises(InputError, match=problem):
            commands()["plan"].run(configuration(*TINY, plan__json=str(path)))
    assert notes.read_text() == '{"mine": 1}'
