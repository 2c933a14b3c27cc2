"""Files in and out: tables, plans, calendars, maps for other programs.

Needs the ``io`` extra (pyarrow, icalendar, gpxpy), each package only where it is used.
"""

from __future__ import annotations

from territory.io.calendar import plan_ics
from territory.io.files import OutputError, atomic_write, probe_writable, safe_name, safe_names
from territory.io.geocode import Geocoded, geocode
from territory.io.geojson import alignment_geojson, polygons_geojson, polygons_geopandas, routes_geojson, write_geojson
from territory.io.gpx import route_gpx
from territory.io.links import google_maps_links
from territory.io.plan_folder import REPORT, refuse_foreign
from territory.io.plans import read_plan, write_plan
from territory.io.tables import read_customers, read_reps, read_table, read_visits, write_table

__all__ = [
    "REPORT",
    "Geocoded",
    "OutputError",
    "alignment_geojson",
    "atomic_write",
    "geocode",
    "google_maps_links",
    "plan_ics",
    "polygons_geojson",
    "polygons_geopandas",
    "probe_writable",
    "read_customers",
    "read_plan",
    "read_reps",
    "read_table",
    "read_visits",
    "refuse_foreign",
    "route_gpx",
    "routes_geojson",
    "safe_name",
    "safe_names",
    "write_geojson",
    "write_plan",
    "write_table",
]
