"""The schema and every statement of a store: one text for SQLite and PostgreSQL, with named parameters (``:name``).

The few words in which the two differ stand in braces and come from a :class:`Dialect`. Times are text
(RFC 3339, UTC, milliseconds: sorted as text they are sorted in time), numbers BIGINT, structures canonical JSON.
What the columns mean is written down in ``docs/formats.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.stores._database import Dialect

_RECORD = """
    workspace TEXT NOT NULL REFERENCES workspaces,
    name TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    provider TEXT NOT NULL,
    label TEXT NOT NULL,
    declared TEXT NOT NULL,
    account TEXT NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    secret_changed_at TEXT NOT NULL,
    secret_versions TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    checked_at TEXT NOT NULL,
    verdict TEXT NOT NULL,
    old_name TEXT NOT NULL DEFAULT '',
    row_hash TEXT NOT NULL,
    event_seq BIGINT NOT NULL,"""

_VERSION_1 = (
    """CREATE TABLE store (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'sandbox')),
    schema_version BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    program_version TEXT NOT NULL
)""",
    """CREATE TABLE slots (
    key_id TEXT NOT NULL,
    data_key_id TEXT NOT NULL,
    generation BIGINT NOT NULL CHECK (generation > 0),
    workspace TEXT NOT NULL DEFAULT '',
    purpose TEXT NOT NULL DEFAULT '',
    wrapped {blob} NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (key_id, data_key_id, workspace, purpose)
)""",
    """CREATE TABLE workspaces (
    workspace TEXT PRIMARY KEY,
    serial BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL
)""",
    """CREATE TABLE leases (
    workspace TEXT PRIMARY KEY,
    fencing BIGINT NOT NULL,
    id TEXT NOT NULL,
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    pid BIGINT NOT NULL,
    run_url TEXT NOT NULL,
    since TEXT NOT NULL,
    heartbeat TEXT NOT NULL,
    milliseconds BIGINT NOT NULL,
    expires TEXT NOT NULL
)""",
    f"CREATE TABLE records ({_RECORD}\n    PRIMARY KEY (workspace, name)\n)",
    f"""CREATE TABLE previous ({_RECORD}
    replaced_at TEXT NOT NULL,
    deleted BIGINT NOT NULL DEFAULT 0,
    keep_until TEXT NOT NULL,
    PRIMARY KEY (workspace, name, version)
)""",
    "CREATE INDEX previous_due ON previous (workspace, keep_until)",
    """CREATE TABLE secrets (
    workspace TEXT NOT NULL REFERENCES workspaces,
    name TEXT NOT NULL,
    field TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    key_id TEXT NOT NULL,
    sealed {blob} NOT NULL,
    fingerprint {blob} NOT NULL,
    stored_at TEXT NOT NULL,
    keep_until TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (workspace, name, field, version)
)""",
    "CREATE INDEX secrets_due ON secrets (workspace, keep_until) WHERE keep_until <> ''",
    """CREATE TABLE rejections (
    workspace TEXT NOT NULL REFERENCES workspaces,
    name TEXT NOT NULL,
    action TEXT NOT NULL,
    provider TEXT NOT NULL,
    label TEXT NOT NULL,
    declared TEXT NOT NULL,
    verdict TEXT NOT NULL,
    base_version BIGINT NOT NULL,
    fingerprints TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (workspace, name)
)""",
    """CREATE TABLE events (
    workspace TEXT NOT NULL REFERENCES workspaces,
    seq BIGINT NOT NULL CHECK (seq > 0),
    time TEXT NOT NULL,
    what TEXT NOT NULL,
    result TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    row_hash TEXT NOT NULL,
    body TEXT NOT NULL,
    mac {blob} NOT NULL,
    written_by TEXT NOT NULL DEFAULT {session_user},
    PRIMARY KEY (workspace, seq)
)""",
    "CREATE INDEX events_of ON events (workspace, name, seq)",
    """CREATE TABLE reads (
    id {identity},
    workspace TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    time TEXT NOT NULL,
    what TEXT NOT NULL,
    body TEXT NOT NULL,
    read_by TEXT NOT NULL DEFAULT {session_user},
    event_seq BIGINT
)""",
    "CREATE INDEX reads_waiting ON reads (workspace, id) WHERE event_seq IS NULL",
    """CREATE TABLE plans (
    workspace TEXT NOT NULL,
    id TEXT NOT NULL,
    begun_at TEXT NOT NULL,
    begun_by TEXT NOT NULL,
    finished_at TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (workspace, id)
)""",
)

UPGRADES: dict[int, Sequence[str]] = {1: _VERSION_1}
"""What leads to each version from the one before it. A version that was released never changes."""
VERSION = max(UPGRADES)
"""The version that this program writes, and the newest that it opens."""


def upgrades(since: int, dialect: Dialect) -> Iterator[str]:
    """The statements that lead from version ``since`` (0: an empty database) to :data:`VERSION`."""
    for version in range(since + 1, VERSION + 1):
        yield from map(dialect.sql, UPGRADES[version])


def _insert(table: str, *columns: str) -> str:
    """The names are constants of this module."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(':' + c for c in columns)})"  # noqa: S608


def _upsert(table: str, key: Sequence[str], *columns: str, keep: Sequence[str] = ()) -> str:
    """Insert, or overwrite all but the key and ``keep`` where the key is there already."""
    changed = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in keep)
    return f"{_insert(table, *key, *columns)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}"


_NAMED = ("workspace", "name")
_STATED = ("version", "provider", "label", "declared", "account", "created_at", "created_by", "updated_at",
           "updated_by", "secret_changed_at", "secret_versions", "accepted_at", "checked_at", "verdict", "old_name",
           "row_hash", "event_seq")  # fmt: skip

PUT_STORE = _insert("store", "one", "id", "mode", "schema_version", "created_at", "created_by", "program_version")
GET_STORE = "SELECT id, mode, schema_version FROM store"
UPGRADED = "UPDATE store SET schema_version = :schema_version, program_version = :program_version"
PUT_SLOT = _insert("slots", "key_id", "data_key_id", "generation", "workspace", "purpose", "wrapped", "created_at",
                   "created_by")  # fmt: skip
GET_SLOTS = """SELECT key_id, data_key_id, wrapped, generation, workspace, purpose FROM slots
    ORDER BY generation, created_at, key_id"""

GET_WORKSPACES = "SELECT workspace FROM workspaces WHERE serial > 0"
GET_TRIED = """SELECT workspace FROM workspaces WHERE serial > 0
    OR EXISTS (SELECT 1 FROM events WHERE events.workspace = workspaces.workspace)"""
GET_SERIAL = "SELECT serial FROM workspaces WHERE workspace = :workspace"
MAKE_WORKSPACE = f"{_insert('workspaces', 'workspace', 'serial', 'created_at', 'created_by')} ON CONFLICT DO NOTHING"
RAISE_SERIAL = "UPDATE workspaces SET serial = serial + 1 WHERE workspace = :workspace"

GET_LEASE = """SELECT fencing, id, actor, host, pid, run_url, since, heartbeat, milliseconds, expires
    FROM leases WHERE workspace = :workspace {for_update}"""
SEE_LEASE = GET_LEASE.removesuffix("{for_update}")
PUT_LEASE = _upsert("leases", ("workspace",), "fencing", "id", "actor", "host", "pid", "run_url", "since", "heartbeat",
                    "milliseconds", "expires")  # fmt: skip
RENEW_LEASE = """UPDATE leases SET heartbeat = :heartbeat, milliseconds = :milliseconds, expires = :expires
    WHERE workspace = :workspace"""
FREE_LEASE = "UPDATE leases SET id = '' WHERE workspace = :workspace AND id = :id AND fencing = :fencing"

RECORD = ("name", "version", "provider", "declared", "old_name", "account", "created_at", "created_by", "updated_at",
          "updated_by", "secret_changed_at", "accepted_at", "verdict")  # fmt: skip
"""The columns that make a record."""
GET_RECORDS = f"SELECT {', '.join(RECORD)} FROM records WHERE workspace = :workspace"  # noqa: S608
GET_RECORD = f"{GET_RECORDS} AND name = :name"
GET_NEW_NAME = "SELECT name FROM records WHERE workspace = :workspace AND old_name = :name"
GET_STRAYS = """SELECT r.name FROM records r LEFT JOIN events e ON e.workspace = r.workspace AND e.seq = (
        SELECT MAX(seq) FROM events WHERE workspace = r.workspace AND name = r.name)
    WHERE r.workspace = :workspace
        AND (e.seq IS NULL OR e.version <> r.version OR e.row_hash <> r.row_hash) ORDER BY r.name LIMIT 1"""
GET_VERSION = "SELECT version, row_hash FROM records WHERE workspace = :workspace AND name = :name"
GET_ROW = """SELECT name, version, old_name, provider, declared, account, created_at, created_by, updated_at,
    updated_by, secret_changed_at, secret_versions, label, event_seq, row_hash FROM records
    WHERE workspace = :workspace AND name = :name"""
PUT_RECORD = _upsert("records", _NAMED, *_STATED)
KEEP_RECORD = f"""INSERT INTO previous ({", ".join((*_NAMED, *_STATED))}, replaced_at, keep_until)
    SELECT {", ".join((*_NAMED, *_STATED))}, CAST(:now AS TEXT), CAST(:keep_until AS TEXT)
    FROM records WHERE workspace = :workspace AND name = :name"""  # noqa: S608

GET_KEPT = f"""SELECT {", ".join(RECORD)}, secret_versions, deleted, replaced_at, keep_until FROM previous
    WHERE workspace = :workspace AND name = :name AND keep_until > :now ORDER BY version DESC"""  # noqa: S608
GET_SECRETS_SINCE = """SELECT field, version, key_id, sealed, fingerprint FROM secrets
    WHERE workspace = :workspace AND name = :name AND (keep_until = '' OR keep_until > :now)"""
GET_LEFT = """SELECT row_hash FROM events
    WHERE workspace = :workspace AND name = :name AND version = :version AND row_hash <> '' ORDER BY seq LIMIT 1"""

GET_FINGERPRINTS = """SELECT name, field, version, fingerprint FROM secrets
    WHERE workspace = :workspace AND keep_until = ''"""
GET_SECRETS = """SELECT field, version, key_id, sealed, fingerprint FROM secrets
    WHERE workspace = :workspace AND name = :name AND keep_until = '' ORDER BY field"""
PUT_SECRET = _upsert("secrets", (*_NAMED, "field", "version"), "key_id", "sealed", "fingerprint", "stored_at",
                     "keep_until", keep=("stored_at",))  # fmt: skip
DROP_RECORD = "DELETE FROM records WHERE workspace = :workspace AND name = :name"
MARK_DELETED = """UPDATE previous SET deleted = 1
    WHERE workspace = :workspace AND name = :name AND version = :version"""
CHECKED_RECORD = """UPDATE records SET verdict = :verdict, checked_at = :checked_at,
    accepted_at = COALESCE(CAST(:accepted_at AS TEXT), accepted_at) WHERE workspace = :workspace AND name = :name"""

KEEP_SECRETS = """UPDATE secrets SET keep_until = (SELECT MAX(p.keep_until) FROM previous p
        WHERE p.workspace = secrets.workspace AND p.name = secrets.name AND p.version >= secrets.version)
    WHERE workspace = :workspace AND name = :name AND keep_until = ''"""
GET_RUN_OUT = "SELECT name, version FROM previous WHERE workspace = :workspace AND keep_until <= :now ORDER BY version"
GET_SECRETS_RUN_OUT = """SELECT name, field, version FROM secrets
    WHERE workspace = :workspace AND keep_until <> '' AND keep_until <= :now ORDER BY field, version"""
GET_NEEDED = """SELECT secret_versions FROM records WHERE workspace = :workspace AND name = :name
    UNION ALL SELECT secret_versions FROM previous
    WHERE workspace = :workspace AND name = :name AND keep_until > :now"""
DROP_SECRETS = """DELETE FROM secrets
    WHERE workspace = :workspace AND name = :name AND keep_until <> '' AND keep_until <= :now"""
DROP_PREVIOUS = "DELETE FROM previous WHERE workspace = :workspace AND name = :name AND keep_until <= :now"

GET_REJECTIONS = """SELECT name, action, provider, declared, verdict, base_version, fingerprints, attempts, first_at,
    last_at, actor FROM rejections WHERE workspace = :workspace"""
HAS_REJECTION = "SELECT 1 FROM rejections WHERE workspace = :workspace AND name = :name"
PUT_REJECTION = f"""{
    _upsert(
        "rejections",
        _NAMED,
        "action",
        "provider",
        "label",
        "declared",
        "verdict",
        "base_version",
        "fingerprints",
        "attempts",
        "first_at",
        "last_at",
        "actor",
        keep=("attempts", "first_at"),
    )
},
    attempts = rejections.attempts + 1"""
DROP_REJECTION = "DELETE FROM rejections WHERE workspace = :workspace AND name = :name"

GET_HEAD = "SELECT seq, mac FROM events WHERE workspace = :workspace ORDER BY seq DESC LIMIT 1"
GET_EVENTS = """SELECT seq, time, what, result, name, version, row_hash, body, mac FROM events
    WHERE workspace = :workspace ORDER BY seq"""
GET_EVENTS_ABOUT = """SELECT seq, time, what, result, name, version, row_hash, body, mac FROM events
    WHERE workspace = :workspace AND name = :name ORDER BY seq"""
GET_KEEPING = GET_EVENTS_ABOUT.replace("ORDER", "AND what <> 'read' AND what <> 'check' ORDER")
GET_LATEST = """SELECT version, row_hash FROM events WHERE workspace = :workspace AND name = :name
    ORDER BY seq DESC LIMIT 1"""
PUT_EVENT = _insert(
    "events", "workspace", "seq", "time", "what", "result", "name", "version", "row_hash", "body", "mac"
)
PUT_READ = f"{_insert('reads', 'workspace', 'name', 'version', 'time', 'what', 'body')} RETURNING id"
GET_WAITING = """SELECT id, name, time, body, read_by FROM reads
    WHERE workspace = :workspace AND event_seq IS NULL ORDER BY id LIMIT :most"""
CHAIN_READ = "UPDATE reads SET event_seq = :seq WHERE id = :id"
GET_PLAN = "SELECT begun_at, begun_by, finished_at FROM plans WHERE workspace = :workspace AND id = :id"
BEGIN_PLAN = f"{_insert('plans', 'workspace', 'id', 'begun_at', 'begun_by')} ON CONFLICT DO NOTHING"
FINISH_PLAN = "UPDATE plans SET finished_at = :finished_at WHERE workspace = :workspace AND id = :id"
GET_LAST_VERSION = """SELECT MAX(version) FROM (
    SELECT version FROM records WHERE workspace = :workspace AND name = :name
    UNION ALL SELECT version FROM previous WHERE workspace = :workspace AND name = :name
    UNION ALL SELECT version FROM events WHERE workspace = :workspace AND name = :name) AS versions"""
