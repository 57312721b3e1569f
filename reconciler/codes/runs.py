"""Codes of a run: what is installed, the store and its key, gates, and how it was called."""

from __future__ import annotations

from reconciler.codes.base import AGAIN, Code, Exit, Fault, refused, store, usage

ROWS = (
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
    store(
        "store-missing",
        "there is no store there",
        "name it with --store; or make one on purpose: reconciler store create; its key goes to RECONCILER_KEY or "
        "--key-file",
    ),
    store("store-exists", "there is a store already", "use it, or name another one with --store"),
    store("store-refused", "the store is not yours alone to open", "chmod 600 the file, and own it"),
    store("store-unreachable", "the store cannot be opened", "check the address, the disk and the permissions"),
    store("store-newer", "a newer program wrote this store", "upgrade sms-reconciler; nothing was touched"),
    store(
        "store-mode",
        "a sandbox run and a live store (or the reverse) never mix",
        "drop or add --sandbox, or name another store with --store",
    ),
    store("lease-held", "somebody else is applying to this workspace", "run the same command again when it is done"),
    store("lock-gone", "that is not the lease that is held", "look who holds it:  reconciler lock show"),
    store("lease-lost", "the lease on the workspace is this run's no more", "run the same command again"),
    store("key-missing", "the store's key is not here", "pass --key-file PATH or set RECONCILER_KEY"),
    store("key-wrong", "this is a key, but not one of this store's", "bring the key that the message names"),
    store(
        "key-lacks",
        "the key here does not reach for this",
        "bring the store's own key, or have one made for it: reconciler key export --for plan|consume|audit",
    ),
    store(
        "key-malformed",
        "this is not a key",
        "a key is one line of base64: 44 characters, or the longer one of reconciler key export",
    ),
    store("key-refused-file", "the key file is not yours alone to read", "chmod 600 it, and own it"),
    store("tampered", "a stored value was altered or moved", "restore the store from a backup, then look into who"),
    # a person must look
    refused(
        "protected", "the credential is protected", "lift it first, by an apply that changes only  protected: false"
    ),
    refused(
        "name-taken",
        "the old and the new name of a rename are both stored",
        "remove moved_from: then the old one is undeclared, and --prune deletes it; or rename to a name that is free",
    ),
    refused(
        "moved-from-unknown",
        "moved_from names nothing that is stored",
        "name the stored one in moved_from, or take it out",
    ),
    refused(
        "lifts-and-deletes",
        "one plan lifts a protection and deletes",
        "apply without --prune first; then plan the deletes, and look at every name",
    ),
    refused("too-many-deletes", "more would be deleted than a slip may delete", "name the number with --max-deletes"),
    refused("new-workspace", "the workspace is new to this store", "if it is meant, run again with --new-workspace"),
    refused("declined", "not confirmed: nothing was done", "the confirmation is the literal word yes"),
    Code(
        "version-moved",
        Fault.PERSON,
        Exit.ATTENTION,
        "somebody else changed the credential meanwhile",
        "plan again and look at it",
    ),
    Code(
        "old-name",
        Fault.CONFIGURATION,
        Exit.DONE,
        "the name is an old one, and will soon be gone",
        "use the new name wherever the old one stands",
    ),
    Code(
        "reused-name",
        Fault.PERSON,
        Exit.DONE,
        "the name was another credential's before",
        "its history stands under the name that it has now",
    ),
    Code(
        "atomic-stopped",
        Fault.PERSON,
        Exit.ATTENTION,
        "nothing was stored: with --atomic it is all or nothing",
        "mend what stopped it, then the same command again; without --atomic the others are stored",
    ),
    Code(
        "not-remembered",
        Fault.PERSON,
        Exit.DONE,
        "what the providers said is told here, and not stored",
        AGAIN,
    ),
    Code(
        "looks-renamed",
        Fault.PERSON,
        Exit.DONE,
        "a new entry has the account of a stored credential that no manifest declares",
        "if it is the same credential, say so in its entry with moved_from; if not, this is as it should be",
    ),
    Code(
        "flips-back",
        Fault.PERSON,
        Exit.DONE,
        "a manifest that does not say what is restored flips it back with the next apply",
        "bring the entry, or the secret behind its reference, to what is restored",
    ),
    # how it was called
    usage("usage", "the command line is not understood", "reconciler --help"),
    usage("no-such-file", "there is no such file", "check the path"),
    usage("unreadable", "the file cannot be read", "check its permissions"),
    usage("secrets-dir-unknown", "which folder do file:// references mean?", "name it with --secrets-dir"),
    usage("no-rejection", "there is nothing to cancel", "reconciler list  shows what was refused"),
    usage("no-such-provider", "there is no such provider", "reconciler providers  lists them"),
    usage("no-such-code", "there is no such code", "reconciler explain  lists them"),
    usage("no-such-value", "nothing can have this value", "reconciler --help"),
    usage("no-such-version", "there is no such version", "reconciler get NAME  lists the versions that are kept"),
    usage("no-such-name", "there is no such credential", "reconciler list"),
    usage("workspace-unknown", "which workspace?", "name it with -w"),
    usage(
        "workspace-conflict",
        "-w names another workspace than the manifest",
        "drop -w, or pass that workspace's own manifest",
    ),
    usage(
        "lock-unconfirmed",
        "ending somebody else's lease needs --yes",
        "look whether that run still lives; if it is gone: the same command with --yes",
    ),
    usage("not-confirmed", "this asks before it begins: it needs a terminal, or --yes", "the same command with --yes"),
    usage(
        "no-sandbox-url",
        "only a loopback address can stand in for a provider",
        "--sandbox-url PROVIDER=http://127.0.0.1:PORT",
    ),
    usage("shared-reference", "one reference cannot have two values", "give each account a reference of its own"),
    Code("interrupted", Fault.PERSON, Exit.INTERRUPTED, "interrupted", AGAIN),
    Code("bug", Fault.OURS, Exit.BUG, "this is a bug in reconciler", "please report it with the lines below"),
)
