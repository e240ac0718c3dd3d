"""What the second pass starts from: results of the first one, how much they morph, and noise that moves with them."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from void.config import VoidConfig
from void.data.randomness import child_seed
from void.errors import InputError
from void.files import read_json, sha256_of, whole_file, write_json
from void.noise.config import NoiseVideo
from void.noise.morphing_score import SHAPE_UNIT, Morphing, Obstacle
from void.pipelines.predictions import (
    Prediction,
    clip_seed,
    content_sha256,
    index_files,
    read_index,
    score_file,
    strip_file,
)
from void.pipelines.queue import Faults, Queue
from void.pipelines.result_folder import ResultFolder
from void.pipelines.settings import second_pass_settings, view_settings
from void.pipelines.sources import LastLoaded, Source
from void.progress import progress_bar
from void.recipe import Stage
from void.video_formats import VideoFormat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from void.noise.maker import NoiseMaker
    from void.pipelines.loaded import Loaded

log = logging.getLogger(__name__)

SCHEMA = 1
OBSTACLES = {
    Obstacle.one_frame: "it has one frame",
    Obstacle.no_region: "the mask has no region",
    Obstacle.small_region: "the region of the mask is too small",
    Obstacle.no_tracks: "no point in the region of the mask can be followed from frame to frame",
}


@dataclass(frozen=True)
class FirstPass:
    """One result of the first pass: its file, the checksum of that, and its entry where `void infer` made it."""

    file: Path
    sha256: str
    prediction: Prediction | None


class SecondPass:
    """Finds the first pass's results and scores them; makes noise when asked.

    A clip whose first result is missing, stale or does not fit is a fault of that clip; the others go on.

    Args:
        config: The run (not yet that of a pass).
        queue: The clips of this process; those that `infer.limit` leaves out need no first pass.
        folder: The second pass's results.
        load: Decoder of the run.
    """

    def __init__(self, config: VoidConfig, queue: Queue, folder: ResultFolder, load: LastLoaded) -> None:
        self.config, self.folder = config, folder
        self._queue, self._load = queue, load
        self._maker: NoiseMaker | None = None
        self.firsts: dict[str, FirstPass] = {}
        self.scores: dict[str, Morphing] = {}

    def find(self) -> None:
        """Look for the first pass's results."""
        config = self.config
        follows_first = config.noise.inference_video is NoiseVideo.pass1
        needed = self._queue.wanted if follows_first or config.stage.name is not Stage.pass2 else ()
        first_pass = Path(config.infer.pass2.first_pass)
        self.firsts = find_first_passes(first_pass, self._queue.sources, needed, self._queue.faults)

    def score(self) -> None:
        """Measure how much each first result morphs, or look it up."""
        found = [source for source in self._queue.sources if source.id in self.firsts]
        with progress_bar("Looking for morphing", len(found)) as advance:
            for source in found:
                try:
                    self.scores[source.id] = self.score_one(source, self.firsts[source.id])
                except InputError as error:
                    self._queue.faults.add(source.id, error)
                    del self.firsts[source.id]
                else:
                    log.info("%s", self._told(source.id, self.scores[source.id]))
                advance()

    def score_ahead(self, source: Source, file: Path, prediction: Prediction) -> None:
        """Measure a first result that was just made, while its clip is decoded; `score` then looks it up.

        Args:
            source: The pair or clip.
            file: Its first result.
            prediction: The result's entry in the first pass's index.
        """
        self.score_one(source, FirstPass(file, prediction.sha256, prediction))

    def score_one(self, source: Source, first: FirstPass) -> Morphing:
        """How much a first pass's result morphs (docs/morphing.md); kept in the folder, and read from there again.

        Raises:
            InputError: The result does not fit the clip.
        """
        made_from = {"schema": SCHEMA, "first_pass": first.sha256, "pair": source.fingerprint}
        key = sha256_of(made_from | view_settings(self.config))
        file = score_file(self.folder.root, source.id)
        if file.is_file() and (known := read_json(file)).get("key") == key:
            return _read_score(known)
        # Imported here because torch takes seconds to load, and a score that is known needs none of it.
        from void.noise.flow import DisFlow
        from void.noise.morphing import morphing

        loaded = self._load(source)
        frames_THWC = loaded.read_result(first.file)
        found = morphing(frames_THWC, loaded.quadmask[: len(frames_THWC)], DisFlow())
        with self.folder.staged(source.id) as staging:
            write_json(
                score_file(staging, source.id),
                {"key": key, "id": source.id, "first_pass": str(first.file), **asdict(found)},
            )
        return found

    def content(self, source: Source) -> str | None:
        """Checksum of the first pass's result where the noise follows that."""
        if self.config.noise.inference_video is not NoiseVideo.pass1 or source.id not in self.firsts:
            return None
        return self.firsts[source.id].sha256

    def keeps(self, source: Source) -> bool:
        """Whether the first pass's result is the final one: `stage=auto`, and it does not morph."""
        is_auto = self.config.stage.name is Stage.auto and source.id in self.firsts
        return is_auto and not self._morphs(self.scores[source.id])

    def kept_key(self, source: Source) -> str:
        """Key of a clip that the second pass takes over as it is."""
        return sha256_of({"schema": SCHEMA, "kept": self.firsts[source.id].sha256, "pair": source.fingerprint})

    def keep(self, source: Source, key: str) -> Prediction:
        """Copy the first pass's result, and its strip, into the second one's folder.

        Raises:
            InputError: The disk is full, or a file of that name is there that no run wrote.
        """
        first, found = self.firsts[source.id], self.scores[source.id]
        strip = strip_file(first.file.parent, source.id)
        with self.folder.staged(source.id) as staging:
            if first.file.is_dir():
                shutil.copytree(first.file, staging / first.file.name)
            else:
                with whole_file(staging / first.file.name) as partial:
                    shutil.copyfile(first.file, partial)
            if strip.is_file():
                with whole_file(strip_file(staging, source.id)) as partial:
                    shutil.copyfile(strip, partial)
        made = first.prediction or self._described(source, first)
        return replace(
            made,
            file=first.file.name,
            key=key,
            morphing=found.score,
            unmeasured=found.obstacle and found.obstacle.value,
        )

    def driving(self, source: Source, loaded: Loaded) -> NDArray[np.uint8]:
        """The true frames that drive a clip's noise (`noise.inference_video`), at the model's size.

        Raises:
            InputError: The first pass's result does not fit the clip.
        """
        video = self.config.noise.inference_video
        if video is NoiseVideo.pass1:
            return loaded.read_result(self.firsts[source.id].file)
        clip_THWC = loaded.video_THWC if video is NoiseVideo.input else loaded.truth_THWC
        assert clip_THWC is not None
        return clip_THWC[: max(loaded.order) + 1]

    def noise(self, source: Source, loaded: Loaded, driving_THWC: NDArray[np.uint8], file: Path) -> Tensor:
        """Initial noise `(1, T_lat, 16, h, w)` of a clip, which moves as `driving_THWC` does; also written to `file`.

        Raises:
            InputError: The flow is not finite, or the disk is full.
        """
        # Imported here because torch takes seconds to load, and finished results need no noise.
        from void.device import torch_device
        from void.noise.files import write_noise
        from void.noise.maker import NoiseMaker

        config = self.config
        if self._maker is None:
            self._maker = NoiseMaker(config.noise, config.recipe, torch_device(config.device))
        seed = noise_seed(config, source.id)
        noise_TChw = self._maker.from_clip(
            driving_THWC, seed, order=loaded.order, geometry=config.recipe.noise_geometry
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
        write_noise(file, noise_TChw, made_from)
        return noise_TChw[None]

    def _morphs(self, found: Morphing) -> bool:
        """Whether `stage=auto` runs the second pass.

        Where nothing can be followed it runs: that costs time, and leaving it out might cost the result. Where there is
        nothing, or too little, that could change its form, it does not.
        """
        threshold = self.config.infer.pass2.morphing_threshold
        if found.score is not None:
            return found.score >= threshold
        return threshold == 0 or found.obstacle is Obstacle.no_tracks

    def _told(self, source_id: str, found: Morphing) -> str:
        threshold = self.config.infer.pass2.morphing_threshold
        is_auto = self.config.stage.name is Stage.auto
        action = "second pass" if self._morphs(found) else "the first pass's result stays"
        if found.score is None:
            assert found.obstacle is not None
            decision = f": {action}" if is_auto else ""
            return f"{source_id}: morphing could not be measured, because {OBSTACLES[found.obstacle]}{decision}"
        decision = ""
        if is_auto:
            verdict = "not below" if self._morphs(found) else "below"
            decision = f", {verdict} {threshold:g} (infer.pass2.morphing_threshold): {action}"
        return f"{source_id}: the first pass has a morphing score of {found.score:.2f}{decision}"

    def _described(self, source: Source, first: FirstPass) -> Prediction:
        """The entry of a result that another program made."""
        from void.video import probe

        info = probe(first.file)
        config = self.config
        return Prediction(
            id=source.id,
            file=first.file.name,
            key="",
            sha256=first.sha256,
            pair_sha256=source.fingerprint,
            seed=clip_seed(config.infer.seed, source.id, per_clip=config.recipe.seed_per_clip),
            frames=info.frames,
            height=info.height,
            width=info.width,
            fps=info.fps,
            caption=source.caption,
            source=source.kind,
        )


def find_first_passes(
    folder: Path, sources: Sequence[Source], needed: Sequence[Source], faults: Faults
) -> dict[str, FirstPass]:
    """The first pass's result of each source that has one, by id.

    Args:
        folder: Folder of `void infer`, or of results that are named after their clips.
        sources: Sources to look for.
        needed: Those of them that must have one.
        faults: Gets an entry where one is missing, was made from another version of its source, or has changed since.
    """
    known = {clip.id: clip for file in index_files(folder) for clip in read_index(file).clips}
    required = {source.id for source in needed}
    found = {}
    for source in sources:
        entry = known.get(source.id)
        file = _first_file(folder, source.id) if entry is None else folder / entry.file
        if not file.exists():
            if source.id in required and source.id not in faults.errors:
                faults.add(source.id, _missing(file))
            continue
        content = content_sha256(file)
        if entry is not None and (entry.sha256 != content or entry.pair_sha256 != source.fingerprint):
            changed = entry.sha256 != content
            what = "has changed since it was sampled" if changed else "was made from another version of its input"
            faults.add(
                source.id, InputError(f"{file} {what}", "run `void infer stage=pass1` again: it redoes what is stale")
            )
            continue
        found[source.id] = FirstPass(file, content, entry)
    return found


def _first_file(folder: Path, source_id: str) -> Path:
    """The result of any program under one of the names that can be read; the usual one where there is none."""
    names = [f"{source_id}{suffix}" for suffix in dict.fromkeys(one.suffix for one in VideoFormat)]
    return next((folder / name for name in names if (folder / name).exists()), folder / names[0])


def _missing(file: Path) -> InputError:
    return InputError(
        f"the first pass's result {file} does not exist",
        "run this command with stage=pass1 first (stage=both does one after the other), or give the folder of "
        "ID.mp4 files as infer.pass2.first_pass; `void infer stage=pass1` writes to infer.root",
    )


def noise_seed(config: VoidConfig, source_id: str) -> int:
    """Seed of a clip's noise: its own, or for every clip `infer.seed` (`recipe.seed_per_clip=false`)."""
    seed = config.infer.seed
    return child_seed(seed, "warped noise", source_id) if config.recipe.seed_per_clip else seed


def _read_score(known: dict[str, Any]) -> Morphing:
    # Earlier releases wrote a drift of 100 where no track lasted.
    was_lost = "obstacle" not in known and known["shape"] == 100 / SHAPE_UNIT
    obstacle = Obstacle.no_tracks.value if was_lost else known.get("obstacle")
    if obstacle is not None:
        return Morphing(None, obstacle=Obstacle(obstacle))
    return Morphing(known["score"], known["appearance"], known["shape"])
