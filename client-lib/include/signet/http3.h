/* signet/http3.h: the control streams of one HTTP/3 connection, for any HTTP/3 stack: bytes in,
 * bytes out. Stacks know no frames and settings of others, so this one stands between the stack and
 * QUIC: it adds our settings to the stack's SETTINGS, puts our frames between the stack's, and sees
 * what the peer sends without keeping it from the stack.
 *
 *   signet_http3_new_client, _new_server  when the TLS handshake is complete
 *   signet_http3_write        what the stack has for its control stream, instead of sending it
 *   signet_http3_output       until empty: send this on the control stream, then
 *   signet_http3_sent         for what QUIC took of it
 *   signet_http3_acknowledged when QUIC says so; tells what that is in the stack's own count
 *   signet_http3_receive      what the peer sends, on every stream, beside giving it to the stack
 *   signet_http3_stream_closed
 *
 * QUIC may take the output in any pieces, or none for as long as flow control has it so; then the
 * frames wait in the session, where the limit of unanswered requests counts them. With nghttp3, use
 * signet/nghttp3.h instead of this.
 *
 * Conventions: see connection.h. What HTTP/3 itself forbids (no SETTINGS, a control stream twice or
 * closed, frames that make no sense) is the stack's to refuse: where the peer's bytes can't be read
 * any more, this stops looking at that stream.
 * Sources: RFC 9114 sections 6.2.1, 7.1 and 7.2.4, the draft's sections 3.1.2 and 4.1.2. */
#ifndef SIGNET_HTTP3_H_
#define SIGNET_HTTP3_H_

#include <signet/client.h>
#include <signet/server.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct signet_http3 signet_http3;

/* The session or requester is borrowed; it was made with SIGNET_HTTP3 and must outlive this. NULL,
 * for a connection that carries no authenticators: everything passes unchanged. */
SIGNET_API signet_status signet_http3_new_client(signet_session* session, signet_http3** out);
SIGNET_API signet_status signet_http3_new_server(signet_requester* requester, signet_http3** out);
SIGNET_API void signet_http3_free(signet_http3* http3);

/* -- our control stream ---------------------------------------------------------------------- */

/* The next bytes of the stack for its control stream, from the stream's type on, cut anywhere;
 * copied. SIGNET_ERROR_ARGUMENT: they are no control stream that begins with SETTINGS. */
SIGNET_API signet_status signet_http3_write(signet_http3* http3, const uint8_t* data, size_t size);
/* The next bytes to send, or none. They stay where they are until they are acknowledged, so that
 * QUIC can send them again. */
SIGNET_API signet_bytes signet_http3_output(signet_http3* http3);
/* SIGNET_ERROR_ARGUMENT: `count` is more than the output. */
SIGNET_API signet_status signet_http3_sent(signet_http3* http3, size_t count);
/* QUIC has so many more bytes of the stream acknowledged, in order. Writes how many of the stack's
 * own bytes that is: `of_stack` bytes of what signet_http3_write was given. For a QUIC stack that
 * copies what it sends, call it with the same count right after signet_http3_sent.
 * SIGNET_ERROR_ARGUMENT: `count` is more than was sent. */
SIGNET_API signet_status signet_http3_acknowledged(signet_http3* http3, uint64_t count,
                                                   uint64_t* of_stack);

/* -- the peer's streams ---------------------------------------------------------------------- */

/* Bytes that the peer sent on the QUIC stream `stream`, in order, each once, of any kind of stream:
 * one of our frames on a request stream is an error, too. Give them to the stack first; if it
 * refuses them, not here. `now_ms` is the clock of signet_session_advance; a server may pass 0.
 * SIGNET_ERROR_CONNECTION: the peer broke a rule; close with signet_http3_error(). */
SIGNET_API signet_status signet_http3_receive(signet_http3* http3, uint64_t stream,
                                              const uint8_t* data, size_t size, uint64_t now_ms);
/* Nothing more comes on this stream. */
SIGNET_API void signet_http3_stream_closed(signet_http3* http3, uint64_t stream);
/* 1 when the peer's SETTINGS are there. Requests may overtake them: before, a server does not know
 * whether the client takes part. */
SIGNET_API int signet_http3_peer_settings_received(const signet_http3* http3);

/* With which error the connection must be closed: what signet_session_error or
 * signet_requester_error says, or a rule that this found broken. SIGNET_ERROR_STATE: none. */
SIGNET_API signet_status signet_http3_error(const signet_http3* http3,
                                            signet_connection_error* out);

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_HTTP3_H_ */
