"""Codes of what is wrong with a manifest."""

from __future__ import annotations

from reconciler.codes.base import manifest

ROWS = (
    manifest("yaml-syntax", "this is not well-formed YAML"),
    manifest("yaml-tag", "YAML tags are not allowed", "write the plain value"),
    manifest(
        "yaml-anchor",
        "anchors and aliases are not allowed",
        "write the values out: each entry stands alone, so that a reviewer sees it whole",
    ),
    manifest(
        "yaml-merge",
        "merge keys are not allowed",
        "write the values out: each entry stands alone, so that a reviewer sees it whole",
    ),
    manifest("yaml-document", "a file holds one YAML document", "move the second document into a file of its own"),
    manifest("too-deep", "nested deeper than 32 levels"),
    manifest("too-large", "the file is larger than 64 MiB", "split it: a folder of files is read as one manifest"),
    manifest("not-utf8", "the file is not UTF-8 text", "save it as UTF-8"),
    manifest("duplicate-key", "the same key stands twice", "keep one of them"),
    manifest("duplicate-name", "two credentials have the same name", "rename or remove one of them"),
    manifest("needs-quotes", "without quotes this is not text in YAML", "put it in double quotes"),
    manifest("unknown-key", "there is no such key here"),
    manifest("missing-key", "a required key is missing"),
    manifest("wrong-type", "the value has the wrong type"),
    manifest("bad-value", "the value is not one of those allowed"),
    manifest(
        "bad-name", "names are lower-case letters, digits and inner hyphens, at most 63", "for free text there is label"
    ),
    manifest("unknown-provider", "no such provider is installed"),
    manifest("unknown-scheme", "no such reference scheme is installed"),
    manifest("reference-form", "another tool's way of writing a reference"),
    manifest("bad-reference", "the reference is not well formed"),
    manifest(
        "secret-literal",
        "a secret stands in the manifest itself",
        "if this file was ever pushed, replace the secret at the provider: git remembers it",
    ),
    manifest(
        "looks-secret",
        "a text that anybody may read looks like a secret",
        "if it is one, replace it at the provider and keep it behind a reference",
    ),
    manifest(
        "secret-shared",
        "credentials have one secret in common",
        "if they are meant to differ, give each a key of its own: a leak or a rotation concerns them all",
    ),
    manifest("unusual", "it is accepted, but most look different", "copy it again from the provider's console"),
    manifest("conflicting-keys", "these keys exclude each other", "keep one of them"),
    manifest("workspace-differs", "the files of one run name different workspaces", "run once for each workspace"),
    manifest(
        "empty-manifest",
        "the manifest declares no credential",
        "check the path; an empty manifest is accepted with --allow-empty",
    ),
    manifest("bad-rename", "moved_from asks for a rename that cannot be carried out", "rename one step a run"),
    manifest("not-shown", "there is more than is shown", "mend what is shown first: the rest comes then"),
    manifest("not-read", "this was not read", "pass it with -f, or rename it to *.yaml"),
    manifest(
        "secret-unresolved",
        "not every secret can be had here, and this run insists on all (--secrets require)",
        "set what is missing; to go on without it: --secrets auto",
    ),
)
