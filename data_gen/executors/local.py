"""Worker processes on this machine."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from data_gen.executors.process import Answer, Command, run_process


class LocalExecutor:
    """A thread for each worker process, which waits for it.

    Args:
        workers: processes at a time.
        command: starts one.
        timeout: seconds that one may take.
    """

    def __init__(self, workers: int, command: Command, timeout: float) -> None:
        self.slots = workers
        self._command = command
        self._timeout = timeout
        self._stopped = threading.Event()
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, request: dict[str, Any]) -> Future[Answer]:
        """See `Executor`."""
        return self._threads.submit(run_process, self._command, request, self._timeout, self._stopped)

    def close(self) -> None:
        """See `Executor`."""
        self._stopped.set()
        self._threads.shutdown(cancel_futures=True)
