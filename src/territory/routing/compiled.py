"""How kernels are compiled: once a machine, cached on disk, without holding the interpreter lock."""

from __future__ import annotations

from typing import Any, Final

import numba

__all__ = ["jit"]

#: Decorator of every kernel. The cache lies beside the source, or in the user's cache folder where
#: that is read-only; error_model="numpy" leaves out a test for division by zero in each division.
jit: Final[Any] = numba.njit(cache=True, nogil=True, error_model="numpy")
