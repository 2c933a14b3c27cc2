"""Runs of one instance with several seeds as one row."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = dict[str, Any]

__all__ = ["medians"]

#: The largest counts, not the one in the middle.
_WORST = ("deviation", "gap", "peak_mb", "disconnected")


def medians(rows: Sequence[Row]) -> list[Row]:
    """Return a row for each instance and engine: medians of figures, the worst of limits, and how often each status."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for r in rows:
        groups.setdefault((r["instance"], r["engine"]), []).append(r)
    out = []
    for some in groups.values():
        told = Counter(r["status"] for r in some)
        found = {**some[0], "runs": len(some)}
        found["status"] = ", ".join(s if len(some) == 1 else f"{count} {s}" for s, count in told.items())
        for name in {name for r in some for name, value in r.items() if isinstance(value, (int, float))}:
            values = [r[name] for r in some if r.get(name) is not None]
            found[name] = max(values) if name in _WORST else median(values)
        out.append(found)
    return out
