#include "tests/support/test_ca.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <utility>

namespace signet::test {
namespace {

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

void Require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("test CA: ") + what);
}

X509Ptr Parse(const Der& der) {
  const uint8_t* next = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &next, static_cast<long>(der.size())), X509_free);
  Require(certificate != nullptr, "parse certificate");
  return certificate;
}

Der Encode(X509* certificate) {
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  Require(size > 0, "encode certificate");
  Der out(der, der + size);
  OPENSSL_free(der);
  return out;
}

void AddNameEntry(X509_NAME* name, const char* field, const std::string& value) {
  if (value.empty()) return;
  Require(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                     reinterpret_cast<const uint8_t*>(value.data()),
                                     static_cast<int>(value.size()), -1, 0) == 1,
          "subject");
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), X509_EXTENSION_free);
  Require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

void SetSerial(X509* certificate) {
  std::unique_ptr<BIGNUM, decltype(&BN_free)> serial(BN_new(), BN_free);
  Require(BN_rand(serial.get(), 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr,
          "serial number");
}

void SignCertificate(X509* certificate, EVP_PKEY* key, const CertificateOptions& options) {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free);
  const bool eddsa = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
  EVP_PKEY_CTX* key_context = nullptr;
  Require(
      EVP_DigestSignInit_ex(context.get(), &key_context, eddsa ? nullptr : options.digest.c_str(),
                            nullptr, nullptr, key, nullptr) == 1,
      "sign");
  if (options.rsa_pss || EVP_PKEY_is_a(key, "RSA-PSS")) {
    Require(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1, "padding");
    Require(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1, "salt");
  }
  Require(X509_sign_ctx(certificate, context.get()) > 0, "sign");
}

// `issuer` null: self-signed.
Der Make(std::span<const uint8_t> public_key, const CertificateOptions& options,
         const Der* issuer_der, const TestKey& issuer_key) {
  const uint8_t* next = public_key.data();
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> subject_key(
      d2i_PUBKEY(nullptr, &next, static_cast<long>(public_key.size())), EVP_PKEY_free);
  Require(subject_key != nullptr, "parse public key");

  X509Ptr certificate(X509_new(), X509_free);
  Require(certificate != nullptr, "allocate");
  Require(X509_set_version(certificate.get(), options.version_1 ? X509_VERSION_1 : X509_VERSION_3),
          "version");
  SetSerial(certificate.get());
  AddNameEntry(X509_get_subject_name(certificate.get()), "O", options.organization);
  AddNameEntry(X509_get_subject_name(certificate.get()), "CN", options.common_name);
  using std::chrono::system_clock;
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()),
                system_clock::to_time_t(options.not_before));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), system_clock::to_time_t(options.not_after));
  if (options.no_end) {
    Require(ASN1_TIME_set_string(X509_getm_notAfter(certificate.get()), "99991231235959Z") == 1,
            "not after");
  }
  Require(X509_set_pubkey(certificate.get(), subject_key.get()) == 1, "public key");

  X509Ptr parsed_issuer(nullptr, X509_free);
  if (issuer_der != nullptr) parsed_issuer = Parse(*issuer_der);
  X509* issuer = parsed_issuer ? parsed_issuer.get() : certificate.get();
  Require(X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer)) == 1, "issuer");
  if (!options.version_1) {
    AddExtension(certificate.get(), issuer, NID_basic_constraints, options.basic_constraints);
    AddExtension(certificate.get(), issuer, NID_key_usage, options.key_usage);
    AddExtension(certificate.get(), issuer, NID_ext_key_usage, options.extended_key_usage);
    AddExtension(certificate.get(), issuer, NID_name_constraints, options.name_constraints);
    AddExtension(certificate.get(), issuer, NID_subject_alt_name, options.subject_alt_names);
    AddExtension(certificate.get(), issuer, NID_netscape_comment, options.comment);
    AddExtension(certificate.get(), issuer, NID_subject_key_identifier, "hash");
    if (issuer_der != nullptr) {
      AddExtension(certificate.get(), issuer, NID_authority_key_identifier, "keyid");
    }
  }
  SignCertificate(certificate.get(), issuer_key.get(), options);
  return Encode(certificate.get());
}

CertificateOptions AuthorityOptions(const std::string& common_name) {
  CertificateOptions options;
  options.common_name = common_name;
  options.key_usage = "critical,keyCertSign,cRLSign";
  options.extended_key_usage.clear();
  options.basic_constraints = "critical,CA:TRUE";
  return options;
}

}  // namespace

TestCa::TestCa(TestKey key, Der certificate)
    : key_(std::move(key)), certificate_(std::move(certificate)) {}

TestCa TestCa::Root(const std::string& common_name, TestKeyType type) {
  TestKey key = TestKey::Generate(type);
  Der certificate = SelfSigned(key, AuthorityOptions(common_name));
  return TestCa(std::move(key), std::move(certificate));
}

TestCa TestCa::WithCertificate(TestKey key, Der certificate) {
  return TestCa(std::move(key), std::move(certificate));
}

TestCa TestCa::Intermediate(const std::string& common_name, TestKeyType type) const {
  TestKey key = TestKey::Generate(type);
  Der certificate = Issue(key.public_key(), AuthorityOptions(common_name));
  return TestCa(std::move(key), std::move(certificate));
}

Der TestCa::Issue(std::span<const uint8_t> public_key, const CertificateOptions& options) const {
  return Make(public_key, options, &certificate_, key_);
}

Der TestCa::RevocationList(const std::vector<Der>& revoked) const {
  std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> list(X509_CRL_new(), X509_CRL_free);
  std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> now(X509_gmtime_adj(nullptr, -3600),
                                                            ASN1_TIME_free);
  std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> next(X509_gmtime_adj(nullptr, 86400),
                                                             ASN1_TIME_free);
  Require(X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(list.get(),
                                       X509_get_subject_name(Parse(certificate_).get())) == 1 &&
              X509_CRL_set1_lastUpdate(list.get(), now.get()) == 1 &&
              X509_CRL_set1_nextUpdate(list.get(), next.get()) == 1,
          "revocation list");
  for (const Der& certificate : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(Parse(certificate).get()));
    X509_REVOKED_set_revocationDate(entry, now.get());
    Require(X509_CRL_add0_revoked(list.get(), entry) == 1, "revoked certificate");
  }
  X509_CRL_sort(list.get());
  Require(X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) > 0, "sign revocation list");
  uint8_t* der = nullptr;
  const int size = i2d_X509_CRL(list.get(), &der);
  Require(size > 0, "encode revocation list");
  Der out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Der TestCa::subject() const {
  uint8_t* der = nullptr;
  const int size = i2d_X509_NAME(X509_get_subject_name(Parse(certificate_).get()), &der);
  Require(size > 0, "encode name");
  Der out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Der SelfSigned(const TestKey& key, const CertificateOptions& options) {
  return Make(key.public_key(), options, nullptr, key);
}

std::string ToPem(const std::vector<Der>& certificates) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  for (const Der& certificate : certificates) {
    Require(PEM_write_bio_X509(bio.get(), Parse(certificate).get()) == 1, "encode PEM");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

Der FromHex(const std::string& hex) {
  long size = 0;
  uint8_t* bytes = OPENSSL_hexstr2buf(hex.c_str(), &size);
  Require(bytes != nullptr, "hex");
  Der out(bytes, bytes + size);
  OPENSSL_free(bytes);
  return out;
}

}  // namespace signet::test
