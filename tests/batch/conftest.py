"""Workers import the functions of these tests by name: their folder has to be on the path that they inherit."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
