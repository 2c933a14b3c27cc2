"""What a night would do, without doing it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from territory.batch.config import read_config
from territory.batch.ledger import NAME, InputsChangedError, Ledger
from territory.batch.night import Night, prepare
from territory.batch.parts import Parts

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["Preview", "preview_night"]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a night would do.

    Attributes
    ----------
    night : Night
    tasks, skipped : int
        All, and those that an earlier run has done.
    heaviest : str
        Key of the largest task.
    refusal : str
        Why it would not begin: inputs that changed since the first run; blank: it would.
    """

    night: Night
    tasks: int
    skipped: int
    heaviest: str
    refusal: str = ""

    def text(self) -> str:
        """Return a table for the terminal."""
        r = self.night.request
        rows = [
            ("plan", f"{self.night.first} to {self.night.last} ({r.weeks} weeks)"),
            ("reps", f"{len(r.reps):,}"), ("customers", f"{len(r.customers):,}"),
            ("single visits", "none" if r.visits is None and r.previous is None else f"{_singles(r):,}"),
            ("previous", "none" if self.night.previous is None else str(self.night.previous)),
            ("travel", r.source.fingerprint),
            ("tasks", f"{self.tasks:,}, of which {self.skipped:,} are done; the largest: {self.heaviest or 'none'}"),
            ("out", str(self.night.folder)),
        ]  # fmt: skip
        width = max(len(name) for name, _ in rows)
        lines = [f"  {name:<{width}}  {value}" for name, value in rows]
        return "\n".join([*lines, *([f"  it would not begin: {self.refusal}"] if self.refusal else [])])

    def values(self) -> Mapping[str, Any]:
        """Return the same for programs."""
        r = self.night.request
        return {
            "first": str(self.night.first), "last": str(self.night.last), "reps": len(r.reps),
            "customers": len(r.customers), "tasks": self.tasks, "skipped": self.skipped,
            "previous": None if self.night.previous is None else str(self.night.previous),
            "out": str(self.night.folder), "refusal": self.refusal,
        }  # fmt: skip


def _singles(request: Any) -> int:
    table = request.visits if request.visits is not None else request.previous.visits
    return 0 if table is None else len(table)


def preview_night(
    path: str | os.PathLike[str], *, date: str | None = None, since: str | None = None, force: bool = False
) -> Preview:
    """Read everything, cut it into tasks, look what is done; write nothing.

    Parameters
    ----------
    path, date, since, force
        See `run_night`.

    Raises
    ------
    InputError
        Whatever would stop the night before it begins.
    """
    config = read_config(path)
    night = prepare(config, date=date, since=since)
    tasks = night.request.tasks()
    heaviest = max(tasks, key=lambda task: (task.weight, task.key)).key if tasks else ""
    state = night.folder / ".batch"
    if force or not (state / NAME).exists():
        return Preview(night, len(tasks), 0, heaviest)
    inputs = {**night.request.inputs, "formats": ",".join(sorted(set(config["output.formats"])))}
    # the ledger of a run that was killed is mended when it is opened: here, a copy of it
    with TemporaryDirectory() as copy:
        for file in state.glob(f"{NAME}*"):
            shutil.copy(file, copy)
        with Ledger(Path(copy), Parts(state / "parts")) as ledger:
            refusal = ""
            try:
                ledger.begin(inputs)
            except InputsChangedError as error:
                refusal = str(error).partition(": ")[2]
            return Preview(night, len(tasks), len(tasks) - len(ledger.pending(tasks)), heaviest, refusal)
