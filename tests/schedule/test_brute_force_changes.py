"""Smallest changes against brute force: every change up to the size of the one that was found is tried."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from tests.schedule.brute import DAY_S, DEFAULT_SHIFT, EPOCH, WEEKDAYS, Instance, dates, hours
from tests.schedule.brute_plan import planned
from tests.schedule.test_brute_force import instances

from territory.schedule.changes import SIZES, size_of

if TYPE_CHECKING:
    import datetime as dt

HALF = 1800
BOTH = ("both-later", "both-earlier")


def with_cell(case: Instance, table: str, row: int, **cells: Any) -> Instance:
    """Return an instance with other cells in one row."""
    rows = list(getattr(case, table))
    rows[row] = {**rows[row], **cells}
    return replace(case, memo={}, **{table: tuple(rows)})


def open_hours(case: Instance, c: int, day: dt.date) -> list[tuple[int, int]]:
    return list(hours(case.customers[c].get("hours", ""))[day.weekday()])


def longer(spans: list[tuple[int, int]], more: int, *, early: bool) -> list[tuple[int, int]]:
    """Return hours of a day that begin earlier or end later."""
    if early:
        return [(max(0, spans[0][0] - more), spans[0][1]), *spans[1:]]
    return [*spans[:-1], (spans[-1][0], min(DAY_S, spans[-1][1] + more))]


def without(text: str, day: dt.date) -> str:
    return "; ".join(d.isoformat() for d in sorted(dates(text) - {day}))


def wider(case: Instance, c: int, early: int, late: int) -> Instance:
    """Return an instance in which a customer has more days of tolerance, the others those that they had."""
    rhythms = [case.tolerance * (row.get("interval") or 0) for row in case.customers]
    rows = [
        {**row, "early": row.get("early", int(share)), "late": row.get("late", int(share))}
        for row, share in zip(case.customers, rhythms, strict=True)
    ]
    rows[c] = {**rows[c], "early": rows[c]["early"] + early, "late": rows[c]["late"] + late}
    return replace(case, customers=tuple(rows), memo={})


def of_customer(case: Instance, c: int, n: int, r: int) -> list[tuple[str, int, Instance]]:
    """Return all changes of a customer that concern a day: code, amount, instance."""
    row, day = case.customers[c], case.day(n)
    found = []
    if case.by_interval and row.get("interval") is not None:
        for t in range(1, 15):
            found += [("tolerance-early", t, wider(case, c, t, 0)), ("tolerance-late", t, wider(case, c, 0, t))]
    service = case.service(c)
    for less in range(900, service // 2 + 1, 900):
        found.append(("shorter-visit", less, with_cell(case, "customers", c, service=service - less)))
    spans = open_hours(case, c, day)
    shift = case.reps[r].get("shift_on", {}).get(day) or hours(case.reps[r].get("shift", DEFAULT_SHIFT))[day.weekday()]
    if not spans:
        found.append(("opens-that-day", 1, with_cell(case, "customers", c, hours_on={day: [(0, DAY_S)]})))
    for more in range(HALF, 8 * HALF + 1, HALF) if spans else ():
        for early in (True, False):
            other = with_cell(case, "customers", c, hours_on={day: longer(spans, more, early=early)})
            found.append(("opens-earlier" if early else "closes-later", more, other))
            fits = shift and (shift[0][0] >= more if early else shift[0][1] + more <= DAY_S)
            if fits and case.shift(r, n) is not None:
                shift_on = {day: longer(list(shift), more, early=early)}
                both = with_cell(other, "reps", r, shift_on=shift_on)
                found.append(("both-earlier" if early else "both-later", more, both))
    if row.get("weekdays"):
        allowed = f"{row['weekdays']},{WEEKDAYS[day.weekday()]}"
        found.append(("weekday", 1, with_cell(case, "customers", c, weekdays=allowed)))
    if row.get("parity", "any") != "any":
        found.append(("week", 1, with_cell(case, "customers", c, parity="any")))
    if day in dates(row.get("blocks", "")):
        found.append(("call-block", 1, with_cell(case, "customers", c, blocks=without(row["blocks"], day))))
    return found


def of_rep(case: Instance, r: int, n: int) -> list[tuple[str, int, Instance]]:
    """Return all changes of a rep that concern a day."""
    row, day = case.reps[r], case.day(n)
    week = hours(row.get("shift", DEFAULT_SHIFT))
    found = []
    if case.shift(r, n) is not None:
        spans = week[day.weekday()]
        for more in range(HALF, 8 * HALF + 1, HALF):
            for early in (True, False):
                if spans[0][0] >= more if early else spans[0][1] + more <= DAY_S:
                    other = with_cell(case, "reps", r, shift_on={day: longer(spans, more, early=early)})
                    found.append(("shift-early" if early else "shift-late", more, other))
        if "max_visits" in row:
            found += [("visits-a-day", k, with_cell(case, "reps", r, max_visits=row["max_visits"] + k)) for k in (1, 2)]
        return found
    if day in dates(row.get("leave", "")):
        return [("leave-day", 1, with_cell(case, "reps", r, leave=without(row["leave"], day)))]
    usual = next((week[(day.weekday() + k) % 7] for k in (0, -1, 1, -2, 2, -3, 3) if week[(day.weekday() + k) % 7]), [])
    code = "holiday" if day in dates(case.holidays) else "extra-day"
    return [(code, 1, with_cell(case, "reps", r, shift_on={day: usual}))]


def lets_in(case: Instance, c: int, n: int, made: list[int], lost: int, order: tuple[int, ...]) -> bool:
    """Return whether a customer's visit fits a day somewhere in its order, and fewer are missed then than were lost."""
    r = case.rep(c)
    if n in made or len(order) + 1 > case.reps[r].get("max_visits", 1000):
        return False
    if case.fewest_missed(c, (*made, n)) >= lost:
        return False
    return any(case.back(r, n, (*order[:k], c, *order[k:])) is not None for k in range(len(order) + 1))


def check(case: Instance) -> int:
    """Compare the smallest change of every missed visit with all that there are; return how many were compared."""
    plan = planned(case)
    first = (case.day(0) - EPOCH).days
    made: dict[int, list[int]] = defaultdict(list)
    orders: dict[tuple[int, int], tuple[int, ...]] = defaultdict(tuple)
    s = plan.stops
    for k in np.lexsort((s.position, s.day.astype(np.int64), s.rep_idx)).tolist():
        n, c = int(s.day[k].astype(np.int64)) - first, int(s.customer_idx[k])
        made[c].append(n)
        orders[int(s.rep_idx[k]), n] += (c,)
    u = plan.unassigned
    due = (u.due.astype(np.int64) - first).tolist()
    events = {c: sorted([*made[c], *(d for d, w in zip(due, u.customer_idx.tolist(), strict=True) if w == c)])
              for c in range(len(case.customers))}  # fmt: skip
    compared = 0
    for k, (c, day) in enumerate(zip(u.customer_idx.tolist(), due, strict=True)):
        before = max((n for n in events[c] if n < day), default=-1)
        (low, high), _ = case.options(case.rhythm(c), before)
        low, high = min(low, day), max(high, day)
        r, lost = case.rep(c), u.customer_idx.tolist().count(c)
        sizes: dict[str, float] = {}
        for n in range(max(0, low - 14), min(high + 14, case.n_days - 1) + 1):
            inside = low <= n <= high
            tries = [("search", 0, case)] if inside else []
            tries += of_customer(case, c, n, r) + (of_rep(case, r, n) if inside else [])
            for code, amount, other in tries:
                early = amount if code == "tolerance-early" else 0
                late = amount if code == "tolerance-late" else 0
                size = size_of(code, amount)
                near = low - early <= n <= high + late
                if near and size < sizes.get(code, np.inf) and lets_in(other, c, n, made[c], lost, orders[r, n]):
                    sizes[code] = size
        single = {code: size for code, size in sizes.items() if code not in BOTH}
        code = str(u.change_code[k])
        if code == "rep":
            assert not sizes
            continue
        best = min((single or sizes).items(), key=lambda item: (item[1], list(SIZES).index(item[0])), default=None)
        found = (code, size_of(code, int(u.change_amount[k]))) if code else None
        assert found == best, (c, day, sizes)
        compared += 1
    return compared


def one_clock(case: Instance) -> Instance:
    """Return an instance in which customers keep the clock of their rep: one day of the one is one of the other."""
    rows = tuple({k: v for k, v in row.items() if k != "zone"} for row in case.customers)
    return replace(case, customers=rows, memo={})


@settings(max_examples=40)
@given(instances().map(one_clock))
def test_no_change_is_smaller_than_the_one_that_was_found(case):
    check(case)
