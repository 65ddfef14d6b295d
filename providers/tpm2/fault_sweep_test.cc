// Each command that an operation sends fails once, in several ways, and then all from there on do:
// on swtpm behind faulty_tcti.so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "providers/contract/signature_check.h"
#include "providers/tpm2/swtpm_fixture.h"
#include "tests/support/fault_script.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;
using wire::Bytes;

constexpr int kObjectSlots = 3;  // of swtpm

struct Way {
  const char* fault;
  bool loses_handles = false;  // then what is loaded stays there, until room is needed
};

// One of each kind that is treated in its own way.
constexpr Way kWays[] = {
    {"fail 0x101"},          // the TPM is in failure mode
    {"fail 0x922"},          // RETRY
    {"fail 0x920"},          // NV_RATE
    {"fail 0x902"},          // OBJECT_MEMORY
    {"fail 0x921"},          // LOCKOUT
    {"fail 0x1c4"},          // a parameter's value
    {"fail 0x18b", true},    // nothing has this handle
    {"fail 0x100", true},    // INITIALIZE: it was restarted
    {"fail 0xa000a", true},  // the TCTI's IO error
    {"break", true},
};

class Bench {
 public:
  Bench() : script_(tpm_.folder() + "/faults") {
    setenv("TSS2_FAULTS", script_.c_str(), 1);
    Restart();
    CreatedKey created = Create(*backend);
    reference_ = created.reference;
    key_ = std::move(created.key);
  }
  ~Bench() { unsetenv("TSS2_FAULTS"); }

  // As signet-backend at its start.
  void Restart() {
    key_.reset();
    backend.reset();
    backend = providers::Open(absl::StrCat(SIGNET_FAULTY_TCTI, ":", tpm_.tcti()));
  }
  absl::Status Open() {
    absl::StatusOr<std::unique_ptr<Key>> opened = backend->OpenKeySlowly(reference_);
    if (opened.ok()) key_ = *std::move(opened);
    return opened.status();
  }
  absl::Status Sign() {
    if (key_ == nullptr) {
      if (absl::Status status = Open(); !status.ok()) return status;
    }
    const wire::SignatureScheme scheme = key_->schemes().front();
    absl::StatusOr<Bytes> signature = key_->SignSlowly(scheme, kMessage);
    if (!signature.ok()) return signature.status();
    EXPECT_TRUE(SignatureHolds(key_->public_key(), scheme, kMessage, *signature));
    return absl::OkStatus();
  }

  // "*" is every command, and each connecting.
  void Fault(int skip, int times, const std::string& fault) {
    test::WriteFaults(script_, absl::StrCat("* ", skip, " ", times, " ", fault));
  }
  void NoFaults() { test::WriteFaults(script_, ""); }
  // How many commands were sent since Fault(skip, ...).
  int Sent(int skip) const {
    std::istringstream words(test::ReadFaults(script_));
    std::string any;
    int left = 0;
    words >> any >> left;
    return skip - left;
  }
  int LoadedObjects() const {
    EXPECT_TRUE(RunTool(tpm_, "tpm2_getcap handles-transient"));
    return static_cast<int>(std::ranges::count(Read(tpm_.folder() + "/output"), '\n'));
  }

  void EmptyTheTpm() {
    Restart();
    EXPECT_TRUE(RunTool(tpm_, "tpm2_flushcontext -t"));
  }

  std::unique_ptr<Backend> backend;

 private:
  test::Swtpm tpm_;
  const std::string script_;
  Bytes reference_;
  std::unique_ptr<Key> key_;
};

struct Operation {
  const char* name;
  std::function<void(Bench&)> prepare;  // before the faults
  std::function<absl::Status(Bench&)> run;
};

void PrintTo(const Operation& operation, std::ostream* out) { *out << operation.name; }

const Operation kOperations[] = {
    {"Start", [](Bench& bench) { bench.Restart(); },
     [](Bench& bench) { return bench.backend->DescribeSlowly().status(); }},
    {"FirstSignature", [](Bench& bench) { bench.Restart(); },
     [](Bench& bench) { return bench.Sign(); }},
    {"Open", [](Bench&) {}, [](Bench& bench) { return bench.Open(); }},
    {"Signature", [](Bench& bench) { EXPECT_TRUE(bench.Sign().ok()); },
     [](Bench& bench) { return bench.Sign(); }},
    {"Create", [](Bench&) {},
     [](Bench& bench) {
       return bench.backend->CreateKeySlowly("another", KeyAlgorithm::kP256).status();
     }},
};

class FaultSweep : public testing::TestWithParam<Operation> {
 protected:
  int CommandsOf(const Operation& operation) {
    constexpr int kMany = 1000;
    operation.prepare(bench_);
    bench_.Fault(kMany, 1, "fail 0x101");
    EXPECT_TRUE(operation.run(bench_).ok());
    const int sent = bench_.Sent(kMany);
    bench_.NoFaults();
    return sent;
  }

  void ExpectClear(const absl::Status& status) {
    if (status.ok()) return;
    const std::string message(status.message());
    EXPECT_THAT(status.code(), AnyOf(StatusCode::kInvalidArgument, StatusCode::kUnimplemented,
                                     StatusCode::kResourceExhausted, StatusCode::kUnavailable))
        << status;
    EXPECT_THAT(message, StartsWith("tpm2: "));
    EXPECT_THAT(message, HasSubstr("; "));
  }

  void Try(const Operation& operation, int command, int times, const Way& way) {
    operation.prepare(bench_);
    bench_.Fault(command, times, way.fault);
    ExpectClear(operation.run(bench_));
    bench_.NoFaults();
    absl::Status again = operation.run(bench_);
    EXPECT_TRUE(again.ok()) << again;
    again = bench_.Sign();
    ASSERT_TRUE(again.ok()) << again;
    // The key in use, and a parent that the TPM refused to flush.
    const int loaded = bench_.LoadedObjects();
    EXPECT_LE(loaded, way.loses_handles ? kObjectSlots : 2);
    // What this one lost is not counted against the next.
    if (loaded > 1) bench_.EmptyTheTpm();
  }

  Bench bench_;
};

TEST_P(FaultSweep, FailsClearlyLeavesNothingAndWorksAgain) {
  const Operation& operation = GetParam();
  const int commands = CommandsOf(operation);
  ASSERT_GT(commands, 0);
  for (const Way& way : kWays) {
    for (int command = 0; command < commands; ++command) {
      SCOPED_TRACE(absl::StrCat("command ", command, " of ", commands, ": ", way.fault));
      Try(operation, command, 1, way);
      if (HasFatalFailure()) return;
    }
  }
  for (const char* fault : {"fail 0x101", "break"}) {
    for (int command = 0; command < commands; ++command) {
      SCOPED_TRACE(absl::StrCat("command ", command, " of ", commands, " and on: ", fault));
      Try(operation, command, -1, {fault, true});
      if (HasFatalFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tpm2, FaultSweep, testing::ValuesIn(kOperations),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace signet::providers
