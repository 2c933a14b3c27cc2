"""Frozen tables of columns: the base of customers, reps and everything else.

A table is a frozen dataclass whose fields are columns, declared with their rules (`Column`). A
million rows are a handful of read-only arrays, not a million objects. Everything that comes in,
by constructor, dataframe or records, goes through one reading (`Table._read`), which collects all
faults and raises one `InputError`.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import TEXT, IdxArray, row_positions, sealed
from territory.model.columns import Column, Findings, Kind, columns_of
from territory.model.convert import read_column
from territory.model.dated import DatedHours
from territory.model.frames import frame_columns, to_native
from territory.model.hours import WeeklyHours
from territory.model.ids import check_ids
from territory.model.names import MEASURE, check_measure, has_measures, near_names, required_columns, resolve
from territory.model.ragged import DateRanges, TextSets
from territory.model.rows import Rejects, Row, fields_of, outward

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["OnError", "Rejects", "Row", "Table"]

OnError = Literal["raise", "quarantine"]

_MEASURE_RULES = Column(Kind.FLOAT, low=0.0, high=1e15, code="measure")


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
        extra = dict(getattr(self, "measures", {}))
        problems = [p for p in (check_measure(name, type(self)) for name in extra) if p is not None]
        if problems:
            raise InputError(problems, self.subject)
        columns, findings = self._read({**raw, **{f"{MEASURE}{k}": v for k, v in extra.items()}})
        findings.raise_if_any(self.subject)
        for name, values in columns.items():
            object.__setattr__(self, name, values)
        fresh = [w for w in findings.warnings if w not in self.diagnostics]  # so that replace() repeats none
        object.__setattr__(self, "diagnostics", (*self.diagnostics, *fresh))

    @classmethod
    def _trusted(
        cls, columns: Mapping[str, Any], diagnostics: tuple[Problem, ...] = (), rejects: Rejects | None = None
    ) -> Self:
        """Build from columns that have been read already."""
        self = object.__new__(cls)
        for field in dataclasses.fields(cls):
            absent: Any = MappingProxyType({}) if field.name == "measures" else None
            object.__setattr__(self, field.name, columns.get(field.name, absent))
        object.__setattr__(self, "diagnostics", diagnostics)
        object.__setattr__(self, "rejects", rejects)
        return self

    def __getstate__(self) -> dict[str, Any]:
        state = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if "measures" in state:
            state["measures"] = dict(state["measures"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            values = value
            if name == "measures":
                values = MappingProxyType({k: sealed(v) for k, v in value.items()})
            elif isinstance(value, np.ndarray):
                values = sealed(value)  # a pickled array comes back writeable
            object.__setattr__(self, name, values)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change; and numpy before 2.3 crashes on copies of text arrays

    @classmethod
    def _read(
        cls,
        raw: Mapping[str, Any],
        *,
        text_cells: bool = False,
        date_format: str | None = None,
    ) -> tuple[dict[str, Any], Findings]:
        """Read and check raw columns, or functions that give them; ``measures.x`` is a balance measure."""
        specs = columns_of(cls)
        columns: dict[str, Any] = {}
        measures: dict[str, Any] = {}
        findings = Findings(0)
        lengths: dict[str, int] = {}
        for name, given in raw.items():
            values = given() if callable(given) else given
            short = name.removeprefix(MEASURE)
            if not hasattr(values, "__len__") or isinstance(values, (str, bytes, Mapping)) or _is_scalar(values):
                findings.table("not-a-column", f"expected a list or array, not {type(values).__name__}", column=short)
                continue
            if not lengths:
                findings = _renewed(findings, len(values))
            lengths[short] = len(values)
            if len(values) != findings.n:
                continue
            spec = specs.get(name, _MEASURE_RULES)
            found = read_column(values, short, spec, findings, text_cells=text_cells, date_format=date_format)
            (columns if name in specs else measures)[short] = found
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{k} {v}" for k, v in lengths.items())
            findings.table("unequal-lengths", f"columns of unequal length: {listed}")
        for name in required_columns(cls):
            if name not in raw:
                findings.table("missing-column", f"no column {name!r}", column=name)
        if has_measures(cls):
            columns["measures"] = MappingProxyType(measures)
        if not findings.whole:
            for name in [s for s in specs if specs[s].unique and s in columns]:
                check_ids(columns[name], name, findings)
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
        columns: Mapping[str, str | None] | None = None,
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
            ``{"id": "AccountNumber", "lon": "x"}``; columns not named keep their names, and
            ``{"margin": None}`` leaves one out that only happens to be called so.
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
        O(n log n) in the number of rows. A million customers with a dozen columns take under 2 s
        and under 250 MB beyond the frame.
        """
        if on_error not in ("raise", "quarantine"):
            problem = Problem("unknown-option", f"on_error: expected 'raise' or 'quarantine', not {on_error!r}")
            raise InputError([problem], cls.subject)
        source, problems = frame_columns(frame)
        if not problems:
            names = resolve(
                cls,
                cls.subject,
                list(source),
                columns=columns,
                preset=preset,
                measures=measures,
                problems=problems,
            )
        if problems:
            raise InputError(problems, cls.subject)
        wanted: dict[str, Callable[[], Any]] = {name: source[at] for name, at in names.items()}
        read, findings = cls._read(wanted, text_cells=text_cells, date_format=date_format)
        ignored = [s for s in source if s not in names.values()]
        if ignored:
            listed = ", ".join(ignored[:20]) + (", ..." if len(ignored) > 20 else "")
            findings.warn("columns-ignored", f"columns left out: {listed}{near_names(cls, ignored)}")
        warnings = tuple(findings.warnings)
        if on_error == "raise" or findings.whole or not findings.problems:
            findings.raise_if_any(cls.subject)
            return cls._trusted(read, warnings)
        bad = findings.bad_rows
        rest = cls._trusted(read, warnings).take(np.flatnonzero(~bad))
        again = Findings(len(rest))
        for name in [s for s, spec in columns_of(cls).items() if spec.unique and s in read]:
            check_ids(getattr(rest, name), name, again)
        cls._check({name: getattr(rest, name) for name in read}, again)  # what only the rows together break
        again.raise_if_any(cls.subject)
        # warnings of the first reading spoke of rows that are gone, and numbered the others otherwise
        whole = [w for w in warnings if not w.rows and w.code not in {x.code for x in again.warnings}]
        object.__setattr__(rest, "diagnostics", (*whole, *again.warnings))
        object.__setattr__(rest, "rejects", Rejects(np.flatnonzero(bad), tuple(findings.problems)))
        return rest

    @classmethod
    def from_records(
        cls,
        records: Iterable[Any],
        *,
        measures: Iterable[str] | Mapping[str, str] = (),
        on_error: OnError = "raise",
    ) -> Self:
        """Read a table from small objects or mappings, one a row.

        Parameters
        ----------
        records : iterable of dataclass instances, named tuples, objects with attributes, or mappings
            A field that a record lacks, or that is None, is blank in its row; a column that
            no record has is absent.
        measures, on_error
            As in `from_frame`.
        """
        rows = [fields_of(record, cls.subject) for record in records]
        names = list(dict.fromkeys(itertools.chain.from_iterable(rows))) if rows else required_columns(cls)
        frame = {name: [row.get(name) for row in rows] for name in names}
        required = required_columns(cls)
        present = {k: v for k, v in frame.items() if k in required or any(cell is not None for cell in v)}
        return cls.from_frame(present, measures=measures, on_error=on_error)

    # -- using -----------------------------------------------------------------------------

    def _columns(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in columns_of(type(self)) if getattr(self, name) is not None}
        if has_measures(type(self)):
            found["measures"] = getattr(self, "measures", {})
        return found

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns that are there, measures last."""
        named = [name for name in columns_of(type(self)) if getattr(self, name) is not None]
        return (*named, *getattr(self, "measures", {}))

    def __len__(self) -> int:
        return len(getattr(self, required_columns(type(self))[0]))

    def __getitem__(self, i: int) -> Row:
        n = len(self)
        if not isinstance(i, (int, np.integer)) or isinstance(i, bool):
            msg = f"expected the position of one row, not {i!r}; take() chooses several"
            raise TypeError(msg)
        if not -n <= i < n:
            msg = f"row {i} of {n} {self.subject}"
            raise IndexError(msg)
        return Row(self, int(i) % n)

    def __iter__(self) -> Iterator[Row]:
        return (Row(self, i) for i in range(len(self)))

    def take(self, idx: npt.ArrayLike) -> Self:
        """Return the rows at positions `idx` (or where a bool mask holds), in that order.

        Raises
        ------
        IndexError
            A mask of another length, or a position outside [0, len).
        InputError
            A row is taken twice where the table has unique ids.
        """
        n = len(self)
        at = row_positions(idx, n, self.subject)
        if any(spec.unique for spec in columns_of(type(self)).values()) and len(at) > 1:
            twice = np.flatnonzero(np.bincount(at, minlength=n) > 1)
            if len(twice):
                rows = tuple(int(r) for r in twice[:5])
                problem = Problem("duplicate-id", "taken twice", column="id", count=len(twice), rows=rows)
                raise InputError([problem], self.subject)
        taken: dict[str, Any] = {}
        for name, values in self._columns().items():
            if name == "measures":
                taken[name] = MappingProxyType({k: sealed(v[at]) for k, v in values.items()})
            elif isinstance(values, (WeeklyHours, DateRanges, DatedHours, TextSets)):
                taken[name] = values.take(at)
            else:
                taken[name] = sealed(values[at])
        return self._trusted(taken, self.diagnostics)

    @cached_property
    def _position(self) -> dict[str, int]:
        ids: npt.NDArray[Any] = getattr(self, "id", np.empty(0, dtype=TEXT))
        return {text: i for i, text in enumerate(ids.tolist())}

    def positions(self, ids: Iterable[object]) -> IdxArray:
        """Return the positions of ids.

        Parameters
        ----------
        ids : iterable of str
            Or of whole numbers, which are then taken as text.

        Raises
        ------
        InputError
            Some are unknown, or no text; they are listed.
        """
        wanted = self._texts(ids)
        try:
            return np.array([self._position[i] for i in wanted], dtype=np.int32)
        except KeyError:
            bad = [row for row, i in enumerate(wanted) if i not in self._position]
            unknown = list(dict.fromkeys(wanted[row] for row in bad))
            shown = ", ".join(repr(u) for u in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
            problem = Problem(
                "unknown-id", f"unknown {self.subject}: {shown}", column="id", count=len(bad), rows=tuple(bad[:5])
            )
            raise InputError([problem], self.subject) from None

    def _texts(self, ids: Iterable[object]) -> list[str]:
        values = ids if isinstance(ids, np.ndarray) else list(ids)
        findings = Findings(len(values))
        column = read_column(values, "id", Column(Kind.TEXT, missing=True), findings)
        findings.raise_if_any(self.subject)
        texts: list[str] = column.tolist()
        return texts

    def to_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns as arrays that a dataframe takes: ids and words as text, days as dates."""
        specs = columns_of(type(self))
        flat = {k: v for k, v in self._columns().items() if k != "measures"}
        return {name: outward(v, specs.get(name)) for name, v in {**flat, **getattr(self, "measures", {})}.items()}

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the table as a dataframe of `backend`: "pandas", "polars" or "pyarrow"."""
        return to_native(self.to_dict(), backend)

    def equals(self, other: object) -> bool:
        """Return whether `other` is a table of the same kind with the same columns and values."""
        if type(other) is not type(self) or not isinstance(other, Table):
            return False
        if self.column_names != other.column_names or len(self) != len(other):
            return False
        mine, theirs = self.to_dict(), other.to_dict()
        return all(_same(mine[k], theirs[k]) for k in mine)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} rows, {', '.join(self.column_names)}>"


def _is_scalar(values: Any) -> bool:
    return getattr(values, "ndim", 1) == 0


def _renewed(findings: Findings, n: int) -> Findings:
    """Return findings for n rows that keep what has been found of the table."""
    renewed = Findings(n)
    renewed.problems += findings.problems
    renewed.whole = findings.whole
    return renewed


def _same(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fM" and b.dtype.kind in "fM")
