"""Reading the files that the package ships; each is read when asked for, never on import."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.model.arrays import frozen, text_array

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray, TextArray

__all__ = ["StreetNetwork", "germany_columns", "helsinki_columns", "load_helsinki_network"]

_GERMANY: Final = "germany.csv.gz"
_HELSINKI: Final = "helsinki_places.csv.gz"
_NETWORK: Final = "helsinki_network.npz"


def _shipped(name: str) -> bytes:
    return resources.files("territory.datasets").joinpath(name).read_bytes()


def _table(name: str) -> dict[str, list[str]]:
    text = gzip.decompress(_shipped(name)).decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return {column: list(values) for column, values in zip(header, zip(*rows, strict=True), strict=True)}


def _numbers(values: list[str], dtype: Any) -> Any:
    return frozen(np.array([dtype(v) for v in values], dtype=dtype))


def germany_columns() -> dict[str, Any]:
    """Return the real columns of Germany's populated places, untouched.

    Returns
    -------
    dict of str to array of shape (7626,), read-only, in the order of the GeoNames id
        ``geonameid`` int64; ``name`` text; ``lon``, ``lat`` float64, degrees; ``population`` int64,
        0 where GeoNames has none; ``admin1code`` text, GeoNames' two digits of the state;
        ``timezone`` text, the IANA zone.

    Examples
    --------
    >>> places = germany_columns()
    >>> len(places["geonameid"]), places["name"][places["population"].argmax()]
    (7626, 'Berlin')
    """
    raw = _table(_GERMANY)
    return {
        "geonameid": _numbers(raw["geonameid"], np.int64),
        "name": frozen(text_array(raw["name"])),
        "lon": _numbers(raw["lon"], np.float64),
        "lat": _numbers(raw["lat"], np.float64),
        "population": _numbers(raw["population"], np.int64),
        "admin1code": frozen(text_array(raw["admin1code"])),
        "timezone": frozen(text_array(raw["timezone"])),
    }


def helsinki_columns() -> dict[str, Any]:
    """Return the real columns of the places in central Helsinki, untouched.

    Returns
    -------
    dict of str to array of shape (940,), read-only
        ``osm_id`` text: n, w or r (node, way, relation) and OpenStreetMap's number; ``kind`` text:
        the tag, e.g. ``amenity=cafe``; ``name`` text; ``lon``, ``lat`` float64, degrees;
        ``opening_hours`` text as mapped, ``""`` where there is none; ``address`` text.

    Examples
    --------
    >>> places = helsinki_columns()
    >>> len(places["osm_id"]), int((places["kind"] == "amenity=cafe").sum())
    (940, 89)
    """
    raw = _table(_HELSINKI)
    text = ("osm_id", "kind", "name", "opening_hours", "address")
    return {
        column: frozen(text_array(values)) if column in text else _numbers(values, np.float64)
        for column, values in raw.items()
    }


@dataclass(frozen=True, eq=False)
class StreetNetwork:
    """Streets and paths as a graph whose nodes are the corners of the drawn ways.

    n nodes, m edges; arrays are read-only. Turn restrictions are not in it.

    Attributes
    ----------
    node_id : int64 array of shape (n,)
        OpenStreetMap's numbers, ascending.
    lon, lat : float64 arrays of shape (n,)
        Degrees.
    edge_from, edge_to : int32 arrays of shape (m,)
        Positions of the ends.
    length_m : float64 array of shape (m,)
        Great-circle metres, to the centimetre.
    highway : text array of shape (m,)
        The class of street, as tagged.
    oneway : bool array of shape (m,)
        For vehicles only from `edge_from` to `edge_to`.
    maxspeed_kmh : float64 array of shape (m,)
        The tagged limit, NaN where there is none.
    car, foot : bool arrays of shape (m,)
        Whether a car or a pedestrian may use it, by class and access tags.
    way_id : int64 array of shape (m,)
        OpenStreetMap's number of the way.
    name : text array of shape (m,)
        The street's name, ``""`` where there is none.
    """

    node_id: IntArray
    lon: FloatArray
    lat: FloatArray
    edge_from: IdxArray
    edge_to: IdxArray
    length_m: FloatArray
    highway: TextArray
    oneway: BoolArray
    maxspeed_kmh: FloatArray
    car: BoolArray
    foot: BoolArray
    way_id: IntArray
    name: TextArray


def load_helsinki_network() -> StreetNetwork:
    """Return the streets and paths of central Helsinki (OpenStreetMap, ODbL).

    Returns
    -------
    StreetNetwork

    Examples
    --------
    >>> network = load_helsinki_network()
    >>> len(network.node_id), len(network.length_m), round(network.length_m[network.car].sum() / 1000)
    (6746, 8114, 28)
    """
    with np.load(io.BytesIO(_shipped(_NETWORK)), allow_pickle=False) as archive:
        raw = {name: archive[name] for name in archive.files}
    way = raw["edge_way"]
    classes = text_array(bytes(raw["classes"]).decode().split("\n"))
    names = text_array(bytes(raw["way_name"]).decode().split("\n"))
    limit = raw["way_maxspeed"].astype(np.float64)
    limit[limit == 0] = np.nan
    return StreetNetwork(
        node_id=frozen(raw["node_id"]),
        lon=frozen(raw["node_lon_e7"] / 1e7),
        lat=frozen(raw["node_lat_e7"] / 1e7),
        edge_from=frozen(raw["edge_from"]),
        edge_to=frozen(raw["edge_to"]),
        length_m=frozen(raw["edge_cm"] / 100),
        highway=frozen(classes[raw["way_class"][way]]),
        oneway=frozen(raw["way_oneway"][way]),
        maxspeed_kmh=frozen(limit[way]),
        car=frozen(raw["way_car"][way]),
        foot=frozen(raw["way_foot"][way]),
        way_id=frozen(raw["way_id"][way]),
        name=frozen(names[way]),
    )
