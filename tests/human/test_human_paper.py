"""`scene=human_paper` from a folder in the layout of the release, with two characters; a broken sequence is listed."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from small_pairs import small_pairs

from data_gen.assets.library import Library
from data_gen.human.choreography import compose_motion
from data_gen.human.figure import build_figure, draw_traits
from data_gen.human.sources.layout import write_figure, write_sequence
from data_gen.scene.config import MaskRule
from void.composition import compose_config
from void.files import read_json

GOOD, BAD = ("carry_one_hand_mug_000", "carry_two_hands_box_000", "hand_over_head_box_000"), "a_broken_one"
COUNT = 5


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sequences; objects and characters are beside it."""
    folder = tmp_path_factory.mktemp("release")
    sequences = folder / "humoto_0805"
    for name in GOOD:
        write_sequence(sequences, folder / "humoto_objects_0805", compose_motion(name))
    for number, name in enumerate(("Remy", "Sophie")):
        write_figure(folder / f"{name}.fbx", *build_figure(draw_traits(np.random.default_rng(number))))
    broken = shutil.copytree(sequences / GOOD[0], sequences / BAD)
    for file in broken.iterdir():
        file.rename(broken / file.name.replace(GOOD[0], BAD))
    value = pickle.loads((broken / f"{BAD}.pkl").read_bytes())
    value["armature"][5]["mixamorig:Hips"] = np.full(7, np.nan)
    (broken / f"{BAD}.pkl").write_bytes(pickle.dumps(value, 4))
    return sequences


def test_the_papers_mix_is_made_of_a_licensed_folder(release: Path, library: Library, tmp_path: Path) -> None:
    root = tmp_path / "pairs"
    overrides = [
        "scene=human_paper",
        f"scene.human.root={release}",
        *(f"+scene.human.characters.{name}={release.parent / name}.fbx" for name in ("Remy", "Sophie")),
        f"scene.count={COUNT}",
        "scene.val_every=5",
        "scene.human.held_out=0.5",
    ]
    rows = small_pairs(root, library, *overrides)
    assert len(rows) == COUNT
    played = {(row.split, row.group.rpartition(":")[2]) for row, _ in rows}
    assert {sequence for _, sequence in played} <= set(GOOD)
    # A sequence is in one split only.
    assert len({sequence for _, sequence in played}) == len(played)
    people = [pair.metadata["scene"]["person"] for _, pair in rows]
    # By name, the first half of the four sequences is the first character's.
    order = sorted((*GOOD, BAD))
    assert all(
        person["character"] == ("Remy" if order.index(person["sequence"]) < len(order) / 2 else "Sophie")
        for person in people
    )
    assert {person["character"] for person in people} == {"Remy", "Sophie"}
    assert all(0 < pair.metadata["accepted"]["hold_error"] < 0.05 for _, pair in rows)
    assert {pair.metadata["mask_rule"] for _, pair in rows} == {"released_humoto"}
    unusable = read_json(root / "summary.json")["unusable"]
    assert set(unusable) == {BAD} and "mixamorig:Hips is not finite at frame 5" in unusable[BAD]


def test_the_papers_mix_is_of_its_size() -> None:
    scene = compose_config(["scene=human_paper"]).scene
    assert scene.mask is MaskRule.released_humoto
    assert (scene.count, scene.motion, scene.human.cast, scene.human.removal) == (
        4500,
        "humoto",
        "halves",
        "from_start",
    )
    assert [name for name, family in vars(scene.families).items() if family.share > 0] == ["human"]
