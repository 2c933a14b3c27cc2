"""Yesterday's plan, cut for one task: the stops of its customers and reps, and the visits that they were made for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from territory.batch.buffers import pack_table, table_of
from territory.model import Customers, Plan, PlanSettings, Reps, Routes, Stops, Visits
from territory.model.arrays import NO_IDX
from territory.model.enums import Commitment
from territory.model.plan_frames import empty_unassigned

if TYPE_CHECKING:
    from territory.batch.buffers import Buffers

__all__ = ["pack_previous", "previous_of", "promised_links"]


def promised_links(
    previous: Plan, customers: Customers, reps: Reps, settings: PlanSettings, place: Any
) -> list[tuple[int, int]]:
    """Return which reps promises tie to customers of others: those who were to make the visit, and who serves it now.

    Parameters
    ----------
    previous : Plan
    customers, reps : Customers, Reps
        Today's.
    settings : PlanSettings
    place : int array of shape (n,)
        Node of each customer: its rep, or one of its own.

    Returns
    -------
    list of (int, int)
        Node of the customer, row of the rep.
    """
    row_of = {name: i for i, name in enumerate(customers.id.tolist())}
    rep_of = {name: i for i, name in enumerate(reps.id.tolist())}
    customer_at = np.array([row_of.get(name, NO_IDX) for name in previous.customers.id.tolist()], np.int64)
    rep_at = np.array([*(rep_of.get(name, NO_IDX) for name in previous.reps.id.tolist())], np.int64)
    links: list[tuple[int, int]] = []
    s = previous.stops
    kept = np.zeros(len(s), np.bool_) if s.commitment is None else s.commitment >= Commitment.CONFIRMED_WEEK
    if s.visit_idx is not None:
        kept |= s.visit_idx >= 0
    kept &= s.day >= settings.start
    a, b = customer_at[s.customer_idx[kept]], rep_at[s.rep_idx[kept]]
    both = (a >= 0) & (b >= 0)
    links += zip(place[a[both]].tolist(), b[both].tolist(), strict=True)
    v = previous.visits
    if v is not None:
        at = np.array([row_of.get(name, NO_IDX) for name in v.customer_id.tolist()], np.int64)
        for column in (v.rep_id, v.second_rep_id):
            if column is not None:
                by = np.array([rep_of.get(name, NO_IDX) for name in column.tolist()], np.int64)
                both = (at >= 0) & (by >= 0)
                links += zip(place[at[both]].tolist(), by[both].tolist(), strict=True)
    return links


def pack_previous(previous: Plan, customer_ids: Any, rep_ids: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the part of an earlier plan that concerns some customers and reps, as a head and arrays for `pack`."""
    cut = _Cut.of(previous)
    mine = np.sort(np.array([cut.customer_at[name] for name in customer_ids.tolist() if name in cut.customer_at], int))
    by = np.sort(np.array([cut.rep_at[name] for name in rep_ids.tolist() if name in cut.rep_at], int))
    s = previous.stops
    rows = np.concatenate([cut.stops_of[i] for i in mine.tolist()] or [np.empty(0, np.int64)]).astype(np.int64)
    rows = np.sort(rows[np.isin(s.rep_idx[rows], by)])
    visits = np.empty(0, np.int64)
    if previous.visits is not None:
        visits = np.sort(
            np.concatenate([cut.visits_of.get(name, []) for name in customer_ids.tolist()] or [[]]).astype(np.int64)
        )
    stops = s.take(rows)
    columns: dict[str, Any] = {"customer_idx": np.searchsorted(mine, stops.customer_idx).astype(np.int32),
                               "rep_idx": np.searchsorted(by, stops.rep_idx).astype(np.int32)}  # fmt: skip
    if stops.visit_idx is not None:
        columns["visit_idx"] = np.where(
            stops.visit_idx < 0, NO_IDX, np.searchsorted(visits, stops.visit_idx)
        ).astype(np.int32)  # fmt: skip
    old = previous.settings
    head: dict[str, Any] = {"settings": {"start": str(old.start), "n_days": old.n_days, "holidays": []}}
    arrays: dict[str, Any] = {}
    sections = [("customers", previous.customers, mine), ("reps", previous.reps, by)]
    if previous.visits is not None:
        sections.append(("visits", previous.visits, visits))
    for name, table, some in sections:
        head[name], its = pack_table(table, some, f"previous.{name}")
        arrays |= its
    head["stops"], its = pack_table(stops, slice(None), "previous.stops")
    arrays |= its
    arrays |= {f"previous.stops.{name}": values for name, values in columns.items()}
    return head, arrays


class _Cut:
    """Where the rows of a plan are; made once a plan."""

    _last: tuple[Plan, _Cut] | None = None

    def __init__(self, plan: Plan) -> None:
        self.customer_at = {name: i for i, name in enumerate(plan.customers.id.tolist())}
        self.rep_at = {name: i for i, name in enumerate(plan.reps.id.tolist())}
        order = np.argsort(plan.stops.customer_idx, kind="stable")
        ends = np.searchsorted(plan.stops.customer_idx[order], np.arange(len(plan.customers) + 1))
        self.stops_of = _Slices(order, ends)
        self.visits_of: dict[str, list[int]] = {}
        if plan.visits is not None:
            for i, name in enumerate(plan.visits.customer_id.tolist()):
                self.visits_of.setdefault(name, []).append(i)

    @classmethod
    def of(cls, plan: Plan) -> _Cut:
        if cls._last is None or cls._last[0] is not plan:
            cls._last = plan, cls(plan)
        return cls._last[1]


class _Slices:
    def __init__(self, order: Any, ends: Any) -> None:
        self.order, self.ends = order, ends

    def __getitem__(self, i: int) -> Any:
        return self.order[self.ends[i] : self.ends[i + 1]]


def previous_of(found: Buffers) -> Plan | None:
    """Return the part of an earlier plan that `pack_previous` packed; without routes, which planning does not ask."""
    head = found.head.get("previous")
    if head is None:
        return None

    def table(cls: type[Any], name: str) -> Any:
        inner = type(found)({f"previous.{name}": head.get(name)}, found.arrays)
        return table_of(cls, inner, f"previous.{name}")

    none = np.empty(0, np.int64)
    instants = np.empty(0, "datetime64[s]")
    routes = Routes(
        rep_idx=none.astype(np.int32), day=np.empty(0, "datetime64[D]"), n_stops=none, leave=instants, back=instants,
        drive_s=none, distance_m=none, break_start=instants, break_s=none,
    )  # fmt: skip
    return Plan(
        table(Customers, "customers"), table(Reps, "reps"), PlanSettings.from_dict(head["settings"]),
        table(Stops, "stops"), routes, empty_unassigned(), visits=table(Visits, "visits"),
    )  # fmt: skip
