"""Why a customer is where it is, as data and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

__all__ = ["Alternative", "Explanation", "Limit"]

#: Better territories that are named in words.
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """What forbids a move.

    Attributes
    ----------
    kind : str
        ``"lock"``, ``"override"``, ``"skill"``, ``"forbidden-rep"``, ``"balance"``, ``"limit"``, ``"together"``,
        ``"apart"``, ``"reach"`` or ``"contiguity"``.
    territory_id : str
        The territory whose limit it is: the one that would be left, or the one that would be joined.
    text : str
        A sentence without its full stop.
    measure : str, optional
        Of a balance.
    """

    kind: str
    territory_id: str
    text: str
    measure: str | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another territory that the customer could be in.

    Attributes
    ----------
    territory_id, rep_id : str
        ``rep_id`` is blank where the territory has no rep.
    distance_km : float
        To its centre, as the crow flies.
    rise_m2 : float
        By how much the objective would rise (fall, if negative), with all centres where they are.
    rise_share : float, optional
        The same as a share of the objective today; None where that is zero.
    limits : tuple of Limit
        What forbids it; none: nothing does.
    """

    territory_id: str
    rep_id: str
    distance_km: float
    rise_m2: float
    rise_share: float | None
    limits: tuple[Limit, ...]

    @property
    def allowed(self) -> bool:
        """Whether nothing forbids it."""
        return not self.limits


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a customer is where it is; ``str()`` says it in words.

    Attributes
    ----------
    customer_id : str
    territory_id, rep_id : str
        Blank: none.
    distance_km : float
        To the centre, as the crow flies; NaN: in no territory.
    unassigned : str
        Why the customer is in no territory; else blank.
    locked : bool
    co_located : tuple of str
        Other territories with customers on the very same spot.
    alternatives : tuple of Alternative
        All other territories that have customers, by rise of the objective.
    """

    customer_id: str
    territory_id: str
    rep_id: str
    distance_km: float
    unassigned: str
    locked: bool
    co_located: tuple[str, ...]
    alternatives: tuple[Alternative, ...]

    @property
    def second_best(self) -> Alternative | None:
        """The other territory at which the objective would be least, whether or not it is allowed."""
        return self.alternatives[0] if self.alternatives else None

    @property
    def best_allowed(self) -> Alternative | None:
        """The other territory at which the objective would be least among those that nothing forbids."""
        return next((each for each in self.alternatives if each.allowed), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON (but for NaN)."""
        return asdict(self)

    def __str__(self) -> str:
        if not self.territory_id:
            return f"{self.customer_id} is in no territory: {self.unassigned}."
        here = f"{_named(self)}, {self.distance_km:.0f} km from the centre"
        if self.locked:
            return f"{self.customer_id} is locked to its owner, in {here}."
        nearer = sum(each.distance_km < self.distance_km for each in self.alternatives)
        why = "its centre is the nearest" if nearer == 0 else f"{nearer} {'are' if nearer > 1 else 'is'} nearer"
        parts = [f"{self.customer_id} is in {here}: {why}."]
        better = [each for each in self.alternatives if each.rise_m2 < 0]
        parts += [_sentence(each) for each in better[:_NAMED]]
        rest = self.alternatives[len(better) :]
        if rest:
            parts.append(("Second best is " if not better else "Next is ") + _sentence(rest[0]))
        named = [*better[:_NAMED], *rest[:1]]
        free = self.best_allowed
        if free is not None and free not in named:
            parts.append("The best that nothing forbids is " + _sentence(free))
        elif free is None and len(self.alternatives) > len(named):
            parts.append("All other territories are forbidden, too.")
        if self.co_located:
            parts.append(f"On the same spot there are customers of {_listed(self.co_located)}.")
        return " ".join(parts)

    __repr__ = __str__


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _named(each: Alternative | Explanation) -> str:
    return f"territory {each.territory_id}" + (f" (rep {each.rep_id})" if each.rep_id else "")


def _sentence(each: Alternative) -> str:
    share = each.rise_share
    move = f"the objective would {'fall' if each.rise_m2 < 0 else 'rise'} by "
    move += f"{abs(each.rise_m2) / 1e6:,.3g} km2" if share is None else f"{abs(share):.2%}"
    text = f"{_named(each)}, {each.distance_km:.0f} km away: {move}"
    if each.allowed:
        return f"{text}; nothing forbids it." if each.rise_m2 < 0 else f"{text}."
    return f"{text}, but {', and '.join(limit.text for limit in each.limits)}."
