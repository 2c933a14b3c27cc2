"""A plan as plain values for a JSON file, and back: everything that is not in the tables beside it."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import Problem
from territory.io.graph_state import graph_state, restore_graph
from territory.io.rules_state import restore_rules, rules_state
from territory.model import Alignment, Nights, Routes, Status, Stops, Unassigned
from territory.model.arrays import NO_IDX, frozen, text_array
from territory.model.enums import Commitment
from territory.model.table import Rejects, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from territory.model import Customers, Hotels, Plan, Reps, Visits

__all__ = [
    "alignment_state",
    "notes_state",
    "problems_state",
    "restore_alignment",
    "restore_nights",
    "restore_notes",
    "restore_problems",
    "restore_routes",
    "restore_stops",
    "restore_unassigned",
    "routes_columns",
    "stops_columns",
]


def problems_state(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Return problems as plain values."""
    return [{**dataclasses.asdict(p), "rows": [int(r) for r in p.rows]} for p in problems]


def restore_problems(values: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """Return what `problems_state` was made of."""
    return tuple(Problem(**{**v, "rows": tuple(v["rows"])}) for v in values)


def notes_state(table: Table) -> dict[str, Any]:
    """Return a table's warnings, and the rows that were set aside when it was read."""
    rejects = table.rejects
    return {
        "diagnostics": problems_state(table.diagnostics),
        "rejects": None
        if rejects is None
        else {"rows": rejects.rows.tolist(), "problems": problems_state(rejects.problems)},
    }


def restore_notes(table: Table, values: Mapping[str, Any]) -> None:
    """Give a table that was just read the notes that it had when it was written."""
    # reading it again has found the same warnings again, which must not stand there twice
    object.__setattr__(table, "diagnostics", restore_problems(values["diagnostics"]))
    rejects = values["rejects"]
    if rejects is not None:
        rows = frozen(np.array(rejects["rows"], dtype=np.int64))
        object.__setattr__(table, "rejects", Rejects(rows, restore_problems(rejects["problems"])))


# -- alignment ---------------------------------------------------------------------------------


def alignment_state(alignment: Alignment) -> dict[str, Any]:
    """Return an alignment as plain values, but for its tables and whose customer is whose."""
    return {
        "territory_id": alignment.territory_id.tolist(),
        "rep_idx": alignment.rep_idx.tolist(),
        "center_lon": _numbers(alignment.center_lon),
        "center_lat": _numbers(alignment.center_lat),
        "balance": {name: float(v) for name, v in alignment.balance.items()},
        "targets": {name: _numbers(values) for name, values in alignment.targets.items()},
        "contiguous": bool(alignment.contiguous),
        "status": str(alignment.status),
        "objective": _number(alignment.objective),
        "bound": None if alignment.bound is None else _number(alignment.bound),
        "free_bound": None if alignment.free_bound is None else _number(alignment.free_bound),
        "gap": None if alignment.gap is None else _number(alignment.gap),
        "unassigned_reason": {str(i): reason for i, reason in alignment.unassigned_reason.items()},
        "diagnostics": problems_state(alignment.diagnostics),
        "graph": graph_state(alignment.graph),
        "rules": rules_state(alignment.rules),
    }


def restore_alignment(
    values: Mapping[str, Any], cells: Mapping[str, list[str]], customers: Customers, reps: Reps | None
) -> Alignment:
    """Return the alignment of `alignment_state` and its table of customers."""
    position = {territory_id: j for j, territory_id in enumerate(values["territory_id"])}
    territory_idx = np.full(len(customers), NO_IDX, dtype=np.int32)
    territory_idx[customers.positions(cells["customer_id"])] = [
        position[t] if t else NO_IDX for t in cells["territory_id"]
    ]
    return Alignment(
        customers=customers,
        reps=reps,
        territory_id=text_array(values["territory_id"]),
        territory_idx=territory_idx,
        rep_idx=np.array(values["rep_idx"], dtype=np.int32),
        center_lon=_floats(values["center_lon"]),
        center_lat=_floats(values["center_lat"]),
        balance=dict(values["balance"]),
        targets={name: _floats(v) for name, v in values["targets"].items()},
        contiguous=values["contiguous"],
        status=Status(values["status"]),
        objective=float("nan") if values["objective"] is None else values["objective"],
        bound=values["bound"],
        free_bound=values.get("free_bound"),
        unassigned_reason={int(i): reason for i, reason in values["unassigned_reason"].items()},
        diagnostics=restore_problems(values["diagnostics"]),
        # files of before have none
        graph=restore_graph(values.get("graph")),
        rules=restore_rules(values.get("rules")),
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _numbers(values: Any) -> list[float | None]:
    return [_number(v) for v in np.asarray(values, dtype=np.float64).tolist()]


def _floats(values: Iterable[float | None]) -> Any:
    return frozen(np.array([math.nan if v is None else v for v in values], dtype=np.float64))


# -- stops, routes, unassigned -----------------------------------------------------------------


def stops_columns(plan: Plan) -> dict[str, Any]:
    """Return the stops for a file: the rep's wall clock for people, and UTC, which is exact when clocks change."""
    s = plan.stops
    return {**plan.to_dict(), "arrival_utc": s.arrival, "start_utc": s.start, "end_utc": s.end}


def routes_columns(plan: Plan) -> dict[str, Any]:
    """Return the routes for a file, times as in `stops_columns`."""
    r = plan.routes
    return {**plan.routes_dict(), "leave_utc": r.leave, "back_utc": r.back, "break_start_utc": r.break_start}


def restore_stops(
    cells: Mapping[str, list[str]], customers: Customers, reps: Reps, visits: Visits | None = None
) -> Stops:
    """Return the stops of `stops_columns`; columns that files of before do not have stay absent."""
    return Stops(
        rep_idx=reps.positions(cells["rep_id"]),
        day=_days(cells["day"]),
        position=_whole(cells["position"]),
        customer_idx=customers.positions(cells["customer_id"]),
        arrival=_instants(cells["arrival_utc"]),
        start=_instants(cells["start_utc"]),
        end=_instants(cells["end_utc"]),
        drive_s=_whole(cells["drive_s"]),
        distance_m=_whole(cells["distance_m"]),
        visit_idx=_visit_rows(cells, visits),
        remote=_flags(cells["remote"]) if "remote" in cells else None,
        commitment=_levels(cells["commitment"]) if "commitment" in cells else None,
        estimated=_flags(cells["estimated"]) if "estimated" in cells else None,
    )


def restore_routes(cells: Mapping[str, list[str]], reps: Reps) -> Routes:
    """Return the routes of `routes_columns`."""
    return Routes(
        rep_idx=reps.positions(cells["rep_id"]),
        day=_days(cells["day"]),
        n_stops=_whole(cells["n_stops"]),
        leave=_instants(cells["leave_utc"]),
        back=_instants(cells["back_utc"]),
        drive_s=_whole(cells["drive_s"]),
        distance_m=_whole(cells["distance_m"]),
        break_start=_instants(cells["break_start_utc"]),
        break_s=_whole(cells["break_s"]),
        bound_s=_whole(cells["bound_s"]) if "bound_s" in cells else None,
        estimated=_flags(cells["estimated"]) if "estimated" in cells else None,
    )


def restore_unassigned(
    cells: Mapping[str, list[str]], customers: Customers, reps: Reps, visits: Visits | None = None
) -> Unassigned:
    """Return what `Plan.unassigned_dict` was made of."""
    rep_idx = np.full(len(cells["rep_id"]), NO_IDX, dtype=np.int32)
    known = np.flatnonzero([bool(rep_id) for rep_id in cells["rep_id"]])
    rep_idx[known] = reps.positions([cells["rep_id"][i] for i in known])
    return Unassigned(
        customer_idx=customers.positions(cells["customer_id"]),
        rep_idx=rep_idx,
        due=_days(cells["due"]),
        reason=text_array(cells["reason"]),
        detail=text_array(cells["detail"]),
        visit_idx=_visit_rows(cells, visits),
        change=text_array(cells["change"]) if "change" in cells else None,
        change_code=text_array(cells["change_code"]) if "change_code" in cells else None,
        change_amount=_whole(cells["change_amount"]) if "change_amount" in cells else None,
        change_day=_days(cells["change_day"]) if "change_day" in cells else None,
    )


def restore_nights(cells: Mapping[str, list[str]], customers: Customers, reps: Reps, hotels: Hotels | None) -> Nights:
    """Return nights away from what `Plan.nights_dict` gave."""
    return Nights(
        rep_idx=reps.positions(cells["rep_id"]),
        day=_days(cells["day"]),
        customer_idx=_rows_of(cells["customer_id"], customers),
        hotel_idx=_rows_of(cells["hotel_id"], hotels),
        lon=_degrees(cells["lon"]),
        lat=_degrees(cells["lat"]),
        cost=_degrees(cells["cost"]),
    )


def _rows_of(names: list[str], table: Table | None) -> Any:
    """Return the rows of ids; -1 for a blank one."""
    rows = np.full(len(names), NO_IDX, dtype=np.int32)
    named = np.flatnonzero([bool(name) for name in names])
    if len(named) and table is None:
        msg = "ids without a table of them"
        raise ValueError(msg)
    if table is not None:
        rows[named] = table.positions([names[i] for i in named])
    return rows


def _degrees(cells: list[str]) -> Any:
    return np.array([float(v) for v in cells], dtype=np.float64)


def _visit_rows(cells: Mapping[str, list[str]], visits: Visits | None) -> Any:
    """Return the rows of single visits; -1 for a blank id, None where there is no such column."""
    if "visit_id" not in cells:
        return None
    rows = np.full(len(cells["visit_id"]), NO_IDX, dtype=np.int32)
    named = np.flatnonzero([bool(name) for name in cells["visit_id"]])
    if visits is not None:
        rows[named] = visits.positions([cells["visit_id"][i] for i in named])
    elif len(named):
        msg = "ids of single visits without a table of them"
        raise ValueError(msg)
    return rows


def _flags(cells: list[str]) -> Any:
    return np.array([{"true": True, "false": False}[v] for v in cells], dtype=bool)


def _levels(cells: list[str]) -> Any:
    return np.array([Commitment[v.upper()] for v in cells], dtype=np.int8)


def _days(cells: list[str]) -> Any:
    return np.array(cells, dtype="datetime64[D]")


def _instants(cells: list[str]) -> Any:
    return np.array(cells, dtype="datetime64[s]")


def _whole(cells: list[str]) -> Any:
    return np.array([int(v) for v in cells], dtype=np.int64)
