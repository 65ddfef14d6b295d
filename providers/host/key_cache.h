// The keys used last, kept open so that a signature costs no loading.
#ifndef SIGNET_PROVIDERS_HOST_KEY_CACHE_H_
#define SIGNET_PROVIDERS_HOST_KEY_CACHE_H_

#include <list>
#include <memory>

#include "providers/backend.h"

namespace signet::providers {

// Holds at most kCapacity keys of one backend, which outlives it. One thread.
class KeyCache {
 public:
  // More than people and servers have; a linear search through them costs nothing beside a
  // signature.
  static constexpr size_t kCapacity = 32;

  explicit KeyCache(Backend& backend) : backend_(backend) {}

  // The open key, opened now if need be. Valid until the next call.
  absl::StatusOr<Key*> OpenSlowly(wire::BytesView reference);
  void Insert(wire::Bytes reference, std::unique_ptr<Key> key);
  void Forget(wire::BytesView reference);

 private:
  struct Entry {
    wire::Bytes reference;
    std::unique_ptr<Key> key;
  };

  std::list<Entry>::iterator Find(wire::BytesView reference);

  Backend& backend_;
  std::list<Entry> entries_;  // the one used last first
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_HOST_KEY_CACHE_H_
