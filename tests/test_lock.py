"""One writer at a time."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from void.errors import InputError
from void.lock import one_of_the_writers, sole_writer

HOLD = """
import sys, time
from pathlib import Path
from void.lock import sole_writer
with sole_writer(Path(sys.argv[1])):
    sys.stdout.write("held\\n"); sys.stdout.flush()
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_ends_or_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another process is writing to"), sole_writer(folder):
            pass
        holder.kill()
        holder.wait()
        with sole_writer(folder):
            pass


def test_who_waits_goes_on_when_the_holder_ends(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        killer = threading.Timer(0.2, holder.kill)
        killer.start()
        with sole_writer(folder, wait=True):
            assert holder.wait() != 0


def test_writers_that_share_a_folder_keep_out_one_that_wants_it_alone(tmp_path: Path) -> None:
    for alone in (False, True):
        with contextlib.ExitStack() as held:
            for _ in range(1 if alone else 2):
                held.enter_context(one_of_the_writers(tmp_path, alone=alone))
            with pytest.raises(InputError, match="another process"):
                held.enter_context(one_of_the_writers(tmp_path, alone=not alone))
    assert not list(tmp_path.iterdir())
