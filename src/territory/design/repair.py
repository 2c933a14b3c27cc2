"""From a balanced assignment to territories: torn ones are joined up, then all measures and distances put right."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.design.anneal_search import local_search, polish
from territory.design.anneal_settle import settled
from territory.design.moves_layout import ROUNDING
from territory.design.moves_problem import Graph, LocalProblem
from territory.design.power_fixed import first_margin
from territory.geo.adjacency import point_adjacency

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.design.problem import DesignProblem
    from territory.design.request import Compactness
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["Spots", "astray", "beside", "improved", "reconnected"]

#: Steps of the search a customer, and at most: where bands hold already, they only smooth the borders.
_STEPS, _MOST_STEPS = 100, 4_000_000
#: Times as many steps where the search begins with territories that are compact in another sense.
_OTHER: Final = 5
#: Steps of a search from the beginning, where limits are tight.
_TIGHT_STEPS: Final = 400_000


def beside(graph: ContiguityGraph | None, lon: FloatArray, lat: FloatArray, atom: IdxArray | None = None) -> Graph:
    """Return who is beside whom, for moves: neighbours by place, and in the graph that territories are connected on.

    Of customers at one spot a few stand for the others, so that crowds cost no more than their square root.

    Parameters
    ----------
    graph : ContiguityGraph of the n customers, or None
    lon, lat : float arrays of shape (n,), degrees
    atom : int32 array of shape (n,), optional
        Groups of customers are beside whom their members are beside.
    """
    edges = []
    alone = graph is not None and graph.n_sites == len(lon)
    if not alone:
        edges.append(point_adjacency(lon, lat).reshape(-1, 2).astype(np.int64))
    if graph is not None:
        placed = np.flatnonzero(graph.site >= 0)
        first = np.zeros(graph.n_sites, dtype=np.int64)
        first[graph.site[placed][::-1]] = placed[::-1]
        edges.append(first[graph.edges])
    pairs = np.concatenate(edges)
    if atom is None:
        return Graph.of_edges(pairs, len(lon))
    return Graph.of_edges(atom[pairs], int(atom.max(initial=-1)) + 1)


class Spots:
    """Who is at each site of a graph."""

    def __init__(self, graph: ContiguityGraph) -> None:
        placed = np.flatnonzero(graph.site >= 0)
        self._there = placed[np.argsort(graph.site[placed], kind="stable")]
        self._begin = np.concatenate([[0], np.cumsum(np.bincount(graph.site[placed], minlength=graph.n_sites))])

    def at(self, site: int) -> NDArray[np.integer]:
        """Return the customers at a site, ascending."""
        return self._there[self._begin[site] : self._begin[site + 1]]


def reconnected(
    problem: DesignProblem,
    graph: ContiguityGraph,
    label: IdxArray,
    center: FloatArray,
    *,
    deadline: float = np.inf,
) -> IdxArray:
    """Hand all but the heaviest part of each torn territory to its neighbours, customer by customer from the rim.

    Parameters
    ----------
    problem : DesignProblem, n customers in k territories
    graph : ContiguityGraph of the n customers
    label : int32 array of shape (n,)
    center : float array of shape (k, 3), metres
    deadline : float
        Monotonic seconds, after which things are left as they are.

    Returns
    -------
    int32 array of shape (n,)
        Parts that no neighbour can take stay as they are.

    Notes
    -----
    O(n + edges) for the parts, and O(neighbours) a customer of them each time that a neighbour is handed over.
    """
    loose = np.zeros(problem.n, dtype=bool)
    queue = deque(astray(problem, graph, label).tolist())
    if not queue:
        return label
    loose[queue] = True
    waiting = loose.copy()
    label, loads, spots = label.copy(), problem.loads(label), Spots(graph)
    rivals = None if problem.apart is None else Graph.of_edges(problem.apart, problem.n)
    while queue and monotonic() < deadline:
        i = queue.popleft()
        waiting[i] = False
        s = int(graph.site[i])
        around = [s, *graph.indices[graph.indptr[s] : graph.indptr[s + 1]].tolist()]
        there = np.concatenate([spots.at(t) for t in around])
        # the larger parts lose nobody, so that whoever joins them is never cut off again
        choices = np.unique(label[there[~loose[there]]])
        if problem.eligible is not None:
            choices = choices[problem.eligible[i, choices]]
        if rivals is not None:
            choices = np.setdiff1d(choices, label[rivals.indices[rivals.indptr[i] : rivals.indptr[i + 1]]])
        if not choices.size:
            continue
        if label[i] not in choices:
            best = choices[_dearness(problem, loads, choices, i, center).argmin()]
            loads[label[i]] -= problem.measures[i]
            loads[best] += problem.measures[i]
            label[i] = best
        loose[i] = False
        again = there[loose[there] & ~waiting[there]]
        waiting[again] = True
        queue.extend(again.tolist())
    return label


def astray(problem: DesignProblem, graph: ContiguityGraph, label: IdxArray) -> IdxArray:
    """Return the customers of all but the heaviest part of each territory, or of each on each island."""
    part = graph.torn(label)
    rows = np.flatnonzero(part >= 0)
    if not rows.size:
        return rows.astype(np.int32)
    _, first = np.unique(part[rows], return_index=True)
    home = label[rows[first]].astype(np.int64)
    if graph.islands == "parts":
        island = graph.component[rows[first]].astype(np.int64)
        home = home * (int(island.max()) + 1) + island
    weight = np.bincount(part[rows], problem.weight[rows])
    count = np.bincount(part[rows])
    # the heaviest of each territory comes first; between equals the larger, then the first in the problem's order
    order = np.lexsort((np.arange(len(home)), -count, -weight, home))
    kept = np.ones(len(home), dtype=bool)
    kept[order[1:]] = home[order[1:]] != home[order[:-1]]
    return rows[~kept[part[rows]]].astype(np.int32)


def _dearness(
    problem: DesignProblem, loads: FloatArray, choices: NDArray[np.integer], i: int, center: FloatArray
) -> FloatArray:
    """Return what is the least for the best choice: first the excess that a move leaves, then the distance."""
    lower, upper, target = problem.lower, problem.upper, problem.target

    def excess(j: NDArray[np.integer], change: FloatArray) -> FloatArray:
        load = loads[j] + change
        beyond = np.maximum(load - upper[j], 0.0) + np.maximum(lower[j] - load, 0.0)
        return np.asarray((beyond / np.maximum(target[j], 1e-300)).sum(axis=1))

    w = problem.measures[i]
    raised = excess(choices, w) - excess(choices, np.zeros_like(w))
    square = ((problem.xyz[i] - center[choices]) ** 2).sum(axis=1)
    rank = np.lexsort((choices, square, np.round(raised, 9)))
    out = np.empty(len(choices))
    out[rank] = np.arange(len(choices))
    return out


def improved(
    problem: DesignProblem,
    graph: ContiguityGraph | None,
    near: Graph,
    label: IdxArray,
    center: FloatArray,
    *,
    fixed: bool,
    seed: int,
    deadline: float,
    compactness: Compactness = "squared",
    costs: FloatArray | None = None,
    price: FloatArray | None = None,
) -> IdxArray:
    """Bring every measure into its band, then make territories compact, by moves at the borders.

    Parameters
    ----------
    problem : DesignProblem, n customers in k territories
    graph : ContiguityGraph of the n customers, or None where territories need not be connected
    near : Graph
        See `beside`.
    label : int32 array of shape (n,)
    center : float array of shape (k, 3), metres
    fixed : bool
        Whether distances are those to `center`, or to the middle of what is in the territory.
    compactness : {"squared", "distance", "reach", "perimeter"}
        What is kept small: see `design_territories`.
    costs : float array of shape (n, k), optional
        Weighted costs at given centres, to be kept small instead.
    price : float array of shape (k,), squared metres, optional
        Of a unit of weight in each territory, in the best shares to `center`, for one measure.
    seed : int
    deadline : float
        Monotonic seconds.

    Returns
    -------
    int32 array of shape (n,)
        Whose territories are in no more parts than before; of less excess, or as much and less distance.
    """
    if not problem.n:
        return label
    # customers without weight belong to the nearer centre too
    weight = np.maximum(problem.weight, 1e-9 * max(float(problem.weight.max(initial=0.0)), 1e-300))
    local = LocalProblem(
        points=problem.xyz - problem.xyz.mean(axis=0),
        measures=problem.measures,
        lower=problem.lower,
        upper=problem.upper,
        target=problem.target,
        objective="fixed" if costs is not None else _objective(compactness, fixed=fixed),
        near=near,
        weight=weight,
        center=center - problem.xyz.mean(axis=0) if fixed and compactness != "perimeter" and costs is None else None,
        given=costs,
        length=_lengths(graph, near) if compactness == "perimeter" else None,
        eligible=problem.eligible,
        apart=None if problem.apart is None else Graph.of_edges(problem.apart, problem.n),
        soft=None if problem.soft is None else problem.soft * _mean_cost(problem, weight, label, center, costs),
        site=None if graph is None or not graph.n_sites else graph.site,
        links=None if graph is None or not graph.n_sites else Graph(graph.indptr.astype(np.int64), graph.indices),
    )
    if price is not None:
        label, local = _at_prices(local, label, center - problem.xyz.mean(axis=0), price)
    steps = int(min(_STEPS * problem.n, _MOST_STEPS))
    if compactness == "squared" or costs is not None:
        found = polish(local, label, iterations=max(steps, 1), deadline=deadline, seed=seed)
    else:
        # where the search begins, something else was kept small
        found = local_search(local, label, iterations=_OTHER * max(steps, 1), deadline=deadline, seed=seed)
    if found.violation <= ROUNDING and not found.conflicts:
        return found.label
    # limits are tight: what is near the first territories does not keep them, so others are tried
    best = found
    for trial, start in enumerate((found.label, None)):
        if monotonic() >= deadline:
            break
        again = local_search(
            local, start, iterations=_TIGHT_STEPS + _STEPS * problem.n, deadline=deadline, seed=seed + trial
        )
        better = (again.conflicts, again.violation) < (best.conflicts, best.violation)
        if better and _is_allowed(problem, graph, again.label, found.label):
            best = again
        if best.violation <= ROUNDING and not best.conflicts:
            break
    return best.label


def _at_prices(
    local: LocalProblem, label: IdxArray, center: FloatArray, price: FloatArray
) -> tuple[IdxArray, LocalProblem]:
    """Return an assignment that the prices brought into its bands, and the problem with violations at these prices."""
    # what a unit of weight saves at its own centre, beside the next one
    scale = float(first_margin(center).mean())
    whole = replace(local, objective="fixed", center=center)
    found, _ = settled(whole, label, price, scale)
    dear = np.abs(price) + scale
    # too much weighs what it is worth: by the same share of the target, it would bar the way between dear territories
    return found, replace(local, target=local.target * (dear.mean() / dear)[:, None])


def _is_allowed(problem: DesignProblem, graph: ContiguityGraph | None, label: IdxArray, before: IdxArray) -> bool:
    """Return whether a new beginning led to an assignment that is allowed, and in no more parts than another."""
    if problem.eligible is not None and not problem.eligible[np.arange(problem.n), label].all():
        return False
    return graph is None or int(graph.torn(label).max(initial=-1)) <= int(graph.torn(before).max(initial=-1))


def _mean_cost(
    problem: DesignProblem, weight: FloatArray, label: IdxArray, center: FloatArray, costs: FloatArray | None
) -> float:
    """Return what the mean territory costs, by which prices of deviations are measured."""
    if costs is not None:
        return float(costs[np.arange(problem.n), label].sum()) / problem.k
    return float(weight @ ((problem.xyz - center[label]) ** 2).sum(axis=1)) / problem.k


def _objective(compactness: Compactness, *, fixed: bool) -> str:
    if compactness in ("perimeter", "reach"):
        return compactness
    return "fixed" if fixed else "squared"


def _lengths(graph: ContiguityGraph | None, near: Graph) -> FloatArray | None:
    """Return the length of the border of each pair in `near`, metres; None, so 1 each, where no borders are known."""
    if graph is None or graph.border_m is None or graph.n_sites != len(near.indptr) - 1:
        return None
    start = np.repeat(np.arange(graph.n_sites), np.diff(graph.indptr))
    known = dict(zip(zip(start.tolist(), graph.indices.tolist(), strict=True), graph.border_m.tolist(), strict=True))
    here = graph.site[np.repeat(np.arange(len(near.indptr) - 1), np.diff(near.indptr))]
    return np.array([known.get(p, 0.0) for p in zip(here.tolist(), graph.site[near.indices].tolist(), strict=True)])
