"""From one night to the next: which day tonight's plan begins on, and what earlier nights have left behind."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

import territory
from territory.batch.publish import FORMAT, MANIFEST
from territory.batch.run import RESULTS
from territory.errors import InputError, Problem
from territory.io.extras import needed
from territory.io.plans import read_plan
from territory.model import Plan, PlanSettings, Routes, Stops, Visits
from territory.model.arrays import NO_IDX, text_array
from territory.model.enums import Commitment, VisitKind
from territory.model.plan_frames import empty_unassigned

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from territory.model import Alignment, Customers, Reps

__all__ = ["Nights", "alignment_as_before", "first_day", "last_visits", "plan_of_night"]


def first_day(
    reps: Reps, *, zone: str | None = None, date: np.datetime64 | None = None, now: dt.datetime | None = None
) -> np.datetime64:
    """Return the first day of tonight's plan: tomorrow.

    Parameters
    ----------
    reps : Reps
        In whose zones tomorrow is meant, where no other is named; of several, the day that begins last for nobody, so
        that no day that a rep is already in is planned anew. Without zones, in that of this machine.
    zone : str, optional
        Name of a time zone.
    date : datetime64[D], optional
        What counts as today.
    now : datetime, optional
        What counts as now.
    """
    if date is not None:
        return date + np.timedelta64(1, "D")
    moment = dt.datetime.now(dt.UTC) if now is None else now
    names = {zone} if zone else set() if reps.timezone is None else set(reps.timezone.tolist()) - {""}
    days = [moment.astimezone(ZoneInfo(name)).date() for name in names] or [moment.astimezone().date()]
    return np.datetime64(max(days), "D") + np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Nights:
    """The folder of all nights.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    def of(self, day: np.datetime64) -> Path:
        """Return the folder of the night whose plan begins on a day."""
        return self.folder / str(day)

    def before(self, day: np.datetime64) -> list[np.datetime64]:
        """Return the first days of all earlier nights that have results, in their order."""
        found = []
        for path in self.folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"):
            try:
                first = np.datetime64(dt.date.fromisoformat(path.name), "D")
            except ValueError:
                continue
            if first < day and is_night(path):
                found.append(first)
        return sorted(found)


def is_night(folder: Path) -> bool:
    """Return whether a folder holds the results of a night."""
    try:
        head = json.loads((folder / RESULTS / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(head, dict) and head.get("format") == FORMAT


def last_visits(customers: Customers, nights: Nights, day: np.datetime64, events: Collection[str] = ()) -> Customers:
    """Return customers whose last visits are those of earlier nights, as if what these planned had been made.

    Each night counts from its first day until the next night's.

    Parameters
    ----------
    customers : Customers
        Without ``last_visit``.
    nights : Nights
    day : datetime64[D]
        First day of tonight's plan.
    events : collection of str
        Single visits that are events, which count as no visit.

    Notes
    -----
    Reads one small file for every day since the first night.
    """
    firsts = nights.before(day)
    row_of = {name: i for i, name in enumerate(customers.id.tolist())}
    last = np.full(len(customers), np.datetime64("NaT", "D"))
    for first, until in zip(firsts, [*firsts[1:], day], strict=True):
        for made in np.arange(first, until):
            columns = _read(nights.of(first) / RESULTS / "stops" / f"date={made}", ("customer_id", "visit_id"))
            rows = [
                row_of[name] for name, visit in zip(columns["customer_id"], columns["visit_id"], strict=True)
                if name in row_of and visit not in events
            ]  # fmt: skip
            # later days come later
            last[rows] = made
    return customers if np.isnat(last).all() else replace(customers, last_visit=last)


def plan_of_night(
    folder: Path, customers: Customers, reps: Reps, visits: Visits | None, *, freeze: tuple[Any, Any] | None = None
) -> Plan:
    """Return the plan of an earlier night, as far as it concerns today's tables.

    Parameters
    ----------
    folder : Path
        Of a night, or of a plan that `write_plan` has written.
    customers, reps, visits : tables, optional
        Today's. Stops of whoever is not in them any more are left out, and so are single visits that are not.
    freeze : (day, day), optional
        Visits on days from the first to the last are promised.

    Returns
    -------
    Plan
        Of a night without routes, which planning does not ask for.

    Raises
    ------
    InputError
        The folder holds no plan.
    """
    plan = _rebuilt(folder / RESULTS, customers, reps, visits) if is_night(folder) else read_plan(folder)
    if freeze is None or not len(plan.stops):
        return plan
    return _frozen(plan, *freeze)


def _frozen(plan: Plan, first: np.datetime64, last: np.datetime64) -> Plan:
    s = plan.stops
    level = np.full(len(s), Commitment.PLANNED, np.int8) if s.commitment is None else s.commitment.copy()
    some = (s.day >= first) & (s.day <= last)
    # what is promised to the minute stays so
    level[some] = np.maximum(level[some], Commitment.CONFIRMED_DAY)
    return replace(plan, stops=replace(s, commitment=level))


_COLUMNS = (
    "rep_id", "day", "position", "customer_id", "arrival_utc", "start_utc", "end_utc", "drive_s", "distance_m",
    "visit_id", "remote", "commitment", "estimated",
)  # fmt: skip


def _rebuilt(results: Path, customers: Customers, reps: Reps, visits: Visits | None) -> Plan:
    """Return a plan from published tables."""
    columns = _read(results / "stops", _COLUMNS)
    row_of = {name: i for i, name in enumerate(customers.id.tolist())}
    rep_of = {name: i for i, name in enumerate(reps.id.tolist())}
    own = _own_visits(columns, row_of, rep_of)
    known = visits if own is None else own if visits is None else _joined(visits, own)
    visit_of = {} if known is None else {name: i for i, name in enumerate(known.id.tolist())}
    customer = [row_of.get(name, NO_IDX) for name in columns["customer_id"]]
    rep = [rep_of.get(name, NO_IDX) for name in columns["rep_id"]]
    visit = [visit_of.get(name, NO_IDX) for name in columns["visit_id"]]
    kept = [
        i for i, (c, r, v) in enumerate(zip(customer, rep, visit, strict=True))
        if c >= 0 and r >= 0 and (v >= 0 or _by_interval(columns, i))
    ]  # fmt: skip
    order = sorted(kept, key=lambda i: (rep[i], columns["day"][i], columns["position"][i]))
    words = [Commitment[columns["commitment"][i].upper() or "PLANNED"] for i in order]

    def of(name: str, kind: str) -> Any:
        return np.array([columns[name][i] for i in order], kind)

    stops = Stops(
        rep_idx=np.array([rep[i] for i in order], np.int32), day=of("day", "M8[D]"),
        position=of("position", "i4"), customer_idx=np.array([customer[i] for i in order], np.int32),
        arrival=of("arrival_utc", "M8[s]"), start=of("start_utc", "M8[s]"), end=of("end_utc", "M8[s]"),
        drive_s=of("drive_s", "i8"), distance_m=of("distance_m", "i8"),
        visit_idx=np.array([visit[i] for i in order], np.int32), remote=of("remote", "?"),
        commitment=np.array(words, np.int8), estimated=of("estimated", "?"),
    )  # fmt: skip
    days = stops.day
    first = days.min() if len(days) else np.datetime64("2001-01-01", "D")
    n_days = int((days.max() - first).astype(np.int64)) + 1 if len(days) else 1
    return Plan(
        customers,
        reps,
        PlanSettings(first, n_days, np.empty(0, "M8[D]")),
        stops,
        _no_routes(),
        empty_unassigned(),
        visits=known,
    )


def _read(folder: Path, names: Iterable[str]) -> dict[str, list[Any]]:
    """Return columns of a published table, or of one day of it; empty where there is none."""
    wanted = list(names)
    if not folder.is_dir():
        return {name: [] for name in wanted}
    try:
        table = needed("pyarrow.parquet").read_table(folder, columns=wanted, partitioning=None)
    except (OSError, ValueError) as error:
        raise InputError([Problem("unreadable-file", f"cannot be read: {error}")], str(folder)) from error
    found: dict[str, list[Any]] = table.to_pydict()
    return found


def _by_interval(columns: Mapping[str, list[Any]], i: int) -> bool:
    """Return whether a stop was planned for an interval, with or without a promise: `schedule.rolling` names those."""
    name: str = columns["visit_id"][i]
    return name == "" or name.rstrip("'") == f"{columns['customer_id'][i]}@{columns['day'][i]}".rstrip("'")


def _follow_up(columns: Mapping[str, list[Any]], i: int) -> bool:
    """Return whether planning had added a stop by itself, as a follow-up: `schedule.leads` names those."""
    head, mark, days = columns["visit_id"][i].rpartition("#follow-up-")
    return bool(mark) and head == columns["customer_id"][i] and days.isdecimal()


def _own_visits(
    columns: Mapping[str, list[Any]], row_of: Mapping[str, int], rep_of: Mapping[str, int]
) -> Visits | None:
    """Return the single visits that no table has, since planning had added them."""
    rows = [
        i for i in range(len(columns["visit_id"]))
        if _follow_up(columns, i) and columns["customer_id"][i] in row_of and columns["rep_id"][i] in rep_of
    ]  # fmt: skip
    if not rows:
        return None
    days = np.array([columns["day"][i] for i in rows], "M8[D]")
    levels = [Commitment[columns["commitment"][i].upper() or "PLANNED"] for i in rows]
    return Visits(
        id=text_array([columns["visit_id"][i] for i in rows]),
        customer_id=text_array([columns["customer_id"][i] for i in rows]), earliest=days, latest=days, due=days,
        kind=np.full(len(rows), VisitKind.FOLLOW_UP), commitment=np.array(levels, np.int8),
    )  # fmt: skip


def _joined(visits: Visits, own: Visits) -> Visits:
    new = np.flatnonzero(~np.isin(own.id.tolist(), visits.id.tolist()))
    return visits.joined(own.take(new)) if len(new) else visits


def _no_routes() -> Routes:
    none, instants = np.empty(0, np.int64), np.empty(0, "M8[s]")
    return Routes(
        rep_idx=none.astype(np.int32), day=np.empty(0, "M8[D]"), n_stops=none, leave=instants, back=instants,
        drive_s=none, distance_m=none, break_start=instants, break_s=none,
    )  # fmt: skip


def alignment_as_before(
    before: Alignment, customers: Customers, reps: Reps, balance: dict[str, float] | None = None
) -> Alignment:
    """Return the territories of an earlier plan; where customers or reps came or went, with the least change.

    Parameters
    ----------
    before : Alignment
    customers, reps : Customers, Reps
        Today's.
    balance : mapping of measure to share, optional
        Hard limits of a realignment.
    """
    known = before.reps is not None and sorted(before.reps.id.tolist()) == sorted(reps.id.tolist())
    if known and sorted(before.customers.id.tolist()) == sorted(customers.id.tolist()):
        rows = before.customers.positions(customers.id)
        frame = {
            "customer_id": customers.id,
            "territory_id": np.append(before.territory_id, "")[before.territory_idx[rows]],
        }
        return territory.Alignment.from_frame(frame, customers=customers, reps=reps, like=before)
    return territory.realign(before, customers=customers, reps=reps, balance=balance or None).alignment
