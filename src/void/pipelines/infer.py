"""`void infer`: one predicted clip for each pair of a split, or for each clip of a user's folder.

A stage is one pass over the clips, or two: the second starts from noise that moves with the first one's results.

Every clip has a key over all that it depends on: weights, settings, and the pair or files, in the second pass the first
one's result as well. A rerun keeps the clips whose key and file are unchanged, deletes its own stale ones, and makes
the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from void.config import VoidConfig
from void.files import sha256_of
from void.pipelines import weights
from void.pipelines.predictions import CLIP, PAIR, SCHEMA, Prediction, Predictions
from void.pipelines.result_folder import ResultFolder
from void.pipelines.second_pass import SecondPass
from void.pipelines.settings import check_settings, of_pass, sampling_settings
from void.pipelines.sources import Source, find_sources
from void.progress import progress_bar
from void.recipe import Stage

log = logging.getLogger(__name__)

PACKAGES = ("void", "torch", "diffusers", "transformers")


def infer(config: VoidConfig) -> None:
    """Predict the pairs of `infer.split` or the clips of `infer.input`; does nothing where all of it is done.

    Raises:
        InputError: nothing to predict, no checkpoint, an impossible setting, or a broken pair or clip.
    """
    check_settings(config)
    sources = find_sources(config)
    stage = config.stage.name
    # Chosen before the first pass begins: hours later is too late to hear that one is missing.
    chosen = {name: checkpoint_of(config, name) for name in passes(stage)}
    if Stage.pass1 in chosen:
        predict(of_pass(config, Stage.pass1), chosen[Stage.pass1], sources)
    if Stage.pass2 in chosen:
        second = SecondPass(config, sources)
        predict(of_pass(config, Stage.pass2), chosen[Stage.pass2], sources, second)


def passes(stage: Stage) -> tuple[Stage, ...]:
    """The passes that a stage consists of, in order."""
    return (stage,) if stage in (Stage.pass1, Stage.pass2) else (Stage.pass1, Stage.pass2)


def checkpoint_of(config: VoidConfig, stage: Stage) -> weights.Checkpoint:
    """The checkpoint that a pass samples with.

    Raises:
        InputError: there is none, or it cannot be a transformer of this project.
    """
    key = weights.SECOND if stage is Stage.pass2 else weights.FIRST
    checkpoint = weights.choose(config, key)
    if checkpoint.stage not in (None, stage.value):
        log.warning(
            "%s=%s was trained with stage=%s, but samples %s: are the two exchanged?",
            key,
            checkpoint.path,
            checkpoint.stage,
            stage.value,
        )
    return checkpoint


def predict(
    config: VoidConfig, checkpoint: weights.Checkpoint, sources: Sequence[Source], second: SecondPass | None = None
) -> None:
    """One pass over the clips.

    Args:
        config: of the pass (`settings.of_pass`).
        checkpoint: of its transformer.
        sources: all of this process; `infer.limit` of them are predicted.
        second: what the second pass starts from; None in the first.
    """
    settings = sampling_settings(config)
    keys = {source.id: clip_key(checkpoint, settings, source, second) for source in sources}
    versions = {package: version(package) for package in PACKAGES}
    folder = ResultFolder(
        Path(config.infer.root),
        config.infer.shard,
        config.infer.num_shards,
        Predictions(config.name, checkpoint.record(), settings, versions, ()),
        source=PAIR if config.infer.input is None else CLIP,
        with_strips=config.infer.strip and config.infer.input is not None,
        with_noise=second is not None,
    )
    done = folder.survey(keys)
    todo = [source for source in sources[: config.infer.limit] if source.id not in done]

    def add(source: Source, prediction: Prediction) -> None:
        done[source.id] = prediction
        folder.publish([done[one.id] for one in sources if one.id in done])

    if not todo:
        if not folder.is_settled:
            folder.publish([done[source.id] for source in sources if source.id in done])
        log.info("%s is up to date: %d clips in %s", config.stage.name.value, len(done), folder.root)
        return
    for source in todo:
        source.check()
    to_sample = [source for source in todo if second is None or not second.keeps(source)]
    for source in todo:
        if second is not None and second.keeps(source):
            add(source, second.keep(source, keys[source.id]))
    if to_sample:
        _sample(config, checkpoint, to_sample, keys, second, add)
    log.info("predictions of %s: %s", config.stage.name.value, folder.root)


def _sample(
    config: VoidConfig,
    checkpoint: weights.Checkpoint,
    sources: Sequence[Source],
    keys: Mapping[str, str],
    second: SecondPass | None,
    add: Callable[[Source, Prediction], None],
) -> None:
    # Imported here because diffusers takes seconds to load, and a finished folder does not need it.
    from void.pipelines.sampler import Sampler

    stage = config.stage.name.value
    log.info("%s: sampling %d clip(s) with %s", stage, len(sources), checkpoint.path)
    with progress_bar(f"Sampling {stage}", len(sources) * config.infer.steps) as advance:
        sampler = Sampler(config, checkpoint, [source.caption for source in sources])
        for source in sources:
            loaded = source.load(config)
            noise_BTCHW = None if second is None else second.noise(source, loaded)
            score = None if second is None else second.scores.get(source.id)
            prediction = sampler.predict(
                source, loaded, keys[source.id], on_step=advance, noise_BTCHW=noise_BTCHW, morphing=score
            )
            add(source, prediction)


def clip_key(
    checkpoint: weights.Checkpoint, settings: Mapping[str, Any], source: Source, second: SecondPass | None = None
) -> str:
    """Hash over all that the clip of a pair or folder depends on."""
    if second is not None and second.keeps(source):
        return second.kept_key(source)
    made_from = {
        "schema": SCHEMA,
        "checkpoint": checkpoint.sha256,
        "settings": settings,
        "id": source.id,
        "pair": source.fingerprint(),
    }
    if second is not None:
        made_from["first_pass"] = second.content(source)
    return sha256_of(made_from)
