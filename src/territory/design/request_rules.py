"""What was asked of single customers, read and checked: groups, accounts given away by name, reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import MAX_ROWS_LISTED, Problem
from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX
from territory.model.eligibility import eligibility
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
_FARTHEST_KM: Final = 20_100.0
#: Pairs of customers who are apart, at most: those of one group of 5,000. More is a column that says something else.
_MOST_PAIRS: Final = 5_000 * 4_999 // 2


@dataclass(frozen=True, eq=False)
class Particulars:
    """What was asked of single customers, by their positions in the table.

    Attributes
    ----------
    together : int32 array of shape (n,), or None
        Group of each customer, numbered by their first members; -1: none.
    apart : int32 array of shape (p, 2)
        Pairs, each once.
    rivals : tuple of int32 arrays
        The groups of customers who must all be apart, of two or more.
    overrides : int32 array of shape (n,)
        Position of the rep to whom a customer was given by name; -1: to none.
    reach_m : float array of shape (number of reps, or 1), or None
    """

    together: IdxArray | None
    apart: IdxArray
    rivals: tuple[IdxArray, ...]
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
    pairs = _pairs(parted, len(customers), problems)
    if group is not None:
        both = pairs[(group[pairs[:, 0]] >= 0) & (group[pairs[:, 0]] == group[pairs[:, 1]])]
        if len(both):
            rows = tuple(int(i) for i in both[:MAX_ROWS_LISTED, 0])
            names = " and ".join(repr(i) for i in customers.id[both[0]].tolist())
            message = f"apart: customers who must be together, too: {names}"
            problems.append(Problem("groups-conflict", message, "id", len(both), rows))
    given = _overrides(customers, reps, overrides, problems, one_each=one_each)
    if reps is not None and one_each and len(pairs) and not problems:
        problems += _tied_to_one(customers, reps, group, pairs, given)
    return Particulars(
        together=group,
        apart=pairs,
        rivals=tuple(np.array(rows, dtype=np.int32) for rows in parted),
        overrides=given,
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
            if not _is_blank(label):
                found.setdefault(str(label), []).append(i)
        strange = [label for _, label in labels if not _is_label(label)]
        if strange:
            message = f"{name}: expected a label for each customer, not {strange[0]!r}"
            problems.append(Problem("bad-groups", message, count=len(strange)))
            return []
        return [rows for rows in found.values() if len(rows) > 1]
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        problems.append(Problem("bad-groups", f"{name}: expected groups of customer ids, not {given!r}"))
        return []
    groups, unknown = [], []
    position = {i: row for row, i in enumerate(customers.id.tolist())}
    for group in given:
        listed = isinstance(group, Iterable) and not isinstance(group, (str, bytes))
        members = list(group) if listed else []
        if not listed or not all(map(_is_label, members)):
            message = f"{name}: expected groups of ids such as [['a', 'b'], ...], or a label for each customer"
            problems.append(Problem("bad-groups", f"{message}, not {group!r}"))
            return []
        members = list(dict.fromkeys(members))
        unknown += [i for i in members if i not in position]
        groups.append([position[i] for i in members if i in position])
    _unknown(name, unknown, problems)
    return [rows for rows in groups if len(rows) > 1]


def _is_blank(cell: Any) -> bool:
    """Tell whether a cell of a label column says nothing: None, NaN, pandas' NA, or blanks."""
    if cell is None:
        return True
    try:
        return bool(cell != cell) or not str(cell).strip()  # noqa: PLR0124 - NaN
    except TypeError:  # NA is neither equal nor not
        return True
    except ValueError:  # an array is no cell
        return False


def _is_label(cell: Any) -> bool:
    return _is_blank(cell) or isinstance(cell, (str, Real, np.generic))


def _is_series(given: Any) -> bool:
    """Tell whether something is a column with names for its rows, as pandas has them."""
    return not isinstance(given, Mapping) and hasattr(given, "items") and getattr(given, "ndim", 0) == 1


def _by_id(name: str, given: Any, problems: list[Problem]) -> Any:
    """Return a column with names for its rows as a mapping of them to what is not blank, anything else as it is."""
    if not _is_series(given):
        return given
    out: dict[Any, Any] = {}
    twice = []
    for key, value in given.items():
        if _is_blank(value):
            continue
        if key in out:
            twice.append(key)
        out[key] = value
    if twice:
        shown = ", ".join(repr(i) for i in twice[:5])
        problems.append(Problem("duplicate-id", f"{name}: stands more than once: {shown}", "id", len(twice)))
    return out


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
    if _is_series(given):
        rows, names = list(given.items()), set(customers.id.tolist())
        if rows and len({i for i, _ in rows}) == len(rows) and all(i in names for i, _ in rows):
            # rows that are named by customers need not be in their order
            return _labels(dict(rows), customers)
        cells = [cell for _, cell in rows]
    else:
        cells = list(given)
    return list(enumerate(cells)) if len(cells) == len(customers) and all(map(_is_label, cells)) else None


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


def _pairs(groups: list[list[int]], n: int, problems: list[Problem]) -> IdxArray:
    """Return the pairs of all groups, each once, int32 of shape (p, 2)."""
    many = sum(len(rows) * (len(rows) - 1) // 2 for rows in groups)
    if many > _MOST_PAIRS:
        most = max(len(rows) for rows in groups)
        message = f"apart: {many:,} pairs, and {most:,} customers in one group; there may be {_MOST_PAIRS:,} pairs"
        hint = "Maybe a column of labels that many customers share?"
        problems.append(Problem("bad-groups", message, count=most, hint=hint))
        return np.empty((0, 2), dtype=np.int32)
    keys = [np.empty(0, dtype=np.int64)]
    for rows in groups:
        member = np.sort(np.asarray(rows, dtype=np.int64))
        first, second = np.triu_indices(len(member), 1)
        keys.append(member[first] * n + member[second])
    key = np.unique(np.concatenate(keys))
    return np.stack([key // max(n, 1), key % max(n, 1)], axis=1).astype(np.int32)


def _tied_to_one(
    customers: Customers, reps: Reps, group: IdxArray | None, pairs: IdxArray, overrides: IdxArray
) -> list[Problem]:
    """Return pairs who must be apart, but whom only one rep may serve, the same for both."""
    concerned = np.zeros(len(customers), dtype=bool)
    concerned[pairs] = True
    if group is not None:
        concerned |= (group >= 0) & np.isin(group, group[concerned])
    rows = np.flatnonzero(concerned)
    allowed = overridden(eligibility(customers.take(rows), reps), overrides[rows], len(reps))
    if allowed is None:
        return []
    allowed = in_common(allowed, None if group is None else group[rows])
    only = np.where(allowed.sum(axis=1) == 1, allowed.argmax(axis=1), NO_IDX)
    of = only[np.searchsorted(rows, pairs)]
    bad = np.flatnonzero((of[:, 0] >= 0) & (of[:, 0] == of[:, 1]))
    if not bad.size:
        return []
    names = " and ".join(repr(i) for i in customers.id[pairs[bad[0]]].tolist())
    message = f"apart: customers whom only {reps.id[of[bad[0], 0]]} may serve, by lock, name, skill or group: {names}"
    listed = tuple(int(i) for i in pairs[bad[:MAX_ROWS_LISTED], 0])
    return [Problem("groups-conflict", message, "id", int(bad.size), listed)]


def _overrides(
    customers: Customers, reps: Reps | None, given: Any, problems: list[Problem], *, one_each: bool
) -> IdxArray:
    out = np.full(len(customers), NO_IDX, dtype=np.int32)
    if given is None:
        return out
    given = _by_id("overrides", given, problems)
    if not isinstance(given, Mapping):
        problems.append(Problem("bad-overrides", f"overrides: expected customer id to rep id, not {given!r}"))
        return out
    if given and (reps is None or not one_each):
        problems.append(Problem("missing-reps", "overrides need reps, one a territory"))
        return out
    rep_at = {} if reps is None else {i: j for j, i in enumerate(reps.id.tolist())}
    customer_at = {i: row for row, i in enumerate(customers.id.tolist())}
    for what, known, names in (("customer", customer_at, given), ("rep", rep_at, given.values())):
        strange = list(dict.fromkeys(repr(i) for i in names if not (isinstance(i, str) and i in known)))
        if strange:
            shown = ", ".join(strange[:5])
            problems.append(Problem("unknown-id", f"overrides: no such {what}: {shown}", "id", len(strange)))
    for customer, rep in given.items():
        if customer in customer_at and isinstance(rep, str) and rep in rep_at:
            out[customer_at[customer]] = rep_at[rep]
    return out


def _reach(reps: Reps | None, given: Any, problems: list[Problem]) -> FloatArray | None:
    if given is None:
        return None
    ids: Sequence[str] = [""] if reps is None else reps.id.tolist()
    given = _by_id("reach_km", given, problems)
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
        values = [given]
    bad = [v for v in values if not (is_number(v) and v > 0)]
    if bad:
        problems.append(Problem("bad-reach", f"reach_km: expected kilometres above 0, not {bad[0]!r}", count=len(bad)))
        return None
    return np.minimum(np.resize(np.array(values, dtype=np.float64), len(ids)), _FARTHEST_KM) * 1000.0


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
