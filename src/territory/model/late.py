"""The one place where a lower layer calls an upper one.

A result can draw or write itself (``alignment.plot()``), though pictures and files live in layers
above the model. Such a method names the function it stands for; it is looked up when it is called.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["late"]


def late(module: str, function: str, *args: Any, **kwargs: Any) -> Any:
    """Call ``territory.<module>.<function>``, importing it now."""
    return getattr(importlib.import_module(f"territory.{module}"), function)(*args, **kwargs)
