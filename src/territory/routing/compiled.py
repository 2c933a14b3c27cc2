"""How kernels are compiled: once a machine, cached on disk, without holding the interpreter lock."""

from __future__ import annotations

from typing import Any, Final

import numba

__all__ = ["jit", "kernel"]

_OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy"}

#: Decorator of small kernels, compiled for each kind of arguments. The cache lies beside the source,
#: or in the user's cache folder where that is read-only; error_model="numpy" leaves out a test for
#: division by zero in each division.
jit: Final[Any] = numba.njit(**_OPTIONS)


def kernel(arguments: str, *, entry: bool = False) -> Any:
    """Return a decorator of a kernel with arguments of given types.

    Without them a kernel is compiled anew for every mixture of int32 and int64 that it is called with.

    Parameters
    ----------
    arguments : str
        Types as numba writes them, e.g. ``"i8[::1], i8, f8"``.
    entry : bool
        Whether Python calls it, and not only other kernels: that takes a wrapper to compile.
    """
    return numba.njit(f"({arguments},)", no_cpython_wrapper=not entry, no_cfunc_wrapper=True, **_OPTIONS)
