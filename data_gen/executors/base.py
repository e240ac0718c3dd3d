"""The interface of executors, and the choice of one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

from data_gen.config import ExecutorConfig
from data_gen.executors.process import Answer, Command
from void.errors import InputError

KINDS = ("local", "ray")


class Executor(Protocol):
    """Runs worker processes somewhere."""

    @property
    def slots(self) -> int:
        """How many requests to hand out at a time, at this moment."""

    def submit(self, request: dict[str, Any]) -> Future[Answer]:
        """Run a worker process for a request; the future's result tells of failures, too."""

    def close(self) -> None:
        """End the processes that still run."""


def check_executor(config: ExecutorConfig) -> None:
    """Raise InputError for values with which nothing would ever be done."""
    problems = [
        (config.kind not in KINDS, "kind", f"use one of {', '.join(KINDS)}"),
        (config.workers < 1, "workers", "use 1 or more"),
        (config.cpus <= 0, "cpus", "use a number above 0"),
        (config.timeout <= 0, "timeout", "use a positive number of seconds"),
        (config.retries < 0, "retries", "use 0 or more"),
        (not 0 <= config.failure_budget <= 1, "failure_budget", "use a fraction between 0 and 1"),
    ]
    for wrong, key, remedy in problems:
        if wrong:
            raise InputError(f"executor.{key} = {getattr(config, key)}", remedy)


@contextlib.contextmanager
def open_executor(config: ExecutorConfig, command: Command, *, folders: Sequence[Path]) -> Iterator[Executor]:
    """The executor of a configuration; its processes end with the context.

    Args:
        config: kind, size, seconds per request.
        command: starts a worker process.
        folders: that the workers read and write.

    Raises:
        InputError: no such Ray cluster, or Ray is not installed.
    """
    executor: Executor
    if config.kind == "ray":
        from data_gen.executors.ray_cluster import RayExecutor

        executor = RayExecutor(config, command, folders)
    else:
        from data_gen.executors.local import LocalExecutor

        executor = LocalExecutor(config.workers, command, config.timeout)
    try:
        yield executor
    finally:
        executor.close()
