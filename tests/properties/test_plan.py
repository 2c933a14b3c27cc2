"""What holds of every plan, whatever the tables."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.properties.tables import customer_columns, rep_columns, rows_of

from territory import (
    Customers,
    InfeasibleError,
    InputError,
    Reps,
    check_alignment,
    check_plan,
    design_territories,
    plan,
)
from territory.travel import MatrixTravel

OPTIONS = {"start": "2026-01-05", "weeks": 2, "iterations": 8}


def made(customers, reps, **options):
    """Return a plan, or the codes of what is wrong."""
    try:
        return plan(Customers(**customers), Reps(**reps), **{**OPTIONS, **options})
    except InputError as error:
        return sorted(set(error.codes))
    except InfeasibleError as error:
        return sorted({r.code for r in error.reasons})


def visits_of(made_plan, names=None):
    """Return who is visited when by whom, and what is not planned, as sets of names."""
    if isinstance(made_plan, list):
        return made_plan
    who, rep = made_plan.customers.id.tolist(), made_plan.reps.id.tolist()
    rename = (lambda x: x) if names is None else names.__getitem__
    s, u = made_plan.stops, made_plan.unassigned
    planned = {
        (rename(who[c]), rename(rep[r]), str(t), str(e), int(d))
        for c, r, t, e, d in zip(s.customer_idx, s.rep_idx, s.start, s.end, s.drive_s, strict=True)
    }
    missed = {
        (rename(who[c]), str(d), str(reason)) for c, d, reason in zip(u.customer_idx, u.due, u.reason, strict=True)
    }
    return planned, missed


@settings(max_examples=60)
@given(customer_columns(), rep_columns(), st.sampled_from([None, {"count": 0.5}]))
def test_a_plan_is_valid_or_is_refused_with_a_reason(customers, reps, balance):
    found = made(customers, reps, balance=balance)
    if isinstance(found, list):
        assert found, "a rule is named"
        return
    assert not list(check_plan(found))
    assert not list(check_alignment(found.alignment))
    assert all(d.strip() for d in found.unassigned.detail.tolist())


@settings(max_examples=40)
@given(customer_columns(), rep_columns(), st.randoms(use_true_random=False))
def test_permuted_rows_give_the_permuted_plan(customers, reps, random):
    order = list(range(len(customers["id"])))
    random.shuffle(order)
    turn = list(range(len(reps["id"])))
    random.shuffle(turn)
    other = made(rows_of(customers, order), rows_of(reps, turn))
    assert visits_of(made(customers, reps)) == visits_of(other)


@settings(max_examples=40)
@given(customer_columns(twins=False), rep_columns(same_home=False), st.randoms(use_true_random=False))
def test_renamed_customers_and_reps_give_the_same_plan(customers, reps, random):
    # between those who agree in all but their names, names must decide: places are distinct here
    places = set(zip(customers["lon"], customers["lat"], strict=True))
    assume(len(places) == len(customers["id"]))
    new = [f"n{i}" for i in range(len(customers["id"]))]
    random.shuffle(new)
    new_reps = [f"m{i}" for i in range(4)]
    random.shuffle(new_reps)
    names = dict(zip(customers["id"], new, strict=True)) | {f"R{j}": new_reps[j] for j in range(4)}
    renamed = {**customers, "id": new}
    if "owner" in customers:
        renamed["owner"] = [names[o] for o in customers["owner"]]
    if "forbidden_reps" in customers:
        renamed["forbidden_reps"] = [
            "; ".join(names[x] for x in c.split("; ") if x) for c in customers["forbidden_reps"]
        ]
    other = made(renamed, {**reps, "id": [names[i] for i in reps["id"]]})
    assert visits_of(made(customers, reps), names) == visits_of(other)


@settings(max_examples=25)
@given(customer_columns(), rep_columns(), st.integers(0, 10**6))
def test_a_twin_of_a_customer_adds_to_what_is_due(customers, reps, row):
    i = row % len(customers["id"])
    more = {name: [*values, values[i]] for name, values in customers.items()}
    more["id"][-1] = "twin"
    before, after = made(customers, reps), made(more, reps)
    assume(not isinstance(before, list) and not isinstance(after, list))
    one, two = (len(p.stops) + len(p.unassigned) for p in (before, after))
    # of the others as many as before, or a few more or less, as visits may move by their tolerance
    mine = (after.stops.customer_idx == len(more["id"]) - 1).sum() + (
        after.unassigned.customer_idx == len(more["id"]) - 1
    ).sum()
    assert (mine > 0) == (i in set(before.stops.customer_idx) | set(before.unassigned.customer_idx))
    assert two >= one or "visit_interval_days" in customers


@settings(max_examples=25)
@given(customer_columns(), rep_columns(), st.integers(0, 10**6))
def test_a_twin_of_a_customer_never_makes_totals_smaller(customers, reps, row):
    i = row % len(customers["id"])
    more = {name: [*values, values[i]] for name, values in customers.items()}
    more["id"][-1] = "twin"
    try:
        before, after = (design_territories(Customers(**c), Reps(**reps)) for c in (customers, more))
    except InputError:
        return
    for name in set(before.balance) & set(after.balance):
        assert sum(after.totals(name)) >= sum(before.totals(name))
        assert np.sum(after.targets[name]) >= np.sum(before.targets[name])


@settings(max_examples=25)
@given(st.integers(1, 12), st.integers(0, 2**32))
def test_a_world_that_is_twice_as_slow_in_days_twice_as_long_has_the_same_plan(n, seed):
    rng = np.random.default_rng(seed)
    places = {"id": [f"c{i}" for i in range(n)], "lon": 10 + rng.random(n) / 3, "lat": 50 + rng.random(n) / 3}
    home = {"id": ["R"], "lon": [10.1], "lat": [50.1]}
    seconds = np.ceil(rng.integers(60, 4000, (n + 1, n + 1)).astype(float))
    np.fill_diagonal(seconds, 0)
    service = rng.integers(600, 5000, n).astype(float)
    found = []
    for scale, shift in ((1, "Mo-Fr 08:00-14:00"), (2, "Mo-Fr 08:00-20:00")):
        travel = MatrixTravel(seconds * scale, distances_m=seconds, customer_ids=places["id"], rep_ids=["R"])
        reps = {**home, "shift": [shift]}
        # without the search, whose temperatures are seconds
        found.append(made({**places, "service_s": service * scale}, reps, travel=travel, iterations=0, weeks=1))
    one, two = found
    assert len(one.stops) == len(two.stops)
    assert one.stops.customer_idx.tolist() == two.stops.customer_idx.tolist()
    assert one.stops.day.tolist() == two.stops.day.tolist()
    assert (2 * one.stops.drive_s == two.stops.drive_s).all()


@settings(max_examples=20)
@given(customer_columns(), rep_columns())
def test_the_same_input_gives_the_same_plan(customers, reps):
    assert visits_of(made(customers, reps)) == visits_of(made(customers, reps))
