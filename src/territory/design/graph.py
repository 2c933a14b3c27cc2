"""Which territories are neighbours, as a graph to work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from territory.geo.adjacency import label_adjacency, point_adjacency
from territory.geo.contraction import touching
from territory.geo.sphere import great_circle_m

if TYPE_CHECKING:
    from territory.model.alignment import Alignment

__all__ = ["territory_graph"]


def territory_graph(alignment: Alignment) -> Any:
    """Return the graph of neighbouring territories.

    Parameters
    ----------
    alignment : Alignment, n customers in k territories

    Returns
    -------
    networkx.Graph
        A node for each territory, by its id, with ``customers``, ``rep_id`` and the total of each
        balance measure; an edge where customers of both are neighbours in the alignment's graph (the
        Delaunay graph of all customers, where it names none), with ``distance_km`` between the centres.

    Notes
    -----
    O(n log n).

    Examples
    --------
    >>> from territory import Customers, design_territories
    >>> customers = Customers(id=["a", "b", "c"], lon=[0, 1, 2], lat=[50, 50, 50])
    >>> sorted(territory_graph(design_territories(customers, n_territories=3)).edges)
    [('T1', 'T2'), ('T1', 'T3'), ('T2', 'T3')]
    """
    import networkx as nx  # noqa: PLC0415 - only where a graph is asked for

    a = alignment
    ids = a.territory_id.tolist()
    reps = ["" if r < 0 or a.reps is None else str(a.reps.id[r]) for r in a.rep_idx]
    count = np.bincount(a.territory_idx[a.territory_idx >= 0], minlength=len(a))
    totals = {name: a.totals(name) for name in a.balance}
    graph: Any = nx.Graph()
    for j, name in enumerate(ids):
        measures = {measure: float(total[j]) for measure, total in totals.items()}
        graph.add_node(name, customers=int(count[j]), rep_id=reps[j], **measures)
    if a.graph is None:
        neighbours = point_adjacency(a.customers.lon, a.customers.lat)
    else:
        neighbours = touching(a.graph.site, a.graph.edges, a.territory_idx)
    edges = label_adjacency(a.territory_idx, neighbours)
    km = great_circle_m(
        a.center_lon[edges[:, 0]], a.center_lat[edges[:, 0]], a.center_lon[edges[:, 1]], a.center_lat[edges[:, 1]]
    )
    for (i, j), metres in zip(edges.tolist(), km.tolist(), strict=True):
        graph.add_edge(ids[i], ids[j], distance_km=metres / 1000.0)
    return graph
