// On real SoftHSM tokens that other programs filled: what is found there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "providers/contract/signature_check.h"
#include "providers/pkcs11/pkcs11_backend.h"
#include "providers/pkcs11/raw_session.h"
#include "tests/support/softhsm.h"
#include "tests/support/test_ca.h"

namespace signet::providers::pkcs11 {
namespace {

using test::SoftHsm;
using test::TestCa;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using wire::SignatureScheme;

const std::string kPin(SoftHsm::kPin);

class KeyListTest : public testing::Test {
 protected:
  KeyListTest() { hsm_.AddToken("alice"); }

  RawSession Raw() { return RawSession(SoftHsm::Module(), "alice", kPin); }

  void OpenLocked() {
    backend_ = MakePkcs11Backend({.name = "card", .module = SoftHsm::Module(), .token = "alice"});
  }
  void Open() {
    OpenLocked();
    const absl::Status status = backend_->UnlockSlowly(*Pin::Copy(kPin), {});
    ASSERT_TRUE(status.ok()) << status;
  }

  std::vector<FoundKey> List() {
    auto keys = backend_->ListKeysSlowly();
    EXPECT_TRUE(keys.ok()) << keys.status();
    return keys.ok() ? *std::move(keys) : std::vector<FoundKey>();
  }
  FoundKey ListOne() {
    std::vector<FoundKey> keys = List();
    EXPECT_EQ(keys.size(), 1u);
    return keys.empty() ? FoundKey() : keys.front();
  }
  std::vector<std::string> Labels() {
    std::vector<std::string> labels;
    for (const FoundKey& key : List()) labels.push_back(key.label);
    return labels;
  }

  // A key pair on the token, made there; its public key.
  wire::Bytes MakeKey(uint8_t id, const std::string& label) {
    Raw().GenerateKey(wire::Bytes{id}, label);
    OpenLocked();
    for (const FoundKey& key : List()) {
      if (key.label == label) return key.public_key;
    }
    ADD_FAILURE() << "no key " << label;
    return {};
  }
  void AddCertificate(uint8_t id, const std::string& label, const test::Der& der) {
    backend_.reset();
    Raw().AddCertificate(wire::Bytes{id}, label, der);
  }

  void ExpectSigns(const FoundKey& found) {
    auto key = backend_->OpenKeySlowly(found.reference);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ((*key)->public_key(), found.public_key);
    EXPECT_EQ((*key)->schemes(), found.schemes);
    const wire::Bytes message{1, 2, 3};
    auto signature = (*key)->SignSlowly(found.schemes.front(), message);
    ASSERT_TRUE(signature.ok()) << signature.status();
    EXPECT_TRUE(SignatureHolds(found.public_key, found.schemes.front(), message, *signature));
  }

  SoftHsm hsm_;
  const TestCa root_ = TestCa::Root("Root");
  const TestCa issuing_ = root_.Intermediate("Issuing");
  std::unique_ptr<Backend> backend_;
};

TEST_F(KeyListTest, AnEmptyTokenHoldsNone) {
  OpenLocked();
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(KeyListTest, FindsAKeyWithItsCertificateAndIssuersOnALockedToken) {
  const wire::Bytes public_key = MakeKey(1, "my key");
  const test::Der leaf = issuing_.Issue(public_key, {.common_name = "alice"});
  AddCertificate(9, "root", root_.certificate());
  AddCertificate(8, "issuing", issuing_.certificate());
  AddCertificate(1, "my certificate", leaf);
  OpenLocked();
  const FoundKey found = ListOne();
  EXPECT_EQ(found.label, "my certificate");
  EXPECT_EQ(found.algorithm, "p256");
  EXPECT_THAT(found.schemes, ElementsAre(SignatureScheme::kEcdsaSecp256r1Sha256));
  EXPECT_THAT(found.chain, ElementsAre(leaf, issuing_.certificate()));
  ASSERT_TRUE(backend_->UnlockSlowly(*Pin::Copy(kPin), {}).ok());
  EXPECT_EQ(ListOne().reference, found.reference);
  ExpectSigns(found);
}

TEST_F(KeyListTest, FindsAKeyWithoutACertificate) {
  MakeKey(1, "bare");
  Open();
  const FoundKey found = ListOne();
  EXPECT_EQ(found.label, "bare");
  EXPECT_THAT(found.chain, IsEmpty());
  ExpectSigns(found);
}

TEST_F(KeyListTest, ReferencesAreThoseOfKeysMadeHere) {
  Open();
  auto created = backend_->CreateKeySlowly("made here", KeyAlgorithm::kP384);
  ASSERT_TRUE(created.ok()) << created.status();
  const FoundKey found = ListOne();
  EXPECT_EQ(found.reference, created->reference);
  EXPECT_EQ(found.public_key, created->key->public_key());
  EXPECT_EQ(found.algorithm, "p384");
}

TEST_F(KeyListTest, ACertificateStandsForAPublicKeyThatTheTokenDoesNotKeep) {
  const wire::Bytes public_key = MakeKey(1, "key");
  AddCertificate(1, "certificate", root_.Issue(public_key));
  Raw().Destroy(CKO_PUBLIC_KEY);
  Open();
  const FoundKey found = ListOne();
  EXPECT_EQ(found.public_key, public_key);
  ExpectSigns(found);
}

TEST_F(KeyListTest, CertificatesOfOthersAreNoKeys) {
  const test::TestKey elsewhere = test::TestKey::Generate(test::TestKeyType::kP256);
  AddCertificate(1, "root", root_.certificate());
  AddCertificate(2, "a colleague", root_.Issue(elsewhere.public_key()));
  Open();
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(KeyListTest, TheCertificateThatLastsLongestIsTaken) {
  const wire::Bytes public_key = MakeKey(1, "key");
  const auto now = std::chrono::system_clock::now();
  const test::Der later = root_.Issue(public_key, {.not_after = now + std::chrono::hours(1000)});
  AddCertificate(1, "old", root_.Issue(public_key, {.not_after = now + std::chrono::hours(1)}));
  AddCertificate(1, "renewed", later);
  AddCertificate(1, "older", root_.Issue(public_key, {.not_after = now + std::chrono::hours(2)}));
  OpenLocked();
  const FoundKey found = ListOne();
  EXPECT_EQ(found.label, "renewed");
  EXPECT_THAT(found.chain, ElementsAre(later));
}

TEST_F(KeyListTest, OddObjectsHideNoOthers) {
  for (const char* type : {"rsa:1024", "EC:secp256k1"}) {
    const std::string command =
        "pkcs11-tool --module '" + SoftHsm::Module() + "' --token-label alice --login --pin " +
        kPin + " --keypairgen --key-type " + type + " --id 07 --label odd >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << "install the package opensc";
  }
  AddCertificate(7, "no certificate", wire::Bytes{0x30, 0x03, 1, 2, 3});
  Raw().GenerateKey(wire::Bytes{1}, "even");
  Open();
  const FoundKey found = ListOne();
  EXPECT_EQ(found.label, "even");
  ExpectSigns(found);
}

TEST_F(KeyListTest, OnAnUnlockedTokenKeysThatCantSignAreLeftOut) {
  {
    RawSession raw = Raw();
    raw.GenerateKey(wire::Bytes{1}, "pin each time", CKA_ALWAYS_AUTHENTICATE, true);
    raw.GenerateKey(wire::Bytes{2}, "only derives", CKA_SIGN, false);
    raw.GenerateKey(wire::Bytes{3}, "signs");
  }
  Open();
  EXPECT_THAT(Labels(), UnorderedElementsAre("pin each time", "signs"));
}

TEST_F(KeyListTest, KeysThatShareAnIdAreToldApartByTheirLabel) {
  {
    RawSession raw = Raw();
    raw.GenerateKey(wire::Bytes{1}, "one");
    raw.GenerateKey(wire::Bytes{1}, "two");
    raw.GenerateKey(wire::Bytes{}, "no id");
    raw.GenerateKey(wire::Bytes{3}, "");
  }
  Open();
  EXPECT_THAT(Labels(), UnorderedElementsAre("one", "two", "no id", ""));
  for (const FoundKey& found : List()) {
    SCOPED_TRACE(found.label);
    ExpectSigns(found);
  }
}

TEST_F(KeyListTest, FindsAllOfManyKeys) {
  constexpr size_t kMany = 70;
  {
    RawSession raw = Raw();
    for (size_t i = 0; i < kMany; ++i) {
      raw.GenerateKey(wire::Bytes{static_cast<uint8_t>(i)}, "key " + std::to_string(i));
    }
  }
  Open();
  EXPECT_EQ(List().size(), kMany);
}

}  // namespace
}  // namespace signet::providers::pkcs11
