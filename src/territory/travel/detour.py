"""Great circles fitted to real roads: detours and speeds from a sample of legs whose road times are known.

Detours are those that explain the metres, speeds those that explain the seconds on these metres: two robust least
squares of relative errors. Some places are kept apart with all their legs, and tell what the fit is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.sphere import EARTH_RADIUS_M, great_circle_m, unit_vectors
from territory.model.arrays import sealed
from territory.model.enums import Area
from territory.model.places import Places
from territory.travel.base import RawTravel, TravelBase
from territory.travel.detour_error import DetourError, class_of, detour_error
from territory.travel.detour_least import PARAMETERS, fitted
from territory.travel.great_circle import GreatCircle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from territory.model.arrays import BoolArray, FloatArray
    from territory.travel.protocol import Travel, TravelMatrix

__all__ = ["DetourFit", "LegSample", "detour_sample", "fit_detour"]

_SUBJECT: Final = "detour fit"
#: Legs drawn from each origin: few origins keep a road engine's work small, many keep them from being alike.
_LEGS_EACH: Final = 20
#: Closer places are a matter of doors, not of roads, metres.
_CLOSEST_M: Final = 50.0
#: Legs that a part of the sample has at least, so that something is fitted to it.
_ENOUGH: Final = 50
#: From here on legs tell of the through speed, metres.
_LONG_M: Final = 50_000.0


@dataclass(frozen=True, eq=False)
class LegSample:
    """Legs whose times and distances by road are known.

    Attributes
    ----------
    origins, destinations : Places, length n
        With their `Area` where it is known; places of unknown area count as suburban, as in `GreatCircle`.
    seconds, metres : float arrays of shape (n,)
        By road; at least 0, infinite where there is no way.

    Raises
    ------
    InputError
        Arrays that do not fit each other, NaN, or negative numbers.
    """

    origins: Places
    destinations: Places
    seconds: FloatArray
    metres: FloatArray

    def __post_init__(self) -> None:
        n = len(self.origins)
        problems = []
        if len(self.destinations) != n:
            message = f"{n} origins but {len(self.destinations)} destinations"
            problems.append(Problem("pairs-length", message))
        for name in ("seconds", "metres"):
            values = sealed(np.array(getattr(self, name), dtype=np.float64))
            object.__setattr__(self, name, values)
            if values.shape != (n,):
                problems.append(Problem("wrong-shape", f"expected shape ({n},), not {values.shape}", name))
                continue
            for code, message, bad in (("nan", "not a number", np.isnan(values)), ("negative", "below 0", values < 0)):
                rows = np.flatnonzero(bad)
                if rows.size:
                    problems.append(Problem(code, message, name, len(rows), tuple(rows[:5].tolist())))
        if problems:
            raise InputError(problems, _SUBJECT)

    def __len__(self) -> int:
        return len(self.origins)

    @classmethod
    def of(cls, origins: Places, destinations: Places, travel: TravelMatrix | RawTravel) -> LegSample:
        """Make a sample of what a source answered: to `pairs`, shape (n,), or to `matrix`, shape (m, n).

        Legs that a declared fallback estimated are left out.
        """
        if isinstance(travel, RawTravel):
            seconds, metres = np.asarray(travel.seconds), np.asarray(travel.metres)
        else:
            there = travel.reachable
            seconds = np.where(there, travel.durations_s, np.inf)
            metres = np.where(there, travel.distances_m, np.inf)
        kept = np.ones(seconds.shape, dtype=bool) if travel.estimated is None else ~travel.estimated
        if seconds.ndim == 2:
            if seconds.shape != (len(origins), len(destinations)):
                message = f"expected shape ({len(origins)}, {len(destinations)}), not {seconds.shape}"
                raise InputError([Problem("wrong-shape", message, "travel")], _SUBJECT)
            start, end = np.nonzero(kept)
        else:
            start = end = np.flatnonzero(kept)
        return cls(origins.take(start), destinations.take(end), seconds[kept], metres[kept])

    @classmethod
    def concat(cls, samples: Sequence[LegSample]) -> LegSample:
        """Put samples one after the other; each leg counts the same."""
        return cls(
            Places.concat([s.origins for s in samples]),
            Places.concat([s.destinations for s in samples]),
            np.concatenate([np.zeros(0), *(s.seconds for s in samples)]),
            np.concatenate([np.zeros(0), *(s.metres for s in samples)]),
        )

    def take(self, rows: ArrayLike) -> LegSample:
        """Return some legs: by position, or where a mask holds."""
        at = np.arange(len(self))[np.asarray(rows)]
        return LegSample(self.origins.take(at), self.destinations.take(at), self.seconds[at], self.metres[at])

    def crow_m(self) -> FloatArray:
        """Return the great circles, metres, shape (n,)."""
        a, b = self.origins, self.destinations
        return np.asarray(great_circle_m(a.lon, a.lat, b.lon, b.lat), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class DetourFit:
    """Great circles that were fitted to roads, and what they are worth.

    Attributes
    ----------
    travel : GreatCircle
        Ready for use.
    fitted : tuple of str
        Parameters that the sample had enough legs for; the others are as they were.
    before, after : DetourError
        On legs between places that the fit has not seen: of the travel before it, and after.
    n_fitted : int
        Legs of the fit.
    n_left_out : int
        Legs without a way, shorter than 50 m, or between a place that was fitted to and one that was not.
    """

    travel: GreatCircle
    fitted: tuple[str, ...]
    before: DetourError
    after: DetourError
    n_fitted: int
    n_left_out: int

    def report(self) -> str:
        """Return the parameters, and a table of the errors by area and by distance."""
        named = ", ".join(self.fitted) or "nothing"
        lines = [self.travel.fingerprint, f"fitted to {self.n_fitted:,} legs: {named}", "", "after:"]
        return "\n".join([*lines, self.after.table(), "", "before:", self.before.table()])


def detour_sample(
    travel: Travel,
    places: Places,
    n_legs: int = 20_000,
    *,
    rng: int | np.random.Generator = 0,
    most_km: float = np.inf,
    most_moved_m: float = 100.0,
) -> LegSample:
    """Ask a source for legs between places, as many short ones as long ones.

    Parameters
    ----------
    travel : Travel
        That knows roads.
    places : Places, length n
    n_legs : int
        About so many; fewer where there are few places.
    rng : int or Generator
    most_km : float
        Longest great circle. At the edge of an extract roads are cut, and legs as long as it is wide take detours that
        nobody else takes: half of its width is a fair limit.
    most_moved_m : float
        Places that are farther from the road are left out: their way to it is nobody's driving.

    Returns
    -------
    LegSample
        Twenty legs from each of some origins, evenly spread over the logarithm of the great circle, 50 m at least.
        The same for any order of the rows, and for any ids.

    Raises
    ------
    InputError
        Fewer than two places near a road, or no legs asked for.
    TravelError
        The source failed.

    Notes
    -----
    n_legs / 20 rows of n great circles, and n_legs pairs of the source. OpenStreetMap's roads are made by its
    contributors (ODbL): say so where figures rest on them.
    """
    if isinstance(n_legs, bool) or not isinstance(n_legs, (int, np.integer)) or n_legs < 1:
        problem = Problem("too-few-legs", f"expected a whole number of at least 1, not {n_legs!r}", "n_legs")
        raise InputError([problem], _SUBJECT)
    random = np.random.default_rng(rng)
    places = places.take(np.flatnonzero(travel.snap(places).moved_m <= most_moved_m))
    # one of each spot, in an order that is theirs
    at = np.unique(np.stack([places.lon, places.lat], axis=1), axis=0, return_index=True)[1]
    places = places.take(at)
    n = len(places)
    if n < 2:
        raise InputError([Problem("too-few-places", f"two places near a road at least, not {n}")], _SUBJECT)
    each = min(_LEGS_EACH, n - 1)
    origins = random.permutation(n)[: max(1, -(-int(n_legs) // each))]
    xyz = unit_vectors(places.lon, places.lat)
    drawn = []
    for i in origins.tolist():
        chord = np.sqrt(((xyz - xyz[i]) ** 2).sum(axis=1))
        order = np.argsort(chord, kind="stable")
        away = 2.0 * EARTH_RADIUS_M * np.arcsin(np.minimum(0.5 * chord[order], 1.0))
        first = int(np.searchsorted(away, _CLOSEST_M))
        last = int(np.searchsorted(away, 1000.0 * most_km, side="right")) - 1
        if first > last:
            continue
        wanted = np.exp(random.uniform(np.log(away[first]), np.log(away[last]), each))
        ends = np.unique(order[np.clip(np.searchsorted(away, wanted), first, last)])
        drawn.append(np.stack([np.full(len(ends), i), ends]))
    start, end = np.concatenate([np.zeros((2, 0), dtype=np.int64), *drawn], axis=1)
    a, b = places.take(start), places.take(end)
    return LegSample.of(a, b, travel.raw_pairs(a, b) if isinstance(travel, TravelBase) else travel.pairs(a, b))


def fit_detour(
    sample: LegSample | Iterable[LegSample],
    *,
    begin: GreatCircle | None = None,
    keep: Iterable[str] = (),
    held_out: float = 0.4,
    rng: int | np.random.Generator = 0,
) -> DetourFit:
    """Fit the detours and speeds of `GreatCircle` to legs by road.

    Parameters
    ----------
    sample : LegSample, or several
        See `detour_sample`.
    begin : GreatCircle, optional
        What is kept where the sample has too few legs to tell. Default: ``GreatCircle()``.
    keep : iterable of str
        Parameters that stay as they are, as ``"access_km"`` or ``"speeds_km_h.rural"``. The through speed does unless
        50 legs or more are longer than 50 km by road: shorter ones tell nothing of long trips.
    held_out : float, in (0, 1)
        Share of the places, not of the legs, that is kept apart for the errors; legs with one end there are not used.
    rng : int or Generator
        Draws the places that are kept apart.

    Returns
    -------
    DetourFit
        A kind of area is fitted where 50 ends of legs or more are in it. An end's streets and its speed are fitted
        within what `GreatCircle` takes, and no area's speed exceeds the through speed, so that a detour never saves
        time.

    Raises
    ------
    InputError
        Fewer than 50 legs to fit to, or none to measure the error on.

    Notes
    -----
    Logarithms of estimate over road, a minute and 500 m added to both, so that half as much weighs as twice as much.
    Soft L1 beyond errors of a half, so that a bridge that is missing, or a pass, counts, but does not rule
    (`scipy.optimize.least_squares`). Linear in the legs: about a second for 20,000.

    Examples
    --------
    >>> from territory.model.places import PlaceKind
    >>> from territory.travel import Speeds
    >>> rng = np.random.default_rng(0)
    >>> lon, lat = 10 + rng.uniform(0, 0.3, 200), 50 + rng.uniform(0, 0.2, 200)
    >>> places = Places.of(PlaceKind.CUSTOMER, [str(i) for i in range(200)], lon, lat)
    >>> road = GreatCircle(detour=1.25, speeds_km_h=Speeds(suburban=33))
    >>> fit = fit_detour(detour_sample(road, places, 4_000))
    >>> round(fit.travel.detour, 3), round(fit.travel.speeds_km_h.suburban, 1), fit.after.seconds.median < 0.001
    (1.25, 33.0, True)
    """
    if not (isinstance(held_out, (int, float)) and 0.0 < held_out < 1.0):
        raise InputError([Problem("bad-share", f"expected more than 0 and less than 1, not {held_out!r}")], _SUBJECT)
    begin, kept = GreatCircle() if begin is None else begin, {keep} if isinstance(keep, str) else set(keep)
    if kept - set(PARAMETERS):
        message = f"expected some of {', '.join(PARAMETERS)}, not {sorted(kept - set(PARAMETERS))}"
        raise InputError([Problem("unknown-option", message, "keep")], _SUBJECT)
    whole = sample if isinstance(sample, LegSample) else LegSample.concat(list(sample))
    crow = whole.crow_m()
    usable = (crow >= _CLOSEST_M) & np.isfinite(whole.seconds) & np.isfinite(whole.metres)
    usable &= (whole.seconds > 0) & (whole.metres > 0)
    apart_a, apart_b = _kept_apart(whole, usable, held_out, np.random.default_rng(rng))
    mine, other = whole.take(usable & ~apart_a & ~apart_b), whole.take(usable & apart_a & apart_b)
    problems = []
    if len(mine) < _ENOUGH:
        problems.append(Problem("too-few-legs", f"{_ENOUGH} legs to fit to at least, not {len(mine)}"))
    if not len(other):
        problems.append(Problem("nothing-held-out", "no legs between places that are kept apart"))
    if problems:
        raise InputError(problems, _SUBJECT)
    ends = np.stack([class_of(mine.origins), class_of(mine.destinations)])
    areas = [area.name.lower() for area in Area if np.count_nonzero(ends == area) >= _ENOUGH]
    names = ["detour", *(f"end_m.{a}" for a in areas), "access_km", *(f"speeds_km_h.{a}" for a in areas)]
    if np.count_nonzero(mine.metres > _LONG_M) >= _ENOUGH:
        names.append("speeds_km_h.through")
    names = [name for name in names if name not in kept]
    found = fitted(begin, names, mine.crow_m(), ends, mine.metres, mine.seconds)
    return DetourFit(
        found, tuple(names), detour_error(begin, other), detour_error(found, other), len(mine),
        len(whole) - len(mine) - len(other),
    )  # fmt: skip


def _kept_apart(
    sample: LegSample, usable: BoolArray, share: float, random: np.random.Generator
) -> tuple[BoolArray, BoolArray]:
    """Return which origins and destinations are kept apart: a share of the spots that are used, whatever their ids."""
    a, b = sample.origins, sample.destinations
    ends = np.stack([np.concatenate([a.lon, b.lon]), np.concatenate([a.lat, b.lat])], axis=1)
    spots, spot = np.unique(ends[np.tile(usable, 2)], axis=0, return_inverse=True)
    chosen = np.zeros(len(spots), dtype=bool)
    chosen[random.permutation(len(spots))[: round(share * len(spots))]] = True
    apart = np.zeros(2 * len(sample), dtype=bool)
    apart[np.tile(usable, 2)] = chosen[spot.reshape(-1)]
    return apart[: len(sample)], apart[len(sample) :]
