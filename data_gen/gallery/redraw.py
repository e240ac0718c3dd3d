"""`python -m data_gen.gallery.redraw JOB.json`: draws rejected scenes again. Started by `rejected.draw_again`."""

from __future__ import annotations

import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from data_gen.gallery.rejected import Example
from data_gen.gallery.strips import MIN_HEIGHT, write_strip
from data_gen.plain import scene_config
from data_gen.quota import Place
from data_gen.scene.spec import SceneSpec
from void.files import read_json
from void.scratch import scratch_folder


def main(job_path: Path) -> None:
    """Draw the examples of a job; a line "drawn N" on stdout for each that worked, a traceback on stderr otherwise."""
    job = read_json(job_path)
    config = scene_config(job["scene"])
    library = Library.from_dict(job["library"])
    for number, described in enumerate(job["examples"]):
        example = Example(**described)
        try:
            with scratch_folder("redraw") as scratch:
                redraw(config, library, example, Path(job["root"]) / example.strip, scratch)
        except Exception:
            # One scene that breaks the physics must not keep the others from being shown.
            traceback.print_exc()
            continue
        sys.stdout.write(f"drawn {number}\n")
        sys.stdout.flush()


def redraw(config: SceneConfig, library: Library, example: Example, path: Path, scratch: Path) -> None:
    """Write the strip of one rejected draw: the world with all objects beside the one without the removed ones."""
    from data_gen.produce import open_simulator
    from data_gen.scene.preview import PreviewRenderer

    simulator = open_simulator(example.family, config, library)
    place = Place(example.split, example.family, example.number)
    spec = small(simulator.sample(place, seed=example.seed, index=example.index, attempt=example.attempt))
    workshop = simulator.workshop(spec, example.split)
    full, without = simulator.simulate(spec, workshop, scratch)
    renderer: Any = PreviewRenderer(spec, workshop, scratch)
    views = (renderer.render(full, range(len(spec.objects))), renderer.render(without, spec.survivors))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_strip(path, [view.rgb_THWC for view in views], float(spec.fps))


def small(spec: SceneSpec) -> SceneSpec:
    """The same scene through a camera of few pixels: these are sketches."""
    height, width = spec.camera.height, spec.camera.width
    factor = min(1.0, MIN_HEIGHT / height)
    camera = replace(spec.camera, height=2 * round(height * factor / 2), width=2 * round(width * factor / 2))
    return replace(spec, camera=camera)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
