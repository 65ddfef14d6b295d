// A client of one authorisation server: asks for tokens and checks them.
#ifndef SIGNET_AGENT_OAUTH_TOKEN_CLIENT_H_
#define SIGNET_AGENT_OAUTH_TOKEN_CLIENT_H_

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/oauth/http.h"
#include "agent/oauth/server_metadata.h"
#include "agent/oauth/token.h"

namespace signet::oauth {

// What the token is for; empty: as the server thinks fit.
struct Wish {
  std::vector<std::string> scopes;
  std::vector<std::string> resources;  // RFC 8707
};

// Where a person agrees to a device grant (RFC 8628 section 3.2).
struct DeviceQuestion {
  std::string uri;
  std::string code;
  std::string complete_uri;  // with the code in it; may be empty
};

// How it is known that a token is bound to the certificate.
enum class Evidence { kClaims, kIntrospection, kNone };

// One thread; calls block. Borrows its arguments.
class TokenClient {
 public:
  TokenClient(Http& http, const ServerMetadata& server, std::string client_id);

  // RFC 6749 sections 4.4 and 6.
  absl::StatusOr<Token> ClientCredentials(const Wish& wish);
  absl::StatusOr<Token> Refresh(const std::string& refresh_token, const Wish& wish);

  // RFC 8628: `ask` shows a person where to agree, `wait` sleeps between looks whether they have.
  absl::StatusOr<Token> Device(const Wish& wish,
                               const std::function<void(const DeviceQuestion&)>& ask,
                               const std::function<void(std::chrono::seconds)>& wait);

  // Is it bound to the certificate? A JWT says so itself, of any other the server is asked. kNone:
  // it can't be seen. An error: it is not.
  absl::StatusOr<Evidence> Check(const std::string& access_token, const std::string& thumbprint);

 private:
  Form Begin(const std::string& grant_type, const Wish& wish) const;
  absl::StatusOr<Token> Ask(const Form& form);

  Http& http_;
  const ServerMetadata& server_;
  const std::string client_id_;
};

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_TOKEN_CLIENT_H_
