"""Best-known values: read from the data folder where it has them, else as remembered from the literature.

Only values with a solution that the family's verifier confirms (or a published proof) are called verified. The others
are as good as memory: a solution that is better shows that they are wrong, and the comparison says so.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from benchmarks.instances import pvrp, vrptw

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "BestKnown", "cccp_best", "cpmp_best", "mdvrptw_best", "pvrp_best", "tdp_best", "toptw_best", "tsptw_best",
    "tsptw_solution", "vrptw_best",
]  # fmt: skip

#: Vidal, Crainic, Gendreau & Prins (2013), distance; remembered.
MDVRPTW = {
    "pr01": 1074.12, "pr02": 1762.21, "pr03": 2373.65, "pr04": 2815.48, "pr05": 2964.65, "pr06": 3588.78,
    "pr07": 1418.22, "pr08": 2096.73, "pr09": 2712.56, "pr10": 3465.92, "pr11": 1005.73, "pr12": 1464.50,
    "pr13": 2001.81, "pr14": 2195.33, "pr15": 2433.15, "pr16": 2836.67, "pr17": 1236.24, "pr18": 1788.18,
    "pr19": 2261.08, "pr20": 2993.15,
}  # fmt: skip

#: Vidal, Crainic, Gendreau, Lahrichi & Rei (2012), distance; remembered.
PVRP = {
    "p01": 524.61, "p02": 1322.87, "p03": 524.61, "p04": 835.26, "p05": 2024.96, "p06": 835.26, "p07": 826.14,
    "p08": 2022.47, "p09": 826.14, "p10": 1593.43, "p11": 770.89, "p12": 1186.47, "p13": 3462.73, "p14": 954.81,
    "p15": 1862.63, "p16": 2875.24, "p17": 1597.75, "p18": 3131.09, "p19": 4834.34, "p20": 8367.40, "p21": 2170.61,
    "p22": 4193.95, "p23": 6420.71, "p24": 3687.46, "p25": 3777.15, "p26": 3795.32, "p27": 21833.87,
    "p28": 22242.51, "p29": 22543.75, "p30": 73875.19, "p31": 76001.57, "p32": 77598.00,
    "pr01": 2209.02, "pr02": 3767.50, "pr03": 5153.54, "pr04": 5877.37, "pr05": 6581.86, "pr06": 8207.21,
    "pr07": 4996.14, "pr08": 6970.68, "pr09": 10038.43, "pr10": 12897.95,
}  # fmt: skip

#: Gehring & Homberger, 200 customers, DIMACS convention (truncated to one decimal); remembered.
HOMBERGER_200 = {
    "c1": (2698.6, 2694.3, 2675.8, 2625.6, 2694.9, 2694.9, 2694.9, 2684.0, 2639.6, 2624.7),
    "c2": (1922.1, 1851.4, 1763.4, 1695.0, 1869.6, 1844.8, 1842.2, 1813.7, 1815.0, 1791.2),
    "r1": (4667.2, 3919.9, 3373.9, 3047.6, 4053.2, 3559.2, 3141.9, 2938.4, 3734.7, 3293.1),
    "r2": (3468.0, 3008.2, 2537.5, 1928.5, 3061.1, 2675.4, 2304.7, 1842.4, 2843.3, 2549.4),
    "rc1": (3516.9, 3221.6, 3001.4, 2845.2, 3325.6, 3300.7, 3177.8, 3060.0, 3073.3, 2990.5),
    "rc2": (2797.4, 2481.6, 2227.7, 1854.8, 2491.4, 2495.1, 2287.7, 2151.2, 2086.6, 1989.2),
}

#: Centred clustering, the best of the literature (Chaves & Lorena 2010, 2011, and later); remembered. Nothing costs as
#: little as is told of Doni2 on the data as they stand: ``python -m benchmarks.proofs cccp Doni2 6080.70``.
CCCP = {
    "SJC1": 17359.75, "SJC2": 33181.65, "SJC3a": 45354.38, "SJC3b": 40660.9, "SJC4a": 61931.60, "SJC4b": 52202.48,
    "TA25": 1251.44, "TA50": 4474.52, "TA60": 5356.58, "TA70": 6240.67, "TA80": 5730.28, "TA90": 9069.85,
    "TA100": 8102.04, "Doni1": 3021.41, "Doni2": 6080.70, "Doni3": 8343.49, "Doni4": 10777.64, "Doni5": 11114.67,
    "Doni6": 15542.3, "Doni7": 18253.9, "P3038_700": 112683.0, "P3038_1000": 88617.2,
}  # fmt: skip

#: Capacitated p-median of Osman & Christofides (1994), optima.
CPMP = (
    713, 740, 751, 651, 664, 778, 787, 820, 715, 829, 1006, 966, 1026, 982, 1091, 954, 1034, 1043, 1031, 1005,
)  # fmt: skip


@dataclass(frozen=True)
class BestKnown:
    """A best-known objective, where it comes from, and whether a solution or a proof stands behind it."""

    value: float
    source: str
    verified: bool


@cache
def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def toptw_best(data: Path, name: str, m: int) -> BestKnown | None:
    """Return the best-known score with m routes."""
    proven = _json(data / "toptw" / "bks_proven_m1.json").get(name) if m == 1 else None
    if proven is not None:
        return BestKnown(float(proven), "Righini & Salani (2009), proven", verified=True)
    told = _json(data / "toptw" / "bks_literature_unverified.json").get(str(m), {}).get(name)
    return None if told is None else BestKnown(float(told), "literature, unverified", verified=False)


@cache
def _tours(path: Path) -> dict[str, tuple[float, tuple[int, ...]]]:
    """Return cost and tour by file name; what follows a ``#`` is a remark."""
    found = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
        fields = line.partition("#")[0].split()
        if len(fields) > 3:
            found[fields[0]] = float(fields[1]), tuple(int(x) for x in fields[3:])
    return found


def tsptw_solution(path: Path) -> tuple[float, tuple[int, ...]] | None:
    """Return cost and tour of the best-known solution of an instance file."""
    return _tours(path.parents[1] / "best_known_sol" / f"{path.parent.name}.txt").get(path.name)


def tsptw_best(path: Path) -> BestKnown | None:
    """Return the best-known cost of an instance file."""
    found = tsptw_solution(path)
    return None if found is None else BestKnown(found[0], "best_known_sol", verified=True)


def vrptw_best(data: Path, name: str) -> BestKnown | None:
    """Return the best-known distance."""
    path = data / "vrptw" / "bks_routes_solomon" / f"{name}.sol"
    if path.exists():
        return BestKnown(vrptw.read_solution(path)[1], "bks_routes_solomon", verified=True)
    group, _, rest = name.lower().partition("_")
    size, _, number = rest.partition("_")
    if size != "2" or group not in HOMBERGER_200:
        return None
    return BestKnown(HOMBERGER_200[group][int(number) - 1], "DIMACS, remembered", verified=False)


def pvrp_best(path: Path) -> BestKnown | None:
    """Return the best-known distance of an instance file: the literature's, or Cordeau's if that is no worse."""
    told, solution = PVRP.get(path.stem), path.with_suffix(".res")
    cost = pvrp.read_solution(solution)[1] if solution.exists() else None
    if cost is not None and (told is None or cost <= told + 0.005):
        return BestKnown(cost, "Cordeau's solution", verified=True)
    return None if told is None else BestKnown(told, "literature, remembered", verified=False)


def mdvrptw_best(name: str) -> BestKnown | None:
    """Return the best-known distance."""
    told = MDVRPTW.get(name)
    return None if told is None else BestKnown(told, "literature, remembered", verified=False)


@cache
def _reported(path: Path) -> dict[str, float]:
    """Return the compactness that an ALNS reported, by instance: the last number of each line ``name = (...)``."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.strip(): float(rest.strip(" ()\t").rpartition(",")[2]) for name, _, rest in pairs}


def tdp_best(data: Path, name: str) -> BestKnown | None:
    """Return the value that an ALNS reported of an instance."""
    told = _reported(data / "tdp" / "reported_values.txt").get(name)
    return None if told is None else BestKnown(told, "reported, ALNS", verified=False)


def cccp_best(name: str) -> BestKnown | None:
    """Return the best-known objective."""
    told = CCCP.get(name)
    return None if told is None else BestKnown(told, "literature, remembered", verified=False)


@cache
def _medians(path: Path) -> dict[str, float]:
    """Return costs recomputed from published solutions that keep the capacity.

    Where these are not what the solution says of itself it was made for other distances, as in Spain by road.
    """
    if not path.exists():
        return {}
    found = {}
    with path.open(encoding="utf-8", newline="") as file:
        for r in csv.DictReader(file):
            cost, told = float(r["cost_recomputed_float"]), float(r["fo_in_file"])
            if r["capacity_ok"] == "True" and abs(cost - told) <= 1e-3 * told:
                found[r["name"]] = cost
    return found


def cpmp_best(data: Path, name: str) -> BestKnown | None:
    """Return the best-known objective: optima of group 1, whose distances are rounded, else verified solutions."""
    number = name.removeprefix("cpmp")
    if number != name and number.isdigit() and 1 <= int(number) <= len(CPMP):
        return BestKnown(float(CPMP[int(number) - 1]), "Osman & Christofides, optima", verified=True)
    told = _medians(data / "cpmp" / "verified_solutions.csv").get(name)
    return None if told is None else BestKnown(told, "verified solution", verified=True)
