#include "agent/oauth/token.h"

#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/oauth/json_object.h"

namespace signet::oauth {
namespace {

// Visible ASCII alone (RFC 6749 appendix A.12, without the space): it goes into a header.
bool IsToken(std::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) return false;
  }
  return !text.empty();
}

// What a person can do about it.
absl::string_view NextStep(const std::string& error) {
  if (error == "invalid_client" || error == "unauthorized_client") {
    return "; is the client registered with this certificate? See: signet oauth metadata --help";
  }
  if (error == "invalid_grant") return "; the grant has ended: ask for a new one";
  return "";
}

}  // namespace

std::string ErrorOf(const HttpResponse& response) {
  const std::optional<Json> object = ParseObject(response.body);
  return object ? Text(*object, "error").value_or("") : "";
}

absl::Status Refusal(const HttpResponse& response, const std::string& url) {
  const std::string error = ErrorOf(response);
  if (error.empty()) {
    return absl::UnknownError(absl::StrCat(url, ": HTTP status ", response.status,
                                           ", and no OAuth answer; is it the right server?"));
  }
  const std::string description =
      Text(*ParseObject(response.body), "error_description").value_or("");
  return absl::UnknownError(absl::StrCat(url, ": ", error, description.empty() ? "" : ": ",
                                         description, NextStep(error)));
}

absl::StatusOr<Token> ParseToken(const HttpResponse& response, const std::string& url) {
  if (response.status != 200) return Refusal(response, url);
  const std::optional<Json> object = ParseObject(response.body);
  const auto malformed = [&url](absl::string_view what) {
    return absl::UnknownError(absl::StrCat(url, ": the answer has no ", what,
                                           " (RFC 6749 section "
                                           "5.1); is it the right server?"));
  };
  if (!object) return malformed("JSON object");
  Token token;
  token.access = Text(*object, "access_token").value_or("");
  token.type = Text(*object, "token_type").value_or("");
  token.lifetime = Seconds(*object, "expires_in");
  token.scope = Text(*object, "scope").value_or("");
  token.refresh = Text(*object, "refresh_token").value_or("");
  if (!IsToken(token.access)) return malformed("access_token");
  // The only type by which a token bound to a certificate is used (RFC 8705 section 3).
  if (!absl::EqualsIgnoreCase(token.type, "Bearer")) return malformed("token_type Bearer");
  if (!token.refresh.empty() && !IsToken(token.refresh)) return malformed("refresh_token");
  return token;
}

}  // namespace signet::oauth
