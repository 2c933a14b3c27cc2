"""The first territories: a balanced power diagram by the first measure; later steps put the rest right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from territory.design.power import power_design
from territory.design.power_joined import joined_up
from territory.design.problem import on_sphere
from territory.design.reach import Reached, fitted_to_reach
from territory.design.request_balance import DEFAULT_TOLERANCE
from territory.design.transport import Transport
from territory.errors import MAX_ROWS_LISTED, InfeasibleError, Problem, SolverError
from territory.geo.sphere import EARTH_RADIUS_M

if TYPE_CHECKING:
    from territory.design.atoms import Atoms
    from territory.design.problem import DesignProblem
    from territory.design.request import Request
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["First", "first_territories", "starts_for"]

#: Starts where centres are free, by number of customers; the first leaves nothing to chance.
_STARTS: Final = ((20_000, 5), (50_000, 2), (np.inf, 1))
#: Parts of the band that may be used before territories are made contiguous, which needs the rest, where prices do not
#: tell at what cost: the first that is possible.
_PARTS: Final = (0.7, 0.85, 1.0)
#: How far the first measure may be from its target at first where there are others.
_NOT_EMPTY: Final = 0.9


def starts_for(n: int) -> int:
    """Return how many starts so many customers are worth."""
    return next(starts for most, starts in _STARTS if n <= most)


class First(NamedTuple):
    """Territories of atoms, balanced by the first measure as far as that goes.

    Attributes
    ----------
    problem : DesignProblem
        With those eligible who are within reach of the centres.
    label : int32 array of shape (a,)
    center : float array of shape (k, 3), metres
    at : centres in the terms of the yardstick, if there is one
    price : float array of shape (k,), squared metres, optional
        What a unit of weight costs more in each territory, where these are whole shares of the linear program.
    """

    problem: DesignProblem
    label: IdxArray
    center: FloatArray
    at: Any = None
    price: FloatArray | None = None


def first_territories(request: Request, atoms: Atoms, deadline: float, *, squared: bool = False) -> First:
    """Return the territories that moves at the borders begin with.

    Parameters
    ----------
    request : Request
    atoms : Atoms
    deadline : float
        Monotonic seconds.
    squared : bool
        Whether squared distances are all that is kept small later on.

    Raises
    ------
    InfeasibleError
        Centres from which everybody is within reach were not found.
    """
    problem = atoms.problem
    if not problem.n:
        return First(problem, np.zeros(0, dtype=np.int32), np.zeros((problem.k, 3)))
    priced = squared and _has_prices(request, problem)
    lower, upper = _first_band(problem, room=request.graph is not None and not priced)
    if request.yardstick is not None:
        first = _by_yardstick(request, atoms, lower, upper, deadline)
        return (
            first
            if request.reach_m is None or request.one_each
            else _within(request, atoms, first, lower, upper, deadline)
        )
    found = power_design(
        problem.xyz, problem.weight, lower, upper,
        center=_island_centers(request, atoms, deadline) if request.pull == 0.0 else None,
        homes=request.homes if request.pull > 0.0 else None, pull=request.pull, radius=EARTH_RADIUS_M,
        eligible=problem.eligible, starts=starts_for(problem.n), rng=request.rng, deadline=deadline,
    )  # fmt: skip
    if not found.feasible:  # pragma: no cover - the band was tried by a flow
        msg = "no balanced territories within a band that is possible"
        raise SolverError(msg)
    first = First(problem, found.label, found.center)
    if priced and atoms.graph is not None:
        joined = joined_up(problem, atoms.graph, found.center, found.price, lower, upper, deadline=deadline)
        if joined is not None:
            return First(problem, joined.label, found.center, None, joined.price)
    if request.reach_m is None or request.one_each:
        return first
    return _within(request, atoms, first, lower, upper, deadline)


def _within(
    request: Request, atoms: Atoms, first: First, lower: FloatArray, upper: FloatArray, deadline: float
) -> First:
    """Return territories whose customers are within reach of free centres, which are points."""
    reach = np.zeros(0) if request.reach_m is None else request.reach_m
    lon, lat = request.customers.lon[request.row], request.customers.lat[request.row]
    reached = fitted_to_reach(
        first.problem, first.label, first.center, reach, lower, upper, deadline,
        member=on_sphere(lon, lat), atom=atoms.atom,
    )  # fmt: skip
    if len(reached.far):
        raise InfeasibleError([_too_far(request, atoms, reached)], "no alignment was found within reach")
    at = None if first.at is None else reached.center
    return First(replace(first.problem, eligible=reached.eligible), reached.label, reached.center, at)


def _by_yardstick(request: Request, atoms: Atoms, lower: FloatArray, upper: FloatArray, deadline: float) -> First:
    """Return the first territories by travel or distance.

    Raises
    ------
    InfeasibleError
        Centres that everybody gets to, and that keep the band, were not found.
    """
    yard, problem = request.yardstick, atoms.problem
    if yard is None:  # pragma: no cover - asked only where there is one
        raise SolverError("no yardstick")
    centers = _island_centers(request, atoms, deadline) if request.pull == 0.0 else None
    weight = request.measures[:, 0]
    for wider in (1.0, 2.0, 4.0, 16.0):
        low, high = lower / wider, upper * wider
        found = yard.first(
            atoms, weight, low, high, homes=request.homes if request.pull > 0.0 else None, pull=request.pull,
            starts=starts_for(problem.n), rng=request.rng, deadline=deadline, begin=centers,
        )  # fmt: skip
        # bands may be impossible for want of ways alone; then moves at the borders do what they can
        if found.feasible:
            break
    if len(found.unreached) or not found.feasible:
        lost = found.unreached if len(found.unreached) else np.arange(problem.n)
        rows = np.sort(request.row[np.isin(atoms.atom, lost)])
        names = ", ".join(request.customers.id[rows[:5]].tolist())
        message = f"customers who get to none of the centres that may serve them: {names}"
        listed = tuple(int(i) for i in rows[:MAX_ROWS_LISTED])
        hint = "More territories, other homes, or a wider balance."
        raise InfeasibleError(
            [Problem("unreachable", message, "id", len(rows), listed, hint)], "no alignment was found that all get to"
        )
    return First(problem, found.label, yard.metric.points(found.center), found.center)


def _too_far(request: Request, atoms: Atoms, reached: Reached) -> Problem:
    """Return who is too far from every centre that was found."""
    rows = np.sort(request.row[np.isin(atoms.atom, reached.far)])
    names = ", ".join(request.customers.id[rows[:5]].tolist())
    message = f"customers too far from the centre of their territory: {names}"
    hint = "More territories, a longer reach, or a wider balance."
    return Problem("reach-not-kept", message, "id", len(rows), tuple(int(i) for i in rows[:MAX_ROWS_LISTED]), hint)


def _has_prices(request: Request, problem: DesignProblem) -> bool:
    """Return whether the prices of the linear program are what the whole problem is about.

    That is so of one measure with hard limits, and of squared distances; then territories are made whole and connected
    at these prices, within all of the band.
    """
    squared = request.yardstick is None and problem.soft is None
    tied = problem.apart is not None or (request.reach_m is not None and not request.one_each)
    limited = bool(np.isfinite(problem.upper).all()) and problem.measures.shape[1] == 1 and bool(problem.weight.any())
    return squared and limited and not tied and request.graph is not None


def _first_band(problem: DesignProblem, *, room: bool) -> tuple[FloatArray, FloatArray]:
    """Return what territories must and may hold of the first measure at first, shapes (k,); it is possible."""
    if not problem.weight.any():
        # each counts as one then
        return np.zeros(problem.k), np.full(problem.k, float(problem.n))
    target = problem.target[:, 0]
    lower, upper = problem.lower[:, 0], problem.upper[:, 0]
    if not (lower > 0).any() and not np.isfinite(upper).any():
        # no limit: the balance that nobody asked for is where the search begins
        lower, upper = target * (1.0 - DEFAULT_TOLERANCE), target * (1.0 + DEFAULT_TOLERANCE)
    if problem.measures.shape[1] > 1:
        # nobody would refill for the sake of other measures what this one may leave empty
        lower = np.maximum(lower, np.minimum(target * (1.0 - _NOT_EMPTY), upper))
    middle = np.clip(target, lower, np.maximum(upper, lower))
    flow = Transport(problem)
    for part in _PARTS if room else _PARTS[-1:]:
        low, high = middle - part * (middle - lower), middle + part * (np.minimum(upper, flow.total) - middle)
        if flow.possible(low, high):
            return low, high
    # where nothing keeps the band, the next best: moves at the borders do what they can
    least = 1.02 * flow.least(lambda t: (lower * max(1 - t, 0.0), upper * (1 + t))) + 1e-3
    return lower * max(1.0 - least, 0.0), np.minimum(upper * (1.0 + least), 2.0 * flow.total)


def _island_centers(request: Request, atoms: Atoms, deadline: float) -> FloatArray | None:
    """Return centres of territories that were designed island by island; None where they are not tied to islands."""
    if request.part is None or request.component is None:
        return None
    problem = atoms.problem
    component = np.full(problem.n, -1, dtype=np.int32)
    component[atoms.atom] = request.component
    center = np.empty((problem.k, 3))
    target, tolerance = problem.target[:, 0], min(float(problem.tolerance[0]), 1.0)
    for island in np.unique(request.part):
        here, mine = np.flatnonzero(component == island), np.flatnonzero(request.part == island)
        weight = problem.weight[here]
        whole = weight.any() and target[mine].any()
        goal = target[mine] / target[mine].sum() * weight.sum() if whole else np.zeros(len(mine))
        center[mine] = power_design(
            problem.xyz[here], weight, goal * (1.0 - tolerance),
            goal * (1.0 + tolerance) if whole else np.full(len(mine), float(len(here))),
            radius=EARTH_RADIUS_M, starts=starts_for(len(here)), rng=request.rng, deadline=deadline,
        ).center  # fmt: skip
    return center
