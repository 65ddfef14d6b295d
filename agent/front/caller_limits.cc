#include "agent/front/caller_limits.h"

namespace signet::agent {

std::optional<CallerLimits::Place> CallerLimits::Take(const std::shared_ptr<Counts>& counts,
                                                      uid_t uid, size_t limit) {
  size_t& count = (*counts)[uid];
  if (count >= limit) return std::nullopt;
  ++count;
  return Place(counts, uid);
}

CallerLimits::Place::~Place() {
  if (!counts_) return;  // moved from
  const auto count = counts_->find(uid_);
  if (--count->second == 0) counts_->erase(count);
}

}  // namespace signet::agent
