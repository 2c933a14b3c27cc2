"""Reading a CSV file as text, cell for cell, and saying what is wrong with the file as a file.

pyarrow parses; everything that it would do in silence (types, nulls, numbers out of ids) is
switched off, and its errors are turned into sentences.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from territory.errors import InputError, Problem
from territory.io.extras import needed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_csv_cells"]

#: Delimiters that are recognised; the first wins a tie.
_DELIMITERS: Final = ",;\t|"
#: A line longer than this is no header.
_HEADER_BYTES: Final = 1 << 20
_BLOCK_BYTES: Final = 1 << 24
_LINES_LISTED: Final = 5
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_SAVE_AS: Final = "Save it as UTF-8 (in Excel: 'CSV UTF-8')."
#: Cells are limited by memory alone, as in pyarrow; the csv module's default is 128 KB.
_CELL_LIMIT: Final = (1 << 31) - 1


def read_csv_cells(data: bytes, subject: str, *, delimiter: str | None = None) -> Any:
    """Read CSV bytes as a pyarrow table of text columns.

    Parameters
    ----------
    data : bytes
        UTF-8, with or without byte order mark; lines end in LF, CRLF or CR; the first is the header.
    subject : str
        What an error message calls the file.
    delimiter : str, optional
        One character; default: whichever of comma, semicolon, tab and bar the header has most of.

    Returns
    -------
    pyarrow.Table
        Every cell as it stands, blank where blank.

    Raises
    ------
    InputError
        Empty, not UTF-8, a column name that stands twice, rows with too few or too many cells,
        quotes that are never closed.
    MissingExtraError
        pyarrow is not installed.
    """
    pa, pc = needed("pyarrow"), needed("pyarrow.csv")
    _check_encoding(data, subject)
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.strip():
        raise InputError(
            [Problem("empty-file", "the file is empty", hint="Expected a line with column names.")], subject
        )
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n' or not delimiter.isascii()):
        raise InputError([Problem("bad-delimiter", f"expected one character, not {delimiter!r}")], subject)
    data = data.lstrip(b"\r\n")
    chosen = delimiter or _delimiter(data)
    header = next(_rows(data[:_HEADER_BYTES], chosen), (1, []))[1]
    doubled = [name for name, count in Counter(header).items() if count > 1]
    if doubled:
        listed = ", ".join(repr(name) for name in doubled)
        message = f"columns that stand more than once: {listed}"
        raise InputError([Problem("duplicate-column", message, count=len(doubled))], subject)
    if data.count(b'"') % 2 == 1:
        _check_quotes(data, chosen, subject)

    ragged: list[Any] = []

    def note(row: Any) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = pc.read_csv(
            pa.BufferReader(data if data.endswith((b"\n", b"\r")) else data + b"\n"),
            # one thread: the rows' numbers are known, and the order of faults is always the same
            read_options=pc.ReadOptions(use_threads=False, block_size=max(1, min(len(data) + 1, _BLOCK_BYTES))),
            parse_options=pc.ParseOptions(delimiter=chosen, newlines_in_values=True, invalid_row_handler=note),
            convert_options=pc.ConvertOptions(
                column_types={name: pa.large_string() for name in header}, strings_can_be_null=False, null_values=[]
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError([Problem("not-csv", f"not readable as CSV: {error}")], subject) from None
    if ragged:
        raise InputError([_ragged(data, chosen, header, ragged)], subject)
    if table.column_names != header:
        raise InputError([Problem("not-csv", "the header is not readable as CSV")], subject)
    return table


def _check_encoding(data: bytes, subject: str) -> None:
    for mark, name in _MARKS:
        if data.startswith(mark):
            raise InputError([Problem("wrong-encoding", f"the file is {name}, not UTF-8", hint=_SAVE_AS)], subject)
    if b"\0" in data[:_HEADER_BYTES].partition(b"\n")[0]:
        message = "NUL between the letters of the header: the file looks like UTF-16, not UTF-8"
        raise InputError([Problem("wrong-encoding", message, hint=_SAVE_AS)], subject)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:  # in blocks, so that the text is never in memory as a whole
        for first in range(0, len(data), _BLOCK_BYTES):
            decoder.decode(data[first : first + _BLOCK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise InputError([_not_utf8(data)], subject) from None


def _not_utf8(data: bytes) -> Problem:
    try:
        data.decode()
        at = len(data) - 1  # pragma: no cover - decoding in blocks has failed already
    except UnicodeDecodeError as error:
        at = error.start
    line = data.count(b"\n", 0, at) + 1
    # 0x80 to 0x9F are control characters in Latin-1, letters and signs in Windows-1252
    name = "Windows-1252" if any(bytes([b]) in data for b in range(0x80, 0xA0)) else "Latin-1 (ISO 8859-1)"
    shown = data[at : at + 1].decode("cp1252", "replace")
    message = f"not UTF-8: byte 0x{data[at]:02X} in line {line}; it looks like {name}, where it is {shown!r}"
    return Problem("wrong-encoding", message, hint=_SAVE_AS)


def _delimiter(data: bytes) -> str:
    """Return the delimiter that the header has most of, outside quotes."""
    header = data[:_HEADER_BYTES].decode("utf-8", "replace")
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = False
    for letter in header:
        if letter == '"':
            quoted = not quoted
        elif not quoted and letter in "\r\n":
            break
        elif not quoted and letter in counts:
            counts[letter] += 1
    return max(counts, key=lambda d: counts[d])


def _rows(data: bytes, delimiter: str, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line of each row (from 1), and its cells; for messages, as it is slow."""
    before = csv.field_size_limit(_CELL_LIMIT)
    try:
        text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="replace", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=strict)
        line = 1
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    finally:
        csv.field_size_limit(before)


def _check_quotes(data: bytes, delimiter: str, subject: str) -> None:
    line = 1
    try:
        for first, _ in _rows(data, delimiter, strict=True):
            line = first + 1
    except csv.Error as error:
        if "unexpected end" in str(error):
            message = f"a quote that is opened in line {line} or later is never closed"
            raise InputError([Problem("open-quote", message, hint="Maybe the file is torn?")], subject) from None


def _ragged(data: bytes, delimiter: str, header: list[str], rows: list[Any]) -> Problem:
    wrong = [(line, len(cells)) for line, cells in _rows(data, delimiter) if cells and len(cells) != len(header)]
    if not wrong:  # the two parsers disagree about quotes inside a cell
        wrong = [(row.number, row.actual_columns) for row in rows]
    shown = ", ".join(f"line {line} has {count}" for line, count in wrong[:_LINES_LISTED])
    more = ", ..." if len(wrong) > _LINES_LISTED else ""
    hint = None
    if delimiter == "," and all(count > len(header) for _, count in wrong):
        hint = "Maybe a comma inside a cell or a decimal comma? Quote such cells, write 52.5, or use ';' between cells."
    message = f"expected {len(header)} cells a row, as in the header; {shown}{more}"
    return Problem("ragged-rows", message, count=len(wrong), hint=hint)
