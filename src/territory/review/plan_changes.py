"""What has changed from one plan to another: which visits were added, dropped, moved, or went to another rep."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from territory.errors import InputError, Problem
from territory.model.enums import Commitment
from territory.model.frames import to_native
from territory.model.late import late
from territory.model.zones import local
from territory.review.pairing import pair_visits

if TYPE_CHECKING:
    from territory.model.arrays import DayArray, InstantArray, IntArray
    from territory.model.plan import Plan

__all__ = ["ChangesBy", "PlanChanges", "plan_changes"]

#: What a row of a table stands for.
ChangesBy = Literal["visit", "rep", "day"]

#: What can happen to a visit; of several things, the first in this order is told.
_WHAT: Final = ("added", "dropped", "other-rep", "other-day", "other-time", "kept")
_BLANK_DAY: Final = np.datetime64("NaT", "D")
_BLANK_TIME: Final = np.datetime64("NaT", "s")


@dataclass(frozen=True, eq=False, repr=False)
class PlanChanges:
    """How a plan differs from an earlier one, on the days that both cover.

    Attributes
    ----------
    before, after : Plan
    days : datetime64[D] array
        The days that both horizons have.
    row_before, row_after : int64 arrays of shape (m,)
        Rows of the same visit in the stops of each plan, -1: not there; by day, rep and time.
    what : text array of shape (m,)
        "kept", "added", "dropped", "other-rep" (maybe on another day, too), "other-day", or "other-time" on its day.
    """

    before: Plan
    after: Plan
    days: DayArray
    row_before: IntArray
    row_after: IntArray
    what: Any

    def __len__(self) -> int:
        return int((self.what != "kept").sum())

    def summary(self) -> dict[str, Any]:
        """Return the counts: visits before and after on the days that both have, kept, and changed in which way.

        ``kept_share`` is of the visits before. Where the earlier plan says how firmly visits were promised, there are
        ``changed_...`` lines, of each firmness that it knows. ``outside_before`` and ``outside_after`` are visits on
        days that only one plan has.
        """
        found = Counter(self.what.tolist())
        there = [int((rows >= 0).sum()) for rows in (self.row_before, self.row_after)]
        out: dict[str, Any] = {
            "first_day": str(self.days[0]),
            "last_day": str(self.days[-1]),
            "visits_before": there[0],
            "visits_after": there[1],
            "kept": found["kept"],
            "kept_share": found["kept"] / there[0] if there[0] else None,
            "changed": len(self),
            **{word.replace("-", "_"): found[word] for word in _WHAT[:-1]},
        }
        if self.before.stops.commitment is not None:
            level = self.before.stops.commitment[self.row_before[(self.what != "kept") & (self.row_before >= 0)]]
            for word in sorted(set(self.before.stops.commitment.tolist())):
                out[f"changed_{Commitment(word).name.lower()}"] = int((level == word).sum())
        out["outside_before"] = len(self.before.stops) - there[0]
        out["outside_after"] = len(self.after.stops) - there[1]
        return out

    def to_dict(self, *, by: ChangesBy = "visit") -> dict[str, Any]:
        """Return the columns of a table as arrays; see `to_frame`."""
        if by not in get_args(ChangesBy):
            raise InputError(
                [Problem("unknown-word", f"expected one of {', '.join(get_args(ChangesBy))}, not {by!r}", "by")],
                "changes",
            )
        return {"visit": self._visits, "rep": self._by_rep, "day": self._by_day}[by]()

    def to_frame(self, backend: str = "pandas", *, by: ChangesBy = "visit") -> Any:
        """Return a table as a dataframe.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}
        by : {"visit", "rep", "day"}
            "visit": one row a visit that differs: customer_id, what happened, rep, day and start (on the rep's wall
            clock) before and after, blank where it is not there; moved_days and moved_min (of the time of day); the
            reason why a dropped one is not planned, if one is due; where there are any, visit_id, and commitment
            before and after.
            "rep": visits before and after, kept, other_time, other_day, gave and took (to and from other reps),
            dropped, added. "day": the same, with moved_away and moved_here, and other_rep of those on their day.

        Raises
        ------
        InputError
            Another word for `by`, or an unknown backend.
        """
        return to_native(self.to_dict(by=by), backend)

    # -- tables ----------------------------------------------------------------------------

    def _day(self, plan: Plan, rows: IntArray) -> DayArray:
        return np.append(plan.stops.day, _BLANK_DAY)[rows]

    def _rep(self, plan: Plan, rows: IntArray) -> Any:
        rep = np.array([*plan.reps.id.tolist(), ""], dtype=object)
        return rep[np.append(plan.stops.rep_idx, -1)[rows]]

    def _start(self, plan: Plan, rows: IntArray) -> InstantArray:
        s, zones = plan.stops, plan.reps.timezone
        clock = local(s.start, None if zones is None else zones[s.rep_idx])
        return np.append(clock, _BLANK_TIME)[rows]

    def _visits(self) -> dict[str, Any]:
        at = np.flatnonzero(self.what != "kept")
        a, b = self.row_before[at], self.row_after[at]
        sides = (("before", self.before, a), ("after", self.after, b))
        who = [_ids(plan.customers.id, plan.stops.customer_idx, rows) for _, plan, rows in sides]
        columns: dict[str, Any] = {"customer_id": np.where(b >= 0, who[1], who[0])}
        if any(plan.visits is not None for _, plan, _ in sides):
            names = [_visit_ids(plan, rows) for _, plan, rows in sides]
            columns["visit_id"] = np.where(names[1] != "", names[1], names[0])
        columns["what"] = self.what[at]
        for name, read in (("rep_id", self._rep), ("day", self._day), ("start", self._start)):
            for tag, plan, rows in sides:
                columns[f"{name}_{tag}"] = read(plan, rows)
        both = (a >= 0) & (b >= 0)
        day = [columns[f"day_{tag}"].astype(np.int64) for tag in ("before", "after")]
        clock = [columns[f"start_{tag}"].astype(np.int64) for tag in ("before", "after")]
        off = np.where(both, day[1] - day[0], 0)
        columns["moved_days"] = np.where(both, off, np.nan)
        columns["moved_min"] = np.where(both, np.where(both, clock[1] - clock[0], 0) / 60 - off * 1440, np.nan)
        columns["reason"] = self._reasons(a, b)
        if any(plan.stops.commitment is not None for _, plan, _ in sides):
            for tag, plan, rows in sides:
                columns[f"commitment_{tag}"] = _words(plan, rows)
        return columns

    def _reasons(self, a: IntArray, b: IntArray) -> Any:
        """Return why dropped visits are not planned: the reason of the customer's visit that is due next to them."""
        u, s = self.after.unassigned, self.before.stops
        due: dict[str, list[tuple[int, str]]] = {}
        ids = self.after.customers.id[u.customer_idx].tolist()
        for who, day, reason in zip(ids, u.due.astype(np.int64).tolist(), u.reason.tolist(), strict=True):
            due.setdefault(who, []).append((day, reason))
        out = np.full(len(a), "", dtype=object)
        names = self.before.customers.id
        for i in np.flatnonzero(b < 0).tolist():
            day = int(s.day[a[i]].astype(np.int64))
            near = due.get(str(names[s.customer_idx[a[i]]]), [])
            out[i] = min(((abs(d - day), d, reason) for d, reason in near), default=(0, 0, ""))[2]
        return out

    def _by_rep(self) -> dict[str, Any]:
        ids = list(dict.fromkeys([*self.after.reps.id.tolist(), *self.before.reps.id.tolist()]))
        number = {name: j for j, name in enumerate([*ids, ""])}
        old, new = (
            np.array([number[name] for name in self._rep(plan, rows).tolist()], dtype=np.int64)
            for plan, rows in ((self.before, self.row_before), (self.after, self.row_after))
        )
        k, what = len(ids), self.what
        columns = _both_sides(old, new, k)
        columns |= {name: np.bincount(new[what == word], minlength=k) for name, word in _STAYED["rep"]}
        columns["gave"] = np.bincount(old[what == "other-rep"], minlength=k)
        columns["took"] = np.bincount(new[what == "other-rep"], minlength=k)
        return {"rep_id": np.array([*ids, ""], dtype=object)[:-1], **columns, **_ends(old, new, what, k)}

    def _by_day(self) -> dict[str, Any]:
        k, what = len(self.days), self.what
        none = self.days[0] + k
        old, new = (
            (np.where(np.isnat(day), none, day) - self.days[0]).astype(np.int64)
            for day in (self._day(self.before, self.row_before), self._day(self.after, self.row_after))
        )
        columns = _both_sides(old, new, k)
        columns |= {name: np.bincount(new[(what == word) & (old == new)], minlength=k) for name, word in _STAYED["day"]}
        moved = (old != new) & (old < k) & (new < k)
        columns["moved_away"] = np.bincount(old[moved], minlength=k)
        columns["moved_here"] = np.bincount(new[moved], minlength=k)
        return {"day": self.days, **columns, **_ends(old, new, what, k)}

    # -- people ----------------------------------------------------------------------------

    def __str__(self) -> str:
        lines = {name: "" if value is None else _shown(value) for name, value in self.summary().items()}
        width = [max(map(len, part)) for part in (lines, lines.values())]
        return "\n".join(f"{name.ljust(width[0])}  {value.rjust(width[1])}".rstrip() for name, value in lines.items())

    def __repr__(self) -> str:
        s = self.summary()
        told = [f"{s[w.replace('-', '_')]} {w.replace('-', ' ')}" for w in _WHAT[:-1] if s[w.replace("-", "_")]]
        changed = ", ".join(told) or "nothing changed"
        return f"<PlanChanges: {s['kept']} of {s['visits_before']} visits kept, {changed}>"

    def _repr_html_(self) -> str:
        return str(late("maps", "plan_changes_html", self))


#: Columns of visits that stayed with the rep, or on the day: the name and the word of each.
_STAYED: Final = {
    "rep": (("kept", "kept"), ("other_time", "other-time"), ("other_day", "other-day")),
    "day": (("kept", "kept"), ("other_time", "other-time"), ("other_rep", "other-rep")),
}


def _both_sides(old: IntArray, new: IntArray, k: int) -> dict[str, IntArray]:
    """Count visits before and after by group; k stands for none."""
    return {f"visits_{tag}": np.bincount(of[of < k], minlength=k) for tag, of in (("before", old), ("after", new))}


def _ends(old: IntArray, new: IntArray, what: Any, k: int) -> dict[str, IntArray]:
    return {
        "dropped": np.bincount(old[what == "dropped"], minlength=k),
        "added": np.bincount(new[what == "added"], minlength=k),
    }


def _ids(ids: Any, idx: Any, rows: IntArray) -> Any:
    """Return ids of rows as objects; blank for row -1."""
    names = np.array([*ids.tolist(), ""], dtype=object)
    return names[np.append(idx, -1)[rows]]


def _visit_ids(plan: Plan, rows: IntArray) -> Any:
    """Return the id of the single visit that each row makes; blank: none, it is one by interval."""
    if plan.visits is None or plan.stops.visit_idx is None:
        return np.full(len(rows), "", dtype=object)
    return _ids(plan.visits.id, plan.stops.visit_idx, rows)


def _words(plan: Plan, rows: IntArray) -> Any:
    """Return how firmly visits are promised, in words; blank where nobody says."""
    words = np.array([*(level.name.lower() for level in Commitment), ""], dtype=object)
    level = plan.stops.commitment
    if level is None:
        return np.full(len(rows), "", dtype=object)
    return words[np.append(level.astype(np.int64), -1)[rows]]


def _shown(value: Any) -> str:
    return f"{value:.1%}" if isinstance(value, float) else str(value)


def plan_changes(before: Plan, after: Plan, *, within_s: int = 0) -> PlanChanges:
    """Tell what has changed from one plan to another, on the days that both horizons have.

    Parameters
    ----------
    before, after : Plan
        Customers, reps and single visits are matched by their ids; each plan may have some that the other has not.
    within_s : int, >= 0
        Visits on their day by their rep are kept if their start moves by no more than this, seconds.

    Returns
    -------
    PlanChanges
        ``.to_frame()``: a row a visit that differs; ``.to_frame(by="rep")``, ``by="day"``; ``.summary()``.

    Raises
    ------
    InputError
        The horizons have no day in common, or `within_s` is no whole number >= 0.

    Notes
    -----
    Visits of a customer are paired in the order of their days, as many as there are on both sides, so that the days
    moved add up to the least; see `territory.review.pairing.pair_visits`. O(m log m), and v**2 for v visits of a
    customer that differ. A visit that moves to a day which only one plan has counts as dropped, or added.
    """
    problems = []
    if isinstance(within_s, bool) or not isinstance(within_s, (int, np.integer)) or within_s < 0:
        problems.append(Problem("bad-within", f"within_s: expected whole seconds >= 0, not {within_s!r}", "within_s"))
    first = max(before.settings.start, after.settings.start)
    until = min(before.settings.end, after.settings.end)
    if first >= until:
        message = (
            f"{before.settings.start} to {before.settings.end - 1} and "
            f"{after.settings.start} to {after.settings.end - 1} have no day in common"
        )
        problems.append(Problem("no-common-days", message))
    if problems:
        raise InputError(problems, "changes")
    a, b = pair_visits(before, after, first, until)
    old, new = before.stops, after.stops
    both = np.flatnonzero((a >= 0) & (b >= 0))
    reps = [_ids(plan.reps.id, plan.stops.rep_idx, rows[both]) for plan, rows in ((before, a), (after, b))]
    shift = np.abs((new.start[b[both]] - old.start[a[both]]).astype(np.int64))
    what = np.where(a < 0, "added", "dropped").astype(object)
    what[both] = np.select(
        [reps[0] != reps[1], old.day[a[both]] != new.day[b[both]], shift > within_s],
        [np.array(word, dtype=object) for word in _WHAT[2:5]],
        np.array(_WHAT[5], dtype=object),
    )
    order = _order(before, after, a, b)
    days = first + np.arange((until - first).astype(np.int64)).astype("timedelta64[D]")
    return PlanChanges(before, after, days, a[order], b[order], what[order])


def _order(before: Plan, after: Plan, a: IntArray, b: IntArray) -> IntArray:
    """Sort pairs by day, rep and time, of the earlier plan where the visit is in it; ties by customer id."""
    columns = []
    for read in ("day", "start"):
        old, new = (np.append(getattr(plan.stops, read).astype(np.int64), 0) for plan in (before, after))
        columns.append(np.where(a >= 0, old[a], new[b]))
    for table, idx in (("reps", "rep_idx"), ("customers", "customer_idx")):
        old, new = (
            _ids(getattr(plan, table).id, getattr(plan.stops, idx), rows) for plan, rows in ((before, a), (after, b))
        )
        _, rank = np.unique(np.where(a >= 0, old, new), return_inverse=True)
        columns.append(rank)
    day, start, rep, customer = columns
    return np.lexsort((b, a, customer, start, rep, day))
