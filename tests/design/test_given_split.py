"""The optimal assignment at given costs against HiGHS, whatever lists leave out; its bound; and whole customers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from territory.design.given_metric import lists_of
from territory.design.given_split import Costs, excess, gap_margin, given_split, own_costs, proven, whole


def highs(cost, w, lower, upper):
    """The cost of the transportation problem by an independent solver, None where it is infeasible."""
    n, k = cost.shape
    may = np.isfinite(cost)
    each = sparse.kron(sparse.eye(n), np.ones((1, k))).tocsr()
    load = sparse.kron(np.ones((1, n)), sparse.eye(k)).tocsr()
    most = np.where(may, w[:, None], 0.0)
    scale = w.sum()
    found = linprog(
        np.where(may, cost, 0.0).ravel(), A_ub=sparse.vstack([load, -load]), b_ub=np.r_[upper, -lower] / scale,
        A_eq=each, b_eq=w / scale, bounds=np.stack([np.zeros(n * k), most.ravel() / scale], axis=1), method="highs",
    )  # fmt: skip
    return found.fun * scale if found.status == 0 else None


def given_costs(cost, nearest, few=3):
    """Costs of an array, of which lists show the `nearest` at their prices; and how often rows were asked for."""
    asked = []

    def lists(price):
        shown, rest = cost.copy(), np.full(len(cost), np.inf)
        if nearest < cost.shape[1]:
            priced = shown + price
            rest = np.sort(priced, axis=1)[:, nearest]
            shown[priced >= rest[:, None]] = np.inf
        return lists_of(shown, rest, price.copy())

    def rows(who):
        asked.append(len(who))
        return cost[who]

    return Costs(lists, rows, few), asked


def random_costs(seed, n, k, *, ties, gaps, tolerance):
    rng = np.random.default_rng(seed)
    cost = rng.lognormal(5.0, 1.0, (n, k))
    if ties:
        cost = np.ceil(cost / 100) * 100
    if gaps:
        cost[rng.random((n, k)) < 0.3] = np.inf
        cost[np.arange(n), rng.integers(0, k, n)] = 60.0
    w = rng.lognormal(0.0, 1.0, n)
    target = rng.dirichlet(np.full(k, 5.0)) * w.sum()
    return cost, w, target * (1 - tolerance), target * (1 + tolerance), rng


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 10**6), n=st.integers(2, 50), k=st.integers(1, 8), ties=st.booleans(), gaps=st.booleans(),
    tolerance=st.sampled_from([0.0, 0.02, 0.2, 1.0]), nearest=st.integers(1, 8), few=st.sampled_from([0, 3, 100]),
)  # fmt: skip
def test_equals_the_linear_program(seed, n, k, ties, gaps, tolerance, nearest, few):
    cost, w, lower, upper, rng = random_costs(seed, n, k, ties=ties, gaps=gaps, tolerance=tolerance)
    source, _ = given_costs(cost, nearest, few)
    price = rng.normal(size=k) * rng.choice([0.0, 100.0])
    lists = source.lists(price)
    split = given_split(lists, source, w, lower, upper, price, gap_margin(lists, k))
    best = highs(cost, w, lower, upper)
    assert split.feasible == (best is not None)
    if best is None:
        return
    assert split.cost == pytest.approx(best, rel=1e-6)
    bound = proven(split.lists, w, lower, upper, split.price)
    assert bound == pytest.approx(best, rel=1e-6)
    assert bound <= best * (1 + 1e-7)
    if not ties:
        assert split.n_split <= max(0, k - 1)
    label, used = whole(split, source, w, lower, upper)
    assert np.isfinite(cost[np.arange(n), label]).all()
    assert own_costs(used, label) == pytest.approx(cost[np.arange(n), label])
    if not excess(label, w, lower, upper).any():
        assert w @ cost[np.arange(n), label] >= bound - 1e-9 * abs(bound)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40), k=st.integers(1, 8), nearest=st.integers(1, 8))
def test_any_prices_prove_a_bound(seed, n, k, nearest):
    cost, w, lower, upper, rng = random_costs(seed, n, k, ties=False, gaps=True, tolerance=0.3)
    best = highs(cost, w, lower, upper)
    price, base = rng.normal(size=k) * 100, rng.normal(size=k) * 100
    lists = given_costs(cost, nearest)[0].lists(base)
    if best is not None:
        assert proven(lists, w, lower, upper, price) <= best * (1 + 1e-9) + 1e-9
    # with nothing left out, it is the sum that anybody would write down
    whole_lists = given_costs(cost, k)[0].lists(base)
    by_hand = w @ (cost + price).min(axis=1) - np.maximum(price * lower, price * upper).sum()
    assert proven(whole_lists, w, lower, upper, price) == pytest.approx(by_hand, rel=1e-9, abs=1e-6)


def test_short_lists_are_completed_where_it_matters():
    rng = np.random.default_rng(3)
    places, centers = rng.random((400, 2)), rng.random((20, 2))
    cost = np.linalg.norm(places[:, None] - centers[None], axis=2)
    w = np.ones(400)
    lower, upper = np.full(20, 18.0), np.full(20, 22.0)
    source, asked = given_costs(cost, 8, few=10)
    none = np.zeros(20)
    lists = source.lists(none)
    split = given_split(lists, source, w, lower, upper, none, gap_margin(lists, 20))
    assert split.cost == pytest.approx(highs(cost, w, lower, upper), rel=1e-9)
    # most never needed more than the eight nearest
    assert 0 < sum(asked) < 200
    assert np.isfinite(split.lists.rest).sum() > 200


def test_those_without_weight_go_to_the_nearest_whatever_the_prices():
    cost = np.array([[1.0, 9.0], [2.0, 9.0], [3.0, 8.0], [4.0, 5.0], [1.0, 2.0]])
    w = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
    source, _ = given_costs(cost, 1)
    none, two = np.zeros(2), np.full(2, 2.0)
    lists = source.lists(none)
    split = given_split(lists, source, w, two, two, none, gap_margin(lists, 2))
    assert split.price[0] > split.price[1] + 1.0
    assert whole(split, source, w, two, two)[0].tolist() == [0, 0, 1, 1, 0]


def test_who_reaches_nobody_is_left_out():
    cost = np.array([[1.0, 9.0], [np.inf, np.inf], [9.0, 1.0]])
    source, _ = given_costs(cost, 2)
    none, one = np.zeros(2), np.ones(2)
    lists = source.lists(none)
    split = given_split(lists, source, np.ones(3), one, one, none, gap_margin(lists, 2))
    assert split.feasible
    assert split.label.tolist() == [0, -1, 1]
    assert proven(split.lists, np.ones(3), one, one, split.price) == pytest.approx(2.0)
    assert not given_split(lists, source, np.ones(3), 2 * one, 2 * one, none, gap_margin(lists, 2)).feasible


def test_whole_customers_keep_the_band_where_there_are_enough():
    cost, w, lower, upper, _ = random_costs(5, 600, 6, ties=False, gaps=False, tolerance=0.05)
    source, _ = given_costs(cost, 6)
    lists = source.lists(np.zeros(6))
    split = given_split(lists, source, w, lower, upper, np.zeros(6), gap_margin(lists, 6))
    label, _ = whole(split, source, w, lower, upper)
    load = np.bincount(label, w, 6)
    assert (load >= lower * (1 - 1e-9)).all()
    assert (load <= upper * (1 + 1e-9)).all()
    assert w @ cost[np.arange(600), label] <= split.cost * 1.01
