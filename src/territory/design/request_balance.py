"""What was asked of balance, read and checked: names, limits, targets and prices of measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from territory.errors import InputError, Problem
from territory.model.balance import Balance
from territory.model.workload import default_measure, measure_values
from territory.units import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.model.arrays import FloatArray
    from territory.model.customers import Customers

__all__ = ["Bands", "bands_of", "read_balance"]

#: How balanced territories should be where nobody says.
DEFAULT_TOLERANCE: Final = 0.10


class Bands(NamedTuple):
    """What k territories must, may and should hold of m measures.

    Attributes
    ----------
    lower, upper, target : float arrays of shape (k, m)
        0 and infinity where there is no limit.
    share : float array of shape (k, m)
        Share of the whole of each measure; columns add up to 1.
    """

    lower: FloatArray
    upper: FloatArray
    target: FloatArray
    share: FloatArray


def read_balance(
    customers: Customers, balance: object, rep_ids: Sequence[str] | None, problems: list[Problem]
) -> dict[str, Balance]:
    """Return what was asked of each measure; what is wrong goes to `problems`.

    Parameters
    ----------
    customers : Customers
    balance : None, or mapping of measure to float or Balance
    rep_ids : sequence of str, or None where there is not one territory a rep
    """
    if balance is None:
        name = default_measure(customers)
        # nothing is asked for, so nothing is wrong with customers who mean no work
        name = name if measure_values(customers, name).any() else "count"
        return {name: Balance(tolerance=DEFAULT_TOLERANCE)}
    if not isinstance(balance, Mapping) or not balance:
        problems.append(
            Problem("bad-balance", f"balance: expected a mapping such as {{'workload_s': 0.05}}, not {balance!r}")
        )
        return {}
    chosen = {}
    for name, asked in balance.items():
        try:
            if not measure_values(customers, name).any() and len(customers):
                problems.append(Problem("no-measure", "zero for every customer", column=str(name)))
        except InputError as error:
            problems += error.problems
        if isinstance(asked, Balance):
            chosen[str(name)] = asked
            problems += _rep_problems(str(name), asked, rep_ids)
        elif is_number(asked) and 0 <= asked <= 10:
            chosen[str(name)] = Balance(tolerance=float(asked))
        else:
            hint = "Write 0.05 for 5 %, or Balance(...) for limits and targets."
            message = f"expected a share from 0 to 10, or a Balance, not {asked!r}"
            problems.append(Problem("bad-tolerance", message, str(name), hint=hint))
    return chosen


def _rep_problems(name: str, asked: Balance, rep_ids: Sequence[str] | None) -> list[Problem]:
    """Return what does not fit between one measure's limits and the reps."""
    by_rep = {
        what: given
        for what in ("at_least", "at_most", "share")
        if isinstance(given := getattr(asked, what), Mapping) and given
    }
    if by_rep and rep_ids is None:
        return [Problem("missing-reps", f"{', '.join(by_rep)} by rep need reps, one a territory", name)]
    known = set(rep_ids or ())
    found = []
    for what, given in by_rep.items():
        strange = [i for i in given if i not in known]
        if strange:
            shown = ", ".join(repr(i) for i in strange[:5])
            found.append(Problem("unknown-id", f"{what}: no such rep: {shown}", name, count=len(strange)))
    if found:
        return found
    ids = list(rep_ids) if rep_ids is not None else [""]
    low, high = asked.values("at_least", ids, 0.0), asked.values("at_most", ids, np.inf)
    if (low > high).any():
        worst = ids[int(np.argmax(low > high))]
        where = f" of {worst}" if worst else ""
        found.append(Problem("limits-reversed", f"at_least{where} is more than at_most", name))
    share = asked.values("share", ids, 1.0)
    if not share.sum() > 0:
        found.append(Problem("bad-balance", "share: no rep gets anything", name))
    return found


def bands_of(asked: Mapping[str, Balance], total: FloatArray, share: FloatArray, rep_ids: Sequence[str]) -> Bands:
    """Return limits and targets.

    Parameters
    ----------
    asked : mapping of m measures
    total : float array of shape (m,)
        Of all customers who are shared out.
    share : float array of shape (k,)
        By capacity; adds up to 1.
    rep_ids : sequence of str, length k
        Blank for territories without reps.
    """
    k, m = len(share), len(total)
    lower, upper, shares = np.zeros((k, m)), np.full((k, m), np.inf), np.empty((k, m))
    for at, one in enumerate(asked.values()):
        part = share * one.values("share", rep_ids, 1.0)
        # those with capacity may be the very ones who get no share
        part = part if part.sum() > 0 else one.values("share", rep_ids, 1.0)
        shares[:, at] = part / part.sum()
    target = shares * total
    for at, one in enumerate(asked.values()):
        if one.tolerance is not None:
            lower[:, at] = target[:, at] * max(1.0 - one.tolerance, 0.0)
            upper[:, at] = target[:, at] * (1.0 + one.tolerance)
        lower[:, at] = np.maximum(lower[:, at], one.values("at_least", rep_ids, 0.0))
        upper[:, at] = np.minimum(upper[:, at], one.values("at_most", rep_ids, np.inf))
    return Bands(lower, upper, target, shares)
