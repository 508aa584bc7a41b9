"""chown_uploads: what anonymous users store is theirs no longer."""

import os

import pytest

from accounts import ALL
from ftpraw import drain
from procs import wait_for
from rules import mode_of
from sessions import Session
from tracing import Trace

OPTIONS = ("chown_uploads", "chown_username", "chown_upload_mode")

ALICE, BOB = ALL["alice"], ALL["bob"]
RIGHTS = {"anon_upload_enable": "YES", "anon_other_write_enable": "YES", "anon_umask": "022",
          "anon_world_readable_only": "NO"}


def owner(path):
    return path.stat().st_uid, path.stat().st_gid


@pytest.fixture
def begin(ftpd, home):
    """begin(option=...) is a daemon whose anonymous users are alice, in her home."""
    def start(**options):
        return ftpd(**{"anon_root": str(home.path), "ftp_username": "alice",
                       "chown_uploads": "YES", "chown_username": "bob", **RIGHTS, **options})
    return start


@pytest.fixture
def client(begin):
    return begin().anonymous()


# Who gets what.

def test_upload_is_given_away(client, home):
    client.stor("f", b"content")
    assert owner(home / "f") == (BOB.uid, ALICE.gid)  # the group stays, as with vsftpd
    assert mode_of(home / "f") == 0o600
    assert (home / "f").read_bytes() == b"content"
    client.in_step()


def test_without_the_option_it_stays(begin, home):
    begin(chown_uploads="NO", chown_upload_mode="0640").anonymous().stor("f", b"content")
    assert owner(home / "f") == (ALICE.uid, ALICE.gid)
    assert mode_of(home / "f") != 0o640


@pytest.mark.parametrize("name", ["root", "bob", "nobody", "alice"])
def test_who_gets_it(begin, home, name):
    begin(chown_username=name).anonymous().stor("f", b"content")
    assert owner(home / "f")[0] == ALL[name].uid


def test_root_gets_it_by_default(begin, home):
    begin(chown_username=None).anonymous().stor("f", b"content")
    assert owner(home / "f")[0] == 0


@pytest.mark.parametrize("mode", ["0600", "0640", "0444", "0", "0777"])
def test_permissions(begin, home, mode):
    begin(chown_upload_mode=mode).anonymous().stor("f", b"content")
    assert mode_of(home / "f") == int(mode, 8)
    assert (home / "f").read_bytes() == b"content"


def test_local_users_keep_theirs(begin, home):
    begin(chown_upload_mode="0640").login("alice").stor("f", b"content")
    assert owner(home / "f") == (ALICE.uid, ALICE.gid)
    assert mode_of(home / "f") != 0o640


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_content_of_any_size(client, home, size):
    content = os.urandom(size)
    client.stor("f", content)
    assert (home / "f").read_bytes() == content and owner(home / "f")[0] == BOB.uid


def test_it_is_given_away_before_the_first_byte(client, home):
    """Nobody can fetch it while it is stored, or after a session that was cut off."""
    sock = client.begin("STOR f")
    assert wait_for(lambda: owner(home / "f")[0] == BOB.uid)
    sock.sendall(b"x" * 100_000)
    assert wait_for(lambda: (home / "f").stat().st_size == 100_000)
    assert mode_of(home / "f") == 0o600
    client.close()
    sock.close()
    assert owner(home / "f")[0] == BOB.uid


def test_many_in_one_session(client, home):
    for number in range(20):
        client.stor(f"{number}", b"x" * number)
    assert {owner(home / f"{number}")[0] for number in range(20)} == {BOB.uid}


@pytest.mark.parametrize("line", ["STOU f", "APPE f"])
def test_other_uploads(client, home, line):
    client.begin(line).close()
    client.reply(226)
    assert owner(home / "f")[0] == BOB.uid


def test_copies(client, home):
    home.file("old", b"old content")
    assert client.cmd("SITE COPY old new").code == 200
    client.cmd("COMB all old", 250)
    for name in ("new", "all"):
        assert owner(home / name)[0] == BOB.uid and mode_of(home / name) == 0o600
        assert (home / name).read_bytes() == b"old content"


# Files that were there before.

@pytest.mark.parametrize("verb, content", [("STOR", b"new"), ("APPE", b"oldnew")])
def test_own_file_that_is_written_again(client, home, verb, content):
    """Else it would be a way to pass things on to others."""
    home.file("f", b"old", 0o644)
    client.stor("f", b"new", verb=verb)
    assert owner(home / "f")[0] == BOB.uid and mode_of(home / "f") == 0o600
    assert (home / "f").read_bytes() == content


def test_file_of_somebody_else_stays_theirs(client, home):
    """With vsftpd this ends the session."""
    home.file("f", b"old", 0o666)
    os.chown(home / "f", ALL["carol"].uid, ALL["carol"].gid)
    client.stor("f", b"new")
    assert owner(home / "f") == (ALL["carol"].uid, ALL["carol"].gid)
    assert mode_of(home / "f") == 0o666 and (home / "f").read_bytes() == b"new"
    client.in_step()


def test_file_with_two_names_is_refused(client, home):
    home.file("f", b"old")
    os.link(home / "f", home / "other")
    client.refused("STOR f", 150)
    client.reply(553)
    client.in_step()
    assert (home / "f").read_bytes() == b"old" and owner(home / "f")[0] == ALICE.uid


def test_it_is_not_theirs_any_more(client, home):
    client.stor("f", b"content")
    for line in ("STOR f", "APPE f"):
        client.refused(line, 550, 553)
    client.refused("RETR f", 550)
    for line in ("MFMT 20200101000000 f", "SITE CHMOD 777 f", "MDTM 20200101000000 f"):
        client.cmd(line, 550)
    assert (home / "f").read_bytes() == b"content" and mode_of(home / "f") == 0o600


# Uploads that fail.

def test_failed_upload_is_removed(begin, home):
    client = begin(delete_failed_uploads="YES").anonymous()
    sock = client.begin("STOR f")
    sock.sendall(b"x" * 1000)
    client.cmd("ABOR", 426)
    client.reply(226)
    drain(sock)
    assert home.names() == []


def test_too_large_upload_is_removed(begin, home):
    client = begin(max_upload_size="1000").anonymous()
    with client.begin("STOR f") as sock:
        sock.sendall(b"x" * 1001)
    client.reply(552)
    assert home.names() == []


def test_no_data_connection_changes_nothing(client, home):
    home.file("f", b"old", 0o644)
    client.pasv_address()
    client.cmd("STOR f", 150)
    client.cmd("ABOR", 426)
    client.reply(226)
    assert owner(home / "f")[0] == ALICE.uid and mode_of(home / "f") == 0o644


@pytest.mark.parametrize("error, text", [("EPERM", "Operation not permitted"),
                                         ("EROFS", "Read-only file system")])
def test_refused_by_the_file_system(begin, home, tmp_path, error, text):
    """It is not stored then: its owner could do with it what the option forbids."""
    session = Session(begin()).login("ftp")
    with Trace(session.parent, tmp_path, "fchown", f"fchown:error={error}") as trace:
        sock = session.client.begin("STOR f")
        reply = session.client.reply(451)
        drain(sock)
        trace.stop()
    assert "bob" not in reply.text and "permitted" not in reply.text
    session.client.in_step()
    assert home.names() == []
    message = f"cannot give an upload to chown_username=bob: {text}"
    assert wait_for(lambda: message in session.daemon.log)


def test_capability_is_raised_for_the_call_only(begin, home, tmp_path):
    session = Session(begin()).login("ftp")
    with Trace(session.parent, tmp_path, "fchown,capset") as trace:
        session.client.stor("f", b"content")
        trace.stop()
    calls = [(name, "1<<CAP_CHOWN" in rest.partition("permitted")[0])
             for name, rest in trace.of(session.parent)]
    assert calls == [("capset", True), ("fchown", False), ("capset", False)]


# The account.

@pytest.mark.parametrize("options, starts", [
    ({"chown_username": "nosuchuser"}, False),
    ({"chown_username": "nosuchuser", "chown_uploads": "NO"}, True),
])
def test_account_must_exist(begin, ftpd, home, options, starts):
    if starts:
        begin(**options).anonymous()
        return
    daemon = ftpd.start(chown_uploads="YES", **options)
    assert daemon.process.wait(10) != 0
    assert "chown_username=nosuchuser" in daemon.stderr
    ftpd.daemons.remove(daemon)


def test_reload(begin, home):
    daemon = begin(chown_uploads="NO")
    first = daemon.anonymous()
    daemon.reload(chown_uploads="YES")
    assert wait_for(lambda: "configuration read again" in daemon.stderr)
    second = daemon.anonymous()
    first.stor("first", b"x")
    second.stor("second", b"x")
    assert owner(home / "first")[0] == ALICE.uid and owner(home / "second")[0] == BOB.uid
