"""miniftpd --who: which sessions there are and what they do; whatever a session writes there."""

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

import posture
import procs
from accounts import ALL
from ftpd import PROGRAM
from ftpraw import receive_exactly
from posture import HeldChecks
from sessions import Session
from whos import BOARD, ERROR, FINE, USAGE, mappings, names, row_of, rows_of, run_who, table_of

OPTIONS = ("scoreboard_dir",)

PAGE = os.sysconf("SC_PAGESIZE")
BIG = 1 << 30
HEADINGS = "USER ACCESS ADDRESS PID SINCE IDLE BYTES DONE RATE COMMAND".split()
NOBODY_YET = {"user": None, "access": None, "command": None}
NO_TRANSFER = {"file": None, "bytes": None, "offset": None, "size": None, "percent": None,
               "rate": None}


@pytest.fixture(autouse=True)
def clean():
    """No table is left from one test to the next."""
    shutil.rmtree(BOARD, ignore_errors=True)
    yield
    shutil.rmtree(BOARD, ignore_errors=True)


def has(row, facts):
    """True if all the facts are in the row."""
    return {name: row[name] for name in facts} == facts


def wait_row(daemon, session, condition, seconds=5):
    """The row of a session once it satisfies the condition."""
    def found():
        row = row_of(daemon, session)
        return row if condition(row) else None

    row = procs.wait_for(found, seconds)
    assert row, row_of(daemon, session)
    return row


def in_table():
    """True once a daemon has entered the table, and so has it for its sessions."""
    return procs.wait_for(lambda: BOARD.exists() and names())


# Who is there.

def test_without_sessions(ftpd):
    daemon = ftpd()
    assert in_table()
    assert table_of(daemon) == ["no sessions"]
    assert run_who("--json", daemon.conf_path).stdout == "[]\n"
    assert rows_of(daemon) == []


def test_a_session_before_login(ftpd):
    daemon = ftpd()
    session = Session(daemon, source="127.0.0.2")
    row = wait_row(daemon, session, lambda row: row["command"] is None)
    assert has(row, {**NOBODY_YET, **NO_TRANSFER, "address": "127.0.0.2", "pid": session.parent,
                     "listener": daemon.pid})
    since = time.strptime(row["since"], "%Y-%m-%dT%H:%M:%SZ")
    assert abs(time.mktime(time.gmtime()) - time.mktime(since)) < 30


@pytest.mark.parametrize("name, options, user, access", [
    ("alice", {}, "alice", "local"),
    ("ftp", {}, "ftp", "anonymous"),
    ("alice", {"guest_enable": "YES", "guest_username": "bob"}, "alice", "guest"),
])
def test_who_has_logged_in(ftpd, home, name, options, user, access):
    daemon = ftpd(**options)
    session = Session(daemon).login(name)
    row = wait_row(daemon, session, lambda row: row["command"] is None)
    assert has(row, {"user": user, "access": access, **NO_TRANSFER})


def test_over_ipv6(ftpd):
    daemon = ftpd(listen="NO", listen_ipv6="YES")
    sessions = [Session(daemon, "fd00::1", "fd00::2"), Session(daemon)]
    assert [row_of(daemon, session)["address"] for session in sessions] == ["fd00::2", "127.0.0.1"]


def test_sessions_stand_in_the_order_of_their_age(ftpd, home):
    daemon = ftpd()
    sessions = [Session(daemon) for _ in range(5)]
    assert [row["pid"] for row in rows_of(daemon)] == [session.parent for session in sessions]


def test_those_who_leave_are_gone(ftpd, home):
    daemon = ftpd()
    sessions = [Session(daemon).login() for _ in range(3)]
    sessions[1].client.cmd("QUIT", 221)
    sessions[2].leave(reset=True)
    left = [sessions[0].parent]
    assert procs.wait_for(lambda: [row["pid"] for row in rows_of(daemon)] == left)
    # a process that is gone is not shown, also before the listener has removed its file
    files = sorted([str(sessions[0].parent), f"listener.{daemon.pid}"])
    assert procs.wait_for(lambda: names() == files), names()


def test_idle_seconds_count_from_the_last_command(ftpd, home):
    daemon = ftpd()
    session = Session(daemon).login()
    wait_row(daemon, session, lambda row: row["idle"] >= 1)
    session.client.cmd("NOOP", 200)
    wait_row(daemon, session, lambda row: row["idle"] == 0)


# What they do.

def test_command_of_a_transfer_that_waits_for_its_connection(ftpd, home):
    home.file("f")
    daemon = ftpd()
    session = Session(daemon).login()
    session.client.pasv_address()
    session.client.cmd("RETR f", 150)
    row = wait_row(daemon, session, lambda row: row["command"] is not None)
    assert has(row, {"command": "RETR f", "idle": 0, **NO_TRANSFER})


def test_download(ftpd, home):
    home.sparse("big", BIG)
    daemon = ftpd()
    session = Session(daemon)
    session.retr()
    row = wait_row(daemon, session, lambda row: row["rate"] is not None)
    assert has(row, {"command": "RETR /home/alice/big", "file": "/home/alice/big", "size": BIG,
                     "offset": 0, "percent": 100 * row["bytes"] // BIG, "idle": 0})
    assert 100000 <= row["bytes"] < BIG
    assert row["rate"] > 0
    more = row["bytes"] + 10000000
    receive_exactly(session.data, more)
    assert row_of(daemon, session)["bytes"] >= more


def test_download_from_an_offset(ftpd, home):
    home.sparse("big", BIG)
    daemon = ftpd()
    session = Session(daemon).login()
    session.data = session.client.begin("RETR big", rest=BIG // 2)
    receive_exactly(session.data, 100000)
    row = row_of(daemon, session)
    assert has(row, {"offset": BIG // 2, "size": BIG, "percent": 50})
    assert row["bytes"] < BIG // 2


def test_file_with_converted_lines_has_no_size(ftpd, home):
    home.file("big", b"\n" * 10000000)
    daemon = ftpd(ascii_download_enable="YES")
    session = Session(daemon).login()
    session.client.cmd("TYPE A", 200)
    session.data = session.client.begin("RETR big")
    receive_exactly(session.data, 1000)
    assert has(row_of(daemon, session), {"file": "/home/alice/big", "size": None, "percent": None})


def test_upload(ftpd, home):
    daemon = ftpd()
    session = Session(daemon)
    session.stor()
    row = wait_row(daemon, session, lambda row: row["bytes"] == 100000)
    assert has(row, {"command": "STOR /home/alice/upload", "file": "/home/alice/upload",
                     "size": None, "percent": None})
    session.data.sendall(b"x" * 3000000)
    wait_row(daemon, session, lambda row: row["bytes"] == 3100000)
    session.data.close()
    session.client.reply(226)
    row = wait_row(daemon, session, lambda row: row["command"] is None)
    assert has(row, NO_TRANSFER)
    assert (home / "upload").stat().st_size == 3100000


def test_listing(ftpd, home):
    home.dir("crowd")
    for number in range(6000):
        Path(home / "crowd" / f"{number:0250}").touch()
    daemon = ftpd()
    session = Session(daemon).login()
    with session.client.begin("LIST crowd") as data:
        receive_exactly(data, 10000)
        row = wait_row(daemon, session, lambda row: row["bytes"])
        assert has(row, {"command": "LIST crowd", "file": None, "size": None})
        assert row["bytes"] >= 10000
    session.client.reply()


def test_file_in_a_jail_is_what_the_client_calls_it(ftpd, home):
    home.sparse("big", BIG)
    daemon = ftpd(chroot_local_user="YES")
    session = Session(daemon).login()
    session.data = session.client.begin("RETR big")
    receive_exactly(session.data, 1000)
    assert row_of(daemon, session)["file"] == "/big"


# What is never shown.

def test_passwords_are_in_no_table(ftpd, home):
    """Not as arguments, nor as lines that are no command, before login and after it."""
    secrets = [b"tell-nobody-%d" % number for number in range(7)]
    words = [secret.decode() for secret in secrets]
    daemon = ftpd()
    session = Session(daemon)
    client = session.client

    def check():
        content = (BOARD / str(session.parent)).read_bytes()
        assert not [secret for secret in secrets if secret in content]
        assert not [word for word in words if word in str(rows_of(daemon))]

    client.cmds(("USER alice", 331), (f"PASS {words[0]}", 530))
    check()
    client.cmd(words[1], 500)
    client.cmd(f"ACCT {words[2]}", 202)
    check()
    session.login()
    for line, code in ((f"PASS {words[3]}", 230), (f"ACCT {words[4]}", 202),
                       (f"PAS {words[5]}", 500), (words[6], 500)):
        client.cmd(line, code)
        check()


def test_password_check_shows_the_command_alone(ftpd):
    daemon = ftpd()
    with HeldChecks(daemon):
        session = Session(daemon)
        session.check()
        assert has(row_of(daemon, session), {"command": "PASS", **NO_TRANSFER, "user": None})
        content = (BOARD / str(session.parent)).read_bytes()
        assert ALL["alice"].password.encode() not in content


# How it looks.

def test_table(ftpd, home):
    home.sparse("big", BIG)
    daemon = ftpd()
    sessions = [Session(daemon, source="127.0.0.22"), Session(daemon), Session(daemon)]
    sessions[1].login("ftp")
    sessions[2].retr()
    procs.wait_for(lambda: row_of(daemon, sessions[2])["rate"])
    lines = table_of(daemon)
    assert lines[0].split() == HEADINGS
    first, second, third = (line.split() for line in lines[1:])
    today = r"\d\d:\d\d"
    assert first[:4] == ["-", "-", "127.0.0.22", str(sessions[0].parent)]
    assert re.fullmatch(today, first[4]) and re.fullmatch(r"\d+s", first[5])
    assert first[6:] == ["-"] * 4
    assert second[:3] == ["ftp", "anonymous", "127.0.0.1"]
    assert third[:4] == ["alice", "local", "127.0.0.1", str(sessions[2].parent)]
    assert third[5] == "-"
    assert re.fullmatch(r"[\d.]+[KM]", third[6]) and re.fullmatch(r"\d+%", third[7])
    assert re.fullmatch(r"[\d.]+[KMG]?/s", third[8])
    assert third[9:] == ["RETR", "/home/alice/big"]
    left = {lines[0].index("ADDRESS"), *(line.index("127.0.0.") for line in lines[1:])}
    assert len(left) == 1, lines
    right = {lines[0].index(" PID ") + 4}
    right.update(line.index(f" {one.parent} ") + len(f" {one.parent}")
                 for line, one in zip(lines[1:], sessions))
    assert len(right) == 1, lines


NASTY = "\x1b]0;owned\x07\x1b[2J\x7f\u202eüñ😀"


def test_nothing_of_a_client_reaches_the_terminal_as_a_command(ftpd, home):
    home.sparse(NASTY, BIG)
    daemon = ftpd()
    session = Session(daemon).login()
    session.data = session.client.begin("RETR " + NASTY)
    receive_exactly(session.data, 1000)
    line = table_of(daemon)[1]
    wanted = r"\x1B]0;owned\x07\x1B[2J\x7F\xE2\x80\xAEüñ😀"
    assert line.endswith("RETR /home/alice/" + wanted), line
    assert line.isprintable()
    row = row_of(daemon, session)
    assert row["command"] == "RETR " + wanted
    assert row["file"] == "/home/alice/" + wanted


@pytest.mark.parametrize("name", [b'qu"ote\\back', b"\xff\xc3(", "ü€😀".encode() * 25,
                                  b"x" * 230])
def test_json_is_json_whatever_the_name(ftpd, home, name):
    path = home.sparse(name, BIG)
    daemon = ftpd()
    session = Session(daemon).login()
    session.data = session.client.begin(b"RETR " + name.replace(b"\xff", b"\xff\xff"))
    receive_exactly(session.data, 1000)
    shown = row_of(daemon, session)["file"]
    bare = re.sub(rb"\\x([0-9A-F]{2})", lambda match: bytes([int(match.group(1), 16)]),
                  shown.encode())
    assert bare == os.fsencode(path)


def test_long_argument_is_cut_between_characters(ftpd, home):
    daemon = ftpd()
    session = Session(daemon).login()
    session.client.pasv_address()
    session.client.cmd("LIST -" + "a" + "ü" * 400, 150)
    command = row_of(daemon, session)["command"]
    assert re.fullmatch(r"LIST -aü+\.\.\.", command), command
    assert len(command.encode()) <= 210


def on_a_terminal(daemon, width):
    """What --who prints on a terminal of so many columns."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    subprocess.run([PROGRAM, "--who", str(daemon.conf_path)], stdin=subprocess.DEVNULL,
                   stdout=child, check=True, timeout=10)
    os.close(child)
    text = b""
    try:
        while chunk := os.read(parent, 65536):
            text += chunk
    except OSError:  # the end of a terminal
        pass
    os.close(parent)
    return text.decode().replace("\r\n", "\n").splitlines()


def test_lines_are_cut_to_the_width_of_a_terminal_only(ftpd, home):
    home.sparse("ü" * 100, BIG)
    daemon = ftpd()
    session = Session(daemon).login()
    session.data = session.client.begin("RETR " + "ü" * 100)
    receive_exactly(session.data, 1000)
    cut = on_a_terminal(daemon, 100)
    whole = table_of(daemon)
    assert len(cut[1]) == 100 and cut[1].endswith("ü")
    assert len(whole[1]) > 150
    assert max(map(len, on_a_terminal(daemon, 30))) == 30


# What can be wrong.

def test_without_a_daemon(ftpd):
    daemon = ftpd()
    daemon.stop()
    for arguments in ([], ["--json"]):
        result = run_who(daemon.conf_path, *arguments)
        assert result.returncode == ERROR
        assert result.stdout == ""
        assert "no daemon is running with this configuration" in result.stderr
    shutil.rmtree(BOARD)
    assert run_who(daemon.conf_path).stderr == result.stderr


def test_wrong_command_line_and_configuration(tmp_path):
    conf = tmp_path / "conf"
    conf.write_text("no_such_option=1\n")
    result = run_who(conf)
    assert result.returncode == USAGE and "no_such_option" in result.stderr
    for arguments in (["--json"], ["-t", "--json"], ["--json", "--version"]):
        result = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=10)
        assert result.returncode == USAGE, arguments
        assert "--json goes with --who" in result.stderr


def test_output_that_cannot_be_written(ftpd):
    daemon = ftpd()
    assert in_table()
    with open("/dev/full", "w") as full:
        result = subprocess.run([PROGRAM, "--who", str(daemon.conf_path)], stdout=full,
                                stderr=subprocess.PIPE, text=True, timeout=10)
    assert result.returncode == ERROR and "standard output" in result.stderr


def test_settings_of_the_command_line_count(ftpd, tmp_path):
    daemon = ftpd(scoreboard_dir="/run/other.board")
    session = Session(daemon)
    conf = tmp_path / "conf"
    conf.write_text("")
    result = run_who("--json", conf, "-oscoreboard_dir=/run/other.board")
    assert [row["pid"] for row in json.loads(result.stdout)] == [session.parent]
    assert run_who("--json", conf).returncode == ERROR


def test_only_who_runs_the_daemon_can_read_it(ftpd):
    daemon = ftpd()
    Session(daemon)
    assert BOARD.stat().st_mode & 0o7777 == 0o700
    assert {path.stat().st_mode & 0o7777 for path in BOARD.iterdir()} == {0o600}
    daemon.conf_path.parent.parent.chmod(0o755)
    result = run_who(daemon.conf_path, user="alice", group="alice", extra_groups=[])
    assert result.returncode == ERROR and result.stdout == ""
    assert f"{BOARD}: Permission denied" in result.stderr


def test_root_believes_the_table_of_another_user_only_if_the_daemon_is_his(ftpd, tmp_path):
    daemon = ftpd()
    Session(daemon)
    for path in (BOARD, *BOARD.iterdir()):
        os.chown(path, ALL["alice"].uid, 0)
    result = run_who(daemon.conf_path)
    assert result.returncode == ERROR and "belongs to another user" in result.stderr
    result = run_who("--json", daemon.conf_path, "-orun_as_launching_user=YES")
    assert result.returncode == FINE and len(json.loads(result.stdout)) == 1
    BOARD.chmod(0o777)
    result = run_who(daemon.conf_path, "-orun_as_launching_user=YES")
    assert result.returncode == ERROR and "others can write it" in result.stderr


# scoreboard_dir.

def test_empty_is_no_table(ftpd, home):
    daemon = ftpd(scoreboard_dir="")
    session = Session(daemon).login()
    assert not BOARD.exists()
    assert session.client.stor("f", b"x").code == 226
    result = run_who(daemon.conf_path)
    assert result.returncode == ERROR and "scoreboard_dir is empty" in result.stderr
    assert "scoreboard" not in daemon.stderr


def test_directories_of_two_daemons(ftpd):
    one = ftpd(scoreboard_dir="/run/one.board")
    two = ftpd(scoreboard_dir="/run/two.board", listen_port="2121")
    sessions = [Session(one), Session(two)]
    assert [row["pid"] for row in rows_of(one)] == [sessions[0].parent]
    assert [row["pid"] for row in rows_of(two)] == [sessions[1].parent]


def test_two_daemons_may_share_one(ftpd):
    one, two = ftpd(), ftpd(listen_port="2121")
    sessions = [Session(one), Session(two)]
    listeners = {row["pid"]: row["listener"] for row in rows_of(one)}
    assert listeners == {sessions[0].parent: one.pid, sessions[1].parent: two.pid}
    one.stop()
    assert [row["pid"] for row in rows_of(two)] == [sessions[1].parent]


def test_a_place_on_disk_is_in_memory_all_the_same(ftpd):
    """/sys is no tmpfs on any machine, and nothing can be made there."""
    place = Path("/dev/shm/miniftpd.test.board")
    daemon = ftpd(scoreboard_dir=f"/sys/{place.name}")
    try:
        session = Session(daemon)
        assert names(place) == sorted([str(session.parent), f"listener.{daemon.pid}"])
        assert [row["pid"] for row in rows_of(daemon)] == [session.parent]
    finally:
        shutil.rmtree(place)


def test_sessions_outlive_their_listener_in_the_table(ftpd, home):
    """A restart leaves running sessions alone, and --who goes on to show them."""
    old = ftpd()
    session = Session(old).login()
    old.process.send_signal(signal.SIGTERM)
    assert old.process.wait(5) == 0
    assert names() == [str(session.parent)]
    assert [row["pid"] for row in rows_of(old)] == [session.parent]
    new = ftpd()
    second = Session(new)
    assert [row["pid"] for row in rows_of(new)] == [session.parent, second.parent]
    session.client.cmd("QUIT", 221)
    assert procs.wait_for(lambda: [row["pid"] for row in rows_of(new)] == [second.parent])


def test_leftovers_are_removed_at_start_and_not_shown(ftpd):
    """Files of dead processes, of a pid that somebody else has now, and what is none."""
    daemon = ftpd()
    session = Session(daemon)
    content = bytearray((BOARD / str(session.parent)).read_bytes())
    (BOARD / "999999").write_bytes(content)
    struct.pack_into("=i", content, 8, os.getpid())
    struct.pack_into("=q", content, 16, 1)  # written before we began
    (BOARD / str(os.getpid())).write_bytes(content)
    (BOARD / "garbage").write_bytes(b"x" * 10000)
    (BOARD / "0").symlink_to("/etc/passwd")
    os.mkfifo(BOARD / "1")
    assert [row["pid"] for row in rows_of(daemon)] == [session.parent]
    daemon.stop()
    again = ftpd()
    assert procs.wait_for(lambda: names() == ["1", f"listener.{again.pid}"]), names()


def unusable_symlink(tmp_path):
    BOARD.symlink_to(tmp_path)
    return f"{BOARD}: "


def unusable_file(tmp_path):
    BOARD.write_bytes(b"")
    return f"{BOARD}: Not a directory"


def unusable_owner(tmp_path):
    BOARD.mkdir()
    os.chown(BOARD, ALL["alice"].uid, 0)
    return f"{BOARD} belongs to another user"


def unusable_mode(tmp_path):
    BOARD.mkdir(mode=0o755)
    return f"{BOARD} belongs to another user or is open to others"


@pytest.mark.parametrize("make", [unusable_symlink, unusable_file, unusable_owner, unusable_mode])
def test_without_a_usable_directory_service_goes_on(ftpd, home, tmp_path, make):
    message = make(tmp_path)
    try:
        daemon = ftpd()
        session = Session(daemon).login()
        assert session.client.stor("f", b"x").code == 226
        assert f"scoreboard_dir={BOARD}: {message}" in daemon.stderr
        assert not mappings(session.child)
        assert os.listdir(tmp_path) == ["ftpd0"] or not os.listdir(tmp_path)
        assert run_who(daemon.conf_path).returncode == ERROR
    finally:
        if not BOARD.is_dir() or BOARD.is_symlink():
            BOARD.unlink()


def test_relative_path_and_missing_directory(ftpd):
    for path in ("relative", "/run/missing/board", "/run/"):
        daemon = ftpd(scoreboard_dir=path)
        Session(daemon).client.cmd("NOOP", 200)
        assert f"scoreboard_dir={path}: " in daemon.stderr
        assert run_who(daemon.conf_path).returncode == ERROR
        daemon.stop()


def test_memory_that_is_full(ftpd, home):
    """Sessions that find no room go on without, and none is ended by a signal."""
    small = Path("/run/small")
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={6 * PAGE}", "tmpfs", small], check=True)
    try:
        daemon = ftpd(scoreboard_dir=f"{small}/board")
        sessions = [Session(daemon).login() for _ in range(5)]
        for session in sessions:
            session.client.cmds(("TYPE A", 200), ("TYPE I", 200))
        shown = [row["pid"] for row in rows_of(daemon)]
        assert 1 <= len(shown) < 5
        for session in sessions:
            told = f"session {session.parent} (127.0.0.1) is not shown by --who" in daemon.stderr
            assert told != (session.parent in shown)
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)
        small.rmdir()


# What a session can do to it.

def check_mapping(pid, first, pages):
    """The process has mapped these pages of its own file and nothing else, and has no way to more."""
    found = mappings(pid)
    assert sum(one.end - one.start for one in found) == pages * PAGE, found
    assert found[0].offset == first * PAGE
    assert {one.rights for one in found} == {"rw-s"}
    for kind in posture.descriptors(pid).values():
        assert str(BOARD) not in str(kind), kind


def test_what_a_session_has_mapped(ftpd, home):
    """Behind its page the file ends, so that a mapping that grows reaches nothing."""
    session = Session(ftpd())
    path = BOARD / str(session.parent)
    check_mapping(session.parent, 0, 2)
    check_mapping(session.child, 1, 1)
    session.login()
    check_mapping(session.parent, 0, 2)
    check_mapping(session.child, 1, 1)
    assert path.stat().st_size == 2 * PAGE
    assert path.stat().st_blocks * 512 == 2 * PAGE


def test_the_process_that_checks_passwords_cannot_change_who_it_is(ftpd):
    daemon = ftpd()
    with HeldChecks(daemon):
        session = Session(daemon)
        session.check()
        assert mappings(session.verifier) == []


GARBAGE = {
    "zeros": bytes(PAGE),
    "ones": b"\xff" * PAGE,
    "letters": b"A" * PAGE,
    "escapes": b"\x1b[2J\r\n\"\\" * (PAGE // 8),
    "random": bytes((number * 7919 ^ number >> 3) & 0xff for number in range(PAGE)),
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_whatever_a_session_writes_there_changes_its_own_row_only(ftpd, home, garbage):
    daemon = ftpd()
    before, evil, after = Session(daemon).login(), Session(daemon).login(), Session(daemon).login()
    (page,) = mappings(evil.child)
    with open(f"/proc/{evil.child}/mem", "r+b", buffering=0) as memory:
        memory.seek(page.start)
        assert memory.write(GARBAGE[garbage]) == PAGE
    rows = rows_of(daemon)
    assert [row["pid"] for row in rows] == [before.parent, evil.parent, after.parent]
    for row in rows[0], rows[2]:
        assert has(row, {"user": "alice", "command": None, **NO_TRANSFER})
    assert has(rows[1], {"user": "alice", "access": "local", "address": "127.0.0.1"})
    for text in table_of(daemon):
        assert text.isprintable(), text
    for number in ("bytes", "size", "offset", "rate", "idle"):
        assert rows[1][number] is None or 0 <= rows[1][number] < 1 << 63
    evil.client.cmds(("NOOP", 200), ("PWD", 257))
    assert has(rows_of(daemon)[1], {"command": None, **NO_TRANSFER})


def test_page_that_is_always_half_written_is_shown_all_the_same(ftpd, home):
    daemon = ftpd()
    session = Session(daemon).login()
    (page,) = mappings(session.child)
    with open(f"/proc/{session.child}/mem", "r+b", buffering=0) as memory:
        memory.seek(page.start)
        memory.write(struct.pack("=I", 0xffffffff))
    assert row_of(daemon, session)["user"] == "alice"


def test_killed_session_parent(ftpd, home):
    daemon = ftpd()
    session = Session(daemon).login()
    os.kill(session.parent, signal.SIGKILL)
    assert procs.wait_for(lambda: names() == [f"listener.{daemon.pid}"])
    assert rows_of(daemon) == []


def test_killed_listener(ftpd, home):
    """Its sessions are shown as long as they live; then there is no daemon."""
    daemon = ftpd()
    session = Session(daemon).login()
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.process.wait()
    assert [row["pid"] for row in rows_of(daemon)] == [session.parent]
    session.client.cmd("QUIT", 221)
    assert procs.wait_for(lambda: run_who(daemon.conf_path).returncode == ERROR)
    daemon.process.returncode = FINE  # as it should be here
