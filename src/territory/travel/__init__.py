"""How long from A to B: travel times and distances between places.

`GreatCircle` needs nothing but coordinates and is the default; `MatrixTravel` answers from a matrix of the user's.
Any object with the methods of `Travel` will do in their place; `TravelBase` brings most of them.
"""

from __future__ import annotations

from territory.travel.answers import NearestPlaces, RouteGeometry, SnappedPlaces
from territory.travel.base import RawTravel, TravelBase
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

__all__ = [
    "DETOUR",
    "UNREACHABLE",
    "DetourError",
    "DetourFit",
    "DriveConstants",
    "DriveFit",
    "DriveSample",
    "EndMetres",
    "GreatCircle",
    "KnownTravel",
    "LegError",
    "LegSample",
    "MatrixTravel",
    "NearestPlaces",
    "RawTravel",
    "RouteGeometry",
    "SnappedPlaces",
    "Speeds",
    "Travel",
    "TravelBase",
    "TravelMatrix",
    "area_by_density",
    "default_travel",
    "detour_error",
    "detour_sample",
    "drive_error",
    "drive_sample",
    "estimate_notes",
    "fit_detour",
    "fit_drive",
    "road_notes",
    "whole_metres",
    "whole_seconds",
]


def default_travel() -> Travel:
    """Give the travel that is used where none is named: `GreatCircle` with its default parameters."""
    return GreatCircle()
