"""What tags of ways and nodes of OpenStreetMap mean for who travels: may they pass, in which direction, how fast."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from territory.travel.roads.speeds import (
    FERRY_KM_H,
    GATE_S,
    LIMIT_SHARE,
    LIMITS_KM_H,
    SPEEDS_KM_H,
    SURFACES_KM_H,
    TOLD_KM_H,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    Tags = Mapping[str, str]

__all__ = ["Pass", "Rules", "duration_s", "limit_km_h"]

#: Tags that say who may pass, the first that is there decides.
_ACCESS: Final = {
    "car": ("motorcar", "motor_vehicle", "vehicle", "access"),
    "bicycle": ("bicycle", "vehicle", "access"),
    "foot": ("foot", "access"),
}
#: Who may not: roads for residents, deliveries or customers are open, as who plans visits goes there; private ones
#: are not.
_CLOSED: Final = frozenset({
    "no", "private", "agricultural", "forestry", "emergency", "psv", "bus", "taxi", "military", "official",
    "restricted", "use_sidepath", "agricultural;forestry", "forestry;agricultural", "foot", "bicycle", "horse",
    "permit",
})  # fmt: skip
_OPEN: Final = frozenset({"yes", "designated", "permissive", "destination", "customers", "delivery"})
#: Ways that are not there.
_NO_WAY: Final = frozenset({
    "construction", "proposed", "planned", "abandoned", "razed", "disused", "demolished", "historic", "raceway",
    "elevator", "bus_guideway", "escape", "rest_area", "services", "no",
})  # fmt: skip
#: Ways on which nobody stops.
_NO_STOP: Final = frozenset({"motorway", "motorway_link"})
_FORWARD: Final = frozenset({"yes", "true", "1"})
_BACKWARD: Final = frozenset({"-1", "reverse"})
#: Barriers that cars pass, and that they open.
_PASSED: Final = frozenset({
    "cattle_grid", "border_control", "toll_booth", "sally_port", "no", "entrance", "height_restrictor", "arch",
    "bump_gate", "kerb",
})  # fmt: skip
_OPENED: Final = frozenset({"gate", "lift_gate", "swing_gate"})
#: Barriers that stop everybody.
_WALLS: Final = frozenset({"yes", "wall", "fence", "city_wall", "retaining_wall"})

_SPEED: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?")
_UNITS: Final = {"mph": 1.609344, "knots": 1.852}
_CLOCK: Final = re.compile(r"(\d+)(?::(\d{1,2}))?(?::(\d{1,2}))?")
_ISO: Final = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pass:
    """How a way may be used.

    Attributes
    ----------
    forward_km_h, backward_km_h : float
        0 where it may not be.
    duration_s : float
        Of the whole way in either direction, in place of speeds; 0: not known.
    midway : bool
        Whether trips may begin and end on it; not so on ferries and motorways, and in tunnels.
    """

    forward_km_h: float
    backward_km_h: float
    duration_s: float = 0.0
    midway: bool = True


class Rules:
    """The meaning of tags for one mode.

    Parameters
    ----------
    mode : "car", "bicycle" or "foot"
    speeds : mapping of str to float
        Kilometres per hour by class of highway, in place of the defaults, class by class.
    signal_s : float
    """

    def __init__(self, mode: str, speeds: Mapping[str, float], signal_s: float) -> None:
        self.mode, self.signal_s = mode, signal_s
        self.speeds = {**SPEEDS_KM_H[mode], **speeds}
        self.surfaces = SURFACES_KM_H[mode]
        self.access = _ACCESS[mode]

    def way(self, tags: Tags) -> Pass | None:
        """Return how a way may be used; None: not at all."""
        highway = tags.get("highway")
        route = tags.get("route")
        if highway is None:
            return self._ferry(tags, FERRY_KM_H[route]) if route in FERRY_KM_H else None
        if highway in _NO_WAY or not self._allowed(tags, highway):
            return None
        speed = self._class_speed(tags, highway)
        if speed <= 0:
            return None
        forward, backward = self._directions(tags, highway)
        there = self._speed(tags, speed, "forward") if forward else 0.0
        back = self._speed(tags, speed, "backward") if backward else 0.0
        midway = highway not in _NO_STOP and tags.get("motorroad") != "yes" and tags.get("tunnel") != "yes"
        return Pass(there, back, midway=midway) if there > 0 or back > 0 else None

    def node(self, tags: Tags) -> tuple[bool, float]:
        """Return whether a node stops who comes along, and what it costs to pass, seconds."""
        wait = self.signal_s if tags.get("highway") == "traffic_signals" else 0.0
        barrier = tags.get("barrier")
        if barrier is None:
            return False, wait
        told = next((tags[key] for key in self.access if key in tags), None)
        if told is not None:
            return told in _CLOSED, wait
        if self.mode != "car":
            return barrier in _WALLS, wait
        if barrier in _OPENED:
            return tags.get("locked") == "yes", wait + GATE_S
        rising = tags.get("bollard") == "rising"
        return not (barrier in _PASSED or rising), wait

    def _ferry(self, tags: Tags, km_h: float) -> Pass | None:
        told = next((tags[key] for key in self.access if key in tags), None)
        if told in _CLOSED:
            return None
        forward, backward = self._directions(tags, "")
        takes = duration_s(tags.get("duration", ""))
        return Pass(km_h if forward else 0.0, km_h if backward else 0.0, takes, midway=False)

    def _allowed(self, tags: Tags, highway: str) -> bool:
        told = next((tags[key] for key in self.access if key in tags), None)
        if told is not None and told in _CLOSED:
            return False
        if self.mode == "car":
            if tags.get("area") == "yes" or tags.get("service") == "emergency_access":
                return False
            return tags.get("oneway") != "reversible" and tags.get("impassable") != "yes"
        by_name = tags.get(self.mode) in _OPEN
        if tags.get("motorroad") == "yes" or highway in ("motorway", "motorway_link"):
            return by_name
        return True

    def _class_speed(self, tags: Tags, highway: str) -> float:
        """Return the speed of a class of ways, that of walking where a bicycle has to be pushed; 0: not used."""
        if self.mode == "bicycle":
            told = tags.get("bicycle")
            if told == "dismount":
                return min(self.speeds.get(highway, 4.0), 4.0)
            if highway in ("footway", "pedestrian", "path") and told in _OPEN:
                return max(self.speeds.get(highway, 0.0), self.speeds.get("cycleway", 0.0))
        if highway in self.speeds:
            return self.speeds[highway]
        by_name = next((tags[key] for key in self.access if key in tags and key not in ("access", "vehicle")), None)
        return TOLD_KM_H[self.mode] if by_name in _OPEN else 0.0

    def _directions(self, tags: Tags, highway: str) -> tuple[bool, bool]:
        """Return whether a way may be used forward and backward."""
        if self.mode == "foot":
            told = tags.get("oneway:foot")
        else:
            own = ("oneway:motorcar", "oneway:motor_vehicle") if self.mode == "car" else ("oneway:bicycle",)
            told = next((tags[key] for key in (*own, "oneway") if key in tags), None)
            rounds = tags.get("junction") in ("roundabout", "circular")
            if told is None and (rounds or highway == "motorway"):
                told = "yes"
        if told in _FORWARD:
            return True, self._against(tags)
        if told in _BACKWARD:
            return self._against(tags), True
        return True, True

    def _against(self, tags: Tags) -> bool:
        """Return whether a bicycle may go against a one-way street."""
        if self.mode != "bicycle" or tags.get("oneway:bicycle") in _FORWARD | _BACKWARD:
            return False
        sides = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
        if any(tags.get(side, "").startswith("opposite") for side in sides):
            return True
        return any(tags.get(f"{side}:oneway") in ("no", "-1") for side in sides)

    def _speed(self, tags: Tags, speed: float, direction: str) -> float:
        """Return the speed in one direction, by class, limit and surface."""
        if self.mode == "car":
            limit = 0.0
            for key in ("maxspeed:advisory", "maxspeed", "source:maxspeed", "maxspeed:type", "zone:maxspeed"):
                told = tags.get(f"{key}:{direction}", tags.get(key))
                limit = limit_km_h(told) if told else 0.0
                if limit > 0:
                    break
            if limit > 0:
                speed = limit * LIMIT_SHARE
        for key, most in self.surfaces.items():
            if key in tags:
                speed = min(speed, most.get(tags[key], speed))
        return speed


def limit_km_h(told: str) -> float:
    """Return a speed limit in km/h; 0: none is told, or not in a number.

    >>> limit_km_h("50"), limit_km_h("CH:rural"), limit_km_h("80;60"), limit_km_h("signals"), limit_km_h("30 mph")
    (50.0, 80.0, 60.0, 0.0, 48.28032)
    """
    found = []
    for part in re.split(r"[;,|]", told.lower()):
        text = part.strip()
        number = _SPEED.fullmatch(text)
        if number:
            found.append(float(number[1]) * _UNITS.get(number[2] or "", 1.0))
        elif text in LIMITS_KM_H:
            found.append(float(LIMITS_KM_H[text]))
        else:
            country, _, kind = text.partition(":")
            zone = _SPEED.fullmatch(kind.removeprefix("zone"))
            if zone and country.isalpha():
                found.append(float(zone[1]))
            elif len(country) <= 6 and kind in LIMITS_KM_H:
                found.append(float(LIMITS_KM_H[kind]))
    usable = [speed for speed in found if speed > 0]
    return min(usable, default=0.0)


def duration_s(told: str) -> float:
    """Return a duration in seconds; 0: none, or unreadable.

    >>> duration_s("1:30"), duration_s("20"), duration_s("00:05:30"), duration_s("PT1H5M"), duration_s("soon")
    (5400.0, 1200.0, 330.0, 3900.0, 0.0)
    """
    text = told.strip()
    clock = _CLOCK.fullmatch(text)
    if clock:
        a, b, c = (int(x) if x else 0 for x in clock.groups())
        return 60.0 * a if clock[2] is None else 3600.0 * a + 60.0 * b + c
    iso = _ISO.fullmatch(text)
    if iso:
        days, hours, minutes, seconds = (int(x) if x else 0 for x in iso.groups())
        return 86400.0 * days + 3600.0 * hours + 60.0 * minutes + seconds
    return 0.0
