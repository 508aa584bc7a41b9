"""Words that are known and refused, words of other protocols, and words that nobody knows."""

import pytest

import codes
from accounts import ALL

# Refused in the same way before a login, for there clients ask for them.
NOT_IMPLEMENTED_AT_ALL = {
    "ADAT", "AUTH", "CCC", "CONF", "ENC", "HOST", "MIC", "PBSZ", "PROT",
}
NOT_IMPLEMENTED_AFTER_LOGIN = {
    "CPSV", "DSIZ", "ESTA", "ESTP", "LPRT", "LPSV", "MAIL", "MFCT", "MLFL", "MMD5", "MSND", "RMDA",
    "SMNT", "SPSV", "SSCN", "THMB", "XRCP", "XRSQ", "XSEM", "XSEN",
}
NOT_IMPLEMENTED = sorted(NOT_IMPLEMENTED_AT_ALL | NOT_IMPLEMENTED_AFTER_LOGIN)
OTHER_PROTOCOLS = {
    "CONNECT", "DELETE", "EHLO", "GET", "HEAD", "HELO", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
}
VERBS = NOT_IMPLEMENTED_AT_ALL | NOT_IMPLEMENTED_AFTER_LOGIN | OTHER_PROTOCOLS

ALICE = ALL["alice"].password

REQUESTS = [
    "GET / HTTP/1.1", "POST / HTTP/1.1", "HEAD / HTTP/1.1", "PUT /x HTTP/1.1", "DELETE /x HTTP/1.1",
    "PATCH /x HTTP/1.1", "OPTIONS * HTTP/1.1", "CONNECT example.com:443 HTTP/1.1",
    "TRACE / HTTP/1.1", "EHLO example.com", "HELO example.com", "get / http/1.0",
    "ehlo example.com",
]


@pytest.mark.parametrize("verb", NOT_IMPLEMENTED)
@pytest.mark.parametrize("argument", ["", " ", " x", " /home/alice/d", " %n%s"])
def test_not_implemented(alice, home, verb, argument):
    home.dir("d")
    home.file("d/inside")
    for line in (verb + argument, verb.lower() + argument):
        alice.cmd(line, codes.NOT_IMPLEMENTED)
    alice.in_step()
    assert (home / "d" / "inside").exists()


@pytest.mark.parametrize("verb", sorted(NOT_IMPLEMENTED_AT_ALL))
def test_not_implemented_before_login(client, verb):
    """Not 500, which would make ten of them the end of the session."""
    for _ in range(12):
        client.cmd(f"{verb} x", codes.NOT_IMPLEMENTED)
    client.login("alice", ALICE)


@pytest.mark.parametrize("verb", sorted(NOT_IMPLEMENTED_AFTER_LOGIN))
def test_refused_before_login(client, verb):
    client.cmd(f"{verb} x", 530)
    client.in_step()


@pytest.mark.parametrize("verb", NOT_IMPLEMENTED)
def test_not_implemented_is_in_no_list(alice, verb):
    alice.cmd(f"HELP {verb}", codes.HELP_UNKNOWN)
    assert verb not in " ".join(alice.cmd("HELP", 214).lines).split()
    assert verb not in " ".join(alice.cmd("FEAT", 211).lines).split()


@pytest.mark.parametrize("line", REQUESTS)
def test_words_of_other_protocols_end_the_session(client, line):
    reply = client.cmd(line, codes.CROSS_PROTOCOL)
    assert "HTTP" not in reply.text and "example" not in reply.text, "the reply echoes the request"
    client.wait_closed()


def test_commands_hidden_in_an_http_request_are_not_run(client):
    client.send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60\r\n\r\n"
                f"USER alice\r\nPASS {ALICE}\r\nMKD made\r\nQUIT\r\n")
    client.reply(codes.CROSS_PROTOCOL)
    client.wait_closed()


def test_nine_unknown_commands_before_login_are_answered(client):
    for number in range(9):
        client.cmd(f"XYZ{number}", 500)
    client.login("alice", ALICE)


def test_ten_unknown_commands_before_login_end_the_session(client):
    for number in range(9):
        client.cmd(f"XYZ{number}", 500)
    client.cmd("XYZZY", codes.TOO_MANY_UNKNOWN)
    client.wait_closed()


@pytest.mark.parametrize("line", REQUESTS)
def test_words_of_other_protocols_end_the_session_after_a_login_too(alice, line):
    alice.cmd(line, codes.CROSS_PROTOCOL)
    alice.wait_closed()


def test_unknown_command_after_login_is_500(alice):
    for number in range(10):
        alice.cmd(f"XYZ{number}", 500)
    alice.in_step()
