"""Design of territories: seeds, balance, recentring, rounding, repair, bound."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from territory.check import check_alignment
from territory.design.bound import transport_bound
from territory.design.local import Borders, improve
from territory.design.problem import DesignProblem, chord2, eligibility, on_sphere
from territory.design.request import Request, read_request
from territory.design.transport import assign, least_deviation
from territory.errors import InfeasibleError, Problem
from territory.geo.sphere import EARTH_RADIUS_M, from_unit_vectors
from territory.model.alignment import Alignment
from territory.model.arrays import NO_IDX, text_array
from territory.model.enums import Reason, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from territory.model.arrays import FloatArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["design_territories"]

#: Rounds of balanced assignment and recentring; the objective rarely falls after a dozen.
_ROUNDS: Final = 25
#: A round that gains less than this share is the last.
_LEAST_GAIN: Final = 1e-3
#: Part of the tolerance that the flow may use: rounding and repair need the rest.
_SHARE: Final = 0.7


def design_territories(
    customers: Customers,
    reps: Reps | None = None,
    *,
    n_territories: int | None = None,
    balance: Mapping[str, float] | None = None,
    centers: Literal["near-homes", "free", "homes"] | None = None,
    contiguous: bool = True,
    time_limit_s: float = 30.0,
    rng: int | np.random.Generator | None = 0,
    on_progress: Callable[[str, float], None] | None = None,
) -> Alignment:
    """Partition customers into balanced, compact territories.

    Parameters
    ----------
    customers : Customers, length n
    reps : Reps, optional
        One territory each; ``capacity_s`` shares out the work (a part-timer gets less). Skills,
        locks and forbidden reps are kept.
    n_territories : int, optional
        1 <= n_territories <= n; default: one per rep. Fewer than reps leaves some without.
    balance : mapping of measure to float, optional
        Allowed deviation from the target as a share of it (0.05 = +-5 %), for any number of
        measures ("workload_s", "count", or a measure's name); a hard limit. The first one weights
        distances. Default: workload (or count where none is known) within 10 %, as far as
        possible: the tolerance that was reached is in ``.balance``.
    centers : {"near-homes", "free", "homes"}, optional
        Whether centres lie in the middle of their customers ("free"), at the reps' homes, or a
        third of the way from the middle to the home, which saves driving. Default: near homes
        where there are reps, one a territory; else free.
    contiguous : bool
        Whether every territory must be connected on the Delaunay graph of its free customers, those
        that every rep may serve. Customers with locks, or particular about reps, may lie apart.
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
        No alignment keeps the hard limits, or none was found; ``.reasons`` says who and by how much.

    Notes
    -----
    Minimum-cost flow to the centres (balanced k-means with hard bounds), recentring, rounding, and
    border moves. O(n) border work and a flow of 8 n arcs a round: about 5 s for 10,000 customers
    and 60 territories.

    Examples
    --------
    >>> from territory import Customers
    >>> customers = Customers(id=["a", "b", "c", "d"], lon=[0, 0, 9, 9], lat=[50, 50.1, 50, 50.1])
    >>> design_territories(customers, n_territories=2, balance={"count": 0.0}).territory_idx.tolist()
    [0, 0, 1, 1]
    """
    deadline = monotonic() + time_limit_s if np.isfinite(time_limit_s) else float("inf")
    request = read_request(customers, reps, n_territories, balance, centers, time_limit_s, rng, contiguous=contiguous)
    say = on_progress or _silent
    served, problem = _problem(request)
    _refuse_impossible(request, problem)
    xyz = problem.xyz
    label, center, problem = _rounds(request, problem, deadline, say)
    distance2 = chord2(xyz, center)
    lon, lat = customers.lon[served], customers.lat[served]
    borders = Borders(problem, distance2, label, lon, lat, contiguous=contiguous)
    borders.reconnect()
    say("repair", 0.8)
    improve(borders, deadline)
    label = np.array(borders.label, dtype=np.int32)
    problem = _reached(request, problem, borders)
    say("bound", 0.9)
    alignment = _alignment(request, problem, served, label, center, timed_out=monotonic() >= deadline)
    say("check", 1.0)
    check_alignment(alignment).raise_if_any("design_territories")
    return alignment


def _silent(_step: str, _share: float) -> None:
    """Say nothing."""


def _problem(request: Request) -> tuple[IdxArray, DesignProblem]:
    """Return which customers somebody may serve, and the problem of those."""
    eligible = eligibility(request.customers, request.reps)
    n = len(request.customers)
    served = np.arange(n) if eligible is None else np.flatnonzero(eligible.any(axis=1))
    measures = request.measures[served]
    total = measures.sum(axis=0)
    return served.astype(np.int32), DesignProblem(
        xyz=on_sphere(request.customers.lon[served], request.customers.lat[served]),
        weight=measures[:, 0],
        measures=measures,
        targets=request.share[:, None] * total[None, :],
        tolerance=np.array(list(request.balance.values())),
        eligible=None if eligible is None or eligible[served].all() else eligible[served],
    )


def _refuse_impossible(request: Request, problem: DesignProblem) -> None:
    """Raise if a hard limit cannot be kept, naming who stands in the way."""
    if not request.hard:
        return
    reasons = []
    for m, (name, tolerance) in enumerate(request.balance.items()):
        most = problem.targets[:, m].max() * (1 + tolerance)
        heavy = np.flatnonzero(problem.measures[:, m] > most * (1 + 1e-12))
        if heavy.size:
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
    if not reasons:
        least = least_deviation(problem)
        first, tolerance = next(iter(request.balance.items()))
        if least > tolerance + 0.001:
            message = f"{first} cannot be balanced within {tolerance:.1%}: the least deviation possible is {least:.1%}"
            reasons.append(
                Problem("balance-impossible", message, column=first, hint="Locks, skills or forbidden reps bind.")
            )
    if reasons:
        raise InfeasibleError(reasons, "no alignment can satisfy the hard limits")


def _rounds(
    request: Request, problem: DesignProblem, deadline: float, say: Callable[[str, float], None]
) -> tuple[IdxArray, FloatArray, DesignProblem]:
    """Assign and recentre until that no longer pays; return labels, centres, and the tolerance that was possible."""
    weight = problem.weight if problem.weight.any() else np.ones(problem.n)
    center = request.seeds(problem.xyz, weight)
    best: tuple[float, IdxArray, FloatArray] | None = None
    share = _SHARE
    for turn in range(_ROUNDS):
        distance2 = chord2(problem.xyz, center)
        label = assign(problem, distance2, share=share)
        if label is None and share < 1.0:
            share = 1.0
            label = assign(problem, distance2, share=share)
        if label is None:
            # only a soft balance gets here: the hard one was refused before
            loose = max(least_deviation(problem) * 1.02 + 1e-3, float(problem.tolerance[0]))
            problem = replace(problem, tolerance=np.array([loose, *problem.tolerance[1:]]))
            label = assign(problem, distance2, share=1.0)
            if label is None:  # pragma: no cover - the least deviation was just computed
                raise InfeasibleError([Problem("balance-impossible", "no balanced assignment")])
        center = _recentre(request, problem.xyz, weight, label, center)
        cost = float(weight @ chord2_own(problem.xyz, center, label))
        say("territories", 0.7 * (turn + 1) / _ROUNDS)
        gained = best is None or cost < best[0] * (1 - _LEAST_GAIN)
        if best is None or cost < best[0]:
            best = cost, label, center
        if not gained or request.pull >= 1.0 or monotonic() >= deadline:
            break
    if best is None:  # pragma: no cover - at least one round is made
        raise InfeasibleError([Problem("balance-impossible", "no balanced assignment")])
    return best[1], best[2], problem


def chord2_own(xyz: FloatArray, center: FloatArray, label: IdxArray) -> FloatArray:
    """Return the squared chord of each customer to its own centre, shape (n,)."""
    return np.asarray(((xyz - center[label]) ** 2).sum(axis=1))


def _recentre(request: Request, xyz: FloatArray, weight: FloatArray, label: IdxArray, center: FloatArray) -> FloatArray:
    """Return the middle of each territory, drawn to its rep's home as far as was asked."""
    if request.pull >= 1.0:
        return center
    k = len(center)
    mean = np.stack([np.bincount(label, weight * xyz[:, axis], k) for axis in range(3)], axis=1)
    length = np.linalg.norm(mean, axis=1)
    moved = length > 0
    out = center.copy()
    out[moved] = mean[moved] / length[moved, None] * EARTH_RADIUS_M
    if request.pull > 0 and request.reps is not None:
        drawn = (1 - request.pull) * out + request.pull * on_sphere(request.reps.lon, request.reps.lat)
        length = np.linalg.norm(drawn, axis=1)
        out = np.where(length[:, None] > 0, drawn / np.maximum(length, 1e-300)[:, None] * EARTH_RADIUS_M, out)
    return out


def _reached(request: Request, problem: DesignProblem, borders: Borders) -> DesignProblem:
    """Return the problem with the tolerance that was reached; raise if a hard one was not."""
    deviation = np.abs(borders.load - problem.targets) / np.maximum(problem.targets, 1e-300)
    worst = np.where(problem.targets > 0, deviation, 0.0).max(axis=0)
    wanted = np.array(list(request.balance.values()))
    if request.hard and bool((worst > wanted + 1e-9).any()):
        reasons = []
        for m, name in enumerate(request.balance):
            if worst[m] > wanted[m] + 1e-9:
                j = int(deviation[:, m].argmax())
                message = (
                    f"{name}: the best alignment found leaves territory {request.territory_id[j]} {worst[m]:.1%} "
                    f"from its target, more than {wanted[m]:.1%}"
                )
                hint = "Widen the balance, drop contiguous=True, or give more time; a tighter balance needs more customers."
                reasons.append(Problem("balance-not-reached", message, column=name, hint=hint))
        raise InfeasibleError(reasons, "no alignment was found within the hard limits")
    return replace(problem, tolerance=np.maximum(wanted, worst * (1 + 1e-12)))


def _alignment(
    request: Request, problem: DesignProblem, served: IdxArray, label: IdxArray, center: FloatArray, *, timed_out: bool
) -> Alignment:
    center = _recentre(request, problem.xyz, problem.weight, label, center)
    distance2 = chord2(problem.xyz, center)
    weight = problem.weight
    total = max(float(weight.sum()), 1e-300)
    cost = float(weight @ chord2_own(problem.xyz, center, label))
    bound = transport_bound(problem, distance2, cost)
    n = len(request.customers)
    territory_idx = np.full(n, NO_IDX, dtype=np.int32)
    territory_idx[served] = label
    lon, lat = from_unit_vectors(center)
    reason = f"{Reason.NO_ELIGIBLE_REP}: no rep has the skills, or all that have are forbidden"
    left = {int(i): reason for i in np.flatnonzero(territory_idx == NO_IDX)}
    diagnostics = list(request.diagnostics)
    balance = {name: float(t) for name, t in zip(request.balance, problem.tolerance, strict=True)}
    if not request.hard:
        for name, wanted in request.balance.items():
            if balance[name] > wanted:
                message = f"balanced within {balance[name]:.1%}, not {wanted:.0%}"
                diagnostics.append(Problem("balance-loose", message, column=name))
    if left:
        diagnostics.append(
            Problem("nobody-eligible", "customers that no rep may serve", count=len(left), rows=tuple(left)[:5])
        )
    status = (
        Status.TIME_LIMIT
        if timed_out
        else Status.OPTIMAL
        if cost - bound <= 1e-9 * max(cost, 1e-300)
        else Status.FEASIBLE
    )
    options: dict[str, Any] = {"status": status, "objective": cost / total, "bound": bound / total}
    return Alignment(
        request.customers,
        request.reps,
        text_array(request.territory_id),
        territory_idx,
        request.match(lon, lat),
        lon,
        lat,
        balance=balance,
        targets={name: problem.targets[:, m] for m, name in enumerate(balance)},
        contiguous=request.contiguous,
        unassigned_reason=left,
        diagnostics=tuple(diagnostics),
        **options,
    )
