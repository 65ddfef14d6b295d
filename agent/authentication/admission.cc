#include "agent/authentication/admission.h"

#include <algorithm>

namespace signet::agent {

std::vector<Admitted> Admit(const std::vector<Candidate>& candidates,
                            const ApplicableRules& rules) {
  std::vector<Admitted> admitted;
  for (const Candidate& candidate : candidates) {
    const Rule* rule = rules.RuleFor(FactsForRules(*candidate.identity));
    if (rule == nullptr || rule->decision == Verdict::kDeny) continue;
    admitted.push_back({candidate, rule->decision == Verdict::kAsk, rule->names_identity(),
                        rule->trusted_origin, rule->once_per, rule->Where()});
  }
  std::stable_partition(admitted.begin(), admitted.end(),
                        [](const Admitted& one) { return one.named; });
  std::stable_partition(admitted.begin(), admitted.end(),
                        [](const Admitted& one) { return !one.identity().upstream; });
  return admitted;
}

}  // namespace signet::agent
