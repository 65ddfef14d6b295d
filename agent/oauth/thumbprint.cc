#include "agent/oauth/thumbprint.h"

#include <openssl/sha.h>

#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace signet::oauth {

std::string Thumbprint(wire::BytesView certificate) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(certificate.data(), certificate.size(), digest.data());
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

}  // namespace signet::oauth
