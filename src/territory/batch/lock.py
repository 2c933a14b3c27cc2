"""One run at a time in a folder; a lock whose holder is gone is recognised."""

from __future__ import annotations

import errno
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from territory.errors import BatchError
from territory.io.files import OutputError

try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["FolderLock", "FolderLockedError", "process_start"]


class FolderLockedError(BatchError):
    """Another run holds the folder."""


def process_start(pid: int) -> str:
    """Return when a process began, in the kernel's own count; blank where there is none, or that is unknown.

    With it another process that was given the same number later is told apart.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    # the name in brackets may hold anything; field 22 is the start (man 5 proc)
    return text.rpartition(")")[2].split()[19]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class FolderLock:
    """Holds a folder for this process until `close`, or until the process ends, however it does.

    The kernel's lock of the file says whether it is held on this machine; what stands in the file says by whom, and
    whether another machine holds it, whose kernel cannot be asked.

    Parameters
    ----------
    path : Path
        The file of the lock.
    force : bool
        Take it even from another machine.

    Raises
    ------
    FolderLockedError
        Somebody holds it; the message says who.
    OutputError
        The file cannot be written.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self.path = path
        #: Whether a holder that is gone had left it.
        self.was_stale = False
        try:
            self._file: TextIO | None = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+", encoding="utf-8")
        except OSError as error:
            raise OutputError.of(error, path) from error
        try:
            self._take(force=force)
        except BaseException:
            self._file.close()
            self._file = None
            raise

    def _take(self, *, force: bool) -> None:
        file = self._file
        if file is None:  # pragma: no cover - only called while it is open
            return
        held = False
        if fcntl is not None:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):
                    raise OutputError.of(error, self.path) from error
                held = True
        holder = self._holder(file.read())
        if held:
            raise FolderLockedError(self._refusal(holder))
        if holder:
            here = holder.get("host") == socket.gethostname()
            # where a file system knows no locks of files, the process itself is looked for
            started = process_start(int(holder["pid"])) if here else ""
            mine = here and int(holder["pid"]) == os.getpid()
            runs = here and _alive(int(holder["pid"])) and started == holder.get("started") and fcntl is None
            if (runs and not mine) or (not here and not force):
                raise FolderLockedError(self._refusal(holder, elsewhere=not here))
            self.was_stale = True
        text = json.dumps(
            {"pid": os.getpid(), "host": socket.gethostname(), "started": process_start(os.getpid())}
        )  # fmt: skip
        self._write(text)

    @staticmethod
    def _holder(text: str) -> dict[str, Any]:
        try:
            found = json.loads(text)
            return found if isinstance(found, dict) and isinstance(found.get("pid"), int) else {}
        except ValueError:
            return {}

    def _refusal(self, holder: dict[str, Any], *, elsewhere: bool = False) -> str:
        who = f"process {holder['pid']} on {holder.get('host')}" if holder else "another process"
        hint = f" If that machine is gone, delete {self.path}." if elsewhere else ""
        return f"{self.path.parent.parent}: another run holds this folder: {who}.{hint}"

    def _write(self, text: str) -> None:
        file = self._file
        if file is None:
            return
        try:
            file.seek(0)
            file.truncate()
            file.write(text)
            file.flush()
        except OSError as error:
            raise OutputError.of(error, self.path) from error

    def close(self) -> None:
        """Let go of the folder. The file stays: to delete it would open a gap for two runs at once."""
        if self._file is not None:
            try:
                self._write("")
            except OutputError:
                pass  # a full disk: the kernel's lock ends all the same
            finally:
                self._file.close()
                self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
