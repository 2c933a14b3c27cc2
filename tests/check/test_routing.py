"""A right answer to a routing problem, and every fault that can be planted in it, found by its code and no other.

Places stand on a line, 10 s and 100 m apart. Two reps work on two days with one clock::

    x       0    1       2       3    4
            home v0, v3  v1, v4  v2   v5, v6, v7

v3 has patterns, v4 a rhythm, v5 and v6 start together, v7 comes after v5; v2 is not made.
"""

from __future__ import annotations

import copy
from timeit import repeat
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from territory.check import CODES, ROUTING_CODES, check_routing
from territory.model.enums import Status
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.solution import TERMS, RoutingSolution, ShiftRoute
from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Callable

LINE = 10 * abs(np.arange(5)[:, None] - np.arange(5)[None, :])
SERVICE = [20, 20, 10, 10, 5, 10, 10, 10]


class Draft:
    """A problem and its answer as plain columns and rows that a test can change."""

    def __init__(self) -> None:
        def rhythm(value: float) -> list[float]:
            return [value if i == 4 else 0 for i in range(8)]

        self.visits: dict[str, Any] = {
            "place": [1, 2, 3, 1, 2, 4, 4, 4], "service_s": list(SERVICE), "value": [3.0] * 8,
            "required": [i == 1 for i in range(8)], "windows": [[(0, 30), (100, 120)], *[None] * 7],
            "due_s": [5] * 8, "late_cost": [1.0, *[0.0] * 7], "change_cost": [0.0, 4.0, *[0.0] * 6],
            "pinned_shift": [-1] * 8, "pinned_start_s": [-1] * 8, "window_holds_visit": [False] * 8,
            "patterns": [*[None] * 3, [[0, 1], [0]], *[None] * 4],
            "pattern_cost": [*[None] * 3, [2.0, 4.0], *[None] * 4],
            "first_high_day": rhythm(1), "first_due_day": rhythm(1), "gap_low_days": rhythm(1),
            "gap_high_days": rhythm(2), "gap_days": rhythm(1), "interval_days": rhythm(1), "off_cost": rhythm(0.5),
            "weekday_cost": rhythm(0.25), "last_weekday": [1] * 8,
        }  # fmt: skip
        self.shifts: dict[str, Any] = {
            "start_place": [0, 0], "begin_s": [0, 0], "end_s": [160, 160], "day": [0, 1],
            "breaks": [[(10, 60, 100)], None],
            "max_visits": [99, 99], "max_drive_s": [999, 999], "max_duration_s": [999, 999],
            "max_overtime_s": [30, 30], "overtime_cost": [2.0, 2.0], "cost": [5.0, 6.0], "cost_per_s": [1.0, 0.5],
            "cost_per_drive_s": [1.0, 1.0], "cost_per_m": [0.25, 0.25],
        }  # fmt: skip
        self.rest: dict[str, Any] = {
            "durations_s": LINE.copy(), "distances_m": 10 * LINE, "joint": [[5, 6]], "precedence": [[5, 7]],
            "precedence_delay_s": [5], "eligible": np.ones((8, 2), bool), "baseline": np.arange(16).reshape(8, 2) == 3,
            "n_days": 3,
        }  # fmt: skip
        self.routes: list[dict[str, Any]] = [
            {"shift": 0, "visits": [0, 3, 1, 4, 5], "starts": [10, 30, 50, 80, 105], "leave": 0, "back": 155,
             "break_starts": [70], "drive_s": 80, "distance_m": 800},
            {"shift": 1, "visits": [3, 4, 6, 7], "starts": [40, 60, 105, 120], "leave": 30, "back": 170,
             "break_starts": [], "drive_s": 80, "distance_m": 800},
        ]  # fmt: skip
        self.unserved: list[tuple[Any, Any]] = [(2, -1), (4, 2)]
        # 0.5 off: the first visit of the rhythm; 2: both days of the pattern; two visits not made;
        # the rhythm was last on weekday 1, then on 0, then on 1
        self.terms = {
            "shifts": 11.0, "duration": 155 + 70.0, "drive": 160.0, "distance": 400.0, "overtime": 20.0,
            "lateness": 5.0, "change": 4.0, "cadence": 2.5, "regularity": 0.5, "unserved": 6.0,
        }  # fmt: skip
        self.more: dict[str, Any] = {"status": Status.OPTIMAL, "required_missing": 0}

    def reprice(self, **terms: float) -> None:
        """Change terms by so much."""
        for name, by in terms.items():
            self.terms[name] += by

    def problem(self) -> RoutingProblem:
        return RoutingProblem(visits=VisitArrays(**self.visits), shifts=ShiftArrays(**self.shifts), **self.rest)

    def solution(self) -> RoutingSolution:
        rows = ("visits", "starts", "break_starts")
        routes = tuple(ShiftRoute(**{k: tuple(x) if k in rows else x for k, x in r.items()}) for r in self.routes)
        total = sum(self.terms.values())
        more = {"objective": total, "bound": total, **self.more}
        return RoutingSolution(routes, tuple(self.unserved), terms=dict(self.terms), **more)

    def codes(self) -> set[str]:
        return set(check_routing(self.problem(), self.solution()).codes)


def test_the_answer_is_right() -> None:
    d = Draft()
    report = check_routing(d.problem(), d.solution())
    assert report.ok, str(report)
    assert report.subject == "routing"


def put(where: int, name: str, value: Any) -> Callable[[Draft], None]:
    return lambda d: d.routes[where].update({name: value})


def starts(d: Draft, where: int, *values: int, **other: Any) -> None:
    d.routes[where].update(starts=list(values), **other)


def column(table: str, name: str, row: int, value: Any) -> Callable[[Draft], None]:
    def change(d: Draft) -> None:
        values = getattr(d, table).setdefault(name, [None] * (8 if table == "visits" else 2))
        values[row] = value

    return change


def both(*changes: Callable[[Draft], Any]) -> Callable[[Draft], None]:
    def change(d: Draft) -> None:
        for one in changes:
            one(d)

    return change


def without(d: Draft, where: int, at: int, *, metres: int = 0) -> int:
    """Take a visit out of a route whose way does not change by it; say which."""
    route = d.routes[where]
    route["starts"] = [t for i, t in enumerate(route["starts"]) if i != at]
    v: int = route["visits"].pop(at)
    return v


def no_pattern(d: Draft) -> None:
    """Leave the pattern visit out on day 0: day 1 alone is no pattern."""
    without(d, 0, 1)
    d.reprice(cadence=-2)


def no_joint(d: Draft) -> None:
    """Leave out v6 alone."""
    without(d, 1, 2)
    d.unserved.append((6, -1))
    d.reprice(unserved=3)


def joint_in_one_shift(d: Draft) -> None:
    without(d, 1, 2)
    route = d.routes[0]
    route["visits"].append(6)
    route["starts"].append(115)
    route["back"] = 165
    d.reprice(duration=10, overtime=10)


def no_first(d: Draft) -> None:
    """Leave out v5 and v6: v7 has nothing to come after; the way of shift 0 ends at x = 2."""
    without(d, 1, 2)
    without(d, 0, 4)
    d.routes[0].update(back=105, drive_s=40, distance_m=400)
    d.unserved += [(5, -1), (6, -1)]
    d.reprice(unserved=6, drive=-40, distance=-100, duration=-50)


def doubled(d: Draft) -> None:
    """Make v1 in both shifts."""
    d.routes[1]["visits"].insert(1, 1)
    d.routes[1]["starts"] = [40, 60, 80, 105, 120]


def twice_a_day(d: Draft) -> None:
    d.shifts["day"] = [0, 0]
    d.rest["n_days"] = 3
    d.unserved = [(2, -1), (4, 1), (4, 2)]
    d.reprice(unserved=3, cadence=-2, regularity=-0.25)


def days(*missed: int, first: int | None = None, **rhythm: Any) -> Callable[[Draft], None]:
    """Say other days of missed visits of the rhythm, and change it."""

    def change(d: Draft) -> None:
        d.unserved = [(2, -1), *((4, day) for day in missed)]
        d.reprice(unserved=3 * (len(missed) - 1))
        for name, value in rhythm.items():
            d.visits[name] = [value if i == 4 else 0 for i in range(8)]

    return change


def missing(*, said: int) -> Callable[[Draft], None]:
    """Leave out v1, which is required and has a baseline elsewhere."""

    def change(d: Draft) -> None:
        without(d, 0, 2)
        d.unserved.append((1, -1))
        d.reprice(unserved=3, change=-4)
        d.more["required_missing"] = said

    return change


def status(value: Any, **more: Any) -> Callable[[Draft], None]:
    return lambda d: d.more.update(status=value, **more)


def break_at(at: int, **route: Any) -> Callable[[Draft], None]:
    return lambda d: d.routes[0].update(break_starts=[at], **route)


def unreachable(d: Draft) -> None:
    """Make the way home of shift 1 impossible, and of nobody else."""
    cube = np.array([[LINE], [LINE]])
    cube[1, 0, 4, 0] = UNREACHABLE
    d.rest["durations_s"] = cube
    d.rest["distances_m"] = np.array([10 * LINE] * 2)
    d.shifts.update(profile=[0, 1], max_drive_s=[1 << 40] * 2)
    d.routes[1]["drive_s"] = UNREACHABLE + 40
    d.reprice(drive=UNREACHABLE - 40)


FAULTS: list[tuple[str, Callable[[Draft], Any]]] = [
    ("start-too-early", lambda d: starts(d, 0, 9, 30, 50, 80, 105) or d.reprice(lateness=-1)),
    ("start-too-early", lambda d: starts(d, 0, 10, 29, 50, 80, 105)),
    ("start-too-early", lambda d: starts(d, 0, 10, 30, 49, 80, 105)),
    ("back-too-early", lambda d: put(0, "back", 154)(d) or d.reprice(duration=-1)),
    ("leg-unreachable", unreachable),
    ("before-shift", column("shifts", "begin_s", 0, 1)),
    ("after-shift", column("shifts", "max_overtime_s", 1, 9)),
    ("outside-window", column("visits", "windows", 0, [(11, 30), (100, 120)])),
    ("outside-window", column("visits", "windows", 1, [])),
    ("outside-window", both(column("visits", "windows", 1, [(50, 69)]),
                            column("visits", "window_holds_visit", 1, True))),
    ("break-missing", break_at(-1)),
    ("break-missing", lambda d: column("shifts", "breaks", 1, [(5, 31, 169)])(d) or put(1, "break_starts", [-1])(d)),
    ("break-outside-window", both(column("shifts", "breaks", 0, [(10, 71, 100)]))),
    ("break-outside-window", both(column("shifts", "breaks", 0, [(10, 60, 79)]))),
    ("break-during-visit", break_at(69)),
    ("break-during-visit", break_at(75, starts=[10, 30, 50, 80, 105])),
    ("break-during-drive", both(column("shifts", "breaks", 0, [(10, 60, 110)]), break_at(90))),
    ("break-during-drive", both(column("shifts", "breaks", 0, [(5, 0, 8)]), break_at(3))),
    ("break-during-drive", both(column("shifts", "breaks", 0, [(5, 115, 155)]), break_at(120))),
    ("frozen-drive", lambda d: d.rest.update(freeze_s=1)),
    ("frozen-drive", lambda d: column("shifts", "locked", 0, [0])(d) or d.rest.update(freeze_s=41, n_days=3)
     or starts(d, 1, 55, 75, 105, 120, leave=45) or d.reprice(duration=-7.5)),
    ("drive-wrong", lambda d: put(0, "drive_s", 81)(d) or d.reprice(drive=1)),
    ("distance-wrong", put(0, "distance_m", 801)),
    ("duration-too-long", column("shifts", "max_duration_s", 0, 154)),
    ("drive-too-long", column("shifts", "max_drive_s", 1, 79)),
    ("too-many-visits", column("shifts", "max_visits", 1, 3)),
    ("over-capacity", lambda d: d.visits.update(load=[2] * 8) or d.shifts.update(capacity=[9, 8])),
    ("not-eligible", lambda d: d.rest["eligible"].__setitem__((7, 1), False)),
    ("pin-broken", column("visits", "pinned_shift", 1, 1)),
    ("pin-broken", column("visits", "pinned_start_s", 1, 51)),
    ("lock-broken", lambda d: d.shifts.update(locked=[[0, 1], None])),
    ("lock-broken", lambda d: d.shifts.update(locked=[None, [6]])),
    ("visit-doubled", doubled),
    ("visit-doubled", twice_a_day),
    ("pattern-broken", no_pattern),
    ("rhythm-first", days(2, first_low_day=1)),
    ("rhythm-gap", lambda d: days(2, gap_low_days=2, gap_days=2)(d) or d.reprice(cadence=0.5)),
    ("rhythm-gap", lambda d: d.rest.update(n_days=4) or days(3)(d)),
    ("rhythm-open", days()),
    ("rhythm-over", days(2, interval_days=2)),
    ("joint-broken", no_joint),
    ("joint-broken", joint_in_one_shift),
    ("joint-broken", lambda d: starts(d, 1, 40, 60, 106, 120)),
    ("precedence-broken", no_first),
    ("precedence-broken", lambda d: starts(d, 1, 40, 60, 105, 119)),
    ("unserved-missing", lambda d: d.unserved.remove((2, -1))),
    ("unserved-doubled", lambda d: d.unserved.append((2, -1))),
    ("unserved-wrong", lambda d: d.unserved.append((0, -1)) or d.reprice(unserved=3)),
    ("unserved-wrong", lambda d: d.unserved.__setitem__(0, (2, 0))),
    ("terms-unknown", lambda d: d.terms.update(joy=0.0)),
    ("objective-wrong", lambda d: d.more.update(objective=832.0, bound=0, status=Status.FEASIBLE)),
    ("objective-wrong", lambda d: d.more.update(objective=float("nan"))),
    ("bound-above-objective", lambda d: d.more.update(bound=1e9)),
    ("bound-above-objective", lambda d: d.more.update(bound=float("nan"), status=Status.FEASIBLE)),
    ("required-missing-wrong", status(Status.OPTIMAL, required_missing=1)),
    ("required-missing-wrong", both(missing(said=0), status(Status.FEASIBLE))),
    ("status-wrong", status("splendid")),
    ("optimal-unproven", status(Status.OPTIMAL, bound=800.0)),
    ("optimal-unproven", status(Status.OPTIMAL, bound=-float("inf"))),
    ("optimal-unproven", missing(said=1)),
    ("infeasible-unfounded", status(Status.INFEASIBLE)),
    *(
        ("term-wrong", lambda d, name=name: d.reprice(**{name: 1.0}) or d.more.update(objective=834.0, bound=834.0))
        for name in TERMS
    ),
]  # fmt: skip


@pytest.mark.parametrize(("code", "fault"), FAULTS, ids=[f"{code}-{i}" for i, (code, _) in enumerate(FAULTS)])
def test_a_fault_is_found_by_its_code(code: str, fault: Callable[[Draft], Any]) -> None:
    d = Draft()
    fault(d)
    report = check_routing(d.problem(), d.solution())
    assert set(report.codes) == {code}, str(report)
    assert all(v.message for v in report)


@pytest.mark.parametrize(
    ("second", "last", "amount"), [(7, -1, 0.0), (7, 0, 0.0), (7, 4, 0.25), (8, 0, 0.25), (8, 6, 0.5), (14, 0, 0.0)]
)
def test_other_weekdays_than_the_last_one_cost(second: int, last: int, amount: float) -> None:
    d = Draft()
    d.visits.update(gap_high_days=[16 if i == 4 else 0 for i in range(8)], last_weekday=[last] * 8)
    d.visits.update(interval_days=[7.0] * 8)
    d.shifts["day"] = [0, second]
    d.visits["patterns"][3] = [[0, second]]
    d.visits["pattern_cost"][3] = [2.0]
    d.rest["n_days"] = second + 1
    d.unserved = [(2, -1)]
    # the first is meant on day 1, the second on the day after the first
    d.reprice(unserved=-3, regularity=amount - 0.5, cadence=0.5 * (second - 1))
    report = check_routing(d.problem(), d.solution())
    assert report.ok, str(report)


def shift_twice(d: Draft) -> None:
    d.routes.append(copy.deepcopy(d.routes[1]))


#: Where a route cannot be read, what it was to hold is missing, too.
SHAPES: list[tuple[str, Callable[[Draft], Any]]] = [
    ("not-whole", put(0, "leave", 0.0)),
    ("not-whole", put(0, "starts", [10, 30, 50, None, 105])),
    ("not-whole", lambda d: d.unserved.append(("x", -1))),
    ("shift-unknown", put(1, "shift", 2)),
    ("visit-unknown", put(0, "visits", [0, 3, 1, 4, 8])),
    ("visit-unknown", lambda d: d.unserved.append((8, -1))),
    ("routes-unordered", lambda d: d.routes.reverse()),
    ("shift-doubled", shift_twice),
    ("route-without-visits", lambda d: d.routes[0].update(visits=[], starts=[])),
    ("start-count-wrong", put(0, "starts", [10, 30, 50, 80])),
    ("break-count-wrong", put(0, "break_starts", [])),
]


@pytest.mark.parametrize(("code", "fault"), SHAPES, ids=[f"{code}-{i}" for i, (code, _) in enumerate(SHAPES)])
def test_an_answer_of_a_wrong_shape_is_found_and_nothing_is_raised(code: str, fault: Callable[[Draft], Any]) -> None:
    d = Draft()
    fault(d)
    assert code in d.codes()


def test_every_code_is_provoked_and_explained() -> None:
    assert {code for code, _ in FAULTS + SHAPES} == set(ROUTING_CODES)
    assert set(ROUTING_CODES) <= set(CODES)


def right(d: Draft) -> None:
    report = check_routing(d.problem(), d.solution())
    assert report.ok, str(report)


def test_other_times_than_the_best_are_right_if_they_keep_the_rules() -> None:
    d = Draft()
    d.routes[0].update(leave=-0, back=160)
    d.reprice(duration=5)
    right(d)


def test_a_break_may_lie_before_a_drive_on_arrival_at_home_or_in_front_of_the_door() -> None:
    for window, at in (((5, 70, 75), 70), ((5, 75, 110), 75), ((5, 75, 110), 100), ((5, 150, 165), 155)):
        d = Draft()
        d.shifts["breaks"] = [[window], None]
        d.routes[0].update(break_starts=[at], starts=[10, 30, 50, 70 if at > 70 else 75, 105])
        right(d)
    d = Draft()
    d.shifts["breaks"] = [None, [(10, 20, 40)]]
    d.routes[0].update(break_starts=[])
    d.routes[1].update(break_starts=[20])
    right(d)


def test_a_break_is_not_needed_by_who_leaves_after_it_or_is_back_before() -> None:
    for window in ((10, 0, 30), (10, 170, 190)):
        d = Draft()
        d.shifts["breaks"] = [None, [window]]
        d.routes[0].update(break_starts=[])
        d.routes[1].update(break_starts=[-1])
        right(d)


def test_by_time_of_day_a_leg_begins_anywhere_between_what_surrounds_it() -> None:
    d = Draft()
    slow = np.array([[LINE, 2 * LINE]])
    d.rest.update(durations_s=slow, bucket_starts_s=[0, 66])
    # from x = 2 to x = 4 either before 66 s, in 20 s, or later, in 40 s; home in 80 s
    d.routes[1].update(back=210, drive_s=10 + 10 + 20 + 80)
    d.shifts["max_overtime_s"] = [50, 50]
    d.routes[0].update(starts=[10, 30, 50, 80, 125], back=215, drive_s=10 + 10 + 40 + 80)
    d.routes[1].update(starts=[40, 60, 125, 140], back=230)
    d.shifts["max_overtime_s"] = [80, 80]
    d.reprice(duration=60 + 30, overtime=2 * (55 + 60), drive=120 + 140 - 160)
    assert d.codes() == set()
    d.routes[1]["drive_s"] = 10 + 10 + 40 + 80
    d.reprice(drive=20)
    assert d.codes() == set()
    d.routes[1]["drive_s"] += 1
    d.reprice(drive=1)
    assert d.codes() == {"drive-wrong"}


def test_an_answer_that_misses_required_visits_has_no_bound_to_keep() -> None:
    d = Draft()
    missing(said=1)(d)
    d.more.update(status=Status.INFEASIBLE, bound=float("inf"))
    right(d)


def test_a_locked_visit_counts_as_required() -> None:
    d = Draft()
    d.rest["n_days"] = 3
    d.shifts = {k: [*v, v[1]] for k, v in d.shifts.items()} | {"day": [0, 1, 2], "locked": [None, None, [2]]}
    d.rest.update(eligible=None, baseline=None)
    d.visits["change_cost"] = [0.0] * 8
    d.reprice(change=-4)
    assert d.codes() == {"required-missing-wrong", "optimal-unproven"}
    d.more.update(required_missing=1, status=Status.FEASIBLE)
    right(d)


def test_an_empty_problem_has_an_empty_answer() -> None:
    problem = RoutingProblem(
        durations_s=np.zeros((0, 0), int), visits=VisitArrays(place=[]),
        shifts=ShiftArrays(start_place=[], begin_s=[], end_s=[]),
    )  # fmt: skip
    answer = SimpleNamespace(
        routes=(), unserved=(), terms=dict.fromkeys(TERMS, 0.0), objective=0.0, bound=0.0, status=Status.OPTIMAL,
        required_missing=0,
    )  # fmt: skip
    assert check_routing(problem, answer).ok


def many(n_shifts: int, each: int) -> tuple[RoutingProblem, RoutingSolution]:
    """Return a problem of one place with an answer in which every shift makes visits one after the other."""
    n = n_shifts * each
    problem = RoutingProblem(
        durations_s=[[0, 600], [600, 0]],
        visits=VisitArrays(place=[1] * n, service_s=[1800] * n, value=[9.0] * n, windows=[[(0, 90_000)]] * n),
        shifts=ShiftArrays(start_place=[0] * n_shifts, begin_s=[0] * n_shifts, end_s=[90_000] * n_shifts),
        eligible=np.ones((n, n_shifts), bool),
    )
    times = tuple(600 + 1800 * i for i in range(each))
    routes = tuple(
        ShiftRoute(s, tuple(range(s * each, s * each + each)), times, 0, 1200 + 1800 * each, (), 1200, 0)
        for s in range(n_shifts)
    )
    terms = dict.fromkeys(TERMS, 0.0) | {"drive": 1200.0 * n_shifts}
    total = 1200.0 * n_shifts
    return problem, RoutingSolution(routes, (), total, terms, total, Status.OPTIMAL)


def test_the_check_takes_far_less_than_the_solve() -> None:
    day, month = many(1, 12), many(200, 10)
    assert check_routing(*day).ok
    assert check_routing(*month).ok
    # the fastest of several; ten times what a quiet machine needs
    assert min(repeat(lambda: check_routing(*day), number=10, repeat=10)) / 10 < 2e-3
    assert min(repeat(lambda: check_routing(*month), number=1, repeat=3)) < 0.5
