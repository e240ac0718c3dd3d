"""The pages of a data folder: complete, escaped, self-contained; strips are made once."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from gallery_pairs import FPS, NASTY, clips_of, has_person, metadata_of, rejected_of, spec_of, write_data

from data_gen.config import AssetsConfig
from data_gen.gallery import write, write_gallery
from data_gen.gallery.entries import read_entries
from data_gen.gallery.rejected import Example, Rejection, rejections
from data_gen.gallery.strips import GAP, Record, make_strips, strip_name
from data_gen.scene.accept import Reason
from data_gen.summary import add_timing
from void.errors import InputError
from void.files import read_json
from void.pairs import METADATA, RGB_REMOVED, write_pair
from void.video import probe, read_video

COUNT = 9


class Page(HTMLParser):
    """The tags with their attributes, and all text outside scripts and styles."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += f" {' '.join(data.split())}"

    def having(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for _, attributes in self.tags if name in attributes]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Example]:
    """Stands in for the worker: of the examples it is given, draws those of one reason."""
    asked: list[Example] = []

    def draw(root: Path, recipe: dict[str, Any], library: object, examples: list[Example], record: Record) -> None:
        assert recipe["seed"] == 7 and library == "library"
        asked.extend(examples)
        for example in examples:
            if example.reason == Reason.no_contact.name:
                (root / example.strip).parent.mkdir(exist_ok=True)
                (root / example.strip).write_bytes(b"video")

    monkeypatch.setattr(write, "draw_again", draw)
    monkeypatch.setattr(write, "open_library", lambda assets: "library")
    return asked


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), COUNT)


def test_every_pair_is_on_the_page(data: Path, drawn: list[Example]) -> None:
    page = Page(write_gallery(data, AssetsConfig(root="unused")))
    cards = {str(card["id"]): card for card in page.having("data-split")}
    assert list(cards) == [f"rigid-{index:06d}" for index in range(COUNT)]
    for index, card in enumerate(cards.values()):
        assert card["data-family"] == spec_of(index).family
        assert card["data-split"] == ("val" if index % 5 == 4 else "train")
        assert (card["data-reasons"] or "").split() == sorted(set(rejected_of(index)))
        assert metadata_of(index)["caption"] in page.text
    for video in page.having("data-src"):
        assert (data / str(video["data-src"])).is_file()
    assert f"{COUNT} of {COUNT} pairs" in page.text
    assert "removed 3.0%, overlap 1.0%, affected 5.0%, keep 91.0%" in page.text
    assert "first contact 0.25 s" in page.text and "divergence 14% of the width" in page.text


def test_filters_offer_what_there_is(data: Path, drawn: list[Example]) -> None:
    page = Page(write_gallery(data, AssetsConfig(root="unused")))
    offered = {str(option["value"]) for tag, option in page.tags if tag == "option"} - {""}
    reasons = {reason for index in range(COUNT) for reason in rejected_of(index)}
    assert offered == {"ball", "chain", "variable", "train", "val"} | reasons


def test_captions_are_escaped_and_nothing_is_fetched(data: Path, drawn: list[Example]) -> None:
    write_gallery(data, AssetsConfig(root="unused"))
    for name in ("gallery.html", "statistics.html"):
        text = (data / name).read_text()
        assert not re.search(r"(https?:)?//[a-z]", re.sub(r"^\s*//.*", "", text, flags=re.MULTILINE)), name
        assert "<b>&#34;ball" not in text and NASTY not in text
    assert (
        "A &lt;b&gt;&#34;ball&#34; &amp; box&lt;/b&gt; {{ x }}&lt;/script&gt; roll."
        in (data / "gallery.html").read_text()
    )


def test_rejected_draws_are_explained(data: Path, drawn: list[Example]) -> None:
    page = Page(write_gallery(data, AssetsConfig(root="unused")))
    assert {example.reason for example in drawn} == {"no_contact", "no_effect", "too_fast"}
    assert Reason.no_contact.value in page.text and Reason.no_room.value in page.text
    shown = [str(video["data-src"]) for video in page.having("data-src") if "rejected/" in str(video["data-src"])]
    assert shown == [example.strip for example in drawn if example.reason == "no_contact"]
    assert "there is no scene to show" in page.text and "gallery/rejected.log says why" in page.text


def test_statistics(data: Path, drawn: list[Example]) -> None:
    write_gallery(data, AssetsConfig(root="unused"))
    page = Page(data / "statistics.html")
    draws = sum(len(rejected_of(index)) + 1 for index in range(COUNT))
    assert f"draws {draws}" in " ".join(page.text.split())
    assert f"accepted {COUNT / draws:.0%} of draws" in " ".join(page.text.split())
    assert len([tag for tag, _ in page.tags if tag == "svg"]) >= 12
    assert "red" in page.text and "dolly in" in page.text and "mug" in page.text
    people = sum(has_person(index) for index in range(COUNT))
    charts = " ".join(page.text.split())
    assert f"Remy {people}" in charts and f"wave {people}" in charts and "Hands miss what they hold by" in charts


def test_seconds_are_those_of_the_timings(tmp_path: Path, drawn: list[Example]) -> None:
    write_data(tmp_path, 4)
    write_gallery(tmp_path, AssetsConfig(root="unused"))
    assert "Seconds a pair" not in Page(tmp_path / "statistics.html").text
    for index, render in ((0, 3.0), (3, 5.0), (1, 8.0)):
        add_timing(tmp_path, f"rigid-{index:06d}", {"render": render, "total": 10 + render})
    write_gallery(tmp_path, AssetsConfig(root="unused"))
    text = " ".join(Page(tmp_path / "statistics.html").text.split())
    assert "family render total ball 4.00 14.00 chain 8.00 18.00 all 5.33 15.33" in text
    assert "mean 15.3 s, median 15 s, 13 to 18 s, n = 3" in text


def test_without_rejected_draws_no_assets_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "open_library", lambda assets: pytest.fail("opened"))
    write_data(tmp_path, 1)
    assert "Rejected draws" not in write_gallery(tmp_path, AssetsConfig(root="unused")).read_text()


def test_examples_are_of_different_scenes(data: Path) -> None:
    found = rejections(read_entries(data))
    counts = {(one.family, one.reason): one.count for one in found}
    for family in ("ball", "chain", "variable"):
        for reason in Reason:
            expected = sum(rejected_of(i).count(reason.name) for i in range(COUNT) if spec_of(i).family == family)
            assert counts.get((family, reason.name), 0) == expected
    for one in found:
        assert len({example.index for example in one.examples}) == len(one.examples) <= 2
        assert all(rejected_of(example.index)[example.attempt] == one.reason for example in one.examples)
        assert not (one.undrawable and one.examples)


def test_a_new_reason_needs_no_words() -> None:
    assert Rejection("ball", "made_up", 1, []).explanation == ""


def strips(root: Path) -> dict[str, int]:
    make_strips(root, read_entries(root), Record(root))
    return {entry.row.id: (root / strip_name(entry.row.id)).stat().st_mtime_ns for entry in read_entries(root)}


def test_strips_show_three_clips_side_by_side(tmp_path: Path) -> None:
    write_data(tmp_path, 1)
    strips(tmp_path)
    strip = tmp_path / strip_name("rigid-000000")
    info = probe(strip)
    assert (info.frames, info.height, info.width, info.fps) == (5, 128, 3 * 192 + 2 * GAP, FPS)
    frames_THWC, _ = read_video(strip)
    square, shift = frames_THWC[0, 40, 8].astype(int), 192 + GAP
    assert square[0] > 150 and abs(square - [220, 40, 40]).max() < 60
    assert abs(frames_THWC[0, 40, 8 + shift].astype(int) - square).max() > 60, "the counterfactual lacks the square"
    # H.264 in yuv420p: what browsers play.
    assert b"avc1" in strip.read_bytes()


def test_unchanged_strips_are_kept_and_others_made_again(tmp_path: Path) -> None:
    write_data(tmp_path, 3)
    before = strips(tmp_path)
    assert strips(tmp_path) == before
    write_pair(tmp_path / "pairs/rigid-000001", clips_of(5))
    (tmp_path / strip_name("rigid-000002")).unlink()
    row = (tmp_path / "manifest.jsonl").read_text()
    old = read_entries(tmp_path)[1].row.checksums[RGB_REMOVED]
    new = read_json(tmp_path / "pairs/rigid-000001" / METADATA)["checksums"][RGB_REMOVED]
    (tmp_path / "manifest.jsonl").write_text(row.replace(old, new))
    after = strips(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"rigid-000001", "rigid-000002"}


def test_a_lost_record_only_costs_time(tmp_path: Path) -> None:
    write_data(tmp_path, 1)
    before = strips(tmp_path)
    (tmp_path / "gallery/strips.json").unlink()
    assert strips(tmp_path).keys() == before.keys()


@pytest.mark.parametrize("broken", ["{", "[1]", "{}"])
def test_a_record_that_somebody_changed_is_left_alone(tmp_path: Path, broken: str) -> None:
    write_data(tmp_path, 1)
    strips(tmp_path)
    (tmp_path / "gallery/strips.json").write_text(broken)
    with pytest.raises(InputError, match=r"strips\.json was changed after void wrote it"):
        strips(tmp_path)
    assert (tmp_path / "gallery/strips.json").read_text() == broken


@pytest.mark.parametrize("name", ["gallery.html", "statistics.html", "gallery/strips.json", "gallery/rigid-000000.mp4"])
def test_a_page_or_video_of_the_user_is_left_alone(tmp_path: Path, name: str) -> None:
    write_data(tmp_path, 1)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=f"{name} is there already, and void did not write it"):
        write_gallery(tmp_path, AssetsConfig(root="unused"))
    assert (tmp_path / name).read_text() == "mine"


def test_a_damaged_pair_is_named(tmp_path: Path) -> None:
    write_data(tmp_path, 2)
    (tmp_path / "pairs/rigid-000001" / RGB_REMOVED).write_bytes(b"no video")
    with pytest.raises(InputError, match="rigid-000001"):
        strips(tmp_path)
    assert (tmp_path / strip_name("rigid-000000")).is_file()


def test_a_folder_without_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"manifest\.jsonl"):
        write_gallery(tmp_path, AssetsConfig(root="unused"))


def test_pairs_that_are_no_rigid_scenes_are_shown_too(tmp_path: Path, drawn: list[Example]) -> None:
    write_data(tmp_path, 1)
    metadata = tmp_path / "pairs/rigid-000000" / METADATA
    known = read_json(metadata)
    kept = ("id", "group", "source", "caption", "schema", "frames", "height", "width", "fps", "checksums")
    metadata.write_text(json.dumps({key: known[key] for key in kept}))
    page = Page(write_gallery(tmp_path, AssetsConfig(root="unused")))
    assert [card["data-family"] for card in page.having("data-split")] == ["other"]
