"""The graph on which territories hang together.

Points or units are grouped in sites; sites are neighbours or not. A territory is in one piece if the sites where it
has a customer are connected among themselves. Customers on one spot share a site, where the graph is made from
points; in a graph of units, or one that a user gives, everyone is a site of its own, and the graph is kept as it is.

How the graph was made is kept with it, so that a checker can make it again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.adjacency import components, fragments, site_adjacency, unique_edges
from territory.geo.contraction import graph_faults, nearest_kept, rows_of_edges, spanning

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ContiguityGraph", "GraphKind", "Islands", "graph_of_edges", "graph_of_points"]

GraphKind = Literal["delaunay", "gabriel", "rook", "queen", "given"]
Islands = Literal["refuse", "parts", "join"]

#: Kinds that are made from nothing but points (and barriers).
POINT_KINDS: Final = ("delaunay", "gabriel")
KINDS: Final = (*POINT_KINDS, "rook", "queen", "given")
ISLANDS: Final = ("refuse", "parts", "join")


@dataclass(frozen=True, eq=False, repr=False)
class ContiguityGraph:
    """Which sites are neighbours, and at which site each of n customers (or units) is.

    Attributes
    ----------
    indptr : int32 array of shape (n_sites + 1,)
    indices : int32 array of shape (2 m,)
        The neighbours of site s are ``indices[indptr[s]:indptr[s + 1]]``, ascending; symmetric, without loops.
    site : int32 array of shape (n,)
        -1: contiguity does not concern this one.
    kind : {"delaunay", "gabriel", "rook", "queen", "given"}
        How it was made: from points, from borders longer than nothing, from borders and corners, or by the user.
    border_m : float array of shape (2 m,), metres, optional
        Length of the border with each neighbour; 0 for a corner or a bridge.
    islands : {"refuse", "parts", "join"}
        What becomes of a graph in several components. With "refuse" every territory lies in one of them, and it
        is an error if that cannot be; with "parts" a territory may have one piece in each; with "join" the least
        gaps between them were bridged when the graph was made.
    barriers : tuple of shapely geometries
        Lines and polygons that cut edges.
    bridges : int32 array of shape (b, 2)
        Positions that are neighbours whatever the barriers say.
    diagnostics : tuple of Problem
        Warnings from the making.

    Raises
    ------
    InputError
        Arrays that are no symmetric graph, or an unknown kind.
    """

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    site: NDArray[np.int32]
    kind: GraphKind = "given"
    border_m: NDArray[np.float64] | None = None
    islands: Islands = "refuse"
    barriers: tuple[Any, ...] = ()
    bridges: NDArray[np.int32] | None = None
    diagnostics: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        bridges = np.empty((0, 2), dtype=np.int32) if self.bridges is None else self.bridges
        arrays: dict[str, NDArray[Any]] = {
            "indptr": np.array(self.indptr, dtype=np.int32),
            "indices": np.array(self.indices, dtype=np.int32),
            "site": np.array(self.site, dtype=np.int32),
            "bridges": np.array(bridges, dtype=np.int32).reshape(-1, 2),
        }
        if self.border_m is not None:
            arrays["border_m"] = np.array(self.border_m, dtype=np.float64)
        problems = graph_faults(arrays)
        if self.kind not in KINDS:
            problems.append(Problem("unknown-option", f"kind: expected one of {', '.join(KINDS)}, not {self.kind!r}"))
        if self.islands not in ISLANDS:
            message = f"islands: expected one of {', '.join(ISLANDS)}, not {self.islands!r}"
            problems.append(Problem("unknown-option", message))
        if problems:
            raise InputError(problems, "contiguity graph")
        for name, array in arrays.items():
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:  # a pickled array comes back writeable
        return type(self), tuple(getattr(self, f.name) for f in fields(self))

    def __repr__(self) -> str:
        parts = "" if self.n_components < 2 else f", {self.n_components} components"
        return f"<ContiguityGraph: {self.kind}, {self.n_sites} sites, {len(self.indices) // 2} edges{parts}>"

    def __len__(self) -> int:
        return len(self.site)

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.indptr) - 1

    @property
    def edges(self) -> NDArray[np.int32]:
        """Pairs of sites (s, t) with s < t, sorted, int32 of shape (m, 2)."""
        start = np.repeat(np.arange(self.n_sites, dtype=np.int32), np.diff(self.indptr))
        once = start < self.indices
        return np.stack([start[once], self.indices[once]], axis=1)

    @property
    def site_component(self) -> NDArray[np.int32]:
        """Component of each site, numbered by their first sites, int32 of shape (n_sites,)."""
        part = components(self.n_sites, self.edges.astype(np.int64))
        _, first, back = np.unique(part, return_index=True, return_inverse=True)
        return first.argsort().argsort().astype(np.int32)[back]

    @property
    def n_components(self) -> int:
        """Number of components that have customers."""
        return len(np.unique(self.component[self.site >= 0]))

    @property
    def component(self) -> NDArray[np.int32]:
        """Component of each customer, int32 of shape (n,); -1 where it has no site."""
        found = np.append(self.site_component, np.int32(-1))
        return np.asarray(found[self.site], dtype=np.int32)

    def torn(self, labels: ArrayLike) -> NDArray[np.int32]:
        """Find the pieces of every territory, as far as contiguity concerns them.

        Parameters
        ----------
        labels : array_like of int, shape (n,)
            The territory of each customer; -1 for none.

        Returns
        -------
        int32 array of shape (n,)
            The piece of each customer, numbered from 0 in the order of their first customers; -1 where it has no
            site or no territory. Pieces on different islands are not held together, whatever `islands` says.
        """
        label = np.where(self.site >= 0, np.asarray(labels, dtype=np.int64), -1)
        placed = np.flatnonzero(self.site >= 0)
        where = np.full(self.n_sites, -1, dtype=np.int64)
        where[self.site[placed][::-1]] = placed[::-1]
        pairs = where[self.edges]
        # customers without a site get one of their own, so that `fragments` can count
        sites = self.site.astype(np.int32)
        away = np.flatnonzero(sites < 0)
        sites = sites.copy()
        sites[away] = self.n_sites + np.arange(len(away), dtype=np.int32)
        return fragments(label, pairs[(pairs >= 0).all(axis=1)].astype(np.int32), sites=sites)

    def take(self, rows: ArrayLike) -> Self:
        """Return the graph of some customers in some order; sites are numbered by their first customers.

        Sites that none of them has are left out, and nothing joins their neighbours: see `among`. A customer at
        several positions of `rows` is an error of the caller.
        """
        at = np.asarray(rows, dtype=np.int64)
        site = self.site[at]
        used, first = np.unique(site[site >= 0], return_index=True)
        order = used[np.argsort(first)]
        number = np.full(self.n_sites + 1, -1, dtype=np.int64)
        number[order] = np.arange(len(order))
        edges = number[self.edges]
        kept = (edges >= 0).all(axis=1)
        position = np.full(len(self), -1, dtype=np.int64)
        position[at] = np.arange(len(at))
        bridges = position[self.bridges] if self.bridges is not None else np.empty((0, 2), dtype=np.int64)
        border = None
        if self.border_m is not None:
            border = self._edge_borders()[kept]
        return self._with(number[site], len(order), edges[kept], border, bridges[(bridges >= 0).all(axis=1)])

    def among(self, keep: ArrayLike, lon: ArrayLike, lat: ArrayLike) -> Self:
        """Return the graph on which only some customers have to hang together, the others having no site.

        A graph of points is made anew of those that are kept. In any other graph, or where bridges end at
        customers that are not kept, those join the site of the nearest that is kept (in steps; of several the
        westernmost, then southernmost), and pass on whom they touch: a customer who is tied to one rep does not
        cut the others' territories in two.

        Parameters
        ----------
        keep : bool array_like of shape (n,)
        lon, lat : array_like of shape (n,), degrees

        Returns
        -------
        ContiguityGraph
            Of n customers; ``site`` is -1 where `keep` is false.
        """
        kept = np.asarray(keep, dtype=bool) & (self.site >= 0)
        if kept[self.site >= 0].all():
            return self
        lon_all, lat_all = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        rows = np.flatnonzero(kept)
        if self.kind in POINT_KINDS and not len(self.bridges if self.bridges is not None else ()):
            part = graph_of_points(
                lon_all[rows], lat_all[rows], kind=self.kind, barriers=self.barriers, islands=self.islands
            )
            site = np.full(len(self), -1, dtype=np.int64)
            site[rows] = part.site
            return self._with(site, part.n_sites, part.edges.astype(np.int64), None, np.empty((0, 2), np.int64))
        stays = np.zeros(self.n_sites, dtype=bool)
        stays[self.site[rows]] = True
        rank = np.full(self.n_sites, len(self), dtype=np.int64)
        where = np.lexsort((lat_all, lon_all))
        where = where[self.site[where] >= 0]
        np.minimum.at(rank, self.site[where], np.arange(len(where)))
        patch = nearest_kept(self.indptr, self.indices, stays, rank)
        number = np.append(np.cumsum(stays) - 1, -1)
        edges = number[patch[self.edges]]
        edges = edges[(edges >= 0).all(axis=1) & (edges[:, 0] != edges[:, 1])]
        site = np.where(kept, number[self.site], -1)
        n_sites = int(stays.sum())
        return self._with(site, n_sites, unique_edges(edges, n_sites), None, np.asarray(self.bridges, np.int64))

    def made_anew(self, lon: ArrayLike, lat: ArrayLike) -> ContiguityGraph:
        """Return the graph as its places and barriers make it, so that nobody need believe its arrays.

        A graph that is not made of places, or only of some of them, is returned as it is.

        Parameters
        ----------
        lon, lat : array_like of shape (n,), degrees
        """
        if self.kind not in POINT_KINDS or (self.site < 0).any():
            return self
        bridges = () if self.bridges is None else self.bridges
        return graph_of_points(
            lon, lat, kind=self.kind, barriers=self.barriers, bridges=bridges, islands=self.islands
        )  # fmt: skip

    def _edge_borders(self) -> NDArray[np.float64]:
        """Return the border of each of `edges`."""
        start = np.repeat(np.arange(self.n_sites), np.diff(self.indptr))
        return np.asarray(self.border_m)[start < self.indices]

    def _with(
        self,
        site: NDArray[np.int64],
        n_sites: int,
        edges: NDArray[np.int64],
        border: NDArray[np.float64] | None,
        bridges: NDArray[np.int64],
    ) -> Self:
        indptr, indices, border_m = rows_of_edges(edges, n_sites, border)
        return type(self)(
            indptr, indices, site.astype(np.int32), self.kind, border_m, self.islands, self.barriers,
            bridges.astype(np.int32), self.diagnostics,
        )  # fmt: skip


def graph_of_points(
    lon: ArrayLike,
    lat: ArrayLike,
    *,
    kind: Literal["delaunay", "gabriel"] = "delaunay",
    barriers: tuple[Any, ...] = (),
    bridges: ArrayLike = (),
    islands: Islands = "refuse",
) -> ContiguityGraph:
    """Join points to their neighbours, except across barriers.

    Parameters
    ----------
    lon, lat : array_like of shape (n,), degrees
    kind : {"delaunay", "gabriel"}
        See `territory.geo.adjacency`.
    barriers : tuple of shapely geometries, longitude and latitude in degrees
        From `territory.geo.barriers.read_barriers`. An edge that touches one is cut, great circle against straight
        lines on the map. A point that stands on a barrier hangs on the nearest point that does not.
    bridges : array_like of int, shape (b, 2)
        Positions of points that are joined all the same.
    islands : {"refuse", "parts", "join"}
        See `ContiguityGraph`.

    Notes
    -----
    O(n log n). 100,000 points take about 1 s, and about 2 s more with barriers.
    """
    lon_all, lat_all = np.asarray(lon, dtype=np.float64).reshape(-1), np.asarray(lat, dtype=np.float64).reshape(-1)
    site, edges = site_adjacency(lon_all, lat_all, kind=kind)
    diagnostics: tuple[Problem, ...] = ()
    if barriers and len(site):
        from territory.geo.barriers import cut  # noqa: PLC0415 - shapely, only where something is cut

        edges, standing = cut(lon_all, lat_all, site, edges, barriers)
        if len(standing):
            rows = tuple(int(i) for i in standing[:5])
            message = "on a barrier; joined to the nearest that is not"
            diagnostics = (Problem("on-barrier", message, "lon, lat", len(standing), rows),)
    return graph_of_edges(
        lon_all, lat_all, site, edges, kind=kind, barriers=barriers, bridges=bridges, islands=islands,
        diagnostics=diagnostics,
    )  # fmt: skip


def graph_of_edges(
    lon: ArrayLike,
    lat: ArrayLike,
    site: NDArray[np.int32],
    edges: NDArray[np.int64],
    *,
    kind: GraphKind,
    border_m: NDArray[np.float64] | None = None,
    barriers: tuple[Any, ...] = (),
    bridges: ArrayLike = (),
    islands: Islands = "refuse",
    diagnostics: tuple[Problem, ...] = (),
) -> ContiguityGraph:
    """Make a graph of edges between sites, each once; bridges and, if islands are joined, the least gaps are added.

    Parameters
    ----------
    lon, lat : array_like of shape (n,), degrees
    site : int32 array of shape (n,)
    edges : int64 array of shape (m, 2)
        Pairs of sites, each once.
    border_m : float array of shape (m,), optional
    kind, barriers, bridges, islands, diagnostics
        See `ContiguityGraph`; bridges are pairs of positions, not of sites.
    """
    pairs = np.asarray(bridges, dtype=np.int64).reshape(-1, 2)
    n_sites = int(site.max(initial=-1)) + 1
    more = site[pairs].astype(np.int64)
    if islands == "join":
        gaps = _least_gaps(lon, lat, site, np.concatenate([edges, more]), n_sites)
        if len(gaps):
            _, first = np.unique(site, return_index=True)
            rows = tuple(int(i) for i in first[gaps[:5, 0]])
            message = "joined to the nearest over a gap, as nothing else joins them"
            diagnostics = (*diagnostics, Problem("islands-joined", message, "id", len(gaps), rows))
        more = np.concatenate([more, gaps])
    more = np.sort(more[more[:, 0] != more[:, 1]], axis=1)
    if len(more):
        old = np.sort(edges, axis=1) @ np.array([n_sites, 1])
        new = np.setdiff1d(np.unique(more @ np.array([n_sites, 1])), old)
        edges = np.concatenate([edges, np.stack([new // n_sites, new % n_sites], axis=1)])
        border_m = None if border_m is None else np.concatenate([border_m, np.zeros(len(new))])
    indptr, indices, both = rows_of_edges(edges, n_sites, border_m)
    return ContiguityGraph(
        indptr, indices, site, kind, both, islands, barriers, pairs.astype(np.int32), diagnostics
    )  # fmt: skip


def _least_gaps(
    lon: ArrayLike, lat: ArrayLike, site: NDArray[np.int32], edges: NDArray[np.int64], n_sites: int
) -> NDArray[np.int64]:
    """Return the shortest edges that join all components.

    A least spanning tree of points is part of their Delaunay triangulation (Preparata & Shamos 1985, 6.1), so that
    Kruskal's method over its edges finds the least gaps.
    """
    part = components(n_sites, edges)
    if part.max(initial=0) == 0:
        return np.empty((0, 2), dtype=np.int64)
    _, first = np.unique(site, return_index=True)
    lon_site, lat_site = np.asarray(lon, dtype=np.float64)[first], np.asarray(lat, dtype=np.float64)[first]
    spot, pairs = site_adjacency(lon_site, lat_site)
    return spanning(lon_site, lat_site, part, spot, pairs)
