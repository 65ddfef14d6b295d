// Input: what `signet identity import` is given.
#include <string_view>

#include "agent/identity/pem.h"
#include "tests/fuzz/check.h"

namespace signet::agent {
namespace {

void Check(std::string_view input) {
  if (const auto chain = ParseChainPem(input); chain.ok()) {
    SIGNET_CHECK(!chain->empty());
    const auto again = ParseChainPem(ChainToPem(*chain));
    SIGNET_CHECK(again.ok() && *again == *chain);
  }
  if (const auto key = ParsePublicKeyPem(input); key.ok()) {
    const auto again = ParsePublicKeyPem(PublicKeyToPem(*key));
    SIGNET_CHECK(again.ok() && *again == *key);
  }
}

}  // namespace
}  // namespace signet::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::agent::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
