"""Maps drawn as text."""

from __future__ import annotations

import copy

import pytest

from territory import InputError, check_alignment
from territory.testing import ascii_map, assert_drawn

MAP = """
    AA B
     A#B
    . BB
"""


def test_a_map_is_read():
    found = ascii_map(MAP)
    assert found.customers.id.tolist() == ["r0c0", "r0c1", "r0c3", "r1c1", "r1c3", "r2c0", "r2c2", "r2c3"]
    assert found.expected.tolist() == [0, 0, 1, 0, 1, -1, 1, 1]
    assert (found.letters, found.k, found.n_rows, found.n_columns) == ("AB", 2, 3, 4)
    assert found.customers.lon[2] == pytest.approx(10.3)
    assert found.customers.lat[5] == pytest.approx(-0.2)
    assert copy.deepcopy(found) is found


def test_a_map_is_drawn_as_it_was_read():
    found = ascii_map(MAP)
    assert found.draw(found.expected) == "AA B\n A#B\n. BB"
    assert found.draw([5, 5, 2, 5, 2, 2, 2, 2]) == "AA B\n A#B\nB BB"
    assert found.draw(found.alignment()) == found.draw(found.expected)
    many = ascii_map("." * 30)
    assert len(set(many.draw(list(range(30))))) == 30


def test_graphs_of_a_map():
    found = ascii_map("AAB/A#B")
    assert found.graph().edges.tolist() == [[0, 1], [0, 3], [1, 2], [2, 4]]
    assert found.graph("queen").edges.tolist() == [[0, 1], [0, 3], [1, 2], [1, 3], [1, 4], [2, 4]]
    assert found.graph("delaunay").edges.tolist() == [[0, 1], [0, 3], [1, 2], [2, 4]]
    assert len(found.barriers) == 1


def test_an_alignment_of_a_map():
    found = ascii_map("AAB/A.B").alignment()
    assert check_alignment(found).ok
    assert found.territory_id.tolist() == ["A", "B"]
    assert len(found.unassigned_reason) == 1


def test_territories_are_compared_whatever_they_are_called():
    found = ascii_map("AAB/A.B")
    assert_drawn([3, 3, 1, 3, 1, 1], found)
    for wrong in ([3, 3, 1, 3, 1, 3], [0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, -1], [0, 0, -1, 0, 0, -1]):
        with pytest.raises(AssertionError, match="expected\nAAB"):
            assert_drawn(wrong, found)


@pytest.mark.parametrize(("picture", "code"), [("A1", "unknown-sign"), ("##", "no-customers"), ("", "no-customers")])
def test_what_is_no_map_is_refused(picture, code):
    with pytest.raises(InputError) as caught:
        ascii_map(picture)
    assert caught.value.codes == (code,)
