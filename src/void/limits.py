"""Ranges of configuration values, which each config dataclass checks in its `__post_init__`.

Composing a configuration builds the dataclasses, so every command refuses a bad value before it imports anything
heavy. A dataclass need not know where in the configuration it hangs: `void.composition` adds the path to the key.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from void.errors import InputError

MISSING_VALUE = "???"
MAX_SEED = 2**32 - 1


class LimitError(InputError):
    """A value that its key does not take.

    Args:
        key: Key of the value, relative to the dataclass that holds it.
        wanted: Legal values in words, as in "steps must be WANTED".
        found: The value in words.
        remedy: The next step that mends it.
    """

    def __init__(self, key: str, wanted: str, found: str, remedy: str) -> None:
        super().__init__(f"{key} must be {wanted}, got {found}", remedy)
        self.key, self.wanted, self.found = key, wanted, found

    def below(self, path: str) -> LimitError:
        """The same error with the key's full path: `path` is that of the node that holds the key, or empty."""
        return LimitError(f"{path}.{self.key}" if path else self.key, self.wanted, self.found, self.remedy)

    def __reduce__(self) -> tuple[type[LimitError], tuple[str, str, str, str]]:  # type: ignore[override]
        return type(self), (self.key, self.wanted, self.found, self.remedy)


@dataclass(frozen=True)
class Limit:
    """The legal values of a key; of a list of values, those of each element.

    Args:
        accepts: Test of one value.
        wanted: Legal values in words, as in "steps must be WANTED".
        remedy: What to use instead, or a function that tells it for a bad value.
        nearest: Legal names, of which the most similar one is offered for a misspelt one.
        is_interval: Whether the value is a pair whose first number is the smaller one.
        is_filled: Whether a list must have an element.
    """

    accepts: Callable[[Any], bool]
    wanted: str
    remedy: str | Callable[[Any], str]
    nearest: tuple[str, ...] = ()
    is_interval: bool = False
    is_filled: bool = False

    def or_use(self, remedy: str) -> Limit:
        """The same limit with another remedy."""
        return dataclasses.replace(self, remedy=remedy)


def at_least(low: float) -> Limit:
    """Numbers from `low` on."""
    return Limit(lambda value: value >= low, f"at least {low:g}", f"use {low:g} or more")


def above(low: float) -> Limit:
    """Numbers greater than `low`."""
    return Limit(lambda value: value > low, f"greater than {low:g}", f"use a number above {low:g}")


def between(low: float, high: float) -> Limit:
    """Numbers from `low` to `high`, both included."""
    first, last = (f"{bound:.15g}" for bound in (low, high))
    return Limit(
        lambda value: low <= value <= high, f"between {first} and {last}", f"use a number from {first} to {last}"
    )


def within(low: float, high: float) -> Limit:
    """Numbers from `low` to `high`, the latter excluded."""
    return Limit(
        lambda value: low <= value < high,
        f"at least {low:g} and less than {high:g}",
        f"use a number from {low:g} to below {high:g}",
    )


def multiple_of(step: int) -> Limit:
    """Positive multiples of `step`."""

    def remedy(value: Any) -> str:
        low = max(step, int(value) // step * step)
        return f"use {low} or {low + step}"

    return Limit(lambda value: value > 0 and value % step == 0, f"a positive multiple of {step}", remedy)


def interval(of: Limit) -> Limit:
    """Two numbers, each within a limit, the smaller one first."""
    return dataclasses.replace(of, is_interval=True)


def some(of: Limit) -> Limit:
    """A list of at least one element, each within a limit."""
    return dataclasses.replace(of, is_filled=True)


def one_of(names: Collection[str]) -> Limit:
    """One of some names."""
    listed = ", ".join(names)
    return Limit(lambda value: value in names, f"one of {listed}", f"use one of {listed}", nearest=tuple(names))


FRACTION = between(0, 1)
SEED = between(0, MAX_SEED)
ANY_NUMBER_REMEDY = "use a finite number"
ANY_NUMBER = Limit(math.isfinite, "a finite number", ANY_NUMBER_REMEDY)


def check_limits(config: Any, **limits: Limit) -> None:
    """Check the fields of a config dataclass. Null, values not given yet and interpolations are left alone.

    Args:
        config: Instance of a dataclass. All its numbers must be finite, also those without a limit.
        limits: Limit of each field, by name.

    Raises:
        LimitError: The first value that is out of range.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        limit = limits.get(field.name, ANY_NUMBER)
        for element in _elements(value):
            if isinstance(element, float) and not math.isfinite(element):
                finite = limit.remedy if isinstance(limit.remedy, str) else ANY_NUMBER_REMEDY
                raise LimitError(field.name, "a finite number", shown(value), finite)
        if field.name in limits and not _is_open(value):
            _check(field.name, value, limit)


def check_dict(key: str, values: dict[str, Any], **limits: Limit) -> None:
    """Check the entries of a config field that is a dictionary, as `check_limits` checks fields.

    Args:
        key: Name of the field, for the message.
        values: The dictionary. All its numbers must be finite.
        limits: Limit of each entry that may be there, by name.

    Raises:
        LimitError: The first value that is out of range.
    """
    for name, value in values.items():
        if any(isinstance(element, float) and not math.isfinite(element) for element in _elements(value)):
            raise LimitError(f"{key}.{name}", "a finite number", shown(value), ANY_NUMBER_REMEDY)
        if name in limits and not _is_open(value):
            _check(f"{key}.{name}", value, limits[name])


def recheck(config: Any, path: str = "") -> None:
    """Check a config dataclass and those inside it again, after somebody has set fields of an instance.

    Args:
        config: Instance of a dataclass.
        path: Key under which it hangs in the configuration, for the message; empty: it is the root.

    Raises:
        InputError: The first value that is out of range.
    """
    for field in dataclasses.fields(config):
        if dataclasses.is_dataclass(value := getattr(config, field.name)):
            recheck(value, f"{path}.{field.name}" if path else field.name)
    if hasattr(config, "__post_init__"):
        try:
            config.__post_init__()
        except LimitError as error:
            raise error.below(path) from None


def shown(value: Any) -> str:
    """A value as it is typed on the command line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _check(key: str, value: Any, limit: Limit) -> None:
    elements = list(_elements(value))
    if limit.is_filled and not elements:
        raise LimitError(key, "a list of at least one element", "[]", _remedy(limit, None))
    if not all(limit.accepts(element) for element in elements):
        wrong = next(element for element in elements if not limit.accepts(element))
        near = difflib.get_close_matches(str(wrong), limit.nearest, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise LimitError(key, limit.wanted, shown(value), f"{meant}{_remedy(limit, wrong)}")
    if limit.is_interval and elements[0] > elements[-1]:
        raise LimitError(key, "an interval with the smaller number first", shown(value), "exchange the two numbers")


def _remedy(limit: Limit, value: Any) -> str:
    return limit.remedy if isinstance(limit.remedy, str) else limit.remedy(value)


def _elements(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        yield from value
    elif value is not None:
        yield value


def _is_open(value: Any) -> bool:
    """Whether the value is not known yet: null, mandatory but missing, or an interpolation."""
    return value is None or (isinstance(value, str) and (value == MISSING_VALUE or value.startswith("${")))
