"""deny_file: names that nobody can use, in whatever command and however they are spelled.

The verbs are those of the tables in ftpproto.c: a row that is new there fails a test here until it is
known what it does with a path.
"""

import re

import pytest

import procs
from mlsx import mlsd
from rules import snapshot
from test_every_verb import ROWS, SOURCE

OPTIONS = ("deny_file",)

# Rows that name a path besides other things, or need not name one: all lines with {} for a path.
LINES = {
    "AVBL": ["{}"], "CWD": ["{}"], "XCWD": ["{}"],
    "COMB": ["{} part", "f {}", "f part {}", '"{}" part'],
    "LIST": ["{}", "-la {}", "-d {}", "{}/*"], "NLST": ["{}", "-R {}"], "MLSD": ["{}"],
    "MLST": ["{}"], "STAT": ["{}", "-l {}"], "STOU": ["{}"],
    "MDTM": ["{}", "20200101000000 {}"], "MFMT": ["20200101000000 {}"],
    "MFF": ["modify=20200101000000; {}", "UNIX.mode=0600; {}", "UNIX.group=alice; {}"],
    "PRET": ["RETR {}", "STOR {}", "LIST {}"],
    "XCRC": ["{}", "{} 0 1", '"{}"', '"{}" 0 1'],
    **{verb: ["{}", "{} 0 1", '"{}" 0'] for verb in ("XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512")},
    "CHMOD": ["600 {}"], "SITE CHMOD": ["600 {}"], "SITE CHGRP": ["alice {}"],
    "SITE COPY": ["{} new", "f {}", '"{}" new'],
    "SITE SYMLINK": ["{} new", "f {}"],
    "SITE UTIME": ["20200101000000 {}", "{} 20200101000000 20200101000000 20200101000000 UTC"],
}
# What has to come before a line.
BEFORE = {"RNTO": "RNFR f", "SITE CPTO": "SITE CPFR f"}

# Rows whose argument, if there is one, is no path.
WITHOUT_PATH = set("""
    ABOR ACCT ALLO AUTH CCC CDUP CLNT CSID EPRT EPSV FEAT HELP LANG MODE NOOP NOP OPTS PASS PASV PBSZ
    P@SW PORT PROT PWD QUIT RANG REIN REST SITE STRU SYST TYPE USER XCUP XPWD
""".split()) | {"SITE HELP", "SITE IDLE", "SITE UMASK"}

NEEDS_DATA = {"APPE", "LIST", "MLSD", "NLST", "RETR", "STOR", "STOU"}


def argument_rules():
    """The argument rule of each row, by its name; an own look at the table."""
    text = SOURCE.read_text()
    found = {}
    for table, prefix in (("ftp_commands", ""), ("ftp_site_commands", "SITE ")):
        (body,) = re.findall(rf"struct command {table}\[\] = \{{(.*?)\n\}};", text, re.DOTALL)
        for verb, handler, rule in re.findall(
                r'\{\s*"([^"]+)",\s*(\w+),[^"]*?(ARG_\w+),', body):
            found[prefix + verb] = (handler, rule)
    return found


RULES = argument_rules()
REFUSED_ANYWAY = {name for name, (handler, _) in RULES.items()
                  if handler in ("cmd_not_implemented", "cmd_other_protocol")}


def lines_of(name):
    """The lines of a row, with {} for a path; nothing for a row without one."""
    if name in LINES:
        return [f"{name} {line}" for line in LINES[name]]
    return [f"{name} {{}}"] if RULES[name][1] == "ARG_PATH" else []


ALL_LINES = [(name, line) for name in RULES for line in lines_of(name)]


def test_every_row_is_known_here():
    assert set(RULES) == {row.name for row in ROWS}
    for name, (_, rule) in RULES.items():
        known = [name in LINES, name in WITHOUT_PATH, name in REFUSED_ANYWAY, rule == "ARG_PATH"]
        assert sum(known) == 1, f"{name}: what does it do with paths? {known}"


@pytest.fixture
def things(home):
    home.file("f", b"content")
    home.file("part", b"part")
    home.file("secret.txt", b"secret content")
    home.dir("secret/deep/deeper")
    home.file("secret/deep/in", b"in")
    home.file("secret/in", b"in")
    home.dir("d/sub")
    home.file("d/secret.txt", b"secret content")
    home.file("d/x", b"x")
    return home


def reply_to(client, name, line):
    """The last reply to a line, with what has to come before it."""
    if name in BEFORE:
        client.cmd(BEFORE[name], 350)
    if name not in NEEDS_DATA:
        return client.cmd(line)
    with client.pasv()():
        reply = client.cmd(line)
    return client.reply() if reply.code == 150 else reply


@pytest.mark.parametrize("name, line", ALL_LINES, ids=[line for _, line in ALL_LINES])
def test_every_verb_refuses(ftpd, things, name, line):
    """Files, directories and what is below them, there or not, and new names."""
    before = snapshot(things.path)
    client = ftpd(deny_file="secret*").login("alice")
    for path in ("secret", "secret.txt", "secret/in", "d/../secret/deep/in", "d/secret.txt",
                 "/home/alice/secret.new", "secret/new/dir", "~/secret", "./secret/", "//home//alice//secret"):
        reply = reply_to(client, name, line.format(path))
        assert reply.lines == ["550 Permission denied."], f"{line.format(path)}: {reply!r}"
    client.in_step()
    assert snapshot(things.path) == before


@pytest.mark.parametrize("name, line", ALL_LINES, ids=[line for _, line in ALL_LINES])
def test_every_verb_goes_on_with_the_rest(ftpd, things, name, line):
    """The same lines do something else with a name that is not denied."""
    client = ftpd(deny_file="secret*").login("alice")
    reply = reply_to(client, name, line.format("d/x"))
    assert reply.lines != ["550 Permission denied."], f"{reply!r}"


@pytest.mark.parametrize("pattern, denied, allowed", [
    ("secret", ["secret", "secret.txt", "d/secret.txt", "top secret", "secret/in"], ["f", "Secret"]),
    ("*.mp3", ["a.mp3", "a.mp3.mp3", ".mp3", "d/a.mp3", "d.mp3/x"], ["a.mp3x", "a.MP3", "mp3"]),
    ("{*.exe,*.sh}", ["a.exe", "d/b.sh"], ["a.txt", "exe"]),
    ("{.*,*~}", [".profile", ".ssh/keys", "old~"], ["a.b", "~a"]),
    ("secret?txt", ["secret.txt"], ["secret.text", "secrettxt"]),
    ("[sS]ecret", ["secret", "Secret", "Secret/x"], ["secrets", "ecret"]),
    ("d/*.txt", ["d/a.txt", "d/sub/a.txt"], ["a.txt", "dd/a.txt"]),
    ("/home/alice/d/*.txt", ["d/a.txt"], ["a.txt"]),
    ("/home/*/secret", ["secret", "secret/in"], ["secrets"]),
    ("alice", ["alice", "my alice"], ["f", "d/x"]),
    ("", [], ["secret", "f"]),
], ids=str)
def test_patterns(ftpd, things, pattern, denied, allowed):
    """MLST of what does not exist tells of it; what is denied is not looked for."""
    client = ftpd(deny_file=pattern).login("alice")
    for path in denied:
        assert client.cmd(f"SIZE {path}", 550).text == "Permission denied.", path
    for path in allowed:
        assert client.cmd(f"SIZE {path}").text != "Permission denied.", path


@pytest.mark.parametrize("spelling", [
    "secret/in", "./secret/in", "secret//in", "secret/./in", "d/../secret/in", "d/./../secret/in",
    "/home/alice/secret/in", "//home/alice/secret/in", "/home/../home/alice/secret/in",
    "../alice/secret/in", "~/secret/in", "~/d/../secret/in", "secret/../secret/in",
    "link/in", "d/up/secret/in", "deep/../in", "chain/in", "d/absolute/in",
])
def test_spellings(ftpd, things, spelling):
    things.link("link", "secret")
    things.link("d/up", "..")
    things.link("deep", "secret/deep")
    things.link("chain", "link")
    things.link("d/absolute", "/home/alice/secret")
    client = ftpd().login("alice")
    assert client.retr(spelling) == b"in"
    client.close()
    client = ftpd(deny_file="secret", listen_port="2121").login("alice")
    assert client.refused(f"RETR {spelling}", 550).text == "Permission denied."


@pytest.mark.parametrize("start", ["d", "d/sub", "..", "/"])
def test_another_directory_is_no_way_around(ftpd, things, start):
    client = ftpd(deny_file="secret").login("alice")
    client.cmd(f"CWD {start}", 250)
    for path in ("/home/alice/secret/in", "~/secret/in"):
        client.refused(f"RETR {path}", 550)
        client.cmd(f"DELE {path}", 550)
    if start == "d":
        client.refused("RETR ../secret/in", 550)
        client.refused("RETR secret.txt", 550)


@pytest.mark.parametrize("line", ["CWD secret", "CWD secret/deep", "CWD link", "XCWD link/deep"])
def test_denied_directory_cannot_be_entered(ftpd, things, line):
    things.link("link", "secret")
    client = ftpd(deny_file="secret").login("alice")
    client.cmd(line, 550)
    assert client.pwd() == "/home/alice"


def test_start_directory_may_match(ftpd, things):
    """Where the configuration puts a user is no name that the user has chosen."""
    client = ftpd(deny_file="{home,alice}").login("alice")
    assert client.retr("f") == b"content"
    client.cmds(("CWD d", 250), ("CDUP", 250), ("CWD ~", 250), ("CWD /home/alice/d", 250))
    client.cmds(("CWD /home", 550), ("CWD ..", 250), ("CWD ..", 550), ("CWD ../..", 250),
                ("CWD home", 550), ("CWD home/alice", 250))


def test_in_a_chroot_the_root_is_the_users(ftpd, things):
    client = ftpd(deny_file="/secret", chroot_local_user="YES").login("alice")
    client.refused("RETR /secret/in", 550)
    client.refused("RETR ../../secret.txt", 550)
    assert client.retr("f") == b"content"


def test_names_are_still_listed(ftpd, things):
    """As in vsftpd: hide_file is for that. The fact perm says what is to be had of them: nothing."""
    client = ftpd(deny_file="secret*").login("alice")
    assert {"secret", "secret.txt", "f"} < set(client.names())
    entries = mlsd(client)
    assert entries["secret"]["perm"] == entries["secret.txt"]["perm"] == ""
    assert entries["f"]["perm"] == "adfrw"
    assert "secret" in client.nlst("s*")


@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_recursive_listings_stay_out(ftpd, things, verb):
    things.file("d/sub/in2")
    client = ftpd(deny_file="secret", ls_recurse_enable="YES").login("alice")
    text = "\n".join(client.list("-R", verb))
    assert "in2" in text and "secret" in text
    assert "deeper" not in text and "secret/in" not in text and "secret:" not in text


def test_recursive_removal_stays_out(ftpd, things):
    client = ftpd(deny_file="secret*").login("alice")
    client.cmd("SITE RMDIR d", 550)
    assert (things / "d/secret.txt").read_bytes() == b"secret content"
    (things / "d/secret.txt").unlink()
    things.dir("d/sub/secrets")
    things.file("d/sub/secrets/kept")
    client.cmd("SITE RMDIR d", 550)
    assert (things / "d/sub/secrets/kept").exists()
    client.cmd("MKD e", 257)
    client.cmds(("MKD e/f", 257), ("SITE RMDIR e", 200))


def test_link_that_leads_there_can_be_removed_but_not_followed(ftpd, things):
    things.link("link", "secret")
    client = ftpd(deny_file="secret").login("alice")
    client.cmds(("SIZE link", 550), ("CWD link", 550), ("SITE CHMOD 700 link", 550))
    client.cmds(("RNFR link", 350), ("RNTO other", 250), ("DELE other", 250))
    assert (things / "secret" / "in").exists()


@pytest.mark.parametrize("target", ["secret", "secret/in", "./d/../secret", "/home/alice/secret",
                                    "secret.new"])
def test_no_link_is_made_to_it(ftpd, things, target):
    client = ftpd(deny_file="secret*").login("alice")
    client.cmd(f"SITE SYMLINK {target} new", 550)
    client.cmd(f"SITE SYMLINK ../{target.removeprefix('/')} d/new", 550)
    assert not (things / "new").is_symlink() and not (things / "d" / "new").is_symlink()


def test_stou_passes_over_denied_names(ftpd, things):
    client = ftpd(deny_file="{*.1,*.2}").login("alice")
    client.stor("f", b"x", verb="STOU")
    assert (things / "f.3").read_bytes() == b"x"


def test_mdtm_looks_at_the_path_and_not_at_the_time(ftpd, things):
    client = ftpd(deny_file="2020*").login("alice")
    client.cmd("MDTM 20200101000000 f", 213)
    client.cmd("XCRC f 0 1", 250)


def test_per_session_work_is_bounded(ftpd, things):
    """Each path has steps of its own: a session does not run dry."""
    client = ftpd(deny_file="*a*b*c*d*e*").login("alice")
    for _ in range(200):
        client.cmd("SIZE " + "a" * 200, 550)
    assert client.retr("f") == b"content"


def daemon_logs(daemon, pattern):
    """Is there such a line, or will there be soon?"""
    return procs.wait_for(lambda: re.search(pattern, daemon.log))


def test_refusals_are_logged(ftpd, things):
    daemon = ftpd(deny_file="secret")
    client = daemon.login("alice")
    client.refused("RETR secret/in", 550)
    client.refused("STOR secret.new", 550)
    client.cmds(("DELE secret.txt", 550), ("MKD secret.d", 550), ("RMD secret", 550), ("NOOP", 200))
    for words in ("FAIL DOWNLOAD", "FAIL UPLOAD", "FAIL DELETE", "FAIL MKDIR", "FAIL RMDIR"):
        assert daemon_logs(daemon, rf"\[alice\] {words}: .*secret"), words


def test_anonymous_users(ftpd):
    client = ftpd(deny_file="data*").anonymous()
    client.refused("RETR pub/data.bin", 550)
    assert client.retr("pub/readme.txt") == b"Hello, world.\n"
