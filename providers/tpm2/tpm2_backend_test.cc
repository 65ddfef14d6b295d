#include "providers/tpm2/tpm2_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "providers/contract/signature_check.h"
#include "providers/tpm2/command_log.h"
#include "providers/tpm2/swtpm_fixture.h"
#include "providers/tpm2/tss2_private_key.h"
#include "tests/support/swtpm.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using wire::Bytes;

constexpr wire::SignatureScheme kScheme = wire::SignatureScheme::kEcdsaSecp256r1Sha256;
// Not `dgst`, which takes the default provider's ECDSA even for keys that tpm2-openssl made.
constexpr char kSignWithTpm2OpenSsl[] =
    "openssl pkeyutl -provider tpm2 -provider default -sign -rawin -digest sha256 "
    "-inkey key.pem -in message -out signature";

// The ecosystem's key file.

TEST(Tpm2Backend, KeyLoadsAndSignsInTpm2OpenSsl) {
  test::Swtpm tpm;
  Bytes public_key;
  {
    std::unique_ptr<Backend> backend = Open(tpm.tcti());
    CreatedKey created = Create(*backend);
    ASSERT_NE(created.key, nullptr);
    public_key = created.key->public_key();
    Write(tpm.folder() + "/key.pem", created.reference);
  }
  Write(tpm.folder() + "/message", kMessage);
  ASSERT_TRUE(RunTool(tpm, kSignWithTpm2OpenSsl));
  EXPECT_TRUE(SignatureHolds(public_key, kScheme, kMessage, Read(tpm.folder() + "/signature")));
  ASSERT_TRUE(RunTool(tpm,
                      "openssl pkey -provider tpm2 -provider default -in key.pem -pubout "
                      "-outform DER -out public.der"));
  EXPECT_EQ(Read(tpm.folder() + "/public.der"), public_key);
}

TEST(Tpm2Backend, OpensAKeyThatTpm2OpenSslMade) {
  test::Swtpm tpm;
  ASSERT_TRUE(RunTool(tpm,
                      "openssl genpkey -provider tpm2 -provider default -algorithm EC "
                      "-pkeyopt group:P-256 -out key.pem"));
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  absl::StatusOr<std::unique_ptr<Key>> key =
      backend->OpenKeySlowly(Read(tpm.folder() + "/key.pem"));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(Signs(**key));
}

TEST(Tpm2Backend, RefusesAKeyOfAnotherTpm) {
  test::Swtpm tpm;
  test::Swtpm other;
  const Bytes reference = Create(*Open(other.tcti())).reference;
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  absl::Status status = backend->OpenKeySlowly(reference).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("another TPM's"));
  // But removing it needs no TPM at all.
  EXPECT_TRUE(backend->RemoveKeySlowly(reference).ok());
}

TEST(Tpm2Backend, RefusesKeyFilesThatWereChanged) {
  test::Swtpm tpm;
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  absl::StatusOr<Tss2PrivateKey> good = ParseTss2PrivateKey(Create(*backend).reference);
  absl::StatusOr<Tss2PrivateKey> other = ParseTss2PrivateKey(Create(*backend).reference);
  ASSERT_TRUE(good.ok() && other.ok());
  const struct {
    const char* what;
    StatusCode code;
    std::function<void(Tss2PrivateKey&)> change;
  } cases[] = {
      {"nothing", StatusCode::kOk, [](Tss2PrivateKey&) {}},
      {"another key's public area", StatusCode::kInvalidArgument,
       [&](Tss2PrivateKey& key) { key.public_area = other->public_area; }},
      {"a bit of the private area", StatusCode::kInvalidArgument,
       [](Tss2PrivateKey& key) { key.private_area.buffer[60] ^= 1; }},
      {"a private area cut short", StatusCode::kInvalidArgument,
       [](Tss2PrivateKey& key) { key.private_area.size = 20; }},
      {"no private area", StatusCode::kInvalidArgument,
       [](Tss2PrivateKey& key) { key.private_area.size = 0; }},
      {"attributes", StatusCode::kInvalidArgument,
       [](Tss2PrivateKey& key) {
         key.public_area.publicArea.objectAttributes &= ~TPMA_OBJECT_NODA;
       }},
      {"a point off the curve", StatusCode::kInvalidArgument,
       [](Tss2PrivateKey& key) { key.public_area.publicArea.unique.ecc.x.buffer[3] ^= 1; }},
      {"a coordinate too long", StatusCode::kInvalidArgument,
       [](Tss2PrivateKey& key) { key.public_area.publicArea.unique.ecc.y.size = 40; }},
      {"no point", StatusCode::kInvalidArgument,
       [](Tss2PrivateKey& key) {
         key.public_area.publicArea.unique.ecc.x.size = 0;
         key.public_area.publicArea.unique.ecc.y.size = 0;
       }},
      {"the curve", StatusCode::kInvalidArgument,
       [](Tss2PrivateKey& key) {
         key.public_area.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P384;
       }},
      {"the curve to one that Signet does not use", StatusCode::kUnimplemented,
       [](Tss2PrivateKey& key) {
         key.public_area.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P521;
       }},
      {"to a restricted key", StatusCode::kUnimplemented,
       [](Tss2PrivateKey& key) {
         key.public_area.publicArea.objectAttributes |= TPMA_OBJECT_RESTRICTED;
       }},
      {"to a decryption key", StatusCode::kUnimplemented,
       [](Tss2PrivateKey& key) {
         key.public_area.publicArea.objectAttributes ^=
             TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_DECRYPT;
       }},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    Tss2PrivateKey key = *good;
    test.change(key);
    absl::StatusOr<Bytes> reference = EncodeTss2PrivateKey(key);
    ASSERT_TRUE(reference.ok()) << reference.status();
    absl::Status status = backend->OpenKeySlowly(*reference).status();
    EXPECT_EQ(status.code(), test.code) << status;
  }
}

// Parents.

TEST(Tpm2Backend, KeysUnderAPersistentParentSignAndLoadInTpm2OpenSsl) {
  test::Swtpm tpm;
  ASSERT_TRUE(MakePersistentParent(tpm));
  std::unique_ptr<Backend> backend = Open(tpm.tcti(), kPersistentParent);
  CreatedKey created = Create(*backend);
  ASSERT_NE(created.key, nullptr);
  EXPECT_TRUE(Signs(*created.key));
  Write(tpm.folder() + "/key.pem", created.reference);
  Write(tpm.folder() + "/message", kMessage);
  EXPECT_TRUE(RunTool(tpm, kSignWithTpm2OpenSsl));
  // The reference names its parent: a backend configured otherwise opens it too.
  created.key.reset();
  backend = Open(tpm.tcti());
  absl::StatusOr<std::unique_ptr<Key>> key = backend->OpenKeySlowly(created.reference);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(Signs(**key));
}

TEST(Tpm2Backend, AMissingParentIsNotFound) {
  test::Swtpm tpm;
  std::unique_ptr<Backend> backend = Open(tpm.tcti(), kPersistentParent);
  absl::Status status = backend->CreateKeySlowly("test", KeyAlgorithm::kP256).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("0x81000001"));
}

TEST(Tpm2Backend, RefusesAParentThatIsNotPersistent) {
  for (uint32_t parent : {0x40000001u, 0x80000000u, 0x80ffffffu, 0x82000000u, 1u}) {
    absl::Status status = MakeTpm2Backend({.name = "tpm2", .tcti = "", .parent = parent}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
  }
}

// Economy: a TPM takes a tenth of a second for what swtpm does in a millisecond.

TEST(Tpm2Backend, ALoadedKeySignsWithOneCommand) {
  test::Swtpm tpm;
  CommandLog log(tpm.folder(), tpm.tcti());
  std::unique_ptr<Backend> backend = Open(log.tcti());
  ASSERT_TRUE(backend->DescribeSlowly().ok());  // asks once what the TPM can do
  log.Take();
  CreatedKey created = Create(*backend);
  ASSERT_NE(created.key, nullptr);
  EXPECT_THAT(log.Take(), ElementsAre(TPM2_CC_CreatePrimary, TPM2_CC_Create, TPM2_CC_FlushContext,
                                      TPM2_CC_CreatePrimary, TPM2_CC_Load, TPM2_CC_FlushContext));
  EXPECT_TRUE(Signs(*created.key));
  EXPECT_THAT(log.Take(), ElementsAre(TPM2_CC_Sign));
  created.key.reset();
  EXPECT_THAT(log.Take(), ElementsAre(TPM2_CC_FlushContext));
  backend.reset();
  EXPECT_THAT(log.Take(), IsEmpty());
}

TEST(Tpm2Backend, TheFirstSignatureAfterAStartTakesFourCommands) {
  test::Swtpm tpm;
  Bytes reference = Create(*Open(tpm.tcti())).reference;
  CommandLog log(tpm.folder(), tpm.tcti());
  std::unique_ptr<Backend> backend = Open(log.tcti());
  absl::StatusOr<std::unique_ptr<Key>> key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(Signs(**key));
  EXPECT_THAT(log.Take(),
              ElementsAre(TPM2_CC_CreatePrimary, TPM2_CC_Load, TPM2_CC_FlushContext, TPM2_CC_Sign));
}

TEST(Tpm2Backend, APersistentParentSavesACommand) {
  test::Swtpm tpm;
  ASSERT_TRUE(MakePersistentParent(tpm));
  Bytes reference = Create(*Open(tpm.tcti(), kPersistentParent)).reference;
  CommandLog log(tpm.folder(), tpm.tcti());
  std::unique_ptr<Backend> backend = Open(log.tcti(), kPersistentParent);
  absl::StatusOr<std::unique_ptr<Key>> key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(Signs(**key));
  EXPECT_THAT(log.Take(), ElementsAre(TPM2_CC_ReadPublic, TPM2_CC_Load, TPM2_CC_Sign));
}

TEST(Tpm2Backend, TheKeyUsedLongestAgoMakesPlace) {
  test::Swtpm tpm;
  CommandLog log(tpm.folder(), tpm.tcti());
  std::unique_ptr<Backend> backend = Open(log.tcti());
  CreatedKey first = Create(*backend);
  CreatedKey second = Create(*backend);
  CreatedKey third = Create(*backend);
  EXPECT_TRUE(Signs(*first.key));
  EXPECT_TRUE(Signs(*second.key));
  EXPECT_TRUE(Signs(*first.key));
  EXPECT_TRUE(Signs(*third.key));  // three slots: the parent needs one, so `second` goes
  log.Take();
  EXPECT_TRUE(Signs(*first.key));
  EXPECT_TRUE(Signs(*third.key));
  EXPECT_THAT(log.Take(), ElementsAre(TPM2_CC_Sign, TPM2_CC_Sign));
}

TEST(Tpm2Backend, LeavesNothingInTheTpm) {
  test::Swtpm tpm;
  {
    std::unique_ptr<Backend> backend = Open(tpm.tcti());
    CreatedKey created = Create(*backend);
    EXPECT_TRUE(Signs(*created.key));
  }
  ASSERT_TRUE(RunTool(tpm, "tpm2_getcap handles-transient"));
  EXPECT_THAT(Read(tpm.folder() + "/output"), IsEmpty());
}

// TPMs that go away.

TEST(Tpm2Backend, SignsOnAfterTheTpmWasRestarted) {
  test::Swtpm tpm;
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  CreatedKey first = Create(*backend);
  CreatedKey second = Create(*backend);
  EXPECT_TRUE(Signs(*first.key));
  EXPECT_TRUE(Signs(*second.key));
  tpm.PowerCycle();
  EXPECT_TRUE(Signs(*first.key));
  EXPECT_TRUE(Signs(*second.key));
  tpm.Stop();
  tpm.Start();
  EXPECT_TRUE(Signs(*second.key));
  EXPECT_TRUE(Signs(*first.key));
}

TEST(Tpm2Backend, StartsATpmThatNobodyStarts) {
  test::Swtpm tpm;
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  CreatedKey created = Create(*backend);
  EXPECT_TRUE(Signs(*created.key));
  tpm.PowerCycleWithoutStartup();
  EXPECT_TRUE(Signs(*created.key));
}

TEST(Tpm2Backend, SignsOnAfterTheTpmWasKilled) {
  test::Swtpm tpm;
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  CreatedKey created = Create(*backend);
  EXPECT_TRUE(Signs(*created.key));
  for (int i = 0; i < 3; ++i) {
    tpm.Kill();
    absl::Status status = created.key->SignSlowly(kScheme, kMessage).status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("tpm2: sign: connect to swtpm:path="));
    tpm.Start();
    EXPECT_TRUE(Signs(*created.key));
  }
}

TEST(Tpm2Backend, ATpmAbsentAtFirstWorksOnceItIsThere) {
  test::Swtpm tpm;
  Bytes reference = Create(*Open(tpm.tcti())).reference;
  tpm.Stop();
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  for (const absl::Status& status :
       {backend->DescribeSlowly().status(), backend->OpenKeySlowly(reference).status(),
        backend->CreateKeySlowly("test", KeyAlgorithm::kP256).status()}) {
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("is the TPM there"));
  }
  tpm.Start();
  absl::StatusOr<TokenState> state = backend->DescribeSlowly();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->label, "IBM");
  EXPECT_TRUE(state->hardware);
  absl::StatusOr<std::unique_ptr<Key>> key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(Signs(**key));
}

TEST(Tpm2Backend, AnUnknownTctiIsUnavailable) {
  absl::Status status = Open("no-such-tcti:x")->DescribeSlowly().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("no-such-tcti:x"));
}

// TPMs shared without a resource manager.

// As signet-backend does when it is killed: the key stays in the TPM.
void SignInAProcessThatIsKilled(const std::string& tcti, const Bytes& reference) {
  const pid_t child = fork();
  if (child == 0) {
    const std::unique_ptr<Backend> backend = Open(tcti);
    const absl::StatusOr<std::unique_ptr<Key>> key = backend->OpenKeySlowly(reference);
    _exit(key.ok() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
}

TEST(Tpm2Backend, MakesRoomWhenItsKilledPredecessorsLeftTheTpmFull) {
  test::Swtpm tpm;
  const Bytes reference = Create(*Open(tpm.tcti())).reference;
  for (int i = 0; i < 3; ++i) SignInAProcessThatIsKilled(tpm.tcti(), reference);
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  absl::StatusOr<std::unique_ptr<Key>> key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(Signs(**key));
}

TEST(Tpm2Backend, LeavesWhatOthersLoadedAndSaysHowToMakeRoom) {
  test::Swtpm tpm;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(RunTool(tpm, "tpm2_createprimary -C n -c left.ctx"));
  }
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  const absl::Status full = backend->CreateKeySlowly("test", KeyAlgorithm::kP256).status();
  EXPECT_EQ(full.code(), StatusCode::kUnavailable) << full;
  EXPECT_THAT(std::string(full.message()), HasSubstr("tpm2_flushcontext -t"));
  ASSERT_TRUE(RunTool(tpm, "tpm2_getcap handles-transient"));
  const Bytes handles = Read(tpm.folder() + "/output");
  EXPECT_EQ(std::ranges::count(handles, '\n'), 3);
  ASSERT_TRUE(RunTool(tpm, "tpm2_flushcontext -t"));
  EXPECT_NE(Create(*backend).key, nullptr);
}

TEST(Tpm2Backend, NeverReturnsTheSignatureOfAKeyThatTookTheHandle) {
  test::Swtpm tpm;
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  CommandLog log(tpm.folder(), tpm.tcti());
  std::unique_ptr<Backend> other = Open(log.tcti());
  CreatedKey ours = Create(*backend);
  CreatedKey theirs = Create(*other);
  EXPECT_TRUE(Signs(*ours.key));
  tpm.PowerCycle();
  EXPECT_TRUE(Signs(*theirs.key));  // now has the handle that ours had
  EXPECT_TRUE(Signs(*ours.key));
  // Nor was theirs flushed when ours let go of the handle.
  log.Take();
  EXPECT_TRUE(Signs(*theirs.key));
  EXPECT_THAT(log.Take(), ElementsAre(TPM2_CC_Sign));
}

}  // namespace
}  // namespace signet::providers
