"""Which array stands where in the table that the kernels of the local search take.

These are constants of kernels (`territory.compiled`): first the problem, which never changes in a search, then its
state, which changes one customer at a time. n customers, k territories, m measures, d dimensions, s sites.
"""

from __future__ import annotations

from typing import Final

#: kinds of objective: cost of a territory with members i of weight w
FIXED: Final = 0  #: sum of a given (n, k) cost, or of w times the squared distance to a given centre
SQUARED: Final = 1  #: sum of w times the squared distance to its weighted mean
CENTROID: Final = 2  #: sum of w times the distance to its weighted mean
MEDIAN: Final = 3  #: sum of w times the distance to that member for which it is least
PERIMETER: Final = 4  #: half the length of its borders with other territories
REACH: Final = 5  #: total weight times the squared distance of the farthest member to the given centre or weighted mean

# -- the problem ------------------------------------------------------------------------------------
POINT: Final = 0  #: f8 (n, d)
PAIR: Final = 1  #: f8 (n, n) distances of customers, or (0, 0) where they are those of the points
GIVEN: Final = 2  #: f8 (n, k) given costs, or (0, 0)
WEIGHT: Final = 3  #: f8 (n,) > 0
MEASURE: Final = 4  #: f8 (n, m)
LOWER: Final = 5  #: f8 (k, m)
UPPER: Final = 6  #: f8 (k, m)
SCALE: Final = 7  #: f8 (k, m) one over the target
ELIGIBLE: Final = 8  #: bool (n, k), or (0, 0) where all are
NEAR_AT: Final = 9  #: i8 (n + 1,)
NEAR: Final = 10  #: i4: for each customer those beside it, from which moves are picked; symmetric
SITE: Final = 11  #: i4 (n,) site of each customer, -1: contiguity does not concern it; (0,): it concerns nobody
THERE_AT: Final = 12  #: i8 (s + 1,)
THERE: Final = 13  #: i4: customers of each site
LINK_AT: Final = 14  #: i8 (s + 1,)
LINK: Final = 15  #: i4: neighbours of each site; symmetric
RULE: Final = 16  #: i8: kind of objective; see `FIXED_CENTER`
SLACK: Final = 17  #: f8: by how much distances may break the triangle inequality; the largest weight
APART_AT: Final = 18  #: i8 (n + 1,), or (0,) where everybody may share a territory with everybody
APART: Final = 19  #: i4: for each customer those who must not be in his territory; symmetric
SOFT: Final = 20  #: f8 (m,) price of a deviation from the target, a share of it; or (0,)
LENGTH: Final = 21  #: f8, one for each of NEAR: length of the border between the two (PERIMETER); or (0,)

# -- the state -----------------------------------------------------------------------------------
LABEL: Final = 22  #: i4 (n,)
LOAD: Final = 23  #: f8 (k, m)
START: Final = 24  #: i8 (k + 1,) where the members of each territory begin, and the end of the room
SIZE: Final = 25  #: i8 (k,)
MEMBER: Final = 26  #: i4 (2 n + 8 k,) members of the territories, each with room to grow
WHERE: Final = 27  #: i8 (n,) where in it each customer stands
CENTER: Final = 28  #: f8 (k, d) given centre, or weighted mean
MASS: Final = 29  #: f8 (k,) total weight (not of MEDIAN, PERIMETER)
COST: Final = 30  #: f8 (k,)
EXCESS: Final = 31  #: f8 (k,) violation
SUM: Final = 32  #: f8 (n,) weighted distance to all members of its own territory (MEDIAN)
CORE: Final = 33  #: i8 (k,) how many members, the first ones, may become median by one exchange (MEDIAN)
SLOPE: Final = 34  #: f8 (k, d) derivative of the cost by the centre (CENTROID)
BEND: Final = 35  #: f8 (k, d * d) second derivative of the cost by the centre (CENTROID)
OTHER: Final = 36  #: i4 (n,) how many of those beside it are in another territory
BORDER: Final = 37  #: i4 (n,) customers with others beside them
PLACE: Final = 38  #: i4 (n,) where in it each customer stands, -1: nowhere
STAMP: Final = 39  #: i8 (s,) last walk that came to each site
QUEUE: Final = 40  #: i4 (s,)
COUNT: Final = 41  #: i8: see `N_BORDER`, `N_WALK`, `N_CONFLICT`
VALUE: Final = 42  #: f8: see `OBJECTIVE`, `VIOLATION`
RNG: Final = 43  #: u8 (1,)
STALE: Final = 44  #: i8 (k,) customers who came and went since cost and derivatives were summed (CENTROID)
DEVIATION: Final = 45  #: f8 (k,) price of the deviations from the target

FIXED_CENTER: Final = 1  #: of RULE: 1 where centres are given
N_BORDER: Final = 0  #: of COUNT: customers in BORDER
N_WALK: Final = 1  #: of COUNT: walks so far
N_CONFLICT: Final = 2  #: of COUNT: pairs who are together and must not be
OBJECTIVE: Final = 0  #: of VALUE: sum of COST and DEVIATION
VIOLATION: Final = 1  #: of VALUE: sum of EXCESS, and one for each conflict

#: Less than this share of a target is no violation but rounding.
ROUNDING: Final = 1e-9
