#include "agent/policy/purpose.h"

#include <algorithm>
#include <iterator>

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
    case Purpose::kServer:
      return "server";
  }
  return "unknown";
}

bool NeedsOrigin(std::string_view purpose) {
  return std::ranges::find(kWithoutOrigin, purpose, Name) == std::end(kWithoutOrigin);
}

std::string Use::ToString() const {
  if (has_origin()) return absl::StrCat("at ", origin.ToString());
  return "for " + std::string(Name(purpose));
}

}  // namespace signet::agent
