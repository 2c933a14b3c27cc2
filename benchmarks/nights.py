"""Overnight tours: a rep whose customers are far from home, without nights away and at several prices of a hotel.

Instances ``macon-from-atlanta``, ``albany-from-macon``, ``savannah-from-augusta``, ``albany-from-atlanta``: 80 of the
250 stores nearest to the first town (``--visits N``: N of them), every 14 (30 %) or 28 days, 20, 30 or 40 minutes; the
rep lives in the middle of the second town's stores, works Monday to Friday from 7 to 18, and costs 30 an hour at the
wheel and 0.30 a kilometre. Four weeks, great circles. Engines: ``never``, then ``hotel P`` at prices of 40 to 640 a
night (``--size N``: the first N prices), at customers' places. ``--iterations N`` a plan, default that of the library.

``objective`` is what driving and nights cost; compare it at equal numbers of visits only: a night may also let in who
is out of reach of a day from home.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.months import AROUND, stores_near
from benchmarks.record import Clock, Options, row
from benchmarks.teammonth import routes_of, unassigned_of
from territory import Customers, Reps, check_plan, schedule_visits

if TYPE_CHECKING:
    from pathlib import Path

    from territory import Plan

#: Where customers are, where the rep lives.
INSTANCES = (("Macon", "Atlanta"), ("Albany", "Macon"), ("Savannah", "Augusta"), ("Albany", "Atlanta"))
PRICES = (40.0, 80.0, 160.0, 320.0, 640.0)
PER_HOUR, PER_KM = 30.0, 0.3
CUSTOMERS = 80
START, WEEKS = "2026-01-05", 4


def run(options: Options) -> list[dict[str, Any]]:
    """Plan each month without nights, and at each price."""
    options.takes("nights", "iterations", "seconds", "size", "visits")
    results = []
    for town, home in INSTANCES:
        name = f"{town}-from-{home}".lower()
        if not options.wants(name):
            continue
        customers, lon, lat = _customers(options.data, town, home, options.visits or CUSTOMERS, options.seed)
        results += [_result(name, customers, (lon, lat), p, options) for p in (None, *PRICES[: options.size])]
    return results


def _customers(data: Path, town: str, home: str, n: int, seed: int) -> tuple[Customers, float, float]:
    rng = np.random.default_rng([seed, n])
    around = stores_near(data, town, max(AROUND, n))
    lon, lat = stores_near(data, home, 1)[0].tolist()
    at = around[1 + rng.permutation(len(around) - 1)[:n]]
    interval = rng.choice([14.0, 28.0], len(at), p=[0.3, 0.7])
    service = rng.choice([1200.0, 1800.0, 2400.0], len(at))
    ids = [f"c{i}" for i in range(len(at))]
    customers = Customers(id=ids, lon=at[:, 0], lat=at[:, 1], visit_interval_days=interval, service_s=service)
    return customers, lon, lat


def _result(
    name: str, customers: Customers, home: tuple[float, float], price: float | None, options: Options
) -> dict[str, Any]:
    reps = Reps(
        id=["rep"], lon=[home[0]], lat=[home[1]], shift=["Mo-Fr 07:00-18:00"], cost_per_hour=[PER_HOUR],
        cost_per_km=[PER_KM], hotel_cost=[price or 0.0],
    )  # fmt: skip
    limit = 600.0 if options.seconds is None else options.seconds
    with Clock() as clock:
        made = schedule_visits(
            customers, reps, start=START, weeks=WEEKS, objective="cost", nights="never" if price is None else "allowed",
            iterations=options.iterations, time_limit_s=limit, rng=options.seed,
        )  # fmt: skip
    found = check_plan(made)
    return row(
        name, "never" if price is None else f"hotel {price:g}", options.seed,
        params={"iterations": options.iterations, "time_limit_s": limit, "weeks": WEEKS, "customers": len(customers)},
        status="invalid" if len(found) else str(made.status), clock=clock, objective=cost(made),
        visits=len(made.stops), unassigned=len(made.unassigned), nights=0 if made.nights is None else len(made.nights),
        days_with_visits=len(made.routes), drive_s=made.drive_s, distance_m=made.distance_m, violations=len(found),
        routes=routes_of(made), unassigned_visits=unassigned_of(made),
    )  # fmt: skip


def cost(made: Plan) -> float:
    """Return what a plan's driving and nights cost."""
    slept = 0.0 if made.nights is None else float(made.nights.cost.sum())
    return made.drive_s / 3600 * PER_HOUR + made.distance_m / 1000 * PER_KM + slept
