/*
 * optdoc.c - what the program prints about its options
 *
 * Process: miniftpd --print-sample and the like.
 * Trusts:  the table of options.
 * Touches: the stream that it is given.
 */
#include "optdoc.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "str.h"
#include "tunable.h"

#define VALUE_MAX      4096
#define SAMPLE_COLUMNS 100
#define MANUAL_COLUMNS 78

/*
 * Where a line of `text` ends that is to have at most `room` columns: behind its last word that fits.
 */
static size_t line_length(const char *text, size_t room)
{
    size_t len = strlen(text);

    if (len > room) {
        for (len = room; len > 0 && text[len] != ' '; len--) {
        }
    }
    return len;
}

/* ---- the sample ---- */

/* A paragraph of a comment. */
static void print_comment(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t len = line_length(text, SAMPLE_COLUMNS - 2);

        fprintf(out, "# %.*s\n", (int)len, text);
        text += len;
        text += *text == ' ';
    }
}

static void print_sample_row(FILE *out, const struct tunable_row *row, const char *value)
{
    fputc('\n', out);
    print_comment(out, row->text);
    if (row->shipped != NULL) {
        fprintf(out, "# Default: %s\n%s=%s\n", value, row->name, row->shipped);
    } else {
        fprintf(out, "#%s=%s\n", row->name, value);
    }
}

void optdoc_print_sample(FILE *out)
{
    struct tunables defaults;
    struct str value = STR_INIT(VALUE_MAX);

    tunable_init(&defaults);
    fprintf(
        out,
        "# miniftpd.conf - configuration of the FTP daemon miniftpd\n"
        "#\n"
        "# One name=value a line. A line that begins with # is a comment; the commented options\n"
        "# below show the defaults. The names and meanings are those of vsftpd.conf.\n"
        "# Check a change with 'miniftpd -t FILE', then apply it with SIGHUP.\n");
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (row->heading != NULL) {
            fprintf(out, "\n##\n## %s\n##\n", row->heading);
        } else if (tunable_has_value(row)) {
            str_clear(&value);
            tunable_append_value(&defaults, row, &value);
            print_sample_row(out, row, str_text(&value));
        }
    }
    str_free(&value);
    tunable_free(&defaults);
}

/* ---- the manual ---- */

/* What means something else to man(7), or is shown as another character. */
static const struct {
    char plain;
    const char *written;
} roff_characters[] = {
    {'\\', "\\e"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'~', "\\(ti"}, {'^', "\\(ha"}, {'`', "\\(ga"},
};

static void append_roff(struct str *out, const char *text)
{
    for (; *text != '\0'; text++) {
        size_t i = 0;

        while (i < ARRAY_LEN(roff_characters) && roff_characters[i].plain != *text) {
            i++;
        }
        if (i < ARRAY_LEN(roff_characters)) {
            str_append(out, roff_characters[i].written);
        } else {
            str_append_char(out, *text);
        }
    }
}

/* A paragraph of text; `end` stands behind it. */
static void print_roff(FILE *out, const char *text, const char *end)
{
    struct str written = STR_INIT(8 * VALUE_MAX);
    const char *at;

    append_roff(&written, text);
    str_append(&written, end);
    for (at = str_text(&written); *at != '\0'; at += *at == ' ') {
        size_t len = line_length(at, MANUAL_COLUMNS);

        /* a dot in front would be a request */
        fprintf(out, "%s%.*s\n", *at == '.' ? "\\&" : "", (int)len, at);
        at += len;
    }
    str_free(&written);
}

static void print_manual_row(FILE *out, const struct tunable_row *row, const char *value)
{
    fprintf(out, ".TP\n.B %s\n", row->name);
    print_roff(out, row->text, "");
    if (value[0] != '\0') {
        fputs("Default: ", out);
        print_roff(out, value, ".");
    } else {
        fputs("Default: not set.\n", out);
    }
    if (row->type == TUNABLE_UINT || row->type == TUNABLE_SIZE) {
        fprintf(out, "Range: %" PRIu64 " to %" PRIu64 ".\n", row->min, row->max);
    }
    if (row->scope == SCOPE_START) {
        fputs("A change needs a restart.\n", out);
    } else if (row->scope == SCOPE_USER) {
        fputs("May differ from user to user.\n", out);
    }
}

/* Names that are only accepted: all of a type, each with its reason. */
static void print_manual_accepted(FILE *out, const char *heading, enum tunable_type type)
{
    fprintf(out, ".SS %s\n", heading);
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (row->heading != NULL || row->type != type) {
            continue;
        }
        fprintf(out, ".TP\n.B %s\n", row->name);
        if (type == TUNABLE_ALIAS) {
            fprintf(out, "is %s.\n", row->target);
        } else {
            print_roff(out, row->text, ".");
        }
    }
}

void optdoc_print_manual(FILE *out)
{
    struct tunables defaults;
    struct str value = STR_INIT(VALUE_MAX);

    tunable_init(&defaults);
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (row->heading != NULL) {
            fprintf(out, ".SS %s\n", row->heading);
        } else if (tunable_has_value(row)) {
            str_clear(&value);
            tunable_append_value(&defaults, row, &value);
            print_manual_row(out, row, str_text(&value));
        }
    }
    fputs(".SH NAMES WITHOUT A VALUE\n"
          "These options of\n.I vsftpd.conf\nare accepted, whatever is set.\n",
          out);
    print_manual_accepted(out, "Always so", TUNABLE_FIXED);
    print_manual_accepted(out, "Without effect", TUNABLE_OBSOLETE);
    print_manual_accepted(out, "Without effect, and told to the log when YES", TUNABLE_UNMET);
    print_manual_accepted(out, "Other names", TUNABLE_ALIAS);
    str_free(&value);
    tunable_free(&defaults);
}

/* ---- the way from vsftpd ---- */

/* What somebody who knows an option from vsftpd has to know about it here. */
/* clang-format off */
static const struct {
    const char *option;
    const char *text;
} remarks[] = {
    { "listen", "Debian's vsftpd: `NO`. vsftpd's manual says `NO`, its program `YES`." },
    { "max_clients", "vsftpd's manual says 0, its program 2000." },
    { "max_per_ip", "vsftpd's manual says 0, its program 50." },
    { "background", "Fedora's vsftpd: `YES`. The systemd unit here needs `NO`." },
    { "anonymous_enable", "Say what you want: `-t` warns when it is `YES` only by default." },
    { "userlist_file", "Fedora's vsftpd: `/etc/vsftpd/user_list`." },
    { "check_shell", "Not in a build with PAM, as in vsftpd, where it has no effect on most systems: give FTP-only accounts a shell from `/etc/shells`, or set `NO`." },
    { "pam_service_name", "Debian's vsftpd: `vsftpd`. Without PAM, what its file in `/etc/pam.d` asks for does not happen: `/etc/ftpusers` is a `userlist_file` then." },
    { "chroot_local_user", "A home directory that its user can write is no obstacle." },
    { "chroot_list_file", "Fedora's vsftpd: `/etc/vsftpd/chroot_list`." },
    { "user_config_dir", "A fault in a file is told to the log, not to the client. `-t` reads all of them." },
    { "guest_enable", "Not needed for virtual users: those of `virtual_users_file` live beside the accounts of the machine." },
    { "deny_file", "Matched against the whole path: there is no way around it by changing the directory first." },
    { "upload_file", "Debian's." },
    { "download_file", "Debian's." },
    { "better_stou", "Fedora's." },
    { "reverse_lookup_enable", "Fedora's." },
    { "log_die", "Fedora's." },
    { "text_userdb_names", "Works for users in a chroot, too." },
    { "use_localtime", "MLSD and MFMT stay in UTC." },
    { "pasv_min_port", "vsftpd's manual says 0, its program 5001. Every port of the range is tried, where vsftpd gives up after nine." },
    { "pasv_addr_resolve", "Looked up again every minute; vsftpd looks once." },
    { "data_connection_timeout", "Ends the transfer with 426; vsftpd ends the session with 421." },
    { "ascii_download_enable", "SIZE tells the converted size then, and REST is refused in TYPE A." },
    { "secure_chroot_dir", "Debian's vsftpd: `/var/run/vsftpd/empty`. It is made at the start, where vsftpd refuses to start." },
    { "seccomp_sandbox", "Debian's and Fedora's vsftpd: `NO`. Remove a `NO` that was there because of vsftpd's faults." },
    { "run_as_launching_user", "Users are kept inside their directory all the same, by Landlock." },
    { "ssl_enable", "TLS runs in processes of its own, which alone hold the private key." },
    { "implicit_ssl", "Encrypts without `ssl_enable=YES`, too, where vsftpd would serve in the clear. Data connections begin with PROT P." },
    { "rsa_cert_file", "Read again at SIGHUP, where vsftpd wants a restart." },
    { "dsa_cert_file", "The certificate may be ECDSA, beside one for RSA." },
    { "require_ssl_reuse", "Only sessions of the same control connection count, and a refusal does not end the session." },
    { "strict_ssl_read_eof", "vsftpd's manual says `NO`, its program `YES`." },
    { "ssl_tlsv11", "YES lowers the security level of OpenSSL for the whole listener." },
    { "ssl_ciphers", "vsftpd's own default has one cipher, and none for ECDSA." },
    { "ssl_ciphersuites", "Fedora's." },
};
/* clang-format on */

static const char *remark_on(const struct tunable_row *row)
{
    for (size_t i = 0; i < ARRAY_LEN(remarks); i++) {
        if (strcmp(remarks[i].option, row->name) == 0) {
            return remarks[i].text;
        }
    }
    return "";
}

static bool holds(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* What a row means to who comes from vsftpd. */
static const char *status_of(const struct tunable_row *row)
{
    switch (row->type) {
    case TUNABLE_FIXED:
        return "always so";
    case TUNABLE_OBSOLETE:
    case TUNABLE_UNMET:
        return "no effect";
    case TUNABLE_ALIAS:
        return "another name";
    case TUNABLE_BOOL:
    case TUNABLE_UINT:
    case TUNABLE_OCTAL:
    case TUNABLE_SIZE:
    case TUNABLE_TEXT:
        break;
    }
    if (holds(row->text, "An option of miniftpd's own.")) {
        return "miniftpd's own";
    }
    if (holds(row->text, "WITH_PAM=1")) {
        return "as in vsftpd, with PAM";
    }
    return "as in vsftpd";
}

/* `|` would end a cell of the table. */
static void print_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        fputs(*text == '|' ? "\\" : "", out);
        fputc(*text, out);
    }
}

static void print_migration_row(FILE *out, const struct tunable_row *row, const char *value)
{
    fprintf(out, "| `%s` | %s | ", row->name, status_of(row));
    if (tunable_has_value(row)) {
        fprintf(out, value[0] != '\0' ? "`%s` | " : "not set | ", value);
        print_cell(out, remark_on(row));
    } else if (row->type == TUNABLE_ALIAS) {
        fprintf(out, "| of `%s`", row->target);
    } else {
        fputs("| ", out);
        print_cell(out, row->text);
        fputs(row->type == TUNABLE_UNMET ? ". `YES` is told to the log" : "", out);
    }
    fputs(" |\n", out);
}

static void print_migration_head(FILE *out, const char *heading)
{
    fprintf(out, "\n## %s\n\n| option | here | default | remarks |\n| --- | --- | --- | --- |\n",
            heading);
}

void optdoc_print_migration(FILE *out)
{
    struct tunables defaults;
    struct str value = STR_INIT(VALUE_MAX);
    bool of_ftps = false;

    tunable_init(&defaults);
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (row->heading != NULL) {
            of_ftps = strcmp(row->heading, "FTPS") == 0;
            print_migration_head(out, row->heading);
            continue;
        }
        if (of_ftps && (row->type == TUNABLE_FIXED || row->type == TUNABLE_OBSOLETE)) {
            of_ftps = false; /* the names at the end of the table stand below no heading */
            print_migration_head(out, "Names without a value");
        }
        str_clear(&value);
        tunable_append_value(&defaults, row, &value);
        print_migration_row(out, row, str_text(&value));
    }
    str_free(&value);
    tunable_free(&defaults);
}
