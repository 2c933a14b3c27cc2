"""Check a plan: every rule, recomputed from the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from territory.check import (
    breaks,
    cadence,
    day_sets,
    drives,
    eligibility,
    follow_ups,
    leftovers,
    loads,
    nights,
    reasons,
    remote,
    shifts,
    singles,
    structure,
    times,
    windows,
)
from territory.check.facts import PlanFacts, gather
from territory.check.report import CheckReport, Violation
from territory.travel import default_travel
from territory.travel.base import check_travel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from territory.model.plan import Plan
    from territory.travel import Travel

    Rule: TypeAlias = Callable[[PlanFacts], Iterator[Violation]]

__all__ = ["check_plan"]

#: In the order of the report.
_RULES: Final[tuple[Rule, ...]] = (
    structure.tables_ordered,
    structure.positions_count,
    structure.stops_have_routes,
    structure.routes_have_stops,
    structure.stop_counts_right,
    structure.horizon_kept,
    structure.times_known,
    drives.travel_same,
    drives.legs_reachable,
    drives.legs_right,
    drives.estimates_told,
    drives.routes_right,
    drives.bounds_below_drives,
    drives.cold_leads_near,
    times.arrivals_possible,
    times.starts_after_arrivals,
    times.ends_right,
    times.back_possible,
    nights.nights_allowed,
    nights.nights_single,
    nights.nights_somewhere,
    nights.nights_between_routes,
    nights.nights_on_evenings,
    nights.nights_few,
    nights.nights_far_away,
    nights.nights_priced,
    shifts.holidays_kept,
    shifts.leave_kept,
    shifts.weekdays_worked,
    shifts.office_days_kept,
    shifts.shifts_kept,
    shifts.prep_and_admin_kept,
    shifts.max_visits_kept,
    loads.loads_kept,
    breaks.breaks_taken,
    breaks.breaks_long_enough,
    breaks.breaks_in_window,
    breaks.breaks_without_drives,
    breaks.breaks_without_visits,
    windows.opening_hours_kept,
    windows.call_blocks_kept,
    windows.weekdays_kept,
    windows.week_parity_kept,
    eligibility.skills_there,
    eligibility.forbidden_reps_kept,
    eligibility.channels_kept,
    eligibility.lost_customers_left,
    eligibility.locks_kept,
    eligibility.alignment_kept,
    cadence.visits_single,
    cadence.visits_due,
    cadence.first_visits_kept,
    cadence.intervals_kept,
    cadence.unassigned_apart,
    cadence.visits_complete,
    day_sets.day_sets_kept,
    follow_ups.follow_ups_asked,
    singles.singles_made,
    singles.singles_once,
    singles.singles_at_their_customers,
    singles.singles_on_their_days,
    singles.singles_at_their_times,
    singles.singles_by_their_reps,
    singles.joint_visits_together,
    singles.commitments_right,
    remote.remote_right,
    leftovers.reasons_known,
    reasons.reasons_founded,
    leftovers.details_given,
    leftovers.unassigned_single,
    leftovers.unassigned_not_planned,
    leftovers.unassigned_due,
    singles.singles_due_right,
)


def check_plan(
    plan: Plan, *, travel: Travel | None = None, complete: bool = True, cadence: bool | None = None
) -> CheckReport:
    """Check whether a plan keeps every rule; whoever made it, a solver or a person.

    Parameters
    ----------
    plan : Plan, with m stops and n customers
    travel : Travel, optional
        The source of travel times that the plan was made with; default: `GreatCircle()`.
    complete : bool
        Whether the plan has to hold every visit of its horizon. With False, for a part of a plan
        such as ``plan.day("2026-01-05")``, visits that are late or missing are not looked for.
    cadence : bool, optional
        Whether visit intervals count; default: as the plan's settings say. With False, for a day
        whose candidates somebody has chosen, only two visits of one customer on one day are wrong.

    Returns
    -------
    CheckReport
        ``.ok`` if nothing is wrong; else every violation, with a code of `territory.check.CODES`.

    Raises
    ------
    InputError
        The travel does not know the places of the plan, or is none.
    TravelError
        The travel failed.

    Notes
    -----
    O(n + v + m log m) for v single visits, with one call of ``travel.pairs`` for each speed factor of the reps.

    Where a leg cannot be driven, or a time is missing, that is reported, and rules that would need
    it are left out. A plan that was made with another travel is checked with the one that is
    given: ``travel-differs``, and whatever no longer fits.

    Examples
    --------
    >>> import numpy as np
    >>> from territory.model import Customers, Plan, PlanSettings, Reps, Routes, Stops
    >>> from territory.model.plan import empty_unassigned
    >>> from territory.travel import GreatCircle
    >>> stops = Stops(
    ...     rep_idx=[0], day=["2026-01-05"], position=[0], customer_idx=[0], drive_s=[0], distance_m=[0],
    ...     arrival=["2026-01-05T08:00:00"], start=["2026-01-05T07:59:00"], end=["2026-01-05T08:30:00"],
    ... )
    >>> routes = Routes(
    ...     rep_idx=[0], day=["2026-01-05"], n_stops=[1], leave=["2026-01-05T08:00:00"], drive_s=[0], distance_m=[0],
    ...     back=["2026-01-05T08:30:00"], break_start=np.array(["NaT"], "M8[s]"), break_s=[0],
    ... )
    >>> settings = PlanSettings(np.datetime64("2026-01-05"), 1, np.array([], "M8[D]"), travel=GreatCircle().fingerprint)
    >>> plan = Plan(
    ...     Customers(id=["a"], lon=[13.4], lat=[52.5]), Reps(id=["R1"], lon=[13.4], lat=[52.5]),
    ...     settings, stops, routes, empty_unassigned(),
    ... )
    >>> print(check_plan(plan))
    plan: 2 violations of 2 rules
      start-before-arrival (1)
        The visit of customer a starts at 2026-01-05 07:59, before rep R1 arrives at 2026-01-05 08:00.
      end-wrong (1)
        The visit of customer a from 2026-01-05 07:59 to 2026-01-05 08:30 takes 1860 s, not 1800 s.
    """
    source = default_travel() if travel is None else travel
    check_travel(travel=source)
    intervals = plan.settings.cadence if cadence is None else cadence
    facts = gather(plan, source, complete=complete, cadence=intervals)
    return CheckReport(tuple(violation for rule in _RULES for violation in rule(facts)), "plan")
