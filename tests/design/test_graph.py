"""The graph of neighbouring territories."""

from __future__ import annotations

import dataclasses

import networkx as nx
import numpy as np
import pytest

from territory.design import territory_graph
from territory.model import Alignment, Customers, Reps, contiguity_graph
from territory.testing import ascii_map


@pytest.fixture
def strip():
    """Return four territories side by side, of three customers each."""
    lon = np.repeat([0.0, 1.0, 2.0, 3.0], 3)
    # the inner columns are taller, so that the outer ones do not see each other past them
    lat = 50.0 + np.repeat([0.2, 0.5, 0.5, 0.2], 3) * np.tile([-1, 0, 1], 4)
    customers = Customers(id=[f"c{i}" for i in range(12)], lon=lon, lat=lat)
    reps = Reps(id=["W", "X", "Y", "Z"], lon=[0, 1, 2, 3], lat=[50.0] * 4)
    owner = np.repeat(["W", "X", "Y", "Z"], 3)
    return Alignment.from_frame({"customer_id": customers.id, "rep_id": owner}, customers=customers, reps=reps)


def test_neighbours_are_joined(strip):
    graph = territory_graph(strip)
    assert sorted(tuple(sorted(e)) for e in graph.edges) == [("W", "X"), ("X", "Y"), ("Y", "Z")]
    assert nx.shortest_path(graph, "W", "Z") == ["W", "X", "Y", "Z"]
    assert graph.nodes["X"] == {"customers": 3, "rep_id": "X"}
    assert graph.edges["W", "X"]["distance_km"] == pytest.approx(71.5, abs=0.3)


def test_customers_in_no_territory_join_nothing(strip):
    idx = strip.territory_idx.copy()
    idx[3:6] = -1
    holes = Alignment(
        strip.customers, strip.reps, strip.territory_id, idx, strip.rep_idx, strip.center_lon, strip.center_lat
    )
    assert "X" in territory_graph(holes)
    assert not list(territory_graph(holes).edges("X"))


def test_neighbours_are_those_of_the_alignments_graph():
    river = ascii_map("AA#BB/AA#BB/AACCC")
    for kind in ("rook", "delaunay"):
        graph = territory_graph(river.alignment(graph=river.graph(kind)))
        assert sorted(tuple(sorted(e)) for e in graph.edges) == [("A", "C"), ("B", "C")]
    one_spot = Customers(id=["a", "b", "c", "d"], lon=[1, 1, 1, 2], lat=[1] * 4)
    frame = {"customer_id": one_spot.id, "territory_id": ["X", "Y", "", "Z"]}
    read = Alignment.from_frame(frame, customers=one_spot)
    graph = territory_graph(dataclasses.replace(read, graph=contiguity_graph(one_spot)))
    assert sorted(tuple(sorted(e)) for e in graph.edges) == [("X", "Y"), ("X", "Z"), ("Y", "Z")]
