"""From labels to an alignment: what was reached, centres, objective and bound, in the order of the tables."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from territory.design.apart import conflicts
from territory.design.power import power_bound
from territory.errors import MAX_ROWS_LISTED, InfeasibleError, Problem
from territory.geo.sphere import EARTH_RADIUS_M, from_unit_vectors, great_circle_m
from territory.model.alignment import Alignment
from territory.model.arrays import NO_IDX, text_array
from territory.model.enums import Reason, Status
from territory.model.rules import AlignmentRules

if TYPE_CHECKING:
    from territory.design.atoms import Atoms
    from territory.design.exactly import Exact
    from territory.design.problem import DesignProblem
    from territory.design.request import Request
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["answer"]

#: Sums of a million floats in another order differ by less than this share of them.
_ROUNDING = 1e-9


class _Reached(NamedTuple):
    """Bands that hold: those that were asked for, or, of a goal that is no limit, what was reached."""

    lower: FloatArray
    upper: FloatArray
    tolerance: dict[str, float]


def answer(
    request: Request, problem: DesignProblem, atoms: Atoms, label: IdxArray, center: FloatArray, at: Any, *,
    deadline: float, free: bool = False, exact: Exact | None = None,
) -> Alignment:  # fmt: skip
    """Return the alignment of labels of atoms.

    Parameters
    ----------
    request : Request
    problem : DesignProblem, of customers
    atoms : Atoms
    label : int32 array of shape (a,)
    center : float array of shape (k, 3), metres
    at : the same in the terms of the yardstick, if there is one
    deadline : float
        Monotonic seconds.
    free : bool
        Whether to bound the cost with centres anywhere, too.
    exact : Exact, optional
        Where labels and centres come from an integer programme, which has a bound of its own.

    Raises
    ------
    InfeasibleError
        A hard limit does not hold.
    """
    reached = _reached(request, atoms, label)
    _refuse_broken(request, atoms, label)
    own = label[atoms.atom]
    movable = (request.reach_m is None or request.one_each) and exact is None
    yard = request.yardstick
    if yard is not None and at is not None:
        at = yard.recentred(problem.weight, own, at) if movable and request.pull == 0.0 else at
        center = yard.metric.points(at)
        cost = yard.cost(problem.weight, own, at)
        if not np.isfinite(cost):
            raise InfeasibleError([_no_way(request, own, at)], "no alignment was found that all get to")
    else:
        center = _recentre(request, problem, own, center) if movable else center
        cost = float(problem.weight @ _chord2_own(problem.xyz, center, own))
    total = max(float(problem.weight.sum()), 1e-300)
    if exact is None:
        bound = _bound(request, problem, atoms, reached, center, at)
    else:
        # a solver of floats proves no more than its tolerance
        bound = exact.bound * (1.0 - 1e-7) + _inside(problem, atoms)
    free_bound = _free_bound(problem, reached, own, deadline) / total if free and problem.n else None
    lon, lat = from_unit_vectors(center)
    # where they have no rep's name, territories are numbered from west to east
    back = (np.argsort(request.place) if request.one_each else np.lexsort((lat, lon))).astype(np.int32)
    number = np.argsort(back).astype(np.int32)
    territory_idx = np.full(len(request.customers), NO_IDX, dtype=np.int32)
    territory_idx[request.row] = number[own]
    left = _left(request, territory_idx)
    # the bound is for these centres: where they were chosen, others may be better
    known = request.pull >= 1.0 or cost <= 1e-6 * float(problem.weight.sum())
    proven = exact.proven if exact is not None else known and cost - bound <= 1e-9 * max(cost, 1e-300)
    status = Status.OPTIMAL if proven else Status.FEASIBLE
    if status is Status.FEASIBLE and monotonic() >= deadline:
        status = Status.TIME_LIMIT
    return Alignment(
        request.customers,
        request.reps,
        text_array(request.territory_id),
        territory_idx,
        request.match(lon, lat)[back],
        lon[back],
        lat[back],
        balance=reached.tolerance,
        targets={name: problem.target[back, m] for m, name in enumerate(request.balance)},
        contiguous=request.contiguous,
        graph=request.asked,
        rules=_rules(request, back, number, at),
        unassigned_reason=left,
        diagnostics=(*request.diagnostics, *_notes(request, reached, left)),
        status=status,
        objective=cost / total,
        bound=bound / total,
        free_bound=free_bound,
    )


def _bound(
    request: Request, problem: DesignProblem, atoms: Atoms, reached: _Reached, center: FloatArray, at: Any
) -> float:
    """Return what any answer costs with these centres, whichever island each territory got."""
    if not problem.n:
        return 0.0
    lower, upper = reached.lower[:, 0], reached.upper[:, 0]
    if not problem.weight.any():
        lower, upper = np.zeros(problem.k), np.full(problem.k, float(problem.n))
    whole, eligible = atoms.problem, atoms.common(request.eligible)
    if request.yardstick is not None and at is not None:
        high = np.minimum(upper, 2.0 * max(float(problem.weight.sum()), 1.0))
        return request.yardstick.bound(atoms, problem.weight, lower, high, at, eligible)
    inside = _inside(problem, atoms)
    ceiling = np.minimum(upper, 2.0 * max(float(problem.weight.sum()), 1.0))
    return inside + power_bound(
        whole.xyz, whole.weight, lower, ceiling, center, eligible=eligible
    )  # fmt: skip


def _inside(problem: DesignProblem, atoms: Atoms) -> float:
    """Return what members cost around the middle of their group, which no answer changes."""
    inside = float(problem.weight @ ((problem.xyz - atoms.problem.xyz[atoms.atom]) ** 2).sum(axis=1))
    return inside * (1.0 - _ROUNDING)


def _free_bound(problem: DesignProblem, reached: _Reached, own: IdxArray, deadline: float) -> float:
    """Return what any territories within the bands of the first measure cost, wherever their centres are."""
    from territory.design.lagrange import free_center_bound  # noqa: PLC0415 - kernels that few answers need

    ceiling = np.minimum(reached.upper[:, 0], 2.0 * max(float(problem.weight.sum()), 1.0))
    return free_center_bound(
        problem.xyz, problem.weight, np.array(reached.lower[:, 0]), ceiling, k=problem.k, label=own, deadline=deadline
    )  # fmt: skip


def _chord2_own(xyz: FloatArray, center: FloatArray, label: IdxArray) -> FloatArray:
    """Return the squared chord of each customer to its own centre, shape (n,)."""
    return np.asarray(((xyz - center[label]) ** 2).sum(axis=1))


def _recentre(request: Request, problem: DesignProblem, label: IdxArray, center: FloatArray) -> FloatArray:
    """Return the middle of each territory, drawn to its rep's home as far as was asked."""
    if request.pull >= 1.0:
        return center
    sums = [np.bincount(label, problem.weight * column, problem.k) for column in problem.xyz.T]
    out = _lifted(np.stack(sums, axis=1).astype(np.float64), center)
    if request.pull > 0 and request.homes is not None:
        out = _lifted((1 - request.pull) * out + request.pull * request.homes, out)
    return out


def _lifted(points: FloatArray, instead: FloatArray) -> FloatArray:
    """Return points lifted to the sphere, shape (k, 3); `instead` of those at the middle of the Earth."""
    length = np.linalg.norm(points, axis=1, keepdims=True)
    return np.where(length > 0, points / np.where(length > 0, length, 1.0) * EARTH_RADIUS_M, instead)


def _reached(request: Request, atoms: Atoms, label: IdxArray) -> _Reached:
    """Return bands that hold; raise if a hard one does not."""
    problem = atoms.problem
    load, target = problem.loads(label), problem.target
    lower, upper = problem.lower.copy(), problem.upper.copy()
    scale = np.where(target > 0, target, 1.0)
    beyond = np.maximum(np.maximum(load - upper, lower - load), 0.0) / scale
    tolerance, reasons = {}, []
    for m, (name, asked) in enumerate(request.balance.items()):
        broken = bool((beyond[:, m] > _ROUNDING).any())
        if broken and request.hard:
            reasons.append(_not_reached(request, name, m, load, beyond))
        if asked.tolerance is None:
            continue
        tolerance[name] = asked.tolerance
        if broken:
            off = np.where(target[:, m] > 0, np.abs(load[:, m] - target[:, m]) / scale[:, m], 0.0)
            tolerance[name] = float(off.max()) * (1 + 1e-12)
            lower[:, m] = target[:, m] * max(1.0 - tolerance[name], 0.0)
            upper[:, m] = target[:, m] * (1.0 + tolerance[name])
    if reasons:
        raise InfeasibleError(reasons, "no alignment was found within the hard limits")
    return _Reached(lower, upper, tolerance)


def _not_reached(request: Request, name: str, m: int, load: FloatArray, beyond: FloatArray) -> Problem:
    """Return which territory is farthest outside its limits."""
    j = int(beyond[:, m].argmax())
    territory = request.territory_id[request.place[j]]
    has, bands = float(load[j, m]), request.bands
    target, lower, upper = (float(x[j, m]) for x in (bands.target, bands.lower, bands.upper))
    off = f", {has / target - 1:+.2%} from its target" if target > 0 else ""
    side = f"at most {upper:.6g}" if has > upper else f"at least {lower:.6g}"
    message = f"the best alignment found leaves territory {territory} with {has:.6g}{off}, where {side} is allowed"
    loosen = ", contiguous=False" if request.contiguous else ""
    hint = f"Widen the balance, give more time{loosen}; a tighter balance needs more customers."
    return Problem("balance-not-reached", message, column=name, hint=hint)


def _refuse_broken(request: Request, atoms: Atoms, label: IdxArray) -> None:
    """Raise if territories are torn, or customers together who must be apart."""
    reasons = []
    rows = np.empty(atoms.problem.n, dtype=np.int64)
    rows[atoms.atom[::-1]] = request.row[::-1]
    ids = request.customers.id
    pairs = rows[conflicts(atoms.problem.apart, label)]
    if len(pairs):
        names = " and ".join(ids[pairs[0]].tolist())
        message = f"customers who must be apart share a territory in the best alignment found: {names}"
        listed = tuple(int(i) for i in pairs[:MAX_ROWS_LISTED, 0])
        reasons.append(Problem("apart-not-kept", message, "id", len(pairs), listed))
    if atoms.graph is not None:
        cut = _cut_off(atoms, label)
        if len(cut):
            at = np.sort(rows[cut])
            names = ", ".join(ids[at[:5]].tolist())
            message = f"customers cut off from their territories in the best alignment found: {names}"
            hint = "A longer reach, fewer groups, a wider balance, or contiguous=False."
            listed = tuple(int(i) for i in at[:MAX_ROWS_LISTED])
            reasons.append(Problem("contiguity-not-kept", message, "id", len(at), listed, hint))
    if reasons:
        raise InfeasibleError(reasons, "no alignment was found within the hard limits")


def _cut_off(atoms: Atoms, label: IdxArray) -> IdxArray:
    """Return the atoms outside the largest piece of their territory, or of that on their island."""
    graph = atoms.graph
    if graph is None:
        return np.empty(0, dtype=np.int32)
    piece = graph.torn(label)
    home = label.astype(np.int64)
    if graph.islands == "parts":
        home = home * (int(graph.component.max(initial=0)) + 1) + np.maximum(graph.component, 0)
    at = np.flatnonzero(piece >= 0)
    number, first, size = np.unique(piece[at], return_index=True, return_counts=True)
    order = np.lexsort((-size, home[at[first]]))
    same = np.zeros(len(order), dtype=bool)
    same[1:] = home[at[first]][order][1:] == home[at[first]][order][:-1]
    return at[np.isin(piece[at], number[order[same]])].astype(np.int32)


def _left(request: Request, territory_idx: IdxArray) -> dict[int, str]:
    """Return why customers are in no territory."""
    rows = np.flatnonzero(territory_idx == NO_IDX)
    out = dict.fromkeys(
        rows.tolist(), f"{Reason.NO_ELIGIBLE_REP}: no rep has the skills, or all that have are forbidden"
    )
    way = f"{Reason.UNREACHABLE}: no way leads from here to enough customers for a territory"
    out |= dict.fromkeys(request.stranded.tolist(), way)
    if request.particulars.reach_m is None or request.reps is None or not request.one_each:
        return out
    from territory.model.eligibility import eligibility  # noqa: PLC0415

    allowed = eligibility(request.customers, request.reps)
    for i in np.setdiff1d(rows, request.stranded).tolist():
        away = great_circle_m(request.customers.lon[i], request.customers.lat[i], request.reps.lon, request.reps.lat)
        may = np.ones(len(request.reps), dtype=bool) if allowed is None else allowed[i]
        if may.any():
            j = int(np.where(may, away, np.inf).argmin())
            limit, who = request.particulars.reach_m[j], f"{away[j] / 1000:.1f} km from {request.reps.id[j]}"
            why = f"who goes {limit / 1000:.1f} km" if away[j] > limit else "but nobody reaches all of the group"
            out[i] = f"{Reason.OUT_OF_REACH}: {who}, {why}"
    return out


def _no_way(request: Request, own: IdxArray, at: Any) -> Problem:
    """Return who does not get to his centre."""
    yard = request.yardstick
    away = np.zeros(len(own)) if yard is None else yard.metric.own(own, at)
    rows = np.sort(request.row[~np.isfinite(away)])
    names = ", ".join(request.customers.id[rows[:5]].tolist())
    message = f"customers who do not get to their centre in the best alignment found: {names}"
    return Problem("unreachable", message, "id", len(rows), tuple(int(i) for i in rows[:MAX_ROWS_LISTED]))


def _rules(request: Request, back: IdxArray, number: IdxArray, at: Any) -> AlignmentRules:
    """Return what was asked besides balance, in the order of the tables."""
    special, bands = request.particulars, request.bands
    names = list(request.balance)
    asked = request.balance
    ids = [request.territory_id[j] for j in request.place] if request.one_each else [""] * request.k
    limits = {
        name: np.stack([one.values("at_least", ids, 0.0)[back], one.values("at_most", ids, np.inf)[back]], axis=1)
        for name, one in asked.items()
        if one.at_least is not None or one.at_most is not None
    }
    overrides = {}
    if request.one_each:
        territory_of = np.empty(request.k, dtype=np.int64)
        territory_of[request.rep_order] = number
        overrides = {
            int(i): int(territory_of[special.overrides[i]]) for i in np.flatnonzero(special.overrides >= 0).tolist()
        }
    return AlignmentRules(
        limits=limits,
        share={name: bands.share[back, m] for m, (name, one) in enumerate(asked.items()) if one.share is not None},
        weight={name: one.weight for name, one in asked.items() if one.weight > 0},
        weigh_by=None if asked[names[0]].tolerance is not None else names[0],
        together=special.together,
        apart=special.apart,
        overrides=overrides,
        reach_m=None if request.reach_m is None else request.reach_m[back],
        **_metric(request, back, at),
    )


def _metric(request: Request, back: IdxArray, at: Any) -> dict[str, Any]:
    """Return what territories were kept compact by, if not squared distances, and who or whose homes centres are."""
    yard = request.yardstick
    if yard is None or at is None:
        return {}
    if yard.kind == "distance":
        return {"metric": "distance"}
    # positions of the problem's customers, then homes, become those of the tables
    table = np.concatenate([request.row, len(request.customers) + request.rep_order]).astype(np.int32)
    return {"metric": "travel", "travel": yard.name, "center_idx": table[at][back]}


def _notes(request: Request, reached: _Reached, left: dict[int, str]) -> list[Problem]:
    notes = [
        Problem(
            "balance-loose", f"balanced within {reached.tolerance[name]:.1%}, not {asked.tolerance:.0%}", column=name
        )
        for name, asked in request.balance.items()
        if asked.tolerance is not None and reached.tolerance[name] > asked.tolerance
    ]
    for code, message in (
        (Reason.NO_ELIGIBLE_REP, "customers that no rep may serve"),
        (Reason.OUT_OF_REACH, "customers that no rep reaches"),
        (Reason.UNREACHABLE, "customers that no way leads to"),
    ):
        rows = [i for i, why in left.items() if why.startswith(str(code))]
        if rows:
            name = "nobody-eligible" if code is Reason.NO_ELIGIBLE_REP else str(code)
            notes.append(Problem(name, message, count=len(rows), rows=tuple(rows[:MAX_ROWS_LISTED])))
    return notes
