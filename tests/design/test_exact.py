"""Exact territories against models of another kind: CP-SAT without any reduction, and brute force."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from territory.design.exact import exact_assignment, exact_centers, neighbours_of
from territory.design.exact_model import pieces_of
from territory.model.enums import Status

SEEDS = st.integers(0, 10**6)


def squares(x):
    return ((x[:, None] - x[None]) ** 2).sum(axis=2)


def whole(seed, n, k, m, slack):
    """Places, whole-number costs and measures, bands that whole-number totals can keep."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 2)) * 30
    weight = rng.integers(1, 10, n)
    measures = np.stack([weight, *(rng.integers(1, 20, n) for _ in range(m - 1))], axis=1).astype(float)
    cost = np.rint(weight[:, None] * squares(x))
    mean = measures.sum(axis=0) / k
    apart = rng.integers(0, n, (2, 2))
    return x, cost, measures, mean * (1 - slack), mean * (1 + slack), apart[apart[:, 0] != apart[:, 1]], rng


def oracle(cost, measures, lower, upper, k, apart, *, own):
    """The least cost by CP-SAT, from whole numbers, every pair a choice; None if there is no answer."""
    n, q = cost.shape
    model = cp_model.CpModel()
    belongs = {(i, j): model.new_bool_var("") for i in range(n) for j in range(q) if np.isfinite(cost[i, j])}
    is_open = [belongs[j, j] if own else model.new_bool_var("") for j in range(q)]
    model.add(sum(is_open) == k)
    low, high = (np.broadcast_to(band, (q, measures.shape[1])) for band in (lower, upper))
    for i in range(n):
        model.add_exactly_one(belongs[i, j] for j in range(q) if (i, j) in belongs)
    for j in range(q):
        mine = [i for i in range(n) if (i, j) in belongs]
        for t in range(measures.shape[1]):
            total = sum(int(measures[i, t]) * belongs[i, j] for i in mine)
            model.add(total >= int(np.ceil(low[j, t] - 1e-9)) * is_open[j])
            model.add(total <= int(np.floor(high[j, t] + 1e-9)) * is_open[j])
        for i in mine:
            model.add_implication(belongs[i, j], is_open[j])
        for a, b in apart:
            if (a, j) in belongs and (b, j) in belongs:
                model.add_bool_or([belongs[a, j].negated(), belongs[b, j].negated()])
    model.minimize(sum(int(cost[i, j]) * v for (i, j), v in belongs.items()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    assert status == cp_model.OPTIMAL
    return solver.objective_value


def plain(cost, measures, lower, upper, k, apart):
    """The least cost by HiGHS, from the model as it is printed in textbooks, every pair a choice."""
    n = len(cost)
    x = np.arange(n * n).reshape(n, n)  # x[i, j]: i belongs to centre j
    rows, low, high = [], [], []

    def add(entries, least, most):
        row = np.zeros(n * n)
        for column, value in entries:
            row[column] += value
        rows.append(row)
        low.append(least)
        high.append(most)

    for i in range(n):
        add([(x[i, j], 1) for j in range(n)], 1, 1)
    add([(x[j, j], 1) for j in range(n)], k, k)
    for j in range(n):
        for t in range(measures.shape[1]):
            total = [(x[i, j], measures[i, t]) for i in range(n)]
            add([*total, (x[j, j], -lower[t])], 0, np.inf)
            add([*total, (x[j, j], -upper[t])], -np.inf, 0)
        for i in range(n):
            add([(x[i, j], 1), (x[j, j], -1)], -np.inf, 0)
        for a, b in apart:
            add([(x[a, j], 1), (x[b, j], 1)], -np.inf, 1)
    found = milp(
        cost.ravel(), integrality=np.ones(n * n), bounds=Bounds(0, 1),
        constraints=LinearConstraint(csr_array(np.array(rows)), low, high), options={"mip_rel_gap": 1e-9},
    )  # fmt: skip
    return found.fun if found.status == 0 else None


def check(result, cost, measures, lower, upper, k, apart, edges=None):
    """Every rule, from scratch."""
    label, center = result.label, result.center
    assert sorted(set(label.tolist())) == list(range(k))
    for c in range(k):
        mine = np.flatnonzero(label == c)
        assert center[c] in mine
        assert (measures[mine].sum(axis=0) >= lower - 1e-6).all()
        assert (measures[mine].sum(axis=0) <= upper + 1e-6).all()
        if edges is not None:
            assert len(pieces_of(mine, neighbours_of(edges, len(label), None))) == 1
    assert all(label[a] != label[b] for a, b in apart)
    assert result.objective == pytest.approx(cost[np.arange(len(label)), center[label]].sum())
    assert result.bound <= result.objective * (1 + 1e-9)


@settings(max_examples=12)
@given(seed=SEEDS, n=st.integers(12, 15), k=st.integers(2, 3), m=st.integers(1, 3), slack=st.sampled_from([0.25, 0.5]))
def test_centres_at_units(seed, n, k, m, slack):
    _, cost, measures, lower, upper, apart, _ = whole(seed, n, k, m, slack)
    best = plain(cost, measures, lower, upper, k, apart)
    result = exact_centers(cost, measures, lower, upper, k=k, apart=apart)
    if best is None:
        assert result.status == Status.INFEASIBLE
        assert result.label is None
        return
    assert result.status == Status.OPTIMAL
    check(result, cost, measures, lower, upper, k, apart)
    assert result.objective == pytest.approx(best, rel=1e-6)
    assert result.bound == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_another_solver(seed):
    """CP-SAT shares neither code nor tolerances with HiGHS."""
    _, cost, measures, lower, upper, apart, _ = whole(seed, 10, 2, 2, 0.3)
    result = exact_centers(cost, measures, lower, upper, k=2, apart=apart)
    best = oracle(cost, measures, lower, upper, 2, apart, own=True)
    assert (result.label is None) == (best is None)
    if best is not None:
        assert result.objective == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize(("seed", "n", "k"), [(1, 40, 3), (2, 30, 5)])
def test_larger(seed, n, k):
    _, cost, measures, lower, upper, apart, _ = whole(seed, n, k, 2, 0.2)
    result = exact_centers(cost, measures, lower, upper, k=k, apart=apart)
    check(result, cost, measures, lower, upper, k, apart)
    assert result.objective == pytest.approx(plain(cost, measures, lower, upper, k, apart), rel=1e-6)


@settings(max_examples=12)
@given(seed=SEEDS, n=st.integers(6, 14), k=st.integers(2, 3), m=st.integers(1, 2))
def test_centres_given(seed, n, k, m):
    """Territories with bands of their own, and eligibility."""
    _, cost, measures, _, _, apart, rng = whole(seed, n, k, m, 0.3)
    center = rng.choice(n, k, replace=False)
    part = cost[:, center].copy()
    eligible = rng.random((n, k)) < 0.8
    eligible[np.arange(n), rng.integers(0, k, n)] = True
    share = rng.dirichlet(np.full(k, 9.0))
    target = share[:, None] * measures.sum(axis=0)[None]
    lower, upper = 0.6 * target, 1.4 * target
    result = exact_assignment(part, measures, lower, upper, eligible=eligible, apart=apart)
    best = oracle(np.where(eligible, part, np.inf), measures, lower, upper, k, apart, own=False)
    if best is None:
        assert result.status == Status.INFEASIBLE
        return
    assert result.status == Status.OPTIMAL
    assert result.objective == pytest.approx(best, rel=1e-6)
    assert eligible[np.arange(n), result.label].all()
    load = np.stack([np.bincount(result.label, column, k) for column in measures.T], axis=1)
    assert (load >= lower - 1e-6).all()
    assert (load <= upper + 1e-6).all()


def grid(rows, columns, drop, rng):
    """The edges of a grid, some of them dropped."""
    at = np.arange(rows * columns).reshape(rows, columns)
    edges = np.concatenate([
        np.stack([at[:, :-1].ravel(), at[:, 1:].ravel()], axis=1), np.stack([at[:-1].ravel(), at[1:].ravel()], axis=1)
    ])  # fmt: skip
    return edges[rng.random(len(edges)) >= drop]


def connected_best(cost, measures, lower, upper, k, edges, centers=None):
    """The least cost of all labels whose territories hang together, by looking at each."""
    n = len(cost)
    neighbours = neighbours_of(edges, n, None)
    best = np.inf
    for label in itertools.product(range(k), repeat=n):
        at = np.array(label)
        if centers is None and label[0] != 0:
            continue
        if len(set(label)) < k:
            continue
        load = np.stack([np.bincount(at, column, k) for column in measures.T], axis=1)
        if (load < lower - 1e-9).any() or (load > upper + 1e-9).any():
            continue
        groups = [np.flatnonzero(at == c) for c in range(k)]
        if centers is None:
            total = sum(cost[np.ix_(g, g)].sum(axis=0).min() for g in groups)
        else:
            total = sum(cost[g, c].sum() for c, g in enumerate(groups))
        if total < best and all(len(pieces_of(g, neighbours)) == 1 for g in groups):
            best = total
    return best


@pytest.mark.parametrize(
    ("seed", "rows", "columns", "k", "drop"),
    [(0, 3, 4, 2, 0.0), (1, 3, 4, 2, 0.3), (2, 2, 5, 3, 0.2), (3, 3, 3, 3, 0.1), (4, 2, 6, 2, 0.4), (5, 4, 3, 2, 0.35)],
)
def test_connected(seed, rows, columns, k, drop):
    """Weights that pull territories apart, so that contiguity has a price."""
    rng = np.random.default_rng(seed)
    n = rows * columns
    edges = grid(rows, columns, drop, rng)
    measures = np.stack([rng.integers(1, 6, n), rng.integers(1, 6, n)], axis=1).astype(float)
    x = rng.random((n, 2)) * 10  # not where the grid is
    cost = np.rint(measures[:, :1] * squares(x))
    mean = measures.sum(axis=0) / k
    lower, upper = 0.5 * mean, 1.5 * mean
    best = connected_best(cost, measures, lower, upper, k, edges)
    result = exact_centers(cost, measures, lower, upper, k=k, edges=edges)
    if np.isinf(best):
        assert result.status == Status.INFEASIBLE
        return
    check(result, cost, measures, lower, upper, k, (), edges)
    assert result.objective == pytest.approx(best)
    given = rng.choice(n, k, replace=False)
    least = connected_best(cost[:, given], measures, lower, upper, k, edges, given)
    assigned = exact_assignment(cost[:, given], measures, lower, upper, edges=edges)
    assert assigned.objective == pytest.approx(least)


def test_contiguity_has_a_price():
    """Two far ends of a path belong together by place, not by the path."""
    x = np.array([[0.0, 0], [5, 0], [5, 1], [0, 1]])
    edges = [(0, 1), (1, 2), (2, 3)]
    cost, ones = squares(x), np.ones((4, 1))
    loose = exact_centers(cost, ones, 2.0, 2.0, k=2)
    tied = exact_centers(cost, ones, 2.0, 2.0, k=2, edges=edges)
    assert loose.objective == pytest.approx(2.0)
    assert tied.objective == pytest.approx(50.0)
    # whom contiguity does not concern goes where he likes, and joins nobody
    one = exact_centers(cost, ones, 2.0, 2.0, k=2, edges=edges, concerned=np.array([True, True, True, False]))
    assert one.objective == pytest.approx(2.0)


def test_brute_force_of_labels():
    for seed in range(4):
        rng = np.random.default_rng(seed)
        n, k = 7, 3
        x, w = rng.random((n, 2)), rng.lognormal(0, 0.5, n)
        cost = w[:, None] * squares(x)
        lower, upper = 0.6 * w.sum() / k, 1.4 * w.sum() / k
        best = np.inf
        for label in itertools.product(range(k), repeat=n):
            at = np.array(label)
            load = np.bincount(at, w, k)
            if (load >= lower).all() and (load <= upper).all():
                best = min(best, sum(cost[np.ix_(at == c, at == c)].sum(axis=0).min() for c in range(k)))
        result = exact_centers(cost, w[:, None], lower, upper, k=k)
        assert result.objective == pytest.approx(best, rel=1e-7)


def test_start_is_used_and_extremes():
    rng = np.random.default_rng(3)
    x, w = rng.random((20, 2)), np.ones((20, 1))
    cost = squares(x)
    one = exact_centers(cost, w, 20.0, 20.0, k=1)
    assert one.objective == pytest.approx(cost.sum(axis=0).min())
    each = exact_centers(cost, w, 1.0, 1.0, k=20)
    assert each.objective == 0.0
    best = exact_centers(cost, w, 8.0, 12.0, k=2)
    again = exact_centers(cost, w, 8.0, 12.0, k=2, label=best.label)
    assert again.objective == pytest.approx(best.objective)
    late = exact_centers(cost, w, 8.0, 12.0, k=2, label=best.label, deadline=time.monotonic() - 1.0)
    assert late.status in {Status.TIME_LIMIT, Status.OPTIMAL}
    assert late.objective == pytest.approx(best.objective)
    assert late.bound <= best.objective * (1 + 1e-9)
    nothing = exact_centers(cost, w, 8.0, 12.0, k=2, deadline=time.monotonic() - 1.0)
    assert nothing.status == Status.TIME_LIMIT
    assert nothing.bound <= best.objective


def test_impossible():
    x = np.random.default_rng(0).random((6, 2))
    w = np.array([10.0, 1, 1, 1, 1, 1])
    assert exact_centers(squares(x), w[:, None], 7.0, 8.0, k=2).status == Status.INFEASIBLE
    assert exact_centers(squares(x), w[:, None], 5.0, 10.0, k=2).status == Status.OPTIMAL
    everyone = [(a, b) for a in range(3) for b in range(a)]
    assert exact_centers(squares(x), np.ones((6, 1)), 2.0, 4.0, k=2, apart=everyone).status == Status.INFEASIBLE
    # two islands of three and one of one
    islands = [(0, 1), (1, 2), (3, 4)]
    assert exact_centers(squares(x), np.ones((6, 1)), 1.0, 5.0, k=2, edges=islands).status == Status.INFEASIBLE
    assert exact_centers(squares(x), np.ones((6, 1)), 1.0, 5.0, k=3, edges=islands).status == Status.OPTIMAL
