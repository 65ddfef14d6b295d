#include "agent/policy/rule_keys.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "agent/identity/openssl.h"

namespace signet::agent {
namespace {

// A closed vocabulary.
template <typename T>
struct Word {
  const char* text;
  T value;
};
constexpr Word<Verdict> kDecisions[] = {
    {"allow", Verdict::kAllow}, {"deny", Verdict::kDeny}, {"ask", Verdict::kAsk}};
constexpr Word<IdentityKind> kKinds[] = {{"device", IdentityKind::kDevice},
                                         {"user", IdentityKind::kUser},
                                         {"server", IdentityKind::kServer}};
constexpr Word<LoginSession::Type> kSessions[] = {{"local", LoginSession::Type::kLocal},
                                                  {"ssh", LoginSession::Type::kSsh},
                                                  {"none", LoginSession::Type::kNone}};
constexpr Word<Purpose> kPurposes[] = {{"exported-authenticator", Purpose::kExportedAuthenticator},
                                       {"tls-client", Purpose::kTlsClient},
                                       {"csr", Purpose::kCsr},
                                       {"server", Purpose::kServer}};
constexpr Word<AgentKind> kAgents[] = {{"system", AgentKind::kSystem}, {"user", AgentKind::kUser}};

template <typename T, size_t kSize, typename Out>
absl::Status ReadWord(const Word<T> (&words)[kSize], const char* what, const std::string& text,
                      Out& out) {
  for (const Word<T>& word : words) {
    if (text == word.text) {
      out = word.value;
      return absl::OkStatus();
    }
  }
  const std::string known = absl::StrJoin(words, ", ", [](std::string* list, const Word<T>& word) {
    absl::StrAppend(list, "\"", word.text, "\"");
  });
  return absl::InvalidArgumentError(
      absl::StrCat("unknown ", what, " \"", text, "\"; write one of ", known));
}

template <typename T, size_t kSize>
std::string Written(const Word<T> (&words)[kSize], const std::optional<T>& value) {
  for (const Word<T>& word : words) {
    if (value == word.value) return word.text;
  }
  return {};
}

template <std::string Rule::*kMember>
absl::Status SetText(const std::string& text, Rule& rule) {
  rule.*kMember = text;
  return absl::OkStatus();
}

template <std::string Rule::*kMember>
std::string GetText(const Rule& rule) {
  return rule.*kMember;
}

bool HasOrigin(const Rule& rule) { return rule.purpose == Purpose::kExportedAuthenticator; }

absl::Status SetOrigin(const std::string& text, Rule& rule) {
  absl::StatusOr<OriginPattern> origin = OriginPattern::Parse(text);
  if (!origin.ok()) return origin.status();
  rule.origin = *std::move(origin);
  return absl::OkStatus();
}

absl::Status SetProgram(const std::string& text, Rule& rule) {
  if (text.front() != '/') {
    return absl::InvalidArgumentError(absl::StrCat("program \"", text,
                                                   "\" is not an absolute path; write the whole "
                                                   "path, such as /usr/bin/curl"));
  }
  rule.program = text;
  return absl::OkStatus();
}

absl::Status SetExtendedKeyUsage(const std::string& text, Rule& rule) {
  const OpenSslPtr<ASN1_OBJECT> object(OBJ_txt2obj(text.c_str(), 0));
  ERR_clear_error();
  wire::Bytes der;
  if (object != nullptr) der = EncodeDer(i2d_ASN1_OBJECT, object.get());
  if (der.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown extended key usage \"", text,
                     "\"; write its number, such as \"1.3.6.1.5.5.7.3.2\", or \"clientAuth\""));
  }
  rule.extended_key_usage = text;
  rule.extended_key_usage_id = std::move(der);
  return absl::OkStatus();
}

absl::Status SetOncePer(const std::string& text, Rule& rule) {
  using enum OncePer::Scope;
  absl::string_view number = text;
  uint32_t hours = 0;
  if (text == "connection" || text == "session") {
    rule.once_per = {text == "session" ? kSession : kConnection, 0};
  } else if (absl::ConsumeSuffix(&number, "h") &&
             std::all_of(number.begin(), number.end(), absl::ascii_isdigit) &&
             absl::SimpleAtoi(number, &hours) && hours >= 1 && hours <= OncePer::kMaxHours) {
    rule.once_per = {kHours, static_cast<uint16_t>(hours)};
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("once_per \"", text, "\" is neither \"connection\" nor \"session\" nor hours ",
                     "from \"1h\" to \"", OncePer::kMaxHours, "h\"; write one of them"));
  }
  return absl::OkStatus();
}

constexpr RuleKey kRuleKeys[] = {
    {"origin", SetOrigin,
     [](const Rule& rule) {
       return rule.origin == OriginPattern() ? std::string() : rule.origin.ToString();
     }},
    {"purpose",
     [](const std::string& text, Rule& rule) {
       return ReadWord(kPurposes, "purpose", text, rule.purpose);
     },
     [](const Rule& rule) {
       return HasOrigin(rule) ? std::string() : std::string(Name(rule.purpose));
     }},
    {"identity", SetText<&Rule::identity>, GetText<&Rule::identity>},
    {"kind",
     [](const std::string& text, Rule& rule) { return ReadWord(kKinds, "kind", text, rule.kind); },
     [](const Rule& rule) { return Written(kKinds, rule.kind); }},
    {"issuer", SetText<&Rule::issuer>, GetText<&Rule::issuer>},
    {"extended_key_usage", SetExtendedKeyUsage, GetText<&Rule::extended_key_usage>},
    {"program", SetProgram, GetText<&Rule::program>},
    {"unit", SetText<&Rule::unit>, GetText<&Rule::unit>},
    {"user_unit", SetText<&Rule::user_unit>, GetText<&Rule::user_unit>},
    {"session",
     [](const std::string& text, Rule& rule) {
       return ReadWord(kSessions, "session", text, rule.session);
     },
     [](const Rule& rule) { return Written(kSessions, rule.session); }},
    {"sandbox", SetText<&Rule::sandbox>, GetText<&Rule::sandbox>},
    {"agent",
     [](const std::string& text, Rule& rule) {
       return ReadWord(kAgents, "agent", text, rule.agent);
     },
     [](const Rule& rule) { return Written(kAgents, rule.agent); }},
    {"decision",
     [](const std::string& text, Rule& rule) {
       return ReadWord(kDecisions, "decision", text, rule.decision);
     },
     [](const Rule& rule) { return std::string(Name(rule.decision)); }},
    {"once_per", SetOncePer, [](const Rule& rule) { return ToText(rule.once_per); }},
};

}  // namespace

std::span<const RuleKey> RuleKeys() { return kRuleKeys; }

std::string ToText(const OncePer& once_per) {
  switch (once_per.scope) {
    case OncePer::Scope::kConnection:
      return "connection";
    case OncePer::Scope::kSession:
      return "session";
    case OncePer::Scope::kHours:
      return absl::StrCat(once_per.hours, "h");
    case OncePer::Scope::kRequest:
      break;
  }
  return {};
}

absl::Status CheckRule(const Rule& rule, std::string& key) {
  if (rule.final && rule.decision == Verdict::kAllow) {
    key = "final";
    return absl::InvalidArgumentError(
        "final keeps others from loosening this rule, and nothing is looser than \"allow\"; remove "
        "final");
  }
  if (rule.trusted_origin && (rule.program.empty() || rule.decision == Verdict::kDeny)) {
    key = "trusted_origin";
    return absl::InvalidArgumentError(
        "trusted_origin believes a program, so it goes with program = \"/a/path\" and with "
        "\"allow\" or \"ask\"; add the program or remove it");
  }
  if (rule.once_per.scope != OncePer::Scope::kRequest && rule.decision != Verdict::kAsk) {
    key = "once_per";
    return absl::InvalidArgumentError(
        "once_per goes with decision = \"ask\" only; remove it or ask");
  }
  if (!HasOrigin(rule) && rule.decision == Verdict::kAsk) {
    key = "decision";
    return absl::InvalidArgumentError(
        absl::StrCat("purpose \"", std::string(Name(rule.purpose)),
                     "\" can't ask: a TLS handshake does not wait for a person; write \"allow\" or "
                     "\"deny\""));
  }
  return absl::OkStatus();
}

}  // namespace signet::agent
