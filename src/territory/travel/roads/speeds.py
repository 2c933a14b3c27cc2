"""How fast one gets on by class, surface and limit of roads: the defaults of the reader of extracts, with sources.

All figures but `JUNCTION_S` are those of the profiles of OSRM (car, bicycle and foot; BSD 2-Clause licence, Project
OSRM contributors), which were estimated for a whole drive, not for the limit: 80 % of it are driven.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "FERRY_KM_H", "GATE_S", "JUNCTION_S", "LIMITS_KM_H", "LIMIT_SHARE", "MODES", "SPEEDS_KM_H", "SURFACES_KM_H",
    "TOLD_KM_H",
]  # fmt: skip

MODES: Final = ("car", "bicycle", "foot")

#: Kilometres per hour by class of highway; classes that are not listed are not used.
SPEEDS_KM_H: Final[dict[str, dict[str, float]]] = {
    "car": {
        "motorway": 90, "motorway_link": 45, "trunk": 85, "trunk_link": 40, "primary": 65, "primary_link": 30,
        "secondary": 55, "secondary_link": 25, "tertiary": 40, "tertiary_link": 20, "unclassified": 25,
        "residential": 25, "living_street": 10, "service": 15,
    },
    "bicycle": {
        "primary": 15, "primary_link": 15, "secondary": 15, "secondary_link": 15, "tertiary": 15, "tertiary_link": 15,
        "unclassified": 15, "residential": 15, "living_street": 15, "service": 15, "cycleway": 15, "track": 12,
        "path": 13, "footway": 4, "pedestrian": 4, "steps": 2,
    },
    "foot": dict.fromkeys(
        (
            "primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link", "unclassified",
            "residential", "living_street", "service", "track", "path", "steps", "pedestrian", "footway", "platform",
            "cycleway", "bridleway", "corridor",
        ),
        5.0,
    ),
}  # fmt: skip

#: On ways of other classes that say that they are open to the mode by name, as farm tracks to cars.
TOLD_KM_H: Final = {"car": 10.0, "bicycle": 15.0, "foot": 5.0}

#: Most kilometres per hour by surface, track type and smoothness.
SURFACES_KM_H: Final[dict[str, dict[str, dict[str, float]]]] = {
    "car": {
        "surface": {
            "cement": 80, "compacted": 80, "fine_gravel": 80, "paving_stones": 60, "metal": 60, "bricks": 60,
            "grass": 40, "wood": 40, "sett": 40, "grass_paver": 40, "gravel": 40, "unpaved": 40, "ground": 40,
            "dirt": 40, "pebblestone": 40, "tartan": 40, "cobblestone": 30, "clay": 30, "earth": 20, "stone": 20,
            "rocky": 20, "sand": 20, "laterite": 15, "mud": 10, "ice": 20, "snow": 30,
        },
        "tracktype": {"grade1": 60, "grade2": 40, "grade3": 30, "grade4": 25, "grade5": 20},
        "smoothness": {
            "intermediate": 80, "bad": 40, "very_bad": 20, "horrible": 10, "very_horrible": 5, "impassable": 0,
        },
    },
    "bicycle": {
        "surface": {
            "wood": 10, "metal": 10, "cobblestone:flattened": 10, "paving_stones": 10, "compacted": 10,
            "cobblestone": 7, "unpaved": 6, "fine_gravel": 10, "gravel": 6, "pebblestone": 6, "grass_paver": 6,
            "ground": 10, "dirt": 8, "earth": 6, "laterite": 5, "grass": 6, "mud": 3, "sand": 3, "woodchips": 3,
            "sett": 9,
        },
        "smoothness": {"impassable": 0},
    },
    "foot": {
        "surface": {"fine_gravel": 3.75, "gravel": 3.75, "pebblestone": 3.75, "mud": 2.5, "sand": 2.5},
        "smoothness": {"impassable": 0},
    },
}  # fmt: skip

#: The share of a limit that is driven.
LIMIT_SHARE: Final = 0.8

#: Limits by country and kind of road, km/h; without the country, those that hold nearly everywhere.
LIMITS_KM_H: Final[dict[str, float]] = {
    "urban": 50, "rural": 90, "trunk": 110, "motorway": 130, "living_street": 10, "walk": 5, "none": 140,
    "at:rural": 100, "at:trunk": 100, "ar:urban": 40, "ar:rural": 110, "be:motorway": 120, "be-bru:rural": 70,
    "be-bru:urban": 30, "be-vlg:rural": 70, "bg:motorway": 140, "by:urban": 60, "by:motorway": 110, "ca-on:rural": 80,
    "ch:rural": 80, "ch:trunk": 100, "ch:motorway": 120, "de:living_street": 7, "de:walk": 7, "de:rural": 100,
    "de:motorway": 140, "dk:rural": 80, "es:trunk": 90, "fr:rural": 80, "gb:nsl_single": 96.56, "gb:nsl_dual": 112.65,
    "gb:motorway": 112.65, "uk:nsl_single": 96.56, "uk:nsl_dual": 112.65, "uk:motorway": 112.65,
    "lv:living_street": 20, "nl:rural": 80, "nl:trunk": 100, "no:rural": 80, "no:motorway": 110, "ph:urban": 40,
    "ph:rural": 80, "ph:motorway": 100, "pl:rural": 100, "pl:expressway": 120, "pl:motorway": 140, "ro:trunk": 100,
    "ru:living_street": 20, "ru:urban": 60, "ru:motorway": 110, "za:urban": 60, "za:rural": 100,
}  # fmt: skip

#: Ferries and car trains that do not say how long they take.
FERRY_KM_H: Final = {"ferry": 5.0, "shuttle_train": 10.0}

#: To open a gate.
GATE_S: Final = 60.0

#: What a junction of three or more roads costs, seconds. OSRM's profiles charge turns by their angle; by their
#: formulas a car loses 2.1 s in a right angle to the right and 7.3 s in one to the left, a bicycle 0.1 s and 5.9 s,
#: and next to nothing straight on. An assumption turns this into one figure: about one passage in five is a turn, to
#: either side as often. With it, the median ratio of times by car to OSRM's own, turns and all, is 1.04, 1.06, 1.00 and
#: 1.00 among 200 random spots on the roads of Liechtenstein, Andorra, Porto and Munich. Pedestrians lose nothing.
JUNCTION_S: Final = {"car": 1.0, "bicycle": 0.6, "foot": 0.0}
