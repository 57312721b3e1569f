"""Every command with marked secrets, in success, refusal, crash and debug logging: none of them is written anywhere.

A new command is a row of :data:`ROWS`, a new format a word of :data:`FORMATS`; without them these tests fail. A place
where a secret is the product is named in the row's ``product``, with the one that was asked for: no other may be there.
"""

from __future__ import annotations

import base64
import html
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import quote, quote_plus

import click
import pytest
from canary import KEY_FILES, SINKS, WRONG, Place, Product, Seen, held, leaks, sink_of, watch
from conftest import MANIFEST

from reconciler import render, subkeys
from reconciler.cli import COMMANDS, cli, consume

FORMATS = ("table", "json", "markdown", "github")
STORE, SANDBOX = ("--store", "sqlite:///other.db"), ("--sandbox",)
OUT = ("--out", "plan.json")
LEASE = "0123456789abcdef"
KEYS = (f"file {KEY_FILES}*.key", "key *")
"""The file of a key that is made."""
TOKEN, SINCH, INFOBIP = "TWILIO_AUTH_TOKEN", "sinch-token", "INFOBIP_API_KEY"
PRINTED = (
    ("file project/sinch-token", SINCH),
    *((sink, secret) for sink in ("stdout", "file project/report-*") for secret in (TOKEN, INFOBIP)),
)
"""What ``sandbox env`` prints is what its report is about."""
ALL = tuple(("stdout", secret) for secret in (TOKEN, SINCH, INFOBIP))


@dataclass(frozen=True)
class Row:
    """One command, and how to have it succeed, be refused, and meet a bug."""

    command: str
    success: tuple[str, ...] = ()
    """Arguments with which it does its work, in a folder ``where``."""
    refused: tuple[str, ...] | None = None
    """Arguments with which it is refused; None: nothing can refuse it but a bug."""
    crash: str = ""
    """The function that has a bug."""
    where: str = "applied"
    where_refused: str = "rotated"
    codes: tuple[int, int] = (0, 3)
    """Exit codes of success and refusal."""
    product: tuple[Product, ...] = ()
    """Sinks that are there to hold a secret when it succeeds, each with the one that was asked for."""
    also: tuple[tuple[tuple[str, ...], tuple[Product, ...]], ...] = ()
    """Further arguments with which it does its work, and what they ask for."""
    last: tuple[str, ...] = ()
    """What stands behind all options."""
    serves: bool = False
    """Whether it serves until Ctrl-C."""


ROWS = (
    Row("validate", refused=(), where_refused="pasted", codes=(0, 1), crash="reconciler.manifest:read"),
    Row("plan", (*SANDBOX, "--check", *OUT), (*SANDBOX, "--check", *OUT), "reconciler.planner:plan"),
    Row("show", ("plan.json",), ("sinch-token",), "reconciler.planfile:parse", where="planned", codes=(0, 4)),
    Row("apply", (*SANDBOX, "--yes"), ("plan.json", *SANDBOX), "reconciler.writing:Writer.commit", where="new",
        where_refused="planned", product=(KEYS,)),
    Row("list", SANDBOX, (*SANDBOX, "--require", "9"), "reconciler.report:rows", where_refused="refused"),
    Row("get", ("marketing-us", *SANDBOX), ("no-such", *SANDBOX), "reconciler.report:rows", codes=(0, 64)),
    Row("check", SANDBOX, ("no-such", *SANDBOX), "reconciler.providers.base:asked", codes=(0, 64)),
    Row("history", SANDBOX, (*SANDBOX, "--since", "x"), "reconciler.app.history:_verified", where="refused",
        codes=(0, 64)),
    Row("cancel", ("otp-apac", *SANDBOX), ("otp-apac", *SANDBOX), "reconciler.stores._store:SqlStore.commit",
        where="refused", where_refused="applied", codes=(0, 64)),
    Row("restore", ("marketing-us", "--yes", *SANDBOX), ("no-such", "--yes", *SANDBOX), "reconciler.restores:restore",
        where="former", where_refused="former", codes=(0, 64)),
    Row("exec", (*SANDBOX, "marketing-us", "alerts-eu"), (*SANDBOX, "no-such"), "reconciler.audit:read", codes=(0, 64),
        where="stored", where_refused="stored", last=("--", "true"),
        product=(("environment", TOKEN), ("environment", SINCH))),
    Row("read", ("marketing-us", "auth_token", "--reveal", *SANDBOX), ("marketing-us", "auth_token", *SANDBOX),
        "reconciler.audit:read", codes=(0, 64), product=(("stdout", TOKEN),)),
    Row("export", ("--format", "kubernetes", *SANDBOX), ("--format", "dotenv", "--out", "credentials.yaml", *SANDBOX),
        "reconciler.audit:read", codes=(0, 64), product=ALL,
        also=((("--format", "dotenv", *SANDBOX), ALL), (("--format", "json", *SANDBOX), ALL),
              (("--format", "json", "alerts-eu", *SANDBOX), (("stdout", SINCH),)))),
    Row("schema", crash="reconciler.schema:builtin_text"),
    Row("store create", STORE, (*STORE, *SANDBOX), "reconciler.stores.sqlite:create_store", where_refused="other",
        codes=(0, 5), product=(KEYS,)),
    Row("key status", SANDBOX, STORE, "reconciler.sealing:wrapping_key_id", codes=(0, 5)),
    Row("key backup", SANDBOX, STORE, "reconciler.sealing:open_keyring", codes=(0, 5),
        product=(("stdout", "key *"), ("stdout, decoded", "key *"))),
    Row("audit verify", SANDBOX, (*SANDBOX, "--anchor", "9999:0000000000000000"), "reconciler.audit:verify",
        where="refused", codes=(0, 5)),
    Row("audit export", SANDBOX, STORE, "reconciler.audit:line", where="refused", codes=(0, 5)),
    Row("key export", ("--for", "consume", *SANDBOX), ("--for", "audit", "-w", "no-such", *SANDBOX),
        "reconciler.subkeys:Handed.text", codes=(0, 64), product=(("stdout, decoded", "sealing key *"),),
        also=((("--for", "plan", *SANDBOX),
               (("stdout, decoded", "fingerprints key *"), ("stdout, decoded", "plans key *"))),
              (("--for", "audit", *SANDBOX), (("stdout, decoded", "audit key *"),)))),
    Row("lock show", SANDBOX, STORE, "reconciler.app.locks:_facts", where="locked", codes=(0, 5)),
    Row("lock release", (LEASE, "--yes", *SANDBOX), ("0" * 16, "--yes", *SANDBOX), "reconciler.audit:taken_away",
        where="locked", codes=(0, 5)),
    Row("sandbox", crash="reconciler.sandbox:run", serves=True),
    Row("sandbox env", ("--write-files", ".", "--force"), ("-f", "no-such"), "reconciler.sandbox:right_secret",
        codes=(0, 64), where="bare", product=PRINTED),
    Row("providers", ("twilio",), ("no-such",), "reconciler.app.informing:providers", codes=(0, 64)),
    Row("explain", ("tampered",), ("no-such",), "reconciler.app.informing:explain", codes=(0, 64)),
    Row("version", crash="reconciler.app.informing:version"),
)  # fmt: skip


PASTED = MANIFEST.replace("env://TWILIO_AUTH_TOKEN", f'"{WRONG["TWILIO_AUTH_TOKEN"]}"').replace(
    "file://sinch-token", f'"{WRONG["sinch-token"]}"\n    unknown_key: "{WRONG["INFOBIP_API_KEY"]}"'
)
"""Secrets where only references belong, and where nothing does."""


@pytest.fixture(scope="session")
def places(tmp_path_factory):
    """The folders that the rows begin in, by name."""
    root = tmp_path_factory.mktemp("places")
    new = Place(root / "new")
    for folder in ("project", "home", "tmp"):
        (new.root / folder).mkdir(parents=True)
    (new.project / "credentials.yaml").write_text(MANIFEST)
    right = watch(new, "sandbox", "env", "--write-files", ".", "--format", "json")
    new.env.update(json.loads(right.text("stdout"))["facts"])
    made = {"new": new, "applied": new.copy(root / "applied")}
    assert watch(made["applied"], "apply", "--sandbox", "--yes").code == 0
    made["rotated"] = made["applied"].copy(root / "rotated").wrong()
    made["planned"] = made["rotated"].copy(root / "planned")
    assert watch(made["planned"], "plan", *SANDBOX, *OUT).code == 0
    made["refused"] = made["rotated"].copy(root / "refused")
    assert watch(made["refused"], "apply", "--sandbox", "--yes").code == 3
    made["former"] = made["applied"].copy(root / "former")
    manifest = made["former"].project / "credentials.yaml"
    manifest.write_text(MANIFEST.replace("label: Marketing US", "label: Another"))
    assert watch(made["former"], "apply", "--sandbox", "--yes").code == 0
    made["other"] = made["applied"].copy(root / "other")
    assert watch(made["other"], "store", "create", *STORE, *SANDBOX).code == 0
    made["locked"] = made["applied"].copy(root / "locked")
    with closing(sqlite3.connect(made["locked"].project / ".reconciler" / "sandbox.db")) as store:
        store.execute("UPDATE leases SET id = ?, expires = '2999'", [LEASE])
        store.commit()
    made["stored"] = made["applied"].copy(root / "stored")
    made["stored"].env.clear()
    made["bare"] = made["applied"].copy(root / "bare")
    (made["bare"].project / "sinch-token").write_text("another\n")
    made["pasted"] = made["applied"].copy(root / "pasted")
    (made["pasted"].project / "credentials.yaml").write_text(PASTED)
    return made


def commands(group: click.Group, *before: str) -> dict[str, click.Command]:
    """Every command of a group and of the groups in it; a group that does something alone is one too."""
    found: dict[str, click.Command] = {}
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        words = (*before, name)
        if isinstance(command, click.Group):
            found |= commands(command, *words)
        if not isinstance(command, click.Group) or command.invoke_without_command:
            found[" ".join(words)] = command
    return found


def speaking(row: Row, format_: str, number: int) -> list[str]:
    """The options of output of a run, for a command that has them: every other format goes into a file."""
    names = {option for param in commands(cli)[row.command].params for option in param.opts}
    said = [f"--report={other}=report-{number}.{other}" for other in FORMATS if other != format_]
    logs = ["--log-level=debug", f"--log-format={('text', 'json')[number % 2]}"]
    form = [] if "--format" in row.success else [f"--format={format_}"]
    return [*form, *said, *logs] if "--report" in names else []


def runs(row: Row):
    """``(where, arguments, crash, exit code, product)`` of every run of a row."""
    for number, format_ in enumerate(FORMATS):
        said = speaking(row, format_, number)
        yield row.where, (*row.success, *said, *row.last), "", row.codes[0], row.product
        if row.refused is not None:
            yield row.where_refused, (*row.refused, *said, *row.last), "", row.codes[1], ()
        if not said:
            break
    for number, (other, product) in enumerate(row.also):
        yield row.where, (*other, *speaking(row, "table", number), *row.last), "", row.codes[0], product
    for number, format_ in enumerate(("table", "json")):
        yield (
            row.where,
            (*row.success, *speaking(row, format_, number), *row.last),
            row.crash,
            70,
            (KEYS,) if KEYS in row.product else (),
        )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.command)
def test_no_command_writes_a_secret_anywhere(row, places, tmp_path):
    needed = set()
    for number, (where, arguments, crash, code, product) in enumerate(runs(row)):
        place = places[where].copy(tmp_path / str(number))
        line = (*row.command.split(), *arguments)
        seen = watch(place, *line, crash=crash, serves=row.serves and not crash)
        assert seen.code == code, (line, crash, seen.text("stderr"))
        secrets = {**places["applied"].env, **place.secrets}
        assert {sink_of(sink) for sink in seen.sinks} <= SINKS.keys()
        assert leaks(seen, secrets, product) == [], (line, crash)
        needed |= {one for one in product if held(seen, secrets, one)}
        assert outside(place, seen) == [], line
    # an exception that nothing needs would hide what comes later
    assert needed == {*row.product, *(one for _, product in row.also for one in product)}


def outside(place: Place, seen: Seen) -> list[str]:
    """Files opened for writing that are not searched."""
    fine = (str(place.root), "/dev/", str(Path(".coverage").absolute()))
    return [path for path in seen.opened if not path.startswith(fine)]


def test_every_command_has_its_row():
    assert {row.command for row in ROWS} == set(commands(cli))
    assert {row.command.split()[0] for row in ROWS} == set(COMMANDS)
    assert len({row.command for row in ROWS}) == len(ROWS)


def test_every_form_of_an_export_and_every_use_of_a_key_is_there():
    said = {r.command: {line[1] for line in (r.success, *(also for also, _ in r.also))} for r in ROWS if r.also}
    assert said["export"] == set(consume.FORMS)
    assert said["key export"] == set(subkeys.USES)


def test_every_format_is_there():
    assert set(FORMATS) == set(render.FORMATS)


def test_what_is_excepted_is_named_by_its_row():
    """One secret in one sink, never all: what was asked for, and the file of a key that is made."""
    assert {row.command: row.product for row in ROWS if row.product} == {
        "apply": (KEYS,),
        "store create": (KEYS,),
        "key backup": (("stdout", "key *"), ("stdout, decoded", "key *")),
        "key export": (("stdout, decoded", "sealing key *"),),
        "exec": (("environment", TOKEN), ("environment", SINCH)),
        "read": (("stdout", TOKEN),),
        "export": ALL,
        "sandbox env": PRINTED,
    }


ECHOED = ("9056", "9156")
"""Endings with which the sandbox refuses or accepts every secret, and repeats it wherever its answers are kept."""
ECHOING = (
    (3, "apply", "--yes"),
    (0, "list"),
    (0, "get", "marketing-us"),
    (3, "check"),
    (0, "history"),
    (0, "audit export"),
    (0, "plan"),
)
"""Exit code and command, one after the other in the same folder."""


def test_a_provider_that_repeats_what_it_was_sent_has_it_written_nowhere(places, tmp_path):
    place = places["new"].copy(tmp_path / "place").wrong()
    refused, accepted = (
        MANIFEST.replace("0001", ending).replace("0002", ending).replace("xyz123", f"demo{ending}") for ending in ECHOED
    )
    entries = refused.partition("credentials:\n")[2]
    for name in ("marketing-us", "alerts-eu", "otp-apac"):
        entries = entries.replace(f"  {name}:", f"  no-{name}:")
    (place.project / "credentials.yaml").write_text(accepted + entries)
    rows = {row.command: row for row in ROWS}
    for number, (code, command, *arguments) in enumerate(ECHOING):
        said = speaking(rows[command], FORMATS[number % len(FORMATS)], number)
        seen = watch(place, *command.split(), *arguments, *SANDBOX, *said)
        assert seen.code == code, (command, seen.text("stderr"))
        assert leaks(seen, place.secrets, (KEYS,)) == [], command
        assert outside(place, seen) == [], command
        # what came back was kept, without it
        assert "<masked>" in "".join(map(seen.text, seen.sinks)) or command == "plan"


API = """
import copy, json, logging, pickle, sys, traceback, warnings
from reconciler import ReconcilerError, apply, load_manifest, open_store, plan

logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
warnings.simplefilter("always")


def tell(thing):
    print(repr(thing), str(thing), f"{thing}", [thing], vars(thing) if hasattr(thing, "__dict__") else "")
    for way in (copy.copy, copy.deepcopy, pickle.dumps, json.dumps, lambda it: json.dumps(it, default=repr)):
        try:
            print(way(thing))
        except Exception as error:
            whole(error)


def whole(error):
    print(error, repr(error), error.args)
    print(*traceback.TracebackException.from_exception(error, capture_locals=True).format(), file=sys.stderr)


def used(credential):
    tell(credential)
    tell(credential.settings)
    raise PermissionError("401")


def work():
    manifest = load_manifest("credentials.yaml")
    store = open_store("sqlite:///.reconciler/sandbox.db", sandbox=True)
    for thing in (manifest, store, plan(manifest, store), apply(manifest, store), plan(manifest, store)):
        tell(thing)
    for name in ("marketing-us", "no-such", "alerts-eu"):
        try:
            store.with_credential(name, used, lambda error: isinstance(error, PermissionError))
        except (ReconcilerError, PermissionError) as error:
            whole(error)
    try:
        store.credential("alerts-eu").reveal("no-such")
    except ReconcilerError as error:
        whole(error)


try:
    work()
except BaseException as error:
    %s
    raise
"""
"""A program that does with the interface whatever shows what it holds, but call ``reveal``."""


@pytest.mark.parametrize(
    ("where", "crash", "code"),
    [("applied", "", 0), ("rotated", "", 0), ("refused", "", 0), ("applied", "reconciler.audit:read", 1),
     ("rotated", "reconciler.writing:Writer.commit", 1), ("rotated", "reconciler.planner:plan", 1),
     ("applied", "reconciler.manifest:read", 1)],
)  # fmt: skip
def test_the_python_interface_shows_no_secret_in_any_way(where, crash, code, places, tmp_path):
    place = places[where].copy(tmp_path / "place")
    seen = watch(place, crash=crash, program=("-c", API % ("sys.exit(1)" if crash else "whole(error)")))
    assert seen.code == code, seen.text("stderr")
    assert "marketing-us" in seen.text("stdout") or crash
    assert leaks(seen, {**places["applied"].env, **place.secrets}) == []
    assert outside(place, seen) == []


VALUE = WRONG["TWILIO_AUTH_TOKEN"]
PLANTED = {
    "raw": VALUE,
    "at the end of a word": f"x{VALUE}",
    "cut short": VALUE[:12] + "...",
    "base64, alone": base64.b64encode(VALUE.encode()).decode(),
    "base64, in a pair": base64.b64encode(f"u:{VALUE}".encode()).decode(),
    "base64, in a header": base64.b64encode(f"App {VALUE}, more".encode()).decode(),
    "base64 for URLs, alone": base64.urlsafe_b64encode(VALUE.encode()).decode(),
    "base64 for URLs, in a pair": base64.urlsafe_b64encode(f"u:{VALUE}!".encode()).decode(),
    "base64 for URLs, in a header": base64.urlsafe_b64encode(f"x{VALUE}".encode()).decode(),
    "hex": VALUE.encode().hex(),
    "hex, upper case": VALUE.encode().hex().upper(),
    "URL-quoted": quote(VALUE, safe=""),
    "form-quoted": quote_plus(VALUE),
    "every byte escaped": "".join(f"%{byte:02X}" for byte in VALUE.encode()),
    "every byte escaped, lower case": "".join(f"%{byte:02x}" for byte in VALUE.encode()),
    "URL-quoted, slashes kept": quote(VALUE),
    "reversed": VALUE[::-1],
    "in HTML": html.escape(VALUE),
    "in JSON": json.dumps({"": VALUE}),
    "UTF-16": VALUE.encode("utf-16-le").decode("latin-1"),
}


@pytest.mark.parametrize("form", PLANTED)
def test_a_planted_secret_is_found_in_every_form(form):
    seen = Seen(0, {"stdout": f"a line\nwith {PLANTED[form]} in it".encode("latin-1")}, ())
    assert leaks(seen, {"the token": VALUE}), form
    assert leaks(seen, {"another": WRONG["sinch-token"]}) == []
    assert leaks(seen, {"the token": VALUE}, [("stdout", "the *")]) == []
    assert leaks(seen, {"the token": VALUE}, [("stdout", "another"), ("stderr", "*")])
    assert held(seen, {"the token": VALUE}, ("stdout", "the *"))
    assert not held(seen, {"the token": VALUE}, ("stderr", "the *"))


LEAKY = {
    "stdout": "print(value)",
    "stderr": "print(value, file=sys.stderr)",
    "argv": "subprocess.run(['true', value])",
    "environment": "subprocess.run(['true'], env={'A': value})",
    "file home/.cache": "open(os.environ['HOME'] + '/.cache', 'w').write(value)",
    "file tmp/scratch": "open(tempfile.gettempdir() + '/scratch', 'w').write(value)",
    "file project/credentials.yaml": "open('credentials.yaml', 'a').write(value)",
    "removed *": "f = tempfile.NamedTemporaryFile('w'); f.write(value); f.flush(); f.close()",
    "file project/.reconciler/sandbox.db-wal":
        "c = sqlite3.connect('.reconciler/sandbox.db'); c.execute('UPDATE store SET id = ?', [value]); c.commit()",
}  # fmt: skip


@pytest.mark.parametrize("sink", LEAKY)
def test_a_planted_secret_is_found_in_every_sink(sink, places, tmp_path):
    place = places["applied"].copy(tmp_path / "place")
    program = f"import os, sqlite3, subprocess, sys, tempfile; value = {VALUE!r}; {LEAKY[sink]}"
    seen = watch(place, program=("-c", program))
    assert seen.code == 0, seen.text("stderr")
    found = {leak.partition(" holds ")[0] for leak in leaks(seen, {"the token": VALUE})}
    assert len(found) == 1
    assert fnmatch(found.pop(), sink)


def test_a_file_elsewhere_is_noticed(places, tmp_path):
    place = places["new"].copy(tmp_path / "place")
    seen = watch(place, program=("-c", f"open({str(tmp_path / 'elsewhere')!r}, 'w')"))
    assert outside(place, seen) == [str(tmp_path / "elsewhere")]
