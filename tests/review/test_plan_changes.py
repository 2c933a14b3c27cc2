from __future__ import annotations

import itertools
import pickle
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from tests.review.plans import START, random_plan

from territory import InputError
from territory.model import Visits
from territory.model.zones import local
from territory.review import PlanChanges, plan_changes
from territory.review.pairing import Seen, aligned

SEEDS = range(30)


def pair_of_plans(seed, *, later=0, single=None):
    """Two plans of much the same visits: some moved, some to another rep, some gone, some new; tables permuted."""
    rng = np.random.default_rng(1000 + seed)
    before = random_plan(seed, weeks=3, single=single)
    s = before.stops
    keep = np.flatnonzero(rng.random(len(s)) < 0.85)
    s = s.take(np.concatenate([keep, rng.choice(len(s), 3)]) if len(s) else keep)
    m = len(s)
    shift = np.where(rng.random(m) < 0.25, rng.integers(-4, 5, m), 0)
    drift = np.where(rng.random(m) < 0.25, rng.integers(-3600, 3600, m), 0)
    rep = np.where(rng.random(m) < 0.15, rng.integers(0, len(before.reps), m), s.rep_idx)
    day = np.clip(s.day + shift, START + later, START + later + 20)
    move = (day - s.day).astype(np.int64) * 86_400 + drift
    order = rng.permutation(len(before.customers))
    s = replace(s, customer_idx=np.argsort(order)[s.customer_idx], rep_idx=rep, day=day,
                **{name: getattr(s, name) + move for name in ("arrival", "start", "end")})  # fmt: skip
    after = replace(
        before, customers=before.customers.take(order), stops=s.take(rng.permutation(m)),
        settings=replace(before.settings, start=START + later),
        unassigned=replace(before.unassigned, customer_idx=np.argsort(order)[before.unassigned.customer_idx]),
    )  # fmt: skip
    return before, after


def seen(plan, row):
    """Return what a visit is, by names: customer, rep, day, start."""
    s = plan.stops
    return (str(plan.customers.id[s.customer_idx[row]]), str(plan.reps.id[s.rep_idx[row]]), s.day[row], s.start[row])


@pytest.mark.parametrize("later", [0, 6])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_visit_of_the_common_days_stands_once_and_is_told_right(seed, later):
    before, after = pair_of_plans(seed, later=later)
    changes = after.changes(before)
    assert isinstance(changes, PlanChanges)
    first, last = START + later, START + 20
    assert (changes.days[0], changes.days[-1]) == (first, last)
    for plan, rows in ((before, changes.row_before), (after, changes.row_after)):
        inside = np.flatnonzero((plan.stops.day >= first) & (plan.stops.day <= last))
        assert sorted(rows[rows >= 0].tolist()) == inside.tolist()
    for a, b, what in zip(changes.row_before.tolist(), changes.row_after.tolist(), changes.what.tolist(), strict=True):
        if a < 0 or b < 0:
            assert what == ("added" if a < 0 else "dropped")
            continue
        old, new = seen(before, a), seen(after, b)
        assert old[0] == new[0]
        if old[1] != new[1]:
            assert what == "other-rep"
        elif old[2] != new[2]:
            assert what == "other-day"
        else:
            assert what == ("kept" if old[3] == new[3] else "other-time")


@pytest.mark.parametrize("seed", SEEDS)
def test_as_many_as_can_be_are_paired_and_move_the_fewest_days(seed):
    before, after = pair_of_plans(seed, single=False)
    changes = after.changes(before)
    moved, paired = Counter(), Counter()
    for a, b in zip(changes.row_before.tolist(), changes.row_after.tolist(), strict=True):
        if a >= 0 and b >= 0:
            who = seen(before, a)[0]
            paired[who] += 1
            moved[who] += abs(int((after.stops.day[b] - before.stops.day[a]).astype(np.int64)))
    for who in before.customers.id.tolist():
        days = [np.array([seen(plan, row)[2] for row in range(len(plan.stops)) if seen(plan, row)[0] == who], "M8[D]")
                for plan in (before, after)]  # fmt: skip
        assert paired[who] == min(map(len, days))
        if paired[who]:
            cost = np.abs(days[0][:, None] - days[1][None, :]).astype(np.int64)
            assert moved[who] == cost[linear_sum_assignment(cost)].sum()


@pytest.mark.parametrize("seed", range(60))
def test_alignment_is_the_best_of_all_ways_in_order(seed):
    rng = np.random.default_rng(seed)
    lists = [
        sorted(Seen(int(rng.integers(0, 6)), int(rng.integers(0, 3)), str(rng.choice(["R", "S"])), row)
               for row in range(int(rng.integers(0, 5)))) for _ in range(2)
    ]  # fmt: skip
    old, new = lists
    k = min(map(len, lists))

    def cost(pairs):
        apart = [abs(a.day - b.day) for a, b in pairs]
        reps = [a.rep_id != b.rep_id for a, b in pairs]
        time = [abs(a.start - b.start) if a.day == b.day else 0 for a, b in pairs]
        return sum(apart), sum(reps), sum(time)

    ways = (
        list(zip(p, q, strict=True)) for p in itertools.combinations(old, k) for q in itertools.combinations(new, k)
    )
    best = min(cost(way) for way in ways)
    shuffled = [[lists[i][j] for j in rng.permutation(len(lists[i]))] for i in range(2)]
    found = aligned(*shuffled)
    at = [{v.row: v for v in side} for side in lists]
    assert len(found) == k
    assert cost([(at[0][a], at[1][b]) for a, b in found]) == best


@pytest.mark.parametrize("seed", SEEDS)
def test_counts_by_rep_and_by_day_add_up(seed):
    before, after = pair_of_plans(seed, later=seed % 5)
    changes = after.changes(before)
    rows = [
        (None if a < 0 else seen(before, a), None if b < 0 else seen(after, b), what)
        for a, b, what in zip(
            changes.row_before.tolist(), changes.row_after.tolist(), changes.what.tolist(), strict=True
        )
    ]
    table = changes.to_dict(by="rep")
    for j, rep in enumerate(table["rep_id"].tolist()):
        wanted = {
            "visits_before": sum(a is not None and a[1] == rep for a, _, _ in rows),
            "visits_after": sum(b is not None and b[1] == rep for _, b, _ in rows),
            "kept": sum(w == "kept" and b[1] == rep for _, b, w in rows),
            "other_time": sum(w == "other-time" and b[1] == rep for _, b, w in rows),
            "other_day": sum(w == "other-day" and b[1] == rep for _, b, w in rows),
            "gave": sum(w == "other-rep" and a[1] == rep for a, _, w in rows),
            "took": sum(w == "other-rep" and b[1] == rep for _, b, w in rows),
            "dropped": sum(w == "dropped" and a[1] == rep for a, _, w in rows),
            "added": sum(w == "added" and b[1] == rep for _, b, w in rows),
        }
        assert {name: int(table[name][j]) for name in wanted} == wanted
    assert (
        table["visits_before"] == sum(table[n] for n in ("kept", "other_time", "other_day", "gave", "dropped"))
    ).all()
    assert (table["visits_after"] == sum(table[n] for n in ("kept", "other_time", "other_day", "took", "added"))).all()
    table = changes.to_dict(by="day")
    for j, day in enumerate(table["day"]):
        wanted = {
            "visits_before": sum(a is not None and a[2] == day for a, _, _ in rows),
            "visits_after": sum(b is not None and b[2] == day for _, b, _ in rows),
            "kept": sum(w == "kept" and b[2] == day for _, b, w in rows),
            "other_time": sum(w == "other-time" and b[2] == day for _, b, w in rows),
            "other_rep": sum(w == "other-rep" and a[2] == b[2] == day for a, b, w in rows),
            "moved_away": sum(None not in (a, b) and a[2] == day != b[2] for a, b, _ in rows),
            "moved_here": sum(None not in (a, b) and b[2] == day != a[2] for a, b, _ in rows),
            "dropped": sum(w == "dropped" and a[2] == day for a, _, w in rows),
            "added": sum(w == "added" and b[2] == day for _, b, w in rows),
        }
        assert {name: int(table[name][j]) for name in wanted} == wanted
    summary = changes.summary()
    assert summary["changed"] == len(changes) == len(changes.to_frame())
    assert summary["changed"] == sum(summary[n] for n in ("added", "dropped", "other_rep", "other_day", "other_time"))
    assert summary["visits_before"] + summary["outside_before"] == len(before.stops)
    assert summary["visits_after"] + summary["outside_after"] == len(after.stops)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_table_of_visits_says_what_the_plans_say(seed):
    before, after = pair_of_plans(seed)
    changes = after.changes(before)
    table = changes.to_dict()
    at = np.flatnonzero(changes.what != "kept")
    assert table["what"].tolist() == changes.what[at].tolist()
    clocks = []
    for plan in (before, after):
        zones = None if plan.reps.timezone is None else plan.reps.timezone[plan.stops.rep_idx]
        clocks.append(local(plan.stops.start, zones))
    for j, i in enumerate(at.tolist()):
        sides = ((before, int(changes.row_before[i]), "before"), (after, int(changes.row_after[i]), "after"))
        for k, (plan, row, tag) in enumerate(sides):
            if row < 0:
                assert table[f"rep_id_{tag}"][j] == ""
                assert np.isnat(table[f"day_{tag}"][j])
                assert np.isnat(table[f"start_{tag}"][j])
                continue
            who, rep, day, _ = seen(plan, row)
            assert (table["customer_id"][j], table[f"rep_id_{tag}"][j], table[f"day_{tag}"][j]) == (who, rep, day)
            assert table[f"start_{tag}"][j] == clocks[k][row]
        if sides[0][1] >= 0 and sides[1][1] >= 0:
            days = (table["day_after"][j] - table["day_before"][j]).astype(np.int64)
            clock = (table["start_after"][j] - table["start_before"][j]).astype(np.int64)
            assert (table["moved_days"][j], table["moved_min"][j]) == (days, pytest.approx(clock / 60 - 1440 * days))
        else:
            assert np.isnan(table["moved_days"][j])
        due = [
            (abs(day - table["day_before"][j]), day, str(reason))
            for c, day, reason in zip(
                after.unassigned.customer_idx, after.unassigned.due, after.unassigned.reason, strict=True
            )
            if after.customers.id[c] == table["customer_id"][j]
        ]
        dropped = table["what"][j] == "dropped"
        assert table["reason"][j] == (min(due)[2] if dropped and due else "")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_other_way_round_is_the_mirror(seed):
    before, after = pair_of_plans(seed)
    one, two = plan_changes(before, after), plan_changes(after, before)
    mirror = {"added": "dropped", "dropped": "added"}
    assert Counter(one.what.tolist()) == Counter(mirror.get(w, w) for w in two.what.tolist())
    for word in ("kept", "other_rep", "other_day", "other_time"):
        assert one.summary()[word] == two.summary()[word]


def test_a_plan_has_not_changed_against_itself():
    plan = random_plan(7)
    changes = plan.changes(plan)
    assert len(changes) == 0
    assert changes.summary()["kept"] == len(plan.stops)
    assert changes.summary()["kept_share"] == 1.0
    assert "nothing changed" in repr(changes)
    assert len(changes.to_frame()) == 0
    assert changes._repr_html_()


def test_small_shifts_can_be_left_out():
    plan = random_plan(7)
    s = plan.stops
    later = replace(plan, stops=replace(s, start=s.start + 300, end=s.end + 300))
    assert later.changes(plan).summary()["other_time"] == len(s)
    assert later.changes(plan, within_s=299).summary()["other_time"] == len(s)
    assert later.changes(plan, within_s=300).summary()["kept"] == len(s)


def single_visits(plan, ids, who, kinds):
    n = len(ids)
    return Visits(id=ids, customer_id=plan.customers.id[who], earliest=[START] * n, latest=[START + 20] * n, kind=kinds)


def test_single_visits_are_matched_by_their_id_and_events_with_events_only():
    base = random_plan(1, single=False, weeks=3)
    s = base.stops.take([0, 1, 2])
    s = replace(s, customer_idx=[0, 0, 0], rep_idx=[0, 0, 0], position=[0, 0, 0], remote=None, commitment=None)
    visits = single_visits(base, ["appointment", "fair"], [0, 0], ["appointment", "event"])
    day = START + np.array([0, 7, 14])
    before = replace(base, visits=visits, stops=replace(s, day=day, visit_idx=[0, -1, 1]))
    # the appointment changes places with the regular visit, and the fair is gone
    turned = single_visits(base, ["fair", "appointment"], [0, 0], ["event", "appointment"])
    after = replace(base, visits=turned, stops=replace(s.take([0, 1]), day=day[:2], visit_idx=[-1, 1]))
    table = after.changes(before).to_dict()
    rows = sorted(zip(table["visit_id"].tolist(), table["what"].tolist(), table["moved_days"].tolist(), strict=True))
    assert rows[:2] == [("", "other-day", -7.0), ("appointment", "other-day", 7.0)]
    assert rows[2][:2] == ("fair", "dropped")


def test_an_event_does_not_become_a_visit():
    base = random_plan(1, single=False, weeks=3)
    s = replace(base.stops.take([0]), customer_idx=[0], remote=None, commitment=None)
    before = replace(base, visits=single_visits(base, ["fair"], [0], ["event"]), stops=replace(s, visit_idx=[0]))
    after = replace(base, stops=s)
    assert sorted(after.changes(before).what.tolist()) == ["added", "dropped"]
    lead = replace(before, visits=single_visits(base, ["fair"], [0], ["lead"]))
    assert after.changes(lead).what.tolist() == ["kept"]


def test_what_was_promised_is_shown():
    plan = random_plan(9, single=False)
    m = len(plan.stops)
    level = np.array(["planned", "fixed", "suggested"], dtype=object)[np.arange(m) % 3].tolist()
    promised = replace(plan, stops=replace(plan.stops, commitment=level))
    fewer = replace(plan, stops=replace(plan.stops, commitment=None).take(np.arange(m)[2:]))
    changes = fewer.changes(promised)
    table = changes.to_dict()
    assert sorted(table["commitment_before"].tolist()) == ["fixed", "planned"]
    assert table["commitment_after"].tolist() == ["", ""]
    summary = changes.summary()
    assert (summary["changed_fixed"], summary["changed_planned"], summary["changed_suggested"]) == (1, 1, 0)
    assert "commitment_before" not in replace(fewer).changes(fewer).to_dict()


def test_customers_and_reps_who_came_or_went():
    plan = random_plan(12, single=False, n=6, r=2)
    stops = plan.stops.take(np.flatnonzero((plan.stops.customer_idx > 0) & (plan.stops.rep_idx > 0)))
    small = replace(
        plan,
        customers=plan.customers.take(np.arange(1, 6)),
        reps=plan.reps.take([1]),
        stops=replace(stops, customer_idx=stops.customer_idx - 1, rep_idx=stops.rep_idx - 1),
        routes=plan.routes.take([]),
        unassigned=plan.unassigned.take([]),
    )
    gone = len(plan.stops) - len(stops)
    assert gone
    assert small.changes(plan).summary()["dropped"] == gone
    assert plan.changes(small).summary()["added"] == gone
    assert small.changes(plan).to_dict(by="rep")["rep_id"].tolist() == plan.reps.id[[1, 0]].tolist()


def test_what_is_refused():
    plan = random_plan(0, weeks=1)
    later = replace(plan, settings=replace(plan.settings, start=START + 7))
    with pytest.raises(InputError, match="no day in common") as caught:
        later.changes(plan, within_s=-1)
    assert caught.value.codes == ("bad-within", "no-common-days")
    for bad in (True, 1.5, float("nan"), "1"):
        with pytest.raises(InputError, match="within_s: expected whole seconds"):
            plan.changes(plan, within_s=bad)
    with pytest.raises(InputError, match="expected one of visit, rep, day, not 'week'"):
        plan.changes(plan).to_frame(by="week")


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_tables_go_into_every_dataframe_library(backend):
    before, after = pair_of_plans(3)
    changes = after.changes(before)
    for by in ("visit", "rep", "day"):
        assert changes.to_frame(backend, by=by).shape[0] == len(next(iter(changes.to_dict(by=by).values())))
    frame = changes.to_frame("polars")
    assert frame["day_after"].null_count() == changes.summary()["dropped"]


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_rows_does_not_matter(seed):
    before, after = pair_of_plans(seed)
    rng = np.random.default_rng(seed)
    other = replace(before, stops=before.stops.take(rng.permutation(len(before.stops))))
    one, two = after.changes(before).to_frame(), after.changes(other).to_frame()
    assert one.equals(two)


def test_changes_survive_pickling():
    before, after = pair_of_plans(2)
    changes = after.changes(before)
    assert pickle.loads(pickle.dumps(changes)).summary() == changes.summary()  # noqa: S301 - made here
    assert str(changes).startswith("first_day")
