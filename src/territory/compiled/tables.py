"""Arrays for kernels, by address: one small table in place of a hundred arguments.

A compiled function that takes a tuple of arrays takes every field of every array as an argument of its own; with
eighty arrays that is slow to call and takes minutes to compile. So kernels take one int64 array, the *table*: for
each array its address and shape. A view (``i32_2(table, ROW)``) makes an array of them again, which costs a few
loads and no call. `Tables` keeps the arrays alive as long as the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.compiled import Later

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


def _view(dtype: str, dimensions: int) -> Any:
    """Return a function for kernels that views array k of a table; it is no call, but a few loads in their place."""
    return Later(lambda: _made(dtype, dimensions))


def _made(name: str, dimensions: int) -> Any:
    from numba import types  # noqa: PLC0415 - slow to load, and only where kernels are compiled
    from numba.core.cgutils import intp_t  # noqa: PLC0415
    from numba.extending import intrinsic  # noqa: PLC0415
    from numba.np.arrayobj import populate_array  # noqa: PLC0415

    dtype = getattr(types, name)
    view = types.Array(dtype, dimensions, "C")

    def typing(_context: Any, table: Any, k: Any) -> Any:
        if table != types.Array(types.int64, 1, "C") or not isinstance(k, types.Integer):
            return None
        return view(table, types.intp), code

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        first = builder.mul(arguments[1], intp_t(STRIDE))
        address, *shape = (
            builder.load(builder.gep(rows, [builder.add(first, intp_t(i))])) for i in range(dimensions + 1)
        )
        itemsize = context.get_abi_sizeof(context.get_data_type(dtype))
        strides = [intp_t(itemsize)]
        for length in shape[:0:-1]:
            strides.insert(0, builder.mul(strides[0], length))
        found = context.make_array(view)(context, builder)
        data = builder.inttoptr(address, found.data.type)
        populate_array(found, data=data, shape=shape, strides=strides, itemsize=intp_t(itemsize), meminfo=None)
        return found._getvalue()  # noqa: SLF001 - the one way to it

    return intrinsic(typing)


# number of bits, i: signed, u: unsigned, and dimensions
i32_1, i32_2, i32_3 = (_view("int32", n) for n in (1, 2, 3))
i64_1, i64_2, i64_3 = (_view("int64", n) for n in (1, 2, 3))
f64_1, f64_2 = (_view("float64", n) for n in (1, 2))
boo_2 = _view("boolean", 2)
u64_1 = _view("uint64", 1)
