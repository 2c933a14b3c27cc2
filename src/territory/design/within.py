"""Territories from the top down: each lies in one of the regions that are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.check import check_alignment
from territory.design.contiguity import read_contiguity
from territory.design.regions import read_counts, read_regions, reps_by_region
from territory.design.territories import design_territories
from territory.errors import InfeasibleError, InputError, Problem
from territory.geo.contiguity import ContiguityGraph
from territory.model.alignment import Alignment
from territory.model.arrays import NO_IDX, text_array
from territory.model.balance import Balance
from territory.model.enums import Status
from territory.model.rules import AlignmentRules
from territory.model.units import BasicUnits
from territory.model.workload import measure_values
from territory.units import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.model.arrays import IntArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["design_within"]

_SUBJECT = "design_within"
#: What names customers or reps of several regions at once.
_ACROSS = ("together", "apart", "overrides")


def design_within(
    customers: Customers | BasicUnits,
    reps: Reps | None = None,
    *,
    by: Any,
    n_territories: int | Mapping[str, int] | None = None,
    balance: Mapping[str, Any] | None = None,
    contiguous: Any = True,
    barriers: Any = None,
    bridges: Iterable[tuple[str, str]] = (),
    islands: Any = None,
    time_limit_s: float = 60.0,
    rng: int | np.random.Generator | None = 0,
    **options: Any,
) -> Alignment:
    """Partition customers into territories, each of which lies in one given region.

    Parameters
    ----------
    customers : Customers or BasicUnits, length n
    reps : Reps, optional
        One territory each, in the region that their column ``team`` names.
    by : str, or array_like of text of shape (n,)
        The region of each customer: a column of text such as ``"segment"``, or the regions themselves.
    n_territories : int, or mapping of region to int, optional
        Without reps. A number is dealt out by share of the first measure (largest remainders, one at least).
    balance, contiguous, barriers, bridges, islands, rng, **options
        As of `design_territories`, in each region: targets are shares of the region. Where customers are neighbours
        by place, those of each region are so among themselves, so that an exclave hangs on the nearest of its region.
        ``together``, ``apart`` and ``overrides`` are not taken.
    time_limit_s : float
        Seconds for all regions.

    Returns
    -------
    Alignment
        Territories have their reps' ids, or that of the region and a number from west to east (``North-1``), so that
        what happens in one region changes nothing in another. It has passed `check_alignment`.

    Raises
    ------
    InputError
        Every broken rule at once: an unknown column, customers without a region, a region without a rep, ...
    InfeasibleError
        As of `design_territories`, for all regions at once.

    Notes
    -----
    One design a region; regions of equal size make it about as fast as one design of one of them, times their number.

    Examples
    --------
    >>> from territory import Customers
    >>> customers = Customers(id=list("abcdef"), lon=[1, 2, 3, 7, 8, 9], lat=[50] * 6)
    >>> made = design_within(customers, by=["W", "W", "E", "E", "E", "E"], n_territories=3)
    >>> made.to_dict()["territory_id"].tolist()
    ['W-1', 'W-1', 'E-1', 'E-1', 'E-2', 'E-2']
    """
    began = monotonic()
    problems: list[Problem] = []
    table = customers.to_customers() if isinstance(customers, BasicUnits) else customers
    if not (is_number(time_limit_s) and time_limit_s > 0):
        problems.append(Problem("bad-time-limit", f"expected time_limit_s > 0, not {time_limit_s!r}"))
    across = [name for name in _ACROSS if options.get(name)]
    if across:
        problems.append(Problem("unknown-option", f"{', '.join(across)}: not where territories lie in regions"))
    if len(table) == 0:
        problems.append(Problem("no-customers", "there are no customers to share out"))
    region = read_regions(customers, by, problems)
    if problems:
        raise InputError(problems, _SUBJECT)
    names, of = np.unique(region, return_inverse=True)
    regions = [str(name) for name in names.tolist()]
    rows = [np.flatnonzero(of == r) for r in range(len(regions))]
    reps_of = reps_by_region(regions, reps, n_territories, problems)
    counts = None if reps is not None else read_counts(table, regions, of, n_territories, balance, problems)
    graphs = _graphs(customers, rows, contiguous, barriers, bridges, islands, problems)
    if problems:
        raise InputError(problems, _SUBJECT)
    seed = int(rng.integers(2**62)) if isinstance(rng, np.random.Generator) else rng
    parts: list[_Part] = []
    reasons: list[Problem] = []
    faults: list[Problem] = []
    for r, name in enumerate(regions):
        own = None if reps is None else reps.take(reps_of[r])
        left = time_limit_s - (monotonic() - began)
        seconds = max(left, 1e-3) * len(rows[r]) / sum(map(len, rows[r:]))
        try:
            made = design_territories(
                table.take(rows[r]), own, n_territories=None if counts is None else int(counts[r]),
                balance=_balance_in(balance, own), contiguous=False if graphs is None else graphs[r],
                time_limit_s=seconds, rng=seed, **options,
            )  # fmt: skip
        except InfeasibleError as error:
            reasons += [_placed(p, name, rows[r]) for p in error.reasons]
            continue
        except InputError as error:
            faults += [_placed(p, name, rows[r]) for p in error.problems]
            continue
        parts.append(_Part(name, rows[r], made))
    if faults:
        raise InputError(faults, _SUBJECT)
    if reasons:
        raise InfeasibleError(reasons, "no territories within the regions keep the hard limits")
    made = _joined(table, reps, parts, reps_of, graphs)
    check_alignment(made).raise_if_any(_SUBJECT)
    return made


@dataclass(frozen=True, slots=True)
class _Part:
    """A region's customers, and their territories."""

    name: str
    rows: IntArray
    made: Alignment


def _graphs(
    customers: Customers | BasicUnits,
    rows: list[IntArray],
    contiguous: Any,
    barriers: Any,
    bridges: Any,
    islands: Any,
    problems: list[Problem],
) -> list[ContiguityGraph] | None:
    """Return the graph of each region's customers among themselves, or None where contiguity is not asked for.

    They are as if given: which customers pass on whom they touch must not depend on how a graph was made, since the
    graph of the whole is made of them.
    """
    pairs = _read_bridges(customers, bridges, problems)
    found: list[ContiguityGraph | None] = []
    if isinstance(contiguous, (bool, np.bool_, str)):
        for some in rows:
            here = customers.take(some)
            ids = set(here.id.tolist())
            inside = [pair for pair in pairs if set(pair) <= ids]
            fresh: list[Problem] = []
            found.append(read_contiguity(here, contiguous, barriers, inside, islands, fresh))
            problems += [p for p in fresh if p not in problems]
    else:
        whole = read_contiguity(customers, contiguous, barriers, pairs, islands, problems)
        found = [None if whole is None else whole.take(some) for some in rows]
    return [
        ContiguityGraph(g.indptr, g.indices, g.site, "given", islands=g.islands, diagnostics=g.diagnostics)
        for g in found
        if g is not None
    ] or None


def _read_bridges(customers: Customers | BasicUnits, bridges: Any, problems: list[Problem]) -> list[tuple[str, str]]:
    """Return pairs of ids; those between two regions join nothing."""
    try:
        pairs = [() if isinstance(pair, str) else tuple(pair) for pair in bridges]
    except TypeError:
        pairs = [()]
    if any(len(pair) != 2 for pair in pairs):
        problems.append(Problem("not-pairs", f"bridges: expected pairs of ids, not {bridges!r:.60}"))
        return []
    try:
        at = customers.positions([i for pair in pairs for i in pair])
    except InputError as error:
        problems += [replace(p, message=f"bridges: {p.message}", rows=()) for p in error.problems]
        return []
    ids = customers.id[at].tolist()
    return list(zip(ids[::2], ids[1::2], strict=True))


def _balance_in(balance: Any, reps: Reps | None) -> Any:
    """Return limits without what they say of other regions' reps."""
    if not isinstance(balance, Mapping) or reps is None:
        return balance
    own = set(reps.id.tolist())

    def here(given: Any) -> Any:
        return {i: v for i, v in given.items() if i in own} if isinstance(given, Mapping) else given

    return {
        name: replace(one, at_least=here(one.at_least), at_most=here(one.at_most), share=here(one.share))
        if isinstance(one, Balance)
        else one
        for name, one in balance.items()
    }


def _placed(problem: Problem, region: str, rows: IntArray) -> Problem:
    """Return a problem of a region as one of the whole table."""
    at = tuple(int(rows[i]) for i in problem.rows if i < len(rows))
    return replace(problem, message=f"region {region}: {problem.message}", rows=at)


def _joined(
    table: Customers,
    reps: Reps | None,
    parts: list[_Part],
    reps_of: list[IntArray],
    graphs: list[ContiguityGraph] | None,
) -> Alignment:
    """Return the territories of all regions as one alignment."""
    k = sum(len(part.made) for part in parts)
    territory_idx = np.full(len(table), NO_IDX, dtype=np.int32)
    lon, lat, rep_idx = np.empty(k), np.empty(k), np.full(k, NO_IDX, dtype=np.int32)
    ids: list[str] = [""] * k
    names = list(dict.fromkeys([*parts[0].made.balance, *parts[0].made.targets]))
    columns = {name: np.empty(k) for name in names}
    limits = {name: np.empty((k, 2)) for name in parts[0].made.rules.limits}
    reach = None if parts[0].made.rules.reach_m is None else np.empty(k)
    known = set(table.diagnostics)
    said, left = list(table.diagnostics), dict[int, str]()
    cost, bound, total, start = 0.0, 0.0, 0.0, 0
    first = parts[0].made
    weigh = first.rules.weigh_by or next(iter(first.balance))
    weight = measure_values(table, weigh)
    for r, part in enumerate(parts):
        a = part.made
        # territories stand in the order of the reps, or of the regions
        at = np.arange(start, start + len(a)) if reps is None else reps_of[r]
        start += len(a)
        width = len(str(len(a)))
        inside = a.territory_idx >= 0
        territory_idx[part.rows[inside]] = at[a.territory_idx[inside]]
        lon[at], lat[at] = a.center_lon, a.center_lat
        for j, position in enumerate(at.tolist()):
            ids[position] = str(a.territory_id[j]) if reps is not None else f"{part.name}-{j + 1:0{width}d}"
        if reps is not None:
            rep_idx[at] = reps_of[r][a.rep_idx]
        for name in names:
            columns[name][at] = a.targets[name]
        for name, values in limits.items():
            values[at] = a.rules.limits[name]
        if reach is not None and a.rules.reach_m is not None:
            reach[at] = a.rules.reach_m
        own = float(weight[part.rows[inside]].sum())
        cost, bound, total = cost + own * a.objective, bound + own * (a.bound or 0.0), total + own
        left |= {int(part.rows[i]): why for i, why in a.unassigned_reason.items()}
        said += [_placed(p, part.name, part.rows) for p in a.diagnostics if p not in known]
    statuses = {part.made.status for part in parts}
    status = Status.TIME_LIMIT if Status.TIME_LIMIT in statuses else Status.FEASIBLE
    return Alignment(
        table, reps, text_array(ids), territory_idx, rep_idx, lon, lat,
        balance={name: max(part.made.balance[name] for part in parts) for name in first.balance},
        targets=columns,
        contiguous=graphs is not None,
        graph=None if graphs is None else _blocks(len(table), graphs, [part.rows for part in parts]),
        rules=AlignmentRules(
            limits=limits, share={name: v / max(v.sum(), 1e-300) for name, v in columns.items()},
            weight=first.rules.weight, weigh_by=first.rules.weigh_by, reach_m=reach,
        ),
        unassigned_reason=left, diagnostics=tuple(said),
        status=Status.OPTIMAL if statuses == {Status.OPTIMAL} else status,
        objective=cost / max(total, 1e-300), bound=bound / max(total, 1e-300),
    )  # fmt: skip


def _blocks(n: int, graphs: list[ContiguityGraph], rows: list[IntArray]) -> ContiguityGraph:
    """Return several graphs as one in which nothing joins them."""
    site = np.full(n, -1, dtype=np.int32)
    indptr: list[Any] = [np.zeros(1, dtype=np.int32)]
    indices: list[Any] = []
    sites, edges = 0, 0
    for graph, some in zip(graphs, rows, strict=True):
        site[some] = np.where(graph.site >= 0, graph.site + sites, -1)
        indptr.append(graph.indptr[1:] + edges)
        indices.append(graph.indices + sites)
        sites, edges = sites + graph.n_sites, edges + len(graph.indices)
    return ContiguityGraph(np.concatenate(indptr), np.concatenate(indices), site, "given", islands=graphs[0].islands)
