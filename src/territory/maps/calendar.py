"""A plan as a calendar: a heat map of reps or customers by days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.maps.days import FAINT, INK, axes_of, chosen, day_ticks, heading, horizon_title, plain_ticks
from territory.review.plan_columns import rows_of
from territory.units import HOUR_S

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from territory.model.arrays import BoolArray, FloatArray, IntArray
    from territory.model.plan import Plan

__all__ = ["plot_calendar"]

#: One hue from pale to dark, which people see who see few colours or none: Brewer's blues without their whitest.
_SCALE: Final = ("Blues", 0.18, 0.95)
_OFF: Final = "#e9e9e7"
#: Okabe & Ito's vermilion, in a white border that keeps it visible on dark cells.
_MISSED: Final = "#d55e00"
#: Cells bear their number up to this many rows and days.
_NUMBERED: Final = (32, 35)
#: Inches of a row: with room for a number, without, and of a page full of customers.
_ROW_IN: Final = (0.27, 0.2, 0.15)
_LONGEST_LABEL: Final = 26


def plot_calendar(
    plan: Plan, ax: Axes | None = None, *, by: str = "rep", measure: str = "visits", most: int = 120
) -> Axes:
    """Draw how much takes place on which day, as a heat map.

    Parameters
    ----------
    plan : Plan
        Of one rep: ``plan.rep("R1")``.
    ax : matplotlib Axes, optional
        Default: those of a new figure, as high as the rows need.
    by : {"rep", "customer"}
        What a row is. Customers are those with a visit, planned or not, by interval and first day.
    measure : {"visits", "hours"}
        Hours are those worked, of reps; or with the customer.
    most : int, >= 1
        Rows drawn at most; the line below the title says so where there are more.

    Returns
    -------
    matplotlib Axes
        Grey: days without a shift for the field (of customers: of any rep). A red cross: a visit that is due and not
        planned, on the day on which it is due.

    Raises
    ------
    InputError
        Another word for `by` or `measure`, or a bad `most`.
    MissingExtraError
        matplotlib is not installed.
    """
    chosen(by, ("rep", "customer"), "by")
    chosen(measure, ("visits", "hours"), "measure")
    if isinstance(most, bool) or not isinstance(most, (int, np.integer)) or most < 1:
        raise InputError([Problem("bad-most", f"most: expected a whole number >= 1, not {most!r}", "most")], "plot")
    rows = _rep_rows(plan) if by == "rep" else _customer_rows(plan)
    n, shown = len(rows), rows[:most]
    amount = _amounts(plan, by, measure, shown)
    off = _off(plan, by, shown)
    k, d = amount.shape
    numbered = k <= _NUMBERED[0] and d <= _NUMBERED[1] and (by == "rep" or measure == "hours")
    row_in = _ROW_IN[0] if numbered else _ROW_IN[1] if by == "rep" else _ROW_IN[2]
    ax = axes_of(ax, min(22.0, 2.6 + max(0.27 * d, 3.0)), 1.5 + max(row_in * k, 0.8))
    ax.set_facecolor("white")
    _cells(ax, amount, off, measure, numbered=numbered)
    missed = _missed(plan, by, shown)
    at = np.argwhere(missed > 0)
    if len(at):
        size, aside = 24.0, 0.3 * numbered
        for colour, width in (("white", 2.8), (_MISSED, 1.4)):
            ax.scatter(at[:, 1] + aside, at[:, 0] - aside, s=size, c=colour, marker="x", lw=width, zorder=4)
    days = plan.settings.days
    day_ticks(ax, days)
    for monday in np.flatnonzero((days.astype(np.int64) + 3) % 7 == 0).tolist():
        ax.axvline(monday - 0.5, color=INK, lw=0.7, zorder=3)
    labels = _labels(plan, by, shown)
    plain_ticks(ax.yaxis, np.arange(k), labels, size=8 if row_in > _ROW_IN[2] else 6.5, color=INK)
    ax.tick_params(axis="y", length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    what = {"visits": "Visits", "hours": "Hours worked" if by == "rep" else "Hours with customers"}[measure]
    if by == "customer":
        _classes(ax, plan, shown)
    total = int(amount.sum()) if measure == "visits" else round(float(amount.sum()))
    told = [f"{total:,d} {measure}", f"{n:,d} {by}{'s' * (n != 1)}" if k == n else f"the first {k:,d} of {n:,d} {by}s"]
    if off.any():
        told.append("grey: no shift")
    if len(at):
        told.append(f"× due and not planned: {int(missed.sum()):,d}")
    heading(ax, f"{what} by {by} and day · {horizon_title(plan)}", " · ".join(told))
    return ax


def _rep_rows(plan: Plan) -> IntArray:
    """Return the reps in their order; of a part of a plan, those who are in it."""
    there = np.unique(np.concatenate([plan.stops.rep_idx, plan.routes.rep_idx, plan.unassigned.rep_idx]))
    there = there[there >= 0].astype(np.int64)
    return there if len(there) else np.arange(len(plan.reps))


def _customer_rows(plan: Plan) -> IntArray:
    """Return the customers with a visit, planned or not, by interval, first day and row."""
    who = np.concatenate([plan.stops.customer_idx, plan.unassigned.customer_idx]).astype(np.int64)
    day = np.concatenate([plan.stops.day, plan.unassigned.due]).astype(np.int64)
    first = np.full(len(plan.customers), np.iinfo(np.int64).max)
    np.minimum.at(first, who, day)
    there, interval = np.unique(who), plan.customers.visit_interval_days
    asked = np.zeros(len(there)) if interval is None else interval[there]
    return there[np.lexsort((there, first[there], asked))]


def _grid(plan: Plan, rows: IntArray, idx: Any, day: Any, weight: Any = None) -> FloatArray:
    """Add up by row and day, (number of rows, days); what is in neither is left out."""
    place = np.full(max(len(plan.customers), len(plan.reps)) + 1, -1)
    place[rows] = np.arange(len(rows))
    at, on = place[idx], (day - plan.settings.start).astype(np.int64)
    inside = (at >= 0) & (on >= 0) & (on < plan.settings.n_days)
    out = np.zeros((len(rows), plan.settings.n_days))
    np.add.at(out, (at[inside], on[inside]), 1.0 if weight is None else weight[inside])
    return out


def _amounts(plan: Plan, by: str, measure: str, rows: IntArray) -> FloatArray:
    s, t = plan.stops, plan.routes
    if by == "rep" and measure == "hours":
        facts = rows_of(plan)
        return _grid(plan, rows, t.rep_idx, t.day, (facts.away_s + facts.desk_s) / HOUR_S)
    hours = None if measure == "visits" else (s.end - s.start).astype(np.int64) / HOUR_S
    return _grid(plan, rows, s.rep_idx if by == "rep" else s.customer_idx, s.day, hours)


def _missed(plan: Plan, by: str, rows: IntArray) -> FloatArray:
    u = plan.unassigned
    return _grid(plan, rows, u.rep_idx if by == "rep" else u.customer_idx, u.due)


def _off(plan: Plan, by: str, rows: IntArray) -> BoolArray:
    """Tell the days without a shift, bool of shape (number of rows, days)."""
    facts = rows_of(plan)
    reps = rows if by == "rep" else _rep_rows(plan)
    worked = _grid(plan, reps, facts.shift_rep, facts.shift_day) > 0
    return ~worked if by == "rep" else np.broadcast_to(~worked.any(axis=0), (len(rows), worked.shape[1]))


def _labels(plan: Plan, by: str, rows: IntArray) -> list[str]:
    """Return ids, with names where there are some, cut to a length that leaves room for the picture."""
    table: Any = plan.reps if by == "rep" else plan.customers
    ids = table.id[rows].tolist()
    names = [""] * len(ids) if table.name is None else table.name[rows].tolist()
    texts = [f"{i} {name}".strip() if name != i else i for i, name in zip(ids, names, strict=True)]
    return [t if len(t) <= _LONGEST_LABEL else f"{t[: _LONGEST_LABEL - 1]}…" for t in texts]


def _classes(ax: Axes, plan: Plan, rows: IntArray) -> None:
    """Write at the right which interval the customers have, with a line where another begins."""
    interval = plan.customers.visit_interval_days
    if interval is None or len(rows) == 0:
        return
    asked = np.nan_to_num(interval[rows], nan=-1.0)
    begins = np.flatnonzero(np.append(True, np.diff(asked) != 0))
    for i, until in zip(begins.tolist(), [*begins[1:].tolist(), len(rows)], strict=True):
        text = "no interval" if asked[i] < 0 else f"every {asked[i]:g} days"
        if i:
            ax.axhline(i - 0.5, color=INK, lw=0.7, zorder=3)
        if until - i > 1:
            at = (1.005, (i + until - 1) / 2)
            ax.text(*at, text, transform=ax.get_yaxis_transform(), size=8, color=FAINT, rotation=90, va="center")


def _cells(ax: Axes, amount: FloatArray, off: BoolArray, measure: str, *, numbered: bool) -> None:
    """Fill the cells, with a scale beside them."""
    import matplotlib as mpl  # noqa: PLC0415 - an extra, loaded where it is used
    from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, ListedColormap, Normalize  # noqa: PLC0415

    k, d = amount.shape
    ax.set(xlim=(-0.5, d - 0.5), ylim=(max(k, 1) - 0.5, -0.5))
    if k == 0:
        return
    top = float(amount.max(initial=0.0))
    name, low, high = _SCALE
    scale = LinearSegmentedColormap.from_list("visits", mpl.colormaps[name](np.linspace(low, high, 256)))
    ground = np.where(off, 1.0, np.nan)
    ax.imshow(ground, cmap=ListedColormap([_OFF]), aspect="auto", interpolation="none", zorder=1)
    norm: Any = Normalize(0.0, max(top, 1e-9))
    few = measure == "visits" and 1 < top <= 15
    if few:
        norm = BoundaryNorm(np.arange(0.5, top + 1.0), scale.N)
    shown = np.ma.masked_less_equal(amount, 0.0)
    image = ax.imshow(shown, cmap=scale, norm=norm, aspect="auto", interpolation="none", zorder=2)
    ax.set_xticks(np.arange(d + 1) - 0.5, minor=True)
    for i in range(k + 1):
        ax.axhline(i - 0.5, color="white", lw=0.6, zorder=2.5)
    for j in range(d + 1):
        ax.axvline(j - 0.5, color="white", lw=0.6, zorder=2.5)
    figure = ax.get_figure(root=True)
    if figure is not None and top > 0 and (few or measure == "hours" or top > 1):
        ticks = np.arange(1, int(top) + 1) if few else None
        bar = figure.colorbar(
            image, ax=ax, ticks=ticks, fraction=0.025, pad=0.01, aspect=30, shrink=min(1.0, 12 / max(k, 6))
        )
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0, labelsize=8, colors=FAINT)
    if numbered:
        for i, j in np.argwhere(amount > 0).tolist():
            red, green, blue, _ = scale(norm(amount[i, j]))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
            text = f"{amount[i, j]:.0f}" if measure == "visits" else f"{amount[i, j]:.1f}"
            ax.text(j, i, text, ha="center", va="center", size=7, color="white" if dark else INK, zorder=4)
