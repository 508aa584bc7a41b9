"""Arguments, configuration files and what is said about their errors."""

import os
import re
import shutil
from pathlib import Path

import pytest

from checking import FINE, MALFORMED, USAGE, errors_of, fine, only_error_of, run
from ftpd import listening_ports
from ftpraw import Client


# What is printed.

@pytest.mark.parametrize("argument", ["-v", "--version"])
def test_version(argument):
    result = run(argument)
    assert (result.returncode, result.stderr) == (FINE, "")
    assert re.fullmatch(r"miniftpd [0-9]+(\.[0-9]+)+\n", result.stdout)


@pytest.mark.parametrize("argument", ["-h", "--help"])
def test_help(argument):
    result = run(argument)
    assert (result.returncode, result.stderr) == (FINE, "")
    for word in ("-t", "-v", "-o"):
        assert word in result.stdout


@pytest.mark.parametrize("argument", ["-x", "-o", "--test", "-tt", "-", "--", "-vv", "--print"])
def test_unknown_argument(argument):
    result = run(argument)
    assert (result.returncode, result.stdout) == (USAGE, "")
    assert f"'{argument}'" in result.stderr.splitlines()[0]
    assert "Usage" in result.stderr
    assert not listening_ports()


def test_unknown_argument_among_good_ones(conf):
    result = run("-t", conf("local_enable=YES\n"), "-x")
    assert result.returncode == USAGE
    assert "'-x'" in result.stderr


# Files and settings, in order.

def banner(ftpd, *arguments):
    """The greeting of a daemon with these arguments."""
    daemon = ftpd(*arguments)
    with Client() as client:
        text = client.reply(220).text
    assert not daemon.stop()
    return text


def test_settings_and_files_in_order_later_wins(ftpd, conf):
    one, two = (conf(f"ftpd_banner={name}\n", name) for name in ("one", "two"))
    assert banner(ftpd, one) == "one"
    assert banner(ftpd, one, two) == "two"
    assert banner(ftpd, two, one) == "one"
    assert banner(ftpd, one, "-oftpd_banner=setting") == "setting"
    assert banner(ftpd, "-oftpd_banner=setting", one) == "one"
    assert banner(ftpd, "-oftpd_banner=a", "-oftpd_banner=b") == "b"


def test_later_line_wins(ftpd, conf):
    assert banner(ftpd, conf("ftpd_banner=a\nftpd_banner=b\n#ftpd_banner=c\n")) == "b"


def test_files_add_up(ftpd, conf):
    daemon = ftpd(conf("ftpd_banner=kept\n", "one"), conf("max_clients=1\n", "two"))
    with Client() as client:
        assert client.reply(220).text == "kept"
        daemon.connect(greeting=421)


def test_empty_value_resets_a_text(ftpd, conf):
    default = banner(ftpd)
    assert banner(ftpd, "-oftpd_banner=something") == "something"
    assert banner(ftpd, "-oftpd_banner=something", conf("ftpd_banner=\n")) == default


def test_settings_alone_need_no_file():
    assert fine("-olocal_enable=YES")


def test_without_arguments_the_default_file_is_read():
    assert "/etc/miniftpd.conf" in only_error_of()


@pytest.fixture
def default_file(private_etc):
    """A function that writes /etc/miniftpd.conf."""
    return (private_etc / "miniftpd.conf").write_text


def test_default_file(default_file):
    default_file("no_such_option=1\n")
    assert only_error_of().startswith("/etc/miniftpd.conf:1: ")
    assert only_error_of("-olocal_enable=YES").startswith("/etc/miniftpd.conf:1: ")
    default_file("local_enable=YES\n")
    assert fine()


def test_named_file_replaces_the_default_one(default_file, conf):
    default_file("no_such_option=1\n")
    assert fine(conf("local_enable=YES\n"))


# How lines are read.

@pytest.mark.parametrize("line", [
    "idle_session_timeout=77", "  idle_session_timeout=77", "idle_session_timeout = 77",
    "idle_session_timeout=77   ", "\tidle_session_timeout\t=\t77\t", "idle_session_timeout=77\r",
    "idle_session_timeout=77 \r", "idle_session_timeout=077",
])
def test_blanks_and_line_endings_around_names_and_values(ftpd, conf, line):
    client = ftpd(conf(line + "\n")).connect()
    assert "after 77 seconds" in str(client.cmd("STAT", 211))


def test_crlf_file(ftpd, conf):
    text = "# a comment\r\n\r\nftpd_banner=two words\r\nidle_session_timeout=77\r\n"
    daemon = ftpd(conf(text))
    with Client() as client:
        assert client.reply(220).text == "two words"
        assert "after 77 seconds" in str(client.cmd("STAT", 211))


@pytest.mark.parametrize("text", [
    "", "\n", "\n\n\n", "#", "# comment", "   # comment\n", "local_enable=YES", " \t \n",
    "\r\n\r\n", "ftpd_banner=a=b=c\n", "ftpd_banner=#no comment\n", "ftpd_banner=ünï\n",
])
def test_odd_but_correct_files(conf, text):
    assert fine(conf(text))


@pytest.mark.parametrize("value", ["YES", "yes", "Yes", "TRUE", "true", "1"])
@pytest.mark.parametrize("opposite", ["NO", "no", "No", "FALSE", "false", "0"])
def test_booleans(conf, value, opposite):
    assert fine(conf(f"local_enable={value}\nanonymous_enable={opposite}\n"))
    lines = errors_of(conf(f"local_enable={opposite}\nanonymous_enable={opposite}\n"))
    assert "nobody could log in" in lines[0]


@pytest.mark.parametrize("line", [
    "local_umask=0", "local_umask=00", "local_umask=077", "local_umask=0777", "local_umask=63",
    "max_clients=0", "listen_port=65535", "listen_port=1", "listen_port=025", "listen_port=08", "accept_timeout=1",
])
def test_numbers(conf, line):
    assert fine(conf(line + "\n"))


# Errors of a line: all of them are told, with file and line, and how they were meant.

@pytest.mark.parametrize("case", MALFORMED)
def test_error_names_file_line_and_reason(conf, case):
    line, words = MALFORMED[case]
    path = conf(f"# first\n\n{line}\n# last\n")
    error = only_error_of(path)
    assert error.startswith(f"{path}:3: ")
    for word in words:
        assert word in error
    assert error.isprintable()


def test_every_error_of_a_file_is_told(conf):
    lines = [line for line, _ in MALFORMED.values()]
    path = conf("\n".join(lines) + "\nftpd_banner=fine\n")
    errors = errors_of(path)
    assert [error.partition(": ")[0] for error in errors] == [
        f"{path}:{number}" for number in range(1, len(lines) + 1)]


def test_errors_of_several_files_and_settings_are_told(conf):
    one, two = conf("a=1\n", "one"), conf("\nb=2\n", "two")
    errors = errors_of(one, "-oc=3", two, "-olocal_enable")
    starts = [f"{one}:1: ", "-oc=3: ", f"{two}:2: ", "-olocal_enable: "]
    assert len(errors) == len(starts)
    for error, start in zip(errors, starts):
        assert error.startswith(start)


def test_setting_with_an_error_names_the_setting():
    assert only_error_of("-omax_clients=many").startswith("-omax_clients=many: ")
    assert "'max_clients'" in only_error_of("-omax_client=3")
    assert "name=value" in only_error_of("-omax_clients")


def test_long_lines_of_errors_are_cut(conf):
    path = conf("x" * 5000 + "=YES\nmax_clients=" + "9" * 50000 + "\n")
    errors = errors_of(path)
    assert len(errors) == 2
    assert all(len(error) < 400 for error in errors)


def test_thousands_of_errors(conf):
    path = conf("x=1\n" * 20000)
    assert len(errors_of(path)) > 100


# Contradictions, and what a configuration needs.

@pytest.mark.parametrize("text, words", [
    ("listen=YES\nlisten_ipv6=YES\n", ["listen=YES", "listen_ipv6=YES"]),
    ("local_enable=NO\nanonymous_enable=NO\n", ["local_enable", "anonymous_enable"]),
    ("pasv_min_port=3000\npasv_max_port=2999\n", ["pasv_min_port", "pasv_max_port"]),
    ("pasv_min_port=0\npasv_max_port=1023\n", ["pasv_max_port", "1024"]),
    ("listen_address=localhost\n", ["listen_address", "'localhost'"]),
    ("listen_address=::1\n", ["listen_address", "IPv4"]),
    ("listen_address=1.2.3\n", ["listen_address"]),
    ("listen_address=1.2.3.256\n", ["listen_address"]),
    ("listen_address6=127.0.0.1\n", ["listen_address6", "IPv6"]),
    ("listen_address6=fd00::g\n", ["listen_address6"]),
    ("nopriv_user=\n", ["nopriv_user"]),
    ("nopriv_user=nosuchuser\n", ["nopriv_user=nosuchuser", "does not exist"]),
    ("nopriv_user=root\n", ["nopriv_user=root", "root"]),
    ("ftp_username=nosuchuser\n", ["ftp_username=nosuchuser", "does not exist"]),
    ("ftp_username=root\n", ["ftp_username=root", "root"]),
    ("ftp_username=\n", ["ftp_username"]),
    ("secure_chroot_dir=\n", ["secure_chroot_dir"]),
    ("secure_chroot_dir=relative\n", ["secure_chroot_dir", "'relative'"]),
    ("anon_root=relative\n", ["anon_root", "'relative'"]),
    ("pid_file=relative\n", ["pid_file", "'relative'"]),
    ("xferlog_enable=YES\nvsftpd_log_file=\n", ["vsftpd_log_file"]),
    ("vsftpd_log_file=relative\n", ["vsftpd_log_file", "'relative'"]),
])
def test_contradiction(conf, text, words):
    error = only_error_of(conf(text))
    for word in words:
        assert word in error


def test_contradictions_are_all_told(conf):
    errors = errors_of(conf("listen=YES\nlisten_ipv6=YES\nlocal_enable=NO\nanonymous_enable=NO\n"
                            "pasv_min_port=3000\npasv_max_port=2000\nlisten_address=x\n"))
    assert len(errors) == 4


def test_missing_accounts_are_both_told(conf):
    errors = errors_of(conf("nopriv_user=nosuchuser\nftp_username=northis\n"))
    assert len(errors) == 2


@pytest.mark.parametrize("text", [
    "listen_ipv6=YES\n", "listen=NO\nlisten_ipv6=YES\n", "listen=NO\n",
    "anonymous_enable=NO\nlocal_enable=YES\nftp_username=nosuchuser\n",
    "pasv_min_port=3000\npasv_max_port=3000\n", "pasv_min_port=3000\npasv_max_port=0\n",
    "xferlog_enable=NO\nvsftpd_log_file=\n", "listen_address=127.0.0.1\n",
    "listen=NO\nlisten_ipv6=YES\nlisten_address6=::1\n",
])
def test_no_contradiction(conf, text):
    assert fine(conf(text))


# Files that are not taken.

@pytest.mark.parametrize("mode", [0o666, 0o646, 0o602, 0o777])
def test_file_that_anyone_can_write(conf, mode):
    path = conf("local_enable=YES\n", mode=mode)
    assert only_error_of(path).startswith(f"{path}: ")


@pytest.mark.parametrize("uid, gid, mode, taken", [
    (0, 0, 0o644, True), (0, 0, 0o600, True), (0, 0, 0o664, True), (0, 0, 0o400, True),
    (0, 1001, 0o664, False), (0, 1001, 0o644, True), (1001, 0, 0o644, False),
    (1001, 1001, 0o600, False), (65534, 65534, 0o644, False),
])
def test_owner_of_the_file(conf, uid, gid, mode, taken):
    path = conf("local_enable=YES\n", mode=mode)
    os.chown(path, uid, gid)
    if taken:
        assert fine(path)
    else:
        assert only_error_of(path).startswith(f"{path}: ")


def make_fifo(path):
    os.mkfifo(path, 0o600)


def make_loop(path):
    os.symlink(path, path)


@pytest.mark.parametrize("make", [os.mkdir, make_fifo, make_loop, lambda path: None],
                         ids=["directory", "FIFO", "loop", "missing"])
def test_not_a_regular_file(tmp_path, make):
    path = str(tmp_path / "x")
    make(path)
    assert only_error_of(path).startswith(f"{path}: ")


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "/dev/stdin", "/"])
def test_device(path):
    assert only_error_of(path).startswith(f"{path}: ")


def test_link_to_a_file_is_fine(conf, tmp_path):
    (tmp_path / "link").symlink_to(conf("local_enable=YES\n"))
    assert fine(str(tmp_path / "link"))


@pytest.mark.parametrize("size, taken", [(100000, True), (100001, False), (10 << 20, False)])
def test_size_of_the_file(conf, size, taken):
    path = conf("#" * (size - 1) + "\n")
    if taken:
        assert fine(path)
    else:
        assert "100000" in only_error_of(path)


# Errors at the start.

def start_fails(*arguments):
    """A start that fails; its messages. Nothing is bound, and nothing written."""
    result = run(*arguments)
    assert result.returncode == USAGE, result
    assert result.stdout == ""
    assert not listening_ports()
    return result.stderr


@pytest.mark.parametrize("background", ["YES", "NO"])
@pytest.mark.parametrize("text", ["no_such_option=1\n", "max_clients=many\n", "listen=NO\n",
                                  "nopriv_user=nosuchuser\n", "secure_chroot_dir=/tmp\n"])
def test_start_with_an_error_binds_nothing(conf, tmp_path, text, background):
    pid_file = tmp_path / "pid"
    path = conf(f"pid_file={pid_file}\nbackground={background}\n{text}")
    words = start_fails(path)
    assert text.partition("=")[0] in words
    assert not pid_file.exists()


def test_start_tells_what_the_check_tells(conf):
    path = conf("a=1\nmax_clients=many\n")
    assert start_fails(path).splitlines() == ["miniftpd: " + line for line in errors_of(path)]


def test_check_binds_nothing_and_changes_nothing(conf, tmp_path):
    path = conf(f"pid_file={tmp_path}/pid\nsecure_chroot_dir={tmp_path}/empty\n"
                f"xferlog_enable=YES\nvsftpd_log_file={tmp_path}/log\nbackground=YES\n")
    assert fine(path)
    assert sorted(os.listdir(tmp_path)) == ["test.conf"]
    assert not listening_ports()


def test_check_while_a_daemon_runs(ftpd, conf):
    daemon = ftpd()
    assert fine(str(daemon.conf_path))
    errors_of(conf("a=1\n"))
    daemon.connect().in_step()


def test_directory_of_the_helpers_is_made(ftpd):
    top = Path("/run/made-by-the-daemon")
    ftpd(secure_chroot_dir=f"{top}/ftp/empty").login("alice").in_step()
    for path in (top, top / "ftp", top / "ftp/empty"):
        assert path.stat().st_mode & 0o777 == 0o755
    shutil.rmtree(top)


@pytest.mark.parametrize("mode, uid", [(0o777, 0), (0o775, 0), (0o755, 1001)])
def test_directory_of_the_helpers_must_be_roots(conf, tmp_path, mode, uid):
    directory = tmp_path / "empty"
    directory.mkdir()
    directory.chmod(mode)
    os.chown(directory, uid, 0)
    assert "secure_chroot_dir" in start_fails(conf(f"secure_chroot_dir={directory}\n"))


def test_jail_that_nobody_can_enter_stops_the_start(conf, tmp_path):
    """It would be every client that finds out otherwise."""
    hidden = tmp_path / "hidden"
    (hidden / "empty").mkdir(parents=True)
    hidden.chmod(0o700)
    text = start_fails(conf(f"secure_chroot_dir={hidden}/empty\n"))
    assert f"secure_chroot_dir={hidden}/empty" in text and "nopriv_user=nobody" in text
