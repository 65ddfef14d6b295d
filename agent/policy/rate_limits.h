// How often a caller may ask, and how often a key may be used: one token bucket for each.
#ifndef SIGNET_AGENT_POLICY_RATE_LIMITS_H_
#define SIGNET_AGENT_POLICY_RATE_LIMITS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "agent/policy/caller.h"

namespace signet::agent {

// Per minute; 0 = no limit.
struct RateLimits {
  static constexpr int64_t kMost = 1'000'000;

  uint32_t per_caller = 0;
  uint32_t per_key = 0;

  friend bool operator==(const RateLimits&, const RateLimits&) = default;
};

// A full bucket holds a minute's worth. A clock that is set back refills nothing and takes nothing
// away.
class TokenBuckets {
 public:
  using Time = std::chrono::system_clock::time_point;
  static constexpr size_t kMaxBuckets = 4096;

  // Is there one left? Always without a limit. False too when there are too many buckets that are
  // not full: then a name that is new waits.
  bool Take(const std::string& name, uint32_t per_minute, Time now);

 private:
  struct Bucket {
    double tokens;
    Time filled;
  };
  // Buckets that are full again are as good as none.
  void DropFull(uint32_t per_minute, Time now);

  std::unordered_map<std::string, Bucket> buckets_;
};

// What counts as one caller: a uid's program. All of a uid's programs that are unknown are one, and
// so are those it runs from more than a few files, for it can make as many files as it likes.
class CallerNames {
 public:
  static constexpr size_t kMaxProgramsPerUid = 64;

  std::string NameOf(const Caller& caller);

 private:
  std::unordered_map<uid_t, std::unordered_set<std::string>> programs_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_RATE_LIMITS_H_
