/*
 * passwdcmd.c - miniftpd --passwd FILE NAME
 *
 * Process: a command of the administrator, in miniftpd-auth; no daemon.
 * Trusts:  who calls it.
 * Touches: the terminal or standard input, the file.
 */
#include "passwdcmd.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "password.h"
#include "privsock.h"
#include "str.h"
#include "virtual.h"

#define PASSWORD_MAX    (LOGIN_PASSWORD_MAX_LEN - 1) /* libcrypt takes no more bytes */
#define PASSWORD_BUFFER (PASSWORD_MAX + 2)           /* a carriage return and NUL */

/* While the echo is off, these end the question and not the program: the terminal must get it back. */
static const int ending_signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

static int complain(const char *text)
{
    fprintf(stderr, MINIFTPD_NAME ": %s\n", text);
    return EXIT_STATUS_ERROR;
}

/* One line into `buffer`, without its ending. NULL, or what is wrong. */
static const char *read_line(FILE *in, char *buffer, size_t size)
{
    const char *fault = NULL;
    size_t len = 0;
    int c;

    while ((c = fgetc(in)) != EOF && c != '\n') {
        if (c == '\0') {
            fault = "the password holds a NUL byte";
        } else if (len == size - 1) {
            fault = "the password is too long";
        } else {
            buffer[len++] = (char)c;
        }
    }
    if (len > 0 && buffer[len - 1] == '\r') {
        len--; /* FTP clients cannot send it */
    }
    buffer[len] = '\0';
    if (ferror(in) != 0 || (len == 0 && c == EOF)) {
        return "no password was given";
    }
    if (fault == NULL && len > PASSWORD_MAX) {
        fault = "the password is too long";
    }
    return fault == NULL && len == 0 ? "an empty password lets nobody in" : fault;
}

static void on_ending_signal(int number)
{
    (void)number; /* that it ends the wait is all it is for */
}

/* What was before catch_signals(). */
struct signals {
    struct sigaction actions[ARRAY_LEN(ending_signals)];
    sigset_t mask;
};

/* From now on they come in only while wait_for_line() waits. Valid numbers: nothing can fail. */
static void catch_signals(struct signals *before)
{
    const struct sigaction action = {.sa_handler = on_ending_signal};
    sigset_t ending;

    sigemptyset(&ending);
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++) {
        sigaddset(&ending, ending_signals[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &ending, &before->mask);
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++) {
        (void)sigaction(ending_signals[i], &action, &before->actions[i]);
    }
}

static void release_signals(const struct signals *before)
{
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++) {
        (void)sigaction(ending_signals[i], &before->actions[i], NULL);
    }
    (void)sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* A terminal gives whole lines. False if a signal came. */
static bool wait_for_line(const struct signals *before)
{
    struct pollfd pfd = {.fd = STDIN_FILENO, .events = POLLIN};

    return ppoll(&pfd, 1, NULL, &before->mask) == 1;
}

/* Ask at the terminal, without showing what is typed. */
static const char *ask(const char *prompt, char *buffer, size_t size)
{
    static const char no_echo[] = "cannot switch the echo of the terminal off";
    struct signals before;
    struct termios shown, hidden;
    const char *fault = no_echo;

    if (tcgetattr(STDIN_FILENO, &shown) == -1) {
        return no_echo;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    catch_signals(&before);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0) {
        fputs(prompt, stderr);
        fault = wait_for_line(&before) ? read_line(stdin, buffer, size) : "no password was given";
        fputc('\n', stderr);
    }
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    release_signals(&before);
    return fault;
}

static const char *get_password(char *buffer, size_t size)
{
    char again[PASSWORD_BUFFER];
    const char *fault;

    if (isatty(STDIN_FILENO) == 0) {
        return read_line(stdin, buffer, size);
    }
    fault = ask("New password: ", buffer, size);
    if (fault == NULL) {
        fault = ask("Once more: ", again, sizeof(again));
    }
    if (fault == NULL && strcmp(buffer, again) != 0) {
        fault = "the two passwords differ; nothing was changed";
    }
    explicit_bzero(again, sizeof(again));
    return fault;
}

int passwdcmd_run(const char *file, const char *name)
{
    char password[PASSWORD_BUFFER];
    char hash[PASSWORD_HASH_MAX + 1];
    struct str error = STR_INIT(8192);
    const char *fault;
    bool added = false;
    int status = EXIT_STATUS_OK;

    if (file[0] == '\0') {
        return complain("the name of the file is empty");
    }
    if (!virtual_is_name(name, strlen(name))) {
        return complain(
            "the name is empty, too long, or has a blank, a slash, a colon or a control "
            "character, or begins with - or #");
    }
    if (privsock_is_anonymous(name)) {
        return complain("ftp and anonymous are names of anonymous users, who have no password");
    }
    fault = get_password(password, sizeof(password));
    if (fault == NULL && !password_hash(password, hash)) {
        fault = "libcrypt cannot make yescrypt hashes";
    }
    explicit_bzero(password, sizeof(password));
    if (fault != NULL) {
        return complain(fault);
    }
    if (!virtual_set_hash(file, name, hash, &added, &error)) {
        status = complain(str_text(&error));
    } else {
        printf("%s: %s of %s\n", file, added ? "a new line, with the password" : "the password",
               name);
    }
    str_free(&error);
    return status;
}
