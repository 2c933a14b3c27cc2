"""Realignment from end to end: balance with the least change, point by point."""

from __future__ import annotations

import itertools
import pickle

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import (
    Alignment,
    Customers,
    InfeasibleError,
    Realignment,
    Reps,
    check_alignment,
    contiguity_graph,
    design_territories,
    realign,
)
from territory.testing import ascii_map, assert_drawn


def scattered(seed, n, **columns):
    rng = np.random.default_rng(seed)
    work = rng.integers(600, 3600, n).astype(float)
    return Customers(
        id=[f"c{i}" for i in range(n)],
        lon=rng.uniform(8, 12, n),
        lat=rng.uniform(48, 52, n),
        workload_s=work,
        **columns,
    )


def with_work(customers, work):
    return Customers(id=customers.id, lon=customers.lon, lat=customers.lat, workload_s=work)


def held(label, work, k):
    return np.bincount(label, work, k)


@pytest.fixture(scope="module")
def drifted():
    """Return an alignment of 600 customers in 12, and the same customers after work moved from west to east."""
    customers = scattered(3, 600)
    before = design_territories(customers, n_territories=12, balance={"workload_s": 0.05})
    east = (customers.lon - 8) / 4
    return before, with_work(customers, np.round(customers.workload_s * (0.85 + 0.3 * east)))


@pytest.fixture(scope="module")
def answer(drifted):
    before, customers = drifted
    return realign(before, customers=customers)


def test_balance_comes_back_with_fewer_changes_than_a_new_design(drifted, answer):
    before, customers = drifted
    load = held(before.territory_idx, customers.workload_s, 12)
    assert np.abs(load / load.mean() - 1).max() > 0.08
    load = held(answer.alignment.territory_idx, customers.workload_s, 12)
    assert np.abs(load / load.mean() - 1).max() <= 0.05 + 1e-9
    assert check_alignment(answer.alignment).ok
    assert answer.alignment.contiguous
    assert answer.alignment.territory_id.tolist() == before.territory_id.tolist()
    fresh = design_territories(customers, n_territories=12, balance={"workload_s": 0.05})
    # whatever the new ones are called: each customer of today's territories that the best naming keeps
    both = np.zeros((12, 12))
    np.add.at(both, (before.territory_idx, fresh.territory_idx), customers.workload_s)
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    kept = both[linear_sum_assignment(-both)].sum() / both.sum()
    assert answer.curve["moved_share"][answer.chosen] < 0.7 * (1 - kept)


def test_no_change_is_the_input(drifted, answer):
    before, customers = drifted
    for found in (
        realign(before, customers=customers, max_moved=0),
        realign(before, customers=customers, max_moved_share=0.0),
    ):
        assert len(found) == 1
        assert found.alignment.territory_idx.tolist() == before.territory_idx.tolist()
        assert found.alignment.territory_id.tolist() == before.territory_id.tolist()
        assert "balance-not-reached" in {p.code for p in found.alignment.diagnostics}
        assert check_alignment(found.alignment).ok
        assert len(found.moves_dict()["customer_id"]) == 0
    assert answer.at(0).territory_idx.tolist() == before.territory_idx.tolist()


def assert_monotone(found):
    curve = found.curve
    assert curve["moved"][0] == 0
    assert (np.diff(curve["change_cost"]) > 0).all()
    assert (np.diff(curve["violation"]) <= 1e-12).all()
    assert (np.diff(curve["torn"]) <= 0).all()
    within = curve["violation"] <= 0
    assert (np.diff(within.astype(int)) >= 0).all()
    assert (np.diff(curve["objective"][within]) < 0).all()
    for name, wanted in found.balance.items():
        assert (np.diff(np.maximum(curve[f"{name}_deviation"], wanted)) <= 1e-9).all()


def test_the_curve_is_monotone_and_tells_the_truth(drifted, answer):
    before, customers = drifted
    assert_monotone(answer)
    assert len(answer) > 8
    work = customers.workload_s
    for i in range(len(answer)):
        alignment = answer.at(i)
        moved = alignment.territory_idx != before.territory_idx
        assert answer.curve["moved"][i] == moved.sum()
        assert answer.curve["moved_share"][i] == pytest.approx(work[moved].sum() / work.sum())
        assert answer.curve["change_cost"][i] == pytest.approx(work[moved].sum())
        load = held(alignment.territory_idx, work, 12)
        assert answer.curve["workload_s_deviation"][i] == pytest.approx(np.abs(load / load.mean() - 1).max())
        assert alignment.objective == pytest.approx(answer.curve["objective"][i], rel=1e-4)
        assert check_alignment(alignment).ok


def test_every_territory_hangs_together_at_every_point(drifted, answer):
    _, customers = drifted
    graph = contiguity_graph(customers)
    net = nx.Graph()
    net.add_nodes_from(range(len(customers)))
    net.add_edges_from(graph.edges.tolist())  # nobody shares a spot: sites are customers
    for i in range(len(answer)):
        for j in range(12):
            assert nx.is_connected(net.subgraph(np.flatnonzero(answer.labels[i] == j).tolist()))


def test_points_by_share_and_by_balance(answer):
    share = answer.curve["moved_share"]
    i = answer.point(moved_share=0.05)
    assert share[i] <= 0.05
    assert i == len(answer) - 1 or share[i + 1] > 0.05
    assert answer.point(balance=0.05) == answer.chosen
    assert answer.at(answer.chosen) is answer.alignment
    assert answer.at(-1).territory_idx.tolist() == answer.labels[-1].tolist()


@settings(max_examples=8)
@given(st.integers(0, 1000))
def test_caps_and_locks_are_kept_at_every_point(drifted, seed):
    before, customers = drifted
    rng = np.random.default_rng(seed)
    share, number = float(rng.uniform(0.0, 0.1)), int(rng.integers(0, 60))
    ids = rng.choice(customers.id.tolist(), 100, replace=False).tolist()
    found = realign(before, customers=customers, max_moved_share=share, max_moved=number, locked=ids)
    still = customers.positions(ids)
    assert (found.labels[:, still] == before.territory_idx[still]).all()
    assert (found.curve["moved_share"] <= share + 1e-9).all()
    assert (found.curve["moved"] <= number).all()
    assert_monotone(found)
    # more is reached with more
    free = realign(before, customers=customers, locked=ids)
    assert free.curve["violation"][-1] <= found.curve["violation"][-1] + 1e-9


def test_locked_customers_of_the_table_stay(drifted):
    before, customers = drifted
    locked = np.zeros(600, dtype=bool)
    locked[::5] = True
    owners = before.territory_id[before.territory_idx].tolist()
    table = Customers(
        id=customers.id, lon=customers.lon, lat=customers.lat, workload_s=customers.workload_s, owner=owners,
        locked=locked,
    )  # fmt: skip
    found = realign(before, customers=table)
    assert (found.labels[:, ::5] == before.territory_idx[::5]).all()
    assert found.curve["balanced"][found.chosen]
    assert check_alignment(found.alignment).ok


def test_what_is_balanced_already_stays_as_it_is(drifted, answer):
    before, _ = drifted
    assert realign(before).chosen == 0
    again = realign(answer.alignment)
    assert again.chosen == 0
    assert again.alignment.territory_idx.tolist() == answer.alignment.territory_idx.tolist()


def test_rows_in_another_order_give_the_same_answer(drifted, answer):
    before, customers = drifted
    order = np.random.default_rng(1).permutation(600)
    shuffled = realign(before, customers=customers.take(order))
    assert shuffled.labels.tolist() == answer.labels[:, order].tolist()
    again = realign(before, customers=customers)
    assert again.labels.tolist() == answer.labels.tolist()


def test_units_of_work_do_not_matter(drifted, answer):
    before, customers = drifted
    found = realign(before, customers=with_work(customers, customers.workload_s * 8))
    assert found.labels.tolist() == answer.labels.tolist()


# -- the least change ----------------------------------------------------------------------


def least_change(before, work, fee, lower, upper, net):
    """Return the least cost of a change to balance, of all assignments; None where there is none."""
    k, n = len(lower), len(work)
    best = None
    for label in itertools.product(range(k), repeat=n):
        at = np.array(label)
        load = np.bincount(at, work, k)
        if (load < lower - 1e-9).any() or (load > upper + 1e-9).any():
            continue
        cost = float(fee[at != before].sum())
        if best is not None and cost >= best - 1e-12:
            continue
        if all(nx.is_connected(net.subgraph(np.flatnonzero(at == j).tolist())) for j in range(k) if (at == j).any()):
            best = cost
    return best


@pytest.mark.parametrize("seed", range(12))
def test_no_cheaper_change_exists_among_a_few(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(6, 9)), int(rng.integers(2, 4))
    customers = scattered(seed, n)
    net = nx.Graph(contiguity_graph(customers).edges.tolist())
    net.add_nodes_from(range(n))
    # connected to begin with: everybody goes to one of k first customers, beside whom he stands
    label = np.full(n, -1)
    label[rng.permutation(n)[:k]] = np.arange(k)
    while (label < 0).any():
        i, j = rng.choice(np.flatnonzero(label < 0)), rng.integers(n)
        if label[j] >= 0 and net.has_edge(int(i), int(j)):
            label[i] = label[j]
    before = Alignment.from_frame(
        {"customer_id": customers.id.tolist(), "territory_id": [f"T{j}" for j in label]}, customers=customers
    )
    start, work, fee = before.territory_idx, customers.workload_s, rng.integers(1, 9, n).astype(float)
    target = work.sum() / k
    best = least_change(start, work, fee, np.full(k, 0.7 * target), np.full(k, 1.3 * target), net)
    found = realign(before, balance={"workload_s": 0.3}, change_cost=fee, contiguous=True, max_moved=n)
    if best is None:
        assert not found.curve["balanced"].any()
    else:
        assert found.curve["balanced"][found.chosen]
        assert found.curve["change_cost"][found.chosen] == pytest.approx(best)


def test_those_who_cost_less_go():
    customers = Customers(id=list("abcd"), lon=[5, 6, 7, 8], lat=[0, 0, 0.1, 0], measures={"tenure": [1.0, 1, 9, 1]})
    today = {"customer_id": list("abcd"), "territory_id": ["w", "w", "w", "e"]}
    before = Alignment.from_frame(today, customers=customers)
    assert realign(before, balance={"count": 0.0}).moves_dict()["customer_id"].tolist() == ["c"]
    found = realign(before, balance={"count": 0.0}, change_cost="tenure")
    assert found.moves_dict()["customer_id"].tolist() in (["a"], ["b"])
    assert found.curve["change_cost"][found.chosen] == 1


# -- maps ----------------------------------------------------------------------------------


def test_load_is_passed_along_a_chain():
    today = ascii_map("AAAAAABBBBCC")
    found = realign(today.alignment(), balance={"count": 0.0})
    assert_drawn(found.alignment, ascii_map("AAAABBBBCCCC"))
    moves = found.moves_dict()
    assert dict(zip(moves["customer_id"], moves["code"], strict=True)) == {
        "r0c4": "over-limit", "r0c5": "over-limit", "r0c8": "under-limit", "r0c9": "under-limit",
    }  # fmt: skip
    assert found.curve["moved"][found.chosen] == 4


def test_those_in_between_hand_on_what_they_get():
    found = realign(ascii_map("AAAAAABBBBCCCCDD").alignment(), balance={"count": 0.0})
    assert_drawn(found.alignment, ascii_map("AAAABBBBCCCCDDDD"))
    moves = found.moves_dict()
    chain = [text for code, text in zip(moves["code"], moves["reason"], strict=True) if code == "chain"]
    assert (
        chain == ["part of a chain that passes load from A to D: A was 50.0% of its target above the most of count"] * 2
    )


def test_torn_territories_are_joined_up():
    torn = ascii_map("""
        AAABBA
        AAABBB
        AAABBB
    """)
    before = torn.alignment(graph=torn.graph("rook"))
    found = realign(before, balance={"count": 0.2})
    assert_drawn(found.alignment, ascii_map("AAABBB/AAABBB/AAABBB"))
    assert found.moves_dict()["code"].tolist() == ["contiguity"]
    assert found.curve["torn"].tolist()[:2] == [1, 0]
    still = realign(before, balance={"count": 0.2}, max_moved=0)
    assert still.alignment.territory_idx.tolist() == before.territory_idx.tolist()
    assert "not-contiguous" in {p.code for p in still.alignment.diagnostics}
    assert not still.alignment.contiguous


def test_a_lake_is_in_the_way():
    lake = ascii_map("""
        AAAAA#BB
        AAAAA#BB
        AAAAABBB
    """)
    before = lake.alignment(graph=lake.graph("rook"))
    found = realign(before, balance={"count": 0.15})
    assert check_alignment(found.alignment).ok
    assert found.curve["balanced"][found.chosen]
    # the way round the lake is along the last row
    assert "r2c4" in found.moves_dict()["customer_id"]


# -- territories that come and go ----------------------------------------------------------


def test_a_rep_leaves(drifted):
    before, _ = drifted
    gone = before.territory_id[4]
    found = realign(before, remove=[gone], balance={"workload_s": 0.1}, max_moved_share=1.0)
    assert found.territory_id.tolist() == [t for t in before.territory_id.tolist() if t != gone]
    assert check_alignment(found.alignment).ok
    assert found.curve["balanced"][found.chosen]
    moves = found.moves_dict()
    left = moves["from_territory"] == gone
    assert left.sum() == (before.territory_idx == 4).sum()
    assert set(moves["code"][left]) == {"territory-dissolved"}
    assert not moves["change_cost"][left].any()
    assert found.curve["moved"][found.chosen] == (~left).sum()
    assert found.curve["moved_share"][found.chosen] < 0.12
    # without further changes all others stay where they were
    first = found.at(0)
    others = before.territory_idx != 4
    ids = first.territory_id[first.territory_idx[others]].tolist()
    assert ids == before.territory_id[before.territory_idx[others]].tolist()


def test_reps_who_came_left_and_followed():
    customers = scattered(5, 200)
    reps = Reps(id=["R1", "R2", "R3", "R4"], lon=[9, 11, 9, 11], lat=[49, 49, 51, 51])
    before = design_territories(customers, reps, balance={"workload_s": 0.1})
    now = Reps(id=["R1", "R5", "R4", "R6"], lon=[9, 11, 11, 10], lat=[49, 49, 51, 50])
    found = realign(before, reps=now, successors={"R2": "R5"}, balance={"workload_s": 0.1})
    # R3 is gone; R5 follows R2, whose territory keeps its name; R6 is new
    assert found.territory_id.tolist() == ["R1", "R2", "R4", "R6"]
    assert [now.id[r] for r in found.rep_idx] == ["R1", "R5", "R4", "R6"]
    assert check_alignment(found.alignment).ok
    moves = found.moves_dict()
    left = moves["from_territory"] == "R3"
    assert left.sum() == (before.territory_idx == 2).sum()
    assert set(moves["code"][left]) == {"territory-dissolved"}
    assert np.bincount(found.alignment.territory_idx, minlength=4).min() > 20


def test_a_territory_is_added_where_it_is_asked_for():
    customers = scattered(6, 300)
    before = design_territories(customers, n_territories=5, balance={"workload_s": 0.1})
    found = realign(before, add={"new": (9.0, 49.0)}, balance={"workload_s": 0.1})
    assert found.territory_id.tolist()[-1] == "new"
    assert check_alignment(found.alignment).ok
    j = len(found.territory_id) - 1
    assert abs(found.alignment.center_lon[j] - 9.0) < 0.8
    assert abs(found.alignment.center_lat[j] - 49.0) < 0.8
    assert check_alignment(realign(before, add=["new"], balance={"workload_s": 0.1}).alignment).ok


def test_split_and_merge():
    today = ascii_map("AAAAAAAABBBBCCCC").alignment()
    found = realign(today, split={"A": "A2"}, balance={"count": 0.0})
    assert_drawn(found.alignment, ascii_map("AAAABBBBCCCCDDDD"))
    assert found.territory_id.tolist() == ["A", "B", "C", "A2"]
    assert found.moves_dict()["code"].tolist() == ["split"] * 4
    assert found.curve["moved"][found.chosen] == 0
    found = realign(ascii_map("AAAABBCCDDDD").alignment(), merge=[("B", "C")], balance={"count": 0.0})
    assert_drawn(found.alignment, ascii_map("AAAABBBBCCCC"))
    assert found.territory_id.tolist() == ["A", "B", "D"]
    assert found.moves_dict()["code"].tolist() == ["merged"] * 2


def test_customers_come_and_go(drifted):
    before, customers = drifted
    rng = np.random.default_rng(0)
    keep = np.sort(rng.permutation(600)[:570])
    new = Customers(
        id=[*customers.id[keep].tolist(), "n1", "n2"], lon=[*customers.lon[keep], 9.0, 11.0],
        lat=[*customers.lat[keep], 49.0, 51.0], workload_s=[*customers.workload_s[keep], 1000.0, 1000.0],
    )  # fmt: skip
    found = realign(before, customers=new)
    notes = {p.code: p for p in found.diagnostics}
    assert notes["customers-gone"].count == 30
    assert notes["customers-new"].count == 2
    assert (found.labels >= 0).all()
    assert (found.labels[0][:570] == before.territory_idx[keep]).all()
    moves = found.moves_dict()
    assert moves["code"][np.isin(moves["customer_id"], ["n1", "n2"])].tolist() == ["new-customer"] * 2
    assert check_alignment(found.alignment).ok


def test_several_measures_at_once():
    rng = np.random.default_rng(2)
    customers = scattered(2, 400, measures={"potential": rng.lognormal(0, 0.6, 400)})
    before = design_territories(customers, n_territories=6, balance={"workload_s": 0.05})
    found = realign(before, balance={"workload_s": 0.06, "potential": 0.06})
    for name in ("workload_s", "potential"):
        total = found.alignment.totals(name)
        assert np.abs(total / total.mean() - 1).max() <= 0.06 + 1e-9
    assert_monotone(found)
    assert check_alignment(found.alignment).ok


def test_skills_are_kept():
    rng = np.random.default_rng(4)
    picky = rng.random(200) < 0.2
    customers = scattered(4, 200, required_skills=["lift" if p else "" for p in picky])
    reps = Reps(id=["R1", "R2", "R3"], lon=[9, 10, 11], lat=[50, 50, 50], skills=["lift", "lift", ""])
    before = design_territories(customers, reps, balance={"workload_s": 0.05})
    work = np.round(customers.workload_s * np.where(customers.lon < 10, 1.4, 0.9))
    table = scattered(4, 200, required_skills=["lift" if p else "" for p in picky])
    table = Customers(
        id=table.id, lon=table.lon, lat=table.lat, workload_s=work, required_skills=["lift" if p else "" for p in picky]
    )
    found = realign(before, customers=table, balance={"workload_s": 0.05})
    assert not (found.labels[:, picky] == 2).any()
    assert check_alignment(found.alignment).ok


# -- what cannot be, and what it says ------------------------------------------------------


def test_a_hard_balance_that_cannot_be():
    before = ascii_map("AAABB").alignment()
    with pytest.raises(InfeasibleError) as caught:
        realign(before, balance={"count": 0.1})
    assert caught.value.reasons[0].code == "balance-not-reached"
    # with a cap, or no demand, the best that there is
    assert not realign(before, balance={"count": 0.1}, max_moved=5).curve["balanced"].any()
    with pytest.raises(InfeasibleError, match="locked customers alone are too much for A"):
        realign(ascii_map("AAAAAB").alignment(), balance={"count": 0.0}, locked=[f"r0c{i}" for i in range(5)])


def test_it_says_what_it_is(answer):
    assert repr(answer).startswith("<Realignment: ")
    assert "balanced" in repr(answer)
    html = answer._repr_html_()
    assert html.count("<tr>") == min(len(answer), 13) or "<th>" in html
    frame = answer.to_frame()
    assert len(frame) == len(answer)
    report = answer.report()
    assert len(report) == 12
    assert report["gained"].sum() == report["lost"].sum() == answer.curve["moved"][answer.chosen]
    assert (report["workload_s_deviation"].abs() <= 0.05 + 1e-9).all()
    moves = answer.moves()
    assert (moves["reason"].str.len() > 10).all()
    assert moves["weight"].sum() == pytest.approx(answer.curve["change_cost"][answer.chosen])
    copy = pickle.loads(pickle.dumps(answer))  # noqa: S301
    assert isinstance(copy, Realignment)
    assert copy.labels.tolist() == answer.labels.tolist()


def test_it_reports_progress_and_keeps_time(drifted):
    before, customers = drifted
    said = []
    found = realign(before, customers=customers, time_limit_s=1e-6, on_progress=lambda step, _share: said.append(step))
    assert said == ["start", "changes", "check"]
    assert str(found.alignment.status) == "time_limit"
    assert found.alignment.territory_idx.tolist() == before.territory_idx.tolist()
