"""The one table of codes: verdict, status, whose fault, exit code, summary and hint of everything that can go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from reconciler.model import Answer, Status


class Exit(IntEnum):
    """Exit codes. Where several apply, the first of :data:`PRECEDENCE` wins."""

    DONE = 0
    INVALID = 1
    CHANGES = 2
    ATTENTION = 3
    REFUSED = 4
    STORE = 5
    USAGE = 64
    BUG = 70
    INTERRUPTED = 130


PRECEDENCE = (
    Exit.BUG, Exit.INTERRUPTED, Exit.USAGE, Exit.STORE, Exit.REFUSED,
    Exit.ATTENTION, Exit.INVALID, Exit.CHANGES, Exit.DONE,
)  # fmt: skip


class Fault(StrEnum):
    """Whose turn it is."""

    CONFIGURATION = "configuration"
    PROVIDER = "provider or network"
    RUNNER = "the machine that runs this"
    STORE = "the store"
    PERSON = "a person must decide"
    OURS = "this tool"


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table."""

    name: str
    fault: Fault
    exit: Exit
    summary: str
    hint: str = ""
    answer: Answer | None = None
    """The verdict that it belongs to, where it is a provider's."""
    status: Status | None = None
    """What ``list`` shows for a stored credential whose latest verdict has this code."""


def _valid(name: str, summary: str, status: Status, hint: str = "") -> Code:
    return Code(name, Fault.PROVIDER, Exit.DONE, summary, hint, Answer.VALID, status)


def _rejected(name: str, summary: str, hint: str, status: Status = Status.REFUSED_NOW) -> Code:
    return Code(name, Fault.CONFIGURATION, Exit.ATTENTION, summary, hint, Answer.REJECTED, status)


def _unknown(name: str, summary: str, hint: str) -> Code:
    return Code(name, Fault.PROVIDER, Exit.ATTENTION, summary, hint, Answer.UNKNOWN, Status.NOT_REACHED)


def _manifest(name: str, summary: str, hint: str = "") -> Code:
    return Code(name, Fault.CONFIGURATION, Exit.INVALID, summary, hint)


def _runner(name: str, summary: str, hint: str) -> Code:
    return Code(name, Fault.RUNNER, Exit.ATTENTION, summary, hint)


def _store(name: str, summary: str, hint: str) -> Code:
    return Code(name, Fault.STORE, Exit.STORE, summary, hint)


def _refused(name: str, summary: str, hint: str) -> Code:
    return Code(name, Fault.PERSON, Exit.REFUSED, summary, hint)


def _usage(name: str, summary: str, hint: str = "") -> Code:
    return Code(name, Fault.PERSON, Exit.USAGE, summary, hint)


AGAIN = "nothing to fix: run the same command again"

_TABLE = (
    # what a provider answered
    _valid("accepted", "the provider accepts the credential", Status.READY),
    _valid("limited", "it can send, but lacks a permission that sending does not need", Status.LIMITED),
    _rejected(
        "key-refused",
        "the provider did not accept the secret",
        "put a valid secret behind the reference, then apply again",
    ),
    _rejected(
        "scope-missing",
        "the secret is genuine, but may not send SMS",
        "grant the send scope to this key at the provider, or use a key that has it",
    ),
    _rejected(
        "permission-missing",
        "the key may not read what proves it",
        "grant the key the read permission named above, or use a Standard key",
    ),
    _rejected(
        "account-inactive",
        "the provider has suspended or closed the account",
        "settle it with the provider's support or billing; the secret itself may be right",
        Status.SUSPENDED,
    ),
    _rejected(
        "test-credential", "these are test credentials, which cannot send", "use the live account SID and its token"
    ),
    _rejected(
        "wrong-account",
        "the secret belongs to another account than the one declared",
        "correct the declared account, or use that account's own secret",
    ),
    _rejected("not-found", "the provider knows no such account there", "check the identifier, the region and the host"),
    _unknown("timed-out", "the provider did not answer in time", AGAIN),
    _unknown("not-reached", "the provider could not be reached", AGAIN),
    _unknown(
        "host-not-found",
        "the provider's host name cannot be resolved",
        "check the host for a typing error; if it is right, run the same command again",
    ),
    _unknown(
        "tls-failed",
        "no trusted TLS connection to the provider",
        "check the network for a proxy that intercepts TLS; then run the same command again",
    ),
    _unknown("throttled", "the provider asks to slow down", AGAIN),
    _unknown("server-error", "the provider has an error of its own", AGAIN),
    _unknown(
        "redirected",
        "something answered with a redirect, which is never followed",
        "check the network for a captive portal; then run the same command again",
    ),
    _unknown(
        "unexpected-answer",
        "the answer is not one that this provider documents",
        "check the network for a captive portal or proxy; then run the same command again",
    ),
    # what this machine lacks
    _runner(
        "secret-missing",
        "a secret's reference gives nothing here",
        "set it on the machine that runs this, then apply again",
    ),
    _runner(
        "secret-malformed",
        "a secret's value cannot be one",
        "store the bare value: printable ASCII, at least 8 characters, no line break inside",
    ),
    # the manifest
    _manifest("yaml-syntax", "this is not well-formed YAML"),
    _manifest("yaml-tag", "YAML tags are not allowed", "write the plain value"),
    _manifest(
        "yaml-anchor",
        "anchors and aliases are not allowed",
        "write the values out: each entry stands alone, so that a reviewer sees it whole",
    ),
    _manifest(
        "yaml-merge",
        "merge keys are not allowed",
        "write the values out: each entry stands alone, so that a reviewer sees it whole",
    ),
    _manifest("yaml-document", "a file holds one YAML document", "move the second document into a file of its own"),
    _manifest("too-deep", "nested deeper than 32 levels"),
    _manifest("too-large", "the file is larger than 64 MiB", "split it: a folder of files is read as one manifest"),
    _manifest("not-utf8", "the file is not UTF-8 text", "save it as UTF-8"),
    _manifest("duplicate-key", "the same key stands twice", "keep one of them"),
    _manifest("duplicate-name", "two credentials have the same name", "rename or remove one of them"),
    _manifest("needs-quotes", "without quotes this is not text in YAML", "put it in double quotes"),
    _manifest("unknown-key", "there is no such key here"),
    _manifest("missing-key", "a required key is missing"),
    _manifest("wrong-type", "the value has the wrong type"),
    _manifest("bad-value", "the value is not one of those allowed"),
    _manifest(
        "bad-name", "names are lower-case letters, digits and inner hyphens, at most 63", "for free text there is label"
    ),
    _manifest("unknown-provider", "no such provider is installed"),
    _manifest("unknown-scheme", "no such reference scheme is installed"),
    _manifest("reference-form", "another tool's way of writing a reference"),
    _manifest("bad-reference", "the reference is not well formed"),
    _manifest(
        "secret-literal",
        "a secret stands in the manifest itself",
        "if this file was ever pushed, replace the secret at the provider: git remembers it",
    ),
    _manifest(
        "looks-secret",
        "a text that anybody may read looks like a secret",
        "if it is one, replace it at the provider and keep it behind a reference",
    ),
    _manifest("unusual", "it is accepted, but most look different", "copy it again from the provider's console"),
    _manifest("conflicting-keys", "these keys exclude each other", "keep one of them"),
    _manifest("workspace-differs", "the files of one run name different workspaces", "run once for each workspace"),
    _manifest("workspace-missing", "no file names the workspace", "add  workspace: NAME  or pass -w NAME"),
    _manifest(
        "empty-manifest",
        "the manifest declares no credential",
        "check the path; an empty manifest is accepted with --allow-empty",
    ),
    _manifest("not-supported", "not supported yet"),
    _manifest("not-read", "this was not read", "pass it with -f, or rename it to *.yaml"),
    _manifest(
        "secret-unresolved",
        "--secrets require: not every secret can be had here",
        "set what is missing, or run with --secrets auto",
    ),
    # what is installed beside this tool
    Code(
        "plugin-broken",
        Fault.RUNNER,
        Exit.USAGE,
        "a plug-in cannot be used",
        "install what it needs, or uninstall it",
    ),
    Code(
        "plugin-conflict",
        Fault.RUNNER,
        Exit.USAGE,
        "two distributions offer the same name",
        "uninstall one of them",
    ),
    # the store and its key
    _store(
        "store-missing",
        "there is no store there",
        "make it on purpose: reconciler store create; its key goes to RECONCILER_KEY or --key-file",
    ),
    _store("store-exists", "there is a store already", "use it, or name another one with --store"),
    _store("store-refused", "the store is not yours alone to open", "chmod 600 the file, and own it"),
    _store("store-unreachable", "the store cannot be opened", "check the address, the disk and the permissions"),
    _store("store-newer", "a newer program wrote this store", "upgrade sms-reconciler; nothing was touched"),
    _store(
        "store-mode",
        "a sandbox run and a live store (or the reverse) never mix",
        "drop or add --sandbox, or name another store with --store",
    ),
    _store("lease-held", "somebody else is applying to this workspace", "run the same command again when it is done"),
    _store("lease-lost", "the lease on the workspace passed to somebody else", "run the same command again"),
    _store("key-missing", "the store's key is not here", "pass --key-file PATH or set RECONCILER_KEY"),
    _store("key-wrong", "this is a key, but not one of this store's", "bring the key that the message names"),
    _store("key-malformed", "this is not a key", "a key is 32 bytes in base64: one line of 44 characters"),
    _store("key-refused-file", "the key file is not yours alone to read", "chmod 600 it, and own it"),
    _store("tampered", "a stored value was altered or moved", "restore the store from a backup, then look into who"),
    # a person must look
    _refused(
        "protected", "the credential is protected", "lift it first, by an apply that changes only  protected: false"
    ),
    _refused("too-many-deletes", "more would be deleted than a slip may delete", "name the number with --max-deletes"),
    _refused("new-workspace", "the workspace is new to this store", "if it is meant, run again with --new-workspace"),
    _refused("declined", "not confirmed: nothing was done", "the confirmation is the literal word yes"),
    _refused("plan-stale", "the store or a secret moved after the plan was shown", "plan again and look at it"),
    Code(
        "version-moved",
        Fault.PERSON,
        Exit.ATTENTION,
        "somebody else changed the credential meanwhile",
        "plan again and look at it",
    ),
    # how it was called
    _usage("usage", "the command line is not understood", "reconciler --help"),
    _usage("no-such-file", "there is no such file", "check the path"),
    _usage("unreadable", "the file cannot be read", "check its permissions"),
    _usage("secrets-dir-unknown", "which folder do file:// references mean?", "name it with --secrets-dir"),
    _usage("no-rejection", "there is nothing to cancel", "reconciler list  shows what was refused"),
    _usage("no-such-provider", "there is no such provider", "reconciler providers  lists them"),
    _usage("no-such-code", "there is no such code", "reconciler explain  lists them"),
    _usage("no-such-name", "there is no such credential", "reconciler list"),
    _usage("workspace-unknown", "which workspace?", "name it with -w"),
    _usage(
        "workspace-conflict",
        "-w names another workspace than the manifest",
        "drop -w, or pass that workspace's own manifest",
    ),
    _usage("not-confirmed", "apply needs a terminal to ask, or --yes", "in CI: reconciler apply --yes"),
    _usage(
        "no-sandbox-url",
        "only a loopback address can stand in for a provider",
        "--sandbox-url PROVIDER=http://127.0.0.1:PORT",
    ),
    _usage("shared-reference", "one reference cannot have two values", "give each account a reference of its own"),
    Code("interrupted", Fault.PERSON, Exit.INTERRUPTED, "interrupted", AGAIN),
    Code("bug", Fault.OURS, Exit.BUG, "this is a bug in reconciler", "please report it with the lines below"),
)

CODES: dict[str, Code] = {code.name: code for code in _TABLE}
