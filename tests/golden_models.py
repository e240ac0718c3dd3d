"""The tiny models and tensors whose outputs the released code recorded (tests/data/golden/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from void.models.config import ModelConfig

GOLDEN = Path(__file__).parent / "data/golden"


def tensors(name: str, folder: Path = GOLDEN) -> dict[str, Tensor]:
    return load_file(folder / f"{name}.safetensors")


def settings(name: str, folder: Path = GOLDEN) -> dict[str, Any]:
    return json.loads((folder / f"{name}.json").read_text())


def model_config(folder: Path = GOLDEN) -> ModelConfig:
    arguments = settings("config", folder)
    return ModelConfig(
        name="golden",
        transformer=arguments["transformer"],
        vae=arguments["vae"],
        scheduler=arguments["scheduler"],
        text_encoder={"d_model": 24, "d_ff": 32, "d_kv": 8, "num_heads": 2, "num_layers": 1, "vocab_size": 384},
        max_text_tokens=16,
        transformer_weights=str(folder / "transformer.safetensors"),
        vae_weights=str(folder / "vae.safetensors"),
    )
