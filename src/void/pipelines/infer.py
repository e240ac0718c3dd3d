"""`void infer`: one predicted clip for each pair of a split, or for each clip of a user's folder.

A stage is one pass over the clips, or two: the second starts from noise that moves with the first one's results.

Every clip has a key over all that it depends on: weights, settings, and the pair or files, in the second pass the first
one's result as well. A rerun keeps the clips whose key and file are unchanged, replaces its own stale ones, and makes
the rest. All that can be found wrong without a network is found before one is built; what is wrong with single clips
is told when the others are done.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from void.config import VoidConfig
from void.errors import InputError
from void.files import sha256_of
from void.pipelines import weights
from void.pipelines.predictions import CLIP, PAIR, SCHEMA, Prediction, Predictions, noise_file
from void.pipelines.queue import Queue, find_queue
from void.pipelines.result_folder import ResultFolder
from void.pipelines.second_pass import SecondPass
from void.pipelines.settings import check_settings, of_pass, sampling_settings
from void.pipelines.sources import LastLoaded, Source
from void.progress import progress_bar
from void.recipe import Stage

if TYPE_CHECKING:
    from void.pipelines.networks import Networks

log = logging.getLogger(__name__)

PACKAGES = ("void", "torch", "diffusers", "transformers")


@dataclass(frozen=True)
class Pass:
    """One pass over the clips.

    Args:
        config: The configuration of the pass (`settings.of_pass`).
        checkpoint: Weights of its transformer.
        settings: All that its clips depend on besides weights and input.
        folder: Where its results go.
    """

    config: VoidConfig
    checkpoint: weights.Checkpoint
    settings: dict[str, Any]
    folder: ResultFolder


def infer(config: VoidConfig) -> None:
    """Predict the pairs of `infer.split` or the clips of `infer.input`; does nothing where all of it is done.

    Raises:
        InputError: Nothing to predict, no checkpoint, an impossible setting, or another process that writes to the
            folder; at the end, where others were sampled, the broken pairs or clips.
    """
    check_settings(config)
    run = Run(config, find_queue(config))
    with run.held():
        for stage in run.passes:
            run.sample(stage)
    run.queue.faults.raise_any(run.queue.total)


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


class Run:
    """The passes of one command, and what they share: the queue, the networks and the clip that was decoded last.

    Args:
        config: The run.
        queue: Its pairs or clips.

    Raises:
        InputError: A checkpoint is missing, or a folder of results cannot be used.
    """

    def __init__(self, config: VoidConfig, queue: Queue) -> None:
        self.config, self.queue = config, queue
        self.passes = {stage: _open_pass(config, stage) for stage in passes(config.stage.name)}
        self._load = LastLoaded(config)
        self._networks: Networks | None = None
        self._second: SecondPass | None = None
        if Stage.pass2 in self.passes:
            self._second = SecondPass(config, queue, self.passes[Stage.pass2].folder, self._load)
        self._are_checked = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes out of the folders of results while the context lasts."""
        try:
            for one in self.passes.values():
                one.folder.hold()
            yield
        finally:
            for one in self.passes.values():
                one.folder.release()

    def sample(self, stage: Stage) -> None:
        """One pass over the clips.

        Raises:
            InputError: A network cannot be had or has diverged, the disk is full, or results would have to be given up.
        """
        this, second = self.passes[stage], None
        if stage is Stage.pass2:
            second = self._second
            assert second is not None
            self._release()
            second.find()
            this.folder.check_names(*self._named(self._sound(self.queue.sources)))
            second.score()
        sources = self._sound(self.queue.sources)
        keys = {source.id: clip_key(this.checkpoint, this.settings, source, second) for source in sources}
        done = this.folder.survey(keys, list(self.queue.faults.errors))
        todo = [source for source in self._sound(self.queue.wanted) if source.id not in done]

        def add(source: Source, prediction: Prediction) -> None:
            done[source.id] = prediction
            this.folder.publish([done[one.id] for one in sources if one.id in done])

        if not todo:
            if not this.folder.is_settled and done:
                this.folder.publish([done[source.id] for source in sources if source.id in done])
            log.info("%s is up to date: %d clips in %s", stage.value, len(done), this.folder.root)
            return
        this.folder.check_names(*self._named(todo))
        if stage is Stage.pass1 and self._second is not None:
            self._second.folder.check_names(*self._named(self.queue.wanted))
        for source in todo:
            if second is not None and second.keeps(source):
                add(source, second.keep(source, keys[source.id]))
        to_sample = [source for source in todo if second is None or not second.keeps(source)]
        if to_sample:
            self._sample(this, to_sample, keys, second, add)
        log.info("predictions of %s: %s", stage.value, this.folder.root)

    def _sample(
        self,
        this: Pass,
        sources: Sequence[Source],
        keys: Mapping[str, str],
        second: SecondPass | None,
        add: Callable[[Source, Prediction], None],
    ) -> None:
        # Imported here because diffusers takes seconds to load, and a finished folder does not need it.
        from void.pipelines.preflight import check_networks
        from void.pipelines.sampler import Sampler

        if not self._are_checked:
            check_networks(self.config, [one.checkpoint for one in self.passes.values()])
            self._are_checked = True
        stage = this.config.stage.name.value
        log.info("%s: sampling %d clip(s) with %s", stage, len(sources), this.checkpoint.path)
        sampler: Sampler | None = None
        with progress_bar(f"Sampling {stage}", len(sources) * this.config.infer.steps) as advance:
            for source in sources:
                # Before the networks: a first clip that is broken is not worth their time.
                try:
                    loaded = self._load(source)
                    driving_THWC = None if second is None else second.driving(source, loaded)
                except InputError as error:
                    self.queue.faults.add(source.id, error)
                    continue
                sampler = sampler or Sampler(this.config, this.checkpoint, self._shared(this, sources))
                found = None if second is None else second.scores.get(source.id)
                with this.folder.staged(source.id) as staging:
                    noise_BTCHW = None
                    if second is not None and driving_THWC is not None:
                        noise_BTCHW = second.noise(source, loaded, driving_THWC, noise_file(staging, source.id))
                    prediction = sampler.predict(
                        source,
                        loaded,
                        keys[source.id],
                        staging / this.folder.file_name(source.id),
                        on_step=advance,
                        noise_BTCHW=noise_BTCHW,
                        morphing=None if found is None else found.score,
                        unmeasured=None if found is None or found.obstacle is None else found.obstacle.value,
                    )
                add(source, prediction)
                if second is None and self._second is not None:
                    # While the clip is decoded: the second pass asks for its score.
                    self._second.score_ahead(source, this.folder.root / prediction.file, prediction)

    def _shared(self, this: Pass, sources: Sequence[Source]) -> Networks:
        from void.pipelines.networks import Networks

        if self._networks is None:
            is_last = this is list(self.passes.values())[-1]
            prompts = [source.caption for source in (sources if is_last else self.queue.wanted)]
            self._networks = Networks(self.config, prompts)
        return self._networks

    def _release(self) -> None:
        if self._networks is not None:
            self._networks.release()

    def _named(self, sources: Sequence[Source]) -> tuple[list[str], list[Path]]:
        """Ids of the clips whose results are to be written, and the files that this run reads."""
        return [source.id for source in sources], [file for source in self.queue.sources for file in source.inputs]

    def _sound(self, sources: Sequence[Source]) -> list[Source]:
        return [source for source in sources if source.id not in self.queue.faults.errors]


def _open_pass(config: VoidConfig, stage: Stage) -> Pass:
    checkpoint, config = checkpoint_of(config, stage), of_pass(config, stage)
    settings = sampling_settings(config)
    versions = {package: version(package) for package in PACKAGES}
    of_clips = config.infer.input is not None
    folder = ResultFolder(
        Path(config.infer.root),
        config.infer.shard,
        config.infer.num_shards,
        Predictions(config.name, checkpoint.record(), settings, versions, ()),
        source=CLIP if of_clips else PAIR,
        suffix=config.infer.format.suffix,
        with_strips=config.infer.strip and of_clips,
        with_noise=stage is Stage.pass2,
    )
    return Pass(config, checkpoint, settings, folder)


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
        "pair": source.fingerprint,
    }
    if second is not None:
        made_from["first_pass"] = second.content(source)
    return sha256_of(made_from)
