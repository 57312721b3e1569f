"""Feeds the command broken and hostile input, and holds what it does against what is promised of any input.

``python tests/fuzz/fuzzer.py TARGET CASES SEED`` (or ``make fuzz``) runs in a process with limits of its own and prints
one line of JSON: how many cases, and each fault with what leads to it again. Cases are drawn from ``corpus/`` by a
seed, so that a fault found once is found again. ``test_fuzz.py`` runs some of every target.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from canary import PARTIAL, forms  # noqa: E402

from reconciler.audit import ROW  # noqa: E402

CORPUS = HERE / "corpus"
SECONDS, MEGABYTES = 20, 700
"""Limits: of one case, and of the whole process."""

DOCUMENTED = {0, 1, 2, 3, 4, 5, 64, 130}
"""Exit codes; 70 is a bug."""
RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys and no page of ours holds."""
MARKS = ("Qx4zTb8mVw2kJ7hN9sYp3FdG", "b5f81c3e7d2946a0c8e1f7b3d5a90246")
"""Secrets that are put into files, variables and answers."""


@dataclass(frozen=True)
class Fault:
    """One promise that a case broke."""

    what: str
    case: str
    seed: str


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


def faults(ran: Ran, marks: tuple[str, ...] = MARKS) -> list[str]:
    """The promises that a run broke."""
    text = ran.out + ran.err
    found = [] if ran.code in DOCUMENTED else [f"exit code {ran.code}: {ran.err[-300:]}"]
    if "Traceback (most recent" in text:
        found.append("a traceback")
    if raw := RAW.search(text):
        found.append(f"a raw {raw[0]!r}")
    found += [f"an echo of {mark[:4]}..." for mark in marks if mark in text]
    if ran.code == 1 and ran.out.startswith('{"'):
        found += _placeless(json.loads(ran.out))
    if ran.code not in (0, 2) and not text.strip():
        found.append("no word on what is wrong")
    return found


def _placeless(report: dict) -> list[str]:
    errors = [p for p in report.get("problems", ()) if p["severity"] == "error"]
    missing = [p["code"] for p in errors if not p.get("place") and p["code"] != "empty-manifest"]
    return [f"no place for {code}" for code in missing] + ([] if errors else ["exit 1 without an error"])


# drawing

WORDS = (
    "a\x1b]0;owned\x07",
    "\u202eevil",
    "\x00",
    "\n",
    "\r\n::set-env name=A::b",
    "::add-mask::x",
    "\ud800",
    "\ufeff",
    "&a",
    "*a",
    "!!python/object/apply:os.system",
    "<<",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "|",
    ">-",
    "#",
    "%YAML",
    "---",
    "...",
    "\t",
    "    ",
    "~",
    "null",
    "yes",
    "0x1F",
    "012",
    "12:30:45",
    ".inf",
    "1e999",
    "9" * 30,
    "-",
    "\u0661",
    "env://",
    "file://",
    "file://../../etc/passwd",
    "file:///etc/passwd",
    "env://RECONCILER_KEY",
    "vault://x#y",
    "#",
    "##",
    "https://api.twilio.com@evil.test",
    "https://169.254.169.254",
    "AC" + "0" * 32,
    "а",
    "é" * 70,
    "x" * 5000,
    *MARKS,
)


LONGEST = 200_000
"""Characters of a line."""


def word(draw: Random) -> str:
    return draw.choice(WORDS)


def garble(draw: Random, text: str) -> str:
    """The text after a few accidents or attacks."""
    lines = text.splitlines(keepends=True) or [""]
    for _ in range(draw.randint(1, 5)):
        at = draw.randrange(len(lines))
        line = lines[at]
        cut = draw.randint(0, len(line))
        match draw.randrange(8):
            case 0:
                lines[at] = line[:cut] + word(draw) + line[cut:]
            case 1:
                lines[at] = line[:cut]
            case 2:
                lines.insert(draw.randrange(len(lines)), line)
            case 3:
                lines[at] = " " * draw.randint(0, 40) + line.lstrip()
            case 4:
                lines[at] = line[:cut] + chr(draw.randrange(0x250)) + line[cut + 1 :]
            case 5:
                lines[at] = line.partition(":")[0] + ": " + word(draw) + "\n"
            case 6:
                lines[at] = line.replace(line[cut : cut + 3], "", 1)
            case _:
                lines[at] = (line.rstrip("\n") * draw.randint(1, 40))[:LONGEST] + "\n"
    return "".join(lines)


def garbled(draw: Random, data: bytes) -> bytes:
    found = bytearray(data or b"x")
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(found))
        match draw.randrange(4):
            case 0:
                found[at] = draw.randrange(256)
            case 1:
                del found[at : at + draw.randint(1, 9)]
                found = found or bytearray(b"x")
            case 2:
                found[at:at] = os.fsencode(word(draw)[:200].encode("utf-8", "surrogatepass"))
            case _:
                found += found[at : at + 40]
    return bytes(found)


# running


class TooLongError(BaseException):
    """A case took longer than it may; no handler of ours is to swallow it."""


def _too_long(*_: object) -> None:
    raise TooLongError


def run(arguments: list[str], **environ: str) -> Ran:
    """One command line in this process, with what it wrote."""
    from reconciler import sources
    from reconciler.cli import run as command

    sources._standard_input.cache_clear()
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="surrogateescape") for _ in "ab")
    before = dict(os.environ)
    os.environ.update(environ)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = command(arguments)
    finally:
        os.environ.clear()
        os.environ.update(before)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8", "backslashreplace"))
    return Ran(code, *texts)


def run_apart(arguments: list[str], **environ: str) -> Ran:
    """The same in a process of its own: for ``exec``, whose program takes its place."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments], capture_output=True, timeout=SECONDS,
        env={**os.environ, **environ},
    )  # fmt: skip
    return Ran(done.returncode, *(text.decode("utf-8", "backslashreplace") for text in (done.stdout, done.stderr)))


THREE = {
    "twilio": {
        "provider": "twilio",
        "rotate_every": "9999d",
        "account_sid": "AC" + "0" * 31 + "1",
        "auth_token": "env://TWILIO_AUTH_TOKEN",
    },
    "sinch": {"provider": "sinch", "region": "eu", "service_plan_id": "0" * 31 + "2", "api_token": "env://SINCH_TOKEN"},
    "infobip": {
        "provider": "infobip",
        "rotate_every": "90d",
        "base_url": "https://xyz.api.infobip.com",
        "api_key": "env://INFOBIP_API_KEY",
    },
}

Target = Callable[[Random], Iterator[tuple[str, list[str]]]]
"""Draws one case and gives ``(what it was, faults)`` for each run of it."""


def manifests(draw: Random) -> Iterator[tuple[str, list[str]]]:
    """The manifest reader, and the plan of whatever it accepts."""
    chosen = draw.choice(sorted((CORPUS / "manifests").iterdir()))
    data = garble(draw, chosen.read_text()).encode("utf-8", "surrogatepass")
    Path("credentials.yaml").write_bytes(data if draw.random() < 0.8 else garbled(draw, data))
    for command in (["validate"], ["plan", "--sandbox", "--store", "sqlite:///absent.db"]):
        line = [*command, "--format", draw.choice(["json", "json", "table", "markdown", "github"])]
        yield " ".join(line), faults(run(line, TWILIO_AUTH_TOKEN=MARKS[0], INFOBIP_API_KEY=MARKS[1]))


def references(draw: Random) -> Iterator[tuple[str, list[str]]]:
    """What may stand in a secret key, resolved against hostile variables and files."""
    scheme = draw.choice(["env://", "file://", "file://", "vault://", "", "ENV://", "ref+env://"])
    path = draw.choice(["TOKEN", "token", "deep/token", "tokens.json", "tokens.yaml", "tokens.env", "link", word(draw)])
    text = scheme + path + draw.choice(["", "", "#a", "#", "#a.b", "#" + word(draw)])
    text = garble(draw, text) if draw.random() < 0.3 else text
    value = draw.choice([MARKS[0], MARKS[0] + word(draw), word(draw), ""])
    content = draw.choice(
        [value, json.dumps({"a": value}), f"a: {value}\n", f"a='{value}'\n", (value * 20000)[:200_000]]
    )
    for name in ("token", "tokens.json", "tokens.yaml", "tokens.env"):
        Path(name).write_bytes(garble(draw, content).encode("utf-8", "surrogatepass"))
    entry = {"provider": "sinch", "region": "eu", "service_plan_id": "p" * 32, "api_token": text}
    Path("credentials.yaml").write_text(json.dumps({"version": 1, "workspace": "w", "credentials": {"a": entry}}))
    line = ["plan", "--sandbox", "--store", "sqlite:///absent.db", "--format", draw.choice(["json", "table"])]
    environ = {"TOKEN": value.replace("\0", "")} if "\ud800" not in value else {}
    yield f"{line} {text!r}", faults(run(line, **environ))
    yield "require", faults(run([*line, "--secrets", "require"], **environ))


def answers(draw: Random) -> Iterator[tuple[str, list[str]]]:
    """Whatever stands in a provider's place, byte by byte, through a whole apply."""
    chosen = draw.choice(sorted((CORPUS / "answers").iterdir()))
    data = chosen.read_bytes().replace(b"\n", b"\r\n")
    name = draw.choice(sorted(SENT))
    echoes = [form for piece in SENT[name] for form in usual(piece)]
    for _ in range(data.count(b"MARK")):
        data = data.replace(b"MARK", draw.choice(echoes), 1)
    data = garbled(draw, data) if draw.random() < 0.8 else data
    marks = tuple(echo.decode() for echo in echoes)
    # each begins with the same store: a log that grows would make them ever slower
    _copied("answers.db")
    with _answering(data) as origin:
        line = [
            "apply",
            "--yes",
            "--only",
            name,
            "--store",
            "sqlite:///answers.db",
            "--sandbox-url",
            f"{name}={origin}",
            "--format",
            draw.choice(["json", "table", "markdown"]),
        ]
        ran = run(line, TWILIO_AUTH_TOKEN=MARKS[0], SINCH_TOKEN=MARKS[0], INFOBIP_API_KEY=MARKS[0])
    yield f"{name} {chosen.name} {data!r}", faults(ran, marks)
    store = ["--sandbox", "--store", "sqlite:///answers.db"]
    for line in (["list"], ["get", name], ["history"]):
        yield f"{name} {line} {data!r}", faults(run([*line, *store]), marks)


_PAIR = f"{THREE['twilio']['account_sid']}:{MARKS[0]}"
_BASIC = base64.b64encode(_PAIR.encode()).decode()
SENT = {
    "twilio": (MARKS[0], _PAIR, _BASIC, f"Basic {_BASIC}"),
    "sinch": (MARKS[0], f"Bearer {MARKS[0]}"),
    "infobip": (MARKS[0], f"App {MARKS[0]}"),
}
"""What each is sent, whole and in its parts: any of it may come back."""


def usual(piece: str) -> list[bytes]:
    """A piece in every form that is masked: all but those of which SECURITY.md says that they are missed."""
    return [form for name, form in forms(piece).items() if name not in PARTIAL]


@contextlib.contextmanager
def _answering(data: bytes) -> Iterator[str]:
    import socket
    from threading import Thread

    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.settimeout(2)
                        with contextlib.suppress(OSError):
                            connection.recv(65536)
                            connection.sendall(data)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        # a thread that waits in accept() does not notice that the socket is closed
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def rows(draw: Random) -> Iterator[tuple[str, list[str]]]:
    """Cells of a store that somebody wrote who is not us."""
    _copied("rows.db")
    said = []
    with contextlib.closing(sqlite3.connect("rows.db")) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        before = _cells(connection)
        for _ in range(draw.randint(1, 3)):
            said.append(_altered(draw, connection))
        changed = {cell for cell, values in _cells(connection).items() if values != before[cell]}
    store = ["--sandbox", "--store", "sqlite:///rows.db"]
    line = draw.choice(MET)
    form = ["--format", draw.choice(["json", "table", "markdown", "github"])]
    if line[0] == "export":
        form = ["--format", draw.choice(["dotenv", "json", "kubernetes"])]
    elif line == ("audit", "export"):
        form = []
    Path("exported").unlink(missing_ok=True)
    if line[0] == "exec":
        # behind its name stands the program
        ran = run_apart([line[0], *store, *form, *line[1:]], **RIGHT)
    else:
        ran = run([*line, *store, *form], **RIGHT)
    yield f"{line} {form} {said}", [*faults(ran), *_obeyed(line, ran, changed, said)]


def _copied(name: str) -> None:
    shutil.copy("good.db", name)
    Path(name).chmod(0o600)


GIVEN = "import os; print(os.environ['TWILIO_ACCOUNT_SID'], os.environ['TWILIO_AUTH_TOKEN'])"
MET = (
    ("list",),
    ("get", "twilio"),
    ("history",),
    ("history", "twilio"),
    ("check",),
    ("plan",),
    ("plan", "--prune"),
    ("apply", "--yes"),
    ("cancel", "twilio"),
    ("key", "status"),
    ("lock", "show"),
    *[("audit", "verify")] * 4,
    ("audit", "export"),
    *[("read", "twilio", "auth_token", "--reveal")] * 2,
    *[("export", "--out", "exported", "--force", "twilio")] * 2,
    *[("restore", "infobip", "--yes")] * 2,
    ("restore", "twilio", "--yes"),
    ("exec", "twilio", "--", sys.executable, "-c", GIVEN),
)
"""What meets such a store; more often what gives a secret out, and what looks for alterations."""

COVERED = {
    "records": {"workspace", *ROW, "label", "secret_versions", "row_hash", "event_seq"},
    "previous": {"workspace", *ROW, "label", "secret_versions", "row_hash", "event_seq", "keep_until"},
    "secrets": {"workspace", "name", "field", "version", "key_id", "sealed", "fingerprint", "keep_until"},
    "events": {"workspace", "seq", "time", "what", "result", "name", "version", "row_hash", "body", "mac"},
    "reads": {"name", "time", "body", "read_by", "event_seq"},
}
"""What ``audit verify`` covers, as docs/formats.md says; of ``reads`` the one that stands in the chain."""


def _altered(draw: Random, connection: sqlite3.Connection) -> str:
    """Write a value of any kind, or one of another row, into one cell or a whole column; or take a row away."""
    if draw.random() < 0.1:
        chosen = draw.choice(sorted((CORPUS / "rows").iterdir()))
        with contextlib.suppress(sqlite3.Error):
            connection.execute(chosen.read_text())
        return chosen.name
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    table = draw.choice([*tables, *COVERED])
    numbers = [number for (number,) in connection.execute(f"SELECT rowid FROM {table} ORDER BY rowid")]
    if not numbers:
        return f"{table} is empty"
    here, there = draw.choice(numbers), draw.choice(numbers)
    if table in ("records", "secrets") and draw.random() < 0.1:
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (here,))
        return f"{table}[{here}] removed"
    column = draw.choice([row[1] for row in connection.execute(f"PRAGMA table_info({table})")])
    ((old,),) = connection.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (here,))
    ((other,),) = connection.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (there,))
    value = draw.choice(
        [None, -1, 2**63 - 1, 1.5, b"\xff\x00", "", "{", "[]", "{}", '{"a": 1}', word(draw), other, other, "2026-11-24",
         "9999-12-31T23:59:59.999Z", "\x1b[2J\u202e"]
    )  # fmt: skip
    if draw.random() < 0.3:
        value = _near(draw, old)
    if isinstance(value, str):
        value = value.replace("\ud800", "").replace(MARKS[0], "m").replace(MARKS[1], "m")
    which = "" if draw.random() < 0.4 else f" WHERE rowid = {here}"
    with contextlib.suppress(sqlite3.Error):
        connection.execute(f"UPDATE {table} SET {column} = ?{which}", (value,))
    return f"{table}[{here if which else '*'}].{column}={value!r}"


def _near(draw: Random, value: object) -> object:
    """A value that is almost the one that stood there."""
    if isinstance(value, int):
        return value + draw.choice([-1, 1, 0.5])
    if isinstance(value, bytes):
        return garbled(draw, value)
    return garble(draw, value) if isinstance(value, str) else value


Cells = dict[tuple[str, str], list]


def _meant(column: str, value: object) -> object:
    """The chain covers what the body of an event says, not how its JSON is spaced (docs/formats.md)."""
    if column == "body" and isinstance(value, str):
        with contextlib.suppress(ValueError, RecursionError):
            return json.dumps(json.loads(value), sort_keys=True)
    return value


def _cells(connection: sqlite3.Connection) -> Cells:
    """Every column that ``audit verify`` covers, and the tables that it finds its way by."""
    found: Cells = {}
    for table, columns in {**COVERED, "workspaces": {"workspace", "serial"}, "store": {"id"}}.items():
        some = "WHERE id = 1" if table == "reads" else ""
        for column in columns:
            query = f"SELECT {column} FROM {table} {some} ORDER BY rowid"
            found[table, column] = [(type(value), _meant(column, value)) for (value,) in connection.execute(query)]
    return found


def _obeyed(line: tuple[str, ...], ran: Ran, changed: set[tuple[str, str]], said: list[str]) -> list[str]:
    """What was altered and taken for good: a secret given out that is another one, a log said to be whole."""
    right = f"{THREE['twilio']['account_sid']} {RIGHT['TWILIO_AUTH_TOKEN']}"
    found = []
    if ran.code == 0 and line[0] in ("read", "exec", "export"):
        out = Path("exported").read_text() if line[0] == "export" else ran.out
        wanted = right.split()[1:] if line[0] == "read" else right.split()
        if not all(_holds(out, value) for value in wanted):
            found.append("something else was given out")
    if line == ("audit", "verify") and changed & {(t, c) for t in COVERED for c in COVERED[t]}:
        lost = {table for table, _ in changed} & {"workspaces", "store"}
        if ran.code != 5 and not (lost and ran.code == 64):
            found.append(f"exit code {ran.code}: what was altered was not noticed")
    tables = {one.partition("[")[0] for one in said}
    if ran.code == 5 and tables <= NAMED and not any("].name=" in one or "].workspace=" in one for one in said):
        found += [] if any(name in ran.out + ran.err for name in THREE) else ["no word on which row was altered"]
    return found


NAMED = {"records", "previous", "secrets", "rejections"}
"""Tables whose rows belong to one credential: what is wrong with them is told with its name."""


def _holds(text: str, value: str) -> bool:
    return value in text or base64.b64encode(value.encode()).decode() in text


def keys(draw: Random) -> Iterator[tuple[str, list[str]]]:
    """Key files and keys in the environment."""
    (good,) = Path("home/.config/reconciler/keys").glob("*.key")
    data = draw.choice(
        [garbled(draw, good.read_bytes()), os.urandom(draw.randint(0, 200)), word(draw).encode("utf-8", "ignore")]
    )
    Path("try.key").write_bytes(data)
    Path("try.key").chmod(draw.choice([0o600, 0o600, 0o600, 0o644, 0o400]))
    line = draw.choice([["key", "status"], ["plan"], ["check"], ["history"]])
    store = ["--sandbox", "--store", "sqlite:///good.db"]
    text = data.decode("ascii", "ignore").strip()
    marks = (*MARKS, text) if len(text) > 20 else MARKS
    yield f"{line} {data!r}", faults(run([*line, *store, "--key-file", "try.key"], **RIGHT), marks)
    environ = {"RECONCILER_KEY": text.replace("\0", "")}
    yield f"{line} env {text!r}", faults(run([*line, *store], **RIGHT, **environ), marks)


def options(draw: Random) -> Iterator[tuple[str, list[str]]]:
    """Every option and argument of every command, on the line and in the environment."""
    import click

    name, command = draw.choice(sorted(_commands().items()))
    line, environ = name.split(), {}
    params = [p for p in command.params if p.name != "help"]
    for param in draw.sample(params, draw.randint(0, min(4, len(params)))):
        # neither a line nor an environment can hold a NUL
        value = _value(draw, secret=param.name not in SHOWN).replace("\0", "")
        if not isinstance(param, click.Option):
            line.append(value)
        elif param.is_flag:
            line.append(param.opts[-1])
        elif param.envvar and draw.random() < 0.3:
            environ[str(param.envvar)] = value
        else:
            line += [param.opts[-1], value]
    if name == "sandbox":
        line.append("--port=x")  # it would serve
    if name == "exec":
        line = ["exec", "no-such-name", *line[1:], "--", "true"]
    yield f"{line} {environ}", faults(run(line, **environ))


SHOWN = {"actor", "by", "store", "out", "reports", "files", "secrets_dir", "key_file", "anchors", "ca_file", "folder"}
"""Parameters that are a path, which is repeated but for a part in the form of a secret, or a person."""


def _value(draw: Random, *, secret: bool) -> str:
    """A value that leads to no file outside of this folder; ``secret``: it may be one that somebody pasted."""
    if secret and draw.random() < 0.2:
        return draw.choice(["", "--", "x=", "-", "sms://"]) + draw.choice(MARKS)
    value = draw.choice(
        [
            word(draw),
            "sqlite:///rows.db",
            "sqlite:///",
            "postgresql://u:p@h/d",
            "json=out.json",
            "x=y",
            "0",
            "-1",
            "1d",
            "7d",
            "9999999999d",
            "2026-13-45",
            "ready",
            "*",
            "[",
            "production",
            "credentials.yaml",
            ".",
            "-",
            "twilio=http://127.0.0.1:1",
            "9" * 400,
            "twilio",
            "out.json",
            "json",
            "%s",
            "{0}",
        ]
    )
    harmless = not value.startswith(("/", "file:///")) and ".." not in value
    harmless = harmless and value not in MARKS
    return value.replace("\ud800", "\udc80") if harmless else "x"


def _commands(group: object = None, *before: str) -> dict:
    import click

    from reconciler.cli import cli

    group = group or cli
    found = {}
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            found |= _commands(command, *before, name)
        found[" ".join((*before, name))] = command
    return found


TARGETS: dict[str, Target] = {
    "manifests": manifests,
    "references": references,
    "answers": answers,
    "rows": rows,
    "keys": keys,
    "options": options,
}
CASES = {"manifests": 200, "references": 100, "answers": 80, "rows": 150, "keys": 80, "options": 200}
"""How many of each the suite runs."""
_SEVERAL = {"manifests": 2, "references": 2, "answers": 4, "keys": 2}


def runs_of(target: str) -> int:
    """How many commands the suite runs for a target: some meet each case with several."""
    return CASES[target] * _SEVERAL.get(target, 1)


RIGHT: dict[str, str] = {}
"""The variables that hold what the sandbox accepts."""

READ = ["read", "twilio", "auth_token", "--reveal"]


def prepare(folder: Path) -> None:
    """Go into an empty folder with a manifest of three credentials and a store that has them, one of them deleted."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(PATH=os.defpath, HOME=str(folder / "home"), LANG="C.UTF-8", NO_COLOR="1")
    sys.stdin = io.TextIOWrapper(io.BytesIO())
    _declare(THREE)
    facts = json.loads(run(["sandbox", "env", "--format", "json"]).out)["facts"]
    RIGHT.update(facts)
    store = ["--sandbox", "--store", "sqlite:///good.db"]
    two = {name: entry for name, entry in THREE.items() if name != "infobip"}
    for credentials in (THREE, two):
        _declare(credentials)
        done = run(["apply", "--yes", "--prune", *store], **RIGHT)
        assert done.code == 0, done
    # a refused submission waits, of what is stored and of what is not
    _declare(THREE)
    done = run(["apply", "--yes", *store], **dict.fromkeys(RIGHT, "wrong" * 6 + "aa"))
    assert done.code == 3, done
    for line in (READ, ["check"], READ):
        # the check takes the first read into the chain, the second one waits
        done = run([*line, *store], **RIGHT)
        assert done.code == (3 if line == ["check"] else 0), done
    _declare(THREE)


def _declare(credentials: dict) -> None:
    Path("credentials.yaml").write_text(
        json.dumps({"version": 1, "workspace": "production", "credentials": credentials})
    )


def fuzz(target: str, cases: int, seed: int) -> tuple[int, list[Fault]]:
    """How many runs there were, and the faults."""
    signal.signal(signal.SIGALRM, _too_long)
    found: list[Fault] = []
    runs = 0
    manifest = Path("credentials.yaml").read_bytes()
    for number in range(cases):
        if target not in ("manifests", "references"):
            Path("credentials.yaml").write_bytes(manifest)
        case = target
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            for case, broken in TARGETS[target](Random(f"{seed}/{number}")):
                runs += 1
                found += [Fault(what, case, f"{seed}/{number}") for what in broken]
        except TooLongError:
            found.append(Fault(f"longer than {SECONDS} s", case, f"{seed}/{number}"))
        except BaseException as error:
            where = traceback.format_exception(error)[-3:]
            found.append(Fault("".join(where), case, f"{seed}/{number}"))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return runs, found


def limited() -> None:
    """Limits of the process that reads hostile input."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**27, 2**27))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))


def apart(target: str, cases: int, seed: int, script: str = __file__) -> dict:
    """The same in a process of its own. One that dies has crashed."""
    done = subprocess.run(
        [sys.executable, script, target, str(cases), str(seed)],
        capture_output=True,
        text=True,
        timeout=cases * SECONDS,
    )
    if done.returncode not in (0, 1) or not done.stdout.strip():
        return {"target": target, "runs": 0, "faults": [{"what": f"died: {done.returncode} {done.stderr[-2000:]}"}]}
    return json.loads(done.stdout.splitlines()[-1])


def main(target: str, cases: str, seed: str) -> int:
    """Fuzz one target, print what came of it."""
    limited()
    logging.raiseExceptions = False
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder).resolve())
        runs, found = fuzz(target, int(cases), int(seed))
        os.chdir("/")
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "linux" else 2**20)
    if used > MEGABYTES:
        found.append(Fault(f"{used} MB of memory", target, seed))
    told = {
        "target": target,
        "cases": int(cases),
        "runs": runs,
        "megabytes": used,
        "faults": [asdict(f) for f in found],
    }
    sys.stdout.write(json.dumps(told) + "\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
