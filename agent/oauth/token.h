// What a token endpoint answers (RFC 6749 section 5).
#ifndef SIGNET_AGENT_OAUTH_TOKEN_H_
#define SIGNET_AGENT_OAUTH_TOKEN_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/oauth/http.h"
#include "agent/oauth/jwk.h"

namespace signet::oauth {

struct Token {
  std::string access;
  std::string type;              // "Bearer"
  std::optional<long> lifetime;  // seconds
  std::string scope;             // empty: as asked for
  std::string refresh;           // empty: none
};

// A token that could be put into an HTTP header, in the answer of `url`. Errors hold nothing of it.
absl::StatusOr<Token> ParseToken(const HttpResponse& response, const std::string& url);

// The `error` of an answer that is one (RFC 6749 section 5.2): "invalid_client". Empty: it is none.
std::string ErrorOf(const HttpResponse& response);

// An answer that does not give what was asked for, in the server's words.
absl::Status Refusal(const HttpResponse& response, const std::string& url);

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_TOKEN_H_
