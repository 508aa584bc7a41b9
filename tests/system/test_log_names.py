"""Names in the log: UTF-8 as it is, control characters as \\xHH, whatever wc_logs_enable says."""

import os

import pytest

import procs

OPTIONS = ("wc_logs_enable",)

NAMES = {"utf-8": ("grün €".encode(), 'grün €"'), "control": (b"a\x1b[2Jb", r'a\x1B[2Jb"'),
         "no-utf-8": (b"a\xfeb", r'a\xFEb"')}


@pytest.mark.parametrize("setting", [None, "YES", "NO"])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_logged_the_same_with_and_without(ftpd, home, name, setting):
    raw, logged = NAMES[name]
    home.file(raw, b"content")
    daemon = ftpd(wc_logs_enable=setting)
    daemon.login("alice").retr(os.fsdecode(raw))
    assert procs.wait_for(lambda: f"/home/alice/{logged}, 7 bytes" in daemon.log), daemon.log
