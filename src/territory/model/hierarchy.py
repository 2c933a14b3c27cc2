"""Territories in districts, districts in regions: alignments one over the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import NO_IDX
from territory.model.frames import to_native
from territory.model.late import late

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.arrays import IdxArray

__all__ = ["Hierarchy"]

_SUBJECT = "hierarchy"


@dataclass(frozen=True, eq=False, repr=False)
class Hierarchy:
    """Alignments one over the other; each deals out the territories of the one below as if they were customers.

    Attributes
    ----------
    levels : tuple of Alignment
        The first is that of the n customers. The customers of each other are the territories of the one below, in
        its order: at their mean position, with what they add up to as measures.
    names : tuple of str
        What a territory of each level is called, such as ``("territory", "district", "region")``.

    Raises
    ------
    InputError
        Levels that do not lie on one another, or names that are no different words.

    Examples
    --------
    >>> from territory import Customers, design_territories, group_territories
    >>> customers = Customers(id=["a", "b", "c", "d"], lon=[1, 2, 8, 9], lat=[50] * 4)
    >>> made = group_territories(design_territories(customers, n_territories=4), 2)
    >>> made.of("c")
    ('T3', 'D2')
    """

    levels: tuple[Alignment, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        levels, names = tuple(self.levels), tuple(self.names)
        problems = []
        if not levels:
            problems.append(Problem("no-levels", "a hierarchy has one level at least"))
        if len(names) != len(levels):
            problems.append(Problem("wrong-shape", f"names: {len(names)} for {len(levels)} levels"))
        if any(not isinstance(name, str) or not name.strip() for name in names) or len(set(names)) < len(names):
            problems.append(Problem("bad-name", f"names: expected different words, not {names!r}"))
        for below, above, name in zip(levels, levels[1:], names[1:], strict=False):
            if below.territory_id.tolist() != above.customers.id.tolist():
                problems.append(Problem("levels-differ", f"the level {name!r} is not of the territories below it"))
        if problems:
            raise InputError(problems, _SUBJECT)
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "names", names)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __len__(self) -> int:
        return len(self.levels)

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(level)} of level {name}" for level, name in zip(self.levels, self.names, strict=True))
        n = len(self.levels[0].customers)
        return f"<Hierarchy: {n} customers, {counts}>"

    def position(self, level: str | int) -> int:
        """Return the position of a level, given by its name or position.

        Raises
        ------
        InputError
            There is no such level.
        """
        if isinstance(level, str) and level in self.names:
            return self.names.index(level)
        if isinstance(level, (int, np.integer)) and not isinstance(level, bool) and 0 <= level < len(self):
            return int(level)
        problem = Problem("unknown-level", f"there is no level {level!r}; there are: {', '.join(self.names)}")
        raise InputError([problem], _SUBJECT)

    def labels(self, level: str | int) -> IdxArray:
        """Return where each customer belongs at a level, int32 of shape (n,): a position there; -1: nowhere."""
        return self._up(0, self.position(level))

    def members(self, level: str | int) -> IdxArray:
        """Return where each of the lowest territories belongs at a level, int32 of shape (k,)."""
        at = self.position(level)
        return np.arange(len(self.levels[0]), dtype=np.int32) if at == 0 else self._up(1, at)

    def _up(self, first: int, last: int) -> IdxArray:
        label = self.levels[first].territory_idx
        for above in self.levels[first + 1 : last + 1]:
            label = np.append(above.territory_idx, np.int32(NO_IDX))[label]
        return label

    def of(self, customer_id: str) -> tuple[str, ...]:
        """Return the names of a customer's territory, district, region and so on; empty where he is in none.

        Raises
        ------
        InputError
            There is no such customer.
        """
        row = int(self.levels[0].customers.positions([customer_id])[0])
        path = [int(self.labels(at)[row]) for at in range(len(self))]
        if path[0] < 0:
            return ()
        return tuple(str(level.territory_id[j]) for level, j in zip(self.levels, path, strict=True))

    def alignment(self, level: str | int) -> Alignment:
        """Return who belongs where at a level, as an alignment of the customers.

        Its balance and targets are those of the level; ``"count"`` counts territories there, and is left out here.
        """
        at = self.position(level)
        base, top = self.levels[0], self.levels[at]
        if at == 0:
            return base
        c = base.customers
        # contiguity concerns whom every rep may serve: the reps of the level are others, if there are any
        plain = c.locked is None and c.required_skills is None and c.forbidden_reps is None and not base.rules.overrides
        kept = {name for name in top.balance if name in base.customers.measures or name in ("workload_s", "deal_value")}
        return replace(
            top,
            customers=base.customers,
            territory_idx=self.labels(at),
            balance={name: v for name, v in top.balance.items() if name in kept},
            targets={name: v for name, v in top.targets.items() if name in kept},
            graph=base.graph,
            contiguous=base.contiguous and top.contiguous and plain,
            objective=float("nan"),
            bound=None,
            unassigned_reason=base.unassigned_reason,
            rules=type(top.rules)(),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return customer_id, and the id of every level, as arrays of shape (n,); blank: nowhere."""
        columns: dict[str, Any] = {"customer_id": self.levels[0].customers.id.astype(object)}
        for at, (level, name) in enumerate(zip(self.levels, self.names, strict=True)):
            ids = np.array([*level.territory_id.tolist(), ""], dtype=object)
            columns[f"{name}_id"] = ids[self.labels(at)]
        return columns

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return customer_id, territory_id, district_id and so on, one row a customer."""
        return to_native(self.to_dict(), backend)

    def report_dict(self, level: str | int) -> dict[str, Any]:
        """Return the columns of `report` as arrays, one value a territory of the level."""
        return dict(late("design.hierarchy", "hierarchy_report", self, self.position(level)))

    def report(self, level: str | int, backend: str = "pandas") -> Any:
        """Return a table of a level, one row a territory (district, region, ...).

        Its id, the id of what it belongs to, territories and customers in it, each measure with target and deviation
        where there are some, distances from its centre, parts, and the driving of its territories.
        """
        return to_native(self.report_dict(level), backend)
