"""The rules of an alignment as plain values for a JSON file, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.model.rules import AlignmentRules

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["restore_rules", "rules_state"]


def rules_state(rules: AlignmentRules) -> dict[str, Any]:
    """Return rules as plain values; no limit is None."""
    return {
        "limits": {
            name: [[None if math.isinf(x) else x for x in pair] for pair in band.tolist()]
            for name, band in rules.limits.items()
        },
        "share": {name: values.tolist() for name, values in rules.share.items()},
        "weight": dict(rules.weight),
        "weigh_by": rules.weigh_by,
        "together": None if rules.together is None else rules.together.tolist(),
        "apart": rules.apart.tolist(),
        "overrides": {str(i): j for i, j in rules.overrides.items()},
        "reach_m": None if rules.reach_m is None else rules.reach_m.tolist(),
        "metric": rules.metric,
        "travel": rules.travel,
        "center_idx": None if rules.center_idx is None else rules.center_idx.tolist(),
    }


def restore_rules(values: Mapping[str, Any] | None) -> AlignmentRules:
    """Return what `rules_state` was made of; files of before have none."""
    if values is None:
        return AlignmentRules()
    return AlignmentRules(
        limits={
            name: np.array([[math.inf if x is None else x for x in pair] for pair in band]).reshape(-1, 2)
            for name, band in values["limits"].items()
        },
        share={name: np.array(share) for name, share in values["share"].items()},
        weight=dict(values["weight"]),
        weigh_by=values["weigh_by"],
        together=None if values["together"] is None else np.array(values["together"], dtype=np.int32),
        apart=np.array(values["apart"], dtype=np.int32).reshape(-1, 2),
        overrides={int(i): j for i, j in values["overrides"].items()},
        reach_m=None if values["reach_m"] is None else np.array(values["reach_m"], dtype=np.float64),
        metric=values.get("metric", "squared"),
        travel=values.get("travel", ""),
        center_idx=None if values.get("center_idx") is None else np.array(values["center_idx"], dtype=np.int32),
    )
