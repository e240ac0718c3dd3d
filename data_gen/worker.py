"""`python -m data_gen.worker JOB.json`: one scene in one process. Started by the runner, one after another.

The outcome is a JSON file beside the job. A worker ends when its parent does: it watches its standard input, a pipe
that closes.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from data_gen.config import SceneConfig
from void.errors import InputError
from void.files import read_json, write_json


@dataclass(frozen=True)
class Job:
    """What a worker is told.

    Args:
        scene: `SceneConfig` as a dict.
        kinds: shapes in use.
        manifest: of the asset pack.
        seed: of the data set.
        index: of the scene.
        folder: of the pair to write.
    """

    scene: dict[str, Any]
    kinds: list[str]
    manifest: str
    seed: int
    index: int
    folder: str


@dataclass(frozen=True)
class Outcome:
    """What a worker answers. `kind`: done; rejected (no draw was accepted); input_error (only the user can mend it)."""

    kind: str
    message: str = ""
    remedy: str = ""


def outcome_path(job_path: Path) -> Path:
    """Where the outcome of a job is written."""
    return job_path.with_suffix(".outcome.json")


def work(job: Job) -> Outcome:
    """Make and write the pair of a job."""
    from data_gen.rigid.assets import read_catalogue
    from data_gen.rigid.produce import NoSceneError, produce
    from void.pairs import write_pair

    config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(SceneConfig), job.scene))
    assert isinstance(config, SceneConfig)
    manifest = Path(job.manifest)
    try:
        with tempfile.TemporaryDirectory(prefix="void-scene-") as scratch:
            catalogue = read_catalogue(manifest, job.kinds)
            pair = produce(config, catalogue, manifest, job.seed, job.index, Path(scratch))
        write_pair(job.folder, pair)
    except NoSceneError as error:
        return Outcome("rejected", str(error))
    except InputError as error:
        return Outcome("input_error", error.problem, error.remedy)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return Outcome(
            "input_error",
            f"no space left in {tempfile.gettempdir()}",
            "free some space there, or set TMPDIR to another folder",
        )
    return Outcome("done")


def run(job_path: Path, work: Callable[[Job], Outcome] = work) -> None:
    """Read a job, do it, write the outcome."""
    job = Job(**read_json(job_path))
    write_json(outcome_path(job_path), asdict(work(job)))


def end_with_parent() -> None:
    """End this process as soon as its standard input closes."""

    def watch() -> None:
        # Not `sys.stdin`: its lock, held here, would break the interpreter's normal end.
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    run(Path(sys.argv[1]))
