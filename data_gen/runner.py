"""One process per scene, several at a time: a crash, a kill or a hang costs one scene, and is reported."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from data_gen.config import ExecutorConfig
from data_gen.worker import Job, Outcome, outcome_path
from void.errors import InputError
from void.files import read_json, write_json

POLL_SECONDS = 0.05

Command = Callable[[Path], list[str]]


@dataclass(frozen=True)
class Failure:
    """A scene that gave no pair."""

    id: str
    reason: str
    log: str


@dataclass
class _Running:
    id: str
    process: subprocess.Popen[bytes]
    job: Path
    log: Path
    deadline: float


def check_executor(config: ExecutorConfig) -> None:
    """Raise InputError for values with which nothing would ever be done."""
    if config.workers < 1:
        raise InputError(f"executor.workers = {config.workers}", "use 1 or more")
    if config.timeout <= 0:
        raise InputError(f"executor.timeout = {config.timeout}", "use a positive number of seconds")
    if not 0 <= config.failure_budget <= 1:
        raise InputError(f"executor.failure_budget = {config.failure_budget}", "use a fraction between 0 and 1")


def worker_command(job: Path) -> list[str]:
    """How a worker is started."""
    return [sys.executable, "-m", "data_gen.worker", str(job)]


def run_jobs(
    jobs: Mapping[str, Job],
    config: ExecutorConfig,
    *,
    total: int,
    logs: Path,
    report: Callable[[Failure], None],
    command: Command = worker_command,
    console: Console | None = None,
) -> None:
    """Run every job in a process of its own.

    Args:
        jobs: by pair id, in the order to start them.
        config: processes, timeout and failure budget.
        total: pairs of the whole data set; the failure budget is a fraction of it, and the bar counts up to it.
        logs: folder that keeps the output of workers that failed.
        report: told each failure as it happens; at most `config.failure_budget * total` are let pass.
        command: starts a worker for a job file.
        console: where the progress bar goes.

    Raises:
        InputError: the failures exceed the budget, or a worker met something only the user can mend (a full disk).
    """
    waiting = list(jobs.items())
    running: list[_Running] = []
    failures: list[Failure] = []
    allowed = int(config.failure_budget * total)
    logs.mkdir(parents=True, exist_ok=True)
    columns = (
        TextColumn("scenes"), BarColumn(), MofNCompleteColumn(), TextColumn("[red]{task.fields[failed]}[/red]"),
        TimeElapsedColumn(), TextColumn("ETA"), TimeRemainingColumn(),
    )  # fmt: skip
    with (
        tempfile.TemporaryDirectory(prefix="void-jobs-") as folder,
        Progress(*columns, console=console or Console(stderr=True)) as progress,
        _ended_on_exit(running),
    ):
        bar = progress.add_task("scenes", total=total, completed=total - len(jobs), failed="")
        while waiting or running:
            while waiting and len(running) < config.workers:
                pair_id, job = waiting.pop(0)
                running.append(_start(pair_id, job, Path(folder), logs, command, config.timeout))
            for worker in [worker for worker in running if _over(worker)]:
                reason = _result(worker)
                running.remove(worker)
                if reason is None:
                    worker.log.unlink(missing_ok=True)
                    progress.advance(bar)
                    continue
                failures.append(Failure(worker.id, reason, str(worker.log)))
                report(failures[-1])
                progress.update(bar, failed=f"{len(failures)} failed")
                if len(failures) > allowed:
                    raise _over_budget(failures, allowed)
            time.sleep(POLL_SECONDS)


def _start(pair_id: str, job: Job, folder: Path, logs: Path, command: Command, timeout: float) -> _Running:
    path = folder / f"{pair_id}.json"
    write_json(path, asdict(job))
    log = logs / f"{pair_id}.log"
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(path),
            # The worker ends when this pipe closes, however its parent ends.
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | threads,
            start_new_session=True,
        )
    return _Running(pair_id, process, path, log, time.monotonic() + timeout)


def _over(worker: _Running) -> bool:
    return worker.process.poll() is not None or time.monotonic() > worker.deadline


def _result(worker: _Running) -> str | None:
    """None for a finished pair, else the reason of the failure."""
    status = worker.process.poll()
    if status is None:
        _end(worker)
        return "timed out"
    _close(worker)
    answer = outcome_path(worker.job)
    if not answer.is_file():
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        return f"{how}: {_last_line(worker.log)}"
    outcome = Outcome(**read_json(answer))
    if outcome.kind == "input_error":
        raise InputError(outcome.message, outcome.remedy)
    return None if outcome.kind == "done" else outcome.message


def _over_budget(failures: list[Failure], allowed: int) -> InputError:
    shown = "".join(f"\n  {failure.id}: {failure.reason}" for failure in failures[:10])
    more = f"\n  and {len(failures) - 10} more" if len(failures) > 10 else ""
    return InputError(
        f"{len(failures)} scenes failed, {allowed} may (executor.failure_budget):{shown}{more}",
        f"read {failures[-1].log}; finished pairs are kept, and the same command tries the others again",
    )


@contextlib.contextmanager
def _ended_on_exit(running: list[_Running]) -> Iterator[None]:
    try:
        yield
    finally:
        for worker in running:
            _end(worker)


def _end(worker: _Running) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.process.pid, signal.SIGKILL)
    worker.process.wait()
    _close(worker)


def _close(worker: _Running) -> None:
    if worker.process.stdin:
        worker.process.stdin.close()


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no output"
