"""One small scene, all the way, with the real Blender: workers of one scene each, as in `void generate`."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from small_scene import small_scene

from data_gen.config import AssetsConfig
from data_gen.rigid.assets import PACK_VERSION
from data_gen.rigid.produce import simulate_both
from data_gen.rigid.render import SceneRenderer
from data_gen.rigid.scene import Workshop
from data_gen.rigid.spec import SceneSpec
from data_gen.worker import Job, outcome_path
from void.files import read_json, write_json
from void.pairs import (
    FLOW_FULL,
    FLOW_REMOVED,
    FLOWS,
    MASK,
    METADATA,
    RGB_FULL,
    RGB_REMOVED,
    VIDEOS,
    Pair,
    read_flow,
    read_pair,
)

SEED, INDEX = 4, 1
RENDER_AGAIN = """
import sys
from pathlib import Path
from data_gen.config import MaskConfig
from data_gen.rigid.produce import render_pair, simulate_both
from data_gen.rigid.scene import Workshop
from data_gen.rigid.spec import SceneSpec
from void.files import read_json
from void.pairs import write_pair

metadata, manifest, scratch, folder = (Path(argument) for argument in sys.argv[1:])
spec = SceneSpec.from_dict(read_json(metadata)["scene"])
workshop = Workshop(manifest, scratch)
write_pair(folder, render_pair(spec, *simulate_both(spec, workshop, scratch), MaskConfig(), workshop, scratch))
"""


def work(manifest: Path, root: Path, **changes: object) -> Path:
    """The folder of a pair that a worker process made."""
    job = Job(asdict(small_scene(**changes)), AssetsConfig().kinds, str(manifest), SEED, INDEX, str(root / "pair"))
    path = root / "job.json"
    write_json(path, asdict(job))
    with subprocess.Popen([sys.executable, "-m", "data_gen.worker", str(path)], stdin=subprocess.PIPE) as worker:
        assert worker.wait(timeout=300) == 0
    assert read_json(outcome_path(path))["kind"] == "done"
    return root / "pair"


@pytest.fixture(scope="module")
def folder(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return work(manifest, tmp_path_factory.mktemp("worker"))


@pytest.fixture(scope="module")
def pair(folder: Path) -> Pair:
    return read_pair(folder, verify=True)


def test_the_pair_shows_a_removal_and_its_effect(pair: Pair) -> None:
    full, without, mask = pair.rgb_full_THWC, pair.rgb_removed_THWC, pair.quadmask
    assert full.shape == without.shape == (5, 48, 64, 3) and mask.shape == (5, 48, 64)
    assert 30 < full.mean() < 220 and full.std() > 5
    change_THW = np.abs(full.astype(int) - without).max(axis=-1)
    assert mask.primary_THW.any(axis=(1, 2)).sum() >= 2 and mask.affected_THW.any()
    assert change_THW[mask.primary_THW].mean() > 20
    kept = mask.regions()["kept"]
    assert kept.mean() > 0.5 and change_THW[kept].mean() < 4


def test_the_same_seed_gives_the_same_files(folder: Path, manifest: Path, tmp_path: Path) -> None:
    again = work(manifest, tmp_path)
    for name in (RGB_FULL, RGB_REMOVED, MASK, METADATA):
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name


def test_flow_is_added_on_request_and_changes_nothing_else(folder: Path, manifest: Path, tmp_path: Path) -> None:
    flowing = work(manifest, tmp_path, flow=True)
    assert sorted(path.name for path in folder.iterdir()) == sorted((*VIDEOS, METADATA))
    assert sorted(path.name for path in flowing.iterdir()) == sorted((*VIDEOS, METADATA, *FLOWS))
    for name in VIDEOS:
        assert (flowing / name).read_bytes() == (folder / name).read_bytes(), name
    before, now = read_json(folder / METADATA), read_json(flowing / METADATA)
    assert now.pop("checksums").items() > before.pop("checksums").items()
    assert now == before
    full, removed = (read_flow(flowing, name) for name in (FLOW_FULL, FLOW_REMOVED))
    assert np.abs(full).max() > 2
    primary_THW = read_pair(folder).quadmask.primary_THW[:-1]
    speed_THW = np.linalg.norm(full, axis=1)
    assert speed_THW[primary_THW].mean() > 1 > speed_THW.mean()
    unlike_THW = (full != removed).any(axis=1)
    assert unlike_THW[primary_THW].mean() > 0.9 > unlike_THW.mean()


def test_a_pair_can_be_rendered_again_from_its_metadata(folder: Path, manifest: Path, tmp_path: Path) -> None:
    arguments = [str(folder / METADATA), str(manifest), str(tmp_path), str(tmp_path / "again")]
    subprocess.run([sys.executable, "-c", RENDER_AGAIN, *arguments], check=True, timeout=300)
    for name in (RGB_FULL, RGB_REMOVED, MASK):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_metadata_is_complete(pair: Pair) -> None:
    metadata = json.loads(json.dumps(pair.metadata))
    assert metadata["id"] == "rigid-000001" and metadata["group"] == f"rigid:seed:{SEED}:{INDEX}"
    assert set(metadata["versions"]) == {"bpy", "kubric-nightly", "pybullet", "shapes"}
    assert metadata["versions"]["shapes"] == str(PACK_VERSION)
    assert metadata["attempts"] == 1 + sum(metadata["rejected"].values())
    spec = SceneSpec.from_dict(metadata["scene"])
    assert (spec.seed, spec.index, list(spec.removed)) == (SEED, INDEX, metadata["removed"])
    assert any(set(contact["objects"]) & set(spec.removed) for contact in metadata["contacts"])
    assert metadata["accepted"]["first_contact_frame"] > 0
    assert not any(spec.objects[i].color in metadata["caption"] for i in spec.removed)


def test_reused_pictures_are_those_that_would_be_rendered(pair: Pair, manifest: Path, tmp_path: Path) -> None:
    """Without the denoiser, whose rounding depends on what a process rendered before, to the bit."""
    import bpy

    spec = SceneSpec.from_dict(pair.metadata["scene"])
    workshop = Workshop(manifest, tmp_path)
    full, without = simulate_both(spec, workshop, tmp_path)
    everything = range(len(spec.objects))

    renderer = SceneRenderer(spec, workshop, tmp_path)
    bpy.context.scene.cycles.use_denoising = False
    renderer.render(full, everything)
    first = renderer.render(without, spec.survivors)
    reused = renderer.render(full, spec.survivors)
    assert renderer.pictures == pair.metadata["pictures"] < 3 * spec.frames

    alone = SceneRenderer(spec, workshop, tmp_path)
    bpy.context.scene.cycles.use_denoising = False
    hidden = alone.render(full, spec.survivors)
    assert alone.pictures == spec.frames
    np.testing.assert_array_equal(reused.rgb_THWC, hidden.rgb_THWC)
    np.testing.assert_array_equal(reused.objects_THW, hidden.objects_THW)
    assert (first.rgb_THWC != hidden.rgb_THWC).any()
    assert not np.isin(hidden.objects_THW, spec.removed).any()
    assert np.isin(alone.render(full, everything).objects_THW, spec.removed).any()
