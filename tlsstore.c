/*
 * tlsstore.c - R: the TLS sessions that data channels may resume
 *
 * A ticket is nothing but the id of a session in here (with TLS 1.2 it is the session id), so there are no
 * keys for tickets, and nothing in one has to be believed.
 *
 * Process: R, the callbacks of OpenSSL.
 * Trusts:  nobody. An id is a number of some bytes from the client.
 * Touches: nothing else.
 */
#include "tlsstore.h"

#include <stddef.h>
#include <string.h>

#include <openssl/ssl.h>

static struct tlsstore *store_of(SSL *ssl)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

static struct tlsstore_entry *oldest(struct tlsstore *store)
{
    struct tlsstore_entry *found = &store->entries[0];

    for (size_t i = 1; i < TLSSTORE_MAX; i++) {
        if (store->entries[i].used < found->used) {
            found = &store->entries[i];
        }
    }
    return found;
}

/* SSL_CTX_sess_set_new_cb(3): 1 if `session` is ours from now on. */
static int keep(SSL *ssl, SSL_SESSION *session)
{
    struct tlsstore *store = store_of(ssl);
    struct tlsstore_entry *entry;

    /* SECURITY: a refused data channel would leave a session with which the next one is accepted */
    if (ssl != store->control) {
        return 0;
    }
    entry = oldest(store);
    SSL_SESSION_free(entry->session);
    *entry = (struct tlsstore_entry){.session = session, .used = ++store->clock};
    return 1;
}

/*
 * SSL_CTX_sess_set_get_cb(3). It gets a copy: OpenSSL forbids the resumption of a session whose channel has
 * ended badly, and a transfer that fails must not cost the client the session.
 */
static SSL_SESSION *find(SSL *ssl, const unsigned char *id, int id_len, int *shared_out)
{
    struct tlsstore *store = store_of(ssl);

    *shared_out = 0;
    for (size_t i = 0; i < TLSSTORE_MAX; i++) {
        struct tlsstore_entry *entry = &store->entries[i];
        unsigned len = 0;
        const unsigned char *known =
            entry->session != NULL ? SSL_SESSION_get_id(entry->session, &len) : NULL;

        if (known != NULL && id_len > 0 && len == (unsigned)id_len && memcmp(known, id, len) == 0) {
            entry->used = entry->resumed ? ++store->clock : entry->used;
            entry->resumed = true;
            return SSL_SESSION_dup(entry->session);
        }
    }
    return NULL;
}

void tlsstore_begin(struct tlsstore *store, SSL_CTX *ctx, SSL *control)
{
    *store = (struct tlsstore){.control = control};
    SSL_CTX_set_app_data(ctx, store);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep);
    SSL_CTX_sess_set_get_cb(ctx, find);
}

void tlsstore_end(struct tlsstore *store)
{
    for (size_t i = 0; i < TLSSTORE_MAX; i++) {
        SSL_SESSION_free(store->entries[i].session);
        store->entries[i].session = NULL;
    }
}
