// On real SoftHSM tokens: what the contract does not know of PKCS#11.
#include "providers/pkcs11/pkcs11_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "providers/contract/signature_check.h"
#include "providers/pkcs11/raw_session.h"
#include "tests/support/softhsm.h"
#include "tests/support/softhsm_leaks.h"

namespace signet::providers::pkcs11 {
namespace {

using absl::StatusCode;
using test::SoftHsm;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using wire::SignatureScheme;

const std::string kPin(SoftHsm::kPin);

wire::Bytes ToBytes(std::string_view text) { return wire::Bytes(text.begin(), text.end()); }
std::string ToText(const wire::Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); }
std::string Message(const absl::Status& status) { return std::string(status.message()); }

class Pkcs11BackendTest : public testing::Test {
 protected:
  Pkcs11BackendTest() { hsm_.AddToken("alice"); }

  std::unique_ptr<Backend> OpenLocked(const std::string& token = "alice") {
    return MakePkcs11Backend({.name = "card", .module = SoftHsm::Module(), .token = token});
  }
  std::unique_ptr<Backend> Open(const std::string& token = "alice") {
    auto backend = OpenLocked(token);
    const absl::Status status = backend->UnlockSlowly(*Pin::Copy(kPin), {});
    EXPECT_TRUE(status.ok()) << status;
    return backend;
  }
  RawSession Raw() { return RawSession(SoftHsm::Module(), "alice", kPin); }

  static void GenerateWithPkcs11Tool(const std::string& type, const std::string& id,
                                     const std::string& label) {
    const std::string command = "pkcs11-tool --module '" + SoftHsm::Module() +
                                "' --token-label alice --login --pin " + kPin +
                                " --keypairgen --key-type " + type + " --id " + id + " --label '" +
                                label + "' >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << "install the package opensc";
  }

  static void ExpectSigns(Key& key) {
    const wire::Bytes message = ToBytes("message");
    for (const SignatureScheme scheme : key.schemes()) {
      auto signature = key.SignSlowly(scheme, message);
      ASSERT_TRUE(signature.ok()) << signature.status();
      EXPECT_TRUE(SignatureHolds(key.public_key(), scheme, message, *signature));
    }
  }

  SoftHsm hsm_;
};

TEST_F(Pkcs11BackendTest, OffersWhatTheTokenMakes) {
  auto state = OpenLocked()->DescribeSlowly();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->label, "alice");
  EXPECT_THAT(
      state->algorithms,
      testing::ElementsAre(KeyAlgorithm::kP256, KeyAlgorithm::kP384, KeyAlgorithm::kP521,
                           KeyAlgorithm::kRsa2048, KeyAlgorithm::kRsa3072, KeyAlgorithm::kEd25519));
}

TEST_F(Pkcs11BackendTest, MakesKeysThatNeverLeaveTheToken) {
  ASSERT_TRUE(Open()->CreateKeySlowly("laptop", KeyAlgorithm::kP256).ok());
  RawSession raw = Raw();
  EXPECT_TRUE(raw.Bool(CKO_PRIVATE_KEY, CKA_SENSITIVE));
  EXPECT_TRUE(raw.Bool(CKO_PRIVATE_KEY, CKA_ALWAYS_SENSITIVE));
  EXPECT_TRUE(raw.Bool(CKO_PRIVATE_KEY, CKA_NEVER_EXTRACTABLE));
  EXPECT_TRUE(raw.Bool(CKO_PRIVATE_KEY, CKA_PRIVATE));
  EXPECT_TRUE(raw.Bool(CKO_PRIVATE_KEY, CKA_TOKEN));
  EXPECT_EQ(raw.Attribute(CKO_PRIVATE_KEY, CKA_LABEL), ToBytes("laptop"));
  EXPECT_EQ(raw.Attribute(CKO_PRIVATE_KEY, CKA_ID).size(), 16u);
  EXPECT_EQ(raw.Attribute(CKO_PRIVATE_KEY, CKA_ID), raw.Attribute(CKO_PUBLIC_KEY, CKA_ID));
}

TEST_F(Pkcs11BackendTest, RefersToKeysByUri) {
  auto backend = Open();
  auto created = backend->CreateKeySlowly("laptop", KeyAlgorithm::kP256);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_THAT(ToText(created->reference),
              AllOf(StartsWith("pkcs11:"), HasSubstr("token=alice"), HasSubstr("serial="),
                    HasSubstr("id=%"), HasSubstr("type=private"), Not(HasSubstr("laptop"))));
}

TEST_F(Pkcs11BackendTest, RemovesBothHalves) {
  auto backend = Open();
  auto created = backend->CreateKeySlowly("laptop", KeyAlgorithm::kP256);
  ASSERT_TRUE(created.ok());
  ASSERT_TRUE(backend->RemoveKeySlowly(created->reference).ok());
  backend.reset();
  RawSession raw = Raw();
  EXPECT_EQ(raw.Count(CKO_PRIVATE_KEY), 0u);
  EXPECT_EQ(raw.Count(CKO_PUBLIC_KEY), 0u);
}

TEST_F(Pkcs11BackendTest, KeysThatItCantUseHideNoOthers) {
  GenerateWithPkcs11Tool("rsa:1024", "01", "short");
  GenerateWithPkcs11Tool("EC:secp256k1", "02", "other curve");
  Raw().GenerateKey(wire::Bytes{2}, "even");
  auto backend = Open();
  auto created = backend->CreateKeySlowly("laptop", KeyAlgorithm::kP256);
  ASSERT_TRUE(created.ok()) << created.status();
  ExpectSigns(*created->key);

  auto even = backend->OpenKeySlowly(ToBytes("pkcs11:id=%02;object=even;type=private"));
  ASSERT_TRUE(even.ok()) << even.status();
  ExpectSigns(**even);

  const absl::Status odd = backend->OpenKeySlowly(ToBytes("pkcs11:id=%01;type=private")).status();
  EXPECT_EQ(odd.code(), StatusCode::kUnimplemented) << odd;
}

TEST_F(Pkcs11BackendTest, SignsWithKeysThatOtherToolsMade) {
  const test::IgnoreSoftHsmLeaks ignore_leaks;
  GenerateWithPkcs11Tool("rsa:2048", "01", "rsa");
  GenerateWithPkcs11Tool("EC:edwards25519", "02", "edwards");
  GenerateWithPkcs11Tool("EC:secp384r1", "03", "curve");
  auto backend = Open();
  for (const char* uri : {"pkcs11:object=rsa", "pkcs11:object=edwards", "pkcs11:object=curve"}) {
    SCOPED_TRACE(uri);
    auto key = backend->OpenKeySlowly(ToBytes(uri));
    ASSERT_TRUE(key.ok()) << key.status();
    ExpectSigns(**key);
  }
}

TEST_F(Pkcs11BackendTest, TwoKeysWithOneIdAreToldApartByTheirLabel) {
  const test::IgnoreSoftHsmLeaks ignore_leaks;
  GenerateWithPkcs11Tool("EC:edwards25519", "01", "edwards");
  Raw().GenerateKey(wire::Bytes{1}, "curve");
  auto backend = Open();
  const absl::Status both = backend->OpenKeySlowly(ToBytes("pkcs11:id=%01")).status();
  EXPECT_EQ(both.code(), StatusCode::kInvalidArgument) << both;
  for (const char* uri : {"pkcs11:id=%01;object=edwards", "pkcs11:id=%01;object=curve"}) {
    auto key = backend->OpenKeySlowly(ToBytes(uri));
    ASSERT_TRUE(key.ok()) << key.status();
    ExpectSigns(**key);
  }
}

TEST_F(Pkcs11BackendTest, TakesKeysOfOtherToolsByLabel) {
  {
    RawSession raw = Raw();
    raw.GenerateKey(wire::Bytes{1}, "mine");
    raw.GenerateKey(wire::Bytes{2}, "twice");
    raw.GenerateKey(wire::Bytes{3}, "twice");
  }
  auto backend = Open();
  auto key = backend->OpenKeySlowly(ToBytes("pkcs11:token=alice;object=mine;type=private"));
  ASSERT_TRUE(key.ok()) << key.status();
  ExpectSigns(**key);
  const absl::Status twice =
      backend->OpenKeySlowly(ToBytes("pkcs11:token=alice;object=twice")).status();
  EXPECT_EQ(twice.code(), StatusCode::kInvalidArgument) << twice;
}

TEST_F(Pkcs11BackendTest, SignsWithKeysThatWantThePinEachTime) {
  {
    RawSession raw = Raw();
    raw.GenerateKey(wire::Bytes{1}, "9C", CKA_ALWAYS_AUTHENTICATE, true);
  }
  auto backend = Open();
  auto key = backend->OpenKeySlowly(ToBytes("pkcs11:id=%01"));
  ASSERT_TRUE(key.ok()) << key.status();
  for (int i = 0; i < 3; ++i) ExpectSigns(**key);
  ASSERT_TRUE(backend->LockSlowly().ok());
  const absl::Status locked =
      (*key)->SignSlowly(SignatureScheme::kEcdsaSecp256r1Sha256, ToBytes("message")).status();
  EXPECT_EQ(locked.code(), StatusCode::kFailedPrecondition);
}

TEST_F(Pkcs11BackendTest, SendsAPinToNoOtherTokenThanItIsFor) {
  auto backend = OpenLocked();
  auto state = backend->DescribeSlowly();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->serial.size(), 16u);
  const absl::Status other =
      backend->UnlockSlowly(*Pin::Copy(kPin), {.serial = "4711", .keys = {}});
  EXPECT_EQ(other.code(), StatusCode::kNotFound) << other;
  EXPECT_THAT(Message(other), HasSubstr("no PIN was sent"));
  EXPECT_FALSE(backend->DescribeSlowly()->unlocked);
  EXPECT_TRUE(backend->UnlockSlowly(*Pin::Copy(kPin), {.serial = state->serial, .keys = {}}).ok());
}

TEST_F(Pkcs11BackendTest, SendsNoPinToATokenThatWasMadeOutAnew) {
  Raw().GenerateKey(wire::Bytes{1}, "old");
  auto backend = OpenLocked();
  ASSERT_EQ(backend->ListKeysSlowly()->size(), 1u);
  Raw().Destroy(CKO_PUBLIC_KEY);
  Raw().GenerateKey(wire::Bytes{1}, "old");  // as it was called, but another
  EXPECT_EQ(backend->UnlockSlowly(*Pin::Copy(kPin), {}).code(), StatusCode::kNotFound);
  ASSERT_EQ(backend->ListKeysSlowly()->size(), 1u);
  EXPECT_TRUE(backend->UnlockSlowly(*Pin::Copy(kPin), {}).ok());
}

TEST_F(Pkcs11BackendTest, OpensKeysOnALockedTokenAndSaysHowToUnlockIt) {
  auto backend = Open();
  auto created = backend->CreateKeySlowly("laptop", KeyAlgorithm::kP256);
  ASSERT_TRUE(created.ok());
  backend.reset();

  backend = OpenLocked();
  auto key = backend->OpenKeySlowly(created->reference);
  ASSERT_TRUE(key.ok()) << key.status();
  const absl::Status status =
      (*key)->SignSlowly(SignatureScheme::kEcdsaSecp256r1Sha256, ToBytes("message")).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr("signet token unlock card --pin-stdin"));
  ASSERT_TRUE(backend->UnlockSlowly(*Pin::Copy(kPin), {}).ok());
  ExpectSigns(**key);
}

TEST_F(Pkcs11BackendTest, NamesTheMissingTokenAndThoseThatAreThere) {
  hsm_.AddToken("bob");
  auto backend = OpenLocked("carol");
  const absl::Status status = backend->DescribeSlowly().status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(Message(status), AllOf(StartsWith("card: describe: "), HasSubstr("\"carol\""),
                                     HasSubstr("\"alice\""), HasSubstr("\"bob\"")));
  EXPECT_EQ(backend->UnlockSlowly(*Pin::Copy(kPin), {}).code(), StatusCode::kNotFound);
  hsm_.AddToken("carol");
  EXPECT_TRUE(backend->DescribeSlowly().ok());
}

TEST_F(Pkcs11BackendTest, RefusesToChooseBetweenTokensWithOneLabel) {
  hsm_.AddToken("alice");
  const absl::Status status = OpenLocked()->DescribeSlowly().status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(Message(status), HasSubstr("2 tokens"));
}

TEST_F(Pkcs11BackendTest, AKeyOfAnotherTokenWithTheSameLabelIsNotFound) {
  Raw().GenerateKey(wire::Bytes{1}, "same id");
  auto backend = Open();
  const wire::Bytes reference = ToBytes("pkcs11:serial=0815;token=alice;id=%01;type=private");
  const absl::Status status = backend->OpenKeySlowly(reference).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(Message(status), HasSubstr("serial number"));
  EXPECT_EQ(backend->RemoveKeySlowly(reference).code(), StatusCode::kNotFound);
  EXPECT_TRUE(backend->OpenKeySlowly(ToBytes("pkcs11:token=alice;id=%01")).ok());
}

TEST_F(Pkcs11BackendTest, NamesAModuleThatIsNone) {
  for (const char* path : {"/nonexistent/module.so", "/dev/null", "libc.so.6"}) {
    auto backend = MakePkcs11Backend({.name = "card", .module = path, .token = "alice"});
    const absl::Status status = backend->DescribeSlowly().status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_THAT(Message(status),
                AllOf(StartsWith("card: describe: "), HasSubstr(path), HasSubstr("`module`")));
    EXPECT_TRUE(backend->LockSlowly().ok());
  }
}

}  // namespace
}  // namespace signet::providers::pkcs11
