"""A declared fallback: where a source of travel fails, another one answers, and every such answer is marked."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, Problem, TravelError
from territory.travel.base import RawTravel, TravelBase, check_divides, check_travel, raw_of, raw_pairs_of
from territory.travel.pair_table import PairTable, PlaceCodes, pair_codes
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
    `TravelMatrix.estimated`. It is answered so from then on, even when the source works again; and what the source
    has answered once stays the answer, even when the source fails later. So whoever checks a plan sees what its
    planner saw, until `forget`.

    Places that a source does not know (`InputError`) are an error as ever. Lines on the map are the fallback's where
    the time is estimated, or where the source fails to draw them; so are points on the road where it fails to `snap`.

    Parameters
    ----------
    source : Travel
        Those with `partial_matrix` (see `territory.travel.partial`) fail in part; of others, a whole question.
    fallback : Travel
        E.g. ``GreatCircle()``.
    max_pairs : int
        Pairs of places of which the answer is remembered: 24 bytes each, those of the source, and 8 bytes each, those
        that are estimated, here or by the source; beside that about 300 bytes a place. Once there are more, failures
        of the source at further pairs are raised, as nobody could tell any longer what was answered before.

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

    def __init__(self, source: Travel, fallback: Travel, *, max_pairs: int = 10_000_000) -> None:
        if isinstance(max_pairs, bool) or not isinstance(max_pairs, int) or max_pairs < 0:
            problem = Problem("bad-limit", f"expected a whole number >= 0, not {max_pairs!r}", "max_pairs")
            raise InputError([problem], "travel")
        check_travel(source=source, fallback=fallback)
        check_divides(source, "FallbackTravel")
        check_divides(fallback, "FallbackTravel")
        self.source, self.fallback, self._max_pairs = source, fallback, max_pairs
        self._lock = threading.RLock()
        self.forget()

    def forget(self) -> None:
        """Forget all answers: later ones may differ from those given before."""
        with self._lock:
            self._codes = PlaceCodes(by_id=self.by_id)
            self._answered, self._estimated = PairTable(2), PairTable()
            # answered by the source, which has a fallback of its own and marked them
            self._handed_on = PairTable()
            self._full = False
            self._departure_s: float | None = None
            self._failures: dict[str, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {**self.__dict__, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.RLock())

    def __repr__(self) -> str:
        return f"FallbackTravel({self.source!r}, {self.fallback!r})"

    @property
    def fingerprint(self) -> str:
        """That of the source and that of the fallback."""
        return f"fallback({self.source.fingerprint} | {self.fallback.fingerprint})"

    @property
    def by_id(self) -> bool:
        """Whether one of the two answers by the ids of places."""
        return any(bool(getattr(each, "by_id", True)) for each in (self.source, self.fallback))

    @property
    def estimates(self) -> bool:
        """True."""
        return True

    @property
    def attribution(self) -> str | None:
        """Whom the source's data are owed to; None if it does not say."""
        return getattr(self.source, "attribution", None)

    @property
    def n_estimated(self) -> int:
        """How many pairs of places the fallback has answered."""
        return len(self._estimated)

    @property
    def failures(self) -> tuple[str, ...]:
        """What the source's failures said, each text once, in the order of first occurrence."""
        times = self._failures.items()
        return tuple(text if count == 1 else f"{text} ({count} times)" for text, count in times)

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask the source, and the fallback where it fails; see `TravelBase.raw_matrix`."""

        def cut(wanted: NDArray[np.bool_]) -> tuple[Places, Places, Any]:
            rows, columns = np.flatnonzero(wanted.any(axis=1)), np.flatnonzero(wanted.any(axis=0))
            return origins.take(rows), destinations.take(columns), np.ix_(rows, columns)

        with self._lock:
            codes = pair_codes(self._codes.of(origins)[:, None], self._codes.of(destinations))
            return self._answer(codes, cut, pairs=False)

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask the source, and the fallback where it fails; see `TravelBase.raw_pairs`."""
        check_same_length(origins, destinations)

        def cut(wanted: NDArray[np.bool_]) -> tuple[Places, Places, Any]:
            rows = np.flatnonzero(wanted)
            return origins.take(rows), destinations.take(rows), rows

        with self._lock:
            codes = pair_codes(self._codes.of(origins), self._codes.of(destinations))
            return self._answer(codes, cut, pairs=True)

    def snap(self, places: Places) -> SnappedPlaces:
        """Ask the source; where it fails, trips begin and end where those of the fallback do. Nothing is remembered."""
        try:
            return self.source.snap(places)
        except TravelError as error:
            self._note(error)
            return self.fallback.snap(places)

    def route_geometry(self, stops: Places) -> RouteGeometry:
        """Give the source's lines, and the fallback's where the time is estimated or the source fails."""
        n = max(len(stops) - 1, 0)
        before = np.arange(n)
        self.raw_pairs(stops.take(before), stops.take(before + 1))
        with self._lock:
            code = self._codes.of(stops)
            # a source that estimates draws its own estimates
            guessed, _ = self._estimated.find(pair_codes(code[before], code[before + 1]))
        lines: list[tuple[Any, Any] | None] = [None] * n
        # where one stretch of legs of one kind ends and the next begins
        edges = np.concatenate(([0], np.flatnonzero(np.diff(guessed)) + 1, [n])) if n else np.zeros(1, dtype=int)
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            part = stops.take(np.arange(first, last + 1))
            try:
                drawn = (self.fallback if guessed[first] else self.source).route_geometry(part)
            except TravelError as error:
                if guessed[first]:
                    raise
                self._note(error)
                drawn = self.fallback.route_geometry(part)
            lines[first:last] = [drawn.leg(i) for i in range(last - first)]
        return geometry_of(lines)

    def _ask(self, origins: Places, destinations: Places, *, pairs: bool) -> PartialTravel:
        source = self.source
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

    def _answer(
        self,
        codes: NDArray[np.int64],
        cut: Callable[[NDArray[np.bool_]], tuple[Places, Places, Any]],
        *,
        pairs: bool,
    ) -> RawTravel:
        """Put together what is known, what the source says and what the fallback says.

        `cut` gives the smallest question that holds the pairs wanted, and where its answers belong.
        """
        estimated, _ = self._estimated.find(codes)
        known, (seconds, metres) = self._answered.find(codes)
        marked = estimated | self._handed_on.find(codes)[0]
        unknown = ~(known | estimated)
        if unknown.any():
            origins, destinations, at = cut(unknown)
            asked = self._ask(origins, destinations, pairs=pairs)
            told = unknown[at] & ~asked.failed
            failed = unknown.copy()
            failed[at] &= asked.failed
            self._remember_failed(codes[failed], asked.error)
            handed_on = told & (False if asked.found.estimated is None else asked.found.estimated)
            values = np.stack((asked.found.seconds[told], asked.found.metres[told]))
            self._remember_told(codes[at][told], values, codes[at][handed_on])
            seconds[at] = np.where(told, asked.found.seconds, seconds[at])
            metres[at] = np.where(told, asked.found.metres, metres[at])
            estimated |= failed
            marked |= failed
            marked[at] |= handed_on
            if told.any():
                self._departure_s = asked.found.departure_s
        if estimated.any():
            origins, destinations, at = cut(estimated)
            guessed = (raw_pairs_of if pairs else raw_of)(self.fallback, origins, destinations)
            seconds[at] = np.where(estimated[at], guessed.seconds, seconds[at])
            metres[at] = np.where(estimated[at], guessed.metres, metres[at])
        departure_s = None if estimated.all() else self._departure_s
        return RawTravel(seconds, metres, marked if marked.any() else None, departure_s)

    def _remember_failed(self, codes: NDArray[np.int64], error: TravelError | None) -> None:
        if error is None or not len(codes):
            return
        self._note(error)
        codes = np.unique(codes)
        if self._full or len(self._answered) + len(self._estimated) + len(codes) > self._max_pairs:
            more = f"more than {self._max_pairs:,} pairs were asked, so no further one is estimated"
            raise TravelError(f"{error}; {more}", error.retryable)
        self._estimated.add(codes)

    def _remember_told(
        self, codes: NDArray[np.int64], values: NDArray[np.float64], handed_on: NDArray[np.int64]
    ) -> None:
        if len(self._answered) + len(self._estimated) + len(codes) > self._max_pairs:
            self._full = True
        else:
            self._answered.add(codes, values)
            self._handed_on.add(np.unique(handed_on))

    def _note(self, error: TravelError) -> None:
        with self._lock:
            text = str(error)
            if text in self._failures or len(self._failures) < _MOST_FAILURES:
                self._failures[text] = self._failures.get(text, 0) + 1
