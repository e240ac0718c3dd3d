"""Every file in conf/ composes, is typed, and describes something that can be built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from void import shapes
from void.composition import compose_config, compose_raw, conf_dir
from void.config import GROUPS, VoidConfig
from void.models.build import build_scheduler, build_text_encoder, build_transformer, build_vae

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
