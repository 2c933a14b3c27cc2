"""Sixty reps on real places: every food retailer of Georgia as a customer, territories, and a load that is asked for.

What is made from the seed: homes (a store in each of as many compact territories), intervals of one, two or four
weeks, when each was last visited, lengths of visits, and that three in ten are open in the morning or the afternoon
only. The lengths are then scaled until visits and driving take a given share of the reps' hours, going by a first
plan of every fifth rep.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from territory import (
    Alignment,
    Customers,
    PlanSettings,
    Reps,
    design_territories,
    design_with_driving,
    due_visits,
    schedule_visits,
)
from territory.datasets import REFERENCE_DAY
from territory.design.work import visit_work
from territory.travel.calibration import drive_sample, fit_drive

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from territory import Plan

__all__ = ["WEEKS", "Georgia", "at_load", "load_georgia", "month_s", "places_of_georgia"]

WEEKS = 4
SHIFT, HOURS_A_DAY = "Mo-Fr 08:00-16:00", 8
#: Customers a rep, where there are fewer than 60 reps.
PER_REP = 155
#: Interval and tolerance (early as late) in days, share of the customers: 1.95 visits in four weeks on average.
CADENCES = ((7, 2, 0.20), (14, 4, 0.35), (28, 7, 0.45))
#: Lengths of visits in minutes, in equal parts, before they are scaled.
SERVICE_MIN = (10, 15, 20, 25, 30)
#: When some are open, and how many.
HALVES, HALF_SHARE = ("Mo-Fr 08:00-12:00", "Mo-Fr 12:00-16:00"), 0.3
#: The plans that tell how much driving there is: of every fifth rep, by so many steps of search.
_EVERY, _QUICK = 5, 10_000
#: Reps for all of the places.
_ALL = 60
_TOLERANCE = 0.1


@dataclass(frozen=True, eq=False)
class Georgia:
    """A team with its territories.

    Attributes
    ----------
    alignment : Alignment
        With the customers that are planned.
    base : Customers
        All customers, with lengths of visits as they were drawn.
    params : dict
        What the rows of the benchmark say of it.
    """

    alignment: Alignment
    base: Customers
    params: dict[str, Any]

    @property
    def customers(self) -> Customers:
        """The customers, with lengths of visits that make the load."""
        return self.alignment.customers

    @property
    def reps(self) -> Reps:
        """The reps."""
        return _reps_of(self.alignment)


def places_of_georgia(data: Path) -> NDArray[np.float64] | None:
    """Return longitude and latitude of the stores, shape (9313, 2); None, and a word, where the file is absent."""
    path = data / "real" / "snap_georgia_us.csv"
    if not path.is_file():
        print(f"georgia: skipped, there is no {path}; pass --data")
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        return np.array([(float(r["Longitude"]), float(r["Latitude"])) for r in csv.DictReader(file)])


def load_georgia(places: NDArray[np.float64], seed: int, *, n_reps: int = 60, load: float = 0.85) -> Georgia:
    """Make the team, its territories and its load.

    Parameters
    ----------
    places : float array of shape (n, 2)
    seed : int
    n_reps : int
        Fewer than for all places: those around a place drawn at random.
    load : float
    """
    rng = np.random.default_rng([seed, 60])
    if n_reps < _ALL:
        far = (places - places[rng.integers(len(places))]) * np.array([np.cos(np.radians(33.0)), 1.0])
        places = places[np.sort(np.argsort((far * far).sum(axis=1), kind="stable")[: PER_REP * n_reps])]
    customers = _customers(places, rng)
    work, _ = visit_work(customers)
    measured = replace(customers, measures={"visit_hours": work})
    limits: dict[str, Any] = {"balance": {"visit_hours": _TOLERANCE}, "time_limit_s": 600.0, "rng": seed}
    reps = _reps(customers, design_territories(measured, n_territories=n_reps, **limits), rng)
    simple = _with(design_territories(measured, reps, **limits), customers)
    some = np.arange(0, n_reps, _EVERY if n_reps > _EVERY else 1)
    constants = fit_drive(drive_sample(_quick(simple, some, seed))).constants
    made = design_with_driving(
        customers, reps, balance=_TOLERANCE, constants=constants, time_limit_s=600.0, rng=seed
    )  # fmt: skip
    made = _with(made, customers)
    quick = _quick(made, some, seed)
    drive_s, visits = quick.drive_s / len(some) * n_reps, len(quick.stops) / len(some) * n_reps
    service_s = _visit_s(quick) / len(some) * n_reps
    params = {
        "customers": len(customers), "reps": n_reps, "weeks": WEEKS, "start": str(REFERENCE_DAY), "shift": SHIFT,
        "cadences": CADENCES, "service_min": SERVICE_MIN, "half_days": HALF_SHARE, "balance": _TOLERANCE,
        "first_plan": {"reps": len(some), "driving_s": drive_s, "visit_s": service_s, "visits": visits},
    }  # fmt: skip
    return at_load(Georgia(made, customers, params), load)


def at_load(team: Georgia, load: float, keep: NDArray[np.int64] | None = None) -> Georgia:
    """Return the team, or some of its reps with their customers, with visits as long as makes a load.

    Raises
    ------
    ValueError
        Driving alone is more than that.
    """
    first, n_reps = team.params["first_plan"], team.params["reps"]
    hours_s = n_reps * month_s()
    factor = (load * hours_s - first["driving_s"]) / first["visit_s"]
    if factor <= 0:
        msg = f"driving alone is {first['driving_s'] / hours_s:.0%} of the hours, more than a load of {load:.0%}"
        raise ValueError(msg)
    customers = replace(team.base, service_s=np.rint(_service(team.base) * factor))
    made = _with(team.alignment, customers)
    if keep is not None:
        made = _part(made, keep)
    customers = made.customers
    params = {
        **team.params, "customers": len(customers), "reps": n_reps if keep is None else len(keep), "load": load,
        "visits_due": len(due_visits(customers, PlanSettings(REFERENCE_DAY, 7 * WEEKS, []))),
        "mean_service_s": float(_service(customers).mean()),
    }  # fmt: skip
    return Georgia(made, team.base, params)


def month_s() -> float:
    """Return what a rep works in the horizon, seconds."""
    return 3600.0 * HOURS_A_DAY * 5 * WEEKS


def _quick(alignment: Alignment, keep: NDArray[np.int64], seed: int) -> Plan:
    some = _part(alignment, keep)
    return schedule_visits(
        some.customers, _reps_of(some), some, start=REFERENCE_DAY, weeks=WEEKS, time_limit_s=7200.0,
        iterations=_QUICK, rng=seed,
    )  # fmt: skip


def _with(alignment: Alignment, customers: Customers) -> Alignment:
    """Return the alignment of these customers: the measures that were balanced are no columns of what is planned."""
    return replace(alignment, customers=customers, balance={}, targets={})


def _part(alignment: Alignment, keep: NDArray[np.int64]) -> Alignment:
    """Return the territories of some reps."""
    reps = _reps_of(alignment)
    rows = np.flatnonzero(np.isin(alignment.customer_rep_idx, keep))
    owner = reps.id[alignment.customer_rep_idx[rows]]
    return Alignment.from_owners(replace(alignment.customers.take(rows), owner=owner), reps.take(keep))


def _reps_of(alignment: Alignment) -> Reps:
    if alignment.reps is None:
        msg = "an alignment without reps"
        raise RuntimeError(msg)
    return alignment.reps


def _visit_s(plan: Plan) -> float:
    return float((plan.stops.end - plan.stops.start).astype(np.float64).sum())


def _customers(places: NDArray[np.float64], rng: np.random.Generator) -> Customers:
    n = len(places)
    lon, lat = places.T
    kind = rng.choice(len(CADENCES), n, p=[share for _, _, share in CADENCES])
    interval, slack = (np.array([c[j] for c in CADENCES], np.float64)[kind] for j in (0, 1))
    # else everybody would be due at once
    ago = 1 + np.floor(interval * rng.random(n))
    hours = np.where(rng.random(n) < HALF_SHARE, np.array(HALVES)[rng.integers(0, len(HALVES), n)], SHIFT)
    return Customers(
        id=[f"c{i:05d}" for i in range(n)], lon=lon, lat=lat, visit_interval_days=interval, early_days=slack,
        late_days=slack, last_visit=REFERENCE_DAY - ago.astype("timedelta64[D]"), opening_hours=hours.tolist(),
        service_s=60.0 * np.array(SERVICE_MIN)[rng.integers(0, len(SERVICE_MIN), n)],
    )  # fmt: skip


def _reps(customers: Customers, made: Alignment, rng: np.random.Generator) -> Reps:
    """Return a rep who lives at one of the stores of each territory."""
    homes = np.array([rng.choice(np.flatnonzero(made.territory_idx == j)) for j in range(len(made))])
    ids = [f"R{j:02d}" for j in range(len(homes))]
    return Reps(id=ids, lon=customers.lon[homes], lat=customers.lat[homes], shift=[SHIFT] * len(homes))


def _service(customers: Customers) -> NDArray[np.float64]:
    if customers.service_s is None:
        msg = "customers without lengths of visits"
        raise RuntimeError(msg)
    return customers.service_s
