"""Times for a day's order of visits: the earliest that windows, break and shift allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.routing.day_problem import Break, Windows

__all__ = ["Timing", "free_moments", "route_fits", "time_route"]


@dataclass(frozen=True, slots=True)
class Timing:
    """When what happens on a day, seconds on the problem's clock.

    Attributes
    ----------
    leave, back : int
        Leaves the start, reaches the end.
    arrival, start : tuple of int
        For each visit in order.
    break_start : int or None
        None where the day needs no break.
    """

    leave: int
    back: int
    arrival: tuple[int, ...]
    start: tuple[int, ...]
    break_start: int | None = None


def _next_start(windows: Windows, at: int) -> int:
    """Return the first moment from `at` on that lies in a window; -1: there is none."""
    for low, high in windows:
        if at <= high:
            return max(low, at)
    return -1


def time_route(
    drive: Sequence[int],
    service: Sequence[int],
    windows: Sequence[Windows],
    shift: tuple[int, int],
    rest: Break | None = None,
) -> Timing | None:
    """Time a route as early as possible, or find that it does not fit.

    Parameters
    ----------
    drive : sequence of m + 1 int
        Driving time to each visit, and to the end, seconds.
    service : sequence of m int
    windows : sequence of m Windows
    shift : (int, int)
    rest : Break, optional
        Taken once, between driving and visits; not needed if the rep leaves after its window or
        is back before it.

    Returns
    -------
    Timing, or None
        Of all places for the break the one that ends the day first. The rep leaves as late as the
        first visit allows.

    Notes
    -----
    O(m), O(m^2) with a break.
    """
    if not service:
        return Timing(shift[0], shift[0], (), ())
    first = _forward(drive, service, windows, shift, 0, shift[0])
    if first is None:
        return None
    plain = _settled(drive, *first, None)
    if rest is None or rest.length_s == 0 or plain.back <= rest.earliest or plain.leave >= rest.latest:
        return plain
    return _with_break(drive, service, windows, shift, rest, plain)


def free_moments(
    drive: Sequence[int], service: Sequence[int], windows: Sequence[Windows], begin: int
) -> list[int] | None:
    """Return when the rep is free to drive to each visit, and to the end, without a break; None: no such times.

    Parameters
    ----------
    drive, service, windows
        As for `time_route`.
    begin : int
        Of the shift.
    """
    free = [begin]
    for j, length in enumerate(service):
        start = _next_start(windows[j], free[j] + drive[j])
        if start < 0:
            return None
        free.append(start + length)
    return free


def route_fits(
    drive: Sequence[int],
    service: Sequence[int],
    windows: Sequence[Windows],
    shift: tuple[int, int],
    rest: Break | None,
    free: list[int],
) -> bool:
    """Return whether `time_route` would find times, without working them out.

    Parameters
    ----------
    drive, service, windows, shift, rest
        As for `time_route`; there is at least one visit.
    free : list of int
        The first of `free_moments`, one or more: what is known from a route with the same
        beginning. It is filled up.

    Notes
    -----
    The inner loop of planning: O(visits after those known), times the gaps tried for a break.
    """
    m = len(service)
    clock = free[-1]
    for j in range(len(free) - 1, m):
        clock += drive[j]
        for low, high in windows[j]:
            if clock <= high:
                clock = max(clock, low)
                break
        else:
            return False
        clock += service[j]
        free.append(clock)
    if clock + drive[m] > shift[1]:
        return False
    if rest is None or rest.length_s == 0 or clock + drive[m] <= rest.earliest:
        return True
    if free[1] - service[0] - drive[0] >= rest.latest:
        return True
    last = rest.latest - rest.length_s
    for j in range(m + 1):
        if free[j] > last:
            return False
        # a rest on arrival lets the visit begin earliest, a rest before driving ends first
        arrival = free[j] + drive[j]
        on_arrival = max(arrival, rest.earliest)
        if on_arrival <= last:
            ready = on_arrival + rest.length_s
        else:
            ready = max(free[j], rest.earliest) + rest.length_s + drive[j]
            if ready - drive[j] > rest.latest:
                continue
        if _end_fits(drive, service, windows, shift, free, j, ready):
            return True
    return False


def _end_fits(
    drive: Sequence[int],
    service: Sequence[int],
    windows: Sequence[Windows],
    shift: tuple[int, int],
    free: list[int],
    at: int,
    clock: int,
) -> bool:
    """Return whether visits from `at` on fit, the first not before `clock`."""
    for j in range(at, len(service)):
        for low, high in windows[j]:
            if clock <= high:
                clock = max(clock, low)
                break
        else:
            return False
        clock += service[j]
        if clock == free[j + 1]:
            return True  # from here on all is as without the break
        clock += drive[j + 1]
    return clock <= shift[1]


def _forward(
    drive: Sequence[int],
    service: Sequence[int],
    windows: Sequence[Windows],
    shift: tuple[int, int],
    at: int,
    clock: int,
    pause: int = 0,
) -> tuple[list[int], list[int], int] | None:
    """Time visits from position `at` on, free to drive at `clock`; `pause` lies between that drive and its visit."""
    starts, arrivals = [], []
    for j in range(at, len(service)):
        arrival = clock + drive[j]
        start = _next_start(windows[j], arrival + pause)
        pause = 0
        if start < 0:
            return None
        starts.append(start)
        arrivals.append(arrival)
        clock = start + service[j]
    back = clock + drive[len(service)]
    return None if back > shift[1] else (starts, arrivals, back)


def _settled(
    drive: Sequence[int], starts: list[int], arrivals: list[int], back: int, break_start: int | None
) -> Timing:
    """Let the rep leave as late as the first visit allows."""
    rests_on_arrival = break_start is not None and arrivals[0] <= break_start < starts[0]
    arrival = break_start if rests_on_arrival and break_start is not None else starts[0]
    return Timing(arrival - drive[0], back, (arrival, *arrivals[1:]), tuple(starts), break_start)


def _with_break(
    drive: Sequence[int],
    service: Sequence[int],
    windows: Sequence[Windows],
    shift: tuple[int, int],
    rest: Break,
    plain: Timing,
) -> Timing | None:
    """Return the timing with the break in the best gap; gap j lies before visit j, the last before the end."""
    m = len(service)
    best: Timing | None = None
    for j in range(m + 1):
        free = shift[0] if j == 0 else plain.start[j - 1] + service[j - 1]
        if free + rest.length_s > rest.latest:
            break
        head_starts, head_arrivals = list(plain.start[:j]), list(plain.arrival[:j])
        # rest first, then drive on
        at = max(free, rest.earliest)
        if at + rest.length_s <= rest.latest:
            tail = _forward(drive, service, windows, shift, j, at + rest.length_s)
            best = _better(best, drive, head_starts, head_arrivals, tail, at)
        # drive on, then rest before the visit, or at the end of the day
        arrival = free + drive[j]
        at = max(arrival, rest.earliest)
        if at + rest.length_s <= rest.latest:
            if j < m:
                tail = _forward(drive, service, windows, shift, j, free, pause=at + rest.length_s - arrival)
                best = _better(best, drive, head_starts, head_arrivals, tail, at)
            elif at + rest.length_s <= shift[1]:
                best = _better(best, drive, head_starts, head_arrivals, ([], [], plain.back), at)
    return best


def _better(
    best: Timing | None,
    drive: Sequence[int],
    starts: list[int],
    arrivals: list[int],
    tail: tuple[list[int], list[int], int] | None,
    break_start: int,
) -> Timing | None:
    """Return the timing that ends the day first; of two, the one that was there."""
    if tail is None or (best is not None and best.back <= tail[2]):
        return best
    return _settled(drive, starts + tail[0], arrivals + tail[1], tail[2], break_start)
