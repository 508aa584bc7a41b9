"""Every row of the two command tables: it has tests, the daemon knows it, and HELP lists it.

The tables are read from ftpproto.c; a test file covers the verb of its name (test_site_chmod.py:
SITE CHMOD), or those in its set VERBS.
"""

import ast
import importlib
import re
from collections import namedtuple
from pathlib import Path

import pytest

import codes

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent.parent / "ftpproto.c"

# `name` has "SITE " in front for the subcommands; `flags` is a set of words.
Row = namedtuple("Row", "name handler flags")

# What works before a login; for anything else one has to log in.
EARLY = """
    ABOR ACCT ADAT AUTH CCC CLNT CONF CONNECT DELETE EHLO ENC FEAT GET HEAD HELO HELP HOST LANG MIC
    NOOP NOP OPTIONS OPTS PASS PATCH PBSZ POST PROT PUT QUIT REIN STAT SYST TRACE USER
""".split()

ROW = re.compile(r'\{\s*"(?P<verb>[^"]+)"\s*,\s*(?P<handler>\w+)\s*,\s*(?P<flags>[^,]*?)\s*,')


def read_table(table, prefix):
    """The rows of one table."""
    text = re.sub(r"/\*.*?\*/", "", SOURCE.read_text(), flags=re.DOTALL)
    (body,) = re.findall(rf"struct command {table}\[\]\s*=\s*\{{(.*?)\n\}};", text, re.DOTALL)
    rows = [Row(prefix + match["verb"], match["handler"], set(re.findall(r"\w+", match["flags"])))
            for match in ROW.finditer(body)]
    count = len(re.findall(r'\{\s*"', body)) - 1  # the empty one at the end
    assert len(rows) == count == len({row.name for row in rows}), f"{table} is not understood"
    return rows


COMMANDS = read_table("ftp_commands", "")
SITE_COMMANDS = read_table("ftp_site_commands", "SITE ")
ROWS = COMMANDS + SITE_COMMANDS


@pytest.mark.parametrize("table", [COMMANDS, SITE_COMMANDS], ids=["commands", "site"])
def test_table_is_sorted(table):
    """They are searched by halves."""
    names = [row.name.encode() for row in table]
    assert names == sorted(names)


NAMES = {row.name for row in ROWS}
OTHER_PROTOCOLS = [row for row in ROWS if row.handler == "cmd_other_protocol"]


def covered_by(path):
    """The names of the rows that a test file says it covers."""
    declared = getattr(importlib.import_module(path.stem), "VERBS", None)
    if declared is not None:
        return set(declared)
    name = path.stem.removeprefix("test_").upper()
    return {name.replace("_", " ", 1) if name.startswith("SITE_") else name} & NAMES


COVERED = {path: covered_by(path) for path in sorted(HERE.glob("test_*.py"))
           if path.stem != Path(__file__).stem}


def strings(path):
    """The text of all string constants in a file, those that only describe or declare left out."""
    tree = ast.parse(path.read_text())
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "VERBS":
            node.value = ast.Constant(None)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
        elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            value = node.value
            found.append(value.decode("latin-1") if isinstance(value, bytes) else value)
    return "\n".join(found)


def test_tables_are_found():
    names = [row.name for row in ROWS]
    assert len(names) > 60 and {"ABOR", "USER", "P@SW", "TRACE", "SITE CHMOD"} < set(names)
    assert len(OTHER_PROTOCOLS) > 5


@pytest.mark.parametrize("name", sorted(NAMES))
def test_has_a_test_file(name):
    assert any(name in names for names in COVERED.values()), f"no test file covers {name}"


@pytest.mark.parametrize("path", [path for path in COVERED if COVERED[path]],
                         ids=lambda path: path.stem)
def test_file_speaks_of_what_it_covers(path):
    assert COVERED[path] <= NAMES, f"not in the tables: {COVERED[path] - NAMES}"
    text = strings(path)
    for name in COVERED[path]:
        assert re.search(rf"(?<![\w@]){re.escape(name)}(?![\w@])", text), f"no test says {name}"


def unknown(reply):
    return reply.code == 500 and "Unknown" in reply.text


@pytest.mark.parametrize("login", [False, True], ids=["before login", "after login"])
def test_is_known(ftpd, home, login):
    daemon = ftpd()
    for row in ROWS:
        client = daemon.login("alice") if login else daemon.connect()
        reply = client.cmd(row.name)
        assert not unknown(reply), f"{row.name}: {reply!r}"
        if row in OTHER_PROTOCOLS:
            assert reply.code == codes.CROSS_PROTOCOL, f"{row.name}: {reply!r}"
            client.wait_closed()
        elif row.name == "QUIT":
            client.wait_closed()
        else:
            client.in_step()
        client.close()
    assert unknown(daemon.connect().cmd("XYZZY"))
    if login:
        assert unknown(daemon.login("alice").cmd("SITE XYZZY"))


def test_login_is_needed_for_all_the_others(ftpd, home):
    daemon = ftpd()
    for row in ROWS:
        for argument in [""] if row.name in EARLY else ["", " x"]:
            client = daemon.connect()
            reply = client.cmd(row.name + argument)
            refused = reply.code == 530
            assert refused != (row.name in EARLY), f"{row.name}{argument}: {reply!r}"
            client.close()
    assert set(EARLY) <= NAMES
    assert home.names() == []


# What anonymous users need beside write_enable for a row with CMD_WRITE.
ANONYMOUS_RIGHTS = {"CMD_UPLOAD": "anon_upload_enable", "CMD_MAKEDIR": "anon_mkdir_write_enable",
                    "CMD_CHANGE": "anon_other_write_enable"}


def is_refused(row, options, user):
    """True if the configuration refuses the command to the user (None: before login)."""
    needed = {"CMD_WRITE": "write_enable", "CMD_PASV": "pasv_enable", "CMD_PORT": "port_enable",
              "CMD_HASH": "hash_enable", "CMD_CRC": "hash_enable", "CMD_GET": "download_enable",
              "CMD_SHOW": "dirlist_enable", "CMD_CHMOD": "chmod_enable"}
    if any(options.get(needed[flag]) == "NO" for flag in row.flags & set(needed)):
        return True
    if "CMD_TLS" in row.flags and options.get("ssl_enable") != "YES":
        return True
    if user != "anonymous":
        return False
    rights = row.flags & set(ANONYMOUS_RIGHTS)
    return "CMD_LOCAL" in row.flags or ("CMD_WRITE" in row.flags and not rights) or \
        any(options.get(ANONYMOUS_RIGHTS[flag]) != "YES" for flag in rights)


@pytest.mark.parametrize("options", [
    {}, {"write_enable": "NO"}, {"pasv_enable": "NO"}, {"port_enable": "NO"}, {"hash_enable": "NO"},
    {"download_enable": "NO"}, {"dirlist_enable": "NO"}, {"chmod_enable": "NO"},
    *({name: "YES"} for name in ANONYMOUS_RIGHTS.values()),
    dict.fromkeys(ANONYMOUS_RIGHTS.values(), "YES"),
    {"ssl_enable": "YES", "force_local_logins_ssl": "NO"},
], ids=lambda options: "+".join(options))
@pytest.mark.parametrize("user", ["alice", "anonymous", None])
def test_help_lists_what_is_enabled(ftpd, ftps, home, options, user):
    daemon = (ftps if "ssl_enable" in options else ftpd)(**options)
    client = {"alice": daemon.login, "anonymous": daemon.anonymous, None: daemon.connect}[user]()
    for line, rows in (("HELP", COMMANDS), ("HELP SITE", SITE_COMMANDS)):
        listed = " ".join(client.cmd(line, 214).lines[1:-1]).split()
        assert sorted(listed) == sorted(
            row.name.removeprefix("SITE ") for row in rows
            if "CMD_HIDDEN" not in row.flags and not is_refused(row, options, user))
        assert len(listed) > (0 if "SITE" in line else 20)


@pytest.mark.parametrize("options", [
    {}, *({name: "YES"} for name in ANONYMOUS_RIGHTS.values()),
    dict.fromkeys(ANONYMOUS_RIGHTS.values(), "YES"),
    {**dict.fromkeys(ANONYMOUS_RIGHTS.values(), "YES"), "write_enable": "NO"},
], ids=lambda options: "+".join(options))
def test_refused_to_anonymous_users(ftpd, options):
    """Whatever comes with the command, 550 comes before it is looked at; and the others work."""
    daemon = ftpd(**options)
    client = daemon.anonymous()
    for row in ROWS:
        if not row.flags & {"CMD_WRITE", "CMD_LOCAL"}:
            continue
        reply = client.cmd(row.name)
        assert (reply.code == 550) == is_refused(row, options, "anonymous"), f"{row.name}: {reply!r}"
