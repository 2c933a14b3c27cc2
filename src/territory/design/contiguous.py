"""Whether territories stay connected: questions about one customer, answered from where he is.

A site is a spot with one or more customers; a territory is connected if its sites are. A customer may leave a
territory if that splits none of its parts, and enter one that is at his site or beside it, so that the number of
parts never grows. Customers without a site (locked ones, say) may go anywhere.
"""

from __future__ import annotations

from territory.compiled import leaf
from territory.compiled.tables import i32_1, i64_1
from territory.design.moves_layout import (
    COUNT,
    LABEL,
    LINK,
    LINK_AT,
    N_WALK,
    QUEUE,
    SITE,
    STAMP,
    THERE,
    THERE_AT,
)

__all__ = ["can_enter", "can_leave"]


@leaf
def _is_at(tab, s, a, but):
    """Return whether territory `a` has a customer at site `s`, other than one."""
    there, label = i32_1(tab, THERE), i32_1(tab, LABEL)
    for q in range(i64_1(tab, THERE_AT)[s], i64_1(tab, THERE_AT)[s + 1]):
        if label[there[q]] == a and there[q] != but:
            return True
    return False


@leaf
def can_enter(tab, i, b):
    """Return whether territory `b` is at the site of customer `i`, or beside it. O(degree)."""
    if i32_1(tab, SITE).shape[0] == 0 or i32_1(tab, SITE)[i] < 0:
        return True
    s = i32_1(tab, SITE)[i]
    if _is_at(tab, s, b, i):
        return True
    for q in range(i64_1(tab, LINK_AT)[s], i64_1(tab, LINK_AT)[s + 1]):
        if _is_at(tab, i32_1(tab, LINK)[q], b, i):
            return True
    return False


@leaf
def can_leave(tab, i):
    """Return whether no part of the territory of `i` falls apart without `i`.

    A walk from one neighbouring site in the territory towards the others; these are close to each other as a
    rule, so that it ends after a few steps. At worst O(sites of the territory).
    """
    if i32_1(tab, SITE).shape[0] == 0 or i32_1(tab, SITE)[i] < 0:
        return True
    s, a = i32_1(tab, SITE)[i], i32_1(tab, LABEL)[i]
    if _is_at(tab, s, a, i):
        return True
    link_at, link, stamp, queue = i64_1(tab, LINK_AT), i32_1(tab, LINK), i64_1(tab, STAMP), i32_1(tab, QUEUE)
    # two marks a walk: sites that are wanted, and sites where it was
    i64_1(tab, COUNT)[N_WALK] += 2
    seen = i64_1(tab, COUNT)[N_WALK]
    wanted = seen - 1
    stamp[s] = seen
    missing, root = 0, -1
    for q in range(link_at[s], link_at[s + 1]):
        t = link[q]
        if t != s and _is_at(tab, t, a, i):
            if root < 0:
                root = t
            elif stamp[t] != wanted and t != root:
                missing += 1
                stamp[t] = wanted
    if missing == 0:
        return True
    stamp[root] = seen
    queue[0] = root
    head, tail = 0, 1
    while head < tail:
        u = queue[head]
        head += 1
        for q in range(link_at[u], link_at[u + 1]):
            t = link[q]
            if stamp[t] == seen:
                continue
            if stamp[t] == wanted:
                missing -= 1
                if missing == 0:
                    return True
            elif not _is_at(tab, t, a, i):
                continue
            stamp[t] = seen
            queue[tail] = t
            tail += 1
    return False
