"""What pictures of a plan over days have in common: axes, ticks of days, which days are off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, MissingExtraError, Problem
from territory.maps.static import _INK, _title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from territory.model.arrays import DayArray
    from territory.model.plan import Plan

__all__ = ["FAINT", "INK", "axes_of", "chosen", "day_ticks", "heading", "horizon_title", "plain_ticks"]

INK: Final = _INK
FAINT: Final = "#7b8794"
#: Weekday letters are shown for horizons up to this many days.
_MOST_LETTERS: Final = 35


def axes_of(ax: Axes | None, width: float, height: float) -> Axes:
    """Return the given axes, or those of a new figure of this size, inches."""
    try:
        import matplotlib.pyplot as plt  # noqa: PLC0415 - an extra, loaded where it is used
    except ImportError as error:
        raise MissingExtraError("matplotlib", "maps") from error
    if ax is not None:
        return ax
    _, fresh = plt.subplots(figsize=(width, height), layout="constrained")
    return fresh


def chosen(value: str, words: Sequence[str], name: str) -> str:
    """Return a parameter that is one of a few words; raise `InputError` for another."""
    if value not in words:
        problem = Problem("unknown-word", f"{name}: expected {' or '.join(words)}, not {value!r}", name)
        raise InputError([problem], "plot")
    return value


def heading(ax: Axes, title: str, subtitle: str) -> None:
    """Write a title and a line below it."""
    _title(ax, title, subtitle)


def plain_ticks(axis: Any, at: Any, labels: Sequence[str], **options: Any) -> None:
    """Label ticks with data: a dollar sign is a dollar sign."""
    axis.set_ticks(at)
    for text in axis.set_ticklabels(labels, **options):
        text.set_parse_math(False)


def day_ticks(ax: Axes, days: DayArray) -> None:
    """Label a horizontal axis of days, at 0, 1, ...: the Mondays with their date, letters of the others."""
    number = days.astype(np.int64)
    weekday = (number + 3) % 7
    dates = days.astype(object)
    mondays = np.flatnonzero(weekday == 0)
    major = mondays if len(mondays) else np.arange(min(1, len(days)))
    step = max(1, -(-len(major) // 14))
    letters = len(days) <= _MOST_LETTERS
    rest = np.setdiff1d(np.arange(len(days)), major) if letters else np.array([], dtype=np.int64)
    head = "M\n" if letters and len(mondays) else ""
    texts = [f"{head}{dates[i].day} {dates[i]:%b}" if j % step == 0 else "" for j, i in enumerate(major.tolist())]
    ax.set_xticks(major, texts, size=8, color=INK)
    ax.set_xticks(rest, ["MTWTFSS"[weekday[i]] for i in rest.tolist()], minor=True, size=8, color=FAINT)
    ax.tick_params(axis="x", which="both", length=0, pad=3)


def horizon_title(plan: Plan) -> str:
    """Return the days of a plan's horizon, for a title."""
    first, last = (day.astype(object) for day in (plan.settings.start, plan.settings.end - 1))
    end = f"{last.day} {last:%b %Y}"
    return end if first == last else f"{first.day} {first:%b} to {end}"
