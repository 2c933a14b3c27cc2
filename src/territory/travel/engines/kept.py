"""Graphs that engines build from extracts, kept in a folder so that each is built once.

A graph lies in a directory of its own with a list of its files, their sizes and checksums. It is built under another
name and renamed when it is whole, so that one that was broken off is never found; one that was damaged later does not
match its list and is built anew. Two processes that build at once each finish theirs, and the second takes the first's.
No locks are needed, on any system.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from territory.errors import InputError, Problem, TravelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LIST", "checksum", "default_folder", "extract_path", "kept_graph", "key_of", "run_tool"]

#: A step of a build that takes longer has hung, seconds: a continent takes hours on a slow machine, and contracting a
#: regular grid of streets, which no map is, was seen not to end.
BUILD_S: Final = 12 * 3_600.0
#: Name of the list of files beside a graph.
LIST: Final = "graph.json"
#: Prefix of directories in which a graph is being built.
_UNDER_WAY: Final = ".building-"
#: A build that was broken off is removed when it is older than any build that may still run, seconds.
_LEFT_OVER_S: Final = 7 * 86_400


def default_folder() -> Path:
    """Return where graphs are kept unless a folder is named: this user's cache, by the custom of the system."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "territory" / "graphs"


def extract_path(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path of an extract that can be read.

    Raises
    ------
    InputError
        No such file, or an empty one.
    """
    found = Path(path).expanduser().resolve()
    if not found.is_file():
        raise InputError([Problem("extract-missing", f"no file at {found}", "path")], "OpenStreetMap extract")
    if found.stat().st_size == 0:
        raise InputError([Problem("extract-empty", f"nothing in {found}", "path")], "OpenStreetMap extract")
    return found


def checksum(paths: Sequence[Path]) -> str:
    """Return one checksum of the contents of files, in the order given; about a second a gigabyte."""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        digest.update(str(path.stat().st_size).encode() + b"\n")
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def kept_graph(folder: str | os.PathLike[str] | None, name: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the directory of a sound graph, which is built if there is none.

    Parameters
    ----------
    folder : path, optional
        Where graphs are kept; by default `default_folder`.
    name : str
        What the directory's name begins with, for people.
    key : str
        All that the graph depends on; another key is another graph.
    build : callable
        Writes the graph's files into the directory that it is given.

    Returns
    -------
    Path

    Raises
    ------
    TravelError
        The graph could not be built, or not be written.

    Notes
    -----
    Every file is read to compare its checksum: about a second a gigabyte.
    """
    home = default_folder() if folder is None else Path(folder).expanduser().resolve()
    stem = f"{name}-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}-"
    found = _sound(home, stem, key)
    if found is not None:
        return found
    try:
        home.mkdir(parents=True, exist_ok=True)
        broken = _siblings(home, stem)
        work = Path(tempfile.mkdtemp(prefix=_UNDER_WAY, dir=home))
    except OSError as error:
        raise TravelError(f"no graph can be kept in {home}: {error}") from error
    try:
        build(work)
        files = sorted(path for path in work.rglob("*") if path.is_file())
        listed = {path.relative_to(work).as_posix(): [path.stat().st_size, checksum([path])] for path in files}
        (work / LIST).write_text(json.dumps({"key": key, "files": listed}, indent=0), encoding="utf-8")
        found = _sound(home, stem, key)
        if found is None:
            found = home / f"{stem}{work.name.removeprefix(_UNDER_WAY)}"
            work.rename(found)
    except OSError as error:
        raise TravelError(f"no graph can be kept in {home}: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for path in (*broken, *_left_over(home)):
        shutil.rmtree(path, ignore_errors=True)
    return found


def key_of(graph: Path) -> str | None:
    """Return what the graph in a directory was built from; None where `kept_graph` did not build it."""
    try:
        listed = json.loads((graph / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    key = listed.get("key") if isinstance(listed, dict) else None
    return key if isinstance(key, str) else None


def run_tool(command: Sequence[str | os.PathLike[str]], *, time_limit_s: float = BUILD_S) -> None:
    """Run a program of an engine and wait for it; one that does not end is killed.

    Raises
    ------
    TravelError
        It is not there, it took longer than `time_limit_s`, or it failed; with the last lines that it wrote.
    """
    program = Path(command[0]).name
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the program is the engine's own
            [str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=time_limit_s,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise TravelError(f"{program} was not done after {time_limit_s:,.0f} s; was stopped") from error
    except OSError as error:
        raise TravelError(f"{program} cannot be run: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        how = f"failed ({done.returncode})" if done.returncode > 0 else f"was ended by signal {-done.returncode}"
        told = " | ".join(lines[-3:]) or "it said nothing"
        raise TravelError(f"{program} {how}: {told}; maybe the extract is torn, or has no roads")


def _siblings(home: Path, stem: str) -> list[Path]:
    return sorted(path for path in home.glob(f"{stem}*") if path.is_dir())


def _sound(home: Path, stem: str, key: str) -> Path | None:
    return next((path for path in _siblings(home, stem) if _is_sound(path, key)), None)


def _is_sound(graph: Path, key: str) -> bool:
    """Whether a directory holds what its list says, byte for byte."""
    if key_of(graph) != key:
        return False
    try:
        files = json.loads((graph / LIST).read_text(encoding="utf-8"))["files"]
        return bool(files) and all(
            (graph / name).stat().st_size == size and checksum([graph / name]) == sum_
            for name, (size, sum_) in files.items()
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False


def _left_over(home: Path) -> list[Path]:
    now = time.time()
    result = []
    for path in home.glob(f"{_UNDER_WAY}*"):
        try:
            if now - path.stat().st_mtime > _LEFT_OVER_S:
                result.append(path)
        except OSError:
            continue  # its builder has just finished
    return result
