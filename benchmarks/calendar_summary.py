"""Random team-months in one table: a row for each band of load."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = dict[str, Any]

__all__ = ["banded"]

#: Where bands of load end.
_BANDS: Final = (0.7, 0.85, 1.0, 1.2, float("inf"))
_SUMS: Final = ("cpu_s", "wall_s", "visits", "outside", "missed", "impossible", "drive_s", "violations")


def banded(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with those of random teams as one for each band of load, and one for all of them."""
    teams = [r for r in rows if r["instance"].startswith("team-")]
    out = [r for r in rows if not r["instance"].startswith("team-")]
    # a plan that was refused has no load, and stands with all only
    known = [r for r in teams if r.get("load") is not None]
    low = 0.0
    for high in _BANDS:
        some = [r for r in known if low <= r["load"] < high]
        if some:
            name = f"load {low:.0%} to {high:.0%}" if high < _BANDS[-1] else f"load above {low:.0%}"
            out.append(_joined(name, some))
        low = high
    return [*out, _joined("all", teams)] if teams else out


def _joined(name: str, some: list[Row]) -> Row:
    total = {key: sum(r.get(key) or 0 for r in some) for key in _SUMS}
    reasons: Counter[str] = Counter()
    for r in some:
        reasons.update(r.get("unassigned_by_reason") or {})
    possible = total["visits"] + total["missed"]
    loads = [r["load"] for r in some if r.get("load") is not None]
    return {
        **total, "instance": f"{len(some)} teams, {name}", "engine": some[0]["engine"],
        "status": ", ".join(f"{count} {status}" for status, count in Counter(r["status"] for r in some).most_common()),
        "within": (total["visits"] - total["outside"]) / possible if possible else None,
        "load": sum(loads) / len(loads) if loads else None,
        "drive_min_per_visit": total["drive_s"] / 60 / max(total["visits"], 1),
        "unassigned_by_reason": dict(reasons.most_common()),
    }  # fmt: skip
