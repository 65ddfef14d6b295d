// Input: what a caller wants signed.
#include <algorithm>
#include <string_view>

#include "agent/authentication/signed_content.h"
#include "tests/fuzz/check.h"

namespace signet::agent {
namespace {

void Check(wire::BytesView content) {
  const SignedContent read = ReadSignedContent(content);
  SIGNET_CHECK(read.purpose.has_value() == read.why_none.empty());
  if (!read.purpose) return;
  if (*read.purpose == Purpose::kCsr) {
    SIGNET_CHECK(content[0] == 0x30);
    SIGNET_CHECK(!read.public_key.empty());
  } else {
    const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
    SIGNET_CHECK(text.starts_with(std::string(64, ' ')));
    SIGNET_CHECK(content.size() <= 64 + 33 + 1 + 48);
  }
  // Nothing shorter or longer is the same thing.
  wire::Bytes longer(content.begin(), content.end());
  longer.push_back(0);
  for (const wire::BytesView other : {content.first(content.size() - 1), wire::BytesView(longer)}) {
    SIGNET_CHECK(!ReadSignedContent(other).purpose);
  }
}

}  // namespace
}  // namespace signet::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::agent::Check({data, size});
  return 0;
}
