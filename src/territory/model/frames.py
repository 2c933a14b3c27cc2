"""Dataframes in and out, through narwhals; the only place that knows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from territory.errors import InputError, MissingExtraError, Problem
from territory.model.arrays import CHUNK, TEXT, frozen

__all__ = ["frame_columns", "to_native"]

BACKENDS = ("pandas", "polars", "pyarrow")


def frame_columns(frame: Any) -> tuple[dict[str, Callable[[], Any]], list[Problem]]:
    """Return a reader for each column of a dataframe, and what is wrong with the frame as such.

    Readers give arrays: numbers as they are (nulls as NaN), text and other objects as objects
    with None for nulls, dates as ``datetime64``. Each is called once, so that only one column's
    copy is alive at a time.
    """
    if isinstance(frame, Mapping):
        return {str(name): (lambda v=values: v) for name, values in frame.items()}, []
    names = _names(frame)
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        listed = ", ".join(repr(d) for d in doubled)
        return {}, [Problem("duplicate-column", f"columns that stand more than once: {listed}", count=len(doubled))]
    problems: list[Problem] = []
    geometry = _geometry(frame, problems)

    import narwhals.stable.v2 as nw  # noqa: PLC0415 - loaded only where frames are used

    try:
        table = nw.from_native(frame, eager_only=True)
    except TypeError:
        msg = f"expected a pandas, polars or pyarrow table or a mapping of columns, not {type(frame).__name__}"
        return {}, [Problem("not-a-frame", msg)]
    readers: dict[str, Callable[[], Any]] = {
        name: (lambda c=name: _values(table[c], nw))
        for name in table.columns
        if name not in geometry or name in ("lon", "lat")
    }
    readers.update(geometry)
    return readers, problems


def _names(frame: Any) -> list[str]:
    names = getattr(frame, "column_names", None)
    if names is None:
        names = getattr(frame, "columns", ())
    return [str(name) for name in names]


def _geometry(frame: Any, problems: list[Problem]) -> dict[str, Callable[[], Any]]:
    """Return lon and lat of a GeoDataFrame's points; its coordinate system is never assumed."""
    if not hasattr(frame, "to_crs") or not hasattr(frame, "geometry"):
        return {}
    if frame.crs is None:
        problems.append(
            Problem(
                "unknown-crs", "the GeoDataFrame has no coordinate system", hint="Set it: frame.set_crs('EPSG:4326')."
            )
        )
        return {}
    points = frame.geometry.to_crs("EPSG:4326")
    if not (points.geom_type == "Point").all():
        problems.append(
            Problem(
                "not-points", "geometries that are not points", column="geometry", hint="Maybe frame.geometry.centroid?"
            )
        )
        return {}
    found: dict[str, Callable[[], Any]] = {"geometry": lambda: points}
    if not {"lon", "lat"} & set(_names(frame)):
        found |= {"lon": lambda: points.x.to_numpy(), "lat": lambda: points.y.to_numpy()}
    return found


def _values(series: Any, nw: Any) -> Any:
    dtype = series.dtype
    if dtype.is_numeric() and not isinstance(dtype, nw.Decimal):
        return series.cast(nw.Float64).to_numpy() if series.is_null().any() else series.to_numpy()
    if isinstance(dtype, nw.Datetime):
        if dtype.time_zone is not None:
            return np.array(series.to_list(), dtype=object)
        return series.to_numpy()
    if isinstance(dtype, nw.Date):
        return np.array(series.to_list(), dtype="datetime64[D]")
    if isinstance(dtype, (nw.String, nw.Categorical, nw.Enum)):
        return _text(series, nw)
    values = np.empty(len(series), dtype=object)
    values[:] = series.to_list()
    return values


def _text(series: Any, nw: Any) -> Any:
    """Return a text column, null as blank; in chunks, so that few Python strings live at a time."""
    out = np.empty(len(series), dtype=TEXT)
    for first in range(0, len(series), CHUNK):
        part = series[first : first + CHUNK].cast(nw.String).fill_null("").to_list()
        try:
            out[first : first + CHUNK] = part
        except UnicodeEncodeError:  # the column's reader says which rows
            values = np.empty(len(series), dtype=object)
            values[:] = series.to_list()
            return values
    return frozen(out)


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

    try:
        if backend == "pyarrow":  # which takes no object arrays of text without help
            import pyarrow as pa  # noqa: PLC0415 - only where asked for

            return pa.table({k: pa.array(v.tolist() if v.dtype == object else v) for k, v in columns.items()})
        return nw.from_dict(
            {k: v.tolist() if v.dtype == object else v for k, v in columns.items()}, backend=backend
        ).to_native()
    except ImportError as error:
        raise MissingExtraError(backend, "notebooks") from error
