"""`python -m data_gen.worker REQUEST.json`: one scene in one process, from a `Job` to a pair and an `Outcome`."""

from __future__ import annotations

import errno
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_gen.executors.child import serve
from void.errors import InputError

if TYPE_CHECKING:
    from data_gen.rigid.produce import Made

DONE = "done"
REJECTED = "rejected"
INPUT_ERROR = "input_error"


@dataclass(frozen=True)
class Job:
    """What a worker is told.

    Args:
        source: simulator, a key of `PRODUCERS`.
        scene: configuration of the scenes as a dict.
        library: all assets, `Library.to_dict`.
        seed: of the data set.
        index: of the scene.
        family: of the scene.
        split: of the scene.
        first_attempt: number of the first draw.
        folder: of the pair to write.
    """

    source: str
    scene: dict[str, Any]
    library: dict[str, Any]
    seed: int
    index: int
    family: str
    split: str
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
        seconds: by stage.
    """

    kind: str
    message: str = ""
    remedy: str = ""
    reasons: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def worker_command(request: Path) -> list[str]:
    """How a worker is started."""
    return [sys.executable, "-m", "data_gen.worker", str(request)]


def work(job: Job) -> Outcome:
    """Make and write the pair of a job."""
    from data_gen.rigid.produce import NoSceneError
    from void.pairs import write_pair

    try:
        with tempfile.TemporaryDirectory(prefix="void-scene-") as scratch:
            made = PRODUCERS[job.source](job, Path(scratch))
        write_pair(job.folder, made.pair)
    except NoSceneError as error:
        return Outcome(REJECTED, str(error), reasons=dict(error.reasons), seconds=error.seconds)
    except InputError as error:
        return Outcome(INPUT_ERROR, error.problem, error.remedy)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return Outcome(
            INPUT_ERROR,
            f"no space left in {tempfile.gettempdir()}",
            "free some space there, or set TMPDIR to another folder",
        )
    return Outcome(DONE, seconds=made.seconds)


def _produce_rigid(job: Job, scratch: Path) -> Made:
    from data_gen.assets.library import Library
    from data_gen.plain import scene_config
    from data_gen.rigid.produce import produce

    return produce(
        scene_config(job.scene),
        Library.from_dict(job.library),
        seed=job.seed,
        index=job.index,
        family=job.family,
        split=job.split,
        first_attempt=job.first_attempt,
        scratch=scratch,
    )


PRODUCERS: dict[str, Callable[[Job, Path], Made]] = {"rigid": _produce_rigid}
"""How each simulator makes a pair."""


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """A job and its outcome, both as dicts."""
    return asdict(work(Job(**request)))


if __name__ == "__main__":
    serve(answer)
