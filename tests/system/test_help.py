"""HELP."""

import pytest

import codes

NAMES = """
    ABOR ACCT ALLO APPE AVBL CDUP CLNT COMB CSID CWD DELE EPRT EPSV FEAT HASH HELP LANG LIST MD5
    MDTM MFF MFMT MKD MLSD MLST MODE NLST NOOP OPTS PASS PASV PORT PRET PWD QUIT RANG REIN REST RETR
    RMD RNFR RNTO SITE SIZE STAT STOR STOU STRU SYST TYPE USER XCRC XCUP XCWD XMD5 XMKD XPWD XRMD
    XSHA XSHA1 XSHA256 XSHA512
""".split()


def test_names_every_command(alice):
    words = set(" ".join(alice.cmd("HELP", 214).lines).replace("*", " ").split())
    assert set(NAMES) <= words


@pytest.mark.parametrize("verb", NAMES)
def test_of_a_command(alice, verb):
    for line in (f"HELP {verb}", f"help {verb.lower()}"):
        assert verb in " ".join(alice.cmd(line, 214).lines)


def test_of_what_is_unknown(alice):
    alice.cmd("HELP XYZZY", codes.HELP_UNKNOWN)
    alice.in_step()


@pytest.mark.parametrize("options, line, gone", [
    ({"write_enable": "NO"}, "HELP STOR", "STOR"), ({"hash_enable": "NO"}, "HELP HASH", "HASH"),
    ({"pasv_enable": "NO"}, "HELP PASV", "PASV"), ({"port_enable": "NO"}, "HELP PORT", "PORT"),
])
def test_of_what_is_switched_off(ftpd, options, line, gone):
    client = ftpd(**options).login("alice")
    client.cmd(line, codes.HELP_UNKNOWN)
    assert gone not in " ".join(client.cmd("HELP", 214).lines).split()
