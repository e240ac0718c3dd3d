"""Floating-point operations of each network, in closed form: every matrix product and convolution, two a multiply-add.

Norms, activations, softmax and rotary positions are left out, as they are in FlopCounterMode of torch, which the tests
hold these formulas to on the meta device. Arguments are those of the networks' constructors, as in `ModelConfig`.
"""

from __future__ import annotations

import math
from typing import Any

from void.shapes import SPATIAL_COMPRESSION

RGB = 3
FFN_EXPANSION = 4
MODULATION_CHUNKS = 6


def transformer_flops(cfg: dict[str, Any], frames: int, rows: int, columns: int, text_tokens: int) -> int:
    """One forward pass of the transformer on one sequence.

    Args:
        cfg: arguments of CogVideoXTransformer3DModel.
        frames: latent frames, even.
        rows: latent rows, even.
        columns: latent columns, even.
        text_tokens: length of the text embedding.
    """
    patch = cfg["patch_size"] ** 2 * cfg["patch_size_t"]
    video = frames * rows * columns // patch
    tokens = text_tokens + video
    dim = cfg["num_attention_heads"] * cfg["attention_head_dim"]
    time = cfg["time_embed_dim"]
    modulation = _matmul(1, time, MODULATION_CHUNKS * dim)
    projections = 4 * _matmul(tokens, dim, dim)
    attention = 2 * _matmul(tokens, dim, tokens)
    feed_forward = 2 * _matmul(tokens, dim, FFN_EXPANSION * dim)
    block = 2 * modulation + projections + attention + feed_forward
    embedding = _matmul(video, cfg["in_channels"] * patch, dim) + _matmul(text_tokens, cfg["text_embed_dim"], dim)
    timestep = _matmul(1, dim, time) + _matmul(1, time, time)
    output = _matmul(1, time, 2 * dim) + _matmul(video, dim, cfg["out_channels"] * patch)
    return embedding + timestep + cfg["num_layers"] * block + output


def text_flops(cfg: dict[str, Any], tokens: int) -> int:
    """The T5 encoder on one text of `tokens` tokens, padding included.

    Args:
        cfg: arguments of T5Config.
        tokens: padded length.
    """
    dim, inner = cfg["d_model"], cfg["num_heads"] * cfg["d_kv"]
    matrices = 3 if "gated" in cfg["feed_forward_proj"] else 2
    attention = 4 * _matmul(tokens, dim, inner) + 2 * _matmul(tokens, inner, tokens)
    return int(cfg["num_layers"] * (attention + matrices * _matmul(tokens, dim, cfg["d_ff"])))


def vae_encode_flops(cfg: dict[str, Any], frames: int, height: int, width: int) -> int:
    """Encoding one video of `frames` (4k+1) x `height` x `width` pixels, untiled.

    Args:
        cfg: arguments of AutoencoderKLCogVideoX.
        frames: pixel frames.
        height: pixels.
        width: pixels.
    """
    channels = cfg["block_out_channels"]
    halvings = _time_levels(cfg)
    area = height * width
    total = _conv(frames * area, RGB, channels[0])
    width_in = channels[0]
    for level, width_out in enumerate(channels):
        positions = frames * area
        total += _resnet(positions, width_in, width_out)
        total += (cfg["layers_per_block"] - 1) * _resnet(positions, width_out, width_out)
        if level < len(channels) - 1:
            # The first frame stays alone, the others are averaged in pairs.
            frames = (frames + 1) // 2 if level < halvings else frames
            area //= 4
            total += _conv(frames * area, width_out, width_out, taps=9)
        width_in = width_out
    total += 2 * _resnet(frames * area, width_in, width_in)
    return total + _conv(frames * area, width_in, 2 * cfg["latent_channels"])


def vae_decode_flops(cfg: dict[str, Any], frames: int, height: int, width: int) -> int:
    """Decoding to one video of `frames` (4k+1) x `height` x `width` pixels, untiled. Arguments as of encoding."""
    channels = cfg["block_out_channels"][::-1]
    latent, doublings = cfg["latent_channels"], _time_levels(cfg)
    frames = (frames - 1) // cfg["temporal_compression_ratio"] + 1
    area = height * width // SPATIAL_COMPRESSION**2
    total = _conv(frames * area, latent, channels[0]) + 2 * _resnet(frames * area, channels[0], channels[0], latent)
    width_in = channels[0]
    for level, width_out in enumerate(channels):
        positions = frames * area
        total += _resnet(positions, width_in, width_out, latent)
        total += cfg["layers_per_block"] * _resnet(positions, width_out, width_out, latent)
        if level < len(channels) - 1:
            # The first frame stays one, each other becomes two.
            frames = 2 * frames - 1 if level < doublings else frames
            area *= 4
            total += _conv(frames * area, width_out, width_out, taps=9)
        width_in = width_out
    return total + _spatial_norm(frames * area, width_in, latent) + _conv(frames * area, width_in, RGB)


def _matmul(rows: int, inner: int, columns: int) -> int:
    return 2 * rows * inner * columns


def _conv(positions: int, channels_in: int, channels_out: int, taps: int = 27) -> int:
    """A convolution with `taps` weights per pair of channels (27: 3 x 3 x 3), at every position of its output."""
    return 2 * positions * taps * channels_in * channels_out


def _resnet(positions: int, channels_in: int, channels_out: int, latent: int | None = None) -> int:
    """Two convolutions, a 1 x 1 x 1 one past them where the width changes, and in the decoder two spatial norms."""
    total = _conv(positions, channels_in, channels_out) + _conv(positions, channels_out, channels_out)
    if channels_in != channels_out:
        total += _conv(positions, channels_in, channels_out, taps=1)
    if latent is not None:
        total += _spatial_norm(positions, channels_in, latent) + _spatial_norm(positions, channels_out, latent)
    return total


def _spatial_norm(positions: int, channels: int, latent: int) -> int:
    """Scale and shift of the decoder's norms: two 1 x 1 x 1 convolutions of the latent."""
    return 2 * _conv(positions, latent, channels, taps=1)


def _time_levels(cfg: dict[str, Any]) -> int:
    """Levels of the VAE that change the frame rate by 2."""
    return int(math.log2(cfg["temporal_compression_ratio"]))
