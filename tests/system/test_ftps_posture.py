"""What miniftpd-tls, its relays and the others may do and hold once TLS runs; where the key is."""

import os
import re
import socket
import threading

import pytest

import certs
import ftpsraw
import posture
import procs
from accounts import ALL
from procs import wait_for
from sessions import Session
from starters import Inetd, high, passing

OPTIONS = ("seccomp_sandbox", "run_as_launching_user")

NOBODY = [ALL["nobody"].uid] * 4
NONE = set()
JAIL = "/run/empty"
PRIV = ("seqpacket",)
CONTROL = ("tcp", 21)
CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def daemon(ftps, home):
    home.file("f", CONTENT)
    home.sparse("big", 1 << 30)
    return ftps(dsa_cert_file=str(certs.ec().both))


def helper(daemon):
    (one,) = daemon.helpers()
    return one.pid


def kinds(pid):
    """The descriptors from 3 on, in no order; 0, 1 and 2 must be /dev/null."""
    table = posture.descriptors(pid)
    for number in range(3):
        assert table.pop(number) == ("null",), f"descriptor {number} is not /dev/null"
    return sorted(table.values())


def logged_in(daemon):
    session = Session(daemon, connect=ftpsraw.secured).login()
    session.client.protect()
    return session


def check_confined(pid):
    """Nobody, without rights, in an empty root, filtered, not to be looked into."""
    assert posture.ids(pid, "Uid") == posture.ids(pid, "Gid") == NOBODY
    assert posture.groups(pid) == NONE
    for which in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        assert posture.capabilities(pid, which) == NONE, which
    assert posture.no_new_privileges(pid)
    assert posture.filters(pid) > posture.filters(os.getpid())
    assert not posture.is_dumpable(pid)
    assert posture.root(pid) == posture.cwd(pid) == JAIL
    assert os.listdir(JAIL) == []
    assert posture.limit(pid, "Max core file size") == (0, 0)
    assert posture.inherited(pid) <= {0, 1, 2, 3}


def test_program(daemon):
    pid = helper(daemon)
    check_confined(pid)
    assert kinds(pid) == [PRIV]


def test_program_holds_nothing_of_its_sessions(daemon):
    before = kinds(helper(daemon))
    sessions = [logged_in(daemon), Session(daemon, connect=ftpsraw.secured)]
    assert len(daemon.relays()) == len(sessions)
    assert kinds(helper(daemon)) == before


def test_relay(daemon):
    """The client, the plain end, and what it is asked through."""
    session = Session(daemon, connect=ftpsraw.secured)
    for _ in range(2):
        check_confined(session.relay)
        assert kinds(session.relay) == sorted([PRIV, CONTROL, ("unix",)])
        session.login()


@pytest.mark.parametrize("line", ["RETR big", "STOR new"])
def test_relay_in_a_transfer_of_a_file(daemon, home, line):
    session = logged_in(daemon)
    sock = session.client.begin(line)
    if line == "STOR new":
        sock.sendall(b"x")
    else:
        assert sock.recv(1)
    name = line.split()[1]
    assert wait_for(lambda: ("file", str(home / name)) in kinds(session.relay))
    left = kinds(session.relay)
    for kind in (PRIV, CONTROL, ("unix",), ("file", str(home / name))):
        left.remove(kind)
    assert [kind[0] for kind in left] == ["tcp"]
    check_confined(session.relay)
    assert posture.root(session.relay) == JAIL


def test_relay_after_transfers(daemon):
    session = logged_in(daemon)
    for mode in ("pasv", "epsv", "port", "eprt"):
        assert session.client.retr("f", mode) == CONTENT
        session.client.stor("g", CONTENT, mode)
        session.client.list(mode=mode)
    expected = sorted([PRIV, CONTROL, ("unix",)])
    assert wait_for(lambda: kinds(session.relay) == expected, 5), kinds(session.relay)


def test_others_hold_plain_ends_only(daemon):
    """N before the login, P, and S: no TCP connection of the client; nor N afterwards."""
    session = Session(daemon, connect=ftpsraw.secured)
    logs = [("file", str(daemon.log_path)), ("file", str(daemon.stderr_path))]
    assert kinds(session.child) == sorted([PRIV, PRIV, ("unix",)])
    for kind in (PRIV, ("unix",), *logs):
        assert kind in kinds(session.parent)
    assert CONTROL not in kinds(session.parent)
    session.login()
    assert kinds(session.parent) == sorted([PRIV, *logs])
    assert kinds(session.child) == sorted([PRIV, PRIV, ("unix",)])
    assert posture.ids(session.child, "Uid") == [ALL["alice"].uid] * 4


def test_relays_of_two_sessions_share_no_socket(daemon):
    inodes = []
    for session in (logged_in(daemon), logged_in(daemon)):
        own = {os.readlink(f"/proc/{session.relay}/fd/{name}")
               for name in os.listdir(f"/proc/{session.relay}/fd")}
        inodes.append({target for target in own if target.startswith("socket:")})
    assert len(inodes[0]) == len(inodes[1]) == 3
    assert not inodes[0] & inodes[1]


def test_listener_holds_one_socket_to_the_program(daemon):
    table = list(posture.descriptors(daemon.pid).values())
    logged_in(daemon)
    assert list(posture.descriptors(daemon.pid).values()) == table
    assert table.count(PRIV) == 2  # the other one is to miniftpd-auth
    assert posture.inherited(daemon.pid) <= {0, 1, 2}


def test_no_process_of_the_daemon_maps_openssl(daemon):
    def libraries(pid):
        with open(f"/proc/{pid}/maps") as maps:
            return set(re.findall(r"lib(?:ssl|crypto)\.so", maps.read()))

    session = logged_in(daemon)
    before = Session(daemon, connect=ftpsraw.secured)
    for pid in (daemon.pid, *session.pids, *before.pids):
        assert libraries(pid) == set(), procs.read(pid)
    assert libraries(session.relay) == {"libssl.so", "libcrypto.so"}


# The private keys.

def numbers(pair):
    """The secret numbers of a key, as the bytes of openssl's own text; by their names."""
    text = certs.openssl("pkey", "-in", pair.key, "-text", "-noout").decode()
    found = {}
    for name, block in re.findall(r"^(\w+):\n((?: {4}[0-9a-f:]+\n)+)", text, re.MULTILINE):
        digits = bytes.fromhex(re.sub(r"[\s:]", "", block))
        found[name] = digits.lstrip(b"\0")
    return found


def secrets(pair):
    """All forms in which a private key could stand in memory."""
    found = {line.encode() for line in pair.key.read_text().splitlines()[1:-1] if len(line) > 30}
    values = numbers(pair)
    wanted = {"priv"} & set(values) or {"privateExponent", "prime1", "prime2", "exponent1",
                                       "exponent2", "coefficient"}
    for name in wanted:
        found |= {values[name], values[name][::-1]}
    der = certs.openssl("pkey", "-in", pair.key, "-outform", "DER", "-traditional")
    found.add(der[-100:])
    assert all(len(text) > 20 for text in found)
    return found


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_private_key_is_in_the_program_and_its_relays_only(daemon, kind):
    key = secrets(getattr(certs, kind)())
    session = logged_in(daemon)
    session.client.list()
    before = Session(daemon, connect=ftpsraw.secured)
    clear = Session(daemon)
    for pid in (daemon.pid, *session.pids, *before.pids, *clear.pids):
        assert not posture.remembers(pid, key), procs.read(pid)
    assert posture.remembers(session.relay, key), "it cannot be found where it has to be"
    assert posture.remembers(helper(daemon), key)


def test_private_key_is_in_no_process_after_reloads(daemon):
    key = secrets(certs.rsa()) | secrets(certs.ec())
    for number in range(3):
        daemon.reload(ftpd_banner=f"number {number}")
        assert wait_for(lambda: daemon.stderr.count("configuration read again") > number)
    session = logged_in(daemon)
    for pid in (daemon.pid, *session.pids):
        assert not posture.remembers(pid, key)


def test_password_is_in_no_relay_for_long(daemon):
    """It went through; the next records take its place."""
    session = logged_in(daemon)
    for _ in range(3):
        session.client.cmd("NOOP " + "x" * 400, 200)
    assert not posture.remembers(session.relay, {ALL["alice"].password.encode()})


# Other ways to run.

def test_without_filters_nothing_else_goes(ftps, home):
    home.file("f", CONTENT)
    daemon = ftps(seccomp_sandbox="NO")
    session = logged_in(daemon)
    ours = posture.filters(os.getpid())
    for pid in (helper(daemon), session.relay):
        assert posture.filters(pid) == ours
        assert posture.ids(pid, "Uid") == NOBODY
        assert posture.capabilities(pid, "Bnd") == NONE
        assert posture.no_new_privileges(pid) and posture.root(pid) == JAIL
    assert session.client.retr("f") == CONTENT


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_by_inetd(tmp_path, home, host):
    """miniftpd-tls is started for the one session, and ends with it."""
    home.file("f", CONTENT)
    server = Inetd(tmp_path, host=host, **ftpsraw.options())
    try:
        starting = threading.Thread(target=server.accept)
        starting.start()
        client = ftpsraw.TlsClient(host)
        server.clients.append(client)
        starting.join()
        client.reply(220)
        client.auth()
        client.login("alice", ALL["alice"].password)
        client.protect()
        assert client.retr("f", "epsv") == CONTENT
        client.stor("g", CONTENT, "epsv")
        client.cmd("QUIT", 221)
        client.close()
    finally:
        problems = server.close()
    assert not problems
    assert wait_for(lambda: not [one for one in procs.everyone().values()
                                 if one.name == "miniftpd-tls"])


def test_by_a_service_manager(ftpd, home):
    home.file("f", CONTENT)
    listening = high(socket.create_server(("127.0.0.1", 2121)))
    daemon = ftpd.start_by(*passing([listening]), **ftpsraw.options(listen_port="2121"))
    client = ftpsraw.login(daemon)
    assert client.retr("f") == CONTENT
    client.close()
    listening.close()


@pytest.mark.parametrize("option", ["ssl_enable", "implicit_ssl"])
def test_without_root(ftpd, tmp_path, option):
    """run_as_launching_user: the same user everywhere, and still nothing that TLS does not need."""
    account = ALL["bob"]
    key = tmp_path / "server.pem"
    key.write_bytes(certs.rsa().both.read_bytes())
    root = tmp_path / "site"
    root.mkdir()
    (root / "f").write_bytes(CONTENT)
    for path in (key, root, root / "f"):
        os.chown(path, account.uid, account.gid)
    for path in (ftpd.directory, root, tmp_path, tmp_path.parent, tmp_path.parent.parent):
        path.chmod(0o755)
    logs = tmp_path / "logs"
    logs.mkdir()
    os.chown(logs, account.uid, account.gid)
    daemon = ftpd.start_by(
        (), {"user": account.uid, "group": account.gid, "extra_groups": [account.gid]},
        run_as_launching_user="YES", listen_port="2121", anon_root=str(root), local_enable="NO",
        vsftpd_log_file=str(logs / "log"), rsa_cert_file=str(key), allow_anon_ssl="YES",
        **{option: "YES"})
    daemon.wait_listening()
    client = ftpsraw.connect(daemon, implicit=option == "implicit_ssl")
    if option == "ssl_enable":
        client.auth()
    client.login("anonymous", "test@example.com")
    client.protect()
    assert client.retr("f") == CONTENT
    assert client.names() == ["f"]
    (relay,) = daemon.relays()
    for pid in (helper(daemon), relay.pid):
        assert posture.ids(pid, "Uid") == posture.ids(pid, "Gid") == [account.uid] * 4
        for which in ("Prm", "Eff", "Inh", "Amb"):
            assert posture.capabilities(pid, which) == NONE
        assert posture.no_new_privileges(pid) and not posture.is_dumpable(pid)
        assert posture.filters(pid) > posture.filters(os.getpid())
