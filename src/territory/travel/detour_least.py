"""The two least squares behind `fit_detour`: detours from metres, then speeds from seconds on these metres."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.travel.great_circle import EndMetres, GreatCircle, Speeds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray

__all__ = ["PARAMETERS", "fitted"]

#: Where each parameter is looked for, and what is a usual step.
PARAMETERS: Final = {
    "detour": (1.0, 5.0, 0.5),
    "end_m.urban": (0.0, 2_000.0, 100.0),
    "end_m.suburban": (0.0, 2_000.0, 100.0),
    "end_m.rural": (0.0, 2_000.0, 100.0),
    "access_km": (0.05, 50.0, 5.0),
    "speeds_km_h.urban": (5.0, 130.0, 40.0),
    "speeds_km_h.suburban": (5.0, 130.0, 40.0),
    "speeds_km_h.rural": (5.0, 130.0, 40.0),
    "speeds_km_h.through": (5.0, 130.0, 40.0),
}
#: Relative errors beyond which a leg's weight fades.
_SOFT: Final = 0.5
#: Errors of legs shorter than this count as those of such a leg: a minute more or less on the way next door is little.
_SHORT_S, _SHORT_M = 60.0, 500.0
#: Kilometres of access that the search begins at: it has several hollows.
_ACCESSES: Final = (2.0, 5.0, 12.0)


def fitted(
    begin: GreatCircle,
    names: Sequence[str],
    crow: FloatArray,
    ends: NDArray[np.int8],
    metres: FloatArray,
    seconds: FloatArray,
) -> GreatCircle:
    """Fit some parameters to legs.

    Parameters
    ----------
    begin : GreatCircle
        The others stay as they are there.
    names : sequence of str
        Some of `PARAMETERS`.
    crow, metres, seconds : float arrays of shape (n,)
        Great circles, distances and times by road; positive.
    ends : int8 array of shape (2, n)
        Areas of both ends, none unknown.

    Returns
    -------
    GreatCircle
        Speeds at ends are looked for up to the through speed, so that no detour saves time.
    """
    by_metres = [name for name in names if name == "detour" or name.startswith("end_m.")]
    by_seconds = [name for name in names if name not in by_metres]
    short = np.log(metres + _SHORT_M)

    def off_m(travel: GreatCircle) -> FloatArray:
        return np.asarray(np.log(travel.legs_m(crow, ends) + _SHORT_M) - short)

    found = _least(begin, by_metres, off_m)[0]
    road, brief = found.legs_m(crow, ends), np.log(seconds + _SHORT_S)

    def off_s(travel: GreatCircle) -> FloatArray:
        return np.asarray(np.log(travel.road_s(road, ends) + _SHORT_S) - brief)

    accesses = _ACCESSES if "access_km" in names else (found.access_km,)
    tried = [_least(replace(found, access_km=access), by_seconds, off_s) for access in accesses]
    return min(tried, key=lambda one: one[1])[0]


def _least(
    begin: GreatCircle, names: Sequence[str], residual: Callable[[GreatCircle], FloatArray]
) -> tuple[GreatCircle, float]:
    """Return the least squares, errors beyond `_SOFT` weighing less, and what is left."""
    from scipy.optimize import least_squares  # noqa: PLC0415 - slow to load, and only needed here

    if not names:
        return begin, float((residual(begin) ** 2).sum())
    low, high, scale = (list(column) for column in zip(*(PARAMETERS[name] for name in names), strict=True))
    x0 = np.clip([_value(begin, name) for name in names], np.array(low) + 1e-3, np.array(high) - 1e-3)
    # steps wide enough to see past the kinks where access ends
    found = least_squares(
        lambda x: residual(_made(begin, names, x)), x0, bounds=(low, high), x_scale=scale, loss="soft_l1",
        f_scale=_SOFT, diff_step=1e-4,
    )  # fmt: skip
    return _made(begin, names, found.x), float(found.cost)


def _value(travel: GreatCircle, name: str) -> float:
    part, _, area = name.partition(".")
    value = getattr(travel, part)
    return float(getattr(value, area) if area else value)


def _made(begin: GreatCircle, names: Sequence[str], x: FloatArray) -> GreatCircle:
    """Return the travel with some parameters replaced; what is faster than through is as fast as that."""
    given = dict(zip(names, x.tolist(), strict=True))
    ends = asdict(begin.end_m) | {name[6:]: v for name, v in given.items() if name.startswith("end_m.")}
    speeds = asdict(begin.speeds_km_h) | {name[12:]: v for name, v in given.items() if name.startswith("speeds_km_h.")}
    capped = {area: min(speed, speeds["through"]) for area, speed in speeds.items()}
    return replace(
        begin, detour=given.get("detour", begin.detour), access_km=given.get("access_km", begin.access_km),
        end_m=EndMetres(**ends), speeds_km_h=Speeds(**capped),
    )  # fmt: skip
