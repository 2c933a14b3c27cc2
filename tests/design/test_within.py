"""Territories that lie in given regions."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import Balance, Customers, InfeasibleError, InputError, Reps, check_alignment, design_within
from territory.design.regions import dealt_out
from territory.testing import ascii_map


def scattered(seed, n, **columns):
    rng = np.random.default_rng(seed)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=rng.uniform(8, 12, n), lat=rng.uniform(48, 52, n),
        workload_s=rng.integers(600, 7200, n), **columns,
    )  # fmt: skip


def quarters(customers):
    east, north = customers.lon > 10, customers.lat > 50
    return [f"{'N' if n else 'S'}{'E' if e else 'W'}" for e, n in zip(east, north, strict=True)]


@given(st.integers(1, 60), st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_seats_are_dealt_out_by_quota(n, weights, seed):
    share = np.array(weights, dtype=float)
    most = np.random.default_rng(seed).integers(1, 30, len(share))
    n = max(len(share), min(n, int(most.sum())))
    seats = dealt_out(n, share, most)
    assert seats.sum() == n
    assert (seats >= 1).all()
    assert (seats <= most).all()
    due = n * share / share.sum() if share.any() else np.full(len(share), n / len(share))
    if (due >= 1).all() and (due <= most).all():
        assert (np.abs(seats - due) < 1).all()  # the quota rule of largest remainders


def test_every_territory_lies_in_one_region():
    customers = scattered(0, 200)
    region = np.array(quarters(customers))
    made = design_within(customers, by=region, n_territories=11, balance={"workload_s": 0.15})
    assert len(made) == 11
    for j, name in enumerate(made.territory_id.tolist()):
        assert set(region[made.territory_idx == j]) == {name.rpartition("-")[0]}
    per = {name: sum(t.startswith(name + "-") for t in made.territory_id.tolist()) for name in set(region)}
    work = {name: customers.workload_s[region == name].sum() * 11 / customers.workload_s.sum() for name in per}
    assert all(abs(per[name] - work[name]) < 1 for name in per)
    for name in per:  # shares of its region
        inside = [t.startswith(name + "-") for t in made.territory_id.tolist()]
        totals = made.totals("workload_s")[inside]
        assert np.abs(totals / totals.mean() - 1).max() <= 0.15 + 1e-9
    assert check_alignment(made).ok
    assert made.bound <= made.objective
    assert made.report_dict()["parts"].tolist() == [1] * 11


def test_connected_by_networkx_and_exclaves_hang_on_their_region():
    drawn = ascii_map("""
    aaabbbb
    aaabbbb
    aaaabba
    """)
    region = [drawn.letters[j] for j in drawn.expected]
    made = design_within(drawn.customers, by=region, n_territories={"a": 2, "b": 2}, balance={"count": 0.35})
    graph = nx.Graph()
    graph.add_nodes_from(range(len(made.graph)))
    graph.add_edges_from(made.graph.edges.tolist())
    assert len(made.graph.site) == len(drawn.customers)
    for j in range(4):
        assert nx.is_connected(graph.subgraph(made.graph.site[made.territory_idx == j].tolist()))
    for s, t in made.graph.edges.tolist():
        ends = [region[np.flatnonzero(made.graph.site == x)[0]] for x in (s, t)]
        assert ends[0] == ends[1]


def test_one_region_changes_nothing_in_another():
    customers = scattered(1, 160)
    region = np.array(quarters(customers), dtype=object)
    counts = dict.fromkeys(set(region), 3)
    one = design_within(customers, by=region, n_territories=counts, balance={"workload_s": 0.2})
    two = design_within(customers, by=region, n_territories=counts | {"NE": 4}, balance={"workload_s": 0.2})
    rest = region != "NE"
    assert one.to_dict()["territory_id"][rest].tolist() == two.to_dict()["territory_id"][rest].tolist()
    assert sorted(t for t in two.territory_id.tolist() if t.startswith("NE")) == [f"NE-{j}" for j in (1, 2, 3, 4)]


def test_columns_of_text_and_words():
    customers = scattered(2, 40, segment=["A", "B"] * 20, channel=["field"] * 30 + ["inside"] * 10)
    by_segment = design_within(customers, by="segment", n_territories=4)
    assert {t[0] for t in by_segment.territory_id.tolist()} == {"A", "B"}
    by_channel = design_within(customers, by="channel", n_territories=2)
    assert set(by_channel.territory_id.tolist()) == {"field-1", "inside-1"}


def test_reps_work_in_the_region_of_their_team():
    customers = scattered(3, 120, required_skills=["fire"] * 3 + [""] * 117)
    region = np.array(quarters(customers))
    rng = np.random.default_rng(1)
    team = ["NW", "SW", "NE", "SE"] * 2
    reps = Reps(
        id=[f"R{j}" for j in range(8)], lon=rng.uniform(8, 12, 8), lat=rng.uniform(48, 52, 8), team=team,
        capacity_s=[144_000.0] * 4 + [72_000.0] * 4, skills=["fire"] * 8,
    )  # fmt: skip
    balance = {"workload_s": Balance(tolerance=0.2, share={"R0": 0.9})}
    made = design_within(customers, reps, by=region, balance=balance)
    assert made.territory_id.tolist() == reps.id.tolist()
    assert made.rep_idx.tolist() == list(range(8))
    for i in range(120):
        assert team[made.customer_rep_idx[i]] == region[i]
    assert made.targets["workload_s"][1] == pytest.approx(2 * made.targets["workload_s"][5])
    assert made.targets["workload_s"][0] == pytest.approx(0.9 * 2 * made.targets["workload_s"][4])


def test_given_graphs_limits_and_no_contiguity():
    customers = scattered(4, 30)
    region = ["W" if x < 10 else "E" for x in customers.lon]
    chain = [customers.id[i] for i in np.lexsort((customers.lon, region))]
    pairs = list(pairwise(chain))
    most = customers.workload_s.sum() / 3
    made = design_within(
        customers, by=region, n_territories=4, contiguous=pairs, balance={"workload_s": Balance(at_most=most)}
    )
    assert made.totals("workload_s").max() <= most
    assert made.rules.limits["workload_s"].shape == (4, 2)
    loose = design_within(customers, by=region, n_territories=4, contiguous=False)
    assert loose.graph is None
    assert not loose.contiguous


def test_rows_permuted_give_the_same_territories():
    customers = scattered(5, 90)
    order = np.random.default_rng(0).permutation(90)
    one, two = (
        design_within(c, by=quarters(c), n_territories=9).to_dict()["territory_id"]
        for c in (customers, customers.take(order))
    )
    assert one[order].tolist() == two.tolist()


def test_infeasible_regions_are_named_all_at_once():
    customers = Customers(
        id=list("abcdef"), lon=[1, 2, 3, 7, 8, 9], lat=[50] * 6, workload_s=[9000, 100, 100, 100, 9000, 100]
    )
    with pytest.raises(InfeasibleError) as caught:
        design_within(customers, by=list("WWWEEE"), n_territories=4, balance={"workload_s": 0.1})
    assert [p.rows for p in caught.value.reasons] == [(4,), (0,)]
    assert "region E" in str(caught.value)
    assert "region W" in str(caught.value)


REPS = Reps(id=["R1", "R2"], lon=[9, 11], lat=[50, 50], team=["W", "X"])


@pytest.mark.parametrize(
    ("args", "options", "code"),
    [
        ((), {"by": "region", "n_territories": 2}, "unknown-column"),
        ((), {"by": "workload_s", "n_territories": 2}, "unknown-column"),
        ((), {"by": ["W"], "n_territories": 2}, "wrong-shape"),
        ((), {"by": [1, 2, 3, 4], "n_territories": 2}, "bad-region"),
        ((), {"by": 7, "n_territories": 2}, "bad-region"),
        ((), {"by": ["W", "", "W", "E"], "n_territories": 2}, "no-region"),
        ((), {"by": list("WWEE")}, "missing-parameter"),
        ((), {"by": list("WWEE"), "n_territories": 0}, "bad-count"),
        ((), {"by": list("WWEE"), "n_territories": 2.5}, "bad-count"),
        ((), {"by": list("WWEE"), "n_territories": 1}, "too-few-territories"),
        ((), {"by": list("WWEE"), "n_territories": 5}, "too-many-territories"),
        ((), {"by": list("WWEE"), "n_territories": {"W": 1}}, "region-without-territory"),
        ((), {"by": list("WWEE"), "n_territories": {"W": 1, "E": 1, "X": 1}}, "unknown-region"),
        ((), {"by": list("WWEE"), "n_territories": {"W": 3, "E": 1}}, "too-many-territories"),
        ((), {"by": list("WWEE"), "n_territories": 2, "balance": {"x": 0.1}}, "unknown-measure"),
        ((), {"by": list("WWEE"), "n_territories": 2, "together": [["c0", "c1"]]}, "unknown-option"),
        ((), {"by": list("WWEE"), "n_territories": 2, "time_limit_s": 0}, "bad-time-limit"),
        ((), {"by": list("WWEE"), "n_territories": 2, "contiguous": "rook"}, "no-geometry"),
        ((), {"by": list("WWEE"), "n_territories": 2, "bridges": [("c0", "c9")]}, "unknown-id"),
        ((), {"by": list("WWEE"), "n_territories": 2, "bridges": ["c0c1"]}, "not-pairs"),
        ((), {"by": list("WWEE"), "n_territories": 2, "bridges": 5}, "not-pairs"),
        ((), {"by": list("WWEE"), "n_territories": 2, "centers": "homes"}, "missing-reps"),
        ((REPS,), {"by": list("WWEE")}, "unknown-region"),
        ((REPS,), {"by": list("WWEE")}, "region-without-territory"),
        ((REPS,), {"by": list("WWXX"), "n_territories": 2}, "bad-count"),
        ((Reps(id=["R1"], lon=[9], lat=[50]),), {"by": list("WWWW")}, "missing-column"),
    ],
)
def test_faults(args, options, code):
    customers = Customers(id=["c0", "c1", "c2", "c3"], lon=[1, 2, 3, 4], lat=[50] * 4)
    with pytest.raises(InputError) as caught:
        design_within(customers, *args, **options)
    assert code in caught.value.codes


def test_a_lock_to_a_rep_of_another_region_is_named():
    customers = Customers(
        id=["c0", "c1", "c2"], lon=[1, 2, 3], lat=[50] * 3, owner=["R1", "", "R1"], locked=[True, False, True]
    )
    with pytest.raises(InputError, match="region X: locked to owners who are no reps") as caught:
        design_within(customers, REPS, by=list("WXX"))
    assert caught.value.problems[0].rows == (2,)


def test_barriers_and_bridges_between_customers_of_a_region():
    drawn = ascii_map("""
    aa#aa
    bb#bb
    """)
    region = [drawn.letters[j] for j in drawn.expected]
    ids = drawn.customers.id.tolist()
    cut = list(drawn.barriers)
    with pytest.raises(InfeasibleError):
        design_within(drawn.customers, by=region, n_territories=2, barriers=cut)
    west, east = (next(i for i, r in zip(order, [region[ids.index(i)] for i in order], strict=True) if r == "a")
                  for order in (ids, ids[::-1]))  # fmt: skip
    low = [i for i in ids if region[ids.index(i)] == "b"]
    made = design_within(
        drawn.customers, by=region, n_territories=2, barriers=cut, bridges=[(west, east), (low[0], low[-1])]
    )
    assert sorted(made.territory_id.tolist()) == ["a-1", "b-1"]


def test_an_empty_table():
    with pytest.raises(InputError, match="no-customers"):
        design_within(Customers(id=[], lon=[], lat=[]), by=[], n_territories=1)
