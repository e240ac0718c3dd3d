"""Optical flow beside a pair: round trips, and one clear message for each defect."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from void import pairs
from void.errors import InputError
from void.files import read_json, sha256_file
from void.layers import FLOW_FULL, FLOW_REMOVED, FLOWS
from void.pairs import Pair


@pytest.fixture
def data(toy_data: Path, tmp_path: Path) -> Path:
    """A copy of the toy data folder, to be damaged."""
    return Path(shutil.copytree(toy_data, tmp_path / "data"))


@pytest.fixture
def folder(data: Path) -> Path:
    return data / "pairs" / "toy-1"


@pytest.fixture
def flowing(data: Path, folder: Path) -> tuple[Pair, Path]:
    """`toy-1` with flows, and its folder."""
    generator = np.random.default_rng(0)
    full, removed = generator.normal(0, 3, (2, 4, 2, 32, 48)).astype(np.float16)
    pair = replace(pairs.read_pair(folder), layers={FLOW_FULL: {"flow": full}, FLOW_REMOVED: {"flow": removed}})
    pairs.write_pair(folder, pair)
    rows = [pairs.pair_row(data, data / row.path, split=row.split) for row in pairs.read_manifest(data)]
    pairs.write_manifest(data, rows)
    return pair, folder


def test_flow_round_trip(data: Path, flowing: tuple[Pair, Path]) -> None:
    pair, folder = flowing
    assert read_json(folder / pairs.METADATA)["checksums"] == {
        name: sha256_file(folder / name) for name in (*pairs.VIDEOS, *FLOWS)
    }
    assert set(pairs.read_manifest(data)[1].checksums) == {*pairs.VIDEOS, *FLOWS}
    assert pairs.validate(data) == []
    verified = pairs.read_pair(folder, verify=True)
    assert list(verified.layers) == list(FLOWS)
    for name in FLOWS:
        read = pairs.read_flow(folder, name)
        assert read.dtype == np.float32 and np.array_equal(read, pair.layers[name]["flow"])
        assert np.array_equal(verified.layers[name]["flow"], read)
    assert pairs.read_pair(folder).layers == {}


def test_the_same_flow_is_the_same_file(flowing: tuple[Pair, Path], tmp_path: Path) -> None:
    pair, folder = flowing
    pairs.write_pair(tmp_path / "again", pair)
    for name in FLOWS:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_pair_may_know_one_flow(flowing: tuple[Pair, Path]) -> None:
    pair, folder = flowing
    pairs.write_pair(folder, replace(pair, layers={FLOW_REMOVED: pair.layers[FLOW_REMOVED]}))
    assert not (folder / FLOW_FULL).exists()
    assert len(pairs.read_flow(folder, FLOW_REMOVED)) == 4
    with pytest.raises(InputError, match=r"toy-1 has no flow_full\.npz") as caught:
        pairs.read_flow(folder, FLOW_FULL)
    assert "scene.flow=true" in caught.value.remedy


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda flow: flow[:3], r"float16 \(3, 2, 32, 48\) as `flow`; 5 frames of 48x32 have float16 \(4, 2, 32, 48\)"),
        (lambda flow: flow.transpose(0, 1, 3, 2), r"\(4, 2, 48, 32\) as `flow`; 5 frames"),
        (lambda flow: flow * np.nan, r"is not finite"),
        (lambda flow: flow.astype(np.float32) * 1e6, r"is not finite"),
    ],
)
def test_a_flow_that_does_not_fit_is_not_written(
    flowing: tuple[Pair, Path], tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], problem: str
) -> None:
    pair, _ = flowing
    changed = {FLOW_FULL: {"flow": change(pair.layers[FLOW_FULL]["flow"])}}
    with pytest.raises(InputError, match=rf"new/flow_full\.npz .*{problem}"):
        pairs.write_pair(tmp_path / "new", replace(pair, layers=changed))
    assert not (tmp_path / "new").exists()


def cut_flow(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-300])


def garbled_flow(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (cut_flow, r"flow_full\.npz is not a readable flow"),
        (garbled_flow, r"flow_full\.npz is not a readable flow"),
        (lambda file: file.write_bytes(b""), r"flow_full\.npz is not a readable flow"),
        (lambda file: np.savez(file, motion=np.zeros(3)), r"flow_full\.npz is not a readable flow"),
        (lambda file: np.savez(file, flow=np.array([{}])), r"flow_full\.npz is not a readable flow"),
        (lambda file: np.savez(file, flow=np.zeros((4, 32, 48, 2), np.float16)), r"holds float16 \(4, 32, 48, 2\)"),
        (lambda file: np.savez(file, flow=np.zeros((4, 2, 32, 48), np.int16)), r"holds int16"),
        (lambda file: np.savez(file, flow=np.full((4, 2, 32, 48), np.nan)), r"flow_full\.npz is not finite"),
        (lambda file: file.unlink(), r"toy-1 has no flow_full\.npz"),
    ],
)
def test_every_defect_of_a_flow_is_refused_and_listed(
    data: Path, flowing: tuple[Pair, Path], damage: Callable[[Path], object], problem: str
) -> None:
    _, folder = flowing
    damage(folder / FLOW_FULL)
    with pytest.raises(InputError, match=problem):
        pairs.read_flow(folder, FLOW_FULL)
    with pytest.raises(InputError, match=r"flow_full\.npz"):
        pairs.read_pair(folder, verify=True)
    found = pairs.validate(data)
    assert any(re.search(problem, line) for line in found), found
    assert all("toy-1" in line and "\n" not in line for line in found)
