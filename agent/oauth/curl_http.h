// HTTP by libcurl. The key of the client's certificate stays in the agent.
#ifndef SIGNET_AGENT_OAUTH_CURL_HTTP_H_
#define SIGNET_AGENT_OAUTH_CURL_HTTP_H_

#include <curl/curl.h>

#include <memory>
#include <string>

#include "agent/oauth/credential.h"
#include "agent/oauth/http.h"

namespace signet::oauth {

// One thread. Writes nothing of what goes over the wire anywhere.
class CurlHttp final : public Http {
 public:
  // `authorities`: a PEM file of those that servers' certificates may come from; empty: the
  // system's. Borrows the credential.
  CurlHttp(const Credential& credential, std::string authorities);

  absl::StatusOr<HttpResponse> Get(const std::string& url) override;
  absl::StatusOr<HttpResponse> Post(const std::string& url, const Form& form) override;

 private:
  struct Cleanup {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  using Handle = std::unique_ptr<CURL, Cleanup>;
  using Headers = std::unique_ptr<curl_slist, Cleanup>;

  Handle Begin(const std::string& url) const;
  absl::StatusOr<HttpResponse> Perform(const Handle& curl, const std::string& url) const;

  const Credential& credential_;
  const std::string authorities_;
};

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_CURL_HTTP_H_
