"""Composed motions go through the release's layout, and come out as they were composed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from data_gen.config import SceneConfig
from data_gen.human.config import HumanConfig
from data_gen.human.motion import Motion, MotionSource
from data_gen.human.sources import layout, open_source, procedural
from data_gen.scene.skin import skinned
from void.errors import InputError

CONFIG = HumanConfig(variations=1)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("procedural")


@pytest.fixture(scope="module")
def source(cache: Path) -> MotionSource:
    return open_source("procedural", CONFIG, cache)


@pytest.fixture(scope="module")
def motion(source: MotionSource) -> Iterator[Motion]:
    yield source.read(source.sequences[0])


def test_it_is_what_was_composed(motion: Motion) -> None:
    composed = procedural.compose_motion(motion.sequence)
    assert (motion.source, motion.fps, motion.frames) == ("procedural", composed.fps, composed.frames)
    assert motion.skin.look is None  # Its plain parts are painted for each scene.
    assert [prop.name for prop in motion.props] == [prop.name for prop in composed.props]
    assert np.abs(motion.props_TN7 - composed.props_TN7).max() < 1e-9
    order = [motion.skeleton.index(name) for name in composed.skeleton.names]
    assert np.abs(motion.joints_TJ7[:, order, :3] - composed.joints_TJ7[..., :3]).max() < 1e-4
    last = composed.frames - 1
    before = skinned(composed.skin, composed.skeleton, composed.joints_TJ7[last])
    assert np.abs(skinned(motion.skin, motion.skeleton, motion.joints_TJ7[last]) - before).max() < 1e-3


def test_the_files_are_those_of_the_release(cache: Path, motion: Motion) -> None:
    names = {path.name for path in cache.rglob(f"{motion.sequence}.*")}
    assert names == {f"{motion.sequence}.{suffix}" for suffix in ("pkl", "fbx", "yaml")}


def test_a_sequence_is_written_once(
    cache: Path, source: MotionSource, motion: Motion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "write_sequence", None)
    again = open_source("procedural", CONFIG, cache).read(motion.sequence)
    assert np.array_equal(again.joints_TJ7, motion.joints_TJ7)


def test_what_was_removed_is_made_again(cache: Path, source: MotionSource, motion: Motion) -> None:
    shutil.rmtree(next(cache.rglob(f"{motion.sequence}.pkl")).parents[2])
    assert np.array_equal(source.read(motion.sequence).joints_TJ7, motion.joints_TJ7)


@pytest.mark.parametrize(
    ("motion", "fps", "problem"),
    [
        ("humoto_glb", 0.0, "fps must be greater than 0, got 0"),
        ("bvh", -30.0, "fps must be greater than 0, got -30"),
        ("procedural", 30.0, "have a rate of their own"),
    ],
)
def test_impossible_rates_are_refused(motion: str, fps: float, problem: str) -> None:
    size = {"frames": 5, "height": 32, "width": 48}
    SceneConfig(**size, motion="humoto_glb", human=HumanConfig(fps=30.0))
    with pytest.raises(InputError, match=problem):
        SceneConfig(**size, motion=motion, human=HumanConfig(fps=fps))


def test_names_are_sorted_and_unknown_ones_refused(source: MotionSource) -> None:
    assert list(source.sequences) == sorted(source.sequences)
    assert source.characters == ()
    assert source.describe() == {"motion": "procedural", "sequences": len(source.sequences), "characters": []}
    with pytest.raises(InputError, match="'dance' is unknown"):
        source.read("dance")
