"""Drawing a scene: pure, and each part by itself. What the families draw is tested in tests/families."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from small_scene import small_scene

from data_gen.assets.library import Library
from data_gen.check import check_config, check_skies
from data_gen.config import SceneConfig
from data_gen.rigid.families.base import NoRoomError
from data_gen.rigid.families.registry import FAMILIES
from data_gen.rigid.sample import sample_scene
from data_gen.scene.config import LightConfig
from data_gen.scene.light import usable_skies
from data_gen.scene.spec import SceneSpec
from void.errors import InputError


def draw(config: SceneConfig, library: Library, index: int = 0, family: str = "variable") -> SceneSpec:
    for attempt in range(50):
        try:
            return sample_scene(config, library, seed=5, index=index, family=family, attempt=attempt)
        except NoRoomError:
            continue
    raise AssertionError("no room in 50 draws")


def test_drawing_repeats_and_differs_by_scene(library: Library) -> None:
    config = small_scene()
    assert draw(config, library) == draw(config, library)
    assert draw(config, library) != draw(config, library, index=1)


def test_each_part_is_drawn_by_itself(library: Library) -> None:
    """Another camera or another light leaves everything else as it was."""
    config, other = small_scene(), small_scene()
    other.camera.focal_length = 50.0
    other.camera.motions = ["orbit_left"]
    other.light.sun = 0.0
    first, second = draw(config, library), draw(other, library)
    assert first.objects == second.objects and first.backdrop == second.backdrop
    assert first.camera != second.camera and first.light != second.light
    assert first.light.sky == second.light.sky and first.light.rotation == second.light.rotation


@pytest.mark.parametrize("family", FAMILIES)
def test_a_spec_survives_json(family: str, library: Library) -> None:
    config = SceneConfig(frames=21, height=96, width=128)
    config.camera.aperture, config.camera.motion_blur = 2.8, 0.5
    spec = draw(config, library, family=family)
    assert SceneSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert sorted((*spec.removed, *spec.survivors)) == list(range(len(spec.objects)))
    assert spec.targets and spec.removed and spec.family == family
    assert spec.render.aperture == 2.8 and spec.render.motion_blur == 0.5


def test_backdrop_light_and_camera_vary(library: Library) -> None:
    config = SceneConfig(frames=21, height=96, width=128)
    specs = [draw(config, library, index) for index in range(60)]
    surfaces = [spec.backdrop.surface for spec in specs]
    assert all(surface is not None and surface.color != surface.second_color for surface in surfaces)
    assert len({surface.pattern for surface in surfaces if surface}) == 4
    assert {spec.light.sky for spec in specs} == set(library.skies)
    assert set(Counter(spec.camera.motion for spec in specs)) == set(config.camera.motions)
    assert len({spec.light.rotation for spec in specs}) == 60
    still = SceneConfig(frames=21, height=96, width=128, backdrop="dome", light=LightConfig(turn_sky=False))
    spec = draw(still, library)
    assert spec.backdrop.kind == "dome" and spec.backdrop.surface is None and spec.light.rotation == 0


def test_an_open_lens_is_focused_on_what_the_camera_looks_at(library: Library) -> None:
    config = SceneConfig(frames=21, height=96, width=128)
    config.camera.aperture, config.camera.motions = 2.8, ["dolly_in"]
    spec = draw(config, library)
    for frame in (0, 20):
        far = math.dist(spec.camera.positions[frame], (0.0, 0.0, config.camera.look_at_height))
        assert spec.focus_distance(frame) == pytest.approx(far)
    assert SceneSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    followed = replace(spec, render=replace(spec.render, focus=tuple((0.1 * t, 0.0, 0.0) for t in range(21))))
    _, depth = spec.camera.at(20).project(np.array([[2.0, 0.0, 0.0]]))
    assert followed.focus_distance(20) == pytest.approx(float(depth[0]))
    assert replace(spec, render=replace(spec.render, aperture=0.0)).focus_distance(0) is None


def test_dark_skies_are_left_out_unless_there_are_no_others() -> None:
    skies = ("city", "night", "night_forest")
    assert usable_skies(LightConfig(), skies) == list(skies)
    assert usable_skies(LightConfig(dark=["night"]), skies) == ["city"]
    assert usable_skies(LightConfig(dark=["night"], skies=["night"]), skies) == ["night"]
    # A held-out split may have none of the chosen ones.
    assert usable_skies(LightConfig(skies=["studio"]), skies) == list(skies)


BAD = {
    "frames": {"frames": 20},
    "height": {"height": 50},
    "count": {"count": 0},
    "fps": {"fps": 7},
    "val_every": {"val_every": 1},
    "max_attempts": {"max_attempts": 0},
    "backdrop": {"backdrop": "sea"},
    "renderer": {"renderer": "opengl"},
    "caption": {"caption": "long"},
    "scene.flow = true with scene.renderer": {"renderer": "preview", "flow": True},
    "scene.backdrop = dome with": {"renderer": "preview", "backdrop": "dome"},
}
BAD_KEYS = {
    "camera.motions": ["swing"],
    "camera.distance": (5.0, 4.0),
    "camera.motion_blur": 2.0,
    "families.chain.contact_window": (0.6, 0.1),
    "render.samples": 1,
    "render.view_transform": "Rec709",
    "render.device": "tpu",
    "change.grid": -1,
}


@pytest.mark.parametrize("name", BAD)
def test_impossible_values_are_named(name: str) -> None:
    with pytest.raises(InputError, match=name.split(".")[-1]):
        replace(small_scene(), **BAD[name])


@pytest.mark.parametrize("name", BAD_KEYS)
def test_impossible_nested_values_are_named(name: str) -> None:
    config = small_scene()
    *path, last = name.split(".")
    group: object = config
    for part in path:
        group = getattr(group, part)
    setattr(group, last, BAD_KEYS[name])
    with pytest.raises(InputError, match=last):
        check_config(config)


def test_shares_that_leave_nothing_to_draw() -> None:
    config = small_scene()
    for name in FAMILIES:
        getattr(config.families, name).share = 0.0
    with pytest.raises(InputError, match="shares"):
        check_config(config)


def test_good_values_pass_and_unknown_skies_are_named(library: Library) -> None:
    check_config(small_scene())
    check_config(SceneConfig(frames=21, height=96, width=128))
    with pytest.raises(InputError, match="moonlight"):
        check_skies(small_scene(light=LightConfig(skies=["moonlight"])), library)
