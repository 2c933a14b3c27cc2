"""Realignment keeps the rules of the alignment: limits, shares, groups, overrides, reach."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import (
    Alignment,
    Balance,
    Customers,
    InfeasibleError,
    InputError,
    Reps,
    check_alignment,
    design_territories,
    realign,
)
from territory.geo.sphere import great_circle_m
from territory.model.rules import AlignmentRules
from territory.testing import ascii_map


def table(ids, lon, lat, work):
    return Customers(id=ids, lon=lon, lat=lat, workload_s=work)


def ruled(alignment, **rules):
    return dataclasses.replace(alignment, rules=AlignmentRules(**rules))


@pytest.fixture(scope="module")
def plain():
    """Return alignments of 90 customers in 4: without reps, and of reps at their homes."""
    rng = np.random.default_rng(11)
    customers = table(
        [f"c{i}" for i in range(90)], rng.uniform(9, 11, 90), rng.uniform(49, 51, 90), rng.integers(600, 3600, 90) * 1.0
    )
    reps = Reps(id=["R0", "R1", "R2", "R3"], lon=[9.5, 10.5, 9.5, 10.5], lat=[49.5, 49.5, 50.5, 50.5])
    return (
        design_territories(customers, n_territories=4, balance={"workload_s": 0.1}),
        design_territories(customers, reps, balance={"workload_s": 0.1}),
    )


def random_rules(alignment, rng, *, with_reach):
    """Return rules of every kind that an alignment keeps."""
    label, c, k = alignment.territory_idx, alignment.customers, len(alignment)
    together = np.full(len(c), -1, dtype=np.int32)
    for g in range(int(rng.integers(0, 4))):
        inside = np.flatnonzero((label == rng.integers(k)) & (together < 0))
        together[rng.choice(inside, 3, replace=False)] = g
    pairs = np.sort(rng.integers(0, len(c), (int(rng.integers(0, 30)), 2)), axis=1)
    pairs = np.unique(pairs[label[pairs[:, 0]] != label[pairs[:, 1]]], axis=0)
    overrides = {int(i): int(label[i]) for i in rng.choice(len(c), int(rng.integers(0, 6)), replace=False)}
    lon, lat = alignment.center_lon, alignment.center_lat
    if alignment.reps is not None:
        lon, lat = alignment.reps.lon[alignment.rep_idx], alignment.reps.lat[alignment.rep_idx]
    away = great_circle_m(c.lon, c.lat, lon[label], lat[label])
    reach = np.array([away[label == j].max() for j in range(k)]) * rng.uniform(1.0, 1.5, k)
    total = c.workload_s.sum() / k
    limits = {"workload_s": np.stack([rng.uniform(0, 0.7, k), rng.uniform(1.2, 1.6, k)], axis=1) * total}
    if rng.random() < 0.5:
        limits["count"] = np.tile([5.0, 60.0], (k, 1))
    return AlignmentRules(
        limits=limits if rng.random() < 0.7 else {},
        share={"workload_s": np.ones(k) / k} if rng.random() < 0.5 else {},
        together=together if (together >= 0).any() else None,
        apart=pairs,
        overrides=overrides,
        reach_m=reach if with_reach else None,
    )


def assert_kept(before, now):
    """Check rules by ids, from those of the alignment before, in other words than `check_alignment`."""
    old, rules = before.customers.id.tolist(), before.rules
    of = dict(zip(now.customers.id.tolist(), now.territory_id[now.territory_idx].tolist(), strict=True))
    there = {i: of[i] for i, j in zip(now.customers.id.tolist(), now.territory_idx.tolist(), strict=True) if j >= 0}
    kept = set(now.territory_id.tolist())
    for i, j in rules.overrides.items():
        name = str(before.territory_id[j])
        if old[i] in there and name in kept:
            assert there[old[i]] == name
    if rules.together is not None:
        for g in range(int(rules.together.max()) + 1):
            mine = [old[i] for i in np.flatnonzero(rules.together == g) if old[i] in of]
            assert len({there.get(i, "") for i in mine}) <= 1
            was = {str(before.territory_id[before.territory_idx[old.index(i)]]) for i in mine}
            # whose group is gone may go, too
            if len(mine) > 1 and was <= kept:
                assert {there[i] for i in mine} == was
    for i, o in rules.apart.tolist():
        if old[i] in there and old[o] in there:
            assert there[old[i]] != there[old[o]]
    assert (now.rules.reach_m is None) == (rules.reach_m is None)
    if now.rules.reach_m is not None:
        exempt = set(now.rules.overrides)
        for g in set() if now.rules.together is None else set(now.rules.together.tolist()) - {-1}:
            mine = set(np.flatnonzero(now.rules.together == g).tolist())
            exempt |= mine if mine & exempt else set()
        lon, lat = now.center_lon, now.center_lat
        if now.reps is not None and len(now.reps) == len(now):
            lon, lat = now.reps.lon[now.rep_idx], now.reps.lat[now.rep_idx]
        for i, j in enumerate(now.territory_idx.tolist()):
            if j >= 0 and i not in exempt:
                away = great_circle_m(now.customers.lon[i], now.customers.lat[i], lon[j], lat[j])
                assert away <= now.rules.reach_m[j] + 0.1


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.booleans(), st.booleans(), st.sampled_from(["", "remove", "split", "add", "merge"]))
def test_every_point_keeps_every_rule(plain, seed, with_reps, with_reach, change):
    rng = np.random.default_rng(seed)
    drawn = plain[int(with_reps)]
    before = dataclasses.replace(drawn, rules=random_rules(drawn, rng, with_reach=with_reach))
    assert check_alignment(before).ok or set(check_alignment(before).codes) <= {"limit-broken"}
    c = before.customers
    order = rng.permutation(90)[: int(rng.integers(80, 91))]
    work = np.round(c.workload_s[order] * rng.uniform(0.6, 1.5, len(order)))
    extra = int(rng.integers(0, 4))
    customers = table(
        [*c.id[order].tolist(), *(f"new{i}" for i in range(extra))],
        [*c.lon[order], *rng.uniform(9, 11, extra)], [*c.lat[order], *rng.uniform(49, 51, extra)],
        [*work, *rng.integers(600, 3600, extra)],
    )  # fmt: skip
    names, options = before.territory_id.tolist(), {}
    if change == "remove":
        options["remove"] = [names[int(rng.integers(4))]]
    elif change == "split":
        options["split"] = {names[int(rng.integers(4))]: "part"}
    elif change == "add":
        options["add"] = {"new place": (10.0, 50.0)}
    elif change == "merge":
        a, b = rng.permutation(4)[:2]
        options["merge"] = [(names[a], names[b])]
    try:
        found = realign(before, customers=customers, **options)
    except InputError as error:
        assert {p.code for p in error.problems} == {"conflicting-changes"}  # noqa: PT017 - the only reason there is
        assert change == "merge"
        return
    except InfeasibleError as error:
        assert {p.code for p in error.reasons} == {"not-apart"}  # noqa: PT017
        return
    for i in range(len(found)):
        point = found.at(i)
        codes = set(check_alignment(point).codes)
        if with_reps:
            # a territory that was added has no rep
            codes -= {"territory-without-rep"}
        assert codes <= (set() if found.curve["balanced"][i] else {"limit-broken"})
        assert_kept(before, point)
    same = realign(before, customers=customers.take(np.arange(len(customers))[::-1]), **options)
    assert same.labels[:, ::-1].tolist() == found.labels.tolist()


def test_limits_are_bands():
    today = ascii_map("AAAAAABBBBCC").alignment()
    tight = ruled(today, limits={"count": np.array([[0, 5], [0, 9], [3, 9]])})
    found = realign(tight, max_moved=12)
    assert np.bincount(found.alignment.territory_idx).tolist() == [5, 4, 3]
    assert found.curve["balanced"][found.chosen]
    assert check_alignment(found.alignment).ok
    assert found.alignment.rules.limits["count"].tolist() == [[0, 5], [0, 9], [3, 9]]
    # where they cannot be kept, it says so
    stuck = realign(tight, max_moved=0)
    assert set(check_alignment(stuck.alignment).codes) == {"limit-broken"}
    assert "limit-not-reached" in {p.code for p in stuck.alignment.diagnostics}


def test_shares_are_targets():
    today = ascii_map("AAAABBBBCCCC").alignment()
    found = realign(ruled(today, share={"count": np.array([0.5, 0.25, 0.25])}), balance={"count": 0.0})
    assert np.bincount(found.alignment.territory_idx).tolist() == [6, 3, 3]
    assert check_alignment(found.alignment).ok


def test_balance_objects():
    drawn = ascii_map("AAAABBBBCCCC")
    c = drawn.customers
    owner = [drawn.letters[j] for j in drawn.expected]
    customers = Customers(id=c.id, lon=c.lon, lat=c.lat, owner=owner)
    reps = Reps(id=["A", "B", "C"], lon=[10.1, 10.4, 10.6], lat=[0.0, 0.0, 0.0])
    today = Alignment.from_owners(customers, reps)
    found = realign(today, balance={"count": Balance(tolerance=0.0, share={"C": 0.4})})
    assert np.bincount(found.alignment.territory_idx).tolist() == [5, 5, 2]
    assert check_alignment(found.alignment).ok
    found = realign(today, balance={"count": Balance(at_most={"A": 2}, at_least=2)})
    held = np.bincount(found.alignment.territory_idx)
    assert held[0] == 2
    assert held.min() >= 2
    assert found.curve["moved"][found.chosen] == 2
    assert found.alignment.balance == {}
    assert check_alignment(found.alignment).ok
    with pytest.raises(InputError, match="no price for deviations"):
        realign(today, balance={"count": Balance(weight=1)})
    with pytest.raises(InputError, match="no such rep"):
        realign(today, balance={"count": Balance(at_most={"X": 2})})
    with pytest.raises(InfeasibleError) as caught:
        realign(today, balance={"count": Balance(at_most=3)})
    assert "limit-not-reached" in {p.code for p in caught.value.reasons}


def test_overrides_and_groups_stay():
    today = ascii_map("AAAABB/AAAABB").alignment()
    group = np.full(12, -1)
    group[[2, 0]] = 7
    found = realign(ruled(today, overrides={3: 0}, together=group), balance={"count": 0.25}, contiguous=False)
    assert found.moves_dict()["customer_id"].tolist() == ["r1c3"]
    assert check_alignment(found.alignment).ok
    assert found.alignment.rules.overrides == {3: 0}
    # of a territory that is gone, all go to one, and names are given up
    gone = realign(ruled(today, overrides={3: 0}, together=group), remove=["A"], contiguous=False)
    assert len(set(gone.alignment.territory_idx[[0, 2]])) == 1
    assert "override-dropped" in {p.code for p in gone.diagnostics}
    assert gone.alignment.rules.overrides == {}
    assert check_alignment(gone.alignment).ok


def test_those_apart_do_not_come_together():
    today = ascii_map("AAAAAABB").alignment()
    found = realign(ruled(today, apart=[[4, 7]]), balance={"count": 0.5}, contiguous=False, max_moved=8)
    assert not (found.labels[:, 4] == found.labels[:, 7]).any()
    with pytest.raises(InputError, match="merge: brings together"):
        realign(ruled(today, apart=[[4, 7]]), merge=[("A", "B")])
    with pytest.raises(InfeasibleError, match="must be apart"):
        realign(ruled(today, apart=[[4, 7]]), remove=["B"])


def test_what_is_not_kept_today_is_told():
    today = ascii_map("AAAABB").alignment()
    rules = {"together": [0, -1, -1, -1, -1, 0], "apart": [[1, 2]], "overrides": {3: 1}}
    found = realign(ruled(today, **rules))
    assert {"group-dropped", "apart-dropped", "override-dropped"} <= {p.code for p in found.diagnostics}
    assert check_alignment(found.alignment).ok


def test_travel_times_are_refused(plain):
    before = ruled(plain[0], metric="travel", center_idx=[0, 1, 2, 3])
    with pytest.raises(InputError, match="squared distances"):
        realign(before)
    assert realign(dataclasses.replace(before, rules=before.rules.by_place())).chosen == 0
    told = realign(ruled(plain[0], metric="distance"))
    assert "metric-changed" in {p.code for p in told.diagnostics}
    assert told.alignment.rules.metric == "squared"


def test_reps_who_follow_reach_from_their_own_homes(plain):
    before = plain[1]
    c, old = before.customers, before.reps
    reach = np.full(4, 160_000.0)
    before = ruled(before, reach_m=reach)
    assert check_alignment(before).ok
    now = Reps(id=["R0", "R1", "R2", "R9"], lon=[9.5, 10.5, 9.5, 12.6], lat=[49.5, 49.5, 50.5, 50.5])
    found = realign(before, reps=now, successors={"R3": "R9"}, balance={"workload_s": 0.1})
    away = great_circle_m(c.lon, c.lat, 12.6, 50.5)
    far = (found.alignment.territory_idx == 3) & (away > 160_000)
    assert far.any()
    # who is too far from the new home stays until somebody has a reason to hand him over; it says so
    assert (before.territory_idx[far] == 3).all()
    codes = {p.code for p in found.alignment.diagnostics}
    assert "out-of-reach" in codes
    assert set(check_alignment(found.alignment).codes) <= {"out-of-reach"}
    assert old.id[3] == "R3"
    # a rep who leaves: reach is measured from the homes of before
    gone = realign(before, reps=old.take(np.array([0, 1, 2])))
    assert len(gone.territory_id) == 3
    assert check_alignment(gone.alignment).ok
