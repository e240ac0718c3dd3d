"""The tiny models and tensors whose outputs the released code recorded (tests/golden/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from void.models.config import ModelConfig

GOLDEN = Path(__file__).parent / "golden"


def tensors(name: str) -> dict[str, Tensor]:
    return load_file(GOLDEN / f"{name}.safetensors")


def settings(name: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def model_config() -> ModelConfig:
    arguments = settings("config")
    return ModelConfig(
        name="golden",
        transformer=arguments["transformer"],
        vae=arguments["vae"],
        scheduler=arguments["scheduler"],
        text_encoder={"d_model": 24, "d_ff": 32, "d_kv": 8, "num_heads": 2, "num_layers": 1, "vocab_size": 384},
        max_text_tokens=16,
        transformer_weights=str(GOLDEN / "transformer.safetensors"),
        vae_weights=str(GOLDEN / "vae.safetensors"),
    )
