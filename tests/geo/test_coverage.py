from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.geo.adjacency import co_located
from territory.geo.coverage import dissolved_units, points_inside, simplified_coverage, snapped_coverage
from territory.geo.extent import area_m2, perimeter_m
from territory.geo.polygons import outline, territory_polygons
from territory.geo.rings import cut_antimeridian


def check_coverage(polygons):
    """On the grid, on the map, valid, oriented; every common border has the same corners on both sides."""
    there = [p for p in polygons if not p.is_empty]
    assert all(p.is_valid for p in there)
    assert shapely.coverage_is_valid(np.array(there, dtype=object))
    xy = shapely.get_coordinates(there)
    assert np.array_equal(np.round(xy, 7), xy)
    assert np.abs(xy[:, 0]).max() <= 180
    assert np.abs(xy[:, 1]).max() <= 90
    assert all(part.exterior.is_ccw for p in there for part in shapely.get_parts(p))


def check_lines(polygons):
    """Each edge stands at most twice, and then once in each direction: exact, and told by no library."""
    seen: dict[tuple[float, ...], int] = {}
    for p in polygons:
        for part in shapely.get_parts(shapely.orient_polygons(p)):
            for ring in shapely.get_rings(part):
                xy = shapely.get_coordinates(ring).tolist()
                for a, b in itertools.pairwise(xy):
                    seen[*a, *b] = seen.get((*a, *b), 0) + 1
    assert set(seen.values()) <= {1}
    return {edge for edge in seen if (*edge[2:], *edge[:2]) in seen}


def total(polygons):
    return sum(area_m2(p) for p in polygons)


def alone(lon, lat, labels):
    """Tell which points share their spot with no other label."""
    site = co_located(lon, lat)
    few, many = np.full(len(site), 99), np.full(len(site), -99)
    np.minimum.at(few, site, labels)
    np.maximum.at(many, site, labels)
    return (few == many)[site]


@st.composite
def customers(draw):
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    middle = draw(st.sampled_from([(10.0, 50.0), (180.0, -17.0), (-179.99, 66.0), (0.0, 0.0), (25.0, 85.0)]))
    size = draw(st.sampled_from([0.01, 1.0, 4.0]))
    lon, lat = middle[0] + rng.normal(0, size, n), np.clip(middle[1] + rng.normal(0, size, n), -89, 89)
    if draw(st.booleans()):
        lon[n // 2 :], lat[n // 2 :] = lon[: n - n // 2], lat[: n - n // 2]  # as many spots are shared
    k = draw(st.integers(1, n))
    labels = rng.integers(0, k, n)
    return (lon + 180) % 360 - 180, lat, labels


@settings(max_examples=60, deadline=None)
@given(customers(), st.sampled_from([0.0, 10.0, 3_000.0, 100_000.0]))
def test_a_partition_with_exact_borders(made, simplify_m):
    lon, lat, labels = made
    ground = outline(lon, lat)
    exact = territory_polygons(lon, lat, labels)
    check_coverage(exact)
    assert total(exact) == pytest.approx(area_m2(ground), rel=1e-4)
    drawn = territory_polygons(lon, lat, labels, simplify_m=simplify_m)
    check_coverage(drawn)
    assert sum(map(shapely.get_num_coordinates, drawn)) <= sum(map(shapely.get_num_coordinates, exact))
    union = shapely.union_all(drawn)
    assert sum(p.area for p in drawn) == pytest.approx(union.area, rel=1e-9)
    kept = points_inside(exact, lon, lat, labels)
    assert kept[alone(lon, lat, labels)].all()
    assert points_inside(drawn, lon, lat, labels)[kept].all()


@settings(max_examples=30, deadline=None)
@given(customers(), st.integers(0, 3))
def test_a_boundary_is_filled_exactly(made, kind):
    lon, lat, labels = made
    ground = outline(lon, lat)
    if kind == 1:  # much wider
        west, south, east, north = shapely.box(lon.min() - 2, max(lat.min() - 2, -90), lon.max() + 2, 89).bounds
        ground = shapely.box(west, south, east, north) if east - west < 90 else ground
    elif kind == 2:  # a part only
        ground = shapely.union_all([ground, shapely.Point(lon[0], lat[0]).buffer(0.5)]).buffer(0)
    elif kind == 3 and ground.area > 0.1:  # with a hole
        spot = ground.representative_point()
        ground = ground.difference(spot.buffer(0.05))
    ground = cut_antimeridian(ground)
    polygons = territory_polygons(lon, lat, labels, boundary=ground)
    check_coverage(polygons)
    assert total(polygons) == pytest.approx(area_m2(ground), rel=1e-6, abs=0.01 * perimeter_m(ground))
    union = shapely.union_all(polygons)
    assert union.symmetric_difference(ground).area <= 1e-6 * (ground.length + ground.area)


def test_borders_keep_their_corners_after_simplification():
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(9, 10, 800), rng.uniform(50, 51, 800)
    labels = (3 * (lon - 9)).astype(int) * 3 + (3 * (lat - 50)).astype(int)
    exact = territory_polygons(lon, lat, labels, boundary=shapely.box(9, 50, 10, 51))
    simple = territory_polygons(lon, lat, labels, boundary=shapely.box(9, 50, 10, 51), simplify_m=5_000)
    for polygons in (exact, simple):
        check_coverage(polygons)
        assert check_lines(polygons)
        assert points_inside(polygons, lon, lat, labels).all()
    assert len(check_lines(simple)) < 0.7 * len(check_lines(exact))
    # every corner is one that was there before: nothing was moved
    before = {tuple(xy) for xy in shapely.get_coordinates(exact).tolist()}
    assert {tuple(xy) for xy in shapely.get_coordinates(simple).tolist()} <= before


def test_an_exclave_and_a_hole():
    x, y = np.meshgrid(np.arange(7) / 10, np.arange(7) / 10)
    lon, lat = 10 + x.ravel(), 50 + y.ravel()
    labels = np.where(np.hypot(x - 0.3, y - 0.3).ravel() < 0.11, 1, 0)  # a plus in the middle
    labels[0] = 1  # and a corner
    for simplify_m in (0.0, 2_000.0, 50_000.0):
        inner = territory_polygons(lon, lat, labels, simplify_m=simplify_m)
        check_coverage(inner)
        assert len(shapely.get_parts(inner[1])) == 2
        assert len(inner[0].interiors) == 1
        assert points_inside(inner, lon, lat, labels).all()


@pytest.mark.parametrize("simplify_m", [0.0, 100_000.0])
@pytest.mark.parametrize("lat", [88.0, -88.0])
def test_around_a_pole(lat, simplify_m):
    lon = np.arange(-180.0, 180.0, 30.0)
    labels = np.arange(12) // 4
    ground = shapely.box(-180, 80, 180, 90) if lat > 0 else shapely.box(-180, -90, 180, -80)
    polygons = territory_polygons(lon, np.full(12, lat), labels, boundary=ground, simplify_m=simplify_m)
    check_coverage(polygons)
    assert total(polygons) == pytest.approx(area_m2(ground), rel=1e-9)
    areas = [area_m2(p) for p in polygons]
    assert max(areas) < 1.01 * min(areas)
    assert points_inside(polygons, lon, np.full(12, lat), labels).all()
    # and one that has the pole itself
    lon, lats = np.append(lon, 0.0), np.append(np.full(12, lat), np.sign(lat) * 90)
    ring = territory_polygons(lon, lats, np.append(np.zeros(12, int), 1), boundary=ground)
    check_coverage(ring)
    assert total(ring) == pytest.approx(area_m2(ground), rel=1e-9)
    assert ring[1].covers(shapely.Point(100.0, np.sign(lat) * 89.9))


@pytest.mark.parametrize("lon", [[10.0] * 6, [10.0, 10.1, 10.2, 10.3, 10.4, 10.5]])
@pytest.mark.parametrize("labels", [[0] * 6, [0, 0, 0, 1, 1, 1], [0, 1, 2, 3, 4, 5], [0, 1, 0, 1, 0, 1]])
def test_all_on_a_line_one_territory_and_one_each(lon, labels):
    lat = 50 + 0.1 * np.arange(6) * (lon[0] == lon[1])
    for simplify_m in (0.0, 1_000.0):
        polygons = territory_polygons(lon, lat, labels, simplify_m=simplify_m)
        check_coverage(polygons)
        assert points_inside(polygons, lon, lat, labels).all()
    assert total(territory_polygons(lon, lat, labels)) == pytest.approx(area_m2(outline(lon, lat)), rel=1e-6)


def test_the_globe_itself_can_be_shared():
    lon, lat = np.array([-100, 20, 110, 140, -60, 30.0]), np.array([40, 50, 30, -30, -20, -10.0])
    world = shapely.box(-180, -90, 180, 90)
    polygons = territory_polygons(lon, lat, np.arange(6), boundary=world)
    check_coverage(polygons)
    assert total(polygons) == pytest.approx(area_m2(world), rel=1e-9)
    assert points_inside(polygons, lon, lat, np.arange(6)).all()


def test_gaps_and_overlaps_are_dealt_out():
    a, b, c = shapely.box(0, 0, 1, 1), shapely.box(0.9, 0, 2, 1), shapely.box(2.1, 0, 3, 1)
    ground = shapely.box(0, 0, 3, 1)
    polygons = snapped_coverage([a, b, shapely.Polygon(), c], ground)
    check_coverage(list(map(shapely.orient_polygons, polygons)))
    assert [round(p.area, 6) for p in polygons] == [
        1.0,
        pytest.approx(1.0, abs=0.11),
        0.0,
        pytest.approx(0.9, abs=0.11),
    ]
    assert sum(p.area for p in polygons) == pytest.approx(3.0)
    assert snapped_coverage([]) == []


def test_units_are_dissolved():
    grid = [shapely.box(x, y, x + 1, y + 1) for x in range(4) for y in range(3)]
    labels = [0, 0, 1, 0, 2, 1, 1, 1, 1, -1, 0, 0]
    polygons, repaired, clash = dissolved_units(grid, labels, 4)
    assert (repaired, clash) == ([], [])
    assert [p.area for p in polygons] == [5.0, 5.0, 1.0, 0.0]
    assert len(shapely.get_parts(polygons[0])) == 2
    for label, unit in zip(labels, grid, strict=True):
        assert label < 0 or polygons[label].covers(unit)


def test_units_that_are_faulty():
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    polygons, repaired, clash = dissolved_units(
        [bow_tie, shapely.box(1, 0, 2, 1), shapely.box(1.5, 0, 3, 1)], [0, 1, 2], 3
    )
    assert repaired == [0]
    assert clash == [1, 2]
    check_coverage([shapely.orient_polygons(p) for p in polygons])
    assert [p.area for p in polygons] == pytest.approx([0.5, 1.0, 1.0])
    fiji, _, _ = dissolved_units([shapely.box(179, -18, 181, -17), shapely.box(177, -18, 179, -17)], [0, 0], 1)
    assert fiji[0].bounds == (-180.0, -18.0, 180.0, -17.0)
    assert fiji[0].area == pytest.approx(4.0)
    assert dissolved_units([], [], 2)[0] == [shapely.Polygon()] * 2


def test_a_customer_keeps_its_bulge():
    """A border of teeth: flat, but for the one with the customer in its tip."""
    y = np.linspace(0, 0.1, 41)
    x = 10.05 + np.where(np.arange(41) % 2, 0.002, -0.002)
    border = np.stack([x, y], axis=1)
    west = shapely.Polygon([(10, 0), *border.tolist(), (10, 0.1)])
    east = shapely.Polygon([(10.1, 0), *border.tolist(), (10.1, 0.1)])
    exact = snapped_coverage([west, east])
    free = simplified_coverage(exact, 1_000, [], [], [])
    assert sum(map(shapely.get_num_coordinates, free)) <= 12
    lon, lat = [x[11] - 0.0002], [y[11]]
    assert not points_inside(free, lon, lat, [0])[0]
    kept = simplified_coverage(exact, 1_000, lon, lat, [0])
    assert points_inside(kept, lon, lat, [0])[0]
    assert sum(map(shapely.get_num_coordinates, kept)) <= 16
    assert not any(p.interiors for p in kept)


@pytest.mark.parametrize("seed", range(4))
def test_neighbours_of_one_building_far_from_the_next(seed):
    """Customers a metre apart, of different territories: their cells are needles of many kilometres."""
    rng = np.random.default_rng(seed)
    lon = np.repeat(rng.uniform(5, 12, 12), 4) + rng.normal(0, 3e-5, 48)
    lat = np.repeat(rng.uniform(47, 54, 12), 4) + rng.normal(0, 3e-5, 48)
    labels = rng.integers(0, 5, 48)
    for simplify_m in (0.0, 2_000.0):
        polygons = territory_polygons(lon, lat, labels, simplify_m=simplify_m)
        check_coverage(polygons)
        assert points_inside(polygons, lon, lat, labels).all()
