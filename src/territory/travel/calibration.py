"""The estimate of driving, fitted to days that were routed.

A sample says of some territories what the estimate knows of them, and how long their routes really took. The two
constants of `DriveConstants` are those of least squares. What is left is error of the form, not of the constants: an
estimate knows nothing of opening hours or of which visits fall on which day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.travel.estimate import DriveConstants, drive_estimate, working_day_s

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from territory.model.arrays import FloatArray
    from territory.model.plan import Plan
    from territory.travel.great_circle import GreatCircle

__all__ = ["DriveError", "DriveFit", "DriveSample", "drive_error", "drive_sample", "fit_drive"]

_SUBJECT = "drive calibration"
_ONE_EACH = ("lon", "lat", "territory_idx", "service_s", "visits_per_week", "area")
_PER_TERRITORY = ("home_lon", "home_lat", "day_s", "routed_s")


@dataclass(frozen=True, eq=False)
class DriveSample:
    """k territories with n customers, and how long their routes took.

    Attributes
    ----------
    lon, lat : float arrays of shape (n,), degrees
    territory_idx : int32 array of shape (n,)
        In [-1, k).
    home_lon, home_lat : float arrays of shape (k,), degrees
    service_s : float array of shape (n,)
    visits_per_week : float array of shape (n,)
        That were routed.
    day_s : float array of shape (k,)
        Length of a working day without breaks.
    routed_s : float array of shape (k,)
        Driving of the routes, seconds a week.
    area : int8 array of shape (n,), optional

    Raises
    ------
    InputError
        Arrays that do not fit each other, that are not finite, or negative times.
    """

    lon: FloatArray
    lat: FloatArray
    territory_idx: npt.NDArray[np.int32]
    home_lon: FloatArray
    home_lat: FloatArray
    service_s: FloatArray
    visits_per_week: FloatArray
    day_s: FloatArray
    routed_s: FloatArray
    area: npt.NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        kinds = {"territory_idx": np.int32, "area": np.int8}
        for name in (*_ONE_EACH, *_PER_TERRITORY):
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, np.asarray(values, dtype=kinds.get(name, np.float64)))
        n, k = np.size(self.lon), np.size(self.home_lon)
        problems = []
        for length, names in ((n, _ONE_EACH), (k, _PER_TERRITORY)):
            for name in names:
                values = getattr(self, name)
                if values is None:
                    continue
                if values.shape != (length,):
                    problems.append(Problem("wrong-shape", f"expected shape ({length},), not {values.shape}", name))
                elif values.dtype.kind == "f" and not np.isfinite(values).all():
                    rows = np.flatnonzero(~np.isfinite(values))
                    problems.append(Problem("not-finite", "not finite", name, len(rows), tuple(rows[:5].tolist())))
                elif name in ("service_s", "visits_per_week", "day_s", "routed_s") and (values < 0).any():
                    rows = np.flatnonzero(values < 0)
                    problems.append(Problem("negative", "below 0", name, len(rows), tuple(rows[:5].tolist())))
        label = self.territory_idx
        if label.size and not (label.min() >= -1 and label.max() < k):
            problems.append(Problem("unknown-territory", f"expected -1 to {k - 1}", "territory_idx"))
        if problems:
            raise InputError(problems, _SUBJECT)

    def __len__(self) -> int:
        return len(self.routed_s)

    def take(self, territories: npt.ArrayLike) -> Self:
        """Return the sample of some territories (positions, each once, or a mask), with their customers."""
        at = np.arange(len(self))[np.asarray(territories)]
        number = np.full(len(self) + 1, -1, dtype=np.int32)
        number[at] = np.arange(len(at))
        rows = number[self.territory_idx] >= 0
        one_each: dict[str, Any] = {n: None if getattr(self, n) is None else getattr(self, n)[rows] for n in _ONE_EACH}
        one_each["territory_idx"] = number[self.territory_idx[rows]]
        return type(self)(**one_each, **{name: getattr(self, name)[at] for name in _PER_TERRITORY})

    def estimate_s(self, constants: DriveConstants | None = None) -> FloatArray:
        """Return what the estimate says with these constants, seconds a week, shape (k,). O(n log n)."""
        found = drive_estimate(
            self.lon, self.lat, self.territory_idx, self.home_lon, self.home_lat, service_s=self.service_s,
            day_s=self.day_s, visits_per_week=self.visits_per_week, area=self.area, constants=constants,
        ).week_s  # fmt: skip
        return np.zeros(len(self)) if found is None else found


@dataclass(frozen=True, slots=True)
class DriveError:
    """How far an estimate is from routes.

    Attributes
    ----------
    mean : float
        Mean of the absolute error, as a share of the mean driving of a territory.
    rms : float
        Root of the mean square of the error, as a share of the same.
    bias : float
        All that was estimated, over all that was driven, less one.
    largest : float
        The largest error of a territory, as a share of its own driving; infinite where nothing was driven.
    """

    mean: float
    rms: float
    bias: float
    largest: float


@dataclass(frozen=True, slots=True)
class DriveFit:
    """Constants that were fitted, and what they are worth.

    Attributes
    ----------
    constants : DriveConstants
    before, after : DriveError
        On the territories of the fit, with the constants before it (those of the papers), and after.
    n : int
        Number of territories.
    """

    constants: DriveConstants
    before: DriveError
    after: DriveError
    n: int


def drive_error(sample: DriveSample, constants: DriveConstants | None = None) -> DriveError:
    """Measure the error of the estimate on a sample; on one that was not fitted to, where it shall mean something."""
    _not_empty(sample)
    return _error(sample.estimate_s(constants), sample.routed_s)


def drive_sample(plan: Plan) -> DriveSample:
    """Return what a plan's routes say of the driving of its reps.

    Parameters
    ----------
    plan : Plan
        Each rep with visits counts as a territory of the customers that were visited, as often as they were. Driving
        at a rep's own speed is brought back to the usual one.

    Raises
    ------
    InputError
        A plan without visits.
    """
    stops, routes, c = plan.stops, plan.routes, plan.customers
    if len(stops) == 0:
        raise InputError([Problem("no-visits", "a plan without visits says nothing of driving")], _SUBJECT)
    weeks = plan.settings.n_days / 7.0
    # who is visited by two reps is there twice
    pairs = stops.rep_idx.astype(np.int64) * len(c) + stops.customer_idx
    found, times = np.unique(pairs, return_counts=True)
    rep, row = found // len(c), found % len(c)
    held, territory = np.unique(rep, return_inverse=True)
    driven = np.bincount(routes.rep_idx, routes.drive_s, len(plan.reps))[held] / weeks
    if plan.reps.speed_factor is not None:
        driven = driven * plan.reps.speed_factor[held]
    service = np.full(len(c), float(plan.settings.default_service_s)) if c.service_s is None else c.service_s
    return DriveSample(
        c.lon[row], c.lat[row], territory.astype(np.int32), plan.reps.lon[held], plan.reps.lat[held], service[row],
        times / weeks, working_day_s(plan.reps)[held], driven, None if c.area is None else c.area[row],
    )  # fmt: skip


def fit_drive(
    samples: Plan | DriveSample | Iterable[Plan | DriveSample], travel: GreatCircle | None = None
) -> DriveFit:
    """Fit the constants of the estimate to routed days, by least squares.

    Parameters
    ----------
    samples : Plan, DriveSample, or an iterable of these
        Territories that were routed; two at least, and more tell more.
    travel : GreatCircle, optional
        Detour factor and speeds, which are taken as they are. Default: those of `DriveConstants`.

    Returns
    -------
    DriveFit
        Constants of at least 0, with the errors before and after on the same territories. For an honest figure keep
        some territories apart and measure `drive_error` there.

    Raises
    ------
    InputError
        Nothing to fit to.

    Notes
    -----
    The estimate is no line in its constants (long legs are faster, and what fits into a day depends on both), so that
    it is a trust-region method (`scipy.optimize.least_squares`), begun at the constants of the papers. Some dozens of
    estimates of O(n log n).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> of = np.repeat(np.arange(4, dtype=np.int32), 50)
    >>> lon, lat = rng.uniform(0, 0.5, 200) + 0.5 * of, rng.uniform(50, 50.5, 200)
    >>> home = np.arange(4) * 0.7
    >>> sample = DriveSample(lon, lat, of, home, np.full(4, 50.2), np.full(200, 1800.0), np.ones(200),
    ...                      np.full(4, 28800.0), np.zeros(4))
    >>> from dataclasses import replace
    >>> driven = replace(sample, routed_s=sample.estimate_s(DriveConstants(local=0.8, haul=1.7)))
    >>> found = fit_drive(driven).constants
    >>> round(found.local, 3), round(found.haul, 3)
    (0.8, 1.7)
    """
    from scipy.optimize import least_squares  # noqa: PLC0415 - slow to load, and only needed here

    given: list[Any] = [samples] if isinstance(samples, DriveSample) or hasattr(samples, "stops") else list(samples)
    sample = _joined([one if isinstance(one, DriveSample) else drive_sample(one) for one in given])
    _not_empty(sample)
    first = DriveConstants() if travel is None else DriveConstants(travel=travel)
    unit = float(sample.routed_s.mean())

    def constants(x: FloatArray) -> DriveConstants:
        return DriveConstants(local=float(x[0]), haul=float(x[1]), travel=first.travel)

    def residual(x: FloatArray) -> FloatArray:
        return (sample.estimate_s(constants(x)) - sample.routed_s) / unit

    x0 = np.array([first.local, first.haul])
    # steps wide enough to see past the kinks where a day holds one visit, or all
    found = least_squares(residual, x0, bounds=(0.0, 100.0), x_scale=x0, diff_step=1e-4)
    fitted = constants(found.x if found.cost <= 0.5 * float((residual(x0) ** 2).sum()) else x0)
    return DriveFit(fitted, drive_error(sample, first), drive_error(sample, fitted), len(sample))


def _not_empty(sample: DriveSample) -> None:
    problems = []
    if len(sample) < 2:
        problems.append(Problem("too-few-territories", f"two territories at least, not {len(sample)}"))
    elif not sample.routed_s.any():
        problems.append(Problem("no-driving", "nothing was driven", "routed_s"))
    if problems:
        raise InputError(problems, _SUBJECT)


def _joined(samples: list[DriveSample]) -> DriveSample:
    """Return several samples as one; an area that not all of them know is unknown to all."""
    if not samples:
        raise InputError([Problem("too-few-territories", "two territories at least, not 0")], _SUBJECT)
    if len(samples) == 1:
        return samples[0]
    starts = np.cumsum([0, *(len(s) for s in samples[:-1])])
    columns = {
        name: np.concatenate([getattr(s, name) for s in samples])
        for name in (*_ONE_EACH, *_PER_TERRITORY)
        if all(getattr(s, name) is not None for s in samples)
    }
    shifted = [np.where(s.territory_idx >= 0, s.territory_idx + at, -1) for s, at in zip(samples, starts, strict=True)]
    return DriveSample(**{**columns, "territory_idx": np.concatenate(shifted)})


def _error(estimate: FloatArray, routed: FloatArray) -> DriveError:
    off = estimate - routed
    mean = float(routed.mean())
    own = np.divide(np.abs(off), routed, out=np.where(off == 0, 0.0, np.inf), where=routed > 0)
    return DriveError(
        mean=float(np.abs(off).mean()) / mean,
        rms=float(np.sqrt((off**2).mean())) / mean,
        bias=float(estimate.sum() / routed.sum() - 1.0),
        largest=float(own.max()),
    )
