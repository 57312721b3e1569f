"""``file://path``: regular files inside the folder of secrets, and nothing else."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from reconciler.errors import SecretUnavailable
from reconciler.resolvers import file as module
from reconciler.resolvers.base import Surroundings
from reconciler.resolvers.file import LARGEST, FileResolver

VALUE = "s3cr3t-f00ba4"


@pytest.fixture
def root(tmp_path):
    """The folder of secrets, with another secret just outside of it."""
    folder = tmp_path / "secrets"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "token").write_text(VALUE + "\n")
    (folder / "deep" / "er" / "token").write_text(VALUE)
    (tmp_path / "outside").write_text("0uts1de-" + VALUE)
    return folder


def descriptors():
    """How many are open, where the system tells."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def resolve(root, path):
    before = descriptors()
    try:
        return FileResolver().resolve(path, Surroundings({}, root)).reveal()
    finally:
        assert descriptors() == before, "a descriptor was left open"


def refused(root, path):
    with pytest.raises(SecretUnavailable) as caught:
        resolve(root, path)
    said = f"{caught.value!r} {caught.value}"
    assert VALUE not in said
    assert "root:" not in said
    return caught.value.code.name, caught.value.detail


def test_a_file_gives_its_value(root, monkeypatch):
    assert resolve(root, "token") == VALUE
    assert resolve(root, "deep/er/token") == VALUE
    monkeypatch.chdir(root.parent)
    assert resolve(Path("secrets"), "token") == VALUE


def test_the_folder_itself_may_be_a_link(root):
    (root.parent / "link").symlink_to(root)
    assert resolve(root.parent / "link", "token") == VALUE


def test_mounted_kubernetes_secrets_are_links_that_stay_inside(root):
    (root / "..2026_11_23").mkdir()
    (root / "..2026_11_23" / "api-key").write_text(VALUE)
    (root / "..data").symlink_to("..2026_11_23")
    (root / "api-key").symlink_to("..data/api-key")
    assert resolve(root, "api-key") == VALUE
    assert resolve(root, "..data/api-key") == VALUE


def test_links_that_end_inside_are_followed(root):
    (root / "deep" / "up").symlink_to("../token")
    (root / "round").symlink_to("deep/er/../../token")
    (root / "whole").symlink_to(root / "token")
    (root / "deep" / "whole").symlink_to(root / "token")
    (root / "folder").symlink_to("deep")
    for path in ("deep/up", "round", "whole", "deep/whole", "folder/er/token"):
        assert resolve(root, path) == VALUE


OUT = "a link leads out of the folder of secrets (--secrets-dir)"


@pytest.mark.parametrize(
    "target", ["../outside", "/etc/passwd", "deep/../../outside", "/proc/self/environ", "/dev/zero"]
)
def test_attack_39_a_link_that_leads_out_is_refused(root, target):
    (root / "link").symlink_to(target)
    assert refused(root, "link") == ("secret-missing", OUT)


def test_attack_39_nor_is_a_linked_folder_followed_out(root):
    (root / "way").symlink_to("..")
    (root / "far").symlink_to("/")
    (root / "next").symlink_to(str(root) + "-other/token")
    (root.parent / "secrets-other").mkdir()
    (root.parent / "secrets-other" / "token").write_text(VALUE)
    for path in ("way/outside", "far/etc/passwd", "way/secrets/token", "next"):
        assert refused(root, path) == ("secret-missing", OUT)


@pytest.mark.parametrize(
    "path",
    ["../outside", "/etc/passwd", "deep/../../outside", "..", ".", "", "deep//er/token", "deep/", "./token",
     "%2e%2e/outside", "..%2foutside", "token\x00", "deep\\er"],
)  # fmt: skip
def test_attack_39_paths_that_could_leave_are_refused_before_anything_is_opened(root, path, monkeypatch):
    monkeypatch.setattr(module, "_open", None)
    assert refused(root, path)[0] == "secret-missing"


def test_attack_39_links_in_a_ring_end(root):
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    assert refused(root, "a") == ("secret-missing", "too many links")


def test_attack_39_a_link_put_in_place_after_the_look_is_not_followed(root, monkeypatch):
    real = module._link

    def late(name, folder):
        found = real(name, folder)
        if name == "token":
            (root / "token").unlink()
            (root / "token").symlink_to("../outside")
        return found

    monkeypatch.setattr(module, "_link", late)
    assert refused(root, "token")[0] == "secret-missing"


def test_attack_39_a_pipe_is_refused_without_waiting(root):
    os.mkfifo(root / "pipe")
    done = []
    thread = threading.Thread(target=lambda: done.append(refused(root, "pipe")), daemon=True)
    thread.start()
    thread.join(5)
    assert done == [("secret-missing", "it is not a regular file")]


def test_attack_40_what_is_no_regular_file_is_refused(root, monkeypatch):
    assert refused(root, "deep") == ("secret-missing", "it is not a regular file")
    (root / "here").symlink_to("deep/..")
    assert refused(root, "here") == ("secret-missing", "it is a folder")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert refused(root, "socket")[0] == "secret-missing"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="Linux only")
def test_attack_40_nothing_of_proc_or_dev_is_read_even_where_that_is_the_folder():
    assert refused(Path("/dev"), "zero") == ("secret-missing", "it is not a regular file")
    assert refused(Path("/proc"), "self/environ")[0] in ("secret-missing", "secret-malformed")


def test_a_file_that_is_too_large_is_refused(root):
    (root / "large").write_bytes(b"x" * (LARGEST + 1))
    assert refused(root, "large") == ("secret-malformed", "the file is larger than 64 KiB")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "secret-missing"),
        (b"\n", "secret-missing"),
        (VALUE.encode() + b"\xff", "secret-malformed"),
        (VALUE.encode() + b"\n\n", "secret-malformed"),
        (VALUE.encode() + b"\nsecond", "secret-malformed"),
        ((VALUE + "é").encode(), "secret-malformed"),
        (b"\xef\xbb\xbf" + VALUE.encode(), "secret-malformed"),
        (b"x" * 4097, "secret-malformed"),
    ],
)
def test_what_cannot_be_a_secret_is_told_without_it(root, data, code):
    (root / "odd").write_bytes(data)
    assert refused(root, "odd")[0] == code


def test_a_file_that_is_not_there_is_told_with_the_folder(root):
    assert refused(root, "nowhere") == ("secret-missing", f"in {root}: no such file or directory")
    assert refused(root, "token/x") == ("secret-missing", f"in {root}: not a directory")
    assert refused(root / "gone", "token")[0] == "secret-missing"
