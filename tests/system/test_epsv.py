"""EPSV."""

import pytest

import codes
from ftpraw import receive_all
from passive import Passive, check_stranger_first


class TestPassive(Passive):
    mode = "epsv"


def test_on_an_ipv6_socket_with_an_ipv4_client(dual):
    client = dual.login("alice", "127.0.0.1")
    client.cmds(("EPSV 1", 229), ("EPSV 2", 522))


def test_pasv_enable_is_for_every_form(ftpd):
    client = ftpd(pasv_enable="NO").login("alice")
    client.cmds(("EPSV 1", 550), ("EPSV ALL", 550))


@pytest.mark.parametrize("line, code", [
    ("EPSV", 229), ("EPSV 1", 229), ("EPSV 2", 522), ("EPSV 3", 522), ("epsv 1", 229),
    ("EPSV x", codes.EPSV_BAD_ARGUMENT), ("EPSV 11", 522), ("EPSV -1", codes.EPSV_BAD_ARGUMENT),
])
def test_epsv_on_ipv4(alice, line, code):
    reply = alice.cmd(line, code)
    if reply.code == 522:
        assert "(1" in reply.text
    alice.in_step()


@pytest.mark.parametrize("line, code", [
    ("EPSV", 229), ("EPSV 2", 229), ("EPSV 1", 522), ("EPSV 3", 522),
])
def test_epsv_on_ipv6(dual, line, code):
    client = dual.login("alice", "::1")
    reply = client.cmd(line, code)
    if reply.code == 522:
        assert "2)" in reply.text
    client.in_step()


def test_epsv_1_gives_a_working_address(alice, home):
    home.file("f", b"content")
    sock = alice.connect_data(alice.epsv_address("1"))
    alice.cmd("RETR f", 150)
    assert receive_all(sock) == b"content"
    alice.reply(226)


@pytest.mark.parametrize("line", ["EPSV ALL", "epsv all"])
def test_epsv_all_forbids_the_others(alice, home, line):
    home.file("f", b"content")
    alice.cmd(line, 200)
    refused = (("PASV", 501), ("PORT 127,0,0,1,200,1", 501), ("EPRT |1|127.0.0.1|50000|", 501))
    alice.cmds(*refused)
    assert alice.retr("f", "epsv") == b"content"
    alice.refused("RETR missing", 550, mode="epsv")
    alice.cmd("ABOR", codes.ABOR_IDLE)
    alice.cmds(*refused)
    assert alice.retr("f", "epsv") == b"content"


@pytest.mark.parametrize("host", ["::1", "fd00::1"])
def test_transfers_over_ipv6(dual, home, host):
    client = dual.login("alice", host)
    assert client.retr("f", "epsv") == b"content"
    assert client.nlst(mode="epsv") == ["f"]
    client.stor("g", b"more", "epsv")
    assert (home / "g").read_bytes() == b"more"


def test_stranger_over_ipv6(dual):
    client = dual.login("alice", "fd00::1", source="fd00::1")
    check_stranger_first(client, client.epsv_address(), "fd00::2")
