"""Who runs this and where: the actor and how we know, the CI run, the terminal, the clock. Decides nothing."""

from __future__ import annotations

import getpass
import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reconciler.model import Origin

WIDTH_WITHOUT_TERMINAL = 1000
"""A file or a log has no width: nothing is dropped for it."""


def now() -> str:
    """The time in the one form that everything uses: RFC 3339, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def origin(environ: Mapping[str, str], actor: str = "") -> Origin:
    """Who acts: ``--actor`` (a claim), else what the CI system says, else the user of the operating system."""
    ci = _github(environ) or _gitlab(environ) or {}
    known = {"host": socket.gethostname(), **ci}
    if actor:
        return Origin(**{**known, "actor": actor, "source": "flag"})
    if known.get("actor"):
        return Origin(**{**known, "source": "ci"})
    return Origin(**{**known, "actor": _user(), "source": "os"})


def _github(env: Mapping[str, str]) -> dict[str, str]:
    """GitHub Actions' default variables."""
    if env.get("GITHUB_ACTIONS") != "true":
        return {}
    ref = env.get("GITHUB_REF", "").split("/")
    run = (
        f"{env.get('GITHUB_SERVER_URL', '')}/{env.get('GITHUB_REPOSITORY', '')}/actions/runs/{env.get('GITHUB_RUN_ID')}"
    )
    return {
        "ci": "github",
        "actor": env.get("GITHUB_ACTOR", ""),
        "commit_author": _github_author(env.get("GITHUB_EVENT_PATH", "")),
        "triggered_by": env.get("GITHUB_TRIGGERING_ACTOR", ""),
        "commit": env.get("GITHUB_SHA", ""),
        "pull_request": ref[2] if ref[:2] == ["refs", "pull"] and len(ref) > 2 else "",
        "run_url": run if env.get("GITHUB_RUN_ID") else "",
    }


def _github_author(path: str) -> str:
    """Who wrote the pushed commit, from the event that GitHub keeps in a file; a pull request's tells nobody."""
    try:
        event = json.loads(Path(path).read_bytes()) if path else {}
        author = event["head_commit"]["author"]
        return str(author.get("username") or author.get("name") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def _gitlab(env: Mapping[str, str]) -> dict[str, str]:
    """GitLab CI's predefined variables."""
    if env.get("GITLAB_CI") != "true":
        return {}
    return {
        "ci": "gitlab",
        "actor": env.get("GITLAB_USER_LOGIN", ""),
        "triggered_by": env.get("GITLAB_USER_LOGIN", ""),
        "commit": env.get("CI_COMMIT_SHA", ""),
        "commit_author": env.get("CI_COMMIT_AUTHOR", ""),
        "pull_request": env.get("CI_MERGE_REQUEST_IID", ""),
        "run_url": env.get("CI_JOB_URL", ""),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # a container may run under a number that no user database knows
        return f"uid-{os.geteuid()}"


@dataclass(frozen=True, slots=True)
class Terminal:
    """What stdout and stdin are."""

    width: int
    colour: bool
    interactive: bool
    """Whether a person can be asked: stdin and stdout are terminals, and not those of a CI job (``CI``)."""

    @classmethod
    def detect(cls, environ: Mapping[str, str], *, no_color: bool = False) -> Terminal:
        """``NO_COLOR`` (no-color.org) and ``--no-color`` switch colour off; a pipe never has any."""
        # a stream that was closed before the start is None
        out = sys.stdout is not None and sys.stdout.isatty()
        try:
            width = os.get_terminal_size(sys.stdout.fileno()).columns if out else 0
        except (OSError, ValueError):
            width = 0
        asked_width = environ.get("COLUMNS", "")
        if asked_width.isdecimal() and int(asked_width) > 0:
            width = int(asked_width)
        colour = out and not no_color and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        # some CI systems give their jobs a terminal, but nobody sits there
        alone = environ.get("CI", "").lower() not in ("", "0", "false")
        person = out and not alone and sys.stdin is not None and sys.stdin.isatty()
        return cls(max(40, width or WIDTH_WITHOUT_TERMINAL), colour, person)
