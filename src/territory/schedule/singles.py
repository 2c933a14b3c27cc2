"""Single visits: read against customers, reps and horizon; and those that the planner adds itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.model.arrays import NO_IDX
from territory.model.enums import Commitment, VisitKind
from territory.schedule.leads import follow_ups, generated

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from territory.model.arrays import BoolArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings
    from territory.model.visits import Visits

__all__ = ["ELSEWHERE", "Single", "narrowed", "read_singles", "single_visits", "with_oneself"]

#: A rep who is planned on another board.
ELSEWHERE: Final = -2
_OUTSIDE: Final = "Left out. Maybe another year, or more weeks?"
#: The words of settings for the kinds of visits.
_WORDS: Final = {
    VisitKind.REGULAR: "regular", VisitKind.LEAD: "lead", VisitKind.FOLLOW_UP: "follow-up",
    VisitKind.APPOINTMENT: "appointment", VisitKind.EVENT: "event",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Single:
    """A visit to be made once; positions are those of the tables it is planned with, days those of the horizon.

    Attributes
    ----------
    number : int
        Row of the plan's visits.
    customer : int
    rep : int
        Who makes it; -1: nobody, `ELSEWHERE`.
    second_rep : int
        Who comes along; -1: nobody.
    bound : bool
        Whether the rep was named.
    low, high, due : int
        Less than its row says where other visits of the customer take days (`territory.schedule.apart`).
    asked : tuple of (int, int, int)
        The same as its row has them: what it is told by if it is missed.
    kind : VisitKind
    commitment : Commitment
    time_s : int
        Start on the customer's clock; -1: any.
    service_s : int
    remote : bool
    worth : float, optional
    """

    number: int
    customer: int
    rep: int
    second_rep: int
    bound: bool
    low: int
    high: int
    due: int
    asked: tuple[int, int, int]
    kind: VisitKind
    commitment: Commitment
    time_s: int
    service_s: int
    remote: bool
    worth: float | None

    @property
    def anchor(self) -> bool:
        """Whether it counts as one of its customer's visits by interval."""
        return self.kind is not VisitKind.EVENT

    @property
    def refused(self) -> bool:
        """Whether no day is left for it."""
        return self.low > self.high

    def on_board(self, row_of: Mapping[int, int], desk_of: Mapping[int, int]) -> Single:
        """Return the visit in the positions of a board."""
        rep, second = desk_of.get(self.rep, ELSEWHERE), self.second_rep
        second = second if second < 0 else desk_of.get(second, ELSEWHERE)
        return replace(self, customer=row_of[self.customer], rep=rep, second_rep=second)


def single_visits(
    visits: Visits | None, customers: Customers, reps: Reps, settings: PlanSettings, owner: IdxArray
) -> tuple[Visits | None, list[Problem]]:
    """Return the single visits of a horizon, those of the user and then those that follow won deals; and warnings.

    Parameters
    ----------
    visits : Visits or None
    customers, reps : Customers, Reps
    settings : PlanSettings
    owner : int32 array of shape (n,)
        Each customer's rep; -1: none.

    Raises
    ------
    InputError
        Unknown customers and reps, ids that the planner gives itself, visits by a rep and the same rep,
        everything at once.
    """
    added, problems, found = follow_ups(customers, settings), [], []
    own = None
    if visits is not None and len(visits):
        problems += _unknown(visits.customer_id, customers.id, "customer_id", "customer")
        for name in ("rep_id", "second_rep_id"):
            column = getattr(visits, name)
            if column is not None:
                problems += _unknown(column, reps.id, name, "rep")
        alone = with_oneself(visits, customers, reps, owner)
        problems += _listed(
            "joint-with-oneself", "who comes along is the customer's own rep", "second_rep_id", alone,
            "Name who comes besides, or in rep_id who makes the visit.",
        )  # fmt: skip
        again = generated(visits)
        promised = again & (visits.commitment_of() >= Commitment.CONFIRMED_WEEK)
        if added is not None:
            twice = np.isin(visits.id.tolist(), added.id.tolist()) & ~again
            problems += _listed("reserved-id", "an id that the planner gives to a follow-up", "id", twice)
            left = ~np.isin(added.id.tolist(), visits.id[promised].tolist())
            added = added.take(np.flatnonzero(left))
        outside = (visits.latest < settings.start) | (visits.earliest >= settings.end)
        told = outside & (promised | ~again)
        found += _listed(
            "visit-outside-horizon", f"not between {settings.start} and the end", "earliest", told, _OUTSIDE
        )
        # follow-ups of an earlier plan are worked out anew, but for those that have been promised
        own = visits.take(np.flatnonzero(~outside & (promised | ~again)))
    if problems:
        raise InputError(problems, "visits")
    parts = [part for part in (own, added) if part is not None and len(part)]
    if not parts:
        return None, found
    return parts[0] if len(parts) == 1 else parts[0].joined(parts[1]), found


def with_oneself(visits: Visits, customers: Customers, reps: Reps, owner: IdxArray) -> BoolArray:
    """Return which visits name nobody to make them, and as second rep the customer's own; shape (v,)."""
    if visits.second_rep_id is None:
        return np.zeros(len(visits), np.bool_)
    own = np.append(reps.id, "")[owner]
    of = dict(zip(customers.id.tolist(), own.tolist(), strict=True))
    unnamed = np.ones(len(visits), np.bool_) if visits.rep_id is None else np.asarray(visits.rep_id == "")
    # a customer whom nobody knows is told as such
    second = zip(visits.customer_id.tolist(), visits.second_rep_id.tolist(), strict=True)
    return unnamed & np.array([name != "" and of.get(customer) == name for customer, name in second], np.bool_)


def _unknown(ids: Any, known: Any, column: str, what: str) -> list[Problem]:
    there = {*known.tolist(), ""}
    bad = np.array([i not in there for i in ids.tolist()], np.bool_)
    return _listed(f"unknown-{what}", f"no such {what}", column, bad, f"Expected ids of the table of {what}s.")


def _listed(code: str, message: str, column: str, bad: BoolArray, hint: str | None = None) -> list[Problem]:
    rows = np.flatnonzero(bad)
    if rows.size == 0:
        return []
    return [Problem(code, message, column, int(rows.size), tuple(rows[:MAX_ROWS_LISTED].tolist()), hint)]


def read_singles(
    visits: Visits | None, customers: Customers, reps: Reps, settings: PlanSettings, owner: IdxArray
) -> list[Single]:
    """Return the single visits by day, in positions of the tables.

    Parameters
    ----------
    visits : Visits or None
        Of `single_visits`.
    customers, reps : Customers, Reps
    settings : PlanSettings
    owner : int32 array of shape (n,)
        Each customer's rep; -1: none.
    """
    if visits is None:
        return []
    customer = customers.positions(visits.customer_id)
    rep, second = (_positions(reps, column, len(visits)) for column in (visits.rep_id, visits.second_rep_id))
    named = rep >= 0
    rep = np.where(named, rep, owner[customer])
    first, last = int(settings.start.astype(np.int64)), settings.n_days - 1
    low = np.maximum(visits.earliest.astype(np.int64) - first, 0)
    high = np.minimum(visits.latest.astype(np.int64) - first, last)
    due = high.copy()
    if visits.due is not None:
        known = ~np.isnat(visits.due)
        due[known] = visits.due[known].astype(np.int64) - first
    due = np.clip(due, low, high)
    levels = visits.commitment_of()
    found = []
    for v in range(len(visits)):
        kind = VisitKind.APPOINTMENT if visits.kind is None else VisitKind(int(visits.kind[v]))
        time_s = -1 if visits.time_s is None or np.isnan(visits.time_s[v]) else int(visits.time_s[v])
        worth = None if visits.worth is None or np.isnan(visits.worth[v]) else float(visits.worth[v])
        remote = visits.remote is not None and bool(visits.remote[v])
        promised = Commitment(int(levels[v]))
        service = _service(visits, v, customers, int(customer[v]), settings, kind, remote=remote)
        found.append(
            Single(
                v, int(customer[v]), int(rep[v]), int(second[v]), bool(named[v]), int(low[v]), int(high[v]),
                int(due[v]), (int(low[v]), int(high[v]), int(due[v])), kind, promised, time_s, service, remote, worth,
            )
        )  # fmt: skip

    def key(one: Single) -> tuple[object, ...]:
        # by all that is known, so that the rows' order decides between what is alike only
        worth = -1.0 if one.worth is None else one.worth
        asked = (one.due, one.low, one.high, one.kind, one.time_s, one.service_s, one.remote, one.commitment, worth)
        return (one.customer, *asked, one.bound, one.second_rep >= 0, one.number)

    return sorted(found, key=key)


def narrowed(singles: Sequence[Single], gap_low: int, taken: Collection[int] = ()) -> list[Single]:
    """Return the single visits of one customer with the days that its other visits leave.

    Events are no visits, and stay as they are. Of each other no two days meet (`territory.schedule.apart`).

    Parameters
    ----------
    singles : sequence of Single
        Of one customer.
    gap_low : int
        Fewest days between two visits by interval; 0: it has none. One that follows a single visit may be so soon
        after the day for which that is meant.
    taken : collection of int
        Days on which the customer may be visited anyway.
    """
    found: list[Single] = []
    for one in singles:
        # what nobody makes takes no day from others
        if not one.anchor or one.refused or one.rep == NO_IDX:
            found.append(one)
            continue
        kept = replace(one, high=min(one.high, one.due + gap_low - 1)) if gap_low else one
        found.append(_between(kept, taken) if taken else kept)
    return found


def _between(one: Single, taken: Collection[int]) -> Single:
    """Return a single visit with the longest run of its days that are not taken; the same where all are."""
    runs, low = [], one.low
    for day in [*sorted(n for n in taken if one.low <= n <= one.high), one.high + 1]:
        if day > low:
            runs.append((low, day - 1))
        low = day + 1
    if not runs:
        return replace(one, low=one.due, high=one.due)
    low, high = max(runs, key=lambda run: (run[1] - run[0], -run[0]))
    return replace(one, low=low, high=high)


def _positions(reps: Reps, column: Any, n: int) -> Any:
    found = np.full(n, NO_IDX, np.int64)
    if column is not None:
        known = np.flatnonzero(column != "")
        found[known] = reps.positions(column[known])
    return found


def _service(
    visits: Visits, v: int, customers: Customers, i: int, settings: PlanSettings, kind: VisitKind, *, remote: bool
) -> int:
    """Return the length of a single visit: its own, that of its kind, the customer's, the usual one."""
    if visits.service_s is not None and not np.isnan(visits.service_s[v]):
        return int(np.ceil(visits.service_s[v] - 1e-9))
    word = "remote" if remote else _WORDS[kind]
    if word in settings.service_by_kind:
        return int(settings.service_by_kind[word])
    if customers.service_s is not None:
        return int(np.ceil(customers.service_s[i] - 1e-9))
    return settings.default_service_s
