"""Putting visits in order by keys: the quicksort of numba's `numpy.argsort`, which takes long to compile."""

from __future__ import annotations

from typing import Final

from territory.compiled import leaf

__all__ = ["ORDER_STACK", "argsort"]

#: Room behind the order, for the stretches that wait: of each two the longer, so that their number stays below 64.
ORDER_STACK: Final = 128
#: Stretches up to this long are sorted by insertion.
_SHORT: Final = 15


@leaf
def argsort(keys, n, order):  # type: ignore[no-untyped-def]
    """Set the first n numbers of `order` to those of the n first keys, small ones first; see `ORDER_STACK`."""
    for i in range(n):
        order[i] = i
    top = len(order) - ORDER_STACK
    order[top], order[top + 1] = 0, n - 1
    waiting = 1
    while waiting > 0:
        waiting -= 1
        low, high = order[top + 2 * waiting], order[top + 2 * waiting + 1]
        while high - low >= _SHORT:
            # the median of three is the pivot, and waits at the end
            mid = (low + high) >> 1
            if keys[order[mid]] < keys[order[low]]:
                order[low], order[mid] = order[mid], order[low]
            if keys[order[high]] < keys[order[mid]]:
                order[high], order[mid] = order[mid], order[high]
            if keys[order[mid]] < keys[order[low]]:
                order[low], order[mid] = order[mid], order[low]
            pivot = keys[order[mid]]
            order[high], order[mid] = order[mid], order[high]
            i, j = low, high - 1
            while True:
                while i < high and keys[order[i]] < pivot:
                    i += 1
                while j >= low and pivot < keys[order[j]]:
                    j -= 1
                if i >= j:
                    break
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
            order[i], order[high] = order[high], order[i]
            if high - i > i - low:
                order[top + 2 * waiting], order[top + 2 * waiting + 1] = i + 1, high
                high = i - 1
            else:
                order[top + 2 * waiting], order[top + 2 * waiting + 1] = low, i - 1
                low = i + 1
            waiting += 1
        for i in range(low + 1, high + 1):
            k = order[i]
            j = i
            while j > low and keys[k] < keys[order[j - 1]]:
                order[j] = order[j - 1]
                j -= 1
            order[j] = k
