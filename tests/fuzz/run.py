"""Break inputs in 300 seeded ways, give them to the commands, and count how each ends.

    python tests/fuzz/run.py [--cases 300] [--seed 0] [--only NAME]

A case ends well with a named error or with a result; it fails with a traceback, a dead process, 60 seconds of work, a
message that does not name the broken file or folder, or a changed file of the user.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import logging
import multiprocessing as mp
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "human"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.mutations import MUTATIONS
from fuzz.targets import TARGETS

from void.errors import InputError
from void.ledger import LEDGER

LIMIT_SECONDS = 60
"""Processor time of a case."""
STANDSTILL_SECONDS = 300
"""Waiting time of a case, on a machine that others use too."""
NAMED, RESULT = "named error", "result"
OUTCOMES = (NAMED, RESULT, "unnamed error", "traceback", "hang", "dead process", "changed file")


def main() -> int:
    """Run, print the counts, and return 1 where a case failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="targets whose name holds this")
    arguments = parser.parse_args()
    counts, failures = fuzz(arguments.cases, arguments.seed, arguments.only)
    sys.stdout.write(table(counts))
    for failure in failures:
        sys.stdout.write(f"\n{failure['target']}, case {failure['case']}: {failure['mutation']} {failure['file']}: ")
        sys.stdout.write(f"{failure['outcome']}\n{failure['detail'][-3000:]}\n")
    return int(bool(failures))


def fuzz(cases: int, seed: int, only: str = "") -> tuple[dict[str, Counter[str]], list[dict[str, Any]]]:
    """Outcomes by target, and the cases that failed."""
    counts: dict[str, Counter[str]] = {}
    failures = []
    share = cases / sum(target.cases for target in TARGETS.values())
    with tempfile.TemporaryDirectory(prefix="void-fuzz-") as folder:
        for name, target in TARGETS.items():
            if only not in name:
                continue
            wanted = list(range(max(1, round(target.cases * share))))
            counts[name] = Counter()
            for report in _reports(name, wanted, seed, Path(folder)):
                counts[name][report["outcome"]] += 1
                if report["outcome"] not in (NAMED, RESULT):
                    failures.append(report)
    return counts, failures


def table(counts: dict[str, Counter[str]]) -> str:
    """The counts as a table of Markdown."""
    lines = [f"| input | cases | {' | '.join(OUTCOMES)} |", f"|---|{'---|' * (1 + len(OUTCOMES))}"]
    for name, counter in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        cells = " | ".join(str(counter[outcome]) for outcome in OUTCOMES)
        lines.append(f"| {name} | {counter.total()} | {cells} |")
    return "\n".join(lines) + "\n"


def _reports(name: str, cases: list[int], seed: int, folder: Path) -> list[dict[str, Any]]:
    """Run the cases of a target in another process, which is started again after a case that it does not survive."""
    reports: list[dict[str, Any]] = []
    waiting = list(cases)
    context = mp.get_context("spawn")
    while waiting:
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(name, waiting, seed, folder, theirs), daemon=True)
        process.start()
        theirs.close()
        outcome = "dead process"
        try:
            began: dict[str, Any] | None = None
            while waiting:
                used, idle = _processor_seconds(process.pid), 0
                while not ours.poll(1):
                    idle += 1
                    if began and (_processor_seconds(process.pid) - used > LIMIT_SECONDS or idle > STANDSTILL_SECONDS):
                        outcome = "hang"
                        raise EOFError
                report = ours.recv()
                if "outcome" not in report:
                    began = report
                    continue
                reports.append(report)
                waiting.remove(report["case"])
                sys.stderr.write(f"{name} {report['case']} {report['mutation']}: {report['outcome']}\n")
        except EOFError:
            lost = began or {"target": name, "case": waiting[0], "mutation": "", "file": ""}
            if lost["case"] in waiting:
                reports.append(lost | {"outcome": outcome, "detail": ""})
                waiting.remove(lost["case"])
        finally:
            process.kill()
            process.join()
    return reports


def _processor_seconds(pid: int | None) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # A reader may work in a process of its own, which counts once it has ended.
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _work(name: str, cases: list[int], seed: int, folder: Path, reports: Connection) -> None:
    import torch

    torch.set_num_threads(1)
    target = TARGETS[name]
    base = folder / f"base-{list(TARGETS).index(name)}"
    if not base.is_dir():
        building = base.with_name(f"{base.name}-{os.getpid()}")
        building.mkdir()
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            target.build(building)
        shutil.copytree(building, base, copy_function=shutil.copy2)
    for case in cases:
        draws = random.Random(f"{seed} {name} {case}")
        place = folder / f"case-{os.getpid()}"
        shutil.copytree(base, place / "in", copy_function=shutil.copy2)
        pattern = draws.choice(target.files)
        files = sorted(file for file in (place / "in").glob(pattern) if file.is_file() and file.name != LEDGER)
        file, mutate = draws.choice(files), MUTATIONS[case % len(MUTATIONS)]
        mutate(file, draws)
        about = {"target": name, "case": case, "mutation": mutate.__name__, "file": file.name}
        reports.send(about)
        before = _hashes(place / "in")
        outcome, detail = _outcome(target.run, place, file)
        after = _hashes(place / "in")
        changed = [path for path in before if before[path] != after.get(path)]
        if changed:
            outcome, detail = "changed file", f"{changed}\n{detail}"
        reports.send(about | {"outcome": outcome, "detail": detail})
        shutil.rmtree(place)


def _outcome(run: Any, place: Path, file: Path) -> tuple[str, str]:
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            run(place / "in", place / "out")
    except InputError as error:
        return _named(str(error), file)
    except SystemExit as end:
        if end.code in (0, None):
            return RESULT, printed.getvalue()
        return _named(printed.getvalue(), file)
    except BaseException:
        return "traceback", printed.getvalue() + traceback.format_exc()
    finally:
        for handler in logging.getLogger().handlers[:]:
            handler.close()
            logging.getLogger().removeHandler(handler)
    return RESULT, printed.getvalue()


def _named(message: str, file: Path) -> tuple[str, str]:
    # A folder that lacks a file is named itself.
    names = (file.name, file.stem, file.parent.name, file.parent.parent.name)
    plain = " ".join(message.split())
    is_named = "Traceback" not in plain and any(name in plain for name in names)
    return (NAMED if is_named else "unnamed error"), json.dumps(message)


def _hashes(folder: Path) -> dict[str, str]:
    """Content of every file but ledgers and locks, by relative path."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and file.name not in (LEDGER, ".lock")
    }


if __name__ == "__main__":
    sys.exit(main())
