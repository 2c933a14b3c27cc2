"""Limits, soft targets, groups, accounts given away by name, and reach: kept in every answer, or refused by name."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import Balance, Customers, InfeasibleError, InputError, Reps, check_alignment, design_territories
from territory.geo.sphere import great_circle_m
from territory.io.rules_state import restore_rules, rules_state
from territory.model import Alignment, AlignmentRules


def some_customers(seed, n, **columns):
    rng = np.random.default_rng(seed)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=rng.uniform(8, 12, n), lat=rng.uniform(48, 52, n),
        workload_s=rng.lognormal(8, 0.6, n), measures={"revenue": rng.lognormal(3, 1, n)}, **columns,
    )  # fmt: skip


def some_reps(seed, k, **columns):
    rng = np.random.default_rng(seed + 1000)
    return Reps(id=[f"R{j}" for j in range(k)], lon=rng.uniform(8, 12, k), lat=rng.uniform(48, 52, k), **columns)


def reasons(caught):
    return {p.code for p in caught.value.reasons}


def codes(caught):
    return {p.code for p in caught.value.problems}


# -- limits and targets --------------------------------------------------------------------------


def test_absolute_limits_hold_for_every_territory():
    made = design_territories(
        some_customers(1, 300), n_territories=6, balance={"count": Balance(at_least=38, at_most=62)}
    )
    assert made.totals("count").min() >= 38
    assert made.totals("count").max() <= 62
    assert made.balance == {}
    assert made.rules.limits["count"].tolist() == [[38, 62]] * 6


def test_limits_of_single_reps_hold():
    reps = some_reps(1, 5)
    made = design_territories(
        some_customers(1, 300), reps, balance={"count": Balance(at_most={"R1": 20, "R2": 30}, at_least={"R3": 90})}
    )
    count = dict(zip(made.territory_id.tolist(), made.totals("count").tolist(), strict=True))
    assert count["R1"] <= 20
    assert count["R2"] <= 30
    assert count["R3"] >= 90


def test_a_part_timer_gets_half():
    reps = some_reps(2, 4)
    made = design_territories(
        some_customers(2, 400), reps, balance={"workload_s": Balance(tolerance=0.03, share={"R2": 0.5})}
    )
    total = dict(zip(made.territory_id.tolist(), made.totals("workload_s").tolist(), strict=True))
    others = np.mean([total["R0"], total["R1"], total["R3"]])
    assert total["R2"] / others == pytest.approx(0.5, abs=0.04)
    assert made.targets["workload_s"].sum() == pytest.approx(made.customers.workload_s.sum())


def test_shares_of_a_measure_leave_the_others_alone():
    reps = some_reps(2, 3)
    balance = {"workload_s": Balance(tolerance=0.1, share={"R0": 0.5}), "count": 0.6}
    made = design_territories(some_customers(3, 200), reps, balance=balance)
    assert made.targets["count"].tolist() == pytest.approx([200 / 3] * 3)
    assert made.targets["workload_s"][0] == pytest.approx(made.targets["workload_s"][1] / 2)


def test_a_soft_target_draws_loads_together():
    customers = some_customers(4, 400)

    def spread(weight):
        made = design_territories(
            customers, n_territories=8, balance={"workload_s": 0.2, "revenue": Balance(weight=weight)}
        )
        target = made.targets["revenue"]
        return float(np.abs(made.totals("revenue") / target - 1).mean()), made

    loose, free = spread(0)
    tight, drawn = spread(20)
    assert tight < 0.5 * loose
    # and it costs something
    assert drawn.objective > free.objective
    assert drawn.rules.weight == {"revenue": 20}


def test_a_measure_without_any_limit_may_come_first():
    made = design_territories(some_customers(5, 100), n_territories=4, balance={"revenue": Balance(weight=1)})
    assert made.rules.weigh_by == "revenue"
    assert made.balance == {}


def test_limits_that_cannot_be_kept_are_refused_with_the_sums():
    customers = some_customers(6, 100)
    with pytest.raises(InfeasibleError, match="100 in all, but territories may hold 80 at most") as caught:
        design_territories(customers, n_territories=4, balance={"count": Balance(at_most=20)})
    assert reasons(caught) == {"limits-impossible"}
    with pytest.raises(InfeasibleError, match="must hold 120 at least"):
        design_territories(customers, n_territories=4, balance={"count": Balance(at_least=30)})


def test_counts_that_cannot_be_even_are_refused():
    with pytest.raises(InfeasibleError, match="the least deviation possible is 20") as caught:
        design_territories(some_customers(7, 10), n_territories=3, balance={"count": 0.05})
    assert reasons(caught) == {"balance-impossible"}


def test_every_measure_is_tried_not_only_the_first():
    reps = some_reps(1, 2, skills=["x", ""])
    customers = some_customers(1, 10, required_skills=["x"] * 9 + [""])
    with pytest.raises(InfeasibleError) as caught:
        design_territories(customers, reps, balance={"revenue": 9.0, "count": 0.2})
    assert reasons(caught) == {"balance-impossible"}


def test_a_limit_against_the_tolerance_is_said():
    balance = {"count": Balance(tolerance=0.1, at_most={"R0": 5})}
    with pytest.raises(InfeasibleError, match="must hold at least 45, and at most 5") as caught:
        design_territories(some_customers(1, 100), some_reps(1, 2), balance=balance)
    assert reasons(caught) == {"limits-conflict"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"tolerance": -1}, "bad-tolerance"),
        ({"tolerance": float("nan")}, "bad-tolerance"),
        ({"at_most": -5}, "bad-balance"),
        ({"at_least": float("nan")}, "bad-balance"),
        ({"at_least": {"R0": "many"}}, "bad-balance"),
        ({"weight": -1}, "bad-balance"),
        ({"weight": float("inf")}, "bad-balance"),
        ({"share": 0.5}, "bad-balance"),
        ({"share": {"R0": True}}, "bad-balance"),
    ],
)
def test_a_balance_of_no_sense_is_refused(values, code):
    with pytest.raises(InputError) as caught:
        Balance(**values)
    assert codes(caught) == {code}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Balance(at_least=10, at_most=5), "limits-reversed"),
        (Balance(at_most={"nobody": 5}), "unknown-id"),
        (Balance(share={"R0": 0, "R1": 0}), "bad-balance"),
        ("even", "bad-tolerance"),
    ],
)
def test_a_balance_that_fits_no_reps_is_refused(asked, code):
    with pytest.raises(InputError) as caught:
        design_territories(some_customers(1, 20), some_reps(1, 2), balance={"count": asked})
    assert codes(caught) == {code}


def test_limits_by_rep_need_one_territory_a_rep():
    with pytest.raises(InputError) as caught:
        design_territories(some_customers(1, 20), n_territories=2, balance={"count": Balance(at_most={"R0": 5})})
    assert codes(caught) == {"missing-reps"}


# -- groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_groups_stay_together_near_or_far(seed):
    customers = some_customers(seed, 250)
    far = [["c0", "c1", "c2"], ["c3", "c4"], ["c4", "c5"]]
    made = design_territories(customers, n_territories=6, balance={"workload_s": 0.1}, together=far)
    at = made.territory_idx
    assert at[0] == at[1] == at[2]
    # groups with a common member are one
    assert at[3] == at[4] == at[5]


def test_towns_stay_whole_and_territories_connected():
    customers = some_customers(3, 400)
    town = [f"{lon:.1f} {lat:.1f}" for lon, lat in zip(customers.lon, customers.lat, strict=True)]
    made = design_territories(customers, n_territories=6, balance={"workload_s": 0.1}, together=town)
    for name in set(town):
        assert len({made.territory_idx[i] for i in range(400) if town[i] == name}) == 1
    assert made.contiguous


def test_labels_groups_and_mappings_say_the_same():
    customers = some_customers(4, 60)
    label = ["a" if i < 3 else "b" if i < 5 else "" for i in range(60)]
    answers = [
        design_territories(customers, n_territories=3, together=said).territory_idx.tolist()
        for said in (label, [["c0", "c1", "c2"], ["c4", "c3"]], {f"c{i}": label[i] for i in range(5)})
    ]
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("contiguous", [True, False])
def test_rivals_are_apart(contiguous):
    customers = some_customers(5, 200)
    middle = np.argsort((customers.lon - 10) ** 2 + (customers.lat - 50) ** 2)[:4]
    rivals = customers.id[middle].tolist()
    made = design_territories(
        customers, n_territories=5, balance={"workload_s": 0.25}, apart=[rivals], contiguous=contiguous
    )
    assert len(set(made.territory_idx[middle].tolist())) == 4


def test_more_rivals_than_territories_are_refused():
    with pytest.raises(InfeasibleError, match="3 customers must be apart, in 2 territories") as caught:
        design_territories(some_customers(1, 20), n_territories=2, apart=[["c0", "c1", "c2"]])
    assert reasons(caught) == {"apart-impossible"}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"together": [["c0", "nobody"]]}, "unknown-id"),
        ({"together": {"nobody": "a"}}, "unknown-id"),
        ({"apart": "c0"}, "bad-groups"),
        ({"apart": ["c0", "c1"]}, "bad-groups"),
        ({"together": 5}, "bad-groups"),
        ({"together": [["c0", "c1"]], "apart": [["c1", "c0", "c2"]]}, "groups-conflict"),
        ({"overrides": {"c0": "nobody"}}, "unknown-id"),
        ({"overrides": {"nobody": "R0"}}, "unknown-id"),
        ({"overrides": ["c0"]}, "bad-overrides"),
        ({"reach_km": 0}, "bad-reach"),
        ({"reach_km": float("nan")}, "bad-reach"),
        ({"reach_km": {"nobody": 5}}, "unknown-id"),
    ],
)
def test_wishes_of_no_sense_are_refused(asked, code):
    with pytest.raises(InputError) as caught:
        design_territories(some_customers(1, 20), some_reps(1, 3), **asked)
    assert codes(caught) == {code}


def test_a_group_without_a_common_rep_is_refused():
    reps = some_reps(1, 2, skills=["x", "y"])
    customers = some_customers(1, 10, required_skills=["x", "y"] + [""] * 8)
    with pytest.raises(InputError) as caught:
        design_territories(customers, reps, together=[["c0", "c1"]])
    assert codes(caught) == {"groups-conflict"}


def test_a_group_that_is_too_heavy_is_named():
    with pytest.raises(InfeasibleError, match="groups with more") as caught:
        design_territories(
            some_customers(1, 20), n_territories=4, balance={"count": 0.2}, together=[[f"c{i}" for i in range(7)]]
        )
    assert reasons(caught) == {"customer-over-capacity"}


# -- overrides and reach -------------------------------------------------------------------------


def test_accounts_go_where_they_are_given_and_count_there():
    customers, reps = some_customers(6, 200), some_reps(6, 4)
    far = int(great_circle_m(customers.lon, customers.lat, reps.lon[0], reps.lat[0]).argmax())
    made = design_territories(customers, reps, balance={"workload_s": 0.1}, overrides={str(customers.id[far]): "R0"})
    assert made.territory_id[made.territory_idx[far]] == "R0"
    assert made.totals("workload_s").sum() == pytest.approx(customers.workload_s.sum())


def test_an_override_against_a_lock_is_refused():
    customers = some_customers(1, 10, owner=["R1"] * 10, locked=[True] + [False] * 9)
    with pytest.raises(InputError) as caught:
        design_territories(customers, some_reps(1, 2), overrides={"c0": "R0"})
    assert codes(caught) == {"override-conflict"}


def test_nobody_is_beyond_his_reps_reach_and_who_is_stays_out_by_name():
    customers, reps = some_customers(7, 300), some_reps(7, 5)
    made = design_territories(customers, reps, balance={"workload_s": 2.0}, reach_km={"R0": 60, "R1": 90, "R2": 100,
                                                                                     "R3": 110, "R4": 120})  # fmt: skip
    away = great_circle_m(customers.lon[:, None], customers.lat[:, None], reps.lon[None, :], reps.lat[None, :])
    limit = np.array([60, 90, 100, 110, 120]) * 1000.0
    out = ~(away <= limit).any(axis=1)
    assert out.any()
    assert np.array_equal(made.territory_idx < 0, out)
    served = np.flatnonzero(~out)
    rep = made.customer_rep_idx[served]
    assert (away[served, rep] <= limit[rep] + 1).all()
    assert all(made.unassigned_reason[int(i)].startswith("out-of-reach: ") for i in np.flatnonzero(out))


def test_a_name_or_a_lock_reaches_farther():
    customers = some_customers(8, 40, owner=["R1"] * 40, locked=[True] + [False] * 39)
    reps = some_reps(8, 2)
    made = design_territories(customers, reps, balance={"count": 5.0}, reach_km=1, overrides={"c1": "R0"})
    assert made.territory_idx[:2].tolist() == [1, 0]


def test_free_centres_are_within_reach_or_it_is_said_who_is_not():
    customers = some_customers(9, 300)
    made = design_territories(customers, n_territories=8, balance={"workload_s": 0.3}, reach_km=110)
    home = made.territory_idx
    away = great_circle_m(customers.lon, customers.lat, made.center_lon[home], made.center_lat[home])
    assert away.max() <= 110_001
    with pytest.raises(InfeasibleError) as caught:
        design_territories(customers, n_territories=8, balance={"workload_s": 0.3}, reach_km=40)
    assert reasons(caught) == {"reach-not-kept"}


# -- whatever is asked ---------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5), st.booleans(), st.data())
def test_answers_pass_the_check_and_stay_the_same_when_rows_are_shuffled(seed, k, contiguous, data):
    n = data.draw(st.integers(3 * k, 60))
    customers, reps = some_customers(seed, n), some_reps(seed, k)
    rng = np.random.default_rng(seed)
    asked = {
        "balance": {"count": Balance(tolerance=1.5, weight=data.draw(st.sampled_from([0, 1])))},
        "together": [customers.id[rng.choice(n, 3, replace=False)].tolist()] if data.draw(st.booleans()) else None,
        "overrides": {str(customers.id[rng.integers(n)]): "R0"} if data.draw(st.booleans()) else None,
        "reach_km": data.draw(st.sampled_from([None, 150.0, 250.0])),
        "contiguous": contiguous,
    }
    try:
        made = design_territories(customers, reps, **asked)
    except InfeasibleError:
        return
    assert check_alignment(made).ok
    order = rng.permutation(n)
    again = design_territories(customers.take(order), reps, **asked)
    assert again.territory_idx.tolist() == made.territory_idx[order].tolist()


def test_rules_survive_a_file_and_are_checked_afterwards():
    customers, reps = some_customers(2, 100), some_reps(2, 4)
    made = design_territories(
        customers, reps, balance={"count": Balance(at_most=40, share={"R1": 0.5}, weight=1)},
        together=[["c0", "c1"]], apart=[["c2", "c3"]], overrides={"c4": "R2"}, reach_km=400,
    )  # fmt: skip
    rules = restore_rules(json.loads(json.dumps(rules_state(made.rules), allow_nan=False)))
    assert rules_state(rules) == rules_state(made.rules)
    moved = made.territory_idx.copy()
    moved[[0, 2, 4]] = [(made.territory_idx[1] + 1) % 4, made.territory_idx[3], 0]
    spoilt = Alignment(
        customers, reps, made.territory_id, moved, made.rep_idx, made.center_lon, made.center_lat, rules=rules
    )
    found = {v.code for v in check_alignment(spoilt).violations}
    assert {"group-split", "not-apart", "override-broken"} <= found


def test_planted_faults_of_limits_and_reach_are_found():
    customers, reps = some_customers(2, 40), some_reps(2, 2)
    away = great_circle_m(customers.lon, customers.lat, reps.lon[0], reps.lat[0])
    made = Alignment(
        customers, reps, ["A", "B"], np.zeros(40, dtype=int), [0, 1], reps.lon, reps.lat,
        rules=AlignmentRules(limits={"count": [[0, 30], [5, np.inf]]}, reach_m=[float(np.median(away)), 1e6]),
    )  # fmt: skip
    found = [v.code for v in check_alignment(made).violations]
    assert found.count("limit-broken") == 2
    assert found.count("out-of-reach") == 20


def test_rules_of_another_shape_are_refused():
    with pytest.raises(InputError):
        AlignmentRules(reach_m=[-1.0])
    customers = some_customers(1, 4)
    with pytest.raises(InputError, match="together"):
        Alignment(customers, None, ["A"], [0] * 4, [-1], [10.0], [50.0], rules=AlignmentRules(together=[0, 0]))


def test_explanations_name_the_rules_that_bind():
    customers, reps = some_customers(3, 80), some_reps(3, 3)
    made = design_territories(
        customers, reps, balance={"count": Balance(at_most=30)}, together=[["c0", "c1"]], apart=[["c2", "c3"]],
        overrides={"c4": "R2"}, contiguous=False,
    )  # fmt: skip
    kinds = {
        name: {limit.kind for other in made.explain(name).alternatives for limit in other.limits}
        for name in ("c0", "c2", "c4")
    }
    assert "together" in kinds["c0"]
    assert "apart" in kinds["c2"]
    assert "override" in kinds["c4"]
