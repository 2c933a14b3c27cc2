"""Frozen tables of columns: the base of customers, reps and everything else.

A table is a frozen dataclass whose fields are columns, declared with their rules (`Column`). A
million rows are a handful of read-only arrays, not a million objects. Everything that comes in,
by constructor, dataframe or records, goes through one reading (`Table._read`), which collects all
faults and raises one `InputError`.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import CHUNK, TEXT, IdxArray, frozen
from territory.model.columns import Column, Findings, Kind, columns_of
from territory.model.convert import read_column
from territory.model.frames import frame_columns, to_native
from territory.model.hours import WEEKDAYS, WeeklyHours
from territory.model.presets import PRESETS
from territory.model.ragged import DateRanges, TextSets

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Rejects", "Row", "Table"]

OnError = Literal["raise", "quarantine"]


@dataclass(frozen=True, eq=False)
class Rejects:
    """Rows that were set aside (``on_error="quarantine"``).

    Attributes
    ----------
    rows : int64 array
        Their positions in the input.
    problems : tuple of Problem
        What was wrong with them.
    """

    rows: npt.NDArray[np.int64]
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.rows)


class Row:
    """One row of a table, read-only: ``table[3].name``."""

    __slots__ = ("_i", "_table")

    def __init__(self, table: Table, i: int) -> None:
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "_i", i)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        measures = getattr(self._table, "measures", {})
        if name in measures:
            return float(measures[name][self._i])
        if name not in columns_of(type(self._table)):
            msg = f"a row of {self._table.subject} has no {name!r}"
            raise AttributeError(msg)
        values = getattr(self._table, name)
        if values is None:
            return None
        value = values[self._i]
        return value.item() if isinstance(value, np.generic) and not isinstance(value, np.datetime64) else value

    def __setattr__(self, name: str, value: object) -> None:
        msg = "rows are read-only"
        raise AttributeError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return the row as a dictionary of the columns that are there."""
        return {name: getattr(self, name) for name in self._table.column_names}

    def __repr__(self) -> str:
        return f"{type(self._table).__name__}[{self._i}]({', '.join(f'{k}={v!r}' for k, v in self.to_dict().items())})"


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Base of all tables; see the module's head."""

    #: What an error message calls this table.
    subject: ClassVar[str] = "table"

    diagnostics: tuple[Problem, ...] = dataclasses.field(default=(), kw_only=True)
    rejects: Rejects | None = dataclasses.field(default=None, kw_only=True)

    # -- reading ---------------------------------------------------------------------------

    def __post_init__(self) -> None:
        raw = {name: getattr(self, name) for name in columns_of(type(self)) if getattr(self, name) is not None}
        extra = {f"measures.{k}": v for k, v in dict(getattr(self, "measures", {})).items()}
        columns, findings = self._read({**raw, **extra})
        findings.raise_if_any(self.subject)
        self._set(columns, (*self.diagnostics, *findings.warnings))

    def _set(self, columns: Mapping[str, Any], diagnostics: tuple[Problem, ...]) -> None:
        for name, values in columns.items():
            object.__setattr__(self, name, values)
        object.__setattr__(self, "diagnostics", diagnostics)

    @classmethod
    def _trusted(
        cls, columns: Mapping[str, Any], diagnostics: tuple[Problem, ...] = (), rejects: Rejects | None = None
    ) -> Self:
        """Build from columns that have been read already."""
        self = object.__new__(cls)
        for field in dataclasses.fields(cls):
            default = {} if field.name == "measures" else None
            object.__setattr__(self, field.name, columns.get(field.name, default))
        object.__setattr__(self, "diagnostics", diagnostics)
        object.__setattr__(self, "rejects", rejects)
        return self

    @classmethod
    def _read(
        cls, raw: Mapping[str, Any], *, text_cells: bool = False, date_format: str | None = None
    ) -> tuple[dict[str, Any], Findings]:
        """Read and check raw columns; names beginning with ``measures.`` are balance measures."""
        lengths = {name: len(values) for name, values in raw.items()}
        n = next(iter(lengths.values()), 0)
        findings = Findings(n)
        if len(set(lengths.values())) > 1:
            findings.table(
                "unequal-lengths", "columns of unequal length: " + ", ".join(f"{k} {v}" for k, v in lengths.items())
            )
            return {}, findings
        columns: dict[str, Any] = {}
        measures: dict[str, Any] = {}
        specs = columns_of(cls)
        for name, values in raw.items():
            measure = name.removeprefix("measures.")
            if name in specs:
                columns[name] = read_column(
                    values, name, specs[name], findings, text_cells=text_cells, date_format=date_format
                )
            else:
                spec = Column(Kind.FLOAT, low=0.0, high=1e15)
                measures[measure] = read_column(values, measure, spec, findings, text_cells=text_cells)
        if measures or "measures" in {f.name for f in dataclasses.fields(cls)}:
            columns["measures"] = measures
        if not findings.whole:
            for name in [s for s in specs if specs[s].unique and s in columns]:
                _check_ids(columns[name], name, findings)
            cls._check(columns, findings)
        return columns, findings

    @classmethod
    def _check(cls, columns: dict[str, Any], findings: Findings) -> None:
        """Check rules across columns; subclasses add theirs."""

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        columns: Mapping[str, str] | None = None,
        preset: str | None = None,
        measures: Iterable[str] | Mapping[str, str] = (),
        on_error: OnError = "raise",
        date_format: str | None = None,
        text_cells: bool = False,
    ) -> Self:
        """Read a table from a dataframe.

        Parameters
        ----------
        frame : pandas, polars or pyarrow table, or mapping of column to values
            Anything narwhals understands. A GeoDataFrame's points give lon and lat; its
            coordinate system must be known, and is transformed to WGS84.
        columns : mapping of this library's names to the frame's, optional
            ``{"id": "AccountNumber", "lon": "x"}``; columns not named keep their names.
        preset : {"salesforce", "hubspot", "dynamics"}, optional
            Names of that system's exports; `columns` wins over it.
        measures : names, or mapping of measure to the frame's column, optional
            Further numeric columns to balance by (potential, revenue, ...), where the table
            has them (customers).
        on_error : {"raise", "quarantine"}
            With "quarantine", rows with bad values are left out and listed in ``.rejects``.
        date_format : str, optional
            A `strptime` form for dates that are not ISO, e.g. ``"%d/%m/%Y"``.
        text_cells : bool
            Whether numbers may be written as text (as a CSV file has them).

        Returns
        -------
        The table. Columns of the frame that it does not know are left out and named in
        ``.diagnostics``.

        Raises
        ------
        InputError
            Everything that is wrong, at once.

        Notes
        -----
        Linear in the number of rows. A million customers with a dozen columns take under 2 s and
        under 250 MB beyond the frame.
        """
        if on_error not in ("raise", "quarantine"):
            raise InputError(
                [Problem("unknown-option", f"on_error: expected 'raise' or 'quarantine', not {on_error!r}")],
                cls.subject,
            )
        source, problems = frame_columns(frame)
        names = cls._resolve(list(source), columns, preset, measures, problems)
        if problems:
            raise InputError(problems, cls.subject)
        raw = {}
        for name, at in names.items():
            raw[name] = source[at]()
        read, findings = cls._read(raw, text_cells=text_cells, date_format=date_format)
        ignored = [s for s in source if s not in names.values() and s != "geometry"]
        if ignored:
            findings.warn("columns-ignored", "columns left out: " + ", ".join(ignored[:20]) + cls._near(ignored))
        warnings = tuple(findings.warnings)
        if on_error == "raise" or findings.whole or not findings.problems:
            findings.raise_if_any(cls.subject)
            return cls._trusted(read, warnings)
        rejected = np.flatnonzero(findings.bad_rows)
        rest = cls._trusted(read).take(np.flatnonzero(~findings.bad_rows))
        return cls._trusted(rest._columns(), warnings, Rejects(frozen(rejected), tuple(findings.problems)))

    @classmethod
    def _near(cls, ignored: list[str]) -> str:
        known = list(columns_of(cls))
        near = {name: difflib.get_close_matches(name.lower(), known, 1, 0.8) for name in ignored}
        found = [f"{name} (maybe {match[0]}?)" for name, match in near.items() if match]
        return "; " + ", ".join(found) if found else ""

    @classmethod
    def _resolve(
        cls,
        there: list[str],
        columns: Mapping[str, str] | None,
        preset: str | None,
        measures: Iterable[str] | Mapping[str, str],
        problems: list[Problem],
    ) -> dict[str, str]:
        """Return which column of the frame each of ours is read from."""
        specs = columns_of(cls)
        names: dict[str, str] = {name: name for name in specs if name in there}
        if preset is not None:
            if preset not in PRESETS:
                problems.append(Problem("unknown-preset", f"{preset!r} is none of {', '.join(PRESETS)}"))
            for name, candidates in PRESETS.get(preset, {}).items():
                found = next((c for c in candidates if c in there), None)
                if name in specs and found is not None:
                    names.setdefault(name, found)
        chosen = dict(columns or {})
        if measures and "measures" not in {f.name for f in dataclasses.fields(cls)}:
            problems.append(Problem("unknown-option", f"{cls.subject} have no measures"))
        pairs = measures.items() if isinstance(measures, Mapping) else ((m, m) for m in measures)
        chosen.update({f"measures.{name}": at for name, at in pairs})
        for name, at in chosen.items():
            if name not in specs and not name.startswith("measures."):
                near = difflib.get_close_matches(name, specs, 1)
                problems.append(
                    Problem(
                        "unknown-column",
                        f"{cls.subject} have no column {name!r}",
                        hint=f"Maybe {near[0]}?" if near else None,
                    )
                )
            elif at not in there:
                problems.append(_missing(at, there, name))
            else:
                names[name] = at
        required = {
            f.name for f in dataclasses.fields(cls) if "column" in f.metadata and f.default is dataclasses.MISSING
        }
        named = {p.column for p in problems}
        problems += [
            _missing(name, there, name)
            for name in specs
            if name in required and name not in names and name not in named
        ]
        return names

    @classmethod
    def from_records(cls, records: Iterable[Any], *, measures: Iterable[str] = (), on_error: OnError = "raise") -> Self:
        """Read a table from small objects or mappings, one a row.

        Parameters
        ----------
        records : iterable of dataclass instances, objects with attributes, or mappings
            A field that a record lacks, or that is None, is blank in its row; a column that
            no record has is absent.
        measures, on_error
            As in `from_frame`.
        """
        rows = [r if isinstance(r, Mapping) else _attributes(r) for r in records]
        names = list(dict.fromkeys(itertools.chain.from_iterable(rows)))
        if not rows:
            names = [*columns_of(cls)]
            names = [f.name for f in dataclasses.fields(cls) if f.name in names and f.default is dataclasses.MISSING]
        frame = {name: [row.get(name) for row in rows] for name in names}
        present = {name: values for name, values in frame.items() if not rows or any(v is not None for v in values)}
        return cls.from_frame(present, measures=measures, on_error=on_error)

    # -- using -----------------------------------------------------------------------------

    def _columns(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in columns_of(type(self)) if getattr(self, name) is not None}
        if "measures" in {f.name for f in dataclasses.fields(self)}:
            found["measures"] = dict(getattr(self, "measures", {}))
        return found

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns that are there, measures last."""
        named = [name for name in columns_of(type(self)) if getattr(self, name) is not None]
        return (*named, *getattr(self, "measures", {}))

    def __len__(self) -> int:
        return next(len(values) for name, values in self._columns().items() if name != "measures")

    def __getitem__(self, i: int) -> Row:
        n = len(self)
        if not -n <= i < n:
            msg = f"row {i} of {n} {self.subject}"
            raise IndexError(msg)
        return Row(self, int(i) % n)

    def __iter__(self) -> Iterable[Row]:  # type: ignore[misc]  # a generator is an iterator
        return (Row(self, i) for i in range(len(self)))

    def take(self, idx: npt.ArrayLike) -> Self:
        """Return the rows at positions `idx` (or where a bool mask holds), in that order."""
        at = np.asarray(idx)
        at = np.flatnonzero(at) if at.dtype == bool else at.astype(np.int64)
        taken: dict[str, Any] = {}
        for name, values in self._columns().items():
            if name == "measures":
                taken[name] = {k: frozen(v[at]) for k, v in values.items()}
            elif isinstance(values, (WeeklyHours, DateRanges, TextSets)):
                taken[name] = values.take(at)
            else:
                taken[name] = frozen(values[at])
        return self._trusted(taken, self.diagnostics)

    @cached_property
    def _position(self) -> dict[str, int]:
        return {text: i for i, text in enumerate(self.id.tolist())}  # type: ignore[attr-defined]

    def positions(self, ids: Iterable[str]) -> IdxArray:
        """Return the positions of ids.

        Raises
        ------
        InputError
            Some are unknown; they are listed.
        """
        wanted = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
        try:
            return np.array([self._position[i] for i in wanted], dtype=np.int32)
        except KeyError:
            unknown = list(dict.fromkeys(i for i in wanted if i not in self._position))
            shown = ", ".join(repr(u) for u in unknown[:5])
            raise InputError(
                [Problem("unknown-id", f"unknown {self.subject}: {shown}", column="id", count=len(unknown))],
                self.subject,
            ) from None

    def to_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns as arrays that a dataframe takes: ids and words as text, days as dates."""
        return {name: _border(values, columns_of(type(self)).get(name)) for name, values in self._flat().items()}

    def _flat(self) -> dict[str, Any]:
        columns = self._columns()
        return {**{k: v for k, v in columns.items() if k != "measures"}, **columns.get("measures", {})}

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the table as a dataframe of `backend`: "pandas", "polars" or "pyarrow"."""
        return to_native(self.to_dict(), backend)

    def equals(self, other: object) -> bool:
        """Return whether `other` is a table of the same kind with the same columns and values."""
        if type(other) is not type(self):
            return False
        mine, theirs = self.to_dict(), other.to_dict()
        return list(mine) == list(theirs) and all(_same(mine[k], theirs[k]) for k in mine)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} rows, {', '.join(self.column_names)}>"


def _same(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fM" and b.dtype.kind in "fM")


def _attributes(record: object) -> dict[str, Any]:
    if dataclasses.is_dataclass(record):
        return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    return dict(vars(record))


def _missing(at: str, there: list[str], name: str) -> Problem:
    synonyms = {
        "lon": ["longitude", "lng", "long", "x"],
        "lat": ["latitude", "y"],
        "id": ["customer_id", "rep_id", "account"],
    }
    folded = {t.casefold(): t for t in there}
    near = [folded[s] for s in [at.casefold(), *synonyms.get(name, [])] if s in folded]
    near = near or [folded[m] for m in difflib.get_close_matches(at.casefold(), folded, 1)]
    hint = f'Maybe columns={{"{name}": "{near[0]}"}}?' if near else None
    listed = ", ".join(there[:20]) + (", ..." if len(there) > 20 else "")
    return Problem("missing-column", f"no column {at!r}; there are: {listed or 'none'}", column=name, hint=hint)


def _check_ids(ids: npt.NDArray[Any], name: str, findings: Findings) -> None:
    n = len(ids)
    hashes = np.empty(n, dtype=np.int64)
    blank = np.empty(n, dtype=bool)
    for first in range(0, n, CHUNK):
        folded = _fold(ids[first : first + CHUNK].tolist())
        at = slice(first, first + len(folded))
        hashes[at] = [hash(v) for v in folded]
        blank[at] = [not v for v in folded]
    findings.rows("blank-id", "blank", blank & ~findings.bad_rows, column=name)
    # hashes find the suspects in 8 bytes a row; only suspects are then compared as text
    suspects = _repeated(hashes)
    texts: list[str] = ids[suspects].tolist()
    exact, twin = Counter(texts), Counter(_fold(texts))
    doubled, twins = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    doubled[suspects] = [exact[v] > 1 for v in texts]
    twins[suspects] = [twin[v] > 1 for v in _fold(texts)]
    findings.rows("duplicate-id", "stands more than once", doubled & ~blank & ~findings.bad_rows, column=name)
    findings.warn("twin-ids", "differ only by case, space or Unicode form", twins & ~doubled & ~blank, column=name)


def _fold(texts: list[str]) -> list[str]:
    """Return texts without what people do not see: case, outer space, Unicode form."""
    if "".join(texts).isascii():
        return [v.strip().lower() for v in texts]
    return [unicodedata.normalize("NFKC", v).strip().casefold() for v in texts]


def _repeated(hashes: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return the rows whose hash stands more than once."""
    ranked = np.sort(hashes)
    return np.flatnonzero(np.isin(hashes, ranked[1:][ranked[1:] == ranked[:-1]]))


def _border(values: Any, spec: Column | None) -> npt.NDArray[Any]:
    if isinstance(values, (WeeklyHours, DateRanges, TextSets)):
        return np.array(values.to_text(), dtype=object)
    if values.dtype == TEXT:
        return values.astype(object)
    if spec is not None and spec.words is not None:
        names = {int(w): w.name.lower() for w in spec.words}
        return np.array([names.get(int(c), "") for c in values], dtype=object)
    if spec is not None and spec.kind is Kind.WEEKDAYS:
        texts = {mask: ",".join(WEEKDAYS[d] for d in range(7) if mask >> d & 1) for mask in range(128)}
        return np.array([texts[int(m)] for m in values], dtype=object)
    return values
