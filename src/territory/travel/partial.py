"""Answers with gaps: what a source knows of a question that it could not answer as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from territory.errors import TravelError
    from territory.model.places import Places
    from territory.travel.base import RawTravel

__all__ = ["PartialSource", "PartialTravel"]


@dataclass(frozen=True, slots=True, eq=False)
class PartialTravel:
    """What a source knows of a question.

    Attributes
    ----------
    found : RawTravel
        Nothing to be relied on where `failed`.
    failed : bool array of the same shape
        Where there was no answer.
    error : TravelError, optional
        Why; None if nothing failed.
    """

    found: RawTravel
    failed: NDArray[np.bool_]
    error: TravelError | None


@runtime_checkable
class PartialSource(Protocol):
    """A source that can tell which part of a question it could not answer.

    `FallbackTravel` then fills only the gaps; of other sources a whole question fails.
    """

    def partial_matrix(self, origins: Places, destinations: Places) -> PartialTravel:
        """Give as much of `TravelBase.raw_matrix` as there is, shape (m, n); raises no TravelError."""
        ...

    def partial_pairs(self, origins: Places, destinations: Places) -> PartialTravel:
        """Give as much of `TravelBase.raw_pairs` as there is, shape (n,); raises no TravelError."""
        ...
