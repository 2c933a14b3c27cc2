"""Sources of travel times on real roads: how fast, how far straight lines are from them, and at what scale.

Instances: ``matrix-{engine}``: a table of 1,000 x 1,000 (``--size N``: N x N; Valhalla, which is slow at tables,
200 x 200) between nodes of Liechtenstein's roads, the median of five (``--iterations N``) on CPU time, against its
promise, and what building took; ``detour``: `GreatCircle` fitted to the roads of four extracts by every engine that is
installed, and its error on places that were kept apart; ``scale-{clustered,uniform}``: 100,000
customers (``--size N``) on a road network
of a country's size that is made from the seed, in a territory for every 200, designed by travel within ``--seconds S``
(default 300), and the weeks of some reps planned; ``roads-{porto,munchen,liechtenstein}``: a week of a team on real
points of interest, planned by road and by straight lines, and both driven by road.

Data are extracts of OpenStreetMap under ``osm/`` of ``--data``, and the points of interest on them under ``real/``
(c) OpenStreetMap contributors, ODbL.
"""

from __future__ import annotations

import resource
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import travel_detour, travel_roads, travel_scale
from benchmarks.record import Clock, Options, row
from benchmarks.travel_real import extract, has, places_at, roads_of
from territory.travel import GreatCircle
from territory.travel.engines import Osrm, Valhalla
from territory.travel.roads import RoadGraph

if TYPE_CHECKING:
    from pathlib import Path

#: CPU seconds of a table of 1,000 x 1,000.
PROMISED_S = {"GreatCircle": 0.020, "RoadGraph": 2.0, "OSRM": 0.5}
REPEATS, SIZE, VALHALLA_SIZE = 5, 1_000, 200


def run(options: Options) -> list[dict[str, Any]]:
    """Measure what was asked for."""
    options.takes("travel", "size", "iterations", "seconds")
    results = _matrix(options)
    if options.wants("detour"):
        results += travel_detour.run(options)
    results += travel_scale.run(options)
    results += travel_roads.run(options)
    if not results:
        msg = f"no instance matches {options.instances}"
        raise SystemExit(msg)
    return results


def _matrix(options: Options) -> list[dict[str, Any]]:
    engines = {"GreatCircle": None, "RoadGraph": "osmium", "OSRM": "osrm", "Valhalla": "valhalla"}
    wanted = [name for name in engines if options.wants(f"matrix-{name}")]
    if not wanted:
        return []
    path = extract(options.data, "liechtenstein")
    nodes = roads_of(path)[0]
    results = []
    for name in wanted:
        package = engines[name]
        if package is not None and not has(package):
            print(f"matrix-{name}: skipped, {package} is not installed")
            continue
        size = min(options.size or SIZE, VALHALLA_SIZE) if name == "Valhalla" else options.size or SIZE
        repeats = 1 if name == "Valhalla" else options.iterations or REPEATS
        chosen = nodes[np.random.default_rng(options.seed).permutation(len(nodes))[:size]]
        results.append(_table(options, name, path, chosen, repeats))
    return results


def _table(options: Options, name: str, path: Path, xy: Any, repeats: int) -> dict[str, Any]:
    children = _children_s()
    with Clock() as building:
        source = _built(name, path)
    build_s = building.cpu_s + _children_s() - children
    places = places_at(xy)
    clocks = []
    # the first one compiles, or fills caches
    for _ in range(repeats + (name != "Valhalla")):
        with Clock() as clock:
            found = source.matrix(places, places)
        clocks.append(clock)
    taken = median(clock.cpu_s for clock in clocks[-repeats:])
    promised = PROMISED_S.get(name) if len(xy) == SIZE else None
    kept = "-" if promised is None else "kept" if taken <= promised else "broken"
    return row(
        f"matrix-{name}", name, options.seed, params={"size": len(xy), "repeats": repeats}, status="measured",
        clock=clocks[-1], objective=taken, promised_s=promised, promise=kept, build_s=build_s,
        reachable=float(found.reachable.mean()),
        figure=f"{len(xy):,} x {len(xy):,} in {taken:.4f} s, built in {build_s:.1f} s; "
        f"{found.reachable.mean():.1%} reachable",
    )  # fmt: skip


def _built(name: str, path: Path) -> Any:
    if name == "GreatCircle":
        return GreatCircle()
    if name == "RoadGraph":
        return RoadGraph.from_osm(path)
    import tempfile  # noqa: PLC0415 - a folder of its own, so that the graph is built, not found

    folder = tempfile.mkdtemp()
    return Osrm.from_osm(path, folder=folder) if name == "OSRM" else Valhalla.from_osm(path, folder=folder)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
