// Rules that are added over grpc.sock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/front/grpc_door_fixture.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

GrpcAnswer<v1::AddRuleResponse> AddRule(Agent& agent, const std::string& origin,
                                        const std::string& identity,
                                        const std::string& program = "",
                                        const std::string& decision = "allow") {
  v1::AddRuleRequest request;
  request.mutable_rule()->set_origin(origin);
  request.mutable_rule()->set_identity(identity);
  request.mutable_rule()->set_program(program);
  request.mutable_rule()->set_decision(decision);
  return Call(*agent.admin, &v1::Admin::Stub::AddRule, request);
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

TEST(GrpcDoor, SaysThatAnIdentityOfItsKindDoesNotServeThePurpose) {
  Agent agent;
  v1::CreateIdentityRequest create;
  create.set_name("web");
  create.set_backend("trial");
  create.set_algorithm("p256");
  create.set_kind(v1::IDENTITY_KIND_SERVER);
  ASSERT_TRUE(Call(*agent.admin, &v1::Admin::Stub::CreateIdentity, create).status.ok());

  const struct {
    std::string identity, purpose, said;
  } kCases[] = {{"web", "server", ""},
                {"alice", "tls-client", ""},
                {"alice", "csr", ""},
                {"alice", "server", "only those of kind server"},
                {"web", "tls-client", "nothing but purpose server"},
                {"web", "csr", "nothing but purpose server"}};
  for (const auto& [identity, purpose, said] : kCases) {
    SCOPED_TRACE(identity + " " + purpose);
    v1::AddRuleRequest rule;
    rule.mutable_rule()->set_identity(identity);
    rule.mutable_rule()->set_purpose(purpose);
    rule.mutable_rule()->set_decision("allow");
    const auto added = Call(*agent.admin, &v1::Admin::Stub::AddRule, rule);
    ASSERT_TRUE(added.status.ok()) << added.status.error_message();
    v1::ExplainRequest request;
    request.set_identity(identity);
    request.set_purpose(purpose);
    const auto explained = Call(*agent.admin, &v1::Admin::Stub::Explain, request);
    ASSERT_EQ(explained.response.explanations_size(), 1);
    const std::string& reason = explained.response.explanations(0).reason();
    if (said.empty()) {
      EXPECT_EQ(added.response.note(), "");
      EXPECT_THAT(reason, Not(HasSubstr("of kind")));
    } else {
      EXPECT_THAT(added.response.note(), HasSubstr(said));
      EXPECT_THAT(reason, HasSubstr(said));
    }
    rule.mutable_rule()->set_decision("deny");
    EXPECT_EQ(Call(*agent.admin, &v1::Admin::Stub::AddRule, rule).response.note(), "");
  }
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

}  // namespace
}  // namespace signet::agent
