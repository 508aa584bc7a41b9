"""The options that rule what listings show, each with and without a chroot.

In a chroot nothing can be looked up: no account, no group, no time zone.
"""

import contextlib
import os
import struct
import time
from pathlib import Path

import pytest

import accounts
from ftpraw import list_entry
from mlsx import mlsd, mlst

OPTIONS = ("force_dot_files", "hide_ids", "text_userdb_names", "use_localtime", "ls_recurse_enable")

STAMP = 1700000000  # 2023-11-14 22:13:20 UTC
JAILS = {"free": {}, "jailed": {"chroot_local_user": "YES"}}


@pytest.fixture(params=JAILS.values(), ids=JAILS)
def start(ftpd, home, request):
    """start(option="value", ...) returns a client that is logged in as alice."""
    def login(**options):
        for daemon in ftpd.daemons:
            daemon.stop()
        return ftpd(**request.param, **options).login("alice")

    return login


def owners(client, path="."):
    """Owner and group of everything in a directory as LIST, NLST -l, STAT and MLSD show them."""
    shown = []
    for lines in (client.list(path), client.list(f"-l {path}", "NLST"),
                  client.cmd(f"STAT {path}", 213).lines[1:-1]):
        entries = {entry["name"].split(" -> ")[0]: entry for entry in map(list_entry, lines)}
        shown.append({name: (entry["owner"], entry["group"]) for name, entry in entries.items()
                      if name not in (".", "..")})
    shown.append({name: (facts["UNIX.owner"], facts["UNIX.group"])
                  for name, facts in mlsd(client, path).items() if name not in (".", "..")})
    assert all(one == shown[0] for one in shown), shown
    return shown[0]


# hide_ids and text_userdb_names.

IDS = {
    "own": (1001, 1001), "root's": (0, 0), "nobody's": (65534, 65534), "unknown": (54321, 54322),
    "of a team": (1001, 2007), "largest": (4294967293, 4294967293), "ftp's": (990, 990),
}
NAMES = {
    "own": ("alice", "alice"), "root's": ("root", "root"), "nobody's": ("nobody", "nogroup"),
    "unknown": ("54321", "54322"), "of a team": ("alice", "team7"),
    "largest": ("4294967293", "4294967293"), "ftp's": ("ftp", "ftp"),
}


@pytest.fixture
def owned(home):
    """Files of many owners."""
    for name, ids in IDS.items():
        os.chown(home.file(name), *ids)
    return home


def test_ids_are_numbers_by_default(start, owned):
    numbers = {name: tuple(map(str, ids)) for name, ids in IDS.items()}
    assert owners(start()) == numbers
    assert owners(start(hide_ids="NO", text_userdb_names="NO")) == numbers


def test_hide_ids(start, owned):
    client = start(hide_ids="YES")
    assert set(owners(client).values()) == {("ftp", "ftp")}
    facts = mlst(client, "root's").facts
    assert (facts["UNIX.owner"], facts["UNIX.group"]) == ("ftp", "ftp")
    assert {entry["owner"] for entry in map(list_entry, client.list("-a /"))} == {"ftp"}


def test_text_userdb_names(start, owned):
    client = start(text_userdb_names="YES")
    assert owners(client) == NAMES
    facts = mlst(client, "of a team").facts
    assert (facts["UNIX.owner"], facts["UNIX.group"]) == ("alice", "team7")


def test_hide_ids_comes_before_text_userdb_names(start, owned):
    client = start(hide_ids="YES", text_userdb_names="YES")
    assert set(owners(client).values()) == {("ftp", "ftp")}


def test_names_for_anonymous_users(ftpd):
    for options, expected in [({}, "0"), ({"text_userdb_names": "YES"}, "root"),
                              ({"hide_ids": "YES"}, "ftp")]:
        client = ftpd(**options).anonymous()
        assert set(owners(client, "pub").values()) == {(expected, expected)}
        ftpd.daemons[-1].stop()


def test_long_names_keep_the_form_of_the_line(start, home):
    """The columns are pushed, but not cut off, and not joined."""
    account = accounts.ALL[accounts.LONG_NAME]
    os.chown(home.file("f"), account.uid, account.gid)
    client = start(text_userdb_names="YES")
    assert owners(client) == {"f": (account.name, account.name)}


@contextlib.contextmanager
def more_lines(**files):
    """Lines more in /etc/passwd or /etc/group."""
    before = {name: Path("/etc", name).read_text() for name in files}
    for name, line in files.items():
        Path("/etc", name).write_text(f"{before[name]}{line}\n")
    yield
    for name, text in before.items():
        Path("/etc", name).write_text(text)


def test_names_are_read_again_when_they_change(ftpd, home):
    os.chown(home.file("f"), 4711, 4712)
    daemon = ftpd(text_userdb_names="YES", chroot_local_user="YES")
    old = daemon.login("alice")
    assert owners(old) == {"f": ("4711", "4712")}
    with more_lines(passwd="newcomer:x:4711:4712::/:/bin/sh", group="newcomers:x:4712:"):
        assert owners(daemon.login("alice")) == {"f": ("newcomer", "newcomers")}
        assert owners(old) == {"f": ("4711", "4712")}
    assert owners(daemon.login("alice")) == {"f": ("4711", "4712")}


def test_first_name_of_a_number_counts(ftpd, home):
    home.file("f")
    with more_lines(passwd="alias:x:1001:1001::/:/bin/sh", group="alias:x:1001:"):
        client = ftpd(text_userdb_names="YES").login("alice")
        assert owners(client) == {"f": ("alice", "alice")}


@pytest.mark.parametrize("name", ["two words", "a;b", "tab\there", ";type=dir", "a b;c"])
def test_names_that_would_break_the_line(start, home, name):
    """One word, whatever stands in the file."""
    os.chown(home.file("f"), 4711, 4712)
    with more_lines(passwd=f"{name}:x:4711:4712::/:/bin/sh", group=f"{name}:x:4712:"):
        client = start(text_userdb_names="YES")
        (ids,) = owners(client).values()
        assert ids[0] == ids[1] and not set(ids[0]) & set(" ;\t")
        assert set(mlsd(client)) == {".", "..", "f"}


# force_dot_files.

@pytest.fixture
def dotted(home):
    for name in (".dot", "plain", "dir/.inner", "dir/inner"):
        home.dir("dir")
        home.file(name)
    home.dir(".hidden")
    return home


@pytest.mark.parametrize("argument, without, forced", [
    ("", ["dir", "plain"], [".dot", ".hidden", "dir", "plain"]),
    (".", ["dir", "plain"], [".dot", ".hidden", "dir", "plain"]),
    ("dir", ["inner"], [".inner", "inner"]),
    ("-l dir", ["inner"], [".inner", "inner"]),
    ("-A dir", [".inner", "inner"], [".inner", "inner"]),
    ("-a dir", [".", "..", ".inner", "inner"], [".", "..", ".inner", "inner"]),
    (".dot", [".dot"], [".dot"]),
    (".*", [".dot", ".hidden"], [".dot", ".hidden"]),
])
def test_force_dot_files(start, dotted, argument, without, forced):
    for setting, expected in (("NO", without), ("YES", forced)):
        client = start(force_dot_files=setting)
        assert client.names(argument) == expected
        names = [name.removeprefix("dir/") for name in client.nlst(argument.replace("-l ", ""))]
        assert names == [name for name in expected if name not in (".", "..")]


def test_force_dot_files_shows_no_dots(start, dotted):
    """Neither "." nor "..", in no listing but with -a."""
    client = start(force_dot_files="YES")
    for argument in ("", "-l", "-t", "-r", ".", "/", "*", ".*"):
        assert not {".", ".."} & set(client.names(argument)), argument


@pytest.mark.parametrize("setting", ["NO", "YES"])
def test_stat_and_mlsd_show_dot_files_anyway(start, dotted, setting):
    client = start(force_dot_files=setting)
    listed = {list_entry(line)["name"] for line in client.cmd("STAT dir", 213).lines[1:-1]}
    assert listed - {".", ".."} == {".inner", "inner"}
    assert set(mlsd(client, "dir")) == {".", "..", ".inner", "inner"}


# use_localtime.

def zone_file(path, offset):
    """A time zone in the form of tzfile(5): one offset from UTC, always."""
    name = b"XYZ\0"
    header = b"TZif" + b"\0" * 16 + struct.pack(">6l", 0, 0, 0, 0, 1, len(name))
    path.write_bytes(header + struct.pack(">lBB", offset, 0, 0) + name)
    return path


# In summer and in winter: minutes to be added to UTC.
ZONES = {
    "XYZ+3": (-180, -180), "XYZ-5:30": (330, 330), "UTC0": (0, 0),
    "CET-1CEST,M3.5.0,M10.5.0/3": (120, 60), "XYZ+12": (-720, -720), "XYZ-14": (840, 840),
}
SUMMER, WINTER = 1689336000, 1700000000


def list_date(stamp, now):
    """As LIST shows a time that is in the zone of the display already."""
    when = time.gmtime(stamp)
    recent = now - 182 * 86400 < stamp <= now
    return time.strftime("%b ", when) + f"{when.tm_mday:2} " + time.strftime(
        "%H:%M" if recent else " %Y", when)


def check_times(client, home, minutes_summer, minutes_winter):
    """LIST, STAT and MDTM show local time; MLSD and MLST always UTC."""
    for stamp, minutes in ((SUMMER, minutes_summer), (WINTER, minutes_winter)):
        os.utime(home.file("f"), (stamp, stamp))
        shifted = stamp + minutes * 60
        (line,) = client.list("f")
        assert list_entry(line)["date"] == list_date(shifted, int(time.time()))
        assert client.cmd("STAT f", 213).lines[1] == line
        local = time.strftime("%Y%m%d%H%M%S", time.gmtime(shifted))
        assert client.cmd("MDTM f", 213).text == local
        utc = time.strftime("%Y%m%d%H%M%S", time.gmtime(stamp))
        assert mlsd(client)["f"]["modify"] == mlst(client, "f").facts["modify"] == utc


@pytest.mark.parametrize("zone", ZONES)
def test_use_localtime(start, home, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    check_times(start(use_localtime="NO"), home, 0, 0)
    check_times(start(use_localtime="YES"), home, *ZONES[zone])


@pytest.mark.parametrize("zone", ZONES)
def test_time_of_day_in_local_time(start, home, monkeypatch, zone):
    """What is new is shown with its time of day, in the zone's offset of today."""
    monkeypatch.setenv("TZ", zone)
    now = int(time.time())
    stamps = [now - age for age in (60, 3600, 86400, 100 * 86400)]
    for number, stamp in enumerate(stamps):
        os.utime(home.file(f"f{number}"), (stamp, stamp))
    dates = {entry["name"]: entry["date"]
             for entry in map(list_entry, start(use_localtime="YES").list())}
    time.tzset()
    try:
        for number, stamp in enumerate(stamps):
            expected = time.strftime("%b ", time.localtime(stamp)) + time.strftime(
                "%e %H:%M", time.localtime(stamp))
            assert dates[f"f{number}"] == expected
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("minutes", [-210, 345])
def test_zone_from_a_file(start, home, monkeypatch, tmp_path, minutes):
    """As /etc/localtime is: read before the chroot, for there is none behind it."""
    zone = zone_file(tmp_path / "zone", minutes * 60)
    monkeypatch.setenv("TZ", f":{zone}")
    for log in ("YES", "NO"):  # whoever writes the log needs the zone as well
        check_times(start(use_localtime="NO", xferlog_enable=log), home, 0, 0)
        check_times(start(use_localtime="YES", xferlog_enable=log), home, minutes, minutes)


def test_local_times_of_anonymous_users(ftpd, monkeypatch):
    monkeypatch.setenv("TZ", "XYZ+3")
    path = Path(accounts.ALL["ftp"].home, "pub", "readme.txt")
    os.utime(path, (STAMP, STAMP))
    client = ftpd(use_localtime="YES").anonymous()
    assert client.cmd("MDTM pub/readme.txt", 213).text == "20231114191320"
    assert mlst(client, "pub/readme.txt").facts["modify"] == "20231114221320"


def test_day_and_year_of_the_zone(start, home, monkeypatch):
    """Both may be others than those of UTC."""
    monkeypatch.setenv("TZ", "XYZ+3")
    client = start(use_localtime="YES")
    for stamp, text in [(1704067200, "Dec 31  2023"), (0, "Dec 31  1969"), (10800, "Jan  1  1970"),
                        (253402300800, "Dec 31  9999"), (1709251200, "Feb 29  2024")]:
        os.utime(home.file("f"), (stamp, stamp))
        assert list_entry(client.list("f")[0])["date"] == text


# ls_recurse_enable.

def sections(lines):
    """The names of a recursive LIST: those before the first heading, then by heading."""
    found = {None: []}
    place = None
    lines = iter(lines)
    for line in lines:
        if line == "":
            place = next(lines)
            assert place.endswith(":") and place not in found, place
            place = os.path.normpath(place[:-1])
            found[place] = []
        else:
            found[place].append(list_entry(line)["name"])
    return found


@pytest.fixture
def branches(home):
    """A tree with links in it."""
    home.dir("b/deep/er")
    home.dir("a")
    home.dir("empty dir")
    home.dir(".hidden")
    for name in ("f", "a/1", "a/2", "b/deep/f", "b/deep/er/last", "b/z", "b/.dot", ".hidden/f"):
        home.file(name)
    home.link("to a", "a")
    home.link("b/up", "..")
    home.link("b/self", ".")
    return home


BRANCHES = {
    None: ["a", "b", "empty dir", "f", "to a -> a"],
    "a": ["1", "2"],
    "b": ["deep", "self -> .", "up -> ..", "z"],
    "b/deep": ["er", "f"],
    "b/deep/er": ["last"],
    "empty dir": [],
}


def test_ls_recurse_enable(start, branches):
    """In sections, depth first and sorted; links are not followed."""
    client = start(ls_recurse_enable="YES")
    for argument in ("-R", "-lR", "-R .", "-R -l", "-R ./"):
        found = sections(client.list(argument))
        assert found == BRANCHES
        assert list(found) == list(BRANCHES)
    client.in_step()


def test_without_it_the_option_is_ignored(start, branches):
    for options in ({}, {"ls_recurse_enable": "NO"}):
        client = start(**options)
        assert client.list("-R") == client.list("-lR") == client.list()
        assert client.nlst("-R") == client.nlst()
        assert client.nlst("-R b") == client.nlst("b")


def test_recursive_names_are_paths_without_headings(start, branches):
    client = start(ls_recurse_enable="YES")
    expected = ["a", "b", "empty dir", "f", "to a", "a/1", "a/2", "b/deep", "b/self", "b/up", "b/z",
                "b/deep/er", "b/deep/f", "b/deep/er/last"]
    assert client.nlst("-R") == client.nlst("-R .") == expected
    assert client.nlst("-R b/deep") == ["b/deep/er", "b/deep/f", "b/deep/er/last"]
    assert client.nlst("-R f") == ["f"]


@pytest.mark.parametrize("path", ["b", "b/", "./b", "~/b"])
def test_recursion_from_a_path(start, branches, path):
    client = start(ls_recurse_enable="YES")
    found = sections(client.list(f"-R {path}"))
    assert found[None] == BRANCHES["b"]
    assert [names for place, names in found.items() if place] == [["er", "f"], ["last"]]
    assert [place.rpartition("/b/")[2].removeprefix("b/") for place in found if place] == [
        "deep", "deep/er"]


def test_recursion_from_the_root_of_a_chroot(ftpd, branches):
    client = ftpd(ls_recurse_enable="YES", chroot_local_user="YES").login("alice")
    found = sections(client.list("-R /"))
    assert {place and place.lstrip("/"): names for place, names in found.items()} == BRANCHES


def test_recursion_with_other_options(start, branches):
    client = start(ls_recurse_enable="YES")
    found = sections(client.list("-aR"))
    assert found[".hidden"] == [".", "..", "f"] and ".dot" in found["b"]
    assert list(sections(client.list("-rR"))) == [None, "empty dir", "b", "b/deep", "b/deep/er",
                                                  "a"]
    assert client.names("-dR b") == ["b"]
    assert sections(client.list("-R f")) == {None: ["f"]}
    assert list(sections(client.list("-R [ab]"))) == [None, "a", "b", "b/deep", "b/deep/er"]
    assert "b/up/b" not in sections(client.list("-RL"))


def test_recursion_with_force_dot_files(start, branches):
    client = start(ls_recurse_enable="YES", force_dot_files="YES")
    found = sections(client.list("-R"))
    assert found[".hidden"] == ["f"] and ".dot" in found["b"]


@pytest.mark.parametrize("mode", [0o000, 0o311, 0o444])
def test_recursion_goes_on_behind_what_it_may_not_read(start, home, mode):
    for name in ("1 before", "2 dark", "3 after"):
        home.dir(f"{name}/inside")
        home.file(f"{name}/inside/f")
    (home / "2 dark").chmod(mode)
    client = start(ls_recurse_enable="YES")
    found = sections(client.list("-R"))
    assert found["2 dark"] == []
    assert found["1 before/inside"] == found["3 after/inside"] == ["f"]
    assert "3 after/inside/f" in client.nlst("-R")
    client.in_step()


def test_recursion_two_hundred_levels_deep(start, home):
    home.dir("/".join(["d"] * 200))
    home.file("/".join(["d"] * 200 + ["bottom"]))
    client = start(ls_recurse_enable="YES")
    found = sections(client.list("-R"))
    assert len(found) == 201
    assert found["/".join(["d"] * 200)] == ["bottom"]
    assert client.nlst("-R")[-1] == "/".join(["d"] * 200 + ["bottom"])
    client.in_step()


def test_recursion_deeper_than_a_path_can_be(start, home):
    """Where no path leads any more it ends, and the rest is complete."""
    here = os.open(home.path, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 200, dir_fd=here)
        os.chown("d" * 200, home.account.uid, home.account.gid, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    home.file("z")
    client = start(ls_recurse_enable="YES")
    found = sections(client.list("-R"))
    assert found[None] == ["d" * 200, "z"]
    assert 18 < len(found) < 25
    assert len(client.nlst("-R")) >= 18
    client.in_step()


def test_recursion_of_many_directories(start, home):
    names = [f"{number:04}" for number in range(3000)]
    for name in names:
        (home / name).mkdir()
        (home / name / "f").touch()
    client = start(ls_recurse_enable="YES")
    assert list(sections(client.list("-R"))) == [None] + names
    assert client.nlst("-R") == names + [f"{name}/f" for name in names]


def test_names_with_line_ends_make_no_heading(start, home):
    home.dir("a\r\n\r\nforged:")
    home.file("a\r\n\r\nforged:/f")
    found = sections(start(ls_recurse_enable="YES").list("-R"))
    assert found == {None: ["a????forged:"], "a????forged:": ["f"]}


def test_recursion_is_for_list_and_nlst_only(start, branches):
    client = start(ls_recurse_enable="YES")
    client.refused("MLSD -R", 550)
    assert set(mlsd(client)) == {".", "..", "a", "b", ".hidden", "empty dir", "f", "to a"}
