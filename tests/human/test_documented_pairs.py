"""The examples of docs/data-generation.md, executed: two halves under one manifest, and a pair rendered again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from small_pairs import small_pairs

from data_gen.assets.library import Library
from data_gen.scene.spec import SceneSpec
from void.pairs import read_manifest, read_pair, validate

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data-generation.md"
SEQUENCES = "scene.human.sequences=[carry_two_hands_box_000,hand_over_head_box_000]"


@pytest.fixture(scope="module")
def halves(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs/both/rigid and runs/both/human, of two pairs each."""
    folder = tmp_path_factory.mktemp("halves")
    both = folder / "runs" / "both"
    for half, overrides in (("rigid", []), ("human", ["scene=human", SEQUENCES])):
        small_pairs(both / half, library, "scene.count=2", "scene.val_every=2", *overrides)
    return folder


def example(which: int) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[which], names)
    return names


def test_one_manifest_lists_both_halves(halves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(halves)
    example(0)
    assert validate(Path("runs/both")) == []
    rows = read_manifest(Path("runs/both"))
    assert [(row.id.split("-")[0], row.split) for row in rows] == [
        ("rigid", "train"),
        ("rigid", "val"),
        ("human", "train"),
        ("human", "val"),
    ]


@pytest.mark.parametrize("half", ["rigid", "human"])
def test_a_pair_is_rendered_again(
    half: str, halves: Path, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Blender, where the pair in the folder has the preview's plain colours: the objects are at the same places."""
    demo = tmp_path / "runs" / "demo"
    demo.mkdir(parents=True)
    (demo / "pairs").symlink_to(halves / "runs" / "both" / half)
    (demo / "assets").symlink_to(library.config.root)
    monkeypatch.chdir(tmp_path)
    again = example(1)["pair"]
    before = read_pair(demo / "pairs" / read_manifest(demo / "pairs")[0].path)
    assert again.metadata["scene"] == SceneSpec.from_dict(before.metadata["scene"]).to_dict()
    differs = (again.quadmask.primary_THW != before.quadmask.primary_THW).mean()
    assert differs < 0.1 * before.quadmask.primary_THW.mean()
