"""Colours that people with a colour vision deficiency can tell apart."""

from __future__ import annotations

import colorsys
from typing import Final

__all__ = ["PALETTE", "colours"]

#: The order is that of need: maps take the first four or five. The first six are of Okabe, M. & Ito, K. (2008),
#: "Color universal design", without its yellow, which no thin line can carry on white; the others of Tol, P. (2021),
#: "Colour schemes", SRON/EPS/TN/09-002, "muted".
PALETTE: Final = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#332288",
    "#999933",
    "#882255",
    "#44aa99",
)
#: Lightness of the second and third round, as a share of the first.
_ROUNDS: Final = (1.0, 0.7, 1.3)


def colours(n: int) -> list[str]:
    """Return `n` colours as ``#rrggbb``; beyond the palette they come again darker, then lighter.

    >>> colours(2)
    ['#0072b2', '#e69f00']
    >>> len(set(colours(30)))
    30
    """
    return [_shade(PALETTE[i % len(PALETTE)], _ROUNDS[i // len(PALETTE) % len(_ROUNDS)]) for i in range(n)]


def _shade(colour: str, lightness: float) -> str:
    if lightness == 1.0:
        return colour
    red, green, blue = (int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    rgb = colorsys.hls_to_rgb(hue, min(0.9, light * lightness), saturation)
    return "#" + "".join(f"{round(c * 255):02x}" for c in rgb)
