"""Weekly hours: opening hours of customers, shifts of reps.

The text form is a subset of the OpenStreetMap *opening_hours* format::

    Mo-Fr 09:00-12:00,13:00-17:00; Sa 10:00-14:00
    Mo-Fr 08:00-12:00, Th 14:00-18:00
    24/7
    off

As there, a rule after ``;`` replaces earlier ones on its weekdays and a rule after ``,`` adds to
them; an interval that ends before it begins runs over midnight. ``PH off`` is read and left out:
public holidays are a parameter of planning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from territory.model.arrays import BoolArray, IdxArray, TextArray, frozen
from territory.units import DAY_S, clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

__all__ = ["WEEKDAYS", "WeeklyHours", "format_hours", "parse_hours"]

WEEKDAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY_NUMBER: Final = {name: i for i, name in enumerate(WEEKDAYS)}

#: Intervals of one weekday: (open, close) in seconds from local midnight, sorted, disjoint.
Intervals: TypeAlias = tuple[tuple[int, int], ...]
#: Seven tuples of intervals, Monday first.
Week: TypeAlias = tuple[Intervals, ...]

_ALWAYS: Final[Week] = (((0, DAY_S),),) * 7
_TIME = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_RULE = re.compile(r"(?P<days>(?:Mo|Tu|We|Th|Fr|Sa|Su|PH|SH)[A-Za-z,\-\s]*?)?\s*(?P<times>off|closed|24/7|\d.*)?")
_ADDED_RULE = re.compile(r",\s*(?=(?:Mo|Tu|We|Th|Fr|Sa|Su)(?:\s*[-,]\s*(?:Mo|Tu|We|Th|Fr|Sa|Su))*\s+\d)")


def _parse_days(text: str) -> list[int] | None:
    """Return weekday numbers; None for holidays, which planning handles."""
    days: list[int] = []
    for part in text.replace(" ", "").strip(",").split(","):
        if part in ("PH", "SH"):
            continue
        first, dash, last = part.partition("-")
        if first not in _DAY_NUMBER or (dash and last not in _DAY_NUMBER):
            msg = f"unknown weekday {part!r}"
            raise ValueError(msg)
        a = _DAY_NUMBER[first]
        b = _DAY_NUMBER[last] if dash else a
        days += [(a + i) % 7 for i in range((b - a) % 7 + 1)]
    return days or None


def _parse_times(text: str) -> list[tuple[int, int]]:
    times = []
    for part in text.split(","):
        match = _TIME.fullmatch(part.strip())
        if match is None:
            msg = f"not a time interval: {part.strip()!r}"
            raise ValueError(msg)
        h1, m1, h2, m2 = (int(g) for g in match.groups())
        if h1 > 24 or h2 > 48 or m1 > 59 or m2 > 59 or (h1 == 24 and m1 > 0) or (h2 == 48 and m2 > 0):
            msg = f"no such time of day: {part.strip()!r}"
            raise ValueError(msg)
        opens, closes = h1 * 3600 + m1 * 60, h2 * 3600 + m2 * 60
        times.append((opens, closes + DAY_S if closes < opens else closes))
    return times


def _merged(intervals: Iterable[tuple[int, int]]) -> Intervals:
    merged: list[tuple[int, int]] = []
    for opens, closes in sorted(set(intervals)):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return tuple(merged)


def _split_midnight(week: Sequence[Iterable[tuple[int, int]]]) -> Week:
    split: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for day in range(7):
        for opens, closes in week[day]:
            split[day].append((opens, min(closes, DAY_S)))
            if closes > DAY_S:
                split[(day + 1) % 7].append((0, closes - DAY_S))
    return tuple(_merged(day) for day in split)


def parse_hours(text: str) -> Week:
    """Read weekly hours from text.

    Parameters
    ----------
    text : str
        See the module's head. Blank means no restriction: ``24/7``.

    Returns
    -------
    tuple of 7 tuples of (int, int)
        For each weekday, Monday first, the intervals in seconds from local midnight; sorted,
        disjoint, within [0, 86400].

    Raises
    ------
    ValueError
        The text is not of this form; the message quotes the part.

    Examples
    --------
    >>> parse_hours("Mo 09:00-12:00,13:00-17:00; Tu 22:00-02:00")[:3]
    (((32400, 43200), (46800, 61200)), ((79200, 86400),), ((0, 7200),))
    """
    text = text.strip()
    if text in ("", "24/7"):
        return _ALWAYS
    week: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for block in text.split(";"):
        replaced: set[int] = set()
        for rule in _ADDED_RULE.split(block):
            if not rule.strip():
                continue
            match = _RULE.fullmatch(rule.strip())
            if match is None or (match["days"] is None and match["times"] is None):
                msg = f"not understood: {rule.strip()!r}"
                raise ValueError(msg)
            days = _parse_days(match["days"]) if match["days"] else list(range(7))
            what = (match["times"] or "24/7").strip()
            times = [] if what in ("off", "closed") else [(0, DAY_S)] if what == "24/7" else _parse_times(what)
            if days is None:
                if times:
                    msg = f"hours on public holidays are not supported: {rule.strip()!r}"
                    raise ValueError(msg)
                continue
            for day in days:
                if day not in replaced:
                    week[day] = []
                    replaced.add(day)
                week[day] += times
    return _split_midnight(week)


def format_hours(week: Week) -> str:
    """Write weekly hours as text that `parse_hours` reads back as the same.

    >>> format_hours(parse_hours("Sa 10:00-14:00;Mo-Fr 09:00-17:00"))
    'Mo-Fr 09:00-17:00; Sa 10:00-14:00'
    """
    if week == _ALWAYS:
        return "24/7"
    if not any(week):
        return "off"
    rules = []
    day = 0
    while day < 7:
        last = day
        while last < 6 and week[last + 1] == week[day]:
            last += 1
        if week[day]:
            days = WEEKDAYS[day] if last == day else f"{WEEKDAYS[day]}-{WEEKDAYS[last]}"
            times = ",".join(f"{clock(a)}-{clock(b)}" for a, b in week[day])
            rules.append(f"{days} {times}")
        day = last + 1
    return "; ".join(rules)


@dataclass(frozen=True, eq=False)
class WeeklyHours:
    """Weekly hours of n rows: each row points at one of a few distinct weeks.

    Attributes
    ----------
    code : int32 array of shape (n,)
        Which week a row keeps.
    weeks : tuple of Week
        The distinct weeks.
    """

    code: IdxArray
    weeks: tuple[Week, ...]

    @classmethod
    def from_text(cls, texts: Sequence[str] | TextArray) -> WeeklyHours:
        """Read the text form, one a row; raises ValueError at the first that is not understood."""
        hours, errors = cls.parse(texts)
        if errors:
            row, why = next(iter(errors.items()))
            msg = f"row {row}: {why}"
            raise ValueError(msg)
        return hours

    @classmethod
    def parse(cls, texts: Sequence[str] | TextArray) -> tuple[WeeklyHours, dict[int, str]]:
        """Read the text form; rows that are not understood come back as {row: why}, and as 24/7."""
        values = texts.tolist() if isinstance(texts, np.ndarray) else texts
        code_of: dict[str, int] = {}
        why_of: dict[str, str] = {}
        week_code: dict[Week, int] = {}
        code = np.empty(len(values), dtype=np.int32)
        errors: dict[int, str] = {}
        for row, text in enumerate(values):
            found = code_of.get(text)
            if found is None:
                try:
                    week = parse_hours(text)
                except ValueError as error:
                    why_of[text] = str(error)
                    week = _ALWAYS
                found = code_of[text] = week_code.setdefault(week, len(week_code))
            if text in why_of:
                errors[row] = why_of[text]
            code[row] = found
        return cls(frozen(code), tuple(week_code)), errors

    @classmethod
    def from_weeks(cls, weeks: Iterable[Mapping[int, Iterable[tuple[int, int]]]]) -> WeeklyHours:
        """Build from mappings of weekday (0 = Monday) to intervals in seconds.

        Raises
        ------
        ValueError
            An interval opens after it closes, or leaves the day.
        """
        week_code: dict[Week, int] = {}
        codes = []
        for row, mapping in enumerate(weeks):
            days = []
            for weekday in range(7):
                intervals = [(int(a), int(b)) for a, b in mapping.get(weekday, ())]
                for opens, closes in intervals:
                    if not 0 <= opens <= closes <= DAY_S:
                        msg = f"row {row}: opens at {opens} s and closes at {closes} s"
                        raise ValueError(msg)
                days.append(_merged(intervals))
            codes.append(week_code.setdefault(tuple(days), len(week_code)))
        return cls(frozen(np.asarray(codes, dtype=np.int32)), tuple(week_code))

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, row: int) -> Week:
        return self.weeks[self.code[row]]

    def on(self, row: int, weekday: int) -> Intervals:
        """Return the intervals of a row on a weekday (0 = Monday)."""
        return self.weeks[self.code[row]][weekday]

    def take(self, idx: npt.NDArray[np.integer]) -> WeeklyHours:
        """Return the rows at positions `idx`."""
        return WeeklyHours(frozen(self.code[idx]), self.weeks)

    def where(self, test: Sequence[bool]) -> BoolArray:
        """Return for each row whether `test` holds for its week, bool of shape (n,)."""
        return np.asarray(test, dtype=bool)[self.code]

    def to_text(self) -> list[str]:
        """Write the text form, one a row."""
        texts = [format_hours(week) for week in self.weeks]
        return [texts[c] for c in self.code]
