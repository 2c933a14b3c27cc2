"""Territories grouped into districts, districts into regions: whole, balanced, compact and connected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.check.contiguity import kept_graph
from territory.design.ladder import DEFAULT_TOLERANCE, as_balanced, loosened
from territory.design.territories import design_territories
from territory.errors import InfeasibleError, InputError, Problem
from territory.geo.adjacency import label_adjacency
from territory.geo.contiguity import ISLANDS, ContiguityGraph, graph_of_edges
from territory.geo.contraction import touching
from territory.geo.sphere import mean_position
from territory.model.arrays import text_array
from territory.model.customers import Customers
from territory.model.hierarchy import Hierarchy
from territory.model.workload import default_measure
from territory.review.facts import deviations, weights
from territory.review.report import basic_report, drive_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["group_territories", "hierarchy_report", "quotient_graph", "territory_units"]

_SUBJECT = "group_territories"
#: What levels are called where nobody says.
_LEVELS: Final = ("territory", "district", "region", "area")
#: The measure that says how many customers there are; "count" counts what is dealt out, which is territories.
_CUSTOMERS: Final = "customers"


def group_territories(
    territories: Alignment | Hierarchy,
    n_groups: int,
    *,
    balance: Mapping[str, Any] | None = None,
    contiguous: bool = True,
    islands: str | None = None,
    level: str | None = None,
    names: Iterable[str] | None = None,
    **options: Any,
) -> Hierarchy:
    """Group territories into balanced, compact, contiguous districts; districts into regions; and so on.

    Parameters
    ----------
    territories : Alignment, or Hierarchy
        Of k territories; of a hierarchy its highest level is grouped. None of them is split.
    n_groups : int
        1 <= n_groups <= k.
    balance : mapping of measure to float or Balance, optional
        As of `design_territories`, hard: any measure of the customers, ``"customers"`` for their number, ``"count"``
        for the number of territories. Default: what the territories are balanced by, within 10 %, as far as possible.
    contiguous : bool
        Whether each group must be connected. Territories are neighbours where customers of both are, on the graph of
        the alignment.
    islands : {"refuse", "parts", "join"}, optional
        What becomes of territories that nothing joins, as of `design_territories`. Default: as of the alignment.
    level : str, optional
        What a group is called. Default: "district", then "region".
    names : iterable of str, length n_groups, optional
        Names of the groups from west to east. Default: D1, D2, ... by the first letter of `level`, or the reps' ids
        where there are ``reps``.
    **options
        As of `design_territories`; ``reps`` are those who lead the groups.

    Returns
    -------
    Hierarchy
        With one more level.

    Raises
    ------
    InputError
        Every broken rule at once.
    InfeasibleError
        As of `design_territories`.

    Notes
    -----
    O(n log n) for the measures and neighbours of the territories, then a design of k units.

    Examples
    --------
    >>> from territory import Customers, design_territories
    >>> customers = Customers(id=list("abcdef"), lon=[1, 2, 3, 7, 8, 9], lat=[50] * 6)
    >>> districts = group_territories(design_territories(customers, n_territories=6), 2, names=["West", "East"])
    >>> districts.of("f")
    ('T6', 'East')
    """
    below = territories if isinstance(territories, Hierarchy) else Hierarchy((territories,), _LEVELS[:1])
    top = below.levels[-1]
    level = _LEVELS[min(len(below), len(_LEVELS) - 1)] if level is None else level
    names = None if names is None else names if isinstance(names, str) else list(names)
    _check(below, n_groups, level, names, islands)
    units = territory_units(top)
    graph = quotient_graph(top, units, islands) if contiguous else False
    reps = options.pop("reps", None)

    def design(limits: Mapping[str, Any]) -> Alignment:
        return design_territories(
            units, reps, n_territories=n_groups, balance=limits, contiguous=graph, **options
        )  # fmt: skip

    try:
        if balance is not None:
            made = design(balance)
        else:
            measure = _usual(top, units)
            made = _tightened(as_balanced(lambda t: design({measure: t}), loosened(DEFAULT_TOLERANCE)), measure)
    except InfeasibleError as error:
        raise InfeasibleError(error.reasons, f"no grouping into {n_groups} of level {level}") from None
    if names is not None or reps is None:
        width = len(str(n_groups))
        ids = names or [f"{level.strip()[:1].upper()}{j + 1:0{width}d}" for j in range(n_groups)]
        made = replace(made, territory_id=text_array(ids))
    return Hierarchy((*below.levels, made), (*below.names, level))


def _check(below: Hierarchy, n_groups: object, level: object, names: Any, islands: object) -> None:
    problems = []
    k = len(below.levels[-1])
    whole = isinstance(n_groups, (int, np.integer)) and not isinstance(n_groups, bool)
    if not whole:
        problems.append(Problem("bad-count", f"n_groups: expected a whole number, not {n_groups!r}"))
    elif n_groups < 1:  # type: ignore[operator]
        problems.append(Problem("bad-count", f"expected n_groups >= 1, not {n_groups}"))
    elif n_groups > k:  # type: ignore[operator]
        problems.append(Problem("too-many-groups", f"{n_groups} groups of {k} territories"))
    if not isinstance(level, str) or not level.strip():
        problems.append(Problem("bad-name", f"level: expected a word, not {level!r}"))
    elif level in below.names:
        hint = "Name it: level='...'."
        problems.append(Problem("bad-name", f"there is a level {level!r} already", hint=hint))
    if isinstance(names, str):
        problems.append(Problem("bad-name", f"names: expected a list of names, not {names!r}"))
    elif names is not None:
        if whole and len(names) != n_groups:
            problems.append(Problem("wrong-shape", f"names: {len(names)} for {n_groups} groups"))
        if any(not isinstance(n, str) or not n.strip() for n in names) or len(set(map(str, names))) < len(names):
            problems.append(Problem("duplicate-id", "names: blank, or no text, or more than once"))
    if islands is not None and islands not in ISLANDS:
        message = f"islands: expected one of {', '.join(ISLANDS)}, not {islands!r}"
        problems.append(Problem("unknown-option", message))
    if problems:
        raise InputError(problems, _SUBJECT)


def _usual(top: Alignment, units: Customers) -> str:
    """Return what groups are balanced by where nobody says."""
    for name in (*top.balance, default_measure(top.customers)):
        if name != "count" and (name in units.measures or getattr(units, name, None) is not None):
            return name
    return _CUSTOMERS


def _tightened(made: Alignment, measure: str) -> Alignment:
    """Return an alignment whose balance is what was reached, where that was not asked for as a limit."""
    off = float(np.abs(deviations(made.totals(measure), made.targets[measure])).max(initial=0.0))
    reached = max(DEFAULT_TOLERANCE, off * (1.0 + 1e-12))
    said = made.diagnostics
    if reached > DEFAULT_TOLERANCE:
        loose = f"balanced within {reached:.1%}, not {DEFAULT_TOLERANCE:.0%}"
        said = (*said, Problem("balance-loose", loose, column=measure))
    return replace(made, balance={measure: reached}, diagnostics=said)


def territory_units(alignment: Alignment) -> Customers:
    """Return the territories of an alignment as if they were customers.

    Parameters
    ----------
    alignment : Alignment, n customers in k territories

    Returns
    -------
    Customers, length k
        By their ids, each at the mean position of its customers, weighted by the first measure; an empty one at its
        rep's home, or its centre. ``workload_s`` and ``deal_value`` where customers have them, all measures, and the
        number of ``"customers"`` are added up.

    Raises
    ------
    InputError
        Empty territories that are nowhere.
    """
    a = alignment
    c, k = a.customers, len(a)
    lon, lat = a.center_lon.copy(), a.center_lat.copy()
    if a.reps is not None:
        held = a.rep_idx >= 0
        lon[held], lat[held] = a.reps.lon[a.rep_idx[held]], a.reps.lat[a.rep_idx[held]]
    mass = weights(a)
    order = np.argsort(a.territory_idx, kind="stable")
    ends = np.searchsorted(a.territory_idx[order], np.arange(k + 1))
    for j in range(k):
        rows = order[ends[j] : ends[j + 1]]
        # by place, so that sums do not depend on the order of rows
        rows = rows[np.lexsort((mass[rows], c.lat[rows], c.lon[rows]))]
        if len(rows):
            share = mass[rows] if mass[rows].any() else None
            lon[j], lat[j] = mean_position(c.lon[rows], c.lat[rows], share)
    nowhere = np.flatnonzero(~(np.isfinite(lon) & np.isfinite(lat)))
    if len(nowhere):
        shown = ", ".join(a.territory_id[nowhere[:5]].tolist())
        message = f"empty territories without a rep or a centre: {shown}"
        rows5 = tuple(int(j) for j in nowhere[:5])
        raise InputError([Problem("empty-territory", message, "territory_id", len(nowhere), rows5)], _SUBJECT)
    columns: dict[str, Any] = {}
    if default_measure(c) == "workload_s":
        columns["workload_s"] = a.totals("workload_s")
    if c.deal_value is not None:
        columns["deal_value"] = a.totals("deal_value")
    count = np.bincount(a.territory_idx[a.territory_idx >= 0], minlength=k).astype(np.float64)
    measures = {_CUSTOMERS: count, **{name: a.totals(name) for name in c.measures}}
    columns = {name: values for name, values in columns.items() if values.any()}
    return Customers(
        id=a.territory_id, lon=lon, lat=lat, measures={n: v for n, v in measures.items() if v.any()}, **columns
    )


def quotient_graph(alignment: Alignment, units: Customers, islands: str | None = None) -> ContiguityGraph:
    """Return which territories are neighbours: those whose customers are.

    Parameters
    ----------
    alignment : Alignment, n customers in k territories
    units : Customers, length k
        From `territory_units`; their places say which gaps are the shortest.
    islands : {"refuse", "parts", "join"}, optional
        Default: as of the alignment's graph.

    Returns
    -------
    ContiguityGraph
        Of k units. A territory has no site if it has no customers whom contiguity concerns: it may be anybody's.
    """
    whole = kept_graph(alignment)
    label = np.where(whole.site >= 0, alignment.territory_idx, -1).astype(np.int32)
    pairs = label_adjacency(label, touching(whole.site, whole.edges, label))
    placed = np.flatnonzero(np.bincount(label[label >= 0], minlength=len(alignment)) > 0)
    number = np.full(len(alignment), -1, dtype=np.int32)
    number[placed] = np.arange(len(placed), dtype=np.int32)
    chosen: Any = whole.islands if islands is None else islands
    inner = graph_of_edges(
        units.lon[placed], units.lat[placed], np.arange(len(placed), dtype=np.int32),
        number[pairs].astype(np.int64).reshape(-1, 2), kind="given", islands=chosen,
    )  # fmt: skip
    return ContiguityGraph(
        inner.indptr, inner.indices, number, "given", islands=inner.islands, diagnostics=inner.diagnostics
    )


def hierarchy_report(hierarchy: Hierarchy, at: int) -> dict[str, Any]:
    """Return the columns of `Hierarchy.report`, arrays with one value a territory of the level."""
    base, level, name = hierarchy.levels[0], hierarchy.levels[at], hierarchy.names[at]
    over = hierarchy.alignment(at)
    columns: dict[str, Any] = {f"{name}_id": level.territory_id.astype(object)}
    if at + 1 < len(hierarchy):
        above = hierarchy.levels[at + 1]
        columns[f"{hierarchy.names[at + 1]}_id"] = above.territory_id.astype(object)[above.territory_idx]
    if at:
        columns["territories"] = np.bincount(hierarchy.members(at), minlength=len(level))
    found = basic_report(over)
    columns |= {key: values for key, values in found.items() if key not in ("territory_id", *columns)}
    if at and "count" in level.targets:
        columns["territories_target"] = level.targets["count"]
    columns["parts"] = _parts(hierarchy, at)
    drive = drive_of(base)
    member = hierarchy.members(at)
    columns["drive_h_round"] = _summed(member, drive.round_s, len(level)) / 3600.0
    if drive.week_s is not None:
        columns["drive_h_week"] = _summed(member, drive.week_s, len(level)) / 3600.0
    return columns


def _parts(hierarchy: Hierarchy, at: int) -> IdxArray:
    """Count the parts of each group, among the customers whom contiguity of the territories concerns."""
    label = hierarchy.labels(at)
    piece = kept_graph(hierarchy.levels[0]).torn(label)
    rows = np.flatnonzero(piece >= 0)
    _, first = np.unique(piece[rows], return_index=True)
    return np.bincount(label[rows[first]], minlength=len(hierarchy.levels[at])).astype(np.int32)


def _summed(member: IdxArray, values: FloatArray, k: int) -> FloatArray:
    return np.bincount(member, values, k).astype(np.float64)
