"""Dataframes in and out, through narwhals; the only place that knows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from territory.errors import InputError, MissingExtraError, Problem
from territory.model.cells import Chunks, is_null

__all__ = ["frame_columns", "to_native"]

#: Dataframe library -> the extra of this library that brings it.
BACKENDS: Final = {"pandas": "notebooks", "polars": "polars", "pyarrow": "io"}


def frame_columns(frame: Any) -> tuple[dict[str, Callable[[], Any]], list[Problem]]:
    """Return a reader for each column of a dataframe, and what is wrong with the frame as such.

    Readers give what `read_column` takes: numbers as they are (whole ones with nulls as a masked
    array, so that none is rounded), text as `Chunks`, dates as ``datetime64``, the rest as objects
    with None for nulls. Each is called once, so that only one column's copy is alive at a time.
    """
    if callable(getattr(frame, "collect", None)):
        msg = f"expected a table that is there, not the plan of one, {type(frame).__name__}"
        return {}, [Problem("not-a-frame", msg, hint="Collect it first: frame.collect().")]
    names = _names(frame)
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        listed = ", ".join(repr(d) for d in doubled)
        return {}, [Problem("duplicate-column", f"columns that stand more than once: {listed}", count=len(doubled))]
    if isinstance(frame, Mapping):
        return {str(name): _giver(values) for name, values in frame.items()}, []
    if any(not isinstance(name, str) for name in getattr(frame, "columns", ()) if type(frame).__name__ == "DataFrame"):
        frame = _text_names(frame, names)
    problems: list[Problem] = []
    geometry, points = _geometry(frame, problems)

    import narwhals.stable.v2 as nw  # noqa: PLC0415 - loaded only where frames are used

    try:
        table = nw.from_native(frame, eager_only=True)
    except TypeError:
        msg = f"expected a pandas, polars or pyarrow table or a mapping of columns, not {type(frame).__name__}"
        return {}, [Problem("not-a-frame", msg)]
    readers: dict[str, Callable[[], Any]] = {
        name: _reader(table, name, nw) for name in table.columns if name != geometry and name not in points
    }
    return {**readers, **points}, problems


def _giver(values: Any) -> Callable[[], Any]:
    return lambda: values


def _reader(table: Any, name: str, nw: Any) -> Callable[[], Any]:
    return lambda: _values(table[name], nw)


def _names(frame: Any) -> list[str]:
    if isinstance(frame, Mapping):
        return [str(name) for name in frame]
    names = getattr(frame, "column_names", None)
    # a pandas column, too, may be called "column_names"
    return [str(name) for name in (names if isinstance(names, list) else getattr(frame, "columns", ()))]


def _text_names(frame: Any, names: list[str]) -> Any:
    """Return a pandas frame whose column names, numbers perhaps, are text; the caller's is left alone."""
    return frame.set_axis(names, axis=1)


def _geometry(frame: Any, problems: list[Problem]) -> tuple[str, dict[str, Callable[[], Any]]]:
    """Return the name of a GeoDataFrame's geometry, and readers of its points as lon and lat.

    The coordinate system is never assumed. Where the frame has columns lon and lat, they count.
    """
    if not hasattr(frame, "to_crs") or not hasattr(frame, "geometry"):
        return "", {}
    geometry = frame.geometry
    name = str(geometry.name)
    if {"lon", "lat"} <= set(_names(frame)):
        return name, {}
    if geometry.crs is None:
        hint = "Set it: frame.set_crs('EPSG:4326')."
        problems.append(Problem("unknown-crs", "the GeoDataFrame has no coordinate system", hint=hint))
        return name, {}
    bad = np.flatnonzero(~np.asarray(geometry.geom_type == "Point") | np.asarray(geometry.is_empty))
    if len(bad):
        rows = tuple(int(i) for i in bad[:5])
        hint = "Maybe frame.geometry.centroid?"
        problems.append(
            Problem("not-points", "geometries that are not points", column=name, count=len(bad), rows=rows, hint=hint)
        )
        return name, {}
    points = geometry.to_crs("EPSG:4326")
    return name, {"lon": _giver(np.asarray(points.x)), "lat": _giver(np.asarray(points.y))}


def _values(series: Any, nw: Any) -> Any:
    dtype = series.dtype
    if isinstance(dtype, (nw.String, nw.Categorical, nw.Enum)):
        # no cast to text: pandas 2 would turn None into "None", and has categories of numbers, too
        return Chunks(len(series), lambda first, last: series[first:last].to_list())
    if dtype.is_numeric() and not isinstance(dtype, nw.Decimal):
        if not series.is_null().any():
            return series.to_numpy()
        if dtype.is_float():
            return series.cast(nw.Float64).to_numpy()
        return np.ma.MaskedArray(series.fill_null(0).to_numpy(), mask=series.is_null().to_numpy().astype(bool))
    if isinstance(dtype, nw.Boolean) and not series.is_null().any():
        return series.to_numpy()
    if (isinstance(dtype, nw.Datetime) and dtype.time_zone is None) or isinstance(dtype, nw.Date):
        days = series.to_numpy()
        if days.dtype.kind == "M":
            return days
    return _objects(series)


def _objects(series: Any) -> Any:
    values = np.empty(len(series), dtype=object)
    values[:] = [None if is_null(v) else v for v in series.to_list()]
    return values


def to_native(columns: Mapping[str, Any], backend: str) -> Any:
    """Build a dataframe of `backend` from arrays.

    Raises
    ------
    InputError
        Unknown backend.
    MissingExtraError
        The backend is not installed.
    """
    if backend not in BACKENDS:
        raise InputError([Problem("unknown-backend", f"{backend!r} is none of {', '.join(BACKENDS)}")], "to_frame")
    import narwhals.stable.v2 as nw  # noqa: PLC0415 - loaded only where frames are used

    native: Any = backend  # its type in narwhals is a closed list of literals
    try:
        return nw.from_dict({name: _outward(array) for name, array in columns.items()}, backend=native).to_native()
    except ImportError as error:
        raise MissingExtraError(backend, BACKENDS[backend]) from error


def _outward(array: Any) -> Any:
    """Return an array in a form that every backend takes."""
    if array.dtype.kind in "OT":
        return array.tolist()
    if array.dtype.kind == "M" and array.dtype != np.dtype("datetime64[D]"):
        return array.astype("datetime64[ms]")  # polars knows no seconds
    return array
