/*
 * fence.c - paths that must not lead out of a directory
 *
 * Process: S, with run_as_launching_user.
 * Trusts:  the name of the directory.
 * Touches: a descriptor of the directory, good for finding paths only.
 */
#include "fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sysutil.h"

#define SECRET_RANGE 1000000000

void fence_init(struct fence *fence)
{
    fence->dir_fd = -1;
    str_init(&fence->dir, FTP_LINE_MAX);
}

bool fence_set(struct fence *fence, const char *dir)
{
    str_append(&fence->dir, strcmp(dir, "/") == 0 ? "" : dir);
    if (!str_ok(&fence->dir)) {
        errno = ENAMETOOLONG;
        return false;
    }
    fence->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fence->dir_fd != -1;
}

void fence_free(struct fence *fence)
{
    sysutil_close(&fence->dir_fd);
    str_free(&fence->dir);
}

/* A kernel before 5.6 does not follow a path for us: then none with ".." is good. */
static bool has_no_way_up(const char *path)
{
    while (*path != '\0') {
        size_t len = strcspn(path, "/");

        if (len == 2 && path[0] == '.' && path[1] == '.') {
            return false;
        }
        path += len;
        path += strspn(path, "/");
    }
    return true;
}

/* Errors of a way that stays inside and ends; what happens to the path then tells the client why. */
static bool is_way_inside(int error)
{
    return error == ENOENT || error == EACCES || error == ENOTDIR || error == ENAMETOOLONG;
}

bool fence_contains(const struct fence *fence, const char *path)
{
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    size_t len = fence->dir.len;
    int fd;

    if (fence->dir_fd == -1) {
        return true;
    }
    if (strncmp(path, str_text(&fence->dir), len) != 0 || (path[len] != '\0' && path[len] != '/')) {
        return false;
    }
    path += len;
    path += strspn(path, "/");
    fd = (int)syscall(SYS_openat2, fence->dir_fd, *path != '\0' ? path : ".", &how, sizeof(how));
    if (fd == -1) {
        return errno == ENOSYS ? has_no_way_up(path) : is_way_inside(errno);
    }
    sysutil_close(&fd);
    return true;
}

void fence_append_nowhere(const char *path, struct str *out)
{
    str_append_format(out, "/.outside-%u-%u", sysutil_random(SECRET_RANGE),
                      sysutil_random(SECRET_RANGE));
    str_append(out, path[0] == '/' ? "" : "/");
    str_append(out, path);
}
