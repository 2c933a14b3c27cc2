"""How much driving a territory takes, before any route is planned: a continuous approximation.

To visit N customers of a territory once, a rep drives out N / m times, m being the customers that fit into a day:

    distance = 2 r N / m + k_local * sum over customers of 1 / sqrt(density)

The first term is the line haul: r is the mean distance from home. The second goes from customer to customer; with an
even density it is k_local * sqrt(N * area). For one long tour the constant is 0.7124 (Beardwood, Halton and Hammersley
1959; the number: Johnson, McGeoch and Rothberg 1996, "Asymptotic experimental analysis for the Held-Karp traveling
salesman bound", SODA). With several tours from one home, part of that is in the line haul already, and the constant is
0.57 (Daganzo 1984, "The distance traveled to visit N points with a maximum of C stops per vehicle", Transportation
Science 18, 331-350).

Density is measured at each customer by the distance to its fifth neighbour in the territory, so that towns and gaps
count, and no outline has to be drawn. The constants are those of the papers, for random places and crow-fly tours; the
road comes in by the detour factor and speeds of `GreatCircle`. Opening hours, intervals and pairs of visits
make real days longer: `territory.fit_drive` fits the constants to routed days.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import lgamma
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.sphere import EARTH_RADIUS_M, great_circle_m, unit_vectors
from territory.travel.great_circle import GreatCircle

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.arrays import FloatArray
    from territory.model.reps import Reps

__all__ = ["DAY_S", "DriveConstants", "DriveEstimate", "drive_estimate", "local_s", "working_day_s"]

#: Length of a working day where nobody says, seconds.
DAY_S: Final = 8 * 3600.0
#: The neighbour whose distance tells the density.
_NEIGHBOUR: Final = 5


@dataclass(frozen=True, slots=True)
class DriveConstants:
    """What a continuous approximation of driving rests on.

    Attributes
    ----------
    local : float
        Distance from customer to customer, in units of 1 / sqrt(density).
    haul : float
        Line haul of a day, in units of the mean distance from home.
    travel : GreatCircle
        Detour factor and speeds.
    """

    local: float = 0.57
    haul: float = 2.0
    travel: GreatCircle = field(default_factory=GreatCircle)

    def __post_init__(self) -> None:
        problems = [
            Problem("constant-out-of-range", f"expected a number of at least 0, not {value!r}", name)
            for name, value in (("local", self.local), ("haul", self.haul))
            if not 0.0 <= value < float("inf")
        ]
        if problems:
            raise InputError(problems, "drive estimate")


@dataclass(frozen=True, slots=True)
class DriveEstimate:
    """Driving of k territories with n customers; all arrays but `each_s` float of shape (k,).

    Attributes
    ----------
    round_s : seconds to visit every customer once
    week_s : seconds a week at the customers' visit intervals, or None where none are known
    visits_per_day : customers that fit into a day
    haul_m, local_m : metres by road of one round: to and from home, and between customers
    each_s : seconds that a visit to each customer adds, float of shape (n,): from the one before it, and its share of
        the way to and from home; 0 for customers in no territory
    """

    round_s: FloatArray
    week_s: FloatArray | None
    visits_per_day: FloatArray
    haul_m: FloatArray
    local_m: FloatArray
    each_s: FloatArray


def drive_estimate(
    lon: FloatArray,
    lat: FloatArray,
    territory_idx: npt.NDArray[np.int32],
    home_lon: FloatArray,
    home_lat: FloatArray,
    *,
    service_s: FloatArray,
    day_s: FloatArray,
    visits_per_week: FloatArray | None = None,
    area: npt.NDArray[np.int8] | None = None,
    constants: DriveConstants | None = None,
) -> DriveEstimate:
    """Estimate the driving of territories.

    Parameters
    ----------
    lon, lat : float arrays of shape (n,), degrees
    territory_idx : int32 array of shape (n,)
        In [-1, k); customers with -1 are left out.
    home_lon, home_lat : float arrays of shape (k,), degrees
        Where days begin.
    service_s : float array of shape (n,)
        Length of a visit.
    day_s : float array of shape (k,)
        Length of a working day without breaks.
    visits_per_week : float array of shape (n,), optional
    area : int8 array of shape (n,), optional
        `Area` of each customer, for speeds.
    constants : DriveConstants, optional

    Returns
    -------
    DriveEstimate
        Zeros for territories without customers.

    Notes
    -----
    O(n log n).
    """
    c = DriveConstants() if constants is None else constants
    k = len(home_lon)
    out = {name: np.zeros(k) for name in ("round_s", "week_s", "visits_per_day", "haul_m", "local_m")}
    every_s = np.zeros(len(lon))
    xyz = unit_vectors(lon, lat).reshape(-1, 3) * EARTH_RADIUS_M
    order = np.argsort(territory_idx, kind="stable")
    ends = np.searchsorted(territory_idx[order], np.arange(k + 1))
    for j in range(k):
        rows = order[ends[j] : ends[j + 1]]
        if len(rows) == 0:
            continue
        here = None if area is None else area[rows]
        step_m = c.local * _spacing(xyz[rows])
        haul_m = great_circle_m(lon[rows], lat[rows], home_lon[j], home_lat[j])
        step_s = c.travel.leg_s(step_m, here)
        one_way_s = c.travel.leg_s(haul_m, here)
        # the day that is left between the way there and back; a customer at the end of the world still gets a day
        left = max(0.0, float(day_s[j]) - 2.0 * float(one_way_s.mean()))
        per_day = float(np.clip(left / max(float((service_s[rows] + step_s).mean()), 1.0), 1.0, len(rows)))
        each_s = step_s + c.haul * one_way_s / per_day
        every_s[rows] = each_s
        out["round_s"][j] = each_s.sum()
        out["week_s"][j] = 0.0 if visits_per_week is None else each_s @ visits_per_week[rows]
        out["visits_per_day"][j] = per_day
        out["haul_m"][j] = c.haul * c.travel.road_m(haul_m, here).sum() / per_day
        out["local_m"][j] = c.travel.road_m(step_m, here).sum()
    week_s = None if visits_per_week is None else out["week_s"]
    return DriveEstimate(out["round_s"], week_s, out["visits_per_day"], out["haul_m"], out["local_m"], every_s)


def local_s(
    lon: FloatArray,
    lat: FloatArray,
    *,
    area: npt.NDArray[np.int8] | None = None,
    constants: DriveConstants | None = None,
) -> FloatArray:
    """Estimate the way from one customer to the next where no territories are known yet, seconds, shape (n,).

    By the density of all customers; the way from and to home is not in it. O(n log n).
    """
    c = DriveConstants() if constants is None else constants
    xyz = unit_vectors(lon, lat).reshape(-1, 3) * EARTH_RADIUS_M
    return c.travel.leg_s(c.local * _spacing(xyz), area)


def working_day_s(reps: Reps) -> FloatArray:
    """Return the mean length of each rep's working days without the break, seconds, shape (r,); 8 h where unknown."""
    if reps.shift is None:
        return np.full(len(reps), DAY_S)
    length = np.array([_day_length(week) for week in reps.shift.weeks])[reps.shift.code]
    pause = np.zeros(len(reps)) if reps.break_s is None else reps.break_s
    return np.asarray(np.maximum(length - pause, 0.0))


def _day_length(week: Any) -> float:
    days = [sum(end - begin for begin, end in day) for day in week if day]
    return float(np.mean(days)) if days else DAY_S


def _spacing(xyz: FloatArray) -> FloatArray:
    """Return 1 / sqrt(density) at each place, metres, shape (n,); 0 for a lone one.

    In a Poisson process of density d the mean distance to the q-th neighbour is gamma(q + 1/2) / (gamma(q)
    sqrt(pi d)).
    """
    q = min(_NEIGHBOUR, len(xyz) - 1)
    if q < 1:
        return np.zeros(len(xyz))
    from scipy.spatial import cKDTree  # noqa: PLC0415 - slow to load, and only needed here

    distance, _ = cKDTree(xyz).query(xyz, k=[q + 1])
    return np.asarray(distance[:, 0] * np.sqrt(np.pi) * np.exp(lgamma(q) - lgamma(q + 0.5)))
