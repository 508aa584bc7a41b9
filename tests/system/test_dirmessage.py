"""dirmessage_enable and message_file: what a directory says to who enters it."""

import os

import pytest

OPTIONS = ("dirmessage_enable", "message_file")


def say(home, text, directory=".", name=".message", mode=0o644):
    """Put a message into a directory, which is made."""
    home.dir(directory)
    return home.file(f"{directory}/{name}", text, mode)


def login_lines(daemon, name="alice"):
    """(client, lines before the last one of the reply to the login)"""
    client = daemon.connect()
    client.cmd(f"USER {name}", 331)
    reply = client.cmd(f"PASS secret-{name}", 230)
    assert reply.text == "Login successful."
    return client, reply.lines[:-1]


def message(client, line):
    """The lines before the last one of the reply to a change of directory."""
    reply = client.cmd(line, 250)
    assert reply.text == "Directory changed."
    assert all(line.startswith("250-") for line in reply.lines[:-1])
    return [line[4:] for line in reply.lines[:-1]]


@pytest.mark.parametrize("value, expected", [("YES", ["230-Welcome", "230-home."]), ("NO", []),
                                             (None, [])])
def test_message_at_login(ftpd, home, value, expected):
    say(home, b"Welcome\nhome.\n")
    assert login_lines(ftpd(dirmessage_enable=value))[1] == expected


def test_no_message_without_the_option(ftpd, home):
    say(home, b"Hello\n", "d")
    client = ftpd().login("alice")
    assert message(client, "CWD d") == []


def test_message_at_the_first_visit(ftpd, home):
    say(home, b"start\n")
    say(home, b"one\n", "d")
    say(home, b"two\n", "d/e")
    client, lines = login_lines(ftpd(dirmessage_enable="YES"))
    assert lines == ["230-start"]
    assert message(client, "CWD d") == ["one"]
    assert message(client, "XCWD e") == ["two"]
    for line in ("CDUP", "CWD e", "CWD ../..", "CWD d/e", "CWD", "CWD /home/alice/d"):
        assert message(client, line) == []


def test_message_of_a_directory_first_seen_on_the_way_up(ftpd, home):
    say(home, b"above\n", "d")
    home.dir("d/e")
    client = ftpd(dirmessage_enable="YES").login("alice")
    assert message(client, "CWD d/e") == []
    assert message(client, "CDUP") == ["above"]


def test_message_file(ftpd, home):
    say(home, b"right\n", "d", "README")
    say(home, b"wrong\n", "d")
    client = ftpd(dirmessage_enable="YES", message_file="README").login("alice")
    assert message(client, "CWD d") == ["right"]


@pytest.mark.parametrize("text, expected", [
    (b"one\r\ntwo\r\n", ["one", "two"]),
    (b"no end", ["no end"]),
    (b"\n\nblank lines\n\n", ["", "", "blank lines", ""]),
    (b"250 Forged.\n550-Forged\n", ["250 Forged.", "550-Forged"]),
    (b"\x1b[2J\x07 \x7f bell\n", ["?[2J? ? bell"]),
    (b"a\rb\n", ["a?b"]),
    ("tab\there \u00fc \u20ac\n".encode(), ["tab\there \u00fc \u20ac"]),
    (b"\xc2\x9b31m\xc2\x85\n", ["??31m??"]),
    (b"\xff\xfe\n", [b"\xff\xff\xfe".decode("utf-8", "surrogateescape")]),
    (b"", []),
    (b"\n", [""]),
    (b"cut\0here\n", ["cut"]),
    (b"x" * 5000, ["x" * 4000]),
    (b"line\n" * 2000, ["line"] * 800),
], ids=lambda value: repr(value[:1])[:20])
def test_what_of_a_message_is_shown(ftpd, home, text, expected):
    say(home, text, "d")
    client = ftpd(dirmessage_enable="YES").login("alice")
    assert message(client, "CWD d") == expected
    client.in_step()


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "unreadable", "dangling", "loop"])
def test_what_is_no_message(ftpd, home, kind):
    """Nothing of it can hold up a session or break a reply."""
    home.dir("d")
    if kind == "directory":
        home.dir("d/.message")
    elif kind == "fifo":
        home.fifo("d/.message")
    elif kind == "unreadable":
        home.file("d/.message", b"x", 0)
    elif kind in ("dangling", "loop"):
        home.link("d/.message", "nowhere" if kind == "dangling" else ".message")
    client = ftpd(dirmessage_enable="YES").login("alice")
    assert message(client, "CWD d") == []
    client.in_step()


def test_message_by_a_link(ftpd, home):
    say(home, b"linked\n", "d", "text")
    home.link("d/.message", "text")
    assert message(ftpd(dirmessage_enable="YES").login("alice"), "CWD d") == ["linked"]


def test_link_out_of_a_chroot_shows_nothing(ftpd, home):
    home.dir("d")
    home.link("d/.message", "/etc/passwd")
    client = ftpd(dirmessage_enable="YES", chroot_local_user="YES").login("alice")
    assert message(client, "CWD d") == []


def test_message_in_a_chroot(ftpd, home):
    say(home, b"top\n")
    say(home, b"inside\n", "d")
    client, lines = login_lines(ftpd(dirmessage_enable="YES", chroot_local_user="YES"))
    assert lines == ["230-top"]
    assert message(client, "CWD /d") == ["inside"]


@pytest.mark.parametrize("mode, expected", [(0o644, ["hello"]), (0o640, [])])
def test_message_that_not_everyone_may_read(ftpd, home, mode, expected):
    say(home, b"hello\n", "d", mode=mode)
    client = ftpd(dirmessage_enable="YES", ftp_username="alice", anon_root=str(home.path)).anonymous()
    assert message(client, "CWD d") == expected


def test_refused_change_shows_no_message(ftpd, home):
    say(home, b"hidden\n", "secret")
    client = ftpd(dirmessage_enable="YES", deny_file="secret").login("alice")
    assert client.cmd("CWD secret", 550).lines == ["550 Permission denied."]


def test_message_is_shown_though_its_name_is_denied(ftpd, home):
    """So that nobody can replace it."""
    say(home, b"hello\n", "d")
    client = ftpd(dirmessage_enable="YES", deny_file=".message").login("alice")
    assert message(client, "CWD d") == ["hello"]
    client.refused("STOR .message", 550)


def test_a_hundred_directories_are_remembered(ftpd, home):
    for number in range(102):
        say(home, b"%d\n" % number, f"d{number}")
    client = ftpd(dirmessage_enable="YES").login("alice")
    for number in range(102):
        assert message(client, f"CWD /home/alice/d{number}") == [str(number)]
    for number in range(101, 50, -1):
        assert message(client, f"CWD /home/alice/d{number}") == []
    # The first ones were forgotten, the start directory among them; memory has its limit.
    assert message(client, "CWD /home/alice/d0") == ["0"]
    assert message(client, "CWD /home/alice/d101") == []


def test_a_message_changes_between_visits_of_two_sessions(ftpd, home):
    daemon = ftpd(dirmessage_enable="YES")
    path = say(home, b"old\n", "d")
    assert message(daemon.login("alice"), "CWD d") == ["old"]
    path.write_bytes(b"new\n")
    assert message(daemon.login("alice"), "CWD d") == ["new"]


def test_replies_to_clients_that_do_not_wait(ftpd, home):
    say(home, b"one\ntwo\n", "d")
    client = ftpd(dirmessage_enable="YES").login("alice")
    client.send("CWD d\r\nPWD\r\nNOOP\r\n")
    assert client.reply(250).lines == ["250-one", "250-two", "250 Directory changed."]
    client.reply(257)
    client.reply(200)
    assert os.listdir(home / "d") == [".message"]
