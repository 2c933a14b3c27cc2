"""Visits whose start depends on other routes: joint visits and precedences, around the solver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.routing.finish import free_bounds
from territory.routing.layout import V_LINKED, V_PARTNER, V_REQUIRED, V_VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.routing.ortools.plan import Plan

__all__ = ["close_links", "place_linked", "settle"]

#: Rounds of pushing starts until they agree; each pushes at least one start to a later one.
_ROUNDS = 200


def close_links(plan: Plan) -> None:
    """Take out linked visits whose partner or forerunner is not made, until none is left."""
    layout = plan.layout
    changed = True
    while changed:
        made = set(plan.made())
        orphans = {v for v in made if layout.visit_i[v, V_PARTNER] >= 0 and layout.visit_i[v, V_PARTNER] not in made}
        orphans |= {int(b) for a, b, _ in layout.before.tolist() if b in made and a not in made}
        before = len(made)
        for v in sorted(orphans):
            plan.remove(v)
        changed = len(plan.made()) < before


def settle(plan: Plan) -> None:
    """Give linked visits starts that keep their rules, and fix them; take out those that cannot have any.

    Starts begin free and are only ever pushed later, so that what is found is the earliest agreement.
    """
    layout = plan.layout
    if not layout.visit_i[:, V_LINKED].any():
        return
    close_links(plan)
    while True:
        plan.bounds[:] = free_bounds(layout)
        broken = _push(plan)
        if broken is None:
            break
        before = len(plan.made())
        plan.bounds[:] = free_bounds(layout)
        for v in broken:
            plan.remove(v)
        close_links(plan)
        if len(plan.made()) == before:
            # only locked visits are left in the broken rule: nothing can be moved
            break
    for v, shifts in plan.made().items():
        if layout.visit_i[v, V_LINKED]:
            s = shifts[0]
            plan.bounds[v] = plan.starts[s][plan.routes[s].index(v)]


def _rules(plan: Plan) -> list[tuple[int, int, int]]:
    """Return (a, b, least time from a's start to b's) for everything that links visits that are made."""
    layout = plan.layout
    made = plan.made()
    rules = []
    for a in range(len(layout.visit_i)):
        b = int(layout.visit_i[a, V_PARTNER])
        if b >= 0 and a in made and b in made:
            rules.append((a, b, 0))
    for a, b, delay in layout.before.tolist():
        if a in made and b in made:
            rules.append((a, b, int(layout.service[a, made[a][0]]) + delay))
    return rules


def _push(plan: Plan) -> list[int] | None:
    """Raise earliest starts until all rules hold; return the visits of a rule that cannot hold, None if all do."""
    layout = plan.layout
    at = {v: shifts[0] for v, shifts in plan.made().items() if layout.visit_i[v, V_LINKED]}
    rules = _rules(plan)
    partners = {(a, b) for a, b, gap in rules if gap == 0 and layout.visit_i[a, V_PARTNER] == b}
    for s in sorted(set(at.values())):
        plan.set_route(s, plan.routes[s])
    for _ in range(_ROUNDS):
        moved = False
        for a, b, gap in rules:
            if (a, b) in partners and at[a] == at[b]:
                return [a, b]
            low = plan.starts[at[a]][plan.routes[at[a]].index(a)] + gap
            if plan.starts[at[b]][plan.routes[at[b]].index(b)] < low:
                moved = True
                plan.bounds[b, 0] = max(plan.bounds[b, 0], low)
                if not plan.set_route(at[b], plan.routes[at[b]]):
                    return [b]
        if not moved:
            return None
    return [rules[0][1]]


def _limits(plan: Plan, v: int) -> tuple[int, int] | None:
    """Return within what the precedences let visit v start, given the visits that are made; None: not at all."""
    layout = plan.layout
    low, high = (int(x) for x in free_bounds(layout)[v])
    made = plan.made()
    for a, b, delay in layout.before.tolist():
        if b == v:
            start = plan.start_of(a)
            if start is None:
                return None
            low = max(low, start + int(layout.service[a, made[a][0]]) + delay)
        elif a == v and b in made:
            start = plan.start_of(b)
            longest = int(layout.service[v].max())
            high = min(high, high if start is None else start - delay - longest)
    return (low, high) if low <= high else None


def place_linked(plan: Plan) -> None:
    """Insert the linked visits that are not made, forerunners first, where they cost less than their value."""
    layout = plan.layout
    linked = np.flatnonzero(layout.visit_i[:, V_LINKED]).tolist()
    waiting = [v for v in linked if plan.start_of(v) is None]
    # who waits for nobody goes first; a round later those who waited for them
    for _ in range(len(layout.before) + 1):
        left = []
        for v in waiting:
            partner = int(layout.visit_i[v, V_PARTNER])
            if plan.start_of(v) is not None:
                continue
            done = _place_single(plan, v) if partner < 0 else _place_pair(plan, v, partner)
            if not done:
                left.append(v)
        if len(left) == len(waiting) or not left:
            break
        waiting = left


def _worth(plan: Plan, v: int) -> float:
    visit = plan.layout.visit_i[v]
    return float("inf") if visit[V_REQUIRED] else float(plan.layout.visit_f[v, V_VALUE])


def _place_single(plan: Plan, v: int) -> bool:
    limits = _limits(plan, v)
    if limits is None:
        return False
    plan.bounds[v] = limits
    delta, position = plan.places_for(v)
    s = int(delta.argmin())
    if delta[s] <= _worth(plan, v) and np.isfinite(delta[s]) and plan.insert(s, int(position[s]), v):
        return True
    plan.bounds[v] = free_bounds(plan.layout)[v]
    return False


def _place_pair(plan: Plan, a: int, b: int) -> bool:
    """Insert a joint pair: of the moments that suit either of them, the one that is cheapest for both."""
    limits = [_limits(plan, v) for v in (a, b)]
    if limits[0] is None or limits[1] is None:
        return False
    both = (max(limits[0][0], limits[1][0]), min(limits[0][1], limits[1][1]))
    if both[0] > both[1]:
        return False
    moments: set[int] = set()
    for v in (a, b):
        plan.bounds[v] = both
        delta, position = plan.places_for(v)
        for s in np.flatnonzero(np.isfinite(delta)).tolist():
            i = int(position[s])
            found = plan.timed(s, [*plan.routes[s][:i], v, *plan.routes[s][i:]])
            if found is not None:
                moments.add(found[1][i])
    best: tuple[float, int, tuple[int, int], tuple[int, int]] | None = None
    for moment in sorted(moments):
        plan.bounds[a] = plan.bounds[b] = moment
        first = plan.places_for(a, each_empty=True)
        second = plan.places_for(b, each_empty=True)
        total, s, t = _two_shifts(first[0], second[0])
        if np.isfinite(total) and (best is None or total < best[0]):
            best = (total, moment, (s, int(first[1][s])), (t, int(second[1][t])))
    plan.bounds[[a, b]] = free_bounds(plan.layout)[[a, b]]
    if best is None or best[0] > _worth(plan, a) + _worth(plan, b):
        return False
    plan.bounds[a] = plan.bounds[b] = best[1]
    if plan.insert(*best[2], a):
        if plan.insert(*best[3], b):
            return True
        plan.remove(a)
    plan.bounds[[a, b]] = free_bounds(plan.layout)[[a, b]]
    return False


def _two_shifts(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[float, int, int]:
    """Return the least sum of two costs in different shifts, and the shifts."""
    if len(first) < 2:
        return float("inf"), 0, 0
    one, two = np.argsort(first, kind="stable")[:2], np.argsort(second, kind="stable")[:2]
    pairs = [(float(first[s] + second[t]), int(s), int(t)) for s in one for t in two if s != t]
    return min(pairs)
