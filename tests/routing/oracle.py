"""The best answer to a tiny routing problem, by trying everything; shares nothing with the library's timing.

Times are small whole numbers, so a set of times is the bits of one int: "the rep may be free at any of
these seconds" goes through waiting, drives, windows and breaks by shifts and masks. Nothing is assumed
to be monotone.

An order's times are those of the contract (`territory.routing.clock.evaluate`): the day ends as early
as the order allows; where time away costs or is limited, the rep leaves as late as keeps that end.
With several windows or breaks another timing may be cheaper, or short enough where this one is not;
it does not count. `definite` says where the contract fixes the cost of an order, and `optimum` of a
whole problem: not for lateness or driving times by time of day together with breaks, and links
together with breaks or with costs of time away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, pairwise, permutations, product
from math import ceil, inf
from typing import TYPE_CHECKING, Any

from territory.routing.problem import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.routing.problem import RoutingProblem

__all__ = ["Best", "Oracle", "Timed", "definite", "links_definite"]


@dataclass(frozen=True)
class Timed:
    """One order: times, and what it costs apart from cadences and visits not made; starts may be lower bounds."""

    cost: float
    leave: int
    back: int
    starts: tuple[int, ...]
    drive: int


@dataclass(frozen=True)
class Best:
    """The best answer: fewest required visits missing, then least objective."""

    missing: int
    objective: float
    orders: tuple[tuple[int, ...], ...]
    #: Of each visit, where some are linked; else blank.
    starts: dict[int, int] = field(default_factory=dict)


def definite(problem: RoutingProblem) -> bool:
    """Whether the contract fixes what an order costs."""
    rested = any(bool(b) for b in problem.shifts.breaks or ())
    timed = bool((problem.visits.late_cost > 0).any()) or len(problem.bucket_starts_s) > 1
    return not (rested and timed)


def links_definite(problem: RoutingProblem) -> bool:
    """Whether earliest times are best for linked visits, too."""
    s = problem.shifts
    rested = any(bool(b) for b in s.breaks or ())
    away = bool((s.cost_per_s > 0).any()) or bool((s.max_duration_s < s.end_s + s.max_overtime_s - s.begin_s).any())
    late = bool((problem.visits.late_cost > 0).any())
    return not (len(problem.joint) + len(problem.precedence)) or not (rested or away or late)


def _low(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


class Oracle:
    """Everything about one problem, remembered."""

    def __init__(self, problem: RoutingProblem) -> None:
        self.p = problem
        s = problem.shifts
        self.close = (s.end_s + s.max_overtime_s).tolist()
        self.top = max(self.close, default=0) + 1
        self.full = (1 << self.top) - 1
        self.starts_of = lru_cache(None)(self._starts_of)
        self.timed = lru_cache(None)(self._timed)

    # one order

    def service(self, v: int, s: int) -> int:
        return ceil(int(self.p.visits.service_s[v]) * float(self.p.shifts.service_factor[s]) - 1e-9)

    def locked(self, s: int) -> tuple[int, ...]:
        rows = self.p.shifts.locked
        return () if rows is None or rows[s] is None else tuple(int(v) for v in rows[s])

    def rests(self, s: int) -> list[tuple[int, int, int]]:
        rows = self.p.shifts.breaks
        return [] if rows is None or rows[s] is None else [tuple(int(x) for x in b) for b in rows[s]]

    def _starts_of(self, v: int, s: int) -> int:
        """Return when visit v may start in shift s, as bits."""
        p, bits = self.p, 0
        if p.eligible is not None and not p.eligible[v, s]:
            return 0
        if p.visits.pinned_shift[v] not in (-1, s):
            return 0
        if any(v in self.locked(other) for other in range(p.n_shifts) if other != s):
            return 0
        windows = None if p.visits.windows is None else p.visits.windows[v]
        for t in range(self.top):
            end = t + (self.service(v, s) if p.visits.window_holds_visit[v] else 0)
            fits = windows is None or any(a <= t and end <= b for a, b in windows)
            if fits and p.visits.pinned_start_s[v] in (-1, t):
                bits |= 1 << t
        return bits

    def drive_at(self, s: int, a: int, b: int, t: int) -> int:
        """Return what the drive takes that begins at t."""
        buckets = self.p.bucket_starts_s.tolist()
        k = max((i for i, begin in enumerate(buckets) if begin <= t), default=0)
        return int(self.p.durations_s[self.p.shifts.profile[s], k, a, b])

    def _driven(self, s: int, a: int, b: int, free: int, since: int) -> int:
        out = 0
        for t in range(max(since, 0), self.top):
            if free >> t & 1:
                out |= 1 << min(t + self.drive_at(s, a, b, t), self.top)
        return out & self.full

    def _waited(self, bits: int) -> int:
        return self.full & -(bits & -bits) if bits else 0

    def _rested(self, s: int, ready: list[int]) -> list[int]:
        """Let waits and breaks happen where the rep is."""
        ready = list(ready)
        for k, (length, earliest, latest) in enumerate(self.rests(s)):
            ready[k] = self._waited(ready[k])
            for t in range(max(earliest, 0), latest - length + 1):
                if ready[k] >> t & 1:
                    ready[k + 1] |= (1 << (t + length)) & self.full
        ready[-1] = self._waited(ready[-1])
        return ready

    def _done_before(self, s: int, leave: int) -> int:
        """Return how many breaks are over, or not needed, for who leaves then."""
        at = int(self.p.shifts.begin_s[s])
        for k, (length, earliest, latest) in enumerate(self.rests(s)):
            if leave >= latest:
                continue
            at = max(at, earliest) + length
            if at > min(latest, leave):
                return k
        return len(self.rests(s))

    def _done_after(self, s: int, back: int, k: int) -> bool:
        """Whether the breaks from k on are not needed, or can be taken after being back."""
        at = back
        for length, earliest, latest in self.rests(s)[k:]:
            if back <= earliest:
                continue
            at = max(at, earliest) + length
            if at > min(latest, self.close[s]):
                return False
        return True

    def follow(
        self, s: int, order: tuple[int, ...], leaves: list[int], lows: tuple[int, ...] = ()
    ) -> tuple[int, tuple[int, ...]]:
        """Return when the rep can be back who leaves at one of these times, as bits, and each visit's first start."""
        p, n, locks = self.p, len(self.rests(s)), len(self.locked(s))
        freeze = 0 if p.freeze_s is None else int(p.freeze_s)
        place, starts = int(p.shifts.start_place[s]), []
        arrived = [0] * (n + 1)
        first = int(p.visits.place[order[0]])
        for t in leaves:
            if locks or t >= freeze:
                arrived[self._done_before(s, t)] |= 1 << min(t + self.drive_at(s, place, first, t), self.top)
        arrived = [a & self.full for a in arrived]
        for i, v in enumerate(order):
            place = int(p.visits.place[v])
            may = self.starts_of(v, s)
            if lows:
                may &= ~((1 << max(lows[i], 0)) - 1)
            begun = [r & may for r in self._rested(s, arrived)]
            if not any(begun):
                return 0, ()
            starts.append(min(_low(b) for b in begun if b))
            free = self._rested(s, [(b << self.service(v, s)) & self.full for b in begun])
            to = int(p.visits.place[order[i + 1]] if i + 1 < len(order) else p.shifts.end_place[s])
            since = freeze if i + 1 >= locks else 0
            arrived = [self._driven(s, place, to, f, since) for f in free]
        back = 0
        for k, bits in enumerate(arrived):
            for t in range(self.close[s] + 1):
                if bits >> t & 1 and self._done_after(s, t, k):
                    back |= 1 << t
        return back, tuple(starts)

    def _leaves(self, s: int) -> list[int]:
        return list(range(int(self.p.shifts.begin_s[s]), self.close[s] + 1))

    def ends(self, s: int, order: tuple[int, ...]) -> int:
        """Return every time at which the rep can be back, as bits; limits on sums do not count."""
        return self.follow(s, order, self._leaves(s))[0]

    def _timed(self, s: int, order: tuple[int, ...], lows: tuple[int, ...] = ()) -> Timed | None:
        """Return the times and the cost of an order, or None where it breaks a rule."""
        p = self.p
        begin = int(p.shifts.begin_s[s])
        if not order:
            return Timed(0.0, begin, begin, (), 0)
        if len(order) > p.shifts.max_visits[s] or order[: len(self.locked(s))] != self.locked(s):
            return None
        if sum(int(p.visits.load[v]) for v in order) > p.shifts.capacity[s]:
            return None
        backs, starts = self.follow(s, order, self._leaves(s), lows)
        if not backs:
            return None
        back, leave = _low(backs), begin
        away = p.shifts.cost_per_s[s] > 0 or p.shifts.max_duration_s[s] < self.close[s] - begin
        if away:
            for leave in reversed(self._leaves(s)):
                backs, starts = self.follow(s, order, [leave], lows)
                if backs and _low(backs) == back:
                    break
            if back - leave > p.shifts.max_duration_s[s]:
                return None
        drive = self._drive(s, order, starts, leave if away else None)
        if drive > p.shifts.max_drive_s[s]:
            return None
        return Timed(self._cost(s, order, starts, leave, back, drive), leave, back, starts, drive)

    def _drive(self, s: int, order: tuple[int, ...], starts: tuple[int, ...], leave: int | None) -> int:
        """Return the time at the wheel of who starts every visit as early as can be (no breaks, or one bucket)."""
        p = self.p
        places = [int(p.shifts.start_place[s]), *(int(p.visits.place[v]) for v in order), int(p.shifts.end_place[s])]
        if len(p.bucket_starts_s) == 1:
            return sum(self.drive_at(s, a, b, 0) for a, b in pairwise(places))
        if leave is None:
            a, b = places[:2]
            leave = max(t for t in self._leaves(s) if t + self.drive_at(s, a, b, t) <= starts[0])
        total = self.drive_at(s, places[0], places[1], leave)
        freeze = -1 if p.freeze_s is None else p.freeze_s
        for i, v in enumerate(order):
            a, b = places[i + 1], places[i + 2]
            free = starts[i] + self.service(v, s)
            if i + 1 >= len(self.locked(s)):
                free = max(free, freeze)
            # the earliest arrival, and of those who have it the first to go
            _, t = min((t + self.drive_at(s, a, b, t), t) for t in range(free, self.top + 1))
            total += self.drive_at(s, a, b, t)
        return total

    def _cost(
        self, s: int, order: tuple[int, ...], starts: tuple[int, ...], leave: int, back: int, drive: int
    ) -> float:
        p, r, v = self.p, self.p.shifts, self.p.visits
        cost = float(r.cost[s] + r.cost_per_s[s] * (back - leave) + r.cost_per_drive_s[s] * drive)
        cost += float(r.overtime_cost[s]) * max(0, back - int(r.end_s[s]))
        if r.cost_per_m[s] > 0:
            places = [r.start_place[s], *(v.place[i] for i in order), r.end_place[s]]
            metres = sum(int(p.distances_m[r.profile[s], a, b]) for a, b in pairwise(places))
            cost += float(r.cost_per_m[s]) * metres
        for i, start in zip(order, starts, strict=True):
            cost += float(v.late_cost[i]) * max(0, start - int(v.due_s[i]))
            if p.baseline is not None and p.baseline[i].any() and not p.baseline[i, s]:
                cost += float(v.change_cost[i])
        return cost

    # all orders

    def _sets(self, s: int) -> dict[frozenset[int], tuple[float, tuple[int, ...]]]:
        """Return the best order of each set of visits that fits into a shift."""
        visits = [v for v in range(self.p.n_visits) if self.starts_of(v, s)]
        found: dict[frozenset[int], tuple[float, tuple[int, ...]]] = {}
        for size in range(len(visits) + 1):
            for chosen in combinations(visits, size):
                for order in permutations(chosen):
                    timed = self.timed(s, order)
                    if timed is not None and timed.cost < found.get(frozenset(chosen), (inf, ()))[0]:
                        found[frozenset(chosen)] = (timed.cost, order)
        return found

    def optimum(self) -> Best:
        """Return the best answer; with fewest required visits missing."""
        sets = [self._sets(s) for s in range(self.p.n_shifts)]
        linked = sorted({int(v) for v in [*self.p.joint.ravel(), *self.p.precedence.ravel()]})
        best = Best(self.p.n_visits * 100, inf, ())
        for choice in product(*(found.items() for found in sets)):
            upper = self._upper([chosen for chosen, _ in choice])
            if upper is None:
                continue
            missing, cost = upper
            cost += sum(c for _, (c, _) in choice)
            if (missing, cost) >= (best.missing, best.objective - 1e-9):
                continue
            orders = tuple(order for _, (_, order) in choice)
            starts: dict[int, int] = {}
            if any(v in chosen for chosen, _ in choice for v in linked):
                together = self._together([chosen for chosen, _ in choice])
                if together is None:
                    continue
                cost, orders, starts = upper[1] + together[0], together[1], together[2]
                if (missing, cost) >= (best.missing, best.objective - 1e-9):
                    continue
            best = Best(missing, cost, orders, starts)
        return best

    def _upper(self, sets: list[frozenset[int]]) -> tuple[int, float] | None:
        """Return required visits missing, and the cost of cadences and of visits not made; None: not allowed."""
        v, missing, cost = self.p.visits, 0, 0.0
        lock = {i for s in range(self.p.n_shifts) for i in self.locked(s)}
        for i in range(self.p.n_visits):
            days = [int(self.p.shifts.day[s]) for s, chosen in enumerate(sets) if i in chosen]
            if len(set(days)) < len(days):
                return None
            found = self._cadence(i, sorted(days))
            if found is None:
                return None
            n, extra = found
            cost += extra + n * float(v.value[i])
            missing += n if v.required[i] or i in lock else 0
        for a, b in self.p.joint.tolist():
            made = [s for s, chosen in enumerate(sets) for i in (a, b) if i in chosen]
            if len(made) == 1 or (made and made[0] == made[1]):
                return None
        done = frozenset().union(*sets) if sets else frozenset()
        return None if any(b in done and a not in done for a, b in self.p.precedence.tolist()) else (missing, cost)

    def _cadence(self, i: int, days: list[int]) -> tuple[int, float] | None:
        """Return how often the visit is missed, and what its days cost otherwise."""
        v = self.p.visits
        if v.patterns is not None and v.patterns[i] is not None:
            if not days:
                return 1, 0.0
            prices = [0.0] * len(v.patterns[i])
            if v.pattern_cost is not None and v.pattern_cost[i] is not None:
                prices = list(v.pattern_cost[i])
            fits = [c for pattern, c in zip(v.patterns[i], prices, strict=True) if sorted(pattern) == days]
            return (0, float(min(fits))) if fits else None
        if v.gap_low_days[i] > 0:
            chains = [
                (missed * float(v.value[i]) + paid, missed, paid)
                for made, missed, off, other in self._chains(i)
                for paid in [off * float(v.off_cost[i]) + other * float(v.weekday_cost[i])]
                if made == days
            ]
            if not chains:
                return None
            # the cheapest, of equal ones the one that misses least; that one anyway where it is required
            return min(chains, key=lambda c: c[1:] if v.required[i] else c)[1:]
        return (1, 0.0) if not days else (0, 0.0) if len(days) == 1 else None

    def _chains(self, i: int) -> Iterator[tuple[list[int], int, int, int]]:
        """Yield every chain of a rhythm: days made, number missed, days off the meant ones, changes of weekday."""
        v, n = self.p.visits, self.p.n_days

        def go(
            low: int, high: int, due: int, since: int | None, counts: bool
        ) -> Iterator[tuple[list[int], int, int, int]]:
            steps = [(d, True) for d in range(max(low, 0), min(high, n - 1) + 1)] + [(min(due, n - 1), False)]
            for day, made in steps:
                tails: Any = [([], 0, 0, 0)]
                if day + float(v.interval_days[i]) < n:
                    gap = int(v.gap_days[i])
                    tails = go(day + int(v.gap_low_days[i]), day + int(v.gap_high_days[i]), day + gap, day, True)
                for days, missed, off, other in tails:
                    if made:
                        change = since is not None and since % 7 != day % 7
                        yield [day, *days], missed, off + (abs(day - due) if counts else 0), other + change
                    else:
                        yield days, missed + 1, off, other

        due = int(v.first_due_day[i])
        if due >= n:
            yield [], 0, 0, 0
            return
        last = None if v.last_weekday[i] < 0 else int(v.last_weekday[i])
        yield from go(int(v.first_low_day[i]), int(v.first_high_day[i]), due, last, due > 0)

    def _together(self, sets: list[frozenset[int]]) -> tuple[float, tuple[tuple[int, ...], ...], dict[int, int]] | None:
        """Return the best orders of shifts whose linked visits wait for each other; None: they cannot."""
        best: tuple[float, tuple[tuple[int, ...], ...], dict[int, int]] | None = None
        for orders in product(*(list(permutations(sorted(chosen))) for chosen in sets)):
            found = self._waiting(orders)
            if found is not None and (best is None or found[0] < best[0]):
                best = found[0], orders, found[1]
        return best

    def _waiting(self, orders: tuple[tuple[int, ...], ...]) -> tuple[float, dict[int, int]] | None:
        """Return cost and starts of orders whose linked visits are put off until all fit (earliest times)."""
        low = [0] * self.p.n_visits
        where = {v: s for s, order in enumerate(orders) for v in order}
        while True:
            found = [self.timed(s, order, tuple(low[v] for v in order)) for s, order in enumerate(orders)]
            if any(timed is None for timed in found):
                return None
            start = {
                v: t
                for order, timed in zip(orders, found, strict=True)
                for v, t in zip(order, timed.starts, strict=True)
            }
            wanted = dict(start)
            for a, b in self.p.joint.tolist():
                if a in start:
                    wanted[a] = wanted[b] = max(wanted[a], wanted[b])
            delays = self.p.precedence_delay_s.tolist()
            for (a, b), delay in zip(self.p.precedence.tolist(), delays, strict=True):
                if b in start:
                    wanted[b] = max(wanted[b], start[a] + self.service(a, where[a]) + delay)
            if wanted == start:
                return sum(timed.cost for timed in found), start
            for v, t in wanted.items():
                low[v] = t
            if max(low) >= min(UNLIMITED, self.top):
                return None
