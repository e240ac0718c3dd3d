"""What sampling one clip costs: operations, and memory at each stage of `void infer` in each of its memory modes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from void.config import VoidConfig
from void.pipelines.config import Memory
from void.pipelines.windows import batches, latent_window, windows
from void.plan.flops import text_flops, transformer_flops, vae_decode_flops, vae_encode_flops
from void.plan.networks import (
    NetworkSize,
    TransformerSize,
    VaeActivations,
    text_activations,
    transformer_activations,
    vae_activations,
)
from void.shapes import latent_shape

TERA = 1e12
# CUDA context, library handles and the allocator's slack: assumed, not known.
CONTEXT_GIB = 1.0
# Blocks on the GPU under group offload: the one that works and the next, on its way.
BLOCKS_IN_FLIGHT = 2
VIDEOS_ENCODED = 2


@dataclass(frozen=True)
class InferenceCompute:
    """Operations of one clip, in TFLOP (10^12).

    Args:
        forward: one transformer pass over one whole window, one guidance branch.
        windows: latent frames of each temporal window.
        branches: 2 with guidance, else 1.
        steps: denoising steps.
        denoise: all steps, windows and branches.
        encode: the VAE on mask and clip.
        decode: the VAE.
        text: the text encoder on one prompt.
    """

    forward: float
    windows: list[int]
    branches: int
    steps: int
    denoise: float
    encode: float
    decode: float
    text: float

    @property
    def total(self) -> float:
        """TFLOP from prompt and pixels to pixels."""
        return self.text + self.encode + self.denoise + self.decode


@dataclass(frozen=True)
class InferenceActivations:
    """GiB of live tensors at the peak of each network's work, weights excluded.

    Args:
        text: one prompt.
        vae: encoding and decoding.
        transformer: one forward pass of `batch` sequences.
        batch: windows in a batch times guidance branches.
    """

    text: float
    vae: VaeActivations
    transformer: float
    batch: int


@dataclass(frozen=True)
class ModeMemory:
    """GiB on the GPU in one memory mode, at the peak of each stage: weights that are there, activations, context.

    Args:
        memory: as `infer.memory`.
        fp8: as `infer.fp8`.
        text: the text encoder works, alone, before the other networks are loaded.
        encode: the VAE encodes mask and clip.
        denoise: the transformer works.
        decode: the VAE decodes.
    """

    memory: Memory
    fp8: bool
    text: float
    encode: float
    denoise: float
    decode: float

    @property
    def peak(self) -> float:
        """The most of the four."""
        return max(self.text, self.encode, self.denoise, self.decode)


def inference_compute(cfg: VoidConfig) -> InferenceCompute:
    """Operations of one clip of `data.frames` x `data.height` x `data.width`.

    Raises:
        InputError: frames, size, window or overlap are illegal.
    """
    data, model = cfg.data, cfg.model
    frames, _, rows, columns = latent_shape(data.frames, data.height, data.width)
    parts = [part.length for part in windows(frames, *_latent_window(cfg))]

    def forward(length: int) -> float:
        return transformer_flops(model.transformer, length, rows, columns, model.max_text_tokens) / TERA

    branches = _branches(cfg)
    pass_through_all = sum(count * forward(length) for length, count in Counter(parts).items())
    clip = (data.frames, data.height, data.width)
    return InferenceCompute(
        forward=forward(max(parts)),
        windows=parts,
        branches=branches,
        steps=cfg.infer.steps,
        denoise=cfg.infer.steps * branches * pass_through_all,
        encode=VIDEOS_ENCODED * vae_encode_flops(model.vae, *clip) / TERA,
        decode=vae_decode_flops(model.vae, *clip) / TERA,
        text=text_flops(model.text_encoder, model.max_text_tokens) / TERA,
    )


def inference_activations(cfg: VoidConfig) -> InferenceActivations:
    """Activations of sampling one clip on a GPU, where windows of equal length share a batch.

    Raises:
        InputError: as `inference_compute`; an unknown model.dtype.
    """
    data = cfg.data
    frames, _, rows, columns = latent_shape(data.frames, data.height, data.width)
    parts = windows(frames, *_latent_window(cfg))
    together = max(batches(parts, cfg.infer.windows_per_batch or len(parts)), key=len)
    batch = len(together) * _branches(cfg)
    return InferenceActivations(
        text=text_activations(cfg.model),
        vae=vae_activations(cfg.model, data.frames, data.height, data.width, tiled=cfg.infer.vae_tiling),
        transformer=transformer_activations(cfg.model, batch, (together[0].length, rows, columns)),
        batch=batch,
    )


def mode_memory(
    memory: Memory,
    fp8: bool,
    transformer: TransformerSize,
    vae: NetworkSize,
    text: NetworkSize,
    activations: InferenceActivations,
) -> ModeMemory:
    """Memory of one mode."""
    layer = transformer.largest_layer_gib
    whole = transformer.fp8_gib + layer if fp8 else transformer.gib
    block = transformer.fp8_block_gib if fp8 else transformer.block_gib
    # Weights on the GPU while the VAE works, and while the transformer does.
    beside_vae, beside_transformer = {
        Memory.full: (whole + vae.gib, whole + vae.gib),
        Memory.model_offload: (vae.gib, whole),
        Memory.group_offload: (
            vae.gib,
            vae.gib + BLOCKS_IN_FLIGHT * block + transformer.outside_blocks_gib + (layer if fp8 else 0.0),
        ),
        Memory.sequential_offload: (vae.largest_layer_gib, layer),
    }[memory]
    # Offloading encodes mask and clip one after the other.
    at_once = 1 if memory is Memory.full else VIDEOS_ENCODED
    return ModeMemory(
        memory=memory,
        fp8=fp8,
        text=text.gib + activations.text + CONTEXT_GIB,
        encode=beside_vae + activations.vae.encode / at_once + CONTEXT_GIB,
        denoise=beside_transformer + activations.transformer + CONTEXT_GIB,
        decode=beside_vae + activations.vae.decode + CONTEXT_GIB,
    )


def _latent_window(cfg: VoidConfig) -> tuple[int, int]:
    return latent_window(cfg.infer.window, cfg.infer.overlap, "infer.window", "infer.overlap")


def _branches(cfg: VoidConfig) -> int:
    return 2 if cfg.infer.guidance_scale > 1 else 1
