"""The best answer that a pool of routes holds: set partitioning with cadences and links, by CP-SAT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from territory.routing.finish import finish, free_bounds
from territory.routing.layout import (
    ONCE,
    PATTERNS,
    S_CLASS,
    S_DAY,
    S_LOCK0,
    S_LOCK1,
    V_FIRST_DUE,
    V_FIRST_HIGH,
    V_FIRST_LOW,
    V_GAP,
    V_GAP_HIGH,
    V_GAP_LOW,
    V_KIND,
    V_LAST_WEEKDAY,
    V_LINKED,
    V_LOCKED,
    V_PARTNER,
    V_PATTERN0,
    V_PATTERN1,
    V_REQUIRED,
    V_VALUE,
    Layout,
)
from territory.routing.ortools.pool import PoolRoute, clean
from territory.routing.ortools.sat import Model
from territory.routing.rhythm import WEEK, chain_rates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem

__all__ = ["PoolRoute", "Recombination", "recombine"]

#: The dearest answer possible, in the solver's units: finer is of no use, and all sums stay far from overflow.
_UNITS: Final = 1e9


class Recombination(NamedTuple):
    """An answer from a pool.

    Attributes
    ----------
    orders : dict of shift to its visits in order
    bounds : int64 array of shape (V, 2)
        For `territory.routing.finish.finish`: linked visits keep the starts of their routes.
    cost : float
        Of all routes, of cadences, and of what is not made.
    missing : int
        Required visits that are not made.
    proven : bool
        Whether the (cleaned) pool holds no better answer.
    """

    orders: dict[int, list[int]]
    bounds: NDArray[np.int64]
    cost: float
    missing: int
    proven: bool


def recombine(
    problem: RoutingProblem,
    layout: Layout,
    pool: Iterable[PoolRoute],
    *,
    incumbent: Sequence[PoolRoute] | None = None,
    time_limit_s: float | None = None,
    work_limit: float | None = None,
    rng: int = 0,
    n_jobs: int = 1,
    most_routes: int = 20_000,
) -> Recombination | None:
    """Choose routes from a pool that together cost least.

    Parameters
    ----------
    problem : RoutingProblem
    layout : Layout
    pool : iterable of PoolRoute
        Each of them fits its shift.
    incumbent : sequence of PoolRoute, optional
        The best answer known, which is where the search begins.
    time_limit_s : float, optional
    work_limit : float, optional
        In CP-SAT's deterministic seconds, about those of a fast machine: with it, and without a time
        limit that comes first, the answer is the same on any machine.
    rng : int
        Seed.
    n_jobs : int
        Threads of the solver; only with 1 an answer can be repeated.
    most_routes : int
        Size to which the pool is cut down, see `territory.routing.ortools.pool.clean`.

    Returns
    -------
    Recombination or None
        None: no route is worth its cost, or nothing better than the incumbent was found.
    """
    routes = clean(layout, pool, incumbent or (), most_routes)
    if not routes:
        return None
    model = _Partition(problem, layout, routes, None if incumbent is None else len(incumbent))
    found = model.solve(time_limit_s, work_limit, rng, n_jobs)
    if found is None or incumbent is None:
        return found
    orders, bounds = _fixed(layout, {r.shift: r for r in incumbent})
    known = finish(problem, layout, orders, bounds=bounds)
    if known is None:
        return found
    # sums of the same costs in another order
    less = found.cost < known.objective - 1e-9 * max(1.0, abs(known.objective))
    return found if (found.missing, not less) < (known.required_missing, True) else None


def _fixed(layout: Layout, routes: Mapping[int, PoolRoute]) -> tuple[dict[int, list[int]], NDArray[np.int64]]:
    """Return orders by shift, and bounds that keep linked visits where their routes have them."""
    bounds = free_bounds(layout)
    for route in routes.values():
        for v, start in zip(route.visits, route.starts, strict=False):
            if layout.visit_i[v, V_LINKED]:
                bounds[v] = start
    return {s: list(route.visits) for s, route in routes.items()}, bounds


class _Partition:
    """The model: a variable a route, a row a shift class and a visit."""

    def __init__(self, problem: RoutingProblem, layout: Layout, routes: list[PoolRoute], known: int | None) -> None:
        self.layout, self.routes, self.known = layout, routes, known
        self.model = Model()
        self.x = [self.model.variable() for _ in routes]
        self.classes: dict[int, list[int]] = {}
        for s, c in enumerate(layout.shift_i[:, S_CLASS].tolist()):
            self.classes.setdefault(c, []).append(s)
        self.n_days = problem.n_days
        self.terms = list(self.x)
        self.costs: list[float] = [r.cost for r in routes]
        #: literals that say that one required visit is missing
        self.missing: list[int] = []
        self.never_missing = 0
        #: costs of what no choice changes, and the visits that no route makes
        self.fixed = 0.0
        day = layout.shift_i[:, S_DAY].tolist()
        self.with_visit: list[list[int]] = [[] for _ in range(problem.n_visits)]
        for i, route in enumerate(routes):
            for v in route.visits:
                self.with_visit[v].append(i)
        self.day = [day[r.shift] for r in routes]
        self._shifts()
        kind = layout.visit_i[:, V_KIND].tolist()
        for v in range(problem.n_visits):
            if kind[v] == ONCE:
                self._once(v)
            elif kind[v] == PATTERNS:
                self._patterns(v)
            else:
                self._rhythm(v)
        self._joint()
        self._precedences()

    def _shifts(self) -> None:
        by_class: dict[int, list[int]] = {}
        for i, route in enumerate(self.routes):
            by_class.setdefault(int(self.layout.shift_i[route.shift, S_CLASS]), []).append(i)
        for c, members in by_class.items():
            literals = [self.x[i] for i in members]
            row = self.layout.shift_i[c]
            if len(self.classes[c]) > 1:
                self.model.at_most(literals, len(self.classes[c]))
            elif row[S_LOCK1] > row[S_LOCK0]:
                self.model.exactly_one(literals)
            else:
                self.model.at_most_one(literals)

    def _must(self, v: int) -> bool:
        """Return whether a visit counts as missing where it is not made: required or locked."""
        return bool(self.layout.visit_i[v, V_REQUIRED]) or int(self.layout.visit_i[v, V_LOCKED]) >= 0

    def _unserved(self, v: int) -> int:
        """Return a literal that says that a visit is not made, and costs its value."""
        literal = self.model.variable()
        self.terms.append(literal)
        self.costs.append(float(self.layout.visit_f[v, V_VALUE]))
        if self._must(v):
            self.missing.append(literal)
        return literal

    def _never(self, v: int) -> None:
        self.fixed += float(self.layout.visit_f[v, V_VALUE])
        self.never_missing += int(self._must(v))

    def _once(self, v: int) -> None:
        if not self.with_visit[v]:
            self._never(v)
            return
        self.model.exactly_one([*(self.x[i] for i in self.with_visit[v]), self._unserved(v)])

    def _on_days(self, v: int) -> dict[int, list[int]]:
        """Return the routes with a visit by day."""
        found: dict[int, list[int]] = {}
        for i in self.with_visit[v]:
            found.setdefault(self.day[i], []).append(self.x[i])
        return found

    def _patterns(self, v: int) -> None:
        on_days = self._on_days(v)
        chosen: dict[frozenset[int], float] = {}
        for p in range(int(self.layout.visit_i[v, V_PATTERN0]), int(self.layout.visit_i[v, V_PATTERN1])):
            days = frozenset(np.flatnonzero(self.layout.pattern[p]).tolist())
            cost = float(self.layout.pattern_cost[p])
            if days and days <= on_days.keys():
                chosen[days] = min(cost, chosen.get(days, cost))
        literals = []
        for cost in chosen.values():
            literals.append(self.model.variable())
            self.terms.append(literals[-1])
            self.costs.append(cost)
        if literals:
            self.model.exactly_one([*literals, self._unserved(v)])
        else:
            self._never(v)
        for day, made in on_days.items():
            meant = [literal for literal, days in zip(literals, chosen, strict=True) if day in days]
            self.model.as_many(made, meant)

    def _rhythm(self, v: int) -> None:
        """Let the days be a path: from each made or missed visit to the next, until none is due any more."""
        visit, days = self.layout.visit_i[v], self.n_days
        on_days = self._on_days(v)
        value, due, last = float(self.layout.visit_f[v, V_VALUE]), int(visit[V_FIRST_DUE]), int(visit[V_LAST_WEEKDAY])
        interval, off_cost, weekday_cost = chain_rates(self.layout, v)

        def other(day: int, since: int) -> float:
            return weekday_cost if since >= 0 and (day - since) % WEEK else 0.0

        into: dict[tuple[int, bool], list[int]] = {}
        if due < days:
            off = off_cost if due > 0 else 0.0
            days_first = range(visit[V_FIRST_LOW], visit[V_FIRST_HIGH] + 1)
            first = [(d, off * abs(d - due) + other(d, last)) for d in days_first]
            self.model.exactly_one(self._arcs(v, on_days, first, min(due, days - 1), value, into))
        for day in range(days):
            for made in (False, True):
                if (day, made) not in into or day + interval >= days:
                    continue
                meant = day + int(visit[V_GAP])
                days_then = range(day + visit[V_GAP_LOW], day + visit[V_GAP_HIGH] + 1)
                then = [(d, off_cost * abs(d - meant) + other(d, day)) for d in days_then]
                out = self._arcs(v, on_days, then, min(meant, days - 1), value, into)
                self.model.as_many(out, into[day, made])
        for day, literals in on_days.items():
            self.model.as_many(literals, into.get((day, True), ()))

    def _arcs(
        self, v: int, on_days: dict[int, list[int]], made: list[tuple[int, float]], missed: int, value: float,
        into: dict[tuple[int, bool], list[int]],
    ) -> list[int]:  # fmt: skip
        """Add the arcs to the visits that may come next, and return them."""
        arcs = []
        for node, cost in [*(((d, True), c) for d, c in made if d in on_days), ((missed, False), value)]:
            arc = self._unserved(v) if not node[1] else self.model.variable()
            if node[1]:
                self.terms.append(arc)
                self.costs.append(cost)
            into.setdefault(node, []).append(arc)
            arcs.append(arc)
        return arcs

    def _starts(self, v: int) -> dict[int, list[int]]:
        """Return the routes with a visit by its start."""
        found: dict[int, list[int]] = {}
        for i in self.with_visit[v]:
            route = self.routes[i]
            found.setdefault(route.starts[route.visits.index(v)], []).append(i)
        return found

    def _joint(self) -> None:
        for a, b in enumerate(self.layout.visit_i[:, V_PARTNER].tolist()):
            if a >= b:
                continue
            first, second = self._starts(a), self._starts(b)
            for moment in sorted(first.keys() | second.keys()):
                one, other = first.get(moment, ()), second.get(moment, ())
                self.model.as_many([self.x[i] for i in one], [self.x[i] for i in other])

    def _precedences(self) -> None:
        """Let the second visit need a route in which the first is over in time.

        Each is in one route at most, so it is enough that up to each start of the second there are
        no more routes with the second than with a first that ends early enough.
        """
        for a, b, delay in self.layout.before.tolist():
            ready = sorted(
                (start + int(self.layout.service[a, self.routes[i].shift]) + delay, i)
                for start, members in self._starts(a).items()
                for i in members
            )
            begun: list[int] = []
            for start, members in sorted(self._starts(b).items()):
                begun += members
                early = [i for end, i in ready if end <= start]
                self.model.no_more([self.x[i] for i in begun], [self.x[i] for i in early])

    def solve(
        self, time_limit_s: float | None, work_limit: float | None, rng: int, n_jobs: int
    ) -> Recombination | None:
        """Return the best choice of routes; None: none better than the known one."""
        most = sum(sorted((r.cost for r in self.routes), reverse=True)[: len(self.layout.shift_i)])
        most += sum(self.costs[len(self.x) :]) + 1.0
        whole = all(c == round(c) for c in self.costs) and most < _UNITS
        scale = 1.0 if whole else _UNITS / most
        penalty = int(np.ceil(most * scale)) + 1
        weights = [round(c * scale) for c in self.costs]
        self.model.minimize([*zip(self.terms, weights, strict=True), *((m, penalty) for m in self.missing)])
        if self.known is not None:
            self.model.begin_with((literal, i < self.known) for i, literal in enumerate(self.x))
        found = self.model.solve(time_limit_s=time_limit_s, work_limit=work_limit, rng=rng, n_jobs=n_jobs)
        if found is None:
            return None
        chosen = [i for i, literal in enumerate(self.x) if found[literal]]
        cost = self.fixed + sum(c for c, literal in zip(self.costs, self.terms, strict=True) if found[literal])
        missing = self.never_missing + sum(found[m] for m in self.missing)
        return self._answer(chosen, cost, missing, proven=found.proven)

    def _answer(self, chosen: list[int], cost: float, missing: int, *, proven: bool) -> Recombination:
        spare = {c: list(shifts) for c, shifts in self.classes.items()}
        placed: dict[int, PoolRoute] = {}
        for i in chosen:
            route = self.routes[i]
            free = spare[int(self.layout.shift_i[route.shift, S_CLASS])]
            # a route keeps its shift where that is free, so that an answer differs from the known one where it must
            s = route.shift if route.shift in free else free[0]
            free.remove(s)
            placed[s] = route
        return Recombination(*_fixed(self.layout, placed), cost, missing, proven)
