from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import QhullError

from territory.geo import adjacency
from territory.geo.adjacency import co_located, fragments, label_adjacency, n_fragments, point_adjacency
from territory.geo.sphere import unit_vectors

KINDS = ["delaunay", "gabriel"]
# a coarse grid: many duplicates, lines and circles
GRID = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=0, max_size=40)


def edge_set(edges):
    return set(map(tuple, edges.tolist()))


def n_parts(n, edges):
    return len(np.unique(fragments(np.zeros(n, dtype=int), edges)))


def check_shape(n, edges):
    assert edges.dtype == np.int32
    assert edges.shape == (len(edges), 2)
    assert (edges[:, 0] < edges[:, 1]).all()
    keys = edges[:, 0].astype(np.int64) * max(n, 1) + edges[:, 1]
    assert (np.diff(keys) > 0).all()


@pytest.mark.parametrize("kind", KINDS)
@given(places=GRID, scale=st.sampled_from([1e-6, 0.01, 1.0, 25.0]), turn=st.sampled_from([0.0, 180.0]))
def test_any_points_are_connected(kind, places, scale, turn):
    lon, lat = scale * np.array(places, dtype=float).reshape(-1, 2).T
    edges = point_adjacency(lon + turn, lat, kind=kind)
    check_shape(len(places), edges)
    if places:
        assert n_parts(len(places), edges) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [
        ([], [], []),
        ([3.0], [4.0], []),
        ([3.0, 4.0], [4.0, 4.0], [(0, 1)]),
        ([3.0, 3.0], [4.0, 4.0], [(0, 1)]),
        # on a meridian, out of order
        ([7.0] * 4, [50.0, 53.0, 51.0, 52.0], [(0, 2), (1, 3), (2, 3)]),
        # on the equator, across the antimeridian
        ([179.0, -179.0, 180.0], [0.0] * 3, [(0, 2), (1, 2)]),
        # over the pole
        ([0.0, 180.0, 55.0], [89.0, 89.0, 90.0], [(0, 2), (1, 2)]),
    ],
)
def test_few_and_collinear_points(kind, lon, lat, expected):
    assert edge_set(point_adjacency(lon, lat, kind=kind)) == set(expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bend", [0.0, 1e-15, 1e-12, 1e-9, 1e-6])
def test_nearly_collinear_points_are_connected(kind, bend):
    lon = np.linspace(5.0, 6.0, 50)
    lat = 0.3 * lon + bend * np.random.default_rng(0).normal(size=50)
    edges = point_adjacency(lon, lat, kind=kind)
    assert n_parts(50, edges) == 1
    consecutive = {(i, i + 1) for i in range(49)}
    assert consecutive <= edge_set(edges)


@pytest.mark.parametrize("kind", KINDS)
def test_all_coincident_points_are_connected_with_few_edges(kind):
    edges = point_adjacency([8.0] * 1000, [50.0] * 1000, kind=kind)
    assert n_parts(1000, edges) == 1
    assert len(edges) < 4 * 1000


def test_points_a_millimetre_apart_are_connected():
    rng = np.random.default_rng(3)
    lon = np.concatenate([rng.uniform(0, 1, 50), 0.5 + rng.uniform(0, 2e-8, 50)])
    lat = np.concatenate([rng.uniform(0, 1, 50), 0.5 + rng.uniform(0, 2e-8, 50)])
    assert n_parts(100, point_adjacency(lon, lat)) == 1


def brute_force(lon, lat):
    """Delaunay edges by definition: some circle through both holds no other point; Gabriel: the smallest one."""
    points = unit_vectors(lon, lat)
    far_side = -points.mean(axis=0) / np.linalg.norm(points.mean(axis=0))
    delaunay, gabriel = set(), set()
    for i, j, k in itertools.permutations(range(len(points)), 3):
        # the plane through three points cuts the sphere in their circle
        normal = np.cross(points[j] - points[i], points[k] - points[i])
        # of its two sides, the one away from the far side of the globe
        normal *= np.sign((points[i] - far_side) @ normal)
        others = np.delete(np.arange(len(points)), [i, j, k])
        if (points[others] @ normal <= points[i] @ normal).all():
            delaunay |= {(min(a, b), max(a, b)) for a, b in ((i, j), (j, k), (i, k))}
    for i, j in itertools.combinations(range(len(points)), 2):
        middle = points[i] + points[j]
        others = np.delete(np.arange(len(points)), [i, j])
        if (points[others] @ middle <= points[i] @ middle).all():
            gabriel.add((i, j))
    return delaunay, gabriel


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("width", [0.01, 5.0, 60.0])
def test_against_the_definition(seed, width):
    rng = np.random.default_rng(seed)
    lon, lat = 175 + rng.uniform(-width, width, 12), rng.uniform(-width, width, 12)
    delaunay, gabriel = brute_force(lon, lat)
    assert edge_set(point_adjacency(lon, lat)) == delaunay
    assert edge_set(point_adjacency(lon, lat, kind="gabriel")) == gabriel


@settings(max_examples=30)
@given(st.permutations(range(25)))
def test_the_order_of_points_does_not_matter(order):
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(0, 1, 25), rng.uniform(0, 1, 25)
    order = np.array(order)
    permuted = order[point_adjacency(lon[order], lat[order])]
    assert {(min(e), max(e)) for e in permuted.tolist()} == edge_set(point_adjacency(lon, lat))


def test_gabriel_cuts_the_long_edges_of_the_hull():
    """A shallow bay: the triangulation joins its headlands, Gabriel sees the coast in between."""
    lon = [0.0, 1.0, 2.0, 3.0, 4.0, 2.0]
    lat = [0.0, -0.3, -0.4, -0.3, 0.0, -3.0]
    assert (0, 4) in edge_set(point_adjacency(lon, lat))
    assert (0, 4) not in edge_set(point_adjacency(lon, lat, kind="gabriel"))


def test_co_located_points_see_all_their_neighbours():
    lon, lat = [0.0, 1.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0]
    assert edge_set(point_adjacency(lon, lat)) == {(0, 1), (0, 2), (1, 2), (1, 3)}


def test_co_located():
    lon = [10.0, 180.0, 5.0, -180.0, 77.0, 10.0]
    lat = [50.0, 0.0, 90.0, 0.0, 90.0, 50.0]
    assert co_located(lon, lat).tolist() == [0, 1, 2, 1, 2, 0]
    assert co_located([], []).tolist() == []


def test_fragments_by_hand():
    edges = np.array([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)], dtype=np.int32)
    assert fragments([0, 0, 1, 0, -1, -1], edges).tolist() == [0, 0, 1, 2, -1, -1]
    assert n_fragments([0, 0, 1, 0, -1, -1], edges, 3).tolist() == [2, 1, 0]
    assert fragments([], np.empty((0, 2), dtype=np.int32)).tolist() == []
    assert n_fragments([-1], np.empty((0, 2), dtype=np.int32), 2).tolist() == [0, 0]


def search_parts(labels, edges):
    """Connected parts by plain search, as sets of points."""
    near = {i: set() for i in range(len(labels))}
    for a, b in edges.tolist():
        near[a].add(b)
        near[b].add(a)
    left = {i for i, label in enumerate(labels) if label >= 0}
    parts = set()
    while left:
        part, front = set(), [next(iter(left))]
        while front:
            i = front.pop()
            if i not in part:
                part.add(i)
                front += [j for j in near[i] if labels[j] == labels[i]]
        left -= part
        parts.add(frozenset(part))
    return parts


@given(hnp.arrays(int, 30, elements=st.integers(-1, 2)), st.integers(0, 10))
def test_fragments_against_plain_search(labels, seed):
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.integers(0, 30, (40, 2)), axis=1)
    found = fragments(labels, edges)
    parts = {frozenset(np.flatnonzero(found == part).tolist()) for part in np.unique(found[found >= 0])}
    assert parts == search_parts(labels.tolist(), edges)
    firsts = [int(np.flatnonzero(found == part)[0]) for part in range(found.max(initial=-1) + 1)]
    assert firsts == sorted(firsts)


def test_crowded_sites_hang_together_when_sites_are_given():
    """Fifty customers at one postcode, shared by two territories that both go on next door."""
    lon, lat = np.array([0.0] * 50 + [1.0, -1.0]), np.zeros(52)
    labels = np.array([0] * 25 + [1] * 25 + [0, 1])
    edges, sites = point_adjacency(lon, lat), co_located(lon, lat)
    assert n_fragments(labels, edges, 2, sites=sites).tolist() == [1, 1]
    # without, the points of territory 1 hang on those that stand for the site, which are of territory 0
    assert n_fragments(labels, edges, 2)[1] > 1
    assert fragments([], np.empty((0, 2), dtype=np.int32), sites=np.empty(0, dtype=np.int32)).tolist() == []


@given(hnp.arrays(int, 30, elements=st.integers(-1, 2)), st.integers(0, 20))
def test_fragments_with_sites_against_plain_search(labels, seed):
    rng = np.random.default_rng(seed)
    lon, lat = rng.integers(0, 4, 30).astype(float), rng.integers(0, 3, 30).astype(float)
    edges, sites = point_adjacency(lon, lat), co_located(lon, lat)
    near = {tuple(sorted(pair)) for pair in sites[edges].tolist()}
    full = [
        (a, b)
        for a, b in itertools.combinations(range(30), 2)
        if sites[a] == sites[b] or tuple(sorted((sites[a], sites[b]))) in near
    ]
    found = fragments(labels, edges, sites=sites)
    parts = {frozenset(np.flatnonzero(found == part).tolist()) for part in np.unique(found[found >= 0])}
    assert parts == search_parts(labels.tolist(), np.array(full))


def test_label_adjacency():
    edges = np.array([(0, 1), (1, 2), (2, 3), (0, 3)], dtype=np.int32)
    assert label_adjacency([2, 2, 0, -1], edges).tolist() == [[0, 2]]
    assert label_adjacency([1, 1, 1, 1], edges).shape == (0, 2)


def test_where_qhull_gives_up_points_are_chained(monkeypatch):
    def refuse(_points):
        raise QhullError("QH6154 initial simplex is flat")

    monkeypatch.setattr("scipy.spatial.Delaunay", refuse)
    edges = point_adjacency([0.0, 2.0, 1.0, 3.0], [0.0, 0.1, 0.1, 0.0])
    assert edge_set(edges) == {(0, 2), (1, 2), (1, 3)}


def test_parts_that_rounding_has_kept_apart_are_joined():
    xy = np.array([[0.0, 0.0], [1.0, 0.1], [5.0, 0.0], [6.0, 0.1]])
    joined = adjacency._connected(np.array([(0, 1), (2, 3)]), xy)
    assert edge_set(joined) in ({(0, 1), (2, 3), (1, 2)}, {(0, 1), (2, 3), (2, 1)})
