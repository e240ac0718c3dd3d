"""A worker without simulators: `fake_worker.py BEHAVIOUR JOB.json` makes a small pair, or fails as its behaviour says.

BEHAVIOUR is JSON: {"crash": [indices], ...}; scenes it does not name are made as usual.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from data_gen.rigid.produce import pair_id
from data_gen.worker import Job, Outcome, end_with_parent, run
from void.files import PARTIAL_MARK
from void.pairs import Pair, write_pair
from void.quadmask import Quadmask

FRAMES, HEIGHT, WIDTH = 5, 16, 16


def made(index: int) -> Pair:
    """A pair whose pixels depend on the index alone."""
    rgb = np.random.default_rng(index).integers(0, 255, (FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    mask = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    mask[:, :4] = True
    metadata = {
        "id": pair_id(index),
        "group": f"rigid:seed:0:{index}",
        "source": "rigid",
        "caption": "A floor.",
        "rejected": {"no_contact": index},
    }
    return Pair(rgb, rgb[::-1].copy(), Quadmask(mask, ~mask), 12.0, metadata)


def work(job: Job) -> Outcome:
    """Make the pair, or fail on purpose."""
    behaviour = json.loads(sys.argv[1])
    folder = Path(job.folder)

    def told(what: str) -> bool:
        return job.index in behaviour.get(what, [])

    if told("crash"):
        raise RuntimeError("the mesh is not watertight")
    if told("killed"):
        # As a process killed while it writes: a partial folder stays behind.
        folder.parent.mkdir(parents=True, exist_ok=True)
        (folder.parent / f".{folder.name}{PARTIAL_MARK}dead").mkdir()
        os.kill(os.getpid(), signal.SIGSEGV if told("segfault") else signal.SIGKILL)
    if told("hang"):
        time.sleep(600)
    if told("rejected"):
        return Outcome("rejected", "none of 60 draws was accepted (no_contact 60)")
    if told("disk_full"):
        return Outcome("input_error", "no space left while writing", "free some disk space")
    write_pair(folder, made(job.index))
    return Outcome("done")


if __name__ == "__main__":
    end_with_parent()
    run(Path(sys.argv[2]), work)
