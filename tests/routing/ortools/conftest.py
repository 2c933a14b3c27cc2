"""A plain reading of the rules, and problems of every kind."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from territory.check.routing import check_routing
from territory.routing.problem import UNLIMITED, RoutingProblem, ShiftArrays, VisitArrays


def broken_rules_of(p, solution):  # noqa: C901, PLR0912 - one rule after the other
    """Return the rules that an answer breaks; one bucket of driving times only."""
    v, s = p.visits, p.shifts
    wrong = []

    def need(fine, what):
        if not fine:
            wrong.append(what)

    made = {}
    cost = {"change": 0.0, "cadence": 0.0, "unserved": 0.0, "other": 0.0}
    for route in solution.routes:
        k = route.shift
        drive = p.durations_s[s.profile[k], 0]
        need(len(route.visits) <= s.max_visits[k], "max_visits")
        need(v.load[list(route.visits)].sum() <= s.capacity[k], "capacity")
        locked = tuple(s.locked[k]) if s.locked is not None else ()
        need(route.visits[: len(locked)] == locked, "locked")
        stops = [(s.start_place[k], route.leave, route.leave)]
        for i, t in zip(route.visits, route.starts, strict=True):
            length = math.ceil(v.service_s[i] * s.service_factor[k] - 1e-9)
            stops.append((v.place[i], t, t + length))
            made.setdefault(i, []).append((k, t, t + length))
            windows = None if v.windows is None else v.windows[i]
            if windows is not None:
                held = length if v.window_holds_visit[i] else 0
                need(any(a <= t and t + held <= b for a, b in windows), f"window {i}")
            need(p.eligible is None or p.eligible[i, k], "eligible")
            need(v.pinned_shift[i] in (-1, k), "pinned_shift")
            need(v.pinned_start_s[i] in (-1, t), "pinned_start")
            if p.baseline is not None and p.baseline[i].any() and not p.baseline[i, k]:
                cost["change"] += v.change_cost[i]
            cost["other"] += v.late_cost[i] * max(0, t - v.due_s[i])
        stops.append((s.end_place[k], route.back, route.back))
        need(route.leave >= s.begin_s[k], "begin")
        need(route.back <= s.end_s[k] + s.max_overtime_s[k], "close")
        need(route.back - route.leave <= s.max_duration_s[k], "max_duration")
        rests = list(s.breaks[k]) if s.breaks is not None else []
        spans = []
        for (length, earliest, latest), at in zip(rests, route.break_starts, strict=True):
            if at < 0:
                need(route.back <= earliest or route.leave >= latest, "break missing")
            else:
                need(earliest <= at and at + length <= latest, "break window")
                spans.append((at, at + length))
        wheel = 0
        for i, ((a, _, free), (b, then, _)) in enumerate(pairwise(stops)):
            need(drive[a, b] < 2**31 - 1, "unreachable")
            wheel += drive[a, b]
            resting = sum(min(y, then) - max(x, free) for x, y in spans if min(y, then) > max(x, free))
            need(then - free >= drive[a, b] + resting, f"leg {i}")
            if p.freeze_s is not None and i >= len(locked):
                need(then - drive[a, b] >= p.freeze_s, "freeze")
        for _, begin, end in stops[1:-1]:
            need(all(y <= begin or x >= end for x, y in spans), "break in a visit")
        need(wheel == route.drive_s, "drive")
        need(wheel <= s.max_drive_s[k], "max_drive")
        cost["other"] += s.cost[k] + s.cost_per_s[k] * (route.back - route.leave) + s.cost_per_drive_s[k] * wheel
        cost["other"] += s.overtime_cost[k] * max(0, route.back - s.end_s[k])
    missing = dict.fromkeys(range(len(v)), 0)
    for i in range(len(v)):
        days = sorted(int(s.day[k]) for k, _, _ in made.get(i, ()))
        need(len(set(days)) == len(days) or v.gap_low_days[i] == 0, "twice a day")
        if v.gap_low_days[i] > 0:
            missing[i] = None
        elif v.patterned[i]:
            if days:
                fitting = [k for k, d in enumerate(v.patterns[i]) if sorted(d) == days]
                need(fitting, "pattern")
                costs = None if v.pattern_cost is None else v.pattern_cost[i]
                cost["cadence"] += min((costs[k] for k in fitting), default=0.0) if costs is not None else 0.0
            missing[i] = 0 if days else 1
        else:
            need(len(days) <= 1, "made twice")
            missing[i] = 1 - len(days)
    for i, count in missing.items():
        if count is not None:
            need(sum(x == i for x, _ in solution.unserved) == count, "unserved")
            cost["unserved"] += v.value[i] * count
    for a, b in p.joint.tolist():
        need((a in made) == (b in made), "joint: both or none")
        if a in made and b in made:
            need(made[a][0][1] == made[b][0][1], "joint: one start")
            need(made[a][0][0] != made[b][0][0], "joint: two shifts")
    for (a, b), delay in zip(p.precedence.tolist(), p.precedence_delay_s.tolist(), strict=True):
        if b in made:
            need(a in made, "precedence: first")
            need(a in made and made[b][0][1] >= made[a][0][2] + delay, "precedence: delay")
    if not v.rhythmic.any() and p.distances_m is None:
        need(math.isclose(sum(cost.values()), solution.objective, abs_tol=1e-6), "objective")
    return wrong


def sound(problem, solution):
    """Assert that an answer keeps every rule, as two readings of them say."""
    if len(problem.bucket_starts_s) == 1:
        assert broken_rules_of(problem, solution) == []
    report = check_routing(problem, solution)
    assert report.ok, report
    return solution


def line(*at):
    """Return driving times between points on a line, in seconds."""
    x = np.array(at)
    return abs(x[:, None] - x[None, :])


def random_problem(seed):
    """Return a small problem with a random choice of all rules."""
    rng = np.random.default_rng(seed)
    n, days, reps = int(rng.integers(1, 9)), int(rng.integers(1, 5)), int(rng.integers(1, 3))
    some = lambda chance=0.3: bool(rng.random() < chance)  # noqa: E731
    xy = rng.uniform(0, 40, (n + reps, 2))
    profiles = 2 if some() else 1
    drive = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    drive = np.ceil(np.stack([drive * f for f in (1.0, 1.4)[:profiles]])).astype(np.int64)
    buckets = [0, 150, 1200] if some(0.15) else [0]
    if len(buckets) > 1:
        drive = np.stack([drive, (drive * 1.5).astype(np.int64), drive], axis=1)
    day_of = np.repeat(np.arange(days), reps)
    n_shifts = len(day_of)
    begin = day_of * 1000 + rng.integers(0, 30, n_shifts)
    end = begin + rng.integers(150, 400, n_shifts)
    kind = rng.random(n)
    cadence = some(0.4) and days > 1
    linked = not cadence and n >= 4 and some(0.5)
    windows = [
        None if rng.random() < 0.5
        else tuple((a, a + 80) for d in range(days) for a in (d * 1000 + int(rng.integers(0, 200)), d * 1000 + 300))
        for _ in range(n)
    ]  # fmt: skip
    columns = {}
    if cadence:
        columns["patterns"] = [
            [sorted(rng.choice(days, size=int(rng.integers(1, days + 1)), replace=False).tolist()) for _ in range(3)]
            if k < 0.4 else None for k in kind
        ]  # fmt: skip
        columns["pattern_cost"] = [None if p is None else [0.0, 5.0, 2.0] for p in columns["patterns"]]
        gap = np.where((kind >= 0.4) & (kind < 0.8), rng.integers(1, 3, n), 0)
        columns |= {
            "gap_low_days": gap, "gap_days": gap, "gap_high_days": gap + (gap > 0), "interval_days": gap.astype(float),
            "first_due_day": np.where(gap > 0, rng.integers(0, days, n), 0), "off_cost": np.where(gap > 0, 3.0, 0.0),
            "weekday_cost": np.where(gap > 0, 2.0, 0.0), "last_weekday": rng.integers(-1, 3, n),
        }  # fmt: skip
        columns["first_high_day"] = np.where(gap > 0, columns["first_due_day"] + 1, 0)
    if some():
        columns |= {"due_s": rng.integers(0, 300, n), "late_cost": rng.random(n).round(2)}
    once = kind >= 0.8 if cadence else np.ones(n, bool)
    locked = [[] for _ in range(n_shifts)]
    first = int(np.argmax(once))
    pinned = np.full(n, -1)
    if once[first] and not linked and windows[first] is None and some(0.25):
        locked[0] = [first]
    elif some(0.2):
        pinned[n - 1] = int(rng.integers(n_shifts))
    baseline = rng.random((n, n_shifts)) < 0.3 if some() else None
    return RoutingProblem(
        durations_s=drive, bucket_starts_s=buckets,
        visits=VisitArrays(
            place=np.arange(n), service_s=rng.integers(0, 50, n), windows=windows, value=rng.integers(50, 300, n),
            window_holds_visit=rng.random(n) < 0.3, load=rng.integers(0, 3, n), pinned_shift=pinned,
            required=rng.random(n) < 0.2, change_cost=rng.integers(0, 20, n) * (baseline is not None), **columns,
        ),
        shifts=ShiftArrays(
            start_place=n + np.tile(np.arange(reps), days), begin_s=begin, end_s=end, day=day_of,
            profile=rng.integers(0, profiles, n_shifts), service_factor=np.where(rng.random(n_shifts) < 0.2, 1.3, 1.0),
            max_duration_s=np.where(rng.random(n_shifts) < 0.2, 140, UNLIMITED),
            max_drive_s=np.where(rng.random(n_shifts) < 0.2, 100, UNLIMITED),
            max_visits=np.where(rng.random(n_shifts) < 0.2, 2, UNLIMITED),
            capacity=np.where(rng.random(n_shifts) < 0.2, 3, UNLIMITED),
            max_overtime_s=np.where(rng.random(n_shifts) < 0.3, 50, 0), overtime_cost=np.full(n_shifts, 0.5),
            cost=rng.integers(0, 30, n_shifts), cost_per_s=np.full(n_shifts, 0.25 if some() else 0.0),
            cost_per_drive_s=np.full(n_shifts, 1.0), locked=locked,
            breaks=[[(20, b + 60, b + 130)] if rng.random() < 0.3 else [] for b in begin.tolist()],
        ),
        eligible=rng.random((n, n_shifts)) < 0.8 if some() and not any(locked) and (pinned < 0).all() else None,
        baseline=baseline,
        joint=[(0, 1)] if linked and reps > 1 else None,
        precedence=[(2, 3)] if linked else None, precedence_delay_s=[30] if linked else None,
        freeze_s=int(begin[0] + 40) if some(0.2) else None,
        n_days=days,
    )  # fmt: skip


@pytest.fixture(name="sound", scope="session")
def _sound():
    return sound


@pytest.fixture(name="line", scope="session")
def _line():
    return line


@pytest.fixture(name="random_problem", scope="session")
def _random_problem():
    return random_problem
