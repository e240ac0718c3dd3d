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

from data_gen.assets.library import Library
from data_gen.executors.child import answer_path
from data_gen.scene.config import MaskRule
from data_gen.scene.counterfactual import simulate_both
from data_gen.scene.render import BlenderRenderer
from data_gen.scene.spec import SceneSpec
from data_gen.scene.workshop import Workshop
from data_gen.worker import Job, worker_command
from void.files import read_json, write_json
from void.layers import AMODAL, DEPTH_FULL, DEPTH_REMOVED, FAR, FLOW_FULL, FLOW_REMOVED, PHYSICS
from void.ledger import LEDGER
from void.pairs import MASK, METADATA, RGB_FULL, RGB_REMOVED, VIDEOS, Pair, read_flow, read_layer, read_pair

SEED, INDEX = 4, 1
LAYERS = (FLOW_FULL, FLOW_REMOVED, DEPTH_FULL, DEPTH_REMOVED, AMODAL)
RENDER_AGAIN = """
import sys
from pathlib import Path
from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from data_gen.scene.counterfactual import simulate_both
from data_gen.scene.label import render_pair
from data_gen.scene.workshop import Workshop
from data_gen.scene.spec import SceneSpec
from void.files import read_json
from void.pairs import write_pair

metadata, library, scratch, folder = (Path(argument) for argument in sys.argv[1:])
spec = SceneSpec.from_dict(read_json(metadata)["scene"])
workshop = Workshop(Library.from_dict(read_json(library)))
pair = render_pair(spec, *simulate_both(spec, workshop, scratch), SceneConfig(caption="short"), workshop, scratch)
write_pair(folder, pair)
"""


def work(library: Library, root: Path, **changes: object) -> Path:
    """The folder of a pair that a worker process made."""
    scene, folder = asdict(small_scene(**changes)), str(root / "pair")
    job = Job(scene, library.to_dict(), SEED, INDEX, "variable", "train", 0, 0, folder)
    path = root / "job.json"
    write_json(path, asdict(job))
    with subprocess.Popen(worker_command(path), stdin=subprocess.PIPE) as worker:
        assert worker.wait(timeout=300) == 0
    outcome = read_json(answer_path(path))
    assert outcome["kind"] == "done", outcome
    assert {"sample", "physics", "load", "render", "label", "layers"} == set(outcome["seconds"])
    return root / "pair"


@pytest.fixture(scope="module")
def folder(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return work(library, tmp_path_factory.mktemp("worker"))


@pytest.fixture(scope="module")
def pair(folder: Path) -> Pair:
    return read_pair(folder, verify=True)


@pytest.fixture(scope="module")
def layered(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return work(library, tmp_path_factory.mktemp("layered"), flow=True, depth=True, amodal=True)


def test_the_pair_shows_a_removal_and_its_effect(pair: Pair) -> None:
    full, without, mask = pair.rgb_full_THWC, pair.rgb_removed_THWC, pair.quadmask
    assert full.shape == without.shape == (5, 48, 64, 3) and mask.shape == (5, 48, 64)
    assert 30 < full.mean() < 220 and full.std() > 5
    change_THW = np.abs(full.astype(int) - without).max(axis=-1)
    assert mask.primary_THW.any(axis=(1, 2)).sum() >= 2 and mask.affected_THW.any()
    assert change_THW[mask.primary_THW].mean() > 20
    kept = mask.regions()["kept"]
    assert kept.mean() > 0.5 and change_THW[kept].mean() < 4


def test_the_same_seed_gives_the_same_files(folder: Path, library: Library, tmp_path: Path) -> None:
    again = work(library, tmp_path)
    for name in (RGB_FULL, RGB_REMOVED, MASK, PHYSICS, METADATA):
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name


def test_layers_are_added_on_request_and_change_nothing_else(folder: Path, layered: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted((LEDGER, *VIDEOS, PHYSICS, METADATA))
    assert sorted(path.name for path in layered.iterdir()) == sorted((LEDGER, *VIDEOS, PHYSICS, METADATA, *LAYERS))
    for name in (*VIDEOS, PHYSICS):
        assert (layered / name).read_bytes() == (folder / name).read_bytes(), name
    before, now = read_json(folder / METADATA), read_json(layered / METADATA)
    assert now.pop("checksums").items() > before.pop("checksums").items()
    assert now == before


def test_flow_is_that_of_the_clip(layered: Path) -> None:
    full, removed = (read_flow(layered, name) for name in (FLOW_FULL, FLOW_REMOVED))
    assert np.abs(full).max() > 2
    primary_THW = read_pair(layered).quadmask.primary_THW[:-1]
    speed_THW = np.linalg.norm(full, axis=1)
    assert speed_THW[primary_THW].mean() > 1 > speed_THW.mean()
    unlike_THW = (full != removed).any(axis=1)
    assert unlike_THW[primary_THW].mean() > 0.9 > unlike_THW.mean()


def test_depth_and_silhouette_agree_with_the_mask(layered: Path) -> None:
    full, removed = (read_layer(layered, name)["depth"].astype(float) for name in (DEPTH_FULL, DEPTH_REMOVED))
    mask = read_pair(layered).quadmask
    primary_THW = mask.primary_THW
    assert full.min() > 0 and full.max() <= FAR
    # What is removed is in front of what is seen without it, unless that has moved.
    alone_THW = primary_THW & ~mask.affected_THW
    assert alone_THW.any() and (removed[alone_THW] > full[alone_THW]).all()
    whole_THW = read_layer(layered, AMODAL)["removed"]
    assert whole_THW[primary_THW].mean() > 0.97
    assert primary_THW.sum() > 0.5 * whole_THW.sum() > 0


def test_the_physics_layer_is_that_of_the_scene(pair: Pair, folder: Path) -> None:
    physics = read_layer(folder, PHYSICS)
    spec = SceneSpec.from_dict(pair.metadata["scene"])
    assert np.flatnonzero(physics["removed"]).tolist() == list(spec.removed)
    np.testing.assert_allclose(physics["positions_full"][0], [item.position for item in spec.objects], atol=1e-6)
    first = int(np.ceil(pair.metadata["accepted"]["first_contact_frame"]))
    survivors = list(spec.survivors)
    same = physics["positions_full"][:first, survivors] == physics["positions_removed"][:first, survivors]
    assert same.all() and np.isnan(physics["positions_removed"][:, spec.removed]).all()
    assert len(physics["contacts_full"]) > 0


def test_a_pair_can_be_rendered_again_from_its_metadata(folder: Path, library: Library, tmp_path: Path) -> None:
    write_json(tmp_path / "library.json", library.split("train").to_dict())
    arguments = [folder / METADATA, tmp_path / "library.json", tmp_path, tmp_path / "again"]
    subprocess.run([sys.executable, "-c", RENDER_AGAIN, *map(str, arguments)], check=True, timeout=300)
    for name in (RGB_FULL, RGB_REMOVED, MASK, PHYSICS):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_metadata_is_complete(pair: Pair, library: Library) -> None:
    metadata = json.loads(json.dumps(pair.metadata))
    assert metadata["id"] == "rigid-000001" and metadata["group"] == f"rigid:seed:{SEED}:{INDEX}"
    assert set(metadata["versions"]) == {"bpy", "kubric-nightly", "pybullet", "assets"}
    assert metadata["versions"]["assets"] == library.version
    assert metadata["attempts"] == 1 + sum(metadata["rejected"].values()) == 1 + len(metadata["rejected_draws"])
    spec = SceneSpec.from_dict(metadata["scene"])
    assert (spec.seed, spec.index, list(spec.removed)) == (SEED, INDEX, metadata["removed"])
    assert metadata["family"] == spec.family == "variable"
    assert any(set(contact["objects"]) & set(spec.removed) for contact in metadata["contacts"])
    assert metadata["accepted"]["first_contact_frame"] > 0
    assert sum(metadata["areas"].values()) == pytest.approx(1)
    assert (metadata["renderer"], metadata["mask_rule"]) == ("blender", "measured")


def test_reused_pictures_are_those_that_would_be_rendered(pair: Pair, library: Library, tmp_path: Path) -> None:
    """Without the denoiser, whose rounding depends on what a process rendered before, to the bit."""
    import bpy

    spec = SceneSpec.from_dict(pair.metadata["scene"])
    workshop = Workshop(library)
    full, without = simulate_both(spec, workshop, tmp_path)
    everything = range(len(spec.objects))

    renderer = BlenderRenderer(spec, workshop, tmp_path)
    bpy.context.scene.cycles.use_denoising = False
    renderer.render(full, everything)
    first = renderer.render(without, spec.survivors)
    reused = renderer.render(full, spec.survivors)
    assert renderer.pictures < 3 * spec.frames

    alone = BlenderRenderer(spec, workshop, tmp_path)
    bpy.context.scene.cycles.use_denoising = False
    hidden = alone.render(full, spec.survivors)
    assert alone.pictures == spec.frames
    np.testing.assert_array_equal(reused.rgb_THWC, hidden.rgb_THWC)
    np.testing.assert_array_equal(reused.objects_THW, hidden.objects_THW)
    assert (first.rgb_THWC != hidden.rgb_THWC).any()
    assert not np.isin(hidden.objects_THW, spec.removed).any()
    assert np.isin(alone.render(full, everything).objects_THW, spec.removed).any()


def test_the_released_rule_and_the_preview_make_pairs_too(library: Library, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "released").mkdir()
    (tmp_path / "preview").mkdir()
    released = read_pair(work(library, tmp_path / "released", mask=MaskRule.released_kubric), verify=True)
    measured = read_pair(folder)
    assert released.metadata["mask_rule"] == "released_kubric" and released.metadata["mask_noise"] is None
    np.testing.assert_array_equal(released.quadmask.primary_THW, measured.quadmask.primary_THW)
    assert (released.quadmask.affected_THW != measured.quadmask.affected_THW).any()
    preview = read_pair(work(library, tmp_path / "preview", renderer="preview"), verify=True)
    assert preview.metadata["renderer"] == "preview"
    alike = (preview.quadmask.primary_THW == measured.quadmask.primary_THW).mean()
    assert alike > 0.985
