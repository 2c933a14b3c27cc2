"""A plan as one HTML file that needs nothing else: no server, no network, no tiles, no fonts."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from territory.maps.payload import report_data

if TYPE_CHECKING:
    from territory.model.plan import Plan
    from territory.travel import Travel

__all__ = ["report_html", "write_report"]

_SLOT = re.compile(r"\{\{(\w+)\}\}")


def report_html(plan: Plan, *, travel: Travel | None = None) -> str:
    """Return the report as text; see `write_report`."""
    return _page(report_data(plan, travel))


def write_report(plan: Plan, path: str | os.PathLike[str], *, travel: Travel | None = None) -> Path:
    """Write a plan as a self-contained HTML report to look at, click through and print.

    A map of the territories and routes, every rep's calendar and route sheets, what is not planned and why. The file
    asks the network for nothing, and its content security policy forbids it to.

    Parameters
    ----------
    plan : Plan
    path : path-like
        The file to write; one that is there is replaced, at once or not at all.
    travel : Travel, optional
        Whose lines the routes follow, over its roads, if it can tell them; default: as the crow flies.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    OSError
        The file cannot be written; one that was there is left as it was.
    InputError, TravelError
        The travel does not know the places of the plan, or failed.

    Notes
    -----
    The same plan gives the same bytes. 60 reps with 9,000 customers over four weeks are about 1 MB.
    """
    target = Path(path)
    page = report_html(plan, travel=travel)
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _page(data: dict[str, Any]) -> str:
    assets = files("territory.maps") / "assets"
    template, style, *scripts = (
        (assets / name).read_text(encoding="utf-8") for name in ("report.html", "report.css", "map.js", "report.js")
    )
    script = "".join(scripts)
    slots = {
        "style": style,
        "script": script,
        "style_hash": _hash(style),
        "script_hash": _hash(script),
        "data": _inline_json(data),
        "start": data["start"],
    }
    # one pass over the template: what is filled in is never searched for slots
    return _SLOT.sub(lambda match: slots[match[1]], template)


def _hash(text: str) -> str:
    """Return the source expression by which a content security policy knows an inline block."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _inline_json(data: dict[str, Any]) -> str:
    """Write JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
