from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import shapely

from territory.errors import InputError
from territory.model.places import PlaceKind, Places
from territory.travel import UNREACHABLE
from territory.travel.roads import RoadGraph


def corner(**edge):
    """Return a graph of two nodes and one street, 0.01 degrees long."""
    graph = nx.MultiDiGraph()
    graph.add_node("a", x=9.5, y=47.0)
    graph.add_node("b", x=9.51, y=47.0)
    graph.add_edge("a", "b", **edge)
    return graph


ENDS = Places.of(PlaceKind.CUSTOMER, ["a", "b", "middle"], [9.5, 9.51, 9.505], [47.0, 47.0, 47.0])


def seconds(graph, **options):
    return RoadGraph.from_networkx(graph, **options).matrix(ENDS, ENDS).durations_s.tolist()


def test_times_and_lengths_come_from_edges():
    graph = corner(travel_time=60, length=800.4)
    roads = RoadGraph.from_networkx(graph)
    assert roads.matrix(ENDS, ENDS).distances_m[0].tolist() == [0, 800, 400]
    assert seconds(graph) == [[0, 60, 30], [UNREACHABLE, 0, UNREACHABLE], [UNREACHABLE, 30, 0]]


def test_times_follow_from_speeds_and_lengths_from_lines():
    assert seconds(corner(speed_kph=36, length=600))[0] == [0, 60, 30]
    whole = RoadGraph.from_networkx(corner(travel_time=60)).matrix(ENDS, ENDS)
    assert whole.distances_m[0, 1] == 758
    assert RoadGraph.from_networkx(corner(s=7, km="0.9"), seconds="s", metres="km").n_edges == 1


def test_two_directed_edges_along_one_line_are_one_road():
    graph = corner(travel_time=60, length=800)
    graph.add_edge("b", "a", travel_time=80, length=800)
    roads = RoadGraph.from_networkx(graph)
    assert roads.n_edges == 1
    assert seconds(graph) == [[0, 60, 30], [80, 0, 40], [40, 30, 0]]
    # as long as it is the same road: this one is longer, and so it is another
    graph.add_edge("b", "a", travel_time=50, length=900)
    assert RoadGraph.from_networkx(graph).matrix(ENDS, ENDS).distances_m[:2, :2].tolist() == [[0, 800], [900, 0]]
    assert seconds(graph)[1][0] == 50


def test_of_edges_along_one_line_the_quickest_counts():
    graph = corner(travel_time=60, length=800)
    graph.add_edge("a", "b", travel_time=50, length=900)
    graph.add_edge("a", "b", travel_time=50, length=850)
    roads = RoadGraph.from_networkx(graph)
    assert roads.n_edges == 1
    assert roads.matrix(ENDS, ENDS).distances_m[0, 1] == 850


def test_undirected_graphs_lead_both_ways_whatever_way_lines_are_drawn():
    bow = [(9.5, 47.0), (9.505, 47.002), (9.51, 47.0)]
    for line in (bow, bow[::-1]):
        graph = nx.Graph(corner(travel_time=60, length=900, geometry=shapely.LineString(line)))
        roads = RoadGraph.from_networkx(graph)
        assert roads.symmetric
        assert roads.matrix(ENDS, ENDS).durations_s[:2, :2].tolist() == [[0, 60], [60, 0]]
        lon, lat = roads.route_geometry(ENDS.take([0, 1])).leg(0)
        assert list(zip(lon.tolist(), lat.tolist(), strict=True)) == bow
        assert roads.snap(ENDS).moved_m[2] > 150


def test_nodes_of_a_line_without_crossings_are_joined():
    graph = nx.path_graph(50)
    for i in range(50):
        graph.nodes[i].update(x=9.5 + i * 0.001, y=47.0)
    nx.set_edge_attributes(graph, 1.0, "travel_time")
    roads = RoadGraph.from_networkx(graph)
    assert (roads.n_edges, roads.n_junctions) == (1, 2)
    assert roads.raw_pairs(ENDS.take([0]), ENDS.take([1])).seconds.tolist() == [10.0]


def test_all_that_is_wrong_with_a_graph_is_told_with_names():
    graph = corner(length=800)
    graph.add_edge("b", "a", travel_time=-5)
    graph.add_edge("b", "b", travel_time=5, geometry="LINESTRING")
    with pytest.raises(InputError) as error:
        RoadGraph.from_networkx(graph)
    assert error.value.codes == ("no-travel-time", "edge-value", "edge-geometry")
    assert "('a', 'b')" in str(error.value)
    assert "add_edge_travel_times" in str(error.value)
    for bad in (float("nan"), "fast", [5]):
        with pytest.raises(InputError, match="edge-value"):
            RoadGraph.from_networkx(corner(travel_time=bad, length=1))
    with pytest.raises(InputError, match="edge-value"):
        RoadGraph.from_networkx(corner(speed_kph=0, length=1))


def test_nodes_need_coordinates_in_degrees():
    graph = corner(travel_time=1)
    graph.add_node("lost")
    graph.add_node("projected", x=540_000.0, y=5_200_000.0)
    with pytest.raises(InputError) as error:
        RoadGraph.from_networkx(graph)
    assert error.value.codes == ("no-coordinates", "coordinates-out-of-range")
    assert "'lost'" in str(error.value)
    with pytest.raises(InputError, match="graph-type"):
        RoadGraph.from_networkx([(1, 2)])


def test_a_graph_of_osmnx_goes_where_the_reader_goes(tmp_path):
    ox = pytest.importorskip("osmnx")
    # a square with a bent side, one of its sides one-way
    corners = [(47.0, 9.5), (47.0, 9.51), (47.01, 9.51), (47.01, 9.5), (47.005, 9.515)]
    nodes = "".join(f'<node id="{i + 1}" lat="{lat}" lon="{lon}"/>' for i, (lat, lon) in enumerate(corners))
    ways = [([1, 2], {}), ([2, 5, 3], {}), ([3, 4], {"oneway": "yes"}), ([4, 1], {}), ([1, 3], {})]
    lines = ""
    for i, (refs, tags) in enumerate(ways):
        inside = [f'<nd ref="{ref}"/>' for ref in refs]
        inside += [f'<tag k="{k}" v="{v}"/>' for k, v in {"highway": "tertiary", **tags}.items()]
        lines += f'<way id="{i + 1}">{"".join(inside)}</way>'
    path = tmp_path / "square.osm"
    path.write_text(f'<osm version="0.6">{nodes}{lines}</osm>')
    graph = ox.graph_from_xml(path, simplify=True, retain_all=True)
    graph = ox.add_edge_travel_times(ox.add_edge_speeds(graph, hwy_speeds={"tertiary": 40}))
    ours, theirs = RoadGraph.from_osm(path, junction_s=0), RoadGraph.from_networkx(graph)
    rng = np.random.default_rng(4)
    places = Places.of(
        PlaceKind.CUSTOMER, [str(i) for i in range(30)], rng.uniform(9.499, 9.515, 30), rng.uniform(47, 47.01, 30)
    )
    assert theirs.n_edges == ours.n_edges
    one, other = ours.raw_matrix(places, places), theirs.raw_matrix(places, places)
    assert np.allclose(one.seconds, other.seconds, rtol=1e-4, atol=0.01)
    assert np.allclose(one.metres, other.metres, rtol=1e-4, atol=0.1)
