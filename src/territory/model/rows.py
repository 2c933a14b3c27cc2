"""Rows beside columns: views of single ones, those that were set aside, records in and values out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import TEXT, frozen, sealed
from territory.model.columns import Column, Kind, columns_of
from territory.model.dated import DatedHours
from territory.model.hours import WEEKDAYS, WeeklyHours
from territory.model.ragged import DateRanges, TextSets

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.table import Table

__all__ = ["Rejects", "Row", "fields_of", "outward"]


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", sealed(np.array(self.rows, dtype=np.int64)))

    def __reduce__(self) -> tuple[Any, ...]:  # a pickled array comes back writeable
        return type(self), (self.rows, self.problems)

    def __len__(self) -> int:
        return len(self.rows)


class Row:
    """One row of a table, read-only: ``table[3].name``."""

    __slots__ = ("_i", "_table")

    def __init__(self, table: Table, i: int) -> None:
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "_i", i)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._table, self._i)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what copy and pickle look for
            raise AttributeError(name)
        try:
            return self._value(name)
        except KeyError:
            msg = f"a row of {self._table.subject} has no {name!r}"
            raise AttributeError(msg) from None

    def _value(self, name: str) -> Any:
        if name in columns_of(type(self._table)):
            values = getattr(self._table, name)
        else:
            values = getattr(self._table, "measures", {})[name]
        if values is None:
            return None
        value = values[self._i]
        return value.item() if isinstance(value, np.generic) and not isinstance(value, np.datetime64) else value

    def __setattr__(self, name: str, value: object) -> None:
        msg = "rows are read-only"
        raise AttributeError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return the row as a dictionary of the columns that are there."""
        return {name: self._value(name) for name in self._table.column_names}

    def __repr__(self) -> str:
        return f"{type(self._table).__name__}[{self._i}]({', '.join(f'{k}={v!r}' for k, v in self.to_dict().items())})"


def fields_of(record: Any, subject: str) -> Mapping[str, Any]:
    """Return a small object as a mapping of its fields; raises `InputError` where it has none."""
    if isinstance(record, Mapping):
        return record
    if isinstance(record, Row):
        return record.to_dict()
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    if hasattr(record, "_asdict"):
        return dict(record._asdict())
    names = getattr(record, "__dict__", None) or getattr(type(record), "__slots__", ())
    if isinstance(record, type) or not names:
        message = f"expected objects with attributes, or mappings, not {type(record).__name__}"
        raise InputError([Problem("not-a-record", message)], subject)
    return {name: getattr(record, name) for name in names if hasattr(record, name)}


def outward(values: Any, spec: Column | None) -> npt.NDArray[Any]:
    """Return a column as an array that a dataframe takes: words and ragged cells as text."""
    if isinstance(values, (WeeklyHours, DateRanges, DatedHours, TextSets)):
        return np.array(values.to_text(), dtype=object)
    array: npt.NDArray[Any] = values
    if array.dtype == TEXT:
        return array.astype(object)
    if spec is not None and spec.words is not None:
        words = np.array([*(w.name.lower() for w in sorted(spec.words)), ""], dtype=object)
        return np.asarray(words[array])  # codes count from 0; blank, -1, is the last
    if spec is not None and spec.kind is Kind.WEEKDAYS:
        masks = [",".join(WEEKDAYS[d] for d in range(7) if mask >> d & 1) for mask in range(128)]
        return np.asarray(np.array(masks, dtype=object)[array])
    return frozen(array)
