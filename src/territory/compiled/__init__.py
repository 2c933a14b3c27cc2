"""Kernels: functions compiled once a machine, kept on disk, and run without holding the interpreter lock.

numba compiles them, which takes seconds, and is slow even to import. So what it made is kept, a file a kernel, in a
form that later processes load and call without numba:

    files     where the files are, what they are named after, and that they are whole
    native    machine code loaded into this process, and called from Python
    build     numba: machine code of a kernel, and what numba has to know of the others
    wrapper   the machine code between Python and a kernel

numba puts all that a kernel calls into the kernel's own code. Of big kernels that call each other most is then
compiled, stored and loaded many times over. So a `kernel` is compiled apart, and others call it like a function of a
shared library: by a symbol that is known before they are compiled or loaded. A `leaf` is small and becomes part of
the kernels that call it; where these are on disk, it is not compiled at all.

A kernel must never meet another version of what it holds or calls. So its file and its symbol are named after a
digest of the sources of its package (``territory.routing``, say): of all that mention ``territory.compiled``, which
a source must do, in its docstring if nowhere else, that holds constants for kernels.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.compiled import files, native

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from territory.compiled.native import Code

__all__ = ["Later", "by_address", "inner", "kernel", "leaf", "plain"]


class Later:
    """What kernels use and only numba can make, made when the first kernel has to be compiled.

    Parameters
    ----------
    make : callable
        Imports numba, and returns what stands for this in a kernel.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
        native.KNOWN.append(self)

    def __call__(self, *_arguments: Any) -> Any:
        """Refuse to be called from Python."""
        msg = "only kernels call this: numba puts code in its place"
        raise TypeError(msg)


class _Leaf(Later):
    def __init__(self, function: Callable[..., Any]) -> None:
        def make() -> Any:
            from territory.compiled import build  # noqa: PLC0415 - numba is slow to load

            return build.dispatcher(function)

        super().__init__(make)
        self.py_func = function


def leaf(function: Callable[..., Any]) -> Any:
    """Return a small function that becomes part of the kernels that call it; Python calls its ``py_func``."""
    return _Leaf(function)


def kernel(arguments: str) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator of a kernel with arguments of given types, for Python and for other kernels.

    Python gets back numbers, or a tuple of numbers and arrays. The one error of a kernel is that memory ran out.

    Parameters
    ----------
    arguments : str
        Types as numba writes them: ``i8``, ``f8``, ``b1`` and C-contiguous arrays, e.g. ``"i8[::1], i8, f8"``.
    """
    return lambda function: _loaded(function, arguments, for_python=True).function


def inner(arguments: str) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator of a kernel that only other kernels call.

    Parameters
    ----------
    arguments : str
        As for `kernel`; any type that numba knows.
    """
    return lambda function: _loaded(function, arguments, for_python=False)


def plain(array: Any, dtype: Any = None) -> NDArray[Any]:
    """Return an array as kernels take it, C-contiguous and writeable; a copy where it is not, as of a frozen one."""
    return np.require(array, dtype, ["C", "A", "W"])


def by_address(arguments: str) -> Any:
    """Return a function for kernels that calls an `inner` kernel without a result by its address, the first argument.

    So kernels that few problems need are neither compiled nor loaded for the others.

    Parameters
    ----------
    arguments : str
        As for `inner`, without the address.
    """

    def make() -> Any:
        from territory.compiled import build  # noqa: PLC0415 - numba is slow to load

        return build.by_address(arguments)

    return Later(make)


def _loaded(function: Callable[..., Any], arguments: str, *, for_python: bool) -> native.Kernel:
    """Return a kernel from its file, or compile it and write the file."""
    place = files.place_of(function)
    code = files.read(place)
    if code is None or not native.complete(code):
        _announce(place.scope)
        code = _compiled(function, arguments, place.symbol, for_python=for_python)
        files.write(place, code)
    return native.load(code, function)


def _compiled(function: Callable[..., Any], arguments: str, symbol: str, *, for_python: bool) -> Code:
    from territory.compiled import build  # noqa: PLC0415 - numba is slow to load

    return build.compiled(function, arguments, symbol, for_python=for_python)


@cache
def _announce(scope: str) -> None:
    """Say that kernels have to be compiled on this machine."""
    logging.getLogger("territory").warning(
        "compiling the %s engine for this machine, once: up to half a minute", scope
    )  # fmt: skip
