#include "tests/support/fake_tokens.h"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

namespace signet::test {
namespace {

using wire::SignatureScheme;

struct Algorithm {
  TestKeyType type;
  const char* name;
  std::vector<SignatureScheme> schemes;
};

const std::vector<Algorithm>& Algorithms() {
  using enum SignatureScheme;
  static const std::vector<Algorithm> algorithms = {
      {TestKeyType::kP256, "p256", {kEcdsaSecp256r1Sha256}},
      {TestKeyType::kP384, "p384", {kEcdsaSecp384r1Sha384}},
      {TestKeyType::kP521, "p521", {kEcdsaSecp521r1Sha512}},
      {TestKeyType::kRsa2048, "rsa2048", {kRsaPssRsaeSha256, kRsaPssRsaeSha384, kRsaPssRsaeSha512}},
      {TestKeyType::kRsaPss2048, "rsa-pss", {kRsaPssPssSha256, kRsaPssPssSha384, kRsaPssPssSha512}},
      {TestKeyType::kEd25519, "ed25519", {kEd25519}},
      {TestKeyType::kEd448, "ed448", {kEd448}}};
  return algorithms;
}

const Algorithm& AlgorithmOf(TestKeyType type) {
  for (const Algorithm& algorithm : Algorithms()) {
    if (algorithm.type == type) return algorithm;
  }
  throw std::logic_error("unknown key type");
}

}  // namespace

std::vector<SignatureScheme> SchemesOf(TestKeyType type) { return AlgorithmOf(type).schemes; }

agent::KeyReference FakeTokens::Add(const TestKey& key, const std::string& backend) {
  const std::string uri = "pkcs11:object=fake-" + std::to_string(next_++);
  agent::KeyReference reference{backend, wire::Bytes(uri.begin(), uri.end())};
  keys_.emplace(reference.reference, key);
  return reference;
}

agent::Identity FakeTokens::NewIdentity(const std::string& name, agent::IdentityKind kind,
                                        TestKeyType type) {
  const TestKey key = TestKey::Generate(type);
  agent::Identity identity;
  identity.name = name;
  identity.kind = kind;
  identity.algorithm = AlgorithmOf(type).name;
  identity.hardware = true;
  identity.key = Add(key);
  identity.public_key = key.public_key();
  identity.schemes = SchemesOf(type);
  return identity;
}

const TestKey& FakeTokens::key(const agent::KeyReference& reference) const {
  return keys_.at(reference.reference);
}

asio::awaitable<absl::StatusOr<wire::Bytes>> FakeTokens::Sign(const agent::KeyReference& reference,
                                                              SignatureScheme scheme,
                                                              wire::BytesView message,
                                                              agent::SignatureCheck check,
                                                              agent::Deadline deadline) {
  ++signatures;
  last_message = wire::Copy(message);
  last_deadline = deadline;
  if (hang) {
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
  }
  if (!sign_error.ok()) co_return sign_error;
  const auto found = keys_.find(reference.reference);
  if (found == keys_.end()) co_return absl::NotFoundError("fake: sign: no such key");
  if (locked.contains(reference.reference)) {
    co_return absl::FailedPreconditionError("the token is locked; run: signet token unlock fake");
  }
  wire::Bytes signed_instead = last_message;
  if (sign_wrongly) signed_instead.push_back(0);
  wire::Bytes signature = found->second.Sign(static_cast<uint16_t>(scheme), signed_instead);
  if (!check(message, signature)) co_return absl::DataLossError("fake: sign: wrong signature");
  co_return signature;
}

asio::awaitable<absl::StatusOr<agent::NewKey>> FakeTokens::CreateKey(const std::string& backend,
                                                                     const std::string&,
                                                                     const std::string& algorithm,
                                                                     agent::Deadline) {
  if (backend != "fake") co_return absl::NotFoundError("backend: none of that name");
  for (const Algorithm& known : Algorithms()) {
    if (known.name != algorithm) continue;
    const TestKey key = TestKey::Generate(known.type);
    co_return agent::NewKey{Add(key, backend), key.public_key(), known.schemes, true};
  }
  co_return absl::UnimplementedError("fake: create key: unknown algorithm");
}

asio::awaitable<absl::Status> FakeTokens::RemoveKey(const agent::KeyReference& reference,
                                                    agent::Deadline) {
  if (!remove_error.ok()) co_return remove_error;
  co_return keys_.erase(reference.reference) == 1
      ? absl::OkStatus()
      : absl::NotFoundError("fake: remove key: no such key");
}

}  // namespace signet::test
