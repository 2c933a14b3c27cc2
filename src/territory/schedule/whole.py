"""The whole job in one call: territories, calendar, routes."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from territory.design import design_territories
from territory.schedule.calendar import schedule_visits
from territory.schedule.request import read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from territory.model.alignment import Alignment
    from territory.model.customers import Customers
    from territory.model.plan import Plan
    from territory.model.reps import Reps

__all__ = ["plan"]


def plan(
    customers: Customers,
    reps: Reps,
    *,
    start: object,
    weeks: int = 4,
    alignment: Alignment | None = None,
    balance: Mapping[str, float] | None = None,
    time_limit_s: float = 600.0,
    rng: int | None = 0,
    on_progress: Callable[[str, float], None] | None = None,
    **schedule: Any,
) -> Plan:
    """Design territories, plan every customer's visits, and route every day.

    Parameters
    ----------
    customers, reps : Customers, Reps
    start : day-like
        First day, e.g. ``"2026-01-05"``.
    weeks : int
        1 to 53.
    alignment : Alignment, optional
        Territories to keep; default: new ones, one a rep.
    balance : mapping of measure to float, optional
        For new territories, see `design_territories`.
    time_limit_s : float
        Seconds for everything.
    rng : int or None
        Seed.
    on_progress : callable, optional
        Called with the step and the share done.
    **schedule
        Further options of `schedule_visits`: travel, holidays, tolerance, n_jobs, ...

    Returns
    -------
    Plan
        With its ``.alignment``; both have passed their checks.

    Raises
    ------
    InputError
        Every broken rule at once.
    InfeasibleError
        No territories keep the hard limits.

    Examples
    --------
    >>> from territory import Customers, Reps
    >>> customers = Customers(id=["a", "b", "c", "d"], lon=[0, 0, 9, 9], lat=[50, 50.1, 50, 50.1])
    >>> reps = Reps(id=["R1", "R2"], lon=[0, 9], lat=[50, 50])
    >>> plan(customers, reps, start="2026-01-05", weeks=1).summary()["visits"]
    4
    """
    began = monotonic()
    # all that is wrong, before the first long step
    settings, _, _ = read_request(
        customers, reps, alignment, start=start, weeks=weeks, time_limit_s=time_limit_s, rng=rng, designs=True,
        **schedule,
    )  # fmt: skip
    # holidays may come from an iterator, which has been read now
    schedule["holidays"] = settings.holidays
    trace: dict[str, float] = {}
    if alignment is None:
        share = min(time_limit_s, max(0.2 * time_limit_s, 1.0))
        alignment = design_territories(
            customers, reps, balance=balance, time_limit_s=share, rng=rng, on_progress=on_progress
        )
        trace["territories"] = monotonic() - began
    left = max(time_limit_s - (monotonic() - began), 0.01)
    made = schedule_visits(
        customers,
        reps,
        alignment,
        start=start,
        weeks=weeks,
        time_limit_s=left,
        rng=rng,
        on_progress=on_progress,
        **schedule,
    )
    trace["visits and routes"] = monotonic() - began - sum(trace.values())
    return replace(made, trace=trace)
