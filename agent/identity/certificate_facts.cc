#include "agent/identity/certificate_facts.h"

#include <openssl/obj_mac.h>

#include <ctime>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/identity/key_usage.h"
#include "agent/identity/openssl.h"

namespace signet::agent {
namespace {

using wire::SignatureScheme;

std::vector<SignatureScheme> ByDigest(int digest, std::vector<SignatureScheme> sha256,
                                      std::vector<SignatureScheme> sha384,
                                      std::vector<SignatureScheme> sha512) {
  if (digest == NID_sha256) return sha256;
  if (digest == NID_sha384) return sha384;
  if (digest == NID_sha512) return sha512;
  return {};
}

// An ECDSA signature counts by its hash whatever the issuer's curve, as in OpenSSL and BoringSSL:
// an issuer that is not in the chain has no curve that anyone could look at.
std::vector<SignatureScheme> SchemesOf(X509* certificate) {
  int digest = NID_undef, algorithm = NID_undef;
  if (X509_get_signature_info(certificate, &digest, &algorithm, nullptr, nullptr) != 1) {
    ERR_clear_error();
    return {};
  }
  using enum SignatureScheme;
  switch (algorithm) {
    case NID_rsaEncryption:
      return ByDigest(digest, {kRsaPkcs1Sha256}, {kRsaPkcs1Sha384}, {kRsaPkcs1Sha512});
    case NID_rsassaPss:
      return ByDigest(digest, {kRsaPssRsaeSha256, kRsaPssPssSha256},
                      {kRsaPssRsaeSha384, kRsaPssPssSha384}, {kRsaPssRsaeSha512, kRsaPssPssSha512});
    case NID_X9_62_id_ecPublicKey:
      return ByDigest(digest, {kEcdsaSecp256r1Sha256}, {kEcdsaSecp384r1Sha384},
                      {kEcdsaSecp521r1Sha512});
    case NID_ED25519:
      return {kEd25519};
    case NID_ED448:
      return {kEd448};
    default:
      return {};
  }
}

std::optional<std::chrono::sys_seconds> ToTimePoint(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&parts)));
}

std::string Rfc3339(const ASN1_TIME* time) {
  std::tm parts{};
  char text[32];
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts));
}

std::string Printed(const X509_NAME* name) {
  // UTF-8 as it is, control characters and separators escaped.
  constexpr unsigned long kFlags = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, kFlags);
  return Content(bio.get());
}

// The last one, as names are written from the general to the particular.
std::string CommonNameOf(const X509_NAME* name) {
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0;) last = at;
  if (last < 0) return {};
  uint8_t* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
  ERR_clear_error();
  if (size < 0) return {};
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

std::string SerialOf(const X509* certificate) {
  const OpenSslPtr<BIGNUM> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* hex = number ? BN_bn2hex(number.get()) : nullptr;
  if (hex == nullptr) return {};
  std::string serial(hex);
  OPENSSL_free(hex);
  return serial;
}

CertificateSummary SummaryOf(const X509* certificate) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest, &size);
  return {Printed(X509_get_subject_name(certificate)),
          Printed(X509_get_issuer_name(certificate)),
          SerialOf(certificate),
          absl::BytesToHexString({reinterpret_cast<const char*>(digest), size}),
          Rfc3339(X509_get0_notBefore(certificate)),
          Rfc3339(X509_get0_notAfter(certificate))};
}

// Nothing for a certificate whose times can't be read.
std::optional<CertificateFacts> FactsOfOne(X509* certificate) {
  const auto not_before = ToTimePoint(X509_get0_notBefore(certificate));
  const auto not_after = ToTimePoint(X509_get0_notAfter(certificate));
  if (!not_before || !not_after) return std::nullopt;
  return CertificateFacts{EncodeDer(i2d_X509_NAME, X509_get_subject_name(certificate)),
                          EncodeDer(i2d_X509_NAME, X509_get_issuer_name(certificate)),
                          SchemesOf(certificate), *not_before, *not_after};
}

// The DER inside the extension with this NID.
std::optional<wire::Bytes> ExtensionValue(const X509* certificate, int nid) {
  const int index = X509_get_ext_by_NID(certificate, nid, -1);
  if (index < 0) return std::nullopt;
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(certificate, index));
  return wire::Bytes(ASN1_STRING_get0_data(value),
                     ASN1_STRING_get0_data(value) + ASN1_STRING_length(value));
}

absl::Status ReadLeaf(X509* certificate, ChainFacts& facts) {
  facts.summary = SummaryOf(certificate);
  facts.issuer_common_name = CommonNameOf(X509_get_issuer_name(certificate));
  facts.public_key.reset(X509_get_pubkey(certificate), OpenSslFree());
  ERR_clear_error();
  if (facts.public_key == nullptr) {
    return absl::InvalidArgumentError("certificate 1: its public key is of an unknown kind");
  }
  facts.public_key_info = EncodeDer(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(certificate));
  if (const auto value = ExtensionValue(certificate, NID_key_usage)) {
    facts.key_usage = ParseKeyUsage(*value);
    if (!facts.key_usage) return absl::InvalidArgumentError("certificate 1: malformed key usage");
  }
  if (const auto value = ExtensionValue(certificate, NID_ext_key_usage)) {
    facts.extended_key_usage = ParseExtendedKeyUsage(*value);
    if (!facts.extended_key_usage) {
      return absl::InvalidArgumentError("certificate 1: malformed extended key usage");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ChainFacts>> ReadChainFacts(
    const std::vector<wire::Bytes>& chain) {
  if (chain.empty()) return absl::InvalidArgumentError("the chain holds no certificate");
  auto facts = std::make_shared<ChainFacts>();
  for (size_t i = 0; i < chain.size(); ++i) {
    const OpenSslPtr<X509> certificate = DecodeDer(d2i_X509, chain[i]);
    std::optional<CertificateFacts> one;
    if (certificate != nullptr) one = FactsOfOne(certificate.get());
    if (!one) {
      return absl::InvalidArgumentError(
          absl::StrCat("certificate ", i + 1, ": not an X.509 certificate"));
    }
    facts->certificates.push_back(*std::move(one));
    if (i > 0) continue;
    if (absl::Status leaf = ReadLeaf(certificate.get(), *facts); !leaf.ok()) return leaf;
  }
  return facts;
}

std::shared_ptr<const ChainFacts> FactsOf(const Identity& identity) {
  if (identity.facts != nullptr || identity.chain.empty()) return identity.facts;
  absl::StatusOr<std::shared_ptr<const ChainFacts>> facts = ReadChainFacts(identity.chain);
  return facts.ok() ? *std::move(facts) : nullptr;
}

}  // namespace signet::agent
