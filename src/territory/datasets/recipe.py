"""What the made columns of both data sets have in common: cadence, leads, reps.

Everything here is drawn by `draws`: it depends on the seed and on each row's own number only.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.datasets.draws import choose, uniform
from territory.errors import InputError, Problem
from territory.model.arrays import text_array
from territory.model.enums import Stage, Temperature
from territory.units import HOUR_S, MINUTE_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from territory.model.arrays import DayArray

__all__ = [
    "FULL_WEEK_S",
    "REFERENCE_DAY",
    "Cadence",
    "cadence_columns",
    "checked_day",
    "lead_columns",
    "rep_columns",
    "skills_of",
    "stages",
]

#: The Monday that plans begin on unless another day is given: eight weeks around it have no public
#: holiday in Germany or Finland.
REFERENCE_DAY: Final = np.datetime64("2026-03-02", "D")
#: Work of a full week: five shifts of 8 h 30 min without the break of 30 min.
FULL_WEEK_S: Final = 5 * 8 * HOUR_S

#: Month and day on which nobody was visited, besides weekends.
_CLOSED: Final = ("01-01", "05-01", "12-24", "12-25", "12-26", "12-31")
#: Shares of customers never visited and overdue, and of leads that were visited.
_NEVER, _OVERDUE, _LEADS_MET = 0.015, 0.035, 0.15

#: Given names that say nothing of a person, and names of trees; any likeness is chance.
_GIVEN: Final = (
    "Alex", "Andrea", "Bo", "Charlie", "Chris", "Dominique", "Eli", "Finn", "Jo", "Jule", "Kai", "Kim",
    "Lou", "Luca", "Maxi", "Mika", "Nicola", "Noa", "Pat", "Robin", "Sam", "Sascha", "Toni",
)  # fmt: skip
_TREES: Final = (
    "Ahorn", "Birke", "Buche", "Eberesche", "Eibe", "Eiche", "Erle", "Esche", "Fichte", "Hasel", "Holunder",
    "Kiefer", "Linde", "Lärche", "Pappel", "Tanne", "Ulme", "Weide", "Zirbe",
)  # fmt: skip


@dataclass(frozen=True)
class Cadence:
    """The standing of one segment of customers.

    Attributes
    ----------
    segment : str
    interval_days : int        days between visits
    tolerance_days : int       a visit may come so much earlier or later
    service_min : int          length of a visit, minutes
    """

    segment: str
    interval_days: int
    tolerance_days: int
    service_min: int


def checked_day(today: np.datetime64 | str) -> np.datetime64:
    """Return `today` as a calendar day; raise `InputError` unless it is one."""
    day: np.datetime64 = np.datetime64("NaT", "D")
    if isinstance(today, (str, date, np.datetime64)):
        with contextlib.suppress(ValueError):
            day = np.datetime64(str(today)[:10], "D")
    if np.isnat(day):
        raise InputError([Problem("bad-today", f"expected a day, e.g. 2026-03-02, got {today!r}", "today")], "dataset")
    return day


def _working_day(u: NDArray[np.float64], today: np.datetime64, least: int, most: int) -> DayArray:
    """Choose working days, uniform over those that lie `least` to `most` days (7 or more) before `today`."""
    days = today - np.arange(most, least - 1, -1)
    years = np.unique(days.astype("datetime64[Y]").astype(int)) + 1970
    closed = np.array([f"{year:04d}-{day}" for year in years.tolist() for day in _CLOSED], dtype="datetime64[D]")
    days = days[np.is_busday(days, holidays=closed)]
    return days[np.floor(u * len(days)).astype(np.intp)]


def stages(key: NDArray[np.int64], seed: int, weights: Mapping[Stage, float]) -> NDArray[np.int8]:
    """Draw each row's place in the sales funnel, int8 of shape (n,)."""
    values = np.array(list(weights), dtype=np.int8)
    return values[choose(uniform(key, seed, "stage"), list(weights.values()))]


def cadence_columns(
    key: NDArray[np.int64],
    segment_idx: NDArray[np.integer],
    stage: NDArray[np.int8],
    cadences: Sequence[Cadence],
    *,
    today: np.datetime64,
    seed: int,
) -> dict[str, Any]:
    """Make segment, cadence and last visit.

    Customers were last visited on a working day within the interval before `today`, each as likely;
    some are overdue by up to an interval beyond the tolerance, and some were never visited. Leads and
    lost customers have no cadence (NaN); few leads were ever visited.

    Parameters
    ----------
    key : int64 array of shape (n,)
    segment_idx : int array of shape (n,)     position in `cadences`
    stage : int8 array of shape (n,)
    cadences : sequence of Cadence
    today : datetime64[D]                     all visits lie before it
    seed : int

    Returns
    -------
    dict of columns
    """
    tolerance = np.array([c.tolerance_days for c in cadences], dtype=np.float64)[segment_idx]
    interval = np.array([c.interval_days for c in cadences], dtype=np.float64)[segment_idx]
    service_s = np.array([c.service_min * MINUTE_S for c in cadences], dtype=np.float64)[segment_idx]
    state, u = uniform(key, seed, "visit state"), uniform(key, seed, "visit age")

    last = np.full(len(key), np.datetime64("NaT", "D"))
    customer, lead, lost = stage == Stage.CUSTOMER, stage < Stage.CUSTOMER, stage == Stage.LOST
    overdue = (state >= _NEVER) & (state < _NEVER + _OVERDUE)
    for s, c in enumerate(cadences):
        rows = customer & (segment_idx == s) & (state >= _NEVER + _OVERDUE)
        last[rows] = _working_day(u[rows], today, 1, c.interval_days)
        rows = customer & (segment_idx == s) & overdue
        late = c.interval_days + c.tolerance_days
        last[rows] = _working_day(u[rows], today, late + 1, late + c.interval_days)
    met = lead & (state < _LEADS_MET)
    last[met] = _working_day(u[met], today, 1, 90)
    last[lost] = _working_day(u[lost], today, 100, 400)
    return {
        "segment": text_array([cadences[i].segment for i in segment_idx.tolist()]),
        "visit_interval_days": np.where(customer, interval, np.nan),
        "early_days": tolerance,
        "late_days": tolerance,
        "service_s": service_s,
        "last_visit": last,
    }


def lead_columns(
    key: NDArray[np.int64], stage: NDArray[np.int8], potential: NDArray[np.float64], seed: int
) -> dict[str, Any]:
    """Make temperature, probability and value of the open deals; blank (-1, NaN) where there is none.

    A lead further down the funnel is warmer: hot, warm or cold with 5, 25, 70 % as a suspect, 15, 45,
    40 % as an MQL, 45, 40, 15 % as an SQL. The probability is uniform in 2-10 % (cold), 10-30 %
    (warm), 30-65 % (hot); the value is 0.5 to 2 yearly potentials.
    """
    lead = stage < Stage.CUSTOMER
    warmth = np.full(len(key), -1, dtype=np.int8)
    order = np.array([Temperature.HOT, Temperature.WARM, Temperature.COLD], dtype=np.int8)
    u = uniform(key, seed, "temperature")
    for at, weights in ((Stage.SUSPECT, (5, 25, 70)), (Stage.MQL, (15, 45, 40)), (Stage.SQL, (45, 40, 15))):
        rows = stage == at
        warmth[rows] = order[choose(u[rows], weights)]
    low = np.array([0.02, 0.10, 0.30])[warmth]
    high = np.array([0.10, 0.30, 0.65])[warmth]
    p_close = np.round(low + uniform(key, seed, "p_close") * (high - low), 2)
    value = np.round(potential * (0.5 + 1.5 * uniform(key, seed, "deal_value")), -2)
    return {
        "temperature": warmth,
        "p_close": np.where(lead, p_close, np.nan),
        "deal_value": np.where(lead, np.maximum(value, 100.0), np.nan),
        "margin": np.round(0.15 + 0.25 * uniform(key, seed, "margin"), 2),
    }


def skills_of(key: NDArray[np.int64], seed: int, shares: Mapping[str, float]) -> dict[str, NDArray[np.bool_]]:
    """Draw which reps have which skill; at least one rep has each.

    Returns
    -------
    dict of skill to bool array of shape (k,)
    """
    skills = {}
    for skill, share in shares.items():
        u = uniform(key, seed, f"skill {skill}")
        skills[skill] = u < max(share, float(u.min()) + 2.0**-53)
    return skills


def rep_columns(
    key: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    skills: Mapping[str, NDArray[np.bool_]],
    today: np.datetime64,
    seed: int,
    shift: str,
    part_time_shift: str,
    part_time_share: float,
    timezone: str,
) -> dict[str, Any]:
    """Make the reps that live at the given places, in the order given: R01, R02, ...

    From 10 reps on, two work part-time; from 4 on, one is away for the second week from `today` on,
    another for two days of the third (the Monday of `today`'s week counts).

    Parameters
    ----------
    key : int64 array of shape (k,)       the homes' own numbers
    lon, lat : float64 arrays of shape (k,), degrees
    skills : dict of skill to bool array of shape (k,)
    today : datetime64[D]
    seed : int
    shift, part_time_shift : str          weekly hours
    part_time_share : float               of a full week's work
    timezone : str

    Returns
    -------
    dict of columns; `shift`, `leave` and `skills` as text
    """
    n = len(key)
    width = max(2, len(str(n)))
    turn = int(uniform(np.array([0]), seed, "names")[0] * len(_GIVEN))
    names = [f"{_GIVEN[(i + turn) % len(_GIVEN)]} {_TREES[i % len(_TREES)]}" for i in range(n)]
    rounds = len(_GIVEN) * len(_TREES)
    names = [name if i < rounds else f"{name} {i // rounds + 1}" for i, name in enumerate(names)]

    order = np.lexsort((key, uniform(key, seed, "part time")))
    part_time = order[: 2 if n >= 10 else 0]
    away = order[::-1][: 2 if n >= 4 else 0]
    monday = today - np.timedelta64((int(today.astype(int)) + 3) % 7, "D")  # 1970-01-01 was a Thursday
    first, last = (monday + np.array(days, dtype="timedelta64[D]") for days in ((7, 16), (11, 17)))
    holidays = [f"{a}..{b}" for a, b in zip(first, last, strict=True)]

    shifts, leave, capacity = [shift] * n, [""] * n, np.full(n, float(FULL_WEEK_S))
    for i in part_time.tolist():
        shifts[i] = part_time_shift
        capacity[i] = FULL_WEEK_S * part_time_share
    for i, text in zip(away.tolist(), holidays, strict=False):
        leave[i] = text
    return {
        "id": text_array([f"R{i + 1:0{width}d}" for i in range(n)]),
        "lon": lon,
        "lat": lat,
        "name": text_array(names),
        "shift": text_array(shifts),
        "break_s": np.full(n, 30.0 * MINUTE_S),
        "break_earliest_s": np.full(n, 11.5 * HOUR_S),
        "break_latest_s": np.full(n, 13.5 * HOUR_S),
        "leave": text_array(leave),
        "skills": text_array(["; ".join(s for s in sorted(skills) if skills[s][i]) for i in range(n)]),
        "capacity_s": capacity,
        "cost_per_hour": np.round(38 + 8 * uniform(key, seed, "cost per hour")),
        "cost_per_km": np.full(n, 0.35),
        "cost_per_day": np.full(n, 20.0),
        "timezone": text_array([timezone] * n),
    }
