"""Which ways territories are measured by: read from what a user gives, and all its faults told at once.

Either a source of travel times (`territory.travel.Travel`), or a scipy sparse matrix of seconds to the nearest
customers of each. In the latter what is not stored is not known, and the way there leads over legs that are; a zero
that is stored is zero seconds. Where both directions are stored, a leg is their mean; where one is, that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.design.given_legs import Legs, SparseLegs, TravelLegs
from territory.design.problem import on_sphere
from territory.errors import InputError, Problem
from territory.model.places import Places
from territory.travel import UNREACHABLE, Travel, whole_seconds

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["read_metric", "stranded"]

_SUBJECT: Final = "travel"
#: The longest leg, seconds, as in `territory.travel`.
_LONGEST: Final = UNREACHABLE // 2


def read_metric(travel: Any, customers: Places, homes: Places | None = None) -> Legs:
    """Read what territories are measured by.

    Parameters
    ----------
    travel : Travel, or scipy sparse matrix of shape (n, n) or (n + r, n + r)
        Seconds. A matrix has its rows (origins) and columns in the order of `customers`; homes of reps, if it knows
        them, stand behind the customers. Seconds are rounded up as those of any travel. Infinite: no way.
    customers : Places, length n
    homes : Places, length r, optional
        Where reps live, needed where centres are there or drawn there.

    Returns
    -------
    Legs
        A metric; homes are its positions n, n + 1, ... if it knows them.

    Raises
    ------
    InputError
        No such thing; a matrix of another shape, with NaN, negative, too long or (from a place to itself) other than
        zero seconds; nothing known at all; customers or reps that the source does not know. All at once.
    TravelError
        The source failed.

    Notes
    -----
    Of a matrix O(legs); of a source one call for the ways from one customer to all.
    """
    places = customers if homes is None else Places.concat([customers, homes])
    xyz = on_sphere(places.lon, places.lat)
    n = len(customers)
    if hasattr(travel, "tocoo"):
        return SparseLegs(_symmetric(travel, n, len(places)), xyz, n)
    if isinstance(travel, type) or not isinstance(travel, Travel):
        hint = "Maybe GreatCircle(), or MatrixTravel(seconds, customer_ids=...)?"
        if isinstance(travel, (np.ndarray, list)):
            hint = "Maybe MatrixTravel(seconds, customer_ids=...), or scipy.sparse.csr_array(seconds)?"
        message = f"expected a source of travel times or a sparse matrix of seconds, not {travel!r:.60}"
        raise InputError([Problem("not-travel", message, hint=hint)], _SUBJECT)
    legs = TravelLegs(travel, places, xyz, n)
    # whoever does not know a place says so now
    from_one = travel.matrix(places.take(np.arange(min(1, n))), places)
    if n > 1 and not from_one.reachable[0, 1:n].any() and _all_apart(legs):
        raise InputError([_nothing_known("no way from any customer to any other")], _SUBJECT)
    return legs


def stranded(legs: Legs, weight: FloatArray, least: float, k: int) -> IdxArray:
    """Return customers on parts of the map without ways out that are too light to be a territory, in rising order.

    Parameters
    ----------
    legs : Legs of n customers
    weight : float array of shape (n,)
    least : float
        The least that any territory must hold.
    k : int
        Number of territories.
    """
    island = legs.islands(weight, k)
    mass = np.bincount(island[island >= 0], weight[island >= 0])
    light = np.append(mass < least * (1 - 1e-12), True)
    # of parts that are all as light, the heaviest stay
    if mass.size and light[:-1].all():
        light[int(mass.argmax())] = False
    return np.flatnonzero(light[island]).astype(np.int32)


def _all_apart(legs: Legs) -> bool:
    """Return whether nobody among a sample reaches anybody."""
    some = np.unique(np.linspace(0, legs.n - 1, min(legs.n, 64)).astype(np.int32))
    everybody = np.arange(legs.n, dtype=np.int32)
    away = np.isfinite(legs.between(some, everybody))
    away[np.arange(len(some)), some] = False
    return not away.any()


def _nothing_known(message: str) -> Problem:
    return Problem("nothing-known", message, hint="Maybe the matrix is of other customers, or empty?")


def _symmetric(matrix: Any, n: int, n_places: int) -> Any:
    """Return legs as a symmetric CSR matrix in which explicit zeros are zero seconds; raise with all faults."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - only where a matrix is given

    problems = []
    shape = tuple(int(size) for size in matrix.shape)
    if shape not in ((n, n), (n_places, n_places)):
        wanted = f"({n}, {n})" if n == n_places else f"({n}, {n}), or ({n_places}, {n_places}) with the reps' homes"
        problems.append(Problem("wrong-shape", f"expected a matrix of shape {wanted}, not {shape}"))
    if matrix.dtype.kind not in "iuf":
        problems.append(Problem("not-numbers", f"expected seconds, not {matrix.dtype}"))
    if problems:
        raise InputError(problems, _SUBJECT)
    # what stands twice is added up, as scipy does it
    whole = csr_array(matrix)
    whole.sum_duplicates()
    legs = whole.tocoo()
    row, column, seconds = legs.row.astype(np.int64), legs.col.astype(np.int64), legs.data.astype(np.float64)
    nan, negative = np.isnan(seconds), seconds < 0
    long = (seconds > _LONGEST) & np.isfinite(seconds)
    loop = (row == column) & (seconds != 0) & ~nan
    known = (row != column) & np.isfinite(seconds)
    for bad, code, message, hint in (
        (nan, "nan", "not a number", "Leave out what is not known; write inf where there is no way."),
        (negative, "negative", "below zero", None),
        (long, "overflow", f"above {_LONGEST:,}", "Maybe milliseconds where seconds are meant?"),
        (loop, "diagonal", "not zero from a place to itself", None),
    ):
        if bad.any():
            at = np.unique(row[bad])
            problems.append(
                Problem(code, message, count=int(bad.sum()), rows=tuple(int(i) for i in at[:5]), hint=hint)
            )  # fmt: skip
    if not problems and n > 1 and not known.any():
        problems.append(_nothing_known("no leg between two customers is stored"))
    if problems:
        raise InputError(problems, _SUBJECT)
    row, column, seconds = row[known], column[known], whole_seconds(seconds[known]).astype(np.float64)
    low, high = np.minimum(row, column), np.maximum(row, column)
    pair, place = np.unique(low * shape[0] + high, return_inverse=True)
    place = place.reshape(-1)
    mean = np.bincount(place, seconds) / np.bincount(place)
    low, high = pair // shape[0], pair % shape[0]
    # by hand: sums of sparse matrices drop zeros, which are legs here
    ends = (np.concatenate([low, high]), np.concatenate([high, low]))
    return csr_array((np.concatenate([mean, mean]), ends), shape=shape)
