"""What territories must and should hold of a measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from territory.errors import InputError, Problem
from territory.units import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Balance"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    """Limits and targets of one measure, where a tolerance alone does not say it.

    Attributes
    ----------
    tolerance : float, optional
        Hard: allowed deviation from the target, as a share of it.
    at_least, at_most : float, or mapping of rep id to float, optional
        Hard: what a territory must and may hold, in the measure's unit (seconds a week for ``"workload_s"``).
        Reps that are not named have no such limit.
    share : mapping of rep id to float, optional
        How much of the usual target a rep gets: 0.5 for a part-timer. Reps that are not named get 1. Targets always
        add up to the whole. Without it they go by ``capacity_s``, or are equal.
    weight : float
        Soft: what deviations from the target cost. With 1, one territory 10 % off its target is as bad as a tenth
        of a mean territory's distances. 0: nothing.

    Raises
    ------
    InputError
        Every value that is no such number; limits the wrong way round.

    Examples
    --------
    >>> Balance(at_most=38 * 3600, share={"Ben": 0.5}, weight=2)
    Balance(tolerance=None, at_least=None, at_most=136800, share={'Ben': 0.5}, weight=2)
    """

    tolerance: float | None = None
    at_least: float | Mapping[str, float] | None = None
    at_most: float | Mapping[str, float] | None = None
    share: Mapping[str, float] | None = None
    weight: float = 0.0

    def __post_init__(self) -> None:
        problems = []
        if self.tolerance is not None and not (is_number(self.tolerance) and 0 <= self.tolerance <= 10):
            message = f"expected a share from 0 to 10, not {self.tolerance!r}"
            problems.append(Problem("bad-tolerance", message, "tolerance", hint="Write 0.05 for 5 %."))
        for name in ("at_least", "at_most"):
            problems += _bad_numbers(name, getattr(self, name))
        share: object = self.share
        if share is not None and not isinstance(share, Mapping):
            problems.append(Problem("bad-balance", f"expected a mapping of rep ids, not {share!r}", "share"))
        else:
            problems += _bad_numbers("share", self.share)
        if not (is_number(self.weight) and 0 <= self.weight < float("inf")):
            problems.append(Problem("bad-balance", f"expected a number of at least 0, not {self.weight!r}", "weight"))
        if problems:
            raise InputError(problems, "Balance")

    @property
    def hard(self) -> bool:
        """Whether it limits anything."""
        return self.tolerance is not None or self.at_least is not None or self.at_most is not None

    def values(self, name: str, ids: Sequence[str], default: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Return ``at_least``, ``at_most`` or ``share`` of territories of these reps, shape (k,)."""
        given = getattr(self, name)
        if isinstance(given, Mapping):
            return np.array([float(given.get(i, default)) for i in ids])
        return np.full(len(ids), default if given is None else float(given))


def _bad_numbers(name: str, given: object) -> list[Problem]:
    values = list(given.values()) if isinstance(given, Mapping) else [] if given is None else [given]
    bad = [v for v in values if not (is_number(v) and 0 <= v < float("inf"))]
    if not bad:
        return []
    return [Problem("bad-balance", f"expected numbers of at least 0, not {bad[0]!r}", name, count=len(bad))]
