"""Repair and improvement at the borders, on maps drawn as text."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest
from tests.design.problems import customers_on, problem_of

from territory.design.local import Borders, improve
from territory.design.problem import DesignProblem, chord2
from territory.geo.adjacency import co_located, n_fragments, point_adjacency


def borders_of(picture, *, tolerance=0.1, weight=None, contiguous=True, eligible=None):
    """Make borders from a map whose letters are territories; centres lie in their middles."""
    customers = customers_on(picture)
    letters = [c for line in picture.strip("\n").splitlines() for c in line if c.isalnum()]
    names = sorted(set(letters))
    label = np.array([names.index(c) for c in letters], dtype=np.int32)
    weight = np.ones(len(label)) if weight is None else weight
    problem = problem_of(customers.lon, customers.lat, weight, len(names), tolerance, eligible=eligible)
    center = np.stack([problem.xyz[label == j].mean(axis=0) for j in range(len(names))])
    return Borders(problem, chord2(problem.xyz, center), label, customers.lon, customers.lat, contiguous=contiguous)


def parts(borders, customers):
    edges = point_adjacency(customers.lon, customers.lat)
    sites = co_located(customers.lon, customers.lat)
    return n_fragments(borders.label, edges, borders.problem.k, sites=sites).tolist()


TORN = """
AAAABB
ABAABB
AAAABB
"""


def test_the_smaller_part_of_a_torn_territory_joins_its_neighbour():
    customers = customers_on(TORN)
    borders = borders_of(TORN)
    assert parts(borders, customers) == [1, 2]
    borders.reconnect()
    assert parts(borders, customers) == [1, 1]
    assert borders.label[7] == 0


def test_a_customer_that_holds_its_territory_together_cannot_leave():
    picture = """
    BBABB
    BBABB
    BBABB
    """
    borders = borders_of(picture)
    above, bridge, below = 2, 7, 12
    assert not borders.can_leave(bridge)
    assert borders.can_leave(above)
    assert borders.can_leave(below)


def test_the_last_customer_of_a_territory_stays():
    borders = borders_of("AB\nBB")
    assert not borders.can_leave(0)


def test_customers_may_enter_what_is_beside_them_only():
    borders = borders_of("AABBCC\nAABBCC")
    assert borders.entries(0) == []
    assert borders.entries(1) == [1]
    assert set(borders.entries(2)) <= {0, 2}


def test_who_shares_a_spot_holds_it_for_the_territory():
    customers = customers_on("ABB\nBBB")
    lon, lat = np.append(customers.lon, customers.lon[0]), np.append(customers.lat, customers.lat[0])
    problem = problem_of(lon, lat, np.ones(7), 2, 0.5)
    label = np.array([0, 1, 1, 1, 1, 1, 0], dtype=np.int32)
    borders = Borders(problem, chord2(problem.xyz, problem.xyz[[0, 2]]), label, lon, lat, contiguous=True)
    assert borders.can_leave(0)
    borders.move(0, 1)
    assert borders.here[0] == {0: {6}, 1: {0}}
    assert not borders.can_leave(6)


def test_balance_is_reached_without_tearing():
    picture = "\n".join(["A" * 14 + "B" * 3 + "C" * 3] * 6)
    customers = customers_on(picture)
    borders = borders_of(picture, tolerance=0.05)
    improve(borders, monotonic() + 10)
    assert borders.total_violation() == 0.0
    assert parts(borders, customers) == [1, 1, 1]
    assert np.bincount(borders.label).tolist() == pytest.approx([40, 40, 40], abs=2)


def test_work_is_passed_on_through_a_territory_in_between():
    # A has too much, C too little, and they do not touch
    picture = "AAAAAABBBBCC\nAAAAAABBBBCC"
    customers = customers_on(picture)
    borders = borders_of(picture, tolerance=0.0)
    improve(borders, monotonic() + 10)
    assert np.bincount(borders.label).tolist() == [8, 8, 8]
    assert parts(borders, customers) == [1, 1, 1]


def test_two_measures_are_balanced_at_once():
    rng = np.random.default_rng(4)
    picture = "\n".join(["A" * 10 + "B" * 10] * 10)
    customers = customers_on(picture)
    measures = np.stack([np.ones(200), np.where(customers.lon < 10.7, 3.0, 1.0) * rng.uniform(0.8, 1.2, 200)], axis=1)
    one = borders_of(picture).problem
    problem = DesignProblem(one.xyz, measures[:, 0], measures, one.share, np.array([0.05, 0.05]), None)
    label = np.array([0 if c == "A" else 1 for c in picture if c.isalnum()], dtype=np.int32)
    center = np.stack([problem.xyz[label == j].mean(axis=0) for j in range(2)])
    borders = Borders(problem, chord2(problem.xyz, center), label, customers.lon, customers.lat, contiguous=True)
    assert borders.total_violation() > 0.2
    improve(borders, monotonic() + 10)
    assert borders.total_violation() == 0.0
    assert parts(borders, customers) == [1, 1]


def test_customers_move_to_the_nearer_centre_where_balance_allows():
    picture = "AAABAB\nAAABBB"  # one of each lies with the other
    borders = borders_of(picture, tolerance=0.5, contiguous=False)
    improve(borders, monotonic() + 10)
    assert borders.label == [0, 0, 0, 1, 1, 1] * 2


def test_those_who_are_particular_may_lie_apart_but_only_with_their_reps():
    picture = "AAAB\nAAAB"
    eligible = np.ones((8, 2), dtype=bool)
    eligible[3] = [True, False]
    borders = borders_of(picture, tolerance=1.0, eligible=eligible)
    assert borders.loose == [3]
    assert borders.entries(3) == [0]
    assert borders.can_leave(3)


def test_loads_follow_moves():
    borders = borders_of("AABB\nAABB", weight=np.arange(1.0, 9.0))
    gain, before = borders.gain(1, 1), borders.total_violation()
    borders.move(1, 1)
    assert borders.total_violation() == pytest.approx(before - gain)
    assert np.array(borders.load)[:, 0].tolist() == [1 + 5 + 6, 2 + 3 + 4 + 7 + 8]
