// Patterns in which `*` is any run of characters, also none.
#ifndef SIGNET_AGENT_POLICY_GLOB_H_
#define SIGNET_AGENT_POLICY_GLOB_H_

#include <cstddef>
#include <string_view>

namespace signet::agent {

// Allocates nothing. Linear in practice and at worst |pattern| * |text|: only the last star is ever
// tried again.
inline bool GlobMatches(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_GLOB_H_
