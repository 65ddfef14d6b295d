// The tables that entry.cc gives OpenSSL, one file each.
#ifndef SIGNET_PROVIDERS_OPENSSL_FUNCTIONS_H_
#define SIGNET_PROVIDERS_OPENSSL_FUNCTIONS_H_

#include <openssl/core.h>

namespace signet::openssl {

extern const OSSL_ALGORITHM kKeyManagement[];
extern const OSSL_ALGORITHM kSignatures[];
extern const OSSL_ALGORITHM kDecoders[];
extern const OSSL_ALGORITHM kStores[];

// As OSSL_DISPATCH wants every function; OpenSSL casts it back by its number.
template <typename F>
constexpr auto AsFunction(F* function) {
  return reinterpret_cast<void (*)(void)>(function);
}

inline constexpr char kProperties[] = "provider=signet";

}  // namespace signet::openssl

#endif  // SIGNET_PROVIDERS_OPENSSL_FUNCTIONS_H_
