"""What README.md and docs/ say can be typed, and leads where they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from documented import python_blocks, run_void, shell_lines

from void.cli import COMMAND_ORDER, commands
from void.composition import compose_config
from void.overrides import readable
from void.pairs import read_manifest, validate
from void.sweep import sweep_jobs

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
MARKERS = {"slow", "gpu", "slurm"}


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
    "doctor": (),
    "train": ("device=cpu", "tracker=none", "training.steps=2", "training.validate_every=0", "training.batch_size=1"),
    "infer": ("device=cpu", "tracker=none", "infer.steps=2"),
}
"""Overrides that make a documented command end in seconds, at the size of the page's own pairs."""


def run_quick(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run_void(line, monkeypatch, QUICK.get(line.split()[1], ("device=cpu", "tracker=none")))


def test_own_pairs_go_through_every_command_that_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "formats.md"
    exec(python_blocks(page)[0], {})
    lines = [line for line in shell_lines(page) if "my-pairs" in line]
    assert [line.split()[1] for line in lines] == ["doctor", "cache", "train", "infer", "eval"]
    for line in lines:
        run_quick(line, monkeypatch)
    assert [path.name for path in Path("runs/mine").rglob("report.html")] == ["report.html"]
    # A second time nothing is made again, and nothing is in the way.
    before = {path: path.stat().st_mtime_ns for path in Path("runs/mine").rglob("*.*") if "logs" not in path.parts}
    for line in lines:
        run_quick(line, monkeypatch)
    assert {path: path.stat().st_mtime_ns for path in before} == before


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
