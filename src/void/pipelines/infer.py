"""`void infer`: one predicted clip for each pair of a split, or for each clip of a user's folder.

Every clip has a key over all that it depends on: weights, settings, and the pair or files. A rerun keeps the clips
whose key and file are unchanged, deletes its own stale ones, and makes the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from void.config import VoidConfig
from void.files import remove_partials, sha256_file, sha256_of
from void.pairs import ManifestRow, read_manifest, select
from void.pipelines import weights
from void.pipelines.clip_folders import ClipFolder, clip_fingerprint, find_clips
from void.pipelines.predictions import (
    INDEX,
    SCHEMA,
    STRIPS,
    Prediction,
    Predictions,
    index_files,
    index_name,
    pair_fingerprint,
    read_index,
    write_predictions,
)
from void.pipelines.settings import check_settings, sampling_settings
from void.tracking.progress import progress_bar

log = logging.getLogger(__name__)

PACKAGES = ("void", "torch", "diffusers", "transformers")

Source = ManifestRow | ClipFolder


def infer(config: VoidConfig) -> None:
    """Predict the pairs of `infer.split` or the clips of `infer.input`; does nothing where all of it is done.

    Raises:
        InputError: nothing to predict, no checkpoint, an impossible setting, or a broken pair or clip.
    """
    check_settings(config)
    sources = _sources(config)
    checkpoint = weights.choose(config)
    settings = sampling_settings(config)
    prints = {source.id: fingerprint(source) for source in sources}
    keys = {name: clip_key(checkpoint, settings, name, prints[name]) for name in prints}

    root, name = Path(config.infer.root), index_name(config.infer.shard, config.infer.num_shards)
    if config.infer.num_shards == 1:
        # Other shards may be writing theirs.
        remove_partials(root)
    done = _keep_current(config, keys, settings, checkpoint)
    todo = [source for source in sources[: config.infer.limit] if source.id not in done]
    versions = {package: version(package) for package in PACKAGES}

    def write_index() -> None:
        clips = tuple(done[source.id] for source in sources if source.id in done)
        write_predictions(root, Predictions(config.name, checkpoint.record(), settings, versions, clips), name)

    if not todo:
        if not (root / name).is_file():
            write_index()
        _drop_shard_indices(config)
        log.info("infer is up to date: %d clips in %s", len(done), root)
        return

    # Imported here because torch and diffusers take seconds to load, and a finished folder needs neither.
    from void.pipelines.sampler import Sampler

    log.info("sampling %d clips with %s", len(todo), checkpoint.path)
    with progress_bar("Sampling", len(todo) * config.infer.steps) as advance:
        sampler = Sampler(config, checkpoint, [source.caption for source in todo])
        for source in todo:
            done[source.id] = sampler.predict(source, keys[source.id], on_step=advance)
            write_index()
    _drop_shard_indices(config)
    log.info("predictions: %s", root)


def fingerprint(source: Source) -> str:
    """Hash over what a pair's or clip's files hold."""
    return clip_fingerprint(source) if isinstance(source, ClipFolder) else pair_fingerprint(source)


def clip_key(checkpoint: weights.Checkpoint, settings: Mapping[str, Any], clip_id: str, content: str) -> str:
    """Hash over all that the clip of a pair or folder depends on; `content` is its fingerprint."""
    return sha256_of(
        {
            "schema": SCHEMA,
            "checkpoint": checkpoint.sha256,
            "settings": settings,
            "id": clip_id,
            "pair": content,
        }
    )


def _sources(config: VoidConfig) -> Sequence[Source]:
    """What this shard predicts, in order."""
    if config.infer.input is None:
        every: Sequence[Source] = select(read_manifest(Path(config.data.root)), config.infer.split)
    else:
        every = find_clips(Path(config.infer.input))
        for clip in every:
            log.info("clip %s: mask %s, read as %s", clip.id, clip.mask.name, clip.mask_kind.value)
    return every[config.infer.shard :: config.infer.num_shards]


def _keep_current(
    config: VoidConfig, keys: Mapping[str, str], settings: Mapping[str, Any], checkpoint: weights.Checkpoint
) -> dict[str, Prediction]:
    """Clips of earlier runs that still hold; stale ones of this shard are deleted, so the folder shows one state."""
    root, sole = Path(config.infer.root), config.infer.num_shards == 1
    own = root / index_name(config.infer.shard, config.infer.num_shards)
    current: dict[str, Prediction] = {}
    stale: dict[str, Prediction] = {}
    for file in index_files(root):
        index = read_index(file)
        for clip in index.clips:
            if _is_current(config, clip, keys):
                current[clip.id] = clip
            elif sole or file == own or clip.id in keys:
                stale[clip.id] = clip
        if sole or file == own:
            kept = tuple(clip for clip in index.clips if clip.id in current)
            if len(kept) < len(index.clips):
                write_predictions(root, Predictions(**{**vars(index), "clips": kept}), file.name)
        elif (sha256_of(index.settings), index.checkpoint["sha256"]) != (sha256_of(settings), checkpoint.sha256):
            # Of an earlier run: no clip of it holds for any shard, and its settings would contradict theirs.
            file.unlink(missing_ok=True)
    stale = {name: clip for name, clip in stale.items() if name not in current}
    if stale:
        log.info("%d clips in %s are of other settings, weights or inputs: they are made again", len(stale), root)
    for clip in stale.values():
        for path in (root / clip.file, root / STRIPS / clip.file):
            path.unlink(missing_ok=True)
    return current


def _is_current(config: VoidConfig, clip: Prediction, keys: Mapping[str, str]) -> bool:
    root = Path(config.infer.root)
    if keys.get(clip.id) != clip.key:
        return False
    if config.infer.strip and config.infer.input is not None and not (root / STRIPS / clip.file).is_file():
        return False
    file = root / clip.file
    return file.is_file() and sha256_file(file) == clip.sha256


def _drop_shard_indices(config: VoidConfig) -> None:
    """A run without shards has taken over what shards made."""
    if config.infer.num_shards == 1:
        for file in index_files(Path(config.infer.root)):
            if file.name != INDEX:
                file.unlink()
