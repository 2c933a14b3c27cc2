"""Which territories there are after reps came and went: who keeps his, which are dissolved, split, merged, new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import Problem
from territory.model.arrays import NO_IDX

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray, IdxArray
    from territory.model.reps import Reps

__all__ = ["Shape", "read_shape"]


@dataclass(frozen=True, eq=False)
class Shape:
    """The territories that there will be, and what became of the old ones.

    Attributes
    ----------
    territory_id : list of str, length k
        Those that stay, in their order, then the new ones.
    rep_idx : int32 array of shape (k,)
        Among the reps that there are now; -1: none.
    became : int32 array of shape (number of old territories,)
        Where the customers of each old territory begin: itself, or the one that it was merged into; -1: it is gone.
    kept : int32 array of shape (number of territories that stay,)
        Their positions in the old alignment.
    origin : int32 array of shape (k,)
        The territory (new position) that a new one is split from; -1: none.
    lon, lat : float arrays of shape (k,), degrees
        Where a new territory begins; NaN: nobody said.
    """

    territory_id: list[str]
    rep_idx: IdxArray
    became: IdxArray
    kept: IdxArray
    origin: IdxArray
    lon: FloatArray
    lat: FloatArray


class _Reader:
    def __init__(self, alignment: Alignment, reps: Reps | None, problems: list[Problem]) -> None:
        self.alignment, self.problems = alignment, problems
        self.reps = alignment.reps if reps is None else reps
        self.id = alignment.territory_id.tolist()
        self.at = {name: j for j, name in enumerate(self.id)}
        old = alignment.reps
        self.old_rep = ["" if r < 0 or old is None else str(old.id[r]) for r in alignment.rep_idx]
        self.by_rep = {name: j for j, name in enumerate(self.old_rep) if name}
        self.rep_at = {} if self.reps is None else {name: j for j, name in enumerate(self.reps.id.tolist())}
        self.touched: dict[int, str] = {}

    def note(self, code: str, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(code, message, hint=hint))

    def old(self, name: Any, what: str) -> int | None:
        """Return the position of an old territory by its id, or by the id of its rep."""
        found = self.at.get(name, self.by_rep.get(name)) if isinstance(name, str) else None
        if found is None:
            shown = ", ".join(self.id[:5]) + (", ..." if len(self.id) > 5 else "")
            self.note("unknown-territory", f"{what}: no territory or rep {name!r}; there are: {shown}")
        return found

    def once(self, j: int | None, what: str) -> bool:
        """Note that a territory is changed; it is an error to change it twice."""
        if j is None:
            return False
        if j in self.touched:
            self.note("conflicting-changes", f"{what}: territory {self.id[j]} is in {self.touched[j]} too")
            return False
        self.touched[j] = what
        return True


def _listed(values: Any, what: str, reader: _Reader) -> list[Any]:
    if values is None:
        return []
    if isinstance(values, str) or not isinstance(values, Iterable):
        reader.note("not-a-list", f"{what}: expected a list of ids, not {values!r:.60}", f"Maybe [{values!r:.40}]?")
        return []
    return list(values)


def _pairs(values: Any, what: str, reader: _Reader) -> list[tuple[Any, Any]]:
    if isinstance(values, Mapping):
        return list(values.items())
    out = []
    for pair in _listed(values, what, reader):
        if isinstance(pair, str) or not isinstance(pair, Iterable) or len(both := tuple(pair)) != 2:
            reader.note("not-pairs", f"{what}: expected pairs of ids, not {pair!r:.60}")
        else:
            out.append((both[0], both[1]))
    return out


def read_shape(
    alignment: Alignment,
    reps: Reps | None,
    *,
    add: Any,
    remove: Any,
    split: Any,
    merge: Any,
    successors: Any,
    problems: list[Problem],
) -> Shape:
    """Read how territories change; what is wrong goes to `problems`. See `realign`."""
    read = _Reader(alignment, reps, problems)
    dissolved: dict[int, int] = {}
    for name in _listed(remove, "remove", read):
        j = read.old(name, "remove")
        if read.once(j, "remove") and j is not None:
            dissolved[j] = NO_IDX
    for name, other in _pairs(merge, "merge", read):
        into, gone = read.old(name, "merge"), read.old(other, "merge")
        if into is not None and into == gone:
            read.note("conflicting-changes", f"merge: territory {name} with itself")
        elif read.once(gone, "merge") and into is not None and gone is not None:
            dissolved[gone] = into
    heir = _heirs(read, reps, successors, dissolved)
    kept = [j for j in range(len(read.id)) if j not in dissolved]
    position = {j: p for p, j in enumerate(kept)}
    ids = [read.id[j] for j in kept]
    rep = [read.rep_at.get(heir[j], NO_IDX) for j in kept]
    there = _There(read, ids, rep)
    for name, other in _pairs(split, "split", read):
        j = read.old(name, "split")
        if read.once(j, "split") and j is not None and j in position:
            there.add(other, "split", position[j], None)
    added = add.items() if isinstance(add, Mapping) else [(name, None) for name in _listed(add, "add", read)]
    for name, place in added:
        there.add(name, "add", NO_IDX, _place(read, name, place))
    if reps is not None:
        before = set() if alignment.reps is None else set(alignment.reps.id.tolist())
        for name in reps.id.tolist():
            if name not in before and read.rep_at[name] not in rep and name not in ids:
                there.add(name, "reps", NO_IDX, None)
    if not ids:
        read.note("no-territories", "no territory is left to take the customers", "Keep one, or add one.")
    became = np.array([position.get(dissolved.get(j, j), NO_IDX) for j in range(len(read.id))], dtype=np.int32)
    lon, lat = np.array(there.places, dtype=np.float64).reshape(-1, 2).T
    return Shape(
        ids, np.array(rep, dtype=np.int32), became, np.array(kept, dtype=np.int32),
        np.array(there.origin, dtype=np.int32), lon, lat,
    )  # fmt: skip


class _There:
    """The territories that there are, to which new ones are added."""

    def __init__(self, read: _Reader, ids: list[str], rep: list[int]) -> None:
        self.read, self.ids, self.rep = read, ids, rep
        self.origin = [NO_IDX] * len(ids)
        self.places = [(np.nan, np.nan)] * len(ids)

    def add(self, name: Any, what: str, source: int, place: tuple[float, float] | None) -> None:
        """Add a territory, split from `source` or at a place, or note why there can be none of that name."""
        read = self.read
        r = read.rep_at.get(name, NO_IDX) if isinstance(name, str) else NO_IDX
        if not isinstance(name, str) or not name.strip():
            read.note("bad-id", f"{what}: expected an id of a new territory, not {name!r:.60}")
        elif name in self.ids:
            read.note("duplicate-id", f"{what}: there is a territory {name!r} already")
        elif r >= 0 and r in self.rep:
            read.note("duplicate-id", f"{what}: rep {name!r} has a territory already")
        elif r < 0 and read.rep_at and place is None and what == "add":
            there = ", ".join(list(read.rep_at)[:5])
            read.note("unknown-rep", f"add: no rep {name!r} in the table; there are: {there}")
        else:
            if place is None and r >= 0 and read.reps is not None and source < 0:
                place = float(read.reps.lon[r]), float(read.reps.lat[r])
            self.ids.append(name)
            self.rep.append(r)
            self.origin.append(source)
            self.places.append((np.nan, np.nan) if place is None else place)


def _heirs(read: _Reader, reps: Reps | None, successors: Any, dissolved: dict[int, int]) -> list[str]:
    """Return the rep of each old territory from now on; territories of reps who left are dissolved."""
    heir = list(read.old_rep)
    if successors is not None and not isinstance(successors, Mapping):
        read.note("bad-successors", f"successors: expected a mapping of rep id to rep id, not {successors!r:.60}")
        successors = None
    for left, follows in (successors or {}).items():
        j = read.by_rep.get(left)
        if j is None:
            read.note("unknown-rep", f"successors: nobody called {left!r} has a territory")
        elif follows not in read.rep_at:
            read.note("unknown-rep", f"successors: no rep {follows!r} in the table")
        else:
            heir[j] = follows
    held = [name for j, name in enumerate(heir) if name and j not in dissolved]
    twice = sorted({name for name in held if held.count(name) > 1})
    if twice and successors:
        read.note("rep-doubled", f"successors: reps who would have two territories: {', '.join(twice[:5])}")
    if reps is not None:
        for j, name in enumerate(heir):
            if name and name not in read.rep_at and j not in dissolved:
                dissolved[j] = NO_IDX
    for gone, into in dissolved.items():
        if into in dissolved:
            read.note("conflicting-changes", f"merge: {read.id[gone]} into {read.id[into]}, which is gone too")
    return heir


def _place(read: _Reader, name: Any, place: Any) -> tuple[float, float] | None:
    if place is None:
        return None
    try:
        lon, lat = (float(x) for x in place)
    except (TypeError, ValueError):
        lon = lat = np.nan
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        read.note("bad-place", f"add: expected (lon, lat) in degrees for {name!r}, not {place!r:.60}")
        return None
    return lon, lat
