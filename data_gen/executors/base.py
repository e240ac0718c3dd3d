"""The interface of executors, and the choice of one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

from data_gen.config import ExecutorConfig
from data_gen.executors.process import Answer, Command


class Executor(Protocol):
    """Runs worker processes somewhere."""

    @property
    def slots(self) -> int:
        """How many requests to hand out at a time, at this moment."""

    def submit(self, request: dict[str, Any]) -> Future[Answer]:
        """Run a worker process for a request; the future's result tells of failures, too."""

    def close(self) -> None:
        """End the processes that still run."""


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
