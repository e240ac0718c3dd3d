"""Kubric on Blender 4.2, without TensorFlow. In processes of their own, where nothing else has imported anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from data_gen.assets.library import Library

LAYERS = """
import sys
from pathlib import Path
import numpy as np
from data_gen.blender.kubric_compat import load_kubric, load_renderer

kb = load_kubric()
scene = kb.Scene(frame_start=0, frame_end=0, resolution=(32, 32))
renderer = load_renderer()(scene, scratch_dir=sys.argv[1], samples_per_pixel=1, use_denoising=False)
assert load_renderer() is type(renderer)
glowing = kb.PrincipledBSDFMaterial(color=kb.Color(0.0, 0.0, 0.0), emission=kb.Color(0.0, 1.0, 0.0))
scene += kb.Cube(name="cube", scale=0.5, material=glowing)
source = kb.AssetSource.from_manifest(sys.argv[2], scratch_dir=sys.argv[1])
scene += source.create("mug_1", scale=8.0, position=(0.0, 1.5, 0.0), material=kb.PrincipledBSDFMaterial())
scene.camera = kb.PerspectiveCamera(position=(4.0, 0.7, 1.0), look_at=(0.0, 0.7, 0.0))
layers = renderer.render_still()
ids = layers["segmentation"][..., 0]
assert sorted(np.unique(ids)) == [0, 1, 2], np.unique(ids)
for index in (1, 2):
    coordinates = layers["object_coordinates"][ids == index]
    assert coordinates.max() > 40000 and np.ptp(coordinates, axis=0).max() > 10000
assert (layers["object_coordinates"][ids == 0] == 0).all()
red, green, blue, _ = np.median(layers["rgba"][ids == 1], axis=0)
assert green > 60 + max(red, blue), (red, green, blue)
"""

IMPORTS = """
import importlib.util, sys
from data_gen.blender.kubric_compat import load_kubric, load_simulator

load_kubric(), load_simulator()
assert "bpy" not in sys.modules, "physics must not load Blender"
assert "tensorflow" not in sys.modules
assert importlib.util.find_spec("tensorflow") is None
"""


def python(code: str, *arguments: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]


def test_the_stand_in_for_tensorflow_leaves_no_trace() -> None:
    python(IMPORTS)


def test_colours_segmentation_and_object_coordinates_are_rendered(tmp_path: Path, library: Library) -> None:
    python(LAYERS, str(tmp_path), str(library.manifests["objects"].file))
