"""A problem that breaks one rule is refused with that rule's code, column and rows; no garbage gets any farther."""

from __future__ import annotations

import pickle
from dataclasses import fields
from timeit import repeat
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import InputError
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.travel import UNREACHABLE

N = UNREACHABLE
TRIANGLE = np.array([[0, 5, 6], [7, 0, 8], [9, 4, 0]])
RHYTHM = {
    "first_high_day": [1, 1], "gap_low_days": [1, 1], "gap_high_days": [2, 2], "gap_days": [2, 2],
    "interval_days": [2, 2],
}  # fmt: skip


def build(**columns: Any) -> RoutingProblem:
    """Return a problem of two visits and two shifts; columns are named ``v_place``, ``s_day``, ``p_joint``."""
    visits: dict[str, Any] = {"place": [1, 2]}
    shifts: dict[str, Any] = {"start_place": [0, 0], "begin_s": [0, 0], "end_s": [100, 100], "day": [0, 1]}
    others: dict[str, Any] = {"durations_s": TRIANGLE}
    for name, value in columns.items():
        table = {"v": visits, "s": shifts, "p": others}[name[0]]
        table[name[2:]] = value
    others.setdefault("visits", VisitArrays(**visits))
    others.setdefault("shifts", ShiftArrays(**shifts))
    return RoutingProblem(**others)


def square(*, at: tuple[int, ...] = (), value: Any = 0, kind: Any = np.int64) -> Any:
    cube = TRIANGLE.astype(kind)
    if at:
        cube[at] = value
    return cube


CASES: list[tuple[str, str, dict[str, Any]]] = [
    # tables and kinds
    ("wrong-type", "visits", {"p_visits": {"place": [1]}}),
    ("wrong-type", "shifts", {"p_shifts": None}),
    ("wrong-shape", "visits.service_s", {"v_service_s": 1800}),
    ("wrong-shape", "visits.value", {"v_value": [1.0, 2.0, 3.0]}),
    ("wrong-shape", "visits.load", {"v_load": [[1, 2], [3]]}),
    ("wrong-shape", "shifts.cost", {"s_cost": [[1.0, 2.0]]}),
    ("not-numbers", "shifts.begin_s", {"s_begin_s": None}),
    ("not-numbers", "visits.service_s", {"v_service_s": ["1800", "900"]}),
    ("not-numbers", "visits.due_s", {"v_due_s": np.array(["2026-01-05", "2026-01-06"], "M8[s]")}),
    ("not-numbers", "visits.value", {"v_value": np.array([1, 2j])}),
    ("not-finite", "visits.service_s", {"v_service_s": [np.nan, 5]}),
    ("not-finite", "shifts.max_drive_s", {"s_max_drive_s": [np.inf, 5]}),
    ("not-whole", "visits.service_s", {"v_service_s": [0.5, 5]}),
    ("not-boolean", "visits.required", {"v_required": [2, 0]}),
    ("not-boolean", "eligible", {"p_eligible": [[1, 0], [3, 1]]}),
    ("not-numbers", "eligible", {"p_eligible": [["yes", "no"]] * 2}),
    ("too-large", "visits.place", {"v_place": np.array([1 << 32, 1])}),
    # matrices
    ("matrix-shape", "durations_s", {"p_durations_s": np.zeros((2, 3), int)}),
    ("matrix-shape", "durations_s", {"p_durations_s": np.zeros(9, int)}),
    ("not-numbers", "durations_s", {"p_durations_s": "far"}),
    ("not-finite", "durations_s", {"p_durations_s": square(at=(0, 1), value=np.nan, kind=float)}),
    ("not-finite", "durations_s", {"p_durations_s": square(at=(0, 1), value=np.inf, kind=float)}),
    ("not-whole", "durations_s", {"p_durations_s": square(at=(0, 1), value=2.5, kind=float)}),
    ("negative", "durations_s", {"p_durations_s": square(at=(0, 1), value=-1)}),
    ("overflow", "durations_s", {"p_durations_s": square(at=(0, 1), value=(1 << 30) + 1)}),
    ("overflow", "durations_s", {"p_durations_s": square(at=(0, 1), value=1 << 40)}),
    ("diagonal", "durations_s", {"p_durations_s": square(at=(1, 1), value=1)}),
    ("matrix-shape", "distances_m", {"p_distances_m": np.zeros((2, 2), int)}),
    ("negative", "distances_m", {"p_distances_m": square(at=(0, 1), value=-1)}),
    ("diagonal", "distances_m", {"p_distances_m": square(at=(2, 2), value=1)}),
    ("distance-missing", "distances_m", {"p_distances_m": square(at=(0, 1), value=N)}),
    ("distance-missing", "shifts.cost_per_m", {"s_cost_per_m": [0.0, 0.1]}),
    ("wrong-shape", "bucket_starts_s", {"p_bucket_starts_s": [0, 50]}),
    ("not-rising", "bucket_starts_s", {"p_durations_s": [[TRIANGLE, TRIANGLE]], "p_bucket_starts_s": [50, 50]}),
    ("too-large", "bucket_starts_s", {"p_bucket_starts_s": [1 << 50]}),
    # numbers
    ("place-out-of-range", "visits.place", {"v_place": [1, 3]}),
    ("place-out-of-range", "visits.place", {"v_place": [-1, 1]}),
    ("place-out-of-range", "shifts.start_place", {"s_start_place": [0, 3]}),
    ("place-out-of-range", "shifts.end_place", {"s_end_place": [0, -1]}),
    ("profile-out-of-range", "shifts.profile", {"s_profile": [0, 1]}),
    ("shift-out-of-range", "visits.pinned_shift", {"v_pinned_shift": [2, -1]}),
    ("shift-out-of-range", "visits.pinned_shift", {"v_pinned_shift": [0, -2]}),
    ("negative", "visits.service_s", {"v_service_s": [-1, 5]}),
    ("too-large", "visits.service_s", {"v_service_s": [1 << 31, 5]}),
    ("service-too-long", "visits.service_s", {"v_service_s": [1 << 29, 5], "s_service_factor": [3.0, 1.0]}),
    ("negative", "visits.load", {"v_load": [-1, 5]}),
    ("negative", "visits.value", {"v_value": [-1.0, 5.0]}),
    ("nan", "visits.value", {"v_value": [np.nan, 5.0]}),
    ("too-large", "visits.value", {"v_value": [np.inf, 5.0]}),
    ("too-large", "visits.value", {"v_value": [1e13, 5.0]}),
    ("nan", "visits.late_cost", {"v_late_cost": [np.nan, 5.0]}),
    ("negative", "visits.change_cost", {"v_change_cost": [-0.1, 5.0]}),
    ("negative", "visits.off_cost", {"v_off_cost": [-0.1, 5.0]}),
    ("negative", "visits.weekday_cost", {"v_weekday_cost": [0.0, -0.5]}),
    ("nan", "visits.weekday_cost", {"v_weekday_cost": [np.nan, 5.0]}),
    ("out-of-range", "visits.last_weekday", {"v_last_weekday": [-2, 6]}),
    ("too-large", "visits.last_weekday", {"v_last_weekday": [-1, 7]}),
    ("not-whole", "visits.last_weekday", {"v_last_weekday": [0.5, 1]}),
    ("out-of-range", "visits.pinned_start_s", {"v_pinned_start_s": [-2, -1]}),
    ("negative", "shifts.begin_s", {"s_begin_s": [-5, 0]}),
    ("too-large", "shifts.end_s", {"s_end_s": [1 << 33, 100]}),
    ("negative", "shifts.day", {"s_day": [-1, 0]}),
    ("negative", "shifts.max_duration_s", {"s_max_duration_s": [-1, 100]}),
    ("negative", "shifts.max_drive_s", {"s_max_drive_s": [-1, 100]}),
    ("negative", "shifts.max_visits", {"s_max_visits": [-1, 100]}),
    ("negative", "shifts.capacity", {"s_capacity": [-1, 100]}),
    ("negative", "shifts.max_overtime_s", {"s_max_overtime_s": [-1, 100]}),
    ("not-positive", "shifts.service_factor", {"s_service_factor": [0.0, 1.0]}),
    ("negative", "shifts.service_factor", {"s_service_factor": [-1.0, 1.0]}),
    ("nan", "shifts.cost_per_s", {"s_cost_per_s": [np.nan, 1.0]}),
    ("too-large", "shifts.overtime_cost", {"s_overtime_cost": [1e15, 1.0]}),
    ("reversed-shift", "shifts.end_s", {"s_begin_s": [0, 101]}),
    ("overflow", "shifts.end_s", {"s_end_s": [(1 << 30) + 1, 100]}),
    ("overflow", "shifts.end_s", {"s_max_overtime_s": [1 << 30, 100]}),
    ("day-out-of-range", "shifts.day", {"p_n_days": 1}),
    ("day-out-of-range", "n_days", {"p_n_days": -3}),
    ("wrong-type", "n_days", {"p_n_days": 2.5}),
    ("wrong-type", "freeze_s", {"p_freeze_s": "noon"}),
    ("too-large", "freeze_s", {"p_freeze_s": 1 << 60}),
    # windows and pins
    ("wrong-type", "visits.windows", {"v_windows": 7}),
    ("wrong-shape", "visits.windows", {"v_windows": [[(0, 9)]]}),
    ("not-whole", "visits.windows", {"v_windows": [None, [(0, 9, 10)]]}),
    ("not-whole", "visits.windows", {"v_windows": [None, [("08:00", "09:00")]]}),
    ("not-whole", "visits.windows", {"v_windows": [None, [(0.5, 9)]]}),
    ("not-whole", "visits.windows", {"v_windows": [None, [(0, np.inf)]]}),
    ("not-whole", "visits.windows", {"v_windows": [None, 5]}),
    ("too-large", "visits.windows", {"v_windows": [None, [(0, 1 << 50)]]}),
    ("reversed-window", "visits.windows", {"v_windows": [None, [(9, 8)]]}),
    ("window-order", "visits.windows", {"v_windows": [None, [(5, 8), (0, 2)]]}),
    ("window-order", "visits.windows", {"v_windows": [None, [(0, 5), (5, 9)]]}),
    ("pin-outside-window", "visits.pinned_start_s", {"v_windows": [[(0, 9)], None], "v_pinned_start_s": [10, -1]}),
    ("pin-outside-window", "visits.pinned_start_s", {"v_windows": [[], None], "v_pinned_start_s": [10, -1]}),
    ("pin-outside-shift", "visits.pinned_start_s", {"v_pinned_start_s": [101, -1]}),
    ("pin-outside-shift", "visits.pinned_start_s", {"s_begin_s": [0, 50], "v_pinned_shift": [1, -1],
                                                    "v_pinned_start_s": [49, -1]}),
    # pauses
    ("wrong-shape", "shifts.breaks", {"s_breaks": [[(5, 0, 9)]]}),
    ("not-whole", "shifts.breaks", {"s_breaks": [[(5, 0)], None]}),
    ("negative", "shifts.breaks", {"s_breaks": [[(-5, 0, 9)], None]}),
    ("reversed-break", "shifts.breaks", {"s_breaks": [[(5, 9, 0)], None]}),
    ("break-too-long", "shifts.breaks", {"s_breaks": [[(10, 0, 9)], None]}),
    ("break-order", "shifts.breaks", {"s_breaks": [[(2, 5, 9), (2, 8, 12)], None]}),
    ("break-order", "shifts.breaks", {"s_breaks": [[(2, 15, 19), (2, 8, 12)], None]}),
    # cadences
    ("wrong-shape", "visits.patterns", {"v_patterns": [[[0]]]}),
    ("wrong-type", "visits.patterns", {"v_patterns": 7}),
    ("not-whole", "visits.patterns", {"v_patterns": [[["monday"]], None]}),
    ("not-whole", "visits.patterns", {"v_patterns": [[0, 1], None]}),
    ("empty-pattern", "visits.patterns", {"v_patterns": [[], None]}),
    ("empty-pattern", "visits.patterns", {"v_patterns": [[[0], []], None]}),
    ("day-out-of-range", "visits.patterns", {"v_patterns": [[[0, 2]], None]}),
    ("day-out-of-range", "visits.patterns", {"v_patterns": [[[-1]], None]}),
    ("repeated-day", "visits.patterns", {"v_patterns": [[[1, 1]], None]}),
    ("missing-column", "visits.pattern_cost", {"v_pattern_cost": [[1.0], None]}),
    ("wrong-shape", "visits.pattern_cost", {"v_patterns": [[[1]], None], "v_pattern_cost": [[1.0, 2.0], None]}),
    ("wrong-shape", "visits.pattern_cost", {"v_patterns": [[[1]], None], "v_pattern_cost": [[1.0]]}),
    ("out-of-range", "visits.pattern_cost", {"v_patterns": [[[1]], None], "v_pattern_cost": [[-1.0], None]}),
    ("out-of-range", "visits.pattern_cost", {"v_patterns": [[[1]], None], "v_pattern_cost": [[np.nan], None]}),
    ("pattern-and-rhythm", "visits.patterns",
     {"v_patterns": [[[1]], None], **{f"v_{k}": x for k, x in RHYTHM.items()}}),
    *(
        (code, f"visits.{column}", {f"v_{k}": x for k, x in {**RHYTHM, column: value}.items()})
        for code, column, value in (
            ("gap-low-missing", "gap_low_days", [0, 1]),
            ("gap-reversed", "gap_low_days", [3, 1]),
            ("first-reversed", "first_low_day", [2, 0]),
            ("gap-outside", "gap_days", [0, 2]),
            ("gap-outside", "gap_days", [3, 2]),
            ("interval-too-short", "interval_days", [0.0, 2.0]),
            ("interval-too-short", "interval_days", [0.5, 2.0]),
            ("negative", "interval_days", [-1.0, 2.0]),
            ("nan", "interval_days", [np.nan, 2.0]),
            ("negative", "first_low_day", [-1, 0]),
            ("negative", "first_due_day", [-1, 0]),
        )
    ),
    # shifts and visits together
    ("wrong-shape", "eligible", {"p_eligible": np.ones((2, 3), bool)}),
    ("wrong-shape", "baseline", {"p_baseline": np.ones(2, bool)}),
    ("wrong-shape", "shifts.locked", {"s_locked": [[0]]}),
    ("not-whole", "shifts.locked", {"s_locked": [["a"], []]}),
    ("visit-out-of-range", "shifts.locked", {"s_locked": [[2], []]}),
    ("repeated-lock", "shifts.locked", {"s_locked": [[1], [1]]}),
    ("repeated-lock", "shifts.locked", {"s_locked": [[1, 1], None]}),
    ("lock-and-pin", "shifts.locked", {"s_locked": [[1], None], "v_pinned_shift": [-1, 1]}),
    ("lock-not-eligible", "shifts.locked", {"s_locked": [[1], None], "p_eligible": [[1, 1], [0, 1]]}),
    ("lock-with-cadence", "shifts.locked", {"s_locked": [[1], None], "v_patterns": [None, [[0]]]}),
    ("wrong-shape", "joint", {"p_joint": [[0, 1, 1]]}),
    ("not-numbers", "joint", {"p_joint": "ab"}),
    ("visit-out-of-range", "joint", {"p_joint": [[0, 2]]}),
    ("pair-with-itself", "joint", {"p_joint": [[1, 1]]}),
    ("repeated-pair", "joint", {"p_joint": [[0, 1], [1, 0]]}),
    ("link-with-cadence", "joint", {"p_joint": [[0, 1]], "v_patterns": [None, [[0]]]}),
    ("wrong-shape", "precedence", {"p_precedence": [0, 1]}),
    ("visit-out-of-range", "precedence", {"p_precedence": [[0, -1]]}),
    ("pair-with-itself", "precedence", {"p_precedence": [[0, 0]]}),
    ("cycle", "precedence", {"p_precedence": [[0, 1], [1, 0]]}),
    ("cycle", "precedence", {"p_precedence": [[0, 1]], "p_joint": [[0, 1]]}),
    ("wrong-shape", "precedence_delay_s", {"p_precedence": [[0, 1]], "p_precedence_delay_s": [1, 2]}),
    ("negative", "precedence_delay_s", {"p_precedence": [[0, 1]], "p_precedence_delay_s": [-1]}),
    ("too-large", "precedence_delay_s", {"p_precedence": [[0, 1]], "p_precedence_delay_s": [1 << 40]}),
    ("link-with-cadence", "precedence", {"p_precedence": [[0, 1]], "v_patterns": [None, [[0]]]}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "column", "change"), CASES, ids=[f"{c}-{n}-{i}" for i, (c, n, _) in enumerate(CASES)])
def test_a_broken_rule_is_found_by_its_code(code: str, column: str, change: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        build(**change)
    assert [(p.code, p.column) for p in caught.value.problems] == [(code, column)]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


@pytest.mark.parametrize(
    "change",
    [
        {"v_windows": [[], None], "v_required": [True, False]},
        {"v_windows": [[(5, 5)], [(7, 9), (10, 12)]]},
        {"v_windows": [np.array([[1, 2], [4, 5]]), np.zeros((0, 2), int)]},
        {"v_place": [1.0, 2.0], "v_required": [1, 0]},
        {"p_durations_s": TRIANGLE.astype(np.float32)},
        {"p_durations_s": square(at=(0, 1), value=N)},
        {"p_durations_s": np.zeros((3, 3), np.uint8)},
        {"p_durations_s": TRIANGLE.tolist()},
        {"p_distances_m": square(at=(0, 1), value=N), "p_durations_s": square(at=(0, 1), value=N)},
        {"s_begin_s": [100, 100], "v_pinned_start_s": [100, -1]},
        {"s_breaks": [[(0, 5, 5), (4, 5, 9)], []]},
        {"s_locked": [(1, 0), None], "v_pinned_shift": [0, 0], "p_freeze_s": 1000},
        {"p_joint": [], "p_precedence": np.zeros((0, 2), int)},
        {"p_joint": [[0, 1]], "p_eligible": [[1, 0], [0, 1]]},
        {"p_precedence": [(0, 1), (0, 1)], "p_precedence_delay_s": [0, 9]},
        {"v_patterns": [[(0, 1), [1]], None], "v_pattern_cost": [[0, 1.5], None]},
        {"v_patterns": [None, None], **{f"v_{k}": x for k, x in RHYTHM.items()}},
        {"v_place": [], "p_eligible": np.zeros((0, 2), bool)},
        {"v_place": [], "s_start_place": [], "s_begin_s": [], "s_end_s": [], "s_day": [], "p_eligible": []},
        {"s_max_duration_s": [1 << 50] * 2, "s_capacity": [1 << 50] * 2},
        {"p_n_days": np.int64(9)},
    ],
)
def test_whatever_keeps_the_rules_is_accepted(change: dict[str, Any]) -> None:
    problem = build(**change)
    assert problem.durations_s.ndim == 4
    assert problem.durations_s.dtype.kind in "iu"


def test_all_broken_rules_are_told_at_once_with_their_rows() -> None:
    with pytest.raises(InputError) as caught:
        build(v_place=[1, 7], v_service_s=[-1, -2], v_windows=[None, [(5, 3)]], s_end_s=[100, -1])
    assert str(caught.value).splitlines() == [
        "routing problem: 6 bad values against 5 rules",
        "  place-out-of-range   visits.place: there are 3 places, counted from 0 (row 1)",
        "  negative             visits.service_s: below zero (2 rows, first rows 0, 1)",
        "  negative             shifts.end_s: below zero (row 1)",
        "  reversed-shift       shifts.end_s: ends before it begins (row 1)",
        "  reversed-window      visits.windows: closes before it opens (row 1)",
    ]


def test_values_of_a_column_without_a_shape_are_not_looked_at() -> None:
    with pytest.raises(InputError) as caught:
        build(v_place="nowhere", v_value=[[1.0]], p_durations_s=[[0, 1], [2]], s_profile=[9, 9])
    assert {p.code for p in caught.value.problems} <= {"not-numbers", "wrong-shape", "not-finite"}


GARBAGE: list[Any] = [
    "x", ["a", "b"], b"xx", np.nan, np.inf, -1, 10**30, 2.5, True, object(), {}, {1: 2}, {1, 2}, iter([1, 2]),
    [10**30, 1], [1, [2, 3]], [[1], [2, 3]], [None, None], [None, 1], [[None]], [[-5, 7]], [[0, 1], [0, 1]],
    [[(5, 1)], None], [[(1, 2)], [(1, 2, 3)]], [[[0]], [[0, 0]]], [[[]], None], [[], []], [[(1, 2, 3)], []],
    [[("a", 2)], []], [[(np.nan, 2)], []], [[(10**30, 2)], []], [[(2**50, 2**51)], []], [[2**70], None],
    [np.datetime64("NaT")] * 2, np.array(5), np.array(5.5), np.array(["NaT"] * 2, "M8[s]"), np.zeros(0),
    np.zeros((0, 2)), np.full(2, 1e300), np.array([2**63 + 5, 1], np.uint64), np.array([2**40, 2**40]),
    np.array([1 + 2j, 3]), np.array([-128, 1], np.int8), np.ones((1, 1, 1, 1, 1)), np.full((3, 3), np.nan),
    np.full((3, 3), -1), np.full((3, 3), 2**31 - 1), np.ones((3, 3)) * 0.5, np.ma.masked, np.array([None, {}]),
]  # fmt: skip
NAMES = [
    f"{letter}_{f.name}"
    for letter, table in (("v", VisitArrays), ("s", ShiftArrays), ("p", RoutingProblem))
    for f in fields(table)
]


def faults(change: dict[str, Any]) -> str:
    """Return what a problem says that it is refused for; blank where it is taken."""
    try:
        build(**change)
    except InputError as error:
        return str(error) if error.problems else "refused for nothing"
    return ""


@pytest.mark.parametrize("name", NAMES)
def test_garbage_is_refused_or_read_and_never_raises_anything_else(name: str) -> None:
    told = [faults({name: value}) for value in GARBAGE]
    assert sum(bool(text) for text in told) > 20
    assert "refused for nothing" not in told


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(GARBAGE), min_size=2, max_size=4))
def test_several_kinds_of_garbage_at_once(change: dict[str, Any]) -> None:
    assert faults(change) != "refused for nothing"


def test_a_small_problem_is_built_and_checked_in_a_fraction_of_a_millisecond() -> None:
    rng = np.random.default_rng(0)
    drive = rng.integers(1, 3000, (13, 13))
    np.fill_diagonal(drive, 0)
    columns = {"place": np.arange(1, 13), "service_s": np.full(12, 1800), "value": np.full(12, 1e4)}
    windows = [[(i * 1800, i * 1800 + 7200)] if i % 3 == 0 else None for i in range(12)]

    def one() -> None:
        shifts = ShiftArrays(start_place=[0], begin_s=[0], end_s=[28800])
        RoutingProblem(durations_s=drive, visits=VisitArrays(**columns, windows=windows), shifts=shifts)

    # the fastest of many; several times the 0.17 ms that it takes on a quiet machine
    assert min(repeat(one, number=20, repeat=20)) / 20 < 0.8e-3
