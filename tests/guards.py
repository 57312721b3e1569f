"""What holds each attack off, as a change that takes it away. ``make guards`` makes each change and runs its tests.

Every attack that a guard names must then have a failing test; the file is put back whatever happens. It works on the
files of this clone, so it refuses to begin where one of them has changes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packaged import PACKAGE

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Guard:
    """One guard. ``changes`` are pairs of texts of its file: what stands there, and what is left without it."""

    attacks: tuple[str, ...]
    where: str
    """Module and name."""
    changes: tuple[tuple[str, str], ...]

    @property
    def file(self) -> Path:
        """The file of :attr:`where`."""
        module = self.where.partition(":")[0]
        return ROOT / module if "/" in module else PACKAGE / f"{module.replace('.', '/')}.py"


def _guard(attacks: str, where: str, *changes: tuple[str, str]) -> Guard:
    return Guard(tuple(attacks.split()), where, changes)


GUARDS: tuple[Guard, ...] = (
    # what is stored
    _guard("01 02 10", "sealing:Keyring._about",
           ("self.store_id, workspace, name, provider, field, version, key_id)", "field, version, key_id)")),
    _guard("03 04", "sealing:Keyring._about", ("provider, field, version, key_id)", "provider, key_id)")),
    _guard("07", "sealing:Keyring._about", ('"reconciler-secret-1", self.store_id, ', '"reconciler-secret-1", '),
           ('"reconciler-subkey-1", self.store_id, ', '"reconciler-subkey-1", ')),
    _guard("01 03 04 05", "stores._examine:compared", ("    if found == expected:", "    if found:")),
    _guard("05", "stores._examine:_wrong", ("    if _hash(facts[:-_BESIDE], sealed) != left:", "    if not facts:")),
    _guard("05", "stores._kept:_kept", ("if not left or audit.row_hash(stored, sealed) != left[0][0]:", "if False:")),
    _guard("05", "stores._commit:Commit._may_go",
           ("over = all(promised.get((name, version), \"\") <= self._now for version in versions)", "over = True")),
    _guard("08", "sealing:Keyring._derive",
           ("data = self._data.get(key_id)", "data = self._data.get(key_id) or next(iter(self._data.values()))")),
    _guard("09", "keys:Cipher.decrypt", ("        except InvalidTag:\n            return None",
                                         "        except InvalidTag:\n            return blob.hex().encode()")),
    _guard("10", "canonical:joined", ("pieces += (_length(len(piece)), piece)", "pieces += (piece, b':')")),
    # in memory, in a header, in a log
    _guard("11", "secret:Secret.__repr__", ('        return "<secret>"\n\n    __str__',
                                            "        return self._value\n\n    __str__")),
    _guard("11", "scrub:Scrubber.__repr__", ('return "Scrubber(<secret>)"', "return str(self._pieces)")),
    _guard("12 13 14", "http:_check_value", ("if not _PRINTABLE.fullmatch(", "if not str(")),
    _guard("12 13 14", "resolvers.base:usable",
           ("if not value.isascii() or not value.isprintable():", "if not value:")),
    _guard("15 17", "http:HttpPool.__aenter__", ("setLevel(logging.WARNING)", "getEffectiveLevel()")),
    _guard("16", "http:Http.get", ("{path.partition('?')[0]}", "{path}")),
    _guard("16 17", "logs:masked", ('return _TOKEN.sub("<masked>", ', 'return _TOKEN.sub(r"\\g<0>", ')),
    _guard("17", "http:_Client.cookies", ("class _Client(httpx.AsyncClient):", "class _Unused(httpx.AsyncClient):"),
           ("self._client = _Client(", "self._client = httpx.AsyncClient(")),
    _guard("17", "http:HttpPool.__aenter__", ("            cookie_jar=aiohttp.DummyCookieJar(),\n",
                                              "            cookie_jar=aiohttp.CookieJar(unsafe=True),\n")),
    _guard("23", "network:_URL", ('rf"https://(?P<host>', 'rf"https://(?:[^/]*@)?(?P<host>')),
    _guard("18", "providers.infobip:BASE_URL", ('r"^(https://)?(', 'r"^(https://)?([^/]*@)?(')),
    # the way to a provider
    _guard("20", "http:HttpPool.__aenter__", ("follow_redirects=False", "follow_redirects=True")),
    _guard("20", "reply:judge", ("    if 300 <= status < 400:", "    if False:")),
    _guard("20", "reply:_redirect_host", ("return host if _HOST.fullmatch(host) else", "return location or")),
    _guard("21", "network:_URL", ('rf"https://', 'rf"https?://')),
    _guard("21", "network:loopback", ("if match is None or not _is_loopback", "if match and not _is_loopback"),
           ('return match["origin"]', "return origin")),
    _guard("22 24", "network:target", (
        "if match is None or not any(host == h or (h.startswith(\".\") and host.endswith(h)) for h in hosts):",
        'host, match = url.split("/")[2], {"path": "/"}\n    if False:')),
    _guard("24", "network:target", ('(h.startswith(".") and host.endswith(h))', "h.strip('.') in host")),
    _guard("25", "http:HttpPool.__aenter__", ("None if self._allow_private else network.PublicResolver()", "None")),
    _guard("25", "network:is_public", ("return ip.is_global and not ip.is_multicast", "return True")),
    _guard("25", "network:tls_context", ("context.minimum_version", ("context.check_hostname = False\n    "
                                                                    "context.minimum_version"))),
    _guard("26 28", "http:HttpPool.__aenter__", ("trust_env=False", "trust_env=True")),
    _guard("27", "network:tls_context", ("ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)", "ssl.create_default_context()"),
           ("    if context.keylog_filename is not None:", "    if False:")),
    # the manifest
    _guard("29", "yamlreader:_broken",
           ('_SYNTAX.get(said, "check the indentation and the quotes around here")', "said"),
           ("_broken(str(error.problem), mark.line", "_broken(str(error), mark.line")),
    _guard("30", "yamlreader:_Builder._duplicate", ("        self._keep(Trouble(\"duplicate-key\"",
                                                    "        str(Trouble(\"duplicate-key\"")),
    _guard("30", "manifest:_twice", ("for file in files if len(files) > 1 else ():", "for file in ():")),
    _guard("31", "yamlreader:_Builder._value", ('return self._tell("yaml-anchor", event, detail=', "return str(")),
    _guard("32", "yamlreader:_Builder._value", ("if len(self._path) >= DEPTH:", "if False:")),
    _guard("33", "yamlreader:_Builder._properties", ("if event.tag is not None:", "if False:")),
    _guard("34", "yamlreader:_Builder._plain", ("        if reading(text):", "        if False:")),
    _guard("35", "providers.base:Fields", ("hide_input_in_errors=True", "hide_input_in_errors=False")),
    # files
    _guard("39", "references:bad_path", ('    if ".." in parts:', "    if False:")),
    _guard("39", "resolvers.file:_inside", ('if not target.startswith(base + "/"):', "if False:")),
    _guard("39", "resolvers.file:_leave", ("if len(folders) == 1:", "if False:")),
    _guard("39 40", "resolvers.file:_text", ("if not stat.S_ISREG(os.fstat(descriptor).st_mode):", "if False:")),
    _guard("41", "private:check", ("if stat.S_ISLNK(found.st_mode):", "if False:"),
           ("if not stat.S_ISREG(found.st_mode):", "if False:"), ("if found.st_mode & 0o077:", "if False:")),
    _guard("41", "stores.sqlite:_unmoved", ("if (before.st_dev, before.st_ino) != (after.st_dev, after.st_ino):",
                                            "if False:")),
    _guard("42", "private:make_file", ("os.O_CLOEXEC, 0o600)", "os.O_CLOEXEC, 0o666)"),
           ("os.fchmod(descriptor, 0o600)", "pass")),
    _guard("43", "private:check", ("if found.st_mode & 0o077:", "if False:")),
    _guard("43", "private:check", ("if found.st_uid != us:", "if False:")),
    _guard("43", "private:check", ("if stat.S_ISLNK(found.st_mode):", "if False:"),
           ("if not stat.S_ISREG(found.st_mode):", "if False:"), ("if found.st_mode & 0o077:", "if False:")),
    _guard("44", "stores.sqlite:_Sqlite.clean", ('.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()', "")),
    # the plan
    _guard("45", "planfile:signed", ("return check(_signed(file), file.signature)", "return True")),
    _guard("46", "app.resuming:_refuse_other", ("if store.info.id != scope.store_id:", "if False:")),
    _guard("46", "app.resuming:_refuse_other", ("if where.workspace and where.workspace != scope.workspace:",
                                                "if False:")),
    _guard("46", "app.resuming:_refuse_late", ("if time > made.expires:", "if False:")),
    _guard("46", "app.resuming:_refuse_late", ("if run and run.finished_at:", "if False:")),
    _guard("46", "stale:_moved", ("if version != planned.expected_version:", "if False:"),
           ("if not secrets and (again is None or of_change(again) != of_change(planned)):", "if False:")),
    _guard("46", "digest:of_change",
           ('**({"last": change.last_version} if change.last_version else {}),', "")),
    _guard("47", "stale:_secrets", ("elif mark and value is not None and shown(value) != mark:", "elif False:")),
    _guard("47", "stale:_secrets", ("if mark and value is None:", "if False:")),
    # text for people and machines
    _guard("49", "schemas/credentials.schema.json:propertyNames",
           ('"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"', '"^.*$"')),
    _guard("50", "render.rows:safe", ("if not (said.isascii() and said.isprintable()):", "if False:")),
    _guard("54", "render.__init__:FORMATS", ('    "json": "reconciler', ('    "csv": "reconciler.render.json",\n'
                                                                       '    "json": "reconciler'))),
    _guard("55", "references:check", ("    if not found:\n        return _no_reference(",
                                      "    if not found:\n        return None and _no_reference(")),
    _guard("55", "trouble:looks_secret", ("return len(text) >= 20 and", "return False and")),
    _guard("55", "schema:hide", ("            holder[last] = HIDDEN\n", "")),
    _guard("55", "secret:holding", ("        if size and len(text) >= size:", "        if False:")),
    _guard("55", "references:_no_reference", ('"the value is not shown here"', 'f"the value is {text}"')),
    # a provider's answer
    _guard("56", "scrub:Scrubber.text", ("            if piece in low:", "            if False:")),
    _guard("56", "scrub:_forms", ("piece[::-1], ", "")),
    _guard("56", "scrub:_forms", ("html.escape(piece), ", "")),
    _guard("56", "scrub:_forms", ("yield from (inner, inner.translate(_URL_SAFE))", "yield inner")),
    _guard("56", "reply:judge", ("scrub.headers(response.headers.items())", "dict(response.headers.items())")),
    _guard("56", "reply:_parse", ("scrub.json(json.loads(body))", "json.loads(body)")),
    _guard("56", "reply:read", ("LARGEST = 64 * 1024", "LARGEST = 2**24")),
    _guard("57", "providers.twilio:_about_account", ("if found.id.lower() != sid.lower():", "if False:")),
    # the audit log, crashes
    _guard("65", "audit:_covered", ("workspace, seq, previous, canonical(event))",
                                    "workspace, seq, canonical(event))")),
    _guard("65", "audit:_unlinked", ("if check(_covered(previous, workspace, seq, event), mac):", "if True:")),
    _guard("06 66", "audit:verify_anchors", ("        if seq not in found:",
                                             "        if not found.setdefault(seq, text):")),
    _guard("66", "audit:verify_anchors", ("elif found[seq] != text:", "elif False:")),
    _guard("70", "stores.sqlite:_Sqlite.writing", (
        'return Transaction(self._connection, self._path, "BEGIN IMMEDIATE", self._still_there)',
        "import contextlib; return contextlib.nullcontext()")),
    # keys
    _guard("67", "sealing:_Fingerprinter.__call__", ("return self._key.mac(message)", ("return __import__('hashlib')"
                                                     ".sha256(message).digest()")),),
    _guard("67", "resolvers.base:usable", ("if not SHORTEST <= len(value) <= LONGEST:", "if len(value) > LONGEST:")),
    _guard("68", "secret:Secret.__reduce__", (("    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = "
                                              "__deepcopy__ = _refuse\n"), "    _unused = _refuse\n")),
    _guard("69", "sealing:open_keyring", (('raise StoreError("key-wrong", f"store {store_id} wants key {wanted}; given '
                                          'was key {given}")'), "return new_data_key(store_id, key)[0]")),
)  # fmt: skip


def of(attack: str) -> list[Guard]:
    """The guards that hold off one attack."""
    return [guard for guard in GUARDS if attack in guard.attacks]


def missing(guard: Guard) -> list[str]:
    """What a guard says of its file, and that does not stand there any more."""
    text = guard.file.read_text()
    return [before for before, _ in guard.changes if before not in text]


@contextmanager
def without(guard: Guard) -> Iterator[None]:
    """Its file without the guard; put back at the end."""
    text = guard.file.read_text()
    changed = text
    for before, after in guard.changes:
        changed = changed.replace(before, after)
    guard.file.write_text(changed)
    try:
        yield
    finally:
        guard.file.write_text(text)


def red(guard: Guard) -> dict[str, int]:
    """How many tests of each of its attacks fail without it."""
    import attacks

    # where one failure tells it, nobody needs to wait for the others
    first = ["-x"] if len(guard.attacks) == 1 else []
    nodes = sorted({f"tests/{test}" for attack in guard.attacks for test in attacks.tests()[attack]})
    with without(guard):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "2", "--tb=no", "-p", "no:cacheprovider", *first, *nodes],
            cwd=ROOT, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
    failed = re.findall(r"^(?:FAILED|ERROR) \S+?::(\w+)", done.stdout, re.MULTILINE)
    return {attack: sum(attack in attacks.numbers(test) for test in failed) for attack in guard.attacks}


def main(*wanted: str) -> int:
    """Take each guard away in turn (or those of the attacks named), and tell which tests fail."""
    chosen = [guard for guard in GUARDS if not wanted or set(wanted) & set(guard.attacks)]
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *{str(g.file) for g in chosen}], cwd=ROOT)
    if changed.returncode:
        sys.stdout.write("a file that would be changed has changes already: commit them first\n")
        return 64
    green = 0
    for guard in chosen:
        gone = missing(guard)
        found = {} if gone else red(guard)
        kept = [attack for attack in guard.attacks if not found.get(attack)]
        green += bool(kept)
        said = f"NOT THERE: {gone[0]!r}" if gone else f"STILL GREEN: {' '.join(kept)}" if kept else "red"
        sys.stdout.write(f"{' '.join(guard.attacks):12} {guard.where:44} {said}  {found or ''}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} guards taken away, {len(chosen) - green} noticed\n")
    return int(bool(green))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
