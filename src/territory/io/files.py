"""Writing files so that a reader sees the old one or the new one, never half of one.

Everything is written beside its target under a temporary name, flushed to disk and then renamed.
A process that is killed leaves at most such a temporary file (``.name.1a2b3c4d.tmp``) behind.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import re
import secrets
import shutil
import sys
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from territory.errors import TerritoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["OutputError", "atomic_directory", "atomic_path", "atomic_write", "printable", "safe_name", "safe_names"]

#: A name that every file system keeps as it is, and that `safe_name` never makes of another id.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
_HASHED: Final = re.compile(r".*-[0-9a-f]{16}", re.IGNORECASE)
#: Device names of Windows, with any extension.
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_SLUG_LENGTH: Final = 40
#: From Linux's fcntl.h and fs.h.
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
#: What neither XML 1.0 (section 2.2) nor iCalendar text (RFC 5545, section 3.3.11) can hold.
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class OutputError(TerritoryError, OSError):
    """A file cannot be written: the disk is full, the target is read-only, ...

    It is an `OSError` with ``errno``, ``strerror`` and ``filename``; nothing was left half-written.
    """

    def __str__(self) -> str:
        return f"cannot write {self.filename}: {self.strerror}; nothing was written"

    @classmethod
    def of(cls, error: OSError, path: Path) -> OutputError:
        """Make one from what the operating system said."""
        return cls(error.errno or errno.EIO, error.strerror or str(error), str(path))


def printable(text: str) -> str:
    """Replace characters that XML and calendars cannot hold by U+FFFD, and write line ends as LF.

    >>> printable("a" + chr(0) + "b") == "a" + chr(0xFFFD) + "b"
    True
    """
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def safe_name(text: str) -> str:
    """Make a file name of any id.

    An id of up to 100 ASCII letters, digits, ``_``, ``-`` and inner dots stays as it is, device names of
    Windows excepted. Of others a readable rest is kept and a hash of the whole id appended, so
    that different ids never share a name. Names that differ only by case are `safe_names`' concern.

    Parameters
    ----------
    text : str
        Any text, even blank or with NUL.

    Returns
    -------
    str
        1 to 100 ASCII characters, without a path separator.

    Examples
    --------
    >>> safe_name("R-007")
    'R-007'
    >>> safe_name("../Müller")
    'Muller-c639330f0dededf7'
    """
    if _PLAIN.fullmatch(text) and not _RESERVED.fullmatch(text) and not _HASHED.fullmatch(text):
        return text
    return _hashed(text)


def _hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", plain)[:_SLUG_LENGTH].strip("-")
    return f"{slug or 'id'}-{digest}"


def safe_names(ids: Iterable[str]) -> list[str]:
    """Make file names of distinct ids that stay apart on file systems that ignore case.

    Parameters
    ----------
    ids : iterable of str
        Distinct.

    Returns
    -------
    list of str
        `safe_name` of each; where two differ only by case, with a hash.

    Examples
    --------
    >>> safe_names(["Ann", "Bob"])
    ['Ann', 'Bob']
    """
    texts = list(ids)
    names = [safe_name(text) for text in texts]
    seen: dict[str, int] = {}
    for name in names:
        seen[name.casefold()] = seen.get(name.casefold(), 0) + 1
    return [name if seen[name.casefold()] == 1 else _hashed(text) for text, name in zip(texts, names, strict=True)]


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the target's directory; when the block ends well, it becomes the target.

    Directories are made as needed. When the block raises, the target is untouched and the
    temporary file is gone.

    Raises
    ------
    OutputError
        The operating system refused: disk full, read-only, ...
    """
    target = _target(path)
    temporary = _beside(target)
    try:
        _refuse_directory(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        temporary.replace(target)
        _sync_directory(target.parent)
    except OSError as error:
        if _reachable(temporary):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OutputError):
            raise
        raise OutputError.of(error, target) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def atomic_write(path: str | os.PathLike[str], content: bytes | str) -> Path:
    """Write a whole file, or nothing.

    Parameters
    ----------
    path : path
        Its directories are made as needed; a file that is there is replaced.
    content : bytes or str
        Text is written as UTF-8, line ends as they are.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    OutputError
        The operating system refused; the old file, if any, is untouched.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    return Path(path)


@contextmanager
def atomic_directory(path: str | os.PathLike[str], check: Callable[[], None] | None = None) -> Iterator[Path]:
    """Give a temporary directory beside the target; when the block ends well, it takes the target's place.

    A directory that stood there is removed, after the new one has taken its name.

    Parameters
    ----------
    path : path
    check : callable, optional
        Called just before the exchange; raises if the target must not be replaced after all.

    Raises
    ------
    OutputError
        The operating system refused; the old directory, if any, is untouched.
    """
    target = _target(path)
    temporary = _beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary
        for folder, _, names in os.walk(temporary):
            for name in names:
                _sync(Path(folder, name))
            _sync_directory(Path(folder))
        if check is not None:
            check()
        _exchange(temporary, target)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OutputError):
            raise OutputError(error.errno, error.strerror, str(target)) from error
        raise OutputError.of(error, target) from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def probe_writable(path: str | os.PathLike[str]) -> None:
    """Find out whether a directory could be written at `path`, before work is done that would be lost.

    Raises
    ------
    OutputError
        The operating system refuses.
    """
    target = _target(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        probe = _beside(target)
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise OutputError.of(error, target) from error


def _exchange(new: Path, target: Path) -> None:
    if not target.exists():
        new.rename(target)
        _sync_directory(target.parent)
        return
    old = new
    if not _swapped(new, target):
        old = _beside(target)
        target.rename(old)
        try:
            new.rename(target)
        except OSError:
            old.rename(target)
            raise
    _sync_directory(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _swapped(one: Path, other: Path) -> bool:
    """Exchange two directories in one step, so that there is no moment without one; False where that is unknown."""
    if sys.platform != "linux":
        return False
    swap = getattr(ctypes.CDLL(None), "renameat2", None)  # glibc 2.28 or later
    return swap is not None and swap(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0


def _refuse_directory(target: Path) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def _target(path: str | os.PathLike[str]) -> Path:
    # a link keeps pointing where it points: what it points at is replaced
    given = Path(path)
    try:
        return given.resolve() if given.is_symlink() else given.absolute()
    except OSError as error:
        raise OutputError.of(error, given) from error


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}.tmp")


def _reachable(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    if os.name != "posix":  # pragma: no cover - elsewhere a directory cannot be opened
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
