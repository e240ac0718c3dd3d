"""`void eval` from files to report: what it writes, when it works again, and what it refuses."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from void_run import FRAMES, IDS, make_run, scene, write_predicted

from void.config import VoidConfig
from void.errors import InputError
from void.evaluation.evaluate import evaluate
from void.evaluation.folders import FIRST_PASS as MODEL
from void.evaluation.results import METRICS, NOISE_PAGE, REPORT, TABLE
from void.evaluation.scores import COLUMNS
from void.evaluation.tables import METRICS as METRIC_NAMES
from void.evaluation.tables import console_tables
from void.files import read_json, write_json
from void.ledger import LEDGER
from void.pairs import read_pair
from void.pipelines.predictions import INDEX
from void.video import read_video


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report folder of a finished evaluation; to be read, not changed."""
    config = make_run(tmp_path_factory.mktemp("run"))
    evaluate(config)
    return Path(config.eval.root)


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in root.iterdir()}


def test_three_files_and_nothing_else(finished: Path) -> None:
    assert sorted(path.name for path in finished.iterdir()) == [LEDGER, TABLE, METRICS, REPORT]


def test_json_holds_clips_means_and_what_made_them(finished: Path) -> None:
    metrics = read_json(finished / METRICS)
    assert (metrics["schema"], metrics["kind"]) == (2, "void-metrics")
    assert [clip["id"] for clip in metrics["clips"]] == list(IDS)
    assert [one["name"] for one in metrics["run"]["predictions"]] == [MODEL]
    assert metrics["run"]["predictions"][0]["checkpoint"]["step"] == 400
    assert [method["name"] for method in metrics["methods"]] == [MODEL, "input", "opencv_inpaint", "truth"]
    for method in (MODEL, "input", "opencv_inpaint"):
        values = [clip["scores"][method]["removed"]["psnr_db"] for clip in metrics["clips"]]
        assert metrics["mean"][method]["removed"]["psnr_db"] == pytest.approx(np.mean(values))
        assert metrics["mean"][method]["removed"]["clips"] == 2


def test_what_must_hold_of_these_clips(finished: Path) -> None:
    mean = read_json(finished / METRICS)["mean"]
    assert mean[MODEL]["affected"]["psnr_db"] > mean["input"]["affected"]["psnr_db"] + 5
    assert mean["opencv_inpaint"]["removed"]["psnr_db"] > mean["input"]["removed"]["psnr_db"]
    assert mean["opencv_inpaint"]["affected"]["psnr_db"] == pytest.approx(mean["input"]["affected"]["psnr_db"])
    assert mean["opencv_inpaint"]["kept"]["psnr_db"] == pytest.approx(mean["input"]["kept"]["psnr_db"])


def test_csv_and_json_agree(finished: Path) -> None:
    metrics = read_json(finished / METRICS)
    with (finished / TABLE).open() as file:
        rows = list(csv.DictReader(file))
    seen = set()
    scores = {clip["id"]: clip["scores"] for clip in metrics["clips"]}
    for row in rows:
        table = metrics["mean"] if row["kind"] == "mean" else scores[row["clip"]]
        entry = table[row["method"]][row["region"]]
        for metric in METRIC_NAMES:
            assert row[metric] == ("" if entry[metric] is None else str(entry[metric]))
        assert int(row["exact"]) == int(entry["exact"])
        seen.add((row["kind"], row["clip"], row["method"], row["region"]))
    regions = sum(len(columns) for clip in scores.values() for columns in clip.values())
    assert len(seen) == len(rows) == regions + sum(len(columns) for columns in metrics["mean"].values())


def embedded(page: str) -> list[bytes]:
    return [base64.b64decode(data) for data in re.findall(r'src="data:video/mp4;base64,([^"]+)"', page)]


def test_the_page_asks_the_network_for_nothing(finished: Path) -> None:
    page = re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", (finished / REPORT).read_text())
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<link[^>]+stylesheet|<script[^>]+src|fetch\(|<iframe", page)
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources and all(source.startswith("data:") for source in sources)


def test_every_video_of_the_page_plays_in_full(finished: Path, tmp_path: Path) -> None:
    page = (finished / REPORT).read_text()
    videos = embedded(page)
    assert len(videos) == len(IDS) * 5 == page.count("<video")
    for number, data in enumerate(videos):
        assert b"avc1" in data
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(data)
        frames_THWC, fps = read_video(path)
        assert frames_THWC.shape == (FRAMES, 384, 512, 3)
        assert fps == pytest.approx(12.0)


def test_the_panels_show_what_their_labels_say(finished: Path, tmp_path: Path) -> None:
    videos = embedded((finished / REPORT).read_text())
    shown = []
    for number in (0, 1, 3):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(videos[number])
        shown.append(read_video(path)[0][:, 4::8, 4::8].astype(int))
    pair = read_pair(finished.parent / "data" / "pairs" / IDS[0])
    assert np.abs(shown[0] - pair.rgb_full_THWC).mean() < 4
    assert np.abs(shown[2] - pair.rgb_removed_THWC).mean() < 4
    red = shown[1][..., 0] - shown[1][..., 2]
    assert red[pair.quadmask.primary_THW].mean() > 60
    assert np.abs(red[pair.quadmask.regions()["kept"]]).mean() < 15


def test_numbers_on_the_page_are_those_of_the_json(finished: Path) -> None:
    page = (finished / REPORT).read_text()
    for columns in read_json(finished / METRICS)["mean"].values():
        for entry in columns.values():
            assert entry["psnr_db"] is None or f"{entry['psnr_db']:.2f}" in page
            assert f"{entry['ssim']:.3f}" in page
            assert f"{entry['warp_error']:.2f}" in page


def test_the_console_table_fits_a_terminal_and_holds_the_means(finished: Path) -> None:
    metrics = read_json(finished / METRICS)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(console_tables(metrics))
    lines = console.export_text().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    row, second = (line for line in lines if line.startswith("OpenCV inpainting"))
    mean = metrics["mean"]["opencv_inpaint"]
    expected = [f"{mean[column]['psnr_db']:.2f}" for column in COLUMNS]
    expected += [f"{mean[column]['ssim']:.3f}" for column in COLUMNS]
    assert row.split()[2:] == expected
    assert second.split()[2:] == [f"{mean[column]['warp_error']:.2f}" for column in COLUMNS]


def test_captions_are_escaped(run: VoidConfig) -> None:
    for name in IDS:
        path = Path(run.data.root) / "manifest.jsonl"
        path.write_text(path.read_text().replace(f"take {name[-1]}.", "<script>alert(1)</script>"))
    clips = {name: scene(int(name[-1])).rgb_removed_THWC for name in IDS}
    write_predicted(run, clips)
    evaluate(run)
    page = (Path(run.eval.root) / REPORT).read_text()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_the_page_may_show_fewer_clips_than_are_scored(run: VoidConfig) -> None:
    run.eval.report_clips = 1
    evaluate(run)
    root = Path(run.eval.root)
    assert len(embedded((root / REPORT).read_text())) == 5
    assert "The first 1 of 2 clips" in (root / REPORT).read_text()
    assert len(read_json(root / METRICS)["clips"]) == 2


def test_a_rerun_changes_nothing(run: VoidConfig) -> None:
    evaluate(run)
    before = snapshot(Path(run.eval.root))
    evaluate(run)
    assert snapshot(Path(run.eval.root)) == before


@pytest.mark.parametrize("damage", ["setting", "prediction", "lost report"])
def test_a_stale_or_incomplete_evaluation_is_done_again(run: VoidConfig, damage: str) -> None:
    evaluate(run)
    root = Path(run.eval.root)
    before = read_json(root / METRICS)
    if damage == "setting":
        run.eval.inpaint_radius = 7.0
    elif damage == "prediction":
        write_predicted(run, {name: scene(int(name[-1])).rgb_full_THWC for name in IDS})
    else:
        (root / REPORT).unlink()
    evaluate(run)
    after = read_json(root / METRICS)
    assert len(embedded((root / REPORT).read_text())) == 10
    if damage == "lost report":
        assert after["mean"] == before["mean"]
    else:
        changed = "opencv_inpaint" if damage == "setting" else MODEL
        assert after["mean"][changed] != before["mean"][changed]


@pytest.mark.parametrize("name", [REPORT, METRICS, TABLE])
def test_a_file_of_another_program_is_refused_before_anything_is_scored(
    run: VoidConfig, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("void.evaluation.scoring.score", lambda *_, **__: pytest.fail("nothing is to be scored"))
    root = Path(run.eval.root)
    root.mkdir(parents=True)
    (root / name).write_text("{}")
    with pytest.raises(InputError, match=f"{name} is there already, and void did not write it"):
        evaluate(run)
    assert (root / name).read_text() == "{}"


def test_an_edited_report_and_a_foreign_noise_page_are_kept(run: VoidConfig) -> None:
    root = Path(run.eval.root)
    root.mkdir(parents=True)
    (root / NOISE_PAGE).write_text("my notes on noise")
    evaluate(run)
    assert (root / NOISE_PAGE).read_text() == "my notes on noise"
    edited = (root / REPORT).read_text().replace("</body>", "<p>my comment</p></body>")
    (root / REPORT).write_text(edited)
    with pytest.raises(InputError, match=r"report\.html was changed after void wrote it"):
        evaluate(run)
    assert (root / REPORT).read_text() == edited


def test_an_evaluation_of_a_version_without_ledgers_is_replaced(run: VoidConfig) -> None:
    evaluate(run)
    root = Path(run.eval.root)
    (root / LEDGER).unlink()
    run.eval.inpaint_radius = 7.0
    evaluate(run)
    assert read_json(root / METRICS)["settings"]["inpaint_radius"] == 7.0


def test_numbers_do_not_depend_on_the_order_of_predictions(run: VoidConfig) -> None:
    evaluate(run)
    before = read_json(Path(run.eval.root) / METRICS)
    index = Path(run.infer.root) / INDEX
    value = read_json(index)
    value["clips"].reverse()
    write_json(index, value)
    evaluate(run)
    after = read_json(Path(run.eval.root) / METRICS)
    assert [clip["id"] for clip in after["clips"]] == list(reversed(IDS))
    assert after["mean"] == before["mean"]


def test_clips_are_fitted_as_inference_did(tmp_path: Path) -> None:
    config = make_run(tmp_path, frames=13, height=96, width=160)
    config.data.frames, config.data.height, config.data.width = 5, 48, 64
    write_predicted(config, {name: scene(int(name[-1])).rgb_removed_THWC for name in IDS})
    evaluate(config)
    pixels = read_json(Path(config.eval.root) / METRICS)["clips"][0]["scores"][MODEL]["frame"]["pixels"]
    assert pixels == 5 * 48 * 64


def refusal(config: VoidConfig) -> InputError:
    with pytest.raises(InputError) as caught:
        evaluate(config)
    assert not (Path(config.eval.root) / METRICS).exists()
    return caught.value


def test_no_predictions(run: VoidConfig) -> None:
    run.infer.root += "-elsewhere"
    error = refusal(run)
    assert "infer-elsewhere" in error.problem and "void infer" in error.remedy


def test_a_listed_clip_is_missing(run: VoidConfig) -> None:
    (Path(run.infer.root) / "ball-2.mp4").unlink()
    error = refusal(run)
    assert "ball-2.mp4" in error.problem and "void infer" in error.remedy


@pytest.mark.parametrize("name", ["shorter", "smaller"])
def test_a_prediction_of_another_shape(run: VoidConfig, name: str) -> None:
    frames_THWC = scene(2).rgb_removed_THWC
    changed = frames_THWC[:-1] if name == "shorter" else frames_THWC[:, :32, :32]
    write_predicted(run, {"ball-1": frames_THWC, "ball-2": changed})
    error = refusal(run)
    assert "ball-2.mp4" in error.problem and "5 frames of 64x48" in error.problem
    assert ("4 frames" if name == "shorter" else "32x32") in error.problem


def test_an_index_of_another_schema(run: VoidConfig) -> None:
    index = Path(run.infer.root) / INDEX
    write_json(index, read_json(index) | {"schema": 99})
    assert "99" in refusal(run).problem


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"schema": 1, "kind": "void-predictions"})])
def test_an_index_that_is_none(run: VoidConfig, text: str) -> None:
    (Path(run.infer.root) / INDEX).write_text(text)
    assert INDEX in refusal(run).problem


def test_an_empty_index(run: VoidConfig) -> None:
    write_predicted(run, {})
    assert "lists no clips" in refusal(run).problem


def test_a_pair_that_the_manifest_lacks(run: VoidConfig) -> None:
    manifest = Path(run.data.root) / "manifest.jsonl"
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(line for line in lines if '"ball-2"' not in line) + "\n")
    error = refusal(run)
    assert "ball-2" in error.problem and "manifest" in error.problem


def test_a_pair_that_was_generated_anew(run: VoidConfig) -> None:
    manifest = Path(run.data.root) / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace("take 2", "take two"))
    error = refusal(run)
    assert "ball-2" in error.problem and "void infer" in error.remedy


def test_a_killed_evaluation_leaves_nothing_that_counts(run: VoidConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("void.evaluation.results.sha256_file", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        evaluate(run)
    assert not (Path(run.eval.root) / METRICS).exists()
    monkeypatch.undo()
    evaluate(run)
    assert (Path(run.eval.root) / METRICS).exists()
