#include "agent/authentication/signed_content.h"

#include <openssl/asn1.h>
#include <openssl/x509.h>

#include <algorithm>
#include <string_view>

#include "agent/identity/openssl.h"

namespace signet::agent {
namespace {

constexpr size_t kPadding = 64;
constexpr size_t kHashSizes[] = {32, 48};
constexpr size_t kMaxRequest = 64 * 1024;  // of a certificate request

// What follows the padding: the context string up to its zero. Nothing without padding.
std::optional<std::string_view> ContextString(wire::BytesView content) {
  if (content.size() <= kPadding || !std::all_of(content.begin(), content.begin() + kPadding,
                                                 [](uint8_t b) { return b == ' '; })) {
    return std::nullopt;
  }
  const std::string_view rest(reinterpret_cast<const char*>(content.data()) + kPadding,
                              content.size() - kPadding);
  const size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  return rest.substr(0, end);
}

SignedContent Refused(std::string why) { return {std::nullopt, {}, std::move(why)}; }

SignedContent ReadVerify(std::string_view context, size_t hash_size) {
  if (context == "TLS 1.3, server CertificateVerify") {
    return Refused(
        "no purpose: this signs a TLS server's handshake, which no rule can allow a program to do; "
        "use an identity's key as a client");
  }
  const bool is_authenticator = context == "Exported Authenticator";
  if (!is_authenticator && context != "TLS 1.3, client CertificateVerify") {
    return Refused("no purpose: a CertificateVerify of an unknown context");
  }
  const Purpose purpose = is_authenticator ? Purpose::kServer : Purpose::kTlsClient;
  if (std::ranges::find(kHashSizes, hash_size) == std::end(kHashSizes)) {
    return Refused("purpose " + std::string(Name(purpose)) +
                   ": the transcript hash is as long as neither SHA-256 nor SHA-384");
  }
  return {purpose};
}

// As a whole request with an empty signature: OpenSSL reads nothing less.
wire::Bytes WithEmptySignature(wire::BytesView info) {
  constexpr uint8_t kEmptySignature[] = {0x30, 0x05, 0x06, 0x03, 0x2b,
                                         0x65, 0x70, 0x03, 0x01, 0x00};  // Ed25519, no bits
  const int size = static_cast<int>(info.size() + sizeof(kEmptySignature));
  wire::Bytes whole(static_cast<size_t>(ASN1_object_size(1, size, V_ASN1_SEQUENCE)));
  uint8_t* next = whole.data();
  ASN1_put_object(&next, 1, size, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
  next = std::ranges::copy(info, next).out;
  std::ranges::copy(kEmptySignature, next);
  return whole;
}

}  // namespace

SignedContent ReadSignedContent(wire::BytesView content) {
  if (const std::optional<std::string_view> context = ContextString(content)) {
    return ReadVerify(*context, content.size() - kPadding - context->size() - 1);
  }
  if (content.size() <= kMaxRequest) {
    const OpenSslPtr<X509_REQ> request = DecodeDer(d2i_X509_REQ, WithEmptySignature(content));
    // Encoded anew it must be the same: what has two readings is not signed.
    if (request != nullptr &&
        std::ranges::equal(EncodeDer(i2d_re_X509_REQ_tbs, request.get()), content)) {
      return {Purpose::kCsr, EncodeDer(i2d_X509_PUBKEY, X509_REQ_get_X509_PUBKEY(request.get()))};
    }
  }
  return Refused(
      "no purpose: neither a client's CertificateVerify in TLS 1.3 (purpose tls-client) nor a "
      "PKCS#10 request (purpose csr), and nothing else is signed. Client authentication in TLS 1.2 "
      "can't be told from any other text: let the server speak TLS 1.3");
}

}  // namespace signet::agent
