// Input: a URL as a user of signet-fetch writes it, or a request target as a client sends it.
#include <string_view>

#include "client-lib/tools/url.h"
#include "tests/fuzz/check.h"

namespace signet::tools {
namespace {

void Check(std::string_view input) {
  if (const std::optional<Url> url = ParseUrl(input)) {
    SIGNET_CHECK(!url->target.empty() && url->target[0] == '/');
    SIGNET_CHECK(url->target.find_first_of("\r\n #") == std::string::npos);
    const std::optional<Url> again = ParseUrl(url->Origin() + url->target);
    SIGNET_CHECK(again && again->server == url->server && again->target == url->target);
  }
  if (const std::optional<std::string> path = NormalizePath(input)) {
    // The one form: what decides who may have a resource must not depend on the spelling.
    SIGNET_CHECK(NormalizePath(*path) == path);
    SIGNET_CHECK((*path + "/").find("/../") == std::string::npos);
    SIGNET_CHECK((*path + "/").find("/./") == std::string::npos);
  }
}

}  // namespace
}  // namespace signet::tools

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::tools::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
