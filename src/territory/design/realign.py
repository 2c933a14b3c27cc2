"""Realignment: an alignment that people live in is brought back to balance with the least change."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.design.realign_answer import alignment_at, curve_of
from territory.design.realign_request import read_realign
from territory.errors import InfeasibleError, Problem
from territory.model.arrays import NO_IDX, text_array
from territory.model.enums import Status
from territory.model.realignment import Realignment
from territory.model.rules import AlignmentRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy.typing as npt

    from territory.design.realign_core import Task
    from territory.design.realign_request import RealignRequest
    from territory.model.alignment import Alignment
    from territory.model.balance import Balance
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.units import BasicUnits

__all__ = ["realign"]


def realign(
    alignment: Alignment,
    *,
    customers: Customers | BasicUnits | None = None,
    reps: Reps | None = None,
    balance: Mapping[str, float | Balance] | None = None,
    change_cost: str | npt.ArrayLike | None = None,
    max_moved: int | None = None,
    max_moved_share: float | None = None,
    locked: Iterable[str] = (),
    add: Iterable[str] | Mapping[str, tuple[float, float]] = (),
    remove: Iterable[str] = (),
    split: Iterable[tuple[str, str]] | Mapping[str, str] = (),
    merge: Iterable[tuple[str, str]] | Mapping[str, str] = (),
    successors: Mapping[str, str] | None = None,
    contiguous: Any = None,
    time_limit_s: float = 30.0,
    rng: int | np.random.Generator | None = 0,
    on_progress: Callable[[str, float], None] | None = None,
) -> Realignment:
    """Bring an alignment back to balance with the least change.

    Parameters
    ----------
    alignment : Alignment, n customers in k territories
        However it came about: designed, or read by `Alignment.from_owners` or `Alignment.from_frame`.
    customers : Customers or BasicUnits, optional
        The same customers (by id) with new values. New ones go to a territory that is beside them, which is no
        change; those who are gone are listed in ``.diagnostics``.
    reps : Reps, optional
        The reps that there are now. Territories of reps who left are dissolved, unless they have successors; reps
        who were not in the table before get a territory at their home.
    balance : mapping of measure to float or Balance, optional
        Deviation from the target to keep, a share of it (0.05 = +-5 %), or a `Balance` without a weight, whose
        limits take the place of the alignment's. The first one weights distances. Targets are shares of today's
        totals: as in the alignment's rules, else by the reps' ``capacity_s``, else as in the alignment, else equal.
        Default: the alignment's, or else workload (or count) within 10 %; as far as that goes.
    change_cost : str, or array_like of shape (number of customers,), optional
        What handing each customer over costs, at least 0: a measure, or values in the order of the table, such as
        years of tenure times revenue. Default: the first measure.
    max_moved : int, optional
        The most customers that are handed over.
    max_moved_share : float, optional
        The most of the first measure that is, a share of its total.
    locked : iterable of ids
        Customers who stay where they are, like those that are ``locked`` in the table.
    add : iterable of ids, or mapping of id to (lon, lat)
        New territories: of reps who had none, at their homes; or at a place; or, in an alignment without reps, where
        there is most too much.
    remove : iterable of ids
        Territories, or reps, to be dissolved: their customers go to neighbours.
    split : pairs of ids
        A territory, and the new one (or the rep) that gets a part of it.
    merge : pairs of ids
        A territory, and the one that is dissolved into it.
    successors : mapping of rep id to rep id, optional
        Who takes over whose territory as it is.
    contiguous : optional
        As in `design_territories`. Default: as the alignment, on its graph. Torn territories are joined up, and none
        is torn by a change.
    time_limit_s : float
        Seconds.
    rng : int, Generator or None
        Seed. The same input and seed give the same answer, unless time runs out.
    on_progress : callable, optional
        Called with the step and the share done.

    Returns
    -------
    Realignment
        ``.alignment``, checked: the first point of the curve that keeps the balance, or where caps or customers do
        not allow that, the last, with what it does not keep in its ``.diagnostics``; ``.curve``; ``.at()``;
        ``.moves()`` with reasons.

    Raises
    ------
    InputError
        Every broken rule at once; an alignment that is compact by travel time.
    InfeasibleError
        `balance` was given, without caps, and no way to keep it was found; ``.reasons`` says who is in the way. Or
        those of a dissolved territory must be apart from somebody in every other.

    Notes
    -----
    The alignment's rules hold on. Its limits are bands (a new territory has those that all others share). Who was given
    away by name stays, and so does every group that must be together, even where handing over the whole group would
    pay; if its territory is dissolved, all of a group go to one other. Who must be apart is never brought together.
    Reach is measured from homes, or else from today's centres: who moves goes where he is within reach of. Given up,
    with a diagnostic, is what cannot be carried over: names whose territory is dissolved, and what the alignment
    itself does not keep. Prices of deviations (`Balance.weight`) play no part.

    Changes are of customers handed from one territory that stays to another. Where a territory is dissolved, split
    or merged, that its customers move is no choice and has no cost; point 0 of the curve is without any other
    change: the alignment itself where there is nothing of the kind, whatever is wrong with it.

    Balance comes by successive shortest paths on the graph of territories, whose arcs are the cheapest customers at
    the borders (`realign_chains`); compactness from power diagrams near today's centres, of which those changes
    are undone that do not pay (`realign_moves`). A point is kept if nothing cheaper is as good. Nobody proves that
    no cheaper change exists. O(n log n), and O(k) a customer who is handed over; 10,000 customers in 100
    territories take about 1 s.

    Examples
    --------
    >>> from territory import Alignment, Customers
    >>> customers = Customers(id=["a", "b", "c", "d"], lon=[0, 1, 2, 3], lat=[50, 50, 50, 50])
    >>> today = {"customer_id": ["a", "b", "c", "d"], "territory_id": ["west", "west", "west", "east"]}
    >>> better = realign(Alignment.from_frame(today, customers=customers), balance={"count": 0.0})
    >>> better.moves_dict()["customer_id"].tolist(), better.moves_dict()["reason"].tolist()
    (['c'], ['west was 50.0% of its target above the most of count'])
    """
    # kernels of its own: compiled or loaded only here, and before the clock starts
    from territory.design.realign_core import traced  # noqa: PLC0415
    from territory.design.realign_start import task_of  # noqa: PLC0415

    began = monotonic()
    request = read_realign(
        alignment, customers, reps, balance=balance, change_cost=change_cost, max_moved=max_moved,
        max_moved_share=max_moved_share, locked=locked, contiguous=contiguous, time_limit_s=time_limit_s, rng=rng,
        add=add, remove=remove, split=split, merge=merge, successors=successors,
    )  # fmt: skip
    say = on_progress or _silent
    task = task_of(request)
    say("start", 0.2)
    trace = traced(task, seed=int(request.rng.integers(2**62)), deadline=began + 0.8 * time_limit_s)
    say("changes", 0.8)
    tolerance = np.array(list(request.balance.values()))
    labels, points = curve_of(task, trace, tolerance)
    answer = _answer(request, task, labels, points, late=trace.late)
    if request.hard and not answer.curve["balanced"][answer.chosen]:
        _refuse(request, answer)
    say("check", 1.0)
    return answer


def _silent(_step: str, _share: float) -> None:
    """Say nothing."""


def _answer(r: RealignRequest, task: Task, labels: list[Any], points: dict[str, Any], *, late: bool) -> Realignment:
    """Return the curve and its answer in the order of the tables."""

    def wide(of: Any) -> npt.NDArray[np.int32]:
        out = np.full(len(r.customers), NO_IDX, dtype=np.int32)
        out[r.row] = of
        return out

    objective = np.array(points["objective"])
    violation = np.array(points["violation"])
    off = np.array(points["deviation"]).reshape(len(labels), -1)
    total = max(float(r.measures[r.row, 0].sum()), 1e-300)
    torn = np.array(points["torn"], dtype=np.int64)
    balanced = violation <= 0.0
    curve = {
        "point": np.arange(len(labels)),
        "moved": np.array(points["moved"], dtype=np.int64),
        "moved_share": np.array(points["work"]) / total,
        "change_cost": np.array(points["fees"]),
        "violation": violation,
        **{f"{name}_deviation": off[:, m] for m, name in enumerate(r.balance)},
        "balanced": balanced,
        "objective": objective,
        "compactness": np.divide(objective[0], objective, out=np.ones(len(labels)), where=objective > 0),
        "torn": torn,
    }
    fine = np.flatnonzero(balanced & (torn == torn[-1]))
    chosen = int(fine[0]) if fine.size else len(labels) - 1
    # the answer is made from the curve; until then the alignment that there was stands for it
    bare = Realignment(
        before=r.alignment, alignment=r.alignment, chosen=NO_IDX, curve=curve, customers=r.customers, reps=r.reps,
        territory_id=text_array(r.shape.territory_id), rep_idx=r.shape.rep_idx, before_idx=r.before_idx,
        start_idx=wide(task.start), home_idx=wide(task.home), labels=np.stack([wide(label) for label in labels]),
        change_cost=r.fee, balance=r.balance,
        targets={name: r.target[:, m] for m, name in enumerate(r.balance)}, contiguous=r.graph is not None,
        graph=r.asked, status=Status.TIME_LIMIT if late else Status.FEASIBLE, diagnostics=r.diagnostics,
        rules=_rules(r), anchor=None if r.kept.homes else task.anchor,
    )  # fmt: skip
    alignment = alignment_at(bare, chosen)
    return replace(bare, alignment=alignment, chosen=chosen, diagnostics=alignment.diagnostics)


def _rules(r: RealignRequest) -> AlignmentRules:
    """Return what the answer is to keep besides the balance."""
    kept, first = r.kept, next(iter(r.balance))
    return AlignmentRules(
        limits=r.asked_of.limits,
        share=r.asked_of.shares(),
        weight=r.alignment.rules.weight,
        # an alignment is weighted by the first measure that has a tolerance, if nothing else is said
        weigh_by=None if np.isfinite(r.balance[first]) else first,
        together=kept.together,
        apart=kept.apart,
        overrides=kept.overrides,
        reach_m=kept.reach_m,
    )


def _refuse(r: RealignRequest, answer: Realignment) -> None:
    """Raise as the balance that was demanded is not kept, naming who stands in the way."""
    reasons = [p for p in answer.diagnostics if p.code in {"balance-not-reached", "limit-not-reached"}]
    for m, name in enumerate(r.balance):
        slack = 1.0 + 1e-12
        most = float(r.upper[:, m].max())
        heavy = np.sort(r.row[r.measures[r.row, m] > most * slack])
        if heavy.size:
            ids = ", ".join(r.customers.id[heavy[:5]].tolist())
            message = f"no territory may hold more than {most:g}, but there are customers with more: {ids}"
            rows = tuple(int(i) for i in heavy[:5])
            reasons.append(Problem("customer-over-capacity", message, name, int(heavy.size), rows))
        stuck = r.row[r.stuck[r.row]]
        held = np.bincount(answer.start_idx[stuck], r.measures[stuck, m], r.k)
        full = np.flatnonzero(held > r.upper[:, m] * slack)
        if full.size:
            shown = ", ".join(r.shape.territory_id[j] for j in full[:5])
            reasons.append(
                Problem("locks-over-capacity", f"locked customers alone are too much for {shown}", name, int(full.size))
            )
    raise InfeasibleError(reasons, "no change was found that keeps the balance")
