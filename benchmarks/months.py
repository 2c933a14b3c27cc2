"""A rep's month on real places: a seeded instance with the interval of every customer, and its verifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.instances.common import BrokenRouteError
from territory import Customers, GreatCircle
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from territory.model.places import Places

__all__ = ["REGIONS", "Month", "make_month", "places_of", "stores_near", "to_problem", "verify"]

#: Homes of the reps: the middle of a city's stores.
REGIONS = ("Albany", "Atlanta", "Augusta", "Macon", "Savannah")
WEEKS, DAY_S = 4, 86_400
HOURS = (8 * 3600, 16 * 3600)
#: Morning, afternoon: when some customers want their visit to start.
HALVES = ((8 * 3600, 11 * 3600), (12 * 3600, 15 * 3600))
HALF_SHARE = 0.3
SERVICE_MIN = (20, 25, 30, 35, 40)
#: Interval in days, days of tolerance, share of the customers.
CADENCES = ((7, 2, 0.15), (14, 4, 0.35), (28, 7, 0.50))
#: A visit that is not made costs four hours of driving, a day off its interval half a minute.
MISSED_S, OFF_S = 4 * 3600, 30
#: Customers are drawn from this many stores around the home.
AROUND = 250


@dataclass(frozen=True, eq=False)
class Month:
    """Customers 1 to n around a home 0, twenty shifts; times in seconds, days from 0, a Monday.

    Attributes
    ----------
    lon, lat : float arrays of shape (1 + n,)
    durations_s : int64 array of shape (1 + n, 1 + n)
    service_s, interval, tolerance, due : int64 arrays of shape (1 + n,)
        ``due``: the day on which the first visit is meant. The next is meant ``interval`` days after each.
    opens, closes : int64 arrays of shape (1 + n,)
        For the start of a visit, seconds of the day.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    durations_s: NDArray[np.int64]
    service_s: NDArray[np.int64]
    interval: NDArray[np.int64]
    tolerance: NDArray[np.int64]
    due: NDArray[np.int64]
    opens: NDArray[np.int64]
    closes: NDArray[np.int64]

    @property
    def n_days(self) -> int:
        """Days of the horizon, weekends included."""
        return 7 * WEEKS

    @property
    def days(self) -> list[int]:
        """Working days."""
        return [day for day in range(self.n_days) if day % 7 < 5]


def places_of(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Places:
    """Return customers' places at coordinates."""
    return Customers(id=np.arange(len(lon)).astype(str).astype(object), lon=lon, lat=lat).places()


def stores_near(data: Path, city: str, count: int) -> NDArray[np.float64]:
    """Return a city's middle, then the stores nearest to it, by the real places below ``--data``.

    Returns
    -------
    float array of shape (1 + count, 2)
        Longitude, latitude.
    """
    import csv  # noqa: PLC0415

    path = data / "real" / "snap_georgia_us.csv"
    if not path.exists():
        msg = f"{path} is absent: this family needs the real places"
        raise SystemExit(msg)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = [(float(r["Longitude"]), float(r["Latitude"]), r["City"]) for r in csv.DictReader(lines)]
    xy = np.array([row[:2] for row in rows])
    own = np.array([row[2].strip().casefold() == city.casefold() for row in rows])
    middle = xy[own].mean(axis=0)
    flat = (xy - middle) * np.array([np.cos(np.radians(middle[1])), 1.0])
    nearest = np.argsort((flat * flat).sum(axis=1), kind="stable")[:count]
    return np.vstack([middle, xy[nearest]])


def make_month(data: Path, city: str, seed: int, *, visits: int = 200) -> Month:
    """Generate a rep's month of about `visits` visits around a city."""
    rng = np.random.default_rng([seed, REGIONS.index(city)])
    around = stores_near(data, city, max(AROUND, visits))
    order = 1 + rng.permutation(len(around) - 1)
    kinds = rng.choice(len(CADENCES), len(order), p=[share for _, _, share in CADENCES])
    interval = np.array([c[0] for c in CADENCES])[kinds]
    due = np.floor(rng.random(len(order)) * interval).astype(np.int64)
    meant = 1 + (7 * WEEKS - 1 - due) // interval
    n = min(int(np.searchsorted(np.cumsum(meant), visits)) + 1, len(order))
    half = rng.random(n) < HALF_SHARE
    which = rng.integers(0, len(HALVES), n)
    opens = np.where(half, np.array(HALVES)[which, 0], HOURS[0])
    closes = np.where(half, np.array(HALVES)[which, 1], HOURS[1])
    xy = around[np.append(0, order[:n])]
    places = places_of(xy[:, 0], xy[:, 1])
    matrix = GreatCircle().matrix(places, places).durations_s.astype(np.int64)
    service = 60 * np.array(SERVICE_MIN)[rng.integers(0, len(SERVICE_MIN), n)]

    def column(values: NDArray[np.int64], home: int = 0) -> NDArray[np.int64]:
        return np.append(home, values[:n]).astype(np.int64)

    return Month(
        xy[:, 0], xy[:, 1], matrix, column(service), column(interval),
        column(np.array([c[1] for c in CADENCES])[kinds]), column(due), column(opens, HOURS[0]),
        column(closes, HOURS[1]),
    )  # fmt: skip


def to_problem(month: Month) -> RoutingProblem:
    """Return the problem: visit v is customer v + 1, shift s working day s, the cost a second at the wheel."""
    n, days = len(month.lon) - 1, np.array(month.days)
    own = slice(1, None)
    windows = [
        [(int(day * DAY_S + a), int(day * DAY_S + b)) for day in days]
        for a, b in zip(month.opens[own], month.closes[own], strict=True)
    ]
    return RoutingProblem(
        durations_s=month.durations_s,
        visits=VisitArrays(
            place=np.arange(1, n + 1),
            service_s=month.service_s[own],
            windows=windows,
            value=np.full(n, float(MISSED_S)),
            required=np.zeros(n, np.bool_),
            first_low_day=np.maximum(month.due - month.tolerance, 0)[own],
            first_high_day=(month.due + month.tolerance)[own],
            first_due_day=month.due[own],
            gap_low_days=(month.interval - month.tolerance)[own],
            gap_high_days=(month.interval + month.tolerance)[own],
            gap_days=month.interval[own],
            interval_days=month.interval[own].astype(np.float64),
            off_cost=np.full(n, float(OFF_S)),
        ),
        shifts=ShiftArrays(
            start_place=np.zeros(len(days), np.int32),
            begin_s=days * DAY_S + HOURS[0],
            end_s=days * DAY_S + HOURS[1],
            day=days,
        ),
        n_days=month.n_days,
    )


def cadence_cost(month: Month, customer: int, made: Sequence[int]) -> tuple[int, int] | None:
    """Return how many visits of a customer are missed and how many days the others are off, at least cost.

    None: the visits made keep no rhythm. A missed visit stands on the day that was meant for it.
    """
    interval, slack = int(month.interval[customer]), int(month.tolerance[customer])

    def rest(left: tuple[int, ...], due: int) -> tuple[int, int] | None:
        """Return the same from the visit on that is due on a day."""
        found = []
        here = left[0] if left else None
        if here is not None and due - slack <= here <= due + slack:
            # the day that is meant for the very first visit costs nothing to miss where it is day 0
            off = abs(here - due) if due > 0 else 0
            tail = rest(left[1:], here + interval) if here + interval < month.n_days else _ended(left[1:])
            found += [(tail[0], tail[1] + off)] if tail else []
        stands = min(due, month.n_days - 1)
        if here is None or here > stands:
            tail = rest(left, stands + interval) if stands + interval < month.n_days else _ended(left)
            found += [(tail[0] + 1, tail[1])] if tail else []
        return min(found, key=lambda f: MISSED_S * f[0] + OFF_S * f[1], default=None)

    return rest(tuple(made), int(month.due[customer]))


def _ended(left: tuple[int, ...]) -> tuple[int, int] | None:
    return None if left else (0, 0)


def verify(month: Month, routes: Sequence[Mapping[str, Any]]) -> tuple[float, dict[str, Any]]:
    """Return the objective (driving, visits missed, days off) and its parts.

    Raises
    ------
    BrokenRouteError
        They break a rule.
    """
    days, drive = month.days, 0
    made: dict[int, list[int]] = {}
    for route in routes:
        day, at = route["day"], 0
        free = day * DAY_S + HOURS[0]
        if day not in days or day != days[route["shift"]]:
            msg = f"shift {route['shift']} is not on day {day}"
            raise BrokenRouteError(msg)
        for node, start in zip(route["visits"], route["starts"], strict=True):
            leg, clock = int(month.durations_s[at, node]), start - day * DAY_S
            if start < free + leg or not month.opens[node] <= clock <= month.closes[node]:
                msg = f"day {day}: customer {node} cannot start at {clock}"
                raise BrokenRouteError(msg)
            free, at, drive = start + int(month.service_s[node]), node, drive + leg
            made.setdefault(node, []).append(day)
        leg = int(month.durations_s[at, 0])
        drive += leg
        if free + leg > day * DAY_S + HOURS[1]:
            msg = f"day {day}: back at {free + leg - day * DAY_S}"
            raise BrokenRouteError(msg)
    if len({route["day"] for route in routes}) < len(routes) or 0 in made:
        msg = "one route a day, and none of them visits the home"
        raise BrokenRouteError(msg)
    missed = off = 0
    for customer in range(1, len(month.lon)):
        there = sorted(made.get(customer, []))
        found = cadence_cost(month, customer, there)
        if found is None or len(set(there)) < len(there):
            msg = f"customer {customer} is visited on days {there}: that keeps no rhythm"
            raise BrokenRouteError(msg)
        missed, off = missed + found[0], off + found[1]
    parts = {"visits": sum(map(len, made.values())), "missed": missed, "drive_s": drive, "days_off": off}
    return float(drive + MISSED_S * missed + OFF_S * off), parts
