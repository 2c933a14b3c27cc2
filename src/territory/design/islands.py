"""Islands: parts of the contiguity graph that nothing joins, and the territories that each of them gets.

Where every territory has to be in one piece, it lies in one component of the graph, and each component is dealt out
among a whole number of territories. Whether that can be is said before anything is solved.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import MAX_ROWS_LISTED, Problem
from territory.geo.sphere import great_circle_m

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray, TextArray

__all__ = ["component_counts", "deal_components", "island_problems"]

#: Less than this share of a limit is no violation but rounding.
_ROUNDING: Final = 1e-9
#: Components that a message names one by one.
_MOST_NAMED: Final = 5
_HINT: Final = "Join them with bridges=, or let islands='parts' (or 'join')."


def component_counts(
    graph: ContiguityGraph, measures: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[IntArray, IntArray]:
    """Return the least and most territories that each component can hold, going by its totals alone.

    Parameters
    ----------
    graph : ContiguityGraph of n customers, in c components
    measures : float array of shape (n, m)
    lower, upper : float arrays of shape (k, m)
        What each territory must and may hold.

    Returns
    -------
    least, most : int64 arrays of shape (c,)
        ``least > most`` where no number of territories fits. Customers without a site may go to any of them, which
        is taken into account.
    """
    component = graph.component
    at = component >= 0
    c, k = int(component.max(initial=-1)) + 1, len(lower)
    size = np.bincount(component[at], minlength=c)
    least, most = np.ones(c, dtype=np.int64), np.minimum(k, size).astype(np.int64)
    for m in range(measures.shape[1]):
        total = np.bincount(component[at], measures[at, m], c)
        loose = float(measures[~at, m].sum())
        # the lightest n territories, and what the heaviest n can take
        minimum = np.concatenate([[0.0], np.cumsum(np.sort(lower[:, m]))])
        maximum = np.concatenate([[0.0], np.cumsum(np.sort(upper[:, m])[::-1])])
        slack = _ROUNDING * max(float(maximum[-1]), 1e-300)
        most = np.minimum(most, np.searchsorted(minimum, total + loose + slack, side="right") - 1)
        least = np.maximum(least, np.searchsorted(maximum, total - slack, side="left"))
    return least, most


def island_problems(
    graph: ContiguityGraph,
    measures: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    ids: Sequence[str],
    measure_names: Sequence[str],
) -> list[Problem]:
    """Say why no territories in one piece exist, as far as the components of the graph tell, before any is sought.

    Parameters
    ----------
    graph : ContiguityGraph of n customers
        With ``islands="parts"``, or all in one component, nothing is wrong.
    measures : float array of shape (n, m), at least 0
    lower, upper : float arrays of shape (k, m)
        What each territory must and may hold; 0 and infinity for a goal that is no limit.
    ids : sequence of str, length n
        What the customers are called.
    measure_names : sequence of str, length m

    Returns
    -------
    list of Problem
        ``"too-many-components"``: more components than territories; ``"component-below-minimum"``: islands whose
        total no territory can live on; ``"component-unbalanced"``: components that no whole number of territories
        fits; ``"components-unbalanced"``: each can be dealt out, but not all of them among k. Each lists the first
        customers of the components, the smallest ones first, and ``rows`` are their positions.

    Notes
    -----
    Every problem is a proof; that there is none proves nothing. O(n + k log k).
    """
    if graph.islands == "parts":
        return []
    component = graph.component
    c, k = int(component.max(initial=-1)) + 1, len(lower)
    if c < 2:
        return []
    size = np.bincount(component[component >= 0], minlength=c)
    least, most = component_counts(graph, measures, lower, upper)
    problems = []
    if c > k:
        small = np.argsort(size, kind="stable")[: c - k]
        message = f"{c} parts of the map that nothing joins, for {k} territories in one piece each"
        problems.append(_problem("too-many-components", message, small, component, ids, c))
    below = np.flatnonzero((most < 1) & (size > 0))
    if len(below):
        minimum, name, total = _shortfall(measures, component, lower, below, measure_names)
        message = f"too little {name} for a territory of its own, which needs {minimum:.6g} ({total:.6g})"
        problems.append(_problem("component-below-minimum", message, below, component, ids, len(below)))
    odd = np.flatnonzero((least > most) & (most >= 1))
    if len(odd):
        message = "no whole number of territories fits what lies on parts of the map that nothing joins"
        problems.append(_problem("component-unbalanced", message, odd, component, ids, len(odd)))
    if not problems and not least.sum() <= k <= most.sum():
        few = int(least.sum()) > k
        need = f"at least {least.sum()}" if few else f"at most {most.sum()}"
        message = f"the {c} parts of the map that nothing joins hold {need} territories within their limits, not {k}"
        order = np.argsort(size, kind="stable")
        problems.append(_problem("components-unbalanced", message, order, component, ids, c))
    return problems


def _shortfall(
    measures: FloatArray, component: IdxArray, lower: FloatArray, below: IntArray, names: Sequence[str]
) -> tuple[float, str, float]:
    """Return the minimum that the first of these components misses most, its name, and the component's total."""
    total = measures[component == below[0]].sum(axis=0)
    minimum = lower.min(axis=0)
    m = int(np.argmax((minimum - total) / np.maximum(minimum, 1e-300)))
    return float(minimum[m]), names[m], float(total[m])


def _problem(
    code: str, message: str, which: IntArray, component: IdxArray, ids: Sequence[str] | TextArray, count: int
) -> Problem:
    """Name the customers of some components, smallest components first."""
    size = np.bincount(component[component >= 0])
    ordered = which[np.argsort(size[which], kind="stable")]
    members = [np.flatnonzero(component == part) for part in ordered[:_MOST_NAMED]]
    rest = f" and {len(ordered) - _MOST_NAMED} more" if len(ordered) > _MOST_NAMED else ""
    listed = ", ".join(_listed([str(ids[i]) for i in rows[:MAX_ROWS_LISTED]], len(rows)) for rows in members)
    return Problem(code, f"{message}: {listed}{rest}", "id", count, tuple(int(rows[0]) for rows in members), _HINT)


def _listed(ids: list[str], count: int) -> str:
    more = f" and {count - len(ids)} more" if count > len(ids) else ""
    return f"{{{', '.join(ids)}{more}}}"


def islands_named(graph: ContiguityGraph, row: IdxArray, ids: TextArray) -> Problem:
    """Return a warning that names the customers of all components but the largest.

    Parameters
    ----------
    graph : ContiguityGraph of the customers at positions `row` of a table
    ids : text array, of that table
    """
    component = np.full(len(ids), -1, dtype=np.int32)
    component[row] = graph.component
    size = np.bincount(component[component >= 0])
    small = np.delete(np.arange(len(size)), int(np.argmax(size)))
    message = f"{len(size)} parts of the map that nothing joins; all but the largest"
    return replace(_problem("islands", message, small, component, ids, int(size[small].sum())), hint=None)


def deal_components(
    graph: ContiguityGraph,
    measures: FloatArray,
    share: FloatArray,
    tolerance: FloatArray,
    *,
    lon: FloatArray,
    lat: FloatArray,
    homes: tuple[FloatArray, FloatArray] | None = None,
    limits: tuple[FloatArray, FloatArray] | None = None,
    eligible: BoolArray | None = None,
) -> IdxArray:
    """Choose the component that each territory lies in: balance first, then short ways from the homes.

    Parameters
    ----------
    graph : ContiguityGraph of n customers, in c <= k components
    measures : float array of shape (n, m)
    share : float array of shape (k,), adds up to 1
    tolerance : float array of shape (m,)
    lon, lat : float arrays of shape (n,), degrees
    homes : pair of float arrays of shape (k,), degrees, optional
        Longitude and latitude of the rep's home of each territory.
    limits : pair of float arrays of shape (k, m), optional
        What each territory must and may hold, where that is not the tolerance around its share.
    eligible : bool array of shape (n, k), optional
        Every customer needs one on its component who may serve it.

    Returns
    -------
    int32 array of shape (k,)
        Every component gets a territory, and none more than it has customers.

    Notes
    -----
    An integer programme of k c binaries (HiGHS): least total excess over the bands, then, with a thousandth of its
    weight, least mean distance to the homes. Where all shares are alike and there are no homes, a greedy
    method is exact.
    """
    component = graph.component
    c, k = int(component.max(initial=-1)) + 1, len(share)
    if c < 2:
        return np.zeros(k, dtype=np.int32)
    at = component >= 0
    size = np.bincount(component[at], minlength=c)
    total = np.stack([np.bincount(component[at], column[at], c) for column in measures.T], axis=1)
    # what has no site goes where it is needed; here it is taken as spread evenly
    whole = np.maximum(total.sum(axis=0), 1e-300)
    total = total / whole
    if limits is None:
        limits = (share[:, None] * (1.0 - tolerance), share[:, None] * (1.0 + tolerance))
    else:
        limits = (limits[0] / whole, np.minimum(limits[1] / whole, 2.0))
    alike = all((one == one[0]).all() for one in limits) and eligible is None
    if homes is None and np.allclose(share, share[0]) and alike:
        return np.repeat(np.arange(c), _filled(total, size, k, tolerance)).astype(np.int32)
    away = np.zeros((k, c))
    if homes is not None:
        for part in range(c):
            rows = np.flatnonzero(component == part)
            rows = rows[:: 1 + len(rows) // 1000]
            metres = great_circle_m(homes[0][:, None], homes[1][:, None], lon[rows][None, :], lat[rows][None, :])
            away[:, part] = metres.min(axis=1)
    found = _programme(total, size, limits, away, _needs(component, eligible, c))
    if found is None:  # pragma: no cover - some dealing out always exists where nobody is particular
        return np.repeat(np.arange(c), _filled(total, size, k, tolerance)).astype(np.int32)
    return found


def _needs(component: IdxArray, eligible: BoolArray | None, c: int) -> list[tuple[int, BoolArray]]:
    """Return, for each component, sets of territories of which one must be on it."""
    if eligible is None:
        return []
    needs = []
    for part in range(c):
        rows = np.unique(eligible[component == part], axis=0)
        needs += [(part, one) for one in rows if not one.all()]
    return needs


def _filled(total: FloatArray, size: IntArray, k: int, tolerance: FloatArray) -> IntArray:
    """Return how many of k equal territories each component gets, int64 of shape (c,).

    Least excess over the bands, then least deviation: sums over components of convex functions of their numbers, so
    that giving the next territory to where it helps most is exact (Fox 1966). Totals (c, m) are shares of the whole.
    """

    def cost(n: IntArray) -> FloatArray:
        off = np.abs(total * k - n[:, None])
        excess = np.maximum(off - tolerance * n[:, None], 0.0)
        return np.asarray((excess + 1e-3 * off).sum(axis=1))

    count = np.ones(len(total), dtype=np.int64)
    for _ in range(k - len(total)):
        step = np.where(count < size, cost(count + 1) - cost(count), np.inf)
        count[int(np.argmin(step))] += 1
    return count


def _programme(
    total: FloatArray,
    size: IntArray,
    limits: tuple[FloatArray, FloatArray],
    away: FloatArray,
    needs: list[tuple[int, BoolArray]],
) -> IdxArray | None:
    """Solve the integer programme of `deal_components`; None where there is no answer."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - rarely needed
    from scipy.sparse import coo_array, csr_array, hstack, vstack  # noqa: PLC0415

    (c, m), k = total.shape, len(away)
    j, part = np.repeat(np.arange(k), c), np.tile(np.arange(c), k)
    x = np.arange(k * c)
    one = csr_array((np.ones(k * c), (j, x)), shape=(k, k * c))
    some = csr_array((np.ones(k * c), (part, x)), shape=(c, k * c))
    rows, low, high = [hstack([one, csr_array((k, c * m))])], [np.ones(k)], [np.ones(k)]
    rows.append(hstack([some, csr_array((c, c * m))]))
    low.append(np.ones(c))
    high.append(size.astype(np.float64))
    for measure in range(m):
        least, most = (csr_array((side[j, measure], (part, x)), shape=(c, k * c)) for side in limits)
        slack = coo_array((np.ones(c), (np.arange(c), measure * c + np.arange(c))), shape=(c, c * m))
        # the total lies within the bands of those that are put there, give or take the slack
        rows += [hstack([most, slack]), hstack([least, -slack])]
        low += [total[:, measure], np.full(c, -np.inf)]
        high += [np.full(c, np.inf), total[:, measure]]
    for on, who in needs:
        rows.append(csr_array(np.concatenate([(part == on) & who[j], np.zeros(c * m)])[None, :].astype(np.float64)))
        low.append(np.ones(1))
        high.append(np.full(1, np.inf))
    cost = 1e-3 * away / max(float(away.mean()), 1.0) / k
    found = milp(
        np.concatenate([cost.reshape(-1), np.ones(c * m)]),
        constraints=LinearConstraint(vstack(rows).tocsr(), np.concatenate(low), np.concatenate(high)),
        integrality=np.concatenate([np.ones(k * c), np.zeros(c * m)]),
        bounds=Bounds(0.0, np.concatenate([np.ones(k * c), np.full(c * m, np.inf)])),
        options={"time_limit": 10.0},
    )
    return None if found.x is None else np.asarray(found.x[: k * c].reshape(k, c).argmax(axis=1), dtype=np.int32)
