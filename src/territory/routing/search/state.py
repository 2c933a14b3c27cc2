"""What the search holds: routes, their times, and copies to go back to.

Kernels hold its constants: `territory.compiled` counts them among its sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from territory.routing.clock import E_COLUMNS
from territory.routing.layout import (
    ONCE,
    PATTERNS,
    RHYTHM,
    S_BEGIN,
    S_BREAK0,
    S_BREAK1,
    S_CLASS,
    S_CLOSE,
    S_LOCK0,
    S_LOCK1,
    S_MAX_VISITS,
    V_KIND,
    V_LINKED,
    V_PARTNER,
    V_PATTERN0,
    V_PATTERN1,
    V_PLACE,
    Layout,
)
from territory.routing.locks import awaited, locked_starts
from territory.routing.rhythm import best_chain, chain_rates, open_days
from territory.routing.search.ordering import ORDER_STACK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem

__all__ = ["State", "new_state"]

#: Neighbours of a visit that string removal and insertion look at.
NEIGHBOURS: Final = 100

# entries of `State.counts`
C_STEP: Final = 0
C_TOUCHED: Final = 1
C_MOVED: Final = 2
C_DIRTY: Final = 3
C_POOL: Final = 4
C_OUT: Final = 5
C_MISSING: Final = 6
C_TICK: Final = 7
C_TICK_RUIN: Final = 8
C_BEST_STEP: Final = 9
#: Address of the kernel `linked.insert_group`, where visits are linked.
C_INSERT_GROUP: Final = 10
#: Orders of `State.keys` from here on go by value.
K_VALUE: Final = 6
_COUNTS: Final = 16
# entries of `State.value`
F_NOW: Final = 0
F_BEST: Final = 1
#: Extra cost a second at the wheel, for the search's own view; and the seconds that it applies to.
F_EXTRA_RATE: Final = 2
F_DRIVE: Final = 3
#: What a unit of load beyond a shift's capacity costs in the search; 0: it is not allowed.
F_OVER_RATE: Final = 4
_VALUES: Final = 5


class State(NamedTuple):
    """Arrays of the search; V visits, S shifts, at most M visits in a shift, K breaks.

    Attributes
    ----------
    row : int32 array of shape (S, M)
        Visits of each shift in order.
    place : int32 array of shape (S, M + 2)
        Places of the start, the visits, and the end.
    leg : int32 array of shape (S, M + 1)
        Drives between them.
    n : int64 array of shape (S,)
        Visits of each shift.
    free, last : int64 arrays of shape (S, M + 1, K + 1)
        See `territory.routing.timing`.
    span : int64 array of shape (S, M + 1, 6)
        Shortest duration, earliest and latest begin of the route up to each stop, and from each stop on.
    drive, load : int64 arrays of shape (S,)
    cost : float array of shape (S,)
    at : int32 array of shape (V, 1) or (V, days)
        Shift of each visit, by day where there are cadences; -1: none.
    lost : float array of shape (V,)
        What each visit costs apart from routes: its weight where it is not made, its cadence.
    bounds : int64 array of shape (V, 2)
        Start of linked visits.
    weight : float array of shape (V,)
        Value, and more where the visit is required.
    unmade : float array of shape (V,)
        What a visit costs that is not made at all.
    open_day : bool array of shape (V, days)
        With cadences: on which days each visit may be made at all.
    """

    bounds: NDArray[np.int64]
    row: NDArray[np.int32]
    place: NDArray[np.int32]
    leg: NDArray[np.int32]
    n: NDArray[np.int64]
    free: NDArray[np.int64]
    last: NDArray[np.int64]
    span: NDArray[np.int64]
    drive: NDArray[np.int64]
    load: NDArray[np.int64]
    cost: NDArray[np.float64]
    at: NDArray[np.int32]
    lost: NDArray[np.float64]
    weight: NDArray[np.float64]
    unmade: NDArray[np.float64]
    # copies of what the present step has changed
    old_row: NDArray[np.int32]
    old_n: NDArray[np.int64]
    old_cost: NDArray[np.float64]
    old_at: NDArray[np.int32]
    old_lost: NDArray[np.float64]
    old_bounds: NDArray[np.int64]
    shift_step: NDArray[np.int64]
    visit_step: NDArray[np.int64]
    touched: NDArray[np.int32]
    moved: NDArray[np.int32]
    # the best so far, brought up to date by shift
    best_row: NDArray[np.int32]
    best_n: NDArray[np.int64]
    best_bounds: NDArray[np.int64]
    dirty: NDArray[np.int32]
    is_dirty: NDArray[np.int64]
    # what never changes
    near: NDArray[np.int32]
    keys: NDArray[np.float64]
    drive_to: NDArray[np.int32]
    day_at: NDArray[np.int32]
    day_shift: NDArray[np.int32]
    # scratch
    out: NDArray[np.int32]
    order_key: NDArray[np.float64]
    cut: NDArray[np.int32]
    mark: NDArray[np.int64]
    shift_mark: NDArray[np.int64]
    shift_try: NDArray[np.int64]
    cuts: NDArray[np.int64]
    class_mark: NDArray[np.int64]
    class_at: NDArray[np.int32]
    class_shift: NDArray[np.int32]
    group: NDArray[np.int32]
    group_at: NDArray[np.int32]
    group_visit: NDArray[np.int32]
    day_cost: NDArray[np.float64]
    day_best: NDArray[np.int32]
    reach: NDArray[np.float64]
    before: NDArray[np.int64]
    chain: NDArray[np.int64]
    times: NDArray[np.int64]
    try_row: NDArray[np.int32]
    try_free: NDArray[np.int64]
    try_last: NDArray[np.int64]
    try_starts: NDArray[np.int64]
    try_rests: NDArray[np.int64]
    try_out: NDArray[np.float64]
    pool: NDArray[np.int32]
    pool_cost: NDArray[np.float64]
    counts: NDArray[np.int64]
    value: NDArray[np.float64]
    rng: NDArray[np.uint64]
    order: NDArray[np.int64]
    open_day: NDArray[np.bool_]


def most_visits(layout: Layout) -> int:
    """Return how many visits a shift can hold at most: short services and short drives, one after the other."""
    n_visits, n_shifts = layout.service.shape
    if n_visits == 0 or n_shifts == 0:
        return 1
    hours = int((layout.shift_i[:, S_CLOSE] - layout.shift_i[:, S_BEGIN]).max())
    limit = min(n_visits, int(layout.shift_i[:, S_MAX_VISITS].max()))
    place = layout.visit_i[:, V_PLACE]
    shortest = layout.drive.min(axis=0)[np.ix_(place, place)].astype(np.int64)
    np.fill_diagonal(shortest, 1 << 30)
    # each visit but the first is driven to from another one
    each = np.sort(layout.service.min(axis=1).astype(np.int64) + (shortest.min(axis=0) if n_visits > 1 else 0))
    first = int(layout.service.min())
    fits = 1 + int(np.searchsorted(np.cumsum(each), hours - first, side="right"))
    locks = int((layout.shift_i[:, S_LOCK1] - layout.shift_i[:, S_LOCK0]).max())
    return int(max(1, locks, min(limit, fits)))


def nearest(layout: Layout) -> NDArray[np.int32]:
    """Return each visit's neighbours, itself first, by driving time and the wait that windows cause."""
    place = layout.visit_i[:, V_PLACE]
    n = len(place)
    width = min(n, NEIGHBOURS + 1)
    drive = layout.drive[0].astype(np.float64)
    found = np.empty((n, width), np.int32)
    for v in range(n):
        way = np.minimum(drive[place[v], place] + drive[place, place[v]], 1e12)
        way[v] = -1.0
        some = np.argpartition(way, width - 1)[:width] if width < n else np.arange(n)
        found[v] = some[np.lexsort((some, way[some]))]
    return found


def order_keys(problem: RoutingProblem, layout: Layout) -> NDArray[np.float64]:
    """Return keys by which visits are put back, shape (keys, V): small ones first."""
    v = problem.visits
    n = len(v)
    place = layout.visit_i[:, V_PLACE]
    home = layout.shift_i[0, 0] if len(layout.shift_i) else 0
    away = np.minimum(layout.drive[0][home, place].astype(np.float64), 1e9)
    counts = np.diff(layout.window_at).reshape(n, -1)
    width = np.zeros(n)
    opens = np.full(n, np.inf)
    closes = np.full(n, -np.inf)
    if len(layout.window):
        owner = np.repeat(np.arange(n), counts.sum(axis=1))
        np.add.at(width, owner, (layout.window[:, 1] - layout.window[:, 0] + 1).astype(np.float64))
        np.minimum.at(opens, owner, layout.window[:, 0].astype(np.float64))
        np.maximum.at(closes, owner, layout.window[:, 1].astype(np.float64))
    opens[~np.isfinite(opens)] = closes[~np.isfinite(closes)] = 0.0
    service = layout.service.max(axis=1, initial=0).astype(np.float64)
    worth = v.value / (1.0 + service + service.mean() if n else 1.0)
    return np.stack([-v.load.astype(np.float64), -away, away, width, opens, -closes, -v.value, -worth])


def unmade_costs(layout: Layout, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each visit costs that is not made at all: of a rhythm, every time."""
    cost = weight.copy()
    days = layout.days
    for v in np.flatnonzero(layout.visit_i[:, V_KIND] == RHYTHM).tolist():
        chain = np.empty(2 * days, np.int64)
        cost[v] = best_chain(
            layout.visit_i[v], *chain_rates(layout, v), days, np.full(days, np.inf), weight[v], np.empty(2 * days),
            np.empty(2 * days, np.int64), chain,
        )[1]  # fmt: skip
    return cost


def days_of(layout: Layout) -> NDArray[np.bool_]:
    """Return on which days visits with a cadence may be made: those of their sets, or of some chain."""
    found = np.zeros((len(layout.visit_i), layout.days), np.bool_)
    kinds = layout.visit_i[:, V_KIND]
    for v in np.flatnonzero(kinds == PATTERNS).tolist():
        found[v] = layout.pattern[layout.visit_i[v, V_PATTERN0] : layout.visit_i[v, V_PATTERN1]].any(axis=0)
    for v in np.flatnonzero(kinds == RHYTHM).tolist():
        found[v] = open_days(layout, v)
    return found


def linked_groups(layout: Layout) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return the group of each visit (-1: none), and the visits of each group in an order that precedences allow."""
    n = len(layout.visit_i)
    group = np.full(n, -1, np.int32)
    if not layout.visit_i[:, V_LINKED].any():
        return group, np.zeros(1, np.int32), np.zeros(0, np.int32)
    import networkx as nx  # noqa: PLC0415 - only where visits are linked

    links = nx.DiGraph()
    links.add_nodes_from(np.flatnonzero(layout.visit_i[:, V_LINKED]).tolist())
    links.add_edges_from(layout.before[:, :2].tolist())
    both = links.to_undirected()
    both.add_edges_from((v, int(p)) for v, p in enumerate(layout.visit_i[:, V_PARTNER].tolist()) if p >= 0)
    rank = {v: i for i, v in enumerate(nx.lexicographical_topological_sort(links))}
    groups = [sorted(c, key=rank.__getitem__) for c in nx.connected_components(both)]
    for g, members in enumerate(groups):
        group[members] = g
    at = np.cumsum([0, *(len(g) for g in groups)]).astype(np.int32)
    return group, at, np.array([v for g in groups for v in g], dtype=np.int32)


def new_state(problem: RoutingProblem, layout: Layout, seed: int, *, pool: int) -> State:
    """Return an empty state.

    Parameters
    ----------
    problem, layout : RoutingProblem, Layout
    seed : int
    pool : int
        Routes to remember.
    """
    visits, shifts = layout.service.shape
    most = most_visits(layout)
    breaks = int((layout.shift_i[:, S_BREAK1] - layout.shift_i[:, S_BREAK0]).max(initial=0))
    days = layout.days if bool((layout.visit_i[:, V_KIND] != ONCE).any()) else 1
    shift_day = layout.shift_i[:, 5]
    day_order = np.argsort(shift_day, kind="stable").astype(np.int32)
    day_at = np.searchsorted(shift_day[day_order], np.arange(layout.days + 1)).astype(np.int32)
    dearest = float(np.where(layout.drive < 1 << 30, layout.drive, 0).max(initial=1))
    dearest *= float(layout.shift_f[:, 1:3].sum(axis=1).max(initial=0.0))
    if layout.metres.size:
        dearest += float(layout.metres.max()) * float(layout.shift_f[:, 3].max(initial=0.0))
    dearest += float(problem.visits.weekday_cost.max(initial=0.0))
    dearest += float(layout.shift_f[:, 0].max(initial=0.0)) + float(problem.visits.value.max(initial=0.0)) + 1.0
    weight = problem.visits.value + np.where(problem.visits.required | awaited(layout), 3.0 * dearest, 0.0)

    def i32(*shape: int) -> Any:
        return np.zeros(shape, np.int32)

    def i64(*shape: int) -> Any:
        return np.zeros(shape, np.int64)

    def f64(*shape: int) -> Any:
        return np.zeros(shape, np.float64)

    bounds = locked_starts(layout)
    none = np.full((visits, days), -1, np.int32)
    classes = layout.shift_i[:, S_CLASS]
    class_shift = np.argsort(classes, kind="stable").astype(np.int32)
    firsts = np.flatnonzero(np.append(True, np.diff(classes[class_shift]) != 0)) if shifts else np.zeros(1, np.int64)
    class_at = np.append(firsts, shifts).astype(np.int32)
    group, group_at, group_visit = linked_groups(layout)
    counts = i64(_COUNTS)
    if len(group_visit):
        from territory.routing.search.linked import insert_group  # noqa: PLC0415 - compiled where visits are linked

        counts[C_INSERT_GROUP] = insert_group.address
    mixed = np.random.SeedSequence(seed).generate_state(1, np.uint64).astype(np.uint64)
    return State(
        row=i32(shifts, most), place=i32(shifts, most + 2), leg=i32(shifts, most + 1), n=i64(shifts),
        free=i64(shifts, most + 1, breaks + 1), last=i64(shifts, most + 1, breaks + 1), span=i64(shifts, most + 1, 6),
        drive=i64(shifts), load=i64(shifts), cost=f64(shifts), at=none, lost=f64(visits), bounds=bounds,
        weight=weight, old_row=i32(shifts, most), old_n=i64(shifts), old_cost=f64(shifts), old_at=none.copy(),
        old_lost=f64(visits), old_bounds=bounds.copy(), unmade=unmade_costs(layout, weight),
        shift_step=i64(shifts) - 1, visit_step=i64(visits) - 1, touched=i32(shifts), moved=i32(visits),
        best_row=i32(shifts, most), best_n=i64(shifts), best_bounds=bounds.copy(), dirty=i32(shifts),
        is_dirty=i64(shifts), near=nearest(layout), keys=order_keys(problem, layout),
        drive_to=np.ascontiguousarray(layout.drive.transpose(0, 2, 1)), day_at=day_at, day_shift=day_order,
        out=i32(2 * visits + 2), order_key=f64(2 * visits + 2), cut=i32(most), mark=i64(visits) - 1,
        shift_mark=i64(shifts) - 1, shift_try=i64(shifts) - 1, cuts=i64(shifts), class_mark=i64(shifts) - 1,
        class_at=class_at, class_shift=class_shift, group=group, group_at=group_at, group_visit=group_visit,
        day_cost=f64(max(layout.days, 1)), day_best=i32(max(layout.days, 1), 2), reach=f64(2 * layout.days),
        before=i64(2 * layout.days), chain=i64(2 * layout.days), times=i64(breaks + 2), try_row=i32(most + 1),
        try_free=i64(most + 2, breaks + 1), try_last=i64(most + 2, breaks + 1), try_starts=i64(most + 8),
        try_rests=i64(breaks + 1), try_out=f64(E_COLUMNS), pool=i32(pool, most + 2), pool_cost=f64(pool),
        counts=counts, value=f64(_VALUES), rng=mixed, order=i64(2 * visits + 2 + ORDER_STACK),
        open_day=days_of(layout),
    )  # fmt: skip
