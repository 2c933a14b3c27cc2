"""Small random tables: any columns, with values that mean something to planning."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

HOURS = ["", "Mo-Fr 09:00-12:00,13:00-17:00", "Tu,Th 10:00-16:00", "Mo-Su 08:00-20:00", "We 14:00-14:30", "off"]
DATED = ["", "2026-01-06 off", "2026-01-05..2026-01-08 10:00-12:00; 2026-01-10 07:00-19:00"]
ZONES = ["", "Europe/Berlin", "Europe/Lisbon"]


@st.composite
def customer_columns(draw, *, most=25, reps=4, twins=True) -> dict[str, Any]:
    """Draw the columns of some customers; places lie on a coarse grid, so that some share a spot."""
    n = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    step = 10 if twins else 10_000
    columns: dict[str, Any] = {
        "id": [f"c{i}" for i in rng.permutation(1000)[:n]],
        "lon": 10 + rng.integers(0, step, n) * 10 / step / 10,
        "lat": 50 + rng.integers(0, step, n) * 10 / step / 10,
    }
    rep_ids = [f"R{j}" for j in range(reps)]
    optional = {
        "workload_s": lambda: rng.integers(0, 4, n) * 3600.0 + (np.arange(n) == 0) * 3600.0,
        "visit_interval_days": lambda: rng.choice([1.0, 3.5, 7.0, 10.0, 14.0, 40.0, np.nan], n),
        "early_days": lambda: rng.integers(0, 4, n).astype(float),
        "late_days": lambda: rng.integers(0, 4, n).astype(float),
        "last_visit": lambda: np.datetime64("2026-01-05") - rng.integers(1, 40, n).astype("timedelta64[D]"),
        "service_s": lambda: rng.choice([0.0, 600.5, 1800.0, 5400.0, 40_000.0], n, p=[0.1, 0.2, 0.4, 0.2, 0.1]),
        "opening_hours": lambda: rng.choice(HOURS, n).tolist(),
        "hours_exceptions": lambda: rng.choice(["", "", *DATED, "2026-01-06 09:00-10:00,14:00-18:00"], n).tolist(),
        "hours_bind": lambda: rng.choice(["visit", "start"], n).tolist(),
        "call_blocks": lambda: rng.choice(["", "2026-01-07", "2026-01-05..2026-01-12"], n).tolist(),
        "preferred_weekdays": lambda: rng.choice(["", "Mo,We", "Sa", "Tu-Fr"], n).tolist(),
        "week_parity": lambda: rng.choice(["any", "odd", "even"], n).tolist(),
        "required_skills": lambda: rng.choice(["", "", "fire", "fire; gas"], n).tolist(),
        "forbidden_reps": lambda: rng.choice(["", "", "R0", "R1; R2"], n).tolist(),
        "stage": lambda: rng.choice(["", "lost", "customer"], n).tolist(),
        "channel": lambda: rng.choice(["field", "inside", "either"], n, p=[0.7, 0.1, 0.2]).tolist(),
        "area": lambda: rng.choice(["urban", "rural"], n).tolist(),
        "timezone": lambda: rng.choice(ZONES, n).tolist(),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(optional)), max_size=8))
    columns |= {name: optional[name]() for name in optional if name in chosen}
    if draw(st.booleans()):
        columns["owner"] = rng.choice(rep_ids, n).tolist()
        columns["locked"] = (rng.random(n) < 0.15).tolist()
    return columns


@st.composite
def rep_columns(draw, *, most=4, same_home=True) -> dict[str, Any]:
    """Draw the columns of some reps."""
    r = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    spots = rng.integers(0, 10, r) if same_home else rng.permutation(10)[:r]
    columns: dict[str, Any] = {"id": [f"R{j}" for j in range(r)], "lon": 10 + spots / 10, "lat": np.full(r, 50.5)}
    optional = {
        "shift": lambda: rng.choice(["Mo-Fr 08:00-17:00", "Tu-Th 09:00-13:00", "Mo-Su 06:00-22:00"], r).tolist(),
        "shift_exceptions": lambda: rng.choice(DATED, r).tolist(),
        "prep_s": lambda: rng.choice([0.0, 1800.0, 3600.5], r),
        "admin_s": lambda: rng.choice([0.0, 1200.0, 2700.5], r),
        "office_days": lambda: rng.choice(["", "Mo", "We,Fr"], r).tolist(),
        "max_overtime_s": lambda: rng.choice([0.0, 5400.0], r),
        "country": lambda: rng.choice(["", "DE", "PL"], r).tolist(),  # both keep Epiphany somewhere
        "break_s": lambda: rng.choice([0.0, 1800.0, 2700.5], r),
        "break_earliest_s": lambda: rng.choice([39_600.0, 41_000.5], r),
        "break_latest_s": lambda: rng.choice([50_400.0, 47_000.5], r),
        "leave": lambda: rng.choice(["", "2026-01-06", "2026-01-05..2026-01-09"], r).tolist(),
        "skills": lambda: rng.choice(["", "fire", "fire; gas"], r).tolist(),
        "speed_factor": lambda: rng.choice([0.5, 1.0, 2.0], r),
        "capacity_s": lambda: rng.choice([72_000.0, 144_000.0], r),
        "max_visits_per_day": lambda: rng.integers(0, 6, r),
        "timezone": lambda: rng.choice(ZONES, r).tolist(),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(optional)), max_size=5))
    columns |= {name: optional[name]() for name in optional if name in chosen}
    if "country" in columns:
        columns["region"] = ["BY" if name == "DE" else "" for name in columns["country"]]
    if draw(st.booleans()):
        columns["end_lon"], columns["end_lat"] = np.full(r, 10.3), np.full(r, 50.2)
    return columns


def rows_of(columns: dict[str, Any], order: Any) -> dict[str, Any]:
    """Return the columns with rows in another order."""
    return {name: [values[i] for i in order] for name, values in columns.items()}
