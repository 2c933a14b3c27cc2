"""What the report lists apart: appointments, other single visits, and what has been promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from territory.model.enums import Commitment, VisitKind
from territory.model.zones import local

if TYPE_CHECKING:
    from territory.model.plan import Plan

__all__ = ["single_rows"]

_INTERVAL = "by interval"


class _Line(NamedTuple):
    """A line of the list; what is not planned has no time, and a reason."""

    day: int
    time: int | None
    customer: int
    reps: tuple[int, ...]
    kind: str
    promise: str
    reason: str = ""
    detail: str = ""
    change: str = ""


def single_rows(plan: Plan, first: np.datetime64) -> dict[str, list[Any]] | None:
    """Return single visits, planned or not, and visits by interval that have been promised, by day and time.

    Parameters
    ----------
    plan : Plan
    first : datetime64[D]
        The day from which days are counted.

    Returns
    -------
    dict of columns, or None
        day; time (seconds from midnight on the first rep's clock; None: not planned); customer; reps (of a joint visit
        both); kind and promise, as words; reason, detail and change (the smallest one that would let it in), blank of
        what is planned. None: there is nothing to list. O(s log s) for s such visits.
    """
    lines = sorted([*_planned(plan, first), *_missed(plan, first)], key=lambda x: _order(plan, x))
    if not lines:
        return None
    return {name: [getattr(line, name) for line in lines] for name in _Line._fields}


def _order(plan: Plan, line: _Line) -> tuple[Any, ...]:
    # what is not planned follows what is planned on its day
    return line.day, line.time is None, line.time or 0, str(plan.customers.id[line.customer]), line.kind


def _planned(plan: Plan, first: np.datetime64) -> list[_Line]:
    s = plan.stops
    single = np.full(len(s), -1) if s.visit_idx is None else s.visit_idx
    listed = single >= 0
    if s.commitment is not None:
        listed = listed | (s.commitment >= Commitment.CONFIRMED_WEEK)
    zones = plan.reps.timezone
    wall = local(s.start, None if zones is None else zones[s.rep_idx])
    time_s = (wall - s.day.astype("datetime64[s]")).astype(np.int64)
    day = (s.day - first).astype(np.int64)
    kinds, promises = _kinds(plan), _promises(plan)
    found: dict[tuple[int, int], _Line] = {}
    lines = []
    for i in np.flatnonzero(listed).tolist():
        v, rep = int(single[i]), int(s.rep_idx[i])
        said = promises[v] if s.commitment is None else int(s.commitment[i])
        kind = _INTERVAL if v < 0 else kinds[v]
        line = _Line(int(day[i]), int(time_s[i]), int(s.customer_idx[i]), (rep,), kind, _promise(said))
        if v < 0:
            lines.append(line)
            continue
        # of a joint visit both reps, on one line
        key = (v, line.day)
        known = found.get(key)
        found[key] = line if known is None else known._replace(reps=tuple(sorted({*known.reps, rep})))
    return [*lines, *found.values()]


def _missed(plan: Plan, first: np.datetime64) -> list[_Line]:
    u = plan.unassigned
    if u.visit_idx is None:
        return []
    kinds, promises = _kinds(plan), _promises(plan)
    change = [""] * len(u) if u.change is None else u.change.tolist()
    helps = [False] * len(u) if u.change_code is None else (u.change_code != "").tolist()
    day = (u.due - first).astype(np.int64).tolist()
    return [
        _Line(
            day[i], None, int(u.customer_idx[i]), tuple(r for r in [int(u.rep_idx[i])] if r >= 0), kinds[v],
            _promise(promises[v]), str(u.reason[i]), str(u.detail[i]), str(change[i]) if helps[i] else "",
        )
        for i, v in enumerate(u.visit_idx.tolist())
        if v >= 0
    ]  # fmt: skip


def _kinds(plan: Plan) -> list[str]:
    visits = plan.visits
    if visits is None:
        return []
    kind = np.full(len(visits), VisitKind.APPOINTMENT) if visits.kind is None else visits.kind
    return [VisitKind(k).name.lower().replace("_", "-") for k in kind.tolist()]


def _promises(plan: Plan) -> list[int]:
    return [] if plan.visits is None else plan.visits.commitment_of().tolist()


def _promise(level: int) -> str:
    return Commitment(level).name.lower().replace("_", " ")
