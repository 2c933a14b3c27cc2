"""Times of a day's order, against a brute-force search over whole minutes."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from territory.routing.day_problem import Break
from territory.routing.day_timing import free_moments, route_fits, time_route

SHIFT = (0, 60)


def brute_force(drive, service, windows, shift, rest):
    """Return the least time of being back over all whole-minute schedules and places of the break; None: none."""
    m = len(service)
    best = None
    gaps = [None] if rest is None else [None, *range(m + 1)]
    for gap, before in product(gaps, (True, False)):
        breaks = [None] if gap is None else range(rest.earliest, rest.latest - rest.length_s + 1)
        for at in breaks:
            back = _walk(drive, service, windows, shift, rest, gap, at, rest_first=before)
            if back is not None and (best is None or back < best):
                best = back
    return best


def _walk(drive, service, windows, shift, rest, gap, at, *, rest_first):
    """Follow the day with the break in one gap at one moment, every visit as early as possible."""
    clock = shift[0]
    first_start = None
    for j in range(len(service)):
        if gap == j and rest_first:
            if clock > at:
                return None
            clock = at + rest.length_s
        clock += drive[j]
        if gap == j and not rest_first:
            if clock > at:
                return None
            clock = at + rest.length_s
        starts = [t for a, b in windows[j] for t in range(max(a, clock), b + 1)]
        if not starts:
            return None
        clock = min(starts)
        first_start = clock if first_start is None else first_start
        clock += service[j]
    if gap == len(service) and rest_first:
        if clock > at:
            return None
        clock = at + rest.length_s
    clock += drive[-1]
    back = clock
    if gap == len(service) and not rest_first and (back > at or at + rest.length_s > shift[1]):
        return None
    if back > shift[1]:
        return None
    if gap is None and rest is not None and rest.length_s > 0:
        leave = (first_start - drive[0]) if service else shift[0]
        if service and back > rest.earliest and leave < rest.latest:
            return None
    return back


@st.composite
def days(draw):
    m = draw(st.integers(1, 4))
    minutes = st.integers(0, 12)
    drive = draw(st.lists(minutes, min_size=m + 1, max_size=m + 1))
    service = draw(st.lists(minutes, min_size=m, max_size=m))
    windows = []
    for _ in range(m):
        edges = sorted(draw(st.lists(st.integers(0, 60), min_size=2, max_size=4, unique=True)))
        edges = edges[: len(edges) // 2 * 2]
        windows.append(tuple(zip(edges[::2], edges[1::2], strict=True)))
    rest = draw(
        st.none()
        | st.builds(
            lambda length, early, extra: Break(length, early, min(60, early + length + extra)),
            st.integers(1, 10),
            st.integers(0, 40),
            st.integers(0, 15),
        )
    )
    return drive, service, windows, rest


@settings(max_examples=600)
@given(days())
def test_the_day_ends_as_early_as_brute_force_finds(day):
    drive, service, windows, rest = day
    found = time_route(drive, service, windows, SHIFT, rest)
    best = brute_force(drive, service, windows, SHIFT, rest)
    assert (found is None) == (best is None)
    if found is not None:
        assert found.back == best


@given(days())
def test_what_comes_back_keeps_every_rule(day):
    drive, service, windows, rest = day
    found = time_route(drive, service, windows, SHIFT, rest)
    if found is None:
        return
    busy = []
    clock = found.leave
    assert clock >= SHIFT[0]
    for j, (arrival, start) in enumerate(zip(found.arrival, found.start, strict=True)):
        assert arrival - drive[j] >= clock
        assert start >= arrival
        assert any(a <= start <= b for a, b in windows[j])
        busy += [(arrival - drive[j], arrival), (start, start + service[j])]
        clock = start + service[j]
    assert found.back - drive[-1] >= clock
    assert found.back <= SHIFT[1]
    if found.break_start is not None:
        assert rest is not None
        at, until = found.break_start, found.break_start + rest.length_s
        assert rest.earliest <= at
        assert until <= rest.latest
        # the drive home lies at the end of the day, or before a break that is taken there
        ways_home = [(found.back - drive[-1], found.back)]
        assert all(until <= a or at >= b for a, b in [*busy, *ways_home] if b > a)
    elif rest is not None:
        assert found.back <= rest.earliest or found.leave >= rest.latest


def test_the_rep_leaves_as_late_as_the_first_visit_allows():
    found = time_route([10, 10], [5], [((30, 40),)], SHIFT)
    assert found is not None
    assert (found.leave, found.arrival, found.start, found.back) == (20, (30,), (30,), 45)


def test_no_visits_need_no_time():
    found = time_route([0], [], [], SHIFT, Break(5, 10, 30))
    assert found is not None
    assert found.break_start is None


@settings(max_examples=600)
@given(days(), st.integers(0, 4))
def test_whether_a_day_fits_is_known_without_its_times(day, known):
    drive, service, windows, rest = day
    free = free_moments(drive, service, windows, SHIFT[0])
    beginning = [SHIFT[0]] if free is None else free[: known + 1]
    fits = route_fits(drive, service, windows, SHIFT, rest, beginning)
    assert fits == (time_route(drive, service, windows, SHIFT, rest) is not None)
