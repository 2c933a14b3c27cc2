"""A cache of travel on disk: what was asked once is not asked again, tonight or next month."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from territory.errors import InputError, Problem, TravelError
from territory.travel.answers import NearestPlaces, SnappedPlaces
from territory.travel.base import RawTravel, TravelBase, check_divides, check_k, raw_of, raw_pairs_of
from territory.travel.cache_pages import rectangles
from territory.travel.cache_spots import Legs, Spots
from territory.travel.cache_store import CacheStore
from territory.travel.partial import PartialSource, PartialTravel
from territory.travel.protocol import Travel, check_same_length
from territory.travel.wrapped import WrappedTravel
from territory.units import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.arrays import BoolArray, FloatArray
    from territory.model.places import Places
    from territory.travel.answers import RouteGeometry

__all__ = ["CacheCounts", "CachedTravel"]

#: Legs asked of the source at a time, and kept before the next are asked: 64 MB of times and distances.
_PORTION: Final = 1 << 22
_LEAST_BYTES: Final = 1_000_000
_MOST_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """What a cache has done so far, in this process.

    Attributes
    ----------
    hits, misses : int
        Legs, places to be snapped and questions for neighbours that were found in the cache, and that were not.
    requests : int
        Questions put to the source, those for lines on the map included.
    """

    hits: int = 0
    misses: int = 0
    requests: int = 0


class CachedTravel(WrappedTravel):
    """Travel that remembers on disk what a source has answered.

    Legs are kept from one place to another by where they are, of which kind (customer, home, end, hotel) and in which
    area, under the source's fingerprint. Coordinates are rounded to `digits` decimals **and the source is asked with
    the rounded ones**, so that each answer is right for the place it is kept under: 6 digits move a place by 8 cm at
    most, 5 by 79 cm. Only what is missing is asked, in few questions of some origins and some destinations.

    The file is SQLite's in write-ahead mode, on a local disk; any number of processes may share it, and whichever of
    them is killed at any moment leaves it sound. Rows that fail their checksums are dropped and fetched again. A file
    that is torn or no database is renamed to ``NAME.corrupt-1`` and begun anew (a text file is refused); where nothing
    can be written, nothing is; `diagnostics` says so. What the source estimated (`RawTravel.estimated`) is handed on,
    never kept.

    Parameters
    ----------
    source : Travel
        A speed factor must divide its times and do nothing else: put `ParkingTravel` and `TimeOfDay` around the cache.
    path : path-like
        File; it and its folder are made where they do not exist.
    data_version : str, optional
        Names the roads, or whatever else the source's fingerprint does not: answers of other versions are not used.
    max_bytes : int
        How large the file may grow, at least 1,000,000; 1 GB holds about 100 million legs in whole tenths of seconds
        and metres, half as many in others. What was not used for longest is forgotten first, by places. The
        write-ahead log beside it takes some MB more.
    digits : int
        1 to 9.

    Raises
    ------
    InputError
        Bad parameters, all at once; or, when first asked, a path at which there is another application's database.
    TravelError
        The source failed, or gave what cannot be: NaN, negative numbers, wrong shapes.

    Notes
    -----
    200 x 200 legs take about 20 ms of CPU time to read and 35 ms to keep; 9.4 bytes a leg in whole tenths, 18.2 in
    others. A thousand by a thousand take 0.2 s to read.

    Put `FallbackTravel` around the cache: when the source is down, what is kept is still answered, and only the rest is
    estimated. Within the cache, it has its legs kept but neither neighbours nor places on the road, since those are not
    flagged where a fallback gave them.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from territory.model.places import PlaceKind, Places
    >>> from territory.travel import GreatCircle
    >>> ends = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [13.40, 13.41], [52.5, 52.5])
    >>> with TemporaryDirectory() as folder, CachedTravel(GreatCircle(), f"{folder}/legs.sqlite") as travel:
    ...     first, second = travel.matrix(ends, ends), travel.matrix(ends, ends)
    ...     travel.counts
    CacheCounts(hits=4, misses=4, requests=1)
    """

    def __init__(
        self,
        source: Travel,
        path: str | Path,
        *,
        data_version: str | None = None,
        max_bytes: int = 1_000_000_000,
        digits: int = 6,
    ) -> None:
        _check(source, data_version, max_bytes, digits)
        check_divides(source, "CachedTravel")
        self.source = source
        self.path = Path(path)
        self.data_version, self.max_bytes, self.digits = data_version, int(max_bytes), int(digits)
        self._store = CacheStore(self.path, self.max_bytes, self.fingerprint)
        self._hits = self._misses = self._requests = 0

    @property
    def fingerprint(self) -> str:
        """The source's, to how many digits coordinates are rounded, and the version of the data."""
        version = "" if self.data_version is None else f" data={self.data_version!r}"
        return f"{self.source.fingerprint} digits={self.digits}{version}"

    @property
    def counts(self) -> CacheCounts:
        """What was found, what was not, and how often the source was asked."""
        return CacheCounts(self._hits, self._misses, self._requests)

    @property
    def diagnostics(self) -> tuple[Problem, ...]:
        """Warnings about the file.

        `cache-set-aside`, `cache-row-corrupt`, `cache-not-writable`, `cache-not-closed`, `cache-busy`,
        `cache-departure` and `cache-too-small`; each with how often.
        """
        return self._store.file.notes

    def close(self) -> None:
        """Let go of the file; asked again, the cache opens it again."""
        self._store.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        options = {"data_version": self.data_version, "max_bytes": self.max_bytes, "digits": self.digits}
        return _reopened, (self.source, self.path, options)

    def __repr__(self) -> str:
        return f"CachedTravel({self.source!r}, {str(self.path)!r})"

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Give the travel from every origin to every destination; see `TravelBase.raw_matrix`."""
        return self._matrix(origins, destinations, None).found

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Give the travel from each origin to the destination in the same row; see `TravelBase.raw_pairs`."""
        return self._pairs(origins, destinations, None).found

    def partial_matrix(self, origins: Places, destinations: Places) -> PartialTravel:
        """Give what is kept and what the source still answers; see `PartialSource`."""
        return self._matrix(origins, destinations, [])

    def partial_pairs(self, origins: Places, destinations: Places) -> PartialTravel:
        """Give what is kept and what the source still answers; see `PartialSource`."""
        return self._pairs(origins, destinations, [])

    def nearest(self, origins: Places, destinations: Places, k: int, *, speed_factor: float = 1.0) -> NearestPlaces:
        """Give the k destinations soonest reached from each origin; see `Travel.nearest`.

        From a source that finds neighbours without all legs, the whole answer is kept; else the legs.
        """
        check_k(k)
        if isinstance(self.source, TravelBase) and type(self.source).nearest is TravelBase.nearest:
            return super().nearest(origins, destinations, k, speed_factor=speed_factor)
        m, n = len(origins), len(destinations)
        a, b = self._spots(origins), self._spots(destinations)
        question = blake2b(repr((m, n, int(k), float(speed_factor))).encode(), digest_size=16)
        for spots, places in ((a, origins), (b, destinations)):
            question.update(repr(([spots.keys[i] for i in spots.row.tolist()], places.id.tolist())).encode())
        size = 4 * m * int(k)
        body = None if self.estimates else self._store.answer(question.digest())
        if body is not None and len(body) == 3 * size:
            self._hits += 1
            idx, durations, distances = np.frombuffer(body, dtype="<i4").astype(np.int32).reshape(3, m, int(k))
            return NearestPlaces(idx, durations, distances, n)
        self._misses += 1
        self._requests += 1
        found = self.source.nearest(a.moved, b.moved, k, speed_factor=speed_factor)
        parts = (found.idx, found.durations_s, found.distances_m)
        if (
            any(part.shape != (m, int(k)) for part in parts)
            or found.idx.max(initial=-1) >= n
            or found.n_destinations != n
        ):
            raise TravelError(f"{self._name} gave neighbours of a wrong shape")
        if (
            found.durations_s.min(initial=0) < 0
            or found.distances_m.min(initial=0) < 0
            or found.idx.min(initial=0) < -1
        ):
            raise TravelError(f"{self._name} gave negative travel to neighbours")
        if not self.estimates:
            self._store.keep_answer(question.digest(), b"".join(part.astype("<i4").tobytes() for part in parts))
        return found

    def route_geometry(self, stops: Places) -> RouteGeometry:
        """Give the line driven from each stop to the next, as the source draws it: lines are not kept."""
        self._requests += 1
        return self.source.route_geometry(self._spots(stops).moved)

    def snap(self, places: Places) -> SnappedPlaces:
        """Tell where trips from and to places begin and end; see `Travel.snap`. `moved_m` is from the rounded place."""
        spots = self._spots(places)
        values = self._store.snaps(spots.keys)
        missing = np.isnan(values[0])
        self._count(missing)
        at = np.flatnonzero(missing)
        if len(at):
            self._requests += 1
            found = self.source.snap(spots.places(at))
            parts = (found.lon, found.lat, found.moved_m)
            if any(part.shape != at.shape or np.isnan(part).any() for part in parts) or found.moved_m.min() < 0:
                raise TravelError(f"{self._name} snapped places to nowhere")
            values[:, at] = parts
            if not self.estimates:
                self._store.keep_snaps([spots.keys[i] for i in at.tolist()], values[:, at])
        lon, lat, moved = values[:, spots.row]
        return SnappedPlaces(lon, lat, moved)

    def _matrix(self, origins: Places, destinations: Places, failures: list[TravelError] | None) -> PartialTravel:
        a, b = self._spots(origins), self._spots(destinations)
        m, n = len(a), len(b)
        legs = self._legs(a, b, np.repeat(np.arange(m), n), np.tile(np.arange(n), m))
        for rows, columns in rectangles(legs.missing.reshape(m, n)):
            step = max(1, _PORTION // len(columns))
            for low in range(0, len(rows), step):
                here = rows[low : low + step]
                self._ask(legs, here[:, None] * n + columns, (a.places(here), b.places(columns)), failures)
        return legs.answer((a.row * n)[:, None] + b.row, failures)

    def _pairs(self, origins: Places, destinations: Places, failures: list[TravelError] | None) -> PartialTravel:
        check_same_length(origins, destinations)
        a, b = self._spots(origins), self._spots(destinations)
        n = max(len(b), 1)
        pairs, row = np.unique(a.row * n + b.row, return_inverse=True)
        legs = self._legs(a, b, *np.divmod(pairs, n))
        asked = np.flatnonzero(legs.missing)
        for low in range(0, len(asked), _PORTION):
            at = asked[low : low + _PORTION]
            self._ask(legs, at, (a.places(legs.start[at]), b.places(legs.end[at])), failures)
        return legs.answer(row, failures)

    def _count(self, missing: BoolArray) -> None:
        misses = int(np.count_nonzero(missing))
        self._misses += misses
        self._hits += missing.size - misses

    def _legs(self, a: Spots, b: Spots, start: NDArray[np.intp], end: NDArray[np.intp]) -> Legs:
        """Look up legs, each once, between spots at positions `start` and `end`, shape (n,)."""
        values, departure = self._store.legs(a.keys, b.keys, start, end)
        missing = np.isnan(values[0])
        self._count(missing)
        return Legs(a, b, start, end, values, missing, np.zeros(len(start), dtype=bool), departure)

    def _ask(
        self, legs: Legs, at: NDArray[np.intp], ends: tuple[Places, Places], failures: list[TravelError] | None
    ) -> None:
        """Ask the source for legs at some positions: of a matrix, if they have two sides, else of pairs.

        What it fails to give is raised, after what it gives is kept; or added to `failures`.
        """
        self._requests += 1
        source, pairs = self.source, at.ndim == 1
        try:
            if isinstance(source, PartialSource):
                part = (source.partial_pairs if pairs else source.partial_matrix)(*ends)
                self._fill(legs, at, part.found, part.failed)
                if part.error is not None:
                    raise part.error
            else:
                found = (raw_pairs_of if pairs else raw_of)(source, *ends)
                self._fill(legs, at, found, np.zeros(at.shape, dtype=bool))
        except TravelError as error:
            if failures is None:
                raise
            failures.append(error)

    def _fill(self, legs: Legs, at: NDArray[np.intp], found: RawTravel, failed: BoolArray) -> None:
        """Put an answer of the source, of the shape of `at`, where legs at these positions were missing; keep it."""
        if failed.shape != at.shape:
            raise TravelError(f"{self._name} failed in a part of shape {failed.shape}, not {at.shape}")
        seconds, metres = (self._sound(each, failed) for each in (found.seconds, found.metres))
        guess = np.zeros(at.shape, dtype=bool) if found.estimated is None else found.estimated
        if guess.shape != at.shape:
            raise TravelError(f"{self._name} flagged estimates of shape {guess.shape}, not {at.shape}")
        new = legs.missing[at] & ~failed
        if not new.any():
            return
        if legs.told and found.departure_s != legs.departure_s:
            message = f"{self._name} gave travel of departure {found.departure_s}, and under the same fingerprint"
            raise TravelError(f"{message} that of {legs.departure_s}")
        legs.departure_s = found.departure_s
        # what is kept already stays as it is, so that the same question has the same answer
        filled = at[new]
        legs.values[:, filled] = seconds[new], metres[new]
        legs.estimated[filled] = guess[new]
        kept = filled[~guess[new]]
        starts, start = legs.a.some(legs.start[kept])
        ends, end = legs.b.some(legs.end[kept])
        self._store.keep_legs(starts, ends, start, end, legs.values[:, kept], found.departure_s)

    @property
    def _name(self) -> str:
        return type(self.source).__name__

    def _sound(self, part: FloatArray, failed: BoolArray) -> FloatArray:
        part = np.asarray(part, dtype=np.float64)
        if part.shape != failed.shape:
            raise TravelError(f"{self._name} gave travel of shape {part.shape}, not {failed.shape}")
        if not ((part >= 0) | failed).all():
            raise TravelError(f"{self._name} gave travel that is negative or not a number")
        return part

    def _spots(self, places: Places) -> Spots:
        return Spots.of(places, self.digits, by_id=self.by_id)


def _reopened(source: Travel, path: Path, options: dict[str, Any]) -> CachedTravel:
    return CachedTravel(source, path, **options)


def _check(source: object, data_version: object, max_bytes: object, digits: object) -> None:
    problems = []
    if isinstance(source, type) or not isinstance(source, Travel):
        problems.append(Problem("source-type", f"expected a source of travel, not {source!r}", "source"))
    if data_version is not None and not isinstance(data_version, str):
        problems.append(Problem("data-version-type", f"expected text, not {data_version!r}", "data_version"))
    if not (is_number(max_bytes) and _LEAST_BYTES <= max_bytes < np.inf):
        message = f"expected at least {_LEAST_BYTES:,} bytes, not {max_bytes!r}"
        problems.append(Problem("max-bytes-out-of-range", message, "max_bytes", hint="Maybe megabytes?"))
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= _MOST_DIGITS:
        message = f"expected 1 to {_MOST_DIGITS} digits, not {digits!r}"
        problems.append(Problem("digits-out-of-range", message, "digits"))
    if problems:
        raise InputError(problems, "travel cache")
