#include "client-lib/tools/connection_proofs.h"

#include <algorithm>

namespace signet::tools {

ConnectionProofs::ConnectionProofs(signet_requester& requester,
                                   const std::vector<CertificateAuthority>& authorities)
    : requester_(requester), authorities_(authorities), slots_(authorities.size()) {}

bool ConnectionProofs::supported() const {
  return !outstanding_.empty() || signet_requester_available(&requester_) > 0;
}

bool ConnectionProofs::Ask(const std::vector<size_t>& authorities) {
  size_t count = std::min(authorities.size(), signet_requester_available(&requester_));
  if (count == 0) return true;
  std::vector<signet_request> requests(count);
  for (size_t i = 0; i < count; ++i) {
    const std::vector<signet_bytes>& names = authorities_[authorities[i]].names();
    requests[i].size = sizeof requests[i];
    requests[i].certificate_authorities = names.data();
    requests[i].certificate_authority_count = names.size();
  }
  std::vector<uint64_t> ids(count);
  if (signet_requester_request(&requester_, requests.data(), count, ids.data()) != SIGNET_OK) {
    return false;
  }
  for (size_t i = 0; i < count; ++i) {
    outstanding_[ids[i]] = authorities[i];
    slots_[authorities[i]].asked = true;
  }
  return true;
}

std::optional<ConnectionProofs::Answer> ConnectionProofs::NextAnswer() {
  signet_answer answer{};
  while (signet_requester_next_answer(&requester_, &answer) == SIGNET_OK) {
    auto found = outstanding_.find(answer.id);
    if (found == outstanding_.end()) continue;
    size_t authority = found->second;
    outstanding_.erase(found);
    slots_[authority].asked = false;
    return Answer{authority, Judge(authority, answer)};
  }
  return std::nullopt;
}

std::optional<Refusal> ConnectionProofs::Judge(size_t authority, const signet_answer& answer) {
  const CertificateAuthority& trusted = authorities_[authority];
  const std::string whom = "certificate of " + trusted.file() + ": ";
  if (answer.result == SIGNET_RESULT_DECLINED) {
    return Refusal{"declined", whom + "the client has none, or did not want to show it"};
  }
  if (answer.result != SIGNET_RESULT_IDENTITY || answer.chain_length == 0) {
    return Refusal{"invalid", whom + "the proof is not valid" +
                                  (answer.detail != nullptr ? std::string(": ") + answer.detail
                                                            : std::string())};
  }
  std::string why;
  if (!trusted.Trusts(answer.chain, answer.chain_length, why)) {
    return Refusal{"untrusted", whom + why};
  }
  std::optional<ClientCertificate> certificate = ParseClientCertificate(answer.chain[0]);
  if (!certificate) return Refusal{"invalid", whom + "the certificate can't be read"};
  slots_[authority].certificate = std::move(certificate);
  return std::nullopt;
}

}  // namespace signet::tools
