"""Travel times on real roads from engines that run in this process, without a server: OSRM and Valhalla.

Both read an extract of OpenStreetMap, build their own graph of it once, and keep that in a folder. Both need Python
3.12 or newer and the extra ``road``.
"""

from __future__ import annotations

from territory.travel.engines.osrm import Osrm
from territory.travel.engines.valhalla import Valhalla

__all__ = ["Osrm", "Valhalla"]
