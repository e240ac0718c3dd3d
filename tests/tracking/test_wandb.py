"""W&B runs: the parts of an interrupted run are one run, failures show, the environment counts, secrets stay out."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wandb
from wandb.proto import wandb_internal_pb2
from wandb_server import StoredRun, WandbServer

from void.composition import compose_config
from void.errors import InputError
from void.ledger import LEDGER
from void.tracking.config import TrackerConfig, TrackerKind, TrackerMode
from void.tracking.metrics_file import read_metrics
from void.tracking.tracker import NoTracker, Tracker, closing, open_tracker, without_secrets
from void.tracking.wandb_environment import choose
from void.tracking.wandb_log import read_records, recorded_steps
from void.training.trainer import Trainer, train
from void.video import write_video

KEY = "0123456789abcdef" * 3
Open = Callable[..., Tracker]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No W&B variable of whoever runs the tests, an empty home, and a W&B that has read neither before."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    wandb.teardown()
    yield
    wandb.teardown()


@pytest.fixture
def open_part(tmp_path: Path) -> Open:
    """Opens the next part of the one run of the test."""

    def opened(config: TrackerConfig | None = None, hparams: dict[str, Any] | None = None) -> Tracker:
        return open_tracker(config or TrackerConfig(), tmp_path / "run", "name", hparams or {})

    return opened


def log_files(folder: Path) -> list[Path]:
    """The `.wandb` files below a folder of W&B, oldest first."""
    return sorted(folder.glob("*run-*/*.wandb"), key=lambda path: path.stat().st_mtime_ns)


def finished_part(folder: Path) -> list[wandb_internal_pb2.Record]:
    """The records of the newest part below a folder, when W&B's own process has written its last one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        records = list(read_records(log_files(folder)[-1]))
        if any(record.HasField("exit") for record in records):
            return records
        time.sleep(0.1)
    raise AssertionError(f"the part in {folder} never ended")


def write_part(tracker: Tracker, steps: tuple[int, ...]) -> None:
    for step in steps:
        tracker.log({"train/loss": 1 / step}, step)


def upload(folder: Path, *options: str) -> StoredRun:
    """What a server holds after `wandb sync` of every part below a folder."""
    with WandbServer() as server:
        parts = [str(path.parent) for path in log_files(folder)]
        environment = os.environ | {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY}
        command = [str(Path(sys.executable).with_name("wandb")), "sync", *options, *parts]
        subprocess.run(command, env=environment, cwd=folder, check=True, timeout=120, capture_output=True)
    (run,) = server.runs.values()
    return run


def steps_and_losses(run: StoredRun) -> list[tuple[int, float]]:
    return [(row["_step"], row["train/loss"]) for row in run.rows()]


def test_the_parts_of_an_interrupted_offline_run_are_one_run_when_uploaded(tmp_path: Path, open_part: Open) -> None:
    folder = tmp_path / "run" / "wandb"
    with pytest.raises(RuntimeError), closing(open_part()) as tracker:
        write_part(tracker, (10, 20, 30, 40))
        raise RuntimeError
    assert finished_part(folder)[-1].exit.exit_code == 1
    with closing(open_part()) as tracker:
        # From a checkpoint at step 20: steps 30 and 40 are done again.
        write_part(tracker, (30, 40, 50, 60))
    assert [record.run.resume for record in finished_part(folder) if record.HasField("run")] == [True]
    run = upload(folder)
    assert steps_and_losses(run) == [(step, pytest.approx(1 / step)) for step in (10, 20, 30, 40, 50, 60)]
    assert run.exit_codes == [1, 0]
    assert run.project == "void" and run.display_name == "name"


def test_what_a_killed_part_lost_is_recorded_by_the_next(tmp_path: Path, open_part: Open) -> None:
    folder = tmp_path / "run" / "wandb"
    with closing(open_part()) as tracker:
        write_part(tracker, (10, 20, 30))
    finished_part(folder)
    (part,) = log_files(folder)
    with_30 = part.read_bytes()
    row_30 = [record for record in read_records(part) if record.HasField("history")][-1].SerializeToString()
    # A killed process leaves the file as it was at W&B's last flush.
    part.write_bytes(with_30[: with_30.index(row_30) + 5])
    run_id = json.loads((folder / "run-id.json").read_text())["id"]
    assert recorded_steps(folder, run_id) == {"train": 20}
    with closing(open_part()) as tracker:
        write_part(tracker, (10, 20, 30, 40))
    finished_part(folder)
    assert recorded_steps(folder, run_id) == {"train": 40}
    steps = [r.history.step.num for path in log_files(folder) for r in read_records(path) if r.HasField("history")]
    assert steps == [10, 20, 30, 40]


def test_a_validation_that_the_interruption_left_owing_is_recorded(tmp_path: Path, open_part: Open) -> None:
    clip = tmp_path / "clip.mp4"
    write_video(clip, np.zeros((5, 16, 16, 3), np.uint8), 12.0)
    with closing(open_part()) as tracker:
        write_part(tracker, (10, 20))
    finished_part(tmp_path / "run" / "wandb")
    with closing(open_part()) as tracker:
        tracker.log({"validation/loss": 0.5}, 20)
        tracker.log_videos({"validation/clip": clip}, 20)
        write_part(tracker, (30,))
    run = upload(tmp_path / "run" / "wandb")
    assert [(row["_step"], row.get("train/loss"), row.get("validation/loss")) for row in run.rows()] == [
        (10, pytest.approx(0.1), None),
        (20, pytest.approx(0.05), None),
        (21, None, 0.5),
        (30, pytest.approx(1 / 30), None),
    ]
    assert run.rows()[2]["validation/clip"]["_type"] == "video-file"
    assert [name for name in run.files if name.endswith(".mp4")] != []


def test_a_log_of_more_than_one_block_is_read_whole(tmp_path: Path, open_part: Open) -> None:
    with closing(open_part()) as tracker:
        for step in range(1, 40):
            tracker.log({f"train/{index:03}-{'x' * 100}": float(step) for index in range(60)}, step)
    records = finished_part(tmp_path / "run" / "wandb")
    assert [r.history.step.num for r in records if r.HasField("history")] == list(range(1, 40))
    assert log_files(tmp_path / "run" / "wandb")[0].stat().st_size > 3 * 32768


def test_a_damaged_log_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    part = tmp_path / "offline-run-20260101_000000-abcd" / "run-abcd.wandb"
    part.parent.mkdir()
    assert recorded_steps(tmp_path, "abcd") == {}
    for content in (b"", b":W&B\xe1\xbe\x00", b":W&B\xe1\xbe\x00" + b"\0" * 40, b"PK\x03\x04"):
        part.write_bytes(content)
        assert recorded_steps(tmp_path, "abcd") == {}
    assert "is not a W&B log" in caplog.text


def test_an_online_run_continues_where_the_server_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrackerConfig(mode=TrackerMode.online)
    with WandbServer() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        # Each part on a machine of its own: only the id is shared, and the server knows the steps.
        monkeypatch.setenv("WANDB_RUN_ID", "shared")
        for machine, steps in (("one", (10, 20, 30)), ("two", (20, 30, 40))):
            with closing(open_tracker(config, tmp_path / machine, "name", {})) as tracker:
                write_part(tracker, steps)
        assert steps_and_losses(server.runs["shared"]) == [(step, pytest.approx(1 / step)) for step in (10, 20, 30, 40)]


def test_an_online_run_without_an_account_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="W&B cannot start the run") as refused:
        open_tracker(TrackerConfig(mode=TrackerMode.online), tmp_path / "run", "name", {})
    assert "tracker.mode=offline" in refused.value.remedy
    assert "WANDB_DATA_DIR" not in os.environ


PRECEDENCE: list[tuple[dict[str, Any], Mapping[str, str], str, Any]] = [
    ({}, {}, "project", "void"),
    ({}, {"WANDB_PROJECT": "mine"}, "project", "mine"),
    ({}, {"WANDB_PROJECT": ""}, "project", "void"),
    ({"project": "typed"}, {"WANDB_PROJECT": "mine"}, "project", "typed"),
    ({}, {}, "entity", None),
    ({}, {"WANDB_ENTITY": "team"}, "entity", "team"),
    ({"entity": "typed"}, {"WANDB_ENTITY": "team"}, "entity", "typed"),
    ({}, {}, "mode", TrackerMode.offline),
    ({}, {"WANDB_MODE": "online"}, "mode", TrackerMode.online),
    ({}, {"WANDB_MODE": "disabled"}, "mode", TrackerMode.disabled),
    ({}, {"WANDB_MODE": "dryrun"}, "mode", TrackerMode.offline),
    ({}, {"WANDB_MODE": "run"}, "mode", TrackerMode.online),
    ({"mode": TrackerMode.offline}, {"WANDB_MODE": "online"}, "mode", TrackerMode.offline),
    ({"mode": TrackerMode.offline}, {"WANDB_MODE": "nonsense"}, "mode", TrackerMode.offline),
    ({}, {}, "tags", None),
    ({}, {"WANDB_TAGS": "a, b,,"}, "tags", ["a", "b"]),
    ({"tags": ["typed"]}, {"WANDB_TAGS": "a,b"}, "tags", ["typed"]),
    ({"tags": []}, {"WANDB_TAGS": "a,b"}, "tags", []),
    ({}, {}, "name", "name"),
    ({}, {"WANDB_NAME": "shown"}, "name", "shown"),
    ({}, {}, "run_id", None),
    ({}, {"WANDB_RUN_ID": "abc"}, "run_id", "abc"),
]


@pytest.mark.parametrize(("typed", "environment", "field", "expected"), PRECEDENCE)
def test_the_configuration_counts_before_the_environment_and_that_before_the_default(
    tmp_path: Path, typed: dict[str, Any], environment: Mapping[str, str], field: str, expected: Any
) -> None:
    assert getattr(choose(TrackerConfig(**typed), tmp_path, "name", environment), field) == expected


def test_an_unknown_mode_is_refused_wherever_it_is_typed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="WANDB_MODE=onlin is unknown") as refused:
        choose(TrackerConfig(), tmp_path, "name", {"WANDB_MODE": "onlin"})
    assert "offline, online, disabled" in refused.value.remedy
    with pytest.raises(InputError, match=r"tracker\.mode=onlin"):
        compose_config(["tracker.mode=onlin"])


def test_every_command_line_of_the_tracker_composes() -> None:
    overrides = ["tracker.project=p", "tracker.entity=e", "tracker.mode=online", "tracker.tags=[a,b]"]
    config = compose_config(overrides).tracker
    assert (config.kind, config.project, config.mode, config.tags) == (
        TrackerKind.wandb,
        "p",
        TrackerMode.online,
        ["a", "b"],
    )
    assert compose_config([]).tracker.project is None


def test_project_tags_and_folder_of_the_environment_reach_the_run(
    tmp_path: Path, open_part: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    monkeypatch.setenv("WANDB_TAGS", "a,b")
    monkeypatch.setenv("WANDB_DIR", str(elsewhere))
    before = {**os.environ}
    for steps in ((1, 2), (2, 3)):
        with closing(open_part()) as tracker:
            write_part(tracker, steps)
        records = finished_part(elsewhere / "wandb")
    # WANDB_SERVICE is W&B's own: where its background process listens.
    assert {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"} == before
    (run,) = [record.run for record in records if record.HasField("run")]
    assert (run.project, list(run.tags)) == ("mine", ["a", "b"])
    assert {path.name for path in (tmp_path / "run" / "wandb").iterdir()} == {"run-id.json", LEDGER}
    assert recorded_steps(elsewhere / "wandb", run.run_id) == {"train": 3}
    assert [record.history.step.num for record in records if record.HasField("history")] == [3]


def test_a_disabled_run_writes_no_part(tmp_path: Path, open_part: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with closing(open_part()) as tracker:
        write_part(tracker, (1, 2))
    assert log_files(tmp_path / "run" / "wandb") == []


def test_no_secret_is_written_anywhere(tmp_path: Path, open_part: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    secrets = {"api_key": "hidden-1", "sources": [{"token": "hidden-2", "url": "https://me:hidden-3@host/file"}]}
    with closing(open_part(hparams={"seed": 0} | secrets)) as tracker:
        write_part(tracker, (1,))
    finished_part(tmp_path / "run" / "wandb")
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"https://host/file" in written and b"train" in written
    assert KEY.encode() not in written and b"hidden-" not in written
    assert [path for path in (tmp_path / "home").rglob("*") if "wandb" in path.name] == []


def test_secrets_stay_out_of_the_hyperparameters() -> None:
    hparams = {
        "model": {"max_text_tokens": 96, "tokenizer": "byt5", "hub_token": "x"},
        "wandb_api_key": "x",
        "db_password": "x",
        "key": "kept",
        "list": [{"secret": "x", "name": "kept"}, 1],
        "address": "s3://user:x@bucket/file",
    }
    assert without_secrets(hparams) == {
        "model": {"max_text_tokens": 96, "tokenizer": "byt5"},
        "key": "kept",
        "list": [{"name": "kept"}, 1],
        "address": "s3://bucket/file",
    }


class Recorder(NoTracker):
    """Keeps the exit code that it was closed with."""

    exit_code: int | None = None

    def finish(self, exit_code: int = 0) -> None:
        assert self.exit_code is None
        self.exit_code = exit_code


@pytest.mark.parametrize(
    ("raised", "exit_code"),
    [(None, 0), (RuntimeError(), 1), (InputError("loss", "lower"), 1), (KeyboardInterrupt(), 255), (SystemExit(2), 1)],
)
def test_the_record_of_a_run_says_how_it_ended(raised: BaseException | None, exit_code: int) -> None:
    tracker = Recorder()
    with contextlib.suppress(BaseException), closing(tracker):
        if raised is not None:
            raise raised
    assert tracker.exit_code == exit_code


def test_training_that_fails_and_continues_is_one_run_with_every_step(
    toy_config: Callable[..., Any],
    toy_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = toy_config(
        f"cache.root={toy_cache}",
        "tracker=wandb",
        "training.steps=5",
        "training.log_every=1",
        "training.checkpoint_every=2",
        "training.validate_every=2",
        "training.validation_clips=1",
        "training.validation_steps=1",
    )
    root = Path(config.training.root)
    original = Trainer._log

    def log_and_fail(self: Trainer, *arguments: Any) -> None:
        original(self, *arguments)
        if self.step == 3:
            raise RuntimeError("broken")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="broken"):
        patch.setattr(Trainer, "_log", log_and_fail)
        train(config)
    assert finished_part(root / "wandb")[-1].exit.exit_code == 1
    train(config)
    assert finished_part(root / "wandb")[-1].exit.exit_code == 0
    run = upload(root / "wandb")
    records = read_metrics(root)
    losses = {record["step"]: record["loss"] for record in records if record["kind"] == "train"}
    assert [(row["_step"], row["train/loss"]) for row in run.rows() if "train/loss" in row] == [
        (step, pytest.approx(losses[step])) for step in range(1, 6)
    ]
    validations = {record["step"]: record["loss"] for record in records if record["kind"] == "validation"}
    shown = {row["_step"]: row["validation/loss"] for row in run.rows() if "validation/loss" in row}
    assert shown == pytest.approx(validations) and sorted(shown) == [2, 4, 5]
