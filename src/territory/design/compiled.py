"""How the kernels of territory design are compiled: cached on disk, without holding the interpreter lock."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numba
from numba.core import sigutils

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kernel", "leaf"]

#: Untyped: its overloads leave out options that it has.
_njit: Any = numba.njit
#: error_model="numpy" leaves out a test for division by zero in each division.
_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy"}


def _digest() -> str:
    """Return a digest of the sources of all kernels: what other sources left in a cache must not be used."""
    sources = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        text = path.read_bytes()
        if b"design.compiled import" in text or path.name == "moves_layout.py":
            sources.update(text)
    return sources.hexdigest()[:16]


_DIGEST: Final = _digest()

#: Decorator of small kernels that become part of those that call them.
leaf: Final[Any] = _njit(**_OPTIONS)


def kernel(arguments: str) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator of a kernel with arguments of given types, for Python and for other kernels.

    Parameters
    ----------
    arguments : str
        Types as numba writes them, e.g. ``"i8[::1], i8, f8"``.
    """
    types, _ = sigutils.normalize_signature(f"({arguments},)")

    def compiled(function: Callable[..., Any]) -> Any:
        # after this numba names the files on disk
        function.__qualname__ += f".{_DIGEST}"
        try:
            return _njit([types], cache=True, **_OPTIONS)(function)
        except RuntimeError:
            # no folder to write to: compiled anew in every process
            return _njit([types], **_OPTIONS)(function)

    return compiled
