"""``env://NAME``: a variable of the environment."""

from __future__ import annotations

from reconciler import references
from reconciler.errors import SecretUnavailable
from reconciler.resolvers.base import Surroundings, usable
from reconciler.secret import Secret


class EnvResolver:
    """Reads the environment that the operator gave to this run."""

    scheme = "env"

    def resolve(self, path: str, around: Surroundings) -> Secret:
        return usable(self.read(path, around))

    def read(self, path: str, around: Surroundings) -> str:
        """Give the variable's text. Raises SecretUnavailable where it is not set."""
        if why := references.bad_variable(path):
            raise SecretUnavailable("secret-missing", why)
        value = around.environ.get(path)
        if value is None:
            raise SecretUnavailable("secret-missing", f"the variable {path} is not set")
        return value
