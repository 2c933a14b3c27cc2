"""Pictures for print and notebooks, drawn with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from territory.errors import MissingExtraError
from territory.geo.sphere import EARTH_RADIUS_M
from territory.maps.aligned import reps_in_plan
from territory.maps.areas import map_areas, map_seam, nice_step, unrolled
from territory.maps.palette import PALETTE, colours
from territory.model.nights import route_ends
from territory.review.street_lines import streets
from territory.units import KM_M, duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path as MplPath

    from territory.geo.rings import Region
    from territory.maps.areas import Areas
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray
    from territory.model.plan import Route
    from territory.travel import Travel

__all__ = ["plot_alignment", "plot_route"]

_INK: Final = "#1f2933"
_FAINT: Final = "#9aa5b1"
#: Kilometres of a degree of latitude.
_DEGREE_KM: Final = EARTH_RADIUS_M * np.pi / 180.0 / KM_M
#: Margin around what is drawn, a share of its extent; and the least extent, in degrees.
_MARGIN: Final = 0.04
_LEAST_EXTENT: Final = 0.01
#: Arrow heads along the line of a route that follows roads.
_HEADS: Final = 18


def plot_alignment(
    alignment: Alignment,
    ax: Axes | None = None,
    *,
    customers: bool = True,
    labels: bool = True,
    boundary: Region | None = None,
) -> Axes:
    """Draw territories, homes and customers.

    Parameters
    ----------
    alignment : Alignment
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    customers : bool
        Whether customers are drawn as dots; those in no territory are crosses.
    labels : bool
        Whether territories are labelled with their ids.
    boundary : Polygon or MultiPolygon, optional
        Longitude and latitude of the ground to share, such as a country; default: an outline of the customers.

    Returns
    -------
    matplotlib Axes
        In degrees, with an aspect that is true in the middle of the map.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    ax = _axes(ax)
    from matplotlib.patches import PathPatch  # noqa: PLC0415 - an extra, loaded where it is used

    table, reps = alignment.customers, alignment.reps
    homes = alignment.rep_idx[alignment.rep_idx >= 0]
    seam = map_seam(np.concatenate([table.lon] if reps is None else [table.lon, reps.lon[homes]]))
    lon = unrolled(table.lon, seam)
    areas = map_areas(table.lon, table.lat, alignment.territory_idx, len(alignment), boundary=boundary)
    shades = np.array([*colours(int(areas.colour_idx.max(initial=-1)) + 1), _INK], dtype=object)
    colour = shades[areas.colour_idx]
    for polygon, shade in zip(areas.polygons, colour, strict=True):
        if not polygon.is_empty:
            path = _polygon_path(polygon)
            ax.add_patch(PathPatch(path, facecolor=shade, alpha=0.25, edgecolor="none", zorder=1))
            ax.add_patch(PathPatch(path, fill=False, edgecolor="white", linewidth=1.6, zorder=2))
            ax.add_patch(PathPatch(path, fill=False, edgecolor=shade, linewidth=0.6, zorder=2))
    if customers:
        served = alignment.territory_idx >= 0
        size = float(np.clip(4_000 / max(1, len(table)), 1.0, 18.0))
        ax.scatter(
            lon[served], table.lat[served], s=size, c=list(colour[alignment.territory_idx[served]]), lw=0, zorder=3
        )
        ax.scatter(lon[~served], table.lat[~served], s=24, c=_INK, marker="x", lw=1, zorder=4)
    if reps is not None and len(homes):
        at = np.flatnonzero(alignment.rep_idx >= 0)
        _homes(ax, unrolled(reps.lon[homes], seam), reps.lat[homes], list(colour[at]))
    corners = [shapely.get_coordinates(p) for p in areas.polygons]
    shown = [np.stack([lon, table.lat], axis=1), *corners]
    if reps is not None:
        shown.append(np.stack([unrolled(reps.lon[homes], seam), reps.lat[homes]], axis=1))
    _finish(ax, np.concatenate(shown))
    if labels:
        _territory_labels(ax, alignment.territory_id.tolist(), areas)
    _title(ax, f"{len(alignment):,d} territories", f"{len(table):,d} customers")
    return ax


def plot_route(
    route: Route,
    ax: Axes | None = None,
    *,
    others: bool = True,
    names: bool = False,
    travel: Travel | None = None,
    roads: bool = True,
) -> Axes:
    """Draw a rep's day: home, numbered stops and the legs between them.

    Parameters
    ----------
    route : Route
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    others : bool
        Whether the rep's other customers are drawn as faint dots.
    names : bool
        Whether stops are labelled with the customers' names (or ids) too.
    travel : Travel, optional
        Whose lines the legs follow; default: as the crow flies.
    roads : bool
        Whether its roads are drawn below, if it can tell them, as `RoadGraph` can.

    Returns
    -------
    matplotlib Axes
        In degrees, with an aspect that is true in the middle of the map.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    InputError, TravelError
        The travel does not know the places, or failed.
    """
    ax = _axes(ax)
    plan, r = route.plan, route.rep_idx
    table, reps, rows = plan.customers, plan.reps, route.stops.customer_idx
    begin, end = (places[[route.row]] for places in route_ends(plan))
    lonlat = np.concatenate(
        [
            begin,
            np.stack([table.lon[rows], table.lat[rows]], axis=1),
            end,
        ]
    )
    seam = map_seam(lonlat[:, 0])
    lonlat[:, 0] = unrolled(lonlat[:, 0], seam)
    if others:
        rest = np.setdiff1d(_customers_of(route), rows)
        ax.scatter(unrolled(table.lon[rest], seam), table.lat[rest], s=9, c=_FAINT, alpha=0.6, lw=0, zorder=1)
    line = lonlat
    if travel is not None:
        line = np.array(streets(plan, travel, np.array([route.row])).route(0))
        line[:, 0] = unrolled(line[:, 0], seam)
    _finish(ax, np.concatenate([lonlat, line]))
    if travel is not None:
        _attribution(ax, travel)
    if travel is not None and roads:
        _roads(ax, travel, seam)
    colour = PALETTE[0]
    ax.plot(line[:, 0], line[:, 1], color="white", lw=4, zorder=2, solid_joinstyle="round")
    ax.plot(line[:, 0], line[:, 1], color=colour, lw=1.8, zorder=3, solid_joinstyle="round")
    _arrows(ax, *(_of_legs(line) if travel is None else _of_line(line)), colour)
    if not np.array_equal(lonlat[0], lonlat[-1]):
        _homes(ax, lonlat[-1:, 0], lonlat[-1:, 1], ["white"], edge=_INK)
    _homes(ax, lonlat[:1, 0], lonlat[:1, 1], [_INK])
    spots: dict[tuple[float, float], list[int]] = {}
    for number, (x, y) in enumerate(lonlat[1:-1].tolist(), start=1):
        spots.setdefault((x, y), []).append(number)
    for (x, y), numbers in spots.items():
        text = ",".join(str(n) for n in numbers)
        box = {"boxstyle": "circle,pad=0.25" if len(text) < 3 else "round,pad=0.25", "fc": colour, "ec": "white"}
        ax.text(x, y, text, color="white", size=8, weight="bold", ha="center", va="center", zorder=6, bbox=box)
        if names:
            shown = table.id if table.name is None else table.name
            words = ", ".join(str(shown[rows[n - 1]]) or str(table.id[rows[n - 1]]) for n in numbers)
            _label(ax, x, y, words, size=7.5, offset=(10, 0))
    row, name = plan.routes, str(reps.name[r]) if reps.name is not None else ""
    km, drive = row.distance_m[route.row] / KM_M, duration(float(row.drive_s[route.row]))
    day = route.day.item().strftime("%a %d %b %Y")
    _title(ax, f"{name or route.rep_id} · {day}", f"{len(route.stops)} visits · {km:,.0f} km · {drive} driving")
    return ax


def _customers_of(route: Route) -> Any:
    """Return the positions of the customers that the rep of a route serves."""
    plan = route.plan
    if plan.alignment is not None:
        mine = np.flatnonzero(reps_in_plan(plan.alignment, plan) == route.rep_idx)
        return np.flatnonzero(np.isin(plan.alignment.territory_idx, mine))
    return np.unique(plan.stops.customer_idx[plan.stops.rep_idx == route.rep_idx])


def _axes(ax: Axes | None) -> Axes:
    try:
        import matplotlib.pyplot as plt  # noqa: PLC0415 - an extra, loaded where it is used
    except ImportError as error:
        raise MissingExtraError("matplotlib", "maps") from error
    if ax is not None:
        return ax
    _, fresh = plt.subplots(figsize=(8.0, 7.0), layout="constrained")
    return fresh


def _polygon_path(polygon: Region) -> MplPath:
    from matplotlib.path import Path as MplPath  # noqa: PLC0415 - an extra, loaded where it is used

    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(polygon))]
    return MplPath.make_compound_path(*(MplPath(ring, closed=True) for ring in rings))


def _homes(ax: Axes, lon: FloatArray, lat: FloatArray, colour: list[Any], edge: str = "white") -> None:
    """Draw homes as little houses."""
    house = [(-1.0, -1.0), (1.0, -1.0), (1.0, 0.2), (0.0, 1.2), (-1.0, 0.2), (-1.0, -1.0)]
    ax.scatter(lon, lat, s=130, c="white", marker=house, lw=0, zorder=4)  # type: ignore[arg-type]
    ax.scatter(lon, lat, s=75, c=colour, marker=house, edgecolors=edge, lw=0.8, zorder=5)  # type: ignore[arg-type]


def _label(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    weight: str = "normal",
    offset: tuple[float, float] = (0, 0),
) -> None:
    """Write text with a white halo; ids are data, so that a dollar sign is a dollar sign."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 - an extra, loaded where it is used

    ax.annotate(
        text,
        (x, y),
        xytext=offset,
        textcoords="offset points",
        size=size,
        weight=weight,
        color=_INK,
        ha="left" if any(offset) else "center",
        va="center",
        zorder=7,
        parse_math=False,
        annotation_clip=True,
        path_effects=[withStroke(linewidth=2.4, foreground="white")],
    )


def _territory_labels(ax: Axes, ids: list[str], areas: Areas) -> None:
    """Label territories, the largest first; one that would cover another's label is left out."""
    size = float(np.clip(70 / np.sqrt(max(1, len(ids))), 6.5, 11.0))
    ax.apply_aspect()
    figure = ax.get_figure(root=True)
    pixels = size * (figure.dpi if figure is not None else 100.0) / 72.0
    taken: list[tuple[float, float, float]] = []
    for i in np.argsort(-shapely.area(np.array(areas.polygons, dtype=object)), kind="stable"):
        if np.isnan(areas.label_lonlat[i]).any():
            continue
        x, y = ax.transData.transform(areas.label_lonlat[i])
        half = 0.36 * pixels * len(ids[i])
        if all(abs(x - u) > half + w or abs(y - v) > 1.1 * pixels for u, v, w in taken):
            taken.append((x, y, half))
            at = areas.label_lonlat[i]
            _label(ax, at[0], at[1], ids[i], size=size, weight="bold")


def _arrows(ax: Axes, tails: FloatArray, tips: FloatArray, colour: str) -> None:
    """Put an arrow head at each of some points, away from its tail."""
    head = {"arrowstyle": "-|>", "color": colour, "lw": 0, "mutation_scale": 14, "shrinkA": 0, "shrinkB": 0}
    for tail, tip in zip(tails, tips, strict=True):
        ax.annotate("", xy=tuple(tip), xytext=tuple(tail), arrowprops=head, zorder=4)


def _of_legs(lonlat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where arrows begin and end: one in the middle of each leg that is long enough for a direction."""
    step = np.diff(lonlat, axis=0)
    long = np.hypot(step[:, 0], step[:, 1]) > 0.03 * np.ptp(lonlat, axis=0).max(initial=0.0)
    return (lonlat[:-1] + 0.5 * step)[long], (lonlat[:-1] + 0.56 * step)[long]


def _of_line(line: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where arrows begin and end: evenly along a line that bends, each on a piece of it without a corner."""
    step = np.diff(line, axis=0)
    gone = np.concatenate(([0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))))
    if gone[-1] == 0:
        return line[:0], line[:0]
    at = (np.arange(_HEADS) + 0.5) / _HEADS * gone[-1]
    piece = np.clip(np.searchsorted(gone, at, side="right") - 1, 0, len(step) - 1)
    tips = line[piece] + ((at - gone[piece]) / np.diff(gone)[piece])[:, None] * step[piece]
    return line[piece], tips


def _roads(ax: Axes, travel: Travel, seam: float) -> None:
    """Draw the roads of a source that knows them, below everything."""
    known = getattr(travel, "lines", None)
    if known is None:
        return
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - an extra, loaded where it is used

    found = known()
    lonlat = np.column_stack((unrolled(found.lon, seam), found.lat))
    ax.add_collection(
        LineCollection(np.split(lonlat, found.offsets[1:-1]), colors="#dfe4ea", linewidths=0.7, zorder=0),
        autolim=False,
    )


def _attribution(ax: Axes, travel: Travel) -> None:
    """Say whose data the lines are, where the source tells it."""
    text = getattr(travel, "attribution", None)
    if text:
        ax.annotate(
            text, (1, 0), xytext=(0, 4), xycoords="axes fraction", textcoords="offset points", size=7, color="#52606d",
            ha="right", zorder=6, parse_math=False,
        )  # fmt: skip


def _title(ax: Axes, title: str, subtitle: str) -> None:
    ax.set_title(title, loc="left", size=12, weight="bold", color=_INK, pad=20, parse_math=False)
    ax.annotate(
        subtitle, (0, 1), xytext=(0, 7), xycoords="axes fraction", textcoords="offset points", size=9, color="#52606d"
    )


def _finish(ax: Axes, lonlat: FloatArray) -> None:
    """Set limits and a true aspect, take the frame away, add a scale bar."""
    lonlat = lonlat[np.isfinite(lonlat).all(axis=1)] if len(lonlat) else np.zeros((1, 2))
    low, high = lonlat.min(axis=0), lonlat.max(axis=0)
    middle, half = (low + high) / 2.0, np.maximum((high - low) / 2.0, _LEAST_EXTENT / 2.0) * (1.0 + 2.0 * _MARGIN)
    east_scale = max(0.05, float(np.cos(np.radians(middle[1]))))
    ax.set_xlim(middle[0] - half[0], middle[0] + half[0])
    ax.set_ylim(middle[1] - half[1], middle[1] + half[1])
    ax.set_aspect(1.0 / east_scale, adjustable="box")
    ax.set_axis_off()
    km = nice_step(2.0 * half[0] * east_scale * _DEGREE_KM * 0.3)
    width = km / _DEGREE_KM / east_scale
    x, y = middle[0] - half[0], middle[1] - half[1]
    ax.plot([x, x + width], [y, y], color=_INK, lw=2, solid_capstyle="butt", zorder=6)
    ax.annotate(
        f"{km:g} km", (x + width / 2, y), xytext=(0, 4), textcoords="offset points", size=8, color=_INK, ha="center"
    )
