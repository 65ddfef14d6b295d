#include "providers/host/key_cache.h"

#include <algorithm>
#include <utility>

namespace signet::providers {

std::list<KeyCache::Entry>::iterator KeyCache::Find(wire::BytesView reference) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return std::ranges::equal(entry.reference, reference);
  });
}

absl::StatusOr<Key*> KeyCache::OpenSlowly(wire::BytesView reference) {
  if (auto found = Find(reference); found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
  } else {
    absl::StatusOr<std::unique_ptr<Key>> key = backend_.OpenKeySlowly(reference);
    if (!key.ok()) return key.status();
    Insert(wire::Copy(reference), *std::move(key));
  }
  return entries_.front().key.get();
}

void KeyCache::Insert(wire::Bytes reference, std::unique_ptr<Key> key) {
  Forget(reference);
  if (entries_.size() == kCapacity) entries_.pop_back();
  entries_.push_front({std::move(reference), std::move(key)});
}

void KeyCache::Forget(wire::BytesView reference) {
  if (auto found = Find(reference); found != entries_.end()) entries_.erase(found);
}

}  // namespace signet::providers
