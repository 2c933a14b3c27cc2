"""Times for a day's order of visits: the earliest that windows, break and shift allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.routing.problem import Break, Windows

__all__ = ["Timing", "time_route"]


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
    first = _forward(drive, service, windows, shift, 0, shift[0])
    if first is None:
        return None
    starts, arrivals, back = first
    plain = _settled(drive, starts, arrivals, back, shift, None)
    if plain is None or rest is None or rest.length_s == 0:
        return plain
    if plain.back <= rest.earliest or plain.leave >= rest.latest:
        return plain
    return _with_break(drive, service, windows, shift, rest, plain)


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
    drive: Sequence[int],
    starts: list[int],
    arrivals: list[int],
    back: int,
    shift: tuple[int, int],
    break_start: int | None,
) -> Timing | None:
    """Let the rep leave as late as the first visit allows, not before the shift."""
    if not starts:
        return Timing(shift[0], shift[0], (), (), break_start)
    rests_on_arrival = break_start is not None and arrivals[0] <= break_start < starts[0]
    arrival = break_start if rests_on_arrival and break_start is not None else starts[0]
    leave = arrival - drive[0]
    if leave < shift[0]:
        return None
    return Timing(leave, back, (arrival, *arrivals[1:]), tuple(starts), break_start)


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
            best = _better(best, drive, head_starts, head_arrivals, tail, shift, at)
        # drive on, then rest before the visit, or at the end of the day
        arrival = free + drive[j]
        at = max(arrival, rest.earliest)
        if at + rest.length_s <= rest.latest:
            if j < m:
                tail = _forward(drive, service, windows, shift, j, free, pause=at + rest.length_s - arrival)
                best = _better(best, drive, head_starts, head_arrivals, tail, shift, at)
            elif at + rest.length_s <= shift[1]:
                best = _better(best, drive, head_starts, head_arrivals, ([], [], plain.back), shift, at)
    return best


def _better(
    best: Timing | None,
    drive: Sequence[int],
    starts: list[int],
    arrivals: list[int],
    tail: tuple[list[int], list[int], int] | None,
    shift: tuple[int, int],
    break_start: int,
) -> Timing | None:
    if tail is None:
        return best
    found = _settled(drive, starts + tail[0], arrivals + tail[1], tail[2], shift, break_start)
    if found is None or (best is not None and best.back <= found.back):
        return best
    return found
