// SoftHSM behind a probe that counts its calls and makes them fail as cards and modules do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "providers/contract/signature_check.h"
#include "providers/pkcs11/pkcs11_backend.h"
#include "providers/pkcs11/probe_module.h"
#include "providers/pkcs11/raw_session.h"
#include "tests/support/softhsm.h"

namespace signet::providers::pkcs11 {
namespace {

using absl::StatusCode;
using test::SoftHsm;
using testing::AllOf;
using testing::HasSubstr;

const std::string kPin(SoftHsm::kPin);
constexpr auto kScheme = wire::SignatureScheme::kEcdsaSecp256r1Sha256;
const wire::Bytes kMessage{'m'};

std::string Message(const absl::Status& status) { return std::string(status.message()); }

class Pkcs11FaultsTest : public testing::Test {
 protected:
  void SetUp() override {
    hsm_.AddToken("alice");
    TheProbe() = Probe{.real_module = SoftHsm::Module()};
    backend_ = MakePkcs11Backend({.name = "card",
                                  .module = SIGNET_PROBE_MODULE,
                                  .token = "alice",
                                  .tries_hold = TriesHold()});
    ASSERT_TRUE(Unlock().ok());
    auto created = backend_->CreateKeySlowly("laptop", KeyAlgorithm::kP256);
    ASSERT_TRUE(created.ok()) << created.status();
    reference_ = created->reference;
    key_ = std::move(created->key);
    ASSERT_TRUE(Sign().ok());
    TheProbe().functions.clear();
  }

  virtual std::chrono::milliseconds TriesHold() const { return std::chrono::hours(1); }
  absl::Status Unlock(const std::string& pin = kPin) {
    return backend_->UnlockSlowly(*Pin::Copy(pin), {});
  }
  absl::Status Sign() {
    auto signature = key_->SignSlowly(kScheme, kMessage);
    if (!signature.ok()) return signature.status();
    EXPECT_TRUE(SignatureHolds(key_->public_key(), kScheme, kMessage, *signature));
    return absl::OkStatus();
  }
  bool Unlocked() {
    auto state = backend_->DescribeSlowly();
    EXPECT_TRUE(state.ok()) << state.status();
    return state.ok() && state->unlocked;
  }

  SoftHsm hsm_;
  std::unique_ptr<Backend> backend_;
  wire::Bytes reference_;
  std::unique_ptr<Key> key_;
};

TEST_F(Pkcs11FaultsTest, SignsWithTwoCalls) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Sign().ok());
  EXPECT_EQ(TheProbe().Calls("C_SignInit"), 5);
  EXPECT_EQ(TheProbe().Calls("C_Sign"), 5);
  EXPECT_EQ(TheProbe().AllCalls(), 10);
}

TEST_F(Pkcs11FaultsTest, RsaWithoutPssIsRefusedWhenTheKeyIsOpened) {
  auto rsa = backend_->CreateKeySlowly("rsa", KeyAlgorithm::kRsa2048);
  ASSERT_TRUE(rsa.ok()) << rsa.status();
  TheProbe().Fail("C_GetMechanismInfo", CKR_MECHANISM_INVALID);
  const absl::Status status = backend_->OpenKeySlowly(rsa->reference).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << status;
  EXPECT_THAT(Message(status), HasSubstr("RSA-PSS"));
  EXPECT_TRUE(backend_->OpenKeySlowly(rsa->reference).ok());
}

TEST_F(Pkcs11FaultsTest, AWrongPinIsTriedOnceAndNeverAgain) {
  ASSERT_TRUE(backend_->LockSlowly().ok());
  const absl::Status status = Unlock("00000000");
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(Message(status), HasSubstr("one try is spent"));
  EXPECT_EQ(Sign().code(), StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Unlocked());
  EXPECT_EQ(TheProbe().Calls("C_Login"), 1);
}

TEST_F(Pkcs11FaultsTest, SpendsNoTryOnATokenThatIsUnlocked) {
  EXPECT_TRUE(Unlock("00000000").ok());
  EXPECT_EQ(TheProbe().Calls("C_Login"), 0);
}

TEST_F(Pkcs11FaultsTest, WarnsBeforeTheLastTry) {
  ASSERT_TRUE(backend_->LockSlowly().ok());
  TheProbe().functions["C_Login"].when_called = [] {
    TheProbe().token_flags = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
  };
  const absl::Status status = Unlock("00000000");
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(Message(status), HasSubstr("only one try is left"));
}

TEST_F(Pkcs11FaultsTest, TheLastTryIsSpentOnlyWhenAPersonSaysSo) {
  ASSERT_TRUE(backend_->LockSlowly().ok());
  TheProbe().token_flags = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
  EXPECT_EQ(backend_->DescribeSlowly()->pin_tries, PinTries::kLast);
  const absl::Status kept = Unlock();
  EXPECT_EQ(kept.code(), StatusCode::kFailedPrecondition) << kept;
  EXPECT_THAT(Message(kept), HasSubstr("signet token unlock card"));
  EXPECT_EQ(TheProbe().Calls("C_Login"), 0);
  const UnlockTarget target{.serial = {}, .keys = {}, .last_try = true};
  EXPECT_TRUE(backend_->UnlockSlowly(*Pin::Copy(kPin), target).ok());
  EXPECT_EQ(TheProbe().Calls("C_Login"), 1);
}

TEST_F(Pkcs11FaultsTest, TellsWhatItKnowsOfTries) {
  const std::pair<CK_FLAGS, PinTries> cases[] = {
      {0, PinTries::kUnknown},
      {CKF_USER_PIN_COUNT_LOW, PinTries::kFew},
      {CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY, PinTries::kLast},
      {CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED, PinTries::kBlocked}};
  for (const auto& [flags, tries] : cases) {
    TheProbe().token_flags = flags;
    EXPECT_EQ(backend_->DescribeSlowly()->pin_tries, tries);
    EXPECT_EQ(backend_->DescribeSlowly()->tries_left, 0u);
  }
}

TEST_F(Pkcs11FaultsTest, DoesNotTryABlockedPin) {
  ASSERT_TRUE(backend_->LockSlowly().ok());
  TheProbe().token_flags = CKF_USER_PIN_LOCKED;
  EXPECT_EQ(Unlock().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(TheProbe().Calls("C_Login"), 0);
}

TEST_F(Pkcs11FaultsTest, SaysWhenTheLastTryIsSpent) {
  for (const CK_FLAGS flags : {CK_FLAGS{0}, CK_FLAGS{CKF_USER_PIN_LOCKED}}) {
    ASSERT_TRUE(backend_->LockSlowly().ok());
    TheProbe().functions["C_Login"].when_called = [flags] { TheProbe().token_flags = flags; };
    TheProbe().Fail("C_Login", flags == 0 ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT);
    const absl::Status status = Unlock("00000000");
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status;
    EXPECT_THAT(Message(status), HasSubstr("PUK"));
  }
}

class Pkcs11EachTimeTest : public Pkcs11FaultsTest {
 protected:
  void SetUp() override {
    Pkcs11FaultsTest::SetUp();
    backend_->LockSlowly().IgnoreError();
    RawSession(SoftHsm::Module(), "alice", kPin)
        .GenerateKey(wire::Bytes{9}, "9C", CKA_ALWAYS_AUTHENTICATE, true);
    ASSERT_TRUE(Unlock().ok());
    const std::string uri = "pkcs11:id=%09";
    auto key = backend_->OpenKeySlowly(wire::Bytes(uri.begin(), uri.end()));
    ASSERT_TRUE(key.ok()) << key.status();
    key_ = *std::move(key);
    ASSERT_TRUE(Sign().ok());
    TheProbe().functions.clear();
  }
};

TEST_F(Pkcs11EachTimeTest, SignsWithThreeCallsAndALookAtTheToken) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Sign().ok());
  EXPECT_EQ(TheProbe().Calls("C_Login"), 3);
  EXPECT_EQ(TheProbe().AllCalls(), 12);
}

TEST_F(Pkcs11EachTimeTest, APinThatIsWrongNowIsTriedOnceAndNeverAgain) {
  TheProbe().Fail("C_Login", CKR_PIN_INCORRECT);
  EXPECT_EQ(Sign().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Sign().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(TheProbe().Calls("C_Login"), 1);
  ASSERT_TRUE(Unlock().ok());
  EXPECT_TRUE(Sign().ok());
}

TEST_F(Pkcs11EachTimeTest, TheLastTryIsLeftToAPerson) {
  TheProbe().token_flags = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
  EXPECT_EQ(Sign().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(TheProbe().Calls("C_Login"), 0);
}

class Pkcs11OldTriesTest : public Pkcs11EachTimeTest {
 protected:
  std::chrono::milliseconds TriesHold() const override { return std::chrono::milliseconds(0); }
};

TEST_F(Pkcs11OldTriesTest, AreAskedForBeforeTheKeptPinIsSent) {
  TheProbe().functions.clear();
  EXPECT_TRUE(Sign().ok());
  EXPECT_EQ(TheProbe().Calls("C_Initialize"), 1);
  EXPECT_EQ(TheProbe().Calls("C_Login"), 2);
}

TEST_F(Pkcs11OldTriesTest, ThatSomebodySpentAreNotFoundOutByTheLastOne) {
  // As OpenSC: only a module that was started anew tells.
  TheProbe().functions["C_Initialize"].when_called = [] {
    TheProbe().token_flags = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
  };
  const absl::Status status = Sign();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(Message(status), HasSubstr("only one PIN try is left"));
  EXPECT_EQ(TheProbe().Calls("C_Login"), 0);
  EXPECT_FALSE(backend_->HoldsPin());
}

TEST_F(Pkcs11EachTimeTest, ThePinGoesWithTheSession) {
  TheProbe().Fail("C_SignInit", CKR_DEVICE_REMOVED);
  EXPECT_EQ(Sign().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(TheProbe().Calls("C_Login"), 0);
}

struct Loss {
  const char* function;
  CK_RV rv;
};
class Pkcs11LossTest : public Pkcs11FaultsTest, public testing::WithParamInterface<Loss> {};

TEST_P(Pkcs11LossTest, OpensANewSessionAndAsksForAnUnlockWithoutTryingThePin) {
  TheProbe().Fail(GetParam().function, GetParam().rv);
  const absl::Status status = Sign();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(Message(status), HasSubstr("signet token unlock card --pin-stdin"));
  EXPECT_EQ(TheProbe().Calls("C_Login"), 0);
  ASSERT_TRUE(Unlock().ok());
  EXPECT_TRUE(Sign().ok());
}

INSTANTIATE_TEST_SUITE_P(Table, Pkcs11LossTest,
                         testing::Values(Loss{"C_SignInit", CKR_SESSION_HANDLE_INVALID},
                                         Loss{"C_SignInit", CKR_DEVICE_REMOVED},
                                         Loss{"C_Sign", CKR_TOKEN_NOT_PRESENT},
                                         Loss{"C_Sign", CKR_DEVICE_REMOVED},
                                         Loss{"C_Sign", CKR_SESSION_CLOSED},
                                         Loss{"C_SignInit", CKR_CRYPTOKI_NOT_INITIALIZED},
                                         Loss{"C_SignInit", CKR_USER_NOT_LOGGED_IN}));

TEST_F(Pkcs11FaultsTest, SeesThatTheTokenMayHaveGone) {
  EXPECT_FALSE(backend_->LookSlowly().value());
  TheProbe().Fail("C_GetSessionInfo", CKR_SESSION_HANDLE_INVALID);
  EXPECT_TRUE(backend_->LookSlowly().value());
  TheProbe().Fail("C_GetSlotList", CKR_GENERAL_ERROR);
  EXPECT_TRUE(backend_->LookSlowly().value());
  EXPECT_TRUE(backend_->LookSlowly().value());  // a slot with a token, where there was none
  EXPECT_FALSE(backend_->LookSlowly().value());
  EXPECT_TRUE(Sign().ok());
}

TEST_F(Pkcs11FaultsTest, DescribesTheTokenInANewSession) {
  TheProbe().Fail("C_GetSessionInfo", CKR_DEVICE_REMOVED);
  EXPECT_FALSE(Unlocked());
  EXPECT_EQ(TheProbe().Calls("C_OpenSession"), 1);
}

TEST_F(Pkcs11FaultsTest, GivesUpWhenTheNewSessionIsLostToo) {
  TheProbe().Fail("C_GetSessionInfo", CKR_DEVICE_REMOVED, 100);
  const absl::Status status = backend_->DescribeSlowly().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(Message(status), AllOf(HasSubstr("CKR_DEVICE_REMOVED"), HasSubstr("insert it")));
  EXPECT_EQ(TheProbe().Calls("C_GetSessionInfo"), 2);
}

TEST_F(Pkcs11FaultsTest, ATokenThatIsTakenAwayIsNotFound) {
  TheProbe().Fail("C_Sign", CKR_DEVICE_REMOVED);
  TheProbe().functions["C_Sign"].when_called = [this] { hsm_.RemoveToken("alice"); };
  const absl::Status status = Sign();
  EXPECT_EQ(status.code(), StatusCode::kNotFound) << status;
  EXPECT_THAT(Message(status), HasSubstr("\"alice\""));
  EXPECT_EQ(Sign().code(), StatusCode::kNotFound);
}

TEST_F(Pkcs11FaultsTest, ASignatureThatTheModuleLeavesHalfDoneStopsNoOther) {
  TheProbe().Fail("C_Sign", CKR_ARGUMENTS_BAD);
  EXPECT_FALSE(Sign().ok());
  EXPECT_TRUE(Sign().ok());
  EXPECT_EQ(TheProbe().Calls("C_OpenSession"), 1);
  EXPECT_EQ(TheProbe().Calls("C_CloseSession"), 1);
  EXPECT_TRUE(Unlocked());
}

TEST_F(Pkcs11FaultsTest, ASearchThatTheModuleLeavesHalfDoneStopsNoOther) {
  TheProbe().Fail("C_FindObjectsFinal", CKR_FUNCTION_FAILED);
  EXPECT_TRUE(backend_->OpenKeySlowly(reference_).ok());
  EXPECT_TRUE(Sign().ok());
  EXPECT_TRUE(Unlocked());
}

TEST_F(Pkcs11FaultsTest, AVagueFailureInALivingSessionKeepsTheLogin) {
  TheProbe().Fail("C_Sign", CKR_FUNCTION_FAILED);
  const absl::Status status = Sign();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(Message(status), HasSubstr("try once more"));
  EXPECT_TRUE(Unlocked());
}

TEST_F(Pkcs11FaultsTest, AVagueFailureInADeadSessionOpensANewOne) {
  TheProbe().Fail("C_SignInit", CKR_GENERAL_ERROR);
  TheProbe().Fail("C_GetSessionInfo", CKR_GENERAL_ERROR);
  EXPECT_EQ(Sign().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(TheProbe().Calls("C_Finalize"), 1);
  ASSERT_TRUE(Unlock().ok());
  EXPECT_TRUE(Sign().ok());
}

TEST_F(Pkcs11FaultsTest, FindsAKeyAgainWhoseHandleWentStale) {
  TheProbe().Fail("C_SignInit", CKR_KEY_HANDLE_INVALID);
  EXPECT_TRUE(Sign().ok());
  TheProbe().Fail("C_SignInit", CKR_OBJECT_HANDLE_INVALID, 100);
  EXPECT_EQ(Sign().code(), StatusCode::kNotFound);
}

TEST_F(Pkcs11FaultsTest, AForeignResetOfTheLoginIsNoticed) {
  TheProbe().Fail("C_SignInit", CKR_USER_NOT_LOGGED_IN);
  EXPECT_EQ(Sign().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Unlocked());  // in truth SoftHSM is still logged in
  EXPECT_TRUE(Sign().ok());
}

TEST_F(Pkcs11FaultsTest, LockLogsOutEvenIfTheModuleFailsTo) {
  TheProbe().Fail("C_Logout", CKR_FUNCTION_FAILED);
  EXPECT_TRUE(backend_->LockSlowly().ok());
  EXPECT_FALSE(Unlocked());
  EXPECT_EQ(Sign().code(), StatusCode::kFailedPrecondition);
}

TEST_F(Pkcs11FaultsTest, AModuleThatDoesNotStartSaysWhy) {
  key_.reset();
  backend_.reset();
  TheProbe().Fail("C_Initialize", CKR_GENERAL_ERROR);
  backend_ = MakePkcs11Backend({.name = "card", .module = SIGNET_PROBE_MODULE, .token = "alice"});
  const absl::Status status = backend_->DescribeSlowly().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(Message(status), HasSubstr("CKR_GENERAL_ERROR"));
  EXPECT_TRUE(backend_->DescribeSlowly().ok());  // later calls try again
}

TEST_F(Pkcs11FaultsTest, UnknownFailuresCarryTheirNumber) {
  TheProbe().Fail("C_Sign", CKR_VENDOR_DEFINED + 0x42);
  const absl::Status status = Sign();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(Message(status), HasSubstr("0x80000042"));
}

}  // namespace
}  // namespace signet::providers::pkcs11
