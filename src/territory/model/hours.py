"""Weekly hours: opening hours of customers, shifts of reps.

The text form is a subset of the OpenStreetMap *opening_hours* format::

    Mo-Fr 09:00-12:00,13:00-17:00; Sa 10:00-14:00
    Mo-Fr 08:00-12:00, Th 14:00-18:00
    24/7
    off

As there, a rule after ``;`` replaces earlier ones on its weekdays and a rule after ``,`` adds to
them; weekdays without times mean the whole day; an interval that ends before it begins runs over
midnight and belongs to the day on which it begins: ``Mo-Su 20:00-04:00; We off`` is open on
Wednesday until four. An interval of no length is kept: one moment. Intervals that touch are one.

What planning knows otherwise is left out: ``PH off``, ``SH off``, and ``PH`` or ``SH`` beside
weekdays (holidays are a parameter of planning). Months, dates, sunrise, comments and open ends
are refused. Where this format goes further than OSM: times may have seconds (``09:00:30``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from territory.model.arrays import BoolArray, IdxArray, TextArray, row_positions
from territory.model.ragged import code_texts, read_codes, text_lists
from territory.units import DAY_S, clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

__all__ = ["WEEKDAYS", "WeeklyHours", "clock_text", "clock_times", "format_hours", "merged", "parse_hours"]

WEEKDAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY_NUMBER: Final = {name: i for i, name in enumerate(WEEKDAYS)}

#: Intervals of one weekday: (open, close) in seconds from local midnight, sorted, disjoint.
Intervals: TypeAlias = tuple[tuple[int, int], ...]
#: Seven tuples of intervals, Monday first.
Week: TypeAlias = tuple[Intervals, ...]

_ALWAYS: Final[Week] = (((0, DAY_S),),) * 7
_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
_TIME = re.compile(rf"{_CLOCK}\s*-\s*{_CLOCK}", re.ASCII)
_NAMES = "Mo|Tu|We|Th|Fr|Sa|Su|PH|SH"
_DAYS = rf"(?:{_NAMES})(?:\s*[-,]\s*(?:{_NAMES}))*"
_RULE = re.compile(rf"(?P<days>{_DAYS})?\s*(?P<times>off|closed|24/7|\d.*)?", re.ASCII)
#: A comma that begins an added rule follows a time (or "off") and precedes weekdays with times.
_ADDED_RULE = re.compile(rf"(?<=[\dfd]),\s*(?={_DAYS}\s*\d)", re.ASCII)


def parse_days(text: str) -> list[int] | None:
    """Return weekday numbers (0 = Monday), ``"Sa-Mo"`` running over Sunday; None for holidays only.

    >>> parse_days("Fr-Mo,We")
    [4, 5, 6, 0, 2]
    """
    days: list[int] = []
    for part in text.replace(" ", "").split(","):
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


def clock_times(text: str) -> list[tuple[int, int]]:
    """Read times such as ``"09:00-12:00,13:00-17:00"`` as seconds; one that closes before it opens stays so.

    Raises
    ------
    ValueError
        A part is no interval, or a time of it is none of a day (the end: of a day or the next).
    """
    times = []
    for part in text.split(","):
        match = _TIME.fullmatch(part.strip())
        if match is None:
            msg = f"not a time interval: {part.strip()!r}"
            raise ValueError(msg)
        h1, m1, s1, h2, m2, s2 = (int(g or 0) for g in match.groups())
        opens, closes = h1 * 3600 + m1 * 60 + s1, h2 * 3600 + m2 * 60 + s2
        if max(m1, s1, m2, s2) > 59 or opens > DAY_S or closes > 2 * DAY_S:
            msg = f"no such time of day: {part.strip()!r}"
            raise ValueError(msg)
        times.append((opens, closes))
    return times


def _parse_times(text: str) -> list[tuple[int, int]]:
    return [(opens, closes + DAY_S if closes < opens else closes) for opens, closes in clock_times(text)]


def merged(intervals: Iterable[tuple[int, int]]) -> Intervals:
    """Return intervals sorted; those that overlap or touch are one."""
    found: list[tuple[int, int]] = []
    for opens, closes in sorted(set(intervals)):
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(closes, found[-1][1]))
        else:
            found.append((opens, closes))
    return tuple(found)


def _split_midnight(week: Sequence[Iterable[tuple[int, int]]]) -> Week:
    split: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for day in range(7):
        for opens, closes in week[day]:
            if opens < DAY_S or closes == DAY_S:  # 24:00-26:00 lies on the next day alone
                split[day].append((opens, min(closes, DAY_S)))
            if closes > DAY_S:
                split[(day + 1) % 7].append((0, closes - DAY_S))
    return tuple(merged(day) for day in split)


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
    ruled = False
    for block in text.split(";"):
        for place, rule in enumerate(_ADDED_RULE.split(block)):
            if not rule.strip():
                continue
            days, times = _parse_rule(rule.strip())
            ruled |= bool(days)
            for day in days:
                week[day] = [*week[day], *times] if place else times
    return _split_midnight(week) if ruled else _ALWAYS  # "PH off" alone says nothing about weekdays


def _parse_rule(rule: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the weekdays and times of one rule; no days for holidays, which planning handles."""
    match = _RULE.fullmatch(rule)
    if match is None:
        msg = f"not understood: {rule!r}"
        raise ValueError(msg)
    what = match["times"] or "24/7"
    times = [] if what in ("off", "closed") else [(0, DAY_S)] if what == "24/7" else _parse_times(what)
    days = parse_days(match["days"]) if match["days"] else list(range(7))
    if days is None and times:
        msg = f"hours on holidays are not supported: {rule!r}"
        raise ValueError(msg)
    return days or [], times


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
            times = ",".join(f"{clock_text(a)}-{clock_text(b)}" for a, b in week[day])
            rules.append(f"{days} {times}")
        day = last + 1
    return "; ".join(rules)


def clock_text(second: int) -> str:
    """Write a time of day, with seconds where it has some.

    >>> clock_text(32400), clock_text(32430)
    ('09:00', '09:00:30')
    """
    return f"{clock(second)}:{second % 60:02d}" if second % 60 else clock(second)


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", read_codes(self.code, len(self.weeks)))

    def __reduce__(self) -> tuple[Any, ...]:  # a pickled array comes back writeable
        return type(self), (self.code, self.weeks)

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
        read = code_texts(text_lists(texts), len(texts), parse_hours, _ALWAYS)
        errors = {row: read.why[str(texts[row])] for row in np.flatnonzero(read.bad).tolist()}
        return cls(read.code, read.cells), errors

    @classmethod
    def from_weeks(cls, weeks: Iterable[Mapping[int, Iterable[tuple[int, int]]]]) -> WeeklyHours:
        """Build from mappings of weekday (0 = Monday) to intervals in seconds.

        Raises
        ------
        ValueError
            An interval opens after it closes, leaves the day, or is no whole number of seconds;
            or there is no such weekday.
        """
        week_code: dict[Week, int] = {}
        codes = []
        for row, mapping in enumerate(weeks):
            if not set(mapping) <= set(range(7)):
                msg = f"row {row}: weekdays are 0 to 6, not {sorted(set(mapping) - set(range(7)))}"
                raise ValueError(msg)
            days = []
            for weekday in range(7):
                intervals = []
                for opens, closes in mapping.get(weekday, ()):
                    if not 0 <= opens <= closes <= DAY_S or opens != int(opens) or closes != int(closes):
                        msg = f"row {row}: opens at {opens} s and closes at {closes} s"
                        raise ValueError(msg)
                    intervals.append((int(opens), int(closes)))
                days.append(merged(intervals))
            codes.append(week_code.setdefault(tuple(days), len(week_code)))
        return cls(np.asarray(codes, dtype=np.int32), tuple(week_code))

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, row: int) -> Week:
        return self.weeks[int(self.code[row])]

    def on(self, row: int, weekday: int) -> Intervals:
        """Return the intervals of a row on a weekday (0 = Monday)."""
        return self.weeks[int(self.code[row])][weekday]

    def take(self, idx: npt.ArrayLike) -> WeeklyHours:
        """Return the rows at positions `idx` (or where a mask holds)."""
        return WeeklyHours(self.code[row_positions(idx, len(self), "rows")], self.weeks)

    def where(self, test: Sequence[bool]) -> BoolArray:
        """Return for each row whether `test` holds for its week, bool of shape (n,)."""
        return np.asarray(np.asarray(test, dtype=bool)[self.code])

    def to_text(self) -> list[str]:
        """Write the text form, one a row."""
        texts = [format_hours(week) for week in self.weeks]
        return [texts[c] for c in self.code.tolist()]
