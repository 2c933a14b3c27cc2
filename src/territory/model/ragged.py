"""Columns whose cells hold several values: date ranges and sets of words.

Each row points at one of the distinct cells, so a million rows with a handful of different cells
take four bytes each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from territory.model.arrays import CHUNK, BoolArray, IdxArray, TextArray, row_positions, sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    import numpy.typing as npt

__all__ = [
    "Coded",
    "DateRanges",
    "TextSets",
    "code_texts",
    "day_of",
    "first_error",
    "format_ranges",
    "parse_ranges",
    "parse_words",
    "read_codes",
    "row_errors",
    "text_lists",
]

C = TypeVar("C", bound="Hashable")

#: (first, last) days, both included, sorted.
Ranges: TypeAlias = tuple[tuple[np.datetime64, np.datetime64], ...]


class Coded(NamedTuple):
    """Cells that have been read: which of the distinct ones each row has, and what failed."""

    code: IdxArray
    cells: tuple[Any, ...]
    bad: BoolArray
    why: dict[str, str]


def code_texts(parts: Iterable[list[str]], n: int, read: Callable[[str], C], filler: C) -> Coded:
    """Read text cells through a function, once for each distinct text.

    Parameters
    ----------
    parts : iterable of lists of str, n in all
    n : int
    read : callable
        Raises ValueError for what it does not understand.
    filler : hashable
        Stands for cells that are not understood.

    Returns
    -------
    Coded
        ``why`` maps each text that is not understood to the reason.
    """
    code_of: dict[str, int] = {}
    cells: dict[C, int] = {}
    why: dict[str, str] = {}
    code = np.empty(n, dtype=np.int32)
    bad = np.zeros(n, dtype=bool)
    first = 0
    for part in parts:
        for text in dict.fromkeys(part):
            if text not in code_of:
                try:
                    cell = read(text)
                except ValueError as error:
                    why[text] = str(error)
                    cell = filler
                code_of[text] = cells.setdefault(cell, len(cells))
        at = slice(first, first + len(part))
        first += len(part)
        code[at] = list(map(code_of.__getitem__, part))
        if why:
            bad[at] = [text in why for text in part]
    return Coded(sealed(code), tuple(cells), bad, why)


def text_lists(texts: Sequence[str] | TextArray) -> Iterator[list[str]]:
    """Hand out texts in lists, so that few Python strings live at a time."""
    for first in range(0, len(texts), CHUNK):
        part = texts[first : first + CHUNK]
        yield part.tolist() if isinstance(part, np.ndarray) else list(part)


def read_codes(code: npt.ArrayLike, n_cells: int) -> IdxArray:
    """Return codes as a read-only copy; raises ValueError where one points at no cell."""
    codes = np.array(code, dtype=np.int32)
    if codes.ndim != 1 or (len(codes) and not (codes.min() >= 0 and codes.max() < n_cells)):
        msg = f"expected codes from 0 to {n_cells - 1} in one dimension"
        raise ValueError(msg)
    return sealed(codes)


def row_errors(read: Coded, texts: Sequence[str] | TextArray) -> dict[int, str]:
    """Return why rows were not understood."""
    return {row: read.why[str(texts[row])] for row in np.flatnonzero(read.bad).tolist()}


def first_error(errors: dict[int, str]) -> None:
    """Raise a ValueError for the first of some errors, if there are any."""
    if errors:
        row, why = next(iter(errors.items()))
        msg = f"row {row}: {why}"
        raise ValueError(msg)


def day_of(text: str) -> np.datetime64:
    """Read an ISO day; raises ValueError for anything else."""
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
        a = day_of(first)
        b = day_of(last) if dots else a
        if b < a:
            msg = f"ends before it begins: {part.strip()!r}"
            raise ValueError(msg)
        ranges.append((a, b))
    return tuple(sorted(ranges))


def format_ranges(ranges: Ranges) -> str:
    """Write date ranges as text that `parse_ranges` reads back as the same.

    >>> format_ranges(parse_ranges("2027-01-06;2026-12-24..2026-12-31"))
    '2026-12-24..2026-12-31; 2027-01-06'
    """
    return "; ".join(str(a) if a == b else f"{a}..{b}" for a, b in ranges)


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", read_codes(self.code, len(self.cells)))

    def __reduce__(self) -> tuple[Any, ...]:  # a pickled array comes back writeable
        return type(self), (self.code, self.cells)

    @classmethod
    def from_text(cls, texts: Sequence[str] | TextArray) -> DateRanges:
        """Read the text form, one a row; raises ValueError at the first that is not understood."""
        found, errors = cls.parse(texts)
        first_error(errors)
        return found

    @classmethod
    def parse(cls, texts: Sequence[str] | TextArray) -> tuple[DateRanges, dict[int, str]]:
        """Read the text form; rows that are not understood come back as {row: why}, and as blank."""
        none: Ranges = ()
        read = code_texts(text_lists(texts), len(texts), parse_ranges, none)
        return cls(read.code, read.cells), row_errors(read, texts)

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, row: int) -> Ranges:
        return self.cells[int(self.code[row])]

    def covers(self, row: int, day: np.datetime64) -> bool:
        """Return whether `day` lies in one of the row's ranges."""
        return any(first <= day <= last for first, last in self[row])

    def take(self, idx: npt.ArrayLike) -> DateRanges:
        """Return the rows at positions `idx` (or where a mask holds)."""
        return DateRanges(self.code[row_positions(idx, len(self), "rows")], self.cells)

    def to_text(self) -> list[str]:
        """Write the text form, one a row."""
        texts = [format_ranges(cell) for cell in self.cells]
        return [texts[c] for c in self.code.tolist()]


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", read_codes(self.code, len(self.cells)))

    def __reduce__(self) -> tuple[Any, ...]:  # a pickled array comes back writeable
        return type(self), (self.code, self.cells)

    @classmethod
    def from_sets(cls, sets: Iterable[Iterable[str]]) -> TextSets:
        """Build from iterables of words, one a row; words are stripped, blanks left out.

        Raises
        ------
        ValueError
            A row is a bare text, or a word has a semicolon, which parts words in the text form.
        """
        cells: dict[frozenset[str], int] = {}
        codes = []
        for row, words in enumerate(sets):
            if isinstance(words, str):
                msg = f"row {row}: expected words, not one text; see from_text"
                raise ValueError(msg)  # noqa: TRY004 - every fault of the input is a ValueError here
            cell = frozenset(w.strip() for w in words if w.strip())
            if any(";" in word for word in cell):
                msg = f"row {row}: a word with a semicolon"
                raise ValueError(msg)
            codes.append(cells.setdefault(cell, len(cells)))
        return cls(np.asarray(codes, dtype=np.int32), tuple(cells))

    @classmethod
    def from_text(cls, texts: Sequence[str] | TextArray) -> TextSets:
        """Read sets written as ``"a; b"``, one a row."""
        read = code_texts(text_lists(texts), len(texts), parse_words, frozenset[str]())
        return cls(read.code, read.cells)

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, row: int) -> frozenset[str]:
        return self.cells[int(self.code[row])]

    def take(self, idx: npt.ArrayLike) -> TextSets:
        """Return the rows at positions `idx` (or where a mask holds)."""
        return TextSets(self.code[row_positions(idx, len(self), "rows")], self.cells)

    def to_text(self) -> list[str]:
        """Write the text form, one a row; words in alphabetical order."""
        texts = ["; ".join(sorted(cell)) for cell in self.cells]
        return [texts[c] for c in self.code.tolist()]


def parse_words(text: str) -> frozenset[str]:
    """Read a set of words.

    >>> sorted(parse_words("b; a;; a"))
    ['a', 'b']
    """
    return frozenset(w.strip() for w in text.split(";") if w.strip())
