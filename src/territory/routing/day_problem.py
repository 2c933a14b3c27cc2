"""One rep's day as arrays: the visits that could be made, and the shift that they must fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from territory.errors import InputError, Problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.arrays import IntArray

__all__ = ["Break", "DayProblem", "Windows"]

#: Intervals, sorted and disjoint, in which a visit may start; both ends included, seconds.
Windows: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Break:
    """A break of `length_s` that starts at `earliest` or later and ends by `latest`, seconds."""

    length_s: int
    earliest: int
    latest: int


@dataclass(frozen=True, eq=False)
class DayProblem:
    """Visits to be put in order in one shift.

    Places are numbered 0 (where the day begins), 1 .. m (the visits), m + 1 (where it ends).

    Attributes
    ----------
    durations_s : int64 array of shape (m + 2, m + 2)
        Driving times; `territory.travel.UNREACHABLE` where there is no way.
    service_s : int64 array of shape (m,)
    windows : tuple of m Windows
        When each visit may start; empty: never.
    shift : (int, int)
        Begin and end, seconds on the same clock as the windows.
    rest : Break, optional
    max_visits : int, optional
    """

    durations_s: IntArray
    service_s: IntArray
    windows: tuple[Windows, ...]
    shift: tuple[int, int]
    rest: Break | None = None
    max_visits: int | None = None

    def __post_init__(self) -> None:
        problems = []
        m = len(self.service_s)
        if self.durations_s.shape != (m + 2, m + 2):
            problems.append(
                Problem("wrong-shape", f"durations_s: expected {(m + 2, m + 2)}, not {self.durations_s.shape}")
            )
        elif self.durations_s.min(initial=0) < 0:
            problems.append(Problem("negative-duration", "durations_s: negative driving times"))
        if self.service_s.min(initial=0) < 0:
            problems.append(Problem("negative-service", "service_s: negative"))
        if len(self.windows) != m:
            problems.append(Problem("wrong-shape", f"windows: expected {m}, not {len(self.windows)}"))
        if self.shift[0] > self.shift[1]:
            problems.append(Problem("reversed-shift", "the shift ends before it begins"))
        if problems:
            raise InputError(problems, "day problem")

    @property
    def m(self) -> int:
        """Number of visits."""
        return len(self.service_s)

    def take(self, visits: npt.ArrayLike) -> DayProblem:
        """Return the problem of some of the visits (0-based), in that order."""
        at = np.asarray(visits, dtype=np.int64)
        places = np.concatenate([[0], at + 1, [self.m + 1]])
        return replace(
            self,
            durations_s=self.durations_s[np.ix_(places, places)],
            service_s=self.service_s[at],
            windows=tuple(self.windows[i] for i in at),
        )
