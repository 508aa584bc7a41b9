/*
 * utmprec.c - logins in utmp and wtmp
 *
 * Process: A, while it keeps a PAM session open.
 * Trusts:  its arguments.
 * Touches: /var/run/utmp and /var/log/wtmp.
 */
#include "utmprec.h"

#include <string.h>
#include <sys/time.h>
#include <utmp.h>
#include <utmpx.h>

#include "str.h"

/* Into a field that need not end with a NUL; what does not fit is cut. */
static void fill(char *field, size_t size, const char *text)
{
    size_t len = strlen(text);

    memcpy(field, text, len < size ? len : size);
}

static void write_record(short type, pid_t pid, const char *user, const char *host)
{
    struct utmpx record;
    struct timeval now;
    struct str line = STR_INIT(64);

    memset(&record, 0, sizeof(record));
    str_append_format(&line, "ftp:%d", (int)pid);
    record.ut_type = type;
    record.ut_pid = pid;
    fill(record.ut_line, sizeof(record.ut_line), str_text(&line));
    fill(record.ut_id, sizeof(record.ut_id), str_text(&line) + (line.len > 4 ? line.len - 4 : 0));
    fill(record.ut_user, sizeof(record.ut_user), user);
    fill(record.ut_host, sizeof(record.ut_host), host);
    if (gettimeofday(&now, NULL) == 0) {
        record.ut_tv.tv_sec = (int32_t)now.tv_sec;
        record.ut_tv.tv_usec = (int32_t)now.tv_usec;
    }
    setutxent();
    (void)pututxline(&record); /* a machine without these files has none to keep right */
    endutxent();
    updwtmpx(_PATH_WTMP, &record);
    str_free(&line);
}

void utmprec_login(pid_t pid, const char *user, const char *host)
{
    write_record(USER_PROCESS, pid, user, host);
}

void utmprec_logout(pid_t pid)
{
    write_record(DEAD_PROCESS, pid, "", "");
}
