"""Reading a matrix of travel times: what is wrong with it, and what merely looks wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import MAX_ROWS_LISTED, Problem
from territory.travel.protocol import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["check_ids", "read_matrix", "warn_speeds", "warn_triangles", "warn_unreachable"]

#: Matrices up to this size are searched for shorter ways over a third place in full; of larger ones, this many
#: detours are drawn, always the same ones.
_FULL_SEARCH: Final = 300
_SAMPLED_DETOURS: Final = 1_000_000
#: Three legs in whole seconds, however they were rounded, can be this much off the triangle inequality.
_ROUNDING_S: Final = 3.0
_SLOWEST_KM_H: Final = 1.0
_FASTEST_KM_H: Final = 200.0
#: Shorter legs say nothing about speed: parking and walking rule them.
_TELLING_M: Final = 500.0
_TELLING_S: Final = 1_800.0


def read_matrix(values: Any, name: str, n: int, problems: list[Problem]) -> NDArray[np.float64] | None:
    """Read a square matrix, noting every rule it breaks.

    Parameters
    ----------
    values : array_like of shape (n, n)
        Numbers; None, masked or infinite where there is no way.
    name : str
        The parameter it came in.
    n : int
        How many ids it must fit.
    problems : list of Problem
        Added to.

    Returns
    -------
    float array of shape (n, n), or None if it cannot be read
        A copy, infinite where there is no way.
    """
    array = _read_numbers(values, name, problems)
    if array is None:
        return None
    if array.shape != (n, n):
        message = f"shape {array.shape}, expected ({n}, {n}) as there are {n} ids"
        problems.append(Problem("matrix-shape", message, name))
        return None
    _note(problems, "nan", "not a number", np.isnan(array), name, hint="Write None or inf where there is no way.")
    _note(problems, "negative", "below zero", array < 0, name)
    _note(problems, "overflow", f"above {UNREACHABLE // 2:,}", (array > UNREACHABLE // 2) & ~np.isinf(array), name)
    diagonal = np.diagonal(array)
    # NaN and negative values have been noted already
    off_zero = np.flatnonzero(diagonal > 0)
    if len(off_zero):
        problems.append(_rows("diagonal", "not zero from a place to itself", off_zero, len(off_zero), name))
    return array


def _read_numbers(values: Any, name: str, problems: list[Problem]) -> NDArray[np.float64] | None:
    if isinstance(values, np.ma.MaskedArray):
        mask, values = np.ma.getmaskarray(values), np.ma.getdata(values).astype(object)
        values[mask] = None
    try:
        cells = np.asarray(values)
    except ValueError:
        problems.append(Problem("matrix-ragged", "rows of different lengths", name))
        return None
    if cells.dtype.kind in "iuf":
        return cells.astype(np.float64)
    if cells.dtype == object:
        flat = [np.inf if _is_null(cell) else cell for cell in cells.ravel().tolist()]
        if all(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in flat):
            try:
                return np.array(flat, dtype=np.float64).reshape(cells.shape)
            except OverflowError:
                problems.append(Problem("overflow", "integers too large", name))
                return None
    problems.append(Problem("not-numbers", "expected numbers", name, hint="Maybe numbers written as text?"))
    return None


def _is_null(cell: object) -> bool:
    # the null of pandas, told by its name so that pandas need not be imported
    return cell is None or type(cell).__name__ == "NAType"


def _rows(code: str, message: str, rows: Iterable[int], count: int, column: str, *, hint: str | None = None) -> Problem:
    return Problem(code, message, column, count, tuple(int(row) for row in rows)[:MAX_ROWS_LISTED], hint)


def _note(
    problems: list[Problem], code: str, message: str, bad: NDArray[np.bool_], name: str, *, hint: str | None = None
) -> None:
    if bad.any():
        rows = np.flatnonzero(bad.any(axis=1))
        problems.append(_rows(code, message, rows, int(bad.sum()), name, hint=hint))


def check_ids(ids: Sequence[str], name: str, problems: list[Problem]) -> None:
    """Note ids that are blank, no text, or there twice.

    Parameters
    ----------
    ids : sequence of str
    name : str
        The parameter they came in.
    problems : list of Problem
        Added to.
    """
    no_text = [row for row, value in enumerate(ids) if not isinstance(value, str)]
    if no_text:
        problems.append(_rows("id-not-text", "expected text", no_text, len(no_text), name, hint="Maybe str(id)?"))
    blank = [row for row, value in enumerate(ids) if isinstance(value, str) and not value.strip()]
    if blank:
        problems.append(_rows("blank-id", "blank", blank, len(blank), name))
    seen: set[str] = set()
    again = []
    for row, value in enumerate(ids):
        if value in seen:
            again.append(row)
        seen.add(value)
    if again:
        problems.append(_rows("duplicate-id", "the same id again", again, len(again), name))


def warn_unreachable(durations: NDArray[np.float64], ids: Sequence[str]) -> list[Problem]:
    """Warn of legs without a way, naming the places that have most of them.

    Parameters
    ----------
    durations : float array of shape (n, n)
        Seconds, infinite where there is no way.
    ids : sequence of str, length n
    """
    endless = np.isinf(durations)
    if not endless.any():
        return []
    per_place = endless.sum(axis=0) + endless.sum(axis=1)
    worst = np.argsort(-per_place, kind="stable")[:MAX_ROWS_LISTED]
    names = ", ".join(repr(ids[place]) for place in worst if per_place[place])
    message = f"no way; most often from or to {names}"
    rows = np.flatnonzero(endless.any(axis=1))
    return [_rows("unreachable", message, rows, int(endless.sum()), "durations_s")]


def warn_triangles(durations: NDArray[np.float64]) -> list[Problem]:
    """Warn where the way over a third place is shorter than the direct one.

    Such a matrix is used as it is: road matrices with turn restrictions or snapped ends do that a little.

    Parameters
    ----------
    durations : float array of shape (n, n)
        Seconds, infinite where there is no way.
    """
    n = len(durations)
    if n < 3:
        return []
    if n <= _FULL_SEARCH:
        shortest = durations.copy()
        for via in range(n):
            np.minimum(shortest, durations[:, via, None] + durations[None, via, :], out=shortest)
        bad = durations > shortest + _ROUNDING_S
        rows, count = np.flatnonzero(bad.any(axis=1)), int(bad.sum())
        message = "longer than the way over a third place"
    else:
        rng = np.random.default_rng(0)
        start, via, end = rng.integers(0, n, (3, _SAMPLED_DETOURS))
        worse = durations[start, end] > durations[start, via] + durations[via, end] + _ROUNDING_S
        rows, count = np.unique(start[worse]), int(worse.sum())
        message = f"longer than the way over a third place (in a sample of {_SAMPLED_DETOURS:,} detours)"
    if count == 0:
        return []
    return [_rows("triangle-violated", message, rows, count, "durations_s")]


def warn_speeds(durations: NDArray[Any], distances: NDArray[Any], legs: NDArray[np.bool_]) -> list[Problem]:
    """Warn of legs that nobody drives at that speed: most often a wrong unit.

    Parameters
    ----------
    durations : array of shape (m, n)
        Seconds.
    distances : array of shape (m, n)
        Metres.
    legs : bool array of shape (m, n)
        Which of them to judge; those without a way must be left out.
    """
    telling = legs & ((distances >= _TELLING_M) | (durations >= _TELLING_S))
    # compared as products, so that a duration of zero needs no care
    metres_km_h = np.where(telling, distances, 0.0) * 3.6
    seconds = np.where(telling, durations, 0.0)
    found = []
    for bad, code, what, hint in (
        (
            metres_km_h > _FASTEST_KM_H * seconds,
            "speed-too-high",
            f"above {_FASTEST_KM_H:g} km/h",
            "Maybe minutes where seconds are meant?",
        ),
        (
            metres_km_h < _SLOWEST_KM_H * seconds,
            "speed-too-low",
            f"below {_SLOWEST_KM_H:g} km/h",
            "Maybe milliseconds where seconds are meant, or kilometres where metres are?",
        ),
    ):
        if bad.any():
            rows = np.flatnonzero(bad.any(axis=1))
            found.append(_rows(code, what, rows, int(bad.sum()), "durations_s", hint=hint))
    return found
