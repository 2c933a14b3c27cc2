"""Why a customer is where it is: what every other territory would cost, and which limit forbids it.

Everything is worked out from the alignment: a single customer moves, everybody else and all centres stay. A move that
only a chain of other moves would allow is forbidden by the limit that it breaks alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import numpy as np

from territory.check.contiguity import kept_graph
from territory.check.eligibility import is_forbidden, lacks_skills, missing_skills
from territory.check.measures import values_of
from territory.geo.adjacency import co_located
from territory.geo.sphere import EARTH_RADIUS_M, great_circle_m, unit_vectors
from territory.model.explanation import Alternative, Explanation, Limit
from territory.review.facts import rep_of_territory, sums, target_of, weights
from territory.review.rule_limits import rule_limits

if TYPE_CHECKING:
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["explain_customer"]

#: Sums of a million floats in another order differ by less than this share of them.
_ROUNDING: Final = 1e-9


def explain_customer(alignment: Alignment, customer_id: str) -> Explanation:
    """Explain why a customer is where it is; see `Alignment.explain`."""
    a = alignment
    c = a.customers
    i = int(c.positions([customer_id])[0])
    t = int(a.territory_idx[i])
    rep = rep_of_territory(a).tolist()
    ids = a.territory_id.tolist()
    locked = bool(c.locked is not None and c.locked[i])
    if t < 0:
        why = a.unassigned_reason.get(i, "no reason was kept")
        return Explanation(customer_id, "", "", float("nan"), why, locked, (), ())
    km = great_circle_m(c.lon[i], c.lat[i], a.center_lon, a.center_lat) / 1000.0
    rise = _rise(a, i, t)
    now = a.objective if np.isfinite(a.objective) and a.rules.metric == "squared" else _objective(a)
    others = [j for j in range(len(a)) if j != t and np.isfinite(rise[j])]
    limits = _Limits(a, i, t, ids)
    found = [
        Alternative(
            territory_id=ids[j],
            rep_id=rep[j],
            distance_km=float(km[j]),
            rise_m2=float(rise[j]),
            rise_share=float(rise[j] / now) if now > 0 else None,
            limits=tuple(limits.of(j)),
        )
        for j in sorted(others, key=lambda j: (rise[j], km[j], j))
    ]
    spot = _same_spot(a, i)
    near = tuple(ids[j] for j in np.unique(a.territory_idx[spot]).tolist() if j not in (-1, t))
    return Explanation(customer_id, ids[t], rep[t], float(km[t]), "", locked, near, tuple(found))


def _squares(a: Alignment, rows: Any, of: Any) -> FloatArray:
    """Return squared chords from customers to centres, as the objective has them."""
    at = unit_vectors(a.customers.lon[rows], a.customers.lat[rows])
    gap = at - unit_vectors(a.center_lon[of], a.center_lat[of])
    return np.asarray((gap**2).sum(axis=-1) * EARTH_RADIUS_M**2)


def _rise(a: Alignment, i: int, t: int) -> FloatArray:
    weight = weights(a)
    total = float(weight[a.territory_idx >= 0].sum())
    square = _squares(a, i, np.arange(len(a)))
    return np.asarray((square - square[t]) * (weight[i] / total if total > 0 else 0.0))


def _objective(a: Alignment) -> float:
    served = np.flatnonzero(a.territory_idx >= 0)
    weight = weights(a)[served]
    square = _squares(a, served, a.territory_idx[served])
    return float(weight @ square / weight.sum()) if weight.sum() > 0 else 0.0


def _same_spot(a: Alignment, i: int) -> IdxArray:
    site = _graph(a).site
    return np.flatnonzero(site == site[i]).astype(np.int32)


@dataclass(frozen=True)
class _Graph:
    """Spots of all customers, and the graph of those that contiguity concerns, if it was asked for."""

    site: IdxArray
    kept: ContiguityGraph | None


#: Graphs are kept as long as their alignments are: whoever asks about one customer asks about more.
_GRAPHS: Final[WeakKeyDictionary[Any, _Graph]] = WeakKeyDictionary()


def _graph(a: Alignment) -> _Graph:
    found = _GRAPHS.get(a)
    if found is None:
        c = a.customers
        found = _Graph(co_located(c.lon, c.lat), kept_graph(a) if a.contiguous else None)
        _GRAPHS[a] = found
    return found


class _Limits:
    """What forbids moving one customer to other territories."""

    def __init__(self, a: Alignment, i: int, t: int, ids: list[str]) -> None:
        self.a, self.i, self.t, self.ids = a, i, t, ids
        self.who = str(a.customers.id[i])
        self.measures = []
        for name in a.balance:
            values, target = values_of(a.customers, name), target_of(a, name)
            if values is not None and target is not None:
                self.measures.append((name, sums(a, values), target, float(values[i])))
        self.torn, self.beside = self._neighbourhood()

    def _neighbourhood(self) -> tuple[bool, set[int] | None]:
        """Tell whether its territory would fall apart without it, and which territories it could join.

        None: contiguity does not concern it.
        """
        a, kept = self.a, _graph(self.a).kept
        if kept is None or kept.site[self.i] < 0:
            return False, None
        label = a.territory_idx
        own = np.where((label == self.t) & (kept.site >= 0), 0, -1)
        before = kept.torn(own).max()
        own[self.i] = -1
        after = kept.torn(own).max()
        spot = int(kept.site[self.i])
        around = np.append(kept.indices[kept.indptr[spot] : kept.indptr[spot + 1]], spot)
        near = np.isin(kept.site, around) & (label >= 0)
        near[self.i] = False
        beside = set(np.unique(label[near]).tolist())
        held = (kept.site >= 0) & (label >= 0)
        empty = np.bincount(label[held], minlength=len(a)) == 0
        return bool(after > before), beside | set(np.flatnonzero(empty).tolist())

    def of(self, j: int) -> list[Limit]:
        rules = rule_limits(self.a, self.i, self.t, j, self.ids)
        return [*self._lock(j), *self._rep(j), *self._balance(j), *rules, *self._contiguity(j)]

    def _lock(self, j: int) -> list[Limit]:
        a, c = self.a, self.a.customers
        if c.locked is None or c.owner is None or not c.locked[self.i]:
            return []
        owner = str(c.owner[self.i])
        if a.reps is not None:
            rep = int(a.rep_idx[j])
            if rep >= 0 and str(a.reps.id[rep]) == owner:
                return []
            return [Limit("lock", self.ids[self.t], f"{self.who} is locked to its owner {owner}")]
        bound = np.flatnonzero(c.locked & (c.owner == owner))
        apart = bound[(bound != self.i) & (a.territory_idx[bound] != j)]
        if len(apart) == 0:
            return []
        text = f"{self.who} is locked to its owner {owner}, like {len(apart)} in another territory than that"
        return [Limit("lock", self.ids[self.t], text)]

    def _rep(self, j: int) -> list[Limit]:
        a = self.a
        rep = int(a.rep_idx[j])
        if a.reps is None or rep < 0:
            return []
        customer, reps = np.array([self.i]), np.array([rep])
        name, found = str(a.reps.id[rep]), []
        if lacks_skills(a.customers, a.reps, customer, reps)[0]:
            lacking = missing_skills(a.customers, a.reps, self.i, rep)
            found.append(Limit("skill", self.ids[j], f"rep {name} lacks {lacking}"))
        if is_forbidden(a.customers, a.reps, customer, reps)[0]:
            found.append(Limit("forbidden-rep", self.ids[j], f"{self.who} forbids rep {name}"))
        return found

    def _balance(self, j: int) -> list[Limit]:
        found = []
        for name, total, target, value in self.measures:
            allowed = float(self.a.balance[name])
            for territory, change in ((j, value), (self.t, -value)):
                goal = float(target[territory])
                before, after = float(total[territory]), float(total[territory]) + change
                over = abs(after - goal) - allowed * goal
                # what was out of balance and comes nearer to its target is not forbidden by it
                if over <= _ROUNDING * max(goal, 1.0) or abs(after - goal) <= abs(before - goal):
                    continue
                off = f"{after / goal - 1:+.1%} off its target" if goal > 0 else "with a target of 0"
                text = (
                    f"territory {self.ids[territory]} would have {after:,.6g} of {name}, {off}, "
                    f"where {allowed:.1%} are allowed"
                )
                found.append(Limit("balance", self.ids[territory], text, name))
        return found

    def _contiguity(self, j: int) -> list[Limit]:
        found = []
        if self.beside is not None and self.torn:
            text = f"territory {self.ids[self.t]} would fall apart without it"
            found.append(Limit("contiguity", self.ids[self.t], text))
        if self.beside is not None and j not in self.beside:
            text = f"it would be cut off from the rest of territory {self.ids[j]}"
            found.append(Limit("contiguity", self.ids[j], text))
        return found
