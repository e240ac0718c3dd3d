"""Processes that want the same assets at once; the dome."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from data_gen.assets.dome import FILLET, RADIUS, dome_files, outline
from data_gen.assets.library import Library
from data_gen.blender.kubric_compat import load_kubric, load_simulator

BUILD = """
import sys
from pathlib import Path
from data_gen.assets.pack import build_pack
folder = build_pack(Path(sys.argv[1]), ("structures",))
print(folder, (folder / "structures.json").stat().st_ino)
"""


def test_one_process_builds_and_the_others_wait(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUILD, tmp_path]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    # The same file, not one that another process put in its place.
    assert len(answers) == 1
    assert not list(tmp_path.glob("*.partial-*"))


def test_the_dome_is_a_floor_that_rises_smoothly_to_the_zenith() -> None:
    profile = outline()
    steps = np.diff(profile, axis=0)
    turns = np.diff(np.unwrap(np.arctan2(steps[:, 1], steps[:, 0])))
    assert (turns >= -1e-9).all() and turns.max() < np.radians(10)
    reach = profile[profile[:, 1] == 0][:, 0].max()
    assert reach > 45 and reach < RADIUS - FILLET / 2
    np.testing.assert_allclose(np.linalg.norm(profile[-10:], axis=1), RADIUS)


def test_the_domes_image_is_seen_undistorted_from_its_eye() -> None:
    lines = [line.split() for line in dome_files()["visual_geometry.obj"].decode().splitlines()]
    points = np.array([line[1:] for line in lines if line[0] == "v"], dtype=float)
    places = np.array([line[1:] for line in lines if line[0] == "vt"], dtype=float)
    x, y, z = (points - (0, 0, 5.0)).T
    np.testing.assert_allclose(places[:, 1], 0.5 + np.arctan2(z, np.hypot(x, y)) / np.pi, atol=1e-4)
    away = places[:, 0] % 1 != 0
    np.testing.assert_allclose(places[away, 0], (0.5 - np.arctan2(y, x) / (2 * np.pi))[away], atol=1e-4)


def test_things_stand_on_the_domes_floor(library: Library, tmp_path: Path) -> None:
    kb = load_kubric()
    scene = kb.Scene(frame_start=0, frame_end=12, frame_rate=12, step_rate=240)
    simulator = load_simulator()(scene, scratch_dir=tmp_path)
    dome = library.dome(name="dome", static=True, background=True)
    scene += dome
    balls = [kb.Sphere(scale=0.5, position=place, mass=1.0) for place in ((0.0, 0.0, 1.0), (30.0, -25.0, 1.0))]
    scene += balls
    animation, _ = simulator.run(frame_start=0, frame_end=12)
    scene.unlink_view(simulator)
    for ball in balls:
        np.testing.assert_allclose(animation[ball]["position"][-1][2], 0.5, atol=0.02)
    material = Path(dome.render_filename).with_suffix(".mtl").read_text()
    assert "map_Kd texture.png" in material and Path(dome.render_filename).with_name("texture.png").is_file()
