"""Changes of the nights of a plan that may pay, ranked by what they would save with the visits as they are."""

from __future__ import annotations

from itertools import islice, permutations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.schedule.nights_days import HOME, Days, Move

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from territory.routing.calls import Calls
    from territory.schedule.nights_rules import NightRules
    from territory.schedule.nights_try import Away

__all__ = ["moves_of"]

#: Pairs of days, or of tours, that are looked at for each evening, or tour; evenings for each missed visit.
_PAIRS: Final = 4
_EVENINGS: Final = 3


def moves_of(away: Away, calls: Calls, rules: NightRules, missed: Sequence[int]) -> list[Move]:
    """Return changes of nights, what promises most first; the same for the same input.

    Parameters
    ----------
    away : Away
    calls : Calls
    rules : NightRules
        Each change alone keeps them.
    missed : sequence of int
        Calls that are due and not made.
    """
    found: list[Move] = []
    for r in range(len(away.board.desks)):
        found += _Moves(away, calls, rules, r).moves(missed)
    return sorted(found, key=lambda m: (-m.saving, m.nights, m.orders))


class _Moves(Days):
    """Changes of the nights of one rep."""

    def moves(self, missed: Sequence[int]) -> Iterator[Move]:
        """Yield all changes that the rules allow."""
        yield from self._present()
        yield from self._shorter()
        free = [n for n in self.order if (self.r, n) in self.rules.evenings and (self.r, n) not in self.nights]
        free = [n for n in free if self.rules.allow([*self.nights, (self.r, n)])]
        yield from self._linked(free)
        yield from self._gathered(free)
        yield from self._one_after_other()
        yield from self._reached(free, missed)

    def _present(self) -> Iterator[Move]:
        """Yield changes of the nights that there are: at home, or at another place."""
        for (r, n), p in self.nights.items():
            if r != self.r:
                continue
            one, other = self.ways[n][0], self.ways[n + 1][0]
            begin, end = self.ends[n][0], self.ends[n + 1][1]
            now = self.own[n] + self.own[n + 1] + float(self.price[p])
            total = self._out(one, begin) + self.price + self._back(other, end)
            best = int(np.argmin(total))
            if total[best] < now - 1e-9:
                yield Move(now - float(total[best]), (((r, n), best),))
            home = self._closed(one, begin, self.desk.end) + self._closed(other, 0, end)
            home += self._alone([*self._beyond(one, n, begin, self.desk.end), *self._beyond(other, n + 1, 0, end)])
            yield Move(now - home, (((r, n), HOME),))

    def _shorter(self) -> Iterator[Move]:
        """Yield tours without their last or first day, and days from home that fall away: their visits go elsewhere."""
        spare = {n: self._spare_s(n) for n, order in self.order.items() if order}
        for block in self._blocks():
            for n in dict.fromkeys((block[0], block[-1])):
                day, night = self.ways[n][0], (self.r, n - 1 if n != block[0] else n)
                # their places have to be driven to all the same
                work = sum(int(self.calls.service_s[k]) for k in day.order)
                if len(block) > 1 and block[0] == n:
                    p, other = self.nights[night], self.ways[n + 1][0]
                    rest = self._closed(other, 0, self.ends[n + 1][1]) - self.own[n + 1]
                elif len(block) > 1:
                    p, other = self.nights[night], self.ways[n - 1][0]
                    rest = self._closed(other, self.ends[n - 1][0], self.desk.end) - self.own[n - 1]
                else:
                    p, rest = HOME, 0.0
                if sum(spare.values()) - spare[n] < work:
                    continue
                saving = self.own[n] - day.inner - rest + (float(self.price[p]) if p != HOME else 0.0)
                yield Move(saving, ((night, HOME),) if p != HOME else (), (((self.r, n), ()),))

    def _linked(self, free: Sequence[int]) -> Iterator[Move]:
        """Yield nights between two days as they are."""
        for n in free:
            if not (self.order[n] and self.order[n + 1]):
                continue
            total, p, one, other = self._joined(self.ways[n], self.ends[n][0], self.ways[n + 1], self.ends[n + 1][1])
            if p != HOME:
                saving = self.own[n] + self.own[n + 1] - total
                yield Move(saving, (((self.r, n), p),), (((self.r, n), one), ((self.r, n + 1), other)))

    def _gathered(self, free: Sequence[int]) -> Iterator[Move]:
        """Yield nights between days that change places with others, so that far visits come together."""
        home = [n for n in self.order if self.ends[n] == (0, self.desk.end)]
        visited = [n for n in home if self.order[n]]
        pairs = {(a, b): self._joined(self.ways[a], 0, self.ways[b], self.desk.end) for a in visited for b in visited}
        ranked = sorted(
            ((self.own[a] + self.own[b] - found[0], a, b) for (a, b), found in pairs.items() if a != b),
            key=lambda x: (-x[0], *x[1:]),
        )  # fmt: skip
        for n in free:
            if n not in home or n + 1 not in home:
                continue
            for saving, a, b in [x for x in ranked if x[1:] != (n, n + 1)][:_PAIRS]:
                if np.isfinite(saving):
                    yield self._exchange(n, a, b, saving)

    def _one_after_other(self) -> Iterator[Move]:
        """Yield tours, or their first or last days, that come to stand right before or right after another tour."""
        blocks = self._blocks()
        options = []
        for fixed, other in permutations(blocks, 2):
            pieces = [(other, 0.0)]
            for i in range(1, len(other)):
                cut = self._cut(other[i - 1])
                pieces += [(other[:i], cut), (other[i:], cut)]
            for piece, cut in pieces:
                for one, then in ((fixed, piece), (piece, fixed)):
                    last, first = self.ways[one[-1]][0].last, self.ways[then[0]][0].first
                    total = self.cost[last] + self.price + self.cost[:, first]
                    p = int(np.argmin(total))
                    saving = cut + float(self.cost[last, self.desk.end] + self.cost[0, first] - total[p])
                    if np.isfinite(saving):
                        # what is left of a tour of two is a day from home
                        rest = tuple(n for n in other if n not in piece)
                        options.append((saving, one, then, fixed, p, rest if len(rest) == 1 else ()))
        options.sort(key=lambda x: (-x[0], *x[1:]))
        moves = (self._either(option) for option in options)
        yield from islice((m for m in moves if m is not None), 2 * _PAIRS * len(blocks))

    def _either(self, option: tuple[Any, ...]) -> Move | None:
        """Return the tour of two in exchange for the days there, else with those between making room."""
        found = self._moved(*option)
        if found is None:
            return self._rotated(*option[:-1])
        # two days from home have been looked at
        return None if len(option[1]) == len(option[2]) == 1 and not option[-1] else found

    def _cut(self, n: int) -> float:
        """Return what it saves to be at home after day n of a tour."""
        p, last, first = self.nights[self.r, n], self.ways[n][0].last, self.ways[n + 1][0].first
        away = self.cost[last, p] + self.price[p] + self.cost[p, first]
        return float(away - self.cost[last, self.desk.end] - self.cost[0, first])

    def _moved(
        self, saving: float, one: tuple[int, ...], then: tuple[int, ...], fixed: tuple[int, ...], p: int,
        rest: tuple[int, ...],
    ) -> Move | None:  # fmt: skip
        """Return the tour of two of which one stays where it is; None: those days do not allow it.

        Days that are not in one of them are from home, or in `rest`.
        """
        old = [*one, *then]
        begin = one[0] if fixed == one else then[0] - len(one)
        new = list(range(begin, begin + len(old)))
        home = (0, self.desk.end)
        if any(n not in self.order or (n not in (*old, *rest) and self.ends[n] != home) for n in new):
            return None
        content = {n: self.order[m] for n, m in zip(new, old, strict=True)}
        left = [n for n in new if n not in old]
        content |= {m: self.order[n] for m, n in zip([m for m in old if m not in new], left, strict=True)}
        piece = then if fixed == one else one
        nights = dict.fromkeys([(self.r, n) for n in (piece[0] - 1, *old) if (self.r, n) in self.nights], HOME)
        for i, n in enumerate(new[:-1]):
            nights[self.r, n] = p if i == len(one) - 1 else self.nights[self.r, old[i]]
        kept = [night for night in self.nights if night not in nights]
        if not self.rules.allow([*kept, *(night for night, place in nights.items() if place != HOME)]):
            return None
        return self._with(content, tuple(sorted(nights.items())), saving)

    def _rotated(
        self, saving: float, one: tuple[int, ...], then: tuple[int, ...], fixed: tuple[int, ...], p: int
    ) -> Move | None:
        """Return the tour of two for which all days between them make room; None: their days do not allow it."""
        days = range(min(one[0], then[0]), max(one[-1], then[-1]) + 1)
        piece = then if fixed == one else one
        cut = {n for n in (piece[0] - 1, piece[-1]) if (self.r, n) in self.nights}
        whole = (days[0] - 1 in cut or (self.r, days[0] - 1) not in self.nights) and (
            days[-1] in cut or (self.r, days[-1]) not in self.nights
        )
        if not whole or any(n not in self.order for n in days):
            return None
        between = [n for n in days if n not in one and n not in then]
        old = [*one, *then, *between] if fixed[0] < piece[0] else [*between, *one, *then]
        nights = dict.fromkeys([(self.r, n) for n in {*days, *cut} if (self.r, n) in self.nights], HOME)
        for n, a, b in zip(days, old, old[1:], strict=False):
            if a == one[-1] and b == then[0]:
                nights[self.r, n] = p
            elif b == a + 1 and a not in cut and (self.r, a) in self.nights:
                nights[self.r, n] = self.nights[self.r, a]
        kept = [night for night in self.nights if night not in nights]
        if not self.rules.allow([*kept, *(night for night, place in nights.items() if place != HOME)]):
            return None
        content = {n: self.order[m] for n, m in zip(days, old, strict=True)}
        return self._with(content, tuple(sorted(nights.items())), saving)

    def _exchange(self, n: int, a: int, b: int, saving: float) -> Move:
        """Return the night after day n with the visits of day a before and those of day b after it."""
        _, p, one, other = self._joined(self.ways[a], self.ends[n][0], self.ways[b], self.ends[n + 1][1])
        content = {n: one, n + 1: other}
        left = [d for d in (n, n + 1) if d not in (a, b)]
        for day in (a, b):
            if day not in content:
                content[day] = self.order[left.pop(0)]
        for day in left:  # pragma: no cover - as many days are left as were taken
            content[day] = ()
        return self._with(content, (((self.r, n), p),), saving)

    def _reached(self, free: Sequence[int], missed: Sequence[int]) -> Iterator[Move]:
        """Yield nights at missed visits, and in the hotels nearest to them."""
        for k in dict.fromkeys(missed):
            if self.calls.remote[k] or self.calls.rep[k] not in (-1, self.r):
                continue
            there = self._place(k)
            p = int(np.argmin(self.price + self.cost[:, there] + self.cost[there]))
            if not np.isfinite(self.price[p] + self.cost[p, there]):
                continue
            options = []
            for n in free:
                if not any(self.away.board.windows(self.calls, k, (self.r, d)) for d in (n, n + 1)):
                    continue
                now = self.own[n] + self.own[n + 1] - float(self.price[p])
                begin, end = self.ends[n][0], self.ends[n + 1][1]
                away = float(self._out(self.ways[n][0], begin)[p] + self._back(self.ways[n + 1][0], end)[p])
                options.append((now - away, n))
            for saving, n in sorted(options, key=lambda x: (-x[0], x[1]))[:_EVENINGS]:
                yield Move(saving + float(self.calls.value[k]), (((self.r, n), p),))
