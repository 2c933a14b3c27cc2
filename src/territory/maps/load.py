"""How full days, weeks or reps are: driving, visits, breaks and waiting against the shifts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.maps.days import FAINT, INK, axes_of, chosen, day_ticks, heading, horizon_title, plain_ticks
from territory.maps.palette import PALETTE
from territory.maps.words import share
from territory.review.plan_columns import plan_columns, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from territory.model.arrays import DayArray, IdxArray, IntArray
    from territory.model.plan import Plan

__all__ = ["plot_load"]

#: Parts of a day from the bottom up: column, name, colour. Neighbours differ in lightness, so in print, too.
_PARTS: Final = (
    ("drive_h", "driving", PALETTE[0]),
    ("visit_h", "with customers", PALETTE[1]),
    ("desk_h", "desk", PALETTE[6]),
    ("break_h", "breaks", "#a9b4bf"),
    ("idle_h", "waiting", "#dde2e7"),
)


def plot_load(plan: Plan, ax: Axes | None = None, *, by: str = "day") -> Axes:
    """Draw hours as stacked bars against the length of the shifts.

    Parameters
    ----------
    plan : Plan
        Of several reps, their hours are added up; of one: ``plan.rep("R1")``.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    by : {"day", "week", "rep"}
        What a bar is.

    Returns
    -------
    matplotlib Axes
        Bars of driving, visits, preparation and work afterwards (where there is some), breaks and waiting; what is
        above the black line is overtime, or work on a day off.

    Raises
    ------
    InputError
        Another word for `by`.
    MissingExtraError
        matplotlib is not installed.
    """
    chosen(by, ("day", "week", "rep"), "by")
    days, labels, grouping, reps = _bars(plan, by)
    k = len(labels)
    rows = rows_of(plan)
    inside = np.isin(rows.shift_rep, reps)
    table = plan_columns(rows, grouping, k + 1)
    shift = np.bincount(grouping(rows.shift_rep[inside], rows.shift_day[inside]), rows.shift_s[inside] / 3600.0, k + 1)
    ax = axes_of(ax, float(np.clip(2.0 + 0.3 * k, 10.0, 18.0)), 4.6)
    at, below = np.arange(k), np.zeros(k)
    for column, name, colour in _PARTS:
        height = np.maximum(table[column][:k], 0.0)
        if column == "desk_h" and not height.any():
            continue
        ax.bar(at, height, 0.78, bottom=below, color=colour, edgecolor="white", linewidth=0.4, label=name, zorder=2)
        below = below + height
    there = np.flatnonzero(shift[:k] > 0)
    ax.hlines(shift[there], there - 0.46, there + 0.46, color=INK, lw=1.8, zorder=3, label="shifts")
    _dress(ax, by, days, labels, max(float(below.max(initial=0.0)), float(shift[:k].max(initial=0.0))))
    worked, given = float(below.sum()), float(shift[:k].sum())
    told = [f"{len(reps):,d} rep{'s' * (len(reps) != 1)}", f"{worked:,.0f} h worked"]
    if given > 0:
        told.append(f"{share(worked / given)} of {given:,.0f} h of shifts")
    heading(ax, f"Load by {by} · {horizon_title(plan)}", " · ".join(told))
    return ax


def _bars(plan: Plan, by: str) -> tuple[DayArray, list[str], Any, IdxArray]:
    """Return days, labels of the bars, which bar rows belong to (the last: none), and the reps that are shown."""
    reps = np.unique(plan.routes.rep_idx) if len(plan.routes) else np.arange(len(plan.reps), dtype=np.int32)
    days = plan.settings.days
    if by == "rep":
        place = np.full(len(plan.reps) + 1, len(reps))
        place[reps] = np.arange(len(reps))
        return days, [str(i) for i in plan.reps.id[reps].tolist()], lambda rep, _: place[rep], reps
    number = days.astype(np.int64)
    if by == "week":
        mondays, of = np.unique(number - (number + 3) % 7, return_inverse=True)
        firsts = mondays.astype("datetime64[D]").astype(object)
        labels = [f"W{day.isocalendar().week:02d}\n{day.day} {day:%b}" for day in firsts]
    else:
        of, labels = np.arange(len(days)), [str(day) for day in days]
    place = np.append(of, len(labels))

    def bar(_: IdxArray, day: DayArray) -> IntArray:
        on = (day - plan.settings.start).astype(np.int64)
        return np.asarray(place[np.where((on >= 0) & (on < len(days)), on, len(days))])

    return days, labels, bar, reps


def _dress(ax: Axes, by: str, days: DayArray, labels: list[str], top: float) -> None:
    """Set limits, ticks, grid and legend."""
    ax.set_xlim(-0.7, len(labels) - 0.3)
    ax.set_ylim(0.0, max(top, 1.0) * 1.04)
    if by == "day":
        day_ticks(ax, days)
    else:
        turned = by == "rep" and (len(labels) > 24 or max(map(len, labels), default=0) > 5)
        plain_ticks(ax.xaxis, np.arange(len(labels)), labels, size=8, color=INK, rotation=90 if turned else 0)
        ax.tick_params(axis="x", length=0)
    ax.grid(axis="y", color="#e4e7eb", lw=0.8, zorder=0)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0, labelsize=8, colors=FAINT)
    ax.set_ylabel("hours", size=9, color=INK)
    for side in ax.spines.values():
        side.set_visible(False)
    handles, names = ax.get_legend_handles_labels()
    ax.legend(
        handles, names, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(names), frameon=False, fontsize=8,
        handlelength=1.1, columnspacing=1.2, borderaxespad=0.2,
    )  # fmt: skip
