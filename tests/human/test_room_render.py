"""Walls: seen, measured, and the same in both renderers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import box_man
import numpy as np
import pytest
from box_man import CUBE, PERSON

from data_gen.assets.library import Library
from data_gen.scene.geometry import background_points, depth
from data_gen.scene.preview import PreviewRenderer
from data_gen.scene.render import BlenderRenderer
from data_gen.scene.simulate import FLOOR, WALLS, Care, simulate
from data_gen.scene.spec import BackdropSpec, SceneSpec
from data_gen.scene.views import View
from data_gen.scene.workshop import WALL_THICKNESS

WORLD = box_man.world(box_man.walk())
ROOM = box_man.ROOM.room
HIGH_LIGHT = replace(box_man.LIGHT, sun_position=(2.0, -3.0, 4.0))


def spec_with(backdrop: BackdropSpec, **changes: object) -> SceneSpec:
    return box_man.scene(backdrop=backdrop, light=HIGH_LIGHT, **changes)


@pytest.fixture(scope="module")
def rendered(library: Library, tmp_path_factory: pytest.TempPathFactory) -> tuple[View, BlenderRenderer]:
    spec = spec_with(box_man.ROOM)
    renderer = BlenderRenderer(spec, box_man.workshop(library), tmp_path_factory.mktemp("room"))
    return renderer.render(WORLD, [CUBE, PERSON]), renderer


def test_walls_stand_on_the_rectangle_with_their_height(library: Library) -> None:
    assert ROOM is not None
    scene = box_man.workshop(library).scene(spec_with(box_man.ROOM))
    walls = {asset.name: asset.aabbox for asset in scene.assets if asset.name.startswith("wall")}
    assert set(walls) == {"wall_-x", "wall_+y"}
    left, back = walls["wall_-x"], walls["wall_+y"]
    np.testing.assert_allclose(left[:, 0], [ROOM.low[0] - WALL_THICKNESS, ROOM.low[0]], atol=1e-6)
    np.testing.assert_allclose(back[:, 1], [ROOM.high[1], ROOM.high[1] + WALL_THICKNESS], atol=1e-6)
    for low, high in (left, back):
        np.testing.assert_allclose([low[2], high[2]], [0.0, ROOM.height], atol=1e-6)
    # No gap at the corner.
    assert left[1, 1] >= ROOM.high[1] and back[0, 0] <= ROOM.low[0]


def test_walls_are_background_and_hide_the_sky(rendered: tuple[View, BlenderRenderer]) -> None:
    view, renderer = rendered
    camera = renderer.spec.camera.at(0)
    points_N3, solid_N = background_points(camera, renderer.backdrop_surface())
    height_HW = points_N3[:, 2].reshape(camera.height, camera.width)
    solid_HW = solid_N.reshape(camera.height, camera.width)
    background_HW = view.objects_THW[0] == -1
    wall_HW = solid_HW & (height_HW > 0.05) & background_HW
    floor_HW = solid_HW & (np.abs(height_HW) < 1e-4) & background_HW
    assert wall_HW.mean() > 0.3 and floor_HW.mean() > 0.2 and (~solid_HW).sum() > 50
    # A sage wall, a beige floor.
    wall_3, floor_3 = (view.rgb_THWC[0][chosen_HW].mean(axis=0) for chosen_HW in (wall_HW, floor_HW))
    assert wall_3[1] > wall_3[0] and floor_3[0] > floor_3[1] > floor_3[2]


def test_depth_of_a_wall(rendered: tuple[View, BlenderRenderer]) -> None:
    view, renderer = rendered
    assert ROOM is not None
    camera = renderer.spec.camera.at(0)
    nothing_THW = np.full_like(view.objects_THW[:1], -1)
    depth_HW = depth(nothing_THW, {}, {}, [camera], renderer.backdrop_surface(), 100.0)[0]
    # In the middle of the picture the back wall is met along the camera's axis.
    ray = camera.axes[2]
    expected = (ROOM.high[1] - camera.position[1]) / ray[1]
    middle = depth_HW[camera.height // 2 - 1 : camera.height // 2 + 1, camera.width // 2 - 1 : camera.width // 2 + 1]
    np.testing.assert_allclose(middle.mean(), expected, rtol=1e-2)


def test_a_wall_hides_what_is_behind_it_in_both_renderers(
    rendered: tuple[View, BlenderRenderer], library: Library, tmp_path: Path
) -> None:
    view, renderer = rendered
    preview = PreviewRenderer(renderer.spec, box_man.workshop(library), tmp_path).render(WORLD, [CUBE, PERSON])
    assert (preview.objects_THW == view.objects_THW).mean() > 0.99
    assert all((preview.objects_THW == i).sum() > 500 for i in (CUBE, PERSON))
    assert ROOM is not None
    front = replace(box_man.ROOM, room=replace(ROOM, high=(2.5, -2.0)))
    hidden = PreviewRenderer(spec_with(front), box_man.workshop(library), tmp_path).render(WORLD, [CUBE, PERSON])
    assert (hidden.objects_THW == -1).all()


def test_a_wall_stops_what_is_thrown_at_it(library: Library, tmp_path: Path) -> None:
    spec = spec_with(box_man.ROOM, frames=8)
    thrown = replace(spec.objects[CUBE], position=(1.0, 0.5, 1.0), velocity=(0.0, 6.0, 2.0))
    spec = replace(spec, objects=(thrown, spec.objects[PERSON]))
    world = simulate(spec, [CUBE], box_man.workshop(library), tmp_path)
    assert ROOM is not None
    assert 1.0 < world.positions[CUBE][:, 1].max() < ROOM.high[1] - 0.2
    assert {(contact.first, contact.second) for contact in world.contacts} == {(WALLS, CUBE), (FLOOR, CUBE)}
    assert world.contacts[0].first == WALLS
    assert world.positions[CUBE][int(world.contacts[0].frame), 2] > 0.5


def test_what_passes_through_a_wall_is_noticed(library: Library, tmp_path: Path) -> None:
    spec = spec_with(box_man.ROOM, frames=4)
    assert ROOM is not None
    # In a step of Bullet it comes further than the wall is thick.
    thrown = replace(spec.objects[CUBE], position=(1.0, 0.5, 1.0), velocity=(0.0, 400.0, 0.0))
    spec = replace(spec, objects=(thrown, spec.objects[PERSON]))
    through = simulate(spec, [CUBE], box_man.workshop(library), tmp_path, care=Care(substeps=1))
    assert through.positions[CUBE][-1, 1] > ROOM.high[1] + 1.0
    assert through.crossings == (0,) and through.overlap == 0.0
    inside = replace(thrown, position=(1.0, ROOM.high[1] + 0.1, 1.0), velocity=(0.0, 0.0, 0.0))
    stuck = replace(spec, objects=(inside, spec.objects[PERSON]))
    assert simulate(stuck, [CUBE], box_man.workshop(library), tmp_path, care=Care()).overlap > 0.1
