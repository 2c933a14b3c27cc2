"""Tiny random routing problems, each with a few of the rules that there are; times fit into the oracle's ints."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from hypothesis import strategies as st

from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

__all__ = ["FEATURES", "problems"]

Columns = dict[str, Any]


def _windows(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    v["windows"] = [None if r.random() < 0.3 else [_window(r, 0, 30)] for _ in v["place"]]


def _window(r: Random, low: int, high: int) -> tuple[int, int]:
    a = r.randint(low, high)
    return a, a + r.choice([0, 2, 5, 12])


def _several(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    """Add up to three windows to each visit; now and then none at all."""
    rows: list[Any] = []
    for _ in v["place"]:
        at, row = r.randint(0, 8), []
        for _ in range(r.choice([0, 1, 2, 2, 3, 3])):
            end = at + r.randint(0, 4)
            row.append((at, end))
            at = end + r.randint(1, 7)
        rows.append(row or r.choice([None, None, []]))
    v["windows"] = rows


def _holds(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    if "windows" not in v:
        _windows(r, v, s, p)
    v["window_holds_visit"] = [r.random() < 0.7 for _ in v["place"]]


def _breaks(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    rows: list[Any] = []
    for begin, end in zip(s["begin_s"], s["end_s"], strict=True):
        at, row = begin + r.randint(-2, 8), []
        for _ in range(r.choice([0, 1, 1, 2])):
            length = r.randint(1, 4)
            late = at + length + r.randint(0, 10)
            row.append((length, at, late))
            at = late + r.randint(0, 4)
            if at > end:
                break
        rows.append(row or None)
    s["breaks"] = rows


def _overtime(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    s["max_overtime_s"] = [r.randint(0, 10) for _ in s["day"]]
    s["overtime_cost"] = [float(r.randint(0, 3)) for _ in s["day"]]
    s["end_s"] = [e - r.randint(0, 8) for e in s["end_s"]]


def _lateness(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    v["due_s"] = [r.randint(0, 25) for _ in v["place"]]
    v["late_cost"] = [float(r.randint(0, 2)) for _ in v["place"]]


def _factor(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    s["service_factor"] = [r.choice([0.5, 1.0, 1.3, 2.0]) for _ in s["day"]]


def _eligible(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    p["eligible"] = np.array([[r.random() < 0.7 for _ in s["day"]] for _ in v["place"]])


def _load(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    v["load"] = [r.randint(0, 4) for _ in v["place"]]
    s["capacity"] = [r.randint(1, 9) for _ in s["day"]]


def _most_visits(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    s["max_visits"] = [r.randint(0, 3) for _ in s["day"]]


def _most_drive(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    s["max_drive_s"] = [r.randint(3, 20) for _ in s["day"]]


def _most_duration(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    s["max_duration_s"] = [r.randint(5, 30) for _ in s["day"]]


def _patterns(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    n_days = max(s["day"]) + 1
    rows: list[Any] = []
    for _ in v["place"]:
        few = [sorted(r.sample(range(n_days), r.randint(1, n_days))) for _ in range(r.randint(1, 3))]
        rows.append(few if r.random() < 0.6 else None)
    v["patterns"] = rows
    if r.random() < 0.5:
        v["pattern_cost"] = [None if row is None else [float(r.randint(0, 9)) for _ in row] for row in rows]


def _rhythm(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    n = len(v["place"])
    p["n_days"] = n_days = max(s["day"]) + 1 + r.randint(0, 2)
    columns = ("first_low_day", "first_high_day", "first_due_day", "gap_low_days", "gap_high_days", "gap_days")
    for name in (*columns, "interval_days", "off_cost"):
        v[name] = [0] * n
    for i in range(n):
        if r.random() < 0.4 or (v.get("patterns") and v["patterns"][i] is not None):
            continue
        low = r.randint(0, 1)
        v["first_low_day"][i], v["first_high_day"][i] = low, low + r.randint(0, 2)
        v["first_due_day"][i] = r.randint(0, n_days)
        gap = r.randint(1, 2)
        v["gap_low_days"][i], v["gap_high_days"][i] = gap, gap + r.randint(0, 1)
        v["gap_days"][i] = r.randint(gap, v["gap_high_days"][i])
        v["interval_days"][i] = r.choice([1.0, 1.5, 2.0])
        v["off_cost"][i] = float(r.randint(0, 3))


def _weekdays(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    """Price other weekdays; most often a week lies between two shifts, and between two visits of a rhythm."""
    n = len(v["place"])
    v["weekday_cost"] = [float(r.randint(0, 9)) for _ in range(n)]
    v["last_weekday"] = [r.choice([-1, 0, 1, r.randint(2, 6)]) for _ in range(n)]
    if "gap_low_days" not in v or r.random() < 0.3:
        return
    s["day"] = [7 * k + r.randint(0, 1) for k in range(len(s["day"]))]
    p["n_days"] = n_days = max(*s["day"], p["n_days"]) + 1 + r.randint(0, 2)
    for i in np.flatnonzero(v["gap_low_days"]).tolist():
        gap = r.randint(6, 7)
        v["gap_low_days"][i], v["gap_high_days"][i] = gap, gap + r.randint(0, 2)
        v["gap_days"][i] = r.randint(gap, v["gap_high_days"][i])
        v["first_due_day"][i] = r.choice([0, 1, r.randint(0, n_days)])
        v["interval_days"][i] = r.choice([5.0, 7.0, 7.5])


def _joint(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    once = _once(v)
    if len(once) > 1 and len(s["day"]) > 1:
        p["joint"] = [r.sample(once, 2)]


def _precedence(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    once = _once(v)
    if len(once) > 1 and "joint" not in p:
        r.shuffle(once)
        p["precedence"] = list(pairwise(once))[: r.randint(1, 2)]
        p["precedence_delay_s"] = [r.randint(0, 5) for _ in p["precedence"]]


def _once(v: Columns) -> list[int]:
    """Return the visits without a cadence."""
    patterns, gaps = v.get("patterns"), v.get("gap_low_days")
    return [
        i for i in range(len(v["place"])) if not (patterns and patterns[i] is not None) and not (gaps and gaps[i] > 0)
    ]


def _pins(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    n = len(v["place"])
    v["pinned_shift"], v["pinned_start_s"] = [-1] * n, [-1] * n
    for i in range(n):
        if r.random() < 0.5:
            v["pinned_shift"][i] = k = r.randrange(len(s["day"]))
            windows = v.get("windows", [None] * n)[i]
            low, high = (s["begin_s"][k], s["end_s"][k]) if windows is None else r.choice(windows or [(1, 0)])
            low, high = max(low, s["begin_s"][k]), min(high, s["end_s"][k])
            if low <= high and r.random() < 0.5:
                v["pinned_start_s"][i] = r.randint(low, high)


def _locked(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    once, rows = _once(v), []
    r.shuffle(once)
    for k in range(len(s["day"])):
        free = [
            i for i in once
            if v.get("pinned_shift", [-1] * 99)[i] in (-1, k) and ("eligible" not in p or p["eligible"][i, k])
        ]  # fmt: skip
        row = free[: r.randint(0, 2)]
        once = [i for i in once if i not in row]
        rows.append(row or None)
    s["locked"] = rows


def _freeze(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    p["freeze_s"] = r.randint(0, 20)


def _baseline(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    p["baseline"] = np.array([[r.random() < 0.4 for _ in s["day"]] for _ in v["place"]])
    v["change_cost"] = [float(r.randint(0, 12)) for _ in v["place"]]


def _unreachable(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    cube = p["durations_s"]
    for _ in range(4):
        a, b = r.randrange(cube.shape[-1]), r.randrange(cube.shape[-1])
        if a != b:
            cube[..., a, b] = UNREACHABLE


def _matrix(r: Random, n: int) -> Any:
    return np.array([[0 if a == b else r.randint(0, 6) for b in range(n)] for a in range(n)], np.int64)


def _buckets(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    n = p["durations_s"].shape[-1]
    count = r.randint(2, 3)
    p["durations_s"] = np.array([[_matrix(r, n) for _ in range(count)]])
    p["bucket_starts_s"] = sorted(r.sample(range(-2, 30), count))


def _profiles(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    cube, n = p["durations_s"], p["durations_s"].shape[-1]
    cube = cube[None, None] if cube.ndim == 2 else cube
    p["durations_s"] = np.concatenate([cube, [[_matrix(r, n) for _ in range(cube.shape[1])]]])
    s["profile"] = [r.randint(0, 1) for _ in s["day"]]


def _duration_cost(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    s["cost_per_s"] = [float(r.randint(0, 2)) for _ in s["day"]]


def _metres(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    cube = p["durations_s"]
    profiles = 1 if cube.ndim == 2 else len(cube)
    p["distances_m"] = np.array([_matrix(r, cube.shape[-1]) for _ in range(profiles)])
    s["cost_per_m"] = [float(r.randint(0, 2)) for _ in s["day"]]


def _shift_cost(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    s["cost"] = [float(r.randint(0, 15)) for _ in s["day"]]


def _other_end(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    s["end_place"] = [r.randrange(p["durations_s"].shape[-1]) for _ in s["day"]]


def _required(r: Random, v: Columns, s: Columns, p: Columns) -> None:
    v["required"] = [r.random() < 0.5 for _ in v["place"]]


#: In the order in which they are applied: later ones look at earlier ones.
FEATURES: Final[dict[str, Callable[[Random, Columns, Columns, Columns], None]]] = {
    "windows": _windows, "several": _several, "holds": _holds, "overtime": _overtime, "breaks": _breaks,
    "lateness": _lateness, "factor": _factor, "eligible": _eligible, "load": _load, "max_visits": _most_visits,
    "max_drive": _most_drive, "max_duration": _most_duration, "patterns": _patterns, "rhythm": _rhythm,
    "weekdays": _weekdays,
    "joint": _joint, "precedence": _precedence, "pins": _pins, "locked": _locked, "freeze": _freeze,
    "baseline": _baseline, "buckets": _buckets, "profiles": _profiles, "unreachable": _unreachable,
    "duration_cost": _duration_cost, "metres": _metres, "shift_cost": _shift_cost, "other_end": _other_end,
    "required": _required,
}  # fmt: skip


@st.composite
def problems(
    draw: st.DrawFn, *, most_visits: int = 4, most_shifts: int = 2, features: tuple[str, ...] = tuple(FEATURES),
    most_features: int = 5, least: int = 1,
) -> RoutingProblem:  # fmt: skip
    """Draw a problem of `least` to `most_visits` visits and `most_shifts` shifts."""
    chosen = draw(st.sets(st.sampled_from(features), max_size=most_features)) if features else set()
    n = draw(st.integers(least, most_visits))
    n_shifts = draw(st.integers(least, most_shifts))
    r = draw(st.randoms(use_true_random=False))
    places = n + r.randint(0, 1)
    begins = [r.choice([0, 0, r.randint(0, 8)]) for _ in range(n_shifts)]
    v: Columns = {
        "place": [r.randrange(places) for _ in range(n)],
        "service_s": [r.randint(0, 5) for _ in range(n)],
        "value": [float(r.randint(1, 25)) for _ in range(n)],
    }
    s: Columns = {
        "start_place": [r.randrange(places) for _ in range(n_shifts)],
        "begin_s": begins,
        "end_s": [b + r.randint(12, 34) for b in begins],
        "day": list(range(n_shifts)) if chosen & {"patterns", "rhythm"} else [0] * n_shifts,
        "cost_per_drive_s": [float(r.choice([0, 1, 1, 2])) for _ in range(n_shifts)],
    }
    p: Columns = {"durations_s": _matrix(r, places)}
    for name, apply in FEATURES.items():
        if name in chosen:
            apply(r, v, s, p)
    return RoutingProblem(visits=VisitArrays(**v), shifts=ShiftArrays(**s), **p)
