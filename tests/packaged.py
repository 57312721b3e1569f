"""Where the package that is tested lies: its sources here, or a wheel's, installed."""

from __future__ import annotations

from pathlib import Path

import reconciler

PACKAGE = Path(reconciler.__file__).parent
