from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import Alignment, Customers, InfeasibleError, InputError, Reps, check_alignment, design_territories
from territory.geo.barriers import read_barriers
from territory.geo.contiguity import graph_of_points

KIND = {
    "unbalanced": "balance",
    "not-contiguous": "contiguity",
    "lock-broken": "lock",
    "skill-missing": "skill",
    "rep-forbidden": "forbidden-rep",
}


def line(labels, *, balance=None, contiguous=False, reps=None, **columns):
    """Customers on the equator, a tenth of a degree apart; a letter each for its territory."""
    n = len(labels)
    customers = Customers(id=[f"c{i}" for i in range(n)], lon=[10 + i / 10 for i in range(n)], lat=[0.0] * n, **columns)
    frame = {"customer_id": customers.id, "territory_id": list(labels)}
    found = Alignment.from_frame(frame, customers=customers, reps=reps)
    return replace(found, balance=balance or {}, contiguous=contiguous)


def limits(explanation, territory_id):
    return {x.kind for x in next(a for a in explanation.alternatives if a.territory_id == territory_id).limits}


def test_balance_and_which_territory_and_measure():
    found = line("AAABBB", balance={"count": 0.2, "potential": 9.0}, measures={"potential": [1] * 6})
    told = found.explain("c2")
    assert [(x.kind, x.territory_id, x.measure) for x in told.second_best.limits] == [
        ("balance", "B", "count"),
        ("balance", "A", "count"),
    ]
    assert "territory B would have 4 of count, +33.3% off its target, where 20.0% are allowed" in str(told)
    assert told.best_allowed is None
    wide = replace(found, balance={"count": 0.4}).explain("c2")
    assert wide.best_allowed is wide.second_best
    assert str(wide).endswith("%.")
    # what only mends a balance that is broken is not forbidden by it
    uneven = line("AAAAB", balance={"count": 0.1}).explain("c3")
    assert limits(uneven, "B") == set()
    assert "nothing forbids it" in str(uneven)


def test_contiguity_of_the_one_left_and_of_the_one_joined():
    found = line("AAABBBCCC", contiguous=True)
    assert limits(found.explain("c1"), "B") == {"contiguity"}  # the middle of A, and not beside B
    assert limits(found.explain("c2"), "B") == set()
    told = found.explain("c2")
    assert limits(told, "C") == {"contiguity"}
    assert (
        "cut off from the rest of territory C"
        in next(a for a in told.alternatives if a.territory_id == "C").limits[0].text
    )
    middle = found.explain("c4")
    assert [x.territory_id for x in middle.second_best.limits] == ["B", middle.second_best.territory_id]
    assert "territory B would fall apart without it" in str(found.explain("c4"))
    assert limits(replace(found, contiguous=False).explain("c1"), "B") == set()


def test_co_located_customers_hold_each_other():
    customers = Customers(id=["a", "b", "b2", "c", "d"], lon=[10, 10.1, 10.1, 10.2, 10.3], lat=[0.0] * 5)
    frame = {"customer_id": customers.id, "territory_id": ["A", "A", "A", "A", "B"]}
    found = replace(Alignment.from_frame(frame, customers=customers), contiguous=True)
    # another of its territory stays on the spot, so that nothing falls apart; but B is not beside it
    assert [x.territory_id for x in found.explain("b").alternatives[0].limits] == ["B"]
    frame["territory_id"] = ["A", "A", "B", "B", "B"]
    found = replace(Alignment.from_frame(frame, customers=customers), contiguous=True)
    told = found.explain("b")
    assert told.co_located == ("B",)
    assert told.best_allowed.territory_id == "B"
    assert str(told).endswith("On the same spot there are customers of B.")


def test_locks_skills_and_forbidden_reps():
    reps = Reps(id=["A", "B"], lon=[10, 10.5], lat=[0, 0], skills=[["crane"], []])
    found = line(
        "AAABBB",
        reps=reps,
        owner=["A", "", "", "", "", ""],
        locked=[True] + [False] * 5,
        required_skills=[[], ["crane"], [], [], [], []],
        forbidden_reps=[[], [], ["B"], [], [], []],
    )
    assert limits(found.explain("c0"), "B") == {"lock"}
    assert limits(found.explain("c1"), "B") == {"skill"}
    assert "rep B lacks crane" in str(found.explain("c1"))
    assert limits(found.explain("c2"), "B") == {"forbidden-rep"}
    assert limits(found.explain("c3"), "A") == set()
    assert str(found.explain("c0")) == "c0 is locked to its owner, in territory A (rep A), 11 km from the centre."


def test_the_rise_is_that_of_the_objective():
    found = line("AAABBB", measures={"potential": [1, 2, 3, 4, 5, 6]}, balance={"potential": 9.0})
    told = found.explain("c2")
    km = np.array([0.1, 0.2]) * 111.195  # from the centres at 10.1 and 10.4 degrees
    assert told.distance_km == pytest.approx(km[0], rel=1e-4)
    assert told.second_best.distance_km == pytest.approx(km[1], rel=1e-4)
    assert told.second_best.rise_m2 == pytest.approx(3 / 21 * (km[1] ** 2 - km[0] ** 2) * 1e6, rel=1e-3)
    nearer = line("ABAABB").explain("c1")
    assert "1 is nearer" in str(nearer)
    assert nearer.second_best.rise_m2 < 0


def test_in_no_territory_alone_and_unknown():
    found = line(["A", "A", ""])
    assert str(found.explain("c2")) == "c2 is in no territory: not served in the table that was read."
    assert found.explain("c2").alternatives == ()
    assert found.explain("c0").second_best is None
    assert str(found.explain("c0")).endswith("its centre is the nearest.")
    assert json.loads(json.dumps(found.explain("c0").to_dict()))["territory_id"] == "A"
    with pytest.raises(InputError):
        found.explain("nobody")


@st.composite
def alignments(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n, k = draw(st.integers(6, 24)), draw(st.integers(2, 4))
    with_reps = draw(st.booleans())
    spots = rng.integers(0, 6, (n, 2))  # a grid: some share a spot
    reps = None
    columns = {}
    if with_reps:
        ids = [f"r{j}" for j in range(k)]
        reps = Reps(
            id=ids,
            lon=rng.uniform(10, 10.6, k),
            lat=rng.uniform(50, 50.6, k),
            skills=[["x"] if rng.random() < 0.7 else [] for _ in ids],
        )
        owner = [ids[rng.integers(k)] for _ in range(n)]
        columns = {
            "owner": owner,
            "locked": rng.random(n) < 0.15,
            "forbidden_reps": [[ids[rng.integers(k)]] if rng.random() < 0.15 else [] for _ in range(n)],
            "required_skills": [["x"] if rng.random() < 0.1 and len(reps.skills.cells) > 1 else [] for _ in range(n)],
        }
        columns["locked"] &= [o not in f for o, f in zip(owner, columns["forbidden_reps"], strict=True)]
    customers = Customers(
        id=[f"c{i}" for i in range(n)],
        lon=10 + spots[:, 0] / 10,
        lat=50 + spots[:, 1] / 10,
        measures={"potential": rng.integers(1, 10, n)},
        **columns,
    )
    try:
        return design_territories(
            customers,
            reps,
            n_territories=k,
            balance={"potential": draw(st.sampled_from([0.3, 0.8])), "count": 0.8},
            contiguous=draw(st.booleans()),
            time_limit_s=5,
        )
    except (InfeasibleError, InputError):  # another draw will do
        return None


@settings(max_examples=40, deadline=None)
@given(alignments())
def test_every_reason_is_what_the_check_finds_after_the_move(made):
    if made is None:
        return
    for i, name in enumerate(made.customers.id.tolist()):
        if made.territory_idx[i] < 0:
            continue
        for other in made.explain(name).alternatives:
            moved = made.territory_idx.copy()
            moved[i] = made.territory_id.tolist().index(other.territory_id)
            after = replace(made, territory_idx=moved, objective=made.objective + other.rise_m2, bound=None)
            found = {v.code for v in check_alignment(after)}
            assert {KIND[code] for code in found} == {limit.kind for limit in other.limits}
            assert other.allowed == (not found)


def test_a_territory_without_a_piece_on_an_island_may_take_one_there():
    # two islands: the barrier cuts c3 from c4
    found = line("AAABBC")
    wall = {"type": "LineString", "coordinates": [[10.35, -1.0], [10.35, 1.0]]}
    for islands, allowed in (("parts", set()), ("refuse", {"contiguity"})):
        graph = graph_of_points(
            found.customers.lon, found.customers.lat, barriers=read_barriers(wall), islands=islands
        )  # fmt: skip
        a = replace(found, contiguous=True, graph=graph)
        # C is on the other island only, and A as well has nobody there
        assert limits(a.explain("c2"), "C") == allowed
        assert limits(a.explain("c5"), "A") == allowed
        # B has a piece on either island: beside it, or not
        assert limits(a.explain("c1"), "B") == {"contiguity"}
