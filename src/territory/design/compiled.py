"""How kernels are compiled: once a machine, cached on disk, without holding the interpreter lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["inner", "kernel", "leaf"]

#: Untyped: its overloads leave out options that it has.
_njit: Any = numba.njit
#: error_model="numpy" leaves out a test for division by zero in each division.
_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy"}

#: Decorator of small kernels that become part of those that call them.
leaf: Final[Any] = _njit(**_OPTIONS)


def kernel(arguments: str) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator of a kernel with arguments of given types, as numba writes them."""
    decorate: Callable[[Callable[..., Any]], Any] = _njit(f"({arguments},)", cache=True, **_OPTIONS)
    return decorate


#: Decorator of a kernel that only other kernels call.
inner = kernel
