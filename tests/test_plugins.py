"""Which providers and resolvers there are, and that nothing is imported before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reconciler import plugins, references, schema
from reconciler.errors import ReconcilerError
from reconciler.providers.base import Provider


@pytest.mark.parametrize("name", plugins.provider_names())
def test_every_provider_in_the_table_is_one(name):
    provider = plugins.provider(name)
    assert isinstance(provider, Provider)
    assert provider.name == name
    assert plugins.provider(name) is provider


@pytest.mark.parametrize("scheme", plugins.resolver_schemes())
def test_every_resolver_in_the_table_is_one(scheme):
    resolver = plugins.resolver(scheme)
    assert resolver.scheme == scheme
    assert callable(resolver.resolve)


def test_the_tables_agree_with_what_reading_knows():
    assert set(plugins.provider_names()) == set(schema.traits(schema.builtin()))
    assert plugins.resolver_schemes() == tuple(sorted(references.BUILT_IN))


def test_an_unknown_name_lists_those_installed():
    with pytest.raises(ReconcilerError) as caught:
        plugins.provider("messagebird")
    assert caught.value.code.name == "unknown-provider"
    assert caught.value.detail == "'messagebird'; installed: infobip, sinch, twilio"
    with pytest.raises(ReconcilerError) as caught:
        plugins.resolver("vault")
    assert caught.value.code.name == "unknown-scheme"
    assert caught.value.detail == "'vault'; installed: env, file"


def test_a_resolver_needs_no_provider_and_no_model():
    code = """
import sys
from reconciler import plugins
plugins.resolver("env"), plugins.resolver("file"), plugins.provider_names()
print(*sorted({"pydantic", "asyncio", "httpx", "reconciler.providers.twilio"} & sys.modules.keys()))
"""
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split() == []
