"""The errors that this library raises.

::

    TerritoryError
      InputError (also ValueError)       bad input: every broken rule at once, in ``.problems``
      InfeasibleError                    the hard limits leave no answer, why in ``.reasons``
      TravelError                        a source of travel times failed; ``.retryable``
      SolverError                        an engine crashed, or its answer failed the independent check
      BatchError                         the ledger is locked, or inputs changed since the first run
      MissingExtraError (ImportError)    an optional package is needed, and how to install it

Running out of time is no error: the best answer so far comes back and its ``status`` says so.
Every error survives pickling, so that worker processes can hand it back.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BatchError",
    "InfeasibleError",
    "InputError",
    "MissingExtraError",
    "Problem",
    "SolverError",
    "TerritoryError",
    "TravelError",
]

#: How many row numbers a problem lists; its ``count`` tells how many there are.
MAX_ROWS_LISTED = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule, or one warning: what, where, how often, and a hint.

    Attributes
    ----------
    code : str
        Stable, hyphenated name of the rule, e.g. ``"lat-out-of-range"``.
    message : str
        What is wrong, as a clause that a user can read.
    column : str, optional
        The column it stands in.
    count : int
        How many rows break the rule.
    rows : tuple of int
        The first of them, 0-based positions in the input.
    hint : str, optional
        What may be meant, e.g. ``"Maybe lon and lat are swapped?"``.
    """

    code: str
    message: str
    column: str | None = None
    count: int = 1
    rows: tuple[int, ...] = ()
    hint: str | None = None

    def __str__(self) -> str:
        where = f"{self.column}: " if self.column else ""
        rows = ""
        if self.rows:
            listed = ", ".join(str(r) for r in self.rows[:MAX_ROWS_LISTED])
            noun = "row" if self.count == 1 else "rows"
            first = "row" if self.count == 1 else "first rows"
            rows = f" (row {listed})" if self.count == 1 else f" ({self.count} {noun}, {first} {listed})"
        return f"{where}{self.message}{rows}"


def _listing(problems: tuple[Problem, ...]) -> str:
    width = max((len(p.code) for p in problems), default=0) + 2
    lines = []
    for problem in problems:
        lines.append(f"  {problem.code:<{width}} {problem}")
        if problem.hint:
            lines.append(f"  {'':<{width}} {problem.hint}")
    return "\n".join(lines)


class TerritoryError(Exception):
    """Base of every error that this library raises on purpose."""


class InputError(TerritoryError, ValueError):
    """The input breaks rules; all of them are in ``problems``.

    Parameters
    ----------
    problems : iterable of Problem
    subject : str
        What was being read, e.g. ``"customers"``.
    """

    def __init__(self, problems: Iterable[Problem], subject: str = "input") -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.subject = subject
        super().__init__(self.problems, subject)

    def __str__(self) -> str:
        values = sum(p.count for p in self.problems)
        rules = len(self.problems)
        head = f"{self.subject}: {values} bad value{'s' * (values != 1)} against {rules} rule{'s' * (rules != 1)}"
        return f"{head}\n{_listing(self.problems)}"

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the broken rules, in the order found."""
        return tuple(p.code for p in self.problems)


class InfeasibleError(TerritoryError):
    """No answer can keep the hard limits; ``reasons`` says who stands in the way and by how much."""

    def __init__(self, reasons: Iterable[Problem], subject: str = "no feasible answer") -> None:
        self.reasons: tuple[Problem, ...] = tuple(reasons)
        self.subject = subject
        super().__init__(self.reasons, subject)

    def __str__(self) -> str:
        return f"{self.subject}\n{_listing(self.reasons)}"


class TravelError(TerritoryError):
    """A source of travel times failed.

    Parameters
    ----------
    message : str
    retryable : bool
        Whether the same request may succeed later (a timeout, a rate limit).
    """

    def __init__(self, message: str, retryable: bool = False) -> None:  # noqa: FBT001, FBT002 - positional so that it pickles
        self.retryable = retryable
        super().__init__(message, retryable)

    def __str__(self) -> str:
        return str(self.args[0])


class SolverError(TerritoryError):
    """An engine crashed, or its answer failed the independent check.

    Parameters
    ----------
    message : str
    problems : iterable of Problem
        What the check found, if it was the check.
    """

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(message, self.problems)

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message}\n{_listing(self.problems)}" if self.problems else message


class BatchError(TerritoryError):
    """A batch cannot run: its ledger is locked, or its inputs changed since the first run."""


class MissingExtraError(TerritoryError, ImportError):
    """An optional package is missing.

    Parameters
    ----------
    package : str
        The package that could not be imported.
    extra : str
        The extra of this library that brings it.
    python : (int, int), optional
        The oldest Python that the package is made for, where that is newer than this library's.
    """

    def __init__(self, package: str, extra: str, python: tuple[int, int] | None = None) -> None:
        self.package = package
        self.extra = extra
        self.python = python
        super().__init__(package, extra, python)

    def __str__(self) -> str:
        if self.python is not None and sys.version_info[:2] < self.python:
            major, minor = self.python
            needs = f"Python {major}.{minor} or newer, and territory[{self.extra}]"
            return f"{self.package} is not installed: it needs {needs}"
        return f"{self.package} is not installed: pip install 'territory[{self.extra}]'"
