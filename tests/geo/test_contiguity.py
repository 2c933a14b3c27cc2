"""The graph on which territories hang together."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import InputError
from territory.geo.adjacency import point_adjacency
from territory.geo.contiguity import ContiguityGraph, graph_of_edges, graph_of_points


def graph_with(n, edges, **fields):
    """Make a graph of n sites of one customer each, in a row on the equator."""
    lon, lat = np.arange(n, dtype=float), np.full(n, 5.0)
    pairs = np.array(sorted({tuple(sorted(e)) for e in edges}), dtype=np.int64).reshape(-1, 2)
    return graph_of_edges(lon, lat, np.arange(n, dtype=np.int32), pairs, kind="given", **fields)


@st.composite
def graphs(draw, most=9):
    n = draw(st.integers(1, most))
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] != e[1])
    return n, draw(st.lists(pairs, max_size=14)) if n > 1 else []


def test_points_on_one_spot_share_a_site():
    graph = graph_of_points([1, 2, 2, 3], [0, 0, 0, 0])
    assert graph.site.tolist() == [0, 1, 1, 2]
    assert graph.edges.tolist() == [[0, 1], [1, 2]]
    assert graph.torn([0, 0, 1, 0]).tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("kind", ["delaunay", "gabriel"])
def test_points_have_the_neighbours_of_adjacency(kind):
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(5, 9, 60), rng.uniform(45, 48, 60)
    graph = graph_of_points(lon, lat, kind=kind)
    assert graph.edges.tolist() == point_adjacency(lon, lat, kind=kind).tolist()
    assert repr(graph) == f"<ContiguityGraph: {kind}, 60 sites, {len(graph.edges)} edges>"


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_points(n):
    graph = graph_of_points(np.arange(n), np.full(n, 5.0))
    assert (graph.n_sites, graph.n_components, len(graph)) == (n, min(n, 1), n)
    assert graph.take(np.arange(n)).n_sites == n


def test_a_grid_has_the_same_neighbours_in_any_order_of_rows():
    x, y = (v.reshape(-1) for v in np.meshgrid(np.arange(6) / 100 + 10, np.arange(6) / 100 + 50))
    rng = np.random.default_rng(1)
    wanted = {tuple(e) for e in point_adjacency(x, y).tolist()}
    for _ in range(5):
        order = rng.permutation(36)
        found = order[point_adjacency(x[order], y[order])]
        assert {tuple(sorted(e)) for e in found.tolist()} == wanted


@given(graphs(), st.data())
def test_pieces_are_those_of_networkx(drawn, data):
    n, edges = drawn
    label = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n)))
    piece = graph_with(n, edges).torn(label)
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(edges)
    for j in (0, 1, 2):
        parts = {frozenset(p) for p in nx.connected_components(graph.subgraph(np.flatnonzero(label == j).tolist()))}
        assert {frozenset(np.flatnonzero(piece == p).tolist()) for p in np.unique(piece[label == j])} == parts
    assert ((piece < 0) == (label < 0)).all()


@given(graphs(), st.data())
def test_who_is_not_kept_stands_in_nobodys_way(drawn, data):
    n, edges = drawn
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    whole = graph_with(n, edges)
    part = whole.among(keep, np.arange(n), np.full(n, 5.0))
    assert ((part.site >= 0) == keep).all()
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(edges)
    # who is joined stays joined, who is apart stays apart; and who was a neighbour still is
    for i in np.flatnonzero(keep):
        for j in np.flatnonzero(keep):
            assert (part.component[i] == part.component[j]) == nx.has_path(graph, int(i), int(j))
    left = {tuple(sorted(e)) for e in part.edges.tolist()}
    for i, j in edges:
        if keep[i] and keep[j]:
            assert tuple(sorted((int(part.site[i]), int(part.site[j])))) in left


def test_among_points_the_graph_is_made_anew():
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(5, 9, 40), rng.uniform(45, 48, 40)
    keep = rng.random(40) < 0.6
    part = graph_of_points(lon, lat).among(keep, lon, lat)
    anew = graph_of_points(lon[keep], lat[keep])
    assert part.site[keep].tolist() == anew.site.tolist()
    assert part.indices.tolist() == anew.indices.tolist()


def test_a_bridge_holds_where_its_end_is_not_kept():
    lon, lat = np.array([0.0, 1.0, 2.0, 3.0]), np.full(4, 5.0)
    graph = graph_with(4, [(0, 1), (2, 3)], bridges=[(1, 2)])
    assert graph.n_components == 1
    assert graph.among([True, False, False, True], lon, lat).n_components == 1


@given(graphs(), st.randoms(use_true_random=False))
def test_taken_in_another_order_it_is_the_same_graph(drawn, random):
    n, edges = drawn
    order = list(range(n))
    random.shuffle(order)
    graph = graph_with(n, edges)
    taken = graph.take(order)
    assert taken.site.tolist() == list(range(n))
    assert {tuple(sorted((order[i], order[j]))) for i, j in taken.edges.tolist()} == {
        tuple(e) for e in graph.edges.tolist()
    }


def test_borders_and_bridges_follow_what_is_taken():
    graph = graph_with(3, [(0, 1), (1, 2)], border_m=np.array([5.0, 7.0]), bridges=[(0, 2)])
    assert graph.border_m.tolist() == [5, 0, 5, 7, 0, 7]
    taken = graph.take([2, 1])
    assert (taken.border_m.tolist(), taken.bridges.tolist()) == ([7, 7], [])
    assert graph.take([2, 0, 1]).bridges.tolist() == [[1, 0]]


@given(graphs(most=7), st.integers(0, 5))
def test_islands_are_joined_over_the_least_gaps(drawn, seed):
    n, edges = drawn
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(5, 6, n), rng.uniform(-0.5, 0.5, n)
    pairs = np.array(sorted({tuple(sorted(e)) for e in edges}), dtype=np.int64).reshape(-1, 2)
    site = np.arange(n, dtype=np.int32)
    graph = graph_of_edges(lon, lat, site, pairs, kind="given", islands="join")
    assert graph.n_components == 1
    # Kruskal over all pairs, with what is there for nothing
    every = nx.Graph()
    every.add_nodes_from(range(n))
    for i in range(n):
        for j in range(i):
            every.add_edge(
                i, j, weight=np.hypot((lon[i] - lon[j]) * np.cos(np.radians((lat[i] + lat[j]) / 2)), lat[i] - lat[j])
            )
    every.add_edges_from(pairs.tolist(), weight=0.0)
    joined = nx.Graph()
    joined.add_nodes_from(range(n))
    joined.add_edges_from(graph.edges.tolist())
    for i, j in joined.edges:
        joined.edges[i, j]["weight"] = every.edges[i, j]["weight"]
    assert nx.minimum_spanning_tree(joined).size("weight") == pytest.approx(
        nx.minimum_spanning_tree(every).size("weight"), rel=1e-3
    )
    islands = graph_with(n, edges).n_components
    assert [d.count for d in graph.diagnostics] == ([islands - 1] if islands > 1 else [])


def test_islands_on_one_spot_are_joined():
    site = np.arange(3, dtype=np.int32)
    nothing = np.empty((0, 2), dtype=np.int64)
    graph = graph_of_edges([5, 5, 6], [5, 5, 5], site, nothing, kind="given", islands="join")
    assert graph.n_components == 1


def test_pickled_and_copied_it_is_frozen():
    graph = graph_with(4, [(0, 1), (2, 3)], islands="parts")
    again = pickle.loads(pickle.dumps(graph))  # noqa: S301 - our own bytes
    assert (again.indices.tolist(), again.islands) == (graph.indices.tolist(), "parts")
    assert copy.deepcopy(graph) is graph
    with pytest.raises(ValueError, match="read-only"):
        again.indices[0] = 3


@pytest.mark.parametrize(("fields", "code"), [
    ({"indices": [1, 2]}, "asymmetric-adjacency"),
    ({"indices": [0, 1]}, "self-loop"),
    ({"indices": [1, 9]}, "not-a-graph"),
    ({"indptr": [0, 2, 1, 2]}, "not-a-graph"),
    ({"indptr": [0, 1, 1, 1]}, "not-a-graph"),
    ({"site": [0, 1, 3]}, "not-a-graph"),
    ({"border_m": [1.0]}, "wrong-shape"),
    ({"bridges": [[0, 3]]}, "not-a-graph"),
    ({"kind": "cell"}, "unknown-option"),
    ({"islands": "sink"}, "unknown-option"),
])  # fmt: skip
def test_what_is_no_graph_is_refused(fields, code):
    right = {"indptr": [0, 1, 2, 2], "indices": [1, 0], "site": [0, 1, 2]}
    ContiguityGraph(**right)
    with pytest.raises(InputError) as caught:
        ContiguityGraph(**{**right, **fields})
    assert caught.value.codes == (code,)


def test_neighbours_stand_once_and_in_order():
    with pytest.raises(InputError, match="ascending"):
        ContiguityGraph([0, 2, 3, 4], [2, 1, 0, 0], [0, 1, 2])


def test_a_part_of_a_given_graph_keeps_its_kind():
    graph = replace(graph_with(3, [(0, 1), (1, 2)]), islands="parts")
    assert graph.among([True, False, True], np.arange(3), np.full(3, 5.0)).islands == "parts"
