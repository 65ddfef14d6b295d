// Input: a ClientHello message.
#include <algorithm>
#include <set>

#include "ipc/wire/client_hello.h"
#include "ipc/wire/extension.h"
#include "tests/fuzz/check.h"

namespace signet::wire {
namespace {

void Check(BytesView message) {
  const auto hello = ParseClientHello(message);
  if (!hello.ok()) return;
  const std::set<uint16_t> types(hello->extensions.begin(), hello->extensions.end());
  SIGNET_CHECK(types.size() == hello->extensions.size());
  SIGNET_CHECK(hello->signature_algorithms.empty() !=
               types.contains(static_cast<uint16_t>(ExtensionType::kSignatureAlgorithms)));
  SIGNET_CHECK(2 * hello->signature_algorithms.size() < message.size());
  SIGNET_CHECK(!ParseClientHello(message.first(message.size() - 1)).ok());
}

}  // namespace
}  // namespace signet::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::wire::Check({data, size});
  return 0;
}
