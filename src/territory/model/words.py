"""Columns whose cells are words: enums, weekdays, weekly hours, hours by date, date ranges, sets."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.model.cells import Chunks, is_null, text_parts
from territory.model.dated import DatedHours, Exceptions, format_exceptions, parse_exceptions
from territory.model.hours import WEEKDAYS, WeeklyHours, format_hours, parse_days, parse_hours
from territory.model.ragged import DateRanges, Ranges, TextSets, code_texts, format_ranges, parse_ranges, parse_words

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    import numpy.typing as npt

    from territory.model.arrays import BoolArray
    from territory.model.cells import Cells
    from territory.model.columns import Column, Findings
    from territory.model.ragged import Coded

__all__ = ["read_dates", "read_enum", "read_exceptions", "read_hours", "read_sets", "read_weekdays"]

#: All seven weekdays as a bit mask.
_ANY_DAY = 127


def _code(cells: Cells, name: str, findings: Findings, read: Callable[[str], Any], filler: Hashable) -> Coded:
    return code_texts(text_parts(cells, name, findings), len(cells), read, filler)


def _lookup(coded: Coded, dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.array([*coded.cells, 0], dtype=dtype)[coded.code]  # one more, so that no cells at all are fine


def _as_words(cells: Cells, word_of: Mapping[int, str]) -> Cells:
    """Write whole numbers among object cells as the words they stand for."""
    if isinstance(cells, Chunks) or cells.dtype.kind != "O":
        return cells
    words = np.empty(len(cells), dtype=object)
    words[:] = [
        word_of.get(int(v), v) if isinstance(v, (int, np.integer)) and not isinstance(v, bool) else v
        for v in cells.tolist()
    ]
    return words


def read_enum(cells: Cells, name: str, spec: Column, findings: Findings) -> npt.NDArray[np.int8]:
    """Read one of a few words, or its code; blank is -1, or the default."""
    members = () if spec.words is None else tuple(spec.words)
    legal = {member.name.lower(): int(member) for member in members}
    if spec.missing:
        legal[""] = -1 if spec.default is None else spec.default
    expected = ", ".join(word for word in legal if word)
    if not isinstance(cells, Chunks) and cells.dtype.kind in "iu":
        known: BoolArray = np.isin(cells, list(legal.values()))
        findings.rows("unknown-word", f"expected codes of {expected}", ~known, column=name)
        return np.where(known, cells, 0).astype(np.int8)

    def read(text: str) -> int:
        word = text.strip().casefold().replace("-", "_")  # settings write follow-up
        if word not in legal:
            raise ValueError(repr(text))
        return legal[word]

    coded = _code(_as_words(cells, {v: k for k, v in legal.items()}), name, findings, read, 0)
    findings.rows(
        "unknown-word",
        f"expected one of {expected}, not {_shown(coded, ', ', 3)}",
        coded.bad & ~findings.bad_in(name),
        column=name,
    )
    return _lookup(coded, np.int8)


def _shown(coded: Coded, sep: str, most: int) -> str:
    return sep.join(sorted(set(coded.why.values()))[:most])


def read_weekdays(cells: Cells, name: str, spec: Column, findings: Findings) -> npt.NDArray[np.uint8]:
    """Read weekdays such as ``"Tu,Th"``, or bit masks (1 = Monday); blank is any, or none where it may be blank."""
    blank, low = (0, 0) if spec.missing else (_ANY_DAY, 1)
    if not isinstance(cells, Chunks) and cells.dtype.kind in "iu":
        known: BoolArray = (cells >= 0) & (cells <= _ANY_DAY)
        findings.rows("weekdays-not-understood", f"expected {low} to {_ANY_DAY}", ~known, column=name, hint=spec.doc)
        return np.where(known, cells, _ANY_DAY).astype(np.uint8)

    def read(text: str) -> int:
        if not text.strip():
            return blank
        days = parse_days(text.strip())
        if days is None:
            raise ValueError(text)
        return sum(1 << d for d in set(days))

    words = {mask: ",".join(WEEKDAYS[d] for d in range(7) if mask >> d & 1) for mask in range(low, _ANY_DAY + 1)}
    coded = _code(_as_words(cells, words), name, findings, read, _ANY_DAY)
    findings.rows(
        "weekdays-not-understood", f"expected e.g. {WEEKDAYS[0]},{WEEKDAYS[2]}", coded.bad, column=name, hint=spec.doc
    )
    return _lookup(coded, np.uint8)


def _as_text(cells: Cells, types: tuple[type, ...], write: Callable[[Any], str]) -> Cells:
    """Write cells that are Python values (as the rows of a table have them) in the text form."""
    if isinstance(cells, Chunks) or cells.dtype.kind != "O":
        return cells
    values = cells.tolist()
    if not any(isinstance(v, types) for v in values):
        return cells
    texts = np.empty(len(values), dtype=object)
    texts[:] = [write(v) if isinstance(v, types) else v for v in values]
    return texts


def _write_week(value: Any) -> str:
    try:
        days = value if isinstance(value, dict) else dict(zip(range(7), value, strict=True))
        week = WeeklyHours.from_weeks([days])
    except (TypeError, ValueError):
        return repr(value)  # which is then not understood, and shown
    return format_hours(week[0])


def read_hours(cells: Cells, name: str, findings: Findings) -> WeeklyHours:
    """Read weekly hours; blank is always."""
    cells = _as_text(cells, (tuple, list, dict), _write_week)
    coded = _code(cells, name, findings, parse_hours, parse_hours(""))
    findings.rows(
        "hours-not-understood",
        _shown(coded, "; ", 2),
        coded.bad,
        column=name,
        hint="Write e.g. Mo-Fr 09:00-12:00,13:00-17:00; Sa 10:00-14:00.",
    )
    return WeeklyHours(coded.code, coded.cells)


def _write_ranges(value: Any) -> str:
    try:
        return format_ranges(tuple((np.datetime64(a, "D"), np.datetime64(b, "D")) for a, b in value))
    except (TypeError, ValueError):
        return repr(value)


def read_dates(cells: Cells, name: str, findings: Findings) -> DateRanges:
    """Read date ranges; blank is none."""
    cells = _as_text(cells, (tuple, list), _write_ranges)
    none: Ranges = ()
    coded = _code(cells, name, findings, parse_ranges, none)
    findings.rows(
        "dates-not-understood",
        _shown(coded, "; ", 2),
        coded.bad,
        column=name,
        hint="Write e.g. 2026-12-24..2026-12-31; 2027-01-06.",
    )
    return DateRanges(coded.code, coded.cells)


def _write_exceptions(value: Any) -> str:
    try:
        cell = tuple(
            (np.datetime64(a, "D"), np.datetime64(b, "D"), tuple((index(x), index(y)) for x, y in hours))
            for a, b, hours in value
        )
        return format_exceptions(cell)
    except (TypeError, ValueError):
        return repr(value)


def read_exceptions(cells: Cells, name: str, findings: Findings) -> DatedHours:
    """Read hours of single dates; blank is none."""
    cells = _as_text(cells, (tuple, list), _write_exceptions)
    none: Exceptions = ()
    coded = _code(cells, name, findings, parse_exceptions, none)
    findings.rows(
        "exceptions-not-understood",
        _shown(coded, "; ", 2),
        coded.bad,
        column=name,
        hint="Write e.g. 2026-12-24 09:00-12:00; 2026-12-25..2026-12-26 off.",
    )
    return DatedHours(coded.code, coded.cells)


def read_sets(cells: Cells, name: str, findings: Findings) -> TextSets:
    """Read sets of words, written ``"a; b"`` or as lists; blank is none."""
    lists = (list, tuple, set, frozenset, np.ndarray)
    if isinstance(cells, Chunks) or cells.dtype.kind != "O" or not any(isinstance(v, lists) for v in cells.tolist()):
        coded = _code(cells, name, findings, parse_words, frozenset())
        return TextSets(coded.code, coded.cells)
    sets, wrong = [], np.zeros(len(cells), dtype=bool)
    for row, value in enumerate(cells.tolist()):
        if isinstance(value, lists):
            words = [w for w in value if not is_null(w)]
            wrong[row] = any(not isinstance(w, str) or ";" in w for w in words)
            sets.append(frozenset[str]() if wrong[row] else frozenset(words))
        else:
            wrong[row] = not (isinstance(value, str) or is_null(value))
            sets.append(parse_words(value) if isinstance(value, str) else frozenset())
    findings.rows("not-words", "expected words without semicolons", wrong, column=name)
    return TextSets.from_sets(sets)
