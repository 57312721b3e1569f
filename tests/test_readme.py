"""The session of the README is what the tool prints: played in the sandbox, told as of a live store."""

from __future__ import annotations

import re
from pathlib import Path

from test_scenarios import masked

ROOT = Path(__file__).parents[1]
SESSION = re.compile(r"(?s)## A real session\n(.*?)\n## ")
BLOCK = re.compile(r"(?ms)^```console\n(.*?)^```$")
MASKS = (
    (r"\d+ (?:h|min) ago", "now"),
    (r"RQ[0-9a-f]{8,}", "RQ<id>"),
)


def told(text: str) -> str:
    """Without what differs from run to run, and from sandbox to live."""
    text = text.replace("sandbox · .reconciler/sandbox.db", "live · .reconciler/store.db").replace(" --sandbox", "")
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return re.sub(r" +$", "", masked(text), flags=re.MULTILINE)


def shown() -> list[tuple[str, str, str]]:
    """Each command of the session with what it prints and its exit code, as the README has them."""
    (session,) = SESSION.findall((ROOT / "README.md").read_text())
    found = []
    for block in BLOCK.findall(session):
        for part in re.split(r"(?m)^\$ ", block)[1:]:
            command, _, text = part.partition("\n")
            if command == "echo $?":
                found[-1] = (*found[-1][:2], text.strip())
            else:
                found.append((command, text, "0"))
    return found


def fits(wanted: str, printed: str) -> bool:
    """Whether a text is what was printed; a line of three dots stands for lines that are left out."""
    parts = [re.escape(part) for part in told(wanted).split("...\n")]
    return re.fullmatch("(?s:.*?\n)?".join(parts), told(printed)) is not None


def test_the_session_goes_as_the_readme_shows_it(project):
    project.write((ROOT / "examples" / "credentials.yaml").read_text())
    project.right_secrets()
    project.env |= {"RECONCILER_ACTOR": "lea", "COLUMNS": "120"}
    assert project.sandbox("apply", "--yes").code == 0
    project.edit("label: Marketing US ", "label: Marketing US & CA ")
    project.env["TWILIO_AUTH_TOKEN"] = "f" * 32
    played = shown()
    assert [command for command, _, _ in played] == ["reconciler plan", "reconciler apply --yes", "reconciler list"]
    for command, text, code in played:
        done = project.sandbox(*command.split()[1:])
        assert str(done.code) == code
        assert fits(text, done.out), f"{command} prints:\n{done.out}"


def test_another_text_than_the_printed_one_does_not_fit():
    assert fits("a\n...\nd\n", "a\nb\nc\nd\n")
    assert not fits("a\n...\nd\n", "a\nb\nc\n")
    assert not fits("update v1\n", "update v2\n")
