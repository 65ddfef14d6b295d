// Input: the DER of a key file for OpenSSL's provider.
#include <openssl/core_dispatch.h>
#include <openssl/err.h>

#include "providers/openssl/key.h"
#include "tests/fuzz/check.h"

namespace signet::openssl {
namespace {

void Check(const Bytes& der) {
  static const OSSL_DISPATCH kNothing[] = {{0, nullptr}};
  static const Context kContext(nullptr, kNothing);
  try {
    const std::shared_ptr<const Key> key = ReadReference(kContext, der);
    if (key == nullptr) return;
    SIGNET_CHECK(!key->identity.empty());
    SIGNET_CHECK(key->identity.find('\0') == std::string::npos);
    SIGNET_CHECK(key->public_key.size() < der.size());
    SIGNET_CHECK(TypeOf(*key) != nullptr);
  } catch (const Failure&) {
  }
  ERR_clear_error();
}

}  // namespace
}  // namespace signet::openssl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::openssl::Check({data, data + size});
  return 0;
}
