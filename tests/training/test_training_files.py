"""Training replaces and deletes what training wrote, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from void.errors import InputError
from void.files import whole_folder
from void.models.checkpoints import CHECKPOINTS, TRAINER_STATE, TRANSFORMER
from void.tracking.metrics_file import METRICS, MetricsFile
from void.training.checkpoint import KIND, rotate
from void.training.config import TrainingConfig
from void.training.samples import SAMPLES, SAMPLES_KIND, check_free, discard_after


@pytest.fixture
def config(tmp_path: Path) -> TrainingConfig:
    """A run that has saved steps 2, 4 and 6 and validated after each."""
    for step in (2, 4, 6):
        with whole_folder(tmp_path / CHECKPOINTS / f"step-{step:06d}", KIND) as partial:
            (partial / TRANSFORMER).mkdir()
            (partial / TRANSFORMER / "config.json").write_text("{}")
            (partial / TRAINER_STATE).write_text("{}")
        with whole_folder(tmp_path / SAMPLES / f"step-{step:06d}", SAMPLES_KIND) as partial:
            (partial / "clip.mp4").write_text(f"clip {step}")
    MetricsFile(tmp_path, lambda record: True).append({"kind": "train", "step": 2})
    return TrainingConfig(root=str(tmp_path))


def test_what_training_wrote_is_replaced_and_deleted(config: TrainingConfig) -> None:
    root = Path(config.root)
    check_free(config, 0)
    rotate(root, 1)
    discard_after(config, 2)
    assert [path.name for path in sorted((root / CHECKPOINTS).iterdir())] == ["step-000006"]
    assert [path.name for path in sorted((root / SAMPLES).iterdir())] == ["step-000002"]


@pytest.mark.parametrize("folder", [f"{CHECKPOINTS}/step-000002", f"{SAMPLES}/step-000004"])
def test_a_folder_with_a_file_of_the_user_is_kept(config: TrainingConfig, folder: str) -> None:
    notes = Path(config.root) / folder / "notes.txt"
    notes.write_text("the best one")
    rotate(Path(config.root), 1)
    discard_after(config, 2)
    assert notes.read_text() == "the best one"
    with pytest.raises(InputError, match=rf"{folder} holds files that void did not write.*: notes\.txt"):
        check_free(config, 0)


@pytest.mark.parametrize("name", [METRICS, f"{SAMPLES}/step-000008/mine.mp4", f"{CHECKPOINTS}/step-000008/mine.bin"])
def test_a_foreign_file_is_refused_before_any_step(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=str(tmp_path)):
        check_free(TrainingConfig(root=str(tmp_path)), 4)
    assert (tmp_path / name).read_text() == "mine"


def test_metrics_that_somebody_edited_are_kept(config: TrainingConfig) -> None:
    file = Path(config.root) / METRICS
    file.write_text(file.read_text() + '{"kind": "note", "step": 3}\n')
    before = file.read_text()
    with pytest.raises(InputError, match=r"metrics\.jsonl was changed after void wrote it"):
        MetricsFile(Path(config.root), lambda record: record["step"] < 2)
    assert file.read_text() == before
