#include "providers/openssl/context.h"

#include <openssl/err.h>
#include <openssl/params.h>

#include <charconv>
#include <cstdarg>
#include <string_view>
#include <system_error>

namespace signet::openssl {
namespace {

// The only error of our own; what is raised with it says the rest, but for programs such as curl,
// which show no more than this. OpenSSL would unload what a provider gives it for this purpose when
// the last key goes, and crashes then if it has ended before, as it has when the key is a global
// object's. This is loaded once for the process and stays, as the module does.
uint32_t OnlyError() {
  constexpr int kReason = 1;
  static const int library = [] {
    const int own = ERR_get_next_error_library();
    static const ERR_STRING_DATA kTexts[] = {
        {ERR_PACK(own, 0, 0), "signet"},
        {ERR_PACK(own, 0, kReason), "no key or signature of signetd (see signet audit list)"},
        {0, nullptr}};
    ERR_load_strings_const(kTexts);
    return own;
  }();
  return static_cast<uint32_t>(ERR_PACK(library, 0, kReason));
}

void RaiseWith(OSSL_FUNC_core_vset_error_fn* set, const OSSL_CORE_HANDLE* core, const char* format,
               ...) {
  va_list arguments;
  va_start(arguments, format);
  set(core, OnlyError(), format, arguments);
  va_end(arguments);
}

}  // namespace

Context::Context(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* functions)
    : core_(core), public_keys_(OSSL_LIB_CTX_new_from_dispatch(core, functions)) {
  if (public_keys_ == nullptr) throw Failure("signet: no memory for a library context");
  OSSL_FUNC_core_get_params_fn* get_params = nullptr;
  for (; functions->function_id != 0; ++functions) {
    switch (functions->function_id) {
      case OSSL_FUNC_CORE_NEW_ERROR:
        new_error_ = OSSL_FUNC_core_new_error(functions);
        break;
      case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
        set_error_debug_ = OSSL_FUNC_core_set_error_debug(functions);
        break;
      case OSSL_FUNC_CORE_VSET_ERROR:
        vset_error_ = OSSL_FUNC_core_vset_error(functions);
        break;
      case OSSL_FUNC_CORE_GET_PARAMS:
        get_params = OSSL_FUNC_core_get_params(functions);
        break;
      default:
        break;
    }
  }
  char* deadline = nullptr;
  char* socket = nullptr;
  OSSL_PARAM settings[] = {OSSL_PARAM_utf8_ptr("agent_socket", &socket, 0),
                           OSSL_PARAM_utf8_ptr("deadline_ms", &deadline, 0), OSSL_PARAM_END};
  if (get_params == nullptr || get_params(core, settings) != 1) return;
  agent_socket_ = socket;
  deadline_ = deadline;
}

uint32_t Context::deadline_ms() const {
  if (deadline_ == nullptr) return 0;
  const std::string_view text(deadline_);
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  if (error != std::errc() || end != text.end() || number == 0) {
    throw Failure("signet: deadline_ms = " + std::string(text) +
                  " in the configuration of OpenSSL: give a number of milliseconds, such as 10000");
  }
  return number;
}

void Context::Raise(const char* text) const noexcept {
  if (new_error_ == nullptr || vset_error_ == nullptr) return;
  new_error_(core_);
  if (set_error_debug_ != nullptr) set_error_debug_(core_, "signet", 0, "");
  RaiseWith(vset_error_, core_, "%s", text);
}

Stream Context::Open(OSSL_CORE_BIO* stream) const {
  return Stream(BIO_new_from_core_bio(public_keys_.get(), stream));
}

}  // namespace signet::openssl
