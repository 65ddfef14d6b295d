#include "agent/cli/describe.h"

#include "absl/strings/str_cat.h"

namespace signet::cli {
namespace {

Json TriesLeft(const v1::BackendStatus& backend) {
  const bool known = backend.tries_left() > 0 || backend.pin_tries() == v1::PIN_TRIES_BLOCKED;
  return known ? Json(backend.tries_left()) : Json(nullptr);
}

std::string_view NameOf(v1::PinTries tries) {
  switch (tries) {
    case v1::PIN_TRIES_ALL:
      return "all";
    case v1::PIN_TRIES_FEW:
      return "few";
    case v1::PIN_TRIES_LAST:
      return "last";
    case v1::PIN_TRIES_BLOCKED:
      return "blocked";
    default:
      return "unknown";
  }
}

Json ToJson(const v1::Certificate& certificate) {
  return {{"subject", certificate.subject()},
          {"issuer", certificate.issuer()},
          {"not_before", certificate.not_before()},
          {"not_after", certificate.not_after()},
          {"sha256", certificate.sha256()}};
}

}  // namespace

std::string_view KindName(v1::IdentityKind kind) {
  switch (kind) {
    case v1::IDENTITY_KIND_DEVICE:
      return "device";
    case v1::IDENTITY_KIND_USER:
      return "user";
    case v1::IDENTITY_KIND_SERVER:
      return "server";
    default:
      return "unknown";
  }
}

v1::IdentityKind ParseKind(std::string_view name) {
  for (v1::IdentityKind kind :
       {v1::IDENTITY_KIND_DEVICE, v1::IDENTITY_KIND_USER, v1::IDENTITY_KIND_SERVER}) {
    if (name == KindName(kind)) return kind;
  }
  return v1::IDENTITY_KIND_UNSPECIFIED;
}

std::string_view HardwareMark(bool hardware) { return hardware ? "hardware" : "NOT HARDWARE"; }

Cell HardwareCell(bool hardware) {
  return {std::string(HardwareMark(hardware)), hardware ? Tone::kPlain : Tone::kWait};
}

Cell StateCell(const std::string& state) {
  const Tone tone = state == "ready" ? Tone::kGood : state == "failed" ? Tone::kBad : Tone::kWait;
  return {state, tone};
}

Cell PinTriesCell(const v1::BackendStatus& backend) {
  const uint32_t left = backend.tries_left();
  switch (backend.pin_tries()) {
    case v1::PIN_TRIES_ALL:
      return {left == 0 ? "all" : absl::StrCat(left)};
    case v1::PIN_TRIES_FEW:
      return {left == 0 ? "not all" : absl::StrCat(left)};
    case v1::PIN_TRIES_LAST:
      return {"1", Tone::kWait};
    case v1::PIN_TRIES_BLOCKED:
      return {"0", Tone::kBad};
    default:
      return {"-"};
  }
}

Tone ToneOfDecision(std::string_view decision) {
  return decision == "allow" ? Tone::kGood : decision == "deny" ? Tone::kBad : Tone::kWait;
}

Json ToJson(const v1::Identity& identity) {
  Json json = {{"name", identity.name()},         {"kind", KindName(identity.kind())},
               {"backend", identity.backend()},   {"algorithm", identity.algorithm()},
               {"hardware", identity.hardware()}, {"subject", identity.subject()},
               {"issuer", identity.issuer()},     {"not_after", identity.not_after()},
               {"usable", identity.usable()},     {"reason", identity.reason()},
               {"found", identity.found()}};
  if (identity.has_next()) json["next"] = ToJson(identity.next());
  if (identity.has_previous()) json["previous"] = ToJson(identity.previous());
  return json;
}

Json ToJson(const v1::BackendStatus& backend) {
  return {{"name", backend.name()},
          {"type", backend.type()},
          {"state", backend.state()},
          {"token", backend.token()},
          {"hardware", backend.hardware()},
          {"pin_pad", backend.pin_pad()},
          {"pin_tries", NameOf(backend.pin_tries())},
          {"tries_left", TriesLeft(backend)},
          {"unlocked_until", backend.unlocked_until()},
          {"pid", backend.pid()},
          {"restarts", backend.restarts()},
          {"last_error", backend.last_error()},
          {"next_step", backend.next_step()}};
}

Json ToJson(const v1::Rule& rule) {
  Json json = {{"decision", rule.decision()}, {"origin", rule.origin()},
               {"identity", rule.identity()}, {"program", rule.program()},
               {"source", rule.source()},     {"line", rule.line()}};
  for (const auto& [key, value] : FurtherConditions(rule)) json[key] = value;
  if (!rule.purpose().empty()) json["purpose"] = rule.purpose();
  if (!rule.once_per().empty()) json["once_per"] = rule.once_per();
  if (rule.final()) json["final"] = true;
  if (rule.trusted_origin()) json["trusted_origin"] = true;
  return json;
}

std::vector<std::pair<std::string, std::string>> FurtherConditions(const v1::Rule& rule) {
  std::vector<std::pair<std::string, std::string>> conditions = {
      {"kind", rule.kind()},       {"issuer", rule.issuer()},
      {"unit", rule.unit()},       {"extended_key_usage", rule.extended_key_usage()},
      {"session", rule.session()}, {"user_unit", rule.user_unit()},
      {"agent", rule.agent()},     {"sandbox", rule.sandbox()}};
  std::erase_if(conditions, [](const auto& condition) { return condition.second.empty(); });
  return conditions;
}

}  // namespace signet::cli
