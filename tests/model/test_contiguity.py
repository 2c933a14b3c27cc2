"""Graphs that users give, and those that are made for them."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from shapely import LineString, box

from territory import BasicUnits, Customers, InputError, contiguity_graph

FOUR = Customers(id=["1", "2", "3", "4"], lon=[10, 11, 12, 12], lat=[0, 0, 0, 0])
PATH = [[0, 1], [1, 2], [2, 3]]


def matrix(edges, n=4):
    rows, columns = np.array(edges).T
    return sp.coo_array((np.ones(len(edges)), (rows, columns)), shape=(n, n))


BOTH = [*PATH, *([b, a] for a, b in PATH)]


@pytest.mark.parametrize("graph", [
    nx.path_graph(["1", "2", "3", "4"]),
    nx.path_graph([1, 2, 3, 4]),
    nx.MultiGraph([("1", "2"), ("1", "2"), ("2", "3"), ("3", "4")]),
    nx.path_graph(["1", "2", "3", "4"]).to_directed(),
    matrix(BOTH), matrix(BOTH).tocsr(), sp.csc_matrix(matrix(BOTH)), matrix(BOTH).astype(bool),
    [("1", "2"), ("3", "2"), ("3", "4"), ("4", "3")],
    (pair for pair in [["1", "2"], ["2", "3"], ["3", "4"]]),
    np.array([["1", "2"], ["2", "3"], ["3", "4"]]),
], ids=lambda graph: type(graph).__name__)  # fmt: skip
def test_a_graph_in_any_form(graph):
    found = contiguity_graph(FOUR, graph)
    assert (found.kind, found.edges.tolist(), found.diagnostics) == ("given", PATH, ())
    # to the letter: two on one spot are two sites
    assert found.site.tolist() == [0, 1, 2, 3]


def test_by_place_those_on_one_spot_are_one():
    assert contiguity_graph(FOUR).site.tolist() == [0, 1, 2, 2]
    assert contiguity_graph(FOUR, "gabriel").edges.tolist() == [[0, 1], [1, 2]]


def test_one_way_edges_are_refused_or_made_mutual():
    for graph in (nx.DiGraph([(1, 2), (2, 3), (3, 4)]), matrix(PATH)):
        with pytest.raises(InputError) as caught:
            contiguity_graph(FOUR, graph)
        [problem] = caught.value.problems
        assert (problem.code, problem.count, problem.rows) == ("asymmetric-adjacency", 3, (0, 1, 2))
        assert "symmetrise=True" in problem.hint
        assert contiguity_graph(FOUR, graph, symmetrise=True).edges.tolist() == PATH


def test_loops_are_left_out_and_told():
    graph = nx.path_graph(["1", "2", "3", "4"])
    graph.add_edge("2", "2")
    found = contiguity_graph(FOUR, graph)
    assert found.edges.tolist() == PATH
    assert [(d.code, d.rows) for d in found.diagnostics] == [("self-loop", (1,))]


def test_a_stored_zero_joins_nobody():
    zeros = matrix(BOTH).tocsr()
    zeros.data[:] = 0
    assert contiguity_graph(FOUR, zeros).n_components == 4


@pytest.mark.parametrize(("graph", "code"), [
    (nx.path_graph(["1", "2", "3", "4", "x"]), "unknown-id"),
    (nx.path_graph(["1", "2", "3"]), "missing-customers"),
    ([("1", "x")], "unknown-id"),
    ([("1", "2", "3")], "not-pairs"),
    (["12", "23"], "not-pairs"),
    (5, "not-pairs"),
    (np.eye(4), "not-a-graph"),
    (sp.eye_array(3), "wrong-shape"),
    (sp.csr_array(np.full((4, 4), np.nan)), "not-finite"),
    ("voronoi", "unknown-option"),
    ("given", "unknown-option"),
    ("rook", "no-geometry"),
])  # fmt: skip
def test_what_is_no_graph_of_the_customers_is_refused(graph, code):
    with pytest.raises(InputError) as caught:
        contiguity_graph(FOUR, graph)
    assert caught.value.codes == (code,)


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(InputError) as caught:
        contiguity_graph(FOUR, [("1", "x")], barriers="river", bridges=[("1", "y")], islands="sink")
    assert set(caught.value.codes) == {
        "unknown-id", "not-a-geometry", "barriers-without-points", "unknown-option"
    }  # fmt: skip


def test_barriers_and_bridges_by_id():
    river = LineString([(10.5, -1), (10.5, 1)])
    assert contiguity_graph(FOUR, barriers=river).component.tolist() == [0, 1, 1, 1]
    bridged = contiguity_graph(FOUR, barriers=river, bridges=iter([("1", "4")]))
    assert (bridged.n_components, bridged.bridges.tolist()) == (1, [[0, 3]])


def test_units_by_border_and_by_place():
    units = BasicUnits(id=["a", "b", "c"], lon=[0.5, 1.5, 1.5], lat=[5.5, 5.5, 6.5],
                       geometry=[box(0, 5, 1, 6), box(1, 5, 2, 6), box(1, 6, 2, 7)])  # fmt: skip
    assert contiguity_graph(units, "rook").edges.tolist() == [[0, 1], [1, 2]]
    assert contiguity_graph(units, "queen").edges.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert contiguity_graph(units).kind == "delaunay"
    assert units.contiguity(bridges=[("a", "c")]).border_m.round(-3).tolist() == [111e3, 0, 111e3, 111e3, 0, 111e3]
    with pytest.raises(InputError, match="kind"):
        units.contiguity("bishop")
