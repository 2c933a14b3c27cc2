"""What was asked of realignment, read and checked before anything is moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.design.contiguity import is_usual, problem_graph, read_contiguity
from territory.design.ladder import DEFAULT_TOLERANCE
from territory.design.problem import canonical_customers
from territory.design.realign_shape import Shape, read_shape
from territory.errors import InputError, Problem
from territory.model.arrays import NO_IDX
from territory.model.contiguity import contiguity_graph
from territory.model.eligibility import eligibility
from territory.model.units import BasicUnits
from territory.model.workload import default_measure, measure_values
from territory.units import is_number

if TYPE_CHECKING:
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.alignment import Alignment
    from territory.model.arrays import BoolArray, FloatArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["RealignRequest", "read_realign"]

#: Most customers whose ids a message lists.
_NAMED = 5


@dataclass(frozen=True, eq=False)
class RealignRequest:
    """A checked request; arrays of customers are in the order of the table, `row` is that of the problem.

    Attributes
    ----------
    before_idx : int32 array of shape (n,)
        Territory of the old alignment; -1: none, or a new customer.
    known : bool array of shape (n,)
        Whether the customer was in the old alignment's table.
    row : int32 array
        Positions of the problem's customers: all but those in no territory, and those whom nobody may serve.
    balance : mapping of measure to tolerance
    hard : bool
        Whether it is an error not to keep them.
    measures : float array of shape (n, m)
    target : float array of shape (k, m)
    fee : float array of shape (n,)
        What handing a customer over costs.
    stuck : bool array of shape (n,)
    cap : float array of shape (3,)
        The most fees, work and customers handed over.
    eligible : bool array of shape (n, k), or None
    graph, asked : as in `territory.design.request.Request`
    """

    alignment: Alignment
    customers: Customers
    reps: Reps | None
    shape: Shape
    before_idx: IdxArray
    known: BoolArray
    row: IdxArray
    balance: dict[str, float]
    hard: bool
    measures: FloatArray
    target: FloatArray
    fee: FloatArray
    stuck: BoolArray
    cap: FloatArray
    eligible: BoolArray | None
    graph: ContiguityGraph | None
    asked: ContiguityGraph | None
    rng: np.random.Generator
    diagnostics: tuple[Problem, ...]

    @property
    def k(self) -> int:
        """Number of territories."""
        return len(self.shape.territory_id)


def read_realign(
    alignment: Alignment,
    customers: Any,
    reps: Reps | None,
    *,
    balance: Any,
    change_cost: Any,
    max_moved: Any,
    max_moved_share: Any,
    locked: Any,
    contiguous: Any,
    time_limit_s: Any,
    rng: Any,
    **changes: Any,
) -> RealignRequest:
    """Check everything that was asked, and raise one `InputError` with all that is wrong."""
    problems: list[Problem] = []
    new = alignment.customers if customers is None else customers
    if isinstance(new, BasicUnits):
        new = new.to_customers()
    if len(new) == 0:
        problems.append(Problem("no-customers", "there are no customers"))
    if reps is not None and len(reps) == 0:
        problems.append(Problem("no-reps", "the table of reps is empty"))
    shape = read_shape(alignment, reps, problems=problems, **changes)
    table = alignment.reps if reps is None else reps
    before, known, gone = _matched(alignment, new)
    notes = list(new.diagnostics)
    if gone.size:
        notes.append(
            Problem("customers-gone", f"no longer in the table: {_ids(alignment.customers, gone)}", "id", gone.size)
        )
    if len(new) and not known.any():
        problems.append(Problem("unknown-id", "none of the customers is in the alignment", "id"))
    fresh = np.flatnonzero(~known).astype(np.int32)
    if fresh.size and known.any():
        rows = tuple(int(i) for i in fresh[:_NAMED])
        notes.append(
            Problem("customers-new", f"not in the alignment before: {_ids(new, fresh)}", "id", fresh.size, rows)
        )
    wanted, hard = _balance(alignment, new, balance, problems)
    fee = _fee(new, change_cost, next(iter(wanted), "count"), problems)
    stuck = _stuck(new, locked, problems)
    _lost_locks(alignment, shape, before, stuck, problems)
    most = _caps(max_moved, max_moved_share, problems)
    if not (is_number(time_limit_s) and time_limit_s > 0):
        problems.append(Problem("bad-time-limit", f"expected time_limit_s > 0, not {time_limit_s!r}"))
    if not (
        rng is None
        or isinstance(rng, np.random.Generator)
        or (is_number(rng) and 0 <= rng < np.inf and int(rng) == rng)
    ):
        problems.append(Problem("bad-rng", f"rng: expected a whole number >= 0 or a numpy Generator, not {rng!r}"))
    graph = _graph(alignment, new, contiguous, problems)
    if problems or fee is None:
        raise InputError(problems, "realign")
    measures = np.stack([measure_values(new, name) for name in wanted], axis=1)
    by_rep = eligibility(new, table)
    eligible = None
    if by_rep is not None and not by_rep.all():
        # a territory without a rep is open to everybody
        eligible = np.append(by_rep, np.ones((len(new), 1), dtype=bool), axis=1)[:, shape.rep_idx]
        # today's territory stays possible, whatever is wrong with it
        at = np.where(before >= 0, shape.became[before], NO_IDX)
        eligible[at >= 0, at[at >= 0]] = True
    served = (before >= 0) | ~known
    if eligible is not None:
        served &= eligible.any(axis=1)
    order = canonical_customers(new, measures, eligible)
    row = order[served[order]]
    share = _share(alignment, table, shape, list(wanted))
    target = share * measures[row].sum(axis=0)[None, :]
    work = np.inf if most[1] is None else most[1] * float(measures[row, 0].sum()) * (1 + 1e-12)
    return RealignRequest(
        alignment, new, table, shape, before, known, row, wanted,
        hard and most == (None, None), measures, target, fee, stuck,
        np.array([np.inf, work, np.inf if most[0] is None else float(most[0])]), eligible,
        None if graph is None else problem_graph(graph, new, by_rep, row),
        None if graph is None or is_usual(graph) else graph, np.random.default_rng(rng), tuple(notes),
    )  # fmt: skip


def _ids(customers: Customers, rows: IdxArray) -> str:
    shown = ", ".join(customers.id[rows[:_NAMED]].tolist())
    return shown + (", ..." if len(rows) > _NAMED else "")


def _matched(alignment: Alignment, new: Customers) -> tuple[IdxArray, BoolArray, IdxArray]:
    """Return each customer's old territory, whether he was there, and the old positions of those who are gone."""
    if new is alignment.customers:
        return alignment.territory_idx, np.ones(len(new), dtype=bool), np.empty(0, dtype=np.int32)
    at = {name: i for i, name in enumerate(alignment.customers.id.tolist())}
    old = np.array([at.get(name, -1) for name in new.id.tolist()], dtype=np.int32)
    before = np.where(old >= 0, alignment.territory_idx[old] if at else NO_IDX, NO_IDX).astype(np.int32)
    left = np.ones(len(at), dtype=bool)
    left[old[old >= 0]] = False
    return before, old >= 0, np.flatnonzero(left).astype(np.int32)


def _balance(
    alignment: Alignment, customers: Customers, balance: Any, problems: list[Problem]
) -> tuple[dict[str, float], bool]:
    if balance is None:
        if alignment.balance:
            found = {name: float(t) for name, t in alignment.balance.items()}
        else:
            name = default_measure(customers)
            found = {name if measure_values(customers, name).any() else "count": DEFAULT_TOLERANCE}
    elif not isinstance(balance, Mapping) or not balance:
        message = f"balance: expected a mapping such as {{'workload_s': 0.05}}, not {balance!r}"
        problems.append(Problem("bad-balance", message))
        return {}, True
    else:
        found = {}
        for name, tolerance in balance.items():
            if is_number(tolerance) and 0 <= tolerance <= 10:
                found[str(name)] = float(tolerance)
            else:
                message = f"expected a share from 0 to 10, not {tolerance!r}"
                problems.append(Problem("bad-tolerance", message, str(name), hint="Write 0.05 for 5 %."))
    for name in found:
        try:
            if not measure_values(customers, name).any() and len(customers):
                problems.append(Problem("no-measure", "zero for every customer", column=name))
        except InputError as error:
            problems += error.problems
    return found, balance is not None


def _fee(customers: Customers, change_cost: Any, first: str, problems: list[Problem]) -> FloatArray | None:
    """Return what handing over each customer costs, at least 0."""
    try:
        if change_cost is None or isinstance(change_cost, str):
            fee = np.array(measure_values(customers, first if change_cost is None else change_cost), dtype=np.float64)
        else:
            fee = np.array(change_cost, dtype=np.float64)
    except InputError as error:
        if change_cost is not None:
            problems += error.problems
        return None
    except (TypeError, ValueError):
        problems.append(Problem("bad-change-cost", f"change_cost: expected numbers, not {change_cost!r:.60}"))
        return None
    if fee.shape != (len(customers),):
        message = f"change_cost: expected shape ({len(customers)},), not {fee.shape}"
        problems.append(Problem("wrong-shape", message))
        return None
    bad = np.flatnonzero(~(np.isfinite(fee) & (fee >= 0)))
    if bad.size:
        rows = tuple(int(i) for i in bad[:_NAMED])
        problems.append(
            Problem("bad-change-cost", "costs of a change are finite and at least 0", "change_cost", bad.size, rows)
        )
        return None
    return fee


def _stuck(customers: Customers, locked: Any, problems: list[Problem]) -> BoolArray:
    """Return who must not move: locked in the table, or named."""
    stuck = np.zeros(len(customers), dtype=bool)
    if customers.locked is not None:
        stuck |= customers.locked
    if isinstance(locked, str):
        problems.append(Problem("not-a-list", f"locked: expected a list of ids, not {locked!r}", hint=f"[{locked!r}]?"))
        return stuck
    try:
        named = list(locked)
        stuck[customers.positions(named)] = True
    except TypeError:
        problems.append(Problem("not-a-list", f"locked: expected a list of ids, not {locked!r:.60}"))
    except InputError as error:
        problems += [Problem(p.code, f"locked: {p.message}", p.column, p.count, p.rows, p.hint) for p in error.problems]
    return stuck


def _lost_locks(
    alignment: Alignment, shape: Shape, before: IdxArray, stuck: BoolArray,
    problems: list[Problem],
) -> None:  # fmt: skip
    """Note customers who must not move, and whose territory is gone."""
    stays = np.zeros(len(alignment) + 1, dtype=bool)
    stays[shape.kept] = True
    lost = np.flatnonzero(stuck & ~stays[before] & (before >= 0))
    if lost.size:
        names = sorted({str(alignment.territory_id[before[i]]) for i in lost})
        message = f"locked in territories that are dissolved: {', '.join(names[:_NAMED])}"
        hint = "Unlock them, or give the territory to a successor."
        rows = tuple(int(i) for i in lost[:_NAMED])
        problems.append(Problem("lock-conflict", message, "locked", int(lost.size), rows, hint))


def _caps(max_moved: Any, max_moved_share: Any, problems: list[Problem]) -> tuple[int | None, float | None]:
    if max_moved is not None and not (is_number(max_moved) and 0 <= max_moved < np.inf and int(max_moved) == max_moved):
        problems.append(Problem("bad-cap", f"max_moved: expected a whole number >= 0, not {max_moved!r}"))
        max_moved = None
    if max_moved_share is not None and not (is_number(max_moved_share) and 0 <= max_moved_share <= 1):
        message = f"max_moved_share: expected a share from 0 to 1, not {max_moved_share!r}"
        problems.append(Problem("bad-cap", message, hint="Write 0.05 for 5 %."))
        max_moved_share = None
    most = None if max_moved is None else int(max_moved)
    return most, None if max_moved_share is None else float(max_moved_share)


def _graph(
    alignment: Alignment, customers: Customers, contiguous: Any, problems: list[Problem]
) -> ContiguityGraph | None:
    """Return the graph that territories are connected on: the alignment's, where nothing else is asked."""
    if contiguous is not None:
        return read_contiguity(customers, contiguous, None, (), None, problems)
    if not alignment.contiguous:
        return None
    graph = alignment.graph
    if graph is None:
        return contiguity_graph(customers)
    if customers is alignment.customers or np.array_equal(customers.id, alignment.customers.id):
        return graph
    if graph.kind in ("delaunay", "gabriel"):
        if graph.bridges is not None and len(graph.bridges):
            ids = set(customers.id.tolist())
            pairs = alignment.customers.id[graph.bridges].tolist()
            bridges = [(a, b) for a, b in pairs if a in ids and b in ids]
        else:
            bridges = []
        return contiguity_graph(
            customers, graph.kind, barriers=graph.barriers or None, bridges=bridges, islands=graph.islands
        )
    message = f"the alignment's graph ({graph.kind}) is of other customers"
    problems.append(Problem("wrong-shape", message, hint="Pass contiguous=, the graph of those that there are now."))
    return None


def _share(alignment: Alignment, reps: Reps | None, shape: Shape, names: list[str]) -> FloatArray:
    """Return each territory's share of each measure, shape (k, m): by capacity, else as before, else equal."""
    k = len(shape.territory_id)
    if reps is not None and reps.capacity_s is not None and (shape.rep_idx >= 0).all():
        capacity = reps.capacity_s[shape.rep_idx]
        if capacity.sum() > 0:
            return np.repeat((capacity / capacity.sum())[:, None], len(names), axis=1)
    out = np.full((k, len(names)), 1.0 / max(k, 1))
    for m, name in enumerate(names):
        told = alignment.targets.get(name)
        if told is not None and np.isfinite(told).all() and told.sum() > 0:
            own = told[shape.kept]
            # a new one gets the mean of the others
            each = np.append(own, np.full(k - len(own), own.mean() if len(own) else 1.0))
            out[:, m] = each / each.sum() if each.sum() > 0 else out[:, m]
    return out
