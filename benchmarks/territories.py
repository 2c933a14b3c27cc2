"""Balanced territories, against scikit-learn's KMeans and k-means-constrained.

Instances: ``germany-60-reps-workload`` (the shipped customers and reps with locks, skills and part-time
reps: no peer reads those, so it stands alone), ``germany-k60-{count,workload}`` (the same places
without reps), ``georgia-k{20,60,100}-{count,workload}`` (9,313 food retailers from
``real/snap_georgia_us.csv`` under ``--data``; workload lognormal, made from the seed). Balance 5 %,
contiguous. ``--seconds S`` is the time limit of ``design_territories`` (default 60); ``--size N``
takes N customers of each, and a territory for every 100.

KMeans balances nothing: its spread is the floor. k-means-constrained balances counts only, and
knows neither weights nor contiguity. Each gets one start (``n_init=1``). Peers that are not
installed are said to be so.

Every answer is measured here by one yardstick, whatever its engine says of itself: centres are the
weighted means of the territories, ``objective`` the weighted mean of the squared chord to them in
km^2, ``deviation`` the largest distance of a territory's total from its target, ``disconnected`` the
territories in several parts on the Delaunay graph. ``bound`` is the library's own, for its own
centres only: no other engine's answer is bounded by it. Centres are written as lon, lat.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import Clock, Options, row
from territory import Customers, design_territories
from territory.datasets import load_germany
from territory.errors import InfeasibleError
from territory.geo.adjacency import n_fragments, point_adjacency
from territory.geo.sphere import EARTH_RADIUS_M, from_unit_vectors, unit_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from territory import Alignment, Reps

TOLERANCE = 0.05
_KM2 = 1e-6


@dataclass(frozen=True, eq=False)
class Case:
    """An instance: who is shared out among how many, and by what.

    Attributes
    ----------
    weight : float array of shape (n,)
        What is balanced: the workload, or 1 each.
    share : float array of shape (k,)
        Of the whole, for each territory.
    free : bool array of shape (n,)
        Customers whom everybody may serve: those that contiguity concerns.
    """

    name: str
    customers: Customers
    reps: Reps | None
    k: int
    measure: str
    weight: NDArray[np.float64]
    share: NDArray[np.float64]
    free: NDArray[np.bool_]


def run(options: Options) -> list[dict[str, Any]]:
    """Measure every engine on every instance."""
    options.takes("territories", "seconds", "size")
    results = []
    for case in _cases(options):
        results.append(_ours(case, options))
        if case.reps is None:
            results.append(_peer(case, options, "KMeans", "sklearn.cluster", _kmeans))
            results.append(_peer(case, options, "k-means-constrained", "k_means_constrained", _constrained))
    return results


# -- instances -----------------------------------------------------------------------------


def _cases(options: Options) -> Iterator[Case]:
    size = options.size
    customers, reps = load_germany(n_reps=60 if size is None else max(2, size // 100))
    if size is not None:
        customers = customers.take(np.arange(min(size, len(customers))))
    if options.wants(f"germany-{len(reps)}-reps-workload"):
        yield _with_reps(customers, reps)
    work = customers.workload_s
    if work is None:
        msg = "the shipped customers have no workload"
        raise RuntimeError(msg)
    yield from _plain("germany", customers.lon, customers.lat, work, _counts((60,), size), options)
    path = options.data / "real" / "snap_georgia_us.csv"
    counts = _counts((20, 60, 100), size)
    if not any(options.wants(f"georgia-k{k}-{by}") for k in counts for by in ("count", "workload")):
        return
    if not path.is_file():
        print(f"georgia: skipped, there is no {path}; pass --data")
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        places = np.array([(float(r["Longitude"]), float(r["Latitude"])) for r in csv.DictReader(file)])
    made = 1800 * np.random.default_rng(options.seed).lognormal(0.0, 0.8, len(places))
    yield from _plain("georgia", places[:, 0], places[:, 1], np.round(made), counts, options)


def _counts(usual: tuple[int, ...], size: int | None) -> tuple[int, ...]:
    return usual if size is None else (max(2, size // 100),)


def _with_reps(customers: Customers, reps: Reps) -> Case:
    if reps.capacity_s is None or customers.workload_s is None:
        msg = "the shipped tables have no capacity or no workload"
        raise RuntimeError(msg)
    free = np.ones(len(customers), dtype=bool)
    if customers.locked is not None:
        free &= ~customers.locked
    if customers.required_skills is not None:
        picky = np.array([bool(cell) for cell in customers.required_skills.cells])
        free &= ~picky[customers.required_skills.code]
    share = reps.capacity_s / reps.capacity_s.sum()
    k = len(reps)
    return Case(f"germany-{k}-reps-workload", customers, reps, k, "workload_s", customers.workload_s, share, free)


def _plain(
    name: str,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    work: NDArray[np.float64],
    counts: tuple[int, ...],
    options: Options,
) -> Iterator[Case]:
    n = len(lon) if options.size is None else min(options.size, len(lon))
    ids = np.array([f"{name}-{i}" for i in range(n)], dtype=object)
    customers = Customers(id=ids, lon=lon[:n], lat=lat[:n], workload_s=work[:n])
    for k in counts:
        for by, weight in (("count", np.ones(n)), ("workload", work[:n])):
            if options.wants(f"{name}-k{k}-{by}"):
                measure = "count" if by == "count" else "workload_s"
                free = np.ones(n, dtype=bool)
                yield Case(f"{name}-k{k}-{by}", customers, None, k, measure, weight, np.full(k, 1 / k), free)


# -- engines -------------------------------------------------------------------------------


def _params(case: Case, **more: Any) -> dict[str, Any]:
    return {"n": len(case.customers), "k": case.k, "measure": case.measure, "tolerance": TOLERANCE, **more}


def _ours(case: Case, options: Options) -> dict[str, Any]:
    limit = 60.0 if options.seconds is None else options.seconds
    params = _params(case, time_limit_s=limit, contiguous=True)
    with Clock() as clock:
        try:
            made: Alignment | None = design_territories(
                case.customers,
                case.reps,
                n_territories=case.k,
                balance={case.measure: TOLERANCE},
                time_limit_s=limit,
                rng=options.seed,
            )
        except InfeasibleError as error:
            made, said = None, "; ".join(reason.message for reason in error.reasons)
    if made is None:
        return row(case.name, "territory", options.seed, params=params, status="infeasible", clock=clock, note=said)
    figures = measured(case, made.territory_idx)
    # the yardstick has centres in the middle; near homes the answer was made for others
    figures["centers"] = np.stack([made.center_lon, made.center_lat], axis=1)
    own = made.objective * _KM2
    bound = None if made.bound is None else made.bound * _KM2
    return row(
        case.name, "territory", options.seed, params=params, status=str(made.status), clock=clock,
        own_objective=own, bound=bound, gap=made.gap, **figures,
    )  # fmt: skip


def _peer(
    case: Case, options: Options, engine: str, package: str, assign: Callable[[Any, Case, int], NDArray[np.int64]]
) -> dict[str, Any]:
    if find_spec(package.partition(".")[0]) is None:
        note = f"skipped: {package} is not installed"
        return row(case.name, engine, options.seed, params=_params(case), status="absent", clock=Clock(), note=note)
    module = import_module(package)
    with Clock() as clock:
        label = assign(module, case, options.seed)
    figures = measured(case, label)
    return row(
        case.name, engine, options.seed, params=_params(case, n_init=1), status="feasible"
        if figures["deviation"] <= TOLERANCE + 1e-9 and not figures["disconnected"] else "breaks limits",
        clock=clock, **figures,
    )  # fmt: skip


def _xyz_km(case: Case) -> NDArray[np.float64]:
    return unit_vectors(case.customers.lon, case.customers.lat) * (EARTH_RADIUS_M / 1000)


def _kmeans(module: Any, case: Case, seed: int) -> NDArray[np.int64]:
    model = module.KMeans(case.k, n_init=1, random_state=seed)
    label: NDArray[np.int64] = model.fit(_xyz_km(case), sample_weight=case.weight).labels_
    return label


def _constrained(module: Any, case: Case, seed: int) -> NDArray[np.int64]:
    each = len(case.customers) / case.k
    low, high = int(np.ceil(each * (1 - TOLERANCE))), int(np.floor(each * (1 + TOLERANCE)))
    model = module.KMeansConstrained(case.k, size_min=low, size_max=high, n_init=1, random_state=seed)
    label: NDArray[np.int64] = np.asarray(model.fit(_xyz_km(case)).labels_, dtype=np.int64)
    return label


# -- yardstick -----------------------------------------------------------------------------


def measured(case: Case, label: NDArray[Any]) -> dict[str, Any]:
    """Measure an assignment; int array of shape (n,), -1: not served."""
    served = np.flatnonzero(label >= 0)
    of, weight = label[served], case.weight[served]
    xyz = _xyz_km(case)[served]
    total = np.bincount(of, weight, case.k)
    mean = np.stack([np.bincount(of, weight * xyz[:, axis], case.k) for axis in range(3)], axis=1)
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    center = mean / np.maximum(length, 1e-300) * (EARTH_RADIUS_M / 1000)
    target = weight.sum() * case.share
    lon, lat = from_unit_vectors(center)
    ours = case.free & (label >= 0)
    edges = point_adjacency(case.customers.lon[ours], case.customers.lat[ours])
    parts = n_fragments(label[ours], edges, case.k)
    return {
        "objective": float(weight @ ((xyz - center[of]) ** 2).sum(axis=1) / weight.sum()),
        "deviation": float(np.abs(total / target - 1).max()),
        "disconnected": int((parts > 1).sum()),
        "unserved": int((label < 0).sum()),
        "assignment": label,
        "centers": np.stack([lon, lat], axis=1),
    }
