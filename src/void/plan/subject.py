"""Which question a command line asks: what sampling costs, what training costs, or both."""

from __future__ import annotations

from collections.abc import Sequence

from void.plan.config import PlanSubject

TRAINING_KEYS = ("training", "distributed", "plan.processes")
INFERENCE_KEYS = ("infer",)


def subject_of(chosen: PlanSubject, overrides: Sequence[str]) -> PlanSubject:
    """The subject of a plan: the chosen one or, with `auto`, the one that the command line names.

    Args:
        chosen: Value of `plan.of`.
        overrides: Overrides as they were typed, such as `infer.steps=30`.
    """
    if chosen is not PlanSubject.auto:
        return chosen
    typed = [override.lstrip("+~").partition("=")[0] for override in overrides]
    training, inference = _any_of(typed, TRAINING_KEYS), _any_of(typed, INFERENCE_KEYS)
    if training != inference:
        return PlanSubject.training if training else PlanSubject.inference
    return PlanSubject.both if training or "experiment" in typed else PlanSubject.inference


def _any_of(typed: Sequence[str], keys: Sequence[str]) -> bool:
    return any(name == key or name.startswith(f"{key}.") for name in typed for key in keys)
