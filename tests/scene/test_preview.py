"""The rasteriser's pictures against rays computed by hand, pixel by pixel."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pybullet
import pytest
from scipy.spatial.transform import Rotation

from data_gen.blender.kubric_compat import load_kubric
from data_gen.scene.camera import CameraPath, around, ease, looking_at
from data_gen.scene.preview import NEUTRAL, SKY, PreviewRenderer
from data_gen.scene.simulate import World
from data_gen.scene.spec import BackdropSpec, LightSpec, ObjectSpec, RenderSpec, SceneSpec, SurfaceSpec
from data_gen.scene.views import View
from data_gen.scene.workshop import Workshop
from void.errors import InputError

FRAMES, HEIGHT, WIDTH = 5, 72, 96
CUBE, BALL, CRATE = range(3)
EVERYTHING = (CUBE, BALL, CRATE)
CRATE_LOW, CRATE_HIGH = np.array([-0.5, -0.3, -0.4]), np.array([0.5, 0.3, 0.6])
MAGENTA = (200, 30, 180)
SUN = (2.0, -4.0, 6.0)


class SmallLibrary:
    """The two primitives, and a crate with a texture."""

    def __init__(self, folder: Path) -> None:
        self.kb = load_kubric()
        self.folder = folder
        corners = [[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]
        lines = ["mtllib crate.mtl", "usemtl paper", "vt 0.5 0.5"]
        lines += ["v {:g} {:g} {:g}".format(*(CRATE_LOW + c * (CRATE_HIGH - CRATE_LOW))) for c in np.array(corners)]
        for a, b, c, d in ((1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)):
            lines += [f"f {a}/1 {b}/1 {c}/1", f"f {a}/1 {c}/1 {d}/1"]
        (folder / "crate.obj").write_text("\n".join(lines) + "\n")
        (folder / "crate.mtl").write_text("newmtl paper\nKd 1 1 1\nmap_Kd paper.png\n")
        cv2.imwrite(str(folder / "paper.png"), np.full((8, 8, 3), MAGENTA[::-1], np.uint8))

    def create(self, asset: str, **traits: Any) -> Any:
        if asset == "cube":
            return self.kb.Cube(**traits)
        if asset == "sphere":
            return self.kb.Sphere(**traits)
        return self._file(asset, **traits)

    def dome(self, **traits: Any) -> Any:
        return self._file("dome", **traits)

    def _file(self, asset: str, **traits: Any) -> Any:
        file = str(self.folder / f"{asset}.obj")
        return self.kb.FileBasedObject(
            asset_id=asset, simulation_filename=None, render_filename=file, bounds=(CRATE_LOW, CRATE_HIGH), **traits
        )


def item(asset: str, color: str | None, scale: tuple[float, float, float], role: Any) -> ObjectSpec:
    surface = SurfaceSpec("plain", color, color, 0.5) if color else None
    return ObjectSpec(asset, asset, role, surface, scale, (1.0, 1.0, 1.0), 1.0, 0.4, 0.3, (0.0, 0.0, 0.0))


def scene(*, moving: bool = False, **changes: Any) -> SceneSpec:
    last = FRAMES - 1
    places = [around(4.9, -0.3 + 0.5 * ease(t / last), 3.0 + 0.5 * t / last) for t in range(FRAMES if moving else 1)]
    turns = [looking_at(place, (0.0, 0.0, 0.2)) for place in places]
    spec = SceneSpec(
        family="variable",
        seed=1,
        index=2,
        attempt=3,
        frames=FRAMES,
        fps=12,
        objects=(
            item("cube", "red", (0.5, 0.3, 0.4), "target"),
            item("sphere", "blue", (0.45, 0.45, 0.45), "removed"),
            item("crate", None, (0.9, 0.9, 0.9), "bystander"),
        ),
        camera=CameraPath("orbit_left", tuple(places), tuple(turns), 35.0, HEIGHT, WIDTH),
        backdrop=BackdropSpec("floor", SurfaceSpec("plain", "sage", "grey", 0.6), 0.4, 0.3),
        light=LightSpec("day", 0.0, 0.55, 1.6, SUN),
        render=RenderSpec(4, 2, "Standard", 0),
    )
    return dataclasses.replace(spec, **changes)


def world() -> World:
    """The ball flies past the turning cube; the crate lies still, tilted."""
    time_T = np.arange(FRAMES) / 12
    positions = {
        CUBE: np.tile([0.0, 0.0, 0.7], (FRAMES, 1)),
        BALL: np.array([1.6, 0.9, 0.6]) + time_T[:, None] * [-3.0, -1.0, 0.0],
        CRATE: np.tile([-0.4, 1.5, 0.8], (FRAMES, 1)),
    }
    turns = {
        CUBE: Rotation.from_rotvec(time_T[:, None] * [0.5, 1.0, 2.0]),
        BALL: Rotation.identity(FRAMES),
        CRATE: Rotation.from_rotvec(np.tile([0.4, -0.3, 0.8], (FRAMES, 1))),
    }
    return World(positions, {i: turn.as_quat()[:, [3, 0, 1, 2]] for i, turn in turns.items()}, ())


@pytest.fixture
def library(tmp_path: Path) -> SmallLibrary:
    return SmallLibrary(tmp_path)


def open_preview(spec: SceneSpec, library: Any) -> PreviewRenderer:
    return PreviewRenderer(spec, Workshop(library), library.folder)


def objects_by_rays(spec: SceneSpec, frame: int, visible: Sequence[int]) -> np.ndarray:
    """Index of the first object that the ray through the centre of each pixel meets, `(H, W)`; -1: none."""
    camera, moving = spec.camera.at(frame), world()
    columns, rows = np.meshgrid((np.arange(WIDTH) + 0.5) / WIDTH, (np.arange(HEIGHT) + 0.5) / HEIGHT)
    rays = camera.rays(np.stack([columns.ravel(), rows.ravel()], axis=-1))
    nearest, found = np.full(len(rays), np.inf), np.full(len(rays), -1)
    for index in visible:
        back = Rotation.from_quat(moving.quaternions[index][frame][[1, 2, 3, 0]]).inv()
        origin = back.apply(camera.position - moving.positions[index][frame])
        directions = back.apply(rays)
        if index == BALL:
            middle = directions @ origin
            inside = middle**2 - origin @ origin + spec.objects[BALL].scale[0] ** 2
            meets, distance = inside > 0, -middle - np.sqrt(np.maximum(inside, 0))
        else:
            half = np.array(spec.objects[index].scale)
            low, high = (-half, half) if index == CUBE else (CRATE_LOW * half, CRATE_HIGH * half)
            walls = np.stack([(low - origin) / directions, (high - origin) / directions])
            distance, leave = walls.min(axis=0).max(axis=-1), walls.max(axis=0).min(axis=-1)
            meets = distance < leave
        closer = meets & (distance > 0) & (distance < nearest)
        nearest[closer], found[closer] = distance[closer], index
    return found.reshape(HEIGHT, WIDTH)


def inner(mask: np.ndarray) -> np.ndarray:
    """Without the outermost pixels of each region."""
    return cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("visible", [EVERYTHING, (CUBE, CRATE)])
def test_every_pixel_shows_the_object_at_its_centre(library: Any, moving: bool, visible: tuple[int, ...]) -> None:
    spec = scene(moving=moving)
    view = open_preview(spec, library).render(world(), visible)
    assert view.rgb_THWC.shape == (FRAMES, HEIGHT, WIDTH, 3) and view.rgb_THWC.dtype == np.uint8
    expected = np.stack([objects_by_rays(spec, frame, visible) for frame in range(FRAMES)])
    assert set(np.unique(expected)) == {-1, *visible} == set(np.unique(view.objects_THW))
    # A ball of flat triangles is smaller than a ball by less than a hundredth of a pixel here.
    assert (view.objects_THW != expected).sum() <= 3


def test_the_silhouettes_are_where_the_camera_projects_them(library: Any) -> None:
    spec = scene(moving=True)
    view = open_preview(spec, library).render(world(), [BALL])
    for frame, shown in enumerate(view.objects_THW == BALL):
        places, depth = spec.camera.at(frame).project(world().positions[BALL][frame : frame + 1])
        rows, columns = np.nonzero(shown)
        assert np.hypot(columns.mean() + 0.5 - places[0, 0] * WIDTH, rows.mean() + 0.5 - places[0, 1] * HEIGHT) < 0.4
        radius = spec.objects[BALL].scale[0] / depth[0] * 35 / 32 * WIDTH
        assert shown.sum() == pytest.approx(np.pi * radius**2, rel=0.08)


def shadow_of_ball(spec: SceneSpec, frame: int) -> tuple[int, int]:
    """Row and column of the middle of its shadow on the floor."""
    centre, sun = world().positions[BALL][frame], np.array(SUN)
    floor = centre - sun * centre[2] / sun[2]
    (x, y), _ = (values[0] for values in spec.camera.at(frame).project(floor[None]))
    return int(y * HEIGHT), int(x * WIDTH)


def brightness(view: View, frame: int, place: tuple[int, int]) -> float:
    return float(view.rgb_THWC[(frame, *place)].mean())


def test_a_hidden_object_is_gone_with_its_shadow(library: Any) -> None:
    spec = scene()
    preview = open_preview(spec, library)
    full, hidden = preview.render(world(), EVERYTHING), preview.render(world(), spec.survivors)
    assert not (hidden.objects_THW == BALL).any()
    for frame in range(FRAMES):
        place = shadow_of_ball(spec, frame)
        if full.objects_THW[(frame, *place)] == -1:
            assert brightness(full, frame, place) < 0.75 * brightness(hidden, frame, place)
    changed = (full.rgb_THWC != hidden.rgb_THWC).any(axis=-1)
    assert changed[full.objects_THW == BALL].mean() > 0.95
    assert 0.02 < (changed & (full.objects_THW != BALL)).mean() < 0.1


def test_shadows_fall_on_other_objects_too(library: Any) -> None:
    """The ball is between the sun and the top of a wide cube."""
    objects = (item("cube", "red", (1.5, 1.5, 0.2), "target"), item("sphere", "blue", (0.3,) * 3, "removed"))
    spec = scene(objects=objects)
    still = {0: np.tile([0.0, 0.0, 0.2], (FRAMES, 1)), 1: np.tile([0.2, -0.6, 1.3], (FRAMES, 1))}
    preview = open_preview(spec, library)
    moving = World(still, {i: np.tile([1.0, 0.0, 0.0, 0.0], (FRAMES, 1)) for i in still}, ())
    with_ball, without = preview.render(moving, (0, 1)), preview.render(moving, (0,))
    top = np.array([[0.2, -0.6, 1.3]]) - np.array(SUN) * 0.9 / SUN[2]
    x, y = spec.camera.at(0).project(top)[0][0]
    place = int(y * HEIGHT), int(x * WIDTH)
    assert with_ball.objects_THW[(0, *place)] == without.objects_THW[(0, *place)] == 0
    assert brightness(with_ball, 0, place) < 0.75 * brightness(without, 0, place)


def test_no_sun_no_shadows(library: Any) -> None:
    spec = scene(light=LightSpec("day", 0.0, 0.55, 0.0, SUN))
    preview = open_preview(spec, library)
    full, hidden = preview.render(world(), EVERYTHING), preview.render(world(), spec.survivors)
    floor = full.objects_THW == -1
    assert (full.rgb_THWC[floor] == hidden.rgb_THWC[floor]).all()


def test_colours(library: Any) -> None:
    view = open_preview(scene(), library).render(world(), EVERYTHING)
    hues = {CUBE: 0xD0282E, BALL: 0x2456D6, CRATE: int("{:02x}{:02x}{:02x}".format(*MAGENTA), 16)}
    for index, code in hues.items():
        mean = np.median(view.rgb_THWC[0][inner(view.objects_THW[0] == index)], axis=0)
        expected = np.array([code >> 16, code >> 8 & 255, code & 255])
        assert np.abs(mean / mean.max() - expected / expected.max()).max() < 0.06, (index, mean)
    sage = np.array([0x93, 0xA0, 0x8A])
    assert (np.abs(view.rgb_THWC[0, -1, :5] / sage - 1) < 0.08).all()


def test_above_the_horizon_is_sky(library: Any) -> None:
    camera = CameraPath("static", ((6.0, 0.0, 1.0),), (looking_at((6.0, 0.0, 1.0), (0.0, 0.0, 1.0)),), 35.0, 32, 48)
    view = open_preview(scene(camera=camera), library).render(world(), [])
    sky = (np.array(SKY) * 255).round()
    assert (view.rgb_THWC[:, :15] == sky).all() and (view.rgb_THWC[:, 18:] != sky).any(axis=-1).all()
    assert (view.objects_THW == -1).all()


def test_a_dome_is_shown_as_a_neutral_floor(library: Any) -> None:
    view = open_preview(scene(backdrop=BackdropSpec("dome", None, 0.4, 0.3)), library).render(world(), [])
    assert (np.abs(view.rgb_THWC[:, -1] / 255 / NEUTRAL - 1) < 0.08).all()


def test_what_is_below_the_floor_is_hidden(library: Any) -> None:
    sunk = world()
    sunk.positions[BALL][:, 2] = 0.0
    shown = (open_preview(scene(), library).render(sunk, [BALL]).objects_THW == BALL).sum(axis=(1, 2))
    whole = (open_preview(scene(), library).render(world(), [BALL]).objects_THW == BALL).sum(axis=(1, 2))
    assert (shown > 0.3 * whole).all() and (shown < 0.9 * whole).all()


def test_the_same_pictures_whatever_was_drawn_before(library: Any) -> None:
    first = open_preview(scene(moving=True), library)
    expected = first.render(world(), EVERYTHING)
    second = open_preview(scene(moving=True), library)
    second.render(world(), (CRATE, BALL))
    again = second.render(world(), EVERYTHING)
    np.testing.assert_array_equal(again.rgb_THWC, expected.rgb_THWC)
    np.testing.assert_array_equal(again.objects_THW, expected.objects_THW)


def test_windows_are_whole_pictures_that_are_not_drawn_twice(library: Any) -> None:
    spec = scene(moving=True)
    preview = open_preview(spec, library)
    full, whole = preview.render(world(), EVERYTHING), preview.render(world(), spec.survivors)
    drawn = preview.pictures
    windows = np.array([[10, 20, 60, 50], [0, 0, 0, 0], [0, 0, 96, 72], [95, 71, 96, 72], [5, 5, 5, 9]])
    view = preview.render(world(), spec.survivors, base=full, windows_T4=windows)
    np.testing.assert_array_equal(view.rgb_THWC, whole.rgb_THWC)
    np.testing.assert_array_equal(view.objects_THW, whole.objects_THW)
    assert preview.pictures == drawn == 2 * FRAMES


def connected() -> list[bool]:
    return [bool(pybullet.isConnected(client)) for client in range(32)]


def test_no_bullet_stays_connected(library: Any) -> None:
    before = connected()
    preview = open_preview(scene(), library)
    preview.render(world(), EVERYTHING)
    assert connected() == before
    (library.folder / "crate.obj").unlink()
    with pytest.raises(InputError, match=r"crate\.obj does not exist"):
        open_preview(scene(), library).render(world(), EVERYTHING)
    assert connected() == before
