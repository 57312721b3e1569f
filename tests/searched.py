"""What is searched for secrets and what hostile input is tried, for a reviewer. ``python tests/searched.py`` writes it.

Read from the canary's rows and the fuzzer's targets: the page cannot claim more than runs. ``tests/test_searched.py``
holds that it is current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path

import canary
import test_canary
from fuzz import fuzzer
from test_canary import ROWS, Row

ROOT = Path(__file__).parents[1]


def page() -> str:
    """docs/searched.md."""
    return "\n".join([*_canary(), *_sinks(), *_forms(), *_fuzz(), ""])


def _canary() -> Iterator[str]:
    count = sum(len(list(test_canary.runs(row))) for row in ROWS)
    formats = ", ".join(f"`{name}`" for name in test_canary.FORMATS)
    echoed = " and ".join(f"`{ending}`" for ending in test_canary.ECHOED)
    yield "# What is searched for secrets, and what hostile input is tried\n"
    yield (
        "Made by `make docs` from `tests/test_canary.py`, `tests/canary.py` and `tests/fuzz/`: it lists what runs, no "
        "more. All of it runs in `make test`. The attacks stand in [attacks.md](attacks.md), what is not withstood in "
        "[SECURITY.md](../SECURITY.md).\n"
    )
    yield "## The canary\n"
    yield (
        f"Every command runs with marked secrets: {len(ROWS)} commands, {count} runs, each a process of its own. It "
        "runs where it does its work, where it is refused, and where the function named has a bug (exit 70); on stdout "
        f"in {formats} in turn, with all others as reports; with debug logging, as text and as JSON. Then everything "
        "that it wrote is searched. A command or a format that is missing here fails the suite.\n"
    )
    yield "| command | exit where it works | where refused | a bug in | the secrets that are its product |"
    yield "|---|---|---|---|---|"
    yield from map(_row, ROWS)
    yield (
        "\nA product is excepted alone, in its one sink: any other secret there fails the run. Beside these: the "
        "Python interface, where a program does whatever shows what it holds, and "
        f"{len(test_canary.ECHOING)} commands in a row against providers that repeat what they were sent (endings "
        f"{echoed} of [the sandbox](sandbox.md)).\n"
    )


def _row(row: Row) -> str:
    refused = "–" if row.refused is None else str(row.codes[1])
    also = [one for _, products in row.also for one in products]
    products = dict.fromkeys((*row.product, *also))
    held = "<br>".join(f"`{what}` in {where.replace('*', '…')}" for where, what in products)
    return f"| `{row.command}` | {row.codes[0]} | {refused} | `{row.crash}` | {held} |"


def _sinks() -> Iterator[str]:
    yield "### Where\n"
    yield "| sink | what it is |"
    yield "|---|---|"
    yield from (f"| {name} | {what} |" for name, what in canary.SINKS.items())
    yield "\nA file that is opened for writing anywhere else fails the run. A test plants a secret in each of them.\n"


def _forms() -> Iterator[str]:
    forms = list(canary.forms("x" * 20))
    yield "### What for\n"
    yield (
        "The secrets at hand, those stored and those that are refused, the text and the bytes of each key file, the "
        "data key of each store, and each of its subkeys.\n"
    )
    yield f"Each in {len(forms)} forms: {' · '.join(forms)}.\n"
    yield (
        "A test plants a secret in all of them. All but "
        f"{', '.join(form for form in forms if form in canary.PARTIAL)} are also masked where an answer repeats them.\n"
    )


def _fuzz() -> Iterator[str]:
    cases, runs = sum(fuzzer.CASES.values()), sum(map(fuzzer.runs_of, fuzzer.TARGETS))
    yield "## The fuzzer\n"
    yield (
        f"`make test` tries {cases} cases with {runs} commands, the same each time; 0 of them may crash, and one fault "
        "fails the suite. A fault is: an exit code that is not documented, a traceback, a control character or a "
        "change of direction that reaches the terminal, an echo of a secret, exit 1 without a place, a failure without "
        f"a word, more than {fuzzer.SECONDS} seconds for a case, more than {fuzzer.MEGABYTES} MB of memory, a process "
        "that dies; of altered rows also another value given out than was stored, and a "
        "log with one of them that is said to be whole.\n"
    )
    yield "| target | what is tried | cases | commands | corpus |"
    yield "|---|---|---|---|---|"
    yield from map(_target, fuzzer.TARGETS)
    yield (
        "\nMore of it, others each time: `make fuzz FUZZ_CASES=100000`; the same again with `FUZZ_SEED=7`. One target: "
        "`.venv/bin/python tests/fuzz/fuzzer.py rows 1500 7`. Each prints a line of JSON: cases, runs, megabytes, and "
        "each fault with the seed of its case (`7/348`: seed 7, case 348). What is found becomes a test, and a file of "
        "the corpus where it came as one."
    )


def _target(name: str) -> str:
    folder = fuzzer.CORPUS / name
    files = len(list(folder.iterdir())) if folder.is_dir() else 0
    corpus = f"[{files} files](../tests/fuzz/corpus/{name})" if files else "made as it runs"
    what = (getdoc(fuzzer.TARGETS[name]) or "").partition("\n")[0]
    return f"| {name} | {what} | {fuzzer.CASES[name]} | {fuzzer.runs_of(name)} | {corpus} |"


if __name__ == "__main__":
    sys.stdout.write(page())
