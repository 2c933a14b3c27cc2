"""Balanced power diagrams: the fixed-centre optimum against HiGHS, proven candidates, bounds, bands and starts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from territory.design.power import power_design
from territory.design.power_fixed import Ground, best_split, bound_at, first_margin
from territory.design.power_flow import placed
from territory.design.power_near import border_of, dual_value
from territory.design.power_round import excess_of, rounded
from territory.design.power_seeds import bisect
from territory.design.power_tree import cells, make_tree

NONE = (np.zeros((0, 0)), np.zeros(0))


def make_ground(x, w, lower, upper, eligible=None):
    k, d = len(lower), x.shape[1]
    free = np.ones(len(x), dtype=bool) if eligible is None else eligible.all(axis=1)
    rest = ~free
    particular = np.zeros((0, k), dtype=bool) if eligible is None else eligible[rest]
    tree = make_tree(x[free], w[free]) if free.any() else make_tree(np.zeros((1, d)), np.zeros(1))
    return Ground(tree, lower, upper, np.ascontiguousarray(x[rest]), w[rest], np.ascontiguousarray(particular))


def highs(cost, w, lower, upper, eligible=None):
    """The cost of the transportation problem by an independent solver, None where it is infeasible."""
    n, k = cost.shape
    each = sparse.kron(sparse.eye(n), np.ones((1, k))).tocsr()
    load = sparse.kron(np.ones((1, n)), sparse.eye(k)).tocsr()
    most = np.repeat(w, k).reshape(n, k) * (1 if eligible is None else eligible)
    scale = w.sum()
    found = linprog(
        cost.ravel(), A_ub=sparse.vstack([load, -load]), b_ub=np.r_[upper, -lower] / scale, A_eq=each, b_eq=w / scale,
        bounds=np.stack([np.zeros(n * k), most.ravel() / scale], axis=1), method="highs",
    )  # fmt: skip
    return found.fun * scale if found.status == 0 else None


def problem(seed, n, k, d, tolerance, *, ties):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    if ties:
        x = np.round(x)
    w = rng.lognormal(0.0, 1.0, n)
    center = x[rng.integers(0, n, k)] + 0.01 * rng.normal(size=(k, d))
    target = rng.dirichlet(np.full(k, 5.0)) * w.sum()
    return x, w, center, target * (1 - tolerance), target * (1 + tolerance), rng


def squares(x, center):
    return ((x[:, None] - center[None]) ** 2).sum(axis=2)


def split_points(split):
    own = np.repeat(np.arange(len(split.border.who)), np.diff(split.border.start))
    return int((np.bincount(own[split.flow > 0], minlength=1) > 1).sum())


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6), n=st.integers(3, 60), k=st.integers(1, 8), d=st.integers(1, 3),
    tolerance=st.sampled_from([0.0, 0.01, 0.1, 0.5]), ties=st.booleans(),
)  # fmt: skip
def test_optimum_of_fixed_centres(seed, n, k, d, tolerance, ties):
    x, w, center, lower, upper, rng = problem(seed, n, k, d, tolerance, ties=ties)
    ground = make_ground(x, w, lower, upper)
    price = rng.normal(size=k) * rng.integers(0, 2)
    split = best_split(ground, center, price, first_margin(center))
    assert split.feasible
    best = highs(squares(x, center), w, lower, upper)
    constant = float(w @ (x**2).sum(axis=1))
    cost = constant - 2 * float((center * split.moment).sum()) + float(split.load @ (center**2).sum(axis=1))
    assert cost == pytest.approx(best, rel=1e-6, abs=1e-9)
    assert bound_at(ground, center, split.price) == pytest.approx(best, rel=1e-6, abs=1e-9)
    assert bound_at(ground, center, split.price) <= best * (1 + 1e-7) + 1e-9
    assert (split.load <= upper * (1 + 1e-9)).all()
    assert (split.load >= lower * (1 - 1e-9)).all()
    if not ties:
        assert split_points(split) <= max(0, k - 1)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6), n=st.integers(3, 40), k=st.integers(2, 6), narrow=st.sampled_from([1e-9, 1e-4, 0.03]),
    ties=st.booleans(),
)  # fmt: skip
def test_margins_that_are_too_narrow_only_take_longer(seed, n, k, narrow, ties):
    x, w, center, lower, upper, rng = problem(seed, n, k, 2, 0.05, ties=ties)
    ground = make_ground(x, w, lower, upper)
    split = best_split(ground, center, 3.0 * rng.normal(size=k), narrow * first_margin(center))
    assert split.feasible
    best = highs(squares(x, center), w, lower, upper)
    assert bound_at(ground, center, split.price) == pytest.approx(best, rel=1e-6, abs=1e-9)
    # what is carried from one step to the next stays whole
    own = np.repeat(np.arange(len(split.border.who)), np.diff(split.border.start))
    carried = np.bincount(own, split.flow, len(split.border.who))
    assert carried == pytest.approx(ground.tree.w[split.border.who], rel=1e-9)
    assert split.flow.min(initial=0.0) >= 0.0
    assert split.load.sum() == pytest.approx(w.sum())


@pytest.mark.parametrize(
    ("seed", "n", "k", "d", "tolerance", "ties"),
    [(905, 11, 6, 3, 0.1, False), (929, 9, 6, 2, 0.01, True), (3604, 47, 8, 1, 0.0, True)],
)
def test_too_full_where_prices_have_just_risen(seed, n, k, d, tolerance, ties):
    # customers who became cheap to move while prices rose were once taken for having left
    x, w, center, lower, upper, rng = problem(seed, n, k, d, tolerance, ties=ties)
    split = best_split(
        make_ground(x, w, lower, upper), center, rng.normal(size=k) * rng.integers(0, 2), first_margin(center)
    )
    assert split.feasible


def test_a_flow_is_carried_where_it_is_still_cheapest():
    # customer 3 stays split; 5's split has become dear; 6 is new
    start, to = np.array([0, 2, 4, 6]), np.array([0, 1, 0, 1, 0, 1], dtype=np.int32)
    cost, weight, price = np.array([1.0, 2.0, 1.0, 5.0, 4.0, 1.0]), np.array([2.0, 3.0, 1.0]), np.array([1.0, 0.0])
    flow = np.full(6, np.nan)
    old_to = np.array([0, 1, 0, 1, 0, 1], dtype=np.int32)
    old_flow = np.array([0.5, 1.5, 1.0, 2.0, 9.0, 0.0])
    placed(
        np.array([3, 5, 9], dtype=np.int32), np.array([0, 2, 4, 6]), old_to, old_flow,
        np.array([3, 5, 6], dtype=np.int32), start, to, cost, weight, price, flow,
    )  # fmt: skip
    assert flow.tolist() == [0.5, 1.5, 3.0, 0.0, 0.0, 1.0]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(3, 40), k=st.integers(2, 6))
def test_eligible_only(seed, n, k):
    x, w, center, lower, upper, rng = problem(seed, n, k, 2, 0.2, ties=False)
    eligible = rng.random((n, k)) < 0.7
    eligible[np.arange(n), rng.integers(0, k, n)] = True
    ground = make_ground(x, w, lower, upper, eligible)
    split = best_split(ground, center, np.zeros(k), first_margin(center))
    best = highs(squares(x, center), w, lower, upper, eligible)
    assert split.feasible == (best is not None)
    if best is not None:
        assert bound_at(ground, center, split.price) == pytest.approx(best, rel=1e-6)
        label = rounded(ground, center, split, first_margin(center))
        order = np.concatenate(
            [
                np.flatnonzero(eligible.all(axis=1))[ground.tree.order] if eligible.all(axis=1).any() else [],
                np.flatnonzero(~eligible.all(axis=1)),
            ]
        )
        if eligible.all(axis=1).any():
            assert eligible[order.astype(int), label].all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 200), k=st.integers(1, 12), d=st.integers(1, 3))
def test_candidates_and_bound_by_brute_force(seed, n, k, d):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(n, d)) * rng.choice([1e-3, 1.0, 1e6]), rng.random(n)
    center = x[rng.integers(0, n, k)] + rng.normal(size=(k, d)) * 0.1
    price, margin = rng.normal(size=k), rng.random(k) * 2
    tree = make_tree(x, w)
    assert sorted(tree.order.tolist()) == list(range(n))
    priced = squares(tree.x, center) + price
    border = border_of(tree, center, price, margin)
    near = priced.min(axis=1)
    assert priced[np.arange(n), border.label] == pytest.approx(near, abs=1e-9 * np.abs(priced).max())
    inner = np.setdiff1d(np.arange(n), border.who)
    assert border.load == pytest.approx(np.bincount(border.label[inner], tree.w[inner], k), abs=1e-9)
    # whatever a rise of prices within the margins makes cheapest is a candidate
    rise = rng.random(k) * margin
    winner = (priced + rise).argmin(axis=1)
    listed = {
        int(i): set(border.to[a:b].tolist())
        for i, (a, b) in zip(border.who, itertools.pairwise(border.start), strict=True)
    }
    for i in range(n):
        assert winner[i] in listed.get(i, {int(border.label[i])})
    lower, upper = rng.random(k), 1 + rng.random(k)
    exact = float(tree.w @ near) - float(np.maximum(price * lower, price * upper).sum())
    assert dual_value(tree, center, price, lower, upper) == pytest.approx(exact, rel=1e-9, abs=1e-9)


def test_cells_hold_everything():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1000, 2)), rng.random(1000)
    tree = make_tree(x, w)
    middle, weight = cells(tree, 4)
    assert weight.sum() == pytest.approx(w.sum())
    assert weight @ middle == pytest.approx(w @ x)


@pytest.mark.parametrize("seed", [None, 1])
def test_bisection_is_balanced(seed):
    rng = np.random.default_rng(3)
    x, w, share = rng.normal(size=(2000, 2)), rng.random(2000), rng.dirichlet(np.full(7, 9.0))
    center = bisect(x, w, share, rng=None if seed is None else np.random.default_rng(seed))
    assert center.shape == (7, 2)
    assert len(np.unique(center, axis=0)) == 7
    assert share @ center == pytest.approx(w @ x / w.sum(), abs=0.02)


def test_more_territories_than_places():
    design = power_design(np.zeros((3, 2)), np.ones(3), np.zeros(5), np.full(5, 1.0))
    assert design.cost == pytest.approx(0.0)
    assert len(set(design.label.tolist())) == 3


@pytest.mark.parametrize(("tolerance", "most"), [(0.05, 0.01), (0.01, 0.02)])
def test_design_keeps_the_band_near_its_bound(tolerance, most):
    rng = np.random.default_rng(5)
    x, w = rng.random((3000, 2)), rng.lognormal(0.0, 0.8, 3000)
    target = np.full(25, w.sum() / 25)
    design = power_design(x, w, target * (1 - tolerance), target * (1 + tolerance), starts=2, rng=1)
    load = np.bincount(design.label, w, 25)
    assert np.abs(load / target - 1).max() <= tolerance + 1e-9
    assert not design.excess.any()
    assert design.cost == pytest.approx(float(w @ ((x - design.center[design.label]) ** 2).sum(axis=1)))
    assert design.bound <= design.cost * (1 + 1e-12)
    assert design.cost <= design.bound * (1 + most)


@pytest.mark.parametrize("seed", range(3))
def test_towns_within_one_per_cent(seed):
    # territories of a town that is full have room outside it only
    rng = np.random.default_rng(seed)
    middle, width = rng.random((5, 2)), rng.lognormal(0.0, 0.7, 5) * 0.02
    town = rng.choice(5, 1500, p=rng.dirichlet(np.full(5, 0.7)))
    x, w = middle[town] + rng.normal(size=(1500, 2)) * width[town, None], rng.lognormal(0.0, 0.8, 1500)
    target = np.full(12, w.sum() / 12)
    design = power_design(x, w, target * 0.99, target * 1.01, starts=1, rng=seed)
    assert not design.excess.any()
    assert np.abs(np.bincount(design.label, w, 12) / target - 1).max() <= 0.01 + 1e-9
    assert design.cost <= design.bound * 1.05


def test_equal_weights_need_no_splits():
    rng = np.random.default_rng(6)
    x = rng.random((930, 2))
    target = np.full(10, 93.0)
    design = power_design(x, np.ones(930), target * 0.95, target * 1.05, starts=1)
    assert not design.excess.any()
    assert design.cost == pytest.approx(design.bound, rel=1e-6)


def test_one_heavy_customer_outweighs_the_band():
    rng = np.random.default_rng(7)
    x, w = rng.random((200, 2)), np.ones(200)
    w[0] = 60.0
    target = np.full(4, w.sum() / 4)
    design = power_design(x, w, target * 0.95, target * 1.05, starts=1)
    assert not design.excess.any()


def test_same_seed_same_answer_on_threads():
    rng = np.random.default_rng(8)
    x, w = rng.random((1500, 2)), rng.random(1500)
    target = np.full(12, w.sum() / 12)
    one, two, other = (
        power_design(x, w, target * 0.95, target * 1.05, starts=3, rng=4, n_jobs=jobs) for jobs in (1, 2, 1)
    )
    assert one.label.tobytes() == two.label.tobytes() == other.label.tobytes()
    assert one.center.tobytes() == two.center.tobytes()


def test_homes_hold_their_centres():
    rng = np.random.default_rng(9)
    x, w, homes = rng.random((400, 2)), rng.random(400), rng.random((5, 2))
    target = np.full(5, w.sum() / 5)
    fixed = power_design(x, w, target * 0.9, target * 1.1, homes=homes, pull=1.0)
    assert fixed.center == pytest.approx(homes)
    assert not fixed.excess.any()
    assert fixed.cost <= fixed.bound * 1.05
    drawn = power_design(x, w, target * 0.9, target * 1.1, homes=homes, pull=0.3)
    assert not drawn.excess.any()
    assert np.linalg.norm(drawn.center - homes) < np.linalg.norm(homes - homes.mean(axis=0)) * 2


def test_centres_on_the_sphere():
    rng = np.random.default_rng(10)
    x = rng.normal(size=(300, 3)) * [0.1, 0.1, 0.01] + [0, 0, 1]
    x *= 6.4e6 / np.linalg.norm(x, axis=1, keepdims=True)
    target = np.full(4, 75.0)
    design = power_design(x, np.ones(300), target * 0.95, target * 1.05, radius=6.4e6, starts=1)
    assert np.linalg.norm(design.center, axis=1) == pytest.approx(np.full(4, 6.4e6))


def test_what_nobody_may_hold_is_said():
    eligible = np.zeros((10, 2), dtype=bool)
    eligible[:, 0] = True
    x = np.random.default_rng(11).random((10, 2))
    design = power_design(x, np.ones(10), np.full(2, 4.0), np.full(2, 6.0), eligible=eligible, starts=1)
    assert not design.feasible
    assert excess_of  # the alignment of the answer is still whole
    assert (design.label == 0).all()


def test_places_without_weight_belong_to_the_nearest():
    rng = np.random.default_rng(12)
    x, w = rng.random((200, 2)), rng.random(200)
    w[:50] = 0.0
    target = np.full(4, w.sum() / 4)
    design = power_design(x, w, target * 0.9, target * 1.1, starts=1)
    assert not design.excess.any()
    assert design.label.min() >= 0
    assert design.label.max() < 4
