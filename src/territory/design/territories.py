"""Design of territories: balanced shares of the best centres, contiguity, all measures, bound."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from territory.check import check_alignment
from territory.design.contiguity import on_islands
from territory.design.power import power_bound, power_design
from territory.design.problem import DesignProblem, on_sphere
from territory.design.repair import beside, improved, reconnected
from territory.design.request import Request, read_request
from territory.design.transport import least_deviation
from territory.errors import InfeasibleError, Problem, SolverError
from territory.geo.sphere import EARTH_RADIUS_M, from_unit_vectors
from territory.model.alignment import Alignment
from territory.model.arrays import NO_IDX, text_array
from territory.model.enums import Reason, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from territory.model.arrays import FloatArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.units import BasicUnits

__all__ = ["design_territories"]

#: Starts where centres are free, by number of customers; the first leaves nothing to chance.
_STARTS: Final = ((20_000, 5), (200_000, 2), (np.inf, 1))
#: Part of the time after which no round begins: repair and border moves need the rest.
_SEARCH: Final = 0.6
#: Part of the tolerance that may be used before territories are made contiguous, which needs the rest.
_SHARE: Final = 0.7
#: How far the first measure may be from its target at first where there are others.
_NOT_EMPTY: Final = 0.9


def design_territories(
    customers: Customers | BasicUnits,
    reps: Reps | None = None,
    *,
    n_territories: int | None = None,
    balance: Mapping[str, float] | None = None,
    centers: Literal["near-homes", "free", "homes"] | None = None,
    contiguous: Any = True,
    barriers: Any = None,
    bridges: Iterable[tuple[str, str]] = (),
    islands: Literal["refuse", "parts", "join"] | None = None,
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
    balance : mapping of measure to float, optional
        Allowed deviation from the target as a share of it (0.05 = +-5 %), for any number of
        measures ("workload_s", "count", or a measure's name); a hard limit. The first one weights
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
    customers in 100 territories take 4 to 6 s, 100,000 in 500 about 16 s. The first call on a machine compiles for
    half a minute. Hess et al. 1965; Aurenhammer, Hoffmann & Aronov 1998.

    Examples
    --------
    >>> from territory import Customers
    >>> customers = Customers(id=["a", "b", "c", "d"], lon=[0, 0, 9, 9], lat=[50, 50.1, 50, 50.1])
    >>> design_territories(customers, n_territories=2, balance={"count": 0.0}).territory_idx.tolist()
    [0, 0, 1, 1]
    """
    began = monotonic()
    request = read_request(
        customers, reps, n_territories, balance, centers, time_limit_s, rng,
        contiguous=contiguous, barriers=barriers, bridges=bridges, islands=islands,
    )  # fmt: skip
    deadline = began + time_limit_s
    say = on_progress or _silent
    lon, lat = request.customers.lon[request.row], request.customers.lat[request.row]
    problem = DesignProblem(
        xyz=on_sphere(lon, lat),
        weight=request.measures[:, 0],
        measures=request.measures,
        share=request.share,
        tolerance=np.array(list(request.balance.values())),
        eligible=request.eligible,
    )
    request, problem = on_islands(request, problem)
    least = least_deviation(problem) if problem.n else 0.0
    if request.hard:
        _refuse_impossible(request, problem, least)
    label, center = _search(request, problem, least, began + _SEARCH * time_limit_s)
    say("territories", 0.7)
    seed = int(request.rng.integers(2**62))
    if request.graph is not None:
        label = reconnected(problem, request.graph, label, center)
    say("repair", 0.8)
    label = improved(
        problem, request.graph, beside(request.graph, lon, lat), label, center,
        fixed=request.pull > 0.0, seed=seed, deadline=deadline,
    )  # fmt: skip
    problem = _reached(request, problem, label)
    say("bound", 0.9)
    alignment = _alignment(request, problem, label, center, deadline)
    say("check", 1.0)
    check_alignment(alignment).raise_if_any("design_territories")
    return alignment


def _silent(_step: str, _share: float) -> None:
    """Say nothing."""


def _refuse_impossible(request: Request, problem: DesignProblem, least: float) -> None:
    """Raise if a hard limit cannot be kept, naming who stands in the way."""
    reasons = []
    for m, (name, tolerance) in enumerate(request.balance.items()):
        most = problem.targets[:, m].max() * (1 + tolerance)
        heavy = request.row[problem.measures[:, m] > most * (1 + 1e-12)]
        if heavy.size:
            heavy = np.sort(heavy)
            ids = ", ".join(request.customers.id[heavy[:5]].tolist())
            reasons.append(
                Problem(
                    "customer-over-capacity",
                    f"{name}: no territory may hold more than {most:g}, but there are customers with more: {ids}",
                    column=name,
                    count=int(heavy.size),
                    rows=tuple(int(i) for i in heavy[:5]),
                    hint="Widen the balance, or split the customer's work.",
                )
            )
    first, tolerance = next(iter(request.balance.items()))
    if not reasons and least > tolerance + 0.001:
        message = f"{first} cannot be balanced within {tolerance:.1%}: the least deviation possible is {least:.1%}"
        reasons.append(
            Problem("balance-impossible", message, column=first, hint="Locks, skills or forbidden reps bind.")
        )
    if reasons:
        raise InfeasibleError(reasons, "no alignment can satisfy the hard limits")


def _search(request: Request, problem: DesignProblem, least: float, deadline: float) -> tuple[IdxArray, FloatArray]:
    """Return labels and centres of territories that are balanced by the first measure, as far as that goes."""
    if not problem.n:
        return np.zeros(0, dtype=np.int32), np.zeros((problem.k, 3))
    # where nothing keeps the tolerance, the next best: moves at the borders do what they can
    tolerance = float(problem.tolerance[0]) * (1.0 if request.graph is None else _SHARE)
    if len(problem.tolerance) > 1:
        # nobody would refill for the sake of other measures what this one may leave empty
        tolerance = min(tolerance, _NOT_EMPTY)
    tolerance = max(tolerance, 1.02 * least + 1e-3)
    found = power_design(
        problem.xyz, problem.weight, *_band(problem, tolerance),
        center=_island_centers(request, problem, deadline) if request.pull == 0.0 else None,
        homes=request.homes if request.pull > 0.0 else None, pull=request.pull, radius=EARTH_RADIUS_M,
        eligible=problem.eligible, starts=_starts(problem.n), rng=request.rng, deadline=deadline,
    )  # fmt: skip
    if not found.feasible:  # pragma: no cover - the least deviation was just computed
        msg = "no balanced territories within the least deviation"
        raise SolverError(msg)
    return found.label, found.center


def _starts(n: int) -> int:
    return next(starts for most, starts in _STARTS if n <= most)


def _band(problem: DesignProblem, tolerance: float) -> tuple[FloatArray, FloatArray]:
    """Return what each territory must and may hold of the first measure, shapes (k,)."""
    target = problem.targets[:, 0]
    if not problem.weight.any():
        # each counts as one then
        return np.zeros(problem.k), np.full(problem.k, float(problem.n))
    return target * max(1.0 - tolerance, 0.0), target * (1.0 + tolerance)


def _island_centers(request: Request, problem: DesignProblem, deadline: float) -> FloatArray | None:
    """Return centres of territories that were designed island by island; None where they are not tied to islands."""
    if request.part is None or request.component is None:
        return None
    center = np.empty((problem.k, 3))
    for island in np.unique(request.part):
        here, mine = np.flatnonzero(request.component == island), np.flatnonzero(request.part == island)
        weight, share = problem.weight[here], problem.share[mine] / problem.share[mine].sum()
        target, tolerance = share * weight.sum(), min(float(problem.tolerance[0]), 1.0)
        whole = weight.any()
        center[mine] = power_design(
            problem.xyz[here], weight, target * (1.0 - tolerance) if whole else 0.0 * target,
            target * (1.0 + tolerance) if whole else np.full(len(mine), float(len(here))),
            radius=EARTH_RADIUS_M, starts=_starts(len(here)), rng=request.rng, deadline=deadline,
        ).center  # fmt: skip
    return center


def chord2_own(xyz: FloatArray, center: FloatArray, label: IdxArray) -> FloatArray:
    """Return the squared chord of each customer to its own centre, shape (n,)."""
    return np.asarray(((xyz - center[label]) ** 2).sum(axis=1))


def _recentre(
    request: Request, problem: DesignProblem, weight: FloatArray, label: IdxArray, center: FloatArray
) -> FloatArray:
    """Return the middle of each territory, drawn to its rep's home as far as was asked."""
    if request.pull >= 1.0:
        return center
    sums = [np.bincount(label, weight * column, problem.k) for column in problem.xyz.T]
    mean = np.stack(sums, axis=1).astype(np.float64)
    out = _lifted(mean, center)
    if request.pull > 0 and request.homes is not None:
        out = _lifted((1 - request.pull) * out + request.pull * request.homes, out)
    return out


def _lifted(points: FloatArray, instead: FloatArray) -> FloatArray:
    """Return points lifted to the sphere, shape (k, 3); `instead` of those at the middle of the Earth."""
    length = np.linalg.norm(points, axis=1, keepdims=True)
    return np.where(length > 0, points / np.where(length > 0, length, 1.0) * EARTH_RADIUS_M, instead)


def _reached(request: Request, problem: DesignProblem, label: IdxArray) -> DesignProblem:
    """Return the problem with the tolerance that was reached; raise if a hard one was not."""
    target = problem.targets
    load = np.stack([np.bincount(label, column, problem.k) for column in problem.measures.T], axis=1)
    deviation = np.where(target > 0, np.abs(load - target) / np.where(target > 0, target, 1.0), 0.0)
    worst = deviation.max(axis=0)
    wanted = problem.tolerance
    broken = np.flatnonzero(worst > wanted + 1e-9)
    if request.hard and broken.size:
        reasons = []
        for m in broken:
            name = list(request.balance)[m]
            territory = request.territory_id[request.place[deviation[:, m].argmax()]]
            message = (
                f"{name}: the best alignment found leaves territory {territory} {worst[m]:.2%} from its target, "
                f"more than {wanted[m]:.2%}"
            )
            hint = "Widen the balance, drop contiguous=True, or give more time; a tighter balance needs more customers."
            reasons.append(Problem("balance-not-reached", message, column=name, hint=hint))
        raise InfeasibleError(reasons, "no alignment was found within the hard limits")
    return replace(problem, tolerance=np.maximum(wanted, worst * (1 + 1e-12)))


def _alignment(
    request: Request, problem: DesignProblem, label: IdxArray, center: FloatArray, deadline: float
) -> Alignment:
    """Return the answer in the order of the tables."""
    weight = problem.weight
    center = _recentre(request, problem, weight, label, center)
    cost = float(weight @ chord2_own(problem.xyz, center, label))
    # which island a territory got was a choice: the bound holds whatever it is
    bound = 0.0
    if problem.n:
        band = _band(problem, float(problem.tolerance[0]))
        bound = power_bound(problem.xyz, weight, *band, center, eligible=request.eligible)
    lon, lat = from_unit_vectors(center)
    # where they have no rep's name, territories are numbered from west to east
    back = np.argsort(request.place) if request.one_each else np.lexsort((lat, lon))
    territory_idx = np.full(len(request.customers), NO_IDX, dtype=np.int32)
    territory_idx[request.row] = np.argsort(back)[label]
    reason = f"{Reason.NO_ELIGIBLE_REP}: no rep has the skills, or all that have are forbidden"
    left = {int(i): reason for i in np.flatnonzero(territory_idx == NO_IDX)}
    diagnostics = list(request.diagnostics)
    balance = {name: float(t) for name, t in zip(request.balance, problem.tolerance, strict=True)}
    diagnostics += [
        Problem("balance-loose", f"balanced within {balance[name]:.1%}, not {wanted:.0%}", column=name)
        for name, wanted in request.balance.items()
        if balance[name] > wanted + 1e-9
    ]
    if left:
        diagnostics.append(
            Problem("nobody-eligible", "customers that no rep may serve", count=len(left), rows=tuple(left)[:5])
        )
    status = Status.OPTIMAL if cost - bound <= 1e-9 * max(cost, 1e-300) else Status.FEASIBLE
    if status is Status.FEASIBLE and monotonic() >= deadline:
        status = Status.TIME_LIMIT
    rep = request.match(lon, lat)
    total = max(float(weight.sum()), 1e-300)
    return Alignment(
        request.customers,
        request.reps,
        text_array(request.territory_id),
        territory_idx,
        rep[back],
        lon[back],
        lat[back],
        balance=balance,
        targets={name: problem.targets[back, m] for m, name in enumerate(balance)},
        contiguous=request.contiguous,
        graph=request.asked,
        unassigned_reason=left,
        diagnostics=tuple(diagnostics),
        status=status,
        objective=cost / total,
        bound=bound / total,
    )
