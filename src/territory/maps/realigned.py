"""A realignment as a table for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.maps.words import share

if TYPE_CHECKING:
    from territory.model.realignment import Realignment

__all__ = ["realignment_html"]

#: Points of the curve that are shown, at most.
_MOST_ROWS: Final = 12


def realignment_html(realignment: Realignment) -> str:
    """Return the curve of a realignment as a small HTML table, the answer in bold.

    Parameters
    ----------
    realignment : Realignment

    Returns
    -------
    str
        HTML without scripts or styles of its own, at most 12 points: the first, the last, the answer, and some between.
    """
    r, curve = realignment, realignment.curve
    heads = ["point", "handed over", "share"]
    heads += ["off target" if len(r.balance) == 1 else f"{name}, off target" for name in r.balance]
    heads += ["balanced", "compactness"]
    spread = np.linspace(0, len(r) - 1, min(len(r), _MOST_ROWS - 1)).astype(int)
    rows = []
    for i in np.union1d(spread, [r.chosen]).tolist():
        cells = [str(i), f"{curve['moved'][i]:,d}", share(float(curve["moved_share"][i]))]
        cells += [share(float(curve[f"{name}_deviation"][i])) for name in r.balance]
        cells += ["yes" if curve["balanced"][i] else "no", f"{curve['compactness'][i]:.3f}"]
        tag = "th" if i == r.chosen else "td"
        rows.append("<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>")
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    lead = f"<strong>Realignment</strong>: {escape(repr(r)[len('<Realignment: ') : -1])}"
    return f"<div>{lead}<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
