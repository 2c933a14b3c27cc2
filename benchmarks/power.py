"""The core of territory design, arrays in and out: balanced power diagrams, against k-means-constrained.

Instances: ``{uniform,clustered}-{n}-{k}-{count,workload}`` for n/k of 2,000/20, 10,000/100, 100,000/500 and
1,000,000/1,000, in the plane, made from the seed; ``georgia-9313-{20,60,100}-{count,workload}`` (real places
under ``--data``). Workload is lognormal (sigma 0.8). Balance 5 %, no contiguity. Engines: ``start``, the
first start alone, and ``five``, the best of five (up to 10,000 places). k-means-constrained, one start, where
counts are balanced and places are at most 10,000. ``--engine`` takes one of the three. ``--size N`` leaves out
what has more than N places.

``objective`` is the weighted squared distance to the territories' own weighted middles, whatever the
engine's centres; ``own_objective`` and ``bound`` are for the library's own centres. ``peak_mb`` is that of the
process so far.
"""

from __future__ import annotations

import csv
import resource
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import Clock, Options, row
from territory.design.power import power_design
from territory.geo.sphere import EARTH_RADIUS_M, unit_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

TOLERANCE = 0.05
_SERIES = ((2_000, 20), (10_000, 100), (100_000, 500), (1_000_000, 1_000))
_GEORGIA = (20, 60, 100)
#: Places up to which the best of five, and the peer, are measured.
_SMALL = 10_000
_SIDE_M = 1e5


@dataclass(frozen=True, eq=False)
class Case:
    """Places (n, d) in metres with weights (n,), for k territories of equal target."""

    name: str
    places: NDArray[np.float64]
    weight: NDArray[np.float64]
    k: int
    measure: str


def run(options: Options) -> list[dict[str, Any]]:
    """Measure every engine on every instance."""
    options.takes("power", "size", "engine")
    warm = np.random.default_rng(0).random((300, 2))
    power_design(warm, np.ones(300), np.full(3, 90.0), np.full(3, 110.0), rng=0)
    results = []
    for case in _cases(options):
        small = len(case.places) <= _SMALL
        for engine, starts in (("start", 1), ("five", 5)):
            if options.engine in (None, engine) and (starts == 1 or small):
                results.append(_ours(case, options, engine, starts))
        if options.engine in (None, "k-means-constrained") and small and case.measure == "count":
            results.append(_peer(case, options))
    return results


def _cases(options: Options) -> Iterator[Case]:
    most = options.size or _SERIES[-1][0]
    for n, k in _SERIES:
        for kind in ("uniform", "clustered"):
            if n <= most and any(options.wants(f"{kind}-{n}-{k}-{by}") for by in ("count", "workload")):
                draw = np.random.default_rng([options.seed, n, kind == "uniform"])
                places = draw.random((n, 2)) * _SIDE_M if kind == "uniform" else _towns(draw, n, k)
                yield from _both(f"{kind}-{n}-{k}", places, k, options)
    path = options.data / "real" / "snap_georgia_us.csv"
    names = [f"georgia-9313-{k}-{by}" for k in _GEORGIA for by in ("count", "workload")]
    if most < _SMALL - 1_000 or not any(options.wants(name) for name in names):
        return
    if not path.is_file():
        print(f"georgia: skipped, there is no {path}; pass --data")
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = np.array([(float(r["Longitude"]), float(r["Latitude"])) for r in csv.DictReader(file)])
    places = unit_vectors(rows[:, 0], rows[:, 1]) * EARTH_RADIUS_M
    for k in _GEORGIA:
        yield from _both(f"georgia-{len(places)}-{k}", places, k, options)


def _towns(draw: np.random.Generator, n: int, k: int) -> NDArray[np.float64]:
    """Return places in towns of very different size and width, a town for three territories."""
    towns = max(3, k // 3)
    middle, width = draw.random((towns, 2)) * _SIDE_M, draw.lognormal(0.0, 0.7, towns) * 0.02 * _SIDE_M
    town = draw.choice(towns, n, p=draw.dirichlet(np.full(towns, 0.7)))
    return np.asarray(middle[town] + draw.normal(size=(n, 2)) * width[town, None])


def _both(name: str, places: NDArray[np.float64], k: int, options: Options) -> Iterator[Case]:
    n = len(places)
    work = np.random.default_rng([options.seed, 7]).lognormal(0.0, 0.8, n)
    for by, weight in (("count", np.ones(n)), ("workload", work)):
        if options.wants(f"{name}-{by}"):
            yield Case(f"{name}-{by}", places, weight, k, by)


def _params(case: Case, **more: Any) -> dict[str, Any]:
    return {"n": len(case.places), "k": case.k, "measure": case.measure, "tolerance": TOLERANCE, **more}


def _ours(case: Case, options: Options, engine: str, starts: int) -> dict[str, Any]:
    target = np.full(case.k, case.weight.sum() / case.k)
    with Clock() as clock:
        made = power_design(
            case.places,
            case.weight,
            target * (1 - TOLERANCE),
            target * (1 + TOLERANCE),
            starts=starts,
            rng=options.seed,
        )
    figures = measured(case, made.label)
    return row(
        case.name, engine, options.seed, params=_params(case, starts=starts),
        status="feasible" if not made.excess.any() else "breaks limits", clock=clock,
        own_objective=made.cost, bound=made.bound, gap=made.cost / made.bound - 1 if made.bound > 0 else None,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, **figures,
    )  # fmt: skip


def _peer(case: Case, options: Options) -> dict[str, Any]:
    engine, package = "k-means-constrained", "k_means_constrained"
    if find_spec(package) is None:
        note = f"skipped: {package} is not installed"
        return row(case.name, engine, options.seed, params=_params(case), status="absent", clock=Clock(), note=note)
    each = len(case.places) / case.k
    low, high = int(np.ceil(each * (1 - TOLERANCE))), int(np.floor(each * (1 + TOLERANCE)))
    model = import_module(package).KMeansConstrained(
        case.k, size_min=low, size_max=high, n_init=1, random_state=options.seed
    )
    with Clock() as clock:
        label = np.asarray(model.fit(case.places - case.places.mean(axis=0)).labels_, dtype=np.int64)
    return row(
        case.name, engine, options.seed, params=_params(case, n_init=1), status="feasible", clock=clock,
        **measured(case, label),
    )  # fmt: skip


def measured(case: Case, label: NDArray[Any]) -> dict[str, Any]:
    """Measure an assignment, int array of shape (n,)."""
    load = np.bincount(label, case.weight, case.k)
    mean = np.stack([np.bincount(label, case.weight * axis, case.k) for axis in case.places.T], axis=1)
    center = mean / np.maximum(load, 1e-300)[:, None]
    return {
        "objective": float(case.weight @ ((case.places - center[label]) ** 2).sum(axis=1)),
        "deviation": float(np.abs(load / (case.weight.sum() / case.k) - 1).max()),
        "assignment": label,
        "centers": center,
    }
