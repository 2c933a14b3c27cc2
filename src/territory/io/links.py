"""A route as links that open it in Google Maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from territory.errors import InputError, Problem
from territory.model.nights import route_ends

if TYPE_CHECKING:
    from territory.model import Plan

__all__ = ["google_maps_links"]

#: Maps URLs documentation: at most nine waypoints (three where a mobile browser opens the link).
MAX_WAYPOINTS: Final = 9
#: The same: URLs are limited to 2,048 characters.
_MAX_URL: Final = 2_048


def google_maps_links(plan: Plan, rep_id: str, day: object, *, max_waypoints: int = MAX_WAYPOINTS) -> list[str]:
    """Return a rep's day as Google Maps direction links, each beginning where the one before ends.

    Parameters
    ----------
    plan : Plan
    rep_id : str
    day : date
    max_waypoints : int, 0 <= max_waypoints
        Places between a link's first and last. Google documents 9, and 3 in mobile browsers.

    Returns
    -------
    list of str
        URLs of less than 2,048 characters, in order. No account or key is needed.

    Raises
    ------
    InputError
        Unknown rep, no visits on that day, or `max_waypoints` out of range.

    References
    ----------
    Google, Maps URLs, https://developers.google.com/maps/documentation/urls/get-started
    """
    if isinstance(max_waypoints, bool) or not isinstance(max_waypoints, int) or max_waypoints < 0:
        message = f"expected a whole number >= 0, not {max_waypoints!r}"
        raise InputError([Problem("bad-parameter", message, column="max_waypoints")], "parameters")
    route = plan.route(rep_id, day)
    begin, end = (places[route.row] for places in route_ends(plan))
    at = route.stops.customer_idx
    places = [_place(*begin)]
    places += [_place(plan.customers.lon[i], plan.customers.lat[i]) for i in at]
    places.append(_place(*end))
    links = []
    first = 0
    while first < len(places) - 1:
        last = min(first + max_waypoints + 1, len(places) - 1)
        link = _link(places[first : last + 1])
        while len(link) >= _MAX_URL:
            last -= 1
            link = _link(places[first : last + 1])
        links.append(link)
        first = last
    return links


def _place(lon: float, lat: float) -> str:
    # Google writes latitude first; six digits are a decimetre
    return f"{lat:.6f},{lon:.6f}"


def _link(places: list[str]) -> str:
    between = f"&waypoints={quote('|'.join(places[1:-1]), safe='')}" if len(places) > 2 else ""
    origin, destination = quote(places[0], safe=""), quote(places[-1], safe="")
    return (
        f"https://www.google.com/maps/dir/?api=1&origin={origin}&destination={destination}{between}&travelmode=driving"
    )
