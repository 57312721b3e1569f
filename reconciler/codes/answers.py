"""Codes of what a provider answered, and of secrets that this machine lacks."""

from __future__ import annotations

from reconciler.codes.base import AGAIN, Code, Exit, Fault, rejected, runner, unknown, valid
from reconciler.model import Status

ROWS = (
    # what a provider answered
    valid("accepted", "the provider accepts the credential", Status.READY),
    valid("limited", "it can send, but lacks a permission that sending does not need", Status.LIMITED),
    rejected(
        "key-refused",
        "the provider did not accept the secret",
        "put a valid secret behind the reference, then apply again",
        "{provider} did not accept the {secret} of {name}",
    ),
    rejected(
        "scope-missing",
        "the secret is genuine, but may not send SMS",
        "grant the send scope to this key at the provider, or use a key that has it",
        "{provider} accepts the {secret} of {name}, but not for sending SMS",
    ),
    rejected(
        "permission-missing",
        "the key may not read what proves it",
        "grant the key the read permission named above, or use a Standard key",
        "{provider} does not let the {secret} of {name} read what proves it",
    ),
    rejected(
        "account-inactive",
        "the provider has suspended or closed the account",
        "settle it with the provider's support or billing; the secret itself may be right",
        "{provider} has suspended or closed the account of {name}",
        Status.SUSPENDED,
    ),
    rejected(
        "test-credential",
        "these are test credentials, which cannot send",
        "use the live account SID and its token",
        "{name} has test credentials of {provider}, which cannot send",
    ),
    rejected(
        "wrong-account",
        "the secret belongs to another account than the one declared",
        "correct the declared account, or use that account's own secret",
        "the {secret} of {name} belongs to another {provider} account than the one declared",
    ),
    rejected(
        "not-found",
        "the provider knows no such account there",
        "check the identifier, the region and the host",
        "{provider} knows no such account as that of {name}",
    ),
    unknown(
        "timed-out",
        "the provider did not answer in time",
        AGAIN,
        "{provider} did not answer in time: {name} was not judged",
    ),
    unknown(
        "not-reached",
        "the provider could not be reached",
        AGAIN,
        "{provider} could not be reached: {name} was not judged",
    ),
    unknown(
        "host-not-found",
        "the provider's host name cannot be resolved",
        "check the host for a typing error, and DNS, proxy and firewall of this machine; then run the command again",
        "the host name that {name} has for {provider} cannot be resolved",
    ),
    unknown(
        "tls-failed",
        "no trusted TLS connection to the provider",
        "check the network for a proxy that intercepts TLS; then run the same command again",
        "no trusted TLS connection to {provider}: {name} was not judged",
    ),
    unknown(
        "throttled", "the provider asks to slow down", AGAIN, "{provider} asks to slow down: {name} was not judged"
    ),
    unknown(
        "server-error",
        "the provider has an error of its own",
        AGAIN,
        "{provider} has an error of its own: {name} was not judged",
    ),
    unknown(
        "redirected",
        "something answered with a redirect, which is never followed",
        "check the network for a captive portal; then run the same command again",
        "something answered for {provider} with a redirect: {name} was not judged",
    ),
    unknown(
        "unexpected-answer",
        "the answer is not one that this provider documents",
        "check the network for a captive portal or proxy; then run the same command again",
        "the answer about {name} is not one that {provider} documents",
    ),
    # what this machine lacks
    runner(
        "secret-missing",
        "a secret's reference gives nothing here",
        "set it on the machine that runs this, then apply again",
        "the reference to the {secret} of {name} gives nothing here",
    ),
    runner(
        "secret-malformed",
        "a secret's value cannot be one",
        "store the bare value: printable ASCII, at least 8 characters, no line break inside",
        "what the reference to the {secret} of {name} gives cannot be one",
    ),
    runner(
        "secret-tracked",
        "a secret's file is kept by git",
        "replace the secret at the provider, since git remembers it; git rm --cached the file and commit, and keep the "
        "new one outside of git (--secrets-dir)",
        "git keeps the file of the {secret} of {name}: everybody who has the repository has it",
    ),
    Code(
        "git-silent",
        Fault.RUNNER,
        Exit.DONE,
        "nobody can tell whether git keeps a secret's file",
        "install git, or mend that folder's .git, or remove it; or keep secrets outside of it (--secrets-dir)",
    ),
)
