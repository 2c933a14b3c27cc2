"""Groups as customers: their costs are those of their members, and nobody leaves his group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from territory.design.given import given_bound, given_cost, given_design
from territory.design.given_groups import Grouped
from territory.design.metric import read_metric
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle


def made(seed, n, g, *, sparse=False):
    rng = np.random.default_rng(seed)
    places = Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(n)], rng.uniform(8, 12, n), rng.uniform(48, 52, n))
    travel = GreatCircle()
    if sparse:
        seconds = GreatCircle().matrix(places, places).durations_s
        near = np.argsort(seconds, axis=1)[:, 1:6]
        row = np.repeat(np.arange(n), 5)
        travel = csr_array((seconds[row, near.ravel()].astype(float), (row, near.ravel())), shape=(n, n))
    metric, weight = read_metric(travel, places), rng.integers(0, 4, n).astype(float)
    group = np.concatenate([np.arange(g), rng.integers(0, g, n - g)]).astype(np.int32)[rng.permutation(n)]
    middle = np.stack([np.bincount(group, x, g) for x in metric.xyz.T], axis=1) / np.bincount(group)[:, None]
    return metric, weight, group, Grouped(metric, group, weight, middle), rng


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(7, 40), k=st.integers(1, 12), sparse=st.booleans())
def test_a_group_costs_what_its_members_cost(seed, n, k, sparse):
    metric, weight, group, groups, rng = made(seed, n, max(2, n // 2), sparse=sparse)
    g, center = len(groups.xyz), rng.integers(0, n, k).astype(np.int32)
    eligible = rng.random((g, k)) < 0.8
    each = metric.rows(np.arange(n, dtype=np.int32), center)
    mass = np.bincount(group, weight, g)
    whole = groups.rows(np.arange(g, dtype=np.int32), center)
    for i in range(g):
        mine = np.flatnonzero(group == i)
        if mass[i] > 0:
            told = np.isfinite(each[mine]).all(axis=0)
            assert (np.isfinite(whole[i]) == told).all()
            assert mass[i] * whole[i, told] == pytest.approx(weight[mine] @ each[mine][:, told])
    for may in (None, eligible):
        lists = groups.lists(center, np.zeros(k), may)
        for i in range(g):
            listed = lists.to[lists.start[i] : lists.start[i + 1]]
            assert lists.cost[lists.start[i] : lists.start[i + 1]] == pytest.approx(whole[i, listed])
            assert may is None or may[i, listed].all()
            others = np.setdiff1d(np.arange(k) if may is None else np.flatnonzero(may[i]), listed)
            assert (whole[i, others] >= lists.rest[i] - 1e-9).all()


def test_groups_stay_together_and_the_bound_is_theirs():
    metric, weight, group, groups, _ = made(3, 200, 80)
    mass = np.bincount(group, weight, 80)
    lower, upper = np.full(5, mass.sum() / 5 * 0.8), np.full(5, mass.sum() / 5 * 1.2)
    found = given_design(groups, mass, lower, upper)
    assert not found.excess.any()
    assert found.bound <= found.cost
    assert found.cost == pytest.approx(given_cost(metric, weight, found.label[group], found.center))
    # whoever may part them does no worse
    assert given_bound(metric, weight, lower, upper, found.center) <= found.bound + 1e-6
