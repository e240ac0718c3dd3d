"""Hands scenes to an executor as slots become free, tries lost ones again, and stops when going on makes no sense."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from data_gen.executors.base import Executor
from data_gen.executors.process import Answer
from data_gen.executors.view import View
from data_gen.worker import DONE, INPUT_ERROR, Job, Outcome
from void.errors import InputError
from void.files import remove_written, write_text

TICK_SECONDS = 0.5
# Scenes of one family whose draws were all rejected, without any that was made: then the family is impossible.
HOPELESS = 3
SHOWN = 10


@dataclass(frozen=True)
class Failure:
    """A scene that gave no pair.

    Args:
        id: of the pair.
        family: of the scene.
        reason: in words.
        rejected: draws by reason, where all were rejected.
        unusable: what cannot be used at all, and why.
        log: file with the output of the worker.
    """

    id: str
    family: str
    reason: str
    rejected: dict[str, int] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    log: str = ""


@dataclass(frozen=True)
class Policy:
    """When to try again and when to stop.

    Args:
        retries: further tries of a scene whose worker crashed, was killed or timed out.
        max_attempts: draws of one try; the next one begins after them.
        allowed: scenes that may fail.
        made: pairs that are there already, by family.
    """

    retries: int
    max_attempts: int
    allowed: int
    made: Mapping[str, int]


@dataclass(frozen=True)
class _Try:
    id: str
    job: Job
    number: int = 0


def run_jobs(
    jobs: Mapping[str, Job],
    executor: Executor,
    policy: Policy,
    view: View,
    *,
    logs: Path,
    on_made: Callable[[str, dict[str, float]], None],
    on_failure: Callable[[Failure], None],
) -> None:
    """Make the pairs of all jobs, each in a process of its own.

    Args:
        jobs: by pair id, in the order to start them.
        executor: where they run.
        policy: see there.
        view: told of everything.
        logs: folder that keeps the output of workers that failed.
        on_made: told each finished pair: id, seconds by stage, with `total` for the whole process.
        on_failure: told each failure.

    Raises:
        InputError: more failures than allowed; a family of which every draw is rejected; something only the user can
            mend, such as a full disk.
    """
    waiting = deque(_Try(pair_id, job) for pair_id, job in jobs.items())
    running: dict[Future[Answer], _Try] = {}
    failures: list[Failure] = []
    made = Counter(policy.made)
    while waiting or running:
        while waiting and len(running) < executor.slots:
            started = waiting.popleft()
            running[executor.submit(asdict(started.job))] = started
        done, _ = wait(running, TICK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            tried, answer = running.pop(future), future.result()
            outcome = _outcome(answer)
            log = logs / f"{tried.id}.log"
            if outcome is not None and outcome.kind == DONE:
                remove_written(log)
                made[tried.job.family] += 1
                view.made(tried.job.family)
                on_made(tried.id, outcome.seconds | {"total": answer.seconds})
                continue
            write_text(log, answer.log)
            if outcome is None and tried.number < policy.retries:
                waiting.append(_again(tried, policy.max_attempts))
                view.retried()
                continue
            failures.append(_failure(tried, answer, outcome, log))
            view.failed(tried.job.family)
            on_failure(failures[-1])
            _stop_if_hopeless(tried.job.family, failures, made)
            if len(failures) > policy.allowed:
                raise _over_budget(failures, policy.allowed)
        view.tick()


def _outcome(answer: Answer) -> Outcome | None:
    """None where the worker gave no answer. Raises what only the user can mend."""
    if answer.error is not None:
        raise answer.error
    if answer.value is None:
        return None
    outcome = Outcome(**answer.value)
    if outcome.kind == INPUT_ERROR:
        raise InputError(outcome.message, outcome.remedy)
    return outcome


def _again(tried: _Try, max_attempts: int) -> _Try:
    """The next try, with draws that the last one did not come to."""
    job = replace(tried.job, first_attempt=tried.job.first_attempt + max_attempts)
    return _Try(tried.id, job, tried.number + 1)


def _failure(tried: _Try, answer: Answer, outcome: Outcome | None, log: Path) -> Failure:
    if outcome is not None:
        return Failure(tried.id, tried.job.family, outcome.message, outcome.reasons, outcome.unusable, str(log))
    tries = f" (tried {tried.number + 1} times)" if tried.number else ""
    return Failure(tried.id, tried.job.family, f"{answer.failure}{tries}", log=str(log))


def _stop_if_hopeless(family: str, failures: list[Failure], made: Mapping[str, int]) -> None:
    rejected = [failure for failure in failures if failure.family == family and failure.rejected]
    if made.get(family, 0) or len(rejected) < HOPELESS:
        return
    reasons: Counter[str] = Counter()
    for failure in rejected:
        reasons.update(failure.rejected)
    table = "".join(f"\n  {count:6}  {name}" for name, count in reasons.most_common())
    raise InputError(
        f"family {family} seems impossible: {reasons.total()} draws of {len(rejected)} scenes were all rejected, "
        f"and no pair of it was made:{table}",
        f"change scene.families.{family} or scene.accept, or leave the family out (scene.families.{family}.share=0); "
        "executor.dry_run=true tells the reasons in seconds",
    )


def _over_budget(failures: list[Failure], allowed: int) -> InputError:
    shown = "".join(f"\n  {failure.id}: {failure.reason}" for failure in failures[:SHOWN])
    more = f"\n  and {len(failures) - SHOWN} more" if len(failures) > SHOWN else ""
    return InputError(
        f"{len(failures)} scenes failed, {allowed} may (executor.failure_budget):{shown}{more}",
        f"read {failures[-1].log}; finished pairs are kept, and the same command tries the others again",
    )
