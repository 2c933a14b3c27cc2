"""Whether territories are connected, among the customers that this concerns.

Contiguity concerns the customers that every rep may serve; those who are locked, particular about reps, or given away
by name may lie apart, and so may those of a group that must be together but is in pieces itself. A territory is
connected on the graph of the former that the alignment names, or else on the Delaunay graph of their places. A graph
made from places is made anew. Where islands may be parts of a territory, it is connected on each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.check.report import Violation
from territory.geo.contiguity import graph_of_points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.geo.contiguity import ContiguityGraph
    from territory.model.alignment import Alignment
    from territory.model.arrays import BoolArray, IdxArray, IntArray

__all__ = ["contiguous", "kept_graph"]


def _unbound(a: Alignment) -> BoolArray:
    """Tell whom every rep may serve, bool of shape (n,)."""
    c, reps = a.customers, a.reps
    free = a.territory_idx >= 0
    free[[*a.rules.overrides]] = False
    if c.locked is not None:
        free = free & ~c.locked
    if reps is not None and c.required_skills is not None:
        held = [frozenset[str]()] if reps.skills is None else [reps.skills[j] for j in range(len(reps))]
        common = frozenset.intersection(*held) if held else frozenset[str]()
        free = free & np.array([cell <= common for cell in c.required_skills.cells], dtype=bool)[c.required_skills.code]
    if reps is not None and c.forbidden_reps is not None:
        known = frozenset(reps.id.tolist())
        free = free & np.array([not cell & known for cell in c.forbidden_reps.cells], dtype=bool)[c.forbidden_reps.code]
    return free


def kept_graph(a: Alignment) -> ContiguityGraph:
    """Return the graph of the customers that contiguity concerns; the others have no site."""
    c, together = a.customers, a.rules.together
    whole = graph_of_points(c.lon, c.lat) if a.graph is None else a.graph.made_anew(c.lon, c.lat)
    free = _unbound(a)
    kept = whole.among(free, c.lon, c.lat)
    if together is None or not (together >= 0).any():
        return kept
    pieces = kept.torn(together)
    for group in range(int(together.max()) + 1):
        mine = np.flatnonzero(together == group)
        if len(np.unique(pieces[mine])) > 1 or (pieces[mine] < 0).any():
            free[mine] = False
    return whole.among(free, c.lon, c.lat)


def _pieces(a: Alignment, kept: ContiguityGraph) -> tuple[IdxArray, IntArray]:
    """Return the piece of each customer that contiguity concerns, and who they are; on islands, that may be parts."""
    rows = np.flatnonzero((kept.site >= 0) & (a.territory_idx >= 0))
    piece = kept.torn(a.territory_idx)[rows]
    if kept.islands != "parts":
        return piece, rows
    # the largest pieces of a territory, one on each island, are told as one
    component, home = kept.component[rows], a.territory_idx[rows]
    _, first, size = np.unique(piece, return_index=True, return_counts=True)
    order = np.lexsort((-size, component[first], home[first]))
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (component[first][order][1:] == component[first][order][:-1]) & (
        home[first][order][1:] == home[first][order][:-1]
    )
    name = np.arange(len(order))
    for j in np.unique(home):
        best = order[~same & (home[first][order] == j)]
        name[best] = best.min()
    return name[piece].astype(np.int32), rows


def contiguous(a: Alignment) -> Iterator[Violation]:
    """Yield territories in several parts, where they were asked to be connected."""
    if not a.contiguous:
        return
    part, rows = _pieces(a, kept_graph(a))
    _, first, size = np.unique(part, return_index=True, return_counts=True)
    home = a.territory_idx[rows[first]]
    for j in np.flatnonzero(np.bincount(home, minlength=len(a)) > 1):
        mine = np.flatnonzero(home == j)
        ranked = mine[np.argsort(-size[mine], kind="stable")]
        apart = int(size[ranked[1:]].sum())
        example = str(a.customers.id[rows[first[ranked[1]]]])
        name = str(a.territory_id[j])
        message = (
            f"Territory {name} lies in {len(mine)} parts; {apart} of its customers are cut off from the largest part, "
            f"e.g. {example}."
        )
        yield Violation("not-contiguous", message, customer_id=example, territory_id=name, amount=float(apart))
