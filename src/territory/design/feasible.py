"""What no alignment can do: said before anything is solved, with who stands in the way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.design.transport import Transport
from territory.errors import MAX_ROWS_LISTED, InfeasibleError, Problem

if TYPE_CHECKING:
    from territory.design.atoms import Atoms
    from territory.design.request import Request
    from territory.model.arrays import FloatArray

__all__ = ["refuse_impossible"]

#: Less than this is not a limit that cannot be kept, but rounding of weights to whole numbers.
_CLEAR: Final = 1e-3


def refuse_impossible(request: Request, atoms: Atoms) -> None:
    """Raise if a hard limit cannot be kept, naming who stands in the way.

    Every reason is a proof, of one limit at a time; that there is none proves nothing. Islands are not looked at: which
    of them territories are on was chosen.

    Raises
    ------
    InfeasibleError
    """
    reasons: list[Problem] = []
    if request.hard:
        untied = replace(atoms, problem=replace(atoms.problem, eligible=atoms.common(request.eligible)))
        for m in range(len(request.balance)):
            reasons += _of_measure(request, untied, m)
    # who gets no territory is in nobody's way
    served = np.zeros(len(request.customers), dtype=bool)
    served[request.row] = True
    most = max((int(served[rows].sum()) for rows in request.particulars.rivals), default=0)
    if most > request.k:
        message = f"{most} customers must be apart, in {request.k} territories"
        reasons.append(Problem("apart-impossible", message, "id", hint="More territories, or fewer in a group."))
    if reasons:
        raise InfeasibleError(reasons, "no alignment can satisfy the hard limits")


def _of_measure(request: Request, atoms: Atoms, m: int) -> list[Problem]:
    """Return why one measure cannot keep its limits."""
    problem = atoms.problem
    name, asked = list(request.balance.items())[m]
    lower, upper = problem.lower[:, m], problem.upper[:, m]
    if not asked.hard or not problem.measures[:, m].any():
        # nothing to share out: nobody has anything, as everybody should
        return []
    found = _too_heavy(request, atoms, m, name)
    if (lower > upper * (1 + 1e-12)).any():
        j = int(np.argmax(lower - upper))
        who = request.territory_id[request.place[j]]
        message = f"territory {who} must hold at least {lower[j]:.6g}, and at most {upper[j]:.6g}"
        return [*found, Problem("limits-conflict", message, column=name, hint="Widen the tolerance, or the limits.")]
    if found:
        return found
    flow = Transport(problem, m)
    if flow.possible(lower, upper):
        return []
    target, total = problem.target[:, m], float(problem.measures[:, m].sum())
    if asked.at_least is None and asked.at_most is None:
        tolerance = float(asked.tolerance or 0.0)
        least = flow.least(lambda t: (target * max(1 - t, 0.0), target * (1 + t)))
        if least <= tolerance + _CLEAR and not flow.alike:
            return []
        message = f"cannot be balanced within {tolerance:.1%}: the least deviation possible is {least:.1%}"
        hint = "They are dealt out whole." if flow.alike else "Locks, skills, forbidden reps or reach bind."
        return [Problem("balance-impossible", message, column=name, hint=hint)]
    return _limits(problem.eligible, flow, lower, upper, name, total)


def _limits(
    eligible: Any, flow: Transport, lower: FloatArray, upper: FloatArray, name: str, total: float
) -> list[Problem]:
    """Return why absolute limits cannot be kept."""
    if float(upper.sum()) < total:
        message = f"{total:.6g} in all, but territories may hold {float(upper.sum()):.6g} at most"
        return [Problem("limits-impossible", message, column=name, hint="More territories, or a higher at_most.")]
    if float(lower.sum()) > total:
        message = f"{total:.6g} in all, but territories must hold {float(lower.sum()):.6g} at least"
        return [Problem("limits-impossible", message, column=name, hint="Fewer territories, or a lower at_least.")]
    least = flow.least(lambda t: (lower * max(1 - t, 0.0), upper * (1 + t)))
    if least <= _CLEAR and not flow.alike:
        return []
    why = "customers are dealt out whole" if eligible is None else "locks, skills, forbidden reps or reach bind"
    message = f"limits cannot all be kept, as {why}; they could if each were {least:.1%} wider"
    return [Problem("limits-impossible", message, column=name)]


def _too_heavy(request: Request, atoms: Atoms, m: int, name: str) -> list[Problem]:
    """Return the customers, or groups, with more than any territory may hold."""
    problem = atoms.problem
    heavy = problem.measures[:, m] > problem.upper[:, m].max() * (1 + 1e-12)
    if not heavy.any():
        return []
    rows = np.sort(request.row[heavy[atoms.atom]])
    ids = ", ".join(request.customers.id[rows[:5]].tolist())
    groups = problem.n < len(atoms.atom) and (np.bincount(atoms.atom)[heavy] > 1).any()
    who = "groups" if groups else "customers"
    most = float(problem.upper[:, m].max())
    return [
        Problem(
            "customer-over-capacity",
            f"no territory may hold more than {most:g}, but there are {who} with more: {ids}",
            column=name,
            count=int(rows.size),
            rows=tuple(int(i) for i in rows[:MAX_ROWS_LISTED]),
            hint="Widen the balance, or split the customer's work.",
        )
    ]
