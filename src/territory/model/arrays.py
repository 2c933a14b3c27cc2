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
    "kept",
    "row_positions",
    "sealed",
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

    Raises
    ------
    TypeError
        Something is no text; numpy alone would write it as text (``None`` as ``"None"``).

    Examples
    --------
    >>> text_array(["007", "NA"]).tolist()
    ['007', 'NA']
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "UT":
        return values.astype(TEXT)
    texts = values.tolist() if isinstance(values, np.ndarray) else list(values)
    "".join(texts)  # the fast way to know that every cell is text
    return np.array(texts, dtype=TEXT) if texts else np.empty(0, dtype=TEXT)


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return `array` as one that cannot be written to; a writeable view's owner is left alone."""
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def sealed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Forbid writing to an array that nobody else has yet, and return it."""
    array.flags.writeable = False
    return array


def kept(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return `array` as one that nobody can write to: itself where that is so, or else a copy."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return sealed(array.copy())
        owner = owner.base
    return array if owner is None else sealed(array.copy())


def row_positions(idx: npt.ArrayLike, n: int, subject: str) -> IntArray:
    """Read positions of rows, or a mask over them.

    Parameters
    ----------
    idx : array_like of int, or of bool with shape (n,)
    n : int
        Number of rows there are.
    subject : str
        What the rows are, for messages.

    Returns
    -------
    int64 array

    Raises
    ------
    IndexError
        A mask of another length, a position outside [0, n) (-1 means "none" here, not "the
        last"), or what is no list of whole numbers.

    Examples
    --------
    >>> row_positions([True, False, True], 3, "customers").tolist()
    [0, 2]
    """
    at = np.asarray(idx)
    if at.ndim != 1:
        msg = f"expected a list of positions of {subject}, not shape {at.shape}; table[i] gives one row"
        raise IndexError(msg)
    if at.dtype == bool:
        if len(at) != n:
            msg = f"a mask of length {len(at)} over {n} {subject}"
            raise IndexError(msg)
        return np.flatnonzero(at).astype(np.int64)
    if len(at) == 0:
        return np.empty(0, dtype=np.int64)
    if at.dtype.kind not in "iu":
        msg = f"expected whole numbers or a mask to choose {subject}, not {at.dtype}"
        raise IndexError(msg)
    low, high = int(at.min()), int(at.max())
    if low < 0 or high >= n:
        msg = f"position {low if low < 0 else high} of {n} {subject}"
        raise IndexError(msg)
    return at.astype(np.int64)
