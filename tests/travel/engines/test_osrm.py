from __future__ import annotations

import numpy as np
import pytest

from territory.errors import InputError, TravelError
from territory.model.places import PlaceKind, Places
from territory.travel.engines import osrm as engine
from territory.travel.engines.osrm import Osrm

pytest.importorskip("osrm", reason="osrm-bindings, for Python 3.12 or newer")


def customers(points):
    lon, lat = np.array(points, dtype=float).reshape(-1, 2).T
    return Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(len(lon))], lon, lat)


@pytest.fixture(scope="module")
def towns(islands, graphs):
    return Osrm.from_osm(islands, folder=graphs, algorithm="MLD")


@pytest.fixture(scope="module")
def liechtenstein(real_data, graphs):
    extract = real_data / "osm" / "liechtenstein.osm.pbf"
    if not extract.is_file():
        pytest.skip(f"no extract {extract}")
    return Osrm.from_osm(extract, folder=graphs)


def test_no_way_leads_from_island_to_island(towns):
    places = customers([(9.505, 47.005), (9.51, 47.02), (9.81, 47.01), (9.82, 47.005)])
    whole = towns.matrix(places, places)
    west = np.array([True, True, False, False])
    assert (whole.reachable == np.equal.outer(west, west)).all()
    line = towns.route_geometry(places)
    assert [len(line.leg(i)[0]) > 1 for i in range(3)] == [True, False, True]
    assert towns.pairs(places.take([0, 1]), places.take([2, 0])).reachable.tolist() == [False, True]


def test_one_way_streets_are_driven_one_way(towns):
    places = customers([(9.505, 47.0), (9.5072, 47.0)])
    there, back = towns.matrix(places, places).distances_m[[0, 1], [1, 0]]
    assert there == pytest.approx(167, abs=2)
    assert back > 300


def test_places_off_the_road_are_moved_or_cut_off(towns, islands, graphs):
    places = customers([(9.5055, 47.0054), (9.49, 47.005), (9.48, 47.005)])
    assert towns.snap(places).moved_m[:2] == pytest.approx([38, 759], rel=0.02)
    assert towns.snap(places).on_road.tolist() == [True, True, False]
    assert towns.matrix(places, places).reachable.tolist() == [
        [True, True, False],
        [True, True, False],
        [False, False, True],
    ]
    near = Osrm.from_osm(islands, folder=graphs, algorithm="MLD", most_moved_m=100.0)
    assert near.matrix(places, places).reachable[0].tolist() == [True, False, False]
    anywhere = Osrm.from_osm(islands, folder=graphs, algorithm="MLD", most_moved_m=np.inf)
    assert anywhere.matrix(places, places).reachable.all()
    assert near.fingerprint != anywhere.fingerprint
    assert near.graph == anywhere.graph == towns.graph


def test_blocks_make_no_difference(liechtenstein, monkeypatch):
    rng = np.random.default_rng(0)
    places = customers(np.column_stack((rng.uniform(9.47, 9.64, 90), rng.uniform(47.05, 47.27, 90))))
    whole, met = liechtenstein.raw_matrix(places, places), liechtenstein.snap(places)
    monkeypatch.setattr(engine, "_BLOCK", 700)
    small = liechtenstein.raw_matrix(places, places)
    assert small.seconds.tolist() == whole.seconds.tolist()
    assert small.metres.tolist() == whole.metres.tolist()
    monkeypatch.setattr(engine, "_BLOCK", 7)
    assert liechtenstein.snap(places).moved_m.tolist() == met.moved_m.tolist()


def test_places_on_a_part_that_is_cut_off_are_told_the_same_alone_and_in_company(liechtenstein):
    # these two are nearest to one short road that leads nowhere: alone, OSRM would leave them on it
    rng = np.random.default_rng(1)
    points = np.column_stack((rng.uniform(9.46, 9.66, 400), rng.uniform(47.03, 47.28, 400)))
    lost = Osrm(liechtenstein.graph, most_moved_m=np.inf)
    anchors = lost._anchors
    places = customers(points)
    whole = lost.raw_matrix(places, places)
    alone = []
    try:
        lost._anchors = ()
        for i, j in rng.integers(0, 400, (4_000, 2)).tolist():
            found = lost._table([tuple(points[i])], [tuple(points[j])])
            if found.seconds[0, 0] != whole.seconds[i, j]:
                alone.append((i, j))
    finally:
        lost._anchors = anchors
    assert alone, "the sample shows what the anchors are for"
    for i, j in alone:
        pair = lost.raw_pairs(places.take([i]), places.take([j]))
        assert (pair.seconds[0], pair.metres[0]) == (whole.seconds[i, j], whole.metres[i, j])


def test_a_graph_is_built_once(islands, graphs, towns, monkeypatch):
    def never(command):
        raise AssertionError(command)

    monkeypatch.setattr(engine, "run_tool", never)
    again = Osrm.from_osm(islands, folder=graphs, algorithm="MLD")
    assert again.graph == towns.graph
    assert again.fingerprint == towns.fingerprint


def test_what_a_graph_depends_on_is_in_its_fingerprint(islands, graphs, towns, tmp_path):
    other = tmp_path / "other.osm"
    other.write_text(islands.read_text().replace("47.000000", "47.000001"), encoding="utf-8")
    made = [
        towns,
        Osrm.from_osm(other, folder=graphs, algorithm="MLD"),
        Osrm.from_osm(islands, folder=graphs, algorithm="MLD", mode="foot"),
        Osrm.from_osm(islands, folder=graphs, algorithm="MLD", mode="bicycle"),
    ]
    assert len({each.fingerprint for each in made}) == len({each.graph for each in made}) == 4


def test_a_graph_of_the_users_is_known_by_its_files(towns, tmp_path):
    for path in towns.graph.parent.glob("graph.osrm.*"):
        (tmp_path / path.name.replace("graph", "mine")).write_bytes(path.read_bytes())
    mine, again = (Osrm(tmp_path / name, algorithm="MLD") for name in ("mine.osrm", "mine"))
    assert mine.fingerprint == again.fingerprint != towns.fingerprint
    places = customers([(9.505, 47.005), (9.51, 47.02)])
    assert mine.matrix(places, places).durations_s.tolist() == towns.matrix(places, places).durations_s.tolist()


def test_graphs_that_are_not_there_or_not_ready_are_refused(towns, tmp_path):
    with pytest.raises(InputError) as error:
        Osrm(tmp_path / "nowhere.osrm")
    assert error.value.codes == ("graph-missing",)
    with pytest.raises(InputError) as error:
        Osrm(towns.graph, algorithm="CH")
    assert error.value.codes == ("graph-algorithm",)


def test_a_torn_graph_of_the_users_is_refused(towns, tmp_path):
    for path in towns.graph.parent.glob("graph.osrm.*"):
        content = path.read_bytes()
        (tmp_path / path.name).write_bytes(content[: len(content) // 2] if path.suffix == ".mldgr" else content)
    with pytest.raises(TravelError, match="OSRM cannot read"):
        Osrm(tmp_path / "graph.osrm", algorithm="MLD")


def test_what_is_no_extract_is_refused_in_the_words_of_osrm(tmp_path):
    (tmp_path / "torn.osm.pbf").write_bytes(b"no map at all" * 50)
    with pytest.raises(TravelError, match=r"osrm-extract .*maybe the extract is torn"):
        Osrm.from_osm(tmp_path / "torn.osm.pbf", folder=tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir())
    with pytest.raises(InputError, match="extract-missing"):
        Osrm.from_osm(tmp_path / "nowhere.osm.pbf", folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"mode": "boat"}, "mode-unknown"),
        ({"algorithm": "A*"}, "algorithm-unknown"),
        ({"most_moved_m": -1}, "most-moved-out-of-range"),
        ({"most_moved_m": np.nan}, "most-moved-out-of-range"),
    ],
)
def test_bad_parameters_are_refused_before_anything_is_built(islands, tmp_path, options, code):
    with pytest.raises(InputError) as error:
        Osrm.from_osm(islands, folder=tmp_path, **options)
    assert error.value.codes == (code,)
    assert not list(tmp_path.iterdir())
