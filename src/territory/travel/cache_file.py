"""The file of a cache of travel: opened late, reopened after forks, set aside when it is torn, done without if need be.

Nothing in here knows what is kept. What goes wrong with the file is noted and never raised: a cache that cannot be
read or written is an empty one. The exception is the database of another application, which is not touched.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
from threading import RLock
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote
from weakref import WeakSet

from territory.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CacheFile"]

T = TypeVar("T")

#: "TTrv": tells our files from those of others.
_APPLICATION: Final = 0x54547276
_VERSION: Final = 1
#: Pages of 256 legs are 2 kB in tenths; of those, seven fit one of these with 6 % left over.
_PAGE_BYTES: Final = 16_384
#: How long a lock of another process is waited for.
_PATIENCE_S: Final = 20.0
#: Room above the limit until what is least used has gone.
_SLACK: Final = 1.25
#: What SQLite says of a file that is no sound database; a table that is missing is SQLITE_ERROR.
_TORN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT})
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

_SCHEMA: Final = """
CREATE TABLE meta (tick INTEGER NOT NULL);
INSERT INTO meta VALUES (0);
CREATE TABLE sources (id INTEGER PRIMARY KEY, about BLOB);
CREATE TABLE spots (id INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER, lon INTEGER, lat INTEGER, kind INTEGER,
  area INTEGER, name TEXT, used INTEGER, mark BLOB, snap BLOB, UNIQUE (source, lon, lat, kind, area, name));
CREATE TABLE pages (key INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE answers (id INTEGER PRIMARY KEY, used INTEGER, data BLOB);
"""

#: Files that were set aside when one was opened, at most: more would be a fault of ours.
_ASIDE: Final = 2

_OPEN: WeakSet[CacheFile] = WeakSet()
_HELD: list[CacheFile] = []


class CacheFile:
    """One SQLite file in write-ahead mode, for any number of processes and threads.

    Parameters
    ----------
    path : Path
    max_bytes : int

    Attributes
    ----------
    tick : int
        Rises with every opening of the file by anybody, and whenever room is made; tells what was used lately.
    writable : bool
        False once writing has failed, until the file is opened again.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path, self.max_bytes = path, max_bytes
        self.tick = 0
        self.writable = False
        self._notes: dict[str, Problem] = {}
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._inode = 0
        self._failed = False
        _OPEN.add(self)

    @property
    def notes(self) -> tuple[Problem, ...]:
        """Warnings, in the order in which they first came up."""
        return tuple(self._notes.values())

    def note(self, code: str, message: str, count: int = 1) -> None:
        """Keep a warning; one that is there already is counted."""
        known = self._notes.get(code)
        self._notes[code] = Problem(code, message, "path", count + (known.count if known else 0))

    def read(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Let `work` read in one transaction, and return what it returns; `otherwise` if the file cannot be read."""
        return self._run(work, otherwise, "BEGIN")

    def write(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Let `work` write in one transaction, and return what it returns; `otherwise` if that cannot be done."""
        with self._lock:
            self._ready()
            return self._run(work, otherwise, "BEGIN IMMEDIATE") if self.writable else otherwise

    def close(self) -> None:
        """Let go of the file; whoever asks again opens it again."""
        with self._lock:
            connection, self._connection = self._connection, None
            self._failed = False
            if connection is None:
                return
            if self._pid != os.getpid() or not self._in_place():
                _abandon(connection)
                return
            try:
                connection.close()
            except sqlite3.Error as error:
                self.note("cache-not-closed", str(error))

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None:
            self.close()

    def live_bytes(self, connection: sqlite3.Connection) -> int:
        """Return how much of the file is in use."""
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        return int(pages - free) * int(size)

    def _run(self, work: Callable[[sqlite3.Connection], T], otherwise: T, begin: str) -> T:
        with self._lock:
            for _ in range(2):
                connection = self._ready()
                if connection is None:
                    return otherwise
                try:
                    connection.execute(begin)
                    result = work(connection)
                    connection.execute("COMMIT")
                except sqlite3.Error as error:
                    self._roll_back(connection)
                    if not self._mended(error):
                        return otherwise
                except BaseException:
                    self._roll_back(connection)
                    raise
                else:
                    return result
            return otherwise

    @staticmethod
    def _roll_back(connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except sqlite3.Error:
                connection.interrupt()

    def _mended(self, error: sqlite3.Error) -> bool:
        """Note what went wrong, and return whether it is worth trying again: with a new file in place of a torn one."""
        code = _code(error)
        if code in _TORN:
            return self._set_aside(str(error))
        if code in _BUSY:
            self.note("cache-busy", f"others held the cache for longer than {_PATIENCE_S:g} s; went on without")
        else:
            self.writable = False
            self.note("cache-not-writable", f"{error}; answers are not kept")
        return False

    def _ready(self) -> sqlite3.Connection | None:
        """Return the connection of this process to the file that is there now; None if there is no way."""
        if self._connection is not None and (self._pid != os.getpid() or not self._in_place()):
            self.close()
        if self._connection is None and not (self._failed and self._pid == os.getpid()):
            self._pid = os.getpid()
            self._open()
            self._failed = self._connection is None
        return self._connection

    def _in_place(self) -> bool:
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.note("cache-not-writable", f"{error}; answers are not kept")
        name = quote(str(self.path.absolute()))
        until = monotonic() + _PATIENCE_S
        # whoever may not write reads; in a folder where not even a lock can be written, without locks: pages that are
        # being changed meanwhile fail their checksums
        modes = ["rwc", "ro", "ro&immutable=1"]
        aside = 0
        while modes:
            connection = None
            try:
                connection = sqlite3.connect(
                    f"file:{name}?mode={modes[0]}", uri=True, timeout=_PATIENCE_S, isolation_level=None,
                    check_same_thread=False,
                )  # fmt: skip
                self._set_up(connection, writing=modes[0] == "rwc")
                self._inode = self.path.stat().st_ino
            except (sqlite3.Error, OSError) as error:
                if connection is not None:
                    connection.close()
                code = _code(error)
                torn = code in _TORN and modes[0] == "rwc" and self.path.is_file() and aside < _ASIDE
                if code in _BUSY and monotonic() < until:
                    sleep(0.01)  # switching a new file to write-ahead mode does not wait by itself
                elif torn and self._set_aside(str(error)):
                    aside += 1
                else:
                    if modes[0] == "rwc":
                        self.note("cache-not-writable", f"{error}; answers are not kept")
                    modes.pop(0)
            except BaseException:
                if connection is not None:
                    connection.close()
                raise
            else:
                self._connection = connection
                self.writable = modes[0] == "rwc"
                return

    def _set_up(self, connection: sqlite3.Connection, *, writing: bool) -> None:
        execute = connection.execute
        execute("PRAGMA trusted_schema = OFF")
        execute("PRAGMA cell_size_check = ON")
        # at one moment: another process may be beginning the very file
        execute("BEGIN")
        tables = {name for (name,) in execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        (application,) = execute("PRAGMA application_id").fetchone()
        (version,) = execute("PRAGMA user_version").fetchone()
        execute("COMMIT")
        if tables and application != _APPLICATION and not {"spots", "pages"} <= tables:
            message = f"{self.path} is a database of another application"
            raise InputError([Problem("not-a-cache", message, "path")], "travel cache")
        if tables and (application, version) != (_APPLICATION, _VERSION):
            raise sqlite3.DatabaseError(f"a cache of version {version}, not {_VERSION}")
        if not writing:
            (self.tick,) = execute("SELECT tick FROM meta").fetchone()
            return
        execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        execute("PRAGMA journal_mode = WAL")
        # a power failure may cost the last answers, never the file
        execute("PRAGMA synchronous = NORMAL")
        execute("PRAGMA wal_autocheckpoint = 256")
        execute("PRAGMA journal_size_limit = 4194304")
        execute("BEGIN IMMEDIATE")
        if not execute("SELECT 1 FROM sqlite_master WHERE name = 'pages'").fetchone():
            for statement in _SCHEMA.split(";"):
                execute(statement)
            execute(f"PRAGMA application_id = {_APPLICATION}")
            execute(f"PRAGMA user_version = {_VERSION}")
        (size,) = execute("PRAGMA page_size").fetchone()
        execute(f"PRAGMA max_page_count = {int(self.max_bytes * _SLACK) // size + 16}")
        self.tick = self.next_tick(connection)
        execute("COMMIT")

    @staticmethod
    def next_tick(connection: sqlite3.Connection) -> int:
        """Move the clock of use on by one."""
        connection.execute("UPDATE meta SET tick = tick + 1")
        (tick,) = connection.execute("SELECT tick FROM meta").fetchone()
        return int(tick)

    def _set_aside(self, why: str) -> bool:
        """Rename a torn file, and what belongs to it, so that a new one can take its place; False if that fails."""
        if _is_text(self.path):
            message = f"{self.path} is a text file, not a cache"
            raise InputError([Problem("not-a-cache", message, "path", hint="Maybe another file name?")], "travel cache")
        if self._connection is not None:
            replaced = not self._in_place()
            self.close()
            if replaced:
                return True  # by another process, which has seen the same
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.corrupt-{number}")).exists():
            number += 1
        try:
            self.path.rename(aside)
            for suffix in ("-wal", "-shm"):
                beside = self.path.with_name(self.path.name + suffix)
                if beside.exists():
                    beside.rename(aside.with_name(aside.name + suffix))
        except FileNotFoundError:
            return True
        except OSError as error:
            self.writable = False
            self.note("cache-not-writable", f"torn ({why}), and cannot be set aside: {error}")
            return False
        self.note("cache-set-aside", f"was no sound cache ({why}); renamed to {aside.name}, and a new one begun")
        return True


def _is_text(path: Path) -> bool:
    """Return whether a file begins with lines of text, as a table does and a torn database does not."""
    try:
        with path.open("rb") as file:
            begin = file.read(4096)
        lines = begin.decode("utf-8", errors="strict" if len(begin) < 4096 else "ignore")
    except (OSError, UnicodeDecodeError):
        return False
    return "\n" in lines and all(letter.isprintable() or letter in "\r\n\t\ufeff" for letter in lines)


def _code(error: Exception) -> int:
    """Return SQLite's primary result code; our own complaint about a version counts as "no database"."""
    if isinstance(error, OSError):
        return sqlite3.SQLITE_CANTOPEN
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_NOTADB)) & 0xFF


def _abandon(connection: sqlite3.Connection) -> None:
    """Keep a connection open for as long as the process lives.

    One that a fork inherited behind the hooks below, or of a file that was replaced, must not be closed: SQLite would
    delete the write-ahead log by its name, and that is in use by others.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def _before_fork() -> None:
    # no connection may be carried over: both processes would believe that they hold its locks
    for each in list(_OPEN):
        each._lock.acquire()  # noqa: SLF001 - of this module
        each.close()
        _HELD.append(each)


def _after_fork() -> None:
    while _HELD:
        _HELD.pop()._lock.release()  # noqa: SLF001 - of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
