"""Configuration of sampling."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from omegaconf import MISSING

from void.errors import InputError
from void.limits import at_least, between, check_limits
from void.pipelines.windows import latent_window
from void.recipe import Aspect
from void.video_formats import VideoFormat


class Memory(StrEnum):
    """Where networks wait while another one works."""

    full = "full"
    model_offload = "model_offload"
    group_offload = "group_offload"
    sequential_offload = "sequential_offload"


class Cache(StrEnum):
    """diffusers' step caches: what a denoising step takes over from an earlier one."""

    none = "none"
    first_block = "first_block"
    pab = "pab"
    faster = "faster"


class Composite(StrEnum):
    """Where the pixels that the quadmask keeps come from."""

    none = "none"
    feather = "feather"


class Region(StrEnum):
    """How much of a clip the model is shown."""

    full = "full"
    auto = "auto"


@dataclass
class Pass2Config:
    """The second pass, from noise that moves with the first one's result. Other keys of `infer` are of both passes."""

    root: str = MISSING
    """Folder of the second pass's clips; with stage=auto of all final clips."""
    first_pass: str = MISSING
    """Folder of the first pass's results, ID.mp4 each: of `void infer`, or of any other program."""
    checkpoint: str = MISSING
    """A checkpoint folder, the folder of a training run (its newest checkpoint), a safetensors file, or `none`: the
    model's own weights. As trained with stage=pass2, or void_pass2.safetensors."""
    steps: int = "${infer.steps}"  # type: ignore[assignment]
    """Denoising steps; the released code takes 50."""
    guidance_scale: float = "${infer.guidance_scale}"  # type: ignore[assignment]
    """1: no classifier-free guidance; the released code takes 6."""
    morphing_threshold: float = 1.0
    """stage=auto runs the second pass where the first one's result morphs by at least this score (docs/morphing.md)."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            steps=at_least(1).or_use("use 1 or more; 50 is the paper's"),
            guidance_scale=at_least(1).or_use("use 1 for no guidance, or more"),
            morphing_threshold=at_least(0).or_use("use 0 (the second pass always) or more"),
        )


@dataclass
class InferConfig:
    """Sampling held-out pairs of a manifest, or a user's own clips."""

    root: str = MISSING
    """Folder of the predicted clips."""
    input: str | None = None
    """A folder of input_video.mp4, a mask and prompt.json, or a folder of such folders; null: pairs of data.root."""
    checkpoint: str = "latest"
    """A checkpoint folder, the folder of a training run (its newest checkpoint) or a safetensors file; `latest`: the
    newest under training.root; `none`: the model's own weights."""
    split: str = "${data.eval_split}"
    """Pairs of this split; all: of every one."""
    limit: int | None = None
    """At most this many pairs of the split, in manifest order, or clips, by name; null: all."""
    steps: int = 30
    """Denoising steps."""
    guidance_scale: float = 1.0
    """1: no classifier-free guidance."""
    seed: int = 42
    """One generator per clip, seeded from this and the id: results do not depend on order (recipe.seed_per_clip)."""
    aspect: Aspect = "${recipe.aspect}"  # type: ignore[assignment]
    """How a user's clip is fitted to data.height x data.width: letterbox, crop or stretch."""
    region: Region = Region.full
    """full: the model is shown the whole picture; auto: a window of its own size around what the mask marks, which is
    put back, so that a large clip keeps its resolution (a user's clips only)."""
    composite: Composite = Composite.none
    """none: the result is the model's everywhere; feather: what the mask keeps comes from the input, bit for bit but
    for a seam."""
    feather: int = 16
    """Width in pixels of the seam of infer.composite=feather, and of that inside the window of infer.region=auto."""
    window: int = 85
    """Frames that the transformer sees at once; longer clips are denoised in overlapping windows."""
    overlap: int = 16
    """Frames that neighbouring windows share, a multiple of 8."""
    windows_per_batch: int | None = None
    """Windows in one forward pass; null: all of them on a GPU, fewer when memory runs out; one by one on a CPU."""
    strip: bool = True
    """Also write input | mask | result side by side into strips/ (for a user's clips)."""
    num_shards: int = 1
    """Share the clips among this many processes or machines..."""
    shard: int = 0
    """...of which this is number 0 to num_shards - 1."""
    memory: Memory = Memory.full
    """full: all networks on the device; model_offload: one at a time; group_offload: block by block, overlapped with
    work; sequential_offload: layer by layer, the least memory."""
    fp8: bool = False
    """Keep the transformer's large matrices in 8 bits (layerwise casting); arithmetic stays in its own type."""
    vae_tiling: bool = False
    """Decode and encode in spatial tiles: less memory, small differences at seams."""
    attention: str | None = None
    """A diffusers attention backend (native, flash, sage, ...); null: diffusers' default."""
    compile: bool = False
    """torch.compile the transformer's blocks; the first step takes minutes."""
    cache: Cache = Cache.none
    """Work that a denoising step takes over from an earlier one, for speed at a loss: first_block: all blocks but the
    first while that one changes little; pab: attention, every other step; faster: attention and guidance's
    unconditional half, extrapolated."""
    cache_threshold: float = 0.1
    """cache=first_block: relative change of the first block's residual up to which the others are not computed."""
    cache_interval: int = 2
    """cache=pab or faster: attention is computed in every such step of the range of timesteps where it is cached."""
    lora: str | None = None
    """A LoRA for the transformer, from any trainer (docs/weights.md): a safetensors file or its folder."""
    lora_scale: float = 1.0
    format: VideoFormat = VideoFormat.h264
    """h264: MP4 for players; ffv1: MKV, lossless, 8 bits; prores: MOV, 10 bits; png8, png16: a folder of pictures."""
    crf: int = 10
    """Quality of the H.264 files, 0 best to 51 worst. Evaluation measures the files, so their losses count."""
    pass2: Pass2Config = field(default_factory=Pass2Config)

    def __post_init__(self) -> None:
        check_limits(
            self,
            limit=at_least(1).or_use("use 1 or more, or null for all"),
            steps=at_least(1).or_use("use 1 or more; 30 is usual"),
            guidance_scale=at_least(1).or_use("use 1 for no guidance, or more"),
            seed=between(0, 2**63 - 1),
            windows_per_batch=at_least(1).or_use("use 1 or more, or null for as many as fit"),
            num_shards=at_least(1),
            cache_threshold=at_least(0).or_use("use 0 (reuse nothing) or more; 0.1 is usual"),
            cache_interval=at_least(2).or_use("use 2 or more, or infer.cache=none"),
            feather=at_least(0).or_use("use 0 for no seam, or more pixels"),
            crf=between(0, 51).or_use("use 0 (best) to 51"),
        )
        latent_window(self.window, self.overlap, "infer.window", "infer.overlap")
        if not 0 <= self.shard < self.num_shards:
            raise InputError(
                f"infer.shard must be between 0 and infer.num_shards - 1 = {self.num_shards - 1}, got {self.shard}",
                f"use 0 to {self.num_shards - 1}, or a larger infer.num_shards",
            )
