"""Plans made by hand: no solver takes part, so that pictures are tested for themselves (but for single visits)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from territory import Visits, schedule_visits
from territory.errors import Problem
from territory.geo.sphere import great_circle_m
from territory.model import Alignment, Customers, Plan, PlanSettings, Reps
from territory.model.enums import Reason, Status
from territory.model.names import required_columns
from territory.model.routes import Routes, Stops, Unassigned

START = np.datetime64("2026-01-05")  # a Monday
SPEED_M_S = 14.0
SERVICE_S = 1500
EVIL = "</script><script>alert(1)</script><b>"
#: What the plans have beyond the columns that they must have.
_GIVEN = ("bound_s",)


def make_customers(n, *, rng, box=(9.0, 48.0, 12.0, 50.0), **columns):
    west, south, east, north = box
    return Customers(
        id=[f"C{i:04d}" for i in range(n)],
        lon=rng.uniform(west, east, n),
        lat=rng.uniform(south, north, n),
        workload_s=rng.uniform(600, 3600, n),
        **{"name": [f"Customer {i}" for i in range(n)], **columns},
    )


def make_alignment(customers, k, *, rng, **kwargs):
    """Nearest of `k` customers: polygons are as simple as they get."""
    seeds = rng.choice(len(customers), k, replace=False)
    lon, lat = customers.lon[seeds], customers.lat[seeds]
    metres = great_circle_m(customers.lon[:, None], customers.lat[:, None], lon[None, :], lat[None, :])
    of = np.argmin(metres, axis=1).astype(np.int32)
    reps = Reps(id=[f"R{j:02d}" for j in range(k)], lon=lon + 0.01, lat=lat, name=[f"Rep {j}" for j in range(k)])
    total = np.bincount(of, customers.workload_s, k)
    return Alignment(
        customers,
        kwargs.pop("reps", reps),
        [f"T{j:02d}" for j in range(k)],
        of,
        np.arange(k, dtype=np.int32),
        lon,
        lat,
        balance={"workload_s": 0.1},
        targets={"workload_s": np.full(k, total.sum() / k)},
        objective=1e9,
        bound=0.97e9,
        **kwargs,
    )


def make_plan(alignment, *, weeks=1, per_day=6, n_unassigned=5, with_alignment=True, **kwargs):
    """Sweep around each home, cut into days, drive from the west to the east; breaks at noon."""
    customers, reps = alignment.customers, alignment.reps
    settings = PlanSettings(
        start=START,
        n_days=7 * weeks,
        holidays=np.array([START + np.timedelta64(1, "D")], dtype="datetime64[D]"),
        **kwargs.pop("settings", {}),
    )
    workdays = [d for d in settings.days if (d.astype(int) + 3) % 7 < 5 and d != START + np.timedelta64(1, "D")]
    stops, routes, left = [], [], []
    for r in range(len(reps)):
        mine = np.flatnonzero(alignment.customer_rep_idx == r)
        turn = np.argsort(np.arctan2(customers.lat[mine] - reps.lat[r], customers.lon[mine] - reps.lon[r]))
        days = np.array_split(mine[turn][: per_day * len(workdays)], len(workdays))
        left += [(c, r) for c in mine[turn][per_day * len(workdays) :].tolist()]
        for day, of_day in zip(workdays, days, strict=True):
            if len(of_day):
                rows, route = _day(customers, reps, r, day, of_day[np.argsort(customers.lon[of_day])])
                stops += rows
                routes.append(route)
    unassigned = Unassigned(**_columns([], Unassigned))
    if n_unassigned:
        reasons = [Reason.OVER_CAPACITY, Reason.NO_COMMON_WINDOW, Reason.BLOCKED]
        rows = (left or [(0, 0)])[:n_unassigned]
        chosen = [reasons[i % 7 % 3] for i in range(len(rows))]
        unassigned = Unassigned(
            customer_idx=[c for c, _ in rows],
            rep_idx=[r for _, r in rows],
            due=[workdays[i % len(workdays)] for i in range(len(rows))],
            reason=[str(reason) for reason in chosen],
            detail=[f"the shifts of {reps.id[r]} are full" for _, r in rows],
        )
    return Plan(
        customers,
        reps,
        settings,
        Stops(**_columns(stops, Stops)),
        Routes(**_columns(routes, Routes)),
        unassigned,
        alignment=alignment if with_alignment else None,
        status=kwargs.pop("status", Status.TIME_LIMIT),
        diagnostics=kwargs.pop("diagnostics", (Problem("triangle-violated", "some detours are shorter", count=3),)),
    )


def _columns(rows, table):
    names = [f.name for f in dataclasses.fields(table) if f.name not in ("diagnostics", "rejects")]
    return {name: [row[name] for row in rows] for name in names if name in required_columns(table) or name in _GIVEN}


def _day(customers, reps, r, day, of_day):
    lon = np.concatenate([[reps.lon[r]], customers.lon[of_day], [reps.lon[r]]])
    lat = np.concatenate([[reps.lat[r]], customers.lat[of_day], [reps.lat[r]]])
    metres = np.rint(1.3 * great_circle_m(lon[:-1], lat[:-1], lon[1:], lat[1:])).astype(int)
    drive = np.ceil(metres / SPEED_M_S).astype(int)
    midnight = day.astype("datetime64[s]")
    leave = at = 8 * 3600
    rows, pause = [], None
    for position, c in enumerate(of_day.tolist()):
        if pause is None and at > 11.4 * 3600:
            pause, at = at, at + 1800
        at += int(drive[position])
        rows.append(
            {
                "rep_idx": r,
                "day": day,
                "position": position,
                "customer_idx": c,
                "arrival": midnight + np.timedelta64(at, "s"),
                "start": midnight + np.timedelta64(at, "s"),
                "end": midnight + np.timedelta64(at + SERVICE_S, "s"),
                "drive_s": drive[position],
                "distance_m": metres[position],
            }
        )
        at += SERVICE_S
    return rows, {
        "rep_idx": r,
        "day": day,
        "n_stops": len(of_day),
        "leave": midnight + np.timedelta64(leave, "s"),
        "back": midnight + np.timedelta64(at + int(drive[-1]), "s"),
        "drive_s": drive.sum(),
        "distance_m": metres.sum(),
        "break_start": np.datetime64("NaT", "s") if pause is None else midnight + np.timedelta64(pause, "s"),
        "break_s": 0 if pause is None else 1800,
        "bound_s": int(0.95 * drive.sum()),
    }


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def alignment(rng):
    return make_alignment(make_customers(240, rng=rng), 8, rng=rng)


@pytest.fixture
def plan(alignment):
    return make_plan(alignment)


@pytest.fixture
def build():
    """The makers, for tests that need another plan."""
    return make_customers, make_alignment, make_plan


@pytest.fixture(scope="session")
def promised():
    """A plan of two reps in Berlin with an appointment for both, an event of two days, and two that find no place."""
    n = 12
    customers = Customers(
        id=[f"c{i:02d}" for i in range(n)], name=[EVIL] * n, lon=13.3 + 0.02 * np.arange(n), lat=[52.5] * n,
        visit_interval_days=[7.0] * n, owner=["R0", "R1"] * (n // 2), call_blocks=["2026-01-09", *[""] * (n - 1)],
    )  # fmt: skip
    reps = Reps(id=["R0", "R1"], lon=[13.3, 13.5], lat=[52.5] * 2, timezone=["Europe/Berlin"] * 2)
    visits = Visits(
        id=["both", "fair", "long", "blocked"], customer_id=["c02", "c05", "c04", "c00"],
        earliest=["2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09"],
        latest=["2026-01-06", "2026-01-08", "2026-01-09", "2026-01-09"], time_s=[36_000, np.nan, np.nan, np.nan],
        service_s=[1800, 1800, 40_000, 1800], kind=["appointment", "event", "", "follow_up"],
        second_rep_id=["R1", "", "", ""], commitment=["", "", "", "planned"],
    )  # fmt: skip
    alignment = Alignment.from_owners(customers, reps)
    plan = schedule_visits(
        customers, reps, alignment, start="2026-01-05", weeks=1, visits=visits, iterations=100, time_price_s=0.0
    )
    return plan.committed("confirmed_week", customers=["c07"])
