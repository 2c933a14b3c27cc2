"""A change made: the tables with which a visit that found no place can be planned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.schedule.changes_edit import (
    allow_rep,
    allow_weekday,
    any_week,
    hours_on,
    lift_block,
    lift_leave,
    longer_hours,
    no_office,
    set_number,
    shift_hours,
    teach,
    usual_hours,
    weekday_of,
    wider,
    with_hours,
    with_shift,
)
from territory.schedule.leads import follow_ups
from territory.schedule.singles import read_singles
from territory.units import DAY_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.model.alignment import Alignment
    from territory.model.customers import Customers
    from territory.model.plan import Plan
    from territory.model.reps import Reps
    from territory.model.visits import Visits

__all__ = ["apply_change"]

#: What of the settings `schedule_visits` is asked for by name.
_OPTIONS: Final = (
    "start", "holidays", "tolerance", "default_shift", "default_service_s", "hot_days", "warm_days", "cold_detour_s",
    "follow_up_days", "remote", "service_by_kind", "cover", "shared", "load",
    "day_sets",
)  # fmt: skip


def apply_change(plan: Plan, row: int) -> tuple[Customers, Reps, Alignment | None, dict[str, Any]]:
    """Make the smallest change that lets a missed visit in.

    Parameters
    ----------
    plan : Plan
        Whose ``unassigned`` has changes.
    row : int
        Of ``plan.unassigned``.

    Returns
    -------
    Customers, Reps, Alignment or None
        The plan's tables, the change made.
    dict
        Further arguments of `schedule_visits`: start, weeks, holidays, visits, ...; not those that a plan does not
        keep: travel, worth, objective, iterations, rng.

    Raises
    ------
    InputError
        There is no such row, or no change lets it in.

    Examples
    --------
    >>> from territory import Customers, Reps, schedule_visits
    >>> customers = Customers(id=["a"], lon=[13.5], lat=[52.5], preferred_weekdays=["Sa"])
    >>> reps = Reps(id=["R1"], lon=[13.4], lat=[52.5])
    >>> plan = schedule_visits(customers, reps, start="2026-01-05", weeks=1)
    >>> plan.unassigned.change_code.tolist()
    ['weekday']
    >>> customers, reps, alignment, options = apply_change(plan, 0)
    >>> len(schedule_visits(customers, reps, alignment, **options).stops)
    1
    """
    unassigned = plan.unassigned
    if not 0 <= row < len(unassigned):
        raise InputError([Problem("no-such-row", f"row: expected 0 to {len(unassigned) - 1}, not {row}")], "plan")
    code = "" if unassigned.change_code is None else str(unassigned.change_code[row])
    if code == "" or unassigned.change_amount is None or unassigned.change_day is None:
        raise InputError([Problem("no-change", f"no change lets the visit of row {row} in")], "plan")
    amount, day = int(unassigned.change_amount[row]), unassigned.change_day[row]
    i, j = int(unassigned.customer_idx[row]), int(unassigned.rep_idx[row])
    customers, reps, alignment = plan.customers, plan.reps, plan.alignment
    options = {name: getattr(plan.settings, name) for name in _OPTIONS}
    options |= {"weeks": plan.settings.n_days // 7, "overload": "stretch" if plan.settings.stretch else "value"}
    number = -1 if unassigned.visit_idx is None else int(unassigned.visit_idx[row])
    visits = plan.visits
    if visits is not None and number >= 0 and code in _OF_VISIT:
        visits = _changed_visit(plan, visits, number, code, amount)
    elif code == "detour":
        options["cold_detour_s"] = plan.settings.cold_detour_s + amount
    elif code in ("both-later", "both-earlier"):
        customers = _opens("closes-later" if code == "both-later" else "opens-earlier")(plan, i, j, amount, day)
        reps = _shift(early=code == "both-earlier")(plan, i, j, amount, day)
    elif code in _OF_CUSTOMER:
        customers = _OF_CUSTOMER[code](plan, i, j, amount, day)
    elif code in _OF_REP:
        reps = _OF_REP[code](plan, i, j, amount, day)
    elif code == "rep" and alignment is not None:
        alignment = _moved(alignment, i, amount)
    if alignment is not None:
        alignment = replace(alignment, customers=customers, reps=reps)
    options["visits"] = _own(plan, visits)
    return customers, reps, alignment, options


def _changed_visit(plan: Plan, visits: Visits, v: int, code: str, amount: int) -> Visits:
    """Return single visits of which one has other dates, another time, or another length."""
    if code in ("dates-early", "dates-late"):
        column, sign = ("earliest", -1) if code == "dates-early" else ("latest", 1)
        days = np.array(getattr(visits, column))
        days[v] += sign * np.timedelta64(amount, "D")
        dates: dict[str, Any] = {column: days}
        return replace(visits, **dates)
    if code == "shorter-visit":
        owner = np.zeros(len(plan.customers), np.int32)
        one = next(s for s in read_singles(visits, plan.customers, plan.reps, plan.settings, owner) if s.number == v)
        return set_number(visits, "service_s", v, one.service_s - amount, np.nan)
    now = 0.0 if visits.time_s is None else float(visits.time_s[v])
    return set_number(visits, "time_s", v, now + (amount if code == "time-late" else -amount), np.nan)


def _own(plan: Plan, visits: Visits | None) -> Visits | None:
    """Return the single visits that the planner does not add itself."""
    added = follow_ups(plan.customers, plan.settings)
    if visits is None or added is None:
        return visits
    own = ~np.isin(visits.id.tolist(), added.id.tolist())
    return visits.take(np.flatnonzero(own)) if own.any() else None


def _moved(alignment: Alignment, i: int, rep: int) -> Alignment:
    """Return an alignment in which a customer belongs to another rep."""
    territory = np.array(alignment.territory_idx)
    territory[i] = alignment.rep_idx.tolist().index(rep)
    reasons = {c: why for c, why in alignment.unassigned_reason.items() if c != i}
    return replace(alignment, territory_idx=territory, unassigned_reason=reasons)


def _shorter(plan: Plan, i: int, _j: int, amount: int, _day: np.datetime64) -> Customers:
    c = plan.customers
    now = plan.settings.default_service_s if c.service_s is None else float(np.ceil(c.service_s[i]))
    return set_number(c, "service_s", i, now - amount, float(plan.settings.default_service_s))


def _opens(code: str) -> Callable[[Plan, int, int, int, np.datetime64], Customers]:
    def change(plan: Plan, i: int, _j: int, amount: int, day: np.datetime64) -> Customers:
        c = plan.customers
        return with_hours(c, i, day, longer_hours(hours_on(c, i, day), code, amount))

    return change


def _shift(*, early: bool) -> Callable[[Plan, int, int, int, np.datetime64], Reps]:
    def change(plan: Plan, _i: int, j: int, amount: int, day: np.datetime64) -> Reps:
        hours = shift_hours(plan.reps, j, day, plan.settings)
        begin, end = hours[0][0], hours[-1][1]
        span = (max(0, begin - amount), end) if early else (begin, min(DAY_S, end + amount))
        return with_shift(plan.reps, j, day, (span,))

    return change


def _more_visits(plan: Plan, _i: int, j: int, amount: int, _day: np.datetime64) -> Reps:
    most = plan.reps.max_visits_per_day
    return plan.reps if most is None else set_number(plan.reps, "max_visits_per_day", j, int(most[j]) + amount, 0)


def _works(plan: Plan, _i: int, j: int, _amount: int, day: np.datetime64) -> Reps:
    return with_shift(plan.reps, j, day, usual_hours(plan.reps, j, day, plan.settings))


def _skilled(plan: Plan, i: int, j: int, _amount: int, _day: np.datetime64) -> Reps:
    needs = plan.customers.required_skills
    return plan.reps if needs is None else teach(plan.reps, j, sorted(needs[i]))


_OF_VISIT: Final = ("dates-early", "dates-late", "time-early", "time-late", "shorter-visit")
#: Each takes the plan, customer, rep, amount and day.
_OF_CUSTOMER: Final[dict[str, Callable[[Plan, int, int, int, np.datetime64], Customers]]] = {
    "tolerance-early": lambda p, i, _j, n, _d: wider(p.customers, i, n, 0, p.settings.tolerance),
    "tolerance-late": lambda p, i, _j, n, _d: wider(p.customers, i, 0, n, p.settings.tolerance),
    "shorter-visit": _shorter,
    "opens-earlier": _opens("opens-earlier"),
    "closes-later": _opens("closes-later"),
    "opens-that-day": lambda p, i, _j, _n, d: with_hours(p.customers, i, d, ((0, DAY_S),)),
    "weekday": lambda p, i, _j, _n, d: allow_weekday(p.customers, i, weekday_of(d)),
    "week": lambda p, i, _j, _n, _d: any_week(p.customers, i),
    "call-block": lambda p, i, _j, _n, d: lift_block(p.customers, i, d),
    "unlock": lambda p, i, _j, _n, _d: set_number(p.customers, "locked", i, False, False),  # noqa: FBT003
    "allow-rep": lambda p, i, j, _n, _d: allow_rep(p.customers, i, str(p.reps.id[j])),
}
_OF_REP: Final[dict[str, Callable[[Plan, int, int, int, np.datetime64], Reps]]] = {
    "shift-early": _shift(early=True),
    "shift-late": _shift(early=False),
    "visits-a-day": _more_visits,
    "extra-day": _works,
    "holiday": _works,
    "leave-day": lambda p, _i, j, _n, d: lift_leave(p.reps, j, d),
    "field-day": lambda p, _i, j, _n, d: no_office(p.reps, j, weekday_of(d)),
    "skill": _skilled,
}
