"""What stands by itself, and what may fall."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tabletop import as_prop, box, motion_of, mug, scene_of, still, table, tray

from data_gen.assets.solids import block
from data_gen.human.motion import Prop
from data_gen.human.props import PropStore
from data_gen.human.support import resting

FRAMES = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("props")


def held_up(folder: Path, *placed: tuple[Prop, tuple[float, ...]], anchored: frozenset[int] = frozenset()) -> set[int]:
    stored = {i: PropStore(folder).add(prop) for i, (prop, _) in enumerate(placed)}
    poses_N7 = np.array([[*place, *(1.0, 0.0, 0.0, 0.0)[: 7 - len(place)]] for _, place in placed])
    return resting(stored, poses_N7, anchored=anchored)


def test_chains_of_support(folder: Path) -> None:
    on_table = [(table(), (0, 0, 0)), (tray(), (0.2, 0, 0.73)), (mug(), (0.2, 0.05, 0.745))]
    assert held_up(folder, *on_table) == {0, 1, 2}
    in_hand = [(table(), (0, 0, 0)), (tray(), (0.2, 0, 0.9)), (mug(), (0.2, 0.05, 0.915))]
    assert held_up(folder, *in_hand) == {0}
    assert held_up(folder, *in_hand, anchored=frozenset({1})) == {0, 1, 2}


@pytest.mark.parametrize(("over", "stands"), [(0.02, True), (0.07, False)])
def test_the_centre_of_mass_decides(folder: Path, over: float, stands: bool) -> None:
    """A box of 10 cm whose middle is within the table's edge, or beyond it."""
    edge = 0.6
    on_edge = [(table(), (0, 0, 0)), (box(), (edge - 0.04 + over, 0, 0.73))]
    assert held_up(folder, *on_edge) == ({0, 1} if stands else {0})


def test_gaps_and_overlaps_of_recordings(folder: Path) -> None:
    for height, stands in ((0.01, True), (-0.012, True), (0.03, False)):
        assert held_up(folder, (mug(), (0, 0, height))) == ({0} if stands else set())


def test_a_stick_on_its_tip_does_not_stand(folder: Path) -> None:
    stick = as_prop(block(100, 4, 4), "stick")
    lying = (0.0, 0.0, 0.0)
    w, y = Rotation.from_euler("y", -60, degrees=True).as_quat()[[3, 1]]
    leaning = (0.0, 0.0, 0.44, w, 0.0, y, 0.0)
    assert held_up(folder, (stick, lying)) == {0}
    assert held_up(folder, (stick, leaning)) == set()


def test_what_touches_a_wall_only_at_its_side_is_not_held(folder: Path) -> None:
    assert held_up(folder, (table(), (0, 0, 0)), (box(), (0.0, 0.405, 0.65))) == {0}


def test_only_what_the_person_holds_or_moves_may_fall(folder: Path) -> None:
    """Held: a tray with a mug on it. Leaned on: a table. Floating and never touched: a box."""
    hand_T3 = still(1.0, 0.0, 0.955, FRAMES)[:, :3]
    props = [tray(), mug(), table(), box(name="afloat")]
    paths = [still(1, 0, 1, FRAMES), still(1.05, 0, 1.015, FRAMES), still(0, 2, 0, FRAMES), still(0, -1, 1, FRAMES)]
    spec, *_ = scene_of(motion_of(props, paths, hand_T3), folder)
    assert [not item.static for item in spec.objects[:4]] == [True, True, False, False]
    leaning_T3 = still(0.0, 2.0, 0.765, FRAMES)[:, :3]
    spec, *_ = scene_of(motion_of(props[2:3], paths[2:3], leaning_T3), folder)
    assert spec.objects[0].static
    pushed_T7 = paths[2].copy()
    pushed_T7[:, 0] += 0.05 * np.arange(FRAMES)
    spec, *_ = scene_of(motion_of(props[2:3], [pushed_T7], leaning_T3), folder)
    assert not spec.objects[0].static
