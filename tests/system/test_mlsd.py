"""MLSD: a directory with the facts of RFC 3659 7, over a data connection."""

import os
import socket
import stat

import pytest

import codes
from ftpraw import receive_all
from listings import MODES, furnish
from mlsx import FACTS, facts_on_disk, mlsd, mlst, modify_of, parse, unique_of

STAMP = 1700000000
DOTS = {".", ".."}


def names(client, path="", mode="pasv"):
    """What is in a directory, without the directory and its parent."""
    return sorted(set(mlsd(client, path, mode)) - DOTS)


@pytest.fixture
def things(home):
    return furnish(home)


@pytest.mark.parametrize("mode", MODES)
def test_mlsd(alice, things, mode):
    assert names(alice, mode=mode) == things.names()
    alice.in_step()


@pytest.mark.parametrize("mode", MODES)
def test_empty_directory_is_two_entries(alice, home, mode):
    assert [parse(line).name for line in alice.list("", "MLSD", mode)] == [".", ".."]
    alice.in_step()


def test_exact_line(alice, home):
    path = home.file("a file", b"12345", 0o640)
    os.utime(path, (STAMP, STAMP))
    uid = home.account.uid
    assert alice.list("", "MLSD")[2:] == [
        f"type=file;size=5;modify=20231114221320;perm=adfrw;unique={unique_of(path)};"
        f"UNIX.mode=0640;UNIX.owner={uid};UNIX.group={uid}; a file"]


@pytest.mark.parametrize("name, kind, perm", [
    ("a.txt", "file", "adfrw"), (".hidden", "file", "adfrw"), ("dir", "dir", "cdeflmp"),
    ("my dir", "dir", "cdeflmp"),
])
def test_facts_are_those_on_the_disk(alice, things, name, kind, perm):
    assert mlsd(alice)[name] == facts_on_disk(things / name, kind, perm)


def test_every_entry_has_every_fact_but_only_files_have_a_size(alice, things):
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(things / "socket"))
    for name, facts in mlsd(alice).items():
        expected = [fact for fact in FACTS if fact != "size" or facts["type"] == "file"]
        assert list(facts) == expected, name
    server.close()


# The directory and its parent.

def test_directory_and_parent_come_first(alice, things):
    entries = [parse(line) for line in alice.list("dir", "MLSD")]
    assert [(entry.name, entry.facts["type"]) for entry in entries[:2]] == [
        (".", "cdir"), ("..", "pdir")]
    assert [entry.facts["unique"] for entry in entries[:2]] == [
        unique_of(things / "dir"), unique_of(things.path)]
    assert all(entry.facts["type"] not in ("cdir", "pdir") for entry in entries[2:])


def test_parent_of_the_root_is_the_root(jailed, things):
    facts = mlsd(jailed, "/")
    assert facts["."]["type"] == "cdir" and facts[".."]["type"] == "pdir"
    assert facts["."]["unique"] == unique_of(things.path)


def test_facts_of_the_directory_are_those_of_the_directory(alice, things):
    (things / "dir").chmod(0o700)
    os.utime(things / "dir", (STAMP, STAMP))
    assert mlsd(alice, "dir")["."] == facts_on_disk(things / "dir", "cdir", "celmp")


# Types.

def make_socket(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


@pytest.mark.parametrize("make, kind", [
    (lambda path: path.touch(), "file"),
    (lambda path: path.mkdir(), "dir"),
    (os.mkfifo, "OS.unix=fifo"),
    (make_socket, "OS.unix=socket"),
    (lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3)), "OS.unix=char"),
    (lambda path: os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(250, 250)), "OS.unix=block"),
    (lambda path: path.symlink_to("target"), "OS.unix=slink:target"),
], ids=["file", "dir", "fifo", "socket", "char", "block", "link"])
def test_type(alice, home, make, kind):
    make(home / "thing")
    assert mlsd(alice)["thing"]["type"] == kind


@pytest.mark.parametrize("target", [
    "f", "./f", "../alice/d", "/etc/passwd", "loop", "nowhere", "d/", "a=b", "a,b", "ünï",
    "x" * 255, "/".join(["t" * 200] * 20),
])
def test_link_shows_its_target(alice, home, target):
    home.file("f")
    home.dir("d")
    home.link("loop", target)
    assert mlsd(alice)["loop"]["type"] == f"OS.unix=slink:{target}"


@pytest.mark.parametrize("target", [
    "a;b", ";", "f;type=dir;", "a\nb", "a\r\ntype=file; forged", "\x1b[2J", "\x7f", "a b", " ",
    "tab\there",
])
def test_target_that_would_break_the_line_is_not_shown(alice, home, target):
    home.file("f")
    home.link("link", target)
    facts = mlsd(alice)
    assert set(facts) == {".", "..", "f", "link"}
    assert facts["link"]["type"] == "OS.unix=symlink"


def test_links_are_not_followed(alice, home):
    home.file("f", b"1234")
    home.dir("d")
    home.link("to file", "f")
    home.link("to directory", "d")
    facts = mlsd(alice)
    for name in ("to file", "to directory"):
        assert facts[name]["unique"] == unique_of(home / name)
        assert facts[name]["unique"] != unique_of(home / name, follow=True)


# Values.

@pytest.mark.parametrize("size", [0, 1, 4096, (1 << 31) - 1, 1 << 31, 1 << 32, 5 << 30, 1 << 42])
def test_size(alice, home, size):
    home.sparse("f", size)
    assert mlsd(alice)["f"]["size"] == str(size)


@pytest.mark.parametrize("stamp, text", [
    (0, "19700101000000"), (1, "19700101000001"), (-1, "19691231235959"),
    (-2208988800, "19000101000000"), (951826554, "20000229121554"), (STAMP, "20231114221320"),
    (2147483647, "20380119031407"), (2147483648, "20380119031408"), (4294967296, "21060207062816"),
    (4102444800, "21000101000000"), (253402300799, "99991231235959"),
])
def test_modify_is_fourteen_digits_of_utc(alice, home, stamp, text):
    for name in ("f", "d"):
        (home.file if name == "f" else home.dir)(name)
        os.utime(home / name, (stamp, stamp))
    facts = mlsd(alice)
    assert facts["f"]["modify"] == facts["d"]["modify"] == text
    alice.in_step()


def test_modify_has_no_fraction(alice, home):
    os.utime(home.file("f"), ns=(0, STAMP * 10 ** 9 + 999999999))
    assert mlsd(alice)["f"]["modify"] == "20231114221320"


@pytest.mark.parametrize("stamp", [253402300800, 1 << 40, 1 << 55, 1 << 62, -(1 << 40), -(1 << 62)])
def test_year_that_does_not_fit_is_fourteen_digits_all_the_same(alice, home, stamp):
    home.file("g")
    os.utime(home.file("f"), (stamp, stamp))
    assert names(alice) == ["f", "g"]
    alice.in_step()


def test_modify_after_an_upload(alice, home):
    alice.stor("f", b"content")
    assert mlsd(alice)["f"]["modify"] == modify_of(home / "f") == alice.cmd("MDTM f", 213).text


def test_modify_of_a_link_is_its_own(alice, home):
    os.utime(home.file("f"), (STAMP, STAMP))
    home.link("link", "f")
    os.utime(home / "link", (86400, 86400), follow_symlinks=False)
    facts = mlsd(alice)
    assert (facts["f"]["modify"], facts["link"]["modify"]) == ("20231114221320", "19700102000000")


@pytest.mark.parametrize("mode, text", [
    (0o644, "0644"), (0o000, "0000"), (0o777, "0777"), (0o4755, "4755"), (0o2711, "2711"),
    (0o1777, "1777"), (0o7777, "7777"), (0o007, "0007"),
])
def test_unix_mode(alice, home, mode, text):
    home.file("f").chmod(mode)
    assert mlsd(alice)["f"]["UNIX.mode"] == text


def test_unix_owner_and_group(alice, home):
    for number, ids in enumerate([(0, 0), (1001, 2007), (4294967293, 4294967293), (65534, 1)]):
        os.chown(home.file(f"f{number}"), *ids)
        facts = mlsd(alice)[f"f{number}"]
        assert (facts["UNIX.owner"], facts["UNIX.group"]) == tuple(map(str, ids))


def test_unique_is_the_same_for_one_thing_only(alice, home):
    os.link(home.file("one", b"content"), home / "hard link")
    home.file("two", b"content")
    home.dir("d")
    os.link(home / "one", home / "d" / "third name")
    home.link("link", "one")
    facts = mlsd(alice)
    assert facts["one"]["unique"] == facts["hard link"]["unique"]
    assert facts["one"]["unique"] == mlsd(alice, "d")["third name"]["unique"]
    assert facts["d"]["unique"] == mlsd(alice, "d")["."]["unique"]
    different = [facts[name]["unique"] for name in (".", "..", "one", "two", "d", "link")]
    assert len(set(different)) == len(different)


def test_mlst_tells_the_same(alice, things):
    for name, facts in mlsd(alice).items():
        if name not in DOTS and name != "link":
            assert mlst(alice, name).facts == facts


# Names.

@pytest.mark.parametrize("name, shown", [
    ("line\nfeed", "line?feed"), ("return\rcr", "return?cr"),
    ("x\r\ntype=dir; forged", "x??type=dir; forged"), ("\n", "?"), ("\r\n\r\n", "????"),
    ("\x1b[2J", "\x1b[2J"), ("\x7f", "\x7f"), ("tab\there", "tab\there"),
])
def test_control_bytes_make_no_second_entry(alice, home, name, shown):
    home.file(name)
    assert names(alice) == [shown]


@pytest.mark.parametrize("name", [" leading", "  two", "trailing ", " ", "a;b", "type=dir;", "a=b",
                                  "; "])
def test_names_that_look_like_facts(alice, home, name):
    home.file(name)
    assert names(alice) == [name]


# Paths.

@pytest.mark.parametrize("path", ["dir", "dir/", "dir//", "./dir", "/home/alice/dir", "dir/../dir",
                                  "~/dir", "dir/.", "to dir", "to dir/"])
def test_of_a_directory(alice, things, path):
    things.link("to dir", "dir")
    facts = mlsd(alice, path)
    assert sorted(facts) == [".", "..", ".dot", "inside.txt"]
    assert facts["."]["unique"] == unique_of(things / "dir")


@pytest.mark.parametrize("path, directory", [
    ("", "/home/alice"), (".", "/home/alice"), ("..", "/home"), ("/", "/"), ("~", "/home/alice"),
    ("~/", "/home/alice"), ("//", "/"), ("/home/alice/..", "/home"), ("../..", "/"),
])
def test_of_what_has_a_special_name(alice, things, path, directory):
    assert mlsd(alice, path)["."]["unique"] == unique_of(directory)


def test_working_directory_is_what_cwd_says(alice, things):
    alice.cmd("CWD my dir", 250)
    assert names(alice) == names(alice, ".") == ["two words"]
    assert names(alice, "../dir") == [".dot", "inside.txt"]
    assert "a.txt" in names(alice, "~")


def test_path_with_a_blank(alice, things):
    assert names(alice, "my dir") == ["two words"]


@pytest.mark.parametrize("path", ["-a", "-la", "-l", "--", "-R dir", "-a dir", "-", "*", "d*", "?",
                                  "[d]ir", "{dir}", "~x"])
def test_no_options_and_no_patterns(alice, things, path):
    alice.refused(f"MLSD {path}", 550)
    things.dir(path)
    things.file(f"{path}/only this")
    assert names(alice, path) == ["only this"]


@pytest.mark.parametrize("path", ["a.txt", "dir/inside.txt", "link", "pipe", "/etc/passwd",
                                  "a.txt/"])
def test_file_is_501_and_leaves_the_data_connection_alone(alice, things, path):
    data = alice.pasv()
    alice.cmd(f"MLSD {path}", codes.MLSD_OF_FILE)
    alice.cmd("MLSD dir", 150)
    assert b"inside.txt" in receive_all(data())
    alice.reply(226)
    alice.in_step()


@pytest.mark.parametrize("path", ["missing", "dir/missing", "missing/", "missing/x", "dangling",
                                  "loop", "/root/x", "x" * 300])
def test_missing_directory_is_550(alice, things, path):
    things.link("dangling", "nowhere")
    things.link("loop", "loop")
    alice.refused(f"MLSD {path}", codes.MLSX_MISSING)
    alice.in_step()


@pytest.mark.parametrize("mode", [0o311, 0o000, 0o111])
def test_unreadable_directory_is_550(alice, home, mode):
    home.dir("dark/inside")
    (home / "dark").chmod(mode)
    alice.refused("MLSD dark", codes.LIST_UNREADABLE)
    alice.in_step()


def test_directory_to_search_only_is_550_and_those_in_it_are_not(alice, home):
    home.dir("dark/inside")
    home.file("dark/inside/f")
    (home / "dark").chmod(0o311)
    assert names(alice, "dark/inside") == ["f"]


def test_directory_to_read_only_has_no_facts_to_show(alice, home):
    home.dir("flat")
    home.file("flat/f")
    (home / "flat").chmod(0o444)
    assert names(alice, "flat") == []
    alice.in_step()


@pytest.mark.parametrize("path", ["", " ", " a.txt", " missing"])
def test_without_data_connection_is_425(alice, things, path):
    alice.cmd(f"MLSD{path}", codes.NO_DATA_OR_MISSING)
    alice.in_step()


def test_data_connection_serves_once(alice, things):
    mlsd(alice)
    alice.cmd("MLSD", 425)
    alice.in_step()


def test_before_login_is_530(client):
    client.cmds(("MLSD", 530), ("MLSD /", 530))
    client.in_step()


def test_lower_case(alice, things):
    assert len(alice.list("dir", "mlsd")) == 4


# The rest of the session.

def test_type_does_not_matter(alice, things):
    plain = alice.list("", "MLSD")
    for line in ("TYPE A", "TYPE I", "TYPE L 8"):
        alice.cmd(line, 200)
        assert alice.list("", "MLSD") == plain


def test_uses_up_the_mark_of_rest(alice, home):
    home.file("f", b"content")
    alice.cmd("REST 3", 350)
    mlsd(alice)
    assert alice.retr("f") == b"content"


def test_nothing_outside_a_chroot(jailed, things):
    things.link("out", "/etc")
    things.link("up", "../..")
    inside = things.names()
    for path in ("", "/", "..", "/..", "../..", "up", "dir/../..", "~"):
        assert names(jailed, path) == inside, path
    for path in ("/etc", "../etc", "out", "/home/alice", "/proc"):
        jailed.refused(f"MLSD {path}", 550)
    assert mlsd(jailed)["out"]["type"] == "OS.unix=slink:/etc"


def test_anonymous(anon):
    facts = mlsd(anon, "pub")
    assert facts["readme.txt"]["size"] == "14"
    rights = {name: facts[name]["perm"] for name in (".", "sub", "readme.txt", "secret.txt")}
    assert rights == {".": "el", "sub": "el", "readme.txt": "r", "secret.txt": ""}


def test_many_times(alice, things):
    expected = alice.list("", "MLSD")
    for _ in range(50):
        assert alice.list("", "MLSD") == expected
    alice.in_step()


def test_what_would_be_below_a_file_is_550(alice, things):
    alice.refused("MLSD a.txt/x", 550)
    alice.in_step()
