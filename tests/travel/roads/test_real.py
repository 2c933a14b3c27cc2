"""On real extracts."""

from __future__ import annotations

import csv

import networkx as nx
import numpy as np
import pytest

from territory.geo.sphere import great_circle_m
from territory.model.places import PlaceKind, Places
from territory.travel.base import TravelBase
from territory.travel.roads import RoadGraph

pytest.importorskip("osmium")


@pytest.fixture(scope="module")
def graph(real_data):
    return RoadGraph.from_osm(real_data / "osm" / "liechtenstein.osm.pbf")


@pytest.fixture(scope="module")
def places(real_data):
    with (real_data / "real" / "osm_pois_liechtenstein_porto_munich.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["extract"].startswith("liechtenstein")]
    lon, lat = (np.array([float(row[axis]) for row in rows]) for axis in ("lon", "lat"))
    return Places.of(PlaceKind.CUSTOMER, [row["osm_id"] for row in rows], lon, lat)


def test_matrix_pairs_and_neighbours_agree(graph, places):
    n = len(places)
    assert n > 150
    whole = graph.matrix(places, places)
    rng = np.random.default_rng(2)
    start, end = rng.integers(0, n, 2000), rng.integers(0, n, 2000)
    pairs = graph.pairs(places.take(start), places.take(end))
    assert np.array_equal(pairs.durations_s, whole.durations_s[start, end])
    assert np.array_equal(pairs.distances_m, whole.distances_m[start, end])
    # searched from the other side
    few = rng.choice(n, 20, replace=False)
    assert np.array_equal(graph.matrix(places, places.take(few)).distances_m, whole.distances_m[:, few])
    for k in (1, 10):
        ours, plain = graph.nearest(places, places, k), TravelBase.nearest(graph, places, places, k)
        for name in ("idx", "durations_s", "distances_m"):
            assert np.array_equal(getattr(ours, name), getattr(plain, name))


def test_whoever_gets_there_gets_back(graph, places):
    there = graph.matrix(places, places).reachable
    assert np.array_equal(there, there.T)
    assert there[graph.snap(places).on_road][:, graph.snap(places).on_road].all()
    # no shorter than the crow flies, but for what snapping moves
    found, moved = graph.raw_matrix(places, places).metres, graph.snap(places).moved_m
    crow = great_circle_m(places.lon[:, None], places.lat[:, None], places.lon, places.lat)
    assert (found + moved[:, None] + moved >= crow * 0.9999 - 0.01).all()


def test_lines_are_as_long_as_they_are_said_to_be(graph, places):
    stops = places.take(np.random.default_rng(3).permutation(len(places))[:60])
    line = graph.route_geometry(stops)
    metres = graph.raw_pairs(stops.take(np.arange(59)), stops.take(np.arange(1, 60))).metres
    snapped = graph.snap(stops)
    for leg in range(59):
        lon, lat = line.leg(leg)
        if np.isinf(metres[leg]):
            assert not snapped.on_road[leg : leg + 2].all()
            assert len(lon) == 0
            continue
        assert great_circle_m(lon[:-1], lat[:-1], lon[1:], lat[1:]).sum() == pytest.approx(metres[leg], abs=0.05)
        assert (lon[0], lat[0], lon[-1], lat[-1]) == pytest.approx(
            (snapped.lon[leg], snapped.lat[leg], snapped.lon[leg + 1], snapped.lat[leg + 1])
        )


def test_snapping_finds_the_nearest_of_all_segments(graph, places):
    net = graph._network
    snapped = graph.snap(places)
    inner = np.ones(len(net.lon), dtype=bool)
    inner[net.first_point[1:] - 1] = False
    start = np.flatnonzero(inner)
    for i in range(0, len(places), 7):
        x = (net.lon - places.lon[i]) * np.cos(np.radians(places.lat[i]))
        y = net.lat - places.lat[i]
        dx, dy = x[start + 1] - x[start], y[start + 1] - y[start]
        t = np.clip(-(x[start] * dx + y[start] * dy) / np.maximum(dx * dx + dy * dy, 1e-30), 0, 1)
        gap = np.hypot(x[start] + t * dx, y[start] + t * dy).min() * np.pi / 180 * 6_371_008.8
        # farther only where the nearest is of a part that leads nowhere
        assert snapped.moved_m[i] >= gap * 0.999 - 0.001
    assert np.median(snapped.moved_m) < 50


def test_searches_are_those_of_networkx(graph):
    net, arcs = graph._network, graph._network.arcs()
    rng = np.random.default_rng(1)
    nodes = rng.choice(net.n_nodes, 25, replace=False)
    places = Places.of(PlaceKind.CUSTOMER, [str(v) for v in nodes], net.node_lon[nodes], net.node_lat[nodes])
    at = graph._snapper.spots(places.lon, places.lat)
    kept = np.flatnonzero((at.edge == -1) & (at.moved_m == 0) & (at.leave[:, 0] == nodes))
    assert len(kept) > 15
    other = nx.DiGraph()
    start = np.repeat(np.arange(net.n_nodes), np.diff(arcs.first))
    other.add_weighted_edges_from(zip(start.tolist(), arcs.head.tolist(), arcs.seconds.tolist(), strict=True))
    found = graph.raw_matrix(places, places).seconds
    for i in kept:
        lengths = nx.single_source_dijkstra_path_length(other, int(nodes[i]))
        assert [lengths.get(int(nodes[j]), np.inf) for j in kept] == found[i, kept].tolist()


@pytest.mark.parametrize("mode", ["bicycle", "foot"])
def test_other_modes_are_slower_than_cars_and_reach_more(real_data, graph, places, mode):
    other = RoadGraph.from_osm(real_data / "osm" / "liechtenstein.osm.pbf", mode=mode)
    assert other.n_edges > graph.n_edges
    slow, fast = other.raw_matrix(places, places), graph.raw_matrix(places, places)
    far = (fast.seconds > 300) & np.isfinite(fast.seconds)
    assert (slow.seconds > fast.seconds)[far].mean() > 0.98
    assert other.symmetric == (mode == "foot")
