"""Arrays for kernels, by address: one small table in place of a hundred arguments.

A compiled function that takes a tuple of arrays takes every field of every array as an argument of its own; with
eighty arrays that is slow to call and takes minutes to compile. So kernels take one int64 array, the *table*: for
each array its address and shape. A view (``i32_2(table, ROW)``) makes an array of them again, which costs a few
loads. `Tables` keeps the arrays alive as long as the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from territory.routing.compiled import jit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Tables", "boo_2", "f64_1", "f64_2", "i32_1", "i32_2", "i32_3", "i64_1", "i64_2", "i64_3", "u64_1"]

#: Address and up to three lengths.
STRIDE: Final = 4


class Tables:
    """Arrays and the table of their addresses.

    Parameters
    ----------
    arrays : iterable of array
        C-contiguous, of at most three dimensions; their order is what kernels know them by.

    Attributes
    ----------
    table : int64 array
    """

    __slots__ = ("arrays", "table")

    def __init__(self, arrays: Iterable[NDArray[Any]]) -> None:
        self.arrays = tuple(arrays)
        rows = []
        for a in self.arrays:
            if not a.flags.c_contiguous:
                msg = "kernels read contiguous arrays only"
                raise ValueError(msg)
            rows.append((a.__array_interface__["data"][0], *a.shape, *(1,) * (STRIDE - 1 - a.ndim)))
        self.table = np.array(rows, dtype=np.int64).ravel()


def _take_address(_context: Any, source: Any) -> Any:

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(source), code


carray: Any = getattr(numba, "carray")  # noqa: B009 - not among its typed names
#: Takes an integer as an address.
_pointer: Any = intrinsic(_take_address)


@jit
def i32_1(t, k):  # type: ignore[no-untyped-def]
    """View array k of a table."""
    return carray(_pointer(t[k * 4]), (t[k * 4 + 1],), np.int32)


@jit
def i32_2(t, k):  # type: ignore[no-untyped-def]
    """View array k of a table."""
    return carray(_pointer(t[k * 4]), (t[k * 4 + 1], t[k * 4 + 2]), np.int32)


@jit
def i32_3(t, k):  # type: ignore[no-untyped-def]
    """View array k of a table."""
    return carray(_pointer(t[k * 4]), (t[k * 4 + 1], t[k * 4 + 2], t[k * 4 + 3]), np.int32)


@jit
def i64_1(t, k):  # type: ignore[no-untyped-def]
    """View array k of a table."""
    return carray(_pointer(t[k * 4]), (t[k * 4 + 1],), np.int64)


@jit
def i64_2(t, k):  # type: ignore[no-untyped-def]
    """View array k of a table."""
    return carray(_pointer(t[k * 4]), (t[k * 4 + 1], t[k * 4 + 2]), np.int64)


@jit
def i64_3(t, k):  # type: ignore[no-untyped-def]
    """View array k of a table."""
    return carray(_pointer(t[k * 4]), (t[k * 4 + 1], t[k * 4 + 2], t[k * 4 + 3]), np.int64)


@jit
def f64_1(t, k):  # type: ignore[no-untyped-def]
    """View array k of a table."""
    return carray(_pointer(t[k * 4]), (t[k * 4 + 1],), np.float64)


@jit
def f64_2(t, k):  # type: ignore[no-untyped-def]
    """View array k of a table."""
    return carray(_pointer(t[k * 4]), (t[k * 4 + 1], t[k * 4 + 2]), np.float64)


@jit
def boo_2(t, k):  # type: ignore[no-untyped-def]
    """View array k of a table."""
    return carray(_pointer(t[k * 4]), (t[k * 4 + 1], t[k * 4 + 2]), np.bool_)


@jit
def u64_1(t, k):  # type: ignore[no-untyped-def]
    """View array k of a table."""
    return carray(_pointer(t[k * 4]), (t[k * 4 + 1],), np.uint64)
