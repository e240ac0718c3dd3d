"""Captions of human scenes: the room, and every motion of their camera."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from caption_scenes import camera, fall, landing, scene, still, surface, thing, world

from data_gen.human.config import CAMERA_MOTIONS
from data_gen.scene.caption import MAX_BYTES, MAX_WORDS, caption, phrases
from data_gen.scene.caption.events import Motion, events
from data_gen.scene.simulate import FLOOR
from data_gen.scene.spec import BackdropSpec, RoomSpec

ROOM = RoomSpec((-3.0, -3.0), (3.0, 3.0), 2.8, ("-x", "+y"), surface("cream"))
BACKDROP = BackdropSpec("room", surface("brown", "wood"), 0.6, 0.2, ROOM)
TABLE, MUG = thing("table", "oak"), thing("mug", "white", "target", y=1.0)
PERSON = replace(thing("person", None, "removed"), asset="figure")


@pytest.mark.parametrize("motion", CAMERA_MOTIONS)
def test_the_room_what_falls_and_the_camera_are_told_and_nobody_is(motion: str) -> None:
    end = (5.0, 0.0, 3.0) if motion == "static" else (4.0, 1.0, 3.0)
    spec = replace(scene(TABLE, MUG, PERSON, family="human"), backdrop=BACKDROP, camera=camera(motion, end))
    spec = replace(spec, light=replace(spec.light, sky="forest_cave"))
    without = world(spec, {0: still(TABLE), 1: fall(MUG, 1.2)}, (8.0, -1, 1))
    told = {caption(replace(spec, index=index), without, "full") for index in range(12)}
    for text in told:
        assert "cream walls" in text and "mug" in text and "table" in text and len(text.split()) <= MAX_WORDS
        assert any(word in text for word in ("fall", "drop")), text
        assert not any(light in text for options in phrases.LIGHT.values() for light in options), text
        assert "camera" in text and not any(word in text.lower() for word in ("person", "figure", "someone"))
    assert len(told) > 3
    assert len(caption(spec, without, "short").encode()) <= MAX_BYTES


def test_what_leaves_a_hand_just_above_a_table_falls_onto_it() -> None:
    mug = replace(thing("mug", "white", "target"), position=(0.0, 0.0, 1.2))
    spec = scene(TABLE, mug, PERSON, family="human")
    without = world(spec, {0: still(TABLE), 1: fall(mug, 0.2)}, (landing(0.2), 0, 1))
    assert events(spec, without)[1].motion is Motion.falls
    assert re.search(r"mug (falls|drops) onto an oak table", caption(spec, without, "short"))


def test_what_stood_on_a_falling_tray_falls_with_it() -> None:
    tray = replace(thing("tray", "navy", "target"), position=(0.0, 0.0, 0.05), extents=(0.6, 0.6, 0.1))
    on_it = [replace(thing(name, "red", "target"), position=(0.0, y, 0.2)) for name, y in (("mug", 0.2), ("apple", 0))]
    spec = scene(tray, *on_it, PERSON, family="human")
    poses = {i: fall(spec.objects[i], 1.2) for i in range(3)}
    without = world(spec, poses, (0.0, 0, 1), (0.0, 0, 2), (landing(1.2), FLOOR, 0))
    text = caption(spec, without)
    assert re.search(r"tray (falls|drops) to the floor", text), text
    assert re.search(r"a red mug and a red apple (fall|drop) with the navy tray", text.lower()), text
