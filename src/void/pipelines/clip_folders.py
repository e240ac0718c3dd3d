"""A user's clips on disk: which files a folder must hold, under which names, and what is wrong with those it holds.

FOLDER/input_video.mp4      the clip: also .mov, .mkv, .webm, .avi, ..., or a folder input_video/ of numbered frames
FOLDER/*mask*.mp4           one quadmask: mask.mp4 (as in a pair), quadmask_0.mp4, ... (black is removed),
                            or mask_0.mp4, mask_1.mp4, ...: binary masks of one object each (white is removed); in the
                            same forms as the clip, or one picture for all frames
FOLDER/prompt.json          {"bg": "the scene without the object"}

Upper and lower case are one in the names.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

from void.errors import InputError
from void.files import sha256_file, sha256_of
from void.text import read_text
from void.video import IMAGE_SUFFIXES, is_frame_folder

VIDEO = "input_video.mp4"
VIDEO_STEM = "input_video"
VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".mxf"),
    *(".wmv", ".flv", ".ogv", ".3gp", ".y4m"),
)
"""Endings of files that are taken for clips and masks, in lower case."""
PROMPT = "prompt.json"
PROMPT_KEY = "bg"
QUADMASK_NAMES = ("*quadmask*", "mask")
"""Patterns of a quadmask's name without its ending."""
BINARY_NAMES = "mask_*"
"""Pattern of a binary mask's name without its ending."""
EXPECTED = f"{VIDEO}, one mask (such as quadmask_0.mp4) and {PROMPT}"


class MaskKind(StrEnum):
    """What a mask file's grey values mean."""

    quadmask = "quadmask"
    binary = "binary"


@dataclass(frozen=True)
class ClipFolder:
    """A folder whose files are all there.

    Args:
        id: Name of the folder.
        folder: Path of the folder.
        video: Clip, a file or a folder of numbered frames.
        masks: Quadmask, or binary masks of one object each; files or folders of frames.
        mask_kind: What the grey values of the masks mean.
        caption: Prompt.
    """

    id: str
    folder: Path
    video: Path
    masks: tuple[Path, ...]
    mask_kind: MaskKind
    caption: str

    @property
    def mask(self) -> Path:
        """The mask, of several the first."""
        return self.masks[0]


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
    video = _video(folder)
    masks, kind = _mask(folder)
    # A path such as `.` has no name of its own.
    return ClipFolder(folder.resolve().name, folder, video, masks, kind, _prompt(folder / PROMPT))


def clip_fingerprint(clip: ClipFolder) -> str:
    """Hash over the contents of a clip's files."""
    masks = [_checksum(mask) for mask in clip.masks]
    files = {"video": _checksum(clip.video), "mask": masks[0] if len(masks) == 1 else sha256_of(masks)}
    return sha256_of({**files, "mask_kind": clip.mask_kind.value, "caption": clip.caption})


def _checksum(path: Path) -> str:
    if path.is_file():
        return sha256_file(path)
    files = [file for file in sorted(path.iterdir()) if file.is_file() and not file.name.startswith(".")]
    return sha256_of({file.name: sha256_file(file) for file in files})


def _is_clip(folder: Path) -> bool:
    return bool(_named(folder, VIDEO_STEM)) or (folder / PROMPT).exists() or bool(_masks(folder))


def _named(folder: Path, pattern: str) -> list[Path]:
    """Files and folders whose name without its ending fits a pattern, whatever their kind."""
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return [entry for entry in entries if fnmatchcase(_stem(entry), pattern) and not entry.name.startswith(".")]


def _stem(path: Path) -> str:
    """The name without its ending, in lower case; a folder's whole name."""
    return (path.name if path.is_dir() else path.stem).casefold()


def _is_video(path: Path) -> bool:
    return is_frame_folder(path) or (path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES)


def _video(folder: Path) -> Path:
    named = _named(folder, VIDEO_STEM)
    found = [entry for entry in named if _is_video(entry)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(entry.name for entry in found)
        raise InputError(
            f"{folder} holds {len(found)} clips: {names}", "keep the one that is meant; move the others away"
        )
    expected = f"a folder holds {EXPECTED}"
    if named and named[0].is_dir():
        raise InputError(
            f"{named[0]} is a folder without frames",
            f"put numbered PNG or JPEG frames in it, or a file {VIDEO} beside it",
        )
    if named:
        convert = shlex.join(["ffmpeg", "-i", str(named[0]), str(folder / VIDEO)])
        raise InputError(f"{named[0]} is not among the kinds of video that are read", f"convert it: {convert}")
    masks = _masks(folder)
    others = [
        entry for entry in sorted(folder.iterdir()) if entry.is_file() and _is_video(entry) and entry not in masks
    ]
    if others:
        rename = shlex.join(["mv", str(others[0]), str(folder / f"{VIDEO_STEM}{others[0].suffix.lower()}")])
        names = ", ".join(entry.name for entry in others)
        raise InputError(
            f"{folder / VIDEO} does not exist; the folder holds {names}", f"give the clip its name: {rename}"
        )
    raise InputError(f"{folder / VIDEO} does not exist", f"put the clip there under this name; {expected}")


def _masks(folder: Path) -> dict[Path, MaskKind]:
    """Masks by name: videos and folders of frames, or pictures where there are none of those."""
    found: dict[Path, MaskKind] = {}
    for pattern in (*QUADMASK_NAMES, BINARY_NAMES):
        for entry in _named(folder, pattern):
            found.setdefault(entry, MaskKind.binary if pattern == BINARY_NAMES else MaskKind.quadmask)
    videos = {entry: kind for entry, kind in found.items() if _is_video(entry)}
    pictures = {entry: kind for entry, kind in found.items() if entry.suffix.lower() in IMAGE_SUFFIXES}
    return dict(sorted((videos or pictures).items()))


def _mask(folder: Path) -> tuple[tuple[Path, ...], MaskKind]:
    found = _masks(folder)
    if not found:
        others = _named(folder, "*mask*")[:3]
        seen = f" by name and kind: not {', '.join(entry.name for entry in others)}" if others else ""
        raise InputError(
            f"{folder} holds no mask{seen}",
            "add quadmask_0.mp4 (black 0: removed, 63: removed and affected, 127: affected, white 255: kept), or a "
            "binary mask_0.mp4 (white: removed)",
        )
    kinds = set(found.values())
    if len(found) > 1 and kinds != {MaskKind.binary}:
        names: Sequence[str] = [file.name for file in found]
        raise InputError(
            f"{folder} holds {len(found)} masks: {', '.join(names)}",
            "keep the one that is meant; move the others away (only binary masks, mask_0.mp4, mask_1.mp4, are joined)",
        )
    return tuple(found), kinds.pop()


def _prompt(file: Path) -> str:
    example = f'write {{"{PROMPT_KEY}": "what the scene shows without the object"}} into it'
    if not file.is_file():
        raise InputError(f"{file} does not exist", example)
    content = read_text(file)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:  # A number of too many digits is no JSONDecodeError.
        raise InputError(f"{file} is not valid JSON ({error})", example) from error
    text = value.get(PROMPT_KEY) if isinstance(value, dict) else None
    if text is None:
        raise InputError(f'{file} has no key "{PROMPT_KEY}"', example)
    if not isinstance(text, str) or not text.strip():
        raise InputError(f'{file}: "{PROMPT_KEY}" is {text!r}, not a description', example)
    return text
