#include "client-lib/src/code_points.h"

#include "client-lib/src/abi.h"

namespace signet {
namespace {

signet_code_points Exported(const wire::CodePoints& points) {
  return {sizeof(signet_code_points),        points.authenticator_requests, points.certificate,
          points.server_certificate,         points.client_cert_auth,       points.server_cert_auth,
          points.server_certificate_invalid, points.request_forms};
}

wire::CodePoints Imported(const signet_code_points& points) {
  return {points.authenticator_requests, points.certificate,      points.server_certificate,
          points.client_cert_auth,       points.server_cert_auth, points.server_certificate_invalid,
          points.request_forms};
}

}  // namespace

std::optional<wire::CodePoints> ChooseCodePoints(signet_http http,
                                                 const signet_code_points* given) {
  wire::Profile profile;
  wire::CodePoints* points = http == SIGNET_HTTP2   ? &profile.h2
                             : http == SIGNET_HTTP3 ? &profile.h3
                                                    : nullptr;
  if (points == nullptr) return std::nullopt;
  if (given != nullptr) {
    if (!IsWhole(given)) return std::nullopt;
    *points = Imported(*given);
  }
  if (wire::FindConflict(profile)) return std::nullopt;
  return *points;
}

}  // namespace signet

using signet::Exported;
using signet::Imported;
using signet::IsWhole;
using signet::wire::Profile;

extern "C" {

void signet_code_points_h2(signet_code_points* out) {
  if (out != nullptr) *out = Exported(Profile().h2);
}

void signet_code_points_h3(signet_code_points* out) {
  if (out != nullptr) *out = Exported(Profile().h3);
}

signet_status signet_code_points_set(signet_code_points* h2, signet_code_points* h3,
                                     const char* name, uint64_t value) {
  if (!IsWhole(h2) || !IsWhole(h3) || name == nullptr) return SIGNET_ERROR_ARGUMENT;
  Profile profile{Imported(*h2), Imported(*h3)};
  uint64_t* found = signet::wire::FindCodePoint(profile, name);
  if (found == nullptr) return SIGNET_ERROR_ARGUMENT;
  *found = value;
  *h2 = Exported(profile.h2);
  *h3 = Exported(profile.h3);
  return SIGNET_OK;
}

const char* signet_code_points_conflict(const signet_code_points* h2,
                                        const signet_code_points* h3) {
  if (!IsWhole(h2) || !IsWhole(h3)) return "the code points are not set";
  const auto conflict = signet::wire::FindConflict({Imported(*h2), Imported(*h3)});
  return conflict ? conflict->data() : nullptr;  // string literals
}

const char* signet_status_string(signet_status status) {
  switch (status) {
    case SIGNET_OK:
      return "success";
    case SIGNET_ERROR_ARGUMENT:
      return "an argument breaks the contract of the function";
    case SIGNET_ERROR_STATE:
      return "not possible now";
    case SIGNET_ERROR_MEMORY:
      return "out of memory";
    case SIGNET_ERROR_TLS:
      return "the TLS connection is not TLS 1.3, or a callback into the TLS stack failed";
    case SIGNET_ERROR_CONNECTION:
      return "the peer broke a rule: the connection must be closed";
    case SIGNET_ERROR_AGENT:
      return "the agent can't be reached or answered garbage";
    case SIGNET_ERROR_DECLINED:
      return "the agent refuses";
  }
  return "unknown status";
}

}  // extern "C"
