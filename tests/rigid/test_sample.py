"""Drawing scenes: distributions, purity, geometry."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest

from data_gen.config import AcceptConfig, RenderConfig, SceneConfig
from data_gen.rigid.assets import Shape
from data_gen.rigid.palette import FLOOR_COLORS, OBJECT_COLORS, linear_rgb
from data_gen.rigid.sample import NoRoomError, check_config, overlap, sample_scene
from data_gen.rigid.spec import SceneSpec
from data_gen.seeds import generator
from void.errors import InputError

Catalogue = dict[str, Shape]


def config(**changes: object) -> SceneConfig:
    return SceneConfig(**({"frames": 21, "height": 96, "width": 128} | changes))  # type: ignore[arg-type]


def scenes(catalogue: Catalogue, count: int, **changes: object) -> list[SceneSpec]:
    drawn = []
    for index in range(count):
        try:
            drawn.append(sample_scene(config(**changes), catalogue, 5, index, 0))
        except NoRoomError:
            continue
    assert len(drawn) > 0.6 * count
    return drawn


def test_the_same_seed_draws_the_same_scene(catalogue: Catalogue) -> None:
    first = sample_scene(config(), catalogue, 1, 2, 3)
    assert sample_scene(config(), catalogue, 1, 2, 3) == first
    assert len({first, *(sample_scene(config(), catalogue, *key) for key in ((0, 2, 3), (1, 1, 3), (1, 2, 4)))}) == 4


def test_generators_are_independent_by_every_part_of_their_name() -> None:
    keys = [(0, 0, 0, "a"), (1, 0, 0, "a"), (0, 1, 0, "a"), (0, 0, 1, "a"), (0, 0, 0, "b")]
    assert len({int(generator(*key).integers(2**62)) for key in keys}) == len(keys)
    assert generator(*keys[0]).integers(2**62) == generator(*keys[0]).integers(2**62)


def test_a_change_of_the_camera_leaves_the_rest_of_the_scene(catalogue: Catalogue) -> None:
    # Launch angles keep clear of the camera, so its azimuth is held.
    near, far = (
        sample_scene(config(camera_distance=d, camera_azimuth=(5, 5)), catalogue, 0, 0, 0) for d in ((4, 4), (9, 9))
    )
    assert near.camera != far.camera
    assert (near.objects, near.floor, near.light) == (far.objects, far.floor, far.light)


def test_object_counts_follow_the_list_and_large_scenes_lose_two(catalogue: Catalogue) -> None:
    counts = [3, 3, 4, 4, 5, 6, 6, 7, 7]
    room = {"object_size": (0.2, 0.3), "target_size": (0.2, 0.3), "resting_share": 0.0}
    drawn = scenes(catalogue, 900, object_counts=counts, **room)
    assert len(drawn) == 900
    found = Counter(len(scene.objects) for scene in drawn)
    for number, share in {3: 2 / 9, 4: 2 / 9, 5: 1 / 9, 6: 2 / 9, 7: 2 / 9}.items():
        assert found[number] / len(drawn) == pytest.approx(share, abs=0.045)
    assert all(len(scene.removed) == (2 if len(scene.objects) >= 4 else 1) for scene in drawn)
    # The removed ones are a random choice among those that are launched.
    assert {scene.removed for scene in drawn if len(scene.objects) == 4} == {(1, 2), (1, 3), (2, 3)}


def test_roles_and_ranges(catalogue: Catalogue) -> None:
    limits = config()
    for scene in scenes(catalogue, 200, object_counts=[4, 5]):
        target = scene.objects[scene.target]
        assert scene.target == 0 and target.velocity == (0, 0, 0)
        assert len({item.color for item in scene.objects}) == len(scene.objects)
        for item in scene.objects:
            size = limits.target_size if item is target else limits.object_size
            mass = limits.target_mass if item is target else limits.object_mass
            assert size[0] <= max(item.extents) <= size[1] and mass[0] <= item.mass <= mass[1]
            assert limits.friction[0] <= item.friction <= limits.friction[1]
            offset = np.subtract(item.position, target.position)[:2]
            if item.role in ("removed", "launched"):
                assert limits.ring_radius[0] <= np.linalg.norm(offset) <= limits.ring_radius[1]
                assert limits.speed[0] <= np.linalg.norm(item.velocity) <= limits.speed[1] and item.velocity[2] == 0
            if item.role == "removed":
                assert np.dot(item.velocity[:2], -offset) == pytest.approx(
                    np.linalg.norm(item.velocity) * np.linalg.norm(offset)
                )
            if item.role == "resting":
                assert item.velocity == (0, 0, 0)
        across = math.hypot(*scene.camera.position[:2])
        assert limits.camera_distance[0] <= across <= limits.camera_distance[1]
        assert scene.light.hdri in limits.render.hdris and scene.light.sun_position[2] > 0


def test_nothing_overlaps_and_nothing_starts_below_the_floor(catalogue: Catalogue) -> None:
    for scene in scenes(catalogue, 200):
        pairs = [(a, b) for i, a in enumerate(scene.objects) for b in scene.objects[:i]]
        assert not any(overlap(a, b) for a, b in pairs)
        for item in scene.objects:
            lowest = item.position[2] + catalogue[item.kind].low[2] * item.scale
            assert 0 < lowest <= config().drop_height[1] + 0.01


def test_objects_too_large_for_the_place_are_refused(catalogue: Catalogue) -> None:
    with pytest.raises(NoRoomError):
        sample_scene(config(object_size=(5, 6), target_size=(5, 6)), catalogue, 0, 0, 0)


def test_a_spec_survives_json(catalogue: Catalogue) -> None:
    spec = sample_scene(config(), catalogue, 0, 0, 0)
    assert SceneSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"family": "quad_0"}, "quad_0"),
        ({"count": 0}, "scene.count = 0"),
        ({"fps": 25}, "scene.fps = 25"),
        ({"fps": 0}, "scene.fps = 0"),
        ({"val_every": 1}, "scene.val_every = 1"),
        ({"object_counts": []}, "scene.object_counts"),
        ({"object_counts": [1, 2]}, "scene.object_counts"),
        ({"object_counts": [9]}, "scene.object_counts"),
        ({"remove_two_from": 2}, "scene.remove_two_from = 2"),
        ({"speed": (5.0, 3.0)}, r"scene.speed = \[5.0, 3.0\] is reversed"),
        ({"accept": AcceptConfig(contact_window=(0.6, 0.2))}, "scene.accept.contact_window"),
        ({"render": RenderConfig(samples=0)}, "scene.render.samples = 0"),
        ({"render": RenderConfig(samples=1)}, "scene.render.samples = 1"),
        ({"render": RenderConfig(view_transform="Agx")}, "scene.render.view_transform = Agx"),
        ({"render": RenderConfig(hdris=["beach"])}, "beach"),
        ({"render": RenderConfig(hdris=[])}, "scene.render.hdris"),
    ],
)
def test_impossible_configurations_are_named(changes: dict, named: str) -> None:
    check_config(config())
    with pytest.raises(InputError, match=named) as caught:
        check_config(config(**changes))
    assert caught.value.remedy


def test_colours_are_linear_light() -> None:
    assert linear_rgb("red") == pytest.approx((0.6308, 0.0212, 0.0273), abs=1e-4)
    assert all(0 <= channel <= 1 for name in (*OBJECT_COLORS, *FLOOR_COLORS) for channel in linear_rgb(name))
