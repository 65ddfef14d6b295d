// Nothing fails open: a policy file with one token spoiled is refused, or allows nothing that the
// good one did not.
//
// A token is spoiled by what a slip of the finger or a bad disk does to it: a character lost,
// doubled or replaced, the whole token lost or doubled. The words between quotes that anybody may
// choose (names, hosts, paths) are left alone, for another name is another policy that nobody can
// tell from a slip; so are comments, whose beginning turns the rest of a line into nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "agent/policy/policy.h"
#include "agent/policy/toml_reader.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

struct Token {
  std::string text;
  bool free = false;  // a word that anybody may choose
};
using Tokens = std::vector<Token>;

class Writer {
 public:
  explicit Writer(uint32_t seed) : random_(seed) {}

  int Upto(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  bool Maybe() { return Upto(2) == 0; }

  void Key(const char* key) {
    tokens_.push_back({key});
    tokens_.push_back({" = "});
  }
  void Text(const char* key, const std::vector<std::string>& words, bool free) {
    Key(key);
    tokens_.push_back({"\""});
    tokens_.push_back({words[static_cast<size_t>(Upto(static_cast<int>(words.size())))], free});
    tokens_.push_back({"\""});
    tokens_.push_back({"\n"});
  }

  void WriteRule() {
    for (const char* part : {"[[", "rule", "]]", "\n"}) tokens_.push_back({part});
    Text("origin", {"https://*:*", "https://a.example", "https://*.example", "https://b.example:8"},
         true);
    if (Maybe()) Text("identity", {"alice", "bob", "*"}, true);
    if (Maybe()) Text("kind", {"user", "device"}, false);
    if (Maybe()) Text("session", {"local", "ssh", "none"}, false);
    if (Maybe()) Text("unit", {"a.service", "b.service", "*"}, true);
    if (Maybe()) Text("agent", {"user", "system"}, false);
    const int decision = Upto(5);
    Text("decision", {decision < 2 ? "allow" : decision < 4 ? "deny" : "ask"}, false);
    if (decision == 4 && Maybe()) Text("once_per", {"connection", "session", "12h"}, false);
    if (decision >= 2 && Maybe()) {
      Key("final");
      tokens_.push_back({decision == 3 ? "false" : "true"});
      tokens_.push_back({"\n"});
    }
  }

  const Tokens& tokens() const { return tokens_; }

  // Another text than before.
  std::string Spoil(const std::string& text) {
    constexpr std::string_view kKeyboard =
        "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 \t\n\"'=[]{}.,:;*/\\-_+!?@$%&()<>|~^`\0\x7f";
    std::string spoiled = text;
    const size_t at = static_cast<size_t>(Upto(static_cast<int>(text.size())));
    switch (Upto(5)) {
      case 0:
        spoiled.erase(at, 1);
        break;
      case 1:
        spoiled.insert(at, 1, text[at]);
        break;
      case 2:
        spoiled[at] = kKeyboard[static_cast<size_t>(Upto(static_cast<int>(kKeyboard.size())))];
        break;
      case 3:
        spoiled.clear();
        break;
      case 4:
        spoiled += text;
        break;
    }
    return spoiled == text ? std::string("?") : spoiled;
  }

 private:
  std::mt19937 random_;
  Tokens tokens_;
};

std::string Join(const Tokens& tokens) {
  std::string text;
  for (const Token& token : tokens) text += token.text;
  return text;
}

// What is allowed, for each of a few requests; nothing for a file that is refused.
std::vector<bool> Allowed(const std::string& text) {
  const absl::StatusOr<toml::table> root = ParseToml("policy.toml", text);
  if (!root.ok()) return {};
  if (!TableReader("policy.toml", *root, "the file").OnlyKeys({"rule"}).ok()) return {};
  absl::StatusOr<std::vector<Rule>> rules = ReadRules("policy.toml", *root);
  if (!rules.ok()) return {};
  const Policy policy({}, *std::move(rules), {}, AgentKind::kUser);
  std::vector<bool> allowed;
  for (const char* unit : {"", "a.service", "c.service"}) {
    for (const auto type :
         {LoginSession::Type::kNone, LoginSession::Type::kLocal, LoginSession::Type::kSsh}) {
      Caller caller;
      caller.unit = unit;
      caller.login_session.type = type;
      for (const char* origin : {"https://a.example", "https://b.example:8", "https://c.net"}) {
        const ApplicableRules applicable = policy.RulesFor(caller, *ParseOrigin(origin));
        for (const IdentityFacts& identity :
             {IdentityFacts{"alice", IdentityKind::kUser}, IdentityFacts{"bob"},
              IdentityFacts{"carol", IdentityKind::kDevice}}) {
          const Rule* rule = applicable.RuleFor(identity);
          allowed.push_back(rule != nullptr && rule->decision == Verdict::kAllow);
        }
      }
    }
  }
  return allowed;
}

TEST(Corruption, OfOneTokenNeverAllowsWhatTheGoodFileDoesNot) {
  int refused = 0, understood = 0, allowing = 0;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Writer writer(seed);
    for (int rules = 1 + writer.Upto(5); rules > 0; --rules) writer.WriteRule();
    const std::string good = Join(writer.tokens());
    const std::vector<bool> before = Allowed(good);
    ASSERT_FALSE(before.empty()) << good;
    allowing += std::count(before.begin(), before.end(), true) > 0;
    for (size_t i = 0; i < writer.tokens().size(); ++i) {
      if (writer.tokens()[i].free) continue;
      Tokens tokens = writer.tokens();
      tokens[i].text = writer.Spoil(tokens[i].text);
      const std::string bad = Join(tokens);
      const std::vector<bool> after = Allowed(bad);
      ++(after.empty() ? refused : understood);
      for (size_t request = 0; request < after.size(); ++request) {
        ASSERT_TRUE(before[request] || !after[request])
            << "seed " << seed << ", request " << request << "\n"
            << good << "spoiled to\n"
            << bad;
      }
    }
  }
  // The test would be empty if nothing was allowed, nothing refused, or nothing understood (a blank
  // line more is no harm).
  EXPECT_GT(allowing, 20);
  EXPECT_GT(refused, 1000);
  EXPECT_GT(understood, 50);
}

// The reload's side of it is signetd's: the last good configuration stays.
TEST(Corruption, OfOneFileRefusesTheConfigurationWhole) {
  const test::TemporaryFolder folder;
  folder.Write("policy.d/10.toml", "[[rule]]\norigin = \"https://*:*\"\ndecision = \"deny\"\n");
  const auto file = folder.Write("signet.toml", "");
  const auto load = [&] { return LoadConfiguration(file, {folder.path() / "policy.d"}); };
  ASSERT_TRUE(load().ok());
  folder.Write("policy.d/10.toml", "[[rule]]\norigin = \"https://*:*\"\ndecision = \"den\"\n");
  EXPECT_FALSE(load().ok());
}

}  // namespace
}  // namespace signet::agent
