"""Tables that are written by day, in one order of rows, and never held as a whole."""

from __future__ import annotations

import shutil
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from territory.batch.work import TABLES
from territory.io.extras import needed
from territory.model.arrays import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["TableWriter"]

#: By what the rows of each table are ordered, after their day.
_ORDER: Final = {
    "stops": ("rep_id", "position"), "routes": ("rep_id",), "nights": ("rep_id",),
    "unassigned": ("rep_id", "customer_id", "visit_id", "reason"),
}  # fmt: skip
#: Rows that are held before they are put aside by day, about 50 MB of stops.
_HELD: Final = 150_000
#: Rows of a Parquet file's row group.
_GROUP: Final = 1 << 17


class TableWriter:
    """Writes one table as ``name/date=2026-01-05/part-0.parquet``, ...

    Rows come in any order. Beyond some 150,000 of them they lie on the disk by day until the end.

    Parameters
    ----------
    folder : Path
        A folder ``name`` is made in it, where there are rows.
    name : str
        One of `TABLES`.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder / name, name
        self._aside = folder / f".{name}"
        self._held: list[Mapping[str, Any]] = []
        self._n_held = self._n = 0
        self._files: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for writer, sink in self._files.values():
            writer.close()
            sink.close()
        self._files.clear()
        shutil.rmtree(self._aside, ignore_errors=True)

    def add(self, columns: Mapping[str, Any]) -> None:
        """Take some rows, as arrays by column."""
        n = len(columns["day"])
        if n:
            self._held.append(columns)
            self._n_held += n
            self._n += n
            if self._n_held > _HELD:
                self._put_aside()

    def finish(self) -> int:
        """Write the files; return the number of rows."""
        pa = needed("pyarrow")
        if not self._files:
            for day, rows in self._by_day():
                self._write(day, rows)
            return self._n
        self._put_aside()
        for writer, sink in self._files.values():
            writer.close()
            sink.close()
        days = sorted(self._files)
        self._files.clear()
        for day in days:
            path = self._aside / day
            with pa.OSFile(str(path)) as source:
                rows = pa.ipc.open_stream(source).read_all()
            self._write(day, self._sorted(rows))
            path.unlink()
        shutil.rmtree(self._aside)
        return self._n

    def _put_aside(self) -> None:
        pa = needed("pyarrow")
        self._aside.mkdir(exist_ok=True)
        for day, rows in self._by_day():
            if day not in self._files:
                sink = pa.OSFile(str(self._aside / day), "wb")
                self._files[day] = pa.ipc.new_stream(sink, rows.schema), sink
            self._files[day][0].write_table(rows)

    def _by_day(self) -> list[tuple[str, Any]]:
        """Return the rows that are held by day, in order, and hold them no longer."""
        if not self._held:
            return []
        pa = needed("pyarrow")
        table = self._sorted(pa.table({name: _arrow([c[name] for c in self._held], pa) for name in TABLES[self.name]}))
        self._held, self._n_held = [], 0
        days = table.column("day").to_numpy()
        cuts = [0, *(np.flatnonzero(np.diff(days.astype(np.int64))) + 1).tolist(), len(days)]
        return [(str(days[begin]), table.slice(begin, end - begin)) for begin, end in pairwise(cuts)]

    def _sorted(self, table: Any) -> Any:
        by = [(column, "ascending") for column in ("day", *_ORDER[self.name])]
        return table.take(needed("pyarrow.compute").sort_indices(table, by)).combine_chunks()

    def _write(self, day: str, rows: Any) -> None:
        at = self.folder / f"date={day}"
        at.mkdir(parents=True)
        path = at / "part-0.parquet"
        needed("pyarrow.parquet").write_table(rows, path, compression="zstd", row_group_size=_GROUP)


def _arrow(values: list[Any], pa: Any) -> Any:
    whole = np.concatenate(values)
    if whole.dtype == TEXT:
        return pa.array(whole.tolist(), type=pa.large_string())
    return pa.array(whole)
