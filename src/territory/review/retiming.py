"""A plan as it would come out on other ways: the same visits in the same order, at the times that these ways allow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from territory.check.facts import gather
from territory.errors import InfeasibleError, Problem
from territory.travel.base import check_travel

if TYPE_CHECKING:
    from territory.check.facts import PlanFacts
    from territory.model.plan import Plan
    from territory.travel import Travel

__all__ = ["retimed"]


def retimed(plan: Plan, travel: Travel) -> Plan:
    """Drive a plan's routes on other ways.

    Reps leave when they had planned to, and make their visits in the planned order, each at its time or, where they
    come too late for it, on arrival. A break is taken where it stood among drives and visits.

    Parameters
    ----------
    plan : Plan
    travel : Travel
        As things really are.

    Returns
    -------
    Plan
        With the same visits. It may break rules: `check_plan` with the same travel lists who comes after closing time
        and which days overrun their shift. Bounds are dropped, as they were of the other travel.

    Raises
    ------
    InfeasibleError
        A leg without a way.
    InputError
        The travel does not know the places of the plan.
    TravelError
        The travel failed.

    Notes
    -----
    O(m log m) in stops, and one call of ``travel.pairs`` for each speed factor.

    Examples
    --------
    >>> from territory import Customers, Reps, schedule_visits
    >>> from territory.travel import GreatCircle
    >>> customers = Customers(id=["a"], lon=[13.5], lat=[52.5], visit_interval_days=[7])
    >>> plan = schedule_visits(customers, Reps(id=["R1"], lon=[13.4], lat=[52.5]), start="2026-01-05", weeks=1)
    >>> found = plan.retimed(GreatCircle(detour=1.8))
    >>> int(found.routes.drive_s[0]) > int(plan.routes.drive_s[0])
    True
    """
    check_travel(travel=travel)
    f = gather(plan, travel, complete=False, cadence=False)
    _refuse(f)
    stops, routes, legs = plan.stops, plan.routes, f.legs
    arrival, start, end, back, pause = (
        column.astype("datetime64[s]").astype(np.int64)
        for column in (stops.arrival, stops.start, stops.end, routes.back, routes.break_start)
    )
    was = arrival.copy(), start.copy(), end.copy()
    resting = ~np.isnat(routes.break_start)
    clock = routes.leave.astype("datetime64[s]").astype(np.int64)
    drive, metres = routes.drive_s.copy(), routes.distance_m.copy()
    groups = np.flatnonzero(f.route_group >= 0)
    for r in groups.tolist():
        group = f.route_group[r]
        here = np.arange(f.first_stop[group], f.last_stop[group] + 1)
        now, at, length = int(clock[r]), int(pause[r]), int(routes.break_s[r])
        # one that is over before leaving stays
        rests = bool(resting[r]) and at + length > now
        for i in here.tolist():
            row = f.row[i]
            # the break stood before this drive, or on arrival, or is yet to come
            if rests and at < was[0][row]:
                pause[r], rests = max(now, at), False
                now = int(pause[r]) + length
            now += int(legs.drive_s[i])
            arrival[row] = now
            if rests and at < was[1][row]:
                pause[r], rests = max(now, at), False
                now = int(pause[r]) + length
            start[row] = max(now, was[1][row])
            now = end[row] = start[row] + was[2][row] - was[1][row]
        if rests and at < back[r]:
            pause[r], rests = max(now, at), False
            now = int(pause[r]) + length
        back[r] = now + int(legs.home_s[r])
        if rests:
            pause[r] = max(int(back[r]), at)
        drive[r] = int(legs.drive_s[here].sum()) + int(legs.home_s[r])
        metres[r] = int(legs.distance_m[here].sum()) + int(legs.home_m[r])
    # back to the order of the plan's rows
    order = np.argsort(f.row, kind="stable")
    guessed = legs.estimated[order]
    partly = np.zeros(len(routes), dtype=bool)
    np.logical_or.at(partly, f.route[f.route >= 0], legs.estimated[f.route >= 0])
    partly |= legs.home_estimated
    pause_at = pause.astype("datetime64[s]")
    pause_at[~resting] = np.datetime64("NaT", "s")
    return replace(
        plan,
        settings=replace(plan.settings, travel=travel.fingerprint),
        stops=replace(
            stops, arrival=arrival.astype("datetime64[s]"), start=start.astype("datetime64[s]"),
            end=end.astype("datetime64[s]"), drive_s=legs.drive_s[order], distance_m=legs.distance_m[order],
            estimated=guessed if partly.any() else None,
        ),
        routes=replace(
            routes, back=back.astype("datetime64[s]"), drive_s=drive, distance_m=metres, break_start=pause_at,
            bound_s=None, estimated=partly if partly.any() else None,
        ),
    )  # fmt: skip


def _refuse(f: PlanFacts) -> None:
    """Raise with all legs that have no way."""
    reasons = [
        Problem("leg-unreachable", f"no way for {f.rep_id(f.rep[i])} to {f.customer_id(f.customer[i])} on {f.day[i]}")
        for i in np.flatnonzero(~f.legs.reachable)
    ]
    reasons += [
        Problem("leg-unreachable", f"no way home for {f.rep_id(f.plan.routes.rep_idx[r])} on {f.plan.routes.day[r]}")
        for r in np.flatnonzero(~f.legs.home_reachable)
    ]
    if reasons:
        raise InfeasibleError(reasons, "the plan cannot be driven on these ways")
