"""Why each customer is handed over, in a word and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from territory.design.contiguity import problem_graph
from territory.design.realign_answer import totals
from territory.design.realign_pieces import astray
from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX
from territory.model.eligibility import eligibility
from territory.model.workload import measure_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.model.arrays import BoolArray, FloatArray, IdxArray
    from territory.model.realignment import Realignment

__all__ = ["moves_of"]


def moves_of(r: Realignment, point: int) -> dict[str, Any]:
    """Return the columns of `Realignment.moves_dict`. O(n log n)."""
    c, label, start = r.customers, r.labels[point], r.start_idx
    was = _names(r.before.territory_id, r.before_idx)
    now = _names(r.territory_id, label)
    rows = np.flatnonzero((was != now) & (label >= 0))
    weight = measure_values(c, next(iter(r.balance)))
    story = _Story(r, point, weight)
    told = [story.of(int(i)) for i in rows]
    cost = np.where(r.home_idx[rows] >= 0, np.where(label[rows] != start[rows], r.change_cost[rows], 0.0), 0.0)
    return {
        "customer_id": c.id[rows].astype(object),
        "from_territory": was[rows],
        "to_territory": now[rows],
        "weight": weight[rows],
        "change_cost": cost,
        "code": np.array([code for code, _ in told], dtype=object),
        "reason": np.array([text for _, text in told], dtype=object),
    }


def _names(ids: Any, idx: IdxArray) -> Any:
    return np.array([*ids.tolist(), ""], dtype=object)[idx]


class _Story:
    """What a reason is told from: loads and pieces at the start, and who passed how much to whom."""

    def __init__(self, r: Realignment, point: int, weight: FloatArray) -> None:
        self.r, self.label, self.start = r, r.labels[point], r.start_idx
        self.id = r.territory_id.tolist()
        self.over, self.under = self._outside(over=True), self._outside(over=False)
        self.loose = self._loose(weight)
        self.size = np.bincount(self.start[self.start >= 0], minlength=len(self.id))
        gone = self.start != self.label
        both = np.flatnonzero(gone & (self.start >= 0) & (self.label >= 0))
        self.out: dict[int, dict[int, float]] = {}
        for i in both.tolist():
            a, b = int(self.start[i]), int(self.label[i])
            self.out.setdefault(a, {}).setdefault(b, 0.0)
            self.out[a][b] += float(weight[i]) or 1e-300
        # what went back and forth cancels out
        self.net = {
            (a, b): load - self.out.get(b, {}).get(a, 0.0)
            for a, to in self.out.items()
            for b, load in to.items()
            if load > self.out.get(b, {}).get(a, 0.0)
        }
        self.chains: dict[tuple[int, int], str] = {}
        self.lon, self.lat = _centers(r, self.label, weight)

    def _outside(self, *, over: bool) -> dict[int, str]:
        """Return, of each territory that was outside its limits, by how much; the worst measure counts."""
        found: dict[int, tuple[float, str]] = {}
        held = totals(self.r, 0)
        for name, tolerance in self.r.balance.items():
            target = self.r.targets[name]
            band = self.r.rules.limits.get(name)
            for j in np.flatnonzero(target > 0).tolist():
                share = held[name][j] / target[j] - 1.0
                beyond = share - tolerance if over else -share - tolerance
                if band is not None:
                    outside = held[name][j] - band[j, 1] if over else band[j, 0] - held[name][j]
                    beyond = max(beyond, outside / target[j])
                if beyond > 1e-9 and beyond > found.get(j, (0.0, ""))[0]:
                    side = "above the most" if over else "below the least"
                    found[j] = beyond, f"was {beyond:.1%} of its target {side} of {name}"
        return {j: text for j, (_, text) in found.items()}

    def _loose(self, weight: FloatArray) -> BoolArray:
        """Return who was cut off from the rest of his territory at the start."""
        r, out = self.r, np.zeros(len(self.label), dtype=bool)
        if not r.contiguous or not r.curve["torn"][0]:
            return out
        graph = r.graph
        if graph is None:
            from territory.model.contiguity import contiguity_graph  # noqa: PLC0415 - only for torn territories

            graph = contiguity_graph(r.customers)
        able = eligibility(r.customers, r.reps)
        free: BoolArray = np.ones(len(self.start), dtype=bool) if able is None else np.asarray(able.all(axis=1))
        free[[*r.rules.overrides]] = False
        rows = np.flatnonzero(self.start >= 0).astype(np.int32)
        graph = problem_graph(graph, r.customers, free[:, None], rows, r.rules.together)
        out[rows[astray(graph, weight[rows], self.start[rows])]] = True
        return out

    def of(self, i: int) -> tuple[str, str]:
        """Return code and words of the reason why customer `i` moved."""
        r, a, b = self.r, int(self.start[i]), int(self.label[i])
        old = int(r.before_idx[i])
        before = "" if old == NO_IDX else str(r.before.territory_id[old])
        if old == NO_IDX:
            found = "new-customer", f"new; {self.id[b]} is beside it"
        elif r.home_idx[i] == NO_IDX:
            found = "territory-dissolved", f"joined {self.id[b]} as territory {before} is dissolved"
        elif a == b and before not in self.id:
            found = "merged", f"territory {before} was merged into {self.id[b]}"
        elif a == b:
            found = "split", f"territory {before} was split; {self.id[b]} has this part"
        elif self.loose[i]:
            found = "contiguity", f"was cut off from the rest of {self.id[a]}"
        elif self.size[b] == 0:
            found = "new-territory", f"{self.id[b]} is new"
        else:
            found = self._for_balance(a, b) or self._for_shape(i, a, b)
        return found

    def _for_balance(self, a: int, b: int) -> tuple[str, str] | None:
        if (a, b) not in self.net:
            return None
        if a in self.over:
            return "over-limit", f"{self.id[a]} {self.over[a]}"
        if b in self.under:
            return "under-limit", f"{self.id[b]} {self.under[b]}"
        chain = self._chain(a, b)
        return ("chain", chain) if chain else None

    def _for_shape(self, i: int, a: int, b: int) -> tuple[str, str]:
        c = self.r.customers
        there = great_circle_m(c.lon[i], c.lat[i], self.lon[b], self.lat[b])
        here = great_circle_m(c.lon[i], c.lat[i], self.lon[a], self.lat[a])
        if there < here:
            nearer = f"{float(here - there) / 1000:.1f} km closer to the centre of {self.id[b]}"
            return "closer", f"{nearer} than of {self.id[a]}"
        if a in self.out.get(b, {}):
            return "exchange", f"in exchange for others, from {self.id[b]} to {self.id[a]}"
        return "shape", f"lets {self.id[a]} and {self.id[b]} keep to their limits with shorter ways for others"

    def _chain(self, a: int, b: int) -> str:
        """Return what is passed on from `a` to `b`, in words; blank: nothing that was outside its limits."""
        if (a, b) not in self.chains:
            back: dict[int, list[int]] = {}
            ahead: dict[int, list[int]] = {}
            for x, y in self.net:
                back.setdefault(y, []).append(x)
                ahead.setdefault(x, []).append(y)
            source, sink = _reached(back, a, self.over), _reached(ahead, b, self.under)
            end = b if sink is None else sink
            text = ""
            if source is not None:
                text = f"part of a chain that passes load from {self.id[source]} to {self.id[end]}: "
                text += f"{self.id[source]} {self.over[source]}"
            elif sink is not None:
                text = f"part of a chain that passes load from {self.id[a]} to {self.id[sink]}: "
                text += f"{self.id[sink]} {self.under[sink]}"
            self.chains[a, b] = text
        return self.chains[a, b]


def _reached(graph: dict[int, list[int]], begin: int, wanted: Iterable[int]) -> int | None:
    """Return the nearest of the wanted, by number of steps; None where none is reached."""
    goal, seen, line = set(wanted), {begin}, [begin]
    for at in line:
        if at in goal:
            return at
        fresh = sorted(set(graph.get(at, [])) - seen)
        seen.update(fresh)
        line += fresh
    return None


def _centers(r: Realignment, label: IdxArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    from territory.design.problem import on_sphere  # noqa: PLC0415 - what is shared with the core
    from territory.geo.sphere import from_unit_vectors  # noqa: PLC0415

    served, k = np.flatnonzero(label >= 0), len(r.territory_id)
    xyz, of = on_sphere(r.customers.lon[served], r.customers.lat[served]), label[served]
    mass = np.bincount(of, weight[served], k)
    each = np.where(mass[of] > 0, weight[served], 1.0)
    middle = np.stack([np.bincount(of, each * x, k) for x in xyz.T], axis=1)
    # an empty territory is nowhere; nobody is handed to it
    there = np.asarray(middle.any(axis=1))[:, None]
    return from_unit_vectors(np.where(there, middle, 1.0))
