"""Design of territories: balanced shares of the best centres, contiguity, all measures, bound."""

from __future__ import annotations

from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from territory.check import check_alignment
from territory.design.answer import answer
from territory.design.apart import brought_apart, corridors
from territory.design.atoms import joined
from territory.design.contiguity import on_islands
from territory.design.exactly import exact_territories, kept_exactly, refuse_too_large
from territory.design.feasible import refuse_impossible
from territory.design.first import first_territories
from territory.design.problem import DesignProblem, on_sphere
from territory.design.repair import beside, improved, reconnected
from territory.design.request import Compactness, Request, read_request
from territory.errors import InfeasibleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray
    from territory.model.balance import Balance
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.units import BasicUnits

__all__ = ["design_territories"]

#: Part of the time after which no round begins: repair and border moves need the rest.
_SEARCH: Final = 0.6


def design_territories(
    customers: Customers | BasicUnits,
    reps: Reps | None = None,
    *,
    n_territories: int | None = None,
    balance: Mapping[str, float | Balance] | None = None,
    centers: Literal["near-homes", "free", "homes"] | None = None,
    contiguous: Any = True,
    barriers: Any = None,
    bridges: Iterable[tuple[str, str]] = (),
    islands: Literal["refuse", "parts", "join"] | None = None,
    together: Any = None,
    apart: Any = None,
    overrides: Mapping[str, str] | None = None,
    reach_km: float | Mapping[str, float] | None = None,
    compactness: Compactness = "squared",
    travel: Any = None,
    method: Literal["auto", "exact"] = "auto",
    bounds: Literal["centers", "free"] = "centers",
    time_limit_s: float = 30.0,
    rng: int | np.random.Generator | None = 0,
    on_progress: Callable[[str, float], None] | None = None,
) -> Alignment:
    """Partition customers into balanced, compact territories.

    Parameters
    ----------
    customers : Customers or BasicUnits, length n
        Units are dealt out whole, each at the place that stands for it.
    reps : Reps, optional
        One territory each; ``capacity_s`` shares out the work (a part-timer gets less). Skills,
        locks and forbidden reps are kept.
    n_territories : int, optional
        1 <= n_territories <= n; default: one per rep. Fewer than reps leaves some without; they are
        called T1, T2, ... from west to east then.
    balance : mapping of measure to float or Balance, optional
        Allowed deviation from the target as a share of it (0.05 = +-5 %), for any number of
        measures ("workload_s", "count", or a measure's name); a hard limit. A `Balance` says it in full: least
        and most, a part-timer's share, what deviations cost. The first one weights
        distances. Default: workload (or count where none is known) within 10 %, as far as
        possible: the tolerance that was reached is in ``.balance``.
    centers : {"near-homes", "free", "homes"}, optional
        Whether centres lie in the middle of their customers ("free"), at the reps' homes, or a
        third of the way from the middle to the home, which saves driving. Default: near homes
        where there are reps, one a territory; else free.
    contiguous : bool, "delaunay", "gabriel", "rook", "queen", ContiguityGraph, or a graph
        Whether every territory must be connected, and on which graph: by default that of neighbours by
        place (Delaunay), or by shared border where units have polygons. A networkx graph of customer
        ids, a scipy sparse matrix, or pairs of ids are taken as they are; see `contiguity_graph`. It
        concerns the free customers, those that every rep may serve. Customers with locks, or particular
        about reps, may lie apart, and do not stand in the way of others.
    barriers : geometry, iterable of geometries, GeoDataFrame, or GeoJSON as a mapping, optional
        Lines and polygons (rivers, ridges, lakes) across which nobody is a neighbour by place.
    bridges : iterable of pairs of ids, optional
        Who are neighbours in spite of barriers.
    islands : {"refuse", "parts", "join"}, optional
        What becomes of parts of the map that nothing joins: every territory lies in one of them, which
        is an error if it cannot be ("refuse", the default); a territory may have a piece on each
        ("parts"); or the shortest gaps between them are bridged ("join").
    together : iterable of groups of ids, a label for each customer, or mapping of id to label, optional
        Customers of one group get one territory. A group that hangs together by itself keeps territories
        connected; one with members here and there does not have to.
    apart : the same, optional
        No two customers of a group get the same territory.
    overrides : mapping (or pandas Series) of customer id to rep id, optional
        Accounts that are given away by name, outside the geography: wherever they are, connected or not.
        They count as their reps' work.
    reach_km : float, or mapping (or pandas Series) of rep id to float, optional
        Nobody is farther than this, as the crow flies, from the rep's home, where there is one rep a territory;
        else from the territory's centre. Whom no rep reaches gets no territory, and ``.unassigned_reason`` says
        so. Locked customers, those in `overrides`, and their groups may be farther away.
    compactness : {"squared", "distance", "reach", "perimeter"}
        What is kept small: the weighted squared distances to the centres (default, for which the bound is), the
        distances themselves, how far the farthest customer of each territory is, or the borders between
        territories (their length where units have borders, else pairs of neighbours that they part).
        ``.objective`` and ``.bound`` tell mean distances in metres for "distance", squared ones for the others.
    travel : Travel, or scipy sparse matrix of seconds, optional
        Territories are kept compact by travel time: weighted mean of there and back from the centre, which is a
        customer then, or a rep's home. A matrix of shape (n, n), or (n + reps, n + reps) with the homes last, may know
        only the ways to the nearest few of everybody; shortest ways over them count. Who gets nowhere is left out,
        and ``.unassigned_reason`` says so. ``.objective`` is in seconds. Where customers times territories exceed six
        million, a source is asked for the ways to the nearest only, those further off are estimated during the search,
        and ``.bound`` is 0: not known.
    method : {"auto", "exact"}
        "exact", for up to 200 customers in 8 territories: the best centres among the customers (or the homes, with
        ``centers="homes"``) and the best territories around them, by an integer programme (HiGHS). ``.status`` says
        whether that was proven in time. Limits that "auto" cannot keep are tried exactly too, where it is small enough.
    bounds : {"centers", "free"}
        "free", for up to 2,000 customers: ``.free_bound`` holds for centres anywhere, not only for those of the answer.
    time_limit_s : float
        Seconds; kept within 10 % + 0.2 s, once there is a first answer.
    rng : int, Generator or None
        Seed. The same input and seed give the same answer, unless time runs out.
    on_progress : callable, optional
        Called with the step and the share done.

    Returns
    -------
    Alignment
        ``.territory_idx``, int32 of shape (n,); ``.status``; ``.bound`` for its centres;
        ``.report()``. It has passed `check_alignment`.

    Raises
    ------
    InputError
        Every broken rule at once.
    InfeasibleError
        No alignment keeps the hard limits, or none was found; ``.reasons`` says who and by how much:
        also islands, where there are more than territories, or one is too small to be one.

    Notes
    -----
    Balanced power diagrams (`power_design`), which share out customers to given centres as the linear program
    does, recentred, the best of up to five starts; then moves at the borders. About O(n log n): on one core, 10,000
    customers in 100 territories take 2 to 6 s, 100,000 in 500 8 to 13 s. The first call on a machine compiles for
    half a minute. Hess et al. 1965; Aurenhammer, Hoffmann & Aronov 1998.

    Examples
    --------
    >>> from territory import Customers
    >>> customers = Customers(id=["a", "b", "c", "d"], lon=[0, 0, 9, 9], lat=[50, 50.1, 50, 50.1])
    >>> design_territories(customers, n_territories=2, balance={"count": 0.0}).territory_idx.tolist()
    [0, 0, 1, 1]
    """
    _load_kernels(travel, compactness, method, bounds)
    began = monotonic()
    request = read_request(
        customers, reps, n_territories, balance, centers, time_limit_s, rng,
        contiguous=contiguous, barriers=barriers, bridges=bridges, islands=islands,
        together=together, apart=apart, overrides=overrides, reach_km=reach_km, compactness=compactness,
        travel=travel, method=method, bounds=bounds,
    )  # fmt: skip
    deadline = began + time_limit_s
    say = on_progress or _silent
    lon, lat = request.customers.lon[request.row], request.customers.lat[request.row]
    request, problem = on_islands(request, _problem(request, lon, lat))
    atoms = joined(problem, request.graph, request.group)
    refuse_impossible(request, atoms)
    if method == "exact":
        refuse_too_large(request, atoms)
    first = first_territories(request, atoms, began + _SEARCH * time_limit_s, squared=compactness == "squared")
    say("territories", 0.7)
    seed = int(request.rng.integers(2**62))
    label = brought_apart(first.problem, first.label, first.center)
    if atoms.graph is not None:
        label = corridors(first.problem, atoms.graph, label, deadline=deadline)
        label = reconnected(first.problem, atoms.graph, label, first.center, deadline=deadline)
    say("repair", 0.8)
    problem_at, costs = first.problem, None
    if request.yardstick is not None and first.at is not None:
        costs, problem_at = request.yardstick.local(atoms, problem.weight, first.problem, first.at)
    label = improved(
        problem_at, atoms.graph, beside(request.graph, lon, lat, atoms.atom), label, first.center,
        fixed=request.pull > 0.0 or request.reach_m is not None, seed=seed, deadline=deadline,
        compactness=compactness, costs=costs, price=first.price,
    )  # fmt: skip
    say("bound", 0.9)
    # a bound for centres anywhere, or a proof, may take what time is left
    free = bounds == "free"
    now = free and method != "exact"
    try:
        alignment = answer(request, problem, atoms, label, first.center, first.at, deadline=deadline, free=now)
    except InfeasibleError as error:
        label = kept_exactly(request, atoms, first, costs, error, deadline)
        alignment = answer(request, problem, atoms, label, first.center, first.at, deadline=deadline, free=now)
    if method == "exact":
        exact = exact_territories(request, atoms, label, deadline)
        alignment = answer(
            request, problem, atoms, exact.label, exact.center, None, deadline=deadline, free=free, exact=exact
        )
    say("check", 1.0)
    check_alignment(alignment, travel=travel).raise_if_any("design_territories")
    return alignment


def _load_kernels(travel: Any, compactness: Any, method: Any, bounds: Any) -> None:
    """Compile, or load, the kernels that few calls need before the clock starts."""
    if travel is not None or compactness == "distance":
        import_module("territory.design.yardstick")
    if method == "exact":
        import_module("territory.design.exact")
    if bounds == "free":
        import_module("territory.design.lagrange")


def _problem(request: Request, lon: FloatArray, lat: FloatArray) -> DesignProblem:
    soft = np.array([asked.weight for asked in request.balance.values()])
    return DesignProblem(
        xyz=on_sphere(lon, lat),
        weight=request.measures[:, 0],
        measures=request.measures,
        lower=request.bands.lower,
        upper=request.bands.upper,
        target=request.bands.target,
        eligible=request.eligible,
        soft=soft if soft.any() else None,
        apart=request.apart if len(request.apart) else None,
    )


def _silent(_step: str, _share: float) -> None:
    """Say nothing."""
