"""Least change: alignments that people live in, brought back to +-5 % of workload after drifts, or without a rep.

Georgia's 9,313 food retailers (``real/snap_georgia_us.csv`` under ``--data``), workload lognormal (sigma 0.8) from
the seed, designed into 100 connected territories within 5 %. ``--size N`` takes N of them; a territory for every 93.
Instances:

``drift-customer``: each customer's workload changes by -15 % to +45 %, evenly drawn.
``drift-20km``, ``drift-40km``: a smooth random field of that correlation length, scaled so that it runs from -15 %
to +45 %: towns and counties grow or shrink as a whole.
``drift-metro``: +45 % in the middle of Atlanta, falling with distance (sigma 40 km) to -15 %.
``leave-J``: the rep of territory J leaves, seven of them; the limits are +-5 % of the targets of those who stay.

For drifts two rows each: ``least``, the answer (the first point in balance), and ``at-6.5%``, the best point of the
same curve with at most 6.5 % of the workload handed over. ``free_objective`` is that of a design from nothing within
5 %, in the same run; ``compactness_gap`` compares squared distances with it. ``least_flow`` is no result but a
yardstick: the least workload that has to cross today's borders to balance, if customers could be split and only go next
door (a linear program). Engines ``workload`` and ``count`` of ``leave`` say by what a change costs. Every row also says
whether 0 changes gave the input, whether the curve is monotone, and whether locked customers (every tenth, in a run of
its own) stayed.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import Clock, Options, row
from territory import Customers, check_alignment, design_territories, realign
from territory.geo.adjacency import label_adjacency, point_adjacency

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory import Alignment, Realignment

TOLERANCE = 0.05
SHARE = 0.065
_LOW, _HIGH = -0.15, 0.45
_ATLANTA = (-84.39, 33.75)
_LEAVE = 7
_EACH = 93


def run(options: Options) -> list[dict[str, Any]]:
    """Measure every drift and every rep who leaves."""
    options.takes("realign", "size")
    path = options.data / "real" / "snap_georgia_us.csv"
    if not path.is_file():
        print(f"georgia: skipped, there is no {path}; pass --data")
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        places = np.array([(float(r["Longitude"]), float(r["Latitude"])) for r in csv.DictReader(file)])
    return measured(places[: options.size], options)


def measured(places: NDArray[np.float64], options: Options) -> list[dict[str, Any]]:
    """Measure on given places, float of shape (n, 2): longitude, latitude."""
    n = len(places)
    work = np.round(1800 * np.random.default_rng(options.seed).lognormal(0.0, 0.8, n))
    customers = Customers(id=[f"g{i}" for i in range(n)], lon=places[:, 0], lat=places[:, 1], workload_s=work)
    k = max(2, round(n / _EACH))
    before = design_territories(customers, n_territories=k, balance={"workload_s": TOLERANCE}, rng=options.seed)
    # compiled and loaded before the clocks run
    realign(before, max_moved=0)
    results = []
    for name, growth in _drifts(places, options.seed).items():
        if options.wants(f"drift-{name}"):
            drifted = Customers(
                id=customers.id, lon=customers.lon, lat=customers.lat, workload_s=np.round(work * growth)
            )
            results += _drift(f"drift-{name}", before, drifted, options)
    for j in np.linspace(0, k - 1, min(k, _LEAVE)).astype(int).tolist():
        if options.wants(f"leave-{j}"):
            results += _leave(before, j, options)
    return results


def _drifts(places: NDArray[np.float64], seed: int) -> dict[str, NDArray[np.float64]]:
    """Return by what the workload of each customer is multiplied."""
    draw = np.random.default_rng([seed, 45, 15])
    n = len(places)
    degree_km = 111.19
    km = places * degree_km * np.array([np.cos(np.radians(places[:, 1].mean())), 1.0])
    middle = np.array(_ATLANTA) * degree_km * np.array([np.cos(np.radians(places[:, 1].mean())), 1.0])
    out = {"customer": 1.0 + _LOW + (_HIGH - _LOW) * draw.random(n)}
    for length in (20, 40):
        # a sum of plane waves with normal wave numbers has a Gaussian correlation
        waves, phase = draw.normal(size=(200, 2)) / length, draw.uniform(0.0, 2.0 * np.pi, 200)
        field = np.cos(km @ waves.T + phase).sum(axis=1)
        out[f"{length}km"] = 1.0 + _LOW + (_HIGH - _LOW) * (field - field.min()) / np.ptp(field)
    far = ((km - middle) ** 2).sum(axis=1)
    out["metro"] = 1.0 + _LOW + (_HIGH - _LOW) * np.exp(-far / (2.0 * 40.0**2))
    return out


def _drift(name: str, before: Alignment, customers: Customers, options: Options) -> list[dict[str, Any]]:
    n, k = len(customers), len(before)
    limits = {"workload_s": TOLERANCE}
    free = design_territories(customers, n_territories=k, balance=limits, rng=options.seed)
    with Clock() as clock:
        found = realign(before, customers=customers, max_moved=n, balance=limits, rng=options.seed)
    kept = _keeps(before, found, customers, options)
    params = {"n": n, "k": k, "tolerance": TOLERANCE, "low": _LOW, "high": _HIGH}
    figures = {**kept, "free_objective": free.objective * 1e-6, "least_flow": _least_flow(before, customers)}
    results = []
    for engine, i in (("least", found.chosen), (f"at-{SHARE:.1%}", found.point(moved_share=SHARE))):
        results.append(
            row(
                name,
                engine,
                options.seed,
                params=params,
                status=_status(found, i),
                clock=clock,
                **_figures(found, i),
                **figures,
                compactness_gap=float(found.curve["objective"][i] / free.objective - 1.0),
            )
        )
    return results


def _leave(before: Alignment, j: int, options: Options) -> list[dict[str, Any]]:
    n, k = len(before.customers), len(before)
    others = int((before.territory_idx != j).sum())
    results = []
    for engine, cost in (("workload", None), ("count", "count")):
        with Clock() as clock:
            found = realign(
                before, remove=[str(before.territory_id[j])], balance={"workload_s": TOLERANCE}, max_moved=n,
                change_cost=cost, rng=options.seed,
            )  # fmt: skip
        i = found.chosen
        first = found.at(0)
        same = first.territory_id[first.territory_idx] == before.territory_id[before.territory_idx]
        params = {"n": n, "k": k - 1, "tolerance": TOLERANCE, "others": others}
        results.append(
            row(
                f"leave-{j}",
                engine,
                options.seed,
                params=params,
                status=_status(found, i),
                clock=clock,
                **_figures(found, i),
                others_moved=float(found.curve["moved"][i] / others),
                zero_is_input=bool(same[before.territory_idx != j].all()),
                monotone=_monotone(found),
            )
        )
    return results


def _status(found: Realignment, i: int) -> str:
    if not check_alignment(found.at(i)).ok:
        return "invalid"
    return "feasible" if found.curve["balanced"][i] else "not balanced"


def _figures(found: Realignment, i: int) -> dict[str, Any]:
    alignment, curve = found.at(i), found.curve
    return {
        "objective": alignment.objective * 1e-6,
        "moved": int(curve["moved"][i]),
        "moved_share": float(curve["moved_share"][i]),
        "deviation": float(curve["workload_s_deviation"][i]),
        "assignment": alignment.territory_idx,
        "centers": np.stack([alignment.center_lon, alignment.center_lat], axis=1),
    }


def _keeps(before: Alignment, found: Realignment, customers: Customers, options: Options) -> dict[str, bool]:
    """Return whether no change is the input, the curve is monotone, and locked customers stay."""
    nothing = realign(before, customers=customers, max_moved=0, rng=options.seed)
    ids = customers.id[::10].tolist()
    locked = realign(before, customers=customers, locked=ids, max_moved=len(customers), rng=options.seed)
    return {
        "zero_is_input": bool((nothing.alignment.territory_idx == before.territory_idx).all()),
        "monotone": _monotone(found) and _monotone(locked),
        "locked_stay": bool((locked.labels[:, ::10] == before.territory_idx[::10]).all()),
    }


def _monotone(found: Realignment) -> bool:
    curve = found.curve
    within = curve["violation"] <= 0
    return bool(
        (np.diff(curve["change_cost"]) >= 0).all()
        and (np.diff(curve["violation"]) <= 1e-12).all()
        and (np.diff(curve["objective"][within]) < 0).all()
    )


def _least_flow(before: Alignment, customers: Customers) -> float:
    """Return the least share of the workload that has to cross a border, by HiGHS."""
    from scipy.optimize import linprog  # noqa: PLC0415 - slow to load
    from scipy.sparse import coo_array, vstack  # noqa: PLC0415

    work = customers.workload_s
    if work is None:
        msg = "customers without workload"
        raise ValueError(msg)
    k = len(before)
    load = np.bincount(before.territory_idx, work, k)
    pairs = label_adjacency(before.territory_idx, point_adjacency(customers.lon, customers.lat))
    arcs = np.concatenate([pairs, pairs[:, ::-1]])
    m = len(arcs)
    gain = coo_array((np.repeat([-1.0, 1.0], m), (arcs.T.reshape(-1), np.tile(np.arange(m), 2))), shape=(k, m))
    target = load.mean()
    limits = np.concatenate([(1 + TOLERANCE) * target - load, load - (1 - TOLERANCE) * target])
    solved = linprog(np.ones(m), A_ub=vstack([gain, -gain]).tocsr(), b_ub=limits, method="highs")
    return float(solved.fun / work.sum())
