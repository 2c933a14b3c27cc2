"""Check an alignment: who serves whom, balance, contiguity, objective.

Where something is a matter of definition:

* Targets are a measure's total times each territory's share (`territory.check.measures.shares`).
  The total may be that of all customers, or of those that are in a territory, or in between (an
  alignment that was edited by hand keeps its targets).
* Contiguity: see `territory.check.contiguity`.
* Without reps, a locked customer's owner has no territory to its name: customers who are locked to
  one owner belong to one territory then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from territory.check.alignment_rules import LIMITS
from territory.check.contiguity import contiguous
from territory.check.eligibility import is_forbidden, lacks_skills, missing_skills
from territory.check.measures import shares, values_of
from territory.check.objective import objective_right
from territory.check.report import CheckReport, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray

    Rule: TypeAlias = Callable[[Alignment], Iterator[Violation]]

__all__ = ["check_alignment"]

#: Sums of a million floats in another order differ by less than this share of them.
_ROUNDING: Final = 1e-9


def _customer(a: Alignment, i: Any) -> str:
    return str(a.customers.id[int(i)])


def _territory(a: Alignment, j: Any) -> str:
    return str(a.territory_id[int(j)])


def _of_customer(a: Alignment, code: str, i: Any, message: str) -> Violation:
    j = int(a.territory_idx[i])
    rep = int(a.rep_idx[j]) if j >= 0 else -1
    return Violation(
        code,
        message,
        customer_id=_customer(a, i),
        territory_id=_territory(a, j) if j >= 0 else None,
        rep_id=str(a.reps.id[rep]) if a.reps is not None and rep >= 0 else None,
    )


def _territory_ids_own(a: Alignment) -> Iterator[Violation]:
    seen: set[str] = set()
    for j, name in enumerate(a.territory_id.tolist()):
        if not name.strip():
            yield Violation("territory-id-doubled", f"Territory number {j} has a blank id.", territory_id=name)
        elif name in seen:
            yield Violation("territory-id-doubled", f"There is more than one territory {name}.", territory_id=name)
        seen.add(name)


def _reasons_given(a: Alignment) -> Iterator[Violation]:
    for i in np.flatnonzero(a.territory_idx < 0):
        if not str(a.unassigned_reason.get(int(i), "")).strip():
            message = f"Customer {_customer(a, i)} is in no territory, and no reason is given."
            yield _of_customer(a, "reason-missing", i, message)


def _reasons_founded(a: Alignment) -> Iterator[Violation]:
    for i in sorted(a.unassigned_reason):
        if not 0 <= i < len(a.territory_idx):
            yield Violation("reason-unfounded", f"A reason is given for a customer number {i}, whom there is not.")
        elif a.territory_idx[i] >= 0:
            message = (
                f"Customer {_customer(a, i)} is in territory {_territory(a, a.territory_idx[i])}, "
                f"but a reason is given why it is in none: {a.unassigned_reason[i]}"
            )
            yield _of_customer(a, "reason-unfounded", i, message)


def _one_rep_a_territory(a: Alignment) -> Iterator[Violation]:
    if a.reps is None:
        return
    held = np.bincount(a.rep_idx[a.rep_idx >= 0], minlength=len(a.reps))
    for rep in np.flatnonzero(held > 1):
        mine = ", ".join(_territory(a, j) for j in np.flatnonzero(a.rep_idx == rep))
        message = f"Rep {a.reps.id[rep]} has {held[rep]} territories: {mine}."
        yield Violation("rep-doubled", message, rep_id=str(a.reps.id[rep]), amount=float(held[rep] - 1))
    for j in np.flatnonzero(a.rep_idx < 0):
        name = _territory(a, j)
        yield Violation("territory-without-rep", f"Territory {name} has no rep.", territory_id=name)


def _locks_kept(a: Alignment) -> Iterator[Violation]:
    locked, owner = a.customers.locked, a.customers.owner
    if locked is None or owner is None:
        return
    rows = np.flatnonzero(locked)
    owners = owner[rows].tolist()
    at = a.territory_idx[rows].tolist()
    if a.reps is None:
        home: dict[str, int] = {}
        for name, j in zip(owners, at, strict=True):
            if j >= 0:
                home.setdefault(name, j)
        wrong = [j < 0 or home[name] != j for name, j in zip(owners, at, strict=True)]
    else:
        # -1, in a territory or as a territory, points at the last place: nobody
        rep_ids = [*a.reps.id.tolist(), None]
        holder = [*(rep_ids[r] for r in a.rep_idx.tolist()), None]
        wrong = [holder[j] != name for name, j in zip(owners, at, strict=True)]
    for i, name, j, bad in zip(rows.tolist(), owners, at, wrong, strict=True):
        if bad:
            where = f"territory {_territory(a, j)}" if j >= 0 else "no territory"
            message = f"Customer {_customer(a, i)} is locked to owner {name}, but is in {where}, not in the owner's."
            yield _of_customer(a, "lock-broken", i, message)


def _reps_eligible(a: Alignment) -> Iterator[Violation]:
    if a.reps is None:
        return
    rep = np.append(a.rep_idx, -1)[a.territory_idx]
    served = np.flatnonzero(rep >= 0)
    for i in served[lacks_skills(a.customers, a.reps, served, rep[served])]:
        needed = missing_skills(a.customers, a.reps, i, rep[i])
        message = (
            f"Customer {_customer(a, i)} is in territory {_territory(a, a.territory_idx[i])} of rep "
            f"{a.reps.id[rep[i]]}, who lacks {needed}."
        )
        yield _of_customer(a, "skill-missing", i, message)
    for i in served[is_forbidden(a.customers, a.reps, served, rep[served])]:
        message = (
            f"Customer {_customer(a, i)} is in territory {_territory(a, a.territory_idx[i])} of rep "
            f"{a.reps.id[rep[i]]}, whom it forbids."
        )
        yield _of_customer(a, "rep-forbidden", i, message)


def _balance_kept(a: Alignment) -> Iterator[Violation]:
    k = len(a)
    served = np.flatnonzero(a.territory_idx >= 0)
    for measure in dict.fromkeys([*a.balance, *a.targets]):
        values = values_of(a.customers, measure)
        if values is None:
            yield Violation("measure-unknown", f"The customers have no measure {measure}.")
            continue
        share = a.rules.share.get(measure, shares(a))
        total: FloatArray = np.bincount(a.territory_idx[served], values[served], k).astype(np.float64)
        target = a.targets.get(measure)
        if target is None:
            target = None if share is None else total.sum() * share
        else:
            target = np.asarray(target, dtype=np.float64)
            wrong = list(_targets_right(a, measure, target, share, (float(total.sum()), float(values.sum()))))
            yield from wrong
            if target.shape != (k,) or not np.isfinite(target).all():
                target = None
        if target is not None and measure in a.balance:
            yield from _within(a, measure, total, target)


def _targets_right(
    a: Alignment, measure: str, target: FloatArray, share: FloatArray | None, sums: tuple[float, float]
) -> Iterator[Violation]:
    """Compare with the sums of the measure over customers in a territory, and over all."""
    k, (served, everybody) = len(a), sums
    if target.shape != (k,):
        yield Violation("target-wrong", f"The targets of {measure} have shape {target.shape}, not ({k},).")
        return
    if share is None or k == 0:
        return
    rounding = _ROUNDING * max(everybody, 1.0)
    told = float(target.sum())
    # a sum that is NaN fails both comparisons
    if not served - rounding <= told <= everybody + rounding:
        message = f"The targets of {measure} add up to {told:,.6g}, but the customers to {served:,.6g}."
        yield Violation("target-wrong", message, amount=abs(told - served))
        return
    for j in np.flatnonzero(np.abs(target - told * share) > rounding):
        name = _territory(a, j)
        message = (
            f"The target of {measure} of territory {name} is {target[j]:,.6g}; its share of {told:,.6g} "
            f"is {told * share[j]:,.6g}."
        )
        off = abs(float(target[j] - told * share[j]))
        yield Violation("target-wrong", message, territory_id=name, amount=off)


def _within(a: Alignment, measure: str, total: FloatArray, target: FloatArray) -> Iterator[Violation]:
    allowed = float(a.balance[measure])
    off = np.abs(total - target) - allowed * target
    for j in np.flatnonzero(~(off <= _ROUNDING * np.maximum(target, 1.0))):
        name = _territory(a, j)
        deviation = f"{total[j] / target[j] - 1:+.3%}" if target[j] > 0 else "all"
        message = (
            f"Territory {name} has a {measure} of {total[j]:,.6g}, {deviation} off its target of {target[j]:,.6g}; "
            f"{allowed:.3%} are allowed."
        )
        yield Violation("unbalanced", message, territory_id=name, amount=float(off[j]))


def _bound_below(a: Alignment) -> Iterator[Violation]:
    for name, bound in (("bound", a.bound), ("bound for centres anywhere", a.free_bound)):
        if bound is not None and not bound <= a.objective * (1.0 + _ROUNDING) + 1e-6:
            message = f"The {name} {bound:,.9g} is above the objective {a.objective:,.9g}."
            yield Violation("bound-above-objective", message, amount=abs(bound - a.objective))


_RULES: Final[tuple[Rule, ...]] = (
    _territory_ids_own,
    _reasons_given,
    _reasons_founded,
    _one_rep_a_territory,
    _locks_kept,
    _reps_eligible,
    _balance_kept,
    *LIMITS,
    contiguous,
)


def check_alignment(alignment: Alignment, *, travel: Any = None) -> CheckReport:
    """Check whether an alignment keeps every rule; whoever made it, a solver or a person.

    Parameters
    ----------
    alignment : Alignment, with n customers
    travel : Travel or sparse matrix of seconds, optional
        That of an alignment that is compact by travel time; without it, its travel times are not checked.

    Returns
    -------
    CheckReport
        ``.ok`` if nothing is wrong; else every violation, with a code of `territory.check.CODES`.

    Notes
    -----
    O(n log n), nearly all of it for the neighbourhood of the customers, where contiguity is asked
    for. An objective that is NaN, as in an alignment that was read from a table, is not checked.

    Examples
    --------
    >>> from territory.model import Alignment, Customers, Reps
    >>> customers = Customers(id=["a", "b"], lon=[13.4, 9.9], lat=[52.5, 53.5], owner=["R1", "R2"], locked=[True, True])
    >>> reps = Reps(id=["R1", "R2"], lon=[13.4, 9.9], lat=[52.5, 53.5])
    >>> check_alignment(Alignment.from_owners(customers, reps)).ok
    True
    >>> print(check_alignment(Alignment.from_frame(
    ...     {"customer_id": ["a", "b"], "rep_id": ["R1", "R1"]}, customers=customers, reps=reps
    ... )))
    alignment: 1 violation of 1 rule
      lock-broken (1)
        Customer b is locked to owner R2, but is in territory R1, not in the owner's.
    """
    found = [violation for rule in _RULES for violation in rule(alignment)]
    return CheckReport((*found, *objective_right(alignment, travel), *_bound_below(alignment)), "alignment")
