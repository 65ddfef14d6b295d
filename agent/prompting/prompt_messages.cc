#include "agent/prompting/prompt_messages.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/identity/certificate_facts.h"
#include "agent/identity/selection.h"

namespace signet::agent {
namespace {

namespace v1 = prompt::v1;

std::string PlaceOf(const Identity& identity, const std::optional<BackendStatus>& token) {
  if (!token) return absl::StrCat("backend ", identity.key.backend);
  if (token->type == "tpm2") return "this machine's TPM";
  if (token->type == "software") return "a file";
  if (token->token.empty()) return absl::StrCat("token ", identity.key.backend);
  return absl::StrCat(identity.hardware ? "smartcard" : "token", " \"", token->token, "\"");
}

bool LastsLonger(const OncePer& one, const OncePer& other) {
  return std::pair(one.scope, one.hours) > std::pair(other.scope, other.hours);
}

std::string ForHowLong(const OncePer& once_per) {
  switch (once_per.scope) {
    case OncePer::Scope::kConnection:
      return "this connection";
    case OncePer::Scope::kSession:
      return "this login session";
    case OncePer::Scope::kHours:
      return absl::StrCat(once_per.hours, once_per.hours == 1 ? " hour" : " hours");
    case OncePer::Scope::kRequest:
      break;
  }
  return {};
}

// What holds longest, of the choices that a rule asks about.
std::string Remembered(const std::vector<Choice>& choices) {
  OncePer longest;
  bool all_equal = true;
  bool first = true;
  for (const Choice& choice : choices) {
    if (!choice.asks) continue;
    if (!first && choice.once_per != longest) all_equal = false;
    if (first || LastsLonger(choice.once_per, longest)) longest = choice.once_per;
    first = false;
  }
  const std::string text = ForHowLong(longest);
  return all_equal || text.empty() ? text : absl::StrCat("at most ", text);
}

void SetProgram(const Caller& caller, v1::Program& program) {
  if (caller.executable) program.set_path(caller.executable->path);
  program.set_pid(static_cast<uint32_t>(caller.pid));
  program.set_uid(caller.uid);
  program.set_unit(caller.user_unit.empty() ? caller.unit : caller.user_unit);
  program.set_sandbox(caller.sandbox);
  for (const ParentProcess& parent : caller.parents) {
    v1::Process& added = *program.add_parents();
    added.set_pid(static_cast<uint32_t>(parent.pid));
    added.set_name(parent.name);
  }
}

v1::PinTries ToMessage(PinTries tries) {
  switch (tries) {
    case PinTries::kUnknown:
      break;
    case PinTries::kAll:
      return v1::PIN_TRIES_ALL;
    case PinTries::kFew:
      return v1::PIN_TRIES_FEW;
    case PinTries::kLast:
      return v1::PIN_TRIES_LAST;
    case PinTries::kBlocked:
      return v1::PIN_TRIES_BLOCKED;
  }
  return v1::PIN_TRIES_UNKNOWN;
}

}  // namespace

v1::Pin ToPin(const Choice& choice, const TokenDesk& tokens) {
  v1::Pin pin;
  if (!choice.wants_pin) return pin;
  const std::optional<BackendStatus> token = tokens.StatusOf(choice.identity.key.backend);
  pin.set_entry(token && token->pin_pad ? v1::PIN_ENTRY_AT_READER : v1::PIN_ENTRY_HERE);
  if (!token) return pin;
  pin.set_tries(ToMessage(token->pin_tries));
  pin.set_tries_left(token->tries_left);
  return pin;
}

v1::Show ToShow(const Prompt& prompt, const TokenDesk& tokens,
                std::chrono::steady_clock::time_point now) {
  v1::Show show;
  show.set_origin(prompt.origin.ToString());
  show.set_origin_trusted(prompt.origin_trusted);
  SetProgram(prompt.caller, *show.mutable_program());
  for (const Choice& choice : prompt.choices) {
    const Identity& identity = choice.identity;
    const CertificateSummary summary = Summarize(identity);
    v1::Choice& shown = *show.add_choices();
    shown.set_identity(identity.name);
    shown.set_kind(std::string(Name(identity.kind)));
    shown.set_subject(summary.subject);
    shown.set_issuer(summary.issuer);
    shown.set_not_after(summary.not_after);
    const std::optional<BackendStatus> token = tokens.StatusOf(identity.key.backend);
    shown.set_key_place(PlaceOf(identity, token));
    shown.set_touch(token && token->touch);
    shown.set_hardware(identity.hardware);
    *shown.mutable_pin() = ToPin(choice, tokens);
  }
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(prompt.deadline - now);
  show.set_deadline_ms(static_cast<uint32_t>(
      std::clamp<int64_t>(left.count(), 0, std::numeric_limits<int32_t>::max())));
  show.set_consent(std::ranges::any_of(prompt.choices, &Choice::asks));
  show.set_remember(Remembered(prompt.choices));
  return show;
}

}  // namespace signet::agent
