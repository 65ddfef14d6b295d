/* signet/client.h: the client side of secondary client certificates
 * (draft-rosomakho-httpbis-secondary-client-certs) and of secondary server certificates
 * (draft-ietf-httpbis-secondary-server-certs) on one HTTP/2 or HTTP/3 connection.
 *
 * How to use it, on the thread that runs the connection:
 *
 *   signet_session_new            when the TLS handshake is complete
 *   signet_session_settings       put these into our SETTINGS
 *   signet_session_peer_setting   for each setting of the server, then
 *   signet_session_peer_settings_done
 *   signet_session_receive_frame  for each frame whose type signet_session_wants_frame() names
 *   signet_session_next_frame     until SIGNET_ERROR_STATE: send these, in order
 *   signet_session_next_event     until SIGNET_ERROR_STATE: what happened, for logs and decisions
 *   signet_session_deadline       when to call signet_session_advance at the latest
 *   signet_session_is_authoritative  before a request for another origin goes on this connection
 *
 * and the agent beside it: poll signet_agent_fd() for signet_agent_events() and call
 * signet_agent_process(). Conventions: see connection.h. */
#ifndef SIGNET_CLIENT_H_
#define SIGNET_CLIENT_H_

#include <signet/connection.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct signet_session signet_session;

/* For `limit`: how many unanswered requests we let the server have (draft section 3.1). */
#define SIGNET_DEFAULT_LIMIT 4u
#define SIGNET_DEFAULT_DEADLINE_MS 30000u
/* What one connection can cost, whatever the server sends: so many SERVER_CERTIFICATE frames are
 * looked at, and later ones ignored (one SIGNET_EVENT_SERVER_UNWANTED says so); so many bytes of
 * leaf certificates are kept; so many origins of ORIGIN frames, and later ones ignored. A frame of
 * either type above 256 KiB ends the connection. */
#define SIGNET_MAX_SERVER_PROOFS 128u
#define SIGNET_MAX_SERVER_PROOF_BYTES (256u * 1024u)
#define SIGNET_MAX_ORIGINS 1024u
/* signet_session_deadline: nothing to wait for. */
#define SIGNET_NO_DEADLINE UINT64_MAX

typedef struct signet_session_config {
  size_t size;
  signet_tls tls; /* copied */
  signet_http http;
  const char* origin;   /* https://host:port of the connection; copied */
  uint32_t limit;       /* 0 = SIGNET_DEFAULT_LIMIT */
  uint32_t deadline_ms; /* for each request, from its arrival; 0 = SIGNET_DEFAULT_DEADLINE_MS */
  const signet_code_points* code_points; /* NULL = our defaults for `http`; copied */
  /* The last ClientHello of the handshake (after a HelloRetryRequest the second), with its 4-byte
   * header; signet/openssl.h and signet/gnutls.h keep it. Copied. Empty = no secondary server
   * certificates: nothing is advertised and none is taken. Anything else that is not a
   * ClientHello is SIGNET_ERROR_ARGUMENT. */
  signet_bytes client_hello;

  /* With a client_hello these two and `verify` of `tls` are needed: libsignet proves that the
   * server holds the key of a certificate, and knows nothing else of it. signet/openssl.h and
   * signet/gnutls.h have all of them. Called from signet_session_receive_frame,
   * signet_session_is_authoritative; may not call back into the library. */

  /* Is the chain (DER, leaf first), whose key was proved, one of a TLS server that is trusted, for
   * whatever names it has? 1, or 0 and a reason in `why` (copied at once). Unwanted is no error:
   * the certificate is not used, and that is all (draft section 6.2). */
  int (*verify_server_chain)(void* server_user, const signet_bytes* chain, size_t count,
                             const char** why);
  /* Do the names of this leaf certificate cover `host`, a DNS name in lower case or an IP address
   * without brackets (RFC 9525, RFC 9110 section 4.3.4)? 1 or 0. */
  int (*covers_host)(void* server_user, signet_bytes leaf, const char* host);
  /* May be NULL. For logs: the first names of the leaf into `out`, zero-terminated. */
  void (*server_names)(void* server_user, signet_bytes leaf, char* out, size_t size);
  void* server_user; /* must outlive the session */
  /* 1: the server is a proxy that we were configured to use, whose ORIGIN frames are ignored
   * (RFC 8336 section 2.2). */
  int peer_is_proxy;
} signet_session_config;

SIGNET_API signet_status signet_session_new(const signet_session_config* config,
                                            signet_session** out);
SIGNET_API void signet_session_free(signet_session* session);

/* -- negotiation ----------------------------------------------------------------------------- */

/* The entries for our SETTINGS: writes up to `capacity` and returns how many there are (1, or with
 * a client_hello 2). */
SIGNET_API size_t signet_session_settings(const signet_session* session, signet_setting* out,
                                          size_t capacity);

/* One setting of the server, of any id; others than ours are ignored. SIGNET_ERROR_CONNECTION for a
 * value the draft forbids, or a withdrawal. */
SIGNET_API signet_status signet_session_peer_setting(signet_session* session, uint64_t id,
                                                     uint64_t value);
/* The server's current SETTINGS_MAX_FRAME_SIZE (HTTP/2); 16384 until told. A larger authenticator
 * is declined as "frame-size": its chain is signed and can't be shortened any more. */
SIGNET_API signet_status signet_session_peer_max_frame_size(signet_session* session, uint32_t size);
/* A SETTINGS frame has ended. */
SIGNET_API signet_status signet_session_peer_settings_done(signet_session* session);
/* 1 when both sides have advertised support of client certificates. */
SIGNET_API int signet_session_negotiated(const signet_session* session);
/* 1 when both sides have advertised support of secondary server certificates. */
SIGNET_API int signet_session_server_certs_negotiated(const signet_session* session);

/* -- frames ---------------------------------------------------------------------------------- */

/* 1 when frames of this type must be given to signet_session_receive_frame. */
SIGNET_API int signet_session_wants_frame(const signet_session* session, uint64_t type);

/* A whole frame as received. `stream` is its stream id; for HTTP/3, 0 means the control stream. An
 * ORIGIN frame (type 0x0c, wanted with a client_hello) that has one of the flags 0x0f is not to be
 * given, but ignored (RFC 8336 section 2.2).
 * SIGNET_ERROR_TLS and SIGNET_ERROR_MEMORY end the session too, with an internal error.
 * SIGNET_ERROR_CONNECTION: the server broke a rule, nothing of the frame was answered and nothing
 * will be signed; close with signet_session_error(). */
SIGNET_API signet_status signet_session_receive_frame(signet_session* session, uint64_t stream,
                                                      uint64_t type, const uint8_t* payload,
                                                      size_t size, uint64_t now_ms);

/* The next CERTIFICATE frame that is due, strictly in request order; SIGNET_ERROR_STATE when there
 * is none (yet). The payload is valid until the next call on the session. */
SIGNET_API signet_status signet_session_next_frame(signet_session* session, signet_frame* out);

/* After SIGNET_ERROR_CONNECTION; SIGNET_ERROR_STATE before. */
SIGNET_API signet_status signet_session_error(const signet_session* session,
                                              signet_connection_error* out);

/* -- authority -------------------------------------------------------------------------------- */

/* May a request for another origin than the connection's own travel on it? Compare with these: not
 * NO is not yet yes. */
typedef enum signet_authority {
  SIGNET_AUTHORITY_NO = 0,
  SIGNET_AUTHORITY_YES = 1,
  /* If DNS says that the host is where this connection leads to (RFC 9113 section 9.1.1); the
   * server has sent no ORIGIN frame that would say it. */
  SIGNET_AUTHORITY_IF_DNS = 2,
} signet_authority;

/* `origin` is "https://host" or "https://host:port". Its own origin is YES. Of others it goes by
 * what the server proved with SERVER_CERTIFICATE frames on this very connection (draft
 * section 7.1), not by its handshake certificate, which libsignet does not know:
 *
 *   - NO without a proved certificate that covers the host, on a failed connection, and for good
 *     after SIGNET_EVENT_PROVED: a client's identity is that of the whole connection;
 *   - after an ORIGIN frame, YES when one has named it, else NO (RFC 8336 section 2.4);
 *   - before, IF_DNS.
 *
 * The answer may change with every frame and is for requests that start now. */
SIGNET_API signet_authority signet_session_is_authoritative(const signet_session* session,
                                                            const char* origin);
/* A response for this origin had the status 421: NO from now on, even for the connection's own
 * origin, unless an ORIGIN frame names it again (RFC 8336 section 2.3). SIGNET_ERROR_ARGUMENT: not
 * an https origin. */
SIGNET_API signet_status signet_session_misdirected(signet_session* session, const char* origin);

/* -- time ------------------------------------------------------------------------------------ */

/* When the oldest wait ends, or SIGNET_NO_DEADLINE. */
SIGNET_API uint64_t signet_session_deadline(const signet_session* session);
/* Requests past their deadline are declined with an empty authenticator. */
SIGNET_API signet_status signet_session_advance(signet_session* session, uint64_t now_ms);

/* -- events ---------------------------------------------------------------------------------- */

typedef enum signet_event_type {
  SIGNET_EVENT_REQUESTED = 1, /* the server asks; one event for each request */
  SIGNET_EVENT_PROVED = 2,   /* an identity was put into a frame. Do not coalesce other origins onto
                                this connection any more: identity is connection-wide */
  SIGNET_EVENT_DECLINED = 3, /* an empty authenticator was put into a frame */
  SIGNET_EVENT_SERVER_PROVED = 4,   /* the server proved a certificate: see is_authoritative */
  SIGNET_EVENT_SERVER_UNWANTED = 5, /* a SERVER_CERTIFICATE that is valid but will not be used */
} signet_event_type;

typedef struct signet_event {
  signet_event_type type;
  uint64_t request;     /* 1, 2, ... in order of arrival; SERVER_...: which of those frames */
  const char* identity; /* PROVED: its name */
  const char* kind;     /* PROVED: "user" or "device" */
  const char* subject;  /* PROVED; SERVER_...: the first names, if server_names is there */
  const char* reason;   /* DECLINED: "no-identity", "denied", "consent", "token-locked",
                           "token-failed", "deadline", "limit", "malformed", "no-agent",
                           "frame-size"; SERVER_UNWANTED: "untrusted", "limit" */
  const char* detail;   /* DECLINED: for a person, with the next step; SERVER_UNWANTED: why */
} signet_event;

/* SIGNET_ERROR_STATE when there is none. Strings are valid until the next call on the session. Of
 * events that nobody fetches the latest 4096 are kept. */
SIGNET_API signet_status signet_session_next_event(signet_session* session, signet_event* out);
/* Requests that have no answer in a frame yet. */
SIGNET_API size_t signet_session_outstanding(const signet_session* session);

/* -- the agent, as bytes --------------------------------------------------------------------- */
/* For applications that carry the bytes to agent.sock themselves. Others use signet_agent below. */

/* Bytes for the agent, or none; call signet_session_agent_sent for what was taken, and ask again:
 * more may follow. */
SIGNET_API signet_bytes signet_session_agent_output(const signet_session* session);
SIGNET_API signet_status signet_session_agent_sent(signet_session* session, size_t count);
/* Bytes from the agent, cut anywhere. SIGNET_ERROR_AGENT: garbage; disconnect, what is outstanding
 * is declined and the agent counts as gone. SIGNET_ERROR_STATE: it is gone. */
SIGNET_API signet_status signet_session_agent_input(signet_session* session, const uint8_t* data,
                                                    size_t size);
/* There is no agent (any more): what is outstanding is declined as "no-agent" with this detail, as
 * is what comes later until signet_session_agent_available. */
SIGNET_API signet_status signet_session_agent_gone(signet_session* session, const char* detail);
/* An agent can be reached (again). A new session assumes so, and a new signet_agent says so. */
SIGNET_API signet_status signet_session_agent_available(signet_session* session);

/* -- the agent, over a non-blocking socket ------------------------------------------------------
 */

typedef struct signet_agent signet_agent;

/* Non-blocking I/O for signet_agent_from_callbacks; both return a count, 0 for "not now", -1 for
 * the end of the connection. */
typedef struct signet_agent_io {
  size_t size;
  void* user;
  ptrdiff_t (*write)(void* user, const uint8_t* data, size_t size);
  ptrdiff_t (*read)(void* user, uint8_t* data, size_t size);
} signet_agent_io;

/* Connects to a socket when the session first needs the agent, and again after a failure. `path`
 * NULL or "": $SIGNET_AGENT_SOCKET, else $SIGNET_RUNTIME_DIR/agent.sock, else
 * $XDG_RUNTIME_DIR/signet/agent.sock, else /run/signet/agent.sock. One agent serves one session,
 * which must outlive it. */
SIGNET_API signet_status signet_agent_new(signet_session* session, const char* path,
                                          signet_agent** out);
/* A connected stream socket, for a process that can't open one; owned from SIGNET_OK on and made
 * non-blocking. When it ends there is no agent any more: free this one, and make another when there
 * is a new socket. */
SIGNET_API signet_status signet_agent_from_fd(signet_session* session, int fd, signet_agent** out);
SIGNET_API signet_status signet_agent_from_callbacks(signet_session* session,
                                                     const signet_agent_io* io, signet_agent** out);
SIGNET_API void signet_agent_free(signet_agent* agent);

/* The descriptor to poll, or -1 when there is none now; it changes over time, so ask before each
 * poll. */
SIGNET_API int signet_agent_fd(const signet_agent* agent);
/* POLLIN, POLLOUT or both. */
SIGNET_API short signet_agent_events(const signet_agent* agent);
/* Moves bytes both ways as far as possible without blocking. Call it after
 * signet_session_receive_frame and signet_session_advance, and when poll says so. Failures become
 * declined requests; it returns SIGNET_ERROR_AGENT to tell, and may be called again. */
SIGNET_API signet_status signet_agent_process(signet_agent* agent);

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_CLIENT_H_ */
