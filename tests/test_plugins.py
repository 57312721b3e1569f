"""Which providers and resolvers there are: built in, installed by others, broken; and what is imported when."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from aiohttp import web
from builders import record

from reconciler import plugins, references, schema
from reconciler.app import plugged, schemas
from reconciler.errors import ManifestInvalid, NotAsked, ReconcilerError
from reconciler.http import HttpPool
from reconciler.model import Declared, Problem
from reconciler.providers import base
from reconciler.providers.base import Provider
from reconciler.secret import Secret
from reconciler.state import Snapshot

ROOT = Path(__file__).parents[1]
ACME = ROOT / "tests" / "plugins" / "acme"
INHERITED = os.environ.get("PYTHONPATH", "")
RIGHT = "acme-r1ght-key"
MANIFEST = """\
version: 1
workspace: production
credentials:
  otp-acme:
    provider: acme
    account: acme-0001
    api_key: drawer://tokens.json#otp
"""


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


def test_what_is_built_in_costs_no_provider_no_model_and_no_look_at_what_is_installed():
    code = """
import sys
from reconciler import plugins
plugins.resolver("env"), plugins.resolver("file"), plugins.provider_names(), plugins.resolver_schemes()
found = {"pydantic", "asyncio", "httpx", "reconciler.providers.twilio", "importlib.metadata"} & sys.modules.keys()
print(*sorted(found))
"""
    # -S: the site module of an editable install may have imported anything
    path = f"import sys; sys.path[:0] = {sys.path!r}\n"
    done = subprocess.run([sys.executable, "-S", "-c", path + code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


# what others install


class Installed:
    """Distributions in a folder on ``sys.path``, as an installer leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, points: str, code: str = "", module: str = "") -> None:
        info = self.folder / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(points)
        if module:
            (self.folder / f"{module}.py").write_text(code)


def forget():
    plugins._offered.cache_clear()
    plugins.provider.cache_clear()
    plugins.resolver.cache_clear()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield Installed(tmp_path)
    forget()
    for name in [name for name, module in sys.modules.items() if str(tmp_path) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]


def broken(kind, name):
    with pytest.raises(ReconcilerError) as caught:
        kind(name)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


PROVIDERS, RESOLVERS = "[reconciler.providers]\n", "[reconciler.resolvers]\n"
ACME_CODE = (ACME / "reconciler_acme.py").read_text()


def test_a_provider_and_a_resolver_of_another_distribution_are_found_by_name(installed):
    installed.add(
        "acme", f"{PROVIDERS}acme = acme_one:Acme\n{RESOLVERS}drawer = acme_one:Drawer", ACME_CODE, "acme_one"
    )
    assert isinstance(plugins.provider("acme"), Provider)
    assert callable(plugins.resolver("drawer").resolve)
    assert plugins.provider_names(installed=True) == ("acme", "infobip", "sinch", "twilio")
    assert plugins.resolver_schemes(installed=True) == ("drawer", "env", "file")
    assert plugins.provider_names() == ("infobip", "sinch", "twilio")
    assert plugins.added()


def test_an_object_serves_as_well_as_a_class(installed):
    installed.add("acme", f"{PROVIDERS}acme = acme_two:acme", ACME_CODE + "\nacme = Acme()\n", "acme_two")
    assert plugins.provider("acme").title == "Acme SMS"


def test_what_is_built_in_cannot_be_replaced(installed):
    installed.add("evil", f"{PROVIDERS}twilio = evil:Twilio\n{RESOLVERS}env = evil:Env", "raise SystemExit", "evil")
    assert plugins.provider("twilio").fields.__module__ == "reconciler.providers.twilio"
    assert plugins.resolver("env").__class__.__module__ == "reconciler.resolvers.env"
    assert plugins.provider_names(installed=True) == ("infobip", "sinch", "twilio")
    assert not plugins.added()


def test_a_name_taken_twice_is_refused_with_both_distributions(installed):
    installed.add("acme", f"{PROVIDERS}acme = acme_three:Acme", ACME_CODE, "acme_three")
    installed.add("acme-fork", f"{PROVIDERS}acme = acme_three:Acme")
    error = broken(plugins.provider, "acme")
    assert (error.code.name, error.detail) == ("plugin-conflict", "'acme': acme 1.0 and acme-fork 1.0")


@pytest.mark.parametrize(
    ("point", "code", "detail", "hint"),
    [
        (
            "p1:Acme",
            "import nowhere_to_be_found",
            "p1:Acme needs nowhere_to_be_found, which is not installed",
            "install nowhere_to_be_found, or acme again",
        ),
        (
            "p2:Acme [client]",
            "import nowhere_to_be_found",
            "p2:Acme [client] needs nowhere_to_be_found, which is not installed",
            "pip install 'acme[client]'",
        ),
        ("nowhere_to_be_found:Acme", "", "nowhere_to_be_found:Acme needs nowhere_to_be_found, which is not", "install"),
        (
            "p3:Acme",
            "from json.decoder import nothing",
            "p3:Acme needs a name that json.decoder does not have",
            "install the version of json that acme was made for",
        ),
        ("p4:Acme", "", "p4:Acme is not there", "install what it needs, or uninstall it"),
        ("p5:Acme", "def (", "p5:Acme fails with SyntaxError", "install what it needs, or uninstall it"),
        ("p13:Acme", "import sys; sys.exit(0)", "p13:Acme fails with SystemExit", "install"),
        ("p6:Acme", "raise ValueError('t0ps3cr3t')", "p6:Acme fails with ValueError", "install"),
        ("p7:Acme", "Acme = 7", "it is no reconciler.providers.base.Provider", "install"),
        ("p8:Acme", "class Acme: pass", "it is no reconciler.providers.base.Provider", "install"),
        (
            "p9:Acme",
            "from reconciler.providers.base import Provider\nclass Acme(Provider): pass",
            "p9:Acme fails with TypeError",
            "install",
        ),
        ("p10:Acme", ACME_CODE + "\nAcme.name = 'other'", "its name is 'other'", "install"),
        ("p11:Acme", ACME_CODE + "\nAcme.support = ''", "it has no support", "install"),
        ("p12:Acme", ACME_CODE + "\nAcme.account = ('number',)", "its fields have no number", "install"),
    ],
)
def test_a_provider_that_cannot_be_used_is_told_with_its_distribution_and_without_a_traceback(
    installed, point, code, detail, hint
):
    module = point.partition(":")[0] if code or point.startswith("p4") else ""
    installed.add("acme", f"{PROVIDERS}acme = {point}", code, module)
    error = broken(plugins.provider, "acme")
    assert (error.code.name, int(error.code.exit)) == ("plugin-broken", 64)
    assert error.detail.startswith(f"acme 1.0, which offers 'acme': {detail}")
    assert error.hint.startswith(hint)
    assert "t0ps3cr3t" not in repr(error) + str(error)


@pytest.mark.parametrize(
    ("code", "detail"),
    [("class Drawer: scheme = 'drawer'", "it is no resolver: it has no resolve"),
     ("class Drawer:\n scheme = 'x'\n def resolve(self, path, around): pass", "its scheme is 'x'")],
)  # fmt: skip
def test_a_resolver_that_is_none_is_told(installed, code, detail):
    installed.add("drawer", f"{RESOLVERS}drawer = drawer_one:Drawer", code, "drawer_one")
    assert broken(plugins.resolver, "drawer").detail == f"drawer 1.0, which offers 'drawer': {detail}"


# schemas


def test_without_plug_ins_the_built_in_schema_is_used_and_read_once():
    calls = []
    found, document = plugged.for_manifest(lambda given, schemes: calls.append(given) or schemes)
    assert found == references.BUILT_IN
    assert document == schema.builtin()
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("code", "again"), [("unknown-provider", True), ("unknown-scheme", True), ("bad-value", False)]
)
def test_a_manifest_is_read_again_where_it_names_what_is_not_built_in(installed, code, again):
    def read(document, schemes):
        if "drawer" not in schemes:
            raise ManifestInvalid([Problem(code, "")])
        return "provider-acme" in document["$defs"]

    with pytest.raises(ManifestInvalid):
        plugged.for_manifest(read)
    installed.add(
        "acme", f"{PROVIDERS}acme = acme_four:Acme\n{RESOLVERS}drawer = acme_four:Drawer", ACME_CODE, "acme_four"
    )
    forget()
    if again:
        found, document = plugged.for_manifest(read)
        assert found is True
        assert schema.traits(document)["acme"].support == "https://acme.example/support"
    else:
        with pytest.raises(ManifestInvalid):
            plugged.for_manifest(read)


def test_what_is_stored_is_shown_with_its_plug_in_and_also_without_it(installed):
    def known(*providers):
        rows = {name: replace(record(name), declared=Declared(name, {}, {}, {})) for name in providers}
        return set(plugged.traits(Snapshot("w", 1, rows, {})))

    builtin = set(plugins.provider_names())
    assert known("twilio", "acme") == builtin
    installed.add("acme", f"{PROVIDERS}acme = acme_five:Acme", ACME_CODE, "acme_five")
    forget()
    assert known("twilio") == builtin
    assert known("twilio", "acme") == {*builtin, "acme"}
    installed.add("acme-fork", f"{PROVIDERS}acme = acme_five:Acme")
    forget()
    assert known("acme") == builtin


@pytest.mark.parametrize(
    ("field", "why"),
    [("account: int = setting(title='A', find='x')", "has keys that are no text: account"),
     ("label: str = setting(title='A', find='x')\n    account: str = setting(title='A', find='x')",
      "needs more than plain keys of its own")],
)  # fmt: skip
def test_fields_that_no_manifest_can_hold_are_told(installed, field, why):
    code = f"{ACME_CODE}\nclass Odd(Fields):\n    {field}\n\nAcme.fields = Odd\n"
    module = f"acme_odd_{len(field)}"
    installed.add("acme", f"{PROVIDERS}acme = {module}:Acme", code, module)
    with pytest.raises(ReconcilerError) as caught:
        plugged.installed()
    assert (caught.value.code.name, caught.value.detail) == ("plugin-broken", f"the model of acme {why}")


# the page that tells how


def test_the_page_alone_makes_a_provider():
    """The blocks of steps 2 to 5, one below the other, are a provider that does what the page says."""
    page = (ROOT / "docs" / "plugins.md").read_text()
    steps = page[page.index("### 2.") : page.index("### 6.")]
    code = "".join(re.findall(r"```python\n(.*?)```", steps, re.DOTALL))
    made: dict[str, Any] = {"__name__": "reconciler_page"}
    exec(compile(code, "docs/plugins.md", "exec"), made)  # our own page
    provider = made["Acme"]()
    assert base.fault("acme", provider) == ""
    assert schemas.build([provider])["$defs"]["provider-acme"]["x-identifier"] == "account"

    async def outcome(reply):
        async with HttpPool(attempts=1) as pool:
            with respx.mock(using="httpx") as router:
                router.route().mock(side_effect=[reply])
                http = pool.for_provider("acme", provider.hosts)
                return await provider.check({"account": "acme-0001"}, {"api_key": Secret(RIGHT)}, http)

    def code_of(reply):
        return asyncio.run(outcome(reply)).code

    assert code_of(httpx.Response(200, json={"account": "acme-0001"})) == "accepted"
    assert code_of(httpx.Response(200, json={"account": "acme-0002"})) == "wrong-account"
    assert code_of(httpx.Response(401, json={"error": "bad_key"})) == "key-refused"
    for odd in (httpx.Response(200), httpx.Response(401, html="<p>"), httpx.Response(200, json=[])):
        with pytest.raises(NotAsked):
            code_of(odd)


# a package of its own, installed


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder in which pip installed the package of tests/plugins/acme."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index",
               "--no-deps", "--no-build-isolation", "--no-compile", "--target", str(folder), str(ACME)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture
def acme(project, site, tmp_path):
    """A project that uses both, with a wrong key in the drawer."""
    drawer = tmp_path / "drawer"
    drawer.mkdir()
    project.write(MANIFEST)
    project.env |= {"PYTHONPATH": f"{site}:{INHERITED}", "DRAWER": str(drawer)}
    project.drawer = drawer / "tokens.json"
    project.drawer.write_text(json.dumps({"otp": "not-the-r1ght-key"}))
    return project


async def answer(request: web.Request) -> web.Response:
    """Acme's service, as its own documentation would describe it."""
    if (request.headers["Host"], request.path) != ("api.acme.example", "/v1/me"):
        return web.json_response({}, status=404)
    if request.headers["Authorization"] != f"Bearer {RIGHT}":
        return web.json_response({"error": "bad_key"}, status=401, headers={"X-Request-Id": "acme-77"})
    return web.json_response({"account": "acme-0001", "name": "Acme One"})


@contextmanager
def service():
    """The service on loopback, in a thread of its own; gives its address."""
    started, address, loop = threading.Event(), [], asyncio.new_event_loop()

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(answer, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        stop.append((asyncio.Event(), runner))
        started.set()
        await stop[0][0].wait()
        await runner.cleanup()

    stop = []
    thread = threading.Thread(target=loop.run_until_complete, args=[serve()], daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(stop[0][0].set)
        thread.join(10)
        loop.close()


def test_a_manifest_of_an_installed_provider_is_validated_and_planned(acme):
    done = acme.run("validate")
    assert done.code == 0, done.out + done.err
    acme.edit("acme-0001", "acme-1")
    done = acme.run("validate", "--format", "json")
    assert done.code == 1
    assert [p["code"] for p in done.json["problems"]] == ["bad-value"]
    acme.edit("acme-1", "acme-0001")
    done = acme.run("plan")
    assert done.code == 0, done.out + done.err
    assert "Plan: 1 to create, 0 to update, 0 to delete, 0 unchanged." in done.out


def test_without_the_package_the_same_manifest_says_what_is_installed(acme):
    done = acme.run("validate", env={"PYTHONPATH": INHERITED})
    assert done.code == 1
    assert "no provider 'acme' is installed" in done.out
    assert "infobip, sinch, twilio" in done.out


def test_the_schema_with_what_is_installed(acme):
    plain, more = acme.run("schema"), acme.run("schema", "--installed")
    assert json.loads(plain.out) == schema.builtin()
    assert "provider-acme" in json.loads(more.out)["$defs"]
    assert json.loads(more.out)["$defs"]["provider-acme"]["x-docs"] == "https://docs.acme.example"
    without = acme.run("schema", "--installed", env={"PYTHONPATH": INHERITED})
    assert without.out == plain.out == schemas.text(schemas.generated())


def test_a_broken_plug_in_is_told_by_the_schema_command_too(acme, tmp_path):
    Installed(tmp_path).add("acme-fork", f"{PROVIDERS}acme = nowhere:Acme")
    done = acme.run("schema", "--installed", env={"PYTHONPATH": f"{acme.env['PYTHONPATH']}:{tmp_path}"})
    assert (done.code, done.out) == (64, "")
    assert "error[plugin-conflict]" in done.err
    assert "acme-fork 1.0 and reconciler-acme 1.2" in done.err


BROKEN = f"{PROVIDERS}other = other_one:Other\n{RESOLVERS}vault = other_one:Vault"


def test_a_broken_plug_in_hurts_only_what_needs_it(acme, tmp_path):
    Installed(tmp_path).add("other", BROKEN, "import sys; sys.exit(0)", "other_one")
    env = {"PYTHONPATH": f"{acme.env['PYTHONPATH']}:{tmp_path}"}
    assert acme.run("validate", env=env).code == 0
    assert acme.run("plan", env=env).code == 0
    listed = acme.run("providers", env=env)
    assert listed.code == 0
    assert "acme" in listed.out
    assert "warning[plugin-broken]" in listed.out + listed.err

    acme.edit("provider: acme", "provider: zzz")
    done = acme.run("validate", "--format", "json", env=env)
    assert done.code == 1
    assert [(p["code"], p["severity"]) for p in done.json["problems"]] == [
        ("unknown-provider", "error"), ("plugin-broken", "warning")
    ]  # fmt: skip
    assert done.json["problems"][0]["place"]["line"]
    acme.edit("provider: zzz", "provider: other")
    done = acme.run("plan", "--detailed-exitcode", env=env)
    assert done.code == 1
    assert "other 1.0, which offers 'other': other_one:Other fails with SystemExit" in done.out + done.err


def test_a_plug_in_that_ends_the_program_is_a_bug_that_is_told(acme, tmp_path):
    begins = "http: Http) -> Verdict:\n"
    ending = ACME_CODE.replace(begins, f"{begins}        raise SystemExit(0)\n")
    assert ending != ACME_CODE
    (tmp_path / "reconciler_acme.py").write_text(ending)
    acme.drawer.write_text(json.dumps({"otp": RIGHT}))
    with service() as address:
        env = {"PYTHONPATH": f"{tmp_path}:{acme.env['PYTHONPATH']}"}
        done = acme.run("apply", "--sandbox-url", f"acme={address}", "--yes", env=env)
    assert done.code == 70, done.out + done.err
    assert "error[bug]" in done.err


SAYS = 'return verdict(reply, "accepted", account=Account(id=account, name=text(body.get("name"))))'


@pytest.mark.parametrize(
    "part",
    ["account=Account(name=7)", "account=Account(name=None)", "provider_code=401", "notes=(7,)", "at='2026-11-24'",
     "http_status='200'", "code='key-refused'", "code='no-such-code'"],
)  # fmt: skip
def test_a_verdict_that_could_not_be_read_again_is_a_bug_and_not_stored(acme, tmp_path, part):
    """Else one answer of a plug-in would leave a store that no command can read."""
    assert SAYS in ACME_CODE
    odd = f"import dataclasses; return dataclasses.replace(verdict(reply, 'accepted'), {part})"
    (tmp_path / "reconciler_acme.py").write_text(ACME_CODE.replace(SAYS, odd))
    acme.drawer.write_text(json.dumps({"otp": RIGHT}))
    with service() as address:
        env = {"PYTHONPATH": f"{tmp_path}:{acme.env['PYTHONPATH']}"}
        done = acme.run("apply", "--sandbox-url", f"acme={address}", "--yes", env=env)
        assert done.code == 70, done.out + done.err
        assert "error[bug]" in done.err
        again = acme.run("apply", "--sandbox-url", f"acme={address}", "--yes")
        assert again.code == 0, again.out + again.err


def test_a_run_with_an_installed_provider_and_resolver_from_rejection_to_ready(acme):
    with service() as address:
        asked = ("--sandbox-url", f"acme={address}", "--yes")
        done = acme.run("apply", *asked)
        assert done.code == 3, done.out + done.err
        assert "acme 401 bad_key" in done.out
        assert "1. the key was revoked in the portal, or copied incompletely" in done.out
        assert "ask       Acme SMS support (https://acme.example/support), quoting the asked line" in done.out
        assert "request acme-77" in done.out

        acme.drawer.write_text(json.dumps({"otp": RIGHT}))
        done = acme.run("apply", *asked)
        assert done.code == 0, done.out + done.err
        assert '"Acme One"' in done.out
        assert RIGHT not in done.out + done.err
    done = acme.sandbox("list")
    assert "acme-0001" in done.out
    assert acme.sandbox("list", env={"PYTHONPATH": INHERITED}).code == 0


def test_a_sandbox_run_never_asks_the_real_service_of_a_provider_without_a_sandbox(acme):
    acme.drawer.write_text(json.dumps({"otp": RIGHT}))
    done = acme.sandbox("apply", "--yes")
    assert done.code == 3, done.out + done.err
    assert "no-sandbox-url" in done.out
