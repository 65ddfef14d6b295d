#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdexcept>

#include "tests/support/test_ca.h"

namespace signet::test {
namespace {

void Require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("test key: ") + what);
}

const char* DigestOf(uint16_t scheme) {
  switch (scheme) {
    case 0x0401:
    case 0x0403:
    case 0x0804:
    case 0x0809:
      return "SHA256";
    case 0x0501:
    case 0x0503:
    case 0x0805:
    case 0x080a:
      return "SHA384";
    case 0x0601:
    case 0x0603:
    case 0x0806:
    case 0x080b:
      return "SHA512";
    default:
      return nullptr;  // EdDSA
  }
}

}  // namespace

TestKey::TestKey(EVP_PKEY* key) : key_(key, EVP_PKEY_free) { Require(key != nullptr, "make"); }

TestKey TestKey::Generate(TestKeyType type) {
  switch (type) {
    case TestKeyType::kP256:
      return TestKey(EVP_EC_gen("P-256"));
    case TestKeyType::kP384:
      return TestKey(EVP_EC_gen("P-384"));
    case TestKeyType::kP521:
      return TestKey(EVP_EC_gen("P-521"));
    case TestKeyType::kRsa2048:
      return TestKey(EVP_RSA_gen(2048));
    case TestKeyType::kRsaPss2048: {
      EVP_PKEY* key = nullptr;
      std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
          EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr), EVP_PKEY_CTX_free);
      Require(EVP_PKEY_keygen_init(context.get()) == 1, "keygen");
      Require(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048) == 1, "bits");
      Require(EVP_PKEY_keygen(context.get(), &key) == 1, "keygen");
      return TestKey(key);
    }
    case TestKeyType::kEd25519:
      return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    case TestKeyType::kEd448:
      return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"));
  }
  throw std::runtime_error("test key: unknown type");
}

TestKey TestKey::FromPkcs8(std::span<const uint8_t> der) {
  const uint8_t* next = der.data();
  return TestKey(d2i_AutoPrivateKey(nullptr, &next, static_cast<long>(der.size())));
}

Der TestKey::public_key() const {
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  Require(size > 0, "encode public key");
  Der out(der, der + size);
  OPENSSL_free(der);
  return out;
}

std::string TestKey::private_pem() const {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  Require(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1,
          "encode private key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

Der TestKey::Sign(uint16_t scheme, std::span<const uint8_t> message) const {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free);
  EVP_PKEY_CTX* key_context = nullptr;
  Require(EVP_DigestSignInit_ex(context.get(), &key_context, DigestOf(scheme), nullptr, nullptr,
                                key_.get(), nullptr) == 1,
          "sign");
  if ((scheme & 0xff00) == 0x0800 && DigestOf(scheme) != nullptr) {
    Require(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1, "padding");
    Require(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1, "salt");
  }
  size_t size = 0;
  Require(EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1,
          "sign");
  Der signature(size);
  Require(
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1,
      "sign");
  signature.resize(size);
  return signature;
}

}  // namespace signet::test
