"""The folder of a data set: which pairs it wants and holds, and what it says about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from data_gen.config import SceneConfig
from data_gen.executors.driver import Failure
from data_gen.quota import Place, places
from data_gen.shards import Shard
from data_gen.simulator import pair_id
from data_gen.summary import (
    SUMMARY,
    TIMINGS,
    Seconds,
    add_timing,
    is_earlier_timings,
    past_failures,
    read_timings,
    summarise,
)
from void.errors import InputError
from void.files import check_replaceable, is_our_json, read_json, remove_partials, write_json
from void.lock import sole_writer
from void.pairs import METADATA, check_manifest_free, check_pair_free, pair_row, write_manifest

PAIRS = "pairs"
LOGS = "logs"
is_earlier_summary = is_our_json("pairs", "wanted", "families")


def scene_places(scene: SceneConfig) -> list[Place]:
    """Split and family of every scene of a configuration."""
    shares = {item.name: getattr(scene.families, item.name).share for item in fields(scene.families)}
    return places(scene.count, shares, scene.val_every)


class DataFolder:
    """The folder of a data set. Several commands may work in it, see `data_gen.shards`.

    Args:
        root: absolute.
        scene: configuration of the scenes.
    """

    def __init__(self, root: Path, scene: SceneConfig) -> None:
        self.root = root
        self.pairs = root / PAIRS
        self.logs = root / LOGS
        places = scene_places(scene)
        self.indices = {pair_id(index, place.family): index for index, place in enumerate(places)}
        """Of the scenes that are wanted, by pair id."""
        self.places: Mapping[str, Place] = dict(zip(self.indices, places, strict=True))
        """Of the same, by pair id."""

    def is_made(self, name: str) -> bool:
        """Whether a pair is finished."""
        return (self.pairs / name / METADATA).is_file()

    def refuse_fewer(self) -> None:
        """Raise InputError where pairs are not wanted: the manifest would lose pairs that other stages have used."""
        made = [path.parent.name for path in self.pairs.glob(f"*-*/{METADATA}")]
        beyond = sorted((name for name in made if name not in self.indices), key=_index_in)
        if beyond:
            raise InputError(
                f"scene.count = {len(self.indices)}, but {self.pairs} holds {len(made)} pairs, up to {beyond[-1]}",
                f"use scene.count={_index_in(beyond[-1]) + 1} or more, or another folder (data.root=PATH)",
            )

    def refuse_foreign(self, missing: Sequence[str]) -> None:
        """Raise InputError where a file or folder has the name of one that is to be written, and is not ours.

        Args:
            missing: Ids of the pairs that are to be made.
        """
        check_manifest_free(self.root)
        check_replaceable(self.root / SUMMARY, earlier=is_earlier_summary)
        check_replaceable(self.root / TIMINGS, earlier=is_earlier_timings)
        for name in missing:
            check_pair_free(self.pairs / name)
            check_replaceable(self.logs / f"{name}.log")

    def tidy(self, shard: Shard) -> None:
        """Delete what killed commands left, but not what those of other shards are writing. Call under the lock."""

        def is_mine(name: str) -> bool:
            return name not in self.indices or shard.has(self.indices[name])

        remove_partials(self.root)
        remove_partials(self.pairs, of=is_mine)

    def note_seconds(self, name: str, seconds: Seconds) -> None:
        """Keep what a finished pair cost."""
        with sole_writer(self.root, wait=True):
            add_timing(self.root, name, seconds)

    def publish(self, failures: Sequence[Failure], *, tried: set[str]) -> dict[str, Any]:
        """Write manifest and summary, from the finished pairs alone, whoever made them.

        Args:
            failures: of this command.
            tried: pair ids that this command was to make; the failures of others are kept until their pairs exist.

        Returns:
            The summary.
        """
        with sole_writer(self.root, wait=True):
            finished = [name for name in self.indices if self.is_made(name)]
            if finished:
                rows = [pair_row(self.root, self.pairs / name, split=self.places[name].split) for name in finished]
                write_manifest(self.root, rows)
            metadata = {name: read_json(self.pairs / name / METADATA) for name in finished}
            rejected = {name: facts.get("rejected", {}) for name, facts in metadata.items()}
            earlier = [past for past in past_failures(self.root) if past.id not in tried]
            open_failures = [past for past in (*earlier, *failures) if past.id not in rejected]
            unusable = [facts.get("unusable", {}) for facts in metadata.values()]
            summary = summarise(self.places, rejected, open_failures, read_timings(self.root), unusable)
            write_json(self.root / SUMMARY, summary, earlier=is_earlier_summary)
            return summary


def _index_in(name: str) -> int:
    return int(name.rsplit("-", 1)[1])
