"""The rights of every process, read from /proc, as the design grants them in its sections 1, 2."""

import os
from pathlib import Path

import pytest

import posture
import procs
from accounts import ALL, GROUPS
from posture import HeldChecks
from sessions import Session, gone

OPTIONS = ("seccomp_sandbox",)

ROOT = [0] * 4
NOBODY = [ALL["nobody"].uid] * 4
JAIL = "/run/empty"
LISTENER_CAPABILITIES = {"NET_BIND_SERVICE", "SETUID", "SETGID", "SYS_CHROOT", "DAC_READ_SEARCH",
                         "KILL", "SETPCAP", "CHOWN"}
NONE = set()
PRIV = ("seqpacket",)
AUTH = ("seqpacket",)  # to miniftpd-auth
CONTROL = ("tcp", 21)
CHECKS = ("memory", "password-checks")
PLACES = ("memory", "sessions-of-users")
BOARD = ("other", "/run/miniftpd.scoreboard")
BANNER = "banner-that-stands-nowhere-else-5d8f"

USERS = {
    # who, how the daemon is configured, the root and the first directory of S
    "jailed": ("alice", {"chroot_local_user": "YES"}, "/home/alice", "/home/alice"),
    "free": ("alice", {"chroot_local_user": "NO"}, "/", "/home/alice"),
    "groups": ("grp", {"chroot_local_user": "YES"}, "/home/grp", "/home/grp"),
    "anonymous": ("ftp", {}, "/srv/ftp", "/srv/ftp"),
}
PORT_20 = {"port 20": "YES", "no port 20": "NO"}


@pytest.fixture(autouse=True)
def groups_of_the_caller():
    """The daemon is started with groups that none of its processes may keep."""
    before = os.getgroups()
    os.setgroups([0, 4, 27, 2001])
    yield
    os.setgroups(before)


@pytest.fixture(params=USERS)
def user(request):
    return USERS[request.param]


@pytest.fixture(params=PORT_20)
def port_20(request):
    return PORT_20[request.param]


@pytest.fixture
def logged_in(ftpd, home, user, port_20):
    """A session of each of USERS, with and without port 20."""
    return Session(ftpd(connect_from_port_20=port_20, **user[1])).login(user[0])


def kinds(pid):
    """The descriptors from 3 on, in no order; 0, 1 and 2 must be /dev/null."""
    table = posture.descriptors(pid)
    for number in range(3):
        assert table.pop(number) == ("null",), f"descriptor {number} is not /dev/null"
    return sorted(table.values())


def log_and_stderr(daemon):
    return [("file", str(daemon.log_path)), ("file", str(daemon.stderr_path))]


def check_rights(pid, uids, gids, groups, permitted, effective, bounding):
    """Ids, groups and all five capability sets."""
    assert posture.ids(pid, "Uid") == uids
    assert posture.ids(pid, "Gid") == gids
    assert posture.groups(pid) == groups
    assert posture.capabilities(pid, "Inh") == NONE
    assert posture.capabilities(pid, "Prm") == permitted
    assert posture.capabilities(pid, "Eff") == effective
    assert posture.capabilities(pid, "Bnd") == bounding
    assert posture.capabilities(pid, "Amb") == NONE


def check_nobody(pid, permitted=NONE):
    check_rights(pid, NOBODY, NOBODY, NONE, permitted, NONE, NONE)


def check_confined(pid, open_files):
    """What P, S and N after login have in common."""
    assert posture.no_new_privileges(pid)
    assert posture.filters(pid) == posture.filters(os.getpid()) + 2
    assert not posture.is_dumpable(pid)
    assert posture.limit(pid, "Max core file size") == (0, 0)
    assert posture.limit(pid, "Max processes") == (0, 0)
    assert posture.limit(pid, "Max msgqueue size") == (0, 0)
    assert posture.limit(pid, "Max locked memory") == (0, 0)
    assert posture.limit(pid, "Max open files") == (open_files, open_files)
    assert posture.inherited(pid) <= {0, 1, 2}


# Before login.

def test_listener(ftpd):
    daemon = ftpd()
    check_rights(daemon.pid, ROOT, ROOT, NONE, LISTENER_CAPABILITIES, LISTENER_CAPABILITIES,
                 LISTENER_CAPABILITIES)
    assert posture.filters(daemon.pid) == posture.filters(os.getpid()) + 1
    assert posture.limit(daemon.pid, "Max core file size") == (0, 0)
    assert posture.inherited(daemon.pid) <= {0, 1, 2}
    assert procs.wait_for(lambda: BOARD in posture.descriptors(daemon.pid).values())
    table = posture.descriptors(daemon.pid)
    assert table[0] == ("null",)
    assert table[1] == table[2] == ("file", str(daemon.stderr_path))
    rest = sorted(kind for number, kind in table.items() if number > 2)
    assert rest == sorted([("null",), ("null",), AUTH, PLACES, BOARD,
                           ("listen", 21), ("file", str(daemon.log_path))])


def test_listener_holds_nothing_of_a_session(ftpd, home):
    daemon = ftpd()
    before = posture.descriptors(daemon.pid)
    sessions = [Session(daemon), Session(daemon).login()]
    assert posture.descriptors(daemon.pid) == before
    assert len(sessions) == 2


def test_session_parent_before_login(ftpd):
    daemon = ftpd()
    pid = Session(daemon).parent
    check_rights(pid, ROOT, ROOT, NONE, LISTENER_CAPABILITIES, LISTENER_CAPABILITIES, NONE)
    assert posture.filters(pid) == posture.filters(os.getpid()) + 1
    assert posture.limit(pid, "Max core file size") == (0, 0)
    assert kinds(pid) == sorted([PRIV, CONTROL, AUTH, PLACES, *log_and_stderr(daemon)])
    assert posture.inherited(pid) <= {0, 1, 2}


def test_greeter(ftpd):
    pid = Session(ftpd()).child
    check_nobody(pid)
    check_confined(pid, open_files=16)
    assert posture.limit(pid, "Max file size") == (0, 0)
    assert kinds(pid) == sorted([PRIV, CONTROL])
    assert posture.root(pid) == posture.cwd(pid) == JAIL
    assert os.listdir(JAIL) == []


def test_greeter_is_the_same_after_failed_logins(ftpd):
    session = Session(ftpd())
    before = session.child
    session.client.cmds(("USER alice", 331), ("PASS wrong", 530), ("USER nosuchuser", 331),
                        ("PASS wrong", 530))
    assert session.child == before
    check_nobody(before)
    check_confined(before, open_files=16)
    assert kinds(before) == sorted([PRIV, CONTROL])


def test_processes_of_two_sessions_share_no_socket(ftpd, home):
    daemon = ftpd()
    sessions = [Session(daemon).login(), Session(daemon).login("bob"), Session(daemon)]
    inodes = []
    for session in sessions:
        own = set()
        for pid in session.pids:
            for name in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith("socket:"):
                    own.add(target)
        inodes.append(own)
    assert [len(own) for own in inodes] == [3, 3, 4], "a control connection, two ends; to V"
    assert len(set.union(*inodes)) == 10


# The program that starts verifiers, and the verifier.

def check_of_auth(pid):
    """What V and A have in common: the rights of the session parent before a login."""
    check_rights(pid, ROOT, ROOT, NONE, LISTENER_CAPABILITIES, LISTENER_CAPABILITIES, NONE)
    assert posture.filters(pid) == posture.filters(os.getpid()) + 1
    assert posture.limit(pid, "Max core file size") == (0, 0)
    assert posture.root(pid) == "/"


def test_auth_helper(ftpd):
    daemon = ftpd()
    (helper,) = daemon.auth_helpers()
    assert procs.wait_for(lambda: posture.capabilities(helper.pid, "Bnd") == NONE)
    check_of_auth(helper.pid)
    assert kinds(helper.pid) == sorted([AUTH, CHECKS])
    sessions = [Session(daemon), Session(daemon).login()]
    assert kinds(helper.pid) == sorted([AUTH, CHECKS])
    assert [one.pid for one in daemon.auth_helpers()] == [helper.pid]
    assert len(sessions) == 2
    assert b"\0" not in Path(f"/proc/{helper.pid}/environ").read_bytes()


def test_verifier(ftpd):
    daemon = ftpd()
    with HeldChecks(daemon) as held:
        session = Session(daemon)
        session.check()
        pid = session.verifier
        assert procs.wait_for(lambda: kinds(pid) == sorted([PRIV, CHECKS]))
        check_of_auth(pid)
        assert posture.ids(session.child, "Uid") == NOBODY
        held.release()
        session.client.reply(230)
    assert not gone([pid])
    assert len(session.pids) == 2


@pytest.mark.parametrize("password", ["wrong", "x" * 500])
def test_verifier_goes_away_after_a_refusal(ftpd, password):
    session = Session(ftpd())
    for _ in range(2):
        session.client.cmds(("USER alice", 331), (f"PASS {password}", 530))
        assert procs.wait_for(lambda: not session.daemon.verifiers())
        assert len(session.pids) == 2


# After login.

def test_session_parent_after_login(logged_in, port_20):
    pid = logged_in.parent
    check_nobody(pid, {"NET_BIND_SERVICE"} if port_20 == "YES" else NONE)
    check_confined(pid, open_files=64)
    assert kinds(pid) == sorted([PRIV, *log_and_stderr(logged_in.daemon)])
    assert posture.root(pid) == posture.cwd(pid) == JAIL


@pytest.mark.parametrize("options", [
    {"connect_from_port_20": "YES", "port_enable": "NO"},
    {"connect_from_port_20": "YES", "ftp_data_port": "2020"},
    {"connect_from_port_20": "NO"},
])
def test_session_parent_without_need_keeps_no_capability(ftpd, home, options):
    check_nobody(Session(ftpd(**options)).login().parent)


UPLOADS = {"write_enable": "YES", "anon_upload_enable": "YES", "connect_from_port_20": "NO"}


@pytest.mark.parametrize("name, chown, port_20, kept", [
    ("ftp", "YES", "NO", {"CHOWN"}),
    ("ftp", "YES", "YES", {"CHOWN", "NET_BIND_SERVICE"}),
    ("ftp", "NO", "NO", NONE),
    ("alice", "YES", "NO", NONE),  # her uploads stay hers
    ("alice", "YES", "YES", {"NET_BIND_SERVICE"}),
])
def test_session_parent_that_gives_uploads_away(ftpd, home, name, chown, port_20, kept):
    options = {**UPLOADS, "connect_from_port_20": port_20}
    session = Session(ftpd(chown_uploads=chown, **options)).login(name)
    check_nobody(session.parent, kept)
    check_confined(session.parent, open_files=64)
    assert posture.capabilities(session.child, "Prm") == NONE
    session.client.list(mode="port")
    check_nobody(session.parent, kept)


def test_session_parent_after_active_transfers(ftpd, home):
    """The capability is raised around bind(2) only, and the sockets are given away."""
    home.file("f", b"content")
    session = Session(ftpd(connect_from_port_20="YES")).login()
    for _ in range(3):
        assert session.client.retr("f", "port") == b"content"
        check_nobody(session.parent, {"NET_BIND_SERVICE"})
    assert kinds(session.parent) == sorted([PRIV, *log_and_stderr(session.daemon)])


def test_service(logged_in, user):
    name, _, root, cwd = user
    account = ALL[name]
    extra = {gid for group, gid in GROUPS.items()} if name in ("grp", "alice") else NONE
    pid = logged_in.child
    assert account.uid != 0 and account.gid != 0
    check_rights(pid, [account.uid] * 4, [account.gid] * 4, extra | {account.gid}, NONE, NONE, NONE)
    check_confined(pid, open_files=64)
    assert kinds(pid) == sorted([PRIV, CONTROL])
    assert posture.root(pid) == root
    assert posture.cwd(pid) == cwd
    assert os.path.samefile(f"/proc/{pid}/root/", root)


def test_service_has_a_fresh_socket_to_its_parent(ftpd, home):
    def ends(pid):
        return {os.readlink(f"/proc/{pid}/fd/{number}")
                for number, kind in posture.descriptors(pid).items() if kind == PRIV}

    session = Session(ftpd())
    greeter, before = session.child, ends(session.child) | ends(session.parent)
    session.login()
    after = ends(session.child) | ends(session.parent)
    assert len(before) == 3 and len(after) == 2  # before the login with the one to V
    assert not before & after
    assert procs.read(greeter) is None


def test_service_with_a_listener(ftpd, home):
    session = Session(ftpd()).login()
    port = session.client.pasv_address()[1]
    assert kinds(session.child) == sorted([PRIV, CONTROL, ("listen", port)])
    assert kinds(session.parent) == sorted([PRIV, *log_and_stderr(session.daemon)])


def test_service_in_a_transfer(ftpd, home):
    """The listener may stay for the next transfer; of files there is the one that is sent."""
    path = home.sparse("big", 1 << 30)
    session = Session(ftpd())
    session.retr()
    table = kinds(session.child)
    for kind in (PRIV, CONTROL, ("file", str(path))):
        table.remove(kind)
    assert [kind[0] for kind in table] in (["tcp"], ["listen", "tcp"])
    assert kinds(session.parent) == sorted([PRIV, *log_and_stderr(session.daemon)])


def test_service_after_transfers(ftpd, home):
    home.file("f", b"content")
    client = ftpd(connect_from_port_20="YES").login("alice")
    for mode in ("pasv", "epsv", "port", "eprt"):
        assert client.retr("f", mode) == b"content"
        client.stor("g", b"x" * 200000, mode)
        client.list(mode=mode)
        client.refused("RETR missing", 550, mode=mode)
    left = kinds(client_child(client))
    for kind in (PRIV, CONTROL):
        left.remove(kind)
    assert [kind[0] for kind in left] in ([], ["listen"])


def client_child(client):
    """The process that holds the server's end of the only session."""
    port = client.sock.getsockname()[1]
    assert port
    found = [pid for pid in procs.everyone()
             if pid != os.getpid() and CONTROL in posture.descriptors(pid).values()]
    assert len(found) == 1, found
    return found[0]


def test_filters_can_be_switched_off_and_nothing_else_goes_with_them(ftpd, home):
    daemon = ftpd(seccomp_sandbox="NO")
    session = Session(daemon).login()
    ours = posture.filters(os.getpid())
    assert {posture.filters(pid) for pid in [daemon.pid, *session.pids]} == {ours}
    check_nobody(session.parent)
    assert posture.no_new_privileges(session.parent)
    assert posture.no_new_privileges(session.child)
    assert posture.capabilities(session.child, "Bnd") == NONE


# What memory holds.

def secrets():
    """Every hash of /etc/shadow, and its part that is not the setting, both as bytes."""
    hashes = [line.split(":")[1].lstrip("!") for line in Path("/etc/shadow").read_text().split()]
    hashes = [text for text in hashes if text.startswith("$")]
    assert len(hashes) > 10
    return {text.encode() for text in hashes} | {text[-20:].encode() for text in hashes}


def test_memory_can_be_searched(ftpd, home):
    """What the tests below rely on."""
    daemon = ftpd(ftpd_banner=BANNER)
    session = Session(daemon)
    for pid in (daemon.pid, session.parent, session.child):
        assert posture.remembers(pid, {BANNER.encode(), b"no-such-text-" + b"1f"}) == {
            BANNER.encode()}
    session.login()
    for pid in session.pids:
        assert posture.remembers(pid, {BANNER.encode()})
    session.client.send("NOOP of-the-session")
    assert procs.wait_for(lambda: posture.remembers(session.child, {b"of-the-session"}))


def test_verifier_alone_knows_hashes_and_password(ftpd):
    daemon = ftpd()
    with HeldChecks(daemon):
        session = Session(daemon)
        session.check()
        own = [line.split(":")[1].encode() for line in Path("/etc/shadow").read_text().split()
               if line.startswith("alice:")]
        wait = procs.wait_for(lambda: posture.remembers(session.verifier, set(own)))
        assert wait, "the verifier has not read the hash"
        assert posture.remembers(session.verifier, {b"secret-alice"})
        for pid in (daemon.pid, daemon.auth_helpers()[0].pid, session.parent, session.child):
            assert not posture.remembers(pid, secrets())
        assert not posture.remembers(daemon.auth_helpers()[0].pid, {b"secret-alice"})


def test_no_hash_in_a_process_that_lives_on(ftpd, home):
    daemon = ftpd()
    early = Session(daemon)
    session = Session(daemon)
    session.client.cmds(("USER bob", 331), ("PASS wrong", 530))
    session.login("bob")
    for pid in (daemon.pid, daemon.auth_helpers()[0].pid, *early.pids, *session.pids):
        assert not posture.remembers(pid, secrets()), procs.read(pid)


def test_no_hash_in_the_listener_after_reloads(ftpd):
    daemon = ftpd()
    for number in range(3):
        daemon.reload(ftpd_banner=f"number {number}")
        text = "configuration read again"
        assert procs.wait_for(lambda: daemon.stderr.count(text) > number)
    assert not posture.remembers(daemon.pid, secrets())


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_no_password_in_a_process_that_lives_on(ftpd, home, name):
    daemon = ftpd()
    session = Session(daemon).login(name)
    session.client.in_step()
    for pid in (daemon.pid, *session.pids):
        assert not posture.remembers(pid, {ALL[name].password.encode()}), procs.read(pid)


def nobody_remembers(daemon, session, secret):
    """Each process forgets it soon after the reply, which another one may have sent."""
    return procs.wait_for(lambda: not any(posture.remembers(pid, {secret.encode()})
                                          for pid in (daemon.pid, *session.pids)))


def test_no_wrong_password_stays_behind(ftpd, home):
    daemon = ftpd()
    session = Session(daemon)
    wrong = "wrong-password-" + "7e41"
    session.client.cmds(("USER alice", 331), (f"PASS {wrong}", 530))
    assert nobody_remembers(daemon, session, wrong)
    session.login()
    assert nobody_remembers(daemon, session, wrong)


def test_others_may_not_look_into_a_session(ftpd, home):
    """Not even a process of the same user: nobody runs other things, too."""
    session = Session(ftpd())
    pids = session.pids[1:] + Session(session.daemon).login().pids
    for pid in pids:
        uid = posture.ids(pid, "Uid")[0]
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                with open(f"/proc/{pid}/mem", "rb"):
                    os._exit(1)
            except PermissionError:
                os._exit(0)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, procs.read(pid)
