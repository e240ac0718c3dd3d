"""The typed configuration: one root for every command, so that one file in conf/experiment is one published run.

Each room's group is a dataclass beside its code; this module only joins them. A file conf/GROUP/NAME.yaml begins with
`defaults: [schema]`, which makes its keys those of the dataclass: an unknown key or an ill-typed value is an error.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from void.cache.config import CacheConfig
from void.data.config import DataConfig
from void.errors import InputError
from void.evaluation.config import EvalConfig
from void.export.config import ExportConfig
from void.limits import SEED, check_limits
from void.models.config import ModelConfig
from void.models.vae_training.config import VaeTrainingConfig
from void.noise.config import NoiseConfig
from void.pipelines.config import InferConfig
from void.plan.config import PlanConfig
from void.recipe import RecipeConfig
from void.tracking.config import TrackerConfig
from void.training.config import DistributedConfig, StageConfig, TrainingConfig


@dataclass
class VoidConfig:
    """The root. `scene`, `assets`, `executor` are typed by the simulators' package, which registers its dataclasses."""

    name: str = MISSING
    """Name of the run; outputs go to runs/NAME unless `root` says otherwise."""
    root: str = MISSING
    """Folder of everything this run reads and writes."""
    seed: int = 0
    """Seed from which every other seed is derived."""
    device: str = "auto"
    """auto (CUDA when there is one), cpu, cuda or cuda:N."""
    recipe: RecipeConfig = field(default_factory=RecipeConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    stage: StageConfig = field(default_factory=StageConfig)
    data: DataConfig = field(default_factory=DataConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    distributed: DistributedConfig = field(default_factory=DistributedConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    infer: InferConfig = field(default_factory=InferConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    plan: PlanConfig = field(default_factory=PlanConfig)
    vae_training: VaeTrainingConfig = field(default_factory=VaeTrainingConfig)
    gallery: bool = False
    """`void generate`: also write pages that show the pairs and their statistics."""
    scene: Any = None
    assets: Any = None
    executor: Any = None

    def __post_init__(self) -> None:
        check_limits(self, seed=SEED)
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?|\?{3}", self.device):
            raise InputError(f"device={self.device} is not a device", "use auto, cpu, cuda or cuda:N")
        most = self.model.scheduler.get("num_train_timesteps", math.inf)
        steps = {
            "infer.steps": self.infer.steps,
            "infer.pass2.steps": self.infer.pass2.steps,
            "training.validation_steps": self.training.validation_steps,
        }
        for key, value in steps.items():
            if isinstance(value, int) and value > most:
                raise InputError(
                    f"{key} must be at most {most}, the noise levels of the model "
                    f"(model.scheduler.num_train_timesteps), got {value}",
                    f"use 1 to {most}",
                )


GROUPS: dict[str, type] = {
    "recipe": RecipeConfig,
    "model": ModelConfig,
    "stage": StageConfig,
    "data": DataConfig,
    "cache": CacheConfig,
    "noise": NoiseConfig,
    "training": TrainingConfig,
    "distributed": DistributedConfig,
    "tracker": TrackerConfig,
    "infer": InferConfig,
    "eval": EvalConfig,
    "export": ExportConfig,
    "plan": PlanConfig,
    "vae_training": VaeTrainingConfig,
}


@functools.cache
def register() -> None:
    """Give Hydra the dataclass of every group, those of other installed packages included; once a process."""
    store = ConfigStore.instance()
    store.store(name="root_schema", node=VoidConfig)
    for group, node in group_types().items():
        store.store(group=group, name="schema", node=node)


@functools.cache
def group_types() -> dict[str, type]:
    """The dataclass of every config group, those of other installed packages included."""
    return {group: node for entry in entry_points(group="void.configs") for group, node in entry.load().items()}
