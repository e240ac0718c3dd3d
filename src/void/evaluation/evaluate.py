"""`void eval`: predictions against ground truth, row by row, into one report folder."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from void.config import VoidConfig
from void.evaluation import results
from void.evaluation.baselines import BASELINES
from void.evaluation.folders import read_folders
from void.evaluation.plan import evaluation_key, plan
from void.files import remove_partials
from void.progress import print_whole, progress_bar


def evaluate(config: VoidConfig) -> None:
    """Score every prediction of the compared folders and write the report; does nothing where it is already written.

    Raises:
        InputError: predictions, pairs or settings that do not fit each other.
    """
    folders = read_folders(config)
    jobs = plan(config, folders)
    key = evaluation_key(config, folders, jobs)
    root = Path(config.eval.root)
    console = Console(soft_wrap=True)
    if results.is_finished(root, key):
        console.print(f"evaluation is up to date: {root / results.REPORT}", highlight=False)
        return
    results.check_free(root)
    remove_partials(root)

    # Imported here because torchmetrics takes seconds to load, and a rerun of a finished evaluation needs none of it.
    from void.evaluation.report import render_noise, render_report
    from void.evaluation.scoring import score
    from void.evaluation.tables import console_tables
    from void.noise.flow import DisFlow

    methods = {name: BASELINES[name].make(config) for name in config.eval.baselines}
    estimate = DisFlow()
    clips: list[results.ScoredClip] = []
    with progress_bar("Evaluating", len(jobs)) as advance:
        for job in jobs:
            with_panels = len(clips) < config.eval.report_clips
            clips.append(score(config, job, methods, estimate, with_panels=with_panels))
            advance()
    metrics = results.metrics_document(config, folders, clips, key)
    pages = {results.REPORT: render_report(metrics, clips)}
    if any(clip.noises for clip in clips):
        pages[results.NOISE_PAGE] = render_noise(metrics, clips)
    results.publish(root, metrics, pages)
    print_whole(console, console_tables(metrics))
    for name in pages:
        console.print(f"{Path(name).stem}: {root / name}", highlight=False)
