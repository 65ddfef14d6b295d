#include "agent/authentication/forwarded_answer.h"

#include <algorithm>

#include "agent/identity/signature_check.h"
#include "ipc/wire/authenticator.h"
#include "ipc/wire/handshake.h"
#include "ipc/wire/reader.h"

namespace signet::agent {

std::optional<std::string> WhatIsWrong(const Authenticated& answer,
                                       const wire::CertificateRequest& request,
                                       wire::BytesView certificate, EVP_PKEY& key,
                                       wire::BytesView message) {
  if (answer.kind != IdentityKind::kDevice) return "it gave an identity that is not a device's";
  if (!std::ranges::equal(answer.certificate, certificate)) {
    return "it gave another certificate than it lists, or not for this request";
  }
  wire::Reader reader(answer.certificate_verify);
  const wire::Result<wire::HandshakeMessage> whole = wire::ReadHandshakeMessage(reader);
  if (!whole.ok() || !reader.empty() || whole->type != wire::HandshakeType::kCertificateVerify) {
    return "it gave no CertificateVerify message";
  }
  const wire::Result<wire::CertificateVerifyMessage> verify =
      wire::ParseCertificateVerify(whole->body);
  if (!verify.ok()) return "it gave no CertificateVerify message";
  if (std::ranges::count(request.signature_algorithms, verify->scheme) == 0) {
    return "it signed with an algorithm that was not asked for";
  }
  if (!IsSignature(key, verify->scheme, message, verify->signature)) {
    return "it gave a wrong signature";
  }
  return std::nullopt;
}

}  // namespace signet::agent
