"""The options that commands share, and what they make of them. Every option that configures reads RECONCILER_<FLAG>."""

from __future__ import annotations

import functools
import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler import logs, render
from reconciler.cli._reports import targets
from reconciler.cli._streams import tell

if TYPE_CHECKING:
    from reconciler.app.asking import Asking
    from reconciler.app.planfiles import Out
    from reconciler.app.preparing import What
    from reconciler.app.wiring import Where
    from reconciler.report import Report

F = TypeVar("F", bound=Callable[..., Any])


def option(*names: str, **kwargs: Any) -> Callable[[F], F]:
    """An option that configures: it reads RECONCILER_<FLAG> as well."""
    flag = max(names, key=len).lstrip("-").replace("-", "_").upper()
    return click.option(*names, envvar=f"RECONCILER_{flag}", **kwargs)


def consent(*names: str, **kwargs: Any) -> Callable[[F], F]:
    """A flag that consents or destroys: it is given each time, never by the environment."""
    return click.option(*names, is_flag=True, **kwargs)


def _stack(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        return functools.reduce(lambda wrapped, add: add(wrapped), reversed(options), function)

    return decorate


MANIFEST = "credentials.yaml"

manifest_options = _stack(
    option("-f", "--file", "files", multiple=True, type=click.Path(path_type=Path), default=(MANIFEST,),
           show_default=MANIFEST,
           help="Manifest: a file, a folder (its *.yaml and *.yml), or - for standard input. Repeatable."),
    consent("--allow-empty", help="Accept a manifest without any credential."),
)  # fmt: skip

planning_options = _stack(
    option("--only", multiple=True, metavar="GLOB", help="Only credentials whose name matches. Repeatable."),
    option("--secrets", type=click.Choice(["auto", "require", "skip"]),
           help="Compare the secrets that can be had here, insist on all, or compare none."
           "  [default: auto; with --secrets-only: require]"),
    option("--secrets-only", is_flag=True, help="Take up new secret values and try refused ones again; nothing else."),
    option("--secrets-dir", type=click.Path(path_type=Path), help="Folder of file:// references."
           "  [default: the manifest's folder]"),
)  # fmt: skip


def key_file(_context: click.Context, _param: click.Parameter, value: str | None) -> Path | None:
    """A path, and not a key."""
    from reconciler.errors import UsageError

    if not value:
        return None
    from reconciler import keyfiles

    try:
        return keyfiles.named(value)
    except UsageError as error:
        raise click.BadParameter(f"{error.detail}; {error.hint}") from None


workspace_option = option(
    "-w", "--workspace", default="", metavar="NAME",
    help="Workspace.  [default: the manifest's, for what reads one; else the store's only one;"
    " else that of RECONCILER_FILE or credentials.yaml]",
)  # fmt: skip

reading_options = _stack(
    workspace_option,
    option("--store", default="", metavar="URL", help="Store.  [default: sqlite:///.reconciler/store.db]"),
    option("--key-file", callback=key_file, metavar="PATH",
           help="The store's key.  [default: RECONCILER_KEY, or ~/.config/reconciler/keys/<store id>.key]"),
    option("--sandbox", is_flag=True, help="Ask the built-in sandbox instead of the providers, with a sandbox store."),
)  # fmt: skip

store_options = _stack(
    reading_options,
    option("--actor", default="", metavar="NAME", help="Who acts, as a claim.  [default: CI's, or the system user]"),
)  # fmt: skip


def seconds(_context: click.Context, _param: click.Parameter, value: str) -> float:
    """``30s`` or ``5m`` as seconds."""
    match = re.fullmatch(r"([0-9]{1,5})(s|m|h)", value, re.ASCII)
    if not match:
        raise click.BadParameter("a length of time such as 30s or 5m")
    return float(int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]])


def limit(context: click.Context, param: click.Parameter, value: str) -> float:
    """A length of time in which something can be done."""
    found = seconds(context, param, value)
    if not found:
        raise click.BadParameter("at least 1s")
    return found


lock_option = option(
    "--lock-timeout", default="0s", show_default=True, metavar="30s|5m", callback=seconds,
    help="How long to wait for somebody else's lease on the workspace.",
)  # fmt: skip

anchor_options = _stack(
    option("--anchor", multiple=True, metavar="SEQ:HASH", help="An anchor kept outside the store. Repeatable."),
    option("--anchors", type=click.Path(path_type=Path), metavar="FILE", help="A file of anchors, one a line."),
)  # fmt: skip

asking_options = _stack(
    option("--parallelism", type=click.IntRange(1, 1024), default=32, show_default=True,
           help="Requests under way at once."),
    option("--sandbox-url", "sandbox_urls", multiple=True, metavar="PROVIDER=URL",
           help="Ask this loopback server in a provider's place; implies --sandbox. Repeatable."),
    option("--timeout", default="30s", show_default=True, metavar="5s|1m", callback=limit,
           help="How long one question to a provider may take, all attempts together."),
    option("--ca-file", type=click.Path(path_type=Path), help="Certificates to trust beside the usual ones (PEM)."),
)  # fmt: skip

prune_options = _stack(
    consent("--prune", help="Delete what is stored and in no manifest, within the limit."),
    click.option("--max-deletes", type=click.IntRange(0), metavar="N",
                 help="How many deletes are allowed.  [default: the smaller of 10 and a third]"),
)  # fmt: skip


def days(_context: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """``30d`` as a number of days."""
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,4}d", value, re.ASCII):
        raise click.BadParameter("a number of days such as 30d")
    return int(value[:-1])


KEEP_OLD = 7
"""Days that a former version stays where nothing else is said."""


def keep_days(context: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """A number of days; fewer than the default are typed, never set once for every run of a machine."""
    given = days(context, param, value)
    from_environment = param.name and context.get_parameter_source(param.name) is click.core.ParameterSource.ENVIRONMENT
    if given is not None and given < KEEP_OLD and from_environment:
        raise click.BadParameter(
            f"RECONCILER_KEEP_OLD may not be shorter than {KEEP_OLD}d: what a run replaces or deletes would be gone"
            f" for good sooner without anybody having said so; say --keep-old {given}d to the one run that shall do it"
        )
    return given


keep_option = option(
    "--keep-old", default=f"{KEEP_OLD}d", show_default=True, metavar=f"{KEEP_OLD}d", callback=keep_days,
    help="How long what this run replaces or deletes stays, with its secret, to be restored.",
)  # fmt: skip


def asking(given: Mapping[str, Any]) -> Asking:
    """How providers are asked: from the values of ``asking_options``."""
    from reconciler.app.asking import Asking, sandbox_routes

    return Asking(given["parallelism"], sandbox_routes(given["sandbox_urls"]), given["ca_file"], given["timeout"])


output_options_but_format = _stack(
    option("--report", "reports", multiple=True, metavar="FORMAT=PATH", callback=targets,
           help="Write this report too, from the same run. Repeatable."),
    option("--no-color", is_flag=True, help="No colour; NO_COLOR says the same."),
    option("--log-level", type=click.Choice(logs.LEVELS), help="Log to stderr from this level on."),
    option("--log-format", type=click.Choice(logs.FORMATS), default="text", show_default=True, help="Form of the log."),
)  # fmt: skip

output_options = _stack(
    option("--format", "format_", type=click.Choice(list(render.FORMATS)), default="table", show_default=True,
           help="What stdout holds."),
    output_options_but_format,
)  # fmt: skip


def where(given: Mapping[str, Any]) -> Where:
    """Which store, as whom: from the values of ``store_options`` or ``workspace_option``."""
    from reconciler import context
    from reconciler.app.leasing import Patience
    from reconciler.app.wiring import Where
    from reconciler.errors import UsageError
    from reconciler.trouble import looks_secret

    if looks_secret(given["workspace"]):
        raise UsageError("usage", "-w takes the name of a workspace, and this looks like a secret (not repeated here)")
    return Where(
        origin=context.origin(os.environ, given.get("actor", "")),
        store=given.get("store", ""),
        workspace=given["workspace"],
        sandbox=bool(given.get("sandbox") or given.get("sandbox_urls")),
        key_file=given.get("key_file"),
        patience=Patience(given.get("lock_timeout", 0.0), tell, store_selection()),
        keep_old=timedelta(days=given.get("keep_old", KEEP_OLD)),
        environ=os.environ,
        flags=store_selection(),
        manifest=usual_manifest(os.environ),
    )


def usual_manifest(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a command that takes no ``-f`` looks for the manifest: where ``-f`` would."""
    named = [Path(path) for path in environ.get("RECONCILER_FILE", "").split(os.pathsep) if path]
    return tuple(named) or (Path(MANIFEST),)


def what(given: Mapping[str, Any]) -> What:
    """Which entries of which manifest: from the values of ``manifest_options`` and ``planning_options``."""
    from reconciler.app.preparing import Secrets, What

    return What(
        files=given["files"],
        only=given.get("only", ()),
        secrets=Secrets(given["secrets"]) if given.get("secrets") else None,
        secrets_dir=given.get("secrets_dir"),
        allow_empty=given["allow_empty"],
        prune=given.get("prune", False),
        max_deletes=given.get("max_deletes"),
        secrets_only=given.get("secrets_only", False),
    )


def plan_file(path: Path | None, expires_in: str) -> Out | None:
    """Where a plan is kept, and how long it is good. Raises UsageError where neither can be."""
    if path is None:
        return None
    from reconciler.app.history import span
    from reconciler.app.planfiles import Out, check_target

    check_target(path)
    return Out(path, span(expires_in))


STORE = ("store", "key_file", "sandbox")
"""Options that choose the store."""


def with_store(report: Report) -> Report:
    """The report with the options that lead to the same store again, for the commands that it suggests."""
    return replace(report, store_selection=store_selection())


def store_selection() -> str:
    """The options that choose the store; a stand-in for a provider chooses the sandbox's as well."""
    said = selection(*STORE)
    implied = click.get_current_context().params.get("sandbox_urls") and "--sandbox" not in said.split()
    return f"{said} --sandbox" if implied else said


def selection(*names: str) -> str:
    """The options given on the command line, to be repeated in a next command.

    ``--sandbox`` also where the environment says it: whoever copies the command into another window must not go live.
    """
    context = click.get_current_context()
    flags = {param.name: max(param.opts, key=len) for param in context.command.params}
    said: list[str] = []
    for name in names:
        given = context.params.get(name)
        typed = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if not typed and not (name == "sandbox" and given):
            continue
        values = given if isinstance(given, tuple) else (given,)
        said.extend(flags[name] if v is True else f"{flags[name]} {shlex.quote(str(v))}" for v in values)
    from reconciler.render.rows import safe

    return "".join(f" {safe(part)}" for part in said)
