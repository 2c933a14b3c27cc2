"""Tables from and to CSV and Parquet files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from territory.errors import InputError, Problem
from territory.io.csv_source import read_csv_cells
from territory.io.extras import needed
from territory.io.files import atomic_path
from territory.model import Customers, DatedHours, DateRanges, Reps, TextSets, Visits, WeeklyHours
from territory.model.table import Table

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from territory.model.table import OnError

__all__ = ["read_customers", "read_reps", "read_table", "read_visits", "write_table"]

T = TypeVar("T", bound=Table)

_PARQUET_MAGIC: Final = b"PAR1"
#: First bytes of files that are handed in by mistake.
_OTHERS: Final = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive", "Save the sheet as 'CSV UTF-8'."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as 'CSV UTF-8'."),
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first."),
    (b"(\xb5/\xfd", "compressed with Zstandard", "Unpack it first."),
    (b"SQLite format 3", "a database", "Export the table as CSV."),
)
#: With these a spreadsheet takes a cell for a formula (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Key of the Parquet file's own note of which columns are balance measures.
_MEASURES_KEY: Final = b"territory.measures"
_CHUNK: Final = 65_536


def read_table(
    path: str | os.PathLike[str],
    cls: type[T],
    *,
    columns: Mapping[str, str | None] | None = None,
    preset: str | None = None,
    measures: Iterable[str] | Mapping[str, str] = (),
    on_error: OnError = "raise",
    delimiter: str | None = None,
    date_format: str | None = None,
) -> T:
    """Read a table from a CSV or Parquet file.

    Which of the two it is, its content says, not its name. In CSV every cell is read as text, so
    that ids keep leading zeros and 23 digits, and ``NA`` and ``null`` are words like others.

    Parameters
    ----------
    path : path
        CSV: UTF-8, comma, semicolon, tab or bar between cells, the decimal point a point.
    cls : type of table
        `Customers`, `Reps`, `Visits`, ...
    columns, preset, on_error, date_format
        As in `Customers.from_frame`. Rows with too many or too few cells are always an error.
    measures : names, or mapping of measure to the file's column, optional
        As in `Customers.from_frame`. Default: those that a Parquet file of `write_table` names.
    delimiter : str, optional
        Of CSV; default: recognised from the header.

    Returns
    -------
    Table
        Of type `cls`.

    Raises
    ------
    InputError
        No such file, not such a file, or whatever is wrong with its content, at once.
    MissingExtraError
        pyarrow is not installed.

    Notes
    -----
    Linear in the size of the file, which is held in memory.
    """
    file = Path(path)
    data = _bytes(file)
    if data.startswith(_PARQUET_MAGIC):
        frame, stored = _parquet(data, file.name)
        text_cells = False
    else:
        for magic, what, hint in _OTHERS:
            if data.startswith(magic):
                raise InputError(
                    [Problem("not-a-table", f"the file is {what}, not CSV or Parquet", hint=hint)], file.name
                )
        if file.suffix.lower() in (".parquet", ".pq"):
            message = "the file is not Parquet, though its name says so"
            raise InputError([Problem("not-a-table", message, hint="Maybe it is torn?")], file.name)
        frame, stored = read_csv_cells(data, file.name, delimiter=delimiter), ()
        text_cells = True
    try:
        return cls.from_frame(
            frame,
            columns=columns,
            preset=preset,
            measures=measures or stored,
            on_error=on_error,
            date_format=date_format,
            text_cells=text_cells,
        )
    except InputError as error:
        raise InputError(error.problems, f"{error.subject} in {file.name}") from None


def read_customers(path: str | os.PathLike[str], **options: Any) -> Customers:
    """Read customers from a CSV or Parquet file; see `read_table` for the options."""
    return read_table(path, Customers, **options)


def read_reps(path: str | os.PathLike[str], **options: Any) -> Reps:
    """Read reps from a CSV or Parquet file; see `read_table` for the options."""
    return read_table(path, Reps, **options)


def read_visits(path: str | os.PathLike[str], **options: Any) -> Visits:
    """Read single visits (appointments, events, ...) from a CSV or Parquet file; see `read_table` for the options."""
    return read_table(path, Visits, **options)


def write_table(table: Table | Mapping[str, Any], path: str | os.PathLike[str], *, spreadsheet: bool = False) -> Path:
    """Write a table to a CSV or Parquet file.

    `read_table` reads it back as the same table, whatever its texts are: quotes, line ends, NUL and all.

    Parameters
    ----------
    table : Table, or mapping of column to values
        E.g. customers, or ``plan.to_dict()``.
    path : path
        Ends in ``.csv`` or ``.parquet``; directories are made as needed, a file there is replaced.
    spreadsheet : bool
        CSV only: make it safe to open in a spreadsheet. Texts that begin like a formula (``=``,
        ``+``, ``-``, ``@``, tab, line end) get an apostrophe in front, and the file a byte order
        mark, by which Excel knows UTF-8. Such a file no longer holds the exact texts.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    InputError
        Another ending; columns of unequal length; values that the text form cannot hold.
    OutputError
        The operating system refused; nothing was written.
    MissingExtraError
        pyarrow is not installed (Parquet only).
    """
    file = Path(path)
    ending = file.suffix.lower()
    if ending not in (".csv", ".parquet", ".pq") or (spreadsheet and ending != ".csv"):
        expected = "a name in .csv" if spreadsheet else "a name in .csv or .parquet"
        raise InputError([Problem("unknown-format", f"expected {expected}, not {file.name!r}")], "write_table")
    columns = _columns(table)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise InputError([Problem("unequal-lengths", f"columns of unequal length: {listed}")], file.name)
    try:
        if ending == ".csv":
            _write_csv(columns, file, spreadsheet=spreadsheet)
        else:
            _write_parquet(columns, tuple(getattr(table, "measures", ())), file)
    except UnicodeEncodeError:
        message = "text with half of a surrogate pair, which is no Unicode"
        raise InputError(
            [Problem("not-unicode", message, hint="Maybe read with a wrong encoding?")], file.name
        ) from None
    return file


# -- reading -----------------------------------------------------------------------------------


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        problem = Problem("no-such-file", f"there is no file {str(file)!r}")
    except IsADirectoryError:
        problem = Problem("not-a-file", f"{str(file)!r} is a directory", hint="A plan's directory: read_plan.")
    except (OSError, ValueError) as error:
        problem = Problem("unreadable-file", f"{str(file)!r} cannot be read: {error}")
    raise InputError([problem], file.name)


def _parquet(data: bytes, subject: str) -> tuple[Any, Iterable[str]]:
    """Return a Parquet file's table, and which columns it says are balance measures."""
    pa, pq = needed("pyarrow"), needed("pyarrow.parquet")
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        message = f"not readable as Parquet: {str(error).splitlines()[0]}"
        raise InputError([Problem("not-parquet", message, hint="Maybe the file is torn?")], subject) from None
    note = (table.schema.metadata or {}).get(_MEASURES_KEY)
    return table, json.loads(note) if note else ()


# -- writing -----------------------------------------------------------------------------------


def _columns(table: Table | Mapping[str, Any]) -> dict[str, Any]:
    """Return columns as arrays that a file takes."""
    if not isinstance(table, Table):
        return {str(name): np.asarray(values) for name, values in table.items()}
    problems = []
    for name in table.column_names:
        values = getattr(table, name, None)
        if isinstance(values, (WeeklyHours, DateRanges, DatedHours, TextSets)) and not _survives(values):
            problems.append(Problem("no-text-form", "values that their text form cannot hold", column=name))
    if problems:
        raise InputError(problems, table.subject)
    return table.to_dict()


def _survives(values: WeeklyHours | DateRanges | DatedHours | TextSets) -> bool:
    """Return whether the text form of every distinct cell is read back as the same (not so: words with semicolons)."""
    cells = values.weeks if isinstance(values, WeeklyHours) else values.cells
    each = type(values)(np.arange(len(cells), dtype=np.int32), cells)  # type: ignore[arg-type]
    try:
        back = type(values).from_text(each.to_text())
    except ValueError:
        return False
    return all(back[i] == cells[i] for i in np.unique(values.code).tolist())


def _write_csv(columns: Mapping[str, Any], file: Path, *, spreadsheet: bool) -> None:
    n = len(next(iter(columns.values()), ()))
    with atomic_path(file) as temporary, temporary.open("w", encoding="utf-8", newline="") as out:
        if spreadsheet:
            out.write("\ufeff")
        # CRLF (RFC 4180) also makes the writer quote cells with either of its two letters
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(_defused(list(columns)) if spreadsheet else list(columns))
        for first in range(0, n, _CHUNK):
            cells = [_cells(values[first : first + _CHUNK], spreadsheet=spreadsheet) for values in columns.values()]
            writer.writerows(zip(*cells, strict=True))


def _cells(values: Any, *, spreadsheet: bool) -> list[str]:
    """Write values as text: numbers by the shortest form that reads back as the same, blank for none."""
    if values.dtype.kind == "b":
        return ["true" if v else "false" for v in values.tolist()]
    if values.dtype.kind == "f":
        return ["" if v != v else repr(v) for v in values.tolist()]  # noqa: PLR0124 - NaN
    if values.dtype.kind == "M":
        return ["" if v == "NaT" else v for v in np.datetime_as_string(values).tolist()]
    if values.dtype.kind in "iu":
        return [str(v) for v in values.tolist()]
    texts = ["" if v is None else str(v) for v in values.tolist()]
    return _defused(texts) if spreadsheet else texts


def _defused(texts: list[str]) -> list[str]:
    return ["'" + text if text.startswith(_FORMULA) else text for text in texts]


def _write_parquet(columns: Mapping[str, Any], measures: Sequence[str], file: Path) -> None:
    pa, pq = needed("pyarrow"), needed("pyarrow.parquet")
    arrays = {name: _arrow(values, pa) for name, values in columns.items()}
    table = pa.table(arrays)
    if measures:
        table = table.replace_schema_metadata({_MEASURES_KEY: json.dumps(measures).encode()})
    with atomic_path(file) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def _arrow(values: Any, pa: Any) -> Any:
    if values.dtype.kind == "f":
        return pa.array(values, from_pandas=True)  # NaN as null, as other tools expect it
    if values.dtype.kind in "OTU":
        return pa.array([None if v is None else str(v) for v in values.tolist()], type=pa.large_string())
    return pa.array(values)
