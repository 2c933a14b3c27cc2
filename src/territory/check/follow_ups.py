"""Whether the follow-ups of won deals are among the single visits, as the settings ask for them.

A customer with `won_on` is due for one that many days later, within the plan's tolerance of as many
days; lost ones and those who are served from inside for none, nor those whose last visit was after the deal and
within the tolerance. It is known by its id.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.check.report import Violation
from territory.check.rows import lengths
from territory.model.enums import Channel, Commitment, Stage, VisitKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts

__all__ = ["follow_ups_asked"]

#: Of products such as 0.29 * 100, which ends just below 29.
_NOISE: Final = 1e-9


def follow_ups_asked(f: PlanFacts) -> Iterator[Violation]:
    """``follow-up-missing`` and ``follow-up-wrong``.

    A follow-up that an earlier plan has promised may have other days than those that are worked out anew.
    """
    if not (f.complete and f.cadence):
        return
    wanted = _wanted(f)
    ids = [] if f.plan.visits is None else f.plan.visits.id.tolist()
    row_of = {one: row for row, one in enumerate(ids)}
    for one, (customer, low, due, high) in wanted.items():
        row = row_of.get(one)
        who, day = f.customer_id(customer), np.datetime64(due, "D")
        if row is None:
            message = f"Customer {who} is due for a follow-up on {day}, which is not among the visits."
            yield Violation("follow-up-missing", message, customer_id=who, day=day)
            continue
        wrong = list(_differences(f, row, customer, low, due, high))
        if wrong:
            message = f"Follow-up {one} of customer {who}, due on {day}, has {', '.join(wrong)}."
            yield Violation("follow-up-wrong", message, customer_id=who, day=day)
    for row, one in enumerate(ids):
        customer = int(f.rows.customer[row])
        head, mark, days = one.rpartition("#follow-up-")
        generated = mark and customer >= 0 and head == f.customer_id(customer) and days.isdecimal()
        if generated and one not in wanted and f.rows.kind[row] == VisitKind.FOLLOW_UP and not _promised(f, row):
            message = f"Customer {head} has follow-up {one}, for which it is not due."
            yield Violation("follow-up-wrong", message, customer_id=head, day=np.datetime64(int(f.rows.due[row]), "D"))


def _wanted(f: PlanFacts) -> dict[str, tuple[int, int, int, int]]:
    """Return each follow-up's customer, and its first, due and last day (from 1970) within the horizon."""
    customers, settings = f.plan.customers, f.plan.settings
    if customers.won_on is None:
        return {}
    won = customers.won_on.astype("datetime64[D]")
    visited = ~np.isnat(won)
    if customers.channel is not None:
        visited &= customers.channel != Channel.INSIDE
    if customers.stage is not None:
        visited &= customers.stage != Stage.LOST
    start, end = int(settings.start.astype(np.int64)), int(settings.end.astype(np.int64))
    # a visit since the deal that was not too early was the follow-up; without a day no comparison holds
    seen = np.full(len(won), np.datetime64("NaT", "D")) if customers.last_visit is None else customers.last_visit
    wanted = {}
    for customer in np.flatnonzero(visited).tolist():
        for after in settings.follow_up_days:
            due = int(won[customer].astype(np.int64)) + after
            slack = int(np.floor(settings.tolerance * after + _NOISE))
            if start <= due < end and not won[customer] < seen[customer] >= np.datetime64(due - slack, "D"):
                one = f"{f.customer_id(customer)}#follow-up-{after}"
                wanted[one] = (customer, max(start, due - slack), due, min(end - 1, due + slack))
    return wanted


def _promised(f: PlanFacts, row: int) -> bool:
    return bool(f.rows.commitment[row] >= Commitment.CONFIRMED_WEEK) and (
        f.plan.visits is not None and f.plan.visits.commitment is not None
    )


def _differences(f: PlanFacts, row: int, customer: int, low: int, due: int, high: int) -> Iterator[str]:
    """Name what a row has that its follow-up has not."""
    rows = f.rows
    if rows.customer[row] != customer:
        yield "another customer"
    if rows.kind[row] != VisitKind.FOLLOW_UP:
        yield "another kind"
    if _promised(f, row):
        return
    if rows.due[row] != due:
        yield "another due day"
    if rows.low[row] != low:
        yield "another first day"
    if rows.high[row] != high:
        yield "another last day"
    one, remote, whom = np.array([row]), rows.remote[[row]], np.array([customer])
    silent = replace(rows, told_s=np.full(len(rows.told_s), np.nan))
    if lengths(f.plan, rows, whom, one, remote)[0] != lengths(f.plan, silent, whom, one, remote)[0]:
        yield "another length"
