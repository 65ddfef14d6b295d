/* signet/connection.h: what client.h and server.h share.
 *
 * Conventions of the whole library, stated once:
 *
 * - C11 and C++ may include it. Every exported symbol starts with signet_.
 * - Sans-I/O: bytes and events in, bytes and events out, and a deadline. The library owns no
 * thread, no global, no signal handler and no timer.
 * - Threads: an object is used by one thread at a time; different objects are independent.
 * - Ownership: what *_new gives, *_free takes (NULL is fine). Input pointers are borrowed for the
 *   call. Output pointers belong to the object and stay valid until the next call on it.
 * - Structs that grow have `size` as first member: set it to sizeof. Zero in a later member is the
 *   default.
 * - Failure is a signet_status other than SIGNET_OK; outputs are then untouched.
 * - Times are milliseconds of one monotonic clock of the caller's choice.
 * - Before calling anything else on a connection the TLS 1.3 handshake must be complete: do not
 *   make a session or requester for TLS 1.2, nor while data is early (0-RTT, 0.5-RTT).
 */
#ifndef SIGNET_CONNECTION_H_
#define SIGNET_CONNECTION_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SIGNET_API __attribute__((visibility("default")))
#else
#define SIGNET_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum signet_status {
  SIGNET_OK = 0,
  SIGNET_ERROR_ARGUMENT = 1, /* the caller broke a contract */
  SIGNET_ERROR_STATE = 2,    /* not now: not negotiated, already failed, over the limit */
  SIGNET_ERROR_MEMORY = 3,
  SIGNET_ERROR_TLS = 4,        /* a callback of signet_tls failed, or this is not TLS 1.3 */
  SIGNET_ERROR_CONNECTION = 5, /* connection error: close with signet_*_error() */
  SIGNET_ERROR_AGENT = 6,      /* the agent can't be reached, or answers garbage */
  SIGNET_ERROR_DECLINED = 7,   /* key.h: the agent refuses */
} signet_status;

/* One English sentence; static storage. */
SIGNET_API const char* signet_status_string(signet_status status);

/* The PRF hash of the cipher suite; the value is what agent.proto calls it. */
typedef enum signet_hash { SIGNET_HASH_SHA256 = 1, SIGNET_HASH_SHA384 = 2 } signet_hash;

typedef struct signet_bytes {
  const uint8_t* data;
  size_t size;
} signet_bytes;

/* What the library needs from the TLS stack of one connection. Callbacks return 1 on success and 0
 * on failure, and may not call back into the library. signet/openssl.h fills this in. */
typedef struct signet_tls {
  size_t size;
  void* user; /* first argument of every callback; must outlive the session or requester */
  signet_hash hash;
  /* RFC 8446 section 7.5 with exporter_master_secret and an empty context; `label` has no zero
   * inside and is zero-terminated. */
  int (*export_keying_material)(void* user, const char* label, uint8_t* out, size_t out_size);
  /* Hash of the concatenated parts into `out` (32 or 48 bytes). */
  int (*digest)(void* user, signet_hash hash, const signet_bytes* parts, size_t count,
                uint8_t* out);
  /* HMAC into `out` (32 or 48 bytes). */
  int (*hmac)(void* user, signet_hash hash, signet_bytes key, signet_bytes data, uint8_t* out);
  /* Server only. Cryptographically strong random bytes. */
  int (*random)(void* user, uint8_t* out, size_t size);
  /* Server only. Checks the signature over `message` with the key of the DER certificate and the
   * TLS SignatureScheme; 0 also when key and scheme do not fit. */
  int (*verify)(void* user, signet_bytes certificate, uint16_t scheme, signet_bytes message,
                signet_bytes signature);
} signet_tls;

/* A server's request is CertificateRequest, handshake message type 13 with its header. These bits
 * of request_forms make a client take what servers with another reading of the draft send. The
 * agent must be told to take it, too ([requests] in signet.toml). */
#define SIGNET_ACCEPT_TYPE_17 1u /* ClientCertificateRequest */
#define SIGNET_ACCEPT_BARE 2u    /* without its handshake header */

/* What the drafts leave open, for the HTTP version in use. signet_code_points_h2() and _h3() give
 * our defaults (wire profile draft-00). */
typedef struct signet_code_points {
  size_t size;
  uint64_t authenticator_requests;     /* frame type */
  uint64_t certificate;                /* frame type */
  uint64_t server_certificate;         /* frame type */
  uint64_t client_cert_auth;           /* setting */
  uint64_t server_cert_auth;           /* setting */
  uint64_t server_certificate_invalid; /* error code */
  uint64_t request_forms;              /* SIGNET_ACCEPT_...; default 0 */
} signet_code_points;

SIGNET_API void signet_code_points_h2(signet_code_points* out);
SIGNET_API void signet_code_points_h3(signet_code_points* out);

/* "h2.certificate" or "h3.client-cert-auth" and so on in `h2` or `h3`; SIGNET_ERROR_ARGUMENT for an
 * unknown name. */
SIGNET_API signet_status signet_code_points_set(signet_code_points* h2, signet_code_points* h3,
                                                const char* name, uint64_t value);
/* NULL, or a sentence (static storage) that says why these numbers can't work. */
SIGNET_API const char* signet_code_points_conflict(const signet_code_points* h2,
                                                   const signet_code_points* h3);

typedef enum signet_http { SIGNET_HTTP2 = 2, SIGNET_HTTP3 = 3 } signet_http;

typedef struct signet_setting {
  uint64_t id;
  uint64_t value;
} signet_setting;

/* A frame to send on stream 0 (HTTP/2) or the control stream (HTTP/3), with flags 0. */
typedef struct signet_frame {
  uint64_t type;
  signet_bytes payload;
} signet_frame;

/* With which error the connection must be closed, after SIGNET_ERROR_CONNECTION. */
typedef struct signet_connection_error {
  uint64_t code;      /* for GOAWAY or CONNECTION_CLOSE */
  const char* name;   /* "PROTOCOL_ERROR", "H3_FRAME_UNEXPECTED", ... */
  const char* detail; /* for a log: which rule was broken */
} signet_connection_error;

/* RFC 9261 section 7.4, "validate", on its own; server.h calls it for you. */
typedef enum signet_result {
  SIGNET_RESULT_IDENTITY = 1, /* the sender holds the key of the leaf certificate */
  SIGNET_RESULT_DECLINED = 2, /* a well-formed empty authenticator: no identity */
  SIGNET_RESULT_INVALID = 3,
} signet_result;

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_CONNECTION_H_ */
