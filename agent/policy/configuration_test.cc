#include "agent/policy/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Configuration, ReadsAllThatItKnows) {
  const test::TemporaryFolder folder;
  const auto file = folder.Write("signet.toml", R"(
[[backend]]
name = "tpm"
type = "tpm2"
tcti = "swtpm:path=/run/tpm.sock"
parent = 0x81000001
auth = true

[[backend]]
name = "card"
type = "pkcs11"
module = "/usr/lib/softhsm/libsofthsm2.so"
token = "Alice's token"
touch = true

[[backend]]
name = "trial"
type = "software"

[[rule]]
origin = "https://*.Example.com:8443"
identity = "alice"
program = "/usr/bin/curl"
decision = "allow"

[[rule]]
origin = "https://other.example"
decision = "ask"

[access]
use = [1000, "root"]
admin = [0]

[requests]
accept = ["type-17", "bare"]

[audit]
required = true

[prompts]
display = ":7"
xauthority = "/home/alice/.Xauthority"
)");
  const absl::StatusOr<Configuration> read = LoadConfiguration(file);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->file, file);
  EXPECT_TRUE(read->audit_required);
  EXPECT_EQ(read->prompts.display, ":7");
  EXPECT_EQ(read->prompts.xauthority, "/home/alice/.Xauthority");
  EXPECT_EQ(read->prompts.tty, "");
  ASSERT_EQ(read->backends.size(), 3u);
  EXPECT_EQ(read->backends[0].name, "tpm");
  EXPECT_EQ(read->backends[0].type, "tpm2");
  EXPECT_EQ(read->backends[0].tcti, "swtpm:path=/run/tpm.sock");
  EXPECT_EQ(read->backends[0].parent, 0x81000001u);
  EXPECT_TRUE(read->backends[0].auth);
  EXPECT_EQ(read->backends[0].pin_idle, std::chrono::minutes(15));
  EXPECT_EQ(read->backends[0].pin_lifetime, std::chrono::hours(8));
  EXPECT_EQ(read->backends[1].module, "/usr/lib/softhsm/libsofthsm2.so");
  EXPECT_EQ(read->backends[1].token, "Alice's token");
  EXPECT_TRUE(read->backends[1].touch);
  EXPECT_EQ(read->backends[2].type, "software");
  ASSERT_EQ(read->rules.size(), 2u);
  EXPECT_EQ(read->rules[0].origin.ToString(), "https://*.example.com:8443");
  EXPECT_EQ(read->rules[0].identity, "alice");
  EXPECT_EQ(read->rules[0].program, "/usr/bin/curl");
  EXPECT_EQ(read->rules[0].decision, Verdict::kAllow);
  EXPECT_EQ(read->rules[0].source, file);
  EXPECT_EQ(read->rules[1].identity, "*");
  EXPECT_EQ(read->rules[1].program, "");
  EXPECT_EQ(read->rules[1].decision, Verdict::kAsk);
  EXPECT_THAT(read->access.use, ElementsAre(1000, 0));
  EXPECT_THAT(read->access.admin, ElementsAre(0));
  EXPECT_EQ(read->request_forms, (wire::RequestForms{true, true}));
}

TEST(Configuration, ReadsHowLongATokenStaysUnlocked) {
  const test::TemporaryFolder folder;
  const std::pair<const char*, std::chrono::seconds> cases[] = {{"90s", std::chrono::seconds(90)},
                                                                {"15m", std::chrono::minutes(15)},
                                                                {"744h", std::chrono::hours(744)},
                                                                {"never", std::chrono::seconds(0)}};
  for (const auto& [text, time] : cases) {
    const auto read = LoadConfiguration(
        folder.Write("signet.toml",
                     "[[backend]]\nname = \"card\"\ntype = \"pkcs11\"\nmodule = \"/m.so\"\n"
                     "token = \"T\"\npin_idle = \"" +
                         std::string(text) + "\"\npin_lifetime = \"" + text + "\"\n"));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->backends[0].pin_idle, time);
    EXPECT_EQ(read->backends[0].pin_lifetime, time);
  }
}

TEST(Configuration, GivesTheAgentsOwnerAccessByDefault) {
  const test::TemporaryFolder folder;
  const absl::StatusOr<Configuration> read = LoadConfiguration(folder.Write("empty.toml", ""));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(read->access.use, ElementsAre(geteuid()));
  EXPECT_THAT(read->access.admin, ElementsAre(geteuid()));
  EXPECT_TRUE(read->backends.empty());
  EXPECT_EQ(read->request_forms, wire::RequestForms{});
}

struct Refusal {
  std::string content;
  int line;
  std::string what;
  std::string next_step;
};

TEST(Configuration, RefusesWithLineReasonAndNextStep) {
  const std::string tpm = "[[backend]]\nname = \"t\"\ntype = \"tpm2\"\n";  // 3 lines
  const std::string card =
      "[[backend]]\nname = \"c\"\ntype = \"pkcs11\"\nmodule = \"/m.so\"\ntoken = \"T\"\n";      // 5
  const std::string rule = "[[rule]]\norigin = \"https://a.example\"\ndecision = \"allow\"\n";  // 3
  const std::vector<Refusal> cases = {
      {"[[backend]\n", 1, "not TOML", ""},
      {"a = 1\n\n\nb = \n", 4, "not TOML", ""},
      {"[access]\nuse = [0]\n[access]\nadmin = [0]\n", 3, "not TOML", ""},
      {"\nbackends = []\n", 2, "unknown key \"backends\" in the file", "known here: backend"},
      {"backend = \"tpm2\"\n", 1, "backend is not a list of tables", "write [[backend]]"},
      {"[backend]\nname = \"t\"\n", 1, "backend is not a list of tables", "write [[backend]]"},
      {"rule = [1]\n", 1, "rule is not a list of tables", "write [[rule]]"},
      {"access = 1\n", 1, "access is not a table", "write [access]"},
      {"requests = 1\n", 1, "requests is not a table", "write [requests]"},
      {"[requests]\nforms = []\n", 2, "unknown key \"forms\" in [requests]", "known here: accept"},
      {"[requests]\naccept = \"bare\"\n", 2, "accept is not a list", "write accept = "},
      {"[requests]\naccept = [\"bare\", \"type 17\"]\n", 2, "no form of requests",
       "write \"type-17\""},
      {"[requests]\naccept = [17]\n", 2, "no form of requests", "write \"type-17\""},
      {"bus = true\n", 1, "bus is not a table", "write [bus]"},
      {"[bus]\nname = 1\n", 2, "unknown key \"name\" in [bus]", "known here: enabled, kind"},
      {"[bus]\nkind = \"user\"\n", 2, "no user bus", "write kind = \"session\""},
      {"lock = []\n", 1, "lock is not a table", "write [lock]"},
      {"[lock]\non = \"screen\"\n", 2, "on is not a list", "write on = "},
      {"[lock]\non = [\"lid\"]\n", 2, "nothing to lock for", "write \"screen\""},
      {"audit = true\n", 1, "audit is not a table", "write [audit]"},
      {"[audit]\nkeep = 1\n", 2, "unknown key \"keep\" in [audit]", "known here: required"},
      {"[audit]\nrequired = 1\n", 2, "required is neither true nor false", "write one"},
      {"prompts = true\n", 1, "prompts is not a table", "write [prompts]"},
      {"[prompts]\nscreen = \":0\"\n", 2, "unknown key \"screen\" in [prompts]", "known here"},
      {"[prompts]\ndisplay = \":0\"\ntty = \"/dev/tty1\"\n", 3, "both display and tty", "remove"},
      {"[prompts]\ntty = \"tty1\"\n", 2, "is not a device", "write the whole path"},
      {"[prompts]\nxauthority = \"x\"\n", 2, "is not an absolute path", "write the whole path"},

      {tpm + "colour = \"red\"\n", 4, "unknown key \"colour\" in [[backend]]", "known here: name"},
      {"\n[[backend]]\ntype = \"tpm2\"\n", 2, "[[backend]] has no name", "write name = "},
      {"[[backend]]\nname = \"t\"\n", 1, "[[backend]] has no type", "write type = "},
      {"[[backend]]\nname = 5\ntype = \"tpm2\"\n", 2, "name is not a text", "write name = "},
      {"[[backend]]\nname = \"\"\ntype = \"tpm2\"\n", 2, "name is not a text", "write name = "},
      {"[[backend]]\nname = \"a/b\"\ntype = \"tpm2\"\n", 2, "does not fit", "use 1 to 64"},
      {"[[backend]]\nname = \".x\"\ntype = \"tpm2\"\n", 2, "does not fit", "use 1 to 64"},
      {"[[backend]]\nname = \"t\"\ntype = \"tpm\"\n", 3, "unknown backend type \"tpm\"",
       "use \"tpm2\""},
      {"[[backend]]\nname = \"-t\"\ntype = \"tpm2\"\n", 2, "does not fit", "use 1 to 64 letters"},
      {tpm + tpm, 5, "a second backend named \"t\"", "give each its own name"},
      {tpm + "module = \"/m.so\"\n", 4, "module is an option of type \"pkcs11\"", "remove it"},
      {tpm + "token = \"T\"\n", 4, "token is an option of type \"pkcs11\"", "remove it"},
      {card + "tcti = \"x\"\n", 6, "tcti is an option of type \"tpm2\"", "remove it"},
      {card + "parent = 0x81000001\n", 6, "parent is an option of type \"tpm2\"", "remove it"},
      {"[[backend]]\nname = \"s\"\ntype = \"software\"\ntcti = \"x\"\n", 4, "tcti is an option",
       "remove it"},
      {tpm + "pin_idle = \"15m\"\n", 4, "for backends that have a PIN", "auth = true"},
      {card + "pin_idle = \"15\"\n", 6, "pin_idle \"15\" is not a time", "write \"15m\""},
      {card + "pin_idle = \"m\"\n", 6, "is not a time", "\"never\""},
      {card + "pin_idle = \"0s\"\n", 6, "is not a time", "\"never\""},
      {card + "pin_lifetime = \"-8h\"\n", 6, "is not a time", "\"never\""},
      {card + "pin_lifetime = \"745h\"\n", 6, "is not a time", "up to \"744h\""},
      {card + "pin_lifetime = \"99999999999h\"\n", 6, "is not a time", "\"never\""},
      {card + "pin_lifetime = 8\n", 6, "pin_lifetime is not a text", "write pin_lifetime"},
      {tpm + "parent = \"0x81000001\"\n", 4, "parent is not a persistent handle", "without quotes"},
      {tpm + "parent = 0x40000001\n", 4, "parent is not a persistent handle", "0x81000000"},
      {tpm + "parent = -1\n", 4, "parent is not a persistent handle", "0x81000000"},
      {tpm + "parent = 0x182000000\n", 4, "parent is not a persistent handle", "0x81000000"},
      {"[[backend]]\nname = \"c\"\ntype = \"pkcs11\"\ntoken = \"T\"\n", 1, "has no module",
       "write module = "},
      {"[[backend]]\nname = \"c\"\ntype = \"pkcs11\"\nmodule = \"/m.so\"\n", 1, "has no token",
       "write token = "},
      {"[[backend]]\nname = \"c\"\ntype = \"pkcs11\"\nmodule = \"m.so\"\ntoken = \"T\"\n", 4,
       "not an absolute path", "write the whole path"},
      {"[[backend]]\nname = \"c\"\ntype = \"pkcs11\"\nmodule = \"/m\\u0000\"\ntoken = \"T\"\n", 4,
       "NUL", "remove it"},

      {rule + "reason = \"x\"\n", 4, "unknown key \"reason\" in [[rule]]", "known here: origin"},
      {"[[rule]]\ndecision = \"allow\"\n", 1, "[[rule]] has no origin", "write origin = "},
      {"[[rule]]\norigin = \"https://a.example\"\n", 1, "[[rule]] has no decision",
       "write decision = "},
      {"[[rule]]\norigin = \"https://a.example\"\ndecision = \"maybe\"\n", 3,
       "unknown decision \"maybe\"", "write one of \"allow\", \"deny\", \"ask\""},
      {"[[rule]]\ndecision = \"allow\"\norigin = \"http://a.example\"\n", 3, "scheme is not https",
       "write https://host"},
      {rule + "program = \"curl\"\n", 4, "not an absolute path", "/usr/bin/curl"},
      {rule + "identity = []\n", 4, "identity is not a text", "write identity = "},

      {"[access]\nread = [0]\n", 2, "unknown key \"read\" in [access]", "known here: use"},
      {"[access]\nuse = 1000\n", 2, "use is not a list", "write use = [1000"},
      {"[access]\nadmin = []\n", 2, "admin is not a list with at least one user", "write admin"},
      {"[access]\nuse = [\n  0,\n  \"no-such-user\",\n]\n", 4, "unknown user \"no-such-user\"",
       "write the name of an account"},
      {"[access]\nuse = [-1]\n", 2, "neither a uid nor a user name", "write 1000"},
      {"[access]\nuse = [4294967295]\n", 2, "neither a uid nor a user name", "write 1000"},
      {"[access]\nuse = [1.5]\n", 2, "neither a uid nor a user name", "write 1000"},
  };
  const test::TemporaryFolder folder;
  for (const Refusal& c : cases) {
    const auto file = folder.Write("signet.toml", c.content);
    const absl::StatusOr<Configuration> read = LoadConfiguration(file);
    ASSERT_TRUE(absl::IsInvalidArgument(read.status())) << c.content << read.status();
    EXPECT_THAT(std::string(read.status().message()),
                AllOf(StartsWith(file.native() + ":" + std::to_string(c.line) + ":"),
                      HasSubstr(c.what), HasSubstr(c.next_step)))
        << c.content;
  }
}

class DropIns : public ::testing::Test {
 protected:
  DropIns() {
    file_ = folder_.Write("signet.toml",
                          "[[backend]]\nname = \"a\"\ntype = \"software\"\n"
                          "[[rule]]\norigin = \"https://a\"\nidentity = \"x\"\n"
                          "decision = \"allow\"\n[access]\nuse = [1]\nadmin = [2]\n");
    std::filesystem::create_directory(folder_.path() / "conf.d");
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_;
};

TEST_F(DropIns, AddUpInTheOrderOfTheirNames) {
  folder_.Write("conf.d/20-later.toml",
                "[[rule]]\norigin = \"https://c\"\nidentity = \"x\"\ndecision = \"deny\"\n");
  folder_.Write("conf.d/10-sooner.toml",
                "[[backend]]\nname = \"b\"\ntype = \"software\"\n"
                "[[rule]]\norigin = \"https://b\"\nidentity = \"x\"\ndecision = \"deny\"\n"
                "[access]\nuse = [3, 4]\n");
  folder_.Write("conf.d/README", "no TOML");
  folder_.Write("conf.d/.10-sooner.toml", "an editor's");
  const auto configuration = LoadConfiguration(file_);
  ASSERT_TRUE(configuration.ok()) << configuration.status();
  ASSERT_EQ(configuration->backends.size(), 2u);
  EXPECT_EQ(configuration->backends[1].name, "b");
  std::vector<std::string> where;
  for (const Rule& rule : configuration->rules) where.push_back(rule.Where());
  EXPECT_THAT(where, ElementsAre(file_.native() + ":4",
                                 (folder_.path() / "conf.d/10-sooner.toml:4").native(),
                                 (folder_.path() / "conf.d/20-later.toml:1").native()));
  EXPECT_THAT(configuration->access.use, ElementsAre(3, 4));
  EXPECT_THAT(configuration->access.admin, ElementsAre(2));
}

TEST_F(DropIns, OneThatIsNotUnderstoodRefusesAll) {
  folder_.Write("conf.d/10.toml", "\nbackends = 1\n");
  EXPECT_THAT(std::string(LoadConfiguration(file_).status().message()),
              HasSubstr("conf.d/10.toml:2:1: "));
  folder_.Write("conf.d/10.toml", "[[backend]]\nname = \"a\"\ntype = \"software\"\n");
  EXPECT_THAT(std::string(LoadConfiguration(file_).status().message()),
              AllOf(HasSubstr("conf.d/10.toml:2:8: "), HasSubstr("a second backend named \"a\"")));
}

TEST_F(DropIns, AFolderThatIsNoneIsNamed) {
  std::filesystem::remove(folder_.path() / "conf.d");
  folder_.Write("conf.d", "a file");
  EXPECT_THAT(std::string(LoadConfiguration(file_).status().message()), HasSubstr("conf.d: list"));
}

TEST(Configuration, NamesAFileThatCannotBeRead) {
  const test::TemporaryFolder folder;
  const absl::Status missing = LoadConfiguration(folder.path() / "none.toml").status();
  EXPECT_TRUE(absl::IsNotFound(missing));
  EXPECT_THAT(std::string(missing.message()),
              AllOf(HasSubstr("none.toml: open: "), HasSubstr("; it must be a TOML file")));
  EXPECT_FALSE(LoadConfiguration(folder.path()).ok());
}

TEST(Configuration, UsersAgentsMayUseAnotherAgent) {
  const test::TemporaryFolder folder;
  const std::string agent = "[[backend]]\nname = \"system\"\ntype = \"agent\"\n";
  const auto read = [&](AgentKind kind, const std::string& text) -> absl::StatusOr<std::string> {
    Configuration configuration;
    configuration.agent = kind;
    const absl::Status status =
        ReadConfigurationFile(folder.Write("signet.toml", text), configuration);
    if (!status.ok()) return status;
    return configuration.backends.at(0).socket;
  };
  EXPECT_EQ(*read(AgentKind::kUser, agent), "/run/signet/agent.sock");
  EXPECT_EQ(*read(AgentKind::kUser, agent + "socket = \"/run/x.sock\"\n"), "/run/x.sock");
  struct Case {
    AgentKind kind;
    std::string text;
    std::string says;
  };
  const std::vector<Case> refused = {
      {AgentKind::kSystem, agent, "backend type \"agent\" is for the agents of users"},
      {AgentKind::kUser, agent + "socket = \"agent.sock\"\n", "not an absolute path; write the"},
      {AgentKind::kUser, agent + "tcti = \"x\"\n", "tcti is an option of type \"tpm2\""},
      {AgentKind::kUser, "[[backend]]\nname = \"t\"\ntype = \"tpm2\"\nsocket = \"/s\"\n",
       "socket is an option of type \"agent\""}};
  for (const Case& c : refused) {
    EXPECT_THAT(std::string(read(c.kind, c.text).status().message()), HasSubstr(c.says));
  }
}

}  // namespace
}  // namespace signet::agent
