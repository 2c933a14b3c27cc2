"""A declared fallback: what it marks, what it keeps, and what it never hides."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import InputError, Problem, TravelError
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle, RawTravel, TravelBase
from territory.travel.answers import RouteGeometry
from territory.travel.fallback import FallbackTravel
from territory.travel.pair_table import PairTable
from territory.travel.partial import PartialTravel

N = 12
PLACES = Places.of(
    PlaceKind.CUSTOMER, [f"c{i}" for i in range(N)], np.linspace(9.4, 9.6, N), np.linspace(47.0, 47.2, N)
)


class Moody(TravelBase):
    """A source that works or not, and never says the same twice; `bad` pairs fail even when it works."""

    fingerprint = "moody"
    symmetric = True

    def __init__(self, bad=(), *, partial=False):
        self.works, self.n_asked, self.bad = True, 0, set(bad)
        if partial:
            self.partial_matrix = lambda o, d: self._partial(o.lon[:, None], d.lon)
            self.partial_pairs = lambda o, d: self._partial(o.lon, d.lon)

    def _partial(self, start, end):
        self.n_asked += 1
        start, end = np.broadcast_arrays(start, end)
        rows, columns = np.rint((start - 9.4) / 0.2 * (N - 1)), np.rint((end - 9.4) / 0.2 * (N - 1))
        failed = np.array([(r, c) in self.bad for r, c in zip(rows.ravel(), columns.ravel(), strict=True)], dtype=bool)
        failed = failed.reshape(start.shape) | (not self.works)
        metres = np.abs(start - end) * 1e5
        error = TravelError("moody", retryable=True) if failed.any() else None
        found = RawTravel(
            np.where(failed, -7.0, metres + self.n_asked), np.where(failed, np.nan, metres), None, 28_800.0
        )
        return PartialTravel(found, failed, error)

    def raw_matrix(self, origins, destinations):
        partial = self._partial(origins.lon[:, None], destinations.lon)
        if partial.error is not None:
            raise partial.error
        return partial.found

    def route_geometry(self, stops):
        if not self.works:
            raise TravelError("no lines")
        return RouteGeometry(
            np.repeat(stops.lon, 2)[1:-1] + 1, np.repeat(stops.lat, 2)[1:-1], np.arange(len(stops)) * 2
        )

    def snap(self, places):  # noqa: ARG002 - fails
        raise TravelError("no snapping")


def test_without_failures_it_is_the_source():
    source = Moody()
    travel = FallbackTravel(source, GreatCircle())
    found = travel.matrix(PLACES, PLACES)
    assert found.estimated is None
    assert found.departure_s == 28_800.0
    assert (found.durations_s == Moody().matrix(PLACES, PLACES).durations_s).all()
    assert travel.failures == ()
    assert travel.n_estimated == 0
    assert not travel.symmetric
    assert travel.fingerprint == f"fallback(moody | {GreatCircle().fingerprint})"


@pytest.mark.parametrize("partial", [False, True])
def test_a_pair_once_estimated_stays_so(partial):
    source = Moody(partial=partial)
    source.works = False
    travel = FallbackTravel(source, GreatCircle())
    some, rest = PLACES.take(np.arange(4)), PLACES.take(np.arange(4, N))
    found = travel.matrix(some, some)
    assert found.estimated.all()
    assert found.departure_s is None
    assert (found.durations_s == GreatCircle().matrix(some, some).durations_s).all()
    source.works = True
    again = travel.matrix(PLACES, PLACES)
    expected = np.zeros((N, N), dtype=bool)
    expected[:4, :4] = True
    assert (again.estimated == expected).all()
    assert (again.durations_s[:4, :4] == found.durations_s).all()
    assert (again.durations_s[4:, 4:] != GreatCircle().matrix(rest, rest).durations_s).any()
    assert travel.n_estimated == 16
    n_asked = source.n_asked
    assert travel.matrix(some, some).estimated.all()
    assert source.n_asked == n_asked, "what is known is not asked again"
    travel.forget()
    assert travel.matrix(some, some).estimated is None


@pytest.mark.parametrize("partial", [False, True])
def test_what_the_source_said_stays_when_it_fails(partial):
    source = Moody(partial=partial)
    travel = FallbackTravel(source, GreatCircle())
    some = PLACES.take(np.arange(5))
    planned = travel.matrix(some, some)
    source.works = False
    checked = travel.pairs(PLACES.take(np.arange(8)), PLACES.take(np.arange(8)[::-1]))
    both = (np.arange(8) < 5) & (np.arange(8)[::-1] < 5)
    assert (checked.estimated == ~both).all()
    assert (checked.durations_s[both] == planned.durations_s[np.arange(8)[both], np.arange(8)[::-1][both]]).all()


def test_only_the_part_that_failed_is_estimated():
    source = Moody({(1, 2), (7, 7)}, partial=True)
    travel = FallbackTravel(source, GreatCircle())
    found = travel.raw_matrix(PLACES, PLACES)
    expected = np.zeros((N, N), dtype=bool)
    expected[1, 2] = expected[7, 7] = True
    assert (found.estimated == expected).all()
    guess, told = GreatCircle().raw_matrix(PLACES, PLACES), Moody().raw_matrix(PLACES, PLACES)
    assert (found.seconds == np.where(expected, guess.seconds, told.seconds)).all()
    assert (found.metres == np.where(expected, guess.metres, told.metres)).all()
    assert travel.failures == ("moody",)
    whole = FallbackTravel(Moody({(1, 2)}), GreatCircle())
    assert whole.raw_matrix(PLACES, PLACES).estimated.all(), "of other sources the whole question fails"


def test_input_errors_are_never_hidden():
    class Picky(TravelBase):
        fingerprint = "picky"

        def raw_matrix(self, origins, destinations):  # noqa: ARG002 - fails
            raise InputError([Problem("unknown", "who is that?")], "travel")

    with pytest.raises(InputError, match="who is that"):
        FallbackTravel(Picky(), GreatCircle()).matrix(PLACES, PLACES)
    with pytest.raises(InputError):
        FallbackTravel(Moody(), GreatCircle()).pairs(PLACES, PLACES.take([0]))


def test_a_fallback_that_fails_is_an_error():
    first, second = Moody(), Moody()
    first.works = second.works = False
    with pytest.raises(TravelError, match="moody"):
        FallbackTravel(first, second).matrix(PLACES, PLACES)


def test_lines_and_points_are_those_of_the_fallback_where_the_source_fails():
    source = Moody({(1.0, 2.0)}, partial=True)
    travel = FallbackTravel(source, GreatCircle())
    stops = PLACES.take(np.arange(5))
    line = travel.route_geometry(stops)
    assert [bool(line.leg(i)[0][0] > 10) for i in range(4)] == [True, False, True, True]
    assert line.leg(1)[0].tolist() == PLACES.lon[[1, 2]].tolist()
    source.works = False
    assert travel.route_geometry(stops).lon.max() < 10
    assert travel.failures == ("moody", "no lines (2 times)")
    assert travel.snap(PLACES).moved_m.tolist() == [0.0] * N
    assert travel.failures[2] == "no snapping"
    assert len(travel.route_geometry(PLACES.take([]))) == 0
    assert len(travel.route_geometry(PLACES.take([1]))) == 0


def test_the_memory_is_bounded():
    source = Moody()
    travel = FallbackTravel(source, GreatCircle(), max_pairs=20)
    some = PLACES.take(np.arange(4))
    first = travel.matrix(some, some)
    source.works = False
    assert (travel.matrix(some, some).durations_s == first.durations_s).all()
    assert travel.pairs(some.take([0]), PLACES.take([9])).estimated.all()
    with pytest.raises(TravelError, match="moody; more than 20 pairs were asked, so no further one is estimated"):
        travel.matrix(PLACES, PLACES)
    source.works = True
    assert travel.matrix(PLACES, PLACES).estimated.sum() == 1
    source.works = False
    with pytest.raises(TravelError, match="no further one is estimated"):
        travel.pairs(PLACES.take([11]), PLACES.take([10]))
    assert (travel.matrix(some, some).durations_s == first.durations_s).all()
    for bad in (-1, 1.5, True, None):
        with pytest.raises(InputError, match="max_pairs"):
            FallbackTravel(source, GreatCircle(), max_pairs=bad)


def test_it_pickles_with_what_it_said():
    source = Moody()
    source.works = False
    travel = FallbackTravel(source, GreatCircle())
    found = travel.matrix(PLACES, PLACES)
    again = pickle.loads(pickle.dumps(travel))  # noqa: S301 - its own
    again.source.works = True
    assert again.matrix(PLACES, PLACES).estimated.all()
    assert (again.matrix(PLACES, PLACES).durations_s == found.durations_s).all()
    assert again.failures == ("moody",)


def test_neighbours_are_those_of_the_matrix():
    source = Moody({(0, 1), (3, 5)}, partial=True)
    travel = FallbackTravel(source, GreatCircle())
    found = travel.nearest(PLACES, PLACES, 3)
    whole = travel.matrix(PLACES, PLACES)
    assert (found.durations_s == np.take_along_axis(whole.durations_s, found.idx, axis=1)).all()


@given(data=st.data())
def test_the_same_pair_has_the_same_answer_whatever_happens(data):
    source = Moody(partial=data.draw(st.booleans()))
    travel = FallbackTravel(source, GreatCircle())
    said = {}
    rows = st.lists(st.integers(0, N - 1), min_size=1, max_size=5)
    for _ in range(data.draw(st.integers(2, 8))):
        source.works = data.draw(st.booleans())
        first, second = data.draw(rows), data.draw(rows)
        if data.draw(st.booleans()):
            found = travel.raw_matrix(PLACES.take(first), PLACES.take(second))
            cells = [(a, b, (i, j)) for i, a in enumerate(first) for j, b in enumerate(second)]
        else:
            n = min(len(first), len(second))
            found = travel.raw_pairs(PLACES.take(first[:n]), PLACES.take(second[:n]))
            cells = [(first[i], second[i], i) for i in range(n)]
        for a, b, at in cells:
            estimated = found.estimated is not None and bool(found.estimated[at])
            answer = (float(found.seconds[at]), float(found.metres[at]), estimated)
            assert said.setdefault((a, b), answer) == answer
            if estimated:
                guess = GreatCircle().raw_pairs(PLACES.take([a]), PLACES.take([b]))
                assert answer == (float(guess.seconds[0]), float(guess.metres[0]), True)
    assert travel.n_estimated == sum(estimated for _, _, estimated in said.values())


@given(st.lists(st.lists(st.integers(0, 60), max_size=9), max_size=30))
def test_a_table_of_pairs_is_a_dict(lots):
    table, known = PairTable(2), {}
    for lot in lots:
        new = [code for code in lot if code not in known]
        values = np.array([[len(known) + i, -i] for i in range(len(new))], dtype=float).reshape(-1, 2)
        for code, value in zip(new, values.tolist(), strict=True):
            known.setdefault(code, value)
        table.add(np.array(new, dtype=np.int64), values.T)
        assert len(table) == len(known)
    found, values = table.find(np.arange(61).reshape(1, 61))
    assert found[0].tolist() == [code in known for code in range(61)]
    assert values[:, 0].T[found[0]].tolist() == [known[code] for code in range(61) if code in known]
    assert np.isinf(values[:, ~found]).all()


def test_what_a_chain_of_fallbacks_estimated_stays_marked():
    first, second = Moody(), Moody()
    first.works = second.works = False
    travel = FallbackTravel(FallbackTravel(first, second), GreatCircle())
    second.works = True
    near, far = PLACES.take([0, 1]), PLACES.take([2, 3, 4])
    told = travel.matrix(near, far)
    assert told.estimated.all()
    second.works = False
    worse = travel.matrix(far, near)
    assert worse.estimated.all()
    again = travel.pairs(PLACES.take([0, 2]), PLACES.take([4, 1]))
    assert again.estimated.tolist() == [True, True]
    assert again.durations_s.tolist() == [told.durations_s[0, 2], worse.durations_s[0, 1]]
    # of the second source's pairs none is the last fallback's
    assert travel.n_estimated == 6
    again = pickle.loads(pickle.dumps(travel))  # noqa: S301 - its own
    assert again.matrix(near, far).estimated.all()


@pytest.mark.parametrize("wrong", [None, 3, GreatCircle])
def test_what_is_no_travel_cannot_be_wrapped(wrong):
    with pytest.raises(InputError, match="source-type") as caught:
        FallbackTravel(wrong, wrong)
    assert [problem.column for problem in caught.value.problems] == ["source", "fallback"]
