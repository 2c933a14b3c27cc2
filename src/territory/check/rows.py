"""What the rows of ``plan.visits`` ask for, as arrays: days, reps, firmness, what they outrank.

A row that says nothing about its kind is an appointment. Its firmness is what it says, or else
follows from it: a time of day is fixed, an event or a single day is confirmed, all else is planned.
Appointments, events and rows that are confirmed for a day outrank call blocks, weekdays and the
parity of weeks; events and rows with a time of day outrank opening hours, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.model.enums import Commitment, VisitKind

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray, TextArray
    from territory.model.plan import Plan

__all__ = ["ANYBODY", "STRANGER", "Rows", "lengths", "rows_of"]

#: Instead of a rep's position: the row names nobody.
ANYBODY: Final = -1
#: Instead of a position: the plan does not know who is named.
STRANGER: Final = -2
#: Kinds of rows to the words of `PlanSettings.service_by_kind`; regular visits are as long as others.
_WORDS: Final = {
    VisitKind.LEAD: "lead",
    VisitKind.FOLLOW_UP: "follow-up",
    VisitKind.APPOINTMENT: "appointment",
    VisitKind.EVENT: "event",
}


@dataclass(frozen=True, eq=False)
class Rows:
    """The single visits of a plan, v of them; days count from 1970.

    Attributes
    ----------
    customer, rep, second : int64 arrays of shape (v,)
        Positions; `ANYBODY` where nobody is named, `STRANGER` where the plan does not know the name.
    earliest, latest : int64 arrays of shape (v,)
        As the rows say.
    low, high : int64 arrays of shape (v,)
        The same within the horizon; high below low where the row lies outside.
    due : int64 array of shape (v,)
        The day for which it is listed if it is not planned, within the horizon; of no meaning for events.
    kind : int64 array of shape (v,)
    event, joint, remote, timed : bool arrays of shape (v,)
    time_s : float64 array of shape (v,)
        Seconds of the customer's local day; NaN: any.
    commitment : int64 array of shape (v,)
    free_days, free_hours : bool arrays of shape (v,)
        Whether the row outranks call blocks, weekdays and parity; opening hours.
    told_s : float64 array of shape (v,)
        Its own length, seconds; NaN: none.
    """

    customer: IntArray
    rep: IntArray
    second: IntArray
    earliest: IntArray
    latest: IntArray
    low: IntArray
    high: IntArray
    due: IntArray
    kind: IntArray
    event: BoolArray
    joint: BoolArray
    remote: BoolArray
    timed: BoolArray
    time_s: FloatArray
    commitment: IntArray
    free_days: BoolArray
    free_hours: BoolArray
    told_s: FloatArray

    @property
    def within(self) -> BoolArray:
        """Which rows have a day in the horizon."""
        return self.low <= self.high


def rows_of(plan: Plan) -> Rows:
    """Read the single visits of a plan; O(v + n)."""
    visits = plan.visits
    v = 0 if visits is None else len(visits)
    first = int(plan.settings.start.astype(np.int64))
    last = int(plan.settings.end.astype(np.int64)) - 1
    earliest, latest = _days(visits, "earliest", v), _days(visits, "latest", v)
    due = np.full(v, np.datetime64("NaT", "D")) if visits is None or visits.due is None else visits.due
    meant = np.where(np.isnat(due), latest, due.astype("datetime64[D]").astype(np.int64))
    kind = np.asarray(_column(visits, "kind", v, absent=int(VisitKind.APPOINTMENT)), dtype=np.int64)
    event = kind == VisitKind.EVENT
    time_s = np.asarray(_column(visits, "time_s", v, absent=np.nan), dtype=np.float64)
    timed = ~np.isnan(time_s)
    follows = np.full(v, int(Commitment.PLANNED))
    follows[event | (earliest == latest)] = Commitment.CONFIRMED_DAY
    follows[timed] = Commitment.FIXED
    said = None if visits is None else visits.commitment
    commitment = follows if said is None else np.where(said == -1, follows, said.astype(np.int64))
    second = _positions(None if visits is None else visits.second_rep_id, plan.reps.id, v)
    return Rows(
        customer=_positions(None if visits is None else visits.customer_id, plan.customers.id, v),
        rep=_positions(None if visits is None else visits.rep_id, plan.reps.id, v),
        second=second,
        earliest=earliest,
        latest=latest,
        low=np.maximum(earliest, first),
        high=np.minimum(latest, last),
        due=np.clip(meant, first, last),
        kind=kind,
        event=event,
        joint=second != ANYBODY,
        remote=np.asarray(_column(visits, "remote", v, absent=False), dtype=bool),
        timed=timed,
        time_s=time_s,
        commitment=commitment,
        free_days=event | (kind == VisitKind.APPOINTMENT) | (commitment >= Commitment.CONFIRMED_DAY),
        free_hours=event | timed,
        told_s=np.asarray(_column(visits, "service_s", v, absent=np.nan), dtype=np.float64),
    )


def lengths(plan: Plan, rows: Rows, customer: IntArray | IdxArray, single: IntArray, remote: BoolArray) -> IntArray:
    """Return how long visits are, whole seconds.

    What the row itself says comes first, then the settings by its kind (of a remote contact, those
    for remote ones, if there are any), then the customer's length, then the plan's.

    Parameters
    ----------
    plan : Plan
    rows : Rows
        Its single visits.
    customer : integer array of shape (m,)
    single : int64 array of shape (m,)
        Row of the single visit; -1: by interval.
    remote : bool array of shape (m,)

    Returns
    -------
    int64 array of shape (m,)
    """
    known, usual = plan.settings.service_by_kind, plan.customers.service_s
    length = np.full(len(customer), float(plan.settings.default_service_s)) if usual is None else usual[customer]
    kind = np.append(rows.kind, -1)[single]
    for which, word in _WORDS.items():
        if word in known:
            length = np.where(kind == which, known[word], length)
    if "remote" in known:
        length = np.where(remote, known["remote"], length)
    told = np.append(rows.told_s, np.nan)[single]
    return np.ceil(np.where(np.isnan(told), length, told)).astype(np.int64)


def _column(table: Any, name: str, n: int, *, absent: Any) -> npt.NDArray[Any]:
    column = None if table is None else getattr(table, name)
    return np.full(n, absent) if column is None else np.asarray(column)


def _days(table: Any, name: str, n: int) -> IntArray:
    days = _column(table, name, n, absent=np.datetime64("1970-01-01", "D"))
    return np.asarray(days.astype("datetime64[D]").astype(np.int64))


def _positions(names: TextArray | None, ids: TextArray, n: int) -> IntArray:
    """Look up ids; a blank one names nobody."""
    if names is None:
        return np.full(n, ANYBODY, dtype=np.int64)
    at = {one: i for i, one in enumerate(ids.tolist())}
    return np.array([at.get(name, STRANGER) if name else ANYBODY for name in names.tolist()], dtype=np.int64)
