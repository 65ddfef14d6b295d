#include "agent/oauth/token_binding.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "agent/oauth/json_object.h"

namespace signet::oauth {
namespace {

std::optional<Json> Decode(const std::string& part) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(part, &text)) return std::nullopt;
  return ParseObject(text);
}

}  // namespace

std::optional<Json> ClaimsOf(std::string_view token) {
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(token.data(), token.size()), '.');
  if (parts.size() != 3) return std::nullopt;
  const std::optional<Json> header = Decode(parts[0]);
  if (!header || !Text(*header, "alg")) return std::nullopt;
  return Decode(parts[1]);
}

absl::Status CheckBinding(const Json& confirmed, const std::string& thumbprint) {
  const Json* cnf = Member(confirmed, "cnf");
  const std::optional<std::string> bound = cnf == nullptr ? std::nullopt : Text(*cnf, "x5t#S256");
  if (!bound) {
    return absl::UnknownError(
        "the server gave a token that is bound to no certificate, so that whoever finds it can use "
        "it; it is not handed out. Register the client with "
        "\"tls_client_certificate_bound_access_tokens\": true");
  }
  if (*bound != thumbprint) {
    return absl::UnknownError(
        "the server gave a token that is bound to another certificate, so that it is of no use; it "
        "is not handed out. Does something between here and the server end TLS?");
  }
  return absl::OkStatus();
}

}  // namespace signet::oauth
