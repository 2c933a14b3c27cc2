"""Which array stands where in the second table that the kernels of realignment take, beside that of `moves_layout`.

These are constants of kernels (`territory.compiled`). n customers, k territories.
"""

from __future__ import annotations

from typing import Final

#: Arcs that are kept of a territory, one to each neighbour; further neighbours are left out.
WIDTH: Final = 32
#: Customers that are kept of an arc, the cheapest to hand over.
DEPTH: Final = 12

HOME: Final = 0  #: i4 (n,) today's territory, -1: none, so that going anywhere is no change
FEE: Final = 1  #: f8 (n,) what it costs that a customer is not at home
STUCK: Final = 2  #: i4 (n,) 1: never moves
SPENT: Final = 3  #: f8 (3,) of customers who are not at home: sum of fees, of the first measure, number
CAP: Final = 4  #: f8 (3,) the most of each
ARCS: Final = 5  #: i8 (k,) number of arcs of each territory
TO: Final = 6  #: i4 (k * WIDTH,)
LENGTH: Final = 7  #: f8 (k * WIDTH,) cost of a unit of load along the arc
WHO: Final = 8  #: i4 (k * WIDTH * DEPTH,) customers of each arc, the cheapest first; -1: none
COST_OF: Final = 9  #: f8 (k * WIDTH * DEPTH,) cost of handing each over
FAR: Final = 10  #: f8 (k,) length of the shortest path to each territory
BACK: Final = 11  #: i8 (k,) last arc of it, -1: it begins there
LINE: Final = 12  #: i4 (k,) territories whose arcs are to be looked at
IN_LINE: Final = 13  #: i4 (k,)
STALE_ARCS: Final = 14  #: i4 (k,) 1: the arcs of a territory have to be found anew
CLOSED: Final = 15  #: i4 (k,) 1: no customer of a path that ends (or begins) here fits into what room there is

FEES: Final = 0  #: of SPENT and CAP
WORK: Final = 1
NUMBER: Final = 2
