"""Repair and improvement of an assignment by moves of single customers at the borders.

Contiguity concerns the free customers, whom every rep may serve; those with locks or particular
about reps may lie apart. It lives on the sites of a `ContiguityGraph`: a territory is connected if
the sites where it has free customers are; where islands may be its parts, if those on each island
are. A free customer may leave a territory if that keeps it connected, and may enter one that is at
its site or at a neighbouring one. Moves first bring every measure into its band, then make
territories compact.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.design.problem import free_customers
from territory.geo.contiguity import graph_of_points
from territory.model.arrays import NO_IDX

if TYPE_CHECKING:
    from territory.design.problem import DesignProblem
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["Borders", "improve"]

#: Rounds of border moves for compactness; each visits every border customer once.
_ROUNDS: Final = 20
#: Customers on either side that are tried for an exchange.
_CHEAPEST: Final = 60
#: Less than this share of a target is no violation but rounding.
_EPSILON: Final = 1e-9


class Borders:
    """An assignment that is changed one customer at a time.

    Parameters
    ----------
    problem : DesignProblem
        Every customer can be served by somebody.
    distance2 : float array of shape (n, k)
    label : int32 array of shape (n,)
    lon, lat : float arrays of shape (n,), degrees
    contiguous : bool
        Whether territories must stay connected.
    graph : ContiguityGraph, optional
        Of the n customers, with a site for the free ones. Default: the Delaunay graph of those.
    """

    def __init__(
        self,
        problem: DesignProblem,
        distance2: FloatArray,
        label: IdxArray,
        lon: FloatArray,
        lat: FloatArray,
        *,
        contiguous: bool,
        graph: ContiguityGraph | None = None,
    ) -> None:
        self.problem = problem
        self.distance2 = distance2
        if graph is None:
            free = np.flatnonzero(free_customers(problem)) if contiguous else np.empty(0, dtype=np.int64)
            part = graph_of_points(lon[free], lat[free])
            site = np.full(problem.n, NO_IDX, dtype=np.int32)
            site[free] = part.site
            graph = replace(part, site=site)
        self.site = graph.site
        n_sites = graph.n_sites
        self.near: list[list[int]] = [near.tolist() for near in np.split(graph.indices, graph.indptr[1:-1])][:n_sites]
        #: site -> island, all alike where a territory must be in one piece
        self.island = graph.site_component.tolist() if graph.islands == "parts" else [0] * n_sites
        #: customers that contiguity does not concern
        self.loose: list[int] = np.flatnonzero(self.site < 0).tolist()
        self.label: list[int] = label.tolist()
        # plain numbers: these are read one at a time, where numpy is slow
        self.measures: list[list[float]] = problem.measures.tolist()
        self.load = np.stack([np.bincount(label, column, problem.k) for column in problem.measures.T], axis=1).tolist()
        self.target: list[list[float]] = problem.targets.tolist()
        self.tolerance: list[float] = problem.tolerance.tolist()
        #: site -> territory -> its customers there
        self.here: list[dict[int, set[int]]] = [{} for _ in range(n_sites)]
        self.members: list[set[int]] = [set() for _ in range(problem.k)]
        for i, j in enumerate(self.label):
            if self.site[i] >= 0:
                self.here[self.site[i]].setdefault(j, set()).add(i)
            self.members[j].add(i)

    # -- what a move would do ----------------------------------------------------------------

    def excess(self, j: int, m: int, change: float = 0.0) -> float:
        """Return by how much measure `m` of territory `j` leaves its band after a change, as a share of the target."""
        target = self.target[j][m]
        beyond = abs(self.load[j][m] + change - target) - self.tolerance[m] * target
        return beyond / max(target, 1e-300) if beyond > 0.0 else 0.0

    def violation(self, j: int) -> float:
        """Return the excess of territory `j` over all measures."""
        return sum(self.excess(j, m) for m in range(len(self.tolerance)))

    def total_violation(self) -> float:
        """Return the violation over all territories."""
        total = sum(self.violation(j) for j in range(self.problem.k))
        return total if total > _EPSILON * self.problem.k else 0.0

    def gain(self, i: int, b: int) -> float:
        """Return by how much moving customer `i` to `b` lowers the violation."""
        a, gained = self.label[i], 0.0
        for m, w in enumerate(self.measures[i]):
            gained += self.excess(a, m) + self.excess(b, m) - self.excess(a, m, -w) - self.excess(b, m, w)
        return gained

    def exchange_gain(self, i: int, o: int) -> float:
        """Return by how much it lowers the violation if customers `i` and `o` change places."""
        a, b, gained = self.label[i], self.label[o], 0.0
        for m, (w, v) in enumerate(zip(self.measures[i], self.measures[o], strict=True)):
            gained += self.excess(a, m) + self.excess(b, m) - self.excess(a, m, v - w) - self.excess(b, m, w - v)
        return gained

    def cost(self, i: int, b: int) -> float:
        """Return by how much moving customer `i` to `b` raises the weighted squared distance."""
        # customers without weight still belong to the nearer centre
        weight = max(float(self.problem.weight[i]), 1e-9)
        return float(self.distance2[i, b] - self.distance2[i, self.label[i]]) * weight

    def allowed(self, i: int, b: int) -> bool:
        """Return whether the rep of `b` may serve customer `i`."""
        return self.problem.eligible is None or bool(self.problem.eligible[i, b])

    def entries(self, i: int) -> list[int]:
        """Return the territories that customer `i` could enter."""
        s, own = int(self.site[i]), self.label[i]
        if s < 0:
            return [b for b in range(self.problem.k) if b != own and self.allowed(i, b)]
        found = set(self.here[s])
        for t in self.near[s]:
            found.update(self.here[t])
        found.discard(own)
        return sorted(found)

    def can_leave(self, i: int) -> bool:
        """Return whether the territory of `i` stays connected, and not empty, without it."""
        s, a = int(self.site[i]), self.label[i]
        if len(self.members[a]) == 1:
            return False
        if s < 0 or len(self.here[s][a]) > 1:
            return True
        around = [t for t in self.near[s] if a in self.here[t]]
        if len(around) <= 1:
            return True
        wanted, seen = set(around[1:]), {s, around[0]}
        queue = deque([around[0]])
        while queue:
            for t in self.near[queue.popleft()]:
                if t not in seen and a in self.here[t]:
                    seen.add(t)
                    wanted.discard(t)
                    if not wanted:
                        return True
                    queue.append(t)
        return False

    def move(self, i: int, b: int) -> None:
        """Move customer `i` to territory `b`."""
        a, s = self.label[i], int(self.site[i])
        if s >= 0:
            self.here[s][a].discard(i)
            if not self.here[s][a]:
                del self.here[s][a]
            self.here[s].setdefault(b, set()).add(i)
        self.members[a].discard(i)
        self.members[b].add(i)
        for m, w in enumerate(self.measures[i]):
            self.load[a][m] -= w
            self.load[b][m] += w
        self.label[i] = b

    def border(self, a: int) -> list[int]:
        """Return the customers of territory `a` that could enter another, in order."""
        return [i for i in sorted(self.members[a]) if self.entries(i)]

    # -- connected parts ---------------------------------------------------------------------

    def parts(self, a: int) -> list[set[int]]:
        """Return the connected parts of territory `a` as sets of sites, the heaviest first."""
        left = {int(self.site[i]) for i in self.members[a] if self.site[i] >= 0}
        found = []
        while left:
            first = min(left)
            part, queue = {first}, deque([first])
            left.discard(first)
            while queue:
                for t in self.near[queue.popleft()]:
                    if t in left:
                        left.discard(t)
                        part.add(t)
                        queue.append(t)
            found.append(part)
        weight = [sum(self.problem.weight[i] for s in part for i in self.here[s][a]) for part in found]
        return [found[p] for p in sorted(range(len(found)), key=lambda p: (-weight[p], min(found[p])))]

    def smaller_parts(self, a: int) -> list[set[int]]:
        """Return the parts of territory `a` that are not the heaviest on their island."""
        seen: set[int] = set()
        found = []
        for part in self.parts(a):
            island = self.island[min(part)]
            if island in seen:
                found.append(part)
            seen.add(island)
        return found

    def reconnect(self) -> None:
        """Hand the smaller parts of torn territories to their neighbours, customer by customer from the rim."""
        for _ in range(self.problem.n):
            torn = [(a, part) for a in range(self.problem.k) for part in self.smaller_parts(a)]
            moved = False
            for a, part in torn:
                for i in sorted(i for s in part for i in self.here[s].get(a, ())):
                    choices = self.entries(i)
                    if choices:
                        self.move(i, min(choices, key=lambda b: (-round(self.gain(i, b), 9), self.cost(i, b))))
                        moved = True
            if not moved:
                return


def improve(borders: Borders, deadline: float) -> None:
    """Bring all measures into their bands, then shorten distances, by border moves, until `deadline` (monotonic)."""
    _balance(borders, deadline)
    _compact(borders, deadline)


def _balance(borders: Borders, deadline: float) -> None:
    k = borders.problem.k
    while borders.total_violation() > 0.0 and monotonic() < deadline:
        worst = sorted(range(k), key=lambda j: -borders.violation(j))
        relieved = any(_relieve(borders, j) for j in worst if borders.violation(j) > _EPSILON)
        if not relieved and not _chain(borders, worst, deadline) and not _exchange(borders, worst, deadline):
            return


def _relieve(borders: Borders, j: int) -> bool:
    """Make the best single move into or out of territory `j` that lowers the violation; False if there is none."""
    moves = [(i, b) for i in borders.border(j) for b in borders.entries(i)]
    moves += [(i, j) for i in _outside(borders, j)]
    # distance paid for violation removed: the cheapest remedy first
    ranked = sorted((borders.cost(i, b) / gain, i, b) for i, b in moves if (gain := borders.gain(i, b)) > _EPSILON)
    for _, i, b in ranked:
        if borders.can_leave(i):
            borders.move(i, b)
            return True
    return False


def _outside(borders: Borders, j: int) -> list[int]:
    """Return the customers of other territories that could enter `j`."""
    sites = {int(borders.site[i]) for i in borders.members[j] if borders.site[i] >= 0}
    around = sites | {t for s in sites for t in borders.near[s]}
    found = {i for s in around for a, members in borders.here[s].items() if a != j for i in members}
    found.update(i for i in borders.loose if borders.label[i] != j and borders.allowed(i, j))
    return sorted(found)


def _chain(borders: Borders, worst: list[int], deadline: float) -> bool:
    """Shift work along a row of neighbouring territories, from one above its band to one below, or towards slack."""
    before = borders.total_violation()
    for start in worst:
        if borders.violation(start) <= _EPSILON or monotonic() >= deadline:
            return False
        m = max(range(len(borders.tolerance)), key=lambda m: borders.excess(start, m))
        over = borders.load[start][m] > borders.target[start][m]
        for path in _paths(borders, start):
            done: list[tuple[int, int]] = []
            row = path if over else path[::-1]
            for a, b in pairwise(row):
                step = _best_step(borders, a, b)
                if step is None:
                    break
                done.append((step, a))
                borders.move(step, b)
            if borders.total_violation() < before - _EPSILON:
                return True
            for i, a in reversed(done):
                borders.move(i, a)
    return False


def _exchange(borders: Borders, worst: list[int], deadline: float) -> bool:
    """Exchange a customer of a territory outside its bands for a neighbour's, where that lowers the violation."""
    for j in worst:
        if borders.violation(j) <= _EPSILON or monotonic() >= deadline:
            return False
        out = sorted((borders.cost(i, b), i, b) for i in borders.border(j) for b in borders.entries(i))[:_CHEAPEST]
        back = sorted((borders.cost(o, j), o) for o in _outside(borders, j))[:_CHEAPEST]
        pairs = [
            ((there + here) / gain, i, o)
            for there, i, b in out
            for here, o in back
            if borders.label[o] == b and (gain := borders.exchange_gain(i, o)) > _EPSILON
        ]
        for _, i, o in sorted(pairs):
            b = borders.label[o]
            if borders.can_leave(i):
                borders.move(i, b)
                if j in borders.entries(o) and borders.can_leave(o):
                    borders.move(o, j)
                    return True
                borders.move(i, j)
    return False


def _paths(borders: Borders, start: int) -> list[list[int]]:
    """Return the shortest paths of territories from `start` to each other, nearest first, at most 12."""
    beside: dict[int, set[int]] = {}

    def neighbours(a: int) -> set[int]:
        if a not in beside:
            beside[a] = {b for i in borders.members[a] for b in borders.entries(i)}
        return beside[a]

    path_to = {start: [start]}
    queue = deque([start])
    while queue:
        a = queue.popleft()
        for b in sorted(neighbours(a)):
            if b not in path_to:
                path_to[b] = [*path_to[a], b]
                queue.append(b)
    return [p for p in path_to.values() if len(p) > 1][:12]


def _best_step(borders: Borders, a: int, b: int) -> int | None:
    """Return the customer of `a` that moves to `b` at the least distance a unit of weight."""
    weight = borders.problem.weight
    choices = [
        (borders.cost(i, b) / max(float(weight[i]), 1e-9), i) for i in borders.members[a] if b in borders.entries(i)
    ]
    for _, i in sorted(choices):
        if borders.can_leave(i):
            return i
    return None


def _compact(borders: Borders, deadline: float) -> None:
    """Move customers to nearer centres while every band holds (or no violation grows)."""
    for _ in range(_ROUNDS):
        moved = False
        for i in range(borders.problem.n):
            if i % 64 == 0 and monotonic() >= deadline:
                return
            own = borders.distance2[i, borders.label[i]]
            choices = [b for b in borders.entries(i) if borders.distance2[i, b] < own]
            for b in sorted(choices, key=lambda b: borders.distance2[i, b]):
                if borders.gain(i, b) >= -_EPSILON and borders.can_leave(i):
                    borders.move(i, b)
                    moved = True
                    break
        if not moved:
            return
