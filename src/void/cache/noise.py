"""The noise that pass 2 trains with: for each pair of a manifest, noise that moves with one of its clips.

cache.root/noise/
  <content key>/           one for each distinct content: pairs, geometry, flow, warp, seed
    <pair id>.safetensors  `noise` (T_lat, 16, h, w); its header says what it was made from
    index.json             written last: without it the noise is unfinished

The clip is cut, scaled and cropped as for the latents, so the noise belongs to the very frames that they encode.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from void.cache.driving import Drive, find_drives, noise_of
from void.cache.key import INDEX, PAIRS, content_key, find_finished
from void.config import VoidConfig
from void.data.randomness import child_seed
from void.errors import InputError
from void.files import is_our_json, read_json, remove_partials, write_json
from void.lock import sole_writer
from void.manifest import ManifestRow, read_manifest
from void.noise.config import check_noise
from void.noise.identity import noise_settings
from void.progress import progress_bar
from void.shapes import latent_shape

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

SCHEMA = 1
FOLDER = "noise"


class NoiseCache:
    """Finished noise, opened for reading.

    Args:
        folder: the folder named by the content key.
        index: its index.json.
    """

    def __init__(self, folder: Path, index: dict[str, Any]) -> None:
        self.folder = folder
        self.key: str = index["key"]
        self.failures: dict[str, str] = index["failures"]
        """Reason for each pair that was set aside."""
        made_from = index["made_from"]
        self._shape = latent_shape(made_from["frames"], made_from["height"], made_from["width"])

    def entry(self, pair_id: str) -> Tensor:
        """The noise `(T_lat, 16, h, w)` of one pair, float32.

        Raises:
            InputError: the file is missing or damaged, or its noise has another shape.
        """
        from void.noise.files import read_noise

        return read_noise(_file(self.folder, pair_id), self._shape)


def with_noise(rows: list[ManifestRow], noise: NoiseCache | None) -> list[ManifestRow]:
    """The rows whose noise was made; all of them where none is wanted."""
    return rows if noise is None else [row for row in rows if row.id not in noise.failures]


def made_from(cfg: VoidConfig, drives: dict[str, Drive]) -> dict[str, Any]:
    """Everything that the noise depends on, as JSON."""
    return {
        "schema": SCHEMA,
        "frames": cfg.data.frames,
        "height": cfg.data.height,
        "width": cfg.data.width,
        "seed": cfg.seed,
        "video": cfg.noise.training_video.value,
        "cache_dtype": cfg.cache.dtype.value,
        **noise_settings(cfg.noise, cfg.recipe),
        PAIRS: {pair_id: drive.content for pair_id, drive in drives.items()},
    }


def open_noise(cfg: VoidConfig) -> NoiseCache:
    """Open the noise that belongs to this configuration.

    Raises:
        InputError: there is none; what differs from the noise that does exist is named.
    """
    check_noise(cfg.noise)
    wanted = made_from(cfg, find_drives(cfg, read_manifest(Path(cfg.data.root))))
    root = Path(cfg.cache.root) / FOLDER
    index = find_finished(root, wanted, "made_from", "noise for stage=pass2")
    return NoiseCache(root / index["key"], index)


def check_possible(cfg: VoidConfig) -> None:
    """Raise InputError where noise could not be made: hours of encoding later is too late to hear of it.

    Where the noise is finished, the device and the flow's networks are not looked at.
    """
    check_noise(cfg.noise)
    drives = find_drives(cfg, read_manifest(Path(cfg.data.root)))
    if _finished(_folder(cfg, made_from(cfg, drives))) is not None:
        return
    # Imported here because torch takes seconds to load, and finished noise needs none of it.
    from void.device import torch_device
    from void.noise.maker import NoiseMaker

    NoiseMaker(cfg.noise, cfg.recipe, torch_device(cfg.device))


def build_noise(cfg: VoidConfig) -> NoiseCache:
    """Make the noise of every pair of the manifest that has none yet, and return the finished cache.

    A pair whose clip or flow cannot be read is set aside with its reason; a later run tries it again.

    Raises:
        InputError: the manifest or pass 1's results are missing, or
            more than `cache.max_failures` pairs are bad.
    """
    check_noise(cfg.noise)
    rows = read_manifest(Path(cfg.data.root))
    drives = find_drives(cfg, rows)
    wanted = made_from(cfg, drives)
    folder = _folder(cfg, wanted)
    with sole_writer(folder):
        return _build(cfg, rows, drives, wanted, folder)


def _build(
    cfg: VoidConfig, rows: list[ManifestRow], drives: dict[str, Drive], wanted: dict[str, Any], folder: Path
) -> NoiseCache:
    if (finished := _finished(folder)) is not None:
        log.info("noise %s is complete: %d pairs", folder, len(rows))
        return finished
    # Imported here because torch takes seconds to load, and finished noise needs none of it.
    from void.cache.shards import DTYPES
    from void.device import torch_device
    from void.noise.files import write_noise
    from void.noise.maker import NoiseMaker

    remove_partials(folder)
    failures: dict[str, str] = {}
    todo = [row for row in rows if not _file(folder, row.id).is_file()]
    device = torch_device(cfg.device)
    maker = NoiseMaker(cfg.noise, cfg.recipe, device)
    about = {key: value for key, value in wanted.items() if key != PAIRS} | {"device": device.type}
    with progress_bar("warping noise", len(rows), len(rows) - len(todo)) as advance:
        for row in todo:
            seed = child_seed(cfg.seed, "training noise", row.id)
            try:
                noise_TChw = noise_of(cfg, row, drives[row.id], maker, seed)
            except InputError as error:
                failures[row.id] = error.problem
                log.warning("pair %s set aside: %s", row.id, error.problem)
                if len(failures) > cfg.cache.max_failures:
                    budget = f"cache.max_failures = {cfg.cache.max_failures}"
                    raise InputError(
                        f"{len(failures)} pairs without noise are more than {budget}; the last is {row.id}: "
                        f"{error.problem}",
                        f"{error.remedy}; or raise cache.max_failures to go on without such pairs",
                    ) from error
            else:
                made = about | {"pair": row.id, "pair_seed": seed, "content": drives[row.id].content}
                write_noise(_file(folder, row.id), noise_TChw, made, DTYPES[cfg.cache.dtype])
            advance()
    index = {"key": folder.name, "made_from": wanted, "failures": failures}
    write_json(folder / INDEX, index, earlier=is_our_json(*index))
    log.info("noise %s: %d pairs, %d set aside", folder, len(rows) - len(failures), len(failures))
    return NoiseCache(folder, index)


def _folder(cfg: VoidConfig, wanted: dict[str, Any]) -> Path:
    return Path(cfg.cache.root) / FOLDER / content_key(wanted)


def _finished(folder: Path) -> NoiseCache | None:
    """The noise in a folder; None where it is unfinished, or a pair was set aside, which is then tried again."""
    if not (folder / INDEX).is_file():
        return None
    cache = NoiseCache(folder, read_json(folder / INDEX))
    return None if cache.failures else cache


def _file(folder: Path, pair_id: str) -> Path:
    return folder / f"{pair_id}.safetensors"
