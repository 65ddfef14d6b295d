#include "client-lib/src/server_prover.h"

#include <algorithm>
#include <utility>

#include "client-lib/src/request_context.h"
#include "ipc/wire/authenticator.h"

namespace signet {
namespace {

using wire::Bytes;
using wire::BytesView;

// Contexts of proofs are numbered apart from those of requests.
constexpr uint64_t kProof = uint64_t{1} << 63;

}  // namespace

const AuthenticatorKeys& ServerProver::Keys(const TlsConnection& tls) {
  if (!keys_) keys_ = tls.Export(wire::Sender::kServer);
  return *keys_;
}

std::optional<wire::SignatureScheme> ServerProver::Choose(std::span<const uint16_t> of_key) const {
  for (const wire::SignatureScheme scheme : client_hello_.signature_algorithms) {
    if (wire::IsTls13Signature(scheme) &&
        std::find(of_key.begin(), of_key.end(), static_cast<uint16_t>(scheme)) != of_key.end()) {
      return scheme;
    }
  }
  return std::nullopt;
}

// The entries have no extensions, so that none is there which the client has not offered (RFC 9261
// section 5.2.1); without a request, none is in the transcript (section 5.2.2).
std::optional<ServerProver::Task> ServerProver::Begin(const TlsConnection& tls,
                                                      const std::vector<Bytes>& chain,
                                                      wire::SignatureScheme scheme,
                                                      size_t max_size) {
  const Bytes context = MakeRequestContext(tls, kProof | (proofs_ + 1));
  auto certificate = wire::BuildCertificate(context, chain);
  if (!certificate.ok() || certificate->size() >= max_size) return std::nullopt;
  Bytes content = wire::SignedContent(tls.TranscriptHash(Keys(tls), {*certificate}));
  const auto [begun, added] = begun_.try_emplace(
      proofs_ + 1, Proof{chain.front(), *std::move(certificate), scheme, std::move(content)});
  ++proofs_;
  return Task{begun->first, scheme, begun->second.content};
}

std::optional<Bytes> ServerProver::Finish(const TlsConnection& tls, uint64_t id,
                                          BytesView signature, size_t max_size) {
  const Proof proof = std::move(begun_.at(id));
  begun_.erase(id);
  if (!tls.Verify(proof.leaf, proof.scheme, proof.content, signature)) return std::nullopt;
  const auto verify = wire::BuildCertificateVerify(proof.scheme, signature);
  if (!verify.ok()) return std::nullopt;
  const auto finished =
      wire::BuildFinished(tls.FinishedMac(Keys(tls), {proof.certificate, *verify}));
  Bytes authenticator = proof.certificate;
  authenticator.insert(authenticator.end(), verify->begin(), verify->end());
  authenticator.insert(authenticator.end(), finished->begin(), finished->end());
  if (authenticator.size() > max_size) return std::nullopt;
  return authenticator;
}

}  // namespace signet
