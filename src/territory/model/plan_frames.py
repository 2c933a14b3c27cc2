"""The tables of a plan as people edit them: ids for positions, the rep's wall clock for UTC."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import NO_IDX, TEXT
from territory.model.columns import Column, Kind, columns_of
from territory.model.convert import read_columns
from territory.model.frames import frame_columns
from territory.model.names import required_columns
from territory.model.routes import Routes, Stops, Unassigned
from territory.model.rows import outward
from territory.model.zones import local, to_utc

if TYPE_CHECKING:
    from territory.model.arrays import IdxArray, InstantArray, TextArray
    from territory.model.customers import Customers
    from territory.model.plan import Plan
    from territory.model.reps import Reps
    from territory.model.table import Table
    from territory.model.visits import Visits

__all__ = [
    "empty_unassigned",
    "read_routes",
    "read_stops",
    "read_unassigned",
    "routes_dict",
    "stops_dict",
    "unassigned_dict",
]

_ID = Column(Kind.TEXT)
_PERHAPS = Column(Kind.TEXT, missing=True)


def empty_unassigned() -> Unassigned:
    """Return a table without rows."""
    nobody = np.empty(0, np.int32)
    text = np.empty(0, dtype=TEXT)
    return Unassigned(customer_idx=nobody, rep_idx=nobody, due=np.empty(0, "datetime64[D]"), reason=text, detail=text)


def stops_dict(plan: Plan) -> dict[str, Any]:
    """Return the columns of `Plan.to_dict`."""
    s = plan.stops
    zones = _zones(plan.reps, s.rep_idx)
    return {
        "rep_id": plan.reps.id[s.rep_idx].astype(object),
        "day": s.day,
        "position": s.position,
        "customer_id": plan.customers.id[s.customer_idx].astype(object),
        "arrival": local(s.arrival, zones),
        "start": local(s.start, zones),
        "end": local(s.end, zones),
        "drive_s": s.drive_s,
        "distance_m": s.distance_m,
        **_optional_columns(s, plan.visits),
    }


def routes_dict(plan: Plan) -> dict[str, Any]:
    """Return the columns of `Plan.routes_dict`."""
    t = plan.routes
    zones = _zones(plan.reps, t.rep_idx)
    columns = {
        "rep_id": plan.reps.id[t.rep_idx].astype(object),
        "day": t.day,
        "n_stops": t.n_stops,
        "leave": local(t.leave, zones),
        "back": local(t.back, zones),
        "drive_s": t.drive_s,
        "distance_m": t.distance_m,
        "break_start": local(t.break_start, zones),
        "break_s": t.break_s,
    }
    optional = {"bound_s": t.bound_s, "estimated": t.estimated}
    return {**columns, **{name: values for name, values in optional.items() if values is not None}}


def unassigned_dict(plan: Plan) -> dict[str, Any]:
    """Return the columns of `Plan.unassigned_dict`."""
    u = plan.unassigned
    rep = np.array([*plan.reps.id.tolist(), ""], dtype=object)
    return {
        "customer_id": plan.customers.id[u.customer_idx].astype(object),
        "rep_id": rep[u.rep_idx],
        "due": u.due,
        "reason": u.reason.astype(object),
        "detail": u.detail.astype(object),
        **_optional_columns(u, plan.visits),
    }


def _optional_columns(table: Stops | Unassigned, visits: Visits | None) -> dict[str, Any]:
    """Return the columns that a table need not have, for a dataframe: words as text, visits by their ids."""
    known, required = columns_of(type(table)), required_columns(type(table))
    found = {name: outward(getattr(table, name), known[name]) for name in table.column_names if name not in required}
    rows = found.pop("visit_idx", None)
    if rows is None:
        return found
    ids = np.array([*([] if visits is None else visits.id.tolist()), ""], dtype=object)
    return {"visit_id": ids[rows], **found}


def _visit_rows(read: dict[str, Any], visits: Visits | None) -> dict[str, Any]:
    """Return the columns with rows of `visits` for the ids of single visits; blank: none."""
    ids = read.pop("visit_id", None)
    if ids is None:
        return read
    rows = np.full(len(ids), NO_IDX, dtype=np.int32)
    named = np.flatnonzero(ids != "")
    if visits is not None:
        rows[named] = visits.positions(ids[named])
    elif len(named):
        message = "ids of single visits, but no table of them"
        found = tuple(int(i) for i in named[:5])
        problem = Problem("unknown-visit", message, "visit_id", len(named), found, hint="Pass visits=, or like=.")
        raise InputError([problem], "plan")
    return {**read, "visit_idx": rows}


def _read(frame: Any, cls: type[Table], ids: dict[str, Column]) -> dict[str, Any]:
    """Read the columns of a table of positions, with ids in their place; that of single visits may be absent."""
    source, problems = frame_columns(frame)
    _refuse(problems)
    own = {name: spec for name, spec in columns_of(cls).items() if not name.endswith("_idx")}
    optional = {f.name for f in dataclasses.fields(cls) if f.default is None}
    own = {name: spec for name, spec in own.items() if name not in optional or name in source}
    ids = {**ids, "visit_id": _PERHAPS} if "visit_idx" in columns_of(cls) and "visit_id" in source else ids
    return read_columns(source, {**ids, **own}, "plan")


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InputError(problems, "plan")


def _zones(reps: Reps, rep_idx: IdxArray) -> TextArray | None:
    return None if reps.timezone is None else reps.timezone[rep_idx]


def _utc(read: dict[str, InstantArray], names: tuple[str, ...], zones: TextArray | None) -> None:
    for name in names:
        read[name] = to_utc(read[name], zones)


def read_stops(frame: Any, customers: Customers, reps: Reps, visits: Visits | None = None) -> Stops:
    """Read what `Plan.to_frame` gives, in any order of rows."""
    s = _visit_rows(_read(frame, Stops, {"rep_id": _ID, "customer_id": _ID}), visits)
    rep_idx, customer_idx = reps.positions(s.pop("rep_id")), customers.positions(s.pop("customer_id"))
    _utc(s, ("arrival", "start", "end"), _zones(reps, rep_idx))
    stops = Stops(rep_idx=rep_idx, customer_idx=customer_idx, **s)
    return stops.take(np.lexsort((stops.position, stops.day.astype(np.int64), stops.rep_idx)))


def read_routes(frame: Any, reps: Reps) -> Routes:
    """Read what `Plan.routes_frame` gives, in any order of rows."""
    r = _read(frame, Routes, {"rep_id": _ID})
    rep_idx = reps.positions(r.pop("rep_id"))
    _utc(r, ("leave", "back", "break_start"), _zones(reps, rep_idx))
    routes = Routes(rep_idx=rep_idx, **r)
    return routes.take(np.lexsort((routes.day.astype(np.int64), routes.rep_idx)))


def read_unassigned(frame: Any, customers: Customers, reps: Reps, visits: Visits | None = None) -> Unassigned:
    """Read what `Plan.unassigned_frame` gives."""
    u = _visit_rows(_read(frame, Unassigned, {"customer_id": _ID, "rep_id": _PERHAPS}), visits)
    rep = u.pop("rep_id")
    rep_idx = np.full(len(rep), NO_IDX, dtype=np.int32)
    known = rep != ""
    rep_idx[known] = reps.positions(rep[known])
    return Unassigned(customer_idx=customers.positions(u.pop("customer_id")), rep_idx=rep_idx, **u)
