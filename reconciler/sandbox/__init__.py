"""The three services on loopback, for demos, tests and benchmarks: a real server that needs no account anywhere."""

from reconciler.sandbox.scenarios import PROVIDERS, SCENARIOS, as_markdown
from reconciler.sandbox.server import run, serve
from reconciler.sandbox.services import right_secret

__all__ = ["PROVIDERS", "SCENARIOS", "as_markdown", "right_secret", "run", "serve"]
