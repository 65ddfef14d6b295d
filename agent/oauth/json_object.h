// JSON of strangers: whatever comes, no exception and no surprise of type. Pure; any thread.
#ifndef SIGNET_AGENT_OAUTH_JSON_OBJECT_H_
#define SIGNET_AGENT_OAUTH_JSON_OBJECT_H_

#include <optional>
#include <string>
#include <string_view>

#include "agent/oauth/jwk.h"

namespace signet::oauth {

// Nothing for a text that is not one JSON object.
inline std::optional<Json> ParseObject(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

// The member of that name; null: `json` is no object or has none.
inline const Json* Member(const Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

// Nothing: there is none, or it is no string.
inline std::optional<std::string> Text(const Json& json, const char* name) {
  const Json* member = Member(json, name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return member->get<std::string>();
}

// The same for a number of seconds.
inline std::optional<long> Seconds(const Json& json, const char* name) {
  constexpr double kMost = 1e9;
  const Json* member = Member(json, name);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  const double seconds = member->get<double>();
  if (!(seconds >= 0 && seconds <= kMost)) return std::nullopt;
  return static_cast<long>(seconds);
}

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_JSON_OBJECT_H_
