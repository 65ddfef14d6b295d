// The device authorisation grant (RFC 8628): a person agrees in a browser, anywhere.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/oauth/json_object.h"
#include "agent/oauth/token_client.h"

namespace signet::oauth {
namespace {

using std::chrono::seconds;

constexpr char kGrantType[] = "urn:ietf:params:oauth:grant-type:device_code";
constexpr long kUsualInterval = 5;  // where the server names none: section 3.2
constexpr long kSlower = 5;         // section 3.5
constexpr long kLongestInterval = 300;
constexpr long kLongestLife = 3600;  // nobody waits longer

struct Pending {
  DeviceQuestion question;
  std::string device_code;
  long lifetime;
  long interval;
};

absl::StatusOr<Pending> ParsePending(const HttpResponse& response, const std::string& url) {
  if (response.status != 200) return Refusal(response, url);
  const Json object = ParseObject(response.body).value_or(Json::object());
  Pending pending{
      .question = {.uri = Text(object, "verification_uri").value_or(""),
                   .code = Text(object, "user_code").value_or(""),
                   .complete_uri = Text(object, "verification_uri_complete").value_or("")},
      .device_code = Text(object, "device_code").value_or(""),
      .lifetime = std::min(Seconds(object, "expires_in").value_or(0), kLongestLife),
      .interval =
          std::clamp(Seconds(object, "interval").value_or(kUsualInterval), 1L, kLongestInterval)};
  if (pending.question.uri.empty() || pending.question.code.empty() ||
      pending.device_code.empty() || pending.lifetime == 0) {
    return absl::UnknownError(absl::StrCat(
        url, ": the answer lacks what RFC 8628 section 3.2 asks for; is it the right server?"));
  }
  return pending;
}

}  // namespace

absl::StatusOr<Token> TokenClient::Device(const Wish& wish,
                                          const std::function<void(const DeviceQuestion&)>& ask,
                                          const std::function<void(seconds)>& wait) {
  const absl::StatusOr<std::string> url = server_.Endpoint("device_authorization_endpoint");
  if (!url.ok()) return url.status();
  const absl::StatusOr<std::string> token_url = server_.Endpoint("token_endpoint");
  if (!token_url.ok()) return token_url.status();
  const absl::StatusOr<HttpResponse> begun = http_.Post(*url, Begin("", wish));
  if (!begun.ok()) return begun.status();
  absl::StatusOr<Pending> pending = ParsePending(*begun, *url);
  if (!pending.ok()) return pending.status();
  ask(pending->question);

  const Form form = {
      {"client_id", client_id_}, {"grant_type", kGrantType}, {"device_code", pending->device_code}};
  // Counted by the waits: how long a request took shortens it at the server alone, which says so.
  for (long waited = 0; waited < pending->lifetime; waited += pending->interval) {
    wait(seconds(pending->interval));
    const absl::StatusOr<HttpResponse> response = http_.Post(*token_url, form);
    if (response.status().code() == absl::StatusCode::kDeadlineExceeded) {
      pending->interval = std::min(2 * pending->interval, kLongestInterval);  // section 3.5
      continue;
    }
    if (!response.ok()) return response.status();
    const std::string error = ErrorOf(*response);
    if (error == "slow_down") {
      pending->interval = std::min(pending->interval + kSlower, kLongestInterval);
    } else if (error == "access_denied") {
      return absl::UnknownError("the person who was asked did not agree; nothing was given");
    } else if (error == "expired_token") {
      break;
    } else if (error != "authorization_pending") {
      return ParseToken(*response, *token_url);
    }
  }
  return absl::UnknownError("nobody agreed in time; ask again");
}

}  // namespace signet::oauth
