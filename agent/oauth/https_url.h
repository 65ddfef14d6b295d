// URLs of an authorisation server. Pure; any thread.
#ifndef SIGNET_AGENT_OAUTH_HTTPS_URL_H_
#define SIGNET_AGENT_OAUTH_HTTPS_URL_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace signet::oauth {

// https, with a host, without user name and fragment; kInvalidArgument says what is wrong.
absl::Status CheckHttpsUrl(const std::string& url);

// Where an issuer publishes its metadata, in the order in which to look: as an OAuth server (RFC
// 8414 section 3.1), then as an OpenID provider (OpenID Connect Discovery 1.0 section 4).
// kInvalidArgument for what is no issuer: as above, and it has no query.
absl::StatusOr<std::vector<std::string>> MetadataUrls(const std::string& issuer);

// application/x-www-form-urlencoded
using Form = std::vector<std::pair<std::string, std::string>>;
std::string Encode(const Form& form);

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_HTTPS_URL_H_
