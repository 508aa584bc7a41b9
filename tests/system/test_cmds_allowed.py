"""cmds_allowed and cmds_denied: which commands a user may give after the login."""

import pytest

from accounts import ALL
from ftpraw import receive_all, receive_exactly
from sessions import connect_slow
from test_every_verb import ROWS

OPTIONS = ("cmds_allowed", "cmds_denied")

REFUSED = "550 Permission denied."
BASIC = "USER,PASS,PWD,CWD,TYPE,PASV,QUIT"
ALIASES = [{"XCUP", "CDUP"}, {"XCWD", "CWD"}, {"XMKD", "MKD"}, {"XPWD", "PWD"}, {"XRMD", "RMD"},
           {"NOP", "NOOP"}, {"P@SW", "PASV"}, {"CHMOD", "SITE CHMOD"}, {"XSHA", "XSHA1"}]

# What works by another command is refused together with it.
EXTENSIONS = {
    "MKD": ["SITE MKDIR"], "RMD": ["SITE RMDIR"], "DELE": ["SITE RMDIR", "COMB"], "APPE": ["COMB"],
    "STOR": ["SITE COPY", "SITE CPFR", "SITE CPTO", "SITE SYMLINK"], "LIST": ["MLSD", "MLST"],
    "MDTM": ["MFMT", "MFF", "SITE UTIME"],
    "RETR": ["HASH", "MD5", "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512"],
    "SITE": [row.name for row in ROWS if row.name.startswith("SITE ")] + ["CHMOD"],
}


def names_of(verb):
    """All names of a command."""
    return next((names for names in ALIASES if verb in names), {verb})


def is_refused(client, line):
    """True if the line is refused by a list; it has no argument, so nothing else refuses it so."""
    return client.cmd(line).lines == [REFUSED]


@pytest.fixture
def login(ftpd, home):
    """login(option=...) starts a daemon and returns a client of it."""
    home.file("f", b"content")
    return lambda **options: ftpd(**options).login("alice")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_denied_command(login, row):
    """By all its names, and nothing else but what does the same."""
    client = login(cmds_denied=row.name)
    refused = names_of(row.name).union(EXTENSIONS.get(row.name, []))
    for name in refused:
        assert is_refused(client, name), name
    for other in ("NOOP", "PWD", "STAT", "MKD", "SITE", "SITE CHMOD", "RETR", "MLST", "PASV", "SYST"):
        if other not in refused:
            assert not is_refused(client, other), other


def test_allowed_commands_and_no_others(login):
    client = login(cmds_allowed=BASIC)
    allowed = set().union(*map(names_of, BASIC.split(",")))
    for row in ROWS:
        if row.name != "QUIT":
            assert is_refused(client, row.name) == (row.name not in allowed), row.name
    client.cmd("QUIT", 221)


@pytest.mark.parametrize("listed", ["pwd,quit", " PWD , QUIT ", "PWD,\tQUIT", ",,PWD,,QUIT,",
                                    "XPWD,quit", "PWD,QUIT,NOSUCH,PWD", '"PWD",PWD,QUIT'])
def test_lists_are_read_with_patience(login, listed):
    client = login(cmds_allowed=listed)
    assert client.pwd() == "/home/alice"
    assert is_refused(client, "NOOP")
    client.cmd("QUIT", 221)


@pytest.mark.parametrize("empty", ["", None])
def test_no_list_allows_everything(login, empty):
    client = login(cmds_allowed=empty, cmds_denied=empty)
    client.cmds(("PWD", 257), ("NOOP", 200), ("QUIT", 221))


def test_denied_counts_before_allowed(login):
    client = login(cmds_allowed=BASIC, cmds_denied="PWD")
    assert is_refused(client, "PWD") and is_refused(client, "XPWD")
    client.cmd("CWD /", 250)


def test_quit_has_to_be_listed(ftpd, home):
    """Without it the session ends when the client closes."""
    daemon = ftpd(cmds_allowed="PWD")
    client = daemon.login("alice")
    assert is_refused(client, "QUIT")
    assert client.pwd() == "/home/alice"
    client.close()
    assert not daemon.wait_no_sessions()


def test_lists_are_for_users(ftpd, home):
    """Before the login everything works, and a login does."""
    daemon = ftpd(cmds_allowed="PWD", cmds_denied="USER,PASS,SYST,FEAT,NOOP,QUIT")
    client = daemon.connect()
    client.cmds(("SYST", 215), ("FEAT", 211), ("NOOP", 200), ("HELP", 214), ("STAT", 211))
    client.login("alice", ALL["alice"].password)
    assert is_refused(client, "SYST")
    daemon.connect().cmd("QUIT", 221)


@pytest.mark.parametrize("verb", ["RETR", "STOR", "MKD", "REST", "RNFR", "XYZZY"])
def test_refused_command_does_nothing(login, home, verb):
    client = login(cmds_allowed="PASV,QUIT")
    for argument in ("", " f", " new"):
        client.cmd(verb + argument, 500 if verb == "XYZZY" else 550)
    assert home.names() == ["f"]


def test_feat_and_help_offer_what_is_allowed(login):
    client = login(cmds_denied="MDTM,MLSD,EPSV,SITE CHMOD")
    features = [line.strip().split(" ")[0] for line in client.cmd("FEAT", 211).lines[1:-1]]
    assert {"SIZE", "PASV", "REST"} < set(features)
    assert not {"MDTM", "MFMT", "MFF", "MLST", "EPSV"} & set(features)
    assert " SITE CHMOD" not in client.cmd("FEAT", 211).lines
    listed = " ".join(client.cmd("HELP", 214).lines).split()
    assert "SIZE" in listed and not {"MDTM", "MLSD", "EPSV", "MFMT"} & set(listed)
    assert "CHMOD" not in " ".join(client.cmd("HELP SITE", 214).lines).split()
    client.cmds(("HELP MDTM", 502), ("HELP SIZE", 214), ("PRET RETR f", 200))


def test_commands_of_site_one_by_one(login, home):
    client = login(cmds_allowed="SITE CHMOD,SITE UMASK,QUIT")
    client.cmds(("SITE CHMOD 600 f", 200), ("SITE UMASK", 200), ("CHMOD 644 f", 200))
    assert is_refused(client, "SITE IDLE") and is_refused(client, "SITE CHGRP alice f")
    client.close()
    client = login(cmds_denied="site chmod", listen_port="2121")
    client.cmds(("SITE UMASK", 200), ("SITE IDLE", 200))
    assert is_refused(client, "SITE CHMOD 600 f") and is_refused(client, "CHMOD 600 f")
    assert is_refused(client, "MFF UNIX.mode=0600; f")


def test_site_alone_does_not_let_through_what_the_list_leaves_out(login, home):
    client = login(cmds_allowed="SITE,PWD,QUIT")
    client.cmds(("SITE CHMOD 600 f", 200), ("SITE IDLE", 200), ("SITE HELP", 214))
    for line in ("MKDIR d", "RMDIR d", "COPY f g", "CPFR f", "SYMLINK f g", "UTIME 20200101000000 f"):
        assert is_refused(client, "SITE " + line), line
    client.close()
    client = login(cmds_allowed="SITE,MKD,QUIT", listen_port="2121")
    client.cmd("SITE MKDIR d", 200)
    assert is_refused(client, "SITE RMDIR d")


def test_extension_can_be_allowed_by_its_own_name(login):
    client = login(cmds_allowed="MLST,SITE MKDIR,QUIT")
    client.cmds(("MLST f", 250), ("SITE MKDIR d", 200))
    assert is_refused(client, "MLSD") and is_refused(client, "MKD e")


def test_refused_abor_does_not_end_a_transfer(ftpd, home):
    home.sparse("big", 8 << 20)
    client = ftpd(cmds_denied="ABOR,NOOP").login("alice")
    client.cmd("TYPE I", 200)
    data = connect_slow(client, client.pasv_address())
    client.cmd("RETR big", 150)
    got = len(receive_exactly(data, 100000))
    client.send_line("ABOR")
    client.send_line("NOOP")
    assert got + len(receive_all(data)) == 8 << 20
    for code in (226, 550, 550):
        client.reply(code)


def test_rein_after_login(login):
    assert is_refused(login(cmds_denied="REIN"), "REIN")
