"""The peak memory of a process is its own."""

from __future__ import annotations

import subprocess
import sys

from void.memory import peak_memory

MIB = 2**20
CHILD = "from void.memory import peak_memory; print(peak_memory()); held = bytearray(64 * 2**20); print(peak_memory())"


def test_a_small_child_of_a_large_process_is_small_and_grows_by_what_it_takes() -> None:
    held = bytearray(256 * MIB)
    before = peak_memory()
    assert before > len(held)
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    first, second = (int(line) for line in done.stdout.split())
    assert first < before - 128 * MIB
    assert 60 * MIB < second - first < 80 * MIB
