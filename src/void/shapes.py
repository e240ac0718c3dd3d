"""Every rule that ties pixel frames and sizes to latent frames and sizes.

The CogVideoX VAE compresses time by 4 (the first frame alone, then groups of four) and space by 8; the transformer
packs patches of 2 x 2 x 2 latents. So a clip has 4k+1 frames, its latent count must be even, and together: 8k+5 frames.
Multiples of 16 pixels keep the spatial patches whole.
"""

from __future__ import annotations

from void.errors import InputError

TEMPORAL_COMPRESSION = 4
SPATIAL_COMPRESSION = 8
PATCH_SIZE = 2
PATCH_SIZE_T = 2
LATENT_CHANNELS = 16
SIZE_MULTIPLE = SPATIAL_COMPRESSION * PATCH_SIZE
FRAME_STEP = TEMPORAL_COMPRESSION * PATCH_SIZE_T
MIN_FRAMES = 5


def is_legal_frames(frames: int) -> bool:
    """Whether a clip of this many frames has a whole, even number of latent frames (5, 13, 21, ... 85, ... 197)."""
    return frames >= MIN_FRAMES and (frames - MIN_FRAMES) % FRAME_STEP == 0


def floor_frames(frames: int) -> int:
    """The longest legal clip of at most `frames` frames.

    Raises:
        InputError: fewer than 5 frames: no legal length exists.
    """
    if frames < MIN_FRAMES:
        raise InputError(
            f"a clip of {frames} frames is too short: the shortest legal one has {MIN_FRAMES} (lengths are 8k+5)",
            "use a longer clip, or a higher frame rate",
        )
    return frames - (frames - MIN_FRAMES) % FRAME_STEP


def ceil_frames(frames: int) -> int:
    """The shortest legal clip of at least `frames` frames."""
    return max(MIN_FRAMES, frames + (MIN_FRAMES - frames) % FRAME_STEP)


def check_frames(frames: int, where: str) -> None:
    """Raise unless `frames` is legal.

    Args:
        frames: pixel frames.
        where: the config key or file that holds the value, for the message.
    """
    if is_legal_frames(frames):
        return
    below = f"{floor_frames(frames)} or " if frames >= MIN_FRAMES else ""
    raise InputError(
        f"{where} = {frames} is not a legal frame count: the latent count must be whole and even, so frames are 8k+5",
        f"use {below}{ceil_frames(frames)}",
    )


def check_length(frames: int, wanted: int, where: str) -> None:
    """Raise unless a clip of `frames` frames can be cut to `wanted`."""
    if frames < wanted:
        raise InputError(
            f"{where} has {frames} frames, fewer than data.frames = {wanted}",
            f"use longer clips, or set data.frames to at most {frames} (legal counts are 8k+5)",
        )


def check_size(height: int, width: int, where: str) -> None:
    """Raise unless both sides are positive multiples of 16 pixels."""
    for side, value in (("height", height), ("width", width)):
        if value <= 0 or value % SIZE_MULTIPLE:
            low = max(SIZE_MULTIPLE, value // SIZE_MULTIPLE * SIZE_MULTIPLE)
            raise InputError(
                f"{where}: {side} {value} is not a positive multiple of {SIZE_MULTIPLE} pixels",
                f"use {low} or {low + SIZE_MULTIPLE}",
            )


def latent_frames(frames: int) -> int:
    """Latent frames of a 4k+1-frame clip: (frames - 1) / 4 + 1."""
    if frames < 1 or (frames - 1) % TEMPORAL_COMPRESSION:
        raise InputError(f"{frames} frames are not of the form 4k+1", f"use {ceil_frames(frames)}")
    return (frames - 1) // TEMPORAL_COMPRESSION + 1


def pixel_frames(latents: int) -> int:
    """Pixel frames that `latents` latent frames decode to: 4T - 3."""
    assert latents >= 1
    return TEMPORAL_COMPRESSION * (latents - 1) + 1


def latent_shape(frames: int, height: int, width: int, channels: int = LATENT_CHANNELS) -> tuple[int, int, int, int]:
    """Shape `(T_lat, C, h, w)` of the latents of a legal clip of `frames` x `height` x `width` pixels."""
    check_frames(frames, "frames")
    check_size(height, width, "clip size")
    return latent_frames(frames), channels, height // SPATIAL_COMPRESSION, width // SPATIAL_COMPRESSION


def token_count(frames: int, height: int, width: int) -> int:
    """Video tokens the transformer sees for a legal clip (text tokens come on top)."""
    t, _, h, w = latent_shape(frames, height, width)
    return (t // PATCH_SIZE_T) * (h // PATCH_SIZE) * (w // PATCH_SIZE)
