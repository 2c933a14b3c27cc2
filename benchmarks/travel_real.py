"""What the parts of the family `travel` share: extracts of OpenStreetMap, places on them, sources of travel."""

from __future__ import annotations

import csv
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.model.places import PlaceKind, Places
from territory.travel.engines import Osrm
from territory.travel.roads import RoadGraph

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["CITIES", "EXTRACTS", "extract", "has", "places_at", "pois", "roads_of", "sources"]

#: Extracts, and what the table of points of interest calls them.
EXTRACTS = {
    "liechtenstein": "liechtenstein-latest",
    "andorra": "valhalla_andorra",
    "porto": "valhalla_porto",
    "munchen": "valhalla_munchen",
}
#: Extracts that are cut out of the middle of a city: their edges are no edge of the town.
CITIES = ("porto", "munchen")
#: Roads for cars whose crossings count as junctions.
_ROADS = {
    *("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "road"),
    *("motorway_link", "trunk_link", "primary_link", "secondary_link", "tertiary_link"),
}
_ARMS = 3


def has(package: str) -> bool:
    """Return whether a package is installed."""
    return find_spec(package) is not None


def extract(data: Path, name: str) -> Path:
    """Return the file of an extract."""
    path = data / "osm" / f"{name}.osm.pbf"
    if not path.is_file():
        msg = f"there is no {path}; pass --data"
        raise SystemExit(msg)
    return path


def pois(data: Path, name: str) -> NDArray[np.float64]:
    """Return longitude and latitude of the points of interest of an extract, each spot once, shape (n, 2)."""
    path = data / "real" / "osm_pois_liechtenstein_porto_munich.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        own = [(float(r["lon"]), float(r["lat"])) for r in csv.DictReader(file) if r["extract"] == EXTRACTS[name]]
    return np.unique(np.array(own), axis=0)


def roads_of(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitude and latitude of all nodes of roads for cars, and of the junctions, shapes (m, 2)."""
    import osmium  # noqa: PLC0415 - only for extracts

    arms: Counter[int] = Counter()
    for way in osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway")):
        if way.tags["highway"] in _ROADS and way.tags.get("access") not in ("no", "private"):
            nodes = [node.ref for node in way.nodes]
            for i, node in enumerate(nodes):
                arms[node] += (i > 0) + (i < len(nodes) - 1)
    found = [
        (node.location.lon, node.location.lat, arms[node.id])
        for node in osmium.FileProcessor(str(path), osmium.osm.NODE)
        if node.id in arms
    ]
    table = np.array(found)
    return table[:, :2], table[table[:, 2] >= _ARMS, :2]


def places_at(xy: NDArray[np.float64], area: Any = None) -> Places:
    """Return customers at longitudes and latitudes, shape (n, 2)."""
    return Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(len(xy))], xy[:, 0], xy[:, 1], area)


def sources(path: Path) -> dict[str, Any]:
    """Return the sources that know roads, by name; OSRM first, where it is installed."""
    osrm = {"OSRM": Osrm.from_osm(path)} if has("osrm") else {}
    return {**osrm, "RoadGraph": RoadGraph.from_osm(path)}
