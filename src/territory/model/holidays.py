"""Public holidays by country and region, from the package ``holidays``; the only place that knows it.

The package's answers change with its versions. So whoever plans looks them up once, and the plan keeps
the days themselves (``PlanSettings.rep_holidays``).
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from territory.errors import InputError, MissingExtraError, Problem
from territory.model.arrays import sealed
from territory.model.columns import Findings
from territory.model.settings import as_day

if TYPE_CHECKING:
    from territory.model.arrays import DayArray
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings

__all__ = ["public_holidays", "with_rep_holidays"]


_FORM: Final = "Write e.g. DE or Germany."


class _UnknownError(ValueError):
    """What the package does not know, and what may have been meant."""

    def __init__(self, code: str, message: str, column: str, hint: str | None) -> None:
        super().__init__(message)
        self.code, self.column, self.hint = code, column, hint


class _Country(NamedTuple):
    """A country as the package has it.

    Attributes
    ----------
    code : str
        ISO 3166-1, two letters.
    regions : dict of str to str
        Codes and names, casefolded, to the package's code.
    shown : dict of str to str
        The same, to how people write them.
    first, last : int
        The years that the package knows.
    """

    code: str
    regions: dict[str, str]
    shown: dict[str, str]
    first: int
    last: int


def public_holidays(country: str, region: str | None = None, *, start: object, end: object) -> DayArray:
    """Return the public holidays of a country, or of a part of it.

    Parameters
    ----------
    country : str
        ISO 3166 code of two or three letters, or English name: ``"DE"``, ``"DEU"``, ``"Germany"``.
    region : str, optional
        Code or name of a part with holidays of its own, as the package ``holidays`` has it: ``"BY"``,
        ``"DE-BY"``, ``"Bayern"``; default: the days that the whole country keeps.
    start, end : day-like
        First and last day, both included.

    Returns
    -------
    datetime64[D] array, sorted
        With the days on which a holiday is observed instead, where a country does that.

    Raises
    ------
    InputError
        Unknown country or region, with the nearest name; years that the package does not know; an end
        before the start.
    MissingExtraError
        The package is not installed.

    Notes
    -----
    The days are those of the installed version of the package; holidays that depend on the sighting of
    the moon are its estimates.

    Examples
    --------
    >>> public_holidays("DE", "BY", start="2026-01-01", end="2026-01-31").astype(str).tolist()
    ['2026-01-01', '2026-01-06']
    """
    first, last = as_day(start), as_day(end, "end")
    if last < first:
        raise InputError([Problem("empty-horizon", f"the end, {last}, is before the start, {first}")], "parameters")
    try:
        return _days(str(country), region or "", first, last)
    except _UnknownError as error:
        problem = Problem(error.code, str(error), column=error.column, hint=error.hint)
        raise InputError([problem], "public_holidays") from None


def with_rep_holidays(settings: PlanSettings, reps: Reps) -> PlanSettings:
    """Return settings that know the public holidays in the horizon of every rep with a country.

    Those of reps whom the settings know already stay as they are: a plan keeps the days that it was made
    with. O(r c), c the distinct countries and regions.

    Raises
    ------
    InputError
        Unknown countries and regions, with the nearest names; all at once.
    MissingExtraError
        A rep has a country, and the package is not installed.

    Examples
    --------
    >>> from territory import PlanSettings, Reps
    >>> reps = Reps(id=["R1", "R2"], lon=[11.6, 13.4], lat=[48.1, 52.5], country=["DE", "DE"], region=["BY", "BE"])
    >>> with_rep_holidays(PlanSettings("2026-01-05", 7, []), reps).to_dict()["rep_holidays"]
    {'R1': ['2026-01-06'], 'R2': []}
    """
    if reps.country is None:
        return settings
    regions = [""] * len(reps) if reps.region is None else reps.region.tolist()
    pairs = list(zip(reps.country.tolist(), regions, strict=True))
    new = [
        country.strip() != "" and rep not in settings.rep_holidays
        for rep, (country, _) in zip(reps.id.tolist(), pairs, strict=True)
    ]
    findings = Findings(len(reps))
    last = settings.end - np.timedelta64(1, "D")
    own = dict(settings.rep_holidays)
    for pair in dict.fromkeys(pair for pair, is_new in zip(pairs, new, strict=True) if is_new):
        rows = np.array([is_new and p == pair for p, is_new in zip(pairs, new, strict=True)], dtype=bool)
        try:
            days = _days(*pair, settings.start, last)
        except _UnknownError as error:
            findings.rows(error.code, str(error), rows, column=error.column, hint=error.hint)
            continue
        own |= dict.fromkeys(reps.id[rows].tolist(), days)
    findings.raise_if_any("reps")
    return replace(settings, rep_holidays=own)


def _package() -> Any:
    try:
        import holidays  # noqa: PLC0415 - an extra, loaded where a country is named
    except ImportError as error:
        raise MissingExtraError("holidays", "holidays") from error
    return holidays


@lru_cache(maxsize=4096)
def _days(country: str, region: str, first: np.datetime64, last: np.datetime64) -> DayArray:
    package, found = _package(), _country(country)
    part = _region(found, region)
    years = [int(day.astype("datetime64[Y]").astype(np.int64)) + 1970 for day in (first, last)]
    if years[0] < found.first or years[1] > found.last:
        message = f"the holidays of {found.code} are known from {found.first} to {found.last}"
        raise _UnknownError("holidays-unknown", message, "country", None)
    # a year may observe a day of the next one: New Year on a Saturday
    known = range(max(found.first, years[0] - 1), min(found.last, years[1] + 1) + 1)
    calendar = package.country_holidays(found.code, subdiv=part or None, years=known, expand=False)
    days = np.unique(np.array(list(calendar), dtype="datetime64[D]"))
    return sealed(days[(days >= first) & (days <= last)])


@lru_cache(maxsize=1)
def _names() -> tuple[dict[str, str], dict[str, str]]:
    """Return all names and codes, casefolded, to the code of two letters; and to how people write them."""
    _package()
    from holidays.registry import COUNTRIES  # noqa: PLC0415 - an extra

    codes: dict[str, str] = {}
    shown: dict[str, str] = {}
    for module, (name, code, *others) in COUNTRIES.items():
        plain = module.replace("_", " ")
        for word in (plain, name, code, *others):
            codes.setdefault(word.casefold(), code)
        shown |= {plain: plain.title(), code.casefold(): code}
    return codes, shown


@lru_cache(maxsize=512)
def _country(name: str) -> _Country:
    codes, shown = _names()
    wanted = name.strip().casefold()
    code = codes.get(wanted)
    if code is None:
        raise _UnknownError("unknown-country", f"unknown country {name!r}", "country", _nearest(wanted, shown) or _FORM)
    calendar = type(_package().country_holidays(code))
    aliases: dict[str, str] = dict(getattr(calendar, "subdivisions_aliases", {}))
    words = {**{part: part for part in calendar.subdivisions}, **aliases}
    regions = {word.casefold(): part for word, part in words.items()}
    regions |= {f"{code}-{part}".casefold(): part for part in calendar.subdivisions}
    shown_parts = {word.casefold(): word if word == part else f"{word} ({part})" for word, part in words.items()}
    return _Country(code, regions, shown_parts, int(calendar.start_year), int(calendar.end_year))


def _region(country: _Country, name: str) -> str:
    wanted = name.strip().casefold()
    if not wanted:
        return ""
    part = country.regions.get(wanted)
    if part is None:
        hint = _nearest(wanted, country.shown)
        if hint is None:
            listed = ", ".join(dict.fromkeys(country.regions.values()))
            hint = f"There are {listed}." if listed else f"{country.code} has no parts with holidays of their own."
        raise _UnknownError("unknown-region", f"unknown region {name!r} of {country.code}", "region", hint)
    return part


def _nearest(wanted: str, shown: dict[str, str]) -> str | None:
    near = difflib.get_close_matches(wanted, shown, 1, cutoff=0.75)
    return next((f"Maybe {shown[word]}?" for word in near), None)
