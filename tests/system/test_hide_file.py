"""hide_file: names that listings leave out, and that are there for who knows them."""

import pytest

from ftpraw import list_entry
from mlsx import mlsd, mlst

OPTIONS = ("hide_file",)


@pytest.fixture
def things(home):
    for name in ("a.tmp", "b.txt", ".tmp", "secret", "my secret.txt", "Secret"):
        home.file(name, name.encode())
    home.dir("cache.tmp/sub")
    home.file("cache.tmp/in", b"in")
    home.file("cache.tmp/in.tmp", b"in")
    home.dir("d")
    home.file("d/c.tmp")
    home.file("d/e.txt")
    return home


def everything(client, path=""):
    """The names in a directory, about which all listings agree; dots are left out."""
    names = set(client.names(f"-A {path}"))
    assert {name.removeprefix(f"{path}/") for name in client.nlst(f"-A {path}")} == names
    assert set(mlsd(client, path)) - {".", ".."} == names
    status = client.cmd(f"STAT {path or '.'}", 213).lines[1:-1]
    assert {list_entry(line)["name"] for line in status} - {".", ".."} == names
    return names


@pytest.mark.parametrize("pattern, hidden", [
    (None, set()), ("", set()),
    ("*.tmp", {"a.tmp", ".tmp", "cache.tmp"}),
    ("secret", {"secret", "my secret.txt"}),
    ("[sS]ecret", {"secret", "Secret"}),
    ("{*.tmp,b.*}", {"a.tmp", ".tmp", "cache.tmp", "b.txt"}),
    ("?", {"d"}),
    ("*", {"a.tmp", "b.txt", ".tmp", "secret", "my secret.txt", "Secret", "cache.tmp", "d"}),
    ("/home/alice/d", {"d"}), ("/d", {"d"}), ("alice/[ab]*", {"a.tmp", "b.txt"}),
    ("/home/alice/d/*", set()),
], ids=str)
def test_what_listings_leave_out(ftpd, things, pattern, hidden):
    client = ftpd(hide_file=pattern).login("alice")
    assert everything(client) == set(things.names()) - hidden


def test_pattern_of_a_path(ftpd, things):
    client = ftpd(hide_file="/home/alice/d/*.tmp").login("alice")
    assert everything(client, "d") == {"e.txt"}
    assert "a.tmp" in everything(client)


@pytest.mark.parametrize("path", ["d", "/home/alice/d", "~/d", "./d", "d/../d"])
def test_other_directories(ftpd, things, path):
    client = ftpd(hide_file="*.tmp").login("alice")
    assert client.names(path) == ["e.txt"]
    assert set(mlsd(client, path)) - {".", ".."} == {"e.txt"}


def test_who_knows_the_name_can_use_it(ftpd, things):
    client = ftpd(hide_file="{*.tmp,secret}").login("alice")
    assert client.retr("a.tmp") == b"a.tmp"
    assert mlst(client, "secret").facts["perm"] == "adfrw"
    client.cmds(("SIZE secret", 213), ("MDTM a.tmp", 213), ("CWD cache.tmp", 250))
    assert client.names() == client.nlst() == client.names("/home/alice/cache.tmp") == ["in", "sub"]
    client.cmds(("CDUP", 250), ("RNFR a.tmp", 350), ("RNTO new.tmp", 250), ("DELE new.tmp", 250))
    client.stor("new.tmp", b"x")
    assert "new.tmp" not in client.names()


@pytest.mark.parametrize("line", ["a.tmp", "*.tmp", "-d cache.tmp", "-a a.tmp", "{a,x}.tmp",
                                  "/home/alice/a.tmp", "./a.tmp"])
def test_asking_for_the_name_lists_nothing(ftpd, things, line):
    """As in vsftpd: an empty listing."""
    client = ftpd(hide_file="*.tmp").login("alice")
    assert client.list(line) == client.nlst(line) == []
    assert client.cmd(f"STAT {line}", 213).lines[1:-1] == []


@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_recursive_listings(ftpd, things, verb):
    client = ftpd(hide_file="*.tmp", ls_recurse_enable="YES").login("alice")
    text = "\n".join(client.list("-aR", verb))
    assert "e.txt" in text and "tmp" not in text and "in" not in text.replace("_", " ").split()


def test_patterns_of_the_client_find_nothing_hidden(ftpd, things):
    client = ftpd(hide_file="secret").login("alice")
    assert client.nlst("*s*") == [] and client.nlst("*S*") == ["Secret"]


def test_hidden_and_denied(ftpd, things):
    client = ftpd(hide_file="secret", deny_file="secret").login("alice")
    assert not {"secret", "my secret.txt"} & set(client.names())
    client.refused("RETR secret", 550)


def test_anonymous_users(ftpd):
    client = ftpd(hide_file="{*.bin,sub}").anonymous()
    client.cmd("CWD pub", 250)
    names = client.names()
    assert "readme.txt" in names and not {"data.bin", "sub"} & set(names)
    assert client.retr("sub/deep.txt") == b"deep\n"


def test_many_names(ftpd, home):
    """The work for one name is bounded, not that for all of them."""
    for number in range(3000):
        home.file(f"{number}.{'tmp' if number % 2 else 'txt'}")
    client = ftpd(hide_file="{*.tmp,*a*b*c*d*}").login("alice")
    assert len(client.nlst()) == len(mlsd(client)) - 2 == 1500
