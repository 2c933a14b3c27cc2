"""What territories are kept compact by, where it is not squared distances: seconds of travel, or metres.

Then centres are customers (or homes, of travel), or the places of least distance; `given_design` shares customers out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from territory.design.given import given_bound, given_cost, given_design, given_recentred, local_costs
from territory.design.given_groups import Grouped
from territory.design.given_points import PointDistances
from territory.design.metric import read_metric, stranded
from territory.design.near_legs import is_large, near_legs
from territory.design.problem import on_sphere
from territory.errors import InputError, Problem
from territory.model.places import Places

if TYPE_CHECKING:
    from territory.design.atoms import Atoms
    from territory.design.given import GivenDesign
    from territory.design.given_metric import Centers, Metric
    from territory.design.problem import DesignProblem
    from territory.model.arrays import BoolArray, FloatArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["Yardstick", "by_distance", "by_travel", "travel_name"]


@dataclass(frozen=True, eq=False)
class Yardstick:
    """A metric of the customers of a problem.

    Attributes
    ----------
    kind : {"distance", "travel"}
    metric : Metric of n customers
        Metres, or seconds; of travel, positions n, n + 1, ... are the homes of the problem's reps.
    name : str
        Of the travel: its fingerprint.
    near : Metric of the same customers, optional
        What territories are searched with where the metric would be asked for too much; their costs are still those of
        the metric, and bounds are not known.
    """

    kind: Literal["distance", "travel"]
    metric: Metric
    name: str = ""
    near: Metric | None = None

    def of_atoms(self, atoms: Atoms, weight: FloatArray) -> Metric:
        """Return the metric of atoms; a group costs the mean of its members."""
        metric = self.metric if self.near is None else self.near
        if atoms.problem.n == len(weight):
            return metric
        return Grouped(metric, atoms.atom, weight, atoms.problem.xyz)

    def first(
        self, atoms: Atoms, weight: FloatArray, lower: FloatArray, upper: FloatArray, *,
        homes: FloatArray | None, pull: float, starts: int, rng: np.random.Generator, deadline: float,
        begin: FloatArray | None = None,
    ) -> GivenDesign:  # fmt: skip
        """Return the first territories of atoms; `homes` (drawn to with `pull`) and `begin` as points, (k, 3)."""
        at: Centers | None = None
        if pull > 0.0 and homes is not None:
            n = len(weight)
            at = homes if self.kind == "distance" else np.arange(n, n + len(homes), dtype=np.int32)
        p, metric = atoms.problem, self.of_atoms(atoms, weight)
        center = None if begin is None else metric.seeded(begin, np.arange(p.n, dtype=np.int32))
        return given_design(
            metric, np.array(p.weight), np.array(lower), np.array(upper), center=center, homes=at, pull=pull,
            eligible=p.eligible, starts=starts, rng=rng, deadline=deadline,
        )  # fmt: skip

    def local(
        self, atoms: Atoms, weight: FloatArray, problem: DesignProblem, center: Centers
    ) -> tuple[FloatArray, DesignProblem]:
        """Return the costs of atoms at all centres, (a, k), times weight, and the problem with who may go where."""
        # customers without weight belong to the nearer centre too
        mass = np.maximum(problem.weight, 1e-9 * max(float(problem.weight.max(initial=0.0)), 1e-300))
        costs, may = local_costs(self.of_atoms(atoms, weight), mass, center, eligible=problem.eligible)
        return costs, replace(problem, eligible=may)

    def recentred(self, weight: FloatArray, label: IdxArray, center: Centers) -> Centers:
        """Return the best centres of territories of customers."""
        return given_recentred(self.metric if self.near is None else self.near, weight, label, center)

    def cost(self, weight: FloatArray, label: IdxArray, center: Centers) -> float:
        """Return the weighted cost of customers; infinite if somebody does not get to his centre."""
        own = self.metric.own(label, center)
        return given_cost(self.metric, weight, label, center) if np.isfinite(own).all() else float("inf")

    def bound(
        self, atoms: Atoms, weight: FloatArray, lower: FloatArray, upper: FloatArray, center: Centers,
        eligible: BoolArray | None,
    ) -> float:  # fmt: skip
        """Return what any answer costs with these centres; `eligible` of atoms. 0: not known."""
        if self.near is not None:
            return 0.0
        metric, mass = self.of_atoms(atoms, weight), np.array(atoms.problem.weight)
        return given_bound(metric, mass, np.array(lower), np.array(upper), center, eligible=eligible)


def by_distance(xyz: FloatArray) -> Yardstick:
    """Return the yardstick of great circles, centres anywhere."""
    return Yardstick("distance", PointDistances(xyz))


def travel_name(travel: Any) -> str:
    """Return what tells a source of travel times, or a sparse matrix of seconds, from others."""
    if not hasattr(travel, "tocoo"):
        return str(travel.fingerprint)
    m = travel.tocoo()
    order = np.lexsort((m.data, m.col, m.row))
    digest = sha256(repr(m.shape).encode())
    for part in (m.row, m.col, m.data):
        digest.update(np.ascontiguousarray(np.asarray(part, dtype=np.float64)[order]).tobytes())
    return f"seconds {digest.hexdigest()[:16]}"


def by_travel(
    travel: Any,
    customers: Customers,
    reps: Reps | None,
    row: IdxArray,
    order: IdxArray,
    *,
    at_homes: bool,
    least: float,
    weight: FloatArray,
    k: int,
) -> tuple[Yardstick, IdxArray]:
    """Return the yardstick of travel, and the customers left over on parts of the map too small for a territory.

    Parameters
    ----------
    travel : Travel, or sparse matrix of seconds
        In the order of the tables: customers, then reps if it knows their homes.
    customers, reps
    row, order : int32 arrays
        Positions of the problem's customers and reps in the tables.
    at_homes : bool
        Whether centres are at the homes, or drawn to them.
    least : float
        What a territory must hold at least.
    weight : float array, of the problem's customers
    k : int

    Returns
    -------
    Yardstick
        Of the customers that are left.
    int32 array
        Positions, among the problem's customers, of the others.

    Raises
    ------
    InputError
        See `read_metric`; and a matrix without the homes that are needed.
    """
    n = len(customers)
    sparse = hasattr(travel, "tocoo")
    # a matrix that knows homes has ways over them as well
    behind = reps is not None and (travel.shape[0] > n if sparse else at_homes)
    homes = reps.places().take(order) if reps is not None and behind else None

    def read(kept: IdxArray) -> Any:
        given = travel
        if sparse:
            if travel.shape not in ((n, n), (n + (0 if reps is None else len(reps)),) * 2):
                # the reading says what is wrong with it
                return read_metric(travel, customers.places(), None if reps is None else reps.places())
            at = kept.astype(np.int64)
            if at_homes and homes is None:
                message = "centres at homes, or near them, need the homes behind the customers in the matrix"
                raise InputError([Problem("wrong-shape", message, hint="Maybe centers='free'?")], "travel")
            if homes is not None:
                at = np.concatenate([at, n + order.astype(np.int64)])
            given = travel.tocsr()[at][:, at]
        return read_metric(given, customers.places().take(kept), homes)

    def near(kept: IdxArray, legs: Any) -> Any:
        if sparse or not is_large(travel, len(kept), k):
            return None
        places = customers.places().take(kept)
        whole = places if homes is None else Places.concat([places, homes])
        return near_legs(travel, whole, on_sphere(whole.lon, whole.lat), legs.n)

    legs = read(row)
    searched = near(row, legs)
    left = stranded(legs if searched is None else searched, weight, least, k)
    if len(left):
        row = np.delete(row, left)
        legs = read(row)
        searched = near(row, legs)
    return Yardstick("travel", legs, travel_name(travel), searched), left
