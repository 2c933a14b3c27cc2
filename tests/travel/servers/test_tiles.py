"""Questions in parts: each leg once, and no part too large."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from territory.model.places import PlaceKind, Places
from territory.travel.servers.tiles import Points, pair_chunks, point_of, tiles


@given(st.integers(0, 40), st.integers(0, 40), st.integers(2, 25), st.integers(1, 200))
def test_tiles_cover_a_table_once(n_rows, n_columns, most_points, most_cells):
    def widest(rows):
        return min(most_points - rows, most_cells // rows)

    count = np.zeros((n_rows, n_columns), dtype=int)
    for tile in tiles(n_rows, n_columns, widest):
        count[np.ix_(tile.rows, tile.columns)] += 1
        assert len(tile.rows) + len(tile.columns) <= most_points
        assert len(tile.rows) * len(tile.columns) <= most_cells
    assert (count == 1).all()


def test_tiles_are_few():
    assert len(tiles(200, 200, lambda rows: 96 - rows)) == 20
    assert len(tiles(1, 1_000, lambda rows: 96 - rows)) == 11
    assert len(tiles(1_000, 1, lambda rows: 96 - rows)) == 11
    assert len(tiles(48, 48, lambda rows: 96 - rows)) == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40), st.integers(2, 8), st.integers(1, 20))
def test_chunks_of_pairs_are_small(pairs, most_points, most_cells):
    def fits(rows, columns, points):
        return points <= most_points and rows * columns <= most_cells

    start, end = [("0", str(a)) for a, _ in pairs], [("0", str(b)) for _, b in pairs]
    chunks = pair_chunks(start, end, fits)
    assert [at for chunk in chunks for at in chunk] == list(range(len(pairs)))
    for chunk in chunks:
        first, second = {start[at] for at in chunk}, {end[at] for at in chunk}
        assert fits(len(first), len(second), len(first | second))


def test_points_are_rounded_and_asked_once():
    lon, lat = [9.1234564, 9.12345649, -1e-9, 9.1234564], [47.0, 47.0, -0.0, 47.0]
    points = Points(Places.of(PlaceKind.CUSTOMER, ["a", "b", "c", "d"], lon, lat))
    assert points.points == [("9.123456", "47.000000"), ("0.000000", "0.000000")]
    assert points.at.tolist() == [0, 0, 1, 0]
    assert point_of(-179.9999996, -90.0) == ("-180.000000", "-90.000000")
