"""Sets of PBR images: which file is what, and that they are seen where and as large as they should be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import box_man
import cv2
import numpy as np
import pytest
from box_man import CUBE, resting_camera

from data_gen.assets.library import Library
from data_gen.blender.textures import texture_names, texture_set
from data_gen.scene.render import FLOOR_TILE, BlenderRenderer
from data_gen.scene.spec import BackdropSpec, SurfaceSpec
from void.errors import InputError

WORLD = box_man.world(box_man.walk(1))
TEAL, YELLOW = (20, 150, 150), (210, 190, 30)


def image(file: Path, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    """Two halves, RGB."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32], pixels[:, 32:] = left[::-1], right[::-1]
    cv2.imwrite(str(file), pixels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("textures")
    image(root / "oak_wood" / "Wood_Color.png", TEAL, YELLOW)
    image(root / "oak_wood" / "Wood_Roughness.png", (200, 200, 200), (200, 200, 200))
    image(root / "oak_wood" / "Wood_NormalDX.png", (128, 128, 255), (128, 128, 255))
    image(root / "oak_wood" / "Wood_NormalGL.png", (128, 128, 255), (128, 128, 255))
    image(root / "ribbed" / "ribbed_diff.png", (200, 200, 200), (200, 200, 200))
    image(root / "ribbed" / "ribbed_nor_gl.png", (20, 128, 190), (236, 128, 190))
    image(root / "flat" / "flat_diff.png", (200, 200, 200), (200, 200, 200))
    return root


def test_files_are_told_apart_by_their_names(folder: Path) -> None:
    assert texture_names(folder) == ("flat", "oak_wood", "ribbed")
    oak, ribbed = texture_set(folder, "oak_wood"), texture_set(folder, "ribbed")
    assert oak.color.name == "Wood_Color.png"
    assert oak.normal and oak.normal.name == "Wood_NormalGL.png"
    assert oak.roughness and oak.roughness.name == "Wood_Roughness.png"
    assert ribbed.color.name == "ribbed_diff.png" and ribbed.roughness is None
    assert texture_set(folder, "flat").normal is None


def test_a_set_without_colours_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        texture_names(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no folders"):
        texture_names(tmp_path)
    image(tmp_path / "brick" / "brick_roughness.png", TEAL, TEAL)
    with pytest.raises(InputError, match="brick has no colour image"):
        texture_names(tmp_path)


def rendered(library: Library, scratch: Path, textures: Path | None, *, floor: str = "", cube: str = "") -> np.ndarray:
    """The picture `(H, W, 3)` of a cube of half a metre from above, and which of its pixels show the cube."""
    look = SurfaceSpec("plain", "grey", "white", 0.8)
    spec = box_man.scene(
        1,
        camera=resting_camera((1.0, -0.01, 4.5), (1.0, 0.0, 0.0)),
        backdrop=BackdropSpec("floor", replace(look, texture=floor), 0.5, 0.2),
    )
    spec = replace(spec, objects=(replace(spec.objects[0], surface=replace(look, texture=cube)), spec.objects[1]))
    view = BlenderRenderer(spec, box_man.workshop(library, textures), scratch).render(WORLD, [CUBE])
    return np.concatenate([view.rgb_THWC[0].astype(int), view.objects_THW[0][..., None]], axis=-1)


def stripes(row_W3: np.ndarray) -> float:
    """Pixels between two changes from yellow to teal, on average."""
    teal_W = row_W3[:, 2] > row_W3[:, 0]
    edges = np.flatnonzero(~teal_W[:-1] & teal_W[1:])
    return float(np.diff(edges).mean())


def test_a_floor_shows_its_images_at_their_size(library: Library, folder: Path, tmp_path: Path) -> None:
    picture = rendered(library, tmp_path, folder, floor="oak_wood")
    pixels_per_metre = 35.0 / 32.0 * 128 / 4.5
    assert stripes(picture[5]) == pytest.approx(FLOOR_TILE * pixels_per_metre, rel=0.05)


def test_an_object_shows_its_images_twice_along_its_side(library: Library, folder: Path, tmp_path: Path) -> None:
    picture = rendered(library, tmp_path, folder, cube="oak_wood")
    pixels_N3 = picture[picture[..., 3] == CUBE][:, :3]
    teal = (pixels_N3[:, 2] > pixels_N3[:, 0]).mean()
    assert 0.35 < teal < 0.65
    columns = np.flatnonzero(picture[48, :, 3] == CUBE)
    row = picture[48, columns][:, 2] > picture[48, columns][:, 0]
    assert 3 <= (row[1:] != row[:-1]).sum() <= 4


def test_normals_change_the_light(library: Library, folder: Path, tmp_path: Path) -> None:
    ribbed, flat = (rendered(library, tmp_path, folder, floor=name) for name in ("ribbed", "flat"))
    assert ribbed[:20, :, :3].std() > 2 * flat[:20, :, :3].std()


def test_a_texture_without_a_folder_is_an_error(library: Library, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder of textures"):
        rendered(library, tmp_path, None, floor="oak_wood")
