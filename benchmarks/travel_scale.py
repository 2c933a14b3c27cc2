"""The instances ``scale-{clustered,uniform}`` of the family `travel`: many customers, without a full table."""

from __future__ import annotations

import resource
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import Clock, Options, row
from territory import Alignment, Customers, Reps, design_territories, schedule_visits
from territory.datasets import REFERENCE_DAY
from territory.travel import TravelBase
from territory.travel.roads import RoadGraph

if TYPE_CHECKING:
    from territory.model.places import Places
    from territory.travel import NearestPlaces, RawTravel, TravelMatrix

SIZE, PER_TERRITORY, PLANNED, WEEKS, SECONDS = 100_000, 200, 25, 2, 300.0
#: Which part of the customers is in towns.
TOWNS = {"clustered": 2 / 3, "uniform": 0.0}
#: The country: junctions on a side, a kilometre apart, and every tenth road a fast one.
SIDE, MAIN, SLOW_KM_H, FAST_KM_H, MISSING = 400, 10, 42.0, 78.0, 0.12
#: Roads wind: metres by road over the straight line.
WINDING = 1.2
_KM = 1.0 / 111.2


class Metered(TravelBase):
    """A source that counts what it is asked, and the largest answer."""

    def __init__(self, source: TravelBase) -> None:
        self.source, self.legs, self.most_bytes = source, 0, 0

    @property
    def fingerprint(self) -> str:
        """That of the source."""
        return self.source.fingerprint

    def _counted(self, legs: int) -> None:
        self.legs += legs
        # int32 seconds and metres
        self.most_bytes = max(self.most_bytes, 8 * legs)

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask the source."""
        self._counted(len(origins) * len(destinations))
        return self.source.raw_matrix(origins, destinations)

    def matrix(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Ask the source."""
        self._counted(len(origins) * len(destinations))
        return self.source.matrix(origins, destinations, speed_factor=speed_factor)

    def pairs(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Ask the source."""
        self._counted(len(origins))
        return self.source.pairs(origins, destinations, speed_factor=speed_factor)

    def nearest(self, origins: Places, destinations: Places, k: int, *, speed_factor: float = 1.0) -> NearestPlaces:
        """Ask the source."""
        self._counted(len(origins) * k)
        return self.source.nearest(origins, destinations, k, speed_factor=speed_factor)


def country(seed: int) -> RoadGraph:
    """Return a road network of 160,000 junctions on 400 km x 400 km, one way in ten missing or one-way."""
    rng = np.random.default_rng(seed)
    at = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    x, y = (axis + rng.uniform(-0.35, 0.35, axis.shape) for axis in (x, y))
    lat = 48.0 + y * _KM
    lon = 8.0 + x * _KM / np.cos(np.radians(50.0))
    across, up = (at[:, :-1].ravel(), at[:, 1:].ravel()), (at[:-1].ravel(), at[1:].ravel())
    tail, head = (np.concatenate(pair) for pair in zip(across, up, strict=True))
    fast = np.concatenate([across[0] // SIDE % MAIN == 0, up[0] % SIDE % MAIN == 0])
    kept = fast | (rng.random(len(tail)) >= MISSING)
    tail, head, fast = tail[kept], head[kept], fast[kept]
    metres = 1000.0 * WINDING * np.hypot((x.ravel()[tail] - x.ravel()[head]), (y.ravel()[tail] - y.ravel()[head]))
    seconds = metres * 3.6 / np.where(fast, FAST_KM_H, SLOW_KM_H)
    back = np.where(~fast & (rng.random(len(tail)) < MISSING / 4), np.inf, seconds)
    return RoadGraph.from_arrays(
        node_lon=lon.ravel(), node_lat=lat.ravel(), tail=tail, head=head, seconds=seconds, metres=metres,
        back_seconds=back, most_moved_m=5_000.0, name="grid",
    )  # fmt: skip


def customers_of(n: int, seed: int, in_towns: float = 2 / 3) -> Customers:
    """Return customers, a part of them in towns."""
    rng = np.random.default_rng([seed, n])
    town = rng.uniform(5, SIDE - 5, (max(1, n // 400), 2))
    xy = rng.uniform(0, SIDE - 1, (n, 2))
    inside = rng.random(n) < in_towns
    xy[inside] = (town[rng.integers(len(town), size=n)] + rng.normal(0, 1.5, (n, 2)))[inside]
    xy = np.clip(xy, 0, SIDE - 1)
    return Customers(
        id=[f"c{i}" for i in range(n)],
        lon=8.0 + xy[:, 0] * _KM / np.cos(np.radians(50.0)),
        lat=48.0 + xy[:, 1] * _KM,
        visit_interval_days=np.full(n, 28.0),
        last_visit=REFERENCE_DAY - rng.integers(1, 29, n).astype("timedelta64[D]"),
        service_s=np.full(n, 1800),
    )


def run(options: Options) -> list[dict[str, Any]]:
    """Design all, and plan the weeks of some."""
    results = []
    for kind, in_towns in TOWNS.items():
        if options.wants(f"scale-{kind}"):
            results += _run(options, kind, in_towns)
    return results


def _run(options: Options, kind: str, in_towns: float) -> list[dict[str, Any]]:
    n = options.size or SIZE
    k = max(2, n // PER_TERRITORY)
    with Clock() as building:
        travel = Metered(country(options.seed))
    customers = customers_of(n, options.seed, in_towns)
    results, before = [], _peak_mb()
    with Clock() as clock:
        made = design_territories(
            customers,
            n_territories=k,
            balance={"count": 0.05},
            travel=travel,
            rng=options.seed,
            time_limit_s=SECONDS if options.seconds is None else options.seconds,
        )
    params = {"kind": kind, "customers": n, "territories": k, "junctions": SIDE * SIDE}
    results.append(
        _row("designed", options, params, clock, travel, n, before, objective=made.objective, build_s=building.cpu_s)
    )
    some = np.linspace(0, k - 1, min(k, PLANNED)).astype(np.int32)
    rows = np.flatnonzero(np.isin(made.territory_idx, some))
    team, served = _team(made, some, rows)
    travel.legs = travel.most_bytes = 0
    before = _peak_mb()
    with Clock() as clock:
        plan = schedule_visits(
            served.customers, team, served, start=REFERENCE_DAY, weeks=WEEKS, travel=travel,
            iterations=options.iterations or 2_000, time_limit_s=3600.0, rng=options.seed,
        )  # fmt: skip
    params = {**params, "planned": len(some), "weeks": WEEKS}
    results.append(_row("planned", options, params, clock, travel, len(rows), before, visits=len(plan.stops)))
    return results


def _team(made: Alignment, some: Any, rows: Any) -> tuple[Reps, Alignment]:
    """Return reps at home in the middle of some territories, and who serves whom of their customers."""
    ids = [f"r{j}" for j in some.tolist()]
    reps = Reps(id=ids, lon=made.center_lon[some], lat=made.center_lat[some])
    owner = reps.id[np.searchsorted(some, made.territory_idx[rows])]
    return reps, Alignment.from_owners(replace(made.customers.take(rows), owner=owner), reps)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


def _row(
    step: str,
    options: Options,
    params: dict[str, Any],
    clock: Clock,
    travel: Metered,
    n: int,
    before: float,
    **figures: Any,
) -> dict[str, Any]:
    peak = _peak_mb()
    return row(
        f"scale-{params['kind']}", f"RoadGraph, {step}", options.seed, params=params, status="measured", clock=clock,
        legs=travel.legs, legs_each=travel.legs / n, largest_mb=travel.most_bytes / 1e6,
        peak_mb=peak, added_mb=peak - before,
        figure=f"{travel.legs / n:,.0f} legs a customer, largest answer {travel.most_bytes / 1e6:,.1f} MB, "
        f"peak of the process {peak:,.0f} MB, {before:,.0f} before",
        **figures,
    )  # fmt: skip
