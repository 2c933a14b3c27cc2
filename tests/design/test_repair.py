"""Repair and improvement at the borders, on maps drawn as text."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest
from tests.design.problems import customers_on, problem_of

from territory.design.problem import DesignProblem
from territory.design.repair import beside, improved, reconnected
from territory.geo.adjacency import co_located, n_fragments, point_adjacency
from territory.geo.contiguity import graph_of_points


class Drawn:
    """Territories from a map whose letters they are; centres lie in their middles."""

    def __init__(self, picture, *, tolerance=0.1, weight=None, eligible=None, contiguous=True):
        self.customers = customers_on(picture)
        letters = [c for line in picture.strip("\n").splitlines() for c in line if c.isalnum()]
        names = sorted(set(letters))
        self.label = np.array([names.index(c) for c in letters], dtype=np.int32)
        weight = np.ones(len(self.label)) if weight is None else weight
        lon, lat = self.customers.lon, self.customers.lat
        self.problem = problem_of(lon, lat, weight, len(names), tolerance, eligible=eligible)
        self.center = np.stack([self.problem.xyz[self.label == j].mean(axis=0) for j in range(len(names))])
        free = np.ones(len(lon), dtype=bool) if eligible is None else eligible.all(axis=1)
        self.graph = graph_of_points(lon, lat).among(free, lon, lat) if contiguous else None

    def improved(self, problem=None):
        near = beside(self.graph, self.customers.lon, self.customers.lat)
        return improved(
            problem or self.problem, self.graph, near, self.label, self.center, fixed=True, seed=0,
            deadline=monotonic() + 20,
        )  # fmt: skip

    def parts(self, label):
        edges = point_adjacency(self.customers.lon, self.customers.lat)
        sites = co_located(self.customers.lon, self.customers.lat)
        return n_fragments(label, edges, self.problem.k, sites=sites).tolist()


TORN = """
AAAABB
ABAABB
AAAABB
"""


def test_the_smaller_part_of_a_torn_territory_joins_its_neighbour():
    drawn = Drawn(TORN)
    assert drawn.parts(drawn.label) == [1, 2]
    label = reconnected(drawn.problem, drawn.graph, drawn.label, drawn.center)
    assert drawn.parts(label) == [1, 1]
    assert label[7] == 0
    assert (np.delete(label, 7) == np.delete(drawn.label, 7)).all()


def test_a_deep_part_is_handed_over_from_its_rim():
    drawn = Drawn("BBBAAAAAAA\nBBBAACCCAA\nBBBAACCCAA\nBBBAACCCAA\nBBBAAAAAAA\nCCCCCCCCCC\nCCCCCCCCCC")
    label = reconnected(drawn.problem, drawn.graph, drawn.label, drawn.center)
    assert drawn.parts(label) == [1, 1, 1]
    assert (label[[15, 16, 17, 25, 26, 27]] == 0).all()


def test_balance_is_reached_without_tearing():
    drawn = Drawn("\n".join(["A" * 14 + "B" * 3 + "C" * 3] * 6), tolerance=0.05)
    label = drawn.improved()
    assert drawn.parts(label) == [1, 1, 1]
    assert np.bincount(label).tolist() == pytest.approx([40, 40, 40], abs=2)


def test_work_is_passed_on_through_a_territory_in_between():
    # A has too much, C too little, and they do not touch
    drawn = Drawn("AAAAAABBBBCC\nAAAAAABBBBCC", tolerance=0.0)
    label = drawn.improved()
    assert np.bincount(label).tolist() == [8, 8, 8]
    assert drawn.parts(label) == [1, 1, 1]


def test_two_measures_are_balanced_at_once():
    rng = np.random.default_rng(4)
    drawn = Drawn("\n".join(["A" * 10 + "B" * 10] * 10))
    west = drawn.customers.lon < 10.7
    measures = np.stack([np.ones(200), np.where(west, 3.0, 1.0) * rng.uniform(0.8, 1.2, 200)], axis=1)
    one = drawn.problem
    target = np.repeat(measures.sum(axis=0)[None] / 2, 2, axis=0)
    problem = DesignProblem(one.xyz, measures[:, 0], measures, 0.95 * target, 1.05 * target, target, None)

    def off(label):
        load = np.stack([np.bincount(label, column, 2) for column in measures.T], axis=1)
        return np.abs(load / problem.target - 1).max()

    assert off(drawn.label) > 0.2
    label = drawn.improved(problem)
    assert off(label) <= 0.05 + 1e-9
    assert drawn.parts(label) == [1, 1]


def test_customers_move_to_the_nearer_centre_where_balance_allows():
    drawn = Drawn("AAABAB\nAAABBB", tolerance=0.5, contiguous=False)  # one of each lies with the other
    assert drawn.improved().tolist() == [0, 0, 0, 1, 1, 1] * 2


def test_those_who_are_particular_may_lie_apart_but_only_with_their_reps():
    eligible = np.ones((12, 2), dtype=bool)
    eligible[5] = [True, False]
    drawn = Drawn("AAABBB\nABBBBB", tolerance=1.0, eligible=eligible)
    drawn.label[5] = 0
    label = drawn.improved()
    assert label[5] == 0
    assert label[4] == label[11] == 1
    others = np.delete(label, 5)
    edges = point_adjacency(*np.delete(np.stack([drawn.customers.lon, drawn.customers.lat]), 5, axis=1))
    assert n_fragments(others, edges, 2).tolist() == [1, 1]


def test_nothing_is_worse_than_it_was_when_time_is_up():
    drawn = Drawn("AAABBB\nAAABBB")
    near = beside(drawn.graph, drawn.customers.lon, drawn.customers.lat)
    label = improved(
        drawn.problem, drawn.graph, near, drawn.label, drawn.center, fixed=True, seed=0, deadline=monotonic()
    )
    assert label.tolist() == drawn.label.tolist()
