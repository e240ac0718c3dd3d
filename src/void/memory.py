"""The most memory that this process has had."""

from __future__ import annotations

from pathlib import Path

STATUS = Path("/proc/self/status")
PEAK = "VmHWM:"
BYTES_PER_KIB = 1024


def peak_memory() -> int:
    """Bytes resident at most since the process began its program (proc(5), VmHWM).

    `getrusage` is not asked: its maximum outlives exec, so a small child of a large process is told its parent's.
    """
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(PEAK))
    return int(line.split()[1]) * BYTES_PER_KIB
