#include "client-lib/src/tls_connection.h"

#include <string>
#include <utility>
#include <vector>

#include "client-lib/src/abi.h"

namespace signet {

using wire::Bytes;
using wire::BytesView;

bool TlsConnection::IsUsable(const signet_tls& tls, Use use) {
  const bool proves =
      IsWhole(&tls) && (tls.hash == SIGNET_HASH_SHA256 || tls.hash == SIGNET_HASH_SHA384) &&
      tls.export_keying_material != nullptr && tls.digest != nullptr && tls.hmac != nullptr;
  return proves && (use == Use::kProve || tls.verify != nullptr);
}

AuthenticatorKeys TlsConnection::Export(wire::Sender sender) const {
  AuthenticatorKeys keys{Bytes(hash_size()), wire::Secret(hash_size())};
  const std::string context_label(wire::HandshakeContextLabel(sender));
  const std::string key_label(wire::FinishedKeyLabel(sender));
  if (tls_.export_keying_material(tls_.user, context_label.c_str(), keys.handshake_context.data(),
                                  hash_size()) != 1 ||
      tls_.export_keying_material(tls_.user, key_label.c_str(), keys.finished_key.data(),
                                  hash_size()) != 1) {
    throw TlsError();
  }
  return keys;
}

Bytes TlsConnection::TranscriptHash(const AuthenticatorKeys& keys,
                                    std::initializer_list<BytesView> messages) const {
  std::vector<signet_bytes> parts;
  parts.reserve(1 + messages.size());
  parts.push_back(ToAbi(keys.handshake_context));
  for (const BytesView message : messages) parts.push_back(ToAbi(message));
  Bytes digest(hash_size());
  if (tls_.digest(tls_.user, tls_.hash, parts.data(), parts.size(), digest.data()) != 1) {
    throw TlsError();
  }
  return digest;
}

Bytes TlsConnection::FinishedMac(const AuthenticatorKeys& keys,
                                 std::initializer_list<BytesView> messages) const {
  const Bytes transcript_hash = TranscriptHash(keys, messages);
  Bytes mac(hash_size());
  if (tls_.hmac(tls_.user, tls_.hash, ToAbi(keys.finished_key.view()), ToAbi(transcript_hash),
                mac.data()) != 1) {
    throw TlsError();
  }
  return mac;
}

Bytes TlsConnection::EmptyFinishedMac(const AuthenticatorKeys& keys, BytesView request,
                                      BytesView context) const {
  return FinishedMac(keys, {request, wire::BuildCertificate(context, {}).value()});
}

void TlsConnection::FillRandom(std::span<uint8_t> out) const {
  if (tls_.random(tls_.user, out.data(), out.size()) != 1) throw TlsError();
}

bool TlsConnection::Verify(BytesView certificate, wire::SignatureScheme scheme, BytesView message,
                           BytesView signature) const {
  return tls_.verify(tls_.user, ToAbi(certificate), static_cast<uint16_t>(scheme), ToAbi(message),
                     ToAbi(signature)) == 1;
}

}  // namespace signet
