"""How long customers take: visits, and the driving that they add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.model.workload import DEFAULT_SERVICE_S
from territory.travel.estimate import DAY_S, drive_estimate, working_day_s

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray
    from territory.model.customers import Customers
    from territory.travel.estimate import DriveConstants

__all__ = ["WORK_AND_DRIVING", "visit_work", "work_and_driving"]

#: The measure that says how long customers take, driving included: seconds a week.
WORK_AND_DRIVING: Final = "work_and_driving_s"


def visit_work(customers: Customers) -> tuple[FloatArray, FloatArray]:
    """Return how long customers take without driving, and how often they are visited.

    Returns
    -------
    work_s : float array of shape (n,), seconds a week
        Visits times their length (half an hour where unknown) where intervals are known; else ``workload_s``.
    visits_per_week : float array of shape (n,)
        7 over the interval; else ``workload_s`` over the length of a visit.

    Raises
    ------
    InputError
        Neither intervals nor workload.
    """
    service = _service(customers)
    if customers.visit_interval_days is not None:
        visits = np.nan_to_num(7.0 / customers.visit_interval_days, nan=0.0)
        return visits * service, visits
    if customers.workload_s is not None:
        return customers.workload_s, customers.workload_s / np.where(service > 0, service, DEFAULT_SERVICE_S)
    problem = Problem(
        "missing-column", "how often customers are visited, or how much work they are, is not known",
        column="visit_interval_days", hint="Add visit_interval_days and service_s, or workload_s.",
    )  # fmt: skip
    raise InputError([problem], "work")


def work_and_driving(alignment: Alignment, constants: DriveConstants | None = None) -> FloatArray:
    """Estimate how long each customer takes in an alignment, visits and the driving that they add.

    Parameters
    ----------
    alignment : Alignment, n customers in k territories
        Reps drive from their homes, or from the centre of a territory that has no rep; days are as long as their
        shifts without the break (eight hours where unknown).
    constants : DriveConstants, optional
        From `territory.fit_drive`, say.

    Returns
    -------
    float array of shape (n,), seconds a week
        Work alone for who is in no territory.

    Raises
    ------
    InputError
        Neither intervals nor workload.

    Notes
    -----
    O(n log n).
    """
    a = alignment
    c, reps = a.customers, a.reps
    work, visits = visit_work(c)
    lon, lat = a.center_lon.copy(), a.center_lat.copy()
    day_s, speed = np.full(len(a), DAY_S), np.ones(len(a))
    held = np.flatnonzero(a.rep_idx >= 0)
    if reps is not None:
        rep = a.rep_idx[held]
        lon[held], lat[held], day_s[held] = reps.lon[rep], reps.lat[rep], working_day_s(reps)[rep]
        if reps.speed_factor is not None:
            speed[held] = reps.speed_factor[rep]
    found = drive_estimate(
        c.lon, c.lat, a.territory_idx, lon, lat, service_s=_service(c), day_s=day_s, area=c.area, constants=constants
    )
    return np.asarray(work + visits * found.each_s / np.append(speed, 1.0)[a.territory_idx])


def _service(customers: Customers) -> FloatArray:
    return np.full(len(customers), DEFAULT_SERVICE_S) if customers.service_s is None else customers.service_s
