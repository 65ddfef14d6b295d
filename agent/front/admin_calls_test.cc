// Status, tokens and identities over grpc.sock, and what is on record about them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "agent/front/grpc_door_fixture.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

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

}  // namespace
}  // namespace signet::agent
