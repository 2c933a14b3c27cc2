"""What a column is, and what was found wrong while reading one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.arrays import BoolArray

__all__ = ["Column", "Findings", "Kind", "column", "columns_of"]


class Kind(Enum):
    """What the values of a column are."""

    TEXT = "text"
    FLOAT = "number"
    INT = "whole number"
    IDX = "position in another table"
    BOOL = "true or false"
    DAY = "date"
    INSTANT = "instant (UTC)"
    ENUM = "one of a few words"
    WEEKDAYS = "weekdays"
    HOURS = "weekly hours"
    DATES = "date ranges"
    EXCEPTIONS = "hours by date"
    SETS = "set of words"


@dataclass(frozen=True, slots=True)
class Column:
    """The rules of one column.

    Attributes
    ----------
    kind : Kind
    unit : str
        For people; ``""`` for a pure number or text.
    low, high : float, optional
        Closed bounds; with `low_open` the lower bound itself is excluded.
    missing : bool
        Whether single rows may be blank (NaN, NaT, ``""``) in a column that is there. Weekly hours,
        hours by date, date ranges and sets have a meaning for blank of their own; weekdays that
        may be blank are then none, else all seven.
    unique : bool
        Whether a value may stand only once; such a column is an id: never blank.
    words : type of IntEnum, optional
        The legal words of an ENUM column.
    doc : str
        What it says, for people.
    code : str
        Begins the code of the rule on its bounds; ``""``: the column's name.
    clock : str
        Of a DAY column, the column that takes the time of day: a time beside the day is a fault then, for
        it would be lost; ``""``: the day of a time is meant.
    default : int, optional
        Of an ENUM column, what blank stands for.
    """

    kind: Kind
    unit: str = ""
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    missing: bool = False
    unique: bool = False
    words: type[IntEnum] | None = None
    doc: str = ""
    code: str = ""
    clock: str = ""
    default: int | None = None


def column(kind: Kind, doc: str, *, required: bool = False, **rules: Any) -> Any:
    """Declare a column as a dataclass field; an optional one is ``None`` when absent."""
    spec = Column(kind=kind, doc=doc, **rules)
    if required:
        return dataclasses.field(metadata={"column": spec})
    return dataclasses.field(default=None, metadata={"column": spec})


_DECLARED: Final[dict[type, dict[str, Column]]] = {}


def columns_of(cls: type) -> dict[str, Column]:
    """Return the declared columns of a table class, in order."""
    if cls not in _DECLARED:
        _DECLARED[cls] = {f.name: f.metadata["column"] for f in dataclasses.fields(cls) if "column" in f.metadata}
    return _DECLARED[cls]


class Findings:
    """Collects everything wrong in one input, so that it is reported at once.

    Parameters
    ----------
    n : int
        Number of rows of the input.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.whole: bool = False  # a problem of the table, not of single rows
        self._bad: BoolArray = np.zeros(n, dtype=bool)
        self._bad_in: dict[str, BoolArray] = {}

    @property
    def bad_rows(self) -> BoolArray:
        """Rows with at least one problem, bool of shape (n,)."""
        return self._bad

    def bad_in(self, column: str) -> BoolArray:
        """Return the rows that have a problem in one column, bool of shape (n,)."""
        found = self._bad_in.get(column)
        return np.zeros(self.n, dtype=bool) if found is None else found

    def table(self, code: str, message: str, *, column: str | None = None, hint: str | None = None) -> None:
        """Note a problem of the whole table, e.g. a missing column."""
        self.whole = True
        self.problems.append(Problem(code, message, column=column, hint=hint))

    def rows(
        self,
        code: str,
        message: str,
        bad: npt.NDArray[Any],
        *,
        column: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Note a problem of the rows where `bad` (bool of shape (n,)) holds; none: nothing is noted."""
        found = self._problem(code, message, bad, column, hint)
        if found is not None:
            self.problems.append(found)
            self._bad |= bad
            if column is not None:
                self._bad_in[column] = self.bad_in(column) | bad

    def warn(
        self,
        code: str,
        message: str,
        bad: npt.NDArray[Any] | None = None,
        *,
        column: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Keep a warning about the rows where `bad` holds, or about the whole table."""
        if bad is None:
            self.warnings.append(Problem(code, message, column=column, hint=hint))
            return
        found = self._problem(code, message, bad, column, hint)
        if found is not None:
            self.warnings.append(found)

    @staticmethod
    def _problem(
        code: str, message: str, bad: npt.NDArray[Any], column: str | None, hint: str | None
    ) -> Problem | None:
        rows = np.flatnonzero(bad)
        if rows.size == 0:
            return None
        first = tuple(int(r) for r in rows[:MAX_ROWS_LISTED])
        return Problem(code, message, column=column, count=int(rows.size), rows=first, hint=hint)

    def raise_if_any(self, subject: str) -> None:
        """Raise one `InputError` with all problems, if there are any."""
        if self.problems:
            raise InputError(self.problems, subject)
