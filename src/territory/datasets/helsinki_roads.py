"""The streets of central Helsinki as a source of travel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from territory.datasets.files import load_helsinki_network
from territory.errors import InputError, Problem
from territory.travel.roads import RoadGraph
from territory.travel.roads.speeds import JUNCTION_S, LIMIT_SHARE, SPEEDS_KM_H

if TYPE_CHECKING:
    from territory.datasets.files import StreetNetwork
    from territory.model.arrays import FloatArray

__all__ = ["load_helsinki_roads"]

#: To print beside anything made from the streets.
_BY: Final = "© OpenStreetMap contributors (https://www.openstreetmap.org/copyright), ODbL 1.0"


def load_helsinki_roads(mode: Literal["foot", "car"] = "foot", *, most_moved_m: float = 1000.0) -> RoadGraph:
    """Return the streets and paths of central Helsinki as a source of travel (OpenStreetMap, ODbL).

    Parameters
    ----------
    mode : {"foot", "car"}
        Pedestrians, as the shipped reps are, may use nearly every way in both directions.
    most_moved_m : float
        See `RoadGraph`.

    Returns
    -------
    RoadGraph
        With the speeds of `RoadGraph.from_osm` by class of street; surfaces are not in the data.

    Raises
    ------
    InputError
        Another mode.

    Examples
    --------
    >>> from territory.datasets import load_helsinki
    >>> customers, reps = load_helsinki()
    >>> walk = load_helsinki_roads()
    >>> legs = walk.matrix(reps.places(), customers.places())
    >>> bool(legs.reachable.all()), int(legs.distances_m.max())
    (True, 2832)
    """
    if mode not in ("foot", "car"):
        raise InputError([Problem("unknown-mode", f"expected 'foot' or 'car', not {mode!r}", "mode")], "Helsinki")
    network = load_helsinki_network()
    used = np.flatnonzero(network.car if mode == "car" else network.foot)
    seconds = network.length_m[used] * 3.6 / _km_h(network, mode)[used]
    one_way = network.oneway[used] if mode == "car" else np.zeros(len(used), dtype=bool)
    return RoadGraph.from_arrays(
        node_lon=network.lon,
        node_lat=network.lat,
        tail=network.edge_from[used],
        head=network.edge_to[used],
        seconds=seconds,
        metres=network.length_m[used],
        back_seconds=np.where(one_way, np.inf, seconds),
        junction_s=JUNCTION_S[mode],
        mode=mode,
        most_moved_m=most_moved_m,
        attribution=_BY,
        name="central Helsinki",
    )


def _km_h(network: StreetNetwork, mode: str) -> FloatArray:
    """Return the speed on each edge: on foot the same everywhere, by car by the limit, else by class."""
    classes = SPEEDS_KM_H[mode]
    usual = 5.0 if mode == "foot" else classes["service"]
    by_class = np.array([classes.get(name, usual) for name in network.highway.tolist()], dtype=np.float64)
    if mode == "foot":
        return by_class
    return np.where(np.isnan(network.maxspeed_kmh), by_class, LIMIT_SHARE * network.maxspeed_kmh)
