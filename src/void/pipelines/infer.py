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
from void.files import sha256_of
from void.pairs import ManifestRow, read_manifest, select
from void.pipelines import weights
from void.pipelines.clip_folders import ClipFolder, clip_fingerprint, find_clips
from void.pipelines.clips import check_clip
from void.pipelines.predictions import CLIP, PAIR, SCHEMA, Predictions, pair_fingerprint
from void.pipelines.result_folder import ResultFolder
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
    versions = {package: version(package) for package in PACKAGES}
    folder = ResultFolder(
        Path(config.infer.root),
        config.infer.shard,
        config.infer.num_shards,
        Predictions(config.name, checkpoint.record(), settings, versions, ()),
        source=PAIR if config.infer.input is None else CLIP,
        with_strips=config.infer.strip and config.infer.input is not None,
    )
    done = folder.survey(keys)
    todo = [source for source in sources[: config.infer.limit] if source.id not in done]
    if not todo:
        if not folder.is_settled:
            folder.publish([done[source.id] for source in sources if source.id in done])
        log.info("infer is up to date: %d clips in %s", len(done), folder.root)
        return
    for source in todo:
        if isinstance(source, ClipFolder):
            check_clip(source)

    # Imported here because torch and diffusers take seconds to load, and a finished folder needs neither.
    from void.pipelines.sampler import Sampler

    log.info("sampling %d clips with %s", len(todo), checkpoint.path)
    with progress_bar("Sampling", len(todo) * config.infer.steps) as advance:
        sampler = Sampler(config, checkpoint, [source.caption for source in todo])
        for source in todo:
            done[source.id] = sampler.predict(source, keys[source.id], on_step=advance)
            folder.publish([done[source.id] for source in sources if source.id in done])
    log.info("predictions: %s", folder.root)


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
