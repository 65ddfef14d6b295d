// Owners of OpenSSL's objects, for the core.
#ifndef SIGNET_AGENT_IDENTITY_OPENSSL_H_
#define SIGNET_AGENT_IDENTITY_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "ipc/wire/bytes.h"

namespace signet::agent {

struct OpenSslFree {
  void operator()(ASN1_BIT_STRING* object) const { ASN1_BIT_STRING_free(object); }
  void operator()(ASN1_OBJECT* object) const { ASN1_OBJECT_free(object); }
  void operator()(BIGNUM* object) const { BN_free(object); }
  void operator()(BIO* object) const { BIO_free(object); }
  void operator()(EVP_MD_CTX* object) const { EVP_MD_CTX_free(object); }
  void operator()(EVP_PKEY* object) const { EVP_PKEY_free(object); }
  void operator()(EXTENDED_KEY_USAGE* object) const {
    sk_ASN1_OBJECT_pop_free(object, ASN1_OBJECT_free);
  }
  void operator()(GENERAL_NAMES* object) const { GENERAL_NAMES_free(object); }
  void operator()(STACK_OF(X509_EXTENSION) * object) const {
    sk_X509_EXTENSION_pop_free(object, X509_EXTENSION_free);
  }
  void operator()(X509* object) const { X509_free(object); }
  void operator()(X509_ALGOR* object) const { X509_ALGOR_free(object); }
  void operator()(X509_NAME* object) const { X509_NAME_free(object); }
  void operator()(X509_REQ* object) const { X509_REQ_free(object); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslFree>;

// The DER of an object by its i2d function; empty on failure.
template <typename T>
wire::Bytes EncodeDer(int (*i2d)(T, uint8_t**), std::remove_const_t<T> object) {
  uint8_t* der = nullptr;
  const int size = i2d(object, &der);
  if (size <= 0) return {};
  wire::Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

// All of `der` must be the object, else null. Leaves OpenSSL's error queue empty.
template <typename T>
OpenSslPtr<T> DecodeDer(T* (*d2i)(T**, const uint8_t**, long), wire::BytesView der) {
  const uint8_t* next = der.data();
  OpenSslPtr<T> object(d2i(nullptr, &next, static_cast<long>(der.size())));
  ERR_clear_error();
  if (object != nullptr && next != der.data() + der.size()) object.reset();
  return object;
}

// What was written to a memory BIO.
inline std::string Content(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_OPENSSL_H_
