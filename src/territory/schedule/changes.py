"""The smallest change that lets in a visit which found no place, tried on the days as they are planned.

Everything that is planned stays, on its day and in its order. A change counts if the missed visit then fits into
one of the days, somewhere in the order, on the routing clock, and its customer misses fewer visits than before.

Changes are of many kinds. Which is the smaller is a matter of exchange rates: `SIZES`, in half hours by which one rep
works longer on one day. They put first what costs nobody anything, then what a rep and a planner can agree on
(days of tolerance, a longer day), then what a customer has to agree to, then days off, and last who serves whom.
Only where none of these helps by itself are days tried that are longer for rep and customer both.

=================  ===========================================  ==========================================
code               amount                                       size
=================  ===========================================  ==========================================
search             none: it fits already; longer planning       0
detour             seconds that cold leads may cost more        1 a half hour
tolerance-early    days that visits may come earlier            0.5 a day
tolerance-late     days that visits may come later              0.5 a day
dates-early        days that a single visit may come earlier    1.5 a day
dates-late         days that a single visit may come later      1.5 a day
shift-late         seconds that the rep works longer            1 a half hour
shift-early        seconds that the rep begins earlier          1 a half hour
visits-a-day       more visits a day                            2 each
shorter-visit      seconds that the visits are shorter          1 a quarter of an hour
time-early         seconds that an appointment is earlier       1.25 a half hour
time-late          seconds that an appointment is later         1.25 a half hour
opens-earlier      seconds that the customer opens earlier      1.5 a half hour
closes-later       seconds that the customer closes later       1.5 a half hour
both-later         seconds that both end the day later          2.5 a half hour
both-earlier       seconds that both begin the day earlier      2.5 a half hour
weekday            1: that weekday is allowed, too              3
week               1: odd and even weeks                        3
call-block         1: the block is lifted for that day          4
field-day          1: that weekday is none in the office        4
opens-that-day     1: open while the rep works that day         5
extra-day          1: the rep works on that day off             6
holiday            1: the rep works on that holiday             8
leave-day          1: the rep is not on leave that day          10
rep                position of the rep who serves the customer  6
unlock             1: the customer is no longer locked          7
allow-rep          1: the rep is no longer forbidden            9
skill              skills that the rep lacks                    10 each
=================  ===========================================  ==========================================

Of changes of one size the one that stands first in the table counts, then the earlier day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from territory.units import duration

if TYPE_CHECKING:
    import numpy as np

__all__ = ["HALF_HOUR", "SIZES", "Change", "sentence", "size_of"]

HALF_HOUR: Final = 1800
#: Size of a change: of each unit, and how many of the amount are a unit. Their order decides between equals.
SIZES: Final = {
    "search": (0.0, 1), "detour": (1.0, HALF_HOUR), "tolerance-early": (0.5, 1), "tolerance-late": (0.5, 1),
    "dates-early": (1.5, 1), "dates-late": (1.5, 1), "shift-late": (1.0, HALF_HOUR), "shift-early": (1.0, HALF_HOUR),
    "visits-a-day": (2.0, 1), "shorter-visit": (1.0, HALF_HOUR // 2), "time-early": (1.25, HALF_HOUR),
    "time-late": (1.25, HALF_HOUR), "opens-earlier": (1.5, HALF_HOUR), "closes-later": (1.5, HALF_HOUR),
    "both-later": (2.5, HALF_HOUR), "both-earlier": (2.5, HALF_HOUR), "weekday": (3.0, 1), "week": (3.0, 1),
    "call-block": (4.0, 1), "field-day": (4.0, 1), "opens-that-day": (5.0, 1), "extra-day": (6.0, 1),
    "holiday": (8.0, 1), "leave-day": (10.0, 1), "rep": (6.0, 1), "unlock": (7.0, 1), "allow-rep": (9.0, 1),
    "skill": (10.0, 1),
}  # fmt: skip
_ORDER: Final = {code: k for k, code in enumerate(SIZES)}
_NUMBERS: Final = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


@dataclass(frozen=True, slots=True)
class Change:
    """A change that lets a visit in.

    Attributes
    ----------
    code : str
        One of `SIZES`.
    amount : int
        Seconds, days, or a number, see the table.
    day : int
        Day of the horizon on which the visit then takes place.
    """

    code: str
    amount: int
    day: int

    @property
    def key(self) -> tuple[float, int, int]:
        """What decides between changes: size, kind, day."""
        return size_of(self.code, self.amount), _ORDER[self.code], self.day


def size_of(code: str, amount: int) -> float:
    """Return the size of a change, in half hours of work.

    >>> size_of("shift-late", 3600), size_of("tolerance-late", 2)
    (2.0, 1.0)
    """
    each, unit = SIZES[code]
    # the amount of another rep is its position
    return each if code == "rep" else each * amount / unit


def sentence(change: Change, days: np.ndarray, rep: str) -> str:
    """Return a change as a sentence.

    Parameters
    ----------
    change : Change
    days : datetime64[D] array
        Of the horizon.
    rep : str
        Id of the rep who makes the visit then.

    Examples
    --------
    >>> import numpy as np
    >>> days = np.datetime64("2026-01-12") + np.arange(7)
    >>> sentence(Change("shift-late", 1800, 1), days, "R1")
    'one more half hour for R1 on Tue 2026-01-13, at the end of the day'
    >>> sentence(Change("tolerance-late", 2, 4), days, "R1")
    'two more days of tolerance for later visits: it fits on Fri 2026-01-16'
    """
    on = day_text(days[change.day])
    number = change.amount
    length = "one more half hour" if number == HALF_HOUR else f"{duration(number)} more"
    count = _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number)
    unit = "day" if number == 1 else "days"
    words = {
        "search": f"more rounds of search, or more time: it fits on {on} as it is",
        "detour": f"{duration(number)} more driving for cold leads; it fits on {on}",
        "tolerance-early": f"{count} more {unit} of tolerance for earlier visits: it fits on {on}",
        "tolerance-late": f"{count} more {unit} of tolerance for later visits: it fits on {on}",
        "dates-early": f"{count} {unit} earlier, on {on}",
        "dates-late": f"{count} {unit} later, on {on}",
        "shift-early": f"{length} for {rep} on {on}, at the begin of the day",
        "shift-late": f"{length} for {rep} on {on}, at the end of the day",
        "visits-a-day": f"{count} more visit{'' if number == 1 else 's'} a day for {rep}; it fits on {on}",
        "shorter-visit": f"visits that are {duration(number)} shorter; it fits on {on}",
        "time-early": f"{duration(number)} earlier, on {on}",
        "time-late": f"{duration(number)} later, on {on}",
        "opens-earlier": f"opening {duration(number)} earlier on {on}",
        "closes-later": f"closing {duration(number)} later on {on}",
        "both-later": f"{duration(number)} more on {on} at the end of the day, for {rep} and for the customer",
        "both-earlier": f"{duration(number)} more on {on} at the begin of the day, for {rep} and for the customer",
        "weekday": f"one more weekday: it fits on {on}",
        "week": f"odd and even weeks: it fits on {on}",
        "call-block": f"no call block on {on}",
        "field-day": f"{on[:3]} in the field for {rep}, and not in the office: it fits on {on}",
        "opens-that-day": f"opening on {on}",
        "extra-day": f"one more working day for {rep}, {on}",
        "holiday": f"work on the holiday {on} for {rep}",
        "leave-day": f"no leave for {rep} on {on}",
        "rep": f"another rep: it fits {rep} on {on}",
        "unlock": f"no lock to its owner: it fits {rep} on {on}",
        "allow-rep": f"{rep} no longer forbidden: it fits on {on}",
        "skill": f"{count} more skill{'' if number == 1 else 's'} for {rep}; it fits on {on}",
    }
    return words[change.code]


def day_text(day: np.datetime64) -> str:
    """Return a day with its weekday.

    >>> import numpy as np
    >>> day_text(np.datetime64("2026-01-13"))
    'Tue 2026-01-13'
    """
    return f"{day.item():%a} {day}"
