"""The Python interface: a manifest, plan and apply, and stored credentials. ``docs/api.md`` is its page.

The names are those of ``from reconciler import …``; what else a module has is not promised.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from reconciler import context, keyfiles
from reconciler.app import preparing
from reconciler.app.preparing import Secrets, What
from reconciler.app.wiring import Where
from reconciler.errors import ManifestInvalid, NotAsked, ReconcilerError, Refused, StoreError, UsageError
from reconciler.model import Credential, Problem
from reconciler.plans import Outcome, Plan
from reconciler.report import Report, exit_code
from reconciler.serving import FRESH_SECONDS, STALE_SECONDS, CredentialWarning, Served, StoredCredential

__all__ = [
    "Credential", "CredentialWarning", "Manifest", "ManifestInvalid", "NotAsked", "Outcome", "Plan", "Problem",
    "ReconcilerError", "Refused", "Report", "Store", "StoreError", "StoredCredential", "UsageError", "apply",
    "exit_code", "load_manifest", "open_store", "plan",
]  # fmt: skip

T = TypeVar("T")
PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What files declare, checked."""

    workspace: str
    """Empty where neither the files nor the caller name one."""
    credentials: Mapping[str, Credential]
    warnings: tuple[Problem, ...]
    what: What = field(repr=False)
    """How :func:`plan` and :func:`apply` read it again."""


def load_manifest(
    *files: PathLike, workspace: str = "", allow_empty: bool = False, secrets_dir: PathLike | None = None
) -> Manifest:
    """Read and check files, or folders of files, offline: no secret is read, no store opened, nobody asked.

    Without files ``credentials.yaml``. Raises ManifestInvalid with every problem; UsageError.
    """
    paths = tuple(Path(file) for file in files) or (Path("credentials.yaml"),)
    what = What(paths, allow_empty=allow_empty, secrets_dir=Path(secrets_dir) if secrets_dir else None)
    found, _ = preparing.read(Where(context.origin(os.environ), workspace=workspace, environ=os.environ), what)
    return Manifest(workspace or found.workspace, found.credentials, found.warnings, what)


class Store:
    """One workspace of one store. Holds no connection: every call opens the store and closes it again."""

    def __init__(self, where: Where, served: Served) -> None:
        self._where = where
        self._served = served

    def __repr__(self) -> str:
        return f"<store {self._where.url}, workspace {self._where.workspace or 'not named'}>"

    def _refuse(self, *_: Any) -> NoReturn:
        # it remembers credentials, and its lock belongs to this process
        raise TypeError("a store cannot be pickled, copied or written: open it where it is needed")

    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = _refuse

    def credential(self, name: str) -> StoredCredential:
        """A stored credential, by its name or, while ``moved_from`` stands, the one before (with a warning).

        Raises UsageError ``no-such-name``; StoreError where the store, the key or the record of the read fails.
        """
        return self._served.credential(name)

    def with_credential(
        self, name: str, call: Callable[[StoredCredential], T], is_refused: Callable[[Exception], bool]
    ) -> T:
        """Call ``call`` with a credential, and once more where the provider refused it and a newer one is stored.

        ``is_refused`` tells the provider's 401 from other exceptions. Raises what ``call`` raises, and as
        :meth:`credential`.
        """
        return self._served.with_credential(name, call, is_refused)


def open_store(
    url: str = "", *, workspace: str = "", key_file: PathLike | None = None, actor: str = "", sandbox: bool = False,
    fresh_for: float = FRESH_SECONDS, stale_for: float = STALE_SECONDS,
) -> Store:  # fmt: skip
    """A store and workspace to work with; nothing is opened before it is used, and none is ever made by this.

    ``url`` as for ``--store``, else RECONCILER_STORE, else the usual place; ``workspace`` else RECONCILER_WORKSPACE,
    else the store's only one. The key comes from ``key_file``, RECONCILER_KEY_FILE, RECONCILER_KEY or the usual file. A
    credential is taken from memory for ``fresh_for`` seconds, and for ``stale_for`` more while the store is away.
    """
    environ = os.environ
    named = key_file or environ.get("RECONCILER_KEY_FILE") or ""
    where = Where(
        origin=context.origin(environ, actor or environ.get("RECONCILER_ACTOR", "")),
        store=url or environ.get("RECONCILER_STORE", ""),
        workspace=workspace or environ.get("RECONCILER_WORKSPACE", ""),
        sandbox=sandbox,
        key_file=keyfiles.named(os.fspath(named)) if named else None,
        environ=environ,
    )
    return Store(where, Served(where, fresh_for, stale_for))


def plan(
    manifest: Manifest, store: Store, *, only: Sequence[str] = (), prune: bool = False, max_deletes: int | None = None,
    secrets: str = "auto",
) -> Report:  # fmt: skip
    """What :func:`apply` would do: asks no provider, writes nothing. The manifest's files are read again.

    The report's ``plan`` has the changes, its ``problems`` what to know of them. Raises ReconcilerError.
    """
    from reconciler.app import planning

    return planning.plan(_at(manifest, store), _what(manifest, only, prune, max_deletes, Secrets(secrets)))


def apply(
    manifest: Manifest, store: Store, *, only: Sequence[str] = (), prune: bool = False, max_deletes: int | None = None,
    expect: str = "", new_workspace: bool = False, atomic: bool = False, parallelism: int = 32,
    sandbox_urls: Mapping[str, str] | None = None,
) -> Report:  # fmt: skip
    """Prove each new or changed credential against its provider, and store those accepted. To call it is to consent.

    ``expect``: only what has this digest. The report's ``outcomes`` say what became of each change, :func:`exit_code`
    what the command would have ended with; a bug in the middle is its ``bug``, and 70. A live store must be there.
    Raises ReconcilerError where nothing was begun. Not from a running event loop: there, in a thread.
    """
    from reconciler.app import applying
    from reconciler.app.approving import FromManifest
    from reconciler.app.asking import Asking

    how = applying.How(yes=True, new_workspace=new_workspace, atomic=atomic,
                       asking=Asking(parallelism, dict(sandbox_urls or {})))  # fmt: skip
    source = FromManifest(_what(manifest, only, prune, max_deletes, Secrets.AUTO), expect)
    return applying.apply(_at(manifest, store), source, how, _Silent())


def _what(manifest: Manifest, only: Sequence[str], prune: bool, max_deletes: int | None, secrets: Secrets) -> What:
    return replace(manifest.what, only=tuple(only), prune=prune, max_deletes=max_deletes, secrets=secrets)


def _at(manifest: Manifest, store: Store) -> Where:
    """The store's own workspace where it names one; it must be the manifest's then."""
    where = store._where
    return where if where.workspace else replace(where, workspace=manifest.workspace)


class _Silent:
    """Nobody watches: the report says it all."""

    interactive = False
    again = "apply"

    def plan(self, report: Report) -> None:
        """Shown to nobody."""

    def confirm(self, question: str) -> bool:  # noqa: ARG002 - the answer is always the same
        """The caller has consented to the changes, and to nothing else."""
        return False

    def asking(self, plan: Plan) -> None:
        """Told to nobody."""

    def begin(self, total: int) -> None:
        """Told to nobody."""

    def outcome(self, outcome: Outcome) -> None:
        """Told to nobody."""

    def tell(self, text: str) -> None:
        """Told to nobody."""
