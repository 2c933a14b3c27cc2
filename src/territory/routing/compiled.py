"""How kernels are compiled: once a machine, cached on disk, without holding the interpreter lock.

numba puts all that a kernel calls into the kernel's own code, optimises that, and keeps it on disk. Of big kernels
that call each other most is then compiled, stored and loaded many times over. So a `kernel` is compiled apart, and
others call it like a function of a shared library: by a symbol that is known before they are compiled or loaded. A
`leaf` is small and becomes part of the kernels that call it; where these are on disk, it is not compiled at all.

A kernel must never meet another version of what it holds or calls. So its file on disk and its symbol are named
after a digest of all sources: what other sources left in a cache is not looked at, and gets deleted.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
from contextlib import suppress
from functools import cache, update_wrapper
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Final

import numba
from llvmlite import binding
from numba.core import cgutils, sigutils
from numba.extending import lower_builtin, type_callable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["by_address", "inner", "kernel", "leaf"]


def _digest() -> str:
    """Return a digest of the sources of all kernels, and of the constants that they hold."""
    sources = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        text = path.read_bytes()
        if b"routing.compiled import" in text or path.name in ("slots.py", "state.py"):
            sources.update(text)
    return sources.hexdigest()[:16]


_DIGEST: Final = _digest()
#: Untyped: its overloads leave out options that it has.
_njit: Any = numba.njit
#: error_model="numpy" leaves out a test for division by zero in each division.
_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}

#: Decorator of small kernels that become part of those that call them; a call from Python crashes.
leaf: Final[Any] = _njit(no_cpython_wrapper=True, **_OPTIONS)


def kernel(arguments: str) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator of a kernel with arguments of given types, for Python and for other kernels.

    Parameters
    ----------
    arguments : str
        Types as numba writes them, e.g. ``"i8[::1], i8, f8"``.
    """
    return lambda function: _Kernel(function, arguments, for_python=True)


def inner(arguments: str) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator of a kernel that only other kernels call; a call from Python crashes.

    Without the wrapper for Python it compiles sooner.

    Parameters
    ----------
    arguments : str
        As for `kernel`.
    """
    return lambda function: _Kernel(function, arguments, for_python=False)


class _Kernel:
    """A function compiled apart, which other kernels call by its symbol."""

    def __init__(self, function: Callable[..., Any], arguments: str, *, for_python: bool) -> None:
        update_wrapper(self, function)
        symbol = f"{function.__module__}.{function.__qualname__}.{_DIGEST}"
        # after this numba names the files on disk
        function.__qualname__ += f".{_DIGEST}"
        try:
            self._call = _njit(cache=True, no_cpython_wrapper=not for_python, **_OPTIONS)(function)
        except RuntimeError:
            # no folder to write to: compiled anew in every process
            self._call = _njit(no_cpython_wrapper=not for_python, **_OPTIONS)(function)
        # an empty path: kept nowhere
        where = self._call.stats.cache_path
        folder, files = Path(where or "."), f"*.{function.__qualname__}-*.nb[ic]"
        if where:
            _forget_others(folder)
        if not where or not any(folder.glob(files)):
            _announce()
        types, _ = sigutils.normalize_signature(f"({arguments},)")
        try:
            self._call.compile(types)
        except (EOFError, UnpicklingError):
            # files that broke off, as on a disk that was full
            _forget(folder.glob(files))
            self._call.compile(types)
        compiled = self._call.overloads[types]
        self.address: int = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
        binding.add_symbol(symbol, self.address)

        def callee(builder: Any, kind: Any, _given: Any) -> Any:
            return cgutils.get_or_insert_function(builder.module, kind, symbol)

        _callable(self, compiled.signature, callee)

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


def by_address(arguments: str) -> Any:
    """Return a function for kernels that calls a kernel without a result by its address, the first argument.

    So kernels that few problems need are neither compiled nor loaded for the others.

    Parameters
    ----------
    arguments : str
        As for `kernel`, without the address.
    """

    def call(*_arguments: Any) -> None:
        msg = "only kernels call by address: numba puts code in place of this"
        raise TypeError(msg)

    def callee(builder: Any, kind: Any, given: Any) -> Any:
        return builder.inttoptr(given[0], kind.as_pointer())

    types, nothing = sigutils.normalize_signature(f"void(i8, {arguments})")
    _callable(call, nothing(*types), callee, own=slice(1, None))
    return call


def _callable(
    function: Callable[..., Any], types: Any, callee: Callable[..., Any], *, own: slice = slice(None)
) -> None:  # fmt: skip
    """Tell numba how kernels call another one, which gets the arguments `own`."""

    def typing(_context: Any) -> Any:
        def types_of(*_arguments: Any) -> Any:
            return types

        named = [inspect.Parameter(f"a{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(len(types.args))]
        types_of.pysig = inspect.Signature(named)  # type: ignore[attr-defined]
        return types_of

    def code(context: Any, builder: Any, called: Any, given: Any) -> Any:
        convention, result, takes = context.call_conv, called.return_type, called.args[own]
        to = callee(builder, convention.get_function_type(result, takes), given)
        status, value = convention.call_function(builder, to, result, takes, given[own])
        # out of memory, if anything
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return value

    type_callable(function)(typing)
    lower_builtin(function, *types.args)(code)


@cache
def _forget_others(folder: Path) -> None:
    """Delete compiled kernels of other sources."""
    _forget(path for path in folder.glob("*.nb[ic]") if f".{_DIGEST}-" not in path.name)


def _forget(files: Iterable[Path]) -> None:
    for path in files:
        # somebody else may own them, or be as quick
        with suppress(OSError):
            path.unlink()


@cache
def _announce() -> None:
    """Say that kernels have to be compiled on this machine."""
    logging.getLogger("territory").warning("compiling the routing engine for this machine, once: up to half a minute")
