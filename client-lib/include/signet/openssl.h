/* signet/openssl.h: the adapter for OpenSSL 3 and BoringSSL: fills a signet_tls from an SSL, keeps
 * its ClientHello, and checks the chain of an answer. Header-only: libsignet itself knows neither;
 * link libssl and libcrypto. BoringSSL can't verify ed448 nor rsa_pss_pss_*: a server names the
 * others in the signature_schemes of its requests.
 *
 * Conventions: see connection.h. Static inline functions only, no globals. The OpenSSL error queue
 * of the thread is left as it was found, so that SSL_get_error() is not misled.
 * Sources: RFC 9261 section 5.1 (exporter), RFC 8446 sections 4.2.3 (schemes) and 7.5. */
#ifndef SIGNET_OPENSSL_H_
#define SIGNET_OPENSSL_H_

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <signet/connection.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fills `out`; `ssl` must outlive the session or requester made with it. SIGNET_ERROR_STATE while
 * the handshake is not complete (a server: until the client's Finished was verified, whatever was
 * read or written early): call again. SIGNET_ERROR_TLS when this connection can never carry
 * authenticators: not TLS 1.3, or a cipher suite whose hash is neither SHA-256 nor SHA-384; go on
 * without a session or requester, and nothing is advertised. */
static inline signet_status signet_openssl_tls(SSL* ssl, signet_tls* out);

/* For client_hello of the configurations: on either side, before the handshake. `kept`, which must
 * be empty, gets the last ClientHello of the connection, and stays empty when memory runs out. It
 * stays where it is until signet_openssl_forget_client_hello, which is called once, while `ssl` is
 * there: best when the session or requester is made, which has its own copy. This takes the message
 * callback of `ssl`: whoever has one of their own calls signet_openssl_note_message from it
 * instead, with the same arguments and `kept` as the last. With Encrypted ClientHello it is the
 * outer one. */
static inline void signet_openssl_keep_client_hello(SSL* ssl, signet_bytes* kept);
static inline void signet_openssl_note_message(int is_write, int version, int content_type,
                                               const void* message, size_t size, SSL* ssl,
                                               void* kept);
static inline void signet_openssl_forget_client_hello(SSL* ssl, signet_bytes* kept);

/* For signet_requester_prove: the schemes that a private or public key can sign with, best first;
 * writes up to `capacity` and returns how many there are (0, 1 or 3). */
static inline size_t signet_openssl_schemes(const EVP_PKEY* key, uint16_t* out, size_t capacity);

/* For signet_requester_proof_signed: signs `message` with a key that this process has. `size` is
 * the room in `signature` (EVP_PKEY_size is enough), then how much of it was used. 0 when key and
 * scheme do not fit, or the key can't sign. It is as slow as the key is. */
static inline int signet_openssl_sign(EVP_PKEY* key, uint16_t scheme, signet_bytes message,
                                      uint8_t* signature, size_t* size);

/* 1 when the chain (DER, leaf first, as in signet_answer) leads to an anchor of `store` within its
 * name constraints and the leaf is good for TLS clients now; otherwise 0 and a reason in `why`
 * (static storage; may be NULL). Keys and signatures below 112 bits of security are refused
 * (OpenSSL security level 2). What else the store says holds too: with X509_V_FLAG_CRL_CHECK in
 * X509_STORE_set_flags and lists from X509_STORE_add_crl, revoked certificates are refused. */
static inline int signet_openssl_verify_chain(X509_STORE* store, const signet_bytes* chain,
                                              size_t count, const char** why);

/* What signet_openssl_check_chain goes by. One may serve many connections and threads. */
typedef struct signet_openssl_trust {
  X509_STORE* store; /* borrowed */
  /* NULL, or called for each certificate of a chain that is good so far, leaf first, except the
   * anchor: is it revoked? Returns 1 if not, else 0, for example by asking OCSP (RFC 6960), whose
   * responses should be at hand: the connection waits. `user` is user_of_revocation. */
  int (*not_revoked)(void* user, X509* certificate, X509* issuer);
  void* user_of_revocation;
} signet_openssl_trust;

/* For verify_chain of a signet_requester_config; its chain_user is a signet_openssl_trust. */
static inline int signet_openssl_check_chain(void* trust, uint64_t request,
                                             const signet_bytes* chain, size_t count,
                                             const char** why);

/* For verify_server_chain, covers_host and server_names of a signet_session_config; its server_user
 * is a signet_openssl_trust. A chain is held to the same as signet_openssl_check_chain holds it,
 * but for TLS servers, whatever names it has; who asks for a name, asks covers_host: an iPAddress
 * of the leaf for an IP address, a dNSName for others, in which "*" may stand for the whole first
 * label; never the common name (RFC 9525). The names are dNSNames. */
static inline int signet_openssl_check_server_chain(void* trust, const signet_bytes* chain,
                                                    size_t count, const char** why);
static inline int signet_openssl_covers_host(void* trust, signet_bytes leaf, const char* host);
static inline void signet_openssl_server_names(void* trust, signet_bytes leaf, char* out,
                                               size_t size);

/* -- implementation -------------------------------------------------------------------------- */

#ifdef OPENSSL_IS_BORINGSSL /* where the two differ; the one place */

static inline int signet_openssl_prf(const SSL_CIPHER* cipher) {
  return SSL_CIPHER_get_prf_nid(cipher);
}

static inline int signet_openssl_curve(const EVP_PKEY* key) {
  const EC_KEY* ec = EVP_PKEY_get0_EC_KEY(key);
  const EC_GROUP* group = ec != NULL ? EC_KEY_get0_group(ec) : NULL;
  return group != NULL ? EC_GROUP_get_curve_name(group) : NID_undef;
}

/* No security levels: signet_openssl_weakness looks at the chain that was found instead. */
static inline void signet_openssl_raise_level(X509_VERIFY_PARAM* param) { (void)param; }

static inline int signet_openssl_is_weak(X509* certificate, int is_anchor) {
  EVP_PKEY* key = X509_get_pubkey(certificate);
  int least = key != NULL && EVP_PKEY_id(key) == EVP_PKEY_RSA ? 2048 : 224;
  int weak = key == NULL || EVP_PKEY_bits(key) < least;
  EVP_PKEY_free(key);
  int digest = NID_undef; /* of RSA-PSS and EdDSA, of which only strong ones are known */
  int key_type = NID_undef;
  OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest, &key_type);
  return weak || (!is_anchor && (digest == NID_sha1 || digest == NID_md5));
}

static inline const char* signet_openssl_weakness(X509_STORE_CTX* context) {
  STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context);
  size_t count = sk_X509_num(chain);
  for (size_t i = 0; i < count; ++i) {
    if (signet_openssl_is_weak(sk_X509_value(chain, i), i + 1 == count)) {
      return "a key or a signature of the chain is too weak";
    }
  }
  return NULL;
}

#else

static inline int signet_openssl_prf(const SSL_CIPHER* cipher) {
  const EVP_MD* md = SSL_CIPHER_get_handshake_digest(cipher);
  return md != NULL ? EVP_MD_get_type(md) : NID_undef;
}

static inline int signet_openssl_curve(const EVP_PKEY* key) {
  char group[32];
  size_t size = 0;
  return EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 ? OBJ_txt2nid(group)
                                                                       : NID_undef;
}

static inline void signet_openssl_raise_level(X509_VERIFY_PARAM* param) {
  if (X509_VERIFY_PARAM_get_auth_level(param) < 2) X509_VERIFY_PARAM_set_auth_level(param, 2);
}

static inline const char* signet_openssl_weakness(X509_STORE_CTX* context) {
  (void)context; /* X509_verify_cert has refused what is below the level */
  return NULL;
}

#endif

static inline const EVP_MD* signet_openssl_md(signet_hash hash) {
  return hash == SIGNET_HASH_SHA256   ? EVP_sha256()
         : hash == SIGNET_HASH_SHA384 ? EVP_sha384()
                                      : NULL;
}

static inline int signet_openssl_export(void* user, const char* label, uint8_t* out,
                                        size_t out_size) {
  static const unsigned char empty = 0;
  ERR_set_mark();
  int done = SSL_export_keying_material((SSL*)user, out, out_size, label, strlen(label), &empty, 0,
                                        1) == 1;
  ERR_pop_to_mark();
  return done;
}

static inline int signet_openssl_digest(void* user, signet_hash hash, const signet_bytes* parts,
                                        size_t count, uint8_t* out) {
  (void)user;
  ERR_set_mark();
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  int done = context != NULL && EVP_DigestInit_ex(context, signet_openssl_md(hash), NULL) == 1;
  for (size_t i = 0; done && i < count; ++i) {
    done = EVP_DigestUpdate(context, parts[i].data, parts[i].size) == 1;
  }
  done = done && EVP_DigestFinal_ex(context, out, NULL) == 1;
  EVP_MD_CTX_free(context);
  ERR_pop_to_mark();
  return done;
}

static inline int signet_openssl_hmac(void* user, signet_hash hash, signet_bytes key,
                                      signet_bytes data, uint8_t* out) {
  (void)user;
  if (key.size > INT_MAX) return 0;
  ERR_set_mark();
  int done = HMAC(signet_openssl_md(hash), key.data, (int)key.size, data.data, data.size, out,
                  NULL) != NULL;
  ERR_pop_to_mark();
  return done;
}

static inline int signet_openssl_random(void* user, uint8_t* out, size_t size) {
  (void)user;
  if (size > INT_MAX) return 0;
  ERR_set_mark();
  int done = RAND_bytes(out, (int)size) == 1;
  ERR_pop_to_mark();
  return done;
}

/* What a TLS 1.3 SignatureScheme asks of the key. */
typedef struct signet_openssl_scheme {
  int key_type;     /* EVP_PKEY_...; EVP_PKEY_NONE = not a scheme of TLS 1.3 CertificateVerify */
  int curve;        /* ECDSA: NID */
  const EVP_MD* md; /* NULL for EdDSA */
} signet_openssl_scheme;

static inline signet_openssl_scheme signet_openssl_scheme_of(uint16_t scheme) {
  signet_openssl_scheme found = {EVP_PKEY_NONE, NID_undef, NULL};
  switch (scheme) {
    case 0x0403: /* ecdsa_secp256r1_sha256 */
      found.key_type = EVP_PKEY_EC, found.curve = NID_X9_62_prime256v1, found.md = EVP_sha256();
      break;
    case 0x0503: /* ecdsa_secp384r1_sha384 */
      found.key_type = EVP_PKEY_EC, found.curve = NID_secp384r1, found.md = EVP_sha384();
      break;
    case 0x0603: /* ecdsa_secp521r1_sha512 */
      found.key_type = EVP_PKEY_EC, found.curve = NID_secp521r1, found.md = EVP_sha512();
      break;
    case 0x0804: /* rsa_pss_rsae_* */
      found.key_type = EVP_PKEY_RSA, found.md = EVP_sha256();
      break;
    case 0x0805:
      found.key_type = EVP_PKEY_RSA, found.md = EVP_sha384();
      break;
    case 0x0806:
      found.key_type = EVP_PKEY_RSA, found.md = EVP_sha512();
      break;
    case 0x0807:
      found.key_type = EVP_PKEY_ED25519;
      break;
    case 0x0808:
      found.key_type = EVP_PKEY_ED448;
      break;
    case 0x0809: /* rsa_pss_pss_* */
      found.key_type = EVP_PKEY_RSA_PSS, found.md = EVP_sha256();
      break;
    case 0x080a:
      found.key_type = EVP_PKEY_RSA_PSS, found.md = EVP_sha384();
      break;
    case 0x080b:
      found.key_type = EVP_PKEY_RSA_PSS, found.md = EVP_sha512();
      break;
  }
  return found;
}

static inline int signet_openssl_key_fits(const EVP_PKEY* key, signet_openssl_scheme scheme) {
  if (scheme.key_type == EVP_PKEY_NONE || EVP_PKEY_base_id(key) != scheme.key_type) return 0;
  return scheme.key_type != EVP_PKEY_EC || signet_openssl_curve(key) == scheme.curve;
}

/* NULL unless all of the bytes are one certificate. */
static inline X509* signet_openssl_certificate(signet_bytes der) {
  const unsigned char* end = der.data;
  if (der.size > LONG_MAX) return NULL;
  X509* certificate = d2i_X509(NULL, &end, (long)der.size);
  if (certificate != NULL && end != der.data + der.size) {
    X509_free(certificate);
    return NULL;
  }
  return certificate;
}

static inline int signet_openssl_set_padding(EVP_PKEY_CTX* context, signet_openssl_scheme scheme) {
  if (scheme.key_type != EVP_PKEY_RSA && scheme.key_type != EVP_PKEY_RSA_PSS) return 1;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, scheme.md) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, -1 /* as the digest */) == 1;
}

static inline int signet_openssl_verify_with(EVP_PKEY* key, uint16_t scheme_code,
                                             signet_bytes message, signet_bytes signature) {
  signet_openssl_scheme scheme = signet_openssl_scheme_of(scheme_code);
  if (!signet_openssl_key_fits(key, scheme)) return 0;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* key_context = NULL; /* owned by context */
  int good =
      context != NULL && EVP_DigestVerifyInit(context, &key_context, scheme.md, NULL, key) == 1;
  good = good && signet_openssl_set_padding(key_context, scheme);
  good = good &&
         EVP_DigestVerify(context, signature.data, signature.size, message.data, message.size) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

static inline size_t signet_openssl_schemes(const EVP_PKEY* key, uint16_t* out, size_t capacity) {
  static const uint16_t all[] = {0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806,
                                 0x0807, 0x0808, 0x0809, 0x080a, 0x080b};
  size_t count = 0;
  for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i) {
    if (!signet_openssl_key_fits(key, signet_openssl_scheme_of(all[i]))) continue;
    if (count < capacity) out[count] = all[i];
    ++count;
  }
  return count;
}

static inline int signet_openssl_sign(EVP_PKEY* key, uint16_t scheme_code, signet_bytes message,
                                      uint8_t* signature, size_t* size) {
  signet_openssl_scheme scheme = signet_openssl_scheme_of(scheme_code);
  if (signature == NULL || !signet_openssl_key_fits(key, scheme)) return 0;
  ERR_set_mark();
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* key_context = NULL; /* owned by context */
  int done = context != NULL &&
             EVP_DigestSignInit(context, &key_context, scheme.md, NULL, key) == 1 &&
             signet_openssl_set_padding(key_context, scheme) &&
             EVP_DigestSign(context, signature, size, message.data, message.size) == 1;
  EVP_MD_CTX_free(context);
  ERR_pop_to_mark();
  return done;
}

static inline int signet_openssl_verify(void* user, signet_bytes certificate, uint16_t scheme,
                                        signet_bytes message, signet_bytes signature) {
  (void)user;
  ERR_set_mark();
  X509* x509 = signet_openssl_certificate(certificate);
  EVP_PKEY* key = x509 != NULL ? X509_get_pubkey(x509) : NULL;
  int good = key != NULL && signet_openssl_verify_with(key, scheme, message, signature);
  EVP_PKEY_free(key);
  X509_free(x509);
  ERR_pop_to_mark();
  return good;
}

static inline signet_status signet_openssl_tls(SSL* ssl, signet_tls* out) {
  if (ssl == NULL || out == NULL) return SIGNET_ERROR_ARGUMENT;
  if (!SSL_is_init_finished(ssl)) return SIGNET_ERROR_STATE;
  if (SSL_version(ssl) != TLS1_3_VERSION) return SIGNET_ERROR_TLS;
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  int prf = cipher != NULL ? signet_openssl_prf(cipher) : NID_undef;
  if (prf != NID_sha256 && prf != NID_sha384) return SIGNET_ERROR_TLS;
  memset(out, 0, sizeof *out);
  out->size = sizeof *out;
  out->user = ssl;
  out->hash = prf == NID_sha256 ? SIGNET_HASH_SHA256 : SIGNET_HASH_SHA384;
  out->export_keying_material = signet_openssl_export;
  out->digest = signet_openssl_digest;
  out->hmac = signet_openssl_hmac;
  out->random = signet_openssl_random;
  out->verify = signet_openssl_verify;
  return SIGNET_OK;
}

static inline void signet_openssl_note_message(int is_write, int version, int content_type,
                                               const void* message, size_t size, SSL* ssl,
                                               void* kept) {
  signet_bytes* hello = (signet_bytes*)kept;
  (void)is_write, (void)version, (void)ssl;
  if (content_type != SSL3_RT_HANDSHAKE || size == 0 || *(const uint8_t*)message != 1) return;
  OPENSSL_free((void*)hello->data);
  hello->data = (const uint8_t*)OPENSSL_memdup(message, size);
  hello->size = hello->data != NULL ? size : 0;
}

static inline void signet_openssl_keep_client_hello(SSL* ssl, signet_bytes* kept) {
  SSL_set_msg_callback(ssl, signet_openssl_note_message);
  SSL_set_msg_callback_arg(ssl, kept);
}

static inline void signet_openssl_forget_client_hello(SSL* ssl, signet_bytes* kept) {
  SSL_set_msg_callback(ssl, NULL);
  SSL_set_msg_callback_arg(ssl, NULL);
  OPENSSL_free((void*)kept->data);
  kept->data = NULL;
  kept->size = 0;
}

/* The certificates after the leaf, or NULL when one is not a certificate or memory ran out. */
static inline STACK_OF(X509) * signet_openssl_rest(const signet_bytes* chain, size_t count) {
  STACK_OF(X509)* rest = sk_X509_new_null();
  for (size_t i = 1; rest != NULL && i < count; ++i) {
    X509* certificate = signet_openssl_certificate(chain[i]);
    if (certificate == NULL || sk_X509_push(rest, certificate) <= 0) {
      X509_free(certificate);
      sk_X509_pop_free(rest, X509_free);
      return NULL;
    }
  }
  return rest;
}

static inline const char* signet_openssl_revocation_fault(const signet_openssl_trust* trust,
                                                          const STACK_OF(X509) * chain) {
  if (trust->not_revoked == NULL) return NULL;
  int anchor = (int)sk_X509_num(chain) - 1;
  for (int i = 0; i < anchor; ++i) {
    if (!trust->not_revoked(trust->user_of_revocation, sk_X509_value(chain, i),
                            sk_X509_value(chain, i + 1))) {
      return "certificate revoked, or nobody could say that it is not";
    }
  }
  return NULL;
}

static inline const char* signet_openssl_chain_fault(X509_STORE_CTX* context,
                                                     const signet_openssl_trust* trust,
                                                     const char* purpose, X509* leaf,
                                                     STACK_OF(X509) * rest) {
  if (X509_STORE_CTX_init(context, trust->store, leaf, rest) != 1 ||
      X509_STORE_CTX_set_default(context, purpose) != 1) {
    return "the check of the chain could not be set up";
  }
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context);
  signet_openssl_raise_level(param);
  if (X509_verify_cert(context) != 1) {
    return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  }
  const char* weakness = signet_openssl_weakness(context);
  if (weakness != NULL) return weakness;
  /* Purposes are about TLS 1.2 too, where key agreement is enough (RFC 8446 section 4.4.2.2). */
  if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0) {
    return "the key usage of the leaf has no digitalSignature";
  }
  return signet_openssl_revocation_fault(trust, X509_STORE_CTX_get0_chain(context));
}

/* `purpose` is a name of X509_VERIFY_PARAM_lookup. */
static inline int signet_openssl_check_chain_for(const char* purpose, void* trust,
                                                 const signet_bytes* chain, size_t count,
                                                 const char** why) {
  const char* fault = "a certificate of the chain can't be read";
  ERR_set_mark();
  X509* leaf = count > 0 ? signet_openssl_certificate(chain[0]) : NULL;
  STACK_OF(X509)* rest = leaf != NULL ? signet_openssl_rest(chain, count) : NULL;
  X509_STORE_CTX* context = rest != NULL ? X509_STORE_CTX_new() : NULL;
  if (context != NULL) {
    fault = signet_openssl_chain_fault(context, (const signet_openssl_trust*)trust, purpose, leaf,
                                       rest);
  }
  X509_STORE_CTX_free(context);
  sk_X509_pop_free(rest, X509_free);
  X509_free(leaf);
  ERR_pop_to_mark();
  if (fault != NULL && why != NULL) *why = fault;
  return fault == NULL;
}

static inline int signet_openssl_check_chain(void* trust, uint64_t request,
                                             const signet_bytes* chain, size_t count,
                                             const char** why) {
  (void)request;
  return signet_openssl_check_chain_for("ssl_client", trust, chain, count, why);
}

static inline int signet_openssl_check_server_chain(void* trust, const signet_bytes* chain,
                                                    size_t count, const char** why) {
  return signet_openssl_check_chain_for("ssl_server", trust, chain, count, why);
}

static inline int signet_openssl_covers_host(void* trust, signet_bytes leaf, const char* host) {
  (void)trust;
  if (host[0] == '\0' || host[0] == '.') return 0; /* to OpenSSL any name, any subdomain */
  ERR_set_mark();
  X509* certificate = signet_openssl_certificate(leaf);
  int covers = 0;
  if (certificate != NULL) {
    covers = X509_check_ip_asc(certificate, host, 0);
    if (covers == -2) { /* no IP address */
      covers = X509_check_host(
          certificate, host, strlen(host),
          X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL);
    }
  }
  X509_free(certificate);
  ERR_pop_to_mark();
  return covers == 1;
}

static inline void signet_openssl_server_names(void* trust, signet_bytes leaf, char* out,
                                               size_t size) {
  size_t used = 0;
  (void)trust;
  ERR_set_mark();
  X509* certificate = signet_openssl_certificate(leaf);
  GENERAL_NAMES* names = NULL;
  if (certificate != NULL) {
    names = (GENERAL_NAMES*)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  }
  for (int i = 0; names != NULL && i < (int)sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS) continue;
    const char* separator = used == 0 ? "" : ", ";
    size_t length = (size_t)ASN1_STRING_length(name->d.dNSName);
    if (used + strlen(separator) + length >= size) break;
    memcpy(out + used, separator, strlen(separator));
    used += strlen(separator);
    memcpy(out + used, ASN1_STRING_get0_data(name->d.dNSName), length);
    used += length;
  }
  if (size > 0) out[used] = '\0';
  GENERAL_NAMES_free(names);
  X509_free(certificate);
  ERR_pop_to_mark();
}

static inline int signet_openssl_verify_chain(X509_STORE* store, const signet_bytes* chain,
                                              size_t count, const char** why) {
  signet_openssl_trust trust = {store, NULL, NULL};
  return signet_openssl_check_chain(&trust, 0, chain, count, why);
}

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_OPENSSL_H_ */
