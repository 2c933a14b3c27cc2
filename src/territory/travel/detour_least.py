"""The two least squares behind `fit_detour`: detours from metres, speeds from seconds."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.model.enums import Area
from territory.travel.great_circle import EndMetres, GreatCircle, Speeds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray

__all__ = ["fitted_metres", "fitted_seconds"]

#: Relative errors beyond which a leg's weight fades.
_SOFT: Final = 0.25
#: What is looked for: metres an end, kilometres of access, km/h.
_MOST_END_M, _MOST_ACCESS_KM, _SLOWEST, _FASTEST = 2_000.0, 50.0, 5.0, 130.0
#: Kilometres of access that the search begins at: it has several hollows.
_ACCESSES: Final = (2.0, 5.0, 12.0)


def fitted_metres(
    begin: GreatCircle, crow: FloatArray, ends: NDArray[np.int8], metres: FloatArray, areas: Sequence[Area]
) -> GreatCircle:
    """Fit the detour factor and what streets add at ends in some areas.

    Parameters
    ----------
    begin : GreatCircle
    crow, metres : float arrays of shape (n,)
        Great circles, and distances by road.
    ends : int8 array of shape (2, n)
        Areas of both ends, none unknown.
    areas : sequence of Area
    """

    def made(x: FloatArray) -> GreatCircle:
        given = asdict(begin.end_m) | {a.name.lower(): float(v) for a, v in zip(areas, x[1:], strict=True)}
        return replace(begin, detour=float(x[0]), end_m=EndMetres(**given))

    def residual(x: FloatArray) -> FloatArray:
        return np.asarray(np.log(made(x).legs_m(crow, ends) / metres))

    low, high = [1.0, *(0.0 for _ in areas)], [5.0, *(_MOST_END_M for _ in areas)]
    first = [begin.detour, *(max(1.0, getattr(begin.end_m, a.name.lower())) for a in areas)]
    return made(_least(residual, first, low, high, [1.0, *(100.0 for _ in areas)])[0])


def fitted_seconds(
    begin: GreatCircle,
    crow: FloatArray,
    ends: NDArray[np.int8],
    seconds: FloatArray,
    areas: Sequence[Area],
    *,
    through: bool,
) -> GreatCircle:
    """Fit the speeds at ends in some areas, how far they reach and, if asked for, the through speed.

    Speeds at ends are looked for as shares of the through speed, which they never exceed. Parameters as of
    `fitted_metres`; metres are those of `begin`.
    """
    road = begin.legs_m(crow, ends)

    def made(x: FloatArray) -> GreatCircle:
        fast = float(x[-1]) if through else begin.speeds_km_h.through
        given: dict[str, Any] = asdict(begin.speeds_km_h) | {"through": fast}
        given |= {a.name.lower(): max(_SLOWEST, float(v) * fast) for a, v in zip(areas, x[1:], strict=False)}
        given |= {a.name.lower(): min(given[a.name.lower()], fast) for a in Area}
        return replace(begin, access_km=float(x[0]), speeds_km_h=Speeds(**given))

    def residual(x: FloatArray) -> FloatArray:
        return np.asarray(np.log(made(x).road_s(road, ends) / seconds))

    fast = begin.speeds_km_h.through
    shares = [min(0.95, getattr(begin.speeds_km_h, a.name.lower()) / fast) for a in areas]
    tail = [fast] if through else []
    low = [0.05, *(0.05 for _ in areas), *(_SLOWEST for _ in tail)]
    high = [_MOST_ACCESS_KM, *(1.0 for _ in areas), *(_FASTEST for _ in tail)]
    scale = [5.0, *(0.5 for _ in areas), *(50.0 for _ in tail)]
    tried = [_least(residual, [access, *shares, *tail], low, high, scale) for access in _ACCESSES]
    return made(min(tried, key=lambda found: found[1])[0])


def _least(
    residual: Callable[[FloatArray], FloatArray],
    first: list[float],
    low: list[float],
    high: list[float],
    scale: list[float],
) -> tuple[FloatArray, float]:
    """Return the parameters of least squares, errors beyond `_SOFT` weighing less, and their cost."""
    from scipy.optimize import least_squares  # noqa: PLC0415 - slow to load, and only needed here

    x0 = np.clip(first, np.array(low) + 1e-6, np.array(high) - 1e-6)
    # steps wide enough to see past the kinks where access ends
    found = least_squares(
        residual, x0, bounds=(low, high), x_scale=scale, loss="soft_l1", f_scale=_SOFT, diff_step=1e-4
    )
    return np.asarray(found.x), float(found.cost)
