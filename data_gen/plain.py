"""Configuration as plain data, on its way to a worker process and back."""

from __future__ import annotations

from typing import Any

from omegaconf import OmegaConf

from data_gen.config import SceneConfig


def as_dict(config: Any) -> dict[str, Any]:
    """A configuration dataclass as nested dicts and lists."""
    described = OmegaConf.to_container(OmegaConf.structured(config))
    assert isinstance(described, dict)
    return {str(key): value for key, value in described.items()}


def scene_config(described: dict[str, Any]) -> SceneConfig:
    """The inverse of `as_dict`."""
    config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(SceneConfig), described))
    assert isinstance(config, SceneConfig)
    return config
