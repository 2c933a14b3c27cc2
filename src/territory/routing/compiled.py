"""How kernels are compiled: once a machine, cached on disk, without holding the interpreter lock."""

from __future__ import annotations

import hashlib
import logging
import os
from functools import cache
from pathlib import Path
from typing import Any, Final

import numba
from numba.misc.appdirs import AppDirs

__all__ = ["announce", "inner", "jit", "kernel"]


def _forget_stale() -> None:
    """Delete compiled kernels of other sources: numba looks at a kernel's own file only, not at those it calls."""
    here = Path(__file__).parent
    sources = hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        text = path.read_bytes()
        # kernels, and the constants that they hold
        if b"routing.compiled import" in text or path.parent.name in ("search", "exact") or path.name == "slots.py":
            sources.update(text)
    stamp = here / "__pycache__" / "kernels.sha256"
    try:
        if stamp.exists() and stamp.read_text(encoding="ascii") == sources.hexdigest():
            return
        for path in here.rglob("*.nb[ic]"):
            path.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(sources.hexdigest(), encoding="ascii")
    except OSError:
        # a read-only installation: numba keeps its cache elsewhere, under a name made from this path
        return


_forget_stale()

#: Untyped: its overloads leave out options that it has.
_njit: Any = numba.njit
_OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy"}

#: Decorator of small kernels, compiled for each kind of arguments. The cache lies beside the source,
#: or in the user's cache folder where that is read-only; error_model="numpy" leaves out a test for
#: division by zero in each division.
jit: Final[Any] = _njit(**_OPTIONS)


def kernel(arguments: str) -> Any:
    """Return a decorator of a kernel with arguments of given types, for Python and for other kernels.

    Without types a kernel is compiled anew for every mixture of int32 and int64 that it is called with.

    Parameters
    ----------
    arguments : str
        Types as numba writes them, e.g. ``"i8[::1], i8, f8"``.
    """
    return _njit(f"({arguments},)", no_cfunc_wrapper=True, **_OPTIONS)


def inner(arguments: str) -> Any:
    """Return a decorator of a kernel that only other kernels call; a call from Python crashes.

    Without the wrapper for Python it compiles in half the time.

    Parameters
    ----------
    arguments : str
        As for `kernel`.
    """
    return _njit(f"({arguments},)", no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)


@cache
def announce() -> None:
    """Say so, once, if the kernels still have to be compiled on this machine."""
    here = Path(__file__).parent / "search" / "__pycache__"
    elsewhere = os.environ.get("NUMBA_CACHE_DIR") or AppDirs(appname="numba", appauthor=False).user_cache_dir
    found = any(here.glob("anneal.anneal-*.nbi")) or any(Path(elsewhere).rglob("anneal.anneal-*.nbi"))
    if not found:
        logging.getLogger("territory").warning(
            "compiling the routing engine for this machine, once: about half a minute"
        )
