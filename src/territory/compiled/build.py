"""numba: compiles kernels, and learns here how they call each other."""

from __future__ import annotations

import ctypes
import dis
import inspect
import sys
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numba
from llvmlite import binding
from numba.core import cgutils, sigutils, types
from numba.core.registry import cpu_target
from numba.core.runtime import nrt
from numba.extending import lower_builtin, type_callable, typeof_impl

from territory.compiled import Later, native
from territory.compiled.native import Code, Kernel
from territory.compiled.wrapper import parts_of, wrapper_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["by_address", "compiled", "dispatcher", "prepare"]

#: error_model="numpy" leaves out a test for division by zero in each division.
_OPTIONS: Final[dict[str, Any]] = {
    "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "no_cpython_wrapper": True,
}  # fmt: skip
#: What numba made in place of those that were made later.
_MADE: Final[dict[int, Any]] = {}
#: Threads may import modules of kernels side by side.
_ONE: Final = threading.RLock()


@cache
def prepare() -> None:
    """Bring numba's own library into this process."""
    nrt.rtsys.initialize(cpu_target.target_context)


def dispatcher(function: Callable[..., Any]) -> Any:
    """Return numba's form of a function."""
    if any(step.opname == "RAISE_VARARGS" for step in dis.get_instructions(function)):
        msg = f"{function.__qualname__}: a kernel raises nothing, nobody could tell what"
        raise TypeError(msg)
    njit: Any = numba.njit
    return njit(**_OPTIONS)(function)


def compiled(function: Callable[..., Any], arguments: str, symbol: str, *, for_python: bool) -> Code:
    """Compile a kernel.

    Parameters
    ----------
    function : callable
    arguments : str
        Types as numba writes them.
    symbol : str
        By which other kernels will call it.
    for_python : bool
        Whether Python calls it, too.

    Returns
    -------
    Code
    """
    with _ONE:
        return _compiled(function, arguments, symbol, for_python=for_python)


def _compiled(function: Callable[..., Any], arguments: str, symbol: str, *, for_python: bool) -> Code:
    prepare()
    native.machine()
    _introduce()
    takes, _ = sigutils.normalize_signature(f"({arguments},)")
    mine = dispatcher(function)
    mine.compile(takes)
    made = mine.overloads[takes]
    # only then numba lets go of the machine code
    made.library.get_pointer_to_function(made.fndesc.llvm_func_name)
    text, bitcode = made.library.serialize_using_object_code()[2]
    outside = [f.name for f in binding.parse_bitcode(bitcode).functions if f.is_declaration]
    result: Any = made.signature.return_type
    return_types = parts_of(result) or [result]
    wrapper, supplied = wrapper_of(made, function.__name__, outside, for_python=for_python)
    arrays = tuple((str(t.dtype), t.ndim) if isinstance(t, types.Array) else None for t in return_types)
    return Code(
        symbol=symbol, own=made.fndesc.llvm_func_name, arguments=arguments, result=_spelt(result), arrays=arrays,
        needs=tuple(sorted(x for x in outside if x not in supplied and not _everywhere(x))),
        for_python=for_python, objects=(text, wrapper),
    )  # fmt: skip


def by_address(arguments: str) -> Any:
    """Return a function for kernels that calls a kernel without a result by its address, the first argument."""

    def call(*_arguments: Any) -> None: ...

    def callee(builder: Any, kind: Any, given: Any) -> Any:
        return builder.inttoptr(given[0], kind.as_pointer())

    takes, nothing = sigutils.normalize_signature(f"void(i8, {arguments})")
    _callable(call, nothing(*takes), callee, own=slice(1, None))
    return call


@typeof_impl.register(Later)
def _typeof(value: Later, _context: Any) -> Any:
    return cpu_target.typing_context.resolve_value_type(_MADE[id(value)])


def _introduce() -> None:
    """Tell numba of all kernels that a new one might call, and make what was to be made later."""
    while native.KNOWN:
        new = native.KNOWN.pop(0)
        if isinstance(new, Kernel):
            _introduce_kernel(new)
        else:
            _MADE[id(new)] = new.make()
            # as long as its id is
            _MADE[-id(new)] = new


def _introduce_kernel(new: Kernel) -> None:
    def callee(builder: Any, kind: Any, _given: Any) -> Any:
        return cgutils.get_or_insert_function(builder.module, kind, new.symbol)

    takes, result = sigutils.normalize_signature(f"{new.result}({new.arguments},)")
    _callable(new.function, result(*takes), callee)


def _callable(
    function: Callable[..., Any], signature: Any, callee: Callable[..., Any], *, own: slice = slice(None)
) -> None:  # fmt: skip
    """Tell numba how kernels call another one, which gets the arguments `own`."""

    def typing(_context: Any) -> Any:
        def types_of(*_arguments: Any) -> Any:
            return signature

        named = [inspect.Parameter(f"a{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(len(signature.args))]
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
    lower_builtin(function, *signature.args)(code)


def _spelt(kind: Any) -> str:
    """Return a type as numba reads it."""
    if isinstance(kind, types.Array):
        return f"{_spelt(kind.dtype)}[{', '.join([':'] * (kind.ndim - 1) + ['::1'])}]"
    parts = parts_of(kind)
    if parts:
        return f"Tuple(({''.join(f'{_spelt(x)}, ' for x in parts)}))"
    return "boolean" if kind == types.boolean else str(kind)


@cache
def _everywhere(name: str) -> bool:
    """Return whether a function is there in any process: of C's or Python's library, or code that LLVM makes."""
    if name.startswith("llvm."):
        return True
    if name.startswith(("NRT_", "numba_", "territory.")):
        return False
    return hasattr(ctypes.pythonapi, name) or hasattr(_c_library(), name)


@cache
def _c_library() -> Any:
    return ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
