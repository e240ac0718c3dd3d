"""What Blender is told: patterns, windows, blur, depth of field, a moving camera."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from two_boxes import SPEC, plain, resting_camera

from data_gen.assets.library import Library
from data_gen.scene.camera import CameraPath, looking_at
from data_gen.scene.geometry import visible_objects
from data_gen.scene.palette import linear_rgb
from data_gen.scene.render import BlenderRenderer
from data_gen.scene.simulate import World
from data_gen.scene.spec import BackdropSpec, Pattern, SceneSpec, SurfaceSpec
from data_gen.scene.views import View, rounded_poses
from data_gen.scene.workshop import Workshop
from void.errors import InputError

FRAMES = 3
UPRIGHT = np.tile([1.0, 0.0, 0.0, 0.0], (FRAMES, 1))


def two_cubes(speed: float = 0.0) -> World:
    """Cubes at x = 0, which moves by `speed` metres a frame, and at x = 1."""
    moving = np.array([(speed * t, 0.0, 0.25) for t in range(FRAMES)])
    return World({0: moving, 1: np.tile([1.0, 0.0, 0.25], (FRAMES, 1))}, {0: UPRIGHT, 1: UPRIGHT}, ())


def shot(spec: SceneSpec, world: World, library: Library, scratch: Path) -> tuple[View, BlenderRenderer]:
    renderer = BlenderRenderer(replace(spec, frames=FRAMES), Workshop(library), scratch)
    return renderer.render(world, [0, 1]), renderer


@pytest.mark.parametrize("pattern", get_args(Pattern))
def test_patterns_show_both_colours(pattern: Pattern, library: Library, tmp_path: Path) -> None:
    look = SurfaceSpec(pattern, "red", "blue", 0.8)
    near = replace(SPEC, camera=resting_camera((0.0, -1.6, 0.9), (0.0, 0.0, 0.25)))
    objects = (replace(near.objects[0], surface=look), near.objects[1])
    view, _ = shot(replace(near, objects=objects), two_cubes(), library, tmp_path)
    pixels_N3 = view.rgb_THWC[0][view.objects_THW[0] == 0].astype(int)
    redder = pixels_N3[:, 0] > pixels_N3[:, 2]
    assert len(pixels_N3) > 500
    assert redder.all() if pattern == "plain" else 0.1 < redder.mean() < 0.97


def test_the_palette_has_distinct_colours_that_light_can_have() -> None:
    from data_gen.scene.palette import FLOOR_COLORS, OBJECT_COLORS, WOOD_COLORS

    for group in (OBJECT_COLORS, FLOOR_COLORS, WOOD_COLORS):
        colors = np.array([linear_rgb(name) for name in group])
        assert ((colors >= 0) & (colors <= 1)).all()
        apart = np.linalg.norm(colors[:, None] - colors[None], axis=-1)[~np.eye(len(colors), dtype=bool)]
        assert apart.min() > 0.03


def test_the_camera_moves_and_the_segmentation_follows(library: Library, tmp_path: Path) -> None:
    positions = ((0.0, -6.0, 3.0), (1.0, -6.0, 3.0), (2.0, -5.0, 2.0))
    quaternions = tuple(looking_at(place, (0.2 * t, 0.0, 0.2)) for t, place in enumerate(positions))
    spec = replace(SPEC, camera=CameraPath("orbit_left", positions, quaternions, 35.0, 96, 128), frames=FRAMES)
    world = two_cubes(speed=0.1)
    view, renderer = shot(spec, world, library, tmp_path)
    assert renderer.pictures == FRAMES
    poses = {i: rounded_poses(world, i) for i in (0, 1)}
    traced_THW = visible_objects(poses, renderer.surfaces(), [spec.camera.at(t) for t in range(FRAMES)])
    # Cycles' one sample of a pixel is near its centre, not on it.
    assert (traced_THW == view.objects_THW).mean() > 0.997
    assert all((view.objects_THW[t] == i).sum() > 30 for t in range(FRAMES) for i in (0, 1))


def test_motion_blur_smears_what_moves_and_leaves_the_segmentation(library: Library, tmp_path: Path) -> None:
    sharp, _ = shot(SPEC, two_cubes(speed=0.4), library, tmp_path)
    blurred_spec = replace(SPEC, render=replace(SPEC.render, motion_blur=0.8))
    blurred, _ = shot(blurred_spec, two_cubes(speed=0.4), library, tmp_path)
    np.testing.assert_array_equal(blurred.objects_THW, sharp.objects_THW)
    change_HW = np.abs(blurred.rgb_THWC[1].astype(int) - sharp.rgb_THWC[1]).max(axis=-1)
    moving_HW, resting_HW = (sharp.objects_THW[1] == i for i in (0, 1))
    assert change_HW[moving_HW].mean() > 15 > 6 > change_HW[resting_HW].mean()


def test_an_open_lens_blurs_what_is_not_in_focus(library: Library, tmp_path: Path) -> None:
    floor = BackdropSpec("floor", SurfaceSpec("checkered", "white", "brown", 0.8), 0.5, 0.2)
    spec = replace(SPEC, backdrop=floor, camera=resting_camera((0.0, -4.0, 1.0)))
    sharp, _ = shot(spec, two_cubes(), library, tmp_path)
    lens = replace(spec, render=replace(spec.render, samples=32, aperture=0.02))
    soft, _ = shot(lens, two_cubes(), library, tmp_path)

    def sky_contrast(view: View) -> float:
        """Of averages over columns, in which the noise of the samples is small."""
        return float(view.rgb_THWC[0, :40].mean(axis=(0, 2)).std())

    assert sky_contrast(soft) < 0.5 * sky_contrast(sharp)
    middle = np.abs(soft.rgb_THWC[0, 44:54, 57:70].astype(int) - sharp.rgb_THWC[0, 44:54, 57:70]).mean()
    assert middle < 25


def test_the_lens_follows_what_it_is_focused_on(library: Library, tmp_path: Path) -> None:
    places = {0: (-0.4, -2.5, 0.25), 1: (0.8, 2.0, 0.25)}
    world = World({i: np.tile(place, (FRAMES, 1)) for i, place in places.items()}, {0: UPRIGHT, 1: UPRIGHT}, ())
    check = SurfaceSpec("checkered", "white", "black", 0.8)
    objects = tuple(replace(item, surface=check) for item in SPEC.objects)
    spec = replace(SPEC, objects=objects, camera=resting_camera((0.0, -4.5, 1.0)))
    focus = (places[0], places[0], places[1])
    lens = replace(spec, render=replace(spec.render, samples=32, aperture=0.05, focus=focus))
    view, renderer = shot(lens, world, library, tmp_path)
    assert renderer.pictures == 2

    def contrast(frame: int, index: int) -> float:
        return float(view.rgb_THWC[frame][view.objects_THW[frame] == index].std())

    assert contrast(0, 0) > 1.5 * contrast(2, 0) and contrast(2, 1) > 1.5 * contrast(0, 1)
    assert contrast(1, 0) == contrast(0, 0)


def test_a_window_is_that_part_of_the_picture(library: Library, tmp_path: Path) -> None:
    """Without the denoiser, which sees only the window."""
    import bpy

    _, renderer = shot(SPEC, two_cubes(), library, tmp_path)
    bpy.context.scene.cycles.use_denoising = False
    rgb_HWC, objects_HW = renderer.draw(0, None)
    part_rgb, part_objects = renderer.draw(0, (50, 30, 90, 65))
    np.testing.assert_array_equal(part_objects, objects_HW[30:65, 50:90])
    difference = np.abs(part_rgb.astype(int) - rgb_HWC[30:65, 50:90])
    # Blender dithers by the place in the picture that it writes.
    assert difference.max() <= 3 and difference.mean() < 0.6
    assert (renderer.draw(0, None)[1] == objects_HW).all()


def test_a_dome_shows_the_sky(library: Library, tmp_path: Path) -> None:
    spec = replace(SPEC, backdrop=BackdropSpec("dome", None, 0.5, 0.2), objects=tuple(
        replace(item, surface=plain("red")) for item in SPEC.objects
    ))  # fmt: skip
    pictures = []
    for sky in ("city", "forest"):
        lit = replace(spec, light=replace(spec.light, sky=sky, level=0.0))
        view, renderer = shot(lit, two_cubes(), library, tmp_path)
        background = view.rgb_THWC[0][view.objects_THW[0] == -1]
        assert background.std() > 8, sky
        pictures.append(background.mean())
        assert renderer.backdrop_surface().corners[:, 2].max() > 5
    assert abs(pictures[0] - pictures[1]) > 1


def test_a_gpu_that_is_not_there_is_named(library: Library, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hip"):
        BlenderRenderer(replace(SPEC, frames=FRAMES), Workshop(library), tmp_path, device="hip")


def test_eevee_is_set_up_where_there_is_a_display_and_refused_elsewhere(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is rendered: that takes a GPU behind the display."""
    import bpy

    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="neither DISPLAY nor WAYLAND_DISPLAY"):
        BlenderRenderer(replace(SPEC, frames=FRAMES), Workshop(library), tmp_path, eevee=True)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    BlenderRenderer(replace(SPEC, frames=FRAMES), Workshop(library), tmp_path, eevee=True)
    scene = bpy.context.scene
    assert scene.render.engine == "BLENDER_EEVEE_NEXT"
    assert scene.eevee.taa_render_samples == SPEC.render.samples


@pytest.mark.gpu
def test_eevee_shows_the_objects_where_cycles_does(library: Library, tmp_path: Path) -> None:
    """Needs a display too."""
    spec = replace(SPEC, frames=FRAMES)
    views = [
        BlenderRenderer(spec, Workshop(library), tmp_path, eevee=eevee).render(two_cubes(), [0, 1])
        for eevee in (False, True)
    ]
    assert (views[0].objects_THW != views[1].objects_THW).mean() < 0.01
    assert np.abs(views[0].rgb_THWC.astype(int) - views[1].rgb_THWC).mean() < 25
