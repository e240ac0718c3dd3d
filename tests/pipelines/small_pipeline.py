"""A small VoidPipeline and the calls that tests of the pipeline share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from golden_models import model_config

from void.models.build import build_scheduler, build_text_encoder, build_tokenizer, build_transformer, build_vae
from void.pipelines.void_pipeline import VoidPipeline
from void.quadmask import Quadmask

FRAMES, HEIGHT, WIDTH = 5, 32, 48


CALL: dict[str, Any] = {"prompt": "a floor", "num_inference_steps": 2}
LATENTS = CALL | {"output_type": "latent"}


def build() -> VoidPipeline:
    model = model_config()
    parts = (build_scheduler(model), build_tokenizer(model), build_text_encoder(model))
    made = VoidPipeline(build_transformer(model).eval(), build_vae(model), *parts)
    made.set_progress_bar_config(disable=True)
    return made


def clip(seed: int = 0, frames: int = FRAMES, height: int = HEIGHT, width: int = WIDTH) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    primary_THW = np.zeros((frames, height, width), bool)
    primary_THW[:, 8:16, 8 : 24 + seed] = True
    video = rng.integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    return {"video": video, "quadmask": Quadmask(primary_THW, np.roll(primary_THW, 8, axis=1))}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
