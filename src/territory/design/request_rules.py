"""What was asked of single customers, read and checked: groups, accounts given away by name, reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import MAX_ROWS_LISTED, Problem
from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX
from territory.units import is_number

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, FloatArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = [
    "Particulars",
    "group_problems",
    "in_common",
    "overridden",
    "override_problems",
    "reached",
    "read_particulars",
]

#: Two customers at the ends of the Earth are nearer than this.
_FARTHEST_KM = 20_100.0


@dataclass(frozen=True, eq=False)
class Particulars:
    """What was asked of single customers, by their positions in the table.

    Attributes
    ----------
    together : int32 array of shape (n,), or None
        Group of each customer, numbered by their first members; -1: none.
    apart : int32 array of shape (p, 2)
        Pairs, each once.
    most_apart : int
        Size of the largest group of customers who must all be apart.
    overrides : int32 array of shape (n,)
        Position of the rep to whom a customer was given by name; -1: to none.
    reach_m : float array of shape (number of reps, or 1), or None
    """

    together: IdxArray | None
    apart: IdxArray
    most_apart: int
    overrides: IdxArray
    reach_m: FloatArray | None


def read_particulars(
    customers: Customers,
    reps: Reps | None,
    together: Any,
    apart: Any,
    overrides: Any,
    reach_km: Any,
    problems: list[Problem],
    *,
    one_each: bool,
) -> Particulars:
    """Return what was asked; what is wrong goes to `problems`."""
    joined = _groups("together", together, customers, problems)
    parted = _groups("apart", apart, customers, problems)
    group = _joined(joined, len(customers))
    pairs = _pairs(parted)
    if group is not None:
        both = pairs[(group[pairs[:, 0]] >= 0) & (group[pairs[:, 0]] == group[pairs[:, 1]])]
        if len(both):
            rows = tuple(int(i) for i in both[:MAX_ROWS_LISTED, 0])
            names = " and ".join(repr(i) for i in customers.id[both[0]].tolist())
            message = f"apart: customers who must be together, too: {names}"
            problems.append(Problem("groups-conflict", message, "id", len(both), rows))
    return Particulars(
        together=group,
        apart=pairs,
        most_apart=max((len(rows) for rows in parted), default=0),
        overrides=_overrides(customers, reps, overrides, problems, one_each=one_each),
        reach_m=_reach(reps if one_each else None, reach_km, problems),
    )


def _groups(name: str, given: Any, customers: Customers, problems: list[Problem]) -> list[list[int]]:
    """Return the members of each group of two or more, from groups of ids or from a label a customer."""
    if given is None:
        return []
    if isinstance(given, Mapping):
        known = set(customers.id.tolist())
        _unknown(name, [i for i in given if i not in known], problems)
    labels = _labels(given, customers)
    if labels is not None:
        found: dict[str, list[int]] = {}
        for i, label in labels:
            if label is not None and label == label and str(label).strip():  # noqa: PLR0124 - NaN is a blank cell
                found.setdefault(str(label), []).append(i)
        return [rows for rows in found.values() if len(rows) > 1]
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        problems.append(Problem("bad-groups", f"{name}: expected groups of customer ids, not {given!r}"))
        return []
    groups, unknown = [], []
    position = {i: row for row, i in enumerate(customers.id.tolist())}
    for group in given:
        if isinstance(group, (str, bytes)) or not isinstance(group, Iterable):
            message = f"{name}: expected groups of ids such as [['a', 'b'], ...], or a label for each customer"
            problems.append(Problem("bad-groups", f"{message}, not {group!r}"))
            return []
        members = list(dict.fromkeys(group))
        unknown += [i for i in members if i not in position]
        groups.append([position[i] for i in members if i in position])
    _unknown(name, unknown, problems)
    return [rows for rows in groups if len(rows) > 1]


def _unknown(name: str, ids: list[Any], problems: list[Problem]) -> None:
    if ids:
        shown = ", ".join(repr(i) for i in ids[:5])
        problems.append(Problem("unknown-id", f"{name}: no such customer: {shown}", "id", len(ids)))


def _labels(given: Any, customers: Customers) -> list[tuple[int, Any]] | None:
    """Return the position and label of each customer, where labels were given."""
    if isinstance(given, Mapping):
        position = {i: row for row, i in enumerate(customers.id.tolist())}
        return [(position[i], label) for i, label in given.items() if i in position]
    if isinstance(given, (str, bytes)) or not hasattr(given, "__len__") or not hasattr(given, "__iter__"):
        return None
    cells = list(given)
    plain = all(isinstance(c, (str, int, np.integer)) or c is None or c != c for c in cells)  # noqa: PLR0124
    return list(enumerate(cells)) if plain and len(cells) == len(customers) else None


def _joined(groups: list[list[int]], n: int) -> IdxArray | None:
    """Return the group of each customer; groups with a common member are one."""
    if not groups:
        return None
    from scipy.sparse import coo_array  # noqa: PLC0415 - only where there are groups
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    pairs = np.array([(rows[0], i) for rows in groups for i in rows[1:]], dtype=np.int64)
    _, part = connected_components(coo_array((np.ones(len(pairs)), pairs.T), shape=(n, n)), directed=False)
    member = np.unique(pairs)
    out = np.full(n, NO_IDX, dtype=np.int32)
    _, first, number = np.unique(part[member], return_index=True, return_inverse=True)
    out[member] = first.argsort().argsort()[number]
    return out


def _pairs(groups: list[list[int]]) -> IdxArray:
    found = [np.sort(np.asarray(rows)[np.stack(np.triu_indices(len(rows), 1), axis=1)], axis=1) for rows in groups]
    return np.unique(np.concatenate([np.empty((0, 2), dtype=np.int64), *found]), axis=0).astype(np.int32)


def _overrides(
    customers: Customers, reps: Reps | None, given: Any, problems: list[Problem], *, one_each: bool
) -> IdxArray:
    out = np.full(len(customers), NO_IDX, dtype=np.int32)
    if given is None:
        return out
    if not isinstance(given, Mapping):
        problems.append(Problem("bad-overrides", f"overrides: expected customer id to rep id, not {given!r}"))
        return out
    if given and (reps is None or not one_each):
        problems.append(Problem("missing-reps", "overrides need reps, one a territory"))
        return out
    rep_at = {} if reps is None else {i: j for j, i in enumerate(reps.id.tolist())}
    customer_at = {i: row for row, i in enumerate(customers.id.tolist())}
    for what, known, names in (
        ("customer", customer_at, list(given)),
        ("rep", rep_at, list(dict.fromkeys(given.values()))),
    ):
        strange = [i for i in names if i not in known]
        if strange:
            shown = ", ".join(repr(i) for i in strange[:5])
            problems.append(Problem("unknown-id", f"overrides: no such {what}: {shown}", "id", len(strange)))
    for customer, rep in given.items():
        if customer in customer_at and rep in rep_at:
            out[customer_at[customer]] = rep_at[rep]
    return out


def _reach(reps: Reps | None, given: Any, problems: list[Problem]) -> FloatArray | None:
    if given is None:
        return None
    ids: Sequence[str] = [""] if reps is None else reps.id.tolist()
    if isinstance(given, Mapping):
        if reps is None:
            problems.append(Problem("missing-reps", "reach_km by rep needs reps, one a territory"))
            return None
        strange = [i for i in given if i not in set(ids)]
        if strange:
            shown = ", ".join(repr(i) for i in strange[:5])
            problems.append(Problem("unknown-id", f"reach_km: no such rep: {shown}", "id", len(strange)))
        values = [given.get(i, _FARTHEST_KM) for i in ids]
    else:
        values = [given] * len(ids)
    bad = [v for v in values if not (is_number(v) and v > 0)]
    if bad:
        problems.append(Problem("bad-reach", f"reach_km: expected kilometres above 0, not {bad[0]!r}", count=len(bad)))
        return None
    return np.minimum(np.array(values, dtype=np.float64), _FARTHEST_KM) * 1000.0


def _within_reach(customers: Customers, reps: Reps, reach_m: FloatArray) -> BoolArray:
    """Return who is within whose reach, bool of shape (n, number of reps). O(n r)."""
    out = np.empty((len(customers), len(reps)), dtype=bool)
    for j in range(len(reps)):
        away = great_circle_m(customers.lon, customers.lat, reps.lon[j], reps.lat[j])
        out[:, j] = away <= reach_m[j] * (1.0 + 1e-12)
    return out


def override_problems(
    customers: Customers, reps: Reps, allowed: BoolArray | None, overrides: IdxArray
) -> list[Problem]:
    """Return what keeps customers from the reps that they were given to: locks, skills, forbidden reps."""
    rows = np.flatnonzero(overrides >= 0)
    if allowed is None or not rows.size:
        return []
    bad = rows[~allowed[rows, overrides[rows]]]
    if not bad.size:
        return []
    names = ", ".join(f"{customers.id[i]} to {reps.id[overrides[i]]}" for i in bad[:5])
    message = f"overrides against a lock, a missing skill or a forbidden rep: {names}"
    return [Problem("override-conflict", message, "id", int(bad.size), tuple(int(i) for i in bad[:MAX_ROWS_LISTED]))]


def group_problems(customers: Customers, allowed: BoolArray | None, together: IdxArray | None) -> list[Problem]:
    """Return groups whose members have no rep in common."""
    if allowed is None or together is None:
        return []
    rows = np.flatnonzero(together >= 0)
    common = np.ones((int(together.max()) + 1, allowed.shape[1]), dtype=bool)
    np.logical_and.at(common, together[rows], allowed[rows])
    lost = np.flatnonzero(~common.any(axis=1))
    if not lost.size:
        return []
    first = rows[np.isin(together[rows], lost)]
    names = ", ".join(customers.id[first[:5]].tolist())
    message = f"together: no rep may serve all of a group: {names}"
    listed = tuple(int(i) for i in first[:MAX_ROWS_LISTED])
    return [Problem("groups-conflict", message, "id", int(lost.size), listed)]


def overridden(allowed: BoolArray | None, overrides: IdxArray, n_reps: int | None) -> BoolArray | None:
    """Return who may serve whom, where some were given away by name."""
    rows = np.flatnonzero(overrides >= 0)
    if not rows.size or n_reps is None:
        return allowed
    out = np.ones((len(overrides), n_reps), dtype=bool) if allowed is None else allowed.copy()
    out[rows] &= overrides[rows, None] == np.arange(n_reps)
    return out


def in_common(served: BoolArray, together: IdxArray | None) -> BoolArray:
    """Return who may serve whom, if groups are served by one who may serve all of them."""
    if together is None:
        return served
    out, rows = served.copy(), np.flatnonzero(together >= 0)
    common = np.ones((int(together.max(initial=-1)) + 1, served.shape[1]), dtype=bool)
    np.logical_and.at(common, together[rows], served[rows])
    out[rows] = common[together[rows]]
    return out


def reached(
    customers: Customers, reps: Reps, order: IdxArray, allowed: BoolArray | None, special: Particulars
) -> BoolArray:
    """Return who may serve whom within reach, reps in the problem's order; locks and names reach any distance."""
    near = _within_reach(customers, reps, special.reach_m)[:, order]  # type: ignore[arg-type]
    exempt = special.overrides >= 0
    if customers.locked is not None:
        exempt = exempt | customers.locked
    if special.together is not None:
        # whoever must be with one of them goes where he goes
        exempt = exempt | ((special.together >= 0) & np.isin(special.together, special.together[exempt]))
    near |= exempt[:, None]
    return near if allowed is None else near & allowed
