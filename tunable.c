/*
 * tunable.c - the options of miniftpd.conf
 *
 * Process: L (reading); all others see the loaded values as constants.
 * Trusts:  the table. Values are text from the administrator and are checked.
 * Touches: struct tunables.
 */
#include "tunable.h"

#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "netaddr.h"
#include "str.h"
#include "sysutil.h"

#define TEXT_VALUE_MAX   4096
#define HOST_NAME_LEN    253  /* RFC 1035 2.3.4, as text */
#define LOWEST_PASV_PORT 1024 /* clients refuse lower ones */

#define SECTION_ROW(title) {.heading = (title)},
#define BOOL_ROW(option, value, ship, when, description)                                           \
    {.name = #option,                                                                              \
     .type = TUNABLE_BOOL,                                                                         \
     .scope = (when),                                                                              \
     .offset = offsetof(struct tunables, option),                                                  \
     .default_number = (value),                                                                    \
     .max = 1,                                                                                     \
     .shipped = (ship),                                                                            \
     .text = (description)},
#define NUMBER_ROW(option, kind, value, low, high, ship, when, description)                        \
    {.name = #option,                                                                              \
     .type = (kind),                                                                               \
     .scope = (when),                                                                              \
     .offset = offsetof(struct tunables, option),                                                  \
     .default_number = (value),                                                                    \
     .min = (low),                                                                                 \
     .max = (high),                                                                                \
     .shipped = (ship),                                                                            \
     .text = (description)},
#define UINT_ROW(option, ...)  NUMBER_ROW(option, TUNABLE_UINT, __VA_ARGS__)
#define OCTAL_ROW(option, ...) NUMBER_ROW(option, TUNABLE_OCTAL, __VA_ARGS__)
#define SIZE_ROW(option, ...)  NUMBER_ROW(option, TUNABLE_SIZE, __VA_ARGS__)
#define TEXT_ROW(option, value, ship, when, description)                                           \
    {.name = #option,                                                                              \
     .type = TUNABLE_TEXT,                                                                         \
     .scope = (when),                                                                              \
     .offset = offsetof(struct tunables, option),                                                  \
     .default_text = (value),                                                                      \
     .shipped = (ship),                                                                            \
     .text = (description)},

#define UNMET_ROW(option, why)                                                                     \
    {.name = #option,                                                                              \
     .type = TUNABLE_UNMET,                                                                        \
     .scope = SCOPE_USER,                                                                          \
     .offset = offsetof(struct tunables, option),                                                  \
     .text = (why)},
#define ACCEPTED_ROW(option, kind, reason, other)                                                  \
    {.name = #option, .type = (kind), .scope = SCOPE_USER, .text = (reason), .target = (other)},
#define FIXED_ROW(option, why)    ACCEPTED_ROW(option, TUNABLE_FIXED, why, NULL)
#define OBSOLETE_ROW(option, why) ACCEPTED_ROW(option, TUNABLE_OBSOLETE, why, NULL)
#define ALIAS_ROW(option, other)  ACCEPTED_ROW(option, TUNABLE_ALIAS, "", #other)

const struct tunable_row tunable_rows[] = {TUNABLE_LIST(SECTION_ROW, BOOL_ROW, UINT_ROW, OCTAL_ROW,
                                                        SIZE_ROW, TEXT_ROW, FIXED_ROW, OBSOLETE_ROW,
                                                        UNMET_ROW, ALIAS_ROW)};
const size_t tunable_row_count = ARRAY_LEN(tunable_rows);

bool tunable_has_value(const struct tunable_row *row)
{
    return row->heading == NULL && row->type <= TUNABLE_TEXT;
}

static bool *bool_of(struct tunables *t, const struct tunable_row *row)
{
    return (bool *)((char *)t + row->offset);
}

static unsigned *number_of(struct tunables *t, const struct tunable_row *row)
{
    return (unsigned *)(void *)((char *)t + row->offset);
}

static uint64_t *size_of(struct tunables *t, const struct tunable_row *row)
{
    return (uint64_t *)(void *)((char *)t + row->offset);
}

static char **text_of(struct tunables *t, const struct tunable_row *row)
{
    return (char **)(void *)((char *)t + row->offset);
}

bool tunable_is_unmet(const struct tunables *t, const struct tunable_row *row)
{
    struct tunables *values = (struct tunables *)(uintptr_t)t; /* only read */

    return row->heading == NULL && row->type == TUNABLE_UNMET && *bool_of(values, row);
}

static char *copy_text(const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    if (text != NULL && copy == NULL) {
        bug("no memory for the defaults"); /* at start, a few hundred bytes */
    }
    return copy;
}

void tunable_init(struct tunables *t)
{
    memset(t, 0, sizeof(*t));
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (row->heading != NULL) {
            continue;
        }
        switch (row->type) {
        case TUNABLE_BOOL:
            *bool_of(t, row) = row->default_number != 0;
            break;
        case TUNABLE_UINT:
        case TUNABLE_OCTAL:
            *number_of(t, row) = (unsigned)row->default_number;
            break;
        case TUNABLE_SIZE:
            *size_of(t, row) = row->default_number;
            break;
        case TUNABLE_TEXT:
            *text_of(t, row) = copy_text(row->default_text);
            break;
        case TUNABLE_FIXED:
        case TUNABLE_OBSOLETE:
        case TUNABLE_UNMET: /* NO, as all bytes are 0 */
        case TUNABLE_ALIAS:
            break;
        }
    }
}

void tunable_free(struct tunables *t)
{
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (row->heading == NULL && row->type == TUNABLE_TEXT) {
            free(*text_of(t, row));
            *text_of(t, row) = NULL;
        }
    }
}

bool tunable_copy(struct tunables *to, const struct tunables *from)
{
    bool complete = true;

    *to = *from;
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (row->heading == NULL && row->type == TUNABLE_TEXT) {
            char **text = text_of(to, row);

            if (*text != NULL) {
                *text = strdup(*text);
                complete = complete && *text != NULL;
            }
        }
    }
    if (!complete) {
        tunable_free(to);
    }
    return complete;
}

const struct tunable_row *tunable_find(const char *name)
{
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (row->heading == NULL && strcmp(row->name, name) == 0) {
            return row->type == TUNABLE_ALIAS ? tunable_find(row->target) : row;
        }
    }
    return NULL;
}

const char *tunable_nearest(const char *name)
{
    const char *best = NULL;
    size_t best_distance = strlen(name) / 3 + 1; /* a third of the letters wrong is still a typo */

    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];
        size_t distance = row->heading == NULL ? str_distance(name, row->name) : SIZE_MAX;

        if (distance <= best_distance && (best == NULL || distance < best_distance)) {
            best = row->name;
            best_distance = distance;
        }
    }
    return best;
}

static bool parse_bool(const char *value, bool *out)
{
    static const char *const words[2][3] = {{"NO", "FALSE", "0"}, {"YES", "TRUE", "1"}};

    for (size_t truth = 0; truth < 2; truth++) {
        for (size_t i = 0; i < ARRAY_LEN(words[0]); i++) {
            if (str_equal_nocase(value, words[truth][i])) {
                *out = truth == 1;
                return true;
            }
        }
    }
    return false;
}

static void append_number(struct str *out, const struct tunable_row *row, uint64_t number)
{
    if (row->type == TUNABLE_OCTAL) {
        str_append_octal(out, (unsigned)number, number > 0777 ? 4 : 3);
        return;
    }
    str_append_uint(out, number);
}

/* "10", "10K" (10240), and so on to T. False for anything else. */
static bool parse_size(const char *value, uint64_t min, uint64_t max, uint64_t *out)
{
    static const char units[] = "KMGT";
    size_t len = strlen(value);
    const char *unit = len > 0 ? strchr(units, value[len - 1] & ~0x20) : NULL;
    unsigned shift = 0;
    char digits[24];

    if (len == 0 || len >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, value, len + 1);
    if (unit != NULL && *unit != '\0') {
        shift = 10 * (unsigned)(unit - units + 1);
        digits[len - 1] = '\0';
    }
    if (!str_to_uint(digits, 0, max >> shift, out)) {
        return false;
    }
    *out <<= shift;
    return *out >= min;
}

/* A leading 0 makes a number octal where permissions are meant, and only there. */
static bool set_number(struct tunables *t, const struct tunable_row *row, const char *value,
                       struct str *error)
{
    bool octal = row->type == TUNABLE_OCTAL && value[0] == '0' && value[1] != '\0';
    uint64_t number;
    bool good = row->type == TUNABLE_SIZE ? parse_size(value, row->min, row->max, &number)
                : octal                   ? str_to_octal(value, row->min, row->max, &number)
                                          : str_to_uint(value, row->min, row->max, &number);

    if (good && row->type == TUNABLE_SIZE) {
        *size_of(t, row) = number;
    } else if (good) {
        *number_of(t, row) = (unsigned)number;
    } else {
        str_append(error, "wants a number from ");
        append_number(error, row, row->min);
        str_append(error, " to ");
        append_number(error, row, row->max);
        str_append(error, octal ? " (a leading 0 makes it octal)" : "");
    }
    return good;
}

static bool set_text(struct tunables *t, const struct tunable_row *row, const char *value,
                     struct str *error)
{
    char *copy = NULL;

    if (strlen(value) > TEXT_VALUE_MAX) {
        str_append(error, "is too long");
        return false;
    }
    if (*value != '\0' && (copy = strdup(value)) == NULL) {
        str_append(error, "does not fit into memory");
        return false;
    }
    free(*text_of(t, row));
    *text_of(t, row) = copy;
    return true;
}

bool tunable_set(struct tunables *t, const struct tunable_row *row, const char *value,
                 struct str *error)
{
    switch (row->type) {
    case TUNABLE_BOOL:
    case TUNABLE_UNMET:
        if (!parse_bool(value, bool_of(t, row))) {
            str_append(error, "wants YES or NO");
            return false;
        }
        t->listen_is_set = t->listen_is_set || bool_of(t, row) == &t->listen;
        return true;
    case TUNABLE_UINT:
    case TUNABLE_OCTAL:
    case TUNABLE_SIZE:
        return set_number(t, row, value, error);
    case TUNABLE_TEXT:
        return set_text(t, row, value, error);
    case TUNABLE_FIXED:
    case TUNABLE_OBSOLETE:
        return true;
    case TUNABLE_ALIAS:
        break; /* tunable_find() never gives one */
    }
    bug("unknown type of option");
}

bool tunable_wants_tls(const struct tunables *t)
{
    return t->ssl_enable || t->implicit_ssl;
}

/* One contradiction: a line of its own. */
static void complain(struct str *errors, const char *text)
{
    str_append(errors, text);
    str_append_char(errors, '\n');
}

static void check_address(const char *name, const char *value, sa_family_t family,
                          struct str *errors)
{
    struct netaddr addr;

    if (value != NULL && (!netaddr_parse(value, family, &addr) || addr.family != family)) {
        str_append_format(errors, "%s wants an IPv%d address in numbers, not '", name,
                          family == AF_INET ? 4 : 6);
        str_append_escaped(errors, value, strlen(value), 64);
        str_append(errors, "'\n");
    }
}

/* Letters, digits, '-', '_' and dots: RFC 1123 2.1, and the '_' that is seen in use. */
static bool is_host_name(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        char c = str_upper_char(text[i]);

        if (!(c >= 'A' && c <= 'Z') && !str_is_digit(c) && strchr("-_.", c) == NULL) {
            return false;
        }
    }
    return len <= HOST_NAME_LEN && text[0] != '.' && text[0] != '-';
}

static void check_pasv_address(const struct tunables *t, struct str *errors)
{
    const char *entry;
    size_t len;

    if (!t->pasv_addr_resolve) {
        check_address("pasv_address", t->pasv_address, AF_INET, errors);
    } else if (t->pasv_address != NULL && !is_host_name(t->pasv_address)) {
        str_append(errors, "pasv_address wants a host name or an IPv4 address, not '");
        str_append_escaped(errors, t->pasv_address, strlen(t->pasv_address), 64);
        str_append(errors, "'\n");
    }
    entry = t->pasv_address_map != NULL ? netaddr_map_fault(t->pasv_address_map, &len) : NULL;
    if (entry != NULL) {
        str_append(errors, "pasv_address_map wants entries like 192.168.0.0/16=own and "
                           "10.0.0.0/8=10.1.2.3 with commas between, not '");
        str_append_escaped(errors, entry, len, 64);
        str_append(errors, "'\n");
    }
}

static void check_path(const char *name, const char *value, struct str *errors)
{
    if (value != NULL && value[0] != '/') {
        str_append_format(errors, "%s wants a path that begins with /, not '", name);
        str_append_escaped(errors, value, strlen(value), 128);
        str_append(errors, "'\n");
    }
}

static void check_pattern(const char *name, const char *value, struct str *errors)
{
    if (value != NULL && !access_is_pattern(value)) {
        str_append_format(errors, "%s: the braces stand for more than %d patterns\n", name,
                          PATTERN_ALTERNATIVES_MAX);
    }
}

bool tunable_check(const struct tunables *t, struct str *errors)
{
    size_t before = errors->len;

    if (t->listen && t->listen_is_set && t->listen_ipv6) {
        complain(errors, "listen=YES and listen_ipv6=YES contradict each other: the IPv6 listener "
                         "takes IPv4 clients too, so set listen=NO");
    }
    if (tunable_wants_tls(t) && !t->ssl_tlsv11 && !t->ssl_tlsv12 && !t->ssl_tlsv13) {
        complain(errors, "ssl_tlsv12=NO and ssl_tlsv13=NO leave no version of TLS");
    }
    if (!t->anonymous_enable && !t->local_enable && t->virtual_users_file == NULL) {
        complain(errors, "anonymous_enable and local_enable are both NO: nobody could log in");
    }
    if (t->userlist_enable && t->userlist_file == NULL) {
        complain(errors, "userlist_file must name a file when userlist_enable=YES");
    }
    if (t->chroot_list_enable && t->chroot_list_file == NULL) {
        complain(errors, "chroot_list_file must name a file when chroot_list_enable=YES");
    }
    if (t->pasv_max_port != 0 && t->pasv_min_port > t->pasv_max_port) {
        complain(errors, "pasv_min_port is above pasv_max_port");
    }
    if (t->pasv_max_port != 0 && t->pasv_max_port < 1024) {
        complain(errors, "pasv_max_port is below 1024: clients refuse such ports");
    }
    check_pattern("deny_file", t->deny_file, errors);
    check_pattern("hide_file", t->hide_file, errors);
    check_pattern("upload_file", t->upload_file, errors);
    check_pattern("download_file", t->download_file, errors);
    if (t->nopriv_user == NULL) {
        complain(errors, "nopriv_user must name an account");
    }
    if (t->secure_chroot_dir == NULL) {
        complain(errors, "secure_chroot_dir must name a directory");
    }
    if (t->anonymous_enable && t->ftp_username == NULL) {
        complain(errors, "ftp_username must name an account when anonymous_enable=YES");
    }
    if (t->xferlog_enable && !t->syslog_enable && t->vsftpd_log_file == NULL) {
        complain(errors, "vsftpd_log_file must name a file when xferlog_enable=YES");
    }
    check_address("listen_address", t->listen_address, AF_INET, errors);
    check_address("listen_address6", t->listen_address6, AF_INET6, errors);
    check_pasv_address(t, errors);
    check_path("pid_file", t->pid_file, errors);
    check_path("virtual_users_file", t->virtual_users_file, errors);
    check_path("user_config_dir", t->user_config_dir, errors);
    check_path("anon_root", t->anon_root, errors);
    check_path("vsftpd_log_file", t->vsftpd_log_file, errors);
    check_path("secure_chroot_dir", t->secure_chroot_dir, errors);
    return errors->len == before && str_ok(errors);
}

bool tunable_pasv_range(const struct tunables *t, uint16_t *low_out, uint16_t *high_out)
{
    unsigned low = t->pasv_min_port < LOWEST_PASV_PORT ? LOWEST_PASV_PORT : t->pasv_min_port;
    unsigned high = t->pasv_max_port == 0 ? UINT16_MAX : t->pasv_max_port;

    *low_out = (uint16_t)low;
    *high_out = (uint16_t)high;
    return low <= high;
}

void tunable_append_value(const struct tunables *t, const struct tunable_row *row, struct str *out)
{
    struct tunables *values = (struct tunables *)(uintptr_t)t; /* only read below */
    const char *text;

    switch (row->type) {
    case TUNABLE_BOOL:
        str_append(out, *bool_of(values, row) ? "YES" : "NO");
        break;
    case TUNABLE_UINT:
    case TUNABLE_OCTAL:
        if (row->type == TUNABLE_OCTAL && *number_of(values, row) != 0) {
            str_append_char(out, '0');
        }
        append_number(out, row, *number_of(values, row));
        break;
    case TUNABLE_SIZE:
        append_number(out, row, *size_of(values, row));
        break;
    case TUNABLE_TEXT:
        text = *text_of(values, row);
        str_append(out, text != NULL ? text : "");
        break;
    case TUNABLE_FIXED:
    case TUNABLE_OBSOLETE:
    case TUNABLE_UNMET:
    case TUNABLE_ALIAS:
        break;
    }
}

void tunable_differences(const struct tunables *a, const struct tunables *b, struct str *changed,
                         struct str *need_restart)
{
    struct str value_a = STR_INIT(TEXT_VALUE_MAX);
    struct str value_b = STR_INIT(TEXT_VALUE_MAX);

    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];
        struct str *list;

        if (!tunable_has_value(row)) {
            continue;
        }
        str_clear(&value_a);
        str_clear(&value_b);
        tunable_append_value(a, row, &value_a);
        tunable_append_value(b, row, &value_b);
        if (strcmp(str_text(&value_a), str_text(&value_b)) == 0) {
            continue;
        }
        list = row->scope == SCOPE_START ? need_restart : changed;
        str_append(list, list->len > 0 ? ", " : "");
        str_append(list, row->name);
    }
    str_free(&value_a);
    str_free(&value_b);
}

void tunable_append_changes(const struct tunables *base, const struct tunables *mine,
                            struct str *out)
{
    struct str was = STR_INIT(TEXT_VALUE_MAX);
    struct str is = STR_INIT(TEXT_VALUE_MAX);

    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (!tunable_has_value(row) || row->scope != SCOPE_USER) {
            continue;
        }
        str_clear(&was);
        str_clear(&is);
        tunable_append_value(base, row, &was);
        tunable_append_value(mine, row, &is);
        if (strcmp(str_text(&was), str_text(&is)) != 0) {
            str_append_format(out, "%s=%s\n", row->name, str_text(&is));
        }
    }
    str_free(&was);
    str_free(&is);
}

/* name=value, each ended by `end`. */
static bool apply_all(struct tunables *t, const char *text, size_t len, char end)
{
    struct str line = STR_INIT(TEXT_VALUE_MAX + 128);
    struct str error = STR_INIT(256);
    const char *behind = text + len;
    bool good = true;

    while (good && text < behind) {
        const char *eol = memchr(text, end, (size_t)(behind - text));
        const struct tunable_row *row = NULL;
        char *equals = NULL;

        str_clear(&line);
        if (eol != NULL) {
            str_append_mem(&line, text, (size_t)(eol - text));
            text = eol + 1;
            equals = line.len > 0 ? strchr(line.buf, '=') : NULL;
        }
        if (equals != NULL) {
            *equals = '\0';
            row = tunable_find(line.buf);
        }
        good = row != NULL && tunable_has_value(row) && tunable_set(t, row, equals + 1, &error);
    }
    str_free(&line);
    str_free(&error);
    return good;
}

bool tunable_apply_changes(struct tunables *t, const char *lines, size_t len)
{
    return apply_all(t, lines, len, '\n');
}

void tunable_append_settings(const struct tunables *t, struct str *out)
{
    struct tunables defaults;
    struct str was = STR_INIT(TEXT_VALUE_MAX);
    struct str is = STR_INIT(TEXT_VALUE_MAX);

    tunable_init(&defaults);
    for (size_t i = 0; i < tunable_row_count; i++) {
        const struct tunable_row *row = &tunable_rows[i];

        if (!tunable_has_value(row)) {
            continue;
        }
        str_clear(&was);
        str_clear(&is);
        tunable_append_value(&defaults, row, &was);
        tunable_append_value(t, row, &is);
        if (strcmp(str_text(&was), str_text(&is)) != 0) {
            str_append_format(out, "%s=%s", row->name, str_text(&is));
            str_append_mem(out, "", 1); /* a NUL: values may have any other byte */
        }
    }
    tunable_free(&defaults);
    str_free(&was);
    str_free(&is);
}

bool tunable_apply_settings(struct tunables *t, const char *settings, size_t len)
{
    return apply_all(t, settings, len, '\0');
}
