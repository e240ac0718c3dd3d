"""Several commands in one data folder."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_set import COUNT, HERE, contents, fake, run

from data_gen.shards import Shard, occupied
from void.errors import InputError
from void.files import PARTIAL_MARK, read_json
from void.pairs import read_manifest

OTHER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from small_set import run
run(Path(sys.argv[2]), executor={"workers": 1, "shard": sys.argv[3]}, count=int(sys.argv[4]))
"""


def in_another_process(root: Path, shard: str, count: int = COUNT) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", OTHER, str(HERE), str(root), shard, str(count)])


def test_shards_share_the_scenes() -> None:
    shards = [Shard.parse(text) for text in ("0/3", "1/3", "2/3")]
    assert [[scene for scene in range(7) if shard.has(scene)] for shard in shards] == [[0, 3, 6], [1, 4], [2, 5]]


@pytest.mark.parametrize("text", ["", "3", "2/2", "1/0", "-1/2", "0/4/2", "a/b"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"executor\.shard = "):
        Shard.parse(text)


def test_shards_at_the_same_time_make_what_one_command_makes(tmp_path: Path) -> None:
    whole, shared = tmp_path / "whole" / "data", tmp_path / "shared" / "data"
    run(whole)
    others = [in_another_process(shared, f"{i}/2") for i in range(2)]
    assert [other.wait(120) for other in others] == [0, 0]
    made = {name: data for name, data in contents(shared).items() if not name.startswith(".shards")}
    assert made == {name: data for name, data in contents(whole).items() if not name.startswith(".shards")}
    assert read_json(shared / "summary.json")["seconds_per_pair"]["render"] == 2.0


def test_a_shard_keeps_the_failures_of_another_until_their_pairs_exist(tmp_path: Path) -> None:
    root = tmp_path / "data"
    run(root, fake(crash=[1]), executor={"shard": "1/2"})
    run(root, executor={"shard": "0/2"})
    assert [failure["id"] for failure in read_json(root / "summary.json")["failures"]] == ["rigid-000001"]
    assert [row.id for row in read_manifest(root)] == [f"rigid-00000{i}" for i in (0, 2, 3, 4)]
    run(root, executor={"shard": "1/2"})
    assert read_json(root / "summary.json")["failures"] == [] and len(read_manifest(root)) == COUNT


def test_a_shard_leaves_alone_what_another_is_writing(tmp_path: Path) -> None:
    root = tmp_path / "data"
    (root / "pairs").mkdir(parents=True)
    leftovers = [root / "pairs" / f".rigid-00000{i}{PARTIAL_MARK}0123abcd" for i in range(2)]
    for leftover in leftovers:
        leftover.mkdir()
    run(root, executor={"shard": "0/2"})
    assert [leftover.exists() for leftover in leftovers] == [False, True]


def test_one_shard_is_made_by_one_command_and_all_by_the_same_number(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with occupied(root, Shard(0, 2)) as alone:
        assert alone
        with pytest.raises(InputError, match="another process is writing to"):
            run(root, executor={"shard": "0/2"})
        with pytest.raises(InputError, match="another command makes shard 0-of-2"):
            run(root, executor={"shard": "0/3"})
        with occupied(root, Shard(1, 2)) as alone:
            assert not alone


def test_a_recipe_is_not_replaced_while_another_shard_works_by_it(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with pytest.raises(InputError, match="scenes failed"):
        run(root, fake(crash=[0, 1, 2, 3, 4]), executor={"shard": "0/2"})
    with occupied(root, Shard(0, 2)), pytest.raises(InputError, match=r"scene\.fps \(there 12, now 24\)"):
        run(root, executor={"shard": "1/2"}, fps=24)
    assert run(root, executor={"shard": "1/2"}, fps=24)[0] == []


def test_the_folder_is_free_again_when_a_command_is_killed(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with in_another_process(root, "0/1", count=50) as other:
        deadline = time.monotonic() + 60
        while not (root / "pairs").is_dir():
            assert other.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        with pytest.raises(InputError, match="another process is writing to"):
            run(root, count=50)
        other.kill()
    with occupied(root, Shard(0, 1)) as alone:
        assert alone
