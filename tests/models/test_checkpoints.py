"""Finding and reading checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_models import model_config

from void.errors import InputError
from void.files import write_json
from void.models.build import build_transformer, fingerprint
from void.models.checkpoints import complete_checkpoints, find_checkpoint, load_transformer


def checkpoint(root: Path, step: int, *parts: str) -> Path:
    folder = root / "checkpoints" / f"step-{step:06d}"
    folder.mkdir(parents=True)
    if "transformer" in parts:
        (folder / "transformer").mkdir()
    if "trainer.json" in parts:
        write_json(folder / "trainer.json", {"step": step})
    return folder


def test_newest_complete_checkpoint_wins(tmp_path: Path) -> None:
    older = checkpoint(tmp_path, 999_900, "transformer", "trainer.json")
    newest = checkpoint(tmp_path, 1_000_000, "transformer", "trainer.json")
    checkpoint(tmp_path, 1_000_100, "transformer")
    checkpoint(tmp_path, 1_000_200, "trainer.json")
    (tmp_path / "checkpoints" / "step-latest").mkdir()
    assert find_checkpoint(tmp_path) == newest
    assert complete_checkpoints(tmp_path) == {999_900: older, 1_000_000: newest}


def test_no_checkpoint_names_the_folder_and_the_command(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match=rf"{root}/checkpoints.*\n.*void train"):
            find_checkpoint(root)


def test_transformer_round_trip(tmp_path: Path) -> None:
    transformer = build_transformer(model_config())
    folder = checkpoint(tmp_path, 4, "trainer.json")
    transformer.save_pretrained(folder / "transformer")
    loaded = load_transformer(folder)
    assert fingerprint(loaded) == fingerprint(transformer) == fingerprint(load_transformer(folder / "transformer"))
    assert not loaded.training
    with pytest.raises(InputError, match="does not exist"):
        load_transformer(tmp_path / "nowhere")
