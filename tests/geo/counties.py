"""The counties of the USA, from the folder of shared data: a small reader of TopoJSON."""

from __future__ import annotations

import csv
import json

import numpy as np
import shapely


def counties(real_data):
    """Return ids and polygons."""
    topology = json.loads((real_data / "polygons" / "counties-10m.json").read_text(encoding="utf-8"))
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = [np.cumsum(arc, axis=0) * scale + shift for arc in topology["arcs"]]

    def ring(numbers):
        parts = [arcs[k] if k >= 0 else arcs[~k][::-1] for k in numbers]
        return np.concatenate([parts[0], *(p[1:] for p in parts[1:])])

    def polygon(rings):
        # rounding has left rings without ground
        shell, *holes = (r for r in map(ring, rings) if len(r) > 3)
        return shapely.Polygon(shell, holes)

    ids, shapes = [], []
    for geometry in topology["objects"]["counties"]["geometries"]:
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        ids.append(geometry["id"])
        shapes.append(shapely.MultiPolygon([polygon(p) for p in polygons if len(ring(p[0])) > 3]))
    return ids, shapes


def published(real_data):
    """Return the published neighbours with their border, km."""
    with (real_data / "polygons" / "us_counties_adjacency.csv").open(encoding="utf-8") as file:
        return {(row["fips_a"], row["fips_b"]): float(row["border_km"]) for row in csv.DictReader(file)}
