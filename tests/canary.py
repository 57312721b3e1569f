"""Marked secrets, every form in which one could get out, and a watch over everything that a command writes anywhere.

A command runs as a process of its own in a :class:`Place`: a folder that holds the project, HOME and the folder for
temporary files. :func:`watch` runs it and gives everything that it wrote, each under a name (*sink*); :func:`leaks`
says which of them hold a secret, and in which form.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx

from reconciler import keys, sealing
from reconciler.secret import Secret
from reconciler.stores import sqlite

RECORDER = Path(__file__).parent / "recorder"
KEY_FILES = "home/.config/reconciler/keys/"

WRONG = {
    "TWILIO_AUTH_TOKEN": "Qx4zTb8mVw2/kJ7+hN=&<%'tR9sYp",
    "sinch-token": "Lr6dGf3cXe1+uM8/aZ=&>%'wB5jHv",
    "INFOBIP_API_KEY": "Ny7qKs9eWt4/pC2+rF=&<%'xD6gUm",
}
"""Marked secrets that no provider accepts: the names are those of the manifest's references."""


PARTIAL = {"beginning", "end", "UTF-16"}
"""The forms that masking by text misses, as SECURITY.md says."""

SINKS = {
    "stdout": "what it prints",
    "stdout, decoded": "the same, where all of it is base64",
    "stderr": "messages, progress and the log",
    "argv": "the arguments of every program that it starts",
    "environment": "the environment of every program that it starts",
    "file": "each file below the project, HOME and the folder for temporary files that is new or changed: stores with "
            "their `-wal` and `-shm`, reports, plan files, keys",
    "removed": "each file that it removed, as it was then",
}  # fmt: skip
"""Everything that is searched."""


def sink_of(name: str) -> str:
    """The kind of a sink, which is a word of :data:`SINKS`. Raises KeyError for one that is not among them."""
    kind = name if name in SINKS else name.partition(" ")[0]
    SINKS[kind]
    return kind


def forms(value: str | bytes) -> dict[str, bytes]:
    """The forms of a secret that are looked for, by name."""
    raw = value.encode() if isinstance(value, str) else value
    found = {
        "raw": raw,
        "reversed": raw[::-1],
        "hex": raw.hex().encode(),
        "hex, upper case": raw.hex().upper().encode(),
    }
    found |= {"beginning": raw[:10], "end": raw[-10:]}
    for at in range(3):
        found[f"base64 at {at}"] = _inner(base64.b64encode(bytes(at) + raw), at, raw)
        found[f"base64 for URLs at {at}"] = _inner(base64.urlsafe_b64encode(bytes(at) + raw), at, raw)
    escaped = "".join(f"%{byte:02X}" for byte in raw)
    found |= {"every byte escaped": escaped.encode(), "every byte escaped, lower case": escaped.lower().encode()}
    if isinstance(value, str):
        found |= {"URL-quoted": quote(value, safe="").encode(), "URL-quoted, slashes kept": quote(value).encode()}
        found |= {"form-quoted": quote_plus(value).encode(), "in JSON": json.dumps(value)[1:-1].encode()}
        found |= {"in HTML": html.escape(value).encode(), "UTF-16": value.encode("utf-16-le")}
    return found


def _inner(encoded: bytes, at: int, raw: bytes) -> bytes:
    """The characters of an encoding that depend on nothing but the value."""
    return encoded[-(-at * 8 // 6) : (at + len(raw)) * 8 // 6]


@dataclass(frozen=True)
class Place:
    """Where a command runs: everything that it may write stands below ``root``."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    """Beside PATH, HOME and the folder for temporary files."""

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def secrets(self) -> dict[str, str | bytes]:
        """All that must not get out, by name: those at hand, those stored, and the keys."""
        found: dict[str, str | bytes] = {name: value for name, value in self.env.items() if name in WRONG}
        found["sinch-token"] = (self.project / "sinch-token").read_text().strip()
        found |= {f"wrong {name}": value for name, value in WRONG.items()}
        for file in sorted((self.root / KEY_FILES).glob("*.key")):
            text = Secret(file.read_text().strip())
            found |= {f"key {file.name}": text.reveal(), f"key {file.name}, bytes": keys.Key.of(text).raw}
        return found | self._data_keys()

    def copy(self, root: Path) -> Place:
        shutil.copytree(self.root, root)
        return Place(root, dict(self.env))

    def wrong(self) -> Place:
        """The same folder, now with secrets at hand that no provider accepts."""
        (self.project / "sinch-token").write_text(WRONG["sinch-token"] + "\n")
        return Place(self.root, {**self.env, **{name: value for name, value in WRONG.items() if name.isupper()}})

    def _data_keys(self) -> dict[str, bytes]:
        """What the key files open: the data key of each store and its subkeys."""
        found: dict[str, bytes] = {}
        for path in sorted(self.project.glob("**/*.db")):
            with closing(sqlite.open_store(path)) as store:
                info, slots, workspaces = store.info, store.slots(), store.workspaces()
            text = (self.root / KEY_FILES / f"{info.id}.key").read_text().strip()
            ring = sealing.open_keyring(info.id, slots, Secret(text))
            found[f"data key of {path.name}"] = ring._data[ring.key_id].raw
            found |= {
                f"{purpose} key of {path.name}, {workspace}": ring._subkey(ring.key_id, workspace, purpose).raw
                for workspace in workspaces
                for purpose in (sealing.SEALING, sealing.FINGERPRINTS, sealing.AUDIT, sealing.PLANS)
            }
        return found


@dataclass(frozen=True)
class Seen:
    """What a command gave and wrote."""

    code: int
    sinks: Mapping[str, bytes]
    """By name: ``stdout``, ``stderr``, ``argv``, ``environment``, ``file PATH``, ``removed N``."""
    opened: tuple[str, ...]
    """Files opened for writing, whole paths."""

    def text(self, sink: str) -> str:
        return self.sinks[sink].decode(errors="replace")


OURS = ("-m", "reconciler")


def watch(
    place: Place, *arguments: str, crash: str = "", serves: bool = False, program: tuple[str, ...] = OURS
) -> Seen:
    """Run a command and collect whatever it wrote.

    ``crash``: the function (``module:name``) that has a bug. ``serves``: it says an address, where it is then asked
    with each secret, and is ended by Ctrl-C.
    """
    before, log, kept = _files(place.root), place.root.with_suffix(".log"), place.root.with_suffix(".kept")
    kept.mkdir(exist_ok=True)
    environment = {
        **_surroundings(place), "PYTHONPATH": str(RECORDER), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONASYNCIODEBUG": "1",
        "CANARY_LOG": str(log), "CANARY_KEPT": str(kept), "CANARY_CRASH": crash,
    }  # fmt: skip
    with _held(place.project):
        process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=place.project, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        first = b""
        if serves:
            first = process.stdout.readline()
            _ask(first.decode().split()[-1], place)
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        after = _files(place.root)
    notes = [json.loads(line) for line in log.read_text().splitlines()]
    sinks = {"stdout": first + out, "stderr": err, **_inside(out)}
    sinks |= {f"file {name}": content for name, content in after.items() if before.get(name) != content}
    sinks |= {f"removed {path.name}": path.read_bytes() for path in kept.iterdir()}
    for what in ("argv", "environment"):
        sinks[what] = "\n".join(_lines(value for name, value in notes if name == what)).encode()
    return Seen(process.returncode, sinks, tuple(value for name, value in notes if name == "opened"))


def _inside(out: bytes) -> dict[str, bytes]:
    """What stands in an output that is base64 as a whole: a key that is handed out has its subkeys in there."""
    try:
        return {"stdout, decoded": base64.b64decode(out.strip(), validate=True)}
    except binascii.Error:
        return {}


def _ask(origin: str, place: Place) -> None:
    for value in place.secrets.values():
        if isinstance(value, str):
            headers = {"Host": "eu.sms.api.sinch.com", "Authorization": f"Bearer {value}"}
            response = httpx.get(f"{origin}/xms/v1/{'0' * 31}2/batches", headers=headers, trust_env=False)
            assert response.status_code in (200, 401)


def _surroundings(place: Place) -> dict[str, str]:
    ours = {name: os.environ[name] for name in os.environ if name == "PATH" or name.startswith("COVERAGE_PROCESS")}
    return {**ours, "LANG": "C.UTF-8", "HOME": f"{place.root}/home", "TMPDIR": f"{place.root}/tmp", **place.env}


def _files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep the stores open, so that SQLite leaves their ``-wal`` and ``-shm`` where they can be searched."""
    with ExitStack() as stack:
        for store in folder.glob("**/*.db"):
            connection = stack.enter_context(closing(sqlite3.connect(store)))
            connection.execute("SELECT count(*) FROM store").fetchone()
        yield


def _lines(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        yield from (f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else map(str, value)


Product = tuple[str, str]
"""A sink that is there to hold a secret, and which one: patterns of their names."""


def leaks(seen: Seen, secrets: Mapping[str, str | bytes], product: Collection[Product] = ()) -> list[str]:
    """``SINK holds SECRET (FORM)`` for each one found that is no ``product``."""
    found = []
    for name, value in secrets.items():
        wanted = forms(value)
        for sink, content in seen.sinks.items():
            if not any(fnmatch(sink, where) and fnmatch(name, what) for where, what in product):
                found += [f"{sink} holds {name} ({form})" for form, needle in wanted.items() if needle in content]
    return found


def held(seen: Seen, secrets: Mapping[str, str | bytes], product: Product) -> bool:
    """Whether a product is there."""
    where, what = product
    return any(
        needle in content
        for name, value in secrets.items()
        if fnmatch(name, what)
        for needle in forms(value).values()
        for sink, content in seen.sinks.items()
        if fnmatch(sink, where)
    )
