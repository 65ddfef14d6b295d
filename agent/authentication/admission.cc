#include "agent/authentication/admission.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace signet::agent {
namespace {

// Those let through with their current certificate.
std::set<std::string_view> CurrentOf(const std::vector<Admitted>& admitted) {
  std::set<std::string_view> names;
  for (const Admitted& one : admitted) {
    if (!one.candidate.previous) names.insert(one.identity().name);
  }
  return names;
}

}  // namespace

std::vector<Admitted> Admit(const std::vector<Candidate>& candidates,
                            const ApplicableRules& rules) {
  std::vector<Admitted> admitted;
  for (const Candidate& candidate : candidates) {
    const Rule* rule = rules.RuleFor(FactsForRules(*candidate.identity));
    if (rule == nullptr || rule->decision == Verdict::kDeny) continue;
    admitted.push_back({candidate, rule->decision == Verdict::kAsk, rule->names_identity(),
                        rule->trusted_origin, rule->once_per, rule->Where()});
  }
  std::erase_if(admitted, [current = CurrentOf(admitted)](const Admitted& one) {
    return one.candidate.previous && current.contains(one.identity().name);
  });
  std::stable_partition(admitted.begin(), admitted.end(),
                        [](const Admitted& one) { return one.named; });
  std::stable_partition(admitted.begin(), admitted.end(),
                        [](const Admitted& one) { return !one.identity().upstream; });
  return admitted;
}

}  // namespace signet::agent
