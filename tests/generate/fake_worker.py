"""A worker without simulators: `fake_worker.py BEHAVIOUR REQUEST.json` makes a small pair, or fails as it is told.

BEHAVIOUR is JSON: {"crash": [indices], ...}; scenes it does not name are made as usual. A scene of "crash_once" and its
like fails in its first try only.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from data_gen.executors.child import serve
from data_gen.worker import Job, Outcome
from void.files import PARTIAL_MARK
from void.pairs import Pair, write_pair
from void.quadmask import Quadmask

FRAMES, HEIGHT, WIDTH = 5, 16, 16


def made(index: int, first_attempt: int = 0) -> Pair:
    """A pair whose pixels depend on the index alone."""
    rgb = np.random.default_rng(index).integers(0, 255, (FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    mask = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    mask[:, :4] = True
    metadata = {
        "id": f"rigid-{index:06d}",
        "group": f"rigid:seed:0:{index}",
        "source": "rigid",
        "caption": "A floor.",
        "rejected": {"no_contact": index},
        "attempts": first_attempt + index + 1,
    }
    return Pair(rgb, rgb[::-1].copy(), Quadmask(mask, ~mask), 12.0, metadata)


def work(job: Job) -> Outcome:
    """Make the pair, or fail on purpose."""
    behaviour = json.loads(sys.argv[1])
    folder = Path(job.folder)

    def told(what: str) -> bool:
        once = job.index in behaviour.get(f"{what}_once", []) and job.first_attempt == 0
        return once or job.index in behaviour.get(what, [])

    if told("crash"):
        raise RuntimeError("the mesh is not watertight")
    if told("killed"):
        # As a process killed while it writes: a partial folder stays behind.
        folder.parent.mkdir(parents=True, exist_ok=True)
        (folder.parent / f".{folder.name}{PARTIAL_MARK}{job.first_attempt:08x}").mkdir()
        os.kill(os.getpid(), signal.SIGSEGV if told("segfault") else signal.SIGKILL)
    if told("hang"):
        time.sleep(600)
    if told("rejected") or job.family in behaviour.get("impossible", []):
        return Outcome("rejected", "none of 60 draws was accepted (no_contact 60)", reasons={"no_contact": 60})
    if told("disk_full"):
        return Outcome("input_error", "no space left while writing", "free some disk space")
    write_pair(folder, made(job.index, job.first_attempt))
    return Outcome("done", seconds={"render": 2.0, "physics": 0.5})


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """A job and its outcome, both as dicts."""
    return asdict(work(Job(**request)))


if __name__ == "__main__":
    serve(answer)
