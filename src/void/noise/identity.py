"""What noise depends on, in a form that keys and headers hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from void.files import sha256_file
from void.noise.config import FlowMethod, NoiseConfig
from void.recipe import RecipeConfig


def noise_settings(config: NoiseConfig, recipe: RecipeConfig) -> dict[str, Any]:
    """What noise depends on besides its clip, seed and geometry, as JSON. Weights are known by content."""
    settings: dict[str, Any] = {
        "flow": config.flow.value,
        "flow_downscale": config.flow_downscale,
        "canvas": config.canvas,
        "carry_offsets": config.carry_offsets,
        "warp": recipe.noise_warp.value,
    }
    if config.flow is FlowMethod.raft:
        weights = config.raft_weights
        settings["raft_weights"] = None if weights is None else sha256_file(Path(weights))
    return settings
