/*
 * tlssession.h - R: the TLS of one session
 */
#ifndef MINIFTPD_TLSSESSION_H
#define MINIFTPD_TLSSESSION_H

#include <openssl/types.h>
#include <stdbool.h>

#include "common.h"

/* Serve one session until its control channel is closed. kernel_tls: the kernel can do TLS. relay_fd: from START. */
void tlssession_run(SSL_CTX *ctx, bool require_reuse, bool kernel_tls, int relay_fd);

#endif
