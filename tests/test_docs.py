"""What README.md and docs/ say can be typed, and leads where they say."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from pipelines.user_clips import write_clip

from void.cli import COMMAND_ORDER, commands, main
from void.composition import compose_config
from void.overrides import readable
from void.pairs import read_manifest, validate
from void.pipelines.clip_folders import read_clip_folder
from void.sweep import sweep_jobs
from void.video import read_mask

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
MARKERS = {"slow", "gpu", "slurm"}


def shell_lines(page: Path) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def python_blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


COMMANDS = [(page.name, line) for page in PAGES for line in shell_lines(page)]


def check_void(words: list[str]) -> None:
    command, *arguments = words
    assert command in commands()
    overrides = [argument for argument in arguments if "=" in argument and not argument.startswith("-")]
    is_sweep = "--multirun" in arguments
    read = [readable(override, sweeps=is_sweep) for override in overrides if not override.startswith("data=")]
    for job in sweep_jobs(read)[1][:1] if is_sweep else [read]:
        compose_config([override for override in job if not override.startswith("hydra")])


def check_pytest(words: list[str]) -> None:
    chosen = words[words.index("-m", 2) + 1] if "-m" in words[2:] else None
    assert chosen is None or chosen in MARKERS
    assert all((ROOT / word).exists() for word in words[3:] if word.startswith("tests/"))


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_is_one_that_exists(page: str, line: str) -> None:
    words = [word for word in shlex.split(line) if not re.fullmatch(r"[A-Z_]+=.*", word) or line.startswith("make")]
    program, *rest = words
    if Path(program).name == "void":
        check_void(rest)
    elif program == "make":
        assert rest[0] in TARGETS
    elif rest[:2] == ["-m", "pytest"]:
        check_pytest([program, *rest])
    elif scripts := [word for word in words if word in ("train.py", "eval.py")]:
        check_void([Path(scripts[0]).stem, *words[words.index(scripts[0]) + 1 :]])
    elif Path(program).name == "python" and rest[0] != "-m":
        assert all((ROOT / word).exists() for word in rest if not word.startswith("--") and not word.isupper())
    else:
        assert program in ("conda", "git", "wandb"), f"{page}: no test knows how to check: {line}"


def test_the_example_of_own_pairs_writes_a_valid_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = python_blocks(ROOT / "docs" / "formats.md")
    exec(example, {})
    assert validate(Path("my-pairs")) == []
    assert [row.split for row in read_manifest(Path("my-pairs"))] == ["val", "train"]


QUICK = {
    "train": ["training.steps=2", "training.validate_every=0", "training.batch_size=1"],
    "infer": ["infer.steps=2"],
}
"""Overrides that make a documented command end in seconds and leave its path as it is."""


def run_void(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a documented command to its end, in this process."""
    _, command, *overrides = shlex.split(line)
    quick = [] if command == "doctor" else ["device=cpu", "tracker=none", *QUICK.get(command, [])]
    monkeypatch.setattr(sys, "argv", ["void", command, *overrides, *quick])
    main()


def test_own_pairs_go_through_every_command_that_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "formats.md"
    exec(python_blocks(page)[0], {})
    lines = [line for line in shell_lines(page) if "my-pairs" in line]
    assert [line.split()[1] for line in lines] == ["doctor", "cache", "train", "infer", "eval"]
    for line in lines:
        run_void(line, monkeypatch)
    assert [path.name for path in Path("runs/mine").rglob("report.html")] == ["report.html"]
    # A second time nothing is made again, and nothing is in the way.
    before = {path: path.stat().st_mtime_ns for path in Path("runs/mine").rglob("*.*") if "logs" not in path.parts}
    for line in lines:
        run_void(line, monkeypatch)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_example_of_an_own_mask_completes_a_clip_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(Path("my-clip"), 7, 240, 320)
    Path("my-clip/quadmask_0.mp4").unlink()
    (example,) = python_blocks(ROOT / "docs" / "inference.md")
    exec(example, {})
    clip = read_clip_folder(Path("my-clip"))
    quadmask, _ = read_mask(clip.mask)
    assert quadmask.shape == (7, 240, 320) and quadmask.primary_THW.any() and quadmask.affected_THW.any()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    broken = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert broken == []


def demo_commands() -> list[str]:
    """What `make demo` types, each on one line with single spaces."""
    (recipe,) = re.findall(r"^demo:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return [f"void {words}" for words in re.findall(r"\$\(RUN\) (.*)", recipe)]


def test_the_demo_runs_every_command_in_its_order() -> None:
    named = [line.split()[1] for line in demo_commands()]
    assert named[0] == "doctor"
    assert list(dict.fromkeys(named[1:])) == [name for name in COMMAND_ORDER if name != "doctor"]


def test_the_readme_shows_the_flow_that_the_demo_runs() -> None:
    shown = [" ".join(line.split()) for line in shell_lines(ROOT / "README.md") if line.startswith("void ")]
    flow = demo_commands()[1:]
    assert shown[: len(flow)] == flow
