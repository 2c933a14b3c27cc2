"""Edges in arrays of the user's, checked, and cut into straight segments."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.geo.sphere import great_circle_m
from territory.travel.roads.network import Segments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["segments_of"]


def segments_of(given: Mapping[str, Any], junction_s: float) -> tuple[Segments, str]:
    """Return the edges of `RoadGraph.from_arrays` as segments, and a digest of all columns.

    Time and length of an edge are shared out to its segments by their great circles; evenly, if these are all zero.

    Raises
    ------
    InputError
        Columns that do not fit each other, or values out of range; all that is wrong at once.
    """
    problems: list[Problem] = []
    if isinstance(junction_s, bool) or not isinstance(junction_s, (int, float)) or not 0.0 <= junction_s <= 600.0:
        message = f"expected 0 to 600 seconds, not {junction_s!r}"
        problems.append(Problem("wait-out-of-range", message, "junction_s"))
    columns = {name: _column(name, values, problems) for name, values in given.items() if values is not None}
    lines = [name for name in ("line_lon", "line_lat", "line_start") if name in columns]
    if lines and len(lines) < 3:
        missing = sorted({"line_lon", "line_lat", "line_start"} - set(lines))
        problems.append(Problem("missing-column", "lines need line_lon, line_lat and line_start", ", ".join(missing)))
    _refuse(problems)
    n, m = len(columns["node_lon"]), len(columns["tail"])
    columns.setdefault("back_seconds", np.full(m, np.inf))
    if not lines:
        columns.update(line_lon=np.zeros(0), line_lat=np.zeros(0), line_start=np.zeros(m + 1, dtype=np.int64))
    lengths = {
        "node_lat": n, "head": m, "seconds": m, "metres": m, "back_seconds": m,
        "line_lat": len(columns["line_lon"]), "line_start": m + 1,
    }  # fmt: skip
    problems += [
        Problem("column-length", f"{len(columns[name])} values, expected {expected}", name)
        for name, expected in lengths.items()
        if len(columns[name]) != expected
    ]
    _refuse(problems)
    _check_values(columns, n, problems)
    _refuse(problems)
    digest = hashlib.sha256()
    for name in sorted(columns):
        digest.update(f"{name} {len(columns[name])} ".encode() + columns[name].tobytes())
    return _cut(columns), digest.hexdigest()


def _column(name: str, values: Any, problems: list[Problem]) -> NDArray[Any]:
    whole = name in ("tail", "head", "line_start")
    dtype = np.int64 if whole else np.float64
    try:
        array = np.asarray(values)
        if array.ndim == 1 and (array.size == 0 or not whole or array.dtype.kind in "iu"):
            return np.array(array, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        pass
    kind = "whole numbers" if whole else "numbers"
    problems.append(Problem("column-type", f"expected {kind} in one dimension", name))
    return np.zeros(0, dtype=dtype)


def _check_values(columns: dict[str, NDArray[Any]], n: int, problems: list[Problem]) -> None:
    def check(code: str, message: str, name: str, wrong: NDArray[np.bool_], hint: str | None = None) -> None:
        rows = np.flatnonzero(wrong)
        if len(rows):
            first = tuple(int(row) for row in rows[:MAX_ROWS_LISTED])
            problems.append(Problem(code, message, name, count=len(rows), rows=first, hint=hint))

    for name in ("node_lat", "line_lat"):
        wrong = ~(np.abs(columns[name]) <= 90)
        check("lat-out-of-range", "outside [-90, 90]", name, wrong, "Maybe projected metres, or lon and lat swapped?")
    for name in ("node_lon", "line_lon"):
        check("lon-out-of-range", "outside [-180, 180]", name, ~(np.abs(columns[name]) <= 180))
    for name in ("tail", "head"):
        check("no-such-node", f"outside [0, {n})", name, (columns[name] < 0) | (columns[name] >= n))
    for name in ("seconds", "back_seconds"):
        check("seconds-out-of-range", "expected seconds >= 0; infinite: not allowed", name, ~(columns[name] >= 0))
    metres = columns["metres"]
    check("metres-out-of-range", "expected finite metres >= 0", "metres", ~((metres >= 0) & (metres < np.inf)))
    starts = columns["line_start"]
    ends_meet = starts[0] == 0 and starts[-1] == len(columns["line_lon"])
    if not ends_meet or (np.diff(starts) < 0).any():
        message = f"expected rising positions from 0 to {len(columns['line_lon'])}"
        problems.append(Problem("line-start", message, "line_start"))


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InputError(problems, "road graph")


def _cut(columns: dict[str, NDArray[Any]]) -> Segments:
    """Cut edges at the points of their lines, which become nodes after those that are there."""
    n, m = len(columns["node_lon"]), len(columns["tail"])
    between = np.diff(columns["line_start"])
    edge = np.repeat(np.arange(m), between + 1)
    node_lon = np.concatenate((columns["node_lon"], columns["line_lon"]))
    node_lat = np.concatenate((columns["node_lat"], columns["line_lat"]))
    total = len(edge)
    last = np.cumsum(between + 1) - 1
    tail, head = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
    inner = np.ones(total, dtype=bool)
    inner[last] = False
    head[inner] = n + np.arange(len(columns["line_lon"]))
    head[last] = columns["head"]
    tail[1:] = head[:-1]
    tail[last - between] = columns["tail"]
    size = great_circle_m(node_lon[tail], node_lat[tail], node_lon[head], node_lat[head])
    whole = np.bincount(edge, weights=size, minlength=m)
    share = np.where(whole[edge] > 0, size / np.where(whole > 0, whole, 1.0)[edge], 1.0 / (between + 1)[edge])
    return Segments(
        node_lon=node_lon,
        node_lat=node_lat,
        wait_s=np.zeros(len(node_lon)),
        tail=tail,
        head=head,
        metres=columns["metres"][edge] * share,
        forward_s=_shared(columns["seconds"], edge, share),
        backward_s=_shared(columns["back_seconds"], edge, share),
        midway=np.ones(total, dtype=bool),
    )


def _shared(seconds: NDArray[np.float64], edge: NDArray[np.int64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    allowed = np.isfinite(seconds)
    shared: NDArray[np.float64] = np.where(allowed, seconds, 0.0)[edge] * share
    return np.where(allowed[edge], shared, np.inf)
