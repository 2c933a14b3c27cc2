"""A plan made by hand: two reps, three days, five customers, odd names and odd ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from territory.errors import Problem
from territory.model import Alignment, Customers, Plan, PlanSettings, Reps, Routes, Status, Stops, Unassigned
from territory.model.arrays import text_array

if TYPE_CHECKING:
    from collections.abc import Callable

IDS = ["007", "NA", 'say "hi", you', "=1+1\r\nline", "日本/..\0😀"]


def build(
    stops: list[tuple[int, str, int, str]] | None = None,
    *,
    zone: str = "Europe/Berlin",
    start: str = "2026-01-05",
    n_days: int = 5,
    lon: float = 13.4,
) -> Plan:
    """Build a plan of (rep, day, customer, start on the clock in UTC) rows; every visit takes half an hour."""
    customers = Customers(
        id=IDS,
        lon=[lon, lon + 0.01, lon + 0.02, lon + 0.3, lon + 0.31],
        lat=[52.5, 52.51, 52.49, 52.4, 52.41],
        name=["Bäckerei; <b>&", "", "C", "D\x07", "E, F"],
        service_s=[1800.0] * 5,
        workload_s=[3600.0, 7200.0, 3600.0, 1800.5, 0.1],
        last_visit=["2025-12-01", "", "", "2025-12-24", ""],
        opening_hours=["Mo-Fr 09:00-12:00,13:00-17:00", "", "24/7", "Sa 10:00-14:00", "Mo-Su 08:00-20:00"],
        contacts=[["Ann", "Bob"], [], ["C"], [], []],
        call_blocks=["2026-12-24..2026-12-31", "", "", "", "2027-01-06"],
        locked=[True, False, False, False, False],
        owner=["R1", "", "", "", ""],
        preferred_weekdays=["Mo,Tu", "", "", "", ""],
        stage=["customer", "", "sql", "", ""],
        measures={"potential": [1.0, 2.0, 3.0, 4.0, 0.1 + 0.2]},
    )
    reps = Reps(
        id=["R1", "r/2"],
        lon=[lon, lon + 0.3],
        lat=[52.52, 52.42],
        end_lon=[np.nan, lon + 0.35],
        end_lat=[np.nan, 52.45],
        shift=["Mo-Fr 08:00-17:00"] * 2,
        skills=[["a b", "c"], []],
        timezone=[zone, zone],
        max_visits_per_day=[8, 9],
    )
    if stops is None:
        stops = [
            (0, "2026-01-05", 0, "09:00"),
            (0, "2026-01-05", 1, "10:00"),
            (0, "2026-01-07", 2, "08:30"),
            (0, "2026-01-08", 0, "09:00"),
            (1, "2026-01-05", 3, "11:00"),
            (1, "2026-01-05", 4, "12:00"),
        ]
    at = np.array([f"{day}T{clock}" for _, day, _, clock in stops], dtype="datetime64[s]")
    rep_idx = np.array([s[0] for s in stops], dtype=np.int32)
    days = np.array([s[1] for s in stops], dtype="datetime64[D]")
    keys = sorted({(int(r), d) for r, d in zip(rep_idx, days, strict=True)})
    position = [sum(1 for q in stops[:i] if q[:2] == s[:2]) for i, s in enumerate(stops)]
    first = np.array([at[(rep_idx == r) & (days == d)].min() for r, d in keys], dtype="datetime64[s]")
    last = np.array([at[(rep_idx == r) & (days == d)].max() for r, d in keys], dtype="datetime64[s]")
    counts = [int(((rep_idx == r) & (days == d)).sum()) for r, d in keys]
    n, m = len(stops), len(keys)
    pause = first + np.timedelta64(3, "h")
    pause[1:] = np.datetime64("NaT", "s")
    return Plan(
        customers=customers,
        reps=reps,
        settings=PlanSettings(start, n_days, ["2026-01-06"], travel="test"),  # type: ignore[arg-type]
        stops=Stops(
            rep_idx=rep_idx,
            day=days,
            position=position,
            customer_idx=np.array([s[2] for s in stops], dtype=np.int32),
            arrival=at - np.timedelta64(60, "s"),
            start=at,
            end=at + np.timedelta64(1800, "s"),
            drive_s=np.full(n, 600),
            distance_m=np.full(n, 5000),
        ),
        routes=Routes(
            rep_idx=np.array([k[0] for k in keys], dtype=np.int32),
            day=np.array([k[1] for k in keys], dtype="datetime64[D]"),
            n_stops=np.array(counts, dtype=np.int64),
            leave=first - np.timedelta64(660, "s"),
            back=last + np.timedelta64(3600, "s"),
            drive_s=np.full(m, 1800),
            distance_m=np.full(m, 15000),
            break_start=pause,
            break_s=np.zeros(m, dtype=np.int64),
            bound_s=np.full(m, 1700),
        ),
        unassigned=Unassigned(
            customer_idx=np.array([3, 4], dtype=np.int32),
            rep_idx=np.array([1, -1], dtype=np.int32),
            due=np.array(["2026-01-09", "2026-01-08"], dtype="datetime64[D]"),
            reason=text_array(["over-capacity", "no-eligible-rep"]),
            detail=text_array(["r/2 has no time left, by 5 min.", "Nobody can, \n so\r\nthere."]),
        ),
        alignment=Alignment(
            customers=customers,
            reps=reps,
            territory_id=text_array(["North", 'So"uth', "empty"]),
            territory_idx=np.array([0, 0, 0, 1, -1], dtype=np.int32),
            rep_idx=np.array([0, 1, -1], dtype=np.int32),
            center_lon=np.array([lon, lon + 0.3, np.nan]),
            center_lat=np.array([52.5, 52.4, np.nan]),
            balance={"workload_s": 0.05},
            targets={"workload_s": np.array([8000.0, 8000.1, 0.0])},
            contiguous=True,
            status=Status.OPTIMAL,
            objective=1234.5,
            bound=1200.0,
            unassigned_reason={4: "forbidden, everywhere"},
            diagnostics=(Problem("w", "a warning", column="x", count=2, rows=(1, 3), hint="so"),),
        ),
        status=Status.TIME_LIMIT,
        diagnostics=(Problem("v", "another"),),
    )


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    return build


@pytest.fixture
def plan() -> Plan:
    return build()
