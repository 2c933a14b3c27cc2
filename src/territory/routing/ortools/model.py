"""The routing problem as OR-Tools' routing model: registered matrices, never a callback.

An error in a Python callback is swallowed there and gives a plan of cost 0; a registered matrix
cannot fail, and is read six to nine times as fast. Malformed input crashes the interpreter, so
nothing gets here but a `RoutingProblem`, and never an empty one.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.routing.layout import (
    S_BEGIN,
    S_BREAK0,
    S_BREAK1,
    S_CAPACITY,
    S_CLOSE,
    S_COST,
    S_COST_PER_DRIVE_S,
    S_COST_PER_M,
    S_COST_PER_S,
    S_END,
    S_FREE_FROM,
    S_LOCK0,
    S_LOCK1,
    S_MAX_DRIVE,
    S_MAX_DURATION,
    S_MAX_VISITS,
    S_OVERTIME_COST,
    S_PROFILE,
    S_REGULAR,
    S_START,
    V_DUE,
    V_LATE_COST,
    V_LOAD,
    V_PARTNER,
    V_PLACE,
    Layout,
)
from territory.routing.ortools.scale import scale_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from territory.routing.ortools.tasks import Tasks
    from territory.routing.problem import RoutingProblem

__all__ = ["Model"]

#: Entries of cost matrices up to which what a visit costs in a shift is worked into the arcs; beyond
#: that a dimension carries it, which is slower to search but needs no matrix a shift.
_MATRICES: Final = 8_000_000


class Model:
    """A routing model, built but not closed.

    Parameters
    ----------
    problem, layout : RoutingProblem, Layout
    tasks : Tasks
        At least one.
    all_or_nothing : bool
        Whether visits that are made together or not at all are so for the solver, too. It finds no
        first solution where its insertion ends with half of them.
    weight : float
        What a second at the wheel costs beside what it costs.
    """

    def __init__(
        self, problem: RoutingProblem, layout: Layout, tasks: Tasks, *, all_or_nothing: bool, weight: float = 0.0
    ) -> None:
        from ortools.constraint_solver import pywrapcp  # noqa: PLC0415 - a solver loads when it is used

        self.problem, self.layout, self.tasks = problem, layout, tasks
        self.shifts: list[int] = np.flatnonzero(tasks.may.any(axis=0)).tolist()
        shift = layout.shift_i[self.shifts]
        n = len(tasks.visit)
        depots, at = np.unique(shift[:, [S_START, S_END]], return_inverse=True)
        at = at.reshape(-1, 2) + n
        self._places = np.concatenate([layout.visit_i[tasks.visit, V_PLACE], depots])
        self._size = n + len(depots)
        self.manager = pywrapcp.RoutingIndexManager(
            self._size, len(self.shifts), at[:, 0].tolist(), at[:, 1].tolist()
        )  # fmt: skip
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.index: list[int] = [self.manager.NodeToIndex(i) for i in range(n)]
        self.scale, self._required = scale_of(layout, tasks, weight)
        self._horizon = int(shift[:, S_CLOSE].max())
        self._weight = weight
        self._drive: dict[tuple[int, ...], NDArray[np.int64]] = {}
        self._evaluators: dict[Any, int] = {}
        self._set_costs()
        self.time = self._time()
        self._set_windows()
        self._set_limits()
        self._set_breaks()
        self._link(all_or_nothing=all_or_nothing)
        self._lock()

    def _buckets(self, s: int) -> tuple[int, ...]:
        """Return the matrices that a shift's drives may take."""
        layout = self.layout
        base, starts = int(layout.shift_i[s, S_PROFILE]) * len(layout.bucket), layout.bucket
        begin, close = layout.shift_i[s, [S_BEGIN, S_CLOSE]]
        ends = np.append(starts[1:], close + 1)
        touched = np.flatnonzero((starts <= close) & (ends > begin))
        return tuple(int(base + b) for b in touched) or (base + len(starts) - 1,)

    def _drive_of(self, s: int) -> NDArray[np.int64]:
        """Return driving times between nodes: the slowest at any time of the shift.

        Who is never later than that keeps every window; a leg longer than the shift cannot be driven
        in it, and capping keeps sums small.
        """
        key = self._buckets(s)
        if key not in self._drive:
            square = np.ix_(self._places, self._places)
            slow = np.max([self.layout.drive[b][square] for b in key], axis=0).astype(np.int64)
            slow = np.minimum(slow, self._horizon + 1)
            n = len(self.tasks.visit)
            slow[n:, n:] = 0  # a shift without visits costs nothing, wherever it ends
            self._drive[key] = slow
        return self._drive[key]

    def _register(self, key: Any, matrix: Callable[[], NDArray[np.int64]]) -> int:
        """Return the evaluator of a matrix, or of a vector by the node left, registered once a key."""
        if key not in self._evaluators:
            values = matrix()
            register = (
                self.routing.RegisterTransitMatrix if values.ndim == 2 else self.routing.RegisterUnaryTransitVector
            )
            self._evaluators[key] = register(values.tolist())
        return self._evaluators[key]

    def _by_node(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.concatenate([values, np.zeros(self._size - len(values), np.int64)])

    def _scaled(self, cost: float) -> int:
        return round(cost * self.scale)

    def _set_costs(self) -> None:
        layout, tasks, n = self.layout, self.tasks, len(self.tasks.visit)
        extra = np.rint(tasks.extra * self.scale).astype(np.int64)
        inline = extra.size > 0 and len(self.shifts) * self._size**2 <= _MATRICES
        for k, s in enumerate(self.shifts):
            rates = layout.shift_f[s]
            metre = float(rates[S_COST_PER_M]) if layout.metres.size else 0.0
            column = extra[:, s] if inline else extra[:0]
            key = ("cost", self._buckets(s), float(rates[S_COST_PER_DRIVE_S]), metre, column.tobytes())
            self.routing.SetArcCostEvaluatorOfVehicle(self._register(key, partial(self._arcs, s, column)), k)
            if rates[S_COST] > 0:
                self.routing.SetFixedCostOfVehicle(self._scaled(rates[S_COST]), k)
        if extra.size and not inline:
            by_shift = [
                self._register(("extra", extra[:, s].tobytes()), partial(self._by_node, extra[:, s]))
                for s in self.shifts
            ]
            most = int(extra.max(axis=1).sum())
            self.routing.AddDimensionWithVehicleTransits(by_shift, 0, most, True, "extra")  # noqa: FBT003
            self.routing.GetDimensionOrDie("extra").SetSpanCostCoefficientForAllVehicles(1)
        values = np.rint(tasks.value * self.scale).astype(np.int64)
        values[tasks.required] = self._required
        for i in range(n):
            self.routing.AddDisjunction([self.index[i]], int(values[i]))

    def _arcs(self, s: int, extra: NDArray[np.int64]) -> NDArray[np.int64]:
        layout, rates, n = self.layout, self.layout.shift_f[s], len(self.tasks.visit)
        cost = self._drive_of(s) * (float(rates[S_COST_PER_DRIVE_S]) + self._weight)
        if layout.metres.size and rates[S_COST_PER_M] > 0:
            metres = layout.metres[layout.shift_i[s, S_PROFILE]][np.ix_(self._places, self._places)].astype(np.float64)
            metres[self._drive_of(s) > self._horizon] = 0.0
            metres[n:, n:] = 0.0
            cost = cost + metres * float(rates[S_COST_PER_M])
        arcs = np.rint(cost * self.scale).astype(np.int64)
        if extra.size:
            arcs[:, :n] += extra
        return np.asarray(arcs)

    def _transit(self, s: int, service: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(self._drive_of(s) + self._by_node(service)[:, None])

    def _time(self) -> Any:
        layout, tasks = self.layout, self.tasks
        factor = self.problem.shifts.service_factor
        by_shift = []
        for s in self.shifts:
            key = ("transit", self._buckets(s), float(factor[s]))
            service = layout.service[tasks.visit, s].astype(np.int64)
            by_shift.append(self._register(key, partial(self._transit, s, service)))
        if len(set(by_shift)) == 1:
            self.routing.AddDimension(by_shift[0], self._horizon, self._horizon, False, "time")  # noqa: FBT003
        else:
            self.routing.AddDimensionWithVehicleTransits(
                by_shift, self._horizon, self._horizon, False, "time"  # noqa: FBT003
            )  # fmt: skip
        return self.routing.GetDimensionOrDie("time")

    def _set_windows(self) -> None:
        layout, tasks, n_shifts = self.layout, self.tasks, len(self.layout.shift_i)
        late = np.rint(layout.visit_f[tasks.visit, V_LATE_COST] * self.scale).astype(np.int64)
        everywhere = np.asarray(tasks.may[:, self.shifts].all(axis=1))
        for i, v in enumerate(tasks.visit.tolist()):
            index = self.index[i]
            allowed = np.flatnonzero(tasks.may[i, self.shifts])
            if not everywhere[i]:
                # SetAllowedVehiclesForIndex takes no Python sequence in OR-Tools 9.15; the domain says the same
                self.routing.VehicleVar(index).SetValues([-1, *allowed.tolist()])
            if len(allowed) == 1:
                key = v * n_shifts + self.shifts[allowed[0]]
                windows = layout.window[layout.window_at[key] : layout.window_at[key + 1]].tolist()
            else:
                windows = self._union(v, np.array(self.shifts)[allowed])
            variable = self.time.CumulVar(index)
            variable.SetRange(windows[0][0], windows[-1][1])
            for (_, closed), (opened, _) in pairwise(windows):
                if closed + 1 <= opened - 1:
                    variable.RemoveInterval(closed + 1, opened - 1)
            if late[i] > 0:
                due = max(int(layout.visit_i[v, V_DUE]), 0)
                self.time.SetCumulVarSoftUpperBound(index, due, int(late[i]))

    def _union(self, v: int, shifts: NDArray[np.int64]) -> list[tuple[int, int]]:
        """Return when a visit may start in any of some shifts; the hours of each are kept by its start and end."""
        layout, visits = self.layout, self.problem.visits
        service = layout.service[v, shifts]
        low = int(layout.shift_i[shifts, S_BEGIN].min())
        high = int((layout.shift_i[shifts, S_CLOSE] - service).max())
        given = None if visits.windows is None else visits.windows[v]
        pin = int(visits.pinned_start_s[v])
        if pin >= 0:
            return [(pin - layout.origin, pin - layout.origin)]
        if given is None:
            return [(low, high)]
        held = int(service.min()) if visits.window_holds_visit[v] else 0
        clipped = [(max(int(a) - layout.origin, low), min(int(b) - layout.origin - held, high)) for a, b in given]
        return [(a, b) for a, b in clipped if a <= b]

    def _set_limits(self) -> None:
        layout, tasks, routing = self.layout, self.tasks, self.routing
        shift, n = layout.shift_i[self.shifts], len(self.tasks.visit)
        for k, row in enumerate(shift.tolist()):
            rates = layout.shift_f[self.shifts[k]]
            locks = row[S_LOCK1] > row[S_LOCK0]
            self.time.CumulVar(routing.Start(k)).SetRange(row[S_BEGIN] if locks else row[S_FREE_FROM], row[S_CLOSE])
            self.time.CumulVar(routing.End(k)).SetRange(0, row[S_CLOSE])
            if row[S_MAX_DURATION] < row[S_CLOSE] - row[S_BEGIN]:
                self.time.SetSpanUpperBoundForVehicle(row[S_MAX_DURATION], k)
            if rates[S_COST_PER_S] > 0:
                self.time.SetSpanCostCoefficientForVehicle(self._scaled(rates[S_COST_PER_S]), k)
            if rates[S_OVERTIME_COST] > 0 and row[S_REGULAR] < row[S_CLOSE]:
                over = self._scaled(rates[S_OVERTIME_COST])
                self.time.SetCumulVarSoftUpperBound(routing.End(k), row[S_REGULAR], over)
        if (shift[:, S_MAX_DRIVE] < shift[:, S_CLOSE] - shift[:, S_BEGIN]).any():
            drives = [self._register(("drive", self._buckets(s)), partial(self._drive_of, s)) for s in self.shifts]
            most = np.minimum(shift[:, S_MAX_DRIVE], self._horizon).tolist()
            routing.AddDimensionWithVehicleTransitAndCapacity(drives, 0, most, True, "drive")  # noqa: FBT003
        if (shift[:, S_MAX_VISITS] < n).any():
            ones = self._register("count", lambda: self._by_node(np.ones(n, np.int64)))
            most = np.minimum(shift[:, S_MAX_VISITS], n).tolist()
            routing.AddDimensionWithVehicleCapacity(ones, 0, most, True, "visits")  # noqa: FBT003
        load = layout.visit_i[tasks.visit, V_LOAD]
        total = int(load.sum())
        if (shift[:, S_CAPACITY] < total).any():
            loads = self._register("load", lambda: self._by_node(load))
            most = np.minimum(shift[:, S_CAPACITY], total).tolist()
            routing.AddDimensionWithVehicleCapacity(loads, 0, most, True, "load")  # noqa: FBT003

    def _set_breaks(self) -> None:
        """Let breaks lie before the start, between stops or after the end, as OR-Tools does by itself."""
        layout, solver = self.layout, self.routing.solver()
        for k, s in enumerate(self.shifts):
            row = layout.shift_i[s].tolist()
            begin = row[S_BEGIN] if row[S_LOCK1] > row[S_LOCK0] else row[S_FREE_FROM]
            start, end = self.time.CumulVar(self.routing.Start(k)), self.time.CumulVar(self.routing.End(k))
            intervals: list[Any] = []
            for length, earliest, latest in layout.rest[row[S_BREAK0] : row[S_BREAK1]].tolist():
                low, high = max(earliest, begin), min(latest, row[S_CLOSE]) - length
                if earliest >= row[S_CLOSE] or latest <= begin or length == 0:
                    continue  # never needed: always back before it, or always leaving after it
                if low <= high:
                    intervals.append(
                        solver.FixedDurationIntervalVar(low, high, length, False, f"break {k}")  # noqa: FBT003
                    )  # fmt: skip
                elif latest > row[S_CLOSE] or earliest - begin >= row[S_CLOSE] - latest:
                    end.SetMax(max(earliest, begin))  # it cannot be taken: be back before it,
                else:
                    start.SetMin(latest)  # or leave after it
            if intervals:
                service = self.layout.service[self.tasks.visit, s].astype(np.int64)
                by_index = np.zeros(self.manager.GetNumberOfIndices(), np.int64)
                by_index[self.index] = service
                self.time.SetBreakIntervalsOfVehicle(intervals, k, by_index.tolist())

    def _link(self, *, all_or_nothing: bool) -> None:
        layout, tasks, solver = self.layout, self.tasks, self.routing.solver()
        node = {v: self.index[i] for i, v in enumerate(tasks.visit.tolist())}
        active = self.routing.ActiveVar
        for a, index in node.items():
            b = int(layout.visit_i[a, V_PARTNER])
            if b in node:
                self.time.AddNodePrecedence(index, node[b], 0)
                if a < b and all_or_nothing:
                    solver.Add(active(index) == active(node[b]))
        for a, b, delay in layout.before.tolist():
            if a in node and b in node:
                longest = int(layout.service[a, self.shifts][tasks.may[tasks.visit == a][0, self.shifts]].max())
                self.time.AddNodePrecedence(node[a], node[b], longest + delay)
                if all_or_nothing:
                    solver.Add(active(node[b]) <= active(node[a]))
        if all_or_nothing:
            for group in tasks.groups:
                for one, other in pairwise(group):
                    solver.Add(active(self.index[one]) == active(self.index[other]))

    def _lock(self) -> None:
        """Let routes begin with their locked visits, and drives to others not begin before the freeze ends."""
        layout, tasks, solver = self.layout, self.tasks, self.routing.solver()
        node = {v: self.index[i] for i, v in enumerate(tasks.visit.tolist())}
        for k, s in enumerate(self.shifts):
            row = layout.shift_i[s]
            locked = layout.locked[row[S_LOCK0] : row[S_LOCK1]].tolist()
            previous = self.routing.Start(k)
            for v in locked:
                solver.Add(self.routing.NextVar(previous) == node[v])
                previous = node[v]
            if locked and row[S_FREE_FROM] > row[S_BEGIN]:
                leaves = self.time.CumulVar(previous) + self.time.SlackVar(previous)
                solver.Add(leaves >= int(row[S_FREE_FROM]) - int(layout.service[locked[-1], s]))

    def read(self, answer: Any) -> dict[int, list[int]]:
        """Return the visits of each shift of an answer."""
        orders = {}
        visit = self.tasks.visit.tolist()
        for k, s in enumerate(self.shifts):
            order = []
            index = answer.Value(self.routing.NextVar(self.routing.Start(k)))
            while not self.routing.IsEnd(index):
                order.append(visit[self.manager.IndexToNode(index)])
                index = answer.Value(self.routing.NextVar(index))
            if order:
                orders[s] = order
        return orders

    def write(self, orders: Mapping[int, Sequence[int]]) -> list[list[int]]:
        """Return orders of visits as the solver's indices; visits that are no task in that shift are left out."""
        node: dict[tuple[int, int], int] = {}
        for i, v in enumerate(self.tasks.visit.tolist()):
            for s in np.flatnonzero(self.tasks.may[i]).tolist():
                node[v, s] = self.index[i]
        return [[node[v, s] for v in orders.get(s, ()) if (v, s) in node] for s in self.shifts]
