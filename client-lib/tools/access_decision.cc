#include "client-lib/tools/access_decision.h"

#include <algorithm>

namespace signet::tools {

AccessDecision::AccessDecision(const PathRule& rule, const ConnectionProofs& proofs,
                               uint32_t timeout_ms, uint64_t now_ms)
    : rule_(rule),
      proofs_(proofs),
      deadline_ms_(now_ms + rule.decision_timeout_ms.value_or(timeout_ms)),
      refusals_(rule.kinds.size()) {
  if (rule.mode != Mode::kOffer) return;
  for (size_t i = 0; i < rule.kinds.size(); ++i) {
    size_t kind = rule.kinds[i];
    refusals_[i] = proofs.refusal(kind);
    if (std::optional<uint64_t> asked = proofs.asked_ms(kind)) {
      deadline_ms_ = std::min(deadline_ms_, *asked + rule.decision_timeout_ms.value_or(timeout_ms));
    }
  }
}

void AccessDecision::NoteAnswer(const ConnectionProofs::Answer& answer) {
  for (size_t i = 0; i < rule_.kinds.size(); ++i) {
    if (rule_.kinds[i] == answer.kind) refusals_[i] = answer.refusal;
  }
}

std::vector<size_t> AccessDecision::Unasked() const {
  std::vector<size_t> unasked;
  for (size_t i = 0; i < rule_.kinds.size(); ++i) {
    size_t kind = rule_.kinds[i];
    if (!refusals_[i] && !proofs_.certificate(kind) && !proofs_.asked_ms(kind)) {
      unasked.push_back(kind);
    }
  }
  return unasked;
}

bool AccessDecision::Settle(uint64_t now_ms) {
  static const Refusal kNotSupported{
      "not-supported",
      "this needs a client certificate, and the client does not offer secondary client "
      "certificates on this connection"};
  static const Refusal kTimeout{"timeout", "the client gave no certificate in time; try again"};
  bool open = false;  // a question without an answer, or not asked yet
  std::vector<Missing> missing;
  for (size_t i = 0; i < rule_.kinds.size(); ++i) {
    size_t kind = rule_.kinds[i];
    if (proofs_.certificate(kind)) continue;
    if (!proofs_.supported()) {
      missing.push_back({kind, kNotSupported});
    } else if (refusals_[i]) {
      missing.push_back({kind, *refusals_[i]});
    } else {
      open = true;
      missing.push_back({kind, kTimeout});
    }
  }
  if (open && now_ms < deadline_ms_) return false;
  missing_ = std::move(missing);
  return true;
}

bool AccessDecision::passes() const {
  return missing_.empty() || rule_.mode != Mode::kRequire || rule_.without == Without::kPass;
}

}  // namespace signet::tools
