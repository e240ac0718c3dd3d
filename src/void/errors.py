"""The error a user is meant to read."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input: what is wrong (naming the file and the value) and what to do about it.

    The command line prints it as two lines and exits with status 2, without a traceback.

    Args:
        problem: what was found, naming the file or key and the offending value.
        remedy: the next step that mends it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  -> {remedy}")
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str]]:
        return type(self), (self.problem, self.remedy)
