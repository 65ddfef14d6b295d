#include "providers/host/backend_factory.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "providers/pkcs11/pkcs11_backend.h"
#include "providers/software/software_backend.h"
#include "providers/tpm2/tpm2_backend.h"

namespace signet::providers {
namespace {

absl::Status Refusal(const backend::v1::ConfigureRequest& request, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat(request.name(), ": configure: ", why));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(const backend::v1::ConfigureRequest& request) {
  if (request.type() == "software") return MakeSoftwareBackend(request.name());
  if (request.type() == "tpm2") {
    return MakeTpm2Backend({.name = request.name(),
                            .tcti = request.tcti(),
                            .parent = request.parent(),
                            .auth = request.auth()});
  }
  if (request.type() == "pkcs11") {
    if (request.module().empty() || request.token().empty()) {
      return Refusal(request, "a pkcs11 token needs `module` (path) and `token` (label); set both");
    }
    return MakePkcs11Backend(
        {.name = request.name(), .module = request.module(), .token = request.token()});
  }
  return Refusal(
      request, absl::StrCat("unknown type \"", request.type(), "\"; use tpm2, pkcs11 or software"));
}

}  // namespace signet::providers
