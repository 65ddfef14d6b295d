// A PKCS#11 module in this process. (This folder has a namespace of its own because signet-backend
// links all providers, and each has its tokens, modules and public keys.)
#ifndef SIGNET_PROVIDERS_PKCS11_MODULE_H_
#define SIGNET_PROVIDERS_PKCS11_MODULE_H_

#include <p11-kit/pkcs11.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace signet::providers::pkcs11 {

// Initialized as long as this lives; never unloaded, because some modules crash when they are and
// the process has no other use than this module. One thread.
class Module {
 public:
  // kUnavailable when there is no module at `path` or it does not start; `prefix` begins the
  // message.
  static absl::StatusOr<std::unique_ptr<Module>> Load(const std::string& prefix,
                                                      const std::string& path);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  // C_Finalize and C_Initialize: all sessions are gone, and the module looks at the world anew.
  CK_RV Restart();

  const CK_FUNCTION_LIST* operator->() const { return functions_; }

 private:
  explicit Module(const CK_FUNCTION_LIST* functions) : functions_(functions) {}

  const CK_FUNCTION_LIST* const functions_;
};

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_MODULE_H_
