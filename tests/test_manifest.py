"""The manifest: files and folders to credentials, and every problem at its place."""

from __future__ import annotations

import hashlib
import os
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import manifest, schema, sources
from reconciler.errors import ManifestInvalid, UsageError
from reconciler.model import Place, Severity

BUILTIN = schema.builtin()

TWILIO = """\
  {name}:
    provider: twilio
    account_sid: AC00000000000000000000000000000001
    auth_token: env://TOKEN
"""
HEAD = "version: 1\nworkspace: production\ncredentials:\n"


def one(name="otp"):
    return HEAD + TWILIO.format(name=name)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work inside an empty folder, so that places are relative as a user gives them."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name, text):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(*paths, **rest):
    return manifest.read([Path(path) for path in paths], BUILTIN, **rest)


def problems(*paths, **rest):
    with pytest.raises(ManifestInvalid) as caught:
        read(*paths, **rest)
    return caught.value.problems


def told(*paths, **rest):
    return [(p.code, str(p.place), p.subject) for p in problems(*paths, **rest)]


def test_a_credential_is_split_into_what_each_part_needs(folder):
    write("a.yaml", """\
version: 1
workspace: production
credentials:
  otp-apac:
    provider: infobip
    label: OTP
    base_url: https://x1.api.infobip.com
    api_key: env://KEY
    protected: true
    tags: {team: growth}
    expires_on: 2027-06-30
    rotate_every: 90d
""")  # fmt: skip
    found = read("a.yaml")
    assert (found.workspace, found.files, found.warnings) == ("production", ("a.yaml",), ())
    otp = found.credentials["otp-apac"]
    assert (otp.name, otp.file, otp.moved_from, otp.declared.provider) == ("otp-apac", "a.yaml", "", "infobip")
    assert otp.declared.common == {
        "label": "OTP",
        "protected": True,
        "tags": {"team": "growth"},
        "expires_on": "2027-06-30",
        "rotate_every": "90d",
    }
    assert type(otp.declared.common["tags"]) is dict
    assert otp.declared.settings == {"base_url": "https://x1.api.infobip.com"}
    assert otp.declared.references == {"api_key": "env://KEY"}
    assert str(otp.place()) == "a.yaml:4:3"
    assert str(otp.place("api_key")) == "a.yaml:8:14"
    assert str(otp.place("tags")) == "a.yaml:10:5"
    assert str(otp.place("description")) == "a.yaml:4:3"


@pytest.mark.parametrize(
    "spelled",
    ["x1.api.infobip.com", "https://x1.api.infobip.com", "x1.api.infobip.com:443", "https://x1.api.infobip.com:443"],
)
def test_every_spelling_of_one_host_is_the_same_setting(folder, spelled):
    write("a.yaml", f"{HEAD}  a:\n    provider: infobip\n    base_url: {spelled}\n    api_key: env://KEY\n")
    assert read("a.yaml").credentials["a"].declared.settings == {"base_url": "https://x1.api.infobip.com"}


def test_a_folder_is_read_as_one_manifest_in_order_of_file_name(folder):
    write("sms/b.yml", "version: 1\ncredentials:\n" + TWILIO.format(name="b"))
    write("sms/a.yaml", one("a"))
    write("sms/notes.txt", "nothing\n")
    write("sms/.hidden.yaml", "nothing: 1\n")
    found = read("sms")
    assert found.files == ("sms/a.yaml", "sms/b.yml")
    assert list(found.credentials) == ["a", "b"]
    assert found.workspace == "production"
    assert found.warnings == ()


def test_a_file_given_twice_is_read_once(folder):
    write("sms/a.yaml", one())
    Path("sms/z.yaml").symlink_to("a.yaml")
    assert read("sms", "sms/a.yaml", "./sms/../sms/a.yaml").files == ("sms/a.yaml",)


def test_what_looks_like_a_manifest_and_is_not_read_is_named(folder):
    write("sms/a.yaml", one())
    write("sms/b.yaml.disabled", one("b"))
    write("sms/.c.yaml", one("c"))
    write("sms/old/d.yaml", one("d"))
    write("sms/old/e.yaml", one("e"))
    write("sms/other/deeper/f.yml", one("f"))
    write("sms/.git/g.yaml", one("g"))
    write("sms/docs/h.yaml", "title: x\n")
    write("sms/readme.md", "the key credentials: is explained here\n")
    os.mkfifo("sms/pipe")
    warnings = read("sms").warnings
    assert [(w.code, str(w.place), w.severity) for w in warnings] == [
        ("not-read", "sms/.c.yaml:1:1", Severity.WARNING),
        ("not-read", "sms/b.yaml.disabled:1:1", Severity.WARNING),
        ("not-read", "sms/old/d.yaml:1:1", Severity.WARNING),
        ("not-read", "sms/other/deeper/f.yml:1:1", Severity.WARNING),
    ]
    assert [w.hint for w in warnings] == [
        "pass it with -f, or rename it without the dot",
        "pass it with -f, or rename it to *.yaml",
        "pass it too: -f sms/old",
        "pass it too: -f sms/other/deeper",
    ]


def test_a_sub_folder_that_is_given_as_well_is_no_warning(folder):
    write("sms/a.yaml", one("a"))
    write("sms/more/b.yaml", one("b"))
    assert read("sms", "sms/more").warnings == ()


def test_a_path_that_is_not_there_is_a_wrong_call(folder):
    write("sms/a.yaml", one())
    Path("sms/b.yaml").symlink_to("nowhere")
    for paths in (["nowhere.yaml"], ["sms"], ["sms/a.yaml/b.yaml"]):
        with pytest.raises(UsageError) as caught:
            read(*paths)
        assert caught.value.code.name == "no-such-file"


def test_what_cannot_be_read_is_a_wrong_call_and_never_waits(folder):
    Path("sms").mkdir()
    os.mkfifo("sms/a.yaml")
    with pytest.raises(UsageError) as caught:
        read("sms")
    assert (caught.value.code.name, caught.value.detail) == ("unreadable", "sms/a.yaml: not a regular file")


def test_what_the_system_refuses_to_open_is_a_wrong_call(folder, monkeypatch):
    write("sms/a.yaml", one())

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UsageError) as caught:
        read("sms/a.yaml")
    assert (caught.value.code.name, caught.value.detail) == ("unreadable", "sms/a.yaml: Permission denied")
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UsageError) as caught:
        read("sms")
    assert (caught.value.code.name, caught.value.detail) == ("unreadable", "sms: Permission denied")


def test_looking_for_what_is_not_read_is_bounded_and_never_fails(folder, monkeypatch):
    write("sms/a.yaml", one("a"))
    for number in range(5):
        write(f"sms/much/{number}.yaml", "nothing: 1\n")
    write("sms/much/9.yaml", one("b"))
    assert [str(w.place) for w in read("sms").warnings] == ["sms/much/9.yaml:1:1"]
    monkeypatch.setattr(sources, "_MOST_FILES", 5)
    assert read("sms").warnings == ()
    monkeypatch.setattr(sources, "_MOST_FILES", 6)
    Path("sms/much/9.yaml").unlink()
    Path("sms/much/9.yaml").symlink_to("nowhere")
    assert read("sms").warnings == ()


def test_what_nobody_can_look_at_is_counted_instead_of_explained(folder, monkeypatch):
    monkeypatch.setattr("reconciler.wording.MOST", 3)
    monkeypatch.setattr(manifest, "MOST", 3)
    bad = "".join(TWILIO.format(name=f"c{n}").replace("auth_token", "auth_tokn") for n in range(8))
    write("a.yaml", HEAD + bad + TWILIO.format(name="Not_A_Name") + TWILIO.format(name="good"))
    *explained, rest = problems("a.yaml")
    assert [p.subject for p in explained] == ["c0", "c1", "c2"]
    assert (rest.code, rest.place, rest.severity) == ("not-shown", Place("a.yaml", 3, 1), Severity.ERROR)
    assert rest.detail.startswith("6 more credentials are refused")


def test_of_more_problems_than_anybody_looks_at_secrets_are_told_first(folder, monkeypatch):
    monkeypatch.setattr(manifest, "MOST", 2)
    for number in range(4):
        write(f"sms/{number}.yaml", one(f"c{number}").replace("auth_token", "auth_tokn"))
    write("sms/z.yaml", one("z").replace("env://TOKEN", "not-a-reference-1"))
    assert [p.code for p in problems("sms")] == ["unknown-key", "secret-literal", "not-shown"]
    assert problems("sms")[-1].detail == "problems besides these: 3"


def test_the_files_of_one_run_agree_on_the_workspace(folder):
    write("a.yaml", one("a"))
    write("b.yaml", one("b").replace("production", "staging"))
    write("c.yaml", one("c").replace("workspace: production\n", ""))
    [problem] = problems("a.yaml", "b.yaml", "c.yaml")
    assert (problem.code, str(problem.place)) == ("workspace-differs", "b.yaml:2:12")
    assert problem.detail == "staging here, production at a.yaml:2:12"
    assert read("a.yaml", "c.yaml").workspace == read("c.yaml", "a.yaml").workspace == "production"
    assert read("c.yaml").workspace == ""


def test_w_names_the_workspace_where_no_file_does_and_never_another(folder):
    write("a.yaml", one())
    write("b.yaml", one("b").replace("workspace: production\n", ""))
    assert read("a.yaml", workspace="production").workspace == "production"
    assert read("b.yaml", workspace="staging").workspace == "staging"
    with pytest.raises(UsageError) as caught:
        read("b.yaml", "a.yaml", workspace="staging")
    assert caught.value.code.name == "workspace-conflict"
    assert caught.value.detail == "-w staging, but a.yaml:2:12 names production"
    with pytest.raises(UsageError) as caught:
        read("b.yaml", workspace="Staging")
    assert caught.value.code.name == "usage"


def test_attack_30_one_name_in_several_files_is_one_problem_with_all_places(folder):
    write("a.yaml", one("otp"))
    write("b.yaml", one("fine") + TWILIO.format(name="otp"))
    write("c.yaml", one("otp"))
    [problem] = problems("a.yaml", "b.yaml", "c.yaml")
    assert (problem.code, str(problem.place), problem.subject) == ("duplicate-name", "c.yaml:4:3", "otp")
    assert problem.detail == "also at a.yaml:4:3, b.yaml:8:3"


def test_attack_30_one_name_twice_in_a_file(folder):
    write("a.yaml", one("otp") + TWILIO.format(name="otp"))
    [problem] = problems("a.yaml")
    assert (problem.code, str(problem.place), problem.subject) == ("duplicate-key", "a.yaml:8:3", "otp")
    assert problem.detail == "first at line 4, again at line 8"


@pytest.mark.parametrize("nothing", ["credentials: {}\n", "credentials:\n", "credentials:\n  # later\n"])
def test_no_credential_at_all_is_an_error_unless_meant(folder, nothing):
    write("a.yaml", f"version: 1\nworkspace: production\n{nothing}")
    [problem] = problems("a.yaml")
    assert (problem.code, problem.place.line, problem.detail) == ("empty-manifest", 3, "a.yaml")
    assert "--allow-empty" in problem.hint
    found = read("a.yaml", allow_empty=True)
    assert (found.credentials, found.workspace) == ({}, "production")


def test_a_file_without_credentials_beside_one_with_some_is_fine(folder):
    write("a.yaml", "version: 1\ncredentials: {}\n")
    write("b.yaml", one())
    assert list(read("a.yaml", "b.yaml").credentials) == ["otp"]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_an_empty_file_is_an_error_unless_meant(folder, text):
    write("a.yaml", text)
    assert told("a.yaml") == [("empty-manifest", "a.yaml:1:1", "")]
    assert read("a.yaml", allow_empty=True).credentials == {}


def test_a_folder_without_yaml_is_an_error_unless_meant(folder):
    Path("sms").mkdir()
    [problem] = problems("sms")
    assert (problem.code, problem.place) == ("empty-manifest", None)
    assert problem.detail == "no *.yaml or *.yml in sms"
    assert read("sms", allow_empty=True).files == ()


def test_a_file_that_is_too_large_is_an_error_that_says_so(folder, monkeypatch):
    text = one()
    write("a.yaml", text)
    monkeypatch.setattr(sources, "LARGEST", len(text))
    assert read("a.yaml").files == ("a.yaml",)
    monkeypatch.setattr(sources, "LARGEST", len(text) - 1)
    assert told("a.yaml") == [("too-large", "a.yaml:1:1", "")]


def test_a_file_that_is_no_text_is_an_error_at_the_byte(folder):
    write("a.yaml", one().encode() + b"  \xff:\n")
    [problem] = problems("a.yaml")
    assert (problem.code, str(problem.place), problem.detail) == ("not-utf8", "a.yaml:8:3", "a byte that is not UTF-8")


def test_a_byte_order_mark_moves_no_place(folder):
    write("a.yaml", b"\xef\xbb\xbf" + one().encode())
    assert str(read("a.yaml").credentials["otp"].place("auth_token")) == "a.yaml:7:17"


BROKEN = """\
version: 1
workspace: production
credentials:
  marketing-us:
    provider: twilio
    label: 0012
    account_sid: SK00000000000000000000000000000001
    auth_token: 9f8e7d6c5b4a39281706f5e4d3c2b1a0
  alerts-eu:
    provider: sinch
    region: eu
    service_plan_id: 00000000000000000000000000000002
    auth_token: env://X
    label:
  no:
    provider: infobip
    base_url: &url x1.api.infobip.com
    api_key: !env X
    api_key: env://Y
    tags: {tier: 1, on: x}
    protected: yes
  otp:
    account_sid: 1e5
"""


def test_everything_that_is_wrong_is_told_at_once_in_order_of_place(folder):
    write("b.yaml", BROKEN)
    write("a.yaml", "version: 1\ncredentials: [\n")
    assert told("b.yaml", "a.yaml") == [
        ("yaml-syntax", "a.yaml:3:1", ""),
        ("needs-quotes", "b.yaml:6:12", "marketing-us.label"),
        ("bad-value", "b.yaml:7:18", "marketing-us.account_sid"),
        ("secret-literal", "b.yaml:8:17", "marketing-us.auth_token"),
        ("needs-quotes", "b.yaml:12:22", "alerts-eu.service_plan_id"),
        ("unknown-key", "b.yaml:13:5", "alerts-eu"),
        ("wrong-type", "b.yaml:14:11", "alerts-eu.label"),
        ("needs-quotes", "b.yaml:15:3", "no"),
        ("yaml-anchor", "b.yaml:17:15", "no.base_url"),
        ("yaml-tag", "b.yaml:18:14", "no.api_key"),
        ("duplicate-key", "b.yaml:19:5", "no.api_key"),
        ("needs-quotes", "b.yaml:20:18", "no.tags.tier"),
        ("needs-quotes", "b.yaml:20:21", "no.tags.on"),
        ("wrong-type", "b.yaml:21:16", "no.protected"),
        ("missing-key", "b.yaml:22:3", "otp.provider"),
    ]


def test_an_invalid_manifest_still_says_how_much_was_read(folder):
    write("a.yaml", BROKEN)
    write("b.yaml", one("fine"))
    with pytest.raises(ManifestInvalid) as caught:
        read("a.yaml", "b.yaml")
    assert (caught.value.declared, caught.value.files) == (5, 2)


def test_attack_34_only_what_is_short_is_repeated(folder):
    write("a.yaml", HEAD + "  a:\n    provider: sinch\n    region: eu\n    api_token: env://X\n"
          "    service_plan_id: 00000000000000000000000000000002\n    label: 0012\n")  # fmt: skip
    first, second = problems("a.yaml")
    assert (first.summary, first.hint) == ("this would be read as a number", 'service_plan_id: "..."')
    assert (second.summary, second.hint) == ("0012 would be read as a number", 'label: "0012"')


def test_attack_34_an_unquoted_number_in_a_key_that_does_not_belong_there_is_not_repeated(folder):
    secret = "00123456"
    write("a.yaml", one() + f"    api_token: {secret}\n    password: {secret}\n")
    found = problems("a.yaml")
    assert [p.code for p in found] == ["unknown-key", "secret-literal", "unknown-key"]
    assert secret not in repr(found)


def test_a_warning_does_not_stop_the_run(folder):
    write("a.yaml", one() + "    label: key 0123456789abcdef0123456789abcdee\n")
    [warning] = read("a.yaml").warnings
    assert (warning.code, str(warning.place), warning.subject) == ("looks-secret", "a.yaml:8:12", "otp.label")
    assert warning.severity is Severity.WARNING


def test_warnings_stand_among_the_errors(folder):
    write("a.yaml", one() + "    label: key 0123456789abcdef0123456789abcdee\n    owner: no\n")
    assert [p.code for p in problems("a.yaml")] == ["looks-secret", "needs-quotes"]


def test_attack_49_a_name_with_a_final_newline_is_refused(folder):
    write("a.yaml", one('"otp\\n"'))
    assert told("a.yaml") == [("bad-name", "a.yaml:4:3", "?")]


def test_moved_from_is_no_part_of_what_is_declared(folder):
    write("a.yaml", one() + "    moved_from: old\n")
    otp = read("a.yaml").credentials["otp"]
    assert (otp.moved_from, str(otp.place("moved_from"))) == ("old", "a.yaml:8:17")
    write("b.yaml", one())
    assert otp.declared == read("b.yaml").credentials["otp"].declared


def renaming(**moved: str) -> str:
    """A manifest with these entries, each with its ``moved_from``; empty for none."""
    entries = (TWILIO.format(name=name) + (f"    moved_from: {old}\n" if old else "") for name, old in moved.items())
    return HEAD + "".join(entries)


RENAMES = {
    "itself": ({"a": "a"}, [("a", "moved_from names the entry itself")]),
    "still declared": ({"a": "b", "b": ""}, [("a", "moved_from names an entry that is still declared")]),
    "a chain": ({"b": "a", "c": "b"}, [("c", "one rename waits for another")]),
    "a swap": ({"a": "b", "b": "a"}, [("a", "a and b cannot swap their names in one run"),
                                      ("b", "b and a cannot swap their names in one run")]),
    "a circle": ({"a": "b", "b": "c", "c": "a"}, [(n, "one rename waits for another") for n in "abc"]),
    "one name twice": ({"a": "old", "b": "old"}, [("b", "two entries have moved_from: old")]),
    "an entry that is wrong itself": ({"a": "b", "b": "b"}, [("a", "moved_from names an entry that is still declared"),
                                                             ("b", "moved_from names the entry itself")]),
}  # fmt: skip


@pytest.mark.parametrize("case", RENAMES)
def test_renames_that_cannot_be_carried_out_are_told_with_their_places(folder, case):
    moved, expected = RENAMES[case]
    write("a.yaml", renaming(**moved))
    found = problems("a.yaml")
    assert [(p.subject, p.summary) for p in found] == [(f"{name}.moved_from", said) for name, said in expected]
    assert {(p.code, p.place.column) for p in found} == {("bad-rename", 17)}
    assert all(p.hint for p in found)


def test_a_chain_over_several_files_names_both_places_and_two_runs(folder):
    write("a.yaml", renaming(b="a"))
    write("b.yaml", renaming(c="b"))
    (found,) = problems("a.yaml", "b.yaml")
    assert str(found.place) == "b.yaml:8:17"
    assert found.detail == "b is declared at a.yaml:4:3 and moved from a"
    assert found.hint == "two runs: apply the rename of b to c first, then that of a to b"


def test_a_moved_from_that_is_no_name_is_told_once(folder):
    write("a.yaml", one() + '    moved_from: "Old one"\n')
    assert [(p.code, p.subject) for p in problems("a.yaml")] == [("bad-value", "otp.moved_from")]


ENTRIES = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.permutations(["provider", "account_sid", "auth_token", "label"])),
    min_size=1,
    max_size=6,
    unique_by=lambda entry: entry[0],
)


@settings(max_examples=60, deadline=None)
@given(ENTRIES, st.randoms(use_true_random=False))
def test_the_order_of_keys_entries_and_files_changes_nothing(tmp_path_factory, entries, random):
    values = {"provider": "twilio", "account_sid": "AC" + "0" * 32, "auth_token": "env://T"}
    folder = tmp_path_factory.mktemp("order")

    def declared(order, files):
        texts = [HEAD for _ in range(files)]
        for number, (name, keys) in enumerate(order):
            lines = [f"    {key}: {values.get(key, 'Label ' + name)}\n" for key in keys]
            texts[number % files] += f"  {name}:\n" + "".join(lines)
        paths = [folder / f"{files}-{number}.yaml" for number in range(files)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        random.shuffle(paths)
        found = manifest.read(paths, BUILTIN).credentials
        return {name: credential.declared for name, credential in found.items()}

    shuffled = [(name, random.sample(keys, len(keys))) for name, keys in random.sample(entries, len(entries))]
    assert declared(entries, 1) == declared(shuffled, 1)
    if len(entries) > 1:
        assert declared(entries, 1) == declared(shuffled, 2)


def tokens(seed: int) -> list[str]:
    """Secrets as providers make them, and as YAML and other tools mistake them."""
    plain, digits = marked(seed)
    return [
        *(plain, plain.upper(), digits, f"0{digits}", f"{plain}-{plain[:8]}", f"S!{plain}#{plain}", f"!!{plain}"),
        *(f"{sign}{plain}" for sign in "!&*%@`'\"[{|>?-:,#$="),
        *(f"{plain}: {plain}", f"{plain} #{plain}", f"env://{plain}-x", f"file://../{plain}", f"${{env:{plain}}}"),
    ]


def marked(seed: int) -> tuple[str, str]:
    digest = hashlib.sha256(str(seed).encode()).hexdigest()
    return digest[:32], str(int(digest, 16))[:30]


@settings(max_examples=250, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(0, 30),
    st.sampled_from(["", "'", '"']),
    st.sampled_from(["auth_token", "api_token", "account_sid", "label", "password", "provider", "expires_on", "tags"]),
    st.sampled_from(["    {key}: {value}\n", "    {key}:{value}\n", "    {key} {value}\n", "  {key}: {value}\n",
                     "    {key}: [{value}\n", "    {key}:\n      {value}\n", "    {key}: {{a: {value}}}\n",
                     "    {key}: {value}\n    {key}: {value}\n", "    {value}: x\n", "{value}\n"]),
)  # fmt: skip
def test_attack_55_no_problem_ever_repeats_a_secret(tmp_path_factory, seed, which, quote, key, line):
    secret = tokens(seed)[which % len(tokens(seed))]
    path = tmp_path_factory.getbasetemp() / "leak.yaml"
    path.write_text(one() + line.format(key=key, value=f"{quote}{secret}{quote}"))
    try:
        found = manifest.read([path], BUILTIN).warnings
        shown = repr(found)
    except ManifestInvalid as error:
        shown = repr(error) + str(error) + repr(error.problems) + repr(error.__context__)
    plain, digits = marked(seed)
    assert plain not in shown.casefold()
    assert digits not in shown


def test_places_are_of_the_file_as_it_was_given(folder):
    path = write("sms/a.yaml", one() + "    label: no\n")
    [relative], [absolute] = problems("sms"), problems(path.resolve())
    assert relative.place == Place("sms/a.yaml", 8, 12)
    assert absolute.place == Place(str(folder / "sms/a.yaml"), 8, 12)


PLAIN = st.sampled_from(
    [
        *("yes", "No", "true", "null", "~", "", "007", "1e5", "1.5", "12:30:45", "0x1F", "0o17", "1_000", ".5", "+1"),
        *(
            "text",
            "two words",
            "a:b",
            "x#y",
            "1.2.3",
            "2026-11-23",
            "yess",
            "v1",
            "12:99",
            "'7'",
            '"no"',
            "'a b'",
            "-0",
        ),
    ]
)


def dates_as_text(value):
    if isinstance(value, dict):
        return {dates_as_text(key): dates_as_text(inner) for key, inner in value.items()}
    return value.isoformat() if isinstance(value, date) else value


@settings(max_examples=150, deadline=None)
@given(label=PLAIN, tag=PLAIN, key=PLAIN, name=PLAIN)
def test_attack_34_what_is_accepted_means_the_same_to_every_other_reader(tmp_path_factory, label, tag, key, name):
    text = one(name if " " not in name else "otp") + f"    label: {label}\n    tags:\n      {key}: {tag}\n"
    path = tmp_path_factory.getbasetemp() / "same.yaml"
    path.write_text(text)
    try:
        [ours] = manifest.read([path], BUILTIN).credentials.values()
    except ManifestInvalid:
        return
    [(other_name, theirs)] = dates_as_text(yaml.load(text, Loader=yaml.CSafeLoader)["credentials"]).items()
    assert ours.name == other_name
    assert ours.declared.common == {"label": theirs["label"], "tags": theirs["tags"]}
