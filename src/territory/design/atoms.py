"""Customers who must be together become one: an atom, with the weight of all at the middle of them.

Squared distances come apart: those of the members to a centre are that of the middle with all their weight, and those
of the members to the middle, which no answer changes. So what is best for atoms is best for their members.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from territory.geo.adjacency import unique_edges
from territory.geo.contiguity import ContiguityGraph
from territory.geo.contraction import rows_of_edges

if TYPE_CHECKING:
    from territory.design.problem import DesignProblem
    from territory.model.arrays import BoolArray, IdxArray

__all__ = ["Atoms", "joined"]


@dataclass(frozen=True, eq=False)
class Atoms:
    """A problem in which groups are customers.

    Attributes
    ----------
    problem : DesignProblem, of a atoms
    graph : ContiguityGraph of the atoms, or None
    atom : int32 array of shape (n,)
        The atom of each customer.
    """

    problem: DesignProblem
    graph: ContiguityGraph | None
    atom: IdxArray

    def common(self, eligible: BoolArray | None) -> BoolArray | None:
        """Return who may serve all of an atom, (a, k), of who may serve whom, (n, k); None where everybody may."""
        if eligible is None or len(eligible) == self.problem.n:
            return eligible
        out = np.ones((self.problem.n, eligible.shape[1]), dtype=bool)
        np.logical_and.at(out, self.atom, eligible)
        return out


def joined(problem: DesignProblem, graph: ContiguityGraph | None, group: IdxArray | None) -> Atoms:
    """Return a problem in which the customers of each group are one.

    Parameters
    ----------
    problem : DesignProblem, n customers
    graph : ContiguityGraph of the n customers, or None
        Groups that are in pieces on it have no site.
    group : int32 array of shape (n,), or None
        -1: in no group.

    Notes
    -----
    O(n + edges). Atoms stand in the order of their first members.
    """
    if group is None or not (group >= 0).any():
        return Atoms(problem, graph, np.arange(problem.n, dtype=np.int32))
    own = np.where(group >= 0, group.astype(np.int64), int(group.max()) + 1 + np.arange(problem.n))
    _, first, number = np.unique(own, return_index=True, return_inverse=True)
    atom = first.argsort(kind="stable").argsort(kind="stable")[number].astype(np.int32)
    a = len(first)
    count = np.bincount(atom, minlength=a)
    # the middle of customers without weight is that of their places
    weight = np.where(np.bincount(atom, problem.weight, a)[atom] > 0, problem.weight, 1.0)
    mass = np.bincount(atom, weight, a)
    middle = np.stack([np.bincount(atom, weight * column, a) for column in problem.xyz.T], axis=1) / mass[:, None]
    alone = count[atom] == 1
    middle[atom[alone]] = problem.xyz[alone]
    measures = np.stack([np.bincount(atom, column, a) for column in problem.measures.T], axis=1).astype(np.float64)
    eligible = None
    if problem.eligible is not None:
        eligible = np.ones((a, problem.k), dtype=bool)
        np.logical_and.at(eligible, atom, problem.eligible)
    apart = None
    if problem.apart is not None:
        apart = np.unique(np.sort(atom[problem.apart], axis=1), axis=0).astype(np.int32)
    free = None
    if problem.free is not None:
        free = np.ones(a, dtype=bool)
        np.logical_and.at(free, atom, problem.free)
    smaller = replace(
        problem, xyz=middle, weight=measures[:, 0], measures=measures, eligible=eligible, free=free, apart=apart
    )
    return Atoms(smaller, None if graph is None else _quotient(graph, atom), atom)


def _quotient(graph: ContiguityGraph, atom: IdxArray) -> ContiguityGraph:
    """Return the graph of atoms: a node for each one of several customers, and the sites of the others.

    Nodes are neighbours where a site of one is, or is beside, a site of the other; so territories are in as many pieces
    on it as on the graph of customers, as long as groups with sites are in one piece.
    """
    a, s = int(atom.max()) + 1, graph.n_sites
    placed = np.flatnonzero(graph.site >= 0)
    several = np.bincount(atom, minlength=a) > 1
    # nodes: sites of those alone, then atoms of several; numbered anew by their first atoms
    node = np.where(several[atom], s + atom, graph.site)
    nodes_of_site = np.unique(np.stack([graph.site[placed], node[placed]], axis=1), axis=0).astype(np.int64)
    start = np.searchsorted(nodes_of_site[:, 0], np.arange(s + 1))
    both = np.concatenate([graph.edges.astype(np.int64), np.repeat(np.arange(s)[:, None], 2, axis=1)])
    here, there = np.diff(start)[both[:, 0]], np.diff(start)[both[:, 1]]
    many = here * there
    edge = np.repeat(np.arange(len(both)), many)
    rank = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    p = nodes_of_site[start[both[edge, 0]] + rank // there[edge], 1]
    q = nodes_of_site[start[both[edge, 1]] + rank % there[edge], 1]
    site = np.full(a, -1, dtype=np.int64)
    site[atom[placed]] = node[placed]
    used, first = np.unique(site[site >= 0], return_index=True)
    number = np.full(s + a, -1, dtype=np.int64)
    number[used[np.argsort(first)]] = np.arange(len(used))
    ends = np.sort(np.stack([number[p], number[q]], axis=1), axis=1)
    ends = unique_edges(ends[ends[:, 0] != ends[:, 1]], len(used))
    indptr, indices, _ = rows_of_edges(ends, len(used))
    site = np.where(site >= 0, number[site], -1)
    return ContiguityGraph(indptr, indices, site.astype(np.int32), "given", islands=graph.islands)
