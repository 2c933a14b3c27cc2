"""What `schedule_visits` makes of an instance of `tests.schedule.brute`, and whether that is right."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.schedule.brute import DEFAULT_SERVICE_S, DEFAULT_SHIFT, EPOCH, Instance, dates

from territory import Alignment, Customers, Reps, schedule_visits
from territory.schedule import work_shifts
from territory.travel import MatrixTravel

if TYPE_CHECKING:
    from territory import Plan

#: Column, its name here, and what a blank cell is.
CUSTOMER_COLUMNS = (
    ("visit_interval_days", "interval", np.nan), ("early_days", "early", 0.0), ("late_days", "late", 0.0),
    ("last_visit", "last", ""), ("service_s", "service", DEFAULT_SERVICE_S), ("opening_hours", "hours", ""),
    ("hours_bind", "bind", "visit"), ("call_blocks", "blocks", ""), ("preferred_weekdays", "weekdays", ""),
    ("week_parity", "parity", "any"), ("timezone", "zone", ""),
)  # fmt: skip
REP_COLUMNS = (
    ("shift", "shift", DEFAULT_SHIFT), ("timezone", "zone", ""), ("leave", "leave", ""),
    ("max_visits_per_day", "max_visits", 1000),
)  # fmt: skip


def tables(case: Instance) -> tuple[Customers, Reps, Alignment, MatrixTravel]:
    """Write an instance as tables; columns that no row has are absent."""
    n, r = len(case.customers), len(case.reps)

    def columns(rows: tuple[dict[str, Any], ...], names: Any) -> dict[str, Any]:
        present = {name for row in rows for name in row}
        return {column: [row.get(name, blank) for row in rows] for column, name, blank in names if name in present}

    ids, rep_ids = [f"c{i}" for i in range(n)], [f"R{j}" for j in range(r)]
    customers = Customers(
        id=ids, lon=[10 + i / 100 for i in range(n)], lat=[50.0] * n, **columns(case.customers, CUSTOMER_COLUMNS)
    )
    rests = [row.get("rest", (0, 0, 0)) for row in case.reps]
    breaks = {
        name: [rest[k] for rest in rests]
        for k, name in enumerate(("break_s", "break_earliest_s", "break_latest_s"))
        if any(rests)
    }
    reps = Reps(
        id=rep_ids, lon=[10 + j / 100 for j in range(r)], lat=[49.0] * r, **columns(case.reps, REP_COLUMNS), **breaks
    )
    rep_of = [case.rep(c) for c in range(n)]
    alignment = Alignment(customers, reps, rep_ids, np.array(rep_of), np.arange(r), [10.0] * r, [50.0] * r)
    seconds = np.full((n + r, n + r), float(case.drive_s))
    np.fill_diagonal(seconds, 0.0)
    return customers, reps, alignment, MatrixTravel(seconds, customer_ids=ids, rep_ids=rep_ids)


def planned(case: Instance, **options: Any) -> Plan:
    """Plan an instance; unless told otherwise no time of day is better than another, so that the earliest is taken."""
    customers, reps, alignment, travel = tables(case)
    holidays = sorted(d.isoformat() for d in dates(case.holidays))
    return schedule_visits(
        customers, reps, alignment, start=case.start, weeks=case.weeks, travel=travel, tolerance=case.tolerance,
        holidays=holidays, **{"iterations": 200, "time_price_s": 0.0, **options},
    )  # fmt: skip


def utc_seconds(instants: np.ndarray) -> list[int]:
    return instants.astype("datetime64[s]").astype(np.int64).tolist()


def faults_of(case: Instance, plan: Plan, *, earliest: bool = True) -> list[str]:
    """Return all in which a plan differs from what trying everything finds; `earliest`: days end as soon as can be."""
    first = (case.day(0) - EPOCH).days
    stops, routes, unassigned = plan.stops, plan.routes, plan.unassigned
    faults = shift_faults(case, plan)
    stop_day = (stops.day.astype(np.int64) - first).tolist()
    due = (unassigned.due.astype("datetime64[D]").astype(np.int64) - first).tolist()
    for c in range(len(case.customers)):
        made = [n for n, who in zip(stop_day, stops.customer_idx.tolist(), strict=True) if who == c]
        missed = [n for n, who in zip(due, unassigned.customer_idx.tolist(), strict=True) if who == c]
        faults += [f"c{c}: {fault}" for fault in case.chain_faults(c, made, missed)]
    for who, n, start, end in zip(
        stops.customer_idx.tolist(), stop_day, utc_seconds(stops.start), utc_seconds(stops.end), strict=True
    ):
        if not any(a <= start <= b for a, b in case.starts(who, n)):
            faults.append(f"c{who} on day {n} starts at {shown(start)}, not in {case.starts(who, n)}")
        if end != start + case.service(who):
            faults.append(f"c{who} on day {n} takes {end - start} s")
    for r, (rep, day) in enumerate(zip(routes.rep_idx.tolist(), routes.day.tolist(), strict=True)):
        n = (day - EPOCH).days - first
        at = (stops.rep_idx == rep) & (stops.day == routes.day[r])
        order = tuple(stops.customer_idx[at][np.argsort(stops.position[at])].tolist())
        back, right = utc_seconds(routes.back)[r], case.back(rep, n, order)
        shift = case.shift(rep, n)
        fine = right is not None and shift is not None and right <= back <= shift[1]
        if not fine or (earliest and right != back):
            faults.append(f"R{rep} on day {n} is back at {shown(back)}, not {shown(right)}, after {order}")
    for rep in range(len(case.reps)):
        missed = int(np.isin(unassigned.customer_idx, case.mine(rep)).sum())
        least = case.least_missed(rep)
        if missed != least:
            faults.append(f"R{rep} misses {missed} visits, at best {least}")
    return faults


def shift_faults(case: Instance, plan: Plan) -> list[str]:
    """Return the days on which shifts differ."""
    shifts = work_shifts(plan.reps, plan.settings)
    found = {
        (rep, (day - case.day(0)).days): span
        for rep, day, *span in zip(
            shifts.rep_idx.tolist(), shifts.day.tolist(), utc_seconds(shifts.start), utc_seconds(shifts.end),
            strict=True,
        )
    }  # fmt: skip
    faults = []
    for rep in range(len(case.reps)):
        for n in range(case.n_days):
            wanted, got = case.shift(rep, n), found.get((rep, n))
            if wanted != (None if got is None else tuple(got)):
                faults.append(f"R{rep} works on day {n} from {wanted}, not {got}")
    return faults


def shown(second: int | None) -> str:
    return "never" if second is None else f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y-%m-%d %H:%M:%S}"
