"""Jobs of a sweep: roots of their own, everything shared that none of them changes, finished ones skipped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from toy import toy_overrides

from void import cli
from void.composition import compose_raw
from void.files import read_json
from void.sweep import job_config, sweep_jobs

RATE = "training.learning_rate"


def job(overrides: list[str], writes: tuple[str, ...], sweep: list[str]) -> dict[str, str]:
    """Folders of one job, by key."""
    config = compose_raw([*overrides, *sweep])
    made = job_config(config, [override.split("=")[0] for override in sweep], [*overrides, *sweep], writes)
    keys = ("root", "name", "data.root", "cache.root", "assets.root", "training.root", "infer.root", "eval.root")
    return {key: str(OmegaConf.select(made, key)) for key in (*keys, "infer.pass2.root", "stage.init_from")}


def test_a_job_has_a_root_of_its_own_and_shares_pairs_and_cache() -> None:
    found = job(["name=x"], ("training.root",), [f"{RATE}=2e-3"])
    assert found["root"] == f"runs/x/sweep/{RATE}=0.002"
    assert found["training.root"] == f"runs/x/sweep/{RATE}=0.002/train"
    assert found["name"] == f"x {RATE}=0.002"
    assert (found["data.root"], found["cache.root"]) == ("runs/x/pairs", "runs/x/cache")
    assert found["assets.root"] == "runs/x/assets"


def test_an_earlier_step_is_that_of_the_same_job_where_there_is_one(tmp_path: Path) -> None:
    overrides, sweep = [f"root={tmp_path}"], [f"{RATE}=2e-3"]
    assert job(overrides, ("infer.root",), sweep)["training.root"] == f"{tmp_path}/train"
    own = tmp_path / "sweep" / f"{RATE}=0.002" / "train"
    own.mkdir(parents=True)
    found = job(overrides, ("infer.root",), sweep)
    assert found["training.root"] == str(own)
    assert found["infer.root"] == str(own.parent / "infer")


def test_the_order_of_overrides_and_the_spelling_of_a_number_change_nothing() -> None:
    first = job([], (), [f"{RATE}=1e-3", "seed=2"])["root"]
    assert job([], (), ["seed=2", f"{RATE}=0.001"])["root"] == first == f"runs/default/sweep/seed=2,{RATE}=0.001"


def test_keys_that_part_the_folders_themselves_move_nothing() -> None:
    assert job([], ("training.root",), ["name=b"])["root"] == "runs/b"
    assert job([], ("training.root",), ["stage=pass2"])["training.root"] == "runs/default/train-pass2"
    assert job([], ("data.root",), ["executor.shard='1/4'"])["data.root"] == "runs/default/pairs"
    assert job(["infer.num_shards=2"], ("infer.root",), ["infer.shard=1"])["infer.root"] == "runs/default/infer"


def test_a_folder_that_was_given_as_it_stands_is_parted_too() -> None:
    assert job(["infer.root=out"], ("infer.root",), ["infer.seed=1"])["infer.root"] == "out/sweep/infer.seed=1"
    parted = job(["infer.root=out/${infer.seed}"], ("infer.root",), ["infer.seed=1"])
    assert parted["infer.root"] == "out/1"
    assert job([f"root=r/${{{RATE}}}"], ("training.root",), [f"{RATE}=1.0"])["root"] == "r/1.0"


def test_texts_become_names_that_differ() -> None:
    roots = {job([], (), [f"infer.input='{text}'"])["root"] for text in ("/a/b", "/a-b", "-a-b")}
    assert len(roots) == 3
    assert all("/" not in root.removeprefix("runs/default/sweep/") for root in roots)


def test_jobs_of_a_command_line() -> None:
    swept, jobs = sweep_jobs(["experiment=demo", f"{RATE}=1e-3,2e-3", "stage=pass1,pass2"])
    assert swept == [RATE, "stage"]
    assert len(jobs) == 4 and ["experiment=demo", f"{RATE}=0.001", "stage=pass1"] in jobs


def void(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "void", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=500, check=False)


def test_a_job_that_would_be_refused_stops_the_sweep_before_it_begins(tmp_path: Path) -> None:
    result = void("train", "--multirun", "training.batch_size=1,0", cwd=tmp_path)
    assert result.returncode == cli.USAGE_STATUS
    assert "training.batch_size must be at least 1, got 0" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_sweeps_of_training_and_sampling_keep_every_result(toy_data: Path, toy_cache: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    few = ["training.steps=1", "training.validate_every=0", "infer.steps=1", f"cache.root={toy_cache}"]
    common = [*toy_overrides(toy_data, run), *few]
    sweep = ["--multirun", *common, f"{RATE}=1e-3,2e-3"]
    first = void("train", *sweep, cwd=tmp_path)
    assert first.returncode == 0, first.stderr + first.stdout
    folders = [run / "sweep" / f"{RATE}={rate}" / "train" for rate in (0.001, 0.002)]
    states = [folder / "checkpoints" / "step-000001" / "trainer.json" for folder in folders]
    assert [read_json(state)["settings"][RATE] for state in states] == [0.001, 0.002]
    written = [state.stat().st_mtime_ns for state in states]

    again = void("train", *sweep, cwd=tmp_path)
    assert again.stdout.count("training is finished") == 2
    assert [state.stat().st_mtime_ns for state in states] == written

    # Each job samples with what the same job trained; one without a checkpoint fails, after the others have run.
    seeds = void("infer", "--multirun", *common, f"{RATE}=1e-3", "infer.seed=1,2", cwd=tmp_path)
    assert seeds.returncode == cli.USAGE_STATUS
    assert "2 of 2 jobs of the sweep failed" in seeds.stderr and "Traceback" not in seeds.stderr
    own = [f"infer.checkpoint={folders[0]}", "infer.seed=1,2"]
    seeds = void("infer", "--multirun", *common, *own, cwd=tmp_path)
    assert seeds.returncode == 0, seeds.stderr + seeds.stdout
    clips = [run / "sweep" / f"infer.seed={seed}" / "infer" / "toy-3.mp4" for seed in (1, 2)]
    assert clips[0].read_bytes() != clips[1].read_bytes()


@pytest.mark.parametrize("command", ["train", "generate", "infer", "eval", "export", "train-vae"])
def test_every_key_that_a_command_writes_is_a_folder_of_the_configuration(command: str) -> None:
    from void.composition import compose_config

    config = compose_config([])
    for key in cli.commands()[command].writes(config):
        assert isinstance(OmegaConf.select(compose_raw([]), key), str)
