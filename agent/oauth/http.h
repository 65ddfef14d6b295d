// HTTP as far as an OAuth client needs it; an interface, so that tests can be the server.
#ifndef SIGNET_AGENT_OAUTH_HTTP_H_
#define SIGNET_AGENT_OAUTH_HTTP_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/oauth/https_url.h"

namespace signet::oauth {

struct HttpResponse {
  long status = 0;
  std::string body;
};

// Calls block. URLs are https. kDeadlineExceeded: no answer in time; kUnknown: why not, with the
// next step. No redirect is followed: nobody but who was meant gets a request.
class Http {
 public:
  virtual ~Http() = default;
  // Shows no certificate: what is public is asked for by nobody in particular.
  virtual absl::StatusOr<HttpResponse> Get(const std::string& url) = 0;
  // Authenticates with the client's certificate.
  virtual absl::StatusOr<HttpResponse> Post(const std::string& url, const Form& form) = 0;
};

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_HTTP_H_
