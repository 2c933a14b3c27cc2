"""A declared fallback: where a source of travel fails, another one answers, and every such answer is marked."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, Problem, TravelError
from territory.travel.base import RawTravel, TravelBase, check_divides, raw_of, raw_pairs_of
from territory.travel.pair_sets import PairSet, PlaceCodes, pair_codes
from territory.travel.partial import PartialSource, PartialTravel
from territory.travel.protocol import check_same_length
from territory.travel.replies import geometry_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from territory.model.places import Places
    from territory.travel.answers import RouteGeometry, SnappedPlaces
    from territory.travel.protocol import Travel

__all__ = ["FallbackTravel"]

#: Different failures that are kept for `FallbackTravel.failures`.
_MOST_FAILURES: Final = 20


class FallbackTravel(TravelBase):
    """Travel from a source, and from a declared fallback where that source fails.

    A pair of places for which the source raised `TravelError` is answered by the fallback, and marked in
    `TravelMatrix.estimated`. It is answered so from then on, even when the source works again; and a pair that the
    source has answered is never answered by the fallback. So whoever checks a plan sees what its planner saw. The
    price is an error where the source fails at a pair that it has answered before: put a cache between the two, and
    that pair is known.

    Only travel falls back. Places that a source does not know (`InputError`) are an error as ever, and so is a failure
    of `snap`. Lines on the map are straight where the time is estimated, or where the source fails to draw them.

    Parameters
    ----------
    source : Travel
        Sources with `partial_matrix` (see `territory.travel.partial`) fail in part; of others, a whole question.
    fallback : Travel
        E.g. ``GreatCircle()``.
    max_pairs : int
        Pairs of places whose origin of answers is remembered, 8 bytes each; beside that about 200 bytes a place.
        Beyond it no further pair is estimated: failures of the source are raised.

    Raises
    ------
    InputError
        Sources that cannot be wrapped, or a bad `max_pairs`.

    Examples
    --------
    >>> from territory.model.places import PlaceKind, Places
    >>> from territory.travel.great_circle import GreatCircle
    >>> class Down(TravelBase):
    ...     fingerprint = "a server that is down"
    ...
    ...     def raw_matrix(self, origins, destinations):
    ...         raise TravelError("connection refused", retryable=True)
    >>> ends = Places.of(PlaceKind.CUSTOMER, ["Berlin", "Potsdam"], [13.405, 13.065], [52.52, 52.39])
    >>> travel = FallbackTravel(Down(), GreatCircle())
    >>> bool(travel.matrix(ends, ends).estimated.all()), travel.failures
    (True, ('connection refused',))
    """

    def __init__(self, source: Travel, fallback: Travel, *, max_pairs: int = 25_000_000) -> None:
        if isinstance(max_pairs, bool) or not isinstance(max_pairs, int) or max_pairs < 0:
            problem = Problem("bad-limit", f"expected a whole number >= 0, not {max_pairs!r}", "max_pairs")
            raise InputError([problem], "travel")
        check_divides(source, "FallbackTravel")
        check_divides(fallback, "FallbackTravel")
        self._source, self._fallback, self._max_pairs = source, fallback, max_pairs
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Forget who answered what: answers may differ from those given before."""
        with self._lock:
            self._codes = PlaceCodes(by_id=self.by_id)
            self._answered, self._estimated = PairSet(), PairSet()
            self._lost = False
            self._failures: dict[str, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {**self.__dict__, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def __repr__(self) -> str:
        return f"FallbackTravel({self._source!r}, {self._fallback!r})"

    @property
    def fingerprint(self) -> str:
        """That of the source and that of the fallback."""
        return f"fallback({self._source.fingerprint} | {self._fallback.fingerprint})"

    @property
    def by_id(self) -> bool:
        """Whether one of the two answers by the ids of places."""
        return any(bool(getattr(each, "by_id", True)) for each in (self._source, self._fallback))

    @property
    def estimates(self) -> bool:
        """True."""
        return True

    @property
    def n_estimated(self) -> int:
        """How many pairs of places the fallback has answered."""
        return len(self._estimated)

    @property
    def failures(self) -> tuple[str, ...]:
        """What the source's failures said, each text once with its number, in the order of first occurrence."""
        times = self._failures.items()
        return tuple(text if count == 1 else f"{text} (and {count - 1} times more)" for text, count in times)

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask the source, and the fallback where it fails; see `TravelBase.raw_matrix`."""
        start, end = self._numbers(origins, destinations)
        codes = pair_codes(start[:, None], end)
        known = self._estimated.has(codes)
        rows, columns = np.flatnonzero(~known.all(axis=1)), np.flatnonzero(~known.all(axis=0))
        asked = self._ask(origins.take(rows), destinations.take(columns), pairs=False)

        def guess(failed: NDArray[np.bool_]) -> tuple[RawTravel, Any]:
            rows, columns = np.flatnonzero(failed.any(axis=1)), np.flatnonzero(failed.any(axis=0))
            return raw_of(self._fallback, origins.take(rows), destinations.take(columns)), np.ix_(rows, columns)

        return self._mended(codes, known, asked, np.ix_(rows, columns), guess)

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask the source, and the fallback where it fails; see `TravelBase.raw_pairs`."""
        check_same_length(origins, destinations)
        codes = pair_codes(*self._numbers(origins, destinations))
        known = self._estimated.has(codes)
        rows = np.flatnonzero(~known)
        asked = self._ask(origins.take(rows), destinations.take(rows), pairs=True)

        def guess(failed: NDArray[np.bool_]) -> tuple[RawTravel, Any]:
            rows = np.flatnonzero(failed)
            return raw_pairs_of(self._fallback, origins.take(rows), destinations.take(rows)), rows

        return self._mended(codes, known, asked, rows, guess)

    def snap(self, places: Places) -> SnappedPlaces:
        """Ask the source; a failure stays one, as a fallback knows nothing of its roads."""
        return self._source.snap(places)

    def route_geometry(self, stops: Places) -> RouteGeometry:
        """Give the source's lines, and the fallback's where the time is estimated or the source fails."""
        n = max(len(stops) - 1, 0)
        before = np.arange(n)
        legs = self.raw_pairs(stops.take(before), stops.take(before + 1))
        guessed = np.zeros(n, dtype=np.bool_) if legs.estimated is None else legs.estimated
        lines: list[tuple[Any, Any] | None] = [None] * n
        # where one stretch of legs of one kind ends and the next begins
        edges = np.concatenate(([0], np.flatnonzero(np.diff(guessed)) + 1, [n])) if n else np.zeros(1, dtype=int)
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            part = stops.take(np.arange(first, last + 1))
            try:
                drawn = (self._fallback if guessed[first] else self._source).route_geometry(part)
            except TravelError as error:
                if guessed[first]:
                    raise
                self._note(error)
                drawn = self._fallback.route_geometry(part)
            lines[first:last] = [drawn.leg(i) for i in range(last - first)]
        return geometry_of(lines)

    def _numbers(self, origins: Places, destinations: Places) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        with self._lock:
            return self._codes.of(origins), self._codes.of(destinations)

    def _ask(self, origins: Places, destinations: Places, *, pairs: bool) -> PartialTravel:
        source = self._source
        shape = (len(origins),) if pairs else (len(origins), len(destinations))
        nothing = RawTravel(np.full(shape, np.inf), np.full(shape, np.inf))
        if 0 in shape:
            return PartialTravel(nothing, np.zeros(shape, dtype=np.bool_), None)
        if isinstance(source, PartialSource):
            return (source.partial_pairs if pairs else source.partial_matrix)(origins, destinations)
        try:
            found = (raw_pairs_of if pairs else raw_of)(source, origins, destinations)
        except TravelError as error:
            return PartialTravel(nothing, np.ones(shape, dtype=np.bool_), error)
        return PartialTravel(found, np.zeros(shape, dtype=np.bool_), None)

    def _mended(
        self,
        codes: NDArray[np.int64],
        known: NDArray[np.bool_],
        asked: PartialTravel,
        at: Any,
        guess: Callable[[NDArray[np.bool_]], tuple[RawTravel, Any]],
    ) -> RawTravel:
        """Put the answers of the source and the fallback together, and remember whose they are.

        `known` are estimated since earlier; `asked` is what the source said of the rows and columns at `at`.
        """
        failed = known.copy()
        failed[at] |= asked.failed
        seconds, metres = np.full(codes.shape, np.inf), np.full(codes.shape, np.inf)
        estimated = np.zeros(codes.shape, dtype=np.bool_)
        seconds[at], metres[at] = asked.found.seconds, asked.found.metres
        if asked.found.estimated is not None:
            estimated[at] = asked.found.estimated
        if asked.error is not None:
            self._note(asked.error)
        with self._lock:
            # another thread may have asked the same meanwhile; whoever was first is right
            failed |= self._estimated.has(codes)
            self._remember(codes, failed, asked.error)
        if failed.any():
            guessed, where = guess(failed)
            mine = failed[where]
            seconds[where] = np.where(mine, guessed.seconds, seconds[where])
            metres[where] = np.where(mine, guessed.metres, metres[where])
            estimated |= failed
        departure_s = None if failed.all() and failed.size else asked.found.departure_s
        return RawTravel(seconds, metres, estimated if estimated.any() else None, departure_s)

    def _remember(self, codes: NDArray[np.int64], failed: NDArray[np.bool_], error: TravelError | None) -> None:
        fresh = codes[failed]
        fresh = np.unique(fresh[~self._estimated.has(fresh)])
        if len(fresh) and error is not None:
            twice = int(self._answered.has(fresh).sum())
            if twice:
                hint = "a cache between source and fallback would know them"
                raise TravelError(f"{error}; {twice} of these pairs it has answered before: {hint}", error.retryable)
            if self._lost or len(self._answered) + len(self._estimated) + len(fresh) > self._max_pairs:
                raise TravelError(
                    f"{error}; more than {self._max_pairs:,} pairs, no further one is estimated", error.retryable
                )
        self._estimated.add(fresh)
        if not self._lost:
            good = np.unique(codes[~failed])
            good = good[~self._answered.has(good)]
            if len(self._answered) + len(self._estimated) + len(good) > self._max_pairs:
                self._lost = True
            else:
                self._answered.add(good)

    def _note(self, error: TravelError) -> None:
        with self._lock:
            text = str(error)
            if text in self._failures or len(self._failures) < _MOST_FAILURES:
                self._failures[text] = self._failures.get(text, 0) + 1
