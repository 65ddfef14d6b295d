// Keys with a PIN (authorisation value), on a real TPM simulator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "providers/tpm2/command_log.h"
#include "providers/tpm2/signing_algorithm.h"
#include "providers/tpm2/swtpm_fixture.h"
#include "providers/tpm2/tpm2_backend.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using wire::Bytes;

constexpr char kPin[] = "correct horse";
constexpr auto kScheme = wire::SignatureScheme::kEcdsaSecp256r1Sha256;

class Tpm2PinTest : public testing::Test {
 protected:
  std::unique_ptr<Backend> OpenLocked(uint32_t parent = 0) {
    return Open(tpm_.tcti(), parent, /*auth=*/true);
  }
  static absl::Status Unlock(Backend& backend, const char* pin, const std::vector<Bytes>& keys,
                             bool last_try = false) {
    return backend.UnlockSlowly(*Pin::Copy(pin),
                                {.serial = {}, .keys = keys, .last_try = last_try});
  }
  // The reference of a new key.
  Bytes MakeKey(uint32_t parent = 0, KeyAlgorithm algorithm = KeyAlgorithm::kP256) {
    auto backend = OpenLocked(parent);
    EXPECT_TRUE(Unlock(*backend, kPin, {}).ok());
    return Create(*backend, algorithm).reference;
  }
  // How many failed tries the TPM counts.
  int FailedTries() {
    EXPECT_TRUE(RunTool(tpm_, "tpm2_getcap properties-variable"));
    const Bytes bytes = Read(tpm_.folder() + "/output");
    const std::string text(bytes.begin(), bytes.end());
    const size_t at = text.find("TPM2_PT_LOCKOUT_COUNTER: ");
    return at == std::string::npos ? -1 : std::stoi(text.substr(at + 25), nullptr, 16);
  }

  test::Swtpm tpm_;
};

TEST_F(Tpm2PinTest, AKeySignsOnceItsPinIsKnown) {
  const Bytes reference = MakeKey();
  auto backend = OpenLocked();
  auto state = backend->DescribeSlowly();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->needs_pin);
  EXPECT_FALSE(state->unlocked);
  auto key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok()) << key.status();
  const absl::Status locked = (*key)->SignSlowly(kScheme, kMessage).status();
  EXPECT_EQ(locked.code(), StatusCode::kFailedPrecondition) << locked;
  EXPECT_THAT(std::string(locked.message()), HasSubstr("signet token unlock tpm2"));

  ASSERT_TRUE(Unlock(*backend, kPin, {reference}).ok());
  EXPECT_TRUE(backend->DescribeSlowly()->unlocked);
  EXPECT_TRUE(Signs(**key));
  ASSERT_TRUE(backend->LockSlowly().ok());
  EXPECT_FALSE((*key)->SignSlowly(kScheme, kMessage).ok());
}

TEST_F(Tpm2PinTest, KeysUnderAPersistentParentHaveOneToo) {
  ASSERT_TRUE(MakePersistentParent(tpm_));
  const Bytes reference = MakeKey(kPersistentParent, KeyAlgorithm::kP384);
  auto backend = OpenLocked(kPersistentParent);
  ASSERT_TRUE(Unlock(*backend, kPin, {reference}).ok());
  auto key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(Signs(**key));
}

TEST_F(Tpm2PinTest, AWrongPinSpendsOneTryAndIsForgotten) {
  const Bytes reference = MakeKey();
  // However slow this machine is, no try comes back meanwhile.
  ASSERT_TRUE(RunTool(tpm_, "tpm2_dictionarylockout -s -n 32 -t 1000 -l 1000"));
  const int before = FailedTries();
  auto backend = OpenLocked();
  const absl::StatusOr<TokenState> unspent = backend->DescribeSlowly();
  EXPECT_EQ(unspent->pin_tries, PinTries::kAll);
  const absl::Status wrong = Unlock(*backend, "wrong horse", {reference, reference});
  EXPECT_EQ(wrong.code(), StatusCode::kPermissionDenied) << wrong;
  EXPECT_THAT(std::string(wrong.message()),
              AllOf(HasSubstr("wrong PIN"), HasSubstr("tries are left"), Not(HasSubstr("horse"))));
  const absl::StatusOr<TokenState> state = backend->DescribeSlowly();
  EXPECT_FALSE(state->unlocked);
  EXPECT_NE(state->pin_tries, PinTries::kAll);
  EXPECT_EQ(state->tries_left, unspent->tries_left - 1);
  auto key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ((*key)->SignSlowly(kScheme, kMessage).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(FailedTries(), before + 1);
  EXPECT_TRUE(Unlock(*backend, kPin, {reference}).ok());
  EXPECT_TRUE(Signs(**key));
  EXPECT_EQ(FailedTries(), before + 1);
}

TEST_F(Tpm2PinTest, InLockoutTheRightOneIsRefusedToo) {
  const Bytes reference = MakeKey();
  ASSERT_TRUE(RunTool(tpm_, "tpm2_dictionarylockout -s -n 1 -t 100 -l 100"));
  auto backend = OpenLocked();
  EXPECT_EQ(backend->DescribeSlowly()->pin_tries, PinTries::kLast);
  const absl::Status kept = Unlock(*backend, "wrong", {reference});
  EXPECT_EQ(kept.code(), StatusCode::kFailedPrecondition) << kept;
  EXPECT_EQ(backend->DescribeSlowly()->tries_left, 1u);
  const absl::Status spent = Unlock(*backend, "wrong", {reference}, /*last_try=*/true);
  EXPECT_EQ(spent.code(), StatusCode::kPermissionDenied) << spent;
  EXPECT_EQ(backend->DescribeSlowly()->pin_tries, PinTries::kBlocked);
  const absl::Status locked_out = Unlock(*backend, kPin, {reference});
  EXPECT_EQ(locked_out.code(), StatusCode::kResourceExhausted) << locked_out;
  EXPECT_THAT(std::string(locked_out.message()), HasSubstr("every 100 s"));
}

TEST_F(Tpm2PinTest, AKeyOfAnotherPinDoesNotGetTheLastTry) {
  auto other = OpenLocked();
  ASSERT_TRUE(Unlock(*other, "another horse", {}).ok());
  const Bytes foreign = Create(*other).reference;
  other.reset();
  const Bytes reference = MakeKey();
  auto backend = OpenLocked();
  ASSERT_TRUE(Unlock(*backend, kPin, {reference}).ok());
  auto key = backend->OpenKeySlowly(reference);
  auto foreign_key = backend->OpenKeySlowly(foreign);
  ASSERT_TRUE(key.ok() && foreign_key.ok());
  ASSERT_TRUE(Signs(**key));
  ASSERT_TRUE(RunTool(tpm_, "tpm2_dictionarylockout -s -n " + std::to_string(FailedTries() + 1) +
                                " -t 1000 -l 1000"));
  const int before = FailedTries();
  EXPECT_EQ((*foreign_key)->SignSlowly(kScheme, kMessage).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(FailedTries(), before);
  EXPECT_TRUE(Signs(**key));  // which has proved its PIN
}

TEST_F(Tpm2PinTest, LoadedAKeySignsWithOneCommand) {
  const Bytes reference = MakeKey();
  CommandLog log(tpm_.folder(), tpm_.tcti());
  auto backend = Open(log.tcti(), 0, /*auth=*/true);
  ASSERT_TRUE(Unlock(*backend, kPin, {reference}).ok());
  auto key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok());
  ASSERT_TRUE(Signs(**key));
  log.Take();
  ASSERT_TRUE(Signs(**key));
  EXPECT_THAT(log.Take(), ElementsAre(TPM2_CC_Sign));
}

TEST_F(Tpm2PinTest, TheBusShowsNeitherThePinNorWhatIsSigned) {
  const auto traffic = [&](bool auth) {  // with what was recorded before
    CommandLog log(tpm_.folder(), tpm_.tcti());
    auto backend = Open(log.tcti(), 0, auth);
    EXPECT_TRUE(Unlock(*backend, kPin, {}).ok());
    EXPECT_TRUE(Signs(*Create(*backend).key));
    return Read(tpm_.folder() + "/commands.pcapng");
  };
  const auto holds = [](const Bytes& bytes, const Bytes& part) {
    return std::search(bytes.begin(), bytes.end(), part.begin(), part.end()) != bytes.end();
  };
  const std::string pin = kPin;
  const TPM2B_DIGEST hash = Digest({kScheme, TPM2_ALG_ECDSA, TPM2_ALG_SHA256, "SHA256"}, kMessage);
  const Bytes digest(hash.buffer, hash.buffer + hash.size);
  // TPM2_StartAuthSession and the key that its salt is for: a transient one.
  const Bytes salted = {0, 0, 1, 0x76, 0x80};

  const Bytes with_pin = traffic(true);
  EXPECT_TRUE(holds(with_pin, salted));
  EXPECT_FALSE(holds(with_pin, digest));
  EXPECT_FALSE(holds(with_pin, Bytes(pin.begin(), pin.end())));
  EXPECT_TRUE(holds(traffic(false), digest));  // or the test sees none
}

TEST_F(Tpm2PinTest, SurvivesARestartOfTheTpm) {
  const Bytes reference = MakeKey();
  auto backend = OpenLocked();
  ASSERT_TRUE(Unlock(*backend, kPin, {reference}).ok());
  auto key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok());
  EXPECT_TRUE(Signs(**key));
  tpm_.PowerCycle();
  EXPECT_TRUE(Signs(**key));
  tpm_.Stop();
  EXPECT_FALSE((*key)->SignSlowly(kScheme, kMessage).ok());
  tpm_.Start();
  EXPECT_TRUE(Signs(**key));
}

TEST_F(Tpm2PinTest, ASessionThatSomebodyFlushedIsStartedAgain) {
  const Bytes reference = MakeKey();
  auto backend = OpenLocked();
  ASSERT_TRUE(Unlock(*backend, kPin, {reference}).ok());
  auto key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok());
  ASSERT_TRUE(Signs(**key));
  const uint8_t flush[] = {0x80, 0x01, 0, 0, 0, 14, 0, 0, 0x01, 0x65, 0x02, 0, 0, 0};
  tpm_.Execute(flush);
  EXPECT_TRUE(Signs(**key));
}

TEST_F(Tpm2PinTest, LeavesNothingInTheTpm) {
  MakeKey();
  {
    const Bytes reference = MakeKey();
    auto backend = OpenLocked();
    ASSERT_TRUE(Unlock(*backend, kPin, {reference}).ok());
  }
  for (const char* kind :
       {"handles-loaded-session", "handles-saved-session", "handles-transient"}) {
    ASSERT_TRUE(RunTool(tpm_, std::string("tpm2_getcap ") + kind));
    EXPECT_EQ(Read(tpm_.folder() + "/output").size(), 0u) << kind;
  }
}

TEST_F(Tpm2PinTest, UnderAnotherParentThePinIsNotUsed) {
  const Bytes reference = MakeKey();
  const int before = FailedTries();
  ASSERT_TRUE(RunTool(tpm_, "tpm2_clear"));
  auto backend = OpenLocked();
  const absl::Status other = Unlock(*backend, kPin, {reference});
  EXPECT_EQ(other.code(), StatusCode::kInvalidArgument) << other;
  EXPECT_THAT(std::string(other.message()), HasSubstr("parent is another"));
  backend.reset();
  EXPECT_LE(FailedTries(), before);
}

TEST_F(Tpm2PinTest, AKeyWithoutOneNeedsNone) {
  auto without = Open(tpm_.tcti());
  const Bytes reference = Create(*without).reference;
  without.reset();
  auto backend = OpenLocked();
  auto key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(Signs(**key));
}

TEST_F(Tpm2PinTest, RefusesWhatCantBe) {
  auto backend = OpenLocked();
  EXPECT_THAT(backend->DescribeSlowly()->algorithms,
              Not(testing::Contains(KeyAlgorithm::kRsa2048)));
  EXPECT_EQ(backend->CreateKeySlowly("x", KeyAlgorithm::kP256).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(Unlock(*backend, std::string(33, 'x').c_str(), {}).code(),
            StatusCode::kInvalidArgument);
  EXPECT_FALSE(backend->DescribeSlowly()->unlocked);
}

TEST_F(Tpm2PinTest, OtherProgramsUseTheKeyWithThePin) {
  Write(tpm_.folder() + "/key.pem", MakeKey());
  EXPECT_TRUE(
      RunTool(tpm_,
              "openssl pkeyutl -provider tpm2 -provider default -sign -rawin -digest sha256 "
              "-inkey key.pem -passin 'pass:correct horse' -in /etc/hostname -out signature"));
  EXPECT_FALSE(
      RunTool(tpm_,
              "openssl pkeyutl -provider tpm2 -provider default -sign -rawin -digest "
              "sha256 -inkey key.pem -passin pass:wrong -in /etc/hostname -out signature"));
}

}  // namespace
}  // namespace signet::providers
