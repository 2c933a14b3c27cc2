"""Ids: each stands once, none is blank, and look-alikes are pointed out."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.model.arrays import CHUNK

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.columns import Findings

__all__ = ["check_ids"]

#: What `str.strip` takes off ASCII text, the newline aside.
_SPACES: Final = " \t\r\x0b\x0c\x1c\x1d\x1e\x1f"


def check_ids(ids: npt.NDArray[Any], name: str, findings: Findings) -> None:
    """Note ids that are blank or stand more than once, and warn of those that people take for one.

    Takes 9 bytes a row beyond the ids, and O(n log n) time.
    """
    n = len(ids)
    bad = findings.bad_in(name)
    hashes = np.empty(n, dtype=np.int64)
    blank = np.empty(n, dtype=bool)
    for first in range(0, n, CHUNK):
        folded = _fold(ids[first : first + CHUNK].tolist())
        at = slice(first, first + len(folded))
        hashes[at] = np.fromiter(map(hash, folded), dtype=np.int64, count=len(folded))
        blank[at] = [not v for v in folded] if "" in folded else False
    findings.rows("blank-id", "blank", blank & ~bad, column=name)
    # hashes find the suspects in 8 bytes a row; only suspects are then compared as text
    suspects = _repeated(hashes)
    suspects = suspects[~bad[suspects]]
    texts: list[str] = ids[suspects].tolist()
    exact, twin = Counter(texts), Counter(_fold(texts))
    doubled, twins = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    doubled[suspects] = [exact[v] > 1 for v in texts]
    twins[suspects] = [twin[v] > 1 for v in _fold(texts)]
    findings.rows("duplicate-id", "stands more than once", doubled & ~blank, column=name)
    findings.warn("twin-ids", "differ only by case, space or Unicode form", twins & ~doubled & ~blank, column=name)


def _fold(texts: list[str]) -> list[str]:
    """Return texts without what people do not see: case, outer space, Unicode form."""
    joined = "\n".join(texts)
    if not joined.isascii():
        return [unicodedata.normalize("NFKC", v).strip().casefold() for v in texts]
    folded = joined.lower().split("\n")
    if len(folded) != len(texts) or any(space in joined for space in _SPACES):
        return [v.strip().lower() for v in texts]
    return folded


def _repeated(hashes: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return the rows whose hash stands more than once."""
    ranked = np.sort(hashes)
    return np.flatnonzero(np.isin(hashes, ranked[1:][ranked[1:] == ranked[:-1]]))
