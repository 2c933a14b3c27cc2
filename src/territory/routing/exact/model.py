"""One shift as the label-setting kernels read it, and its mirror image.

What depends on more than the order and the earliest times is relaxed, so that the least cost here is a
bound on the real one: where time away costs, driving and service are charged but waiting is not; a limit on
time away is one on driving and service; with times of day each drive takes the time of its fastest bucket.
`ShiftModel.exact` tells whether nothing is relaxed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from territory.routing.exact.completions import FAR
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
    V_PLACE,
    Layout,
)
from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ShiftModel", "Side", "mirrored", "shift_model"]

#: In how many steps costs that grow with time are rounded down where time runs backwards.
STEPS: Final = 6


class Side(NamedTuple):
    """One direction of a day of n visits: nodes 0 .. n - 1, its beginning n, its end n + 1.

    Attributes
    ----------
    arc_i : int64 array of shape (n + 2, n + 2)
        Driving time, seconds; `FAR`: none.
    arc_f : float64 array of shape (n + 2, n + 2)
        Cost of the drive.
    node_i : int64 array of shape (n, 4)
        Service, first piece of its windows, the one after its last, last start.
    node_f : float64 array of shape (n,)
        Cost of a visit minus its value.
    piece_i : int64 array of shape (pieces, 3)
        Start from, start until, 1 where a later piece may be cheaper.
    piece_f : float64 array of shape (pieces, 3)
        Cost, cost a second, from when.
    rest : int64 array of shape (breaks, 3)
        Length, earliest begin, latest end.
    source_i, source_f : int64, float64 arrays of shapes (sources, 2 + resources), (sources,)
        Breaks behind, time, consumption so far; cost.
    sink_i, sink_f : int64, float64 arrays of shapes (sinks, 2 + resources), (sinks, 3)
        Breaks needed, latest arrival, consumption to come; cost, cost a second, from when.
    used_arc, used_node, used_limit : int64 arrays of shapes (resources, n + 2, n + 2), (resources, n), (resources,)
    """

    arc_i: NDArray[np.int64]
    arc_f: NDArray[np.float64]
    node_i: NDArray[np.int64]
    node_f: NDArray[np.float64]
    piece_i: NDArray[np.int64]
    piece_f: NDArray[np.float64]
    rest: NDArray[np.int64]
    source_i: NDArray[np.int64]
    source_f: NDArray[np.float64]
    sink_i: NDArray[np.int64]
    sink_f: NDArray[np.float64]
    used_arc: NDArray[np.int64]
    used_node: NDArray[np.int64]
    used_limit: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ShiftModel:
    """A shift with the visits that may follow its locked ones.

    Attributes
    ----------
    shift : int
    visits : int64 array of shape (n,)
        Number of each node's visit.
    locks : int64 array
        Visits with which the route begins.
    day, mirror : Side
        Forwards, backwards.
    horizon : int
        Times of both lie in 0 .. horizon; t forwards is horizon - t backwards.
    exact : bool
        Whether the least cost is the real one.
    timed : bool
        Whether costs grow with time: only forwards are they exact.
    step : float
        By how much two different costs differ at least; 0: not known.
    penalty : float64 array of shape (n,)
        What `node_f` has too much, see `penalised`.
    """

    shift: int
    visits: NDArray[np.int64]
    locks: NDArray[np.int64]
    day: Side
    mirror: Side
    horizon: int
    exact: bool
    timed: bool
    step: float
    penalty: NDArray[np.float64]

    def penalised(self, penalty: NDArray[np.float64]) -> ShiftModel:
        """Return the model with a penalty on each visit, and all of them taken off every route.

        A route that makes each visit once at most costs no more than before; one that repeats visits may.
        """
        more = penalty - self.penalty
        total = float(more.sum())
        node_f = self.day.node_f + more
        sink_f = self.mirror.sink_f.copy()
        sink_f[:, 0] -= total
        day = self.day._replace(node_f=node_f, source_f=self.day.source_f - total)
        return replace(self, day=day, mirror=self.mirror._replace(node_f=node_f, sink_f=sink_f), penalty=penalty.copy())


def shift_model(
    layout: Layout, s: int, values: NDArray[np.float64], candidates: NDArray[np.int64] | None = None
) -> ShiftModel | None:
    """Return one shift as a model, or None where the locked visits leave no time to come home.

    Parameters
    ----------
    layout : Layout
    s : int
    values : float64 array of shape (V,)
        What a visit is worth; a route costs its cost minus these.
    candidates : int64 array, optional
        The visits that may be made, beside the locked ones; default: all.
    """
    shift, rates = layout.shift_i[s], layout.shift_f[s]
    n_shifts = len(layout.shift_i)
    keys = np.arange(len(layout.visit_i)) * n_shifts + s
    may = layout.window_at[keys + 1] > layout.window_at[keys]
    locks = layout.locked[shift[S_LOCK0] : shift[S_LOCK1]]
    if candidates is not None:
        chosen = np.zeros(len(may), np.bool_)
        chosen[candidates] = True
        may &= chosen
    may[locks] = False
    visits = np.flatnonzero(may)
    n = len(visits)
    nodes = np.concatenate([visits, locks])
    places = layout.visit_i[nodes, V_PLACE]
    # rows: visits, the place where the free part begins, the end place, locked visits, the start place
    begin = shift[S_START] if len(locks) == 0 else places[-1]
    ends = np.array([begin, shift[S_END]], np.int64)
    rows = np.concatenate([places[:n], ends, places[n:], shift[[S_START]]])
    buckets = len(layout.bucket)
    base = int(shift[S_PROFILE]) * buckets
    drive = layout.drive[base][np.ix_(rows, rows)].astype(np.int64)
    for b in range(1, buckets):
        drive = np.minimum(drive, layout.drive[base + b][np.ix_(rows, rows)])
    away = float(rates[S_COST_PER_S])
    money = (float(rates[S_COST_PER_DRIVE_S]) + away) * drive
    if layout.metres.shape[0]:
        money += float(rates[S_COST_PER_M]) * layout.metres[int(shift[S_PROFILE])][np.ix_(rows, rows)]
    drive[drive >= UNREACHABLE] = FAR
    service = layout.service[nodes, s].astype(np.int64)
    worth = away * service - values[nodes]
    if layout.extra.size:
        worth += layout.extra[nodes, s]
    used_arc, used_node, used_limit = _resources(layout, s, nodes, drive, service)
    late = layout.visit_f[nodes, V_LATE_COST]
    windows = [layout.window[layout.window_at[k] : layout.window_at[k + 1]].astype(np.int64) for k in keys[nodes]]
    rest = layout.rest[shift[S_BREAK0] : shift[S_BREAK1]]
    sources = _sources(layout, s, drive, money, service, worth, late, windows, nodes, n)
    if not sources:
        return None
    limit, t0 = np.array(_limits(rest.tolist(), int(shift[S_CLOSE]))), min(t for _, t, _ in sources)
    horizon = int(limit.max()) - t0
    if horizon < 0:
        return None
    sources = [x for x in sources if x[1] - t0 <= horizon]
    order = np.append(len(rows) - 1, np.arange(n + 2, len(rows) - 1))
    gone = used_arc[:, order[:-1], order[1:]].sum(axis=1) + used_node[:, n:].sum(axis=1)
    source_i = np.array([[k, t - t0, *gone] for k, t, _ in sources], dtype=np.int64)
    over = float(rates[S_OVERTIME_COST])
    regular = int(shift[S_REGULAR]) - t0
    sink_i = np.zeros((len(limit), 2 + len(used_limit)), np.int64)
    sink_i[:, :2] = np.column_stack([np.arange(len(limit)), limit - t0])
    due = layout.visit_i[nodes, V_DUE] - t0
    open_from = [w[w[:, 1] >= t0] for w in windows[:n]]
    piece_at = np.zeros(n + 1, np.int64)
    np.cumsum([len(w) for w in open_from], out=piece_at[1:])
    pieces = np.maximum(np.concatenate([*open_from, np.zeros((0, 2), np.int64)]) - t0, 0)
    last = np.array([w[-1, 1] - t0 if len(w) else -1 for w in open_from], np.int64)
    owner = np.repeat(np.arange(n), np.diff(piece_at))
    arc = slice(0, n + 2)
    day = Side(
        np.ascontiguousarray(drive[arc, arc]),
        np.ascontiguousarray(money[arc, arc]),
        np.stack([service[:n], piece_at[:-1], piece_at[1:], last], axis=1),
        worth[:n],
        np.column_stack([pieces, np.zeros(len(pieces), np.int64)]),
        np.column_stack([np.zeros(len(pieces)), late[owner], np.where(late[owner] > 0, due[owner], 0) * 1.0]),
        rest - np.array([0, t0, t0]),
        source_i, np.array([c for _, _, c in sources]),
        sink_i, np.tile(np.array([0.0, over, regular]), (len(limit), 1)),
        np.ascontiguousarray(used_arc[:, arc, arc]), np.ascontiguousarray(used_node[:, :n]), used_limit,
    )  # fmt: skip
    timed = bool((late[:n] > 0).any()) or (over > 0 and limit.max() > shift[S_REGULAR])
    limited = int(shift[S_MAX_DURATION]) < int(shift[S_CLOSE] - shift[S_BEGIN])
    return ShiftModel(
        s, visits, locks, day, mirrored(day, horizon), horizon, away == 0 and not limited and buckets == 1, timed,
        _step(day), np.zeros(n),
    )  # fmt: skip


def _resources(
    layout: Layout, s: int, nodes: NDArray[np.int64], drive: NDArray[np.int64], service: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return what binds beside time: consumption by drive and by visit, and the limit."""
    shift = layout.shift_i[s]
    span = int(shift[S_CLOSE] - shift[S_BEGIN])
    load = layout.visit_i[nodes, V_LOAD]
    none, kinds = np.zeros_like(drive), []
    if shift[S_MAX_VISITS] < len(nodes):
        kinds.append((none, np.ones(len(nodes), np.int64), int(shift[S_MAX_VISITS])))
    if shift[S_CAPACITY] < load.sum():
        kinds.append((none, load, int(shift[S_CAPACITY])))
    if shift[S_MAX_DRIVE] < span:
        kinds.append((drive, np.zeros(len(nodes), np.int64), int(shift[S_MAX_DRIVE])))
    if shift[S_MAX_DURATION] < span:
        kinds.append((drive, service, int(shift[S_MAX_DURATION])))
    if not kinds:
        return np.zeros((0, *drive.shape), np.int64), np.zeros((0, len(nodes)), np.int64), np.zeros(0, np.int64)
    arcs, visits, limits = zip(*kinds, strict=True)
    return np.stack(arcs), np.stack(visits), np.array(limits, np.int64)


def _sources(
    layout: Layout, s: int, drive: NDArray[np.int64], money: NDArray[np.float64], service: NDArray[np.int64],
    worth: NDArray[np.float64], late: NDArray[np.float64], windows: list[NDArray[np.int64]], nodes: NDArray[np.int64],
    n: int,
) -> list[tuple[int, int, float]]:  # fmt: skip
    """Return in which states the free part of the route may begin: breaks behind, time, cost."""
    shift = layout.shift_i[s]
    rest = layout.rest[shift[S_BREAK0] : shift[S_BREAK1]].tolist()
    # breaks at the start place, or not needed since the rep leaves later
    times = [int(shift[S_BEGIN])]
    for length, earliest, latest in rest:
        done = max(times[-1], earliest) + length
        times.append(done if done <= latest else max(times[-1], latest))
    from_when = int(shift[S_FREE_FROM]) if len(nodes) == n else int(shift[S_BEGIN])
    states = [(k, max(t, from_when), float(layout.shift_f[s, S_COST])) for k, t in enumerate(times)]

    def rested(states: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
        found = []
        for k, t, cost in states:
            found.append((k, t, cost))
            done = t
            for q in range(k, len(rest)):
                length, earliest, latest = rest[q]
                done = max(done, earliest) + length
                if done > latest:
                    break
                found.append((q + 1, done, cost))
        return found

    at = len(drive) - 1
    due = layout.visit_i[nodes, V_DUE].tolist()
    for i in range(n, len(nodes)):
        row = i + 2
        ready = rested([(k, t + int(drive[at, row]), c + float(money[at, row])) for k, t, c in states])
        states = []
        for k, t, cost in ready:
            open_until = [w for w in windows[i].tolist() if t <= w[1]]
            if open_until and t < FAR:
                start = max(t, open_until[0][0])
                spent = cost + float(worth[i]) + float(late[i]) * max(0, start - due[i])
                states.append((k, start + int(service[i]), spent))
        states = _undominated(rested(states))
        at = row
    if len(nodes) > n:
        states = [(k, max(t, int(shift[S_FREE_FROM])), c) for k, t, c in states]
    return _undominated(states)


def _limits(rest: list[list[int]], close: int) -> list[int]:
    """Return the latest arrival at the end place with k breaks behind: others are not needed, or taken there."""
    limits = [close]
    for length, earliest, latest in reversed(rest):
        done = min(limits[-1], latest) - length
        limits.append(max(min(earliest, close), done) if done >= earliest else min(earliest, close))
    return limits[::-1]


def _undominated(states: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    kept: list[tuple[int, int, float]] = []
    for k, t, c in sorted(states, key=lambda x: (-x[0], x[1], x[2])):
        if not any(k2 >= k and t2 <= t and c2 <= c for k2, t2, c2 in kept):
            kept.append((k, t, c))
    return kept


def _step(day: Side) -> float:
    """Return 1 where all costs are whole numbers, else 0."""
    parts = (day.arc_f[day.arc_i < FAR], day.node_f, day.piece_f[:, 1], day.source_f, day.sink_f[:, 1])
    return 1.0 if all(bool((p == np.rint(p)).all()) for p in parts) else 0.0


def mirrored(day: Side, horizon: int) -> Side:
    """Return the day with time running backwards; costs that grow with time are rounded down in steps."""
    n = len(day.node_f)
    turn = np.append(np.arange(n), [n + 1, n])
    breaks = len(day.rest)
    rest = day.rest[::-1].copy()
    rest[:, 1], rest[:, 2] = horizon - day.rest[::-1, 2], horizon - day.rest[::-1, 1]
    if (day.piece_f[:, 1] > 0).any():
        piece_at, piece_i, piece_f = _late_pieces(day, horizon)
    else:
        at = day.node_i[:, 1:3]
        counts = at[:, 1] - at[:, 0]
        piece_at = np.append(0, np.cumsum(counts))
        # the windows of a visit in reverse
        rows = np.repeat(at[:, 0] + at[:, 1] - 1, counts) - np.arange(len(day.piece_i))
        long = np.repeat(day.node_i[:, 0], counts)
        piece_i = np.zeros((len(rows), 3), np.int64)
        piece_i[:, 0], piece_i[:, 1] = horizon - day.piece_i[rows, 1] - long, horizon - day.piece_i[rows, 0] - long
        piece_f = np.zeros((len(rows), 3))
    node_i = day.node_i.copy()
    node_i[:, 1], node_i[:, 2] = piece_at[:-1], piece_at[1:]
    some = piece_at[1:] > piece_at[:-1]
    node_i[some, 3] = piece_i[piece_at[1:][some] - 1, 1]
    sources = []
    for (k, limit, *used), (cost, rate, since) in zip(day.sink_i.tolist(), day.sink_f.tolist(), strict=True):
        edges = _edges(since, limit) if rate > 0 else [limit]
        for e, edge in enumerate(edges):
            spent = cost if e == 0 else cost + rate * max(0.0, edges[e - 1] - since)
            if edge >= 0:
                sources.append(((breaks - k, horizon - edge, *used), spent))
    sinks = [(breaks - k, horizon - t, *used) for k, t, *used in day.source_i.tolist()]
    sink_f = np.zeros((len(sinks), 3))
    sink_f[:, 0] = day.source_f
    return Side(
        np.ascontiguousarray(day.arc_i.T[np.ix_(turn, turn)]), np.ascontiguousarray(day.arc_f.T[np.ix_(turn, turn)]),
        node_i, day.node_f, piece_i, piece_f, rest,
        np.array([x for x, _ in sources], np.int64).reshape(len(sources), day.sink_i.shape[1]),
        np.array([c for _, c in sources], np.float64), np.array(sinks, np.int64), sink_f,
        np.ascontiguousarray(day.used_arc.transpose(0, 2, 1)[:, turn][:, :, turn]), day.used_node, day.used_limit,
    )  # fmt: skip


def _edges(since: float, until: int) -> list[int]:
    """Return ends of the steps of a cost that grows from `since` on; the first costs nothing."""
    first = min(int(since), until)
    return [first] + [first + (until - first) * q // STEPS for q in range(1, STEPS + 1) if until > first]


def _late_pieces(day: Side, horizon: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the mirrored windows, cut where lateness costs more."""
    piece_at, piece_i, piece_f = [0], [], []
    for service, first, after, _ in day.node_i.tolist():
        found = []
        for p in range(first, after):
            low, high = day.piece_i[p, :2].tolist()
            _, rate, due = day.piece_f[p].tolist()
            since = low
            for e, edge in enumerate(_edges(due, high) if rate > 0 else [high]):
                if edge >= since and not (e == 0 and edge < low):
                    cost = rate * max(0.0, since - due) if e else 0.0
                    found.append((horizon - edge - service, horizon - since - service, cost))
                    since = edge + 1
        found.sort()
        for a, (low, high, cost) in enumerate(found):
            piece_i.append((low, high, int(any(c < cost for _, _, c in found[a + 1 :]))))
            piece_f.append((cost, 0.0, 0.0))
        piece_at.append(len(piece_i))
    return np.array(piece_at), np.array(piece_i, np.int64).reshape(-1, 3), np.array(piece_f).reshape(-1, 3)
