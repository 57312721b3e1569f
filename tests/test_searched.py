"""docs/searched.md says what the canary searches and how much the fuzzer runs."""

from __future__ import annotations

import canary
import searched
from fuzz import fuzzer
from test_canary import LEAKY, PLANTED, ROWS, VALUE


def test_the_page_is_current():
    assert (searched.ROOT / "docs" / "searched.md").read_text() == searched.page(), "run: make docs"


def test_it_names_every_command_every_sink_every_form_and_every_target():
    page = searched.page()
    assert [row.command for row in ROWS if f"| `{row.command}` |" not in page] == []
    assert [name for name in canary.SINKS if f"| {name} |" not in page] == []
    assert [form for form in canary.forms("x" * 20) if form not in page] == []
    assert [name for name in fuzzer.TARGETS if f"| {name} |" not in page] == []
    assert sum(map(fuzzer.runs_of, fuzzer.TARGETS)) > sum(fuzzer.CASES.values())


def test_a_secret_is_planted_in_every_sink_and_form_that_is_searched():
    planted = {canary.sink_of(name.replace("*", "1")) for name in LEAKY}
    # that one needs a secret that is base64 as a whole
    assert set(canary.SINKS) - planted == {"stdout, decoded"}
    texts = [text.encode("latin-1") for text in PLANTED.values()]
    wanted = canary.forms(VALUE)
    assert [form for form, needle in wanted.items() if not any(needle in text for text in texts)] == []
