"""Packages of the ``io`` extra, imported when a function needs them."""

from __future__ import annotations

import importlib
from typing import Any

from territory.errors import MissingExtraError

__all__ = ["needed"]


def needed(module: str) -> Any:
    """Import a module of an optional package.

    Raises
    ------
    MissingExtraError
        The package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(module.partition(".")[0], "io") from error
