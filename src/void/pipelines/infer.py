"""`void infer`: one predicted clip for each pair of a split.

Every clip has a key over all that it depends on: weights, settings, and the pair. A rerun keeps the clips whose key and
file are unchanged, deletes its own stale ones, and makes the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from void.config import VoidConfig
from void.data.randomness import child_seed
from void.errors import InputError
from void.files import remove_partials, sha256_file, sha256_of
from void.models.identity import tokenizer_identity, weights_identity
from void.pairs import ManifestRow, read_manifest, select
from void.pipelines import weights
from void.pipelines.predictions import (
    INDEX,
    SCHEMA,
    Prediction,
    Predictions,
    pair_fingerprint,
    read_predictions,
    write_predictions,
)
from void.shapes import check_frames, check_size
from void.tracking.progress import progress_bar

log = logging.getLogger(__name__)

PACKAGES = ("void", "torch", "diffusers", "transformers")


def infer(config: VoidConfig) -> None:
    """Predict the pairs of `infer.split`, up to `infer.limit`; does nothing where all of it is done.

    Raises:
        InputError: no pairs, no checkpoint, an impossible setting, or a broken pair.
    """
    check_frames(config.data.frames, "data.frames")
    check_size(config.data.height, config.data.width, "data")
    _check_settings(config)
    rows = select(read_manifest(Path(config.data.root)), config.infer.split)
    checkpoint = weights.choose(config)
    settings = sampling_settings(config)
    keys = {row.id: clip_key(checkpoint, settings, row) for row in rows}

    root = Path(config.infer.root)
    remove_partials(root)
    done = _keep_current(root, keys)
    todo = [row for row in rows[: config.infer.limit] if row.id not in done]
    if not todo:
        log.info("infer is up to date: %d clips in %s", len(done), root)
        return

    # Imported here because torch and diffusers take seconds to load, and a finished folder needs neither.
    from void.pipelines.sampler import Sampler

    versions = {package: version(package) for package in PACKAGES}
    log.info("sampling %d clips with %s", len(todo), checkpoint.path)
    with progress_bar("Sampling", len(todo) * config.infer.steps) as advance:
        sampler = Sampler(config, checkpoint, [row.caption for row in todo])
        for row in todo:
            done[row.id] = sampler.predict(row, keys[row.id], on_step=advance)
            clips = tuple(done[row.id] for row in rows if row.id in done)
            write_predictions(root, Predictions(config.name, checkpoint.record(), settings, versions, clips))
    log.info("predictions: %s", root)


def _check_settings(config: VoidConfig) -> None:
    """Refuse impossible values before a finished clip is given up for them."""
    settings, most = config.infer, config.model.scheduler["num_train_timesteps"]
    wrong = [
        (
            settings.limit is not None and settings.limit < 1,
            f"limit = {settings.limit}",
            "use 1 or more, or null for all",
        ),
        (not 1 <= settings.steps <= most, f"steps = {settings.steps}", f"use 1 to {most}; 30 is usual"),
        (settings.guidance_scale < 1, f"guidance_scale = {settings.guidance_scale}", "use 1 for no guidance, or more"),
        (not 0 <= settings.crf <= 51, f"crf = {settings.crf}", "use 0 (best) to 51"),
    ]
    for is_wrong, shown, remedy in wrong:
        if is_wrong:
            raise InputError(f"infer.{shown} is out of range", remedy)


def sampling_settings(config: VoidConfig) -> dict[str, Any]:
    """What a clip depends on besides checkpoint and pair, as JSON. Weights are known by content, not by path."""
    model = {
        name: value for name, value in asdict(config.model).items() if name not in ("hub_repository", "weights_root")
    }
    model |= {
        "vae_weights": weights_identity(config.model, config.model.vae_weights),
        "text_encoder_weights": weights_identity(config.model, config.model.text_encoder_weights),
        "tokenizer": tokenizer_identity(config.model),
    }
    del model["transformer_weights"]
    return {
        "model": model,
        "recipe": {"name": config.recipe.name, "mask_levels": config.recipe.mask_levels.value},
        "geometry": {"frames": config.data.frames, "height": config.data.height, "width": config.data.width},
        "infer": {name: getattr(config.infer, name) for name in ("steps", "guidance_scale", "seed", "crf")},
    }


def clip_key(checkpoint: weights.Checkpoint, settings: dict[str, Any], row: ManifestRow) -> str:
    """Hash over all that the clip of a pair depends on."""
    return sha256_of(
        {
            "schema": SCHEMA,
            "checkpoint": checkpoint.sha256,
            "settings": settings,
            "id": row.id,
            "pair": pair_fingerprint(row),
        }
    )


def clip_seed(config: VoidConfig, pair_id: str) -> int:
    """Seed of a clip's own generator."""
    return child_seed(config.infer.seed, "infer", pair_id)


def _keep_current(root: Path, keys: dict[str, str]) -> dict[str, Prediction]:
    """Clips of an earlier run that still hold; the others it made are deleted, so that the folder shows one state."""
    if not (root / INDEX).is_file():
        return {}
    previous = read_predictions(root)
    current = {clip.id: clip for clip in previous.clips if _is_current(root, clip, keys)}
    stale = [clip for clip in previous.clips if clip.id not in current]
    if stale:
        log.info("%d clips in %s are of other settings, weights or pairs: they are made again", len(stale), root)
        _discard(root, previous, list(current.values()), stale)
    return current


def _is_current(root: Path, clip: Prediction, keys: dict[str, str]) -> bool:
    file = root / clip.file
    return keys.get(clip.id) == clip.key and file.is_file() and sha256_file(file) == clip.sha256


def _discard(root: Path, previous: Predictions, kept: Sequence[Prediction], stale: Sequence[Prediction]) -> None:
    write_predictions(root, Predictions(**{**vars(previous), "clips": tuple(kept)}))
    for clip in stale:
        (root / clip.file).unlink(missing_ok=True)
