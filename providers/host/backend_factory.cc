#include "providers/host/backend_factory.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "providers/software/software_backend.h"

namespace signet::providers {

absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(const backend::v1::ConfigureRequest& request) {
  if (request.type() == "software") return MakeSoftwareBackend(request.name());
  return absl::InvalidArgumentError(absl::StrCat(request.name(), ": configure: unknown type \"",
                                                 request.type(),
                                                 "\"; use tpm2, pkcs11 or software"));
}

}  // namespace signet::providers
