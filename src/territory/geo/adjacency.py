"""Which points are neighbours, and whether a territory hangs together.

The neighbours are those of the Delaunay triangulation of the sphere (`kind="delaunay"`), or of its subgraph of
Gabriel (`kind="gabriel"`): two points are Gabriel neighbours if no other point lies in the circle that has them
as its ends. Along the hull the triangulation joins points that are far from each other, across a bay or a border
region without customers. These long edges are kept in the triangulation, which is what contiguity wants (no
territory is cut off); the Gabriel graph drops them, and with them half of the rest, and is still connected.

Co-located points (same spot within about 6 mm) are one site of the triangulation. The first few of them stand for
the site: they are joined to each other and to those that stand for a neighbouring site; any others at the site are
joined to them. So up to that number every point sees all its neighbours. With crowded sites, such as customers
known by postcode only, pass `sites` to `fragments`, which is then exact at any crowd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from territory.geo.projection import stereographic
from territory.geo.sphere import unit_vectors

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "co_located",
    "components",
    "fragments",
    "label_adjacency",
    "n_fragments",
    "point_adjacency",
    "site_adjacency",
    "unique_edges",
]

#: Co-located points are those whose unit vectors agree to this, 6.4 mm on the ground.
_SAME_SPOT: Final = 1e-9
#: How many co-located points stand for their site; edges grow with its square.
_STAND_INS: Final = 4
#: Sites thinner than this, as a share of their length, lie on one line: Qhull could not tell their sides.
_THIN: Final = 1e-9

Kind = Literal["delaunay", "gabriel"]


def co_located(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.int32]:
    """Find out which points share a spot, and number the spots.

    Parameters
    ----------
    lon, lat : array_like of shape (n,)
        Degrees. A pole is one spot whatever the longitude, and so are -180 and 180.

    Returns
    -------
    int32 array of shape (n,)
        The site of each point, numbered from 0 in the order of their first points.
    """
    cells = np.rint(unit_vectors(lon, lat).reshape(-1, 3) / _SAME_SPOT).astype(np.int64)
    order = np.lexsort(cells.T)
    ordered = cells[order]
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    # lexsort is stable, so that the first of each run is also the first in the input
    first = order[starts]
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    sites = np.empty(len(order), dtype=np.int32)
    sites[order] = rank[np.cumsum(starts) - 1]
    return sites


def point_adjacency(lon: ArrayLike, lat: ArrayLike, *, kind: Kind = "delaunay") -> NDArray[np.int32]:
    """Find the neighbours of every point; the graph is connected.

    Parameters
    ----------
    lon, lat : array_like of shape (n,)
        Degrees. Collinear, coincident, one or no points are all right.
    kind : {"delaunay", "gabriel"}
        See the module; the first has about 3 n edges, the second about 2 n.

    Returns
    -------
    int32 array of shape (m, 2)
        Edges (i, j) with i < j, sorted, each once.

    Notes
    -----
    O(n log n); about 15 microseconds a point, nearly all of them in Qhull.
    """
    sites, site_edges = site_adjacency(lon, lat, kind=kind)
    if len(sites) < 2:
        return np.empty((0, 2), dtype=np.int32)
    return _spread(site_edges, sites)


def site_adjacency(
    lon: ArrayLike, lat: ArrayLike, *, kind: Kind = "delaunay"
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Find the sites of points, and which sites are neighbours; the order of the points has no say in it.

    Parameters
    ----------
    lon, lat, kind
        As for `point_adjacency`.

    Returns
    -------
    sites : int32 array of shape (n,)
        From `co_located`.
    edges : int64 array of shape (m, 2)
        Pairs of sites (s, t) with s < t, sorted, each once.
    """
    sites = co_located(lon, lat)
    if len(sites) == 0:
        return sites, np.empty((0, 2), dtype=np.int64)
    _, first = np.unique(sites, return_index=True)
    lon_site = np.asarray(lon, dtype=np.float64).reshape(-1)[first]
    lat_site = np.asarray(lat, dtype=np.float64).reshape(-1)[first]
    # Where four or more lie on one circle, as on a grid, rounding and the order of the points decide which diagonal
    # is drawn; in an order of their own they get the same one whatever the order of the rows.
    order = np.lexsort((lat_site, lon_site))
    lon_site, lat_site = lon_site[order], lat_site[order]
    xy = stereographic(lon_site, lat_site)
    edges = _connected(_site_edges(xy, unit_vectors(lon_site, lat_site), kind), xy)
    return sites, unique_edges(order[edges], len(order))


def _site_edges(xy: NDArray[np.float64], vectors: NDArray[np.float64], kind: Kind) -> NDArray[np.int64]:
    """Triangulate distinct sites; on a line, each is joined to the next."""
    if len(xy) < 3 or _on_a_line(xy):
        return _chain(xy)
    from scipy.spatial import Delaunay, QhullError  # noqa: PLC0415 - slow to load, and many calls need none of it

    try:
        triangulation = Delaunay(xy)
    except QhullError:
        return _chain(xy)
    corners = triangulation.simplices.astype(np.int64)
    edges = corners[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    if kind == "gabriel":
        opposite = vectors[corners[:, [2, 0, 1]].reshape(-1)]
        start, end = vectors[edges[:, 0]], vectors[edges[:, 1]]
        # A point is inside the circle on the diameter if it sees the diameter at an obtuse angle. With chords in
        # space this is exact on the sphere; of all points only the two opposite corners have to be asked.
        inside = ((start - opposite) * (end - opposite)).sum(axis=1) < 0.0
        obtuse = unique_edges(edges[inside], len(xy))
        edges = unique_edges(edges, len(xy))
        edges = edges[~np.isin(edges @ [len(xy), 1], obtuse @ [len(xy), 1])]
    # sites too close to be corners of their own are left out by Qhull: they join their nearest corner
    left_out = triangulation.coplanar[:, [0, 2]].astype(np.int64)
    return np.concatenate([edges, left_out])


def _on_a_line(xy: NDArray[np.float64]) -> bool:
    spread = np.linalg.svd(xy - xy.mean(axis=0), compute_uv=False)
    return bool(spread[1] <= _THIN * spread[0])


def _chain(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Join each site to the next along the main direction."""
    order = _along(xy)
    return np.stack([order[:-1], order[1:]], axis=1)


def _along(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    centred = xy - xy.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    return np.argsort(centred @ directions[0], kind="stable").astype(np.int64)


def _connected(edges: NDArray[np.int64], xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Add the links of the chain between parts that rounding has kept apart, if there are any."""
    part = components(len(xy), edges)
    if part.max(initial=0) == 0:
        return edges
    chain = _chain(xy)
    return np.concatenate([edges, chain[part[chain[:, 0]] != part[chain[:, 1]]]])


def _spread(site_edges: NDArray[np.int64], sites: NDArray[np.int32]) -> NDArray[np.int32]:
    """Turn edges of sites into edges of points."""
    n = len(sites)
    order = np.argsort(sites, kind="stable")
    count = np.bincount(sites)
    start = np.cumsum(count) - count
    parts = [np.empty((0, 2), dtype=np.int64)]
    for i in range(min(_STAND_INS, int(count.max()))):
        for j in range(min(_STAND_INS, int(count.max()))):
            both = (count[site_edges[:, 0]] > i) & (count[site_edges[:, 1]] > j)
            pair = site_edges[both]
            parts.append(order[np.stack([start[pair[:, 0]] + i, start[pair[:, 1]] + j], axis=1)])
    rank = np.arange(n) - start[sites[order]]
    for i in range(min(_STAND_INS, int(count.max()))):
        later = rank > i
        parts.append(np.stack([order[start[sites[order[later]]] + i], order[later]], axis=1))
    return unique_edges(np.concatenate(parts), n).astype(np.int32)


def unique_edges(edges: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return edges between n points as pairs (i, j) with i < j, sorted, each once."""
    keys = np.minimum(edges[:, 0], edges[:, 1]) * n + np.maximum(edges[:, 0], edges[:, 1])
    # sorted by hand: at millions of edges several times faster than the hash table of numpy.unique
    keys.sort()
    keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys
    return np.stack([keys // n, keys % n], axis=1)


def components(n: int, edges: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the connected component of each of n points, int32 of shape (n,). O(n + m)."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - slow to load, and many calls need none of it
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    # a sparse graph with explicit ones: a dense matrix would take a zero for "no edge"
    graph = coo_array((np.ones(len(edges), dtype=np.int8), (edges[:, 0], edges[:, 1])), shape=(n, n))
    _, part = connected_components(graph, directed=False)
    return np.asarray(part, dtype=np.int32)


def fragments(
    labels: ArrayLike, edges: NDArray[np.int32], *, sites: NDArray[np.int32] | None = None
) -> NDArray[np.int32]:
    """Find the connected parts of every label.

    Parameters
    ----------
    labels : array_like of int, shape (n,)
        The territory of each point; -1 for none.
    edges : int array of shape (m, 2)
        From `point_adjacency`, or any other adjacency.
    sites : int32 array of shape (n,), optional
        From `co_located`: points of one label at one spot then always belong together, and a spot borders on every
        neighbouring spot for each of its labels.

    Returns
    -------
    int32 array of shape (n,)
        The fragment of each point, numbered from 0 in the order of their first points; -1 where the label is -1.
    """
    label = np.asarray(labels, dtype=np.int64)
    pairs = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    if sites is None:
        part = components(len(label), pairs[label[pairs[:, 0]] == label[pairs[:, 1]]])
    else:
        part = _site_components(label, pairs, np.asarray(sites, dtype=np.int64))
    result = np.full(len(label), -1, dtype=np.int32)
    served = np.flatnonzero(label >= 0)
    _, first, inverse = np.unique(part[served], return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    result[served] = rank[inverse]
    return result


def _site_components(label: NDArray[np.int64], edges: NDArray[np.int64], sites: NDArray[np.int64]) -> NDArray[np.int32]:
    """Find the components where a node is one label at one site."""
    if len(label) == 0:
        return np.empty(0, dtype=np.int32)
    n_sites, width = int(sites.max()) + 1, int(label.max()) + 2
    keys, node = np.unique(sites * width + label + 1, return_inverse=True)
    node_site = keys // width
    start = np.searchsorted(node_site, np.arange(n_sites + 1))
    site_edges = sites[edges]
    site_edges = unique_edges(site_edges[site_edges[:, 0] != site_edges[:, 1]], n_sites)
    # every node at the first end of an edge looks for its label at the second
    n_here = np.diff(start)[site_edges[:, 0]]
    edge = np.repeat(np.arange(len(site_edges)), n_here)
    here = np.arange(len(edge)) - np.repeat(np.cumsum(n_here) - n_here, n_here) + start[site_edges[edge, 0]]
    wanted = site_edges[edge, 1] * width + keys[here] % width
    there = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = keys[there] == wanted
    part: NDArray[np.int32] = components(len(keys), np.stack([here[found], there[found]], axis=1))[node]
    return part


def n_fragments(
    labels: ArrayLike, edges: NDArray[np.int32], k: int, *, sites: NDArray[np.int32] | None = None
) -> NDArray[np.int32]:
    """Count the connected parts of each of `k` labels: 1 is contiguous, 0 is empty.

    Parameters
    ----------
    labels : array_like of int, shape (n,)
        In [-1, k).
    edges, sites
        As for `fragments`.
    k : int
        Number of labels.

    Returns
    -------
    int32 array of shape (k,)
    """
    label = np.asarray(labels, dtype=np.int64)
    part = fragments(label, edges, sites=sites)
    _, first = np.unique(part[part >= 0], return_index=True)
    return np.bincount(label[part >= 0][first], minlength=k).astype(np.int32)


def label_adjacency(labels: ArrayLike, edges: NDArray[np.int32]) -> NDArray[np.int32]:
    """Find which labels touch: those joined by at least one edge of points.

    Parameters
    ----------
    labels : array_like of int, shape (n,)
        -1 for none; such points touch nothing.
    edges : int array of shape (m, 2)

    Returns
    -------
    int32 array of shape (q, 2)
        Pairs (a, b) with a < b, sorted, each once.
    """
    label = np.asarray(labels, dtype=np.int64)
    pairs = label[np.asarray(edges, dtype=np.int64).reshape(-1, 2)]
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs >= 0).all(axis=1)]
    return unique_edges(pairs, int(label.max(initial=0)) + 1).astype(np.int32)
