"""How many territories: the least that capacity allows, and why fewer cannot do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.design.contiguity import read_contiguity
from territory.design.territories import design_territories
from territory.errors import MAX_ROWS_LISTED, InfeasibleError, InputError, Problem
from territory.model.balance import Balance
from territory.model.units import BasicUnits
from territory.model.workload import measure_values
from territory.units import is_number

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray
    from territory.model.customers import Customers

__all__ = ["LeastTerritories", "least_territories", "packing_bound"]

#: How many numbers are tried above the bound where nobody says.
_TRIES: Final = 10
#: A sum of a million floats in another order differs by less than this share of it.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class LeastTerritories:
    """The least number of territories that capacity allows, as far as it was found.

    Attributes
    ----------
    alignment : Alignment
        With that many territories, each within capacity.
    lower_bound : int
        No fewer can do, whatever their shape.
    proof : Problem
        Why one fewer than `lower_bound` cannot do: ``capacity-total`` (there is too much in all),
        ``capacity-big-customers`` (too many who leave no room beside each other), or ``capacity-islands`` (parts of
        the map that nothing joins need so many each).
    tried : mapping of int to str
        Numbers from the bound on for which no territories were found, and why. That is no proof that there are none.
    """

    alignment: Alignment
    lower_bound: int
    proof: Problem
    tried: Mapping[int, str]

    def __reduce__(self) -> tuple[Any, ...]:  # mapping views do not pickle
        return type(self), (self.alignment, self.lower_bound, self.proof, dict(self.tried))

    def __repr__(self) -> str:
        known = "proven" if self.proven else f"at least {self.lower_bound}"
        return f"<LeastTerritories: {self.n_territories}, {known}; {self.proof.message}>"

    @property
    def n_territories(self) -> int:
        """The least number for which territories were found."""
        return len(self.alignment)

    @property
    def proven(self) -> bool:
        """Whether one fewer cannot do."""
        return self.n_territories == self.lower_bound


def packing_bound(weight: FloatArray, capacity: float) -> int:
    """Return a number of bins that the weights need at least.

    Parameters
    ----------
    weight : float array of shape (n,), at least 0 and at most `capacity`
    capacity : float, above 0

    Returns
    -------
    int
        The bound L2 of Martello and Toth (1990, *Knapsack Problems*, 8.3): for every threshold, those above half a bin
        need one each, and what is left beside them must hold the others down to the threshold. At least the total over
        the capacity, rounded up. O(n log n).

    Examples
    --------
    >>> packing_bound(np.array([6.0, 6.0, 6.0, 1.0]), 10.0)  # the total would fit in two
    3
    """
    w = np.sort(weight[weight > 0])[::-1] / capacity
    if not len(w):
        return 0
    sums = np.concatenate([[0.0], np.cumsum(w)])
    half = int(np.searchsorted(-w, -0.5 - _ROUNDING))  # so many are above half a bin
    small = w[half:]
    threshold = np.concatenate([[0.0], small])
    # above 1 - threshold: no room beside them for anybody at or above the threshold
    alone = np.minimum(np.searchsorted(-w, -(1.0 - threshold) - _ROUNDING), half)
    last = np.concatenate([[len(w)], half + np.searchsorted(-small, -small, side="right")])
    middle = half - alone
    room = middle - (sums[half] - sums[alone])
    rest = sums[last] - sums[half] - room
    more = np.maximum(0, np.ceil(rest - _ROUNDING * np.maximum(1.0, sums[last])))
    return int((half + more).max())


def least_territories(
    customers: Customers | BasicUnits,
    *,
    capacity: Mapping[str, float],
    most: int | None = None,
    contiguous: Any = True,
    barriers: Any = None,
    bridges: Iterable[tuple[str, str]] = (),
    islands: Any = None,
    time_limit_s: float = 30.0,
    **options: Any,
) -> LeastTerritories:
    """Find the least number of territories that hold no more than they may.

    Parameters
    ----------
    customers : Customers or BasicUnits, length n
    capacity : mapping of measure to float
        What a territory may hold at most, in the measure's unit: ``{"workload_s": 38 * 3600}``.
    most : int, optional
        Numbers above this are not tried. Default: ten above the bound.
    contiguous, barriers, bridges, islands, **options
        As of `design_territories`.
    time_limit_s : float
        Seconds for each number.

    Returns
    -------
    LeastTerritories
        ``.alignment``, ``.n_territories``, ``.proven``; why fewer cannot do in ``.proof``, what was not found in
        ``.tried``.

    Raises
    ------
    InputError
        Every broken rule at once.
    InfeasibleError
        A customer above capacity, by name; or nothing was found up to `most`.

    Notes
    -----
    The bound is one of bin packing, in every part of the map that nothing joins (where each territory must lie in
    one); then numbers are tried from there on, one design each.

    Examples
    --------
    >>> from territory import Customers
    >>> customers = Customers(id=list("abcd"), lon=[1, 2, 3, 4], lat=[50] * 4, workload_s=[6000, 3600, 3600, 6000])
    >>> found = least_territories(customers, capacity={"workload_s": 10_000})
    >>> found.n_territories, found.proven
    (2, True)
    """
    problems: list[Problem] = []
    table = customers.to_customers() if isinstance(customers, BasicUnits) else customers
    values = _capacities(table, capacity, problems)
    if most is not None and (isinstance(most, bool) or not isinstance(most, (int, np.integer)) or most < 1):
        problems.append(Problem("bad-count", f"most: expected a whole number of at least 1, not {most!r}"))
    if len(table) == 0:
        problems.append(Problem("no-customers", "there are no customers to share out"))
    problems += [
        Problem("unknown-option", f"{name} is not taken: capacity says what territories may hold")
        for name in ("reps", "n_territories", "balance")
        if name in options
    ]
    graph = read_contiguity(customers, contiguous, barriers, bridges, islands, problems)
    if problems:
        raise InputError(problems, "least_territories")
    _refuse_heavy(table, capacity, values)
    tied = graph is not None and graph.islands == "refuse" and graph.n_components > 1
    part = graph.component if tied and graph is not None else np.zeros(len(table), dtype=np.int32)
    bound, proof = _least(table, capacity, values, part)
    last = min(len(table), bound + _TRIES if most is None else int(most))
    balance = {name: Balance(at_most=limit) for name, limit in capacity.items()}
    tried: dict[int, str] = {}
    for k in range(bound, last + 1):
        try:
            made = design_territories(
                table, n_territories=k, balance=balance, contiguous=False if graph is None else graph,
                time_limit_s=time_limit_s, **options,
            )  # fmt: skip
        except InfeasibleError as error:
            tried[k] = "; ".join(str(p) for p in error.reasons)
            continue
        return LeastTerritories(made, bound, proof, MappingProxyType(tried))
    if last < bound:
        raise InfeasibleError([proof], f"capacity needs {bound} territories at least, more than {last}")
    why = Problem("not-found", f"no territories within capacity were found, from {bound} to {last}: {tried[last]}")
    raise InfeasibleError([why], "no alignment was found within the hard limits")


def _capacities(table: Customers, capacity: object, problems: list[Problem]) -> dict[str, FloatArray]:
    if not isinstance(capacity, Mapping) or not capacity:
        message = f"capacity: expected a mapping such as {{'workload_s': 136800}}, not {capacity!r}"
        problems.append(Problem("bad-capacity", message))
        return {}
    values = {}
    for name, limit in capacity.items():
        if not (is_number(limit) and 0 < limit < float("inf")):
            problems.append(Problem("bad-capacity", f"expected a number above 0, not {limit!r}", str(name)))
        try:
            values[name] = measure_values(table, name)
        except InputError as error:
            problems += error.problems
    return values


def _refuse_heavy(table: Customers, capacity: Mapping[str, float], values: dict[str, FloatArray]) -> None:
    reasons = []
    for name, limit in capacity.items():
        heavy = np.flatnonzero(values[name] > limit * (1.0 + _ROUNDING))
        if len(heavy):
            ids = ", ".join(table.id[heavy[:MAX_ROWS_LISTED]].tolist())
            message = f"no territory may hold more than {limit:g}, but there are customers with more: {ids}"
            rows = tuple(int(i) for i in heavy[:MAX_ROWS_LISTED])
            hint = "Raise the capacity, or split the customer's work."
            reasons.append(Problem("customer-over-capacity", message, name, len(heavy), rows, hint))
    if reasons:
        raise InfeasibleError(reasons, "no number of territories is enough")


def _least(
    table: Customers, capacity: Mapping[str, float], values: dict[str, FloatArray], part: Any
) -> tuple[int, Problem]:
    """Return the largest lower bound, and why one fewer cannot do."""
    best, proof = 1, Problem("capacity-total", "there are no fewer than one")
    pieces = [np.flatnonzero(part == p) for p in np.unique(part)]
    for name, limit in capacity.items():
        weight = values[name]
        simple = int(np.ceil(weight.sum() / limit * (1.0 - _ROUNDING)))
        packed = packing_bound(weight, limit)
        apart = sum(max(1, packing_bound(weight[rows], limit)) for rows in pieces)
        if simple > best:
            message = f"{weight.sum():g} in all, and {limit:g} a territory"
            best, proof = simple, Problem("capacity-total", message, name)
        if packed > best:
            big = np.flatnonzero(weight > limit / 2)
            ids = ", ".join(table.id[big[np.argsort(-weight[big], kind="stable")][:MAX_ROWS_LISTED]].tolist())
            message = f"{packed} territories of {limit:g} at least, as big customers leave no room for others: {ids}"
            rows = tuple(int(i) for i in big[:MAX_ROWS_LISTED])
            best, proof = packed, Problem("capacity-big-customers", message, name, len(big), rows)
        if apart > best:
            message = f"{len(pieces)} parts of the map that nothing joins need {apart} territories of {limit:g} in all"
            best, proof = apart, Problem("capacity-islands", message, name, len(pieces))
    return best, proof
