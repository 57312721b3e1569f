"""YAML text to mappings with places: what is read, where it stands, and what is refused."""

from __future__ import annotations

import gc
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import yamlreader
from reconciler.collector import collector_off
from reconciler.scalars import reading
from reconciler.trouble import MOST
from reconciler.yamlreader import DEPTH, decode, read


def told(text: str) -> list[tuple[str, tuple[int, int] | None]]:
    return [(trouble.code, trouble.mark) for trouble in read(text).troubles]


def words(text: str) -> str:
    return "\n".join(f"{t.summary}|{t.detail}|{t.hint}|{t.path}" for t in read(text).troubles)


def test_a_mapping_knows_where_its_values_stand():
    document = read("version: 1\ncredentials:\n  otp:\n    label: 'One'\n    tags: {a: b}\n")
    assert document.root == {"version": 1, "credentials": {"otp": {"label": "One", "tags": {"a": "b"}}}}
    assert document.root.marks == {"version": (1, 10), "credentials": (2, 1)}
    otp = document.root["credentials"]["otp"]
    assert document.root["credentials"].marks == {"otp": (3, 3)}
    assert otp.marks == {"label": (4, 12), "tags": (5, 5)}
    assert otp["tags"].marks == {"a": (5, 15)}


def test_a_second_reading_knows_where_the_keys_stand():
    document = read("a: 1\nb:\n  c:\n    2\n", keys=True)
    assert document.root.marks == {"a": (1, 1), "b": (2, 1)}
    assert document.root["b"].marks == {"c": (3, 3)}
    assert read("b:\n  c:\n    2\n").root["b"].marks == {"c": (3, 5)}


def test_lists_know_where_their_values_stand():
    items = read("a:\n  - x\n  - [y]\n").root["a"]
    assert items == ["x", ["y"]]
    assert items.marks == [(2, 5), (3, 5)]
    assert items[1].marks == [(3, 6)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("null", None), ("~", None), ("", None),
        ("0", 0), ("7", 7), ("-7", -7), ("123456789012345678", 123456789012345678),
        ("1234567890123456789", "1234567890123456789"), ("-0", "-0"), ("007", "007"), ("1.0", "1.0"), ("True", "True"),
        ("yes", "yes"), ("2026-11-23", "2026-11-23"), ("a b", "a b"), ("'7'", "7"), ('"true"', "true"), ("''", ""),
    ],
)  # fmt: skip
def test_only_booleans_integers_and_null_are_typed(text, value):
    read_value = read(f"a: {text}\n").root["a"]
    assert read_value == value
    assert type(read_value) is type(value)


UNSURE = [
    "0012", "08", "+1", "-0", "1_000", "1.5", "1.", ".5", "1e5", "1E-5", "12:30:45", "1:30", "0x1F", "0o17", "0b11",
    ".inf", "-.INF", ".nan", "1234567890123456789", "yes", "No", "on", "OFF", "y", "N", "True", "FALSE", "Null", "NULL",
    "null", "~", "",
]  # fmt: skip
TEXT = [
    "2026-11-23",
    "2026-11-23T10:00:00Z",
    "1.2.3",
    "12:99",
    "0x",
    "1e",
    "AC00",
    "00-1",
    "yess",
    "e5",
    "-",
    "v1",
    "=",
    "-x",
]


@pytest.mark.parametrize("text", UNSURE)
def test_attack_34_what_another_reader_takes_for_no_text_is_kept_with_its_place(text):
    document = read(f"a:\n  b: {text}\n")
    place = (2, 5 if text == "" else 6)
    assert document.unsure == {place: text}
    assert reading(text)


@pytest.mark.parametrize("text", TEXT)
def test_text_and_dates_need_no_quotes(text):
    assert read(f"a: {text}\n").unsure == {}
    assert reading(text) == ""


@pytest.mark.parametrize("text", [t for t in UNSURE if t] + ["7", "true"])
def test_attack_34_keys_need_quotes_as_well(text):
    assert told(f"a:\n  {text}: x\n") == [("needs-quotes", (2, 3))]
    assert told(f"a:\n  '{text}': x\n") == []


def test_attack_30_both_lines_of_a_duplicate_key_are_named():
    text = "a: x\nb:\n  c:\n    1\n  d: 2\n  c: 3\n"
    [trouble] = read(text, keys=True).troubles
    assert (trouble.code, trouble.path, trouble.mark) == ("duplicate-key", ("b", "c"), (6, 3))
    assert trouble.detail == "first at line 3, again at line 6"
    assert read(text).root["b"] == {"c": 1, "d": 2}


def test_attack_31_anchors_and_aliases_are_refused_and_never_walked():
    levels = "".join(f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 10))
    document = read(f"a:\n  l0: &l0 [x]\n{levels}")
    assert {t.code for t in document.troubles} == {"yaml-anchor"}
    assert len(document.troubles) == 10 + 9 * 9
    assert document.troubles[0].mark == (2, 7)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("a: &x 1", (1, 4)),
        ("a: *x", (1, 4)),
        ("&x a: 1", (1, 1)),
        ("a: &x {b: c}", (1, 4)),
        ("a: &x [b]", (1, 4)),
        ("*x : a", (1, 1)),
    ],
)
def test_attack_31_wherever_they_stand(text, mark):
    assert ("yaml-anchor", mark) in told(text + "\n")


@pytest.mark.parametrize("depth", [DEPTH + 1, 3000, 100_000])
@pytest.mark.parametrize("shape", ["[", "{a: ", "? "])
def test_attack_32_deep_nesting_is_an_error_without_recursion(depth, shape):
    started = time.process_time()
    document = read(shape * depth)
    assert [t.code for t in document.troubles][-1] == "too-deep"
    assert not document.whole
    assert time.process_time() - started < 5


def test_attack_32_the_bound_itself_is_allowed():
    deep = "".join(f"{'  ' * n}a:\n" for n in range(DEPTH - 1)) + "  " * (DEPTH - 1) + "a: x\n"
    assert told(deep) == []
    assert told(deep.replace("a: x", "a: {b: c}")) == [("too-deep", (DEPTH, 2 * DEPTH + 2))]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a: !!python/object/apply:os.system [x]", "!!python/object/apply"),
        ("a: !!str 1", "!!str"),
        ("a: !env TOKEN", "!env"),
        ("a: !vault |\n  x", "!vault"),
        ("a: !!binary eA==", "!!binary"),
        ("a: {b: c}\n!!map d: e", "!!map"),
    ],
)
def test_attack_33_tags_are_refused_by_name(text, named):
    [trouble] = read(text + "\n").troubles
    assert trouble.code == "yaml-tag"
    assert trouble.detail == f"the tag is {named}"


@pytest.mark.parametrize(
    "text", ["!S3cr3tS3cr3tS3cr3t", "!!S3cr3tS3cr3tS3cr3t", "! S3cr3tS3cr3tS3cr3t", "!<S3cr3tS3cr3tS3cr3t> x"]
)
def test_a_secret_that_looks_like_a_tag_is_not_named(text):
    assert told(f"a: {text}\n") == [("yaml-tag", (1, 4))]
    assert "S3cr3t" not in words(f"a: {text}\n").replace("('a',)", "")


@pytest.mark.parametrize("text", ["&S3cr3tS3cr3tS3cr3t x", "*S3cr3tS3cr3tS3cr3t"])
def test_a_secret_that_looks_like_an_anchor_is_not_named(text):
    assert "S3cr3t" not in words(f"a: {text}\n")


def test_merge_keys_are_refused():
    assert told("a:\n  <<: {b: c}\n") == [("yaml-merge", (2, 3))]
    assert told("a:\n  '<<': {b: c}\n") == []


def test_a_second_document_is_refused():
    assert told("a: b\n---\nc: d\n") == [("yaml-document", (2, 1))]
    assert told("---\na: b\n...\n") == []
    [trouble] = read("a: b\n...\nc: d\n").troubles
    assert (trouble.code, trouble.mark) == ("yaml-syntax", (3, 1))


@pytest.mark.parametrize("text", ["? [a]\n: b\n", "? {a: b}\n: c\n", "{[a]: b}\n"])
def test_a_key_that_is_no_text_is_refused(text):
    [trouble] = read(text).troubles
    assert (trouble.code, trouble.detail) == ("wrong-type", "a key must be plain text")
    assert trouble.mark == ((1, 3) if text[0] == "?" else (1, 2))


SECRET = "s3cr3t-f00ba4"
BROKEN = [
    (f"a: '{SECRET}\nb: c\n", (1, 4), "a quote is opened here and never closed"),
    (f"a: b\nc: {SECRET}: d\n", (2, 4 + len(SECRET)), "a second ': ' on one line"),
    (f"a: b\n{SECRET}\nc: d\n", (3, 1), "a key without ': ' after it"),
    (f"a: 'b' {SECRET}\n", (1, 8), "no key where one is expected"),
    (f"a: @{SECRET}\n", (1, 4), "a value cannot begin with %, @"),
    (f"a: %{SECRET}\n", (1, 4), "a value cannot begin with %, @"),
    (f"\ta: {SECRET}\n", (1, 1), "a tab stands here: indent with spaces"),
    (f"a:\n\tb: {SECRET}\n", (2, 1), "a tab stands here: indent with spaces"),
    (f'a: "\\q{SECRET}"\n', (1, 5), "an unknown escape"),
    (f"a: [{SECRET}\n", (1, 4), "a [ is opened and not closed"),
    (f"a: {{{SECRET}\n", (1, 4), "a { is opened and not closed"),
    (f"a: {SECRET}\nb: \x07\n", (2, 4), "a control character stands here"),
    (f"é: {SECRET}\x00\n", (1, 4 + len(SECRET)), "a control character stands here"),
    (f"a: - {SECRET}\n", (1, 4), "a list begins on a line of its own"),
    (f"a: *{SECRET}!\n", (1, 5 + len(SECRET)), "check the indentation"),
    (f"a: !e!{SECRET} x\n", (1, 4), "YAML tags are not allowed"),
]


@pytest.mark.parametrize(("text", "mark", "why"), BROKEN)
def test_attack_29_a_syntax_error_tells_place_and_reason_never_the_line(text, mark, why):
    document = read(text)
    trouble = document.troubles[-1]
    assert (trouble.code, trouble.mark) == ("yaml-syntax", mark)
    assert trouble.detail.startswith(why)
    assert SECRET not in words(text)
    assert not document.whole


@pytest.mark.parametrize("escape", ["\\ud800", "\\uDFFF", "\\U00110000"])
def test_lone_surrogates_and_what_lies_beyond_unicode_are_refused(escape):
    [trouble] = read(f'a: "x{escape}"\n').troubles
    assert (trouble.code, trouble.mark) == ("yaml-syntax", (1, 8))
    assert trouble.detail == "an escape for something that is not a character"


def test_an_escaped_nul_is_refused_in_values_and_keys():
    assert told('a: "x\\0"\n') == [("yaml-syntax", (1, 4))]
    assert told('"x\\0": a\n') == [("yaml-syntax", (1, 1))]


def test_nothing_at_all_is_nothing():
    for text in ("", "\n", "# only a comment\n", "---\n", "~\n"):
        document = read(text)
        assert (document.root, document.whole) == (None, True)
        assert not document.troubles


def test_reading_stops_after_so_many_troubles():
    document = read("".join(f"a{n}: &x 1\n" for n in range(MOST + 50)))
    assert len(document.troubles) == MOST
    assert not document.whole


def test_decode_takes_a_byte_order_mark_off():
    assert decode(b"\xef\xbb\xbfa: b\n") == "a: b\n"
    assert read(decode(b"\xef\xbb\xbfa: b\n")).root.marks == {"a": (1, 4)}


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ("a: é\nbé: ".encode() + b"\xff", (2, 5, "a byte that is not UTF-8")),
        (b"a: \xed\xa0\x80\n", (1, 4, "a lone half of a surrogate pair")),
        ("a: b".encode("utf-16"), (1, 1, "the file begins as UTF-16 does")),
        (b"\xef\xbb\xbfa\xff", (1, 2, "a byte that is not UTF-8")),
    ],
)
def test_bytes_that_are_no_utf8_are_told_with_their_place(data, where):
    with pytest.raises(ValueError) as caught:
        decode(data)
    assert caught.value.args == where


def test_the_collector_is_off_while_reading_and_as_before_afterwards():
    assert gc.isenabled()
    with collector_off():
        assert not gc.isenabled()
        with collector_off():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_collector_is_on_again_after_an_error():
    with pytest.raises(KeyError), collector_off():
        raise KeyError
    assert gc.isenabled()


scalars = st.text(string.printable, max_size=12) | st.sampled_from([*UNSURE, *TEXT])


@settings(max_examples=300, deadline=None)
@given(st.text(string.ascii_letters + string.digits + " :-#'\"{}[],&*!|>%@`\n\t\\~?.=<_", max_size=60))
def test_any_text_is_read_or_refused_but_never_breaks_the_reader(text):
    document = read(text)
    assert document.whole or document.troubles
    for trouble in document.troubles:
        assert trouble.summary
        assert trouble.mark is not None
        assert min(trouble.mark) >= 1


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(string.ascii_lowercase, min_size=1, max_size=5), scalars, min_size=1, max_size=4))
def test_quoted_text_is_read_as_it_is(wanted):
    quoted = {f"k-{key}": value.replace("\n", "").replace("\r", "") for key, value in wanted.items()}
    text = "".join(f"{key}: '{value.replace(chr(39), chr(39) * 2)}'\n" for key, value in quoted.items())
    document = read(text)
    if document.whole:
        assert document.root == {k: v for k, v in quoted.items()}  # noqa: C416 -- a Node equals a dict
        assert document.unsure == {}
    else:
        assert any(char in text for char in "\x0b\x0c")


def test_the_module_shows_none_of_the_librarys_words():
    """The table's keys are the library's; its values are ours."""
    assert not set(yamlreader._SYNTAX) & set(yamlreader._SYNTAX.values())
