"""Small requests with all that couples reps, and all kinds of columns."""

from __future__ import annotations

import numpy as np

from territory import Alignment, Customers, DatedHours, DateRanges, Plan, Reps, TextSets, Visits, WeeklyHours
from territory.batch import DayRequest, MonthRequest, work

START = "2026-01-05"


def tables(n_reps: int = 5, each: int = 8, seed: int = 1):
    rng = np.random.default_rng(seed)
    n = n_reps * each
    own = np.arange(n) % n_reps
    lon0, lat0 = rng.uniform(8, 13, n_reps), rng.uniform(48, 53, n_reps)
    names = [f"R{i}" for i in range(n_reps)]
    customers = Customers(
        id=[f"c{i:03}" for i in range(n)], lon=lon0[own] + rng.normal(0, 0.15, n),
        lat=lat0[own] + rng.normal(0, 0.1, n), visit_interval_days=rng.choice([7.0, 14.0, 28.0], n),
        owner=[names[i] for i in own], service_s=rng.integers(10, 60, n) * 60.0,
        opening_hours=WeeklyHours.from_text(["Mo-Fr 08:00-18:00" if i % 3 else "Tu-Th 09:00-12:00" for i in range(n)]),
        hours_exceptions=DatedHours.from_text(["2026-01-06 off" if i % 7 == 0 else "" for i in range(n)]),
        call_blocks=DateRanges.from_text(["2026-01-12..2026-01-14" if i % 5 == 0 else "" for i in range(n)]),
        required_skills=TextSets.from_text(["x" if i % 11 == 0 else "" for i in range(n)]),
        forbidden_reps=TextSets.from_text(["R0" if i == 3 else "" for i in range(n)]),
        last_visit=np.where(np.arange(n) % 4 == 0, np.datetime64("2025-12-20"), np.datetime64("NaT")).astype("M8[D]"),
        measures={"potential": rng.uniform(1, 9, n)},
    )  # fmt: skip
    reps = Reps(
        id=names, lon=lon0, lat=lat0, team=["north" if i < 2 else f"t{i}" for i in range(n_reps)],
        skills=TextSets.from_text(["x; y"] * n_reps), break_s=[1800.0] * n_reps,
        leave=DateRanges.from_text(["2026-01-08..2026-01-09" if i == 2 else "" for i in range(n_reps)]),
    )  # fmt: skip
    return customers, reps


def aligned(customers: Customers, reps: Reps, orphans: int = 0) -> Alignment:
    """Return today's alignment; the last customers are nobody's, and a territory has no rep."""
    own = Alignment.from_owners(customers, reps)
    territory = own.territory_idx.copy()
    rep_idx = own.rep_idx.copy()
    reasons = {}
    if orphans:
        territory[-orphans:] = -1
        reasons = {len(customers) - 1 - k: "too far away" for k in range(orphans)}
        rep_idx[-1] = -1
    return Alignment(
        customers, reps, own.territory_id, territory, rep_idx, own.center_lon, own.center_lat,
        unassigned_reason=reasons,
    )  # fmt: skip


def months(n_reps: int = 5, orphans: int = 2, **options) -> MonthRequest:
    customers, reps = tables(n_reps)
    own = {name: options.pop(name) for name in ("visits", "previous", "rng", "weeks") if name in options}
    return MonthRequest(
        customers, reps, aligned(customers, reps, orphans), start=START,
        options={"iterations": 300, "holidays": ["2026-01-07"], **options}, **{"weeks": 2, **own},
    )  # fmt: skip


def days(n_days: int = 10, n_reps: int = 5, each: int = 8) -> DayRequest:
    customers, reps = tables(n_reps, each)
    first = np.datetime64("2026-01-05")
    every = [first + d for d in range(n_days * 2) if (d % 7) < 5][:n_days]
    rows = np.arange(len(customers))
    return DayRequest(
        customers, reps, np.tile(rows % n_reps, n_days), np.repeat(np.array(every), len(rows)), np.tile(rows, n_days)
    )  # fmt: skip


def joint_visits() -> Visits:
    """Return single visits that tie reps 0 and 3, and one that rep 1 makes at a customer of rep 2."""
    return Visits(
        id=["v1", "v2", "v3"], customer_id=["c000", "c002", "c004"], rep_id=["R0", "R1", ""],
        second_rep_id=["R3", "", ""], earliest=["2026-01-06", "2026-01-05", "2026-01-12"],
        latest=["2026-01-08", "2026-01-16", "2026-01-13"],
    )  # fmt: skip


def whole_columns(plan: Plan) -> dict[str, np.ndarray]:
    """Return the columns that the published stops have, of a whole plan."""
    return {"stops": work._stops(plan), "routes": work._routes(plan), "unassigned": work._unassigned(plan)}
