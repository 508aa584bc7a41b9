"""The log: vsftpd's native lines, one for each event, whatever the names hold."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

import procs
from accounts import ALL
from logs import DATE, Line, TRANSFER, lines, wait_lines
from posture import HeldChecks
from sessions import Session

# The options whose effect is shown here.
OPTIONS = ("xferlog_enable", "vsftpd_log_file")

CONTENT = b"x" * 1234
# fail2ban's filter for vsftpd, which sees the lines without their dates.
FAIL2BAN = re.compile(
    r'^ \[pid \d+\] \[[^\]]+\] FAIL LOGIN: Client "(?P<host>[0-9a-f.:]+)"(?:\s*$|,)')


@pytest.fixture
def session(ftpd, home):
    """alice, logged in, not chrooted."""
    return Session(ftpd()).login()


# The events.

def test_connect(ftpd):
    daemon = ftpd()
    session = Session(daemon)
    (line,) = lines(daemon)
    assert (line.event, line.peer, line.ok, line.user, line.rest) == (
        "CONNECT", "127.0.0.1", None, None, None)
    assert int(line.pid) == session.parent


def test_login(session):
    (line,) = lines(session.daemon, "LOGIN")
    assert (line.ok, line.user, line.peer, line.rest) == ("OK", "alice", "127.0.0.1", None)
    assert int(line.pid) == session.parent


def test_anonymous_login(ftpd):
    daemon = ftpd()
    daemon.anonymous()
    (line,) = lines(daemon, "LOGIN")
    assert (line.ok, line.user) == ("OK", "ftp")
    assert line.rest == 'anon password "test@example.com"'


@pytest.mark.parametrize("name", ["alice", "nosuchuser", "root", "locked", "anonymous2"])
def test_failed_login(ftpd, name):
    daemon = ftpd()
    daemon.connect(source="127.0.0.2").cmds((f"USER {name}", 331), ("PASS wrong", 530))
    (line,) = lines(daemon, "LOGIN")
    assert (line.ok, line.user, line.peer) == ("FAIL", name, "127.0.0.2")
    match = FAIL2BAN.match(line.text.removeprefix(line.date))
    assert match and match.group("host") == "127.0.0.2"


def test_failed_login_over_ipv6(ftpd):
    daemon = ftpd(listen="NO", listen_ipv6="YES")
    for host in ("::1", "127.0.0.1"):
        daemon.connect(host).cmds(("USER alice", 331), ("PASS wrong", 530))
    hosts = [FAIL2BAN.match(line.text.removeprefix(line.date)).group("host")
             for line in lines(daemon, "LOGIN")]
    assert hosts == ["::1", "127.0.0.1"]


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_download(session, home, mode):
    home.file("f", CONTENT)
    session.client.retr("f", mode)
    (line,) = wait_lines(session.daemon, "DOWNLOAD")
    assert (line.ok, line.user) == ("OK", "alice")
    match = TRANSFER.fullmatch(line.rest)
    assert (match["path"], match["bytes"]) == ("/home/alice/f", "1234")


def test_download_from_the_middle_counts_what_was_sent(session, home):
    home.file("f", CONTENT)
    session.client.retr("f", rest=1000)
    (line,) = wait_lines(session.daemon, "DOWNLOAD")
    assert TRANSFER.fullmatch(line.rest)["bytes"] == "234"


def test_failed_download(session):
    session.client.refused("RETR missing", 550)
    (line,) = wait_lines(session.daemon, "DOWNLOAD")
    assert line.ok == "FAIL" and line.rest.startswith('"/home/alice/missing"')


def test_download_that_breaks(session, home):
    home.sparse("big", 1 << 30)
    sock = session.client.begin("RETR big")
    sock.recv(1000)
    sock.close()
    session.client.reply(426)
    (line,) = wait_lines(session.daemon, "DOWNLOAD")
    match = TRANSFER.fullmatch(line.rest)
    assert line.ok == "FAIL" and int(match["bytes"]) < 1 << 30


@pytest.mark.parametrize("verb", ["STOR", "APPE"])
def test_upload(session, verb):
    session.client.stor("f", CONTENT, verb=verb)
    (line,) = wait_lines(session.daemon, "UPLOAD")
    match = TRANSFER.fullmatch(line.rest)
    assert (line.ok, match["path"], match["bytes"]) == ("OK", "/home/alice/f", "1234")


def test_failed_upload(session, home):
    home.dir("closed", 0o555)
    session.client.refused("STOR closed/f", 553)
    (line,) = wait_lines(session.daemon, "UPLOAD")
    assert line.ok == "FAIL" and line.rest.startswith('"/home/alice/closed/f"')


def test_upload_that_breaks(session):
    sock = session.client.begin("STOR f")
    sock.sendall(CONTENT)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
    session.client.reply(426)
    (line,) = wait_lines(session.daemon, "UPLOAD")
    assert line.ok == "FAIL"


EVENTS = {
    # what is said, the code if it works, the event, the text behind the client
    "MKDIR": (["MKD new"], 257, '"/home/alice/new"'),
    "RMDIR": (["RMD dir"], 250, '"/home/alice/dir"'),
    "DELETE": (["DELE f"], 250, '"/home/alice/f"'),
    "RENAME": (["RNFR f", "RNTO g"], 250, '"/home/alice/f /home/alice/g"'),
    "CHMOD": (["SITE CHMOD 640 f"], 200, '"/home/alice/f 640"'),
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("works", [True, False], ids=["OK", "FAIL"])
def test_change(ftpd, home, event, works):
    home.file("f", CONTENT)
    home.dir("dir")
    if not works:
        os.chown(home.path, 0, 0)
        os.chown(home / "f", 0, 0)
    try:
        session = Session(ftpd()).login()
        commands, code, text = EVENTS[event]
        for line in commands[:-1]:
            session.client.cmd(line, 350)
        session.client.cmd(commands[-1], code if works else 550)
        (line,) = wait_lines(session.daemon, event)
        assert (line.ok, line.user, line.rest) == ("OK" if works else "FAIL", "alice", text)
        assert int(line.pid) == session.parent
    finally:
        home.own(home.path)


def test_paths_are_absolute_and_those_of_the_session(ftpd, home):
    home.dir("a/b")
    session = Session(ftpd(chroot_local_user="YES")).login()
    session.client.cmds(("CWD a", 250), ("MKD b//c", 257), ("MKD /d", 257))
    first, second = wait_lines(session.daemon, "MKDIR", 2)
    assert (first.rest, second.rest) == ('"/a/b/c"', '"/d"')


def test_what_changes_nothing_is_not_logged(session, home):
    home.file("f", CONTENT)
    before = len(lines(session.daemon))
    client = session.client
    for line in ("PWD", "SIZE f", "MDTM f", "NOOP", "CWD .", "STAT f", "RNFR f", "PASV", "ABOR"):
        client.cmd(line)
    client.list()
    client.nlst()
    client.cmd("QUIT", 221)
    assert not session.daemon.wait_no_sessions()
    assert len(lines(session.daemon)) == before


def test_no_log_without_the_option(ftpd, home):
    daemon = ftpd(xferlog_enable="NO")
    client = daemon.login("alice")
    client.cmd("MKD d", 257)
    assert daemon.log == ""
    assert not daemon.log_path.exists()


def test_log_file_is_for_root_only(ftpd):
    daemon = ftpd()
    status = daemon.log_path.stat()
    assert (status.st_uid, status.st_mode & 0o777) == (0, 0o600)


def test_log_is_appended_to(ftpd):
    first = ftpd()
    first.connect().cmd("QUIT", 221)
    assert not first.stop()
    before = first.log
    second = ftpd(vsftpd_log_file=str(first.log_path))
    second.connect().in_step()
    assert first.log.startswith(before) and len(first.log) > len(before)


# Names.

NAMES = {
    # as it stands in the log
    b"plain": "plain", b"two words": "two words", "ünï€😀".encode(): "ünï€😀",
    b'a"b': r"a\x22b", b'"': r"\x22", b"a\\b": r"a\x5Cb", b"100%": "100%", b"%n%s%x": "%n%s%x",
    b"\xff": r"\xFF", b"a\xff\xfeb": r"a\xFF\xFEb", b"\xc3(": r"\xC3(", b"\x80": r"\x80",
    b"\xc2\x9b2J": r"\xC2\x9B2J", "\u202e".encode(): r"\xE2\x80\xAE",
    b"\xed\xa0\x80": r"\xED\xA0\x80", b"\xc0\xaf": r"\xC0\xAF",
}


def on_the_wire(name):
    return name.replace(b"\xff", b"\xff\xff")


@pytest.mark.parametrize("name", NAMES)
def test_name_in_a_line(session, name):
    session.client.cmd(b"MKD " + on_the_wire(name), 257)
    (line,) = wait_lines(session.daemon, "MKDIR")
    assert line.rest == f'"/home/alice/{NAMES[name]}"'


CONTROL = [b"a\tb", b"\x1b[2J", b"\x01", b"\x7f", b"a\x0bb", b"\x08\x08\x08"]


@pytest.mark.parametrize("name", CONTROL)
@pytest.mark.parametrize("verb", ["RETR", "DELE", "RMD"])
def test_control_characters_in_a_line(session, name, verb):
    events = {"RETR": "DOWNLOAD", "DELE": "DELETE", "RMD": "RMDIR"}
    line = verb.encode() + b" " + name
    if verb == "RETR":
        session.client.refused(line, 550)
    else:
        session.client.cmd(line, 550)
    (line,) = wait_lines(session.daemon, events[verb])
    escaped = "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02X}" for byte in name)
    assert line.rest.startswith(f'"/home/alice/{escaped}"')


@pytest.mark.parametrize("length", [1000, 2000, 4000])
def test_long_name_is_one_line(session, length):
    session.client.cmd("DELE " + "x/" * (length // 2), 550)
    session.client.cmd(b"DELE " + b"\xff\xff" * (length // 2), 550)
    for line in wait_lines(session.daemon, "DELETE", 2):
        assert len(line.text) < 16384


FORGED = [
    'alice] OK LOGIN: Client "192.0.2.1', 'x] FAIL LOGIN: Client "192.0.2.1", "',
    'x] FAIL LOGIN: Client "192.0.2.1"', "x]", "]", "[", "[x]", '"', '", "', "x y", "\\", "\\x41",
    "a\tb", "\x1b[2J", "ünknown", "x" * 128, "%n%s%x", "a]b", "alice ",
]


@pytest.mark.parametrize("name", FORGED)
def test_no_user_name_forges_a_line(ftpd, name):
    """What log readers make of the line is the address of the client, and no other."""
    daemon = ftpd()
    client = daemon.connect(source="127.0.0.2")
    client.cmds((f"USER {name}", 331), ("PASS wrong", 530))
    texts = daemon.log.splitlines()
    assert len(texts) == 2
    for text in texts:
        assert re.findall(r'Client "([^"]*)', text) == ["127.0.0.2"], text
    match = FAIL2BAN.match(re.sub(f"^{DATE}", "", texts[1]))
    assert match and match.group("host") == "127.0.0.2", texts[1]


def test_name_that_is_too_long_is_logged_without(ftpd):
    daemon = ftpd()
    daemon.connect(source="127.0.0.2").cmds(("USER " + "x" * 129, 331), ("PASS wrong", 530))
    (line,) = lines(daemon, "LOGIN")
    assert (line.ok, line.peer) == ("FAIL", "127.0.0.2")


@pytest.mark.parametrize("password", [
    'x"', '", "', 'a" FAIL LOGIN: Client "192.0.2.1"', "\\", "\t", "\x1b[2J", "%s", "é", "p" * 500,
    "a b", "",
])
def test_no_anonymous_password_forges_a_line(ftpd, password):
    daemon = ftpd()
    client = daemon.connect()
    client.login("anonymous", password)
    first, second = lines(daemon)
    assert (first.event, second.event, second.ok, second.user) == ("CONNECT", "LOGIN", "OK", "ftp")
    assert second.rest.startswith('anon password "') and second.rest.endswith('"')
    assert '"' not in second.rest[len('anon password "'):-1]


def test_one_event_is_one_line(session, home):
    """Two hundred events by names of all kinds: two hundred lines."""
    before = len(lines(session.daemon))
    names = [bytes([value]) * 3 for value in range(1, 256) if value not in b"\r\n/~"]
    for name in names:
        session.client.cmd(b"DELE " + on_the_wire(name), 550)
    wait_lines(session.daemon, "DELETE", len(names))
    assert len(lines(session.daemon)) == before + len(names)


def test_many_sessions_write_whole_lines(ftpd, home):
    daemon = ftpd(max_per_ip="0")
    crew = [daemon.login("alice") for _ in range(20)]
    for number in range(50):
        for client in crew:
            client.send_line(f"DELE {'x' * number}")
    for client in crew:
        for _ in range(50):
            client.reply(550, 501)
    wait_lines(daemon, "DELETE", 20 * 49)


# Passwords.

def test_no_password_is_logged(ftpd, home):
    daemon = ftpd()
    wrong = "tell-nobody-" + "83c1"
    client = daemon.connect()
    client.cmds(("USER alice", 331), (f"PASS {wrong}", 530), (f"PASS {wrong}", 503),
                (f"PAS {wrong}", 500), (f"PASSWORD {wrong}", 500), ("USER nosuchuser", 331),
                (f"PASS {wrong}", 530))
    client.login("alice", ALL["alice"].password)
    client.cmd(f"PASS {wrong}", 230)
    client.cmd("QUIT", 221)
    other = daemon.connect()
    other.cmd("USER alice", 331)
    other.send(f"PASS {wrong}")
    other.close()
    assert not daemon.wait_no_sessions()
    for text in (daemon.log, daemon.stderr):
        assert wrong not in text and ALL["alice"].password not in text


def test_no_password_of_a_check_that_is_killed_is_logged(ftpd):
    daemon = ftpd()
    with HeldChecks(daemon):
        session = Session(daemon)
        session.check()
        os.kill(session.child, signal.SIGKILL)
        assert not daemon.wait_no_sessions()
    assert ALL["alice"].password not in daemon.log + daemon.stderr


# A log that cannot be written.

@pytest.fixture
def tiny():
    """A directory with room for one page."""
    path = Path("/run/tiny")
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=755", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)
    path.rmdir()


def test_full_disk_does_not_stop_the_service(ftpd, home, tiny):
    home.file("f", CONTENT)
    path = tiny / "log"
    daemon = ftpd(vsftpd_log_file=str(path))
    session = Session(daemon).login()
    for number in range(200):
        session.client.cmd(f"DELE missing{number}", 550)
    assert procs.wait_for(lambda: path.stat().st_size > 3800)
    assert session.client.retr("f") == CONTENT
    session.client.stor("g", CONTENT)
    daemon.login("bob").in_step()
    daemon.anonymous().in_step()
    daemon.connect().cmds(("USER alice", 331), ("PASS wrong", 530))
    assert path.stat().st_size <= 4096


def test_lines_after_a_full_disk_are_whole_again(ftpd, home, tiny):
    """The session says how many lines are lost, and no new line is glued to half an old one."""
    path = tiny / "log"
    daemon = ftpd(vsftpd_log_file=str(path))
    session = Session(daemon).login()
    for number in range(200):
        session.client.cmd(f"DELE missing{number}", 550)
    assert procs.wait_for(lambda: path.stat().st_size > 3800)
    session.client.cmd("EPSV", 229)  # the parent answers in order: it has read every record by then
    subprocess.run(["mount", "-o", "remount,size=64k", tiny], check=True)
    session.client.cmd("MKD after", 257)
    assert procs.wait_for(lambda: "MKDIR" in path.read_text())
    texts = path.read_text().splitlines()
    assert Line(texts[-1]).event == "MKDIR"
    assert re.fullmatch(rf"{DATE} \[pid {session.parent}\] WARNING: \d+ lines .*", texts[-2])


@pytest.mark.parametrize("reader", [True, False])
def test_pipe_as_a_log_does_not_stop_the_service(ftpd, home, tmp_path, reader):
    """A reader that does not read, or that has gone."""
    path = tmp_path / "log"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    daemon = ftpd(vsftpd_log_file=str(path))
    session = Session(daemon).login()
    if not reader:
        os.close(pipe)
    for number in range(2000):
        session.client.send_line(f"DELE missing{number}")
        session.client.reply(550)
    daemon.login("bob").in_step()
    session.client.in_step()
    if reader:
        os.close(pipe)
