"""Pickles from outside hold plain data, or are refused before anything runs."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_gen.human.motion import SequenceError
from data_gen.human.sources.safe_pickle import load_plain

PLAIN = {
    "armature": [{"mixamorig:Hips": [1.0, 0, 0, 0, 0, 0, 0.5]}, {"mixamorig:Hips": (1.0, 0, 0, 0, 0, 0, 0.6)}],
    "objects": {"mug": [np.arange(7.0), np.float32(3.5), np.int64(2)]},
    "object_models": {"mug": {"mesh": (np.eye(3, dtype=np.float32), np.array([[0, 1, 2]]))}, "note": None, "on": True},
}


def stored(tmp_path: Path, value: Any, protocol: int = 4) -> Path:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    return path


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_plain_data_comes_back(tmp_path: Path, protocol: int) -> None:
    value = load_plain(stored(tmp_path, PLAIN, protocol), "a")
    assert value["armature"] == PLAIN["armature"]
    assert np.array_equal(value["objects"]["mug"][0], np.arange(7.0))
    assert value["objects"]["mug"][1:] == [3.5, 2]
    vertices, faces = value["object_models"]["mug"]["mesh"]
    assert vertices.dtype == np.float32 and np.array_equal(vertices, np.eye(3))
    assert np.array_equal(faces, [[0, 1, 2]])


def test_names_of_numpy_1_are_understood(tmp_path: Path) -> None:
    data = pickle.dumps(np.arange(3.0), 2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "a.pkl").write_bytes(data)
    assert np.array_equal(load_plain(tmp_path / "a.pkl", "a"), [0.0, 1.0, 2.0])


class Command:
    """What a hostile file holds."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


class Evaluation(Command):
    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (self.command,)


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"armature": [x]}, lambda x: np.array([x], dtype=object)])
def test_a_hostile_pickle_runs_nothing(tmp_path: Path, wrap: Any) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(SequenceError, match=r"system, which is no plain data") as caught:
        load_plain(stored(tmp_path, wrap(Command(f"touch {mark}"))), "walk")
    assert (caught.value.sequence, caught.value.field) == ("walk", "pkl")
    with pytest.raises(SequenceError, match=r"builtins\.eval"):
        load_plain(stored(tmp_path, wrap(Evaluation(f"open({str(mark)!r}, 'w')"))), "walk")
    assert not mark.exists()


def test_other_classes_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SequenceError, match=r"collections\.OrderedDict"):
        load_plain(stored(tmp_path, OrderedDict(a=1)), "walk")


def test_a_number_of_type_object_is_refused(tmp_path: Path) -> None:
    data = b"\x80\x04cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\n(X\x01\x00\x00\x00OK\x00K\x01tRC\x01x\x86R."
    (tmp_path / "a.pkl").write_bytes(data)
    with pytest.raises(SequenceError, match="type is object"):
        load_plain(tmp_path / "a.pkl", "walk")


@pytest.mark.parametrize("data", [b"", b"hello", pickle.dumps(PLAIN, 4)[:100]])
def test_damaged_files_are_errors(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.pkl").write_bytes(data)
    with pytest.raises(SequenceError, match="sequence walk: pkl cannot be read"):
        load_plain(tmp_path / "a.pkl", "walk")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SequenceError, match="pkl is missing"):
        load_plain(tmp_path / "a.pkl", "walk")
