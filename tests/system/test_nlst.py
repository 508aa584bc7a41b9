"""NLST."""

import os

import pytest

import codes
from listings import MODES, Listing, furnish

STAMP = 1700000000
DAY = 86400


@pytest.fixture
def things(home):
    return furnish(home)


class TestListing(Listing):
    verb = "NLST"


@pytest.mark.parametrize("mode", MODES)
def test_nlst(alice, things, mode):
    assert alice.nlst(mode=mode) == ["a.txt", "b.txt", "dir", "link", "my dir", "pipe"]
    alice.in_step()


def test_reverse_order_with_r(alice, things):
    assert alice.nlst("-r") == list(reversed(alice.nlst()))


def test_long_format_with_l(alice, things):
    assert alice.list("-l", "NLST") == alice.list()


@pytest.mark.parametrize("path", ["b.txt", "dir/inside.txt", "/home/alice/b.txt"])
def test_file_is_what_was_asked_for(alice, things, path):
    assert alice.nlst(path) == [path]


@pytest.mark.parametrize("path", ["dir", "/home/alice/dir", "../alice/dir"])
def test_names_in_a_directory_are_usable(alice, things, path):
    assert alice.nlst(path) == [f"{path}/inside.txt"]


def test_names_in_the_current_directory_are_bare(alice, things):
    alice.cmd("CWD dir", 250)
    assert alice.nlst() == alice.nlst(".") == ["inside.txt"]


@pytest.mark.parametrize("pattern, expected", [
    ("*.txt", ["a.txt", "b.txt"]), ("?.txt", ["a.txt", "b.txt"]), ("a*", ["a.txt"]),
    ("*", ["a.txt", "b.txt", "dir", "link", "my dir", "pipe"]), ("*b*", ["b.txt"]),
    ("{a,b}.txt", ["a.txt", "b.txt"]), ("dir/*.txt", ["dir/inside.txt"]), ("*.nothing", []),
    ("a.tx?", ["a.txt"]), ("*.*", ["a.txt", "b.txt"]),
    ("[ab].txt", ["a.txt", "b.txt"]), ("[a-c].txt", ["a.txt", "b.txt"]), ("[!a].txt", ["b.txt"]),
    (".hid*", [".hidden"]), ("*hidden", []), ("**.txt", ["a.txt", "b.txt"]), ("*.tx", []),
    ("a*t*t", ["a.txt"]), ("m*r", ["my dir"]), ("/home/alice/*.txt", ["/home/alice/a.txt",
                                                                       "/home/alice/b.txt"]),
])
def test_pattern(alice, things, pattern, expected):
    assert alice.nlst(pattern) == expected


@pytest.mark.parametrize("name", ["*", "a[1]", "{a,b}", "?", "x*y"])
def test_literal_name_comes_before_the_pattern(alice, home, name):
    home.file(name)
    for other in ("a1", "a", "b", "xxy"):
        home.file(other)
    assert alice.nlst(name) == [name]


def test_costly_pattern_ends_soon(alice, home):
    for number in range(50):
        home.file("a" * 200 + str(number))
    pattern = "*a" * 100 + "*b"
    alice.pasv()
    reply = alice.cmd(f"NLST {pattern}", 150, 550)
    if reply.code == 150:
        alice.reply(226)
    alice.in_step()


def test_dangling_and_looping_links_are_listed(alice, home):
    home.link("dangling", "nowhere")
    home.link("loop", "loop")
    assert alice.nlst() == ["dangling", "loop"]


# What stands in front of the names.

@pytest.mark.parametrize("path, prefix", [
    ("", ""), (".", ""), ("-a", ""), ("-a .", ""), ("dir", "dir/"), ("dir/", "dir/"), ("./", "./"),
    ("./dir", "./dir/"), ("-a dir", "dir/"), ("/home/alice", "/home/alice/"), ("..", "../"),
    ("/home/alice/dir/", "/home/alice/dir/"), ("dir/..", "dir/../"), ("my dir", "my dir/"),
    ("/", "/"), ("to dir", "to dir/"), ("dir/.", "dir/./"), ("~", "/home/alice/"),
    ("~/dir", "/home/alice/dir/"),
])
def test_names_are_those_of_files(alice, things, path, prefix):
    """So that they can be given to RETR, wherever the listing was of."""
    things.link("to dir", "dir")
    names = alice.nlst(path)
    assert names
    for name in names:
        assert name.startswith(prefix) and "/" not in name.removeprefix(prefix)
        assert alice.cmd(f"MLST {name}", 250)


@pytest.mark.parametrize("path", ["b.txt", "dir/inside.txt", "./b.txt", "/home/alice/b.txt",
                                  "my dir/two words", "link", "dangling", "loop", "pipe", ".hidden",
                                  "dir/.dot", "b.*xt", "dir/../b.txt"])
def test_whether_a_file_exists(alice, things, path):
    things.link("dangling", "nowhere")
    things.link("loop", "loop")
    expected = [path.replace("*", "t")]
    assert alice.nlst(path) == expected
    assert alice.nlst(f"-a {path}") == expected


@pytest.mark.parametrize("path", ["b.txt/", "b.tx", "B.TXT", "dir/b.txt", "b.txt ", " b.txt",
                                  "dir/inside.txt/x", "x" * 256])
def test_whether_a_file_does_not_exist(alice, things, path):
    alice.refused(f"NLST {path}", codes.LIST_MISSING)
    alice.in_step()


# Options.

def test_no_dots_whatever_is_asked_for(alice, things):
    """Who asks for names wants to do something with each of them."""
    assert alice.nlst("-a dir") == alice.nlst("-A dir") == ["dir/.dot", "dir/inside.txt"]
    assert alice.nlst("-a .*") == alice.nlst(".*") == [".hidden"]


@pytest.mark.parametrize("argument, expected", [
    ("-d", ["."]), ("-d .", ["."]), ("-d dir", ["dir"]), ("-d /home/alice", ["/home/alice"]),
    ("-d *i*", ["dir", "link", "my dir", "pipe"]), ("-d b.txt", ["b.txt"]),
])
def test_directory_as_an_entry_with_d(alice, things, argument, expected):
    assert alice.nlst(argument) == expected


def test_order_by_time_and_size(alice, home):
    for number, (name, size) in enumerate([("c", 30), ("a", 10), ("b", 20)]):
        os.utime(home.sparse(name, size), (STAMP - number * DAY, STAMP - number * DAY))
    assert alice.nlst("-t") == ["c", "a", "b"]
    assert alice.nlst("-S") == ["c", "b", "a"]
    assert alice.nlst("-tr") == ["b", "a", "c"]
    assert alice.nlst("-r -S") == ["a", "b", "c"]
    assert alice.nlst("-1F") == ["a", "b", "c"]


@pytest.mark.parametrize("argument", ["-l", "-la", "-lr", "-l dir", "-la dir", "-l *.txt",
                                      "-l b.txt", "-ld dir", "-lt", "-al my dir"])
def test_with_l_it_is_list(alice, things, argument):
    assert alice.list(argument, "NLST") == alice.list(argument)


@pytest.mark.parametrize("argument, expected", [
    ("-a my dir", ["my dir/two words"]), ("-- -a", ["-a"]), ("./-a", ["./-a"]),
    ("-1 -- -a", ["-a"]), ("--  lead", [" lead"]), (" lead", [" lead"]), ("-1  lead", [" lead"]),
    ("-d -- -a", ["-a"]),
])
def test_blanks_and_minuses_of_names(alice, things, argument, expected):
    things.file("-a")
    things.file(" lead")
    assert alice.nlst(argument) == expected


# Rights.

@pytest.mark.parametrize("mode", [0o311, 0o111, 0o000])
def test_unreadable_directory_is_550(alice, home, mode):
    home.dir("dark/inside")
    home.file("dark/inside/f")
    (home / "dark").chmod(mode)
    for argument in ("dark", "-a dark", "dark/", "dark/*"):
        alice.refused(f"NLST {argument}", codes.LIST_UNREADABLE)
    alice.in_step()


def test_directory_to_search_only(alice, home):
    home.dir("dark/inside")
    home.file("dark/inside/f")
    (home / "dark").chmod(0o311)
    assert alice.nlst("dark/inside") == ["dark/inside/f"]


def test_directory_to_read_only_has_names(alice, home):
    home.dir("flat")
    home.file("flat/f")
    (home / "flat").chmod(0o444)
    assert alice.nlst("flat") == ["flat/f"]


@pytest.mark.parametrize("name, shown", [
    ("line\nfeed", "line?feed"), ("return\rcr", "return?cr"), ("\n", "?"), ("a\r\nb", "a??b"),
    ("\x1b[2J", "\x1b[2J"), ("tab\there", "tab\there"), ("\x7f", "\x7f"),
])
def test_only_line_ends_are_shown_as_question_marks(alice, home, name, shown):
    home.dir("d")
    home.file(f"d/{name}")
    assert alice.nlst("d") == [f"d/{shown}"]


# Patterns.

@pytest.mark.parametrize("pattern, expected", [
    ("{a,b}{,.txt}", ["a.txt", "b.txt"]), ("{a,{b,c}}.txt", ["a.txt", "b.txt"]), ("[", []),
    ("{a.txt", []), ("[!ab]*", ["dir", "link", "my dir", "pipe"]), ("[^a]*.txt", ["b.txt"]),
    ("[]a].txt", ["a.txt"]), ("*dir", ["dir", "my dir"]), ("my*", ["my dir"]),
    ("*y d*", ["my dir"]), (".*", [".hidden"]), ("?hidden", []), ("[.]hidden", []),
    ("{.hid,x}den", [".hidden"]), ("dir/.*", ["dir/.dot"]), ("my dir/*", ["my dir/two words"]),
    ("./*.txt", ["./a.txt", "./b.txt"]), ("~/b*", ["/home/alice/b.txt"]),
    ("/home/ali*", ["/home/alice"]), ("*.TXT", []), ("{b,a}.txt", ["a.txt", "b.txt"]),
    ("{a.txt,a.txt}", ["a.txt"]), ("-r *.txt", ["b.txt", "a.txt"]),
])
def test_more_patterns(alice, things, pattern, expected):
    assert alice.nlst(pattern) == expected


@pytest.mark.parametrize("pattern", ["d*/inside.txt", "*/*", "missing/*", "{dir,x}/*", "b.txt/*"])
def test_pattern_is_for_the_last_part_only(alice, things, pattern):
    alice.refused(f"NLST {pattern}", 550)


def test_pattern_of_bytes(alice, home):
    home.file(b"\xe4")
    home.file("ä")
    home.file(b"\xff1")
    assert alice.nlst("?") == ["\udce4"]
    assert alice.nlst("??") == ["ä", "\udcff1"]
    assert alice.nlst("ä*") == ["ä"]
    assert alice.nlst(b"\xff\xff*") == ["\udcff1"]


@pytest.mark.parametrize("count", [20, 40, 200])
def test_pattern_may_be_longer_than_a_name(alice, home, count):
    names = [f"name{number:04}" for number in range(count)]
    for name in names + ["other"]:
        home.file(name)
    assert alice.nlst("{" + ",".join(names) + "}") == names


# Each of the kind that takes a simple matcher for ever, as long as a name and as long as a line.
BOMBS = {
    "stars": "*a" * 125 + "*b",
    "stars in alternatives": "{a,aa}" * 8 + "*a" * 100 + "*b",
    "long tail": "*" + "a" * 150 + "b",
    "long tail in alternatives": "{a,aa}" * 8 + "*" + "a" * 150 + "b",
    "sets in alternatives": "{a,aa}" * 8 + "*" + "[a-z]" * 38 + "b",
    "question marks": "{a,aa}" * 8 + "*" + "?" * 100 + "b",
    "open sets": "{a,aa}" * 8 + "*[" * 100,
    "alternatives": "{a,b}" * 50,
    "nested alternatives": "{" * 125 + "a" + "}" * 125,
    "nested and open": "{a," * 80,
    "many stars": "*a" * 1800 + "*b",
    "many stars in alternatives": "{a,aa}" * 8 + "*a" * 1800 + "*b",
    "many alternatives": "{a,b}" * 700,
    "many nested alternatives": "{" * 1800 + "a" + "}" * 1800,
    "many nested and open": "{a," * 1200,
    "many in one": "{" + "a," * 1900 + "}",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_hostile_pattern_is_answered(alice, home, verb, bomb):
    """Within the time that the client waits for any reply, and the session lives."""
    for number in range(3000):
        (home / ("a" * 200 + f"{number:04}")).touch()
    alice.pasv()
    reply = alice.cmd(f"{verb} {bomb}", 150, 550)
    if reply.code == 150:
        alice.reply(226)
    alice.in_step()
    assert len(alice.nlst("a*0001")) == 1


def test_pattern_in_a_directory_that_can_be_read_but_not_searched(alice, home):
    home.dir("flat")
    home.file("flat/one")
    (home / "flat").chmod(0o444)
    assert alice.nlst("flat") == alice.nlst("flat/*") == ["flat/one"]
