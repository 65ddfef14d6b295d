// What all objects of one loaded provider share. Each object holds a counted pointer to it, so it
// outlives the provider's own teardown if need be.
#ifndef SIGNET_PROVIDERS_OPENSSL_CONTEXT_H_
#define SIGNET_PROVIDERS_OPENSSL_CONTEXT_H_

#include <openssl/bio.h>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace signet::openssl {

// What shims turn into one entry of OpenSSL's error queue: what happened and what to do next.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct PkeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyFree>;

struct LibraryFree {
  void operator()(OSSL_LIB_CTX* library) const { OSSL_LIB_CTX_free(library); }
};

struct StreamFree {
  void operator()(BIO* stream) const { BIO_free(stream); }
};
using Stream = std::unique_ptr<BIO, StreamFree>;

// Any thread: it does not change after it was made.
class Context {
 public:
  Context(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* functions);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // One entry of the error queue.
  void Raise(const char* text) const noexcept;

  // The program's stream as ours; null without memory.
  Stream Open(OSSL_CORE_BIO* stream) const;

  // For what is done with public keys: OpenSSL's own algorithms, whatever the program has loaded.
  OSSL_LIB_CTX* public_keys() const { return public_keys_.get(); }
  // Of the configuration (`agent_socket`, `deadline_ms`); null and 0: libsignet's defaults.
  const char* agent_socket() const { return agent_socket_; }
  // Throws Failure when it is not understood: OpenSSL says nothing of what fails at loading.
  uint32_t deadline_ms() const;

 private:
  const OSSL_CORE_HANDLE* const core_;
  OSSL_FUNC_core_new_error_fn* new_error_ = nullptr;
  OSSL_FUNC_core_set_error_debug_fn* set_error_debug_ = nullptr;
  OSSL_FUNC_core_vset_error_fn* vset_error_ = nullptr;
  const std::unique_ptr<OSSL_LIB_CTX, LibraryFree> public_keys_;
  const char* agent_socket_ = nullptr;
  const char* deadline_ = nullptr;
};

// Counted, since OpenSSL may free keys after the provider.
using ContextPointer = std::shared_ptr<const Context>;
inline const ContextPointer& ContextOf(void* provider) {
  return *static_cast<ContextPointer*>(provider);
}

// Runs a callback's body, which may throw: then one error is raised and `failed` returned.
template <typename Result, typename Body>
Result Guarded(const Context& context, Result failed, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& failure) {
    context.Raise(failure.what());
  } catch (...) {
    context.Raise("signet: unknown failure");
  }
  return failed;
}

}  // namespace signet::openssl

#endif  // SIGNET_PROVIDERS_OPENSSL_CONTEXT_H_
