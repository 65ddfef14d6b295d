// The agents of two users and that of the system: who gets what, for every combination of uid,
// program, origin and session. What the table does not name is declined.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "agent/authentication/authentication_fixture.h"
#include "agent/authentication/upstream.h"

namespace signet::agent {
namespace {

constexpr uid_t kAlice = 1000;
constexpr uid_t kBob = 1001;
constexpr uid_t kCarol = 1002;  // no rule and no [access] names her

Rule Allow(const std::string& origin, const std::string& identity, const std::string& program = "",
           std::optional<LoginSession::Type> session = {}) {
  Rule rule{*OriginPattern::Parse(origin), identity, program, Verdict::kAllow, "test.toml"};
  rule.session = session;
  return rule;
}

// One signetd, as far as it decides.
class Agent {
 public:
  Agent(uid_t uid, std::vector<uid_t> use, std::vector<Rule> rules, Upstream* upstream)
      : identities(state_.path()),
        uid_(uid),
        policy_({std::move(use), {}}, std::move(rules), {}),
        flow_(identities, policy_, prompter_, tokens, audit_, std::chrono::system_clock::now, {},
              upstream) {}

  Identity Enrol(const test::TestCa& ca, const std::string& name, IdentityKind kind) {
    Identity identity = tokens.NewIdentity(name, kind);
    identity.chain = {ca.Issue(identity.public_key, {})};
    EXPECT_TRUE(identities.Add(identity).ok());
    return identity;
  }

  // As Gate and flow do it.
  asio::awaitable<Outcome> Serve(AuthenticationCall call) {
    if (!policy_.MayUse(call.caller)) co_return Declined{DeclineReason::kDenied, "[access]"};
    co_return co_await flow_.Authenticate(std::move(call));
  }

  uid_t uid() const { return uid_; }

 private:
  const test::TemporaryFolder state_;

 public:
  test::FakeTokens tokens;
  IdentityStore identities;

 private:
  const uid_t uid_;
  FakePrompter prompter_;
  FakeAuditLog audit_;
  Policy policy_;
  Authentication flow_;
};

// What the kernel says to the system's agent of a user's: its uid, and no program.
class Connection : public Upstream {
 public:
  Connection(Agent& system, uid_t uid) : system_(system), uid_(uid) {}

  asio::awaitable<Outcome> Authenticate(const AuthenticationCall& call,
                                        const KeyReference& identity) override {
    AuthenticationCall forwarded = call;
    forwarded.caller = {};
    forwarded.caller.uid = uid_;
    forwarded.identity.assign(identity.reference.begin(), identity.reference.end());
    co_return co_await system_.Serve(std::move(forwarded));
  }

 private:
  Agent& system_;
  const uid_t uid_;
};

TEST(TwoAgents, EachCallerGetsWhatTheTableNamesAndNothingElse) {
  const auto local = LoginSession::Type::kLocal;
  const test::TemporaryFolder programs;
  const std::string browser = programs.Write("browser", "").native();
  const std::string editor = programs.Write("editor", "").native();
  const test::TestCa users = test::TestCa::Root("Users");
  const test::TestCa devices = test::TestCa::Root("Devices");

  Agent system(0, {kAlice, kBob}, {Allow("https://*.corp.example:*", "laptop")}, nullptr);
  const Identity laptop = system.Enrol(devices, "laptop", IdentityKind::kDevice);
  Connection of_alice(system, kAlice), of_bob(system, kBob), of_carol(system, kCarol);
  Agent alice(kAlice, {kAlice},
              {Allow("https://*.corp.example:*", "alice", browser, local),
               Allow("https://*:*", "system.laptop", "", local)},
              &of_alice);
  Agent bob(kBob, {kBob},
            {Allow("https://*:*", "bob"), Allow("https://*:*", "system.laptop", browser)}, &of_bob);
  Agent carol(kCarol, {kCarol}, {Allow("https://*:*", "*")}, &of_carol);
  alice.Enrol(users, "alice", IdentityKind::kUser);
  bob.Enrol(users, "bob", IdentityKind::kUser);
  for (Agent* agent : {&alice, &bob, &carol}) {
    FoundKey found{{"system", {'l', 'a', 'p', 't', 'o', 'p'}},
                   "laptop",
                   "p256",
                   true,
                   laptop.public_key,
                   laptop.schemes,
                   laptop.chain};
    found.kind = IdentityKind::kDevice;
    found.upstream = true;
    agent->identities.SetFound("system", {found});
  }

  using Row = std::tuple<uid_t, uid_t, std::string, std::string, std::string, std::string>;
  const std::set<Row> given = {
      // agent of, uid, program, host, session, what is given
      {kAlice, kAlice, "browser", "a.corp.example", "local", "alice"},
      {kAlice, kAlice, "browser", "a.corp.example", "local", "system.laptop"},
      {kAlice, kAlice, "editor", "a.corp.example", "local", "system.laptop"},
      {kBob, kBob, "browser", "a.corp.example", "local", "bob"},
      {kBob, kBob, "browser", "a.corp.example", "ssh", "bob"},
      {kBob, kBob, "browser", "a.corp.example", "none", "bob"},
      {kBob, kBob, "editor", "a.corp.example", "local", "bob"},
      {kBob, kBob, "editor", "a.corp.example", "ssh", "bob"},
      {kBob, kBob, "editor", "a.corp.example", "none", "bob"},
      {kBob, kBob, "browser", "elsewhere.example", "local", "bob"},
      {kBob, kBob, "browser", "elsewhere.example", "ssh", "bob"},
      {kBob, kBob, "browser", "elsewhere.example", "none", "bob"},
      {kBob, kBob, "editor", "elsewhere.example", "local", "bob"},
      {kBob, kBob, "editor", "elsewhere.example", "ssh", "bob"},
      {kBob, kBob, "editor", "elsewhere.example", "none", "bob"},
      {kBob, kBob, "browser", "a.corp.example", "local", "system.laptop"},
      {kBob, kBob, "browser", "a.corp.example", "ssh", "system.laptop"},
      {kBob, kBob, "browser", "a.corp.example", "none", "system.laptop"}};

  const std::vector<std::pair<std::string, LoginSession>> sessions = {
      {"local", {"1", LoginSession::Type::kLocal}},
      {"ssh", {"2", LoginSession::Type::kSsh}},
      {"none", {}}};
  std::set<Row> seen;
  size_t connection = 0;
  for (Agent* agent : {&alice, &bob, &carol}) {
    for (const uid_t uid : {kAlice, kBob, kCarol, uid_t{0}}) {
      for (const std::string& program : {browser, editor}) {
        for (const char* host : {"a.corp.example", "elsewhere.example"}) {
          for (const auto& [session_name, session] : sessions) {
            for (const test::TestCa* authority : {&users, &devices}) {
              wire::CertificateRequest request;
              request.signature_algorithms = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
              request.certificate_authorities = {authority->subject()};
              AuthenticationCall call;
              call.caller.uid = uid;
              call.caller.unit = "session.scope";
              call.caller.login_session = session;
              struct stat file {};
              ASSERT_EQ(stat(program.c_str(), &file), 0);
              call.caller.executable = Executable{file.st_dev, file.st_ino, program};
              call.process = std::make_shared<FakeProcess>();
              call.handshake_context = wire::Bytes(32, static_cast<uint8_t>(++connection));
              call.handshake_context[0] = static_cast<uint8_t>(connection >> 8);
              call.request = *wire::BuildCertificateRequest(request);
              call.origin = std::string("https://") + host;
              call.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
              const Outcome outcome = test::RunAwaitable(agent->Serve(std::move(call)));
              if (const auto* answer = std::get_if<Authenticated>(&outcome)) {
                const std::string name = program == browser ? "browser" : "editor";
                seen.insert({agent->uid(), uid, name, host, session_name, answer->identity});
              }
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(connection, 3u * 4 * 2 * 2 * 3 * 2);
  EXPECT_EQ(seen, given);
}

}  // namespace
}  // namespace signet::agent
