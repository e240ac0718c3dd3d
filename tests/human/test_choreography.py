"""Procedural motions: feet that stay, hands that hold, objects that neither float nor sink."""

from __future__ import annotations

import numpy as np
import pytest

from data_gen.human.choreography import MOTIONS, compose_motion, sequence_names
from data_gen.human.choreography.contact import depths, planes_of
from data_gen.human.choreography.hand import bend_fingers, find_grip, make_hand
from data_gen.human.choreography.props import size
from data_gen.human.choreography.stage import LEFT, RIGHT, Stage
from data_gen.human.figure import build_figure
from data_gen.human.figure.build import Traits
from data_gen.human.figure.skeleton import ALONG
from data_gen.human.motion import Motion, check_motion
from data_gen.scene.poses import apply, compose, conjugate, inverse, multiply, rotate
from data_gen.scene.skin import skinned

MAX_SLIDE = 0.01
MAX_HAND, MAX_BODY, MAX_SEAT = 0.01, 0.015, 0.02
"""Metres by which hands, the rest of the body, and what sits on a chair may be in an object: flesh gives way."""
HELD, RESTS = 0.005, 0.002
"""Metres from the nearest skin of a hand to what it holds, and from an object to what bears it."""
MAX_WRIST = 90
"""Degrees between a forearm and its hand."""
MAX_WAY = 3.0
"""Metres from the hips that a ball may get."""
ON_FLOOR = 0.02
"""Metres above its lowest height below which an ankle stands."""
GRAVITY = 9.81


@pytest.fixture(scope="module")
def motions() -> dict[str, list[Motion]]:
    """Two sequences of each motion."""
    names = sequence_names(2)
    return {motion: [compose_motion(n) for n in names if n.startswith(f"{motion}_")] for motion in MOTIONS}


def vertices_of(motion: Motion, index: int, frame: int) -> np.ndarray:
    return apply(motion.props_TN7[frame, index], motion.props[index].vertices_V3)


def test_there_are_enough_motions_with_names_of_their_own() -> None:
    assert len(MOTIONS) >= 12
    names = sequence_names(8)
    assert len(set(names)) == len(names) == 8 * len(MOTIONS) and list(names) == sorted(names)
    with pytest.raises(KeyError):
        compose_motion("juggle_ball_000")


def test_a_name_decides_the_motion_and_variations_differ() -> None:
    first, again, other = (compose_motion(f"carry_one_hand_mug_{k}") for k in ("000", "000", "005"))
    np.testing.assert_array_equal(first.joints_TJ7, again.joints_TJ7)
    heights = [motion.skeleton.rest_J7[:, 2].max() for motion in (first, other)]
    assert abs(heights[0] - heights[1]) > 0.005


@pytest.mark.parametrize("name", MOTIONS)
def test_every_motion_can_be_played_for_five_seconds(name: str, motions: dict[str, list[Motion]]) -> None:
    motion = check_motion(motions[name][0], "mend it")
    assert motion.seconds >= 5 and motion.fps == 30
    steps = np.linalg.norm(np.diff(motion.joints_TJ7[..., :3], axis=0), axis=-1) * motion.fps
    assert steps.max() < 9, "no joint jumps"


@pytest.mark.parametrize("name", MOTIONS)
def test_standing_feet_do_not_slide_nor_sink(name: str, motions: dict[str, list[Motion]]) -> None:
    for motion in motions[name]:
        check_feet(motion)


def check_feet(motion: Motion) -> None:
    """Feet that stand stay where they are, and nothing of the body is in the floor."""
    for side in ("Left", "Right"):
        ankle_T3 = motion.joint(f"{side}Foot")[:, :3]
        stands_T = ankle_T3[:, 2] < ankle_T3[:, 2].min() + ON_FLOOR
        slide_T = np.linalg.norm(np.diff(ankle_T3[:, :2], axis=0), axis=-1)
        assert slide_T[stands_T[1:] & stands_T[:-1]].max() < MAX_SLIDE
    for frame in np.linspace(0, motion.frames - 1, 6).astype(int):
        lowest = skinned(motion.skin, motion.skeleton, motion.joints_TJ7[frame])[:, 2].min()
        assert -0.02 < lowest < 0.03


@pytest.mark.parametrize("name", MOTIONS)
def test_nothing_enters_anything_and_nothing_floats(name: str, motions: dict[str, list[Motion]]) -> None:
    for motion in motions[name]:
        check_contacts(motion, every=6)


@pytest.mark.slow
@pytest.mark.parametrize("name", sequence_names(8))
def test_no_sequence_has_anything_enter_or_float(name: str) -> None:
    motion = compose_motion(name)
    check_contacts(motion, every=3)
    check_feet(motion)


def check_contacts(motion: Motion, every: int) -> None:
    """Bounds of how deep the figure is in objects, at some frames, and that each object has something that bears it."""
    names = [name.removeprefix("mixamorig:") for name in motion.skeleton.names]
    skin = motion.skin
    main_V = skin.joints_V4[np.arange(len(skin.joints_V4)), skin.weights_V4.argmax(axis=1)]
    hand_V = np.array(["Hand" in names[j] for j in main_V])
    planes = [planes_of(prop.kind) for prop in motion.props]
    free_TN = ballistic(motion)
    for t in range(0, motion.frames, every):
        skin_V3 = skinned(skin, motion.skeleton, motion.joints_TJ7[t])
        lows = [vertices_of(motion, i, t)[:, 2].min() for i in range(len(motion.props))]
        for i, prop in enumerate(motion.props):
            deep_V = depths(apply(inverse(motion.props_TN7[t, i]), skin_V3), planes[i])
            where = (motion.sequence, prop.name, t, names[main_V[deep_V.argmax()]])
            assert deep_V[hand_V].max() < MAX_HAND, where
            assert deep_V[~hand_V].max() < (MAX_SEAT if prop.kind == "chair" else MAX_BODY), where
            assert lows[i] > -0.002, where
            if lows[i] < RESTS or free_TN[t, i]:
                continue
            held = deep_V[hand_V].max() > -HELD
            borne = any(carries(motion, j, i, t) for j in range(len(motion.props)) if j != i)
            # A bounce is neither flight nor rest.
            bounces = prop.kind == "ball" and free_TN[max(0, t - 4) : t + 5, i].any()
            assert held or borne or bounces, where


def carries(motion: Motion, below: int, above: int, frame: int) -> bool:
    """Whether the underside of an object rests on another: some of its lowest vertices are at the other's surface."""
    above_V3 = vertices_of(motion, above, frame)
    foot_V3 = above_V3[above_V3[:, 2] < above_V3[:, 2].min() + 0.001]
    local_V3 = apply(inverse(motion.props_TN7[frame, below]), foot_V3)
    return bool(np.abs(depths(local_V3, planes_of(motion.props[below].kind))).min() < RESTS)


def ballistic(motion: Motion) -> np.ndarray:
    """`(T, N)`: whether an object's middle is accelerated by gravity alone."""
    free_TN = np.zeros((motion.frames, len(motion.props)), bool)
    for i, prop in enumerate(motion.props):
        middle_3 = prop.vertices_V3.min(axis=0) / 2 + prop.vertices_V3.max(axis=0) / 2
        places_T3 = apply(motion.props_TN7[:, i], middle_3)
        off_T3 = np.diff(places_T3, n=2, axis=0) * motion.fps**2 + [0.0, 0.0, GRAVITY]
        free_TN[1:-1, i] = np.linalg.norm(off_T3, axis=-1) < 0.05 * GRAVITY
    return free_TN


@pytest.mark.parametrize("name", sorted(set(MOTIONS) - {"kick"}))
def test_hands_are_at_their_grips_and_wrists_are_not_broken(name: str) -> None:
    for seed in range(2):
        stage = Stage(np.random.default_rng(seed), 6.0)
        MOTIONS[name].perform(stage, MOTIONS[name].kinds[seed % len(MOTIONS[name].kinds)])
        stage.arc = None
        motion = stage.motion("unturned", yaw=0.0)
        hips_T2 = stage.controls.hips_T3[:, :2]
        middle_3 = np.array([*(hips_T2.min(axis=0) + hips_T2.max(axis=0)) / 2, 0.0])
        held_T2 = stage.controls.used_T2 >= 1
        assert held_T2.any()
        for k, side in enumerate(("Left", "Right")):
            elbow_T3, wrist_T7 = motion.joint(f"{side}ForeArm")[:, :3], motion.joint(f"{side}Hand")
            missed_T = np.linalg.norm(wrist_T7[:, :3] + middle_3 - stage.controls.hands_T27[:, k, :3], axis=-1)
            assert missed_T[held_T2[:, k]].max(initial=0.0) < 0.005, (seed, side)
            forearm_T3 = wrist_T7[:, :3] - elbow_T3
            cosine_T = np.sum(rotate(wrist_T7[:, 3:], ALONG) * forearm_T3, axis=-1) / np.linalg.norm(
                forearm_T3, axis=-1
            )
            assert np.degrees(np.arccos(cosine_T.min())) < MAX_WRIST, (seed, side)


def test_a_bent_walk_ends_where_its_arc_does_and_what_is_carried_stays_in_the_hands() -> None:
    motions = []
    for turn in (0.0, 1.2):
        stage = Stage(np.random.default_rng(3), 6.0)
        stage.walk(0.5, 2.0, turn=turn)
        box_T7 = stage.add("box", stage.carried(0.0, -0.4, 0.1))
        for hand, sign in ((LEFT, 1.0), (RIGHT, -1.0)):
            stage.grip(hand, "box", box_T7, (0.0, 0.0, 0.12), (sign, 0.2, 0.0))
        motions.append(stage.motion("walk", yaw=0.0))
    straight, bent = motions
    way_3 = bent.joint("Hips")[-1, :3] - bent.joint("Hips")[0, :3]
    radius = 2.0 / 1.2
    np.testing.assert_allclose(way_3[:2], [radius * (1 - np.cos(1.2)), -radius * np.sin(1.2)], atol=1e-6)
    for joint in ("LeftHand", "RightHandIndex2", "Head"):
        held = [compose(inverse(motion.props_TN7[:, 0]), motion.joint(joint)) for motion in motions]
        np.testing.assert_allclose(held[0], held[1], atol=1e-9)
    for side in ("Left", "Right"):
        lengths = [
            np.linalg.norm(motion.joint(f"{side}Leg")[:, :3] - motion.joint(f"{side}Foot")[:, :3], axis=-1)
            for motion in motions
        ]
        np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-9)
        turned = multiply(bent.joint(f"{side}Foot")[-1, 3:], conjugate(straight.joint(f"{side}Foot")[-1, 3:]))
        np.testing.assert_allclose(
            np.abs(turned), [np.cos(0.6), 0, 0, np.sin(0.6)], atol=5e-3
        )  # Ankles are behind hips.
    check_feet(bent)


@pytest.mark.parametrize("kind", ["box", "bottle", "apple", "mixing_bowl"])
def test_a_grip_touches_with_palm_and_fingers(kind: str) -> None:
    skeleton, skin = build_figure(Traits())
    hand = make_hand(skeleton, skin, "Right")
    planes_PF4 = planes_of(kind)
    grip = find_grip(hand, planes_PF4, np.array([0, 0, 0.04]), np.array([-1.0, 0, 0]), np.array([0, -1.0, 0]))
    assert 0 < depths(apply(grip.hand_7, hand.skin_V3), planes_PF4).max() < 0.003
    for finger, curls_K in zip(hand.fingers, grip.curls_5K, strict=True):
        assert depths(apply(grip.hand_7, finger.bent(curls_K[None])), planes_PF4).max() < 0.003
    bend = float(grip.curls_5K[1:].sum(axis=1).max())
    assert bend < 0.4 if kind == "box" else bend > 0.5


def test_the_posed_skin_is_that_of_the_grip() -> None:
    """The solver bends fingers by itself: it must agree with the skeleton."""
    skeleton, skin = build_figure(Traits())
    curls_5K = np.linspace(0.1, 0.9, 15).reshape(5, 3)
    hands = [make_hand(skeleton, skin, side) for side in ("Left", "Right")]
    joints_TJ7 = bend_fingers(skeleton, skeleton.rest_J7[None], "Left", hands[0], curls_5K[None])
    posed_V3 = skinned(skin, skeleton, joints_TJ7[0])
    wrist_7 = skeleton.rest_J7[skeleton.index("LeftHand")]
    for finger, curls_K in zip(hands[0].fingers, curls_5K, strict=True):
        bent_V3 = apply(wrist_7, finger.bent(curls_K[None])[0])
        nearest = np.linalg.norm(bent_V3[:, None] - posed_V3[None], axis=-1).min(axis=1)
        assert nearest.max() < 1e-6


def test_depth_of_points_in_a_box() -> None:
    width, depth, height = size("book")
    points_N3 = np.array(
        [[0, 0, height / 2], [0, 0, height + 0.05], [width / 2 - 0.004, 0, height / 2], [0, depth, 0.01]]
    )
    expected = [height / 2, -0.05, 0.004, -depth / 2]
    np.testing.assert_allclose(depths(points_N3, planes_of("book")), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["place", "throw"])
def test_the_head_follows_what_is_done(name: str, motions: dict[str, list[Motion]]) -> None:
    motion = motions[name][0]
    skeleton = motion.skeleton
    head = skeleton.index("Head")
    turned_T4 = multiply(motion.joints_TJ7[:, head, 3:], conjugate(skeleton.rest_J7[head, 3:])[None])
    looks_T3 = rotate(turned_T4, np.array([0.0, -1.0, 0.0]))
    moving = int(np.ptp(motion.props_TN7[..., :3], axis=0).max(axis=-1).argmax())
    # Which way the chest looks, the head would without turning.
    chest = skeleton.index("Spine2")
    chest_T4 = multiply(motion.joints_TJ7[:, chest, 3:], conjugate(skeleton.rest_J7[chest, 3:])[None])
    ahead_T3 = rotate(chest_T4, np.array([0.0, -1.0, 0.0]))
    way_T3 = motion.props_TN7[:, moving, :3] - motion.joints_TJ7[:, head, :3]
    way_T3 = way_T3 / np.linalg.norm(way_T3, axis=-1, keepdims=True)
    busy = slice(40, 75)
    off, unturned = (np.degrees(np.arccos(np.sum(v * way_T3, axis=-1)[busy])).mean() for v in (looks_T3, ahead_T3))
    assert off < unturned - 5
    assert np.degrees(np.arccos(np.sum(looks_T3 * ahead_T3, axis=-1).clip(-1, 1))).max() < 50


def test_a_thrown_ball_falls_as_gravity_says(motions: dict[str, list[Motion]]) -> None:
    motion = motions["throw"][0]
    (ball,) = range(len(motion.props))
    radius = np.ptp(motion.props[ball].vertices_V3[:, 2]) / 2
    middles_T3 = apply(motion.props_TN7[:, ball], np.array([0.0, 0.0, radius]))
    falling_T = np.diff(middles_T3[:, 2], n=2) * motion.fps**2
    assert (np.abs(falling_T / GRAVITY + 1) < 0.02).sum() >= 8
    speed_T = np.linalg.norm(np.diff(middles_T3[:, :2], axis=0), axis=-1) * motion.fps
    assert speed_T[-1] < 0.6 * speed_T.max() and middles_T3[-1, 2] == pytest.approx(radius, abs=0.002)


@pytest.mark.parametrize("name", [name for name in sequence_names(8) if name.startswith(("kick", "throw"))])
def test_a_ball_stays_near(name: str) -> None:
    motion = compose_motion(name)
    away_T2 = motion.props_TN7[:, 0, :2] - motion.joint("Hips")[:, :2]
    assert np.linalg.norm(away_T2, axis=-1).max() < MAX_WAY
