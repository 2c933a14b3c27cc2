"""Hours of single dates: what replaces the weekly hours of a customer or a rep on a day or some days.

The text form stands beside those of weekly hours and of date ranges::

    2026-12-24 09:00-12:00; 2026-12-25..2026-12-26 off; 2026-01-31 10:00-16:00,17:00-19:00

A day, or the first and the last of several, then the times of each of these days, or ``off`` (also
``closed``). They stand for the whole calendar day, from midnight to midnight, and nothing is left of
its weekly hours; so hours do not run over midnight: the next day has a part of its own. No day
stands twice. Intervals that touch are one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from territory.model.arrays import BoolArray, IdxArray, TextArray, row_positions
from territory.model.hours import Intervals, clock_text, clock_times, merged
from territory.model.ragged import code_texts, day_of, first_error, read_codes, row_errors, text_lists
from territory.units import DAY_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["DatedHours", "Exceptions", "format_exceptions", "parse_exceptions"]

#: (first day, last day, hours of each of them), sorted, disjoint.
Exceptions: TypeAlias = tuple[tuple[np.datetime64, np.datetime64, Intervals], ...]

_PART: Final = re.compile(r"(?P<first>\S+?)(?:\s*\.\.\s*(?P<last>\S+))?(?:\s+(?P<hours>.+))?", re.DOTALL)


def _hours(text: str, part: str) -> Intervals:
    if text in ("off", "closed"):
        return ()
    times = clock_times(text)
    for opens, closes in times:
        if closes < opens:
            msg = f"opens after it closes: {part!r}; write hours after midnight with the next day"
            raise ValueError(msg)
        if closes > DAY_S:
            msg = f"runs over midnight: {part!r}; write hours after midnight with the next day"
            raise ValueError(msg)
    return merged(times)


def parse_exceptions(text: str) -> Exceptions:
    """Read hours of single dates; blank: none.

    Raises
    ------
    ValueError
        The text is not of this form, or a day stands twice; the message quotes the part.

    Examples
    --------
    >>> parse_exceptions("2026-12-24 09:00-12:00")
    ((np.datetime64('2026-12-24'), np.datetime64('2026-12-24'), ((32400, 43200),)),)
    >>> format_exceptions(parse_exceptions("2026-12-25 .. 2026-12-26 closed"))
    '2026-12-25..2026-12-26 off'
    """
    found = []
    for each in text.split(";"):
        part = each.strip()
        if not part:
            continue
        match = _PART.fullmatch(part)
        if match is None:  # a part that is not blank begins with something
            msg = f"not understood: {part!r}"
            raise ValueError(msg)
        first = day_of(match["first"])
        last = first if match["last"] is None else day_of(match["last"])
        if last < first:
            msg = f"ends before it begins: {part!r}"
            raise ValueError(msg)
        if match["hours"] is None:
            msg = f"a day without hours: {part!r}; write its hours, or off"
            raise ValueError(msg)
        found.append((first, last, _hours(match["hours"].strip(), part)))
    ordered = tuple(sorted(found))
    for (_, last, _), (first, _, _) in pairwise(ordered):
        if first <= last:
            msg = f"{first} stands twice: {text.strip()!r}"
            raise ValueError(msg)
    return ordered


def format_exceptions(cell: Exceptions) -> str:
    """Write hours of single dates as text that `parse_exceptions` reads back as the same."""
    parts = []
    for first, last, hours in cell:
        days = str(first) if first == last else f"{first}..{last}"
        parts.append(f"{days} {','.join(f'{clock_text(a)}-{clock_text(b)}' for a, b in hours) or 'off'}")
    return "; ".join(parts)


@dataclass(frozen=True, eq=False)
class DatedHours:
    """Hours of single dates of n rows: each row points at one of a few distinct cells.

    Attributes
    ----------
    code : int32 array of shape (n,)
        Which cell a row has.
    cells : tuple of Exceptions
        The distinct cells: (first day, last day, hours of each of them), sorted, disjoint; hours are
        seconds from local midnight, within [0, 86400], sorted, disjoint; none: closed.

    Examples
    --------
    >>> hours = DatedHours.from_text(["2026-12-24 09:00-12:00; 2026-12-25..2026-12-26 off", ""])
    >>> hours.on(0, np.datetime64("2026-12-24")), hours.on(0, np.datetime64("2026-12-26"))
    (((32400, 43200),), ())
    >>> hours.on(1, np.datetime64("2026-12-24")) is None
    True
    """

    code: IdxArray
    cells: tuple[Exceptions, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", read_codes(self.code, len(self.cells)))

    def __reduce__(self) -> tuple[Any, ...]:  # a pickled array comes back writeable
        return type(self), (self.code, self.cells)

    @classmethod
    def from_text(cls, texts: Sequence[str] | TextArray) -> DatedHours:
        """Read the text form, one a row; raises ValueError at the first that is not understood."""
        found, errors = cls.parse(texts)
        first_error(errors)
        return found

    @classmethod
    def parse(cls, texts: Sequence[str] | TextArray) -> tuple[DatedHours, dict[int, str]]:
        """Read the text form; rows that are not understood come back as {row: why}, and as blank."""
        none: Exceptions = ()
        read = code_texts(text_lists(texts), len(texts), parse_exceptions, none)
        return cls(read.code, read.cells), row_errors(read, texts)

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, row: int) -> Exceptions:
        return self.cells[int(self.code[row])]

    def on(self, row: int, day: np.datetime64) -> Intervals | None:
        """Return the hours of a row on a day that is an exception; None: the week's hours count."""
        return next((hours for first, last, hours in self[row] if first <= day <= last), None)

    @cached_property
    def _numbered(self) -> tuple[tuple[tuple[int, int, Intervals], ...], ...]:
        """The cells with days counted from 1970-01-01."""
        return tuple(
            tuple((int(first.astype(np.int64)), int(last.astype(np.int64)), hours) for first, last, hours in cell)
            for cell in self.cells
        )

    def within(self, row: int, days: range) -> tuple[tuple[int, Intervals], ...]:
        """Return the days of a row among `days`, counted from 1970-01-01, that are exceptions, with their hours."""
        cell = self._numbered[int(self.code[row])]
        return tuple((day, hours) for day in days for first, last, hours in cell if first <= day <= last)

    def take(self, idx: npt.ArrayLike) -> DatedHours:
        """Return the rows at positions `idx` (or where a mask holds)."""
        return DatedHours(self.code[row_positions(idx, len(self), "rows")], self.cells)

    def where(self, test: Sequence[bool]) -> BoolArray:
        """Return for each row whether `test` holds for its cell, bool of shape (n,)."""
        return np.asarray(np.asarray(test, dtype=bool)[self.code])

    def to_text(self) -> list[str]:
        """Write the text form, one a row."""
        texts = [format_exceptions(cell) for cell in self.cells]
        return [texts[c] for c in self.code.tolist()]
