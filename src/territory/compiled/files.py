"""Files of compiled kernels: where they are, what they are named after, and whether they are whole.

A file is looked for in ``__pycache__`` of the package, or, where nobody may write there, in the user's own cache;
``NUMBA_CACHE_DIR`` names a folder in place of both. Its name tells a digest of the sources, and one of the machine
and of the libraries: other ones have other files. It begins with a checksum of all that follows; a file that is
torn, or is another kernel's, is as good as none. It holds machine code: like the bytecode beside it, it is as
trustworthy as those who may write to its folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import llvmlite
import numpy as np
from llvmlite import binding

from territory.compiled.native import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Place", "place_of", "read", "write"]

_MAGIC: Final = b"territory kernel 1\n"
_SUFFIX: Final = ".kernel"
_ROOT: Final = Path(__file__).parents[1]
#: Settings of numba that say where and what it tells, not what it makes.
_ASIDE: Final = ("NUMBA_CACHE_DIR", "NUMBA_CACHE_LOCATOR_CLASSES", "NUMBA_DEBUG_CACHE", "NUMBA_NUM_THREADS")
_NUMBERS: Final = count()
#: Seconds after which a file that was never finished is nobody's.
_STALE_S: Final = 3600.0


class Place(NamedTuple):
    """Where a kernel is kept.

    Attributes
    ----------
    scope : str
        What is compiled together: a package of territory, or a module of somebody else's.
    symbol : str
        By which other kernels call it.
    folders : tuple of Path
        The first that has the file, or that can be written to.
    name, family : str
        Of the file, and how the names of all files of the scope begin.
    """

    scope: str
    symbol: str
    folders: tuple[Path, ...]
    name: str
    family: str


def place_of(function: Callable[..., object]) -> Place:
    """Return where the compiled form of a function is kept."""
    source = Path(function.__code__.co_filename)
    if not source.is_file():
        # typed in, or without sources: nobody can tell whether a file is of another version
        symbol = f"{function.__module__}.{function.__qualname__}.{os.getpid()}-{next(_NUMBERS)}"
        return Place(source.stem, symbol, (), "", "")
    ours = source.is_relative_to(_ROOT)
    top = _ROOT / source.relative_to(_ROOT).parts[0] if ours else source
    family = f"{_ROOT.name}.{top.stem}." if ours else f"{function.__module__}."
    symbol = f"{function.__module__}.{function.__qualname__}.{_digest(top)}"
    return Place(top.stem, symbol, _folders(top), f"{symbol}-{_machine()}{_SUFFIX}", family)


def read(place: Place) -> Code | None:
    """Return a kernel from its file; None: there is none, or none that can be used."""
    for folder in place.folders:
        with suppress(OSError, ValueError, KeyError, TypeError):
            code = _parsed((folder / place.name).read_bytes(), place.symbol)
            if code is not None:
                return code
    return None


def write(place: Place, code: Code) -> None:
    """Keep a kernel, where that is possible, and forget those of other sources."""
    header = {**code._asdict(), "objects": [len(x) for x in code.objects]}
    head = json.dumps(header).encode()
    text = b"".join([len(head).to_bytes(4, "little"), head, *code.objects])
    text = b"".join([_MAGIC, hashlib.sha256(text).digest(), text])
    for folder in place.folders:
        passing = folder / f"{place.name}.{os.getpid()}.{time.time_ns()}.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            passing.write_bytes(text)
            passing.replace(folder / place.name)
        except OSError:
            _forget([passing])
            continue
        _forget_others(folder, place.family, place.symbol.rpartition(".")[2])
        return


def _parsed(text: bytes, symbol: str) -> Code | None:
    at = len(_MAGIC) + 32
    body = text[at:]
    if text[:at] != _MAGIC + hashlib.sha256(body).digest():
        return None
    end = 4 + int.from_bytes(body[:4], "little")
    header = json.loads(body[4:end])
    objects = []
    for length in header.pop("objects"):
        objects.append(body[end : end + length])
        end += length
    code = Code(**header, objects=tuple(objects))
    return code if code.symbol == symbol else None


@cache
def _folders(top: Path) -> tuple[Path, ...]:
    """Return the folders for kernels of a package or module."""
    # installations must not take each other's files for outdated ones
    own = hashlib.sha256(os.fsencode(top)).hexdigest()[:16]
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return (Path(chosen) / f"{top.stem}_{own}",)
    beside = (top if top.is_dir() else top.parent) / "__pycache__"
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA", "~/AppData/Local")
    elif sys.platform == "darwin":
        home = "~/Library/Caches"
    else:
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return beside, Path(home).expanduser() / "territory" / f"{top.stem}_{own}"
    except RuntimeError:
        # nobody's home
        return (beside,)


@cache
def _digest(top: Path) -> str:
    """Return a digest of the sources of all kernels of a package or module, and of the constants that they hold."""
    sources = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sources.update(path.read_bytes())
    for path in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
        text = path.read_bytes()
        if b"territory.compiled" in text:
            sources.update(text)
    return sources.hexdigest()[:16]


@cache
def _machine() -> str:
    """Return a digest of what compiled code depends on beside its sources."""
    numba = find_spec("numba")
    # what tells the version, without the time that importing it takes
    version = Path((numba.origin if numba else None) or "").with_name("_version.py").read_bytes()
    told = (
        sys.version, sys.platform, np.__version__, llvmlite.__version__, binding.get_process_triple(),
        binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten(), version,
        sorted((k, v) for k, v in os.environ.items() if k.startswith("NUMBA_") and k not in _ASIDE),
    )  # fmt: skip
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


@cache
def _forget_others(folder: Path, family: str, digest: str) -> None:
    """Delete compiled kernels of other versions of the sources, and those that were never finished."""
    old = time.time() - _STALE_S
    _forget(p for p in folder.glob(f"{family}*{_SUFFIX}") if f".{digest}-" not in p.name)
    with suppress(OSError):
        _forget([p for p in folder.glob(f"{family}*{_SUFFIX}.*.tmp") if p.stat().st_mtime < old])


def _forget(paths: Iterable[Path]) -> None:
    for path in paths:
        # somebody else may own them, or be as quick
        with suppress(OSError):
            path.unlink()
