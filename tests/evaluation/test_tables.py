"""Which values are marked as best, and what stands where there is no value."""

from __future__ import annotations

from typing import Any

from void.evaluation.scores import COLUMNS
from void.evaluation.tables import ABSENT, EXACT, clip_counts, rows


def entry(
    psnr: float | None, ssim: float, clips: int = 2, exact: int = 0, warp_error: float | None = 3.0
) -> dict[str, Any]:
    return {"psnr_db": psnr, "ssim": ssim, "warp_error": warp_error, "clips": clips, "exact": exact}


METHODS = [
    {"name": "model", "label": "VOID", "note": "", "kind": "model", "is_bound": False},
    {"name": "input", "label": "Input", "note": "", "kind": "baseline", "is_bound": False},
    {"name": "vae", "label": "VAE", "note": "", "kind": "baseline", "is_bound": True},
]
MEAN = {
    "model": {
        "frame": entry(20.004, 0.5, warp_error=2.0),
        "removed": entry(None, 1.0, exact=2, warp_error=None),
        "kept": entry(30.0, 0.8, exact=1, warp_error=4.0),
    },
    "input": {
        "frame": entry(20.001, 0.6, warp_error=2.5),
        "removed": entry(50.0, 0.9, warp_error=None),
        "kept": entry(29.0, 0.8, warp_error=3.5),
    },
    "vae": {
        "frame": entry(40.0, 0.9, warp_error=0.5),
        "removed": entry(60.0, 0.95, warp_error=None),
        "kept": entry(41.0, 0.9, warp_error=0.5),
    },
}


def best(index: int) -> list[str]:
    names = [f"{metric} {column}" for metric in ("psnr", "ssim", "warp") for column in COLUMNS]
    return [name for name, cell in zip(names, rows(METHODS, MEAN)[index].cells, strict=True) if cell.best]


def test_the_best_of_each_column_is_marked_and_equal_looks_share_it() -> None:
    assert best(0) == ["psnr frame", "psnr removed", "psnr kept", "ssim removed", "ssim kept", "warp frame"]
    assert best(1) == ["psnr frame", "ssim frame", "ssim kept", "warp kept"]


def test_a_bound_is_never_the_best() -> None:
    assert best(2) == []


def test_exact_and_absent_values_are_words() -> None:
    cells = dict(zip(COLUMNS, rows(METHODS, MEAN)[0].cells[: len(COLUMNS)], strict=True))
    assert cells["removed"].text == EXACT
    assert cells["affected"].text == ABSENT and not cells["affected"].best
    assert cells["kept"].note == "and 1 of 2 clips exact, not in this mean"


def test_lower_is_better_for_the_warp_error_and_what_has_no_value_wins_nothing() -> None:
    model, given, _ = rows(METHODS, MEAN)
    assert [cell.best for cell in model.of("warp_error")] == [True, False, False, False]
    assert [cell.best for cell in given.of("warp_error")] == [False, False, False, True]
    assert [cell.text for cell in model.of("warp_error")] == ["2.00", ABSENT, ABSENT, "4.00"]


def test_rows_of_models_are_told_apart() -> None:
    assert [row.is_model for row in rows(METHODS, MEAN)] == [True, False, False]


def test_counts_of_clips() -> None:
    assert clip_counts({"methods": METHODS, "mean": MEAN}) == [2, 2, 0, 2]
