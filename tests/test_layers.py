"""The optional layers of a pair: forms, values, round trips, and one clear message for each defect."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from void import pairs
from void.errors import InputError
from void.files import read_json, write_json
from void.layers import (
    AMODAL,
    DEPTH_FULL,
    DEPTH_REMOVED,
    FAR,
    FLOW_FULL,
    LAYERS,
    PHYSICS,
    check_layer,
    read_layer_file,
    write_layer_file,
)

FRAMES, HEIGHT, WIDTH, OBJECTS, REMOVED = 5, 32, 48, 3, 1
SIZE = (FRAMES, HEIGHT, WIDTH)
Arrays = dict[str, np.ndarray]


def physics() -> Arrays:
    """Three objects, of which number 1 is removed; it hits number 0 at frame 1.5."""
    generator = np.random.default_rng(3)
    arrays: Arrays = {"removed": np.arange(OBJECTS) == REMOVED}
    for clip in ("full", "removed"):
        quaternions = generator.normal(size=(FRAMES, OBJECTS, 4))
        arrays[f"positions_{clip}"] = generator.normal(size=(FRAMES, OBJECTS, 3))
        arrays[f"quaternions_{clip}"] = quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)
    for name in ("positions_removed", "quaternions_removed"):
        arrays[name][:, REMOVED] = np.nan
    arrays["contacts_full"] = np.array([[0, -1, 2, 3.5], [1.5, 0, REMOVED, 20.0]])
    arrays["contacts_removed"] = np.array([[4.0, -1, 2, 3.5]])
    return arrays


def layers() -> dict[str, Arrays]:
    """One of each kind."""
    generator = np.random.default_rng(5)
    depth = generator.uniform(1, 40, SIZE).astype(np.float32)
    depth[:, :8] = FAR
    return {
        FLOW_FULL: {"flow": generator.normal(size=(FRAMES - 1, 2, HEIGHT, WIDTH)).astype(np.float16)},
        DEPTH_FULL: {"depth": depth},
        AMODAL: {"removed": generator.random(SIZE) < 0.2},
        PHYSICS: physics(),
    }


@pytest.fixture
def data(toy_data: Path, tmp_path: Path) -> Path:
    """A data folder whose pair `toy-1` has layers, to be damaged."""
    root = Path(shutil.copytree(toy_data, tmp_path / "data"))
    folder = root / "pairs" / "toy-1"
    pairs.write_pair(folder, replace(pairs.read_pair(folder), layers=layers()))
    rows = [pairs.pair_row(root, root / row.path, split=row.split) for row in pairs.read_manifest(root)]
    pairs.write_manifest(root, rows)
    return root


@pytest.fixture
def folder(data: Path) -> Path:
    return data / "pairs" / "toy-1"


def test_layers_travel_with_their_pair(data: Path, folder: Path) -> None:
    assert pairs.validate(data) == []
    assert set(pairs.read_manifest(data)[1].checksums) == {*pairs.VIDEOS, *layers()}
    verified = pairs.read_pair(folder, verify=True)
    assert set(verified.layers) == set(layers())
    for name, arrays in layers().items():
        read = pairs.read_layer(folder, name)
        assert set(read) == set(arrays)
        for key, array in arrays.items():
            form = LAYERS[name].forms[key]
            assert read[key].dtype == form.dtype and verified.layers[name][key].dtype == form.dtype
            np.testing.assert_array_equal(read[key], array.astype(form.dtype))
            np.testing.assert_array_equal(verified.layers[name][key], read[key])
    assert pairs.read_pair(folder).layers == {}


def test_a_pair_with_layers_is_the_same_after_another_trip(folder: Path, tmp_path: Path) -> None:
    pairs.write_pair(tmp_path / "again", pairs.read_pair(folder, verify=True))
    for name in layers():
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_depth_keeps_one_part_in_two_thousand(folder: Path) -> None:
    read, meant = pairs.read_layer(folder, DEPTH_FULL)["depth"], layers()[DEPTH_FULL]["depth"]
    assert (np.abs(read.astype(np.float64) - meant) <= meant / 2048).all()
    assert (read[:, :8] == FAR).all()


def test_a_layer_that_a_pair_lacks(folder: Path) -> None:
    with pytest.raises(InputError, match=r"toy-1 has no depth_removed\.npz") as caught:
        pairs.read_layer(folder, DEPTH_REMOVED)
    assert caught.value.remedy == "generate the pairs with scene.depth=true"


def test_unknown_layers_are_refused(data: Path, folder: Path, tmp_path: Path) -> None:
    problem = r"normals\.npz is not a layer of a pair"
    with pytest.raises(InputError, match=problem) as caught:
        pairs.write_pair(tmp_path / "new", replace(pairs.read_pair(folder), layers={"normals.npz": {}}))
    assert all(name in caught.value.remedy for name in LAYERS)
    assert not (tmp_path / "new").exists()
    with pytest.raises(InputError, match=problem):
        pairs.read_layer(folder, "normals.npz")
    metadata = read_json(folder / pairs.METADATA)
    metadata["checksums"]["../normals.npz"] = "0"
    write_json(folder / pairs.METADATA, metadata)
    foreign = r"metadata\.json: `checksums` names what no pair has: \.\./normals\.npz"
    with pytest.raises(InputError, match=foreign):
        pairs.read_pair(folder)
    assert any(re.search(foreign, line) for line in pairs.validate(data))


def test_contacts_may_be_none_and_poses_of_any_precision(tmp_path: Path) -> None:
    arrays = {
        name: array.astype(np.float32) if array.dtype == np.float64 else array for name, array in physics().items()
    }
    arrays["contacts_removed"] = np.zeros((0, 4))
    write_layer_file(tmp_path / PHYSICS, check_layer(tmp_path / PHYSICS, arrays, SIZE))
    read = read_layer_file(tmp_path / PHYSICS, SIZE)
    assert read["contacts_removed"].shape == (0, 4) and read["positions_full"].dtype == np.float64


def put(name: str, place: Any, value: float) -> Callable[[Arrays], object]:
    """Sets some values of an array."""
    return lambda arrays: arrays[name].__setitem__(place, value)


def swap(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays], object]:
    """Puts another array in the place of one."""
    return lambda arrays: arrays.update({name: change(arrays[name])})


FORMS = "5 frames of 48x32 have"
DEFECTS: list[tuple[str, Callable[[Arrays], object], str]] = [
    (FLOW_FULL, put("flow", (1, 0, 2, 3), np.nan), "is not finite"),
    (FLOW_FULL, swap("flow", lambda flow: flow[:3]), rf"float16 \(3, 2, 32, 48\) as `flow`; {FORMS} float16"),
    (DEPTH_FULL, put("depth", (0, 1, 2), np.inf), "is not finite"),
    (DEPTH_FULL, put("depth", (0, 1, 2), -1), r"holds depths of -1 to 1000 m; 0 to 1000 can be"),
    (DEPTH_FULL, put("depth", (0, 1, 2), 2000), r"to 2000 m"),
    (DEPTH_FULL, swap("depth", lambda depth: depth[1:]), rf"float32 \(4, 32, 48\) as `depth`; {FORMS} float16 \(5, 32"),
    (DEPTH_FULL, swap("depth", lambda depth: depth.astype(np.uint8)), r"holds uint8 \(5, 32, 48\)"),
    (AMODAL, swap("removed", lambda mask: mask.astype(np.uint8)), rf"uint8 \(5, 32, 48\) as `removed`; {FORMS} bool"),
    (AMODAL, swap("removed", lambda mask: mask[..., :-1]), r"bool \(5, 32, 47\) as `removed`"),
    (PHYSICS, lambda arrays: arrays.pop("removed"), r"not a readable record of the physics: it holds positions_full"),
    (
        PHYSICS,
        lambda arrays: arrays.update(mass=np.ones(3)),
        r"not a readable record of the physics: .*mass instead of",
    ),
    (
        PHYSICS,
        swap("positions_full", lambda p: p[:4]),
        rf"\(4, 3, 3\) as `positions_full`; {FORMS} float64 \(5, 3, 3\)",
    ),
    (PHYSICS, swap("removed", lambda removed: removed[:2]), rf"bool \(2,\) as `removed`; {FORMS} bool \(3\)"),
    (PHYSICS, swap("quaternions_full", lambda q: q[:, :2]), r"float64 \(5, 2, 4\) as `quaternions_full`"),
    (PHYSICS, swap("contacts_full", lambda c: c[:, :3]), r"\(2, 3\) as `contacts_full`; .* float64 \(2, 4\)"),
    (PHYSICS, put("positions_full", (2, REMOVED), np.nan), "has positions_full that are not finite"),
    (PHYSICS, put("positions_removed", (2, 0, 1), np.inf), "has positions_removed that are not finite"),
    (
        PHYSICS,
        put("positions_removed", (2, REMOVED), 0.0),
        "has positions_removed of removed objects, which must be NaN",
    ),
    (PHYSICS, put("quaternions_full", (0, 0, 0), 2.0), "has quaternions_full that are not of length 1"),
    (PHYSICS, put("contacts_full", (0, 0), np.nan), "has contacts_full that are not finite"),
    (PHYSICS, put("contacts_full", (1, 0), 4.1), "has contacts_full outside the frames 0 to 4"),
    (PHYSICS, put("contacts_full", (0, 0), -0.1), "has contacts_full outside the frames 0 to 4"),
    (PHYSICS, put("contacts_full", (0, 3), -1.0), "has contacts_full with negative forces"),
    (PHYSICS, put("contacts_full", (0, 2), 3), "has contacts_full of objects that are not there"),
    (PHYSICS, put("contacts_full", (0, 1), 0.5), "has contacts_full of objects that are not there"),
    (PHYSICS, put("contacts_removed", (0, 2), REMOVED), "has contacts_removed of objects that are not there"),
]


@pytest.mark.parametrize(("name", "spoil", "problem"), DEFECTS)
def test_bad_values_are_neither_written_nor_read(
    folder: Path, tmp_path: Path, name: str, spoil: Callable[[Arrays], object], problem: str
) -> None:
    arrays = layers()[name]
    spoil(arrays)
    with pytest.raises(InputError, match=rf"new/{name} .*{problem}"):
        pairs.write_pair(tmp_path / "new", replace(pairs.read_pair(folder), layers={name: arrays}))
    assert not (tmp_path / "new").exists()
    np.savez(folder / name, **arrays)
    with pytest.raises(InputError, match=rf"toy-1/{name} .*{problem}"):
        pairs.read_layer(folder, name)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-300])


def garble(file: Path) -> None:
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 60] = bytes(60)
    file.write_bytes(content)


def write_plain_array(file: Path) -> None:
    with file.open("wb") as stream:
        np.save(stream, np.zeros(3))


@pytest.mark.parametrize("name", [DEPTH_FULL, AMODAL, PHYSICS])
@pytest.mark.parametrize(
    "damage",
    [
        cut,
        garble,
        write_plain_array,
        lambda file: file.write_bytes(b""),
        lambda file: file.write_text("text"),
        lambda file: np.savez(file, depth=np.array([{}]), removed=np.array([{}])),
    ],
)
def test_damaged_layers_are_refused_and_listed(
    data: Path, folder: Path, name: str, damage: Callable[[Path], object]
) -> None:
    damage(folder / name)
    with pytest.raises(InputError, match=rf"{name} is not a readable {LAYERS[name].title}"):
        pairs.read_layer(folder, name)
    found = pairs.validate(data)
    assert any(f"{name} is not a readable" in line for line in found), found
    assert any(f"{name} has changed" in line for line in found)


def test_missing_layers_are_listed(data: Path, folder: Path) -> None:
    (folder / PHYSICS).unlink()
    assert [line.split(" -> ")[0] for line in pairs.validate(data)] == [f"{folder} has no {PHYSICS}"]
