"""The regions that territories shall lie in: who is in which, and how many territories each gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import text_array
from territory.model.columns import columns_of
from territory.model.rows import outward
from territory.model.workload import default_measure, measure_values

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray, IntArray, TextArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.units import BasicUnits

__all__ = ["dealt_out", "read_counts", "read_regions", "reps_by_region"]


def dealt_out(n: int, share: FloatArray, most: IntArray) -> IntArray:
    """Deal out n seats by share: largest remainders, one at least, and no more than there is room for.

    Parameters
    ----------
    n : int
        From the number of shares to the sum of `most`.
    share : float array of shape (r,), at least 0
        Need not add up to 1.
    most : int array of shape (r,), at least 1

    Returns
    -------
    int64 array of shape (r,)
        Of equal claims the first gets the seat.

    Examples
    --------
    >>> dealt_out(5, np.array([0.62, 0.36, 0.02]), np.array([9, 9, 9])).tolist()
    [3, 1, 1]
    """
    due = n * share / share.sum() if share.sum() > 0 else np.full(len(share), n / len(share))
    seats = np.clip(np.floor(due + 1e-9), 1, most).astype(np.int64)
    while seats.sum() < n:
        seats[np.where(seats < most, due - seats, -np.inf).argmax()] += 1
    while seats.sum() > n:
        seats[np.where(seats > 1, due - seats, np.inf).argmin()] -= 1
    return seats


def read_regions(customers: Customers | BasicUnits, by: Any, problems: list[Problem]) -> TextArray:
    """Return the region of each customer, text of shape (n,)."""
    n = len(customers)
    if isinstance(by, str):
        specs = columns_of(type(customers))
        there = {c: getattr(customers, c) for c in specs if c != "id" and getattr(customers, c) is not None}
        words = {c: shown for c, v in there.items() if _is_text(shown := outward(v, specs[c]))}
        if by not in words:
            listed = ", ".join(words) or "none"
            hint = "The regions may be given as they are: by=[...]."
            message = f"no column of text {by!r}; there are: {listed}"
            problems.append(Problem("unknown-column", message, column=by, hint=hint))
            return text_array([""] * n)
        by_row: Any = words[by]
    else:
        by_row = by
    try:
        region = text_array(by_row if isinstance(by_row, np.ndarray) else list(by_row))
    except TypeError:
        problems.append(Problem("bad-region", "by: expected a column's name, or a region of text for each customer"))
        return text_array([""] * n)
    if region.shape != (n,):
        problems.append(Problem("wrong-shape", f"by: expected shape ({n},), not {region.shape}"))
        return region
    blank = np.flatnonzero(np.array([not name.strip() for name in region.tolist()], dtype=bool))
    if len(blank):
        named = by if isinstance(by, str) else None
        rows = tuple(int(i) for i in blank[:5])
        problems.append(Problem("no-region", "customers without a region", named, len(blank), rows))
    return region


def _is_text(values: Any) -> bool:
    if not isinstance(values, np.ndarray):
        return False
    return values.dtype.kind in "UT" or (values.dtype.kind == "O" and all(isinstance(v, str) for v in values.tolist()))


def reps_by_region(
    regions: list[str], reps: Reps | None, n_territories: Any, problems: list[Problem]
) -> list[IntArray]:
    """Return the positions of each region's reps."""
    if reps is None:
        return []
    if n_territories is not None:
        problems.append(Problem("bad-count", "n_territories is not taken with reps: each has a territory"))
    if reps.team is None:
        hint = "Add it: the region that each rep works in."
        problems.append(Problem("missing-column", "reps have no team", column="team", hint=hint))
        return []
    team = np.asarray(reps.team.tolist(), dtype=object)
    strange = np.flatnonzero(~np.isin(team, np.array(regions, dtype=object)))
    if len(strange):
        shown = ", ".join(repr(t) for t in dict.fromkeys(team[strange[:5]].tolist()))
        rows = tuple(int(j) for j in strange[:5])
        problems.append(
            Problem("unknown-region", f"reps of teams without customers: {shown}", "team", len(strange), rows)
        )
    found = [np.flatnonzero(team == name) for name in regions]
    lone = [name for name, own in zip(regions, found, strict=True) if not len(own)]
    if lone:
        message = f"regions without a rep: {', '.join(lone[:5])}"
        problems.append(Problem("region-without-territory", message, "team", len(lone)))
    return found


def read_counts(
    table: Customers, regions: list[str], of: IntArray, n_territories: Any, balance: Any, problems: list[Problem]
) -> IntArray:
    """Return how many territories each region gets."""
    most = np.bincount(of, minlength=len(regions))
    given = n_territories.values() if isinstance(n_territories, Mapping) else [n_territories]
    nothing = np.ones(len(regions), dtype=np.int64)
    if n_territories is None:
        problems.append(Problem("missing-parameter", "pass reps or n_territories"))
        return nothing
    odd = [k for k in given if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1]
    if odd:
        message = f"n_territories: expected whole numbers of at least 1, not {odd[0]!r}"
        problems.append(Problem("bad-count", message, count=len(odd)))
        return nothing
    if isinstance(n_territories, Mapping):
        strange = [name for name in n_territories if name not in regions]
        lone = [name for name in regions if name not in n_territories]
        if strange:
            shown = ", ".join(map(repr, strange[:5]))
            problems.append(Problem("unknown-region", f"n_territories: no customers in {shown}", count=len(strange)))
        if lone:
            message = f"regions without territories: {', '.join(lone[:5])}"
            problems.append(Problem("region-without-territory", message, "n_territories", len(lone)))
        counts = np.array([int(n_territories.get(name, 1)) for name in regions])
        full = np.flatnonzero(counts > most)
        if len(full):
            shown = ", ".join(f"{regions[r]} ({counts[r]} for {most[r]})" for r in full[:5])
            message = f"more territories than customers: {shown}"
            problems.append(Problem("too-many-territories", message, count=len(full)))
        return counts
    if not len(regions) <= n_territories <= len(table):
        code = "too-few-territories" if n_territories < len(regions) else "too-many-territories"
        message = f"{n_territories} territories for {len(regions)} regions with {len(table)} customers"
        problems.append(Problem(code, message, hint="One a region at least, and one a customer at most."))
        return nothing
    name = next(iter(balance)) if isinstance(balance, Mapping) and balance else default_measure(table)
    try:
        weight = measure_values(table, name)
    except InputError as error:
        problems += error.problems
        return nothing
    return dealt_out(int(n_territories), np.bincount(of, weight, len(regions)).astype(np.float64), most)
