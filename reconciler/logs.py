"""Logs for operators, on stderr: text or JSON lines, with a last net against secrets.

The design keeps secrets out of logs: they are of a type that prints as ``<secret>``, and no message holds a header or
a body. The formatter is where whatever slipped through is masked, since it sees exception texts and child loggers too.
"""

from __future__ import annotations

import logging
import re
import time
from typing import IO

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")
TIME, MILLISECONDS = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"
"""RFC 3339, UTC."""

_AUTHORIZATION = re.compile(r"(?i)\b(basic|bearer|app|authorization:?)\s+[!-~]{8,}")
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])(?!(?:AC|SK|RQ|MG)[0-9a-f]{32}\b)[A-Za-z0-9+/=_]{32,}(?![A-Za-z0-9_-])")


def masked(text: str) -> str:
    """The text without what looks like a credential: 32 characters and more of a token, or an authorization."""
    return _TOKEN.sub("<masked>", _AUTHORIZATION.sub(r"\1 <masked>", text))


class _Text(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = TIME
    default_msec_format = MILLISECONDS

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record)).replace("\n", "\\n")


def configure(level: str, format_: str, stream: IO[str]) -> None:
    """Send our loggers' lines of ``level`` and above to ``stream``; other libraries stay at warnings."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_json() if format_ == "json" else _Text("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("reconciler")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False


def _json() -> logging.Formatter:
    from pythonjsonlogger.json import JsonFormatter

    class Masking(JsonFormatter):
        converter = staticmethod(time.gmtime)
        default_time_format = TIME
        default_msec_format = MILLISECONDS

        def format(self, record: logging.LogRecord) -> str:
            return masked(super().format(record))

    return Masking(
        "{asctime}{levelname}{name}{message}", style="{", rename_fields={"asctime": "time", "levelname": "level"}
    )
