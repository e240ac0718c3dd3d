"""Acceptance: each reason, from worlds made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from two_boxes import FRAMES, REMOVED, SPEC, TARGET, resting_camera, still, thing, worlds

from data_gen.scene.accept import Reason, Verdict, judge, shows_removed
from data_gen.scene.config import AcceptConfig
from data_gen.scene.simulate import FLOOR, Contact, World
from data_gen.scene.spec import SceneSpec
from void.quadmask import Quadmask

WINDOW = (0.15, 0.6)


def judged(full: World, without: World, spec: SceneSpec = SPEC, *, changes: bool = True, **limits: object) -> Verdict:
    return judge(spec, full, without, AcceptConfig(**limits), contact_window=WINDOW, changes=changes)  # type: ignore[arg-type]


def verdict(full: World, without: World, spec: SceneSpec = SPEC, *, changes: bool = True) -> Reason | None:
    return judged(full, without, spec, changes=changes).reason


def test_a_good_scene_is_accepted_with_its_numbers() -> None:
    result = judged(*worlds())
    assert result.reason is None
    assert result.measured["first_contact_frame"] == 4.5
    assert result.measured["disagreement_before_contact"] == 0
    assert result.measured["max_speed"] == pytest.approx(3.3)
    assert result.measured["removed_visible"] == 1
    assert result.measured["divergence_metres"] == pytest.approx(1.8)
    # 1.8 m seen from about 6.6 m at 49 degrees.
    assert result.measured["divergence"] == pytest.approx(1.8 / (6.62 * 32 / 35), rel=0.03)


def test_physics_that_broke_down() -> None:
    full, without = worlds()
    full.positions[TARGET][3, 0] = np.nan
    assert verdict(full, without) is Reason.not_finite


def test_an_object_too_fast() -> None:
    full, without = worlds()
    full.positions[TARGET][6:, 0] -= 1.6
    assert verdict(full, without) is Reason.too_fast


@pytest.mark.parametrize("world", [0, 1])
def test_an_object_below_the_floor_of_either_world(world: int) -> None:
    both = list(worlds())
    both[world] = replace(both[world], sinking=0.2)
    assert verdict(*both) is Reason.below_floor


@pytest.mark.parametrize("world", [0, 1])
def test_objects_inside_one_another_at_the_start(world: int) -> None:
    both = list(worlds())
    both[world] = replace(both[world], overlap=0.02)
    assert verdict(*both) is Reason.spawn_overlap


def test_a_target_outside_the_picture() -> None:
    away = resting_camera(look_at=(0.0, -12.0, 3.0))
    assert verdict(*worlds(), replace(SPEC, camera=away)) is Reason.target_out_of_view


def test_a_removed_object_hardly_in_view() -> None:
    full, without = worlds()
    full.positions[REMOVED][2:, 0] = 9.0 + 0.1 * np.arange(FRAMES - 2)
    full.positions[REMOVED][:2, 0] = 9.0
    assert verdict(full, without) is Reason.removed_out_of_view


@pytest.mark.parametrize("side", [0.05, 9.0])
def test_a_removed_object_too_small_or_too_large(side: float) -> None:
    sized = replace(SPEC.objects[1], extents=(side, side, 0.2))
    assert verdict(*worlds(), replace(SPEC, objects=(SPEC.objects[0], sized))) is Reason.removed_size


def test_a_removed_object_that_touches_only_the_floor() -> None:
    full, without = worlds()
    assert verdict(replace(full, contacts=(Contact(1.0, FLOOR, REMOVED, 1.0),)), without) is Reason.no_contact


@pytest.mark.parametrize(("frame", "reason"), [(1.0, Reason.contact_time), (7.0, Reason.contact_time), (4.5, None)])
def test_contact_too_early_or_too_late(frame: float, reason: Reason | None) -> None:
    full, without = worlds()
    assert verdict(replace(full, contacts=(Contact(frame, TARGET, REMOVED, 1.0),)), without) is reason


def test_a_removed_object_that_acts_only_through_another_removed_one() -> None:
    full, without = worlds()
    spec = replace(SPEC, objects=(*SPEC.objects, thing("removed", 3.0)))
    full.positions[2], full.quaternions[2] = still(2.5), full.quaternions[TARGET]
    assert verdict(full, without, spec) is Reason.no_contact
    assert judged(full, without, spec, every_removed_acts=False).reason is None
    pushing = replace(full, contacts=(Contact(2.0, REMOVED, 2, 1.0), *full.contacts))
    assert verdict(pushing, without, spec) is None


def test_a_bystander_must_agree_to_the_end_unless_it_is_reached() -> None:
    """It is moved at frame 8; that is legal only after a contact with something that was reached."""
    full, without = worlds()
    spec = replace(SPEC, objects=(*SPEC.objects, thing("bystander", -1.0)))
    for world in (full, without):
        world.positions[2], world.quaternions[2] = still(-1.0), full.quaternions[TARGET]
    full.positions[2][8:, 0] -= 0.2
    assert verdict(full, without, spec) is Reason.worlds_disagree
    assert verdict(replace(full, contacts=(*full.contacts, Contact(7.5, TARGET, 2, 1.0))), without, spec) is None


def test_a_scene_in_which_nothing_may_change() -> None:
    full, without = worlds()
    assert verdict(full, without, changes=False) is Reason.has_effect
    full.positions[TARGET][:] = without.positions[TARGET]
    assert verdict(full, without) is Reason.no_effect
    assert verdict(full, without, changes=False) is None
    apart = replace(full, contacts=full.contacts[:1])
    assert verdict(apart, without, changes=False) is None
    apart.positions[TARGET][9, 0] = 0.01
    assert verdict(apart, without, changes=False) is Reason.worlds_disagree


def test_a_target_that_should_be_held_up_but_falls() -> None:
    full, without = worlds()
    window = {"contact_window": WINDOW, "changes": True}
    assert judge(SPEC, full, without, AcceptConfig(), **window, steady=True).reason is Reason.unsteady  # type: ignore[arg-type]
    still_there = judge(SPEC, full, without, AcceptConfig(max_settling=2.0), **window, steady=True)  # type: ignore[arg-type]
    assert still_there.reason is None


def test_removed_objects_must_be_seen_in_the_rendered_clip() -> None:
    primary_THW = np.zeros((8, 10, 10), np.bool_)
    primary_THW[:2, 4, 4] = True
    seen = Quadmask(primary_THW, np.zeros_like(primary_THW))
    assert shows_removed(seen, AcceptConfig())
    assert not shows_removed(seen, AcceptConfig(min_visible_frames=0.3))
    assert not shows_removed(seen, AcceptConfig(removed_area=(0.05, 0.5)))


def test_worlds_that_differ_before_the_contact() -> None:
    full, without = worlds()
    without.positions[TARGET][4, 0] = 0.01
    assert verdict(full, without) is Reason.worlds_disagree
    # From the contact on they may.
    without.positions[TARGET][4:, 0] = [0.0, *[0.01] * (FRAMES - 5)]
    assert verdict(full, without) is None


def test_a_push_nobody_sees() -> None:
    full, without = worlds()
    full.positions[TARGET][:, 0] *= 0.05
    assert verdict(full, without) is Reason.no_effect


def test_motion_outside_the_picture_does_not_count() -> None:
    full, without = worlds()
    away = replace(SPEC.objects[0], role="bystander")
    spec = replace(SPEC, objects=(*SPEC.objects, away))
    upright = full.quaternions[TARGET]
    behind = [still(0.0) - [0.0, 20.0 + i, 0.0] for i in (0, 5)]
    full.positions[TARGET][:] = without.positions[TARGET]
    full.positions[2], without.positions[2] = behind
    full.quaternions[2] = without.quaternions[2] = upright
    full.positions[2][:5] = without.positions[2][:5]
    full.positions[2][5:, 1] = without.positions[2][5:, 1] - 0.3 * np.arange(1, FRAMES - 4)
    hit = replace(full, contacts=(*full.contacts, Contact(4.5, REMOVED, 2, 1.0)))
    assert verdict(hit, without, spec) is Reason.no_effect
