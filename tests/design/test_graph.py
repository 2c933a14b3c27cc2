"""The graph of neighbouring territories."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from territory.design import territory_graph
from territory.model import Alignment, Customers, Reps


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
