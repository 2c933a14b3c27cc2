"""How numbers are written for people."""

from __future__ import annotations

from territory.units import HOUR_S

__all__ = ["measure_scale", "share", "signed_share"]


def share(value: float) -> str:
    """Write a share as a percentage.

    >>> share(0.0312)
    '3.1 %'
    """
    return f"{100.0 * value:.1f} %"


def signed_share(value: float) -> str:
    """Write a deviation as a percentage with its sign.

    >>> signed_share(-0.05)
    '−5.0 %'
    """
    return f"{100.0 * value:+.1f} %".replace("-", "−")


def measure_scale(measure: str) -> tuple[float, str]:
    """Return what to divide a measure by for people, and its unit.

    >>> measure_scale("workload_s")
    (3600.0, 'h/week')
    """
    if measure == "workload_s":
        return float(HOUR_S), "h/week"
    if measure == "service_s":
        return float(HOUR_S), "h"
    return 1.0, "customers" if measure == "count" else measure
