"""A right plan edited: what a fault of a plan is planted with."""

from __future__ import annotations

from typing import Any

import numpy as np

NAT = np.datetime64("NaT", "s")


def s(n: int) -> np.timedelta64:
    return np.timedelta64(n, "s")


def days(n: int) -> np.timedelta64:
    return np.timedelta64(n, "D")


def move(d: Any, table: str, row: int, **by: Any) -> None:
    for name, amount in by.items():
        getattr(d, table)[row][name] = getattr(d, table)[row][name] + (
            s(amount) if _is_time(d, table, name) else amount
        )


def _is_time(d: Any, table: str, name: str) -> bool:
    return getattr(d, table)[0][name].__class__ is np.datetime64 and name not in ("day", "due")


def put(d: Any, table: str, row: int, **values: Any) -> None:
    getattr(d, table)[row].update(values)


def whole_day(d: Any, route: int, by: int, *, label_only: bool = False) -> None:
    """Put off a route and its stops by days."""
    r = d.routes[route]
    for row in [r, *[t for t in d.stops if (t["rep_idx"], t["day"]) == (r["rep_idx"], r["day"])]]:
        for name in ("leave", "back", "break_start", "arrival", "start", "end"):
            if name in row and not label_only:
                row[name] = row[name] + days(by)
        row["day"] = row["day"] + days(by)
    d.sort()


def column(d: Any, name: str, values: Any, table: str = "customers") -> None:
    getattr(d, table)[name] = values


def one(d: Any, name: str, row: int, value: Any, rest: Any) -> None:
    """Set a column of customers: a value in one row, something else in the rest."""
    d.customers[name] = [value if i == row else rest for i in range(6)]


def extra(d: Any, rep: int, day: str, visits: list[int], leave: str = "14:30") -> None:
    d.drive(rep, day, visits, leave)
    d.sort()


def swapped(d: Any) -> None:
    d.stops[0]["customer_idx"], d.stops[1]["customer_idx"] = 1, 0


def unsorted(d: Any, table: str, i: int, j: int) -> None:
    rows = getattr(d, table)
    rows[i], rows[j] = rows[j], rows[i]


def bounds(d: Any, *values: int) -> None:
    for row, value in zip(d.routes, values, strict=True):
        row["bound_s"] = value


def align(d: Any, *territories: int, **more: Any) -> None:
    reasons = {i: "nobody may" for i, t in enumerate(territories) if t < 0}
    d.alignment = {"territory_idx": list(territories), "unassigned_reason": reasons, **more}


def lone_alignment(d: Any) -> None:
    align(d, 0, 0, 0, 1, 1)
    fewer = type(d)({name: cells[:5] for name, cells in d.customers.items()}, d.reps, d.settings)
    d.alignment["customers"] = fewer.plan().customers
    extra(d, 0, "2026-01-08", [5])
    d.unassigned.clear()


def _later(stop: dict[str, Any], by: int) -> dict[str, Any]:
    return {name: stop[name] + s(by) for name in ("arrival", "start", "end")}
