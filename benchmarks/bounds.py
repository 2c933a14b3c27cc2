"""What can be proven of territories: the least cost with centres at units, and bounds on any centres.

Instances are made by a recipe, or drawn from real places.

Engine ``exact``: centres at units (Hess et al.), proven optimal or not within ``--seconds`` (120): instances
``exact-{uniform,georgia,clustered}-{n}-{k}`` for n/k of 50/3, 100/4, 200/4 and 200/8, begun from a balanced power
diagram. Engine ``free``: the Lagrangian bound on any alignment within the bands, wherever its centres, against the best
of sixteen balanced power diagrams: ``free-{uniform,georgia,clustered}-{n}-{k}`` for n/k of 200/8, 500/8, 1,000/12 and
2,000/20. Engine ``unit``: the Lagrangian bound with centres at units, up to 2,000. Workload is lognormal (sigma 0.8),
balance 5 %. Georgia are real places under ``--data``, in chord space; the rest is made from the seed, in the plane.
``--size N`` leaves out what has more than N places, ``--engine`` takes one engine.
"""

from __future__ import annotations

import csv
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import Clock, Options, row
from territory.design.exact import exact_centers
from territory.design.lagrange import free_center_dual
from territory.design.lagrange_units import unit_center_dual
from territory.design.power import power_design
from territory.geo.sphere import EARTH_RADIUS_M, unit_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 0.05
_SECONDS = 120.0
_EXACT = ((50, 3), (100, 4), (200, 4), (200, 8))
_FREE = ((200, 8), (500, 8), (1_000, 12), (2_000, 20))
_KINDS = ("uniform", "georgia", "clustered")
_SIDE_M = 1e5
_STARTS = 16


def run(options: Options) -> list[dict[str, Any]]:
    """Measure every engine on every instance."""
    options.takes("bounds", "seconds", "size", "engine")
    results = []
    most = options.size or _FREE[-1][0]
    for engine, sizes in (("exact", _EXACT), ("free", _FREE), ("unit", _FREE)):
        if options.engine not in (None, engine):
            continue
        for n, k in sizes:
            for kind in _KINDS:
                name = f"{engine}-{kind}-{n}-{k}"
                places = None if n > most or not options.wants(name) else _places(kind, n, k, options)
                if places is not None:
                    results.append(_measured(name, engine, places, k, options))
    return results


def _places(kind: str, n: int, k: int, options: Options) -> NDArray[np.float64] | None:
    draw = np.random.default_rng([options.seed, n, k])
    if kind == "uniform":
        return draw.random((n, 2)) * _SIDE_M
    if kind == "clustered":
        towns = max(3, k // 3)
        middle, width = draw.random((towns, 2)) * _SIDE_M, draw.lognormal(0.0, 0.7, towns) * 0.06 * _SIDE_M
        town = draw.choice(towns, n, p=draw.dirichlet(np.full(towns, 0.7)))
        return np.asarray(middle[town] + draw.normal(size=(n, 2)) * width[town, None])
    path = options.data / "real" / "snap_georgia_us.csv"
    if not path.is_file():
        print(f"georgia: skipped, there is no {path}; pass --data")
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = np.array([(float(r["Longitude"]), float(r["Latitude"])) for r in csv.DictReader(file)])
    rows = rows[draw.choice(len(rows), n, replace=False)]
    return unit_vectors(rows[:, 0], rows[:, 1]) * EARTH_RADIUS_M


def _measured(name: str, engine: str, places: NDArray[np.float64], k: int, options: Options) -> dict[str, Any]:
    n = len(places)
    work = np.random.default_rng([options.seed, 7]).lognormal(0.0, 0.8, n)
    mean = float(work.sum()) / k
    low, high = mean * (1 - TOLERANCE), mean * (1 + TOLERANCE)
    design = power_design(places, work, np.full(k, low), np.full(k, high), starts=_STARTS, rng=options.seed)
    balanced = not design.excess.any()
    label = design.label
    params = {"n": n, "k": k, "tolerance": TOLERANCE, "design_starts": _STARTS}
    square = ((places[:, None] - places[None]) ** 2).sum(axis=2) if engine != "free" else np.empty((0, 0))
    cost = work[:, None] * square if engine != "free" else square
    more: dict[str, Any] = {}
    with Clock() as clock:
        if engine == "exact":
            seconds = _SECONDS if options.seconds is None else options.seconds
            found = exact_centers(
                cost, work, np.array([low]), np.array([high]), k=k,
                label=label if balanced else None, deadline=monotonic() + seconds,
            )  # fmt: skip
            label, objective, bound, status = found.label, found.objective, found.bound, str(found.status)
            more["proven"] = status == "optimal"
        elif engine == "free":
            dual = free_center_dual(places, work, low, high, k=k, label=label)
            bound, status = dual.bound, "feasible" if balanced else "breaks limits"
            objective = _to_middles(places, work, label, k)
        else:
            bound, status = unit_center_dual(cost, work, low, high, k=k).bound, "feasible"
            objective = sum(
                float(cost[np.ix_(label == c, label == c)].sum(axis=0).min()) for c in range(k) if (label == c).any()
            )
            status = "feasible" if balanced else "breaks limits"
    known = np.isfinite(objective) and np.isfinite(bound)
    return row(
        name, engine, options.seed, params=params, status=status, clock=clock,
        objective=float(objective) if known else None, bound=float(bound) if np.isfinite(bound) else None,
        gap=float(objective / bound - 1) if known and bound > 0 else None, assignment=label, **more,
    )  # fmt: skip


def _to_middles(places: NDArray[np.float64], work: NDArray[np.float64], label: NDArray[Any], k: int) -> float:
    held = np.bincount(label, work, k)
    middle = np.stack([np.bincount(label, work * axis, k) for axis in places.T], axis=1) / held[:, None]
    return float(work @ ((places - middle[label]) ** 2).sum(axis=1))
