"""The state of the local search: after any moves it is what a fresh sum of the same assignment is."""

from __future__ import annotations

import numpy as np
import pytest
from tests.design.local_problems import conflicts_of, made, objective_of, violation_of

from territory.design.anneal import anneal
from territory.design.moves import probe
from territory.design.moves_layout import (
    BORDER,
    CENTER,
    COST,
    COUNT,
    DEVIATION,
    EXCESS,
    LABEL,
    LOAD,
    MASS,
    N_CONFLICT,
    OTHER,
    SIZE,
    SUM,
    VALUE,
)
from territory.design.moves_problem import Graph, LocalProblem, data_of, state_of

OBJECTIVES = ("fixed", "squared", "centroid", "median", "perimeter", "reach")


def walked(problem, label, steps=3000, seed=1):
    """Return the tables of an assignment after hot annealing, and the best of it."""
    tables = state_of(problem, data_of(problem), label, seed)
    best, best_label = np.array([np.inf, np.inf]), np.array(label, dtype=np.int32)
    price = np.array([1.0, 1e-3, 1e3])
    anneal(tables.table, best_label, best, price, steps, 1.0, 0.1, 0.5)
    return tables, best, best_label


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("sites", [False, True])
def test_the_state_after_moves_is_that_of_the_labels(objective, dimensions, sites):
    more = {"soft": (0.3, 2.0), "apart": 40} if dimensions == 2 else {}
    problem, label = made(objective, n=60, k=5, m=2, d=dimensions, sites=sites, seed=3, **more)
    tables, best, best_label = walked(problem, label)
    fresh = state_of(problem, data_of(problem), tables.arrays[LABEL], 0)
    assert not np.array_equal(tables.arrays[LABEL], label)
    # nobody needs the mass of a territory with a median or a border, nor the middle
    outlined = objective in {"median", "perimeter"}
    slots = (LOAD, SIZE, COST, EXCESS, DEVIATION, SUM, OTHER, VALUE, *(() if outlined else (MASS,)))
    for slot in slots:
        np.testing.assert_allclose(tables.arrays[slot], fresh.arrays[slot], rtol=1e-9, atol=1e-7, err_msg=str(slot))
    if not outlined:
        np.testing.assert_allclose(tables.arrays[CENTER], fresh.arrays[CENTER], atol=1e-9)
    assert tables.arrays[COUNT][N_CONFLICT] == fresh.arrays[COUNT][N_CONFLICT]
    count = tables.arrays[COUNT][0]
    assert set(tables.arrays[BORDER][:count]) == set(np.flatnonzero(fresh.arrays[OTHER] > 0))
    assert objective_of(problem, best_label) == pytest.approx(best[0])
    conflicts = conflicts_of(problem, best_label) if more else 0
    assert violation_of(problem, best_label) + conflicts == pytest.approx(best[1], abs=1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_what_a_move_is_said_to_change_is_what_it_changes(objective, dimensions):
    problem, label = made(objective, n=30, k=3, m=2, d=dimensions, seed=5, soft=(0.5, 1.5))
    tables = state_of(problem, data_of(problem), label, 0)
    rng = np.random.default_rng(0)
    for _ in range(100):
        c = int(rng.integers(3))
        out = int(rng.choice(np.append(np.flatnonzero(label == c), -1)))
        enter = int(rng.choice(np.append(np.flatnonzero(label != c), -1)))
        if out == enter == -1:
            continue
        after = label.copy()
        after[[i for i in (out, enter) if i >= 0]] = [x for x, i in ((3, out), (c, enter)) if i >= 0]
        before = objective_of(problem, label, only=c), violation_of(problem, label, only=c)
        said = probe(tables.table, c, out, enter)
        found = objective_of(problem, after, only=c), violation_of(problem, after, only=c)
        assert said[0] == pytest.approx(found[0] - before[0], abs=1e-9)
        assert said[1] == pytest.approx(found[1] - before[1], abs=1e-9)


def test_expansion_of_large_territories_is_near_the_truth():
    problem, label = made("centroid", n=400, k=3, m=1, d=2, seed=7)
    tables = state_of(problem, data_of(problem), label, 0)
    cost = objective_of(problem, label, only=0)
    for enter in np.flatnonzero(label != 0)[:20]:
        after = np.where(np.arange(400) == enter, 0, label)
        rise, _ = probe(tables.table, 0, -1, int(enter))
        assert rise == pytest.approx(objective_of(problem, after, only=0) - cost, abs=2e-3)


def test_territories_stay_in_one_piece():
    networkx = pytest.importorskip("networkx")
    for seed in range(5):
        problem, label = made("median", n=80, k=6, m=1, d=2, sites=True, seed=seed)
        tables, _, best_label = walked(problem, label, steps=4000, seed=seed)
        graph = networkx.Graph()
        graph.add_nodes_from(range(int(problem.site.max()) + 1))
        rows = np.diff(problem.links.indptr)
        graph.add_edges_from(zip(np.repeat(np.arange(len(rows)), rows), problem.links.indices, strict=True))
        for found in (tables.arrays[LABEL], best_label):
            for c in range(6):
                sites = {int(s) for s in problem.site[(found == c) & (problem.site >= 0)]}
                assert not sites or networkx.is_connected(graph.subgraph(sites))


def test_territories_that_outgrow_their_room_get_more():
    # one place in the middle of all: everybody would rather be there
    problem, label = made("fixed", n=200, k=4, m=1, d=2, seed=2)
    center = np.array([[0.5, 0.5], [9.0, 9.0], [9.0, 8.0], [8.0, 9.0]])
    pulled = LocalProblem(
        points=problem.points, measures=problem.measures, lower=problem.lower * 0, upper=problem.upper * 9,
        target=problem.target, objective="fixed", near=problem.near, center=center,
    )  # fmt: skip
    tables, _, _ = walked(pulled, label, steps=20_000)
    assert tables.arrays[SIZE].max() > 150
    assert np.array_equal(np.bincount(tables.arrays[LABEL], minlength=4), tables.arrays[SIZE])


def test_a_graph_has_no_loops_and_no_doubles():
    graph = Graph.of_edges([(0, 1), (1, 0), (2, 2), (1, 2)], 4)
    assert graph.indptr.tolist() == [0, 1, 3, 4, 4]
    assert graph.indices.tolist() == [1, 0, 2, 1]


def test_large_territories_keep_near_their_cost_without_summing_it():
    problem, label = made("centroid", n=900, k=4, m=1, d=2, seed=4)
    tables, _, _ = walked(problem, label, steps=5000)
    fresh = state_of(problem, data_of(problem), tables.arrays[LABEL], 0)
    np.testing.assert_allclose(tables.arrays[COST], fresh.arrays[COST], rtol=2e-5)
    np.testing.assert_allclose(tables.arrays[CENTER], fresh.arrays[CENTER], atol=1e-9)


@pytest.mark.parametrize("sites", [False, True])
def test_those_apart_are_never_brought_together(sites):
    for seed in range(4):
        problem, label = made("squared", n=60, k=5, m=1, d=2, seed=seed, sites=sites, apart=50)
        tables, conflicts = state_of(problem, data_of(problem), label, seed), conflicts_of(problem, label)
        assert conflicts == tables.arrays[COUNT][N_CONFLICT] > 0
        best, best_label, price = np.array([np.inf, np.inf]), label.copy(), np.array([1.0, 1e-3, 1e3])
        for _ in range(200):
            anneal(tables.table, best_label, best, price, 20, 1.0, 0.5, 0.5)
            now = conflicts_of(problem, tables.arrays[LABEL])
            assert now == tables.arrays[COUNT][N_CONFLICT] <= conflicts
            conflicts = now
        assert sites or conflicts == 0


def test_two_who_are_apart_change_places():
    # 0 and 2 must be apart, 1 and 3 too; who goes and who comes never meet
    points = np.array([[0.0, 0.0], [0.1, 0.0], [1.0, 0.0], [1.1, 0.0]])
    near = Graph.of_edges([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], 4)
    even = np.full((2, 1), 2.0)
    problem = LocalProblem(
        points=points, measures=np.ones((4, 1)), lower=even, upper=even, target=even, objective="squared", near=near,
        weight=np.ones(4), apart=Graph.of_edges([(0, 2), (1, 3)], 4),
    )  # fmt: skip
    _, best, best_label = walked(problem, np.array([0, 1, 1, 0], dtype=np.int32), steps=200)
    assert best_label[0] == best_label[1] != best_label[2] == best_label[3]
    assert best.tolist() == pytest.approx([0.01, 0.0])


def test_a_territory_of_one_begins_anew_where_it_is_worth_more():
    # two crowds far apart in three territories: the one of a single customer is wanted on the other side
    points = np.array([[0.0, 0.0]] * 4 + [[50.0, 0.0]] * 4 + [[60.0, 0.0]] * 4)
    label = np.array([0, 0, 0, 1] + [2] * 8, dtype=np.int32)
    near = Graph.of_edges([(i, i + 1) for i in range(11)], 12)
    roof = np.full((3, 1), 12.0)
    for objective in ("median", "centroid", "squared"):
        problem = LocalProblem(
            points=points, measures=np.ones((12, 1)), lower=roof * 0, upper=roof, target=roof, objective=objective,
            near=near,
        )  # fmt: skip
        tables = state_of(problem, data_of(problem), label, 5)
        best, best_label, price = np.array([np.inf, np.inf]), label.copy(), np.array([1.0, 1e-3, 1e3])
        # cold: nothing that costs more on the way is accepted
        anneal(tables.table, best_label, best, price, 4000, 1e-6, 1e-7, 0.0)
        assert best[0] == pytest.approx(0.0, abs=1e-6)
        assert len({*best_label[:4]}) == len({*best_label[4:8]}) == len({*best_label[8:]}) == 1
