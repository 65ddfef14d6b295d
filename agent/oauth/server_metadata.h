// What an authorisation server publishes about itself (RFC 8414, OpenID Connect Discovery 1.0).
#ifndef SIGNET_AGENT_OAUTH_SERVER_METADATA_H_
#define SIGNET_AGENT_OAUTH_SERVER_METADATA_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/oauth/http.h"
#include "agent/oauth/jwk.h"

namespace signet::oauth {

class ServerMetadata {
 public:
  // Asks the issuer, whose identifier must be in the answer character by character: else one server
  // could pass for another (RFC 8414 section 3.3). kInvalidArgument for what is no issuer.
  static absl::StatusOr<ServerMetadata> Discover(Http& http, const std::string& issuer);

  // Where a client with a certificate finds an endpoint, such as token_endpoint: under
  // mtls_endpoint_aliases if it is there, else where all find it (RFC 8705 section 5). kUnknown:
  // the server has none, or one that is no https URL.
  absl::StatusOr<std::string> Endpoint(const std::string& name) const;

 private:
  ServerMetadata(std::string issuer, Json document)
      : issuer_(std::move(issuer)), document_(std::move(document)) {}

  std::string issuer_;
  Json document_;  // an object
};

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_SERVER_METADATA_H_
