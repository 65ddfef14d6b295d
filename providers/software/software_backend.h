// Keys in plain files, for trials and tests: TokenState says that they are not in hardware.
#ifndef SIGNET_PROVIDERS_SOFTWARE_SOFTWARE_BACKEND_H_
#define SIGNET_PROVIDERS_SOFTWARE_SOFTWARE_BACKEND_H_

#include <memory>
#include <string>

#include "providers/backend.h"

namespace signet::providers {

// A reference is the key itself: unencrypted PKCS#8 in PEM (RFC 7468 section 10). RemoveKeySlowly
// therefore has nothing to destroy, and no PIN is ever needed. `name` is the backend's name in the
// configuration and begins each error message.
std::unique_ptr<Backend> MakeSoftwareBackend(std::string name);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_SOFTWARE_SOFTWARE_BACKEND_H_
