/* signet/nghttp3.h: the adapter for nghttp3 0.8: carries the frames and settings of a
 * signet_session (client) or signet_requester (server) on one HTTP/3 connection. Header-only:
 * libsignet itself does not know nghttp3; link libnghttp3.
 *
 *   signet_nghttp3_init_client, _init_server   when nghttp3_conn_bind_control_stream is called,
 *                                              after the TLS handshake
 *   signet_nghttp3_writev_stream, _add_write_offset, _add_ack_offset, _block_stream,
 *   _unblock_stream, _read_stream, _close_stream
 *                                              instead of the functions of nghttp3 of these names
 *   signet_nghttp3_free                        after nghttp3_conn_del
 *
 * They do the same and return the same as nghttp3's own, and our control stream has our settings
 * and our frames on it besides; its data stays in place until it is acknowledged, as nghttp3's
 * does. When the peer breaks a rule of the draft signet_nghttp3_read_stream returns
 * NGHTTP3_ERR_CALLBACK_FAILURE, and signet_nghttp3_error the error to close with: look there before
 * asking nghttp3_err_infer_quic_app_error_code.
 *
 * Conventions: see connection.h. Static inline functions only, no globals.
 * Sources: RFC 9114 section 6.2.1, the draft's sections 3.1.2 and 4.1.2. */
#ifndef SIGNET_NGHTTP3_H_
#define SIGNET_NGHTTP3_H_

#include <nghttp3/nghttp3.h>
#include <signet/http3.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One for each connection; its members are the adapter's own. */
typedef struct signet_nghttp3 {
  signet_http3* http3;
  int64_t control_stream; /* ours */
  int blocked;            /* it is, by flow control */
} signet_nghttp3;

/* The session or requester must outlive the adapter; NULL for a connection that carries no
 * authenticators. `control_stream` is what nghttp3_conn_bind_control_stream is given. */
static inline signet_status signet_nghttp3_init_client(signet_nghttp3* adapter,
                                                       signet_session* session,
                                                       int64_t control_stream);
static inline signet_status signet_nghttp3_init_server(signet_nghttp3* adapter,
                                                       signet_requester* requester,
                                                       int64_t control_stream);
static inline void signet_nghttp3_free(signet_nghttp3* adapter);

static inline nghttp3_ssize signet_nghttp3_writev_stream(signet_nghttp3* adapter,
                                                         nghttp3_conn* conn, int64_t* stream,
                                                         int* fin, nghttp3_vec* vec, size_t count);
static inline int signet_nghttp3_add_write_offset(signet_nghttp3* adapter, nghttp3_conn* conn,
                                                  int64_t stream, size_t count);
static inline int signet_nghttp3_add_ack_offset(signet_nghttp3* adapter, nghttp3_conn* conn,
                                                int64_t stream, uint64_t count);
static inline void signet_nghttp3_block_stream(signet_nghttp3* adapter, nghttp3_conn* conn,
                                               int64_t stream);
static inline int signet_nghttp3_unblock_stream(signet_nghttp3* adapter, nghttp3_conn* conn,
                                                int64_t stream);
/* `now_ms` is the clock of signet_session_advance; a server may pass 0. */
static inline nghttp3_ssize signet_nghttp3_read_stream(signet_nghttp3* adapter, nghttp3_conn* conn,
                                                       int64_t stream, const uint8_t* data,
                                                       size_t size, int fin, uint64_t now_ms);
static inline int signet_nghttp3_close_stream(signet_nghttp3* adapter, nghttp3_conn* conn,
                                              int64_t stream, uint64_t error_code);
/* SIGNET_ERROR_STATE: none. */
static inline signet_status signet_nghttp3_error(const signet_nghttp3* adapter,
                                                 signet_connection_error* out);

/* -- implementation -------------------------------------------------------------------------- */

static inline signet_status signet_nghttp3_init_client(signet_nghttp3* adapter,
                                                       signet_session* session,
                                                       int64_t control_stream) {
  memset(adapter, 0, sizeof *adapter);
  adapter->control_stream = control_stream;
  return signet_http3_new_client(session, &adapter->http3);
}

static inline signet_status signet_nghttp3_init_server(signet_nghttp3* adapter,
                                                       signet_requester* requester,
                                                       int64_t control_stream) {
  memset(adapter, 0, sizeof *adapter);
  adapter->control_stream = control_stream;
  return signet_http3_new_server(requester, &adapter->http3);
}

static inline void signet_nghttp3_free(signet_nghttp3* adapter) {
  signet_http3_free(adapter->http3);
  adapter->http3 = NULL;
}

/* Takes what nghttp3 has for the control stream, so that nghttp3 takes it for sent. */
static inline int signet_nghttp3_take(signet_nghttp3* adapter, nghttp3_conn* conn,
                                      const nghttp3_vec* vec, size_t count) {
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) {
    if (signet_http3_write(adapter->http3, vec[i].base, vec[i].len) != SIGNET_OK) {
      return NGHTTP3_ERR_CALLBACK_FAILURE;
    }
    size += vec[i].len;
  }
  return nghttp3_conn_add_write_offset(conn, adapter->control_stream, size);
}

static inline nghttp3_ssize signet_nghttp3_writev_stream(signet_nghttp3* adapter,
                                                         nghttp3_conn* conn, int64_t* stream,
                                                         int* fin, nghttp3_vec* vec, size_t count) {
  for (;;) {
    signet_bytes ours = {NULL, 0};
    if (!adapter->blocked && count > 0) ours = signet_http3_output(adapter->http3);
    if (ours.size > 0) {
      *stream = adapter->control_stream;
      *fin = 0;
      vec[0].base = (uint8_t*)ours.data;
      vec[0].len = ours.size;
      return 1;
    }
    nghttp3_ssize result = nghttp3_conn_writev_stream(conn, stream, fin, vec, count);
    if (result <= 0 || *stream != adapter->control_stream) return result;
    int taken = signet_nghttp3_take(adapter, conn, vec, (size_t)result);
    if (taken != 0) return taken;
  }
}

static inline int signet_nghttp3_add_write_offset(signet_nghttp3* adapter, nghttp3_conn* conn,
                                                  int64_t stream, size_t count) {
  if (stream != adapter->control_stream) return nghttp3_conn_add_write_offset(conn, stream, count);
  return signet_http3_sent(adapter->http3, count) == SIGNET_OK ? 0 : NGHTTP3_ERR_INVALID_ARGUMENT;
}

static inline int signet_nghttp3_add_ack_offset(signet_nghttp3* adapter, nghttp3_conn* conn,
                                                int64_t stream, uint64_t count) {
  if (stream == adapter->control_stream &&
      signet_http3_acknowledged(adapter->http3, count, &count) != SIGNET_OK) {
    return NGHTTP3_ERR_INVALID_ARGUMENT;
  }
  return nghttp3_conn_add_ack_offset(conn, stream, count);
}

/* nghttp3 itself is never blocked on the control stream: what it has waits in the adapter. */
static inline void signet_nghttp3_block_stream(signet_nghttp3* adapter, nghttp3_conn* conn,
                                               int64_t stream) {
  if (stream == adapter->control_stream) {
    adapter->blocked = 1;
  } else {
    nghttp3_conn_block_stream(conn, stream);
  }
}

static inline int signet_nghttp3_unblock_stream(signet_nghttp3* adapter, nghttp3_conn* conn,
                                                int64_t stream) {
  if (stream != adapter->control_stream) return nghttp3_conn_unblock_stream(conn, stream);
  adapter->blocked = 0;
  return 0;
}

static inline nghttp3_ssize signet_nghttp3_read_stream(signet_nghttp3* adapter, nghttp3_conn* conn,
                                                       int64_t stream, const uint8_t* data,
                                                       size_t size, int fin, uint64_t now_ms) {
  nghttp3_ssize consumed = nghttp3_conn_read_stream(conn, stream, data, size, fin);
  if (consumed < 0) return consumed;
  if (signet_http3_receive(adapter->http3, (uint64_t)stream, data, size, now_ms) != SIGNET_OK) {
    return NGHTTP3_ERR_CALLBACK_FAILURE;
  }
  return consumed;
}

static inline int signet_nghttp3_close_stream(signet_nghttp3* adapter, nghttp3_conn* conn,
                                              int64_t stream, uint64_t error_code) {
  signet_http3_stream_closed(adapter->http3, (uint64_t)stream);
  return nghttp3_conn_close_stream(conn, stream, error_code);
}

static inline signet_status signet_nghttp3_error(const signet_nghttp3* adapter,
                                                 signet_connection_error* out) {
  return signet_http3_error(adapter->http3, out);
}

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_NGHTTP3_H_ */
