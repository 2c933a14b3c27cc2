"""Which visit of one plan is which of another."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from territory.model.enums import VisitKind

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from territory.model.arrays import IntArray
    from territory.model.plan import Plan

__all__ = ["Seen", "aligned", "pair_visits"]


class Seen(NamedTuple):
    """A visit as far as pairing looks at it; days from 1970, starts in seconds UTC."""

    day: int
    start: int
    rep_id: str
    row: int
    customer_id: str = ""
    visit_id: str = ""
    event: bool = False


def pair_visits(before: Plan, after: Plan, first: np.datetime64, until: np.datetime64) -> tuple[IntArray, IntArray]:
    """Pair the visits of two plans on the days from `first` to the one before `until`.

    Parameters
    ----------
    before, after : Plan
    first, until : datetime64[D]

    Returns
    -------
    row_before, row_after : int64 arrays of shape (m,)
        Rows of ``stops``; -1: the visit is only in the other plan. Every visit of these days stands once.

    Notes
    -----
    In this order, among the visits of one customer: those with the same rep, day and start that are by interval, or
    the same single visit; those that are the same single visit; then as many of the others as there are on both
    sides, in the order of their days, so that the days moved add up to the least (see `aligned`). Events are paired
    with events only.
    """
    left = [_seen(plan, first, until) for plan in (before, after)]
    pairs: list[tuple[int, int]] = []
    for key in (_alike, _single, _pool):
        old, new = (_grouped(side, key) for side in left)
        found = [pair for group in old.keys() & new.keys() for pair in aligned(old[group], new[group])]
        pairs += found
        left = [[v for v in side if v.row not in rows] for side, rows in zip(left, _both(found), strict=True)]
    gone, come = ([v.row for v in side] for side in left)
    rows = np.array([*pairs, *((row, -1) for row in gone), *((-1, row) for row in come)], dtype=np.int64)
    return rows.reshape(-1, 2)[:, 0], rows.reshape(-1, 2)[:, 1]


def aligned(old: Sequence[Seen], new: Sequence[Seen]) -> list[tuple[int, int]]:
    """Pair two lists of visits in the order of days and starts, as many as the shorter one has.

    Of all ways to do so, the days moved add up to the least; then the changes of rep; then the seconds moved.

    Parameters
    ----------
    old, new : sequences of Seen, lengths a and b

    Returns
    -------
    list of (row, row)

    Notes
    -----
    A dynamic programme over both lists, O(a b). That visits keep their order costs no days: crossing pairs are never
    nearer.

    Examples
    --------
    >>> monday, friday = Seen(0, 0, "R", 10), Seen(4, 0, "R", 11)
    >>> aligned([monday, friday], [Seen(3, 0, "R", 20)])
    [(11, 20)]
    """
    if len(old) > len(new):
        return [(row, other) for other, row in aligned(new, old)]
    few, many = sorted(old), sorted(new)
    spare = len(many) - len(few)
    # best[i][j]: the first i of few are paired within the first i + j of many
    best = [[(0, 0, 0)] * (spare + 1)]
    for i, one in enumerate(few):
        line: list[tuple[int, int, int]] = []
        for j in range(spare + 1):
            paired = _sum(best[i][j], _cost(one, many[i + j]))
            line.append(min(line[j - 1], paired) if j else paired)
        best.append(line)
    pairs, j = [], spare
    for i in range(len(few), 0, -1):
        while j and best[i][j] == best[i][j - 1]:
            j -= 1
        pairs.append((few[i - 1].row, many[i - 1 + j].row))
    return pairs[::-1]


def _cost(a: Seen, b: Seen) -> tuple[int, int, int]:
    # what a visit moves in time of day counts on its day only: elsewhere the day says it all
    apart = abs(a.day - b.day)
    return apart, int(a.rep_id != b.rep_id), abs(a.start - b.start) if apart == 0 else 0


def _sum(a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _seen(plan: Plan, first: np.datetime64, until: np.datetime64) -> list[Seen]:
    """Return the visits of a plan on some days."""
    s, visits = plan.stops, plan.visits
    at = np.flatnonzero((s.day >= first) & (s.day < until))
    single = np.full(len(at), -1) if visits is None or s.visit_idx is None else s.visit_idx[at]
    names = np.array([*([] if visits is None else visits.id.tolist()), ""], dtype=object)[single]
    event = np.zeros(len(at), dtype=bool)
    if visits is not None and visits.kind is not None:
        event = np.append(visits.kind == VisitKind.EVENT, [False])[single]
    columns = (
        s.day[at].astype(np.int64),
        s.start[at].astype(np.int64),
        plan.reps.id[s.rep_idx[at]],
        at,
        plan.customers.id[s.customer_idx[at]],
        names,
        event,
    )
    return [Seen(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _grouped(seen: Iterable[Seen], key: Callable[[Seen], Hashable]) -> dict[Hashable, list[Seen]]:
    """Collect visits by key; those without one (None) are left out."""
    groups: dict[Hashable, list[Seen]] = defaultdict(list)
    for visit in seen:
        of = key(visit)
        if of is not None:
            groups[of].append(visit)
    return groups


def _alike(v: Seen) -> Hashable:
    return v.customer_id, v.visit_id, v.event, v.day, v.start, v.rep_id


def _single(v: Seen) -> Hashable:
    return (v.customer_id, v.visit_id, v.event) if v.visit_id else None


def _pool(v: Seen) -> Hashable:
    return v.customer_id, v.event


def _both(pairs: list[tuple[int, int]]) -> tuple[set[int], set[int]]:
    return {row for row, _ in pairs}, {row for _, row in pairs}
