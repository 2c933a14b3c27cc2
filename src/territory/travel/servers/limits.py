"""How patient a client of a server is, and how much it takes from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from territory.errors import InputError, Problem

__all__ = ["HttpLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Limits of the requests to one server.

    Parameters
    ----------
    connect_s : float
        Longest wait for a connection, seconds.
    read_s : float
        Longest silence of a server that is answering, seconds; so also the longest that it may think.
    total_s : float
        Longest time for one answer, seconds: all attempts and the waits between them, whatever trickles in meanwhile.
    attempts : int
        Requests for one answer at most. A further one is made after 408, 425, 429, 502, 503, 504, after timeouts, and
        where the connection broke.
    attempts_500 : int
        The same after a 500, or a reply that ends too early: these rarely get better.
    first_wait_s : float
        Wait before the second attempt, seconds, doubled before each further one; half of it, at random, is left out,
        so that clients that failed together do not come back together.
    most_wait_s : float
        Longest wait between two attempts, seconds. A server that asks in ``Retry-After`` for a longer one is not asked
        again.
    concurrency : int
        Requests under way at once.
    max_reply_bytes : int
        Largest reply, after decompression.
    failures_to_open : int
        After so many failed attempts in a row, no matter at which questions, the server is left alone ...
    open_s : float
        ... for so many seconds, in which every question fails at once; then a single attempt decides.

    Raises
    ------
    InputError
        Every limit that makes no sense.
    """

    connect_s: float = 5.0
    read_s: float = 60.0
    total_s: float = 300.0
    attempts: int = 4
    attempts_500: int = 2
    first_wait_s: float = 0.5
    most_wait_s: float = 30.0
    concurrency: int = 4
    max_reply_bytes: int = 64 << 20
    failures_to_open: int = 8
    open_s: float = 60.0

    def __post_init__(self) -> None:
        problems = [
            Problem("bad-limit", f"expected a finite number of seconds > 0, not {value!r}", name)
            for name in ("connect_s", "read_s", "total_s", "first_wait_s", "most_wait_s", "open_s")
            if not _is_positive(value := getattr(self, name))
        ]
        problems += [
            Problem("bad-limit", f"expected a whole number >= 1, not {value!r}", name)
            for name in ("attempts", "attempts_500", "concurrency", "max_reply_bytes", "failures_to_open")
            if isinstance(value := getattr(self, name), bool) or not isinstance(value, int) or value < 1
        ]
        if problems:
            raise InputError(problems, "limits of a server")


def _is_positive(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0
