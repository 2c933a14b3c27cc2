"""Travel times from a matrix that the user has: from a routing service, a traffic model or a year of tracking."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.geo.sphere import great_circle_m
from territory.model.places import PlaceKind
from territory.travel.base import RawTravel, TravelBase
from territory.travel.great_circle import DETOUR
from territory.travel.matrix_input import check_ids, read_matrix, warn_speeds, warn_triangles, warn_unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from territory.model.places import Places

__all__ = ["MatrixTravel"]

_KIND_NAMES = {
    PlaceKind.CUSTOMER: "customer",
    PlaceKind.REP: "rep",
    PlaceKind.REP_END: "rep_end",
    PlaceKind.HOTEL: "hotel",
}


class MatrixTravel(TravelBase):
    """Travel times looked up in a square matrix by id.

    Rows and columns stand for the customers, then the homes of reps, then the ends of their days, then hotels, in the
    order of the ids given. A rep without an end of its own ends at home. Rows are origins; the matrix need not be
    symmetric.

    Parameters
    ----------
    durations_s : array_like of shape (n, n)
        Seconds, whole or not; they are rounded up when asked for, after division by the speed factor. Null (None,
        masked) or infinity: there is no way. NaN is refused, since it is what a failed calculation leaves behind.
    distances_m : array_like of shape (n, n), optional
        Metres; infinite or null only where there is no way. Default: the great circle between the coordinates of
        the places asked about, times `detour`.
    customer_ids, rep_ids, rep_end_ids, hotel_ids : iterable of str
        Together n ids; unique within each.
    detour : float
        Only used without `distances_m`; at least 1.

    Attributes
    ----------
    diagnostics : tuple of Problem
        Warnings: legs without a way (`unreachable`), ways over a third place that are shorter (`triangle-violated`),
        and, if there are distances, implied speeds outside 1 to 200 km/h (`speed-too-high`, `speed-too-low`).
        Without distances, `check_speeds` tells the latter.

    Raises
    ------
    InputError
        Every broken rule at once: shape, NaN, negative, non-zero diagonal, overflow, blank or duplicate ids.

    Examples
    --------
    >>> from territory.model.places import PlaceKind, Places
    >>> travel = MatrixTravel([[0, 60.5], [None, 0]], customer_ids=["a", "b"])
    >>> ends = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [13.40, 13.41], [52.5, 52.5])
    >>> travel.matrix(ends, ends).durations_s.tolist()
    [[0, 61], [2147483647, 0]]
    >>> travel.diagnostics[0].code
    'unreachable'
    """

    __slots__ = ("_detour", "_distances", "_durations", "_fingerprint", "_ids", "_row_of", "_symmetric", "diagnostics")

    def __init__(
        self,
        durations_s: ArrayLike,
        distances_m: ArrayLike | None = None,
        *,
        customer_ids: Iterable[str] = (),
        rep_ids: Iterable[str] = (),
        rep_end_ids: Iterable[str] = (),
        hotel_ids: Iterable[str] = (),
        detour: float = DETOUR,
    ) -> None:
        problems: list[Problem] = []
        ids = tuple(_as_list(each) for each in (customer_ids, rep_ids, rep_end_ids, hotel_ids))
        for each, name in zip(ids, ("customer_ids", "rep_ids", "rep_end_ids", "hotel_ids"), strict=True):
            check_ids(each, name, problems)
        n = sum(len(each) for each in ids)
        durations = read_matrix(durations_s, "durations_s", n, problems)
        distances = None if distances_m is None else read_matrix(distances_m, "distances_m", n, problems)
        if not 1.0 <= detour < np.inf:
            problems.append(Problem("detour-out-of-range", f"expected at least 1, not {detour!r}", "detour"))
        if durations is not None and distances is not None:
            gap = np.isinf(distances) & ~np.isinf(durations)
            if gap.any():
                rows = tuple(int(row) for row in np.flatnonzero(gap.any(axis=1))[:MAX_ROWS_LISTED])
                message = "no distance where there is a duration"
                problems.append(Problem("distance-missing", message, "distances_m", int(gap.sum()), rows))
            distances[np.isinf(durations)] = np.inf
        if problems or durations is None:
            raise InputError(problems, "travel matrix")
        self._durations = durations
        self._distances = distances
        self._detour = float(detour)
        self._ids = ids
        self._row_of = _row_numbers(ids)
        self._fingerprint: str | None = None
        self._symmetric: bool | None = None
        self.diagnostics: tuple[Problem, ...] = tuple(self._warnings())

    def _warnings(self) -> list[Problem]:
        names = [each for block in self._ids for each in block]
        found = warn_unreachable(self._durations, names) + warn_triangles(self._durations)
        if self._distances is not None:
            found += warn_speeds(self._durations, self._distances, np.isfinite(self._durations))
        return found

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        origin: str = "origin",
        destination: str = "destination",
        duration: str = "duration_s",
        distance: str = "distance_m",
        rep_ids: Iterable[str] = (),
        rep_end_ids: Iterable[str] = (),
        hotel_ids: Iterable[str] = (),
        missing: Literal["error", "unreachable"] = "error",
        detour: float = DETOUR,
    ) -> MatrixTravel:
        """Read a long table with one leg a row.

        Parameters
        ----------
        frame : dataframe
            Of pandas, polars, pyarrow or whatever else narwhals reads.
        origin, destination : str
            Columns of ids, text or integers.
        duration : str
            Column of seconds; null or infinite where there is no way. NaN is refused; a plain float column of
            pandas cannot hold nulls that are not NaN: use its dtype ``Float64``, or write infinity.
        distance : str
            Column of metres; may be absent, as `distances_m` may.
        rep_ids, rep_end_ids, hotel_ids : iterable of str
            Which ids are reps' homes and ends, and hotels; the others are customers. Ids must differ across kinds here.
        missing : {"error", "unreachable"}
            What legs mean that are not in the table. A place needs no leg to itself.
        detour : float
            See the class.

        Returns
        -------
        MatrixTravel

        Raises
        ------
        InputError
            Missing columns, bad ids, legs that are there twice or not at all, and all that the class refuses.
        """
        # narwhals is needed for tables only
        from territory.travel.matrix_table import read_legs  # noqa: PLC0415

        table = read_legs(
            frame,
            columns={"origin": origin, "destination": destination, "duration": duration, "distance": distance},
            rep_ids=_as_list(rep_ids),
            rep_end_ids=_as_list(rep_end_ids),
            hotel_ids=_as_list(hotel_ids),
            missing=missing,
        )
        return cls(
            table.durations_s,
            table.distances_m,
            customer_ids=table.customer_ids,
            rep_ids=table.rep_ids,
            rep_end_ids=table.rep_end_ids,
            hotel_ids=table.hotel_ids,
            detour=detour,
        )

    @property
    def fingerprint(self) -> str:
        """The size and a hash of ids, durations and distances, e.g. ``"matrix n=12 sha256=..."``."""
        if self._fingerprint is None:
            digest = hashlib.sha256()
            # without hotels it is what it was before there were any
            for block in self._ids if self._ids[3] else self._ids[:3]:
                digest.update(repr(block).encode())
            digest.update(self._durations.astype("<f8").tobytes())
            if self._distances is None:
                digest.update(f"great-circle {self._detour!r}".encode())
            else:
                digest.update(self._distances.astype("<f8").tobytes())
            self._fingerprint = f"matrix n={len(self._durations)} sha256={digest.hexdigest()}"
        return self._fingerprint

    @property
    def symmetric(self) -> bool:
        """Whether durations and distances are the same both ways."""
        if self._symmetric is None:
            given = [self._durations] if self._distances is None else [self._durations, self._distances]
            self._symmetric = all(bool((each == each.T).all()) for each in given)
        return self._symmetric

    @property
    def by_id(self) -> bool:
        """True: places are looked up by kind and id."""
        return True

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Look up every origin with every destination, not rounded; see `TravelBase.raw_matrix`."""
        start, end = self._rows(origins, destinations)
        rows, columns = start[:, None], end[None, :]
        return RawTravel(self._durations[rows, columns], self._metres(origins, destinations, rows, columns))

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Look up each origin with the destination in the same row, not rounded; see `TravelBase.raw_pairs`."""
        start, end = self._rows(origins, destinations)
        return RawTravel(self._durations[start, end], self._metres(origins, destinations, start, end))

    def check_speeds(self, places: Places) -> tuple[Problem, ...]:
        """Compare durations with distances between coordinates: units are easily mixed up.

        Parameters
        ----------
        places : Places
            Known to the matrix; of more than 1,000, every so-manieth is looked at.

        Returns
        -------
        tuple of Problem
            Warnings `speed-too-high` and `speed-too-low`, empty if every speed is within 1 to 200 km/h.
        """
        some = places.take(np.arange(0, len(places), -(-len(places) // 1_000) or 1))
        legs = self.matrix(some, some)
        return tuple(warn_speeds(legs.durations_s, legs.distances_m, legs.reachable))

    def _metres(
        self, origins: Places, destinations: Places, start: NDArray[np.intp], end: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        if self._distances is not None:
            return self._distances[start, end]
        if start.ndim == 2:
            metres = great_circle_m(origins.lon[:, None], origins.lat[:, None], destinations.lon, destinations.lat)
        else:
            metres = great_circle_m(origins.lon, origins.lat, destinations.lon, destinations.lat)
        metres *= self._detour
        # one row of the matrix is one spot, whatever the coordinates say
        metres[start == end] = 0.0
        metres[np.isinf(self._durations[start, end])] = np.inf
        return np.asarray(metres)

    def _rows(self, *tables: Places) -> list[NDArray[np.intp]]:
        """Find the rows of places, noting every id that is not there."""
        unknown: dict[PlaceKind, dict[str, int]] = {}
        result = []
        for places in tables:
            rows = np.empty(len(places), dtype=np.intp)
            for kind in PlaceKind:
                at = np.flatnonzero(places.kind == kind)
                row_of = self._row_of[kind]
                names = places.id[at].tolist()
                rows[at] = [row_of.get(name, -1) for name in names]
                for position in np.flatnonzero(rows[at] < 0).tolist():
                    unknown.setdefault(kind, {}).setdefault(names[position], int(at[position]))
            result.append(rows)
        if unknown:
            raise InputError([_unknown(kind, where) for kind, where in unknown.items()], "travel matrix")
        return result

    def __len__(self) -> int:
        return len(self._durations)

    def __repr__(self) -> str:
        customers, reps, ends, hotels = (len(block) for block in self._ids)
        slept = f", {hotels} hotels" if hotels else ""
        return f"MatrixTravel({customers} customers, {reps} reps, {ends} rep ends{slept})"


def _as_list(ids: Iterable[str]) -> list[str]:
    # a text array yields its strings through tolist, and a lone string is a mistake, not a sequence of letters
    if isinstance(ids, str):
        problem = Problem("ids-type", f"expected a sequence of ids, not the text {ids!r}", hint="Maybe [id]?")
        raise InputError([problem], "travel matrix")
    return list(ids.tolist() if isinstance(ids, np.ndarray) else ids)


def _row_numbers(ids: tuple[list[str], ...]) -> dict[PlaceKind, dict[str, int]]:
    customers, reps, ends, hotels = ids
    rep_row = {name: len(customers) + i for i, name in enumerate(reps)}
    end_row = {name: len(customers) + len(reps) + i for i, name in enumerate(ends)}
    return {
        PlaceKind.CUSTOMER: {name: i for i, name in enumerate(customers)},
        PlaceKind.REP: rep_row,
        PlaceKind.REP_END: {**rep_row, **end_row},
        PlaceKind.HOTEL: {name: len(customers) + len(reps) + len(ends) + i for i, name in enumerate(hotels)},
    }


def _unknown(kind: PlaceKind, where: dict[str, int]) -> Problem:
    names = list(where)
    listed = ", ".join(repr(name) for name in names[:MAX_ROWS_LISTED])
    more = "" if len(names) <= MAX_ROWS_LISTED else f" and {len(names) - MAX_ROWS_LISTED} more"
    return Problem(
        "unknown-id",
        f"not in the matrix: {listed}{more}",
        _KIND_NAMES[kind],
        count=len(names),
        rows=tuple(where[name] for name in names[:MAX_ROWS_LISTED]),
        hint="Maybe the matrix is keyed to other ids?",
    )
