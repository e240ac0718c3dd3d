"""The file that says which objects may fall."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tabletop import box, motion_of, mug, still

from data_gen.human.motion import Motion, SequenceError
from data_gen.human.physics_config import read_physics_config
from void.errors import InputError

ENTRY: dict[str, Any] = {
    "static_objects": ["box"], "physics_objects": ["mug"], "all_objects": ["box", "mug"], "notes": "",
}  # fmt: skip


@pytest.fixture
def motion() -> Motion:
    return motion_of([box(), mug()], [still(0, 0, 0, 2)] * 2, still(0, 0, 1, 2)[:, :3])


def written(folder: Path, data: Any) -> Path:
    file = folder / "physics_config.json"
    file.write_text(json.dumps(data))
    return file


def test_lists_override_by_sequence(tmp_path: Path, motion: Motion) -> None:
    assert read_physics_config(written(tmp_path, {"by_hand": ENTRY})).dynamic(motion) == (1,)
    assert read_physics_config(written(tmp_path, {"another": ENTRY})).dynamic(motion) is None
    nothing = ENTRY | {"static_objects": ["box", "mug"], "physics_objects": []}
    assert read_physics_config(written(tmp_path, {"by_hand": nothing})).dynamic(motion) == ()


def test_an_unknown_object_names_sequence_and_objects(tmp_path: Path, motion: Motion) -> None:
    entry = ENTRY | {"physics_objects": ["vase"], "all_objects": ["box", "vase"]}
    config = read_physics_config(written(tmp_path, {"by_hand": entry}))
    with pytest.raises(SequenceError, match="by_hand: physics_config names vase; its objects are box, mug"):
        config.dynamic(motion)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"static_objects": ["box", "mug"]}, "mug in static_objects and physics_objects"),
        ({"all_objects": ["box"]}, "all_objects is not the other two together: mug"),
        ({"physics_objects": "mug"}, "physics_objects is not a list of names"),
        ({"static_objects": None}, "static_objects is not a list of names"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=rf"physics_config\.json: walk: {message}"):
        read_physics_config(written(tmp_path, {"walk": ENTRY | change}))


def test_the_other_schema_is_refused_by_name(tmp_path: Path) -> None:
    file = written(tmp_path, {"sequences": {"walk": {"objects": {"mug": {"physics": "active"}}}}})
    with pytest.raises(InputError, match="'sequences'"):
        read_physics_config(file)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_physics_config(tmp_path / "none.json")
