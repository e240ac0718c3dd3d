"""The clip of a pair whose motion its training noise follows, `noise.training_video`: which file, and its noise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from void.config import VoidConfig
from void.errors import InputError
from void.layers import FLOW_FULL, FLOW_REMOVED
from void.manifest import RGB_FULL, RGB_REMOVED, ManifestRow
from void.noise.config import FlowMethod, NoiseVideo
from void.pipelines.predictions import pair_fingerprint, read_predictions
from void.shapes import check_length

if TYPE_CHECKING:
    from torch import Tensor

    from void.noise.maker import NoiseMaker

VIDEOS = {NoiseVideo.target: RGB_REMOVED, NoiseVideo.input: RGB_FULL}
FLOWS = {NoiseVideo.target: FLOW_REMOVED, NoiseVideo.input: FLOW_FULL}


@dataclass(frozen=True)
class Drive:
    """What drives the noise of one pair.

    Args:
        file: a clip, or the simulator's flow.
        content: its checksum.
    """

    file: Path
    content: str


def find_drives(cfg: VoidConfig, rows: list[ManifestRow]) -> dict[str, Drive]:
    """What drives the noise of each pair, by id; no clip is decoded.

    Raises:
        InputError: pass 1's result or the simulator's flow is missing, or the result is of another pair.
    """
    if cfg.noise.training_video is NoiseVideo.pass1:
        return _first_pass(cfg, rows)
    names = FLOWS if cfg.noise.flow is FlowMethod.simulator else VIDEOS
    name = names[cfg.noise.training_video]
    drives = {}
    for row in rows:
        if name not in row.checksums:
            raise InputError(
                f"noise.flow=simulator, but pair {row.id} of {cfg.data.root} has no {name}",
                "generate the pairs with scene.flow=true, or use noise.flow=dis",
            )
        drives[row.id] = Drive(Path(cfg.data.root) / row.path / name, row.checksums[name])
    return drives


def noise_of(cfg: VoidConfig, row: ManifestRow, drive: Drive, maker: NoiseMaker, seed: int) -> Tensor:
    """The noise `(T_lat, 16, h, w)` of the frames of a pair that training sees.

    Raises:
        InputError: clip or flow is broken or too short.
    """
    # Imported here because torch takes seconds to load, and finished noise needs none of it.
    import torch

    from void.data.fit import fit_flow, fit_frames
    from void.pairs import read_flow
    from void.video import read_video

    data = cfg.data
    if cfg.noise.flow is FlowMethod.simulator:
        flow = read_flow(drive.file.parent, drive.file.name)
        check_length(len(flow) + 1, data.frames, row.id)
        fitted = fit_flow(flow[: data.frames - 1], data.height, data.width)
        return maker.from_flow(torch.from_numpy(fitted), data.height, data.width, seed)
    frames_THWC, _ = read_video(drive.file, max_frames=data.frames)
    check_length(len(frames_THWC), data.frames, row.id)
    return maker.from_clip(fit_frames(frames_THWC, data.height, data.width), seed)


def _first_pass(cfg: VoidConfig, rows: list[ManifestRow]) -> dict[str, Drive]:
    folder = Path(cfg.infer.pass2.first_pass)
    if cfg.noise.flow is FlowMethod.simulator:
        raise InputError(
            "noise.flow=simulator and noise.training_video=pass1 contradict each other: pass 1's results have no "
            "simulated flow",
            "use noise.flow=dis, or noise.training_video=target",
        )
    found = {clip.id: clip for clip in read_predictions(folder).clips}
    for row in rows:
        if row.id not in found:
            raise InputError(
                f"noise.training_video=pass1, but {folder} holds no result for pair {row.id}",
                "sample every pair into a folder of its own: add stage=pass1 infer.split=all infer.root=FOLDER to this "
                "configuration and run `void infer`; then give infer.pass2.first_pass=FOLDER",
            )
        if found[row.id].pair_sha256 != pair_fingerprint(row):
            raise InputError(
                f"{folder / found[row.id].file} was made from another version of pair {row.id}",
                "run `void infer stage=pass1` again: it redoes what is stale",
            )
    return {row.id: Drive(folder / found[row.id].file, found[row.id].sha256) for row in rows}
