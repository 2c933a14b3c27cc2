"""Machine code of kernels, loaded into this process without numba, and called from Python or by other kernels."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from llvmlite import binding

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ENTRY", "KNOWN", "Code", "Kernel", "complete", "load", "machine"]

#: All that numba has to be told of before it compiles a kernel.
KNOWN: Final[list[Any]] = []
#: The function that Python calls.
ENTRY: Final = "territory_entry"
_METH_FASTCALL: Final = 0x80
#: Of C's and Python's own libraries, for those to whom the linker does not show them.
_PYTHON: Final = (
    "PyBool_FromLong", "PyByteArray_FromStringAndSize", "PyErr_Occurred", "PyErr_SetString", "PyEval_RestoreThread",
    "PyEval_SaveThread", "PyFloat_AsDouble", "PyFloat_FromDouble",
    "PyLong_AsLongLong", "PyLong_FromLongLong", "PyMem_RawFree", "PyMem_RawMalloc", "PyTuple_New", "PyTuple_SetItem",
    "PyType_IsSubtype", "Py_DecRef", "Py_IncRef",
)  # fmt: skip


class Code(NamedTuple):
    """A compiled kernel, as it is kept on disk.

    Attributes
    ----------
    symbol : str
        By which other kernels call it.
    own : str
        Its name in its machine code.
    arguments, result : str
        Types as numba reads them.
    arrays : sequence of (str, int) or None
        For Python, of what it returns: dtype and dimensions of arrays, None for numbers.
    needs : sequence of str
        Symbols of other kernels, and of numba's own library, that must be there.
    for_python : bool
    objects : sequence of bytes
        Machine code as compilers write it, to be linked.
    """

    symbol: str
    own: str
    arguments: str
    result: str
    arrays: tuple[tuple[str, int] | None, ...]
    needs: tuple[str, ...]
    for_python: bool
    objects: tuple[bytes, ...]


class Kernel:
    """A kernel in this process.

    Attributes
    ----------
    symbol, arguments, result : str
        As in `Code`.
    address : int
        By which other kernels may call it, too.
    function : callable
        For Python; of a kernel for other kernels only it is the kernel itself.
    """

    __slots__ = ("__weakref__", "address", "arguments", "function", "result", "symbol")

    def __init__(self, code: Code, address: int) -> None:
        self.symbol, self.arguments, self.result, self.address = code.symbol, code.arguments, code.result, address
        self.function: Any = self

    def __call__(self, *_arguments: Any) -> Any:
        """Refuse to be called from Python."""
        msg = f"only kernels call {self.symbol}"
        raise TypeError(msg)


class _Method(ctypes.Structure):
    """What Python knows a function in C by."""

    _fields_ = (
        ("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    )  # fmt: skip


_FUNCTION: Final = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_Method), ctypes.py_object, ctypes.py_object)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)
#: They must outlast the functions.
_METHODS: Final[list[_Method]] = []


@cache
def machine() -> Any:
    """Return the kind of machine that code is loaded for, prepared for that."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    for name in _PYTHON:
        binding.add_symbol(name, ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name)))
    # names of our own: numba has others' stand for something else
    for thing in (TypeError, MemoryError, None):
        binding.add_symbol(f"territory.{getattr(thing, '__name__', thing)}", id(thing))
    return binding.Target.from_triple(binding.get_process_triple())


def target(*, features: bool = False) -> Any:
    """Return a target of code for this process; `features`: of this very processor."""
    kind = machine()
    reloc = "static" if kind.name.startswith("x86") else "default"
    named = {"cpu": binding.get_host_cpu_name(), "features": binding.get_host_cpu_features().flatten()}
    return kind.create_target_machine(reloc=reloc, codemodel="jitdefault", jit=True, **(named if features else {}))


def complete(code: Code) -> bool:
    """Return whether all that a kernel calls is in this process; of numba's library it may bring that."""
    machine()
    if all(map(binding.address_of_symbol, code.needs)):
        return True
    if not any(name.startswith(("NRT_", "numba_")) for name in code.needs):
        return False
    from territory.compiled import build  # noqa: PLC0415 - numba is slow to load

    build.prepare()
    return all(map(binding.address_of_symbol, code.needs))


def load(code: Code, function: Callable[..., Any]) -> Kernel:
    """Return a kernel, ready to be called.

    Parameters
    ----------
    code : Code
        A complete one: the linker ends the process where a symbol is missing.
    function : callable
        Its source.
    """
    # an engine each: names of what numba put into their code may be the same
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target())
    for text in code.objects:
        engine.add_object_file(binding.ObjectFileRef.from_data(text))
    found = Kernel(code, engine.get_function_address(code.own))
    binding.add_symbol(code.symbol, found.address)
    if code.for_python:
        found.function = _for_python(code, function, engine.get_function_address(ENTRY))
    # the code stays until the process has ended: threads may run it longer than Python's modules last
    engine.detach()
    KNOWN.append(found)
    return found


def _for_python(code: Code, function: Callable[..., Any], address: int) -> Callable[..., Any]:
    doc = (function.__doc__ or "").encode()
    method = _Method(function.__name__.encode(), address, _METH_FASTCALL, doc)
    _METHODS.append(method)
    # its self: what it compares the type of its arguments with
    entry: Callable[..., Any] = _FUNCTION(ctypes.byref(method), np.ndarray, function.__module__)
    if not any(code.arrays):
        return entry
    arrays = code.arrays

    def call(*arguments: Any) -> Any:
        found = iter(entry(*arguments))
        made = [
            next(found) if kind is None else np.ndarray([next(found) for _ in range(kind[1])], kind[0], next(found))
            for kind in arrays
        ]
        return made[0] if code.result[-1] == "]" else tuple(made)

    return call
