"""COMB."""

import os
import random
import socket
import subprocess

import pytest

import codes
import procs
from changes import ODD_NAMES, PATHS_IN_A_CHROOT
from converted import BOTH_WAYS
from ftpraw import escaped
from rules import ArgumentRule, WriteRule, check_refused, mode_of, snapshot
from sessions import Session

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
RANDOM = random.Random(43)
LARGE = [RANDOM.randbytes(size) for size in (4 * MIB, 4 * MIB + 1, 9 * MIB, 1)]


def quoted(name):
    """A word of the argument in quotes, which any name can be."""
    return b'"' + escaped(name).replace(b'"', b'""') + b'"'


@pytest.fixture
def things(home):
    home.file("one", b"1")
    home.file("two", b"22")
    home.file("three", b"333")
    home.file("two words", b"4444")
    home.file("old", b"former ", 0o640)
    home.dir("d")
    home.file("d/part", b"55555")
    return home


class TestRules(ArgumentRule, WriteRule):
    verbs = ["COMB"]
    lines = ["COMB target one two", "COMB old three", "COMB old d/part"]


# What it does.

def test_parts_become_one_file(alice, things):
    assert alice.cmd("COMB target one two three", 250).text == "Combined."
    alice.in_step()
    assert (things / "target").read_bytes() == b"122333"
    assert things.names() == ["d", "old", "target", "two words"]
    assert alice.retr("target") == b"122333"


def test_existing_file_grows(alice, things):
    inode = (things / "old").stat().st_ino
    alice.cmd("COMB old three one", 250)
    assert (things / "old").read_bytes() == b"former 3331"
    assert (things / "old").stat().st_ino == inode
    assert mode_of(things / "old") == 0o640
    assert things.names() == ["d", "old", "two", "two words"]


def test_in_steps(alice, things):
    alice.cmds(("COMB target one", 250), ("COMB target two", 250), ("comb target three old", 250))
    assert (things / "target").read_bytes() == b"122333former "
    assert things.names() == ["d", "target", "two words"]


@pytest.mark.parametrize("options, mode", [({}, 0o600), ({"local_umask": "022"}, 0o644),
                                           ({"local_umask": "0", "file_open_mode": "0777"}, 0o777)])
def test_new_file_is_as_an_upload(ftpd, things, options, mode):
    ftpd(**options).login("alice").cmd("COMB target one two", 250)
    status = (things / "target").stat()
    assert (status.st_uid, status.st_gid) == (things.account.uid, things.account.gid)
    assert mode_of(things / "target") == mode


@pytest.mark.parametrize("contents", [[b""], [b"", b""], [b"x", b"", b"y"], [b"", b"x"], LARGE,
                                      [b"%d" % number for number in range(100)]],
                         ids=["empty", "empties", "middle", "first", "large", "many"])
@pytest.mark.parametrize("former", [None, b"", b"former"], ids=["new", "empty", "former"])
def test_content(alice, home, contents, former):
    if former is not None:
        home.file("target", former)
    for number, content in enumerate(contents):
        home.file(f"part{number}", content)
    parts = " ".join(f"part{number}" for number in range(len(contents)))
    alice.cmd(f"COMB target {parts}", 250)
    alice.in_step()
    assert home.names() == ["target"]
    assert (home / "target").read_bytes() == (former or b"") + b"".join(contents)


def test_parts_of_an_upload_over_several_connections(ftpd, home):
    daemon = ftpd()
    for number, content in enumerate(LARGE):
        daemon.login("alice").stor(f"part {number}", content)
    client = daemon.login("alice")
    parts = " ".join(f'"part {number}"' for number in range(len(LARGE)))
    client.cmd(f"COMB whole {parts}", 250)
    assert client.retr("whole") == b"".join(LARGE)
    assert home.names() == ["whole"]


# Words.

@pytest.mark.parametrize("line", [
    'COMB target one "two words" two', 'COMB "target" "one" "two words" "two"',
    'COMB  target   one  "two words"  two ', 'comb target one "two words" "two"',
])
def test_forms(alice, things, line):
    alice.cmd(line, 250)
    assert (things / "target").read_bytes() == b"1444422"


@pytest.mark.parametrize("name", ODD_NAMES + [b"a\xffb", "~"])
def test_part_and_target_of_any_name(alice, home, name):
    home.file("first", b"1")
    home.file(name, b"2")
    alice.cmd(b"COMB target first " + quoted(name), 250)
    assert home.names() == ["target"]
    alice.cmd(b"COMB " + quoted(name) + b" target", 250)
    assert home.names() == [os.fsdecode(name)]
    assert (home / os.fsdecode(name)).read_bytes() == b"12"


@pytest.mark.parametrize("target, part", [
    ("d/target", "d/part"), ("./d/target", "./d/part"), ("/home/alice/d/target", "linkdir/part"),
    ("~/d/target", "~/d/part"), ('"~/d/target"', '"~/d/part"'), ("d//target", "d/../d/part"),
])
def test_paths(alice, things, target, part):
    things.link("linkdir", "d")
    alice.cmd(f"COMB {target} {part} one", 250)
    assert (things / "d" / "target").read_bytes() == b"555551"
    assert os.listdir(things / "d") == ["target"]


@pytest.mark.parametrize("path", PATHS_IN_A_CHROOT)
def test_in_a_chroot(jailed, things, path):
    things.dir("full")
    things.link("up", "../..")
    jailed.cmd(f"COMB {path.format('target')} {path.format('one')} two", 250)
    assert (things / "target").read_bytes() == b"122"


def test_link_to_the_target_is_followed(alice, things):
    things.link("link", "old")
    alice.cmd("COMB link one", 250)
    assert (things / "old").read_bytes() == b"former 1"
    assert os.readlink(things / "link") == "old"


@pytest.mark.parametrize("argument", ["target", "target ", '"target"', '"target', 'target "one',
                                      'target one "two', '"target one', 'target "one"two',
                                      'target one"two" "', '"target"one two'])
def test_no_list_of_words_is_501(alice, things, argument):
    check_refused(alice, things, f"COMB {argument}", 501)


# Refusals: nothing has been written, and every part is there.

BAD_PARTS = ["missing", "missing/x", "dir", "dir/", ".", "..", "/", "pipe", "socket", "unreadable",
             "dangling", "loop", "one/x", "closed/f", '""', "*", "/root/x", "/dev/zero",
             "/proc/version", "n" * 300]


@pytest.mark.parametrize("part", BAD_PARTS)
def test_bad_part_is_550(alice, things, part):
    things.dir("dir")
    things.fifo("pipe")
    things.file("unreadable", b"x", 0o000)
    things.link("dangling", "nowhere")
    things.link("loop", "loop")
    things.dir("closed")
    things.file("closed/f")
    (things / "closed").chmod(0o000)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(things / "socket"))
    os.chmod(things / "socket", 0o666)
    for parts in (part, f"{part} one", f"one {part}", f"one {part} two"):
        for target in ("new", "old"):
            check_refused(alice, things, f"COMB {target} {parts}", 550)
    server.close()


@pytest.mark.parametrize("part", ["old", "./old", "/home/alice/old", "~/old", '"old"', "link",
                                  "hardlink", "d/../old"])
def test_target_as_a_part_of_itself_is_550(alice, things, part):
    things.link("link", "old")
    os.link(things / "old", things / "hardlink")
    for parts in (part, f"one {part}", f"{part} one"):
        check_refused(alice, things, f"COMB old {parts}", 550)


def test_target_that_does_not_exist_is_no_part(alice, things):
    check_refused(alice, things, "COMB new new", 550)
    check_refused(alice, things, "COMB new one new", 550)


@pytest.mark.parametrize("target", ["dir", "dir/", ".", "/", "missing/f", "closed/f", "one/x",
                                    "readonly", "pipe", "loop", "/root/f", "/etc/f", "n" * 256,
                                    "a\x01b", "\x7f", '""'])
def test_bad_target_is_553(alice, things, target):
    things.dir("dir")
    things.dir("closed", 0o555)
    things.file("readonly", b"content", 0o444)
    things.fifo("pipe")
    things.link("loop", "loop")
    check_refused(alice, things, f"COMB {target} one two", codes.STOR_REFUSED)


@pytest.mark.parametrize("line, code", [
    ("COMB new /etc/passwd", 550), ("COMB new out", 550), ("COMB new one outdir/passwd", 550),
    ("COMB /home/alice/new one", 553), ("COMB outdir/new one", 553), ("COMB out one", 553),
])
def test_nothing_outside_a_chroot(jailed, things, line, code):
    things.link("out", "/etc/hostname.x")
    things.link("outdir", "/etc")
    check_refused(jailed, things, line, code)


def test_same_part_twice_is_not_lost(alice, things):
    """It is in the target twice, and there is nothing to be removed the second time."""
    alice.cmd("COMB target one one", 250)
    alice.in_step()
    assert (things / "target").read_bytes() == b"11"


# Parts that stay.

@pytest.mark.parametrize("parts", ["one kept/part two", "kept/part one two", "one two kept/part"])
def test_part_that_cannot_be_removed(alice, things, parts):
    things.dir("kept")
    things.file("kept/part", b"kept")
    (things / "kept").chmod(0o555)
    expected = b"".join((things / part).read_bytes() for part in parts.split())
    assert "kept/part" in alice.cmd(f"COMB old {parts}", 250).text
    alice.in_step()
    assert (things / "old").read_bytes() == b"former " + expected
    assert (things / "kept" / "part").read_bytes() == b"kept"
    assert not (things / "one").exists() and not (things / "two").exists()


def test_only_the_first_that_stays_is_named(alice, things):
    things.dir("kept")
    for name in ("a", "b"):
        things.file(f"kept/{name}", b"kept")
    (things / "kept").chmod(0o555)
    text = alice.cmd("COMB target one kept/b two kept/a three", 250).text
    assert "kept/b" in text and "kept/a" not in text
    alice.in_step()
    assert (things / "target").read_bytes() == b"1kept22kept333"
    assert things.names() == ["d", "kept", "old", "target", "two words"]


# A disk that gets full: the target is as before, and every part is there.

def contents_of(tree):
    """The content of all files in a tree; their times may have changed."""
    return {name: status[-1] for name, status in snapshot(tree.path).items()}


def remount(disk, size):
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


@pytest.mark.parametrize("target", ["disk/new", "disk/old"])
@pytest.mark.parametrize("parts", ["big", "small big", "big small", "small half half2 small2"])
def test_full_disk_is_452(alice, home, disk, target, parts):
    contents = {"big": RANDOM.randbytes(300 * KIB), "small": b"1", "small2": b"2",
                "half": RANDOM.randbytes(128 * KIB), "half2": RANDOM.randbytes(129 * KIB)}
    for name in parts.split():
        home.file(name, contents[name])
    home.file("disk/old", b"former")
    before = contents_of(home)
    alice.cmd(f"COMB {target} {parts}", 452)
    alice.in_step()
    assert contents_of(home) == before
    remount(disk, "1m")
    alice.cmd(f"COMB {target} {parts}", 250)
    whole = b"".join(contents[name] for name in parts.split())
    assert (home / target).read_bytes() == (b"former" if "old" in target else b"") + whole
    assert home.names() == ["disk"]


def test_full_disk_that_holds_the_parts_too(alice, home, disk):
    """There is no room for both, and nothing is lost."""
    home.file("disk/a", RANDOM.randbytes(100 * KIB))
    home.file("disk/b", RANDOM.randbytes(100 * KIB))
    before = contents_of(home)
    alice.cmd("COMB disk/c disk/a disk/b", 452)
    alice.in_step()
    assert contents_of(home) == before


def test_no_room_for_a_new_name(alice, things, disk):
    for number in range(9):
        (disk / str(number)).touch()
    check_refused(alice, things, "COMB disk/target one two", codes.INODES_FULL)


# What takes long.

@pytest.fixture
def endless(home, disk):
    """A part that is larger than the disk for the target, which takes a while to fill."""
    remount(disk, "3g")
    home.sparse("endless", 64 * GIB)
    home.file("one", b"1")
    home.file("disk/old", b"former")
    return disk


def lengths(tree):
    """The sizes of the files in a tree, whose content would be too much."""
    return {str(path.relative_to(tree.path)): path.stat().st_size
            for path in tree.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("target", ["new", "old"])
@pytest.mark.parametrize("parts", ["one endless", "endless one"])
def test_abor_in_the_middle(alice, home, endless, target, parts):
    before = lengths(home)
    size = before.get(f"disk/{target}", 0)
    path = endless / target
    alice.send_line(f"COMB disk/{target} {parts}")
    assert procs.wait_for(lambda: path.exists() and path.stat().st_size > size + 1)
    alice.cmds(("NOOP", 200), ("STAT", 211))
    alice.send_line("ABOR")
    alice.reply(426)
    alice.reply(226)
    alice.in_step()
    assert lengths(home) == before
    assert (endless / "old").read_bytes() == b"former"


def test_abor_in_the_same_segment(alice, home, endless):
    before = lengths(home)
    alice.send("COMB disk/new endless\r\nPWD\r\nABOR\r\n")
    for code in (426, 257, 226):
        alice.reply(code)
    alice.in_step()
    assert lengths(home) == before


def test_full_disk_after_a_while(alice, home, endless):
    remount(endless, "200m")
    before = lengths(home)
    alice.cmd("COMB disk/old endless", 452)
    alice.in_step()
    assert lengths(home) == before
    assert (endless / "old").read_bytes() == b"former"


def test_client_that_vanishes(ftpd, home, endless):
    before = lengths(home)
    daemon = ftpd()
    client = daemon.login("alice")
    client.send_line("COMB disk/new endless")
    assert procs.wait_for((endless / "new").exists)
    client.reset()
    assert not daemon.wait_no_sessions()
    assert lengths(home) == before


def test_part_that_shrinks_meanwhile(alice, home, endless):
    alice.send_line("COMB disk/old one endless")
    assert procs.wait_for(lambda: (endless / "old").stat().st_size > 10)
    os.truncate(home / "endless", 0)
    alice.reply(451)
    alice.in_step()
    assert lengths(home) == {"disk/old": 6, "one": 1, "endless": 0}
    assert (endless / "old").read_bytes() == b"former"


# The log.

def log_lines(session, count):
    """The last `count` lines of the log from "OK" or "FAIL" on, as soon as they are there."""
    first = f"[pid {session.parent}] [alice] "

    def found():
        lines = [line.partition(first)[2] for line in session.daemon.log.splitlines()
                 if first in line and " LOGIN" not in line]
        return lines if len(lines) >= count else None

    lines = procs.wait_for(found)
    assert lines and len(lines) == count, session.daemon.log
    return lines


def test_log_of_success(ftpd, things):
    session = Session(ftpd()).login()
    session.client.cmd('COMB old three "two words"', 250)
    upload, *removed = log_lines(session, 3)
    assert upload.startswith('OK UPLOAD: Client "127.0.0.1", "/home/alice/old", 7 bytes, ')
    assert removed == ['OK DELETE: Client "127.0.0.1", "/home/alice/three"',
                       'OK DELETE: Client "127.0.0.1", "/home/alice/two words"']


def test_log_of_a_part_that_stays(ftpd, things):
    things.dir("kept")
    things.file("kept/part", b"kept")
    (things / "kept").chmod(0o555)
    session = Session(ftpd()).login()
    session.client.cmd("COMB new kept/part one", 250)
    assert [line.partition(" bytes")[0] for line in log_lines(session, 3)] == [
        'OK UPLOAD: Client "127.0.0.1", "/home/alice/new", 5',
        'FAIL DELETE: Client "127.0.0.1", "/home/alice/kept/part"',
        'OK DELETE: Client "127.0.0.1", "/home/alice/one"']


def test_log_of_failure(ftpd, home, disk):
    home.file("big", bytes(300 * KIB))
    session = Session(ftpd()).login()
    session.client.cmd("COMB disk/new big", 452)
    (line,) = log_lines(session, 1)
    assert line.startswith('FAIL UPLOAD: Client "127.0.0.1", "/home/alice/disk/new"')


# Beside other commands.

def test_data_connection_and_marks_are_kept(alice, things):
    data = alice.pasv()
    alice.cmds(("REST 2", 350), ("COMB target one two three", 250), ("RETR target", 150))
    assert data().recv(100) == b"2333"
    alice.reply(226)


def test_type_and_mode_do_not_matter(ftpd, home):
    home.file("a", b"one\r\n")
    home.file("b", b"two\n")
    client = ftpd(mode_z_enable="YES", **BOTH_WAYS).login("alice")
    client.cmds(("TYPE A", 200), ("MODE Z", 200), ("COMB target a b", 250))
    assert (home / "target").read_bytes() == b"one\r\ntwo\n"


def test_feat(alice, ftpd):
    assert " COMB" in alice.cmd("FEAT", 211).lines
    client = ftpd(listen_port="2121", write_enable="NO").login("alice")
    assert " COMB" not in client.cmd("FEAT", 211).lines
