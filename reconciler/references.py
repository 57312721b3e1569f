"""What may stand in a secret key: a reference, never the value. Whether it leads anywhere is a resolver's to say.

Nothing of the text is ever repeated but its scheme: it may be the secret itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from reconciler.codes import CODES
from reconciler.trouble import Path, Trouble, listed, looks_secret, nearest

BUILT_IN = ("env", "file")
"""The schemes that come with the package."""

_FINE = re.compile(
    r"(env://(?!RECONCILER_)[A-Za-z_][A-Za-z0-9_]{0,99}|file://[A-Za-z0-9_.-]{0,99}[A-Za-z0-9_-])"
    r"(#[A-Za-z0-9_][A-Za-z0-9_.-]{0,99})?\Z",
    re.ASCII,
)
"""Most references, at once; all others are looked at closely."""

SHORTEST_TOKEN = 26
"""Characters of the shortest reference that could hold a token."""

_REFERENCE = re.compile(r"([a-z][a-z0-9+.-]{0,31})://([!-~]{1,1000})\Z", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,15})://")
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\Z", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_FOREIGN = re.compile(
    r"\$\{.*\}\Z|\$[A-Za-z_][A-Za-z0-9_]*\Z|\$\(.*\)\Z|%[A-Za-z_][A-Za-z0-9_]*%\Z"  # shells, ${env:X}, ${{ secrets.X }}
    r"|\{\{.*\}\}\Z|<%.*%>\Z|!env\b|!vault\b"                                       # templates, tags within quotes
    r"|(?i:env|file|vault|secrets?|process\.env|os\.environ)[.:\[(/]|arn:aws|projects/[^/]+/secrets/",
    re.DOTALL,
)  # fmt: skip
_NAMED = re.compile(
    r"(?:\$\{?|\$?\{\{ ?|%)?(?:(?:env|secrets|process\.env|os\.environ)[.:])?"
    r"([A-Z][A-Z0-9_]{1,63})(?: ?\}\}|\}|%)?\Z",
    re.ASCII,
)
"""Of those, the ones that are about a variable, in capitals as secrets' variables are: a value is not repeated."""

_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:[0-9a-f]{32,}|[0-9A-F]{32,}|[0-9a-z]{28,}|"
    r"(?=[0-9A-Z]*[a-z])(?=[0-9a-z]*[A-Z])[0-9A-Za-z]{20,})(?![A-Za-z0-9])",
    re.ASCII,
)
"""A run of characters in the form of a token, not of a variable's name or a file's."""


def fine(text: str) -> bool:
    """Whether there is nothing to say, for most references at the cost of one match."""
    return _FINE.match(text) is not None and not (len(text) >= SHORTEST_TOKEN and _holds_token(text))


def _holds_token(text: str) -> bool:
    """Whether somebody put the value where the place of it belongs: ``env://`` and then the token itself."""
    return any(looks_secret(run) for run in _TOKEN.findall(text))


def check(path: Path, text: str, schemes: Collection[str] = BUILT_IN, *, suggestion: str = "") -> Trouble | None:
    """What is wrong with the text of a secret key, or ``None``. ``suggestion``: references that would do here."""
    found = _REFERENCE.match(text)
    if not found:
        return _no_reference(path, text, schemes, suggestion)
    scheme, rest = found.groups()
    if scheme.startswith("ref+"):
        return _say("reference-form", path, "a reference begins with its scheme alone, without ref+", suggestion)
    if scheme not in schemes:
        return _unknown(path, scheme, schemes, suggestion)
    if _holds_token(rest):
        return _literal(path, "what stands behind the scheme looks like the secret itself", suggestion)
    place, marked, key = rest.partition("#")
    why = bad_variable(place) if scheme == "env" else bad_path(place) if scheme == "file" else ""
    why = why or (bad_key(key) if marked else "")
    return _say("bad-reference", path, why, suggestion) if why else None


def suggest(provider: str, name: str, key: str) -> str:
    """References that would do for this key of this credential."""
    words = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "name"
    variable = f"{provider}_{words}".upper().replace("-", "_")
    return f"{key}: env://{variable}      or  file://{words}"


def bad_variable(name: str) -> str:
    """Why this is no variable for a secret, or an empty text."""
    if name.startswith("RECONCILER_"):
        return "RECONCILER_ variables are reconciler's own settings, never a credential's secret"
    return "" if _VARIABLE.match(name) else "after env:// stands a variable's name: letters, digits and _"


def bad_path(path: str) -> str:
    """Why this path cannot lie inside the folder of secrets, or an empty text."""
    parts = path.split("/")
    if path.startswith("/"):
        return "after file:// stands a path inside the folder of secrets (--secrets-dir), so it begins without /"
    if ".." in parts:
        return "a path with .. may leave the folder of secrets"
    if "" in parts or "." in parts:
        return "a path has no empty part and no . part"
    return "a path is written as it is, without % or \\" if set("%\\\0") & set(path) else ""


def bad_key(key: str) -> str:
    """Why this names no key of a JSON object, a YAML mapping or a dotenv text, or an empty text."""
    return "" if _KEY.match(key) else "after # stands one key: letters, digits, _ . and -, at most 100"


def _no_reference(path: Path, text: str, schemes: Collection[str], suggestion: str) -> Trouble:
    scheme = _SCHEME.match(text)
    if scheme and scheme[1] in schemes:
        return _say("bad-reference", path, "a reference is printable ASCII without spaces", suggestion)
    if scheme and scheme[1].casefold() in schemes:
        return _say("reference-form", path, "a scheme is written in lower case", suggestion)
    if scheme:
        return _unknown(path, scheme[1], schemes, suggestion)
    if _FOREIGN.match(text):
        named = _NAMED.match(text)
        own = named[1] if named and not (bad_variable(named[1]) or looks_secret(named[1])) else ""
        hint = f"{path[-1]}: env://{own}" if own and path else suggestion
        return _say("reference-form", path, "the variable's or file's own name follows the scheme", hint)
    return _literal(path, "the value is not shown here", suggestion)


def _literal(path: Path, detail: str, suggestion: str) -> Trouble:
    code = CODES["secret-literal"]
    return Trouble(code.name, path, code.summary, detail, f"{suggestion}\n{code.hint}".strip())


def _unknown(path: Path, scheme: str, schemes: Collection[str], suggestion: str) -> Trouble:
    close = nearest(scheme, schemes)
    question = f"; did you mean '{close}://'?" if close else ""
    summary = f"no scheme '{scheme}' is installed{question}" if len(scheme) <= 16 else "no such scheme is installed"
    return Trouble("unknown-scheme", path, summary, f"installed: {listed(sorted(schemes))}", suggestion)


def _say(code: str, path: Path, detail: str, suggestion: str) -> Trouble:
    return Trouble(code, path, CODES[code].summary, detail, suggestion)
