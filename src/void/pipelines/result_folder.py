"""What a rerun of `void infer` finds in its folder: results that still hold, and results that it will replace.

Nothing is deleted before the first new result is written, so that a run that cannot begin costs no finished clip.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from void.errors import InputError
from void.files import remove_partials, sha256_file, sha256_of
from void.pipelines.predictions import (
    CLIP,
    STRIPS,
    Prediction,
    Predictions,
    index_files,
    index_name,
    noise_file,
    read_index,
    score_file,
    write_predictions,
)
from void.recipe import Stage

log = logging.getLogger(__name__)

ANOTHER_FOLDER = "write elsewhere (infer.root=PATH, or name=NAME for a run of its own), or delete the folder"


class ResultFolder:
    """`infer.root`, as one process of perhaps several sees it.

    Args:
        root: the folder.
        shard: number of this process.
        num_shards: how many share the clips. A single one answers for everything in the folder.
        empty: the index of the current settings and weights, without clips.
        source: whether results are of pairs or of a user's clips.
        with_strips: whether a result without its strip is unfinished.
        with_noise: whether a result of the second pass without its noise is unfinished.
    """

    def __init__(
        self,
        root: Path,
        shard: int,
        num_shards: int,
        empty: Predictions,
        *,
        source: str,
        with_strips: bool,
        with_noise: bool = False,
    ) -> None:
        self.root, self.index, self.is_alone = root, index_name(shard, num_shards), num_shards == 1
        self.empty, self.source, self.with_strips, self.with_noise = empty, source, with_strips, with_noise
        self._others: dict[str, Prediction] = {}
        self._stale: list[Prediction] = []
        self._outdated: list[Path] = []
        self._wanted: set[str] = set()

    def survey(self, keys: Mapping[str, str]) -> dict[str, Prediction]:
        """Results of earlier runs that hold; deletes nothing.

        Args:
            keys: of this process's clips, by id, in order.

        Raises:
            InputError: the folder holds results that this run has nothing to do with, and would have to give up.
        """
        self._wanted = set(keys)
        if self.is_alone:
            # Other shards may be writing theirs.
            remove_partials(self.root)
        indices = {file: read_index(file) for file in index_files(self.root)}
        previous = {clip.id: (clip, index) for index in indices.values() for clip in index.clips}
        for clip, index in previous.values():
            self._check_belongs(clip, index, keys)
        current = {name: clip for name, (clip, _) in previous.items() if self._holds(clip, keys)}
        left = [clip for clip, _ in previous.values() if clip.id not in current]
        if self.is_alone and self.source == CLIP:
            self._others = {clip.id: clip for clip in left if clip.id not in keys}
        self._stale = [clip for clip in left if clip.id not in self._others and (self.is_alone or clip.id in keys)]
        self._outdated = [
            file
            for file, index in indices.items()
            if file.name != self.index and (self.is_alone or not self._alike(index))
        ]
        if self._stale:
            log.info(
                "%d clip(s) in %s are of other settings, weights or inputs: deleted as soon as a new one is there",
                len(self._stale),
                self.root,
            )
        return current

    def publish(self, clips: Sequence[Prediction]) -> None:
        """Write the index of the results so far; what it replaces is deleted."""
        listed = {clip.id: clip for clip in clips}
        if self._others:
            listed = dict(sorted((self._others | listed).items()))
        write_predictions(self.root, replace(self.empty, clips=tuple(listed.values())), self.index)
        for clip in self._stale:
            if clip.id not in listed:
                for path in (self.root / clip.file, self._strip(clip), self._noise(clip)):
                    path.unlink(missing_ok=True)
                # The score of a clip that is made again is of this run already.
                if clip.id not in self._wanted:
                    score_file(self.root, clip.id).unlink(missing_ok=True)
        for file in self._outdated:
            file.unlink(missing_ok=True)
        self._stale, self._outdated = [], []

    @property
    def is_settled(self) -> bool:
        """Whether the index is there and nothing waits to be replaced."""
        return not self._stale and not self._outdated and (self.root / self.index).is_file()

    def _check_belongs(self, clip: Prediction, index: Predictions, keys: Mapping[str, str]) -> None:
        if clip.source != self.source:
            raise InputError(
                f"{self.root} holds results of a run over {clip.source}s, this run is over {self.source}s",
                ANOTHER_FOLDER,
            )
        if self.source == CLIP and self.is_alone and clip.id not in keys and not self._alike(index):
            raise InputError(
                f"{self.root} holds the result of another clip, {clip.id}, of other settings or weights",
                ANOTHER_FOLDER,
            )

    def _holds(self, clip: Prediction, keys: Mapping[str, str]) -> bool:
        if keys.get(clip.id) != clip.key:
            return False
        if self.with_strips and not self._strip(clip).is_file():
            return False
        if self.with_noise and clip.stage == Stage.pass2.value and not self._noise(clip).is_file():
            return False
        file = self.root / clip.file
        return file.is_file() and sha256_file(file) == clip.sha256

    def _strip(self, clip: Prediction) -> Path:
        return self.root / STRIPS / clip.file

    def _noise(self, clip: Prediction) -> Path:
        return noise_file(self.root, clip.id)

    def _alike(self, index: Predictions) -> bool:
        mine, theirs = ((sha256_of(one.settings), one.checkpoint["sha256"]) for one in (self.empty, index))
        return mine == theirs
