/* signet/server.h: the server side of secondary certificates on one HTTP/2 or HTTP/3 connection:
 * ask the client for authenticators and validate them (RFC 9261 sections 4, 7.1, 7.4), and prove
 * further certificates of our own (RFC 9261 section 3, draft-ietf-httpbis-secondary-server-certs).
 *
 *   signet_requester_new            when the client's TLS Finished was verified
 *   signet_requester_settings       put these into our SETTINGS, always
 *   signet_requester_peer_setting   for each setting of the client
 *   signet_requester_request        when a resource needs certificates
 *   signet_requester_next_frame     until SIGNET_ERROR_STATE: send these, in order
 *   signet_requester_receive_frame  for each frame whose type signet_requester_wants_frame() names
 *   signet_requester_next_answer    until SIGNET_ERROR_STATE
 *
 * The library proves possession of keys; it does not decide whom to trust. Give it a verify_chain,
 * or validate the chain of each answer before using it; signet/openssl.h does either with an
 * X509_STORE. Conventions: see connection.h. */
#ifndef SIGNET_SERVER_H_
#define SIGNET_SERVER_H_

#include <signet/connection.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct signet_requester signet_requester;

typedef struct signet_requester_config {
  size_t size;
  signet_tls tls; /* copied; random and verify are needed here */
  signet_http http;
  const signet_code_points* code_points; /* NULL = our defaults for `http`; copied */
  /* RFC 9261 section 7.4: is the chain (DER, leaf first) of the answer to `request` (its id) to be
   * trusted? Called from signet_requester_receive_frame, with chains whose key was proved only;
   * may not call back into the library. Returns 1, or 0 and a reason in `why` (storage that lasts
   * as long as the requester): the answer is then SIGNET_RESULT_INVALID with that as its detail.
   * NULL: whoever takes the answers validates their chains. */
  int (*verify_chain)(void* chain_user, uint64_t request, const signet_bytes* chain, size_t count,
                      const char** why);
  void* chain_user; /* must outlive the requester */
  /* The last ClientHello of the handshake (after a HelloRetryRequest the second), with its 4-byte
   * header; signet/openssl.h and signet/gnutls.h keep it. Copied. Empty = no secondary server
   * certificates: nothing is advertised and none may be sent. Anything else that is not a
   * ClientHello is SIGNET_ERROR_ARGUMENT. */
  signet_bytes client_hello;
} signet_requester_config;

/* What one connection can cost: so many requests may be outstanding, and so many sent in all,
 * whatever the client offers (draft section 5.5). */
#define SIGNET_MAX_OUTSTANDING 64u
#define SIGNET_MAX_REQUESTS 1024u

SIGNET_API signet_status signet_requester_new(const signet_requester_config* config,
                                              signet_requester** out);
SIGNET_API void signet_requester_free(signet_requester* requester);

/* Writes up to `capacity` entries for our SETTINGS and returns how many there are: 1, or 2 with a
 * client_hello. */
SIGNET_API size_t signet_requester_settings(const signet_requester* requester, signet_setting* out,
                                            size_t capacity);
/* One setting of the client, of any id. SIGNET_ERROR_CONNECTION for a withdrawal, or a value that
 * the drafts forbid. */
SIGNET_API signet_status signet_requester_peer_setting(signet_requester* requester, uint64_t id,
                                                       uint64_t value);
/* The client's current SETTINGS_MAX_FRAME_SIZE (HTTP/2); 16384 until told. */
SIGNET_API signet_status signet_requester_peer_max_frame_size(signet_requester* requester,
                                                              uint32_t size);

/* How many more requests may be sent now: as many as the client lets us have outstanding, within
 * the bounds above; 0 when it does not take part. */
SIGNET_API size_t signet_requester_available(const signet_requester* requester);

typedef struct signet_oid_filter {
  signet_bytes oid;    /* DER of the OBJECT IDENTIFIER */
  signet_bytes values; /* DER of the extension's value; may be empty */
} signet_oid_filter;

/* What is asked for; all borrowed for the call. signature_algorithms_cert is always sent: the
 * schemes that Signet can verify, and in certificates also RSA PKCS#1 v1.5. */
typedef struct signet_request {
  size_t size;
  const uint16_t* signature_schemes; /* in order of preference; NULL = all that Signet can verify */
  size_t signature_scheme_count;
  const signet_bytes* certificate_authorities; /* DER names; an empty list = any */
  size_t certificate_authority_count;
  const signet_oid_filter* oid_filters;
  size_t oid_filter_count;
} signet_request;

/* Queues AUTHENTICATOR_REQUESTS for `count` requests, split over frames as their size demands, each
 * with a fresh random context. Writes the ids, 1, 2, ... (`ids` may be NULL). Nothing is queued on
 * SIGNET_ERROR_STATE: `count` is above signet_requester_available(); and on SIGNET_ERROR_ARGUMENT:
 * a request can't be encoded (an empty name, an OID twice) or is larger than a frame may be. */
SIGNET_API signet_status signet_requester_request(signet_requester* requester,
                                                  const signet_request* requests, size_t count,
                                                  uint64_t* ids);

SIGNET_API signet_status signet_requester_next_frame(signet_requester* requester,
                                                     signet_frame* out);

/* 1 when frames of this type must be given to signet_requester_receive_frame. */
SIGNET_API int signet_requester_wants_frame(const signet_requester* requester, uint64_t type);
/* A whole frame. SIGNET_ERROR_CONNECTION: the client broke a rule of the draft. A bad authenticator
 * is not such an error but an answer of SIGNET_RESULT_INVALID. */
SIGNET_API signet_status signet_requester_receive_frame(signet_requester* requester,
                                                        uint64_t stream, uint64_t type,
                                                        const uint8_t* payload, size_t size);
/* After SIGNET_ERROR_CONNECTION; SIGNET_ERROR_STATE before. */
SIGNET_API signet_status signet_requester_error(const signet_requester* requester,
                                                signet_connection_error* out);

/* The client's answer to one request, in request order. */
typedef struct signet_answer {
  uint64_t id;
  signet_result result;
  const signet_bytes* chain; /* IDENTITY: DER, leaf first */
  size_t chain_length;
  uint16_t signature_scheme; /* IDENTITY */
  const char* detail;        /* INVALID: which rule was broken, or what verify_chain said */
} signet_answer;

/* SIGNET_ERROR_STATE when there is none. Pointers are valid until the next call on the requester.
 */
SIGNET_API signet_status signet_requester_next_answer(signet_requester* requester,
                                                      signet_answer* out);

/* -- our own certificates --------------------------------------------------------------------- */

/* For one connection, whatever became of them. */
#define SIGNET_MAX_PROOFS 64u

/* 1 when another certificate may be proved: the client takes part. It may once its SETTINGS are
 * there; prove only what this connection will serve (draft section 3.2). */
SIGNET_API int signet_requester_can_prove(const signet_requester* requester);

typedef struct signet_proof {
  uint64_t id; /* 1, 2, ... */
  uint16_t signature_scheme;
  signet_bytes message; /* to be signed; valid until this proof is signed */
} signet_proof;

/* Begins to prove the chain (DER, leaf first, copied), whose key can sign with these schemes: the
 * one that the client likes best is taken. Nobody asked, so the context is a fresh random one, and
 * the certificates travel without extensions. SIGNET_ERROR_STATE: not now, see above, or the client
 * takes none of the schemes; without a proof the connection goes on as it is.
 * SIGNET_ERROR_ARGUMENT: the chain can't be encoded, or is larger than a frame may be. */
SIGNET_API signet_status signet_requester_prove(signet_requester* requester,
                                                const signet_bytes* chain, size_t count,
                                                const uint16_t* schemes, size_t scheme_count,
                                                signet_proof* out);
/* Queues the SERVER_CERTIFICATE frame. The signature may come at any time and in any order: from
 * signet_openssl_sign, a thread, an agent. SIGNET_ERROR_ARGUMENT: there is no such proof, its whole
 * is larger than a frame may be, or the signature is wrong (an empty one gives up): then nothing
 * was sent, and this proof is over. */
SIGNET_API signet_status signet_requester_proof_signed(signet_requester* requester, uint64_t id,
                                                       signet_bytes signature);

/* Queues an ORIGIN frame (RFC 8336, RFC 9412) with these origins, which are ASCII, as in
 * "https://example.com": those besides the connection's own for which the client may use it, once
 * it has the certificate. More than one frame when one is too small. Clients that know no such
 * frame ignore it. */
SIGNET_API signet_status signet_requester_origins(signet_requester* requester,
                                                  const char* const* origins, size_t count);

/* RFC 9261 section 7.4 on its own: validates one authenticator of a client (`from_client` 1) or a
 * server against the request it answers, with keys from the exporter of `tls`. On SIGNET_OK
 * `result` is set; for IDENTITY up to `capacity` certificates are written to `chain` as views into
 * `authenticator`, and `chain_length` says how many there are. SIGNET_ERROR_ARGUMENT for a request
 * that is malformed or not of the right type: 13 for a client's authenticator, 17 for a server's.
 */
SIGNET_API signet_status signet_validate(const signet_tls* tls, int from_client,
                                         signet_bytes request, signet_bytes authenticator,
                                         signet_result* result, signet_bytes* chain,
                                         size_t capacity, size_t* chain_length);

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_SERVER_H_ */
