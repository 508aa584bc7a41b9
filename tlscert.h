/*
 * tlscert.h - what there is to say about certificates
 */
#ifndef MINIFTPD_TLSCERT_H
#define MINIFTPD_TLSCERT_H

#include <openssl/types.h>
#include <stdbool.h>

#include "common.h"

struct str;

enum tlscert_severity { TLSCERT_INFO, TLSCERT_WARNING, TLSCERT_ERROR };

/* Who hears about certificates and settings: one call for each problem or fact. */
struct tlscert_report {
    void (*say)(void *context, enum tlscert_severity severity, const char *text);
    void *context;
};

/*
 * Report what is in a certificate file (PEM) that was loaded before: whose it is and until when, whether it
 * is valid now, whether its issuers are with it, how strong its key is, and who can read key_file.
 */
void tlscert_describe(const char *cert_option, const char *cert_file, const char *key_option,
                      const char *key_file, const struct tlscert_report *report);

/* Append "no client certificate" or "client certificate CN=...", fit for a line of a log. */
void tlscert_append_peer(struct str *out, const SSL *ssl);

#endif
