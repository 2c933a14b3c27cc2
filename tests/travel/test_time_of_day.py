from __future__ import annotations

import datetime as dt
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.errors import InputError
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle, MatrixTravel, RawTravel, Travel, TravelBase
from territory.travel.parking import ParkingTravel
from territory.travel.time_of_day import TimeOfDay

DAY = 86_400
RUSH = [("06:30", 0.6), ("09:00", 1.0), ("15:30", 0.5), ("18:30", 1.1)]

#: Times and factors of a day; multiples that are exact as floats make the oracle exact as well.
profiles = st.lists(
    st.tuples(st.integers(0, 95).map(lambda q: q * 900), st.integers(1, 24).map(lambda x: x / 8)),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each[0],
).map(sorted)
legs = st.integers(0, 2 * DAY * 4).map(lambda x: x / 4)
moments = st.integers(-DAY, 2 * DAY)


def drive(profile, seconds, leave):
    """Drive a leg bucket by bucket, in fractions."""
    left, now = Fraction(seconds), Fraction(leave)
    while left > 0:
        day, rest = divmod(now, DAY)
        after = [begin for begin, _ in profile if begin > rest]
        until = (day + 1) * DAY if not after else day * DAY + after[0]
        factor = Fraction(
            [factor for begin, factor in profile if begin <= rest][-1] if rest >= profile[0][0] else profile[-1][1]
        )
        if (until - now) * factor >= left:
            return now + left / factor
        left, now = left - (until - now) * factor, until
    return now


def back(profile, seconds, arrive):
    """Return when to leave to arrive at a time, bucket by bucket the other way round."""
    mirrored = sorted((DAY - end) % DAY for end in (begin for begin, _ in profile))
    begins = [begin for begin, _ in profile]
    flipped = []
    for begin in mirrored:
        end = (DAY - begin) % DAY  # the factor before this change, seen forward, is the one after it, seen backward
        flipped.append((begin, profile[begins.index(end) - 1][1]))
    return -drive(flipped, seconds, -Fraction(arrive))


def town(n, seed=0):
    rng = np.random.default_rng(seed)
    return Places.of(PlaceKind.CUSTOMER, [str(i) for i in range(n)], rng.uniform(9, 10, n), rng.uniform(47, 48, n))


@given(profiles, legs, moments)
def test_arrivals_are_driven_through_the_hours(profile, seconds, leave):
    travel = TimeOfDay(GreatCircle(), profile)
    truth = drive(profile, seconds, leave)
    assert float(travel.arrival_s(seconds, leave)) == pytest.approx(float(truth), abs=1e-6)
    # the oracle for departures, held against the one for arrivals
    assert float(back(profile, seconds, truth)) == pytest.approx(leave, abs=1e-6)


@given(profiles, st.lists(legs, min_size=1, max_size=5), st.lists(moments, min_size=2, max_size=30))
def test_whoever_leaves_later_never_arrives_earlier(profile, seconds, leave):
    travel = TimeOfDay(GreatCircle(), profile)
    arrive = travel.arrival_s(np.array(seconds)[:, None], np.sort(leave))
    assert (np.diff(arrive, axis=1) >= -1e-9).all()
    strictly = np.diff(np.sort(leave)) > 0
    assert (np.diff(arrive, axis=1)[:, strictly] > 0).all()
    # nor does whoever has further to go
    assert (np.diff(travel.arrival_s(np.sort(seconds)[:, None], np.array(leave)), axis=0) >= -1e-9).all()


hours = st.tuples(st.integers(0, 95).map(lambda q: q * 900), st.integers(0, 96).map(lambda q: q * 900))


@given(profiles, legs, hours, st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=200)
def test_the_longest_bounds_every_departure_and_is_attained(profile, seconds, within, shares):
    travel = TimeOfDay(GreatCircle(), profile, within=within)
    first, last = within[0], within[1] + (DAY if within[1] < within[0] else 0)
    longest = float(travel.longest_s(seconds))
    some = first + np.array(shares) * (last - first)
    assert (travel.arrival_s(seconds, some) - some <= longest + 1e-6).all()
    # the durations are linear between departures at a change of speed and those that arrive at one
    telling = [Fraction(first), Fraction(last)]
    for begin, _ in profile:
        for day in range(-3, 6):
            telling += [Fraction(begin + day * DAY)]
        left = back(profile, seconds, begin)
        telling += [left + (day - left // DAY) * DAY for day in range(3)]
    truth = max(drive(profile, seconds, leave) - leave for leave in telling if first <= leave <= last)
    assert longest == pytest.approx(float(truth), abs=1e-6)


@given(profiles, legs)
@settings(max_examples=50)
def test_the_longest_of_a_whole_day_is_that_of_any_day(profile, seconds):
    travel = TimeOfDay(GreatCircle(), profile)
    fine = np.arange(0, DAY + 1, 300.0)
    durations = travel.arrival_s(seconds, fine) - fine
    assert durations.max() <= float(travel.longest_s(seconds)) + 1e-6
    # between two of these departures the duration changes by no more than the slowest drive over the fastest
    steepest = max(factor for _, factor in profile) / min(factor for _, factor in profile)
    assert durations.max() >= float(travel.longest_s(seconds)) - 300 * steepest
    assert float(travel.longest_s(seconds + 0.0)) >= seconds / max(factor for _, factor in profile) - 1e-6


@pytest.mark.parametrize("factor", [1.0, 0.8, 1.25])
def test_a_plan_with_the_longest_can_be_kept_at_any_hour(factor):
    places = town(12)
    travel = TimeOfDay(GreatCircle(), RUSH, within=("07:00", "19:00"))
    plan = travel.matrix(places, places, speed_factor=factor)
    assert plan.departure_s is None
    tight = np.zeros((12, 12), dtype=bool)
    for leave in range(7 * 3_600, 19 * 3_600 + 1, 300):
        there = travel.at(leave).matrix(places, places, speed_factor=factor)
        assert there.departure_s == leave
        assert (there.durations_s <= plan.durations_s).all()
        # five minutes later a leg takes no more than 300 * (1.1 / 0.5 - 1) seconds longer or shorter
        tight |= there.durations_s >= plan.durations_s - 361
        # a fast rep is slowed by the same rush
        legs = GreatCircle().raw_matrix(places, places).seconds / factor
        exact = travel.arrival_s(legs, leave) - leave
        assert (there.durations_s >= exact - 1e-5).all()
        assert (there.durations_s < exact + 1).all()
    assert tight.all()


@pytest.mark.parametrize("make", [lambda hours: hours, lambda hours: hours.at("08:15")])
def test_it_keeps_the_contract_of_travel(make):
    travel, places = make(TimeOfDay(GreatCircle(), RUSH)), town(9)
    assert isinstance(travel, Travel)
    assert travel.symmetric
    assert not travel.divides
    whole = travel.matrix(places, places, speed_factor=1.3)
    assert (np.diagonal(whole.durations_s) == 0).all()
    assert whole.durations_s.tolist() == whole.durations_s.T.tolist()
    turn = np.random.default_rng(1).permutation(9)
    pairs = travel.pairs(places, places.take(turn), speed_factor=1.3)
    assert pairs.durations_s.tolist() == whole.durations_s[np.arange(9), turn].tolist()
    assert pairs.departure_s == whole.departure_s == travel.departure_s
    raw = travel.raw_pairs(places, places.take(turn))
    assert raw.seconds.tolist() == travel.raw_matrix(places, places).seconds[np.arange(9), turn].tolist()
    near = travel.nearest(places, places, 3, speed_factor=1.3)
    order = np.argsort(whole.durations_s + np.eye(9, dtype=np.int32) * 10**6, axis=1, kind="stable")
    assert near.idx.tolist() == order[:, :3].tolist()
    assert len(travel.route_geometry(places)) == 8
    assert travel.snap(places).on_road.all()
    with pytest.raises(InputError, match="speed-factor"):
        travel.matrix(places, places, speed_factor=0.0)


def test_no_way_stays_no_way_and_nan_is_refused():
    travel = TimeOfDay(MatrixTravel([[0, None], [60, 0]], customer_ids=["0", "1"]), RUSH)
    for each in (travel, travel.at(0)):
        assert each.matrix(town(2), town(2)).reachable.tolist() == [[True, False], [True, True]]

    class Broken(TravelBase):
        fingerprint = "broken"

        def raw_matrix(self, origins, destinations):
            zero = np.zeros((len(origins), len(destinations)))
            return RawTravel(zero * np.nan, zero)

    broken = TimeOfDay(Broken(), RUSH)
    for each in (broken, broken.at(0)):
        with pytest.raises(InputError):
            each.matrix(town(2), town(2))


def test_one_factor_all_day_changes_the_speed_alone():
    places = town(8)
    plain = GreatCircle()
    assert (
        TimeOfDay(plain, {"00:00": 1.0}).matrix(places, places).durations_s.tolist()
        == plain.matrix(places, places).durations_s.tolist()
    )
    slow = TimeOfDay(plain, [(dt.time(5), 0.5)])
    assert (
        slow.matrix(places, places).durations_s.tolist()
        == plain.matrix(places, places, speed_factor=0.5).durations_s.tolist()
    )


def test_times_are_read_in_any_form():
    travel = GreatCircle()
    one = TimeOfDay(travel, [("07:00", 0.6), ("09:30:00", 1.0)], within=("06:00", "20:00"))
    two = TimeOfDay(travel, {dt.time(7): 0.6, 34_200: 1.0}, within=(21_600, dt.time(20)))
    assert one.fingerprint == two.fingerprint
    assert one.at("08:00").fingerprint == two.at(28_800).fingerprint
    assert one.at("08:00").fingerprint != one.at("08:01").fingerprint
    night = TimeOfDay(travel, [("01:00", 0.5), ("02:00", 1.0)], within=("22:00", "06:00"))
    assert float(night.longest_s(1_800.0)) == 3_600.0
    assert float(TimeOfDay(travel, [("01:00", 0.5), ("02:00", 1.0)], within=("03:00", "22:00")).longest_s(60.0)) == 60.0
    assert (
        float(TimeOfDay(travel, [("01:00", 0.5), ("02:00", 1.0)], within=("01:30", "01:30")).longest_s(60.0)) == 120.0
    )


@pytest.mark.parametrize(
    ("speeds", "within", "codes"),
    [
        ([], ("00:00", "24:00"), ("speeds-empty",)),
        (7, ("00:00", "24:00"), ("speeds-type",)),
        ([("7 am", 1.0)], ("00:00", "24:00"), ("time",)),
        ([("24:00", 1.0)], ("00:00", "24:00"), ("time",)),
        ([("07:61", 1.0), ("08:00", 60)], ("00:00", "24:00"), ("time", "factor-out-of-range")),
        ([("09:00", 1.0), ("07:00", 0.5)], ("00:00", "24:00"), ("times-order",)),
        ([("07:00", np.nan), ("09:00", 0.0)], ("00:00", 8), ("factor-out-of-range", "factor-out-of-range")),
        (RUSH, "06:00", ("within",)),
        (RUSH, ("24:00", "06:00"), ("within",)),
    ],
)
def test_bad_parameters_are_told(speeds, within, codes):
    with pytest.raises(InputError) as error:
        TimeOfDay(GreatCircle(), speeds, within=within)
    assert error.value.codes == codes


def test_departures_that_are_none_are_refused():
    travel = TimeOfDay(GreatCircle(), RUSH)
    for wrong in ("noon", np.nan, None):
        with pytest.raises(InputError, match="time"):
            travel.at(wrong)
    with pytest.raises(InputError) as error:
        travel.arrival_s([-1.0], np.nan)
    assert error.value.codes == ("negative", "departure")
    with pytest.raises(InputError, match="source-type"):
        TimeOfDay("osrm", RUSH)


def test_hours_are_not_put_on_hours():
    travel = TimeOfDay(GreatCircle(), RUSH)
    with pytest.raises(InputError, match="wrapped-wrong"):
        TimeOfDay(travel, RUSH)

    class Timed(TravelBase):
        fingerprint = "timed"

        def raw_matrix(self, origins, destinations):
            zero = np.zeros((len(origins), len(destinations)))
            return RawTravel(zero, zero, None, 60.0)

    with pytest.raises(InputError, match="departure-twice"):
        TimeOfDay(Timed(), RUSH).matrix(town(2), town(2))


def test_parking_goes_around_the_hours():
    places = town(5)
    hours = TimeOfDay(GreatCircle(), RUSH)
    travel = ParkingTravel(hours, parking_s=90)
    added = (
        travel.matrix(places, places, speed_factor=1.2).durations_s
        - hours.matrix(places, places, speed_factor=1.2).durations_s
    )
    assert added.tolist() == (90 * (1 - np.eye(5, dtype=int))).tolist()
