"""Assets from a bucket: fetched once, checked, and every way in which they can be wrong."""

from __future__ import annotations

import json
import socket
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from bucket import KEPT, SKIES, add_bytes, bucket_config, make_bucket, repack, served

from data_gen.assets import fetch
from data_gen.assets.library import Library, open_library
from data_gen.config import AssetsConfig
from void.errors import InputError

OBJECTS = "assets/GSO/GSO.json"


@pytest.fixture
def bucket(library: Library, tmp_path: Path) -> Path:
    """A folder in the layout of `gs://`: its only bucket is `kubric-public`."""
    make_bucket(library, tmp_path / "served" / "kubric-public")
    return tmp_path / "served"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "PAUSES", (0.01, 0.01))


@pytest.fixture
def config(library: Library) -> Callable[..., AssetsConfig]:
    pack = library.manifests["objects"].file.parent
    return lambda root, endpoint, **changes: bucket_config(root, endpoint, pack, **changes)


def objects_of(library: Library) -> set[str]:
    return {key for key, shape in library.shapes.items() if "object" in shape.tags}


def test_lists_come_first_and_assets_when_they_are_needed(
    config: Callable[..., AssetsConfig], bucket: Path, tmp_path: Path
) -> None:
    with served(bucket) as (endpoint, asked):
        library = open_library(config(tmp_path / "cache", endpoint))
        assert objects_of(library) == set(KEPT) and library.skies == SKIES
        assert len(asked) == 3 and all(path.endswith(".json") for path in asked)
        made = library.create("mug_1")
        assert Path(made.render_filename).is_file() and Path(made.simulation_filename).is_file()
        assert Path(library.sky_file("forest")).is_file()
        assert Path(library.dome().render_filename).is_file()
        assert len(asked) == 6
        # Nothing is fetched twice, by this process or another one.
        other = Library.from_dict(json.loads(json.dumps(library.to_dict())))
        other.create("mug_1")
        other.sky_file("forest")
        open_library(config(tmp_path / "cache", endpoint))
        assert len(asked) == 6
    # And the bucket may be gone.
    assert objects_of(open_library(config(tmp_path / "cache", "http://127.0.0.1:9"))) == set(KEPT)


def test_a_folder_is_a_bucket_too(config: Callable[..., AssetsConfig], bucket: Path, tmp_path: Path) -> None:
    root = bucket / "kubric-public" / "assets"
    places = {"objects": root / "GSO/GSO.json", "skies": root / "HDRI_haven/HDRI_haven.json"}
    settings = config(
        tmp_path / "cache", "http://127.0.0.1:9", backdrops=str(root / "KuBasic/KuBasic.json"),
        **{key: str(place) for key, place in places.items()},
    )  # fmt: skip
    library = open_library(settings)
    assert Path(library.create("tin").render_filename).is_file()
    # In the published layout a folder of the asset's name is inside the archive.
    assert Path(library.sky_file("city")).name == "city.exr"


def test_a_busy_server_is_asked_again(config: Callable[..., AssetsConfig], bucket: Path, tmp_path: Path) -> None:
    with served(bucket, busy=(503, 429)) as (endpoint, asked):
        open_library(config(tmp_path / "cache", endpoint))
        assert len(asked) == 5


def refused() -> str:
    """An address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_an_unreachable_bucket_is_named(config: Callable[..., AssetsConfig], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"GSO\.json cannot be fetched") as caught:
        open_library(config(tmp_path, refused()))
    assert "assets=local" in caught.value.remedy
    assert not list(tmp_path.rglob("*.partial-*"))


def test_a_silent_bucket_is_given_up(config: Callable[..., AssetsConfig], tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InputError, match="cannot be fetched"):
            open_library(config(tmp_path, endpoint, timeout=0.1))


def test_a_missing_list_is_named_with_its_status(
    config: Callable[..., AssetsConfig], bucket: Path, tmp_path: Path
) -> None:
    (bucket / "kubric-public" / OBJECTS).unlink()
    with served(bucket) as (endpoint, _), pytest.raises(InputError, match="404"):
        open_library(config(tmp_path, endpoint))


def edit_list(bucket: Path, change: Callable[[dict], None]) -> None:
    path = bucket / "kubric-public" / OBJECTS
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


LISTS: dict[str, Callable[[dict], object]] = {
    "no table 'assets'": lambda data: data.pop("assets"),
    "asset mug_1: asset_type": lambda data: data["assets"]["mug_1"].update(asset_type="Sound"),
    "asset mug_1 has no collision mesh": lambda data: data["assets"]["mug_1"]["kwargs"].update(
        simulation_filename=None
    ),
    "asset mug_1 has no volume": lambda data: data["assets"]["mug_1"]["kwargs"].update(bounds=[[0, 0, 0], [1, 1, 0]]),
    "not two corners": lambda data: data["assets"]["mug_1"]["kwargs"].update(bounds=3),
    "wrong type": lambda data: data["assets"]["mug_1"].update(path=3),
    "no asset of a manifest": lambda data: data["assets"].update({"../evil": {}}),
}


@pytest.mark.parametrize("problem", LISTS)
def test_a_wrong_list_is_named(config: Callable[..., AssetsConfig], problem: str, bucket: Path, tmp_path: Path) -> None:
    edit_list(bucket, LISTS[problem])  # type: ignore[arg-type]
    with served(bucket) as (endpoint, _), pytest.raises(InputError, match=problem):
        open_library(config(tmp_path / "cache", endpoint))


def test_a_list_that_is_a_web_page_is_named(config: Callable[..., AssetsConfig], bucket: Path, tmp_path: Path) -> None:
    (bucket / "kubric-public" / OBJECTS).write_text("<html>not found</html>")
    with served(bucket) as (endpoint, _), pytest.raises(InputError, match=r"GSO\.json is not JSON"):
        open_library(config(tmp_path / "cache", endpoint))


def truncate(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])


def climb_out(archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        add_bytes(tar, "data.json", b"{}")
        add_bytes(tar, "../outside.txt", b"x")


def drop(name: str) -> Callable[[Path], None]:
    return lambda archive: repack(archive, lambda files: files.pop(name) and None)


def flatten(archive: Path) -> None:
    flat = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nf 1 2 3\nf 2 4 3\n"
    repack(archive, lambda files: files.update({"visual_geometry.obj": flat}))


def without_collision(archive: Path) -> None:
    repack(archive, lambda files: files.update({"object.urdf": b'<robot name="o"><link name="base"/></robot>'}))


ARCHIVES: dict[str, Callable[[Path], object]] = {
    "is a broken archive": truncate,
    "broken archive": lambda archive: archive.write_bytes(b"<html>"),
    "no data.json": drop("data.json"),
    "lacks its visible mesh": drop("visual_geometry.obj"),
    "lacks its collision description": drop("object.urdf"),
    "lacks its collision mesh collision_0.obj": drop("collision_0.obj"),
    "has no collision mesh": without_collision,
    "has a mesh without volume": flatten,
    "outside of its folder": climb_out,
    "404": lambda archive: archive.unlink(),
}


@pytest.mark.parametrize("problem", ARCHIVES)
def test_a_wrong_archive_is_named_and_fetched_again_once_it_is_mended(
    config: Callable[..., AssetsConfig], problem: str, bucket: Path, tmp_path: Path
) -> None:
    archive = bucket / "kubric-public" / "assets" / "GSO" / "mug_1.tar.gz"
    good = archive.read_bytes()
    ARCHIVES[problem](archive)
    with served(bucket) as (endpoint, _):
        library = open_library(config(tmp_path / "cache", endpoint))
        with pytest.raises(InputError, match=problem) as caught:
            library.create("mug_1")
        assert "mug_1" in caught.value.problem
        assert "assets" in caught.value.remedy
        assert not (tmp_path / "outside.txt").exists() and not list((tmp_path / "cache").rglob("mug_1"))
        assert library.create("tin")
        archive.write_bytes(good)
        assert Path(library.create("mug_1").render_filename).is_file()


def test_a_bad_asset_can_be_left_out(config: Callable[..., AssetsConfig], bucket: Path, tmp_path: Path) -> None:
    edit_list(bucket, lambda data: data["assets"]["mug_1"].update(asset_type="Sound"))
    with served(bucket) as (endpoint, _):
        library = open_library(config(tmp_path / "cache", endpoint, exclude=["mug_1"]))
    assert objects_of(library) == set(KEPT) - {"mug_1"}


def test_too_few_objects_for_two_splits(config: Callable[..., AssetsConfig], bucket: Path, tmp_path: Path) -> None:
    edit_list(bucket, lambda data: data.update(assets={key: data["assets"][key] for key in KEPT[:3]}))
    with served(bucket) as (endpoint, _), pytest.raises(InputError, match="val scenes would have"):
        open_library(config(tmp_path / "cache", endpoint))


def test_nouns_come_from_categories_or_ids(config: Callable[..., AssetsConfig], bucket: Path, tmp_path: Path) -> None:
    def rename(data: dict) -> None:
        assets = data["assets"]
        assets["mug_1"]["metadata"] = {"category": "Shoe"}
        assets["Threshold_Bamboo_Soap_Dish"] = assets.pop("tin") | {"metadata": {}}

    edit_list(bucket, rename)
    with served(bucket) as (endpoint, _):
        shapes = open_library(config(tmp_path / "cache", endpoint)).shapes
    assert shapes["mug_1"].name == "shoe" and shapes["mug_1"].textured
    assert shapes["Threshold_Bamboo_Soap_Dish"].name == "soap dish"
