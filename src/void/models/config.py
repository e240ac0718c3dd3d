"""Configuration of the networks: constructor arguments of diffusers' and transformers' classes, and weight files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from void.limits import SEED, Limit, above, at_least, check_dict, check_limits, one_of, within

FILELESS_TOKENIZER = "byt5"
DTYPE_NAMES = ("float32", "bfloat16")
INFERENCE_SIGMA = 0.0563
"""Standard deviation of the pixel noise on the input clip at inference (`conditioning_noise`), for pixels in [-1, 1]:
the released value."""

# Arguments of the library's classes that a value of 0 or less would break; each class checks the others itself.
_COUNT, _POSITIVE, _DROPOUT = at_least(1), above(0), within(0, 1)
_TRANSFORMER = {
    **dict.fromkeys(
        (
            "num_layers",
            "num_attention_heads",
            "attention_head_dim",
            "in_channels",
            "out_channels",
            "patch_size",
            "patch_size_t",
            "time_embed_dim",
            "text_embed_dim",
            "max_text_seq_length",
            "sample_height",
            "sample_width",
            "sample_frames",
            "temporal_compression_ratio",
        ),
        _COUNT,
    ),
    **dict.fromkeys(("norm_eps", "spatial_interpolation_scale", "temporal_interpolation_scale"), _POSITIVE),
    "dropout": _DROPOUT,
    "freq_shift": at_least(0),
}
_VAE = {
    **dict.fromkeys(
        (
            "block_out_channels",
            "layers_per_block",
            "latent_channels",
            "norm_num_groups",
            "temporal_compression_ratio",
            "sample_height",
            "sample_width",
        ),
        _COUNT,
    ),
    **dict.fromkeys(("norm_eps", "scaling_factor"), _POSITIVE),
}
_SCHEDULER = {
    "num_train_timesteps": _COUNT,
    **dict.fromkeys(
        ("beta_start", "beta_end"), Limit(lambda beta: 0 < beta < 1, "greater than 0 and less than 1", "use 0.001")
    ),
    "steps_offset": at_least(0),
}
_TEXT_ENCODER = {
    **dict.fromkeys(
        (
            "d_model",
            "d_ff",
            "d_kv",
            "num_heads",
            "num_layers",
            "vocab_size",
            "relative_attention_num_buckets",
            "relative_attention_max_distance",
        ),
        _COUNT,
    ),
    "layer_norm_epsilon": _POSITIVE,
    "dropout_rate": _DROPOUT,
}


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

    def __post_init__(self) -> None:
        check_limits(self, max_text_tokens=at_least(1), init_seed=SEED, dtype=one_of(DTYPE_NAMES))
        check_dict("transformer", self.transformer, **_TRANSFORMER)
        check_dict("vae", self.vae, **_VAE)
        check_dict("scheduler", self.scheduler, **_SCHEDULER)
        check_dict("text_encoder", self.text_encoder, **_TEXT_ENCODER)
