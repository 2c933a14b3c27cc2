"""Exact answers where problems are small: the best centres among customers, and whether limits can be kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InfeasibleError, InputError, Problem
from territory.model.enums import Status

if TYPE_CHECKING:
    from territory.design.atoms import Atoms
    from territory.design.exact import ExactResult
    from territory.design.first import First
    from territory.design.request import Request
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import FloatArray, IdxArray, IntArray

__all__ = ["Exact", "exact_territories", "kept_exactly", "refuse_too_large"]

#: Customers and territories that an integer programme is good for.
MOST_CUSTOMERS: Final = 200
MOST_TERRITORIES: Final = 8


@dataclass(frozen=True, eq=False)
class Exact:
    """Territories from an integer programme.

    Attributes
    ----------
    label : int32 array of shape (a,)
    center : float array of shape (k, 3), metres
    bound : float
        Weighted squared distance that no territories around any of the customers, or these homes, fall below.
    proven : bool
        Whether these are the best.
    """

    label: IdxArray
    center: FloatArray
    bound: float
    proven: bool


def refuse_too_large(request: Request, atoms: Atoms) -> None:
    """Raise if an exact answer was asked for that there is no programme for.

    Raises
    ------
    InputError
        Too many customers or territories, or centres that are neither free nor at homes.
    """
    problems = []
    if atoms.problem.n > MOST_CUSTOMERS or request.k > MOST_TERRITORIES:
        message = (
            f"{atoms.problem.n} customers in {request.k} territories are too many for an exact answer; "
            f"up to {MOST_CUSTOMERS} in {MOST_TERRITORIES}"
        )
        problems.append(Problem("too-large", message, hint="Leave out method='exact'."))
    if request.yardstick is not None:
        problems.append(Problem("unknown-option", "exact answers are for squared distances", hint="Leave out travel."))
    if atoms.problem.soft is not None:
        problems.append(
            Problem("unknown-option", "exact answers know no price of deviations", hint="Balance(weight=0)")
        )
    if 0.0 < request.pull < 1.0:
        message = "exact answers are for centres at customers or at homes"
        problems.append(Problem("unknown-option", message, hint="centers='free' or 'homes'."))
    if request.pull == 0.0 and not (_alike(request) and request.reach_m is None):
        message = "exact answers with free centres are for territories that are all alike"
        hint = "centers='homes' takes locks, skills, reach and shares by rep."
        problems.append(Problem("unknown-option", message, hint=hint))
    if problems:
        raise InputError(problems, "design_territories")


def _alike(request: Request) -> bool:
    bands = request.bands
    same = (bands.lower == bands.lower[0]).all() and (bands.upper == bands.upper[0]).all()
    return bool(same) and request.eligible is None and request.part is None


def _edges(graph: ContiguityGraph | None) -> tuple[IntArray | None, Any]:
    """Return pairs of neighbours among atoms, and whom contiguity concerns."""
    if graph is None:
        return None, None
    placed = np.flatnonzero(graph.site >= 0)
    pairs = graph.site[placed][:, None], graph.site[placed][None, :]
    beside = pairs[0] == pairs[1]
    linked = np.zeros((graph.n_sites, graph.n_sites), dtype=bool)
    edges = graph.edges
    linked[edges[:, 0], edges[:, 1]] = linked[edges[:, 1], edges[:, 0]] = True
    i, j = np.nonzero(np.triu(beside | linked[pairs[0], pairs[1]], 1))
    return np.stack([placed[i], placed[j]], axis=1), graph.site >= 0


def _squares(atoms: Atoms, center: FloatArray) -> FloatArray:
    p = atoms.problem
    return np.asarray(p.weight[:, None] * ((p.xyz[:, None, :] - center[None, :, :]) ** 2).sum(axis=2))


def exact_territories(request: Request, atoms: Atoms, label: IdxArray | None, deadline: float) -> Exact:
    """Return the best territories around customers as centres, or around the homes.

    Parameters
    ----------
    request : Request
        That `refuse_too_large` has let pass.
    atoms : Atoms
    label : int32 array of shape (a,), optional
        Territories that keep every rule, if any were found.
    deadline : float

    Raises
    ------
    InfeasibleError
        No territories keep the limits, which is proven; or none were found in time.
    """
    # kernels that few calls need
    from territory.design.exact import exact_assignment, exact_centers  # noqa: PLC0415

    p = atoms.problem
    edges, concerned = _edges(atoms.graph)
    apart = () if p.apart is None else p.apart
    lower, upper = _bands(request, atoms)
    if request.pull >= 1.0 and request.homes is not None:
        found = exact_assignment(
            _squares(atoms, request.homes), p.measures, lower, upper, eligible=p.eligible, apart=apart, edges=edges,
            concerned=concerned, deadline=deadline,
        )  # fmt: skip
        return _read(found, label, request.homes)
    cost = _squares(atoms, p.xyz)
    # the middle of a group is no customer
    cost[:, np.bincount(atoms.atom) > 1] = np.inf
    found = exact_centers(
        cost, p.measures, lower[0], upper[0], k=p.k, apart=apart, edges=edges, concerned=concerned, label=label,
        deadline=deadline,
    )  # fmt: skip
    center = p.xyz if found.center is None else p.xyz[found.center]
    return _read(found, label, center)


def _bands(request: Request, atoms: Atoms) -> tuple[FloatArray, FloatArray]:
    """Return hard limits only; a goal forbids nothing."""
    p = atoms.problem
    if request.hard:
        return p.lower, p.upper
    return np.zeros_like(p.lower), np.full_like(p.upper, np.inf)


def _read(found: ExactResult, label: IdxArray | None, center: FloatArray) -> Exact:
    if found.status is Status.INFEASIBLE:
        raise InfeasibleError([_impossible()], "no alignment can satisfy the hard limits")
    if found.label is None:
        message = "no territories were found in time" if label is None else "nothing was proven in time"
        problem = Problem("time-limit", message, hint="Give more time, or leave out method='exact'.")
        raise InfeasibleError([problem], "no alignment was found within the hard limits")
    return Exact(found.label.astype(np.int32), center, found.bound, found.status is Status.OPTIMAL)


def _impossible() -> Problem:
    message = "no alignment keeps all limits at once: proven by an integer programme"
    return Problem("limits-impossible", message, hint="Widen the balance, or drop a rule.")


def kept_exactly(
    request: Request, atoms: Atoms, first: First, costs: FloatArray | None, error: InfeasibleError, deadline: float
) -> IdxArray:
    """Return territories that keep every limit, where the search has found none.

    Parameters
    ----------
    costs : float array of shape (a, k), optional
        Of travel; default: squared distances to the centres of `first`.
    error : InfeasibleError
        What the search ended with; raised again where problems are too large, or time runs out.

    Raises
    ------
    InfeasibleError
    """
    p, graph = atoms.problem, atoms.graph
    parts = graph is not None and graph.islands == "parts" and graph.n_components > 1
    within = request.reach_m is not None and not request.one_each
    if p.n > MOST_CUSTOMERS or p.k > MOST_TERRITORIES or parts or within:
        raise error
    from territory.design.exact import exact_assignment  # noqa: PLC0415 - kernels that few calls need

    edges, concerned = _edges(graph)
    eligible = atoms.common(request.eligible)
    if costs is not None:
        eligible = first.problem.eligible
    lower, upper = _bands(request, atoms)
    found = exact_assignment(
        _squares(atoms, first.center) if costs is None else costs, p.measures, lower, upper, eligible=eligible,
        apart=() if p.apart is None else p.apart, edges=edges, concerned=concerned, deadline=deadline,
    )  # fmt: skip
    if found.status is Status.INFEASIBLE and costs is None:
        raise InfeasibleError([*error.reasons, _impossible()], "no alignment can satisfy the hard limits") from None
    if found.label is None:
        raise error
    return found.label.astype(np.int32)
