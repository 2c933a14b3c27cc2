"""Longitudes and latitudes for addresses, by any geocoder of geopy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.model.arrays import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from territory.model.arrays import FloatArray

__all__ = ["Geocoded", "geocode"]


@dataclass(frozen=True, eq=False)
class Geocoded:
    """Where addresses are.

    Attributes
    ----------
    lon, lat : float arrays of shape (n,), degrees
        NaN where an address was not found.
    problems : tuple of Problem
        Rows that were not found, blank, or failed.
    """

    lon: FloatArray
    lat: FloatArray
    problems: tuple[Problem, ...]


def geocode(
    addresses: Sequence[str], geocoder: Callable[[str], Any], *, min_delay_s: float = 1.0, max_retries: int = 2
) -> Geocoded:
    """Look up addresses with a geocoder, each distinct one once.

    Parameters
    ----------
    addresses : sequence of str, length n
    geocoder : callable
        The `geocode` method of a geopy geocoder, e.g. ``geopy.Nominatim(user_agent="...").geocode``:
        takes an address, gives a location or None. Mind the terms of the service.
    min_delay_s : float
        Seconds between two requests.
    max_retries : int
        How often a request that failed is made again.

    Returns
    -------
    Geocoded
        Nothing is guessed: what was not found is NaN, and named.

    Raises
    ------
    InputError
        A negative delay or number of retries, or addresses that are no text.

    Notes
    -----
    One request for each distinct address, so about `min_delay_s` times their number.

    Examples
    --------
    >>> from geopy.location import Location
    >>> known = {"Rathaus, Berlin": Location("Rathaus, Berlin", (52.5186, 13.4081), {})}
    >>> found = geocode(["Rathaus, Berlin", "nowhere"], known.get, min_delay_s=0)
    >>> found.lon.tolist(), [str(p) for p in found.problems]
    ([13.4081, nan], ['address: not found (row 1)'])
    """
    from geopy.exc import GeopyError  # noqa: PLC0415 - only where addresses are looked up
    from geopy.extra.rate_limiter import RateLimiter  # noqa: PLC0415 - only where addresses are looked up

    wrong = [i for i, address in enumerate(addresses) if not isinstance(address, str)]
    problems = []
    if wrong:
        rows = tuple(wrong[:MAX_ROWS_LISTED])
        problems.append(Problem("wrong-type", "addresses that are no text", "address", len(wrong), rows))
    if not min_delay_s >= 0:
        problems.append(Problem("bad-delay", f"expected min_delay_s >= 0, not {min_delay_s}"))
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        problems.append(Problem("bad-retries", f"expected a whole number max_retries >= 0, not {max_retries!r}"))
    if problems:
        raise InputError(problems, "geocode")
    ask = RateLimiter(
        geocoder,
        min_delay_seconds=min_delay_s,
        max_retries=max_retries,
        error_wait_seconds=2 * min_delay_s,
        swallow_exceptions=False,
    )
    known: dict[str, tuple[float, float]] = {}
    why: dict[str, str] = {"": "blank"}
    for address in dict.fromkeys(a.strip() for a in addresses):
        if not address:
            continue
        try:
            location = ask(address)
        except GeopyError as error:
            why[address] = f"the geocoder failed: {type(error).__name__}"
            continue
        if location is None:
            why[address] = "not found"
        else:
            known[address] = (float(location.longitude), float(location.latitude))
    places = np.array([known.get(a.strip(), (np.nan, np.nan)) for a in addresses], dtype=np.float64).reshape(-1, 2)
    return Geocoded(frozen(places[:, 0].copy()), frozen(places[:, 1].copy()), _named(addresses, why))


def _named(addresses: Sequence[str], why: dict[str, str]) -> tuple[Problem, ...]:
    rows: dict[str, list[int]] = {}
    for i, address in enumerate(addresses):
        if address.strip() in why:
            rows.setdefault(why[address.strip()], []).append(i)
    return tuple(
        Problem("not-geocoded", reason, "address", len(at), tuple(at[:MAX_ROWS_LISTED])) for reason, at in rows.items()
    )
