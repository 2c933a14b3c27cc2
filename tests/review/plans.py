"""Random plans, made without any solver: whatever a table may hold, valid or not."""

from __future__ import annotations

import numpy as np

from territory.model import Customers, Plan, PlanSettings, Reps, Routes, Stops, Unassigned, Visits

START = np.datetime64("2026-12-28")  # a Monday; the horizon crosses the new year, and a 53rd week
REASONS = ["over-capacity", "no-shift", "blocked"]


def random_customers(rng, n):
    columns = {
        "id": [f"c{i}" for i in rng.permutation(n)],
        "lon": rng.uniform(9, 10, n),
        "lat": rng.uniform(50, 51, n),
        "visit_interval_days": rng.choice([3.5, 7.0, 14.0, 10.0, np.nan], n),
        "last_visit": rng.choice(
            np.array(["2026-12-20", "2026-12-01", "2026-12-27", "NaT", "2027-01-03"], "M8[D]"),
            n,
            p=[0.3, 0.2, 0.2, 0.2, 0.1],
        ),
        "segment": rng.choice(["A", "B", ""], n).tolist(),
        "early_days": rng.integers(0, 4, n).astype(float),
        "late_days": rng.integers(0, 4, n).astype(float),
        "channel": rng.choice(["field", "inside"], n, p=[0.8, 0.2]).tolist(),
        "stage": rng.choice(["customer", "lost"], n, p=[0.8, 0.2]).tolist(),
    }
    for name in ("last_visit", "segment", "early_days", "late_days", "channel", "stage", "visit_interval_days"):
        if rng.random() < 0.3:
            del columns[name]
    return Customers(**columns)


def random_reps(rng, r):
    columns = {
        "id": [f"R{j}" for j in rng.permutation(r)],
        "lon": rng.uniform(9, 10, r),
        "lat": rng.uniform(50, 51, r),
        "shift": rng.choice(["Mo-Fr 08:00-17:00", "Tu-Th 09:00-13:00", "Mo-Su 06:00-12:00"], r).tolist(),
        "leave": rng.choice(["", "2026-12-30", "2026-12-28..2027-01-02"], r).tolist(),
        "timezone": rng.choice(["", "Europe/Berlin", "America/New_York"], r).tolist(),
        "shift_exceptions": rng.choice(
            ["", "2026-12-29 10:00-12:00", "2027-01-01 06:00-20:00; 2027-01-05 off"], r
        ).tolist(),
        "prep_s": rng.choice([0.0, 900.5, 1800.0], r),
        "admin_s": rng.choice([0.0, 600.25, 3600.0], r),
        "office_days": rng.choice(["", "We", "Mo,Fr"], r).tolist(),
        "overtime_per_hour": rng.uniform(0, 90, r),
        "cost_per_hour": rng.uniform(0, 90, r),
        "cost_per_km": rng.uniform(0, 1, r),
        "cost_per_day": rng.uniform(0, 50, r),
    }
    for name in list(columns)[3:]:
        if rng.random() < 0.3:
            del columns[name]
    return Reps(**columns)


def random_single_visits(rng, customers):
    n = len(customers)
    who = rng.integers(0, n, 4)
    return Visits(
        id=[f"v{i}" for i in range(4)],
        customer_id=customers.id[who],
        earliest=np.full(4, START),
        latest=np.full(4, START + 20),
        kind=rng.choice(["event", "appointment", "lead"], 4).tolist(),
    )


def random_plan(seed, *, n=8, r=3, weeks=2, per_day=3, single=None, customers=None, reps=None, start=START):
    """Make a plan: each rep drives on some days, to random customers; times do not overlap, all else is chance."""
    rng = np.random.default_rng(seed)
    customers = random_customers(rng, n) if customers is None else customers
    reps = random_reps(rng, r) if reps is None else reps
    n, r = len(customers), len(reps)
    single = rng.random() < 0.5 if single is None else single
    visits = random_single_visits(rng, customers) if single else None
    stops, routes = [], []
    for rep in range(r):
        for d in range(7 * weeks):
            count = int(rng.integers(0, per_day + 1))
            if count == 0 or rng.random() < 0.4:
                continue
            day = start + d
            at = day.astype("M8[s]") + int(rng.integers(6, 10)) * 3600
            leave, metres, seconds = at, 0, 0
            chosen = rng.choice(n, min(count, n), replace=False).tolist()
            for position, c in enumerate(chosen):
                drive, dist, wait, serve = (int(v) for v in rng.integers([0, 0, 0, 60], [3600, 50_000, 900, 5400]))
                arrival = at + drive
                begin = arrival + wait
                stops.append((rep, day, position, c, arrival, begin, begin + serve, drive, dist))
                at, metres, seconds = begin + serve, metres + dist, seconds + drive
            home, dist = (int(v) for v in rng.integers(0, [3600, 50_000]))
            pause = int(rng.choice([0, 1800]))
            back = at + home + (pause if rng.random() < 0.5 else 0)
            begin = np.datetime64("NaT", "s") if pause == 0 else back - pause // int(rng.integers(1, 4))
            routes.append((rep, day, len(chosen), leave, back, seconds + home, metres + dist, begin, pause))
    m = len(stops)
    names = ("rep_idx", "day", "position", "customer_idx", "arrival", "start", "end", "drive_s", "distance_m")
    s = {name: [row[i] for row in stops] for i, name in enumerate(names)}
    if visits is not None:
        who = customers.positions(visits.customer_id)
        of = {int(c): i for i, c in enumerate(who.tolist())}
        s["visit_idx"] = [of.get(c, -1) if rng.random() < 0.7 else -1 for c in s["customer_idx"]]
    if rng.random() < 0.5:
        s["remote"] = rng.random(m) < 0.2
    if rng.random() < 0.5:
        s["commitment"] = rng.choice(["suggested", "planned", "fixed"], m).tolist()
    names = ("rep_idx", "day", "n_stops", "leave", "back", "drive_s", "distance_m", "break_start", "break_s")
    u = int(rng.integers(0, 6))
    return Plan(
        customers,
        reps,
        PlanSettings(
            start,
            7 * weeks,
            [START + 4],
            tolerance=0.29,
            cadence=bool(rng.random() < 0.9),
            rep_holidays={str(reps.id[0]): [START + 1, START + 9]} if rng.random() < 0.5 else {},
            stretch={str(reps.id[0]): 1.5} if r == 1 and rng.random() < 0.5 else {},
        ),
        Stops(**s),
        Routes(**{name: [row[i] for row in routes] for i, name in enumerate(names)}),
        Unassigned(
            customer_idx=rng.integers(0, n, u),
            rep_idx=rng.integers(-1, r, u),
            due=start + rng.integers(0, 7 * weeks, u),
            reason=rng.choice(REASONS, u).tolist(),
            detail=[""] * u,
        ),
        visits=visits,
    )
