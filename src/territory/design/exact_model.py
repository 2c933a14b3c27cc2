"""The model of Hess et al. as a mixed-integer program: candidates that may be centres, arcs that are worth a look.

Hess, Weaver, Siegfeldt, Whelan & Zitlau 1965, Nonpartisan political redistricting by computer. HiGHS solves it. What
contiguity asks is added as it is broken: if units of a territory are cut off, one of those that separate them from its
centre has to belong to it too (Validi, Buchanan & Lykhovyd 2022, Imposing contiguity constraints in political
districting models), and the program is solved again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray

__all__ = ["Answer", "HessModel", "pieces_of"]

#: Relative gap at which an answer counts as optimal.
GAP: Final = 1e-7
#: By how much totals may be outside of bands, relative to their ends: what checks of limits let pass.
_OUTSIDE: Final = 1e-9
#: Ends of bands become this, so that the solver's absolute tolerance is small beside them.
_LARGE: Final = 1e3


@dataclass(frozen=True, eq=False)
class Answer:
    """What the solver says.

    Attributes
    ----------
    label : int32 array of shape (n,) or None
        Candidate of each unit; None if nothing was found.
    objective, bound : float
    proven : bool
        Whether the program was solved to the end; without a label it is infeasible then.
    """

    label: IdxArray | None
    objective: float
    bound: float
    proven: bool


@dataclass(eq=False)
class HessModel:
    """Units to candidates, k of which are centres.

    Attributes
    ----------
    cost : float array of shape (n, q)
    measures : float array of shape (n, m)
    lower, upper : float arrays of shape (q, m)
        Bands of each candidate, if it is a centre.
    k : int
    own : bool
        Candidates are the units, and belong to themselves. If not, and k = q, all candidates are centres.
    apart : int array of shape (p, 2)
        Units that must not share a territory.
    neighbours : list of int arrays, optional
        Of each unit; territories must hang together. Units without neighbours that are not `concerned` go anywhere.
    concerned : bool array of shape (n,), optional
        Whom contiguity concerns; all by default. The others are nobody's neighbours.
    """

    cost: FloatArray
    measures: FloatArray
    lower: FloatArray
    upper: FloatArray
    k: int
    own: bool
    apart: IntArray
    neighbours: list[IntArray] | None = None
    concerned: BoolArray | None = None
    #: cuts: units of which one must be there (with signs), and the right-hand side, for a candidate
    _cuts: list[tuple[int, tuple[int, ...], IntArray, float]] = field(default_factory=list)

    def solve(self, allowed: BoolArray, *, deadline: float, cutoff: float = np.inf) -> Answer:
        """Solve with some arcs only, connected if that is asked.

        Parameters
        ----------
        allowed : bool array of shape (n, q)
            Which arcs there are; with `own`, candidates whose own arc is missing are none.
        deadline : float
            Monotonic seconds.
        cutoff : float
            Answers that cost more are of no interest.
        """
        bound = -np.inf
        while True:
            answer = self._solved(allowed, deadline, cutoff)
            bound = max(bound, answer.bound)
            if answer.label is None or not (self._weighed(answer.label) | self._cut(answer.label, allowed)):
                return Answer(answer.label, answer.objective, bound, answer.proven)
            if not answer.proven or monotonic() >= deadline:
                return Answer(None, np.inf, bound, proven=False)

    def _solved(self, allowed: BoolArray, deadline: float, cutoff: float) -> Answer:
        """Solve the program with the cuts that there are."""
        from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - solvers load when they are used
        from scipy.sparse import csr_array  # noqa: PLC0415

        left = deadline - monotonic()
        if left <= 0.0:
            return Answer(None, np.inf, -np.inf, proven=False)
        n, q = allowed.shape
        if self.own:
            allowed = allowed & np.diagonal(allowed)[None, :]
        who, at = np.nonzero(allowed)
        arcs = len(who)
        number = np.full((n, q), -1, dtype=np.int64)
        number[who, at] = np.arange(arcs)
        opened = number[np.arange(q), np.arange(q)] if self.own else np.arange(arcs, arcs + q)
        size = arcs if self.own else arcs + q
        scale = max(float(self.cost[who, at].max(initial=0.0)), 1e-300)
        rows = _Rows(size)
        for arc_list in _grouped(who, n, np.arange(arcs)):
            if not len(arc_list):
                return Answer(None, np.inf, np.inf, proven=True)
            rows.add(arc_list, 1.0, 1.0, 1.0)
        candidates = np.flatnonzero(np.diagonal(allowed)) if self.own else np.arange(q)
        rows.add(opened[candidates], 1.0, self.k, self.k)
        given = not self.own and self.k == q
        by_candidate = _grouped(at, q, np.arange(arcs))
        for j in candidates.tolist():
            mine, hub = by_candidate[j], int(opened[j])
            self._band(rows, j, who[mine], np.append(mine, hub))
            if not given:
                for arc in mine[mine != hub].tolist():
                    rows.add(np.array([arc, hub]), np.array([1.0, -1.0]), -np.inf, 0.0)
        self._separate(rows, number, opened, candidates)
        self._connect(rows, number, candidates)
        objective = np.zeros(size)
        objective[:arcs] = self.cost[who, at] / scale
        if np.isfinite(cutoff):
            rows.add(np.arange(arcs), objective[:arcs], -np.inf, cutoff / scale * (1.0 + 1e-9))
        matrix = csr_array((rows.values(), rows.columns(), rows.starts()), shape=(len(rows), size))
        # a unit at a centre stands twice in its band, with its measure and for the centre
        matrix.sum_duplicates()
        fixed = np.zeros(size)
        if given:
            fixed[arcs:] = 1.0
        found: Any = milp(
            objective, integrality=np.ones(size), bounds=Bounds(fixed, np.ones(size)),
            constraints=LinearConstraint(matrix, rows.low, rows.high),
            options={"time_limit": left, "mip_rel_gap": GAP, "presolve": True},
        )  # fmt: skip
        if found.status == 2:
            return Answer(None, np.inf, np.inf, proven=True)
        bound = -np.inf if found.mip_dual_bound is None else float(found.mip_dual_bound) * scale
        if found.x is None:
            return Answer(None, np.inf, bound, proven=False)
        chosen = np.flatnonzero(found.x[:arcs] > 0.5)
        label = np.full(n, -1, dtype=np.int32)
        label[who[chosen]] = at[chosen]
        total = float(self.cost[np.arange(n), label].sum())
        return Answer(label, total, min(bound, total), proven=found.status == 0)

    def _band(self, rows: _Rows, j: int, units: IntArray, columns: IntArray) -> None:
        """Add the bands of a candidate: of the units that may be there, if it is a centre (the last column)."""
        for measure, low, high in zip(self.measures[units].T, self.lower[j], self.upper[j], strict=True):
            unit = max(abs(float(high)) if np.isfinite(high) else 0.0, float(measure.max(initial=0.0)), 1e-300)
            # ends as they are: of ends that are moved a little outwards, the solver was seen to cut answers off
            for end, sign in ((low, -1.0), (high, 1.0)):
                if np.isfinite(end) and not (sign < 0.0 and end <= 0.0):
                    rows.add(columns, np.append(sign * measure, -sign * end) / unit * _LARGE, -np.inf, 0.0)

    def _separate(self, rows: _Rows, number: IntArray, opened: IntArray, candidates: IntArray) -> None:
        """Add the pairs that must not share a territory."""
        for a, b in self.apart.tolist():
            for j in candidates.tolist():
                pair = number[[a, b], j]
                if (pair >= 0).all():
                    rows.add(np.append(pair, opened[j]), np.array([1.0, 1.0, -1.0]), -np.inf, 0.0)

    def _connect(self, rows: _Rows, number: IntArray, candidates: IntArray) -> None:
        """Add what contiguity asks: of every unit a neighbour, and the cuts."""
        concerned = np.ones(len(number), dtype=bool) if self.concerned is None else self.concerned
        if self.own and self.neighbours is not None:
            for j in candidates[concerned[candidates]].tolist():
                near = set(self.neighbours[j].tolist())
                for a in np.flatnonzero((number[:, j] >= 0) & concerned).tolist():
                    if a != j and a not in near:
                        beside = number[self.neighbours[a], j]
                        beside = beside[beside >= 0]
                        rows.add(np.append(number[a, j], beside), np.append(1.0, -np.ones(len(beside))), -np.inf, 0.0)
        for j, ends, between, most in self._cuts:
            plus = number[list(ends), j]
            if (plus < 0).any():
                continue
            minus = number[between, j]
            minus = minus[minus >= 0]
            signs = np.append(np.ones(len(plus)), -np.ones(len(minus)))
            rows.add(np.append(plus, minus), signs, -np.inf, most)

    def _weighed(self, label: IdxArray) -> bool:
        """Note whose totals the solver's tolerance let out of their bands; return whether there are any."""
        broken = False
        for j in np.unique(label).tolist():
            inside = np.flatnonzero(label == j)
            total = self.measures[inside].sum(axis=0)
            if (total > self.upper[j] * (1.0 + _OUTSIDE)).any():
                broken = True
                same = np.flatnonzero((self.upper == self.upper[j]).all(axis=1)).tolist()
                self._cuts += [
                    (c, tuple(inside.tolist()), np.empty(0, dtype=np.int64), len(inside) - 1.0) for c in same
                ]
            elif (total < self.lower[j] * (1.0 - _OUTSIDE)).any():
                broken = True
                others = np.flatnonzero(label != j)
                self._cuts.append((j, (j,), others, 0.0) if self.own else (j, (), others, -1.0))
        return broken

    def _cut(self, label: IdxArray, allowed: BoolArray) -> bool:
        """Note what would have joined torn territories; return whether any is torn."""
        neighbours = self.neighbours
        if neighbours is None:
            return False
        n = len(label)
        concerned = np.ones(n, dtype=bool) if self.concerned is None else self.concerned
        torn = False
        for j in np.unique(label).tolist():
            members = np.flatnonzero((label == j) & concerned)
            parts = pieces_of(members, neighbours)
            if len(parts) < 2:
                continue
            torn = True
            rooted = self.own and bool(concerned[j])
            main = next(p for p in parts if j in p) if rooted else max(parts, key=len)
            for part in parts:
                if part is main:
                    continue
                wall = _wall(part, main, neighbours)
                # the wall stands between its two sides for every centre on the far one
                if rooted:
                    far = _beyond(j, wall, neighbours, n)
                    centers = [int(c) for c in np.flatnonzero(far) if allowed[c, c]]
                    for c in centers:
                        self._cuts += [(c, (a,), wall, 0.0) for a in part if allowed[a, c]]
                else:
                    ends = (min(part), min(main))
                    self._cuts += [(c, ends, wall, 1.0) for c in range(allowed.shape[1])]
        return torn


class _Rows:
    """Rows of a sparse matrix, as they come."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.low: list[float] = []
        self.high: list[float] = []
        self._columns: list[IntArray] = []
        self._values: list[FloatArray] = []

    def __len__(self) -> int:
        return len(self.low)

    def add(self, columns: IntArray, values: FloatArray | float, low: float, high: float) -> None:
        self._columns.append(columns)
        self._values.append(np.broadcast_to(np.asarray(values, dtype=np.float64), columns.shape))
        self.low.append(low)
        self.high.append(high)

    def columns(self) -> IntArray:
        return np.concatenate(self._columns)

    def values(self) -> FloatArray:
        return np.concatenate(self._values)

    def starts(self) -> IntArray:
        return np.append(0, np.cumsum([len(c) for c in self._columns]))


def _grouped(key: IntArray, groups: int, items: IntArray) -> list[IntArray]:
    """Return the items of each group, in order."""
    order = np.argsort(key, kind="stable")
    return np.split(items[order], np.cumsum(np.bincount(key, minlength=groups))[:-1])


def pieces_of(members: Iterable[int], neighbours: list[IntArray]) -> list[set[int]]:
    """Return the connected pieces of some units. O(their edges)."""
    left = {int(i) for i in members}
    pieces = []
    while left:
        first = min(left)
        left.discard(first)
        piece, stack = {first}, [first]
        while stack:
            for t in neighbours[stack.pop()].tolist():
                if t in left:
                    left.discard(t)
                    piece.add(t)
                    stack.append(t)
        pieces.append(piece)
    return pieces


def _wall(part: set[int], main: set[int], neighbours: list[IntArray]) -> IntArray:
    """Return units that separate a piece from another, none of them superfluous."""
    around = {t for a in part for t in neighbours[a].tolist()} - part
    seen, stack, wall = set(main), list(main), set()
    while stack:
        for t in neighbours[stack.pop()].tolist():
            if t in around:
                wall.add(t)
            elif t not in seen and t not in part:
                seen.add(t)
                stack.append(t)
    return np.array(sorted(wall), dtype=np.int64)


def _beyond(start: int, wall: IntArray, neighbours: list[IntArray], n: int) -> BoolArray:
    """Return who can be reached without crossing a wall, bool of shape (n,)."""
    seen = np.zeros(n, dtype=bool)
    closed = set(wall.tolist())
    seen[start] = True
    stack = [start]
    while stack:
        for t in neighbours[stack.pop()].tolist():
            if not seen[t] and t not in closed:
                seen[t] = True
                stack.append(t)
    return seen
