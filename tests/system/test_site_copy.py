"""SITE CPFR with SITE CPTO, and SITE COPY, which is both in one line."""

import os
import random

import pytest

import codes
import procs
from changes import ODD_NAMES
from ftpraw import escaped
from rules import ArgumentRule, WriteRule, check_refused, mode_of, snapshot

VERBS = {"SITE COPY", "SITE CPFR", "SITE CPTO"}

MIB = 1 << 20
RANDOM = random.Random(47)


@pytest.fixture
def things(home):
    home.file("f", b"content", 0o640)
    home.file("script", b"#!/bin/sh\n", 0o755)
    home.file("two words", b"words")
    home.file("other", b"former")
    home.dir("d/e")
    home.dir("closed", 0o555)
    home.link("link", "f")
    home.link("dangling", "nowhere")
    home.fifo("pipe")
    return home


def copy(client, source, target, *codes_of_end):
    """By both lines."""
    client.cmd(b"SITE CPFR " + escaped(source), 350)
    return client.cmd(b"SITE CPTO " + escaped(target), *codes_of_end)


def quoted(name):
    """A word in quotes, which any name can be."""
    return b'"' + escaped(name).replace(b'"', b'""') + b'"'


class TestRules(ArgumentRule, WriteRule):
    verbs = ["SITE COPY", "SITE COPY f", "SITE CPFR", "SITE CPTO"]
    lines = ["SITE COPY f new", "SITE CPFR f", "SITE CPTO new2"]


@pytest.mark.parametrize("content", [b"", b"x", RANDOM.randbytes(4 * MIB),
                                     RANDOM.randbytes(9 * MIB + 1)], ids=len)
def test_content(alice, home, content):
    source = home.file("f", content)
    copy(alice, b"f", b"new", 250)
    alice.cmd("SITE COPY new again", 200)
    alice.in_step()
    assert source.read_bytes() == (home / "new").read_bytes() == content
    assert (home / "again").read_bytes() == content
    assert (home / "new").stat().st_uid == home.account.uid


@pytest.mark.parametrize("name, mode", [("f", 0o640), ("script", 0o755)])
def test_mode_is_that_of_the_file_less_umask(ftpd, things, name, mode):
    client = ftpd(local_umask="027").login("alice")
    client.cmd(f"SITE COPY {name} new", 200)
    assert mode_of(things / "new") == mode & ~0o027


def test_set_id_bits_are_not_copied(alice, things):
    (things / "script").chmod(0o6755)
    alice.cmd("SITE COPY script new", 200)
    assert mode_of(things / "new") & 0o7000 == 0


@pytest.mark.parametrize("name", ODD_NAMES + [b"a\xffb"])
def test_any_name(alice, home, name):
    home.file(name, b"content")
    home.dir("d2")
    home.dir("d3")
    copy(alice, os.fsencode(name), b"new", 250)
    copy(alice, b"new", b"d2/" + os.fsencode(name), 250)
    alice.cmd(b"SITE COPY new " + quoted(b"d3/" + os.fsencode(name)), 200)
    for other in (b"d2/", b"d3/"):
        with open(os.path.join(os.fsencode(home.path), other + os.fsencode(name)), "rb") as file:
            assert file.read() == b"content"


@pytest.mark.parametrize("line", [
    'SITE COPY "two words" new', 'SITE COPY "two words" "new"', 'site copy  "two words"  new ',
])
def test_words_and_quotes(alice, things, line):
    alice.cmd(line, 200)
    assert (things / "new").read_bytes() == b"words"


def test_home_directory_in_the_names(alice, things):
    alice.cmds(("CWD d", 250), ("SITE COPY ~/f ~/new", 200), ("SITE CPFR ~/f", 350),
               ("SITE CPTO ~/d/new", 250))
    assert (things / "new").read_bytes() == (things / "d" / "new").read_bytes() == b"content"


def test_link_is_followed(alice, things):
    alice.cmd("SITE COPY link new", 200)
    assert not (things / "new").is_symlink() and (things / "new").read_bytes() == b"content"


@pytest.mark.parametrize("argument", ["f new x", '"f new', 'f "new', '"f"new', '"" new', 'f ""'])
def test_other_than_two_words_is_501(alice, things, argument):
    check_refused(alice, things, f"SITE COPY {argument}", 501)


@pytest.mark.parametrize("name", ["missing", "d", "d/", ".", "/", "dangling", "pipe", "missing/x",
                                  "f/x", "/dev/null", "/etc/shadow", "/proc/self/maps"])
def test_what_cannot_be_read_is_550(alice, things, name):
    check_refused(alice, things, f"SITE COPY {name} new", 550)
    check_refused(alice, things, f"SITE CPFR {name}", 550)
    check_refused(alice, things, "SITE CPTO new", 503)


@pytest.mark.parametrize("name", ["f", "other", "d", "link", "dangling", "pipe", "closed/new",
                                  "missing/new", "f/new", "/etc/new", "n" * 256, "\x01", "new/"])
def test_where_nothing_new_can_be_is_553(alice, things, name):
    """What exists is never overwritten, nor is a link followed to make a file."""
    check_refused(alice, things, f"SITE COPY script {name}", codes.NAME_REFUSED)
    alice.cmd("SITE CPFR script", 350)
    check_refused(alice, things, f"SITE CPTO {name}", codes.NAME_REFUSED)


def test_cpto_without_cpfr_is_503(alice, things):
    check_refused(alice, things, "SITE CPTO new", 503)


@pytest.mark.parametrize("end", ["SITE CPTO new", "SITE CPTO other", "SITE CPTO missing/new",
                                 "SITE CPFR missing"])
def test_cpfr_is_for_one_cpto(alice, things, end):
    alice.cmd("SITE CPFR f", 350)
    alice.cmd(end)
    before = snapshot(things.path)
    alice.cmd("SITE CPTO another", 503)
    assert snapshot(things.path) == before


def test_last_cpfr_counts(alice, things):
    alice.cmds(("SITE CPFR f", 350), ("SITE CPFR other", 350), ("NOOP", 200), ("PWD", 257),
               ("SITE CPTO new", 250))
    assert (things / "new").read_bytes() == b"former"


def test_rename_and_copy_do_not_mix(alice, things):
    alice.cmds(("RNFR f", 350), ("SITE CPTO new", 503), ("SITE CPFR f", 350), ("RNTO new", 503))
    assert "new" not in things.names()


def test_file_that_vanished_after_cpfr(alice, things):
    alice.cmd("SITE CPFR f", 350)
    (things / "f").unlink()
    alice.cmd("SITE CPTO new", 550)
    assert "new" not in things.names()


def test_nothing_outside_a_chroot(jailed, things):
    jailed.cmds(("SITE COPY /etc/passwd new", 550), ("SITE CPFR ../../etc/passwd", 550),
                ("SITE COPY f /new", 200), ("SITE COPY f ../../new2", 200))
    assert {"new", "new2"} <= set(things.names())


def test_abor_leaves_nothing(alice, things):
    things.sparse("endless", 1 << 40)
    alice.send_line("SITE COPY endless new")
    alice.cmds(("NOOP", 200), ("STAT", codes.STAT_IN_TRANSFER))
    alice.send_line("ABOR")
    alice.reply(426)
    alice.reply(226)
    alice.in_step()
    assert "new" not in things.names()


def test_full_disk_leaves_nothing(alice, home, disk):
    home.file("large", RANDOM.randbytes(MIB))
    alice.cmd("SITE COPY large disk/new", 452)
    assert os.listdir(disk) == []
    alice.cmds(("SITE CPFR large", 350), ("SITE CPTO disk/new", 452))
    assert os.listdir(disk) == []
    alice.in_step()


def test_log(ftpd, things):
    daemon = ftpd()
    client = daemon.login("alice")
    client.cmds(("SITE COPY f new", 200), ("SITE COPY f new", codes.NAME_REFUSED))
    for line in ('OK UPLOAD: Client "127.0.0.1", "/home/alice/new", 7 bytes',
                 'FAIL UPLOAD: Client "127.0.0.1", "/home/alice/new"'):
        assert procs.wait_for(lambda: line in daemon.log), line
