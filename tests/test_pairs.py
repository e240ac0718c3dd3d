"""Pair folders and manifests: round trips, and one clear message for each defect."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from void import pairs
from void.errors import InputError
from void.files import read_json, sha256_file, write_json
from void.ledger import LEDGER
from void.pairs import ManifestRow, Pair
from void.provenance import GENERATION
from void.quadmask import Quadmask
from void.video import write_mask, write_video


@pytest.fixture
def data(toy_data: Path, tmp_path: Path) -> Path:
    """A copy of the toy data folder, to be damaged."""
    return Path(shutil.copytree(toy_data, tmp_path / "data"))


@pytest.fixture
def folder(data: Path) -> Path:
    return data / "pairs" / "toy-1"


def edit_metadata(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    metadata = read_json(folder / pairs.METADATA)
    change(metadata)
    write_json(folder / pairs.METADATA, metadata)


def edit_rows(root: Path, change: Callable[[list[Any]], object]) -> None:
    """`change` gets the parsed lines of the manifest, the header first."""
    file = root / pairs.MANIFEST
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    change(lines)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def problems(root: Path) -> str:
    return "\n".join(pairs.validate(root))


def test_round_trip(folder: Path, tmp_path: Path) -> None:
    pair = pairs.read_pair(folder, verify=True)
    again = tmp_path / "again"
    pairs.write_pair(again, pair)
    copied = pairs.read_pair(again, verify=True)
    assert np.array_equal(copied.quadmask.pack(), pair.quadmask.pack())
    assert np.abs(copied.rgb_full_THWC.astype(int) - pair.rgb_full_THWC).mean() < 2
    assert not np.array_equal(pair.rgb_full_THWC, pair.rgb_removed_THWC)
    assert copied.fps == pair.fps == 12
    assert {**copied.metadata, "checksums": None} == {**pair.metadata, "checksums": None}


def test_metadata_holds_the_recipe_and_what_was_written(folder: Path) -> None:
    metadata = read_json(folder / pairs.METADATA)
    assert (metadata["id"], metadata["group"], metadata["source"]) == ("toy-1", "scene-1", "toy")
    measured = [metadata[key] for key in ("schema", "frames", "height", "width", "fps")]
    assert measured == [1, 5, 32, 48, 12.0]
    assert metadata["checksums"] == {name: sha256_file(folder / name) for name in pairs.VIDEOS}
    assert sorted(path.name for path in folder.iterdir()) == sorted([LEDGER, *pairs.VIDEOS, pairs.METADATA])


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_an_existing_pair_is_replaced_whole(folder: Path) -> None:
    pair = pairs.read_pair(folder)
    changed = replace(pair, metadata=pair.metadata | {"caption": "another"})
    pairs.write_pair(folder, changed)
    assert pairs.read_pair(folder, verify=True).metadata["caption"] == "another"


def stray_file(folder: Path) -> Path:
    (folder / "notes.txt").write_text("my notes")
    return folder


def edited_metadata(folder: Path) -> Path:
    metadata = read_json(folder / pairs.METADATA)
    (folder / pairs.METADATA).write_text(json.dumps(metadata | {"caption": "corrected by hand"}))
    return folder


def camera_originals(folder: Path) -> Path:
    originals = folder.parents[2] / "originals"
    originals.mkdir()
    (originals / "MVI_0001.MOV").write_bytes(b"original")
    return originals


def named_like_a_pair(folder: Path) -> Path:
    originals = folder.parents[2] / "named"
    originals.mkdir()
    (originals / pairs.RGB_FULL).write_bytes(b"original")
    return originals


@pytest.mark.parametrize(
    "place",
    [
        stray_file,
        edited_metadata,
        camera_originals,
        named_like_a_pair,
        lambda folder: folder.parents[1],
        lambda folder: folder.parent,
    ],
)
def test_a_folder_that_is_not_a_pair_of_ours_is_not_touched(folder: Path, place: Callable[[Path], Path]) -> None:
    pair = pairs.read_pair(folder)
    target = place(folder)
    before = contents(target)
    with pytest.raises(InputError, match=re.escape(str(target))) as caught:
        pairs.write_pair(target, pair)
    assert "another folder" in caught.value.remedy
    assert contents(target) == before


def test_an_empty_folder_becomes_a_pair(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    pairs.write_pair(tmp_path / "empty", pairs.read_pair(folder))
    pairs.read_pair(tmp_path / "empty", verify=True)


def test_an_unchanged_pair_of_a_version_without_ledgers_is_replaced(folder: Path) -> None:
    pair = pairs.read_pair(folder)
    (folder / LEDGER).unlink()
    pairs.write_pair(folder, pair)
    (folder / LEDGER).unlink()
    write_again = (folder / pairs.RGB_FULL).read_bytes() + b"\0"
    (folder / pairs.RGB_FULL).write_bytes(write_again)
    with pytest.raises(InputError, match="is not a pair that void wrote"):
        pairs.write_pair(folder, pair)
    assert (folder / pairs.RGB_FULL).read_bytes() == write_again


def test_a_manifest_that_somebody_edited_is_not_replaced(data: Path) -> None:
    rows = pairs.read_manifest(data)
    pairs.write_manifest(data, rows[:2])
    (data / LEDGER).unlink()
    pairs.write_manifest(data, rows)
    file = data / pairs.MANIFEST
    file.write_text(file.read_text().replace("number 0", "number nought"))
    with pytest.raises(InputError, match=r"manifest\.jsonl was changed after void wrote it"):
        pairs.write_manifest(data, rows[:2])


def test_a_byte_order_mark_in_a_manifest(data: Path) -> None:
    rows = pairs.read_manifest(data)
    file = data / pairs.MANIFEST
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert pairs.read_manifest(data) == rows


def test_disk_full_leaves_no_pair(folder: Path, tmp_path: Path, full_disk: None) -> None:
    pair = pairs.read_pair(folder)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="no space left"):
        pairs.write_pair(tmp_path / "out" / "pair", pair)
    assert list((tmp_path / "out").iterdir()) == []
    manifest = (folder.parents[1] / pairs.MANIFEST).read_text()
    with pytest.raises(InputError, match="no space left"):
        pairs.write_manifest(folder.parents[1], pairs.read_manifest(folder.parents[1])[:1])
    assert (folder.parents[1] / pairs.MANIFEST).read_text() == manifest


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda pair: replace(pair, rgb_removed_THWC=pair.rgb_removed_THWC[:4]),
            r"lengths differ: .*removed.mp4 4 frames",
        ),
        (lambda pair: replace(pair, quadmask=pair.quadmask[:4]), r"lengths differ: .*mask\.mp4 4 frames of 48x32"),
        (
            lambda pair: replace(pair, quadmask=pair.quadmask.resize(16, 16)),
            r"sizes differ: .*mask\.mp4 5 frames of 16x16",
        ),
    ],
)
def test_unlike_parts_are_not_written(
    folder: Path, tmp_path: Path, change: Callable[[Pair], Pair], problem: str
) -> None:
    with pytest.raises(InputError, match=rf"new: {problem}"):
        pairs.write_pair(tmp_path / "new", change(pairs.read_pair(folder)))
    assert not (tmp_path / "new").exists()


def test_odd_sized_pair_is_not_written(folder: Path, tmp_path: Path) -> None:
    pair = pairs.read_pair(folder)
    odd = Pair(pair.rgb_full_THWC[:, :31], pair.rgb_removed_THWC[:, :31], pair.quadmask[:, :31], 12, pair.metadata)
    with pytest.raises(InputError, match="/new: the clip is 48x31"):
        pairs.write_pair(tmp_path / "new", odd)
    assert not (tmp_path / "new").exists()


def longer_mask(folder: Path) -> None:
    mask = pairs.read_pair(folder).quadmask
    write_mask(
        folder / pairs.MASK,
        Quadmask(*(np.tile(layer, (2, 1, 1)) for layer in (mask.primary_THW, mask.affected_THW))),
        12,
    )


def smaller_mask(folder: Path) -> None:
    write_mask(folder / pairs.MASK, pairs.read_pair(folder).quadmask.resize(16, 16), 12)


def lossy_mask(folder: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (5, 32, 48, 1), dtype=np.uint8)
    write_video(folder / pairs.MASK, grey.repeat(3, axis=-1), 12)


def shorter_clip(folder: Path) -> None:
    write_video(folder / pairs.RGB_FULL, pairs.read_pair(folder).rgb_full_THWC[:4], 12)


def faster_clip(folder: Path) -> None:
    write_video(folder / pairs.RGB_REMOVED, pairs.read_pair(folder).rgb_removed_THWC, 24)


def cut_clip(folder: Path) -> None:
    file = folder / pairs.RGB_REMOVED
    file.write_bytes(file.read_bytes()[:-300])


DEFECTS: list[tuple[Callable[[Path], object], str]] = [
    (shutil.rmtree, r"pair folder .*toy-1 does not exist"),
    (lambda folder: (folder / pairs.METADATA).unlink(), r"toy-1 has no metadata\.json"),
    (lambda folder: (folder / pairs.METADATA).write_text("{"), r"metadata\.json is not valid JSON"),
    (lambda folder: (folder / pairs.METADATA).write_text("[]"), r"metadata\.json holds a list"),
    (lambda folder: edit_metadata(folder, lambda value: value.update(schema=2)), r"schema 2; .* reads schema 1"),
    (lambda folder: edit_metadata(folder, lambda value: value.pop("schema")), r"schema None"),
    (lambda folder: edit_metadata(folder, lambda value: value.pop("fps")), r"metadata\.json lacks fps"),
    (lambda folder: edit_metadata(folder, lambda value: value.update(frames="5")), r"metadata\.json: frames is '5'"),
    (lambda folder: edit_metadata(folder, lambda value: value.update(frames=True)), r"frames is True"),
    (lambda folder: edit_metadata(folder, lambda value: value.update(height=-32)), r"height is -32"),
    (lambda folder: edit_metadata(folder, lambda value: value["checksums"].pop("mask.mp4")), r"`checksums` lacks mask"),
    (lambda folder: (folder / pairs.MASK).unlink(), r"toy-1 has no mask\.mp4"),
    (lambda folder: edit_metadata(folder, lambda value: value.update(frames=13)), r"lengths differ: metadata\.json 13"),
    (longer_mask, r"lengths differ: .*mask\.mp4 10 frames of 48x32"),
    (smaller_mask, r"sizes differ: .*mask\.mp4 5 frames of 16x16"),
    (lossy_mask, r"mask\.mp4 holds grey values other than 0, 63, 127, 255"),
    (shorter_clip, r"lengths differ: .*rgb_full\.mp4 4 frames"),
    (faster_clip, r"rgb_removed\.mp4 has 24 fps, metadata\.json says 12"),
    (cut_clip, r"rgb_removed\.mp4 is a truncated or damaged video"),
]


@pytest.mark.parametrize(("damage", "problem"), DEFECTS)
def test_every_defect_is_refused_and_listed(
    data: Path, folder: Path, damage: Callable[[Path], object], problem: str
) -> None:
    damage(folder)
    with pytest.raises(InputError, match=problem):
        pairs.read_pair(folder)
    found = pairs.validate(data)
    assert any(re.search(problem, line) for line in found), found
    assert all("toy-1" in line and "\n" not in line for line in found)


def test_a_changed_file_fails_verification_only(data: Path, folder: Path) -> None:
    write_video(folder / pairs.RGB_FULL, pairs.read_pair(folder).rgb_removed_THWC, 12)
    pairs.read_pair(folder)
    with pytest.raises(InputError, match=r"rgb_full\.mp4 has changed"):
        pairs.read_pair(folder, verify=True)
    assert "rgb_full.mp4 has changed" in problems(data)


def test_a_sound_folder_has_no_problems(data: Path) -> None:
    assert pairs.validate(data) == []


def test_validate_lists_the_problems_of_every_pair(data: Path) -> None:
    (data / "pairs/toy-0" / pairs.METADATA).unlink()
    (data / "pairs/toy-2" / pairs.MASK).unlink()
    found = pairs.validate(data)
    assert len(found) == 2 and "toy-0" in found[0] and "toy-2" in found[1]
    assert all(" -> write it again with void.pairs.write_pair" in line for line in found)
    (data / GENERATION).write_text("{}")
    remedy = " -> delete the pair folder and run `void generate` again"
    assert all(remedy in line for line in pairs.validate(data))


def test_an_empty_mask_is_a_problem(data: Path, folder: Path) -> None:
    pair = pairs.read_pair(folder)
    nothing = np.zeros_like(pair.quadmask.primary_THW)
    pairs.write_pair(folder, replace(pair, quadmask=Quadmask(nothing, pair.quadmask.affected_THW)))
    rows = [pairs.pair_row(data, data / row.path, split=row.split) for row in pairs.read_manifest(data)]
    pairs.write_manifest(data, rows)
    assert problems(data).count("\n") == 0
    assert "mask.mp4 is empty: no pixel is marked as removed" in problems(data)


def test_a_row_that_disagrees_with_its_pair_is_a_problem(data: Path) -> None:
    edit_rows(data, lambda lines: lines[2].update(caption="another", frames=13))
    assert "toy-1/metadata.json and its manifest row differ in caption, frames" in problems(data)


def test_a_group_in_two_splits_is_a_problem(data: Path) -> None:
    edit_rows(data, lambda lines: lines[4].update(group="scene-0"))
    assert "groups in more than one split: scene-0 (train and val)" in problems(data)


def test_manifest_round_trip(data: Path) -> None:
    rows = pairs.read_manifest(data)
    assert [row.id for row in rows] == ["toy-0", "toy-1", "toy-2", "toy-3"]
    assert rows[1].path == "pairs/toy-1" and (rows[1].frames, rows[1].height, rows[1].width) == (5, 32, 48)
    before = (data / pairs.MANIFEST).read_bytes()
    pairs.write_manifest(data, rows)
    assert (data / pairs.MANIFEST).read_bytes() == before
    assert json.loads(before.splitlines()[0]) == {"schema": 1, "kind": "void-manifest"}


def test_captions_may_hold_any_text(data: Path) -> None:
    rows = pairs.read_manifest(data)
    rows[0] = replace(rows[0], caption='a "ball"\nrolls \u2028 on ice, \u51b0')
    pairs.write_manifest(data, rows)
    assert pairs.read_manifest(data) == rows
    file = data / pairs.MANIFEST
    unescaped = [json.dumps(json.loads(line), ensure_ascii=False) for line in file.read_text().splitlines()]
    file.write_text("\n".join(unescaped), encoding="utf-8")
    assert pairs.read_manifest(data) == rows


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda file: file.unlink(), r"manifest\.jsonl does not exist"),
        (lambda file: file.write_text(""), r"manifest\.jsonl is empty"),
        (lambda file: file.write_text(file.read_text().splitlines()[0] + "\n\n"), r"manifest\.jsonl is empty"),
        (lambda file: file.write_text(file.read_text() + "{oops\n"), r"line 6 is not valid JSON"),
        (lambda file: file.write_text(file.read_text() + "[" * 100_000 + "\n"), r"line 6 is not valid JSON"),
        (lambda file: file.write_text(file.read_text() + "9" * 5000 + "\n"), r"line 6 is not valid JSON"),
        (lambda file: file.write_text(file.read_text() + "[1]\n"), r"line 6 holds a list"),
        (lambda file: file.write_text("{oops\n" + file.read_text()), r"line 1 is not valid JSON"),
        (lambda file: file.write_bytes(b"\xff\xfe" + file.read_bytes()), r"is text in UTF-16, not UTF-8"),
        (lambda file: file.write_text(file.read_text().split("\n", 1)[1]), r"does not begin with the line"),
        (lambda file: file.write_text(file.read_text().replace('"schema": 1', '"schema": 9', 1)), r"has schema 9"),
    ],
)
def test_bad_manifests(data: Path, damage: Callable[[Path], object], problem: str) -> None:
    damage(data / pairs.MANIFEST)
    with pytest.raises(InputError, match=problem):
        pairs.read_manifest(data)
    assert re.search(problem, problems(data))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"path": "../elsewhere"}, r"path '\.\./elsewhere' points outside the data folder"),
        ({"path": "pairs/../../elsewhere"}, r"points outside"),
        ({"path": "pairs/../pairs/toy-1"}, r"points outside"),
        ({"path": "/etc"}, r"path '/etc' points outside"),
        ({"path": "link/pair"}, r"path 'link/pair' points outside"),
        ({"id": "../../evil"}, r"id '\.\./\.\./evil' can't name a file"),
        ({"id": ""}, r"id '' can't name a file"),
        ({"id": "toy-0"}, r"several rows have the id toy-0"),
        ({"frames": "5"}, r"frames is '5'"),
        ({"fps": 0}, r"fps is 0"),
        ({"fps": float("nan")}, r"fps is nan"),
        ({"caption": None}, r"caption is None"),
        ({"colour": "red"}, r"unknown keys colour"),
    ],
)
def test_bad_rows(data: Path, tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    (tmp_path / "outside" / "pair").mkdir(parents=True)
    (data / "link").symlink_to(tmp_path / "outside")
    edit_rows(data, lambda lines: lines[2].update(change))
    with pytest.raises(InputError, match=problem) as caught:
        pairs.read_manifest(data)
    assert "line 3" in str(caught.value) or "several" in str(caught.value)
    assert re.search(problem, problems(data))


def test_a_row_without_a_key(data: Path) -> None:
    edit_rows(data, lambda lines: lines[2].pop("split"))
    with pytest.raises(InputError, match="line 3 lacks split"):
        pairs.read_manifest(data)


def test_rows_are_checked_when_written(data: Path) -> None:
    before = (data / pairs.MANIFEST).read_text()
    rows = pairs.read_manifest(data)
    for bad in ([], [rows[0], rows[0]], [replace(rows[0], path="../x")], [replace(rows[0], id="a/b")]):
        with pytest.raises(InputError, match="manifest"):
            pairs.write_manifest(data, bad)
    assert (data / pairs.MANIFEST).read_text() == before


def test_pair_row_reads_the_metadata(data: Path, folder: Path) -> None:
    row = pairs.pair_row(data, folder, split="val")
    expected = replace(pairs.read_manifest(data)[1], split="val")
    assert row == expected and isinstance(row, ManifestRow)


@pytest.mark.parametrize("key", ["id", "group", "source", "caption"])
def test_pair_row_needs_the_description(data: Path, folder: Path, key: str) -> None:
    edit_metadata(folder, lambda metadata: metadata.pop(key))
    with pytest.raises(InputError, match=rf"metadata\.json lacks {key}"):
        pairs.pair_row(data, folder, split="train")


def test_pair_row_refuses_folders_outside(data: Path, tmp_path: Path) -> None:
    outside = shutil.copytree(data / "pairs" / "toy-1", tmp_path / "outside")
    with pytest.raises(InputError, match="is outside the data folder"):
        pairs.pair_row(data, outside, split="train")


def test_select(data: Path) -> None:
    rows = pairs.read_manifest(data)
    assert [row.id for row in pairs.select(rows, "val")] == ["toy-3"]
    with pytest.raises(InputError, match=r"no pairs of split 'test'; it has: train \(3\), val \(1\)"):
        pairs.select(rows, "test")
