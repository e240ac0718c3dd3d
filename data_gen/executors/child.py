"""The worker's side of a worker process: read the request, do it, write the answer, end with the parent."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from void.files import read_json, write_json


def answer_path(request: Path) -> Path:
    """Where the answer to a request file is written."""
    return request.with_suffix(".answer.json")


def serve(handle: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer the request in the file that the last argument of the command line names."""
    _end_with_parent()
    request = Path(sys.argv[-1])
    write_json(answer_path(request), handle(read_json(request)))


def _end_with_parent() -> None:
    """End this process as soon as its standard input, a pipe that its parent holds, closes."""

    def watch() -> None:
        # Not `sys.stdin`: its lock, held here, would break the interpreter's normal end.
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
