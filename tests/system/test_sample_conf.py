"""The shipped miniftpd.conf, the option table and the manual say the same."""

import re
import subprocess
from pathlib import Path

import pytest

from ftpd import PROGRAM

SHIPPED = Path(__file__).resolve().parents[2] / "miniftpd.conf"

# The defaults of vsftpd for the options that miniftpd has; a text that is not set is "".
VSFTPD_DEFAULTS = {
    "accept_timeout": "60", "anon_max_rate": "0", "anon_mkdir_write_enable": "NO",
    "anon_other_write_enable": "NO", "anon_root": "", "anon_umask": "077",
    "anon_upload_enable": "NO", "anon_world_readable_only": "YES", "anonymous_enable": "YES",
    "ascii_download_enable": "NO", "ascii_upload_enable": "NO", "background": "NO",
    "banner_file": "", "better_stou": "NO", "check_shell": "YES", "chmod_enable": "YES",
    "chown_upload_mode": "0600", "chown_uploads": "NO", "chown_username": "root",
    "chroot_list_enable": "NO", "chroot_list_file": "/etc/vsftpd.chroot_list",
    "chroot_local_user": "NO", "cmds_allowed": "", "cmds_denied": "", "connect_from_port_20": "NO",
    "connect_timeout": "60", "data_connection_timeout": "300", "delay_failed_login": "1",
    "delay_successful_login": "0", "delete_failed_uploads": "NO", "deny_file": "",
    "dirlist_enable": "YES", "dirmessage_enable": "NO", "download_enable": "YES",
    "download_file": "", "dual_log_enable": "NO", "file_open_mode": "0666", "force_dot_files": "NO",
    "ftp_data_port": "20", "ftp_username": "ftp", "ftpd_banner": "", "guest_enable": "NO",
    "guest_username": "ftp", "hide_file": "", "hide_ids": "NO", "idle_session_timeout": "300",
    "implicit_ssl": "NO", "listen": "YES", "listen_address": "", "listen_address6": "",
    "listen_ipv6": "NO", "listen_port": "21", "local_enable": "NO", "local_max_rate": "0",
    "local_root": "", "local_umask": "077", "lock_upload_files": "YES", "log_die": "NO",
    "log_ftp_protocol": "NO", "ls_recurse_enable": "NO", "max_clients": "2000",
    "max_login_fails": "3", "max_per_ip": "50", "mdtm_write": "YES", "message_file": ".message",
    "no_anon_password": "NO", "nopriv_user": "nobody", "pam_service_name": "ftp",
    "passwd_chroot_enable": "NO", "pasv_addr_resolve": "NO", "pasv_address": "",
    "pasv_enable": "YES", "pasv_max_port": "0", "pasv_min_port": "5001", "pasv_promiscuous": "NO",
    "port_enable": "YES", "port_promiscuous": "NO", "reverse_lookup_enable": "YES",
    "run_as_launching_user": "NO", "seccomp_sandbox": "YES",
    "secure_chroot_dir": "/usr/share/empty", "session_support": "NO", "setproctitle_enable": "NO",
    "ssl_enable": "NO", "syslog_enable": "NO", "text_userdb_names": "NO", "trans_chunk_size": "0",
    "upload_file": "", "use_localtime": "NO", "use_sendfile": "YES", "user_config_dir": "",
    "user_sub_token": "", "userlist_deny": "YES", "userlist_enable": "NO",
    "userlist_file": "/etc/vsftpd.user_list", "virtual_use_local_privs": "NO",
    "vsftpd_log_file": "/var/log/vsftpd.log", "write_enable": "NO", "xferlog_enable": "NO",
    "xferlog_file": "/var/log/xferlog", "xferlog_std_format": "NO",
    "allow_anon_ssl": "NO", "ca_certs_file": "", "debug_ssl": "NO", "dsa_cert_file": "",
    "dsa_private_key_file": "", "force_anon_data_ssl": "NO", "force_anon_logins_ssl": "NO",
    "force_local_data_ssl": "YES", "force_local_logins_ssl": "YES", "require_cert": "NO",
    "require_ssl_reuse": "YES", "rsa_cert_file": "/usr/share/ssl/certs/vsftpd.pem",
    "rsa_private_key_file": "", "ssl_request_cert": "YES", "ssl_sni_hostname": "",
    "ssl_tlsv11": "NO", "ssl_tlsv12": "YES", "ssl_tlsv13": "YES", "strict_ssl_read_eof": "YES",
    "strict_ssl_write_shutdown": "NO", "validate_cert": "NO",
}

# Where OpenSSL chooses better: vsftpd has one cipher, and Fedora's the policy of the system.
OTHERWISE = {"ssl_ciphers": "", "ssl_ciphersuites": ""}

# Options that vsftpd does not have; their texts must say so.
OWN = {
    "download_max_rate": "0", "hash_enable": "YES", "json_log_file": "", "max_per_user": "0",
    "max_upload_size": "0", "mode_z_enable": "NO", "pasv_address_map": "", "pid_file": "",
    "scoreboard_dir": "/run/miniftpd.scoreboard", "upload_max_rate": "0", "virtual_users_file": "",
}

# What an administrator who installs the file and changes nothing gets.
SAFE = {"anonymous_enable": "NO", "chroot_local_user": "YES", "local_umask": "022"}


def output(argument):
    result = subprocess.run([PROGRAM, argument], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=10)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


class Entry:
    """One option of the sample: its text, its default, and its value if the file sets it."""

    def __init__(self, paragraph):
        lines = paragraph.splitlines()
        match = re.fullmatch(r"(#?)([a-z0-9_]+)=(.*)", lines[-1])
        assert match, f"no option at the end of {paragraph!r}"
        comment, self.name, value = match.groups()
        self.value = None if comment else value
        self.default = value
        comments = lines[:-1]
        if not comment:
            match = re.fullmatch(r"# Default: ?(.*)", comments.pop())
            assert match, f"no default in {paragraph!r}"
            self.default = match.group(1)
        assert comments and all(line.startswith("# ") for line in comments), paragraph
        self.text = " ".join(line[2:] for line in comments)


def entries(text):
    """The options of a sample by name; each stands there once."""
    found = {}
    for paragraph in text.split("\n\n")[1:]:
        if paragraph.startswith("##"):
            continue
        entry = Entry(paragraph)
        assert entry.name not in found, f"{entry.name} stands there twice"
        found[entry.name] = entry
    return found


# What stands in the source of a manual page for a character of its own.
ROFF = {r"\-": "-", r"\(aq": "'", r"\(ti": "~", r"\(ha": "^", r"\(ga": "`", r"\&": "", r"\e": "\\"}


def plain(text):
    """The text of a manual page as a reader sees it."""
    return re.sub(r"\\(?:[-&e]|\(..)", lambda match: ROFF[match.group()], text)


class ManualEntry:
    """One option of the manual."""

    def __init__(self, lines):
        self.name = lines[0].removeprefix(".B ")
        (at,) = [at for at, line in enumerate(lines) if line.startswith("Default: ")]
        self.text = plain(" ".join(lines[1:at]))
        facts = dict(plain(line).removesuffix(".").partition(": ")[::2] for line in lines[at:])
        self.default = facts["Default"].replace("not set", "")
        self.range = facts.get("Range")
        self.per_user = "May differ from user to user" in facts


def manual():
    text = output("--print-manual").partition("\n.SH ")[0] + "\n"
    parts = re.split(r"^\.TP\n", text, flags=re.MULTILINE)[1:]
    found = [ManualEntry(re.sub(r"^\.SS .*\n", "", part, flags=re.MULTILINE).splitlines())
             for part in parts]
    names = [entry.name for entry in found]
    assert len(names) == len(set(names))
    return {entry.name: entry for entry in found}


@pytest.fixture(scope="module")
def sample():
    return entries(output("--print-sample"))


def test_shipped_file_is_the_printed_one():
    assert SHIPPED.read_text() == output("--print-sample")


def test_shipped_file_is_correct(tmp_path):
    path = tmp_path / "miniftpd.conf"
    path.write_text(SHIPPED.read_text())
    result = subprocess.run([PROGRAM, "-t", path], capture_output=True, text=True, timeout=10)
    assert (result.returncode, result.stderr) == (0, "")


def test_sample_with_every_option_set_is_correct(tmp_path, sample):
    """The defaults that stand there as comments are values that the parser takes."""
    path = tmp_path / "miniftpd.conf"
    path.write_text(re.sub(r"^#([a-z0-9_]+=)", r"\1", output("--print-sample"),
                           flags=re.MULTILINE))
    assert len(re.findall(r"^[a-z]", path.read_text(), re.MULTILINE)) == len(sample)
    result = subprocess.run([PROGRAM, "-t", path], capture_output=True, text=True, timeout=10)
    assert (result.returncode, result.stderr) == (0, "")


def test_defaults_alone_are_correct(tmp_path, sample):
    path = tmp_path / "miniftpd.conf"
    path.write_text("".join(f"{name}={entry.default}\n" for name, entry in sample.items()))
    result = subprocess.run([PROGRAM, "-t", path], capture_output=True, text=True, timeout=10)
    assert (result.returncode, result.stderr) == (0, "")


def test_sample_and_manual_have_the_same_options(sample):
    assert list(sample) == list(manual())


def value_of(text):
    """A value to compare: how many zeros an octal number begins with does not count."""
    return int(text, 8) if re.fullmatch("0[0-7]+", text) else text


def test_defaults_are_those_of_vsftpd(sample):
    defaults = {name: value_of(entry.default) for name, entry in sample.items()}
    expected = {**VSFTPD_DEFAULTS, **OTHERWISE, **OWN}
    assert defaults == {name: value_of(text) for name, text in expected.items()}


def test_sample_and_manual_say_the_same(sample):
    for name, entry in manual().items():
        assert (entry.default, entry.text) == (sample[name].default, sample[name].text), name


def test_every_option_is_explained(sample):
    for entry in sample.values():
        assert len(entry.text) > 10 and entry.text.endswith("."), entry.name


def test_own_options_say_so(sample):
    for name in OWN:
        assert "miniftpd's own" in sample[name].text


def test_shipped_file_is_safe(sample):
    for name, value in SAFE.items():
        assert sample[name].value == value


def test_lines_fit_a_screen():
    assert all(len(line) <= 100 for line in output("--print-sample").splitlines())


def test_manual_says_what_a_file_of_a_user_can_set(tmp_path, sample):
    """-t agrees: it names the options that have no effect there, and no others."""
    users = tmp_path / "users"
    users.mkdir()
    lines = [f"{name}={entry.default}\n" for name, entry in sample.items()]
    (users / "alice").write_text("".join(lines))
    path = tmp_path / "miniftpd.conf"
    path.write_text(f"local_enable=YES\nuser_config_dir={users}\n")
    result = subprocess.run([PROGRAM, "-t", path], capture_output=True, text=True, timeout=10)
    assert (result.returncode, result.stderr) == (0, "")
    idle = set(re.findall(r"/alice:\d+: (\w+) has no effect in the file of one user", result.stdout))
    assert idle == {name for name, entry in manual().items() if not entry.per_user}


def bounds():
    return [(name, *map(int, entry.range.split(" to ")))
            for name, entry in manual().items() if entry.range]


def test_ranges_are_kept(tmp_path):
    """Both ends of every range are taken, and what lies beyond is an error with its line."""
    path = tmp_path / "miniftpd.conf"
    rows = bounds()
    assert len(rows) > 10
    for name, low, high in rows:
        for value, good in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
            path.write_text(f"{name}={value}\n")
            result = subprocess.run([PROGRAM, "-t", path], capture_output=True, text=True,
                                    timeout=10)
            errors = [line for line in result.stderr.splitlines() if f"{path}:1: {name} " in line]
            assert len(errors) == (0 if good else 1), (name, value, result.stderr)


def test_defaults_lie_in_their_ranges(sample):
    for name, low, high in bounds():
        assert low <= int(sample[name].default, 0) <= high
