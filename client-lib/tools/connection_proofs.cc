#include "client-lib/tools/connection_proofs.h"

#include <algorithm>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {

ConnectionProofs::ConnectionProofs(signet_requester& requester,
                                   const std::vector<CertificateKind>& kinds)
    : requester_(requester), kinds_(kinds), slots_(kinds.size()) {}

bool ConnectionProofs::supported() const {
  return !outstanding_.empty() || signet_requester_available(&requester_) > 0;
}

bool ConnectionProofs::Ask(const std::vector<size_t>& kinds) {
  size_t count = std::min(kinds.size(), signet_requester_available(&requester_));
  if (count == 0) return true;
  std::vector<signet_request> requests(count);
  std::vector<std::vector<signet_oid_filter>> filters(count);
  for (size_t i = 0; i < count; ++i) {
    const CertificateKind& kind = kinds_[kinds[i]];
    filters[i] = kind.filters.ForRequest();
    requests[i].size = sizeof requests[i];
    requests[i].certificate_authorities = kind.authority.names().data();
    requests[i].certificate_authority_count = kind.authority.names().size();
    requests[i].oid_filters = filters[i].data();
    requests[i].oid_filter_count = filters[i].size();
  }
  std::vector<uint64_t> ids(count);
  if (signet_requester_request(&requester_, requests.data(), count, ids.data()) != SIGNET_OK) {
    return false;
  }
  for (size_t i = 0; i < count; ++i) {
    outstanding_[ids[i]] = kinds[i];
    slots_[kinds[i]].asked_ms = NowMs();
  }
  return true;
}

std::optional<ConnectionProofs::Answer> ConnectionProofs::NextAnswer() {
  signet_answer answer{};
  while (signet_requester_next_answer(&requester_, &answer) == SIGNET_OK) {
    auto found = outstanding_.find(answer.id);
    if (found == outstanding_.end()) continue;
    size_t kind = found->second;
    outstanding_.erase(found);
    slots_[kind].asked_ms.reset();
    slots_[kind].refusal = Judge(kind, answer);
    return Answer{kind, slots_[kind].refusal};
  }
  return std::nullopt;
}

std::optional<Refusal> ConnectionProofs::Judge(size_t index, const signet_answer& answer) {
  const CertificateKind& kind = kinds_[index];
  const std::string whom = "certificate of " + kind.name + ": ";
  if (answer.result == SIGNET_RESULT_DECLINED) {
    return Refusal{"declined", whom + "the client has none, or did not want to show it"};
  }
  if (answer.result != SIGNET_RESULT_IDENTITY || answer.chain_length == 0) {
    return Refusal{"invalid", whom + "the proof is not valid" +
                                  (answer.detail != nullptr ? std::string(": ") + answer.detail
                                                            : std::string())};
  }
  std::string why;
  if (!kind.authority.Trusts(answer.chain, answer.chain_length, why) ||
      !kind.filters.Match(answer.chain[0], why)) {
    return Refusal{"untrusted", whom + why};
  }
  std::optional<ClientCertificate> certificate =
      ParseClientCertificate({answer.chain, answer.chain_length});
  if (!certificate) return Refusal{"invalid", whom + "the certificate can't be read"};
  slots_[index].certificate = std::move(certificate);
  return std::nullopt;
}

}  // namespace signet::tools
