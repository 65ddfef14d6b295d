#include "agent/policy/purpose.h"

#include "absl/strings/str_cat.h"

namespace signet::agent {

std::string_view Name(Purpose purpose) {
  switch (purpose) {
    case Purpose::kExportedAuthenticator:
      return "exported-authenticator";
    case Purpose::kTlsClient:
      return "tls-client";
    case Purpose::kCsr:
      return "csr";
  }
  return "unknown";
}

bool NeedsOrigin(std::string_view purpose) {
  return purpose != Name(Purpose::kTlsClient) && purpose != Name(Purpose::kCsr);
}

std::string Use::ToString() const {
  if (has_origin()) return absl::StrCat("at ", origin.ToString());
  return "for " + std::string(Name(purpose));
}

}  // namespace signet::agent
