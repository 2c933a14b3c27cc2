from __future__ import annotations

import threading

import numpy as np
import pytest

from territory.errors import InputError, TravelError
from territory.model.places import PlaceKind, Places
from territory.travel.engines import valhalla as engine
from territory.travel.engines.valhalla import Valhalla, departure_of


def customers(points):
    lon, lat = np.array(points, dtype=float).reshape(-1, 2).T
    return Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(len(lon))], lon, lat)


@pytest.fixture(scope="module")
def towns(islands, graphs):
    pytest.importorskip("valhalla", reason="pyvalhalla, for Python 3.12 or newer")
    # it reads .osm.pbf alone
    osmium = pytest.importorskip("osmium")
    path = graphs / "islands.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for item in osmium.FileProcessor(str(islands)):
            writer.add(item)
    return Valhalla.from_osm(path, folder=graphs)


def test_no_way_leads_from_island_to_island(towns):
    places = customers([(9.505, 47.005), (9.51, 47.02), (9.81, 47.01), (9.82, 47.005)])
    whole = towns.matrix(places, places)
    west = np.array([True, True, False, False])
    assert (whole.reachable == np.equal.outer(west, west)).all()
    assert not towns.matrix(places.take([0]), places.take([2, 3])).reachable.any()
    line = towns.route_geometry(places)
    assert [len(line.leg(i)[0]) > 1 for i in range(3)] == [True, False, True]


@pytest.mark.parametrize("mode", ["car", "foot"])
def test_one_way_streets_are_for_cars(towns, mode):
    travel = Valhalla(towns.tiles, mode=mode)
    places = customers([(9.505, 47.0), (9.5072, 47.0)])
    there, back = travel.matrix(places, places).distances_m[[0, 1], [1, 0]]
    assert there == pytest.approx(167, abs=3)
    assert (back > 300) is np.bool_(mode == "car")


def test_places_off_the_road_are_moved_or_cut_off(towns):
    places = customers([(9.5055, 47.0054), (9.49, 47.005), (9.48, 47.005), (0.0, 0.0)])
    snapped = towns.snap(places)
    assert snapped.moved_m[:2] == pytest.approx([38, 759], rel=0.02)
    assert snapped.on_road.tolist() == [True, True, False, False]
    assert towns.matrix(places, places).reachable[0].tolist() == [True, True, False, False]
    assert (
        Valhalla(towns.tiles, most_moved_m=100.0).matrix(places, places).reachable[0].tolist() == [True] + [False] * 3
    )
    assert towns.matrix(places.take([2, 3]), places).reachable.tolist() == [
        [False] * 2 + [True, False],
        [False] * 3 + [True],
    ]


def test_poles_are_out_of_reach_and_disturb_nobody(towns):
    places = customers([(9.505, 47.005), (0.0, 90.0), (9.51, 47.02), (180.0, -90.0), (-180.0, 0.0)])
    assert towns.snap(places).on_road.tolist() == [True, False, True, False, False]
    assert towns.matrix(places, places).reachable[0].tolist() == [True, False, True, False, False]


def test_more_origins_than_destinations_make_no_difference(towns, monkeypatch):
    rng = np.random.default_rng(0)
    places = customers(np.column_stack((rng.uniform(9.5, 9.53, 24), rng.uniform(47.0, 47.03, 24))))
    whole = towns.raw_matrix(places, places)
    for columns in ([0], [3, 7], [5, 1, 2, 20]):
        some = towns.raw_matrix(places, places.take(columns))
        assert some.seconds.tolist() == whole.seconds[:, columns].tolist()
    monkeypatch.setattr(engine, "_BLOCK", 50)
    monkeypatch.setattr(engine, "_LOCATED", 5)
    towns._found.clear()
    assert towns.raw_matrix(places, places).seconds.tolist() == whole.seconds.tolist()
    monkeypatch.setattr(engine, "_REMEMBERED", 3)
    assert towns.raw_matrix(places, places).seconds.tolist() == whole.seconds.tolist()


def test_the_time_of_departure_is_told(towns):
    places = customers([(9.505, 47.005), (9.51, 47.02)])
    early = Valhalla(towns.tiles, departure="2026-01-06T08:05")
    assert early.matrix(places, places).departure_s == 8 * 3600 + 300
    assert early.pairs(places, places).departure_s == 8 * 3600 + 300
    assert towns.matrix(places, places).departure_s is None
    assert len(early.route_geometry(places).leg(0)[0]) > 2
    assert early.fingerprint != towns.fingerprint


@pytest.mark.parametrize(
    "text", ["08:00", "2026-01-06", "2026-01-06T25:00", "2026-01-06T08:00:30", "2026-01-06T08:00+01:00", "soon", 8]
)
def test_bad_times_of_departure_are_refused(text):
    with pytest.raises(InputError) as error:
        departure_of(text)
    assert error.value.codes == ("departure-format",)


def test_threads_take_turns(towns):
    rng = np.random.default_rng(1)
    places = customers(np.column_stack((rng.uniform(9.5, 9.53, 30), rng.uniform(47.0, 47.03, 30))))
    whole = towns.raw_matrix(places, places).seconds
    told = {}

    def ask(number):
        rows = np.arange(number, 30, 4)
        told[number] = towns.raw_matrix(places.take(rows), places).seconds.tolist() == whole[rows].tolist()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert told == dict.fromkeys(range(4), True)


def test_tiles_are_built_once_and_serve_all_modes(towns, graphs, monkeypatch):
    def never(command):
        raise AssertionError(command)

    monkeypatch.setattr(engine, "run_tool", never)
    again = Valhalla.from_osm(graphs / "islands.osm.pbf", folder=graphs, mode="bicycle")
    assert again.tiles == towns.tiles
    assert again.fingerprint != towns.fingerprint


def test_tiles_of_the_users_are_known_by_their_contents(towns, tmp_path):
    for path in towns.tiles.rglob("*.gph"):
        to = tmp_path / "mine" / path.relative_to(towns.tiles)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(path.read_bytes())
    mine = Valhalla(tmp_path / "mine")
    assert mine.fingerprint == Valhalla(tmp_path / "mine").fingerprint != towns.fingerprint
    places = customers([(9.505, 47.005), (9.51, 47.02)])
    assert mine.matrix(places, places).durations_s.tolist() == towns.matrix(places, places).durations_s.tolist()


def test_what_is_not_there_is_refused(tmp_path):
    pytest.importorskip("valhalla", reason="pyvalhalla, for Python 3.12 or newer")
    with pytest.raises(InputError) as error:
        Valhalla(tmp_path)
    assert error.value.codes == ("tiles-missing",)
    with pytest.raises(InputError, match="extract-missing"):
        Valhalla.from_osm(tmp_path / "nowhere.osm.pbf", folder=tmp_path)
    with pytest.raises(InputError, match="mode-unknown"):
        Valhalla(tmp_path, mode="boat")
    (tmp_path / "torn.osm.pbf").write_bytes(b"no map at all" * 50)
    with pytest.raises(TravelError, match=r"valhalla_build_tiles .*maybe the extract is torn"):
        Valhalla.from_osm(tmp_path / "torn.osm.pbf", folder=tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir())
