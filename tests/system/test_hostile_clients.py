"""Clients and strangers that mean harm, or behave as if: the others live on, mostly they, too."""

import os
import shutil
import socket
import stat
import time
from pathlib import Path

import pytest

import codes
import procs
from accounts import ALL
from ftpraw import DEADLINE_SEC, Closed, port_command, receive, receive_all, receive_exactly
from posture import HeldChecks
from sessions import (Session, connect_slow, crowd, flood, gone, readable, small_send_buffers)

STRANGER = "127.0.0.2"
CONTENT = bytes(range(256)) * 400


@pytest.fixture
def crowded():
    """/home/crowd, a directory whose listing fills every buffer on its way."""
    crowd("/home/crowd")
    with small_send_buffers():
        yield
    shutil.rmtree("/home/crowd")


def send_slowly(client, text):
    """Send every byte in a packet of its own."""
    for byte in text:
        client.send(bytes([byte]))


# Control connections.

def test_client_of_single_bytes(ftpd, home):
    home.file("f", CONTENT)
    client = ftpd().connect()
    send_slowly(client, b"USER alice\r\nPASS secret-alice\r\nSIZE f\r\nPWD\r\nQUIT\r\n")
    for code in (331, 230, 213, 257, 221):
        client.reply(code)
    client.wait_closed()


@pytest.mark.parametrize("logged_in", [False, True])
def test_line_that_never_ends_is_idle(ftpd, logged_in):
    """Bytes are no commands: who sends one now and then does not stay for ever."""
    daemon = ftpd(idle_session_timeout="1")
    session = Session(daemon)
    if logged_in:
        session.login()
    pids, client = session.pids, session.client
    end = time.monotonic() + DEADLINE_SEC
    while not readable([client.sock], 0.05):
        assert time.monotonic() < end, "still there"
        client.send("x")
    client.reply(421)
    assert not gone(pids)


def test_thousand_commands_before_the_first_reply_is_read(alice):
    alice.send("NOOP\r\n" * 999 + "PWD\r\n")
    for _ in range(999):
        alice.reply(200)
    alice.reply(257)
    alice.in_step()


@pytest.mark.parametrize("logged_in", [False, True])
def test_client_that_never_reads_is_ended(ftpd, logged_in):
    daemon = ftpd(idle_session_timeout="1")
    session = Session(daemon)
    if logged_in:
        session.login()
    pids = session.pids
    flood(session.client.sock, b"HELP\r\n" * 10000, 64 << 20)
    assert not gone(pids, 10)


def test_flood_of_urgent_data(alice, home):
    home.file("f", CONTENT)
    for _ in range(5000):
        alice.send_urgent(b"\xff\xf4\xff\xf2")
    alice.send("\r\n")
    alice.in_step()
    assert alice.retr("f") == CONTENT


def test_flood_of_urgent_data_during_a_transfer(alice, home):
    home.sparse("big", 64 << 20)
    sock = alice.begin("RETR big")
    got = len(receive_exactly(sock, 100000))
    for _ in range(2000):
        alice.send_urgent(b"\xff\xf4\xff\xf2")
    assert got + len(receive_exactly(sock, 1 << 30)) == 64 << 20
    alice.reply(226)
    alice.send("\r\n")
    alice.in_step()


@pytest.mark.parametrize("verb", ["RETR", "STOR"])
def test_half_closed_connection_during_a_transfer(alice, home, verb):
    home.sparse("big", 64 << 20)
    sock = alice.begin(f"{verb} big")
    if verb == "RETR":
        got = len(receive_exactly(sock, 100000))
        alice.sock.shutdown(socket.SHUT_WR)
        assert got + len(receive_exactly(sock, 1 << 30)) == 64 << 20
    else:
        sock.sendall(CONTENT)
        alice.sock.shutdown(socket.SHUT_WR)
        sock.sendall(CONTENT)
        sock.close()
    alice.reply(226)
    alice.wait_closed()
    assert (home / "big").stat().st_size == (64 << 20 if verb == "RETR" else 2 * len(CONTENT))


def test_commands_during_a_transfer_are_taken_with_measure(alice, home):
    """Who sends commands without end while a transfer runs is not read without end."""
    home.sparse("big", 1 << 30)
    sock = connect_slow(alice, alice.pasv_address())
    alice.cmd("RETR big", 150)
    flood(alice.sock, b"PWD\r\n" * 10000, 64 << 20)
    sock.close()
    alice.reply(codes.DATA_BROKEN)


# Data connections.

def test_data_connection_that_never_reads(ftpd, home, crowded):
    home.sparse("big", 1 << 30)
    home.file("f", CONTENT)
    daemon = ftpd(data_connection_timeout="1")
    for command in ("RETR big", "LIST /home/crowd", "NLST /home/crowd"):
        client = daemon.login("alice")
        sock = connect_slow(client, client.pasv_address())
        client.cmd(command, 150)
        client.reply(codes.DATA_BROKEN)
        client.in_step()
        assert client.retr("f") == CONTENT
        sock.close()


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
def test_data_connection_that_never_sends(ftpd, home, verb):
    client = ftpd(data_connection_timeout="1").login("alice")
    with client.begin(f"{verb} new") as sock:
        sock.sendall(CONTENT)
        client.reply(codes.DATA_BROKEN)
    client.in_step()
    assert (home / "new").read_bytes() == CONTENT


@pytest.mark.parametrize("verb", ["RETR f", "STOR new", "LIST", "NLST"])
def test_data_connection_that_never_comes(ftpd, home, verb):
    home.file("f", CONTENT)
    client = ftpd(accept_timeout="1").login("alice")
    client.cmds(("PASV", 227), (verb, 150))
    client.reply(425)
    client.in_step()
    assert client.retr("f") == CONTENT
    assert home.names() == ["f"]


def test_data_port_that_refuses(alice, home):
    home.file("f", CONTENT)
    with alice.listen_data() as listener:
        command = port_command(listener.getsockname())
    for verb in ("RETR f", "STOR new", "LIST"):
        alice.cmd(command, 200)
        reply = alice.cmd(verb, 150, 425)
        if reply.code == 150:
            alice.reply(425)
        alice.in_step()
    assert home.names() == ["f"]


def full_listener():
    """A listening socket with a full queue, so that no connection gets through; and its guests."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    guests = []
    while True:
        guest = socket.socket()
        guest.settimeout(0.2)
        guests.append(guest)
        try:
            guest.connect(listener.getsockname())
        except TimeoutError:
            return listener, guests


@pytest.mark.parametrize("verb", ["RETR f", "STOR new", "LIST"])
def test_data_port_that_does_not_answer(ftpd, home, verb):
    home.file("f", CONTENT)
    client = ftpd(connect_timeout="1").login("alice")
    listener, guests = full_listener()
    client.cmds((port_command(listener.getsockname()), 200), (verb, 425))
    client.in_step()
    assert client.retr("f") == CONTENT
    assert home.names() == ["f"]
    for sock in (listener, *guests):
        sock.close()


def test_client_may_give_up_waiting_for_its_data_port(alice, home):
    home.file("f", CONTENT)
    listener, guests = full_listener()
    alice.cmd(port_command(listener.getsockname()), 200)
    alice.send_line("RETR f")
    alice.send_line("ABOR")
    alice.reply(codes.ABOR_WHILE_WAITING)
    alice.reply(226)
    alice.in_step()
    assert alice.retr("f") == CONTENT
    for sock in (listener, *guests):
        sock.close()


def knock(address, count):
    """Connections of a stranger, made without waiting for them."""
    socks = []
    for _ in range(count):
        sock = socket.socket()
        sock.bind((STRANGER, 0))
        sock.setblocking(False)
        sock.connect_ex(address)
        socks.append(sock)
    return socks


def heard_nothing(sock):
    """True if nothing was sent to a stranger so far, whether or not it is still connected."""
    try:
        return sock.recv(1 << 16) == b""
    except (ConnectionError, BlockingIOError):
        return True


@pytest.mark.parametrize("verb", ["RETR", "STOR"])
def test_stranger_is_first_two_hundred_times(alice, home, verb):
    home.file("f", CONTENT)
    for _ in range(200):
        address = alice.pasv_address()
        (stranger,) = knock(address, 1)
        sock = alice.connect_data(address)
        alice.cmd(f"{verb} f", 150)
        if verb == "RETR":
            assert receive_all(sock) == CONTENT
        else:
            sock.sendall(CONTENT)
            sock.close()
        alice.reply(226)
        assert heard_nothing(stranger)
        stranger.close()
    assert (home / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("count", [10, 200, 1000])
@pytest.mark.parametrize("when", ["before the client", "before the command"])
def test_flood_of_strangers(alice, home, count, when):
    """However many come first, and stay: the client gets its file, and they nothing."""
    home.file("f", CONTENT)
    address = alice.pasv_address()
    if when == "before the client":
        strangers = knock(address, count)
        sock = alice.connect_data(address)
    else:
        sock = alice.connect_data(address)
        strangers = knock(address, count)
    alice.cmd("RETR f", 150)
    assert receive_all(sock) == CONTENT
    alice.reply(226)
    alice.in_step()
    for stranger in strangers:
        stranger.close()
    assert alice.retr("f") == CONTENT


def test_strangers_while_the_client_is_awaited(alice, home):
    home.file("f", CONTENT)
    address = alice.pasv_address()
    alice.cmd("RETR f", 150)
    strangers = [knock(address, 1)[0] for _ in range(200)]
    sock = alice.connect_data(address)
    assert receive_all(sock) == CONTENT
    alice.reply(226)
    assert all(heard_nothing(stranger) for stranger in strangers)
    for stranger in strangers:
        stranger.close()


def test_strangers_are_in_the_log(ftpd, home):
    daemon = ftpd()
    client = daemon.login("alice")
    address = client.pasv_address()
    (stranger,) = knock(address, 1)
    client.connect_data(address)
    client.cmd("LIST", 150)
    client.reply(226)
    stranger.close()

    def lines():
        return [line for line in daemon.log.splitlines() if "WARNING" in line and STRANGER in line]

    assert procs.wait_for(lines)


# Timeouts.

@pytest.mark.parametrize("phase", ["greeting", "user", "idle", "pasv"])
def test_idle_client_is_told_and_ended(ftpd, home, phase):
    session = Session(ftpd(idle_session_timeout="1"))
    getattr(session, phase)()
    pids = session.pids
    session.client.reply(421)
    session.client.wait_closed()
    assert not gone(pids)


def test_client_in_a_transfer_is_not_idle(ftpd, home):
    home.sparse("big", 8 << 20)
    client = ftpd(idle_session_timeout="1").login("alice")
    sock = connect_slow(client, client.pasv_address())
    client.cmd("RETR big", 150)
    got = len(receive_exactly(sock, 100000))
    assert not readable([client.sock], 1.5)
    assert got + len(receive_exactly(sock, 1 << 30)) == 8 << 20
    client.reply(226)
    client.in_step()


# Floods of logins.

def test_twenty_password_checks_do_not_hold_up_others(ftpd, home):
    home.file("f", CONTENT)
    daemon = ftpd(max_per_ip="0")
    client = daemon.login("alice")
    with HeldChecks(daemon) as held:
        crew = [Session(daemon) for _ in range(20)]
        for session in crew:
            session.client.cmd("USER bob", 331)
            session.client.send_line("PASS wrong")
        assert procs.wait_for(lambda: len(daemon.verifiers()) == len(crew))
        client.in_step()
        assert client.retr("f") == CONTENT
        daemon.anonymous().in_step()
        assert not readable([session.client.sock for session in crew])
        held.release()
        for session in crew:
            session.client.reply(530)
    daemon.login("bob").in_step()


def test_flood_of_wrong_passwords_does_not_starve_a_session(ftpd, home):
    """Hashes as costly as in real life, checked for twenty clients as fast as they ask."""
    home.file("f", CONTENT)
    daemon = ftpd(max_per_ip="0", max_login_fails="1000")
    client = daemon.login("alice")
    crew = [daemon.connect() for _ in range(20)]
    for attacker in crew:
        attacker.send("USER erin\r\nPASS wrong\r\n" * 3)
    answered = 0
    while answered < 20 * 6:
        client.send_line("NOOP")
        client.reply(200, seconds=5)
        assert client.retr("f") == CONTENT
        for sock in readable([attacker.sock for attacker in crew]):
            answered += receive(sock).count(b"\r\n")


def test_as_many_checks_at_once_as_processors(ftpd):
    """Who has one slot for each processor has them all; the checks wait and none is lost."""
    daemon = ftpd(max_per_ip="0")
    with HeldChecks(daemon, os.sysconf("SC_NPROCESSORS_ONLN")) as held:
        crew = [Session(daemon) for _ in range(10)]
        for session in crew:
            session.client.send("USER erin\r\nPASS secret-erin\r\n")
            session.client.reply(331)
        assert procs.wait_for(lambda: len(daemon.verifiers()) == len(crew))
        assert not readable([session.client.sock for session in crew], 0.2)
        held.release()
        for session in crew:
            session.client.reply(230)


# Links out of the root.

CANARY = "outside"
LINKS = {
    "absolute": "/home/secret", "relative": "../secret", "far": "../../../../../../home/secret",
    "through": "sub/../../secret", "proc": "/proc/self/root/home/secret",
    "thread": "/proc/thread-self/root/home/secret", "cwd": "/proc/self/cwd/../secret",
    "fd": "/proc/self/fd/0", "root": "/", "up": "..", "self": "self", "ping": "pong",
    "pong": "ping", "chain": "relative", "long": "/" + "../" * 1000 + "home/secret",
    "dot": "./../secret", "dev": "/dev/shm", "etc": "/etc",
}


@pytest.fixture
def secret():
    """What no chrooted user may touch, writable for everyone who gets there."""
    top = Path("/home/secret")
    top.mkdir()
    top.chmod(0o777)
    canary = top / "canary"
    canary.write_text(CANARY)
    canary.chmod(0o666)
    (top / "dir").mkdir()
    (top / "dir").chmod(0o777)

    def snapshot():
        return sorted((str(path), path.lstat().st_mode, path.lstat().st_size, path.lstat().st_mtime)
                      for path in (top, *top.rglob("*")))

    before = snapshot()
    yield top
    after = snapshot()
    for name in ("canary", "dir"):
        path = top / name
        if path.is_dir():
            path.rmdir()
        elif path.exists():
            assert path.read_text() == CANARY
            path.unlink()
    assert before == after
    top.rmdir()


@pytest.fixture
def farm(home, secret):
    """Links of every kind in alice's home."""
    home.dir("sub")
    for name, target in LINKS.items():
        home.link(name, target)
        home.link(f"sub/{name}", target)
    return home


def farm_paths():
    for name in LINKS:
        for prefix in ("", "sub/", "/", "/sub/../", "sub/../sub/"):
            yield f"{prefix}{name}"


def test_links_out_of_the_root_lead_nowhere(jailed, farm):
    for path in farm_paths():
        for rest in ("/canary", "/home/secret/canary", "/secret/canary"):
            for verb in ("SIZE", "MDTM", "DELE", "RNFR", "SITE CHMOD 644", "STAT"):
                jailed.cmd(f"{verb} {path}{rest}", 550, codes.STAT_MISSING)
            jailed.refused(f"RETR {path}{rest}", 550)
            jailed.refused(f"LIST {path}{rest}", 550)
        for rest in ("/new", "/home/secret/new", "/secret/new"):
            if path.endswith(("root", "up", "/root", "/up")) and rest == "/new":
                continue
            jailed.refused(f"STOR {path}{rest}", codes.STOR_REFUSED)
            jailed.refused(f"APPE {path}{rest}", codes.STOR_REFUSED)
            jailed.cmd(f"MKD {path}{rest}", 550)
            jailed.cmd(f"RMD {path}/dir", 550)
    jailed.in_step()


def test_links_out_of_the_root_lead_into_it(jailed, farm):
    """A link to / or above leads to the root of the session."""
    farm.file("inside", CONTENT)
    for name in ("root", "up"):
        jailed.cmds((f"CWD {name}", 250))
        assert jailed.cmd("PWD", 257).quoted() == "/"
        assert "inside" in jailed.nlst()
        assert jailed.retr(f"/{name}/inside") == CONTENT
        jailed.cmd("CWD /", 250)


def test_directories_behind_links_are_not_entered(jailed, farm):
    for path in farm_paths():
        if path.endswith(("root", "up")):
            continue
        for verb in ("CWD", "RMD"):
            jailed.cmd(f"{verb} {path}/dir", 550)
        jailed.cmd(f"CWD {path}", 550)
        assert jailed.cmd("PWD", 257).quoted() == "/"
        jailed.refused(f"LIST {path}/", 550)
        jailed.refused(f"NLST {path}/", 550)


def test_writing_through_a_link_stays_inside(jailed, farm):
    """A link whose target is outside is as if that did not exist."""
    for name in ("relative", "absolute", "proc", "chain"):
        jailed.refused(f"STOR {name}", codes.STOR_REFUSED)
        jailed.cmd(f"MKD {name}", codes.MKD_EXISTS)


def test_renaming_over_a_link_replaces_the_link(jailed, farm):
    farm.file("f", CONTENT)
    jailed.cmds(("RNFR f", 350), ("RNTO relative", 250))
    assert not (farm / "relative").is_symlink()
    assert (farm / "relative").read_bytes() == CONTENT


def test_deleting_a_link_leaves_its_target(jailed, farm):
    for name in ("relative", "absolute", "proc", "root", "up", "self"):
        jailed.cmd(f"DELE {name}", 250)
        jailed.cmd(f"RMD sub/{name}", 550)


def test_the_farm_works_without_a_chroot(alice, farm, secret):
    """What the tests above rely on: without a chroot the same paths reach the canary."""
    assert alice.retr("relative/canary") == CANARY.encode()
    assert alice.retr("absolute/canary") == CANARY.encode()
    assert alice.retr("root/home/secret/canary") == CANARY.encode()


# Things that are no files.

def make_socket(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen(1)
    return sock


SPECIAL = {
    "fifo": lambda path: os.mkfifo(path),
    "null": lambda path: os.mknod(path, stat.S_IFCHR, os.makedev(1, 3)),
    "zero": lambda path: os.mknod(path, stat.S_IFCHR, os.makedev(1, 5)),
    "full": lambda path: os.mknod(path, stat.S_IFCHR, os.makedev(1, 7)),
    "tty": lambda path: os.mknod(path, stat.S_IFCHR, os.makedev(5, 0)),
    "missing device": lambda path: os.mknod(path, stat.S_IFCHR, os.makedev(250, 250)),
    "block device": lambda path: os.mknod(path, stat.S_IFBLK, os.makedev(250, 250)),
    "socket": make_socket,
    "directory": os.mkdir,
}


@pytest.fixture(params=SPECIAL)
def special(home, request):
    """One thing that is no file, open for everybody."""
    path = home / "thing"
    kept = SPECIAL[request.param](path)
    home.own(path)
    path.chmod(0o777)
    before = path.stat()
    yield path
    after = path.stat()
    assert (before.st_ino, before.st_mode, before.st_mtime) == (after.st_ino, after.st_mode,
                                                                after.st_mtime)
    if kept:
        kept.close()


@pytest.mark.parametrize("chroot", ["YES", "NO"])
def test_what_is_no_file_is_refused_at_once(ftpd, special, chroot):
    client = ftpd(chroot_local_user=chroot).login("alice")
    for verb in ("RETR", "STOR", "APPE"):
        for rest in (None, 5):
            client.refused(f"{verb} thing", 550, 553, rest=rest)
            client.in_step()
    for verb in ("SIZE", "MDTM"):
        client.cmd(f"{verb} thing", 550)
    client.in_step()


@pytest.mark.parametrize("end", [os.O_RDONLY, os.O_RDWR])
def test_fifo_with_a_partner_is_refused_and_gets_nothing(alice, home, end):
    path = home.fifo("thing")
    partner = os.open(path, end | os.O_NONBLOCK)
    if end == os.O_RDWR:
        os.write(partner, b"from the partner")
    for verb in ("RETR", "STOR", "APPE"):
        alice.refused(f"{verb} thing", 550, 553)
    waiting = os.read(partner, 100)
    assert waiting == (b"from the partner" if end == os.O_RDWR else b"")
    os.close(partner)
    alice.in_step()


def test_special_things_are_listed(alice, home):
    for name, make in SPECIAL.items():
        kept = make(home / name)
        home.own(home / name)
        if kept:
            kept.close()
    assert sorted(alice.names()) == sorted(SPECIAL)
    letters = {line[0] for line in alice.list()}
    assert letters == {"p", "c", "b", "s", "d"}


# Names.

NAMES = [
    b'"', b'a"b', b'""', b" lead", b"trail ", b"two  blanks", b" ", b"%n%s%x", b"100%", b"%",
    b"-l", b"--", b"-rf", b"~", b"~root", b"*", b"?", b"[a]", b"[", b"{a,b}", b"$(id)", b";", b"|",
    b"&", b"\\", b"a\\b", b"'", b"...", b"\xff", b"\xff\xfe", b"\x80", b"a\xffb", b"x" * 255,
    b"\xff" * 255, "é".encode() * 127, "ünï€😀".encode(), b"NOOP", b"226 done", b"a -> b",
]


def doubled(name):
    """As it is sent on the control connection."""
    return name.replace(b"\xff", b"\xff\xff")


def quoted_path(reply):
    """The path of a 257 reply as bytes."""
    return os.fsencode(reply.quoted()).replace(b"\xff\xff", b"\xff")


@pytest.fixture
def named(home):
    """A function that makes a file of any name, beside one that must stay."""
    home.file("canary", b"canary")

    def make(name):
        return home.file(name, CONTENT)

    yield make
    assert (home / "canary").read_bytes() == b"canary"


@pytest.mark.parametrize("name", NAMES)
def test_odd_name_of_a_file(alice, home, named, name):
    named(name)
    text = os.fsdecode(name)
    assert sorted(alice.nlst("-a")) == sorted([text, "canary"])
    assert sorted(entry for entry in alice.names("-a") if entry not in (".", "..")) == sorted(
        [text, "canary"])
    assert alice.retr(doubled(name)) == CONTENT
    alice.cmd(b"SIZE " + doubled(name), 213)
    alice.cmds((b"RNFR " + doubled(name), 350), ("RNTO renamed", 250))
    assert home.names() == ["canary", "renamed"]
    alice.cmds(("RNFR renamed", 350), (b"RNTO " + doubled(name), 250))
    alice.cmd(b"DELE " + doubled(name), 250)
    assert home.names() == ["canary"]
    alice.stor(doubled(name), CONTENT)
    assert sorted(os.listdir(os.fsencode(home.path))) == sorted([name, b"canary"])
    alice.in_step()


@pytest.mark.parametrize("name", NAMES)
def test_odd_name_of_a_directory(jailed, home, name):
    assert quoted_path(jailed.cmd(b"MKD " + doubled(name), 257)) == b"/" + name
    jailed.cmd(b"CWD /" + doubled(name), 250)
    assert quoted_path(jailed.cmd("PWD", 257)) == b"/" + name
    jailed.stor("f", CONTENT)
    assert jailed.nlst() == ["f"]
    jailed.cmds(("CDUP", 250), (b"DELE /" + doubled(name) + b"/f", 250),
                (b"RMD /" + doubled(name), 250))
    assert home.names() == []
    jailed.in_step()


CONTROL_NAMES = [b"a\nb", b"\n", b"a\r\nb", b"226 done\r\n", b"\r", b"\x1b[2J", b"\x01", b"\x7f",
                 b"x\n-rw-r--r-- 1 root root 0 Jan  1 00:00 forged", b"tab\there"]


@pytest.mark.parametrize("name", CONTROL_NAMES)
def test_control_characters_in_a_name_on_disk(alice, home, named, name):
    """One entry is one line, whatever its name; and no reply is broken into two."""
    named(name)
    listed = alice.list()
    assert len(listed) == 2
    assert len(alice.nlst()) == 2
    directory = home.path / os.fsdecode(b"d" + name)
    directory.mkdir()
    home.own(directory)
    assert len(alice.list()) == 3
    assert len(alice.nlst()) == 3
    assert len(alice.cmd("STAT .", codes.STAT_DIRECTORY).lines) >= 5
    alice.in_step()


@pytest.mark.parametrize("name", [b"\x1b[2J", b"\x01", b"\x7f", b"tab\there"])
def test_names_with_control_characters_are_not_made(alice, home, name):
    alice.cmd(b"MKD " + name, 550, 553)
    alice.refused(b"STOR " + name, 553)
    home.file("f", b"")
    alice.cmds(("RNFR f", 350), (b"RNTO " + name, (550, 553)))
    assert home.names() == ["f"]


@pytest.mark.parametrize("verb", ["RETR", "STOR", "MKD", "CWD", "DELE", "RMD", "SIZE", "RNFR",
                                  "LIST", "NLST"])
def test_name_of_256_bytes(alice, home, verb):
    if verb in ("RETR", "STOR", "LIST", "NLST"):
        alice.refused(f"{verb} " + "x" * 256, 550, 553)
    else:
        alice.cmd(f"{verb} " + "x" * 256, 550, 553)
    alice.in_step()


def test_deep_path(alice, home):
    """As deep as PWD can show, and no deeper without a clear answer."""
    depth = 0
    while depth < 40 and alice.cmd("MKD " + "d" * 200).code == 257:
        if alice.cmd("CWD " + "d" * 200, 250, 550).code != 250:
            break
        depth += 1
        path = alice.cmd("PWD").quoted()
        assert path == "/home/alice" + ("/" + "d" * 200) * depth
    assert depth >= 15
    alice.in_step()
    assert alice.cmd("CDUP", 250)
    alice.in_step()


def test_end_of_the_server_is_no_hang(ftpd, home):
    """A client that waits for a reply hears of the end of its session."""
    session = Session(ftpd()).login()
    os.kill(session.child, 9)
    with pytest.raises(Closed):
        session.client.reply()
    assert ALL["alice"].uid != 0
