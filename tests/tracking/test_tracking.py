"""metrics.jsonl, no tracker, and the progress bar."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from void import progress
from void.progress import progress_bar
from void.tracking.config import TrackerConfig, TrackerKind
from void.tracking.metrics_file import METRICS, MetricsFile, read_metrics
from void.tracking.tracker import NoTracker, open_tracker


def test_records_are_appended_and_cut_back_to_a_checkpoint(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path, lambda record: True)
    for step in range(1, 5):
        metrics.append({"step": step, "loss": 1 / step})
    # A killed process leaves half a line.
    with (tmp_path / METRICS).open("a") as file:
        file.write('{"step": 5, "lo')
    assert [record["step"] for record in read_metrics(tmp_path)] == [1, 2, 3, 4]
    MetricsFile(tmp_path, lambda record: record["step"] <= 2).append({"step": 3, "loss": 0.5})
    assert (tmp_path / METRICS).read_text().splitlines()[-1] == '{"step": 3, "loss": 0.5}'
    assert [record["step"] for record in read_metrics(tmp_path)] == [1, 2, 3]


def test_nan_is_no_record(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        MetricsFile(tmp_path, lambda record: True).append({"loss": float("nan")})


def test_no_tracker_writes_nothing(tmp_path: Path) -> None:
    tracker = open_tracker(TrackerConfig(kind=TrackerKind.none), tmp_path, "run", {})
    assert isinstance(tracker, NoTracker)
    tracker.log({"loss": 1.0}, 1)
    tracker.finish()
    assert not list(tmp_path.iterdir())


def test_the_bar_shows_time_left_and_log_lines_go_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda: Console(file=terminal, force_terminal=True, width=100))
    handler = logging.StreamHandler(sys.__stdout__)
    logging.getLogger().addHandler(handler)
    try:
        with progress_bar("training", 4, 1) as advance:
            assert handler.stream is not sys.__stdout__
            advance()
            logging.getLogger("void.test").warning("step 2")
        assert handler.stream is sys.__stdout__
    finally:
        logging.getLogger().removeHandler(handler)
    shown = terminal.getvalue()
    assert "training" in shown and "2/4" in shown and "ETA" in shown


def test_without_a_terminal_a_quick_task_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("training", 2) as advance:
        advance()
    printed = capsys.readouterr()
    assert printed.out == printed.err == ""


def test_without_a_terminal_a_line_each_half_minute_tells_the_time_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with caplog.at_level(logging.INFO), progress_bar("training", 101, 1) as advance:
        for _ in range(40):
            now[0] += 10.0
            advance()
    lines = [record.message for record in caplog.records]
    assert lines[0] == "training: 4/101 (4%), 0:30 elapsed, ETA 16:10"
    assert len(lines) == 13


def test_without_a_log_the_line_goes_to_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    monkeypatch.setattr(progress.log, "disabled", True)
    assert list(progress.tracked("abc", "reading")) == ["a", "b", "c"]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [line.split(",")[0] for line in printed.err.splitlines()] == ["reading: 1/3 (33%)", "reading: 2/3 (67%)"]


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_no_terminal_is_too_narrow_for_a_digit(width: int) -> None:
    table = Table(box=None)
    for name in ("family", "wanted", "made", "failed", "seconds"):
        table.add_column(name, no_wrap=name == "family")
    table.add_row("no_effect", "1234567", "1234568", "1234569", "12345.25")
    terminal = io.StringIO()
    progress.print_whole(Console(file=terminal, width=width), table)
    row = next(line for line in terminal.getvalue().splitlines() if "no_effect" in line)
    assert row.split() == ["no_effect", "1234567", "1234568", "1234569", "12345.25"]


def test_the_metrics_of_a_version_without_ledgers_are_continued(tmp_path: Path) -> None:
    (tmp_path / METRICS).write_text('{"kind": "train", "step": 1}\n')
    MetricsFile(tmp_path, lambda record: True).append({"kind": "train", "step": 2})
    assert [record["step"] for record in read_metrics(tmp_path)] == [1, 2]
