#include "client-lib/src/validation.h"

#include <algorithm>
#include <optional>

#include "ipc/wire/handshake.h"
#include "ipc/wire/reader.h"

namespace signet {
namespace {

using wire::BytesView;

// Takes the same time wherever they differ (RFC 9261 section 5.2.4).
bool EqualInConstantTime(BytesView a, BytesView b) {
  if (a.size() != b.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = difference | (a[i] ^ b[i]);
  return difference == 0;
}

Validation Invalid(const char* rule) {
  Validation validation;
  validation.detail = rule;
  return validation;
}

Validation ValidateEmpty(const TlsConnection& tls, const AuthenticatorKeys& keys,
                         const wire::CertificateRequest& request, BytesView verify_data) {
  if (!EqualInConstantTime(tls.EmptyFinishedMac(keys, request.raw, request.context), verify_data)) {
    return Invalid("the MAC of the empty authenticator is wrong");
  }
  Validation declined;
  declined.result = SIGNET_RESULT_DECLINED;
  return declined;
}

// The body of a message that must be of this type and all of the bytes; nothing otherwise.
bool ReadOnly(wire::HandshakeType type, BytesView message, BytesView& body) {
  wire::Reader reader(message);
  const auto read = wire::ReadHandshakeMessage(reader);
  if (!read.ok() || read->type != type || !reader.empty()) return false;
  body = read->body;
  return true;
}

bool Contains(const std::vector<wire::SignatureScheme>& schemes, wire::SignatureScheme scheme) {
  return std::find(schemes.begin(), schemes.end(), scheme) != schemes.end();
}

// What the messages of an authenticator are held against.
struct Terms {
  const std::optional<BytesView> context;  // nothing: any
  const std::vector<uint16_t>& extensions;
  const std::vector<wire::SignatureScheme>& schemes;
};

Terms TermsOf(const wire::CertificateRequest& request) {
  return {request.context, request.extension_types, request.signature_algorithms};
}

bool Equal(BytesView a, BytesView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

const char* FindBreach(const Terms& terms, BytesView certificate, BytesView certificate_verify,
                       wire::CertificateMessage& chain, wire::CertificateVerifyMessage& proof) {
  BytesView body;
  if (!ReadOnly(wire::HandshakeType::kCertificate, certificate, body)) {
    return "Certificate is not one whole message";
  }
  auto parsed = wire::ParseCertificate(body);
  if (!parsed.ok()) return "Certificate is malformed";
  if (terms.context && !Equal(parsed->context, *terms.context)) {
    return "Certificate does not echo the context of the request";
  }
  if (parsed->entries.empty()) {
    return "Certificate has no entries: a refusal is a Finished alone";
  }
  if (!wire::HasOnlyRequestedExtensions(*parsed, terms.extensions)) {
    return "Certificate has an extension that was not requested";
  }
  if (!ReadOnly(wire::HandshakeType::kCertificateVerify, certificate_verify, body)) {
    return "CertificateVerify is not one whole message";
  }
  const auto verify = wire::ParseCertificateVerify(body);
  if (!verify.ok()) return "CertificateVerify is malformed";
  if (!wire::IsTls13Signature(verify->scheme) || !Contains(terms.schemes, verify->scheme)) {
    return "CertificateVerify uses a signature scheme that was not requested";
  }
  chain = *std::move(parsed);
  proof = *verify;
  return nullptr;
}

// `request` is empty when there was none, and adds nothing to the transcript (section 5.2.2).
Validation ValidateProof(const TlsConnection& tls, const AuthenticatorKeys& keys, BytesView request,
                         const Terms& terms, const wire::AuthenticatorMessages& messages) {
  const BytesView certificate = messages.certificate.whole;
  const BytesView certificate_verify = messages.certificate_verify.whole;
  wire::CertificateMessage message;
  wire::CertificateVerifyMessage proof;
  if (const char* rule = FindBreach(terms, certificate, certificate_verify, message, proof)) {
    return Invalid(rule);
  }
  if (!EqualInConstantTime(tls.FinishedMac(keys, {request, certificate, certificate_verify}),
                           messages.finished.body)) {
    return Invalid("the MAC of Finished is wrong");
  }
  const wire::Bytes content = wire::SignedContent(tls.TranscriptHash(keys, {request, certificate}));
  if (!tls.Verify(message.entries.front().certificate, proof.scheme, content, proof.signature)) {
    return Invalid("the signature of CertificateVerify is wrong");
  }
  Validation identity;
  identity.result = SIGNET_RESULT_IDENTITY;
  identity.scheme = proof.scheme;
  identity.context = message.context;
  for (const wire::CertificateEntry& entry : message.entries) {
    identity.chain.push_back(entry.certificate);
  }
  return identity;
}

constexpr const char* kNoAuthenticator =
    "not an authenticator: not exactly Certificate, CertificateVerify, Finished";

}  // namespace

const char* FindMismatch(const wire::CertificateRequest& request, BytesView certificate,
                         BytesView certificate_verify, wire::CertificateMessage& chain,
                         wire::CertificateVerifyMessage& proof) {
  return FindBreach(TermsOf(request), certificate, certificate_verify, chain, proof);
}

Validation Validate(const TlsConnection& tls, const AuthenticatorKeys& keys,
                    const wire::CertificateRequest& request, BytesView authenticator) {
  const auto split = wire::SplitAuthenticator(authenticator, tls.hash());
  if (!split.ok()) return Invalid(kNoAuthenticator);
  if (split->empty()) return ValidateEmpty(tls, keys, request, split->finished.body);
  return ValidateProof(tls, keys, request.raw, TermsOf(request), *split);
}

Validation ValidateUnasked(const TlsConnection& tls, const AuthenticatorKeys& keys,
                           const wire::ClientHello& client_hello, BytesView authenticator) {
  const auto split = wire::SplitAuthenticator(authenticator, tls.hash());
  if (!split.ok()) return Invalid(kNoAuthenticator);
  if (split->empty()) return Invalid("an empty authenticator that answers nothing");
  return ValidateProof(tls, keys, {},
                       {std::nullopt, client_hello.extensions, client_hello.signature_algorithms},
                       *split);
}

}  // namespace signet
