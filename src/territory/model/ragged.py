"""Columns whose cells hold several values: date ranges and sets of words.

Each row points at one of the distinct cells, so a million rows with a handful of different cells
take four bytes each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from territory.model.arrays import IdxArray, TextArray, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

__all__ = ["DateRanges", "TextSets", "parse_ranges"]

#: (first, last) days, both included, sorted.
Ranges: TypeAlias = tuple[tuple[np.datetime64, np.datetime64], ...]


def _day(text: str) -> np.datetime64:
    text = text.strip()
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        msg = f"not a date of the form 2026-12-31: {text!r}"
        raise ValueError(msg)
    return np.datetime64(text, "D")


def parse_ranges(text: str) -> Ranges:
    """Read date ranges, e.g. ``"2026-12-24..2026-12-31; 2027-01-06"``.

    Raises
    ------
    ValueError
        A part is no ISO date or range, or a range ends before it begins.

    Examples
    --------
    >>> parse_ranges("2027-01-06")
    ((np.datetime64('2027-01-06'), np.datetime64('2027-01-06')),)
    """
    ranges = []
    for part in text.split(";"):
        if not part.strip():
            continue
        first, dots, last = part.partition("..")
        a = _day(first)
        b = _day(last) if dots else a
        if b < a:
            msg = f"ends before it begins: {part.strip()!r}"
            raise ValueError(msg)
        ranges.append((a, b))
    return tuple(sorted(ranges))


@dataclass(frozen=True, eq=False)
class DateRanges:
    """Ranges of days of n rows (leave, call blocks).

    Attributes
    ----------
    code : int32 array of shape (n,)
        Which cell a row has.
    cells : tuple of Ranges
        The distinct cells; both ends of a range are included.
    """

    code: IdxArray
    cells: tuple[Ranges, ...]

    @classmethod
    def from_text(cls, texts: Sequence[str] | TextArray) -> DateRanges:
        """Read the text form, one a row; raises ValueError at the first that is not understood."""
        found, errors = cls.parse(texts)
        if errors:
            row, why = next(iter(errors.items()))
            msg = f"row {row}: {why}"
            raise ValueError(msg)
        return found

    @classmethod
    def parse(cls, texts: Sequence[str] | TextArray) -> tuple[DateRanges, dict[int, str]]:
        """Read the text form; rows that are not understood come back as {row: why}, and as blank."""
        values = texts.tolist() if isinstance(texts, np.ndarray) else texts
        code_of: dict[str, int] = {}
        why_of: dict[str, str] = {}
        cells: dict[Ranges, int] = {}
        code = np.empty(len(values), dtype=np.int32)
        errors: dict[int, str] = {}
        for row, text in enumerate(values):
            found = code_of.get(text)
            if found is None:
                try:
                    cell = parse_ranges(text)
                except ValueError as error:
                    why_of[text] = str(error)
                    cell = ()
                found = code_of[text] = cells.setdefault(cell, len(cells))
            if text in why_of:
                errors[row] = why_of[text]
            code[row] = found
        return cls(frozen(code), tuple(cells)), errors

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, row: int) -> Ranges:
        return self.cells[self.code[row]]

    def covers(self, row: int, day: np.datetime64) -> bool:
        """Return whether `day` lies in one of the row's ranges."""
        return any(first <= day <= last for first, last in self[row])

    def take(self, idx: npt.NDArray[np.integer]) -> DateRanges:
        """Return the rows at positions `idx`."""
        return DateRanges(frozen(self.code[idx]), self.cells)

    def to_text(self) -> list[str]:
        """Write the text form, one a row."""
        texts = ["; ".join(str(a) if a == b else f"{a}..{b}" for a, b in cell) for cell in self.cells]
        return [texts[c] for c in self.code]


@dataclass(frozen=True, eq=False)
class TextSets:
    """Sets of words of n rows (skills, contacts).

    Attributes
    ----------
    code : int32 array of shape (n,)
        Which set a row has.
    cells : tuple of frozenset of str
        The distinct sets.
    """

    code: IdxArray
    cells: tuple[frozenset[str], ...]

    @classmethod
    def from_sets(cls, sets: Iterable[Iterable[str]]) -> TextSets:
        """Build from iterables of words, one a row; words are stripped, blanks left out."""
        cells: dict[frozenset[str], int] = {}
        codes = [cells.setdefault(frozenset(w.strip() for w in words if w.strip()), len(cells)) for words in sets]
        return cls(frozen(np.asarray(codes, dtype=np.int32)), tuple(cells))

    @classmethod
    def from_text(cls, texts: Sequence[str] | TextArray) -> TextSets:
        """Read sets written as ``"a; b"``, one a row."""
        values = texts.tolist() if isinstance(texts, np.ndarray) else texts
        return cls.from_sets(text.split(";") for text in values)

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, row: int) -> frozenset[str]:
        return self.cells[self.code[row]]

    def take(self, idx: npt.NDArray[np.integer]) -> TextSets:
        """Return the rows at positions `idx`."""
        return TextSets(frozen(self.code[idx]), self.cells)

    def to_text(self) -> list[str]:
        """Write the text form, one a row; words in alphabetical order."""
        texts = ["; ".join(sorted(cell)) for cell in self.cells]
        return [texts[c] for c in self.code]
