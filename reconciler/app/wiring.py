"""The one place that picks implementations: which store, which key, which HTTP routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from reconciler import keyfiles, sealing
from reconciler.app.leasing import AT_ONCE, Patience, no_beat
from reconciler.codes import CODES
from reconciler.errors import StoreError, UsageError
from reconciler.model import Mode, Origin
from reconciler.report import Header
from reconciler.secret import Secret
from reconciler.state import Snapshot
from reconciler.stores.base import Store
from reconciler.trouble import is_name, nearest

DEFAULT_STORE = "sqlite:///.reconciler/store.db"
SANDBOX_STORE = "sqlite:///.reconciler/sandbox.db"


@dataclass(frozen=True, slots=True)
class Where:
    """Which workspace of which store, opened with which key, by whom."""

    origin: Origin
    store: str = ""
    """URL; empty means the default of the mode."""
    workspace: str = ""
    sandbox: bool = False
    key_file: Path | None = None
    patience: Patience = AT_ONCE
    """How long to wait for a lease that somebody else holds."""
    keep_old: timedelta = timedelta(days=7)
    """How long what a write replaces or deletes stays, to be restored."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    beat: Callable[[], None] = no_beat
    """Called again and again by work that takes its time while a lease is held."""
    flags: str = ""
    """Options that lead to the same store, for the next command."""
    manifest: tuple[Path, ...] = ()
    """Where the manifest usually is, for a command that reads none."""

    def next(self, command: str, workspace: str) -> str:
        """A command to paste: ``restore sms-fr`` with all that leads to this workspace of this store."""
        return f"reconciler {command} -w {workspace}{self.flags}"

    @property
    def mode(self) -> Mode:
        return Mode.SANDBOX if self.sandbox else Mode.LIVE

    @property
    def url(self) -> str:
        return self.store or (SANDBOX_STORE if self.sandbox else DEFAULT_STORE)

    @property
    def path(self) -> Path:
        """Where the SQLite file is: three slashes and a relative path, or four and an absolute one."""
        scheme, _, rest = self.url.partition(":///")
        if scheme != "sqlite" or not rest:
            raise UsageError("usage", "--store takes sqlite:///relative/path.db or sqlite:////absolute/path.db")
        return Path(rest)


def open_store(where: Where) -> Store:
    """Open the store, which must exist and be of the run's mode.

    Raises StoreError: missing, not ours, newer than this program, unreachable, or of the other mode.
    """
    from reconciler.stores import sqlite

    try:
        store = sqlite.open_store(where.path, keep_old=where.keep_old)
    except StoreError as error:
        raise _missing(where) if error.code.name == "store-missing" else error from None
    if store.info.mode is not where.mode:
        mode = store.info.mode
        store.close()
        raise StoreError("store-mode", f"{where.path} is a {mode} store, and this is a {where.mode} run")
    return store


def _missing(where: Where) -> StoreError:
    """That there is no store, and where: a run in another folder must not lead to a second one."""
    path = where.path
    said = f"there is no {path.absolute()}"
    rooted = Path("/", path)
    if where.store and not path.is_absolute() and rooted.parent.is_dir() and rooted.parent != Path("/"):
        said += f"; three slashes are relative to this folder: is sqlite:///{rooted} meant?"
    key = "" if where.sandbox else "; its key goes to RECONCILER_KEY or --key-file"
    if not where.store and not where.sandbox and _exists(Path(SANDBOX_STORE.partition(":///")[2])):
        return StoreError("store-missing", said, "there is a sandbox store here: the same with --sandbox; "
                          "to make a live one on purpose: reconciler store create" + key)  # fmt: skip
    flags = where.flags if where.flags or not where.sandbox else " --sandbox"
    return StoreError("store-missing", said, "go to its folder, or name it with --store; "
                      f"to make one on purpose: reconciler store create{flags}{key}")  # fmt: skip


def create_store(where: Where) -> tuple[Store, str]:
    """Make a store and its key; answers the store and where the key went (empty: it was given in RECONCILER_KEY).

    Raises StoreError ``store-exists``; a key that exists is used, never replaced.
    """
    from reconciler.stores import sqlite

    store_id = sealing.new_store_id()
    given = _given_key(where)
    key = given or sealing.new_wrapping_key()
    try:
        _, slot = sealing.new_data_key(store_id, key)
    except StoreError as error:
        raise _from(str(where.key_file or "RECONCILER_KEY"), error) from None
    if _exists(where.path):
        raise StoreError("store-exists", str(where.path))
    path = _default_key_file(where, store_id)
    if not given:
        # the key first: a store whose key could not be written would be lost the moment it is made
        keyfiles.write_key_file(path, key)
    try:
        store = sqlite.create_store(where.path, store_id, where.mode, where.origin.actor, slot)
    except BaseException:
        if not given:
            path.unlink()
        raise
    return store, "" if given else str(path)


def keyring(where: Where, store: Store) -> sealing.Keyring:
    """Open the store's data key with the wrapping key at hand.

    Raises UsageError for a named file that is not there; StoreError ``key-missing`` where there is none, ``key-wrong``
    where it is another store's.
    """
    key, source = key_at_hand(where, store.info.id)
    if key is None:
        wanted = ", ".join(slot.key_id for slot in store.slots())
        raise StoreError("key-missing", f"wanted: key {wanted}; looked in {source}")
    try:
        return sealing.open_keyring(store.info.id, store.slots(), key)
    except StoreError as error:
        raise _from(source, error) if error.code.name in ("key-malformed", "key-wrong") else error from None


def _from(source: str, error: StoreError) -> StoreError:
    """The same, with where the key came from: a variable that was forgotten goes before the key file."""
    detail = "; ".join(part for part in (error.detail, f"it is from {source}") if part)
    return StoreError(error.code.name, detail, error.hint)


def key_at_hand(where: Where, store_id: str) -> tuple[Secret | None, str]:
    """The wrapping key that this run would use, and where it came from or was looked for.

    Raises UsageError ``no-such-file`` where a file is named that is not there: another key, or none, is not what was
    meant. What makes a store writes that file instead.
    """
    path = _default_key_file(where, store_id)
    if where.key_file is None:
        text = where.environ.get("RECONCILER_KEY", "").strip()
        if text:
            return Secret(text), "RECONCILER_KEY"
    if _exists(path):
        return keyfiles.read_key_file(path), str(path)
    if where.key_file:
        raise UsageError("no-such-file", f"{path}: it is to hold the store's key",
                         "check the path in --key-file or RECONCILER_KEY_FILE")  # fmt: skip
    return None, f"RECONCILER_KEY and {path}"


def _given_key(where: Where) -> Secret | None:
    """The key that a new store is to have: the named file's where it exists, else RECONCILER_KEY's, else a new one."""
    if where.key_file:
        return keyfiles.read_key_file(where.key_file) if _exists(where.key_file) else None
    text = where.environ.get("RECONCILER_KEY", "").strip()
    return Secret(text) if text else None


def _default_key_file(where: Where, store_id: str) -> Path:
    if where.key_file:
        return where.key_file
    return keyfiles.default_key_file(store_id, where.environ)


def choose_workspace(named: str, store: Store | None, files: Sequence[str] = ()) -> str:
    """``-w`` or the manifest's name, else the store's only one (D18). Raises UsageError that names those there are.

    ``files``: those of the manifest, where one was read.
    """
    if named and not is_name(named):
        raise UsageError("usage", f"-w: {CODES['bad-name'].summary}")
    if named:
        return named
    names = (store.workspaces() or store.workspaces(tried=True)) if store else ()
    if len(names) == 1:
        return names[0]
    silent, hint = "", ""
    if files:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        silent, hint = f"{files[0]}{more} names none; ", "write  workspace: NAME  there, or name it with -w"
    raise UsageError("workspace-unknown", f"{silent}the store has {', '.join(names) or 'none yet'}", hint)


def known_workspace(where: Where, store: Store) -> str:
    """The same for commands on what is stored: one that the store has; of several, the one that the manifest names.

    The manifest is looked at only there, where it would be an error.
    """
    names = store.workspaces(tried=True)
    if where.workspace and names and where.workspace not in names:
        close = nearest(where.workspace, names)
        hint = f"did you mean -w {close}?" if close else ""
        detail = f"{where.workspace!r} is not in this store; it has {', '.join(names)}"
        raise UsageError("workspace-unknown", detail, hint)
    if not where.workspace and len(names) > 1:
        from reconciler.manifest import workspace_of

        named = workspace_of(where.manifest)
        if named in names:
            return named
    return choose_workspace(where.workspace, store)


def header_of(store: Store, snapshot: Snapshot) -> Header:
    """What the first line of a command says."""
    info = store.info
    return Header(snapshot.workspace, info.mode, info.display, True, info.id, snapshot.serial, len(snapshot.records))


def header_at(store: Store, workspace: str) -> Header:
    """The same of a workspace that may be damaged: then without its counts."""
    try:
        return header_of(store, store.load(workspace))
    except StoreError as error:
        if error.code.name != "tampered":
            raise
        return Header(workspace, store.info.mode, store.info.display, True, store.info.id)


def _exists(path: Path) -> bool:
    """Whether there is such a file. Raises StoreError where nobody can tell: a name too long, a folder closed to us."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError("store-unreachable", f"{path}: {error.strerror}") from None
    return True
