"""What a plan's report adds up, once more in plain loops."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from zoneinfo import ZoneInfo

import numpy as np

from territory.model.enums import VisitKind


def days_of(values):
    return [dt.date(1970, 1, 1) + dt.timedelta(days=int(d)) for d in values.astype(np.int64)]


def week_name(day):
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def bounds(plan, i):
    """Least and most days between two visits of a customer, by the words of the documentation."""
    c, interval = plan.customers, float(plan.customers.visit_interval_days[i])
    share = math.floor(plan.settings.tolerance * interval + 1e-9)
    early = share if c.early_days is None else float(c.early_days[i])
    late = share if c.late_days is None else float(c.late_days[i])
    low, high = math.ceil(interval - early - 1e-9), math.floor(interval + late + 1e-9)
    return max(1, min(low, high)), max(1, low, high)


def is_event(plan, row):
    s = plan.stops
    if plan.visits is None or plan.visits.kind is None or s.visit_idx is None or s.visit_idx[row] < 0:
        return False
    return plan.visits.kind[s.visit_idx[row]] == VisitKind.EVENT


def rhythmic(plan, i):
    interval = plan.customers.visit_interval_days
    return interval is not None and not math.isnan(interval[i]) and plan.settings.cadence


def intervals_by_hand(plan):
    """Each interval as (customer, rep, day, days from the visit before, asked, within, overdue)."""
    s, c, found = plan.stops, plan.customers, []
    days = days_of(s.day)
    start = dt.date.fromisoformat(str(plan.settings.start))
    for i in range(len(c)):
        if not rhythmic(plan, i):
            continue
        rows = [row for row in range(len(s)) if s.customer_idx[row] == i and not is_event(plan, row)]
        low, high = bounds(plan, i)
        last = None if c.last_visit is None or np.isnat(c.last_visit[i]) else days_of(c.last_visit[i : i + 1])[0]
        for day in sorted({days[row] for row in rows}):
            first = min((row for row in rows if days[row] == day), key=lambda row: (s.start[row], row))
            planned = [d for d in (days[row] for row in rows) if d < day]
            before = [*planned, *([last] if last is not None and last < day else [])]
            if not before:
                continue
            gap = (day - max(before)).days
            overdue = not planned and (max(before) + dt.timedelta(days=high)) < start
            asked = float(c.visit_interval_days[i])
            found.append((i, int(s.rep_idx[first]), day, gap, asked, low <= gap <= high, overdue))
    return found


def shift_by_hand(plan, rep, day):
    """Begin and end of a shift, seconds UTC; None: not at work."""
    reps, date = plan.reps, np.datetime64(day)
    if reps.leave is not None and any(a <= date <= b for a, b in reps.leave[rep]):
        return None
    own = plan.settings.rep_holidays.get(str(reps.id[rep]), np.empty(0, "M8[D]"))
    if day in [*plan.settings.holidays.tolist(), *own.tolist()] and dated(plan, rep, day) is None:
        return None
    return hours_by_hand(plan, rep, day)


def dated(plan, rep, day):
    """The hours that count on this very day, if there are any of its own."""
    column = plan.reps.shift_exceptions
    return next((h for a, b, h in (() if column is None else column[rep]) if a <= np.datetime64(day) <= b), None)


def hours_by_hand(plan, rep, day):
    own = dated(plan, rep, day)
    if own is not None:
        spans = own
    elif plan.reps.shift is not None:
        spans = plan.reps.shift[rep][day.weekday()]
    else:
        spans = ((8 * 3600, 17 * 3600),) if day.weekday() < 5 else ()
    if not spans:
        return None
    zone = ZoneInfo("UTC" if plan.reps.timezone is None else str(plan.reps.timezone[rep]) or "UTC")
    midnight = dt.datetime(day.year, day.month, day.day, tzinfo=zone)  # no clock changes in these weeks
    return tuple(midnight.timestamp() + t for t in spans[0])


def in_office(plan, rep, day):
    days = plan.reps.office_days
    return days is not None and bool(int(days[rep]) >> day.weekday() & 1)


def second(value):
    return int(value.astype("M8[s]").astype(np.int64))


def by_hand(plan, key):
    """Add everything up in plain loops, by a key made of rep (-1: none) and day."""
    s, t, u, reps = plan.stops, plan.routes, plan.unassigned, plan.reps
    sums = defaultdict(lambda: defaultdict(float))
    who, gaps = defaultdict(set), defaultdict(list)
    for row, day in enumerate(days_of(s.day)):
        at = key(int(s.rep_idx[row]), day)
        sums[at]["visits"] += 1
        sums[at]["remote"] += bool(s.remote is not None and s.remote[row])
        sums[at]["visit_h"] += (second(s.end[row]) - second(s.start[row])) / 3600
        who[at].add(int(s.customer_idx[row]))
    for row, day in enumerate(days_of(t.day)):
        rep = int(t.rep_idx[row])
        at = key(rep, day)
        leave, back = second(t.leave[row]), second(t.back[row])
        away = 0
        if not np.isnat(t.break_start[row]):
            begin = second(t.break_start[row])
            away = len([x for x in range(begin, begin + int(t.break_s[row])) if leave <= x < back])
        hours, office = hours_by_hand(plan, rep, day), in_office(plan, rep, day)
        prep, admin = (0 if c is None or office else math.ceil(c[rep]) for c in (reps.prep_s, reps.admin_s))
        over = 0 if hours is None else max(0, back + admin - hours[1])
        worked = (prep + back - leave + admin) / 3600
        part = sums[at]
        for name, amount in (
            ("drive_h", t.drive_s[row] / 3600), ("km", t.distance_m[row] / 1000), ("break_h", away / 3600),
            ("worked_h", worked), ("desk_h", (prep + admin) / 3600), ("overtime_h", over / 3600), ("days_worked", 1),
            ("worked_in_field", 0 if office else worked),
            ("cost_hours", 0 if reps.cost_per_hour is None else worked * reps.cost_per_hour[rep]),
            ("cost_overtime", 0 if reps.overtime_per_hour is None else over / 3600 * reps.overtime_per_hour[rep]),
            ("cost_km", 0 if reps.cost_per_km is None else t.distance_m[row] / 1000 * reps.cost_per_km[rep]),
            ("cost_days", 0 if reps.cost_per_day is None else reps.cost_per_day[rep]),
        ):  # fmt: skip
            part[name] += float(amount)
    for rep in range(len(reps)):
        for day in days_of(plan.settings.days):
            shift = shift_by_hand(plan, rep, day)
            if shift is not None and in_office(plan, rep, day):
                sums[key(rep, day)]["office_days"] += 1
            elif shift is not None:
                sums[key(rep, day)]["shift_h"] += (shift[1] - shift[0]) / 3600
                sums[key(rep, day)]["days"] += 1
    for row, day in enumerate(days_of(u.due)):
        at = key(int(u.rep_idx[row]), day)
        sums[at]["unplanned"] += 1
        sums[at]["unplanned_" + str(u.reason[row]).replace("-", "_")] += 1
    for _, rep, day, gap, asked, within, overdue in intervals_by_hand(plan):
        if overdue:
            sums[key(rep, day)]["overdue"] += 1
        else:
            gaps[key(rep, day)].append((gap, asked, within))
    for at in set(sums) | set(gaps):
        sums[at]["customers"] = len(who[at])
        add_gaps(sums[at], gaps[at])
        part = sums[at]
        part["idle_h"] = part["worked_h"] - part["desk_h"] - part["drive_h"] - part["visit_h"] - part["break_h"]
        part["utilisation"] = part["worked_in_field"] / part["shift_h"] if part["shift_h"] else math.nan
        part["cost"] = part["cost_hours"] + part["cost_km"] + part["cost_days"] + part["cost_overtime"]
    return sums


def add_gaps(part, gaps):
    nothing = math.nan
    part["intervals"], part["within"] = len(gaps), sum(w for *_, w in gaps)
    part["within_share"] = part["within"] / len(gaps) if gaps else nothing
    part["deviation_mean_days"] = sum(abs(g - a) for g, a, _ in gaps) / len(gaps) if gaps else nothing
    part["deviation_max_days"] = max((abs(g - a) for g, a, _ in gaps), default=nothing)
    part["interval_asked_days"] = sum(a for _, a, _ in gaps) / len(gaps) if gaps else nothing
    part["interval_days"] = sum(g for g, _, _ in gaps) / len(gaps) if gaps else nothing
