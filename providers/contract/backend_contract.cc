#include "providers/contract/backend_contract.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "providers/contract/foreign_references.h"
#include "providers/contract/signature_check.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using wire::Bytes;
using wire::SignatureScheme;

constexpr std::string_view kWrongPin = "90817263";

constexpr KeyAlgorithm kAllAlgorithms[] = {
    KeyAlgorithm::kP256,    KeyAlgorithm::kP384,    KeyAlgorithm::kP521, KeyAlgorithm::kRsa2048,
    KeyAlgorithm::kRsa3072, KeyAlgorithm::kEd25519, KeyAlgorithm::kEd448};

const Bytes kMessage = {'m', 'e', 's', 's', 'a', 'g', 'e'};

Pin MakePin(std::string_view text) {
  absl::StatusOr<Pin> pin = Pin::Copy(text);
  EXPECT_TRUE(pin.ok()) << pin.status();
  return std::move(pin).value();
}

}  // namespace

void BackendContract::SetUp() {
  token_ = GetParam()();
  ASSERT_NE(token_, nullptr);
  Reopen();
}

void BackendContract::ReopenLocked() {
  backend_.reset();
  backend_ = token_->Open();
  ASSERT_NE(backend_, nullptr);
}

void BackendContract::Reopen() {
  ReopenLocked();
  if (token_->pin()) Unlock();
}

void BackendContract::Unlock() {
  absl::Status status = backend_->UnlockSlowly(MakePin(*token_->pin()), {});
  ASSERT_TRUE(status.ok()) << status;
}

std::vector<KeyAlgorithm> BackendContract::OfferedAlgorithms() {
  absl::StatusOr<TokenState> state = backend_->DescribeSlowly();
  EXPECT_TRUE(state.ok()) << state.status();
  if (!state.ok()) return {};
  EXPECT_FALSE(state->algorithms.empty());
  return state->algorithms;
}

CreatedKey BackendContract::Create(std::string_view label, KeyAlgorithm algorithm) {
  absl::StatusOr<CreatedKey> created = backend_->CreateKeySlowly(label, algorithm);
  EXPECT_TRUE(created.ok()) << created.status();
  if (!created.ok()) return {};
  EXPECT_NE(created->key, nullptr);
  EXPECT_FALSE(created->reference.empty());
  return std::move(created).value();
}

CreatedKey BackendContract::Create(std::string_view label) {
  std::vector<KeyAlgorithm> offered = OfferedAlgorithms();
  return offered.empty() ? CreatedKey() : Create(label, offered.front());
}

std::map<std::string, CreatedKey> BackendContract::CreateEach() {
  std::map<std::string, CreatedKey> keys;
  for (KeyAlgorithm algorithm : OfferedAlgorithms()) {
    const std::string name(Name(algorithm));
    SCOPED_TRACE(name);
    CreatedKey created = Create(name, algorithm);
    if (created.key == nullptr) return {};
    keys.emplace(name, std::move(created));
  }
  return keys;
}

std::unique_ptr<Key> BackendContract::OpenKey(wire::BytesView reference) {
  absl::StatusOr<std::unique_ptr<Key>> key = backend_->OpenKeySlowly(reference);
  EXPECT_TRUE(key.ok()) << key.status();
  return key.ok() ? std::move(key).value() : nullptr;
}

void BackendContract::ExpectSigns(Key& key, wire::BytesView message) {
  ASSERT_FALSE(key.schemes().empty());
  SignatureScheme scheme = key.schemes().front();
  absl::StatusOr<Bytes> signature = key.SignSlowly(scheme, message);
  ASSERT_TRUE(signature.ok()) << signature.status();
  EXPECT_TRUE(SignatureHolds(key.public_key(), scheme, message, *signature));
}

void BackendContract::ExpectError(const absl::Status& status, StatusCode code) {
  EXPECT_EQ(status.code(), code) << status;
  std::string message(status.message());
  EXPECT_THAT(message, StartsWith(token_->name() + ": "));
  EXPECT_THAT(message.substr(std::min(message.size(), token_->name().size() + 2)), HasSubstr(": "))
      << "names no operation";
  EXPECT_THAT(message, HasSubstr("; ")) << "names no next step";
  EXPECT_THAT(message, Not(HasSubstr(std::string(kWrongPin))));
  if (token_->pin()) {
    EXPECT_THAT(message, Not(HasSubstr(*token_->pin())));
  }
}

// What it says of itself.

TEST_P(BackendContract, DescribesItself) {
  absl::StatusOr<TokenState> state = backend_->DescribeSlowly();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->label.empty());
  EXPECT_FALSE(state->algorithms.empty());
  EXPECT_EQ(state->needs_pin, token_->pin().has_value());
  EXPECT_TRUE(state->unlocked);
  EXPECT_EQ(state->hardware, token_->type() != "software");
}

// Keys and signatures.

TEST_P(BackendContract, SignsWithEveryAlgorithmAndSchemeItOffers) {
  for (KeyAlgorithm algorithm : OfferedAlgorithms()) {
    SCOPED_TRACE(Name(algorithm));
    absl::StatusOr<CreatedKey> created = backend_->CreateKeySlowly(Name(algorithm), algorithm);
    ASSERT_TRUE(created.ok()) << created.status();
    EXPECT_FALSE(created->key->schemes().empty());
    for (SignatureScheme scheme : created->key->schemes()) {
      SCOPED_TRACE(absl::StrCat("scheme 0x", absl::Hex(static_cast<uint16_t>(scheme))));
      absl::StatusOr<Bytes> signature = created->key->SignSlowly(scheme, kMessage);
      ASSERT_TRUE(signature.ok()) << signature.status();
      EXPECT_TRUE(SignatureHolds(created->key->public_key(), scheme, kMessage, *signature));
    }
  }
}

TEST_P(BackendContract, SignsEmptyAndLongMessages) {
  for (const auto& [name, created] : CreateEach()) {
    SCOPED_TRACE(name);
    ExpectSigns(*created.key, Bytes());
    ExpectSigns(*created.key, Bytes(65536, 0xa5));
  }
}

TEST_P(BackendContract, RefusesSchemesThatTheKeyDoesNotOffer) {
  std::vector<SignatureScheme> schemes(AllTls13Schemes().begin(), AllTls13Schemes().end());
  schemes.push_back(SignatureScheme::kRsaPkcs1Sha256);  // never in TLS 1.3
  schemes.push_back(static_cast<SignatureScheme>(0xfe01));
  for (const auto& [name, created] : CreateEach()) {
    for (SignatureScheme scheme : schemes) {
      if (testing::Value(created.key->schemes(), Contains(scheme))) continue;
      SCOPED_TRACE(absl::StrCat(name, ", scheme 0x", absl::Hex(static_cast<uint16_t>(scheme))));
      ExpectError(created.key->SignSlowly(scheme, kMessage).status(), StatusCode::kUnimplemented);
    }
    SCOPED_TRACE(name);
    ExpectSigns(*created.key, kMessage);
  }
}

TEST_P(BackendContract, RefusesAlgorithmsThatItDoesNotOffer) {
  std::vector<KeyAlgorithm> offered = OfferedAlgorithms();
  for (KeyAlgorithm algorithm : kAllAlgorithms) {
    if (testing::Value(offered, Contains(algorithm))) continue;
    SCOPED_TRACE(Name(algorithm));
    ExpectError(backend_->CreateKeySlowly("refused", algorithm).status(),
                StatusCode::kUnimplemented);
  }
}

TEST_P(BackendContract, EachCreatedKeyIsNew) {
  CreatedKey first = Create("first");
  CreatedKey second = Create("second");
  ASSERT_NE(first.key, nullptr);
  ASSERT_NE(second.key, nullptr);
  EXPECT_NE(first.key->public_key(), second.key->public_key());
  EXPECT_NE(first.reference, second.reference);
}

// References.

TEST_P(BackendContract, ReferenceFindsTheKeyAfterARestart) {
  struct Known {
    Bytes reference;
    Bytes public_key;
    std::vector<SignatureScheme> schemes;
  };
  std::map<std::string, Known> known;
  for (auto& [name, created] : CreateEach()) {
    known[name] = {created.reference, created.key->public_key(), created.key->schemes()};
  }
  Reopen();
  for (const auto& [name, before] : known) {
    SCOPED_TRACE(name);
    std::unique_ptr<Key> key = OpenKey(before.reference);
    ASSERT_NE(key, nullptr);
    EXPECT_EQ(key->public_key(), before.public_key);
    EXPECT_EQ(key->schemes(), before.schemes);
    ExpectSigns(*key, kMessage);
  }
}

TEST_P(BackendContract, OneKeyOpenTwiceSignsThroughBoth) {
  std::map<std::string, CreatedKey> keys = CreateEach();
  for (auto& [name, created] : keys) {
    SCOPED_TRACE(name);
    std::unique_ptr<Key> second = OpenKey(created.reference);
    ASSERT_NE(second, nullptr);
    ExpectSigns(*created.key, kMessage);
    ExpectSigns(*second, kMessage);
    created.key.reset();
    ExpectSigns(*second, kMessage);
  }
}

TEST_P(BackendContract, RefusesForeignReferences) {
  for (const ForeignReference& foreign : ReferencesForeignTo(token_->type())) {
    SCOPED_TRACE(foreign.what);
    ExpectError(backend_->OpenKeySlowly(foreign.bytes).status(), StatusCode::kInvalidArgument);
    ExpectError(backend_->RemoveKeySlowly(foreign.bytes), StatusCode::kInvalidArgument);
  }
}

TEST_P(BackendContract, ARemovedKeyIsGone) {
  CreatedKey other = Create("kept");
  ASSERT_NE(other.key, nullptr);
  std::map<std::string, CreatedKey> keys = CreateEach();
  for (auto& [name, created] : keys) {
    SCOPED_TRACE(name);
    created.key.reset();
    absl::Status removed = backend_->RemoveKeySlowly(created.reference);
    EXPECT_TRUE(removed.ok()) << removed;
    if (token_->stores_keys()) {
      ExpectError(backend_->OpenKeySlowly(created.reference).status(), StatusCode::kNotFound);
      ExpectError(backend_->RemoveKeySlowly(created.reference), StatusCode::kNotFound);
    }
  }
  ExpectSigns(*other.key, kMessage);
}

// Many keys of all algorithms: more than the object slots of a TPM.

TEST_P(BackendContract, SixKeysSignInTurn) {
  const std::vector<KeyAlgorithm> offered = OfferedAlgorithms();
  ASSERT_FALSE(offered.empty());
  std::vector<CreatedKey> keys;
  for (size_t i = 0; i < 6; ++i) {
    keys.push_back(Create(absl::StrCat("key ", i), offered[i % offered.size()]));
    ASSERT_NE(keys.back().key, nullptr);
  }
  for (int round = 0; round < 4; ++round) {
    for (CreatedKey& created : keys) ExpectSigns(*created.key, kMessage);
  }
  // And the others keep working as keys are closed.
  while (!keys.empty()) {
    keys.erase(keys.begin());
    for (CreatedKey& created : keys) ExpectSigns(*created.key, kMessage);
  }
}

// PINs.

TEST_P(BackendContract, WithoutAPinUnlockAndLockChangeNothing) {
  if (token_->pin()) return;  // the tests below are for tokens with a PIN
  CreatedKey created = Create();
  ASSERT_NE(created.key, nullptr);
  EXPECT_TRUE(backend_->UnlockSlowly(MakePin(kWrongPin), {}).ok());
  ExpectSigns(*created.key, kMessage);
  EXPECT_TRUE(backend_->LockSlowly().ok());
  ExpectSigns(*created.key, kMessage);
}

TEST_P(BackendContract, ALockedTokenNeitherCreatesNorSigns) {
  if (!token_->pin()) return;
  CreatedKey created = Create();
  ASSERT_NE(created.key, nullptr);
  absl::Status locked = backend_->LockSlowly();
  ASSERT_TRUE(locked.ok()) << locked;
  absl::StatusOr<TokenState> state = backend_->DescribeSlowly();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->needs_pin);
  EXPECT_FALSE(state->unlocked);
  SignatureScheme scheme = created.key->schemes().front();
  ExpectError(created.key->SignSlowly(scheme, kMessage).status(), StatusCode::kFailedPrecondition);
  ExpectError(backend_->CreateKeySlowly("locked", state->algorithms.front()).status(),
              StatusCode::kFailedPrecondition);
  Unlock();
  ExpectSigns(*created.key, kMessage);
}

TEST_P(BackendContract, ATokenStartsLocked) {
  if (!token_->pin()) return;
  ReopenLocked();
  absl::StatusOr<TokenState> state = backend_->DescribeSlowly();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->unlocked);
  ExpectError(backend_->CreateKeySlowly("locked", state->algorithms.front()).status(),
              StatusCode::kFailedPrecondition);
}

TEST_P(BackendContract, AWrongPinSpendsOneTry) {
  if (!token_->pin()) return;
  CreatedKey created = Create();
  ASSERT_NE(created.key, nullptr);
  created.key.reset();
  ReopenLocked();
  std::optional<int> before = token_->wrong_pin_count();
  ExpectError(backend_->UnlockSlowly(MakePin(kWrongPin), {}), StatusCode::kPermissionDenied);
  // What fails because the token is locked must not try the PIN again.
  absl::StatusOr<TokenState> state = backend_->DescribeSlowly();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->unlocked);
  ExpectError(backend_->CreateKeySlowly("locked", state->algorithms.front()).status(),
              StatusCode::kFailedPrecondition);
  if (before) {
    EXPECT_EQ(token_->wrong_pin_count(), *before + 1);
  }
  Unlock();
  std::unique_ptr<Key> key = OpenKey(created.reference);
  ASSERT_NE(key, nullptr);
  ExpectSigns(*key, kMessage);
}

TEST_P(BackendContract, UnlockingTwiceIsFine) {
  if (!token_->pin()) return;
  CreatedKey created = Create();
  ASSERT_NE(created.key, nullptr);
  Unlock();
  ExpectSigns(*created.key, kMessage);
}

}  // namespace signet::providers
