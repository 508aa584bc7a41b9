"""AUTH, PBSZ, PROT, CCC, REIN and what FEAT and STAT say: RFC 4217."""

import ssl

import pytest

import ftpsraw
import procs
from posture import descriptors
from sessions import Session

OPTIONS = ("ssl_enable",)
VERBS = {"AUTH", "CCC", "PBSZ", "PROT"}


@pytest.fixture
def daemon(ftps, home):
    return ftps(force_local_logins_ssl="NO", force_local_data_ssl="NO")


@pytest.fixture
def clear(daemon):
    return ftpsraw.connect(daemon)


@pytest.fixture
def secured(daemon):
    return ftpsraw.secured(daemon)


@pytest.mark.parametrize("line", ["AUTH TLS", "AUTH SSL", "auth", "PBSZ 0", "PROT P", "CCC"])
def test_without_ssl_enable_is_502(client, line):
    client.cmd(line, 502)
    client.in_step()
    lines = client.cmd("FEAT", 211).lines
    assert not [line for line in lines if "TLS" in line or "PBSZ" in line or "PROT" in line]


@pytest.mark.parametrize("mechanism, level", [
    ("TLS", "C"), ("tls", "C"), ("TLS-C", "C"), ("SSL", "P"), ("TLS-P", "P"),
])
def test_mechanisms(daemon, home, mechanism, level):
    """With some of them data connections are encrypted without PROT."""
    home.file("f", b"content")
    client = ftpsraw.connect(daemon)
    client.auth(mechanism)
    client.login("alice", "secret-alice")
    client.protected = level == "P"
    assert client.retr("f") == b"content"
    said = "will be encrypted" if level == "P" else "will not be encrypted"
    assert [line for line in client.cmd("STAT", 211).lines if said in line]


@pytest.mark.parametrize("argument", ["GSSAPI", "KERBEROS_V4", "TLSv1", "SSLv3", "T", "TLS x", "*"])
def test_unknown_mechanism_is_504(clear, argument):
    clear.cmd(f"AUTH {argument}", 504)
    clear.in_step()
    clear.auth().in_step()


def test_auth_without_argument_is_501(clear):
    clear.cmds(("AUTH", 501), ("AUTH ", 501))
    clear.in_step()


def test_second_auth_is_503(secured):
    secured.cmds(("AUTH TLS", 503), ("AUTH SSL", 503))
    secured.login("alice", "secret-alice")
    secured.cmd("AUTH TLS", 503)
    secured.in_step()


def test_auth_after_login_is_503(daemon, clear):
    clear.login("alice", "secret-alice")
    clear.cmd("AUTH TLS", 503)
    clear.in_step()
    assert not daemon.relays()


@pytest.mark.parametrize("line", ["PBSZ 0", "PROT P", "PROT C", "PROT X"])
def test_before_auth_is_503(clear, line):
    clear.cmd(line, 503)
    clear.login("alice", "secret-alice")
    clear.cmd(line, 503)
    clear.in_step()


@pytest.mark.parametrize("when", ["before login", "after login"])
def test_pbsz_and_prot(secured, when):
    if when == "after login":
        secured.login("alice", "secret-alice")
    for argument in ("0", "1", "16384", "4294967295"):
        assert "PBSZ=0" in secured.cmd(f"PBSZ {argument}", 200).text
    secured.cmds(("PBSZ", 501), ("PBSZ x", 501), ("PBSZ -1", 501), ("PBSZ 4294967296", 501))
    for argument, code in (("P", 200), ("p", 200), ("C", 200), ("S", 536), ("E", 536), ("e", 536),
                           ("X", 504), ("PP", 504), ("P C", 504)):
        secured.cmd(f"PROT {argument}", code)
    secured.cmd("PROT", 501)
    secured.in_step()


def test_prot_before_login_holds_behind_it(daemon, home, secured):
    home.file("f", b"content")
    secured.protect()
    secured.login("alice", "secret-alice")
    assert secured.retr("f") == b"content"


def test_refused_prot_changes_nothing(secured, home):
    home.file("f", b"content")
    secured.protect()
    secured.login("alice", "secret-alice")
    secured.cmds(("PROT S", 536), ("PROT X", 504), ("PROT", 501))
    assert secured.retr("f") == b"content"


def test_ccc(clear, secured):
    clear.cmd("CCC", 533)
    secured.cmd("CCC", 534)
    secured.login("alice", "secret-alice")
    secured.cmd("CCC", 534)
    secured.in_step()


def test_rein(clear, secured):
    """Under TLS it would have to give the connection back in the clear."""
    clear.cmd("USER alice", 331)
    clear.cmd("REIN", 220)
    secured.cmd("USER alice", 331)
    secured.cmd("REIN", 502)
    secured.cmd("PASS secret-alice", 230)
    secured.cmd("REIN", 502)
    secured.in_step()


def test_features(clear, secured):
    for client in (clear, secured):
        lines = client.cmd("FEAT", 211).lines
        for feature in (" AUTH TLS", " PBSZ", " PROT"):
            assert feature in lines


def test_help_names_them(clear):
    words = " ".join(clear.cmd("HELP", 214).lines).split()
    for verb in ("AUTH", "PBSZ", "PROT"):
        assert verb in words
    assert "TLS" in clear.cmd("HELP AUTH", 214).lines[-1]


def test_status_says_what_is_encrypted(clear, secured):
    def said(client):
        return [line.strip() for line in client.cmd("STAT", 211).lines if "encrypted" in line]

    assert said(clear) == ["The control connection is not encrypted",
                           "Data connections will not be encrypted"]
    assert said(secured) == ["The control connection is encrypted",
                             "Data connections will not be encrypted"]
    secured.protect()
    assert said(secured)[1] == "Data connections will be encrypted"
    secured.login("alice", "secret-alice")
    assert said(secured) == ["The control connection is encrypted",
                             "Data connections will be encrypted"]


def test_user_before_auth_does_not_count(clear):
    clear.cmd("USER alice", 331)
    clear.auth()
    clear.cmd("PASS secret-alice", 503)
    clear.login("alice", "secret-alice")
    clear.in_step()


# What is sent in the clear behind AUTH is never carried out.

@pytest.mark.parametrize("behind", [
    "USER alice\r\n", "USER alice\r\nPASS secret-alice\r\nDELE f\r\n", "NOOP\r\n" * 100,
    "QUIT\r\n",
])
def test_commands_in_the_same_segment(daemon, home, behind):
    """They reach the handshake, and break it."""
    home.file("f")
    client = ftpsraw.connect(daemon)
    client.send("AUTH TLS\r\n" + behind)
    client.reply(234)
    rest = ftpsraw.closes(client)
    assert b"331" not in rest and b"200" not in rest and b"221" not in rest
    assert home.names() == ["f"]
    assert procs.wait_for(lambda: "no TLS with this client" in daemon.log), daemon.log
    assert "USER" not in daemon.whole_log()


@pytest.mark.parametrize("behind", ["x", "\r\n"])
def test_a_byte_behind_auth_breaks_the_handshake(daemon, behind):
    client = ftpsraw.connect(daemon)
    client.send("AUTH TLS\r\n" + behind)
    client.reply(234)
    with pytest.raises(OSError):
        client.begin_tls()
    assert not daemon.wait_no_sessions()


def test_commands_in_two_segments(daemon):
    client = ftpsraw.connect(daemon)
    client.send("AUTH TLS\r\n")
    client.reply(234)
    client.send("USER alice\r\nPASS secret-alice\r\n")
    rest = ftpsraw.closes(client)
    assert b"331" not in rest and b"230" not in rest
    daemon.whole_log()
    assert "LOGIN" not in daemon.log


def test_commands_before_auth_are_answered_in_the_clear(daemon):
    """Pipelined in front of it: their replies come first, then 234, then nothing but TLS."""
    client = ftpsraw.connect(daemon)
    client.send("NOOP\r\nFEAT\r\nUSER alice\r\nAUTH TLS\r\n")
    for code in (200, 211, 331, 234):
        client.reply(code)
    client.begin_tls()
    client.cmd("PASS secret-alice", 503)
    client.login("alice", "secret-alice")


def test_hello_right_behind_auth(daemon):
    """A client that does not wait for 234 is no attacker, if what it sends is TLS."""
    context = ftpsraw.context()
    client = ftpsraw.connect(daemon, tls=context)
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(theirs, ours)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    client.send(b"AUTH TLS\r\n" + ours.read())
    client.reply(234)
    theirs.write(client.buffer)  # the server's answer, if it was fast
    client.buffer = b""
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            client.sock.sendall(ours.read())
            theirs.write(client.sock.recv(65536))
    client.sock.sendall(ours.read())
    tls.write(b"FEAT\r\n")
    client.sock.sendall(ours.read())
    got = b""
    while b"211 End" not in got and b"211 " not in got:
        theirs.write(client.sock.recv(65536))
        try:
            got += tls.read(65536)
        except ssl.SSLWantReadError:
            continue
    assert b"AUTH TLS" in got


def test_nobody_but_the_relay_holds_the_connection(daemon):
    session = Session(daemon, connect=ftpsraw.secured)
    control = ("tcp", 21)

    def holders():
        return [pid for pid in (*session.pids, session.relay)
                if control in descriptors(pid).values()]

    assert holders() == [session.relay]
    session.login()
    assert holders() == [session.relay]


def test_failed_handshake_ends_the_session(daemon):
    client = ftpsraw.connect(daemon)
    client.cmd("AUTH TLS", 234)
    client.send(b"\x16\x03\x01\x00\x05hello")
    ftpsraw.closes(client)
    assert procs.wait_for(lambda: "no TLS with this client" in daemon.log)
    assert not daemon.wait_no_sessions()
    ftpsraw.login(daemon).in_step()


@pytest.mark.parametrize("sent", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
def test_client_that_leaves_in_the_middle_of_the_handshake(daemon, sent):
    client = ftpsraw.connect(daemon)
    client.cmd("AUTH TLS", 234)
    client.send(sent)
    client.close()
    assert not daemon.wait_no_sessions()


def test_stalled_handshakes_are_in_nobodys_way(daemon):
    """They wait for their deadline, and others are served meanwhile."""
    stalled = []
    for _ in range(20):
        stalled.append(ftpsraw.connect(daemon))
        stalled[-1].cmd("AUTH TLS", 234)
        stalled[-1].send(b"\x16\x03\x01")
    ftpsraw.login(daemon).in_step()
    daemon.close_clients()
    assert not daemon.wait_no_sessions()


def test_half_closed_control_connection(daemon):
    """What came before the end is answered."""
    client = ftpsraw.login(daemon)
    client.send("NOOP\r\nPWD\r\n")
    ftpsraw.half_close(client.sock)
    client.reply(200)
    client.reply(257)
    client.wait_closed()
