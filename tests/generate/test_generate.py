"""Data sets from worker processes that fail in every way."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_set import COUNT, HERE, EmptyLibrary, contents, fake, live_processes, run

from void.errors import InputError
from void.files import PARTIAL_MARK, read_json, write_json
from void.pairs import read_manifest, validate

PARENT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from small_set import run
run(Path(sys.argv[2]), executor={"workers": 1})
"""


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
    assert not (uninterrupted / "logs").exists()


def test_the_summary_counts_by_family_split_and_reason_and_tells_the_seconds(uninterrupted: Path) -> None:
    summary = read_json(uninterrupted / "summary.json")
    seconds = summary["seconds_per_pair"]
    assert (seconds["render"], seconds["physics"]) == (2.0, 0.5) and seconds["total"] > 0
    assert summary == {
        "wanted": COUNT,
        "pairs": COUNT,
        "families": {
            "variable": {
                "wanted": COUNT,
                "made": {"train": 4, "val": 1},
                "failed": 0,
                "rejected_draws": {"no_contact": 10},
                "seconds_per_pair": seconds,
            }
        },
        "rejected_draws": {"no_contact": 10},
        "seconds_per_pair": seconds,
        "failures": [],
        "unusable": {},
    }


def test_families_are_made_in_their_shares(tmp_path: Path) -> None:
    _, printed = run(tmp_path / "data", count=8, val_every=4, shares={"variable": 2.0, "ball": 1.0})
    made = {name: row["made"] for name, row in read_json(tmp_path / "data" / "summary.json")["families"].items()}
    assert made == {"variable": {"train": 4, "val": 1}, "ball": {"train": 2, "val": 1}}
    assert [line.split()[:3] for line in printed.splitlines()[1:4]] == [
        ["variable", "5", "5"],
        ["ball", "3", "3"],
        ["all", "8", "8"],
    ]


def test_a_finished_data_set_is_left_alone_and_keeps_its_times(uninterrupted: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (uninterrupted / "pairs").rglob("*")}
    summary = (uninterrupted / "summary.json").read_bytes()
    _, printed = run(uninterrupted, lambda request: pytest.fail("nothing is to be done"))
    assert "5 of 5 pairs" in printed and "0 new" in printed
    assert {path: path.stat().st_mtime_ns for path in (uninterrupted / "pairs").rglob("*")} == before
    assert (uninterrupted / "summary.json").read_bytes() == summary


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


def test_more_draws_may_be_allowed_later(tmp_path: Path) -> None:
    root = tmp_path / "data"
    run(root, fake(rejected=[1]))
    assert run(root, max_attempts=500)[0] == []
    assert len(read_manifest(root)) == COUNT


def test_a_recipe_without_pairs_may_be_corrected(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with pytest.raises(InputError, match="scenes failed"):
        run(root, fake(crash=[0, 1, 2, 3, 4]))
    assert run(root, fps=24)[0] == []


def test_each_failure_costs_one_scene_and_says_why(tmp_path: Path, uninterrupted: Path) -> None:
    root = tmp_path / "data"
    behaviour = fake(crash=[0], killed=[1, 3], segfault=[3], rejected=[2])
    failures, printed = run(root, behaviour, executor={"failure_budget": 1.0})
    reasons = {failure.id: failure.reason for failure in failures}
    assert "exit status 1" in reasons["rigid-000000"] and "the mesh is not watertight" in reasons["rigid-000000"]
    assert "SIGKILL" in reasons["rigid-000001"] and "SIGSEGV" in reasons["rigid-000003"]
    assert "no_contact 60" in reasons["rigid-000002"]
    assert "1 of 5 pairs" in printed and "4 failed" in printed and "executor.failure_budget=1 lets 4 of 5" in printed
    assert [row.id for row in read_manifest(root)] == ["rigid-000004"]
    summary = read_json(root / "summary.json")
    assert {failure["id"] for failure in summary["failures"]} == set(reasons)
    assert summary["families"]["variable"]["failed"] == 4
    assert summary["families"]["variable"]["rejected_draws"] == {"no_contact": 64}
    assert "watertight" in (root / "logs" / "rigid-000000.log").read_text()
    assert list((root / "pairs").glob(f".*{PARTIAL_MARK}*"))
    # The next run tries them again and ends as if nothing had happened.
    assert run(root)[0] == []
    assert contents(root) == contents(uninterrupted)
    assert read_json(root / "summary.json")["failures"] == [] and not list((root / "logs").glob("*.log"))


def test_a_lost_scene_is_tried_again_with_other_draws_and_a_rejected_one_is_not(tmp_path: Path) -> None:
    root = tmp_path / "data"
    behaviour = fake(crash_once=[0], killed_once=[2], rejected_once=[3])
    failures, _ = run(root, behaviour, executor={"retries": 1}, max_attempts=40)
    assert [failure.id for failure in failures] == ["rigid-000003"]
    attempts = [read_json(root / "pairs" / f"rigid-00000{i}" / "metadata.json")["attempts"] for i in (0, 1, 2, 4)]
    assert attempts == [41, 2, 43, 5]


def test_tries_are_counted_and_end(tmp_path: Path) -> None:
    failures, _ = run(tmp_path / "data", fake(crash=[1]), executor={"retries": 2})
    assert [(failure.id, failure.reason[-15:]) for failure in failures] == [("rigid-000001", "(tried 3 times)")]


def test_a_worker_that_hangs_is_given_up(tmp_path: Path) -> None:
    failures, _ = run(tmp_path / "data", fake(hang=[0]), count=1, executor={"timeout": 1, "failure_budget": 1.0})
    assert [(failure.id, failure.reason) for failure in failures] == [("rigid-000000", "timed out after 1 s")]


def test_failures_beyond_the_budget_stop_the_command(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with pytest.raises(InputError, match=r"2 scenes failed, 1 may \(executor\.failure_budget\)") as caught:
        run(root, fake(crash=[1, 2]), executor={"workers": 1, "failure_budget": 0.2})
    assert "rigid-000002" in caught.value.problem and "rigid-000002.log" in caught.value.remedy
    assert [row.id for row in read_manifest(root)] == ["rigid-000000"]
    assert len(read_json(root / "summary.json")["failures"]) == 2


def test_a_family_that_is_always_rejected_stops_the_command_with_the_reasons(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with pytest.raises(InputError, match="family ball seems impossible: 180 draws of 3 scenes") as caught:
        run(
            root,
            fake(impossible=["ball"]),
            executor={"failure_budget": 1.0},
            count=40,
            shares={"variable": 1.0, "ball": 1.0},
        )
    assert "180  no_contact" in caught.value.problem and "scene.families.ball.share=0" in caught.value.remedy
    assert 0 < len(read_manifest(root)) < 10


def test_a_family_of_which_pairs_were_made_is_not_impossible(tmp_path: Path) -> None:
    failures, _ = run(tmp_path / "data", fake(rejected=[1, 2, 3, 4]), executor={"failure_budget": 1.0, "workers": 1})
    assert len(failures) == 4


def test_what_only_the_user_can_mend_stops_the_command_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no space left"):
        run(tmp_path / "data", fake(disk_full=[0], hang=[1, 2, 3, 4]))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 1}, "seed (there 0, now 1)"),
        ({"fps": 24}, "scene.fps (there 12, now 24)"),
        ({"val_every": 3}, "scene.val_every"),
        ({"shares": {"ball": 2.0}}, "scene.families.ball.share (there 0.0, now 2.0), scene.families.variable.share"),
    ],
)
def test_another_recipe_in_the_same_folder_is_refused(uninterrupted: Path, changes: dict, named: str) -> None:
    before = contents(uninterrupted)
    with pytest.raises(InputError) as caught:
        run(uninterrupted, **changes)
    assert named in caught.value.problem and caught.value.remedy
    assert contents(uninterrupted) == before


def test_data_set_and_assets_may_be_moved(uninterrupted: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(uninterrupted, tmp_path / "elsewhere" / "data"))
    assert "0 new" in run(moved, library=EmptyLibrary("elsewhere/objects.json"))[1]


def test_pairs_of_an_earlier_version_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "data"
    run(root, count=1)
    write_json(root / "generation.json", read_json(root / "generation.json") | {"schema": 1})
    with pytest.raises(InputError, match=r"has schema 1: another version of `void generate` made the pairs"):
        run(root, count=1)


def test_pairs_of_unknown_origin_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data" / "pairs" / "mine").mkdir(parents=True)
    with pytest.raises(InputError, match=r"generation\.json is missing"):
        run(tmp_path / "data")


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"frames": 6}, "scene.frames = 6"), ({"width": 20}, "width must be .* got 20"), ({"fps": 25}, "25")],
)
def test_impossible_clips_are_refused_before_anything_is_written(tmp_path: Path, changes: dict, named: str) -> None:
    with pytest.raises(InputError, match=named):
        run(tmp_path / "data", **changes)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("key", ["workers", "cpus", "timeout", "retries", "failure_budget"])
def test_an_executor_that_would_do_nothing_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match=f"{key} must be .* got -1"):
        run(tmp_path / "data", executor={key: -1})
    assert not (tmp_path / "data").exists()


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
    while live_processes(str(HERE / "fake_worker.py")):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)
    (root / "pairs" / f".rigid-000002{PARTIAL_MARK}deadbeef").mkdir(exist_ok=True)
    assert run(root)[0] == []
    assert contents(root) == contents(uninterrupted)
    assert not list((root / "pairs").glob(".*"))
