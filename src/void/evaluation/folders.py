"""The folders of predictions that an evaluation compares: one row of the table each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from void.config import VoidConfig
from void.errors import InputError
from void.evaluation.baselines import BASELINES, TRUTH
from void.pipelines.predictions import CLIP, INDEX, Prediction, Predictions, index_files, read_predictions
from void.recipe import Stage

FIRST_PASS, SECOND_PASS = "VOID pass 1", "VOID pass 2"


@dataclass(frozen=True)
class Folder:
    """What one run of `void infer` predicted.

    Args:
        label: as readers see it, and the row's name in metrics.json.
        root: the folder.
        predictions: its index.
    """

    label: str
    root: Path
    predictions: Predictions

    @property
    def clips(self) -> dict[str, Prediction]:
        """Predicted clips by id, in the order of the index."""
        return {clip.id: clip for clip in self.predictions.clips}


def read_folders(config: VoidConfig) -> list[Folder]:
    """The folders that `eval.predictions` names, or those of the stage.

    Raises:
        InputError: a label that is taken, a folder without predictions of pairs, or folders of different pairs.
    """
    folders = []
    for label, root in chosen(config).items():
        _check_label(label)
        folder = Folder(label, root, read_predictions(root))
        _check_clips(folder)
        folders.append(folder)
    for folder in folders[1:]:
        _check_same_pairs(folders[0], folder)
    return folders


def chosen(config: VoidConfig) -> dict[str, Path]:
    """Folders by label."""
    infer, stage = config.infer, config.stage.name
    if config.eval.predictions:
        return {label: Path(root) for label, root in config.eval.predictions.items()}
    if stage is Stage.pass1:
        return {FIRST_PASS: Path(infer.root)}
    second = {SECOND_PASS: Path(infer.pass2.root)}
    if stage is not Stage.pass2:
        return {FIRST_PASS: Path(infer.root)} | second
    # The first pass may be of any program: then there is no index, and no row.
    first = Path(infer.pass2.first_pass)
    return ({FIRST_PASS: first} if index_files(first) else {}) | second


def _check_label(label: str) -> None:
    if label in (*BASELINES, TRUTH) or not label.strip():
        raise InputError(
            f"eval.predictions: {label!r} cannot be a label",
            f"use another one; {', '.join(BASELINES)} and {TRUTH} are rows of their own",
        )


def _check_clips(folder: Folder) -> None:
    if not folder.predictions.clips:
        raise InputError(
            f"{folder.root / INDEX} lists no clips", "run `void infer` again; it stopped before the first one"
        )
    if any(clip.source == CLIP for clip in folder.predictions.clips):
        raise InputError(
            f"{folder.root} holds results of a user's clips: they have no ground truth",
            "look at them in strips/, or evaluate a run of `void infer` without infer.input",
        )


def _check_same_pairs(first: Folder, other: Folder) -> None:
    for holder, lacking in ((first, other), (other, first)):
        for clip_id in holder.clips:
            if clip_id not in lacking.clips:
                raise InputError(
                    f"pair {clip_id} is predicted in {holder.root} but not in {lacking.root}",
                    "run `void infer` with the same pairs (infer.split, infer.limit) for both, or compare other "
                    "folders with eval.predictions",
                )
