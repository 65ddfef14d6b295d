#include "client-lib/tools/gateway_requests.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {

GatewayRequests::GatewayRequests(const GatewayPolicy& policy, const std::string& peer,
                                 signet_requester& requester, Upstreams upstreams,
                                 ClientStreams& streams, Watch& wake,
                                 std::string handshake_thumbprint)
    : proofs_(requester, policy.requirements.kinds()),
      certificates_(policy, peer, requester, wake),
      handshake_thumbprint_(std::move(handshake_thumbprint)),
      context_{policy,
               peer,
               proofs_,
               certificates_,
               upstreams.backend,
               upstreams.tunnels,
               streams,
               wake,
               handshake_thumbprint_},
      last_request_ms_(NowMs()) {}

void GatewayRequests::OnHeader(int64_t id, std::string_view name, std::string_view value) {
  streams_.try_emplace(id, context_, id).first->second.OnHeader(name, value);
}

void GatewayRequests::OnHeadersComplete(int64_t id, bool last) {
  last_request_ms_ = NowMs();
  TakeAnswers();  // a proof that came before this request counts for it
  auto found = streams_.find(id);
  if (found != streams_.end()) found->second.OnHeadersComplete(last);
}

void GatewayRequests::OnData(int64_t id, std::span<const uint8_t> data) {
  auto found = streams_.find(id);
  if (found != streams_.end()) found->second.OnData(data);
}

void GatewayRequests::OnStreamEnd(int64_t id) {
  auto found = streams_.find(id);
  if (found != streams_.end()) found->second.OnEnd();
}

void GatewayRequests::OnStreamClose(int64_t id, uint64_t error_code) {
  last_request_ms_ = NowMs();
  auto found = streams_.find(id);
  if (found == streams_.end()) return;
  found->second.OnClose(error_code);
  streams_.erase(found);
}

void GatewayRequests::TakeAnswers() {
  while (std::optional<ConnectionProofs::Answer> answer = proofs_.NextAnswer()) {
    for (auto& [id, stream] : streams_) {
      if (AccessDecision* decision = stream.waiting()) decision->NoteAnswer(*answer);
    }
  }
}

void GatewayRequests::SettleTokens() {
  for (auto& [id, stream] : streams_) stream.SettleToken();
}

void GatewayRequests::Settle(uint64_t now_ms) {
  for (auto& [id, stream] : streams_) stream.Settle(now_ms);
}

bool GatewayRequests::AskForMissing() {
  std::vector<size_t> unasked;
  for (auto& [id, stream] : streams_) {
    const AccessDecision* decision = stream.waiting();
    if (decision == nullptr) continue;
    for (size_t kind : decision->Unasked()) {
      if (std::ranges::count(unasked, kind) == 0) unasked.push_back(kind);
    }
  }
  return proofs_.Ask(unasked);
}

void GatewayRequests::Advance() {
  certificates_.Start();
  for (auto& [id, stream] : streams_) stream.Advance();
}

bool GatewayRequests::ResetAnswered() {
  bool more = false;
  for (auto& [id, stream] : streams_) more |= stream.ResetAnswered();
  return more;
}

bool GatewayRequests::busy() const {
  return std::ranges::any_of(streams_, [](const auto& each) {
    return each.second.waiting() != nullptr || each.second.awaits_backend() ||
           each.second.awaits_keys();
  });
}

bool GatewayRequests::serving() const {
  return std::ranges::any_of(streams_, [](const auto& each) { return each.second.has_head(); });
}

uint64_t GatewayRequests::deadline() const {
  uint64_t first = kNever;
  for (const auto& [id, stream] : streams_) {
    if (const AccessDecision* decision = stream.waiting()) {
      first = std::min(first, decision->deadline_ms());
    }
  }
  return first;
}

}  // namespace signet::tools
