/*
 * http_server_tls - the certificate of the REST listener, in files that may change while it runs:
 * each handshake takes what they hold then. The only file that sees GnuTLS, libmicrohttpd's TLS.
 *
 * One at a time in a process: GnuTLS' callback has no argument. Any thread.
 */
#ifndef HOOKSWITCH_IO_HTTP_SERVER_TLS_H
#define HOOKSWITCH_IO_HTTP_SERVER_TLS_H

#include <stddef.h>

/* TLS 1.2 and 1.3, forward secrecy and authenticated encryption alone. */
#define HTTP_SERVER_TLS_PRIORITIES                                                                 \
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"           \
	"-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD"

/*
 * Reads both files (PEM; the certificate's chain behind it). -EINVAL with one sentence in err when
 * they cannot be read or do not belong together. From then on a pair that is no good, as while the
 * files are being replaced, leaves the one before in use, with a line in the log.
 */
int http_server_tls_start(const char *cert_path, const char *key_path, char *err, size_t err_size);
void http_server_tls_stop(void);

/* The argument of MHD_OPTION_HTTPS_CERT_CALLBACK2: a gnutls_certificate_retrieve_function3. */
void *http_server_tls_callback(void);

#endif
