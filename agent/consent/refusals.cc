#include "agent/consent/refusals.h"

namespace signet::agent {

Refusals::Program Refusals::ProgramOf(const Caller& caller) {
  const Executable executable = caller.executable.value_or(Executable{});
  return {caller.uid, executable.device, executable.inode};
}

void Refusals::Add(const Caller& caller, Time now) {
  Prune(now);
  std::deque<Time>& times = refused_[ProgramOf(caller)];
  times.push_back(now);
  if (times.size() > kMost) times.pop_front();
}

bool Refusals::Silences(const Caller& caller, Time now) {
  const auto found = refused_.find(ProgramOf(caller));
  if (found == refused_.end() || found->second.size() < kMost) return false;
  const std::deque<Time>& times = found->second;
  return times.back() - times.front() <= kWithin && now - times.back() < kSilence;
}

void Refusals::Prune(Time now) {
  std::erase_if(refused_,
                [&](const auto& entry) { return now - entry.second.back() >= kWithin + kSilence; });
  if (refused_.size() >= kMaxPrograms) refused_.clear();
}

}  // namespace signet::agent
