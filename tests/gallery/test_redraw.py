"""Rejected draws are simulated and drawn again, each for itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery_pairs import FPS, spec_of

from data_gen.assets.library import Library, open_library
from data_gen.config import AssetsConfig
from data_gen.gallery import redraw as redraw_module
from data_gen.gallery.rejected import LOG, Example, draw_again
from data_gen.gallery.strips import GAP, STRIPS, Record
from data_gen.quota import Place
from data_gen.rigid.simulator import RigidSimulator
from data_gen.scene.spec import ObjectSpec, SceneSpec, SurfaceSpec
from void.video import probe, read_video

FRAMES = 5


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return open_library(AssetsConfig(root=str(tmp_path_factory.mktemp("assets"))))


def falling() -> SceneSpec:
    """A red box falls past the middle; it is the removed one. A blue one stands."""

    def box(color: str, role: str, position: tuple[float, float, float]) -> ObjectSpec:
        surface = SurfaceSpec("plain", color, "white", 0.5)
        return ObjectSpec("cube", "box", role, surface, (0.4,) * 3, (0.8,) * 3, 1.0, 0.4, 0.3, position)

    spec = spec_of(0, (240, 320), FRAMES)
    return replace(spec, objects=(box("blue", "target", (0.0, -1.0, 0.4)), box("red", "removed", (0.0, 1.0, 1.5))))


def example(attempt: int, reason: str = "no_contact") -> Example:
    return Example(3, attempt, "ball", "train", 2, reason, 7, 240, 320)


def test_a_draw_is_shown_with_and_without_the_removed(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def sample(self: RigidSimulator, place: Place, **of: int) -> SceneSpec:
        asked.append((place, of))
        return falling()

    monkeypatch.setattr(RigidSimulator, "sample", sample)
    path = tmp_path / "deep" / "strip.mp4"
    redraw_module.redraw(None, library, example(2), path, tmp_path)
    assert asked == [(Place("train", "ball", 2), {"seed": 7, "index": 3, "attempt": 2})]
    info = probe(path)
    assert (info.frames, info.height, info.width, info.fps) == (FRAMES, 128, 2 * 170 + GAP, FPS)
    frames_THWC = read_video(path)[0].astype(int)
    full, without = frames_THWC[..., :170, :], frames_THWC[..., 170 + GAP :, :]
    apart = np.abs(full - without).max(axis=(0, 1, 3)) > 60
    assert apart[100:].any() and not apart[:60].any(), "only the falling box, on the right, is not in both"


def test_one_bad_draw_does_not_stop_the_others(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def draw(self: RigidSimulator, place: Place, *, attempt: int, **of: object) -> SceneSpec:
        if attempt == 0:
            raise RuntimeError("the physics broke")
        return falling()

    monkeypatch.setattr(RigidSimulator, "sample", draw)
    job = {
        "root": str(tmp_path),
        "scene": {"frames": FRAMES, "height": 240, "width": 320, "fps": int(FPS)},
        "library": library.to_dict(),
        "examples": [vars(example(0)), vars(example(1))],
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    redraw_module.main(tmp_path / "job.json")
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["drawn 1"] and "the physics broke" in printed.err
    assert [(tmp_path / example(attempt).strip).is_file() for attempt in (0, 1)] == [False, True]


@pytest.mark.parametrize(
    ("size", "expected"), [((384, 672), (128, 224)), ((128, 128), (128, 128)), ((96, 64), (96, 64))]
)
def test_sketches_are_small_and_keep_their_shape(size: tuple[int, int], expected: tuple[int, int]) -> None:
    camera = redraw_module.small(spec_of(0, size)).camera
    assert (camera.height, camera.width) == expected


def test_the_worker_draws_real_scenes_and_is_asked_once(library: Library, tmp_path: Path) -> None:
    scene = {"frames": FRAMES, "height": 96, "width": 128, "fps": int(FPS)}
    recipe = {"seed": 7, "scene": scene}
    # One of them may not fit its scene: then there is nothing to draw.
    wanted = [example(attempt) for attempt in range(3)]
    draw_again(tmp_path, recipe, library, wanted, Record(tmp_path))
    strips = [strip for one in wanted if (strip := tmp_path / one.strip).is_file()]
    assert len(strips) >= 2 and {probe(strip).frames for strip in strips} == {FRAMES}
    before = [strip.stat().st_mtime_ns for strip in strips]
    draw_again(tmp_path, recipe, library, wanted, Record(tmp_path))
    assert [strip.stat().st_mtime_ns for strip in strips] == before
    assert not (tmp_path / STRIPS / "rejected.json").exists()


def test_a_worker_that_dies_leaves_pages_without_videos_and_a_log(library: Library, tmp_path: Path) -> None:
    draw_again(tmp_path, {"seed": 7, "scene": {"no_such_key": 1}}, library, [example(0)], Record(tmp_path))
    assert not (tmp_path / example(0).strip).exists()
    assert "no_such_key" in (tmp_path / STRIPS / LOG).read_text()
