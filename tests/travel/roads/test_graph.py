from __future__ import annotations

import pickle

import numpy as np
import pytest

from territory.errors import InputError
from territory.geo.sphere import great_circle_m
from territory.model.places import PlaceKind, Places
from territory.travel import UNREACHABLE, Travel
from territory.travel.base import TravelBase
from territory.travel.roads import RoadGraph

BLOCK = """
A-->--B
|     |
|     |
D-----C
"""


def length(lon, lat):
    return great_circle_m(lon[:-1], lat[:-1], lon[1:], lat[1:]).sum()


def test_a_one_way_street_is_left_at_its_end(town):
    assert town(BLOCK).seconds("A", "B", "C") == [[0, 60, 90], [120, 0, 30], [90, 30, 0]]


def test_places_between_junctions_set_out_in_both_directions_of_a_two_way_road(town):
    here, west, east = (3.2, 2), "D", "C"
    assert town(BLOCK).seconds(here, west, east) == [[0, 20, 40], [20, 0, 60], [40, 60, 0]]


def test_places_on_a_one_way_street_set_out_in_its_direction(town):
    before, after = (0, 2), (0.3, 5)
    assert town(BLOCK).seconds(before, after) == [[0, 30], [150, 0]]


def test_places_on_one_edge_go_along_it_or_round_the_block_whatever_is_quicker(town):
    ring = town("""
A-----B
|     |
C-----D
""")
    # the ring is one edge: the lowest node stays, and between two places half of it at most
    assert ring.graph.n_edges == 1
    assert ring.seconds((0, 1), (0, 5), (2, 3)) == [[0, 40, 60], [40, 0, 60], [60, 60, 0]]
    assert ring.seconds("A", "D") == [[0, 80], [80, 0]]


def test_a_ring_in_one_direction(town):
    ring = town("""
A-->--B
^     v
C--<--D
""")
    assert ring.seconds((0, 1), (0, 5)) == [[0, 40], [120, 0]]
    places = ring.at((0, 5), (0, 1))
    lon, lat = ring.graph.route_geometry(places).leg(0)
    assert length(lon, lat) == pytest.approx(1200)


def test_an_island_is_out_of_reach(town):
    island = town("""
A--B  E--F
|  |  |  |
D--C  H--G
""")
    assert island.seconds("A", (0, 7.5), (2, 7.5)) == [[0, None, None], [None, 0, 50], [None, 50, 0]]
    places = island.at("A", "E", "B", "F", "G")
    nearest = island.graph.nearest(places.take([0, 1]), places.take([2, 3, 4]), 2)
    assert nearest.idx.tolist() == [[0, -1], [1, 2]]
    assert nearest.durations_s.tolist() == [[30, UNREACHABLE], [30, 50]]


MAINLAND = """
+-+-+-+-+-+
| | | | | |
+-+-+-+-+-+
| | | | | |
+-+-+-+-+-+
| | | | | |
+-+-+-+-+-+
| | | | | |
+-+-+-+-+-A

  E-F
"""


def test_a_tiny_part_gives_way_to_a_large_one_that_is_near_enough(town):
    net = town(MAINLAND)
    place = net.at((9.9, 3), "A")
    snapped = net.graph.snap(place)
    assert snapped.moved_m.round(6).tolist() == [190.0, 0.0]
    assert net.graph.pairs(place.take([0]), place.take([1])).durations_s.tolist() == [70]
    far = town(MAINLAND, most_moved_m=150.0)
    assert far.graph.snap(place).moved_m.round(6).tolist() == [10.0, 0.0]
    assert far.graph.pairs(place.take([0]), place.take([1])).durations_s.tolist() == [UNREACHABLE]
    assert far.seconds((9.9, 3), "F") == [[0, 10], [10, 0]]


def test_a_street_that_nobody_can_leave_gives_way_too(town):
    trap = town(MAINLAND.replace("\n\n  E-F", "\n    v\n    F"))
    assert trap.graph.snap(trap.at((9.5, 4.1))).moved_m[0] == pytest.approx(150.0)
    assert trap.seconds("A", (9.5, 4.1)) == [[0, 59], [59, 0]]


def test_places_far_from_any_road_are_out_of_reach_both_ways(town):
    net = town(BLOCK, most_moved_m=200.0)
    far = (6, 3)
    assert net.seconds("A", far) == [[0, None], [None, 0]]
    snapped = net.graph.snap(net.at(far, "A"))
    assert snapped.on_road.tolist() == [False, True]
    assert snapped.moved_m.tolist() == [np.inf, 0.0]
    assert snapped.lat[0] == net.at(far).lat[0]
    assert net.seconds((5, 3)) == [[0]]
    assert len(net.graph.route_geometry(net.at("A", far)).leg(0)[0]) == 0


def test_the_nearest_point_of_a_street_not_its_nearest_end(town):
    snapped = town(BLOCK).graph.snap(town(BLOCK).at((2.5, 2.25)))
    at = town(BLOCK).at((3, 2.25))
    assert snapped.lon[0] == pytest.approx(at.lon[0], abs=1e-9)
    assert snapped.lat[0] == pytest.approx(at.lat[0], abs=1e-9)
    assert snapped.moved_m[0] == pytest.approx(50.0)


def test_parallel_edges_loops_and_edges_without_length():
    # three ways from 0 to 1, the quickest longest; nodes 1 and 2 at one place; a loop at 2
    graph = RoadGraph.from_arrays(
        node_lon=[0.0, 0.01, 0.01, 0.02],
        node_lat=[0.0, 0.0, 0.0, 0.0],
        tail=[0, 0, 0, 1, 2, 2],
        head=[1, 1, 1, 2, 2, 3],
        seconds=[60, 50, 50, 0, 30, 40],
        back_seconds=[60, np.inf, np.inf, 0, np.inf, 40],
        metres=[1000, 1500, 1400, 0, 300, 900],
    )
    ends = Places.of(PlaceKind.CUSTOMER, list("abc"), [0.0, 0.01, 0.02], [0.0, 0.0, 0.0])
    way = graph.matrix(ends, ends)
    assert way.durations_s.tolist() == [[0, 50, 90], [60, 0, 40], [100, 40, 0]]
    assert way.distances_m.tolist() == [[0, 1400, 2300], [1000, 0, 900], [1900, 900, 0]]
    assert len(graph.route_geometry(ends)) == 2


def test_a_way_of_no_time_at_all_is_still_the_shortest():
    graph = RoadGraph.from_arrays(
        node_lon=[0.0, 0.01, 0.02, 0.015], node_lat=[0.0, 0.0, 0.0, 0.01],
        tail=[0, 0, 3, 1], head=[1, 3, 2, 2], seconds=[0, 0, 0, 0], metres=[1113, 1500, 1400, 1113],
    )  # fmt: skip
    ends = Places.of(PlaceKind.CUSTOMER, list("ab"), [0.0, 0.02], [0.0, 0.0])
    found = graph.pairs(ends.take([0, 1]), ends.take([1, 0]))
    assert found.durations_s.tolist() == [0, UNREACHABLE]
    assert found.distances_m.tolist() == [2226, UNREACHABLE]


def test_lines_follow_the_streets():
    # a hairpin: 1 km as the crow flies, three along the road
    graph = RoadGraph.from_arrays(
        node_lon=[10.0, 10.01], node_lat=[50.0, 50.0], tail=[0], head=[1], seconds=[300], back_seconds=[200],
        metres=[3000], line_lon=[10.0, 10.01], line_lat=[50.01, 50.01], line_start=[0, 2],
    )  # fmt: skip
    stops = Places.of(PlaceKind.CUSTOMER, list("abcd"), [10.0, 10.01, 10.005, 10.0], [50.0, 50.0, 50.01, 50.004])
    line = graph.route_geometry(stops)
    assert len(line) == 3
    lon, lat = line.leg(0)
    assert lon.tolist() == [10.0, 10.0, 10.01, 10.01]
    assert lat.tolist() == [50.0, 50.01, 50.01, 50.0]
    assert line.leg(1)[0].tolist() == [10.01, 10.01, pytest.approx(10.005)]
    assert line.leg(2)[1].tolist() == [pytest.approx(50.01), 50.01, pytest.approx(50.004)]
    way = graph.pairs(stops.take([0, 1, 2]), stops.take([1, 2, 3]))
    assert way.distances_m.tolist()[:2] == [3000, 1500]
    assert way.durations_s.tolist()[:2] == [300, 100]
    assert way.durations_s[2] / way.distances_m[2] == pytest.approx(200 / 3000, rel=0.01)


def test_the_line_between_twins_is_a_point(town):
    net = town(BLOCK)
    line = net.graph.route_geometry(net.at((3, 2), (3, 2), "A", "A"))
    assert [len(line.leg(i)[0]) for i in (0, 2)] == [2, 2]
    assert len(net.graph.route_geometry(net.at())) == 0
    assert len(net.graph.route_geometry(net.at("A"))) == 0


def test_across_the_antimeridian():
    graph = RoadGraph.from_arrays(
        node_lon=[179.99, -179.99], node_lat=[0.0, 0.0], tail=[0], head=[1], seconds=[100], back_seconds=[100],
        metres=[2224],
    )  # fmt: skip
    places = Places.of(PlaceKind.CUSTOMER, list("abc"), [179.995, -179.995, 180.0], [0.0001, 0.0001, 0.0])
    assert graph.matrix(places, places).durations_s.tolist() == [[0, 50, 25], [50, 0, 25], [25, 25, 0]]
    assert graph.snap(places).moved_m.round(1).tolist() == [11.1, 11.1, 0.0]


def test_what_all_sources_promise(town):
    net = town(BLOCK)
    assert isinstance(net.graph, Travel)
    places = net.at("A", "B", (3, 2), (0, 3), (9, 9), (90, 0))
    rows = np.arange(6)
    start, end = np.repeat(rows, 6), np.tile(rows, 6)
    for factor in (1.0, 0.8, 1.37):
        whole = net.graph.matrix(places, places, speed_factor=factor)
        assert (np.diagonal(whole.durations_s) == 0).all()
        pairs = net.graph.pairs(places.take(start), places.take(end), speed_factor=factor)
        assert pairs.durations_s.tolist() == whole.durations_s.ravel().tolist()
        assert pairs.distances_m.tolist() == whole.distances_m.ravel().tolist()
        raw = net.graph.raw_matrix(places, places).rounded(factor)
        assert raw.durations_s.tolist() == whole.durations_s.tolist()
    assert net.graph.matrix(places, net.at()).durations_s.shape == (6, 0)
    assert net.graph.matrix(net.at(), places).durations_s.shape == (0, 6)
    assert net.graph.pairs(net.at(), net.at()).durations_s.shape == (0,)
    assert net.graph.nearest(net.at(), places, 2).idx.shape == (0, 2)
    assert net.graph.nearest(places, net.at(), 2).idx.tolist() == [[-1, -1]] * 6
    for call in (net.graph.matrix, net.graph.pairs):
        with pytest.raises(InputError):
            call(places, places, speed_factor=0.0)
    with pytest.raises(InputError, match="speed-factor"):
        net.graph.nearest(places, places, 1, speed_factor=-1.0)
    with pytest.raises(InputError, match="k-out-of-range"):
        net.graph.nearest(places, places, 0)
    with pytest.raises(InputError, match="pairs-length"):
        net.graph.pairs(places, net.at("A"))


def test_neighbours_are_those_of_the_matrix_ties_and_twins_included(town):
    net = town(MAINLAND)
    rng = np.random.default_rng(5)
    cells = [tuple(cell) for cell in rng.integers(0, 7, (40, 2)).tolist()]
    places = net.at(*cells, *cells[:10])
    # the same customer twice, and others at the same place
    places = places.take(np.concatenate((np.arange(50), [3, 4])))
    for k in (1, 3, 60):
        for factor in (1.0, 1.3):
            ours = net.graph.nearest(places, places.take(np.arange(7, 52)), k, speed_factor=factor)
            plain = TravelBase.nearest(net.graph, places, places.take(np.arange(7, 52)), k, speed_factor=factor)
            for name in ("idx", "durations_s", "distances_m"):
                assert getattr(ours, name).tolist() == getattr(plain, name).tolist()


def test_matrices_in_blocks_are_the_same(town, monkeypatch):
    net = town(BLOCK)
    places = net.at("A", "B", "C", (3, 2), (0, 3), (1, 6), (1, 6))
    few = places.take([1, 4])
    shapes = ((places, places), (places, few), (few, places))
    whole = [net.graph.matrix(*shape) for shape in shapes]
    monkeypatch.setattr("territory.travel.roads.graph._BLOCK", 9)
    for shape, before in zip(shapes, whole, strict=True):
        found = net.graph.matrix(*shape)
        assert found.durations_s.tolist() == before.durations_s.tolist()
        assert found.distances_m.tolist() == before.distances_m.tolist()


def test_symmetric_where_all_roads_are_two_way(town):
    assert not town(BLOCK).graph.symmetric
    both = town(MAINLAND)
    assert both.graph.symmetric
    places = both.at((0.3, 1.234), (5, 3.7), "A", (6, 0.77))
    found = both.graph.raw_matrix(places, places)
    assert np.array_equal(found.seconds, found.seconds.T)
    assert np.array_equal(found.metres, found.metres.T)


def test_pickled_graphs_answer_the_same(town):
    net = town(BLOCK)
    again = pickle.loads(pickle.dumps(net.graph))  # noqa: S301 - our own
    assert again.fingerprint == net.graph.fingerprint
    assert repr(again) == "<RoadGraph car: 2 junctions, 2 edges>" == repr(net.graph)
    places = net.at("A", "B", (3, 2))
    assert again.matrix(places, places).durations_s.tolist() == net.graph.matrix(places, places).durations_s.tolist()


def test_the_fingerprint_tells_all_that_answers_depend_on(town):
    net = town(BLOCK)
    assert town(BLOCK).graph.fingerprint == net.graph.fingerprint
    slower = RoadGraph.from_arrays(**{**net.arrays, "seconds": net.arrays["seconds"] * 2})
    prints = {
        net.graph.fingerprint,
        town(BLOCK, most_moved_m=500).graph.fingerprint,
        town(BLOCK, mode="foot").graph.fingerprint,
        slower.fingerprint,
        town(BLOCK.replace(">", "-")).graph.fingerprint,
    }
    assert len(prints) == 5


@pytest.mark.parametrize("limit", [-1.0, np.nan, np.inf, "far", True, 1e9])
def test_a_bad_limit_of_snapping_is_refused(town, limit):
    with pytest.raises(InputError, match="most-moved-out-of-range"):
        town(BLOCK, most_moved_m=limit)


@pytest.mark.parametrize(("lon", "lat"), [(np.nan, 0.0), (0.0, np.inf), (200.0, 0.0), (0.0, -91.0)])
def test_places_that_are_nowhere_are_refused(town, lon, lat):
    net = town(BLOCK)
    bad = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [0.0, lon], [0.0, lat])
    for ask in (net.graph.snap, net.graph.route_geometry, lambda p: net.graph.pairs(net.at("A", "B"), p)):
        with pytest.raises(InputError, match=r"out-of-range|nan") as error:
            ask(bad)
        assert len(error.value.problems) == 1
        assert error.value.problems[0].rows == (1,)


def test_a_network_without_roads_reaches_nothing():
    empty = RoadGraph.from_arrays(node_lon=[], node_lat=[], tail=[], head=[], seconds=[], metres=[])
    places = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [0.0, 1.0], [0.0, 0.0])
    assert empty.matrix(places, places).durations_s.tolist() == [[0, UNREACHABLE], [UNREACHABLE, 0]]
    assert not empty.snap(places).on_road.any()


def test_all_that_is_wrong_with_arrays_is_told_at_once():
    sound = {"node_lon": [0.0, 1.0], "node_lat": [0.0, 1.0], "tail": [0], "head": [1], "seconds": [1], "metres": [1]}
    with pytest.raises(InputError) as error:
        RoadGraph.from_arrays(**{**sound, "node_lat": [0.0, 95.0], "head": [2], "seconds": [-1], "metres": [np.inf]})
    assert error.value.codes == (
        "lat-out-of-range", "no-such-node", "seconds-out-of-range", "metres-out-of-range",
    )  # fmt: skip
    for wrong, code in (
        ({"tail": [0.5]}, "column-type"),
        ({"junction_s": -1.0}, "wait-out-of-range"),
        ({"junction_s": np.nan}, "wait-out-of-range"),
        ({"seconds": ["x"]}, "column-type"),
        ({"node_lon": [[0.0], [1.0]]}, "column-type"),
        ({"metres": [1, 2]}, "column-length"),
        ({"seconds": [np.nan]}, "seconds-out-of-range"),
        ({"node_lon": [0.0, 200.0]}, "lon-out-of-range"),
        ({"line_lon": [0.5]}, "missing-column"),
        ({"line_lon": [0.5], "line_lat": [0.5], "line_start": [0, 2]}, "line-start"),
        ({"line_lon": [0.5], "line_lat": [0.5], "line_start": [0]}, "column-length"),
    ):
        with pytest.raises(InputError) as error:
            RoadGraph.from_arrays(**{**sound, **wrong})
        assert code in error.value.codes
