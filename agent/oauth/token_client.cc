#include "agent/oauth/token_client.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/oauth/json_object.h"
#include "agent/oauth/token_binding.h"

namespace signet::oauth {

TokenClient::TokenClient(Http& http, const ServerMetadata& server, std::string client_id)
    : http_(http), server_(server), client_id_(std::move(client_id)) {}

Form TokenClient::Begin(const std::string& grant_type, const Wish& wish) const {
  // The client is named although its certificate is shown: RFC 8705 section 2.
  Form form = {{"client_id", client_id_}};
  if (!grant_type.empty()) form.emplace_back("grant_type", grant_type);
  if (!wish.scopes.empty()) form.emplace_back("scope", absl::StrJoin(wish.scopes, " "));
  for (const std::string& resource : wish.resources) form.emplace_back("resource", resource);
  return form;
}

absl::StatusOr<Token> TokenClient::Ask(const Form& form) {
  const absl::StatusOr<std::string> url = server_.Endpoint("token_endpoint");
  if (!url.ok()) return url.status();
  const absl::StatusOr<HttpResponse> response = http_.Post(*url, form);
  if (!response.ok()) return response.status();
  return ParseToken(*response, *url);
}

absl::StatusOr<Token> TokenClient::ClientCredentials(const Wish& wish) {
  return Ask(Begin("client_credentials", wish));
}

absl::StatusOr<Token> TokenClient::Refresh(const std::string& refresh_token, const Wish& wish) {
  Form form = Begin("refresh_token", wish);
  form.emplace_back("refresh_token", refresh_token);
  return Ask(form);
}

absl::StatusOr<Evidence> TokenClient::Check(const std::string& access_token,
                                            const std::string& thumbprint) {
  if (const std::optional<Json> claims = ClaimsOf(access_token)) {
    if (absl::Status bound = CheckBinding(*claims, thumbprint); !bound.ok()) return bound;
    return Evidence::kClaims;
  }
  const absl::StatusOr<std::string> url = server_.Endpoint("introspection_endpoint");
  if (!url.ok()) return Evidence::kNone;
  const absl::StatusOr<HttpResponse> response = http_.Post(
      *url,
      {{"client_id", client_id_}, {"token", access_token}, {"token_type_hint", "access_token"}});
  if (!response.ok()) return response.status();
  const std::optional<Json> answer = ParseObject(response->body);
  // RFC 7662 section 2.2: a server that does not let this client look says that, or "not active".
  const Json* active = answer ? Member(*answer, "active") : nullptr;
  if (response->status != 200 || active == nullptr || *active != Json(true)) return Evidence::kNone;
  if (absl::Status bound = CheckBinding(*answer, thumbprint); !bound.ok()) return bound;
  return Evidence::kIntrospection;
}

}  // namespace signet::oauth
