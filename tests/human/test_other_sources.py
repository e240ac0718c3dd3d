"""`scene.motion=bvh` and `humoto_glb` give pairs: from the file that an archive would have to the clip."""

from __future__ import annotations

from pathlib import Path

import pytest
import trimesh
from blender_files import write_with_blender
from bvh_files import write_bvh
from small_pairs import small_pairs

from data_gen.assets.library import Library
from data_gen.human.choreography import compose_motion


@pytest.mark.filterwarnings("ignore:Gimbal lock")
@pytest.mark.parametrize("motion", ["bvh", "humoto_glb"])
def test_pairs_of_a_recording(motion: str, library: Library, tmp_path: Path) -> None:
    root = tmp_path / "recordings"
    root.mkdir()
    for name in ("carry_two_hands_box_000", "hand_over_head_box_000"):
        if motion == "bvh":
            write_bvh(root / f"{name}.bvh", compose_motion(name), lying=True)
        else:
            write_with_blender(root / f"{name}.glb", compose_motion(name))
    trimesh.creation.box((0.08, 0.16, 0.05)).export(tmp_path / "book.obj")
    overrides = [
        "scene=human",
        f"scene.motion={motion}",
        f"scene.human.root={root}",
        f"scene.human.bvh_object={tmp_path / 'book.obj'}",
        "scene.count=2",
        "scene.val_every=2",
    ]
    pairs = small_pairs(tmp_path / "pairs", library, *overrides)
    assert len(pairs) == 2
    for _, pair in pairs:
        scene = pair.metadata["scene"]
        sequence = scene["person"]["sequence"]
        assert sequence in {path.stem for path in root.iterdir()}
        held = "prop:book" if motion == "bvh" else f"prop:{sequence.split('_')[-2]}"
        assert held in {item["asset"] for item in scene["objects"]}
