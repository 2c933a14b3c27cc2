"""Contiguity as it was asked of territory design: on which graph, and on which island each territory lies."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.design.islands import deal_components, island_problems, islands_named
from territory.errors import InfeasibleError, InputError, Problem
from territory.geo.contiguity import ISLANDS, ContiguityGraph
from territory.geo.sphere import from_unit_vectors
from territory.model.contiguity import contiguity_graph

if TYPE_CHECKING:
    from territory.design.problem import DesignProblem
    from territory.design.request import Request
    from territory.model.arrays import BoolArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.units import BasicUnits

__all__ = ["is_usual", "on_islands", "problem_graph", "read_contiguity"]


def read_contiguity(
    customers: Customers | BasicUnits,
    contiguous: Any,
    barriers: Any,
    bridges: Any,
    islands: Any,
    problems: list[Problem],
) -> ContiguityGraph | None:
    """Return the graph that was asked for, in the order of the table; None where contiguity is not asked for."""
    cut_or_joined = barriers is not None or not isinstance(bridges, Sized) or len(bridges) > 0
    if isinstance(contiguous, (bool, np.bool_)) and not contiguous:
        if cut_or_joined or islands is not None:
            message = "barriers, bridges and islands mean nothing to territories that need not be contiguous"
            problems.append(Problem("unknown-option", message, hint="Leave out contiguous=False."))
        return None
    if isinstance(contiguous, ContiguityGraph):
        if len(contiguous) != len(customers):
            message = f"a contiguity graph of {len(contiguous)} for {len(customers)} customers"
            problems.append(Problem("wrong-shape", message))
            return None
        if cut_or_joined or islands == "join":
            message = "the contiguity graph is made already; barriers, bridges and islands='join' come before that"
            problems.append(Problem("unknown-option", message, hint="Pass them to contiguity_graph."))
        elif islands is not None and islands not in ISLANDS:
            problems.append(Problem("unknown-option", f"islands: expected one of {', '.join(ISLANDS)}"))
        elif islands is not None:
            return replace(contiguous, islands=islands)
        return contiguous
    wanted = contiguous
    if isinstance(contiguous, (bool, np.bool_)):
        by_border = getattr(customers, "geometry", None) is not None and barriers is None
        wanted = "rook" if by_border else "delaunay"
    try:
        options = {"barriers": barriers, "bridges": bridges, "islands": "refuse" if islands is None else islands}
        return contiguity_graph(customers, wanted, **options)
    except InputError as error:
        problems += error.problems
        return None


def is_usual(graph: ContiguityGraph) -> bool:
    """Return whether a graph is the one that is meant where none is named: a checker makes it from the places."""
    plain = graph.kind == "delaunay" and not graph.barriers and graph.islands == "refuse"
    return plain and (graph.bridges is None or len(graph.bridges) == 0)


def problem_graph(
    graph: ContiguityGraph,
    customers: Customers,
    allowed: BoolArray | None,
    row: IdxArray,
    together: IdxArray | None = None,
    overrides: IdxArray | None = None,
) -> ContiguityGraph:
    """Return the graph in the order of the problem, with a site for whom contiguity concerns.

    These are the customers whom every rep may serve, within reach or not, but for groups that must be together
    though they do not hang together by themselves: an account with branches all over the country.

    Parameters
    ----------
    graph : ContiguityGraph of all customers, in the order of the table
    allowed : bool array of shape (number of all customers, k), or None
        Whom the reps may serve, whatever their reach.
    row : int32 array
        Positions of the problem's customers in the table.
    together : int32 array of shape (number of all customers,), optional
        Group of each customer, -1: none.
    overrides : int32 array of shape (number of all customers,), optional
        Rep to whom a customer was given by name, -1: none.
    """
    free = np.zeros(len(customers), dtype=bool)
    free[row] = True
    if allowed is not None:
        free &= allowed.all(axis=1)
    if customers.locked is not None:
        free &= ~customers.locked
    if overrides is not None:
        free &= overrides < 0
    lon, lat = customers.lon, customers.lat
    kept = graph.among(free, lon, lat)
    if together is not None:
        free &= ~_scattered(kept, together)
        kept = graph.among(free, lon, lat)
    return kept.take(row)


def _scattered(graph: ContiguityGraph, group: IdxArray) -> BoolArray:
    """Return the members of groups that the graph, or a member without a site, leaves in several pieces."""
    member = np.flatnonzero(group >= 0)
    piece = graph.torn(group)[member]
    first = np.full(int(group.max(initial=-1)) + 1, -1, dtype=np.int64)
    first[group[member][::-1]] = piece[::-1]
    apart = (piece < 0) | (piece != first[group[member]])
    torn = np.zeros(len(first), dtype=bool)
    torn[group[member[apart]]] = True
    out = np.zeros(len(group), dtype=bool)
    out[member] = torn[group[member]]
    return out


def on_islands(request: Request, problem: DesignProblem) -> tuple[Request, DesignProblem]:
    """Deal out the components of the graph among the territories, where each must lie in one of them.

    Raises
    ------
    InfeasibleError
        More components than territories, or components that no territories can be made of.
    """
    graph = request.graph
    if graph is None:
        return request, problem
    problem = replace(problem, free=graph.site >= 0)
    component = graph.component
    if component.max(initial=-1) < 1:
        return request, problem
    note = islands_named(graph, request.row, request.customers.id)
    request = replace(request, diagnostics=(*request.diagnostics, note))
    if graph.islands == "parts":
        return request, problem
    target = problem.target
    limits = (problem.lower, problem.upper)
    if not request.hard:
        limits = (np.zeros_like(target), np.full_like(target, np.inf))
    # in the order of the table, so that the first named are the first there
    back = np.argsort(request.row, kind="stable")
    at = request.row[back]
    ids = request.customers.id[at].tolist()
    ordered = graph.take(back)
    found = island_problems(
        ordered,
        problem.measures[back],
        *limits,
        ids=ids,
        measure_names=list(request.balance),
    )
    if found:
        reasons = [replace(p, rows=tuple(int(at[i]) for i in p.rows)) for p in found]
        raise InfeasibleError(reasons, "no territories in one piece each exist")
    homes = None if request.homes is None or not request.one_each else from_unit_vectors(request.homes)
    lon, lat = request.customers.lon[request.row], request.customers.lat[request.row]
    part = deal_components(
        graph, problem.measures, request.bands.share[:, 0], problem.tolerance, lon=lon, lat=lat, homes=homes,
        limits=(problem.lower, problem.upper), eligible=problem.eligible,
    )  # fmt: skip
    here = (component[:, None] == part[None, :]) | (component < 0)[:, None]
    eligible = here if problem.eligible is None else here & problem.eligible
    return replace(request, part=part, component=component), replace(problem, eligible=eligible)
