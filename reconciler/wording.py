"""Why a schema refuses a document, in our own words.

The explaining library is slow to import and to run, and its messages quote values. So it is imported here alone, runs
on refused entries only, and gives nothing but keyword and path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

import jsonschema_rs
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from reconciler.codes import CODES
from reconciler.kinds import Kind
from reconciler.references import suggest
from reconciler.scalars import needs_quotes
from reconciler.trouble import MOST, Path, Trouble, listed, nearest, shown

_TOP = {"version": "version: 1", "credentials": "credentials:"}
_WANTED = {"string": "a text", "boolean": "true or false", "integer": "a whole number", "object": "a mapping of keys"}
_HOW = {"boolean": "without quotes: true, or false"}
_LONGEST_PROVIDER = 32
_ORDER = ("additionalProperties", "required", "type", "enum", "const", "minLength", "maxLength", "pattern")
_RANK = {keyword: rank for rank, keyword in enumerate(_ORDER)}


def explain(schema: Mapping[str, Any], kinds: Mapping[str, Kind], root: Any) -> Iterator[Trouble]:
    """One trouble or more for each thing that the schema refuses; ``root`` is one that it does refuse.

    After :data:`MOST` entries the others are only counted: explaining takes a hundred times as long as deciding.
    """
    if root is None:
        yield Trouble("empty-manifest", (), "the file holds nothing", hint=CODES["empty-manifest"].hint)
        return
    entries = root.get("credentials") if isinstance(root, dict) else None
    entries = entries if isinstance(entries, dict) else {}
    top = {**root, "credentials": {}} if entries else root
    yield from _Words(kinds, (), top).of(_refusals(schema, top, ()))
    name, entry = _part(schema, "name"), _part(schema, "credential")
    decides = jsonschema_rs.Draft202012Validator(entry, validate_formats=False)
    named = jsonschema_rs.Draft202012Validator(name, validate_formats=False)
    refused = 0
    for key, value in entries.items():
        path, right_name, right = ("credentials", key), named.is_valid(key), decides.is_valid(value)
        refused += not (right_name and right)
        if refused > MOST:
            continue
        if not right_name:
            yield _bad_name(key)
        if not right:
            yield from _Words(kinds, path, value).of(_refusals(entry, value, path))
    if refused > MOST:
        said = f"{refused - MOST} more credentials are refused; they are explained when these are mended"
        yield Trouble("not-shown", ("credentials",), CODES["not-shown"].summary, said, CODES["not-shown"].hint)


def pattern(validator: Any, wanted: str, instance: Any, _: Any) -> Iterator[ValidationError]:
    """The keyword ``pattern`` with one meaning in every library: ASCII, and ``$`` is the very end of the text."""
    if validator.is_type(instance, "string") and not _compiled(wanted).search(instance):
        yield ValidationError("")


@cache
def _compiled(wanted: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"((?:[^\\$\[]|\\.|\[(?:[^\\\]]|\\.)*\])*)\$", r"\1\\Z", wanted), re.ASCII)


_Explainer: Callable[[Mapping[str, Any]], Validator] = extend(Draft202012Validator, {"pattern": pattern})  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class _Refusal:
    """One keyword that a value does not satisfy."""

    keyword: str
    """Empty where the schema is ``false``: the key may not stand here."""
    wanted: Any
    """What the keyword says."""
    value: Any
    rule: Mapping[str, Any]
    """The schema around the keyword."""
    path: Path
    about_a_key: bool
    """Whether ``value`` is a key of the mapping at ``path``."""

    @property
    def key(self) -> str:
        return shown(self.path[-1]) if self.path else "a manifest"

    def trouble(self, code: str, summary: str = "", detail: str = "", hint: str = "", *, key: str = "") -> Trouble:
        """A trouble at this value, or at ``key`` within it."""
        path = (*self.path, key) if key else self.path
        return Trouble(code, path, summary or CODES[code].summary, detail, hint, on_key=bool(key))


def _refusals(schema: Mapping[str, Any], value: Any, path: Path) -> list[_Refusal]:
    """What is refused, the most telling keyword first."""
    found = [
        _Refusal(
            str(error.validator or ""),
            error.validator_value,
            error.instance,
            error.schema if isinstance(error.schema, Mapping) else {},
            (*path, *error.absolute_path),
            "propertyNames" in error.absolute_schema_path,
        )
        for error in _Explainer(schema).iter_errors(value)
    ]
    return sorted(found, key=lambda refusal: _RANK.get(refusal.keyword, len(_RANK)))


def _part(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}


def _bad_name(name: str) -> Trouble:
    slug = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:63].strip("-")
    close = f"; did you mean '{slug}'?" if slug and shown(name) == name else ""
    code = CODES["bad-name"]
    return Trouble(code.name, ("credentials", name), code.summary + close, hint=code.hint, on_key=True)


class _Words:
    """Turns what the library found in one entry, or at the top, into troubles."""

    def __init__(self, kinds: Mapping[str, Kind], path: Path, value: Any) -> None:
        self._kinds = kinds
        self._path = path
        self._entry: Mapping[str, Any] = value if isinstance(value, dict) else {}
        provider = self._entry.get("provider") if path else None
        self._kind = kinds.get(provider) if isinstance(provider, str) else None
        self._meant: set[str] = set()

    def of(self, refusals: Iterable[_Refusal]) -> Iterator[Trouble]:
        for refusal in refusals:
            yield from self._TABLE.get(refusal.keyword, _Words._other)(self, refusal)

    def _unknown(self, refused: _Refusal) -> Iterator[Trouble]:
        known = refused.rule["properties"]
        for key in refused.value:
            if key not in known:
                meant = self._like(key, known)
                self._meant.add(meant)
                holder = self._kind.traits.name if self._kind else refused.key
                question = f"; did you mean '{meant}'?" if meant else ""
                summary = f"{holder} has no key '{shown(key)}'{question}"
                yield Trouble("unknown-key", (*refused.path, key), summary, self._why(key, known), on_key=True)

    def _like(self, key: str, known: Mapping[str, Any]) -> str:
        """The key that was meant: the one with the same part to play here, else the one that is spelled most alike."""
        free = [k for k in known if k not in self._entry]
        for other in self._kinds.values() if self._kind else ():
            mine = self._kind.traits if self._kind else other.traits
            if key in other.traits.secrets:
                return next((k for k in free if k in mine.secrets), "")
            if key == other.traits.identifier and mine.identifier in free:
                return mine.identifier
        return nearest(key, free) or nearest(key, known)

    def _why(self, key: str, known: Iterable[str]) -> str:
        if not self._kind:
            return f"known: {listed(known)}"
        owners = [name for name, kind in self._kinds.items() if key in kind.own]
        belongs = f"{key} belongs to {listed(owners)} · " if owners else ""
        return f"{belongs}{self._kind.traits.name} needs: {listed(self._needed(self._kind))}"

    def _needed(self, kind: Kind) -> list[str]:
        """What a provider needs; ways to sign in that exclude each other are one item, the last."""
        ways = ", or ".join(" with ".join(way) for way in kind.alternatives)
        return [key for key in kind.part["required"] if key != "provider"] + ([ways] if ways else [])

    def _missing(self, refused: _Refusal) -> Iterator[Trouble]:
        """Keys that are missing, unless another one stands there in its place."""
        for key in refused.wanted:
            if key not in refused.value and key not in self._meant:
                rule = self._kind.keys.get(key, {}) if self._kind else {}
                summary, hint = self._lacks(key, bool(rule.get("x-secret")))
                yield Trouble("missing-key", (*refused.path, key), summary, rule.get("x-find", ""), hint)

    def _lacks(self, key: str, secret: bool) -> tuple[str, str]:
        """What is missing, and the line to write."""
        if not self._path:
            return f"a manifest needs {key}", _TOP.get(key, "")
        name = str(self._path[-1])
        if not self._kind:
            return f"{shown(name)} names no {key}", f"{key}: {' | '.join(sorted(self._kinds))}"
        ways = [way for way in self._kind.alternatives if key in way]
        beside = [k for way in ways for k in way if k in self._entry]
        wanted = f"{key} beside {listed(beside)}" if beside else self._needed(self._kind)[-1] if ways else key
        provider = self._kind.traits.name
        return f"{provider} needs {wanted}", suggest(provider, name, key) if secret else f"{key}: ..."

    def _type(self, refused: _Refusal) -> Iterator[Trouble]:
        value, wanted = refused.value, str(refused.wanted)
        must = f"{refused.key} must be {_WANTED.get(wanted, _WANTED['object'])}"
        if value is None:
            yield refused.trouble("wrong-type", f"{refused.key} is empty", hint="give it a value, or remove it")
        elif isinstance(value, dict | list):
            have = "a mapping" if isinstance(value, dict) else "a list"
            yield refused.trouble("wrong-type", f"{must}, not {have}")
        elif wanted == "string" and self._kind and self._secret(refused):
            code, name = CODES["secret-literal"], str(refused.path[1])
            hint = f"{suggest(self._kind.traits.name, name, refused.key)}\n{code.hint}"
            yield refused.trouble(code.name, detail="the value is not shown here", hint=hint)
        elif wanted == "string":
            spelled = replace(refused, value=str(value).lower())
            fits = _compiled(refused.rule.get("pattern", "")).search(spelled.value)
            yield from [needs_quotes(refused.path, spelled.value)] if fits else self._pattern(spelled)
        else:
            yield refused.trouble("wrong-type", must, hint=_HOW.get(wanted, ""))

    def _secret(self, refused: _Refusal) -> bool:
        return self._kind is not None and len(refused.path) == 3 and refused.path[2] in self._kind.traits.secrets

    def _choice(self, refused: _Refusal) -> Iterator[Trouble]:
        choices = [str(choice) for choice in (refused.wanted if refused.keyword == "enum" else [refused.wanted])]
        value, close = str(refused.value), nearest(str(refused.value), choices)
        question = f"; did you mean '{close}'?" if close else ""
        if refused.path[2:] == ("provider",):
            name = f" '{value}'" if shown(value) == value and len(value) <= _LONGEST_PROVIDER else ""
            detail = f"installed: {listed(sorted(choices))}"
            yield refused.trouble("unknown-provider", f"no provider{name} is installed{question}", detail)
        elif choices == [value]:
            yield refused.trouble("bad-value", f"{refused.key} must be {value}, without quotes")
        else:
            one = choices[0] if len(choices) == 1 else f"one of: {listed(choices)}"
            yield refused.trouble("bad-value", f"{refused.key} must be {one}{question}")

    def _length(self, refused: _Refusal) -> Iterator[Trouble]:
        longest = f"is longer than {refused.wanted} characters"
        if not self._secret(refused):
            said = longest if refused.keyword == "maxLength" else "is empty"
            yield refused.trouble("bad-value", f"{refused.key} {said}")

    def _pattern(self, refused: _Refusal) -> Iterator[Trouble]:
        """A text of another form. Secret keys are left to the rules for references, which say more."""
        rule, key = refused.rule, refused.key
        example = f"for example  {key}: {rule['examples'][0]}" if rule.get("examples") else ""
        if refused.about_a_key:
            yield refused.trouble("bad-value", f"a key of {key} must be {rule.get('x-form')}", key=refused.value)
        elif "x-form" in rule:
            yield refused.trouble("bad-value", f"{key} must be {rule['x-form']}", hint=example)
        elif not self._secret(refused):
            title = rule.get("title", key)
            summary, hint = f"{key} has not the form of the {title}", example or f"it matches {rule['pattern']}"
            if other := self._mistaken(refused):
                summary = f"{key} holds what looks like the {other[1]}, not the {title}"
                hint = f"that one belongs to the key {other[0]}"
            yield refused.trouble("bad-value", summary, rule.get("x-find", ""), hint)

    def _mistaken(self, refused: _Refusal) -> tuple[str, str] | None:
        """Key and title of the public setting whose form the value has, if there is one."""
        for key, rule in self._kind.own.items() if self._kind else ():
            if not rule.get("x-secret") and _compiled(rule.get("pattern", "^$")).search(refused.value):
                return key, rule.get("title", key)
        return None

    def _other(self, refused: _Refusal) -> Iterator[Trouble]:
        """A key that another excludes (``false`` or ``not: {}``), or a keyword that only a plug-in's schema uses."""
        if refused.keyword and refused.wanted != {}:
            detail = f"the schema's keyword is {refused.keyword}"
            yield refused.trouble("bad-value", f"{refused.key} is not accepted", detail)
            return
        ways = self._kind.alternatives if self._kind else ()
        rivals = [k for way in ways if refused.path[-1] not in way for k in way if k in self._entry]
        summary = f"{refused.key} and {listed(rivals)} exclude each other" if rivals else ""
        found = refused.trouble("conflicting-keys", summary, hint=CODES["conflicting-keys"].hint)
        yield replace(found, on_key=True)

    _TABLE: ClassVar[dict[str, Callable[[_Words, _Refusal], Iterator[Trouble]]]] = {
        "additionalProperties": _unknown,
        "required": _missing,
        "type": _type,
        "enum": _choice,
        "const": _choice,
        "minLength": _length,
        "maxLength": _length,
        "pattern": _pattern,
    }
