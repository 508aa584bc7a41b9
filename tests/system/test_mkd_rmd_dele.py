"""MKD, RMD, their X forms, and DELE."""

import os

import pytest

import codes

HOME = "/home/alice"
ODD_NAMES = [
    "two words", " leading", "trailing ", 'q"uote', '"', '""', "ünï", b"\xe4\xf6", "*", "a[1]",
    "%n%s%x",
    "-rf", "back\\slash", "x" * 255, "~x", "(1,2)", "#",
]


@pytest.fixture
def things(home):
    home.file("f", b"content")
    home.file("readonly", b"content", 0o444)
    home.dir("empty")
    home.dir("full")
    home.file("full/inside")
    home.dir("closed")
    home.file("closed/inside")
    home.dir("closed/dir")
    (home / "closed").chmod(0o555)
    home.link("link", "f")
    home.link("linkdir", "empty")
    home.link("dangling", "nowhere")
    home.fifo("pipe")
    return home


@pytest.mark.parametrize("verb", ["MKD", "XMKD"])
@pytest.mark.parametrize("path, expected", [
    ("new", "new"), ("./new", "new"), ("empty/new", "empty/new"), ("empty/../new", "new"),
    ("new/", "new"), (HOME + "/new", "new"), ("//home//alice//new", "new"),
])
def test_mkd_tells_the_absolute_path(alice, things, verb, path, expected):
    reply = alice.cmd(f"{verb} {path}", 257)
    assert reply.quoted().startswith("/")
    assert os.path.normpath(reply.quoted()).replace("//", "/") == f"{HOME}/{expected}"
    assert reply.lines[-1].count('"') == 2, "clients take what is between the first and last quote"
    assert (things / expected).is_dir()


def test_mkd_below_the_current_directory(alice, things):
    alice.cmd("CWD empty", 250)
    assert alice.cmd("MKD new", 257).quoted() == HOME + "/empty/new"


def test_mkd_in_a_chroot_tells_the_path_there(jailed, things):
    assert jailed.cmd("MKD empty/new", 257).quoted() == "/empty/new"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_directories_of_any_name(alice, home, name):
    raw = os.fsencode(name)
    path = alice.cmd(b"MKD " + raw, 257).quoted()
    assert os.fsencode(path) == HOME.encode() + b"/" + raw
    assert home.names() == [os.fsdecode(raw)]
    alice.cmd(b"RMD " + raw, 250)
    assert home.names() == []


@pytest.mark.parametrize("name", ["\x01", "a\x1b[2J", "tab\there", "x\x7f"])
def test_no_names_with_control_bytes_are_made(alice, home, name):
    alice.cmd(f"MKD {name}", codes.NAME_REFUSED)
    alice.refused(f"STOR {name}", codes.NAME_REFUSED)
    home.file("f")
    alice.cmds(("RNFR f", 350), (f"RNTO {name}", codes.NAME_REFUSED))
    assert home.names() == ["f"]


@pytest.mark.parametrize("name", ["\x01", "a\x1b[2J", "x\x7f"])
def test_names_with_control_bytes_can_be_removed(alice, home, name):
    home.file(name)
    alice.cmd(f"DELE {name}", 250)
    assert home.names() == []


@pytest.mark.parametrize("umask, mode", [("077", 0o700), ("022", 0o755), ("0", 0o777)])
def test_permissions_of_a_new_directory(ftpd, home, umask, mode):
    ftpd(local_umask=umask).login("alice").cmd("MKD d", 257)
    status = (home / "d").stat()
    assert status.st_mode & 0o7777 == mode
    assert (status.st_uid, status.st_gid) == (home.account.uid, home.account.gid)


@pytest.mark.parametrize("path", ["empty", "f", "link", "linkdir", "dangling", "pipe", ".", "..",
                                  "/"])
def test_mkd_of_what_exists(alice, things, path):
    before = things.names()
    alice.cmd(f"MKD {path}", codes.MKD_EXISTS)
    assert things.names() == before
    alice.in_step()


@pytest.mark.parametrize("path", ["missing/new", "f/new", "closed/new", "/etc/new", "/new",
                                  "n" * 256,
                                  "/root/new", "n/" * 2000])
def test_mkd_refused(alice, things, path):
    before = things.names()
    alice.cmd(f"MKD {path}", 550)
    assert things.names() == before
    alice.in_step()


@pytest.mark.parametrize("verb", ["RMD", "XRMD"])
@pytest.mark.parametrize("path", ["empty", "empty/", "./empty", HOME + "/empty", "~/empty"])
def test_rmd(alice, things, verb, path):
    alice.cmd(f"{verb} {path}", 250)
    assert not (things / "empty").exists()


@pytest.mark.parametrize("path", ["full", "missing", "f", "link", "linkdir", "pipe", ".", "..",
                                  "closed/dir", "n" * 300, "*", "/root/x", "/tmp/x"])
def test_rmd_refused(alice, things, path):
    before = things.names()
    alice.cmd(f"RMD {path}", 550)
    assert things.names() == before
    assert (things / "closed" / "dir").exists()
    alice.in_step()


def test_rmd_of_the_root_is_refused(jailed, things):
    before = things.names()
    for path in ("/", "..", "/.."):
        jailed.cmd(f"RMD {path}", codes.RMD_ROOT)
    assert things.names() == before


@pytest.mark.parametrize("path", ["f", "./f", HOME + "/f", "readonly", "full/inside", "pipe",
                                  "empty/../f"])
def test_dele(alice, things, path):
    alice.cmd(f"DELE {path}", 250)
    assert not os.path.lexists(things / path)


@pytest.mark.parametrize("name", ["link", "linkdir", "dangling"])
def test_dele_of_a_link_leaves_its_target(alice, things, name):
    alice.cmd(f"DELE {name}", 250)
    assert name not in things.names()
    assert (things / "f").exists() and (things / "empty").exists()


@pytest.mark.parametrize("path", ["missing", "empty", "full", ".", "..", "/", "closed/inside",
                                  "f/", "f/x",
                                  "n" * 300, "*", "?", "f*", "/etc/passwd", "/root/x"])
def test_dele_refused(alice, things, path):
    before = things.names()
    alice.cmd(f"DELE {path}", 550)
    assert things.names() == before
    assert (things / "closed" / "inside").exists()
    alice.in_step()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_files_of_any_name(alice, home, name):
    home.file(name)
    home.file("canary")
    alice.cmd(b"DELE " + os.fsencode(name), 250)
    assert home.names() == ["canary"]


@pytest.mark.parametrize("verb", ["MKD", "XMKD", "RMD", "XRMD", "DELE"])
def test_without_name_is_501(alice, things, verb):
    before = things.names()
    alice.cmds((verb, 501), (f"{verb} ", 501))
    assert things.names() == before


@pytest.mark.parametrize("line", ["MKD new", "XMKD new", "RMD empty", "XRMD empty", "DELE f"])
def test_needs_write_enable(ftpd, things, line):
    before = things.names()
    client = ftpd(write_enable="NO").login("alice")
    client.cmd(line, 550)
    assert things.names() == before
    client.in_step()


@pytest.mark.parametrize("verb", ["MKD", "RMD", "DELE"])
@pytest.mark.parametrize("path", ["../{}", "/../{}", "/../../{}", "full/../../{}", "up/{}"])
def test_paths_inside_a_chroot(jailed, things, verb, path):
    things.link("up", "../..")
    name, code = {"MKD": ("new", 257), "RMD": ("empty", 250), "DELE": ("f", 250)}[verb]
    jailed.cmd(f"{verb} {path.format(name)}", code)
    assert (things / name).exists() == (verb == "MKD")


@pytest.mark.parametrize("line", ["MKD /home/new", "MKD /etc/new", "RMD /home/alice/empty",
                                  "DELE /etc/passwd",
                                  "DELE out/passwd", "MKD out/new", "DELE /home/alice/f"])
def test_nothing_outside_a_chroot(jailed, things, line):
    things.link("out", "/etc")
    before = things.names()
    jailed.cmd(line, 550)
    assert things.names() == before
    assert not os.path.exists("/home/new") and not os.path.exists("/etc/new")
