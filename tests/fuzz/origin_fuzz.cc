// Input: a pattern, a line feed, an origin: what a rule says and what a client claims.
#include <algorithm>
#include <string_view>

#include "agent/policy/origin.h"
#include "tests/fuzz/check.h"

namespace signet::agent {
namespace {

// Parsed text, written and parsed again, is the same thing in the same spelling.
template <typename T, typename Parse>
void CheckSpelling(const T& parsed, Parse parse) {
  const absl::StatusOr<T> again = parse(parsed.ToString());
  SIGNET_CHECK(again.ok() && *again == parsed && again->ToString() == parsed.ToString());
}

void Check(std::string_view input) {
  const size_t line = std::min(input.find('\n'), input.size());
  const auto pattern = OriginPattern::Parse(input.substr(0, line));
  const auto origin = ParseOrigin(input.substr(std::min(line + 1, input.size())));
  if (origin.ok()) {
    CheckSpelling(*origin, [](std::string_view text) { return ParseOrigin(text); });
    // An origin is a pattern of itself, unless its host is one that only patterns have.
    SIGNET_CHECK(origin->host.find('*') == std::string::npos);
    const auto itself = OriginPattern::Parse(origin->ToString());
    SIGNET_CHECK(itself.ok() && itself->Matches(*origin));
    if (pattern.ok() && pattern->Covers(*itself)) SIGNET_CHECK(pattern->Matches(*origin));
  }
  if (pattern.ok()) {
    CheckSpelling(*pattern, [](std::string_view text) { return OriginPattern::Parse(text); });
    SIGNET_CHECK(pattern->Covers(*pattern));
    SIGNET_CHECK(OriginPattern::Parse("https://*:*")->Covers(*pattern));
  }
}

}  // namespace
}  // namespace signet::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::agent::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
