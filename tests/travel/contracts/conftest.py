"""Every source of travel, on real extracts of OpenStreetMap; to add one, add a line to `ADAPTERS`.

Extracts and points of interest are © OpenStreetMap contributors, ODbL; they are no part of the project.
"""

from __future__ import annotations

import csv
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from tests.travel.servers.started import SOON, osrm_routed, valhalla_service

from territory.errors import MissingExtraError
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle, MatrixTravel, Travel
from territory.travel.fallback import FallbackTravel
from territory.travel.parking import ParkingTravel
from territory.travel.time_of_day import TimeOfDay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class World:
    """Where an adapter is tried: an extract, places in it, and a folder for what is built from it.

    Places are customers, but for a rep's home in row 0 and a hotel in row 1; rows -3 and -2 have the coordinates of
    row 2, and row -1 is 20 km away from any road of the extract, if `far` says so.
    """

    name: str
    extract: Path
    folder: Path
    places: Places
    far: bool
    #: Closes what a factory has opened, after the last test.
    closing: ExitStack = field(default_factory=ExitStack)
    #: Addresses of servers that are running.
    served: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Adapter:
    """A source of travel in the suite.

    Attributes
    ----------
    make : callable
        Makes the source in a world; may skip with a reason. Called twice, it makes equal ones.
    others : tuple of callables
        Make sources with other parameters, whose fingerprints all differ.
    way : "roads", "lines", or None
        What `route_geometry` draws: along roads, straight lines, or something else.
    moves : bool
        Whether places are moved to roads, and those too far from one are out of reach.
    by_id : bool
        Whether places are known by their ids, whatever their coordinates are.
    pickles : bool
    """

    make: Callable[[World], Travel]
    others: tuple[Callable[[World], Travel], ...] = ()
    way: Literal["roads", "lines"] | None = "lines"
    moves: bool = False
    by_id: bool = False
    pickles: bool = True


def user_matrix(world: World, **options: Any) -> MatrixTravel:
    """Make a matrix as users have them: one-way, with holes, distances of its own."""
    places = world.places
    order = np.argsort(places.kind, kind="stable")
    known = places.take(order)
    straight = GreatCircle().matrix(known, known)
    rng = np.random.default_rng(7)
    factor = rng.uniform(1.0, 1.5, straight.durations_s.shape)
    seconds, metres = straight.durations_s * factor, straight.distances_m * factor
    seconds[3, 5] = metres[3, 5] = np.inf
    customer, rep, hotel = (known.id[known.kind == kind].tolist() for kind in (0, PlaceKind.REP, PlaceKind.HOTEL))
    return MatrixTravel(seconds, metres, customer_ids=customer, rep_ids=rep, hotel_ids=hotel, **options)


def minutes(world: World) -> MatrixTravel:
    """Make a matrix of durations alone, the same both ways."""
    n = len(world.places)
    seconds = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) * 61.3
    kinds, ids = world.places.kind, world.places.id
    customer, rep, hotel = (ids[kinds == kind].tolist() for kind in (0, PlaceKind.REP, PlaceKind.HOTEL))
    return MatrixTravel(seconds, customer_ids=customer, rep_ids=rep, hotel_ids=hotel)


def road_graph(world: World, **options: Any) -> Travel:
    pytest.importorskip("osmium", reason="osmium reads extracts")
    from territory.travel.roads import RoadGraph  # noqa: PLC0415 - an extra

    return RoadGraph.from_osm(world.extract, **options)


def osrm(world: World, **options: Any) -> Travel:
    from territory.travel.engines import Osrm  # noqa: PLC0415 - an extra

    return Osrm.from_osm(world.extract, folder=world.folder, **options)


def valhalla(world: World, **options: Any) -> Travel:
    from territory.travel.engines import Valhalla  # noqa: PLC0415 - an extra

    return Valhalla.from_osm(world.extract, folder=world.folder, **options)


def osrm_server(world: World, **options: Any) -> Travel:
    from territory.travel.servers import OsrmServer  # noqa: PLC0415 - an extra

    pytest.importorskip("httpx2", reason="httpx2 asks servers")
    if "OSRM" not in world.served:
        world.served["OSRM"] = world.closing.enter_context(osrm_routed(osrm(world).graph, world.folder))
    return OsrmServer(world.served["OSRM"], limits=SOON, **options)


def valhalla_server(world: World, **options: Any) -> Travel:
    from territory.travel.servers import ValhallaServer  # noqa: PLC0415 - an extra

    pytest.importorskip("httpx2", reason="httpx2 asks servers")
    if "Valhalla" not in world.served:
        world.served["Valhalla"] = world.closing.enter_context(valhalla_service(valhalla(world).tiles, world.folder))
    return ValhallaServer(world.served["Valhalla"], limits=SOON, **options)


def cached(world: World, source: Callable[[World], Travel], **options: Any) -> Travel:
    from territory.travel.cache import CachedTravel  # noqa: PLC0415 - opens no file before it is asked

    # points of interest have seven digits: nothing is moved
    travel = CachedTravel(source(world), world.folder / f"{world.name}.sqlite", **{"digits": 7, **options})
    world.closing.callback(travel.close)
    return travel


def parked(world: World, source: Callable[[World], Travel], **options: Any) -> Travel:
    return ParkingTravel(source(world), **{"parking_s": 90, "by_area": {"urban": 240}, **options})


def timed(world: World, source: Callable[[World], Travel], **options: Any) -> TimeOfDay:
    speeds = [("06:30", 0.7), ("09:00", 1.0), ("16:00", 0.6), ("18:30", 1.1)]
    return TimeOfDay(source(world), speeds, **{"within": ("07:00", "19:00"), **options})


#: Sources of real roads: tried on all extracts.
ROADS = {
    "road graph": Adapter(road_graph, (partial(road_graph, most_moved_m=900.0),), way="roads", moves=True),
    "OSRM": Adapter(osrm, (partial(osrm, most_moved_m=900.0),), way="roads", moves=True),
    "Valhalla": Adapter(
        valhalla,
        (
            partial(valhalla, most_moved_m=900.0),
            partial(valhalla, mode="foot"),
            partial(valhalla, departure="2026-01-06T08:00"),
        ),
        way="roads",
        moves=True,
    ),
}
#: All sources: tried on Liechtenstein.
ADAPTERS = {
    "great circle": Adapter(lambda _: GreatCircle(), (lambda _: GreatCircle(detour=1.3),)),
    "matrix": Adapter(user_matrix, (minutes,), by_id=True),
    "matrix of durations": Adapter(minutes, (user_matrix,), by_id=True),
    **ROADS,
    "fallback": Adapter(
        lambda world: FallbackTravel(road_graph(world), GreatCircle()),
        (lambda world: FallbackTravel(road_graph(world), GreatCircle(detour=1.3)),),
        way="roads",
        moves=True,
    ),
    "OSRM over HTTP": Adapter(osrm_server, (partial(osrm_server, most_moved_m=900.0),), way="roads", moves=True),
    "Valhalla over HTTP": Adapter(valhalla_server, (partial(valhalla_server, mode="foot"),), way="roads", moves=True),
    "OSRM, MLD": Adapter(partial(osrm, algorithm="MLD"), (osrm,), way="roads", moves=True),
    "Valhalla by bicycle": Adapter(partial(valhalla, mode="bicycle"), (valhalla,), way="roads", moves=True),
    "Valhalla at eight": Adapter(
        partial(valhalla, departure="2026-01-06T08:00"),
        (partial(valhalla, departure="2026-01-06T08:15"),),
        way="roads",
        moves=True,
    ),
    "cache of great circles": Adapter(
        lambda world: cached(world, lambda _: GreatCircle()),
        (
            lambda world: cached(world, lambda _: GreatCircle(), data_version="2026-01"),
            lambda world: cached(world, lambda _: GreatCircle(), digits=5),
        ),
    ),
    "cache of a matrix": Adapter(lambda world: cached(world, user_matrix), by_id=True),
    "cache of roads": Adapter(lambda world: cached(world, road_graph), way="roads", moves=True),
    "parking at great circles": Adapter(
        lambda world: parked(world, lambda _: GreatCircle()),
        (lambda world: parked(world, lambda _: GreatCircle(), parking_s=91),),
    ),
    "parking on roads": Adapter(lambda world: parked(world, road_graph), way="roads", moves=True),
    "hours of great circles": Adapter(
        lambda world: timed(world, lambda _: GreatCircle()),
        (lambda world: timed(world, lambda _: GreatCircle(), within=("08:00", "19:00")),),
    ),
    "roads at five": Adapter(
        lambda world: timed(world, road_graph).at("17:00"),
        (lambda world: timed(world, road_graph).at("17:01"),),
        way="roads",
        moves=True,
    ),
    "parking, hours and cache of roads": Adapter(
        lambda world: parked(world, lambda w: timed(w, lambda v: cached(v, road_graph))), way="roads", moves=True
    ),
}


@dataclass(frozen=True)
class Case:
    """A source, and the world it is tried in."""

    name: str
    adapter: Adapter
    world: World

    def __post_init__(self) -> None:
        object.__setattr__(self, "travel", self.make())

    travel: Travel = field(init=False)

    def make(self) -> Travel:
        try:
            return self.adapter.make(self.world)
        except MissingExtraError as error:
            pytest.skip(str(error))

    @property
    def places(self) -> Places:
        return self.world.places


@pytest.fixture(scope="session")
def worlds(real_data, tmp_path_factory):
    """Return a function that makes the world of an extract."""
    closing, made = ExitStack(), {}
    folder = tmp_path_factory.mktemp("graphs")

    def world(name: str) -> World:
        if name not in made:
            extract = real_data / "osm" / f"{name}.osm.pbf"
            if not extract.is_file():
                pytest.skip(f"no extract {extract}")
            places, far = _places(real_data, name)
            made[name] = World(name, extract, folder, places, far, closing)
        return made[name]

    with closing:
        yield world


@pytest.fixture(scope="session", params=ADAPTERS)
def case(request, worlds) -> Case:
    """Return each source on Liechtenstein."""
    return Case(request.param, ADAPTERS[request.param], worlds("liechtenstein"))


@pytest.fixture(scope="session", params=[(each, where) for where in ("andorra", "porto", "munchen") for each in ROADS])
def abroad(request, worlds) -> Case:
    """Return the sources of real roads on the other extracts."""
    name, where = request.param
    return Case(name, ROADS[name], worlds(where))


def _places(real_data: Path, name: str) -> tuple[Places, bool]:
    path = real_data / "real" / "osm_pois_liechtenstein_porto_munich.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if name in row["extract"]]
    some = rows[:: len(rows) // 24][:24]
    lon, lat = np.array([[float(row["lon"]), float(row["lat"])] for row in some]).T
    far = name == "liechtenstein"
    lon, lat = np.append(lon, [lon[2], lon[2]]), np.append(lat, [lat[2], lat[2]])
    if far:
        lon, lat = np.append(lon, 9.9), np.append(lat, 47.1)
    n = len(lon)
    blocks = [
        Places.of(PlaceKind.REP, ["home"], lon[:1], lat[:1]),
        Places.of(PlaceKind.HOTEL, ["inn"], lon[1:2], lat[1:2]),
        Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(2, n)], lon[2:], lat[2:]),
    ]
    return Places.concat(blocks), far
