"""Which values are marked as best, and what stands where there is no value."""

from __future__ import annotations

from typing import Any

from void.evaluation.scores import COLUMNS
from void.evaluation.tables import ABSENT, EXACT, clip_counts, rows


def entry(psnr: float | None, ssim: float, clips: int = 2, exact: int = 0) -> dict[str, Any]:
    return {"psnr_db": psnr, "ssim": ssim, "clips": clips, "exact": exact}


METHODS = [
    {"name": "model", "label": "VOID", "note": "", "is_bound": False},
    {"name": "input", "label": "Input", "note": "", "is_bound": False},
    {"name": "vae", "label": "VAE", "note": "", "is_bound": True},
]
MEAN = {
    "model": {"frame": entry(20.004, 0.5), "removed": entry(None, 1.0, exact=2), "kept": entry(30.0, 0.8, exact=1)},
    "input": {"frame": entry(20.001, 0.6), "removed": entry(50.0, 0.9), "kept": entry(29.0, 0.8)},
    "vae": {"frame": entry(40.0, 0.9), "removed": entry(60.0, 0.95), "kept": entry(41.0, 0.9)},
}


def best(index: int) -> list[str]:
    names = [f"{metric} {column}" for metric in ("psnr", "ssim") for column in COLUMNS]
    return [name for name, cell in zip(names, rows(METHODS, MEAN)[index].cells, strict=True) if cell.best]


def test_the_best_of_each_column_is_marked_and_equal_looks_share_it() -> None:
    assert best(0) == ["psnr frame", "psnr removed", "psnr kept", "ssim removed", "ssim kept"]
    assert best(1) == ["psnr frame", "ssim frame", "ssim kept"]


def test_a_bound_is_never_the_best() -> None:
    assert best(2) == []


def test_exact_and_absent_values_are_words() -> None:
    cells = dict(zip(COLUMNS, rows(METHODS, MEAN)[0].cells[: len(COLUMNS)], strict=True))
    assert cells["removed"].text == EXACT
    assert cells["affected"].text == ABSENT and not cells["affected"].best
    assert cells["kept"].note == "and 1 of 2 clips exact, not in this mean"


def test_counts_of_clips() -> None:
    assert clip_counts({"methods": METHODS, "mean": MEAN}) == [2, 2, 0, 2]
