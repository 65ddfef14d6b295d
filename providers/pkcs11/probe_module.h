// A PKCS#11 module for tests: hands every call on to a real module, counts it, and fails when told.
//
// A test links it and gives its path, SIGNET_PROBE_MODULE, to the backend: both then share it.
#ifndef SIGNET_PROVIDERS_PKCS11_PROBE_MODULE_H_
#define SIGNET_PROVIDERS_PKCS11_PROBE_MODULE_H_

#include <p11-kit/pkcs11.h>

#include <functional>
#include <map>
#include <string>

namespace signet::providers::pkcs11 {

struct Probe {
  struct Function {
    int calls = 0;
    CK_RV failure = CKR_OK;                  // what the next calls return instead of doing anything
    int failures = 0;                        // how many of them
    std::function<void()> when_called = {};  // before each call
  };

  std::string real_module = {};
  std::map<std::string, Function> functions = {};  // "C_Sign"
  CK_FLAGS token_flags = 0;                        // added to what C_GetTokenInfo shows

  void Fail(const std::string& function, CK_RV rv, int times = 1) {
    functions[function].failure = rv;
    functions[function].failures = times;
  }
  int Calls(const std::string& function) { return functions[function].calls; }
  int AllCalls() const {
    int sum = 0;
    for (const auto& [name, function] : functions) sum += function.calls;
    return sum;
  }
};

// The process's one; a test begins with `TheProbe() = Probe{...}`.
Probe& TheProbe();

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_PROBE_MODULE_H_
