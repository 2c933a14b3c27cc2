"""Whether the right rep visits, and whether the customer is visited at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from territory.check.rows import ANYBODY
from territory.model.enums import Channel, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from territory.check.facts import PlanFacts
    from territory.check.report import Violation
    from territory.model.arrays import BoolArray, IntArray
    from territory.model.customers import Customers
    from territory.model.plan import Plan
    from territory.model.reps import Reps

    #: Rows of a table, of any whole number type.
    Positions: TypeAlias = npt.NDArray[np.integer[Any]]

__all__ = [
    "NOT_KNOWN",
    "aligned_positions",
    "alignment_kept",
    "channels_kept",
    "covers",
    "forbidden_reps_kept",
    "is_forbidden",
    "lacks_skills",
    "locks_kept",
    "lost_customers_left",
    "missing_skills",
    "shares",
    "skills_there",
    "stands_in",
]

#: Instead of a rep's position: the alignment does not know the customer.
NOT_KNOWN = -2
#: Instead of a rep's position: the plan does not know the rep.
_ELSEWHERE = -3


def lacks_skills(customers: Customers, reps: Reps, customer: Positions, rep: Positions) -> BoolArray:
    """Tell in which pairs the rep lacks a skill, bool of the pairs' shape (n,); O(n + distinct pairs of sets)."""
    required = customers.required_skills
    if required is None:
        return np.zeros(len(customer), dtype=bool)
    nothing = frozenset[str]()
    has = (nothing,) if reps.skills is None else reps.skills.cells
    code = np.zeros(len(reps), np.int32) if reps.skills is None else reps.skills.code
    asked, held = required.code[customer].astype(np.int64), code[rep].astype(np.int64)
    pairs, which = np.unique(asked * len(has) + held, return_inverse=True)
    lacking = [not required.cells[p // len(has)] <= has[p % len(has)] for p in pairs.tolist()]
    return np.array(lacking, dtype=bool)[which]


def is_forbidden(customers: Customers, reps: Reps, customer: Positions, rep: Positions) -> BoolArray:
    """Tell in which pairs the customer forbids the rep, bool of the pairs' shape (n,)."""
    forbidden = customers.forbidden_reps
    out = np.zeros(len(customer), dtype=bool)
    if forbidden is None:
        return out
    some = np.array([bool(cell) for cell in forbidden.cells], dtype=bool)
    for j in np.flatnonzero(some[forbidden.code[customer]]).tolist():
        out[j] = str(reps.id[rep[j]]) in forbidden[int(customer[j])]
    return out


def skills_there(f: PlanFacts) -> Iterator[Violation]:
    """``skill-missing``."""
    customers, reps = f.plan.customers, f.plan.reps
    for i in np.flatnonzero(lacks_skills(customers, reps, f.customer, f.rep)):
        needed = missing_skills(customers, reps, f.customer[i], f.rep[i])
        who, rep = f.customer_id(f.customer[i]), f.rep_id(f.rep[i])
        message = f"Customer {who} is visited on {f.day[i]} by rep {rep}, who lacks {needed}."
        yield f.at_stop("skill-missing", i, message)


def missing_skills(customers: Customers, reps: Reps, customer: Any, rep: Any) -> str:
    """Name the skills that a rep lacks for a customer."""
    required = frozenset[str]() if customers.required_skills is None else customers.required_skills[int(customer)]
    held = frozenset[str]() if reps.skills is None else reps.skills[int(rep)]
    return ", ".join(sorted(required - held))


def forbidden_reps_kept(f: PlanFacts) -> Iterator[Violation]:
    """``rep-forbidden``."""
    for i in np.flatnonzero(is_forbidden(f.plan.customers, f.plan.reps, f.customer, f.rep)):
        who, rep = f.customer_id(f.customer[i]), f.rep_id(f.rep[i])
        yield f.at_stop("rep-forbidden", i, f"Customer {who} is visited on {f.day[i]} by rep {rep}, whom it forbids.")


def channels_kept(f: PlanFacts) -> Iterator[Violation]:
    """``inside-channel``, of visits by interval: a single visit was asked for."""
    channel = f.plan.customers.channel
    if channel is None:
        return
    for i in np.flatnonzero((channel[f.customer] == Channel.INSIDE) & (f.single < 0)):
        who = f.customer_id(f.customer[i])
        yield f.at_stop("inside-channel", i, f"Customer {who} is served from inside, but is visited on {f.day[i]}.")


def lost_customers_left(f: PlanFacts) -> Iterator[Violation]:
    """``lost-customer``, of visits by interval: an appointment may win one back."""
    stage = f.plan.customers.stage
    if stage is None:
        return
    for i in np.flatnonzero((stage[f.customer] == Stage.LOST) & (f.single < 0)):
        who = f.customer_id(f.customer[i])
        yield f.at_stop("lost-customer", i, f"Customer {who} is lost, but is visited on {f.day[i]}.")


def locks_kept(f: PlanFacts) -> Iterator[Violation]:
    """``lock-broken``; a rep whom the visit's own row names outranks the lock."""
    locked, owner = f.plan.customers.locked, f.plan.customers.owner
    if locked is None or owner is None:
        return
    visitor = f.plan.reps.id[f.rep]
    named = (f.of_row("rep", absent=ANYBODY) == f.rep) | (f.of_row("second", absent=ANYBODY) == f.rep)
    for i in np.flatnonzero(locked[f.customer] & (owner[f.customer] != visitor) & ~named):
        who, mine = f.customer_id(f.customer[i]), str(owner[f.customer[i]])
        message = f"Customer {who} is locked to rep {mine}, but is visited on {f.day[i]} by rep {f.rep_id(f.rep[i])}."
        yield f.at_stop("lock-broken", i, message)


def aligned_positions(plan: Plan) -> IntArray | None:
    """Return the rep whom the alignment gives each customer of the plan, int64 of shape (n,).

    -1: none. `NOT_KNOWN`: the alignment does not know the customer. -3: a rep whom the plan does
    not know. None: there is no alignment, or one without reps.
    """
    alignment = plan.alignment
    if alignment is None or alignment.reps is None:
        return None
    in_plan = {rep: i for i, rep in enumerate(plan.reps.id.tolist())}
    known = np.array([*(in_plan.get(rep, _ELSEWHERE) for rep in alignment.reps.id.tolist()), -1], dtype=np.int64)
    # -1, in a territory or as a territory, points at the last place, which holds -1
    rep_of: IntArray = known[np.append(alignment.rep_idx, -1)][alignment.territory_idx]
    if alignment.customers is plan.customers:
        return rep_of
    position = {who: i for i, who in enumerate(alignment.customers.id.tolist())}
    at = np.array([position.get(who, -1) for who in plan.customers.id.tolist()], dtype=np.int64)
    return np.where(at < 0, NOT_KNOWN, np.append(rep_of, NOT_KNOWN)[at])


def alignment_kept(f: PlanFacts) -> Iterator[Violation]:
    """``wrong-rep`` and ``not-in-alignment``, of visits planned and unassigned.

    Where a row of the plan's visits names its reps, that is told by `territory.check.singles`.
    """
    aligned = f.aligned
    if aligned is None:
        return
    explicit = f.of_row("rep", absent=ANYBODY) != ANYBODY
    explicit |= f.of_row("second", absent=ANYBODY) == f.rep
    for i in np.flatnonzero((aligned[f.customer] != f.rep) & ~explicit):
        who, rep = f.customer_id(f.customer[i]), f.rep_id(f.rep[i])
        right = int(aligned[f.customer[i]])
        if right == NOT_KNOWN:
            message = f"Customer {who} is visited on {f.day[i]}, but is not in the alignment."
            yield f.at_stop("not-in-alignment", i, message)
        elif not (stands_in(f, i, right) or shares(f, f.customer[i], right, f.rep[i])):
            message = f"Customer {who} is visited on {f.day[i]} by rep {rep}, but belongs to {_name(f, right)}."
            yield f.at_stop("wrong-rep", i, message)
    unassigned = f.plan.unassigned
    right_rep = aligned[unassigned.customer_idx]
    told = unassigned.rep_idx
    named = np.append(f.rows.rep, ANYBODY)[f.left_single]
    right_rep = np.where(named >= 0, named, right_rep)
    other = np.append(f.rows.second, ANYBODY)[f.left_single]
    for u in np.flatnonzero((told >= 0) & (right_rep != told) & (other != told) & (right_rep != NOT_KNOWN)):
        who, rep = f.customer_id(unassigned.customer_idx[u]), f.rep_id(told[u])
        right = int(right_rep[u])
        if named[u] < 0 and (covers(f, right, told[u]) or shares(f, unassigned.customer_idx[u], right, told[u])):
            continue
        message = (
            f"An unassigned visit of customer {who} is put down to rep {rep}, but it belongs to {_name(f, right)}."
        )
        yield f.at_unassigned("wrong-rep", u, message)


def covers(f: PlanFacts, owner: Any, rep: Any) -> bool:
    """Tell whether a rep may stand in for another at all."""
    return bool(owner >= 0) and f.rep_id(rep) in f.plan.settings.cover.get(f.rep_id(owner), ())


def stands_in(f: PlanFacts, i: Any, owner: int) -> bool:
    """Tell whether a stop's rep stands in for the customer's, who is on leave on that day."""
    away = covers(f, owner, f.rep[i]) and f.on_leave(owner, int(f.day[i].astype(np.int64)))
    return away and _same_clock(f, f.customer[i], owner, f.rep[i])


def shares(f: PlanFacts, customer: Any, owner: int, rep: Any) -> bool:
    """Tell whether a rep may serve a customer as one of its rep's team."""
    if not f.plan.settings.shared:
        return False
    team = f.plan.reps.team
    if owner < 0:
        return team is None
    return (team is None or bool(team[owner] == team[rep])) and _same_clock(f, customer, owner, rep)


def _same_clock(f: PlanFacts, customer: Any, owner: int, rep: Any) -> bool:
    """Tell whether a customer's hours do not depend on which of two reps comes."""
    own = f.plan.customers.timezone
    if own is not None and own[int(customer)]:
        return True
    return bool((f.rep_zone[owner] or "UTC") == (f.rep_zone[int(rep)] or "UTC"))


def _name(f: PlanFacts, rep: int) -> str:
    if rep >= 0:
        return f"rep {f.rep_id(rep)}"
    return "a rep who is not in the plan" if rep == _ELSEWHERE else "nobody"
