"""A figure with images looks in a scene as Blender's own import of its file does; previews show its colours."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import box_man
import cv2
import numpy as np
import pytest
from box_man import CUBE, PERSON, SKELETON, SKIN
from textured_figures import BLUE, GREEN, LIFT, RED, write_textured_figure

from data_gen.assets.library import Library
from data_gen.human.check import check_motions
from data_gen.human.config import HumanConfig
from data_gen.human.motion import Motion, SequenceError
from data_gen.human.sources.characters import Characters
from data_gen.human.sources.importing import Imported, Importer
from data_gen.human.sources.store import MotionStore
from data_gen.human.workshop import HumanWorkshop
from data_gen.scene.preview import PreviewRenderer
from data_gen.scene.render import BlenderRenderer
from data_gen.scene.skin import skinned
from data_gen.scene.spec import PersonSpec, SceneSpec
from data_gen.scene.views import rounded_poses
from void.errors import InputError
from void.evaluation.metrics import ssim_map

FORMATS = ("fbx", "glb")
PARTS = ("Bodymat", "Eyes", "Headmat")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    for suffix in FORMATS:
        write_textured_figure(folder / suffix / f"man.{suffix}", SKELETON, SKIN)
    return folder


@pytest.fixture(scope="module", params=FORMATS)
def figure(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[Path, Imported]]:
    path = folder / request.param / f"man.{request.param}"
    yield path, Importer(folder / "cache").figure(path, "walk", "character man")


def own_order(imported: Imported) -> np.ndarray:
    """Index of each of the figure's joints among those of the box man."""
    return np.array([SKELETON.names.index(name) for name in imported.motion.skeleton.names])


def scene() -> SceneSpec:
    spec = box_man.scene()
    person = PersonSpec("procedural", "walk", "man", 0.0, False, 0, ("",) * len(PARTS))
    return replace(spec, person=person, render=replace(spec.render, samples=16))


def workshop(library: Library, imported: Imported) -> HumanWorkshop:
    joints_TJ7 = box_man.walk()[:, own_order(imported)]
    found = imported.motion
    played = Motion("procedural", "walk", "man", 12.0, found.skeleton, found.skin, joints_TJ7, (), np.zeros((3, 0, 7)))
    return HumanWorkshop(library, played, {})


def poses(imported: Imported) -> dict[int, np.ndarray]:
    world = box_man.world(box_man.walk()[:, own_order(imported)])
    return {index: rounded_poses(world, index) for index in (CUBE, PERSON)}


def test_the_surface_and_its_colours_are_those_of_the_file(figure: tuple[Path, Imported]) -> None:
    skin = figure[1].motion.skin
    assert set(skin.parts) == set(PARTS) and skin.look is not None and skin.look.is_file()
    colors = dict(zip(skin.parts, skin.colors, strict=True))
    assert colors["Headmat"] == pytest.approx(GREEN, abs=0.01)
    assert colors["Eyes"] == pytest.approx((0.01, 0.01, 0.01), abs=1e-3)
    red, _, blue = colors["Bodymat"]
    assert 0.3 < red < 0.6 and 0.3 < blue < 0.6
    assert skin.shade_F3 is not None
    body_F3 = skin.shade_F3[skin.part_F == skin.parts.index("Bodymat")]
    for shade in (RED, BLUE):
        assert (np.abs(body_F3 - shade).max(axis=1) < 0.02).mean() > 0.3
    # Its shape is the one that the file shows, half of a shape key.
    green_V3 = skin.vertices_V3[np.unique(skin.triangles_F3[skin.part_F == skin.parts.index("Headmat")])]
    plain_V3 = SKIN.vertices_V3[np.unique(SKIN.triangles_F3[SKIN.part_F == 0])]
    assert green_V3[:, 2].max() == pytest.approx(plain_V3[:, 2].max() + LIFT, abs=1e-4)
    # The eyes hang on a bone and follow it.
    joints_J7 = box_man.walk()[2][own_order(figure[1])]
    moved_V3 = skinned(skin, figure[1].motion.skeleton, joints_J7)
    eyes = np.unique(skin.triangles_F3[skin.part_F == skin.parts.index("Eyes")])
    head = figure[1].motion.skeleton.index("Head")
    rest_3, now_3 = figure[1].motion.skeleton.rest_J7[head, :3], joints_J7[head, :3]
    before, after = skin.vertices_V3[eyes].mean(axis=0) - rest_3, moved_V3[eyes].mean(axis=0) - now_3
    assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(before), abs=1e-4)


def import_into_scene(path: Path, joints: dict[str, np.ndarray]) -> None:
    """Blender's own import of a figure's file into the open scene, its bones where the joints are."""
    import bpy
    from mathutils import Matrix, Quaternion, Vector

    before = set(bpy.data.objects)
    if path.suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        bpy.ops.import_scene.gltf(filepath=str(path), bone_heuristic="BLENDER", disable_bone_shape=True)
    (armature,) = (item for item in set(bpy.data.objects) - before if item.type == "ARMATURE")
    bpy.context.view_layer.update()
    to_local = armature.matrix_world.inverted()
    for bone in (*armature.pose.bones[:1], *armature.pose.bones[0].children_recursive):
        pose_7 = joints[bone.name]
        local = to_local @ Matrix.LocRotScale(Vector(pose_7[:3]), Quaternion(pose_7[3:]), None)
        bone.matrix = Matrix.LocRotScale(local.to_translation(), local.to_quaternion(), None)
        bpy.context.view_layer.update()


def drawn(renderer: BlenderRenderer, frame: int) -> np.ndarray:
    return renderer.draw(frame, None)[0]


def test_a_frame_is_that_of_blenders_own_import(
    figure: tuple[Path, Imported], library: Library, tmp_path: Path
) -> None:
    path, imported = figure
    renderer = BlenderRenderer(scene(), workshop(library, imported), tmp_path)
    shown = poses(imported)
    renderer.prepare(shown, [2])
    ours_HWC = drawn(renderer, 2)
    renderer.prepare({CUBE: shown[CUBE]}, [2])
    empty_HWC = drawn(renderer, 2)
    joints_J7 = shown[PERSON][2].reshape(-1, 7)
    import_into_scene(path, dict(zip(imported.motion.skeleton.names, joints_J7, strict=True)))
    theirs_HWC = drawn(renderer, 2)
    figure_HW = np.abs(theirs_HWC.astype(int) - empty_HWC).max(axis=-1) > 25
    assert figure_HW.mean() > 0.01
    similarity_HW = ssim_map(ours_HWC[None], theirs_HWC[None])[0]
    assert similarity_HW.mean() > 0.95 and similarity_HW[figure_HW].mean() > 0.95
    assert ssim_map(empty_HWC[None], theirs_HWC[None])[0][figure_HW].mean() < 0.8


def test_previews_show_its_colours(figure: tuple[Path, Imported], library: Library, tmp_path: Path) -> None:
    renderer = PreviewRenderer(scene(), workshop(library, figure[1]), tmp_path)
    renderer.prepare(poses(figure[1]), [0])
    rgb_HWC, ids_HW = renderer.draw(0, None)
    red_N, green_N, blue_N = rgb_HWC[ids_HW == PERSON].astype(int).T
    for one, other, third in ((red_N, green_N, blue_N), (green_N, red_N, blue_N), (blue_N, red_N, green_N)):
        assert ((one > 1.5 * other) & (one > 1.5 * third)).mean() > 0.02


def test_a_motion_keeps_the_look_of_who_plays_it(folder: Path, tmp_path: Path) -> None:
    """The look lies beside the stored motion and is made again when it is gone."""
    path = folder / "glb" / "man.glb"
    shutil.copytree(folder / "cache" / "imported", tmp_path / "cache" / "imported")
    found = Importer(tmp_path / "cache").figure(path, "walk", "character man").motion
    store = MotionStore(tmp_path / "cache")
    made = []

    def make() -> Motion:
        made.append(1)
        return found

    store.get("walk", make)
    again = store.get("walk", make)
    assert len(made) == 1 and again.skin.look is not None and found.skin.look is not None
    assert again.skin.look.resolve() == found.skin.look.resolve()
    np.testing.assert_array_equal(again.skin.shade_F3, found.skin.shade_F3)
    found.skin.look.unlink()
    assert Importer(tmp_path / "cache").figure(path, "walk", "character man").motion.skin.look.is_file()  # type: ignore[union-attr]


def test_images_beside_the_file(tmp_path: Path) -> None:
    """A missing one is refused by name; a changed one is read again."""
    path = tmp_path / "man.fbx"
    write_textured_figure(path, SKELETON, SKIN, embedded=False)
    importer = Importer(tmp_path / "cache")
    first = importer.figure(path, "walk", "character man")
    assert importer.figure(path, "walk", "character man").digest == first.digest
    image = tmp_path / "head_color.png"
    cv2.imwrite(str(image), np.full((8, 8, 3), 255, np.uint8))
    second = importer.figure(path, "walk", "character man")
    assert second.digest != first.digest
    assert dict(zip(second.motion.skin.parts, second.motion.skin.colors, strict=True))["Headmat"] == pytest.approx(
        (1, 1, 1)
    )
    image.unlink()
    with pytest.raises(
        SequenceError, match=r"character man shows the image head_color\.png, which is missing"
    ) as caught:
        importer.figure(path, "walk", "character man")
    assert "embedded" in caught.value.remedy


def test_images_that_no_file_is_named_for_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Figures that went through several programs refer to images that are nowhere; a scene draws their colours."""
    path = tmp_path / "man.fbx"
    write_textured_figure(path, SKELETON, SKIN, embedded=False, nameless=True)
    skin = Importer(tmp_path / "cache").figure(path, "walk", "character man").motion.skin
    assert skin.look is None
    assert dict(zip(skin.parts, skin.colors, strict=True))["Headmat"] is None
    assert "images of Bodymat, Headmat have no file: drawn without them" in caplog.text


def test_a_figure_that_can_play_nothing_is_refused_before_any_scene(tmp_path: Path) -> None:
    (tmp_path / "broken.glb").write_bytes(b"no figure")
    nameless = replace(SKELETON, names=tuple(name.replace("UpLeg", "Wheel") for name in SKELETON.names))
    write_textured_figure(tmp_path / "cart.glb", nameless, SKIN)
    for name, problem in (("broken.glb", r"Remy: .*broken\.glb cannot be read"), ("cart.glb", "no bone LeftUpLeg")):
        config = HumanConfig(characters={"Remy": str(tmp_path / name)})
        with pytest.raises(InputError, match=problem):
            check_motions("procedural", config, tmp_path / "assets")


@pytest.mark.parametrize(("name", "problem"), [("man.obj", "no file of a figure"), ("gone.glb", "does not exist")])
def test_files_that_are_no_figures_are_refused(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "man.obj").write_text("")
    config: dict[str, Any] = {"characters": {"Remy": str(tmp_path / name)}}
    with pytest.raises(InputError, match=problem) as caught:
        Characters(HumanConfig(**config), tmp_path)
    assert ".glb" in caught.value.remedy
