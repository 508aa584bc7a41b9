"""LIST and NLST."""

import os
import time

import pytest

from ftpraw import list_entry

MODES = ["pasv", "epsv", "port", "eprt"]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
DAY = 86400


@pytest.fixture
def things(home):
    """Some of everything in alice's home."""
    home.file("b.txt", b"bee\n")
    home.file("a.txt", b"ay\n" * 100)
    home.file(".hidden", b"x")
    home.dir("dir")
    home.file("dir/inside.txt", b"1")
    home.file("dir/.dot", b"1")
    home.dir("my dir")
    home.file("my dir/two words", b"22")
    home.link("link", "a.txt")
    home.fifo("pipe")
    return home


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_empty_directory_is_an_empty_transfer(alice, verb, mode):
    assert alice.list("", verb, mode) == []
    alice.in_step()


@pytest.mark.parametrize("mode", MODES)
def test_list(alice, things, mode):
    assert alice.names(mode=mode) == ["a.txt", "b.txt", "dir", "link -> a.txt", "my dir", "pipe"]
    alice.in_step()


@pytest.mark.parametrize("mode", MODES)
def test_nlst(alice, things, mode):
    assert alice.nlst(mode=mode) == ["a.txt", "b.txt", "dir", "link", "my dir", "pipe"]
    alice.in_step()


@pytest.mark.parametrize("verb", ["LIST", "NLST"])
@pytest.mark.parametrize("path", ["missing", "dir/missing", "missing/", "b.txt/x", "/root/x",
                                  "x" * 300])
def test_missing_path_is_550(alice, things, verb, path):
    alice.refused(f"{verb} {path}", 550)
    alice.in_step()


@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_without_data_connection_is_425(alice, verb):
    alice.cmd(verb, 425)
    alice.in_step()


@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_data_connection_serves_once(alice, things, verb):
    alice.list("", verb)
    alice.cmd(verb, 425)
    alice.in_step()


@pytest.mark.parametrize("name, letter, size", [
    ("a.txt", "-", 300), ("dir", "d", None), ("link -> a.txt", "l", None), ("pipe", "p", None),
])
def test_fields_of_an_entry(alice, things, name, letter, size):
    entries = {entry["name"]: entry for entry in map(list_entry, alice.list())}
    assert entries[name]["mode"][0] == letter
    assert size is None or int(entries[name]["size"]) == size


@pytest.mark.parametrize("mode, text", [
    (0o644, "-rw-r--r--"), (0o000, "----------"), (0o777, "-rwxrwxrwx"), (0o4755, "-rwsr-xr-x"),
    (0o2644, "-rw-r-Sr--"), (0o1751, "-rwxr-x--t"), (0o6666, "-rwSrwSrw-"),
])
def test_permissions(alice, home, mode, text):
    home.file("f").chmod(mode)
    assert list_entry(alice.list()[0])["mode"] == text


def test_size_over_4_gib(alice, home):
    home.sparse("big", 5 << 30)
    assert int(list_entry(alice.list()[0])["size"]) == 5 << 30


@pytest.mark.parametrize("age_days", [0.5, 30, 170, 190, 400, 8000, -2, -400])
def test_dates(alice, home, age_days):
    moment = int(time.time() - age_days * DAY)
    os.utime(home.file("f"), (moment, moment))
    entry = list_entry(alice.list()[0])
    when = time.gmtime(moment)
    assert (entry["month"], int(entry["day"])) == (MONTHS[when.tm_mon - 1], when.tm_mday)
    # Up to half a year old: the time of day. Older, or in the future: the year.
    recent = 0 < age_days < 180
    assert entry["time"] == time.strftime("%H:%M" if recent else " %Y", when)


def test_hidden_files_with_a(alice, things):
    assert ".hidden" not in alice.names()
    assert ".hidden" in alice.names("-a")
    assert ".hidden" not in alice.nlst()
    assert ".hidden" in alice.nlst("-a")


@pytest.mark.parametrize("options", ["-l", "-la", "-al", "-a -l", "-L", "-1", "-F", "-R", "-r",
                                     "-t",
                                     "-S", "-A", "-lX", "-Q", "-laFtrS", "-la ", "--"])
def test_options_are_never_refused(alice, things, options):
    names = " ".join(alice.names(options))
    for name in ("a.txt", "b.txt", "dir", "my dir"):
        assert name in names, "the option was taken for a name"


def test_option_with_a_path(alice, things):
    assert alice.names("-l dir") == ["inside.txt"]
    for argument in ("-a dir", "-al dir", "-a -l dir"):
        assert set(alice.names(argument)) - {".", ".."} == {".dot", "inside.txt"}


def test_directory_itself_with_d(alice, things):
    assert alice.names("-d dir") == ["dir"]
    assert alice.nlst("-d dir") == ["dir"]


def test_reverse_order_with_r(alice, things):
    assert alice.nlst("-r") == list(reversed(alice.nlst()))
    assert alice.names("-lr") == list(reversed(alice.names()))


def test_long_format_of_nlst_with_l(alice, things):
    assert alice.list("-l", "NLST") == alice.list()


@pytest.mark.parametrize("argument", ["my dir", "-l my dir", "-la my dir", "/home/alice/my dir"])
def test_path_with_a_blank(alice, things, argument):
    assert "two words" in alice.names(argument)


def test_double_dash_ends_the_options(alice, home):
    home.dir("-a")
    home.file("-a/inside")
    assert alice.names("-- -a") == ["inside"]
    assert alice.names("./-a") == ["inside"]


@pytest.mark.parametrize("path", ["dir", "dir/", "./dir", "/home/alice/dir", "dir/../dir", "~/dir"])
def test_list_of_a_directory(alice, things, path):
    assert alice.names(path) == ["inside.txt"]


@pytest.mark.parametrize("path", ["dir/inside.txt", "./dir/inside.txt",
                                  "/home/alice/dir/inside.txt"])
def test_list_of_a_file_is_its_line(alice, things, path):
    assert alice.names(path) == ["inside.txt"]


@pytest.mark.parametrize("path", ["b.txt", "dir/inside.txt", "/home/alice/b.txt"])
def test_nlst_of_a_file_is_what_was_asked_for(alice, things, path):
    assert alice.nlst(path) == [path]


@pytest.mark.parametrize("path", ["dir", "/home/alice/dir", "../alice/dir"])
def test_nlst_of_a_directory_has_usable_names(alice, things, path):
    assert alice.nlst(path) == [f"{path}/inside.txt"]


def test_nlst_of_the_current_directory_has_bare_names(alice, things):
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
def test_nlst_of_a_pattern(alice, things, pattern, expected):
    assert alice.nlst(pattern) == expected


@pytest.mark.parametrize("pattern, expected", [
    ("*.txt", ["a.txt", "b.txt"]), ("dir/*", ["inside.txt"]), ("*.nothing", []),
    ("-l *.txt", ["a.txt", "b.txt"]),
])
def test_list_of_a_pattern(alice, things, pattern, expected):
    assert alice.names(pattern) == expected


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


def test_sorted(alice, home):
    names = [f"{letter}{number}" for letter in "zaMb" for number in range(30, 0, -1)]
    for name in names:
        home.file(name)
    assert alice.names() == alice.nlst() == sorted(names)


def test_many_entries(alice, home):
    names = [f"file-number-{number:05}" for number in range(5000)]
    for name in names:
        (home / name).touch()
    assert alice.names() == names
    assert alice.nlst() == names


@pytest.mark.parametrize("name", [
    "two words", " leading", "trailing ", "a -> b", 'q"uote', "ünï", b"\xe4\xf6", b"\xff",
    "x" * 255,
    "%n%s%x", "-la", "back\\slash", "100% (sure)", "~",
])
def test_names_are_sent_as_they_are(alice, home, name):
    home.file(name)
    expected = [os.fsdecode(name)]
    assert alice.nlst() == expected
    assert alice.names() == expected


@pytest.mark.parametrize("name", ["line\nfeed", "return\rcr", "\r\n226 done", "\x1b[2J", "\x7f",
                                  "x\n-rw-r--r-- 1 0 0 1 Jan  1 00:00 forged"])
def test_control_bytes_make_no_second_entry(alice, home, name):
    home.file(name)
    home.file("z")
    for names in (alice.nlst(), alice.names()):
        assert "z" in names
        assert len(names) <= 2


@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_directory_that_is_larger_than_the_buffers(alice, home, verb):
    names = [f"{number:0240}" for number in range(3000)]
    for name in names:
        (home / name).touch()
    assert (alice.nlst() if verb == "NLST" else alice.names()) == names


@pytest.mark.parametrize("verb", ["LIST", "NLST"])
def test_unreadable_directory_shows_nothing(alice, home, verb):
    home.dir("dark/inside")
    (home / "dark").chmod(0o311)
    alice.pasv()
    reply = alice.cmd(f"{verb} dark", 150, 550)
    if reply.code == 150:
        alice.reply(226)
    alice.in_step()


def test_dangling_and_looping_links_are_listed(alice, home):
    home.link("dangling", "nowhere")
    home.link("loop", "loop")
    assert alice.names() == ["dangling -> nowhere", "loop -> loop"]
    assert alice.nlst() == ["dangling", "loop"]


def test_long_link_target(alice, home):
    target = "/".join(["t" * 200] * 20)
    home.link("long", target)
    assert alice.names() == [f"long -> {target}"]


def test_type_does_not_matter(alice, things):
    plain = alice.list()
    alice.cmd("TYPE A", 200)
    assert alice.list() == plain
    alice.cmd("TYPE I", 200)
    assert alice.list() == plain


def test_numbers_of_owner_and_group(alice, things):
    entry = list_entry(alice.list("b.txt")[0])
    owner = str(things.account.uid)
    assert (entry["owner"], entry["group"]) == (owner, owner)


def test_list_in_a_chroot(jailed, things):
    assert jailed.names("/") == jailed.names("..") == jailed.names("/..") == jailed.names()
    assert jailed.names("/dir") == ["inside.txt"]
    jailed.refused("LIST /etc", 550)
