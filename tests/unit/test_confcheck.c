/*
 * test_confcheck.c - contradictions among options, as "miniftpd -t" tells them
 *
 * Process: a test program.
 * Trusts:  the parser of settings.
 * Touches: memory of its own only.
 */
#include <stdlib.h>
#include <string.h>

#include "confcheck.h"
#include "parseconf.h"
#include "str.h"
#include "tunable.h"
#include "unit.h"

/* Settings on top of the defaults, separated by blanks, and the options that are warned about. */
struct finding_row {
    const char *name;
    const char *settings;
    const char *options; /* in the order of the warnings; "" for none */
    const char *words;   /* in the warnings */
};

/* What nothing is wrong with; the rows below add to it. */
#define BASE  "anonymous_enable=NO local_enable=YES write_enable=YES local_umask=022 "
#define ANON  "anonymous_enable=YES write_enable=YES anon_upload_enable=YES "
#define GUEST BASE "guest_enable=YES "
#define TLS   BASE "ssl_enable=YES rsa_cert_file=/c "

/* clang-format off */
static const struct finding_row rows[] = {
    { "nothing_is_wrong", BASE, "", "" },
    { "anonymous_logins_by_default", "", "anonymous_enable", "anybody can log in" },
    { "anonymous_logins_on_purpose", "anonymous_enable=YES", "", "" },

    { "guests_without_rights", GUEST, "guest_enable", "virtual_use_local_privs=YES" },
    { "guests_with_local_rights", GUEST "virtual_use_local_privs=YES", "", "" },
    { "guests_with_anonymous_rights", GUEST "anon_upload_enable=YES", "", "" },
    { "guests_that_only_read", GUEST "write_enable=NO", "", "" },
    { "guests_with_both_rights", GUEST "virtual_use_local_privs=YES anon_upload_enable=YES",
      "virtual_use_local_privs", "meaningless" },
    { "guests_without_logins", "anonymous_enable=YES guest_enable=YES", "guest_enable", "local_enable=YES" },
    { "guests_from_a_file", BASE "virtual_users_file=/u virtual_use_local_privs=YES", "", "" },
    { "guests_from_a_file_without_rights", BASE "virtual_users_file=/u", "virtual_users_file", "virtual_use_local_privs=YES" },
    { "local_rights_without_guests", BASE "virtual_use_local_privs=YES", "virtual_use_local_privs", "guest_enable=YES" },

    { "user_list_that_closes_nothing", BASE "userlist_deny=NO", "userlist_deny", "userlist_enable=YES" },
    { "user_list_that_allows", BASE "userlist_deny=NO userlist_enable=YES", "", "" },
    { "user_list_that_is_not_read", BASE "userlist_file=/x", "userlist_file", "userlist_enable=YES" },
    { "chroot_list_that_is_not_read", BASE "chroot_list_file=/x", "chroot_list_file", "chroot_list_enable=YES" },
    { "chroot_from_passwd_without_chroot", BASE "passwd_chroot_enable=YES", "passwd_chroot_enable", "chroot_local_user=YES" },
    { "chroot_from_passwd", BASE "passwd_chroot_enable=YES chroot_local_user=YES", "", "" },
    { "local_root_without_logins", "anonymous_enable=YES local_root=/x", "local_root", "local_enable=NO" },
    { "local_root_without_token", BASE "local_root=/srv/$USER", "local_root", "user_sub_token" },
    { "local_root_with_token", BASE "local_root=/srv/$USER user_sub_token=$USER", "", "" },
    { "token_that_stands_nowhere", BASE "local_root=/srv user_sub_token=$USER", "user_sub_token", "no effect" },
    { "token_for_guests", GUEST "write_enable=NO user_sub_token=$USER", "", "" },
    { "own_user_with_local_logins", BASE "run_as_launching_user=YES", "run_as_launching_user", "local_enable=NO" },
#ifndef WITH_PAM
    { "pam_in_a_build_without", BASE "pam_service_name=vsftpd", "pam_service_name", "/etc/ftpusers" },
    { "pam_sessions_in_a_build_without", BASE "session_support=YES", "session_support", "PAM" },
#endif

    { "anonymous_uploads_without_writing", "anonymous_enable=YES anon_upload_enable=YES", "anon_upload_enable", "write_enable=YES" },
    { "anonymous_mkdir_without_writing", "anonymous_enable=YES anon_mkdir_write_enable=YES", "anon_mkdir_write_enable", "write_enable=YES" },
    { "anonymous_others_without_writing", "anonymous_enable=YES anon_other_write_enable=YES", "anon_other_write_enable", "write_enable=YES" },
    { "anonymous_rights_for_nobody", BASE "anon_upload_enable=YES", "anon_upload_enable", "no effect" },
    { "anonymous_drop_box", ANON, "", "" },
    { "anonymous_files_for_all", ANON "anon_umask=022", "anon_upload_enable", "trade" },
    { "anonymous_files_for_all_by_reading", ANON "anon_world_readable_only=NO", "anon_upload_enable", "trade" },
    { "anonymous_files_without_downloads", ANON "anon_umask=022 download_enable=NO", "", "" },
    { "anonymous_files_of_another", ANON "anon_umask=022 chown_uploads=YES", "", "" },
    { "anonymous_files_of_another_for_all", ANON "chown_uploads=YES chown_upload_mode=0644", "anon_upload_enable", "trade" },
    { "anonymous_files_that_others_delete", ANON "anon_other_write_enable=YES", "anon_other_write_enable", "delete" },
    { "uploads_of_nobody_change_owner", BASE "chown_uploads=YES", "chown_uploads", "no effect" },
    { "files_that_all_may_write", BASE "local_umask=0", "local_umask", "022" },
    { "files_that_their_owner_cannot_write", BASE "file_open_mode=0444", "file_open_mode", "0666" },
    { "uploads_without_locks", BASE "lock_upload_files=NO", "lock_upload_files", "YES" },

    { "no_data_connections_at_all", BASE "pasv_enable=NO port_enable=NO", "pasv_enable", "port_enable=NO" },
    { "port_20_without_active_mode", BASE "port_enable=NO connect_from_port_20=YES", "connect_from_port_20", "port_enable=NO" },
    { "port_that_is_not_used", BASE "ftp_data_port=2020", "ftp_data_port", "connect_from_port_20=NO" },
    { "port_promiscuous", BASE "port_promiscuous=YES", "port_promiscuous", "bounce" },
    { "port_promiscuous_without_active_mode", BASE "port_promiscuous=YES port_enable=NO", "port_promiscuous", "no effect" },
    { "pasv_promiscuous", BASE "pasv_promiscuous=YES", "pasv_promiscuous", "first" },
    { "pasv_promiscuous_without_passive_mode", BASE "pasv_promiscuous=YES pasv_enable=NO", "pasv_promiscuous", "no effect" },
    { "pasv_address_without_passive_mode", BASE "pasv_enable=NO pasv_address=192.0.2.1", "pasv_address", "no effect" },
    { "pasv_name_that_is_missing", BASE "pasv_addr_resolve=YES", "pasv_addr_resolve", "pasv_address" },
    { "range_without_passive_mode", BASE "pasv_enable=NO pasv_max_port=6000", "pasv_max_port", "pasv_enable=NO" },
    { "range_smaller_than_max_clients", BASE "pasv_min_port=50000 pasv_max_port=50009 max_clients=11", "pasv_max_port",
      "are 10 ports for max_clients=11 sessions" },
    { "range_of_max_clients", BASE "pasv_min_port=50000 pasv_max_port=50009 max_clients=10", "", "" },
    { "range_at_the_upper_end", BASE "pasv_min_port=65530", "pasv_max_port", "are 6 ports for max_clients=2000" },
    { "range_at_the_lower_end", BASE "pasv_min_port=1 pasv_max_port=1033 max_clients=11", "pasv_max_port", "are 10 ports" },
    { "range_that_nobody_listens_for", BASE "listen=NO pasv_min_port=50000 pasv_max_port=50009", "", "" },
    { "range_for_any_number_of_clients", BASE "pasv_min_port=50000 pasv_max_port=50009 max_clients=0", "max_clients", "max_clients=10" },
    { "no_range_for_any_number_of_clients", BASE "max_clients=0", "", "" },
    { "chunks_that_are_too_small", BASE "trans_chunk_size=100", "trans_chunk_size", "4096" },
    { "rate_of_nobody", BASE "anon_max_rate=1000", "anon_max_rate", "no effect" },

    { "log_in_one_format", BASE "xferlog_enable=YES vsftpd_log_file=/l", "", "" },
    { "log_in_the_other_format", BASE "xferlog_enable=YES xferlog_std_format=YES xferlog_file=/l", "", "" },
    { "log_in_both_formats", BASE "dual_log_enable=YES vsftpd_log_file=/l xferlog_file=/x", "", "" },
    { "log_of_both_formats_in_one_file", BASE "dual_log_enable=YES vsftpd_log_file=/l xferlog_file=/l", "dual_log_enable", "mixes" },
    { "log_format_without_log", BASE "xferlog_std_format=YES", "xferlog_std_format", "xferlog_enable=YES" },
    { "log_file_without_log", BASE "vsftpd_log_file=/l", "vsftpd_log_file", "xferlog_enable=YES" },
    { "log_file_of_the_other_format", BASE "xferlog_enable=YES xferlog_std_format=YES vsftpd_log_file=/l", "vsftpd_log_file", "dual_log_enable=YES" },
    { "log_file_beside_syslog", BASE "xferlog_enable=YES syslog_enable=YES vsftpd_log_file=/l", "vsftpd_log_file", "syslog" },
    { "xferlog_without_its_format", BASE "xferlog_enable=YES xferlog_file=/x", "xferlog_file", "xferlog_std_format=YES" },
    { "protocol_without_log", BASE "log_ftp_protocol=YES", "log_ftp_protocol", "xferlog_enable=YES" },
    { "protocol_in_a_log_of_transfers", BASE "log_ftp_protocol=YES xferlog_enable=YES xferlog_std_format=YES", "log_ftp_protocol", "dual_log_enable=YES" },
    { "protocol_to_syslog", BASE "log_ftp_protocol=YES syslog_enable=YES", "", "" },

    { "certificates_that_wait_for_tls", BASE "ssl_enable=NO rsa_cert_file=/c rsa_private_key_file=/k", "", "" },
    { "encryption_that_is_off", BASE "force_local_logins_ssl=YES force_local_data_ssl=YES require_ssl_reuse=YES require_cert=YES",
      "force_local_logins_ssl force_local_data_ssl require_ssl_reuse require_cert", "ssl_enable=YES" },
    { "encryption_that_is_off_for_anonymous", BASE "allow_anon_ssl=YES force_anon_logins_ssl=YES force_anon_data_ssl=YES validate_cert=YES",
      "force_anon_logins_ssl force_anon_data_ssl allow_anon_ssl validate_cert", "nothing is encrypted" },
    { "encryption_that_is_not_wanted", BASE "force_local_logins_ssl=NO require_ssl_reuse=NO allow_anon_ssl=NO", "", "" },
    { "encryption", TLS, "", "" },
    { "encryption_of_data_for_who_has_none", TLS "force_local_logins_ssl=NO", "force_local_data_ssl", "transfer" },
    { "encryption_by_choice", TLS "force_local_logins_ssl=NO force_local_data_ssl=NO", "", "" },
    { "encryption_from_the_start", BASE "implicit_ssl=YES rsa_cert_file=/c listen_port=990", "", "" },
    { "encryption_from_the_start_on_port_21", BASE "implicit_ssl=YES rsa_cert_file=/c", "implicit_ssl", "listen_port=990" },
    { "encryption_from_the_start_for_inetd", BASE "implicit_ssl=YES rsa_cert_file=/c listen=NO", "", "" },
    { "encryption_by_auth_on_port_990", TLS "listen_port=990", "listen_port", "implicit_ssl=YES" },
    { "encryption_of_data_that_implicit_does_not_force", BASE "implicit_ssl=YES rsa_cert_file=/c listen_port=990 "
      "force_local_data_ssl=YES force_anon_data_ssl=YES", "force_local_data_ssl force_anon_data_ssl", "ssl_enable=YES" },
    { "encryption_for_nobody", "anonymous_enable=YES ssl_enable=YES", "ssl_enable", "allow_anon_ssl=YES" },
    { "encryption_for_anonymous", "anonymous_enable=YES ssl_enable=YES allow_anon_ssl=YES", "", "" },
    { "encryption_that_anonymous_must_use", "anonymous_enable=YES ssl_enable=YES force_anon_logins_ssl=YES", "", "" },
    { "data_connections_of_others", TLS "require_ssl_reuse=NO", "require_ssl_reuse", "quicker" },
    { "key_without_certificate", BASE "ssl_enable=YES rsa_private_key_file=/k", "rsa_private_key_file", "rsa_cert_file" },
    { "clients_certificates", TLS "require_cert=YES validate_cert=YES ca_certs_file=/a", "", "" },
    { "clients_certificates_by_nobody", TLS "validate_cert=YES", "validate_cert", "ca_certs_file" },
    { "clients_certificates_that_are_not_asked_for", TLS "validate_cert=YES ca_certs_file=/a ssl_request_cert=NO",
      "validate_cert", "ssl_request_cert=YES" },
    { "clients_certificates_of_any_kind", TLS "require_cert=YES", "require_cert", "validate_cert=YES" },
    { "clients_certificates_that_are_not_checked", TLS "ca_certs_file=/a", "ca_certs_file", "validate_cert=YES" },
    { "tls_that_is_old", TLS "ssl_tlsv1_1=YES", "ssl_tlsv11", "RFC 8996" },
    { "ciphers_of_tls_that_is_off", TLS "ssl_tlsv12=NO ssl_ciphers=HIGH", "ssl_ciphers", "ssl_ciphersuites" },
    { "ciphers", TLS "ssl_ciphers=HIGH ssl_ciphersuites=TLS_AES_128_GCM_SHA256", "", "" },
    { "suites_of_tls_that_is_off", TLS "ssl_tlsv13=NO ssl_ciphersuites=TLS_AES_128_GCM_SHA256", "ssl_ciphersuites", "ssl_ciphers" },

    { "local_time", BASE "use_localtime=YES", "use_localtime", "UTC" },
    { "no_filters", BASE "seccomp_sandbox=NO", "seccomp_sandbox", "remove" },
    { "two_banners", BASE "banner_file=/b ftpd_banner=hi", "banner_file", "ftpd_banner" },
    { "messages_for_nobody", BASE "message_file=.m", "message_file", "dirmessage_enable=YES" },
    { "one_address_takes_all", BASE "max_clients=10 max_per_ip=11", "max_per_ip", "max_clients" },

    { "commands_for_reading", BASE "cmds_allowed=QUIT,PWD,TYPE,PASV,RETR,LIST", "", "" },
    { "commands_without_quit", BASE "cmds_allowed=PWD,TYPE,PASV,RETR", "cmds_allowed", "QUIT" },
    { "commands_without_pwd", BASE "cmds_allowed=QUIT,TYPE,PASV,RETR", "cmds_allowed", "PWD" },
    { "commands_without_type", BASE "cmds_allowed=QUIT,PWD,PASV,RETR,STOR,ALLO", "cmds_allowed", "TYPE" },
    { "commands_without_allo", BASE "cmds_allowed=QUIT,PWD,TYPE,PASV,STOR", "cmds_allowed", "lftp" },
    { "commands_without_channels", BASE "cmds_allowed=QUIT,PWD,LIST", "cmds_allowed", "EPSV" },
    { "commands_without_transfers", BASE "cmds_allowed=QUIT,PWD,SIZE", "", "" },
    { "commands_without_rnto", BASE "cmds_denied=RNTO", "cmds_denied", "renamed" },
    { "commands_that_do_not_exist", BASE "cmds_denied=SITE,FOO,DELE", "cmds_denied", "'FOO'" },
    { "commands_in_small_letters", BASE "cmds_denied=site", "cmds_denied", "capitals" },
    { "commands_denied_that_are_needed", BASE "cmds_denied=QUIT", "cmds_denied", "QUIT" },
    { "commands_allowed_and_denied", BASE "cmds_allowed=QUIT,PWD,SIZE cmds_denied=QUIT", "cmds_allowed", "QUIT" },
    { "commands_with_empty_places", BASE "cmds_denied=,SITE,,DELE,", "", "" },
};
/* clang-format on */

static void apply(const struct parseconf *to, const char *settings)
{
    char *copy = strdup(settings);
    char *rest = copy;
    char *setting;

    while ((setting = strsep(&rest, " ")) != NULL) {
        assert_true(*setting == '\0' || parseconf_read_setting(to, setting, "here"));
    }
    free(copy);
}

/* The options of the warnings, each once, with blanks between; "here: " in front is dropped. */
static void options_of(const struct str *warnings, struct str *out)
{
    const char *line = str_text(warnings);

    while (*line != '\0') {
        const char *name = strncmp(line, "here: ", 6) == 0 ? line + 6 : line;
        size_t len = strcspn(name, ":");

        str_append(out, out->len > 0 ? " " : "");
        str_append_mem(out, name, len);
        line += strcspn(line, "\n") + 1;
    }
}

static void check_finding(void **state)
{
    const struct finding_row *row = *state;
    struct str errors = STR_INIT(4000), options = STR_INIT(4000);
    struct parseconf_report *report = parseconf_report_new();
    struct tunables t;
    const struct parseconf to = {.t = &t, .errors = &errors, .report = report};
    const struct confcheck check = {.tun = &t, .report = report, .warnings = &report->warnings};

    tunable_init(&t);
    apply(&to, row->settings);
    str_clear(&report->warnings);
    confcheck_options(&check);
    options_of(&report->warnings, &options);
    assert_string_equal(str_text(&options), row->options);
    assert_non_null(strstr(str_text(&report->warnings), row->words));
    tunable_free(&t);
    parseconf_report_free(report);
    str_free(&errors);
    str_free(&options);
}

static void a_warning_names_the_place_if_there_is_one(void **state)
{
    struct parseconf_report *report = parseconf_report_new();
    struct str errors = STR_INIT(4000);
    struct tunables t;
    const struct parseconf to = {.t = &t, .errors = &errors, .report = report};
    struct confcheck check = {.tun = &t, .report = report, .warnings = &report->warnings};

    (void)state;
    tunable_init(&t);
    apply(&to, "max_clients=5");
    confcheck_warn(&check, "max_clients", "is %d", 5);
    confcheck_warn(&check, "max_per_ip", "is %d", 50);
    assert_string_equal(str_text(&report->warnings),
                        "here: max_clients: is 5\nmax_per_ip: is 50\n");
    str_clear(&report->warnings);
    check.only_set = true;
    confcheck_warn(&check, "max_clients", "is %d", 5);
    confcheck_warn(&check, "max_per_ip", "is %d", 50);
    assert_string_equal(str_text(&report->warnings), "here: max_clients: is 5\n");
    tunable_free(&t);
    parseconf_report_free(report);
    str_free(&errors);
}

int main(void)
{
    UNIT_ADD_TABLE(check_finding, rows);
    UNIT_ADD(a_warning_names_the_place_if_there_is_one);
    return unit_run("confcheck");
}
