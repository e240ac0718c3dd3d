"""What `void infer` samples: a pair of a manifest or a user's clip. Only decoding it imports what that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from void.config import VoidConfig
from void.errors import InputError
from void.manifest import VIDEOS, ManifestRow
from void.pipelines.predictions import CLIP, PAIR, pair_fingerprint
from void.shapes import check_length

if TYPE_CHECKING:
    from void.pipelines.clip_folders import ClipFolder
    from void.pipelines.loaded import Loaded, LoadedClip, LoadedPair


class Source(Protocol):
    """One clip to sample.

    Args:
        id: of the pair, or the name of the user's folder.
        caption: the prompt.
        kind: `pair` or `clip`.
    """

    @property
    def id(self) -> str: ...
    @property
    def caption(self) -> str: ...
    @property
    def kind(self) -> str: ...

    @property
    def inputs(self) -> Sequence[Path]:
        """Files that are the user's own."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash over the contents of its files, as they were when it was first asked for."""
        ...

    def check(self, config: VoidConfig) -> None:
        """Raise InputError for what can be found wrong without decoding it."""
        ...

    def load(self, config: VoidConfig) -> Loaded:
        """Decode it and fit it to `data.height` x `data.width`.

        Raises:
            InputError: a file is broken, or too short.
        """
        ...


@dataclass(frozen=True)
class PairSource:
    """A pair of `data.root`; see `Source`."""

    row: ManifestRow
    kind = PAIR

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def caption(self) -> str:
        return self.row.caption

    @property
    def inputs(self) -> Sequence[Path]:
        return ()

    @property
    def fingerprint(self) -> str:
        return pair_fingerprint(self.row)

    def check(self, config: VoidConfig) -> None:
        """Raise InputError where a file is missing, or the manifest says that the pair is too short."""
        folder = Path(config.data.root) / self.row.path
        missing = [name for name in VIDEOS if not (folder / name).is_file()]
        if missing:
            raise InputError(
                f"pair {self.id}: {folder} has no {', '.join(missing)}",
                "mend the folder, or take its row out of the manifest",
            )
        check_length(self.row.frames, config.data.frames, self.id)

    def load(self, config: VoidConfig) -> LoadedPair:
        # Imported here because results that are finished are known by their keys, without decoding anything.
        from void.data.fit import fit_pair
        from void.pairs import read_pair
        from void.pipelines.loaded import LoadedPair

        pair = fit_pair(read_pair(Path(config.data.root) / self.row.path), config.data, self.row.id)
        frames = range(len(pair.rgb_full_THWC))
        return LoadedPair(
            pair.rgb_full_THWC, pair.quadmask, frames, pair.rgb_removed_THWC, fps=pair.fps, infer=config.infer
        )


@dataclass(frozen=True)
class ClipSource:
    """A user's clip folder; see `Source`."""

    files: ClipFolder
    kind = CLIP

    @property
    def id(self) -> str:
        return self.files.id

    @property
    def caption(self) -> str:
        return self.files.caption

    @property
    def inputs(self) -> Sequence[Path]:
        return self.files.video, *self.files.masks

    @cached_property
    def fingerprint(self) -> str:
        from void.pipelines.clip_folders import clip_fingerprint

        return clip_fingerprint(self.files)

    def check(self, config: VoidConfig) -> None:
        # Decodes the files to count their frames.
        from void.pipelines.clip_checks import check_clip

        check_clip(self.files)

    def load(self, config: VoidConfig) -> LoadedClip:
        from void.pipelines.clips import load_clip, mirrored
        from void.pipelines.loaded import LoadedClip

        clip = load_clip(self.files, config)
        order = mirrored(clip.frames, len(clip.video_THWC))
        return LoadedClip(clip.video_THWC, clip.quadmask, order, None, clip=clip, files=self.files, config=config)


class LastLoaded:
    """Decodes sources, and keeps the last one: all that is done with a clip in a row decodes it once.

    Args:
        config: The run; its passes share all that a loaded source depends on.
    """

    def __init__(self, config: VoidConfig) -> None:
        self._config = config
        self._last: tuple[str, Loaded] | None = None

    def __call__(self, source: Source) -> Loaded:
        """A source, decoded and fitted.

        Raises:
            InputError: A file is broken, or too short.
        """
        if self._last is None or self._last[0] != source.id:
            # The one before is given up first: two long clips are not in memory together.
            self._last = None
            self._last = (source.id, source.load(self._config))
        return self._last[1]
