"""The core of territory design: balanced power diagrams and whole calls, beside METIS, k-means and spopt.

Instances: ``{uniform,clustered}-{n}-{k}-{measure}`` for n/k of 200/4, 2,000/20, 10,000/100, 50,000/250, 100,000/500
and 1,000,000/1,000, in a square of 100 km, made from the seed; ``georgia-9313-{20,60,100}-{measure}`` (real places
under ``--data``). Measures: ``count``, ``workload`` (lognormal, sigma 0.8), both within 5 %, and ``tight``, the
workload within 1 %. ``--size N`` leaves out what has more than N places. ``--iterations N`` repeats all of it with N
seeds, the first of them ``--seed``: other places, other work, other starts; `compare` shows medians, and in how many
the limits held.

Engines (``--engine`` takes one): ``start``, the first start of `power_design`; ``five``, the best of five;
``whole``, `design_territories`: reading, contiguity, bound and check; ``homes``, the same with centres at reps'
homes, which are drawn from the places; ``fixed``, the optimal split for centres that were found and shaken, against
the same linear program by HiGHS (up to 2,000 places). Peers: ``k-means-constrained``, one start, and
``k-means-constrained-10``, the ten that it makes by itself (only if asked for), where counts are balanced;
``metis``, the best of all its settings, whose time is that of this one run; ``k-means``, which balances nothing;
``spopt-regions`` and ``spopt-max-p`` (200 places). All but ``start`` and ``whole`` stop at 10,000 places. What is
not installed is said to be so.

Each run has a process of its own, whose highest memory is ``peak_mb``, interpreter and libraries included. CPU seconds
are of that process, all threads; imports and the loading of kernels are not in them. ``objective`` is the weighted
squared distance to the territories' own weighted middles, whatever an engine calls its centres; ``own_objective``,
``bound`` and ``gap`` are for an engine's own centres.
"""

from __future__ import annotations

import csv
import multiprocessing
import resource
import sys
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import Clock, Options, row
from territory.geo.sphere import EARTH_RADIUS_M, from_unit_vectors, unit_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Row = dict[str, Any]

TOLERANCE = {"count": 0.05, "workload": 0.05, "tight": 0.01}
_SERIES = ((200, 4), (2_000, 20), (10_000, 100), (50_000, 250), (100_000, 500), (1_000_000, 1_000))
_GEORGIA, _GEORGIA_N = (20, 60, 100), 9_313
#: Places up to which the best of five and peers are measured, and those that are much slower.
_SMALL, _FEW, _VERY_FEW = 10_000, 2_000, 200
_SIDE_M = 1e5


@dataclass(frozen=True, eq=False)
class Case:
    """Places (n, d) in metres with weights (n,), for k territories of equal target."""

    name: str
    places: NDArray[np.float64]
    weight: NDArray[np.float64]
    k: int
    measure: str

    @property
    def tolerance(self) -> float:
        """Allowed deviation from the target, as a share of it."""
        return TOLERANCE[self.measure]

    @property
    def target(self) -> NDArray[np.float64]:
        """Target of each territory, shape (k,)."""
        return np.full(self.k, self.weight.sum() / self.k)

    @property
    def plane(self) -> NDArray[np.float64]:
        """The places in the plane that touches the sphere at their middle, shape (n, 2)."""
        if self.places.shape[1] == 2:
            return self.places
        up = self.places.mean(axis=0)
        east = np.cross([0.0, 0.0, 1.0], up)
        east /= np.linalg.norm(east)
        north = np.cross(up, east) / np.linalg.norm(up)
        return np.asarray(self.places @ np.stack([east, north], axis=1))

    @property
    def lonlat(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitude and latitude; the square lies where equator and zero meridian meet, and is hardly bent there."""
        if self.places.shape[1] == 3:
            lon, lat = from_unit_vectors(self.places / EARTH_RADIUS_M)
            return lon, lat
        degrees = np.degrees((self.places - 0.5 * _SIDE_M) / EARTH_RADIUS_M)
        return degrees[:, 0].copy(), degrees[:, 1].copy()


def run(options: Options) -> list[Row]:
    """Measure every engine on every instance."""
    options.takes("power", "size", "engine", "iterations")
    if options.engine not in (None, *_ENGINES):
        msg = f"power has no engine {options.engine}; there are {', '.join(_ENGINES)}"
        raise SystemExit(msg)
    results = []
    # one after the other, each in a fresh process
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for name, n, measure in _names(options):
            for engine, (most, measures, _) in _ENGINES.items():
                if measure not in measures or n > most or not _asked(options, engine):
                    continue
                for seed in range(options.seed, options.seed + (options.iterations or 1)):
                    done = pool.apply(_measured_in_child, (replace(options, seed=seed), name, engine))
                    print(f"{name} {engine} seed {seed}: {done['status']}, {done['cpu_s']:.2f} CPU-s", file=sys.stderr)
                    results.append(done)
    return results


def _asked(options: Options, engine: str) -> bool:
    return options.engine == engine or (options.engine is None and engine != "k-means-constrained-10")


def _measured_in_child(options: Options, name: str, engine: str) -> Row:
    case = _case(name, options)
    missing = [package for package in _NEEDS.get(engine, ()) if find_spec(package) is None]
    if missing:
        note = f"skipped: {' and '.join(missing)} not installed"
        return row(name, engine, options.seed, params=_params(case), status="absent", clock=Clock(), note=note)
    made = _ENGINES[engine][2](case, options.seed)
    label = made.pop("label")
    figures = yardstick(case, label) if label is not None else {}
    if "status" not in made:
        made["status"] = "feasible" if figures["deviation"] <= case.tolerance + 1e-9 else "breaks limits"
    params = _params(case, **made.pop("params", {}))
    return row(name, engine, options.seed, params=params, peak_mb=_peak_mb(), **made, **figures)


def _peak_mb() -> float:
    """Return the highest memory of this process; what `getrusage` says of Linux may be that of its parent."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _params(case: Case, **more: Any) -> dict[str, Any]:
    return {"n": len(case.places), "k": case.k, "measure": case.measure, "tolerance": case.tolerance, **more}


# -- instances -----------------------------------------------------------------------------


def _names(options: Options) -> Iterator[tuple[str, int, str]]:
    """Yield name, number of places and measure of each instance that was asked for."""
    most = options.size or _SERIES[-1][0]
    names = [(f"{kind}-{n}-{k}", n) for n, k in _SERIES for kind in ("uniform", "clustered")]
    georgia = [(f"georgia-{_GEORGIA_N}-{k}", _GEORGIA_N) for k in _GEORGIA]
    found = [(f"{name}-{measure}", n, measure) for name, n in names + georgia for measure in TOLERANCE if n <= most]
    found = [some for some in found if options.wants(some[0])]
    path = options.data / "real" / "snap_georgia_us.csv"
    if any(name.startswith("georgia") for name, _, _ in found) and not path.is_file():
        print(f"georgia: skipped, there is no {path}; pass --data")
        found = [some for some in found if not some[0].startswith("georgia")]
    yield from found


def _case(name: str, options: Options) -> Case:
    kind, digits, territories, measure = name.split("-")
    n, k = int(digits), int(territories)
    if kind == "georgia":
        with (options.data / "real" / "snap_georgia_us.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = np.array([(float(r["Longitude"]), float(r["Latitude"])) for r in csv.DictReader(file)])
        places = unit_vectors(rows[:, 0], rows[:, 1]) * EARTH_RADIUS_M
    else:
        draw = np.random.default_rng([options.seed, n, kind == "uniform"])
        places = draw.random((n, 2)) * _SIDE_M if kind == "uniform" else _towns(draw, n, k)
    work = np.random.default_rng([options.seed, 7]).lognormal(0.0, 0.8, len(places))
    return Case(name, places, np.ones(len(places)) if measure == "count" else work, k, measure)


def _towns(draw: np.random.Generator, n: int, k: int) -> NDArray[np.float64]:
    """Return places in towns of very different size and width, a town for three territories."""
    towns = max(3, k // 3)
    middle, width = draw.random((towns, 2)) * _SIDE_M, draw.lognormal(0.0, 0.7, towns) * 0.02 * _SIDE_M
    town = draw.choice(towns, n, p=draw.dirichlet(np.full(towns, 0.7)))
    return np.asarray(middle[town] + draw.normal(size=(n, 2)) * width[town, None])


def yardstick(case: Case, label: NDArray[Any]) -> Row:
    """Measure an assignment, int array of shape (n,)."""
    k = int(label.max()) + 1 if label.max() >= case.k else case.k
    load = np.bincount(label, case.weight, k)
    mean = np.stack([np.bincount(label, case.weight * axis, k) for axis in case.places.T], axis=1)
    center = mean / np.maximum(load, 1e-300)[:, None]
    return {
        "objective": float(case.weight @ ((case.places - center[label]) ** 2).sum(axis=1)),
        "deviation": float(np.abs(load / case.target[0] - 1).max()),
        "assignment": label,
        "centers": center,
    }


# -- engines: case and seed -> label, clock, and what else there is to say -------------------


def _power(starts: int) -> Callable[[Case, int], Row]:
    def measure(case: Case, seed: int) -> Row:
        from territory.design.power import power_design  # noqa: PLC0415

        warm = np.random.default_rng(0).random((300, 2))
        power_design(warm, np.ones(300), np.full(3, 90.0), np.full(3, 110.0), rng=0)
        low, high = case.target * (1 - case.tolerance), case.target * (1 + case.tolerance)
        with Clock() as clock:
            made = power_design(case.places, case.weight, low, high, starts=starts, rng=seed)
        gap = made.cost / made.bound - 1 if made.bound > 0 else None
        return {
            "label": made.label, "clock": clock, "params": {"starts": starts}, "own_objective": made.cost,
            "bound": made.bound, "gap": gap,
        }  # fmt: skip

    return measure


def _whole(*, homes: bool) -> Callable[[Case, int], Row]:
    def measure(case: Case, seed: int) -> Row:
        from territory import Customers, Reps, design_territories  # noqa: PLC0415
        from territory.errors import InfeasibleError  # noqa: PLC0415

        lon, lat = case.lonlat
        ids = np.arange(len(lon)).astype(np.dtypes.StringDType())
        column = None if case.measure == "count" else 1800.0 * case.weight
        customers = Customers(id=ids, lon=lon, lat=lat, workload_s=column)
        reps = None
        if homes:
            at = np.random.default_rng([seed, 11]).choice(len(lon), case.k, replace=False)
            reps = Reps(id=[f"r{j}" for j in range(case.k)], lon=lon[at], lat=lat[at])
        few = customers.take(np.arange(min(len(lon), 150)))
        design_territories(few, n_territories=3, balance={"count": 0.2})
        name = "count" if case.measure == "count" else "workload_s"
        made = None
        with Clock() as clock:
            try:
                made = design_territories(
                    customers, reps, n_territories=case.k, balance={name: case.tolerance},
                    centers="homes" if homes else "free", time_limit_s=600.0, rng=seed,
                )  # fmt: skip
            except InfeasibleError as error:
                said = "; ".join(reason.message for reason in error.reasons)
        if made is None:
            return {"label": None, "clock": clock, "status": "infeasible", "note": said}
        scale = case.weight.sum()
        bound = None if made.bound is None else made.bound * scale
        return {
            "label": made.territory_idx, "clock": clock, "own_objective": made.objective * scale, "bound": bound,
            "gap": made.gap,
        }  # fmt: skip

    return measure


def _fixed(case: Case, seed: int) -> Row:
    """Measure the optimal split to given centres, before rounding, against HiGHS."""
    from scipy import sparse  # noqa: PLC0415
    from scipy.optimize import linprog  # noqa: PLC0415

    from territory.design.power import power_design  # noqa: PLC0415
    from territory.design.power_fixed import Ground, best_split, bound_at, first_margin  # noqa: PLC0415
    from territory.design.power_tree import make_tree  # noqa: PLC0415

    x, w, k = case.places - case.places.mean(axis=0), case.weight, case.k
    low, high = case.target * (1 - case.tolerance), case.target * (1 + case.tolerance)
    center = power_design(x, w, low, high, starts=1, rng=seed).center
    # somewhere else, so that there is something to balance
    center = (
        center
        + np.random.default_rng([seed, 13]).normal(size=center.shape) * 0.3 * np.sqrt(first_margin(center))[:, None]
    )
    with Clock() as clock:
        tree = make_tree(x, w)
        ground = Ground(tree, low, high, np.zeros((0, x.shape[1])), np.zeros(0), np.zeros((0, k), dtype=bool))
        split = best_split(ground, center, np.zeros(k), first_margin(center))
    bound = bound_at(ground, center, split.price)
    cost = float(w @ (x**2).sum(axis=1)) - 2 * float((center * split.moment).sum())
    cost += float(split.load @ (center**2).sum(axis=1))
    own = np.repeat(np.arange(len(split.border.who)), np.diff(split.border.start))
    splits = int((np.bincount(own[split.flow > 0], minlength=1) > 1).sum())
    square = ((x[:, None] - center[None]) ** 2).sum(axis=2)
    unit = float(square.mean())
    each = sparse.kron(sparse.eye(len(x)), np.ones((1, k))).tocsr()
    load = sparse.kron(w / case.target[0], sparse.eye(k)).tocsr()
    found = linprog(
        ((square * w[:, None]) / (unit * w.mean())).ravel(), A_ub=sparse.vstack([load, -load]),
        b_ub=np.concatenate([high, -low]) / case.target[0], A_eq=each, b_eq=np.ones(len(x)), bounds=(0, None),
        method="highs",
    )  # fmt: skip
    oracle = found.fun * unit * w.mean()
    off = cost / oracle - 1
    kept = abs(off) <= 1e-6 and splits <= k - 1 and not found.status
    note = (
        f"{splits} customers split (at most {k - 1}); cost {off:+.1e} and bound {bound / oracle - 1:+.1e} beside HiGHS"
    )
    return {
        "label": None, "clock": clock, "status": "equal" if kept else "unequal", "own_objective": cost, "bound": oracle,
        "gap": off, "splits": splits, "note": note,
    }  # fmt: skip


def _constrained(n_init: int) -> Callable[[Case, int], Row]:
    def measure(case: Case, seed: int) -> Row:
        from benchmarks.peers.kmeans_peer import constrained  # noqa: PLC0415

        constrained(case.places[:50], 3, 0.2, 0, n_init=1)
        with Clock() as clock:
            label = constrained(case.places, case.k, case.tolerance, seed, n_init=n_init)
        return {"label": label, "clock": clock, "params": {"n_init": n_init}}

    return measure


def _plain(case: Case, seed: int) -> Row:
    from benchmarks.peers.kmeans_peer import plain  # noqa: PLC0415

    plain(case.places[:50], case.weight[:50], 3, 0)
    with Clock() as clock:
        label = plain(case.places, case.weight, case.k, seed)
    return {"label": label, "clock": clock, "status": "unbalanced"}


def _metis(case: Case, seed: int) -> Row:
    from benchmarks.peers import metis_peer  # noqa: PLC0415

    best: tuple[tuple[float, float], Row] | None = None
    for label, settings, clock in metis_peer.answers(case.plane, case.weight, case.k, case.tolerance, seed):
        figures = yardstick(case, label)
        rank = (max(figures["deviation"] - case.tolerance, 0.0), figures["objective"])
        if best is None or rank < best[0]:
            best = rank, {"label": label, "clock": clock, "params": settings}
    if best is None:
        msg = "metis has no settings"
        raise RuntimeError(msg)
    return best[1]


def _regions(case: Case, seed: int) -> Row:
    from benchmarks.peers.spopt_peer import region_kmeans  # noqa: PLC0415

    with Clock() as clock:
        label = region_kmeans(case.plane, case.k, seed)
    return {"label": label, "clock": clock, "status": "unbalanced"}


def _max_p(case: Case, seed: int) -> Row:
    from benchmarks.peers.spopt_peer import max_p  # noqa: PLC0415

    with Clock() as clock:
        label = max_p(case.plane, case.weight, case.k, case.tolerance, seed)
    return {"label": label, "clock": clock, "params": {"found": int(label.max()) + 1}}


_ALL = ("count", "workload", "tight")
#: Engine -> most places, measures, and what measures it.
_ENGINES: dict[str, tuple[int, tuple[str, ...], Callable[[Case, int], Row]]] = {
    "start": (_SERIES[-1][0], _ALL, _power(1)),
    "five": (_SMALL, _ALL, _power(5)),
    "whole": (_SERIES[-1][0], _ALL, _whole(homes=False)),
    "homes": (_SMALL, ("workload",), _whole(homes=True)),
    "fixed": (_FEW, ("workload", "tight"), _fixed),
    "k-means-constrained": (_SMALL, ("count",), _constrained(1)),
    "k-means-constrained-10": (_SMALL, ("count",), _constrained(10)),
    "metis": (_SMALL, ("count", "workload"), _metis),
    "k-means": (_SMALL, ("count", "workload"), _plain),
    "spopt-regions": (_VERY_FEW, ("workload",), _regions),
    "spopt-max-p": (_VERY_FEW, ("workload",), _max_p),
}
_NEEDS = {
    "k-means-constrained": ("k_means_constrained",), "k-means-constrained-10": ("k_means_constrained",),
    "metis": ("pymetis",), "k-means": ("sklearn",), "spopt-regions": ("spopt",), "spopt-max-p": ("spopt", "geopandas"),
}  # fmt: skip
