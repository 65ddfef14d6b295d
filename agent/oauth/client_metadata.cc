#include "agent/oauth/client_metadata.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace signet::oauth {
namespace {

std::string Choices(const std::vector<SubjectName>& names) {
  if (names.empty()) return "its certificate has none; ask for one with a subject";
  return absl::StrCat("its certificate has ",
                      absl::StrJoin(names, ", ", [](std::string* out, const SubjectName& name) {
                        absl::StrAppend(out, std::string(FieldOf(name.type)), " \"", name.value,
                                        "\"");
                      }));
}

}  // namespace

absl::StatusOr<Json> TlsClientAuthMetadata(const std::vector<wire::Bytes>& chain,
                                           const std::vector<SubjectName>& names) {
  const std::vector<SubjectName> present = SubjectNamesOf(chain.front());
  if (names.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("tls_client_auth takes exactly one name of the client (RFC 8705 section "
                     "2.1.2), not ",
                     names.size(), "; ", Choices(present)));
  }
  const SubjectName& name = names.front();
  if (std::find(present.begin(), present.end(), name) == present.end()) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(FieldOf(name.type)), " \"",
                                                   name.value, "\" is not in the certificate; ",
                                                   Choices(present)));
  }
  return Json{{"token_endpoint_auth_method", "tls_client_auth"},
              {std::string(FieldOf(name.type)), name.value},
              {"tls_client_certificate_bound_access_tokens", true}};
}

absl::StatusOr<Json> SelfSignedMetadata(const std::vector<std::vector<wire::Bytes>>& chains) {
  absl::StatusOr<Json> set = ToJwkSet(chains);
  if (!set.ok()) return set.status();
  return Json{{"token_endpoint_auth_method", "self_signed_tls_client_auth"},
              {"jwks", *std::move(set)},
              {"tls_client_certificate_bound_access_tokens", true}};
}

absl::StatusOr<Json> ToJwkSet(const std::vector<std::vector<wire::Bytes>>& chains) {
  Json keys = Json::array();
  for (const std::vector<wire::Bytes>& chain : chains) {
    absl::StatusOr<Json> jwk = ToJwk(chain);
    if (!jwk.ok()) return jwk.status();
    keys.push_back(*std::move(jwk));
  }
  return Json{{"keys", std::move(keys)}};
}

}  // namespace signet::oauth
