"""`generation.json`: how the pairs of a data folder were made. A folder holds pairs of one recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_gen.config import SceneConfig
from data_gen.plain import as_dict
from void.errors import InputError
from void.files import check_replaceable, is_our_json, read_json, write_json
from void.pairs import METADATA

RECIPE = "generation.json"
SCHEMA = 3
# May grow from one run to the next in one folder: they change no pair that is there.
EXTENSIBLE = ("count", "max_attempts")
# Where files lie; what they are is told otherwise.
PLACES = ("assets.manifests.", "scene.human.root", "scene.human.objects", "scene.human.room.textures")
REMEDY = "choose another folder (data.root=PATH or name=NAME), or delete that one"


def recipe(scene: SceneConfig, assets: dict[str, Any], seed: int, motions: Mapping[str, Any]) -> dict[str, Any]:
    """All that decides what is in a pair.

    Args:
        scene: configuration of the scenes.
        assets: `Library.describe`.
        seed: of the data set.
        motions: facts about the source of motions; empty: no family has any.
    """
    kept = {key: value for key, value in as_dict(scene).items() if key not in EXTENSIBLE}
    return {"schema": SCHEMA, "seed": seed, "scene": kept, "assets": assets, "motions": dict(motions)}


def claim(root: Path, wanted: dict[str, Any], *, pairs: Path, may_replace: bool) -> None:
    """Write the recipe, or compare it with the one by which the pairs in `root` were made.

    Args:
        root: of the data set.
        wanted: see `recipe`.
        pairs: folder of the pairs.
        may_replace: whether a recipe by which no pair was finished may be replaced: no other command works by it.

    Raises:
        InputError: another recipe is there, of which the differing keys are named; or pairs are there, but none.
    """
    path, is_earlier = root / RECIPE, is_our_json("schema", "seed", "scene")
    check_replaceable(path, earlier=is_earlier)
    if not path.is_file():
        if any(not folder.name.startswith(".") for folder in pairs.glob("*/")):
            raise InputError(f"{pairs} holds pairs but {path} is missing: nobody knows how they were made", REMEDY)
        write_json(path, wanted, earlier=is_earlier)
        return
    if may_replace and not any(pairs.glob(f"*/{METADATA}")):
        write_json(path, wanted, earlier=is_earlier)
        return
    found = read_json(path)
    if found.get("schema") != SCHEMA:
        raise InputError(
            f"{path} has schema {found.get('schema')}: another version of `void generate` made the pairs in {root}; "
            f"this one makes schema {SCHEMA}",
            REMEDY,
        )
    before, now = _flat(found), _flat(wanted)
    keys = sorted(key for key in before.keys() | now.keys() if not key.startswith(PLACES))
    # A key that an earlier version lacks asks for nothing where it is empty.
    different = [key for key in keys if _unset(before.get(key)) != _unset(now.get(key))]
    if different:
        shown = ", ".join(f"{key} (there {_short(before.get(key))}, now {_short(now.get(key))})" for key in different)
        raise InputError(f"{root} holds pairs made with another configuration: {shown}", REMEDY)


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= _flat(item, f"{prefix}{key}.") if isinstance(item, dict) else {f"{prefix}{key}": item}
    return flat


def _unset(value: Any) -> Any:
    return None if value == "" else value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
