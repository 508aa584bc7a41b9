"""FEAT."""

import re

import pytest

# With the default configuration, for someone who may write; in the order of the reply.
FEATURES = [
    "AVBL", "CLNT", "COMB", "CSID", "EPRT", "EPSV", "HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32",
    "LANG EN*", "MD5", "MDTM", "MFF modify;UNIX.mode;UNIX.group;", "MFMT",
    "MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;UNIX.owner*;UNIX.group*;", "PASV",
    "RANG STREAM", "REST STREAM", "SIZE", "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256",
    "XSHA512", "SITE CHMOD", "SITE COPY", "SITE MKDIR", "SITE RMDIR", "SITE SYMLINK", "SITE UTIME",
    "TVFS", "UTF8",
]
WRITING = {
    "COMB", "MFF modify;UNIX.mode;UNIX.group;", "MFMT", "SITE CHMOD", "SITE COPY", "SITE MKDIR",
    "SITE RMDIR", "SITE SYMLINK", "SITE UTIME",
}
HASHING = {
    "HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32", "MD5", "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256",
    "XSHA512",
}


def features(client):
    """The lines of FEAT, each without the blank in front."""
    return [line[1:] for line in client.cmd("FEAT", 211).lines[1:-1]]


def test_feat_has_the_form_of_rfc_2389(alice):
    lines = alice.cmd("FEAT", 211).lines
    assert lines[0].startswith("211-") and lines[-1] == "211 End"
    for line in lines[1:-1]:
        assert re.fullmatch(r" [A-Z0-9]+( \S+)?", line), line


def test_feat_is_the_same_before_and_after_login(ftpd):
    daemon = ftpd()
    assert daemon.connect().cmd("FEAT", 211).lines == daemon.login("alice").cmd("FEAT", 211).lines


def test_feat_lists_nothing_that_is_unknown(alice):
    for line in alice.cmd("FEAT", 211).lines[1:-1]:
        verb = line.split()[0]
        if verb not in ("TVFS", "UTF8"):
            assert alice.cmd(verb).code != 500, verb


@pytest.mark.parametrize("line", ["FEAT", "feat", "FEAT x"])
def test_exact_list(alice, line):
    lines = alice.cmd(line, 211).lines
    assert [line[1:] for line in lines[1:-1]] == FEATURES
    alice.in_step()


def test_before_login(client):
    assert features(client) == FEATURES
    client.in_step()


@pytest.mark.parametrize("options, missing", [
    ({"write_enable": "NO"}, WRITING), ({"hash_enable": "NO"}, HASHING),
    ({"pasv_enable": "NO"}, {"PASV", "EPSV"}),
    ({"port_enable": "NO"}, {"EPRT"}), 
    ({"write_enable": "NO", "hash_enable": "NO"}, WRITING | HASHING),
], ids=lambda value: "-".join(value) if isinstance(value, dict) else "")
def test_nothing_that_is_switched_off(ftpd, options, missing):
    daemon = ftpd(**options)
    expected = [feature for feature in FEATURES if feature not in missing]
    assert features(daemon.login("alice")) == expected
    assert features(daemon.connect()) == expected


def test_mode_z_if_it_is_switched_on(ftpd):
    daemon = ftpd(mode_z_enable="YES")
    for client in (daemon.login("alice"), daemon.connect()):
        found = features(client)
        found.remove("MODE Z")
        assert found == FEATURES


def test_nothing_about_modes_without_chmod_enable(ftpd):
    found = features(ftpd(chmod_enable="NO").login("alice"))
    assert "SITE CHMOD" not in found and "MFF modify;UNIX.group;" in found
    assert len(found) == len(FEATURES) - 1


def test_of_an_anonymous_user(anon):
    assert features(anon) == [feature for feature in FEATURES if feature not in WRITING]


def test_stars_follow_opts_mlst(alice):
    alice.cmd("OPTS MLST size;UNIX.mode;", 200)
    assert ("MLST type;size*;modify;perm;unique;UNIX.mode*;UNIX.owner;UNIX.group;"
            in features(alice))
    alice.cmd("OPTS MLST", 200)
    assert ("MLST type;size;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;"
            in features(alice))


def test_star_follows_opts_hash(alice):
    alice.cmd("OPTS HASH MD5", 200)
    assert "HASH SHA-256;SHA-512;SHA-1;MD5*;CRC32" in features(alice)
    alice.cmd("OPTS HASH SHA-512", 200)
    assert "HASH SHA-256;SHA-512*;SHA-1;MD5;CRC32" in features(alice)
