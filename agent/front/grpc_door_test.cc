#include "agent/front/grpc_door.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/front/test_agent.h"
#include "ipc/admin.grpc.pb.h"
#include "ipc/agent.grpc.pb.h"
#include "ipc/transport/unix_address.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A TestAgent whose grpc.sock is open.
class Agent : public TestAgent {
 public:
  explicit Agent(TestAgentOptions options = {}) : TestAgent(options) {
    OnLoop([&] {
      door_.emplace(loop.get_executor(), gate, options.max_connections, agent_calls, admin_calls,
                    audit);
      auto listener = ipc::UnixListener::Listen(path(), 0600);
      ASSERT_TRUE(listener.ok()) << listener.status();
      ASSERT_TRUE(door_->Listen(*std::move(listener)).ok());
    });
    grpc::ChannelArguments own_connection;  // not shared with other clients of this process
    own_connection.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel = grpc::CreateCustomChannel(
        "unix:" + path(), grpc::InsecureChannelCredentials(), own_connection);
    agent = v1::Agent::NewStub(channel);
    admin = v1::Admin::NewStub(channel);
  }

  ~Agent() {
    if (door_) Stop(std::chrono::system_clock::now() + std::chrono::seconds(5)).wait();
    OnLoop([&] { door_.reset(); });
  }

  std::future<void> Stop(std::chrono::system_clock::time_point deadline) {
    auto done = std::make_shared<std::promise<void>>();
    OnLoop([&] {
      asio::co_spawn(loop, door_->Stop(deadline),
                     [done](std::exception_ptr) { done->set_value(); });
    });
    return done->get_future();
  }

  std::string path() const { return folder() / "grpc.sock"; }

  std::unique_ptr<v1::Agent::Stub> agent;
  std::unique_ptr<v1::Admin::Stub> admin;

 private:
  std::optional<GrpcDoor> door_;
};

// What one call gave.
template <typename Response>
struct Answer {
  grpc::Status status;
  Response response;
};

template <typename Stub, typename Request, typename Response>
Answer<Response> Call(Stub& stub,
                      grpc::Status (Stub::*call)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  Answer<Response> answer;
  answer.status = (stub.*call)(&context, request, &answer.response);
  return answer;
}

Answer<v1::AddRuleResponse> AddRule(Agent& agent, const std::string& origin,
                                    const std::string& identity, const std::string& program = "",
                                    const std::string& decision = "allow") {
  v1::AddRuleRequest request;
  request.mutable_rule()->set_origin(origin);
  request.mutable_rule()->set_identity(identity);
  request.mutable_rule()->set_program(program);
  request.mutable_rule()->set_decision(decision);
  return Call(*agent.admin, &v1::Admin::Stub::AddRule, request);
}

v1::CreateIdentityRequest CreateRequest(const std::string& name) {
  v1::CreateIdentityRequest request;
  request.set_name(name);
  request.set_backend("trial");
  request.set_kind(v1::IDENTITY_KIND_DEVICE);
  request.set_algorithm("p256");
  return request;
}

ipc::Descriptor ConnectRaw(const std::string& path) {
  const sockaddr_un address = *ipc::UnixAddress(path);
  ipc::Descriptor raw(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(raw.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return raw;
}

// Waits until the agent has closed the connection, reading what it says before.
bool Closed(const ipc::Descriptor& raw) {
  char buffer[4096];
  pollfd entry{raw.get(), POLLIN, 0};
  while (poll(&entry, 1, 20'000) == 1) {
    if (read(raw.get(), buffer, sizeof buffer) <= 0) return true;
  }
  return false;
}

TEST(GrpcDoor, AuthenticatesAndListsAsTheOtherSocketDoes) {
  Agent agent;
  const auto answer = Call(*agent.agent, &v1::Agent::Stub::Authenticate, AuthenticateMessage());
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.authenticator().identity(), "alice")
      << answer.response.declined().detail();
  const auto list =
      Call(*agent.agent, &v1::Agent::Stub::ListIdentities, v1::ListIdentitiesRequest());
  ASSERT_TRUE(list.status.ok()) << list.status.error_message();
  ASSERT_EQ(list.response.identities_size(), 1);
  EXPECT_EQ(list.response.identities(0).name(), "alice");
}

TEST(GrpcDoor, SignsByRulesOfAPurposeAsTheOtherSocketDoes) {
  Agent agent;
  v1::SignRequest request;
  request.set_identity("alice");
  request.set_scheme(0x0403);  // ecdsa_secp256r1_sha256
  request.set_content(std::string(64, ' ') + "TLS 1.3, client CertificateVerify" +
                      std::string(33, '\0'));
  const auto refused = Call(*agent.agent, &v1::Agent::Stub::Sign, request);
  ASSERT_TRUE(refused.status.ok()) << refused.status.error_message();
  EXPECT_THAT(refused.response.declined().detail(), HasSubstr("--purpose tls-client"));

  v1::AddRuleRequest rule;
  rule.mutable_rule()->set_purpose("tls-client");
  rule.mutable_rule()->set_identity("alice");
  rule.mutable_rule()->set_decision("allow");
  ASSERT_TRUE(Call(*agent.admin, &v1::Admin::Stub::AddRule, rule).status.ok());
  const auto answer = Call(*agent.agent, &v1::Agent::Stub::Sign, request);
  EXPECT_FALSE(answer.response.signature().empty()) << answer.response.declined().detail();
  v1::GetKeyRequest wanted;
  wanted.set_identity("alice");
  EXPECT_EQ(Call(*agent.agent, &v1::Agent::Stub::GetKey, wanted).response.key().chain_size(), 1);
}

TEST(GrpcDoor, ARuleWithoutAnOriginAsksNobody) {
  Agent agent;
  v1::AddRuleRequest rule;
  rule.mutable_rule()->set_purpose("server");
  rule.mutable_rule()->set_identity("*");
  rule.mutable_rule()->set_decision("ask");
  const auto answer = Call(*agent.admin, &v1::Admin::Stub::AddRule, rule);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("does not wait for a person"));
}

TEST(GrpcDoor, TellsTheCallerAsWhatItIsSeen) {
  Agent agent;
  v1::DescribeCallerRequest request;
  request.set_sha256(true);
  const auto answer = Call(*agent.agent, &v1::Agent::Stub::DescribeCaller, request);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.pid(), getpid());
  EXPECT_EQ(answer.response.uid(), geteuid());
  EXPECT_THAT(answer.response.program(), HasSubstr("grpc_door_test"));
  EXPECT_THAT(answer.response.command_line(), HasSubstr("grpc_door_test"));
  EXPECT_EQ(answer.response.sha256().size(), 64U);
  EXPECT_EQ(answer.response.parents().empty(), getppid() <= 1);
}

TEST(GrpcDoor, NamesTheSettingThatDoesNotAdmitTheCaller) {
  Agent agent({.access = {.use = {geteuid() + 1}, .admin = {geteuid() + 1}}});
  const auto use = Call(*agent.agent, &v1::Agent::Stub::Authenticate, AuthenticateMessage());
  EXPECT_EQ(use.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(use.status.error_message(), HasSubstr("[access] use"));
  const auto admin = Call(*agent.admin, &v1::Admin::Stub::Status, v1::StatusRequest());
  EXPECT_EQ(admin.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(admin.status.error_message(), HasSubstr("[access] admin"));
  EXPECT_THAT(admin.status.error_message(), HasSubstr(absl::StrCat("uid ", geteuid())));
}

TEST(GrpcDoor, UsingIsNotAdministering) {
  Agent agent({.access = {.use = {geteuid()}, .admin = {geteuid() + 1}}});
  EXPECT_TRUE(
      Call(*agent.agent, &v1::Agent::Stub::Authenticate, AuthenticateMessage()).status.ok());
  EXPECT_EQ(Call(*agent.admin, &v1::Admin::Stub::CreateIdentity, CreateRequest("bob"))
                .status.error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST(GrpcDoor, StatusTellsOfTheAgentAndItsBackends) {
  Agent agent;
  agent.OnLoop([&] {
    agent.tokens.status = {
        "trial", "software", BackendState::kFailed, 42, "it broke", "mend it", false, "label", 3};
  });
  const auto answer = Call(*agent.admin, &v1::Admin::Stub::Status, v1::StatusRequest());
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  const v1::StatusResponse& status = answer.response;
  EXPECT_EQ(status.version(), "1.2.3");
  EXPECT_EQ(status.pid(), getpid());
  EXPECT_EQ(status.config_file(), "/etc/signet.toml");
  EXPECT_EQ(status.state_dir(), agent.folder().native());
  EXPECT_EQ(status.identities(), 2u);
  EXPECT_EQ(status.rules(), 1u);
  ASSERT_EQ(status.backends_size(), 1);
  const v1::BackendStatus& backend = status.backends(0);
  EXPECT_EQ(backend.name(), "trial");
  EXPECT_EQ(backend.type(), "software");
  EXPECT_EQ(backend.state(), "failed");
  EXPECT_EQ(backend.pid(), 42);
  EXPECT_EQ(backend.last_error(), "it broke");
  EXPECT_EQ(backend.next_step(), "mend it");
  EXPECT_EQ(backend.token(), "label");
  EXPECT_EQ(backend.restarts(), 3u);
}

TEST(GrpcDoor, AdministratorsSeeEveryIdentityAndWhyItCantBeUsed) {
  Agent agent;
  agent.OnLoop([&] { agent.tokens.status.state = BackendState::kLocked; });
  const auto list =
      Call(*agent.admin, &v1::Admin::Stub::ListIdentities, v1::AdminListIdentitiesRequest());
  ASSERT_EQ(list.response.identities_size(), 2) << list.status.error_message();
  for (const v1::Identity& identity : list.response.identities()) {
    EXPECT_FALSE(identity.usable());
    EXPECT_THAT(identity.reason(), HasSubstr("signet token unlock trial"));
  }
}

TEST(GrpcDoor, LocksATokenAndKnowsWhichThereAre) {
  Agent agent;
  v1::LockTokenRequest request;
  request.set_backend("trial");
  EXPECT_TRUE(Call(*agent.admin, &v1::Admin::Stub::LockToken, request).status.ok());
  agent.OnLoop([&] { EXPECT_EQ(agent.tokens.status.state, BackendState::kLocked); });
  request.set_backend("nowhere");
  EXPECT_EQ(Call(*agent.admin, &v1::Admin::Stub::LockToken, request).status.error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST(GrpcDoor, TakesAnIdentityFromKeyToCertificateToRemoval) {
  Agent agent;
  const auto created =
      Call(*agent.admin, &v1::Admin::Stub::CreateIdentity, CreateRequest("laptop"));
  ASSERT_TRUE(created.status.ok()) << created.status.error_message();
  EXPECT_EQ(created.response.identity().kind(), v1::IDENTITY_KIND_DEVICE);
  EXPECT_FALSE(created.response.identity().usable());
  EXPECT_THAT(created.response.identity().reason(), Not(IsEmpty()));
  EXPECT_EQ(Call(*agent.admin, &v1::Admin::Stub::CreateIdentity, CreateRequest("laptop"))
                .status.error_code(),
            grpc::StatusCode::ALREADY_EXISTS);

  v1::CreateCsrRequest csr;
  csr.set_name("laptop");
  csr.set_subject("/CN=laptop");
  const auto requested = Call(*agent.admin, &v1::Admin::Stub::CreateCsr, csr);
  ASSERT_TRUE(requested.status.ok()) << requested.status.error_message();
  EXPECT_THAT(requested.response.csr_pem(), StartsWith("-----BEGIN CERTIFICATE REQUEST-----"));

  v1::ImportChainRequest import;
  import.set_name("laptop");
  import.set_chain_pem(
      test::ToPem({agent.ca.Issue(agent.key.public_key(), {.common_name = "laptop"})}));
  const auto imported = Call(*agent.admin, &v1::Admin::Stub::ImportChain, import);
  ASSERT_TRUE(imported.status.ok()) << imported.status.error_message();
  EXPECT_TRUE(imported.response.identity().usable()) << imported.response.identity().reason();

  v1::ShowIdentityRequest show;
  show.set_name("laptop");
  const auto shown = Call(*agent.admin, &v1::Admin::Stub::ShowIdentity, show);
  ASSERT_TRUE(shown.status.ok()) << shown.status.error_message();
  EXPECT_EQ(shown.response.chain_pem(), import.chain_pem());
  EXPECT_FALSE(shown.response.identity().has_next() || shown.response.identity().has_previous());
  EXPECT_THAT(shown.response.public_key_pem(), StartsWith("-----BEGIN PUBLIC KEY-----"));
  EXPECT_EQ(shown.response.sha256().size(), 64u);

  v1::RemoveIdentityRequest remove;
  remove.set_name("laptop");
  EXPECT_TRUE(Call(*agent.admin, &v1::Admin::Stub::RemoveIdentity, remove).status.ok());
  const auto gone = Call(*agent.admin, &v1::Admin::Stub::ShowIdentity, show);
  EXPECT_EQ(gone.status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(gone.status.error_message(), HasSubstr("alice, secret"));
}

TEST(GrpcDoor, AnIdentitysCertificateChangesAndAllIsOnRecord) {
  Agent agent;
  v1::ShowIdentityRequest show;
  show.set_name("alice");
  const std::string old =
      Call(*agent.admin, &v1::Admin::Stub::ShowIdentity, show).response.chain_pem();
  v1::ImportChainRequest import;
  import.set_name("alice");
  import.set_next(true);
  import.set_chain_pem(test::ToPem({agent.ca.Issue(agent.key.public_key(), {.common_name = "x"})}));
  const auto imported = Call(*agent.admin, &v1::Admin::Stub::ImportChain, import);
  ASSERT_TRUE(imported.status.ok()) << imported.status.error_message();
  EXPECT_EQ(imported.response.identity().next().subject(), "CN=x");
  EXPECT_EQ(imported.response.identity().subject(), "CN=alice");
  EXPECT_EQ(agent.audit.Last("identity-import").detail, "next");

  v1::SwitchCertificateRequest change;
  change.set_name("alice");
  const auto changed = Call(*agent.admin, &v1::Admin::Stub::SwitchCertificate, change);
  ASSERT_TRUE(changed.status.ok()) << changed.status.error_message();
  EXPECT_EQ(changed.response.identity().subject(), "CN=x");
  EXPECT_EQ(changed.response.identity().previous().subject(), "CN=alice");
  EXPECT_EQ(agent.audit.Last("identity-switch").outcome, "done");
  EXPECT_EQ(agent.audit.Last("identity-switch").identity, "alice");
  const auto shown = Call(*agent.admin, &v1::Admin::Stub::ShowIdentity, show).response;
  EXPECT_EQ(shown.chain_pem(), import.chain_pem());
  EXPECT_EQ(shown.previous_chain_pem(), old);
  EXPECT_EQ(shown.identity().previous().sha256().size(), 64u);
  const auto listed =
      Call(*agent.agent, &v1::Agent::Stub::ListIdentities, v1::ListIdentitiesRequest()).response;
  for (const v1::Identity& identity : listed.identities()) EXPECT_FALSE(identity.has_previous());

  v1::RetireCertificateRequest retire;
  retire.set_name("alice");
  EXPECT_TRUE(Call(*agent.admin, &v1::Admin::Stub::RetireCertificate, retire).status.ok());
  EXPECT_EQ(agent.audit.Last("identity-retire").outcome, "done");
  EXPECT_EQ(Call(*agent.admin, &v1::Admin::Stub::RetireCertificate, retire).status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(agent.audit.Last("identity-retire").outcome, "refused");
  change.set_back(true);
  Call(*agent.admin, &v1::Admin::Stub::SwitchCertificate, change);
  EXPECT_THAT(agent.audit.Last("identity-switch").detail, StartsWith("back: "));
}

TEST(GrpcDoor, RefusesAnIdentityOfNoKind) {
  Agent agent;
  v1::CreateIdentityRequest request = CreateRequest("laptop");
  request.clear_kind();
  EXPECT_EQ(Call(*agent.admin, &v1::Admin::Stub::CreateIdentity, request).status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(GrpcDoor, AnAddedRuleHoldsAtOnceAndIsOnDisk) {
  Agent agent;
  const auto added = AddRule(agent, "https://Example.com", "secret");
  ASSERT_TRUE(added.status.ok()) << added.status.error_message();
  EXPECT_EQ(added.response.rule().origin(), "https://example.com:443");
  EXPECT_THAT(added.response.rule().source(), HasSubstr(agent.folder().native()));

  const auto rules = Call(*agent.admin, &v1::Admin::Stub::ListRules, v1::ListRulesRequest());
  ASSERT_EQ(rules.response.rules_size(), 2);
  EXPECT_EQ(rules.response.rules(1).identity(), "secret") << "added rules come last";
  const auto list =
      Call(*agent.agent, &v1::Agent::Stub::ListIdentities, v1::ListIdentitiesRequest());
  EXPECT_EQ(list.response.identities_size(), 2);
  const auto on_disk = LoadAddedRules(agent.folder());
  ASSERT_TRUE(on_disk.ok()) << on_disk.status();
  EXPECT_EQ(on_disk->size(), 1u);
}

TEST(GrpcDoor, RulesAddedAtOnceAreAllKept) {
  Agent agent;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&agent, i] {
      const auto added = AddRule(agent, absl::StrCat("https://host", i), "alice");
      EXPECT_TRUE(added.status.ok()) << added.status.error_message();
    });
  }
  for (std::thread& client : clients) client.join();
  const auto rules = Call(*agent.admin, &v1::Admin::Stub::ListRules, v1::ListRulesRequest());
  EXPECT_EQ(rules.response.rules_size(), 1 + 8);
  EXPECT_EQ(LoadAddedRules(agent.folder())->size(), 8u);
}

TEST(GrpcDoor, NotesThatARulesIdentityDoesNotExistYet) {
  Agent agent;
  const auto unknown = AddRule(agent, "https://example.com", "alicia");
  EXPECT_TRUE(unknown.status.ok());
  EXPECT_THAT(unknown.response.note(), HasSubstr("alice, secret"));
  EXPECT_EQ(AddRule(agent, "https://example.com", "alice").response.note(), "");
}

TEST(GrpcDoor, RefusesARuleThatCouldNeverMatch) {
  Agent agent;
  struct Case {
    const char* origin;
    const char* identity;
    const char* program;
    const char* decision;
    const char* named;
  };
  for (const Case& bad : {
           Case{"example", "alice", "", "allow", "origin"},
           Case{"https://example.com", "", "", "allow", "identity"},
           Case{"https://example.com", "alice", "true", "allow", "program"},
           Case{"https://example.com", "alice", "/no/such/program", "allow", "program"},
           Case{"https://example.com", "alice", "/usr/bin", "allow", "program"},
           Case{"https://example.com", "alice", "", "maybe", "maybe"},
       }) {
    const auto answer = AddRule(agent, bad.origin, bad.identity, bad.program, bad.decision);
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << bad.named;
    EXPECT_THAT(answer.status.error_message(), HasSubstr(bad.named));
  }
  const std::string nul("/usr/bin/env\0x", 14);
  EXPECT_EQ(AddRule(agent, "https://example.com", "alice", nul).status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(AddRule(agent, "https://example.com", "*", "/usr/bin/env").status.ok());
}

TEST(GrpcDoor, RecordsWhoChangedWhat) {
  Agent agent;
  const auto expect = [&](const char* event, const char* outcome, const std::string& identity) {
    const AuditRecord record = agent.audit.Last(event);
    EXPECT_EQ(record.outcome, outcome) << event << ": " << record.detail;
    EXPECT_EQ(record.identity, identity) << event;
    ASSERT_TRUE(record.caller) << event;
    EXPECT_EQ(record.caller->pid, getpid()) << event;
    EXPECT_EQ(record.caller->uid, geteuid()) << event;
  };
  Call(*agent.admin, &v1::Admin::Stub::CreateIdentity, CreateRequest("laptop"));
  expect("identity-create", "done", "laptop");
  EXPECT_EQ(agent.audit.Last("identity-create").backend, "trial");
  Call(*agent.admin, &v1::Admin::Stub::CreateIdentity, CreateRequest("alice"));
  expect("identity-create", "refused", "alice");
  v1::CreateCsrRequest csr;
  csr.set_name("laptop");
  csr.set_subject("/CN=laptop");
  Call(*agent.admin, &v1::Admin::Stub::CreateCsr, csr);
  expect("identity-csr", "done", "laptop");
  EXPECT_EQ(agent.audit.Last("identity-csr").detail, "/CN=laptop");
  v1::ImportChainRequest import;
  import.set_name("laptop");
  import.set_chain_pem("no chain");
  Call(*agent.admin, &v1::Admin::Stub::ImportChain, import);
  expect("identity-import", "refused", "laptop");
  v1::RemoveIdentityRequest remove;
  remove.set_name("laptop");
  Call(*agent.admin, &v1::Admin::Stub::RemoveIdentity, remove);
  expect("identity-remove", "done", "laptop");
  v1::AddRuleRequest add;
  add.mutable_rule()->set_origin("https://a.example");
  add.mutable_rule()->set_identity("alice");
  add.mutable_rule()->set_decision("deny");
  Call(*agent.admin, &v1::Admin::Stub::AddRule, add);
  expect("rule-add", "done", "alice");
  EXPECT_EQ(agent.audit.Last("rule-add").origin, "https://a.example");
  EXPECT_EQ(agent.audit.Last("rule-add").detail, "deny");
  v1::LockTokenRequest lock;
  lock.set_backend("nowhere");
  Call(*agent.admin, &v1::Admin::Stub::LockToken, lock);
  expect("lock", "not-found", "");
}

TEST(GrpcDoor, AClientThatGivesUpCancelsItsCall) {
  Agent agent;
  agent.OnLoop([&] { agent.keys.Hold(); });
  grpc::ClientContext context;
  std::thread client([&] {
    v1::AuthenticateResponse response;
    const grpc::Status status =
        agent.agent->Authenticate(&context, AuthenticateMessage(), &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  });
  EXPECT_TRUE(agent.keys.started.Reaches(1));
  context.TryCancel();
  EXPECT_TRUE(agent.keys.cancelled.Reaches(1));
  client.join();
}

TEST(GrpcDoor, OneUidsRequestsAreBounded) {
  Agent agent({.max_requests = 1});
  agent.OnLoop([&] { agent.keys.Hold(); });
  std::thread client([&] {
    EXPECT_TRUE(
        Call(*agent.agent, &v1::Agent::Stub::Authenticate, AuthenticateMessage()).status.ok());
  });
  EXPECT_TRUE(agent.keys.started.Reaches(1));
  const auto busy =
      Call(*agent.agent, &v1::Agent::Stub::ListIdentities, v1::ListIdentitiesRequest());
  EXPECT_EQ(busy.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  agent.OnLoop([&] { agent.keys.Release(); });
  client.join();
}

TEST(GrpcDoor, OneUidsConnectionsAreBounded) {
  Agent agent({.max_connections = 2});
  const ipc::Descriptor first = ConnectRaw(agent.path());
  const ipc::Descriptor second = ConnectRaw(agent.path());
  const ipc::Descriptor third = ConnectRaw(agent.path());
  EXPECT_TRUE(Closed(third));
}

TEST(GrpcDoor, StrangersGetFewConnections) {
  Agent agent({.access = {.use = {geteuid() + 1}, .admin = {geteuid() + 1}}});
  std::vector<ipc::Descriptor> strangers;
  for (size_t i = 0; i < CallerLimits::kMaxStrangersConnections; ++i) {
    strangers.push_back(ConnectRaw(agent.path()));
  }
  EXPECT_TRUE(Closed(ConnectRaw(agent.path())));
}

TEST(GrpcDoor, UnpacksNoCompressedMessages) {
  Agent agent;
  v1::ShowIdentityRequest request;
  request.set_name(std::string(64 << 20, 'x'));
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  v1::ShowIdentityResponse response;
  const grpc::Status status = agent.admin->ShowIdentity(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << status.error_message();
}

TEST(GrpcDoor, RefusesOversizedMessages) {
  Agent agent;
  v1::AuthenticateRequest request = AuthenticateMessage();
  request.set_request(std::string(256 * 1024, 'x'));
  const auto answer = Call(*agent.agent, &v1::Agent::Stub::Authenticate, request);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(
      Call(*agent.agent, &v1::Agent::Stub::Authenticate, AuthenticateMessage()).status.ok());
}

TEST(GrpcDoor, GarbageAndSilentPeersHoldNobodyUp) {
  Agent agent;
  const ipc::Descriptor silent = ConnectRaw(agent.path());
  const ipc::Descriptor garbage = ConnectRaw(agent.path());
  const std::string noise(1000, '\xff');
  ASSERT_EQ(write(garbage.get(), noise.data(), noise.size()), 1000);
  const ipc::Descriptor truncated = ConnectRaw(agent.path());
  ASSERT_EQ(write(truncated.get(), "PRI * HTTP", 10), 10);
  EXPECT_TRUE(Closed(garbage));
  EXPECT_TRUE(
      Call(*agent.agent, &v1::Agent::Stub::Authenticate, AuthenticateMessage()).status.ok());
}

TEST(GrpcDoor, StopLetsCallsFinish) {
  Agent agent;
  agent.OnLoop([&] { agent.keys.Hold(); });
  std::thread client([&] {
    const auto answer = Call(*agent.agent, &v1::Agent::Stub::Authenticate, AuthenticateMessage());
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
  });
  EXPECT_TRUE(agent.keys.started.Reaches(1));
  std::future<void> stopped =
      agent.Stop(std::chrono::system_clock::now() + std::chrono::seconds(20));
  agent.OnLoop([&] { agent.keys.Release(); });
  client.join();
  stopped.wait();
}

TEST(GrpcDoor, StopCancelsCallsAtTheDeadline) {
  Agent agent;
  agent.OnLoop([&] { agent.keys.Hold(); });
  std::thread client([&] {
    EXPECT_FALSE(
        Call(*agent.agent, &v1::Agent::Stub::Authenticate, AuthenticateMessage()).status.ok());
  });
  EXPECT_TRUE(agent.keys.started.Reaches(1));
  agent.Stop(std::chrono::system_clock::now()).wait();
  client.join();
  EXPECT_EQ(agent.keys.cancelled.value(), 1);
}

}  // namespace
}  // namespace signet::agent
