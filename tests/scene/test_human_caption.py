"""Captions of human scenes: the room, and every motion of their camera."""

from __future__ import annotations

from dataclasses import replace

import pytest
from caption_scenes import camera, fall, scene, still, surface, thing, world

from data_gen.human.config import CAMERA_MOTIONS
from data_gen.scene.caption import MAX_BYTES, MAX_WORDS, caption
from data_gen.scene.spec import BackdropSpec, RoomSpec

ROOM = RoomSpec((-3.0, -3.0), (3.0, 3.0), 2.8, ("-x", "+y"), surface("cream"))
BACKDROP = BackdropSpec("room", surface("brown", "wood"), 0.6, 0.2, ROOM)
TABLE, MUG = thing("table", "oak"), thing("mug", "white", "target", y=1.0)
PERSON = replace(thing("person", None, "removed"), asset="figure")


@pytest.mark.parametrize("motion", CAMERA_MOTIONS)
def test_the_room_what_falls_and_the_camera_are_told_and_nobody_is(motion: str) -> None:
    end = (5.0, 0.0, 3.0) if motion == "static" else (4.0, 1.0, 3.0)
    spec = replace(scene(TABLE, MUG, PERSON, family="human"), backdrop=BACKDROP, camera=camera(motion, end))
    without = world(spec, {0: still(TABLE), 1: fall(MUG, 1.2)}, (8.0, -1, 1))
    told = {caption(replace(spec, index=index), without, "full") for index in range(12)}
    for text in told:
        assert "cream walls" in text and "mug" in text and "table" in text and len(text.split()) <= MAX_WORDS
        assert any(word in text for word in ("fall", "drop")), text
        assert "camera" in text and not any(word in text.lower() for word in ("person", "figure", "someone"))
    assert len(told) > 3
    assert len(caption(spec, without, "short").encode()) <= MAX_BYTES
