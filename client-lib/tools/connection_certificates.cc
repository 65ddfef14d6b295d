#include "client-lib/tools/connection_certificates.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "client-lib/tools/gateway_reply.h"
#include "client-lib/tools/server_certificate.h"
#include "client-lib/tools/url.h"

namespace signet::tools {

ConnectionCertificates::ConnectionCertificates(const GatewayPolicy& policy, const std::string& peer,
                                               signet_requester& requester, Watch& wake)
    : policy_(policy),
      peer_(peer),
      requester_(requester),
      wake_(wake),
      states_(policy.server_certificates.size(), State::kUnused),
      alive_(std::make_shared<bool>(true)) {}

void ConnectionCertificates::Start() {
  if (started_ || signet_requester_can_prove(&requester_) != 1) return;
  started_ = true;
  std::vector<const char*> origins;
  for (const std::string& origin : policy_.origins) origins.push_back(origin.c_str());
  signet_requester_origins(&requester_, origins.data(), origins.size());
  for (size_t i = 0; i < states_.size(); ++i) {
    if (policy_.server_certificates[i].at_start) Prove(i);
  }
}

void ConnectionCertificates::Name(std::string_view authority) {
  Start();
  if (!started_) return;
  const std::optional<std::string> origin = OriginOf(authority);
  for (size_t i = 0; origin && i < states_.size(); ++i) {
    if (std::ranges::count(policy_.server_certificates[i].origins, *origin) > 0) Prove(i);
  }
}

void ConnectionCertificates::Prove(size_t index) {
  if (states_[index] != State::kUnused) return;
  const ServerCertificate& certificate = policy_.server_certificates[index];
  std::vector<signet_bytes> chain;
  for (const auto& each : certificate.chain) chain.push_back({each.data(), each.size()});
  const std::vector<uint16_t> schemes = certificate.key->schemes();
  signet_proof proof;
  const signet_status status = signet_requester_prove(&requester_, chain.data(), chain.size(),
                                                      schemes.data(), schemes.size(), &proof);
  if (status != SIGNET_OK) {
    Fail(index, status == SIGNET_ERROR_STATE ? "the client takes no signature of its key"
                                             : "its chain does not fit into a frame");
    return;
  }
  states_[index] = State::kSigning;
  std::vector<uint8_t> message(proof.message.data, proof.message.data + proof.message.size);
  const uint64_t id = proof.id;
  certificate.key->Sign(
      proof.signature_scheme, std::move(message), alive_,
      [this, index, id](const SigningKey::Signature& signature) { Signed(index, id, signature); });
}

void ConnectionCertificates::Signed(size_t index, uint64_t id,
                                    const SigningKey::Signature& signature) {
  const signet_bytes bytes = {signature.bytes.data(), signature.bytes.size()};
  if (signet_requester_proof_signed(&requester_, id, bytes) == SIGNET_OK) {
    states_[index] = State::kProved;
  } else {
    Fail(index, signature.error.empty() ? "its proof could not be made" : signature.error);
  }
  wake_.Wake();
}

void ConnectionCertificates::Fail(size_t index, std::string_view why) {
  states_[index] = State::kFailed;
  const std::vector<std::string>& origins = policy_.server_certificates[index].origins;
  *policy_.log << LogLine(peer_, "server certificate",
                          AsciiOrigin(origins.front()) + ": " + std::string(why))
               << std::endl;
}

bool ConnectionCertificates::AnyIs(State state, std::string_view authority) const {
  const std::optional<std::string> origin = OriginOf(authority);
  for (size_t i = 0; origin && i < states_.size(); ++i) {
    if (states_[i] == state &&
        std::ranges::count(policy_.server_certificates[i].origins, *origin) > 0) {
      return true;
    }
  }
  return false;
}

bool ConnectionCertificates::IsProving(std::string_view authority) const {
  return AnyIs(State::kSigning, authority);
}

bool ConnectionCertificates::Serves(std::string_view authority) const {
  if (policy_.server_certificates.empty()) return true;
  if (AnyIs(State::kProved, authority) || AnyIs(State::kSigning, authority)) return true;
  const std::optional<Url> url = ParseUrl("https://" + std::string(authority));
  return url && IsForHost(policy_.own_certificate, url->server.host);
}

}  // namespace signet::tools
