#include "agent/front/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

namespace signet::agent {
namespace {

using ::testing::HasSubstr;

// This process, as the other end of a socket sees it.
std::shared_ptr<ipc::Peer> Self() {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const ipc::Descriptor one(ends[0]);
  const ipc::Descriptor other(ends[1]);
  absl::StatusOr<ipc::Peer> peer = ipc::IdentifyPeer(one.get());
  EXPECT_TRUE(peer.ok()) << peer.status();
  return std::make_shared<ipc::Peer>(*std::move(peer));
}

class FakeAudit : public AuditLog {
 public:
  void Write(const AuditRecord& record) override { records.push_back(record); }
  absl::Status CheckRecording() const override { return absl::OkStatus(); }

  std::vector<AuditRecord> records;
};

class GateTest : public ::testing::Test {
 protected:
  FakeAudit audit_;
  CallerLimits limits_{/*max_connections=*/1, /*max_requests=*/1};
  ProcessReader reader_;
  const Policy own_{{.use = {geteuid()}, .admin = {geteuid()}}, {}, {}};
  const Policy others_{{.use = {geteuid() + 1}, .admin = {geteuid() + 1}}, {}, {}};
};

TEST_F(GateTest, TellsWhoAsksByTheKernelsWord) {
  Gate gate(own_, limits_, reader_, audit_);
  const auto admission = gate.Admit(Self(), Right::kUse);
  ASSERT_TRUE(admission.ok()) << admission.status();
  EXPECT_EQ(admission->caller.pid, getpid());
  EXPECT_EQ(admission->caller.uid, geteuid());
  EXPECT_EQ(admission->caller.gid, getegid());
  ASSERT_TRUE(admission->caller.executable);
  EXPECT_THAT(admission->caller.executable->path, HasSubstr("gate_test"));
}

TEST_F(GateTest, NamesTheSettingAndTheUid) {
  Gate gate(others_, limits_, reader_, audit_);
  for (const auto& [right, setting] : {std::pair{Right::kUse, "[access] use"},
                                       {Right::kAuthenticate, "[access] use"},
                                       {Right::kAdminister, "[access] admin"}}) {
    const absl::Status refusal = gate.Admit(Self(), right).status();
    EXPECT_EQ(refusal.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_THAT(std::string(refusal.message()), HasSubstr(setting));
    EXPECT_THAT(std::string(refusal.message()), HasSubstr(std::to_string(geteuid())));
  }
  EXPECT_TRUE(audit_.records.empty()) << "a stranger fills no records";
}

TEST_F(GateTest, RecordsAUserWhoTriesToAdminister) {
  const Policy user{{.use = {geteuid()}, .admin = {geteuid() + 1}}, {}, {}};
  Gate gate(user, limits_, reader_, audit_);
  EXPECT_FALSE(gate.Admit(Self(), Right::kAdminister).ok());
  ASSERT_EQ(audit_.records.size(), 1u);
  EXPECT_EQ(audit_.records[0].event, "administer");
  EXPECT_EQ(audit_.records[0].outcome, "access-denied");
  EXPECT_EQ(audit_.records[0].caller->pid, getpid());
  EXPECT_TRUE(gate.Admit(Self(), Right::kUse).ok());
  EXPECT_EQ(audit_.records.size(), 1u);
}

TEST_F(GateTest, RefusesAProcessThatNoLongerRunsWhatConnected) {
  Gate gate(own_, limits_, reader_, audit_);
  const std::shared_ptr<ipc::Peer> other_program = Self();
  other_program->executable->inode += 1;
  EXPECT_EQ(gate.Admit(other_program, Right::kUse).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(GateTest, LeavesItToTheCallToDeclineAProcessThatChanged) {
  Gate gate(own_, limits_, reader_, audit_);
  const std::shared_ptr<ipc::Peer> other_program = Self();
  other_program->executable->inode += 1;
  const auto admission = gate.Admit(other_program, Right::kAuthenticate);
  ASSERT_TRUE(admission.ok()) << admission.status();
  EXPECT_EQ(admission->process->CheckUnchanged().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(GateTest, AnAdmissionHoldsItsPlaceAsLongAsItLives) {
  Gate gate(own_, limits_, reader_, audit_);
  for (int i = 0; i < 2; ++i) {
    const auto admission = gate.Admit(Self(), Right::kUse);
    ASSERT_TRUE(admission.ok()) << admission.status();
    EXPECT_EQ(gate.Admit(Self(), Right::kUse).status().code(),
              absl::StatusCode::kResourceExhausted);
  }
}

}  // namespace
}  // namespace signet::agent
