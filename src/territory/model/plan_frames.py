"""The tables of a plan as people edit them: ids for positions, the rep's wall clock for UTC."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import InputError
from territory.model.arrays import NO_IDX, TEXT
from territory.model.columns import Column, Kind, columns_of
from territory.model.convert import read_columns
from territory.model.frames import frame_columns
from territory.model.routes import Routes, Stops, Unassigned
from territory.model.zones import to_utc

if TYPE_CHECKING:
    from territory.errors import Problem
    from territory.model.arrays import IdxArray, InstantArray, TextArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.table import Table

__all__ = ["empty_unassigned", "read_routes", "read_stops", "read_unassigned"]

_ID = Column(Kind.TEXT)
_PERHAPS = Column(Kind.TEXT, missing=True)


def empty_unassigned() -> Unassigned:
    """Return a table without rows."""
    nobody = np.empty(0, np.int32)
    text = np.empty(0, dtype=TEXT)
    return Unassigned(customer_idx=nobody, rep_idx=nobody, due=np.empty(0, "datetime64[D]"), reason=text, detail=text)


def _read(frame: Any, cls: type[Table], ids: dict[str, Column]) -> dict[str, Any]:
    """Read the columns of a table of positions, with ids in their place."""
    source, problems = frame_columns(frame)
    _refuse(problems)
    own = {name: spec for name, spec in columns_of(cls).items() if not name.endswith("_idx")}
    optional = {f.name for f in dataclasses.fields(cls) if f.default is None}
    own = {name: spec for name, spec in own.items() if name not in optional or name in source}
    return read_columns(source, {**ids, **own}, "plan")


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InputError(problems, "plan")


def _zones(reps: Reps, rep_idx: IdxArray) -> TextArray | None:
    return None if reps.timezone is None else reps.timezone[rep_idx]


def _utc(read: dict[str, InstantArray], names: tuple[str, ...], zones: TextArray | None) -> None:
    for name in names:
        read[name] = to_utc(read[name], zones)


def read_stops(frame: Any, customers: Customers, reps: Reps) -> Stops:
    """Read what `Plan.to_frame` gives, in any order of rows."""
    s = _read(frame, Stops, {"rep_id": _ID, "customer_id": _ID})
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


def read_unassigned(frame: Any, customers: Customers, reps: Reps) -> Unassigned:
    """Read what `Plan.unassigned_frame` gives."""
    u = _read(frame, Unassigned, {"customer_id": _ID, "rep_id": _PERHAPS})
    rep = u.pop("rep_id")
    rep_idx = np.full(len(rep), NO_IDX, dtype=np.int32)
    known = rep != ""
    rep_idx[known] = reps.positions(rep[known])
    return Unassigned(customer_idx=customers.positions(u.pop("customer_id")), rep_idx=rep_idx, **u)
