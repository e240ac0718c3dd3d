"""The recipe: each choice in which the released code and the corrected one differ is a key here, so an ablation.

`conf/recipe/released.yaml` and `conf/recipe/corrected.yaml` say, key by key, what the released code did and what the
corrected one does; docs/recipes.md tells the whole story.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from void.limits import at_least, check_limits


class Stage(StrEnum):
    """The two stages, each fine-tuned by itself; inference also runs one after the other."""

    pass1 = "pass1"
    pass2 = "pass2"
    both = "both"
    auto = "auto"


class MaskLevels(StrEnum):
    """How a quadmask becomes the single-channel video in [0, 1] that enters the VAE."""

    quad = "quad"
    trimask = "trimask"
    binary = "binary"
    released = "released"


class MaskResize(StrEnum):
    """How a quadmask changes its size."""

    layers = "layers"
    grey = "grey"


class VideoResize(StrEnum):
    """How a clip changes its size at inference."""

    area = "area"
    bins = "bins"


class Aspect(StrEnum):
    """What happens to a clip whose shape is not the model's."""

    letterbox = "letterbox"
    crop = "crop"
    stretch = "stretch"


class MaskExpansion(StrEnum):
    """How 33-channel patch-embedding weights become 48-channel ones."""

    replicate = "replicate"
    mean = "mean"
    zero = "zero"


class Posterior(StrEnum):
    """What is taken from a VAE posterior."""

    sample = "sample"
    mode = "mode"


class FloatType(StrEnum):
    """Number formats of arithmetic that a recipe chooses."""

    float32 = "float32"
    bfloat16 = "bfloat16"


class NoiseWarp(StrEnum):
    """How a step of warped noise tells the copies of one pixel from its neighbours."""

    indexed = "indexed"
    released = "released"


class NoiseGeometry(StrEnum):
    """At which size noise is warped at inference."""

    model = "model"
    released = "released"


class NoisePadding(StrEnum):
    """What is mirrored where a clip is padded to a legal length."""

    noise = "noise"
    clip = "clip"


class Degradation(StrEnum):
    """Formulas by which fresh noise is mixed into warped noise."""

    unit_variance = "unit_variance"
    released = "released"


@dataclass
class RecipeConfig:
    """Differences between recipes. The defaults are the corrected values."""

    name: str = "corrected"

    # The condition.
    mask_levels: MaskLevels = MaskLevels.quad
    """quad: four levels (0, 63, 127, 255)/255; trimask: overlap counts as primary; binary: affected too; released:
    trimask, but binary at inference of pass 2."""
    mask_resize: MaskResize = MaskResize.layers
    """layers: primary and affected each by itself; grey: the grey values are blended, then quantised, which draws false
    rims."""
    video_resize: VideoResize = VideoResize.area
    """area: mean over each target pixel's exact area; bins: mean over whole source pixels (adaptive pooling)."""

    # Weights.
    mask_expansion: MaskExpansion = MaskExpansion.mean
    """What the base model's one mask channel becomes in the 16 mask-latent channels. mean: a sixteenth in each;
    replicate: the whole in each; zero: nothing."""

    # Training.
    condition_posterior: Posterior = Posterior.mode
    """What training takes of the posteriors of mask and input clip (of the target always a sample; inference always the
    mode)."""
    schedule_dtype: FloatType = FloatType.float32
    """Type of the noise levels in training; bfloat16 leaves 14 distinct levels among the 50 smallest."""
    clip_gradients: bool = True
    """False: training.max_grad_norm never takes effect."""
    lr_horizon_per_process: bool = False
    """True: the learning rate's schedule is as many times too long as there are processes, so it hardly decays."""

    # Inference.
    aspect: Aspect = Aspect.letterbox
    """letterbox: the whole clip, with bars; crop: its centre; stretch: the whole clip, distorted."""
    max_frames: int | None = None
    """Longer clips are cut to this many frames; null: never."""
    pad_to_window: bool = False
    """True: shorter clips are mirrored up to infer.window frames; false: to the next legal length."""
    trim_padding: bool = True
    """False: mirrored frames stay in the result."""
    restore_fps: bool = True
    """False: the result plays at 12 frames per second whatever the input does."""
    restore_size: bool = True
    """False: the result has the model's size."""
    seed_per_clip: bool = True
    """False: every clip starts from the same noise, that of infer.seed."""
    latents_dtype: FloatType = FloatType.float32
    """Type in which noise is drawn and latents are kept between denoising steps."""

    # Warped noise (pass 2).
    noise_warp: NoiseWarp = NoiseWarp.indexed
    """indexed: copies of a pixel are known by its index; released: by equal values, which strangers share, and what
    leaves the frame blocks what enters it."""
    noise_geometry: NoiseGeometry = NoiseGeometry.model
    """model: noise is warped at the model's size; released: 72 frames of 480x720 pixels, whose noise is then resized
    bilinearly, to a standard deviation of 0.66."""
    noise_padding: NoisePadding = NoisePadding.noise
    """noise: flow is that of the file's frames, their noise is mirrored; clip: flow is that of the mirrored clip."""
    noise_degradation: Degradation = Degradation.unit_variance
    """unit_variance: training noise has unit variance however degraded; released: its standard deviation grows to
    1.31."""

    def __post_init__(self) -> None:
        check_limits(self, max_frames=at_least(1).or_use("use 1 or more, or null for all"))


def effective_levels(levels: MaskLevels, stage: Stage, *, training: bool) -> MaskLevels:
    """The levels that `released` stands for: trimask, but binary at inference of pass 2. Others stay what they are."""
    if levels is not MaskLevels.released:
        return levels
    return MaskLevels.binary if stage is Stage.pass2 and not training else MaskLevels.trimask
