"""STAT: of the session, of a path, and in the middle of a transfer."""

import re

import pytest

import codes
from ftpraw import drain, list_entry, receive_exactly
from listings import furnish


def listed(reply):
    """The names of the entries in a STAT reply."""
    return [list_entry(line.lstrip())["name"] for line in reply.lines[1:-1]]


def test_of_the_session(alice):
    reply = alice.cmd("STAT", 211)
    assert len(reply.lines) > 1
    alice.in_step()


def test_of_the_session_tells_no_secret(alice):
    assert "secret" not in " ".join(alice.cmd("STAT", 211).lines)


def test_of_a_directory(alice, home):
    home.dir("d")
    home.file("d/one", b"1")
    home.file("d/123 two", b"22")
    home.file("d/.dot", b"333")
    names = listed(alice.cmd("STAT d", codes.STAT_DIRECTORY))
    assert set(names) - {".", ".."} == {"one", "123 two", ".dot"}
    alice.in_step()


def test_of_the_current_directory(alice, home):
    home.file("one")
    assert "one" in listed(alice.cmd("STAT .", codes.STAT_DIRECTORY))


def test_of_an_empty_directory(alice, home):
    home.dir("d")
    assert set(listed(alice.cmd("STAT d", codes.STAT_DIRECTORY))) <= {".", ".."}


def test_of_a_file(alice, home):
    home.file("f", b"1234")
    reply = alice.cmd("STAT f", codes.STAT_FILE)
    assert listed(reply) == ["f"]
    assert list_entry(reply.lines[1].lstrip())["size"] == "4"


@pytest.mark.parametrize("path", ["missing", "d/missing", "/root/x", "n" * 300])
def test_of_a_missing_path(alice, path):
    alice.cmd(f"STAT {path}", codes.STAT_MISSING)
    alice.in_step()


def test_of_a_name_with_blanks(alice, home):
    home.file("two words")
    assert listed(alice.cmd("STAT two words", codes.STAT_FILE)) == ["two words"]


@pytest.mark.parametrize("name", ["a\r\n211 End", "a\nb", "213 end", "a\rb"])
def test_names_cannot_forge_a_reply(alice, home, name):
    home.dir("d")
    home.file(f"d/{name}")
    alice.cmd("STAT d", codes.STAT_DIRECTORY)
    alice.in_step()


def test_of_a_large_directory(alice, home):
    home.dir("d")
    for number in range(5000):
        (home / "d" / f"f{number:05}").touch()
    names = listed(alice.cmd("STAT d", codes.STAT_DIRECTORY))
    assert len(set(names) - {".", ".."}) == 5000
    alice.in_step()


def test_needs_no_data_connection_and_keeps_it(alice, home):
    home.file("f", b"content")
    data = alice.pasv()
    alice.cmd("STAT .", codes.STAT_DIRECTORY)
    alice.cmd("RETR f", 150)
    assert receive_exactly(data(), 100) == b"content"
    alice.reply(226)


def test_nothing_outside_a_chroot(jailed):
    alice_only = listed(jailed.cmd("STAT /", codes.STAT_DIRECTORY))
    assert set(alice_only) <= {".", ".."}
    jailed.cmd("STAT /etc/passwd", codes.STAT_MISSING)


@pytest.mark.parametrize("mode", ["pasv", "port"])
def test_during_a_download(alice, home, mode):
    home.sparse("big", 1 << 30)
    sock = alice.begin("RETR big", mode)
    receive_exactly(sock, 100000)
    for _ in range(3):
        reply = alice.cmd("STAT", codes.STAT_IN_TRANSFER)
        assert re.search(r"\d{5,}", " ".join(line[4:] for line in reply.lines)), "no byte count"
    alice.send_line("ABOR")
    alice.reply(426)
    alice.reply(226)
    drain(sock)
    alice.in_step()


def test_during_a_download_that_goes_on(alice, home):
    home.sparse("big", 64 << 20)
    sock = alice.begin("RETR big")
    receive_exactly(sock, 100000)
    alice.cmd("STAT", codes.STAT_IN_TRANSFER)
    assert len(receive_exactly(sock, 1 << 30)) == (64 << 20) - 100000
    alice.reply(226)
    alice.in_step()


def test_during_an_upload(alice, home):
    with alice.begin("STOR f") as sock:
        sock.sendall(b"x" * 1000)
        alice.cmd("STAT", codes.STAT_IN_TRANSFER)
        sock.sendall(b"x" * 1000)
    alice.reply(226)
    assert (home / "f").stat().st_size == 2000
    alice.in_step()


# STAT of a path is LIST over the control connection.

@pytest.fixture
def things(home):
    return furnish(home)


@pytest.mark.parametrize("path", ["dir", "dir/", ".", "/home/alice", "my dir", "~", "b.txt",
                                  "link", "dir/inside.txt", "pipe", "dir/..", "*.txt", "dir/*",
                                  "*.nothing", "dangling", "./-a"])
def test_lines_are_those_of_list_with_a(alice, things, path):
    things.link("dangling", "nowhere")
    things.file("-a")
    reply = alice.cmd(f"STAT {path}", 213)
    assert reply.lines[1:-1] == alice.list(f"-a {path}")
    alice.in_step()


@pytest.mark.parametrize("options", ["-a", "-la", "-d", "-ld", "-at", "-arS", "-a -r", "-aL",
                                     "-al1F"])
def test_options_are_those_of_list(alice, things, options):
    for path in ("dir", ".", "my dir"):
        reply = alice.cmd(f"STAT {options} {path}", 213)
        assert reply.lines[1:-1] == alice.list(f"{options} {path}")


@pytest.mark.parametrize("argument", ["-a", "-l", "-la", "--"])
def test_options_alone_are_for_the_working_directory(alice, things, argument):
    alice.cmd("CWD dir", 250)
    assert "inside.txt" in listed(alice.cmd(f"STAT {argument}", 213))


@pytest.mark.parametrize("line, names", [
    ("STAT -la my dir", {"two words"}), ("STAT -- -la", {"-la"}), ("STAT  lead", {" lead"}),
    ("STAT -l  lead", {" lead"}), ("stat my dir/two words", {"two words"}),
])
def test_blanks_and_minuses_of_names(alice, things, line, names):
    things.file("-la")
    things.file(" lead")
    assert set(listed(alice.cmd(line, 213))) - {".", ".."} == names


@pytest.mark.parametrize("path", ["missing", "b.txt/x", "b.txt/", "dark", "/root/x", "missing/*"])
def test_refusal_is_one_line(alice, things, path):
    things.dir("dark/inside")
    (things / "dark").chmod(0o311)
    assert len(alice.cmd(f"STAT {path}", codes.STAT_MISSING).lines) == 1
    alice.in_step()


@pytest.mark.parametrize("name, shown", [
    ("a\r\n213 End of status", "a??213 End of status"), ("line\nfeed", "line?feed"),
    ("\x1b[2J", "\x1b[2J"), ("213 End", "213 End"), ("213-x", "213-x"),
])
def test_names_are_shown_as_in_list(alice, home, name, shown):
    home.dir("d")
    home.file(f"d/{name}")
    assert set(listed(alice.cmd("STAT d", 213))) - {".", ".."} == {shown}
    alice.in_step()


def test_control_connection_doubles_ff(alice, home):
    home.dir("d")
    home.file(b"d/a\xffb")
    assert set(listed(alice.cmd("STAT d", 213))) - {".", ".."} == {"a\udcff\udcffb"}
    assert alice.names("d") == ["a\udcffb"]


def test_path_needs_a_login(client):
    client.cmds(("STAT /", 530), ("STAT -l", 530), ("STAT", 211))
    client.in_step()
