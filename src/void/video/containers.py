"""What the first bytes of a video file say about its kind and its size, which decoders pass over in silence."""

from __future__ import annotations

from pathlib import Path

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def looks_like_video(path: Path) -> bool:
    """Whether the first bytes are those of MP4/QuickTime, Matroska/WebM or AVI."""
    head = _head(path, 12)
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide") or head[:4] == _EBML or _is_avi(head)


def missing_bytes(path: Path) -> int:
    """Number of bytes by which a Matroska or AVI file is shorter than its own header says; 0 where it does not say."""
    head = _head(path, 4096)
    stated = 0
    if _is_avi(head):
        stated = 8 + int.from_bytes(head[4:8], "little")
    elif head[:4] == _EBML:
        stated = _matroska_size(head)
    return max(0, stated - path.stat().st_size)


def _head(path: Path, length: int) -> bytes:
    with path.open("rb") as file:
        return file.read(length)


def _is_avi(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"AVI "


def _matroska_size(head: bytes) -> int:
    """Size of the file from its EBML header and segment; 0 for a live recording, whose segment has no size."""
    size, start = _vint(head, len(_EBML))
    segment = start + size
    if head[segment : segment + len(_SEGMENT)] != _SEGMENT:
        return 0
    size, start = _vint(head, segment + len(_SEGMENT))
    return 0 if size < 0 else start + size


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """An EBML number, -1 where all its bits are set (unknown), and the offset behind it."""
    if at >= len(data) or not data[at]:
        return -1, at + 1
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big") & ((1 << (7 * length)) - 1)
    return (-1 if value == (1 << (7 * length)) - 1 else value), at + length
