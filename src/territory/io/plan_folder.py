"""The directory of a plan: what it is known by, and what may not be lost, torn or edited in it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from territory.errors import InputError, Problem
from territory.io.files import OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMAT", "HEAD", "REPORT", "VERSION", "check_sums", "read_head", "refuse_foreign", "sums_of"]

#: The HTML report: it may be written anew at any time, so it bears no checksum.
REPORT: Final = "report.html"

FORMAT: Final = "territory-plan"
VERSION: Final = 1
HEAD: Final = "plan.json"
#: What file managers leave behind anywhere.
_LITTER: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def sums_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size and checksum of every file in a directory, but the report's."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file != folder / REPORT)
    return {file.relative_to(folder).as_posix(): _sum(file) for file in files}


def _sum(file: Path) -> dict[str, Any]:
    with file.open("rb") as content:
        return {"bytes": file.stat().st_size, "sha256": hashlib.file_digest(content, "sha256").hexdigest()}


def refuse_foreign(target: Path) -> None:
    """Raise unless a plan may be written there: the directory is new, empty, or wholly an output of ours.

    Raises
    ------
    InputError
        It holds something else, or files that were put in later.
    """
    if not _exists(target):
        return
    if not target.is_dir():
        raise InputError([Problem("not-a-directory", "a file of that name is there")], str(target))
    there = {
        Path(folder, name).relative_to(target).as_posix()
        for folder, _, names in os.walk(target)
        for name in names
        if name not in _LITTER
    }
    if not there and not any(target.iterdir()):
        return
    try:
        ours = {HEAD, REPORT, *read_head(target)["files"]}
    except InputError:
        message = "the directory holds something else than a plan"
        hint = "Give a new directory; nothing was changed."
        raise InputError([Problem("foreign-directory", message, hint=hint)], str(target)) from None
    strangers = sorted(there - ours)
    if strangers:
        shown = ", ".join(strangers[:5])
        message = f"files that are no part of the plan would be lost: {shown}"
        hint = "Move them elsewhere first; nothing was changed."
        problem = Problem("foreign-files", message, count=len(strangers), hint=hint)
        raise InputError([problem], str(target))


def _exists(target: Path) -> bool:
    try:
        return target.exists()
    except OSError as error:
        raise OutputError.of(error, target) from error


def read_head(folder: Path) -> dict[str, Any]:
    """Return what ``plan.json`` says; raises `InputError` where it is none of a plan that can be read."""
    try:
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        what = f"no {HEAD} in it" if folder.is_dir() else "there is no such directory"
        problem = Problem("not-a-plan", what, hint="Expected a directory that write_plan wrote.")
    except (OSError, ValueError) as error:
        problem = Problem("torn-file", f"{HEAD} is not readable: {error}")
    else:
        known = isinstance(head, dict) and head.get("format") == FORMAT and isinstance(head.get("files"), dict)
        if known and head.get("format_version") == VERSION:
            return dict(head)
        if known:
            message = f"written in format {head.get('format_version')}; this version reads format {VERSION}"
            problem = Problem("other-version", message, hint="Read it with the version that wrote it, or update.")
        else:
            problem = Problem("not-a-plan", f"{HEAD} is not a plan's", hint="Expected what write_plan wrote.")
    raise InputError([problem], str(folder))


def check_sums(folder: Path, head: Mapping[str, Any]) -> None:
    """Raise for every file of the plan proper that is missing or not as it was written."""
    problems = []
    for name, expected in head["files"].items():
        if not name.endswith((".parquet", ".csv")) or "/" in name:
            continue
        file = folder / name
        if not file.is_file():
            problems.append(Problem("missing-file", f"{name} is missing"))
        elif _sum(file) != expected:
            size = file.stat().st_size
            message = f"{name} is not as it was written: {size} bytes, {expected['bytes']} expected"
            if size == expected["bytes"]:
                message = f"{name} is not as it was written"
            hint = "Torn, or edited? Plan.from_frame and Alignment.from_frame read tables that were edited."
            problems.append(Problem("torn-file", message, hint=hint))
    if problems:
        raise InputError(problems, str(folder))
