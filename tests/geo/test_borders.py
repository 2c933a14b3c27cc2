"""Units that share borders."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box
from tests.geo.counties import counties, published

from territory.geo.borders import readable_units, representative_points, shared_borders


def borders(shapes):
    """Return the length (km, rounded) of what each pair shares."""
    found = shared_borders(shapes)
    return {tuple(p): round(x / 1000) for p, x in zip(found.pairs.tolist(), found.length_m.tolist(), strict=True)}


def test_sides_have_a_length_and_corners_none():
    assert borders([box(0, 0, 1, 1), box(1, 0, 2, 1), box(1, 1, 2, 2)]) == {(0, 1): 111, (0, 2): 0, (1, 2): 111}


def test_an_enclave_borders_on_what_is_around_it():
    ring = Polygon(box(0, 0, 3, 3).exterior, [box(1, 1, 2, 2).exterior.coords])
    assert borders([ring, box(1, 1, 2, 2)]) == {(0, 1): 445}


def test_parts_add_up():
    two = MultiPolygon([box(0, 0, 1, 1), box(2, 0, 3, 1)])
    assert borders([two, box(1, 0, 2, 1)]) == {(0, 1): 222}


def test_a_border_need_not_have_the_same_corners_on_both_sides():
    assert borders([box(0, 0, 1, 2), box(1, 0, 2, 1), box(1, 1, 2, 2)]) == {(0, 1): 111, (0, 2): 111, (1, 2): 111}


def test_units_that_overlap_are_told():
    found = shared_borders([box(0, 0, 1, 1), box(0.9, 0, 2, 1), box(2, 0, 3, 1)])
    assert found.overlapping.tolist() == [True, False]
    assert found.length_m[0] == pytest.approx(122_000, rel=0.01)
    same = shared_borders([box(0, 0, 1, 1)] * 2)
    assert same.overlapping.tolist() == [True]
    # a hair's breadth is rounding
    hair = shared_borders([box(0, 0, 1, 1), box(1 - 1e-9, 0, 2, 1)])
    assert (hair.overlapping.tolist(), hair.length_m.round(-3).tolist()) == ([False], [111_000.0])


def test_a_gap_within_the_tolerance_is_none():
    # corners of both sides agree, but a line is bent on one of them: half a metre apart, and in places over it
    bent = Polygon([(1, 0), (2, 0), (2, 1), (1, 1), (1 + 4e-6, 0.75), (1 + 4e-6, 0.25)])
    apart = box(1 + 4e-6, 0, 2, 1)
    for shape in (bent, apart):
        found = shared_borders([box(0, 0, 1, 1), shape], tolerance_m=1.0)
        assert found.length_m == pytest.approx([111_195], rel=1e-3)
        assert not found.overlapping.any()
    assert len(shared_borders([box(0, 0, 1, 1), apart]).pairs) == 0
    # a corner stays a corner
    assert borders([box(0, 0, 1, 1), box(1, 1, 2, 2)]) == {(0, 1): 0}
    near = shared_borders([box(0, 0, 1, 1), box(1 + 2e-6, 1 + 2e-6, 2, 2)], tolerance_m=1.0)
    assert (near.pairs.tolist(), near.length_m.tolist()) == ([[0, 1]], [0])


def test_units_on_both_sides_of_the_antimeridian_touch():
    assert borders([box(179, 0, 180, 1), box(-180, 0, -179, 1), box(-179, 0, -178, 1)]) == {(0, 1): 111, (1, 2): 111}
    both = MultiPolygon([box(179, 0, 180, 1), box(-180, 0, -179, 1)])
    assert borders([both, box(178, 0, 179, 1)]) == {(0, 1): 111}


def test_none_and_one():
    assert borders([]) == {}
    assert borders([box(0, 0, 1, 1)]) == {}


def test_bow_ties_are_repaired_and_named():
    shapes = np.array([box(0, 0, 1, 1), Polygon([(0, 5), (1, 6), (1, 5), (0, 6)])], dtype=object)
    problems = []
    polygons, [note] = readable_units(shapes, problems)
    assert not problems
    assert (note.code, note.rows) == ("repaired-units", (1,))
    assert polygons[1].area == pytest.approx(0.5)
    assert shapely.is_valid(polygons).all()


def test_what_has_no_ground_is_refused():
    shapes = np.array([None, Polygon(), Point(1, 1), LineString([(0, 0), (1, 1)]), box(0, 0, 1, 1)], dtype=object)
    problems = []
    readable_units(shapes, problems)
    assert {p.code: p.rows for p in problems} == {"no-geometry": (0, 1), "not-polygons": (2, 3)}


def test_a_unit_over_the_antimeridian_is_cut():
    shapes = np.array([Polygon([(179, 0), (-179, 0), (-179, 1), (179, 1)])], dtype=object)
    [polygon], _ = readable_units(shapes, [])
    assert polygon.bounds[::2] == (-180, 180)
    [[lon, _]] = representative_points(np.array([polygon]))
    assert 179 <= abs(lon) <= 180


def test_the_place_of_a_unit_is_inside_it():
    horseshoe = Polygon([(0, 0), (3, 0), (3, 3), (2, 3), (2, 1), (1, 1), (1, 3), (0, 3)])
    parts = MultiPolygon([box(10, 10, 10.1, 10.1), horseshoe])
    for place, shape in zip(representative_points(np.array([horseshoe, parts])), (horseshoe, horseshoe), strict=True):
        assert shape.contains(Point(place))


def test_the_counties_of_the_usa_have_the_published_neighbours(real_data):
    ids, shapes = counties(real_data)
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    problems = []
    polygons, [repaired] = readable_units(array, problems)
    # Falls Church is too small for this map
    [nothing] = problems
    assert [ids[i] for i in nothing.rows] == ["51610"]
    found = shared_borders(polygons, tolerance_m=1.0)
    mine = {
        tuple(sorted((ids[i], ids[j]))): x / 1000
        for (i, j), x in zip(found.pairs.tolist(), found.length_m.tolist(), strict=True)
        if x > 0
    }
    theirs = {tuple(sorted(pair)): km for pair, km in published(real_data).items()}
    apart = {pair: theirs.get(pair, mine.get(pair)) for pair in set(mine) ^ set(theirs)}
    # of 8,944 those that hang on spikes without ground, which repairing takes away
    assert len([p for p in apart if "51610" not in p]) <= 3
    assert all(km < 0.5 for pair, km in apart.items() if "51610" not in pair)
    assert repaired.count == 22
    both = sorted(set(mine) & set(theirs))
    ratio = np.array([mine[p] for p in both]) / np.array([theirs[p] for p in both])
    assert np.median(ratio) == pytest.approx(1, abs=1e-3)
    assert np.mean(np.abs(ratio - 1) < 0.02) > 0.99
