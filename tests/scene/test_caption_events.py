"""What an object does, read off its poses and contacts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from caption_scenes import FRAMES, SIZE, Pose, camera, fall, landing, roll, scene, slide, thing, topple, world

from data_gen.scene.caption.events import Direction, Event, Hit, Motion, events
from data_gen.scene.simulate import FLOOR, WALLS

CAN, BOX = thing("can", "red", "target"), thing("box", "blue", y=1.0)
THROWN = replace(CAN, velocity=(0.0, 3.0, 0.0))


def event(item, pose: Pose, *contacts: tuple[float, int, int], **changes) -> Event:
    spec = scene(item, BOX, **changes)
    return events(spec, world(spec, {0: pose}, *contacts))[0]


MOTIONS = {
    Motion.stands: (CAN, slide(CAN, (0.0, 0.04, 0.0))),
    Motion.slides: (CAN, slide(CAN, (0.0, 1.0, 0.0))),
    Motion.rolls: (CAN, roll(CAN, (0.0, 1.0, 0.0))),
    Motion.topples: (CAN, topple(CAN)),
    Motion.falls: (CAN, fall(CAN, 1.4)),
    Motion.flies: (THROWN, fall(CAN, 1.4)),
}


@pytest.mark.parametrize("motion", MOTIONS)
def test_kinds_of_motion(motion: Motion) -> None:
    assert event(*MOTIONS[motion]).motion is motion


def test_static_things_stand() -> None:
    assert event(replace(CAN, static=True), topple(CAN)).motion is Motion.stands


def test_partly_turned_things_tilt_and_fully_turned_ones_tumble() -> None:
    positions_T3, quaternions_T4 = topple(CAN, start=0)
    stuck = quaternions_T4[[0, 1, 2] + [2] * (FRAMES - 3)]
    assert event(CAN, (positions_T3[[0] * FRAMES], stuck)).motion is Motion.tilts
    hopping_T3, rolling_T4 = roll(CAN, (0.0, 1.5, 0.0))
    hopping_T3[1::2, 2] += 0.1 * SIZE
    assert event(CAN, (hopping_T3, rolling_T4)).motion is Motion.tumbles


@pytest.mark.parametrize("name", ["ball", "football", "marble"])
def test_round_things_never_topple_or_tumble(name: str) -> None:
    ball = replace(CAN, name=name)
    assert event(ball, topple(ball)).motion is Motion.rolls
    hopping_T3, rolling_T4 = roll(ball, (0.0, 1.5, 0.0))
    hopping_T3[1::2, 2] += 0.1 * SIZE
    assert event(ball, (hopping_T3, rolling_T4)).motion is Motion.rolls
    assert event(ball, slide(ball, (0.0, 1.5, 0.0))).motion is Motion.slides


def test_landing_and_bouncing() -> None:
    flat = event(CAN, fall(CAN, 1.4), (landing(1.4), FLOOR, 0))
    assert (flat.lands_on, flat.bounces, flat.rests) == (FLOOR, False, True)
    assert event(CAN, fall(CAN, 1.4), (3.0, WALLS, 0), (landing(1.4), FLOOR, 0)).lands_on == FLOOR
    along_a_wall = event(CAN, fall(CAN, 1.4), (3.0, WALLS, 0))
    assert along_a_wall.lands_on is None and along_a_wall.hits == ()
    assert event(CAN, fall(CAN, 1.4, bounce=0.4), (landing(1.4), FLOOR, 0)).bounces
    assert event(CAN, fall(CAN, 1.4), (landing(1.4), 0, 1)).lands_on == 1


def test_the_faster_one_hits() -> None:
    spec = scene(CAN, BOX)
    rolling = {0: roll(CAN, (0.0, 1.0, 0.0), stop=6)}
    happened = events(spec, world(spec, rolling, (6.0, 0, 1)))
    assert happened[0].hits == (Hit(1, 6.0),) and happened[1].hits == ()
    assert events(spec, world(spec, {}, (6.0, 0, 1)))[0].hits == (), "things that only touch"


def test_order_of_time() -> None:
    early, late = (event(CAN, slide(CAN, (0.0, 1.0, 0.0), start=start)) for start in (2, 10))
    assert 2 <= early.onset < 6 and 10 <= late.onset < 14
    assert event(CAN, slide(CAN, (0.0, 0.0, 0.0))).onset == FRAMES


def test_in_and_out_of_the_picture() -> None:
    outside = replace(CAN, position=(0.0, -4.5, SIZE / 2))
    comes = event(outside, roll(outside, (0.0, 3.0, 0.0)))
    assert comes.enters and not comes.leaves and comes.direction is Direction.right and comes.seen
    goes = event(CAN, roll(CAN, (0.0, -3.0, 0.0)))
    assert goes.leaves and not goes.enters and not goes.rests
    assert not event(outside, slide(outside, (0.0, 0.0, 0.0))).seen


def test_place() -> None:
    left, right = (
        event(thing("ball", "red", "target", y=y), slide(thing("", None, y=y), (0.0,) * 3)) for y in (-1.5, 1.5)
    )
    assert left.place[0] < 0.35 and right.place[0] > 0.65
    near, far = (
        event(thing("ball", "red", "target", x=x), slide(thing("", None, x=x), (0.0,) * 3)) for x in (1.0, -1.0)
    )
    assert near.place[1] == pytest.approx(-1.0) and far.place[1] == pytest.approx(1.0)


def test_what_stands_on_what() -> None:
    lower, upper = thing("box", "red", "target"), replace(BOX, position=(0.0, 0.0, 1.5 * SIZE))
    spec = scene(lower, upper)
    happened = events(spec, world(spec, {}, (0.1, 0, 1)))
    assert happened[1].on == 0 and happened[0].on is None


def test_a_moving_camera_does_not_make_things_move() -> None:
    happened = event(CAN, slide(CAN, (0.0, 0.0, 0.0)), camera=camera("orbit_right", (3.5, 3.5, 3.0)))
    assert happened.motion is Motion.stands and happened.direction is None
