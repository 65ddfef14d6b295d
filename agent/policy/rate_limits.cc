#include "agent/policy/rate_limits.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace signet::agent {
namespace {

double Refill(double tokens, std::chrono::system_clock::duration passed, uint32_t per_minute) {
  const double minutes = std::chrono::duration<double, std::ratio<60>>(passed).count();
  return std::clamp(tokens + std::max(minutes, 0.0) * per_minute, 0.0,
                    static_cast<double>(per_minute));
}

}  // namespace

bool TokenBuckets::Take(const std::string& name, uint32_t per_minute, Time now) {
  if (per_minute == 0) return true;
  auto found = buckets_.find(name);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kMaxBuckets) DropFull(per_minute, now);
    if (buckets_.size() >= kMaxBuckets) return false;
    found = buckets_.emplace(name, Bucket{static_cast<double>(per_minute), now}).first;
  }
  Bucket& bucket = found->second;
  bucket.tokens = Refill(bucket.tokens, now - bucket.filled, per_minute);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void TokenBuckets::DropFull(uint32_t per_minute, Time now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    const Bucket& bucket = entry.second;
    return Refill(bucket.tokens, now - bucket.filled, per_minute) >= per_minute;
  });
}

std::string CallerNames::NameOf(const Caller& caller) {
  std::string uid = absl::StrCat(caller.uid);
  if (!caller.executable) return uid;
  auto& programs = programs_[caller.uid];
  std::string name =
      absl::StrCat(uid, " ", caller.executable->device, " ", caller.executable->inode);
  if (programs.contains(name)) return name;
  if (programs.size() >= kMaxProgramsPerUid) return uid;
  programs.insert(name);
  return name;
}

}  // namespace signet::agent
