/* signet/gnutls.h: the adapter for GnuTLS 3.7: fills a signet_tls from a gnutls_session_t, on TCP
 * or inside QUIC (ngtcp2_crypto_gnutls). Header-only: libsignet itself does not know GnuTLS; link
 * libgnutls. There is no check of chains here: a server looks at the chain of each answer itself.
 *
 * Conventions: see connection.h. Static inline functions only, no globals.
 * Sources: RFC 9261 section 5.1 (exporter), RFC 8446 sections 4.2.3 (schemes) and 7.5. */
#ifndef SIGNET_GNUTLS_H_
#define SIGNET_GNUTLS_H_

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

/* NULL for what is not a scheme of TLS 1.3 CertificateVerify. */
static inline const signet_gnutls_scheme* signet_gnutls_scheme_of(uint16_t code) {
  static const signet_gnutls_scheme schemes[] = {
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
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; ++i) {
    if (schemes[i].code == code) return &schemes[i];
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

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_GNUTLS_H_ */
