"""Answers on disk: one file a chunk, whole or not there.

A file is a row of records, each of them a line of JSON (key, digest, status, ..., length and checksum of the data)
behind its own length, and then the data. It stands alone: where the ledger is lost, the parts tell all that it knew.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from territory.batch.tasks import Outcome, TaskStatus
from territory.errors import BatchError
from territory.io.files import OutputError, atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["PartRef", "Parts"]

_MAGIC: Final = b"TERRPART"
_SIZE: Final = struct.Struct("<II")
_SUFFIX: Final = ".part"


@dataclass(frozen=True, slots=True)
class PartRef:
    """Where the record of a task lies: a file, the offset of its data, their length, their checksum."""

    part: str
    offset: int
    length: int
    check: str


class Parts:
    """The folder of part files.

    Parameters
    ----------
    folder : Path
        Made as needed.

    Raises
    ------
    OutputError
        The folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            there = [int(path.stem) for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdigit()]
        except OSError as error:
            raise OutputError.of(error, folder) from error
        self._next = max(there, default=-1) + 1

    def write(self, outcomes: Sequence[Outcome]) -> list[PartRef]:
        """Write outcomes as one file, atomically and durably, before the ledger hears of them.

        Raises
        ------
        OutputError
            The operating system refused; nothing was written.
        """
        name = f"{self._next:08d}{_SUFFIX}"
        blobs, refs, at = [_MAGIC], [], len(_MAGIC)
        for one in outcomes:
            check = hashlib.blake2b(one.data, digest_size=16).hexdigest()
            head = _head_bytes(one, check)
            blobs += [_SIZE.pack(len(head), _sum(head)), head, one.data]
            at += _SIZE.size + len(head)
            refs.append(PartRef(name, at, len(one.data), check))
            at += len(one.data)
        atomic_write(self.folder / name, b"".join(blobs))
        self._next += 1
        return refs

    def read(self, ref: PartRef) -> bytes:
        """Return the data of a record; raises `BatchError` where they are not what was written."""
        try:
            with (self.folder / ref.part).open("rb") as file:
                file.seek(ref.offset)
                data = file.read(ref.length)
        except OSError as error:
            msg = f"{ref.part} cannot be read: {error}"
            raise BatchError(msg) from error
        if hashlib.blake2b(data, digest_size=16).hexdigest() != ref.check:
            msg = f"{ref.part} is torn: the checksum of a record is wrong"
            raise BatchError(msg)
        return data

    def scan(self, after: str = "") -> Iterator[tuple[Outcome, PartRef]]:
        """Give every whole record of every file, without its data, in the order they were written.

        Of a file that is torn, which a rename makes unlikely, the records before the tear are given.

        Parameters
        ----------
        after : str
            Only files that were written after this one.
        """
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            if path.name <= after:
                continue
            try:
                data = path.read_bytes()
            except OSError:
                continue
            yield from _records(path.name, data)

    def clear(self) -> None:
        """Delete all files."""
        for path in self.folder.glob("*"):
            path.unlink(missing_ok=True)
        self._next = 0

    def sweep(self) -> None:
        """Delete what a killed run left behind of a half-written file."""
        for path in self.folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)


def _sum(head: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(head, digest_size=4).digest(), "little")


def _head_bytes(one: Outcome, check: str) -> bytes:
    values = {
        "key": one.key, "digest": one.digest, "status": str(one.status), "seconds": one.seconds, "cost": one.cost,
        "bound": one.bound, "error": one.error, "attempts": one.attempts, "length": len(one.data), "check": check,
    }  # fmt: skip
    return json.dumps(values).encode()


def _records(name: str, data: bytes) -> Iterator[tuple[Outcome, PartRef]]:
    if data[: len(_MAGIC)] != _MAGIC:
        return
    at = len(_MAGIC)
    while at + _SIZE.size <= len(data):
        size, check = _SIZE.unpack_from(data, at)
        head = data[at + _SIZE.size : at + _SIZE.size + size]
        if len(head) < size or _sum(head) != check:
            return
        values: dict[str, Any] = json.loads(head)
        at += _SIZE.size + size
        length, digest = values.pop("length"), values.pop("check")
        blob = data[at : at + length]
        if hashlib.blake2b(blob, digest_size=16).hexdigest() != digest:
            return
        values["status"] = TaskStatus(values["status"])
        yield Outcome(**values), PartRef(name, at, length, digest)
        at += length
