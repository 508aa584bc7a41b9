"""miniftpd --passwd: passwords of virtual users, from a pipe and at a terminal."""

import os
import pty
import select
import signal
import stat
import subprocess
import termios
import time

import pytest

from ftpd import PROGRAM
from ftpraw import DEADLINE_SEC
from rules import mode_of

LONGEST = "p" * 511


@pytest.fixture
def path(tmp_path):
    return tmp_path / "users"


def passwd(path, name, given, code=0):
    """Run the command with bytes or text on standard input; returns what it printed."""
    given = given.encode() if isinstance(given, str) else given
    result = subprocess.run([PROGRAM, "--passwd", str(path), name], input=given,
                            capture_output=True, timeout=DEADLINE_SEC)
    assert result.returncode == code, result
    assert (result.stderr == b"") == (code == 0), result
    assert given.strip() == b"" or given.strip() not in result.stdout + result.stderr
    return (result.stdout + result.stderr).decode()


def fields(path, name):
    """The fields of a user behind the name."""
    (line,) = (line for line in path.read_text().splitlines() if line.startswith(name + ":"))
    return line.split(":", 5)[1:]


# From a pipe.

def test_new_file_is_for_root_alone(path):
    assert passwd(path, "vera", "secret\n") == f"{path}: a new line, with the password of vera\n"
    assert mode_of(path) == 0o600
    hashed, *rest = fields(path, "vera")
    assert hashed.startswith("$y$") and rest == ["", "", "", ""]


def test_user_logs_in_with_it(ftpd, ground):
    path = ftpd.directory / "users"
    daemon = ftpd(virtual_users_file=str(path), guest_username="guest", local_root="/srv/ground")
    passwd(path, "vera", "two wörds: \n")
    daemon.connect().login("vera", "two wörds: ".encode())
    passwd(path, "vera", "other\n")
    client = daemon.connect()
    assert client.try_login("vera", "two wörds: ") == 530
    client.login("vera", "other")


def test_other_fields_and_lines_stay(path):
    path.write_text("# users\n\nvera:old:1001:web:/srv/x:write_enable=NO a:b\nwim:x:1\nnonsense")
    path.chmod(0o640)
    assert passwd(path, "vera", "secret\n") == f"{path}: the password of vera\n"
    lines = path.read_text().splitlines()
    assert lines[:2] == ["# users", ""] and lines[3:] == ["wim:x:1", "nonsense"]
    assert lines[2].endswith(":1001:web:/srv/x:write_enable=NO a:b")
    assert mode_of(path) == 0o640


def test_owner_stays(path):
    """For the one who runs a daemon without root."""
    path.write_text("")
    path.chmod(0o600)
    os.chown(path, 0, 4)
    passwd(path, "vera", "secret\n")
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (0, 4)


@pytest.mark.parametrize("given", ["secret\n", "secret", "secret\r\n", "secret\nmore\n"])
def test_first_line_is_the_password(ftpd, ground, given):
    path = ftpd.directory / "users"
    passwd(path, "vera", given)
    daemon = ftpd(virtual_users_file=str(path), guest_username="guest", local_root="/srv/ground")
    daemon.connect().login("vera", "secret")


def test_longest_password(ftpd, ground):
    path = ftpd.directory / "users"
    passwd(path, "vera", LONGEST + "\r\n")
    daemon = ftpd(virtual_users_file=str(path), guest_username="guest", local_root="/srv/ground")
    client = daemon.connect()
    assert client.try_login("vera", LONGEST[1:]) == 530
    client.login("vera", LONGEST)


@pytest.mark.parametrize("given, words", [
    ("", "no password was given"), ("\n", "an empty password lets nobody in"),
    ("\r\n", "an empty password lets nobody in"), (LONGEST + "p", "the password is too long"),
    ("p" * 100000 + "\n", "the password is too long"), (b"sec\0ret\n", "holds a NUL byte"),
])
def test_password_that_cannot_be_used(path, given, words):
    path.write_text("vera:old\n")
    path.chmod(0o600)
    assert words in passwd(path, "vera", given, 1)
    assert path.read_text() == "vera:old\n"
    assert os.listdir(path.parent) == ["users"]


@pytest.mark.parametrize("name", ["", "a b", "a:b", "../a", "-a", "#a", ".", "..", "a\x01", "a\n",
                                  "n" * 129])
def test_name_that_nobody_can_have(path, name):
    assert "the name is empty, too long, or has a blank" in passwd(path, name, "secret\n", 1)
    assert not path.exists()


@pytest.mark.parametrize("name", ["ftp", "anonymous", "Anonymous"])
def test_names_of_anonymous_users(path, name):
    assert "names of anonymous users" in passwd(path, name, "secret\n", 1)
    assert not path.exists()


def test_names_of_the_longest_length_and_of_utf8(path):
    for name in ("n" * 128, "jürgen", "web.user@example.org"):
        passwd(path, name, "secret\n")
        assert fields(path, name)


@pytest.mark.parametrize("target, words", [
    ("missing/users", "cannot lock its directory: No such file or directory"),
    (".", "is not a regular file"),
    ("", "the name of the file is empty"),
])
def test_path_that_cannot_be_written(tmp_path, target, words):
    assert words in passwd(os.path.join(tmp_path, target) if target else "", "vera", "secret\n", 1)


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_unsafe_file_is_not_touched(path, mode):
    path.write_text("vera:old\n")
    path.chmod(mode)
    assert "its mode should be 0600" in passwd(path, "vera", "secret\n", 1)
    assert path.read_text() == "vera:old\n"


def test_full_disk_leaves_the_old_file(disk):
    path = disk / "users"
    path.write_text("vera:old\n" + "#" * 150_000 + "\n")
    path.chmod(0o600)
    before = path.read_bytes()
    assert "No space left on device" in passwd(path, "vera", "secret\n", 1)
    assert path.read_bytes() == before
    assert os.listdir(disk) == ["users"]


@pytest.mark.parametrize("arguments", [["--passwd"], ["--passwd", "users"],
                                       ["--passwd", "users", "vera", "more"]])
def test_wrong_number_of_arguments(arguments):
    result = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=DEADLINE_SEC)
    assert result.returncode == 2 and "Usage:" in result.stderr


# At a terminal.

class Terminal:
    """The command at a terminal of its own."""

    def __init__(self, path, name):
        self.text = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(PROGRAM, [PROGRAM, "--passwd", str(path), name])

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def _read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            raise TimeoutError(f"the terminal shows {self.text!r}")
        try:
            data = os.read(self.fd, 4096)
        except OSError:  # the other end is closed
            data = b""
        self.text += data
        return data

    def wait_for(self, words):
        """Wait until the words stand there; what comes behind them is looked at later."""
        end = time.monotonic() + DEADLINE_SEC
        while words not in self.text:
            assert self._read(end - time.monotonic()), f"it ended: {self.text!r}"
        self.text = self.text.split(words, 1)[1]

    def answer(self, prompt, line):
        """Type a line when it is asked for, without an echo of it."""
        self.wait_for(prompt)
        assert not self.echoes()
        os.write(self.fd, line.encode() + b"\n")

    def end(self):
        """Wait for the end; returns the exit status and the last words."""
        end = time.monotonic() + DEADLINE_SEC
        while self._read(end - time.monotonic()):
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status, self.text.decode()


NEW, AGAIN = b"New password: ", b"Once more: "


def test_terminal_is_asked_twice_and_shows_nothing(path):
    terminal = Terminal(path, "vera")
    terminal.answer(NEW, "secret-typed")
    terminal.answer(AGAIN, "secret-typed")
    status, text = terminal.end()
    assert status == 0 and text.strip() == f"{path}: a new line, with the password of vera"
    assert fields(path, "vera")[0].startswith("$y$")


def test_typed_passwords_that_differ_change_nothing(path):
    terminal = Terminal(path, "vera")
    terminal.answer(NEW, "secret")
    terminal.answer(AGAIN, "secreT")
    status, text = terminal.end()
    assert status == 1 and "the two passwords differ; nothing was changed" in text
    assert not path.exists()


def test_typed_password_that_is_empty_is_not_asked_for_again(path):
    terminal = Terminal(path, "vera")
    terminal.answer(NEW, "")
    status, text = terminal.end()
    assert status == 1 and "an empty password lets nobody in" in text
    assert not path.exists()


@pytest.mark.parametrize("prompts", [1, 2])
def test_terminal_echoes_again_after_an_interrupt(path, prompts):
    """The terminal outlives the command: this end stays open, and is asked."""
    ours, theirs = os.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen([PROGRAM, "--passwd", str(path), "vera"], stdin=theirs, stdout=theirs,
                               stderr=theirs)
    for prompt in [NEW, AGAIN][:prompts]:
        text = b""
        while prompt not in text:
            assert select.select([ours], [], [], DEADLINE_SEC)[0], text
            text += os.read(ours, 4096)
        if prompt == [NEW, AGAIN][prompts - 1]:
            assert not termios.tcgetattr(theirs)[3] & termios.ECHO
            process.send_signal(signal.SIGINT)
        else:
            os.write(ours, b"secret\n")
    assert process.wait(DEADLINE_SEC) == 1
    assert termios.tcgetattr(theirs) == before
    assert not path.exists()
    os.close(ours)
    os.close(theirs)


def test_file_is_whole_at_any_time(ftpd, path):
    """Who reads while it is written sees the old users or the new ones."""
    path.write_text("".join(f"user{n}:old\n" for n in range(5000)))
    path.chmod(0o600)
    process = subprocess.Popen([PROGRAM, "--passwd", str(path), "user0"], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL)
    process.stdin.write(b"secret\n")
    process.stdin.close()
    while process.poll() is None:
        lines = path.read_text().splitlines()
        assert len(lines) == 5000 and lines[-1] == "user4999:old"
    assert process.wait() == 0
    assert stat.S_ISREG(path.stat().st_mode)
    assert fields(path, "user0")[0].startswith("$y$")
