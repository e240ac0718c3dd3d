"""Generation refuses at the start where a file or folder of the user has the name of one that it would write."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_gen.config import SceneConfig
from data_gen.folder import DataFolder
from data_gen.recipe import claim
from void.errors import InputError
from void.files import write_json

NAMES = ["manifest.jsonl", "summary.json", "timings.jsonl", "logs/ID.log", "pairs/ID/camera.mov", "pairs/ID/mask.mp4"]


@pytest.mark.parametrize("name", NAMES)
def test_a_foreign_file_is_named(tmp_path: Path, name: str) -> None:
    folder = DataFolder(tmp_path, SceneConfig(count=2))
    wanted = next(iter(folder.indices))
    folder.refuse_foreign([wanted])
    file = tmp_path / name.replace("ID", wanted)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    with pytest.raises(InputError, match=str(tmp_path)):
        folder.refuse_foreign([wanted])
    assert file.read_text() == "mine"


def test_a_foreign_recipe_is_named_even_without_pairs(tmp_path: Path) -> None:
    (tmp_path / "generation.json").write_text('{"prompt": "a cat"}')
    with pytest.raises(InputError, match=r"generation\.json is there already, and void did not write it"):
        claim(tmp_path, {"schema": 3, "seed": 0, "scene": {}}, pairs=tmp_path / "pairs", may_replace=True)
    assert (tmp_path / "generation.json").read_text() == '{"prompt": "a cat"}'


def test_a_recipe_of_ours_is_continued_and_replaced(tmp_path: Path) -> None:
    for seed in (0, 1):
        claim(tmp_path, {"schema": 3, "seed": seed, "scene": {}}, pairs=tmp_path / "pairs", may_replace=True)
    (tmp_path / ".void-files.jsonl").unlink()
    write_json(tmp_path / "generation.json", {"schema": 3, "seed": 1, "scene": {}})
    claim(tmp_path, {"schema": 3, "seed": 2, "scene": {}}, pairs=tmp_path / "pairs", may_replace=True)


def test_a_key_that_an_earlier_version_lacks_asks_for_nothing_where_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "pairs" / "rigid-000000").mkdir(parents=True)
    write_json(tmp_path / "pairs" / "rigid-000000" / "metadata.json", {})
    write_json(tmp_path / "generation.json", {"schema": 3, "seed": 0, "scene": {"count": 1}})
    newer = {"schema": 3, "seed": 0, "scene": {"count": 1, "animation": "", "fps": None}}
    claim(tmp_path, newer, pairs=tmp_path / "pairs", may_replace=False)
    newer["scene"] = {"count": 1, "animation": "walk"}
    with pytest.raises(InputError, match=r"scene.animation \(there None, now walk\)"):
        claim(tmp_path, newer, pairs=tmp_path / "pairs", may_replace=False)
