"""Territories as balanced as they can be, whatever it is that they are balanced by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from territory.errors import InfeasibleError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from territory.model.alignment import Alignment

__all__ = ["DEFAULT_TOLERANCE", "as_balanced", "loosened"]

#: How balanced territories should be where nobody says; as of `design_territories`.
DEFAULT_TOLERANCE: Final = 0.10
#: Reasons that a wider tolerance may do away with.
_BALANCE: Final = frozenset(
    {"balance-not-reached", "balance-impossible", "customer-over-capacity", "limits-conflict", "limits-impossible"}
)
#: The widest that `design_territories` takes.
_WIDEST: Final = 10.0


def loosened(tolerance: float) -> tuple[float, ...]:
    """Return tolerances, each twice the one before, up to the widest there is."""
    out = [tolerance]
    while out[-1] < _WIDEST:
        out.append(min(2.0 * out[-1], _WIDEST))
    return tuple(out)


def as_balanced(design: Callable[[float], Alignment], tolerances: Sequence[float]) -> Alignment:
    """Return the design of the first tolerance, of one at least, that has one.

    Raises
    ------
    InfeasibleError
        That of the last, or one that has nothing to do with balance.
    """
    for tolerance in tolerances[:-1]:
        try:
            return design(tolerance)
        except InfeasibleError as error:
            if not {p.code for p in error.reasons} <= _BALANCE:
                raise
    return design(tolerances[-1])
