"""LIST."""

import calendar
import os
import re
import socket
import time

import pytest

import accounts
import codes
from ftpraw import list_entry
from listings import MODES, Listing, furnish

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
DAY = 86400
STAMP = 1700000000


@pytest.fixture
def things(home):
    return furnish(home)


class TestListing(Listing):
    verb = "LIST"


@pytest.mark.parametrize("mode", MODES)
def test_list(alice, things, mode):
    assert alice.names(mode=mode) == ["a.txt", "b.txt", "dir", "link -> a.txt", "my dir", "pipe"]
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


def test_reverse_order_with_r(alice, things):
    assert alice.names("-lr") == list(reversed(alice.names()))


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


@pytest.mark.parametrize("pattern, expected", [
    ("*.txt", ["a.txt", "b.txt"]), ("dir/*", ["inside.txt"]), ("*.nothing", []),
    ("-l *.txt", ["a.txt", "b.txt"]),
])
def test_list_of_a_pattern(alice, things, pattern, expected):
    assert alice.names(pattern) == expected


def test_dangling_and_looping_links_are_listed(alice, home):
    home.link("dangling", "nowhere")
    home.link("loop", "loop")
    assert alice.names() == ["dangling -> nowhere", "loop -> loop"]


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


@pytest.mark.parametrize("verb", ["LIST", "NLST", "MLSD"])
def test_conversion_of_files_leaves_listings_alone(ftpd, things, verb):
    client = ftpd(ascii_download_enable="YES", ascii_upload_enable="YES").login("alice")
    plain = client.list("", verb)
    client.cmd("TYPE A", 200)
    assert client.list("", verb) == plain
    client.in_step()


def test_numbers_of_owner_and_group(alice, things):
    entry = list_entry(alice.list("b.txt")[0])
    owner = str(things.account.uid)
    assert (entry["owner"], entry["group"]) == (owner, owner)


def test_list_in_a_chroot(jailed, things):
    assert jailed.names("/") == jailed.names("..") == jailed.names("/..") == jailed.names()
    assert jailed.names("/dir") == ["inside.txt"]
    jailed.refused("LIST /etc", 550)


# Lines.

@pytest.mark.parametrize("size, text", [(0, "           0"), (5, "           5"),
                                        (5 << 30, "  5368709120"), (1 << 42, "4398046511104")])
def test_exact_line(alice, home, size, text):
    """The columns of ls, which no client has to guess."""
    path = home.sparse("a file", size)
    path.chmod(0o640)
    os.utime(path, (STAMP, STAMP))
    assert alice.list() == [f"-rw-r-----    1 1001     1001     {text} Nov 14  2023 a file"]


def test_exact_line_of_other_kinds(alice, home):
    home.dir("dir")
    home.link("link", "dir/target")
    home.fifo("pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(home / "socket"))
    for name in home.names():
        os.chown(home / name, 0, 12345678, follow_symlinks=False)
        os.utime(home / name, (STAMP, STAMP), follow_symlinks=False)
    (home / "pipe").chmod(0o600)
    (home / "socket").chmod(0o777)
    directory_size = (home / "dir").stat().st_size
    assert alice.list() == [
        f"drwxr-xr-x    2 0        12345678 {directory_size:12} Nov 14  2023 dir",
        "lrwxrwxrwx    1 0        12345678           10 Nov 14  2023 link -> dir/target",
        "prw-------    1 0        12345678            0 Nov 14  2023 pipe",
        "srwxrwxrwx    1 0        12345678            0 Nov 14  2023 socket"]


@pytest.mark.parametrize("mode, text", [
    (0o4755, "-rwsr-xr-x"), (0o4644, "-rwSr--r--"), (0o2755, "-rwxr-sr-x"), (0o2745, "-rwxr-Sr-x"),
    (0o1755, "-rwxr-xr-t"), (0o1754, "-rwxr-xr-T"), (0o7777, "-rwsrwsrwt"), (0o7000, "---S--S--T"),
])
def test_special_permissions(alice, home, mode, text):
    home.file("f").chmod(mode)
    home.dir("g").chmod(mode)
    modes = [list_entry(line)["mode"] for line in alice.list()]
    assert modes == [text, "d" + text[1:]]


def test_number_of_links(alice, home):
    home.file("f")
    for number in range(150):
        os.link(home / "f", home / f"f{number}")
    assert list_entry(alice.list("f")[0])["links"] == "151"


def test_wide_numbers_push_the_line_and_do_not_join(alice, home):
    os.chown(home.sparse("f", 1 << 62), 4294967293, 4294967294)
    entry = list_entry(alice.list()[0])
    assert (entry["owner"], entry["group"]) == ("4294967293", "4294967294")
    assert entry["size"] == str(1 << 62)


def test_directories_of_many_groups(ftpd, home):
    """Rights by the last of twenty groups count, and each group is shown."""
    for name, gid in accounts.GROUPS.items():
        path = home.dir(name)
        home.file(f"{name}/inside")
        os.chown(path, 0, gid)
        path.chmod(0o750)
    client = ftpd().login("grp")
    client.cmd("CWD /home/alice", 250)
    groups = {entry["name"]: int(entry["group"]) for entry in map(list_entry, client.list())}
    assert groups == accounts.GROUPS
    for name in accounts.GROUPS:
        assert client.names(name) == ["inside"]


# Dates.

def shown_date(client, home, stamp):
    os.utime(home.file("f"), (stamp, stamp))
    return list_entry(client.list()[0])["date"]


@pytest.mark.parametrize("stamp, text", [
    (0, "Jan  1  1970"), (1, "Jan  1  1970"), (-1, "Dec 31  1969"), (-2208988800, "Jan  1  1900"),
    (951782400, "Feb 29  2000"), (STAMP, "Nov 14  2023"), (2147483648, "Jan 19  2038"),
    (4294967296, "Feb  7  2106"), (4102444800, "Jan  1  2100"), (253402300799, "Dec 31  9999"),
])
def test_years(alice, home, stamp, text):
    assert shown_date(alice, home, stamp) == text


@pytest.mark.parametrize("age, recent", [
    (0, True), (1, True), (60, True), (182 * DAY - 120, True), (182 * DAY + 120, False),
    (183 * DAY, False), (365 * DAY, False), (-300, False), (-DAY, False), (-200 * DAY, False),
])
def test_time_of_day_is_for_the_last_half_year(alice, home, age, recent):
    """The future is shown with its year: clients take a time of day to be past."""
    stamp = int(time.time()) - age
    when = time.gmtime(stamp)
    text = time.strftime("%H:%M" if recent else " %Y", when)
    assert shown_date(alice, home, stamp) == f"{MONTHS[when.tm_mon - 1]} {when.tm_mday:2} {text}"


def test_files_around_the_edge_of_half_a_year(alice, home):
    """Each of many files in one listing has its own date, the same minute or not."""
    now = int(time.time())
    edge = now - 182 * DAY
    stamps = [edge + step for step in (-3600, 3600, -30, 30, -20, 40, -10, 50, 0, 59)]
    stamps += [now - step for step in (0, 1, 59, 60, 61, 3600, 86400)]
    stamps += [now + 600, 60, 0, -1, 59, -60]
    for number, stamp in enumerate(stamps):
        os.utime(home.file(f"{number:02}"), (stamp, stamp))
    for entry, stamp in zip(map(list_entry, alice.list()), stamps, strict=True):
        recent = edge < stamp <= now
        when = time.gmtime(stamp)
        assert (entry["month"], int(entry["day"])) == (MONTHS[when.tm_mon - 1], when.tm_mday)
        assert entry["time"] == time.strftime("%H:%M" if recent else " %Y", when)


@pytest.mark.parametrize("month", range(1, 13))
def test_months_are_english(alice, home, month):
    stamp = calendar.timegm((2020, month, 3, 0, 0, 0))
    assert shown_date(alice, home, stamp) == f"{MONTHS[month - 1]}  3  2020"


def test_year_of_five_digits(alice, home):
    home.file("g")
    os.utime(home.file("f"), (253402300800, 253402300800))
    line = alice.list("f")[0]
    assert re.fullmatch(r"-rw-r--r-- +1 1001 +1001 +0 Jan  1 10000 f", line)
    assert len(alice.list()) == 2


@pytest.mark.parametrize("stamp", [1 << 40, 1 << 55, 1 << 62, -(1 << 40), -(1 << 62)])
def test_year_of_no_calendar_is_one_line_all_the_same(alice, home, stamp):
    os.utime(home.file("f"), (stamp, stamp))
    home.file("g")
    first, second = alice.list()
    assert first.endswith(" f") and list_entry(second)["name"] == "g"
    alice.in_step()


# Links.

@pytest.fixture
def links(home):
    """Links to everything."""
    home.file("file", b"1234")
    home.dir("directory")
    home.file("directory/inside")
    for name, target in [("to file", "file"), ("to directory", "directory"), ("loop", "loop"),
                         ("dangling", "nowhere"), ("outside", "/etc/passwd"), ("there", "back"),
                         ("back", "there")]:
        home.link(name, target)
    return home


def test_links_show_where_they_lead(alice, links):
    assert alice.names() == [
        "back -> there", "dangling -> nowhere", "directory", "file", "loop -> loop",
        "outside -> /etc/passwd", "there -> back", "to directory -> directory", "to file -> file"]


def test_links_are_followed_with_capital_l(alice, links):
    entries = {entry["name"]: entry for entry in map(list_entry, alice.list("-L"))}
    assert sorted(entries) == ["back -> there", "dangling -> nowhere", "directory", "file",
                               "loop -> loop", "outside", "there -> back", "to directory",
                               "to file"]
    assert entries["to file"]["size"] == "4" and entries["to file"]["mode"][0] == "-"
    assert entries["to directory"]["mode"][0] == "d"
    assert entries["loop -> loop"]["mode"][0] == "l"


def test_link_to_a_directory_is_listed_as_that(alice, links):
    for path in ("to directory", "to directory/", "-l to directory"):
        assert alice.names(path) == ["inside"]
    assert alice.names("-d to directory") == ["to directory -> directory"]


@pytest.mark.parametrize("name, shown", [
    ("to file", "to file -> file"), ("dangling", "dangling -> nowhere"), ("loop", "loop -> loop"),
])
def test_link_itself(alice, links, name, shown):
    assert alice.names(name) == [shown]


def test_links_out_of_a_chroot_lead_nowhere(jailed, links):
    assert "outside -> /etc/passwd" in jailed.names("-L")
    assert jailed.names("outside") == ["outside -> /etc/passwd"]


def test_target_with_line_ends(alice, home):
    home.link("link", "a\r\n-rw-r--r--    1 0        0                   1 Jan  1  1970 forged")
    home.file("z")
    names = alice.names()
    assert len(names) == 2 and names[0].startswith("link -> a??-rw")


@pytest.mark.parametrize("name, shown", [
    ("line\nfeed", "line?feed"), ("return\rcr", "return?cr"), ("\n", "?"), ("a\r\nb", "a??b"),
    ("\x1b[2J", "\x1b[2J"), ("tab\there", "tab\there"), ("\x7f", "\x7f"),
])
def test_only_line_ends_are_shown_as_question_marks(alice, home, name, shown):
    home.file(name)
    assert alice.names() == [shown]


# Rights.

@pytest.mark.parametrize("mode", [0o311, 0o111, 0o000])
def test_unreadable_directory_is_550(alice, home, mode):
    home.dir("dark/inside")
    home.file("dark/inside/f")
    (home / "dark").chmod(mode)
    for argument in ("dark", "-la dark", "dark/", "dark/*"):
        alice.refused(f"LIST {argument}", codes.LIST_UNREADABLE)
    alice.in_step()
    assert alice.names("-d dark") == ["dark"]


def test_directory_to_search_only(alice, home):
    home.dir("dark/inside")
    home.file("dark/inside/f")
    (home / "dark").chmod(0o311)
    assert alice.names("dark/inside") == ["f"]
    assert alice.names("dark/inside/f") == ["f"]
    assert alice.names("-d dark/inside") == ["inside"]


def test_directory_to_read_only_has_no_lines_to_show(alice, home):
    """Its names can be read, but nothing about them."""
    home.dir("flat")
    home.file("flat/f")
    (home / "flat").chmod(0o444)
    assert alice.names("flat") == alice.names("-a flat") == []
    alice.refused("LIST flat/f", 550)
    alice.in_step()


# Options.

def test_newest_first_with_t(alice, home):
    for number, name in enumerate(["c", "a", "d", "b"]):
        os.utime(home.file(name), (STAMP - number * DAY, STAMP - number * DAY))
    os.utime(home.file("old"), (-DAY, -DAY))
    os.utime(home.file("new"), (1 << 33, 1 << 33))
    expected = ["new", "c", "a", "d", "b", "old"]
    assert alice.names("-t") == alice.names("-lt") == expected
    assert alice.names("-tr") == alice.names("-t -r") == alice.names("-rt") == expected[::-1]


def test_largest_first_with_capital_s(alice, home):
    for name, size in [("c", 3), ("a", 5 << 30), ("d", 0), ("b", 4096)]:
        home.sparse(name, size)
    expected = ["a", "b", "c", "d"]
    assert alice.names("-S") == alice.names("-lS") == expected
    assert alice.names("-rS") == expected[::-1]


@pytest.mark.parametrize("options", ["-t", "-S"])
def test_same_key_is_in_order_of_names(alice, home, options):
    names = [f"{number * 7919 % 100:02}" for number in range(100)]
    for name in names:
        os.utime(home.file(name), (STAMP, STAMP))
    assert alice.names(options) == sorted(names)


def test_sizes_and_times_of_what_links_lead_to(alice, home):
    home.sparse("small", 1000)
    home.sparse("large", 100000)
    home.link("link", "large")
    assert [name.split(" ->")[0] for name in alice.names("-S")] == ["large", "small", "link"]
    assert alice.names("-SL") == ["large", "link", "small"]


def test_dots_with_a_and_none_with_capital_a(alice, things):
    assert alice.names("-a dir") == [".", "..", ".dot", "inside.txt"]
    assert alice.names("-A dir") == [".dot", "inside.txt"]
    assert alice.names("-aA dir") == alice.names("-Aa dir") == alice.names("-a dir")


@pytest.mark.parametrize("argument, expected", [
    ("-d", ["."]), ("-d .", ["."]), ("-d dir", ["dir"]), ("-d dir/", ["dir"]), ("-ld dir", ["dir"]),
    ("-d /", ["/"]), ("-d ..", [".."]), ("-d a.txt", ["a.txt"]), ("-d /home/alice", ["alice"]),
    ("-d *i*", ["dir", "link -> a.txt", "my dir", "pipe"]),
])
def test_directory_as_an_entry_with_d(alice, things, argument, expected):
    assert alice.names(argument) == expected


@pytest.mark.parametrize("argument", [
    "-la my dir", "-l -a my dir", "-a -l -1 my dir", "-alF my dir", "-la -- my dir", "-- my dir",
    "-la ./my dir", "-la /home/alice/my dir/", "-la ~/my dir", "- my dir",
])
def test_everything_behind_the_options_is_one_path(alice, things, argument):
    assert set(alice.names(argument)) - {".", ".."} == {"two words"}


@pytest.mark.parametrize("argument, expected", [
    ("-l  lead", ["in lead"]), (" lead", ["in lead"]), ("--  lead", ["in lead"]),
    ("./ lead", ["in lead"]), ("trail ", ["in trail"]), ("-a trail /in trail", ["in trail"]),
    ("-la ./-a", ["in -a", ".", ".."]), ("-- -la", ["in -la"]), ("./-la", ["in -la"]),
    ("-l -- --", ["in --"]), ("-1 ./-x y", ["in -x y"]), ("-- -x y", ["in -x y"]),
])
def test_blanks_and_minuses_of_names(alice, home, argument, expected):
    for name in (" lead", "trail ", "-a", "-la", "--", "-x y"):
        home.dir(name)
        home.file(f"{name}/in {name.strip()}")
    assert sorted(alice.names(argument)) == sorted(expected)


def test_file_with_the_name_of_an_option(alice, home):
    home.file("-a", b"1")
    home.file(".dot")
    assert sorted(alice.names("-a")) == ["-a", ".", "..", ".dot"]
    assert alice.names("./-a") == alice.names("-- -a") == ["-a"]


@pytest.mark.parametrize("argument", ["dir -l", "dir -a", "a.txt b.txt", "-l a.txt b.txt",
                                      "-l dir missing", "-x-y missing"])
def test_options_behind_the_path_belong_to_it(alice, things, argument):
    alice.refused(f"LIST {argument}", 550)
    alice.in_step()


def test_no_letter_is_refused(alice, things):
    for letter in map(chr, range(33, 127)):
        assert ("dir" if letter == "d" else "inside.txt") in alice.names(f"-{letter} dir"), letter
    alice.in_step()


def test_a_thousand_options(alice, things):
    assert "inside.txt" in alice.names("-la " * 900 + "dir")
    assert "inside.txt" in alice.names("-" + "l" * 3900 + " dir")


# Patterns.

PATTERNS = [
    "*", "*.txt", "?.txt", "[ab].txt", "[!a].txt", "[a-c]*", "{a,b}.txt", "{a.txt,dir}", "*i*",
    "{a,b}.{txt,doc}", "my*", "*dir", ".*", ".h*", "*.nothing", "[", "[a", "{", "{a", "a{",
    "a.txt{}", "{a,{b,c}}.txt", "dir/*", "dir/.*", "my dir/*", "/home/alice/[ab]*", "./*.txt",
    "~/*.txt", "li*", "*?", "?*", "???", "{}", "{,a.txt}", "**", "***.txt", "[]a]*", "[^b].txt",
    "[a-]*",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pattern_matches_what_it_matches_in_nlst(alice, things, pattern):
    """Which test_nlst.py shows to be right; whatever is no pattern is missing."""
    found = []
    for verb in ("LIST", "NLST"):
        data = alice.pasv()
        code = alice.cmd(f"{verb} {pattern}").code
        with data() as sock:
            content = b"".join(iter(lambda: sock.recv(65536), b"")) if code == 150 else b""
        if code == 150:
            alice.reply(226)
        lines = content.decode().splitlines()
        if verb == "LIST":
            lines = [list_entry(line)["name"].split(" -> ")[0] for line in lines]
        found.append((code, [line.rpartition("/")[2] for line in lines]))
    assert found[0] == found[1]
    alice.in_step()


def test_pattern_without_a_match_is_an_empty_listing(alice, things):
    for pattern in ("*.nothing", "dir/*.nothing", "-la *.nothing", "{x,y}", "[xyz]", "nothing?"):
        assert alice.names(pattern) == []
    alice.refused("LIST missing", codes.LIST_MISSING)
    alice.refused("LIST missing/*", codes.LIST_MISSING)


def test_directories_that_match_are_lines(alice, things):
    assert alice.names("d*") == ["dir"]
    assert alice.names("-d d*") == ["dir"]


def test_pattern_in_the_order_of_the_options(alice, things):
    assert alice.names("-r *.txt") == ["b.txt", "a.txt"]
    assert alice.names("-S *.txt") == ["a.txt", "b.txt"]


def test_pattern_in_the_middle_is_none(alice, things):
    alice.refused("LIST d*/inside.txt", 550)


@pytest.mark.parametrize("name", ["*", "?", "[ab]", "{a,b}", "[a-z]*", "*.txt"])
def test_literal_name_comes_before_the_pattern(alice, home, name):
    for other in ("a", "b", "a.txt", "z"):
        home.file(other)
    home.dir(name)
    home.file(f"{name}/inside")
    assert alice.names(name) == ["inside"]
    assert alice.names(f"-d {name}") == [name]
