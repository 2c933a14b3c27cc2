"""The array types that tables are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CHUNK",
    "NO_IDX",
    "TEXT",
    "BoolArray",
    "DayArray",
    "FloatArray",
    "IdxArray",
    "InstantArray",
    "IntArray",
    "TextArray",
    "frozen",
    "text_array",
]

#: Text of any length, 16 bytes a value up to 15 bytes of UTF-8 (numpy 2).
TEXT: Final = np.dtypes.StringDType()
#: Rows that are Python objects at a time while a column is read: a few MB, and no slower.
CHUNK: Final = 65_536
#: The position that means "none".
NO_IDX: Final = -1

TextArray: TypeAlias = np.ndarray[Any, Any]
FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
IdxArray: TypeAlias = npt.NDArray[np.int32]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
#: ``datetime64[D]``: a calendar day.
DayArray: TypeAlias = npt.NDArray[np.datetime64]
#: ``datetime64[s]``: an instant in UTC.
InstantArray: TypeAlias = npt.NDArray[np.datetime64]


def text_array(values: Iterable[str]) -> TextArray:
    """Make a text array from strings.

    >>> text_array(["007", "NA"]).tolist()
    ['007', 'NA']
    """
    if not isinstance(values, (list, np.ndarray)):
        values = list(values)
    return np.array(values, dtype=TEXT)


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return `array` as one that cannot be written to; a writeable view's owner is left alone."""
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array
