"""What is kept of the times, and what the running view says where there is no terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from tiny_disk import fill

from data_gen.executors import view as view_module
from data_gen.executors.driver import Failure
from data_gen.executors.view import View
from data_gen.quota import Place
from data_gen.summary import add_timing, read_timings, summarise
from void.errors import InputError


def test_times_survive_and_the_last_ones_of_a_pair_count(tmp_path: Path) -> None:
    for pair_id, seconds in (("a", 1.0), ("b", 2.0), ("a", 3.0)):
        add_timing(tmp_path, pair_id, {"total": seconds})
    assert read_timings(tmp_path) == {"a": {"total": 3.0}, "b": {"total": 2.0}}


def test_a_line_that_a_full_disk_cut_off_is_skipped(tmp_path: Path) -> None:
    add_timing(tmp_path, "a", {"total": 1.0})
    with (tmp_path / "timings.jsonl").open("a") as file:
        file.write('{"id": "b", "seco')
    assert read_timings(tmp_path) == {"a": {"total": 1.0}}


def test_times_on_a_full_disk(tiny_disk: Path) -> None:
    add_timing(tiny_disk, "a", {"total": 1.0})
    before = (tiny_disk / "timings.jsonl").read_bytes()
    fill(tiny_disk)
    with pytest.raises(InputError, match="no space left"):
        for number in range(100):
            add_timing(tiny_disk, f"{number}" * 1000, {"total": 1.0})
    assert (tiny_disk / "timings.jsonl").read_bytes().startswith(before)
    assert set(read_timings(tiny_disk)) >= {"a"}


def test_a_foreign_file_of_the_same_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "timings.jsonl").write_text('{"lap": 1}\n')
    with pytest.raises(InputError, match=r"timings\.jsonl is there already, and void did not write it"):
        add_timing(tmp_path, "a", {"total": 1.0})
    assert (tmp_path / "timings.jsonl").read_text() == '{"lap": 1}\n'


def test_times_of_a_version_without_ledgers_are_continued(tmp_path: Path) -> None:
    (tmp_path / "timings.jsonl").write_text('{"id": "a", "seconds": {"total": 1.5}}\n{"id": "b"')
    add_timing(tmp_path, "c", {"total": 2.0})
    assert read_timings(tmp_path) == {"a": {"total": 1.5}, "c": {"total": 2.0}}


def test_seconds_are_means_over_the_pairs_that_are_there() -> None:
    places = {name: Place("train", "ball", 0) for name in "abc"}
    timings = {"a": {"render": 4.0, "total": 5.0}, "b": {"total": 1.0}, "c": {"total": 100.0}}
    summary = summarise(places, {"a": {}, "b": {}}, [Failure("c", "ball", "timed out")], timings)
    assert summary["seconds_per_pair"] == {"render": 2.0, "total": 3.0}
    assert summary["families"]["ball"]["failed"] == 1


def test_a_batch_job_logs_a_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(view_module.time, "monotonic", lambda: now[0])
    printed = io.StringIO()
    with View({"ball": 10, "chain": 5}, {"ball": 4}, Console(file=printed, width=120)) as view:
        view.made("ball")
        view.failed("chain")
        view.retried()
        view.tick()
        assert printed.getvalue() == ""
        now[0] += 61
        view.tick()
        view.tick()
    assert printed.getvalue().splitlines() == ["5 of 15 scenes, 1 failed, 1 retried, ETA unknown"]


def test_a_terminal_shows_all_scenes_and_each_family() -> None:
    printed = io.StringIO()
    console = Console(file=printed, width=120, force_terminal=True, color_system=None)
    with View({"ball": 10, "chain": 5}, {"ball": 4}, console) as view:
        view.made("ball")
        view.failed("chain")
    shown = printed.getvalue().splitlines()
    rows = [line.split() for line in shown if line.split()]
    (last_all,) = [row for row in rows if "scenes" in row[0]][-1:]
    assert "5/15" in last_all and "failed" in last_all and "ETA" in last_all
    assert any("ball" in line and "5/10" in line for line in shown)
    assert any("chain" in line and "0/5" in line and "1 failed" in line for line in shown)
