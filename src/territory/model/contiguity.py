"""Which customers are neighbours: read from what a user gives, or made from places or borders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.contiguity import ISLANDS, KINDS, POINT_KINDS, ContiguityGraph, graph_of_edges, graph_of_points

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.geo.contiguity import GraphKind, Islands
    from territory.model.arrays import IntArray
    from territory.model.customers import Customers
    from territory.model.units import BasicUnits

__all__ = ["contiguity_graph", "unit_graph"]

_SUBJECT = "contiguity"


def contiguity_graph(
    customers: Customers | BasicUnits,
    graph: Any = "delaunay",
    *,
    barriers: Any = None,
    bridges: Iterable[tuple[str, str]] = (),
    islands: Islands = "refuse",
    symmetrise: bool = False,
) -> ContiguityGraph:
    """Make the graph on which territories have to hang together.

    Parameters
    ----------
    customers : Customers or BasicUnits, length n
    graph : str, networkx graph, scipy sparse matrix, or iterable of pairs of ids
        ``"delaunay"`` or ``"gabriel"``: neighbours by place; who shares a spot is together. ``"rook"`` or
        ``"queen"``: basic units that share a border, or at least a corner. A networkx graph has the ids as its
        nodes; a sparse matrix has shape (n, n) in the order of the table, and what is stored and not zero joins.
        Such a graph is kept to the letter: nobody is joined for standing on one spot.
    barriers : geometry, iterable of geometries, GeoDataFrame, or GeoJSON as a mapping, optional
        Lines and polygons in longitude and latitude. Neighbours by place are no neighbours where the great circle
        between them touches one. Who stands on a barrier hangs on the nearest who does not.
    bridges : iterable of pairs of ids, optional
        Joined in spite of barriers: bridges, tunnels, ferries.
    islands : {"refuse", "parts", "join"}
        What becomes of parts of the graph that nothing joins: each territory lies in one of them, or else it is an
        error ("refuse"); a territory may have one piece on each ("parts"); or the shortest gaps are bridged
        ("join").
    symmetrise : bool
        Whether to take an edge that is given one way for both.

    Returns
    -------
    ContiguityGraph
        With warnings in ``.diagnostics``.

    Raises
    ------
    InputError
        An asymmetric matrix or directed graph, unknown ids, customers who are not in the graph, barriers or
        bridges that cannot be read; all at once.

    Notes
    -----
    O(n log n); 100,000 places take about 1 s, and 2 s more with barriers.

    Examples
    --------
    >>> from territory import Customers
    >>> customers = Customers(id=["a", "b", "c"], lon=[10, 11, 12], lat=[0, 0, 0])
    >>> contiguity_graph(customers).edges.tolist()
    [[0, 1], [1, 2]]
    >>> from shapely import LineString
    >>> river = LineString([(11.5, -1), (11.5, 1)])
    >>> contiguity_graph(customers, barriers=river).component.tolist()
    [0, 0, 1]
    >>> contiguity_graph(customers, barriers=river, bridges=[("a", "c")]).n_components
    1
    """
    problems: list[Problem] = []
    bridges = list(bridges) if isinstance(bridges, Iterable) else bridges
    pairs = _pairs(customers, bridges, "bridges", problems)
    if islands not in ISLANDS:
        problems.append(
            Problem("unknown-option", f"islands: expected one of {', '.join(ISLANDS)}, not {islands!r}")
        )  # fmt: skip
    walls: tuple[Any, ...] = ()
    if barriers is not None:
        from territory.geo.barriers import read_barriers  # noqa: PLC0415 - shapely, only where there are barriers

        try:
            walls = read_barriers(barriers)
        except InputError as error:
            problems += error.problems
        if not (isinstance(graph, str) and graph in POINT_KINDS):
            message = "barriers cut neighbours by place ('delaunay', 'gabriel'); take edges out of any other graph"
            problems.append(Problem("barriers-without-points", message))
    kind: Any = graph if isinstance(graph, str) else "given"
    if isinstance(graph, str) and graph not in KINDS[:-1]:
        problems.append(
            Problem("unknown-option", f"contiguous: expected one of {', '.join(KINDS[:-1])}, or a graph, not {graph!r}")
        )
    elif kind in ("rook", "queen"):
        if hasattr(customers, "geometry") and not problems:
            return unit_graph(cast("BasicUnits", customers), kind, bridges=bridges, islands=islands)
        if not hasattr(customers, "geometry"):
            message = f"{kind!r} is for basic units, which have borders; customers are points"
            problems.append(Problem("no-geometry", message, hint="Maybe 'delaunay', or 'gabriel'?"))
    diagnostics: list[Problem] = []
    edges = np.empty((0, 2), dtype=np.int64)
    if not isinstance(graph, str):
        edges = _given(customers, graph, problems, diagnostics, symmetrise=symmetrise)
    if problems:
        raise InputError(problems, _SUBJECT)
    if kind in POINT_KINDS:
        return graph_of_points(
            customers.lon, customers.lat, kind=kind, barriers=walls, bridges=pairs, islands=islands
        )  # fmt: skip
    return _of_units(customers, edges, "given", None, pairs, islands, diagnostics)


def unit_graph(
    units: BasicUnits,
    kind: Literal["rook", "queen"],
    *,
    bridges: Iterable[tuple[str, str]],
    islands: Islands,
    tolerance_m: Any = 1.0,
) -> ContiguityGraph:
    """Make the graph of units that share a border; see `BasicUnits.contiguity`."""
    problems: list[Problem] = []
    pairs = _pairs(units, bridges, "bridges", problems)
    if kind not in ("rook", "queen"):
        problems.append(Problem("unknown-option", f"kind: expected 'rook' or 'queen', not {kind!r}"))
    if islands not in ISLANDS:
        problems.append(Problem("unknown-option", f"islands: expected one of {', '.join(ISLANDS)}, not {islands!r}"))
    if not (isinstance(tolerance_m, (int, float, np.number)) and 0 <= float(tolerance_m) < np.inf):
        problems.append(Problem("bad-tolerance", f"expected tolerance_m >= 0, not {tolerance_m!r}"))
    if units.geometry is None:
        problems.append(Problem("no-geometry", "basic units without polygons share no borders", "geometry"))
    if problems or units.geometry is None:
        raise InputError(problems, _SUBJECT)
    from territory.geo.borders import shared_borders  # noqa: PLC0415 - shapely, only for polygons

    found = shared_borders(units.geometry, tolerance_m=tolerance_m)
    diagnostics = []
    if found.overlapping.any():
        at = found.pairs[found.overlapping]
        ids = units.id.tolist()
        shown = ", ".join(f"{ids[i]} and {ids[j]}" for i, j in at[:5].tolist())
        rows = tuple(int(i) for i in at[:5, 0])
        diagnostics.append(Problem("overlapping-units", f"units share ground: {shown}", "geometry", len(at), rows))
    kept = found.length_m > 0 if kind == "rook" else np.ones(len(found.pairs), dtype=bool)
    return _of_units(units, found.pairs[kept], kind, found.length_m[kept], pairs, islands, diagnostics)


def _of_units(
    table: Customers | BasicUnits,
    edges: IntArray,
    kind: GraphKind,
    border_m: npt.NDArray[np.float64] | None,
    bridges: IntArray,
    islands: Islands,
    diagnostics: list[Problem],
) -> ContiguityGraph:
    return graph_of_edges(
        table.lon, table.lat, np.arange(len(table), dtype=np.int32), edges, kind=kind, border_m=border_m,
        bridges=bridges, islands=islands, diagnostics=tuple(diagnostics),
    )  # fmt: skip


def _pairs(table: Customers | BasicUnits, given: Any, what: str, problems: list[Problem]) -> IntArray:
    """Read pairs of ids as positions, int64 of shape (m, 2); what is wrong goes to `problems`."""
    nothing = np.empty((0, 2), dtype=np.int64)
    try:
        rows = [pair if isinstance(pair, str) else tuple(pair) for pair in given]
    except TypeError:
        problems.append(Problem("not-pairs", f"{what}: expected pairs of ids, not {given!r:.60}"))
        return nothing
    odd = [i for i, pair in enumerate(rows) if isinstance(pair, str) or len(pair) != 2]
    if odd:
        message = f"{what}: expected pairs of ids, not {rows[odd[0]]!r:.60}"
        problems.append(Problem("not-pairs", message, count=len(odd), rows=tuple(odd[:5])))
        return nothing
    try:
        at = table.positions([i for pair in rows for i in pair]).astype(np.int64)
    except InputError as error:
        problems += [Problem(p.code, f"{what}: {p.message}", p.column, p.count, (), p.hint) for p in error.problems]
        return nothing
    return at.reshape(-1, 2)


def _given(
    table: Customers | BasicUnits, graph: Any, problems: list[Problem], diagnostics: list[Problem], *, symmetrise: bool
) -> IntArray:
    """Read a graph as pairs of positions, each once, without loops."""
    n = len(table)
    directed = False
    if hasattr(graph, "nodes") and hasattr(graph, "edges"):
        pairs = _networkx(table, graph, problems)
        directed = bool(graph.is_directed())
    elif hasattr(graph, "tocoo"):
        pairs = _sparse(graph, n, problems)
        directed = True
    elif isinstance(graph, np.ndarray) and graph.ndim == 2 and graph.shape == (n, n) and graph.dtype.kind in "biuf":
        hint = "Maybe scipy.sparse.csr_array(matrix)?"
        problems.append(Problem("not-a-graph", "a dense matrix, where zero may mean near or apart", hint=hint))
        return np.empty((0, 2), dtype=np.int64)
    else:
        pairs = _pairs(table, graph, "contiguous", problems)
    loops = pairs[:, 0] == pairs[:, 1]
    if loops.any():
        at = np.unique(pairs[loops, 0])
        rows = tuple(int(i) for i in at[:5])
        diagnostics.append(Problem("self-loop", "edges from a customer to itself; left out", "id", len(at), rows))
        pairs = pairs[~loops]
    keys = np.unique(pairs[:, 0] * n + pairs[:, 1])
    back = np.sort(keys % max(n, 1) * n + keys // max(n, 1))
    lone = np.setdiff1d(keys, back, assume_unique=True)
    if directed and len(lone) and not symmetrise:
        ids = table.id
        shown = ", ".join(f"{ids[k // n]} to {ids[k % n]}" for k in lone[:5].tolist())
        problems.append(
            Problem(
                "asymmetric-adjacency",
                f"edges one way only: {shown}",
                "id",
                len(lone),
                tuple(int(k // n) for k in lone[:5]),
                "Maybe contiguity_graph(customers, graph, symmetrise=True)?",
            )
        )
    both = np.unique(np.concatenate([keys, back]))
    pairs = np.stack([both // max(n, 1), both % max(n, 1)], axis=1)
    return np.asarray(pairs[pairs[:, 0] < pairs[:, 1]], dtype=np.int64)


def _networkx(table: Customers | BasicUnits, graph: Any, problems: list[Problem]) -> IntArray:
    nodes = list(graph.nodes)
    try:
        at = table.positions(nodes).astype(np.int64)
    except InputError as error:
        hint = "Maybe graph.subgraph(customers.id.tolist())?"
        problems += [Problem(p.code, f"nodes: {p.message}", p.column, p.count, (), hint) for p in error.problems]
        return np.empty((0, 2), dtype=np.int64)
    missing = np.setdiff1d(np.arange(len(table)), at)
    if len(missing):
        rows = tuple(int(i) for i in missing[:5])
        shown = ", ".join(repr(i) for i in table.id[missing[:5]].tolist())
        message = f"not in the graph: {shown}"
        hint = "Maybe graph.add_nodes_from(...)? Without edges they are islands."
        problems.append(Problem("missing-customers", message, "id", len(missing), rows, hint))
    position = dict(zip(nodes, at.tolist(), strict=True))
    # the edges of a multigraph have keys, too
    listed = [(position[edge[0]], position[edge[1]]) for edge in graph.edges]
    return np.array(listed, dtype=np.int64).reshape(-1, 2)


def _sparse(graph: Any, n: int, problems: list[Problem]) -> IntArray:
    if tuple(graph.shape) != (n, n):
        message = f"expected a matrix of shape ({n}, {n}), not {tuple(graph.shape)}"
        problems.append(Problem("wrong-shape", message))
        return np.empty((0, 2), dtype=np.int64)
    matrix = graph.tocoo()
    values = np.asarray(matrix.data)
    if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        problems.append(Problem("not-finite", "a matrix of numbers, none of them NaN or infinite, is expected"))
    joined = values != 0
    return np.stack([matrix.row[joined], matrix.col[joined]], axis=1).astype(np.int64)
