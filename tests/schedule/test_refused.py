"""What cannot be meant is refused, or warned of: visits with oneself, money that nothing costs."""

from __future__ import annotations

import pytest

from territory import Alignment, Customers, InputError, Reps, Visits, schedule_visits

MONDAY = "2026-05-04"
OWNER = ("R0", "R1", "R1")


def town(owner=OWNER, **rep):
    customers = Customers(
        id=["a", "b", "c"], lon=[9.0, 9.02, 9.04], lat=[50.0] * 3, visit_interval_days=[7.0] * 3, owner=list(owner)
    )
    return customers, Reps(id=["R0", "R1"], lon=[9.0, 9.03], lat=[50.0] * 2, **rep)


def planned(customers, reps, *, start=MONDAY, **options):
    alignment = Alignment.from_owners(customers, reps)
    return schedule_visits(customers, reps, alignment, start=start, weeks=2, iterations=60, **options)


def visits(*rows):
    """Return visits of rows (customer, rep, second rep)."""
    who, first, second = zip(*rows, strict=True)
    return Visits(
        id=[f"v{i}" for i in range(len(rows))], customer_id=list(who), earliest=["2026-05-12"] * len(rows),
        latest=["2026-05-14"] * len(rows), rep_id=list(first), second_rep_id=list(second),
    )  # fmt: skip


# -- two reps are two ----------------------------------------------------------------------


def test_who_comes_along_is_not_who_is_named():
    with pytest.raises(InputError) as caught:
        visits(("a", "R1", "R0"), ("a", "R0", "R0"), ("b", "", "R0"))
    (problem,) = caught.value.problems
    assert (problem.code, problem.column, problem.rows) == ("joint-with-oneself", "second_rep_id", (1,))


def test_who_comes_along_is_not_the_customers_own_rep():
    asked = visits(("a", "", "R1"), ("a", "", "R0"), ("a", "R1", "R0"), ("b", "", "R1"), ("c", "", ""))
    with pytest.raises(InputError) as caught:
        planned(*town(), visits=asked)
    (problem,) = caught.value.problems
    assert (problem.code, problem.column, problem.rows) == ("joint-with-oneself", "second_rep_id", (1, 3))
    assert "rep_id" in problem.hint


def test_it_is_told_with_all_else_that_is_wrong():
    asked = visits(("a", "", "R0"), ("nobody", "", "R1"), ("b", "", "R9"))
    with pytest.raises(InputError) as caught:
        planned(*town(), visits=asked)
    assert set(caught.value.codes) == {"joint-with-oneself", "unknown-customer", "unknown-rep"}


@pytest.mark.parametrize("gone", [False, True])
def test_a_joint_visit_of_before_survives_that_the_second_takes_over_the_customer(gone):
    customers, reps = town()
    before = planned(customers, reps, visits=visits(("a", "", "R1")))
    assert sorted(before.stops.rep_idx[before.stops.visit_idx == 0].tolist()) == [0, 1]
    customers, reps = town(owner=["R1"] * 3)
    if gone:
        reps = reps.take([1])
    after = planned(customers, reps, start="2026-05-05", previous=before)
    made = after.stops.visit_idx == 0
    assert sorted(after.reps.id[after.stops.rep_idx[made]].tolist()) == (["R1"] if gone else ["R0", "R1"])


# -- least cost needs costs ----------------------------------------------------------------


@pytest.mark.parametrize(
    "rates",
    [
        {},
        {"cost_per_hour": [0.0, 0.0]},
        {"cost_per_hour": [0.0, 0.0], "cost_per_km": [0.0, 0.0]},
        {"cost_per_day": [100.0, 100.0], "overtime_per_hour": [50.0, 50.0], "cost_per_km": [0.0, 0.0]},
    ],
)
def test_least_cost_is_refused_where_driving_costs_nothing(rates):
    with pytest.raises(InputError) as caught:
        planned(*town(**rates), objective="cost")
    assert caught.value.codes == ("no-rates",)


def test_a_rep_whose_driving_costs_nothing_is_warned_of():
    rates = {"cost_per_hour": [40.0, 0.0], "cost_per_km": [0.0, 0.0]}
    plan = planned(*town(**rates), objective="cost")
    (warning,) = [d for d in plan.diagnostics if d.code == "free-driving"]
    assert warning.rows == (1,)
    assert "free-driving" not in {d.code for d in planned(*town(**rates)).diagnostics}
    by_the_km = planned(*town(cost_per_hour=[0.0, 1.0], cost_per_km=[0.3, 0.0]), objective="cost")
    assert "free-driving" not in {d.code for d in by_the_km.diagnostics}
