#include "agent/oauth/credential.h"

#include <openssl/store.h>

#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/oauth/thumbprint.h"

namespace signet::oauth {
namespace {

struct StoreClose {
  void operator()(OSSL_STORE_CTX* store) const { OSSL_STORE_close(store); }
  void operator()(OSSL_STORE_INFO* info) const { OSSL_STORE_INFO_free(info); }
};
using Store = std::unique_ptr<OSSL_STORE_CTX, StoreClose>;
using StoreInfo = std::unique_ptr<OSSL_STORE_INFO, StoreClose>;

// The folder of the signet.so that belongs to this program, in place or as built; empty: none, so
// that OpenSSL looks where it always does.
std::string ModuleFolder() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const char* folder : {"../" SIGNET_LIBRARY_FOLDER "/ossl-modules", "../lib/ossl-modules"}) {
    const auto modules = (program.parent_path() / folder).lexically_normal();
    if (std::filesystem::exists(modules / "signet.so", error)) return modules.native();
  }
  return {};
}

absl::Status CheckValidNow(const X509* leaf) {
  if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0) {
    return absl::UnknownError("its certificate is not valid yet; is the clock right?");
  }
  if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0) {
    return absl::UnknownError(
        "its certificate has expired; import a new one with: signet identity import");
  }
  return absl::OkStatus();
}

}  // namespace

std::string Credential::thumbprint() const {
  return Thumbprint(agent::EncodeDer(i2d_X509, chain.front().get()));
}

std::string TakeOpenSslFailure() {
  std::string said;
  const char* data = nullptr;
  int flags = 0;
  bool by_provider = false;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    if (by_provider) continue;
    by_provider = absl::StartsWith(data, "signet");
    const char* reason = ERR_reason_error_string(code);
    if (by_provider) {
      said = std::string(absl::StripPrefix(data, "signet: "));
    } else if (said.empty() && reason != nullptr) {
      said = reason;
    }
  }
  return said;
}

absl::StatusOr<Providers> LoadProviders() {
  const std::string folder = ModuleFolder();
  if (!folder.empty()) OSSL_PROVIDER_set_default_search_path(nullptr, folder.c_str());
  Providers providers;
  // Naming one provider ends the implicit loading of OpenSSL's own.
  providers.own.reset(OSSL_PROVIDER_load(nullptr, "default"));
  providers.signet.reset(OSSL_PROVIDER_load(nullptr, "signet"));
  if (providers.own == nullptr || providers.signet == nullptr) {
    return absl::UnknownError(
        absl::StrCat("OpenSSL can't load the provider signet.so: ", TakeOpenSslFailure(),
                     "; name its folder in $OPENSSL_MODULES"));
  }
  return providers;
}

absl::StatusOr<Credential> LoadCredential(const std::string& uri) {
  ERR_clear_error();
  const Store store(OSSL_STORE_open(uri.c_str(), nullptr, nullptr, nullptr, nullptr));
  if (store == nullptr) return absl::UnknownError(TakeOpenSslFailure());
  Credential credential;
  while (OSSL_STORE_eof(store.get()) == 0) {
    const StoreInfo info(OSSL_STORE_load(store.get()));
    if (info == nullptr) {
      // The end of a file is an error, too.
      if (OSSL_STORE_eof(store.get()) != 0 || OSSL_STORE_error(store.get()) == 0) continue;
      return absl::UnknownError(TakeOpenSslFailure());
    }
    if (OSSL_STORE_INFO_get_type(info.get()) == OSSL_STORE_INFO_PKEY) {
      credential.key.reset(OSSL_STORE_INFO_get1_PKEY(info.get()));
    } else if (OSSL_STORE_INFO_get_type(info.get()) == OSSL_STORE_INFO_CERT) {
      credential.chain.emplace_back(OSSL_STORE_INFO_get1_CERT(info.get()));
    }
  }
  if (credential.key == nullptr) return absl::UnknownError("it has no key for TLS");
  if (credential.chain.empty()) {
    return absl::UnknownError("it has no certificate; import one with: signet identity import");
  }
  ERR_clear_error();
  if (absl::Status valid = CheckValidNow(credential.chain.front().get()); !valid.ok()) return valid;
  return credential;
}

}  // namespace signet::oauth
