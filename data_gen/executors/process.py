"""The parent's side of a worker process: start it, wait, end it when it takes too long, say how it failed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_gen.executors.child import answer_path
from void.errors import InputError
from void.files import read_json, write_json
from void.scratch import scratch_folder

POLL_SECONDS = 0.05
LOG_BYTES = 2**16
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Command = Callable[[Path], list[str]]
"""The command line of a worker process for a request file."""


@dataclass(frozen=True)
class Answer:
    """What came of a request."""

    value: dict[str, Any] | None
    """The worker's answer; None where it gave none."""
    failure: str = ""
    """Why there is no answer: a crash, a kill, too long a time."""
    log: str = ""
    """The end of what the worker printed."""
    seconds: float = 0.0
    """From start to end of the process."""
    error: InputError | None = None
    """What only the user can mend, met outside the worker."""


def run_process(
    command: Command, request: dict[str, Any], timeout: float, stopped: threading.Event | None = None
) -> Answer:
    """Run one worker process to its end, with one thread. The process does not outlive this one.

    Args:
        command: see `Command`.
        request: for the worker, JSON.
        timeout: seconds after which the process is killed.
        stopped: when set, the process is killed at once.
    """
    stopped = stopped or threading.Event()
    start = time.monotonic()
    with scratch_folder("job") as folder:
        path, log = folder / "request.json", folder / "log"
        try:
            write_json(path, request)
        except InputError as error:
            return Answer(None, error=error)
        with log.open("wb") as output:
            process = subprocess.Popen(
                command(path),
                # The worker ends when this pipe closes, however its parent ends.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                # What the worker and its libraries leave behind when they are killed goes with the folder.
                env=os.environ | ONE_THREAD | {"TMPDIR": str(folder)},
                start_new_session=True,
            )
        try:
            while process.poll() is None and time.monotonic() < start + timeout and not stopped.is_set():
                stopped.wait(POLL_SECONDS)
            status = process.poll()
        finally:
            _end(process)
        printed, seconds = _tail(log), time.monotonic() - start
        if status is None:
            return Answer(None, "stopped" if stopped.is_set() else f"timed out after {timeout:g} s", printed, seconds)
        if not answer_path(path).is_file():
            return Answer(None, f"{_how(status)}: {_last_line(printed)}", printed, seconds)
        return Answer(read_json(answer_path(path)), "", printed, seconds)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdin:
        process.stdin.close()


def _how(status: int) -> str:
    if status == -signal.SIGKILL:
        return "killed by SIGKILL, as when memory runs out"
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_BYTES))
        return file.read().decode(errors="replace")


def _last_line(printed: str) -> str:
    lines = [line for line in printed.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no output"
