"""The log of a batch: one JSON object a line, flushed as it is written."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from territory.io.files import OutputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EventLog"]


class EventLog:
    """Appends events to a file.

    Every line has ``time`` (UTC, ISO 8601), ``seconds`` (since this run began), ``pid``, ``event``, and what belongs to
    that event.

    Parameters
    ----------
    path : Path, optional
        None: nothing is written.

    Raises
    ------
    OutputError
        The file cannot be opened. Once it is, a disk that fills up costs lines of the log, not the night.
    """

    def __init__(self, path: Path | None) -> None:
        self._began, self._path, self._file = monotonic(), path, None
        self.common: dict[str, Any] = {}
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
            # a run that was killed may have left half a line
            if path.stat().st_size and not _ends_line(path):
                self._file.write(b"\n")
        except OSError as error:
            raise OutputError.of(error, path) from error

    def write(self, event: str, values: dict[str, Any]) -> None:
        """Append one event."""
        if self._file is None:
            return
        moment = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = {"time": moment, "seconds": round(monotonic() - self._began, 3), "pid": os.getpid(), "event": event}
        # ASCII alone: half of a surrogate pair in somebody's id must not cost the line
        line = json.dumps({**head, **self.common, **values}, default=str)
        try:
            self._file.write(line.encode("ascii") + b"\n")
        except OSError as error:
            sys.stderr.write(f"{self._path}: the log ends here: {error.strerror}\n")
            self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
