"""download_enable and dirlist_enable: content and names that stay where they are."""

import pytest

OPTIONS = ("download_enable", "dirlist_enable")

CONTENT = ["RETR f", "HASH f", "MD5 f", "XCRC f", "XMD5 f", "XSHA f", "XSHA1 f", "XSHA256 f",
           "XSHA512 f", "XCRC f 0 1", "PRET RETR f"]
NAMES = ["LIST", "NLST", "MLSD", "LIST f", "NLST f", "MLST", "MLST f", "STAT .", "STAT f",
         "PRET LIST", "PRET MLSD"]
OTHERS = ["SIZE f", "MDTM f", "CWD d", "CDUP", "PWD", "STAT", "AVBL"]


def try_line(client, line):
    """The code of the last reply to a command, with a data connection where it needs one."""
    if line.split()[0] not in ("RETR", "LIST", "NLST", "MLSD"):
        return client.cmd(line).code
    with client.pasv()():
        code = client.cmd(line).code
        return client.reply().code if code == 150 else code


@pytest.fixture
def things(home):
    home.file("f", b"content")
    home.dir("d")
    return home


@pytest.mark.parametrize("options", [{}, {"download_enable": "NO"}, {"dirlist_enable": "NO"},
                                     {"download_enable": "NO", "dirlist_enable": "NO"}],
                         ids="+".join)
def test_refused_is_what_is_switched_off(ftpd, things, options):
    client = ftpd(**options).login("alice")
    client.cmd("TYPE I", 200)
    for line in CONTENT + NAMES + OTHERS:
        refused = (line in CONTENT and "download_enable" in options) or \
            (line in NAMES and "dirlist_enable" in options)
        code = try_line(client, line)
        assert code == 550 if refused else 200 <= code < 300, f"{line}: {code}"


def test_uploads_without_downloads(ftpd, things):
    client = ftpd(download_enable="NO").login("alice")
    client.stor("new", b"sent")
    client.cmds(("RNFR new", 350), ("RNTO newer", 250))
    assert (things / "newer").read_bytes() == b"sent"


@pytest.mark.parametrize("option, gone", [
    ("download_enable", {"HASH", "MD5", "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512"}),
    ("dirlist_enable", {"MLST"}),
])
def test_feat_does_not_offer_it(ftpd, things, option, gone):
    for value in ("YES", "NO"):
        lines = ftpd(**{option: value}).login("alice").cmd("FEAT", 211).lines[1:-1]
        found = {line.split()[0] for line in lines}
        assert found & gone == (gone if value == "YES" else set())
        ftpd.daemons[-1].stop()


def test_refused_before_the_data_connection_is_used(ftpd, things):
    client = ftpd(download_enable="NO", dirlist_enable="NO").login("alice")
    for line in ("RETR f", "RETR missing", "LIST", "MLSD missing"):
        client.refused(line, 550)
    client.in_step()
