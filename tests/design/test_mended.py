"""Wishes for single customers that were misread, or took all time and memory there is."""

from __future__ import annotations

from time import monotonic, process_time

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from territory import Balance, Customers, InfeasibleError, InputError, Reps, check_alignment, design_territories
from territory.design.apart import brought_apart, conflicts, corridors
from territory.design.problem import DesignProblem, on_sphere
from territory.design.repair import reconnected
from territory.design.request_balance import read_balance
from territory.design.request_rules import read_particulars
from territory.geo.contiguity import graph_of_points


def some_customers(n, **columns):
    rng = np.random.default_rng(3)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=rng.uniform(8, 12, n), lat=rng.uniform(48, 52, n), **columns
    )  # fmt: skip


def some_reps(k, **columns):
    return Reps(id=[f"R{j}" for j in range(k)], lon=np.linspace(8, 12, k), lat=[50.0] * k, **columns)


def read(customers, reps=None, **asked):
    """Return what was asked and what is wrong with it."""
    problems = []
    wishes = {"together": None, "apart": None, "overrides": None, "reach_km": None, **asked}
    found = read_particulars(customers, reps, **wishes, problems=problems, one_each=reps is not None)
    return found, problems


# -- labels and groups ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(["x", "x", pd.NA, "y"], dtype="string"),
        pd.Series([1, 1, pd.NA, 2], dtype="Int64"),
        pd.Series([1.0, 1.0, np.nan, 2.0]),
        np.array([1.5, 1.5, np.nan, 2.5], dtype=np.float32),
        ["x", "x", None, ""],
        pd.Series(["x", "x", None, "z"], dtype="category"),
        [pd.NaT, pd.NaT, None, float("nan")],
    ],
)
def test_blank_cells_of_label_columns_say_nothing(labels):
    found, problems = read(some_customers(4), together=labels)
    assert not problems
    blank = next(iter(labels)) is pd.NaT
    assert (None if blank else [0, 0, -1, -1]) == (None if found.together is None else found.together.tolist())


def test_rows_that_are_named_by_customers_need_not_be_in_their_order():
    customers = some_customers(4)
    found, problems = read(customers, together=pd.Series(["a", "b", "a", "b"], index=["c3", "c1", "c2", "c0"]))
    assert not problems
    assert found.together.tolist() == [0, 0, 1, 1]
    # rows of other names are in the table's order
    found, _ = read(customers, together=pd.Series(["a", "b", "a", "b"], index=[5, 6, 7, 8]))
    assert found.together.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("name", ["together", "apart"])
@pytest.mark.parametrize(
    "given", [[["c0", ["c1"]]], [[["c0", "c1"]]], {"c0": ["x"], "c1": ["x"]}, [["c0", {"c1": 2}]], [[np.zeros(2)]]]
)
def test_lists_in_groups_are_refused(name, given):
    _, problems = read(some_customers(4), **{name: given})
    assert [p.code for p in problems] == ["bad-groups"]


def test_a_column_that_says_the_same_of_everybody_is_no_wish_to_be_apart():
    _, problems = read(some_customers(30_000), apart=["x"] * 30_000)
    assert [(p.code, p.count) for p in problems] == [("bad-groups", 30_000)]
    assert "Maybe" in problems[0].hint


def test_pairs_are_those_of_the_groups_each_once():
    rng = np.random.default_rng(0)
    groups = [[f"c{i}" for i in rng.choice(60, size, replace=False)] for size in (2, 5, 9, 12, 1)]
    found, problems = read(some_customers(60), apart=groups)
    assert not problems
    want = {
        tuple(sorted((int(a[1:]), int(b[1:])))) for group in groups for a in group for b in group if a != b
    }  # fmt: skip
    assert sorted(map(tuple, found.apart.tolist())) == sorted(want)
    assert [len(rows) for rows in found.rivals] == [2, 5, 9, 12]


# -- overrides and reach -------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{"c0": ["R0"]}, {"c0": None}, {"c0": {}}, {("c0",): "R0"}, {"c0": 1.0}])
def test_overrides_to_what_is_no_rep_are_refused(given):
    _, problems = read(some_customers(4), some_reps(2), overrides=given)
    assert [p.code for p in problems] == ["unknown-id"]


def test_columns_with_names_are_taken_like_mappings():
    customers, reps = some_customers(4), some_reps(3)
    found, problems = read(
        customers, reps, overrides=pd.Series({"c2": "R1", "c0": None, "c3": "R2"}),
        reach_km=pd.Series({"R2": 20.0, "R0": 10.0}),
    )  # fmt: skip
    assert not problems
    assert found.overrides.tolist() == [-1, -1, 1, 2]
    assert found.reach_m.tolist() == [10_000.0, 20_100_000.0, 20_000.0]
    _, problems = read(customers, reps, overrides=pd.Series(["R1", "R2"], index=["c1", "c1"]))
    assert [p.code for p in problems] == ["duplicate-id"]
    _, problems = read(customers, reps, reach_km=pd.Series({"nobody": 5.0}))
    assert [p.code for p in problems] == ["unknown-id"]


def test_a_reach_that_is_no_number_is_one_bad_value():
    for reps in (None, some_reps(3)):
        _, problems = read(some_customers(4), reps, reach_km=float("nan"))
        assert [(p.code, p.count) for p in problems] == [("bad-reach", 1)]
    _, problems = read(some_customers(4), some_reps(3), reach_km={"R0": -1, "R1": "far", "R2": 5})
    assert [(p.code, p.count) for p in problems] == [("bad-reach", 2)]
    found, _ = read(some_customers(4), some_reps(3), reach_km=7)
    assert found.reach_m.tolist() == [7000.0] * 3


def test_limits_of_all_that_are_reversed_name_nobody():
    problems = []
    read_balance(some_customers(9), {"count": Balance(at_least=5, at_most=2)}, ["R0", "R1"], problems)
    assert "R0" not in problems[0].message
    problems = []
    read_balance(some_customers(9), {"count": Balance(at_least=5, at_most={"R1": 2})}, ["R0", "R1"], problems)
    assert "of R1" in problems[0].message


# -- apart against what is fixed -----------------------------------------------------------------


def test_two_who_are_tied_to_one_rep_cannot_be_apart():
    reps = some_reps(3, skills=[["x"], [], []])
    customers = some_customers(
        6,
        owner=["R0", "R0", "R1", "", "", ""],
        locked=[True, True, True, False, False, False],
        required_skills=["", "", "", "x", "", ""],
    )
    for asked, both in (
        ({"apart": [["c0", "c1"]]}, ["c0", "c1"]),
        ({"apart": [["c2", "c4"]], "overrides": {"c4": "R1"}}, ["c2", "c4"]),
        ({"apart": [["c0", "c3"]]}, ["c0", "c3"]),
        ({"apart": [["c0", "c5"]], "together": [["c1", "c5"]]}, ["c0", "c5"]),
    ):
        _, problems = read(customers, reps, **asked)
        assert [p.code for p in problems] == ["groups-conflict"], asked
        assert all(repr(i) in problems[0].message for i in both)
    for asked in (
        {"apart": [["c0", "c2"], ["c4", "c5"]]},
        {"apart": [["c2", "c4"]], "overrides": {"c4": "R0"}},
    ):
        assert read(customers, reps, **asked)[1] == []


def test_being_apart_from_one_of_the_same_lock_is_refused_before_anything_is_solved():
    customers = some_customers(6, owner=["R0"] * 6, locked=[True, True, False, False, False, False])
    with pytest.raises(InputError) as caught:
        design_territories(customers, some_reps(2), apart=[["c0", "c1"]])
    assert caught.value.codes == ("groups-conflict",)


# -- apart and connected -------------------------------------------------------------------------


def nearest_pairs(customers, many, seed):
    """Return pairs of customers one of whom is the other's nearest, by position."""
    _, near = cKDTree(np.stack([customers.lon, customers.lat], axis=1)).query(
        np.stack([customers.lon, customers.lat], axis=1), 2
    )
    pairs = sorted({tuple(sorted((i, int(j)))) for i, j in enumerate(near[:, 1])})
    rng = np.random.default_rng(seed)
    return [pairs[q] for q in rng.permutation(len(pairs))[:many]]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("many", [10, 40])
def test_neighbours_who_must_be_apart_are_and_territories_stay_connected(seed, many):
    rng = np.random.default_rng(seed)
    middle = rng.uniform(0, 4, (12, 2))[rng.integers(12, size=400)] + rng.normal(0, 0.2, (400, 2))
    customers = Customers(id=[f"c{i}" for i in range(400)], lon=8 + middle[:, 0], lat=48 + middle[:, 1])
    pairs = nearest_pairs(customers, many, seed)
    made = design_territories(
        customers, n_territories=10, apart=[[f"c{i}", f"c{j}"] for i, j in pairs], rng=0, time_limit_s=10
    )
    assert made.contiguous
    assert check_alignment(made).ok
    assert all(made.territory_idx[i] != made.territory_idx[j] for i, j in pairs)


def torn_apart(n, k, many, seed):
    """Return a problem of neighbours who must be apart, its graph, and labels by the nearest centre."""
    customers = some_customers(n)
    xyz = on_sphere(customers.lon, customers.lat)
    center = xyz[np.random.default_rng(seed).choice(n, k, replace=False)]
    label = ((xyz[:, None] - center) ** 2).sum(axis=2).argmin(axis=1).astype(np.int32)
    ones = np.ones((n, 1))
    target = np.full((k, 1), n / k)
    pairs = np.array(nearest_pairs(customers, many, seed), dtype=np.int32)
    problem = DesignProblem(xyz, ones[:, 0], ones, 0 * target, n * target, target, None, apart=pairs)
    return problem, graph_of_points(customers.lon, customers.lat), label, center


def test_thousands_who_must_be_apart_do_not_take_for_ever():
    problem, graph, label, center = torn_apart(5000, 50, 2000, 0)
    began = process_time()
    dealt = brought_apart(problem, label, center)
    joined = corridors(problem, graph, dealt)
    last = reconnected(problem, graph, joined, center)
    assert process_time() - began < 20
    assert not len(conflicts(problem.apart, last))
    assert int(graph.torn(last).max()) < 0.2 * int(graph.torn(dealt).max())


def test_when_time_is_up_nothing_is_joined():
    problem, graph, label, center = torn_apart(400, 8, 30, 1)
    dealt = brought_apart(problem, label, center)
    assert corridors(problem, graph, dealt, deadline=monotonic() - 1).tolist() == dealt.tolist()
    assert reconnected(problem, graph, dealt, center, deadline=monotonic() - 1).tolist() == dealt.tolist()


def test_only_those_in_conflict_are_dealt_out_anew():
    problem, _, label, center = torn_apart(300, 6, 5, 2)
    # a chain through everybody, of which one link is in conflict
    order = np.lexsort((np.arange(300), label))
    chain = np.stack([order[:-1], order[1:]], axis=1)
    chain = chain[label[chain[:, 0]] != label[chain[:, 1]]]
    clash = np.array([[order[0], order[1]], [order[1], order[2]]])
    assert label[order[0]] == label[order[2]]
    one = DesignProblem(
        problem.xyz, problem.weight, problem.measures, problem.lower, problem.upper, problem.target, None,
        apart=np.unique(np.sort(np.concatenate([chain, clash]), axis=1), axis=0).astype(np.int32),
    )  # fmt: skip
    dealt = brought_apart(one, label, center)
    assert not len(conflicts(one.apart, dealt))
    assert np.flatnonzero(dealt != label).tolist() == [order[1]]


def test_what_cannot_be_kept_is_refused_in_time():
    customers = some_customers(300)
    pairs = nearest_pairs(customers, 140, 0)
    began, refused = monotonic(), set()
    try:
        made = design_territories(
            customers, n_territories=6, apart=[[f"c{i}", f"c{j}"] for i, j in pairs], rng=0, time_limit_s=3
        )
    except InfeasibleError as error:
        refused = {p.code for p in error.reasons}
    assert monotonic() - began < 60
    assert refused <= {"contiguity-not-kept", "apart-not-kept", "balance-not-reached"}
    assert refused or check_alignment(made).ok
