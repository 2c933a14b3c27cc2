"""Territories of proven least cost, for a few hundred units: centres at units, or centres that are given.

With centres at units this is the model of Hess et al. 1965: k of the n units are centres and belong to their own
territories; everybody belongs to one. A program of n^2 choices is more than a solver can do in minutes. But the
Lagrangian bound (`lagrange`) says, for every unit and every centre, what any answer with that pair costs at least: what
is above an answer that is known, or looked for, need not be a choice (Validi, Buchanan & Lykhovyd 2022). So the
program is solved for answers little above the bound first. If there is one, it is the best of all; if not, the
bound is higher than that, and more is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.design.exact_model import GAP, HessModel
from territory.design.lagrange_units import unit_center_dual
from territory.model.enums import Status

if TYPE_CHECKING:
    from territory.design.lagrange_units import UnitDual
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["ExactResult", "exact_assignment", "exact_centers", "promising"]

#: How far above the Lagrangian bound the first look goes, and how much farther each next one.
_FIRST: Final = 0.01
_FARTHER: Final = 3.0
#: Part of the time that the prices may take.
_PRICES: Final = 0.3
#: Rounding that prices may hide, relative.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, eq=False)
class ExactResult:
    """Territories and what is proven of them.

    Attributes
    ----------
    label : int32 array of shape (n,) or None
        Territory of each unit, 0 to k - 1, in the order of `center`; None if none was found.
    center : int32 array of shape (k,) or None
        The unit (or candidate) at the centre of each territory, ascending.
    objective : float
        Cost of the territories; inf without any.
    bound : float
        Nothing costs less; inf if there is no answer.
    status : Status
        OPTIMAL (to a relative 1e-7 of the solver), TIME_LIMIT or INFEASIBLE.
    """

    label: IdxArray | None
    center: IdxArray | None
    objective: float
    bound: float
    status: Status


def exact_centers(
    cost: FloatArray,
    measures: FloatArray,
    lower: Any,
    upper: Any,
    *,
    k: int,
    apart: Any = (),
    edges: Any = None,
    concerned: BoolArray | None = None,
    label: IdxArray | None = None,
    deadline: float = float("inf"),
) -> ExactResult:
    """Choose k of n units as centres and assign all, at least cost (Hess et al. 1965).

    Parameters
    ----------
    cost : float array of shape (n, n)
        What it costs that i belongs to centre j, at least 0, say weight times squared distance; inf: it must not.
    measures : float array of shape (n, m)
        At least 0.
    lower, upper : float arrays of shape (m,)
        Least and largest total of each measure, of every territory alike.
    k : int, 1 to n
    apart : array_like of int, shape (p, 2)
        Pairs of units that must not share a territory.
    edges : array_like of int, shape (e, 2), optional
        Pairs of neighbours; every territory must be connected then.
    concerned : bool array of shape (n,), optional
        Whom contiguity concerns; default: everybody. The others link nobody.
    label : int array of shape (n,), optional
        An answer that keeps everything, to begin with; it is believed.
    deadline : float
        Monotonic seconds; when it has passed, the best so far and the bound so far are returned.

    Returns
    -------
    ExactResult

    Notes
    -----
    Seconds for 200 units in 8 territories if the Lagrangian bound is near (bands of some per cent, places that are
    not in few heaps), else minutes and more.
    """
    cost = np.ascontiguousarray(cost, dtype=np.float64)
    n = len(cost)
    measures = np.asarray(measures, dtype=np.float64).reshape(n, -1)
    low, high = (np.broadcast_to(np.asarray(v, dtype=np.float64), (measures.shape[1],)) for v in (lower, upper))
    began = monotonic()
    until = began + _PRICES * (deadline - began) if np.isfinite(deadline) else deadline
    dual = unit_center_dual(cost, measures[:, 0], low[0], high[0], k=k, deadline=until)
    # an arc at no finite cost is none, whatever its reduced cost
    near = np.where(np.isfinite(cost), cost, 0.0)
    neighbours = None if edges is None else neighbours_of(edges, n, concerned)
    model = HessModel(
        near,
        measures,
        np.tile(low, (n, 1)),
        np.tile(high, (n, 1)),
        k,
        own=True,
        apart=_pairs(apart),
        neighbours=neighbours,
        concerned=concerned,
    )
    best, best_label = np.inf, None
    if label is not None:
        best, best_label = _centred(cost, np.asarray(label), k)
    bound = dual.bound
    if not np.isfinite(bound):
        return ExactResult(None, None, np.inf, np.inf, Status.INFEASIBLE)
    bound = max(bound, 0.0)
    floor = _pair_bounds(cost, measures[:, 0], k, dual)
    step = _FIRST * max(bound, 1e-3 * float(near.max(initial=0.0)))
    known = 0
    while best > bound * (1.0 + GAP):
        goal = min(best, max(bound, dual.bound) + step)
        allowed = promising(floor, goal) & np.isfinite(cost)
        if not np.isfinite(goal):
            allowed = np.isfinite(cost)
        if allowed.sum() == known and goal < best:
            # nothing new to be had up to there
            if known == np.isfinite(cost).sum():
                goal = best
            else:
                bound, step = max(bound, goal), step * _FARTHER
                continue
        known = int(allowed.sum())
        everything = known == int((np.isfinite(floor) & np.isfinite(cost)).sum())
        answer = model.solve(allowed, deadline=deadline, cutoff=best)
        if answer.label is not None and answer.objective < best:
            best, best_label = answer.objective, answer.label
        # what is not allowed costs more than the goal
        limit = answer.bound if everything else min(goal, answer.bound)
        bound = max(bound, min(limit, best))
        if not answer.proven or monotonic() >= deadline:
            break
        if answer.label is None and everything:
            bound = best
        step *= _FARTHER
    return _result(best, best_label, bound)


def exact_assignment(
    cost: FloatArray,
    measures: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    eligible: BoolArray | None = None,
    apart: Any = (),
    edges: Any = None,
    concerned: BoolArray | None = None,
    deadline: float = float("inf"),
) -> ExactResult:
    """Assign units to centres that are given, at least cost; territories may be told apart.

    Parameters
    ----------
    cost : float array of shape (n, k)
        What it costs that i belongs to territory j.
    measures : float array of shape (n, m)
    lower, upper : float arrays of shape (k, m)
        Least and largest total of each measure, by territory.
    eligible : bool array of shape (n, k), optional
        Who may belong where.
    apart, edges, concerned, deadline
        As for `exact_centers`.

    Returns
    -------
    ExactResult
        `center` is 0 to k - 1.
    """
    cost = np.ascontiguousarray(cost, dtype=np.float64)
    n, k = cost.shape
    measures = np.asarray(measures, dtype=np.float64).reshape(n, -1)
    low, high = (np.broadcast_to(np.asarray(v, dtype=np.float64), (k, measures.shape[1])) for v in (lower, upper))
    neighbours = None if edges is None else neighbours_of(edges, n, concerned)
    allowed = np.isfinite(cost) if eligible is None else np.isfinite(cost) & eligible
    model = HessModel(
        np.where(allowed, cost, 0.0), measures, low, high, k, own=False,
        apart=_pairs(apart), neighbours=neighbours, concerned=concerned
    )  # fmt: skip
    least = float(np.where(allowed, cost, np.inf).min(axis=1).sum())
    answer = model.solve(allowed, deadline=deadline)
    status = Status.OPTIMAL if answer.proven else Status.TIME_LIMIT
    if answer.label is None:
        status = Status.INFEASIBLE if answer.proven else status
        return ExactResult(None, None, np.inf, max(answer.bound, least), status)
    bound = min(max(answer.bound, least), answer.objective)
    return ExactResult(answer.label, np.arange(k, dtype=np.int32), answer.objective, bound, status)


def promising(floor: FloatArray, goal: float) -> BoolArray:
    """Return which pairs may be part of an answer that costs no more than a goal; those of units no centre are none."""
    allowed = floor <= goal + _ROUNDING * abs(goal)
    return np.asarray(allowed & np.diagonal(allowed)[None, :])


def _pair_bounds(cost: FloatArray, load: FloatArray, k: int, dual: UnitDual) -> FloatArray:
    """Return what any answer costs in which i belongs to centre j, at least, shape (n, n).

    With j among the centres, and i taken against its will: what that adds at the price of load where j ends.
    """
    order = np.sort(dual.value)
    kth = float(order[k - 1])
    opened = dual.bound + np.maximum(dual.value - kth, 0.0)
    end = np.where(np.isfinite(dual.end), dual.end, 0.0)
    forced = np.maximum(cost - dual.price[:, None] - end[None, :] * load[:, None], 0.0)
    np.fill_diagonal(forced, 0.0)
    floor = np.where(np.isfinite(dual.value)[None, :], opened[None, :] + forced, np.inf)
    return np.asarray(floor)


def neighbours_of(edges: Any, n: int, concerned: BoolArray | None) -> list[Any]:
    """Return the neighbours of each unit, ascending; those whom contiguity does not concern have none."""
    pairs = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    if concerned is not None:
        pairs = pairs[concerned[pairs].all(axis=1)]
    both = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    return np.split(both[:, 1], np.cumsum(np.bincount(both[:, 0], minlength=n))[:-1])


def _pairs(apart: Any) -> Any:
    return np.asarray(apart, dtype=np.int64).reshape(-1, 2)


def _centred(cost: FloatArray, label: IdxArray, k: int) -> tuple[float, IdxArray | None]:
    """Return the cost of territories with the best unit of each at its centre, and labels by these units."""
    out = np.empty(len(label), dtype=np.int32)
    total = 0.0
    for territory in np.unique(label).tolist():
        members = np.flatnonzero(label == territory)
        sums = cost[np.ix_(members, members)].sum(axis=0)
        out[members] = members[int(np.argmin(sums))]
        total += float(sums.min())
    return (total, out) if len(np.unique(out)) == k and np.isfinite(total) else (np.inf, None)


def _result(best: float, label: IdxArray | None, bound: float) -> ExactResult:
    if label is None:
        status = Status.INFEASIBLE if bound == np.inf else Status.TIME_LIMIT
        return ExactResult(None, None, np.inf, bound, status)
    center, number = np.unique(label, return_inverse=True)
    status = Status.OPTIMAL if best <= bound * (1.0 + 2.0 * GAP) + 1e-12 * best else Status.TIME_LIMIT
    return ExactResult(number.reshape(-1).astype(np.int32), center.astype(np.int32), best, bound, status)
