"""Islands: what is said before anything is solved, and the territories that each gets."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from territory.design.islands import component_counts, deal_components, island_problems
from territory.geo.contiguity import ContiguityGraph, graph_of_edges


def islands_of(sizes, **options):
    """Make a graph of one chain an island."""
    site = np.arange(sum(sizes), dtype=np.int32)
    island = np.repeat(np.arange(len(sizes)), sizes)
    edges = np.stack([site[:-1], site[1:]], axis=1)[island[:-1] == island[1:]].astype(np.int64)
    return graph_of_edges(site * 0.1, site * 0.0, site, edges, kind="given", **options)


def told(graph, weight, lower, upper):
    measures = np.asarray(weight, dtype=float).reshape(len(graph), -1)
    names = [f"m{m}" for m in range(measures.shape[1])]
    lower, upper = (np.asarray(v, dtype=float).reshape(-1, measures.shape[1]) for v in (lower, upper))
    return island_problems(graph, measures, lower, upper, ids=[f"c{i}" for i in range(len(graph))], measure_names=names)


def test_one_piece_is_all_right():
    assert told(islands_of([4]), [1] * 4, [2, 2], [2, 2]) == []


def test_more_islands_than_territories():
    [problem] = told(islands_of([1, 3, 2]), [1] * 6, [0, 0], [9, 9])
    assert (problem.code, problem.count, problem.rows) == ("too-many-components", 3, (0,))
    assert "{c0}" in problem.message
    assert "bridges" in problem.hint


def test_an_island_too_small_to_live_on():
    [problem] = told(islands_of([5, 1, 7]), [1] * 13, [3, 3, 3], [6, 6, 6])
    assert (problem.code, problem.rows) == ("component-below-minimum", (5,))
    assert "needs 3 (1): {c5}" in problem.message


def test_who_belongs_nowhere_may_fill_an_island_up():
    graph = islands_of([5, 1, 7])
    loose = ContiguityGraph(graph.indptr, graph.indices, np.append(graph.site, [-1, -1]))
    assert told(loose, [1] * 15, [3, 3, 3], [7, 7, 7]) == []


def test_an_island_between_one_territory_and_two():
    [problem] = told(islands_of([3, 6]), [1] * 9, [2.5] * 4, [2.9] * 4)
    assert (problem.code, problem.rows) == ("component-unbalanced", (0, 3))


def test_islands_that_need_more_territories_than_there_are():
    [problem] = told(islands_of([3, 3]), [1] * 6, [1] * 3, [2] * 3)
    assert (problem.code, problem.count) == ("components-unbalanced", 2)
    assert "at least 4" in problem.message
    [problem] = told(islands_of([3, 3]), [1] * 6, [2] * 3, [9] * 3)
    assert "at most 2" in problem.message


def test_long_islands_are_named_shortly():
    [problem] = told(islands_of([7, 8] + [1] * 9), [1] * 24, [2] * 11, [9] * 11)
    assert problem.message.endswith("{c15}, {c16}, {c17}, {c18}, {c19} and 4 more")
    [problem] = told(islands_of([7, 8]), [1] * 15, [0], [20])
    assert problem.message.endswith("{c0, c1, c2, c3, c4 and 2 more}")


def test_islands_that_may_be_parts_are_all_right():
    assert told(islands_of([1, 3, 2], islands="parts"), [1] * 6, [0, 0], [9, 9]) == []


sizes = st.lists(st.integers(1, 3), min_size=1, max_size=3)


@given(sizes, st.integers(1, 4), st.data())
def test_what_is_said_is_proven_by_trying_everything(drawn, k, data):
    graph = islands_of(drawn)
    n = len(graph)
    assume(n <= 6)
    weight = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), dtype=float)
    low = np.array(data.draw(st.lists(st.integers(0, 4), min_size=k, max_size=k)), dtype=float)
    high = low + np.array(data.draw(st.lists(st.integers(0, 4), min_size=k, max_size=k)), dtype=float)
    component = graph.component
    possible = False
    for label in itertools.product(range(k), repeat=n):
        of = np.array(label)
        total = np.bincount(of, weight, k)
        whole = all(len(set(component[of == j])) == 1 for j in range(k))
        if whole and (total >= low).all() and (total <= high).all():
            possible = True
            break
    found = told(graph, weight, low, high)
    assert not (possible and found)
    least, most = component_counts(graph, weight[:, None], low[:, None], high[:, None])
    if possible:
        held = np.bincount([component[np.array(label) == j][0] for j in range(k)], minlength=len(least))
        assert (least <= held).all()
        assert (held <= most).all()


def excess(part, total, share, tolerance):
    held = np.bincount(part, share, len(total))
    return np.maximum(np.abs(total - held) - tolerance * held, 0.0).sum()


@given(sizes, st.integers(1, 5), st.booleans(), st.data())
def test_territories_are_dealt_out_with_the_least_excess(drawn, k, alike, data):
    c = len(drawn)
    assume(c <= k <= sum(drawn))
    graph = islands_of(drawn)
    n = len(graph)
    weight = np.array(data.draw(st.lists(st.integers(1, 9), min_size=n, max_size=n)), dtype=float)
    share = np.ones(k) if alike else np.array(data.draw(st.lists(st.integers(1, 4), min_size=k, max_size=k)), float)
    share = share / share.sum()
    lon, lat = np.arange(n) * 0.1, np.zeros(n)
    part = deal_components(graph, weight[:, None], share, np.array([0.1]), lon=lon, lat=lat)
    held = np.bincount(part, minlength=c)
    assert (held >= 1).all()
    assert (held <= drawn).all()
    total = np.bincount(graph.component, weight) / weight.sum()
    best = min(
        excess(np.array(other), total, share, 0.1)
        for other in itertools.product(range(c), repeat=k)
        if (np.bincount(other, minlength=c) >= 1).all() and (np.bincount(other, minlength=c) <= drawn).all()
    )
    assert excess(part, total, share, 0.1) == pytest.approx(best, abs=1e-6)


def test_reps_get_the_island_they_live_on():
    graph = islands_of([4, 4])
    lon, lat = np.arange(8) * 0.1, np.zeros(8)
    homes = (np.array([0.7, 0.0, 0.6, 0.1]), np.zeros(4))
    part = deal_components(graph, np.ones((8, 1)), np.full(4, 0.25), np.array([0.1]), lon=lon, lat=lat, homes=homes)
    assert part.tolist() == [1, 0, 1, 0]
