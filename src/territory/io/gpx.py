"""A route as GPX, which navigation devices and apps read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from territory.io.extras import needed
from territory.io.files import printable
from territory.io.times import as_datetime
from territory.model.nights import route_ends

if TYPE_CHECKING:
    import numpy as np

    from territory.model import Plan

__all__ = ["route_gpx"]


def route_gpx(plan: Plan, rep_id: str, day: object) -> str:
    """Write a rep's day as GPX 1.1: a waypoint a visit, and a route through them.

    It begins and ends at home, or where the night is spent.

    Parameters
    ----------
    plan : Plan
    rep_id : str
    day : date

    Returns
    -------
    str
        An XML document. Times are in UTC, as the format asks for (for a rep without a time zone:
        the wall clock): of a visit its start, of the route's ends the leaving and the coming back.

    Raises
    ------
    InputError
        Unknown rep, or no visits on that day.
    MissingExtraError
        gpxpy is not installed.
    """
    gpxpy = needed("gpxpy.gpx")
    route = plan.route(rep_id, day)
    customers = plan.customers
    begin, end = (places[route.row] for places in route_ends(plan))
    gpx = gpxpy.GPX()
    gpx.creator = "territory"
    gpx.name = printable(f"{rep_id} {route.day}")
    line = gpxpy.GPXRoute(name=gpx.name)

    def point(kind: Any, place: Any, name: str, time: np.datetime64, text: str | None = None) -> Any:
        lon, lat = (round(float(v), 7) for v in place)
        return kind(latitude=lat, longitude=lon, name=printable(name), description=text, time=as_datetime(time))

    leave, back = plan.routes.leave[route.row], plan.routes.back[route.row]
    line.points.append(point(gpxpy.GPXRoutePoint, begin, "Start", leave))
    for number, (i, start) in enumerate(zip(route.stops.customer_idx.tolist(), route.stops.start, strict=True), 1):
        customer_id = str(customers.id[i])
        name = f"{number} {customer_id if customers.name is None or not customers.name[i] else customers.name[i]}"
        for kind, points in ((gpxpy.GPXWaypoint, gpx.waypoints), (gpxpy.GPXRoutePoint, line.points)):
            points.append(point(kind, (customers.lon[i], customers.lat[i]), name, start, printable(customer_id)))
    line.points.append(point(gpxpy.GPXRoutePoint, end, "End", back))
    gpx.routes.append(line)
    return str(gpx.to_xml(version="1.1"))
