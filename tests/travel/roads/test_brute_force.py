"""Against networkx, on graphs in which every place is a node."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.geo.sphere import great_circle_m
from territory.model.places import PlaceKind, Places
from territory.travel.roads import RoadGraph
from territory.travel.roads.compress import compress
from territory.travel.roads.network import Segments

#: Seconds weigh more than any metres: shortest among quickest.
HEAVY = 10**9


def ways(graph, nodes):
    """Return seconds and metres among nodes, of whole-numbered edges; inf where there is no way."""
    seconds, metres = np.full((len(nodes), len(nodes)), np.inf), np.full((len(nodes), len(nodes)), np.inf)
    for i, start in enumerate(nodes):
        lengths = nx.single_source_dijkstra_path_length(graph, start, weight="key")
        for j, end in enumerate(nodes):
            if end in lengths:
                seconds[i, j], metres[i, j] = divmod(lengths[end], HEAVY)
    return seconds, metres


@st.composite
def networks(draw):
    n = draw(st.integers(2, 9))
    edge = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(0, 4), st.integers(0, 9), st.booleans())
    edges = draw(st.lists(edge, min_size=1, max_size=24))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return n, edges, rng.uniform(-0.2, 0.2, (n, 2))


@given(networks())
@settings(max_examples=150)
def test_times_and_lengths_are_those_of_networkx(network):
    n, edges, where = network
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(n))
    for tail, head, seconds, metres, both in edges:
        for a, b in ((tail, head), (head, tail))[: 1 + both]:
            graph.add_edge(a, b, key=None, weight=0)
            key = HEAVY * seconds + metres
            graph.edges[a, b, list(graph[a][b])[-1]]["key"] = key
    table = np.array(edges)
    roads = RoadGraph.from_arrays(
        node_lon=where[:, 0], node_lat=where[:, 1], tail=table[:, 0], head=table[:, 1], seconds=table[:, 2],
        metres=table[:, 3], back_seconds=np.where(table[:, 4], table[:, 2], np.inf), most_moved_m=0,
    )  # fmt: skip
    # nodes of roads only: the others are off the road; an edge from a node to itself is none
    used = sorted({a for e in edges for a in e[:2] if e[0] != e[1]})
    places = Places.of(PlaceKind.CUSTOMER, [str(i) for i in used], where[used, 0], where[used, 1])
    found = roads.raw_matrix(places, places)
    seconds, metres = ways(graph, used)
    assert np.array_equal(found.seconds, seconds)
    assert np.array_equal(found.metres, metres)
    few = places.take(np.arange(min(2, len(used))))
    assert np.array_equal(roads.raw_matrix(places, few).metres, metres[:, : len(few)])
    start, end = np.divmod(np.random.default_rng(0).permutation(len(used) ** 2), max(len(used), 1))
    if used:
        pairs = roads.raw_pairs(places.take(start), places.take(end))
        assert np.array_equal(pairs.seconds, seconds[start, end])
        assert np.array_equal(pairs.metres, metres[start, end])


def streets(rng, size, one_way):
    """Return a grid with bent streets, some of them one-way and some missing, as rows of from_arrays."""
    at = np.arange(size)
    lon, lat = (axis.ravel() * 0.002 + rng.uniform(-4e-4, 4e-4, size * size) for axis in np.meshgrid(at, at))
    node = np.arange(size * size).reshape(size, size)
    pairs = np.concatenate((np.column_stack((node[:, :-1].ravel(), node[:, 1:].ravel())),
                            np.column_stack((node[:-1].ravel(), node[1:].ravel()))))  # fmt: skip
    pairs = pairs[rng.random(len(pairs)) > 0.15]
    seconds = rng.integers(1, 50, len(pairs)).astype(float)
    kind = rng.random(len(pairs))
    return {
        "node_lon": lon, "node_lat": lat, "tail": pairs[:, 0], "head": pairs[:, 1],
        "seconds": np.where(kind < one_way / 2, np.inf, seconds),
        "back_seconds": np.where(kind > 1 - one_way / 2, np.inf, rng.integers(1, 50, len(pairs)).astype(float)),
        "metres": great_circle_m(lon[pairs[:, 0]], lat[pairs[:, 0]], lon[pairs[:, 1]], lat[pairs[:, 1]]),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_places_along_streets_are_as_good_as_nodes(seed):
    """Cut every street where places are, and let networkx search on the pieces."""
    rng = np.random.default_rng(seed)
    columns = streets(rng, 5, (0.0, 0.3, 0.6)[seed % 3])
    roads = RoadGraph.from_arrays(**columns)
    m = 24
    edge = rng.integers(0, len(columns["tail"]), m)
    edge[:6] = edge[0]
    share = rng.uniform(0.05, 0.95, m)
    lon, lat = (
        columns[axis][columns["tail"][edge]] * (1 - share) + columns[axis][columns["head"][edge]] * share
        for axis in ("node_lon", "node_lat")
    )
    places = Places.of(PlaceKind.CUSTOMER, [str(i) for i in range(m)], lon, lat)
    on = np.flatnonzero(roads.snap(places).moved_m < 1e-3)

    graph = nx.MultiDiGraph()
    for e in range(len(columns["tail"])):
        mine = sorted((float(share[i]), f"p{i}") for i in range(m) if edge[i] == e)
        stops = [(0.0, int(columns["tail"][e])), *mine, (1.0, int(columns["head"][e]))]
        for (low, a), (high, b) in itertools.pairwise(stops):
            for column, (x, y) in (("seconds", (a, b)), ("back_seconds", (b, a))):
                if np.isfinite(columns[column][e]):
                    graph.add_edge(
                        x, y, s=columns[column][e] * (high - low), m=columns["metres"][e] * (high - low)
                    )  # fmt: skip
    found = roads.raw_matrix(places, places)
    compared = 0
    for i in on:
        there = nx.single_source_dijkstra_path_length(graph, f"p{i}", weight="s") if f"p{i}" in graph else {}
        for j in on:
            expected = there.get(f"p{j}", np.inf)
            assert found.seconds[i, j] == pytest.approx(expected, abs=1e-3)
            compared += np.isfinite(expected)
    assert compared > 30
    # lines are as long as the metres that are told, and begin and end at the places
    order = rng.permutation(on)[:10]
    stops = places.take(order)
    line = roads.route_geometry(stops)
    for leg, (i, j) in enumerate(itertools.pairwise(order)):
        x, y = line.leg(leg)
        if not np.isfinite(found.seconds[i, j]):
            assert len(x) == 0
            continue
        assert great_circle_m(x[:-1], y[:-1], x[1:], y[1:]).sum() == pytest.approx(found.metres[i, j], abs=0.01)
        assert great_circle_m(x[[0, -1]], y[[0, -1]], lon[[i, j]], lat[[i, j]]).max() < 1e-3


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 2), st.booleans()), max_size=20))
@settings(max_examples=150)
def test_compressing_loses_no_segment(pieces):
    table = np.array(pieces, dtype=np.int64).reshape(-1, 4)
    count = len(table)
    given_ = Segments(
        node_lon=np.arange(8.0), node_lat=np.zeros(8), wait_s=np.array([0.0] * 7 + [3.0]), tail=table[:, 0],
        head=table[:, 1], metres=np.arange(1.0, count + 1), forward_s=np.where(table[:, 2] == 1, np.inf, 10.0),
        backward_s=np.where(table[:, 2] == 2, np.inf, np.arange(1.0, count + 1)), midway=table[:, 3] == 0,
    )  # fmt: skip
    net = compress(given_)
    real = table[:, 0] != table[:, 1]
    last = net.first_point[1:] - 1
    assert net.metres[last].sum() == given_.metres[real].sum()
    ends = np.concatenate((table[real, 0], table[real, 1]))
    degree = np.bincount(ends, minlength=8)
    # whatever is no plain passage is a node of the network
    assert set(np.flatnonzero((degree != 2) & (degree > 0))) <= set(net.node_lon.astype(int))
    assert (7 in net.node_lon) == (degree[7] > 0)
    assert (net.forward | net.backward).all()
    assert np.array_equal(net.lon[net.first_point[:-1]], net.node_lon[net.tail])
    assert np.array_equal(net.lon[last], net.node_lon[net.head])
    assert net.midway.sum() <= (table[real, 3] == 0).sum()
    for one_way, time in ((net.forward, net.forward_s), (net.backward, net.backward_s)):
        assert (np.diff(time) >= 0)[np.setdiff1d(np.arange(len(time) - 1), last)].all()
        assert (time[last][~one_way] == 0).all()
