"""Worker processes on a Ray cluster. Each task starts, on its node, the same process as the local executor does."""

from __future__ import annotations

import logging
import os
import platform
import socket
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from data_gen.config import ExecutorConfig
from data_gen.executors.process import Answer, Command, run_process
from void.errors import InputError

CONNECT_SECONDS = 10
# Tasks that wait on the cluster for each one that runs: no node idles between two, and an autoscaler sees the demand.
HANDED_OUT = 2


class RayExecutor:
    """Ray tasks. The folders must be on a file system that all nodes share; each task looks for itself.

    Args:
        config: address of the cluster, CPUs per task, seconds per request.
        command: starts a worker process, on a node.
        folders: that the workers read and write, which exist.

    Raises:
        InputError: Ray is not installed, or there is no cluster at the address.
    """

    def __init__(self, config: ExecutorConfig, command: Command, folders: Sequence[Path]) -> None:
        self._ray = _import_ray(config.address)
        self._command = command
        self._cpus = config.cpus
        self._timeout = config.timeout
        self._pending: dict[Future[Answer], Any] = {}
        self._connected_here = not self._ray.is_initialized()
        if self._connected_here:
            _connect(self._ray, config.address)
        if config.address == "local" and self._cluster_cpus() < config.cpus:
            raise InputError(
                f"executor.cpus = {config.cpus:g}, but this machine has {self._cluster_cpus():g} CPUs",
                "use fewer, or a larger cluster (executor.address=HOST:PORT)",
            )
        self._task = self._ray.remote(_on_node).options(num_cpus=config.cpus, num_gpus=config.gpus, max_retries=0)
        self._witnesses = [folder.resolve() / f".seen-by-all-{uuid.uuid4().hex[:8]}" for folder in folders]
        for witness in self._witnesses:
            witness.touch()

    @property
    def slots(self) -> int:
        """See `Executor`; follows the size of the cluster."""
        return max(1, int(HANDED_OUT * self._cluster_cpus() / self._cpus))

    def submit(self, request: dict[str, Any]) -> Future[Answer]:
        """See `Executor`."""
        reference = self._task.remote(self._command, request, self._timeout, self._witnesses)
        answer: Future[Answer] = Future()
        self._pending[answer] = reference

        def finish(done: Future[Answer]) -> None:
            self._pending.pop(answer, None)
            if not answer.set_running_or_notify_cancel():
                return
            error = done.exception()
            answer.set_result(done.result() if error is None else Answer(None, f"lost on the cluster: {_line(error)}"))

        reference.future().add_done_callback(finish)
        return answer

    def close(self) -> None:
        """See `Executor`."""
        for answer, reference in list(self._pending.items()):
            answer.cancel()
            self._ray.cancel(reference, force=True)
        for witness in self._witnesses:
            witness.unlink(missing_ok=True)
        if self._connected_here:
            self._ray.shutdown()

    def _cluster_cpus(self) -> float:
        return float(self._ray.cluster_resources().get("CPU", 0))


def _import_ray(address: str) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == "local":
        # Ray replaces 127.0.0.1 by an address that others reach, unless it is told, before it is imported, that there
        # are no clusters on this system.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ImportError as error:
        raise InputError(f"executor.kind = ray, but {error}", 'pip install -e ".[simulation]"') from error
    return ray


def _connect(ray: Any, address: str) -> None:
    remedy = (
        "start one (`ray start --head`), give its head as executor.address=HOST:PORT, or use executor.address=local"
    )
    host, _, port = address.rpartition(":")
    if port.isdigit() and "/" not in host:
        # Ray itself would try for minutes, and then end the process.
        try:
            socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
        except OSError as error:
            raise InputError(f"executor.address = {address}: no Ray cluster answers there ({error})", remedy) from error
    try:
        # A cluster of this command's own is nobody else's business.
        own = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"} if address == "local" else {}
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (Exception, SystemExit) as error:
        raise InputError(f"executor.address = {address}: {_line(error)}", remedy) from error


def _on_node(command: Command, request: dict[str, Any], timeout: float, witnesses: list[Path]) -> Answer:
    """Runs on a node of the cluster."""
    unseen = [witness.parent for witness in witnesses if not witness.is_file()]
    if unseen:
        listed = " and ".join(map(str, unseen))
        error = InputError(
            f"node {platform.node()} of the Ray cluster does not see {listed}",
            "choose a folder on a file system that all nodes share (root=PATH, data.root=PATH, assets.root=PATH)",
        )
        return Answer(None, error=error)
    return run_process(command, request, timeout)


def _line(error: BaseException) -> str:
    """The first line of an error of Ray's, whose messages are pages."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
