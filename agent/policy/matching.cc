#include "agent/policy/matching.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/policy/glob.h"
#include "agent/policy/rule_keys.h"

namespace signet::agent {
namespace {

constexpr std::string_view kUnknownSandbox = "unknown";

Match Is(bool matches) { return matches ? Match::kYes : Match::kNo; }

// Every process of a machine with systemd is in a unit of the system's manager. Without one nothing
// is known of units and sessions.
bool KnowsUnits(const Caller& caller) { return !caller.unit.empty(); }

Match Program(const Rule& rule, const Asking& asking) {
  return rule.program.empty() ? Match::kYes : asking.MatchesProgram(rule.program);
}

Match Unit(const Rule& rule, const Asking& asking) {
  if (rule.unit.empty()) return Match::kYes;
  if (!KnowsUnits(asking.caller())) return Match::kUnknown;
  return Is(GlobMatches(rule.unit, asking.caller().unit));
}

Match UserUnit(const Rule& rule, const Asking& asking) {
  if (rule.user_unit.empty()) return Match::kYes;
  const std::string& unit = asking.caller().user_unit;
  if (unit.empty()) return KnowsUnits(asking.caller()) ? Match::kNo : Match::kUnknown;
  return Is(GlobMatches(rule.user_unit, unit));
}

Match Session(const Rule& rule, const Asking& asking) {
  if (!rule.session) return Match::kYes;
  const LoginSession& session = asking.caller().login_session;
  const bool none = session.type == LoginSession::Type::kNone;
  // Neither a session of some other type nor the lack of systemd proves that there is none.
  if (none && (!session.id.empty() || !KnowsUnits(asking.caller()))) return Match::kUnknown;
  return Is(session.type == *rule.session);
}

Match Sandbox(const Rule& rule, const Asking& asking) {
  if (rule.sandbox.empty()) return Match::kYes;
  const std::string& sandbox = asking.caller().sandbox;
  if (sandbox == kUnknownSandbox) return Match::kUnknown;
  return Is(!sandbox.empty() && GlobMatches(rule.sandbox, sandbox));
}

Match Agent(const Rule& rule, const Asking& asking) {
  return Is(!rule.agent || *rule.agent == asking.agent());
}

Match IdentityName(const Rule& rule, const IdentityFacts& identity) {
  return Is(!rule.names_identity() || rule.identity == identity.name);
}

Match Kind(const Rule& rule, const IdentityFacts& identity) {
  if (!rule.kind) return Match::kYes;
  return identity.kind ? Is(*identity.kind == *rule.kind) : Match::kUnknown;
}

Match Issuer(const Rule& rule, const IdentityFacts& identity) {
  if (rule.issuer.empty()) return Match::kYes;
  if (identity.chain == nullptr) return Match::kUnknown;
  return Is(rule.issuer == identity.chain->issuer_common_name ||
            rule.issuer == identity.chain->summary.issuer);
}

// A certificate without the extension is for anything (RFC 5280 section 4.2.1.12): not said to be
// for this, and not said not to be.
Match ExtendedKeyUsage(const Rule& rule, const IdentityFacts& identity) {
  if (rule.extended_key_usage_id.empty()) return Match::kYes;
  if (identity.chain == nullptr || !identity.chain->extended_key_usage) return Match::kUnknown;
  const auto& usages = *identity.chain->extended_key_usage;
  return Is(std::find(usages.begin(), usages.end(), rule.extended_key_usage_id) != usages.end());
}

template <typename T>
struct Condition {
  const char* key;  // as in [[rule]]
  Match (*matches)(const Rule&, const T&);
};
// The cheap ones first; a program is looked up in the file system.
constexpr Condition<Asking> kOfCaller[] = {{"agent", Agent},     {"session", Session},
                                           {"unit", Unit},       {"user_unit", UserUnit},
                                           {"sandbox", Sandbox}, {"program", Program}};
constexpr Condition<IdentityFacts> kOfIdentity[] = {
    {"identity", IdentityName},
    {"kind", Kind},
    {"issuer", Issuer},
    {"extended_key_usage", ExtendedKeyUsage},
};

template <typename T, size_t kSize>
Match All(const Condition<T> (&conditions)[kSize], const Rule& rule, const T& facts) {
  Match all = Match::kYes;
  for (const Condition<T>& condition : conditions) {
    all = std::min(all, condition.matches(rule, facts));
    if (all == Match::kNo) break;
  }
  return all;
}

std::string Value(const Rule& rule, std::string_view key) {
  for (const RuleKey& known : RuleKeys()) {
    if (key == known.name) return known.get(rule);
  }
  return {};
}

// The first condition that comes out like this; null when there is none.
template <typename T, size_t kSize>
const char* First(Match match, const Condition<T> (&conditions)[kSize], const Rule& rule,
                  const T& facts) {
  for (const Condition<T>& condition : conditions) {
    if (condition.matches(rule, facts) == match) return condition.key;
  }
  return nullptr;
}

}  // namespace

Match Asking::MatchesProgram(const std::string& path) const {
  if (!caller_.executable) return Match::kUnknown;
  const auto [found, added] = programs_.try_emplace(path, false);
  struct stat status {};
  if (added && stat(path.c_str(), &status) == 0) {
    found->second =
        status.st_dev == caller_.executable->device && status.st_ino == caller_.executable->inode;
  }
  return Is(found->second);
}

Match MatchesCaller(const Rule& rule, const Asking& asking) { return All(kOfCaller, rule, asking); }

bool MatchesUse(const Rule& rule, const Use& use) {
  return rule.purpose == use.purpose && (!use.has_origin() || rule.origin.Matches(use.origin));
}

Match MatchesIdentity(const Rule& rule, const IdentityFacts& identity) {
  return All(kOfIdentity, rule, identity);
}

std::string WhyNot(const Rule& rule, const Asking& asking, const Use& use,
                   const IdentityFacts& identity) {
  if (rule.purpose != use.purpose) {
    return absl::StrCat("purpose is not ", std::string(Name(rule.purpose)));
  }
  if (!MatchesUse(rule, use)) {
    return absl::StrCat("origin is not ", rule.origin.ToString());
  }
  for (const Match match : {Match::kNo, Match::kUnknown}) {
    const char* key = First(match, kOfCaller, rule, asking);
    if (key == nullptr) key = First(match, kOfIdentity, rule, identity);
    if (key == nullptr) continue;
    if (match == Match::kUnknown) return absl::StrCat(key, " is not known");
    return absl::StrCat(key, " is not ", Value(rule, key));
  }
  return {};
}

}  // namespace signet::agent
