"""FEAT, OPTS, HELP, SYST, CLNT, NOOP, ALLO, ACCT, and words that are not implemented."""

import re

import pytest

import codes

VERBS = """
    USER PASS QUIT REIN SYST FEAT OPTS CLNT HELP NOOP STAT PWD XPWD CWD XCWD CDUP XCUP TYPE STRU
    MODE PASV EPSV PORT EPRT LIST NLST RETR STOR APPE REST SIZE MDTM MKD XMKD RMD XRMD DELE RNFR
    RNTO ABOR ALLO ACCT SITE
""".split()


def test_feat_has_the_form_of_rfc_2389(alice):
    lines = alice.cmd("FEAT", 211).lines
    assert lines[0].startswith("211-") and lines[-1] == "211 End"
    for line in lines[1:-1]:
        assert re.fullmatch(r" [A-Z0-9]+( \S+)*", line), line


@pytest.mark.parametrize("feature", ["CLNT", "EPRT", "EPSV", "MDTM", "PASV", "REST STREAM", "SIZE",
                                     "TVFS",
                                     "UTF8"])
def test_feat_lists(alice, feature):
    assert f" {feature}" in alice.cmd("FEAT", 211).lines


def test_feat_is_the_same_before_and_after_login(ftpd):
    daemon = ftpd()
    assert daemon.connect().cmd("FEAT", 211).lines == daemon.login("alice").cmd("FEAT", 211).lines


def test_feat_lists_nothing_that_is_unknown(alice):
    for line in alice.cmd("FEAT", 211).lines[1:-1]:
        verb = line.split()[0]
        if verb not in ("TVFS", "UTF8"):
            assert alice.cmd(verb).code != 500, verb


@pytest.mark.parametrize("line, code", [
    ("OPTS UTF8 ON", 200), ("opts utf8 on", 200), ("OPTS UTF8 OFF", codes.OPTS_UTF8_OFF),
    ("OPTS XYZZY", codes.OPTS_UNKNOWN), ("OPTS XYZZY ON", codes.OPTS_UNKNOWN), ("OPTS", 501),
    ("OPTS ", 501),
    ("OPTS %n%s", codes.OPTS_UNKNOWN),
    ("CLNT lftp 4.9", 200), ("CLNT %n%s%x", 200), ("NOOP", 200), ("noop", 200),
    ("ALLO 1000", codes.ALLO), ("ALLO 0", codes.ALLO), ("ALLO 1000 R 80", codes.ALLO),
    ("ALLO 9223372036854775807", codes.ALLO), ("ALLO x", codes.ALLO_BAD_NUMBER),
    ("ACCT x", codes.ACCT), ("HELP", 214), ("HELP XYZZY", codes.HELP_UNKNOWN),
])
def test_reply(alice, line, code):
    alice.cmd(line, code)
    alice.in_step()


@pytest.mark.parametrize("when", ["before", "after"])
def test_syst_is_what_parsers_look_for(ftpd, when):
    daemon = ftpd()
    client = daemon.connect() if when == "before" else daemon.login("alice")
    assert client.cmd("SYST", 215).lines == ["215 UNIX Type: L8"]


def test_help_names_every_command(alice):
    words = set(" ".join(alice.cmd("HELP", 214).lines).replace("*", " ").split())
    assert set(VERBS) <= words


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_command(alice, verb):
    for line in (f"HELP {verb}", f"help {verb.lower()}"):
        assert verb in " ".join(alice.cmd(line, 214).lines)


@pytest.mark.parametrize("verb", ["SMNT", "LPRT", "LPSV", "ADAT", "CCC", "CONF", "ENC", "MIC"])
def test_not_implemented(alice, verb):
    alice.cmd(f"{verb} x", codes.NOT_IMPLEMENTED)
    alice.in_step()
