"""Several reps' desks over the same customers, as one routing problem."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.routing.calls import ANY, DAYS_WAIVED, HOURS_WAIVED, Calls
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.rules_values import LONGEST
from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray
    from territory.routing.desk import Desk
    from territory.routing.shifts import Windows

__all__ = ["Board", "Rates", "lone", "usual_calls"]

#: No car is faster, metres a second: for what a shift can cost at most.
_FASTEST = 60.0
#: Ways that a visit is worth.
_TIMES = 10.0


@dataclass(frozen=True, slots=True)
class Rates:
    """What a rep's shifts cost: once, a second at the wheel, a metre, a second of overtime."""

    shift: float = 0.0
    drive_s: float = 1.0
    metre: float = 0.0
    overtime_s: float = 0.0


@dataclass(frozen=True, eq=False)
class Board:
    """The desks of reps who are planned together; one of them is the usual case.

    Attributes
    ----------
    desks : tuple of R Desks
        Over the same customers in the same order.
    rates : tuple of R Rates
    able : bool array of shape (m, R), optional
        Which customers each may serve; default: all.
    on : bool array of shape (m, R, D), optional
        On which days of the horizon; default: all.
    load : int64 array of shape (m,), optional
        What a visit of each customer fills a rep up with.
    capacity : tuple of R ints, optional
        Most load a day.
    nights : mapping of shift to int
        At which place of its desk a shift ends; there the desk's shift of the next day begins. Other shifts begin
        and end where the rep's days do.
    named : bool array of shape (m, R), optional
        Which customers each may serve where it is named: locks and territories do not count. Default: all.
    """

    desks: tuple[Desk, ...]
    rates: tuple[Rates, ...]
    able: BoolArray | None = None
    on: BoolArray | None = None
    load: IntArray | None = None
    capacity: tuple[int, ...] | None = None
    nights: Mapping[tuple[int, int], int] = field(default_factory=dict)
    named: BoolArray | None = None

    @cached_property
    def shifts(self) -> tuple[tuple[int, int], ...]:
        """Desk and day of every shift, by desk and day."""
        return tuple((r, n) for r, desk in enumerate(self.desks) for n in sorted({*desk.shifts, *desk.office}))

    @cached_property
    def dearest(self) -> float:
        """More than all shifts can cost but for what is missed in them."""
        total = 1.0
        for r, n in self.shifts:
            begin, end = self.desks[r].span(n)
            rate, length = self.rates[r], end - begin + self.desks[r].overtime_s
            total += rate.shift + length * (rate.drive_s + rate.metre * _FASTEST + rate.overtime_s)
        return total

    def between(self, shift: tuple[int, int]) -> tuple[int, int]:
        """Return the places of its desk where a shift begins and ends."""
        r, n = shift
        return self.nights.get((r, n - 1), 0), self.nights.get(shift, self.desks[r].end)

    @cached_property
    def usual(self) -> float:
        """What a usual visit is worth: ten times the dearest way, so that driving alone strikes none out.

        Not as much as all driving: a search that may leave visits out for a while finds better days, and more room.
        """
        metre, drive_s = max(r.metre for r in self.rates), max(r.drive_s for r in self.rates)
        drive = max(int(np.where(d.durations_s > LONGEST, 0, d.durations_s).max(initial=0)) for d in self.desks)
        far = max(int(np.where(d.durations_s > LONGEST, 0, d.distances_m).max(initial=0)) for d in self.desks)
        shift, overtime = (
            max(r.shift for r in self.rates),
            max(r.overtime_s * d.overtime_s for r, d in zip(self.rates, self.desks, strict=True)),
        )
        return min(self.dearest, _TIMES * (drive * drive_s + far * metre) + 2.0 * (shift + overtime) + 1.0)

    def windows(self, calls: Calls, k: int, shift: tuple[int, int]) -> Windows:
        """Return when call `k` may start in a shift, UTC seconds; empty: not at all."""
        r, n = shift
        desk = self.desks[r]
        row, wanted = int(calls.row[k]), int(calls.rep[k])
        if not calls.low[k] <= n <= calls.high[k] or wanted not in (ANY, r):
            return ()
        if n in desk.office and not calls.remote[k]:
            return ()
        if self.able is not None and wanted == ANY and not self.able[row, r]:
            return ()
        if self.named is not None and wanted != ANY and not self.named[row, r]:
            return ()
        if self.on is not None and wanted == ANY and not self.on[row, r, n]:
            return ()
        waived, time_s = int(calls.waived[k]), int(calls.time_s[k])
        service = int(calls.service_s[k])
        if not waived and time_s == ANY and service == desk.service_s[row]:
            return desk.windows(row, n)
        return desk.agreed(
            row, n, service, time_s=time_s, any_day=waived >= DAYS_WAIVED, any_hour=waived >= HOURS_WAIVED
        )

    def problem(
        self, calls: Calls, *, baseline: BoolArray | None = None, change_cost: FloatArray | None = None
    ) -> RoutingProblem:
        """Return the routing problem of some calls in all shifts; seconds are counted from the desks' origin.

        Parameters
        ----------
        calls : Calls, length m
        baseline : bool array of shape (m, S), optional
            In which shifts they stood before.
        change_cost : float array of shape (m,), optional
            What it costs to move them to another.
        """
        desks, shifts = self.desks, self.shifts
        origin = desks[0].origin
        open_at = [[self.windows(calls, k, shift) for shift in shifts] for k in range(len(calls))]
        hours = [desks[r].hours(n) for r, n in shifts]
        used, place = np.unique(calls.row, return_inverse=True)
        first = len(desks)
        at_home = np.asarray(calls.remote)
        # a contact from home begins where its rep's day does; with several reps each has a place of his own
        places = np.where(at_home, np.maximum(calls.rep, 0), place + first).astype(np.int32)
        rep_of = np.array([r for r, _ in shifts], np.int32)
        slept, ends = self._ends(used)
        profile, cube, metres = self._driving(used, slept)
        homes = np.concatenate([np.arange(first), first + len(used) + np.arange(first)])
        alike = np.arange(cube.shape[-1], dtype=np.int32)
        alike[homes] = _alike(cube, metres, homes)
        rates = [self.rates[r] for r, _ in shifts]
        by_metre = any(rate.metre for rate in rates)
        columns: dict[str, Any] = calls.rhythm_columns() if calls.rhythmic.any() else {}
        if any(p is not None for p in calls.patterns):
            columns["patterns"] = calls.patterns
        extra: dict[str, Any] = {}
        if change_cost is not None:
            columns["change_cost"] = change_cost
        if self.load is not None and self.capacity is not None:
            columns["load"] = np.where(at_home, 0, self.load[calls.row])
            extra["capacity"] = np.array([self.capacity[r] for r in rep_of], np.int64)
        most = [desks[r].max_visits for r, _ in shifts]
        if any(m is not None for m in most):
            extra["max_visits"] = np.array([len(calls) + 1 if m is None else m for m in most], np.int64)
        overtime = np.array([self._overtime_s(r, n) for r, n in shifts])
        if overtime.any():
            extra["max_overtime_s"] = overtime
            extra["overtime_cost"] = np.array([rate.overtime_s for rate in rates])
        pairs = np.flatnonzero(calls.partner > np.arange(len(calls)))
        return RoutingProblem(
            durations_s=cube,
            distances_m=metres if by_metre else None,
            visits=VisitArrays(
                place=places,
                service_s=np.minimum(calls.service_s, LONGEST),
                windows=[self._binding(calls, k, row, origin) for k, row in enumerate(open_at)],
                value=calls.value,
                required=np.zeros(len(calls), np.bool_),
                **columns,
            ),
            shifts=ShiftArrays(
                start_place=alike[ends[:, 0]],
                end_place=alike[ends[:, 1]],
                begin_s=np.array([begin for begin, _, _ in hours], np.int64),
                end_s=np.array([end for _, end, _ in hours], np.int64),
                day=np.array([n for _, n in shifts], np.int32),
                profile=profile[rep_of],
                breaks=[rest for _, _, rest in hours],
                cost=np.array([rate.shift for rate in rates]),
                cost_per_drive_s=np.array([rate.drive_s for rate in rates]),
                cost_per_m=np.array([rate.metre for rate in rates]) if by_metre else None,
                **extra,
            ),
            # two shifts that touch share a moment, and a visit may take none: the day decides, not the moment
            eligible=np.array([[bool(w) for w in row] for row in open_at], np.bool_).reshape(len(calls), len(shifts)),
            baseline=baseline,
            joint=np.stack([pairs, calls.partner[pairs]], axis=1) if len(pairs) else None,
            n_days=desks[0].settings.n_days,
        )

    def _ends(self, used: IntArray) -> tuple[IntArray, IdxArray]:
        """Return the hotels in which nights are spent, and the places of a problem where each shift begins and ends."""
        n, here = len(self.desks), self.desks[0].end
        slept = np.unique([p - here - 1 for p in self.nights.values() if p > here]).astype(np.int64)

        def place(r: int, p: int) -> int:
            if p in (0, here):
                return r if p == 0 else n + len(used) + r
            # nobody sleeps at a customer's place but where somebody is called on
            if p < here:
                return n + int(np.searchsorted(used, p - 1))
            return 2 * n + len(used) + int(np.searchsorted(slept, p - here - 1))

        ends = [[place(r, p) for p in self.between((r, n))] for r, n in self.shifts]
        return slept, np.array(ends, np.int32).reshape(-1, 2)

    def _binding(self, calls: Calls, k: int, row: Sequence[Windows], origin: int) -> list[tuple[int, int]] | None:
        """Return the windows of a call in all shifts; None where they leave out nothing of the shifts it may go to."""
        spans = [self.desks[r].span(n) for r, n in self.shifts]
        service = int(calls.service_s[k])
        binds = [w for w, (begin, end) in zip(row, spans, strict=True) if w and w != ((begin, end - service),)]
        return _union(row, origin) if binds or not any(row) else None

    def _overtime_s(self, r: int, n: int) -> int:
        """Return how much longer a shift may be, seconds."""
        return 0 if n in self.desks[r].office else self.desks[r].overtime_s

    def _driving(self, used: IntArray, slept: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return the profile of each desk, driving times by profile, and distances: homes, customers, ends, hotels."""
        desks = self.desks
        n_desks, end = len(desks), desks[0].end
        if n_desks == 1:
            at = np.concatenate([[0], used + 1, [end], end + 1 + slept])
            drive, metres = desks[0].durations_s[np.ix_(at, at)], desks[0].distances_m[np.ix_(at, at)]
            return np.zeros(1, np.int32), _drivable(drive)[None], metres[None]
        factors, profile = np.unique([desk.factor for desk in desks], return_inverse=True)
        cubes, lengths = [], []
        for p in range(len(factors)):
            drive, metres = desks[int(np.flatnonzero(profile == p)[0])].among(desks, used, slept)
            cubes.append(_drivable(drive))
            lengths.append(metres)
        return profile.astype(np.int32), np.stack(cubes), np.stack(lengths)


def lone(desk: Desk) -> Board:
    """Return the board of one rep whose days cost their driving."""
    return Board((desk,), (Rates(),))


def usual_calls(board: Board, rows: Sequence[int]) -> Calls:
    """Return one call of each of some customers, worth more than all driving: first as many as fit."""
    at = np.asarray(rows, np.int64)
    return Calls(row=at, service_s=board.desks[0].service_s[at], value=np.full(len(at), board.dearest))


def _alike(cube: IntArray, metres: IntArray, places: IntArray) -> NDArray[np.int32]:
    """Return for each of some places the first of them with the same ways: who starts alike is searched once."""
    rows: dict[bytes, int] = {}
    found = []
    for at in places.tolist():
        ways = (cube[:, at, :], cube[:, :, at], metres[:, at, :], metres[:, :, at])
        found.append(rows.setdefault(b"".join(np.ascontiguousarray(w).tobytes() for w in ways), at))
    return np.array(found, np.int32)


def _drivable(drive: IntArray) -> IntArray:
    drive = np.where(drive > LONGEST, UNREACHABLE, drive)
    np.fill_diagonal(drive, 0)
    return drive


def _union(days: Sequence[Windows], origin: int) -> list[tuple[int, int]]:
    """Return the windows of several shifts as one list, counted from `origin`; those that meet are one."""
    found: list[tuple[int, int]] = []
    for low, high in sorted({(a - origin, b - origin) for day in days for a, b in day}):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found
