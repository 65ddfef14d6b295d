#include "agent/oauth/server_metadata.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/oauth/json_object.h"

namespace signet::oauth {

absl::StatusOr<ServerMetadata> ServerMetadata::Discover(Http& http, const std::string& issuer) {
  const absl::StatusOr<std::vector<std::string>> urls = MetadataUrls(issuer);
  if (!urls.ok()) return urls.status();
  for (const std::string& url : *urls) {
    const absl::StatusOr<HttpResponse> response = http.Get(url);
    if (!response.ok()) return response.status();
    if (response->status != 200) continue;
    std::optional<Json> document = ParseObject(response->body);
    if (!document) return absl::UnknownError(absl::StrCat(url, ": the answer is no JSON object"));
    const std::optional<std::string> named = Text(*document, "issuer");
    if (named != issuer) {
      return absl::UnknownError(absl::StrCat(
          url, ": this is the metadata of ",
          named ? absl::StrCat("the issuer \"", *named, "\"") : "no issuer", ", not of \"", issuer,
          "\"; name the issuer exactly as the server does, if you trust that one"));
    }
    return ServerMetadata(issuer, *std::move(document));
  }
  return absl::UnknownError(absl::StrCat("issuer \"", issuer, "\": it publishes no metadata at ",
                                         absl::StrJoin(*urls, " or "),
                                         "; is it an OAuth 2.0 issuer?"));
}

absl::StatusOr<std::string> ServerMetadata::Endpoint(const std::string& name) const {
  const Json* aliases = Member(document_, "mtls_endpoint_aliases");
  std::optional<std::string> url;
  if (aliases != nullptr) url = Text(*aliases, name.c_str());
  if (!url) url = Text(document_, name.c_str());
  if (!url) {
    return absl::UnknownError(absl::StrCat("issuer \"", issuer_, "\": its metadata has no ", name,
                                           "; it can't do what is asked for"));
  }
  if (const absl::Status usable = CheckHttpsUrl(*url); !usable.ok()) {
    return absl::UnknownError(
        absl::StrCat("issuer \"", issuer_, "\": its ", name, ": ", usable.message()));
  }
  return *std::move(url);
}

}  // namespace signet::oauth
