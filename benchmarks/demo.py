"""Where the time and memory of `make demo` go: seconds, share and peak memory of each command, from an empty folder.

.venv/bin/python benchmarks/demo.py runs/benchmark [key=value ...]
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

MAKEFILE = Path(__file__).resolve().parents[1] / "Makefile"
POLL_SECONDS = 0.2


def memory(process: psutil.Process) -> int:
    """Bytes resident in a process and its children (pages they share are counted in each)."""
    total = 0
    for member in (process, *process.children(recursive=True)):
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def demo_commands() -> list[list[str]]:
    """What `make demo` runs after its check of the machine, each as words."""
    (recipe,) = re.findall(r"^demo:.*\n((?:\t.*\n)+)", MAKEFILE.read_text(), re.MULTILINE)
    return [line.split() for line in re.findall(r"\$\(RUN\) (.*)", recipe) if not line.startswith("doctor")]


def measure(words: list[str]) -> tuple[float, float]:
    """Seconds and peak GiB of one command."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "void.cli", *words])
    peak = 0
    while child.poll() is None:
        try:
            peak = max(peak, memory(psutil.Process(child.pid)))
        except psutil.NoSuchProcess:
            break
        time.sleep(POLL_SECONDS)
    if child.wait():
        sys.exit(f"void {' '.join(words)} failed")
    return time.perf_counter() - started, peak / 2**30


def main() -> None:
    """Measure every stage and print the table."""
    root, *overrides = sys.argv[1:] or sys.exit(__doc__ or "")
    if Path(root).exists():
        sys.exit(f"{root} exists: a rerun would measure nothing; name a new folder")
    measured = {" ".join(words): measure([*words, f"root={root}", *overrides]) for words in demo_commands()}
    total = sum(seconds for seconds, _ in measured.values())
    pairs = len(list((Path(root) / "pairs" / "pairs").iterdir()))
    table = Table("void", "seconds", "share", "peak memory, GiB", title=f"{pairs} pairs")
    for command, (seconds, peak) in measured.items():
        table.add_row(command, f"{seconds:.0f}", f"{seconds / total:.0%}", f"{peak:.1f}")
    table.add_row("total", f"{total:.0f}", "100%", f"{max(peak for _, peak in measured.values()):.1f}")
    console = Console()
    console.print(table)
    console.print(f"{pairs / next(iter(measured.values()))[0] * 3600:.0f} pairs an hour")


if __name__ == "__main__":
    main()
