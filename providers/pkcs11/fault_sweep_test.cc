// Each call that an operation makes to the module fails once, with several codes, and then all
// calls from there on do: on SoftHSM behind faulty_module.so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "providers/contract/signature_check.h"
#include "providers/pkcs11/pkcs11_backend.h"
#include "providers/pkcs11/raw_session.h"
#include "tests/support/fault_script.h"
#include "tests/support/softhsm.h"

namespace signet::providers::pkcs11 {
namespace {

using absl::StatusCode;
using test::SoftHsm;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kPin(SoftHsm::kPin);
constexpr auto kScheme = wire::SignatureScheme::kEcdsaSecp256r1Sha256;
const wire::Bytes kMessage{'m'};

// One of each kind that is treated in its own way.
constexpr CK_RV kCodes[] = {CKR_GENERAL_ERROR, CKR_ARGUMENTS_BAD, CKR_DEVICE_REMOVED,
                            CKR_OPERATION_ACTIVE, CKR_USER_NOT_LOGGED_IN};

class Bench {
 public:
  Bench() : script_(hsm_.folder() + "/faults"), record_(hsm_.folder() + "/record") {
    setenv("PKCS11_FAULTY", SIGNET_RECORDING_MODULE, 1);
    setenv("PKCS11_FAULTS", script_.c_str(), 1);
    setenv("PKCS11_RECORDED", SoftHsm::Module().c_str(), 1);
    setenv("PKCS11_RECORDING", record_.c_str(), 1);
    hsm_.AddToken("alice");
    Restart();
    EXPECT_TRUE(Unlock().ok());
    auto created = backend->CreateKeySlowly("laptop", KeyAlgorithm::kP256);
    EXPECT_TRUE(created.ok()) << created.status();
    reference = created->reference;
    key = std::move(created->key);
  }
  ~Bench() {
    for (const char* name :
         {"PKCS11_FAULTY", "PKCS11_FAULTS", "PKCS11_RECORDED", "PKCS11_RECORDING"}) {
      unsetenv(name);
    }
  }

  // As signet-backend at its start.
  void Restart() {
    key.reset();
    backend.reset();
    backend = MakePkcs11Backend({.name = "card", .module = SIGNET_FAULTY_MODULE, .token = "alice"});
  }
  absl::Status Unlock() { return backend->UnlockSlowly(*Pin::Copy(kPin), {}); }
  absl::Status Open() {
    auto opened = backend->OpenKeySlowly(reference);
    if (opened.ok()) key = *std::move(opened);
    return opened.status();
  }
  absl::Status Sign() {
    auto signature = key->SignSlowly(kScheme, kMessage);
    if (!signature.ok()) return signature.status();
    EXPECT_TRUE(SignatureHolds(key->public_key(), kScheme, kMessage, *signature));
    return absl::OkStatus();
  }
  absl::Status Create() {
    auto created = backend->CreateKeySlowly("another", KeyAlgorithm::kP256);
    if (created.ok()) another_ = created->reference;
    return created.status();
  }
  // What Create made, if anything.
  absl::Status Remove() {
    if (another_.empty()) return absl::OkStatus();
    absl::Status status = backend->RemoveKeySlowly(another_);
    if (status.ok()) another_.clear();
    return status;
  }

  void Fault(size_t skip, int times, CK_RV code) {
    test::WriteFaults(script_, absl::StrCat("* ", skip, " ", times, " fail ", code));
  }
  void NoFaults() { test::WriteFaults(script_, ""); }

  // What has reached the token so far.
  std::vector<std::string> Calls() const {
    std::ifstream file(record_);
    std::vector<std::string> calls;
    for (std::string line; std::getline(file, line);) calls.push_back(line);
    return calls;
  }

  std::unique_ptr<Backend> backend;
  wire::Bytes reference;
  std::unique_ptr<Key> key;

 private:
  SoftHsm hsm_;
  const std::string script_;
  const std::string record_;
  wire::Bytes another_;
};

// Sessions that nobody has closed, going by the calls that were made.
int OpenSessions(const std::vector<std::string>& calls) {
  int open = 0;
  for (const std::string& call : calls) {
    if (call == "C_OpenSession") ++open;
    if (call == "C_CloseSession") --open;
    if (call == "C_CloseAllSessions" || call == "C_Finalize") open = 0;
  }
  return open;
}

size_t Count(const std::vector<std::string>& calls, const char* name) {
  return static_cast<size_t>(std::ranges::count(calls, name));
}

struct Operation {
  const char* name;
  std::function<void(Bench&)> prepare;  // before the faults
  std::function<absl::Status(Bench&)> run;
  size_t logins = 0;  // at most
  bool changes_the_token = false;
};

void PrintTo(const Operation& operation, std::ostream* out) { *out << operation.name; }

const Operation kOperations[] = {
    {"Start", [](Bench& bench) { bench.Restart(); },
     [](Bench& bench) { return bench.backend->DescribeSlowly().status(); }},
    {"Describe", [](Bench&) {},
     [](Bench& bench) { return bench.backend->DescribeSlowly().status(); }},
    {"Unlock", [](Bench& bench) { EXPECT_TRUE(bench.backend->LockSlowly().ok()); },
     [](Bench& bench) { return bench.Unlock(); }, 1},
    {"Lock", [](Bench&) {}, [](Bench& bench) { return bench.backend->LockSlowly(); }},
    {"Open", [](Bench&) {}, [](Bench& bench) { return bench.Open(); }},
    {"FirstSignature", [](Bench& bench) { EXPECT_TRUE(bench.Open().ok()); },
     [](Bench& bench) { return bench.Sign(); }},
    {"Signature", [](Bench& bench) { EXPECT_TRUE(bench.Sign().ok()); },
     [](Bench& bench) { return bench.Sign(); }},
    {"List", [](Bench&) {}, [](Bench& bench) { return bench.backend->ListKeysSlowly().status(); }},
    {"Create", [](Bench&) {}, [](Bench& bench) { return bench.Create(); }, 0, true},
    {"Remove", [](Bench& bench) { EXPECT_TRUE(bench.Create().ok()); },
     [](Bench& bench) { return bench.Remove(); }, 0, true},
};

class FaultSweep : public testing::TestWithParam<Operation> {
 protected:
  // As after whatever went wrong: unlocked, the key open, nothing left of the operation.
  void MakeReady() {
    bench_.NoFaults();
    absl::Status status = bench_.Unlock();
    ASSERT_TRUE(status.ok()) << status;
    if (bench_.key == nullptr) status = bench_.Open();
    if (status.ok()) status = bench_.Sign();
    ASSERT_TRUE(status.ok()) << status;
    status = bench_.Remove();
    ASSERT_TRUE(status.ok()) << status;
  }

  void ExpectClear(const absl::Status& status) {
    if (status.ok()) return;
    const std::string message(status.message());
    EXPECT_THAT(status.code(), AnyOf(StatusCode::kNotFound, StatusCode::kUnimplemented,
                                     StatusCode::kFailedPrecondition, StatusCode::kUnavailable))
        << status;
    EXPECT_THAT(message, StartsWith("card: "));
    EXPECT_THAT(message, HasSubstr("; "));
    EXPECT_THAT(message, Not(HasSubstr(kPin)));
  }

  // How many calls it makes when nothing goes wrong.
  size_t CallsOf(const Operation& operation) {
    operation.prepare(bench_);
    const size_t before = bench_.Calls().size();
    EXPECT_TRUE(operation.run(bench_).ok());
    const size_t calls = bench_.Calls().size() - before;
    MakeReady();
    return calls;
  }

  void Try(const Operation& operation, size_t call, int times, CK_RV code) {
    operation.prepare(bench_);
    const size_t before = bench_.Calls().size();
    bench_.Fault(call, times, code);
    const absl::Status status = operation.run(bench_);
    ExpectClear(status);
    bench_.NoFaults();
    std::vector<std::string> calls = bench_.Calls();
    EXPECT_LE(OpenSessions(calls), 1);
    calls.erase(calls.begin(), calls.begin() + static_cast<long>(before));
    EXPECT_LE(Count(calls, "C_Login"), operation.logins);
    // Nobody can clean up behind a module that does nothing any more.
    if (times < 0 && !status.ok()) abandoned_ += Count(calls, "C_GenerateKeyPair");

    MakeReady();
    if (times < 0 || operation.changes_the_token) return;  // SoftHSM writes slowly
    operation.prepare(bench_);
    const absl::Status again = operation.run(bench_);
    EXPECT_TRUE(again.ok()) << again;
    MakeReady();
  }

  Bench bench_;
  size_t abandoned_ = 0;  // keys
};

TEST_P(FaultSweep, FailsClearlyLeavesNothingAndWorksAgain) {
  const Operation& operation = GetParam();
  const size_t calls = CallsOf(operation);
  RecordProperty("calls", static_cast<int>(calls));
  ASSERT_GT(calls, 0u);
  for (const CK_RV code : kCodes) {
    for (size_t call = 0; call < calls; ++call) {
      for (const int times : {1, -1}) {
        if (times < 0 && code != CKR_GENERAL_ERROR) continue;
        SCOPED_TRACE(absl::StrCat("call ", call, " of ", calls, ", CKR 0x", absl::Hex(code),
                                  times < 0 ? ", and all after it" : ""));
        Try(operation, call, times, code);
        if (HasFatalFailure()) return;
      }
    }
  }
  bench_.key.reset();
  bench_.backend.reset();
  RawSession raw(SoftHsm::Module(), "alice", kPin);
  EXPECT_EQ(raw.Count(CKO_PRIVATE_KEY), 1 + abandoned_);
  EXPECT_EQ(raw.Count(CKO_PUBLIC_KEY), 1 + abandoned_);
}

INSTANTIATE_TEST_SUITE_P(Pkcs11, FaultSweep, testing::ValuesIn(kOperations),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace signet::providers::pkcs11
