"""Whether days hold no more than reps can take along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.check.report import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts

__all__ = ["loads_kept"]

#: Share of a sum of floats that may be noise.
_NOISE: Final = 1e-9


def loads_kept(f: PlanFacts) -> Iterator[Violation]:
    """``load-unknown`` and ``load-too-high``; contacts from home take nothing along."""
    name, most = f.plan.settings.load, f.plan.reps.load_limit
    if name is None:
        return
    measure = f.plan.customers.measures.get(name)
    if measure is None:
        yield Violation("load-unknown", f"The load of a day is measured by {name!r}, which customers do not have.")
        return
    if most is None:
        return
    load = np.zeros(len(f.count))
    np.add.at(load, f.group, np.where(f.remote, 0.0, measure[f.customer]))
    limit = most[f.rep[f.first_stop]]
    for g in np.flatnonzero(load > limit * (1 + _NOISE)):
        i = f.first_stop[g]
        message = (
            f"The visits of rep {f.rep_id(f.rep[i])} on {f.day[i]} have {load[g]:g} of {name}; "
            f"the most a day are {limit[g]:g}."
        )
        yield f.at_day("load-too-high", i, message, float(load[g] - limit[g]))
