"""`python -m data_gen.worker REQUEST.json`: one scene in one process, from a `Job` to a pair and an `Outcome`."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from data_gen.executors.child import serve
from data_gen.quota import Place
from void.errors import InputError
from void.full_disk import is_disk_full
from void.scratch import scratch_folder

DONE = "done"
REJECTED = "rejected"
INPUT_ERROR = "input_error"


@dataclass(frozen=True)
class Job:
    """What a worker is told.

    Args:
        scene: configuration of the scenes as a dict.
        library: all assets, `Library.to_dict`.
        seed: of the data set.
        index: of the scene.
        family: of the scene.
        split: of the scene.
        number: of the scene, see `Place`.
        first_attempt: number of the first draw.
        folder: of the pair to write.
    """

    scene: dict[str, Any]
    library: dict[str, Any]
    seed: int
    index: int
    family: str
    split: str
    number: int
    first_attempt: int
    folder: str


@dataclass(frozen=True)
class Outcome:
    """What a worker answers.

    Args:
        kind: done; rejected (no draw was accepted); input_error (only the user can mend it).
        message: what went wrong.
        remedy: for an input_error.
        reasons: of a rejected scene: draws by reason.
        unusable: of a rejected scene: what cannot be used at all, and why.
        seconds: by stage.
    """

    kind: str
    message: str = ""
    remedy: str = ""
    reasons: dict[str, int] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def worker_command(request: Path) -> list[str]:
    """How a worker is started."""
    return [sys.executable, "-m", "data_gen.worker", str(request)]


def work(job: Job) -> Outcome:
    """Make and write the pair of a job."""
    from data_gen.assets.library import Library
    from data_gen.plain import scene_config
    from data_gen.produce import NoSceneError, Order, produce
    from void.pairs import write_pair

    try:
        with scratch_folder("scene") as scratch:
            order = Order(job.seed, job.index, Place(job.split, job.family, job.number), job.first_attempt)
            made = produce(scene_config(job.scene), Library.from_dict(job.library), order, scratch)
        write_pair(job.folder, made.pair)
    except NoSceneError as error:
        return Outcome(
            REJECTED, str(error), reasons=dict(error.reasons), unusable=error.unusable, seconds=error.seconds
        )
    except InputError as error:
        return Outcome(INPUT_ERROR, error.problem, error.remedy)
    except Exception as error:  # Each library reports a full disk by an error of its own.
        if not is_disk_full(error):
            raise
        return Outcome(
            INPUT_ERROR,
            f"no space left in {tempfile.gettempdir()}",
            "free some space there, or set TMPDIR to another folder",
        )
    return Outcome(DONE, seconds=made.seconds)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """A job and its outcome, both as dicts."""
    return asdict(work(Job(**request)))


if __name__ == "__main__":
    serve(answer)
