// What one request waits for: the certificates that its path needs, proved, refused or too late.
#ifndef SIGNET_CLIENT_LIB_TOOLS_ACCESS_DECISION_H_
#define SIGNET_CLIENT_LIB_TOOLS_ACCESS_DECISION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "client-lib/tools/connection_proofs.h"
#include "client-lib/tools/requirements.h"

namespace signet::tools {

class AccessDecision {
 public:
  // All outlive this object; `now_ms` is when the request arrived. What is only offered is not
  // asked for again on a connection whose client has refused it, nor waited for twice.
  AccessDecision(const PathRule& rule, const ConnectionProofs& proofs, uint32_t timeout_ms,
                 uint64_t now_ms);

  // An answer that came while this waited.
  void NoteAnswer(const ConnectionProofs::Answer& answer);
  // What must still be asked for.
  std::vector<size_t> Unasked() const;
  // Whether the wait is over. Afterwards missing() stands.
  bool Settle(uint64_t now_ms);

  uint64_t deadline_ms() const { return deadline_ms_; }

  struct Missing {
    size_t kind;
    Refusal refusal;
  };
  // In the order of the rule; empty when all was proved.
  const std::vector<Missing>& missing() const { return missing_; }
  // Whether the request goes on, to the backend or to our own answer.
  bool passes() const;
  const PathRule& rule() const { return rule_; }

 private:
  const PathRule& rule_;
  const ConnectionProofs& proofs_;
  uint64_t deadline_ms_;
  std::vector<std::optional<Refusal>> refusals_;  // one place for each kind of the rule
  std::vector<Missing> missing_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_ACCESS_DECISION_H_
