"""The machine code between Python and a kernel: arguments checked and unpacked, the interpreter lock released.

numba's own does the same, but cannot be loaded without numba. Python calls this by its fastest protocol. An argument
of the wrong kind is a TypeError: nothing is converted but numbers, nothing is compiled in silence.

A kernel takes memory for arrays of its own from numba's runtime, which is part of numba. Where that is all that it
wants of it, the two functions in question are supplied here.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.core.runtime import nrtdynmod
from numba.np.arrayobj import populate_array

from territory.compiled.native import ENTRY, target

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["parts_of", "wrapper_of"]

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_F64: Final = ir.DoubleType()
_PTR: Final = _I8.as_pointer()
#: Of an object: a counter and a type; the type is last.
_HEAD: Final = object.__basicsize__
#: Where numpy keeps what of an array, and of its type of elements.
_DATA, _NDIM, _SHAPE, _DESCR, _FLAGS = (_HEAD + x for x in (0, 8, 16, 40, 48))
_KIND, _ORDER, _SIZE = (_HEAD + x for x in (8, 10, 24))
#: C-contiguous, aligned, writeable.
_SOUND: Final = 0x0001 | 0x0100 | 0x0400
_ALLOCATE: Final = "NRT_MemInfo_alloc_aligned"
_RELEASE: Final = "NRT_MemInfo_call_dtor"
#: How numba begins what it allocates: counter, destructor and its argument, where the data are, their size.
_MEMORY: Final = ir.LiteralStructType([_I64, _PTR, _PTR, _PTR, _I64])
_PAST: Final = 64


def wrapper_of(
    made: Any, name: str, outside: Sequence[str], *, for_python: bool
) -> tuple[bytes, frozenset[str]]:  # fmt: skip
    """Return machine code beside that of a kernel, and what it supplies of numba's runtime.

    Parameters
    ----------
    made : numba's CompileResult
    name : str
        For error messages.
    outside : sequence of str
        Functions that the kernel calls.
    for_python : bool
        Whether Python calls it.
    """
    module = cpu_target.target_context.create_module(f"{name}.wrapper")
    runtime = frozenset(x for x in outside if x.startswith("NRT_"))
    ours = frozenset({_ALLOCATE, _RELEASE})
    supplied = ours if runtime <= ours and _layout_known() else frozenset()
    if supplied:
        _allocate(module)
        _release(module)
    if for_python:
        _Entry(module, made, name).write()
    text = binding.parse_assembly(str(module))
    text.verify()
    return target(features=True).emit_object(text), supplied


def parts_of(kind: Any) -> list[Any]:
    """Return the types in a type of tuples; of another one none."""
    parts: Any = kind if isinstance(kind, types.BaseTuple) else ()
    return list(parts)


def _layout_known() -> bool:
    """Whether numba's memory blocks begin as they did when this was written."""
    own = getattr(nrtdynmod, "_meminfo_struct_type", None)
    return [str(x) for x in getattr(own, "elements", ())] == [str(x) for x in _MEMORY.elements]


def _allocate(module: Any) -> None:
    function = ir.Function(module, ir.FunctionType(_PTR, [_I64, _I32]), _ALLOCATE)
    size, align = function.args
    builder = ir.IRBuilder(function.append_basic_block())
    align = builder.zext(align, _I64)
    with cgutils.if_unlikely(builder, builder.icmp_unsigned(">", size, _I64(1 << 62))):
        builder.ret(_PTR(None))
    malloc = cgutils.get_or_insert_function(module, ir.FunctionType(_PTR, [_I64]), "PyMem_RawMalloc")
    block = builder.call(malloc, [builder.add(builder.add(size, align), _I64(_PAST))])
    with cgutils.if_unlikely(builder, cgutils.is_null(builder, block)):
        builder.ret(_PTR(None))
    # the next multiple of a power of two
    past = builder.add(builder.ptrtoint(block, _I64), builder.add(align, _I64(_PAST - 1)))
    data = builder.inttoptr(builder.and_(past, builder.neg(align)), _PTR)
    fields = builder.bitcast(block, _MEMORY.as_pointer())
    for k, value in enumerate((_I64(1), _PTR(None), _PTR(None), data, size)):
        builder.store(value, cgutils.gep_inbounds(builder, fields, 0, k))
    builder.ret(block)


def _release(module: Any) -> None:
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_PTR]), _RELEASE)
    builder = ir.IRBuilder(function.append_basic_block())
    free = cgutils.get_or_insert_function(module, ir.FunctionType(ir.VoidType(), [_PTR]), "PyMem_RawFree")
    builder.call(free, function.args)
    builder.ret_void()


class _Entry:
    """The function that Python calls: its ``self`` is numpy.ndarray, its arguments come as an array of objects."""

    def __init__(self, module: Any, made: Any, name: str) -> None:
        _probe()
        self.module, self.signature, self.own, self.name = module, made.signature, made.fndesc.llvm_func_name, name
        function = ir.Function(module, ir.FunctionType(_PTR, [_PTR, _PTR.as_pointer(), _I64]), ENTRY)
        self.ndarray, self.given, self.n_given = function.args
        self.builder = ir.IRBuilder(function.append_basic_block())
        self.context: Any = cpu_target.target_context

    def write(self) -> None:
        builder, signature = self.builder, self.signature
        count = len(signature.args)
        self._refuse(
            builder.icmp_unsigned("!=", self.n_given, _I64(count)), f"{self.name}() takes {count} arguments"
        )  # fmt: skip
        values = []
        for i, kind in enumerate(signature.args):
            what = builder.load(builder.gep(self.given, [_I64(i)]))
            plain = isinstance(kind, types.Array) and kind.layout == "C"
            values.append(self._array(what, kind, i) if plain else self._number(what, kind))
        saved = self._call(_PTR, "PyEval_SaveThread")
        convention = self.context.call_conv
        kind = convention.get_function_type(signature.return_type, signature.args)
        kernel = cgutils.get_or_insert_function(self.module, kind, self.own)
        status, found = convention.call_function(builder, kernel, signature.return_type, signature.args, values)
        self._call(ir.VoidType(), "PyEval_RestoreThread", saved)
        self._refuse(status.is_error, f"{self.name}() ran out of memory", "MemoryError")
        builder.ret(self._boxed(found))

    def _call(self, result: Any, name: str, *arguments: Any) -> Any:
        kind = ir.FunctionType(result, [x.type for x in arguments])
        return self.builder.call(cgutils.get_or_insert_function(self.module, kind, name), arguments)

    def _refuse(self, wrong: Any, why: str, error: str = "TypeError") -> None:
        with cgutils.if_unlikely(self.builder, wrong):
            text = self.context.insert_const_string(self.module, why)
            kind = _outside(self.module, f"territory.{error}", _I8)
            self._call(ir.VoidType(), "PyErr_SetString", kind, text)
            self.builder.ret(_PTR(None))

    def _field(self, what: Any, offset: int, kind: Any) -> Any:
        where = self.builder.gep(what, [_I64(offset)])
        return self.builder.load(self.builder.bitcast(where, kind.as_pointer()))

    def _array(self, what: Any, kind: Any, i: int) -> Any:
        builder, dtype = self.builder, np.dtype(str(kind.dtype))
        message = (
            f"{self.name}() takes as argument {i + 1} an array of {dtype.name} of {kind.ndim} dimensions, "
            f"C-contiguous, aligned and writeable"
        )
        own = self._field(what, _HEAD - 8, _PTR)
        with cgutils.if_unlikely(builder, builder.icmp_unsigned("!=", own, self.ndarray)):
            derived = self._call(_I32, "PyType_IsSubtype", own, self.ndarray)
            self._refuse(builder.icmp_unsigned("==", derived, _I32(0)), message)
        descr = self._field(what, _DESCR, _PTR)
        order = self._field(descr, _ORDER, _I8)
        sound = [
            builder.icmp_unsigned("==", self._field(what, _NDIM, _I32), _I32(kind.ndim)),
            builder.icmp_unsigned(
                "==", builder.and_(self._field(what, _FLAGS, _I32), _I32(_SOUND)), _I32(_SOUND)
            ),
            builder.icmp_unsigned("==", self._field(descr, _KIND, _I8), _I8(ord(dtype.kind))),
            builder.icmp_unsigned("==", self._field(descr, _SIZE, _I64), _I64(dtype.itemsize)),
            builder.or_(
                builder.icmp_unsigned("==", order, _I8(ord("="))), builder.icmp_unsigned("==", order, _I8(ord("|")))
            ),
        ]  # fmt: skip
        right = sound[0]
        for each in sound[1:]:
            right = builder.and_(right, each)
        self._refuse(builder.not_(right), message)
        lengths = self._field(what, _SHAPE, _I64.as_pointer())
        shape = [builder.load(builder.gep(lengths, [_I64(d)])) for d in range(kind.ndim)]
        strides = [_I64(dtype.itemsize)]
        for length in shape[:0:-1]:
            strides.insert(0, builder.mul(strides[0], length))
        array = self.context.make_array(kind)(self.context, builder)
        data = builder.bitcast(self._field(what, _DATA, _PTR), array.data.type)
        populate_array(array, data=data, shape=shape, strides=strides, itemsize=_I64(dtype.itemsize), meminfo=None)
        return array._getvalue()  # noqa: SLF001 - the one way to it

    def _number(self, what: Any, kind: Any) -> Any:
        builder = self.builder
        if kind == types.int64:
            value = self._call(_I64, "PyLong_AsLongLong", what)
            odd = builder.icmp_signed("==", value, _I64(-1))
        elif kind in (types.float64, types.boolean):
            value = self._call(_F64, "PyFloat_AsDouble", what)
            odd = builder.fcmp_ordered("==", value, _F64(-1.0))
        else:
            msg = f"{self.name}: Python gives a kernel i8, f8, b1 and C-contiguous arrays, not {kind}"
            raise TypeError(msg)
        with cgutils.if_unlikely(builder, odd):
            error = self._call(_PTR, "PyErr_Occurred")
            with cgutils.if_unlikely(builder, cgutils.is_not_null(builder, error)):
                builder.ret(_PTR(None))
        return builder.fcmp_unordered("!=", value, _F64(0.0)) if kind == types.boolean else value

    def _boxed(self, found: Any) -> Any:
        """Return what Python gets; an array as its lengths and its bytes."""
        builder, result = self.builder, self.signature.return_type
        kinds = parts_of(result)
        if kinds:
            parts = cgutils.unpack_tuple(builder, found, len(kinds))
            boxed = [x for part, kind in zip(parts, kinds, strict=True) for x in self._box(part, kind)]
        else:
            boxed = self._box(found, result)
            if not isinstance(result, types.Array):
                return boxed[0]
        whole = self._call(_PTR, "PyTuple_New", _I64(len(boxed)))
        missing = cgutils.is_null(builder, whole)
        for each in boxed:
            missing = builder.or_(missing, cgutils.is_null(builder, each))
        with cgutils.if_unlikely(builder, missing):
            # out of memory, and already said so: what there is of it is lost
            builder.ret(_PTR(None))
        for k, each in enumerate(boxed):
            self._call(_I32, "PyTuple_SetItem", whole, _I64(k), each)
        return whole

    def _box(self, value: Any, kind: Any) -> list[Any]:
        builder = self.builder
        if isinstance(kind, types.Array):
            array = self.context.make_array(kind)(self.context, builder, value)
            lengths = cgutils.unpack_tuple(builder, array.shape, kind.ndim)
            size = builder.mul(array.nitems, array.itemsize)
            text = self._call(_PTR, "PyByteArray_FromStringAndSize", builder.bitcast(array.data, _PTR), size)
            self._drop(array.meminfo)
            return [*(self._call(_PTR, "PyLong_FromLongLong", x) for x in lengths), text]
        if kind == types.none:
            nothing = _outside(self.module, "territory.None", _I8)
            self._call(ir.VoidType(), "Py_IncRef", nothing)
            return [nothing]
        if kind == types.boolean:
            return [self._call(_PTR, "PyBool_FromLong", builder.zext(value, _I64))]
        if kind == types.float64:
            return [self._call(_PTR, "PyFloat_FromDouble", value)]
        if kind == types.int64:
            return [self._call(_PTR, "PyLong_FromLongLong", value)]
        msg = f"{self.name}: a kernel gives Python int64, float64, boolean, arrays of them, or nothing, not {kind}"
        raise TypeError(msg)

    def _drop(self, block: Any) -> None:
        """Let go of memory; an array that came from Python has none of its own."""
        builder = self.builder
        with builder.if_then(cgutils.is_not_null(builder, block)):
            count = builder.bitcast(block, _I64.as_pointer())
            before = builder.atomic_rmw("sub", count, _I64(1), "acq_rel")
            with builder.if_then(builder.icmp_unsigned("==", before, _I64(1))):
                self._call(ir.VoidType(), _RELEASE, block)


def _outside(module: Any, name: str, kind: Any) -> Any:
    """Return a variable of another library."""
    found = module.globals.get(name)
    if found is None:
        found = ir.GlobalVariable(module, kind, name)
        found.linkage = "external"
    return found


def _probe() -> None:
    """Make sure that numpy keeps arrays as is assumed here."""

    def read(address: int, offset: int, kind: Any) -> Any:
        return kind.from_address(address + offset).value

    for array in (np.zeros((3, 5)), np.zeros((2, 1, 4), np.int32)[:, :, 1], np.zeros(7, np.bool_)):
        at = id(array)
        descr = read(at, _DESCR, ctypes.c_void_p)
        shape = read(at, _SHAPE, ctypes.c_void_p)
        seen = (
            read(at, _HEAD - 8, ctypes.c_void_p), read(at, _DATA, ctypes.c_void_p), read(at, _NDIM, ctypes.c_int),
            [read(shape, 8 * d, ctypes.c_int64) for d in range(array.ndim)], read(at, _FLAGS, ctypes.c_int) & _SOUND,
            read(descr, _KIND, ctypes.c_char), read(descr, _ORDER, ctypes.c_char), read(descr, _SIZE, ctypes.c_int64),
        )  # fmt: skip
        contiguous = _SOUND if array.flags.c_contiguous else _SOUND - 1
        meant = (
            id(np.ndarray), array.__array_interface__["data"][0], array.ndim, list(array.shape), contiguous,
            array.dtype.kind.encode(), array.dtype.byteorder.encode(), array.dtype.itemsize,
        )  # fmt: skip
        if seen != meant:
            msg = "numpy keeps arrays in another way than this version of territory knows"
            raise ImportError(msg)
