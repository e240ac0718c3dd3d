"""Acceptance: each reason, from worlds made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from two_boxes import FRAMES, REMOVED, SPEC, TARGET, still, worlds

from data_gen.config import AcceptConfig
from data_gen.rigid.accept import Reason, judge
from data_gen.rigid.simulate import FLOOR, Contact, World
from data_gen.rigid.spec import SceneSpec


def verdict(full: World, without: World, spec: SceneSpec = SPEC) -> Reason | None:
    return judge(spec, full, without, AcceptConfig()).reason


def test_a_good_scene_is_accepted_with_its_numbers() -> None:
    result = judge(SPEC, *worlds(), AcceptConfig())
    assert result.reason is None
    assert result.measured["first_contact_frame"] == 4.5
    assert result.measured["disagreement_before_contact"] == 0
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
    both = worlds()
    both[world].positions[TARGET][8:, 2] = 0.0
    assert verdict(*both) is Reason.below_floor


def test_a_target_outside_the_picture() -> None:
    away = replace(SPEC.camera, look_at=(0.0, -12.0, 3.0))
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
    away = replace(SPEC.objects[0], role="launched")
    spec = replace(SPEC, objects=(*SPEC.objects, away))
    upright = full.quaternions[TARGET]
    behind = [still(0.0) - [0.0, 20.0 + i, 0.0] for i in (0, 5)]
    full.positions[TARGET][:] = without.positions[TARGET]
    full.positions[2], without.positions[2] = behind
    full.quaternions[2] = without.quaternions[2] = upright
    full.positions[2][:5] = without.positions[2][:5]
    full.positions[2][5:, 1] = without.positions[2][5:, 1] - 0.3 * np.arange(1, FRAMES - 4)
    assert verdict(full, without, spec) is Reason.no_effect
