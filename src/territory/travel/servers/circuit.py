"""A circuit breaker: a server that keeps failing is left alone for a while."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from territory.travel.servers.reading import AttemptError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Circuit", "CircuitOpenError"]


class CircuitOpenError(AttemptError):
    """The server is being left alone; the text says for how long, and why."""


class Circuit:
    """Counts failures in a row, whichever thread they happen in.

    Closed, every attempt may pass. After `failures` failures in a row it is open, and none may for `open_s` seconds.
    Then one attempt may, and decides: closed again, or open for as long once more.

    Parameters
    ----------
    failures : int
    open_s : float
    clock : callable
        Seconds that never jump back.
    """

    def __init__(self, failures: int, open_s: float, clock: Callable[[], float]) -> None:
        self._failures, self._open_s, self._clock = failures, open_s, clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._opened: float | None = None
        self._on_trial = False
        self._why = ""

    def admit(self) -> None:
        """Let an attempt pass.

        Whoever was let pass must call `worked`, `failed` or `dropped` afterwards.

        Raises
        ------
        CircuitOpenError
            It may not.
        """
        with self._lock:
            if self._opened is None:
                return
            left = self._open_s - (self._clock() - self._opened)
            if left > 0 or self._on_trial:
                until = f"left alone for another {left:.3g} s" if left > 0 else "being tried by another request"
                why = f"as it failed {self._in_a_row} times in a row, the last: {self._why}"
                raise CircuitOpenError(f"{until}, {why}", "often")
            self._on_trial = True

    def worked(self) -> None:
        """Note that the server answered, be it with a refusal."""
        with self._lock:
            self._in_a_row, self._opened, self._on_trial = 0, None, False

    def failed(self, why: str) -> None:
        """Note that an attempt failed."""
        with self._lock:
            self._in_a_row += 1
            self._why = why
            if self._on_trial or self._in_a_row >= self._failures:
                self._opened, self._on_trial = self._clock(), False

    def dropped(self) -> None:
        """Note that an attempt was given up before anything was known."""
        with self._lock:
            self._on_trial = False
