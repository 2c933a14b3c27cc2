"""Territories balanced by visit hours, and by visits with driving, once they are routed.

Instances: ``germany-60-reps`` (the shipped customers and reps), ``georgia-60-reps`` (9,313 food retailers from
``real/snap_georgia_us.csv`` under ``--data``; homes, intervals of 4, 6 or 8 weeks and lengths of visits are made
from the seed). Balance 5 %. ``--size N``: N customers of each, and a rep for every 125. ``--iterations N``: of the
calendar, a rep (default 300).

1. ``visit hours``: `design_territories`, balanced by visits times their length. Four weeks are planned and routed.
2. The estimate of driving is fitted to those routes, and its error measured: with the constants of the papers, fitted
   on all, and fitted on one half of the territories and measured on the other (both ways).
3. ``visits and driving, fitted``: `design_with_driving` with these constants, planned and routed like the first.
4. ``visits and driving, as published``: the same with the constants of the papers, fitted to nothing.

``deviation`` is the largest distance of a rep's hours from his share by capacity, ``spread`` the standard deviation of
these shares. Hours are those of the routes, visits and driving, and for visits that found no place the mean of the
rep's visits; ``unassigned`` says how many these are. Errors are shares of the mean driving of a territory
(`territory.travel.calibration.DriveError`); those of 3 and 4 are on routes of territories that nothing was fitted to,
though of the same customers. ``objective`` is the mean squared distance to the middle of the territories in km^2,
weighted by visit hours.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import Clock, Options, row
from territory import Customers, Reps, design_territories, schedule_visits
from territory.datasets import REFERENCE_DAY, load_germany
from territory.design.driving import design_with_driving
from territory.design.work import visit_work
from territory.geo.sphere import EARTH_RADIUS_M, unit_vectors
from territory.travel.calibration import DriveSample, drive_error, drive_sample, fit_drive
from territory.travel.estimate import DriveConstants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from territory import Alignment, Plan

TOLERANCE = 0.05
ITERATIONS = 300
WEEKS = 4
_VISITS = "visit_hours"
_PER_REP = 125


def run(options: Options) -> list[dict[str, Any]]:
    """Design, plan and measure."""
    options.takes("driving", "iterations", "size")
    results = []
    for name, customers, reps in _instances(options):
        results += _measured(name, customers, reps, options)
    return results


# -- instances -----------------------------------------------------------------------------


def _instances(options: Options) -> Iterator[tuple[str, Customers, Reps]]:
    size = options.size
    k = 60 if size is None else max(4, size // _PER_REP)
    if options.wants(f"germany-{k}-reps"):
        customers, reps = load_germany(n_reps=k)
        yield f"germany-{k}-reps", customers if size is None else customers.take(np.arange(size)), reps
    if not options.wants(f"georgia-{k}-reps"):
        return
    path = options.data / "real" / "snap_georgia_us.csv"
    if not path.is_file():
        print(f"georgia: skipped, there is no {path}; pass --data")
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        places = np.array([(float(r["Longitude"]), float(r["Latitude"])) for r in csv.DictReader(file)])[:size]
    rng = np.random.default_rng(options.seed)
    n = len(places)
    lon, lat = places.T
    homes = np.sort(rng.choice(n, k, replace=False))
    interval = rng.choice([28.0, 42.0, 56.0], n)
    # else everybody would be due at once
    ago = np.floor(interval * rng.uniform(0, 1, n)).astype("timedelta64[D]")
    yield (
        f"georgia-{k}-reps",
        Customers(
            id=[f"c{i:05d}" for i in range(n)], lon=lon, lat=lat,
            visit_interval_days=interval,
            last_visit=REFERENCE_DAY - ago,
            service_s=np.round(2700 * rng.lognormal(0.0, 0.4, n)),
        ),
        Reps(
            id=[f"R{j:02d}" for j in range(k)], lon=lon[homes], lat=lat[homes], shift=["Mo-Fr 08:00-17:00"] * k,
            break_s=[2700] * k,
        ),
    )  # fmt: skip


# -- measuring -----------------------------------------------------------------------------


def _measured(name: str, customers: Customers, reps: Reps, options: Options) -> Iterator[dict[str, Any]]:
    work, _ = visit_work(customers)
    with Clock() as clock:
        by_visits = replace(customers, measures={**customers.measures, _VISITS: work})
        made = design_territories(by_visits, reps, balance={_VISITS: TOLERANCE}, rng=options.seed)
        made = replace(made, customers=customers, balance={}, targets={})
    plan = _planned(made, options)
    sample = drive_sample(plan)
    fit = fit_drive(sample)
    halves = _held_out(sample)
    figures = {
        "fitted": {"local": fit.constants.local, "haul": fit.constants.haul},
        "error": asdict(fit.before), "error_fitted": asdict(fit.after), "error_held_out": halves,
        "error_mean": fit.before.mean, "error_fitted_mean": fit.after.mean, "error_held_out_mean": halves["mean"],
    }  # fmt: skip
    yield _result(name, "visit hours", made, plan, clock, options, work, figures)
    for engine, constants in (("visits and driving, fitted", fit.constants), ("as published", DriveConstants())):
        with Clock() as clock:
            made = design_with_driving(customers, reps, balance=TOLERANCE, constants=constants, rng=options.seed)
        plan = _planned(made, options)
        error = drive_error(drive_sample(plan), constants)
        figures = {"error": asdict(error), "error_mean": error.mean}
        called = engine if constants is fit.constants else f"visits and driving, {engine}"
        yield _result(name, called, made, plan, clock, options, work, figures)


def _held_out(sample: DriveSample) -> dict[str, float]:
    """Fit on either half of the territories, measure on the other, and return the mean of both."""
    odd = np.arange(len(sample)) % 2 == 1
    found = [asdict(drive_error(sample.take(~part), fit_drive(sample.take(part)).constants)) for part in (odd, ~odd)]
    return {key: float(np.mean([one[key] for one in found])) for key in found[0]}


def _planned(made: Alignment, options: Options) -> Plan:
    if made.reps is None:
        msg = "an alignment without reps"
        raise RuntimeError(msg)
    return schedule_visits(
        made.customers, made.reps, made, start=REFERENCE_DAY, weeks=WEEKS, time_limit_s=7200.0,
        iterations=options.iterations or ITERATIONS, rng=options.seed,
    )  # fmt: skip


def _hours(plan: Plan) -> NDArray[np.float64]:
    """Return what each rep's visits take with their driving, hours a week; those without a place included."""
    r = len(plan.reps)
    stops, routes, left = plan.stops, plan.routes, plan.unassigned
    inside = np.bincount(stops.rep_idx, (stops.end - stops.start).astype(np.float64), r)
    hours = (inside + np.bincount(routes.rep_idx, routes.drive_s, r)) / 3600.0 / WEEKS
    visits = np.bincount(stops.rep_idx, minlength=r)
    missed = np.bincount(left.rep_idx[left.rep_idx >= 0], minlength=r)
    return np.asarray(hours * (1.0 + missed / np.maximum(visits, 1)))


def _result(
    name: str, engine: str, made: Alignment, plan: Plan, clock: Clock, options: Options, work: NDArray[np.float64],
    figures: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    hours = _hours(plan)
    capacity = np.ones(len(hours)) if plan.reps.capacity_s is None else plan.reps.capacity_s
    share = hours / capacity * capacity.sum() / hours.sum()
    xyz = EARTH_RADIUS_M * unit_vectors(made.customers.lon, made.customers.lat)
    served = made.territory_idx >= 0
    own, weight = made.territory_idx[served], work[served]
    xyz = xyz[served]
    mass = np.maximum(np.bincount(own, weight, len(made)), 1e-300)
    center = np.stack([np.bincount(own, weight * x, len(made)) / mass for x in xyz.T], axis=1)
    objective = float(weight @ ((xyz - center[own]) ** 2).sum(axis=1) / weight.sum()) / 1e6
    return row(
        name, engine, options.seed, status=str(made.status), clock=clock, objective=objective,
        params={"tolerance": TOLERANCE, "weeks": WEEKS, "iterations": options.iterations or ITERATIONS},
        deviation=float(np.abs(share - 1.0).max()), spread=float(share.std()), drive_h=plan.drive_s / 3600.0,
        visits=len(plan.stops), unassigned=len(plan.unassigned), hours=hours, **figures,
        assignment=made.territory_idx, centers=np.stack([made.center_lon, made.center_lat], axis=1),
    )  # fmt: skip
