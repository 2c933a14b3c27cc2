"""What was asked of realignment, read and checked before anything is moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.design.contiguity import is_usual, problem_graph, read_contiguity
from territory.design.problem import canonical_customers
from territory.design.realign_balance import read_measures
from territory.design.realign_rules import kept_rules, within
from territory.design.realign_shape import Shape, read_shape
from territory.design.request_rules import in_common
from territory.errors import InputError, Problem
from territory.model.arrays import NO_IDX
from territory.model.contiguity import contiguity_graph
from territory.model.eligibility import eligibility
from territory.model.units import BasicUnits
from territory.model.workload import measure_values
from territory.units import is_number

if TYPE_CHECKING:
    from territory.design.realign_balance import Measures
    from territory.design.realign_rules import Kept
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
    asked_of : Measures
        What was asked of the m measures.
    hard : bool
        Whether it is an error not to keep them.
    measures : float array of shape (n, m)
    lower, upper, target : float arrays of shape (k, m)
    fee : float array of shape (n,)
        What handing a customer over costs.
    stuck : bool array of shape (n,)
        Who is locked, by whatever rule; those whose territory is dissolved until they have another one.
    kept : Kept
        Rules of the alignment that hold on.
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
    asked_of: Measures
    hard: bool
    measures: FloatArray
    lower: FloatArray
    upper: FloatArray
    target: FloatArray
    fee: FloatArray
    stuck: BoolArray
    kept: Kept
    cap: FloatArray
    eligible: BoolArray | None
    graph: ContiguityGraph | None
    asked: ContiguityGraph | None
    rng: np.random.Generator
    diagnostics: tuple[Problem, ...]

    @property
    def balance(self) -> dict[str, float]:
        """Tolerance of each measure; infinity where there are limits only."""
        return self.asked_of.tolerance

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
    before, old, gone = _matched(alignment, new)
    known = old >= 0
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
    asked_of = read_measures(alignment, new, table, shape, balance, problems)
    wanted = asked_of.tolerance
    fee = _fee(new, change_cost, next(iter(wanted), "count"), problems)
    stuck = _stuck(new, locked, problems)
    _lost_locks(alignment, shape, before, stuck, problems)
    kept = kept_rules(alignment, new, old, table, shape, problems, notes)
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
    eligible, served = _eligible(new, by_rep, shape, kept, before, known)
    order = canonical_customers(new, measures, eligible)
    row = order[served[order]]
    lower, upper, target = asked_of.bands(measures[row].sum(axis=0))
    work = np.inf if most[1] is None else most[1] * float(measures[row, 0].sum()) * (1 + 1e-12)
    return RealignRequest(
        alignment, new, table, shape, before, known, row, asked_of,
        asked_of.hard and most == (None, None), measures, lower, upper, target, fee, stuck | kept.stays, kept,
        np.array([np.inf, work, np.inf if most[0] is None else float(most[0])]), eligible,
        None if graph is None else problem_graph(graph, new, _bound(new, by_rep, kept), row, kept.together),
        None if graph is None or is_usual(graph) else graph, np.random.default_rng(rng), tuple(notes),
    )  # fmt: skip


def _ids(customers: Customers, rows: IdxArray) -> str:
    shown = ", ".join(customers.id[rows[:_NAMED]].tolist())
    return shown + (", ..." if len(rows) > _NAMED else "")


def _matched(alignment: Alignment, new: Customers) -> tuple[IdxArray, IdxArray, IdxArray]:
    """Return each customer's old territory and position (-1: new), and the old positions of those who are gone."""
    if new is alignment.customers:
        return alignment.territory_idx, np.arange(len(new), dtype=np.int32), np.empty(0, dtype=np.int32)
    at = {name: i for i, name in enumerate(alignment.customers.id.tolist())}
    old = np.array([at.get(name, -1) for name in new.id.tolist()], dtype=np.int32)
    before = np.where(old >= 0, alignment.territory_idx[old] if at else NO_IDX, NO_IDX).astype(np.int32)
    left = np.ones(len(at), dtype=bool)
    left[old[old >= 0]] = False
    return before, old, np.flatnonzero(left).astype(np.int32)


def _bound(customers: Customers, by_rep: BoolArray | None, kept: Kept) -> BoolArray:
    """Return whom contiguity concerns, as far as reps and names go, bool of shape (n, 1)."""
    free: BoolArray = ~kept.given
    return (free if by_rep is None else free & by_rep.all(axis=1)).reshape(len(customers), 1)


def _eligible(
    new: Customers, by_rep: BoolArray | None, shape: Shape, kept: Kept, before: IdxArray, known: BoolArray
) -> tuple[BoolArray | None, BoolArray]:
    """Return who may belong to which territory (None: everybody to all), and who takes part.

    New territories of free centres are out of reach for everybody, until it is known where they are.
    """
    served = (before >= 0) | ~known
    by_skill = by_rep is not None and not by_rep.all()
    if not by_skill and kept.reach_m is None and kept.together is None:
        return None, served
    k = len(shape.territory_id)
    eligible = np.ones((len(new), k), dtype=bool)
    if by_skill and by_rep is not None:
        # a territory without a rep is open to everybody
        eligible = np.append(by_rep, np.ones((len(new), 1), dtype=bool), axis=1)[:, shape.rep_idx]
    if kept.reach_m is not None:
        for j in range(k):
            eligible[:, j] &= within(new, kept, j)
    eligible = in_common(eligible, kept.together)
    at = np.where(before >= 0, shape.became[before], NO_IDX)
    stays = np.zeros(len(before), dtype=bool)
    # today's territory stays possible, whatever is wrong with it; another one has to be within reach
    back = np.flatnonzero(at >= 0)
    stays[back] = shape.kept[at[back]] == before[back]
    if kept.reach_m is None:
        stays |= at >= 0
    eligible[stays, at[stays]] = True
    if eligible.all():
        return None, served
    return eligible, served & eligible.any(axis=1)


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
