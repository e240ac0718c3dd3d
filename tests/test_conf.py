"""Every file in conf/ composes, is typed, and describes something that can be built."""

from __future__ import annotations

import copy
import dataclasses
import fnmatch
import json
import math
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from diffusers.optimization import SchedulerType
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from void import limits, shapes
from void.composition import compose_config, compose_raw, conf_dir
from void.config import GROUPS, VoidConfig
from void.errors import InputError
from void.evaluation.baselines import BASELINES
from void.evaluation.config import BASELINE_NAMES
from void.models.build import DTYPES, build_scheduler, build_text_encoder, build_transformer, build_vae
from void.models.config import DTYPE_NAMES
from void.training.config import LrSchedule

HYDRA_OWN = "hydra"
FILES = sorted(conf_dir().rglob("*.yaml"))
CHOICES = [
    f"{path.parent.relative_to(conf_dir())}={path.stem}"
    for path in FILES
    if path.parent != conf_dir() and HYDRA_OWN not in path.relative_to(conf_dir()).parts
]
MODELS = sorted(path.stem for path in (conf_dir() / "model").glob("*.yaml"))
EXPERIMENTS = sorted(path.stem for path in (conf_dir() / "experiment").glob("*.yaml"))


@pytest.fixture(autouse=True)
def clean_hydra() -> None:
    GlobalHydra.instance().clear()


@pytest.mark.parametrize("choice", CHOICES)
def test_every_file_composes_into_typed_config(choice: str) -> None:
    group = choice.split("=")[0]
    config = compose_config([choice])
    assert isinstance(config, VoidConfig)
    if group in GROUPS:
        assert type(getattr(config, group)) is GROUPS[group]
    json.dumps(OmegaConf.to_container(compose_raw([choice]), resolve=True, enum_to_str=True))


@pytest.mark.parametrize("choice", [choice for choice in CHOICES if not choice.startswith("experiment=")])
def test_every_group_file_declares_its_schema(choice: str) -> None:
    group, name = choice.split("=")
    assert "schema" in bases(group, name)


def bases(group: str, name: str) -> set[str]:
    """What a group's file builds on, directly or through another one."""
    listed = yaml.safe_load((conf_dir() / group / f"{name}.yaml").read_text())["defaults"]
    first = listed[0]
    assert listed == [first, "_self_"]
    return {first} if first == "schema" else {first} | bases(group, first)


def test_the_slurm_launcher_composes() -> None:
    config = compose_raw(["hydra/launcher=slurm"])
    assert config.name == "default"


# Keys that may be 0, and those that may be negative; every other number is positive. No key may be nan or infinite.
ZERO_IS_LEGAL = """
    seed *.init_seed infer.seed
    cache.max_failures eval.report_clips executor.gpus executor.retries executor.failure_budget assets.held_out
    model.transformer.dropout model.transformer.freq_shift model.scheduler.steps_offset model.text_encoder.dropout_rate
    noise.probability noise.degradation plan.margin
    training.warmup_steps training.weight_decay training.adam_betas training.text_dropout training.num_workers
    training.validate_every training.validation_clips
    infer.overlap infer.shard infer.feather infer.cache_threshold infer.lora_scale infer.crf
    infer.pass2.morphing_threshold
    vae_training.*_share vae_training.warmup_steps vae_training.decay_steps vae_training.ema_decay vae_training.*_weight
    scene.families.*.share scene.families.*.contact_window scene.families.*.arrival scene.families.*_share
    scene.families.*.friction scene.families.*.restitution scene.families.*.aim_error scene.families.*.camera_gap
    scene.families.*.spin scene.families.falling.drift scene.families.falling.off_centre scene.families.flying.height
    scene.families.variable.remove_two_from scene.families.variable.target_offset scene.families.variable.drop_height
    scene.families.chain.bend scene.families.support.slope scene.families.support.bystanders
    scene.families.barrier.standing scene.families.no_effect.apart
    scene.camera.azimuth scene.camera.height scene.camera.look_at_height scene.camera.orbit scene.camera.handheld_*
    scene.camera.aperture scene.camera.motion_blur scene.light.level scene.light.sun
    scene*.accept.min_* scene*.accept.max_no_effect scene*.accept.agreement scene*.accept.removed_area
    scene*.accept.max_settling scene*.accept.max_overlap scene*.accept.max_sinking
    scene.render.bounces scene.change.*
    scene.human.held_out scene.human.removal_window scene.human.max_hold_error scene.human.room.walls
    scene.human.room.furniture scene.human.room.margin
"""
NEGATIVE_IS_LEGAL = """
    infer.lora_scale scene.families.variable.target_offset scene.families.chain.bend scene.camera.azimuth
    scene.camera.look_at_height
"""


def numeric_keys(config: Any, path: str = "") -> Iterator[tuple[Any, str, str]]:
    """Every key of a typed configuration that holds numbers, or may: its dataclass instance, name and full path."""
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value, full = getattr(config, field.name), f"{path}.{field.name}" if path else field.name
        if dataclasses.is_dataclass(value):
            yield from numeric_keys(value, full)
        elif re.search(r"\b(int|float)\b", str(hints[field.name])):
            yield config, field.name, full


def refused(config: Any, key: str, value: Any, path: str) -> bool:
    """Whether the dataclass that holds the key refuses a value of it, and names the key."""
    bad = copy.copy(config)
    old = getattr(config, key)
    setattr(bad, key, [value] * len(old) if isinstance(old, list | tuple) else value)
    try:
        limits.recheck(bad, path.rpartition(".")[0])
    except InputError as error:
        assert path in error.problem
        assert error.remedy
        return True
    return False


@pytest.mark.parametrize("model", MODELS)
def test_every_number_of_the_configuration_has_a_range(model: str) -> None:
    keys = list(numeric_keys(compose_config([f"model={model}"])))
    assert len(keys) > 200
    for config, key, path in keys:
        for value in (math.nan, math.inf, -math.inf):
            assert refused(config, key, value, path), f"{path}={value} is taken"
        may_be_0 = any(fnmatch.fnmatchcase(path, pattern) for pattern in ZERO_IS_LEGAL.split())
        may_be_negative = path in NEGATIVE_IS_LEGAL.split()
        assert refused(config, key, 0, path) != may_be_0, f"{path}=0"
        assert refused(config, key, -1, path) != may_be_negative, f"{path}=-1"


@pytest.mark.parametrize("network", ["transformer", "vae", "scheduler", "text_encoder"])
def test_every_number_of_a_network_has_a_range(network: str) -> None:
    for name in MODELS:
        model = compose_config([f"model={name}"]).model
        for key, value in getattr(model, network).items():
            if isinstance(value, bool | str):
                continue
            path = f"model.{network}.{key}"
            for bad in (math.nan, -1) if path in ZERO_IS_LEGAL.split() else (math.nan, 0, -1):
                values = getattr(model, network) | {key: [bad] if isinstance(value, list) else bad}
                with pytest.raises(InputError, match=key):
                    dataclasses.replace(model, **{network: values})


def test_choices_by_name_are_those_of_the_code_that_reads_them() -> None:
    usable = {kind.value for kind in SchedulerType if kind is not SchedulerType.PIECEWISE_CONSTANT}
    assert {kind.value for kind in LrSchedule} == usable
    assert set(BASELINE_NAMES) == set(BASELINES)
    assert set(DTYPE_NAMES) == set(DTYPES)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_builds_on_the_meta_device(model: str) -> None:
    config = compose_config([f"model={model}"]).model
    for build in (build_transformer, build_vae, build_text_encoder):
        parameters = list(build(config, meta=True).parameters())
        assert parameters
        assert all(parameter.is_meta for parameter in parameters)
    assert build_scheduler(config).config["prediction_type"] == "v_prediction"


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_has_a_legal_geometry(experiment: str) -> None:
    config = compose_config([f"experiment={experiment}"])
    shapes.check_frames(config.data.frames, "data.frames")
    shapes.check_size(config.data.height, config.data.width, "data")
    assert config.root == f"runs/{config.name}"
    assert Path(config.data.root).parts[:2] == ("runs", config.name)


def test_no_two_experiments_train_into_one_folder() -> None:
    roots = [compose_config([f"experiment={experiment}"]).training.root for experiment in EXPERIMENTS]
    assert len(set(roots)) == len(roots)
