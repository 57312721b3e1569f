"""A signal while the program is still being loaded, when nothing is open yet."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from reconciler import cli

CODE = """
import os, sys
wanted, number, *sys.argv[1:] = sys.argv[1:]
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), int(number))
sys.meta_path.insert(0, Finder())
from reconciler.__main__ import main
main()
"""
"""The program, with the signal in the moment when a certain module is looked for."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stopped(project, module: str, number: int, *, ignored: bool = False) -> subprocess.CompletedProcess[str]:
    project.right_secrets()
    disposition = signal.SIG_IGN if ignored else signal.SIG_DFL
    return subprocess.run(
        [sys.executable, "-c", CODE, module, str(int(number)), "plan", "--sandbox"], cwd=project.path, env=project.env,
        preexec_fn=lambda: signal.signal(number, disposition), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("module", ["reconciler.cli", "click"])
def test_before_the_command_is_known_it_dies_by_the_signal_as_any_program_does(project, module, number):
    done = stopped(project, module, number)
    assert (done.returncode, done.stdout, done.stderr) == (-number, "", "")


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("module", ["reconciler.cli.manifest", "reconciler.app.planning", "yaml"])
def test_while_the_command_is_loaded_it_is_interrupted(project, module, number):
    done = stopped(project, module, number)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "Interrupted.")


@pytest.mark.parametrize("module", ["reconciler.cli", "reconciler.cli.manifest"])
@pytest.mark.parametrize("number", SIGNALS)
def test_one_that_is_ignored_stays_so(project, module, number):
    """As of a job in the background, or under ``nohup``."""
    done = stopped(project, module, number, ignored=True)
    assert done.returncode == 0, done.stderr
    assert "Plan: " in done.stdout


class Panic(BaseException):
    """As a compiled module raises it whose loading was interrupted."""


def interrupted_in_a_class(*_):
    class Named:
        def __set_name__(self, owner, name):
            raise KeyboardInterrupt

    class Owner:
        attribute = Named()


def panicked(*_):
    raise Panic("called `Result::unwrap()` on an `Err` value: PyErr { type: <class 'KeyboardInterrupt'>, value: () }")


@pytest.mark.parametrize("loading", [interrupted_in_a_class, panicked])
def test_an_interrupt_that_a_library_made_into_an_error_is_one_still(monkeypatch, capsys, loading):
    monkeypatch.setattr(cli, "import_module", loading)
    assert cli.run(["plan"]) == 130
    assert capsys.readouterr() == ("", "Interrupted.\n")


def test_an_error_that_no_program_foresees_is_a_bug_all_the_same(monkeypatch, capsys):
    def broken(*_):
        raise Panic("index out of bounds")

    monkeypatch.setattr(cli, "import_module", broken)
    assert cli.run(["plan"]) == 70
    assert "error[bug]" in capsys.readouterr().err
