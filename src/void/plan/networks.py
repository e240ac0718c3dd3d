"""The networks on the meta device: their sizes, and the memory of their activations."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from diffusers import CogVideoXTransformer3DModel
from torch import nn

from void.models.build import DTYPES, build_text_encoder, build_transformer, build_vae
from void.models.config import ModelConfig
from void.models.rotary import rotary_tables
from void.plan.live_bytes import count_live_bytes
from void.shapes import LATENT_CHANNELS, SPATIAL_COMPRESSION, latent_frames

META = torch.device("meta")
RGB = 3
# From here on the VAE's memory grows by finished frames alone: its heaviest chunk, with one before it, is past.
STEADY_FRAMES = 21


@dataclass(frozen=True)
class NetworkSize:
    """Weights of one network.

    Args:
        parameters: their number.
        gib: in the type in which `void infer` keeps them.
        largest_layer_gib: of its largest layer: what is on the GPU at a time when layers are offloaded one by one.
    """

    parameters: int
    gib: float
    largest_layer_gib: float


@dataclass(frozen=True)
class TransformerSize(NetworkSize):
    """Weights of the transformer.

    Args:
        block_gib: of one block.
        outside_blocks_gib: of everything else.
        fp8_gib: of the whole with layerwise casting to 8 bits.
        fp8_block_gib: of one block with it.
    """

    block_gib: float
    outside_blocks_gib: float
    fp8_gib: float
    fp8_block_gib: float


def gib(count: float) -> float:
    """Bytes in GiB."""
    return count / 2**30


def network_size(module: nn.Module) -> NetworkSize:
    """Sizes of a network as it is built."""
    layers = [sum(weight.nbytes for weight in layer.parameters(recurse=False)) for layer in module.modules()]
    return NetworkSize(
        parameters=sum(weight.numel() for weight in module.parameters()),
        gib=gib(_bytes(module)),
        largest_layer_gib=gib(max(layers)),
    )


def transformer_size(cfg: ModelConfig) -> TransformerSize:
    """Sizes of the transformer in the model's type, and with diffusers' layerwise casting."""
    transformer = _transformer(cfg, DTYPES[cfg.dtype])
    size = network_size(transformer)
    block = _bytes(transformer.transformer_blocks[0])
    blocks = _bytes(transformer.transformer_blocks)
    transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=DTYPES[cfg.dtype])
    return TransformerSize(
        **dataclasses.asdict(size),
        block_gib=gib(block),
        outside_blocks_gib=size.gib - gib(blocks),
        fp8_gib=gib(_bytes(transformer)),
        fp8_block_gib=gib(_bytes(transformer.transformer_blocks[0])),
    )


def transformer_activations(cfg: ModelConfig, batch: int, shape: tuple[int, int, int]) -> float:
    """GiB at the peak of one forward pass without gradients; it does not depend on the number of blocks.

    Args:
        cfg: the model.
        batch: sequences in the pass.
        shape: latent frames, rows and columns.
    """
    peak, _ = _forward(cfg, 1, batch, shape, DTYPES[cfg.dtype], train=False)
    return peak


@dataclass(frozen=True)
class TrainingActivations:
    """GiB that one micro-step keeps.

    Args:
        block_inputs: of every block: what gradient checkpointing keeps.
        saved_by_block: what one block keeps for its backward pass.
        outside_blocks: what the rest keeps.
        transient: the most that one block's forward pass needs for a moment; taken for the backward pass too.
    """

    block_inputs: float
    saved_by_block: float
    outside_blocks: float
    transient: float


def training_activations(
    cfg: ModelConfig, batch: int, shape: tuple[int, int, int], dtype: torch.dtype
) -> TrainingActivations:
    """Activations of a training step of the transformer. Arguments as of `transformer_activations`."""
    _, one = _forward(cfg, 1, batch, shape, dtype, train=True)
    _, two = _forward(cfg, 2, batch, shape, dtype, train=True)
    transient, _ = _forward(cfg, 1, batch, shape, dtype, train=False)
    frames, rows, columns = shape
    patch = cfg.transformer["patch_size"] ** 2 * cfg.transformer["patch_size_t"]
    tokens = cfg.max_text_tokens + frames * rows * columns // patch
    dim = cfg.transformer["num_attention_heads"] * cfg.transformer["attention_head_dim"]
    return TrainingActivations(
        block_inputs=gib(cfg.transformer["num_layers"] * batch * tokens * dim * dtype.itemsize),
        saved_by_block=two - one,
        outside_blocks=2 * one - two,
        transient=transient,
    )


@dataclass(frozen=True)
class VaeActivations:
    """GiB at the peaks of encoding, where mask and clip are one batch, and of decoding one clip; pixels included."""

    encode: float
    decode: float


def vae_activations(cfg: ModelConfig, frames: int, height: int, width: int, *, tiled: bool) -> VaeActivations:
    """Activations of the VAE.

    Args:
        cfg: the model.
        frames: pixel frames, 8k+5.
        height: pixels.
        width: pixels.
        tiled: in spatial tiles.
    """
    vae = build_vae(cfg, meta=True)
    if tiled:
        vae.enable_tiling()
    steady = min(frames, STEADY_FRAMES)
    rows, columns = height // SPATIAL_COMPRESSION, width // SPATIAL_COMPRESSION
    pixels = torch.empty(2, RGB, steady, height, width, dtype=vae.dtype, device=META)
    with torch.no_grad(), count_live_bytes() as encoding:
        vae.encode(pixels)
    latents = torch.empty(1, LATENT_CHANNELS, latent_frames(steady), rows, columns, dtype=vae.dtype, device=META)
    with torch.no_grad(), count_live_bytes() as decoding:
        vae.decode(latents)
    frame = RGB * height * width * vae.dtype.itemsize
    given, finished = 2 * frames * frame, (frames - steady) * frame
    return VaeActivations(encode=gib(encoding.peak + given), decode=gib(decoding.peak + finished))


def text_activations(cfg: ModelConfig) -> float:
    """GiB at the peak of encoding one text."""
    encoder = build_text_encoder(cfg, meta=True)
    with torch.no_grad(), count_live_bytes() as live:
        encoder(torch.zeros(1, cfg.max_text_tokens, dtype=torch.long, device=META))
    return gib(live.peak)


def _transformer(cfg: ModelConfig, dtype: torch.dtype) -> CogVideoXTransformer3DModel:
    transformer = build_transformer(cfg, meta=True)
    # nn.Module's own method: diffusers' warns about modules to be kept in float32, even where there are none.
    nn.Module.to(transformer, dtype)
    return transformer


def _forward(
    cfg: ModelConfig, blocks: int, batch: int, shape: tuple[int, int, int], dtype: torch.dtype, *, train: bool
) -> tuple[float, float]:
    """GiB at the peak of a forward pass through `blocks` blocks, and after it."""
    shallow = dataclasses.replace(cfg, transformer={**cfg.transformer, "num_layers": blocks})
    transformer = _transformer(shallow, dtype).train(train)
    settings = transformer.config
    frames, rows, columns = shape
    latents = torch.empty(batch, frames, settings.in_channels, rows, columns, dtype=dtype, device=META)
    text = torch.empty(batch, cfg.max_text_tokens, settings.text_embed_dim, dtype=dtype, device=META)
    tables = rotary_tables(settings, frames, rows, columns, META)
    with torch.set_grad_enabled(train), count_live_bytes() as live:
        output = transformer(
            hidden_states=latents,
            encoder_hidden_states=text,
            timestep=torch.zeros(batch, device=META),
            image_rotary_emb=tables,
            return_dict=False,
        )
        kept = live.live
    del output
    return gib(live.peak), gib(kept)


def _bytes(module: nn.Module) -> int:
    return sum(weight.nbytes for weight in module.parameters())
