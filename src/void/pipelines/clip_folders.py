"""A user's clips on disk: which files a folder must hold, under which names, and what is wrong with those it holds.

FOLDER/input_video.mp4      the clip
FOLDER/*mask*.mp4           one mask: mask.mp4 (as in a pair), quadmask_0.mp4, ... (black is removed),
                            or mask_0.mp4, mask_1.mp4, ... (binary: white is removed)
FOLDER/prompt.json          {"bg": "the scene without the object"}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path

from void.errors import InputError
from void.files import read_json, sha256_file, sha256_of

VIDEO = "input_video.mp4"
PROMPT = "prompt.json"
PROMPT_KEY = "bg"
QUADMASK_NAMES = ("*quadmask*.mp4", "mask.mp4")
BINARY_NAMES = "mask_*.mp4"
EXPECTED = f"{VIDEO}, one mask (such as quadmask_0.mp4) and {PROMPT}"


class MaskKind(StrEnum):
    """What a mask file's grey values mean."""

    quadmask = "quadmask"
    binary = "binary"


@dataclass(frozen=True)
class ClipFolder:
    """A folder whose files are all there. `id` is its name, `caption` the prompt."""

    id: str
    folder: Path
    video: Path
    mask: Path
    mask_kind: MaskKind
    caption: str


def find_clips(folder: Path) -> list[ClipFolder]:
    """The clip in `folder`, or those in the folders below it, sorted by name.

    Raises:
        InputError: no clips, or a folder with a missing, ambiguous or broken file.
    """
    return [read_clip_folder(item) for item in find_clip_folders(folder)]


def find_clip_folders(folder: Path) -> list[Path]:
    """`folder` itself where it is a clip, or the clips in it, sorted by name; whether they are whole is not looked at.

    Raises:
        InputError: There is none.
    """
    if not folder.is_dir():
        raise InputError(f"infer.input={folder} is not a folder", f"give a folder with {EXPECTED}, or one of such")
    if _is_clip(folder):
        return [folder]
    below = sorted(
        item for item in folder.iterdir() if item.is_dir() and not item.name.startswith(".") and _is_clip(item)
    )
    if not below:
        raise InputError(
            f"infer.input={folder} holds no clip: neither it nor a folder in it has {VIDEO}, a mask or {PROMPT}",
            f"give a folder with {EXPECTED}, or one of such folders",
        )
    return below


def read_clip_folder(folder: Path) -> ClipFolder:
    """Look at the files of one clip; pictures are not decoded.

    Raises:
        InputError: a file is missing or ambiguous, or the prompt cannot be read.
    """
    video = folder / VIDEO
    if not video.is_file():
        raise InputError(f"{video} does not exist", f"put the clip there under this name; a folder holds {EXPECTED}")
    mask, kind = _mask(folder)
    # A path such as `.` has no name of its own.
    return ClipFolder(folder.resolve().name, folder, video, mask, kind, _prompt(folder / PROMPT))


def clip_fingerprint(clip: ClipFolder) -> str:
    """Hash over the contents of a clip's files."""
    files = {"video": sha256_file(clip.video), "mask": sha256_file(clip.mask)}
    return sha256_of({**files, "mask_kind": clip.mask_kind.value, "caption": clip.caption})


def _is_clip(folder: Path) -> bool:
    return (folder / VIDEO).exists() or (folder / PROMPT).exists() or bool(_masks(folder))


def _masks(folder: Path) -> dict[Path, MaskKind]:
    found = {}
    for file in sorted(folder.glob("*.mp4")):
        if any(fnmatch(file.name, pattern) for pattern in QUADMASK_NAMES):
            found[file] = MaskKind.quadmask
        elif fnmatch(file.name, BINARY_NAMES):
            found[file] = MaskKind.binary
    return found


def _mask(folder: Path) -> tuple[Path, MaskKind]:
    found = _masks(folder)
    if not found:
        raise InputError(
            f"{folder} holds no mask",
            "add quadmask_0.mp4 (black 0: removed, 63: removed and affected, 127: affected, white 255: kept), or a "
            "binary mask_0.mp4 (white: removed)",
        )
    if len(found) > 1:
        names: Sequence[str] = [file.name for file in found]
        raise InputError(
            f"{folder} holds {len(found)} masks: {', '.join(names)}", "keep the one that is meant; move the others away"
        )
    return next(iter(found.items()))


def _prompt(file: Path) -> str:
    example = f'write {{"{PROMPT_KEY}": "what the scene shows without the object"}} into it'
    if not file.is_file():
        raise InputError(f"{file} does not exist", example)
    try:
        value = read_json(file)
    except InputError as error:
        raise InputError(error.problem, example) from error
    text = value.get(PROMPT_KEY) if isinstance(value, dict) else None
    if text is None:
        raise InputError(f'{file} has no key "{PROMPT_KEY}"', example)
    if not isinstance(text, str) or not text.strip():
        raise InputError(f'{file}: "{PROMPT_KEY}" is {text!r}, not a description', example)
    return text
