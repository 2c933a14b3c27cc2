"""What a cache of travel holds between places: legs in pages, places snapped to the road, whole answers.

Places are numbered as they come, so that those of one question are neighbours; the legs from one place to 256 numbers
in a row are one page. No number is ever given twice: whatever another process has removed meanwhile is missing, never
wrong. Each row carries a checksum over its key and the name of its source, and a row that fails it is dropped.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.travel.cache_file import CacheFile
from territory.travel.cache_pages import BLOCK, pack_page, pack_record, unpack_page, unpack_record

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray

__all__ = ["CacheStore", "SpotKey"]

#: Longitude and latitude in units of the last digit, kind, area, and the id where answers depend on it.
SpotKey = tuple[int, int, int, int, str]

_SHIFT: Final = 24
_LAST_BITS: Final = BLOCK.bit_length() - 1
#: Pages written in one transaction: some milliseconds during which others wait.
_BATCH: Final = 1_000
#: Bytes that a leg, a page and a place may take at most, with what SQLite adds.
_LEG_BYTES, _PAGE_BYTES, _SPOT_BYTES = 17, 80, 300
#: Places that are forgotten in one transaction, and how full the file may be after that.
_FORGET: Final = 100
_LOW_WATER: Final = 0.8

_DROPPED: Final = "rows that failed their checksums were dropped and are fetched again"
_FIND: Final = "SELECT id, used, mark FROM spots WHERE source=? AND lon=? AND lat=? AND kind=? AND area=? AND name=?"
_ADD: Final = "INSERT INTO spots (source, lon, lat, kind, area, name, used) VALUES (?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class _Cells:
    """Legs in the order of their pages.

    Attributes
    ----------
    order : int array of shape (n,)
        Positions of the legs.
    slot : int array of shape (n,)
        Where in its page each of them is.
    keys : list of int
        Pages.
    edges : list of int
        Page i holds the legs from ``edges[i]`` up to ``edges[i + 1]`` in `order`.
    """

    order: NDArray[np.intp]
    slot: NDArray[np.int64]
    keys: list[int]
    edges: list[int]

    @classmethod
    def of(cls, start: NDArray[np.int64], end: NDArray[np.int64]) -> _Cells:
        """Sort legs between numbered places by page; those with an unknown end (0) are left out."""
        page = (start << _SHIFT) | (end >> _LAST_BITS)
        order = np.argsort(page, kind="stable")
        order = order[(start[order] > 0) & (end[order] > 0)]
        page = page[order]
        first = np.flatnonzero(np.diff(page, prepend=-1))
        return cls(order, end[order] & (BLOCK - 1), page[first].tolist(), [*first.tolist(), len(order)])

    def pages(self, low: int, high: int) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.int64]]]:
        """Yield pages with the positions of their legs and where these are in the page."""
        for i in range(low, high):
            here = slice(self.edges[i], self.edges[i + 1])
            yield self.keys[i], self.order[here], self.slot[here]


class CacheStore:
    """What one source has answered, in a file that may be shared with other sources and processes.

    Parameters
    ----------
    path : Path
    max_bytes : int
    name : str
        The source: all that answers depend on beside the places.
    """

    def __init__(self, path: Path, max_bytes: int, name: str) -> None:
        self.file = CacheFile(path, max_bytes)
        self._salt = blake2b(name.encode(), digest_size=16).digest()
        self._source = int.from_bytes(self._salt[:8], "little") >> 1

    # -- legs

    def legs(
        self, starts: Sequence[SpotKey], ends: Sequence[SpotKey], start: NDArray[np.intp], end: NDArray[np.intp]
    ) -> tuple[FloatArray, float | None]:
        """Return seconds and metres of legs, shape (2, n), NaN where they are not kept; and the time of departure.

        Parameters
        ----------
        starts, ends : sequences of SpotKey
        start, end : int arrays of shape (n,)
            Positions in these.
        """
        bad: list[int] = []
        lost: list[int] = []
        old: list[int] = []

        def work(connection: sqlite3.Connection) -> tuple[FloatArray, float | None]:
            for each in (bad, lost, old):
                each.clear()
            values = np.full((2, len(start)), np.nan)
            about = self._about(connection)
            if about is None:
                return values, None
            a, b = (self._numbers(connection, keys, old, lost) for keys in (starts, ends))
            cells = _Cells.of(a[start], b[end])
            for key, at, slot in cells.pages(0, len(cells.keys)):
                row = connection.execute("SELECT data FROM pages WHERE key = ?", (key,)).fetchone()
                if row is None:
                    continue
                page = unpack_page(self._salt, key, row[0])
                if page is None:
                    bad.append(key)
                else:
                    values[:, at] = page[:, slot]
            return values, about[0]

        nothing: tuple[FloatArray, float | None] = (np.full((2, len(start)), np.nan), None)
        found = self.file.read(work, nothing)
        self._tidy(bad, lost, old)
        return found

    def keep_legs(
        self,
        starts: Sequence[SpotKey],
        ends: Sequence[SpotKey],
        start: NDArray[np.intp],
        end: NDArray[np.intp],
        values: FloatArray,
        departure_s: float | None,
    ) -> None:
        """Keep legs, in transactions of 1,000 pages; what is kept already stays as it is.

        Parameters
        ----------
        starts, ends, start, end
            As for `legs`.
        values : float array of shape (2, n)
            Seconds and metres; not NaN, not negative.
        departure_s : float, optional
            What the source says that all its answers hold for.
        """
        if not len(start):
            return
        spots = list(dict.fromkeys((*starts, *ends)))

        def number(connection: sqlite3.Connection) -> bool:
            about = self._about(connection)
            if about is None:
                body = struct.pack("<d", np.nan if departure_s is None else departure_s)
                row = (self._source, pack_record(self._salt, -1, body))
                connection.execute("INSERT OR REPLACE INTO sources VALUES (?, ?)", row)
            elif about[0] != departure_s:
                message = f"legs of departure {about[0]} are kept; those of {departure_s} were not"
                self.file.note("cache-departure", message)
                return False
            # all of a question at once: neighbours share pages
            self._numbers(connection, spots, [], [], add=True)
            return True

        if not self._room(len(start) * _LEG_BYTES + len(starts) * _PAGE_BYTES + len(spots) * _SPOT_BYTES, spots):
            return
        if not self.file.write(number, otherwise=False):
            return
        done, count = 0, 1
        while done < count:
            low = done

            def work(connection: sqlite3.Connection, low: int = low) -> tuple[int, int]:
                # looked up again: another process may have made room
                a, b = (self._numbers(connection, keys, [], []) for keys in (starts, ends))
                cells = _Cells.of(a[start], b[end])
                high = min(low + _BATCH, len(cells.keys))
                for key, at, slot in cells.pages(low, high):
                    row = connection.execute("SELECT data FROM pages WHERE key = ?", (key,)).fetchone()
                    page = None if row is None else unpack_page(self._salt, key, row[0])
                    if page is None:
                        page = np.full((2, BLOCK), np.nan)
                    new = np.isnan(page[0, slot])
                    page[:, slot[new]] = values[:, at[new]]
                    data = pack_page(self._salt, key, page)
                    connection.execute("INSERT OR REPLACE INTO pages VALUES (?, ?)", (key, data))
                return high, len(cells.keys)

            done, count = self.file.write(work, (0, 0))

    # -- places on the road

    def snaps(self, spots: Sequence[SpotKey]) -> FloatArray:
        """Return longitude, latitude and metres moved of places, shape (3, n); NaN where they are not kept."""
        lost: list[int] = []
        old: list[int] = []

        def work(connection: sqlite3.Connection) -> FloatArray:
            values = np.full((3, len(spots)), np.nan)
            for each in (lost, old):
                each.clear()
            for i, number in enumerate(self._numbers(connection, spots, old, lost).tolist()):
                if number:
                    (data,) = connection.execute("SELECT snap FROM spots WHERE id = ?", (number,)).fetchone()
                    body = unpack_record(self._salt, number, data)
                    if body is not None:
                        values[:, i] = struct.unpack("<3d", body)
            return values

        found = self.file.read(work, np.full((3, len(spots)), np.nan))
        self._tidy([], lost, old)
        return found

    def keep_snaps(self, spots: Sequence[SpotKey], values: FloatArray) -> None:
        """Keep where places are on the road, shape (3, n), in transactions of 1,000."""
        for low in range(0, len(spots), _BATCH):
            some, columns = spots[low : low + _BATCH], values[:, low : low + _BATCH].T.tolist()

            def work(
                connection: sqlite3.Connection,
                some: Sequence[SpotKey] = some,
                columns: list[list[float]] = columns,
            ) -> None:
                for number, each in zip(
                    self._numbers(connection, some, [], [], add=True).tolist(), columns, strict=True
                ):
                    data = pack_record(self._salt, number, struct.pack("<3d", *each))
                    connection.execute("UPDATE spots SET snap = ? WHERE id = ?", (data, number))

            if self._room(len(some) * _SPOT_BYTES, some):
                self.file.write(work, None)

    # -- whole answers

    def answer(self, question: bytes) -> bytes | None:
        """Return what was kept under a question, if it was."""
        key = self._question(question)

        def work(connection: sqlite3.Connection) -> tuple[object, int] | None:
            found: tuple[object, int] | None = connection.execute(
                "SELECT data, used FROM answers WHERE id = ?", (key,)
            ).fetchone()
            return found

        found = self.file.read(work, None)
        if found is None:
            return None
        body = unpack_record(self._salt + question, key, found[0])
        if body is None:
            self.file.note("cache-row-corrupt", _DROPPED)
            self._execute("DELETE FROM answers WHERE id = ?", [(key,)])
        elif found[1] < self.file.tick:
            self._execute("UPDATE answers SET used = ? WHERE id = ?", [(self.file.tick, key)])
        return body

    def keep_answer(self, question: bytes, body: bytes) -> None:
        """Keep an answer under a question, a digest of 16 bytes that names all it depends on."""
        key = self._question(question)
        data = pack_record(self._salt + question, key, body)
        if self._room(len(data) + _PAGE_BYTES, ()):
            self._execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", [(key, self.file.tick, data)])

    def _question(self, question: bytes) -> int:
        digest = blake2b(self._salt + question, digest_size=8).digest()
        return int.from_bytes(digest, "little") >> 1

    # -- keeping house

    def _about(self, connection: sqlite3.Connection) -> tuple[float | None] | None:
        """Return the time of departure of the source, in a tuple; None if nothing sound is known of the source."""
        row = connection.execute("SELECT about FROM sources WHERE id = ?", (self._source,)).fetchone()
        body = None if row is None else unpack_record(self._salt, -1, row[0])
        if body is None:
            return None
        (departure,) = struct.unpack("<d", body)
        return (None if np.isnan(departure) else float(departure),)

    def _numbers(
        self,
        connection: sqlite3.Connection,
        spots: Sequence[SpotKey],
        old: list[int],
        lost: list[int],
        *,
        add: bool = False,
    ) -> NDArray[np.int64]:
        """Return the numbers of places, 0 where they have none; note those not used lately, and rows that are wrong."""
        numbers = np.zeros(len(spots), dtype=np.int64)
        for i, spot in enumerate(spots):
            row = connection.execute(_FIND, (self._source, *spot)).fetchone()
            if row is not None:
                number, used, mark = row
                if mark == self._mark(number, spot):
                    numbers[i] = number
                    if not isinstance(used, int) or used < self.file.tick:
                        old.append(number)
                    continue
                lost.append(number)
                if add:
                    _forget(connection, [number])
            if add:
                connection.execute(_ADD, (self._source, *spot, self.file.tick))
                (number,) = connection.execute("SELECT last_insert_rowid()").fetchone()
                connection.execute("UPDATE spots SET mark = ? WHERE id = ?", (self._mark(number, spot), number))
                numbers[i] = number
        return numbers

    def _mark(self, number: int, spot: SpotKey) -> bytes:
        return pack_record(self._salt, number, repr(spot).encode())[:4]

    def _tidy(self, bad: list[int], lost: list[int], old: list[int]) -> None:
        """Drop pages and places that failed their checksums, and mark the others as used."""
        if bad or lost:
            self.file.note("cache-row-corrupt", _DROPPED, len(bad) + len(lost))
        if not (bad or lost or old):
            return

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM pages WHERE key = ?", ((key,) for key in bad))
            _forget(connection, lost)
            connection.executemany("UPDATE spots SET used = ? WHERE id = ?", ((self.file.tick, key) for key in old))

        self.file.write(work, None)

    def _execute(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(statement, rows)

        self.file.write(work, None)

    def _room(self, need: int, spots: Sequence[SpotKey]) -> bool:
        """Make room by forgetting what is least lately used, and return whether there is any.

        Places go with the legs from them, those of the present question last of all: not at all.
        """
        limit = self.file.max_bytes

        def full(connection: sqlite3.Connection) -> bool:
            return self.file.live_bytes(connection) + need > limit

        if not self.file.read(full, otherwise=False):
            return True

        def begin(connection: sqlite3.Connection) -> None:
            self.file.tick = self.file.next_tick(connection)
            mine = self._numbers(connection, spots, [], [])
            connection.executemany(
                "UPDATE spots SET used = ? WHERE id = ?", ((self.file.tick, i) for i in mine.tolist())
            )

        def forget(connection: sqlite3.Connection) -> bool | None:
            """Return whether there is room, or None if there may be after another round."""
            tick = self.file.tick
            rows = connection.execute(
                "SELECT used, id FROM spots WHERE used < ? ORDER BY used, id LIMIT ?", (tick, _FORGET)
            ).fetchall()
            last = tick - 1 if len(rows) < _FORGET else rows[-1][0] - 1
            gone = connection.execute("DELETE FROM answers WHERE used <= ?", (last,)).rowcount
            _forget(connection, [number for _, number in rows])
            live = self.file.live_bytes(connection)
            if live + need <= _LOW_WATER * limit:
                return True
            return None if rows or gone else live + need <= limit

        self.file.write(begin, None)
        room: bool | None = None
        no: bool | None = False
        while room is None:
            room = self.file.write(forget, no)
        if not room:
            message = f"the limit of {limit:,} bytes is too small for one question; parts of it were not kept"
            self.file.note("cache-too-small", message)
        return room


def _forget(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Delete places and the legs from them."""
    ranges = [(number << _SHIFT, (number + 1 << _SHIFT) - 1) for number in numbers]
    connection.executemany("DELETE FROM pages WHERE key BETWEEN ? AND ?", ranges)
    connection.executemany("DELETE FROM spots WHERE id = ?", [(number,) for number in numbers])
