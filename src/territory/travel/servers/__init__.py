"""Travel on real roads from servers of OSRM and Valhalla, over HTTP.

Servers fail, and take their time. `HttpLimits` says how long one waits for them and how often one asks again; what is
then still missing is a `TravelError`, or the part of a `territory.travel.fallback.FallbackTravel`. Needs the extra
``road``.
"""

from __future__ import annotations

from territory.travel.servers.limits import HttpLimits
from territory.travel.servers.osrm import OsrmServer
from territory.travel.servers.valhalla import ValhallaServer

__all__ = ["HttpLimits", "OsrmServer", "ValhallaServer"]
