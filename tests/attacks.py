"""The attacks that the tool withstands, and the tests that show it. ``python tests/attacks.py > docs/attacks.md``.

A test bears the number of its attack, as ``test_attack_16_...``, ``test_attacks_12_to_14_...`` or
``test_attack_50_and_51_...``: they are found by their names. ``tests/guards.py`` takes each guard away and looks
whether they fail. ``tests/test_attacks.py`` holds that every attack has tests and that the page is current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import guards
from requirements import tests_in

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Attack:
    """One attack."""

    id: str
    text: str
    expected: str
    waits: str = ""
    """What has to be built first, where there is no test yet."""


PARTS: dict[str, tuple[Attack, ...]] = {
    "What is stored": (
        Attack("01", "two credentials' ciphertexts swapped", "an error that names the credential, exit 5; nothing else "
               "is asked, read or written"),
        Attack("02", "a row moved to another workspace", "the same"),
        Attack("03", "a ciphertext relabelled as another field's", "the same"),
        Attack("04", "an old version's ciphertext relabelled as the current one", "the same"),
        Attack("05", "a whole old row put back, with its version", "it does not agree with its latest event: the same"),
        Attack("06", "a whole old database file put back", "a documented limit; shown by an anchor kept elsewhere"),
        Attack("07", "a row copied from another store", "as 1"),
        Attack("08", "a ciphertext relabelled with another key's id", "as 1, or the key wanted is named; no key is "
               "tried out"),
        Attack("09", "a bit flipped, a ciphertext cut short", "as 1; no byte of it is told"),
        Attack("10", "names chosen so that two places look the same once joined", "every part stands behind its "
               "length"),
    ),
    "A secret in memory, in a header, in a log": (
        Attack("11", "a traceback that shows local variables (rich, pytest -l, capture_locals)", "`<secret>`"),
        Attack("12", "a value with a final line break in a header", "refused before any library sees it, not repeated"),
        Attack("13", "a line break and a header of its own in a value", "the same"),
        Attack("14", "a value that is not ASCII", "the same"),
        Attack("15", "the HTTP libraries' debug logs, the secret in a request's header", "it is not in them"),
        Attack("16", "the same, in an address", "no secret is ever in one; the log masks what looks like one"),
        Attack("17", "the same, in an answer's header (Set-Cookie)", "it is not in them; no cookie is kept"),
        Attack("18", "a base URL with user name and password", "refused; no library makes an exception of an answer"),
        Attack("19", "http.client's debug output", "nothing turns it on"),
    ),
    "The way to a provider": (
        Attack("20", "a redirect to another host, which keeps X-Api-Key and repeats a body", "not followed; the "
               "verdict names the target's host only"),
        Attack("21", "http:// in place of https://", "refused; a loopback address stands in for a provider on purpose "
               "only"),
        Attack("22", "a metadata address, in decimal, hexadecimal, short or mapped", "refused before a name is looked "
               "up"),
        Attack("23", "an allowed host as user name of another one", "the same"),
        Attack("24", "a host that only looks like an allowed one (longer, Cyrillic, escaped, trailing dot)",
               "the same"),
        Attack("25", "an allowed name that leads to a private address", "not connected to; the certificate must be "
               "the provider's in any case"),
        Attack("26", "HTTPS_PROXY and its kin in the environment", "ignored"),
        Attack("27", "SSLKEYLOGFILE in the environment", "no session's key is written"),
        Attack("28", "an entry for the provider's host in ~/.netrc", "ignored"),
    ),
    "The manifest": (
        Attack("29", "a secret on the line of a YAML error", "place and reason, never the line"),
        Attack("30", "duplicate keys", "an error with both lines"),
        Attack("31", "aliases that grow without bound", "anchors and aliases are refused"),
        Attack("32", "nesting without bound", "32 levels, a clean error"),
        Attack("33", "tags that make objects", "refused by name"),
        Attack("34", "text that YAML takes for a number, a boolean, a time", "quotes are asked for"),
        Attack("35", "a validation error of a model that holds a secret", "secrets are resolved after validation and "
               "never pass through a model"),
    ),
    "Resolvers that run programs": (
        Attack("36", "a failed program's arguments and output in an exception", "the exit code only",
               "resolvers that run programs"),
        Attack("37", "a path that a shell or the program takes for a command or an option", "no shell, no option",
               "resolvers that run programs"),
        Attack("38", "a program that hangs, forks, or writes without end", "ended with all its children, 64 KiB read",
               "resolvers that run programs"),
    ),
    "Files": (
        Attack("39", "a file:// path that leads out: .., absolute, links, pipes, %2f, NUL", "refused; a link is "
               "followed only where it ends inside the folder of secrets"),
        Attack("40", "file:// to /proc/self/environ or /dev/zero", "refused"),
        Attack("41", "a link in place of the store", "refused, and so is a file swapped while it is opened"),
        Attack("42", "a store made under umask 022", "0600, with its -wal and -shm"),
        Attack("43", "a key file that others can read, of another owner, or a link", "refused, with the command that "
               "mends it"),
        Attack("44", "old ciphertexts left in the file after a change of keys", "not in the file", "key rotation"),
    ),
    "The plan": (
        Attack("45", "a plan file with any byte changed", "refused, exit 4", "plan files"),
        Attack("46", "a stale plan, a replayed one, another store's", "refused, exit 4", "plan files"),
        Attack("47", "a secret that changes between plan and apply", "the plan is refused, exit 4; found at commit, "
               "that credential fails", "plan files"),
        Attack("48", "a reference that sends a token to an address of the attacker's", "no address stands in a "
               "manifest"),
    ),
    "Text for people and machines": (
        Attack("49", "names with look-alikes, invisible characters or a final line break", "refused"),
        Attack("50", "terminal escapes in a text, a provider's included", "shown as \\x1b"),
        Attack("51", "a CI runner's commands in a name or a text", "escaped; no line begins with :: but ours"),
        Attack("52", "a guessed delimiter in GITHUB_OUTPUT", "it has 128 random bits", "outputs of the GitHub action"),
        Attack("53", "Markdown, HTML, a mention or a link in a pull-request comment", "escaped"),
        Attack("54", "a formula in CSV", "there is no CSV"),
        Attack("55", "a secret pasted into the manifest", "told without it, with the reference to write; also where "
               "it stands in a public key: there what looks like one is neither shown nor stored, and what a reference "
               "gives is refused"),
    ),
    "A provider's answer": (
        Attack("56", "an answer that repeats the Authorization header, or never ends", "what was sent is masked in "
               "every usual form before anything of the answer is kept; 64 KiB are read"),
        Attack("57", "a right answer about another account", "rejected: wrong-account"),
    ),
    "PostgreSQL": (
        Attack("58", "a viewer reads ciphertext", "denied", "stores on PostgreSQL"),
        Attack("59", "a consumer reads another one's rows", "denied", "stores on PostgreSQL"),
        Attack("60", "a failed constraint prints the row", "no detail is shown", "stores on PostgreSQL"),
        Attack("61", "the server logs every statement with its values", "ciphertext only", "stores on PostgreSQL"),
        Attack("62", "a reader takes a lock that stops apply", "leases are rows that readers cannot write",
               "stores on PostgreSQL"),
        Attack("62b", "somebody writes events with a false mac", "verify names the event and the database's user",
               "stores on PostgreSQL"),
        Attack("63", "a forged notification", "a hint only", "stores on PostgreSQL"),
        Attack("64", "a malformed connection address in an error", "the password is not printed",
               "stores on PostgreSQL"),
    ),
    "The audit log, keys, crashes": (
        Attack("65", "an event edited, removed, swapped", "found where it stands"),
        Attack("66", "the log's end cut off, or rewritten with the key", "shown by an anchor kept elsewhere only"),
        Attack("67", "a short secret guessed from its fingerprint", "it is keyed; values under 8 characters are "
               "refused"),
        Attack("68", "a credential pickled, copied, sent to a queue", "a secret refuses"),
        Attack("69", "a wrong or absent key with an existing store", "the key wanted is named; none is made or "
               "overwritten"),
        Attack("70", "a run killed between the provider's answer and the log", "one transaction: all or nothing"),
    ),
}  # fmt: skip

ATTACKS = {attack.id: attack for part in PARTS.values() for attack in part}
_NAME = re.compile(r"test_attacks?((?:_(?:\d\d?b?|and|to))+)_")


def numbers(test: str) -> tuple[str, ...]:
    """The attacks that a test's name tells: ``test_attacks_18_and_21_to_24_x`` is one of 18, 21, 22, 23 and 24."""
    match = _NAME.match(test)
    found: list[str] = []
    for word in match[1].strip("_").split("_") if match else ():
        if word == "to":
            found.append(word)
        elif word != "and":
            since = int(found[-2]) + 1 if found[-1:] == ["to"] else int(word.rstrip("b"))
            found += [f"{number:02}" for number in range(since, int(word.rstrip("b")))] + [word.zfill(2)]
    return tuple(number for number in found if number != "to")


@cache
def tests() -> dict[str, tuple[str, ...]]:
    """``file::test`` by attack, of the whole suite."""
    found: dict[str, list[str]] = {id_: [] for id_ in ATTACKS}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = str(path.relative_to(ROOT / "tests"))
        for test in sorted(tests_in(file)):
            for number in numbers(test):
                found.setdefault(number, []).append(f"{file}::{test}")
    return {id_: tuple(names) for id_, names in found.items()}


def page() -> str:
    """docs/attacks.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Attacks and the tests that show that they fail"
    yield ""
    yield (
        "Made by `make docs` from `tests/attacks.py` and the names of the tests; all of them run in `make test`. "
        "`make guards` takes each guard away and looks whether the tests fail. What is not withstood stands in "
        "[SECURITY.md](../SECURITY.md)."
    )
    for title, part in PARTS.items():
        yield from ("", f"## {title}", "", "| # | attack | what is expected | guard | tests |", "|---|---|---|---|---|")
        for attack in part:
            held = "<br>".join(dict.fromkeys(f"`{guard.where}`" for guard in guards.of(attack.id)))
            yield f"| {attack.id} | {attack.text} | {attack.expected} | {held} | {_shown(attack)} |"
    yield ""


def _shown(attack: Attack) -> str:
    by_file: dict[str, list[str]] = {}
    for test in tests()[attack.id]:
        file, _, name = test.partition("::")
        by_file.setdefault(file, []).append(name)
    cells = [f"[{file}](../tests/{file}) " + " ".join(f"`{n}`" for n in names) for file, names in by_file.items()]
    return "<br>".join(cells) or f"not yet: waits for {attack.waits}"


if __name__ == "__main__":
    sys.stdout.write(page())
