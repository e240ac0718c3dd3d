"""The model card of an exported pipeline: README.md with a metadata header."""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from string import Template
from typing import Any

from void.config import VoidConfig
from void.pipelines.weights import Checkpoint

CARD = Template("""\
---
license: apache-2.0
library_name: diffusers
pipeline_tag: video-to-video
${base_line}tags:
- video-inpainting
- object-removal
- counterfactual
---

# VOID ($stage, model $model)

Removes an object from a video together with what the object did to the scene. The input is a clip, a quadmask (what to
remove, what changes because of it, where both overlap, what stays) and a text that describes the scene without the
object. Method: Motamed et al., VOID: Video Object and Interaction Deletion, arXiv 2604.02296.

## Use

```python
import torch
from diffusers import DiffusionPipeline

pipeline = DiffusionPipeline.from_pretrained(
    "$folder", custom_pipeline="pipeline", trust_remote_code=True, dtype=torch.$dtype
)
result = pipeline(
    $text,
    video=clip,  # uint8 (T, H, W, 3) or a list of PIL images; T = 8k+5, sides multiples of 16
    quadmask=quadmask,  # a void.quadmask.Quadmask of the same T, H, W, or its grey values as images
    generator=torch.Generator().manual_seed(42),
).frames[0]
```

This needs the `void` package: `pipeline.py` in this folder does nothing but import its class of pipeline, and the VAE's
class is in it too. `void.pipelines.void_pipeline.VoidPipeline.from_pretrained("$folder")` is the same without remote
code. `void.pipelines.fitting.fit_clip` brings a clip and its mask of any length and size to the model's, and its
`restore` brings the result back. With `output_type="pil"` the result is a list of images, ready for diffusers'
`export_to_video`.

Intended for research on video editing, and for comparison with other methods. The text encoder is $text_encoder.

## What it is

| | |
|---|---|
| base model | $base |
| checkpoint | `$checkpoint`, $steps |
| weights (SHA-256 over files and configuration) | `$sha256` |
| numbers | $dtype |
| mask levels at inference | $mask_levels |
| noise on the input clip | standard deviation $sigma, of pixels in [-1, 1] |
| recipe at export | $recipe: $recipe_keys |

## Limits

The authors of the method name unusual camera angles, subjects very close to the camera, clip length and resolution.
Nobody has measured this export unless a report comes with it; `void eval` makes one.
""")


def model_card(config: VoidConfig, checkpoint: Checkpoint, settings: dict[str, Any], folder: str) -> str:
    """The card's text.

    Args:
        config: gives model, stage, recipe and number format.
        checkpoint: of the transformer.
        settings: arguments of VoidPipeline beside its networks.
        folder: name of the exported folder.
    """
    model, base = config.model, config.model.hub_repository
    with_text = config.export.text_encoder
    encoder = "random" if model.text_encoder_weights is None else "the base model's"
    return CARD.substitute(
        base_line=f"base_model: {base}\n" if base else "",
        base=base or "none",
        stage=config.stage.name.value,
        model=model.name,
        folder=folder,
        dtype=config.export.dtype.value,
        text='prompt="an empty table"' if with_text else "prompt_embeds=embeddings",
        text_encoder=encoder if with_text else f"not included ({encoder})",
        checkpoint=checkpoint.path,
        steps="steps unknown" if checkpoint.step is None else f"{checkpoint.step} steps",
        sha256=checkpoint.sha256,
        mask_levels=settings["mask_levels"],
        sigma=settings["conditioning_sigma"],
        recipe=config.recipe.name,
        recipe_keys=", ".join(
            f"{key.name}={_plain(getattr(config.recipe, key.name))}"
            for key in fields(config.recipe)
            if key.name != "name"
        ),
    )


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
