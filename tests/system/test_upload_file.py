"""upload_file and download_file: the only names that files are stored under and fetched by."""

import subprocess

import pytest

from ftpd import PROGRAM
from mlsx import mlst
from rules import snapshot

OPTIONS = ("upload_file", "download_file")


@pytest.fixture
def things(home):
    home.file("a.jpg", b"picture")
    home.file("b.txt", b"text")
    home.dir("d")
    home.dir("x.jpg")
    return home


def stored(client, line):
    """The code of the last reply to an upload."""
    with client.pasv()() as sock:
        reply = client.cmd(line, 150, 550)
        if reply.code == 150:
            sock.sendall(b"sent")
    return client.reply().code if reply.code == 150 else reply.code


UPLOADS = ["STOR {}", "APPE {}", "STOU {}", "(RNFR b.txt) RNTO {}", "SITE COPY b.txt {}",
           "(SITE CPFR b.txt) SITE CPTO {}", "COMB {} b.txt", "SITE SYMLINK a.jpg {}"]


@pytest.mark.parametrize("line", UPLOADS)
@pytest.mark.parametrize("pattern, name, allowed", [
    (None, "new.exe", True), ("", "new.exe", True),
    ("*.jpg", "new.jpg", True), ("*.jpg", "new.exe", False), ("*.jpg", "d/new.jpg", True),
    ("*.jpg", "d/new.exe", False), ("*.jpg", "new.JPG", False), ("*.jpg", "x.jpg/new", False),
    ("*.jpg", "new.jpg.exe", False), ("*.jpg", "./d/../new.jpg", True),
    (".jpg", "new.jpg.exe", True), (".jpg", "x.jpg/new", False),
    ("{*.jpg,*.png}", "new.png", True), ("/home/alice/d/*", "d/new.jpg", True),
    ("/home/alice/d/*", "new.jpg", False), ("d/*.jpg", "/home/alice/d/new.jpg", True),
], ids=str)
def test_names_for_uploads(ftpd, things, line, pattern, name, allowed):
    before = snapshot(things.path)
    client = ftpd(upload_file=pattern).login("alice")
    line = line.format(name)
    if line.startswith("("):
        first, line = line[1:].split(") ")
        client.cmd(first, 350)
    if line.split()[0] in ("STOR", "APPE", "STOU"):
        code = stored(client, line)
    else:
        code = client.cmd(line).code
    client.in_step()
    assert (200 <= code < 300) if allowed else code == 550
    assert (snapshot(things.path) != before) == allowed


@pytest.mark.parametrize("pattern", ["*.jpg", None])
def test_directories_may_have_any_name(ftpd, things, pattern):
    client = ftpd(upload_file=pattern).login("alice")
    client.cmds(("MKD new", 257), ("SITE MKDIR new/deep", 200), ("RNFR new", 350), ("RNTO e", 250),
                ("SITE SYMLINK d link", 200))
    assert stored(client, "STOR link/new.jpg") == 226


def test_stou_takes_the_first_name_that_fits(ftpd, things):
    client = ftpd(upload_file="{*.1,*.2}").login("alice")
    client.stor("f", b"x", verb="STOU")
    client.stor("f", b"y", verb="STOU")
    assert (things / "f.1").read_bytes() == b"x" and (things / "f.2").read_bytes() == b"y"
    client.close()
    client = ftpd(upload_file="*.jpg", listen_port="2121").login("alice")
    for line in ("STOU", "STOU name"):
        client.refused(line, 550)
    client.refused("STOU a.jpg", 450)


def test_link_is_no_way_to_another_name(ftpd, things):
    client = ftpd(upload_file="*.jpg").login("alice")
    client.cmds(("SITE SYMLINK b.txt new.jpg", 550), ("SITE SYMLINK missing new.jpg", 550))
    client.cmd("SITE SYMLINK a.jpg new.jpg", 200)


def test_what_is_there_can_be_removed_and_changed(ftpd, things):
    """The option is about names for content; deny_file is for the rest."""
    client = ftpd(upload_file="*.jpg").login("alice")
    client.cmds(("SITE CHMOD 600 b.txt", 200), ("MFMT 20200101000000 b.txt", 213),
                ("DELE b.txt", 250))


def test_refused_uploads_are_logged(ftpd, things):
    daemon = ftpd(upload_file="*.jpg", download_file="*.jpg")
    client = daemon.login("alice")
    client.refused("STOR new.exe", 550)
    client.refused("RETR b.txt", 550)
    log = daemon.whole_log()
    assert '[alice] FAIL UPLOAD: Client "127.0.0.1", "/home/alice/new.exe"' in log
    assert '[alice] FAIL DOWNLOAD: Client "127.0.0.1", "/home/alice/b.txt"' in log


FETCHING = ["RETR {}", "HASH {}", "MD5 {}", "XCRC {}", "XMD5 {}", "XSHA1 {}", "XSHA256 {}",
            "XSHA512 {}", "XCRC {} 0 1", "PRET RETR {}"]


@pytest.mark.parametrize("line", FETCHING)
@pytest.mark.parametrize("pattern, name, allowed", [
    (None, "b.txt", True), ("*.jpg", "a.jpg", True), ("*.jpg", "b.txt", False),
    ("*.jpg", "d/../b.txt", False), ("jpg", "a.jpg", True), ("{*.gif,b*}", "b.txt", True),
], ids=str)
def test_names_for_downloads(ftpd, things, line, pattern, name, allowed):
    client = ftpd(download_file=pattern).login("alice")
    line = line.format(name)
    if line.startswith("RETR"):
        if allowed:
            assert client.retr(name) == (things / name).read_bytes()
        else:
            client.refused(line, 550)
    else:
        assert (client.cmd(line).code < 300) == allowed
    client.in_step()


@pytest.mark.parametrize("lines", [
    ["RNFR b.txt", "RNTO b.jpg"], ["SITE COPY b.txt b.jpg"], ["SITE CPFR b.txt", "SITE CPTO b.jpg"],
    ["COMB new.jpg b.txt"], ["COMB a.jpg b.txt"], ["SITE SYMLINK b.txt b.jpg"],
])
def test_new_names_do_not_open_files(ftpd, things, lines):
    """What could not be fetched so far cannot be afterwards."""
    before = snapshot(things.path)
    client = ftpd(download_file="*.jpg").login("alice")
    for line in lines:
        code = client.cmd(line).code
    assert code == 550
    assert snapshot(things.path) == before


def test_new_names_that_open_nothing_are_fine(ftpd, things):
    client = ftpd(download_file="*.jpg").login("alice")
    client.cmds(("SITE COPY b.txt c.txt", 200), ("RNFR c.txt", 350), ("RNTO e.txt", 250),
                ("SITE COPY a.jpg f.txt", 200), ("COMB e.txt f.txt", 250),
                ("SITE SYMLINK a.jpg l.jpg", 200), ("RNFR d", 350), ("RNTO d.jpg", 250))
    assert client.retr("l.jpg") == b"picture"


def test_names_are_listed_all_the_same(ftpd, things):
    client = ftpd(download_file="*.jpg", upload_file="*.txt").login("alice")
    assert set(client.names()) == set(things.names())
    assert mlst(client, "a.jpg").facts["perm"] == "dfr"
    assert mlst(client, "b.txt").facts["perm"] == "adfw"
    assert mlst(client, "d").facts["perm"] == "cdeflmp"
    client.cmds(("SIZE b.txt", 213), ("MDTM b.txt", 213))


@pytest.mark.parametrize("option, line", [("upload_file", "STOR a.jpg"),
                                          ("download_file", "RETR a.jpg")])
def test_deny_file_counts_before(ftpd, things, option, line):
    client = ftpd(**{option: "*.jpg"}, deny_file="a.*").login("alice")
    client.refused(line, 550)


def test_anonymous_downloads(ftpd):
    client = ftpd(download_file="*.txt").anonymous()
    client.cmd("CWD pub", 250)
    assert client.retr("readme.txt") == b"Hello, world.\n"
    client.refused("RETR data.bin", 550)


@pytest.mark.parametrize("option", ["deny_file", "hide_file", "upload_file", "download_file"])
def test_pattern_that_cannot_be_used_is_a_fault_of_the_configuration(option, tmp_path):
    for braces in (8, 9):
        conf = tmp_path / "ftpd.conf"
        conf.write_text(f"listen=YES\nlocal_enable=YES\n{option}={'{a,b}' * braces}\n")
        done = subprocess.run([PROGRAM, "-t", conf], capture_output=True, text=True, timeout=10)
        fault = f"{option}: the braces stand for more than 256 patterns"
        assert (done.returncode == 0, fault in done.stderr + done.stdout) == (braces == 8, braces == 9)
