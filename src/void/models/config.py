"""Configuration of the networks: constructor arguments of diffusers' and transformers' classes, and weight files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

FILELESS_TOKENIZER = "byt5"


@dataclass
class ModelConfig:
    """One model: the transformer, its VAE and its text encoder."""

    name: str = MISSING
    transformer: dict[str, Any] = field(default_factory=dict)
    """Arguments of diffusers' CogVideoXTransformer3DModel."""
    vae: dict[str, Any] = field(default_factory=dict)
    """Arguments of diffusers' AutoencoderKLCogVideoX."""
    scheduler: dict[str, Any] = field(default_factory=dict)
    """Arguments of diffusers' DDIMScheduler."""
    text_encoder: dict[str, Any] = field(default_factory=dict)
    """Arguments of transformers' T5Config."""
    tokenizer: str = FILELESS_TOKENIZER
    """byt5 (needs no file) or the folder of a T5 tokenizer."""
    max_text_tokens: int = MISSING
    """Prompts are padded or cut to this many tokens."""
    conditioning_noise: bool = False
    """Whether the input clip gets pixel noise before it is encoded (the base model's `add_noise_in_inpaint_model`)."""
    hub_repository: str | None = None
    """Where the files come from: messages about a missing one show the `hf download` line."""
    weights_root: str | None = None
    """Local folder of that download."""
    released_repository: str | None = None
    """Where the released fine-tunes of this model come from."""
    released_root: str | None = None
    """Local folder of that download."""
    released_files: dict[str, str] = field(default_factory=dict)
    """Its file of each stage. infer.checkpoint=FILE samples with one, stage.init_from=FILE trains on."""
    vae_weights: str | None = None
    """safetensors file or diffusers folder; package:NAME: shipped in void/models/weights; null: from init_seed."""
    transformer_weights: str | None = None
    """The same, for a transformer of the shapes above. Of 33 input channels, recipe.mask_expansion makes 48."""
    text_encoder_weights: str | None = None
    """The same, in the layout of transformers."""
    init_seed: int = 0
    """Seed of the random initial weights where no file is given."""
    dtype: str = "float32"
    """float32 or bfloat16: type of the frozen networks' weights (VAE and text encoder)."""
