"""Whole or absent: after success, errors, full disks and killed processes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from void import files
from void.errors import InputError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
        with files.whole_folder(target) as partial:
            (partial / "deep").mkdir()
            (partial / "deep" / generation).write_text(generation)
    assert names(target / "deep") == ["two"]
    assert names(tmp_path) == ["pair"]


def test_a_failed_folder_keeps_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "pair"
    with files.whole_folder(target) as partial:
        (partial / "good").write_text("good")
    with pytest.raises(RuntimeError), files.whole_folder(target) as partial:
        (partial / "bad").write_text("bad")
        raise RuntimeError
    assert names(target) == ["good"]
    assert names(tmp_path) == ["pair"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_names_the_path_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    refused = pytest.raises(InputError, match=r"no space left while writing .*/pair ")
    with refused as caught, files.whole_folder(tmp_path / "pair") as partial:
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
        "with files.whole_folder(sys.argv[1] + '/pair') as folder, files.whole_file(sys.argv[1] + '/file') as file:\n"
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
        (tmp_path / f".{name}{files.PARTIAL_MARK}0a.mp4").write_text("part")
    assert files.remove_partials(tmp_path, of=lambda name: name in ("pair-2", "clip")) == 2
    assert names(tmp_path) == [f".pair-1{files.PARTIAL_MARK}0a.mp4"]


def test_json_is_the_same_bytes_for_the_same_value(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"b": 1, "a": [1.5, None]})
    files.write_json(tmp_path / "b.json", {"a": [1.5, None], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert files.read_json(tmp_path / "a.json") == {"a": [1.5, None], "b": 1}
    with pytest.raises(ValueError, match="JSON compliant"):
        files.write_json(tmp_path / "c.json", float("nan"))
    assert not (tmp_path / "c.json").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe"])
def test_bad_json_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json is not valid JSON"):
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
