"""Several folders of predictions in one report."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from void_run import IDS, scene, write_predicted, write_second_pass

from void.composition import compose_config
from void.config import VoidConfig
from void.errors import InputError
from void.evaluation.evaluate import evaluate
from void.evaluation.folders import FIRST_PASS, SECOND_PASS, chosen
from void.evaluation.results import METRICS, REPORT
from void.files import read_json
from void.provenance import GENERATION
from void.recipe import Stage

TRUTHS = {name: scene(int(name[-1])).rgb_removed_THWC for name in IDS}


@pytest.mark.parametrize("stage", [Stage.both, Stage.auto])
def test_both_passes_are_rows_and_panels(run: VoidConfig, stage: Stage) -> None:
    run.stage.name = stage
    write_second_pass(run, TRUTHS)
    evaluate(run)
    metrics = read_json(Path(run.eval.root) / METRICS)
    assert [row["name"] for row in metrics["methods"] if row["kind"] == "model"] == [FIRST_PASS, SECOND_PASS]
    assert metrics["mean"][SECOND_PASS]["frame"]["ssim"] > metrics["mean"][FIRST_PASS]["frame"]["ssim"] + 0.01
    assert metrics["clips"][0]["predictions"][SECOND_PASS] == {
        "stage": "pass2",
        "morphing": 0.75,
        "unmeasured": None,
        "seed": 1,
    }
    page = html.unescape((Path(run.eval.root) / REPORT).read_text())
    assert page.count("<video") == len(IDS) * 6
    assert "second pass over the first one's result (morphing score 0.75)" in page


def test_a_clip_that_was_kept_says_so(run: VoidConfig) -> None:
    run.stage.name = Stage.auto
    write_second_pass(run, TRUTHS, stage="pass1", morphing=0.25)
    evaluate(run)
    page = html.unescape((Path(run.eval.root) / REPORT).read_text())
    assert "the first pass's result, kept (morphing score 0.25)" in page


def test_pairs_that_no_simulator_made_are_not_called_simulated(run: VoidConfig) -> None:
    evaluate(run)
    page = html.unescape((Path(run.eval.root) / REPORT).read_text())
    assert "the counterfactual clip" in page and "simulated" not in page
    (Path(run.data.root) / GENERATION).write_text("{}")
    run.eval.root += "-simulated"
    evaluate(run)
    page = html.unescape((Path(run.eval.root) / REPORT).read_text())
    assert "the scene simulated without the object" in page and "was simulated twice" in page


def test_a_clip_whose_morphing_could_not_be_measured_says_so(run: VoidConfig) -> None:
    run.stage.name = Stage.auto
    write_second_pass(run, TRUTHS, stage="pass1", morphing=None, unmeasured="small_region")
    evaluate(run)
    page = html.unescape((Path(run.eval.root) / REPORT).read_text())
    assert "the first pass's result, kept (morphing could not be measured)" in page


def test_the_folders_of_the_second_stage_alone(run: VoidConfig, tmp_path: Path) -> None:
    run.stage.name = Stage.pass2
    assert list(chosen(run)) == [FIRST_PASS, SECOND_PASS]
    run.infer.pass2.first_pass = str(tmp_path / "another program's")
    assert list(chosen(run)) == [SECOND_PASS]
    run.stage.name = Stage.pass1
    assert list(chosen(run)) == [FIRST_PASS]


def test_folders_by_label(run: VoidConfig, tmp_path: Path) -> None:
    write_predicted(run, TRUTHS, folder=str(tmp_path / "other"))
    run.eval.predictions = {"blurred": run.infer.root, "sharp": str(tmp_path / "other")}
    evaluate(run)
    metrics = read_json(Path(run.eval.root) / METRICS)
    assert [one["name"] for one in metrics["run"]["predictions"]] == ["blurred", "sharp"]
    assert metrics["mean"]["sharp"]["frame"]["ssim"] > metrics["mean"]["blurred"]["frame"]["ssim"] + 0.01


@pytest.mark.parametrize("lacking", ["first", "second"])
def test_folders_of_different_pairs_are_refused(run: VoidConfig, tmp_path: Path, lacking: str) -> None:
    other = str(tmp_path / "other")
    fewer, whole = (run.infer.root, other) if lacking == "first" else (other, run.infer.root)
    write_predicted(run, TRUTHS, folder=whole)
    write_predicted(run, {IDS[0]: TRUTHS[IDS[0]]}, folder=fewer)
    run.eval.predictions = {"a": run.infer.root, "b": other}
    with pytest.raises(InputError) as caught:
        evaluate(run)
    assert f"pair {IDS[1]} is predicted in {whole} but not in {fewer}" in caught.value.problem


@pytest.mark.parametrize("label", ["input", "truth", " "])
def test_labels_that_are_taken(run: VoidConfig, label: str) -> None:
    run.eval.predictions = {label: run.infer.root}
    with pytest.raises(InputError, match=r"eval\.predictions"):
        evaluate(run)


def test_folders_on_the_command_line() -> None:
    config = compose_config(["+eval.predictions={corrected: runs/a/infer, at 50 steps: runs/b/infer}"])
    assert chosen(config) == {"corrected": Path("runs/a/infer"), "at 50 steps": Path("runs/b/infer")}
