// The contract that every backend keeps, as one test suite. A backend's own test links the object
// library signet_contract and says, in namespace signet::providers:
//
//   INSTANTIATE_TEST_SUITE_P(Tpm2, BackendContract,
//                            testing::Values(MakeTokenFunction(&MakeSwtpmToken)));
//
// Each test gets a token of its own, so tests run side by side.
#ifndef SIGNET_PROVIDERS_CONTRACT_BACKEND_CONTRACT_H_
#define SIGNET_PROVIDERS_CONTRACT_BACKEND_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "providers/backend.h"

namespace signet::providers {

// A fresh, empty token: a folder, a SoftHSM token, a running swtpm. Destroying it stops and removes
// everything.
class ContractToken {
 public:
  virtual ~ContractToken() = default;

  // A new backend on this token, as after a restart of signet-backend: the suite has destroyed the
  // one before, with all its keys. Locked if there is a PIN. Never null.
  virtual std::unique_ptr<Backend> Open() = 0;

  // The name the backend was configured with; its errors start with it.
  virtual std::string name() const = 0;
  // As in the configuration: "tpm2", "pkcs11", "software". The other types' references are foreign.
  virtual std::string type() const = 0;
  // Does the token hold the keys (and can it therefore lose one)?
  virtual bool stores_keys() const = 0;

  // Of the token's user; nullopt if it has none.
  virtual std::optional<std::string> pin() const { return std::nullopt; }
  // How many wrong PINs it has seen since it was made; nullopt if it does not count.
  virtual std::optional<int> wrong_pin_count() { return std::nullopt; }
};

using MakeTokenFunction = std::function<std::unique_ptr<ContractToken>()>;

class BackendContract : public testing::TestWithParam<MakeTokenFunction> {
 protected:
  void SetUp() override;

  // Destroys the backend (drop its keys first) and opens the token again, unlocked.
  void Reopen();
  void ReopenLocked();
  void Unlock();

  std::vector<KeyAlgorithm> OfferedAlgorithms();
  CreatedKey Create(std::string_view label, KeyAlgorithm algorithm);
  // A key of the first algorithm on offer.
  CreatedKey Create(std::string_view label = "contract");
  // A key of each algorithm on offer, which is its label; empty, and a failure, if one can't be
  // made.
  std::map<std::string, CreatedKey> CreateEach();
  std::unique_ptr<Key> OpenKey(wire::BytesView reference);

  // Signs with the key's first scheme, and OpenSSL agrees.
  void ExpectSigns(Key& key, wire::BytesView message);
  // The code, and a message "name: operation: what happened; what to do next" without any PIN.
  void ExpectError(const absl::Status& status, absl::StatusCode code);

  std::unique_ptr<ContractToken> token_;
  std::unique_ptr<Backend> backend_;
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_CONTRACT_BACKEND_CONTRACT_H_
