"""The manifest: files of YAML to credentials with places. Offline; everything that is wrong is told at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler import renames, sources
from reconciler.codes import CODES
from reconciler.collector import collector_off
from reconciler.errors import ManifestInvalid, UsageError
from reconciler.kinds import Kind
from reconciler.model import Credential, Declared, Place, Problem, Severity
from reconciler.references import BUILT_IN
from reconciler.schema import Checker, hide
from reconciler.secret import Secret
from reconciler.sources import Source
from reconciler.trouble import MOST, Trouble, is_name, nearest, shown
from reconciler.yamlreader import Document, Mark
from reconciler.yamlreader import read as read_yaml

_APART = frozenset({"provider", "moved_from"})
"""Keys that are no part of what is compared key by key."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the files of one run declare."""

    workspace: str
    """Empty where neither the files nor ``-w`` name one."""
    credentials: Mapping[str, Credential]
    """By name, in the order in which they were read."""
    warnings: tuple[Problem, ...]
    files: tuple[str, ...]
    hidden: tuple[tuple[tuple[str, str], Secret], ...] = ()
    """Name and key of each text that looks like a secret, with what stood there."""
    named_at: Place | None = None
    """Where a file names the workspace first; None where none does."""


@dataclass(slots=True)
class _File:
    """One file, read and checked."""

    name: str
    document: Document
    problems: list[Problem] = field(default_factory=list)
    hidden: list[tuple[tuple[str, str], Secret]] = field(default_factory=list)

    @property
    def top(self) -> Mapping[str, Any]:
        return self.document.root if isinstance(self.document.root, dict) else {}

    @property
    def entries(self) -> dict[str, Any]:
        found = self.top.get("credentials")
        return found if isinstance(found, dict) else {}

    @property
    def workspace(self) -> str:
        found = self.top.get("workspace")
        return found if is_name(found) else ""

    def place(self, *path: str) -> Place:
        return Place(self.name, *_mark(self.document, path))


def read(
    paths: Sequence[Path],
    schema: dict[str, Any],
    *,
    workspace: str | None = None,
    allow_empty: bool = False,
    schemes: Collection[str] = BUILT_IN,
) -> Manifest:
    """Read files, and folders of files, as one manifest.

    ``workspace`` is ``-w``; ``schemes`` are the reference schemes installed. Raises UsageError for a path that is not
    there or a workspace that is not the manifest's, ManifestInvalid with every problem of every file.
    """
    if workspace and not is_name(workspace):
        raise UsageError("usage", f"-w: {CODES['bad-name'].summary}")
    found, problems = sources.find(paths)
    checker = Checker(schema, schemes)
    with collector_off():
        files = [_check(sources.load(path), checker, allow_empty) for path in found]
        name = _workspace(files, workspace)
        problems += [problem for file in files for problem in file.problems]
        problems += [*_differing(files), *_twice(files), *_renames(files), *_none(files, paths, allow_empty)]
        problems = _most(problems)
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise ManifestInvalid(problems, declared=sum(len(file.entries) for file in files), files=len(files))
        credentials = {c.name: c for file in files for c in _credentials(file, checker.kinds)}
    hidden = tuple(one for file in files for one in file.hidden)
    named_at = next((file.place("workspace") for file in files if file.workspace), None)
    return Manifest(name, credentials, tuple(problems), tuple(file.name for file in files), hidden, named_at)


def workspace_of(paths: Sequence[Path]) -> str:
    """The workspace that a manifest names; empty where it names none or several, or where it cannot be read.

    Nothing else of it is checked, and standard input is left to whom it belongs.
    """
    try:
        found, _ = sources.find([path for path in paths if str(path) != sources.STDIN])
        texts = [sources.load(path) for path in found]
    except UsageError:
        # whoever asks wants a name, and says what to do where there is none
        return ""
    names = {_File(source.name, read_yaml(source.text)).workspace for source in texts} - {""}
    return names.pop() if len(names) == 1 else ""


def _check(source: Source, checker: Checker, allow_empty: bool) -> _File:
    """One file with its problems."""
    if source.trouble:
        problem = _problem(source.name, source.trouble, source.trouble.mark or (1, 1))
        return _File(source.name, Document(whole=False), [problem])
    file = _File(source.name, read_yaml(source.text))
    if file.document.root is None and file.document.whole and allow_empty:
        return file
    troubles = checker.troubles(file.document)
    file.hidden = [((str(path[1]), str(path[2])), text) for path, text in hide(file.document.root, troubles)]
    if any(trouble.on_key for trouble in troubles):
        file.problems = _at_keys(source, file.document, troubles)
    else:
        file.problems = [_problem(source.name, t, t.mark or _mark(file.document, t.path)) for t in troubles]
    return file


def _at_keys(source: Source, document: Document, troubles: list[Trouble]) -> list[Problem]:
    """Problems of which some stand at keys: a second reading tells where those are."""
    keys = read_yaml(source.text, keys=True)
    found = [t for t in troubles if t.code != "duplicate-key"] + [t for t in keys.troubles if t.code == "duplicate-key"]
    return [_problem(source.name, t, t.mark or _mark(keys if t.on_key else document, t.path)) for t in found]


def _problem(file: str, trouble: Trouble, mark: Mark) -> Problem:
    path = trouble.path[:-1] if trouble.on_key and trouble.code == "unknown-key" else trouble.path
    subject = ".".join(shown(step) for step in (path[1:] if path[:1] == ("credentials",) else path))
    return Problem(
        trouble.code, trouble.summary, Place(file, *mark), subject, trouble.detail, trouble.hint, trouble.severity
    )


def _mark(document: Document, path: Sequence[str | int]) -> Mark:
    """Where a path stands; where it does not exist, the nearest thing above it."""
    value, mark = document.root, (1, 1)
    for step in path:
        marks = getattr(value, "marks", None)
        if marks is None or not (step in marks if isinstance(marks, dict) else isinstance(step, int)):
            break
        mark, value = marks[step], value[step]
    return mark


def _order(problem: Problem) -> tuple[bool, Place, str, str]:
    return problem.code == "not-shown", problem.place or Place("", 0, 0), problem.code, problem.subject


def _most(problems: list[Problem]) -> list[Problem]:
    """As many as anybody can look at, in order of place: secrets first, then errors; then how many more there are."""
    told = sorted(problems, key=_order)
    most = MOST + sum(1 for one in told if one.code == "not-shown")
    if len(told) <= most:
        return told
    told.sort(key=lambda one: (one.code not in ("secret-literal", "not-shown"), one.severity is not Severity.ERROR))
    code, left = CODES["not-shown"], told[most:]
    rest = Problem(code.name, code.summary, detail=f"problems besides these: {len(left)}", hint=code.hint,
                   severity=left[0].severity)  # fmt: skip
    return [*sorted(told[:most], key=_order), rest]


def _workspace(files: list[_File], given: str | None) -> str:
    """The workspace of the run. Raises UsageError where ``-w`` and a file name different ones."""
    for file in files:
        if given and file.workspace and file.workspace != given:
            where = file.place("workspace")
            hint = f"drop -w; or is  workspace: {given}  meant there?" if nearest(file.workspace, [given]) else ""
            raise UsageError("workspace-conflict", f"-w {given}, but {where} names {file.workspace}", hint)
    return given or next((file.workspace for file in files if file.workspace), "")


def _differing(files: list[_File]) -> Iterator[Problem]:
    naming = [file for file in files if file.workspace]
    for file in naming[1:]:
        if file.workspace != naming[0].workspace:
            code, place = CODES["workspace-differs"], naming[0].place("workspace")
            detail = f"{file.workspace} here, {naming[0].workspace} at {place}"
            yield Problem(code.name, code.summary, file.place("workspace"), "workspace", detail, code.hint)


def _twice(files: list[_File]) -> Iterator[Problem]:
    """One problem for each name that several files declare, with all places."""
    places: dict[str, list[Place]] = {}
    for file in files if len(files) > 1 else ():
        for name in file.entries:
            places.setdefault(name, []).append(file.place("credentials", name))
    code = CODES["duplicate-name"]
    for name, found in places.items():
        if len(found) > 1:
            detail = f"also at {', '.join(map(str, found[:-1]))}"
            yield Problem(code.name, code.summary, found[-1], shown(name), detail, code.hint)


def _renames(files: list[_File]) -> Iterator[Problem]:
    """What the ``moved_from`` of all files together may not ask for."""
    wishes = [
        renames.Wish(name, old, file.place("credentials", name, "moved_from"))
        for file in files
        for name, entry in file.entries.items()
        if isinstance(entry, dict) and is_name(old := entry.get("moved_from")) and is_name(name)
    ]
    if wishes:
        declared = {name: file.place("credentials", name) for file in files for name in file.entries}
        yield from renames.conflicts(wishes, declared)


def _none(files: list[_File], paths: Sequence[Path], allow_empty: bool) -> Iterator[Problem]:
    """A manifest without any credential, which is more often a wrong path than meant."""
    if allow_empty or any(file.entries or file.problems for file in files):
        return
    code = CODES["empty-manifest"]
    where = ", ".join(file.name for file in files) or f"no *.yaml or *.yml in {', '.join(map(str, paths))}"
    place = files[0].place("credentials") if files else None
    yield Problem(code.name, code.summary, place, "credentials", where, code.hint)


def _credentials(file: _File, kinds: Mapping[str, Kind]) -> Iterator[Credential]:
    """The credentials of a file without problems. Lets the entries go one by one: a large file is held only once."""
    roles = {name: _roles(kind) for name, kind in kinds.items()}
    entries = file.entries
    for name in list(entries):
        entry = entries.pop(name)
        parts: tuple[dict[str, Any], dict[str, Any], dict[str, Any]] = {}, {}, {}
        provider = entry["provider"]
        role = roles[provider]
        for key, value in entry.items():
            if key not in _APART:
                number, form = role[key]
                parts[number][key] = form(value) if form else value
        marks = entry.marks
        marks[""] = entries.marks[name]  # type: ignore[attr-defined]
        yield Credential(name, Declared(provider, *parts), file.name, marks, entry.get("moved_from", ""))


def _roles(kind: Kind) -> dict[str, tuple[int, Any]]:
    """For each key: common (0), setting (1) or reference (2), and what brings its value into its one form."""
    own, hosts = kind.own, kind.hosts
    roles = {key: (1 if key in own else 0, _host if key in hosts else None) for key in kind.keys}
    return roles | {"tags": (0, dict)} | dict.fromkeys(kind.traits.secrets, (2, None))


def _host(text: str) -> str:
    """One host, however it is spelled: ``https://name``. So a change of spelling is no change of the account."""
    return "https://" + text.removeprefix("https://").removesuffix(":443")
