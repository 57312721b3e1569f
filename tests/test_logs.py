"""Logs: one line each, in text or JSON, and a net that masks what looks like a credential."""

from __future__ import annotations

import io
import json
import logging

import pytest

from reconciler import logs


@pytest.fixture
def stream():
    logger = logging.getLogger("reconciler")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield io.StringIO()
    logger.handlers[:], logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


@pytest.mark.parametrize("format_", logs.FORMATS)
def test_what_looks_like_a_credential_is_masked_wherever_it_stands(stream, format_):
    logs.configure("debug", format_, stream)
    secret = "0123456789abcdef" * 2
    child = logging.getLogger("reconciler.http")
    child.info("Authorization: Bearer %s", secret)
    try:
        raise ValueError(f"Illegal header value b'App {secret}'")
    except ValueError:
        child.exception("failed")
    assert secret not in stream.getvalue()
    assert "masked" in stream.getvalue()


def test_identifiers_that_are_public_stay_readable():
    assert logs.masked("AC" + "0" * 31 + "1 api.twilio.com") == "AC" + "0" * 31 + "1 api.twilio.com"


def test_json_lines_have_time_level_logger_and_message(stream):
    logs.configure("info", "json", stream)
    logging.getLogger("reconciler.asking").info("asked twilio about a: accepted")
    logging.getLogger("reconciler.asking").debug("not shown")
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["message"] == "asked twilio about a: accepted"
    assert entry["level"] == "INFO"
    assert entry["name"] == "reconciler.asking"
    assert "time" in entry


def test_text_lines_are_one_line_each(stream):
    logs.configure("info", "text", stream)
    logging.getLogger("reconciler").info("two\nlines")
    assert stream.getvalue().count("\n") == 1
