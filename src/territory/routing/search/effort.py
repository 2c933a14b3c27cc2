"""How the search goes about it: sizes of steps, temperatures, cycles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["CHOOSING", "FEW_MISSING", "MANY_LEFT", "MANY_MISSING", "Effort"]


@dataclass(frozen=True, slots=True)
class Effort:
    """How the search goes about it.

    Attributes
    ----------
    average, longest : float
        Visits taken out at a time, and the longest string (Christiaens & Vanden Berghe: both 10).
    spread : float
        Both are multiplied by a random number between its inverse and itself in each step: small steps
        polish, large ones take a long route apart.
    tails : float
        Share of steps that swap the tails of two routes before they take visits out.
    blink : float
        Chance to overlook a place.
    around : float
        With cadences, share of the steps that free all days in which the nearest visits are taken out, not strings:
        so a neighbourhood can move to another day.
    over, over_growth : float
        With cadences, shifts may be overloaded for a while: as many legs as a mean load too many costs at the begin
        of a cycle, and how many times as much at its end. Full shifts could hardly exchange days else.
    pool : int
        Visits not made that are tried at each step.
    by_legs : bool
        Temperatures are shares of what driving costs from one stop to the next; else, and where driving
        costs nothing, of the mean change of cost by a step, which a few steps dominate in which a required
        visit finds no place.
    hot, cold : float
        Temperatures at the begin and the end of a cycle.
    cycle : float
        Steps a visit after which the search heats up again.
    most_cycles : int
        How often it does so at most.
    one_day : float
        Share of steps that keep the days of cadences.
    lure : float
        Where driving costs next to nothing beside what visits are worth: cost of a mean drive that the
        search itself assumes at first, as a share of a mean value. Tight routes leave room for more.
        With cadences only where many visits are missing, see `MANY_MISSING`.
    """

    average: float = 10.0
    longest: float = 10.0
    spread: float = 2.0
    tails: float = 0.1
    blink: float = 0.01
    around: float = 0.3
    over: float = 3.0
    over_growth: float = 100.0
    pool: int = 100
    by_legs: bool = True
    hot: float = 1.0
    cold: float = 0.01
    cycle: float = 5000.0
    most_cycles: int = 8
    one_day: float = 0.5
    lure: float = 0.3


#: Where many visits have no place, the choice of visits matters more than their order: smaller steps, more chance.
CHOOSING: Final = Effort(average=6.0, longest=6.0, blink=0.05, by_legs=False, hot=0.5, cold=0.01)
#: Share of visits without a place, after the first routes, from which on that is so.
MANY_LEFT: Final = 0.1
#: With cadences: share of what all visits are worth that is missing, after the first steps, from which on that is so.
MANY_MISSING: Final = 0.05
#: Up to this share there is no lure; between the two it grows.
FEW_MISSING: Final = 0.02
