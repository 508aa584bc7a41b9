"""miniftpd -t explains a correct configuration: values, places, and what is odd."""

import os
from pathlib import Path

import pytest

import accounts
from checking import errors_of, explained, only_error_of, run

# Nothing is odd about this.
QUIET = "anonymous_enable=NO\nlocal_enable=YES\nsecure_chroot_dir=/run/empty\n"


@pytest.fixture
def users(tmp_path):
    """A user_config_dir."""
    path = tmp_path / "users"
    path.mkdir()
    return path


# Values and where they come from.

def test_values_and_their_places(conf):
    one = conf("# first\nanonymous_enable=NO\nlocal_enable=YES\nmax_clients=5\n", "one")
    two = conf("ftpd_banner=two words\nlocal_umask=022\n", "two")
    told = explained(one, two, "-omax_clients=7")
    assert told.values["anonymous_enable"] == ("NO", f"{one}:2")
    assert told.values["local_enable"] == ("YES", f"{one}:3")
    assert told.values["max_clients"] == ("7", "-omax_clients=7")
    assert told.values["local_umask"][1] == f"{two}:2"
    assert told.values["ftpd_banner"][0] == "two words"
    assert not told.warnings


def test_values_that_are_the_default_are_left_out(conf):
    told = explained(conf(QUIET + "write_enable=NO\nmax_clients=2000\n"))
    assert set(told.values) == {"anonymous_enable", "local_enable", "secure_chroot_dir"}


def test_the_last_line_of_an_option_is_its_place(conf):
    path = conf(QUIET + "max_clients=1\n\nmax_clients=2\n")
    told = explained(path)
    assert told.values["max_clients"] == ("2", f"{path}:6")
    assert told.warnings == [f"{path}:6: max_clients counts as it is set here, not as in line 4"]


def test_a_text_that_is_unset(conf):
    path = conf(QUIET + "ftp_username=\n")
    assert explained(path).values["ftp_username"] == ("(not set)", f"{path}:4")


def test_listen_that_gives_way_to_ipv6(conf):
    told = explained(conf(QUIET + "listen_ipv6=YES\n"))
    assert told.values["listen"] == ("NO", "because of listen_ipv6=YES")


def test_values_are_shown_without_control_bytes(conf):
    text = run("-t", conf(QUIET.encode() + b"ftpd_banner=a\x1b[2Jb\xff\n")).stdout
    assert r"a\x1B[2Jb\xFF" in text and "\x1b" not in text


def test_nothing_to_tell():
    text = run("-t", "-oanonymous_enable=YES").stdout
    assert text.startswith("Every value is the default.\n")
    assert text.endswith("miniftpd: the configuration is correct\n")


# What vsftpd would have read otherwise.

@pytest.mark.parametrize("line, words", [
    ("write_enable =NO", "blanks around the name"),
    ("write_enable= NO", "blanks around the value"),
    ("write_enable=NO\r", "CR and LF"),
    ("   # comment", "comment behind blanks"),
    ("accept_timeout=060", "octal number, 48"),
    ("local_umask=22", "026 in octal"),
    ("tcp_wrappers=YES", "use a firewall"),
])
def test_oddities_are_named_with_file_and_line(conf, line, words):
    path = conf(QUIET + "\n" + line + "\n")
    told = explained(path)
    assert len(told.warnings) == 1
    assert told.warnings[0].startswith(f"{path}:5: ") and words in told.warnings[0]


@pytest.mark.parametrize("line", ["allow_writeable_chroot=YES", "async_abor_enable=YES",
                                  "ssl_tlsv1=YES", "one_process_model=NO", "tcp_wrappers=NO"])
def test_accepted_options_are_named_with_file_and_line(conf, line):
    path = conf(QUIET + line + "\n")
    told = explained(path)
    assert len(told.accepted) == 1 and not told.warnings
    assert told.accepted[0].startswith(f"{path}:4: {line.partition('=')[0]} ")


def test_byte_order_mark(conf):
    path = conf(b"\xef\xbb\xbf" + QUIET.encode())
    assert explained(path).warnings == [
        f"{path}:1: a byte order mark in front is passed over; vsftpd would refuse the line"]


# Contradictions: each is a case of tests/unit/test_confcheck.c. Here is how they are shown.

def test_contradictions_say_where_and_what_to_do(conf):
    path = conf(QUIET + "write_enable=YES\nguest_enable=YES\nlocal_umask=022\n"
                "pasv_min_port=50000\npasv_max_port=50010\n")
    told = explained(path)
    assert [line.partition(" ")[0] for line in told.warnings] == [f"{path}:5:", f"{path}:8:"]
    assert "virtual_use_local_privs=YES" in told.about("guest_enable")[0]
    assert "max_clients=11" in told.about("pasv_max_port")[0]


def test_warnings_leave_the_status_alone(conf):
    result = run("-t", conf(QUIET + "userlist_deny=NO\n"))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("miniftpd: the configuration is correct, with 1 warning\n")


def test_errors_are_all_that_is_told(conf):
    path = conf(QUIET + "userlist_deny=NO\nmax_clients=x\n")
    assert only_error_of(path).startswith(f"{path}:5: ")


# Files, directories and accounts.

@pytest.mark.parametrize("settings, option", [
    ("local_root=/srv/none\n", "local_root"),
    ("local_root=/etc/passwd\n", "local_root"),
    ("user_config_dir=/srv/none\n", "user_config_dir"),
    ("user_config_dir=/etc/passwd\n", "user_config_dir"),
    ("banner_file=/srv/none\n", "banner_file"),
    ("banner_file=/srv\n", "banner_file"),
    ("userlist_enable=YES\nuserlist_file=/srv/none\n", "userlist_file"),
    ("userlist_enable=YES\n", "userlist_file"),
    ("chroot_list_enable=YES\nchroot_list_file=/srv/none\n", "chroot_list_file"),
    ("virtual_users_file=/srv/none\n", "virtual_users_file"),
    ("virtual_users_file=/etc/ftp-users\nguest_username=northis\n", "guest_username"),
    ("xferlog_enable=YES\nvsftpd_log_file=/none/log\n", "vsftpd_log_file"),
    ("xferlog_enable=YES\nvsftpd_log_file=/srv\n", "vsftpd_log_file"),
    ("dual_log_enable=YES\nxferlog_file=/none/log\n", "xferlog_file"),
    ("json_log_file=/none/log\n", "json_log_file"),
    ("scoreboard_dir=/none/board\n", "scoreboard_dir"),
])
def test_what_is_missing(conf, settings, option):
    Path("/etc/ftp-users").touch(mode=0o600)
    told = explained(conf(QUIET + settings))
    assert told.about(option), told.warnings


@pytest.mark.parametrize("settings", [
    "local_root=/srv\n", "local_root=/none/$USER\nuser_sub_token=$USER\n",
    "userlist_enable=YES\nuserlist_file=/etc/passwd\n", "banner_file=/etc/passwd\n",
    "guest_enable=YES\nguest_username=alice\n", "guest_enable=YES\n",
    "chroot_list_enable=YES\nchroot_list_file=/etc/passwd\n", "user_config_dir={users}\n",
    "xferlog_enable=YES\nvsftpd_log_file=/dev/stdout\n",
])
def test_what_is_there(conf, users, settings):
    told = explained(conf(QUIET + settings.format(users=users)))
    assert not told.warnings


def test_list_that_everybody_can_write(conf):
    names = conf("alice\n", "names", mode=0o666)
    told = explained(conf(QUIET + f"userlist_enable=YES\nuserlist_file={names}\n"))
    assert "chmod o-w" in told.about("userlist_file")[0]


def test_shells_that_are_missing(conf, private_etc):
    assert not explained(conf(QUIET)).about("check_shell")
    Path("/etc/shells").unlink()
    assert "/etc/shells" in explained(conf(QUIET)).about("check_shell")[0]
    assert not explained(conf(QUIET + "check_shell=NO\n")).about("check_shell")


def test_directory_that_anonymous_users_cannot_enter(conf, tmp_path):
    hidden = tmp_path / "hidden"
    (hidden / "pub").mkdir(parents=True)
    hidden.chmod(0o700)
    path = conf(f"anonymous_enable=YES\nsecure_chroot_dir=/run/empty\nanon_root={hidden}/pub\n")
    assert "cannot enter" in explained(path).about("anonymous_enable")[0]


def test_directory_that_anonymous_users_own(conf, tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    text = ("anonymous_enable=YES\nsecure_chroot_dir=/run/empty\nwrite_enable=YES\n"
            f"anon_upload_enable=YES\nanon_root={top}\n")
    assert not explained(conf(text)).about("anon_upload_enable")
    os.chown(top, accounts.ALL["ftp"].uid, 0)
    assert "itself" in explained(conf(text)).about("anon_upload_enable")[0]


@pytest.mark.parametrize("settings, option", [
    ("pid_file=/none/pid\n", "pid_file"), ("pid_file=/srv\n", "pid_file"),
    ("secure_chroot_dir=/tmp\n", "secure_chroot_dir"),
    ("secure_chroot_dir=/etc/passwd\n", "secure_chroot_dir"),
])
def test_what_keeps_the_daemon_from_starting_is_an_error(conf, settings, option):
    assert only_error_of(conf(QUIET + settings)).startswith(f"{option}=")


def test_somebody_else_than_root(conf, tmp_path):
    """Who is not root is told the errors of the file, and that the rest was not looked at."""
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    path = conf(QUIET + "local_root=/srv/none\n")
    told = explained(path, user=1001)
    assert len(told.warnings) == 1 and "only root" in told.warnings[0]
    result = run("-t", conf("max_clients=x\n"), user=1001)
    assert result.returncode == 2 and ":1: max_clients" in result.stderr


def test_file_that_cannot_be_read(conf, tmp_path):
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    path = conf(QUIET, mode=0o600)
    result = run("-t", path, user=1001)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"miniftpd: {path}: Permission denied\n"


# The files of users.

def test_files_of_users_are_read(conf, users):
    (users / "alice").write_text("write_enable=YES\nlocal_umask=022\n")
    path = conf(QUIET + f"user_config_dir={users}\n")
    assert not explained(path).warnings
    (users / "alice").write_text("# hm\nwirte_enable=YES\nmax_per_user=x\n")
    (users / "bob").write_text("local_umask=9\n\nno value\n")
    assert [line.split(": ")[0] for line in errors_of(path)] == [
        f"{users}/alice:2", f"{users}/alice:3", f"{users}/bob:3"]


def test_lines_of_virtual_users_are_read(conf, tmp_path):
    users = tmp_path / "virtual"
    users.write_text("anna:$y$x:bob::/srv:local_umask=022\n# comment\nbert\n"
                     "carl:$y$x:bob::/srv:local_umask=999 frobnicate=1 max_clients=1\n")
    users.chmod(0o600)
    lines = errors_of(conf(QUIET + f"virtual_users_file={users}\n"))
    assert len(lines) == 3
    assert f"{users}:3: " in lines[0]
    assert f"{users}:4: local_umask" in lines[1]
    assert f"{users}:4: unknown option 'frobnicate'" in lines[2]
    users.write_text("anna:$y$x:bob::/srv:local_umask=022\n")
    assert not explained(conf(QUIET + f"virtual_users_file={users}\n")).warnings


def test_files_of_users_that_others_can_write(conf, users):
    (users / "alice").write_text("")
    os.chown(users / "alice", accounts.ALL["alice"].uid, 0)
    assert "root" in only_error_of(conf(QUIET + f"user_config_dir={users}\n"))


def test_directories_among_the_files_of_users(conf, users):
    (users / "alice").mkdir()
    assert only_error_of(conf(QUIET + f"user_config_dir={users}\n")) == (
        f"{users}/alice: not a regular file")


def test_options_without_effect_in_the_file_of_a_user(conf, users):
    (users / "alice").write_text("listen_port=2121\nmax_clients=1\n")
    told = explained(conf(QUIET + f"user_config_dir={users}\n"))
    assert told.warnings == [
        f"{users}/alice:1: listen_port has no effect in the file of one user",
        f"{users}/alice:2: max_clients has no effect in the file of one user"]


def test_contradictions_in_the_file_of_a_user(conf, users):
    (users / "alice").write_text("port_enable=NO\npasv_enable=NO\n")
    told = explained(conf(QUIET + f"user_config_dir={users}\n"))
    assert len(told.warnings) == 1
    assert told.warnings[0].startswith(f"{users}/alice:2: pasv_enable: ")
    (users / "alice").write_text("pasv_min_port=4000\npasv_max_port=3000\n")
    assert only_error_of(conf(QUIET + f"user_config_dir={users}\n")).startswith(f"{users}/alice: ")


def test_contradictions_of_all_are_not_told_for_each_user(conf, users):
    (users / "alice").write_text("hide_ids=YES\n")
    (users / "bob").write_text("hide_ids=YES\n")
    told = explained(conf(QUIET + f"userlist_deny=NO\nuser_config_dir={users}\n"))
    assert len(told.warnings) == 1


def test_file_of_a_user_who_does_not_exist(conf, users):
    (users / "northis").write_text("")
    path = conf(QUIET + f"user_config_dir={users}\n")
    assert "no account" in explained(path).about("user_config_dir")[0]
    guests = conf(QUIET + f"user_config_dir={users}\nguest_enable=YES\n", "guests")
    assert not explained(guests).warnings


# What the daemon says about it.

def test_daemon_warns_of_what_stays_open(ftpd):
    daemon = ftpd(tcp_wrappers="YES", deny_email_enable="NO", idle_session_timeout="0600")
    assert "tcp_wrappers=YES has no effect: " in daemon.stderr
    assert "email" not in daemon.stderr and "0600" not in daemon.stderr
    daemon.connect().in_step()
