"""MLST, and OPTS MLST, which rules MLSD as well."""

import os

import pytest

import codes
from ftpraw import list_entry, receive_all
from listings import furnish
from mlsx import FACTS, facts_on_disk, mlsd, mlst, parse, unique_of

STAMP = 1700000000
ALL_ON = "type;size;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;"


@pytest.fixture
def things(home):
    return furnish(home)


def test_exact_reply(alice, home):
    path = home.file("a file", b"12345", 0o640)
    os.utime(path, (STAMP, STAMP))
    uid = home.account.uid
    assert alice.cmd("MLST a file", 250).lines == [
        "250-Listing /home/alice/a file",
        f" type=file;size=5;modify=20231114221320;perm=adfrw;unique={unique_of(path)};"
        f"UNIX.mode=0640;UNIX.owner={uid};UNIX.group={uid}; /home/alice/a file",
        "250 End"]
    alice.in_step()


@pytest.mark.parametrize("path, shown", [
    ("", "/home/alice"), ("b.txt", "/home/alice/b.txt"), ("dir", "/home/alice/dir"),
    ("dir/", "/home/alice/dir"), ("dir//", "/home/alice/dir"), ("/", "/"), ("//", "/"),
    ("/home", "/home"), ("/home/alice/dir", "/home/alice/dir"), ("~", "/home/alice"),
    ("~/", "/home/alice"), ("~/dir", "/home/alice/dir"), ("~/dir/inside.txt",
                                                          "/home/alice/dir/inside.txt"),
    ("dir/inside.txt", "/home/alice/dir/inside.txt"), ("my dir", "/home/alice/my dir"),
    ("my dir/two words", "/home/alice/my dir/two words"), ("//etc//passwd", "/etc/passwd"),
])
def test_shows_the_whole_path(alice, things, path, shown):
    entry = mlst(alice, path)
    assert entry.name == shown
    assert entry.facts["unique"] == unique_of(shown)
    alice.in_step()


@pytest.mark.parametrize("path", [".", "..", "../..", "dir/.", "dir/..", "dir/../b.txt", "./b.txt",
                                  "../alice", "/home/../home/alice/dir", "dir/../../alice/."])
def test_shown_path_leads_to_the_same_thing(alice, things, path):
    entry = mlst(alice, path)
    assert entry.name.startswith("/")
    assert entry.facts["unique"] == unique_of(things / path) == unique_of(entry.name)


def test_path_is_seen_from_the_working_directory(alice, things):
    alice.cmd("CWD dir", 250)
    assert mlst(alice).name == "/home/alice/dir"
    assert mlst(alice, "inside.txt").name == "/home/alice/dir/inside.txt"
    assert mlst(alice, "~").name == "/home/alice"


@pytest.mark.parametrize("path", ["", ".", "..", "/", "~", "dir", "dir/", "dir/..", "/home",
                                  "my dir"])
def test_directory_is_a_directory(alice, things, path):
    """And not cdir or pdir, which tell where it stands in a listing."""
    assert mlst(alice, path).facts["type"] == "dir"


def test_facts_are_those_on_the_disk(alice, things):
    assert mlst(alice, "b.txt").facts == facts_on_disk(things / "b.txt", "file", "adfrw")
    assert mlst(alice, "dir").facts == facts_on_disk(things / "dir", "dir", "cdeflmp")
    assert mlst(alice).facts == facts_on_disk(things.path, "dir", "celmp")


@pytest.mark.parametrize("path", ["~", "", ".", "/home/alice", "/home/alice/", "/home/alice/.",
                                  "../alice", "../alice/.", "dir/..", "/home/alice/dir/.."])
def test_rights_do_not_depend_on_the_spelling(alice, things, path):
    """The home directory is in one where alice may change nothing."""
    assert mlst(alice, path).facts["perm"] == "celmp"


@pytest.mark.parametrize("path, target, kind", [
    ("link", "a.txt", "file"), ("to dir", "dir", "dir"), ("to dir/", "dir", "dir"),
    ("chain", "a.txt", "file"), ("to dir/inside.txt", "dir/inside.txt", "file"),
    ("to dir/.dot", "dir/.dot", "file"),
])
def test_links_are_followed(alice, things, path, target, kind):
    things.link("to dir", "dir")
    things.link("chain", "link")
    entry = mlst(alice, path)
    assert entry.facts["type"] == kind
    assert entry.facts["unique"] == unique_of(things / target)
    assert entry.name == "/home/alice/" + path.rstrip("/")


@pytest.mark.parametrize("target, kind", [
    ("nowhere", "OS.unix=slink:nowhere"), ("link", "OS.unix=slink:link"),
    ("/root/x", "OS.unix=slink:/root/x"), ("a;b", "OS.unix=symlink"), ("a\nb", "OS.unix=symlink"),
    ("a b", "OS.unix=symlink"),
])
def test_link_that_leads_nowhere_is_shown_itself(alice, home, target, kind):
    home.link("link", target)
    facts = mlst(alice, "link").facts
    assert (facts["type"], facts["perm"]) == (kind, "df")
    assert facts["unique"] == unique_of(home / "link")


@pytest.mark.parametrize("path, kind", [
    ("pipe", "OS.unix=fifo"), ("/dev/null", "OS.unix=char"), ("/dev", "dir"),
])
def test_what_is_no_file(alice, things, path, kind):
    facts = mlst(alice, path).facts
    assert facts["type"] == kind
    assert "size" not in facts


@pytest.mark.parametrize("path", ["missing", "dir/missing", "missing/", "b.txt/", "b.txt/x",
                                  "/root/x", "loop/x", "dangling/", "dark/inside", "x" * 300])
def test_missing_path_is_550(alice, things, path):
    things.link("dangling", "nowhere")
    things.link("loop", "loop")
    things.dir("dark")
    things.file("dark/inside")
    (things / "dark").chmod(0o600)
    alice.cmd(f"MLST {path}", codes.MLSX_MISSING)
    alice.in_step()


@pytest.mark.parametrize("path", ["-a", "-l", "-d dir", "--", "-", "*", "?.txt", "[ab].txt",
                                  "{a,b}.txt", "~x", "~alice"])
def test_no_options_and_no_patterns(alice, things, path):
    alice.cmd(f"MLST {path}", 550)
    things.file(path)
    assert mlst(alice, path).name == f"/home/alice/{path}"


def test_needs_no_right_to_read(alice, home):
    home.dir("dark/inside")
    home.file("f", b"1234", 0o000)
    (home / "dark").chmod(0o311)
    assert mlst(alice, "dark").facts["perm"] == "cdefmp"
    assert mlst(alice, "dark/inside").facts["perm"] == "cdeflmp"
    assert mlst(alice, "f").facts["size"] == "4"


def test_needs_no_data_connection_and_keeps_it(alice, things):
    data = alice.pasv()
    mlst(alice, "b.txt")
    alice.cmd("RETR b.txt", 150)
    assert receive_all(data()) == b"bee\n"
    alice.reply(226)


def test_leaves_the_mark_of_rest_alone(alice, things):
    alice.cmd("REST 1", 350)
    mlst(alice, "b.txt")
    assert alice.retr("b.txt") == b"ee\n"


@pytest.mark.parametrize("name, shown", [
    ("line\nfeed", "line?feed"), ("x\r\n250 End", "x??250 End"), ("\x1b[2J", "\x1b[2J"),
])
def test_control_bytes_make_no_second_line(alice, home, name, shown):
    """Such a directory can be entered by a link, and is shown then."""
    home.dir(name)
    home.link("link", name)
    alice.cmd("CWD link", 250)
    assert mlst(alice).name == f"/home/alice/{shown}"
    assert mlst(alice, "../link").name == f"/home/alice/{shown}/../link"
    alice.in_step()


def test_in_a_chroot(jailed, things):
    things.link("out", "/etc")
    assert mlst(jailed).name == "/"
    for path in ("/", "..", "/..", "dir/../.."):
        assert mlst(jailed, path).facts["unique"] == unique_of(things.path)
    assert mlst(jailed, "dir").name == mlst(jailed, "/dir").name == "/dir"
    assert mlst(jailed, "out").facts["type"] == "OS.unix=slink:/etc"
    for path in ("/etc", "out/passwd", "/home/alice", "../etc/passwd"):
        jailed.cmd(f"MLST {path}", 550)


def test_root_of_a_chroot_cannot_be_removed(jailed, things):
    for path in ("", "/", ".", "..", "~", "dir/.."):
        assert mlst(jailed, path).facts["perm"] == "celmp", path


def test_anonymous(anon):
    entry = mlst(anon, "pub/readme.txt")
    assert entry.name == "/pub/readme.txt"
    assert entry.facts["perm"] == "r"
    anon.cmd("MLST /etc/passwd", 550)


def test_before_login_is_530(client):
    client.cmds(("MLST", 530), ("MLST /", 530))


def test_lower_case(alice, things):
    assert alice.cmd("mlst b.txt", 250).lines == alice.cmd("MLST b.txt", 250).lines


# OPTS MLST.

OPTIONS = [
    ("type;size;", "type;size;"), ("size;type;", "type;size;"), ("size", "size;"),
    ("TYPE;Size;MODIFY;", "type;size;modify;"), ("unix.MODE;", "UNIX.mode;"),
    (ALL_ON, ALL_ON), ("perm;;;type;", "type;perm;"), ("unique;unique;", "unique;"),
    ("type;size;modify;perm;create;lang;media-type;charset;x.y;", "type;size;modify;perm;"),
    ("UNIX.owner;UNIX.group;UNIX.uid;", "UNIX.owner;UNIX.group;"), ("mode;owner;", ""),
    ("create;", ""), ("typ;types;siz;", ""), (";", ""), ("type=file;", ""), ("*;", ""),
    ("type,size", ""), ("x" * 2000, ""), ("%n%s;perm;", "perm;"), ("type*;size*;", ""),
]


@pytest.mark.parametrize("wanted, taken", OPTIONS)
def test_opts(alice, things, wanted, taken):
    expected = f"200 MLST OPTS {taken}".rstrip()
    assert alice.cmd(f"OPTS MLST {wanted}", 200).lines == [expected]
    facts = taken.split(";")[:-1]
    assert list(mlst(alice, "b.txt").facts) == facts
    found = mlsd(alice)
    assert list(found["b.txt"]) == facts
    for name in (".", "..", "dir"):
        assert list(found[name]) == [fact for fact in facts if fact != "size"]


@pytest.mark.parametrize("line", ["OPTS MLST", "OPTS MLST ", "opts mlst", "OPTS mlst ;"])
def test_opts_of_nothing_switch_all_off(alice, things, line):
    assert alice.cmd(line, 200).lines == ["200 MLST OPTS"]
    assert alice.cmd("MLST b.txt", 250).lines[1] == "  /home/alice/b.txt"
    assert sorted(alice.list("dir", "MLSD")) == [" .", " ..", " .dot", " inside.txt"]
    alice.in_step()


def test_every_single_fact(alice, things):
    whole = mlst(alice, "b.txt").facts
    for fact in FACTS:
        alice.cmd(f"OPTS MLST {fact};", 200)
        assert mlst(alice, "b.txt").facts == {fact: whole[fact]}


def test_opts_hold_until_the_next_ones(alice, things):
    alice.cmd("OPTS MLST type;", 200)
    for line in ("TYPE A", "CWD dir", "OPTS UTF8 ON", "OPTS XYZZY", "MLST missing", "NOOP"):
        alice.cmd(line)
        assert list(mlst(alice, "~/b.txt").facts) == ["type"]
    alice.cmd(f"OPTS MLST {ALL_ON}", 200)
    assert list(mlst(alice, "~/b.txt").facts) == list(FACTS)


def test_opts_do_not_change_other_listings(alice, things):
    before = alice.list(), alice.nlst()
    alice.cmd("OPTS MLST", 200)
    assert (alice.list(), alice.nlst()) == before
    assert list_entry(before[0][0])


def test_feat_stars_what_is_on(alice):
    for wanted, stars in [(ALL_ON, FACTS), ("size;perm;", ["size", "perm"]), ("", [])]:
        alice.cmd(f"OPTS MLST {wanted}".rstrip(), 200)
        line = " MLST " + "".join(f"{fact}{'*' if fact in stars else ''};" for fact in FACTS)
        assert line in alice.cmd("FEAT", 211).lines


def test_opts_before_login_are_forgotten_by_it(client, home):
    home.file("f")
    assert client.cmd("OPTS MLST type;", 200).lines == ["200 MLST OPTS type;"]
    assert " MLST type*;size;" in "\n".join(client.cmd("FEAT", 211).lines)
    client.login("alice", home.account.password)
    assert list(mlst(client, "f").facts) == list(FACTS)


def test_opts_of_one_session_are_not_those_of_another(ftpd, home):
    home.file("f")
    daemon = ftpd()
    one, other = daemon.login("alice"), daemon.login("alice")
    one.cmd("OPTS MLST type;", 200)
    assert list(mlst(other, "f").facts) == list(FACTS)
    assert list(mlst(one, "f").facts) == ["type"]


def test_line_without_facts_can_be_parsed(alice, home):
    home.file(" leading")
    alice.cmd("OPTS MLST", 200)
    assert parse("  leading").name == " leading"
    assert "  leading" in alice.list("", "MLSD")
