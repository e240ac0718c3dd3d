"""A motion written in HUMOTO's layout is read back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_motion import carry

from data_gen.human.config import HumanConfig
from data_gen.human.motion import Motion
from data_gen.human.sources import store
from data_gen.human.sources.humoto import HumotoSource
from data_gen.human.sources.layout import write_sequence
from data_gen.scene.skin import skinned
from void.ledger import LEDGER

MOTION = carry()
UNPAINTED = replace(MOTION, skin=replace(MOTION.skin, colors=(None, *MOTION.skin.colors[1:])))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layout")
    write_sequence(folder / "sequences", folder / "humoto_objects_1", UNPAINTED)
    return folder


@pytest.fixture(scope="module")
def read(root: Path) -> Iterator[Motion]:
    yield HumotoSource(HumanConfig(root=str(root / "sequences")), root / "cache").read("carry_mug")


def test_files_have_the_names_of_the_release(root: Path) -> None:
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and "cache" not in path.parts}
    found = {name for name in found if Path(name).name != LEDGER}
    assert found == {
        "sequences/carry_mug/carry_mug.pkl", "sequences/carry_mug/carry_mug.fbx", "sequences/carry_mug/carry_mug.yaml",
        "humoto_objects_1/mug.obj", "humoto_objects_1/table.obj",
    }  # fmt: skip


def test_joints_come_back(read: Motion) -> None:
    assert read.fps == MOTION.fps
    assert set(read.skeleton.names) == set(MOTION.skeleton.names)
    order = [read.skeleton.index(name) for name in MOTION.skeleton.names]
    assert np.abs(read.joints_TJ7[:, order, :3] - MOTION.joints_TJ7[..., :3]).max() < 1e-4
    dots = np.abs((read.joints_TJ7[:, order, 3:] * MOTION.joints_TJ7[..., 3:]).sum(axis=-1))
    assert dots.min() > 1 - 1e-6


def test_skin_comes_back_in_every_pose(read: Motion) -> None:
    for t in range(0, MOTION.frames, 3):
        before = skinned(MOTION.skin, MOTION.skeleton, MOTION.joints_TJ7[t])
        after = skinned(read.skin, read.skeleton, read.joints_TJ7[t])
        assert np.abs(after - before).max() < 1e-4
    assert np.array_equal(read.skin.triangles_F3, MOTION.skin.triangles_F3)
    assert np.allclose(read.skin.weights_V4.sum(axis=-1), 1)


def test_parts_and_colours_come_back_and_none_stays_none(read: Motion) -> None:
    assert read.skin.parts == MOTION.skin.parts
    assert np.array_equal(read.skin.part_F, MOTION.skin.part_F)
    assert read.skin.colors[0] is None
    assert read.skin.colors[1] == pytest.approx(MOTION.skin.colors[1], abs=1e-3)


def test_objects_come_back(read: Motion) -> None:
    assert [(prop.name, prop.kind) for prop in read.props] == [("mug.001", "mug"), ("table", "table")]
    for prop, written in zip(read.props, MOTION.props, strict=True):
        assert np.abs(prop.vertices_V3 - written.vertices_V3).max() < 1e-6
    assert np.abs(read.props_TN7 - MOTION.props_TN7).max() < 1e-9


def test_two_meshes_for_one_kind_are_refused(tmp_path: Path) -> None:
    first, second = MOTION.props
    odd = replace(MOTION, props=(first, replace(second, kind="mug")))
    with pytest.raises(ValueError, match="different meshes"):
        write_sequence(tmp_path / "sequences", tmp_path / "objects", odd)
    assert not (tmp_path / "sequences").exists()


def test_what_is_stored_is_what_was_read_and_a_damaged_file_is_made_again(
    root: Path, read: Motion, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = HumotoSource(HumanConfig(root=str(root / "sequences")), root / "cache")
    (file,) = (root / "cache").glob("*.npz")
    with monkeypatch.context() as patch:
        patch.setattr(store, "write_motion", None)  # Nothing is written where a stored file serves.
        again = source.read("carry_mug")
    assert np.array_equal(again.joints_TJ7, read.joints_TJ7)
    assert again.skin.colors == read.skin.colors
    assert again.skeleton.names == read.skeleton.names
    file.write_bytes(file.read_bytes()[:1000])
    mended = source.read("carry_mug")
    assert "damaged" in caplog.text
    assert np.array_equal(mended.joints_TJ7, read.joints_TJ7)
    assert file.stat().st_size > 1000
