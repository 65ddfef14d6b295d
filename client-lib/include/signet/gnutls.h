/* signet/gnutls.h: the adapter for GnuTLS 3.7: fills a signet_tls from a gnutls_session_t, and
 * keeps its ClientHello, on TCP or inside QUIC (ngtcp2_crypto_gnutls). Header-only: libsignet
 * itself does not know GnuTLS; link libgnutls. A client checks the chains of secondary server
 * certificates with it; a server looks at the chain of each answer itself.
 *
 * Conventions: see connection.h. Static inline functions only, no globals.
 * Sources: RFC 9261 section 5.1 (exporter), RFC 8446 sections 4.2.3 (schemes) and 7.5. */
#ifndef SIGNET_GNUTLS_H_
#define SIGNET_GNUTLS_H_

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <signet/connection.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fills `out`; `tls` must outlive the session or requester made with it. SIGNET_ERROR_STATE while
 * the handshake is not complete (a server: until the client's Finished was verified, also with
 * GNUTLS_ENABLE_EARLY_START, and whatever was read or written early): call again. SIGNET_ERROR_TLS
 * when this connection can never carry authenticators: not TLS 1.3, or a cipher suite whose hash is
 * neither SHA-256 nor SHA-384; go on without a session or requester, and nothing is advertised. */
static inline signet_status signet_gnutls_tls(gnutls_session_t tls, signet_tls* out);

/* For client_hello of the configurations: on either side, before the handshake. `kept`, which must
 * be empty, gets the last ClientHello of the connection, and stays empty when memory runs out. It
 * stays where it is until signet_gnutls_forget_client_hello, which is called once, while `tls` is
 * there: best when the session or requester is made, which has its own copy. This takes the
 * handshake hook of `tls`: whoever has one of their own calls signet_gnutls_note_message from it
 * instead. SIGNET_ERROR_MEMORY: nothing will be kept. */
static inline signet_status signet_gnutls_keep_client_hello(gnutls_session_t tls,
                                                            signet_bytes* kept);
static inline void signet_gnutls_note_message(unsigned int type, const gnutls_datum_t* message,
                                              signet_bytes* kept);
static inline void signet_gnutls_forget_client_hello(gnutls_session_t tls, signet_bytes* kept);

/* For signet_requester_prove: the schemes that the key can sign with, best first; writes up to
 * `capacity` and returns how many there are (0, 1 or 3). */
static inline size_t signet_gnutls_schemes(gnutls_privkey_t key, uint16_t* out, size_t capacity);

/* For signet_requester_proof_signed: signs `message`. `size` is the room in `signature`, then how
 * much of it was used. 0 when key and scheme do not fit, the room is too small, or the key can't
 * sign. It is as slow as the key is. */
static inline int signet_gnutls_sign(gnutls_privkey_t key, uint16_t scheme, signet_bytes message,
                                     uint8_t* signature, size_t* size);

/* For verify_server_chain, covers_host and server_names of a signet_session_config; its server_user
 * is the gnutls_x509_trust_list_t. A chain is good when it leads to an authority of the list within
 * its name constraints and the leaf is good for TLS servers now, whatever names it has; keys and
 * signatures below 112 bits of security are refused (GNUTLS_PROFILE_MEDIUM). Who asks for a name,
 * asks covers_host: an iPAddress of the leaf for an IP address, a dNSName for others, in which "*"
 * may stand for the whole first label; never the common name (RFC 9525). The names are dNSNames. */
static inline int signet_gnutls_check_server_chain(void* trust_list, const signet_bytes* chain,
                                                   size_t count, const char** why);
static inline int signet_gnutls_covers_host(void* trust_list, signet_bytes leaf, const char* host);
static inline void signet_gnutls_server_names(void* trust_list, signet_bytes leaf, char* out,
                                              size_t size);

/* -- implementation -------------------------------------------------------------------------- */

static inline gnutls_datum_t signet_gnutls_datum(signet_bytes bytes) {
  gnutls_datum_t datum = {(unsigned char*)bytes.data, (unsigned int)bytes.size};
  return datum;
}

static inline int signet_gnutls_export(void* user, const char* label, uint8_t* out,
                                       size_t out_size) {
  return gnutls_prf_rfc5705((gnutls_session_t)user, strlen(label), label, 0, NULL, out_size,
                            (char*)out) == GNUTLS_E_SUCCESS;
}

/* 0 for what is neither of the two. */
static inline int signet_gnutls_known_hash(signet_hash hash) {
  return hash == SIGNET_HASH_SHA256 || hash == SIGNET_HASH_SHA384;
}

static inline int signet_gnutls_digest(void* user, signet_hash hash, const signet_bytes* parts,
                                       size_t count, uint8_t* out) {
  gnutls_hash_hd_t running;
  int done = 1;
  (void)user;
  if (!signet_gnutls_known_hash(hash) ||
      gnutls_hash_init(&running,
                       hash == SIGNET_HASH_SHA256 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA384) < 0) {
    return 0;
  }
  for (size_t i = 0; done && i < count; ++i) {
    done = parts[i].size == 0 || gnutls_hash(running, parts[i].data, parts[i].size) >= 0;
  }
  gnutls_hash_deinit(running, done ? out : NULL);
  return done;
}

static inline int signet_gnutls_hmac(void* user, signet_hash hash, signet_bytes key,
                                     signet_bytes data, uint8_t* out) {
  (void)user;
  return signet_gnutls_known_hash(hash) &&
         gnutls_hmac_fast(hash == SIGNET_HASH_SHA256 ? GNUTLS_MAC_SHA256 : GNUTLS_MAC_SHA384,
                          key.data, key.size, data.data, data.size, out) >= 0;
}

static inline int signet_gnutls_random(void* user, uint8_t* out, size_t size) {
  (void)user;
  return gnutls_rnd(GNUTLS_RND_RANDOM, out, size) >= 0;
}

/* What a TLS 1.3 SignatureScheme asks of the key. */
typedef struct signet_gnutls_scheme {
  uint16_t code;
  gnutls_pk_algorithm_t key_type;
  gnutls_ecc_curve_t curve; /* ECDSA */
  gnutls_sign_algorithm_t algorithm;
} signet_gnutls_scheme;

enum { SIGNET_GNUTLS_SCHEMES = 11 };

/* The i-th of those of TLS 1.3 CertificateVerify. */
static inline const signet_gnutls_scheme* signet_gnutls_scheme_at(size_t i) {
  static const signet_gnutls_scheme schemes[SIGNET_GNUTLS_SCHEMES] = {
      {0x0403, GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP256R1, GNUTLS_SIGN_ECDSA_SECP256R1_SHA256},
      {0x0503, GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP384R1, GNUTLS_SIGN_ECDSA_SECP384R1_SHA384},
      {0x0603, GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP521R1, GNUTLS_SIGN_ECDSA_SECP521R1_SHA512},
      {0x0804, GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256},
      {0x0805, GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID, GNUTLS_SIGN_RSA_PSS_RSAE_SHA384},
      {0x0806, GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512},
      {0x0807, GNUTLS_PK_EDDSA_ED25519, GNUTLS_ECC_CURVE_INVALID, GNUTLS_SIGN_EDDSA_ED25519},
      {0x0808, GNUTLS_PK_EDDSA_ED448, GNUTLS_ECC_CURVE_INVALID, GNUTLS_SIGN_EDDSA_ED448},
      {0x0809, GNUTLS_PK_RSA_PSS, GNUTLS_ECC_CURVE_INVALID, GNUTLS_SIGN_RSA_PSS_SHA256},
      {0x080a, GNUTLS_PK_RSA_PSS, GNUTLS_ECC_CURVE_INVALID, GNUTLS_SIGN_RSA_PSS_SHA384},
      {0x080b, GNUTLS_PK_RSA_PSS, GNUTLS_ECC_CURVE_INVALID, GNUTLS_SIGN_RSA_PSS_SHA512},
  };
  return &schemes[i];
}

/* NULL for what is none of them. */
static inline const signet_gnutls_scheme* signet_gnutls_scheme_of(uint16_t code) {
  for (size_t i = 0; i < SIGNET_GNUTLS_SCHEMES; ++i) {
    if (signet_gnutls_scheme_at(i)->code == code) return signet_gnutls_scheme_at(i);
  }
  return NULL;
}

static inline int signet_gnutls_key_fits(gnutls_pubkey_t key, const signet_gnutls_scheme* scheme) {
  gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
  if (gnutls_pubkey_get_pk_algorithm(key, NULL) != (int)scheme->key_type) return 0;
  if (scheme->key_type != GNUTLS_PK_ECDSA) return 1;
  return gnutls_pubkey_export_ecc_raw2(key, &curve, NULL, NULL, 0) >= 0 && curve == scheme->curve;
}

/* 1 when all of the bytes are one certificate, whose key is then put into `key`. */
static inline int signet_gnutls_public_key(signet_bytes der, gnutls_pubkey_t key) {
  gnutls_datum_t data = signet_gnutls_datum(der);
  gnutls_datum_t again = {NULL, 0};
  gnutls_x509_crt_t certificate;
  if (gnutls_x509_crt_init(&certificate) < 0) return 0;
  int good = gnutls_x509_crt_import(certificate, &data, GNUTLS_X509_FMT_DER) >= 0 &&
             gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &again) >= 0 &&
             again.size == data.size && gnutls_pubkey_import_x509(key, certificate, 0) >= 0;
  gnutls_free(again.data);
  gnutls_x509_crt_deinit(certificate);
  return good;
}

static inline int signet_gnutls_verify(void* user, signet_bytes certificate, uint16_t scheme_code,
                                       signet_bytes message, signet_bytes signature) {
  const signet_gnutls_scheme* scheme = signet_gnutls_scheme_of(scheme_code);
  gnutls_datum_t data = signet_gnutls_datum(message);
  gnutls_datum_t proof = signet_gnutls_datum(signature);
  gnutls_pubkey_t key;
  (void)user;
  if (scheme == NULL || certificate.size > INT_MAX || message.size > INT_MAX ||
      signature.size > INT_MAX || gnutls_pubkey_init(&key) < 0) {
    return 0;
  }
  int good = signet_gnutls_public_key(certificate, key) && signet_gnutls_key_fits(key, scheme) &&
             gnutls_pubkey_verify_data2(key, scheme->algorithm, 0, &data, &proof) >= 0;
  gnutls_pubkey_deinit(key);
  return good;
}

static inline int signet_gnutls_private_key_fits(gnutls_privkey_t key,
                                                 const signet_gnutls_scheme* scheme) {
  gnutls_pubkey_t half;
  if (gnutls_pubkey_init(&half) < 0) return 0;
  int fits =
      gnutls_pubkey_import_privkey(half, key, 0, 0) >= 0 && signet_gnutls_key_fits(half, scheme);
  gnutls_pubkey_deinit(half);
  return fits;
}

static inline size_t signet_gnutls_schemes(gnutls_privkey_t key, uint16_t* out, size_t capacity) {
  size_t count = 0;
  for (size_t i = 0; i < SIGNET_GNUTLS_SCHEMES; ++i) {
    if (!signet_gnutls_private_key_fits(key, signet_gnutls_scheme_at(i))) continue;
    if (count < capacity) out[count] = signet_gnutls_scheme_at(i)->code;
    ++count;
  }
  return count;
}

static inline int signet_gnutls_sign(gnutls_privkey_t key, uint16_t scheme_code,
                                     signet_bytes message, uint8_t* signature, size_t* size) {
  const signet_gnutls_scheme* scheme = signet_gnutls_scheme_of(scheme_code);
  gnutls_datum_t data = signet_gnutls_datum(message);
  gnutls_datum_t made = {NULL, 0};
  if (scheme == NULL || message.size > INT_MAX || !signet_gnutls_private_key_fits(key, scheme) ||
      gnutls_privkey_sign_data2(key, scheme->algorithm, 0, &data, &made) < 0) {
    return 0;
  }
  int fits = made.size <= *size;
  if (fits) {
    memcpy(signature, made.data, made.size);
    *size = made.size;
  }
  gnutls_free(made.data);
  return fits;
}

/* GnuTLS says it only like this: there is no description before the peer's Finished, not even where
 * gnutls_handshake is done earlier. */
static inline int signet_gnutls_handshake_is_complete(gnutls_session_t tls) {
  char* description = gnutls_session_get_desc(tls);
  int complete = description != NULL;
  gnutls_free(description);
  return complete;
}

static inline signet_status signet_gnutls_tls(gnutls_session_t tls, signet_tls* out) {
  if (tls == NULL || out == NULL) return SIGNET_ERROR_ARGUMENT;
  if (!signet_gnutls_handshake_is_complete(tls)) return SIGNET_ERROR_STATE;
  if (gnutls_protocol_get_version(tls) != GNUTLS_TLS1_3) return SIGNET_ERROR_TLS;
  gnutls_digest_algorithm_t prf = gnutls_prf_hash_get(tls);
  if (prf != GNUTLS_DIG_SHA256 && prf != GNUTLS_DIG_SHA384) return SIGNET_ERROR_TLS;
  memset(out, 0, sizeof *out);
  out->size = sizeof *out;
  out->user = tls;
  out->hash = prf == GNUTLS_DIG_SHA256 ? SIGNET_HASH_SHA256 : SIGNET_HASH_SHA384;
  out->export_keying_material = signet_gnutls_export;
  out->digest = signet_gnutls_digest;
  out->hmac = signet_gnutls_hmac;
  out->random = signet_gnutls_random;
  out->verify = signet_gnutls_verify;
  return SIGNET_OK;
}

static inline void signet_gnutls_note_message(unsigned int type, const gnutls_datum_t* message,
                                              signet_bytes* kept) {
  uint8_t* copy;
  if (type != GNUTLS_HANDSHAKE_CLIENT_HELLO) return;
  gnutls_free((void*)kept->data);
  kept->data = NULL;
  kept->size = 0;
  copy = (uint8_t*)gnutls_malloc(4 + (size_t)message->size);
  if (copy == NULL) return;
  copy[0] = 1; /* GnuTLS gives the body only */
  copy[1] = (uint8_t)(message->size >> 16);
  copy[2] = (uint8_t)(message->size >> 8);
  copy[3] = (uint8_t)message->size;
  memcpy(copy + 4, message->data, message->size);
  kept->data = copy;
  kept->size = 4 + (size_t)message->size;
}

/* A session keeps one pointer for each extension that it knows, and has no other place for one:
 * gnutls_session_set_ptr is the application's. So this is an extension, of a number for private use
 * (RFC 8446 section 11), that is never sent and never looked at. */
enum { SIGNET_GNUTLS_PLACE = 0xff5e };

static inline int signet_gnutls_ignore_extension(gnutls_session_t tls, const unsigned char* data,
                                                 size_t size) {
  (void)tls, (void)data, (void)size;
  return 0;
}

static inline int signet_gnutls_send_no_extension(gnutls_session_t tls, gnutls_buffer_t out) {
  (void)tls, (void)out;
  return 0;
}

static inline int signet_gnutls_hook(gnutls_session_t tls, unsigned int type, unsigned int post,
                                     unsigned int incoming, const gnutls_datum_t* message) {
  gnutls_ext_priv_data_t kept = NULL;
  (void)post, (void)incoming;
  if (gnutls_ext_get_data(tls, SIGNET_GNUTLS_PLACE, &kept) == 0 && kept != NULL) {
    signet_gnutls_note_message(type, message, (signet_bytes*)kept);
  }
  return 0;
}

static inline signet_status signet_gnutls_keep_client_hello(gnutls_session_t tls,
                                                            signet_bytes* kept) {
  if (gnutls_session_ext_register(tls, "signet", SIGNET_GNUTLS_PLACE, GNUTLS_EXT_TLS,
                                  signet_gnutls_ignore_extension, signet_gnutls_send_no_extension,
                                  NULL, NULL, NULL,
                                  GNUTLS_EXT_FLAG_TLS12_SERVER_HELLO | GNUTLS_EXT_FLAG_TLS) != 0) {
    return SIGNET_ERROR_MEMORY;
  }
  gnutls_ext_set_data(tls, SIGNET_GNUTLS_PLACE, kept);
  gnutls_handshake_set_hook_function(tls, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE,
                                     signet_gnutls_hook);
  return SIGNET_OK;
}

static inline void signet_gnutls_forget_client_hello(gnutls_session_t tls, signet_bytes* kept) {
  gnutls_handshake_set_hook_function(tls, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE, NULL);
  gnutls_ext_set_data(tls, SIGNET_GNUTLS_PLACE, NULL);
  gnutls_free((void*)kept->data);
  kept->data = NULL;
  kept->size = 0;
}

/* NULL unless it is a certificate. */
static inline gnutls_x509_crt_t signet_gnutls_certificate(signet_bytes der) {
  gnutls_datum_t data = signet_gnutls_datum(der);
  gnutls_x509_crt_t certificate;
  if (der.size > INT_MAX || gnutls_x509_crt_init(&certificate) < 0) return NULL;
  if (gnutls_x509_crt_import(certificate, &data, GNUTLS_X509_FMT_DER) >= 0) return certificate;
  gnutls_x509_crt_deinit(certificate);
  return NULL;
}

/* NULL when nothing is wrong. */
static inline const char* signet_gnutls_fault_of(unsigned int status) {
  static const struct {
    unsigned int flag;
    const char* fault;
  } faults[] = {
      {GNUTLS_CERT_SIGNER_NOT_FOUND, "unable to get issuer certificate"},
      {GNUTLS_CERT_SIGNER_NOT_CA, "an issuer of the chain is no authority"},
      {GNUTLS_CERT_REVOKED, "certificate revoked"},
      {GNUTLS_CERT_EXPIRED, "certificate has expired"},
      {GNUTLS_CERT_NOT_ACTIVATED, "certificate is not yet valid"},
      {GNUTLS_CERT_INSECURE_ALGORITHM, "a key or a signature of the chain is too weak"},
      {GNUTLS_CERT_PURPOSE_MISMATCH, "the certificate is not for TLS servers"},
      {GNUTLS_CERT_SIGNATURE_FAILURE, "a signature of the chain is wrong"},
  };
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; ++i) {
    if ((status & faults[i].flag) != 0) return faults[i].fault;
  }
  return status == 0 ? NULL : "the chain breaks a rule of its authorities";
}

static inline const char* signet_gnutls_chain_fault(gnutls_x509_trust_list_t trust_list,
                                                    gnutls_x509_crt_t* chain, unsigned int count) {
  static const char purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
  gnutls_typed_vdata_st wanted = {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char*)purpose, 0};
  unsigned int status = GNUTLS_CERT_INVALID;
  unsigned int usage = 0;
  if (gnutls_x509_trust_list_verify_crt2(trust_list, chain, count, &wanted, 1,
                                         GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM), &status,
                                         NULL) < 0) {
    return "the check of the chain could not be done";
  }
  const char* fault = signet_gnutls_fault_of(status);
  if (fault != NULL) return fault;
  /* Purposes are about TLS 1.2 too, where key agreement is enough (RFC 8446 section 4.4.2.2). */
  if (gnutls_x509_crt_get_key_usage(chain[0], &usage, NULL) >= 0 &&
      (usage & GNUTLS_KEY_DIGITAL_SIGNATURE) == 0) {
    return "the key usage of the leaf has no digitalSignature";
  }
  return NULL;
}

static inline int signet_gnutls_check_server_chain(void* trust_list, const signet_bytes* chain,
                                                   size_t count, const char** why) {
  gnutls_x509_crt_t certificates[16]; /* libsignet takes chains of 10 */
  size_t read = 0;
  while (read < count && read < sizeof certificates / sizeof certificates[0]) {
    certificates[read] = signet_gnutls_certificate(chain[read]);
    if (certificates[read] == NULL) break;
    ++read;
  }
  const char* fault = "a certificate of the chain can't be read";
  if (read == count && count > 0) {
    fault = signet_gnutls_chain_fault((gnutls_x509_trust_list_t)trust_list, certificates,
                                      (unsigned int)count);
  }
  while (read > 0) gnutls_x509_crt_deinit(certificates[--read]);
  if (fault != NULL && why != NULL) *why = fault;
  return fault == NULL;
}

/* The next dNSName of the leaf from `index` on, of up to `size` bytes; 0 when there is none. */
static inline int signet_gnutls_next_name(gnutls_x509_crt_t leaf, unsigned int* index, char* out,
                                          size_t capacity, size_t* size) {
  for (;; ++*index) {
    *size = capacity;
    int type = gnutls_x509_crt_get_subject_alt_name(leaf, *index, out, size, NULL);
    if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) return 0;
    if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER) return 0;
    if (type != GNUTLS_SAN_DNSNAME) continue;
    ++*index;
    return 1;
  }
}

static inline int signet_gnutls_same_letter(char a, char b) {
  if (a >= 'A' && a <= 'Z') a = (char)(a - 'A' + 'a');
  if (b >= 'A' && b <= 'Z') b = (char)(b - 'A' + 'a');
  return a == b;
}

/* RFC 9525 section 6.3. GnuTLS itself takes parts of labels, common names, and IP addresses that
 * are written as names. */
static inline int signet_gnutls_name_covers(const char* name, size_t size, const char* host) {
  if (size > 2 && name[0] == '*' && name[1] == '.') {
    const char* rest = strchr(host, '.');
    if (rest == NULL || rest == host) return 0;
    ++name, --size;
    if (memchr(name + 1, '.', size - 1) == NULL) return 0; /* "*.com" */
    host = rest;
  }
  if (strlen(host) != size) return 0;
  for (size_t i = 0; i < size; ++i) {
    if (!signet_gnutls_same_letter(name[i], host[i])) return 0;
  }
  return 1;
}

static inline int signet_gnutls_covers_host(void* trust_list, signet_bytes leaf, const char* host) {
  unsigned char address[16];
  char name[256];
  size_t size = 0;
  unsigned int index = 0;
  int covers = 0;
  (void)trust_list;
  if (host[0] == '\0' || host[0] == '.') return 0;
  gnutls_x509_crt_t certificate = signet_gnutls_certificate(leaf);
  if (certificate == NULL) return 0;
  if (inet_pton(AF_INET, host, address) == 1) {
    covers = gnutls_x509_crt_check_ip(certificate, address, 4, 0) != 0;
  } else if (inet_pton(AF_INET6, host, address) == 1) {
    covers = gnutls_x509_crt_check_ip(certificate, address, 16, 0) != 0;
  } else {
    while (!covers && signet_gnutls_next_name(certificate, &index, name, sizeof name, &size)) {
      covers = signet_gnutls_name_covers(name, size, host);
    }
  }
  gnutls_x509_crt_deinit(certificate);
  return covers;
}

static inline void signet_gnutls_server_names(void* trust_list, signet_bytes leaf, char* out,
                                              size_t size) {
  char name[256];
  size_t length = 0;
  size_t used = 0;
  unsigned int index = 0;
  gnutls_x509_crt_t certificate = signet_gnutls_certificate(leaf);
  (void)trust_list;
  while (certificate != NULL &&
         signet_gnutls_next_name(certificate, &index, name, sizeof name, &length)) {
    const char* separator = used == 0 ? "" : ", ";
    if (used + strlen(separator) + length >= size) break;
    memcpy(out + used, separator, strlen(separator));
    used += strlen(separator);
    memcpy(out + used, name, length);
    used += length;
  }
  if (size > 0) out[used] = '\0';
  if (certificate != NULL) gnutls_x509_crt_deinit(certificate);
}

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_GNUTLS_H_ */
