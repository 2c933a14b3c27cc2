"""Barriers between neighbours."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from shapely import LineString, MultiLineString, Point, Polygon, box

from territory.errors import InputError
from territory.geo.barriers import great_circle_lines, read_barriers, touched
from territory.geo.contiguity import graph_of_points
from territory.geo.sphere import great_circle_m, unit_vectors
from territory.testing import ascii_map


def joined(lon, lat, barriers, **options):
    """Return the edges between points past barriers."""
    return graph_of_points(lon, lat, barriers=read_barriers(barriers), **options).edges.tolist()


RIVER = LineString([(10.5, -1), (10.5, 1)])


def test_an_edge_over_a_line_is_cut():
    assert joined([10, 11, 12], [0, 0, 0], RIVER) == [[1, 2]]
    assert joined([10, 11, 12], [0, 0, 0], LineString([(10.5, 1), (10.5, 2)])) == [[0, 1], [1, 2]]


def test_a_ring_of_water_cuts_and_so_does_its_middle():
    lake = box(10.4, -1, 10.6, 1)
    assert joined([10, 11], [0, 0], lake) == []
    around = Polygon([(9, -2), (13, -2), (13, 2), (9, 2)], [[(9.5, -1), (12.5, -1), (12.5, 1), (9.5, 1)]])
    # who lives in the hole of a ring is not in the ring
    assert joined([10, 11], [0, 0], around) == [[0, 1]]


def test_bridges_cross():
    graph = graph_of_points([10, 11, 12], [0, 0, 0], barriers=(RIVER,), bridges=[(0, 2)])
    assert graph.edges.tolist() == [[0, 2], [1, 2]]


@pytest.mark.parametrize("turn", [0.0, 180.0, -180.0, 359.9])
@pytest.mark.parametrize("shift", [0.0, 360.0, -360.0])
def test_the_antimeridian_is_nothing_special(turn, shift):
    def wrapped(x):
        return (np.asarray(x) + turn + 180.0) % 360.0 - 180.0

    lon, lat = wrapped([-0.5, 0.5, -0.6, 0.6]), np.array([10.0, 10.0, 11.0, 11.0])
    wall = LineString([(turn + shift - 0.01, 8), (turn + shift + 0.01, 13)])
    if np.abs(shapely.bounds(wall)[[0, 2]]).max() > 360:
        return
    assert joined(lon, lat, wall) == [[0, 2], [1, 3]]


def test_a_barrier_may_cross_the_antimeridian():
    lon, lat = [179.5, 179.5], [10, 12]
    assert joined(lon, lat, LineString([(178, 11), (-178, 11)])) == []
    assert joined([-179.5, -179.5], lat, LineString([(178, 11), (-178, 11)])) == []
    assert joined([0.5, 0.5], lat, LineString([(178, 11), (-178, 11)])) == [[0, 1]]
    strip = Polygon([(178, 10.9), (-178, 10.9), (-178, 11.1), (178, 11.1)])
    assert joined(lon, lat, strip) == []
    assert joined([0.5, 0.5], lat, strip) == [[0, 1]]


def test_an_edge_is_a_great_circle_not_a_straight_line_on_the_map():
    # from 0 E to 40 E at 60 N the great circle climbs to 61.5 N
    assert great_circle_m(0, 60, 20, 61.52) == pytest.approx(great_circle_m(20, 61.52, 40, 60))
    above, on_the_map = box(19, 61.3, 21, 61.7), box(19, 59.9, 21, 60.1)
    assert joined([0, 40], [60, 60], above) == []
    assert joined([0, 40], [60, 60], on_the_map) == [[0, 1]]


def test_lines_keep_to_the_great_circle():
    rng = np.random.default_rng(0)
    start = np.stack([rng.uniform(-180, 180, 50), rng.uniform(-80, 80, 50)], axis=1)
    end = start + rng.uniform(-3, 3, (50, 2))
    for line, a, b in zip(great_circle_lines(start, end), start, end, strict=True):
        coords = shapely.get_coordinates(shapely.segmentize(line, 0.01))
        normal = np.cross(unit_vectors(*a), unit_vectors(*b))
        off = unit_vectors(*coords.T) @ (normal / np.linalg.norm(normal)) * 6_371_008.8
        assert np.abs(off).max() < 1.5
        assert np.abs(np.diff(coords[:, 0])).max() < 5


def test_lines_of_no_length_and_antipodes():
    lines = great_circle_lines(np.array([[10.0, 5.0], [0.0, 0.0]]), np.array([[10.0, 5.0], [180.0, 0.0]]))
    assert np.isfinite(shapely.get_coordinates(lines)).all()
    assert len(great_circle_lines(np.empty((0, 2)), np.empty((0, 2)))) == 0
    assert touched(np.empty(0, dtype=object), (RIVER,)).tolist() == []


def test_who_stands_on_a_barrier_hangs_on_the_nearest():
    lake = box(10.4, -1, 11.1, 1)
    graph = graph_of_points([10, 11.05, 12], [0, 0, 0], barriers=(lake,))
    assert graph.edges.tolist() == [[1, 2]]
    [note] = graph.diagnostics
    assert (note.code, note.count, note.rows) == ("on-barrier", 1, (1,))
    # who has only others in the water is alone
    assert graph_of_points([10.5, 11], [0, 0], barriers=(lake,)).n_components == 2


def test_a_wall_of_cells_lets_nobody_through_not_even_in_the_corners():
    picture = ascii_map("""
        AAA#BB
        AA#BBB
        A#BBBB
    """)
    graph = picture.graph("delaunay")
    assert (graph.component == picture.expected).all()


def test_cutting_is_what_shapely_says_edge_by_edge():
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(10, 11, 80), rng.uniform(-0.5, 0.5, 80)
    walls = [LineString(rng.uniform([10, -0.5], [11, 0.5], (2, 2))) for _ in range(6)]
    kept = {tuple(e) for e in joined(lon, lat, walls)}
    for i, j in graph_of_points(lon, lat).edges.tolist():
        # at the equator a degree is straight
        free = not any(wall.intersects(LineString([(lon[i], lat[i]), (lon[j], lat[j])])) for wall in walls)
        assert ((i, j) in kept) == free


def test_all_forms_are_the_same_barrier():
    gpd = pytest.importorskip("geopandas")
    frame = gpd.GeoDataFrame({"name": ["river"]}, geometry=[RIVER], crs="EPSG:4326")
    collection = json.loads(frame.to_json())
    forms = [
        RIVER, [RIVER], MultiLineString([RIVER]), shapely.GeometryCollection([MultiLineString([RIVER])]), frame,
        frame.geometry, frame.to_crs("EPSG:3857"), collection, collection["features"][0],
        collection["features"][0]["geometry"], [RIVER, None, Polygon()], np.array([RIVER], dtype=object),
        shapely.force_3d(RIVER),
    ]  # fmt: skip
    for form in forms:
        [found] = read_barriers(form)
        assert shapely.equals_exact(found, RIVER, 1e-9)
    assert read_barriers(None) == ()
    assert read_barriers([]) == ()


@pytest.mark.parametrize(("given", "code"), [
    (Point(1, 1), "not-a-barrier"),
    ("river", "not-a-geometry"),
    (7, "not-a-geometry"),
    ([RIVER, "river"], "not-a-geometry"),
    ({"type": "Circle"}, "not-a-geometry"),
    (LineString([(500_000, 5_800_000), (501_000, 5_800_000)]), "looks-projected"),
    (LineString([(52, 113), (53, 114)]), "lat-out-of-range"),
    ({"type": "FeatureCollection", "features": [], "crs": {"properties": {"name": "EPSG:3857"}}}, "unknown-crs"),
])  # fmt: skip
def test_what_is_no_barrier_is_refused(given, code):
    with pytest.raises(InputError) as caught:
        read_barriers(given)
    assert caught.value.codes == (code,)


def test_a_frame_without_a_coordinate_system_is_refused():
    gpd = pytest.importorskip("geopandas")
    with pytest.raises(InputError, match="coordinate system"):
        read_barriers(gpd.GeoDataFrame(geometry=[RIVER]))
