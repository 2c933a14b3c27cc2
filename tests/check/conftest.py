"""A small world on a line, and a plan in it that is right: nothing here comes from a solver.

One place further is 600 s and 1000 m. Two weeks from Monday, 2026-01-05::

    x       0   1   2   3   4   ...   10  11  12  13
            R1  c1  c2  c3  c6        R2  c4  end c5

R1 visits c1, c2 and c3 on both Mondays from 10:00 and takes a break of 30 minutes; R2 drives twice
as fast, visits c4 and c5 on the first Tuesday and ends elsewhere. c6 stays unassigned.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from territory.model import (
    Alignment,
    Commitment,
    Customers,
    Plan,
    PlanSettings,
    Reps,
    Routes,
    Stops,
    Unassigned,
    Visits,
)
from territory.travel import UNREACHABLE, RawTravel, TravelBase, TravelMatrix

DAY = "datetime64[D]"
NAT = np.datetime64("NaT", "s")


def lon(x: float) -> float:
    return 10.0 + x / 100


def x_of(degrees: Any) -> Any:
    return np.rint((np.asarray(degrees) - 10.0) * 100).astype(np.int64)


class LineTravel(TravelBase):
    """Beyond x = 100 there is no way; every leg is as long as the places are apart."""

    fingerprint = "line"

    def pairs(self, origins: Any, destinations: Any, *, speed_factor: float = 1.0) -> TravelMatrix:
        a, b = x_of(origins.lon), x_of(destinations.lon)
        apart = np.abs(a - b)
        none = (a > 100) != (b > 100)
        durations = np.array([math.ceil(600 * int(n) / speed_factor) for n in apart], dtype=np.int32)
        durations[none] = UNREACHABLE
        return TravelMatrix(durations, np.where(none, UNREACHABLE, 1000 * apart).astype(np.int32))

    def raw_matrix(self, origins: Any, destinations: Any) -> RawTravel:
        raise NotImplementedError


@dataclass
class Draft:
    """A plan as plain rows that a test can change; `plan` makes it one."""

    customers: dict[str, Any]
    reps: dict[str, Any]
    settings: dict[str, Any]
    stops: list[dict[str, Any]] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)
    unassigned: list[dict[str, Any]] = field(default_factory=list)
    alignment: dict[str, Any] | None = None
    visits: list[dict[str, Any]] = field(default_factory=list)

    def drive(
        self,
        rep: int,
        day: str,
        visits: list[int],
        leave: str,
        *,
        break_after: int | None = None,
        break_s: int = 1800,
        service_s: int = 1800,
        rows: dict[int, int] | None = None,
        remote: tuple[int, ...] = (),
    ) -> None:
        """Append a route that goes without waiting; `leave` is UTC, the break comes after a number of stops.

        `rows` names the single visits among the stops, `remote` those that are made from home, by position.
        """
        factor = self.reps.get("speed_factor", [1.0] * 9)[rep]
        at, x = np.datetime64(f"{day}T{leave}", "s") if "T" not in leave else np.datetime64(leave, "s"), 0
        route: dict[str, Any] = {"rep_idx": rep, "day": np.datetime64(day), "n_stops": len(visits), "leave": at}
        route |= {"break_start": NAT, "break_s": 0}
        x = int(x_of(self.reps["lon"][rep]))
        total = away = 0
        for position, c in enumerate(visits):
            if position == break_after:
                route |= {"break_start": at, "break_s": break_s}
                at = at + np.timedelta64(break_s, "s")
            place = int(x_of(self.reps["lon"][rep] if position in remote else self.customers["lon"][c]))
            apart = abs(place - x)
            drive = math.ceil(600 * apart / factor)
            arrival = at + np.timedelta64(drive, "s")
            at = arrival + np.timedelta64(service_s, "s")
            self.stops.append(
                {"rep_idx": rep, "day": np.datetime64(day), "position": position, "customer_idx": c, "arrival": arrival}
                | {"start": arrival, "end": at, "drive_s": drive, "distance_m": 1000 * apart}
                | ({"visit_idx": rows[position]} if rows and position in rows else {})
                | ({"remote": True} if position in remote else {})
            )
            x, total, away = place, total + drive, away + 1000 * apart
        end = self.reps.get("end_lon", self.reps["lon"])[rep]
        apart = abs(int(x_of(self.reps["lon"][rep] if math.isnan(end) else end)) - x)
        drive = math.ceil(600 * apart / factor)
        route |= {"back": at + np.timedelta64(drive, "s"), "drive_s": total + drive, "distance_m": away + 1000 * apart}
        self.routes.append(route)

    def sort(self) -> None:
        self.stops.sort(key=lambda s: (s["rep_idx"], s["day"], s["position"]))
        self.routes.sort(key=lambda r: (r["rep_idx"], r["day"]))

    def plan(self) -> Plan:
        customers, reps = Customers(**self.customers), Reps(**self.reps)
        alignment = None
        if self.alignment is not None:
            alignment = Alignment(
                **{"customers": customers, "reps": reps, "territory_id": reps.id, "center_lon": reps.lon}
                | {"center_lat": reps.lat, "rep_idx": np.arange(len(reps))}
                | self.alignment
            )
        settings = PlanSettings(**self.settings)
        plan = Plan(
            customers,
            reps,
            settings,
            _table(Stops, self.stops),
            _table(Routes, self.routes),
            _table(Unassigned, self.unassigned),
            visits=_visits(self.visits) if self.visits else None,
        )
        # a plan takes no alignment of other customers; one that was put together by other means may have it
        object.__setattr__(plan, "alignment", alignment)
        return plan


#: What a row has that does not say, where another does.
_BLANK: dict[str, Any] = {
    "visit_idx": -1,
    "remote": False,
    "commitment": Commitment.PLANNED,
    "kind": "appointment",
    "due": "",
    "time_s": math.nan,
    "rep_id": "",
    "second_rep_id": "",
}


def _visits(rows: list[dict[str, Any]]) -> Visits:
    names = dict.fromkeys(name for row in rows for name in row)
    return Visits(**{name: [row[name] if name in row else _BLANK[name] for row in rows] for name in names})


def _table(kind: Any, rows: list[dict[str, Any]]) -> Any:
    types = {"reason": object, "detail": object, "day": DAY, "due": DAY, "remote": bool}
    times = dict.fromkeys(("arrival", "start", "end", "leave", "back", "break_start"), "datetime64[s]")
    columns = {}
    for name in _names(kind):
        if rows and not any(name in row for row in rows):
            continue
        cells = [row[name] if name in row else _BLANK[name] for row in rows]
        columns[name] = np.array(cells, dtype=(types | times).get(name, np.int64))
    if any(np.isnat(columns[name]).any() for name in times if name in columns):
        # what the model refuses, a plan that was put together by other means may have
        return kind._trusted(columns)
    return kind(**columns)


def _names(kind: Any) -> list[str]:
    return [n for n, f in kind.__dataclass_fields__.items() if "column" in f.metadata and n != "bound_s"] + (
        ["bound_s"] if kind is Routes else []
    )


def _draft() -> Draft:
    draft = Draft(
        customers={
            "id": ["c1", "c2", "c3", "c4", "c5", "c6"],
            "lon": [lon(x) for x in (1, 2, 3, 11, 13, 4)],
            "lat": [50.0] * 6,
            "visit_interval_days": [7.0, 7.0, 7.0, 14.0, 14.0, 14.0],
        },
        reps={
            "id": ["R1", "R2"],
            "lon": [lon(0), lon(10)],
            "lat": [50.0, 50.0],
            "end_lon": [math.nan, lon(12)],
            "end_lat": [math.nan, 50.0],
            "speed_factor": [1.0, 2.0],
            "break_s": [1800.0, 0.0],
        },
        settings={"start": np.datetime64("2026-01-05"), "n_days": 14, "holidays": [], "travel": "line"},
    )
    draft.drive(0, "2026-01-05", [0, 1, 2], "10:00", break_after=2)
    draft.drive(0, "2026-01-12", [0, 1, 2], "10:00", break_after=2)
    draft.drive(1, "2026-01-06", [3, 4], "08:00")
    draft.unassigned.append(
        {"customer_idx": 5, "rep_idx": 0, "due": np.datetime64("2026-01-08"), "reason": "over-capacity"}
        | {"detail": "The days of R1 are full."}
    )
    return draft


_RIGHT = _draft()


@pytest.fixture(scope="session")
def new_draft() -> Any:
    """Make a draft of the right plan."""
    return lambda: copy.deepcopy(_RIGHT)


@pytest.fixture
def draft(new_draft: Any) -> Draft:
    return new_draft()


@pytest.fixture(scope="session")
def line() -> LineTravel:
    return LineTravel()
