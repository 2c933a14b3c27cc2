"""Two alignments side by side: what each is like, and who moves from whom to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from territory.check.measures import first_measure
from territory.errors import InputError, Problem
from territory.model.arrays import NO_IDX
from territory.model.frames import to_native
from territory.review.facts import measures_of, rep_of_territory, weights
from territory.review.report import alignment_report, alignment_summary

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["Comparison", "compare"]

Match = Literal["id", "overlap", "auto"]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Two alignments side by side.

    Attributes
    ----------
    a, b : Alignment
        Of k_a and k_b territories.
    measure : str
        What moved customers are weighed by: the first measure of `a`.
    partner_idx : int32 array of shape (k_a,)
        The territory of `b` that stands for each of `a`; -1: none, it is gone.
    row_a, row_b : int32 arrays of shape (m,)
        Positions of the customers that both have.
    moved : bool array of shape (m,)
        Whether each of them changed territories.
    only_a, only_b : int32 arrays
        Positions of the customers that only one has.
    """

    a: Alignment
    b: Alignment
    measure: str
    partner_idx: IdxArray
    row_a: IdxArray
    row_b: IdxArray
    moved: Any
    only_a: IdxArray
    only_b: IdxArray

    def summary(self) -> dict[str, dict[str, Any]]:
        """Return line -> ``{"a": ..., "b": ..., "difference": ...}``: all of `Alignment.summary`, and what moved.

        Lines that one alignment does not have are None there; the difference is b - a, of numbers. What moved
        stands under b: ``moved_customers`` and ``moved_share`` of those in both, the same by weight, and
        ``rep_changed_customers``, those with another rep than before.
        """
        first, second = alignment_summary(self.a), alignment_summary(self.b)
        names = dict.fromkeys([*first, *second])
        lines = {name: _line(first.get(name), second.get(name)) for name in names}
        value = weights(self.a)[self.row_a]
        total, away = float(value.sum()), float(value[self.moved].sum())
        count, moved = len(self.moved), int(self.moved.sum())
        reps = [
            np.array([*rep_of_territory(x).tolist(), ""], dtype=object)[x.territory_idx[rows]]
            for x, rows in ((self.a, self.row_a), (self.b, self.row_b))
        ]
        found: dict[str, Any] = {
            "moved_customers": moved,
            "moved_share": moved / max(1, count),
            f"moved_{self.measure}": away,
            f"moved_{self.measure}_share": away / total if total > 0 else 0.0,
            "rep_changed_customers": int((reps[0] != reps[1]).sum()),
            "customers_only_here": len(self.only_b),
        }
        lines |= {name: _line(None, v) for name, v in found.items()}
        lines["customers_only_here"] = _line(len(self.only_a), len(self.only_b))
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return the columns of `to_frame` as arrays."""
        lines = self.summary()
        columns = {name: [line[name] for line in lines.values()] for name in ("a", "b", "difference")}
        number = {name: np.array([_number(v) for v in values]) for name, values in columns.items()}
        return {"line": np.array([*lines, ""], dtype=object)[:-1], **number}

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return `summary` as a table of numbers: line, a, b, difference; NaN where there is none."""
        return to_native(self.to_dict(), backend)

    def territories_dict(self) -> dict[str, Any]:
        """Return the columns of `territories` as arrays."""
        a, b = self.a, self.b
        back = np.full(len(b), NO_IDX, dtype=np.int32)
        back[self.partner_idx[self.partner_idx >= 0]] = np.flatnonzero(self.partner_idx >= 0)
        new = np.flatnonzero(back < 0)
        of_a = np.concatenate([np.arange(len(a)), np.full(len(new), NO_IDX)]).astype(np.int32)
        of_b = np.concatenate([self.partner_idx, new]).astype(np.int32)
        columns: dict[str, Any] = {}
        both = [(a, of_a, alignment_report(a)), (b, of_b, alignment_report(b))]
        for tag, (_, of, report) in zip("ab", both, strict=True):
            for name in ("territory_id", "rep_id"):
                columns[f"{name}_{tag}"] = np.array([*report[name].tolist(), ""], dtype=object)[of]
        shared = [name for name in both[0][2] if name in both[1][2] and name not in ("territory_id", "rep_id")]
        for name in shared:
            pair = [np.append(report[name].astype(np.float64), np.nan)[of] for _, of, report in both]
            columns[f"{name}_a"], columns[f"{name}_b"] = pair
            columns[f"{name}_difference"] = pair[1] - pair[0]
        at_a, at_b = a.territory_idx[self.row_a], b.territory_idx[self.row_b]
        value = weights(a)[self.row_a]
        for name, at, of, k in (("left", at_a, of_a, len(a)), ("joined", at_b, of_b, len(b))):
            which = self.moved & (at >= 0)
            columns[name] = np.append(np.bincount(at[which], minlength=k), 0)[of]
            columns[f"{name}_{self.measure}"] = np.append(np.bincount(at[which], value[which], k), 0.0)[of]
        return columns

    def territories(self, backend: str = "pandas") -> Any:
        """Return a table of the territories of both, partners in one row, what is gone or new in one of its own.

        Every column of `Alignment.report` that both have, with ``_a``, ``_b`` and ``_difference``; ``left`` and
        ``joined``: customers of both alignments that moved away from the one in `a`, and into the one in `b`.
        """
        return to_native(self.territories_dict(), backend)

    def flows_dict(self) -> dict[str, Any]:
        """Return the columns of `flows` as arrays."""
        at_a, at_b = self.a.territory_idx[self.row_a], self.b.territory_idx[self.row_b]
        width = len(self.b) + 1
        key = (at_a.astype(np.int64) + 1) * width + at_b + 1
        pairs, which = np.unique(key, return_inverse=True)
        of_a, of_b = (pairs // width - 1).astype(np.int32), (pairs % width - 1).astype(np.int32)
        columns: dict[str, Any] = {}
        for tag, x, of in (("from", self.a, of_a), ("to", self.b, of_b)):
            columns[f"{tag}_territory_id"] = np.array([*x.territory_id.tolist(), ""], dtype=object)[of]
            columns[f"{tag}_rep_id"] = np.array([*rep_of_territory(x).tolist(), ""], dtype=object)[of]
        columns["customers"] = np.bincount(which, minlength=len(pairs))
        columns[self.measure if self.measure != "count" else "weight"] = np.bincount(
            which, weights(self.a)[self.row_a], len(pairs)
        )
        columns["moved"] = np.append(self.partner_idx, NO_IDX)[of_a] != of_b
        return columns

    def flows(self, backend: str = "pandas") -> Any:
        """Return who moves from whom to whom, a row for each pair of territories that have customers in common.

        Sparse: at most one row a customer, however many territories there are. ``moved`` is False for those who
        stay; a blank id means no territory.
        """
        return to_native(self.flows_dict(), backend)

    def moves(self, backend: str = "pandas") -> Any:
        """Return the customers that moved: customer_id, from and to territory and rep, and the weight."""
        rows = np.flatnonzero(self.moved)
        columns: dict[str, Any] = {"customer_id": self.a.customers.id[self.row_a[rows]].astype(object)}
        for tag, x, at in (("from", self.a, self.row_a), ("to", self.b, self.row_b)):
            of = x.territory_idx[at[rows]]
            columns[f"{tag}_territory_id"] = np.array([*x.territory_id.tolist(), ""], dtype=object)[of]
            columns[f"{tag}_rep_id"] = np.array([*rep_of_territory(x).tolist(), ""], dtype=object)[of]
        columns[self.measure if self.measure != "count" else "weight"] = weights(self.a)[self.row_a[rows]]
        return to_native(columns, backend)

    def __str__(self) -> str:
        keys = ("a", "b", "difference")
        rows = [["", *keys]]
        rows += [[name, *(_shown(line[key]) for key in keys)] for name, line in self.summary().items()]
        width = [max(len(row[j]) for row in rows) for j in range(4)]
        return "\n".join(
            "  ".join([row[0].ljust(width[0]), *(row[j].rjust(width[j]) for j in (1, 2, 3))]).rstrip() for row in rows
        )

    def __repr__(self) -> str:
        moved, m = int(self.moved.sum()), len(self.moved)
        return f"<Comparison: {moved} of {m} customers moved, {len(self.a)} and {len(self.b)} territories>"


def _line(first: Any, second: Any) -> dict[str, Any]:
    numbers = all(isinstance(v, (int, float)) for v in (first, second))
    return {"a": first, "b": second, "difference": second - first if numbers else None}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def compare(a: Alignment, b: Alignment, *, match: Match = "auto") -> Comparison:
    """Put two alignments side by side.

    Parameters
    ----------
    a, b : Alignment
        Before and after, say. Customers are matched by id; each may have some that the other has not.
    match : {"auto", "id", "overlap"}
        Which territory of `b` stands for which of `a`: the one of the same id, or the one that holds most of its
        weight (so matched that most weight stays in all), or by id, and by overlap among those left over.

    Returns
    -------
    Comparison
        ``.to_frame()``: each line of the summary, with the difference; ``.territories()``; ``.flows()``, from whom to
        whom; ``.moves()``, customer by customer; ``str()`` is the first as text.

    Raises
    ------
    InputError
        Another word for `match`.

    Notes
    -----
    O(n log n) for the reports of both, and an assignment problem of the territories that overlap.

    Examples
    --------
    >>> from territory.model import Alignment, Customers
    >>> customers = Customers(id=["a", "b", "c"], lon=[0, 1, 2], lat=[50, 50, 50])
    >>> def of(*ids):
    ...     return Alignment.from_frame({"customer_id": ["a", "b", "c"], "territory_id": ids}, customers=customers)
    >>> compare(of("West", "West", "East"), of("West", "East", "East"))
    <Comparison: 1 of 3 customers moved, 2 and 2 territories>
    """
    if match not in ("auto", "id", "overlap"):
        raise InputError([Problem("unknown-word", f"expected auto, id or overlap, not {match!r}", "match")], "compare")
    row_a, row_b = _common(a, b)
    value = weights(a)[row_a]
    at_a, at_b = a.territory_idx[row_a], b.territory_idx[row_b]
    partner = np.full(len(a), NO_IDX, dtype=np.int32)
    if match != "overlap":
        position = {name: j for j, name in enumerate(b.territory_id.tolist())}
        partner[:] = [position.get(name, NO_IDX) for name in a.territory_id.tolist()]
    if match != "id":
        _by_overlap(partner, at_a, at_b, value, len(b))
    return Comparison(
        a,
        b,
        first_measure(a) if first_measure(a) in measures_of(a) else "count",
        partner,
        row_a,
        row_b,
        np.append(partner, NO_IDX)[at_a] != at_b,
        np.setdiff1d(np.arange(len(a.customers), dtype=np.int32), row_a),
        np.setdiff1d(np.arange(len(b.customers), dtype=np.int32), row_b),
    )


def _common(a: Alignment, b: Alignment) -> tuple[IdxArray, IdxArray]:
    if a.customers is b.customers:
        rows = np.arange(len(a.customers), dtype=np.int32)
        return rows, rows
    position = {name: i for i, name in enumerate(b.customers.id.tolist())}
    found = np.array([position.get(name, NO_IDX) for name in a.customers.id.tolist()], dtype=np.int32)
    rows = np.flatnonzero(found >= 0).astype(np.int32)
    return rows, found[rows]


def _by_overlap(partner: IdxArray, at_a: IdxArray, at_b: IdxArray, value: FloatArray, k_b: int) -> None:
    """Match the territories that have no partner yet, so that most weight stays; those without overlap stay alone."""
    left = np.flatnonzero(partner < 0)
    right = np.setdiff1d(np.arange(k_b), partner)
    if len(left) == 0 or len(right) == 0:
        return
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - slow to load, and many calls need none of it

    both = (at_a >= 0) & (at_b >= 0)
    # customers of no weight still tell which is which
    weight = value[both] + 1e-9 * max(float(value.sum()), 1.0) / max(len(value), 1)
    row = np.append(np.full(len(partner), NO_IDX), NO_IDX)
    row[left] = np.arange(len(left))
    column = np.full(k_b, NO_IDX)
    column[right] = np.arange(len(right))
    i, j = row[at_a[both]], column[at_b[both]]
    known = (i >= 0) & (j >= 0)
    overlap = np.zeros((len(left), len(right)))
    np.add.at(overlap, (i[known], j[known]), weight[known])
    for x, y in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
        if overlap[x, y] > 0:
            partner[left[x]] = right[y]
