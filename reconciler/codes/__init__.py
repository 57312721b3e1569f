"""The one table of codes: verdict, status, whose fault, exit code, summary and hint of everything that can go wrong."""

from __future__ import annotations

from reconciler.codes import answers, manifests, plans, runs
from reconciler.codes.base import AGAIN, PRECEDENCE, Code, Exit, Fault

__all__ = ["AGAIN", "CODES", "PRECEDENCE", "Code", "Exit", "Fault"]

CODES: dict[str, Code] = {code.name: code for code in (*answers.ROWS, *manifests.ROWS, *plans.ROWS, *runs.ROWS)}
"""Every code by its name, in the order of the parts."""
