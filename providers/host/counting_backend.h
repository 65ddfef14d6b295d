// For tests: a back end that counts what is asked of it.
#ifndef SIGNET_PROVIDERS_HOST_COUNTING_BACKEND_H_
#define SIGNET_PROVIDERS_HOST_COUNTING_BACKEND_H_

#include <memory>
#include <semaphore>
#include <string_view>
#include <vector>

#include "providers/backend.h"
#include "providers/host/serve.h"

namespace signet::providers {

// A token with the PIN "1234" and keys of any name, that counts.
struct Counts {
  int opened = 0;
  int unlocked = 0;
  int locked = 0;
  bool absent = false;
  std::vector<FoundKey> found = {};
  std::vector<wire::Bytes> tried_on = {};
  std::counting_semaphore<>* locking = nullptr;  // told when it locks
};

class CountingBackend : public Backend {
 public:
  explicit CountingBackend(Counts& counts) : counts_(counts) {}

  absl::StatusOr<TokenState> DescribeSlowly() override {
    if (counts_.absent) return absl::NotFoundError("fake: describe: no card; insert it");
    return TokenState{
        .hardware = true, .needs_pin = true, .unlocked = false, .label = "fake", .algorithms = {}};
  }
  absl::StatusOr<CreatedKey> CreateKeySlowly(std::string_view, KeyAlgorithm) override {
    return CreatedKey{{'n', 'e', 'w'}, std::make_unique<FakeKey>()};
  }
  absl::StatusOr<std::unique_ptr<Key>> OpenKeySlowly(wire::BytesView) override {
    ++counts_.opened;
    return std::make_unique<FakeKey>();
  }
  absl::Status RemoveKeySlowly(wire::BytesView) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<FoundKey>> ListKeysSlowly() override { return counts_.found; }
  absl::Status UnlockSlowly(Pin pin, const UnlockTarget& target) override {
    counts_.tried_on = target.keys;
    if (std::string_view(pin.c_str()) != "1234") {
      return absl::PermissionDeniedError("fake: unlock: wrong PIN; try again");
    }
    ++counts_.unlocked;
    holds_pin_ = true;
    return absl::OkStatus();
  }
  bool HoldsPin() const override { return holds_pin_; }
  absl::Status LockSlowly() override {
    ++counts_.locked;
    holds_pin_ = false;
    if (counts_.locking != nullptr) counts_.locking->release();
    return absl::OkStatus();
  }

 private:
  class FakeKey : public Key {
   public:
    const wire::Bytes& public_key() const override { return public_key_; }
    const std::vector<wire::SignatureScheme>& schemes() const override { return schemes_; }
    absl::StatusOr<wire::Bytes> SignSlowly(wire::SignatureScheme, wire::BytesView) override {
      return wire::Bytes{1};
    }

   private:
    wire::Bytes public_key_;
    std::vector<wire::SignatureScheme> schemes_;
  };

  Counts& counts_;
  bool holds_pin_ = false;
};

inline BackendFactory Counting(Counts& counts) {
  return [&counts](const backend::v1::ConfigureRequest&) {
    return std::make_unique<CountingBackend>(counts);
  };
}

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_HOST_COUNTING_BACKEND_H_
