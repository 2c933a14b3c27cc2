"""Families with best-known values in one table: classes of instances by engines, against the best known or seen."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    Row = dict[str, Any]

__all__ = ["ROUTING", "SETTINGS", "summary"]

ROUTING = ("tsptw", "vrptw", "mdvrptw", "toptw", "pvrp", "repday", "repmonth", "scale", "tdp", "cccp", "cpmp")
#: Objectives nearer than this (relative) are equal: printed best-known values are rounded to a hundredth. Whole ones
#: must be equal as they are.
EQUAL = 2e-5
#: Parameters that make another instance of the same name.
SETTINGS = ("m", "visits", "size", "n")


def summary(rows: Sequence[Row]) -> list[Row]:
    """Return one row for each class of instances and engine, and one for each engine over all classes.

    The reference of an instance is its best-known value or the best objective of all rows, whichever
    is better: where no value is known the engines are compared with the best of them.
    """
    best, most = _references(rows), _most(rows)
    labels = _labels(rows)
    groups = list(dict.fromkeys(r["group"] for r in rows))
    engines = list(dict.fromkeys(labels[id(r)] for r in rows))
    out = []
    for group in [*sorted(groups), *(["all"] if len(groups) > 1 else [])]:
        for engine in engines:
            some = [r for r in rows if labels[id(r)] == engine and group in {r["group"], "all"}]
            if some:
                out.append({"group": group, "engine": engine, **_figures(some, best), **_driving(some, most)})
    return out


def _key(r: Row) -> Hashable:
    settings = tuple((name, r["params"][name]) for name in SETTINGS if name in r["params"])
    # a generated instance is another one with another seed
    return r["instance"], settings, r["seed"] if r["best_known_source"] in {None, "benchmarks.exact_day"} else 0


def _references(rows: Sequence[Row]) -> dict[Hashable, float]:
    seen: dict[Hashable, list[float]] = defaultdict(list)
    upward = {}
    for r in rows:
        upward[_key(r)] = r["maximise"]
        seen[_key(r)] += [x for x in (r["best_known"], r["objective"]) if x is not None]
    return {key: (max if upward[key] else min)(values) for key, values in seen.items() if values}


def _labels(rows: Sequence[Row]) -> dict[int, str]:
    """Return the engine of each row, with its budget where runs of differing budgets are compared."""
    budgets: dict[str, set[str]] = defaultdict(set)
    told = {}
    for r in rows:
        budget = r["budget"]
        iterations, seconds = budget.get("iterations"), budget.get("seconds")
        told[id(r)] = f"{iterations:,} it" if iterations else f"{seconds:g} s" if seconds else "until it stops"
        budgets[r["engine"]].add(told[id(r)])
    several = any(len(b) > 1 for b in budgets.values())
    return {id(r): f"{r['engine']}, {told[id(r)]}" if several else r["engine"] for r in rows}


def _worse(r: Row, reference: float) -> float:
    distance = reference - r["objective"] if r["maximise"] else r["objective"] - reference
    return float(distance / abs(reference)) if reference else 0.0


def _tolerance(r: Row, reference: float) -> float:
    return 1e-9 if float(r["objective"]).is_integer() and float(reference).is_integer() else EQUAL


def _driving(some: Sequence[Row], most: dict[Hashable, tuple[int, float]]) -> Row:
    """Return how often visits are fewer than the most that were seen, and how much more is driven where they are not.

    Only of families whose rows say what was driven.
    """
    told = [(r["visits"], r["drive_s"], *most[_key(r)]) for r in some if _key(r) in most and "drive_s" in r]
    equal = [(drive, least) for visits, drive, best, least in told if visits == best]
    least = sum(d for _, d in equal)
    return {
        "visits": sum(t[0] for t in told) if told else None,
        "fewer": len(told) - len(equal) if told else None,
        "driving": sum(d for d, _ in equal) / least - 1 if least else None,
    }


def _most(rows: Sequence[Row]) -> dict[Hashable, tuple[int, float]]:
    """Return the most visits of each instance, and the least that is driven for them."""
    found: dict[Hashable, tuple[int, float]] = {}
    for r in rows:
        if "drive_s" in r and r["objective"] is not None:
            ends = [(r["visits"], r["drive_s"])]
            ends += [(r["best_visits"], r["best_drive_s"])] if "best_visits" in r else []
            found[_key(r)] = max([*ends, *([found[_key(r)]] if _key(r) in found else [])], key=lambda e: (e[0], -e[1]))
    return found


def _own_gap(r: Row) -> float | None:
    """Return how far a row's objective is from its own bound, a fraction of the objective."""
    if r["bound"] is None or not r["objective"]:
        return None
    distance = r["bound"] - r["objective"] if r["maximise"] else r["objective"] - r["bound"]
    return max(float(distance / abs(r["objective"])), 0.0)


def _figures(some: list[Row], best: dict[Hashable, float]) -> Row:
    solved = [r for r in some if r["objective"] is not None]
    gaps = [_worse(r, best[_key(r)]) for r in solved]
    even = sum(abs(gap) <= _tolerance(r, best[_key(r)]) for r, gap in zip(solved, gaps, strict=True))
    own = [gap for gap in map(_own_gap, solved) if gap is not None]
    ran = [r for r in some if (r["routes"] is not None or r.get("assignment") is not None) and r["cpu_s"] > 0]
    cpu = sum(r["cpu_s"] for r in ran)
    steps = [r["iterations"] / r["cpu_s"] for r in ran if r["iterations"]]
    known = [(r, r["best_known"]) for r in solved if r["best_known"] is not None]
    beaten = sum(_worse(r, value) < -_tolerance(r, value) for r, value in known)
    return {
        "instances": len(some),
        "solved": len(solved),
        "gap": fmean(gaps) if gaps else None,
        "median_gap": median(gaps) if gaps else None,
        "worst_gap": max(gaps, default=None),
        "at_best": even / len(some),
        "better": beaten,
        "proven": sum(r["status"] == "optimal" for r in solved) / len(some),
        "own_gap": fmean(own) if own else None,
        "worst_own_gap": max(own, default=None),
        "cpu_s": cpu / len(ran) if ran else None,
        "per_cpu_s": len(ran) / cpu if cpu else None,
        "iterations_per_s": fmean(steps) if steps else None,
    }
