"""One number of a right plan is changed: either the check finds it, or a simulation by hand agrees that it is right."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.check import check_plan
from territory.errors import InputError

TIMES = ("arrival", "start", "end", "leave", "back", "break_start")
COLUMNS = {
    "stops": ("rep_idx", "day", "position", "customer_idx", "arrival", "start", "end", "drive_s", "distance_m"),
    "routes": ("rep_idx", "day", "n_stops", "leave", "back", "drive_s", "distance_m", "break_start", "break_s"),
    "unassigned": ("customer_idx", "due"),
}
HOME, END, SPEED, BREAK_S = [0, 10], [0, 12], [1, 2], [1800, 0]
PLACE = [1, 2, 3, 11, 13, 4]
INTERVAL, SLACK = [7, 7, 7, 14, 14, 14], [1, 1, 1, 3, 3, 3]
FIRST, LAST = np.datetime64("2026-01-05").astype(int), np.datetime64("2026-01-18").astype(int)


def number(value: Any) -> int:
    return int(value.astype(int)) if isinstance(value, np.datetime64) else int(value)


def route_is_right(route: dict[str, int], stops: list[dict[str, int]]) -> bool:
    rep, midnight = route["rep_idx"], route["day"] * 86_400
    busy, at, x, drive_s, distance_m = [], route["leave"], HOME[rep], 0, 0
    for i, stop in enumerate(stops):
        apart = abs(PLACE[stop["customer_idx"]] - x)
        drive = -(-600 * apart // SPEED[rep])
        if (stop["position"], stop["drive_s"], stop["distance_m"]) != (i, drive, 1000 * apart):
            return False
        if stop["arrival"] - drive < at or stop["start"] < stop["arrival"] or stop["end"] != stop["start"] + 1800:
            return False
        busy += [(stop["arrival"] - drive, stop["arrival"]), (stop["start"], stop["end"])]
        at, x, drive_s, distance_m = (
            stop["end"],
            PLACE[stop["customer_idx"]],
            drive_s + drive,
            distance_m + 1000 * apart,
        )
    apart = abs(END[rep] - x)
    drive = -(-600 * apart // SPEED[rep])
    busy.append((route["back"] - drive, route["back"]))
    if route["back"] - drive < at:
        return False
    if (route["n_stops"], route["drive_s"], route["distance_m"]) != (
        len(stops),
        drive_s + drive,
        distance_m + 1000 * apart,
    ):
        return False
    if (route["day"] + 3) % 7 > 4 or route["leave"] < midnight + 8 * 3600 or route["back"] > midnight + 17 * 3600:
        return False
    return break_is_right(route, busy, midnight)


def break_is_right(route: dict[str, int], busy: list[tuple[int, int]], midnight: int) -> bool:
    nothing = number(np.datetime64("NaT", "s"))
    opens, closes = midnight + 11 * 3600, midnight + 14 * 3600
    if BREAK_S[route["rep_idx"]] == 0:
        return route["break_start"] == nothing and route["break_s"] == 0
    if route["break_start"] == nothing:
        return route["break_s"] == 0 and (route["back"] <= opens or route["leave"] >= closes)
    begin, end = route["break_start"], route["break_start"] + route["break_s"]
    inside = opens <= begin and end <= closes and route["break_s"] == 1800
    return inside and all(a == b or end <= a or b <= begin for a, b in busy)


def calendar_is_right(stops: list[dict[str, int]], unassigned: list[dict[str, int]]) -> bool:
    for c in range(6):
        shortest, longest = INTERVAL[c] - SLACK[c], INTERVAL[c] + SLACK[c]
        visits = sorted(s["day"] for s in stops if s["customer_idx"] == c)
        due = sorted(u["due"] for u in unassigned if u["customer_idx"] == c)
        events = sorted(visits + due)
        if any(b - a < shortest for a, b in pairwise(visits)):
            return False
        gaps = [(b, b - a) for a, b in pairwise(events) if b in due and b != a]
        if any(gap < shortest and not (b == LAST and gap >= INTERVAL[c]) for b, gap in gaps):
            return False
        if set(visits) & set(due) or len(set(due)) < len(due) or not all(FIRST <= day <= LAST for day in events):
            return False
        latest = FIRST + INTERVAL[c] - 1
        for day in [*events, LAST + 1]:
            if day > latest and not (day > LAST and latest > LAST):
                return False
            latest = day + longest
    return True


def is_right(draft: Any) -> bool:
    stops, routes, unassigned = (
        [{k: number(v) for k, v in row.items() if not isinstance(v, str)} for row in table]
        for table in (draft.stops, draft.routes, draft.unassigned)
    )
    keys = [(s["rep_idx"], s["day"], s["position"]) for s in stops]
    days = [(r["rep_idx"], r["day"]) for r in routes]
    if keys != sorted(keys) or days != sorted(set(days)) or {k[:2] for k in keys} != set(days):
        return False
    of_day = [[s for s in stops if (s["rep_idx"], s["day"]) == day] for day in days]
    return all(map(route_is_right, routes, of_day)) and calendar_is_right(stops, unassigned)


changes = st.sampled_from([(table, name) for table, names in COLUMNS.items() for name in names])
amounts = st.one_of(
    st.sampled_from([-86_400, -3600, -1800, -600, -60, -1, 1, 60, 600, 1800, 3600, 86_400]),
    st.integers(-20_000, 20_000),
)


@settings(max_examples=400, deadline=None)
@given(changes, st.integers(0, 7), amounts)
def test_a_changed_number_is_found_or_harmless(new_draft, line, change, row, amount):
    draft = new_draft()
    table, name = change
    rows = getattr(draft, table)
    target = rows[row % len(rows)]
    if name in ("day", "due"):
        target[name] = target[name] + np.timedelta64(amount % 31 - 15, "D")
    elif name in TIMES:
        target[name] = target[name] + np.timedelta64(amount, "s")
    elif name in ("rep_idx", "customer_idx"):
        target[name] = amount % (2 if name == "rep_idx" else 6)
    elif name in ("position", "n_stops"):
        target[name] += amount % 5 - 2
    else:
        target[name] += amount
    try:
        plan = draft.plan()
    except InputError:  # a negative number, which no table takes
        assert not is_right(draft)
        return
    report = check_plan(plan, travel=line)
    assert report.ok == is_right(draft), str(report)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(-1800, 1800)), min_size=2, max_size=3))
def test_visits_moved_are_judged_as_by_hand(new_draft, line, moves):
    draft = new_draft()
    for row, amount in moves:
        for name in ("arrival", "start", "end"):
            draft.stops[row][name] = draft.stops[row][name] + np.timedelta64(amount, "s")
    report = check_plan(draft.plan(), travel=line)
    assert report.ok == is_right(draft), str(report)


def test_the_simulation_knows_the_right_plan(draft):
    assert is_right(draft)
