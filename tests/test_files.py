"""Whole or absent: after success, errors, full disks and killed processes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from void import files, ledger
from void.errors import InputError
from void.ledger import LEDGER


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != LEDGER)


def test_whole_file_appears_on_success_only(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "clip.mp4"
    with files.whole_file(target) as partial:
        assert partial.parent == target.parent and partial.suffix == ".mp4"
        partial.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert names(target.parent) == ["clip.mp4"]


def test_an_error_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    files.write_text(target, "old")
    with pytest.raises(KeyboardInterrupt), files.whole_file(target) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_whole_folder_replaces_everything(tmp_path: Path) -> None:
    target = tmp_path / "pair"
    for generation in ("one", "two"):
        with files.whole_folder(target, "pair") as partial:
            (partial / "deep").mkdir()
            (partial / "deep" / generation).write_text(generation)
    assert names(target / "deep") == ["two"]
    assert names(tmp_path) == ["pair"]


def test_a_failed_folder_keeps_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "pair"
    with files.whole_folder(target, "pair") as partial:
        (partial / "good").write_text("good")
    with pytest.raises(RuntimeError), files.whole_folder(target, "pair") as partial:
        (partial / "bad").write_text("bad")
        raise RuntimeError
    assert names(target) == ["good"]
    assert names(tmp_path) == ["pair"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_names_the_path_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    refused = pytest.raises(InputError, match=r"no space left while writing .*/pair ")
    with refused as caught, files.whole_folder(tmp_path / "pair", "pair") as partial:
        (partial / "part").write_text("part")
        raise OSError(number, "full")
    assert "free some space" in caught.value.remedy
    assert names(tmp_path) == []


def test_full_device(tmp_path: Path, full_disk: None) -> None:
    with pytest.raises(InputError, match="no space left"):
        files.write_json(tmp_path / "a.json", {"key": "value"})
    assert names(tmp_path) == []


def test_other_os_errors_stay_themselves(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), files.whole_file(tmp_path / "a"):
        raise PermissionError(errno.EACCES, "no")


def test_a_killed_process_leaves_only_what_remove_partials_deletes(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from void import files\n"
        "root = sys.argv[1]\n"
        "with files.whole_folder(root + '/pair', 'pair') as folder, files.whole_file(root + '/file') as file:\n"
        "    (folder / 'part').write_text('part'); file.write_text('part')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "pair").exists() and not (tmp_path / "file").exists()
    (tmp_path / "kept").write_text("kept")
    assert files.remove_partials(tmp_path) == 2
    assert names(tmp_path) == ["kept"]
    assert files.remove_partials(tmp_path / "absent") == 0


def test_leftovers_may_be_chosen_by_what_was_to_be_written(tmp_path: Path) -> None:
    for name in ("pair-1", "pair-2", "clip"):
        (tmp_path / f".{name}{files.PARTIAL_MARK}0123abcd.mp4").write_text("part")
    assert files.remove_partials(tmp_path, of=lambda name: name in ("pair-2", "clip")) == 2
    assert names(tmp_path) == [f".pair-1{files.PARTIAL_MARK}0123abcd.mp4"]


def test_json_is_the_same_bytes_for_the_same_value(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"b": 1, "a": [1.5, None]})
    files.write_json(tmp_path / "b.json", {"a": [1.5, None], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert files.read_json(tmp_path / "a.json") == {"a": [1.5, None], "b": 1}
    with pytest.raises(ValueError, match="JSON compliant"):
        files.write_json(tmp_path / "c.json", float("nan"))
    assert not (tmp_path / "c.json").exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", r"is not valid JSON"),
        (b"{", r"is not valid JSON"),
        (b"[" * 100_000, r"is not valid JSON"),
        (b'{"frames": ' + b"9" * 5000 + b"}", r"is not valid JSON"),
        (b"\xff\xfe{\0}\0", r"is text in UTF-16, not UTF-8"),
        (b"{\xe4}", r"is not text in UTF-8 \(byte 1 is 0xe4\)"),
    ],
)
def test_bad_json_names_the_file(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.json {problem}"):
        files.read_json(tmp_path / "a.json")
    with pytest.raises(InputError, match=r"b\.json does not exist"):
        files.read_json(tmp_path / "b.json")


def test_checksums(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "a").write_bytes(content)
    assert files.sha256_file(tmp_path / "a") == hashlib.sha256(content).hexdigest()
    assert files.sha256_of({"a": 1, "b": 2}) == files.sha256_of(json.loads('{"b": 2, "a": 1}'))
    assert files.sha256_of({"a": 1}) != files.sha256_of({"a": 2})


def test_the_same_text_is_not_written_again(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    files.write_text(target, "same")
    inode = target.stat().st_ino
    files.write_text(target, "same")
    assert target.stat().st_ino == inode
    files.write_text(target, "other")
    assert target.stat().st_ino != inode
    assert target.read_text() == "other"


def test_a_file_of_another_program_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "clip.mp4"
    target.write_bytes(b"recorded by a camera")
    with pytest.raises(InputError, match=r"clip\.mp4 is there already, and void did not write it"):
        files.write_text(target, "new")
    with pytest.raises(InputError, match=r"clip\.mp4"), files.whole_file(target):
        raise AssertionError("the refusal must come before any work")
    assert not files.remove_written(target)
    assert target.read_bytes() == b"recorded by a camera" and names(tmp_path) == ["clip.mp4"]


def test_a_file_that_appears_while_ours_is_made_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "clip.mp4"
    with pytest.raises(InputError, match="void did not write it"), files.whole_file(target) as partial:
        partial.write_text("ours")
        target.write_text("theirs")
    assert target.read_text() == "theirs" and names(tmp_path) == ["clip.mp4"]


def test_a_file_that_was_changed_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    files.write_text(target, "written")
    target.write_text("WRITTEN")
    with pytest.raises(InputError, match=r"report\.html was changed after void wrote it"):
        files.write_text(target, "again")
    assert not files.remove_written(target) and target.read_text() == "WRITTEN"
    target.unlink()
    files.write_text(target, "again")
    assert files.remove_written(target) and not target.exists() and files.remove_written(target)


def test_an_empty_file_and_one_of_an_earlier_version_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "empty.json").touch()
    files.write_json(tmp_path / "empty.json", {"a": 1})
    old = tmp_path / "old.json"
    old.write_text('{\n "a": 1,\n "b": 2\n}\n')
    with pytest.raises(InputError, match="void did not write it"):
        files.write_json(old, {"a": 2}, earlier=files.is_our_json("c"))
    files.write_json(old, {"a": 2}, earlier=files.is_our_json("a", "b"))
    old.write_text('{"a": 3}')
    with pytest.raises(InputError, match="was changed"):
        files.write_json(old, {"a": 2}, earlier=lambda path: True)


def test_a_link_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "absent")
    with pytest.raises(InputError, match="link is a link"):
        files.write_text(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()


def test_a_large_file_is_known_by_size_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "LARGE", 10)
    target = tmp_path / "weights"
    for text in ("0123456789", "abcdefghij"):
        files.write_text(target, text)
    os.utime(target, ns=(0, 0))
    with pytest.raises(InputError, match="was changed"):
        files.write_text(target, "9876543210")


def test_a_folder_of_anything_else_is_not_replaced(tmp_path: Path) -> None:
    originals = tmp_path / "originals"
    originals.mkdir()
    with files.whole_folder(originals, "pair") as partial:
        (partial / "a").write_text("a")
    (originals / "camera.mov").write_text("original")
    (originals / "deep").mkdir()
    for folder in (originals, tmp_path):
        with pytest.raises(InputError, match=r"camera\.mov|is not a pair"), files.whole_folder(folder, "pair"):
            raise AssertionError("the refusal must come before any work")
        assert not files.remove_written(folder)
    assert names(originals) == ["a", "camera.mov", "deep"]
    (originals / "camera.mov").unlink()
    with pytest.raises(InputError, match="deep"), files.whole_folder(originals, "pair"):
        pass
    (originals / "deep").rmdir()
    with pytest.raises(InputError, match="is not a checkpoint"), files.whole_folder(originals, "checkpoint"):
        pass
    (originals / "a").write_text("b")
    with pytest.raises(InputError, match="changed since: a"), files.whole_folder(originals, "pair"):
        pass
    (originals / "a").write_text("a")
    with files.whole_folder(originals, "pair") as partial:
        (partial / "b").write_text("b")
    assert names(originals) == ["b"] and files.remove_written(originals) and not originals.exists()


def test_a_folder_of_our_single_files_is_not_replaced_as_a_whole(tmp_path: Path) -> None:
    files.write_text(tmp_path / "data" / "manifest.jsonl", "rows")
    refused = pytest.raises(InputError, match=r"is not a pair that void wrote: it holds manifest\.jsonl")
    with refused, files.whole_folder(tmp_path / "data", "pair"):
        pass


def test_lines_are_added_to_a_file_of_ours_only(tmp_path: Path) -> None:
    target = tmp_path / "metrics.jsonl"
    for number in range(3):
        files.append_text(target, f"{number}\n")
    assert target.read_text() == "0\n1\n2\n"
    with target.open("a") as file:
        file.write("half of a li")  # A process was killed here.
    files.append_text(target, "3\n")
    assert target.read_text().splitlines()[-1] == "3"
    target.unlink()
    files.write_text(target, "")
    target.write_text("a text of the user that ends without a line break")
    with pytest.raises(InputError, match="was changed"):
        files.append_text(target, "4\n")
    target.unlink()
    files.write_text(target, "kept\n")
    with target.open("a") as file:
        file.write("a note of the user\n")
    with pytest.raises(InputError, match="was changed"):
        files.append_text(target, "4\n")
    with pytest.raises(InputError, match="was changed"):
        files.write_text(target, "none")
    assert target.read_text() == "kept\na note of the user\n"


def test_half_a_line_of_the_ledger_is_no_proof_and_swallows_none(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a", "a")
    with (tmp_path / LEDGER).open("a") as file:
        file.write('{"file": "b", "ho')
    files.write_text(tmp_path / "c", "c")
    (tmp_path / "b").write_text("b")
    for name, ours in (("a", True), ("b", False), ("c", True)):
        assert files.remove_written(tmp_path / name) is ours


def test_processes_share_a_ledger(tmp_path: Path) -> None:
    script = "import sys; from void import files\n[files.write_text(f'{sys.argv[1]}/{n}', sys.argv[1]) for n in %s]\n"
    running = [
        subprocess.Popen([sys.executable, "-c", script % list(range(start, start + 20)), str(tmp_path)])
        for start in (0, 20)
    ]
    assert [process.wait() for process in running] == [0, 0]
    assert all(files.remove_written(tmp_path / str(number)) for number in range(40))


def test_a_damaged_file_of_a_store_is_set_aside(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / "a.npz").write_text(f"damaged {number}")
        assert files.set_aside(tmp_path / "a.npz") == tmp_path / f"a.npz.damaged-{number}"
    assert names(tmp_path) == ["a.npz.damaged-1", "a.npz.damaged-2"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_no_content(tmp_path: Path, mark: bytes) -> None:
    (tmp_path / "a.json").write_bytes(mark + '{"bg": "a wäll"}'.encode())
    assert files.read_json(tmp_path / "a.json") == {"bg": "a wäll"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_other_encodings_are_named(tmp_path: Path, encoding: str) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    file = tmp_path / "it's.json"
    file.write_bytes(mark + '{"bg": "wall"}'.encode(encoding))
    with pytest.raises(InputError, match=rf"it's\.json is text in UTF-{encoding[4:6]}, not UTF-8") as caught:
        files.read_json(file)
    words = shlex.split(caught.value.remedy.partition(": ")[2])
    assert words[0] == "iconv" and words[-3:] == [str(file), ">", str(tmp_path / "it's-utf8.json")]
