// The pool over the real signet-backend, with keys in software.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "agent/backends/backend_pool.h"
#include "agent/backends/pool_fixture.h"
#include "providers/contract/signature_check.h"

namespace signet::agent {
namespace {

class SoftwareBackend : public PoolFixture {
 protected:
  SoftwareBackend() {
    BackendConfiguration trial;
    trial.name = "trial";
    trial.type = "software";
    StartPool({trial}, SIGNET_BACKEND_PROGRAM);
  }
};

TEST_F(SoftwareBackend, SignsAgainAfterItWasKilled) {
  const std::string backend = "trial", label = "laptop", algorithm = "p256";
  const absl::StatusOr<NewKey> key =
      Run(pool_->CreateKey(backend, label, algorithm, In(kPatience)));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_FALSE(key->hardware);
  const wire::SignatureScheme scheme = wire::SignatureScheme::kEcdsaSecp256r1Sha256;
  EXPECT_THAT(key->schemes, testing::ElementsAre(scheme));

  const wire::Bytes message = {'h', 'e', 'l', 'l', 'o'};
  const pid_t first = StatusOf("trial").pid;
  const auto holds = [&](wire::BytesView signed_message, wire::BytesView signature) {
    return providers::SignatureHolds(key->public_key, scheme, signed_message, signature);
  };
  for (int run = 0; run < 2; ++run) {
    const absl::StatusOr<wire::Bytes> signature =
        Run(pool_->Sign(key->key, scheme, message, holds, In(kPatience)));
    ASSERT_TRUE(signature.ok()) << signature.status();
    EXPECT_TRUE(holds(message, *signature));
    if (run == 0) kill(first, SIGKILL);
    RunUntil([&] { return run == 1 || StatusOf("trial").restarts == 1; });
  }
  EXPECT_NE(StatusOf("trial").pid, first);
  EXPECT_EQ(StatusOf("trial").state, BackendState::kReady);
}

TEST_F(SoftwareBackend, SaysThatTheAlgorithmIsUnknown) {
  const std::string backend = "trial", label = "laptop", algorithm = "rot13";
  EXPECT_TRUE(absl::IsUnimplemented(
      Run(pool_->CreateKey(backend, label, algorithm, In(kPatience))).status()));
}

}  // namespace
}  // namespace signet::agent
