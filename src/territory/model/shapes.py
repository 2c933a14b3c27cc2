"""The polygons of an alignment's territories, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import InputError, Problem
from territory.model.frames import to_native
from territory.model.late import late

if TYPE_CHECKING:
    from territory.geo.rings import Region
    from territory.model.alignment import Alignment
    from territory.model.arrays import IdxArray

__all__ = ["TerritoryPolygons"]


@dataclass(frozen=True, eq=False, repr=False)
class TerritoryPolygons:
    """Territories as polygons that share the map: no gaps, no overlaps, common borders equal to the last digit.

    Attributes
    ----------
    alignment : Alignment, n customers in k territories
    geometry : tuple of Polygon or MultiPolygon, length k
        Longitude and latitude with seven digits, in the order of the territories. Exterior rings run
        counter-clockwise, and nothing crosses the antimeridian (RFC 7946). Empty where a territory has no ground.
    outside : int32 array
        Positions of the customers that are not in their own territory's polygon; `diagnostics` says why.
    diagnostics : tuple of Problem
        Warnings.
    """

    alignment: Alignment
    geometry: tuple[Region, ...]
    outside: IdxArray
    diagnostics: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.geometry)

    def __getitem__(self, territory_id: str) -> Region:
        ids = self.alignment.territory_id.tolist()
        if territory_id not in ids:
            raise InputError([Problem("unknown-id", f"unknown: {territory_id!r}", column="territory_id")], "polygons")
        return self.geometry[ids.index(territory_id)]

    def measures(self) -> dict[str, Any]:
        """Return area_km2, perimeter_km (borders of holes included) and polsby_popper, float arrays of shape (k,).

        ``polsby_popper`` is 4 pi area / perimeter squared: 1 for a disc; NaN for an empty polygon. The perimeter, and
        so this, depends on how finely borders are drawn: compare only polygons that were drawn in the same way.
        """
        from territory.geo.extent import area_m2, perimeter_m, polsby_popper  # noqa: PLC0415 - shapely, where drawn

        area = np.array([area_m2(shape) for shape in self.geometry], dtype=np.float64)
        perimeter = np.array([perimeter_m(shape) for shape in self.geometry], dtype=np.float64)
        compact = np.array([polsby_popper(a, p) for a, p in zip(area, perimeter, strict=True)], dtype=np.float64)
        return {"area_km2": area / 1e6, "perimeter_km": perimeter / 1e3, "polsby_popper": compact}

    def to_dict(self) -> dict[str, Any]:
        """Return the columns of `to_frame` as arrays."""
        wkt = np.array([*(shape.wkt for shape in self.geometry), ""], dtype=object)[:-1]
        return {**late("review", "basic_report", self.alignment), **self.measures(), "wkt": wkt}

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return a table of the territories: id, rep, customers, measures, area, and the polygon as well-known text."""
        return to_native(self.to_dict(), backend)

    def to_geopandas(self) -> Any:
        """Return a GeoDataFrame in WGS 84 (EPSG:4326).

        Raises
        ------
        MissingExtraError
            GeoPandas is not installed.
        """
        return late("io", "polygons_geopandas", self)

    def to_geojson(self, *, homes: bool = False, customers: bool = False) -> dict[str, Any]:
        """Return a GeoJSON FeatureCollection (RFC 7946); `territory.io.write_geojson` writes it.

        Parameters
        ----------
        homes, customers : bool
            Whether to add the reps' homes, and the customers, as points.

        Returns
        -------
        dict
            A feature for each territory; its id is the territory's, its properties are ``kind`` ("territory"),
            ``territory_id``, ``rep_id``, ``customers``, the measures with targets and deviations, and distances. A
            territory without ground has ``null`` for its geometry.
        """
        return dict(late("io", "polygons_geojson", self, homes=homes, customers=customers))

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        """The same as `to_geojson`, where other libraries look for it."""
        return self.to_geojson()

    def __repr__(self) -> str:
        out = f", {len(self.outside)} customers outside" if len(self.outside) else ""
        return f"<TerritoryPolygons: {len(self)} territories{out}>"
