/*
 * tlscert.c - what there is to say about certificates
 *
 * Process: miniftpd-tls as root (files), R (the client's certificate).
 * Trusts:  the names of the files. Nothing in a certificate.
 * Touches: files of certificates and keys, reading.
 */
#include "tlscert.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "str.h"

#define DAYS_TO_WARN 14
#define SEC_PER_DAY  (24 * 60 * 60)
#define RSA_BITS_MIN 2048
#define NAMES_SHOWN  10
#define NAME_BYTES   150
#define TEXT_MAX     2000

/* A distinguished name as RFC 2253 writes it. */
static void append_name(struct str *out, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long len;

    if (bio != NULL &&
        X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >=
            0 &&
        (len = BIO_get_mem_data(bio, &text)) > 0) {
        str_append_escaped(out, text, (size_t)len, NAME_BYTES);
    } else {
        str_append(out, "a nameless one");
    }
    BIO_free(bio);
}

static void append_date(struct str *out, const ASN1_TIME *when)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(when, &tm) == 1) {
        str_append_format(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    } else {
        str_append(out, "an unreadable date");
    }
}

static void append_host_names(struct str *out, const X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int shown = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && shown < NAMES_SHOWN; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS) {
            str_append(out, shown++ == 0 ? ", names " : " ");
            str_append_escaped(out, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                               (size_t)ASN1_STRING_length(name->d.dNSName), NAME_BYTES);
        }
    }
    GENERAL_NAMES_free(names);
}

/* Say what was put together, if it is not empty. */
static void say(const struct tlscert_report *report, enum tlscert_severity severity,
                struct str *text)
{
    if (text->len > 0) {
        report->say(report->context, severity, str_text(text));
    }
    str_free(text);
}

static void describe_identity(const char *option, const X509 *cert,
                              const struct tlscert_report *report)
{
    struct str text = STR_INIT(TEXT_MAX);

    str_append_format(&text, "%s: ", option);
    append_name(&text, X509_get_subject_name(cert));
    str_append(&text, ", valid until ");
    append_date(&text, X509_get0_notAfter(cert));
    append_host_names(&text, cert);
    say(report, TLSCERT_INFO, &text);
}

static void check_dates(const char *option, const char *file, const X509 *cert,
                        const struct tlscert_report *report)
{
    struct str text = STR_INIT(TEXT_MAX);
    const ASN1_TIME *end = X509_get0_notAfter(cert);
    time_t soon = time(NULL) + DAYS_TO_WARN * SEC_PER_DAY;
    int days = 0, seconds = 0;

    if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0) {
        str_append_format(&text, "%s=%s: the certificate is not valid before ", option, file);
        append_date(&text, X509_get0_notBefore(cert));
    } else if (X509_cmp_current_time(end) < 0) {
        str_append_format(&text, "%s=%s: the certificate expired on ", option, file);
        append_date(&text, end);
    } else if (X509_cmp_time(end, &soon) < 0 && ASN1_TIME_diff(&days, &seconds, NULL, end) == 1) {
        str_append_format(&text, "%s=%s: the certificate expires in %d day%s", option, file, days,
                          days == 1 ? "" : "s");
    }
    say(report, TLSCERT_WARNING, &text);
}

static void check_strength(const char *option, const char *file, X509 *cert,
                           const struct tlscert_report *report)
{
    struct str text = STR_INIT(TEXT_MAX);
    EVP_PKEY *key = X509_get0_pubkey(cert);

    if (key != NULL && EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_bits(key) < RSA_BITS_MIN) {
        str_append_format(&text, "%s=%s: an RSA key of %d bits is too short: make one of %d",
                          option, file, EVP_PKEY_bits(key), RSA_BITS_MIN);
    }
    say(report, TLSCERT_WARNING, &text);
}

static X509 *find_issuer(const STACK_OF(X509) * chain, const X509 *cert)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *one = sk_X509_value(chain, i);

        if (X509_NAME_cmp(X509_get_subject_name(one), X509_get_issuer_name(cert)) == 0) {
            return one;
        }
    }
    return NULL;
}

/* Whether the last one of the file is issued by a root cannot be told: only a lone one is suspicious. */
static void check_chain(const char *option, const char *file, const STACK_OF(X509) * chain,
                        const struct tlscert_report *report)
{
    struct str text = STR_INIT(TEXT_MAX);
    const X509 *cert = sk_X509_value(chain, 0);

    if (X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) != 0 &&
        find_issuer(chain, cert) == NULL) {
        str_append_format(&text, "%s=%s: the certificate of its issuer, ", option, file);
        append_name(&text, X509_get_issuer_name(cert));
        str_append(&text, ", is not in the file: unless that is a root, clients will refuse it; "
                          "append the certificates between it and the root");
    }
    say(report, TLSCERT_WARNING, &text);
}

static void check_key_file(const char *option, const char *file, bool with_cert,
                           const struct tlscert_report *report)
{
    struct str text = STR_INIT(TEXT_MAX);
    struct stat st;

    if (stat(file, &st) == 0 && (st.st_mode & (S_IRGRP | S_IROTH)) != 0) {
        str_append_format(&text,
                          "%s=%s: %s (mode %04o): root alone needs to read it, so 0600 will do",
                          option, file,
                          (st.st_mode & S_IROTH) == 0 ? "the group can read the private key"
                          : with_cert ? "everybody can read the private key, which is in the "
                                        "same file as the certificate"
                                      : "everybody can read the private key",
                          st.st_mode & 07777U);
    }
    say(report, TLSCERT_WARNING, &text);
}

/* All certificates of a file. */
static STACK_OF(X509) * read_chain(const char *file)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    BIO *bio = BIO_new_file(file, "r");
    X509 *cert;

    while (chain != NULL && bio != NULL &&
           (cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
        if (sk_X509_push(chain, cert) == 0) {
            X509_free(cert);
            break;
        }
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the file is one */
    return chain;
}

void tlscert_describe(const char *cert_option, const char *cert_file, const char *key_option,
                      const char *key_file, const struct tlscert_report *report)
{
    STACK_OF(X509) *chain = read_chain(cert_file);
    X509 *cert = sk_X509_value(chain, 0);

    if (cert != NULL) {
        describe_identity(cert_option, cert, report);
        check_dates(cert_option, cert_file, cert, report);
        check_strength(cert_option, cert_file, cert, report);
        check_chain(cert_option, cert_file, chain, report);
    }
    check_key_file(key_option, key_file, strcmp(cert_file, key_file) == 0, report);
    sk_X509_pop_free(chain, X509_free);
}

void tlscert_append_peer(struct str *out, const SSL *ssl)
{
    const X509 *cert = SSL_get0_peer_certificate(ssl);

    if (cert == NULL) {
        str_append(out, "no client certificate");
        return;
    }
    str_append(out, "client certificate ");
    append_name(out, X509_get_subject_name(cert));
}
