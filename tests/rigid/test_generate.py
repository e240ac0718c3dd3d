"""Data sets from worker processes that fail in every way, with workers that need no simulator."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_worker import made
from rich.console import Console

from data_gen.config import AssetsConfig, ExecutorConfig, SceneConfig
from data_gen.generate import generate, split_of
from data_gen.runner import Command, Failure
from data_gen.worker import Job, Outcome, work
from void.errors import InputError
from void.files import PARTIAL_MARK, read_json, write_json
from void.pairs import read_manifest, validate

HERE = Path(__file__).parent
COUNT = 5
PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
from test_generate import Path, run
run(Path(sys.argv[2]), workers=1)
"""


def fake(**behaviour: list[int]) -> Command:
    return lambda job: [sys.executable, str(HERE / "fake_worker.py"), json.dumps(behaviour), str(job)]


def run(
    root: Path,
    command: Command | None = None,
    *,
    seed: int = 0,
    executor: ExecutorConfig | None = None,
    workers: int = 2,
    **scene: object,
) -> tuple[list[Failure], str]:
    """Generate `COUNT` small pairs; the failures and what was printed."""
    config = SceneConfig(**({"count": COUNT, "frames": 5, "height": 16, "width": 16} | scene))  # type: ignore[arg-type]
    console = Console(record=True, width=200, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    executor = executor or ExecutorConfig(workers=workers, failure_budget=0.5)
    assets = AssetsConfig(root=str(root.parent / "assets"))
    failures = generate(root, config, assets, executor, seed, command=command or fake(), console=console)
    return failures, console.export_text()


def contents(root: Path) -> dict[str, bytes]:
    """Every published file but the logs."""
    files = [path for path in root.rglob("*") if path.is_file() and "logs" not in path.parts]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole") / "data"
    assert run(root)[0] == []
    return root


def test_a_data_set_is_whole_and_split_by_scene(uninterrupted: Path) -> None:
    assert validate(uninterrupted) == []
    rows = read_manifest(uninterrupted)
    assert [(row.id, row.split) for row in rows] == [
        *((f"rigid-00000{i}", "train") for i in range(4)),
        ("rigid-000004", "val"),
    ]
    summary = read_json(uninterrupted / "summary.json")
    assert summary == {"pairs": COUNT, "rejected_draws": {"no_contact": 10}, "failures": []}
    assert not list((uninterrupted / "logs").iterdir())
    assert [split_of(i, 3) for i in range(6)] == ["train", "train", "val"] * 2


def test_a_finished_data_set_is_left_alone(uninterrupted: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (uninterrupted / "pairs").rglob("*")}
    _, printed = run(uninterrupted, lambda job: pytest.fail("nothing is to be done"))
    assert "5 of 5 pairs" in printed and "0 new" in printed
    assert {path: path.stat().st_mtime_ns for path in (uninterrupted / "pairs").rglob("*")} == before


def test_a_larger_count_adds_pairs(tmp_path: Path) -> None:
    root = tmp_path / "data"
    run(root, count=2, val_every=2)
    first = contents(root / "pairs")
    _, printed = run(root, count=3, val_every=2)
    assert "1 new" in printed and len(read_manifest(root)) == 3
    assert first.items() <= contents(root / "pairs").items()


def test_a_smaller_count_takes_nothing_away(uninterrupted: Path) -> None:
    before = contents(uninterrupted)
    with pytest.raises(InputError, match=r"scene\.count = 2, but .* holds 5 pairs") as caught:
        run(uninterrupted, count=2)
    assert "scene.count=5 or more" in caught.value.remedy
    assert contents(uninterrupted) == before


def test_pairs_without_flow_are_another_recipe_also_where_it_does_not_name_flow(
    uninterrupted: Path, tmp_path: Path
) -> None:
    """Folders from before there was flow go on as they are."""
    root = Path(shutil.copytree(uninterrupted, tmp_path / "data"))
    recipe = read_json(root / "generation.json")
    assert recipe["scene"].pop("flow") is False
    write_json(root / "generation.json", recipe)
    assert "0 new" in run(root)[1]
    with pytest.raises(InputError, match=r"another configuration: scene\.flow \(there False, now True\)"):
        run(root, flow=True)


def test_a_recipe_without_pairs_may_be_corrected(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with pytest.raises(InputError, match="scenes failed"):
        run(root, fake(crash=[0, 1, 2, 3, 4]))
    assert run(root, friction=(0.1, 0.2))[0] == []


def test_each_failure_costs_one_scene_and_says_why(tmp_path: Path, uninterrupted: Path) -> None:
    root = tmp_path / "data"
    everything = ExecutorConfig(workers=2, failure_budget=1.0, timeout=30)
    failures, printed = run(root, fake(crash=[0], killed=[1, 3], segfault=[3], rejected=[2]), executor=everything)
    reasons = {failure.id: failure.reason for failure in failures}
    assert "exit status 1" in reasons["rigid-000000"] and "the mesh is not watertight" in reasons["rigid-000000"]
    assert "SIGKILL" in reasons["rigid-000001"] and "SIGSEGV" in reasons["rigid-000003"]
    assert "no_contact 60" in reasons["rigid-000002"]
    assert "1 of 5 pairs" in printed and "4 failed" in printed
    assert [row.id for row in read_manifest(root)] == ["rigid-000004"]
    assert {failure["id"] for failure in read_json(root / "summary.json")["failures"]} == set(reasons)
    assert "watertight" in (root / "logs" / "rigid-000000.log").read_text()
    assert list((root / "pairs").glob(f".*{PARTIAL_MARK}*"))
    # The next run tries them again and ends as if nothing had happened.
    assert run(root)[0] == []
    assert contents(root) == contents(uninterrupted)


def test_a_worker_that_hangs_is_given_up(tmp_path: Path) -> None:
    failures, _ = run(
        tmp_path / "data", fake(hang=[1]), executor=ExecutorConfig(workers=2, timeout=12, failure_budget=0.2)
    )
    assert [(failure.id, failure.reason) for failure in failures] == [("rigid-000001", "timed out")]


def test_failures_beyond_the_budget_stop_the_command(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with pytest.raises(InputError, match=r"2 scenes failed, 1 may \(executor\.failure_budget\)") as caught:
        run(root, fake(crash=[1, 2]), executor=ExecutorConfig(workers=1, failure_budget=0.2))
    assert "rigid-000002" in caught.value.problem and "rigid-000002.log" in caught.value.remedy
    assert [row.id for row in read_manifest(root)] == ["rigid-000000"]
    assert len(read_json(root / "summary.json")["failures"]) == 2


def test_what_only_the_user_can_mend_stops_the_command_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no space left"):
        run(tmp_path / "data", fake(disk_full=[0], hang=[1, 2, 3, 4]))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 1}, "seed (there 0, now 1)"),
        ({"fps": 24}, "scene.fps (there 12, now 24)"),
        ({"val_every": 3}, "scene.val_every"),
    ],
)
def test_another_recipe_in_the_same_folder_is_refused(uninterrupted: Path, changes: dict, named: str) -> None:
    before = contents(uninterrupted)
    with pytest.raises(InputError) as caught:
        run(uninterrupted, **changes)
    assert named in caught.value.problem and caught.value.remedy
    assert contents(uninterrupted) == before


def test_pairs_of_unknown_origin_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data" / "pairs" / "mine").mkdir(parents=True)
    with pytest.raises(InputError, match=r"generation\.json is missing"):
        run(tmp_path / "data")


@pytest.mark.parametrize(
    ("changes", "named"), [({"frames": 6}, "scene.frames = 6"), ({"width": 20}, "width 20"), ({"fps": 25}, "25")]
)
def test_impossible_clips_are_refused_before_anything_is_written(tmp_path: Path, changes: dict, named: str) -> None:
    with pytest.raises(InputError, match=named):
        run(tmp_path / "data", **changes)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("key", ["workers", "timeout", "failure_budget"])
def test_an_executor_that_would_do_nothing_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match=f"executor.{key} = -1"):
        run(tmp_path / "data", executor=ExecutorConfig(**{key: -1}))
    assert not (tmp_path / "data").exists()


def running(marker: str) -> list[str]:
    """Command lines of live processes that mention `marker`."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if marker in line]


def test_a_killed_generation_is_completed_by_the_same_command(tmp_path: Path, uninterrupted: Path) -> None:
    root = tmp_path / "data"
    with subprocess.Popen([sys.executable, "-c", PARENT, str(HERE), str(root)]) as parent:
        deadline = time.monotonic() + 120
        while not (root / "pairs" / "rigid-000001" / "metadata.json").is_file():
            assert parent.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        parent.send_signal(signal.SIGKILL)
    assert not (root / "manifest.jsonl").exists() and not (root / "pairs" / "rigid-000004").exists()
    deadline = time.monotonic() + 60
    while running(str(HERE / "fake_worker.py")):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)
    (root / "pairs" / f".rigid-000002{PARTIAL_MARK}dead").mkdir(exist_ok=True)
    assert run(root)[0] == []
    assert contents(root) == contents(uninterrupted)
    assert not list((root / "pairs").glob(".*"))


def a_job(folder: Path, manifest: Path) -> Job:
    return Job({"frames": 5, "height": 16, "width": 16}, ["ball"], str(manifest), 0, 0, str(folder))


@pytest.mark.usefixtures("full_disk")
def test_a_worker_on_a_full_disk_says_so_and_leaves_nothing(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_gen.rigid.produce.produce", lambda *arguments: made(0))
    outcome = work(a_job(tmp_path / "pair", manifest))
    assert outcome.kind == "input_error" and "no space left" in outcome.message and outcome.remedy
    assert not (tmp_path / "pair").exists()


def test_a_worker_whose_scratch_space_is_full_says_so(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_space(*arguments: object) -> Outcome:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data_gen.rigid.produce.produce", out_of_space)
    outcome = work(a_job(tmp_path / "pair", manifest))
    assert outcome.kind == "input_error" and "no space left" in outcome.message and "TMPDIR" in outcome.remedy
