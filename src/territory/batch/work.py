"""What is done with one task, wherever that is: its tables built, planned, checked, and written as columns.

The same task gives the same bytes, unless time runs out.
"""

from __future__ import annotations

import gc
import pickle
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.batch.buffers import pack, table_of, unpack
from territory.batch.previous import previous_of
from territory.batch.tasks import Answer
from territory.errors import BatchError
from territory.model import Alignment, Customers, Hotels, Reps, Visits
from territory.model.arrays import NO_IDX, TEXT
from territory.model.enums import Commitment
from territory.model.zones import local

if TYPE_CHECKING:
    from territory.batch.buffers import Buffers
    from territory.batch.tasks import Task
    from territory.model import Plan
    from territory.travel import Travel

__all__ = ["TABLES", "Work"]

_INSTANT: Final = "datetime64[s]"
_DAY: Final = "datetime64[D]"
#: The columns of the published tables, and their types, always all of them; "text" stands for text.
TABLES: Final[dict[str, dict[str, str]]] = {
    "stops": {
        "rep_id": "text", "day": _DAY, "position": "int32", "customer_id": "text", "arrival": _INSTANT,
        "start": _INSTANT, "end": _INSTANT, "drive_s": "int64", "distance_m": "int64", "visit_id": "text",
        "remote": "bool", "commitment": "text", "estimated": "bool", "arrival_utc": _INSTANT, "start_utc": _INSTANT,
        "end_utc": _INSTANT,
    },
    "routes": {
        "rep_id": "text", "day": _DAY, "n_stops": "int64", "leave": _INSTANT, "back": _INSTANT, "drive_s": "int64",
        "distance_m": "int64", "break_start": _INSTANT, "break_s": "int64", "bound_s": "int64", "estimated": "bool",
        "leave_utc": _INSTANT, "back_utc": _INSTANT, "break_start_utc": _INSTANT,
    },
    "unassigned": {
        "customer_id": "text", "rep_id": "text", "day": _DAY, "reason": "text", "detail": "text", "visit_id": "text",
        "change": "text",
    },
    "nights": {
        "rep_id": "text", "day": _DAY, "customer_id": "text", "hotel_id": "text", "lon": "float64", "lat": "float64",
        "cost": "float64",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Work:
    """The work on tasks of `MonthRequest` and `DayRequest`; calling it does one.

    Attributes
    ----------
    travel : bytes
        The pickled source of travel times.
    time_limit_s : float
        Seconds of a task after which planning ends with what it has.
    formats : tuple of str
        Files to write for each rep: "ics", "gpx", "csv".
    """

    travel: bytes
    time_limit_s: float = 600.0
    formats: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Load the engines, which on a new machine compiles them."""
        from territory.routing.solve import load_engines  # noqa: PLC0415 - the parent needs no engines

        load_engines()
        # what is loaded now stays: no need to look through it for garbage again and again
        gc.freeze()

    def __call__(self, task: Task) -> Answer:
        """Do one task."""
        found = unpack(task.payload)
        source = _travel(self.travel)
        plan = _months(found, source, self.time_limit_s) if found.head["kind"] == "months" else _day(found, source)
        files = {}
        if self.formats:
            from territory.batch.rep_files import rep_files  # noqa: PLC0415 - loads what not everybody has

            files = rep_files(plan, self.formats)
        cost, bound = float(plan.drive_s), plan.bound_s
        return Answer(plan_bytes(plan, files), cost, None if bound is None else float(bound))


@lru_cache(maxsize=4)
def _travel(data: bytes) -> Travel:
    source: Travel = pickle.loads(data)  # noqa: S301 - the parent's own, over its own pipe
    return source


def _required(table: Any, name: str) -> Any:
    if table is None:
        msg = f"a task without {name}"
        raise BatchError(msg)
    return table


def _day(found: Buffers, source: Travel) -> Plan:
    from territory.routing import route_day  # noqa: PLC0415 - the parent needs no engines

    options = found.head["options"]
    return route_day(
        _required(table_of(Customers, found, "customers"), "customers"),
        _required(table_of(Reps, found, "reps"), "reps"), day=found.head["day"], travel=source, **options,
        **_BY_WORK,
    )  # fmt: skip


#: Routing a day by work, not by the clock: the same answer on a busy machine.
_BY_WORK: Final[dict[str, Any]] = {"time_limit_s": 60.0}


def _months(found: Buffers, source: Travel, time_limit_s: float) -> Plan:
    from territory.schedule import schedule_visits  # noqa: PLC0415 - the parent needs no engines

    customers = _required(table_of(Customers, found, "customers"), "customers")
    reps = _required(table_of(Reps, found, "reps"), "reps")
    options = dict(found.head["options"])
    plan = schedule_visits(
        customers, reps, _alignment(found, customers, reps), travel=source,
        visits=table_of(Visits, found, "visits"), hotels=table_of(Hotels, found, "hotels"),
        previous=previous_of(found), time_limit_s=time_limit_s, **options,
    )  # fmt: skip
    if not found.head["nobody"]:
        return plan
    # the rep of this plan is none of theirs, and its days only look empty
    bare = replace(plan.unassigned, change=None, change_code=None, change_amount=None, change_day=None)
    return replace(plan, unassigned=bare)


def _alignment(found: Buffers, customers: Customers, reps: Reps) -> Alignment | None:
    head = found.head.get("alignment")
    if head is None:
        return None
    values: dict[str, Any] = {
        name.partition(".")[2]: v for name, v in found.arrays.items() if name.startswith("alignment.")
    }
    reasons = {int(i): text for i, text in head["unassigned_reason"].items()}
    return Alignment(customers, reps, unassigned_reason=reasons, **values)


# -- the answer --------------------------------------------------------------------------------


def plan_bytes(plan: Plan, files: dict[str, bytes]) -> bytes:
    """Return the tables of a plan as columns of ids and times, and files of its reps."""
    tables = {"stops": _stops(plan), "routes": _routes(plan), "unassigned": _unassigned(plan), "nights": _nights(plan)}
    arrays = {
        f"{table}.{name}": values for table, columns in tables.items() for name, values in columns.items()
    }  # fmt: skip
    # what is the same in every row is told once
    constant = {}
    for name, values in list(arrays.items()):
        if values.dtype.kind in "Tb" and len(values) and bool((values == values[0]).all()):
            constant[name] = [len(values), values[0] if values.dtype.kind == "T" else bool(values[0])]
            del arrays[name]
    names = sorted(files)
    for i, name in enumerate(names):
        arrays[f"file.{i}"] = np.frombuffer(files[name], np.uint8)
    head = {
        "status": str(plan.status), "constant": constant, "files": names,
        "customers": len(plan.customers), "reps": len(plan.reps),
    }  # fmt: skip
    return pack(head, arrays)


def tables_of(data: bytes) -> tuple[dict[str, Any], dict[str, dict[str, Any]], dict[str, bytes]]:
    """Return what `plan_bytes` wrote: head, tables, files."""
    found = unpack(data)
    constant = found.head["constant"]
    tables: dict[str, dict[str, Any]] = {}
    for table, columns in TABLES.items():
        tables[table] = {}
        for name in columns:
            key = f"{table}.{name}"
            if key in constant:
                n, value = constant[key]
                tables[table][name] = np.full(n, value, TEXT if isinstance(value, str) else np.bool_)
            else:
                tables[table][name] = found.arrays[key]
    files = {name: found.arrays[f"file.{i}"].tobytes() for i, name in enumerate(found.head["files"])}
    return found.head, tables, files


def _blank(n: int) -> Any:
    return np.full(n, "", TEXT)


def _ids(table: Any, rows: Any) -> Any:
    """Return the ids of rows; blank where the row is -1."""
    if table is None or not len(table):
        return _blank(len(rows))
    return np.where(rows == NO_IDX, "", table.id[rows])


def _words(values: Any, n: int) -> Any:
    if values is None:
        return _blank(n)
    names = np.array([c.name.lower() for c in sorted(Commitment)], TEXT)
    return names[np.searchsorted(np.array(sorted(int(c) for c in Commitment)), values)]


def _flags(values: Any, n: int) -> Any:
    return np.zeros(n, np.bool_) if values is None else values


def _stops(plan: Plan) -> dict[str, Any]:
    s, n = plan.stops, len(plan.stops)
    zones = None if plan.reps.timezone is None else plan.reps.timezone[s.rep_idx]
    visit = _blank(n) if s.visit_idx is None else _ids(plan.visits, s.visit_idx)
    return {
        "rep_id": plan.reps.id[s.rep_idx], "day": s.day, "position": s.position,
        "customer_id": plan.customers.id[s.customer_idx], "arrival": local(s.arrival, zones),
        "start": local(s.start, zones), "end": local(s.end, zones), "drive_s": s.drive_s, "distance_m": s.distance_m,
        "visit_id": visit, "remote": _flags(s.remote, n), "commitment": _words(s.commitment, n),
        "estimated": _flags(s.estimated, n), "arrival_utc": s.arrival, "start_utc": s.start, "end_utc": s.end,
    }  # fmt: skip


def _routes(plan: Plan) -> dict[str, Any]:
    r, n = plan.routes, len(plan.routes)
    zones = None if plan.reps.timezone is None else plan.reps.timezone[r.rep_idx]
    return {
        "rep_id": plan.reps.id[r.rep_idx], "day": r.day, "n_stops": r.n_stops, "leave": local(r.leave, zones),
        "back": local(r.back, zones), "drive_s": r.drive_s, "distance_m": r.distance_m,
        "break_start": local(r.break_start, zones), "break_s": r.break_s,
        "bound_s": np.zeros(n, np.int64) if r.bound_s is None else r.bound_s, "estimated": _flags(r.estimated, n),
        "leave_utc": r.leave, "back_utc": r.back, "break_start_utc": r.break_start,
    }  # fmt: skip


def _unassigned(plan: Plan) -> dict[str, Any]:
    u, n = plan.unassigned, len(plan.unassigned)
    return {
        "customer_id": plan.customers.id[u.customer_idx], "rep_id": _ids(plan.reps, u.rep_idx), "day": u.due,
        "reason": u.reason, "detail": u.detail,
        "visit_id": _blank(n) if u.visit_idx is None else _ids(plan.visits, u.visit_idx),
        "change": _blank(n) if u.change is None else u.change,
    }  # fmt: skip


def _nights(plan: Plan) -> dict[str, Any]:
    t = plan.nights
    if t is None:
        return {
            name: np.empty(0, TEXT if kind == "text" else kind) for name, kind in TABLES["nights"].items()
        }  # fmt: skip
    return {
        "rep_id": plan.reps.id[t.rep_idx], "day": t.day, "customer_id": _ids(plan.customers, t.customer_idx),
        "hotel_id": _ids(plan.hotels, t.hotel_idx), "lon": t.lon, "lat": t.lat, "cost": t.cost,
    }  # fmt: skip
