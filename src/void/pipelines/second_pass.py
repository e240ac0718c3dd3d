"""What the second pass starts from: results of the first one, how much they morph, and noise that moves with them."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from void.config import VoidConfig
from void.data.randomness import child_seed
from void.device import torch_device
from void.errors import InputError
from void.files import read_json, sha256_file, sha256_of, whole_file, write_json
from void.noise.config import NoiseVideo
from void.noise.files import write_noise
from void.noise.flow import DisFlow
from void.noise.maker import NoiseMaker
from void.noise.morphing import morphing
from void.pipelines.predictions import (
    STRIPS,
    Prediction,
    clip_seed,
    index_files,
    noise_file,
    read_index,
    score_file,
)
from void.pipelines.settings import second_pass_settings
from void.pipelines.sources import Loaded, Source
from void.progress import progress_bar
from void.recipe import Stage
from void.video import probe

log = logging.getLogger(__name__)

SCHEMA = 1


@dataclass(frozen=True)
class FirstPass:
    """One result of the first pass: its file, the checksum of that, and its entry where `void infer` made it."""

    file: Path
    sha256: str
    prediction: Prediction | None


class SecondPass:
    """Finds the first pass's results and scores them; makes noise when asked.

    Args:
        config: the run (not yet that of a pass).
        sources: of this process; those that `infer.limit` leaves out need no first pass.

    Raises:
        InputError: a result of the first pass is missing, stale, or does not fit its clip.
    """

    def __init__(self, config: VoidConfig, sources: Sequence[Source]) -> None:
        self.config = config
        self.root = Path(config.infer.pass2.root)
        follows_first = config.noise.inference_video is NoiseVideo.pass1
        needed = sources[: config.infer.limit] if follows_first or config.stage.name is not Stage.pass2 else ()
        self.firsts = find_first_passes(Path(config.infer.pass2.first_pass), sources, needed)
        self.scores = self._scores([source for source in sources if source.id in self.firsts])
        self._maker: NoiseMaker | None = None

    def content(self, source: Source) -> str | None:
        """Checksum of the first pass's result where the noise follows that."""
        if self.config.noise.inference_video is not NoiseVideo.pass1 or source.id not in self.firsts:
            return None
        return self.firsts[source.id].sha256

    def keeps(self, source: Source) -> bool:
        """Whether the first pass's result is the final one: `stage=auto`, and it does not morph."""
        is_calm = self.scores.get(source.id, 0.0) < self.config.infer.pass2.morphing_threshold
        return self.config.stage.name is Stage.auto and source.id in self.firsts and is_calm

    def kept_key(self, source: Source) -> str:
        """Key of a clip that the second pass takes over as it is."""
        return sha256_of({"schema": SCHEMA, "kept": self.firsts[source.id].sha256, "pair": source.fingerprint()})

    def keep(self, source: Source, key: str) -> Prediction:
        """Copy the first pass's result, and its strip, into the second one's folder.

        Raises:
            InputError: the disk is full.
        """
        first = self.firsts[source.id]
        file = self.root / f"{source.id}.mp4"
        strip = first.file.parent / STRIPS / first.file.name
        for origin, target in ((first.file, file), (strip, self.root / STRIPS / file.name)):
            if origin.is_file():
                with whole_file(target) as partial:
                    shutil.copyfile(origin, partial)
        made = first.prediction or self._described(source, first)
        return replace(made, file=file.name, key=key, morphing=self.scores[source.id])

    def noise(self, source: Source, loaded: Loaded) -> Tensor:
        """Initial noise `(1, T_lat, 16, h, w)` of a clip, which moves as `noise.inference_video` does; kept on disk.

        Raises:
            InputError: the first pass's result does not fit the clip, or its flow is not finite.
        """
        config = self.config
        if self._maker is None:
            self._maker = NoiseMaker(config.noise, config.recipe, torch_device(config.device))
        seed = noise_seed(config, source.id)
        noise_TChw = self._maker.from_clip(
            self._driving(source, loaded), seed, order=loaded.order, geometry=config.recipe.noise_geometry
        )
        made_from = second_pass_settings(config) | {
            "clip": source.id,
            "clip_seed": seed,
            "first_pass": self.content(source),
            "frames": len(loaded.order),
            "height": config.data.height,
            "width": config.data.width,
            "device": self._maker.device.type,
        }
        write_noise(noise_file(self.root, source.id), noise_TChw, made_from)
        return noise_TChw[None]

    def _driving(self, source: Source, loaded: Loaded) -> NDArray[np.uint8]:
        """The true frames that drive the noise, at the model's size."""
        video = self.config.noise.inference_video
        if video is NoiseVideo.pass1:
            return loaded.read_result(self.firsts[source.id].file)
        clip_THWC = loaded.video_THWC if video is NoiseVideo.input else loaded.truth_THWC
        assert clip_THWC is not None
        return clip_THWC[: max(loaded.order) + 1]

    def _scores(self, sources: Sequence[Source]) -> dict[str, float]:
        scores = {}
        with progress_bar("Looking for morphing", len(sources)) as advance:
            for source in sources:
                scores[source.id] = morphing_score(self.root, source, self.config, self.firsts[source.id])
                self._tell(source.id, scores[source.id])
                advance()
        return scores

    def _tell(self, source_id: str, score: float) -> None:
        threshold = self.config.infer.pass2.morphing_threshold
        decision = ""
        if self.config.stage.name is Stage.auto:
            verdict = "below" if score < threshold else "not below"
            action = "the first pass's result stays" if score < threshold else "second pass"
            decision = f", {verdict} {threshold:g} (infer.pass2.morphing_threshold): {action}"
        log.info("%s: the first pass has a morphing score of %.2f%s", source_id, score, decision)

    def _described(self, source: Source, first: FirstPass) -> Prediction:
        """The entry of a result that another program made."""
        info = probe(first.file)
        config = self.config
        return Prediction(
            id=source.id,
            file=first.file.name,
            key="",
            sha256=first.sha256,
            pair_sha256=source.fingerprint(),
            seed=clip_seed(config.infer.seed, source.id, per_clip=config.recipe.seed_per_clip),
            frames=info.frames,
            height=info.height,
            width=info.width,
            fps=info.fps,
            caption=source.caption,
            source=source.kind,
        )


def find_first_passes(folder: Path, sources: Sequence[Source], needed: Sequence[Source]) -> dict[str, FirstPass]:
    """The first pass's result of each source that has one, by id.

    Args:
        folder: of `void infer`, or of any ID.mp4 files.
        sources: to look for.
        needed: those of them that must have one.

    Raises:
        InputError: one is missing, was made from another version of its source, or has changed since.
    """
    known = {clip.id: clip for file in index_files(folder) for clip in read_index(file).clips}
    required = {source.id for source in needed}
    found = {}
    for source in sources:
        entry = known.get(source.id)
        file = folder / (f"{source.id}.mp4" if entry is None else entry.file)
        if not file.is_file():
            if source.id not in required:
                continue
            raise InputError(
                f"the first pass's result {file} does not exist",
                "run this command with stage=pass1 first (stage=both does one after the other), or give the folder of "
                "ID.mp4 files as infer.pass2.first_pass; `void infer stage=pass1` writes to infer.root",
            )
        content = sha256_file(file)
        if entry is not None and (entry.sha256 != content or entry.pair_sha256 != source.fingerprint()):
            changed = entry.sha256 != content
            what = "has changed since it was sampled" if changed else "was made from another version of its input"
            raise InputError(f"{file} {what}", "run `void infer stage=pass1` again: it redoes what is stale")
        found[source.id] = FirstPass(file, content, entry)
    return found


def noise_seed(config: VoidConfig, source_id: str) -> int:
    """Seed of a clip's noise: its own, or for every clip `infer.seed` (`recipe.seed_per_clip=false`)."""
    seed = config.infer.seed
    return child_seed(seed, "warped noise", source_id) if config.recipe.seed_per_clip else seed


def morphing_score(root: Path, source: Source, config: VoidConfig, first: FirstPass) -> float:
    """How much a first pass's result morphs (docs/morphing.md); kept below `root`, and read from there again.

    Raises:
        InputError: the result does not fit the clip.
    """
    geometry = [config.data.height, config.data.width, config.infer.aspect.value]
    key = sha256_of({"schema": SCHEMA, "first_pass": first.sha256, "pair": source.fingerprint(), "geometry": geometry})
    file = score_file(root, source.id)
    if file.is_file() and (known := read_json(file)).get("key") == key:
        return float(known["score"])
    loaded = source.load(config)
    frames_THWC = loaded.read_result(first.file)
    found = morphing(frames_THWC, loaded.quadmask[: len(frames_THWC)], DisFlow())
    write_json(file, {"key": key, "id": source.id, "first_pass": str(first.file), **asdict(found)})
    return found.score
