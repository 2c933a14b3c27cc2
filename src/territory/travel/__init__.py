"""How long from A to B: travel times and distances between places.

`GreatCircle` needs nothing but coordinates and is the default; `MatrixTravel` answers from a matrix of the user's.
`RoadGraph`, `Osrm` and `Valhalla` read roads from an extract of OpenStreetMap, `OsrmServer` and `ValhallaServer` ask a
server. `CachedTravel`, `FallbackTravel`, `TimeOfDay` and `ParkingTravel` go around another source. Any object with the
methods of `Travel` will do in their place; `TravelBase` brings most of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from territory.travel.answers import NearestPlaces, RouteGeometry, SnappedPlaces
from territory.travel.base import RawTravel, TravelBase, raw_of
from territory.travel.calibration import DriveFit, DriveSample, drive_error, drive_sample, fit_drive
from territory.travel.density import area_by_density
from territory.travel.detour import DetourFit, LegSample, detour_sample, fit_detour
from territory.travel.detour_error import DetourError, LegError, detour_error
from territory.travel.estimate import DriveConstants
from territory.travel.great_circle import DETOUR, EndMetres, GreatCircle, Speeds
from territory.travel.known import KnownTravel
from territory.travel.matrix import MatrixTravel
from territory.travel.notes import estimate_notes, road_notes
from territory.travel.protocol import UNREACHABLE, Travel, TravelMatrix, whole_metres, whole_seconds

if TYPE_CHECKING:
    from territory.travel.cache import CacheCounts, CachedTravel
    from territory.travel.engines import Osrm, Valhalla
    from territory.travel.fallback import FallbackTravel
    from territory.travel.parking import ParkingTravel
    from territory.travel.roads import RoadGraph
    from territory.travel.servers import HttpLimits, OsrmServer, ValhallaServer
    from territory.travel.time_of_day import TimeOfDay

__all__ = [
    "DETOUR",
    "UNREACHABLE",
    "CacheCounts",
    "CachedTravel",
    "DetourError",
    "DetourFit",
    "DriveConstants",
    "DriveFit",
    "DriveSample",
    "EndMetres",
    "FallbackTravel",
    "GreatCircle",
    "HttpLimits",
    "KnownTravel",
    "LegError",
    "LegSample",
    "MatrixTravel",
    "NearestPlaces",
    "Osrm",
    "OsrmServer",
    "ParkingTravel",
    "RawTravel",
    "RoadGraph",
    "RouteGeometry",
    "SnappedPlaces",
    "Speeds",
    "TimeOfDay",
    "Travel",
    "TravelBase",
    "TravelMatrix",
    "Valhalla",
    "ValhallaServer",
    "area_by_density",
    "default_travel",
    "detour_error",
    "detour_sample",
    "drive_error",
    "drive_sample",
    "estimate_notes",
    "fit_detour",
    "fit_drive",
    "raw_of",
    "road_notes",
    "whole_metres",
    "whole_seconds",
]

#: What is loaded when it is first asked for: it brings SQLite, HTTP or compiled code.
_LATE = {
    "CacheCounts": "cache",
    "CachedTravel": "cache",
    "FallbackTravel": "fallback",
    "HttpLimits": "servers",
    "Osrm": "engines",
    "OsrmServer": "servers",
    "ParkingTravel": "parking",
    "RoadGraph": "roads",
    "TimeOfDay": "time_of_day",
    "Valhalla": "engines",
    "ValhallaServer": "servers",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        msg = f"module 'territory.travel' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"territory.travel.{_LATE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def default_travel() -> Travel:
    """Give the travel that is used where none is named: `GreatCircle` with its default parameters."""
    return GreatCircle()
