"""The one table of codes: verdict, status, whose fault, exit code, summary and hint of everything that can go wrong."""

from __future__ import annotations

from reconciler.codes import answers, consuming, manifests, plans, runs
from reconciler.codes.base import AGAIN, PRECEDENCE, Code, Exit, Fault

__all__ = ["AGAIN", "CODES", "PRECEDENCE", "Code", "Exit", "Fault"]

_PARTS = (answers, manifests, plans, runs, consuming)
CODES: dict[str, Code] = {code.name: code for part in _PARTS for code in part.ROWS}
"""Every code by its name, in the order of the parts."""
