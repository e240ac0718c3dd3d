"""What a rerun of `void infer` finds in its folder: results that still hold, and results that it will replace.

Nothing is deleted before the first new result is written, so that a run that cannot begin costs no finished clip. No
file is ever replaced or deleted unless the folder's ledger (`void.ledger`), or the index of a version without ledgers,
says that a run wrote exactly these bytes. A new file is listed there before it gets its name.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from void import ledger
from void.errors import InputError
from void.files import PARTIAL_MARK, check_replaceable, remove_partials, remove_written, sha256_of
from void.lock import one_of_the_writers
from void.pipelines.predictions import (
    CLIP,
    MORPHING,
    NOISE,
    STRIPS,
    Prediction,
    Predictions,
    content_sha256,
    index_files,
    index_name,
    is_index,
    noise_file,
    read_index,
    score_file,
    strip_file,
    write_predictions,
)
from void.recipe import Stage

log = logging.getLogger(__name__)

ANOTHER_FOLDER = "write elsewhere (infer.root=PATH, or name=NAME for a run of its own), or delete the folder"
NAMED_AT_MOST = 5
FRAMES_KIND = "folder of frames"
OWN_FOLDERS = (STRIPS, NOISE, MORPHING)


class ResultFolder:
    """`infer.root`, as one process of perhaps several sees it.

    Args:
        root: The folder; need not exist.
        shard: Number of this process.
        num_shards: Number of processes that share the clips. A single one answers for everything in the folder.
        empty: The index of the current settings and weights, without clips.
        source: `pair` or `clip`, the kind of the results.
        suffix: Suffix of a clip's file name, such as `.mp4`; empty for a folder of pictures.
        with_strips: Whether a result without its strip is unfinished.
        with_noise: Whether a result of the second pass without its noise is unfinished.

    Raises:
        InputError: An index of the folder cannot be read.
    """

    def __init__(
        self,
        root: Path,
        shard: int,
        num_shards: int,
        empty: Predictions,
        *,
        source: str,
        suffix: str,
        with_strips: bool,
        with_noise: bool = False,
    ) -> None:
        self.root, self.index, self.is_alone = root, index_name(shard, num_shards), num_shards == 1
        self.empty, self.source, self.suffix = empty, source, suffix
        self.with_strips, self.with_noise = with_strips, with_noise
        self._indices = {file: read_index(file) for file in index_files(root)}
        self._checksums = {clip.file: clip.sha256 for index in self._indices.values() for clip in index.clips}
        self._others: dict[str, Prediction] = {}
        self._stale: list[Prediction] = []
        self._outdated: list[Path] = []
        self._wanted: set[str] = set()
        self._held: contextlib.ExitStack | None = None

    def hold(self) -> None:
        """Keep other processes out, until `release`; shards of one run work side by side. A missing folder is not held.

        Raises:
            InputError: Another process writes there.
        """
        if self._held is None and self.root.is_dir():
            with contextlib.ExitStack() as held:
                held.enter_context(one_of_the_writers(self.root, alone=self.is_alone))
                self._held = held.pop_all()

    def release(self) -> None:
        """Let other processes write."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def file_name(self, clip_id: str) -> str:
        """Name of a clip's result."""
        return f"{clip_id}{self.suffix}"

    def check_names(self, clip_ids: Collection[str], inputs: Collection[Path] = ()) -> None:
        """Raise InputError where a file that this run would write for one of these clips is there, and is not a run's.

        An input is never replaced, whoever wrote it.
        A folder that cannot be written is refused as well, and a clip whose name one of this folder's own parts has.
        """
        there = next(path for path in (self.root.absolute(), *self.root.absolute().parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            problem = "is a file, not a folder" if not there.is_dir() else "cannot be written"
            raise InputError(
                f"results go to {self.root}, and {there} {problem}", "choose another folder: infer.root=PATH"
            )
        for name in (self.index, *OWN_FOLDERS):
            path, is_folder = self.root / name, name in OWN_FOLDERS
            if os.path.lexists(path) and path.is_dir() is not is_folder:
                problem = f"{path} is {'not a folder' if is_folder else 'a folder, not a file'}"
                raise InputError(problem, "move it away, or write elsewhere: infer.root=PATH")
        reserved = {*OWN_FOLDERS, self.index}
        for clip_id in clip_ids:
            if self.file_name(clip_id) in reserved:
                raise InputError(
                    f"the result of {clip_id} would be named {self.root / self.file_name(clip_id)}, which is taken",
                    "rename the clip's folder",
                )
        names = [name for clip_id in clip_ids for name in self._names(clip_id)]
        read = {path.resolve() for path in inputs}
        foreign = [name for name in names if (self.root / name).resolve() in read or not self._may_write(name)]
        if foreign:
            raise self._refusal(foreign)

    def survey(self, keys: Mapping[str, str], left_out: Collection[str] = ()) -> dict[str, Prediction]:
        """Results of earlier runs that hold; deletes nothing but what killed runs left unfinished.

        Args:
            keys: Keys of this process's clips, by id, in order.
            left_out: Ids of clips that cannot be sampled now; their earlier results stay.

        Raises:
            InputError: The folder holds results that this run has nothing to do with, and would have to give up.
        """
        self._wanted = set(keys)
        if self.is_alone:
            # Other shards may be writing theirs.
            remove_partials(self.root)
        previous = {clip.id: (clip, index) for index in self._indices.values() for clip in index.clips}
        for clip, index in previous.values():
            self._check_belongs(clip, index, {*keys, *left_out})
        current = {name: clip for name, (clip, _) in previous.items() if self._holds(clip, keys)}
        left = {clip.id: (clip, index) for clip, index in previous.values() if clip.id not in current}
        if self.is_alone:
            self._others = {
                name: clip
                for name, (clip, index) in left.items()
                if name not in keys and (self.source == CLIP or name in left_out) and self._alike(index)
            }
        self._stale = [
            clip
            for name, (clip, _) in left.items()
            if name not in self._others and name not in left_out and (self.is_alone or name in keys)
        ]
        self._outdated = [
            file
            for file, index in self._indices.items()
            if file.name != self.index and (self.is_alone or not self._alike(index))
        ]
        if self._stale:
            log.info(
                "%d clip(s) in %s are of other settings, weights or inputs: replaced as soon as a new one is there",
                len(self._stale),
                self.root,
            )
        return current

    @contextlib.contextmanager
    def staged(self, clip_id: str) -> Iterator[Path]:
        """Files of a clip, written below the yielded folder, get their names in `root` together at the end.

        On any error nothing of them is kept.

        Raises:
            InputError: A file of that name is there that no run wrote, or the disk is full.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self.hold()
        staging = self.root / f".{clip_id}{PARTIAL_MARK}{uuid.uuid4().hex[:8]}"
        staging.mkdir()
        try:
            yield staging
            self._take(staging)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def publish(self, clips: Sequence[Prediction]) -> None:
        """Write the index of the results so far; what it replaces is deleted."""
        listed = {clip.id: clip for clip in clips}
        if self._others:
            listed = dict(sorted((self._others | listed).items()))
        write_predictions(self.root, replace(self.empty, clips=tuple(listed.values())), self.index)
        kept = {name for clip in listed.values() for name in self._names(clip.id, clip.file)}
        # The score of a clip that is made again is of this run already.
        kept |= {score_file(Path(), name).as_posix() for name in self._wanted}
        stale = {name for clip in self._stale for name in self._names(clip.id, clip.file)} - kept
        for name in sorted(stale):
            remove_written(self.root / name, earlier=self._is_earlier)
        for file in self._outdated:
            remove_written(file, earlier=is_index)
        self._stale, self._outdated = [], []

    @property
    def is_settled(self) -> bool:
        """Whether the index is there and nothing waits to be replaced."""
        return not self._stale and not self._outdated and (self.root / self.index).is_file()

    def _names(self, clip_id: str, file: str | None = None) -> list[str]:
        """Paths inside the folder of all that belongs to a clip; the noise and the score are the second pass's."""
        name = file or self.file_name(clip_id)
        folder = Path()
        second = (noise_file(folder, clip_id), score_file(folder, clip_id)) if self.with_noise else ()
        return [path.as_posix() for path in (folder / name, strip_file(folder, clip_id), *second)]

    def _take(self, staging: Path) -> None:
        names = _contents(staging, self.suffix)
        foreign = [name for name in names if not self._may_write(name)]
        if foreign:
            raise self._refusal(foreign)
        for name in names:
            made, target = staging / name, self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if made.is_dir():
                inside = {item.relative_to(made).as_posix(): item for item in made.rglob("*") if item.is_file()}
                sums = {file: ledger.content_of(item) for file, item in sorted(inside.items())}
                ledger.note(made, {ledger.WHOLE: FRAMES_KIND} | sums)
                remove_written(target)
            else:
                ledger.note(self.root, {name: ledger.content_of(made)})
            made.replace(target)

    def _may_write(self, name: str) -> bool:
        try:
            check_replaceable(self.root / name, earlier=self._is_earlier)
        except InputError:
            return False
        return True

    def _is_earlier(self, path: Path) -> bool:
        """Whether the index of a version without ledgers lists a clip with exactly these bytes."""
        checksum = self._checksums.get(path.name) if path.parent == self.root else None
        return checksum is not None and content_sha256(path) == checksum

    def _refusal(self, names: Sequence[str]) -> InputError:
        shown = ", ".join(str(self.root / name) for name in names[:NAMED_AT_MOST])
        more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
        return InputError(
            f"{shown}{more} would be replaced, but nothing says that `void infer` wrote exactly this",
            "move it away (a result that was changed on purpose, too), or write elsewhere: infer.root=PATH",
        )

    def _check_belongs(self, clip: Prediction, index: Predictions, ids: Collection[str]) -> None:
        if clip.source != self.source:
            raise InputError(
                f"{self.root} holds results of a run over {clip.source}s, this run is over {self.source}s",
                ANOTHER_FOLDER,
            )
        if self.source == CLIP and self.is_alone and clip.id not in ids and not self._alike(index):
            raise InputError(
                f"{self.root} holds the result of another clip, {clip.id}, of other settings or weights",
                ANOTHER_FOLDER,
            )

    def _holds(self, clip: Prediction, keys: Mapping[str, str]) -> bool:
        if keys.get(clip.id) != clip.key:
            return False
        if self.with_strips and not (self.root / strip_file(Path(), clip.id)).is_file():
            return False
        if self.with_noise and clip.stage == Stage.pass2.value and not noise_file(self.root, clip.id).is_file():
            return False
        path = self.root / clip.file
        return path.exists() and content_sha256(path) == clip.sha256

    def _alike(self, index: Predictions) -> bool:
        mine, theirs = ((sha256_of(one.settings), one.checkpoint["sha256"]) for one in (self.empty, index))
        return mine == theirs


def _contents(staging: Path, suffix: str) -> list[str]:
    """Paths inside a staging folder of what is given its name as one: files, and folders of pictures."""
    whole = [item for item in staging.iterdir() if item.is_file() or (not suffix and item.name not in OWN_FOLDERS)]
    below = [item for name in OWN_FOLDERS for item in (staging / name).glob("*")]
    return sorted(item.relative_to(staging).as_posix() for item in (*whole, *below))
