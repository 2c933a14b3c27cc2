"""Basic units: postcodes, counties or cells of a grid, which are dealt out whole."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import row_positions, sealed
from territory.model.columns import Kind, column
from territory.model.coordinates import check_coordinates
from territory.model.customers import Customers
from territory.model.names import check_measure
from territory.model.table import Table

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import numpy.typing as npt

    from territory.geo.contiguity import ContiguityGraph, Islands
    from territory.model.arrays import BoolArray, FloatArray, TextArray
    from territory.model.columns import Findings
    from territory.model.table import OnError

__all__ = ["BasicUnits"]

_LONG = 1e9  # as in customers: no duration reaches this
_SUBJECT = "basic units"
#: Columns that a customer has, too.
_SHARED = ("id", "lon", "lat", "name", "workload_s", "owner", "locked", "segment")


@dataclass(frozen=True, eq=False, repr=False)
class BasicUnits(Table):
    """Units of ground, one a row: an id, a place that stands for the unit, its ground, and what it weighs.

    Attributes
    ----------
    lon, lat : float arrays of shape (n,), degrees
        The place that stands for the unit, such as the middle of its people. From polygons a point inside the
        largest part, where the table does not say.
    measures : mapping of name to float array of shape (n,)
        What territories are balanced by: potential, people, any number of columns.
    geometry : object array of Polygon or MultiPolygon, shape (n,), or None
        Longitude and latitude, degrees; valid, cut at the antimeridian.

    Raises
    ------
    InputError
        Everything that is wrong, at once.

    Examples
    --------
    >>> from shapely import box
    >>> units = BasicUnits.from_frame(
    ...     {"id": ["W", "M", "E"], "people": [5, 7, 6], "geometry": [box(i, 50, i + 1, 51) for i in range(3)]},
    ...     measures=["people"],
    ... )
    >>> units.lon.tolist()
    [0.5, 1.5, 2.5]
    >>> units.contiguity().edges.tolist()
    [[0, 1], [1, 2]]
    """

    subject: ClassVar[str] = _SUBJECT

    id: TextArray = column(Kind.TEXT, "unique id, text", required=True, unique=True)
    lon: FloatArray = column(
        Kind.FLOAT, "longitude of the place that stands for the unit, WGS84", required=True, unit="degrees"
    )
    lat: FloatArray = column(Kind.FLOAT, "latitude of that place, WGS84", required=True, unit="degrees")
    name: TextArray | None = column(Kind.TEXT, "what people call the unit", missing=True)
    workload_s: FloatArray | None = column(Kind.FLOAT, "work a week", unit="s", low=0, high=_LONG)
    owner: TextArray | None = column(Kind.TEXT, "rep id of today's owner", missing=True)
    locked: BoolArray | None = column(Kind.BOOL, "whether the owner stays the owner", missing=True)
    segment: TextArray | None = column(Kind.TEXT, "class of the unit", missing=True)
    measures: Mapping[str, FloatArray] = dataclasses.field(default_factory=dict)
    geometry: npt.NDArray[np.object_] | None = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        given = self.geometry
        super().__post_init__()
        if given is not None:
            problems: list[Problem] = []
            shapes, warnings = _polygons(given, problems)
            if not problems and len(shapes) != len(self.id):
                message = f"columns of unequal length: id {len(self.id)}, geometry {len(shapes)}"
                problems.append(Problem("unequal-lengths", message))
            if problems:
                raise InputError(problems, _SUBJECT)
            object.__setattr__(self, "geometry", sealed(shapes))
            fresh = [w for w in warnings if w not in self.diagnostics]
            object.__setattr__(self, "diagnostics", (*self.diagnostics, *fresh))

    @classmethod
    def _check(cls, columns: dict[str, Any], findings: Findings) -> None:
        check_coordinates(columns["lon"], columns["lat"], findings)
        for name in columns["measures"]:
            # units become customers; said here, where the name is chosen
            taken = check_measure(name, Customers)
            if taken is not None:
                hint = f"Choose another name: measures={{'unit_{name}': '{name}'}}."
                findings.table(taken.code, f"{name!r} is a column of customers, and no name for a measure", hint=hint)
        locked, owner = columns.get("locked"), columns.get("owner")
        if locked is not None:
            nobody = locked if owner is None else locked & (owner == "")
            findings.rows("locked-without-owner", "locked, but has no owner", np.asarray(nobody), column="locked")

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        columns: Mapping[str, str | None] | None = None,
        preset: str | None = None,
        measures: Iterable[str] | Mapping[str, str] = (),
        on_error: OnError = "raise",
        date_format: str | None = None,
        text_cells: bool = False,
    ) -> Self:
        """Read units from a GeoDataFrame, or from any table with lon and lat, or with a column ``geometry``.

        Parameters
        ----------
        frame : GeoDataFrame, other dataframe, or mapping of column to values
            A GeoDataFrame's polygons must have a coordinate system, and are transformed to WGS84. In any other
            table a column ``geometry`` holds shapely polygons in longitude and latitude. Where there are
            no columns lon and lat, the polygons give them; points of a GeoDataFrame are units without ground.
        columns, preset, measures, on_error, date_format, text_cells
            As for every table.

        Raises
        ------
        InputError
            Everything that is wrong, at once: units without ground, an unknown coordinate system, ...
        """
        rest, given = _apart(frame, (columns or {}).get("geometry", "geometry"))
        names = {name: at for name, at in (columns or {}).items() if name != "geometry"}
        options: dict[str, Any] = {
            "columns": names, "preset": preset, "measures": measures, "on_error": on_error,
            "date_format": date_format, "text_cells": text_cells,
        }  # fmt: skip
        if given is None:
            return super().from_frame(rest, **options)
        problems: list[Problem] = []
        shapes, warnings = _polygons(given, problems)
        if problems:
            raise InputError(problems, _SUBJECT)
        there = set(getattr(rest, "columns", rest))
        if not {names.get("lon") or "lon", names.get("lat") or "lat"} <= there:
            from territory.geo.borders import representative_points  # noqa: PLC0415 - shapely, only for polygons

            lon, lat = representative_points(shapes).T
            rest = _with_places(rest, lon, lat)
            options["columns"] = {k: v for k, v in names.items() if k not in ("lon", "lat")}
        units = super().from_frame(rest, **options)
        if units.rejects is not None:
            shapes = np.delete(shapes, units.rejects.rows)
        object.__setattr__(units, "geometry", sealed(shapes))
        object.__setattr__(units, "diagnostics", (*units.diagnostics, *warnings))
        return units

    @classmethod
    def from_geojson(
        cls,
        source: Mapping[str, Any] | str | os.PathLike[str],
        *,
        columns: Mapping[str, str | None] | None = None,
        measures: Iterable[str] | Mapping[str, str] = (),
    ) -> Self:
        """Read units from a FeatureCollection of polygons (RFC 7946), given as a mapping or the path of a file.

        Properties are the columns; a feature's own ``id`` is the unit's, unless a property is named for it.

        Raises
        ------
        InputError
            No FeatureCollection, or anything that `from_frame` refuses.
        """
        collection = source if isinstance(source, Mapping) else json.loads(Path(source).read_text(encoding="utf-8"))
        features = collection.get("features") if isinstance(collection, Mapping) else None
        if not isinstance(features, list):
            raise InputError([Problem("not-geojson", "expected a FeatureCollection")], _SUBJECT)
        cells = [feature.get("properties") or {} for feature in features]
        frame: dict[str, Any] = {
            name: [row.get(name) for row in cells] for name in dict.fromkeys(key for row in cells for key in row)
        }
        if any(feature.get("id") is not None for feature in features) and "id" not in frame:
            frame["id"] = [feature.get("id") for feature in features]
        frame["geometry"] = dict(collection)
        return cls.from_frame(frame, columns=columns, measures=measures)

    def take(self, idx: npt.ArrayLike) -> Self:
        """Return the units at positions `idx` (or where a bool mask holds), in that order; see `Table.take`."""
        taken = super().take(idx)
        if self.geometry is not None:
            at = row_positions(idx, len(self), self.subject)
            object.__setattr__(taken, "geometry", sealed(self.geometry[at]))
        return taken

    def contiguity(
        self,
        kind: Literal["rook", "queen"] = "rook",
        *,
        bridges: Iterable[tuple[str, str]] = (),
        islands: Islands = "refuse",
        tolerance_m: float = 1.0,
    ) -> ContiguityGraph:
        """Return the graph of units that share a border, with its length.

        Parameters
        ----------
        kind : {"rook", "queen"}
            Whether a border must be longer than nothing, or a corner will do.
        bridges : iterable of pairs of ids, optional
            Units that are neighbours without a border, such as those on both ends of a ferry.
        islands : {"refuse", "parts", "join"}
            See `territory.geo.contiguity.ContiguityGraph`.
        tolerance_m : float, metres
            Gaps up to about this width between units are none: lines that were drawn, or transformed, apart.

        Raises
        ------
        InputError
            Units without ground, unknown ids, an unknown kind, or a tolerance below 0.

        Notes
        -----
        The 3,200 counties of the USA take about 1 s. Units that overlap are neighbours; they are named in
        ``.diagnostics``.
        """
        from territory.model.contiguity import unit_graph  # noqa: PLC0415 - shapely, only for polygons

        return unit_graph(self, kind, bridges=bridges, islands=islands, tolerance_m=tolerance_m)

    def to_customers(self) -> Customers:
        """Return the units as customers, each at the place that stands for it."""
        shared = {name: getattr(self, name) for name in _SHARED if getattr(self, name) is not None}
        return Customers(**shared, measures=self.measures, diagnostics=self.diagnostics)


def _apart(frame: Any, name: str | None) -> tuple[Any, Any]:
    """Return a table without its geometry, and the geometry, or None where there are no polygons."""
    if hasattr(frame, "to_crs") and hasattr(frame, "geometry"):
        geometry = frame.geometry
        if len(geometry) and (geometry.geom_type == "Point").all():
            return frame, None
        # what is left is a plain dataframe
        return frame.drop(columns=[geometry.name]), geometry
    names = list(frame) if isinstance(frame, Mapping) else list(getattr(frame, "columns", ()))
    if name is None or name not in names:
        return frame, None
    if isinstance(frame, Mapping):
        return {key: values for key, values in frame.items() if key != name}, frame[name]
    drop = frame.drop(columns=[name]) if hasattr(frame, "iloc") else frame.drop([name])
    return drop, frame[name].to_list() if hasattr(frame[name], "to_list") else list(frame[name])


def _with_places(frame: Any, lon: FloatArray, lat: FloatArray) -> Any:
    """Return a table with columns lon and lat."""
    if isinstance(frame, Mapping):
        return {**frame, "lon": lon, "lat": lat}
    import narwhals.stable.v2 as nw  # noqa: PLC0415 - loaded only where frames are used

    table = nw.from_native(frame, eager_only=True)
    backend = table.implementation
    places = [nw.new_series(name, values, backend=backend) for name, values in (("lon", lon), ("lat", lat))]
    index = getattr(frame, "index", None)
    if index is not None:  # pandas would align by labels what is to be put side by side
        return frame.assign(lon=lon, lat=lat)
    return table.with_columns(*places).to_native()


def _polygons(given: Any, problems: list[Problem]) -> tuple[npt.NDArray[np.object_], tuple[Problem, ...]]:
    """Read polygons; what is wrong goes to `problems`."""
    from territory.geo.barriers import geometries_of  # noqa: PLC0415 - shapely, only for polygons
    from territory.geo.borders import readable_units  # noqa: PLC0415

    shapes = geometries_of(given, "units", problems)
    return (shapes, ()) if problems else readable_units(shapes, problems)
