// Who gets in, how much of it, and what becomes of calls in flight.
#include "agent/front/grpc_door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/front/grpc_door_fixture.h"
#include "ipc/transport/unix_address.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

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
  while (poll(&entry, 1, 60'000) == 1) {
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
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
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
      agent.Stop(std::chrono::system_clock::now() + std::chrono::seconds(60));
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
