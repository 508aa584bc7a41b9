"""doc/migrating-from-vsftpd.md: every option of vsftpd and what becomes of it here."""

import re
from pathlib import Path

import pytest

from checking import errors_of, explained, run

PAGE = Path(__file__).resolve().parents[2] / "doc/migrating-from-vsftpd.md"
MARK = "<!-- From here on: what miniftpd --print-migration prints."

# What vsftpd 3.0.5 and the patches of Debian, Fedora and Asuswrt parse.
NAMES = """
    accept_timeout allow_anon_ssl allow_writeable_chroot anon_max_rate anon_mkdir_write_enable
    anon_other_write_enable anon_root anon_umask anon_upload_enable anon_world_readable_only
    anonymous_enable ascii_download_enable ascii_upload_enable async_abor_enable background
    banned_email_file banner_file better_stou bind_retries ca_certs_file check_shell
    chmod_enable chown_upload_mode chown_uploads chown_username chroot_list_enable
    chroot_list_file chroot_local_user cmds_allowed cmds_denied connect_from_port_20
    connect_timeout data_connection_timeout debug_ssl delay_failed_login
    delay_successful_login delete_failed_uploads deny_email_enable deny_file dh_param_file
    dirlist_enable dirmessage_enable download_enable download_file dsa_cert_file
    dsa_private_key_file dual_log_enable ecdh_param_file email_password_file enable_iconv
    file_open_mode force_anon_data_ssl force_anon_logins_ssl force_dot_files
    force_local_data_ssl force_local_logins_ssl ftp_data_port ftp_enable ftp_username
    ftpd_banner guest_enable guest_username hide_file hide_ids http_enable
    idle_session_timeout implicit_ssl isolate isolate_network listen listen_address
    listen_address6 listen_ipv6 listen_port local_charset local_enable local_max_rate
    local_root local_umask lock_upload_files log_die log_ftp_protocol ls_recurse_enable
    max_clients max_login_fails max_per_ip mdtm_write message_file no_anon_password
    no_log_lock nopriv_user one_process_model pam_service_name passwd_chroot_enable
    pasv_addr_resolve pasv_address pasv_enable pasv_max_port pasv_min_port pasv_promiscuous
    port_enable port_promiscuous ptrace_sandbox remote_charset require_cert require_ssl_reuse
    reverse_lookup_enable rsa_cert_file rsa_private_key_file run_as_launching_user
    seccomp_sandbox secure_chroot_dir secure_email_list_enable session_support
    setproctitle_enable ssl_ciphers ssl_enable ssl_request_cert ssl_sni_hostname ssl_sslv2
    ssl_sslv3 ssl_tlsv1 ssl_tlsv11 ssl_tlsv12 ssl_tlsv13 ssl_tlsv1_1 ssl_tlsv1_2 ssl_tlsv1_3
    strict_ssl_read_eof strict_ssl_write_shutdown syslog_enable tcp_wrappers text_userdb_names
    tilde_user_enable trans_chunk_size upload_file use_localtime use_sendfile user_config_dir
    user_sub_token userlist_deny userlist_enable userlist_file userlist_log utf8_filesystem
    validate_cert virtual_use_local_privs vsftpd_log_file wc_logs_enable write_enable
    xferlog_enable xferlog_file xferlog_std_format
""".split()

STATUS = {"as in vsftpd", "as in vsftpd, with PAM", "always so", "no effect", "another name",
          "miniftpd's own"}

# Those that have no effect for good; the rest of vsftpd's options work.
OBSOLETE = """
    banned_email_file deny_email_enable dh_param_file ecdh_param_file email_password_file
    enable_iconv ftp_enable http_enable local_charset no_log_lock one_process_model ptrace_sandbox
    remote_charset secure_email_list_enable ssl_sslv2 ssl_sslv3 ssl_tlsv1 tcp_wrappers
    tilde_user_enable convert_charset_enable double_377
""".split()


@pytest.fixture(scope="module")
def rows():
    """{option: (status, default, remarks)} as the program prints them."""
    found = {}
    for line in run("--print-migration").stdout.splitlines():
        if not line.startswith("| `"):
            continue
        cells = [cell.strip() for cell in line.replace("\\|", "\0").strip("|").split("|")]
        assert len(cells) == 4, line
        name = cells[0].strip("`")
        assert name not in found
        found[name] = tuple(cells[1:])
    return found


def test_page_is_the_printed_one():
    head, mark, tables = PAGE.read_text().partition(MARK)
    assert mark and tables.partition("\n")[2] == run("--print-migration").stdout
    assert "## How to change over" in head


def test_every_option_of_vsftpd_has_a_row(rows):
    assert len(NAMES) == len(set(NAMES)) == 153
    assert not set(NAMES) - set(rows)


def test_every_status_is_explained(rows):
    assert {status for status, _, _ in rows.values()} <= STATUS
    head = PAGE.read_text().partition(MARK)[0]
    for word in ("as in vsftpd", "always so", "no effect", "miniftpd's own"):
        assert f"*{word}*" in head


def test_what_has_no_effect_is_obsolete(rows):
    assert {name for name, row in rows.items() if row[0] == "no effect"} == set(OBSOLETE)


def test_what_has_no_value_says_why(rows):
    for name, (status, _, remarks) in rows.items():
        if status in ("always so", "no effect"):
            assert len(remarks) > 10, name


def test_every_option_of_vsftpd_is_accepted(conf):
    """Nothing of it is unknown: the values are wrong for most, and that is what is told."""
    path = conf("".join(f"{name}=\x01\n" for name in NAMES))
    assert not [line for line in errors_of(path) if "unknown" in line]


def test_names_without_effect_are_told(conf, rows):
    names = [name for name, row in rows.items() if row[0] in ("always so", "no effect")]
    path = conf("anonymous_enable=NO\nlocal_enable=YES\n" +
                "".join(f"{name}=YES\n" for name in names))
    told = explained(path)
    lines = told.accepted + told.warnings
    for number, name in enumerate(names, 3):
        assert [line for line in lines if re.match(rf"{path}:{number}: {name} ", line)], name
