"""The ledger of a batch: which task is done, in which file its answer lies, what failed and why.

SQLite in WAL mode, one transaction a chunk: after ``kill -9`` at any moment it holds whole chunks. It is made anew
from the parts where it is torn, and what the parts hold beyond it is taken in, so a killed run loses nothing that
had been written.
"""

from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Final, Self

from territory.batch.parts import PartRef
from territory.batch.tasks import TaskStatus
from territory.errors import BatchError
from territory.io.files import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from territory.batch.parts import Parts
    from territory.batch.tasks import Outcome, Task

__all__ = ["NAME", "InputsChangedError", "Ledger"]

NAME: Final = "ledger.sqlite"
_FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
    run INTEGER PRIMARY KEY, began REAL NOT NULL, ended REAL, status TEXT, inputs TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    key TEXT PRIMARY KEY, digest TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL, seconds REAL NOT NULL,
    cost REAL, bound REAL, error TEXT NOT NULL, part TEXT NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
    data_check TEXT NOT NULL);
"""
_UPSERT: Final = """
INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET attempts = CASE WHEN tasks.digest = excluded.digest THEN tasks.attempts ELSE 0 END
        + excluded.attempts,
    digest = excluded.digest, status = excluded.status, seconds = excluded.seconds, cost = excluded.cost,
    bound = excluded.bound, error = excluded.error, part = excluded.part, offset = excluded.offset,
    length = excluded.length, data_check = excluded.data_check
"""


class InputsChangedError(BatchError):
    """An earlier run in the folder was asked something else, or nothing was to be resumed."""


class Ledger:
    """The open ledger of one output folder.

    Parameters
    ----------
    folder : Path
        Where ``ledger.sqlite`` lies, or will.
    parts : Parts
        From which a torn ledger is made anew.

    Attributes
    ----------
    quarantined : Path or None
        Where a torn ledger was put.
    adopted : int
        Records that were found in parts only.

    Raises
    ------
    OutputError
        It cannot be written.
    """

    def __init__(self, folder: Path, parts: Parts) -> None:
        self.path, self.parts = folder / NAME, parts
        self.quarantined: Path | None = None
        self.adopted = 0
        try:
            try:
                self._db = self._opened()
            except sqlite3.OperationalError:
                # it cannot be opened or written, which says nothing about its content
                raise
            except sqlite3.DatabaseError:
                self.quarantined = self._set_aside()
                self._db = self._opened()
            self._adopt()
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            # the parts are on the disk before: of the ledger the last transaction may be lost with the power
            db.execute("PRAGMA synchronous=NORMAL")
            if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                msg = "malformed"
                raise sqlite3.DatabaseError(msg)
            known = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if known and not {"meta", "runs", "tasks"} <= known:
                msg = "another database"
                raise sqlite3.DatabaseError(msg)
            db.executescript(_SCHEMA)
            db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (str(_FORMAT),))
            db.execute("SELECT count(*), sum(length), max(digest), max(data_check) FROM tasks").fetchone()
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _set_aside(self) -> Path:
        number = 0
        while (target := self.path.with_name(f"{NAME}.torn-{number}")).exists():
            number += 1
        try:
            self.path.rename(target)
            for ending in ("-wal", "-shm"):
                self.path.with_name(NAME + ending).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError.of(error, self.path) from error
        return target

    def _refused(self, error: sqlite3.Error) -> OutputError:
        # SQLite tells no errno; its sentence does
        return OutputError(None, f"{error}", str(self.path))

    def _adopt(self) -> None:
        """Take in what parts hold and the ledger does not: the run was killed between the two, or it is new."""
        last = self._db.execute("SELECT max(part) FROM tasks").fetchone()[0] or ""
        # a later record of the same task comes later, and wins
        found = list(self.parts.scan(after=last))
        if found:
            self.adopted = len(found)
            self._insert([one for one, _ in found], [ref for _, ref in found])

    def _insert(self, outcomes: Sequence[Outcome], refs: Sequence[PartRef]) -> None:
        rows = [
            (
                one.key, one.digest, str(one.status), one.attempts, one.seconds, one.cost, one.bound, one.error,
                ref.part, ref.offset, ref.length, ref.check,
            )
            for one, ref in zip(outcomes, refs, strict=True)
        ]  # fmt: skip
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(_UPSERT, rows)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # -- runs ------------------------------------------------------------------------------

    def begin(self, inputs: Mapping[str, str], *, resume: bool = True, force: bool = False) -> int:
        """Begin a run; return its number.

        Parameters
        ----------
        inputs : mapping of name to digest
            What must not have changed since the first run: ``{"customers": "1f...", "version": "0.1.0", ...}``.
        resume : bool
            Whether there may be an earlier run.
        force : bool
            Forget whatever was done.

        Raises
        ------
        InputsChangedError
            Inputs changed since the first run: the message names them. Or there is one, and `resume` is False.
        OutputError
            The ledger cannot be written.
        """
        try:
            if force:
                self.forget()
            stored = self._db.execute("SELECT value FROM meta WHERE name = 'inputs'").fetchone()
            if stored is not None:
                before = json.loads(stored[0])
                if not resume:
                    msg = f"{self.path.parent.parent}: an earlier run is there; resume it, or force a new one"
                    raise InputsChangedError(msg)
                changed = sorted(name for name in {*before, *inputs} if before.get(name) != inputs.get(name))
                if changed:
                    what = ", ".join(changed)
                    msg = (
                        f"{self.path.parent.parent}: changed since the first run: {what}; force a new one to forget it"
                    )
                    raise InputsChangedError(msg)
            text = json.dumps(dict(inputs), sort_keys=True)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('inputs', ?)", (text,))
            found = self._db.execute("INSERT INTO runs (began, inputs) VALUES (?, ?)", (time.time(), text))
            return int(found.lastrowid or 0)
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def forget(self) -> None:
        """Forget all runs, their parts too."""
        self._db.execute("DELETE FROM tasks")
        self._db.execute("DELETE FROM runs")
        self._db.execute("DELETE FROM meta WHERE name = 'inputs'")
        self.parts.clear()

    def pending(self, tasks: Iterable[Task]) -> list[Task]:
        """Return the tasks that are not done with their digest; what failed is tried again."""
        done = dict(self._db.execute("SELECT key, digest FROM tasks WHERE status = ?", (str(TaskStatus.DONE),)))
        return [task for task in tasks if done.get(task.key) != task.digest]

    def verify(self) -> list[str]:
        """Read the answer of every done task; those that are lost or torn count as never done. Return their keys."""
        lost = []
        for key, ref in self.refs().items():
            try:
                self.parts.read(ref)
            except BatchError:
                lost.append(key)
        if lost:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("DELETE FROM tasks WHERE key = ?", [(key,) for key in lost])
            self._db.execute("COMMIT")
        return lost

    def record(self, outcomes: Sequence[Outcome], refs: Sequence[PartRef]) -> None:
        """Note what has been written to a part, in one transaction.

        Raises
        ------
        OutputError
            The ledger cannot be written: it is as before, and the next run takes the part in.
        """
        try:
            self._insert(outcomes, refs)
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def end(self, run: int, status: str) -> None:
        """Note how a run ended."""
        try:
            self._db.execute("UPDATE runs SET ended = ?, status = ? WHERE run = ?", (time.time(), status, run))
        except sqlite3.Error as error:
            raise self._refused(error) from error

    # -- looking ---------------------------------------------------------------------------

    def refs(self) -> dict[str, PartRef]:
        """Return where the answer of each done task lies, by key."""
        rows = self._db.execute(
            "SELECT key, part, offset, length, data_check FROM tasks WHERE status = ? ORDER BY key",
            (str(TaskStatus.DONE),),
        )
        return {key: PartRef(*ref) for key, *ref in rows}

    def rows(self) -> list[dict[str, Any]]:
        """Return one mapping a task, by key: digest, status, attempts, seconds, cost, bound, error."""
        names = ("key", "digest", "status", "attempts", "seconds", "cost", "bound", "error")
        found = self._db.execute(f"SELECT {', '.join(names)} FROM tasks ORDER BY key")  # noqa: S608 - constants
        return [dict(zip(names, row, strict=True)) for row in found]

    def runs(self) -> list[dict[str, Any]]:
        """Return one mapping a run: its number, when it began and ended (seconds since 1970), its status."""
        found = self._db.execute("SELECT run, began, ended, status FROM runs ORDER BY run")
        return [dict(zip(("run", "began", "ended", "status"), row, strict=True)) for row in found]

    def counts(self) -> dict[str, int]:
        """Return how many tasks there are of each status."""
        return dict(self._db.execute("SELECT status, count(*) FROM tasks GROUP BY status ORDER BY status"))

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
