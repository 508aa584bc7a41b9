"""STOU."""

import os
import random
import socket
import threading

import pytest

import codes
import procs
from changes import ODD_NAMES, PATHS_IN_A_CHROOT
from ftpraw import drain, escaped
from rules import check_refused, mode_of
from sessions import Session, close_with_reset

MODES = ["pasv", "epsv", "port", "eprt"]
RANDOM = random.Random(31)


def stou(client, argument="", content=b"content", mode="pasv"):
    """Upload `content`; the name that the server has chosen, which both replies tell."""
    data = getattr(client, mode)()
    opening = client.cmd(b"STOU " + escaped(argument) if argument else b"STOU", 150).text
    with data() as sock:
        sock.sendall(content)
    done = client.reply(226).text
    assert opening.startswith("FILE: ")
    assert done == f"Transfer complete. {opening}"
    return opening.removeprefix("FILE: ")


# Names.

def test_without_argument(alice, home):
    assert [stou(alice, content=b"%d" % number) for number in range(4)] == [
        "stou", "stou.1", "stou.2", "stou.3"]
    assert (home / "stou").read_bytes() == b"0" and (home / "stou.3").read_bytes() == b"3"
    alice.in_step()


@pytest.mark.parametrize("line", ["STOU", "stou", "STOU ", "STOU   "])
def test_forms_without_argument(alice, home, line):
    alice.begin(line).close()
    assert alice.reply(226).text == "Transfer complete. FILE: stou"
    assert home.names() == ["stou"]


@pytest.mark.parametrize("mode", MODES)
def test_with_a_prefix(alice, home, mode):
    for number, name in enumerate(("up", "up.1", "up.2")):
        content = RANDOM.randbytes(100_000 * number)
        assert stou(alice, "up", content, mode) == name
        assert (home / name).read_bytes() == content
    assert home.names() == ["up", "up.1", "up.2"]
    alice.in_step()


def test_first_name_that_is_free(alice, home):
    for name in ("up", "up.1", "up.3"):
        home.file(name, b"taken")
    assert [stou(alice, "up"), stou(alice, "up")] == ["up.2", "up.4"]
    assert (home / "up.3").read_bytes() == b"taken"


@pytest.mark.parametrize("path", ["d/up", "./d/up", "d//up", "/home/alice/d/up", "linkdir/up",
                                  "d/../d/up"])
def test_prefix_with_a_directory(alice, home, path):
    home.dir("d")
    home.link("linkdir", "d")
    assert stou(alice, path, b"one") == path
    assert stou(alice, path, b"two") == f"{path}.1"
    assert (home / "d" / "up").read_bytes() == b"one"
    assert (home / "d" / "up.1").read_bytes() == b"two"
    assert sorted(os.listdir(home / "d")) == ["up", "up.1"]


def test_prefix_in_the_home_directory(alice, home):
    home.dir("d")
    alice.cmd("CWD d", 250)
    stou(alice, "~/up", b"one")
    assert (home / "up").read_bytes() == b"one"


def test_told_name_is_good_for_other_commands(alice, home):
    home.dir("d")
    for prefix in ("", "up", "d/up", "/home/alice/d/up", "two words"):
        for number in range(3):
            name = stou(alice, prefix, b"%d" % number)
            assert alice.retr(name) == b"%d" % number
            alice.cmds((f"RNFR {name}", 350), (f"RNTO {name}x", 250), (f"RNFR {name}x", 350),
                       (f"RNTO {name}", 250))


@pytest.mark.parametrize("name", [name for name in ODD_NAMES if len(name) < 200])
def test_prefix_of_any_name(alice, home, name):
    stou(alice, name, b"one")
    stou(alice, name, b"two")
    raw = os.fsencode(name)
    assert sorted(os.listdir(os.fsencode(home.path))) == sorted([raw, raw + b".1"])
    assert (home / os.fsdecode(raw)).read_bytes() == b"one"


def test_relative_to_the_current_directory(alice, home):
    home.dir("d")
    alice.cmd("CWD d", 250)
    assert stou(alice) == "stou"
    assert home.names() == ["d"] and os.listdir(home / "d") == ["stou"]


@pytest.mark.parametrize("path", PATHS_IN_A_CHROOT)
def test_in_a_chroot(jailed, home, path):
    home.dir("full")
    home.link("up", "../..")
    stou(jailed, path.format("new"), b"one")
    assert (home / "new").read_bytes() == b"one"


# Nothing is overwritten.

def test_whatever_has_the_name_is_left_alone(alice, home):
    home.file("file", b"former", 0o640)
    home.file("readonly", b"former", 0o444)
    home.file("target", b"former")
    home.link("link", "target")
    home.link("dangling", "nowhere")
    home.link("loop", "loop")
    home.dir("dir")
    home.fifo("pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(home / "socket"))
    names = home.names()
    for name in names:
        before = os.lstat(home / name)
        assert stou(alice, name) == f"{name}.1"
        assert (home / f"{name}.1").read_bytes() == b"content"
        after = os.lstat(home / name)
        assert (before.st_ino, before.st_mode, before.st_size, before.st_mtime_ns) == (
            after.st_ino, after.st_mode, after.st_size, after.st_mtime_ns)
    assert home.names() == sorted(names + [f"{name}.1" for name in names])
    server.close()


def test_many_names_are_taken(alice, home):
    """More than are tried one after the other."""
    contents = {}
    for number in range(150):
        contents[stou(alice, "up", b"%d" % number)] = b"%d" % number
    assert len(contents) == 150
    assert home.names() == sorted(contents)
    for name, content in contents.items():
        assert (home / name).read_bytes() == content


def test_many_clients_at_once(ftpd, home):
    daemon = ftpd(max_per_ip="0")
    names = []

    def visit(number):
        with daemon.login("alice") as client:
            for part in range(5):
                content = b"%d.%d" % (number, part)
                names.append((stou(client, "up", content), content))

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(dict(names)) == len(names) == 30
    assert home.names() == sorted(name for name, _ in names)
    for name, content in names:
        assert (home / name).read_bytes() == content


# What the file is like.

@pytest.mark.parametrize("options, mode", [
    ({}, 0o600), ({"local_umask": "022"}, 0o644), ({"local_umask": "0"}, 0o666),
    ({"local_umask": "027", "file_open_mode": "0777"}, 0o750),
])
def test_permissions_and_owner(ftpd, home, options, mode):
    stou(ftpd(**options).login("alice"), "up")
    status = (home / "up").stat()
    assert mode_of(home / "up") == mode
    assert (status.st_uid, status.st_gid) == (home.account.uid, home.account.gid)


@pytest.mark.parametrize("size", [0, 1, 65536, (4 << 20) + 3])
def test_content(alice, home, size):
    content = RANDOM.randbytes(size)
    stou(alice, "up", content)
    assert (home / "up").read_bytes() == content


def test_size_is_right_as_soon_as_226_is_there(alice):
    for number in range(20):
        name = stou(alice, "up", b"x" * number)
        assert alice.cmd(f"SIZE {name}", 213).text == str(number)


def test_is_in_the_log(ftpd, home):
    session = Session(ftpd()).login()
    home.file("up")
    stou(session.client, "up", b"x" * 1234)
    line = (f'[pid {session.parent}] [alice] OK UPLOAD: Client "127.0.0.1", "/home/alice/up.1", '
            "1234 bytes")
    assert procs.wait_for(lambda: line in session.daemon.log), session.daemon.log


# Refusals.

@pytest.mark.parametrize("prefix", ["missing/up", "closed/up", "f/up", "/root/up", "/up", "d/",
                                    "missing/", "n" * 256, "a\x01b", "\x7f", "d/a\x1bb", "loop/up"])
def test_refused(alice, home, prefix):
    home.file("f", b"content")
    home.dir("d")
    home.dir("closed", 0o555)
    home.link("loop", "loop")
    alice.pasv()
    check_refused(alice, home, f"STOU {prefix}", codes.STOR_REFUSED)


@pytest.mark.parametrize("prefix", ["/etc/up", "/home/alice/up", "out/up"])
def test_nothing_outside_a_chroot(jailed, home, prefix):
    home.link("out", "/tmp")
    before = os.listdir("/tmp")
    jailed.pasv()
    check_refused(jailed, home, f"STOU {prefix}", codes.STOR_REFUSED)
    assert os.listdir("/tmp") == before


@pytest.mark.parametrize("mark", ["REST 1", "REST 100", "RANG 0 5", "RANG 5 9"])
@pytest.mark.parametrize("line", ["STOU", "STOU up"])
def test_with_a_restart_mark(alice, home, mark, line):
    alice.pasv()
    alice.cmd(mark, 350)
    check_refused(alice, home, line, codes.STOU_RESTART)
    assert stou(alice, "up") == "up", "the mark is still there"


@pytest.mark.parametrize("mark", ["REST 0", "RANG 1 0"])
def test_mark_that_means_the_whole_file(alice, mark):
    alice.cmd(mark, 350)
    assert stou(alice) == "stou"


@pytest.mark.parametrize("line", ["STOU", "STOU up", "STOU missing/up"])
def test_without_data_connection_is_425_and_makes_nothing(alice, home, line):
    check_refused(alice, home, line, 425)


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_needs_write_enable(ftpd, home, mode):
    client = ftpd(write_enable="NO").login("alice")
    for line in ("STOU", "STOU up"):
        client.refused(line, 550, mode=mode)
        client.in_step()
    assert home.names() == []


def test_is_not_for_anonymous_users(ftpd, home):
    client = ftpd(ftp_username="alice", anon_root=str(home.path)).anonymous()
    client.refused("STOU up", 550)
    client.in_step()
    assert home.names() == []


def test_before_login_is_530(client):
    client.cmds(("STOU", 530), ("STOU up", 530))
    client.in_step()


# What goes wrong later.

def test_nobody_connects(ftpd, home):
    """The name that was told is free again."""
    client = ftpd(accept_timeout="1").login("alice")
    client.pasv_address()
    client.cmd_without_data("STOU up", 425)
    client.in_step()
    assert home.names() == []
    assert stou(client, "up") == "up"


def test_nobody_listens(alice, home):
    listener = alice.listen_data()
    host, port = listener.getsockname()
    listener.close()
    alice.cmd(f"PORT {host.replace('.', ',')},{port // 256},{port % 256}", 200)
    alice.cmd_without_data("STOU up", 425)
    alice.in_step()
    assert home.names() == []


def test_abor_while_the_server_waits(alice, home):
    alice.pasv_address()
    alice.send_line("STOU up")
    alice.cmd_without_data("ABOR", codes.ABOR_WHILE_WAITING)
    alice.reply(226)
    alice.in_step()
    assert home.names() == []


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_abor_in_the_middle(alice, home, mode):
    sock = alice.begin("STOU up", mode)
    sock.sendall(b"x" * 5000)
    alice.send_line("ABOR")
    alice.reply(426)
    alice.reply(226)
    drain(sock)
    assert home.names() == ["up"], "what was uploaded before it stays"
    assert stou(alice, "up", mode=mode) == "up.1"


def test_reset_data_connection_is_no_success(alice):
    sock = alice.begin("STOU up")
    sock.sendall(b"x" * 1000)
    close_with_reset(sock)
    alice.reply(codes.DATA_BROKEN)
    alice.in_step()


def test_full_disk_is_452(alice, disk):
    sock = alice.begin("STOU disk/up")
    try:
        sock.sendall(b"x" * (4 << 20))
    except ConnectionError:
        pass
    alice.reply(452)
    drain(sock)
    alice.in_step()
    assert (disk / "up").stat().st_size == 256 << 10


def test_no_room_for_a_new_name(alice, disk):
    for number in range(9):
        (disk / str(number)).touch()
    alice.refused("STOU disk/up", codes.INODES_FULL)
    alice.in_step()


def test_client_that_vanishes(ftpd, home):
    daemon = ftpd()
    client = daemon.login("alice")
    client.begin("STOU up").sendall(b"x" * 1000)
    client.reset()
    assert not daemon.wait_no_sessions()
