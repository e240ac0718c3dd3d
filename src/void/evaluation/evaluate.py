"""`void eval`: predictions against ground truth, row by row, into one report folder."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from void.config import VoidConfig
from void.evaluation import results
from void.evaluation.baselines import BASELINES, check_baselines
from void.evaluation.plan import evaluation_key, plan
from void.evaluation.report import render
from void.evaluation.tables import console_table
from void.files import remove_partials
from void.pipelines.predictions import read_predictions
from void.tracking.progress import progress_bar


def evaluate(config: VoidConfig) -> None:
    """Score every prediction of `infer.root` and write the report; does nothing where it is already written.

    Raises:
        InputError: predictions, pairs or settings that do not fit each other.
    """
    check_baselines(config.eval)
    predictions = read_predictions(Path(config.infer.root))
    jobs = plan(config, predictions)
    key = evaluation_key(config, jobs)
    root = Path(config.eval.root)
    console = Console(soft_wrap=True)
    if results.is_finished(root, key):
        console.print(f"evaluation is up to date: {root / results.REPORT}", highlight=False)
        return
    remove_partials(root)

    # Imported here because torch takes seconds to load, and a rerun of a finished evaluation needs none of it.
    from void.evaluation.scoring import score

    methods = {name: BASELINES[name].make(config) for name in config.eval.baselines}
    clips: list[results.ScoredClip] = []
    with progress_bar("Evaluating", len(jobs)) as advance:
        for job in jobs:
            clips.append(score(config, job, methods, with_panels=len(clips) < config.eval.report_clips))
            advance()
    metrics = results.metrics_document(config, predictions, clips, key)
    results.publish(root, metrics, render(metrics, clips))
    console.print(console_table(metrics))
    console.print(f"report: {root / results.REPORT}", highlight=False)
